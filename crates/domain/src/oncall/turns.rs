//! How the turns of a rotation are counted: when the turn of a number begins, and which turn has begun at an instant.
//!
//! Invariants:
//! - Turns begin one after another; of those that begin at one instant (clocks skipped an hour or a day) all but the last have no
//!   time.
//! - Both answers take time that does not grow with how long the rotation has run: a number is estimated from below and
//!   corrected by a few. Working days of a calendar take the logarithm of how many days it closes.
//! - `every` is a number of hours of the wall clock (weeks and days are 168 and 24 of them), of hours that pass, of months, or
//!   of working days. Months hand over on a day of the month, and on the last where a month has fewer days. Working days are
//!   dates of the schedule's zone that are open; whoever has Friday's turn has it until the next open day's hand-off.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp};

use super::civil::{Handoff, instant_of};
use crate::org::forms::calendar::{Calendar, Calendars};
use crate::org::model::Layer;
use crate::org::problem::{Place, Problem};
use crate::time::{Every, Length};

const HOUR_MS: u64 = 3_600_000;
const DAY_HOURS: i64 = 24;
const WEEK_DAYS: i64 = 7;
/// Days of the longest month.
const MONTH_DAYS_MAX: i64 = 31;
/// Hours by which a wall clock may be put back at once: a day, where a zone crossed the date line.
/// By so much may the number of a turn be more than the wall clock says.
const CLOCK_BACK_MAX_HOURS: i64 = 24;
/// Turns of months and of working days by which an estimate may be too low: one, since the hand-off of the day shown may be to
/// come, one for a clock that was put back over midnight, and one for a date that a zone skipped.
const TOO_LOW_MAX: i64 = 4;
/// Years in which the closed days of a calendar are counted, from the rotation's start. After that every day of the week that the
/// calendar opens counts as open.
const CLOSED_YEARS: i16 = 100;
/// The Monday from which days are numbered.
const EPOCH: Date = Date::constant(1970, 1, 5);

/// The turns of one rotation.
#[derive(Debug, Clone)]
pub(super) enum Turns {
    /// So many hours of the wall clock from one hand-off to the next.
    Clock { first: DateTime, hours: i64 },
    /// So many hours that pass, whatever clocks do.
    Elapsed { first_at: Timestamp, hours: i64 },
    /// So many months, from the month of this number.
    Months { first: i64, months: i64, day: i8, time: Time },
    /// So many open days, from the open day of this number.
    OpenDays { open: OpenDays, first: i64, days: i64, time: Time },
}

impl Turns {
    /// What a length and a hand-off mean together.
    pub(super) fn read(form: &Layer, handoff: Handoff, zone: &TimeZone, calendars: &Calendars) -> Result<Self, Vec<Problem>> {
        let every = form.every;
        let mut problems = Vec::new();
        if form.elapsed && every.length().is_none() {
            problems.push(
                Problem::error(Place::root().key("elapsed"), format!("turns of `{every}` are counted in days, and not in hours that pass"))
                    .hint("leave `elapsed` away, or write hours, as in `12h`"),
            );
        }
        if form.calendar.is_some() && !matches!(every, Every::WorkingDays(_)) {
            problems.push(
                Problem::error(
                    Place::root().key("calendar"),
                    format!("turns of `{every}` count no working days, so the calendar does nothing"),
                )
                .hint("leave it away, or write working days, as in `every: 1wd`"),
            );
        }
        let read = match every {
            Every::Length { length, .. } => of_length(every, length, handoff, form, zone),
            Every::Months(months) => of_months(months, handoff, form.starts),
            Every::WorkingDays(days) => of_open_days(days, handoff, form, calendars),
        };
        match read {
            Ok(turns) if problems.is_empty() => Ok(turns),
            Ok(_) => Err(problems),
            Err(problem) => {
                problems.insert(0, problem);
                Err(problems)
            }
        }
    }

    /// When the turn of this number begins.
    pub(super) fn start_of(&self, zone: &TimeZone, turn: i64) -> Timestamp {
        if let Self::Elapsed { first_at, hours } = self {
            let passed = turn.checked_mul(*hours).and_then(SignedDuration::try_from_hours);
            return passed.and_then(|passed| first_at.checked_add(passed).ok()).unwrap_or(Timestamp::MAX);
        }
        self.wall_of(turn).map_or(Timestamp::MAX, |civil| instant_of(zone, civil))
    }

