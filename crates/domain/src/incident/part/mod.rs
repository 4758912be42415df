//! The parts of an incident. Each has its commands, its events with the words for people, its refusals, and its share
//! of deciding, folding and awaiting; `incident/mod.rs` makes the whole of them.

pub mod access;
pub mod affected;
pub mod alarms;
pub mod along;
pub mod answers;
pub mod assessment;
pub mod attendance;
pub mod choices;
pub mod clocks;
mod counting;
pub mod decisions;
pub mod declaration;
pub mod deeds;
pub mod ending;
pub mod flapping;
pub mod hypotheses;
pub mod links;
pub mod moves;
pub mod objectives;
pub mod obligations;
pub mod ordering;
pub mod parties;
pub mod plans;
pub mod record;
pub mod recovery;
pub mod relations;
pub mod reports;
pub mod resources;
pub mod responders;
pub mod roles;
pub mod sharing;
pub mod staffing;
pub mod tasks;
pub mod transfers;
pub mod updates;

#[cfg(test)]
mod sample;
