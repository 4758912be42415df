//! Further responders: people, teams, whoever is on call or a policy are asked to come to an incident, and each accepts, or
//! declines with a reason.
//!
//! Each request has a page of its own that looks for them; whoever accepts takes nothing from whoever has the incident. Not
//! here: how they are paged, and who may answer for whom (`engine::core::responders`).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ask::{self, Ask, Came, Field, Kind, May, Program, REASON, command};
use crate::event::event_kinds;
use crate::ids::PageId;
use crate::incident::lifecycle::{Verb, fits};
use crate::incident::responder::{ResponderAnswer, ResponderRequest};
use crate::incident::words::{self, NOTE_CHARS_MAX};
use crate::incident::{Context, Decision, Incident, nothing, one};
use crate::names::{Names, with_text};
use crate::time::{Length, after};

/// Requests of one incident that wait for an answer, at most: whoever asks more has not read what was answered.
pub const REQUESTS_OPEN_MAX: usize = 20;
/// Requests of one incident at most, those that ended with it.
pub const REQUESTS_KEPT_MAX: usize = 200;
/// Longest reason for a request: it is read on a telephone.
pub const WHY_CHARS_MAX: usize = 300;
/// How long those who are asked by name have to answer, where nothing is said: twice a usual step, since somebody has the incident.
pub const ANSWER_WITHIN: Length = Length::from_mins(10);
/// The longest that is waited for an answer: who is wanted tomorrow is given a task.
pub const ANSWER_WITHIN_MAX: Length = Length::from_mins(24 * 60);

event_kinds! {
    /// A fact; past tense.
    Event {
        Asked(Asked) = "responders_asked" [Key],
        Accepted(Answered) = "responder_accepted" [Key],
        Declined(Answered) = "responder_declined",
        Cancelled(Cancelled) = "responders_cancelled",
        Unanswered(Unanswered) = "responders_unanswered" [Key],
    }
}

/// Body of `responders_asked`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Asked {
    /// From 1, within the incident.
    pub request: u32,
    /// Whom: targets as in a step.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<String>,
    /// The policy that is asked by instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalation: Option<String>,
    /// Whom the targets name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    pub why: String,
    pub due_at: Timestamp,
    pub page: PageId,
}

/// Body of `responder_accepted` and `responder_declined`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answered {
    pub request: u32,
    pub person: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// Body of `responders_cancelled`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cancelled {
    pub request: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// Body of `responders_unanswered`: the time passed, or nobody is left who could be reached.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Unanswered {
    pub request: u32,
    /// Who was asked by name and has not answered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<String>,
}

/// What is answered, or that nobody is wanted any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    Accepted,
    Declined,
    Cancelled,
}

impl Said {
    /// All of them, as they are written.
    pub const WORDS: [&'static str; 3] = ["accept", "decline", "cancel"];

    fn from_word(word: &str) -> Option<Self> {
        match word {
            "accept" => Some(Self::Accepted),
            "decline" => Some(Self::Declined),
            "cancel" => Some(Self::Cancelled),
            _ => None,
        }
    }
}

/// A command; imperative.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// These are asked. Who they are, who asks, and by which page is filled in where it is decided.
    Ask { targets: Vec<String>, escalation: Option<String>, why: String, within: Option<Length>, found: Option<Found> },
    /// One of them answers, or whoever asked does not want them any more. `person` is filled in where it is decided.
    Say { request: u32, said: Said, person: Option<String>, why: Option<String> },
    /// The time has passed.
    Miss { request: u32 },
}

/// What stands beside what is asked: whom it names, who asks, and the page.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    pub people: Vec<String>,
    pub by: Option<String>,
    pub page: PageId,
}

impl Command {
    /// Whether people ask for it as it is; the rest follows from something else.
    pub(in crate::incident) const fn is_asked(&self) -> bool {
        match self {
            Self::Ask { .. } | Self::Say { .. } => true,
            Self::Miss { .. } => false,
        }
    }
}