    /// The hand-off of a turn on the wall clock; nothing beyond the end of time.
    fn wall_of(&self, turn: i64) -> Option<DateTime> {
        match self {
            Self::Clock { first, hours } => first.checked_add(Span::new().try_hours(turn.checked_mul(*hours)?).ok()?).ok(),
            Self::Elapsed { .. } => None,
            Self::Months { first, months, day, time } => {
                Some(day_of_month(first.checked_add(turn.checked_mul(*months)?)?, *day)?.to_datetime(*time))
            }
            Self::OpenDays { open, first, days, time } => Some(open.nth(first.checked_add(turn.checked_mul(*days)?)?)?.to_datetime(*time)),
        }
    }

    /// The greatest turn that has begun, at an instant not before the first begins.
    pub(super) fn turn_at(&self, zone: &TimeZone, at: Timestamp) -> i64 {
        // What the wall clock shows says the number, but for a few that are looked through.
        let (from_below, tries) = match self {
            Self::Clock { first, hours } => {
                let shown = zone.to_datetime(at).duration_since(*first).as_hours();
                (shown.div_euclid(*hours), CLOCK_BACK_MAX_HOURS / hours + 2)
            }
            Self::Elapsed { first_at, hours } => (at.duration_since(*first_at).as_hours().div_euclid(*hours), 0),
            Self::Months { first, months, .. } => ((month_of(zone.to_datetime(at).date()) - first).div_euclid(*months) - 1, TOO_LOW_MAX),
            Self::OpenDays { open, first, days, .. } => {
                ((open.before(zone.to_datetime(at).date()) - first).div_euclid(*days) - 1, TOO_LOW_MAX)
            }
        };
        let mut turn = from_below.max(0);
        for _ in 0..tries {
            if self.start_of(zone, turn + 1) > at {
                break;
            }
            turn += 1;
        }
        turn
    }

    /// Hours after which the turns of so many people fall on the same days of the week and times of day again, or have all fallen
    /// on each of them; nothing where that is not known beforehand.
    pub(super) fn comes_round(&self, people: usize) -> Option<i64> {
        let people = i64::try_from(people).ok()?;
        match self {
            Self::Clock { hours, .. } => {
                let rotation = hours.saturating_mul(people);
                Some((rotation / common(rotation, WEEK_DAYS * DAY_HOURS)).saturating_mul(WEEK_DAYS * DAY_HOURS))
            }
            // They move against the wall clock whenever that changes.
            Self::Elapsed { .. } => None,
            // A month has every day of the week.
            Self::Months { months, .. } => Some(months.saturating_mul(people).saturating_mul(MONTH_DAYS_MAX * DAY_HOURS)),
            Self::OpenDays { open, days, .. } if open.closed.is_empty() => {
                let rotation = days.saturating_mul(people);
                let weeks = rotation / common(rotation, open.a_week());
                Some(weeks.saturating_mul(WEEK_DAYS * DAY_HOURS))
            }
            // A holiday moves them.
            Self::OpenDays { .. } => None,
        }
    }
}

/// The greatest common divisor; one, where there is none.
fn common(mut a: i64, mut b: i64) -> i64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a.max(1)
}

fn refuse<T>(key: &str, why: String) -> Result<T, Problem> {
    const HINT: &str = "write whole weeks (`1w` with `Mon 09:00`), months (`1mo` with `1 09:00`), or days, working days or hours \
                        (`1d`, `1wd` or `12h` with `09:00`)";
    Err(Problem::error(Place::root().key(key), why).hint(HINT))
}

/// The first hand-off on the wall clock, and the hours of the wall clock from one to the next. A day is twenty-four of them
/// whatever a stopwatch says.
fn of_length(every: Every, length: Length, handoff: Handoff, form: &Layer, zone: &TimeZone) -> Result<Turns, Problem> {
    let millis = length.as_millis();
    if millis == 0 {
        return refuse("every", "a turn needs a length".into());
    }
    if !millis.is_multiple_of(HOUR_MS) {
        return refuse("every", format!("turns of `{every}` are not whole hours"));
    }
    if handoff.month_day.is_some() {
        return refuse("handoff", format!("turns of `{every}` do not begin on one day of the month"));
    }
    let hours = i64::try_from(millis / HOUR_MS).expect("a length has at most ten years");
    let first = match handoff.weekday {
        None => form.starts.to_datetime(handoff.time),
        Some(_) if hours % (WEEK_DAYS * DAY_HOURS) != 0 => {
            return refuse("handoff", format!("turns of `{every}` do not begin on one weekday"));
        }
        Some(weekday) => match form.starts.checked_add(Span::new().days(i64::from(weekday.since(form.starts.weekday())))) {
            Ok(first) => first.to_datetime(handoff.time),
            Err(_) => return refuse("starts", format!("`{}` is too far away", form.starts)),
        },
    };
    Ok(if form.elapsed { Turns::Elapsed { first_at: instant_of(zone, first), hours } } else { Turns::Clock { first, hours } })
}

