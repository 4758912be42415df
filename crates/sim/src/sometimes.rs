//! Rare paths that the seeds together must reach: a check that never runs proves nothing.

use std::collections::BTreeMap;

/// How often each was reached.
pub type Reached = BTreeMap<&'static str, u64>;

/// Every path that must be reached by the suite.
pub const POINTS: &[&str] = &[
    "a step was empty",
    "an answer said later that it had arrived",
    "a candidate was promoted because nobody decided",
    "a claim was renewed before its first byte",
    "a clock jump made a page late",
    "a commit failed and the sender tried again",
    "a commit took effect and its answer was lost",
    "a crash came after the commit",
    "a crash came before the commit",
    "a crash came between two steps",
    "a decline passed the page on",
    "a failed send pulled the next way forward",
    "a failed send reached the next step at once",
    "a group wait ended and paged",
    "a later round was paged",
    "a later way was used because nobody answered",
    "a lost race was decided again",
    "a message in doubt was sent again",
    "a message was not begun because its page had ended",
    "a message was taken over from another node",
    "a page was exhausted",
    "a recovery was asked about",
    "a request carried several signals",
    "a sender's acknowledgement stopped a page",
    "a silence ended and the alert declared",
    "a silence held an alert back",
    "a step was reached because nobody acknowledged",
    "an alert joined an open incident",
    "an alert lapsed",
    "an alert lapsed after a restart",
    "an exhausted page was taken after all",
    "an idempotency key was used again",
    "an incident recovered by itself",
    "nobody confirmed a recovery",
    "somebody could not be told and was passed over",
    "the catch-all was paged",
    "the log was told of alerts that joined",
    "the organisation changed while a page ran",
    "two incidents were merged",
];
