//! What a change of the organisation does to who is on call at this moment: a person taken out of a
//! rotation, another hand-off, another zone. Turns are counted from a rotation's beginning, so that one
//! name less may move everybody's.

use jiff::Timestamp;
use serde::Serialize;

use super::model::{Bundle, Slug};
use super::snapshot::Org;

/// Somebody else is on call in a schedule as soon as a change is made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Handover {
    /// In which.
    pub schedule: Slug,
    /// Who is on call now, the first where there are several; nobody, where absent.
    pub was: Option<Slug>,
    /// Who will be.
    pub will_be: Option<Slug>,
}

/// Where `after` has somebody else on call at an instant than `before`, in schedules that both have.
#[must_use]
pub fn handovers(before: &Org, after: Bundle, at: Timestamp) -> Vec<Handover> {
    let after = Org::build(0, after, before.channels());
    // Overrides stay as they are, so that a change moves whoever has the turn, and they stand first.
    let on_call = |org: &Org, id: &str| Some(org.schedule(id)?.on_call_at(org.overrides(id), at).person);
    let schedules = &before.bundle().schedules;
    schedules
        .iter()
        .filter_map(|form| {
            let (was, will_be) = (on_call(before, &form.id)?, on_call(&after, &form.id)?);
            (was != will_be).then(|| Handover { schedule: form.id.clone(), was, will_be })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn bundle(people: &[&str], starts: &str) -> Bundle {
        serde_json::from_value(json!({
            "people": [{"id": "a", "name": "A"}, {"id": "b", "name": "B"}, {"id": "c", "name": "C"}],
            "schedules": [
                {"id": "s", "time_zone": "UTC", "layers": [{"people": people, "every": "1d", "handoff": "00:00", "starts": starts}]},
                {"id": "t", "time_zone": "UTC", "layers": [{"people": ["a"], "every": "1d", "handoff": "00:00", "starts": "2026-01-01"}]}],
        }))
        .unwrap()
    }

    #[test]
    fn a_person_less_in_a_rotation_may_change_who_is_on_call_now() {
        let before = Org::build(1, bundle(&["a", "b", "c"], "2026-01-01"), crate::channel::WaysOut::NONE);
        // The third of January: c.
        let at = "2026-01-03T12:00:00Z".parse().unwrap();
        let told = |after: Bundle| {
            let found = handovers(&before, after, at);
            found.iter().map(|h| format!("{} {:?} {:?}", h.schedule, h.was.as_deref(), h.will_be.as_deref())).collect::<Vec<_>>()
        };
        assert_eq!(told(bundle(&["a", "b", "c"], "2026-01-01")), [""; 0]);
        assert_eq!(told(bundle(&["b", "c"], "2026-01-01")), ["s Some(\"c\") Some(\"b\")"]);
        assert_eq!(told(bundle(&["a", "b", "c"], "2026-02-01")), ["s Some(\"c\") None"]);
        // A schedule that is gone has no one to hand over to.
        assert_eq!(told(Bundle::default()), [""; 0]);
    }
}
