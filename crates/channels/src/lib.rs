//! How vendors speak: ways in (bytes to signals) and ways out (messages to requests).
//!
//! Parsers and channels are sans-I/O and ask no clock; time arrives as a value. The only I/O of
//! the crate is [`transport`]: HTTP behind the [`guard`], and [`smtp`]. This crate knows neither the
//! store nor the engine.
//!
//! Where to look: a format that comes in is one file ([`alertmanager`], [`pagerduty`], [`json`]);
//! a channel that goes out is one file ([`webhook`], [`email`]); [`registry`] finds them by name;
//! [`text`] has the limits and cleaning that all ways in share, [`lenient`] reads JSON as sloppy
//! senders write it; [`redact`] makes the raw body fit
//! to be kept; [`alertmanager_read`] makes what Alertmanager's clients read.

pub mod carry;
pub mod inbound;
pub mod outbound;
pub mod registry;
