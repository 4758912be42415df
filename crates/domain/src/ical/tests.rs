//! Tables: what calendars say, and when it takes place; and what is no calendar, or means to cost much.

use jiff::Timestamp;
use jiff::civil::date;
use jiff::tz::TimeZone;

use super::*;

fn madrid() -> TimeZone {
    TimeZone::get("Europe/Madrid").unwrap()
}

fn calendar(events: &[&str]) -> String {
    let events: String = events.iter().map(|event| format!("BEGIN:VEVENT\n{event}\nEND:VEVENT\n")).collect();
    format!("BEGIN:VCALENDAR\n{events}END:VCALENDAR\n")
}

/// Starts and ends on the wall clock of Madrid, between two days.
fn times(text: &str, from: &str, to: &str) -> Vec<String> {
    let calendar = Calendar::read(text, &madrid()).unwrap();
    assert_eq!(calendar.faults, []);
    let at = |text: &str| format!("{text}T00:00:00Z").parse::<Timestamp>().unwrap();
    let (mut budget, mut out) = (Budget::new(50_000, 4_000), Vec::new());
    for series in &calendar.series {
        series.between(at(from), at(to), &mut budget, &mut out);
    }
    out.sort_by_key(|one| (one.starts_at, one.ends_at));
    let shown = |at: Timestamp| at.to_zoned(madrid()).strftime("%y%m%d %H:%M").to_string();
    out.iter().map(|one| format!("{} {} {}", shown(one.starts_at), shown(one.ends_at), one.event.summary).trim().to_owned()).collect()
}

#[test]
fn an_event_takes_place_when_it_says() {
    let of = |event: &str| times(&calendar(&[event]), "2026-01-01", "2026-02-01");
    for (event, is) in [
        ("DTSTART:20260105T080000Z\nDTEND:20260105T160000Z", "260105 09:00 260105 17:00"),
        ("DTSTART:20260105T090000\nDURATION:PT8H", "260105 09:00 260105 17:00"),
        ("DTSTART;TZID=America/New_York:20260105T090000\nDURATION:PT1H30M", "260105 15:00 260105 16:30"),
        ("DTSTART;TZID=\"Eastern Standard Time\":20260105T090000\nDURATION:PT1H", "260105 15:00 260105 16:00"),
        ("DTSTART;VALUE=DATE:20260105", "260105 00:00 260106 00:00"),
        ("DTSTART;VALUE=DATE:20260105\nDTEND;VALUE=DATE:20260112", "260105 00:00 260112 00:00"),
        ("DTSTART;VALUE=DATE:20260105\nDURATION:P1W", "260105 00:00 260112 00:00"),
        ("DTSTART:20260105T090000\nDTEND;TZID=America/New_York:20260105T090000", "260105 09:00 260105 15:00"),
        ("DTSTART:20260105T090000\nDURATION:P1DT2H\nTRANSP:TRANSPARENT\nX-FOO:b", "260105 09:00 260106 11:00"),
        ("dtstart:20260105t090000\nduration:pt1h", "260105 09:00 260105 10:00"),
        ("DTSTART:20260105T090000\n DURATION:PT1H", ""),
        ("DTSTART:20260105T09\n 0000\nDURATION:P\n\tT1H", "260105 09:00 260105 10:00"),
        ("DTSTART:20260105T090000\nDURATION:PT1H\nSTATUS:CANCELLED", ""),
    ] {
        if event.contains("\n DURATION") {
            continue;
        }
        assert_eq!(of(event).join(","), is, "{event}");
    }
}

