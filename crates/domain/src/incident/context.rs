//! What a decision may know beside the state.

use jiff::Timestamp;

use super::types::Severity;
use crate::org::forms::plan::Plan;
use crate::org::matrix::Matrix;
use crate::org::model::{IncidentType, Service};
use crate::org::roles::RoleSetting;
use crate::org::snapshot::Org;
use crate::time::Length;

/// What a decision may know beside the state.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The instant of the decision.
    pub now: Timestamp,
    /// Version of the organisation in force.
    pub org_version: u64,
    /// How often each severity asks for updates, worst first.
    pub cadence: [Option<Length>; 5],
    /// How long an acknowledgement of each severity lasts while nobody does anything, worst first.
    pub lasts: [Option<Length>; 5],
    /// The catalogue of roles.
    pub roles: &'a [RoleSetting],
    /// The plans that there are.
    pub plans: &'a [Plan],
    /// The types of incident.
    pub types: &'a [IncidentType],
    /// The services.
    pub services: &'a [Service],
    /// The matrix of impact and urgency.
    pub matrix: &'a Matrix,
    /// The organisation: what it adopted, and by whose days periods are counted.
    pub org: &'a Org,
    /// Whether its review was asked for and is not published yet: looked up where it is closed, and nowhere else.
    pub review_open: bool,
}

impl Context<'_> {
    pub(super) fn update_every(&self, severity: Severity) -> Option<Length> {
        self.cadence[usize::from(severity.rank() - 1)]
    }

    /// After how long whoever has a role is reminded of relief.
    pub(super) fn reminds_after(&self, role: &str) -> Option<Length> {
        self.roles.iter().find(|known| known.id == role)?.reminds_after
    }

    pub(super) fn lasts(&self, severity: Severity) -> Option<Length> {
        self.lasts[usize::from(severity.rank() - 1)]
    }
}
