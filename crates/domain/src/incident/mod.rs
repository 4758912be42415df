//! An incident: its nouns, its states, and what may happen in each.
//!
//! ```text
//!  propose ─► candidate ──declare──► declared ──acknowledge──► investigating ──mitigate──► mitigated
//!                 │                     │                          │                          │
//!                 └── cancel, merge ────┴──────────────────────────┴── resolve ─► resolved ◄──┘
//!                                                                     ▲  reopen │ close
//!                                                                     └─────────┴────► closed
//! ```
//!
//! Invariants: the state changes only by [`evolve`], from events that [`decide`] made; the table
//! in [`lifecycle`] is the whole of what may happen in which state; a closed incident accepts
//! nothing but a reopening; instants are set once and a reopening clears only what it undoes.
//!
//! Not here: who is paged and how ([`crate::paging`]), and which alert belongs to which incident
//! (the alert knows).

pub mod alarms;
mod command;
mod coordinate;
mod decide;
mod event;
mod evolve;
pub mod hold;
pub mod lifecycle;
mod react;
mod types;
pub mod work;

pub use command::{Command, Declaration};
pub use decide::{Context, NOTE_CHARS_MAX, Refusal, TITLE_CHARS_MAX, decide};
pub use event::*;
pub use evolve::evolve;
pub use react::{
    KEY_ATTENDED, KEY_CANDIDATE, KEY_CONFIRM, KEY_DIGEST, KEY_FLAPPING, KEY_GROUP_WAIT, KEY_OVER, KEY_SILENCED, KEY_STILL_ON_IT,
    KEY_UPDATE, react,
};
pub use types::*;
