//! For a time other layers stand in the place of a schedule's: which, when, and who has their turns.
//!
//! Invariants: of several that hold at once, which a check refuses, the one that starts last counts; where none of its layers is on,
//! nobody is, whatever the schedule's own layers say.

use jiff::{Span, Timestamp};

use super::civil;
use super::lanes::Turn;
use super::layer::CompiledLayer;
use super::shifts::EDGES_MAX;
use super::{Because, CompiledSchedule};
use crate::org::forms::calendar::Calendars;
use crate::org::model::{Layer, Schedule, Slug, TemporarySchedule};
use crate::org::problem::{Place, Problem};

/// Layers that stand in the place of others for a time, read.
#[derive(Debug, Clone)]
pub(super) struct Temporary {
    id: Slug,
    name: Option<String>,
    starts_at: Timestamp,
    ends_at: Timestamp,
    layers: Vec<CompiledLayer>,
}

/// A temporary schedule over a range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemporaryLane {
    pub id: Slug,
    pub name: Option<String>,
    /// Its own times, whole.
    pub starts_at: Timestamp,
    pub ends_at: Timestamp,
    /// Who has its turns in the range, cut to it; the topmost of its layers counts.
    pub turns: Vec<Turn>,
}

impl Temporary {
    fn holds_at(&self, at: Timestamp) -> bool {
        self.starts_at <= at && at < self.ends_at
    }
}

