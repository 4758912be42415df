//! What has to hold before an incident is over: the items that its plans ask for, and its services, of which people say how far
//! each is back. While an item is open, a service is not wholly back or has a backlog, nobody resolves or closes it without
//! saying why.
//!
//! What recovers by itself, with nobody on it, is held up by nothing here: whoever closes it says what became of the rest.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::actor::Actor;
use crate::ask::{Ask, Came, Field, Kind, May, Program, command};
use crate::event::event_kinds;
use crate::incident::affected::AFFECTED_MAX;
use crate::incident::lifecycle::{Verb, fits};
use crate::incident::running::{PERCENT_MAX, RecoveryItem, RecoveryState, ServiceBack, back_in_words};
use crate::incident::words::{self, KEPT_CHARS_MAX};
use crate::incident::{self as whole, Decision, Incident, nothing, one};
use crate::names::{Names, with_text};
use crate::plants::planted;

event_kinds! {
    /// A fact; past tense.
    Event {
        Confirmed(Confirmed) = "recovery_confirmed",
        Waived(Waived) = "recovery_waived" [Key],
        Restored(Restored) = "service_restored" [Key],
    }
}

/// Body of `recovery_confirmed`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Confirmed {
    pub item: u32,
    pub text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Body of `recovery_waived`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Waived {
    pub items: Vec<Item>,
    /// Services that may stay as far back as they are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<String>,
    /// That its review is published, which may come later.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub review: bool,
    pub why: String,
}

/// Body of `service_restored`: how far a service is back, as somebody says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Restored {
    pub service: String,
    /// Of what it gives when all is well: 0 to 100.
    pub percent: u8,
    /// What is left to be worked off; 0 where all of it is, nothing where nobody said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backlog: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// An item by its number, in its words.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Item {
    pub item: u32,
    pub text: String,
}

/// A command; imperative.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// It holds.
    Confirm { item: u32, note: Option<String> },
    /// It need not hold here.
    Waive { item: u32, why: String },
    /// A service is this far back.
    Restore { service: String, percent: u64, backlog: Option<u64>, note: Option<String> },
}

impl Command {
    /// Whether people ask for it as it is; the rest follows from something else.
    pub(in crate::incident) const fn is_asked(&self) -> bool {
        match self {
            Self::Confirm { .. } | Self::Waive { .. } | Self::Restore { .. } => true,
        }
    }
}

/// Why not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("it is not over yet, since this is open: {0}. Say that it holds, or give the reason why it may stay open (`waive`)")]
    StillOpen(String),
    #[error("its review is not published yet: publish it, or give the reason why it may come after the incident is closed (`waive`)")]
    ReviewOpen,
    #[error("there is no item {item} of recovery in this incident")]
    NoSuchItem { item: u32 },
    #[error("item {item} of recovery is {state} already")]
    Ended { item: u32, state: &'static str },
    #[error("{0} % is no share of a whole: write a whole number from 0 to {PERCENT_MAX}")]
    NoPercentage(u64),
    #[error("an incident names at most {AFFECTED_MAX} services: say in an update how the others are")]
    TooManyServices,
}

impl Refusal {
    /// The stable code of the API.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::StillOpen(_) => "recovery_open",
            Self::ReviewOpen => "review_open",
            Self::NoSuchItem { .. } => "no_such_recovery_item",
            Self::Ended { .. } => "recovery_item_ended",
            Self::NoPercentage(_) => "no_percentage",
            Self::TooManyServices => "too_many_services",
        }
    }
}

/// What people may ask.
pub(crate) const ASKS: &[Ask] = &[ITEM, SERVICE];

