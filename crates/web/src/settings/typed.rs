//! From a form's body to the texts of its fields, and back: what is shown, and what was typed.
//!
//! A key that has no field stays as it is stored: what a later release wrote is not lost because
//! this one does not show it. What was not touched comes back as it was, to the second.

use std::collections::BTreeSet;

use allclear_domain::channel::WaysOut;
use allclear_domain::org::diff::FormKind;
use allclear_domain::org::forms::about::{Field, Input};
use allclear_domain::org::forms::misshapen::misshapen;
use jiff::Timestamp;
use serde_json::Value;

use super::typed_rows;
use super::typed_rows::Words;
use crate::access::reader::Fields;
use crate::frame::time_text::When;

/// What cannot be read, and of which key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub key: String,
    pub message: String,
    pub hint: Option<String>,
}

/// The texts of a body's fields.
pub(crate) fn texts(kind: FormKind, body: &Value, when: &When, channels: WaysOut) -> Fields {
    let mut out = Fields::new();
    for row in kind.about().fields {
        let key = row.key.to_owned();
        let Some(value) = body.get(row.key) else { continue };
        match row.input {
            Input::Secret => {}
            Input::Check => drop((value == &Value::Bool(true)).then(|| out.insert(key, "1".to_owned()))),
            Input::Many(_) => {
                for id in strings(value) {
                    out.insert(format!("{}.{id}", row.key), "1".to_owned());
                }
            }
            Input::Rows(_) | Input::Contacts | Input::Part(..) | Input::Several(..) => {
                typed_rows::fill(row, row.key, value, &mut out, channels);
            }
            Input::Names => drop(out.insert(key, strings(value).join(", "))),
            Input::Instant => {
                let at: Option<Timestamp> = value.as_str().and_then(|text| text.parse().ok());
                out.insert(key, at.map_or_else(|| plain(value), |at| when.as_field(at)));
            }
            _ => drop(out.insert(key, plain(value))),
        }
    }
    out
}

/// The body that the fields say, over what is stored; or everything that cannot be read.
pub(crate) fn body(kind: FormKind, stored: &Value, fields: &Fields, when: &When, channels: WaysOut) -> Result<Value, Vec<Fault>> {
    let mut out = stored.as_object().cloned().unwrap_or_default();
    let mut faults = Vec::new();
    for row in kind.about().fields {
        match value(row, stored.get(row.key), fields, when, channels) {
            Ok(Some(value)) => drop(out.insert(row.key.to_owned(), value)),
            Ok(None) if row.needed => {
                faults.push(Fault { key: row.key.to_owned(), message: "this is empty, and it is needed".to_owned(), hint: None });
            }
            Ok(None) => drop(out.remove(row.key)),
            Err(Words { message, hint }) => faults.push(Fault { key: row.key.to_owned(), message, hint }),
        }
    }
    let out = Value::Object(out);
    for key in kind.about().fields.iter().flat_map(|row| typed_rows::gaps(row, fields, channels)) {
        faults.push(Fault { key, message: "this is empty, and it is needed".to_owned(), hint: None });
    }
    if faults.is_empty() {
        return Ok(out);
    }
    // All at once: what else of it could not be taken.
    for problem in misshapen(kind, &out, channels) {
        let fault = Fault { key: problem.place.to_string(), message: problem.message, hint: problem.hint };
        if !faults.contains(&fault) {
            faults.push(fault);
        }
    }
    Err(faults)
}

/// What a field says; nothing where it is left empty.
fn value(row: &Field, stored: Option<&Value>, fields: &Fields, when: &When, channels: WaysOut) -> Result<Option<Value>, Words> {
    let typed = fields.get(row.key).map(|text| text.replace("\r\n", "\n")).unwrap_or_default();
    let typed = typed.trim();
    let wrong = |message: &str, hint: &str| Err(Words { message: message.to_owned(), hint: Some(hint.to_owned()) });
    match row.input {
        Input::Check => return Ok(fields.contains_key(row.key).then_some(Value::Bool(true))),
        Input::Many(_) => {
            let ids = ordered(chosen(row.key, fields), stored);
            return Ok((!ids.is_empty()).then(|| ids.into()));
        }
        Input::Rows(_) | Input::Contacts | Input::Part(..) | Input::Several(..) => {
            return typed_rows::read(row, row.key, fields, channels);
        }
        _ if typed.is_empty() => return Ok(None),
        // A field shows no more than what it sends back: what was not touched keeps its edges and its breaks.
        Input::Instant | Input::Number | Input::Word(_) => {}
        _ => {
            if let Some(stored) = stored.filter(|stored| stored.as_str().is_some_and(|text| as_sent(text) == as_sent(typed))) {
                return Ok(Some(stored.clone()));
            }
        }
    }
    Ok(Some(match row.input {
        Input::Number => match typed.parse::<u64>() {
            Ok(number) => number.into(),
            Err(_) => return wrong("this is not a whole number", "write digits alone, as in 2"),
        },
        Input::Instant => match (when.of_field(typed), stored.and_then(Value::as_str).and_then(|text| text.parse::<Timestamp>().ok())) {
            // A field shows minutes; what was not touched keeps its seconds.
            (_, Some(stored)) if when.as_field(stored) == typed => stored.to_string().into(),
            (Some(at), _) => at.to_string().into(),
            (None, _) => return wrong("this time cannot be read", "it looks like 2026-03-01T09:00"),
        },
        Input::Names => typed.split(',').map(str::trim).filter(|name| !name.is_empty()).map(Value::from).collect(),
        Input::Word(_) => match (typed, typed.parse::<u64>()) {
            ("true" | "false", _) => (typed == "true").into(),
            (_, Ok(number)) => number.into(),
            (word, _) => word.into(),
        },
        _ => typed.into(),
    }))
}

