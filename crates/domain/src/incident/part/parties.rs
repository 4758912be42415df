//! Other organisations in an incident: who joins and leaves, what each is asked for, and what is heard of it.
//!
//! What is heard is written down by whoever heard it, or by the organisation itself: the log says which. An answer that
//! comes after its time is taken, and the request was late all the same; one that came in time and is written down late was not.
//! Who looks on leaves in every state; whoever joins does so where an answer can be given.
//!
//! Not here: how an organisation is reached, when its hours are, and how much it may be told (`domain::org`, `domain::tlp`).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ask::{Ask, Came, Field, Kind, MARKING_NOT_RED, May, Program, command};
use crate::event::event_kinds;
use crate::expect::{Key, Rule, Standing};
use crate::incident::awaited::Awaited;
use crate::incident::lifecycle::{Verb, fits};
use crate::incident::partners::{Party, Request, RequestState};
use crate::incident::record::has_happened;
use crate::incident::words::{self, NOTE_CHARS_MAX};
use crate::incident::{Context, Decision, Event as Any, Incident, nothing, one, record};
use crate::names::{Names, clock, with_text};
use crate::plants::planted;
use crate::time::{Length, after};
use crate::tlp::Tlp;

/// Requests of one incident at most that wait for an answer; a longer list is followed by nobody.
pub const REQUESTS_MAX: usize = 100;
/// Requests of one incident at most, those that ended with it.
pub const REQUESTS_KEPT_MAX: usize = 200;
/// Organisations of one incident at most.
pub const PARTIES_MAX: usize = 100;
/// Longest text of a request, in characters: a mail program shows it whole, and it is read with each command on its incident.
pub const REQUEST_CHARS_MAX: usize = 2_000;
/// Longest reference number of an organisation, in characters.
pub const REFERENCE_CHARS_MAX: usize = 200;

event_kinds! {
    /// A fact; past tense.
    Event {
        Joined(Joined) = "party_joined" [Key] admits(liaison),
        Changed(Joined) = "party_changed" admits(liaison),
        Left(Left) = "party_left" [Key],
        Asked(Asked) = "request_asked" [Key],
        Acknowledged(Heard) = "request_acknowledged",
        Answered(Heard) = "request_answered" [Key],
        Declined(Heard) = "request_declined" [Key],
        Withdrawn(Heard) = "request_withdrawn",
        Missed(Missed) = "request_missed" [Key],
    }
}

/// Body of `party_joined` and `party_changed`. Absent in the second: that stays as it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Joined {
    pub organisation: String,
    /// What it calls this incident.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub liaison: Option<String>,
}

/// Body of `party_left`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Left {
    pub organisation: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// Body of `request_asked`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Asked {
    /// From 1, within the incident.
    pub request: u32,
    pub organisation: String,
    pub text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Timestamp>,
    pub org_version: u64,
    /// How far it may go; as the incident where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marking: Option<Tlp>,
}

/// Body of what is heard of a request, and of its withdrawal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Heard {
    pub request: u32,
    pub organisation: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// What the organisation calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// When it was, where that was before it was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub happened_at: Option<Timestamp>,
    /// It was missed, and this came in time: it is late no more. Earlier versions left what was missed late for ever.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub in_time: bool,
}

/// Body of `request_missed`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Missed {
    pub request: u32,
    pub organisation: String,
    pub due_at: Timestamp,
}

/// A command; imperative.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// It takes part from now on, or something of that is otherwise.
    Join { organisation: String, reference: Option<String>, liaison: Option<String> },
    /// It takes part no more; what it was asked for is withdrawn.
    Leave { organisation: String, why: Option<String> },
    /// It is asked for something, and takes part by that. `due_at` stands in the place of `within` where its own hours
    /// count.
    Ask { organisation: String, text: String, within: Option<Length>, due_at: Option<Timestamp>, marking: Option<Tlp> },
    /// This was heard of a request, or it is withdrawn.
    Hear { request: u32, state: RequestState, text: Option<String>, reference: Option<String>, happened_at: Option<Timestamp> },
    /// Its time has passed.
    Miss { request: u32 },
}