/// Why not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("there is no request {request} for responders in this incident")]
    NoSuchRequest { request: u32 },
    #[error("request {request} was cancelled: nobody is asked by it any more")]
    Cancelled { request: u32 },
    #[error("{person} was not asked by request {request}: only whoever was answers it")]
    NotAsked { request: u32, person: String },
    #[error("requests for responders are at most {max}: cancel some first")]
    TooMany { max: usize },
    #[error("an answer is wanted within more than no time and at most {most}")]
    Within { most: Length },
}

impl Refusal {
    /// The stable code of the API.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoSuchRequest { .. } => "no_such_responder_request",
            Self::Cancelled { .. } => "responder_request_cancelled",
            Self::NotAsked { .. } => "not_asked",
            Self::TooMany { .. } => "too_many_responder_requests",
            Self::Within { .. } => "answer_within",
        }
    }
}

/// What people may ask.
pub(crate) const ASKS: &[Ask] = &[
    Ask {
        verb: Verb::Responders,
        label: "Ask for responders",
        says: "Pages further people, who accept or decline; whoever has the incident keeps it",
        press: "Ask them",
        body: "RespondersBody",
        programs: &[Program::of("add-responders")],
        may: May::Responder,
        fields: &[
            Field::may("page", "whom to ask", "Whom", Kind::Targets)
                .hint("Whom to ask, as in person:ana, team:database, schedule:primary")
                .option("to", "TARGET"),
            Field::may("escalation", "the escalation policy", "By policy", Kind::Escalation)
                .hint("An escalation policy instead: its steps, until one accepts"),
            REASON.label("Why? They read this.").hint("Why, in a line: they read it"),
            Field::may("within", "when an answer is wanted", "Answer within", Kind::Length)
                .hint("How long those who are asked by name have, as in 10m, which holds where nothing is said"),
        ],
        ways: &[&["page", "why", "within"], &["escalation", "why"]],
        make: ask_for,
        came: Came::Itself,
    },
    Ask {
        verb: Verb::Responder,
        label: "Answer a request for responders",
        says: "Accepts it or declines it with a reason, each for themself; or cancels it for everybody who has not answered",
        press: "Answer",
        body: "ResponderBody",
        programs: &[Program::of("responder").places(&["request", "answer"])],
        may: May::Responder,
        fields: &[
            Field::needed("request", "the request", "Request", Kind::Number { of: "a request" }).hint("Its number, from 1"),
            Field::needed("answer", "the answer", "Answer", Kind::Choice { name: "ResponderSay", of: &Said::WORDS })
                .hint("`accept` or `decline`, each for oneself; `cancel` where nobody is wanted any more"),
            REASON.or_not(),
        ],
        ways: &[],
        make: |given, by| {
            let said = given.as_text("answer").and_then(Said::from_word).unwrap_or(Said::Cancelled);
            if said != Said::Cancelled && by.person.is_none() {
                return Err(ask::Refusal::Together("this token stands for no person who could answer: use a person's token".into()));
            }
            command(Command::Say {
                request: given.number("request").unwrap_or_default(),
                said,
                person: by.person.map(ToOwned::to_owned),
                why: given.text("why"),
            })
        },
        came: Came::Itself,
    },
];

fn ask_for(given: &ask::Given, _: &ask::By<'_>) -> Result<ask::Asked, ask::Refusal> {
    let (targets, escalation) = (given.list("page").unwrap_or_default(), given.text("escalation"));
    if targets.is_empty() == escalation.is_none() {
        return Err(ask::Refusal::Together("give either `page`, whom to ask, or `escalation`, a policy".into()));
    }
    command(Command::Ask { targets, escalation, why: given.must("why"), within: given.parsed("within"), found: None })
}

