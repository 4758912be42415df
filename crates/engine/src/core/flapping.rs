//! Alerts that come back soon after they ended: they join the incident they had.
//!
//! Which alerts ended lately is known from [memory](super::memory). What is not known there any more is judged as new: it
//! pages, rather than not.

use allclear_domain::expect::{Expectation, Owner, Rule, Settle, Standing};
use allclear_domain::ids::{AlertId, IncidentId};
use allclear_domain::incident::flapping::{Return, takes_back};
use allclear_domain::incident::{self, KEY_FLAPPING, State};
use allclear_domain::org::model::Declare;
use allclear_domain::paging;
use allclear_domain::plants::planted;
use allclear_domain::signal::Triage;
use allclear_domain::time::{Length, after};
use allclear_store::rows::alert::EndedLately;
use jiff::Timestamp;

use super::memory::{AlertKey, Recent, horizon};
use super::unit::{AlertChange, Unit};
use super::{Core, Decided, Stop};
use crate::core::due::settle;

/// Incidents followed from one that was merged into another.
const MERGES_FOLLOWED_MAX: usize = 8;
/// Why a page goes on, or starts.
const IT_IS_BACK: &str = "an alert of it came back";

/// An alert that opens, and the incident it comes back to.
pub(super) struct Back {
    pub incident: IncidentId,
    pub returns: u32,
}

impl Core {
    /// Takes over alerts that ended: read from the store at a start, or ended by another node.
    pub fn load_ended(&mut self, ended: Vec<EndedLately>) {
        let horizon = horizon(&self.org);
        for alert in ended {
            let EndedLately { integration, dedup_key, incident, opened_at, ended_at, returns } = alert;
            self.recent.note(AlertKey::new(&integration, &dedup_key), Recent { incident, opened_at, ended_at, returns }, horizon);
        }
    }

    /// The incident that an alert which opens now comes back to, if it ended within its grace and nobody ended
    /// the incident by hand.
    pub(super) fn comes_back(&self, unit: &Unit, key: &AlertKey, judged: &Triage) -> Decided<Option<Back>> {
        if judged.grace.is_zero() || judged.decision == Declare::Record || planted("flap-starts-anew") {
            return Ok(None);
        }
        let ended_here = unit.alerts.iter().rev().find_map(|change| {
            if let AlertChange::End(other, _, recent) = change
                && other == key
            {
                *recent
            } else {
                None
            }
        });
        let Some(recent) = ended_here.or_else(|| self.recent.get(key)) else { return Ok(None) };
        if after(recent.ended_at, judged.grace) < unit.now {
            return Ok(None);
        }
        let mut id = recent.incident;
        let mut state = match self.incident(unit, id) {
            Ok((state, _)) => state,
            // Only a damaged store lacks it; the alert pages as a new one.
            Err(Stop::Refused(_)) => return Ok(None),
            Err(stop) => return Err(stop),
        };
        for _ in 0..MERGES_FOLLOWED_MAX {
            let Some(into) = state.merged_into.filter(|_| state.state == State::Merged) else { break };
            id = into;
            (state, _) = self.incident(unit, id)?;
        }
        if !takes_back(&state) {
            return Ok(None);
        }
        if !state.state.is_open() || judged.group_key.is_some() {
            // Of a group one incident is open: where that is another one, it goes there as any alert of the group.
            let group = state.group_key.as_ref().or(judged.group_key.as_ref());
            if let Some(group) = group
                && self.group(unit, group)?.is_some_and(|open| open != id)
            {
                return Ok(None);
            }
        }
        // One that fired for longer than its grace was steady in between.
        let was_steady = recent.ended_at.duration_since(recent.opened_at) > judged.grace.as_duration();
        let returns = if was_steady { 1 } else { recent.returns.saturating_add(1) };
        Ok(Some(Back { incident: id, returns }))
    }

    /// Carries out a return: the log says so, the incident is open, and its page goes on where nobody has it.
    pub(super) fn take_back(&mut self, unit: &mut Unit, back: &Back, judged: &Triage, alert: AlertId, title: &str) -> Decided<()> {
        let id = back.incident;
        let before = self.incident(unit, id)?;
        let ended_at = if before.0.state.is_open() { None } else { before.0.resolved_at.or(before.0.closed_at) };
        let command = Return { alert, title: title.to_owned(), returns: back.returns, grace: judged.grace };
        self.incident_command(unit, id, Some(before), incident::flapping::Command::Return(command))?;
        if ended_at.is_some() {
            self.staff(unit, id)?;
        }
        let (state, _) = self.incident(unit, id)?;
        if let Some(ended_at) = ended_at
            && state.state == State::Declared
        {
            self.page_goes_on(unit, id, ended_at)?;
        }
        self.as_bad_as(unit, id, judged)?;
        if state.alarms.is_held() {
            // It fires freely, whatever holds the others.
            unit.silenced.entry(id).or_default();
        }
        Ok(())
    }

    /// The pages that stopped when the incident ended go on; where none can, another starts.
    fn page_goes_on(&mut self, unit: &mut Unit, id: IncidentId, ended_at: Timestamp) -> Decided<()> {
        let (state, _) = self.incident(unit, id)?;
        let urgency = self.org.severity(state.severity).notify;
        let (mut goes_on, mut alert) = (false, None);
        for page in self.pages_of(unit, id) {
            let (found, _) = self.page(unit, page)?;
            alert = found.alert.or(alert);
            let stopped_then = found.status == paging::Status::Stopped && found.ended_at == Some(ended_at);
            if stopped_then && found.due_at.is_some() && found.urgency == urgency {
                self.change_page(unit, page, paging::Command::Resume { why: IT_IS_BACK.to_owned() })?;
                goes_on = true;
            }
        }
        if goes_on {
            return Ok(());
        }
        self.start_page(unit, id, None, alert, IT_IS_BACK, false)
    }

    /// An alert of an incident that flaps ended: it has to be quiet for the whole time from now on.
    pub(super) fn flaps_on(&mut self, unit: &mut Unit, id: IncidentId, quiet_for: Length) {
        let owner = Owner::Incident(id);
        unit.settle(&Settle { owner, key: Some(KEY_FLAPPING.to_owned()), standing: Standing::Void, why: "an alert ended" });
        let mut expectation =
            Expectation::open(owner, KEY_FLAPPING.to_owned(), Rule::Flapping, Some(id), unit.cause.clone(), unit.now, quiet_for);
        expectation.occurrence = unit.occurrence();
        unit.expect(&expectation);
    }

    /// Nothing changed for as long as what flaps has to be quiet: it fires steadily, or it is over.
    pub(super) fn look_flapping(&mut self, unit: &mut Unit, expectation: &Expectation, id: IncidentId) -> Decided<()> {
        let (state, _) = self.incident(unit, id)?;
        if !state.state.is_open() || state.alarms.flapping.is_none() {
            settle(unit, expectation, Standing::Void, "it flaps no more");
            return Ok(());
        }
        let open = self.still_open(unit, id)?;
        settle(unit, expectation, Standing::Missed, "nothing changed for long enough");
        self.change_incident(unit, id, incident::flapping::Command::Steady { open })?;
        if open == 0 { self.recover(unit, id) } else { Ok(()) }
    }
}
