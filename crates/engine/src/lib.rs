//! The shell around the rules: load, decide, commit, publish.
//!
//! [`core`] decides without I/O; [`decider`] commits what it decided; [`engine`] runs the loops and
//! is the handle that API, web and command line use; [`outbox`] sends; [`queries`] is the only way
//! to read for people. Time, randomness and providers come in through [`ports`].
//!
//! This crate knows no vendor's format, no HTTP, and holds no SQL.

mod about;
mod alert_queries;
mod attendance;
pub mod auth;
pub mod bundles;
mod channel_health;
pub mod checkpoints;
mod circuit;
pub mod clock;
pub mod cookies;
pub mod core;
mod decide_loop;
pub mod decider;
pub mod engine;
pub mod learning;
pub mod links;
mod look_loop;
pub mod metrics;
pub mod operator;
pub mod orgfile;
pub mod orgs;
pub mod outbox;
pub mod password;
mod peers;
pub mod portions;
pub mod ports;
pub mod queries;
pub mod refusals;
pub mod room;
mod rota;
mod say;
pub mod screens;
pub mod seal;
pub mod sessions;
mod set_back;
pub mod stages;
mod throttle;
pub mod trouble;
pub mod upkeep;
mod visitor;
mod watch;
mod ways_in;

pub use allclear_domain::plants::planted;
pub use engine::{Engine, EngineSettings, StartError};
pub use tokio_util::sync::CancellationToken;
