//! Who could take which turns of a schedule, so that what people carry evens out: proposals, which somebody accepts as overrides.
//!
//! Turn by turn, in the order of time: what nobody has, what somebody has who is away or has a public holiday, and weekends of whoever
//! carries much more than another. Each goes to whoever carries least, of the past weeks and of what is planned, who is not away and has
//! rest before and after. The same question has the same answer.
//!
//! Invariant: who is on is the resolver's answer, before and with what is proposed. Nothing is proposed to whoever cannot be paged.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Weekday;
use jiff::{SignedDuration, Timestamp};

use super::load::{Load, load};
use super::model::{NotifyUrgency, Slug};
use super::snapshot::Org;
use super::timetable::timetable;
use crate::oncall::{Because, Shift, day_begins};

/// How far ahead turns are proposed at most: eight weeks, which is as far as a schedule's preview looks.
pub const SUGGEST_WEEKS_MAX: u32 = 8;
/// What was carried in so much time before counts as well: as much as is looked ahead.
const PAST: SignedDuration = SignedDuration::from_hours(8 * 7 * 24);
/// Rest before and after a turn: eleven hours, the daily rest of the European working time directive (2003/88/EC, article 3).
pub const REST_MIN: SignedDuration = SignedDuration::from_hours(11);
/// Turns that are proposed at once: more than one a day of eight weeks is a schedule to be made anew.
pub const SUGGESTED_MAX: usize = 60;
/// What a weekend day and a holiday weigh, where a night is one: a day off is longer than a night.
const WEEKEND_WEIGHS: u32 = 2;
const HOLIDAY_WEIGHS: u32 = 3;

/// Why a turn is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// Nobody is on call.
    Open,
    /// Whoever has it is away, or has the day off: in a few words.
    Away(String),
    /// A weekend of somebody who carries more.
    Weekend,
}

/// A turn that somebody could take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggested {
    /// Who would have it.
    pub person: Slug,
    /// Who has it now.
    pub was: Option<Slug>,
    pub starts_at: Timestamp,
    pub ends_at: Timestamp,
    pub why: Why,
}

/// A turn that nobody can take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    pub was: Option<Slug>,
    pub starts_at: Timestamp,
    pub ends_at: Timestamp,
}

/// What is proposed for a schedule.
#[derive(Debug, Clone, PartialEq)]
pub struct Suggestions {
    pub from: Timestamp,
    pub to: Timestamp,
    pub suggested: Vec<Suggested>,
    /// Turns that need somebody, and nobody can without being away or without rest.
    pub left: Vec<Left>,
    /// What each carries of the time, as it stands and with all that is proposed.
    pub before: Vec<Load>,
    pub after: Vec<Load>,
    /// Whether there is more than is proposed at once.
    pub cut: bool,
}

struct Unit {
    was: Option<Slug>,
    starts_at: Timestamp,
    ends_at: Timestamp,
    why: Why,
}

/// What could even out a schedule over some weeks from an instant on; nothing where there is none that can be read.
#[must_use]
pub fn suggest(org: &Org, id: &str, from: Timestamp, weeks: u32) -> Option<Suggestions> {
    let (schedule, form) = (org.schedule(id)?, org.schedule_form(id)?);
    let ahead = SignedDuration::from_hours(i64::from(weeks.clamp(1, SUGGEST_WEEKS_MAX)) * 7 * 24);
    let table = timetable(org, id, from, from.checked_add(ahead).unwrap_or(Timestamp::MAX))?;
    let past = schedule.shifts(org.overrides(id), from.checked_sub(PAST).unwrap_or(Timestamp::MIN), from);
    let people: BTreeSet<&Slug> = form.layers.iter().flat_map(|layer| &layer.people).collect();
    let people: Vec<&Slug> = people.into_iter().filter(|person| !org.reach(person, NotifyUrgency::High).is_empty()).collect();
    let mut units = units(org, id, &table.on_call, &table);
    let cut = table.cut || units.len() > SUGGESTED_MAX;
    units.truncate(SUGGESTED_MAX);
    let mut plan = table.on_call.clone();
    let (mut suggested, mut left) = (Vec::new(), Vec::new());
    for unit in units {
        let carried = points(org, past.iter().chain(&plan));
        let of = |person: &str| carried.get(person).copied().unwrap_or_default();
        let turns: Vec<&Shift> = past.iter().chain(&plan).collect();
        let free = people.iter().filter(|person| unit.was.as_ref() != Some(**person) && is_free(org, person, &unit, &turns));
        let least = free.min_by_key(|person| (of(person), (**person).clone()));
        match least {
            Some(person) if unit.why != Why::Weekend || evens_out(org, &unit, person, &of) => {
                take(&mut plan, &unit, person);
                let Unit { was, starts_at, ends_at, why } = unit;
                suggested.push(Suggested { person: (*person).clone(), was, starts_at, ends_at, why });
            }
            Some(_) => {}
            None if unit.why == Why::Weekend => {}
            None => left.push(Left { was: unit.was, starts_at: unit.starts_at, ends_at: unit.ends_at }),
        }
    }
    let (before, after) = (load(org, &table.on_call), load(org, &plan));
    Some(Suggestions { from: table.from, to: table.to, suggested, left, before, after, cut })
}

