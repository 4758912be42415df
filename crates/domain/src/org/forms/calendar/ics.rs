//! Whole days from an iCalendar text (RFC 5545), as calendars of holidays are published: events of whole days, once or every
//! year. What would make other days of it than are read here is refused with its line; what says nothing about days is passed
//! over: time zones, alarms, descriptions.

use std::ops::ControlFlow;

use jiff::civil::Date;

/// Longest text, in bytes: a public calendar of a country's holidays over several years has about 100 KiB.
pub const ICS_LEN_MAX: usize = 256 * 1024;
/// Most events: ten years of a country with a holiday a week.
const EVENTS_MAX: usize = 520;
/// Most faults that are told at once.
const FAULTS_MAX: usize = 10;
/// Longest event, in days: a year that is closed as a whole.
const DAYS_MAX: i32 = 366;
/// Most characters that are kept of what an event is called.
const NAME_CHARS_MAX: usize = 100;

/// One event of whole days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Event {
    pub first: Date,
    /// At least one.
    pub days: i32,
    pub yearly: Option<Yearly>,
    pub name: Option<String>,
}

/// Whether it comes back on its date; the 29th of February only in leap years.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Yearly {
    /// In every so many years.
    pub every: i16,
    /// The last day on which it may begin.
    pub until: Option<Date>,
}

/// What cannot be read, and on which line of the text, from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BadLine {
    pub line: usize,
    pub message: String,
    pub hint: &'static str,
}

/// A line with its continuations.
struct Line {
    at: usize,
    name: String,
    /// Upper-case names, and values without their quotation marks.
    params: Vec<(String, String)>,
    value: String,
}

const WHOLE_DAYS: &str = "write a whole day, as in `DTSTART;VALUE=DATE:20261225`";
const YEARLY: &str = "write `RRULE:FREQ=YEARLY`, or an event for each of its days";
const EACH: &str = "write an event for each of its days";

/// The events of a text.
pub(super) fn read(text: &str) -> Result<Vec<Event>, Vec<BadLine>> {
    if text.len() > ICS_LEN_MAX {
        let message = format!("the text has more than {ICS_LEN_MAX} bytes");
        return Err(vec![BadLine { line: 1, message, hint: "leave out years that are over, and descriptions" }]);
    }
    let mut reader = Reader::default();
    for line in lines(text) {
        let stopped = match line {
            Ok(line) => reader.take(line),
            Err(fault) => reader.fault(fault),
        };
        if stopped.is_break() {
            break;
        }
    }
    reader.end(text.lines().count().max(1))
}

/// Physical lines joined: what begins with a space or a tab continues the line before it (§3.1).
fn lines(text: &str) -> Vec<Result<Line, BadLine>> {
    let mut joined: Vec<(usize, String)> = Vec::new();
    for (at, line) in text.split('\n').enumerate() {
        let line = line.strip_suffix('\r').unwrap_or(line);
        match (line.strip_prefix([' ', '\t']), joined.last_mut()) {
            (Some(rest), Some((_, before))) => before.push_str(rest),
            _ if line.trim().is_empty() => {}
            _ => joined.push((at + 1, line.trim_start_matches('\u{feff}').to_owned())),
        }
    }
    joined.into_iter().map(|(at, text)| split(at, &text)).collect()
}

/// `NAME;PARAM=VALUE:value`, where a quoted value may hold what otherwise ends it.
fn split(at: usize, text: &str) -> Result<Line, BadLine> {
    let bad = || BadLine {
        line: at,
        message: "this is not a line of a calendar".to_owned(),
        hint: "lines look like `NAME:value`; one that is continued begins with a space",
    };
    let mut quoted = false;
    let mut parts = vec![String::new()];
    let mut rest = None;
    for (index, c) in text.char_indices() {
        match c {
            '"' => quoted = !quoted,
            ':' if !quoted => {
                rest = Some(index + 1);
                break;
            }
            ';' if !quoted => parts.push(String::new()),
            other => parts.last_mut().ok_or_else(bad)?.push(other),
        }
    }
    let value = rest.and_then(|rest| text.get(rest..)).ok_or_else(bad)?.to_owned();
    let name = parts.remove(0).to_ascii_uppercase();
    if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
        return Err(bad());
    }
    let params =
        parts.iter().map(|part| part.split_once('=').map(|(name, value)| (name.to_ascii_uppercase(), value.to_owned())).ok_or_else(bad));
    Ok(Line { at, name, params: params.collect::<Result<_, _>>()?, value })
}

/// What stands in an event and says nothing about its days (§3.8).
const PASSED_OVER: [&str; 24] = [
    "ATTACH",
    "ATTENDEE",
    "CATEGORIES",
    "CLASS",
    "COLOR",
    "COMMENT",
    "CONTACT",
    "CREATED",
    "DESCRIPTION",
    "DTSTAMP",
    "GEO",
    "IMAGE",
    "LAST-MODIFIED",
    "LOCATION",
    "ORGANIZER",
    "PRIORITY",
    "RELATED-TO",
    "REQUEST-STATUS",
    "RESOURCES",
    "SEQUENCE",
    "TRANSP",
    "UID",
    "URL",
    "CONFERENCE",
];

