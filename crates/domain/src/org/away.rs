//! Turns on call of people who are away, or have a public holiday off: what needs cover.
//!
//! Invariant: who is on is the resolver's answer. A turn that somebody else has taken needs no cover, whoever is away.

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};

use super::model::{Schedule, Slug};
use super::snapshot::Org;
use crate::oncall::{CompiledSchedule, Shift, day_begins};

/// How far ahead turns are looked for: half a year, as far as people plan their holidays.
pub const AWAY_AHEAD: SignedDuration = SignedDuration::from_hours(26 * 7 * 24);

/// Why a turn needs cover.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// An absence, by its place in the organisation.
    Absence(usize),
    /// A public holiday, by its name; empty, where it has none.
    Holiday(String),
}

/// A turn of somebody who is away or has the day off, as far as they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uncovered {
    pub cause: Cause,
    pub person: Slug,
    pub schedule: Slug,
    pub starts_at: Timestamp,
    pub ends_at: Timestamp,
}

impl Uncovered {
    /// Why, in a few words after `and`: `is away`, `has Christmas Day off`.
    #[must_use]
    pub fn why(&self) -> String {
        match &self.cause {
            Cause::Absence(_) => "is away".to_owned(),
            Cause::Holiday(name) if name.is_empty() => "has a public holiday".to_owned(),
            Cause::Holiday(name) => format!("has {name} off"),
        }
    }
}

/// What needs cover from an instant on, by when it begins; of one person alone, where one is named.
#[must_use]
pub fn uncovered(org: &Org, now: Timestamp, person: Option<&str>) -> Vec<Uncovered> {
    let latest = now.checked_add(AWAY_AHEAD).unwrap_or(Timestamp::MAX);
    let mut out = Vec::new();
    for (at, absence) in org.bundle().absences.iter().enumerate().filter(|(_, one)| person.is_none_or(|id| id == one.person)) {
        let (from, to) = (absence.starts_at.max(now), absence.ends_at.min(latest));
        if from >= to {
            continue;
        }
        for form in &org.bundle().schedules {
            let overrides = org.overrides(&form.id);
            let by_override = overrides.iter().any(|change| change.person == absence.person);
            let Some(schedule) = org.schedule(&form.id).filter(|schedule| by_override || schedule.names(&absence.person)) else { continue };
            let mut mine: Vec<Uncovered> = Vec::new();
            for shift in schedule.shifts(overrides, from, to).into_iter().filter(|shift| shift.person == absence.person) {
                joined(&mut mine, form, shift, Cause::Absence(at));
            }
            out.append(&mut mine);
        }
    }
    out.sort_by(|a, b| (a.starts_at, &a.schedule, &a.person).cmp(&(b.starts_at, &b.schedule, &b.person)));
    // Of two absences that overlap a turn is told once.
    out.dedup_by(|b, a| (a.starts_at, a.ends_at, &a.schedule, &a.person) == (b.starts_at, b.ends_at, &b.schedule, &b.person));
    let of_holidays = on_holidays(org, now, latest, person);
    // Whoever is away all the holiday is away.
    let is_told = |one: &Uncovered| {
        let by = |other: &Uncovered| other.starts_at <= one.starts_at && one.ends_at <= other.ends_at;
        out.iter().any(|other| other.person == one.person && other.schedule == one.schedule && by(other))
    };
    let more: Vec<Uncovered> = of_holidays.into_iter().filter(|one| !is_told(one)).collect();
    out.extend(more);
    out.sort_by(|a, b| (a.starts_at, &a.schedule, &a.person).cmp(&(b.starts_at, &b.schedule, &b.person)));
    out
}

/// Neighbouring turns by different rules are one to whoever looks for cover.
fn joined(mine: &mut Vec<Uncovered>, form: &Schedule, shift: Shift, cause: Cause) {
    match mine.last_mut().filter(|last| last.ends_at == shift.starts_at && last.person == shift.person && last.cause == cause) {
        Some(last) => last.ends_at = shift.ends_at,
        None => mine.push(Uncovered {
            cause,
            person: shift.person,
            schedule: form.id.clone(),
            starts_at: shift.starts_at,
            ends_at: shift.ends_at,
        }),
    }
}

/// Turns on days that their people have off, each day by itself.
fn on_holidays(org: &Org, now: Timestamp, latest: Timestamp, person: Option<&str>) -> Vec<Uncovered> {
    let have: HashSet<&str> =
        org.everybody().map(|form| form.id.as_str()).filter(|id| person.is_none_or(|one| one == *id) && org.names_holidays(id)).collect();
    let mut out = Vec::new();
    for form in org.bundle().schedules.iter().filter(|_| !have.is_empty()) {
        let overrides = org.overrides(&form.id);
        let by_override = overrides.iter().any(|change| have.contains(change.person.as_str()));
        let named = |schedule: &&CompiledSchedule| by_override || have.iter().any(|id| schedule.names(id));
        let Some(schedule) = org.schedule(&form.id).filter(named) else { continue };
        let mut mine = Vec::new();
        for shift in schedule.shifts(overrides, now, latest).into_iter().filter(|shift| have.contains(shift.person.as_str())) {
            for (name, starts_at, ends_at) in days_off(org, &shift.person, shift.starts_at, shift.ends_at) {
                joined(&mut mine, form, Shift { starts_at, ends_at, ..shift.clone() }, Cause::Holiday(name));
            }
        }
        out.append(&mut mine);
    }
    out
}

