//! Coordination and learning from a terminal: tasks, reviews, actions, trends. What is asked of an incident is in
//! [`asks`](crate::cli::asks).

use allclear_domain::incident::work::TaskState;
use allclear_domain::time::{Length, after};
use allclear_domain::view::{ActionView, DurationSummary, ReviewView, TaskView, TrendTarget, TrendView};
use allclear_domain::{action, review};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::cli::args::{Form, One, Remote};
use crate::cli::client::{Client, Items};
use crate::cli::coordination_args::{Action, Review, Task, Trends};
use crate::cli::incidents::{now, print};
use crate::cli::terminal::{clean, distance, instant, table};

/// `task`.
pub async fn task(command: Task) -> anyhow::Result<()> {
    match command {
        Task::List(one) => {
            let client = Client::new(&one.remote)?;
            let mut found: Value = client.get(&["incidents", &one.reference], &[]).await?;
            let tasks = found.get_mut("tasks").map(Value::take).unwrap_or_else(|| json!([]));
            print(one.form, tasks, |tasks: Vec<TaskView>| {
                let row = |t: &TaskView| {
                    let due = t.due_at.map_or_else(|| "-".to_owned(), |at| distance(now(), at));
                    let state = if t.late && t.state == TaskState::Open { "late" } else { t.state.word() }.to_owned();
                    vec![t.task.to_string(), state, t.owner.clone().unwrap_or_else(|| "-".to_owned()), due, t.text.clone()]
                };
                table(&["TASK", "STATE", "OWNER", "DUE", "TEXT"], &tasks.iter().map(row).collect::<Vec<_>>())
            })
        }
    }
}

/// `review`.
pub async fn review(command: Review) -> anyhow::Result<()> {
    match command {
        Review::List { state, remote, form } => {
            let client = Client::new(&remote)?;
            let query: Vec<(&str, &str)> = state.iter().map(|state| ("state", state.as_str())).collect();
            let found: Value = client.get(&["reviews"], &query).await?;
            print(form, found, |found: Items<ReviewView>| {
                let row = |r: &ReviewView| {
                    let state = if r.late && r.state == review::State::Draft { "late" } else { r.state.word() }.to_owned();
                    let owner = r.owner.clone().unwrap_or_else(|| "-".to_owned());
                    vec![r.reference.clone(), state, owner, distance(now(), r.due_at), r.title.clone()]
                };
                table(&["REF", "STATE", "OWNER", "DUE", "TITLE"], &found.items.iter().map(row).collect::<Vec<_>>())
            })
        }
        Review::Show(one) => {
            let client = Client::new(&one.remote)?;
            let found: Value = client.get(&["incidents", &one.reference, "review"], &[]).await?;
            print(one.form, found, |found: ReviewView| found.text.unwrap_or_default())
        }
        Review::Edit { one, file } => {
            let text = String::from_utf8(crate::cli::org::read(&file)?)?;
            act_on_review(one, "edit", json!({ "text": text })).await
        }
        Review::Publish(one) => act_on_review(one, "publish", json!({})).await,
        Review::Assign { one, owner } => act_on_review(one, "assign", json!({ "owner": owner })).await,
    }
}

async fn act_on_review(one: One, verb: &str, body: Value) -> anyhow::Result<()> {
    let client = Client::new(&one.remote)?;
    let review: ReviewView = client.get(&["incidents", &one.reference, "review"], &[]).await?;
    let found: Value = client.post(&["reviews", &review.id, verb], &body).await?;
    print(one.form, found, |found: ReviewView| clean(&format!("review of {}: {}", found.reference, found.state.word())) + "\n")
}