impl Command {
    /// Whether people ask for it as it is; the rest follows from something else.
    pub(in crate::incident) const fn is_asked(&self) -> bool {
        match self {
            Self::Join { .. } | Self::Leave { .. } | Self::Ask { .. } | Self::Hear { .. } => true,
            Self::Miss { .. } => false,
        }
    }
}

/// Why not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("`{organisation}` has not joined this incident")]
    NotAParty { organisation: String },
    #[error("there is no request {request} in this incident")]
    NoSuchRequest { request: u32 },
    #[error("request {request} is {state} already")]
    Ended { request: u32, state: &'static str },
    #[error("{what} of an incident are at most {max}: end some first")]
    TooMany { what: &'static str, max: usize },
    #[error("that time has passed: give one to come")]
    InThePast,
}

impl Refusal {
    /// The stable code of the API.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotAParty { .. } => "not_a_party",
            Self::NoSuchRequest { .. } => "no_such_request",
            Self::Ended { .. } => "request_ended",
            Self::TooMany { .. } => "too_many_partners",
            Self::InThePast => "in_the_past",
        }
    }
}

pub(super) const ORGANISATION: Field =
    Field::needed("organisation", "the organisation", "Organisation", Kind::Organisation).hint("An organisation's id");

/// What people may ask.
pub(crate) const ASKS: &[Ask] = &[
    Ask {
        verb: Verb::Party,
        label: "Bring in an organisation",
        says: "Another organisation joins an incident, with its own reference number there and a liaison of ours, or leaves it",
        press: "Save it",
        body: "PartyBody",
        programs: &[
            Program::of("party join").says("It joins, or its reference or liaison is another").places(&["organisation"]).lacks(&["state"]),
            Program::of("party leave")
                .says("It leaves; what it was asked for is withdrawn")
                .places(&["organisation"])
                .gives(&[("state", "left")]),
        ],
        may: May::Responder,
        fields: &[
            ORGANISATION,
            Field::may("reference", "its reference", "Their reference", Kind::Line { max: REFERENCE_CHARS_MAX })
                .hint("What it calls this incident"),
            Field::may("liaison", "the liaison", "Who speaks with them", Kind::Person).hint("A person's id"),
            Field::may("state", "that it leaves", "It leaves", Kind::Choice { name: "PartyEnd", of: &["left"] }),
            Field::may("why", "the reason", "Why?", Kind::Words { max: NOTE_CHARS_MAX }).hint("Why it leaves"),
        ],
        ways: &[&["organisation", "reference", "liaison"], &["organisation", "state", "why"]],
        make: |given, _| {
            let (organisation, reference, liaison) = (given.must("organisation"), given.text("reference"), given.text("liaison"));
            match given.as_text("state") {
                None if given.has("why") => {
                    Err(crate::ask::Refusal::Together("give `why` with `state`: `left`; whoever joins needs no reason".into()))
                }
                None => command(Command::Join { organisation, reference, liaison }),
                Some(_) if reference.is_some() || liaison.is_some() => {
                    Err(crate::ask::Refusal::Together("whoever leaves needs no `reference` and no `liaison`".into()))
                }
                Some(_) => command(Command::Leave { organisation, why: given.text("why") }),
            }
        },
        came: Came::Itself,
    },
    Ask {
        verb: Verb::Request,
        label: "Ask an organisation",
        says: "Asks another organisation for something, over the agreed way",
        press: "Send it",
        body: "RequestBody",
        programs: &[Program::of("request").places(&["organisation", "text"])],
        may: May::Responder,
        fields: &[
            ORGANISATION,
            Field::needed("text", "the request", "What is it asked for?", Kind::Words { max: REQUEST_CHARS_MAX })
                .hint("What it is asked for"),
            Field::may("within", "when an answer is wanted", "Answer wanted within", Kind::Length)
                .hint("When an answer is wanted, from now, as in 30m; where the organisation has hours, only they count"),
            MARKING_NOT_RED
                .label("Which other organisations may read this request")
                .hint("TLP 2.0; none unless said. Who is asked reads it in any case"),
        ],
        ways: &[],
        make: |given, _| {
            let (organisation, text) = (given.must("organisation"), given.must("text"));
            command(Command::Ask { organisation, text, within: given.parsed("within"), due_at: None, marking: given.parsed("marking") })
        },
        came: Came::Itself,
    },
    Ask {
        verb: Verb::Answer,
        label: "What they say",
        says: "Writes down what was heard of a request, or withdraws it",
        press: "Write it down",
        body: "AnswerBody",
        programs: &[Program::of("answer").places(&["request", "state"])],
        may: May::Responder,
        fields: &[
            Field::needed("request", "the request", "Request", Kind::Number { of: "a request" }).hint("Its number, from 1"),
            Field::needed(
                "state",
                "what they say",
                "They say",
                Kind::Choice { name: "RequestAnswer", of: &["acknowledged", "answered", "declined", "withdrawn"] },
            )
            .hint("What was heard: `acknowledged`, `answered` or `declined`; `withdrawn` where it is not wanted any more"),
            Field::may("text", "the answer", "In their words", Kind::Words { max: REQUEST_CHARS_MAX }).hint("What was said"),
            Field::may("reference", "its reference", "Their reference", Kind::Line { max: REFERENCE_CHARS_MAX })
                .hint("What the organisation calls it"),
            Field::may("happened_at", "when it happened", "When", Kind::Time)
                .hint("When it was said, where that is not now, as in 2026-12-24T18:00:00Z"),
        ],
        ways: &[],
        make: |given, _| {
            let state = match given.as_text("state") {
                Some("acknowledged") => RequestState::Acknowledged,
                Some("answered") => RequestState::Answered,
                Some("declined") => RequestState::Declined,
                _ => RequestState::Withdrawn,
            };
            command(Command::Hear {
                request: given.number("request").unwrap_or_default(),
                state,
                text: given.text("text"),
                reference: given.text("reference"),
                happened_at: given.time("happened_at"),
            })
        },
        came: Came::Itself,
    },
];

