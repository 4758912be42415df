//! People who are scarce, moved from one incident to another: they leave what they had in the one, and are called to the other.
//!
//! Both logs say who, from where, to where and why. What somebody leaves does not vanish: roles are offered to whoever is named instead or
//! are vacant, tasks go to them or are nobody's, and where whoever goes was the last who had the incident, nobody has it.
//!
//! Not here: who may move whom, and who is paged (`engine::core::moving`).

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ask::{self, Ask, Asked, Came, Field, Kind, May, Program, REASON};
use crate::event::event_kinds;
use crate::expect::{ATTEND_WITHIN, Rule, Standing};
use crate::ids::IncidentId;
use crate::incident::awaited::{Awaited, KEY_ATTENDED};
use crate::incident::lifecycle::{Verb, fits};
use crate::incident::words::{self, NOTE_CHARS_MAX};
use crate::incident::work::TaskState;
use crate::incident::{Decision, Incident, one};
use crate::names::{Names, with_text};

event_kinds! {
    /// A fact; past tense.
    Event {
        Away(Away) = "person_moved_away" [Key],
        Here(Here) = "person_moved_here" [Key],
    }
}

/// Body of `person_moved_away`, of the incident that they leave.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Away {
    pub person: String,
    /// Where they go.
    pub incident: IncidentId,
    #[serde(rename = "ref")]
    pub reference: String,
    pub why: String,
    /// Who is asked to have it instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instead: Option<String>,
    /// Roles that they had.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
    /// Open tasks that were theirs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tasks: Vec<u32>,
}

/// Body of `person_moved_here`, of the incident that they are called to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Here {
    pub person: String,
    /// Where they come from.
    pub incident: IncidentId,
    #[serde(rename = "ref")]
    pub reference: String,
    pub why: String,
}

/// A command; imperative.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Somebody goes to another incident.
    Leave(Away),
    /// Somebody comes from another one.
    Arrive(Here),
}

impl Command {
    /// Whether people ask for it as it is: it is one decision over two incidents, which the engine makes.
    pub(in crate::incident) const fn is_asked(&self) -> bool {
        match self {
            Self::Leave(_) | Self::Arrive(_) => false,
        }
    }
}

/// Why not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error(
        "{reference} is private and seen by others than this incident, and each log names the other: admit the same people to both first"
    )]
    SeenByOthers { reference: String },
    #[error("that is this incident itself: name the one that they go to")]
    ToItself,
    #[error("{person} has no role and no open task here, does not have it and is not asked: page them for {reference} instead")]
    NotInIt { person: String, reference: String },
    #[error("{reference} is over: move them to one that is open")]
    ToWhatIsOver { reference: String },
    #[error("{person} may not see {reference}: let somebody admit them there first (`admit`)")]
    Unseen { person: String, reference: String },
    #[error(
        "{person} has {what} here: name who has it instead (`instead`), or say that it may be nobody’s until somebody takes it (`uncovered`)"
    )]
    Uncovered { person: String, what: String },
    #[error("{person} goes, and cannot have it instead: name somebody else")]
    InsteadOfThemself { person: String },
    #[error("nothing reaches {person}, who would not hear of it: give them a contact that can be used, or ask them yourself")]
    Unreached { person: String },
}

impl Refusal {
    /// The stable code of the API.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::SeenByOthers { .. } => "seen_by_others",
            Self::ToItself => "move_to_itself",
            Self::NotInIt { .. } => "not_in_it",
            Self::ToWhatIsOver { .. } => "move_to_what_is_over",
            Self::Unseen { .. } => "move_unseen",
            Self::Uncovered { .. } => "move_uncovered",
            Self::InsteadOfThemself { .. } => "instead_of_themself",
            Self::Unreached { .. } => "move_unreached",
        }
    }
}

