//! What on-call cost people, from a terminal.

use allclear_domain::view::{CarriedView, OnCallCostView};
use serde_json::Value;

use crate::cli::client::Client;
use crate::cli::on_call_args::OnCallCommand;
use crate::cli::terminal::{instant, out, outln, table};

/// `oncall …`.
pub async fn obey(command: OnCallCommand) -> anyhow::Result<()> {
    let OnCallCommand::Load(args) = command;
    let client = Client::new(&args.remote)?;
    let (from, to) = (args.from.map(|at| at.to_string()), args.to.map(|at| at.to_string()));
    let asked = [("schedule", &args.schedule), ("team", &args.team), ("from", &from), ("to", &to)];
    let query: Vec<(&str, &str)> = asked.iter().filter_map(|(name, value)| Some((*name, value.as_deref()?))).collect();
    let found: Value = client.get(&["on-call", "load"], &query).await?;
    if args.form.json {
        outln!("{found:#}");
        return Ok(());
    }
    let found: OnCallCostView = serde_json::from_value(found)?;
    let row = |who: &str, carried: &CarriedView| {
        let mut row = vec![who.to_owned()];
        row.extend(carried.cells());
        row
    };
    let mut rows = Vec::new();
    for schedule in &found.schedules {
        rows.push(row(&format!("{} ({} people)", schedule.schedule, schedule.people), &schedule.total));
        rows.extend(schedule.each.iter().map(|one| row(&format!("  {}", one.person), &one.carried)));
    }
    let headings =
        ["SCHEDULE", "SHIFTS", "HOURS", "NIGHTS", "WEEKEND DAYS", "HOLIDAYS", "CALLS", "OUTSIDE WORK", "NIGHTS CALLED", "MEDIAN ACK"];
    out!("{}", table(&headings, &rows));
    eprintln!("Live pages from {} to {}.", instant(found.from), instant(found.to));
    if found.cut {
        eprintln!("There is more than is read at once, so the figures are too low: ask for a shorter period, or for one schedule.");
    }
    Ok(())
}
