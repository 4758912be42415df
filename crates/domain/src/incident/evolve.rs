//! State and event to the next state: the only producer of an incident's row.

use jiff::Timestamp;

use super::event::{Declared, Event, Instant};
use super::hold::Hold;
use super::lifecycle::{Verb, next};
use super::types::{Incident, State};
use super::work::{COMMANDER, Task, TaskState, Work};
use crate::access::Actor;
use crate::event::Mode;
use crate::ids::IncidentId;
use crate::plants::planted;

/// Whatever kind is new begins no incident either.
#[allow(clippy::wildcard_enum_match_arm)]
fn first(id: IncidentId, event: &Event, at: Timestamp, mode: Mode) -> Incident {
    match event {
        Event::Proposed(body) => begin(id, body, State::Candidate, at, mode),
        Event::Declared(body) => begin(id, body, State::Declared, at, mode),
        other => panic!("the log of {id} begins with `{}`, which begins no incident", other.kind()),
    }
}

/// Folds one event, which `actor` caused.
///
/// # Panics
/// When the first event of a stream is none that begins one: a log of ours cannot hold that, and
/// going on would show a wrong incident.
#[must_use]
pub fn evolve(state: Option<Incident>, id: IncidentId, event: &Event, actor: &Actor, at: Timestamp, mode: Mode) -> Incident {
    let Some(mut incident) = state else { return first(id, event, at, mode) };
    let step = |incident: &Incident, verb| next(incident.state, verb).unwrap_or(incident.state);
    incident.updated_at = at;
    if incident.is_held() && is_a_person(actor) {
        incident.work.hold.acts(at);
    }
    match event {
        // A log has one beginning; `decide` never makes a second.
        Event::Proposed(_) | Event::Declared(_) => {}
        Event::Promoted(_) => {
            incident.state = step(&incident, Verb::Declare);
            incident.declared_at = Some(at);
        }
        Event::Acknowledged(body) => {
            incident.state = step(&incident, Verb::Acknowledge);
            if incident.acknowledged_at.is_none() {
                incident.acknowledged_at = Some(at);
            }
            if incident.acknowledged_by.is_none() {
                incident.acknowledged_by.clone_from(&body.by);
            }
            // Whoever acknowledges first leads until somebody takes command.
            if let (None, Some(by)) = (&incident.commander, &body.by) {
                incident.commander = Some(by.clone());
                incident.work.give(COMMANDER, by, at);
            }
            incident.admitted.extend(body.by.clone());
            incident.work.hold.take(body.by.as_ref(), incident.severity, at);
        }
        Event::StillOnItAsked(_) => incident.work.hold.asked_at = Some(at),
        Event::StillOnIt(body) => incident.work.hold.take(body.by.as_ref(), incident.severity, at),
        Event::Lost(_) => (incident.work.hold.lost, incident.work.hold.asked_at) = (true, None),
        Event::Escalated(body) => incident.page = Some(body.page),
        Event::SeverityChanged(body) => {
            incident.severity = body.to;
            incident.work.update_every = body.update_every;
            // Whoever has it and says so themself knows of it.
            if matches!(actor, Actor::Person(person) if incident.holders().contains(person)) {
                incident.work.hold.severity = Some(body.to);
            }
        }
        Event::AlertsTold(body) => {
            incident.alerts_told += body.joined;
            incident.recoveries_told += body.recovered;
            // What joined and ended meanwhile leaves a recovery a recovery.
            if body.joined > 0 && body.open > 0 {
                incident.recovered = false;
            }
        }
        Event::Recovered(_) => {
            incident.recovered = true;
            // No alert is left that could be held.
            (incident.alarms.held_until, incident.alarms.held_by) = (None, Vec::new());
        }
        Event::AlertsSilenced(body) => {
            incident.alarms.held_until = body.held_until;
            if body.held_until.is_none() {
                incident.alarms.held_by = Vec::new();
            } else if !body.silences.is_empty() {
                incident.alarms.held_by.clone_from(&body.silences);
            }
        }
        Event::AlertsUnsilenced(body) if body.held => {}
        Event::AlertsUnsilenced(_) => (incident.alarms.held_until, incident.alarms.held_by) = (None, Vec::new()),
        Event::AlertReturned(body) => {
            if body.reopened {
                incident.state = step(&incident, Verb::Return);
                (incident.resolved_at, incident.closed_at) = (None, None);
                incident.work.updates_missed = 0;
                // Whoever had command when it ended thinks it is over.
                incident.work.hold = Hold { lost: incident.commander.is_some(), ..Hold::default() };
            }
            incident.alarms.by_itself = false;
            incident.alarms.returns += 1;
            incident.recovered = false;
            // This line is what the log is told of it.
            incident.alerts_told += 1;
        }
        Event::Flapping(body) => incident.alarms.flapping = Some(body.quiet_for),
        Event::Steadied(_) => incident.alarms.flapping = None,
        Event::ConfirmationMissed(_) | Event::Absorbed(_) | Event::Noted(_) => {}
        Event::Mitigated(_) => {
            incident.state = step(&incident, Verb::Mitigate);
            incident.mitigated_at = Some(at);
        }
        Event::Resolved(body) => {
            incident.work.hold = Hold::default();
            incident.alarms.by_itself = body.by_itself;
            incident.state = State::Resolved;
            incident.resolved_at = Some(at);
        }
        Event::Reopened(_) => {
            incident.state = State::Investigating;
            incident.mitigated_at = None;
            incident.resolved_at = None;
            incident.closed_at = None;
            incident.recovered = false;
            incident.alarms.by_itself = false;
            incident.work.updates_missed = 0;
            // Whoever had it when it ended thinks it is over.
            incident.work.hold = Hold { lost: true, ..Hold::default() };
            incident.reopened += 1;
        }
        Event::Cancelled(_) => {
            incident.work.hold = Hold::default();
            incident.state = State::Cancelled;
            incident.closed_at = Some(at);
        }
        Event::Closed(_) => {
            incident.state = State::Closed;
            incident.closed_at = Some(at);
        }
        Event::Merged(link) => {
            incident.work.hold = Hold::default();
            incident.state = State::Merged;
            incident.merged_into = Some(link.incident);
            incident.closed_at = Some(at);
        }
        Event::Restricted(body) => {
            incident.private = true;
            incident.admitted.extend(body.people.iter().cloned());
        }
        Event::OpenedUp(_) => incident.private = false,
        Event::Admitted(body) => incident.admitted.extend(body.people.iter().cloned()),
        Event::RoleOffered(body) if planted("role-offer-gives-role") => incident.work.give(&body.role, &body.to, at),
        Event::RoleOffered(body) => {
            // Whoever is asked has to see what it is about.
            incident.admitted.insert(body.to.clone());
            let held = incident.work.roles.entry(body.role.clone()).or_default();
            held.offered_to = Some(body.to.clone());
            held.offered_at = Some(at);
        }
        Event::RoleTaken(body) => {
            incident.work.give(&body.role, &body.person, at);
            incident.admitted.insert(body.person.clone());
            if body.role == COMMANDER {
                incident.commander = Some(body.person.clone());
                incident.work.hold.take(Some(&body.person), incident.severity, at);
            }
        }
        Event::RoleLeft(body) => {
            let held = incident.work.roles.remove(&body.role);
            if body.role == COMMANDER && held.is_some_and(|held| held.person.is_some()) {
                incident.commander = None;
            }
        }
        Event::RoleUnanswered(body) => {
            if let Some(held) = incident.work.roles.get_mut(&body.role) {
                (held.offered_to, held.offered_at) = (None, None);
                if held.person.is_none() {
                    incident.work.roles.remove(&body.role);
                }
            }
        }
        Event::RoleUnfilled(_) | Event::UpdateReminded(_) | Event::Decided(_) | Event::AlertLinked(_) => {}
        Event::TaskAdded(body) => {
            incident.admitted.extend(body.owner.clone());
            incident.work.tasks.push(Task {
                task: body.task,
                text: body.text.clone(),
                owner: body.owner.clone(),
                due_at: body.due_at,
                state: TaskState::Open,
                added_at: at,
                ended_at: None,
                late: false,
            });
        }
        Event::TaskAssigned(body) => {
            incident.admitted.insert(body.owner.clone());
            on_task(&mut incident, body.task, |task| task.owner = Some(body.owner.clone()));
        }
        Event::TaskDone(body) => on_task(&mut incident, body.task, |task| (task.state, task.ended_at) = (TaskState::Done, Some(at))),
        Event::TaskDropped(body) => on_task(&mut incident, body.task, |task| (task.state, task.ended_at) = (TaskState::Dropped, Some(at))),
        Event::TaskLate(body) => on_task(&mut incident, body.task, |task| task.late = true),
        Event::Updated(body) => {
            incident.work.updates = body.number;
            incident.work.updates_missed = 0;
            incident.work.last_update_at = Some(at);
        }
        Event::UpdateMissed(_) => incident.work.updates_missed += 1,
        Event::TimeCorrected(body) => match body.instant {
            Instant::ImpactStarted => incident.impact_started_at = body.at,
            Instant::Detected => incident.detected_at = body.at,
            Instant::Mitigated => incident.mitigated_at = body.at,
        },
        Event::Renamed(body) => incident.title.clone_from(&body.to),
        Event::ReviewAsked(body) => incident.work.review = Some(body.review),
    }
    if !incident.state.is_open() {
        // What is over holds nothing back, and nothing flaps.
        (incident.alarms.held_until, incident.alarms.held_by, incident.alarms.flapping) = (None, Vec::new(), None);
    }
    incident
}

