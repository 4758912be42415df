//! What a change does to who is on call over a range: the same resolver asked before and after it.
//!
//! Only people count: that another rule has the same people on, in the same order, is no difference.

use jiff::Timestamp;

use super::shifts::Walk;
use super::{CompiledSchedule, OnCall};
use crate::org::model::{Override, Slug};

/// Most differences in one answer: as many as anybody reads before they look at the picture instead, and many times that.
pub const DIFFERENCES_MAX: usize = 500;
/// Most edges walked on either side: eight weeks of turns of an hour, with three times as many of restrictions.
const COMPARED_EDGES_MAX: usize = 6_000;

/// A schedule with the overrides that hold in it.
#[derive(Debug, Clone, Copy)]
pub struct Side<'a> {
    /// As it is read.
    pub schedule: &'a CompiledSchedule,
    /// Those of other schedules may be among them.
    pub overrides: &'a [Override],
}

/// Other people are on call from `starts_at` until just before `ends_at`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// From, inclusive.
    pub starts_at: Timestamp,
    /// To, exclusive.
    pub ends_at: Timestamp,
    /// Who is on call before the change, in order; nobody, where empty.
    pub was: Vec<Slug>,
    /// Who is after it.
    pub will_be: Vec<Slug>,
}

/// What a change does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Differences {
    /// In order of time.
    pub list: Vec<Difference>,
    /// Until when it was looked; earlier than asked where there was more than is told.
    pub until: Timestamp,
}

/// How `after` differs from `before` between two instants. A side that is not there has nobody on.
#[must_use]
pub fn differences(before: Option<Side<'_>>, after: Option<Side<'_>>, from: Timestamp, to: Timestamp) -> Differences {
    let mut sides = [before, after].map(|side| Cursor::over(side, from, to));
    let mut list: Vec<Difference> = Vec::new();
    let mut at = from;
    while at < to {
        let [Some((was, was_until)), Some((will_be, will_until))] = sides.each_mut().map(|side| side.at(at, to)) else { break };
        let ends_at = was_until.min(will_until);
        if was != will_be {
            let is_full = list.len() == DIFFERENCES_MAX;
            match list.last_mut().filter(|last| last.ends_at == at && last.was == was && last.will_be == will_be) {
                Some(last) => last.ends_at = ends_at,
                None if is_full => break,
                None => list.push(Difference { starts_at: at, ends_at, was, will_be }),
            }
        }
        at = ends_at;
    }
    Differences { list, until: at.min(to).max(from) }
}

/// One side, walked from edge to edge.
struct Cursor<'a> {
    /// Nothing where there is no schedule.
    walk: Option<Walk<'a>>,
    here: Option<(OnCall, Timestamp)>,
}

impl<'a> Cursor<'a> {
    fn over(side: Option<Side<'a>>, from: Timestamp, to: Timestamp) -> Self {
        Self { walk: side.map(|side| side.schedule.walk(side.overrides, from, to, COMPARED_EDGES_MAX)), here: None }
    }

    /// Who is on at an instant, and until when that is known; nothing where it was not walked so far.
    fn at(&mut self, at: Timestamp, to: Timestamp) -> Option<(Vec<Slug>, Timestamp)> {
        let Some(walk) = &mut self.walk else { return Some((Vec::new(), to)) };
        while self.here.as_ref().is_none_or(|(_, until)| *until <= at) {
            let (on_call, _, until) = walk.next()?;
            self.here = Some((on_call, until));
        }
        self.here.as_ref().map(|(on_call, until)| (on_call.people().cloned().collect(), *until))
    }
}

