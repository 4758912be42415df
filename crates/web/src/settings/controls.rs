//! Controls: what asks for one value, by how its field is asked for, without its label.

use allclear_domain::org::check::Spoken;
use allclear_domain::org::diff::FormKind;
use allclear_domain::org::forms::about::{Field, Input};
use allclear_domain::org::forms::target::NEXT;
use allclear_domain::org::snapshot::Org;
use maud::{Markup, html};
use serde_json::Value;

use super::typed::chosen;
use super::typed_rows::{contact_ids, several};
use crate::access::reader::Fields;
use crate::frame::pieces::capital;
use crate::frame::time_text::When;

/// Longest line that a field takes, in characters; the check has the exact limits.
const LINE_CHARS_MAX: u32 = 2048;
/// Rows of an empty field of several lines.
pub(crate) const ROWS_MIN: usize = 3;
/// Rows of a long one; it scrolls then.
pub(crate) const ROWS_MAX: usize = 24;

/// What the fields are made with.
pub(crate) struct Around<'a> {
    /// Of which kind the form is.
    pub kind: FormKind,
    pub org: &'a Org,
    pub when: &'a When,
    /// Formats of integrations that are spoken here.
    pub formats: &'a [Spoken],
    pub fields: &'a Fields,
    /// What is stored, with its secrets masked; nothing of a new one.
    pub stored: Option<&'a Value>,
    /// Where the form is sent.
    pub action: &'a str,
    /// The field that one goes on with.
    pub focus: Option<&'a str>,
    /// Whether they can only be read.
    pub owned: bool,
}

/// What is wrong with one field.
pub(crate) struct Wrong {
    /// The field's key.
    pub key: String,
    /// The row of it, where it is a list.
    pub row: Option<usize>,
    pub words: String,
}

/// One control: what it asks for and under which name.
pub(crate) struct Control<'a> {
    pub field: &'a Field,
    pub name: &'a str,
    pub id: &'a str,
    /// What it says where nothing was typed.
    pub fresh: &'a str,
    pub invalid: Option<&'a str>,
    pub described: Option<&'a str>,
    /// Where its label does not stand before it.
    pub label: Option<&'a str>,
    /// Whether a select offers no empty choice.
    pub closed: bool,
}

/// The element of a field, for links to it.
pub(crate) fn anchor(key: &str) -> String {
    format!("f-{key}")
}

