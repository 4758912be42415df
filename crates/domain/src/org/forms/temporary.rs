//! A temporary schedule: from one instant to another its own layers stand in the place of all layers of a schedule, as for a holiday
//! season or a release. It is taken back as a whole.
//!
//! Overrides hold over it as they hold over layers, and stay what they are. Of one schedule no two hold at once.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::about::{About, IdOf, Input, NAME, needed};
use super::calendar::readable;
use super::checker::Checker;
use super::overrides::OVERRIDE_MAX;
use super::schedule::{LAYER, Layer};
use super::{Bundle, Entry, FormKind, Slug, Standing};
use crate::oncall::CompiledSchedule;

/// What the settings and the file say of it.
pub const ABOUT: About = About {
    word: "temporary_schedule",
    plural: "Temporary schedules",
    one: "temporary schedule",
    purpose: "For a time its own turns stand in the place of all layers of a schedule: over a holiday season, for a release. Overrides hold over it. It is taken back as a whole.",
    id: IdOf::Made,
    then: &[],
    fields: &[
        needed("schedule", "Schedule", "", Input::One(FormKind::Schedule)),
        NAME,
        needed("starts_at", "From", "", Input::Instant),
        needed("ends_at", "Until", "", Input::Instant),
        needed(
            "layers",
            "Layers",
            "Its own rotations, in the schedule's time zone; of several the last with someone on wins.",
            Input::Rows(&LAYER),
        ),
    ],
};

/// Own layers of a schedule for a time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TemporarySchedule {
    pub id: Slug,
    pub schedule: Slug,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    pub starts_at: Timestamp,
    pub ends_at: Timestamp,
    pub layers: Vec<Layer>,
}

impl TemporarySchedule {
    /// What people call it.
    #[must_use]
    pub fn called(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.id)
    }

    /// Whether it holds at an instant: from its start until just before its end.
    #[must_use]
    pub fn holds_at(&self, at: Timestamp) -> bool {
        self.starts_at <= at && at < self.ends_at
    }

    /// Whether it holds in some of the time of another of the same schedule.
    #[must_use]
    pub fn meets(&self, other: &Self) -> bool {
        self.id != other.id && self.schedule == other.schedule && self.starts_at < other.ends_at && other.starts_at < self.ends_at
    }

    /// Why it cannot be made as it is, in a sentence without a full stop.
    #[must_use]
    pub fn fault(&self) -> Option<&'static str> {
        if self.ends_at <= self.starts_at {
            Some("the end is not after the start")
        } else if self.ends_at.duration_since(self.starts_at) > OVERRIDE_MAX.as_duration() {
            Some("it would last longer than a year; change the schedule's layers instead")
        } else if self.layers.is_empty() {
            Some("it has no layer, so nobody would be on call: give it one, or put nobody on by an override")
        } else {
            None
        }
    }
}

impl Entry for TemporarySchedule {
    fn id(&self) -> Option<&str> {
        Some(&self.id)
    }
    fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }
    fn title(&self, of: &Bundle) -> Option<String> {
        let schedule = of.schedules.iter().find(|form| form.id == self.schedule).and_then(|form| form.name.as_ref());
        Some(format!("{} for {}", self.called(), schedule.unwrap_or(&self.schedule)))
    }
    fn stands(&self, at: Timestamp, _of: &Bundle) -> Option<Standing> {
        Some(if at < self.starts_at {
            Standing { words: "To come".into(), until: Some(self.starts_at) }
        } else if at < self.ends_at {
            Standing { words: "Holds now".into(), until: Some(self.ends_at) }
        } else {
            Standing { words: "Over".into(), until: None }
        })
    }

    fn check<'a>(kind: FormKind, list: &'a [Self], checker: &mut Checker<'a>) {
        let calendars = if list.is_empty() {
            super::calendar::Calendars::new()
        } else {
            readable(&checker.bundle.calendars, &checker.bundle.holiday_lists())
        };
        checker.each(kind, list, |checker, place, form| {
            if let Some(why) = form.fault() {
                let key = if form.layers.is_empty() { "layers" } else { "ends_at" };
                checker.error(place.key(key), why, "give a later end, within a year, and at least one layer");
            }
            // What is over may name what is gone.
            if form.ends_at <= checker.now {
                return;
            }
            checker.refers(place.key("schedule"), FormKind::Schedule, &form.schedule);
            let layers = place.key("layers");
            for (at, layer) in form.layers.iter().enumerate() {
                checker.refer(&layers.index(at).key("people"), FormKind::Person, &layer.people);
                if let Some(calendar) = &layer.calendar {
                    checker.refers(layers.index(at).key("calendar"), FormKind::Calendar, calendar);
                }
            }
            let schedule = checker.bundle.schedules.iter().find(|schedule| schedule.id == form.schedule);
            if let Some(mut schedule) = schedule.and_then(|schedule| CompiledSchedule::compile(schedule, &calendars).ok())
                && let Err(found) = schedule.take(form, &calendars)
            {
                checker.found(place, found);
            }
            if let Some(other) = list.iter().find(|other| form.meets(other) && (other.starts_at, &other.id) < (form.starts_at, &form.id)) {
                let words = format!("`{}` stands in the place of the layers of `{}` already in that time", other.called(), form.schedule);
                checker.error(place.key("starts_at"), words, "give another time, or take that one back first");
            }
        });
    }
}