pub(in crate::incident) fn decide(incident: &Incident, command: Command, context: Context) -> Decision {
    match command {
        Command::Join { organisation, reference, liaison } => join(incident, organisation, reference, liaison),
        Command::Leave { organisation, why } => leave(incident, organisation, why),
        Command::Ask { organisation, text, within, due_at, marking } => {
            let due_at = due_at.or_else(|| within.map(|within| after(context.now, within)));
            let asked = Asked { request: 0, organisation, text, due_at, org_version: context.org_version, marking };
            ask(incident, asked, context.now)
        }
        Command::Hear { request, state, text, reference, happened_at } => {
            let found = open_request(incident, request)?;
            if found.state == state {
                return nothing();
            }
            if let Some(at) = happened_at {
                has_happened(at, context.now)?;
                if at < found.asked_at {
                    let (what, last) = ("the answer".to_owned(), "the request".to_owned());
                    return Err(record::Refusal::BeforeWhatLed { what, last, at: clock(found.asked_at) }.into());
                }
            }
            let text = said(text);
            if let Some(text) = &text {
                words::at_most(text, "the answer", REQUEST_CHARS_MAX)?;
            }
            let in_time = found.late
                && matches!(state, RequestState::Answered | RequestState::Declined)
                && happened_at.zip(found.due_at).is_some_and(|(at, due_at)| at <= due_at);
            let organisation = found.organisation.clone();
            let heard = Heard { request, organisation, text, reference: said(reference), happened_at, in_time };
            match state {
                // Nothing heard is nothing.
                RequestState::Asked => nothing(),
                RequestState::Acknowledged => one(Event::Acknowledged(heard)),
                RequestState::Answered => one(Event::Answered(heard)),
                RequestState::Declined => one(Event::Declined(heard)),
                RequestState::Withdrawn => one(Event::Withdrawn(heard)),
            }
        }
        Command::Miss { request } => match incident.work.partners.request(request) {
            Some(found) if found.is_open() && !found.late && incident.state.is_open() => {
                let due_at = found.due_at.unwrap_or(context.now);
                one(Event::Missed(Missed { request, organisation: found.organisation.clone(), due_at }))
            }
            _ => nothing(),
        },
    }
}

