//! The clocks of an incident as they are folded and kept: how soon it is to be acknowledged, joined, mitigated and resolved,
//! and when time did not count. The part `clocks` makes it so, and counts by it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::expect::Segment;
use crate::time::Length;

/// Hundredths of its time after which whoever has an incident is told, the first and the last time before it is over.
pub const WARNED_AT: [u8; 2] = [50, 80];

/// What is to happen in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = ClockKind))]
pub enum Clock {
    /// Somebody has it.
    Acknowledge,
    /// A second person is on it, or somebody took command.
    Engage,
    /// The impact is reduced.
    Mitigate,
    /// Service is normal.
    Resolve,
}

impl Clock {
    /// All of them, in the order of a life.
    pub const ALL: [Self; 4] = [Self::Acknowledge, Self::Engage, Self::Mitigate, Self::Resolve];

    /// As stored, and as the key of a target.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Acknowledge => "acknowledge",
            Self::Engage => "engage",
            Self::Mitigate => "mitigate",
            Self::Resolve => "resolve",
        }
    }

    /// The one with this word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|clock| clock.word() == word)
    }

    /// What is awaited, in a few words.
    #[must_use]
    pub const fn awaited(self) -> &'static str {
        match self {
            Self::Acknowledge => "somebody acknowledges",
            Self::Engage => "a second person, or a commander",
            Self::Mitigate => "the impact is reduced",
            Self::Resolve => "service is normal",
        }
    }

    /// Whether it may be paused: that somebody answers waits for nobody outside.
    #[must_use]
    pub const fn may_pause(self) -> bool {
        matches!(self, Self::Mitigate | Self::Resolve)
    }
}

/// For whom work waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = WaitingFor))]
pub enum WaitingFor {
    User,
    Vendor,
    Other,
}

impl WaitingFor {
    /// All of them, as written.
    pub const WORDS: [&'static str; 3] = ["user", "vendor", "other"];

    /// The one with this word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        match word {
            "user" => Some(Self::User),
            "vendor" => Some(Self::Vendor),
            "other" => Some(Self::Other),
            _ => None,
        }
    }

    /// As people read it.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::User => "waiting for the user",
            Self::Vendor => "waiting for a vendor",
            Self::Other => "waiting for something else",
        }
    }
}

/// A stretch in which time did not count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stop {
    pub from: Timestamp,
    /// Absent while it lasts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// For whom work waited; absent where the incident was over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting_for: Option<WaitingFor>,
    /// What somebody wrote to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// One clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timed {
    pub clock: Clock,
    /// The id of the target that set it.
    pub target: String,
    /// Of the calendar whose open hours count; absent where every hour does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calendar: Option<String>,
    /// How much time there is that counts.
    pub within: Length,
    /// When half of it, and 80 %, is over; absent as `due_at`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warn_at: Option<[Timestamp; 2]>,
    /// When all of it is over; absent while it is paused, and where its calendar does not open for so long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Timestamp>,
    /// The last share of [`WARNED_AT`] that somebody was told of; zero before.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub warned: u8,
    /// When it was found to be missed. What was missed stays missed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missed_at: Option<Timestamp>,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde's way
const fn is_zero(n: &u8) -> bool {
    *n == 0
}

impl Timed {
    /// Whether another counts the same, whatever came of it.
    pub(super) fn counts_as(&self, other: &Self) -> bool {
        let of = |timed: &Self| (timed.clock, timed.within, timed.warn_at, timed.due_at);
        of(self) == of(other) && self.target == other.target && self.calendar == other.calendar
    }

    /// The last share whose time has come by an instant and of which nobody was told.
    #[must_use]
    pub fn to_warn(&self, now: Timestamp) -> Option<u8> {
        let marks = WARNED_AT.into_iter().zip(self.warn_at?);
        marks.filter(|(share, at)| *share > self.warned && *at <= now).map(|(share, _)| share).next_back()
    }

    /// When it has to be looked at next: at a share of which nobody was told, else at its end.
    #[must_use]
    pub fn look_at(&self) -> Option<Timestamp> {
        let marks = WARNED_AT.into_iter().zip(self.warn_at?);
        marks.filter(|(share, _)| *share > self.warned).map(|(_, at)| at).next().or(self.due_at)
    }
}

/// The clocks of one incident. Nothing of it is kept before the first is set.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Clocks {
    /// From when they count: when it was declared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// In the order of a life; each kind once at most.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub list: Vec<Timed>,
    /// When time did not count, oldest first; none overlaps another.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stops: Vec<Stop>,
    /// When a second person was on it, or somebody took command.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub engaged_at: Option<Timestamp>,
}

impl Clocks {
    /// Whether there never was one.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// A clock.
    #[must_use]
    pub fn get(&self, clock: Clock) -> Option<&Timed> {
        self.list.iter().find(|timed| timed.clock == clock)
    }

    pub(super) fn get_mut(&mut self, clock: Clock) -> Option<&mut Timed> {
        self.list.iter_mut().find(|timed| timed.clock == clock)
    }

    /// Why time does not count now, where somebody paused it.
    #[must_use]
    pub fn paused(&self) -> Option<&Stop> {
        self.stops.last().filter(|stop| stop.until.is_none() && stop.waiting_for.is_some())
    }

    /// From here on time does not count; what stopped it before is over.
    pub(super) fn stop(&mut self, stop: Stop) {
        self.go_on(stop.from);
        self.stops.push(stop);
    }

    /// Why time did not count when the incident was over, where somebody had paused it until then.
    #[must_use]
    pub fn paused_at_the_end(&self) -> Option<&Stop> {
        let [.., paused, end] = &self.stops[..] else { return None };
        let is_end = end.until.is_none() && end.waiting_for.is_none();
        Some(paused).filter(|paused| is_end && paused.waiting_for.is_some() && paused.until == Some(end.from))
    }

    /// What was paused when the incident was over is paused again.
    pub(super) fn pause_again(&mut self, at: Timestamp) {
        if let Some(paused) = self.paused_at_the_end().cloned() {
            self.stop(Stop { from: at, until: None, ..paused });
        }
    }

    /// From here on time counts.
    pub(super) fn go_on(&mut self, at: Timestamp) {
        if let Some(last) = self.stops.last_mut() {
            last.until.get_or_insert(at);
        }
    }

    /// The stretches of a clock that counts from an instant. A pause is of those that may be paused alone.
    #[must_use]
    pub fn segments(&self, clock: Clock, from: Timestamp) -> Vec<Segment> {
        let mut out = vec![Segment { from, running: true, why: None }];
        for stop in self.stops.iter().filter(|stop| stop.waiting_for.is_none() || clock.may_pause()) {
            if stop.until.is_some_and(|until| until <= from) {
                continue;
            }
            out.push(Segment { from: stop.from.max(from), running: false, why: stop.waiting_for.map(|waits| waits.words().to_owned()) });
            out.extend(stop.until.map(|until| Segment { from: until, running: true, why: None }));
        }
        out
    }
}
