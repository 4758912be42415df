//! Measuring: counts and durations over many incidents, each with the population it speaks of.
//!
//! Invariants: a duration is taken only where both its instants are known, and `n` says of how many;
//! medians and percentiles are of the values themselves (nearest rank), never of averages.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};

use crate::incident::clock::Clock;
use crate::severity::Severity;
use crate::view::{DurationSummary, TrendRow, TrendTarget, TrendView, TrendWeek};

/// What a service is called that nobody named.
const NO_SERVICE: &str = "(no service)";

/// When an incident came to be what it was: everything that is measured of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Instants {
    pub impact_started_at: Option<Timestamp>,
    pub detected_at: Option<Timestamp>,
    pub declared_at: Option<Timestamp>,
    pub acknowledged_at: Option<Timestamp>,
    pub mitigated_at: Option<Timestamp>,
    pub resolved_at: Option<Timestamp>,
}

/// A length of time of an incident. This is the one place that says from when to when each is: what a review, a page, the API
/// and the command line call by its name is this.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Duration {
    /// Until somebody or something noticed.
    Detect,
    /// From then until it was an incident.
    Declare,
    /// Until somebody had it.
    Acknowledge,
    /// Until the impact was reduced, for the first time.
    Mitigate,
    /// Until service was normal, for the last time.
    Resolve,
}

impl Duration {
    /// All of them, in the order in which they come.
    pub const ALL: [Self; 5] = [Self::Detect, Self::Declare, Self::Acknowledge, Self::Mitigate, Self::Resolve];

    /// From when to when, in words; the guide has the same.
    #[must_use]
    pub const fn span(self) -> (&'static str, &'static str) {
        match self {
            Self::Detect => ("impact started", "detected"),
            Self::Declare => ("detected", "declared"),
            Self::Acknowledge => ("declared", "acknowledged"),
            Self::Mitigate => ("impact started, or declared", "mitigated"),
            Self::Resolve => ("impact started, or declared", "resolved"),
        }
    }

    /// How long it was; nothing where one of its two instants is not known, or where they are in the wrong order, as clocks
    /// of two machines may have it.
    #[must_use]
    pub fn of(self, i: &Instants) -> Option<SignedDuration> {
        let began = i.impact_started_at.or(i.declared_at);
        let (from, to) = match self {
            Self::Detect => (i.impact_started_at, i.detected_at),
            Self::Declare => (i.detected_at, i.declared_at),
            Self::Acknowledge => (i.declared_at, i.acknowledged_at),
            Self::Mitigate => (began, i.mitigated_at),
            Self::Resolve => (began, i.resolved_at),
        };
        Some(to?.duration_since(from?)).filter(|took| !took.is_negative())
    }
}

/// What trends need of one incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measured {
    pub severity: Severity,
    pub service: Option<String>,
    pub instants: Instants,
    /// Its clocks that were met or missed: the target, the clock, and whether it was kept.
    pub clocks: Vec<(String, Clock, bool)>,
    /// How often a team took it from another, and how often that was one that had had it before.
    pub hand_overs: (u32, u32),
    /// How often it was reopened.
    pub reopened: u32,
}

/// Counts incidents one after the other, however many there are: of each it keeps three numbers.
#[derive(Debug, Default)]
pub struct Trends {
    incidents: u64,
    weeks: BTreeMap<Date, [u64; 5]>,
    by_severity: BTreeMap<Severity, Tally>,
    by_service: BTreeMap<String, Tally>,
    by_target: BTreeMap<(Severity, String, Clock), (u64, u64)>,
    hand_overs: (u64, u64),
    /// Incidents that were reopened, and how often all of them were.
    reopened: (u64, u64),
}

/// Whole seconds of each duration that is known.
#[derive(Debug, Default)]
struct Tally {
    incidents: u64,
    acknowledge: Vec<u32>,
    mitigate: Vec<u32>,
    resolve: Vec<u32>,
}

