//! "Next, and when" in sentences: who is awaited for what, by when, and what follows otherwise. What awaits the same page is
//! one of them, since to whoever reads it that page is one thing.

use jiff::Timestamp;

use crate::expect::{Key, Rule, Standing};
use crate::incident::State;
use crate::incident::clock::Clock;
use crate::incident::roles::{COMMANDER, not_taken};
use crate::incident::work::TaskState;
use crate::org::forms::service::ObjectiveKind;
use crate::org::snapshot::{ORGANISATION, SERVICE};
use crate::paging::Status;
use crate::view::obligation::{ObligationView, ReportView};
use crate::view::{ExpectationView, IncidentView, PageView};

/// Turns of one page that are told; the rest are counted.
const TURNS_TOLD_MAX: usize = 3;

/// A sentence: its parts follow one another in time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Next {
    /// Stays the same as long as it is the same thing that is awaited.
    pub key: String,
    /// The rule of the first of its parts, by its stored name.
    pub rule: String,
    /// Who and what, and when.
    pub parts: Vec<(String, Timestamp)>,
    /// What follows if it does not happen; nothing where the sentence says it.
    pub or_else: Option<String>,
}

/// What is awaited of an incident and its pages, the soonest first; `name` says whom an id stands for.
#[must_use]
pub fn next(incident: &IncidentView, pages: &[PageView], awaited: &[ExpectationView], name: &dyn Fn(&str) -> String) -> Vec<Next> {
    let mut out: Vec<Next> = Vec::new();
    let clocks = awaited.iter().filter(|one| one.state == Standing::Live && one.rule == Rule::Target.name());
    let first_clock = clocks.min_by_key(|one| one.due_at).map(|one| one.key.as_str());
    let step_of = |one: &ExpectationView| -> bool {
        let number = if let Ok(Key::Task(number)) = one.key.parse() { number } else { 0 };
        incident.tasks.iter().any(|task| task.task == number && task.plan.is_some())
    };
    let steps = awaited.iter().filter(|one| one.state == Standing::Live && one.rule == Rule::TaskDue.name() && step_of(one));
    let first_step = steps.min_by_key(|one| one.due_at).map(|one| one.key.as_str());
    for one in awaited.iter().filter(|one| one.state == Standing::Live) {
        let Some(rule) = Rule::from_name(&one.rule) else { continue };
        match rule {
            Rule::PageAck | Rule::PageNotify => {
                let key = format!("page {}", one.owner);
                if out.iter().any(|known| known.key == key) {
                    continue;
                }
                let turns = pages.iter().find(|page| page.id == one.owner).map(|page| turns(page, awaited, name));
                let parts = turns.filter(|turns| !turns.is_empty()).unwrap_or_else(|| vec![(one.expects.clone(), one.due_at)]);
                out.push(Next { key, rule: one.rule.clone(), parts, or_else: None });
            }
            Rule::AlertsDigest | Rule::AlertLapse | Rule::Heartbeat | Rule::SilenceEnd => {}
            Rule::PageAgain => {
                let role = pages.iter().find(|page| page.id == one.owner).and_then(|page| not_taken(&page.because));
                let words = role.map_or_else(|| "Somebody has it".to_owned(), |role| format!("{}: paged again", capital(role)));
                let or_else = Some(one.or_else.clone()).filter(|_| role.is_none());
                let key = format!("{} {}", one.owner, one.key);
                out.push(Next { key, rule: one.rule.clone(), parts: vec![(words, one.due_at)], or_else });
            }
            Rule::RoleUnfilled if wanted_with(one, awaited).first().is_some_and(|first| first.key != one.key) => {}
            // The others stand with it among the clocks.
            Rule::Target if first_clock != Some(one.key.as_str()) => {}
            // The others stand with it in their plan.
            Rule::TaskDue if step_of(one) && first_step != Some(one.key.as_str()) => {}
            Rule::MessageReceipt
            | Rule::GroupWait
            | Rule::Candidate
            | Rule::ConfirmRecovery
            | Rule::SilencesJudged
            | Rule::Readiness
            | Rule::CoverAnswer
            | Rule::ShiftNotice
            | Rule::ExternalCalendars
            | Rule::Canary
            | Rule::Silenced
            | Rule::Flapping
            | Rule::RoleAnswer
            | Rule::RoleUnfilled
            | Rule::ReliefDue
            | Rule::Attended
            | Rule::StillOnIt
            | Rule::TaskDue
            | Rule::DecisionReview
            | Rule::Reassess
            | Rule::UpdateDue
            | Rule::Target
            | Rule::RequestDue
            | Rule::ObligationDue
            | Rule::Objective
            | Rule::TransferAnswer
            | Rule::ResourceDue
            | Rule::IncidentOver
            | Rule::ReviewDue
            | Rule::ActionDue => {
                let (words, or_else) = sentence(rule, incident, one, awaited, name);
                let key = format!("{} {}", one.owner, one.key);
                out.push(Next { key, rule: one.rule.clone(), parts: vec![(words, one.due_at)], or_else });
            }
        }
    }
    out.sort_by_key(|next| next.parts.first().map(|(_, at)| *at));
    out
}

