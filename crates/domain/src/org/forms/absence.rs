//! Somebody is away: their turns in that time need cover, and are named until somebody has them. It takes nobody off a schedule by
//! itself: who covers is decided by people.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::about::{About, IdOf, Input, needed, row};
use super::checker::Checker;
use super::overrides::OVERRIDE_MAX;
use super::{Bundle, Entry, FormKind, Slug, Standing};

/// Longest reason, in characters: a line.
pub const REASON_CHARS_MAX: usize = 200;

/// What the settings and the file say of it.
pub const ABOUT: About = About {
    word: "absence",
    plural: "Absences",
    one: "absence",
    purpose: "Somebody is away for a time. Their turns on call in it are named as needing cover; nobody is taken off a schedule by it.",
    id: IdOf::Made,
    then: &[],
    fields: &[
        needed("person", "Who", "", Input::One(FormKind::Person)),
        needed("starts_at", "From", "", Input::Instant),
        needed("ends_at", "Until", "", Input::Instant),
        row("reason", "Reason", "Read by administrators and by themself, and by nobody else.", Input::Line),
    ],
};

/// Somebody is away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Absence {
    pub id: Slug,
    pub person: Slug,
    pub starts_at: Timestamp,
    pub ends_at: Timestamp,
    /// Shown to themself and to administrators alone.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

impl Absence {
    /// Why it cannot be made as it is, in a sentence without a full stop.
    #[must_use]
    pub fn fault(&self) -> Option<&'static str> {
        if self.ends_at <= self.starts_at {
            Some("the end is not after the start")
        } else if self.ends_at.duration_since(self.starts_at) > OVERRIDE_MAX.as_duration() {
            Some("it would last longer than a year; take them out of the schedules instead")
        } else if self.reason.chars().count() > REASON_CHARS_MAX {
            Some("the reason is longer than 200 characters")
        } else {
            None
        }
    }
}

impl Entry for Absence {
    fn id(&self) -> Option<&str> {
        Some(&self.id)
    }
    fn title(&self, of: &Bundle) -> Option<String> {
        Some(of.people.iter().find(|form| form.id == self.person).map_or(&self.person, |form| &form.name).clone())
    }
    fn stands(&self, at: Timestamp, _of: &Bundle) -> Option<Standing> {
        Some(if at < self.starts_at {
            Standing { words: "Not yet away".into(), until: Some(self.starts_at) }
        } else if at < self.ends_at {
            Standing { words: "Away".into(), until: Some(self.ends_at) }
        } else {
            Standing { words: "Over".into(), until: None }
        })
    }

    fn check<'a>(kind: FormKind, list: &'a [Self], checker: &mut Checker<'a>) {
        checker.each(kind, list, |checker, place, absence| {
            // What is over may name who is gone.
            if absence.ends_at > checker.now {
                checker.refers(place.key("person"), FormKind::Person, &absence.person);
            }
            if let Some(why) = absence.fault() {
                let key = if absence.reason.chars().count() > REASON_CHARS_MAX { "reason" } else { "ends_at" };
                checker.error(place.key(key), why, "give a later end, within a year, and a short reason");
            }
        });
    }
}