impl Trends {
    /// Takes one in.
    pub fn add(&mut self, one: &Measured) {
        self.incidents += 1;
        self.hand_overs.0 += u64::from(one.hand_overs.0);
        self.hand_overs.1 += u64::from(one.hand_overs.1);
        self.reopened.0 += u64::from(one.reopened > 0);
        self.reopened.1 += u64::from(one.reopened);
        if let Some(at) = one.instants.declared_at {
            self.weeks.entry(monday(at)).or_default()[usize::from(one.severity.rank() - 1)] += 1;
        }
        self.by_severity.entry(one.severity).or_default().add(&one.instants);
        for (target, clock, kept) in &one.clocks {
            let counts = self.by_target.entry((one.severity, target.clone(), *clock)).or_default();
            *(if *kept { &mut counts.0 } else { &mut counts.1 }) += 1;
        }
        // A name is copied once for each service, and not once for each incident.
        let service = one.service.as_deref().unwrap_or(NO_SERVICE);
        match self.by_service.get_mut(service) {
            Some(tally) => tally.add(&one.instants),
            None => self.by_service.entry(service.to_owned()).or_default().add(&one.instants),
        }
    }

    /// What they come to, of those that were declared from `from` until `to`.
    #[must_use]
    pub fn view(mut self, from: Timestamp, to: Timestamp) -> TrendView {
        let mut week = monday(from);
        while week <= monday(to) {
            self.weeks.entry(week).or_default();
            match week.checked_add(7.days()) {
                Ok(next) => week = next,
                Err(_) => break,
            }
        }
        let mut by_service: Vec<TrendRow> = self.by_service.into_iter().map(|(name, tally)| tally.row(name)).collect();
        by_service.sort_by(|a, b| b.incidents.cmp(&a.incidents).then_with(|| a.name.cmp(&b.name)));
        TrendView {
            from,
            to,
            incidents: self.incidents,
            hand_overs: self.hand_overs.0,
            ping_pongs: self.hand_overs.1,
            reopened: self.reopened.0,
            reopenings: self.reopened.1,
            weeks: self.weeks.into_iter().map(|(monday, counts)| TrendWeek { monday, counts }).collect(),
            by_severity: self.by_severity.into_iter().map(|(severity, tally)| tally.row(severity.word().to_owned())).collect(),
            by_service,
            targets: self
                .by_target
                .into_iter()
                .map(|((severity, target, clock), (kept, missed))| TrendTarget { severity, target, clock, kept, missed })
                .collect(),
        }
    }
}

impl Tally {
    fn add(&mut self, instants: &Instants) {
        self.incidents += 1;
        for (duration, seconds) in [
            (Duration::Acknowledge, &mut self.acknowledge),
            (Duration::Mitigate, &mut self.mitigate),
            (Duration::Resolve, &mut self.resolve),
        ] {
            seconds.extend(duration.of(instants).map(whole_seconds));
        }
    }

    fn row(self, name: String) -> TrendRow {
        TrendRow {
            name,
            incidents: self.incidents,
            acknowledge: summary(self.acknowledge),
            mitigate: summary(self.mitigate),
            resolve: summary(self.resolve),
        }
    }
}

fn monday(at: Timestamp) -> Date {
    let date = at.to_zoned(TimeZone::UTC).date();
    let back = i64::from(date.weekday().to_monday_zero_offset());
    date.checked_sub(back.days()).unwrap_or(date)
}

/// To the nearest second.
fn whole_seconds(took: SignedDuration) -> u32 {
    let seconds = took.round(jiff::Unit::Second).map_or(took.as_secs(), |rounded| rounded.as_secs());
    u32::try_from(seconds).unwrap_or(u32::MAX)
}