/// `action`.
pub async fn action(command: Action) -> anyhow::Result<()> {
    match command {
        Action::List { all, owner, incident, remote, form } => {
            let client = Client::new(&remote)?;
            let mut query = Vec::new();
            if !all {
                query.push(("state", "open"));
            }
            query.extend(owner.iter().map(|owner| ("owner", owner.as_str())));
            query.extend(incident.iter().map(|incident| ("incident", incident.as_str())));
            let found: Value = client.get(&["actions"], &query).await?;
            print(form, found, |found: Items<ActionView>| {
                let row = |a: &ActionView| {
                    let state = if a.late && a.state == action::State::Open { "late" } else { a.state.word() }.to_owned();
                    let reference = a.reference.clone().unwrap_or_else(|| "-".to_owned());
                    let due = a.due_on.map_or_else(|| distance(now(), a.due_at), |day| day.to_string());
                    vec![a.id.clone(), state, a.owner.clone(), due, reference, a.text.clone()]
                };
                table(&["ID", "STATE", "OWNER", "DUE", "REF", "TEXT"], &found.items.iter().map(row).collect::<Vec<_>>())
            })
        }
        Action::Add { text, owner, until, incident, remote, form } => {
            let client = Client::new(&remote)?;
            let body =
                json!({ "text": text, "owner": owner, "due_on": until.on, "due_at": until.within.map(from_now), "incident": incident });
            shown(form, client.post(&["actions"], &body).await?)
        }
        Action::Done { id, note, remote, form } => on_action(&remote, form, &id, "done", json!({ "note": note })).await,
        Action::Drop { id, why, remote, form } => on_action(&remote, form, &id, "drop", json!({ "why": why })).await,
        Action::Assign { id, owner, remote, form } => on_action(&remote, form, &id, "assign", json!({ "owner": owner })).await,
        Action::Due { id, until, why, remote, form } => {
            let body = json!({ "due_on": until.on, "due_at": until.within.map(from_now), "why": why });
            on_action(&remote, form, &id, "due", body).await
        }
    }
}

fn from_now(within: Length) -> Timestamp {
    after(now(), within)
}

async fn on_action(remote: &Remote, form: Form, id: &str, verb: &str, body: Value) -> anyhow::Result<()> {
    let client = Client::new(remote)?;
    shown(form, client.post(&["actions", id, verb], &body).await?)
}

fn shown(form: Form, found: Value) -> anyhow::Result<()> {
    print(form, found, |a: ActionView| {
        let due = a.due_on.map_or_else(|| instant(a.due_at), |day| day.to_string());
        clean(&format!("{} {} by {due} ({}): {}", a.id, a.state.word(), a.owner, a.text)) + "\n"
    })
}

/// `trends`.
pub async fn trends(args: Trends) -> anyhow::Result<()> {
    let client = Client::new(&args.remote)?;
    let from = now().checked_sub(SignedDuration::from_hours(24 * i64::from(args.days)))?.to_string();
    let found: Value = client.get(&["trends"], &[("from", from.as_str())]).await?;
    print(args.form, found, |found: TrendView| {
        let row = |r: &allclear_domain::view::TrendRow| {
            vec![r.name.clone(), r.incidents.to_string(), took(r.acknowledge), took(r.mitigate), took(r.resolve)]
        };
        let rows: Vec<_> = found.by_severity.iter().chain(&found.by_service).map(row).collect();
        let head = format!(
            "{} incidents were declared from {} to {}; median / 90th percentile (of how many are known)\n",
            found.incidents,
            instant(found.from),
            instant(found.to)
        );
        let counted = head + &table(&["", "INCIDENTS", "ACKNOWLEDGED", "MITIGATED", "RESOLVED"], &rows);
        let target = |t: &TrendTarget| {
            vec![t.severity.word().to_owned(), t.target.clone(), t.clock.word().to_owned(), t.kept.to_string(), t.missed.to_string()]
        };
        let targets: Vec<_> = found.targets.iter().map(target).collect();
        let empty = targets.is_empty();
        if empty { counted } else { counted + "\n" + &table(&["SEVERITY", "TARGET", "CLOCK", "KEPT", "MISSED"], &targets) }
    })
}

/// `4:05 / 12:30 (17)`, in minutes and seconds.
fn took(summary: DurationSummary) -> String {
    let clock = |seconds: i64| format!("{}:{:02}", seconds / 60, seconds % 60);
    match (summary.median_s, summary.p90_s) {
        (Some(median), Some(p90)) => format!("{} / {} ({})", clock(median), clock(p90), summary.n),
        _ => "-".to_owned(),
    }
}
