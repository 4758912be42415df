//! Response plans from a terminal: what one would do, and those that are shipped. Starting one is asked of an incident
//! ([`asks`](crate::cli::asks)).

use allclear_domain::view::{PlanTryView, ShippedPlanView, TriedTarget, TriedTask};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::cli::client::{Client, Items};
use crate::cli::coordination_args::Plan;
use crate::cli::incidents::{now, print};
use crate::cli::terminal::{clean, distance, table};

/// What adopting is answered.
#[derive(Deserialize)]
struct Adopted {
    plan: String,
    left_out: Vec<String>,
}

/// `plan`.
pub async fn plan(command: Plan) -> anyhow::Result<()> {
    match command {
        Plan::Try { plan, service, severity, remote, form } => {
            let client = Client::new(&remote)?;
            let mut query: Vec<(&str, &str)> = service.iter().map(|service| ("service", service.as_str())).collect();
            query.extend(severity.map(|severity| ("severity", severity.word())));
            let found: Value = client.get(&["plans", &plan, "try"], &query).await?;
            print(form, found, |told: PlanTryView| tried(&told, now()))
        }
        Plan::Shipped { remote, form } => {
            let client = Client::new(&remote)?;
            let found: Value = client.get(&["plans", "shipped"], &[]).await?;
            print(form, found, |found: Items<ShippedPlanView>| {
                let row = |plan: &ShippedPlanView| {
                    vec![plan.plan.clone(), if plan.adopted { "yes" } else { "no" }.to_owned(), plan.name.clone(), plan.purpose.clone()]
                };
                table(&["PLAN", "ADOPTED", "NAME", "FOR"], &found.items.iter().map(row).collect::<Vec<_>>())
            })
        }
        Plan::Adopt { plan, remote, form } => {
            let client = Client::new(&remote)?;
            let found: Value = client.post(&["plans", "shipped", &plan, "adopt"], &json!({})).await?;
            print(form, found, |done: Adopted| {
                let mut out =
                    clean(&format!("adopted {}: change it in the settings, and try it: allclear plan try {}", done.plan, done.plan)) + "\n";
                for audience in done.left_out {
                    out.push_str(&format!("  left out: there is no audience {}\n", clean(&audience)));
                }
                out
            })
        }
    }
}

fn tried(told: &PlanTryView, now: Timestamp) -> String {
    let overdue = told.overdue_since.map_or_else(String::new, |day| format!(", which was to be looked through by {day}"));
    // Counted from when it would begin, and not from when the answer came: `in 15m` is what the plan says.
    let begins_at = told.tasks.iter().map(|task| task.begins_at).min().unwrap_or(now);
    let fits = if told.fits { "; it would be proposed" } else { "" };
    let mut out = clean(&format!("{} (version {}){overdue}{fits}", told.name, told.version)) + "\n";
    let row = |task: &TriedTask| {
        let who = task.person.as_deref().or(task.role.as_deref()).unwrap_or("-");
        let due = task.due_at.map_or_else(|| "-".to_owned(), |at| distance(begins_at, at));
        let before = if task.after.is_empty() { "-".to_owned() } else { task.after.join(", ") };
        let choose = if task.options.is_empty() { String::new() } else { format!(" ({})", task.options.join("; ")) };
        vec![task.step.clone(), who.to_owned(), due, before, format!("{}{choose}", task.text)]
    };
    out.push_str(&table(&["TASK", "WHO", "DUE", "AFTER", "WHAT"], &told.tasks.iter().map(row).collect::<Vec<_>>()));
    for (task, deed) in told.tasks.iter().filter_map(|task| Some((task, task.deed.as_ref()?))) {
        out.push_str(&format!("  {:16}{}\n", "does", clean(&format!("{}: {}", task.step, deed.words()))));
    }
    let mut line = |name: &str, words: &str| out.push_str(&format!("  {name:16}{}\n", clean(words)));
    for role in &told.roles {
        let asked = role.asked.as_deref().map_or_else(|| "nobody is asked".to_owned(), |person| format!("{person} is asked"));
        line("role", &format!("{}, within {}: {asked}", role.role, role.within));
    }
    for target in &told.asks {
        line(if target.is_organisation() { "takes part" } else { "pages" }, &paged(target));
    }
    for request in &told.requests {
        line("asks", request);
    }
    for obligation in &told.obligations {
        line("obligation", &format!("{obligation} would be proposed"));
    }
    for update in &told.updates {
        line("updates", update);
    }
    for text in &told.recovery {
        line("recovery", text);
    }
    out
}

fn paged(target: &TriedTarget) -> String {
    let people: Vec<String> = target.people.iter().map(|one| format!("{} ({})", one.person, one.contacts.join(", "))).collect();
    match &target.why_nobody {
        Some(why) => format!("{}: nobody, since {why}", target.target),
        None => format!("{}: {}", target.target, people.join("; ")),
    }
}