/// n, median and 90th percentile by nearest rank.
#[must_use]
pub fn summary(mut seconds: Vec<u32>) -> DurationSummary {
    seconds.sort_unstable();
    let rank = |percent: usize| seconds.get((seconds.len() * percent).div_ceil(100).saturating_sub(1)).map(|seconds| i64::from(*seconds));
    DurationSummary { n: seconds.len() as u64, median_s: rank(50), p90_s: rank(90) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_values_that_occurred() {
        assert_eq!(summary(vec![]), DurationSummary::default());
        assert_eq!(summary(vec![7]), DurationSummary { n: 1, median_s: Some(7), p90_s: Some(7) });
        assert_eq!(summary((1..=10).rev().collect()), DurationSummary { n: 10, median_s: Some(5), p90_s: Some(9) });
        assert_eq!(summary(vec![1, 2, 3]), DurationSummary { n: 3, median_s: Some(2), p90_s: Some(3) });
    }

    #[test]
    fn weeks_begin_on_monday_and_empty_ones_are_there() {
        let from = "2026-11-04T12:00:00Z".parse().unwrap();
        let to = "2026-11-21T12:00:00Z".parse().unwrap();
        let view = Trends::default().view(from, to);
        let mondays: Vec<String> = view.weeks.iter().map(|week| week.monday.to_string()).collect();
        assert_eq!(mondays, ["2026-11-02", "2026-11-09", "2026-11-16"]);
    }

    #[test]
    fn every_duration_has_one_definition_and_none_is_less_than_nothing() {
        let at = |seconds: i64| Some(Timestamp::from_second(1_800_000_000 + seconds).unwrap());
        let all = Instants {
            impact_started_at: at(0),
            detected_at: at(60),
            declared_at: at(90),
            acknowledged_at: at(150),
            mitigated_at: at(600),
            resolved_at: at(1_200),
        };
        let seconds = |i: &Instants| Duration::ALL.map(|duration| duration.of(i).map(|took| took.as_secs()));
        assert_eq!(seconds(&all), [60, 30, 60, 600, 1_200].map(Some));
        let hurried = Instants { impact_started_at: None, detected_at: None, ..all.clone() };
        assert_eq!(
            seconds(&hurried),
            [None, None, Some(60), Some(510), Some(1_110)],
            "from when it was declared, where nobody knows when it began"
        );
        let backwards = Instants { acknowledged_at: at(89), mitigated_at: at(-1), ..all };
        assert_eq!(seconds(&backwards), [Some(60), Some(30), None, None, Some(1_200)]);
    }

    #[test]
    fn the_guide_says_from_when_to_when_each_is() {
        let guide = include_str!("../../../../docs/guides/coordination.md");
        for duration in Duration::ALL {
            let (from, to) = duration.span();
            assert!(guide.contains(&format!("| {from} | {to} |")), "{duration:?}");
        }
    }

    #[test]
    fn what_is_counted_one_by_one_is_counted_as_a_whole() {
        let at = |seconds: i64| Some(Timestamp::from_second(1_800_000_000 + seconds).unwrap());
        let mut trends = Trends::default();
        for n in 0..10u32 {
            let instants = Instants { declared_at: at(0), acknowledged_at: (n > 0).then(|| at(n.into())).flatten(), ..Instants::default() };
            let service = (n % 2 == 0).then(|| "checkout".to_owned());
            let clocks = vec![("sev2".to_owned(), Clock::Resolve, n < 7)];
            trends.add(&Measured { severity: Severity::Sev2, service, instants, clocks, hand_overs: (2, 1), reopened: n % 3 });
        }
        let view = trends.view(at(-10).unwrap(), at(10).unwrap());
        assert_eq!(view.incidents, 10);
        assert_eq!((view.hand_overs, view.ping_pongs, view.reopened, view.reopenings), (20, 10, 6, 9));
        let targets: Vec<_> = view.targets.iter().map(|one| (one.target.as_str(), one.clock, one.kept, one.missed)).collect();
        assert_eq!(targets, [("sev2", Clock::Resolve, 7, 3)]);
        assert_eq!(view.by_severity[0].acknowledge, DurationSummary { n: 9, median_s: Some(5), p90_s: Some(9) });
        assert_eq!(
            view.by_service.iter().map(|row| (row.name.as_str(), row.incidents)).collect::<Vec<_>>(),
            [(NO_SERVICE, 5), ("checkout", 5)]
        );
    }
}
