//! Who has an incident, and whether they still do: an acknowledgement that nobody is heard of after ages.
//!
//! What is known of whoever has it is kept in the row, so that a renewal costs nothing beside the act itself: the look
//! of `incident.attended` judges from here, and arms again.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::access::Actor;
use crate::ask::{self, Ask, Asked, By, Came, Field, Given, Kind, May, Program, REASON, command};
use crate::event::event_kinds;
use crate::expect::{ATTEND_WITHIN, Rule, Standing};
use crate::ids::PageId;
use crate::incident::awaited::{Awaited, KEY_ATTENDED, KEY_GROUP_WAIT, KEY_STILL_ON_IT, KEY_UPDATE};
use crate::incident::lifecycle::{self, Verb, fits, fits_state};
use crate::incident::roles::{self, COMMANDER};
use crate::incident::search;
use crate::incident::words::{self, NOTE_CHARS_MAX};
use crate::incident::work::Snooze;
use crate::incident::{Context, Decision, Event as Any, Incident, State, declaration, nothing, one};
use crate::incident::{moves, ordering, updates};
use crate::names::Names;
use crate::plants::planted;
use crate::time::{Length, after};

/// Whoever asks to be reminded sooner than this has not put it away yet.
pub const SNOOZE_MIN: Length = Length::from_mins(1);
/// Why somebody gives an incident back who says nothing more.
const GIVEN_BACK: &str = "who took it gave it back";
/// What may pass between asking for a length and deciding it: far more than a queue of commands takes.
const ASKING_TAKES: Length = Length::from_secs(10);
/// A shift hands over within a day: what is put off for longer is somebody else's by then.
pub const SNOOZE_MAX: Length = Length::from_mins(24 * 60);

event_kinds! {
    /// A fact; past tense.
    Event {
        Acknowledged(Acknowledged) = "acknowledged" [Key] admits(by),
        StillOnItAsked(StillOnItAsked) = "still_on_it_asked",
        StillOnIt(StillOnIt) = "still_on_it",
        Lost(Lost) = "acknowledgement_aged" [Key],
        Snoozed(Snoozed) = "snoozed" admits(by),
        SnoozeOver(SnoozeOver) = "snooze_over",
        Escalated(Escalated) = "escalated" [Follows],
    }
}

/// Body of `acknowledged`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Acknowledged {
    /// A person's id; absent where a sender acknowledged without saying who.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// `link`, `api`, `sender`, …
    pub via: String,
    /// Whether nobody had before.
    pub first: bool,
    /// How long it lasts while nobody does anything about the incident.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lasts: Option<Length>,
    /// Where that gives them command: after how long they are reminded of relief, each time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relief_after: Option<Length>,
}

/// Body of `still_on_it_asked`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StillOnItAsked {
    pub people: Vec<String>,
    /// How long they have before it pages again.
    pub within: Length,
}

/// Body of `still_on_it`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StillOnIt {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    pub via: String,
    /// How long that lasts while nobody does anything about the incident.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lasts: Option<Length>,
}

/// Body of `acknowledgement_aged`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Lost {
    pub why: String,
    /// Whether who acknowledged first gave it back and nothing came of it: then it was never acknowledged.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub undone: bool,
}

/// Body of `snoozed`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Snoozed {
    pub by: String,
    pub until: Timestamp,
}

/// Body of `snooze_over`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SnoozeOver {
    /// Who is reminded.
    pub by: String,
    /// How long they have it from then on while nobody does anything about the incident.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lasts: Option<Length>,
}

/// Body of `escalated`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Escalated {
    pub page: PageId,
    pub why: String,
    /// Since when pages of it call somebody and nobody has taken it; not known of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub called_since: Option<Timestamp>,
}

