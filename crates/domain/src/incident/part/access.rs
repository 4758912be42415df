//! Who may see an incident: private ones are seen by administrators, managers of its team and those admitted.

use serde::{Deserialize, Serialize};

use crate::ask::{Ask, Came, Field, Kind, May, Program, REASON, command};
use crate::event::event_kinds;
use crate::incident::lifecycle::{Verb, fits};
use crate::incident::words::{self, NOTE_CHARS_MAX, Why};
use crate::incident::{Decision, Incident, nothing, one};
use crate::names::Names;

event_kinds! {
    /// A fact; past tense.
    Event {
        Restricted(Restricted) = "restricted" admits(people),
        OpenedUp(Why) = "opened_up",
        Admitted(Admitted) = "admitted" admits(people),
    }
}

/// Body of `restricted`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Restricted {
    pub why: String,
    /// Ids of those who are admitted from the start: paged people, and whoever restricts it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<String>,
}

/// Body of `admitted`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Admitted {
    /// Ids.
    pub people: Vec<String>,
    pub why: String,
}

/// A command; imperative.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Only some may see it from now on: these, and whoever is admitted later.
    Restrict { why: String, people: Vec<String> },
    /// Everybody may see it again.
    OpenUp { why: String },
    /// These may see it, and why.
    Admit { people: Vec<String>, why: String },
}

impl Command {
    /// Whether people ask for it as it is; the rest follows from something else.
    pub(in crate::incident) const fn is_asked(&self) -> bool {
        match self {
            Self::Restrict { .. } | Self::OpenUp { .. } | Self::Admit { .. } => true,
        }
    }
}

/// What people may ask.
pub(crate) const ASKS: &[Ask] = &[
    Ask {
        verb: Verb::Restrict,
        label: "Make private",
        says: "Only those it concerns see it from now on",
        press: "Make it private",
        body: "WhyBody",
        programs: &[Program::of("restrict")],
        may: May::WhoStillSees,
        fields: &[REASON.label("Why may only few see it?")],
        ways: &[],
        make: |given, _| command(Command::Restrict { why: given.must("why"), people: Vec::new() }),
        came: Came::Sight,
    },
    Ask {
        verb: Verb::OpenUp,
        label: "Open up",
        says: "Everybody may see it again",
        press: "Open it up",
        body: "WhyBody",
        programs: &[Program::of("open-up")],
        may: May::Responder,
        fields: &[REASON.label("Why may everybody see it?")],
        ways: &[],
        make: |given, _| command(Command::OpenUp { why: given.must("why") }),
        came: Came::Sight,
    },
    Ask {
        verb: Verb::Admit,
        label: "Admit",
        says: "Somebody may see it, though it is private",
        press: "Admit",
        body: "AdmitBody",
        programs: &[Program::of("admit").places(&["person"])],
        may: May::Responder,
        fields: &[Field::needed("person", "who is admitted", "Who may see it, too", Kind::Person).hint("A person's id"), REASON.or_not()],
        ways: &[],
        make: |given, _| {
            let why = given.text("why").unwrap_or_else(|| ADMITTED_BY_A_PERSON.to_owned());
            command(Command::Admit { people: vec![given.must("person")], why })
        },
        came: Came::Sight,
    },
];

/// Why somebody was admitted where nobody said.
const ADMITTED_BY_A_PERSON: &str = "admitted by a person";

pub(in crate::incident) fn decide(incident: &Incident, command: Command) -> Decision {
    match command {
        Command::Restrict { why, people } => {
            fits(incident, Verb::Restrict)?;
            words::needed(&why, "the reason")?;
            let people = not_yet_admitted(incident, people);
            // Private for a merge alone is not what somebody says now.
            let for_a_merge = incident.work.merge.as_ref().is_some_and(|merge| merge.was_public);
            if incident.private && people.is_empty() && !for_a_merge {
                return nothing();
            }
            words::at_most(&why, "the note", NOTE_CHARS_MAX)?;
            one(Event::Restricted(Restricted { why, people }))
        }
        Command::OpenUp { why } => {
            fits(incident, Verb::OpenUp)?;
            words::needed(&why, "the reason")?;
            if !incident.private {
                return nothing();
            }
            words::at_most(&why, "the note", NOTE_CHARS_MAX)?;
            one(Event::OpenedUp(Why { why }))
        }
        Command::Admit { people, why } => {
            fits(incident, Verb::Admit)?;
            // Whoever sees it for an offer alone sees it from now on whatever becomes of that.
            let lent = |person: &String| incident.work.transfers.offer.as_ref().is_some_and(|offer| offer.lent.contains(person));
            let (mut new, known): (Vec<String>, Vec<String>) = people.into_iter().partition(lent);
            new.extend(not_yet_admitted(incident, known));
            new.sort_unstable();
            new.dedup();
            if new.is_empty() { nothing() } else { one(Event::Admitted(Admitted { people: new, why })) }
        }
    }
}

fn not_yet_admitted(incident: &Incident, people: Vec<String>) -> Vec<String> {
    let mut new: Vec<String> = people.into_iter().filter(|person| !incident.admitted.contains(person)).collect();
    new.sort_unstable();
    new.dedup();
    new
}

pub(in crate::incident) fn evolve(incident: &mut Incident, event: &Event) {
    match event {
        Event::Restricted(_) => incident.private = true,
        Event::OpenedUp(_) => incident.private = false,
        Event::Admitted(_) => {}
    }
}

pub(in crate::incident) fn line(event: &Event, names: &Names<'_>) -> String {
    match event {
        Event::Restricted(body) => format!("{} made it private: {}", names.who(), body.why),
        Event::OpenedUp(body) => format!("{} opened it to everybody: {}", names.who(), body.why),
        Event::Admitted(body) => format!("{} may see it: {}", names.people(&body.people).join(", "), body.why),
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::Sample;
    use super::*;

    #[test]
    fn whoever_is_admitted_is_so_once_and_stays() {
        let mut sample = Sample::declared();
        let admit = |people: &[&str]| Command::Admit { people: people.iter().map(|id| (*id).to_owned()).collect(), why: "helps".into() };
        let admitted = sample.run(admit(&["cho", "ben", "cho"])).unwrap();
        assert_eq!(admitted.events[0].admits(), ["ben", "cho"]);
        assert_eq!(sample.run(admit(&["ben"])).unwrap().events, []);
        let restrict = |people: &[&str]| Command::Restrict {
            why: "a person is named".into(),
            people: people.iter().map(|id| (*id).to_owned()).collect(),
        };
        sample.run(restrict(&["ana", "ben"])).unwrap();
        assert_eq!(sample.run(restrict(&["ana"])).unwrap().events, []);
        let opened = sample.after(Command::OpenUp { why: "it is known".into() }).incident;
        assert_eq!((opened.private, opened.admitted.len()), (false, 3));
    }
}
