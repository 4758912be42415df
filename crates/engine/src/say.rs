//! One line for people per event: a reading of the log, never parsed back.

use allclear_domain::org::snapshot::Org;
use serde_json::Value;

/// The line. Names come from the organisation as it is now; the log holds ids only.
#[must_use]
pub fn line(org: &Org, kind: &str, actor: &str, body: Option<&Value>) -> String {
    let Some(body) = body else { return "redacted".into() };
    let text = |key: &str| body.get(key).and_then(Value::as_str).unwrap_or("").to_owned();
    let number = |key: &str| body.get(key).and_then(Value::as_u64).unwrap_or(0);
    let flag = |key: &str| body.get(key).and_then(Value::as_bool).unwrap_or(false);
    let name = |id: &str| org.person(id).map_or_else(|| id.to_owned(), |p| p.name.clone());
    let who = match actor.split_once(':') {
        Some(("person", id)) => name(id),
        Some((_, id)) => id.to_owned(),
        None => actor.to_owned(),
    };
    let by = |key: &str| {
        let id = text(key);
        if id.is_empty() { who.clone() } else { name(&id) }
    };
    match kind {
        "proposed" => format!("Candidate {} ({}): {}; {}", text("ref"), text("severity"), text("title"), text("because")),
        "declared" => format!("Declared {} ({}): {}; {}", text("ref"), text("severity"), text("title"), text("because")),
        "promoted" => format!("Declared: {}", text("why")),
        "acknowledged" => format!("{} acknowledged by {}{}", by("by"), text("via"), if flag("first") { "" } else { ", as well" }),
        "escalated" => format!("Page started: {}", text("why")),
        "severity_changed" => format!("Severity {} → {}: {}", text("from"), text("to"), text("why")),
        "alerts_told" => format!("{} more alerts joined, {} recovered, {} open", number("joined"), number("recovered"), number("open")),
        "recovered" => match text("ask").as_str() {
            "" => "All alerts have recovered".into(),
            person => format!("All alerts have recovered; {} is asked to confirm", name(person)),
        },
        "confirmation_missed" => "Nobody confirmed the recovery in time".into(),
        "mitigated" => with_text(format!("{who}: mitigated"), &text("text")),
        "resolved" if flag("by_itself") => "Recovered by itself; resolved".into(),
        "resolved" => with_text(format!("{who} resolved it"), &text("note")),
        "reopened" => format!("{who} reopened it: {}", text("why")),
        "cancelled" => format!("Cancelled: {}", text("why")),
        "closed" => format!("{who} closed it"),
        "merged" => format!("Merged into {}", text("ref")),
        "absorbed" => format!("{} was merged into this", text("ref")),
        "noted" => format!("{who}: {}", text("text")),
        "restricted" => format!("{who} made it private: {}", text("why")),
        "opened_up" => format!("{who} opened it to everybody: {}", text("why")),
        "admitted" => {
            let people: Vec<String> =
                body.get("people").and_then(Value::as_array).into_iter().flatten().filter_map(|id| id.as_str().map(name)).collect();
            format!("{} may see it: {}", people.join(", "), text("why"))
        }
        "page_started" => format!("Paging by {}", or(text("escalation"), "the catch-all, since no escalation policy is set")),
        "step_reached" => step_reached(body, &name),
        "step_empty" => format!("Round {}, step {}: nobody was notified because {}", number("round"), number("step"), text("why")),
        "notice_raised" => {
            format!("{} is told by {} ({}): {}", name(&text("person")), text("contact"), text("channel"), text("because"))
        }
        "delivered" => {
            let late = if flag("after_end") { "; it was in flight when the page ended" } else { "" };
            format!(
                "{} was told by {} ({}), {} after {} ms, try {}{late}",
                name(&text("person")),
                text("contact"),
                text("channel"),
                text("receipt"),
                number("latency_ms"),
                number("attempts")
            )
        }
        "send_delayed" => {
            format!(
                "{} could not be reached by {} yet (try {}): {}",
                name(&text("person")),
                text("contact"),
                number("attempts"),
                text("why")
            )
        }
        "send_failed" => format!("{} cannot be reached by {}: {}", name(&text("person")), text("contact"), text("why")),
        "send_in_doubt" => format!("{} may have been told by {}: {}", name(&text("person")), text("contact"), text("why")),
        "page_acknowledged" => format!("Page acknowledged by {} ({})", by("by"), text("via")),
        "declined" => format!("{} passed it on", by("by")),
        "page_exhausted" => format!("Nobody answered: {}", text("why")),
        "page_stopped" => format!("Page stopped: {}", text("why")),
        "confirmation_asked" => format!("{} is asked by {} whether it is over", name(&text("person")), text("contact")),
        "form_changed" => format!("{who} changed the organisation (version {})", number("version")),
        other => other.replace('_', " "),
    }
}

fn or(text: String, other: &str) -> String {
    if text.is_empty() { other.to_owned() } else { text }
}

fn with_text(line: String, text: &str) -> String {
    if text.is_empty() { line } else { format!("{line}: {text}") }
}

fn step_reached(body: &Value, name: &dyn Fn(&str) -> String) -> String {
    let number = |key: &str| body.get(key).and_then(Value::as_u64).unwrap_or(0);
    let flag = |key: &str| body.get(key).and_then(Value::as_bool).unwrap_or(false);
    let list = |key: &str| body.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    let word = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).unwrap_or("").to_owned();
    let people: Vec<String> = list("people")
        .iter()
        .map(|person| {
            let ways: Vec<String> = person
                .get("entries")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .map(|entry| match word(entry, "after").as_str() {
                    "" => word(entry, "contact"),
                    after => format!("{} after {after}", word(entry, "contact")),
                })
                .collect();
            format!("{} ({}) by {}", name(&word(person, "person")), word(person, "via"), ways.join(", "))
        })
        .collect();
    let passed: Vec<String> =
        list("passed_over").iter().map(|p| format!("; {} was passed over: {}", name(&word(p, "person")), word(p, "why"))).collect();
    let step = if flag("catch_all") {
        format!("Catch-all, because {}", word(body, "because"))
    } else {
        format!("Round {}, step {}", number("round"), number("step"))
    };
    let late = if flag("late") { ", late" } else { "" };
    format!("{step}{late}: {}{}; {} to acknowledge", people.join(", "), passed.concat(), word(body, "within"))
}
