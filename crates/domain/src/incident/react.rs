//! What an event of an incident opens and settles. Pure; a rebuild runs the same function with
//! sending off.

use jiff::Timestamp;

use super::alarms::GRACE_DEFAULT;
use super::event::Event;
use super::types::{Incident, State};
use super::work::{COMMANDER, TaskState, UPDATES_MISSED_MAX};
use crate::expect::{
    ATTEND_WITHIN, CANDIDATE_WITHIN, CONFIRM_RECOVERY_WITHIN, Expectation, Key, OVER_TOLD_AFTER, Owner, ROLE_WITHIN, Rule, Settle, Standing,
};
use crate::plants::planted;
use crate::time::Length;

/// Keys of an incident's expectations.
pub const KEY_CANDIDATE: &str = "candidate";
pub const KEY_GROUP_WAIT: &str = "group_wait";
pub const KEY_CONFIRM: &str = "confirm_recovery";
pub const KEY_DIGEST: &str = "alerts_digest";
pub const KEY_UPDATE: &str = "update";
pub const KEY_ATTENDED: &str = "attended";
pub const KEY_STILL_ON_IT: &str = "still_on_it";
pub const KEY_OVER: &str = "over";
pub const KEY_SILENCED: &str = "silenced";
pub const KEY_FLAPPING: &str = "flapping";

fn role_key(role: &str) -> String {
    Key::Role(role.to_owned()).to_string()
}