impl Difference {
    /// What is so after the change, in a few words without the time: `Ben instead of Ana`, `Cho besides Ana`, `nobody instead of Ana`.
    #[must_use]
    pub fn says(&self, called: impl Fn(&str) -> String) -> String {
        let names = |people: &[Slug]| match people.iter().map(|id| called(id)).collect::<Vec<_>>().as_slice() {
            [] => "nobody".to_owned(),
            [only] => only.clone(),
            [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
        };
        match (self.was.as_slice(), self.will_be.as_slice()) {
            // Who had it goes on first, and others come to it; or some of those beside leave.
            (was @ [_, ..], will_be) if will_be.len() > was.len() && will_be.starts_with(was) => {
                format!("{} besides {}", names(&will_be[was.len()..]), names(was))
            }
            (was, will_be @ [_, ..]) if was.len() > will_be.len() && was.starts_with(will_be) => {
                format!("{} without {}", names(will_be), names(&was[will_be.len()..]))
            }
            (was, will_be) => format!("{} instead of {}", names(will_be), names(was)),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::org::forms::calendar::Calendars;
    use crate::org::model::{Effect, Schedule};

    fn schedule(people: &[&str]) -> CompiledSchedule {
        let form: Schedule = serde_json::from_value(json!({
            "id": "s", "time_zone": "Europe/Madrid",
            "layers": [{"people": people, "every": "1d", "handoff": "09:00", "starts": "2026-01-05"}],
        }))
        .unwrap();
        CompiledSchedule::compile(&form, &Calendars::new()).unwrap()
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn told(found: &Differences) -> Vec<String> {
        found.list.iter().map(|one| format!("{} {} {}", one.starts_at, one.ends_at, one.says(str::to_uppercase))).collect()
    }

    fn change(effect: Effect, person: &str) -> Override {
        Override {
            id: "o".into(),
            schedule: "s".into(),
            effect,
            person: person.into(),
            starts_at: at("2026-01-05T20:00:00Z"),
            ends_at: at("2026-01-06T20:00:00Z"),
            made: 1,
            made_by: None,
        }
    }

    #[test]
    fn a_change_is_told_by_whom_it_puts_on_and_whom_it_takes_off() {
        let (from, to) = (at("2026-01-05T08:00:00Z"), at("2026-01-08T08:00:00Z"));
        let (one, two) = (schedule(&["ana", "ben"]), schedule(&["ben", "ana"]));
        let plain = |schedule| Some(Side { schedule, overrides: &[] });
        assert_eq!(told(&differences(plain(&one), plain(&one), from, to)), [""; 0]);
        assert_eq!(
            told(&differences(plain(&one), plain(&two), from, to)),
            [
                "2026-01-05T08:00:00Z 2026-01-06T08:00:00Z BEN instead of ANA",
                "2026-01-06T08:00:00Z 2026-01-07T08:00:00Z ANA instead of BEN",
                "2026-01-07T08:00:00Z 2026-01-08T08:00:00Z BEN instead of ANA",
            ]
        );
        let with = |effect, person: &str| {
            let overrides = [change(effect, person)];
            told(&differences(plain(&one), Some(Side { schedule: &one, overrides: &overrides }), from, to))
        };
        // Only where it makes a difference: ben has the second half anyway.
        assert_eq!(with(Effect::Replaces, "ben"), ["2026-01-05T20:00:00Z 2026-01-06T08:00:00Z BEN instead of ANA"]);
        assert_eq!(
            with(Effect::Adds, "cho"),
            ["2026-01-05T20:00:00Z 2026-01-06T08:00:00Z CHO besides ANA", "2026-01-06T08:00:00Z 2026-01-06T20:00:00Z CHO besides BEN"]
        );
        assert_eq!(with(Effect::Nobody, "")[0], "2026-01-05T20:00:00Z 2026-01-06T08:00:00Z nobody instead of ANA");
        let overrides = [change(Effect::Adds, "cho")];
        let ends = told(&differences(Some(Side { schedule: &one, overrides: &overrides }), plain(&one), from, to));
        assert_eq!(ends[0], "2026-01-05T20:00:00Z 2026-01-06T08:00:00Z ANA without CHO");
        // A schedule that is new, and one that goes.
        assert_eq!(told(&differences(None, plain(&one), from, to))[0], "2026-01-05T08:00:00Z 2026-01-06T08:00:00Z ANA instead of nobody");
        assert_eq!(told(&differences(plain(&one), None, from, to)).len(), 3);
    }

    #[test]
    fn what_is_too_much_to_tell_says_how_far_it_was_told() {
        let hourly = |people: [&str; 2]| {
            let form: Schedule = serde_json::from_value(json!({
                "id": "s", "time_zone": "Etc/UTC", "layers": [{"people": people, "every": "1h", "handoff": "00:00", "starts": "2026-01-05"}],
            }))
            .unwrap();
            CompiledSchedule::compile(&form, &Calendars::new()).unwrap()
        };
        let (one, two) = (hourly(["ana", "ben"]), hourly(["ben", "ana"]));
        let (from, to) = (at("2026-02-01T00:00:00Z"), at("2027-02-01T00:00:00Z"));
        let plain = |schedule| Some(Side { schedule, overrides: &[] });
        let found = differences(plain(&one), plain(&two), from, to);
        assert_eq!(found.list.len(), DIFFERENCES_MAX);
        assert_eq!(Some(found.until), found.list.last().map(|last| last.ends_at));
        let same = differences(plain(&one), plain(&one), from, to);
        assert!(same.list.is_empty() && from < same.until && same.until < to, "a year of hours is not walked for a page: {}", same.until);
    }
}
