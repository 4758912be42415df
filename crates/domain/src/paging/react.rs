//! What an event of a page opens, settles and sends. Pure; a rebuild runs it with sending off.

use jiff::Timestamp;

use super::event::{Event, Resumed, StepReached};
use super::reason;
use super::types::{Page, Status, Telling, notice_key};
use crate::expect::{Expectation, Key, Owner, Rule, Settle, Standing};
use crate::ids::MessageId;
use crate::plants::planted;
use crate::time::Length;
use crate::wire::{Notice, NoticeKind};

/// A message to be written to the outbox.
#[derive(Debug, Clone, PartialEq)]
pub struct MessageDraft {
    pub id: MessageId,
    pub person: String,
    pub contact: String,
    pub channel: String,
    pub org_version: u64,
    pub notice: Notice,
}

/// One thing that follows.
#[derive(Debug, Clone, PartialEq)]
pub enum Reaction {
    Open(Expectation),
    Settle(Settle),
    Send(MessageDraft),
    /// Messages of the page that were not begun are not begun any more.
    Withdraw,
    /// The same of those for one person, who has answered while others are asked still.
    WithdrawOf(String),
}

/// What follows from `event`, given the state before and after it.
#[must_use]
pub fn react(before: Option<&Page>, page: &Page, event: &Event, version: u64, at: Timestamp) -> Vec<Reaction> {
    let owner = Owner::Page(page.id);
    let settle = |key: Option<String>, standing, why| Reaction::Settle(Settle { owner, key, standing, why });
    match event {
        Event::StepReached(body) => {
            let mut out = Vec::new();
            if before.is_some_and(|page| page.step > 0) {
                // Of the step before; the timer that led here is settled as missed by its look.
                // Messages of that step still being tried go on: the person may yet answer.
                out.push(settle(None, Standing::Void, "the next step was reached"));
                // Of a drill nobody is told of a level that is over.
                out.extend(before.filter(|page| page.drill.is_some()).into_iter().flat_map(withdrawn));
            }
            out.extend(step(page, body, version, at));
            out
        }
        Event::Told(body) => told(page, body),
        Event::NoticeRaised(body) => vec![
            settle(
                Some(Key::Notify { round: body.round, step: body.step, person: body.person.clone(), entry: body.entry }.to_string()),
                Standing::Missed,
                "there was no answer before",
            ),
            Reaction::Send(MessageDraft {
                id: body.message,
                person: body.person.clone(),
                contact: body.contact.clone(),
                channel: body.channel.clone(),
                org_version: body.org_version,
                notice: notice(page, body.round, body.step, &body.person, body.entry, body.late),
            }),
        ],
        Event::LevelAnswered(body) if body.so_far >= body.wants => {
            let key = Key::Ack { round: body.round, step: body.step }.to_string();
            vec![settle(Some(key), Standing::Met, "the level was answered")]
        }
        Event::LevelAnswered(body) => asked_no_more(owner, before, &body.by, Standing::Met, "they answered it"),
        Event::DrillEnded(_) => vec![settle(None, Standing::Void, "the drill has ended"), Reaction::Withdraw],
        Event::Acknowledged(_) if planted("ack-leaves-timers") => vec![Reaction::Withdraw],
        Event::Acknowledged(_) if planted("ack-withdraws-nothing") => vec![settle(None, Standing::Met, "it was acknowledged")],
        Event::Acknowledged(_) => vec![settle(None, Standing::Met, "it was acknowledged"), Reaction::Withdraw],
        Event::AcknowledgedInPart(body) => asked_no_more(owner, before, &body.by, Standing::Met, "they acknowledged it"),
        Event::Declined(body) if body.stays => asked_no_more(owner, before, &body.by, Standing::Void, "they passed it on"),
        Event::Stopped(_) => vec![settle(None, Standing::Void, "the page was stopped"), Reaction::Withdraw],
        Event::Resumed(body) => resumed(page, body, version, at),
        // Messages still being tried go on: an answer that comes late is better than none.
        Event::Exhausted(body) => {
            let mut out = vec![settle(None, Standing::Missed, "nobody is left to page")];
            out.extend(body.again_in.map(|length| {
                let (key, by) = (Key::Again { round: page.round }.to_string(), format!("{owner}@{version}"));
                Reaction::Open(Expectation::open(owner, key, Rule::PageAgain, Some(page.incident_id()), by, at, length))
            }));
            out
        }
        Event::ConfirmationAsked(body) => vec![Reaction::Send(MessageDraft {
            id: body.message,
            person: body.person.clone(),
            contact: body.contact.clone(),
            channel: body.channel.clone(),
            org_version: body.org_version,
            notice: Notice {
                key: format!("{}:confirm:{}", page.id, body.message),
                kind: NoticeKind::ConfirmRecovery,
                because: None,
                ..notice(page, page.round, page.step, &body.person, 0, false)
            },
        })],
        // Only as long as somebody waits for the person, or for a way to tell them.
        Event::SendAccepted(body)
            if awaits_receipt(page, body.message) && !before.is_some_and(|page| awaits_receipt(page, body.message)) =>
        {
            let (key, by) = (Key::Receipt { message: body.message }.to_string(), format!("{owner}@{version}"));
            vec![Reaction::Open(Expectation::open(owner, key, Rule::MessageReceipt, Some(page.incident_id()), by, at, body.within))]
        }
        Event::Delivered(body) if before.is_some_and(|page| awaits_receipt(page, body.message)) => {
            vec![settle(Some(Key::Receipt { message: body.message }.to_string()), Standing::Met, "it arrived")]
        }
        Event::SendFailed(body) if before.is_some_and(|page| awaits_receipt(page, body.message)) => {
            vec![settle(Some(Key::Receipt { message: body.message }.to_string()), Standing::Missed, "it did not arrive")]
        }
        Event::Started(_)
        | Event::CameBack(_)
        | Event::StepEmpty(_)
        | Event::SendAccepted(_)
        | Event::Delivered(_)
        | Event::SendDelayed(_)
        | Event::SendFailed(_)
        | Event::SendInDoubt(_)
        | Event::TakenBack(_)
        | Event::AnsweredLate(_)
        | Event::Declined(_) => Vec::new(),
    }
}

