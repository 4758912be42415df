//! How an incident gets better and ends, and how it turns out not to be over.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ask::{Ask, Came, Field, Kind, May, Program, REASON, command};
use crate::event::{Mode, event_kinds};
use crate::expect::{ATTEND_WITHIN, GRACE_DEFAULT, OVER_TOLD_AFTER, Rule, Standing};
use crate::incident::awaited::{Awaited, KEY_ATTENDED, KEY_CANDIDATE, KEY_CONFIRM, KEY_OVER};
use crate::incident::lifecycle::{self, Verb, fits};
use crate::incident::words::{self, NOTE_CHARS_MAX, Why};
use crate::incident::work::Hold;
use crate::incident::{
    Context, Decision, Incident, State, answers, decisions, obligations, one, parties, recovery, resources, roles, tasks, updates,
};
use crate::names::{Names, with_text};
use crate::time::Length;

event_kinds! {
    /// A fact; past tense.
    Event {
        Mitigated(Mitigated) = "mitigated" [Key],
        Resolved(Resolved) = "resolved" [Key, Ends],
        Reopened(Reopened) = "reopened" [Key],
        Cancelled(Why) = "cancelled" [Key, Ends],
        Closed(Closed) = "closed" [Key, Ends],
    }
}

/// Body of `mitigated`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mitigated {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Whether it was mitigated before: the first time is the one that counts.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub again: bool,
}

/// Body of `reopened`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reopened {
    pub why: String,
    /// Whether the time of its mitigation stands; in what earlier versions wrote it did not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub keeps_mitigation: bool,
    /// Obligations that the end had ended, and that are owed again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub obligations: Vec<obligations::Named>,
}

/// A reopening, with what it brings back.
pub(in crate::incident) fn reopened(incident: &Incident, why: String) -> Event {
    Event::Reopened(Reopened { why, keeps_mitigation: true, obligations: obligations::ended(incident) })
}

/// Body of `resolved`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Resolved {
    /// Whether it recovered with nobody on it.
    pub by_itself: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Body of `closed`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Closed {}

/// A command; imperative.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// The impact is reduced.
    Mitigate { note: Option<String> },
    /// Service is normal.
    Resolve {
        note: Option<String>,
        /// Why open items of recovery may stay so, where there are any.
        waive: Option<String>,
    },
    /// It is not over.
    Reopen { why: String },
    /// It was none.
    Cancel { why: String },
    /// Nothing is left to do.
    Close {
        /// The same.
        waive: Option<String>,
    },
}

impl Command {
    /// Whether people ask for it as it is; the rest follows from something else.
    pub(in crate::incident) const fn is_asked(&self) -> bool {
        match self {
            Self::Mitigate { .. } | Self::Resolve { .. } | Self::Reopen { .. } | Self::Cancel { .. } | Self::Close { .. } => true,
        }
    }
}

/// What people may ask.
pub(crate) const ASKS: &[Ask] = &[
    Ask {
        verb: Verb::Mitigate,
        label: "Mitigated",
        says: "The impact is reduced",
        press: "Mark as mitigated",
        body: "NoteBody",
        programs: &[Program::of("mitigate")],
        may: May::Responder,
        fields: &[NOTE.label("What reduced the impact?")],
        ways: &[],
        make: |given, _| command(Command::Mitigate { note: given.text("note") }),
        came: Came::Itself,
    },
    Ask {
        verb: Verb::Resolve,
        label: "Resolve",
        says: "Service is normal again",
        press: "Resolve",
        body: "ResolveBody",
        programs: &[Program::of("resolve")],
        may: May::Responder,
        fields: &[NOTE.label("What made it normal again?"), recovery::WAIVE],
        ways: &[],
        make: |given, _| command(Command::Resolve { note: given.text("note"), waive: given.text("waive") }),
        came: Came::Itself,
    },
    Ask {
        verb: Verb::Reopen,
        label: "Reopen",
        says: "It is not over",
        press: "Reopen",
        body: "WhyBody",
        programs: &[Program::of("reopen")],
        may: May::Responder,
        fields: &[REASON.label("Why is it not over?")],
        ways: &[],
        make: |given, _| command(Command::Reopen { why: given.must("why") }),
        came: Came::Itself,
    },
    Ask {
        verb: Verb::Cancel,
        label: "Cancel: it was no incident",
        says: "It was none",
        press: "Cancel it",
        body: "WhyBody",
        programs: &[Program::of("cancel")],
        may: May::Responder,
        fields: &[REASON.label("Why is it no incident?")],
        ways: &[],
        make: |given, _| command(Command::Cancel { why: given.must("why") }),
        came: Came::Itself,
    },
    Ask {
        verb: Verb::Close,
        label: "Close",
        says: "Nothing is left to do",
        press: "Close",
        body: "CloseBody",
        programs: &[Program::of("close")],
        may: May::Responder,
        fields: &[recovery::WAIVE],
        ways: &[],
        make: |given, _| command(Command::Close { waive: given.text("waive") }),
        came: Came::Itself,
    },
];