/// What of a time somebody has off by public holidays, a day by itself, in their own time zone, with its name.
#[must_use]
pub fn days_off(org: &Org, person: &str, from: Timestamp, to: Timestamp) -> Vec<(String, Timestamp, Timestamp)> {
    let mut out = Vec::new();
    if !org.names_holidays(person) {
        return out;
    }
    let zone = org.zone_of(person);
    let mut day = zone.to_datetime(from).date();
    while let Ok(next) = day.tomorrow() {
        let begins = day_begins(&zone, day);
        if begins >= to {
            break;
        }
        if let Some(name) = org.holiday_of(person, day) {
            let (starts_at, ends_at) = (begins.max(from), day_begins(&zone, next).min(to));
            if starts_at < ends_at {
                out.push((name.to_owned(), starts_at, ends_at));
            }
        }
        day = next;
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::channel::WaysOut;
    use crate::org::model::{Bundle, Effect, Override};

    #[test]
    fn turns_of_whoever_is_away_need_cover_until_somebody_has_them() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let mut bundle: Bundle = serde_json::from_value(json!({
            "people": [{"id": "ana", "name": "A"}, {"id": "ben", "name": "B"}],
            "schedules": [{"id": "s", "time_zone": "Etc/UTC", "layers": [{"people": ["ana", "ben"], "every": "1d", "handoff": "00:00", "starts": "2026-06-01"}]}],
            "absences": [
                {"id": "x", "person": "ana", "starts_at": "2026-06-03T12:00:00Z", "ends_at": "2026-06-06T00:00:00Z"},
                {"id": "y", "person": "ana", "starts_at": "2026-06-05T00:00:00Z", "ends_at": "2026-06-06T00:00:00Z"},
                {"id": "z", "person": "ben", "starts_at": "2026-05-01T00:00:00Z", "ends_at": "2026-05-30T00:00:00Z"}],
        }))
        .unwrap();
        let told = |bundle: &Bundle, now: &str| {
            let org = Org::build(1, bundle.clone(), WaysOut::NONE);
            let found = uncovered(&org, at(now), None);
            found.iter().map(|one| format!("{} {} {}", one.person, one.starts_at, one.ends_at)).collect::<Vec<_>>()
        };
        let both = ["ana 2026-06-03T12:00:00Z 2026-06-04T00:00:00Z", "ana 2026-06-05T00:00:00Z 2026-06-06T00:00:00Z"];
        assert_eq!(told(&bundle, "2026-06-01T00:00:00Z"), both, "of two absences one turn is told once");
        assert_eq!(told(&bundle, "2026-06-04T00:00:00Z"), both[1..]);
        bundle.overrides = vec![Override {
            id: "o".into(),
            schedule: "s".into(),
            effect: Effect::Replaces,
            person: "ben".into(),
            starts_at: at("2026-06-05T00:00:00Z"),
            ends_at: at("2026-06-06T00:00:00Z"),
            made: 1,
            made_by: None,
        }];
        assert_eq!(told(&bundle, "2026-06-01T00:00:00Z"), both[..1]);
    }

    #[test]
    fn turns_on_a_public_holiday_of_their_person_need_cover_as_well() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let mut bundle: Bundle = serde_json::from_value(json!({
            "people": [
                {"id": "ana", "name": "A", "time_zone": "Europe/Madrid", "public_holidays": ["es"]},
                {"id": "ben", "name": "B", "public_holidays": ["gone"]}],
            "public_holidays": [{"id": "es", "days": [{"date": "2026-12-25", "name": "Navidad"}, "2026-12-26"]}],
            "schedules": [{"id": "s", "time_zone": "Etc/UTC", "layers": [{"people": ["ana", "ben"], "every": "1d", "handoff": "12:00", "starts": "2026-12-23"}]}],
        }))
        .unwrap();
        let told = |bundle: &Bundle| {
            let org = Org::build(1, bundle.clone(), WaysOut::NONE);
            let found = uncovered(&org, at("2026-12-20T00:00:00Z"), None);
            found.iter().map(|one| format!("{} {} {} {}", one.person, one.why(), one.starts_at, one.ends_at)).collect::<Vec<_>>()
        };
        // Her turn from the 25th at noon until the 26th at noon; her day begins at midnight in Madrid.
        assert_eq!(
            told(&bundle),
            [
                "ana has Navidad off 2026-12-25T12:00:00Z 2026-12-25T23:00:00Z",
                "ana has a public holiday 2026-12-25T23:00:00Z 2026-12-26T12:00:00Z"
            ]
        );
        // Whoever is away all that time is away, and told once.
        bundle.absences = serde_json::from_value(json!([
            {"id": "x", "person": "ana", "starts_at": "2026-12-25T12:00:00Z", "ends_at": "2026-12-25T23:00:00Z"}]))
        .unwrap();
        let both = told(&bundle);
        assert!(both.len() == 2 && both[0].starts_with("ana is away") && both[1].contains("public holiday"), "{both:?}");
        bundle.people[0].public_holidays.clear();
        assert_eq!(told(&bundle).len(), 1);
    }
}
