//! What an incident needs from elsewhere: wanted, ordered, on the way, arrived, given back.
//!
//! A resource is awaited until the time by which it has to be there, and until the time at which it is said to come: each
//! passes once, and the log says which. Whoever sends it may decline; then it is wanted still, of nobody. What is there is
//! released in every state but a closed one: things outlast the incident that they were fetched for.
//!
//! Not here: how an organisation is told (the engine), and people of the house, who are paged and given tasks.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::parties::{self, ORGANISATION, REFERENCE_CHARS_MAX};
use crate::ask::{Ask, Came, Field, Kind, May, Program, command};
use crate::event::event_kinds;
use crate::expect::{Key, Rule, Standing};
use crate::incident::awaited::Awaited;
use crate::incident::lifecycle::{Verb, fits};
use crate::incident::record::{self, has_happened};
use crate::incident::resource::{Resource, ResourceState, called};
use crate::incident::words::{self, KEPT_CHARS_MAX};
use crate::incident::{Context, Decision, Event as Any, Incident, nothing, one};
use crate::names::{Names, clock, with_text};
use crate::time::{Length, after};

/// Resources of one incident at most that somebody still has to do something about; a longer list is followed by nobody.
pub const RESOURCES_MAX: usize = 100;
/// Resources of one incident at most, those that ended with it.
pub const RESOURCES_KEPT_MAX: usize = 300;
/// Longest name of a resource, in characters: a line of a list.
pub const WHAT_CHARS_MAX: usize = 200;
/// Longest place, in characters: an address.
pub const PLACE_CHARS_MAX: usize = 200;
/// Most of a kind in one resource: more is no count but a mistake.
pub const QUANTITY_MAX: u32 = 100_000;

event_kinds! {
    /// A fact; past tense.
    Event {
        Wanted(Wanted) = "resource_wanted" [Key],
        Ordered(Moved) = "resource_ordered",
        Sent(Moved) = "resource_sent",
        Arrived(Moved) = "resource_arrived" [Key],
        Declined(Moved) = "resource_declined" [Key],
        Released(Moved) = "resource_released",
        Withdrawn(Moved) = "resource_withdrawn",
        Missed(Missed) = "resource_missed" [Key],
    }
}

/// Body of `resource_wanted`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Wanted {
    /// From 1, within the incident.
    pub resource: u32,
    pub what: String,
    pub quantity: u32,
    /// Whom it is asked of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organisation: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Timestamp>,
}

/// Body of what becomes of it. Absent: that stays as it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Moved {
    pub resource: u32,
    /// Who sends it, or declined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organisation: Option<String>,
    /// When it comes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_at: Option<Timestamp>,
    /// What whoever sends it calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// When it was, where that was before it was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub happened_at: Option<Timestamp>,
}

/// Body of `resource_missed`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Missed {
    pub resource: u32,
    /// When it had to be there, where that passed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Timestamp>,
    /// When it was said to come, where that passed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_at: Option<Timestamp>,
}

/// What is said of a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    Ordered,
    OnTheWay,
    Arrived,
    /// Whoever was asked does not send it.
    Declined,
    Released,
    Withdrawn,
}

impl Said {
    /// All of them, as they are written.
    pub const WORDS: [&'static str; 6] = ["ordered", "on_the_way", "arrived", "declined", "released", "withdrawn"];

    fn from_word(word: &str) -> Option<Self> {
        let all = [Self::Ordered, Self::OnTheWay, Self::Arrived, Self::Declined, Self::Released, Self::Withdrawn];
        let at = Self::WORDS.iter().position(|known| *known == word)?;
        all.get(at).copied()
    }
}

/// A command; imperative.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// The incident needs it. `due_at` stands in the place of `within` where the hours of an organisation count.
    Want { what: String, quantity: u32, organisation: Option<String>, place: Option<String>, within: Option<Length> },
    /// This became of it.
    Move {
        resource: u32,
        said: Said,
        organisation: Option<String>,
        /// When it comes, from now.
        within: Option<Length>,
        reference: Option<String>,
        text: Option<String>,
        happened_at: Option<Timestamp>,
    },
    /// A time of it has passed.
    Miss { resource: u32 },
}