/// A command; imperative.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// `by` is on it; a person's id, or a sender's word for one.
    Acknowledge { by: Option<String>, via: String },
    /// `by` is on it where nobody else is: what many are taken with at once is not meant against whoever took one of them.
    TakeFree { by: String, via: String },
    /// Nothing was heard of whoever has it: these are asked whether they are still on it.
    AskStillOnIt { people: Vec<String>, within: Length },
    /// `by` is still on it.
    StillOnIt { by: Option<String>, via: String },
    /// Nobody is known to have it any more.
    Lose { why: String },
    /// `by` had it, and gives it back: whom its pages had not asked yet they ask again.
    GiveBack { by: String, why: String },
    /// A page was started for it.
    Escalate { page: PageId, why: String },
    /// `by` has it, and asks to be reminded then rather than to be asked before.
    Snooze { until: Timestamp, by: String },
    /// That time has come.
    EndSnooze,
}

impl Command {
    /// Whether people ask for it as it is; the rest follows from something else.
    pub(in crate::incident) const fn is_asked(&self) -> bool {
        match self {
            Self::Acknowledge { .. } | Self::TakeFree { .. } | Self::Snooze { .. } | Self::GiveBack { .. } => true,
            Self::AskStillOnIt { .. } | Self::StillOnIt { .. } | Self::Lose { .. } | Self::Escalate { .. } | Self::EndSnooze => false,
        }
    }
}

/// Why not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("only whoever has this incident is reminded of it: acknowledge it, or take command, and ask again")]
    NotTheHolder,
    #[error("you do not have this incident, so that it is not yours to give back: whoever took it last does that")]
    NotYours,
    #[error("somebody has this incident already: take it from its own page where it is to be yours all the same")]
    TakenMeanwhile,
    #[error("that time has passed: give one to come")]
    InThePast,
    #[error("that is less than {least} ahead: give a later time")]
    TooSoon { least: Length },
    #[error("that is more than {most} ahead: give an earlier time, or hand the incident over")]
    TooFar { most: Length },
}

impl Refusal {
    /// The stable code of the API.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotTheHolder | Self::NotYours => "not_the_holder",
            Self::TakenMeanwhile => "taken_meanwhile",
            Self::InThePast => "in_the_past",
            Self::TooSoon { .. } => "snooze_too_short",
            Self::TooFar { .. } => "snooze_too_long",
        }
    }
}

/// What people may ask.
pub(crate) const ASKS: &[Ask] = &[
    Ask {
        verb: Verb::Acknowledge,
        label: "Acknowledge",
        says: "Takes an incident: its page stops",
        press: "Acknowledge",
        body: "ByBody",
        programs: &[Program::of("ack")],
        may: May::Responder,
        fields: &[Field::may("by", "who has it", "Who has it", Kind::Person).hint("Somebody else has it: a person's id")],
        ways: &[],
        make: |given, by| {
            let who = given.text("by").or_else(|| by.person.map(ToOwned::to_owned));
            command(Command::Acknowledge { by: who, via: by.via.to_owned() })
        },
        came: Came::Itself,
    },
    Ask {
        verb: Verb::GiveBack,
        label: "Give it back",
        says: "Whoever took it last gives it back: whom its pages had not asked yet they ask again",
        press: "Give it back",
        body: "GiveBackBody",
        programs: &[Program::of("give-back")],
        may: May::Responder,
        fields: &[REASON.or_not()],
        ways: &[],
        make: give_back,
        came: Came::Itself,
    },
    Ask {
        verb: Verb::Escalate,
        label: "Get help",
        says: "Pages again: by the incident's escalation policy, another one, or people by name",
        press: "Page",
        body: "EscalateBody",
        programs: &[Program::of("page")],
        may: May::Responder,
        fields: &[
            Field::may("escalation", "the escalation policy", "Whom", Kind::Escalation).hint("Another escalation policy's id"),
            Field::may("page", "whom to page", "People", Kind::Targets)
                .hint("Whom to page by name, as in person:ana, team:database, schedule:primary")
                .option("to", "TARGET"),
            REASON.label("Why? They read this.").hint("Why, for the log and for who is paged"),
        ],
        ways: &[&["escalation", "why"], &["page", "why"]],
        make: escalate,
        came: Came::Itself,
    },
    Ask {
        verb: Verb::Snooze,
        label: "Remind me",
        says: "Whoever has it is reminded at a time, and nobody is asked before",
        press: "Remind me then",
        body: "SnoozeBody",
        programs: &[Program::of("snooze")],
        may: May::Responder,
        fields: &[
            Field::may("until", "when to remind you", "When", Kind::Time).hint("When to remind you, as in 2026-03-01T09:00:00Z"),
            Field::may("within", "when to remind you", "Or in", Kind::Length).hint("When to remind you, from now, as in 30m"),
        ],
        ways: &[&["until"], &["within"]],
        make: snooze,
        came: Came::Reminder,
    },
];

