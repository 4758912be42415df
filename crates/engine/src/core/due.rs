//! A due expectation is looked at: judged again from present state, settled once, or armed again.

use allclear_domain::expect::{Expectation, Key, LATE_AFTER, Owner, Rule, Standing};
use allclear_domain::ids::{AlertId, IncidentId, PageId};
use allclear_domain::incident;
use allclear_domain::paging;
use allclear_domain::signal::{Alert, Ended};
use allclear_domain::time::{Length, after};
use allclear_domain::wire::{Labels, Link, Signal, SignalAction};
use allclear_store::rows;

use super::command::Reply;
use super::memory::OpenAlert;
use super::unit::Unit;
use super::{Core, Decided, Loaded, Need, Stop};

/// A candidate that silences hold is looked at no sooner than this again.
const HELD_AGAIN_AFTER: Length = Length::from_secs(10);

impl Core {
    pub(super) fn look(&mut self, unit: &mut Unit, given: &Expectation) -> Decided<Reply> {
        let expectation = if self.careful { self.present(given)? } else { Some(given.clone()) };
        let Some(expectation) = expectation.filter(|e| e.standing == Standing::Live) else { return Ok(Reply::Done) };
        if expectation.next_look_at > unit.now {
            // Never early: whoever looked had another clock.
            return Ok(Reply::Done);
        }
        let late = unit.now > after(expectation.next_look_at, LATE_AFTER);
        match (expectation.rule, expectation.owner) {
            (Rule::PageAck, Owner::Page(page)) => self.look_page_ack(unit, &expectation, page, late)?,
            (Rule::MessageReceipt, Owner::Page(page)) => self.look_receipt(unit, &expectation, page)?,
            (Rule::PageAgain, Owner::Page(page)) => self.look_page_again(unit, &expectation, page, late)?,
            (Rule::Attended, Owner::Incident(id)) => self.look_attended(unit, &expectation, id, late)?,
            (Rule::StillOnIt, Owner::Incident(id)) => self.look_still_on_it(unit, &expectation, id)?,
            (Rule::PageNotify, Owner::Page(page)) => self.look_page_notify(unit, &expectation, page, late)?,
            (Rule::GroupWait, Owner::Incident(id)) => {
                let standing = self.end_group_wait(unit, id, late)?;
                settle(unit, &expectation, standing, "the wait is over");
            }
            (Rule::Candidate, Owner::Incident(id)) => self.look_candidate(unit, &expectation, id)?,
            (Rule::ConfirmRecovery, Owner::Incident(id)) => {
                settle(unit, &expectation, Standing::Missed, "nobody confirmed in time");
                self.change_incident(unit, id, incident::alarms::Command::MissConfirmation)?;
            }
            (Rule::RoleAnswer, Owner::Incident(id)) => {
                let standing = self.look_role_answer(unit, &expectation, id)?;
                settle(unit, &expectation, standing, "nobody answered in time");
            }
            (Rule::RoleUnfilled, Owner::Incident(id)) => {
                if let Some(standing) = self.look_role(unit, &expectation, id)? {
                    settle(unit, &expectation, standing, "nobody took it in time");
                }
            }
            (Rule::ReliefDue, Owner::Incident(id)) => {
                let standing = self.look_relief(unit, &expectation, id)?;
                settle(unit, &expectation, standing, "nobody else took it in time");
            }
            (Rule::TaskDue, Owner::Incident(id)) => {
                let standing = self.look_task(unit, &expectation, id)?;
                settle(unit, &expectation, standing, "it was not done in time");
            }
            (Rule::DecisionReview, Owner::Incident(id)) => {
                let standing = self.look_decision(unit, &expectation, id)?;
                settle(unit, &expectation, standing, "it was not looked at again in time");
            }
            (Rule::Reassess, Owner::Incident(id)) => self.look_reassess(unit, &expectation, id)?,
            (Rule::UpdateDue, Owner::Incident(id)) => {
                let standing = self.look_update(unit, &expectation, id)?;
                settle_or_rearm(unit, &expectation, standing, "no update came in time");
            }
            (Rule::Target, Owner::Incident(id)) => self.look_target(unit, &expectation, id)?,
            (Rule::ObligationDue, Owner::Incident(id)) => self.look_obligation(unit, &expectation, id)?,
            (Rule::Objective, Owner::Incident(id)) => self.look_objective(unit, &expectation, id)?,
            (Rule::RequestDue, Owner::Incident(id)) => {
                let standing = self.look_request(unit, &expectation, id)?;
                settle(unit, &expectation, standing, "it was not answered in time");
            }
            (Rule::TransferAnswer, Owner::Incident(id)) => {
                let standing = self.look_transfer(unit, id)?;
                settle(unit, &expectation, standing, "the team did not answer in time");
            }
            (Rule::ResourceDue, Owner::Incident(id)) => self.look_resource(unit, &expectation, id)?,
            (Rule::IncidentOver, Owner::Incident(id)) => {
                let standing = self.look_over(unit, id)?;
                settle(unit, &expectation, standing, "it stayed over");
            }
            (Rule::ReviewDue, Owner::Review(id)) => {
                let standing = self.look_review(unit, &expectation, id)?;
                settle_or_rearm(unit, &expectation, standing, "it was not published in time");
            }
            (Rule::ActionDue, Owner::Action(id)) => {
                let standing = self.look_action(unit, &expectation, id)?;
                settle_or_rearm(unit, &expectation, standing, "it was not done in time");
            }
            (Rule::AlertsDigest, Owner::Incident(id)) => self.look_digest(unit, &expectation, id)?,
            (Rule::AlertLapse, Owner::Alert(id)) => self.look_lapse(unit, &expectation, id)?,
            (Rule::Heartbeat, Owner::Org) => self.look_heartbeat(unit, &expectation)?,
            (Rule::SilenceEnd, Owner::Alert(id)) => self.look_silence(unit, &expectation, id)?,
            (Rule::SilencesJudged, Owner::Org) => self.look_silences(unit, &expectation)?,
            (Rule::Readiness, Owner::Org) => self.look_ready(unit, &expectation)?,
            (Rule::CoverAnswer, Owner::Org) => self.look_cover(unit, &expectation)?,
            (Rule::ShiftNotice, Owner::Org) => self.look_shifts(unit, &expectation),
            (Rule::ExternalCalendars, Owner::Org) => return Ok(self.look_external_calendars(unit, &expectation)),
            (Rule::Canary, Owner::Org) => self.look_canary(unit, &expectation),
            (Rule::Silenced, Owner::Incident(id)) => self.look_silenced(unit, &expectation, id)?,
            (Rule::Flapping, Owner::Incident(id)) => self.look_flapping(unit, &expectation, id)?,
            // On an owner that cannot have it: nothing sensible can follow, and it must not be looked at for ever. Named
            // one by one, so that a rule that is added is asked for here.
            (
                Rule::PageAck
                | Rule::PageNotify
                | Rule::PageAgain
                | Rule::MessageReceipt
                | Rule::GroupWait
                | Rule::Candidate
                | Rule::ConfirmRecovery
                | Rule::AlertsDigest
                | Rule::AlertLapse
                | Rule::Heartbeat
                | Rule::SilenceEnd
                | Rule::SilencesJudged
                | Rule::Silenced
                | Rule::Flapping
                | Rule::RoleAnswer
                | Rule::RoleUnfilled
                | Rule::ReliefDue
                | Rule::Attended
                | Rule::StillOnIt
                | Rule::TaskDue
                | Rule::DecisionReview
                | Rule::Reassess
                | Rule::UpdateDue
                | Rule::Target
                | Rule::RequestDue
                | Rule::ObligationDue
                | Rule::Objective
                | Rule::TransferAnswer
                | Rule::ResourceDue
                | Rule::IncidentOver
                | Rule::ReviewDue
                | Rule::Readiness
                | Rule::CoverAnswer
                | Rule::ShiftNotice
                | Rule::ExternalCalendars
                | Rule::Canary
                | Rule::ActionDue,
                _,
            ) => {
                tracing::error!(rule = expectation.rule.name(), owner = %expectation.owner, "this rule does not apply to this owner");
                settle(unit, &expectation, Standing::Void, "this rule does not apply to this owner");
            }
        }
        Ok(Reply::Done)
    }

