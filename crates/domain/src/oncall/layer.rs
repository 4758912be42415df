//! One rotation: its turns.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

use super::civil::{self, Handoff, instant_of};
use super::window::Window;
use crate::org::model::{Layer, Slug};
use crate::org::problem::{Place, Problem};
use crate::time::Every;

const HOUR_MS: u64 = 3_600_000;
const DAY_HOURS: i64 = 24;
/// Hours by which a wall clock may be put back at once: a day, where a zone crossed the date line.
/// By so much may the number of a turn be more than the wall clock says.
const CLOCK_BACK_MAX_HOURS: i64 = 24;

/// A layer, read.
#[derive(Debug, Clone)]
pub(super) struct CompiledLayer {
    pub(super) name: Option<String>,
    people: Vec<Slug>,
    /// The first hand-off, on the wall clock.
    first: DateTime,
    /// Hours of the wall clock from one hand-off to the next.
    hours: i64,
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
        let (Some(handoff), Some((first, hours))) = (handoff, turn) else { return Err(problems) };
        let first_at = instant_of(zone, first);
        let ends_at = form.ends.map(|date| instant_of(zone, date.to_datetime(handoff.time)));
        if ends_at.is_some_and(|ends_at| ends_at <= first_at) {
            problems.push(
                Problem::error(root.key("ends"), "the layer ends before its first hand-off")
                    .hint("give a later date, or leave `ends` away for a layer that goes on"),
            );
        }
        if problems.is_empty() {
            Ok(Self { name: form.name.clone(), people: form.people.clone(), first, hours, first_at, ends_at, only })
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
        let turn_ends = self.next_of_another(turn).map(|next| self.start_of(zone, next));
        self.only.iter().filter_map(|window| window.next_edge(zone, at)).chain(self.ends_at).chain(turn_ends).min()
    }

    /// The people in turn.
    pub(super) fn people(&self) -> &[Slug] {
        &self.people
    }

    /// From its first hand-off until its end, where it has one.
    pub(super) fn lasts(&self) -> (Timestamp, Option<Timestamp>) {
        (self.first_at, self.ends_at)
    }

    /// Hours after which turns fall on the same days of the week and times of day again.
    pub(super) fn comes_round(&self) -> i64 {
        let rotation = self.hours.saturating_mul(i64::try_from(self.people.len()).unwrap_or(i64::MAX));
        let (mut a, mut b) = (rotation, 7 * DAY_HOURS);
        while b != 0 {
            (a, b) = (b, a % b);
        }
        (rotation / a.max(1)).saturating_mul(7 * DAY_HOURS)
    }

    /// The next turn after this one that is somebody else's; none where all are one person's.
    fn next_of_another(&self, turn: i64) -> Option<i64> {
        let count = self.people.len();
        let now = usize::try_from(turn).ok()? % count;
        (1..count)
            .find(|ahead| self.people[(now + ahead) % count] != self.people[now])
            .and_then(|ahead| Some(turn + i64::try_from(ahead).ok()?))
    }

    /// When the turn of this number begins.
    fn start_of(&self, zone: &TimeZone, turn: i64) -> Timestamp {
        turn.checked_mul(self.hours)
            .and_then(|hours| Span::new().try_hours(hours).ok())
            .and_then(|hours| self.first.checked_add(hours).ok())
            .map_or(Timestamp::MAX, |civil| instant_of(zone, civil))
    }

    /// The greatest turn that has begun. Of turns that begin at one instant (a skipped hour or day)
    /// it is the last, so the others have no time.
    fn turn_at(&self, zone: &TimeZone, at: Timestamp) -> Option<i64> {
        if at < self.first_at {
            return None;
        }
        // What the wall clock shows says the number, except just after it was put back.
        let shown = zone.to_datetime(at).duration_since(self.first).as_hours();
        let mut turn = shown.div_euclid(self.hours).max(0);
        for _ in 0..CLOCK_BACK_MAX_HOURS / self.hours + 2 {
            if self.start_of(zone, turn + 1) > at {
                break;
            }
            turn += 1;
        }
        Some(turn)
    }
}

/// What a length and a hand-off mean together: the first hand-off on the wall clock, and the hours
/// of the wall clock from one to the next. A day is twenty-four of them whatever a stopwatch says.
fn read_turn(every: Every, handoff: Handoff, starts: Date) -> Result<(DateTime, i64), Problem> {
    const HINT: &str = "write whole weeks (`1w` with `Mon 09:00`), whole days (`1d` with `09:00`) or whole hours (`12h` with `09:00`)";
    let refuse = |key: &str, why: String| Err(Problem::error(Place::root().key(key), why).hint(HINT));
    let millis = every.length.as_millis();
    if millis == 0 {
        return refuse("every", "a turn needs a length".into());
    }
    if !millis.is_multiple_of(HOUR_MS) {
        return refuse("every", format!("turns of `{every}` are not whole hours"));
    }
    let hours = i64::try_from(millis / HOUR_MS).expect("a length has at most ten years");
    let Some(weekday) = handoff.weekday else { return Ok((starts.to_datetime(handoff.time), hours)) };
    if hours % (7 * DAY_HOURS) != 0 {
        return refuse("handoff", format!("turns of `{every}` do not begin on one weekday"));
    }
    let ahead = i64::from(weekday.since(starts.weekday()));
    match starts.checked_add(Span::new().days(ahead)) {
        Ok(first) => Ok((first.to_datetime(handoff.time), hours)),
        Err(_) => refuse("starts", format!("`{starts}` is too far away")),
    }
}
