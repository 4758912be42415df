//! Calendars of every shape that is read, around changes of clocks in several zones, against `icalendar` and `recurring-ical-events`
//! of PyPI: who is on call a minute before, at and a minute after every begin and end.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use allclear_domain::oncall::{CompiledSchedule, Feeds};
use allclear_domain::org::forms::calendar::Calendars;
use allclear_domain::org::model::{ExternalCalendar, Person, Schedule};
use jiff::Timestamp;
use serde_json::{Value, json};

/// Calendars of one run, and the seed of the first; `ALLCLEAR_CALENDARS` has another number.
const CALENDARS: u64 = 250;
const PEOPLE: u64 = 5;
const ZONES: [&str; 9] = [
    "Europe/Madrid",
    "America/New_York",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "Asia/Kolkata",
    "America/Santiago",
    "America/St_Johns",
    "Pacific/Auckland",
    "UTC",
];

/// Prints, for each calendar, every time at which one of its events takes place: begin, end, name.
const SCRIPT: &str = r#"
import sys, json, datetime, pathlib
from zoneinfo import ZoneInfo
import icalendar, recurring_ical_events
folder = pathlib.Path(sys.argv[1])
for path in sorted(folder.glob("*.ics")):
    zone = ZoneInfo(path.stem.split("~")[1].replace("+", "/"))
    def epoch(at):
        if not isinstance(at, datetime.datetime):
            at = datetime.datetime(at.year, at.month, at.day)
        if at.tzinfo is None:
            at = at.replace(tzinfo=zone)
        return int(at.timestamp())
    calendar = icalendar.Calendar.from_ical(path.read_bytes())
    first, last = datetime.datetime(2026, 1, 1, tzinfo=zone), datetime.datetime(2027, 7, 1, tzinfo=zone)
    times = [[epoch(e.start), epoch(e.end), str(e["SUMMARY"])] for e in recurring_ical_events.of(calendar).between(first, last)]
    print(json.dumps([path.stem, sorted(times)]))
"#;

struct Dice(u64);

impl Dice {
    fn roll(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % n
    }
    fn pick<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[usize::try_from(self.roll(of.len() as u64)).unwrap()]
    }
    fn chance(&mut self, percent: u64) -> bool {
        self.roll(100) < percent
    }
}

/// A rule, and how many days apart its times are, unless it names single days. Numbered and plain weekdays are not mixed: `dateutil` takes
/// only those that are both.
fn rule(dice: &mut Dice, zoned: bool) -> (String, Option<i64>) {
    let interval = 1 + dice.roll(3);
    let (mut text, plain) = match dice.roll(14) {
        0 => ("FREQ=DAILY".to_owned(), Some(1)),
        1 => ("FREQ=WEEKLY".to_owned(), Some(7)),
        2 => (
            format!("FREQ=WEEKLY;BYDAY={};WKST={}", dice.pick(&["MO,WE", "SU,MO", "TU", "SA,SU,MO"]), dice.pick(&["MO", "SU", "WE"])),
            None,
        ),
        3 => (format!("FREQ=DAILY;BYDAY={}", dice.pick(&["MO,TU,WE,TH,FR", "SU"])), None),
        4 => (format!("FREQ=DAILY;BYMONTH={}", dice.pick(&["3,4", "10,11"])), None),
        5 => (format!("FREQ=MONTHLY;BYDAY={}", dice.pick(&["2TU", "-1SU", "1MO,3MO", "-2FR,1SA"])), None),
        6 => (format!("FREQ=MONTHLY;BYMONTHDAY={}", dice.pick(&["31", "-1", "1,15", "29,30", "-2,2"])), None),
        7 => (format!("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS={}", dice.pick(&["-1", "1", "2,-2"])), None),
        8 => (format!("FREQ=MONTHLY;BYDAY=SU;BYMONTHDAY={}", dice.pick(&["25,26,27,28,29,30,31", "1,2,3,4,5,6,7"])), None),
        9 => (format!("FREQ=YEARLY;BYMONTH={};BYDAY={}", dice.pick(&["3", "10,11", "4"]), dice.pick(&["-1SU", "1SU", "2SU,1FR"])), None),
        10 => (format!("FREQ=YEARLY;BYDAY={}", dice.pick(&["20MO", "-10SU", "TU"])), None),
        11 => (format!("FREQ=YEARLY;BYMONTH=3,10;BYMONTHDAY={}", dice.pick(&["-1", "28,29"])), None),
        12 => (format!("FREQ=HOURLY;BYMONTH={}", dice.pick(&["3", "10", "4"])), None),
        _ => (format!("FREQ=DAILY;BYHOUR={}", dice.pick(&["1,2,3", "0,12", "2"])), None),
    };
    if interval > 1 {
        write!(text, ";INTERVAL={interval}").unwrap();
    }
    match dice.roll(4) {
        0 => write!(text, ";COUNT={}", 1 + dice.roll(40)).unwrap(),
        1 if zoned => write!(text, ";UNTIL=2026{:02}{:02}T{:02}3000Z", 4 + dice.roll(8), 1 + dice.roll(28), dice.roll(24)).unwrap(),
        _ => {}
    }
    (text, plain.map(|days| days * i64::try_from(interval).unwrap()))
}