/// Somebody gives back what they took themself.
fn give_back(given: &Given, by: &By<'_>) -> Result<Asked, ask::Refusal> {
    let nobody = || ask::Refusal::Together("this token stands for no person who could have it: use a person's token".into());
    let person = by.person.ok_or_else(nobody)?.to_owned();
    command(Command::GiveBack { by: person, why: given.text("why").unwrap_or_else(|| GIVEN_BACK.to_owned()) })
}

/// At a time, or that long from now.
fn snooze(given: &Given, by: &By<'_>) -> Result<Asked, ask::Refusal> {
    let nobody = || ask::Refusal::Together("this token stands for no person who could be reminded: use a person's token".into());
    let person = by.person.ok_or_else(nobody)?.to_owned();
    let until = match (given.time("until"), given.parsed("within")) {
        (Some(until), None) => until,
        (None, Some(within)) => after(by.now, within),
        (Some(_), Some(_)) | (None, None) => {
            return Err(ask::Refusal::Together("give either `until`, a time, or `within`, how long from now, as in 30m".into()));
        }
    };
    command(Command::Snooze { until, by: person })
}

/// By a policy, or people by name.
fn escalate(given: &Given, _: &By<'_>) -> Result<Asked, ask::Refusal> {
    let (escalation, why) = (given.text("escalation"), given.must("why"));
    match given.list("page") {
        Some(_) if escalation.is_some() => Err(ask::Refusal::Together("give either `escalation` or `page`".into())),
        Some(targets) if targets.is_empty() => {
            Err(ask::Refusal::Together("`page` names nobody: give `person:ID`, `team:ID` or `schedule:ID`".into()))
        }
        Some(targets) => Ok(Asked::PagePeople { targets, why }),
        None => Ok(Asked::Escalate { escalation, why }),
    }
}

/// Whether nobody has it, for what is taken only then.
///
/// # Errors
/// Where somebody has.
pub fn is_free(incident: &Incident) -> Result<(), Refusal> {
    if incident.is_held() { Err(Refusal::TakenMeanwhile) } else { Ok(()) }
}

