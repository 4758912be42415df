//! Somebody takes a schedule for a time, is on besides, or nobody is on. Forms as all others, but no file owns them.
//!
//! What one does is its [`Effect`]; one that says none replaces, as all did before there was another. How several go together is
//! said in [`crate::oncall`].

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::about::{About, IdOf, Input, needed, row};
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
    purpose: "Somebody takes a schedule for a time, whoever its layers say: for an illness, a holiday, a swap. Or somebody is on besides, or nobody is.",
    id: IdOf::Made,
    then: &[],
    fields: &[
        needed("schedule", "Schedule", "", Input::One(FormKind::Schedule)),
        row("effect", "What it does", "Somebody takes it over, where left open.", Input::Word(EFFECTS)),
        row("person", "Who", "Left open only where nobody is on.", Input::One(FormKind::Person)),
        needed("starts_at", "From", "", Input::Instant),
        needed("ends_at", "Until", "", Input::Instant),
    ],
};

/// The words of [`Effect`], with what people read.
pub const EFFECTS: &[(&str, &str)] = &[("replaces", "Takes it over"), ("adds", "Is on besides"), ("nobody", "Nobody is on")];

/// What an override does to who is on call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = OverrideEffect))]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Its person has the turn, whoever the layers say.
    #[default]
    Replaces,
    /// Its person is on call besides whoever has the turn.
    Adds,
    /// The schedule is off: nobody has the turn, and nobody is on who was added before it was made.
    Nobody,
}

impl Effect {
    /// As it is written.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Replaces => "replaces",
            Self::Adds => "adds",
            Self::Nobody => "nobody",
        }
    }

    /// The effect of a word; nothing at all is a replacement.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Replaces, Self::Adds, Self::Nobody]
            .into_iter()
            .find(|effect| effect.word() == word || (word.is_empty() && effect.is_usual()))
    }

    /// Whether it need not be said. Not saying it keeps a replacement readable to a node of an earlier release.
    #[must_use]
    #[allow(clippy::trivially_copy_pass_by_ref)] // as serde asks
    pub fn is_usual(&self) -> bool {
        *self == Self::Replaces
    }
}

/// A change of who is on call in a schedule for a time, whoever its layers say.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Override {
    pub id: Slug,
    pub schedule: Slug,
    #[serde(default, skip_serializing_if = "Effect::is_usual")]
    pub effect: Effect,
    /// Empty where nobody is on: read it as [`Override::whom`].
    #[serde(default, skip_serializing_if = "String::is_empty")]
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
    /// Who is on by it; nobody, where that is its effect.
    #[must_use]
    pub fn whom(&self) -> Option<&Slug> {
        (self.effect != Effect::Nobody).then_some(&self.person)
    }

    /// Whether it holds at an instant: from its start until just before its end.
    #[must_use]
    pub fn holds_at(&self, at: Timestamp) -> bool {
        self.starts_at <= at && at < self.ends_at
    }

    /// The order of making, the last one last. One version makes one override; the rest is for forms that were never stored.
    #[must_use]
    pub fn by_making(&self, other: &Self) -> std::cmp::Ordering {
        let made = if crate::plants::planted("override-by-start") { std::cmp::Ordering::Equal } else { self.made.cmp(&other.made) };
        made.then_with(|| (self.starts_at, &self.id).cmp(&(other.starts_at, &other.id)))
    }

    /// Why whom it names does not go with what it does.
    fn misnamed(&self) -> Option<&'static str> {
        match self.whom() {
            Some(person) if person.is_empty() => Some("it names nobody: say who, or make it an override with the effect `nobody`"),
            None if !self.person.is_empty() => Some("nobody is on by it, and it names somebody: leave the person out"),
            _ => None,
        }
    }

    /// Why it cannot be made as it is, in a sentence without a full stop.
    #[must_use]
    pub fn fault(&self) -> Option<&'static str> {
        if let Some(why) = self.misnamed() {
            Some(why)
        } else if self.ends_at <= self.starts_at {
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
        let schedule = schedule.unwrap_or(&self.schedule);
        Some(match self.effect {
            Effect::Replaces => format!("{person} for {schedule}"),
            Effect::Adds => format!("{person} besides for {schedule}"),
            Effect::Nobody => format!("Nobody for {schedule}"),
        })
    }

    fn check<'a>(kind: FormKind, list: &'a [Self], checker: &mut Checker<'a>) {
        for (at, over) in list.iter().enumerate() {
            let place = Place::root().key(kind.list()).index(at);
            // What is over may name what is gone: whoever was on call once can be removed.
            if over.ends_at > checker.now {
                if let Some(why) = over.misnamed() {
                    let hint = "name a person, or write `effect: nobody` without one";
                    checker.error(place.key("person"), why, hint);
                } else if over.whom().is_some_and(|person| !checker.knows(FormKind::Person, person)) {
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
