//! Who asked to be told before their shifts, and when that is due.
//!
//! Invariants:
//! - A shift begins where somebody comes on call in a schedule who was not on it: that another rule goes on with the same person begins
//!   none, and neither does a turn that follows one's own within [`RESUMED_WITHIN`].
//! - Of a shift each lead time is due once, at one instant; who is on is the resolver's answer at that time.

use jiff::{SignedDuration, Timestamp};

use super::model::Slug;
use super::snapshot::Org;
use crate::oncall::NEXT_AHEAD;
use crate::time::{Length, in_words};

/// A turn that follows one's own after no longer than this is the same shift to whoever has it: somebody took the pager for a
/// moment.
pub const RESUMED_WITHIN: SignedDuration = SignedDuration::from_mins(30);
/// How far ahead of the longest lead time shifts are looked for; where none begins, it is looked again after that.
const LOOK_AHEAD: SignedDuration = SignedDuration::from_hours(7 * 24);

/// A notice that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    pub person: Slug,
    pub schedule: Slug,
    pub starts_at: Timestamp,
    /// When the shift ends; nothing where that is far off.
    pub ends_at: Option<Timestamp>,
    /// The lead time that it is due by.
    pub lead: Length,
    /// When it is due.
    pub at: Timestamp,
}

/// Whether anybody asks to be told.
#[must_use]
pub fn anybody_asks(org: &Org) -> bool {
    !org.bundle().schedules.is_empty() && org.everybody().any(|person| !person.shift_notices.is_empty())
}

/// What is due after an instant and until another, by when it is due: of shifts that have not begun by then, and of each the shortest
/// lead time alone.
#[must_use]
pub fn due_between(org: &Org, after: Timestamp, until: Timestamp) -> Vec<Due> {
    let mut out: Vec<Due> = Vec::new();
    for due in all(org, after, until).into_iter().filter(|due| after < due.at && due.at <= until && until < due.starts_at) {
        let same = |one: &&mut Due| one.person == due.person && one.schedule == due.schedule && one.starts_at == due.starts_at;
        match out.iter_mut().find(same) {
            Some(known) if known.lead > due.lead => *known = due,
            Some(_) => {}
            None => out.push(due),
        }
    }
    for due in &mut out {
        let far = due.starts_at.checked_add(NEXT_AHEAD).unwrap_or(Timestamp::MAX);
        let schedule = org.schedule(&due.schedule);
        due.ends_at = schedule.and_then(|schedule| schedule.on_until(org.overrides(&due.schedule), &due.person, due.starts_at, far));
    }
    out.sort_by(|a, b| (a.at, &a.person, &a.schedule).cmp(&(b.at, &b.person, &b.schedule)));
    out
}

/// When something is due next, or it is to be looked again; nothing where nobody asks.
#[must_use]
pub fn next_after(org: &Org, after: Timestamp) -> Option<Timestamp> {
    if !anybody_asks(org) {
        return None;
    }
    let again = after.checked_add(LOOK_AHEAD).unwrap_or(Timestamp::MAX);
    all(org, after, again).into_iter().map(|due| due.at).filter(|at| *at > after).chain([again]).min()
}

/// Every notice of shifts that begin after an instant and until the longest lead time after another.
fn all(org: &Org, after: Timestamp, until: Timestamp) -> Vec<Due> {
    let mut out = Vec::new();
    let asking: Vec<_> = org.everybody().filter(|person| !person.shift_notices.is_empty()).collect();
    let longest = asking.iter().flat_map(|person| &person.shift_notices).max().copied().unwrap_or_default().as_duration();
    // A shift that begins at that very instant is among them.
    let latest = until.checked_add(longest + SignedDuration::from_secs(1)).unwrap_or(Timestamp::MAX);
    for form in org.bundle().schedules.iter().filter(|_| !asking.is_empty()) {
        let overrides = org.overrides(&form.id);
        let Some(schedule) = org.schedule(&form.id) else { continue };
        let from = after.checked_sub(RESUMED_WITHIN + RESUMED_WITHIN).unwrap_or(after);
        let shifts = schedule.shifts(overrides, from, latest);
        for person in &asking {
            // When each begins that follows none of their own.
            let mut begins: Vec<Timestamp> = Vec::new();
            let mut until: Option<Timestamp> = None;
            for shift in shifts.iter().filter(|shift| shift.person == person.id) {
                if until.is_none_or(|until| shift.starts_at.duration_since(until) > RESUMED_WITHIN) {
                    begins.push(shift.starts_at);
                }
                until = until.max(Some(shift.ends_at));
            }
            // What runs when the look begins began before.
            for starts_at in begins.into_iter().filter(|starts_at| *starts_at > from && *starts_at > after) {
                out.extend(person.shift_notices.iter().filter_map(|lead| {
                    let at = starts_at.checked_sub(lead.as_duration()).ok()?;
                    Some(Due { person: person.id.clone(), schedule: form.id.clone(), starts_at, ends_at: None, lead: *lead, at })
                }));
            }
        }
    }
    out
}

