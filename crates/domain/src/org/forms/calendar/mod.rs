//! Business hours of a place: hours of the week in its zone, and days that are closed, from a list or from an iCalendar text.
//! Clocks that count only these hours stand on [`Calendar`].

mod clock;
pub(crate) mod free_days;
mod ics;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap};
use std::fmt;

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use serde::ser::SerializeMap as _;
use serde::{Deserialize, Serialize};

pub use self::clock::Calendar;
pub use self::free_days::{FreeDays, HolidayLists};
pub use self::ics::ICS_LEN_MAX;
use super::about::{About, IdOf, Input, Layout, NAME, Rows, needed, row};
use super::checker::Checker;
use super::schedule::{Restriction, WINDOW};
use super::{Bundle, Entry, FormKind, Slug, Standing};
use crate::oncall::window::Window;
use crate::org::problem::Place;

const HOURS: &str = "- {days: [Mon, Tue, Wed, Thu, Fri], from: \"09:00\", to: \"17:00\"}";
const HOLIDAYS: &str = "- 2026-12-25\n- {date: 2027-01-01, name: New Year}";
const OPEN: Rows = Rows { one: "line", first: 1, ..WINDOW };
pub(super) const CLOSED: Rows = Rows {
    one: "day",
    fields: &[needed("date", "Date", "", Input::Date), row("name", "Name", "", Input::Line)],
    layout: Layout::OrBare("date"),
    first: 1,
    spare: 1,
    more: &[],
    fresh: &[],
    example: HOLIDAYS,
};

/// What the settings and the file say of it.
pub const ABOUT: About = About {
    word: "calendar",
    plural: "Calendars",
    one: "calendar",
    purpose: "Business hours: when a place is open, in its own zone, and on which days it is closed. Its page says whether it is open now.",
    id: IdOf::Typed,
    then: &[],
    fields: &[
        NAME,
        needed("time_zone", "Time zone", "Hours and days are those of its wall clock, as in Europe/Madrid.", Input::Zone),
        row(
            "hours",
            "Hours",
            "When it is open. `to` at or before `from` runs into the next day; without `days` every day. Without any it is always closed.",
            Input::Rows(&OPEN),
        ),
        row("holidays", "Holidays", "Days that are closed from midnight to midnight.", Input::Rows(&CLOSED)),
        row(
            "ics",
            "Holidays from a calendar",
            "The text of an iCalendar file (`BEGIN:VCALENDAR` …): events of whole days, once or every year. At most 256 KiB.",
            Input::Text,
        ),
        row("public_holidays", "Public holidays", "Closed on the days of these lists as well.", Input::Many(FormKind::Holidays)),
    ],
};

/// Calendars that can be read, by their ids.
pub type Calendars = HashMap<Slug, Calendar>;

/// Those of a list that can be read; of two with one id the first counts.
#[must_use]
pub fn readable(forms: &[CalendarForm], lists: &HolidayLists) -> Calendars {
    let mut out = Calendars::new();
    for form in forms {
        if let Ok(calendar) = Calendar::compile(form, lists) {
            out.entry(form.id.clone()).or_insert(calendar);
        }
    }
    out
}

/// When a place is open.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CalendarForm {
    pub id: Slug,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// IANA name; hours and days are civil times in it.
    pub time_zone: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hours: Vec<Restriction>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holidays: Vec<Holiday>,
    /// Further holidays, as the text of an iCalendar file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ics: Option<String>,
    /// Lists of public holidays, on whose days it is closed as well.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub public_holidays: Vec<Slug>,
}

/// A day that is closed: a date alone, or `{date, name}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holiday {
    pub date: Date,
    pub name: Option<String>,
}

impl Serialize for Holiday {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Some(name) = &self.name else { return self.date.serialize(to) };
        let mut map = to.serialize_map(Some(2))?;
        map.serialize_entry("date", &self.date)?;
        map.serialize_entry("name", name)?;
        map.end()
    }
}

impl<'de> Deserialize<'de> for Holiday {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Shapes;
        impl<'de> serde::de::Visitor<'de> for Shapes {
            type Value = Holiday;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a date such as `2026-12-25`, or `{date: 2026-12-25, name: Christmas}`")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Holiday, E> {
                Ok(Holiday { date: date(text).ok_or_else(|| E::invalid_value(serde::de::Unexpected::Str(text), &self))?, name: None })
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<Holiday, A::Error> {
                #[derive(Deserialize)]
                #[serde(deny_unknown_fields)]
                struct Named {
                    date: String,
                    #[serde(default)]
                    name: Option<String>,
                }
                use serde::de::Error as _;
                let Named { date: text, name } = Named::deserialize(serde::de::value::MapAccessDeserializer::new(map))?;
                let wrong = || A::Error::invalid_value(serde::de::Unexpected::Str(&text), &"a date such as `2026-12-25`");
                Ok(Holiday { date: date(&text).ok_or_else(wrong)?, name })
            }
        }
        from.deserialize_any(Shapes)
    }
}

