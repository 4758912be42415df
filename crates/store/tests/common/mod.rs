//! What several suites of the store make alike.

use allclear_domain::event::Mode;
use allclear_domain::ids::IncidentId;
use allclear_domain::incident::{Incident, Severity, State};
use jiff::Timestamp;

/// A declared incident of which nothing else is known.
pub fn one(n: u128, title: &str, severity: Severity) -> Incident {
    Incident {
        id: IncidentId::from_bits(n),
        reference: format!("INC-{n}"),
        state: State::Declared,
        title: title.into(),
        severity,
        service: None,
        escalation: None,
        group_key: None,
        because: "b".into(),
        mode: Mode::Live,
        commander: None,
        acknowledged_by: None,
        merged_into: None,
        page: None,
        alerts_told: 0,
        recoveries_told: 0,
        recovered: false,
        reopened: 0,
        impact_started_at: None,
        detected_at: None,
        declared_at: None,
        acknowledged_at: None,
        mitigated_at: None,
        resolved_at: None,
        closed_at: None,
        created_at: Timestamp::UNIX_EPOCH,
        updated_at: Timestamp::UNIX_EPOCH,
        work: Default::default(),
        alarms: Default::default(),
        private: false,
        admitted: Default::default(),
    }
}