pub(in crate::incident) fn decide(incident: &Incident, command: Command, context: Context) -> Decision {
    match command {
        Command::Ask { targets, escalation, why, within, found } => {
            fits(incident, Verb::Responders)?;
            words::needed(&why, "the reason")?;
            words::at_most(&why, "the reason", WHY_CHARS_MAX)?;
            let within = within.unwrap_or(ANSWER_WITHIN);
            if within.is_zero() || within > ANSWER_WITHIN_MAX {
                return Err(Refusal::Within { most: ANSWER_WITHIN_MAX }.into());
            }
            let all = &incident.work.responders;
            let open = all.iter().filter(|request| request.is_open()).count();
            if open >= REQUESTS_OPEN_MAX || all.len() >= REQUESTS_KEPT_MAX {
                return Err(Refusal::TooMany { max: if open >= REQUESTS_OPEN_MAX { REQUESTS_OPEN_MAX } else { REQUESTS_KEPT_MAX } }.into());
            }
            // Only the engine knows whom it names; without that nobody is asked.
            let Some(Found { people, by, page }) = found else { return nothing() };
            let request = u32::try_from(all.len()).unwrap_or(u32::MAX).saturating_add(1);
            one(Event::Asked(Asked { request, targets, escalation, people, by, why, due_at: after(context.now, within), page }))
        }
        Command::Say { request, said, person, why } => {
            fits(incident, Verb::Responder)?;
            let found = incident.work.responder_request(request).ok_or(Refusal::NoSuchRequest { request })?;
            let why = why.filter(|why| !why.trim().is_empty());
            if let Some(why) = &why {
                words::at_most(why, "the reason", NOTE_CHARS_MAX)?;
            }
            if said == Said::Cancelled {
                return if found.cancelled_at.is_some() { nothing() } else { one(Event::Cancelled(Cancelled { request, why })) };
            }
            let Some(person) = person else { return nothing() };
            let accepted = said == Said::Accepted;
            // Again, it says nothing new; the other answer does, and a late one counts.
            if found.answer_of(&person).is_some_and(|answer| answer.accepted == accepted) {
                return nothing();
            }
            if found.cancelled_at.is_some() {
                return Err(Refusal::Cancelled { request }.into());
            }
            if found.escalation.is_none() && !found.people.contains(&person) {
                return Err(Refusal::NotAsked { request, person }.into());
            }
            let body = Answered { request, person, why };
            one(if accepted { Event::Accepted(body) } else { Event::Declined(body) })
        }
        Command::Miss { request } => {
            let Some(found) = incident.work.responder_request(request).filter(|found| found.is_open() && !found.late) else {
                return nothing();
            };
            one(Event::Unanswered(Unanswered { request, people: found.unanswered().cloned().collect() }))
        }
    }
}

pub(in crate::incident) fn evolve(incident: &mut Incident, event: &Event, at: Timestamp) {
    let answer = |incident: &mut Incident, body: &Answered, accepted: bool| {
        if let Some(request) = incident.work.responder_request_mut(body.request) {
            request.answers.retain(|other| other.person != body.person);
            request.answers.push(ResponderAnswer { person: body.person.clone(), accepted, why: body.why.clone(), at });
        }
    };
    match event {
        Event::Asked(body) => incident.work.responders.push(ResponderRequest {
            request: body.request,
            targets: body.targets.clone(),
            escalation: body.escalation.clone(),
            people: body.people.clone(),
            by: body.by.clone(),
            why: body.why.clone(),
            asked_at: at,
            due_at: body.due_at,
            page: body.page,
            answers: Vec::new(),
            cancelled_at: None,
            late: false,
        }),
        Event::Accepted(body) => answer(incident, body, true),
        Event::Declined(body) => answer(incident, body, false),
        Event::Cancelled(body) => {
            if let Some(request) = incident.work.responder_request_mut(body.request) {
                request.cancelled_at = Some(at);
            }
        }
        Event::Unanswered(body) => {
            if let Some(request) = incident.work.responder_request_mut(body.request) {
                request.late = true;
            }
        }
    }
}