/// The turns that are looked at, by when they begin; none of them overlap.
fn units(org: &Org, id: &str, on_call: &[Shift], table: &super::timetable::Timetable) -> Vec<Unit> {
    let zone = org.schedule(id).map_or(jiff::tz::TimeZone::UTC, |schedule| schedule.zone().clone());
    let mut needs: Vec<Unit> = Vec::new();
    let mut by_day = |was: Option<&Slug>, from: Timestamp, to: Timestamp, why: &Why| {
        let (mut from, mut day) = (from, zone.to_datetime(from).date());
        while from < to {
            let Ok(next) = day.tomorrow() else { break };
            let until = day_begins(&zone, next).min(to);
            needs.push(Unit { was: was.cloned(), starts_at: from, ends_at: until, why: why.clone() });
            (from, day) = (until, next);
        }
    };
    for gap in table.gaps.iter().filter(|gap| !gap.by_override && gap.starts_at < table.to) {
        by_day(None, gap.starts_at, gap.ends_at.min(table.to), &Why::Open);
    }
    for away in table.away.iter().filter(|away| away.needs_cover) {
        for shift in on_call.iter().filter(|shift| shift.person == away.person) {
            let (from, to) = (shift.starts_at.max(away.starts_at), shift.ends_at.min(away.ends_at));
            by_day(Some(&away.person), from, to, &Why::Away(away.says()));
        }
    }
    needs.sort_by_key(|unit| (unit.starts_at, unit.ends_at));
    // Whoever is away on a holiday is told once.
    let mut out: Vec<Unit> = Vec::new();
    for unit in needs {
        if out.last().is_none_or(|last| last.ends_at <= unit.starts_at) {
            out.push(unit);
        }
    }
    let mut day = zone.to_datetime(table.from).date();
    let mut weekends = Vec::new();
    while let Ok(next) = day.tomorrow() {
        let begins = day_begins(&zone, day);
        if begins >= table.to {
            break;
        }
        if day.weekday() == Weekday::Saturday
            && let Ok(monday) = next.tomorrow()
        {
            let ends = day_begins(&zone, monday);
            let whole = on_call.iter().find(|shift| shift.starts_at <= begins && ends <= shift.ends_at);
            let is_free = out.iter().all(|unit| unit.ends_at <= begins || ends <= unit.starts_at);
            if let Some(shift) = whole.filter(|_| is_free && begins >= table.from) {
                weekends.push(Unit { was: Some(shift.person.clone()), starts_at: begins, ends_at: ends, why: Why::Weekend });
            }
        }
        day = next;
    }
    out.extend(weekends);
    out.sort_by_key(|unit| (unit.starts_at, unit.ends_at));
    out
}

/// What each carries, as one number.
fn points<'a>(org: &Org, shifts: impl Iterator<Item = &'a Shift>) -> BTreeMap<Slug, u32> {
    let shifts: Vec<Shift> = shifts.cloned().collect();
    load(org, &shifts).into_iter().map(|one| (one.person.clone(), weight(&one))).collect()
}