/// How far a service is back.
const SERVICE: Ask = Ask {
    verb: Verb::Restored,
    label: "How far a service is back",
    says: "How far a service is back, in per cent, and what is left of its backlog; it is not over while one is not wholly back",
    press: "Say so",
    body: "RestoredBody",
    programs: &[Program::of("restored").says("How far a service is back").places(&["service", "percent"])],
    may: May::Responder,
    fields: &[
        Field::needed("service", "the service", "Service", Kind::Service).hint("A service's id"),
        Field::needed("percent", "how far it is back", "Per cent", Kind::Number { of: "a percentage" }).hint("0 to 100"),
        Field::may("backlog", "what is left of the backlog", "Left of the backlog", Kind::Number { of: "what is left" })
            .hint("0 where it is cleared"),
        Field::may("note", "the note", "Note", Kind::Words { max: KEPT_CHARS_MAX }),
    ],
    ways: &[],
    make: |given, _| {
        let number = |name| given.number(name).map(u64::from);
        let (percent, backlog) = (number("percent").unwrap_or_default(), number("backlog"));
        command(Command::Restore { service: given.must("service"), percent, backlog, note: given.text("note") })
    },
    came: Came::Recovery,
};

const ITEM: Ask = Ask {
    verb: Verb::Recovery,
    label: "Recovery",
    says: "What has to hold before it is over: it does, or need not here",
    press: "Say so",
    body: "RecoveryBody",
    programs: &[
        Program::of("recovery done").says("It holds").places(&["item"]).gives(&[("state", "done")]),
        Program::of("recovery waive").says("It need not hold here; with the reason").places(&["item"]).gives(&[("state", "waived")]),
    ],
    may: May::Responder,
    fields: &[
        Field::needed("item", "the item", "Item", Kind::Number { of: "an item" }).hint("Its number, from 1"),
        Field::needed("state", "what becomes of it", "What becomes of it", Kind::Choice { name: "RecoveryEnd", of: &["done", "waived"] }),
        Field::may("why", "the reason", "Why?", Kind::Words { max: KEPT_CHARS_MAX }).hint("Needed where it is waived"),
    ],
    ways: &[],
    make: |given, _| {
        let (item, why) = (given.number("item").unwrap_or_default(), given.text("why"));
        match given.as_text("state") {
            Some("waived") => command(Command::Waive { item, why: why.unwrap_or_default() }),
            _ => command(Command::Confirm { item, note: why }),
        }
    },
    came: Came::Recovery,
};

/// Why what is open may stay so, where something ends.
pub(in crate::incident) const WAIVE: Field =
    Field::may("waive", "why what is open may stay so", "Why may it stay open?", Kind::Words { max: KEPT_CHARS_MAX })
        .hint("Only where items of recovery are open, or, to close it, obligations or its review: why they may stay so");

pub(in crate::incident) fn decide(incident: &Incident, command: Command) -> Decision {
    match command {
        Command::Confirm { item, note } => {
            let found = open_item(incident, item)?;
            let note = words::kept(note)?;
            one(Event::Confirmed(Confirmed { item, text: found.text.clone(), note }))
        }
        Command::Waive { item, why } => {
            let found = open_item(incident, item)?;
            words::needed(&why, "the reason")?;
            words::at_most(&why, "the reason", KEPT_CHARS_MAX)?;
            one(Event::Waived(Waived { items: vec![Item { item, text: found.text.clone() }], services: Vec::new(), review: false, why }))
        }
        Command::Restore { service, percent, backlog, note } => restore(incident, service, percent, backlog, note),
    }
}

fn restore(incident: &Incident, service: String, percent: u64, backlog: Option<u64>, note: Option<String>) -> Decision {
    fits(incident, Verb::Restored)?;
    let share = u8::try_from(percent).ok().filter(|share| *share <= PERCENT_MAX).ok_or(Refusal::NoPercentage(percent))?;
    let said = incident.work.restored.iter().find(|one| one.service == service);
    if said.is_none() && incident.work.restored.len() >= AFFECTED_MAX {
        return Err(Refusal::TooManyServices.into());
    }
    let note = words::kept(note)?;
    // What nobody says of the backlog is as it was.
    let backlog = backlog.or_else(|| said.and_then(|one| one.backlog));
    if note.is_none() && said.is_some_and(|one| !one.again && one.waived.is_none() && (one.percent, one.backlog) == (share, backlog)) {
        return nothing();
    }
    one(Event::Restored(Restored { service, percent: share, backlog, note }))
}