fn said(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.trim().is_empty())
}

/// Whether an organisation can come in, or be given a way to look on: where something can be answered.
pub(super) fn takes_new(incident: &Incident) -> Result<(), crate::incident::Refusal> {
    Ok(fits(incident, Verb::Answer).map(drop)?)
}

/// What is known already is not said again.
fn join(incident: &Incident, organisation: String, reference: Option<String>, liaison: Option<String>) -> Decision {
    fits(incident, Verb::Party)?;
    takes_new(incident)?;
    let (reference, liaison) = (said(reference), said(liaison));
    let Some(party) = incident.work.partners.party(&organisation) else {
        room_for(incident, &organisation)?;
        return one(Event::Joined(Joined { organisation, reference, liaison }));
    };
    let (reference, liaison) =
        (reference.filter(|new| Some(new) != party.reference.as_ref()), liaison.filter(|new| Some(new) != party.liaison.as_ref()));
    if reference.is_none() && liaison.is_none() {
        return nothing();
    }
    one(Event::Changed(Joined { organisation, reference, liaison }))
}

fn room_for(incident: &Incident, organisation: &str) -> Result<(), Refusal> {
    let parties = &incident.work.partners.parties;
    let fits = parties.len() < PARTIES_MAX || parties.contains_key(organisation);
    if fits { Ok(()) } else { Err(Refusal::TooMany { what: "organisations", max: PARTIES_MAX }) }
}

fn leave(incident: &Incident, organisation: String, why: Option<String>) -> Decision {
    fits(incident, Verb::Party)?;
    let why = said(words::note(why)?);
    if incident.work.partners.party(&organisation).is_none() {
        return Err(Refusal::NotAParty { organisation }.into());
    }
    let withdrawn = |request: &Request| {
        let organisation = organisation.clone();
        Event::Withdrawn(Heard { request: request.request, organisation, text: None, reference: None, happened_at: None, in_time: false })
            .into()
    };
    let mut events: Vec<Any> = incident.work.partners.open_requests(Some(&organisation)).map(withdrawn).collect();
    events.push(Event::Left(Left { organisation: organisation.clone(), why }).into());
    Ok(events)
}

fn ask(incident: &Incident, asked: Asked, now: Timestamp) -> Decision {
    fits(incident, Verb::Request)?;
    words::needed(&asked.text, "the request")?;
    words::at_most(&asked.text, "the request", REQUEST_CHARS_MAX)?;
    if asked.due_at.is_some_and(|due_at| due_at <= now) {
        return Err(Refusal::InThePast.into());
    }
    let partners = &incident.work.partners;
    let (open, all) = (partners.open_requests(None).count(), partners.requests.len());
    if open >= REQUESTS_MAX || all >= REQUESTS_KEPT_MAX {
        return Err(Refusal::TooMany { what: "requests", max: if open >= REQUESTS_MAX { REQUESTS_MAX } else { REQUESTS_KEPT_MAX } }.into());
    }
    let mut events = joins(incident, &asked.organisation)?;
    let request = u32::try_from(all).unwrap_or(u32::MAX).saturating_add(1);
    events.push(Event::Asked(Asked { request, ..asked }).into());
    Ok(events)
}

/// It takes part from now on, where it does not yet.
pub(super) fn joins(incident: &Incident, organisation: &str) -> Decision {
    if incident.work.partners.party(organisation).is_some() {
        return nothing();
    }
    room_for(incident, organisation)?;
    one(Event::Joined(Joined { organisation: organisation.to_owned(), reference: None, liaison: None }))
}

fn open_request(incident: &Incident, number: u32) -> Result<&Request, crate::incident::Refusal> {
    fits(incident, Verb::Answer)?;
    let found = incident.work.partners.request(number).ok_or(Refusal::NoSuchRequest { request: number })?;
    if found.is_open() { Ok(found) } else { Err(Refusal::Ended { request: number, state: found.state.word() }.into()) }
}