impl CompiledSchedule {
    /// Takes a temporary schedule in; one of another schedule, or of no time, changes nothing.
    ///
    /// # Errors
    /// Everything that is wrong with its layers, at places counted from it.
    pub fn take(&mut self, form: &TemporarySchedule, calendars: &Calendars) -> Result<(), Vec<Problem>> {
        if form.schedule != self.id || form.ends_at <= form.starts_at {
            return Ok(());
        }
        let mut problems = Vec::new();
        let mut layers = Vec::with_capacity(form.layers.len());
        for (index, layer) in form.layers.iter().enumerate() {
            match CompiledLayer::compile(layer, &self.zone, calendars) {
                Ok(layer) => layers.push(layer),
                Err(found) => {
                    let place = Place::root().key("layers").index(index);
                    problems.extend(found.into_iter().map(|problem| problem.below(&place)));
                }
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let (starts_at, ends_at) = (form.starts_at, form.ends_at);
        self.temporary.push(Temporary { id: form.id.clone(), name: form.name.clone(), starts_at, ends_at, layers });
        self.temporary.sort_by(|a, b| (a.starts_at, &a.id).cmp(&(b.starts_at, &b.id)));
        Ok(())
    }

    /// The same without any.
    pub(super) fn without_temporary(&self) -> Self {
        Self { temporary: Vec::new(), ..self.clone() }
    }

    /// The one that holds at an instant.
    fn temporary_at(&self, at: Timestamp) -> Option<&Temporary> {
        self.temporary.iter().rev().find(|one| one.holds_at(at))
    }

    /// Who has the turn by the layers alone: those of the schedule, or those that stand in their place.
    pub(super) fn by_layers(&self, at: Timestamp) -> (Vec<Slug>, Because) {
        let instead = self.temporary_at(at);
        if instead.is_none() {
            for (index, feed) in self.feeds.iter().enumerate().rev() {
                let people = feed.people_at(at);
                if !people.is_empty() {
                    return (people, Because::Feed { index, name: feed.name.clone() });
                }
            }
        }
        let layers = instead.map_or(&self.layers, |one| &one.layers);
        for (index, layer) in layers.iter().enumerate().rev() {
            if let Some(person) = layer.person_at(&self.zone, at) {
                let because = match instead {
                    None => Because::Layer { index, name: layer.name.clone() },
                    Some(one) => Because::Temporary { id: one.id.clone(), name: one.name.clone(), index },
                };
                return (vec![person.clone()], because);
            }
        }
        (Vec::new(), Because::Nobody)
    }

    /// When the answer of the layers may change next, where those below `lowest` do not count.
    pub(super) fn next_edge_of_layers(&self, lowest: usize, at: Timestamp) -> Option<Timestamp> {
        let instead = self.temporary_at(at);
        let layers = instead.map_or(&self.layers, |one| &one.layers);
        let feeds = if instead.is_none() { self.feeds.get(lowest.saturating_sub(self.layers.len())..).unwrap_or_default() } else { &[] };
        let of_feeds = feeds.iter().filter_map(|feed| feed.next_edge(at));
        let of_layers = layers.get(lowest..).unwrap_or_default().iter().filter_map(|layer| layer.next_edge(&self.zone, at));
        let of_temporary = self.temporary.iter().flat_map(|one| [one.starts_at, one.ends_at]);
        of_layers.chain(of_feeds).chain(of_temporary).filter(|edge| *edge > at).min()
    }

    /// Every temporary schedule that holds between two instants; of each at most so many turns.
    #[must_use]
    pub fn temporary_lanes(&self, from: Timestamp, to: Timestamp, turns_max: usize) -> Vec<TemporaryLane> {
        let touching = self.temporary.iter().filter(|one| one.starts_at < to && from < one.ends_at);
        touching.map(|one| self.temporary_lane(one, from.max(one.starts_at), to.min(one.ends_at), turns_max)).collect()
    }

    fn temporary_lane(&self, one: &Temporary, from: Timestamp, to: Timestamp, turns_max: usize) -> TemporaryLane {
        let mut turns: Vec<Turn> = Vec::new();
        let mut at = from;
        for _ in 0..EDGES_MAX {
            if at >= to {
                break;
            }
            let edges = one.layers.iter().filter_map(|layer| layer.next_edge(&self.zone, at));
            let next = edges.filter(|edge| *edge > at).min().map_or(to, |edge| edge.min(to));
            if let Some(person) = one.layers.iter().rev().find_map(|layer| layer.person_at(&self.zone, at)) {
                let is_full = turns.len() >= turns_max;
                match turns.last_mut().filter(|last| last.ends_at == at && last.person == *person) {
                    Some(last) => last.ends_at = next,
                    None if is_full => break,
                    None => turns.push(Turn { person: person.clone(), starts_at: at, ends_at: next }),
                }
            }
            at = next;
        }
        TemporaryLane { id: one.id.clone(), name: one.name.clone(), starts_at: one.starts_at, ends_at: one.ends_at, turns }
    }

    /// Whether somebody ever has a turn by a layer, of the schedule or of what stands in its place.
    #[must_use]
    pub fn names(&self, person: &str) -> bool {
        let temporary = self.temporary.iter().flat_map(|one| &one.layers);
        self.layers.iter().chain(temporary).any(|layer| layer.people().iter().any(|id| id == person))
            || self.feeds.iter().any(|feed| feed.people().contains(person))
    }
}

/// Days back in which a hand-off is looked for that is over: a month, and a few days for one that a zone skipped.
const HANDOFF_BACK_DAYS: i64 = 35;

/// A layer whose first person has the turn at an instant: it starts with the last hand-off until then, and of turns of hours the people
/// are turned round. One that cannot be read stays as it is.
#[must_use]
pub fn begun_at(layer: &Layer, time_zone: &str, at: Timestamp, calendars: &Calendars) -> Layer {
    let person = |layer: &Layer| {
        let form = Schedule {
            id: Slug::new(),
            name: None,
            team: None,
            time_zone: time_zone.to_owned(),
            layers: vec![layer.clone()],
            external_calendars: Vec::new(),
        };
        CompiledSchedule::compile(&form, calendars).ok().map(|schedule| schedule.on_call_at(&[], at).person)
    };
    let Ok(zone) = civil::zone(time_zone) else { return layer.clone() };
    let today = zone.to_datetime(at).date();
    let begun = (0..=HANDOFF_BACK_DAYS).find_map(|back| {
        let begun = Layer { starts: today.checked_sub(Span::new().days(back)).ok()?, ..layer.clone() };
        person(&begun)?.map(|_| begun)
    });
    let Some(mut begun) = begun else { return layer.clone() };
    for _ in 0..begun.people.len() {
        if person(&begun).flatten().as_ref() == layer.people.first() {
            break;
        }
        begun.people.rotate_left(1);
    }
    begun
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::oncall::Gap;
    use crate::org::model::{Effect, Override};

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn schedule() -> CompiledSchedule {
        let form: Schedule = serde_json::from_value(json!({
            "id": "s", "time_zone": "Europe/Madrid",
            "layers": [{"people": ["ana"], "every": "1w", "handoff": "Mon 09:00", "starts": "2026-01-05"}],
        }))
        .unwrap();
        CompiledSchedule::compile(&form, &Calendars::new()).unwrap()
    }

    fn temporary(id: &str, from: &str, to: &str, layers: serde_json::Value) -> TemporarySchedule {
        serde_json::from_value(json!({"id": id, "schedule": "s", "name": "Christmas", "starts_at": from, "ends_at": to, "layers": layers}))
            .unwrap()
    }

    #[test]
    fn for_a_time_its_layers_stand_in_the_place_of_all_others() {
        let mut with = schedule();
        let days = json!([{"people": ["ben", "cho"], "every": "1d", "handoff": "00:00", "starts": "2026-12-24", "only": [{"from": "08:00", "to": "20:00"}]}]);
        let form = temporary("t", "2026-12-24T09:00:00Z", "2026-12-26T12:00:00Z", days);
        with.take(&form, &Calendars::new()).unwrap();
        let told = |schedule: &CompiledSchedule, overrides: &[Override]| {
            let (from, to) = (at("2026-12-24T00:00:00Z"), at("2026-12-27T00:00:00Z"));
            let shifts = schedule.shifts(overrides, from, to);
            shifts.iter().map(|one| format!("{} {} {} {}", one.person, one.starts_at, one.ends_at, one.because)).collect::<Vec<_>>()
        };
        assert_eq!(
            told(&with, &[]),
            [
                "ana 2026-12-24T00:00:00Z 2026-12-24T09:00:00Z layer 1",
                "ben 2026-12-24T09:00:00Z 2026-12-24T19:00:00Z temporary schedule \"Christmas\"",
                "cho 2026-12-25T07:00:00Z 2026-12-25T19:00:00Z temporary schedule \"Christmas\"",
                "ben 2026-12-26T07:00:00Z 2026-12-26T12:00:00Z temporary schedule \"Christmas\"",
                "ana 2026-12-26T12:00:00Z 2026-12-27T00:00:00Z layer 1",
            ]
        );
        // At night nobody is on, though the schedule's own layer would have somebody.
        let gaps = with.gaps(&[], at("2026-12-24T00:00:00Z"), at("2026-12-27T00:00:00Z"));
        let night = Gap { starts_at: at("2026-12-24T19:00:00Z"), ends_at: at("2026-12-25T07:00:00Z"), by_override: false };
        assert_eq!((gaps.len(), gaps[0]), (2, night));
        // An override holds over it, also over its ends.
        let over = Override {
            id: "o".into(),
            schedule: "s".into(),
            effect: Effect::Replaces,
            person: "dan".into(),
            starts_at: at("2026-12-24T08:00:00Z"),
            ends_at: at("2026-12-24T10:00:00Z"),
            made: 1,
            made_by: None,
        };
        assert_eq!(told(&with, std::slice::from_ref(&over))[1], "dan 2026-12-24T08:00:00Z 2026-12-24T10:00:00Z override o");
        // Each instant by itself says the same as the range.
        for hour in 0..72 {
            let instant = at("2026-12-24T00:30:00Z").checked_add(jiff::SignedDuration::from_hours(hour)).unwrap();
            let there = with.shifts(&[], instant, instant.checked_add(jiff::SignedDuration::from_secs(1)).unwrap());
            assert_eq!(there.first().map(|one| one.person.clone()), with.on_call_at(&[], instant).person, "{instant}");
        }
        // Taken back it leaves no trace.
        assert_eq!(told(&with.without_temporary(), &[]), told(&schedule(), &[]));
        let lanes = with.temporary_lanes(at("2026-12-25T00:00:00Z"), at("2026-12-26T00:00:00Z"), 10);
        assert_eq!((lanes.len(), lanes[0].turns.len(), lanes[0].turns[0].person.as_str()), (1, 1, "cho"));
        assert!(with.names("cho") && with.names("ana") && !with.names("dan"));
        assert_eq!(with.never_on(at("2026-12-01T00:00:00Z")), [""; 0]);
    }

    #[test]
    fn what_is_wrong_with_one_is_told_and_another_schedule_s_is_passed_over() {
        let mut with = schedule();
        let wrong = json!([{"people": [], "every": "1d", "handoff": "soon", "starts": "2026-12-24"}]);
        let found = with.take(&temporary("t", "2026-12-24T00:00:00Z", "2026-12-25T00:00:00Z", wrong), &Calendars::new()).unwrap_err();
        assert!(found.iter().all(|problem| problem.place.to_string().starts_with("layers[0]")), "{found:?}");
        let day = json!([{"people": ["ben"], "every": "1d", "handoff": "00:00", "starts": "2026-12-01"}]);
        let mut other = temporary("t", "2026-12-24T00:00:00Z", "2026-12-25T00:00:00Z", day.clone());
        other.schedule = "another".into();
        with.take(&other, &Calendars::new()).unwrap();
        assert!(!with.names("ben"));
        // Of two that hold at once the one that starts last counts.
        with.take(&temporary("b", "2026-12-24T00:00:00Z", "2026-12-26T00:00:00Z", day), &Calendars::new()).unwrap();
        let later = json!([{"people": ["cho"], "every": "1d", "handoff": "00:00", "starts": "2026-12-01"}]);
        with.take(&temporary("a", "2026-12-25T00:00:00Z", "2026-12-25T12:00:00Z", later), &Calendars::new()).unwrap();
        let on = |when: &str| with.on_call_at(&[], at(when)).person.unwrap();
        assert_eq!(
            (on("2026-12-24T12:00:00Z").as_str(), on("2026-12-25T01:00:00Z").as_str(), on("2026-12-25T13:00:00Z").as_str()),
            ("ben", "cho", "ben")
        );
    }

    #[test]
    fn whoever_stands_first_has_the_first_turn() {
        let told = |every: &str, handoff: &str, from: &str| {
            let layer = json!({"people": ["ana", "ben", "cho"], "every": every, "handoff": handoff, "starts": "2020-01-01"});
            let layer: Layer = serde_json::from_value(layer).unwrap();
            let layer = begun_at(&layer, "Europe/Madrid", at(from), &Calendars::new());
            let form = Schedule {
                id: "s".into(),
                name: None,
                team: None,
                time_zone: "Europe/Madrid".into(),
                layers: vec![layer],
                external_calendars: Vec::new(),
            };
            let schedule = CompiledSchedule::compile(&form, &Calendars::new()).unwrap();
            let changes = schedule.changes(&[], at(from), at("2027-12-31T00:00:00Z"));
            (changes.now.person.unwrap(), changes.until.unwrap().to_string())
        };
        let ana = |until: &str| ("ana".to_owned(), until.to_owned());
        // A Thursday at 10:00 and at 08:00 in Madrid.
        assert_eq!(told("1d", "09:00", "2026-12-24T09:00:00Z"), ana("2026-12-25T08:00:00Z"));
        assert_eq!(told("1d", "09:00", "2026-12-24T07:00:00Z"), ana("2026-12-24T08:00:00Z"));
        assert_eq!(told("12h", "09:00", "2026-12-24T21:00:00Z"), ana("2026-12-25T08:00:00Z"));
        assert_eq!(told("1w", "Mon 09:00", "2026-12-24T09:00:00Z"), ana("2026-12-28T08:00:00Z"));
        assert_eq!(told("1mo", "15 09:00", "2027-01-03T09:00:00Z"), ana("2027-01-15T08:00:00Z"));
        assert_eq!(told("1wd", "09:00", "2026-12-26T09:00:00Z"), ana("2026-12-28T08:00:00Z"));
    }
}