/// What follows from `event`, given the state after it.
#[must_use]
pub fn react(incident: &Incident, event: &Event, version: u64, at: Timestamp) -> (Vec<Expectation>, Vec<Settle>) {
    let owner = Owner::Incident(incident.id);
    let mut opened = Vec::new();
    let mut settled = Vec::new();
    let mut open = |key: &str, rule: Rule, length| {
        let mut expectation = Expectation::open(owner, key.to_owned(), rule, Some(incident.id), format!("{owner}@{version}"), at, length);
        // A recovery may be asked about more than once; the version keeps the times apart.
        expectation.occurrence = u32::try_from(version).unwrap_or(u32::MAX);
        opened.push(expectation);
    };
    let mut settle = |key: Option<&str>, standing: Standing, why: &'static str| {
        settled.push(Settle { owner, key: key.map(ToOwned::to_owned), standing, why });
    };
    match event {
        Event::Proposed(_) => open(KEY_CANDIDATE, Rule::Candidate, CANDIDATE_WITHIN),
        Event::Declared(body) => {
            if !body.group_wait.is_zero() {
                open(KEY_GROUP_WAIT, Rule::GroupWait, body.group_wait);
            }
            if let Some(within) = body.attend_within.filter(|_| !planted("declared-unpaged-unattended")) {
                open(KEY_ATTENDED, Rule::Attended, within);
            }
        }
        // Whom the page finds has it.
        Event::Escalated(_) if incident.work.hold.unpaged && !incident.is_held() => {
            settle(Some(KEY_ATTENDED), Standing::Void, "a page looks for somebody");
        }
        Event::StillOnItAsked(body) => open(KEY_STILL_ON_IT, Rule::StillOnIt, body.within),
        Event::StillOnIt(body) => {
            settle(Some(KEY_STILL_ON_IT), Standing::Met, "somebody is on it");
            settle(Some(KEY_ATTENDED), Standing::Void, "somebody is on it");
            if let Some(lasts) = body.lasts {
                open(KEY_ATTENDED, Rule::Attended, lasts);
            }
        }
        Event::Lost(_) => {
            settle(Some(KEY_STILL_ON_IT), Standing::Void, "nobody is known to have it");
            settle(Some(KEY_ATTENDED), Standing::Void, "nobody is known to have it");
        }
        Event::Promoted(_) => settle(Some(KEY_CANDIDATE), Standing::Met, "it was declared"),
        // Also where a sender acknowledged without a name and nobody can be asked: the log says
        // then that nobody confirmed. What resolves by itself is resolved by the next event.
        Event::Recovered(_) if matches!(incident.state, State::Investigating | State::Mitigated) => {
            settle(Some(KEY_SILENCED), Standing::Met, "all alerts have recovered");
            open(KEY_CONFIRM, Rule::ConfirmRecovery, CONFIRM_RECOVERY_WITHIN);
        }
        Event::AlertsSilenced(body) => {
            settle(Some(KEY_SILENCED), Standing::Void, "other silences hold it");
            if let Some(until) = body.held_until {
                open(KEY_SILENCED, Rule::Silenced, Length::between(at, until));
            }
        }
        Event::AlertsUnsilenced(body) if !body.held => settle(Some(KEY_SILENCED), Standing::Met, "an alert is open that no silence holds"),
        Event::AlertReturned(body) => {
            settle(Some(KEY_CONFIRM), Standing::Void, "an alert came back");
            settle(Some(KEY_OVER), Standing::Void, "an alert came back");
            if body.reopened && incident.state == State::Candidate {
                open(KEY_CANDIDATE, Rule::Candidate, CANDIDATE_WITHIN);
            } else if body.reopened {
                // Where stakeholders were told of it they wait for more.
                let every = incident.work.update_every.filter(|_| incident.work.last_update_at.is_some());
                awaited_again(incident, every, at, &mut open);
            }
            if let Some(quiet_for) = incident.alarms.flapping {
                settle(Some(KEY_FLAPPING), Standing::Void, "an alert came back");
                open(KEY_FLAPPING, Rule::Flapping, quiet_for);
            }
        }
        Event::Steadied(_) => settle(Some(KEY_FLAPPING), Standing::Met, "it was quiet for long enough"),
        Event::Flapping(body) => open(KEY_FLAPPING, Rule::Flapping, body.quiet_for),
        Event::AlertsTold(body) if body.joined > 0 && body.open > 0 => settle(Some(KEY_CONFIRM), Standing::Void, "another alert joined"),
        Event::Resolved(body) => {
            settle(Some(KEY_CONFIRM), Standing::Met, "it was resolved");
            settle(None, Standing::Void, "it was resolved");
            // What recovered by itself may come back within the grace, as if it had never gone.
            open(KEY_OVER, Rule::IncidentOver, if body.by_itself { GRACE_DEFAULT } else { OVER_TOLD_AFTER });
        }
        Event::Cancelled(_) => {
            settle(Some(KEY_CANDIDATE), Standing::Met, "it was cancelled");
            settle(None, Standing::Void, "it was cancelled");
            open(KEY_OVER, Rule::IncidentOver, OVER_TOLD_AFTER);
        }
        Event::Merged(_) => settle(None, Standing::Void, "it was merged"),
        Event::Acknowledged(body) => {
            settle(Some(KEY_GROUP_WAIT), Standing::Void, "somebody is on it");
            settle(Some(KEY_STILL_ON_IT), Standing::Met, "somebody is on it");
            settle(Some(KEY_ATTENDED), Standing::Met, "somebody is on it");
            if let Some(lasts) = body.lasts.filter(|_| !planted("ack-never-ages")) {
                open(KEY_ATTENDED, Rule::Attended, lasts);
            }
            // Whoever leads by acknowledging ends the search for a commander, and an offer to another.
            if incident.work.roles.get(COMMANDER).is_some_and(|held| held.since == Some(at)) {
                settle(Some(&role_key(COMMANDER)), Standing::Met, "somebody took it");
            }
            if body.first {
                // An update before the acknowledgement, or a reopening, has promised one already.
                settle(Some(KEY_UPDATE), Standing::Void, "somebody is on it");
                if let Some(every) = incident.work.update_every {
                    open(KEY_UPDATE, Rule::UpdateDue, every);
                }
                if incident.commander.is_none() {
                    open(&role_key(COMMANDER), Rule::RoleUnfilled, ROLE_WITHIN);
                }
            }
        }
        Event::SeverityChanged(_) if planted("severity-keeps-cadence") => {}
        Event::SeverityChanged(body) => {
            if matches!(incident.state, State::Investigating | State::Mitigated) {
                settle(Some(KEY_UPDATE), Standing::Void, "its severity changed");
                if let Some(every) = body.update_every {
                    open(KEY_UPDATE, Rule::UpdateDue, every);
                }
            }
            if incident.is_held() {
                settle(Some(KEY_ATTENDED), Standing::Void, "its severity changed");
                if let Some(lasts) = body.lasts {
                    open(KEY_ATTENDED, Rule::Attended, lasts);
                }
            }
        }
        Event::Updated(body) => {
            if !planted("update-leaves-timer") {
                settle(Some(KEY_UPDATE), Standing::Met, "an update was sent");
            }
            if let Some(next_by) = body.next_by {
                open(KEY_UPDATE, Rule::UpdateDue, Length::between(at, next_by));
            }
        }
        // The look settles what was missed; the next one is due as soon again.
        Event::UpdateMissed(_) if incident.severity.is_grave() || incident.work.updates_missed < UPDATES_MISSED_MAX => {
            if let Some(every) = incident.work.update_every {
                open(KEY_UPDATE, Rule::UpdateDue, every);
            }
        }
        Event::Reopened(_) => {
            open(KEY_ATTENDED, Rule::Attended, ATTEND_WITHIN);
            settle(Some(KEY_OVER), Standing::Void, "it was reopened");
            awaited_again(incident, incident.work.update_every, at, &mut open);
        }
        Event::RoleOffered(body) => {
            settle(Some(&role_key(&body.role)), Standing::Void, "it was offered");
            open(&role_key(&body.role), Rule::RoleAnswer, ROLE_WITHIN);
        }
        Event::RoleTaken(body) => {
            settle(Some(&role_key(&body.role)), Standing::Met, "somebody took it");
            if body.role == COMMANDER {
                settle(Some(KEY_STILL_ON_IT), Standing::Met, "somebody is on it");
                settle(Some(KEY_ATTENDED), Standing::Met, "somebody is on it");
                if let Some(lasts) = body.lasts {
                    open(KEY_ATTENDED, Rule::Attended, lasts);
                }
            }
        }
        // Of what is grave it is awaited again, until somebody has command.
        Event::RoleUnfilled(_) if incident.severity.is_grave() => open(&role_key(COMMANDER), Rule::RoleUnfilled, ROLE_WITHIN),
        Event::RoleLeft(body) => {
            settle(Some(&role_key(&body.role)), Standing::Void, "it was given up");
            if body.role == COMMANDER && incident.state.is_open() && incident.commander.is_none() {
                open(&role_key(COMMANDER), Rule::RoleUnfilled, ROLE_WITHIN);
            }
        }
        Event::RoleUnanswered(body) if body.role == COMMANDER && incident.commander.is_none() => {
            open(&role_key(COMMANDER), Rule::RoleUnfilled, ROLE_WITHIN);
        }
        Event::TaskAdded(body) => {
            if let Some(due_at) = body.due_at.filter(|_| incident.state.is_open()) {
                open(&Key::Task(body.task).to_string(), Rule::TaskDue, Length::between(at, due_at));
            }
        }
        Event::TaskDone(_) if planted("task-done-leaves-timer") => {}
        Event::TaskDone(body) => settle(Some(&Key::Task(body.task).to_string()), Standing::Met, "it was done"),
        Event::TaskDropped(body) => settle(Some(&Key::Task(body.task).to_string()), Standing::Void, "it was dropped"),
        Event::Escalated(_)
        | Event::AlertsTold(_)
        | Event::Recovered(_)
        | Event::ConfirmationMissed(_)
        | Event::Mitigated(_)
        | Event::Closed(_)
        | Event::Absorbed(_)
        | Event::Noted(_)
        | Event::Restricted(_)
        | Event::OpenedUp(_)
        | Event::Admitted(_)
        | Event::RoleUnanswered(_)
        | Event::RoleUnfilled(_)
        | Event::TaskAssigned(_)
        | Event::TaskLate(_)
        | Event::UpdateReminded(_)
        | Event::UpdateMissed(_)
        | Event::Decided(_)
        | Event::TimeCorrected(_)
        | Event::AlertLinked(_)
        | Event::Renamed(_)
        | Event::ReviewAsked(_)
        | Event::AlertsUnsilenced(_) => {}
    }
    (opened, settled)
}

/// What was still to be done, or to be answered, when it ended is awaited again; what was due meanwhile is late at
/// once.
fn awaited_again(incident: &Incident, update: Option<Length>, at: Timestamp, open: &mut impl FnMut(&str, Rule, Length)) {
    if let Some(every) = update {
        open(KEY_UPDATE, Rule::UpdateDue, every);
    }
    for task in incident.work.tasks.iter().filter(|task| task.state == TaskState::Open && !task.late) {
        if let Some(due_at) = task.due_at {
            open(&Key::Task(task.task).to_string(), Rule::TaskDue, Length::between(at, due_at));
        }
    }
    for role in incident.work.roles.iter().filter(|(_, held)| held.offered_to.is_some()).map(|(role, _)| role) {
        open(&role_key(role), Rule::RoleAnswer, ROLE_WITHIN);
    }
}