    fn present(&self, given: &Expectation) -> Decided<Option<Expectation>> {
        let (owner, key) = (given.owner.to_string(), given.key.clone());
        let found = self.read.iter().find_map(|read| {
            if let Loaded::Expectation(o, k, n, found) = read
                && *o == owner
                && *k == key
                && *n == given.occurrence
            {
                Some(found.as_deref().cloned())
            } else {
                None
            }
        });
        found.ok_or(Stop::Need(Need::Expectation(owner, key, given.occurrence)))
    }

    fn look_page_ack(&mut self, unit: &mut Unit, expectation: &Expectation, page: PageId, late: bool) -> Decided<()> {
        let Ok(Key::Ack { round, step }) = expectation.key.parse() else {
            settle(unit, expectation, Standing::Void, "its key does not read");
            return Ok(());
        };
        let (state, _) = self.page(unit, page)?;
        let waits = state.status == paging::Status::Running && (state.round, state.step) == (round, step);
        if !waits {
            settle(unit, expectation, Standing::Void, "the page has moved on");
            return Ok(());
        }
        settle(unit, expectation, Standing::Missed, "nobody acknowledged in time");
        self.change_page(unit, page, paging::Command::StepTimedOut { round, step, late })?;
        Ok(())
    }

    fn look_page_notify(&mut self, unit: &mut Unit, expectation: &Expectation, page: PageId, late: bool) -> Decided<()> {
        let Ok(Key::Notify { round, step, person, entry }) = expectation.key.parse() else {
            settle(unit, expectation, Standing::Void, "its key does not read");
            return Ok(());
        };
        settle(unit, expectation, Standing::Missed, "there was no answer before");
        let command = paging::Command::EntryDue { round, step, person, entry, late };
        self.change_page(unit, page, command)?;
        Ok(())
    }

