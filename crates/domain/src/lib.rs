//! The rules of All Clear, and nothing else.
//!
//! Pure: no runtime, no store, no clock, no randomness, no logging. Time and fresh ids arrive as
//! values, so that everything here is tested in milliseconds and replays from a seed.
//!
//! Where to look: [`signal`] (what a monitor sent becomes an alert and a decision), [`incident`],
//! [`paging`], [`review`] and [`action`] (the event-sourced streams), [`expect`] (rules with a deadline),
//! [`oncall`] (who is on call), [`org`] (the organisation, a versioned snapshot of all forms),
//! [`event`] (the envelope and its hash chain), [`wire`] (what crosses to vendors), [`channel`] (what a channel says of itself),
//! [`view`] (what people read), [`record`] (an incident as it leaves the house), [`find`] (what is found by words), [`ask`] (what people may ask), [`tlp`] (how far something may go).

// A kind that is added is asked for wherever kinds are told apart.
#![warn(clippy::wildcard_enum_match_arm)]

// The sample of channels is read by tests inside and outside.
#[cfg(test)]
extern crate self as allclear_domain;

pub mod access;
pub mod action;
pub mod actor;
pub mod ask;
pub mod audit;
pub mod channel;
pub mod checkpoint;
pub mod clean;
pub mod event;
pub mod expect;
pub mod find;
pub mod hex;
pub mod ical;
pub mod ids;
pub mod incident;
pub mod markdown;
pub mod matcher;
pub mod measure;
pub mod names;
pub mod obligation;
pub mod oncall;
pub mod org;
pub mod paging;
pub mod plants;
pub mod record;
pub mod review;
pub mod severity;
pub mod signal;
pub mod time;
pub mod timeline;
pub mod tlp;
pub mod view;
pub mod wire;
