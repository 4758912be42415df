//! What every handler shares: what is asked and by whom, bodies and their bounds, and errors.

pub(crate) mod body;
pub(crate) mod bounds;
pub(crate) mod caller;
pub(crate) mod extract;
pub mod problem;
