//! The briefing of an incident in a terminal: its parts in the order in which a role is handed over.

use allclear_domain::view::{BriefingLine, BriefingView, HypothesisView, RoleView};
use jiff::Timestamp;
use serde_json::Value;

use crate::cli::args::OneAt;
use crate::cli::client::Client;
use crate::cli::incidents::{now, print};
use crate::cli::terminal::{clean, distance, instant};

/// `briefing`.
pub async fn briefing(args: OneAt) -> anyhow::Result<()> {
    let client = Client::new(&args.one.remote)?;
    let at = args.asked();
    let query: Vec<(&str, &str)> = at.iter().map(|(name, at)| (*name, at.as_str())).collect();
    let found: Value = client.get(&["incidents", &args.one.reference, "briefing"], &query).await?;
    let now = args.at.unwrap_or_else(now);
    print(args.one.form, found, |told: BriefingView| words(&told, now))
}

fn words(told: &BriefingView, now: Timestamp) -> String {
    let head = format!("{} {}\n  {} {}, as of {}\n", told.reference, told.title, told.severity, told.state.word(), instant(told.at));
    let under = told.under.iter().map(|under| format!("  {}\n", under.words(&ToOwned::to_owned)));
    let head = head + &under.collect::<String>();
    let own_parts = told.parts.iter().map(|one| {
        let rank = one.rank.map_or_else(String::new, |rank| format!("{rank}. "));
        let due = one.next_due.map_or_else(String::new, |at| format!(", due {}", distance(now, at)));
        format!("{rank}{} {}: {}, {}{due}", one.reference, one.title, one.state.word(), one.holder.as_deref().unwrap_or("nobody has it"))
    });
    let wanted = super::several::contention(told.contention.as_ref());
    let line = |one: &BriefingLine| format!("{}  {}", instant(one.at), one.line);
    let left_out = (told.left_out > 0).then(|| format!("{} key events are left out; the log has them", told.left_out));
    let role = |role: &RoleView| match (&role.person, &role.offered_to) {
        (Some(person), _) => format!("{}: {person}", role.role),
        (None, Some(asked)) => format!("{}: nobody, {asked} was asked", role.role),
        (None, None) => format!("{}: nobody", role.role),
    };
    let affected = told.affected.iter().map(|one| format!("{}: {}", one.service, one.impact));
    let tasks = told.tasks.iter().map(|task| {
        let due = task.due_at.map_or_else(String::new, |at| format!(", due {}", distance(now, at)));
        format!("{}: {}{due}", task.owner.as_deref().or(task.doer.as_deref()).unwrap_or("nobody"), task.text)
    });
    let promises = told.promises.iter().map(|one| {
        let or_else = one.or_else.as_ref().map_or_else(String::new, |or_else| format!(" (else {or_else})"));
        format!("{}: {}{or_else}", distance(now, one.due_at), one.what)
    });
    let update = told.last_update.iter().map(|update| format!("{}  {}", instant(update.at), update.text));
    let tries = |one: &HypothesisView| -> String {
        let result = |result: Option<&str>| result.map_or_else(String::new, |result| format!(": {result}"));
        one.tries.iter().map(|tried| format!("; tried {}{}", tried.tried, result(tried.result.as_deref()))).collect()
    };
    let causes = told.hypotheses.iter().map(|one| format!("{} ({}){}", one.text, one.state, tries(one)));
    let requests = told.requests.iter().map(|one| {
        let due = one.due_at.map_or_else(String::new, |at| format!(", due {}", distance(now, at)));
        format!("{}: {}{due}", one.organisation, one.text)
    });
    let resources = told.resources.iter().map(|one| {
        let of = one.organisation.as_ref().map_or_else(String::new, |of| format!(", {of}"));
        let at = one.expected_at.or(one.due_at).filter(|_| one.state.is_awaited());
        format!("{}: {}{of}{}", one.called(), one.state.words(), at.map_or_else(String::new, |at| format!(", {}", distance(now, at))))
    });
    let parts: [(&str, Vec<String>); 14] = [
        ("What happened", told.history.iter().map(line).chain(left_out).collect()),
        ("Decided", told.decisions.iter().map(line).collect()),
        ("Its parts", own_parts.collect()),
        ("Wanted elsewhere as well", wanted),
        ("Affected", affected.collect()),
        ("Who does what", told.roles.iter().map(role).collect()),
        ("To do", tasks.collect()),
        ("May be the cause", causes.collect()),
        ("Asked of others", requests.collect()),
        ("Resources", resources.collect()),
        ("Before it is over", told.recovery.iter().map(|item| item.text.clone()).collect()),
        ("Told outside last", update.collect()),
        ("Promised and awaited", promises.collect()),
        ("To watch", told.risks.clone()),
    ];
    let part = |(heading, lines): (&str, Vec<String>)| {
        if lines.is_empty() {
            return String::new();
        }
        let lines: String = lines.iter().map(|line| format!("  {}\n", clean(line))).collect();
        format!("{heading}\n{lines}")
    };
    clean_lines(&head) + &parts.into_iter().map(part).collect::<String>()
}

/// Each line by itself, so that a title cannot break out of its own.
fn clean_lines(text: &str) -> String {
    text.lines().map(|line| clean(line) + "\n").collect()
}
