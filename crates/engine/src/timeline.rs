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
        "still_on_it_asked" => {
            let people: Vec<String> =
                body.get("people").and_then(Value::as_array).into_iter().flatten().filter_map(|id| id.as_str().map(name)).collect();
            format!(
                "Nobody was heard of; {} is asked whether they are still on it, and it pages again in {}",
                people.join(" and "),
                text("within")
            )
        }
        "still_on_it" => format!("{} is still on it ({})", by("by"), text("via")),
        "acknowledgement_aged" => format!("Nobody is known to have it: {}", text("why")),
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
        "role_offered" => format!("{who} asked {} to be {}", by("to"), text("role")),
        "role_taken" => match text("from").as_str() {
            "" => format!("{} is {} now", by("person"), text("role")),
            from => format!("{} took over as {} from {}", by("person"), text("role"), name(from)),
        },
        "role_left" => format!("{} is no longer {}", by("person"), text("role")),
        "role_unanswered" => format!("{} did not answer the offer to be {}", by("to"), text("role")),
        "role_unfilled" => format!("Nobody is {}", text("role")),
        "task_added" => {
            let owner = if text("owner").is_empty() { String::new() } else { format!(" for {}", name(&text("owner"))) };
            format!("{who} added task {}{owner}: {}", number("task"), text("text"))
        }
        "task_assigned" => format!("Task {} is {}'s", number("task"), by("owner")),
        "task_done" => with_text(format!("{who} finished task {}", number("task")), &text("note")),
        "task_dropped" => with_text(format!("{who} dropped task {}", number("task")), &text("note")),
        "task_late" => format!("Task {} is late", number("task")),
        "update_posted" => {
            let to: Vec<String> = body
                .get("audiences")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .map(|id| org.audience(id).and_then(|a| a.name.clone()).unwrap_or_else(|| id.to_owned()))
                .collect();
            let to = if to.is_empty() { "the log only".to_owned() } else { to.join(", ") };
            format!("{who} sent update {} to {to}: {}", number("number"), text("text"))
        }
        "update_reminded" => "An update to the stakeholders is due soon".into(),
        "update_missed" => "No update to the stakeholders came in time".into(),
        "decision_made" => {
            let undo = match body.get("reversible").and_then(Value::as_bool) {
                Some(true) => " (reversible)",
                Some(false) => " (not reversible)",
                None => "",
            };
            format!("{who} decided{undo}: {}", text("text"))
        }
        "time_corrected" => {
            let at = if text("at").is_empty() { "not known".to_owned() } else { clock(&text("at")) };
            format!("{who} corrected {} to {at}: {}", text("instant").replace('_', " "), text("why"))
        }
        "alert_linked" => format!("{who} linked an alert: {}", text("title")),
        "renamed" => format!("{who} renamed it: {}", text("to")),
        "alerts_silenced" => alerts_silenced(body),
        "alerts_unsilenced" => {
            let what = match number("alerts") {
                0 => "An alert is open that no silence holds".to_owned(),
                1 => "An alert is held by a silence no more".to_owned(),
                n => format!("{n} alerts are held by a silence no more"),
            };
            if flag("held") { format!("{what}; silences hold all that is open even so") } else { what }
        }
        "alert_returned" => {
            let times = if number("returns") > 1 { format!(" for the {} time in a row", nth(number("returns"))) } else { String::new() };
            let opened = if flag("reopened") { "; the incident is open again" } else { "" };
            format!("{} came back{times}{opened}", text("title"))
        }
        "flapping" => format!(
            "{} flaps: it came back {} times in a row, and counts as firing until it has been quiet for {}",
            text("title"),
            number("returns"),
            text("quiet_for")
        ),
        "steadied" => match number("open") {
            0 => "It flaps no more: it has been quiet for long enough".into(),
            n => format!("It flaps no more: it fires steadily, {n} open"),
        },
        "page_resumed" => format!(
            "Page goes on at round {}, step {}, with {} left to acknowledge: {}",
            number("round"),
            number("step"),
            text("left"),
            text("because")
        ),
        "review_asked" => format!("A review is due by {}", clock(&text("due_at"))),
        "told" => told(body, &name),
        "review_opened" => "A review was opened".into(),
        "review_assigned" => format!("The review is {}'s to write", by("owner")),
        "review_edited" => format!("{who} edited the review"),
        "review_published" => format!("{who} published the review"),
        "review_reminded" => "The review is due soon".into(),
        "review_missed" => "The review was not published in time".into(),
        "action_added" => format!("{who} added an action for {}: {}", by("owner"), text("text")),
        "action_assigned" => format!("An action is {}'s now", by("owner")),
        "action_due_changed" => format!("{who} moved the date of an action: {}", text("why")),
        "action_done" => with_text(format!("{who} finished an action"), &text("note")),
        "action_dropped" => with_text(format!("{who} dropped an action"), &text("note")),
        "action_reminded" => "An action is due soon".into(),
        "action_missed" => "An action was not done in time".into(),
        "page_started" => {
            let first: Vec<&str> = body.get("targets").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
            match (first.is_empty(), text("escalation").as_str()) {
                (true, "") => "Paging by the catch-all, since no escalation policy is set".into(),
                (true, policy) => format!("Paging by {policy}"),
                (false, "") => format!("Paging {}", first.join(", ")),
                (false, policy) => format!("Paging {}, then by {policy}", first.join(", ")),
            }
        }
        "step_reached" => step_reached(body, &name),
        "step_empty" => format!("Round {}, step {}: nobody was notified because {}", number("round"), number("step"), text("why")),
        "notice_raised" => {
            format!("{} is told by {} ({}): {}", name(&text("person")), text("contact"), text("channel"), text("because"))
        }
        "send_accepted" => format!(
            "{} is being told by {} ({}): {}; whether it arrived is heard within {}",
            name(&text("person")),
            text("contact"),
            text("channel"),
            text("receipt"),
            text("within")
        ),
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
        "page_exhausted" => match text("again_in").as_str() {
            "" => format!("Nobody answered: {}", text("why")),
            again => format!("Nobody answered: {}; it comes back in {again}", text("why")),
        },
        "page_came_back" => format!("The page came back: {} (round {})", text("why"), number("round")),
        "page_stopped" => format!("Page stopped: {}", text("why")),
        "confirmation_asked" => format!("{} is asked by {} whether it is over", name(&text("person")), text("contact")),
        "form_changed" => format!("{who} changed the organisation (version {})", number("version")),
        other => other.replace('_', " "),
    }
}