/// A text as a form sends what it shows of it.
fn as_sent(text: &str) -> String {
    text.replace("\r\n", "\n").trim().to_owned()
}

/// The ids that a list's boxes, or its text, name.
pub(crate) fn chosen(key: &str, fields: &Fields) -> BTreeSet<String> {
    let boxes = fields.keys().filter_map(|name| name.strip_prefix(key)?.strip_prefix('.')).map(ToOwned::to_owned);
    let text = fields.get(key).map(String::as_str).unwrap_or_default();
    let words = text.split([',', '\n']).map(str::trim).filter(|word| !word.is_empty()).map(ToOwned::to_owned);
    boxes.chain(words).collect()
}

/// The same ids, those that were there before in the order they had.
fn ordered(ids: BTreeSet<String>, stored: Option<&Value>) -> Vec<String> {
    let was: Vec<String> = stored.map(strings).unwrap_or_default();
    let mut out: Vec<String> = was.into_iter().filter(|id| ids.contains(id)).collect();
    let new: Vec<String> = ids.into_iter().filter(|id| !out.contains(id)).collect();
    out.extend(new);
    out
}

fn strings(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).map(ToOwned::to_owned).collect()
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
}

#[cfg(test)]
mod tests {
    use allclear_channels::registry::WAYS_OUT;
    use serde_json::json;

    use super::*;

    fn when() -> When {
        When::new("2026-03-01T12:00:00Z".parse().unwrap(), Some("Europe/Madrid"))
    }

    /// What is shown and sent again unchanged.
    fn again(kind: FormKind, stored: &Value) -> Value {
        body(kind, stored, &texts(kind, stored, &when(), WAYS_OUT), &when(), WAYS_OUT).unwrap()
    }

    #[test]
    fn what_nobody_touched_comes_back_as_it_was() {
        for (kind, stored) in [
            (
                FormKind::Person,
                json!({"id": "ana", "name": "Ana", "contacts": [{"id": "m", "email": "a@x.org", "verified": false}], "notify": {"high": [{"contact": "m", "after": "1m"}]}}),
            ),
            (FormKind::Team, json!({"id": "t", "name": "T", "members": ["cho", "ana"], "a_key_of_later": {"kept": [1]}})),
            (FormKind::Service, json!({"id": "s", "name": "S", "tier": 2, "depends_on": ["z", "b"]})),
            (
                FormKind::Route,
                json!({"id": "r", "order": 3, "match": "a=\"1\"", "declare": true, "continue": true, "set": {"severity": "sev2"}}),
            ),
            (
                FormKind::Override,
                json!({"id": "o", "schedule": "s", "person": "ana", "starts_at": "2026-03-01T09:00:17Z", "ends_at": "2026-03-02T09:00:00Z"}),
            ),
            (FormKind::CatchAll, json!({"targets": ["person:ana", "team:t"]})),
            (FormKind::Team, json!({"id": "t", "name": " Payments and more  "})),
            (
                FormKind::Route,
                json!({"id": "r", "order": 3, "match": "a=\"1\" ", "set": {"group_by": ["a,b", " edge "], "title": " {title}"}}),
            ),
            (FormKind::Role, json!({"id": "p", "a_key_of_later": {"nested": [1, 2]}})),
        ] {
            assert_eq!(again(kind, &stored), stored, "{kind:?}");
        }
        let sealed = json!({"id": "i", "kind": "json", "key": "********"});
        assert_eq!(
            again(FormKind::Integration, &sealed),
            json!({"id": "i", "kind": "json"}),
            "the key is not said, so that the stored one stays"
        );
    }

    #[test]
    fn what_was_typed_is_read_in_the_reader_s_zone_and_what_is_empty_goes() {
        let stored =
            json!({"id": "o", "schedule": "s", "person": "ana", "starts_at": "2026-03-01T09:00:17Z", "ends_at": "2026-03-02T09:00:00Z"});
        let mut fields = texts(FormKind::Override, &stored, &when(), WAYS_OUT);
        assert_eq!(fields["starts_at"], "2026-03-01T10:00");
        fields.insert("ends_at".into(), "2026-03-03T10:30".into());
        let read = body(FormKind::Override, &stored, &fields, &when(), WAYS_OUT).unwrap();
        assert_eq!((&read["starts_at"], &read["ends_at"]), (&json!("2026-03-01T09:00:17Z"), &json!("2026-03-03T09:30:00Z")));

        let team = json!({"id": "t", "name": "T", "members": ["ana"]});
        let fields: Fields = [("name", "Tea"), ("members", "ben, cho"), ("members.dan", "1")].map(|(k, v)| (k.into(), v.into())).into();
        assert_eq!(
            body(FormKind::Team, &team, &fields, &when(), WAYS_OUT).unwrap(),
            json!({"id": "t", "name": "Tea", "members": ["ben", "cho", "dan"]})
        );
    }

    #[test]
    fn everything_that_cannot_be_read_is_told_at_once() {
        let fields: Fields = [("name", "E"), ("steps", "- {page: [\n"), ("repeat", "many")].map(|(k, v)| (k.into(), v.into())).into();
        let faults = body(FormKind::Escalation, &json!({}), &fields, &when(), WAYS_OUT).unwrap_err();
        assert_eq!(faults.iter().map(|fault| fault.key.as_str()).collect::<Vec<_>>(), ["steps", "repeat"]);
        let faults = body(FormKind::Person, &json!({"name": "Ana"}), &Fields::new(), &when(), WAYS_OUT).unwrap_err();
        assert_eq!(faults[0].key, "name", "what is needed is not taken away by leaving it empty");
    }
}