fn event(dice: &mut Dice, uid: u64) -> String {
    let who = format!("p{}", dice.roll(PEOPLE));
    let shape = dice.roll(5);
    // Near changes of clocks, north and south, and where days are short or long.
    let (month, day) =
        [(3, 27), (3, 7), (10, 24), (10, 31), (4, 3), (1, 5), (9, 26), (2, 14), (12, 20)][usize::try_from(dice.roll(9)).unwrap()];
    let date = jiff::civil::date(2026, month, day);
    let (hour, minute) = (dice.pick(&["00", "01", "02", "03", "09", "20", "23"]), dice.pick(&["00", "30", "15"]));
    let zone = dice.pick(&ZONES[..8]);
    let stamp = |date: jiff::civil::Date| date.strftime("%Y%m%d").to_string();
    let at = |date: jiff::civil::Date| match shape {
        0 => format!(";VALUE=DATE:{}", stamp(date)),
        1 => format!(":{}T{hour}{minute}00", stamp(date)),
        2 => format!(":{}T{hour}{minute}00Z", stamp(date)),
        _ => format!(";TZID={zone}:{}T{hour}{minute}00", stamp(date)),
    };
    let length =
        if shape == 0 { dice.pick(&["P1D", "P2D", "P1W"]) } else { dice.pick(&["PT1H", "PT12H", "PT24H", "PT30M", "P2DT3H", "PT8H"]) };
    let mut out = format!("UID:{uid}\nSUMMARY:{who}\nDTSTART{}\nDURATION:{length}\n", at(date));
    let mut more = String::new();
    if dice.chance(75) {
        let (rule, days) = rule(dice, shape > 1);
        // A whole day has no hours.
        let rule = if shape == 0 { rule.replace("FREQ=HOURLY", "FREQ=DAILY").split(";BYHOUR").next().unwrap().to_owned() } else { rule };
        writeln!(out, "RRULE:{rule}").unwrap();
        if let Some(days) = days.filter(|_| !rule.contains("COUNT") && !rule.contains("UNTIL")) {
            let nth = |n: i64| date.checked_add(jiff::Span::new().days(n * days)).unwrap();
            if dice.chance(50) {
                writeln!(out, "EXDATE{}", at(nth(1))).unwrap();
            }
            if dice.chance(60) {
                let n = 2 + i64::try_from(dice.roll(3)).unwrap();
                let to = nth(n).checked_add(jiff::Span::new().days(i64::try_from(dice.roll(3)).unwrap())).unwrap();
                let who = dice.roll(PEOPLE);
                write!(
                    more,
                    "BEGIN:VEVENT\nUID:{uid}\nSEQUENCE:1\nSUMMARY:p{who}\nRECURRENCE-ID{}\nDTSTART{}\nDURATION:{length}\nEND:VEVENT\n",
                    at(nth(n)),
                    at(to)
                )
                .unwrap();
            }
        }
    }
    if shape > 0 && dice.chance(30) {
        let further = date.checked_add(jiff::Span::new().days(3)).unwrap();
        writeln!(out, "RDATE{}", at(further)).unwrap();
    }
    format!("BEGIN:VEVENT\n{out}END:VEVENT\n{more}")
}