/// What silences hold, and whether anybody is paged.
fn alerts_silenced(body: &Value) -> String {
    let list = body.get("silences").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let silences: Vec<String> = list.map(ToOwned::to_owned).collect();
    let by = match silences.as_slice() {
        [] => "a silence".to_owned(),
        [one] => format!("silence {one}"),
        many => format!("silences {}", many.join(", ")),
    };
    let until = body.get("held_until").and_then(Value::as_str);
    let held = match until {
        Some(until) => format!("nobody is paged until {}, while silences hold all that is open", clock(until)),
        None => "other alerts fire freely".to_owned(),
    };
    match body.get("alerts").and_then(Value::as_u64).unwrap_or(0) {
        0 => format!("Every open alert is held by {by}; {held}"),
        1 => format!("An alert is held by {by}; {held}"),
        n => format!("{n} alerts are held by {by}; {held}"),
    }
}

/// `2nd`, `11th`.
fn nth(n: u64) -> String {
    let ending = match (n % 10, n % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{n}{ending}")
}

/// Who was told, in one line; the text stands in the event that led to it.
fn told(body: &Value, name: &dyn Fn(&str) -> String) -> String {
    let people = |key: &str| -> Vec<String> {
        let list = body.get(key).and_then(Value::as_array).into_iter().flatten();
        list.filter_map(|one| one.get("person").and_then(Value::as_str)).map(name).collect()
    };
    let (told, passed) = (people("people"), people("passed_over"));
    let because = body.get("because").and_then(Value::as_str).unwrap_or("");
    let left_out = if passed.is_empty() { String::new() } else { format!("; could not be told: {}", passed.join(", ")) };
    if told.is_empty() {
        format!("Nobody was told ({because}){left_out}")
    } else {
        format!("Told {} ({because}){left_out}", told.join(", "))
    }
}

/// An instant of a body as people read it; a line is the same for readers in all zones.
fn clock(text: &str) -> String {
    text.parse::<jiff::Timestamp>().map_or_else(|_| text.to_owned(), |at| at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string())
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
