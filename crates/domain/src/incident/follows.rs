//! What follows where something that is awaited of an incident does not come: what a rule says of itself, and what it is for
//! something grave.

use super::part::updates;
use super::types::Incident;
use crate::expect::{Expectation, Key, Rule};

/// What follows if it does not come, of this incident: what is grave pages where other incidents only tell.
#[must_use]
pub fn or_else(expectation: &Expectation, incident: &Incident, has_audiences: bool) -> &'static str {
    let offered = || {
        let Ok(Key::Role(role)) = expectation.key.parse() else { return false };
        incident.work.roles.get(&role).is_some_and(|held| held.offered_to.is_some())
    };
    if expectation.rule == Rule::UpdateDue && updates::pages_when_missed(incident, has_audiences) {
        return "the commander and the team's managers are paged";
    }
    if expectation.rule == Rule::RoleAnswer && incident.severity.is_grave() && offered() {
        return "whoever has it and the team's managers are paged";
    }
    expectation.rule.or_else()
}