impl Command {
    /// Whether people ask for it as it is; the rest follows from something else.
    pub(in crate::incident) const fn is_asked(&self) -> bool {
        match self {
            Self::Want { .. } | Self::Move { .. } => true,
            Self::Miss { .. } => false,
        }
    }
}

/// Why not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("there is no resource {resource} in this incident")]
    NoSuchResource { resource: u32 },
    #[error("resource {resource} is {state} already")]
    Ended { resource: u32, state: &'static str },
    #[error("resource {resource} is {state}: {instead}")]
    NotThere { resource: u32, state: &'static str, instead: &'static str },
    #[error("resources of an incident are at most {max}: release or withdraw some first")]
    TooMany { max: usize },
    #[error("a quantity is from 1 to {QUANTITY_MAX}")]
    Quantity,
    #[error("resource {resource} was asked of nobody: say who declined it, or withdraw it")]
    NobodyDeclined { resource: u32 },
}

impl Refusal {
    /// The stable code of the API.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoSuchResource { .. } => "no_such_resource",
            Self::Ended { .. } => "resource_ended",
            Self::NotThere { .. } => "resource_not_there",
            Self::TooMany { .. } => "too_many_resources",
            Self::Quantity => "quantity",
            Self::NobodyDeclined { .. } => "nobody_declined",
        }
    }
}

/// What people may ask.
pub(crate) const ASKS: &[Ask] = &[
    Ask {
        verb: Verb::Want,
        label: "Ask for a resource",
        says: "Says what the incident needs from elsewhere: things, vehicles, crews; an organisation that is asked for it is told",
        press: "Ask for it",
        body: "WantBody",
        programs: &[Program::of("want").places(&["what"])],
        may: May::Responder,
        fields: &[
            Field::needed("what", "the resource", "What is needed?", Kind::Line { max: WHAT_CHARS_MAX }).hint("What is needed, as in high-volume pump"),
            Field::may("quantity", "how many", "How many", Kind::Number { of: "a quantity" }).hint("How many; one unless said"),
            ORGANISATION.or_not().label("Of whom").hint("The id of the organisation that is asked for it; nobody yet unless said"),
            Field::may("within", "when it has to be there", "Needed within", Kind::Length).hint("When it has to be there, from now, as in 2h"),
            Field::may("place", "where it is to come to", "Where to", Kind::Line { max: PLACE_CHARS_MAX }).hint("Where it is to come to"),
        ],
        ways: &[],
        make: |given, _| {
            command(Command::Want {
                what: given.must("what"),
                quantity: if given.has("quantity") { given.number("quantity").unwrap_or_default() } else { 1 },
                organisation: given.text("organisation"),
                place: given.text("place"),
                within: given.parsed("within"),
            })
        },
        came: Came::Itself,
    },
    Ask {
        verb: Verb::Resource,
        label: "Where a resource stands",
        says: "Says that a resource is ordered, on the way, there, declined, given back, or not wanted any more",
        press: "Write it down",
        body: "ResourceBody",
        programs: &[Program::of("resource").places(&["resource", "state"])],
        may: May::Responder,
        fields: &[
            Field::needed("resource", "the resource", "Resource", Kind::Number { of: "a resource" }).hint("Its number, from 1"),
            Field::needed("state", "where it stands", "It is", Kind::Choice { name: "ResourceMove", of: &Said::WORDS })
                .hint("`ordered`, `on_the_way`, `arrived`; `declined` where whoever was asked does not send it; `released` once it is given back; `withdrawn` where it is not wanted any more"),
            ORGANISATION.or_not().label("By whom").hint("Who sends or declined it; whom it was asked of unless said"),
            Field::may("within", "when it comes", "Comes within", Kind::Length).hint("When it comes, from now, as in 40m"),
            Field::may("reference", "its reference", "Their reference", Kind::Line { max: REFERENCE_CHARS_MAX })
                .hint("What whoever sends it calls it"),
            Field::may("text", "the note", "Note", Kind::Words { max: KEPT_CHARS_MAX }).hint("What was said"),
            record::HAPPENED_AT,
        ],
        ways: &[],
        make: |given, _| {
            let said = given.as_text("state").and_then(Said::from_word).unwrap_or(Said::Withdrawn);
            let within = given.parsed("within");
            if within.is_some() && !matches!(said, Said::Ordered | Said::OnTheWay) {
                return Err(crate::ask::Refusal::Together("`within` is when it comes: give it with `ordered` or `on_the_way`".into()));
            }
            command(Command::Move {
                resource: given.number("resource").unwrap_or_default(),
                said,
                organisation: given.text("organisation"),
                within,
                reference: given.text("reference"),
                text: given.text("text"),
                happened_at: given.time("happened_at"),
            })
        },
        came: Came::Itself,
    },
];

