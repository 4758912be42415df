//! Parts of the organisation by themselves: one form as a body, one value of a form as YAML. What a
//! browser or the API changes goes through the same reader as a file, with the same words.

use allclear_domain::channel::WaysOut;
use allclear_domain::org::diff::{Form, FormKind, ORDER, from_forms};
use allclear_domain::org::model::Bundle;
use allclear_domain::org::problem::PathPart;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};
use serde_saphyr::{FlowMap, FlowSeq};

use super::lines::Lines;
use super::parse::{Said, hint_for, without_position, yaml_options, yaml_words};
use crate::org::below;

/// What is wrong with a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartFault {
    /// The key within the form; empty where it is not known.
    pub key: String,
    /// What is wrong.
    pub message: String,
    /// What would work.
    pub hint: Option<String>,
}

impl PartFault {
    fn of(words: &str, place: Option<String>) -> Self {
        let said = Said::of(words);
        // A key that is missing has no place of its own.
        let missing = || Some(said.message.strip_suffix("` is missing")?.strip_prefix('`')?.to_owned());
        let key = place.or_else(|| said.key.clone()).or_else(missing).unwrap_or_default();
        let hint = if said.hint.is_empty() { hint_for(&key).to_owned() } else { said.hint };
        Self { key, message: said.message, hint: Some(hint).filter(|hint| !hint.is_empty()) }
    }
}

/// One value that is written as YAML; nothing at all is `null`.
///
/// # Errors
/// Where it cannot be read: what, and on which of its lines.
pub fn value_of_yaml(text: &str) -> Result<Value, PartFault> {
    if text.trim().is_empty() {
        return Ok(Value::Null);
    }
    if let Some((tag, line)) = super::tags::foreign(text) {
        let message = format!("line {line}: the tag `{tag}` is not read here");
        let hint = "write the value itself; a file that is applied may name a secret with `!env NAME` or `!file PATH`".to_owned();
        return Err(PartFault { key: String::new(), message, hint: Some(hint) });
    }
    serde_saphyr::from_str_with_options::<Value>(text, yaml_options()).map_err(|error| {
        let mut fault = PartFault::of(&yaml_words(error.without_snippet()), Some(String::new()));
        if let Some(line) = error.location().map(|at| at.line()) {
            fault.message = format!("line {line}: {}", fault.message);
        }
        fault
    })
}

/// The value as YAML, laid out as people write it.
#[must_use]
pub fn yaml_of_value(value: &Value, channels: WaysOut) -> String {
    // JSON is YAML too: what the writer cannot write is still shown as it is.
    let text = serde_saphyr::to_string(&Laid(value, channels)).unwrap_or_else(|_| value.to_string());
    text.trim_end().to_owned()
}

/// Keys that come first, as the guide writes them, the channels' own among them; the others follow in order of the alphabet.
const FIRST: [&str; 12] = ["id", "name", "contact", "page", "people", "high", "days", "from", "every", "handoff", "severity", "starts"];
/// Most keys of an object on one line.
const FLOW_KEYS_MAX: usize = 4;

/// A value whose lists of words and whose small objects stand on one line.
struct Laid<'a>(&'a Value, WaysOut);

impl Serialize for Laid<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let is_word = |value: &Value| !value.is_array() && !value.is_object();
        match self.0 {
            Value::Array(entries) if entries.iter().all(is_word) => FlowSeq(entries).serialize(to),
            Value::Array(entries) => to.collect_seq(entries.iter().map(|entry| Laid(entry, self.1))),
            Value::Object(keys) if keys.len() <= FLOW_KEYS_MAX && !keys.is_empty() && keys.values().all(is_word) => {
                FlowMap(Sorted(keys, self.1)).serialize(to)
            }
            Value::Object(keys) => Sorted(keys, self.1).serialize(to),
            word @ (Value::String(_) | Value::Number(_) | Value::Bool(_) | Value::Null) => word.serialize(to),
        }
    }
}

struct Sorted<'a>(&'a Map<String, Value>, WaysOut);

impl Serialize for Sorted<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let own: Vec<&str> = self.1.iter().map(|form| form.name).collect();
        let (first, rest) = FIRST.split_at(FIRST.len() - 2);
        let rank = |key: &str| first.iter().chain(&own).chain(rest).position(|first| *first == key).unwrap_or(usize::MAX);
        let mut keys: Vec<_> = self.0.iter().collect();
        keys.sort_by_key(|(key, _)| (rank(key), key.as_str()));
        to.collect_map(keys.into_iter().map(|(key, value)| (key, Laid(value, self.1))))
    }
}

