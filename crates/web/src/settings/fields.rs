//! The fields of a form, from the table: each with its label, its hint and what is wrong with it.

use allclear_domain::org::forms::about::{Field, Input};
use maud::{Markup, html};

use super::controls::{Around, Control, Wrong, anchor, choices, control, marked};
use super::rows;
use super::typed::chosen;
use super::typed_rows::has_rows;
use crate::access::reader::Fields;

/// More than these are typed as ids rather than ticked: a page of a thousand boxes helps nobody.
const BOXES_MAX: usize = 40;

/// One field.
pub(crate) fn field(row: &Field, around: &Around<'_>, wrong: &[Wrong]) -> Markup {
    let id = anchor(row.key);
    let mine: Vec<&str> = wrong.iter().filter(|wrong| wrong.key == row.key).map(|wrong| wrong.words.as_str()).collect();
    let invalid = (!mine.is_empty()).then_some("true");
    let (hint, fault) = (format!("{id}-hint"), format!("{id}-wrong"));
    let described = [(!row.hint.is_empty()).then_some(hint.as_str()), invalid.map(|_| fault.as_str())]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(" ");
    if has_rows(row.input) {
        return rows::part(row, around, wrong);
    }
    let is_set = row.input == Input::Secret && around.stored.is_some_and(|body| body.get(row.key).is_some_and(|value| !value.is_null()));
    let told = html! {
        @if is_set { p class="quiet" { "One is set; leave this empty to keep it." } }
        @else if row.input == Input::Secret && around.stored.is_some() { p class="quiet" { "None is set." } }
        @if !row.hint.is_empty() { p class="hint" id=(hint) { (marked(row.hint)) } }
        @if !mine.is_empty() { div class="wrong" id=(fault) { @for words in &mine { p { (marked(words)) } } } }
    };
    if let Input::Many(kind) = row.input {
        let known = choices(around.org, kind);
        if known.len() <= BOXES_MAX {
            return html! {
                fieldset class="field choice" id=(id) aria-describedby=[some(&described)] {
                    legend { (row.label) } (boxes(row.key, &known, around.fields)) (told)
                }
            };
        }
    }
    if row.input == Input::Check {
        return html! {
            div class="field" {
                label class="check" {
                    input type="checkbox" id=(id) name=(row.key) value="1" checked[around.fields.contains_key(row.key)]
                        aria-describedby=[some(&described)];
                    span { (row.label) }
                }
                (told)
            }
        };
    }
    let described = some(&described);
    let asked = Control { field: row, name: row.key, id: &id, fresh: "", invalid, described, label: None, closed: false };
    html! {
        div class="field" {
            label for=(id) {
                (row.label)
                @if row.input == Input::Instant { span class="quiet" { " " (around.when.zone()) } }
                @if row.needed && !around.owned { span class="quiet" { " (needed)" } }
            }
            (control(&asked, around))
            (told)
        }
    }
}

fn some(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

fn boxes(key: &str, known: &[(String, String)], fields: &Fields) -> Markup {
    let on = chosen(key, fields);
    let gone = on.iter().filter(|id| !known.iter().any(|(known, _)| known == *id));
    html! {
        div class="boxes" {
            @for (id, name) in known {
                label class="check" {
                    input type="checkbox" name={ (key) "." (id) } value="1" checked[on.contains(id)];
                    span { bdi { (name) } }
                }
            }
            @for id in gone {
                label class="check" { input type="checkbox" name={ (key) "." (id) } value="1" checked; span { (id) " (there is none)" } }
            }
            @if known.is_empty() && on.is_empty() { p class="quiet" { "There are none yet." } }
        }
    }
}