/// What helped.
const NOTE: Field = Field::may("note", "the note", "What helped?", Kind::Words { max: NOTE_CHARS_MAX }).hint("What helped");

pub(in crate::incident) fn decide(incident: &Incident, command: Command, context: Context) -> Decision {
    match command {
        Command::Mitigate { note } => {
            fits(incident, Verb::Mitigate)?;
            one(Event::Mitigated(Mitigated { text: words::note(note)?, again: incident.mitigated_at.is_some() }))
        }
        Command::Resolve { note, waive } => {
            fits(incident, Verb::Resolve)?;
            let mut events = recovery::before_the_end(incident, waive, false)?;
            events.push(Event::Resolved(Resolved { by_itself: false, note: words::note(note)? }).into());
            Ok(events)
        }
        Command::Reopen { why } => {
            fits(incident, Verb::Reopen)?;
            words::needed(&why, "the reason")?;
            one(reopened(incident, why))
        }
        Command::Cancel { why } => {
            fits(incident, Verb::Cancel)?;
            words::needed(&why, "the reason")?;
            let mut events = obligations::before_a_cancelling(incident);
            events.push(Event::Cancelled(Why { why }).into());
            Ok(events)
        }
        Command::Close { waive } => {
            fits(incident, Verb::Close)?;
            answers::before_closing(incident, context.types)?;
            let mut events = obligations::before_the_end(incident, waive.as_ref())?;
            events.extend(recovery::before_the_end(incident, waive, context.review_open)?);
            events.push(Event::Closed(Closed {}).into());
            Ok(events)
        }
    }
}

pub(in crate::incident) fn evolve(incident: &mut Incident, event: &Event, at: Timestamp) {
    match event {
        Event::Mitigated(body) => {
            incident.state = lifecycle::after(incident, Verb::Mitigate);
            if !body.again {
                incident.mitigated_at = Some(at);
            }
        }
        Event::Resolved(body) => {
            incident.work.hold = Hold::default();
            incident.alarms.by_itself = body.by_itself;
            incident.state = State::Resolved;
            incident.resolved_at = Some(at);
        }
        Event::Reopened(body) => {
            incident.state = State::Investigating;
            if !body.keeps_mitigation {
                incident.mitigated_at = None;
            }
            incident.resolved_at = None;
            incident.closed_at = None;
            incident.recovered = false;
            incident.alarms.by_itself = false;
            incident.work.updates_missed = 0;
            recovery::ask_again(incident);
            obligations::owe_again(incident, &body.obligations);
            // Whoever had it when it ended thinks it is over.
            incident.work.hold = Hold { lost: true, ..Hold::default() };
            incident.reopened += 1;
        }
        Event::Cancelled(_) => {
            incident.work.hold = Hold::default();
            incident.state = State::Cancelled;
            incident.closed_at = Some(at);
        }
        Event::Closed(_) => {
            incident.state = State::Closed;
            incident.closed_at = Some(at);
        }
    }
}