/// Whether a body is one of its kind: every key known, every value readable.
///
/// # Errors
/// The first thing that is not.
pub fn read_form(kind: FormKind, id: &str, body: &Value) -> Result<(), PartFault> {
    let mut body = body.clone();
    if kind == FormKind::Route
        && let Some(route) = body.as_object_mut()
    {
        route.remove(ORDER);
    }
    let alone = match kind {
        FormKind::CatchAll => body.get("targets").cloned().unwrap_or(Value::Null),
        // A file has none of these, so that they are read by themselves.
        FormKind::Override | FormKind::OwnContacts | FormKind::CalendarCopy => {
            let form = Form { kind, id: id.to_owned(), body };
            return from_forms([form]).map(drop).map_err(|bad| PartFault::of(&without_position(&bad.why), None));
        }
        FormKind::Person
        | FormKind::Team
        | FormKind::Schedule
        | FormKind::Escalation
        | FormKind::Service
        | FormKind::Integration
        | FormKind::Route
        | FormKind::Severity
        | FormKind::Silence
        | FormKind::Audience
        | FormKind::Calendar
        | FormKind::Target
        | FormKind::Organisation
        | FormKind::Role
        | FormKind::Plan
        | FormKind::Type
        | FormKind::Triage
        | FormKind::NotifyDefault
        | FormKind::Obligation
        | FormKind::ReportForm
        | FormKind::Absence
        | FormKind::Holidays
        | FormKind::ExternalCalendar
        | FormKind::TemporarySchedule => json!([body]),
    };
    let text = serde_json::to_string_pretty(&json!({ kind.list(): alone })).unwrap_or_default();
    serde_json::from_str::<Bundle>(&text).map(drop).map_err(|error| {
        let is_missing = error.to_string().starts_with("missing field");
        let place = place_of(&text, error.line(), is_missing).map(|parts| match parts.as_slice() {
            [PathPart::Key(_), PathPart::Index(at)] if kind == FormKind::CatchAll => format!("targets[{at}]"),
            [PathPart::Key(_)] if kind == FormKind::CatchAll => "targets".to_owned(),
            [_, _, rest @ ..] => below(rest).to_string(),
            _ => String::new(),
        });
        PartFault::of(&without_position(&error.to_string()), place.filter(|place| !place.is_empty()))
    })
}

/// What stands on a line of pretty JSON; of a line that only closes something, what it closes, where that lacks something. Else
/// it is the value before it, whose words were read before they were judged.
fn place_of(text: &str, line: usize, is_missing: bool) -> Option<Vec<PathPart>> {
    let lines: Vec<&str> = text.lines().collect();
    let indent = |line: &str| line.len() - line.trim_start().len();
    let mut at = line.checked_sub(1)?;
    let mut here = lines.get(at)?;
    if here.trim_start().starts_with(['}', ']']) && !is_missing {
        at = at.checked_sub(1)?;
        here = lines.get(at)?;
    }
    if here.trim_start().starts_with(['}', ']']) {
        at = (0..at).rev().find(|before| indent(lines[*before]) == indent(here))?;
    }
    let found = Lines::of_yaml(text).place_at(u32::try_from(at + 1).ok()?, u32::MAX)?.parts().to_vec();
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(kind: FormKind, body: Value) -> (String, String, String) {
        let fault = read_form(kind, "x", &body).unwrap_err();
        (fault.key, fault.message, fault.hint.unwrap_or_default())
    }

    #[test]
    fn what_is_wrong_with_a_form_names_its_key() {
        let person = |contacts: Value| json!({"id": "x", "name": "X", "contacts": contacts});
        assert_eq!(read_form(FormKind::Person, "x", &person(json!([{"id": "a", "email": "x@example.org"}]))), Ok(()));
        let (key, message, hint) = fault(FormKind::Person, json!({"id": "x", "name": "X", "emial": "x@example.org"}));
        assert!(key == "emial" && message.contains("emial") && hint.contains("email"), "{key} {message} {hint}");
        let (key, message, _) = fault(FormKind::Person, person(json!([{"id": "b"}, {"email": "x@example.org"}])));
        assert_eq!((key.as_str(), message.as_str()), ("contacts[1]", "`id` is missing"));
        let (key, ..) = fault(FormKind::Person, person(json!("nobody")));
        assert_eq!(key, "contacts");
        let (key, ..) = fault(FormKind::Service, json!({"id": "x", "name": "X", "tier": "high"}));
        assert_eq!(key, "tier");
        let (key, ..) = fault(FormKind::CatchAll, json!({"targets": ["person:a", 7]}));
        assert_eq!(key, "targets[1]");
        let (key, ..) = fault(FormKind::Severity, json!({"id": "sev1", "update_every": "soon"}));
        assert_eq!(key, "update_every", "the last key too");
        let (key, message, _) = fault(FormKind::Team, json!({"id": "x"}));
        assert_eq!((key.as_str(), message.as_str()), ("name", "`name` is missing"));
        let route = json!({"id": "x", "match": "a=\"1\"", "order": 3});
        assert_eq!(read_form(FormKind::Route, "x", &route), Ok(()));
    }

    #[test]
    fn a_part_as_yaml_comes_back() {
        let layers = json!([{"people": ["ana", "ben"], "every": "1w", "handoff": "Mon 09:00", "starts": "2026-01-05"}]);
        let text = yaml_of_value(&layers, WaysOut::NONE);
        assert_eq!(text, "- people: [ana, ben]\n  every: 1w\n  handoff: Mon 09:00\n  starts: \"2026-01-05\"");
        assert_eq!(value_of_yaml(&text).unwrap(), layers);
        let odd = json!({"high": [{"contact": "a: b", "after": "1m"}, {"contact": "c, {d}"}], "x": {"y": [], "z": {}}, "t": "true", "n": 7, "b": false});
        assert_eq!(value_of_yaml(&yaml_of_value(&odd, WaysOut::NONE)).unwrap(), odd, "{}", yaml_of_value(&odd, WaysOut::NONE));
        assert_eq!(value_of_yaml("- {people: [ana, ben], every: 1w, handoff: \"Mon 09:00\", starts: 2026-01-05}").unwrap(), layers);
        assert_eq!(value_of_yaml("  \n").unwrap(), Value::Null);
        assert!(value_of_yaml("- {a: 1\n- b").unwrap_err().message.starts_with("line "));
    }
}
