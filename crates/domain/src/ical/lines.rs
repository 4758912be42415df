//! The text as components with their lines (RFC 5545 §3.1): what is folded is joined, and each `BEGIN` has its own `END`.

use super::{EVENTS_MAX, TEXT_BYTES_MAX, Unreadable, cut};

/// Deepest nesting: an alarm in an event in a calendar is three.
const DEPTH_MAX: usize = 6;

/// A line with its continuations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// Of the text, from 1.
    pub at: usize,
    pub name: String,
    /// Upper-case names, and values without their quotation marks.
    pub params: Vec<(String, String)>,
    pub value: String,
    /// As it stands, unfolded.
    pub text: String,
}

impl Line {
    /// A parameter of this name.
    pub(super) fn param(&self, name: &str) -> Option<&str> {
        self.params.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// What stands between a `BEGIN` and its `END`, directly in the calendar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Component {
    pub at: usize,
    pub name: String,
    pub lines: Vec<Line>,
    /// Of a zone: its parts.
    pub inner: Vec<Component>,
}

/// The components of all calendars of a text.
pub(super) fn components(text: &str) -> Result<Vec<Component>, Unreadable> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(Unreadable(format!("it has more than {} KiB", TEXT_BYTES_MAX / 1024)));
    }
    let mut done: Vec<Component> = Vec::new();
    let mut open: Vec<Component> = Vec::new();
    let (mut events, mut is_calendar) = (0, false);
    for (at, text) in unfolded(text) {
        let Some(line) = split(at, &text) else {
            // Outside of a component it is something else than a calendar; within, a line that says nothing to us may be anything.
            match open.last_mut() {
                Some(_) => continue,
                None if is_calendar => return Err(Unreadable(format!("line {at} stands outside of a calendar"))),
                None => return Err(Unreadable("it does not begin with `BEGIN:VCALENDAR`, so that it is no calendar".to_owned())),
            }
        };
        match line.name.as_str() {
            "BEGIN" => {
                let name = line.value.trim().to_ascii_uppercase();
                if open.is_empty() && name != "VCALENDAR" {
                    return Err(Unreadable("it does not begin with `BEGIN:VCALENDAR`, so that it is no calendar".to_owned()));
                }
                if open.len() >= DEPTH_MAX {
                    return Err(Unreadable(format!("line {at}: components stand in one another more than {DEPTH_MAX} deep")));
                }
                if name == "VEVENT" {
                    events += 1;
                    if events > EVENTS_MAX {
                        return Err(Unreadable(format!("it has more than {EVENTS_MAX} events: leave out years that are over")));
                    }
                }
                is_calendar = true;
                open.push(Component { at, name, lines: Vec::new(), inner: Vec::new() });
            }
            "END" => {
                let name = line.value.trim().to_ascii_uppercase();
                let Some(component) = open.pop().filter(|component| component.name == name) else {
                    return Err(Unreadable(format!(
                        "line {at}: `END:{}` ends what was not begun, so that something is missing",
                        cut(&name)
                    )));
                };
                match open.as_mut_slice() {
                    [] => {}
                    [_calendar] => done.push(component),
                    [_, .., within] => within.inner.push(component),
                }
            }
            _ => match open.last_mut() {
                Some(component) => component.lines.push(line),
                None if is_calendar => return Err(Unreadable(format!("line {at} stands outside of a calendar"))),
                None => return Err(Unreadable("it does not begin with `BEGIN:VCALENDAR`, so that it is no calendar".to_owned())),
            },
        }
    }
    match open.last() {
        Some(component) => Err(Unreadable(format!("`BEGIN:{}` has no end, so that something is missing", cut(&component.name)))),
        None if !is_calendar => Err(Unreadable("it is empty".to_owned())),
        None => Ok(done),
    }
}

/// Physical lines joined: what begins with a space or a tab continues the line before it.
fn unfolded(text: &str) -> Vec<(usize, String)> {
    let mut joined: Vec<(usize, String)> = Vec::new();
    for (at, line) in text.trim_start_matches('\u{feff}').split('\n').enumerate() {
        let line = line.strip_suffix('\r').unwrap_or(line);
        match (line.strip_prefix([' ', '\t']), joined.last_mut()) {
            (Some(rest), Some((_, before))) => before.push_str(rest),
            _ if line.trim().is_empty() => {}
            _ => joined.push((at + 1, line.to_owned())),
        }
    }
    joined
}

/// `NAME;PARAM=VALUE:value`, where a quoted value may hold what otherwise ends it.
fn split(at: usize, text: &str) -> Option<Line> {
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
            other => parts.last_mut()?.push(other),
        }
    }
    let value = text.get(rest?..)?.to_owned();
    let mut parts = parts.into_iter();
    let name = parts.next()?.trim().to_ascii_uppercase();
    if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
        return None;
    }
    let params = parts.filter_map(|part| part.split_once('=').map(|(name, value)| (name.trim().to_ascii_uppercase(), value.to_owned())));
    Some(Line { at, name, params: params.collect(), value, text: text.to_owned() })
}