pub(in crate::incident) fn decide(incident: &Incident, command: Command, context: Context) -> Decision {
    match command {
        Command::TakeFree { by, via } => {
            is_free(incident)?;
            decide(incident, Command::Acknowledge { by: Some(by), via }, context)
        }
        Command::Acknowledge { by, via } => {
            fits(incident, Verb::Acknowledge)?;
            // Not the state: an incident that recovered by itself and was reopened is looked into,
            // and nobody has acknowledged it.
            let first = incident.acknowledged_at.is_none();
            // Again, it says something new only where somebody is to be known to have it, or it got worse.
            let hold = &incident.work.hold;
            let known = incident.is_held() && hold.asked_at.is_none() && hold.severity.is_none_or(|known| known <= incident.severity);
            let comes_back = by.as_ref().is_some_and(|by| incident.work.away.contains(by));
            if !first && by == incident.acknowledged_by && known && !comes_back {
                return nothing();
            }
            let leads = by.is_some() && incident.commander.is_none();
            let relief_after = if leads { context.reminds_after(COMMANDER) } else { None };
            one(Event::Acknowledged(Acknowledged { by, via, first, lasts: context.lasts(incident.severity), relief_after }))
        }
        Command::AskStillOnIt { people, within } => {
            if !incident.is_held() || incident.work.hold.asked_at.is_some() {
                return nothing();
            }
            one(Event::StillOnItAsked(StillOnItAsked { people, within }))
        }
        Command::StillOnIt { by, via } => {
            fits(incident, Verb::Acknowledge)?;
            if !incident.is_held() {
                return decide(incident, Command::Acknowledge { by, via }, context);
            }
            one(Event::StillOnIt(StillOnIt { by, via, lasts: context.lasts(incident.severity) }))
        }
        Command::Lose { why } => {
            if !incident.is_held() {
                return nothing();
            }
            one(Event::Lost(Lost { why, undone: false }))
        }
        Command::GiveBack { by, why } => {
            // Who took command of what nobody acknowledged has it as well.
            if !(incident.state == State::Declared && incident.is_held()) {
                fits(incident, Verb::GiveBack)?;
            }
            if !incident.is_held() {
                return Err(lifecycle::Refusal::NotAcknowledged.into());
            }
            // What somebody else took meanwhile is theirs, and nobody is woken for it.
            if incident.work.hold.by.as_ref() != Some(&by) {
                return Err(Refusal::NotYours.into());
            }
            words::at_most(&why, "the reason", NOTE_CHARS_MAX)?;
            // What a person did since came of it: then it was acknowledged, and is only nobody's any more.
            let nothing_came = incident.work.hold.acted_at.is_some() && incident.work.hold.acted_at == incident.acknowledged_at;
            let theirs = incident.state == State::Investigating && incident.acknowledged_by.as_ref() == Some(&by);
            let undone = theirs && nothing_came && incident.reopened == 0;
            let mut events: Vec<Any> = vec![Event::Lost(Lost { why, undone }).into()];
            if incident.commander.as_ref() == Some(&by) {
                events.push(roles::Event::Left(roles::Left { role: COMMANDER.to_owned(), person: by, why: None, offered: false }).into());
            }
            Ok(events)
        }
        Command::Escalate { page, why } => {
            // The page of a test as well; whom else it may page is asked before.
            fits_state(incident, Verb::Escalate)?;
            let called_since = incident.work.hold.called_since.or(Some(context.now)).filter(|_| !incident.is_held());
            one(Event::Escalated(Escalated { page, why, called_since }))
        }
        Command::Snooze { until, by } => {
            fits(incident, Verb::Snooze)?;
            if !incident.is_held() {
                return Err(lifecycle::Refusal::NotAcknowledged.into());
            }
            if !incident.holders().contains(&by) {
                return Err(Refusal::NotTheHolder.into());
            }
            if until <= context.now {
                return Err(Refusal::InThePast.into());
            }
            // A length that was asked for is counted from the asking, a moment before this.
            if after(until, ASKING_TAKES) < after(context.now, SNOOZE_MIN) {
                return Err(Refusal::TooSoon { least: SNOOZE_MIN }.into());
            }
            if until > after(context.now, SNOOZE_MAX) {
                return Err(Refusal::TooFar { most: SNOOZE_MAX }.into());
            }
            if incident.snoozed().is_some_and(|snooze| snooze.until == until && snooze.by == by) {
                return nothing();
            }
            one(Event::Snoozed(Snoozed { by, until }))
        }
        Command::EndSnooze => match incident.snoozed() {
            Some(snooze) if snooze.until <= context.now => {
                one(Event::SnoozeOver(SnoozeOver { by: snooze.by.clone(), lasts: context.lasts(incident.severity) }))
            }
            Some(_) | None => nothing(),
        },
    }
}

/// Whether who leads, or how bad it is, is not any more what whoever has it put off.
fn wakes(incident: &Incident, event: &Any) -> bool {
    let got_worse = matches!(event, Any::Declaration(declaration::Event::SeverityChanged(body)) if body.to < body.from);
    let took = matches!(event, Any::Roles(roles::Event::Taken(body)) if body.role == COMMANDER);
    let leads = |person: &String| incident.commander.as_ref() == Some(person);
    let left = matches!(event, Any::Roles(roles::Event::Left(body)) if body.role == COMMANDER && leads(&body.person));
    got_worse || took || left
}

