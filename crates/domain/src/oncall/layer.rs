//! One rotation: its turns, and the windows in which it is on.

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp};

use super::civil::{self, Handoff, instant_of};
use crate::org::model::{Layer, Restriction, Slug};
use crate::org::problem::{Place, Problem};
use crate::time::Length;

const HOUR_MS: u64 = 3_600_000;
const DAY_MS: u64 = 24 * HOUR_MS;
const WEEK_MS: u64 = 7 * DAY_MS;
/// How far the estimated number of a turn may be off. One turn covers hand-offs later in the day
/// than the instant, a second any date that a zone skipped or repeated.
const ESTIMATE_OFF_MAX: u32 = 2;
/// Days ahead in which a window must open or close again: a week, and a second one for a weekday
/// whose date a zone skipped.
const WINDOW_LOOKAHEAD_DAYS: i64 = 15;

/// How turns are counted.
#[derive(Debug, Clone)]
enum Turn {
    /// Civil days from a first date, at a clock time.
    Days { first: Date, time: Time, every: i64 },
    /// Absolute time from the first hand-off.
    Hours { every: SignedDuration },
}

/// A layer, read.
#[derive(Debug, Clone)]
pub(super) struct CompiledLayer {
    pub(super) name: Option<String>,
    people: Vec<Slug>,
    turn: Turn,
    first_at: Timestamp,
    ends_at: Option<Timestamp>,
    only: Vec<Window>,
}

impl CompiledLayer {
    pub(super) fn compile(form: &Layer, zone: &TimeZone) -> Result<Self, Vec<Problem>> {
        let root = Place::root();
        let mut problems = Vec::new();
        if form.people.is_empty() {
            problems.push(
                Problem::error(root.key("people"), "a layer needs at least one person").hint("name people in turn, as in `[ana, ben]`"),
            );
        }
        let handoff = civil::parse_handoff(&form.handoff).map_err(|bad| problems.push(bad.problem(root.key("handoff")))).ok();
        let turn = handoff.and_then(|handoff| read_turn(form.every, handoff, form.starts).map_err(|problem| problems.push(problem)).ok());
        let mut only = Vec::with_capacity(form.only.len());
        for (index, restriction) in form.only.iter().enumerate() {
            let place = root.key("only").index(index);
            match Window::compile(restriction) {
                Ok(window) => only.push(window),
                Err(found) => problems.extend(found.into_iter().map(|p| p.below(&place))),
            }
        }
        let (Some(handoff), Some(turn)) = (handoff, turn) else { return Err(problems) };
        let first_at = match &turn {
            Turn::Days { first, time, .. } => instant_of(zone, first.to_datetime(*time)),
            Turn::Hours { .. } => instant_of(zone, form.starts.to_datetime(handoff.time)),
        };
        let ends_at = form.ends.map(|date| instant_of(zone, date.to_datetime(handoff.time)));
        if ends_at.is_some_and(|ends_at| ends_at <= first_at) {
            problems.push(
                Problem::error(root.key("ends"), "the layer ends before its first hand-off")
                    .hint("give a later date, or leave `ends` away for a layer that goes on"),
            );
        }
        if problems.is_empty() {
            Ok(Self { name: form.name.clone(), people: form.people.clone(), turn, first_at, ends_at, only })
        } else {
            Err(problems)
        }
    }

    /// Who has the turn, where the layer is on.
    pub(super) fn person_at(&self, zone: &TimeZone, at: Timestamp) -> Option<&Slug> {
        if self.ends_at.is_some_and(|ends_at| ends_at <= at) {
            return None;
        }
        if !self.only.is_empty() && !self.only.iter().any(|window| window.is_open(zone, at)) {
            return None;
        }
        let turn = self.turn_at(zone, at)?;
        let index = usize::try_from(turn).ok()? % self.people.len();
        self.people.get(index)
    }

    /// The next instant after `at` at which the layer's answer may change.
    pub(super) fn next_edge(&self, zone: &TimeZone, at: Timestamp) -> Option<Timestamp> {
        let Some(turn) = self.turn_at(zone, at) else { return Some(self.first_at) };
        if self.ends_at.is_some_and(|ends_at| ends_at <= at) {
            return None;
        }
        self.only.iter().filter_map(|window| window.next_edge(zone, at)).chain(self.ends_at).chain([self.start_of(zone, turn + 1)]).min()
    }