pub(in crate::incident) fn decide(incident: &Incident, command: Command, context: Context) -> Decision {
    match command {
        Command::Want { what, quantity, organisation, place, within } => {
            let due_at = within.map(|within| after(context.now, within));
            want(incident, Wanted { resource: 0, what, quantity, organisation, place, due_at }, context.now)
        }
        Command::Move { resource, said, organisation, within, reference, text, happened_at } => {
            fits(incident, Verb::Resource)?;
            let found = incident.work.resource(resource).ok_or(Refusal::NoSuchResource { resource })?;
            let expected_at = within.map(|within| after(happened_at.unwrap_or(context.now), within));
            if expected_at.is_some_and(|at| at <= context.now) {
                return Err(parties::Refusal::InThePast.into());
            }
            if let Some(at) = happened_at {
                has_happened(at, context.now)?;
                if at < found.wanted_at {
                    let (what, last) = ("that".to_owned(), "it was asked for".to_owned());
                    return Err(record::Refusal::BeforeWhatLed { what, last, at: clock(found.wanted_at) }.into());
                }
            }
            let text = words::kept(text)?;
            let reference = reference.filter(|text| !text.trim().is_empty());
            moved(incident, found, said, Moved { resource, organisation, expected_at, reference, text, happened_at })
        }
        Command::Miss { resource } => {
            let Some(found) = incident.work.resource(resource).filter(|found| found.state.is_awaited()) else { return nothing() };
            if !incident.state.is_open() {
                return nothing();
            }
            let passed = |at: Option<Timestamp>, before: bool| at.filter(|at| *at <= context.now && !before);
            let (due_at, expected_at) = (passed(found.due_at, found.late), passed(found.expected_at, found.overdue));
            if due_at.is_none() && expected_at.is_none() {
                return nothing();
            }
            one(Event::Missed(Missed { resource, due_at, expected_at }))
        }
    }
}

fn want(incident: &Incident, wanted: Wanted, now: Timestamp) -> Decision {
    fits(incident, Verb::Want)?;
    words::needed(&wanted.what, "the resource")?;
    words::at_most(&wanted.what, "the resource", WHAT_CHARS_MAX)?;
    if !(1..=QUANTITY_MAX).contains(&wanted.quantity) {
        return Err(Refusal::Quantity.into());
    }
    if wanted.due_at.is_some_and(|due_at| due_at <= now) {
        return Err(parties::Refusal::InThePast.into());
    }
    let all = &incident.work.resources;
    let open = all.iter().filter(|resource| resource.state.is_open()).count();
    if open >= RESOURCES_MAX || all.len() >= RESOURCES_KEPT_MAX {
        return Err(Refusal::TooMany { max: if open >= RESOURCES_MAX { RESOURCES_MAX } else { RESOURCES_KEPT_MAX } }.into());
    }
    let mut events = match &wanted.organisation {
        Some(organisation) => parties::joins(incident, organisation)?,
        None => Vec::new(),
    };
    let place = wanted.place.filter(|place| !place.trim().is_empty());
    let resource = u32::try_from(all.len()).unwrap_or(u32::MAX).saturating_add(1);
    events.push(Event::Wanted(Wanted { resource, place, ..wanted }).into());
    Ok(events)
}