/// Whatever a person does about an incident is heard of whoever has it.
pub(in crate::incident) fn hear(incident: &mut Incident, event: &Any, actor: &Actor, at: Timestamp) {
    if wakes(incident, event)
        && let Some(snooze) = &mut incident.work.hold.snoozed
    {
        snooze.void_at.get_or_insert(at);
    }
    // What its parent told, which place it gave this, and who was moved here was done there.
    let is_of_another = matches!(event, Any::Updates(updates::Event::Posted(body)) if body.of.is_some())
        || matches!(event, Any::Ordering(ordering::Event::Ranked(_)) | Any::Moves(moves::Event::Here(_)));
    if incident.is_held() && is_a_person(actor) && !is_of_another {
        incident.work.hold.acts(at);
    }
}

/// Whether somebody did it, and not a program by itself: whoever holds the administrator's token or the machine's
/// shell is somebody.
const fn is_a_person(actor: &Actor) -> bool {
    match actor {
        Actor::Person(_) | Actor::Administrator => true,
        Actor::Token(_) | Actor::Integration(_) | Actor::Organisation(_) | Actor::Clock | Actor::System => false,
    }
}

pub(in crate::incident) fn evolve(incident: &mut Incident, event: &Event, at: Timestamp) {
    match event {
        Event::Acknowledged(body) => {
            incident.state = lifecycle::after(incident, Verb::Acknowledge);
            incident.acknowledged_at.get_or_insert(at);
            if incident.acknowledged_by.is_none() {
                incident.acknowledged_by.clone_from(&body.by);
            }
            // Whoever acknowledges first leads until somebody takes command.
            if let (None, Some(by)) = (&incident.commander, &body.by) {
                incident.commander = Some(by.clone());
                incident.work.give(COMMANDER, by, body.relief_after, at);
            }
            incident.work.take_by(body.by.as_ref(), incident.severity, at);
        }
        Event::StillOnItAsked(_) => incident.work.hold.asked_at = Some(at),
        Event::StillOnIt(body) => incident.work.take_by(body.by.as_ref(), incident.severity, at),
        Event::Lost(body) => {
            if body.undone {
                // Whoever acknowledges next is the first, and is measured.
                (incident.state, incident.acknowledged_at, incident.acknowledged_by) = (State::Declared, None, None);
            }
            let hold = &mut incident.work.hold;
            (hold.lost, hold.asked_at, hold.snoozed, hold.called_since) = (true, None, None, None);
        }
        Event::Snoozed(body) => {
            incident.work.hold.snoozed = Some(Snooze { until: body.until, by: body.by.clone(), void_at: None });
            incident.work.hold.acts(at);
        }
        // What they do is awaited from here.
        Event::SnoozeOver(_) => {
            incident.work.hold.snoozed = None;
            incident.work.hold.acts(at);
        }
        Event::Escalated(body) => {
            incident.page = Some(body.page);
            incident.work.hold.called_since = body.called_since;
        }
    }
}

/// What was put off is looked at soon where its holder is not who led any more: whoever has it is asked at their usual
/// time, and where nobody has it, it pages.
pub(in crate::incident) fn react_to_any(incident: &Incident, event: &Any, awaited: &mut Awaited) {
    let is_void = incident.work.hold.snoozed.as_ref().is_some_and(|snooze| snooze.void_at == Some(awaited.at));
    if is_void && matches!(event, Any::Roles(roles::Event::Left(body)) if body.role == COMMANDER) {
        awaited.settle(KEY_ATTENDED, Standing::Void, "its holder leads no more");
        awaited.open(KEY_ATTENDED, Rule::Attended, ATTEND_WITHIN);
    }
}

