//! What a monitor sent becomes an alert and a decision.
//!
//! A signal is what arrived; an alert is the condition it speaks of, with a lifetime, unique on
//! (integration, dedup key) while open. [`triage`] is a walk over the organisation without I/O:
//! silences, routes, severity, and whether to declare, propose, join or only record.

mod alert;
mod text;
mod triage;

pub use alert::{Alert, AlertState, Ended, Suppression};
pub use text::text_digest;
pub use triage::{REPORTS_TOGETHER, Triage, suppression, triage, value_of};
