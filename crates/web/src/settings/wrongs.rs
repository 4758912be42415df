//! Where a problem is on the page of a form: the label of its field with the number of the row, and the element to go to.

use allclear_domain::channel::WaysOut;
use allclear_domain::org::diff::FormKind;
use allclear_domain::org::forms::about::{Field, Input, Layout};
use allclear_domain::org::forms::rows::Shape;

use super::controls::anchor;
use super::typed_rows::{is_text, rows};
use crate::access::reader::Fields;

/// Where a problem is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Placed {
    /// The field of the form.
    pub field: &'static Field,
    /// The row of it, from 0.
    pub row: Option<usize>,
    /// `Contacts, row 2, Address`.
    pub label: String,
    /// What of it stands behind the field's own label and the row; empty where there is no more.
    pub within: String,
    /// The element.
    pub anchor: String,
}

enum Part<'a> {
    Key(&'a str),
    Index(usize),
}

/// The steps of `layers[0].people[1]`.
fn parts(key: &str) -> Vec<Part<'_>> {
    let words = key.split(['.', '[']).filter(|word| !word.is_empty());
    words.map(|word| word.strip_suffix(']').and_then(|number| number.parse().ok()).map_or(Part::Key(word), Part::Index)).collect()
}

/// Where a problem with this key is; nothing where no field has it.
pub(crate) fn placed(kind: FormKind, key: &str, fields: &Fields, ways: WaysOut) -> Option<Placed> {
    let steps = parts(key);
    let outermost = match steps.first() {
        Some(Part::Key(key)) => *key,
        Some(Part::Index(_)) | None => "",
    };
    let field = kind.about().fields.iter().find(|field| field.key == outermost || field.key.is_empty())?;
    let mut out = Placed { field, row: None, label: field.label.to_owned(), within: String::new(), anchor: anchor(field.key) };
    let rest = steps.get(1..).unwrap_or_default();
    let as_text = is_text(field.key, fields);
    if as_text {
        out.anchor = format!("{}-text", anchor(field.key));
    }
    if let Some(shape) = Shape::of(field.input, ways) {
        let (list, rest) = match (shape.layout, rest) {
            (Layout::ByWord(_), [Part::Key(list), rest @ ..]) => (Some(*list), rest),
            _ => (None, rest),
        };
        let [Part::Index(index), rest @ ..] = rest else { return Some(out) };
        let found = if as_text { Vec::new() } else { rows(&shape, field.key, fields, ways) };
        let named = match rest {
            [Part::Key(key), ..] => key,
            _ => "",
        };
        let (at, key) = shape.row_of(&found, list, *index, named, ways);
        out.row = Some(at);
        out.label = match list.filter(|_| as_text) {
            Some(list) => format!("{}, `{list}`, entry {}", field.label, at + 1),
            None => format!("{}, {} {}", field.label, if as_text { "entry" } else { "row" }, at + 1),
        };
        let row = format!("{}.{at}", field.key);
        if !as_text {
            out.anchor = anchor(&row);
        }
        if let Some(column) = shape.field(&key) {
            out.within = within(column, rest.get(1..).unwrap_or_default());
            if !as_text {
                out.anchor = anchor(&format!("{row}.{key}"));
            }
        }
    } else if let (Input::Part(own, _), [Part::Key(key), ..]) = (field.input, rest) {
        if let Some(column) = own.iter().find(|column| column.key == *key) {
            out.within = column.label.to_owned();
            if !as_text {
                out.anchor = anchor(&format!("{}.{key}", field.key));
            }
        }
    } else if let (Input::Several(..), [Part::Index(at), ..]) = (field.input, rest) {
        out.label = format!("{}, {}", field.label, at + 1);
        out.anchor = anchor(&format!("{}.{at}", field.key));
    }
    if !out.within.is_empty() {
        out.label = format!("{}, {}", out.label, out.within);
    }
    Some(out)
}

/// The label of a field of a row, and what stands within it.
fn within(column: &Field, rest: &[Part<'_>]) -> String {
    match (column.input, rest) {
        (Input::Several(..), [Part::Index(at), ..]) => format!("{} {}", column.label, at + 1),
        (Input::Rows(rows), [Part::Index(at), rest @ ..]) => {
            let inner = match rest {
                [Part::Key(key), ..] => rows.fields.iter().find(|field| field.key == *key),
                _ => None,
            };
            let place = format!("{}, {} {}", column.label, rows.one, at + 1);
            inner.map_or(place.clone(), |inner| format!("{place}, {}", inner.label))
        }
        _ => column.label.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use allclear_channels::registry::WAYS_OUT;

    use super::*;

    fn told(kind: FormKind, key: &str, fields: &[(&str, &str)]) -> (String, String) {
        let fields = fields.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        let placed = placed(kind, key, &fields, WAYS_OUT).unwrap();
        (placed.label, placed.anchor)
    }

    #[test]
    fn a_problem_is_named_as_the_form_names_its_field() {
        let of = |label: &str, anchor: &str| (label.to_owned(), anchor.to_owned());
        let notify = [
            ("notify.#", "2"),
            ("notify.0.urgency", "low"),
            ("notify.0.contact", "a"),
            ("notify.1.urgency", "high"),
            ("notify.1.contact", "b"),
        ];
        assert_eq!(
            told(FormKind::Person, "notify.high[0].contact", &notify),
            of("Which contacts, in which order, row 2, Contact", "f-notify.1.contact")
        );
        assert_eq!(told(FormKind::Person, "contacts[1].email", &[]), of("Contacts, row 2, Address", "f-contacts.1.address"));
        assert_eq!(told(FormKind::Schedule, "layers[0].people[1]", &[]), of("Layers, row 1, People in turn 2", "f-layers.0.people"));
        assert_eq!(
            told(FormKind::Schedule, "layers[0].only[1].from", &[]),
            of("Layers, row 1, Only within, window 2, From", "f-layers.0.only")
        );
        assert_eq!(
            told(FormKind::Schedule, "layers[2]", &[("layers.#", "text"), ("layers", "- x")]),
            of("Layers, entry 3", "f-layers-text")
        );
        assert_eq!(told(FormKind::Route, "set.group_wait", &[]), of("Sets, Waits for others", "f-set.group_wait"));
        assert_eq!(told(FormKind::CatchAll, "targets[1]", &[]), of("Whom to page, 2", "f-targets.1"));
    }
}