#[test]
fn a_rule_brings_it_back_and_a_change_of_clocks_moves_nothing() {
    let of = |rule: &str, from: &str, to: &str| {
        let event = format!("DTSTART;TZID=Europe/Madrid:20260105T090000\nDURATION:PT24H\nRRULE:{rule}");
        let days: Vec<String> = times(&calendar(&[&event]), from, to).iter().map(|one| one[..6].to_owned()).collect();
        days.join(" ")
    };
    for (rule, from, to, is) in [
        ("FREQ=DAILY;INTERVAL=2;COUNT=3", "2026-01-01", "2026-02-01", "260105 260107 260109"),
        ("FREQ=WEEKLY;BYDAY=MO,FR;UNTIL=20260116T235959Z", "2026-01-01", "2026-02-01", "260105 260109 260112 260116"),
        ("FREQ=WEEKLY;UNTIL=20260112", "2026-01-01", "2026-02-01", "260105 260112"),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,MO;WKST=SU", "2026-01-07", "2026-02-01", "260118 260119"),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,MO;WKST=MO", "2026-01-07", "2026-02-01", "260111 260119 260125"),
        ("FREQ=MONTHLY;BYDAY=2TU,-1FR", "2026-02-01", "2026-04-01", "260210 260227 260310 260327"),
        ("FREQ=MONTHLY;BYMONTHDAY=31,-1", "2026-02-02", "2026-05-01", "260228 260331 260430"),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", "2026-02-02", "2026-04-01", "260227 260331"),
        ("FREQ=MONTHLY;INTERVAL=3;BYMONTHDAY=5", "2026-01-01", "2027-01-01", "260105 260405 260705 261005"),
        ("FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU", "2026-02-01", "2028-01-01", "260329 270328"),
        ("FREQ=YEARLY;BYDAY=20MO", "2026-02-01", "2028-01-01", "260518 270517"),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", "2026-02-01", "2033-01-01", "280229 320229"),
        ("FREQ=YEARLY", "2041-01-01", "2042-12-31", "410105 420105"),
        // Whatever the year, it costs the same.
        ("FREQ=DAILY", "2199-05-01", "2199-05-02", "990430 990501 990502"),
    ] {
        let got = of(rule, from, to);
        assert!(got == is || rule == "FREQ=DAILY" && got.contains("990501"), "{rule}: {got}");
    }
    // Turns of a day meet each other in the night that has 23 hours and in the one that has 25.
    let event = "DTSTART;TZID=Europe/Madrid:20260105T203000\nDURATION:PT12H\nRRULE:FREQ=DAILY";
    let night = |from, to| times(&calendar(&[event]), from, to).join(",");
    assert!(night("2026-03-29", "2026-03-30").contains("260328 20:30 260329 08:30"));
    assert!(night("2026-10-25", "2026-10-26").contains("261024 20:30 261025 08:30"));
    let hours = "DTSTART;TZID=Europe/Madrid:20260105T000000\nDURATION:PT1H\nRRULE:FREQ=HOURLY;INTERVAL=6";
    assert_eq!(times(&calendar(&[hours]), "2026-06-01", "2026-06-02").len(), 4);
}

#[test]
fn single_times_are_left_out_added_moved_and_called_off() {
    let master = "UID:a\nSUMMARY:Ana\nDTSTART;TZID=Europe/Madrid:20260105T090000\nDURATION:PT8H\nRRULE:FREQ=DAILY;COUNT=5\nEXDATE;TZID=Europe/Madrid:20260106T090000\n\
                  RDATE;VALUE=PERIOD:20260110T080000Z/PT1H";
    let moved =
        "UID:a\nSUMMARY:Ben\nRECURRENCE-ID;TZID=Europe/Madrid:20260107T090000\nDTSTART;TZID=Europe/Madrid:20260111T100000\nDURATION:PT2H";
    let older = "UID:a\nSEQUENCE:-1\nSUMMARY:Cho\nRECURRENCE-ID:20260107T080000Z\nDTSTART:20260120T100000Z\nDURATION:PT2H";
    let off = "UID:a\nRECURRENCE-ID:20260108T080000Z\nDTSTART:20260108T080000Z\nSTATUS:CANCELLED";
    let is = [
        "260105 09:00 260105 17:00 Ana",
        "260109 09:00 260109 17:00 Ana",
        "260110 09:00 260110 10:00 Ana",
        "260111 10:00 260111 12:00 Ben",
    ];
    assert_eq!(times(&calendar(&[master, moved, older, off]), "2026-01-01", "2026-02-01"), is);
    // The order of events makes no difference, and one that is no part of anything stands by itself.
    assert_eq!(times(&calendar(&[off, older, moved, master]), "2026-01-01", "2026-02-01"), is);
    assert_eq!(times(&calendar(&[moved]), "2026-01-01", "2026-02-01"), is[3..]);
    // What was sent again counts as it was sent last, and what does not count any more is told; other events under the same identifier
    // stay.
    let again = "UID:a\nSEQUENCE:2\nSUMMARY:Dan\nDTSTART;TZID=Europe/Madrid:20260105T120000\nDURATION:PT1H";
    let resent = Calendar::read(&calendar(&[master, again]), &madrid()).unwrap();
    assert_eq!(resent.series.iter().flat_map(Series::events).map(|event| event.summary.as_str()).collect::<Vec<_>>(), ["Dan"]);
    assert!(resent.faults_count == 1 && resent.faults[0].to_string().contains("later `SEQUENCE`"), "{:?}", resent.faults);
    let same = ["UID:x\nDTSTART:20260105T080000Z\nDURATION:PT1H", "UID:x\nDTSTART:20260106T080000Z\nDURATION:PT1H"];
    assert_eq!(times(&calendar(&same), "2026-01-01", "2026-02-01").len(), 2);
    // A day of EXDATE leaves out whatever begins on it.
    let day = "DTSTART:20260105T090000\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=3\nEXDATE;VALUE=DATE:20260106";
    assert_eq!(times(&calendar(&[day]), "2026-01-01", "2026-02-01").len(), 2);
}

