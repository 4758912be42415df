//! How somebody is looked for who takes a role, and relief awaited of whoever has one: what the parts that give roles, and
//! the one that needs them, have in common.

use super::awaited::Awaited;
use super::types::Incident;
use crate::expect::{Key, ROLE_WITHIN, Rule, Standing};
use crate::time::Length;

/// The role whose holder decides.
pub const COMMANDER: &str = "commander";

/// Of an answer that is awaited to an offer, or to who asked; and of command that nobody has.
pub(super) fn answer_key(role: &str) -> String {
    Key::Role(role.to_owned()).to_string()
}

/// Of a role that is needed.
pub(super) fn key(role: &str) -> String {
    Key::Needed(role.to_owned()).to_string()
}

/// Somebody is looked for who takes a role that is needed.
pub(super) fn look_for(role: &str, within: Length, awaited: &mut Awaited) {
    awaited.open(&key(role), Rule::RoleUnfilled, within);
}

/// Nobody is looked for any more.
pub(super) fn looked_for_no_more(incident: &Incident, role: &str, standing: Standing, why: &'static str, awaited: &mut Awaited) {
    if incident.work.needed.contains_key(role) {
        awaited.settle(&key(role), standing, why);
    }
}

/// Somebody has command, or it is looked for; where the severity needs somebody, it is looked for already.
pub(super) fn await_commander(incident: &Incident, awaited: &mut Awaited) {
    if !incident.work.needed.contains_key(COMMANDER) {
        awaited.open(&answer_key(COMMANDER), Rule::RoleUnfilled, ROLE_WITHIN);
    }
}

/// The severity needs somebody: one search is enough. An offer, and who asked, keep their time.
pub(super) fn commander_is_needed(incident: &Incident, awaited: &mut Awaited) {
    let held = incident.work.roles.get(COMMANDER);
    if held.is_none_or(|held| held.offered_to.is_none() && held.asked_by.is_none()) {
        awaited.settle(&answer_key(COMMANDER), Standing::Void, "its severity needs a commander, who is looked for");
    }
}

/// Somebody is looked for again, where the severity needs one, and always who commands.
pub(super) fn look_again(incident: &Incident, role: &str, awaited: &mut Awaited) {
    match incident.work.needed.get(role) {
        Some(within) => look_for(role, *within, awaited),
        None if role == COMMANDER => await_commander(incident, awaited),
        None => {}
    }
}

/// Somebody has it from now on, or nobody: whose relief was awaited before is awaited no more.
pub(super) fn await_relief(role: &str, was_held: bool, after: Option<Length>, awaited: &mut Awaited) {
    let key = Key::Relief(role.to_owned()).to_string();
    if was_held {
        awaited.settle(&key, Standing::Met, "whoever had it has it no more");
    }
    if let Some(after) = after {
        awaited.open(&key, Rule::ReliefDue, after);
    }
}
