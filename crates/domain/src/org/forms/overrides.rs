//! Somebody takes a schedule for a time. Forms as all others, but no file owns them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::about::{About, IdOf, Input, needed};
use super::checker::Checker;
use super::{Bundle, Entry, FormKind, Slug};
use crate::actor::Actor;
use crate::org::problem::Place;
use crate::time::Length;

/// What the settings and the file say of it.
pub const ABOUT: About = About {
    word: "override",
    plural: "Overrides",
    one: "override",
    purpose: "Somebody takes a schedule for a time, whoever its layers say: for an illness, a holiday, a swap.",
    id: IdOf::Made,
    then: &[],
    fields: &[
        needed("schedule", "Schedule", "", Input::One(FormKind::Schedule)),
        needed("person", "Who takes it", "Whoever its layers say.", Input::One(FormKind::Person)),
        needed("starts_at", "From", "", Input::Instant),
        needed("ends_at", "Until", "", Input::Instant),
    ],
};

/// Somebody takes a schedule for a time, whoever its layers say.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Override {
    pub id: Slug,
    pub schedule: Slug,
    pub person: Slug,
    pub starts_at: Timestamp,
    pub ends_at: Timestamp,
    /// The organisation's version that made it. Of two that overlap, the one made later wins. The
    /// store says it beside the form, so that no body can claim another.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub made: u64,
    /// Who made it, where that is known; kept as `made` is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_by: Option<Actor>,
}

/// Longest time that an override lasts: a year. Longer ones are mistakes, or a change of the layers.
pub const OVERRIDE_MAX: Length = Length::from_secs(366 * 86_400);

impl Override {
    /// Why it cannot be made as it is, in a sentence without a full stop.
    #[must_use]
    pub fn fault(&self) -> Option<&'static str> {
        if self.ends_at <= self.starts_at {
            Some("the end is not after the start")
        } else if self.ends_at.duration_since(self.starts_at) > OVERRIDE_MAX.as_duration() {
            Some("it would last longer than a year; change the schedule's layers instead")
        } else {
            None
        }
    }
}

#[allow(clippy::trivially_copy_pass_by_ref)] // as serde asks
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Entry for Override {
    fn id(&self) -> Option<&str> {
        Some(&self.id)
    }
    fn title(&self, of: &Bundle) -> Option<String> {
        let person = of.people.iter().find(|form| form.id == self.person).map_or(&self.person, |form| &form.name);
        let schedule = of.schedules.iter().find(|form| form.id == self.schedule).and_then(|form| form.name.as_ref());
        Some(format!("{person} for {}", schedule.unwrap_or(&self.schedule)))
    }

    fn check<'a>(kind: FormKind, list: &'a [Self], checker: &mut Checker<'a>) {
        for (at, over) in list.iter().enumerate() {
            let place = Place::root().key(kind.list()).index(at);
            // What is over may name what is gone: whoever was on call once can be removed.
            if over.ends_at > checker.now {
                if !checker.knows(FormKind::Person, &over.person) {
                    let message =
                        format!("`{}` is on call by this override of `{}`, and there is no such person", over.person, over.schedule);
                    let hint = format!(
                        "end it on the page of who is on call, or with `DELETE /api/v1/schedules/{}/overrides/{}`",
                        over.schedule, over.id
                    );
                    checker.error(place.key("person"), message, hint);
                }
                if !checker.knows(FormKind::Schedule, &over.schedule) {
                    let message = format!("the override `{}` is of `{}`, and there is no such schedule", over.id, over.schedule);
                    checker.error(place.key("schedule"), message, "end it on the page of who is on call before the schedule goes");
                }
            }
            if over.ends_at <= over.starts_at {
                checker.error(place.key("ends_at"), "the override ends before it starts", "give a later `ends_at`");
            }
        }
    }
}