/// What is late and still to be done, the longest first: who and what, and when it was due. What is missed is awaited no more
/// ([`next`] has what comes), and is the first that whoever opens the incident has to know.
#[must_use]
pub fn late(incident: &IncidentView, name: &dyn Fn(&str) -> String) -> Vec<(String, Timestamp)> {
    let mut out: Vec<(String, Timestamp)> = Vec::new();
    // What a regulator is owed is owed also when it is over.
    let elsewhere = matches!(incident.state, State::Merged | State::Cancelled);
    for known in incident.obligations.iter().filter(|_| !elsewhere) {
        let Some(report) = known.owed().filter(|report| report.late) else { continue };
        out.extend(report.due_at.map(|at| (owed_words(known, report, name), at)));
    }
    if !incident.state.is_open() {
        return out;
    }
    for task in incident.tasks.iter().filter(|task| task.late && task.state == TaskState::Open) {
        let who = task.owner.as_deref().or(task.doer.as_deref()).map(name);
        out.extend(task.due_at.map(|at| (who.map_or_else(|| task.text.clone(), |who| format!("{who}: {}", task.text)), at)));
    }
    for request in incident.requests.iter().filter(|request| request.late && request.state.is_open()) {
        let who = name(&format!("{ORGANISATION}{}", request.organisation));
        out.extend(request.due_at.map(|at| (format!("{who} answers: {}", request.text), at)));
    }
    for one in incident.objectives.iter().filter(|one| one.missed_at.is_some() && one.ended_at.is_none()) {
        out.push((one.called(&name(&format!("{SERVICE}{}", one.service))), one.due_at));
    }
    for resource in incident.resources.iter().filter(|resource| resource.late && resource.state.is_awaited()) {
        out.extend(resource.due_at.map(|at| (format!("{} arrives", resource.called()), at)));
    }
    for clock in incident.clocks.iter().filter(|clock| clock.state == Standing::Missed && clock.met_at.is_none()) {
        out.extend(clock.due_at.map(|at| (format!("To {}, by the target", clock.clock.word()), at)));
    }
    out.sort_by_key(|(_, at)| *at);
    out
}

/// `GDPR art. 33, notification, to Data protection authority`.
fn owed_words(known: &ObligationView, report: &ReportView, name: &dyn Fn(&str) -> String) -> String {
    let to = known.organisation.as_ref().map_or_else(|| known.recipient.clone(), |id| name(&format!("{ORGANISATION}{id}")));
    format!("{}, {}, to {to}", known.name, report.name)
}

