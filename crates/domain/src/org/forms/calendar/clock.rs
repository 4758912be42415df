//! When a calendar is open, and the clock that counts only then.
//!
//! Invariants: hours are those of the wall clock of the calendar's zone, and what is counted is time as it passes: a night
//! in which the clocks change has an hour more or less. A holiday is closed from midnight to midnight, hours that would begin
//! on it do not begin, and those of the evening before end at its midnight. No question takes longer than looking at
//! [`AHEAD_MAX_DAYS`] days.

use std::collections::BTreeSet;

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp};

use super::CalendarForm;
use super::free_days::{FreeDays, HolidayLists};
use crate::oncall::civil::{instant_of, zone};
use crate::oncall::window::Window;
use crate::org::problem::{Place, Problem};
use crate::time::Length;

/// How far ahead anything is looked for: ten years, the longest length there is. What is closed for so long is closed for good.
const AHEAD_MAX_DAYS: i64 = 3660;
/// Days back in which hours begin that are still open: overnight, and over a date that a zone skipped.
const BACK_DAYS: i64 = 2;

/// A calendar, read and ready to answer.
///
/// ```
/// use allclear_domain::org::forms::calendar::{Calendar, CalendarForm};
/// let form: CalendarForm = serde_json::from_str(
///     r#"{"id": "office", "time_zone": "Europe/Madrid", "hours": [{"days": ["Mon", "Tue"], "from": "09:00", "to": "17:00"}]}"#,
/// ).unwrap();
/// let office = Calendar::compile(&form, &Default::default()).unwrap();
/// // A Tuesday at 16:00: an hour is left today, and the second one is Monday's first.
/// let at = "2026-03-03T15:00:00Z".parse().unwrap();
/// assert!(office.is_open(at));
/// assert_eq!(office.opens_next(at), Some("2026-03-09T08:00:00Z".parse().unwrap()));
/// assert_eq!(office.after(at, "2h".parse().unwrap()), Some("2026-03-09T09:00:00Z".parse().unwrap()));
/// ```
#[derive(Debug, Clone)]
pub struct Calendar {
    zone: TimeZone,
    hours: Vec<Window>,
    /// Its own, then those of the lists that it names.
    closed: Vec<FreeDays>,
}

impl Calendar {
    /// Reads a form. `lists` are the public holidays that it may name; of a list that is not there, or cannot be read, no day is
    /// closed.
    ///
    /// # Errors
    /// Everything that cannot be read, with its place in the form.
    pub fn compile(form: &CalendarForm, lists: &HolidayLists) -> Result<Self, Vec<Problem>> {
        let root = Place::root();
        let mut problems = Vec::new();
        let zone = zone(&form.time_zone).map_err(|bad| problems.push(bad.problem(root.key("time_zone")))).ok();
        let mut hours = Vec::with_capacity(form.hours.len());
        for (at, one) in form.hours.iter().enumerate() {
            let place = root.key("hours").index(at);
            match Window::compile(one) {
                Ok(window) => hours.push(window),
                Err(found) => problems.extend(found.into_iter().map(|problem| problem.below(&place))),
            }
        }
        let own = FreeDays::read(&form.holidays, form.ics.as_deref()).map_err(|found| problems.extend(found)).ok();
        match (zone, own) {
            (Some(zone), Some(own)) if problems.is_empty() => {
                let closed = std::iter::once(own).chain(form.public_holidays.iter().filter_map(|id| lists.get(id).cloned())).collect();
                Ok(Self { zone, hours, closed })
            }
            _ => Err(problems),
        }
    }

    /// Whether it is open at an instant; where it closes it is closed.
    #[must_use]
    pub fn is_open(&self, at: Timestamp) -> bool {
        self.spans(at, 1).any(|(opens_at, closes_at)| opens_at <= at && at < closes_at)
    }

    /// When it opens the next time after an instant; nothing where it never closes before, or stays closed.
    #[must_use]
    pub fn opens_next(&self, at: Timestamp) -> Option<Timestamp> {
        let mut covered = at;
        for (opens_at, closes_at) in self.spans(at, AHEAD_MAX_DAYS) {
            if opens_at > covered {
                return Some(opens_at);
            }
            covered = covered.max(closes_at);
        }
        None
    }

    /// When it closes, where it is open; nothing where it stays open.
    #[must_use]
    pub fn closes_next(&self, at: Timestamp) -> Option<Timestamp> {
        let mut covered = at;
        for (opens_at, closes_at) in self.spans(at, AHEAD_MAX_DAYS) {
            if opens_at > covered {
                break;
            }
            covered = covered.max(closes_at);
        }
        let seen_until = self.midnight(self.date(at).checked_add(Span::new().days(AHEAD_MAX_DAYS)).ok()?);
        (at < covered && covered < seen_until).then_some(covered)
    }