fn of_months(months: u32, handoff: Handoff, starts: Date) -> Result<Turns, Problem> {
    if months == 0 {
        return refuse("every", "a turn needs a length".into());
    }
    let Some(day) = handoff.month_day else {
        return refuse("handoff", format!("turns of `{months}mo` begin on a day of the month, and this names none"));
    };
    let month = month_of(starts);
    let past = day_of_month(month, day).is_none_or(|date| date < starts);
    Ok(Turns::Months { first: month + i64::from(past), months: i64::from(months), day, time: handoff.time })
}

fn of_open_days(days: u32, handoff: Handoff, form: &Layer, calendars: &Calendars) -> Result<Turns, Problem> {
    if days == 0 {
        return refuse("every", "a turn needs a length".into());
    }
    if handoff.weekday.is_some() || handoff.month_day.is_some() {
        return refuse("handoff", format!("turns of `{days}wd` begin on working days, whichever they are: name the time alone"));
    }
    let open = match &form.calendar {
        None => OpenDays::weekdays(),
        Some(id) => match calendars.get(id) {
            Some(calendar) => OpenDays::of(calendar, form.starts),
            None => {
                let shown: String = id.chars().take(64).collect();
                return Err(Problem::error(Place::root().key("calendar"), format!("`{shown}` is not a calendar that can be read"))
                    .hint("name one of `calendars`, or leave it away for Monday to Friday"));
            }
        },
    };
    if open.a_week() == 0 {
        return Err(Problem::error(Place::root().key("calendar"), "the calendar is never open, so there are no working days to count")
            .hint("give the calendar `hours`, or leave it away for Monday to Friday"));
    }
    Ok(Turns::OpenDays { first: open.before(form.starts), open, days: i64::from(days), time: handoff.time })
}

/// The number of a date's month, from the year 0 on.
fn month_of(date: Date) -> i64 {
    i64::from(date.year()) * 12 + i64::from(date.month()) - 1
}

/// A day of the month of a number; its last, where it has fewer.
fn day_of_month(month: i64, day: i8) -> Option<Date> {
    let year = i16::try_from(month.div_euclid(12)).ok()?;
    let first = Date::new(year, i8::try_from(month.rem_euclid(12) + 1).ok()?, 1).ok()?;
    Date::new(year, first.month(), day.min(first.days_in_month())).ok()
}

/// Which days are open: days of the week, but for those that are closed. Open days are numbered.
#[derive(Debug, Clone)]
pub(super) struct OpenDays {
    /// Monday first.
    week: [bool; 7],
    /// In order, each once, and on days of the week that would be open.
    closed: Vec<Date>,
}

impl OpenDays {
    fn weekdays() -> Self {
        Self { week: [true, true, true, true, true, false, false], closed: Vec::new() }
    }

    fn of(calendar: &Calendar, starts: Date) -> Self {
        let week = calendar.open_weekdays();
        let closed = calendar.closed_days(starts, CLOSED_YEARS).into_iter().filter(|date| week[day_index(*date)]).collect();
        Self { week, closed }
    }

    fn a_week(&self) -> i64 {
        self.week.iter().map(|open| i64::from(*open)).sum()
    }

    /// The number of the first open day on or after a date: how many open days are before it, counted from a Monday.
    fn before(&self, date: Date) -> i64 {
        let days = day_number(date);
        let whole = days.div_euclid(WEEK_DAYS) * self.a_week();
        let begun: i64 = self.week[..day_index(date)].iter().map(|open| i64::from(*open)).sum();
        let closed = self.closed.partition_point(|closed| *closed < date);
        whole + begun - i64::try_from(closed).unwrap_or(i64::MAX)
    }

    /// The open day of a number: the first date that has more open days up to its end.
    fn nth(&self, number: i64) -> Option<Date> {
        // Closed days only put it off, each by at most a week.
        let mut low = number.div_euclid(self.a_week()).checked_mul(WEEK_DAYS)?.checked_sub(WEEK_DAYS)?;
        let off = i64::try_from(self.closed.len()).ok()?.checked_add(3)?.checked_mul(WEEK_DAYS)?;
        let mut high = low.checked_add(off)?;
        while low < high {
            let middle = low + (high - low) / 2;
            if self.before(date_of(middle.checked_add(1)?)?) > number {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        date_of(low)
    }
}

fn day_index(date: Date) -> usize {
    usize::try_from(date.weekday().to_monday_zero_offset()).expect("0 to 6")
}

/// Days since [`EPOCH`].
fn day_number(date: Date) -> i64 {
    // A difference of dates is one of days, unless something larger is asked for.
    date.since(EPOCH).map_or(0, |span| i64::from(span.get_days()))
}

fn date_of(number: i64) -> Option<Date> {
    EPOCH.checked_add(Span::new().try_days(number).ok()?).ok()
}
