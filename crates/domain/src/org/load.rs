//! What each carries of a schedule over a range: how long they are on call, over how many nights, days of weekends and public holidays.
//!
//! Nights and days are those of each person's own clock; one counts where they are on call for an hour of it or more. It counts turns, and
//! not whether anybody was called.

use std::collections::BTreeMap;

use jiff::civil::{Date, Time, Weekday};
use jiff::{SignedDuration, Timestamp};

use super::model::Slug;
use super::snapshot::Org;
use crate::oncall::civil::instant_of;
use crate::oncall::{Shift, day_begins};

/// A night is from ten in the evening until six in the morning.
pub const NIGHT_FROM: Time = Time::constant(22, 0, 0, 0);
/// Its end, on the next day.
pub const NIGHT_TO: Time = Time::constant(6, 0, 0, 0);
/// On call for less of it, a night or a day is nobody's burden.
const COUNTS_FROM: SignedDuration = SignedDuration::from_hours(1);

/// What somebody carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Load {
    pub person: Slug,
    /// How long they are on call.
    pub time: SignedDuration,
    pub nights: u32,
    pub weekend_days: u32,
    /// Public holidays that they have off.
    pub holidays: u32,
}

/// What each carries, who carries most first.
#[must_use]
pub fn load(org: &Org, on_call: &[Shift]) -> Vec<Load> {
    let mut by_person: BTreeMap<&Slug, Vec<(Timestamp, Timestamp)>> = BTreeMap::new();
    for shift in on_call {
        by_person.entry(&shift.person).or_default().push((shift.starts_at, shift.ends_at));
    }
    let mut out: Vec<Load> = by_person.into_iter().map(|(person, times)| of_person(org, person, &times)).collect();
    out.sort_by(|a, b| (b.time, &a.person).cmp(&(a.time, &b.person)));
    out
}

fn of_person(org: &Org, person: &str, times: &[(Timestamp, Timestamp)]) -> Load {
    let zone = org.zone_of(person);
    let mut time = SignedDuration::ZERO;
    let (mut nights, mut days): (BTreeMap<Date, SignedDuration>, BTreeMap<Date, SignedDuration>) = (BTreeMap::new(), BTreeMap::new());
    let add = |to: &mut BTreeMap<Date, SignedDuration>, day: Date, from: Timestamp, until: Timestamp| {
        if from < until {
            *to.entry(day).or_default() += until.duration_since(from);
        }
    };
    for (from, to) in times {
        time += to.duration_since(*from);
        // The night of the day before may last into it.
        let mut day = zone.to_datetime(*from).date().yesterday().unwrap_or(Date::MIN);
        while let Ok(next) = day.tomorrow() {
            let begins = day_begins(&zone, day);
            if begins >= *to {
                break;
            }
            let night = (instant_of(&zone, day.to_datetime(NIGHT_FROM)), instant_of(&zone, next.to_datetime(NIGHT_TO)));
            add(&mut nights, day, night.0.max(*from), night.1.min(*to));
            add(&mut days, day, begins.max(*from), day_begins(&zone, next).min(*to));
            day = next;
        }
    }
    let count = |found: usize| u32::try_from(found).unwrap_or(u32::MAX);
    let counting = |all: &BTreeMap<Date, SignedDuration>, is: &dyn Fn(Date) -> bool| {
        count(all.iter().filter(|(day, on)| **on >= COUNTS_FROM && is(**day)).count())
    };
    Load {
        person: person.to_owned(),
        time,
        nights: counting(&nights, &|_| true),
        weekend_days: counting(&days, &|day| matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)),
        holidays: counting(&days, &|day| org.holiday_of(person, day).is_some()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::channel::WaysOut;

    #[test]
    fn nights_weekends_and_holidays_are_counted_on_each_person_s_clock() {
        let bundle = json!({
            "people": [
                {"id": "ana", "name": "A", "time_zone": "Europe/Madrid", "public_holidays": ["es"]},
                {"id": "ben", "name": "B", "time_zone": "America/New_York"}],
            "public_holidays": [{"id": "es", "days": ["2026-12-25"]}],
            "schedules": [{"id": "s", "time_zone": "Europe/Madrid", "layers": [
                {"people": ["ana", "ben"], "every": "12h", "handoff": "09:00", "starts": "2026-12-21"}]}],
        });
        let org = Org::build(1, serde_json::from_value(bundle).unwrap(), WaysOut::NONE);
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        // A week from Monday morning: Ana has the days of Madrid, Ben its nights, which are his afternoons and evenings.
        let shifts = org.schedule("s").unwrap().shifts(&[], at("2026-12-21T08:00:00Z"), at("2026-12-28T08:00:00Z"));
        let found = load(&org, &shifts);
        let hours = |hours: i64| SignedDuration::from_hours(hours);
        let of = |person: &str| found.iter().find(|one| one.person == person).unwrap().clone();
        assert_eq!(of("ana"), Load { person: "ana".into(), time: hours(84), nights: 0, weekend_days: 2, holidays: 1 });
        // From 15:00 to 03:00 of New York: five hours of each night, and of Saturday and Sunday; Monday's three hours are none.
        let ben = of("ben");
        assert_eq!((ben.time, ben.nights, ben.weekend_days, ben.holidays), (hours(84), 7, 2, 0));
        assert!(load(&org, &[]).is_empty());
    }
}
