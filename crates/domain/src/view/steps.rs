//! A log as people read it: a line for each thing that happened. What providers answered stands under the step or the notice
//! that it belongs to, and what one act did to the incident and to its page is one line.

use std::collections::HashMap;

use crate::ids::MessageId;
use crate::paging::{Event, PassedOver, PlannedEntry, Reached};
use crate::time::Length;
use crate::view::EventView;

/// A line, and what unfolds from it.
#[derive(Debug, Clone, PartialEq)]
pub struct LogLine {
    pub event: EventView,
    /// Whom it told, where it is a step of a page or a notice.
    pub told: Option<Told>,
    /// What belongs to it, in the log's order.
    pub under: Vec<EventView>,
}

/// Whom a step or a notice told, and how far that has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    pub people: Vec<ToldPerson>,
    pub passed_over: Vec<PassedOver>,
    /// Which step, and how long it has; nothing where nothing is asked.
    pub step: Option<ToldStep>,
}

/// A step of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ToldStep {
    pub round: u32,
    pub step: u32,
    pub catch_all: bool,
    pub late: bool,
    pub within: Length,
}

/// Somebody who is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToldPerson {
    /// A person's id, or `audience:ID`.
    pub person: String,
    /// Contact by contact, in the order in which they had their turn.
    pub ways: Vec<(String, Came)>,
}

/// How far a message came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Came {
    /// Nothing is known yet, or it is tried again.
    OnItsWay,
    Arrived,
    /// It will not arrive.
    Failed,
}

impl Told {
    /// The most that came of any message.
    #[must_use]
    pub fn came(&self) -> Came {
        let ways = || self.people.iter().flat_map(|person| &person.ways).map(|(_, came)| *came);
        if ways().any(|came| came == Came::Arrived) {
            Came::Arrived
        } else if ways().any(|came| came == Came::OnItsWay) {
            Came::OnItsWay
        } else {
            Came::Failed
        }
    }

    fn of(people: &[Reached], passed_over: &[PassedOver], step: Option<ToldStep>) -> Self {
        let sent = |entries: &[PlannedEntry]| {
            entries.iter().filter(|entry| entry.message.is_some()).map(|entry| (entry.contact.clone(), Came::OnItsWay)).collect()
        };
        let people = people.iter().map(|one| ToldPerson { person: one.person.clone(), ways: sent(&one.entries) }).collect();
        Self { people, passed_over: passed_over.to_vec(), step }
    }

    fn way(&mut self, person: &str, contact: &str) -> Option<&mut Came> {
        let ways = &mut self.people.iter_mut().find(|one| one.person == person)?.ways;
        ways.iter_mut().find(|(known, _)| known == contact).map(|(_, came)| came)
    }
}

/// Where in the lines something stands that others belong to.
#[derive(Default)]
struct Places {
    /// A step of a page, by its stream.
    steps: HashMap<(String, u32, u32), usize>,
    messages: HashMap<MessageId, usize>,
}

/// The lines of events that follow one another. What belongs to one that is not among them has its own line.
#[must_use]
pub fn log_lines(events: Vec<EventView>) -> Vec<LogLine> {
    let mut lines: Vec<LogLine> = Vec::with_capacity(events.len());
    let mut places = Places::default();
    for event in events {
        let read = page_event(&event);
        let under = read.as_ref().and_then(|read| belongs_to(read, &event, &lines, &places));
        if let (Some(at), Some(read)) = (under, &read) {
            came(read, at, &mut lines, &mut places);
            lines[at].under.push(event);
            continue;
        }
        let told = read.as_ref().and_then(|read| begins(read, &event.stream, lines.len(), &mut places));
        lines.push(LogLine { event, told, under: Vec::new() });
    }
    lines
}

/// The event of a page, where it is one that reads.
fn page_event(event: &EventView) -> Option<Event> {
    if !Event::KINDS.iter().any(|kind| kind.name == event.kind) {
        return None;
    }
    let body = event.body.as_ref()?.to_string();
    // Of a body that this program does not read there is only the line.
    Event::decode(&event.kind, 1, &body).ok()
}

/// What a step or a notice says of whom it tells; from here on others find it.
fn begins(read: &Event, stream: &str, at: usize, places: &mut Places) -> Option<Told> {
    let (told, people) = if let Event::StepReached(body) = read {
        places.steps.insert((stream.to_owned(), body.round, body.step), at);
        let step = ToldStep { round: body.round, step: body.step, catch_all: body.catch_all, late: body.late, within: body.within };
        (Told::of(&body.people, &body.passed_over, Some(step)), &body.people)
    } else if let Event::Told(body) = read {
        (Told::of(&body.people, &body.passed_over, None), &body.people)
    } else {
        return None;
    };
    places.messages.extend(people.iter().flat_map(|one| &one.entries).filter_map(|entry| entry.message).map(|id| (id, at)));
    Some(told)
}

