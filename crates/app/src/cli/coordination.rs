//! Coordination and learning from a terminal: roles, tasks, updates, decisions, reviews, actions, trends.

use allclear_domain::incident::work::TaskState;
use allclear_domain::time::{Length, after};
use allclear_domain::view::{ActionView, DurationSummary, IncidentView, ReviewView, TaskView, TrendView};
use allclear_domain::{action, review};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::cli::args::{Form, One, Remote};
use crate::cli::client::{Client, Items};
use crate::cli::coordination_args::{
    Action, Decision, Instant, Link, Merge, Rename, Review, Role, RoleDeed, Sev, Task, Time, Trends, Update, Why,
};
use crate::cli::incidents::{act, line, now, print};
use crate::cli::terminal::{clean, distance, instant, table};

/// `update`.
pub async fn update(args: Update) -> anyhow::Result<()> {
    let text = if args.text == "-" { String::from_utf8(crate::cli::org::read("-".as_ref())?)? } else { args.text };
    let to = if args.audiences.is_empty() { "the log only".to_owned() } else { args.audiences.join(", ") };
    let mut body = json!({ "text": text, "audiences": args.audiences });
    if let Some(next) = args.next {
        body["next_within"] = json!(next);
    }
    act_and_say(args.one, "update", body, |_| format!("update sent to {to}")).await
}

/// `role`.
pub async fn role(args: Role) -> anyhow::Result<()> {
    let mut body = json!({ "role": args.role });
    if let Some(person) = args.person {
        body["person"] = person.into();
    }
    if let Some(deed) = args.deed {
        let word = match deed {
            RoleDeed::Take => "take",
            RoleDeed::Offer => "offer",
            RoleDeed::Leave => "leave",
        };
        body["do"] = word.into();
    }
    act_and_say(args.one, "role", body, roles).await
}

/// Who has which role.
fn roles(i: &IncidentView) -> String {
    let held: Vec<String> = i
        .roles
        .iter()
        .filter_map(|role| match (&role.person, &role.offered_to) {
            (Some(person), Some(asked)) => Some(format!("{} {person} ({asked} was asked)", role.role)),
            (Some(person), None) => Some(format!("{} {person}", role.role)),
            (None, Some(asked)) => Some(format!("{} nobody ({asked} was asked)", role.role)),
            (None, None) => None,
        })
        .collect();
    if held.is_empty() { "nobody has a role".to_owned() } else { held.join(", ") }
}

/// The task of a command: the one that it names, else the one that it added.
fn task_line(i: &IncidentView, number: Option<u32>) -> String {
    let found = number.map_or_else(|| i.tasks.last(), |number| i.tasks.iter().find(|task| task.task == number));
    found.map_or_else(String::new, |t| {
        let due = t.due_at.filter(|_| t.state == TaskState::Open).map_or_else(String::new, |at| format!(", due {}", distance(now(), at)));
        format!("task {} {}, {}{due}: {}", t.task, t.state.word(), t.owner.as_deref().unwrap_or("nobody has it"), t.text)
    })
}

/// A command, and a line on what came of it beside the incident's own.
async fn act_and_say(one: One, verb: &str, body: Value, said: impl Fn(&IncidentView) -> String) -> anyhow::Result<()> {
    let client = Client::new(&one.remote)?;
    let found: Value = client.post(&["incidents", &one.reference, verb], &body).await?;
    print(one.form, found, |i: IncidentView| {
        let more = clean(&said(&i));
        line(i) + &format!("  {more}\n")
    })
}

/// `task`.
pub async fn task(command: Task) -> anyhow::Result<()> {
    match command {
        Task::Add { one, text, owner, within } => {
            let mut body = json!({ "text": text });
            if let Some(owner) = owner {
                body["owner"] = owner.into();
            }
            if let Some(within) = within {
                body["within"] = json!(within);
            }
            act_and_say(one, "task", body, |i| task_line(i, None)).await
        }
        Task::Assign { one, task, owner } => {
            act_and_say(one, "task", json!({ "task": task, "owner": owner }), |i| task_line(i, Some(task))).await
        }
        Task::Done { one, task, note } => {
            act_and_say(one, "task", json!({ "task": task, "state": "done", "note": note }), |i| task_line(i, Some(task))).await
        }
        Task::Drop { one, task, note } => {
            act_and_say(one, "task", json!({ "task": task, "state": "dropped", "note": note }), |i| task_line(i, Some(task))).await
        }
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

/// `severity`.
pub async fn severity(args: Sev) -> anyhow::Result<()> {
    act(args.one, "severity", json!({ "severity": args.severity, "why": args.why })).await
}

/// `reopen` and `cancel`.
pub async fn because(args: Why, verb: &str) -> anyhow::Result<()> {
    act(args.one, verb, json!({ "why": args.why })).await
}

/// `mitigate`.
pub async fn mitigate(args: crate::cli::args::Resolve) -> anyhow::Result<()> {
    act(args.one, "mitigate", args.note.map_or_else(|| json!({}), |note| json!({ "note": note }))).await
}

/// `close`.
pub async fn close(one: One) -> anyhow::Result<()> {
    act(one, "close", json!({})).await
}

/// `merge`.
pub async fn merge(args: Merge) -> anyhow::Result<()> {
    act(args.one, "merge", json!({ "into": args.into })).await
}

/// `decide`.
pub async fn decide(args: Decision) -> anyhow::Result<()> {
    act(args.one, "decision", json!({ "text": args.text, "reversible": args.reversible })).await
}

/// `rename`.
pub async fn rename(args: Rename) -> anyhow::Result<()> {
    act(args.one, "rename", json!({ "title": args.title })).await
}

/// `time`.
pub async fn time(args: Time) -> anyhow::Result<()> {
    let instant = match args.instant {
        Instant::ImpactStarted => "impact_started",
        Instant::Detected => "detected",
        Instant::Mitigated => "mitigated",
    };
    act(args.one, "time", json!({ "instant": instant, "at": args.at, "why": args.why })).await
}

/// `link`.
pub async fn link(args: Link) -> anyhow::Result<()> {
    act(args.one, "link", json!({ "alert": args.alert })).await
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
        Review::Ask(one) => act(one, "review", json!({})).await,
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
                    vec![a.id.clone(), state, a.owner.clone(), distance(now(), a.due_at), reference, a.text.clone()]
                };
                table(&["ID", "STATE", "OWNER", "DUE", "REF", "TEXT"], &found.items.iter().map(row).collect::<Vec<_>>())
            })
        }
        Action::Add { text, owner, within, incident, remote, form } => {
            let client = Client::new(&remote)?;
            let body = json!({ "text": text, "owner": owner, "due_at": from_now(within), "incident": incident });
            shown(form, client.post(&["actions"], &body).await?)
        }
        Action::Done { id, note, remote, form } => on_action(&remote, form, &id, "done", json!({ "note": note })).await,
        Action::Drop { id, why, remote, form } => on_action(&remote, form, &id, "drop", json!({ "why": why })).await,
        Action::Assign { id, owner, remote, form } => on_action(&remote, form, &id, "assign", json!({ "owner": owner })).await,
        Action::Due { id, within, why, remote, form } => {
            on_action(&remote, form, &id, "due", json!({ "due_at": from_now(within), "why": why })).await
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
        clean(&format!("{} {} by {} ({}): {}", a.id, a.state.word(), instant(a.due_at), a.owner, a.text)) + "\n"
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
        head + &table(&["", "INCIDENTS", "ACKNOWLEDGED", "MITIGATED", "RESOLVED"], &rows)
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
