//! Commands of coordination from their forms: roles, tasks, updates, instants, decisions.

use allclear_domain::access::Principal;
use allclear_domain::ids::IncidentId;
use allclear_domain::incident::{self, Severity};
use allclear_engine::core::Command;

use crate::App;
use crate::act::No;
use crate::pages::Fields;
use crate::refused::Refused;
use crate::when::When;

/// A change of severity.
pub(crate) fn set_severity(_: &App, severity: Severity, why: String) -> incident::Command {
    incident::Command::SetSeverity { severity, why }
}

/// The command that a verb and its fields mean.
pub(crate) async fn command(_: &App, _: &Principal, _: &When, _: IncidentId, _: &str, _: &Fields) -> Result<Command, No> {
    Err(No::Page(Refused::missing("command", "Open the incident and choose there.")))
}