/// A date and nothing more: a time of day behind it would be passed over.
fn date(text: &str) -> Option<Date> {
    (text.len() == "2026-12-25".len()).then(|| text.parse().ok()).flatten()
}

impl Entry for CalendarForm {
    fn id(&self) -> Option<&str> {
        Some(&self.id)
    }
    fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }
    fn stands(&self, at: Timestamp, of: &Bundle) -> Option<Standing> {
        let calendar = Calendar::compile(self, &of.holiday_lists()).ok()?;
        let holiday = calendar.holiday(at).filter(|name| !name.is_empty()).map_or_else(String::new, |name| format!(" ({name})"));
        Some(if calendar.is_open(at) {
            Standing { words: "Open now".into(), until: calendar.closes_next(at) }
        } else {
            Standing { words: format!("Closed now{holiday}"), until: calendar.opens_next(at) }
        })
    }

    fn check<'a>(kind: FormKind, list: &'a [Self], checker: &mut Checker<'a>) {
        checker.each(kind, list, |checker, place, calendar| {
            if let Err(found) = Calendar::compile(calendar, &HolidayLists::new()) {
                checker.found(place, found);
            }
            checker.refer(&place.key("public_holidays"), FormKind::Holidays, &calendar.public_holidays);
            overlaps(checker, &place.key("hours"), &calendar.hours);
            let mut seen = BTreeSet::new();
            for (at, holiday) in calendar.holidays.iter().enumerate().filter(|(_, holiday)| !seen.insert(holiday.date)) {
                checker.warning(
                    place.key("holidays").index(at),
                    format!("{} is a holiday of `{}` already", holiday.date, calendar.id),
                    "keep it once",
                );
            }
            if calendar.hours.is_empty() {
                let words = format!("calendar `{}` has no hours, so it is always closed", calendar.id);
                checker.warning(place.clone(), words, format!("give it `hours`, as in `{HOURS}`"));
            }
        });
    }
}

/// Hours that say the same time twice: a day that two entries have, also over midnight.
fn overlaps(checker: &mut Checker<'_>, place: &Place, hours: &[Restriction]) {
    let mut taken: Vec<(usize, Stretch)> = Vec::new();
    for (at, one) in hours.iter().enumerate() {
        // What cannot be read is told already.
        let Ok(window) = Window::compile(one) else { continue };
        let mut days = BTreeSet::new();
        if let Some(twice) = one.days.iter().find(|day| !days.insert(day.trim().to_ascii_lowercase().chars().take(3).collect::<String>())) {
            checker.error(place.index(at).key("days"), format!("`{twice}` stands twice in these hours"), "keep it once");
        }
        let mine = stretches(&window);
        let met = mine.iter().find_map(|own| taken.iter().find(|(_, theirs)| meets(own, theirs)).map(|(other, _)| (own.day, *other)));
        if let Some((day, other)) = met {
            checker.error(
                place.index(at),
                format!("the hours from {} on {} are open already by {}", one.from, DAYS[day], place.index(other)),
                "let each time of the week stand in one of them",
            );
        }
        taken.extend(mine.into_iter().map(|own| (at, own)));
    }
}

/// Days as people write them, Monday first.
const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// Minutes of a week, where the end of Sunday is the begin of Monday.
const WEEK_MINUTES: i32 = 7 * 24 * 60;

/// Hours of one day, in minutes of the week.
#[derive(Clone, Copy)]
struct Stretch {
    day: usize,
    from: i32,
    to: i32,
}

fn stretches(window: &Window) -> Vec<Stretch> {
    let minutes = |time: Time| i32::from(time.hour()) * 60 + i32::from(time.minute());
    let next_day = if window.to <= window.from { WEEK_MINUTES / 7 } else { 0 };
    let on = (0..7).zip(0_i32..).filter(|(day, _)| window.days[*day]);
    on.map(|(day, number)| {
        let midnight = number * WEEK_MINUTES / 7;
        Stretch { day, from: midnight + minutes(window.from), to: midnight + minutes(window.to) + next_day }
    })
    .collect()
}

/// Whether two stretches of the week share a minute.
fn meets(a: &Stretch, b: &Stretch) -> bool {
    [-WEEK_MINUTES, 0, WEEK_MINUTES].into_iter().any(|shift| a.from + shift < b.to && b.from < a.to + shift)
}