pub(in crate::incident) fn line(event: &Event, names: &Names<'_>) -> String {
    let listed = |people: &[String]| people.iter().map(|id| names.person(id)).collect::<Vec<_>>().join(", ");
    match event {
        Event::Asked(body) => {
            let whom = match (&body.escalation, body.people.is_empty()) {
                (Some(policy), _) => format!("by the policy {policy}"),
                (None, true) => body.targets.join(", "),
                (None, false) => listed(&body.people),
            };
            with_text(
                format!(
                    "{} asked for responders: {whom} (request {}), an answer is wanted by {}",
                    names.who(),
                    body.request,
                    names.clock(body.due_at)
                ),
                Some(body.why.as_str()),
            )
        }
        Event::Accepted(body) => {
            with_text(format!("{} accepted request {} and comes", names.person(&body.person), body.request), body.why.as_deref())
        }
        Event::Declined(body) => {
            with_text(format!("{} declined request {}", names.person(&body.person), body.request), body.why.as_deref())
        }
        Event::Cancelled(body) => {
            with_text(format!("{} cancelled request {} for responders", names.who(), body.request), body.why.as_deref())
        }
        Event::Unanswered(body) if body.people.is_empty() => format!("Nobody accepted request {} for responders in time", body.request),
        Event::Unanswered(body) => format!("No answer to request {} in time from {}", body.request, listed(&body.people)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::Sample;
    use super::*;

    fn ask(people: &[&str]) -> Command {
        let found = Found { people: people.iter().map(ToString::to_string).collect(), by: Some("ana".into()), page: PageId::from_bits(7) };
        let targets = people.iter().map(|id| format!("person:{id}")).collect();
        Command::Ask { targets, escalation: None, why: "the array is full".into(), within: None, found: Some(found) }
    }

    fn says(said: Said, person: &str) -> Command {
        Command::Say { request: 1, said, person: Some(person.into()), why: None }
    }

    #[test]
    fn each_answers_for_themself_and_the_last_answer_counts() {
        let mut sample = Sample::declared();
        assert_eq!(sample.run(ask(&["ben", "cho"])).unwrap().kinds(), ["responders_asked"]);
        assert_eq!(sample.refusal(says(Said::Accepted, "dan")), "not_asked");
        assert_eq!(sample.run(says(Said::Accepted, "ben")).unwrap().kinds(), ["responder_accepted"]);
        assert_eq!(sample.run(says(Said::Accepted, "ben")).unwrap().events, []);
        assert!(sample.incident.work.responders[0].is_open(), "cho has not answered");
        assert_eq!(sample.run(Command::Miss { request: 1 }).unwrap().kinds(), ["responders_unanswered"]);
        assert_eq!(sample.run(Command::Miss { request: 1 }).unwrap().events, [], "it is said once");
        assert_eq!(sample.run(says(Said::Declined, "cho")).unwrap().kinds(), ["responder_declined"], "late is better than never");
        assert!(!sample.incident.work.responders[0].is_open());
        assert_eq!(sample.run(says(Said::Declined, "ben")).unwrap().kinds(), ["responder_declined"], "he cannot come after all");
        assert_eq!(
            sample.refusal(Command::Say { request: 2, said: Said::Cancelled, person: None, why: None }),
            "no_such_responder_request"
        );
    }

    #[test]
    fn what_is_cancelled_is_answered_no_more() {
        let mut sample = Sample::declared().after(ask(&["ben"]));
        let cancel = || Command::Say { request: 1, said: Said::Cancelled, person: None, why: Some("found it".into()) };
        assert_eq!(sample.run(cancel()).unwrap().kinds(), ["responders_cancelled"]);
        assert_eq!(sample.run(cancel()).unwrap().events, []);
        assert_eq!(sample.refusal(says(Said::Accepted, "ben")), "responder_request_cancelled");
        assert_eq!(sample.run(Command::Miss { request: 1 }).unwrap().events, []);
    }

    #[test]
    fn bounds_hold() {
        let mut sample = Sample::declared();
        let long = Command::Ask { targets: Vec::new(), escalation: None, why: "x".repeat(WHY_CHARS_MAX + 1), within: None, found: None };
        assert_eq!(sample.refusal(long), "too_long");
        for within in [Length::ZERO, Length::from_mins(24 * 60 + 1)] {
            let command = Command::Ask { targets: Vec::new(), escalation: None, why: "w".into(), within: Some(within), found: None };
            assert_eq!(sample.refusal(command), "answer_within");
        }
        for _ in 0..REQUESTS_OPEN_MAX {
            sample.run(ask(&["ben"])).unwrap();
        }
        assert_eq!(sample.refusal(ask(&["ben"])), "too_many_responder_requests");
    }
}