/// Whom a page calls, and when: the later ways of its step, then whoever the step after it reaches.
fn turns(page: &PageView, awaited: &[ExpectationView], name: &dyn Fn(&str) -> String) -> Vec<(String, Timestamp)> {
    let mut turns: Vec<(String, Timestamp)> = Vec::new();
    let mut over = None;
    for one in awaited.iter().filter(|one| one.owner == page.id && one.state == Standing::Live) {
        match one.key.parse() {
            Ok(Key::Notify { person, entry, .. }) => {
                let way = page.planned.iter().find(|planned| planned.person == person && planned.entry == entry);
                let by = way.map_or_else(|| "by their next way".to_owned(), |way| format!("by {}", way.contact));
                turns.push((format!("{}, {by}", name(&person)), one.due_at));
            }
            Ok(Key::Ack { .. }) => over = Some(one.due_at),
            _ => {}
        }
    }
    turns.sort_by_key(|(_, at)| *at);
    // What would come after the next step has no turn: that step ends this one.
    turns.retain(|(_, at)| over.is_none_or(|over| *at < over));
    let more = turns.len().saturating_sub(TURNS_TOLD_MAX);
    turns.truncate(TURNS_TOLD_MAX);
    if let Some(at) = over.filter(|_| page.status == Status::Running) {
        let called: Vec<String> = page.calls_next.iter().map(|id| name(id)).collect();
        let further = if more == 0 { String::new() } else { format!("{more} more, then ") };
        let words = match (called.len(), turns.is_empty()) {
            (0, _) => if turns.is_empty() { "Nobody is left to call" } else { "nobody is left to call" }.to_owned(),
            (_, false) => format!("{further}{}", several(&called)),
            (1, true) => format!("{} is called", several(&called)),
            (_, true) => format!("{} are called", several(&called)),
        };
        turns.push((words, at));
    }
    turns
}

/// `Ana, Ben and 3 more`.
fn several(names: &[String]) -> String {
    const NAMED_MAX: usize = 3;
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] if names.len() <= NAMED_MAX => format!("{} and {last}", first.join(", ")),
        _ => format!("{} and {} more", names[..NAMED_MAX - 1].join(", "), names.len() - (NAMED_MAX - 1)),
    }
}

