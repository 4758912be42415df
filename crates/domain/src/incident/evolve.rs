//! State and event to the next state: the only producer of an incident's row.

use jiff::Timestamp;

use super::event::{Declared, Event};
use super::lifecycle::{Verb, next};
use super::types::{Incident, State};
use crate::event::Mode;
use crate::ids::IncidentId;

/// Folds one event.
///
/// # Panics
/// When the first event of a stream is none that begins one: a log of ours cannot hold that, and
/// going on would show a wrong incident.
#[must_use]
pub fn evolve(state: Option<Incident>, id: IncidentId, event: &Event, at: Timestamp, mode: Mode) -> Incident {
    let Some(mut incident) = state else {
        return match event {
            Event::Proposed(body) => begin(id, body, State::Candidate, at, mode),
            Event::Declared(body) => begin(id, body, State::Declared, at, mode),
            other => panic!("the log of {id} begins with `{}`, which begins no incident", other.kind()),
        };
    };
    let step = |incident: &Incident, verb| next(incident.state, verb).unwrap_or(incident.state);
    incident.updated_at = at;
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
            if incident.commander.is_none() {
                incident.commander.clone_from(&body.by);
            }
            incident.admitted.extend(body.by.clone());
        }
        Event::Escalated(body) => incident.page = Some(body.page),
        Event::SeverityChanged(body) => incident.severity = body.to,
        Event::AlertsTold(body) => {
            incident.alerts_told += body.joined;
            incident.recoveries_told += body.recovered;
            // What joined and ended meanwhile leaves a recovery a recovery.
            if body.joined > 0 && body.open > 0 {
                incident.recovered = false;
            }
        }
        Event::Recovered(_) => incident.recovered = true,
        Event::ConfirmationMissed(_) | Event::Absorbed(_) | Event::Noted(_) => {}
        Event::Mitigated(_) => {
            incident.state = step(&incident, Verb::Mitigate);
            incident.mitigated_at = Some(at);
        }
        Event::Resolved(_) => {
            incident.state = State::Resolved;
            incident.resolved_at = Some(at);
        }
        Event::Reopened(_) => {
            incident.state = State::Investigating;
            incident.mitigated_at = None;
            incident.resolved_at = None;
            incident.closed_at = None;
            incident.recovered = false;
            incident.reopened += 1;
        }
        Event::Cancelled(_) => {
            incident.state = State::Cancelled;
            incident.closed_at = Some(at);
        }
        Event::Closed(_) => {
            incident.state = State::Closed;
            incident.closed_at = Some(at);
        }
        Event::Merged(link) => {
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
    }
}