/// The control of a field, without its label.
pub(crate) fn control(asked: &Control<'_>, around: &Around<'_>) -> Markup {
    let Control { field: row, name, id, fresh, invalid, described, label, closed } = *asked;
    let focus = around.focus == Some(name);
    let typed = around.fields.get(name).map_or(fresh, String::as_str);
    let line = |kind: &str, mode: Option<&str>, list: Option<&str>, here: bool| {
        html! {
            input type=(kind) id=(id) name=(name) value=(typed) required[row.needed] maxlength=[(kind == "text").then_some(LINE_CHARS_MAX)]
                inputmode=[mode] list=[list] data-offer-here[here] autocomplete="off"
                aria-invalid=[invalid] aria-describedby=[described] aria-label=[label]
                autofocus[focus];
        }
    };
    let area = |class: &str, text: &str| {
        let rows = text.lines().count().clamp(ROWS_MIN, ROWS_MAX);
        html! {
            textarea id=(id) name=(name) class=(class) rows=(rows) required[row.needed] spellcheck=[(class == "code").then_some("false")]
                aria-invalid=[invalid] aria-describedby=[described] { "\n" (text) }
        }
    };
    let select = |groups: &[(&str, Vec<(String, String)>)]| {
        let known = groups.iter().flat_map(|(_, options)| options).any(|(value, _)| value == typed);
        let options = |options: &[(String, String)]| {
            html! { @for (value, words) in options { option value=(value) selected[value == typed] { (words) } } }
        };
        html! {
            select id=(id) name=(name) required[row.needed] aria-invalid=[invalid] aria-describedby=[described] aria-label=[label]
                autofocus[focus] {
                @if !closed || typed.is_empty() {
                    option value="" selected[typed.is_empty()] { @if row.needed { "Choose" } @else { "—" } }
                }
                @for (name, of_group) in groups {
                    @if name.is_empty() { (options(of_group)) }
                    @else if !of_group.is_empty() { optgroup label=(name) { (options(of_group)) } }
                }
                // What is not there any more is still what the form says.
                @if !known && !typed.is_empty() { option value=(typed) selected { (typed) " (there is none)" } }
            }
        }
    };
    let one_of = |options: Vec<(String, String)>| select(&[("", options)]);
    let owned = |pairs: &[(&str, &str)]| pairs.iter().map(|(value, words)| ((*value).to_owned(), (*words).to_owned())).collect::<Vec<_>>();
    match row.input {
        Input::Line | Input::Length | Input::Turn | Input::Secret | Input::Names => line("text", None, None, false),
        Input::Number => line("text", Some("numeric"), None, false),
        Input::Instant => line("datetime-local", None, None, false),
        Input::Date => line("date", None, None, false),
        Input::Zone => {
            // Of somebody new nothing is known; where a script runs the browser's own zone is offered.
            let here = around.stored.is_none() && around.kind == FormKind::Person;
            html! { (line("text", None, Some("zones"), here)) (zones(around)) }
        }
        Input::Text => area("", typed),
        Input::Word(words) => one_of(owned(words)),
        Input::Format => one_of(around.formats.iter().map(|spoken| (spoken.kind.to_owned(), spoken.kind.to_owned())).collect()),
        Input::One(kind) => one_of(options(around.org, kind, "")),
        Input::Target => {
            let of = |kind: FormKind| (kind.about().plural, options(around.org, kind, &format!("{}:", kind.word())));
            let next = ("Next on call", options(around.org, FormKind::Schedule, &format!("{NEXT}:")));
            let mut named = vec![of(FormKind::Schedule), next, of(FormKind::Person), of(FormKind::Team)];
            // A plan brings in other organisations as well; nothing else can name one.
            if around.kind == FormKind::Plan && row.key == "involve" {
                named.push(of(FormKind::Organisation));
            }
            select(&named)
        }
        Input::Channel => one_of(around.org.channels().iter().map(|form| (form.name.to_owned(), capital(form.noun))).collect()),
        Input::Contact => one_of(contact_ids(around.fields, around.org.channels()).into_iter().map(|id| (id.clone(), id)).collect()),
        Input::Several(inner, least) => {
            let texts = several(name, around.fields);
            let shown = if around.owned { texts.len() } else { (texts.len() + 1).max(least) };
            let field = Field { input: *inner, needed: false, ..*row };
            html! {
                div class="several" id=(id) role="group" aria-label=(row.label) {
                    @for at in 0..shown {
                        @let (name, label) = (format!("{name}.{at}"), format!("{}, {}", row.label, at + 1));
                        @let id = anchor(&name);
                        @let label = Some(label.as_str());
                        @let one = Control { field: &field, name: &name, id: &id, fresh: "", invalid, described, label, closed: false };
                        (control(&one, around))
                    }
                }
            }
        }
        Input::Ticks(words) => html! {
            div class="ticks" id=(id) role="group" aria-label=(row.label) {
                @for (word, shown) in words {
                    @let name = format!("{name}.{word}");
                    label class="check" {
                        input type="checkbox" name=(name) value="1" checked[around.fields.contains_key(&name)];
                        span { (shown) }
                    }
                }
            }
        },
        Input::Many(_) => {
            let ids: Vec<String> = chosen(row.key, around.fields).into_iter().collect();
            html! {
                textarea id=(id) name=(name) rows="3" aria-invalid=[invalid] aria-describedby=[described] { "\n" (ids.join(", ")) }
                p class="hint" { "Ids, with commas between them." }
            }
        }
        // Each has a form of its own.
        Input::Check | Input::Rows(_) | Input::Part(..) | Input::Contacts => html! {},
    }
}

/// The forms of a kind as options; `before` stands before each id.
fn options(org: &Org, kind: FormKind, before: &str) -> Vec<(String, String)> {
    choices(org, kind).into_iter().map(|(id, name)| (format!("{before}{id}"), named(&id, &name))).collect()
}

/// The zones that are in use here, offered while one types.
fn zones(around: &Around<'_>) -> Markup {
    let bundle = around.org.bundle();
    let people = bundle.people.iter().filter_map(|person| person.time_zone.as_deref());
    let mut known: Vec<&str> = people.chain(bundle.schedules.iter().map(|form| form.time_zone.as_str())).chain(["Etc/UTC"]).collect();
    known.sort_unstable();
    known.dedup();
    html! { datalist id="zones" { @for zone in known { option value=(zone) {} } } }
}

/// A name, and the id where it says more.
fn named(id: &str, name: &str) -> String {
    if id == name { id.to_owned() } else { format!("{name} ({id})") }
}

/// The forms of a kind to choose from: id and name.
pub(crate) fn choices(org: &Org, kind: FormKind) -> Vec<(String, String)> {
    let names = org.bundle().names(kind).into_iter();
    names.map(|(id, name)| (id.to_owned(), name.unwrap_or(id).to_owned())).collect()
}

/// Words between backquotes as code.
pub(crate) fn marked(text: &str) -> Markup {
    html! { @for (at, part) in text.split('`').enumerate() { @if at % 2 == 1 { code { (part) } } @else { (part) } } }
}