/// What is awaited of whom, and what follows.
fn sentence(
    rule: Rule,
    incident: &IncidentView,
    one: &ExpectationView,
    awaited: &[ExpectationView],
    name: &dyn Fn(&str) -> String,
) -> (String, Option<String>) {
    let holder = incident.commander.as_deref().or(incident.acknowledged_by.as_deref());
    let asked = |who: Option<&str>, what: &str| who.map_or_else(|| capital(what), |id| format!("{}: {what}", name(id)));
    let or_else = Some(one.or_else.clone());
    match rule {
        Rule::RoleAnswer => {
            let role = role_of(&one.key).unwrap_or_default();
            let offered = incident.roles.iter().find(|held| held.role == role).and_then(|held| held.offered_to.as_deref());
            (asked(offered, &format!("take {}?", what_of(&role))), or_else)
        }
        Rule::TaskDue => {
            let number = if let Ok(Key::Task(number)) = one.key.parse() { number } else { 0 };
            match incident.tasks.iter().find(|task| task.task == number) {
                Some(task) => {
                    let who = task.owner.as_deref().or(task.doer.as_deref());
                    (who.map_or_else(|| task.text.clone(), |id| format!("{}: {}", name(id), task.text)), or_else)
                }
                None => (capital(&one.expects), or_else),
            }
        }
        Rule::DecisionReview => {
            let number = if let Ok(Key::Decision(number)) = one.key.parse() { number } else { 0 };
            let found = incident.decisions.iter().find(|decision| decision.decision == number);
            let who = found.and_then(|decision| decision.by.as_deref()).or(incident.commander.as_deref());
            (asked(who, &format!("does decision {number} stand?")), or_else)
        }
        Rule::RequestDue => {
            let number = if let Ok(Key::Request(number)) = one.key.parse() { number } else { 0 };
            match incident.requests.iter().find(|request| request.request == number) {
                Some(request) => {
                    (format!("{} answers: {}", name(&format!("{ORGANISATION}{}", request.organisation)), request.text), or_else)
                }
                None => (capital(&one.expects), or_else),
            }
        }
        Rule::ObligationDue => {
            let number = if let Ok(Key::Obligation { obligation, .. }) = one.key.parse() { obligation } else { 0 };
            let found = incident.obligations.iter().find(|known| known.obligation == number);
            match found.and_then(|known| Some((known, known.owed()?))) {
                Some((known, report)) => (owed_words(known, report, name), or_else),
                None => (capital(&one.expects), or_else),
            }
        }
        Rule::Objective => {
            let of = if let Ok(Key::Objective { kind, service }) = one.key.parse() { Some((kind, service)) } else { None };
            let called = of.and_then(|(kind, service)| {
                Some(format!("{} of {}", ObjectiveKind::from_word(&kind)?.words(), name(&format!("{SERVICE}{service}"))))
            });
            (called.unwrap_or_else(|| capital(&one.expects)), or_else)
        }
        Rule::ResourceDue => {
            let number = if let Ok(Key::Resource(number)) = one.key.parse() { number } else { 0 };
            match incident.resources.iter().find(|resource| resource.resource == number) {
                Some(resource) => (format!("{} arrives", resource.called()), or_else),
                None => (capital(&one.expects), or_else),
            }
        }
        Rule::Attended => match (&incident.snoozed_by, incident.snoozed_until) {
            (Some(by), Some(_)) => (format!("{} is reminded", name(by)), None),
            _ => (asked(holder, "at work on it?"), or_else),
        },
        Rule::StillOnIt => (asked(holder, "still on it?"), or_else),
        Rule::Reassess => (asked(holder, "is it as bad as it is said to be?"), or_else),
        Rule::Target => {
            let clock = one.key.parse().ok().and_then(|key| if let Key::Target(word) = key { Clock::from_word(&word) } else { None });
            (clock.map_or_else(|| capital(&one.expects), |clock| capital(clock.awaited())), or_else)
        }
        Rule::ConfirmRecovery => (asked(holder, "is it over?"), or_else),
        Rule::ReliefDue => {
            let role = role_of(&one.key).unwrap_or_default();
            let holder = incident.roles.iter().find(|held| held.role == role).and_then(|held| held.person.as_deref());
            (asked(holder, &format!("relief as {role}")), or_else)
        }
        Rule::RoleUnfilled => {
            let roles: Vec<String> = wanted_with(one, awaited).iter().filter_map(|one| role_of(&one.key)).collect();
            match roles.as_slice() {
                [_, _, ..] => (format!("Wanted: {}", roles.iter().map(|role| what_of(role)).collect::<Vec<_>>().join(", ")), or_else),
                few => (format!("Somebody takes {}", what_of(few.first().map_or(COMMANDER, String::as_str))), or_else),
            }
        }
        Rule::Candidate => ("Is this an incident?".into(), or_else),
        Rule::GroupWait => ("The page starts".into(), None),
        Rule::PageAgain
        | Rule::PageAck
        | Rule::PageNotify
        | Rule::MessageReceipt
        | Rule::AlertsDigest
        | Rule::AlertLapse
        | Rule::Heartbeat
        | Rule::SilenceEnd
        | Rule::SilencesJudged
        | Rule::Readiness
        | Rule::CoverAnswer
        | Rule::ShiftNotice
        | Rule::ExternalCalendars
        | Rule::Canary
        | Rule::Silenced
        | Rule::Flapping
        | Rule::UpdateDue
        | Rule::IncidentOver
        | Rule::ReviewDue
        | Rule::ActionDue => (capital(&one.expects), or_else),
        Rule::TransferAnswer => ("Another team accepts it or gives it back".into(), or_else),
    }
}