pub(in crate::incident) fn react(incident: &Incident, event: &Event, awaited: &mut Awaited) {
    match event {
        Event::Mitigated(_) | Event::Closed(_) => {}
        Event::Resolved(body) => {
            awaited.settle(KEY_CONFIRM, Standing::Met, "it was resolved");
            awaited.settle_all("it was resolved");
            // What a regulator is owed is owed all the same.
            obligations::await_again(incident, awaited);
            // What recovered by itself may come back within the grace, as if it had never gone.
            awaited.open(KEY_OVER, Rule::IncidentOver, if body.by_itself { GRACE_DEFAULT } else { OVER_TOLD_AFTER });
        }
        Event::Reopened(body) => {
            awaited.open(KEY_ATTENDED, Rule::Attended, ATTEND_WITHIN);
            awaited.settle(KEY_OVER, Standing::Void, "it was reopened");
            await_again(incident, incident.work.cadence(), awaited);
            obligations::await_named(incident, &body.obligations, awaited);
        }
        Event::Cancelled(_) => {
            awaited.settle(KEY_CANDIDATE, Standing::Met, "it was cancelled");
            awaited.settle_all("it was cancelled");
            // Of a test nobody has to hear twice.
            if incident.mode != Mode::Exercise {
                awaited.open(KEY_OVER, Rule::IncidentOver, OVER_TOLD_AFTER);
            }
        }
    }
}

/// What was still to be done, or to be answered, when an incident ended is awaited again; what was due meanwhile is late
/// at once.
pub(in crate::incident) fn await_again(incident: &Incident, update: Option<Length>, awaited: &mut Awaited) {
    updates::await_next(update, awaited);
    tasks::await_again(incident, awaited);
    decisions::await_again(incident, awaited);
    roles::await_again(incident, awaited);
    parties::await_again(incident, awaited);
    resources::await_again(incident, awaited);
}

pub(in crate::incident) fn line(event: &Event, names: &Names<'_>) -> String {
    let who = names.who();
    match event {
        Event::Mitigated(body) => with_text(format!("{who}: mitigated"), body.text.as_deref()),
        Event::Resolved(body) if body.by_itself => "Recovered by itself; resolved".into(),
        Event::Resolved(body) => with_text(format!("{who} resolved it"), body.note.as_deref()),
        Event::Reopened(body) if body.obligations.is_empty() => format!("{who} reopened it: {}", body.why),
        Event::Reopened(body) => {
            format!("{who} reopened it: {}. Owed again, since the end had ended it: {}", body.why, obligations::listed(&body.obligations))
        }
        Event::Cancelled(body) => format!("Cancelled: {}", body.why),
        Event::Closed(_) => format!("{who} closed it"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::Sample;
    use super::*;

    #[test]
    fn an_end_settles_everything_and_a_reopening_clears_only_what_it_undoes() {
        let mut sample = Sample::declared().after(Command::Mitigate { note: None });
        let resolved = sample.run(Command::Resolve { note: Some("rolled back".into()), waive: None }).unwrap();
        assert_eq!((resolved.settled(), resolved.opened()), (vec![KEY_CONFIRM, "*"], vec![KEY_OVER]));
        assert_eq!(sample.refusal(Command::Reopen { why: String::new() }), "words_missing");
        let reopened = sample.run(Command::Reopen { why: "errors came back".into() }).unwrap();
        assert!(reopened.opened().contains(&KEY_ATTENDED));
        let incident = &sample.incident;
        assert_eq!((incident.state, incident.resolved_at), (State::Investigating, None));
        assert!(incident.declared_at.is_some() && incident.reopened == 1);
        assert_eq!(sample.refusal(Command::Close { waive: None }), "not_resolved");
        // The first mitigation is the one that counts, whatever came after it.
        let first = sample.incident.mitigated_at;
        sample.run(Command::Mitigate { note: None }).unwrap();
        assert!(first.is_some() && sample.incident.mitigated_at == first);
    }
}