/// Messages of the present step that were not begun are not begun any more.
fn withdrawn(page: &Page) -> Vec<Reaction> {
    let people: std::collections::BTreeSet<&String> = page.entries.iter().map(|entry| &entry.person).collect();
    people.into_iter().map(|person| Reaction::WithdrawOf(person.clone())).collect()
}

/// One person of a step is told by no further way, and the others are.
fn asked_no_more(owner: Owner, before: Option<&Page>, person: &str, standing: Standing, why: &'static str) -> Vec<Reaction> {
    let planned = before.into_iter().flat_map(|page| {
        let theirs = page.entries.iter().filter(move |entry| entry.person == person && entry.telling == Telling::Planned);
        theirs.map(move |entry| Key::Notify { round: page.round, step: page.step, person: person.to_owned(), entry: entry.entry })
    });
    let settled = planned.map(|key| Reaction::Settle(Settle { owner, key: Some(key.to_string()), standing, why }));
    settled.chain([Reaction::WithdrawOf(person.to_owned())]).collect()
}

/// Whether a message of the present step was taken by its provider, and what became of it matters.
fn awaits_receipt(page: &Page, message: MessageId) -> bool {
    let accepted = page.entries.iter().any(|entry| entry.message == Some(message) && entry.telling == Telling::Accepted);
    accepted && matches!(page.status, Status::Running | Status::Told)
}

