//! Hours over a change of the clocks, over midnight, on holidays and on none; and what an iCalendar text may say.

use serde_json::{Value, json};

use super::*;
use crate::org::check::{Against, check};
use crate::org::forms::Bundle;
use crate::org::problem::Problem;

fn form(rest: Value) -> CalendarForm {
    let mut form = json!({"id": "office", "time_zone": "Europe/Madrid"});
    form.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    serde_json::from_value(form).unwrap()
}

fn calendar(rest: Value) -> Calendar {
    Calendar::compile(&form(rest), &HolidayLists::new()).unwrap()
}

/// A civil time of Madrid.
fn at(civil: &str) -> Timestamp {
    let civil: jiff::civil::DateTime = civil.parse().unwrap();
    civil.in_tz("Europe/Madrid").unwrap().timestamp()
}

fn told(at: Option<Timestamp>) -> String {
    let zone = jiff::tz::TimeZone::get("Europe/Madrid").unwrap();
    at.map_or_else(|| "never".to_owned(), |at| zone.to_datetime(at).strftime("%Y-%m-%d %H:%M").to_string())
}

fn weekdays() -> Value {
    json!([{"days": ["Mon", "Tue", "Wed", "Thu", "Fri"], "from": "09:00", "to": "17:00"}])
}

#[test]
fn it_is_open_at_its_hours_and_counts_only_those() {
    let office = calendar(json!({"hours": weekdays(), "holidays": ["2026-12-25", {"date": "2027-01-01", "name": "New Year"}]}));
    let night = calendar(json!({"hours": [{"days": ["Fri"], "from": "22:00", "to": "06:00"}]}));
    let always = calendar(json!({"hours": [{"from": "00:00", "to": "00:00"}]}));
    // Clocks go forward on Sunday the 29th of March at 02:00, and back on the 25th of October at 03:00.
    let nightly = calendar(json!({"hours": [{"from": "22:00", "to": "06:00"}]}));
    for (calendar, from, open, opens, closes, length, after) in [
        (&office, "2026-03-02 08:59", false, "2026-03-02 09:00", "never", "1h", "2026-03-02 10:00"),
        (&office, "2026-03-02 09:00", true, "2026-03-03 09:00", "2026-03-02 17:00", "8h", "2026-03-02 17:00"),
        (&office, "2026-03-02 17:00", false, "2026-03-03 09:00", "never", "0s", "2026-03-02 17:00"),
        (&office, "2026-03-06 16:30", true, "2026-03-09 09:00", "2026-03-06 17:00", "1h", "2026-03-09 09:30"),
        (&office, "2026-03-27 16:00", true, "2026-03-30 09:00", "2026-03-27 17:00", "9h", "2026-03-30 17:00"),
        (&office, "2026-12-24 16:00", true, "2026-12-28 09:00", "2026-12-24 17:00", "2h", "2026-12-28 10:00"),
        (&office, "2026-12-31 18:00", false, "2027-01-04 09:00", "never", "1m", "2027-01-04 09:01"),
        (&night, "2026-03-07 05:00", true, "2026-03-13 22:00", "2026-03-07 06:00", "2h", "2026-03-13 23:00"),
        (&night, "2026-03-06 21:00", false, "2026-03-06 22:00", "never", "8h", "2026-03-07 06:00"),
        (&always, "2026-03-06 21:00", true, "never", "never", "48h", "2026-03-08 21:00"),
        // The night that loses an hour is open for seven, and the one that gains one for nine.
        (&nightly, "2026-03-28 22:00", true, "2026-03-29 22:00", "2026-03-29 06:00", "8h", "2026-03-29 23:00"),
        (&nightly, "2026-10-24 22:00", true, "2026-10-25 22:00", "2026-10-25 06:00", "8h", "2026-10-25 05:00"),
    ] {
        let from_at = at(from);
        let said = (calendar.is_open(from_at), told(calendar.opens_next(from_at)), told(calendar.closes_next(from_at)));
        assert_eq!((said.0, said.1.as_str(), said.2.as_str()), (open, opens, closes), "{from}");
        assert_eq!(told(calendar.after(from_at, length.parse().unwrap())), after, "{from} and {length}");
    }
    assert_eq!((office.holiday(at("2027-01-01 12:00")), office.holiday(at("2026-12-25 12:00"))), (Some("New Year"), Some("")));
}

#[test]
fn a_holiday_takes_the_hours_that_begin_on_it_and_the_end_of_the_night_before() {
    let night = calendar(json!({"hours": [{"from": "22:00", "to": "06:00"}], "holidays": ["2026-05-01"]}));
    assert_eq!(told(night.closes_next(at("2026-04-30 23:00"))), "2026-05-01 00:00");
    assert!(!night.is_open(at("2026-05-01 00:00")) && !night.is_open(at("2026-05-01 23:00")));
    assert!(!night.is_open(at("2026-05-02 05:00")), "what would have begun on the holiday did not");
    assert_eq!(told(night.opens_next(at("2026-05-01 00:00"))), "2026-05-02 22:00");
}

