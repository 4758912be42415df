//! Days that are free as a whole, from a list and from an iCalendar text: the holidays of a calendar, and public holidays that people
//! and calendars name.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

use super::Holiday;
use super::ics::{self, Yearly};
use crate::ical;
use crate::org::model::Slug;
use crate::org::problem::{Place, Problem};

/// Years of a calendar that others keep that are worked out: those that rotas are planned in, and looked back at.
const YEARS_READ: (i16, i16) = (2015, 2060);
/// Most events of whole days of it: two a week in all those years.
const DAYS_READ_MAX: u32 = 5_000;
/// Most periods of its rules that are looked at: a hundred yearly holidays.
const PERIODS_READ_MAX: u32 = 500_000;

/// Public holidays that can be read, by the ids of their lists.
pub type HolidayLists = HashMap<Slug, FreeDays>;

/// Days, read and ready to answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FreeDays {
    once: BTreeMap<Date, Option<String>>,
    yearly: Vec<(ics::Event, Yearly)>,
}

impl FreeDays {
    /// Reads a list, and the text of an iCalendar file. Of a day that both have, the name of the list counts.
    ///
    /// # Errors
    /// What of the text cannot be read, at `ics`.
    pub(crate) fn read(days: &[Holiday], text: Option<&str>) -> Result<Self, Vec<Problem>> {
        let mut out = Self::default();
        let events = text.map_or_else(|| Ok(Vec::new()), ics::read).map_err(|faults| {
            let place = Place::root().key("ics");
            let told = |bad: ics::BadLine| Problem::error(place.clone(), format!("line {}: {}", bad.line, bad.message)).hint(bad.hint);
            faults.into_iter().map(told).collect::<Vec<_>>()
        })?;
        for event in events {
            match event.yearly {
                Some(rule) => out.yearly.push((event, rule)),
                None => out.once.extend(days_from(event.first, event.days).map(|day| (day, event.name.clone()))),
            }
        }
        out.once.extend(days.iter().map(|Holiday { date, name }| (*date, name.clone())));
        Ok(out)
    }

    /// Takes in the events of whole days of a calendar that others keep; those that are at a time of day say nothing of free days. A
    /// list and a text keep their names. What is no calendar takes in nothing: the last good copy is what is given here.
    pub(crate) fn take_whole_days(&mut self, text: &str) {
        let Ok(calendar) = ical::Calendar::read(text, &TimeZone::UTC) else { return };
        let civil = |year| Date::constant(year, 1, 1).to_zoned(TimeZone::UTC).map_or(Timestamp::UNIX_EPOCH, |at| at.timestamp());
        let (from, to) = (civil(YEARS_READ.0), civil(YEARS_READ.1));
        let mut budget = ical::Budget::new(PERIODS_READ_MAX, DAYS_READ_MAX);
        let mut found = Vec::new();
        for series in &calendar.series {
            series.between(from, to, &mut budget, &mut found);
        }
        for one in found.iter().filter(|one| one.event.is_whole_days()) {
            let first = TimeZone::UTC.to_datetime(one.starts_at).date();
            let days = i32::try_from(one.ends_at.duration_since(one.starts_at).as_hours() / 24).unwrap_or(1);
            let name = Some(one.event.summary.clone()).filter(|name| !name.is_empty());
            for day in days_from(first, days) {
                self.once.entry(day).or_insert_with(|| name.clone());
            }
        }
    }

    /// What a day is called that is free; an empty name where it has none.
    #[must_use]
    pub fn name_of(&self, date: Date) -> Option<&str> {
        if let Some(name) = self.once.get(&date) {
            return Some(name.as_deref().unwrap_or_default());
        }
        let event = self.yearly.iter().find(|(event, rule)| comes_back(event, *rule, date));
        event.map(|(event, _)| event.name.as_deref().unwrap_or_default())
    }

    /// Free days from a date until before another, in order, each once.
    #[must_use]
    pub fn between(&self, first: Date, end: Date) -> BTreeSet<Date> {
        if first >= end {
            return BTreeSet::new();
        }
        let mut days: BTreeSet<Date> = self.once.range(first..end).map(|(day, _)| *day).collect();
        for (event, rule) in &self.yearly {
            // One that began the year before may last into the first.
            for year in first.year().saturating_sub(1)..=end.year() {
                let start = Date::new(year, event.first.month(), event.first.day()).ok().filter(|start| begins(event, *rule, *start));
                days.extend(start.into_iter().flat_map(|start| days_from(start, event.days)).filter(|day| *day >= first && *day < end));
            }
        }
        days
    }

    /// Whether there is none at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.once.is_empty() && self.yearly.is_empty()
    }
}

fn days_from(first: Date, days: i32) -> impl Iterator<Item = Date> {
    (0..days).map_while(move |more| first.checked_add(Span::new().days(more)).ok())
}

/// Whether one of the days of an event that comes back is this one: it began this year, or the last.
fn comes_back(event: &ics::Event, rule: Yearly, date: Date) -> bool {
    [date.year(), date.year().saturating_sub(1)]
        .into_iter()
        .filter_map(|year| Date::new(year, event.first.month(), event.first.day()).ok())
        .any(|start| {
            let since = date.since(start).map_or(-1, |span| span.get_days());
            (0..event.days).contains(&since) && begins(event, rule, start)
        })
}

/// Whether an event that comes back does so on this anniversary of its first day.
fn begins(event: &ics::Event, rule: Yearly, start: Date) -> bool {
    start >= event.first && (start.year() - event.first.year()) % rule.every == 0 && rule.until.is_none_or(|until| start <= until)
}