/// Whoever is told hears of it over their first way; the others are for when that fails.
fn told(page: &Page, body: &super::event::Told) -> Vec<Reaction> {
    let mut out = Vec::new();
    for reached in &body.people {
        for (index, planned) in reached.entries.iter().enumerate() {
            let Some(id) = planned.message else { continue };
            out.push(Reaction::Send(MessageDraft {
                id,
                person: reached.person.clone(),
                contact: planned.contact.clone(),
                channel: planned.channel.clone(),
                org_version: body.org_version,
                notice: notice(page, 1, 1, &reached.person, u32::try_from(index).unwrap_or(u32::MAX), false),
            }));
        }
    }
    out
}

fn step(page: &Page, body: &StepReached, version: u64, at: Timestamp) -> Vec<Reaction> {
    let owner = Owner::Page(page.id);
    let incident = Some(page.incident_id());
    let by = format!("{owner}@{version}");
    let expectation =
        |key: String, rule: Rule, length: Length| Reaction::Open(Expectation::open(owner, key, rule, incident, by.clone(), at, length));
    let mut out = vec![expectation(Key::Ack { round: body.round, step: body.step }.to_string(), Rule::PageAck, body.within)];
    for reached in &body.people {
        for (index, planned) in reached.entries.iter().enumerate() {
            let entry = u32::try_from(index).unwrap_or(u32::MAX);
            match planned.message {
                Some(id) => out.push(Reaction::Send(MessageDraft {
                    id,
                    person: reached.person.clone(),
                    contact: planned.contact.clone(),
                    channel: planned.channel.clone(),
                    org_version: body.org_version,
                    notice: notice(page, body.round, body.step, &reached.person, entry, body.late),
                })),
                None => out.push(expectation(
                    Key::Notify { round: body.round, step: body.step, person: reached.person.clone(), entry }.to_string(),
                    Rule::PageNotify,
                    planned.after,
                )),
            }
        }
    }
    out
}

fn notice(page: &Page, round: u32, step: u32, person: &str, entry: u32, late: bool) -> Notice {
    Notice {
        key: notice_key(page.id, round, step, person, entry, page.resumed),
        kind: page
            .tells
            .as_ref()
            .map_or_else(|| if page.drill.is_some() { NoticeKind::Drill } else { NoticeKind::Page }, |tells| tells.kind),
        page: page.id,
        step,
        round,
        late,
        person: person.to_owned(),
        incident: page.incident.clone(),
        text: page.tells.as_ref().map(|tells| tells.text.clone()),
        because: reason::told(&page.because).filter(|_| page.tells.is_none()).map(str::to_owned),
    }
}

/// Whether messages of a page may still be begun.
#[must_use]
pub fn may_send(status: Status) -> bool {
    matches!(status, Status::Running | Status::Exhausted)
}

/// What a page waits for that goes on where it was stopped.
fn resumed(page: &Page, body: &Resumed, version: u64, at: Timestamp) -> Vec<Reaction> {
    if body.left.is_zero() {
        // The next step follows in the same decision.
        return Vec::new();
    }
    let owner = Owner::Page(page.id);
    let open = |key: String, rule: Rule, length: Length| {
        let mut expectation = Expectation::open(owner, key, rule, Some(page.incident_id()), format!("{owner}@{version}"), at, length);
        // The same step was waited for before.
        expectation.occurrence = u32::try_from(version).unwrap_or(u32::MAX);
        Reaction::Open(expectation)
    };
    let mut out = vec![open(Key::Ack { round: body.round, step: body.step }.to_string(), Rule::PageAck, body.left)];
    for entry in page.entries.iter().filter(|entry| entry.telling == Telling::Planned) {
        if let Some(due_at) = entry.due_at.filter(|due| *due > at) {
            let key = Key::Notify { round: body.round, step: body.step, person: entry.person.clone(), entry: entry.entry }.to_string();
            out.push(open(key, Rule::PageNotify, Length::between(at, due_at)));
        }
    }
    out
}
