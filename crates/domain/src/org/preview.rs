//! What a schedule would be with a change that is not saved, beside what stands: eight weeks of both, and where they differ.
//!
//! Invariants: both sides are the resolver's answers, under the overrides that hold; what was before now is not told, since no change
//! of a schedule changes who was on call.

use jiff::{SignedDuration, Timestamp, ToSpan};

use super::forms::schedule::Schedule;
use super::problem::Problem;
use super::snapshot::Org;
use crate::oncall::{Difference, Gap, Shift, Side, day_begins, differences};

/// Weeks that are shown: two turns of most rotas, and as far as *My shifts* looks.
pub const PREVIEW_WEEKS: i64 = 8;
/// Most shifts of either side: a turn of an hour in all eight weeks.
const SHIFTS_MAX: usize = 1_400;

/// A schedule as it would be, beside what stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Preview {
    /// The begin of today, in the schedule's zone.
    pub from: Timestamp,
    /// Until when both are told: eight weeks later, or earlier where there is more than is told.
    pub to: Timestamp,
    /// Who would be on call.
    pub on_call: Vec<Shift>,
    /// Where nobody would be, from now on.
    pub gaps: Vec<Gap>,
    /// Who is on call as it stands; nobody, where there is no such schedule yet.
    pub stands: Vec<Shift>,
    /// Where nobody is as it stands, from now on.
    pub stands_gaps: Vec<Gap>,
    /// Where other people would be on, from now on.
    pub changes: Vec<Difference>,
}

impl Preview {
    /// Whether there was more than is told.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.to.duration_since(self.from) < SignedDuration::from_hours((PREVIEW_WEEKS * 7 - 1) * 24)
    }

    /// Whether nobody is on at the begin of a gap as it stands either.
    #[must_use]
    pub fn is_so_already(&self, gap: &Gap) -> bool {
        self.stands_gaps.iter().any(|one| one.starts_at <= gap.starts_at && gap.ends_at <= one.ends_at)
    }
}

/// What a schedule would be from an instant on.
///
/// # Errors
/// Why it cannot be read, at places counted from the schedule.
pub fn preview(org: &Org, form: &Schedule, now: Timestamp) -> Result<Preview, Vec<Problem>> {
    let will = org.compiled_as(form)?;
    let stands = org.schedule(&form.id);
    let overrides = org.overrides(&form.id);
    let today = will.zone().to_datetime(now).date();
    let from = day_begins(will.zone(), today);
    let mut to = day_begins(will.zone(), today.saturating_add((PREVIEW_WEEKS * 7).days()));
    let mut all = [Some(&will), stands].map(|side| side.map_or_else(Vec::new, |side| side.shifts(overrides, from, to)));
    for shifts in &all {
        to = shifts.get(SHIFTS_MAX).map_or(to, |first_too_many| to.min(first_too_many.starts_at));
    }
    let found = differences(stands.map(|schedule| Side { schedule, overrides }), Some(Side { schedule: &will, overrides }), now, to);
    to = to.min(found.until).max(from);
    for shifts in &mut all {
        shifts.retain(|shift| shift.starts_at < to);
        for shift in shifts {
            shift.ends_at = shift.ends_at.min(to);
        }
    }
    let [on_call, before] = all;
    Ok(Preview {
        from,
        to,
        on_call,
        gaps: will.gaps(overrides, now, to),
        stands: before,
        stands_gaps: stands.map_or_else(Vec::new, |stands| stands.gaps(overrides, now, to)),
        changes: found.list,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::channel::WaysOut;

    #[test]
    fn eight_weeks_are_told_with_what_is_new() {
        let layer = |people: &[&str]| json!({"people": people, "every": "1w", "handoff": "Mon 09:00", "starts": "2026-01-05"});
        let schedule = |layers: serde_json::Value| json!({"id": "s", "time_zone": "Europe/Madrid", "layers": layers});
        let bundle =
            json!({"people": [{"id": "ana", "name": "A"}, {"id": "ben", "name": "B"}], "schedules": [schedule(json!([layer(&["ana"])]))]});
        let org = Org::build(1, serde_json::from_value(bundle).unwrap(), WaysOut::NONE);
        // A Wednesday; the clocks go forward within the eight weeks.
        let now: Timestamp = "2026-02-25T12:00:00Z".parse().unwrap();
        let told = |layers: serde_json::Value, id: &str| {
            let mut form: Schedule = serde_json::from_value(schedule(layers)).unwrap();
            form.id = id.into();
            preview(&org, &form, now).unwrap()
        };
        let same = told(json!([layer(&["ana"])]), "s");
        assert_eq!((same.changes.len(), same.gaps.len(), same.is_cut()), (0, 0, false));
        assert_eq!((same.from.to_string(), same.to.to_string()), ("2026-02-24T23:00:00Z".into(), "2026-04-21T22:00:00Z".into()));
        // Ben has every second week, the running one among them or not: nothing before now is told.
        let two = told(json!([layer(&["ana", "ben"])]), "s");
        assert!(two.changes.iter().all(|one| one.was == ["ana"] && one.will_be == ["ben"] && one.starts_at >= now));
        assert_eq!(two.changes.len(), 5, "{:?}", two.changes);
        // Office hours alone leave gaps that were not there.
        let mut office = layer(&["ana"]);
        office["only"] = json!([{"days": ["Mon", "Tue", "Wed", "Thu", "Fri"], "from": "09:00", "to": "17:00"}]);
        let gaps = told(json!([office]), "s");
        assert!(gaps.gaps.len() >= 40 && !gaps.is_so_already(&gaps.gaps[0]), "{}", gaps.gaps.len());
        // A schedule that is new puts everybody on.
        let new = told(json!([layer(&["ana"])]), "new");
        assert_eq!((new.stands.len(), new.changes.len(), new.changes[0].was.len()), (0, 1, 0));
        // Turns of an hour are cut, and it is said.
        let hourly = json!([{"people": ["ana", "ben"], "every": "1h", "handoff": "00:00", "starts": "2026-01-05"}]);
        assert!(told(hourly, "s").is_cut());
        assert!(preview(&org, &serde_json::from_value(schedule(json!([]))).unwrap(), now).is_err());
    }
}