/// What people may ask.
pub(crate) const ASKS: &[Ask] = &[Ask {
    verb: Verb::Move,
    label: "Move somebody to another incident",
    says: "Somebody who is needed more elsewhere leaves this one, and is paged for the other",
    press: "Move them",
    body: "MoveBody",
    programs: &[Program::of("move").places(&["person", "to"])],
    may: May::Responder,
    fields: &[
        Field::needed("person", "who goes", "Who goes", Kind::Person).hint("A person's id: whoever has a role, a task or the incident"),
        Field::needed("to", "the other incident", "To which incident", Kind::Incident).hint("Which: INC-142, or the id"),
        REASON.hint("Why; both logs say it"),
        Field::may("instead", "who has it instead", "Who has it instead", Kind::Person)
            .hint("A person's id: roles are offered to them, and open tasks are theirs"),
        Field::may("uncovered", "that it is nobody's for now", "It may be nobody’s for now", Kind::Flag)
            .hint("Whether roles may be vacant and tasks nobody's until somebody takes them"),
    ],
    ways: &[&["person", "to", "why", "instead"], &["person", "to", "why", "uncovered"]],
    make: |given, _| {
        let (instead, uncovered) = (given.text("instead"), given.flag("uncovered").unwrap_or(false));
        if instead.is_some() && uncovered {
            return Err(ask::Refusal::Together("give either `instead`, who has it then, or `uncovered`, where nobody does".into()));
        }
        let (person, to, why) = (given.must("person"), given.must("to"), given.must("why"));
        Ok(Asked::Move(ask::Move { person, to, why, instead, uncovered }))
    },
    came: Came::Itself,
}];

/// What somebody has in an incident.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stake {
    /// Roles that they hold.
    pub roles: Vec<String>,
    /// Roles that nobody holds, and that they were asked to take.
    pub offered: Vec<String>,
    /// Their open tasks, by number.
    pub tasks: Vec<u32>,
    /// Whether they have the incident, alone or with others.
    pub has_it: bool,
    /// Whether nobody else is known to have it.
    pub last: bool,
    /// Whether they were moved here.
    pub came: bool,
}

impl Stake {
    /// Of a person.
    #[must_use]
    pub fn of(incident: &Incident, person: &str) -> Self {
        let is = |who: &Option<String>| who.as_deref() == Some(person);
        let roles = &incident.work.roles;
        let held = incident.is_held();
        let having: BTreeSet<&str> = incident.commander.as_deref().into_iter().chain(incident.work.hold.by.as_deref()).collect();
        let open = incident.work.tasks.iter().filter(|task| task.state == TaskState::Open && is(&task.owner));
        Self {
            roles: roles.iter().filter(|(_, role)| is(&role.person)).map(|(id, _)| id.clone()).collect(),
            offered: roles.iter().filter(|(_, role)| role.person.is_none() && is(&role.offered_to)).map(|(id, _)| id.clone()).collect(),
            tasks: open.map(|task| task.task).collect(),
            has_it: held && having.contains(person),
            last: held && having.iter().all(|who| *who == person) && having.contains(person),
            came: incident.work.came.contains(person),
        }
    }

    /// Whether they have nothing to do with it.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// What somebody else has to have; nothing where that is nothing.
    #[must_use]
    pub fn to_cover(&self) -> Option<String> {
        what(&self.roles, &self.tasks)
    }
}

/// `commander, and tasks 1 and 3`.
fn what(roles: &[String], tasks: &[u32]) -> Option<String> {
    let tasks = match tasks {
        [] => None,
        [one] => Some(format!("task {one}")),
        [before @ .., last] => Some(format!("tasks {} and {last}", before.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))),
    };
    let parts: Vec<String> = roles.iter().cloned().chain(tasks).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

pub(in crate::incident) fn decide(incident: &Incident, command: Command) -> Decision {
    fits(incident, Verb::Move)?;
    let why = match &command {
        Command::Leave(body) => &body.why,
        Command::Arrive(body) => &body.why,
    };
    words::needed(why, "the reason")?;
    words::at_most(why, "the reason", NOTE_CHARS_MAX)?;
    match command {
        Command::Leave(body) if body.incident == incident.id => Err(Refusal::ToItself.into()),
        Command::Leave(body) => one(Event::Away(body)),
        Command::Arrive(body) => one(Event::Here(body)),
    }
}

pub(in crate::incident) fn evolve(incident: &mut Incident, event: &Event, at: Timestamp) {
    match event {
        Event::Away(body) => {
            incident.work.came.remove(&body.person);
            incident.work.away.insert(body.person.clone());
            let commander = incident.commander.clone().filter(|commander| *commander != body.person);
            let hold = &mut incident.work.hold;
            if hold.by.as_ref() == Some(&body.person) {
                hold.by = commander;
            }
            // Nobody is there who asked for it.
            if let Some(snooze) = hold.snoozed.as_mut().filter(|snooze| snooze.by == body.person) {
                snooze.void_at.get_or_insert(at);
            }
        }
        Event::Here(body) => {
            incident.work.away.remove(&body.person);
            incident.work.came.insert(body.person.clone());
        }
    }
}

