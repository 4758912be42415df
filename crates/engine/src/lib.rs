//! The shell around the rules: load, decide, commit, publish.
//!
//! [`core`] decides without I/O; [`run`] commits what it decided, and looks at what is due; [`engine`] is the handle that API,
//! web and command line use; [`outbox`] sends; [`read`] is the only way to read for people. Time, randomness and providers
//! come in through [`ports`].
//!
//! Files lean one way: what subjects remember, [`shared`] that holds it together, the handle, and on top each subject's
//! `impl Engine`, which nothing below names.
//!
//! This crate knows no vendor's format, no HTTP, and holds no SQL.

// A kind that is added is asked for wherever kinds are told apart.
#![warn(clippy::wildcard_enum_match_arm)]

pub mod asks;
mod boarded;
pub mod clock;
pub mod core;
pub mod engine;
pub mod identity;
pub mod limits;
pub mod message_link;
pub mod metrics;
mod note;
pub mod org;
pub mod outbox;
pub mod ports;
pub mod read;
pub mod refusals;
pub mod reporting;
pub mod reports;
pub mod run;
pub mod saved;
pub mod shared;
mod start;
mod try_out;
pub mod upkeep;
pub mod watch;
pub mod windows;

pub use allclear_domain::plants::planted;
pub use engine::Engine;
pub use shared::EngineSettings;
pub use start::StartError;
pub use tokio_util::sync::CancellationToken;