impl Due {
    /// What the person is told, in their own time zone.
    #[must_use]
    pub fn says(&self, org: &Org, now: Timestamp) -> String {
        let name = org.schedule_form(&self.schedule).and_then(|form| form.name.as_deref()).unwrap_or(&self.schedule);
        let zone = org.zone_of(&self.person);
        let shown = |at: Timestamp| at.to_zoned(zone.clone()).strftime("%a %-d %b %H:%M").to_string();
        let until = self.ends_at.map_or_else(String::new, |at| format!(" – {}", shown(at)));
        let left = in_words(self.starts_at.duration_since(now), false);
        format!("Your shift in {name} begins in {left}: {}{until} ({}).", shown(self.starts_at), zone.iana_name().unwrap_or("UTC"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::channel::WaysOut;
    use crate::org::model::Bundle;
    use crate::org::model::leads_fault;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn bundle() -> Bundle {
        serde_json::from_value(json!({
            "people": [
                {"id": "ana", "name": "Ana", "time_zone": "Europe/Madrid", "shift_notices": ["1d", "1h"]},
                {"id": "ben", "name": "Ben"}],
            "schedules": [{"id": "s", "name": "Rota", "time_zone": "Etc/UTC", "layers": [
                {"people": ["ana", "ben"], "every": "1w", "handoff": "Mon 09:00", "starts": "2026-01-05"},
                {"people": ["ana"], "every": "1d", "handoff": "09:00", "starts": "2026-01-05", "only": [{"days": ["Thu"], "from": "09:00", "to": "17:00"}]}]}],
        }))
        .unwrap()
    }

    fn told(bundle: &Bundle, after: &str, until: &str) -> Vec<String> {
        let org = Org::build(1, bundle.clone(), WaysOut::NONE);
        due_between(&org, at(after), at(until)).iter().map(|due| format!("{} {} {}", due.person, due.at, due.lead)).collect()
    }

    #[test]
    fn whoever_asks_is_told_once_before_each_shift_that_begins() {
        let plain = bundle();
        // Her weeks begin on the 5th and the 19th of January; on Thursdays of his week she has the day.
        assert_eq!(told(&plain, "2026-01-17T00:00:00Z", "2026-01-18T08:59:59Z"), [""; 0]);
        assert_eq!(told(&plain, "2026-01-18T08:00:00Z", "2026-01-18T09:00:00Z"), ["ana 2026-01-18T09:00:00Z 1d"]);
        assert_eq!(told(&plain, "2026-01-19T07:00:00Z", "2026-01-19T08:30:00Z"), ["ana 2026-01-19T08:00:00Z 1h"]);
        // A look that comes late tells the shortest alone, and of what has begun nothing.
        assert_eq!(told(&plain, "2026-01-18T00:00:00Z", "2026-01-19T08:30:00Z"), ["ana 2026-01-19T08:00:00Z 1h"]);
        assert_eq!(told(&plain, "2026-01-18T00:00:00Z", "2026-01-19T09:00:00Z"), [""; 0]);
        // Within her own week the other layer begins no shift; in his it does.
        assert_eq!(told(&plain, "2026-01-21T00:00:00Z", "2026-01-22T08:30:00Z"), [""; 0]);
        assert_eq!(told(&plain, "2026-01-28T08:30:00Z", "2026-01-28T09:30:00Z"), ["ana 2026-01-28T09:00:00Z 1d"]);
        let org = Org::build(1, plain, WaysOut::NONE);
        assert_eq!(next_after(&org, at("2026-01-17T00:00:00Z")), Some(at("2026-01-18T09:00:00Z")));
        assert_eq!(next_after(&org, at("2026-01-18T09:00:00Z")), Some(at("2026-01-19T08:00:00Z")));
        let due = due_between(&org, at("2026-01-19T07:00:00Z"), at("2026-01-19T08:00:00Z")).remove(0);
        let says = due.says(&org, at("2026-01-19T08:00:00Z"));
        assert!(says.starts_with("Your shift in Rota begins in 1 h"), "{says}");
        assert!(says.ends_with(": Mon 19 Jan 10:00 – Mon 26 Jan 10:00 (Europe/Madrid)."), "{says}");
    }

    #[test]
    fn what_is_taken_for_a_moment_begins_no_shift_anew() {
        let mut with = bundle();
        // Ben takes twenty minutes of her week, then two hours of it.
        with.overrides = serde_json::from_value(json!([
            {"id": "a", "schedule": "s", "person": "ben", "starts_at": "2026-01-20T10:00:00Z", "ends_at": "2026-01-20T10:20:00Z"},
            {"id": "b", "schedule": "s", "person": "ben", "starts_at": "2026-01-21T10:00:00Z", "ends_at": "2026-01-21T12:00:00Z"}]))
        .unwrap();
        assert_eq!(told(&with, "2026-01-20T09:00:00Z", "2026-01-20T09:30:00Z"), [""; 0]);
        assert_eq!(told(&with, "2026-01-21T10:30:00Z", "2026-01-21T11:10:00Z"), ["ana 2026-01-21T11:00:00Z 1h"]);
        // Nobody who asks, nothing to look for.
        with.people[0].shift_notices.clear();
        let org = Org::build(1, with, WaysOut::NONE);
        assert_eq!((next_after(&org, at("2026-01-17T00:00:00Z")), anybody_asks(&org)), (None, false));
        let lengths = |all: &[&str]| all.iter().map(|one| one.parse().unwrap()).collect::<Vec<Length>>();
        assert_eq!(leads_fault(&lengths(&["1d", "1h"])), None);
        for bad in [&["1m"][..], &["32d"], &["1h", "2h", "3h", "4h", "5h"]] {
            assert!(leads_fault(&lengths(bad)).is_some(), "{bad:?}");
        }
    }
}