/// What is known already is not said again.
fn moved(incident: &Incident, found: &Resource, said: Said, mut body: Moved) -> Decision {
    let resource = found.resource;
    let state = found.state;
    if !state.is_open() {
        let again = matches!((state, said), (ResourceState::Released, Said::Released) | (ResourceState::Withdrawn, Said::Withdrawn));
        return if again { nothing() } else { Err(Refusal::Ended { resource, state: state.words() }.into()) };
    }
    let (there, awaited) = (state == ResourceState::Arrived, state.is_awaited());
    let not_there = |instead| Err(Refusal::NotThere { resource, state: state.words(), instead }.into());
    let to = match said {
        Said::Ordered => ResourceState::Ordered,
        Said::OnTheWay => ResourceState::OnTheWay,
        Said::Arrived => ResourceState::Arrived,
        Said::Declined if there => return not_there("release it once it is given back"),
        Said::Declined => ResourceState::Wanted,
        Said::Released if awaited => return not_there("withdraw it where it is not wanted any more"),
        Said::Released => ResourceState::Released,
        Said::Withdrawn if there => return not_there("release it once it is given back"),
        Said::Withdrawn => ResourceState::Withdrawn,
    };
    if said == Said::Declined {
        body.organisation = body.organisation.or_else(|| found.organisation.clone());
        if body.organisation.is_none() {
            return Err(Refusal::NobodyDeclined { resource }.into());
        }
    } else {
        body.organisation = body.organisation.filter(|new| Some(new) != found.organisation.as_ref());
        body.reference = body.reference.filter(|new| Some(new) != found.reference.as_ref());
        let says_more = body.organisation.is_some() || body.reference.is_some() || body.text.is_some() || body.expected_at.is_some();
        if to == state && !says_more {
            return nothing();
        }
    }
    let mut events: Vec<Any> = match &body.organisation {
        // Whoever sends something to what is over takes no part in it by that.
        Some(organisation) if said != Said::Declined && parties::takes_new(incident).is_ok() => parties::joins(incident, organisation)?,
        _ => Vec::new(),
    };
    let event = match said {
        Said::Ordered => Event::Ordered(body),
        Said::OnTheWay => Event::Sent(body),
        Said::Arrived => Event::Arrived(body),
        Said::Declined => Event::Declined(body),
        Said::Released => Event::Released(body),
        Said::Withdrawn => Event::Withdrawn(body),
    };
    events.push(event.into());
    Ok(events)
}

