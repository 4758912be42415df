//! The shell around the rules: load, decide, commit, publish.

pub mod clock;
pub mod core;
pub mod decider;
pub mod engine;
pub mod orgfile;
pub mod ports;
