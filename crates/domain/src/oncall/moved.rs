//! Whose turns a change of overrides moves: who is on call where they were not, and who is not any more.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::CompiledSchedule;
use crate::org::model::{Override, Slug};

/// From, inclusive, and to, exclusive.
pub type Span = (Timestamp, Timestamp);

/// What a change does to one person.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Moved {
    /// When they are on call and were not before, in order.
    pub gained: Vec<Span>,
    /// When they were and are not any more, in order.
    pub lost: Vec<Span>,
}

impl CompiledSchedule {
    /// Whom it concerns that one list of overrides takes the place of another, within a range. That another rule has the same person
    /// on concerns nobody.
    #[must_use]
    pub fn moved(&self, old: &[Override], new: &[Override], from: Timestamp, to: Timestamp) -> BTreeMap<Slug, Moved> {
        let (was, is) = (self.spans(old, from, to), self.spans(new, from, to));
        let people: BTreeSet<&Slug> = was.keys().chain(is.keys()).collect();
        let of = |spans: &BTreeMap<Slug, Vec<Span>>, person: &Slug| spans.get(person).cloned().unwrap_or_default();
        let mut out = BTreeMap::new();
        for person in people {
            let (before, after) = (of(&was, person), of(&is, person));
            let moved = Moved { gained: without(&after, &before), lost: without(&before, &after) };
            if moved != Moved::default() {
                out.insert(person.clone(), moved);
            }
        }
        out
    }

    /// When each is on call, whatever the rule; in order, and never one after another without a pause.
    fn spans(&self, overrides: &[Override], from: Timestamp, to: Timestamp) -> BTreeMap<Slug, Vec<Span>> {
        let mut out: BTreeMap<Slug, Vec<Span>> = BTreeMap::new();
        for shift in self.shifts(overrides, from, to) {
            let spans = out.entry(shift.person).or_default();
            match spans.last_mut() {
                Some((_, end)) if *end >= shift.starts_at => *end = shift.ends_at.max(*end),
                _ => spans.push((shift.starts_at, shift.ends_at)),
            }
        }
        out
    }
}

/// What is left of some spans without others; both in order.
fn without(all: &[Span], but: &[Span]) -> Vec<Span> {
    let mut out = Vec::new();
    for &(start, end) in all {
        let mut from = start;
        for &(but_start, but_end) in but.iter().filter(|(a, b)| *b > start && *a < end) {
            if but_start > from {
                out.push((from, but_start));
            }
            from = from.max(but_end);
        }
        if from < end {
            out.push((from, end));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::org::forms::calendar::Calendars;

    fn at(text: &str) -> Timestamp {
        format!("2026-01-{text}:00Z").parse().unwrap()
    }

    fn span(from: &str, to: &str) -> Span {
        (at(from), at(to))
    }

    #[test]
    fn who_takes_a_turn_and_whose_it_was_are_concerned_and_nobody_else() {
        let schedule = serde_json::from_value(json!({"id": "s", "time_zone": "Etc/UTC",
            "layers": [{"people": ["ana", "ben", "cho"], "every": "1w", "handoff": "Mon 00:00", "starts": "2026-01-05"}]}))
        .unwrap();
        let schedule = CompiledSchedule::compile(&schedule, &Calendars::new()).unwrap();
        let taken = |person: &str, effect: &str| -> Override {
            serde_json::from_value(json!({"id": "o", "schedule": "s", "person": person, "effect": effect,
                "starts_at": "2026-01-10T00:00:00Z", "ends_at": "2026-01-13T00:00:00Z"}))
            .unwrap()
        };
        let moved = |old: &[Override], new: &[Override]| schedule.moved(old, new, at("10T00:00"), at("13T00:00"));
        let cho = moved(&[], &[taken("cho", "replaces")]);
        assert_eq!(cho.keys().collect::<Vec<_>>(), ["ana", "ben", "cho"]);
        assert_eq!(cho["cho"].gained, [span("10T00:00", "13T00:00")]);
        assert_eq!((&cho["ana"].lost, &cho["ben"].lost), (&vec![span("10T00:00", "12T00:00")], &vec![span("12T00:00", "13T00:00")]));
        let back = moved(&[taken("cho", "replaces")], &[]);
        assert_eq!((&back["cho"].lost, &back["ana"].gained), (&cho["cho"].gained, &cho["ana"].lost));
        let ana = moved(&[], &[taken("ana", "replaces")]);
        assert_eq!(ana["ana"].gained, [span("12T00:00", "13T00:00")], "her own turn is nothing new");
        assert_eq!(moved(&[], &[taken("cho", "adds")]).keys().collect::<Vec<_>>(), ["cho"], "besides takes nothing away");
        assert!(moved(&[taken("cho", "replaces")], &[taken("cho", "replaces")]).is_empty());
    }

    #[test]
    fn what_is_left_of_spans() {
        let day = [span("10T00:00", "11T00:00")];
        assert_eq!(
            without(&day, &[span("10T06:00", "10T07:00"), span("10T08:00", "10T09:00")]),
            [span("10T00:00", "10T06:00"), span("10T07:00", "10T08:00"), span("10T09:00", "11T00:00")]
        );
        assert_eq!(without(&day, &[span("09T00:00", "12T00:00")]), []);
        assert_eq!(without(&day, &[span("11T00:00", "12T00:00")]), day);
    }
}