pub(in crate::incident) fn react(incident: &Incident, event: &Event, awaited: &mut Awaited) {
    match event {
        Event::Acknowledged(body) => {
            awaited.settle(KEY_GROUP_WAIT, Standing::Void, "somebody is on it");
            let lasts = body.lasts.filter(|_| !planted("ack-never-ages"));
            awaited.settle(KEY_STILL_ON_IT, Standing::Met, "somebody is on it");
            awaited.sign(incident, lasts, Standing::Met, "somebody is on it");
            // Whoever leads by acknowledging ends the search for a commander, and an offer to another.
            if incident.work.roles.get(COMMANDER).is_some_and(|held| held.since == Some(awaited.at)) {
                roles::taken(incident, COMMANDER, awaited);
                search::await_relief(COMMANDER, false, body.relief_after, awaited);
            }
            if body.first {
                // An update before the acknowledgement, or a reopening, has promised one already.
                awaited.settle(KEY_UPDATE, Standing::Void, "somebody is on it");
                updates::await_next(incident.work.cadence(), awaited);
                if incident.commander.is_none() {
                    search::await_commander(incident, awaited);
                }
            }
        }
        Event::StillOnItAsked(body) => awaited.open(KEY_STILL_ON_IT, Rule::StillOnIt, body.within),
        Event::StillOnIt(body) => {
            awaited.settle(KEY_STILL_ON_IT, Standing::Met, "somebody is on it");
            awaited.sign(incident, body.lasts, Standing::Void, "somebody is on it");
        }
        Event::Lost(body) => {
            // What was promised by acknowledging is not owed any more; what somebody told people is.
            if body.undone && incident.work.updates == 0 {
                awaited.settle(KEY_UPDATE, Standing::Void, "the acknowledgement was given back");
            }
            awaited.settle(KEY_STILL_ON_IT, Standing::Void, "nobody is known to have it");
            awaited.settle(KEY_ATTENDED, Standing::Void, "nobody is known to have it");
        }
        Event::Snoozed(_) => {
            awaited.settle(KEY_STILL_ON_IT, Standing::Met, "its holder asks to be reminded");
            awaited.sign(incident, None, Standing::Met, "its holder asks to be reminded");
        }
        Event::SnoozeOver(body) => awaited.sign(incident, body.lasts, Standing::Met, "its holder is reminded"),
        // Whom the page finds has it.
        Event::Escalated(_) if incident.work.hold.unpaged && !incident.is_held() => {
            awaited.settle(KEY_ATTENDED, Standing::Void, "a page looks for somebody");
        }
        Event::Escalated(_) => {}
    }
}