/// The needed roles that are awaited at the same time as this one, itself among them, and with the same end: one line.
fn wanted_with<'a>(one: &ExpectationView, awaited: &'a [ExpectationView]) -> Vec<&'a ExpectationView> {
    let alike = |other: &&ExpectationView| {
        other.state == Standing::Live
            && (&other.rule, &other.owner, other.due_at, &other.or_else) == (&one.rule, &one.owner, one.due_at, &one.or_else)
    };
    awaited.iter().filter(alike).collect()
}

/// The role that a key names.
fn role_of(key: &str) -> Option<String> {
    match key.parse() {
        Ok(Key::Role(role) | Key::Needed(role) | Key::Relief(role)) => Some(role),
        _ => None,
    }
}

/// A role as something to take.
fn what_of(role: &str) -> &str {
    if role == COMMANDER { "command" } else { role }
}

pub(super) fn capital(words: &str) -> String {
    let mut chars = words.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const AT: &str = "2026-03-01T00:00:00Z";

    fn incident(more: serde_json::Value) -> IncidentView {
        let mut of = json!({
            "id": "inc_1", "ref": "INC-1", "title": "t", "state": "investigating", "severity": "sev2", "because": "", "recovered": false,
            "acknowledged_by": "cho", "created_at": AT, "updated_at": AT, "version": 1
        });
        of.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value(of).unwrap()
    }

    fn awaits(owner: &str, key: &str, rule: Rule, minute: u32) -> ExpectationView {
        serde_json::from_value(json!({
            "owner": owner, "key": key, "rule": rule.name(), "state": "live", "expects": rule.expects(), "else": rule.or_else(),
            "due_at": format!("2026-03-01T00:{minute:02}:00Z")
        }))
        .unwrap()
    }

    #[test]
    fn what_is_late_is_said_first_and_only_while_it_is_open() {
        let tasks = json!([
            {"task": 1, "text": "roll back", "owner": "dana", "state": "open", "added_at": AT, "due_at": "2026-03-01T00:20:00Z", "late": true},
            {"task": 2, "text": "call the vendor", "state": "open", "added_at": AT, "due_at": "2026-03-01T00:10:00Z", "late": true},
            {"task": 3, "text": "told too late", "state": "done", "added_at": AT, "due_at": "2026-03-01T00:05:00Z", "late": true},
            {"task": 4, "text": "in time", "state": "open", "added_at": AT, "due_at": "2026-03-01T00:40:00Z", "late": false},
        ]);
        let told = |state: &str| {
            let told = late(&incident(json!({"tasks": tasks, "state": state})), &|id| id.to_owned());
            told.into_iter().map(|(words, _)| words).collect::<Vec<_>>()
        };
        assert_eq!(told("investigating"), ["call the vendor", "dana: roll back"], "the longest first");
        assert_eq!(told("resolved"), Vec::<String>::new());
    }

    fn said(incident: &IncidentView, pages: &[PageView], awaited: &[ExpectationView]) -> Vec<String> {
        let name = |id: &str| match id {
            "cho" => "Cho".to_owned(),
            "dana" => "Dana".to_owned(),
            other => other.to_owned(),
        };
        let line = |next: Next| {
            let parts: Vec<String> = next.parts.iter().map(|(words, at)| format!("{words} at {}", at.strftime("%M"))).collect();
            parts.join("; then ") + &next.or_else.map_or_else(String::new, |or_else| format!(", else {or_else}"))
        };
        next(incident, pages, awaited, &name).into_iter().map(line).collect()
    }

    #[test]
    fn a_page_is_one_sentence_of_whom_it_calls_and_when() {
        let page: PageView = serde_json::from_value(json!({
            "id": "pg_1", "incident": "inc_1", "ref": "INC-1", "status": "running", "because": "", "round": 1, "step": 1,
            "catch_all": false, "started_at": AT, "messages": [], "calls_next": ["dana"],
            "planned": [{"person": "cho", "contact": "mail", "channel": "email", "entry": 1, "due_at": "2026-03-01T00:01:00Z"}]
        }))
        .unwrap();
        let awaited = [awaits("pg_1", "notify:1:1:cho:1", Rule::PageNotify, 1), awaits("pg_1", "ack:1:1", Rule::PageAck, 5)];
        assert_eq!(said(&incident(json!({})), std::slice::from_ref(&page), &awaited), ["Cho, by mail at 01; then Dana at 05"]);
        assert_eq!(said(&incident(json!({})), std::slice::from_ref(&page), &awaited[1..]), ["Dana is called at 05"]);
        let last = PageView { calls_next: Vec::new(), ..page };
        assert_eq!(said(&incident(json!({})), &[last], &awaited[1..]), ["Nobody is left to call at 05"]);
    }

    #[test]
    fn what_is_awaited_of_a_person_names_them_and_keeps_what_follows() {
        let offered = incident(json!({"roles": [{"role": "communications", "offered_to": "dana"}]}));
        let awaited = [awaits("inc_1", "role:communications", Rule::RoleAnswer, 5)];
        assert_eq!(said(&offered, &[], &awaited), ["Dana: take communications? at 05, else whoever offered it is told"]);
        let awaited = [awaits("inc_1", "attended", Rule::Attended, 9)];
        assert_eq!(
            said(&incident(json!({})), &[], &awaited),
            ["Cho: at work on it? at 09, else whoever has it is asked whether they still do, or it pages"]
        );
        let snoozed = incident(json!({"snoozed_by": "cho", "snoozed_until": "2026-03-01T00:09:00Z"}));
        assert_eq!(said(&snoozed, &[], &awaited), ["Cho is reminded at 09"]);
    }

    #[test]
    fn needed_roles_that_are_due_together_are_one_line() {
        let needed = |role: &str, minute| awaits("inc_1", &Key::Needed(role.into()).to_string(), Rule::RoleUnfilled, minute);
        let awaited = [needed("communications", 5), needed("scribe", 7), needed("liaison", 5)];
        let told = said(&incident(json!({})), &[], &awaited);
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told[0].starts_with("Wanted: communications, liaison at 05, else "), "{told:?}");
        assert!(told[1].starts_with("Somebody takes scribe at 07, else "), "{told:?}");
    }

    #[test]
    fn a_page_of_a_role_that_comes_back_names_the_role() {
        let page = |because: &str| -> PageView {
            serde_json::from_value(json!({
                "id": "pg_1", "incident": "inc_1", "ref": "INC-1", "status": "exhausted", "because": because, "round": 1, "step": 1,
                "catch_all": false, "started_at": AT, "messages": []
            }))
            .unwrap()
        };
        let awaited = [awaits("pg_1", "again:1", Rule::PageAgain, 9)];
        let nobody_took = crate::incident::roles::nobody_took("scribe");
        assert_eq!(said(&incident(json!({})), &[page(&nobody_took)], &awaited), ["Scribe: paged again at 09"]);
        assert!(said(&incident(json!({})), &[page("declared")], &awaited)[0].starts_with("Somebody has it at 09, else "));
    }

    #[test]
    fn of_the_clocks_of_targets_the_one_that_is_due_first_is_told() {
        let clock = |word: &str, minute| awaits("inc_1", &format!("target:{word}"), Rule::Target, minute);
        let acknowledge = said(&incident(json!({})), &[], &[clock("acknowledge", 5)]);
        assert!(acknowledge[0].starts_with("Somebody acknowledges at 05"), "{acknowledge:?}");
        let awaited = [clock("resolve", 50), clock("mitigate", 20), clock("engage", 30)];
        let told = ["The impact is reduced at 20, else the commander and the team's managers are told"];
        assert_eq!(said(&incident(json!({})), &[], &awaited), told);
    }
}