fn calendar(seed: u64) -> (String, &'static str) {
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15 ^ (seed + 1).wrapping_mul(0x2545_f491_4f6c_dd1d));
    let zone = dice.pick(&ZONES);
    let events: String = (0..1 + dice.roll(3)).map(|uid| event(&mut dice, uid)).collect();
    (format!("BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//a//b\n{events}END:VCALENDAR\n"), zone)
}

#[test]
fn who_is_on_call_by_a_calendar_is_what_python_says_at_every_minute_boundary() {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/icalendar-venv/bin/python");
    if !Command::new(&python).args(["-c", "import icalendar, recurring_ical_events"]).output().is_ok_and(|run| run.status.success()) {
        let why = "it is not installed in target/icalendar-venv; `cargo xtask test` installs it where it may";
        allclear_trial::skip::skipped("recurring-ical-events", why);
        return;
    }
    let count = std::env::var("ALLCLEAR_CALENDARS").ok().and_then(|text| text.parse().ok()).unwrap_or(CALENDARS);
    let folder = tempfile::tempdir().unwrap();
    for seed in 0..count {
        let (text, zone) = calendar(seed);
        std::fs::write(folder.path().join(format!("{seed:05}~{}.ics", zone.replace('/', "+"))), text).unwrap();
    }
    let run = Command::new(&python).args(["-W", "ignore", "-c", SCRIPT]).arg(folder.path()).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let people: Vec<Person> =
        serde_json::from_value((0..PEOPLE).map(|n| json!({"id": format!("p{n}"), "name": format!("Person {n}")})).collect()).unwrap();
    let (mut asked, mut different, mut seen) = (0_u64, Vec::new(), 0);
    for line in String::from_utf8(run.stdout).unwrap().lines() {
        let read: Value = serde_json::from_str(line).unwrap();
        let name = read[0].as_str().unwrap();
        let seed: u64 = name.split('~').next().unwrap().parse().unwrap();
        let (text, zone) = calendar(seed);
        let form: ExternalCalendar = serde_json::from_value(json!({"id": "c", "ics": text})).unwrap();
        let schedule: Schedule = serde_json::from_value(json!({"id": "s", "time_zone": zone, "external_calendars": ["c"]})).unwrap();
        let feeds = Feeds::of(&[form], &[], &people);
        let ours = CompiledSchedule::compile(&schedule, &Calendars::new()).unwrap().fed(&schedule, &feeds);
        assert_eq!(ours.feed_states()[0].faults, [], "{name}\n{text}");
        let times: Vec<(i64, i64, String)> = serde_json::from_value(read[1].clone()).unwrap();
        seen += 1;
        let (from, to) = (1_767_500_000, 1_798_000_000);
        let mut instants: Vec<i64> =
            times.iter().flat_map(|(start, end, _)| [*start, *end]).flat_map(|at| [at - 60, at, at + 60]).collect();
        instants.extend((from..to).step_by(86_400 * 3));
        instants.sort_unstable();
        instants.dedup();
        for at in instants.into_iter().filter(|at| (from..to).contains(at)) {
            asked += 1;
            let mut theirs: Vec<&str> =
                times.iter().filter(|(start, end, _)| *start <= at && at < *end).map(|(_, _, who)| who.as_str()).collect();
            let on = ours.on_call_at(&[], Timestamp::from_second(at).unwrap());
            let mut mine: Vec<&str> = on.people().map(String::as_str).collect();
            for list in [&mut theirs, &mut mine] {
                list.sort_unstable();
                list.dedup();
            }
            if mine != theirs {
                different.push(format!("{name} at {}: python {theirs:?}, ours {mine:?}\n{text}", Timestamp::from_second(at).unwrap()));
                break;
            }
        }
    }
    println!("{seen} calendars, {asked} instants");
    assert_eq!(seen, count);
    assert!(different.is_empty(), "{} differ, the first:\n{}", different.len(), different[..different.len().min(4)].join("\n"));
    assert!(asked > count * 50, "{asked}");
}