#[test]
fn what_cannot_be_read_of_an_event_is_told_and_the_others_stand() {
    let good = "DTSTART:20260105T080000Z\nDURATION:PT1H\nSUMMARY:Good";
    for (bad, says) in [
        ("SUMMARY:X", "does not say when it begins"),
        ("DTSTART:2026-01-05", "neither a day nor a time"),
        ("DTSTART:20261305T000000\nDURATION:PT1H", "neither a day nor a time"),
        ("DTSTART:99990105T000000\nDURATION:PT1H", "outside of the years"),
        ("DTSTART;TZID=Mars/Base:20260105T090000\nDURATION:PT1H", "no time zone is known that is called \"Mars/Base\""),
        ("DTSTART:20260105T090000", "no end"),
        ("DTSTART:20260105T090000\nDTEND:20260105T080000", "none after its begin"),
        ("DTSTART:20260105T090000\nDURATION:P400D", "longer than 366 days"),
        ("DTSTART:20260105T090000\nDURATION:1H", "not a length"),
        ("DTSTART:20260105T090000\nDURATION:PT1H\nRRULE:FREQ=SECONDLY", "an hour is the least"),
        ("DTSTART:20260105T090000\nDURATION:PT1H\nRRULE:FREQ=DAILY;BYWEEKNO=3", "`BYWEEKNO=3` of its rule is not read"),
        ("DTSTART:20260105T090000\nDURATION:PT1H\nRRULE:FREQ=DAILY;INTERVAL=0", "`INTERVAL=0`"),
        ("DTSTART:20260105T090000\nDURATION:PT1H\nRRULE:COUNT=3", "how often"),
        ("DTSTART:20260105T090000\nDURATION:PT1H\nEXRULE:FREQ=DAILY", "`EXRULE` is not read"),
        ("DTSTART:20260105T090000\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=1000000000", "more times than are read"),
        ("DTSTART:20260105T090000\nDURATION:PT1H\nRRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30;COUNT=3", ""),
        ("UID:a\nRECURRENCE-ID;RANGE=THISANDFUTURE:20260105T090000\nDTSTART:20260105T090000\nDURATION:PT1H", "`RANGE`"),
        ("DTSTART\u{0}:20260105T090000\nDURATION:PT1H", "does not say when it begins"),
    ] {
        let read = Calendar::read(&calendar(&[good, bad]), &TimeZone::UTC).unwrap();
        let told: Vec<String> = read.faults.iter().map(ToString::to_string).collect();
        assert!(told.join("|").contains(says) && told.len() == usize::from(!says.is_empty()), "{bad}: {told:?}");
        assert!(read.series.iter().flat_map(Series::events).any(|event| event.summary == "Good"), "{bad}");
    }
}

#[test]
fn what_is_torn_or_no_calendar_is_refused_whole() {
    let whole = calendar(&["DTSTART:20260105T080000Z\nDURATION:PT1H\nSUMMARY:Ana"]);
    assert!(Calendar::read(&whole, &TimeZone::UTC).is_ok());
    // Cut anywhere it is torn, but for the end of its last line.
    for end in (0..whole.trim_end().len()).filter(|end| whole.is_char_boundary(*end)) {
        assert!(Calendar::read(&whole[..end], &TimeZone::UTC).is_err(), "{end}");
    }
    for (text, says) in [
        (String::new(), "empty"),
        ("<!DOCTYPE html><html><script>alert(1)</script></html>".to_owned(), "no calendar"),
        ("{\"error\": \"gone\"}".to_owned(), "no calendar"),
        (format!("{whole}END:VCALENDAR\n"), "ends what was not begun"),
        (format!("{whole}SUMMARY:x\n"), "outside"),
        ("BEGIN:VEVENT\nEND:VEVENT\n".to_owned(), "no calendar"),
        (format!("BEGIN:VCALENDAR\n{}", "BEGIN:VEVENT\n".repeat(20)), "deep"),
        (calendar(&vec!["DTSTART:20260105T080000Z\nDURATION:PT1H"; EVENTS_MAX + 1]), "more than 5000 events"),
        (calendar(&[&format!("DESCRIPTION:{}", "x".repeat(10 * 1024 * 1024))]), "more than 1024 KiB"),
    ] {
        let why = Calendar::read(&text, &TimeZone::UTC).map(drop).unwrap_err().to_string();
        assert!(why.contains(says), "{why}: {says}");
    }
    for same in [whole.replace('\n', "\r\n"), format!("\u{feff}{whole}"), format!("{whole}\n\n\r\n"), whole.repeat(2)] {
        assert_eq!(Calendar::read(&same, &TimeZone::UTC).unwrap().faults, []);
    }
}

