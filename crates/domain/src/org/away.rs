//! Turns on call of people who are away: what needs cover.
//!
//! Invariant: who is on is the resolver's answer. A turn that somebody else has taken needs no cover, whoever is away.

use jiff::{SignedDuration, Timestamp};

use super::model::Slug;
use super::snapshot::Org;

/// How far ahead turns are looked for: half a year, as far as people plan their holidays.
pub const AWAY_AHEAD: SignedDuration = SignedDuration::from_hours(26 * 7 * 24);

/// A turn of somebody who is away, as far as they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uncovered {
    /// The absence, by its place in the organisation.
    pub absence: usize,
    pub person: Slug,
    pub schedule: Slug,
    pub starts_at: Timestamp,
    pub ends_at: Timestamp,
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
            let named = form.layers.iter().any(|layer| layer.people.contains(&absence.person))
                || overrides.iter().any(|change| change.person == absence.person);
            let Some(schedule) = org.schedule(&form.id).filter(|_| named) else { continue };
            let mut mine: Vec<Uncovered> = Vec::new();
            for shift in schedule.shifts(overrides, from, to).into_iter().filter(|shift| shift.person == absence.person) {
                // Neighbouring turns by different rules are one to whoever looks for cover.
                match mine.last_mut().filter(|last| last.ends_at == shift.starts_at) {
                    Some(last) => last.ends_at = shift.ends_at,
                    None => mine.push(Uncovered {
                        absence: at,
                        person: shift.person,
                        schedule: form.id.clone(),
                        starts_at: shift.starts_at,
                        ends_at: shift.ends_at,
                    }),
                }
            }
            out.append(&mut mine);
        }
    }
    out.sort_by(|a, b| (a.starts_at, &a.schedule, &a.person).cmp(&(b.starts_at, &b.schedule, &b.person)));
    // Of two absences that overlap a turn is told once.
    out.dedup_by(|b, a| (a.starts_at, a.ends_at, &a.schedule, &a.person) == (b.starts_at, b.ends_at, &b.schedule, &b.person));
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
}