/// What is read of an event, each at most once.
const READ: [&str; 5] = ["DTSTART", "DTEND", "DURATION", "RRULE", "SUMMARY"];

#[derive(Default)]
struct Reader {
    /// The components that are open, outermost first.
    open: Vec<String>,
    event: Option<(usize, Vec<Line>)>,
    seen_calendar: bool,
    events: Vec<Event>,
    faults: Vec<BadLine>,
}

impl Reader {
    fn fault(&mut self, fault: BadLine) -> ControlFlow<()> {
        self.faults.push(fault);
        if self.faults.len() < FAULTS_MAX { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }

    /// What follows would only be told wrongly.
    fn stop(&mut self, fault: BadLine) -> ControlFlow<()> {
        self.faults.push(fault);
        ControlFlow::Break(())
    }

    fn take(&mut self, line: Line) -> ControlFlow<()> {
        let at = line.at;
        let fault = |message: String, hint| BadLine { line: at, message, hint };
        match line.name.as_str() {
            "BEGIN" => {
                let component = line.value.trim().to_ascii_uppercase();
                let known = match self.open.last().map(String::as_str) {
                    None => component == "VCALENDAR",
                    Some("VCALENDAR") => matches!(component.as_str(), "VEVENT" | "VTIMEZONE") || component.starts_with("X-"),
                    // What stands in these says nothing about days.
                    Some(_) => component != "VEVENT" && component != "VCALENDAR",
                };
                if !known {
                    let hint = "a calendar begins with `BEGIN:VCALENDAR`, and of what is in it only `VEVENT` says days";
                    return self.stop(fault(format!("`{}` does not belong here", cut(&component)), hint));
                }
                self.seen_calendar = true;
                if component == "VEVENT" {
                    self.event = Some((at, Vec::new()));
                }
                self.open.push(component);
            }
            "END" => {
                let component = line.value.trim().to_ascii_uppercase();
                if self.open.pop().as_deref() != Some(component.as_str()) {
                    let message = format!("`END:{}` ends what was not begun", cut(&component));
                    return self.stop(fault(message, "each `BEGIN` has its own `END`, the innermost first"));
                }
                if component == "VEVENT"
                    && let Some((at, lines)) = self.event.take()
                {
                    match event(at, &lines) {
                        Ok(Some(_)) if self.events.len() >= EVENTS_MAX => {
                            let message = format!("there are more than {EVENTS_MAX} events");
                            return self.stop(fault(message, "leave out years that are over"));
                        }
                        Ok(event) => self.events.extend(event),
                        Err(bad) => return self.fault(bad),
                    }
                }
            }
            _ if self.open.is_empty() => {
                return self.stop(fault("this stands outside of a calendar".to_owned(), "begin with `BEGIN:VCALENDAR`"));
            }
            _ => {
                if let (Some("VEVENT"), Some((_, lines))) = (self.open.last().map(String::as_str), &mut self.event) {
                    lines.push(line);
                }
            }
        }
        ControlFlow::Continue(())
    }

    fn end(mut self, last: usize) -> Result<Vec<Event>, Vec<BadLine>> {
        if self.faults.is_empty() {
            let unfinished = match self.open.last() {
                Some(component) => Some(format!("`BEGIN:{}` has no end", cut(component))),
                None if !self.seen_calendar => Some("there is no calendar here".to_owned()),
                None => None,
            };
            self.faults.extend(unfinished.map(|message| BadLine {
                line: last,
                message,
                hint: "a calendar is `BEGIN:VCALENDAR` to `END:VCALENDAR`",
            }));
        }
        if self.faults.is_empty() { Ok(self.events) } else { Err(self.faults) }
    }
}

/// What stands between the ends of an event; nothing where it was called off.
fn event(at: usize, lines: &[Line]) -> Result<Option<Event>, BadLine> {
    let mut one: [Option<&Line>; READ.len()] = [None; READ.len()];
    let mut cancelled = false;
    for line in lines {
        let fault = |message: String, hint| BadLine { line: line.at, message, hint };
        if let Some(index) = READ.iter().position(|name| *name == line.name) {
            if one[index].replace(line).is_some() {
                return Err(fault(format!("`{}` stands twice in this event", line.name), "keep one of the two"));
            }
            continue;
        }
        match line.name.as_str() {
            "STATUS" => cancelled = line.value.trim().eq_ignore_ascii_case("CANCELLED"),
            "RDATE" | "EXDATE" | "EXRULE" | "RECURRENCE-ID" => return Err(fault(format!("`{}` is not read here", line.name), EACH)),
            name if PASSED_OVER.contains(&name) || name.starts_with("X-") => {}
            name => {
                return Err(fault(
                    format!("`{}` is not known in an event", cut(name)),
                    "take the line away; whole days are said with `DTSTART`, `DTEND` and `RRULE`",
                ));
            }
        }
    }
    let [start, end, duration, rule, summary] = one;
    let start = start.ok_or_else(|| BadLine { line: at, message: "the event has no `DTSTART`".to_owned(), hint: WHOLE_DAYS })?;
    let first = day(start)?;
    let days = match (end, duration) {
        (Some(end), Some(_)) => {
            return Err(BadLine {
                line: end.at,
                message: "the event has both `DTEND` and `DURATION`".to_owned(),
                hint: "keep one of the two",
            });
        }
        (Some(end), None) => {
            let days = day(end)?.since(first).map_or(0, |span| span.get_days());
            if days < 1 {
                let hint = "`DTEND` is the day after the last one; leave it away for one day";
                return Err(BadLine { line: end.at, message: "the event ends before its first day is over".to_owned(), hint });
            }
            days
        }
        (None, Some(duration)) => length(duration)?,
        (None, None) => 1,
    };
    if days > DAYS_MAX {
        return Err(BadLine {
            line: start.at,
            message: format!("the event lasts {days} days, more than {DAYS_MAX}"),
            hint: "give it an earlier end",
        });
    }
    let yearly = rule.map(|rule| yearly(rule, first)).transpose()?;
    let name = summary.map(|line| unescaped(&line.value)).filter(|name| !name.is_empty());
    Ok((!cancelled).then_some(Event { first, days, yearly, name }))
}

/// A date, and no time of day.
fn day(line: &Line) -> Result<Date, BadLine> {
    let fault = |message: String| BadLine { line: line.at, message, hint: WHOLE_DAYS };
    let says_date = line.params.iter().any(|(name, value)| name == "VALUE" && value.eq_ignore_ascii_case("DATE"));
    let value = line.value.trim();
    if !says_date && value.contains('T') {
        return Err(fault(format!("`{}` is at a time of day, and only whole days are read here", line.name)));
    }
    if !says_date {
        return Err(fault(format!("`{}` does not say that it is a day", line.name)));
    }
    date(value).ok_or_else(|| fault(format!("`{}` is not a date", cut(value))))
}

/// `20261225`
fn date(text: &str) -> Option<Date> {
    let digits = text.len() == 8 && text.bytes().all(|b| b.is_ascii_digit());
    let part = |range: std::ops::Range<usize>| text.get(range);
    if !digits {
        return None;
    }
    Date::new(part(0..4)?.parse().ok()?, part(4..6)?.parse().ok()?, part(6..8)?.parse().ok()?).ok()
}

/// `P2D` or `P1W`
fn length(line: &Line) -> Result<i32, BadLine> {
    let text = line.value.trim().to_ascii_uppercase();
    let count = |unit: char, days: i32| text.strip_prefix('P')?.strip_suffix(unit)?.parse::<u16>().ok().map(|n| i32::from(n) * days);
    count('D', 1).or_else(|| count('W', 7)).filter(|days| *days > 0).ok_or_else(|| BadLine {
        line: line.at,
        message: format!("`{}` is not a length of whole days", cut(&text)),
        hint: "write `P2D`, or `DTEND` with the day after the last one",
    })
}

/// A rule that brings it back on the same date; any other is refused.
fn yearly(line: &Line, first: Date) -> Result<Yearly, BadLine> {
    let fault = |message: String, hint| BadLine { line: line.at, message, hint };
    let (mut frequency, mut out) = (false, Yearly { every: 1, until: None });
    for part in line.value.trim().to_ascii_uppercase().split(';').filter(|part| !part.is_empty()) {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        let same = |wanted: i8| value.parse::<i8>() == Ok(wanted);
        match name {
            "FREQ" if value == "YEARLY" => frequency = true,
            "FREQ" => return Err(fault(format!("events that come back `{}` are not read here", cut(value)), YEARLY)),
            "INTERVAL" => match value.parse::<i16>() {
                Ok(every) if every > 0 => out.every = every,
                _ => return Err(fault(format!("`INTERVAL={}` is not a number of years", cut(value)), YEARLY)),
            },
            "UNTIL" => match value.get(..8).and_then(date) {
                Some(until) => out.until = Some(until),
                None => return Err(fault(format!("`UNTIL={}` is not a date", cut(value)), "write it as in `UNTIL=20301231`")),
            },
            "BYMONTH" if same(first.month()) => {}
            "BYMONTHDAY" if same(first.day()) => {}
            // Where a week begins makes no difference to a date.
            "WKST" => {}
            "COUNT" => return Err(fault("`COUNT` is not read here".to_owned(), "write the last year, as in `UNTIL=20301231`")),
            _ => return Err(fault(format!("`{}` makes other days than the date of `DTSTART`, and is not read here", cut(part)), EACH)),
        }
    }
    if frequency { Ok(out) } else { Err(fault("the rule does not say how often".to_owned(), YEARLY)) }
}

/// What an event is called, on one line.
fn unescaped(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n' | 'N') => out.push(' '),
                Some(other) => out.push(other),
                None => {}
            },
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out.trim().chars().take(NAME_CHARS_MAX).collect()
}

/// So much of what somebody wrote as fits in a sentence.
fn cut(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(64).collect()
}
