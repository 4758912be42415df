//! What a form made that was sent only just now: sent again, by a second tap or by a browser that got
//! no answer, it is answered the same, with the secrets that were made.
//!
//! In memory only, of this node, and not for long: a secret is shown once, and this is still that once.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use allclear_domain::access::Actor;
use allclear_domain::time::{Length, after};
use jiff::Timestamp;

use crate::org::form_problems::FormProblem;

/// How long an answer is remembered: a phone without a network tries again within minutes.
const REMEMBERED: Length = Length::from_mins(10);
/// How many are: more forms than people send in that time.
const REMEMBERED_MAX: usize = 100;

/// A secret that was made here and is shown once.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct MadeSecret {
    /// `integration prom`, `contact ana/hook`.
    pub of: String,
    pub secret: String,
}

/// What the answer said, beside the form.
#[derive(Debug, Clone, Default)]
pub(crate) struct ShownOnce {
    pub(crate) made: Vec<MadeSecret>,
    pub(crate) problems: Vec<FormProblem>,
}

struct Making {
    actor: Actor,
    once: String,
    at: Timestamp,
    told: ShownOnce,
}

/// The answers to the forms sent last, the newest at the end.
#[derive(Default)]
pub(crate) struct ShownOnceLately(Mutex<VecDeque<Making>>);

impl ShownOnceLately {
    pub(crate) fn remember(&self, actor: &Actor, once: &str, told: ShownOnce, now: Timestamp) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|making| now < after(making.at, REMEMBERED));
        if kept.len() >= REMEMBERED_MAX {
            kept.pop_front();
        }
        kept.push_back(Making { actor: actor.clone(), once: once.to_owned(), at: now, told });
    }

    /// What was told to the same person about the same form.
    pub(crate) fn recall(&self, actor: &Actor, once: &str, now: Timestamp) -> Option<ShownOnce> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|making| now < after(making.at, REMEMBERED));
        kept.iter().rev().find(|making| making.actor == *actor && making.once == once).map(|making| making.told.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_one_persons_for_one_form_and_for_some_minutes() {
        let (shown_once, at) = (ShownOnceLately::default(), Timestamp::UNIX_EPOCH);
        let (ana, ben) = (Actor::Person("ana".into()), Actor::Person("ben".into()));
        let told = |secret: &str| ShownOnce { made: vec![MadeSecret { of: "x".into(), secret: secret.into() }], problems: Vec::new() };
        shown_once.remember(&ana, "form", told("s"), at);
        let secret = |actor: &Actor, once: &str, now| shown_once.recall(actor, once, now).map(|told| told.made[0].secret.clone());
        assert_eq!(secret(&ana, "form", after(at, Length::from_secs(599))).as_deref(), Some("s"));
        assert_eq!((secret(&ben, "form", at), secret(&ana, "another", at)), (None, None));
        for n in 1..REMEMBERED_MAX {
            shown_once.remember(&ana, &n.to_string(), told("t"), at);
        }
        assert!(secret(&ana, "form", at).is_some());
        shown_once.remember(&ana, "one too many", told("t"), at);
        assert!(secret(&ana, "form", at).is_none(), "the oldest goes");
        assert_eq!(secret(&ana, "1", after(at, REMEMBERED)), None, "and all after some minutes");
    }
}