    /// When the turn of this number begins.
    fn start_of(&self, zone: &TimeZone, turn: i64) -> Timestamp {
        match &self.turn {
            Turn::Days { first, time, every } => turn
                .checked_mul(*every)
                .and_then(|days| Span::new().try_days(days).ok())
                .and_then(|days| first.checked_add(days).ok())
                .map_or(Timestamp::MAX, |date| instant_of(zone, date.to_datetime(*time))),
            Turn::Hours { every } => i32::try_from(turn)
                .ok()
                .and_then(|turn| every.checked_mul(turn))
                .and_then(|length| self.first_at.checked_add(length).ok())
                .unwrap_or(Timestamp::MAX),
        }
    }

    /// The greatest turn that has begun. Of turns that begin at one instant (a skipped day) it is
    /// the last, so the others have no time.
    fn turn_at(&self, zone: &TimeZone, at: Timestamp) -> Option<i64> {
        if at < self.first_at {
            return None;
        }
        let mut turn = match &self.turn {
            Turn::Days { first, every, .. } => {
                let days = zone.to_datetime(at).date().duration_since(*first).as_hours() / 24;
                days.div_euclid(*every).max(0)
            }
            Turn::Hours { every } => {
                return i64::try_from(at.duration_since(self.first_at).as_millis() / every.as_millis()).ok();
            }
        };
        for _ in 0..ESTIMATE_OFF_MAX {
            turn -= i64::from(turn > 0 && self.start_of(zone, turn) > at);
        }
        for _ in 0..ESTIMATE_OFF_MAX {
            turn += i64::from(self.start_of(zone, turn + 1) <= at);
        }
        Some(turn)
    }
}

/// What a length and a hand-off mean together. A length does not know whether it was written
/// `7d` or `1w`, `24h` or `1d`: what divides into days is counted in civil days.
fn read_turn(every: Length, handoff: Handoff, starts: Date) -> Result<Turn, Problem> {
    const HINT: &str = "write whole weeks (`1w` with `Mon 09:00`), whole days (`1d` with `09:00`) or whole hours (`12h` with `09:00`)";
    let refuse = |key: &str, why: String| Err(Problem::error(Place::root().key(key), why).hint(HINT));
    let millis = every.as_millis();
    if millis == 0 {
        return refuse("every", "a turn needs a length".into());
    }
    if !millis.is_multiple_of(HOUR_MS) {
        return refuse("every", format!("turns of `{every}` are not whole hours"));
    }
    match handoff.weekday {
        Some(weekday) if millis.is_multiple_of(WEEK_MS) => {
            let ahead = i64::from(weekday.since(starts.weekday()));
            let Ok(first) = starts.checked_add(Span::new().days(ahead)) else {
                return refuse("starts", format!("`{starts}` is too far away"));
            };
            Ok(Turn::Days { first, time: handoff.time, every: days_of(millis) })
        }
        Some(_) => refuse("handoff", format!("turns of `{every}` do not begin on one weekday")),
        None if millis.is_multiple_of(DAY_MS) => Ok(Turn::Days { first: starts, time: handoff.time, every: days_of(millis) }),
        None => Ok(Turn::Hours { every: every.as_duration() }),
    }
}

fn days_of(millis: u64) -> i64 {
    i64::try_from(millis / DAY_MS).expect("a length has at most ten years")
}

/// Civil hours in which a layer is on.
#[derive(Debug, Clone)]
struct Window {
    /// Monday first.
    days: [bool; 7],
    from: Time,
    to: Time,
}

impl Window {
    fn compile(form: &Restriction) -> Result<Self, Vec<Problem>> {
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
    fn on(&self, zone: &TimeZone, date: Date) -> Option<(Timestamp, Timestamp)> {
        if !self.days[day_index(date.weekday())] {
            return None;
        }
        let last = if self.to <= self.from { date.tomorrow().ok()? } else { date };
        Some((instant_of(zone, date.to_datetime(self.from)), instant_of(zone, last.to_datetime(self.to))))
    }

    /// Windows that opened up to two days before count (overnight, and over a skipped date), and
    /// one of tomorrow's date, since clocks put back over midnight show today again.
    fn is_open(&self, zone: &TimeZone, at: Timestamp) -> bool {
        let today = zone.to_datetime(at).date();
        (-2..=1)
            .filter_map(|days| self.on(zone, today.checked_add(Span::new().days(days)).ok()?))
            .any(|(opens_at, closes_at)| opens_at <= at && at < closes_at)
    }

    /// Windows of one kind open and close in the order of their dates (a window closes at the
    /// latest when the next opens), so the first edge found is the next.
    fn next_edge(&self, zone: &TimeZone, at: Timestamp) -> Option<Timestamp> {
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