const fn weight(load: &Load) -> u32 {
    load.nights + WEEKEND_WEIGHS * load.weekend_days + HOLIDAY_WEIGHS * load.holidays
}

/// Whether somebody is neither away nor on holiday, and has rest before and after.
fn is_free(org: &Org, person: &str, unit: &Unit, turns: &[&Shift]) -> bool {
    let overlaps = |from: Timestamp, to: Timestamp| from < unit.ends_at && unit.starts_at < to;
    let away = org.bundle().absences.iter().any(|absence| absence.person == person && overlaps(absence.starts_at, absence.ends_at));
    let holiday = super::away::days_off(org, person, unit.starts_at, unit.ends_at).iter().any(|(_, from, to)| overlaps(*from, *to));
    let rested = |shift: &Shift| {
        let before = shift.ends_at.checked_add(REST_MIN).unwrap_or(Timestamp::MAX) <= unit.starts_at;
        let after = unit.ends_at.checked_add(REST_MIN).unwrap_or(Timestamp::MAX) <= shift.starts_at;
        before || after
    };
    !away && !holiday && turns.iter().filter(|shift| shift.person == person).all(|shift| rested(shift))
}

/// Whether both carry more alike where one takes it from the other.
fn evens_out(org: &Org, unit: &Unit, person: &str, of: &dyn Fn(&str) -> u32) -> bool {
    let Some(was) = &unit.was else { return true };
    let as_of = |person: &str| {
        let shift = Shift { person: person.to_owned(), starts_at: unit.starts_at, ends_at: unit.ends_at, because: proposed() };
        load(org, std::slice::from_ref(&shift)).iter().map(weight).sum::<u32>()
    };
    of(person) + as_of(person) <= of(was).saturating_sub(as_of(was))
}

/// The plan with a turn taken.
fn take(plan: &mut Vec<Shift>, unit: &Unit, person: &str) {
    let mut out = Vec::with_capacity(plan.len() + 2);
    let mut because = None;
    for shift in plan.drain(..) {
        let theirs = unit.was.as_ref() == Some(&shift.person) && shift.starts_at < unit.ends_at && unit.starts_at < shift.ends_at;
        if !theirs {
            out.push(shift);
            continue;
        }
        because = Some(shift.because.clone());
        if shift.starts_at < unit.starts_at {
            out.push(Shift { ends_at: unit.starts_at, ..shift.clone() });
        }
        if unit.ends_at < shift.ends_at {
            out.push(Shift { starts_at: unit.ends_at, ..shift });
        }
    }
    let because = because.unwrap_or_else(proposed);
    out.push(Shift { person: person.to_owned(), starts_at: unit.starts_at, ends_at: unit.ends_at, because });
    out.sort_by(|a, b| (a.starts_at, &a.person).cmp(&(b.starts_at, &b.person)));
    *plan = out;
}

