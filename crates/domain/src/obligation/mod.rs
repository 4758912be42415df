//! Clocks of regulators: the rules that are shipped as data, and how a period is counted. Nothing of it is legal advice, and
//! nothing of it is on before an organisation adopts it.
//!
//! Invariants: what is counted is a pure function of an instant, a period and the days of a place. A rule is named by its id
//! and version; an incident keeps what it started with ([`crate::incident::obliged`]).
//!
//! Not here: which rules an organisation adopted (`org::forms::obligation`), and what becomes of one in an incident
//! (`incident::obligations`).

pub mod pack;
pub mod period;

pub use pack::{PACK_VERSION, RULES, ReportRule, Rule, Status, rule};
pub use period::{BadPeriod, Counting, Days, Period, Unit};