fn open_item(incident: &Incident, number: u32) -> Result<&RecoveryItem, whole::Refusal> {
    fits(incident, Verb::Recovery)?;
    let item = incident.work.recovery.iter().find(|item| item.item == number).ok_or(Refusal::NoSuchItem { item: number })?;
    if item.state == RecoveryState::Open { Ok(item) } else { Err(Refusal::Ended { item: number, state: item.state.word() }.into()) }
}

/// What comes before an end: nothing where nothing is open, else that it is waived, where somebody says why. `review` is whether
/// its review is asked for and not published, which holds up a closing alone: it is written once it is resolved.
///
/// # Errors
/// Where something is open and nobody says why it may stay so.
pub(in crate::incident) fn before_the_end(incident: &Incident, waive: Option<String>, review: bool) -> Decision {
    let open: Vec<Item> = incident.work.open_recovery().map(|item| Item { item: item.item, text: item.text.clone() }).collect();
    let services: Vec<&ServiceBack> = incident.work.not_back().filter(|_| !planted("ends-while-not-back")).collect();
    if open.is_empty() && services.is_empty() && !review {
        return Ok(Vec::new());
    }
    match waive.filter(|why| !why.trim().is_empty()) {
        Some(why) => {
            words::at_most(&why, "the reason", KEPT_CHARS_MAX)?;
            one(Event::Waived(Waived { items: open, services: services.iter().map(|one| one.service.clone()).collect(), review, why }))
        }
        None if open.is_empty() && services.is_empty() => Err(Refusal::ReviewOpen.into()),
        None => {
            let review = Some("its review is not published".to_owned()).filter(|_| review);
            let back = services.iter().map(|one| format!("{} is {}", one.service, one.words())).chain(review);
            let items = Some(listed(&open)).filter(|_| !open.is_empty());
            Err(Refusal::StillOpen(items.into_iter().chain(back).collect::<Vec<_>>().join("; ")).into())
        }
    }
}

/// `1. Errors are below the objective; 3. The backlog is cleared`.
fn listed(items: &[Item]) -> String {
    items.iter().map(|item| format!("{}. {}", item.item, item.text.trim_end_matches('.'))).collect::<Vec<_>>().join("; ")
}

pub(in crate::incident) fn evolve(incident: &mut Incident, event: &Event, actor: &Actor, at: Timestamp) {
    let by = if let Actor::Person(by) = actor { Some(by.clone()) } else { None };
    let mut end = |number: u32, state: RecoveryState, note: Option<&String>| {
        if let Some(item) = incident.work.recovery.iter_mut().find(|item| item.item == number) {
            (item.state, item.ended_at, item.by, item.note) = (state, Some(at), by.clone(), note.cloned());
        }
    };
    match event {
        Event::Confirmed(body) => end(body.item, RecoveryState::Done, body.note.as_ref()),
        Event::Waived(body) => {
            body.items.iter().for_each(|item| end(item.item, RecoveryState::Waived, Some(&body.why)));
            for one in incident.work.restored.iter_mut().filter(|one| body.services.contains(&one.service)) {
                one.waived = Some(body.why.clone());
            }
        }
        Event::Restored(body) => {
            let said = ServiceBack {
                service: body.service.clone(),
                percent: body.percent,
                backlog: body.backlog,
                said_at: at,
                by,
                note: body.note.clone(),
                waived: None,
                again: false,
            };
            match incident.work.restored.iter_mut().find(|one| one.service == body.service) {
                Some(one) => *one = said,
                None => incident.work.restored.push(said),
            }
        }
    }
}

/// It is not over: what held may hold no more.
pub(in crate::incident) fn ask_again(incident: &mut Incident) {
    for item in &mut incident.work.recovery {
        (item.state, item.ended_at, item.by, item.note) = (RecoveryState::Open, None, None, None);
    }
    for one in &mut incident.work.restored {
        (one.waived, one.again) = (None, true);
    }
}

