//! What of a form cannot be read, in the words of its own fields and all at once: what stands there, and how such a thing is
//! written. Whether what it names exists is judged in the checks, when it can be read.

use serde_json::{Map, Value};

use super::FormKind;
use super::about::{Field, Input, Layout};
use super::rows::{Shape, what};
use crate::channel::WaysOut;
use crate::org::problem::{Place, Problem};
use crate::org::words::{a, listed, nearest};
use crate::time::{Every, Length};

/// Everything of a form's body that its fields cannot take; nothing of a key that no field has.
#[must_use]
pub fn misshapen(kind: FormKind, body: &Value, ways: WaysOut) -> Vec<Problem> {
    let mut found = Found { ways, problems: Vec::new() };
    for field in kind.about().fields {
        if let Some(value) = body.get(field.key) {
            found.field(field, value, &Place::root().key(field.key));
        }
    }
    found.problems
}

struct Found {
    ways: WaysOut,
    problems: Vec<Problem>,
}

impl Found {
    fn wrong(&mut self, place: &Place, message: String, hint: impl Into<String>) {
        let (problem, hint) = (Problem::error(place.clone(), message), hint.into());
        self.problems.push(if hint.is_empty() { problem } else { problem.hint(hint) });
    }

    fn field(&mut self, field: &Field, value: &Value, place: &Place) {
        if let Some(shape) = Shape::of(field.input, self.ways) {
            return self.list(&shape, value, place);
        }
        match field.input {
            Input::Part(fields, example) => {
                if let Value::Object(keys) = value {
                    self.keys(fields, keys, place);
                } else {
                    let how = format!("it is written a key a line, as in `{}`", first_line(example));
                    self.wrong(place, format!("this is {}", what(value)), how);
                }
            }
            Input::Several(inner, _) => {
                if let Value::Array(list) = value {
                    for (at, entry) in list.iter().enumerate() {
                        self.field(&Field { input: *inner, ..*field }, entry, &place.index(at));
                    }
                } else {
                    self.wrong(place, format!("this is {}", what(value)), "it is a list, written `[a, b]`");
                }
            }
            Input::Names | Input::Ticks(_) | Input::Many(_) => {
                if !value.as_array().is_some_and(|list| list.iter().all(Value::is_string)) {
                    self.wrong(place, format!("this is {}", what(value)), "it is a list of words, written `[a, b]`");
                }
            }
            Input::Check | Input::Number | Input::Instant | Input::Rows(_) | Input::Contacts => {}
            Input::Line
            | Input::Text
            | Input::Length
            | Input::Turn
            | Input::Date
            | Input::Zone
            | Input::Secret
            | Input::Word(_)
            | Input::Format
            | Input::One(_)
            | Input::Target
            | Input::Contact
            | Input::Channel => self.word(field.input, value, place),
        }
    }

    fn word(&mut self, input: Input, value: &Value, place: &Place) {
        if value.is_array() || value.is_object() {
            return self.wrong(place, format!("this is {}, and one word is wanted", what(value)), "write the word alone");
        }
        let Some(text) = value.as_str() else { return };
        let shown = what(value);
        if input == Input::Length && text != "never" && text.parse::<Length>().is_err() {
            self.wrong(place, format!("{shown} is not a length of time"), "write a number and a unit, as in `90s`, `5m`, `1h30m`");
        } else if input == Input::Turn && text.parse::<Every>().is_err() {
            let hint = "write a number and a unit, as in `1w`, `2d`, `12h`, `1mo` (months), `1wd` (working days)";
            self.wrong(place, format!("{shown} is not a length of a turn"), hint);
        } else if input == Input::Date && text.parse::<jiff::civil::Date>().is_err() {
            self.wrong(place, format!("{shown} is not a date"), "write it as in `2026-01-05`");
        } else if let Input::Word(words) = input
            && !words.iter().any(|(word, _)| *word == text)
        {
            self.wrong(place, format!("{shown} is not known here"), format!("known: {}", listed(words.iter().map(|(word, _)| *word))));
        }
    }

    fn list(&mut self, shape: &Shape, value: &Value, place: &Place) {
        let how = format!("{} is written `{}`", a(shape.one), first_line(&shape.example));
        if let Layout::ByWord(word) = shape.layout {
            let Value::Object(lists) = value else { return self.wrong(place, format!("this is {}", what(value)), how) };
            let known = match shape.field(word).map(|field| field.input) {
                Some(Input::Word(words)) => words,
                _ => &[],
            };
            for (name, list) in lists {
                if known.iter().any(|(word, _)| word == name) {
                    self.entries(shape, list, &place.key(name), &how);
                } else {
                    self.unknown(name, known.iter().map(|(word, _)| *word), place);
                }
            }
            return;
        }
        self.entries(shape, value, place, &how);
    }