#[test]
fn what_never_opens_says_so_and_does_not_look_for_ever() {
    let whole = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART;VALUE=DATE:20200101\nDTEND;VALUE=DATE:20210101\nRRULE:FREQ=YEARLY\nEND:VEVENT\nEND:VCALENDAR";
    for closed in [calendar(json!({})), calendar(json!({"hours": weekdays(), "ics": whole}))] {
        let now = at("2026-03-02 12:00");
        assert!(!closed.is_open(now));
        assert_eq!((closed.opens_next(now), closed.closes_next(now), closed.after(now, "1m".parse().unwrap())), (None, None, None));
    }
    let ends = calendar(json!({"hours": weekdays()}));
    for edge in [Timestamp::MIN, Timestamp::MAX] {
        let _ = (ends.is_open(edge), ends.opens_next(edge), ends.closes_next(edge), ends.after(edge, "1h".parse().unwrap()));
    }
}

#[test]
fn an_icalendar_text_says_days_once_and_every_year() {
    let text = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//EN\r\nBEGIN:VTIMEZONE\r\nTZID:Europe/Madrid\r\nBEGIN:STANDARD\r\nDTSTART:19701025T030000\r\nRRULE:FREQ=YEARLY;BYMONTH=10\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n\
        BEGIN:VEVENT\r\nUID:1\r\nDTSTART;VALUE=DATE:20200229\r\nRRULE:FREQ=YEARLY\r\nSUMMARY:Leap\\, a \r\n day\r\nBEGIN:VALARM\r\nTRIGGER:-PT1H\r\nEND:VALARM\r\nEND:VEVENT\r\n\
        BEGIN:VEVENT\r\nDTSTART;X-A=\"b:c;d\";VALUE=DATE:20260402\r\nDTEND;VALUE=DATE:20260404\r\nSUMMARY:Easter\r\nEND:VEVENT\r\n\
        BEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20261007\r\nDURATION:P1W\r\nRRULE:FREQ=YEARLY;INTERVAL=2;UNTIL=20291231T000000Z\r\nEND:VEVENT\r\n\
        BEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20260615\r\nSTATUS:CANCELLED\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
    let office = calendar(json!({"hours": [{"from": "09:00", "to": "17:00"}], "ics": text}));
    for (day, closed) in [
        ("2024-02-29", Some("Leap, a day")),
        ("2028-02-29", Some("Leap, a day")),
        ("2026-02-28", None),
        ("2026-03-01", None),
        ("2016-02-29", None),
        ("2026-04-01", None),
        ("2026-04-02", Some("Easter")),
        ("2026-04-03", Some("Easter")),
        ("2026-04-04", None),
        ("2027-04-02", None),
        ("2026-10-13", Some("")),
        ("2026-10-14", None),
        ("2027-10-07", None),
        ("2028-10-07", Some("")),
        ("2030-10-07", None),
        ("2026-06-15", None),
    ] {
        let noon = at(&format!("{day} 12:00"));
        assert_eq!((office.holiday(noon), office.is_open(noon)), (closed, closed.is_none()), "{day}");
    }
}

fn problems(rest: Value) -> Vec<Problem> {
    let bundle = Bundle { calendars: vec![form(rest)], ..Bundle::default() };
    check(&bundle, Against { now: Timestamp::UNIX_EPOCH, kinds: &[], channels: crate::channel::WaysOut::NONE })
}