pub(in crate::incident) fn line(event: &Event, names: &Names<'_>) -> String {
    match event {
        Event::Acknowledged(body) => {
            let again = if body.first { "" } else { ", as well" };
            format!("{} acknowledged by {}{again}", names.by(body.by.as_deref()), body.via)
        }
        Event::StillOnItAsked(body) => format!(
            "Nobody was heard of; {} is asked whether they are still on it, and it pages again in {}",
            names.people(&body.people).join(" and "),
            body.within
        ),
        Event::StillOnIt(body) => format!("{} is still on it ({})", names.by(body.by.as_deref()), body.via),
        Event::Lost(body) if body.undone => format!("Nobody has it, and it counts as not acknowledged: {}", body.why),
        Event::Lost(body) => format!("Nobody is known to have it: {}", body.why),
        Event::Escalated(body) => format!("Page started: {}", body.why),
        Event::Snoozed(body) => {
            format!("{} asks to be reminded at {}", names.by(Some(&body.by)), names.clock(body.until))
        }
        Event::SnoozeOver(body) => format!("{} is reminded, as they asked", names.by(Some(&body.by))),
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::Sample;
    use super::*;
    use crate::incident::Severity;

    #[test]
    fn what_is_taken_only_where_it_is_free_is_taken_from_nobody() {
        let take = |by: &str| Command::TakeFree { by: by.into(), via: "web".into() };
        let mut sample = Sample::declared();
        assert_eq!(sample.run(take("ana")).unwrap().kinds(), ["acknowledged"]);
        assert_eq!(sample.refusal(take("ben")), "taken_meanwhile");
        assert_eq!(sample.incident.work.hold.by.as_deref(), Some("ana"));
        let mut given_back = sample.after(Command::GiveBack { by: "ana".into(), why: "slip".into() });
        assert_eq!(given_back.run(take("ben")).unwrap().kinds(), ["acknowledged"]);
    }

    #[test]
    fn whoever_acknowledges_first_leads_and_what_says_nothing_new_is_nothing() {
        let mut sample = Sample::declared();
        let acknowledge = |by: &str| Command::Acknowledge { by: Some(by.into()), via: "link".into() };
        let first = sample.run(acknowledge("ana")).unwrap();
        assert_eq!(first.opened(), [KEY_ATTENDED, KEY_UPDATE]);
        assert_eq!(sample.incident.commander.as_deref(), Some("ana"));
        assert!(sample.incident.admitted.contains("ana"));
        assert_eq!(sample.run(acknowledge("ana")).unwrap().events, []);
        assert_eq!(sample.run(acknowledge("ben")).unwrap().kinds(), ["acknowledged"]);
        assert_eq!(sample.incident.commander.as_deref(), Some("ana"));
        assert_eq!(sample.incident.holders(), ["ana", "ben"]);
        let lost = sample.run(Command::Lose { why: "nobody answered".into() }).unwrap();
        assert_eq!(lost.settled(), [KEY_STILL_ON_IT, KEY_ATTENDED]);
        assert!(!sample.incident.is_held());
    }

    /// Ana has it; a snooze of `by` for so many seconds.
    fn taken_by_ana() -> Sample {
        Sample::declared().after(Command::Acknowledge { by: Some("ana".into()), via: "link".into() })
    }

    fn snooze(sample: &Sample, by: &str, secs: u64) -> Command {
        Command::Snooze { until: after(sample.at, Length::from_secs(secs)), by: by.into() }
    }

    #[test]
    fn who_has_it_is_reminded_and_nobody_else() {
        let mut nobodys = Sample::declared();
        assert_eq!(nobodys.refusal(snooze(&nobodys, "ana", 1_800)), "not_acknowledged");
        let mut lost = taken_by_ana().after(Command::Lose { why: "nobody answered".into() });
        assert_eq!(lost.refusal(snooze(&lost, "ana", 1_800)), "not_acknowledged");
        let mut sample = taken_by_ana();
        assert_eq!(sample.refusal(snooze(&sample, "ben", 1_800)), "not_the_holder");
        assert_eq!(sample.refusal(snooze(&sample, "ana", 0)), "in_the_past");
        assert_eq!(sample.refusal(snooze(&sample, "ana", 49)), "snooze_too_short");
        assert_eq!(sample.refusal(snooze(&sample, "ana", 24 * 3_600 + 1)), "snooze_too_long");
        for secs in [60, 24 * 3_600] {
            let snoozed = sample.run(snooze(&sample, "ana", secs)).unwrap();
            assert_eq!((snoozed.kinds(), snoozed.opened()), (vec!["snoozed"], vec![KEY_ATTENDED]));
            assert_eq!(snoozed.settled(), [KEY_STILL_ON_IT, KEY_ATTENDED]);
            assert_eq!(sample.incident.snoozed().unwrap().until, after(sample.at, Length::from_secs(secs)), "the later counts");
        }
        assert_eq!(sample.run(snooze(&sample, "ana", 24 * 3_600)).unwrap().events, [], "said again");
        assert_eq!(sample.run(Command::EndSnooze).unwrap().events, [], "it is not time");
        sample.at = after(sample.at, SNOOZE_MAX);
        let over = sample.run(Command::EndSnooze).unwrap();
        assert_eq!((over.kinds(), over.opened()), (vec!["snooze_over"], vec![KEY_ATTENDED]));
        assert_eq!((sample.incident.snoozed(), sample.incident.work.hold.acted_at), (None, Some(sample.at)));
        assert_eq!(sample.run(Command::EndSnooze).unwrap().events, [], "once");
        let mitigated = crate::incident::ending::Command::Mitigate { note: None };
        let mut mitigated = taken_by_ana().after(mitigated);
        mitigated.run(snooze(&mitigated, "ana", 1_800)).unwrap();
        let resolved = crate::incident::ending::Command::Resolve { note: None, waive: None };
        let mut resolved = mitigated.after(resolved);
        assert_eq!(resolved.incident.snoozed(), None);
        assert_eq!(resolved.refusal(snooze(&resolved, "ana", 1_800)), "already_resolved");
    }

    #[test]
    fn an_acknowledgement_that_something_came_of_is_given_back_and_stays_one() {
        use crate::incident::{Command as Any, record};
        let give_back = || Command::GiveBack { by: "ana".into(), why: "the wrong one".into() };
        let mut slip = taken_by_ana();
        slip.at = after(slip.at, Length::from_mins(60));
        slip.run(give_back()).unwrap();
        assert_eq!((slip.incident.state, slip.incident.acknowledged_at), (State::Declared, None), "time alone is nothing done");
        let note: Any = record::Command::Note { text: "it is the disk".into(), happened_at: None, marking: None }.into();
        let task: Any = crate::incident::tasks::Command::Add { text: "free it".into(), owner: None, due_at: None }.into();
        let role: Any = roles::Command::Take { role: "scribe".into(), person: "ben".into(), why: None }.into();
        let severity: Any = declaration::Command::SetSeverity { severity: Severity::Sev2, why: "seen".into() }.into();
        for command in [note, task, role, severity] {
            let shown = format!("{command:?}");
            let mut sample = taken_by_ana();
            let acknowledged = sample.incident.acknowledged_at;
            sample.at = after(sample.at, Length::from_mins(60));
            sample.run(command).unwrap();
            sample.run(give_back()).unwrap();
            assert_eq!((sample.incident.state, sample.incident.acknowledged_at), (State::Investigating, acknowledged), "{shown}");
            assert_eq!((sample.incident.is_held(), sample.incident.commander.as_deref()), (false, None), "{shown}");
            sample.run(Command::Acknowledge { by: Some("ben".into()), via: "link".into() }).unwrap();
            assert_eq!((sample.incident.is_held(), sample.incident.acknowledged_at), (true, acknowledged), "{shown}");
            assert_eq!((sample.incident.commander.as_deref(), sample.incident.work.hold.by.as_deref()), (Some("ben"), Some("ben")));
        }
    }

    #[test]
    fn a_snooze_is_void_where_what_it_was_said_of_is_not_so_any_more() {
        use crate::incident::Command as Any;
        let acknowledge = |by: &str| Command::Acknowledge { by: Some(by.into()), via: "link".into() };
        let severity = |severity| declaration::Command::SetSeverity { severity, why: "seen".into() };
        let take = |role: &str| roles::Command::Take { role: role.into(), person: "ben".into(), why: None };
        let cases: [(Any, bool, &[&str]); 8] = [
            (acknowledge("ben").into(), true, &[KEY_ATTENDED]),
            (Command::StillOnIt { by: Some("ana".into()), via: "link".into() }.into(), false, &[KEY_ATTENDED]),
            (Command::Lose { why: "a test".into() }.into(), true, &[]),
            (severity(Severity::Sev1).into(), true, &[KEY_UPDATE, KEY_ATTENDED]),
            (severity(Severity::Sev4).into(), false, &[KEY_UPDATE, KEY_ATTENDED]),
            (take(COMMANDER).into(), true, &[KEY_ATTENDED]),
            (roles::Command::Leave { role: COMMANDER.into(), why: None }.into(), true, &[KEY_ATTENDED, "role:commander"]),
            (take("scribe").into(), false, &[]),
        ];
        for (command, is_void, opened) in cases {
            let shown = format!("{command:?}");
            let mut sample = taken_by_ana();
            sample.run(snooze(&sample, "ana", 6 * 3_600)).unwrap();
            let until = sample.incident.snoozed().unwrap().until;
            let happened = sample.run(command).unwrap();
            assert_eq!((sample.incident.snoozed().is_none(), happened.opened()), (is_void, opened.to_vec()), "{shown}");
            if let Some(due_at) = happened.due_at(KEY_ATTENDED) {
                assert_eq!(due_at == until, !is_void, "{shown}");
            }
            sample.at = until;
            assert_eq!(sample.run(Command::EndSnooze).unwrap().events.is_empty(), is_void, "{shown}");
        }
    }
}