pub(in crate::incident) fn evolve(incident: &mut Incident, event: &Event, at: Timestamp) {
    let body = match event {
        Event::Wanted(body) => {
            incident.work.resources.push(Resource {
                resource: body.resource,
                what: body.what.clone(),
                quantity: body.quantity,
                state: ResourceState::Wanted,
                organisation: body.organisation.clone(),
                place: body.place.clone(),
                wanted_at: at,
                due_at: body.due_at,
                expected_at: None,
                ordered_at: None,
                sent_at: None,
                arrived_at: None,
                ended_at: None,
                reference: None,
                note: None,
                late: false,
                overdue: false,
            });
            return;
        }
        Event::Missed(body) => {
            if let Some(resource) = incident.work.resource_mut(body.resource) {
                resource.late |= body.due_at.is_some();
                resource.overdue |= body.expected_at.is_some();
            }
            return;
        }
        Event::Ordered(body)
        | Event::Sent(body)
        | Event::Arrived(body)
        | Event::Declined(body)
        | Event::Released(body)
        | Event::Withdrawn(body) => body,
    };
    let Some(resource) = incident.work.resource_mut(body.resource) else { return };
    if body.organisation.is_some() && body.organisation != resource.organisation {
        // What another promised, and calls it, is nothing to whoever sends it now.
        (resource.reference, resource.expected_at, resource.overdue) = (None, None, false);
        (resource.ordered_at, resource.sent_at) = (None, None);
    }
    let at = body.happened_at.unwrap_or(at);
    if body.expected_at.is_some() {
        (resource.expected_at, resource.overdue) = (body.expected_at, false);
    }
    if body.reference.is_some() {
        resource.reference.clone_from(&body.reference);
    }
    if body.text.is_some() {
        resource.note.clone_from(&body.text);
    }
    if body.organisation.is_some() {
        resource.organisation.clone_from(&body.organisation);
    }
    match event {
        Event::Ordered(_) => {
            resource.state = ResourceState::Ordered;
            resource.ordered_at = resource.ordered_at.or(Some(at));
            (resource.sent_at, resource.arrived_at) = (None, None);
        }
        Event::Sent(_) => {
            resource.state = ResourceState::OnTheWay;
            resource.sent_at = resource.sent_at.or(Some(at));
            resource.arrived_at = None;
        }
        Event::Arrived(_) => {
            resource.state = ResourceState::Arrived;
            // What came in time and is written down late was not late.
            resource.late &= resource.due_at.is_none_or(|due_at| at > due_at);
            resource.arrived_at = resource.arrived_at.or(Some(at));
        }
        Event::Declined(_) => {
            resource.state = ResourceState::Wanted;
            (resource.organisation, resource.reference, resource.expected_at, resource.overdue) = (None, None, None, false);
            (resource.ordered_at, resource.sent_at) = (None, None);
        }
        Event::Released(_) => (resource.state, resource.ended_at) = (ResourceState::Released, Some(at)),
        Event::Withdrawn(_) => (resource.state, resource.ended_at) = (ResourceState::Withdrawn, Some(at)),
        Event::Wanted(_) | Event::Missed(_) => {}
    }
}

fn key(resource: u32) -> String {
    Key::Resource(resource).to_string()
}

fn await_one(resource: &Resource, awaited: &mut Awaited) {
    if let Some(at) = resource.looked_at() {
        awaited.open_until(&key(resource.resource), Rule::ResourceDue, at);
    }
}

/// What was not there when it ended is awaited again.
pub(in crate::incident) fn await_again(incident: &Incident, awaited: &mut Awaited) {
    for resource in &incident.work.resources {
        await_one(resource, awaited);
    }
}

pub(in crate::incident) fn react(incident: &Incident, event: &Event, awaited: &mut Awaited) {
    let number = match event {
        Event::Wanted(body) => body.resource,
        Event::Missed(body) => body.resource,
        Event::Ordered(body)
        | Event::Sent(body)
        | Event::Arrived(body)
        | Event::Declined(body)
        | Event::Released(body)
        | Event::Withdrawn(body) => body.resource,
    };
    let Some(resource) = incident.work.resource(number).filter(|_| incident.state.is_open()) else { return };
    match event {
        Event::Arrived(_) => awaited.settle(&key(number), Standing::Met, "it arrived"),
        Event::Withdrawn(_) => awaited.settle(&key(number), Standing::Void, "it was withdrawn"),
        Event::Released(_) => {}
        Event::Wanted(_) => await_one(resource, awaited),
        Event::Ordered(_) | Event::Sent(_) | Event::Declined(_) => {
            awaited.settle(&key(number), Standing::Void, "when it comes was said anew");
            await_one(resource, awaited);
        }
        // The look settles what was missed, and what is still to come has its own.
        Event::Missed(_) => await_one(resource, awaited),
    }
}