pub(in crate::incident) fn react(incident: &Incident, event: &Event, awaited: &mut Awaited) {
    if let Event::Away(body) = event
        && incident.work.hold.snoozed.as_ref().is_some_and(|snooze| snooze.by == body.person && snooze.void_at == Some(awaited.at))
    {
        awaited.settle(KEY_ATTENDED, Standing::Void, "whoever asked to be reminded was moved to another incident");
        awaited.open(KEY_ATTENDED, Rule::Attended, ATTEND_WITHIN);
    }
}

pub(in crate::incident) fn line(event: &Event, names: &Names<'_>) -> String {
    match event {
        Event::Away(body) => {
            let left = what(&body.roles, &body.tasks);
            let left = match (left, &body.instead) {
                (None, _) => String::new(),
                (Some(left), Some(instead)) => format!("; {} is to have {left}", names.person(instead)),
                (Some(left), None) => format!("; nobody has {left}"),
            };
            with_text(format!("{} moved {} to {}{left}", names.who(), names.by(Some(&body.person)), body.reference), Some(&body.why))
        }
        Event::Here(body) => {
            with_text(format!("{} moved {} here from {}", names.who(), names.by(Some(&body.person)), body.reference), Some(&body.why))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::Sample;
    use super::*;
    use crate::incident::{attendance, tasks};
    use crate::time::{Length, after};

    fn away(person: &str) -> Command {
        Command::Leave(Away {
            person: person.into(),
            incident: IncidentId::from_bits(9),
            reference: "INC-9".into(),
            why: "it is worse there".into(),
            instead: None,
            roles: vec!["commander".into()],
            tasks: vec![1],
        })
    }

    fn acknowledge(by: &str) -> attendance::Command {
        attendance::Command::Acknowledge { by: Some(by.into()), via: "link".into() }
    }

    #[test]
    fn what_somebody_has_is_known_and_whether_anybody_else_has_the_incident() {
        let task = tasks::Command::Add { text: "call".into(), owner: Some("ana".into()), due_at: None };
        let sample = Sample::declared().after(acknowledge("ana")).after(task);
        let stake = Stake::of(&sample.incident, "ana");
        assert_eq!(stake.to_cover().as_deref(), Some("commander, task 1"));
        assert!(stake.last && stake.has_it && Stake::of(&sample.incident, "ben").is_none());
        let sample = sample.after(acknowledge("ben"));
        assert!(!Stake::of(&sample.incident, "ana").last && !Stake::of(&sample.incident, "ben").last, "both have it");
    }

    #[test]
    fn whoever_goes_has_it_no_more_and_whoever_stays_has() {
        let mut sample = Sample::declared().after(acknowledge("ana")).after(acknowledge("ben"));
        sample.run(away("ben")).unwrap();
        assert_eq!(sample.incident.work.hold.by.as_deref(), Some("ana"), "she commands it");
        assert!(sample.incident.is_held() && sample.incident.work.away.contains("ben"));
        sample.run(acknowledge("ben")).unwrap();
        assert!(!sample.incident.work.away.contains("ben"), "he is back by himself");
        let to_itself = Command::Leave(Away { incident: sample.incident.id, ..body("ben") });
        assert_eq!(sample.refusal(to_itself), "move_to_itself");
        let silent = Command::Leave(Away { why: " ".into(), ..body("ben") });
        assert_eq!(sample.refusal(silent), "words_missing");
    }

    #[test]
    fn what_was_put_off_by_whoever_goes_is_looked_at_soon() {
        let mut sample = Sample::declared().after(acknowledge("ana"));
        let until = after(sample.at, Length::from_mins(600));
        sample.run(attendance::Command::Snooze { until, by: "ana".into() }).unwrap();
        let happened = sample.run(away("ana")).unwrap();
        assert_eq!((happened.settled(), happened.opened()), (vec![KEY_ATTENDED], vec![KEY_ATTENDED]));
        assert!(happened.due_at(KEY_ATTENDED).unwrap() < until && sample.incident.snoozed().is_none());
    }

    fn body(person: &str) -> Away {
        let Command::Leave(body) = away(person) else { panic!("it is one") };
        body
    }
}
