//! Public holidays of a place, which people and calendars name: a turn on a day that its person has off needs cover as one does of
//! whoever is away, and a calendar that names the list is closed on it.
//!
//! A day is somebody's from midnight to midnight in their own time zone. Nobody is taken off a schedule by it.

use std::collections::BTreeSet;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::about::{About, IdOf, Input, NAME, row};
use super::calendar::free_days::{FreeDays, HolidayLists};
use super::calendar::{CLOSED, Holiday};
use super::calendar_copy::CalendarCopy;
use super::checker::Checker;
use super::external_calendar::ExternalCalendar;
use super::{Entry, FormKind, Slug};

/// Most days of a list: fifty years of a country with a holiday a month.
pub const HOLIDAYS_MAX: usize = 600;

/// What the settings and the file say of it.
pub const ABOUT: About = About {
    word: "holidays",
    plural: "Public holidays",
    one: "list of public holidays",
    purpose: "The public holidays of a place. Whoever names the list has them off: their turns on call on such a day are named as needing cover. Calendars that name it are closed.",
    id: IdOf::Typed,
    then: &[],
    fields: &[
        NAME,
        row("days", "Days", "", Input::Rows(&CLOSED)),
        row(
            "ics",
            "Days from a calendar",
            "The text of an iCalendar file (`BEGIN:VCALENDAR` …): events of whole days, once or every year. At most 256 KiB.",
            Input::Text,
        ),
        row(
            "external_calendar",
            "External calendar",
            "Its events of whole days count as well: the address of a region's public holidays.",
            Input::One(FormKind::ExternalCalendar),
        ),
    ],
};

/// Public holidays.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Holidays {
    pub id: Slug,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub days: Vec<Holiday>,
    /// Further days, as the text of an iCalendar file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ics: Option<String>,
    /// A calendar that others keep, whose events of whole days are days of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_calendar: Option<Slug>,
}

/// Those of a list that can be read; of two with one id the first counts.
#[must_use]
pub fn readable(forms: &[Holidays], external: &[ExternalCalendar], copies: &[CalendarCopy]) -> HolidayLists {
    let mut out = HolidayLists::new();
    for form in forms {
        if let Ok(mut days) = FreeDays::read(&form.days, form.ics.as_deref()) {
            let of = form.external_calendar.as_ref().and_then(|id| external.iter().find(|one| one.id == *id));
            if let Some(text) = of.and_then(|one| one.text(copies)) {
                days.take_whole_days(text);
            }
            out.entry(form.id.clone()).or_insert(days);
        }
    }
    out
}

impl Entry for Holidays {
    fn id(&self) -> Option<&str> {
        Some(&self.id)
    }
    fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn check<'a>(kind: FormKind, list: &'a [Self], checker: &mut Checker<'a>) {
        checker.each(kind, list, |checker, place, form| {
            if let Some(id) = &form.external_calendar {
                checker.refers(place.key("external_calendar"), FormKind::ExternalCalendar, id);
            }
            match FreeDays::read(&form.days, form.ics.as_deref()) {
                Err(found) => checker.found(place, found),
                Ok(days) if days.is_empty() && form.external_calendar.is_none() => {
                    checker.warning(
                        place.clone(),
                        format!("`{}` has no day, so nobody has one off by it", form.id),
                        "give it `days`, or `ics`",
                    );
                }
                Ok(_) => {}
            }
            if form.days.len() > HOLIDAYS_MAX {
                let words = format!("the list has {} days, more than {HOLIDAYS_MAX}", form.days.len());
                checker.error(place.key("days"), words, "leave out years that are over");
            }
            let mut seen: BTreeSet<Date> = BTreeSet::new();
            for (at, day) in form.days.iter().enumerate().filter(|(_, day)| !seen.insert(day.date)) {
                checker.warning(place.key("days").index(at), format!("{} stands in `{}` already", day.date, form.id), "keep it once");
            }
        });
    }
}
