//! Measuring: counts and durations over many incidents, each with the population it speaks of.
//!
//! Invariants: a duration is taken only where both its instants are known, and `n` says of how many;
//! medians and percentiles are of the values themselves (nearest rank), never of averages.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use crate::incident::{Incident, Severity};
use crate::view::{DurationSummary, TrendRow, TrendView, TrendWeek};

/// What a service is called that nobody named.
const NO_SERVICE: &str = "(no service)";

/// The trends of incidents that were declared from `from` until `to`.
#[must_use]
pub fn trends(incidents: &[Incident], from: Timestamp, to: Timestamp) -> TrendView {
    let mut weeks: BTreeMap<Date, [u64; 5]> = BTreeMap::new();
    let mut week = monday(from);
    while week <= monday(to) {
        weeks.insert(week, [0; 5]);
        match week.checked_add(7.days()) {
            Ok(next) => week = next,
            Err(_) => break,
        }
    }
    for incident in incidents {
        if let Some(at) = incident.declared_at {
            weeks.entry(monday(at)).or_default()[usize::from(incident.severity.rank() - 1)] += 1;
        }
    }
    let by_severity = Severity::ALL
        .into_iter()
        .map(|severity| row(severity.word(), incidents.iter().filter(|i| i.severity == severity)))
        .filter(|row| row.incidents > 0)
        .collect();
    let mut services: BTreeMap<&str, Vec<&Incident>> = BTreeMap::new();
    for incident in incidents {
        services.entry(incident.service.as_deref().unwrap_or(NO_SERVICE)).or_default().push(incident);
    }
    let mut by_service: Vec<TrendRow> = services.into_iter().map(|(name, of_it)| row(name, of_it.into_iter())).collect();
    by_service.sort_by(|a, b| b.incidents.cmp(&a.incidents).then_with(|| a.name.cmp(&b.name)));
    TrendView {
        from,
        to,
        incidents: incidents.len() as u64,
        weeks: weeks.into_iter().map(|(monday, counts)| TrendWeek { monday, counts }).collect(),
        by_severity,
        by_service,
    }
}

fn monday(at: Timestamp) -> Date {
    let date = at.to_zoned(TimeZone::UTC).date();
    let back = i64::from(date.weekday().to_monday_zero_offset());
    date.checked_sub(back.days()).unwrap_or(date)
}

fn row<'a>(name: &str, incidents: impl Iterator<Item = &'a Incident> + Clone) -> TrendRow {
    let between = |start: fn(&Incident) -> Option<Timestamp>, end: fn(&Incident) -> Option<Timestamp>| {
        summary(incidents.clone().filter_map(|i| Some(whole_seconds(end(i)?.duration_since(start(i)?)))).collect())
    };
    TrendRow {
        name: name.to_owned(),
        incidents: incidents.clone().count() as u64,
        acknowledge: between(|i| i.declared_at, |i| i.acknowledged_at),
        mitigate: between(|i| i.impact_started_at.or(i.declared_at), |i| i.mitigated_at),
        resolve: between(|i| i.declared_at, |i| i.resolved_at),
    }
}

/// To the nearest second.
fn whole_seconds(took: jiff::SignedDuration) -> i64 {
    took.round(jiff::Unit::Second).map_or(took.as_secs(), |rounded| rounded.as_secs())
}

/// n, median and 90th percentile by nearest rank.
#[must_use]
pub fn summary(mut seconds: Vec<i64>) -> DurationSummary {
    seconds.sort_unstable();
    let rank = |percent: usize| seconds.get((seconds.len() * percent).div_ceil(100).saturating_sub(1)).copied();
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
        let view = trends(&[], from, to);
        let mondays: Vec<String> = view.weeks.iter().map(|week| week.monday.to_string()).collect();
        assert_eq!(mondays, ["2026-11-02", "2026-11-09", "2026-11-16"]);
    }
}
