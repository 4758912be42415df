//! What the steps of a page ask beside the page itself: how its incident is now, for their conditions, and whose turn it is,
//! where a step pages one of many.
//!
//! Invariant: a turn is taken in the commit that starts the step, guarded by the version at which it was read: of two nodes
//! that give the same turn one is decided again.

use std::sync::Arc;

use allclear_domain::org::model::Escalation;
use allclear_domain::paging::{self, Facts, NO_TURNS, Page, Turns};
use allclear_domain::view::facts_of;
use allclear_store::rows;

use super::unit::{Taken, Unit};
use super::{Core, Decided, Need, Stop};

/// The turns of the policy that a page walks.
pub(super) struct OfPolicy {
    pub turns: Arc<Turns>,
    /// The policy and the version, where one of its steps pages in turn.
    at: Option<(String, u64)>,
}

impl Core {
    /// Read only where a step of the policy asks: most do not, and a storm must not pay for it.
    pub(super) fn what_steps_ask(&self, unit: &Unit, page: Option<&Page>, command: &paging::Command) -> Decided<(Option<Facts>, OfPolicy)> {
        let nothing = || OfPolicy { turns: Arc::new(NO_TURNS.clone()), at: None };
        let (incident, escalation, own) = match (page, command) {
            (None, paging::Command::Start(start)) => (start.incident.id, start.escalation.as_deref(), None),
            (Some(page), _) => (page.incident_id(), page.escalation.as_deref(), paging::own_policy(page, &self.org)),
            (None, _) => return Ok((None, nothing())),
        };
        // A page that comes back walks its policy as it is then.
        let present = escalation.and_then(|id| self.org.escalation(id));
        let any = |asks: fn(&Escalation) -> bool| own.is_some_and(asks) || present.is_some_and(asks);
        let facts = if any(Escalation::has_conditions) { Some(facts_of(&self.incident(unit, incident)?.0)) } else { None };
        let Some(policy) = escalation.filter(|_| any(Escalation::takes_turns)) else { return Ok((facts, nothing())) };
        let (turns, version) = self.turns_of(unit, policy)?;
        Ok((facts, OfPolicy { turns, at: Some((policy.to_owned(), version)) }))
    }

    fn turns_of(&self, unit: &Unit, policy: &str) -> Decided<Taken> {
        if let Some(found) = unit.turns.get(policy).or_else(|| self.turns.get(policy)) {
            return Ok(found.clone());
        }
        Err(Stop::Need(Need::Turns(policy.to_owned())))
    }

    /// Writes down whose turn a step was.
    pub(super) fn take_turns(&self, unit: &mut Unit, before: OfPolicy, events: &[paging::Event]) {
        let Some((policy, version)) = before.at else { return };
        let mut turns = before.turns;
        for event in events {
            Arc::make_mut(&mut turns).taken(event);
        }
        let took = events.iter().any(|event| matches!(event, paging::Event::StepReached(body) if body.turn.is_some()));
        if took {
            unit.write(rows::turn::put(&policy, &turns, version));
            unit.turns.insert(policy, (turns, version + 1));
        }
    }
}