#[test]
fn what_an_icalendar_text_may_not_say_is_told_with_its_line() {
    let event = |lines: &str| format!("BEGIN:VCALENDAR\nBEGIN:VEVENT\n{lines}\nEND:VEVENT\nEND:VCALENDAR\n");
    let start = "DTSTART;VALUE=DATE:20261225";
    for (text, words) in [
        (String::new(), "line 1: there is no calendar here"),
        ("hello".into(), "line 1: this is not a line of a calendar"),
        ("BEGIN:VCALENDAR\nBEGIN:VEVENT\n".into(), "line 2: `BEGIN:VEVENT` has no end"),
        ("BEGIN:VCALENDAR\nEND:VEVENT\n".into(), "line 2: `END:VEVENT` ends what was not begun"),
        ("BEGIN:VCALENDAR\nBEGIN:VTODO\n".into(), "line 2: `VTODO` does not belong here"),
        ("VERSION:2.0\n".into(), "line 1: this stands outside of a calendar"),
        (event("SUMMARY:x"), "line 2: the event has no `DTSTART`"),
        (event("DTSTART:20261225T090000Z"), "line 3: `DTSTART` is at a time of day"),
        (event("DTSTART:20261225"), "line 3: `DTSTART` does not say that it is a day"),
        (event("DTSTART;VALUE=DATE:20261325"), "line 3: `20261325` is not a date"),
        (event(&format!("{start}\n{start}")), "line 4: `DTSTART` stands twice"),
        (event(&format!("{start}\nDTEND;VALUE=DATE:20261225")), "line 4: the event ends before its first day is over"),
        (event(&format!("{start}\nDTEND;VALUE=DATE:20281225")), "line 3: the event lasts 731 days"),
        (event(&format!("{start}\nDURATION:PT1H")), "line 4: `PT1H` is not a length of whole days"),
        (event(&format!("{start}\nRRULE:FREQ=MONTHLY")), "line 4: events that come back `MONTHLY`"),
        (event(&format!("{start}\nRRULE:FREQ=YEARLY;BYDAY=1MO")), "line 4: `BYDAY=1MO` makes other days"),
        (event(&format!("{start}\nRRULE:FREQ=YEARLY;BYMONTH=11")), "line 4: `BYMONTH=11` makes other days"),
        (event(&format!("{start}\nRRULE:FREQ=YEARLY;COUNT=3")), "line 4: `COUNT` is not read here"),
        (event(&format!("{start}\nRRULE:INTERVAL=2")), "line 4: the rule does not say how often"),
        (event(&format!("{start}\nRDATE;VALUE=DATE:20261226")), "line 4: `RDATE` is not read here"),
        (event(&format!("{start}\nHOLIDAY:yes")), "line 4: `HOLIDAY` is not known in an event"),
        (event(&format!("{start}\nSUMMARY:{}", "x".repeat(ICS_LEN_MAX))), "line 1: the text has more than 262144 bytes"),
    ] {
        let found = problems(json!({"hours": weekdays(), "ics": text}));
        assert!(found[0].is_error() && found[0].place.to_string() == "calendars[0].ics" && found[0].hint.is_some(), "{found:?}");
        assert!(found[0].message.starts_with(words), "{words}: {found:?}");
    }
    let many = "BEGIN:VEVENT\nEND:VEVENT\n".repeat(50);
    assert_eq!(problems(json!({"hours": weekdays(), "ics": format!("BEGIN:VCALENDAR\n{many}END:VCALENDAR")})).len(), 10, "so many at once");
}

#[test]
fn what_is_wrong_with_hours_names_them() {
    let told = |rest: Value| problems(rest).iter().map(|p| format!("{}: {}", p.place, p.message)).collect::<Vec<_>>().join("\n");
    let hours = |days: &[&str], from: &str, to: &str| json!({"days": days, "from": from, "to": to});
    for (rest, words) in [
        (json!({"hours": weekdays()}), ""),
        (json!({"hours": [hours(&["Mon"], "22:00", "02:00"), hours(&["Tue"], "02:00", "03:00")]}), ""),
        (json!({"time_zone": "Mars/Base", "hours": weekdays()}), "calendars[0].time_zone: `Mars/Base` is not a time zone"),
        (json!({"hours": [hours(&["Moon"], "09:00", "10:00")]}), "calendars[0].hours[0].days[0]: `Moon` is not a weekday"),
        (json!({"hours": [hours(&["Mon"], "9", "24:00")]}), "calendars[0].hours[0].from: `9` is not a time of day"),
        (json!({"hours": [hours(&["Mon", "monday"], "09:00", "10:00")]}), "calendars[0].hours[0].days: `monday` stands twice"),
        (
            json!({"hours": [hours(&["Mon"], "09:00", "12:00"), hours(&["Mon"], "11:00", "13:00")]}),
            "calendars[0].hours[1]: the hours from 11:00 on Mon are open already by calendars[0].hours[0]",
        ),
        (
            json!({"hours": [hours(&["Sun"], "22:00", "02:00"), hours(&[], "01:00", "02:00")]}),
            "calendars[0].hours[1]: the hours from 01:00 on Mon",
        ),
        (json!({"hours": weekdays(), "holidays": ["2026-12-25", "2026-12-25"]}), "calendars[0].holidays[1]: 2026-12-25 is a holiday"),
        (json!({}), "calendars[0]: calendar `office` has no hours"),
    ] {
        let said = told(rest);
        assert!(said.starts_with(words) && words.is_empty() == said.is_empty(), "{words}: {said}");
    }
    for holiday in
        [json!("2026-12-25T10:00"), json!("25.12.2026"), json!(7), json!({"date": "2026-12-25", "nme": "x"}), json!({"name": "x"})]
    {
        assert!(serde_json::from_value::<Holiday>(holiday.clone()).is_err(), "{holiday}");
    }
    for holiday in [json!("2026-12-25"), json!({"date": "2026-12-25", "name": "Christmas"})] {
        assert_eq!(serde_json::to_value(serde_json::from_value::<Holiday>(holiday.clone()).unwrap()).unwrap(), holiday);
    }
}