pub(in crate::incident) fn evolve(incident: &mut Incident, event: &Event, at: Timestamp) {
    let partners = &mut incident.work.partners;
    let mut heard = |body: &Heard, state: RequestState| {
        let Some(request) = partners.request_mut(body.request) else { return };
        let at = body.happened_at.unwrap_or(at);
        request.state = state;
        request.late &= !body.in_time;
        if state.is_open() {
            request.acknowledged_at = Some(at)
        } else {
            request.ended_at = Some(at)
        }
        if body.text.is_some() {
            request.answer.clone_from(&body.text);
        }
        if body.reference.is_some() {
            request.reference.clone_from(&body.reference);
        }
    };
    match event {
        Event::Joined(body) => {
            // What it was before it left it is again.
            let before = partners.parties.get(&body.organisation);
            let reference = body.reference.clone().or_else(|| before.and_then(|party| party.reference.clone()));
            let liaison = body.liaison.clone().or_else(|| before.and_then(|party| party.liaison.clone()));
            partners.parties.insert(body.organisation.clone(), Party { joined_at: at, left_at: None, reference, liaison });
        }
        Event::Changed(body) => {
            if let Some(party) = partners.parties.get_mut(&body.organisation) {
                party.reference = body.reference.clone().or_else(|| party.reference.take());
                party.liaison = body.liaison.clone().or_else(|| party.liaison.take());
            }
        }
        Event::Left(body) => {
            if let Some(party) = partners.parties.get_mut(&body.organisation) {
                party.left_at = Some(at);
            }
            // What it looked on by works no more, also where it comes back.
            for link in partners.links.iter_mut().filter(|link| link.organisation == body.organisation) {
                link.revoked = true;
            }
        }
        Event::Asked(body) => partners.requests.push(Request {
            request: body.request,
            organisation: body.organisation.clone(),
            text: body.text.clone(),
            state: RequestState::Asked,
            asked_at: at,
            due_at: body.due_at,
            acknowledged_at: None,
            ended_at: None,
            answer: None,
            reference: None,
            late: false,
        }),
        Event::Acknowledged(body) => heard(body, RequestState::Acknowledged),
        Event::Answered(body) => heard(body, RequestState::Answered),
        Event::Declined(body) => heard(body, RequestState::Declined),
        Event::Withdrawn(body) => heard(body, RequestState::Withdrawn),
        Event::Missed(body) => {
            if let Some(request) = partners.request_mut(body.request) {
                request.late = true;
            }
        }
    }
}

fn key(request: u32) -> String {
    Key::Request(request).to_string()
}

/// What was not answered when it ended is awaited again.
pub(in crate::incident) fn await_again(incident: &Incident, awaited: &mut Awaited) {
    for request in incident.work.partners.open_requests(None).filter(|request| !request.late) {
        if let Some(due_at) = request.due_at {
            awaited.open_until(&key(request.request), Rule::RequestDue, due_at);
        }
    }
}

pub(in crate::incident) fn react(incident: &Incident, event: &Event, awaited: &mut Awaited) {
    match event {
        Event::Asked(body) => {
            if let Some(due_at) = body.due_at.filter(|_| incident.state.is_open()) {
                awaited.open_until(&key(body.request), Rule::RequestDue, due_at);
            }
        }
        Event::Answered(_) if planted("request-answered-leaves-timer") => {}
        Event::Answered(body) => awaited.settle(&key(body.request), Standing::Met, "it was answered"),
        Event::Declined(body) => awaited.settle(&key(body.request), Standing::Met, "it was declined"),
        Event::Withdrawn(body) => awaited.settle(&key(body.request), Standing::Void, "it was withdrawn"),
        // The look settles what was missed.
        Event::Joined(_) | Event::Changed(_) | Event::Left(_) | Event::Acknowledged(_) | Event::Missed(_) => {}
    }
}