fn begin(id: IncidentId, body: &Declared, state: State, at: Timestamp, mode: Mode) -> Incident {
    Incident {
        id,
        reference: body.reference.clone(),
        state,
        title: body.title.clone(),
        severity: body.severity,
        service: body.service.clone(),
        escalation: body.escalation.clone(),
        group_key: body.group_key.clone(),
        because: body.because.clone(),
        mode,
        commander: None,
        acknowledged_by: None,
        merged_into: None,
        page: None,
        alerts_told: u64::from(body.alert.is_some()),
        recoveries_told: 0,
        recovered: false,
        reopened: 0,
        impact_started_at: body.impact_started_at,
        detected_at: body.detected_at,
        declared_at: (state == State::Declared).then_some(at),
        acknowledged_at: None,
        mitigated_at: None,
        resolved_at: None,
        closed_at: None,
        created_at: at,
        updated_at: at,
        private: false,
        admitted: std::collections::BTreeSet::new(),
        work: Work {
            update_every: body.update_every,
            hold: Hold { unpaged: body.attend_within.is_some(), ..Hold::default() },
            ..Work::default()
        },
        alarms: super::alarms::Alarms::default(),
    }
}

/// Whether somebody did it, and not a program by itself: whoever holds the administrator's token or the machine's
/// shell is somebody.
fn is_a_person(actor: &Actor) -> bool {
    match actor {
        Actor::Person(_) | Actor::Administrator => true,
        Actor::Token(_) | Actor::Integration(_) | Actor::Clock | Actor::System => false,
    }
}

fn on_task(incident: &mut Incident, number: u32, change: impl FnOnce(&mut Task)) {
    if let Some(task) = incident.work.task_mut(number) {
        change(task);
    }
}