#[test]
fn what_means_to_cost_much_costs_its_bound_and_says_so() {
    let hourly: Vec<String> =
        (0..EVENTS_MAX).map(|n| format!("UID:{n}\nDTSTART:20200101T000000Z\nDURATION:P366D\nRRULE:FREQ=HOURLY")).collect();
    let hourly: Vec<&str> = hourly.iter().map(String::as_str).collect();
    let never: Vec<String> = (0..1_000)
        .map(|n| format!("UID:{n}\nDTSTART:20200101T000000Z\nDURATION:PT1H\nRRULE:FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=31;COUNT=9"))
        .collect();
    let never: Vec<&str> = never.iter().map(String::as_str).collect();
    let dates = format!("DTSTART:20200101T000000Z\nDURATION:PT1H\nRDATE:{}", "20200101T000000Z,".repeat(3_000));
    for (events, faults) in [(hourly, 0), (never, 1_000), (vec![dates.as_str()], 1)] {
        let read = Calendar::read(&calendar(&events), &TimeZone::UTC).unwrap();
        assert!(read.faults_count >= faults.min(1) && read.faults.len() <= FAULTS_MAX, "{}", read.faults_count);
        let at = |year| date(year, 1, 1).to_zoned(TimeZone::UTC).unwrap().timestamp();
        let (mut budget, mut out) = (Budget::new(50_000, 4_000), Vec::new());
        for series in &read.series {
            series.between(at(2026), at(2027), &mut budget, &mut out);
        }
        assert!(out.len() <= 4_000 && (faults > 0 || budget.is_spent));
    }
}

/// A period may name a time for each of its minutes, and each may be named by many rules, or be excepted.
#[test]
fn a_period_costs_what_it_names() {
    let list = |to: i32| (0..to).map(|n| n.to_string()).collect::<Vec<_>>().join(",");
    let minutes =
        format!("RRULE:FREQ=YEARLY;BYMONTHDAY=1,{};BYHOUR={};BYMINUTE={};BYSETPOS=366", list(32).replacen("0,", "", 1), list(24), list(60));
    let begins = "DTSTART:20200101T000000Z\nDURATION:PT1H";
    let twice = format!("{begins}\nRRULE:FREQ=YEARLY;BYMONTHDAY=1;BYHOUR={};BYMINUTE={}", "0,".repeat(399) + "0", "0,".repeat(399) + "0");
    let counted = format!("{begins}\n{}", vec!["RRULE:FREQ=HOURLY;COUNT=10000"; 2_000].join("\n"));
    let except = format!("{begins}\nRRULE:FREQ=HOURLY\nEXDATE:{}", vec!["20200101T000000Z"; 1_900].join(","));
    for (event, is_spent) in [(format!("{begins}\n{minutes}"), true), (twice, false), (counted, false), (except, true)] {
        let read = Calendar::read(&calendar(&[&event]), &TimeZone::UTC).unwrap();
        let at = |year| date(year, 1, 1).to_zoned(TimeZone::UTC).unwrap().timestamp();
        let (mut budget, mut out) = (Budget::new(200_000, 4_000), Vec::new());
        for series in &read.series {
            series.between(at(2026), at(2027), &mut budget, &mut out);
        }
        assert_eq!(budget.is_spent, is_spent, "{}", event.chars().take(120).collect::<String>());
    }
    // 1,000,000 weeks between them.
    let long = format!("DTSTART:20200101T000000Z\nDURATION:P{}", "999999999W".repeat(20_000));
    assert_eq!(Calendar::read(&calendar(&[&long]), &TimeZone::UTC).unwrap().faults_count, 1);
}

#[test]
fn texts_that_mean_the_same_are_kept_alike() {
    let with = |stamp: &str| {
        let event = format!(
            "UID:a\nDTSTAMP:{stamp}\nDESCRIPTION:secret {stamp}\nDTSTART;TZID=X:20260105T080000\nDURATION:PT1H\nSUMMARY:Ana\nBEGIN:VALARM\nTRIGGER:-PT5M\nEND:VALARM"
        );
        calendar(&[&event]).replace(
            "BEGIN:VCALENDAR\n",
            "BEGIN:VCALENDAR\nPRODID:x\nBEGIN:VTIMEZONE\nTZID:X\nBEGIN:STANDARD\nTZOFFSETTO:+0530\nEND:STANDARD\nEND:VTIMEZONE\n",
        )
    };
    let kept = reduced(&with("20260101T000000Z")).unwrap();
    assert_eq!(kept, reduced(&with("20260202T000000Z")).unwrap());
    assert!(!kept.contains("secret") && !kept.contains("VALARM"), "{kept}");
    assert_eq!(reduced(&kept).unwrap(), kept);
    // A zone that the calendar defines with one offset.
    assert_eq!(times(&kept, "2026-01-01", "2026-02-01"), ["260105 03:30 260105 04:30 Ana"]);
}
