//! How vendors speak: ways in (bytes to signals) and ways out (messages to requests).
//!
//! Parsers and channels are sans-I/O and ask no clock; time arrives as a value. The only I/O of
//! the crate is in [`carry`]: HTTP behind a guard, and SMTP. This crate knows neither the store nor the engine.
//!
//! Where to look: a format that comes in is one file of [`inbound`], a channel that goes out one of [`outbound`];
//! [`registry`] finds them by name. [`inbound::text`] has the limits and cleaning that all ways in share,
//! [`inbound::lenient`] reads JSON as sloppy senders write it, [`inbound::redact`] makes the raw body fit to be kept, and
//! [`inbound::alertmanager_read`] makes what Alertmanager's clients read.

pub mod carry;
pub mod inbound;
pub mod outbound;
pub mod registry;