pub(in crate::incident) fn line(event: &Event, incident_names: &Names<'_>) -> String {
    let names = incident_names;
    let who = names.who();
    let of = |organisation: &Option<String>, word: &str| {
        organisation.as_deref().map_or_else(String::new, |id| format!(" {word} {}", names.organisation(id)))
    };
    match event {
        Event::Wanted(body) => {
            let place = body.place.as_ref().map_or_else(String::new, |place| format!(", to {place}"));
            let due = body.due_at.map_or_else(String::new, |at| format!(", needed by {}", names.clock(at)));
            let of = of(&body.organisation, "of");
            format!("{who} asked for {}{of} (resource {}{due}){place}", called(body.quantity, &body.what), body.resource)
        }
        Event::Ordered(body) => moved_line(body, &format!("is ordered{}", of(&body.organisation, "from")), names),
        Event::Sent(body) => moved_line(body, &format!("is on the way{}", of(&body.organisation, "from")), names),
        Event::Arrived(body) => moved_line(body, &format!("arrived{}", of(&body.organisation, "from")), names),
        Event::Declined(body) => moved_line(body, &format!("was declined{}, and is wanted still", of(&body.organisation, "by")), names),
        Event::Released(body) => moved_line(body, "was released", names),
        Event::Withdrawn(body) => moved_line(body, "is not wanted any more", names),
        Event::Missed(body) => {
            let due = body.due_at.map(|at| format!("was needed by {}", names.clock(at)));
            let expected = body.expected_at.map(|at| format!("was said to come at {}", names.clock(at)));
            let when: Vec<String> = [due, expected].into_iter().flatten().collect();
            format!("resource {} has not arrived, and {}", body.resource, when.join(" and "))
        }
    }
}

/// What became of it, and who says so.
fn moved_line(body: &Moved, what: &str, names: &Names<'_>) -> String {
    let at = body.happened_at.map_or_else(String::new, |at| format!(" at {}", names.clock(at)));
    let comes = body.expected_at.map_or_else(String::new, |at| format!(", comes at {}", names.clock(at)));
    let reference = body.reference.as_ref().map_or_else(String::new, |reference| format!(", their reference is {reference}"));
    with_text(format!("resource {} {what}{at}{comes}{reference}, says {}", body.resource, names.who()), body.text.as_deref())
}

#[cfg(test)]
mod tests {
    use super::super::sample::Sample;
    use super::*;
    use crate::incident::ending;

    fn wants(organisation: Option<&str>, within: Option<u64>) -> Command {
        let within = within.map(Length::from_mins);
        Command::Want { what: "pump".into(), quantity: 2, organisation: organisation.map(Into::into), place: None, within }
    }

    fn says(said: Said) -> Command {
        Command::Move { resource: 1, said, organisation: None, within: None, reference: None, text: None, happened_at: None }
    }

    fn comes_within(said: Said, minutes: u64) -> Command {
        let within = Some(Length::from_mins(minutes));
        Command::Move { resource: 1, said, organisation: None, within, reference: None, text: None, happened_at: None }
    }

    fn pump(sample: &Sample) -> Resource {
        sample.incident.work.resources[0].clone()
    }

    #[test]
    fn it_goes_from_wanted_to_released_and_is_awaited_until_it_is_there() {
        let mut sample = Sample::declared();
        let wanted = sample.run(wants(Some("thw"), Some(120))).unwrap();
        assert_eq!((wanted.kinds(), wanted.opened()), (vec!["party_joined", "resource_wanted"], vec!["resource:1"]));
        assert_eq!(wanted.due_at("resource:1"), Some(after(sample.at, Length::from_mins(120))));
        let ordered = sample.run(comes_within(Said::Ordered, 30)).unwrap();
        assert_eq!((ordered.settled(), ordered.opened()), (vec!["resource:1"], vec!["resource:1"]));
        assert_eq!(ordered.due_at("resource:1"), Some(after(sample.at, Length::from_mins(30))), "it is said to come before");
        assert_eq!(sample.run(says(Said::Ordered)).unwrap().events, [], "that is known");
        sample.run(says(Said::OnTheWay)).unwrap();
        assert_eq!(sample.refusal(says(Said::Released)), "resource_not_there");
        assert_eq!(sample.run(says(Said::Arrived)).unwrap().settled(), ["resource:1"]);
        for (no, code) in [(Said::Declined, "resource_not_there"), (Said::Withdrawn, "resource_not_there")] {
            assert_eq!(sample.refusal(says(no)), code);
        }
        assert_eq!(sample.run(says(Said::Released)).unwrap().kinds(), ["resource_released"]);
        assert_eq!(sample.run(says(Said::Released)).unwrap().events, []);
        assert_eq!(sample.refusal(says(Said::Arrived)), "resource_ended");
        assert!(!pump(&sample).late);
    }

