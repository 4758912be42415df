//! A page: one run of an escalation policy for one incident.
//!
//! The page walks the steps of its policy, round by round: a step pages everybody its targets
//! resolve to at that instant, and the next follows when nobody acknowledged within its time, when
//! somebody it pages passes it on, or at once when nobody could be told. After the last round the
//! catch-all is paged; after that the page is exhausted, which is an alarm of its own, and comes back after a while, to
//! the catch-all and the team's managers, until somebody has it. Rounds go on counting.
//!
//! A step may have a condition, judged when its turn comes: where it does not hold, the step is passed over as an empty one is. It
//! may page one of many in turn, and may want several people to acknowledge: then the page runs until so many have. The policy is
//! the one of the instant at which the page started, or came back; whom its steps name, and whether a calendar is open, is as it
//! is when the step has its turn.
//!
//! Invariants: while a page runs it has a live expectation (the acknowledgement of its step), and while it is exhausted
//! that somebody has it, unless its policy says never; a
//! notice has one key for ever, so at most one message per (page, round, step, person, entry);
//! nothing is raised after the page has ended, or while it is exhausted.
//!
//! A fire drill is a page that walks each level once, whoever answers: what differs is in `drill.rs`.
//!
//! Decisions are complete: a raised notice names the person, the contact, the channel and the
//! organisation's version. Only when to retry is left to the outbox.

mod condition;
mod decide;
pub mod drill;
mod drill_answer;
mod drill_fold;
pub mod drill_report;
mod event;
mod evolve;
mod foresee;
mod line;
mod react;
pub mod reason;
mod resume;
mod steps;
mod turns;
mod types;

pub use condition::Facts;
pub use decide::{Command, SendReport, SendResult, Start, Tell, decide};
pub use drill::{Busy, Drill, NOBODY_BUSY};
pub use event::*;
pub use evolve::evolve;
pub use foresee::{called_next, foresee};
pub use line::line;
pub use react::{MessageDraft, Reaction, may_send, react};
pub use steps::{Context, Refusal, again_in, own_policy, targets_at};
pub use turns::{NO_TURNS, TURNS_KEPT_MAX, Turns};
pub use types::*;
