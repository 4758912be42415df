//! The review of an incident: asked for, worked on, late.

use allclear_domain::access::Actor;
use allclear_domain::event::{Head, Stream};
use allclear_domain::expect::{Expectation, Settle, Standing};
use allclear_domain::ids::{IncidentId, ReviewId};
use allclear_domain::incident;
use allclear_domain::org::snapshot::ReviewWithin;
use allclear_domain::review::{self, Review};
use allclear_domain::wire::NoticeKind;
use allclear_store::schema::REVIEW;
use allclear_store::{Table, Write, rows};
use jiff::Timestamp;

use super::command::{Refusal, Reply};
use super::notices::{clock, each_once, person};
use super::streams::{ReadOnce, State};
use super::unit::Unit;
use super::{Core, Decided};

/// How long a review has that somebody asks for where its severity asks for none.
const REVIEW_ASKED_WITHIN: ReviewWithin = ReviewWithin::BusinessDays(allclear_domain::org::snapshot::REVIEW_BUSINESS_DAYS);

impl Core {
    pub(super) fn ask_review_if_due(&mut self, unit: &mut Unit, id: IncidentId) -> Decided<()> {
        let (incident, _) = self.incident(unit, id)?;
        match self.org.severity(incident.severity).review_within {
            Some(within) if incident.work.review.is_none() => self.ask_review(unit, id, within),
            _ => Ok(()),
        }
    }

    /// A person asks for a review.
    pub(super) fn review_of(&mut self, unit: &mut Unit, id: IncidentId) -> Decided<Reply> {
        let (incident, _) = self.incident(unit, id)?;
        let within = self.org.severity(incident.severity).review_within.unwrap_or(REVIEW_ASKED_WITHIN);
        self.ask_review(unit, id, within)?;
        self.named(unit, id)
    }

    fn ask_review(&mut self, unit: &mut Unit, id: IncidentId, within: ReviewWithin) -> Decided<()> {
        let before = self.incident(unit, id)?;
        let review = ReviewId::from_bits(unit.id());
        let due_at = within.due_at(unit.now);
        let opened = review::Opened {
            incident: id,
            reference: before.0.reference.clone(),
            owner: before.0.commander.clone().or_else(|| before.0.acknowledged_by.clone()),
            due_at,
        };
        self.incident_command(unit, id, Some(before), incident::links::Command::AskReview { review, due_at })?;
        self.review_command(unit, review, None, review::Command::Open(opened))
    }

    fn review_command(&mut self, unit: &mut Unit, id: ReviewId, before: Option<(Review, Head)>, command: review::Command) -> Decided<()> {
        let events = review::decide(before.as_ref().map(|(state, _)| state), command).map_err(Refusal::from)?;
        unit.add_events(id, before, &events);
        Ok(())
    }

    /// A person's command on a review.
    pub(super) fn act_on_review(&mut self, unit: &mut Unit, id: ReviewId, command: &review::Command) -> Decided<Reply> {
        if let review::Command::Assign { owner } = command {
            self.known_person(owner)?;
        }
        let before = self.read_once::<Review>(unit, id)?;
        let (incident, reference) = (before.0.incident, before.0.reference.clone());
        if let review::Command::Assign { owner } = command {
            self.admit_or_refuse(unit, incident, owner, "writes the review")?;
        }
        self.review_command(unit, id, Some(before), command.clone())?;
        if let review::Command::Assign { owner } = command
            && unit.actor != Actor::Person(owner.clone())
        {
            let text = format!("The review of {reference} is yours to write.");
            self.tell(unit, incident, NoticeKind::Reminder, &[person(owner)], text, "a review was assigned")?;
        }
        Ok(Reply::Review { id })
    }

    pub(super) fn look_review(&mut self, unit: &mut Unit, expectation: &Expectation, id: ReviewId) -> Decided<Option<Standing>> {
        let due_at = expectation.deadline_at().unwrap_or(expectation.next_look_at);
        let before = self.read_once::<Review>(unit, id)?;
        let (incident, owner, reference) = (before.0.incident, before.0.owner.clone(), before.0.reference.clone());
        if before.0.state == review::State::Published {
            return Ok(Some(Standing::Void));
        }
        let (state, _) = self.incident(unit, incident)?;
        let mut targets = each_once([owner]);
        if unit.now < due_at {
            self.review_command(unit, id, Some(before), review::Command::Remind)?;
            let text = format!("The review of {reference} is due by {}.", clock(due_at));
            self.tell(unit, incident, NoticeKind::Reminder, &targets, text, "a review is due soon")?;
            return Ok(None);
        }
        self.review_command(unit, id, Some(before), review::Command::Miss)?;
        targets.extend(self.managers_of(&state));
        targets.sort();
        targets.dedup();
        let text = format!("The review of {reference} was due by {} and is not published.", clock(due_at));
        self.tell(unit, incident, NoticeKind::Reminder, &targets, text, "a review is late")?;
        Ok(Some(Standing::Missed))
    }
}

impl State for Review {
    type Id = ReviewId;
    type Event = review::Event;
    const TABLE: &'static Table = &REVIEW;
    fn decode(kind: &str, v: u16, body: &str) -> Result<Self::Event, String> {
        review::Event::decode(kind, v, body).map_err(|why| why.to_string())
    }
    fn evolve(state: Option<Self>, id: ReviewId, event: &Self::Event, _: &Actor, at: Timestamp) -> Self {
        review::evolve(state, id, event, at)
    }
    fn row(&self, head: Head) -> Write {
        rows::review::put(self, head)
    }
}

impl ReadOnce for Review {
    fn stream(id: ReviewId) -> Stream {
        Stream::Review(id)
    }
    fn absent() -> Refusal {
        Refusal::NoSuchReview
    }
    fn incident(&self) -> Option<IncidentId> {
        Some(self.incident)
    }
    fn encoded(event: &review::Event) -> (&'static str, u16, String) {
        (event.kind(), event.v(), event.body())
    }
    fn react(after: &Self, event: &review::Event, version: u64, at: Timestamp) -> (Vec<Expectation>, Vec<Settle>) {
        review::react(after, event, version, at)
    }
}