    fn entries(&mut self, shape: &Shape, value: &Value, place: &Place, how: &str) {
        let Value::Array(list) = value else {
            // An object may be one entry of which the dash was forgotten.
            let dash = if value.is_object() { "; each begins with `- `" } else { "" };
            return self.wrong(place, format!("this is {}, and a list is wanted", what(value)), format!("{how}{dash}"));
        };
        for (at, entry) in list.iter().enumerate() {
            let place = place.index(at);
            match (shape.layout, entry) {
                (Layout::OrBare(key), Value::String(_)) => {
                    if let Some(field) = shape.field(key) {
                        self.field(&field.clone(), entry, &place);
                    }
                }
                (Layout::Contacts, Value::Object(keys)) => self.contact(keys, &place),
                (Layout::ByWord(word), Value::Object(keys)) => {
                    let own: Vec<Field> = shape.fields.iter().filter(|field| field.key != word).copied().collect();
                    self.keys(&own, keys, &place);
                }
                (_, Value::Object(keys)) => self.keys(&shape.fields, keys, &place),
                _ => self.wrong(&place, format!("this is {}", what(entry)), how),
            }
        }
    }

    /// Which keys a contact has is judged with its channel.
    fn contact(&mut self, keys: &Map<String, Value>, place: &Place) {
        if !keys.contains_key("id") {
            self.wrong(&place.key("id"), "it has no id".to_owned(), "give it one, as in `id: mail`");
        }
        for (key, value) in keys.iter().filter(|(_, value)| value.is_array() || value.is_object()) {
            self.wrong(&place.key(key), format!("this is {}, and one word is wanted", what(value)), "write the word alone");
        }
    }

    fn keys(&mut self, fields: &[Field], keys: &Map<String, Value>, place: &Place) {
        for (key, value) in keys {
            match fields.iter().find(|field| field.key == key) {
                Some(field) => self.field(field, value, &place.key(key)),
                None => self.unknown(key, fields.iter().map(|field| field.key), place),
            }
        }
        for field in fields.iter().filter(|field| field.needed && !keys.contains_key(field.key)) {
            self.wrong(&place.key(field.key), "this is empty, and it is needed".to_owned(), "");
        }
    }

    fn unknown<'a>(&mut self, key: &str, known: impl Iterator<Item = &'a str> + Clone, place: &Place) {
        let shown: String = key.chars().filter(|c| !c.is_control()).take(64).collect();
        let hint = match nearest(key, known.clone()) {
            Some(word) => format!("did you mean `{word}`?"),
            None => format!("keys here: {}", listed(known)),
        };
        self.wrong(&place.key(&shown), format!("unknown key `{shown}`"), hint);
    }
}

/// The first line of an example; that it goes on is said.
fn first_line(example: &str) -> String {
    match example.split_once('\n') {
        Some((first, rest)) if rest.starts_with([' ', '\t']) || !rest.starts_with('-') => format!("{first} …"),
        Some((first, _)) => first.to_owned(),
        None => example.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::channel::sample::WAYS;

    fn told(kind: FormKind, body: Value) -> Vec<String> {
        misshapen(kind, &body, WAYS).iter().map(|problem| problem.to_string()).collect()
    }

    #[test]
    fn everything_that_cannot_be_read_is_told_in_the_words_of_the_form() {
        assert_eq!(
            told(
                FormKind::Schedule,
                json!({"layers": ["maria", {"people": "ana", "every": "week", "hand-off": "Mon 09:00", "starts": "soon"}]})
            ),
            [
                "layers[0]: this is the word `maria`; a layer is written `- people: [ana, ben] …`",
                "layers[1].every: the word `week` is not a length of a turn; write a number and a unit, as in `1w`, `2d`, `12h`, `1mo` (months), `1wd` (working days)",
                "layers[1].hand-off: unknown key `hand-off`; did you mean `handoff`?",
                "layers[1].people: this is the word `ana`; it is a list, written `[a, b]`",
                "layers[1].starts: the word `soon` is not a date; write it as in `2026-01-05`",
                "layers[1].handoff: this is empty, and it is needed",
            ]
        );
        assert_eq!(
            told(FormKind::Escalation, json!({"steps": {"page": ["person:ana"], "within": "5m"}})),
            [
                "steps: this is an object with keys, and a list is wanted; a step is written `- {page: [\"schedule:payments-primary\"], within: 5m}`; each begins with `- `"
            ]
        );
        assert_eq!(
            told(FormKind::Person, json!({"notify": {"urgent": []}})),
            ["notify.urgent: unknown key `urgent`; keys here: high, low"]
        );
    }
}