    fn look_candidate(&mut self, unit: &mut Unit, expectation: &Expectation, id: IncidentId) -> Decided<()> {
        let (state, _) = self.incident(unit, id)?;
        if state.state != incident::State::Candidate {
            settle(unit, expectation, Standing::Void, "it is no candidate any more");
            return Ok(());
        }
        if let Some(until) = state.alarms.held_until {
            // While silences hold it nobody has to decide; it is looked at again when the first of them ends.
            let at = until.max(after(unit.now, HELD_AGAIN_AFTER));
            unit.write(rows::expectation::rearm(expectation, at));
            note_look(unit, at);
            return Ok(());
        }
        settle(unit, expectation, Standing::Missed, "nobody decided in time");
        self.promote(unit, id, "nobody decided in time whether it is an incident")
    }

    fn look_digest(&mut self, unit: &mut Unit, expectation: &Expectation, id: IncidentId) -> Decided<()> {
        let (state, _) = self.incident(unit, id)?;
        let known = self.alerts_ever.get(&id).filter(|_| !self.setup.shared && !self.careful);
        let totals = match known {
            Some(ever) => Some((*ever, self.alerts_of.get(&id).map_or(0, std::collections::BTreeSet::len) as u64)),
            None => self.read.iter().find_map(|read| {
                if let Loaded::Totals(other, all, open) = read
                    && *other == id
                {
                    Some((*all, *open))
                } else {
                    None
                }
            }),
        };
        let (all, open) = totals.ok_or(Stop::Need(Need::Totals(id)))?;
        settle(unit, expectation, Standing::Met, "the log was told");
        unit.digests.insert(id, false);
        let joined = all.saturating_sub(state.alerts_told);
        let recovered = (all - open).saturating_sub(state.recoveries_told);
        if state.state.is_open() {
            self.change_incident(unit, id, incident::alarms::Command::Tell { joined, recovered, open })?;
        }
        Ok(())
    }