pub(in crate::incident) fn line(event: &Event, names: &Names<'_>) -> String {
    let who = names.who();
    match event {
        Event::Confirmed(body) => with_text(format!("{who} says that it holds: {}", body.text.trim_end_matches('.')), body.note.as_deref()),
        Event::Waived(body) => {
            let items = Some(listed(&body.items)).filter(|_| !body.items.is_empty());
            let services = body.services.iter().map(|id| format!("{} is wholly back", names.service(id)));
            let review = Some("its review is published".to_owned()).filter(|_| body.review);
            let what: Vec<String> = items.into_iter().chain(services).chain(review).collect();
            format!("{who} waived what was to hold before the end ({}): {}", what.join("; "), body.why)
        }
        Event::Restored(body) => {
            let back = back_in_words(body.percent, body.backlog);
            with_text(format!("{who}: {} is {back}", names.service(&body.service)), body.note.as_deref())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::Sample;
    use super::*;
    use crate::incident::{ending, plans};

    #[test]
    fn nothing_ends_while_an_item_is_open_unless_somebody_says_why() {
        let mut sample = Sample::declared().after(plans::Command::Start { plan: "outage".into(), because: None });
        let resolve = |waive: Option<&str>| ending::Command::Resolve { note: None, waive: waive.map(Into::into) };
        let no = sample.run(resolve(None)).unwrap_err().to_string();
        assert!(no.contains("1. Errors are normal; 2. The backlog is cleared") && no.contains("`waive`"), "{no}");
        assert_eq!(sample.refusal(resolve(Some(" "))), "recovery_open");
        assert_eq!(sample.refusal(resolve(Some(&"x".repeat(KEPT_CHARS_MAX + 1)))), "too_long");
        let done = sample.run(Command::Confirm { item: 1, note: None }).unwrap();
        assert_eq!(done.kinds(), ["recovery_confirmed"]);
        assert_eq!(sample.refusal(Command::Confirm { item: 1, note: None }), "recovery_item_ended");
        assert_eq!(sample.refusal(Command::Confirm { item: 9, note: None }), "no_such_recovery_item");
        assert_eq!(sample.refusal(Command::Waive { item: 2, why: " ".into() }), "words_missing");
        assert_eq!(sample.incident.work.recovery[0].by.as_deref(), Some("ana"));
        let over = sample.run(resolve(Some("it drains by itself"))).unwrap();
        assert_eq!(over.kinds(), ["recovery_waived", "resolved"]);
        assert_eq!(sample.incident.work.recovery[1].note.as_deref(), Some("it drains by itself"));
        assert_eq!(sample.run(ending::Command::Close { waive: None }).unwrap().kinds(), ["closed"]);
    }

    #[test]
    fn nothing_ends_while_a_service_is_not_wholly_back_or_has_a_backlog() {
        let mut sample = Sample::declared();
        let back = |percent, backlog| Command::Restore { service: "search".into(), percent, backlog, note: None };
        let resolve = |waive: Option<&str>| ending::Command::Resolve { note: None, waive: waive.map(Into::into) };
        assert_eq!(sample.refusal(back(101, None)), "no_percentage");
        assert_eq!(sample.refusal(back(300, None)), "no_percentage");
        sample.run(back(60, Some(12))).unwrap();
        assert_eq!(sample.run(back(60, None)).unwrap().events, [], "it is said once, and the backlog stays as it was");
        sample.run(back(100, None)).unwrap();
        let no = sample.run(resolve(None)).unwrap_err().to_string();
        assert!(no.contains("search is back at 100 %, with 12 left of its backlog"), "{no}");
        assert_eq!(sample.run(resolve(Some("it drains by itself"))).unwrap().kinds(), ["recovery_waived", "resolved"]);
        sample.run(ending::Command::Reopen { why: "it is back".into() }).unwrap();
        assert_eq!(sample.refusal(resolve(None)), "recovery_open", "what was waived or held may hold no more");
        assert_eq!(sample.run(back(100, Some(0))).unwrap().kinds(), ["service_restored"]);
        assert_eq!(sample.run(resolve(None)).unwrap().kinds(), ["resolved"]);
    }
}