    /// The instant by which it was open for so long, counted from another: the clock of business hours. Nothing where that
    /// is more than ten years away.
    #[must_use]
    pub fn after(&self, at: Timestamp, open_length: Length) -> Option<Timestamp> {
        let mut left = open_length.as_duration();
        if left.is_zero() {
            return Some(at);
        }
        let mut counted = at;
        for (opens_at, closes_at) in self.spans(at, AHEAD_MAX_DAYS) {
            let from = opens_at.max(counted);
            let open = closes_at.duration_since(from).max(SignedDuration::ZERO);
            if left <= open {
                return from.checked_add(left).ok();
            }
            left = left.checked_sub(open)?;
            counted = counted.max(closes_at);
        }
        None
    }

    /// How long it was open between two instants; no time where the second is not later. What is more than ten years
    /// after the first is not counted.
    #[must_use]
    pub fn open_between(&self, from: Timestamp, until: Timestamp) -> SignedDuration {
        let days = self.date(until).since(self.date(from)).map_or(0, |span| i64::from(span.get_days()));
        let (mut open, mut counted) = (SignedDuration::ZERO, from);
        for (opens_at, closes_at) in self.spans(from, days.min(AHEAD_MAX_DAYS)) {
            let (begun, ended) = (opens_at.max(counted), closes_at.min(until));
            if begun < ended {
                open = open.saturating_add(ended.duration_since(begun));
                counted = ended;
            }
        }
        open
    }

    /// What the holiday of an instant is called; an empty name where it has none.
    #[must_use]
    pub fn holiday(&self, at: Timestamp) -> Option<&str> {
        self.closed_on(self.date(at))
    }

    /// The zone of its days.
    #[must_use]
    pub const fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// Whether a day is a holiday of it.
    #[must_use]
    pub fn is_holiday(&self, day: Date) -> bool {
        self.closed_on(day).is_some()
    }

    /// Days of the week on which hours begin, Monday first, holidays aside.
    #[must_use]
    pub fn open_weekdays(&self) -> [bool; 7] {
        std::array::from_fn(|day| self.hours.iter().any(|window| window.days[day]))
    }

    /// Holidays of so many years from a date, in order, each once; also those that fall on days that are closed anyway.
    #[must_use]
    pub fn closed_days(&self, first: Date, years: i16) -> Vec<Date> {
        let end = first.saturating_add(Span::new().years(years));
        let days: BTreeSet<Date> = self.closed.iter().flat_map(|days| days.between(first, end)).collect();
        days.into_iter().collect()
    }

    /// Whether hours begin on a day.
    #[must_use]
    pub fn opens_on(&self, day: Date) -> bool {
        !self.hours_of(day).is_empty()
    }

    /// Hours that end after an instant, in the order in which they begin.
    fn spans(&self, at: Timestamp, ahead_days: i64) -> impl Iterator<Item = (Timestamp, Timestamp)> {
        let today = self.date(at);
        // Without hours there is nothing to look for.
        let last = if self.hours.is_empty() { -BACK_DAYS - 1 } else { ahead_days };
        (-BACK_DAYS..=last)
            .map_while(move |days| today.checked_add(Span::new().days(days)).ok())
            .flat_map(|date| self.hours_of(date))
            .filter(move |(_, closes_at)| *closes_at > at)
    }

    /// The hours that begin on a date.
    fn hours_of(&self, date: Date) -> Vec<(Timestamp, Timestamp)> {
        if self.closed_on(date).is_some() {
            return Vec::new();
        }
        let midnight = date.tomorrow().ok().filter(|next| self.closed_on(*next).is_some()).map(|next| self.midnight(next));
        let mut spans: Vec<_> = self
            .hours
            .iter()
            .filter_map(|window| window.on(&self.zone, date))
            .map(|(opens_at, closes_at)| (opens_at, midnight.map_or(closes_at, |midnight| closes_at.min(midnight))))
            .filter(|(opens_at, closes_at)| opens_at < closes_at)
            .collect();
        spans.sort_unstable();
        spans
    }

    fn closed_on(&self, date: Date) -> Option<&str> {
        self.closed.iter().find_map(|days| days.name_of(date))
    }

    fn date(&self, at: Timestamp) -> Date {
        self.zone.to_datetime(at).date()
    }

    fn midnight(&self, date: Date) -> Timestamp {
        instant_of(&self.zone, date.to_datetime(Time::midnight()))
    }
}