pub(in crate::incident) fn line(event: &Event, names: &Names<'_>) -> String {
    let who = names.who();
    match event {
        Event::Joined(body) => format!("{who} brought in {}{}", names.organisation(&body.organisation), particulars(body, names)),
        Event::Changed(body) => {
            format!("{who} changed what is known of {}{}", names.organisation(&body.organisation), particulars(body, names))
        }
        Event::Left(body) => {
            with_text(format!("{} is not part of it any more", names.organisation(&body.organisation)), body.why.as_deref())
        }
        Event::Asked(body) => {
            let due = body.due_at.map_or_else(String::new, |due_at| format!(", due at {}", names.clock(due_at)));
            format!("{who} asked {} (request {}{due}): {}", names.organisation(&body.organisation), body.request, body.text)
        }
        Event::Acknowledged(body) => heard_line(body, "acknowledged", names),
        Event::Answered(body) => heard_line(body, "answered", names),
        Event::Declined(body) => heard_line(body, "declined", names),
        Event::Withdrawn(body) => with_text(
            format!("{who} withdrew request {} to {}", body.request, names.organisation(&body.organisation)),
            body.text.as_deref(),
        ),
        Event::Missed(body) => {
            format!(
                "{} has not answered request {}, which was due at {}",
                names.organisation(&body.organisation),
                body.request,
                names.clock(body.due_at)
            )
        }
    }
}

fn particulars(body: &Joined, names: &Names<'_>) -> String {
    let reference = body.reference.as_ref().map(|reference| format!("; their reference is {reference}"));
    let liaison = body.liaison.as_deref().map(|liaison| format!("; {} speaks with them", names.person(liaison)));
    [reference, liaison].into_iter().flatten().collect()
}

/// Who said it, and who wrote that down, where that is another.
fn heard_line(body: &Heard, verb: &str, names: &Names<'_>) -> String {
    let organisation = names.organisation(&body.organisation);
    let at = body.happened_at.map_or_else(String::new, |at| format!(" at {}", names.clock(at)));
    let reference = body.reference.as_ref().map_or_else(String::new, |reference| format!(", their reference is {reference}"));
    let in_time = if body.in_time { ", in time" } else { "" };
    let said = if names.is_by_organisation(&body.organisation) { String::new() } else { format!(", says {}", names.who()) };
    with_text(format!("{organisation} {verb} request {}{at}{in_time}{reference}{said}", body.request), body.text.as_deref())
}

#[cfg(test)]
mod tests {
    use super::super::sample::Sample;
    use super::*;
    use crate::incident::ending;

    fn asks(organisation: &str, within: Option<u64>) -> Command {
        let within = within.map(Length::from_mins);
        Command::Ask { organisation: organisation.into(), text: "block the address".into(), within, due_at: None, marking: None }
    }

    fn heard(request: u32, state: RequestState) -> Command {
        Command::Hear { request, state, text: Some("by telephone".into()), reference: Some("T-9".into()), happened_at: None }
    }

    #[test]
    fn whoever_is_asked_joins_and_is_awaited_until_they_answer() {
        let mut sample = Sample::declared();
        let asked = sample.run(asks("cert", Some(30))).unwrap();
        assert_eq!((asked.kinds(), asked.opened()), (vec!["party_joined", "guest_link_made", "request_asked"], vec!["request:1"]));
        assert_eq!(asked.due_at("request:1"), Some(after(sample.at, Length::from_mins(30))));
        let taken = sample.run(heard(1, RequestState::Acknowledged)).unwrap();
        assert_eq!((taken.kinds(), taken.settled().len()), (vec!["request_acknowledged"], 0), "an answer is still to come");
        assert_eq!(sample.run(heard(1, RequestState::Acknowledged)).unwrap().events, [], "that is known");
        assert_eq!(sample.run(heard(1, RequestState::Answered)).unwrap().settled(), ["request:1"]);
        let request = &sample.incident.work.partners.requests[0];
        assert_eq!((request.acknowledged_at, request.ended_at, request.late), (Some(sample.at), Some(sample.at), false));
        assert_eq!(request.reference.as_deref(), Some("T-9"));
        assert_eq!(sample.refusal(heard(1, RequestState::Declined)), "request_ended");
        assert_eq!(sample.refusal(heard(2, RequestState::Declined)), "no_such_request");
        assert_eq!(sample.run(asks("cert", None)).unwrap().kinds(), ["request_asked"], "it has joined already");
        assert_eq!(sample.refusal(asks("cert", Some(0))), "in_the_past");
    }