/// The line that an event belongs to.
fn belongs_to(read: &Event, event: &EventView, lines: &[LogLine], places: &Places) -> Option<usize> {
    let twin = |kind: &str| lines.iter().rposition(|line| line.event.kind == kind && line.event.at == event.at);
    match read {
        Event::NoticeRaised(body) => places.steps.get(&(event.stream.clone(), body.round, body.step)).copied(),
        Event::SendAccepted(body) => places.messages.get(&body.message).copied(),
        Event::Delivered(body) => places.messages.get(&body.message).copied(),
        Event::SendDelayed(body) | Event::SendFailed(body) => places.messages.get(&body.message).copied(),
        Event::SendInDoubt(body) => places.messages.get(&body.message).copied(),
        // The incident's own line of the same act says who, and how or why.
        Event::Acknowledged(_) => twin("acknowledged"),
        Event::Started(_) => twin("escalated"),
        Event::Told(_)
        | Event::StepReached(_)
        | Event::StepEmpty(_)
        | Event::AcknowledgedInPart(_)
        | Event::TakenBack(_)
        | Event::Declined(_)
        | Event::Exhausted(_)
        | Event::CameBack(_)
        | Event::Stopped(_)
        | Event::ConfirmationAsked(_)
        | Event::LevelAnswered(_)
        | Event::AnsweredLate(_)
        | Event::DrillEnded(_)
        | Event::Resumed(_) => None,
    }
}

/// What it says of how far a message came.
fn came(read: &Event, at: usize, lines: &mut [LogLine], places: &mut Places) {
    let Some(told) = lines.get_mut(at).and_then(|line| line.told.as_mut()) else { return };
    let arrived = if let Event::NoticeRaised(body) = read {
        places.messages.insert(body.message, at);
        if let Some(person) = told.people.iter_mut().find(|one| one.person == body.person) {
            person.ways.push((body.contact.clone(), Came::OnItsWay));
        }
        None
    } else if let Event::Delivered(body) = read {
        told.way(&body.person, &body.contact).map(|way| (way, Came::Arrived))
    } else if let Event::SendFailed(body) = read {
        told.way(&body.person, &body.contact).map(|way| (way, Came::Failed))
    } else {
        None
    };
    if let Some((way, came)) = arrived {
        *way = came;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn event(seq: i64, kind: &str, body: serde_json::Value) -> EventView {
        let at = "2026-03-01T00:00:00Z";
        serde_json::from_value(json!({
            "seq": seq, "stream": "page pg_1", "version": seq, "incident": null, "kind": kind, "at": at, "recorded_at": at,
            "actor": "system", "cause": "", "body": body, "line": kind
        }))
        .unwrap()
    }

    #[test]
    fn a_step_is_one_line_with_its_deliveries_under_it_and_an_acknowledgement_is_one_as_well() {
        let id = |n: u128| MessageId::from_bits(n).to_string();
        let sent =
            |n, contact: &str| json!({"message": id(n), "person": "cho", "contact": contact, "channel": "c", "why": "no", "attempts": 1});
        let delivered = json!({
            "message": id(1), "person": "cho", "contact": "mail", "channel": "email", "receipt": "250", "attempts": 1, "latency_ms": 5
        });
        let step = json!({
            "round": 1, "step": 1, "because": "b", "within": "5m", "org_version": 1,
            "people": [{"person": "cho", "via": "v", "entries": [
                {"contact": "mail", "channel": "email", "message": id(1)}, {"contact": "hook", "channel": "webhook", "after": "1m"}]}]
        });
        let raised = json!({
            "round": 1, "step": 1, "person": "cho", "entry": 1, "contact": "hook", "channel": "webhook", "message": id(2), "because": "b",
            "org_version": 1
        });
        let lines = log_lines(vec![
            event(1, "delivered", delivered.clone()),
            event(2, "step_reached", step),
            event(3, "delivered", delivered),
            event(4, "notice_raised", raised),
            event(5, "send_failed", sent(2, "hook")),
            event(6, "acknowledged", json!({"by": "cho", "via": "link", "first": true})),
            event(7, "page_acknowledged", json!({"by": "cho", "via": "link"})),
            event(8, "delivered", json!(null)),
        ]);
        let shape: Vec<(i64, usize)> = lines.iter().map(|line| (line.event.seq, line.under.len())).collect();
        assert_eq!(shape, [(1, 0), (2, 3), (6, 1), (8, 0)], "what belongs to nothing that is shown, or was erased, has its own line");
        let told = lines[1].told.as_ref().unwrap();
        assert_eq!(told.people[0].ways, [("mail".to_owned(), Came::Arrived), ("hook".to_owned(), Came::Failed)]);
        assert_eq!(told.came(), Came::Arrived);
    }
}