    fn look_lapse(&mut self, unit: &mut Unit, expectation: &Expectation, id: AlertId) -> Decided<()> {
        // Where other nodes write too, theirs may have been the last repetition.
        let known = if self.setup.shared { None } else { self.alert_keys.get(&id).cloned() };
        let (key, alert) = match known.and_then(|key| self.alerts.get(&key).cloned().map(|alert| (key, alert))) {
            Some(found) => found,
            None => match self.whole_alert(id)? {
                Some(alert) if alert.ended.is_none() => (super::AlertKey::new(&alert.integration, &alert.dedup_key), self.freshest(&alert)),
                Some(_) => {
                    settle(unit, expectation, Standing::Void, "the alert has ended");
                    return Ok(());
                }
                None => return Err(Stop::Need(Need::Alert(id))),
            },
        };
        let Some(ends_at) = alert.ends_at else {
            settle(unit, expectation, Standing::Void, "the alert does not lapse");
            return Ok(());
        };
        // After a start no alert lapses before one full interval has passed: its sender may have
        // tried while nobody listened.
        let interval = ends_at.duration_since(alert.last_seen_at);
        let at_least = self.setup.booted_at.checked_add(interval).unwrap_or(ends_at);
        let lapses_at = if alert.last_seen_at < self.setup.booted_at && !allclear_domain::plants::planted("lapse-ignores-start") {
            ends_at.max(at_least)
        } else {
            ends_at
        };
        if lapses_at > unit.now {
            unit.write(rows::expectation::rearm(expectation, lapses_at));
            note_look(unit, lapses_at);
            return Ok(());
        }
        settle(unit, expectation, Standing::Missed, "its sender did not send it again");
        self.end_alert(unit, &key, &alert, Ended::Lapsed)
    }

    /// A stored alert with the soft part that memory knows, where that is newer.
    pub(super) fn freshest(&self, stored: &Alert) -> OpenAlert {
        let mut alert = OpenAlert::of(stored);
        if let Some(known) = self.alert_keys.get(&stored.id).and_then(|key| self.alerts.get(key))
            && known.last_seen_at > alert.last_seen_at
        {
            (alert.last_seen_at, alert.ends_at, alert.count) = (known.last_seen_at, known.ends_at, known.count);
        }
        alert
    }

    /// A stored alert, if it was read for this command.
    pub(super) fn whole_alert(&self, id: AlertId) -> Decided<Option<Alert>> {
        let read = self.read.iter().find_map(|read| {
            if let Loaded::Alert(other, found) = read {
                return (*other == id).then(|| found.as_deref().cloned());
            }
            let Loaded::Misjudged(_, alerts, _) = read else { return None };
            alerts.iter().find(|alert| alert.id == id).map(|alert| Some(alert.clone()))
        });
        match read {
            Some(Some(alert)) => Ok(Some(alert)),
            Some(None) => Err(super::Refusal::Broken.into()),
            None => Err(Stop::Need(Need::Alert(id))),
        }
    }
}

pub(super) fn settle(unit: &mut Unit, expectation: &Expectation, standing: Standing, why: &str) {
    unit.write(rows::expectation::looked(expectation, standing, unit.now, why));
}

/// After its mark an expectation is looked at again at its time.
fn settle_or_rearm(unit: &mut Unit, expectation: &Expectation, standing: Option<Standing>, why: &str) {
    match (standing, expectation.deadline_at()) {
        (Some(standing), _) => settle(unit, expectation, standing, why),
        (None, Some(_)) if allclear_domain::plants::planted("reminder-at-every-look") => {}
        (None, Some(at)) => {
            unit.write(rows::expectation::rearm(expectation, at));
            note_look(unit, at);
        }
        // Its clock is paused: whatever starts it again sets the next look.
        (None, None) => {}
    }
}

pub(super) fn note_look(unit: &mut Unit, at: jiff::Timestamp) {
    let effects = unit.effects();
    effects.next_look_at = Some(effects.next_look_at.map_or(at, |other| other.min(at)));
}

/// The signal that a stored alert stands for, for judging it anew.
#[must_use]
pub fn as_signal(alert: &Alert) -> Signal {
    #[derive(serde::Deserialize, Default)]
    #[serde(default)]
    struct Detail {
        description: Option<String>,
        labels: Labels,
        annotations: Labels,
        links: Vec<Link>,
        notes: Vec<String>,
    }
    let detail: Detail = serde_json::from_str(&alert.detail).unwrap_or_default();
    Signal {
        action: SignalAction::Trigger,
        dedup_key: alert.dedup_key.clone(),
        title: alert.title.clone(),
        description: detail.description,
        source: alert.source.clone(),
        service: alert.service.clone(),
        severity: alert.sender_severity,
        labels: detail.labels,
        annotations: detail.annotations,
        starts_at: Some(alert.starts_at),
        ends_at: alert.ends_at,
        links: detail.links,
        notes: detail.notes,
    }
}