    #[test]
    fn a_request_is_late_once_and_an_answer_after_that_is_taken() {
        let mut sample = Sample::declared().after(asks("cert", Some(30)));
        assert_eq!(sample.run(Command::Miss { request: 1 }).unwrap().kinds(), ["request_missed"]);
        assert_eq!(sample.run(Command::Miss { request: 1 }).unwrap().events, []);
        sample.run(heard(1, RequestState::Answered)).unwrap();
        let request = &sample.incident.work.partners.requests[0];
        assert!(request.late && request.state == RequestState::Answered);
    }

    #[test]
    fn an_answer_that_came_in_time_and_is_written_down_late_was_not_late() {
        for (minutes, late) in [(30, false), (31, true)] {
            let mut sample = Sample::declared().after(asks("cert", Some(30)));
            let asked_at = sample.incident.work.partners.requests[0].asked_at;
            sample.at = after(asked_at, Length::from_mins(45));
            sample.run(Command::Miss { request: 1 }).unwrap();
            let happened_at = Some(after(asked_at, Length::from_mins(minutes)));
            let heard = |state| Command::Hear { request: 1, state, text: None, reference: None, happened_at };
            sample.run(heard(RequestState::Acknowledged)).unwrap();
            assert!(sample.incident.work.partners.requests[0].late, "that is no answer");
            sample.run(heard(RequestState::Answered)).unwrap();
            assert_eq!(sample.incident.work.partners.requests[0].late, late, "{minutes} min");
        }
    }

    #[test]
    fn whoever_is_there_leaves_in_every_state_and_nobody_comes_to_what_is_over() {
        let cancel = || ending::Command::Cancel { why: "nothing".into() };
        let mut sample = Sample::declared().after(asks("cert", None)).after(cancel());
        let join = Command::Join { organisation: "telco".into(), reference: None, liaison: None };
        assert_eq!(sample.refusal(join), "already_cancelled");
        let leave = Command::Leave { organisation: "cert".into(), why: None };
        assert_eq!(sample.run(leave).unwrap().kinds(), ["request_withdrawn", "party_left"]);
    }

    #[test]
    fn whoever_leaves_is_awaited_no_more_and_comes_back_as_they_were() {
        let join =
            |reference: Option<&str>| Command::Join { organisation: "cert".into(), reference: reference.map(Into::into), liaison: None };
        let leave = || Command::Leave { organisation: "cert".into(), why: None };
        let mut sample = Sample::declared();
        assert_eq!(sample.refusal(leave()), "not_a_party");
        sample.run(join(Some("C-1"))).unwrap();
        assert_eq!(sample.run(join(Some("C-1"))).unwrap().events, []);
        assert_eq!(sample.run(join(Some("C-2"))).unwrap().kinds(), ["party_changed"]);
        sample.run(asks("cert", Some(5))).unwrap();
        let left = sample.run(leave()).unwrap();
        assert_eq!((left.kinds(), left.settled()), (vec!["request_withdrawn", "party_left"], vec!["request:1"]));
        assert_eq!(sample.run(join(None)).unwrap().kinds(), ["party_joined"]);
        assert_eq!(sample.incident.work.partners.party("cert").unwrap().reference.as_deref(), Some("C-2"));
    }

    #[test]
    fn an_end_voids_what_is_asked_and_a_reopening_awaits_it_again() {
        let mut sample = Sample::declared().after(asks("cert", Some(30)));
        assert!(sample.run(ending::Command::Resolve { note: None, waive: None }).unwrap().settled().contains(&"*"));
        assert_eq!(sample.refusal(asks("cert", None)), "already_resolved");
        let reopened = sample.run(ending::Command::Reopen { why: "it is back".into() }).unwrap();
        assert!(reopened.opened().contains(&"request:1"));
    }
}
