//! An incident: its nouns, its states, and what may happen in each.

mod types;

pub use types::*;