/// The rule of a turn that is only proposed.
fn proposed() -> Because {
    Because::Override { id: String::new() }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::channel::sample::WAYS;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn org(layers: Value, more: Value) -> Org {
        let person = |id: &str| json!({"id": id, "name": id, "time_zone": "Europe/Madrid", "public_holidays": ["es"], "contacts": [{"id": "mail", "email": "a@x.example"}]});
        let mut bundle = json!({
            "people": [person("ana"), person("ben"), person("cho"), {"id": "dan", "name": "Dan"}],
            "public_holidays": [{"id": "es", "days": ["2026-04-03"]}],
            "schedules": [{"id": "s", "time_zone": "Europe/Madrid", "layers": layers}],
        });
        for (key, value) in more.as_object().unwrap() {
            bundle[key] = value.clone();
        }
        Org::build(1, serde_json::from_value(bundle).unwrap(), WAYS)
    }

    fn weekly(people: &[&str]) -> Value {
        json!([{"people": people, "every": "1w", "handoff": "Mon 09:00", "starts": "2026-01-05"}])
    }

    #[test]
    fn whoever_is_away_is_covered_by_whoever_carries_least_and_rests() {
        let away =
            json!({"absences": [{"id": "a", "person": "ana", "starts_at": "2026-03-31T22:00:00Z", "ends_at": "2026-04-01T22:00:00Z"}]});
        let org = org(weekly(&["ana", "ben", "cho"]), away);
        let from = at("2026-03-30T07:00:00Z");
        let holder = org.schedule("s").unwrap().on_call_at(&[], at("2026-04-01T10:00:00Z")).person.unwrap();
        let found = suggest(&org, "s", from, 1).unwrap();
        if holder == "ana" {
            let day = found.suggested.iter().find(|one| one.starts_at == at("2026-03-31T22:00:00Z")).unwrap();
            assert_eq!((day.was.as_deref(), &day.why), (Some("ana"), &Why::Away("is away".into())));
            assert_ne!(day.person, "ana");
        }
        assert_eq!(found, suggest(&org, "s", from, 1).unwrap(), "the same question has the same answer");
        // Good Friday is everybody's holiday here: nobody can take it from another.
        assert!(found.left.iter().any(|left| left.starts_at == at("2026-04-02T22:00:00Z")), "{found:?}");
        assert!(found.suggested.iter().all(|one| one.person != "dan"), "who cannot be paged takes nothing");
    }

    #[test]
    fn what_nobody_has_goes_round_and_nobody_is_without_rest() {
        let days = json!([{"people": ["ana", "ben", "cho"], "every": "1d", "handoff": "09:00", "starts": "2026-01-05",
            "only": [{"days": ["Mon", "Tue", "Wed", "Thu", "Fri"], "from": "00:00", "to": "00:00"}]}]);
        let org = org(days, json!({}));
        let Some(found) = suggest(&org, "s", at("2026-05-04T07:00:00Z"), 8) else { panic!("the schedule reads") };
        assert!(!found.suggested.is_empty() && found.suggested.iter().all(|one| one.why == Why::Open), "{found:?}");
        let mut plan = org.schedule("s").unwrap().shifts(&[], found.from, found.to);
        for one in &found.suggested {
            for shift in plan.iter().filter(|shift| shift.person == one.person) {
                let apart = shift.ends_at.checked_add(REST_MIN).unwrap() <= one.starts_at
                    || one.ends_at.checked_add(REST_MIN).unwrap() <= shift.starts_at;
                assert!(apart, "{one:?} beside {shift:?}");
            }
            plan.push(Shift { person: one.person.clone(), starts_at: one.starts_at, ends_at: one.ends_at, because: proposed() });
        }
        let days: Vec<u32> = found.after.iter().map(|one| one.weekend_days).collect();
        let (most, least) = (days.iter().max().unwrap(), days.iter().min().unwrap());
        assert!(most - least <= 4, "weekends even out: {days:?}");
    }

    #[test]
    fn weekends_move_only_where_both_carry_more_alike_and_a_clock_that_changes_is_no_matter() {
        let even = org(weekly(&["ana", "ben"]), json!({}));
        let found = suggest(&even, "s", at("2026-10-12T07:00:00Z"), 4).unwrap();
        assert!(found.suggested.iter().all(|one| one.why != Why::Weekend), "two who take turns carry alike: {found:?}");
        // Ana has every week, and the others are in a layer that never comes to it.
        let all = json!([
            {"people": ["ben", "cho"], "every": "1w", "handoff": "Mon 09:00", "starts": "2030-01-07"},
            {"people": ["ana"], "every": "1w", "handoff": "Mon 09:00", "starts": "2026-01-05"}]);
        let one = org(all, json!({}));
        let found = suggest(&one, "s", at("2026-10-12T07:00:00Z"), 4).unwrap();
        let weekends: Vec<&Suggested> = found.suggested.iter().filter(|one| one.why == Why::Weekend).collect();
        assert!(weekends.len() >= 3, "{found:?}");
        // The weekend on which clocks go back has 49 hours.
        assert!(
            weekends.iter().any(|one| one.starts_at == at("2026-10-23T22:00:00Z") && one.ends_at == at("2026-10-25T23:00:00Z")),
            "{weekends:?}"
        );
        assert!(suggest(&one, "gone", at("2026-10-12T07:00:00Z"), 4).is_none());
    }
}
