//! Hours of the week on a wall clock: in which a layer is on.

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

use super::civil::{self, instant_of};
use crate::org::model::Restriction;
use crate::org::problem::{Place, Problem};

/// Days ahead in which a window must open or close again: a week, and a second one for a weekday
/// whose date a zone skipped.
const WINDOW_LOOKAHEAD_DAYS: i64 = 15;

/// Hours of some days of the week.
#[derive(Debug, Clone)]
pub(crate) struct Window {
    /// Monday first.
    pub(crate) days: [bool; 7],
    pub(crate) from: Time,
    /// At or before `from`: of the next day.
    pub(crate) to: Time,
}

impl Window {
    pub(crate) fn compile(form: &Restriction) -> Result<Self, Vec<Problem>> {
        let root = Place::root();
        let mut problems = Vec::new();
        let mut days = [form.days.is_empty(); 7];
        for (index, text) in form.days.iter().enumerate() {
            match civil::parse_weekday(text) {
                Ok(weekday) => days[day_index(weekday)] = true,
                Err(bad) => problems.push(bad.problem(root.key("days").index(index))),
            }
        }
        let mut clock = |key: &str, text: &str| civil::parse_clock(text).map_err(|bad| problems.push(bad.problem(root.key(key)))).ok();
        match (clock("from", &form.from), clock("to", &form.to)) {
            (Some(from), Some(to)) if problems.is_empty() => Ok(Self { days, from, to }),
            _ => Err(problems),
        }
    }

    /// When the window that opens on this date opens and closes; of no length where a zone
    /// skipped it.
    pub(crate) fn on(&self, zone: &TimeZone, date: Date) -> Option<(Timestamp, Timestamp)> {
        if !self.days[day_index(date.weekday())] {
            return None;
        }
        let last = if self.to <= self.from { date.tomorrow().ok()? } else { date };
        Some((instant_of(zone, date.to_datetime(self.from)), instant_of(zone, last.to_datetime(self.to))))
    }

    /// Windows that opened up to two days before count (overnight, and over a skipped date), and
    /// one of tomorrow's date, since clocks put back over midnight show today again.
    pub(crate) fn is_open(&self, zone: &TimeZone, at: Timestamp) -> bool {
        let today = zone.to_datetime(at).date();
        (-2..=1)
            .filter_map(|days| self.on(zone, today.checked_add(Span::new().days(days)).ok()?))
            .any(|(opens_at, closes_at)| opens_at <= at && at < closes_at)
    }

    /// Windows of one kind open and close in the order of their dates (a window closes at the
    /// latest when the next opens), so the first edge found is the next.
    pub(crate) fn next_edge(&self, zone: &TimeZone, at: Timestamp) -> Option<Timestamp> {
        let today = zone.to_datetime(at).date();
        (-2..=WINDOW_LOOKAHEAD_DAYS)
            .filter_map(|days| self.on(zone, today.checked_add(Span::new().days(days)).ok()?))
            .flat_map(|(opens_at, closes_at)| [opens_at, closes_at])
            .find(|edge| *edge > at)
    }
}

fn day_index(weekday: jiff::civil::Weekday) -> usize {
    usize::try_from(weekday.to_monday_zero_offset()).expect("0 to 6")
}