    #[test]
    fn each_of_its_times_passes_once_and_what_came_in_time_was_not_late() {
        let mut sample = Sample::declared().after(wants(None, Some(60))).after(comes_within(Said::Ordered, 30));
        let wanted_at = pump(&sample).wanted_at;
        let at = |minutes| after(wanted_at, Length::from_mins(minutes));
        assert_eq!(sample.run(Command::Miss { resource: 1 }).unwrap().events, [], "never early");
        sample.at = at(30);
        let missed = sample.run(Command::Miss { resource: 1 }).unwrap();
        assert_eq!((missed.kinds(), missed.due_at("resource:1")), (vec!["resource_missed"], Some(at(60))), "the other is still to come");
        assert_eq!(sample.run(Command::Miss { resource: 1 }).unwrap().events, []);
        sample.at = at(70);
        assert_eq!(sample.run(Command::Miss { resource: 1 }).unwrap().opened(), Vec::<&str>::new());
        assert!(pump(&sample).late && pump(&sample).overdue);
        let arrived = |happened_at| Command::Move {
            resource: 1,
            said: Said::Arrived,
            organisation: None,
            within: None,
            reference: None,
            text: None,
            happened_at: Some(happened_at),
        };
        assert_eq!(sample.refusal(arrived(at(90))), "in_the_future");
        sample.run(arrived(at(55))).unwrap();
        assert!(!pump(&sample).late, "it was there in time");
    }

    #[test]
    fn what_is_declined_is_wanted_still_of_nobody() {
        let mut sample = Sample::declared().after(wants(None, Some(60)));
        assert_eq!(sample.refusal(says(Said::Declined)), "nobody_declined");
        let order = |of: &str| Command::Move {
            resource: 1,
            said: Said::Ordered,
            organisation: Some(of.into()),
            within: None,
            reference: Some("R".into()),
            text: None,
            happened_at: None,
        };
        sample.run(order("thw")).unwrap();
        let declined = sample.run(says(Said::Declined)).unwrap();
        assert_eq!((declined.kinds(), declined.opened()), (vec!["resource_declined"], vec!["resource:1"]));
        assert_eq!((pump(&sample).state, pump(&sample).organisation, pump(&sample).reference), (ResourceState::Wanted, None, None));
        assert_eq!(sample.run(order("red-cross")).unwrap().kinds(), ["party_joined", "resource_ordered"]);
    }

    #[test]
    fn what_is_there_when_it_ends_is_given_back_and_a_reopening_awaits_what_is_not() {
        let mut sample = Sample::declared().after(wants(None, Some(60))).after(wants(None, Some(90))).after(says(Said::Arrived));
        sample.run(ending::Command::Resolve { note: None, waive: None }).unwrap();
        assert_eq!(sample.refusal(wants(None, None)), "already_resolved");
        assert_eq!(sample.run(says(Said::Released)).unwrap().kinds(), ["resource_released"]);
        let reopened = sample.run(ending::Command::Reopen { why: "it rises again".into() }).unwrap();
        assert!(reopened.opened().contains(&"resource:2") && !reopened.opened().contains(&"resource:1"));
    }

    #[test]
    fn bounds_hold() {
        let mut sample = Sample::declared();
        let none = Command::Want { what: "pump".into(), quantity: 0, organisation: None, place: None, within: None };
        assert_eq!(sample.refusal(none), "quantity");
        let blank = Command::Want { what: " \u{200b}".into(), quantity: 1, organisation: None, place: None, within: None };
        assert_eq!(sample.refusal(blank), "words_missing");
        assert_eq!(sample.refusal(wants(None, Some(0))), "in_the_past");
        for _ in 0..RESOURCES_MAX {
            sample.run(wants(None, None)).unwrap();
        }
        assert_eq!(sample.refusal(wants(None, None)), "too_many_resources");
    }
}
