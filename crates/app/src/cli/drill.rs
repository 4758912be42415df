//! Fire drills from a terminal: one that is started and followed level by level, and those that were.

use std::time::Duration;

use allclear_domain::time::Length;
use allclear_domain::view::{DrillLevelView, DrillPersonView, DrillState, DrillView};
use serde_json::{Value, json};

use crate::cli::client::{Client, Items};
use crate::cli::on_call_args::{Drill, Drills};
use crate::cli::terminal::{instant, out, outln, table};

/// How often a drill is looked at while it walks: a level has seconds at least.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// `drill`.
pub async fn drill(args: Drill) -> anyhow::Result<()> {
    let client = Client::new(&args.remote)?;
    let body = json!({"escalation": args.policy, "wait": args.wait});
    let found: Value = client.post(&["drills"], &body).await?;
    let mut drill: DrillView = serde_json::from_value(found.clone())?;
    if args.no_wait {
        if args.form.json {
            outln!("{found:#}");
        } else {
            outln!("{}", drill.id);
        }
        return Ok(());
    }
    if !args.form.json {
        eprintln!("Fire drill of {} ({}). It ends by itself; `allclear drills --stop {}` ends it now.", drill.name, drill.id, drill.id);
    }
    let (mut told, mut last) = (0, found);
    loop {
        let over = drill.levels.iter().take_while(|level| level.outcome.is_some()).count();
        if !args.form.json {
            for level in &drill.levels[told.min(over)..over] {
                out!("{}", level_table(level));
            }
        }
        told = over;
        if drill.state != DrillState::Running {
            break;
        }
        tokio::time::sleep(LOOK_EVERY).await;
        last = client.get(&["drills", &drill.id], &[]).await?;
        drill = serde_json::from_value(last.clone())?;
    }
    if args.form.json {
        outln!("{last:#}");
    } else {
        outln!("{}", drill.says());
    }
    if drill.state == DrillState::Walked && drill.passed == drill.of {
        return Ok(());
    }
    anyhow::bail!("the drill did not pass: {}", drill.says())
}

/// `drills`.
pub async fn drills(args: Drills) -> anyhow::Result<()> {
    let client = Client::new(&args.remote)?;
    let one: Option<Value> = match (&args.stop, &args.show) {
        (Some(id), _) => Some(client.post(&["drills", id, "stop"], &json!({})).await?),
        (None, Some(id)) => Some(client.get(&["drills", id], &[]).await?),
        (None, None) => None,
    };
    if let Some(found) = one {
        if args.form.json {
            outln!("{found:#}");
            return Ok(());
        }
        let drill: DrillView = serde_json::from_value(found)?;
        for level in &drill.levels {
            out!("{}", level_table(level));
        }
        outln!("{}", drill.says());
        return Ok(());
    }
    let query: Vec<(&str, &str)> = args.policy.iter().map(|policy| ("escalation", policy.as_str())).collect();
    let found: Value = client.get(&["drills"], &query).await?;
    if args.form.json {
        outln!("{found:#}");
        return Ok(());
    }
    let found: Items<DrillView> = serde_json::from_value(found)?;
    let row = |drill: &DrillView| {
        let by = drill.started_by.clone().unwrap_or_else(|| "-".to_owned());
        vec![instant(drill.started_at), drill.escalation.clone(), by, drill.says(), drill.id.clone()]
    };
    let rows: Vec<_> = found.items.iter().map(row).collect();
    out!("{}", table(&["STARTED", "POLICY", "BY", "RESULT", "ID"], &rows));
    Ok(())
}

/// A level, and what became of everybody there.
fn level_table(level: &DrillLevelView) -> String {
    let outcome = level.outcome.map_or("goes on", |outcome| outcome.word());
    let after = level.after_ms.map(|ms| format!(" after {}", Length::from_millis(ms).in_words())).unwrap_or_default();
    let why = level.why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
    let head = format!("Level {}: {outcome}{after}{why}\n", level.step);
    let row = |person: &DrillPersonView| {
        let ways: Vec<String> = person.ways.iter().map(|way| format!("{} ({}): {}", way.contact, way.channel, way.says)).collect();
        vec![person.person.clone(), person.says.clone(), ways.join("; ")]
    };
    let rows: Vec<_> = level.people.iter().map(row).collect();
    if rows.is_empty() { head } else { format!("{head}{}", table(&["PERSON", "ANSWER", "OVER"], &rows)) }
}
