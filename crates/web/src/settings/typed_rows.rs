//! Rows of fields and the values that they are: from a list to the texts of its rows, and back, with what the buttons beside
//! them do. The names of the fields say where they stand: `steps.0.page.1` is the second target of the first step.
//!
//! A row that says no more than an empty one is none. What rows cannot hold is shown as text, with the reason.

use allclear_domain::channel::{Carriage, WaysOut};
use allclear_domain::org::diff::FormKind;
use allclear_domain::org::forms::about::{Field, Input, Layout, THIS_MONDAY};
use allclear_domain::org::forms::rows::{ADDRESS, CHANNEL, Row, Shape, part_holds};
use allclear_engine::org::file::part::{value_of_yaml, yaml_of_value};
use serde_json::Value;

use crate::access::reader::Fields;

/// Most rows of one list that a form takes.
pub(crate) const ROWS_MAX: usize = 100;
/// What stands for the number of rows where a list is shown as text.
const TEXT: &str = "text";
/// The box that makes a contact of the mail address of the same form, and the field with that address.
pub(crate) const OWN: &str = "contacts.own";
pub(crate) const OWN_MAIL: &str = "email";

/// Why a field cannot be read, and what would work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Words {
    pub message: String,
    pub hint: Option<String>,
}

/// The field that says how many rows a list has.
pub(crate) fn count_of(path: &str) -> String {
    format!("{path}.#")
}

/// The field that says why a list is shown as text.
pub(crate) fn why_of(path: &str) -> String {
    format!("{path}.why")
}

/// Whether a part is asked for as rows, or as text.
pub(crate) const fn has_rows(input: Input) -> bool {
    matches!(input, Input::Rows(_) | Input::Contacts | Input::Part(..))
}

/// Whether a part is shown as text.
pub(crate) fn is_text(path: &str, fields: &Fields) -> bool {
    match fields.get(&count_of(path)) {
        Some(count) => count == TEXT,
        None => fields.get(path).is_some_and(|text| !text.trim().is_empty()),
    }
}

/// How many rows a list is shown with.
pub(crate) fn count(path: &str, fields: &Fields) -> usize {
    let said = fields.get(&count_of(path)).and_then(|text| text.parse().ok());
    let there = |at: &usize| fields.keys().any(|name| name.strip_prefix(path).is_some_and(|rest| rest.starts_with(&format!(".{at}."))));
    said.unwrap_or_else(|| (0..ROWS_MAX).take_while(there).count()).min(ROWS_MAX)
}

/// The texts of a value's fields, at this place.
pub(crate) fn fill(field: &Field, path: &str, value: &Value, out: &mut Fields, ways: WaysOut) {
    if has_rows(field.input) && is_long(value) {
        // What a form would cut it would lose.
        return as_text(path, value, Some(format!("it has more than {ROWS_MAX} entries")), out, ways);
    }
    if let Some(shape) = Shape::of(field.input, ways) {
        match shape.rows(value, ways) {
            Ok(rows) => fill_rows(&shape, path, &rows, rows.len() + shape.spare, out, ways),
            Err(why) => as_text(path, value, Some(why), out, ways),
        }
        return;
    }
    match (field.input, value) {
        (Input::Part(fields, _), Value::Object(keys)) => match part_holds(fields, keys) {
            Ok(()) => {
                drop(out.insert(count_of(path), "1".to_owned()));
                for field in fields {
                    if let Some(value) = keys.get(field.key) {
                        fill(field, &format!("{path}.{}", field.key), value, out, ways);
                    }
                }
            }
            Err(why) => as_text(path, value, Some(why), out, ways),
        },
        (Input::Part(..), _) => as_text(path, value, Some("it is no object with keys".to_owned()), out, ways),
        (Input::Several(..), Value::Array(list)) => {
            for (at, entry) in list.iter().enumerate() {
                drop(out.insert(format!("{path}.{at}"), plain(entry)));
            }
        }
        (Input::Names, Value::Array(list)) => drop(out.insert(path.to_owned(), list.iter().map(plain).collect::<Vec<_>>().join(", "))),
        (Input::Ticks(_), Value::Array(list)) => {
            for word in list {
                drop(out.insert(format!("{path}.{}", plain(word)), "1".to_owned()));
            }
        }
        (_, value) => drop(out.insert(path.to_owned(), plain(value))),
    }
}

/// Whether a list, or one within it, is longer than a form takes.
fn is_long(value: &Value) -> bool {
    match value {
        Value::Array(list) => list.len() > ROWS_MAX || list.iter().any(is_long),
        Value::Object(keys) => keys.values().any(is_long),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

fn fill_rows(shape: &Shape, path: &str, rows: &[Row], count: usize, out: &mut Fields, ways: WaysOut) {
    drop(out.insert(count_of(path), count.max(shape.first).min(ROWS_MAX).to_string()));
    for (at, row) in rows.iter().enumerate() {
        for field in &shape.fields {
            let name = format!("{path}.{at}.{}", field.key);
            match row.get(field.key) {
                Some(value) => fill(field, &name, value, out, ways),
                // What is not said is not what an empty row would say.
                None => drop(out.insert(name, String::new())),
            }
        }
    }
}

fn as_text(path: &str, value: &Value, why: Option<String>, out: &mut Fields, ways: WaysOut) {
    // An empty object is what a model writes for nothing.
    let is_nothing = value.as_object().is_some_and(serde_json::Map::is_empty) || value.as_array().is_some_and(Vec::is_empty);
    drop(out.insert(path.to_owned(), if is_nothing { String::new() } else { yaml_of_value(value, ways) }));
    drop(out.insert(count_of(path), TEXT.to_owned()));
    if let Some(why) = why {
        drop(out.insert(why_of(path), why));
    }
}

/// What the fields at this place say; nothing where they are left empty.
pub(crate) fn read(field: &Field, path: &str, fields: &Fields, ways: WaysOut) -> Result<Option<Value>, Words> {
    if has_rows(field.input) && is_text(path, fields) {
        let text = fields.get(path).map(|text| text.replace("\r\n", "\n")).unwrap_or_default();
        let value = value_of_yaml(&text).map_err(|fault| Words { message: fault.message, hint: fault.hint })?;
        return Ok(Some(value).filter(|value| !value.is_null()));
    }
    if let Some(said) = fields.get(&count_of(path)).and_then(|text| text.parse::<usize>().ok()).filter(|said| *said > ROWS_MAX) {
        let message = format!("{said} rows are more than the {ROWS_MAX} that a form takes");
        return Err(Words { message, hint: Some("write it as text: *Edit as text*".to_owned()) });
    }
    if let Some(shape) = Shape::of(field.input, ways) {
        let mut rows = rows(&shape, path, fields, ways);
        if field.input == Input::Contacts {
            rows.extend(own_mail(&rows, fields, ways));
        }
        return Ok((!rows.is_empty()).then(|| shape.written(rows, ways)));
    }
    Ok(plain_of(field, path, fields, ways))
}

/// What one field says, whose texts can be anything: what is wrong with it is judged later, with its place.
fn plain_of(field: &Field, path: &str, fields: &Fields, ways: WaysOut) -> Option<Value> {
    let typed = fields.get(path).map(|text| text.trim()).unwrap_or_default();
    match field.input {
        Input::Part(own, _) => {
            let said = own
                .iter()
                .filter_map(|field| Some((field.key.to_owned(), plain_of(field, &format!("{path}.{}", field.key), fields, ways)?)));
            let keys: Row = said.collect();
            (!keys.is_empty()).then_some(Value::Object(keys))
        }
        Input::Rows(_) => read(field, path, fields, ways).ok().flatten(),
        Input::Several(..) => {
            let texts = several(path, fields).into_iter().filter(|text| !text.is_empty());
            Some(texts.map(Value::from).collect::<Vec<_>>()).filter(|list| !list.is_empty()).map(Value::Array)
        }
        Input::Names => {
            let names: Vec<Value> = typed.split(',').map(str::trim).filter(|name| !name.is_empty()).map(Value::from).collect();
            (!names.is_empty()).then_some(Value::Array(names))
        }
        Input::Ticks(words) => {
            let on = words.iter().filter(|(word, _)| fields.contains_key(&format!("{path}.{word}")));
            let on: Vec<Value> = on.map(|(word, _)| Value::from(*word)).collect();
            (!on.is_empty()).then_some(Value::Array(on))
        }
        Input::Word(_) if matches!(typed, "true" | "false") => Some(Value::Bool(typed == "true")),
        // What is no number is judged as it was typed.
        Input::Number if !typed.is_empty() => Some(typed.parse::<u64>().map_or_else(|_| typed.into(), Value::from)),
        _ => (!typed.is_empty()).then(|| typed.into()),
    }
}

/// The texts of several fields, those that are left empty among them.
pub(crate) fn several(path: &str, fields: &Fields) -> Vec<String> {
    let text = |at: usize| fields.get(&format!("{path}.{at}")).map(|text| text.trim().to_owned());
    // All that were sent: a list that stands alone has no other way to be shown.
    let mut texts: Vec<String> = (0..).map_while(text).collect();
    while texts.last().is_some_and(String::is_empty) {
        texts.pop();
    }
    texts
}

/// The rows that say something.
pub(crate) fn rows(shape: &Shape, path: &str, fields: &Fields, ways: WaysOut) -> Vec<Row> {
    let row = |at: usize| -> Row {
        let said = shape.fields.iter().filter_map(|field| {
            let name = format!("{path}.{at}.{}", field.key);
            Some((field.key.to_owned(), plain_of(field, &name, fields, ways)?))
        });
        said.collect()
    };
    (0..count(path, fields).max(shape.first)).map(row).filter(|row| says_something(shape, row)).collect()
}

fn says_something(shape: &Shape, row: &Row) -> bool {
    // The week may have turned since the page was made.
    let is_fresh = |key: &str, value: &Value| {
        shape.fresh.iter().any(|(fresh, text)| *fresh == key && (*text == THIS_MONDAY || value.as_str() == Some(*text)))
    };
    row.iter().any(|(key, value)| !is_fresh(key, value))
}

/// The fields of rows that are needed and say nothing, by the keys that problems have.
pub(crate) fn gaps(field: &Field, fields: &Fields, ways: WaysOut) -> Vec<String> {
    let Some(shape) = Shape::of(field.input, ways).filter(|_| !is_text(field.key, fields)) else { return Vec::new() };
    let found = rows(&shape, field.key, fields, ways);
    let place = |at: usize, row: &Row| match shape.layout {
        Layout::ByWord(word) => {
            let list = |row: &Row| row.get(word).and_then(Value::as_str).unwrap_or_default().to_owned();
            let before = found.iter().take(at).filter(|other| list(other) == list(row)).count();
            format!("{}.{}[{before}]", field.key, list(row))
        }
        Layout::Objects | Layout::OrBare(_) | Layout::Contacts => format!("{}[{at}]", field.key),
    };
    let of_row = |(at, row): (usize, &Row)| {
        let empty: Vec<&str> = shape.fields.iter().filter(|own| own.needed && !row.contains_key(own.key)).map(|own| own.key).collect();
        let place = place(at, row);
        empty.into_iter().map(move |key| format!("{place}.{key}")).collect::<Vec<_>>()
    };
    found.iter().enumerate().flat_map(of_row).collect()
}

/// The contact that is made of the mail address of the same form, where that was asked for and there is none of it.
fn own_mail(rows: &[Row], fields: &Fields, ways: WaysOut) -> Option<Row> {
    let mail = fields.get(OWN_MAIL).map(|mail| mail.trim()).filter(|mail| !mail.is_empty() && fields.contains_key(OWN))?;
    let form = ways.iter().find(|form| form.carriage == Carriage::Mail)?;
    let is_there = rows.iter().any(|row| row.get(ADDRESS).and_then(Value::as_str) == Some(mail));
    (!is_there).then(|| [(CHANNEL.to_owned(), form.name.into()), (ADDRESS.to_owned(), mail.into())].into_iter().collect())
}

/// The contacts that the same form names, by id.
pub(crate) fn contact_ids(fields: &Fields, ways: WaysOut) -> Vec<String> {
    let field = FormKind::Person.field("contacts");
    let read = field.and_then(|field| read(field, field.key, fields, ways).ok().flatten());
    let contacts = read.as_ref().and_then(Value::as_array).into_iter().flatten();
    contacts.filter_map(|contact| Some(contact.get("id")?.as_str()?.to_owned())).collect()
}

/// What was typed with the empty rows behind the others, so that the number of a row is that of its entry.
pub(crate) fn compacted(kind: FormKind, mut fields: Fields, ways: WaysOut) -> Fields {
    for field in kind.about().fields {
        let Some(shape) = Shape::of(field.input, ways).filter(|_| !is_text(field.key, &fields)) else { continue };
        let (found, shown) = (rows(&shape, field.key, &fields, ways), count(field.key, &fields));
        forget(field.key, &mut fields);
        fill_rows(&shape, field.key, &found, shown.max(found.len()), &mut fields, ways);
    }
    fields
}

/// Takes a list's rows away, but not what stands beside them.
fn forget(path: &str, fields: &mut Fields) {
    fields.retain(|name, _| !name.strip_prefix(path).is_some_and(|rest| rest.starts_with('.')) || name == OWN);
}

/// What a button beside the rows asks for; its value says where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deed {
    /// One row more.
    More,
    /// A row goes before the one above it.
    Up,
    /// A row goes.
    Drop,
    /// A list is edited as text.
    AsText,
    /// A list is edited in rows.
    AsRows,
    /// What was typed is only looked at.
    Look,
}

impl Deed {
    const ALL: [Self; 6] = [Self::More, Self::Up, Self::Drop, Self::AsText, Self::AsRows, Self::Look];

    /// The name of its button.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::More => "do.more",
            Self::Up => "do.up",
            Self::Drop => "do.drop",
            Self::AsText => "do.text",
            Self::AsRows => "do.rows",
            Self::Look => "do.look",
        }
    }

    /// What of a form was pressed instead of what saves it, and where.
    pub(crate) fn of(fields: &Fields) -> Option<(Self, String)> {
        Self::ALL.into_iter().find_map(|deed| Some((deed, fields.get(deed.name())?.clone())))
    }

    /// The field that whoever pressed it goes on with: the first of a new row.
    pub(crate) fn leads_to(self, at: &str, kind: FormKind, fields: &Fields, ways: WaysOut) -> Option<String> {
        let shape = kind.field(at).and_then(|field| Shape::of(field.input, ways)).filter(|_| self == Self::More)?;
        let first = shape.fields.iter().find(|field| !shape.more.contains(&field.key))?;
        let last = count(at, fields).checked_sub(1)?;
        let one = if matches!(first.input, Input::Several(..)) { ".0" } else { "" };
        Some(format!("{at}.{last}.{}{one}", first.key))
    }

    /// Does it to what was typed. What names no place of the form does nothing.
    pub(crate) fn done(self, at: &str, kind: FormKind, fields: &mut Fields, ways: WaysOut) {
        fields.remove(self.name());
        match self {
            Self::More => {
                let shown = count(at, fields).max(least(kind, at, ways));
                drop(fields.insert(count_of(at), (shown + 1).min(ROWS_MAX).to_string()));
            }
            Self::Up | Self::Drop => {
                let Some((path, index)) = at.rsplit_once('.').and_then(|(path, index)| Some((path, index.parse::<usize>().ok()?))) else {
                    return;
                };
                let shown = count(path, fields).max(least(kind, path, ways));
                if index >= shown {
                    return;
                }
                if self == Self::Up {
                    moved(path, fields, |row| {
                        if row == index {
                            row.saturating_sub(1)
                        } else if row + 1 == index {
                            index
                        } else {
                            row
                        }
                    });
                    drop(fields.insert(count_of(path), shown.to_string()));
                } else {
                    fields.retain(|name, _| !name.starts_with(&format!("{path}.{index}.")));
                    moved(path, fields, |row| if row > index { row - 1 } else { row });
                    drop(fields.insert(count_of(path), (shown - 1).to_string()));
                }
            }
            Self::AsText => {
                let Some(field) = kind.field(at) else { return };
                let value = read(field, at, fields, ways).ok().flatten().unwrap_or(Value::Null);
                forget(at, fields);
                as_text(at, &value, None, fields, ways);
                if value.is_null() {
                    drop(fields.insert(at.to_owned(), String::new()));
                }
            }
            Self::AsRows => {
                let Some(field) = kind.field(at) else { return };
                match read(field, at, fields, ways) {
                    Ok(value) => {
                        let was = fields.remove(at);
                        forget(at, fields);
                        fill(field, at, &value.unwrap_or_else(|| nothing(field.input)), fields, ways);
                        // What was typed stays as it was typed.
                        if let (true, Some(was)) = (is_text(at, fields), was) {
                            drop(fields.insert(at.to_owned(), was));
                        }
                    }
                    Err(words) => drop(fields.insert(why_of(at), words.message)),
                }
            }
            Self::Look => {}
        }
    }
}

/// Nothing at all, as a list of this input writes it.
fn nothing(input: Input) -> Value {
    match input {
        Input::Rows(rows) if matches!(rows.layout, Layout::ByWord(_)) => Value::Object(Row::new()),
        Input::Part(..) => Value::Object(Row::new()),
        _ => Value::Array(Vec::new()),
    }
}

/// How many rows a list of the form is shown with at least.
fn least(kind: FormKind, path: &str, ways: WaysOut) -> usize {
    kind.field(path).and_then(|field| Shape::of(field.input, ways)).map_or(0, |shape| shape.first)
}

/// The rows of a list under other numbers.
fn moved(path: &str, fields: &mut Fields, to: impl Fn(usize) -> usize) {
    let place = |name: &str| -> Option<(usize, String)> {
        let (index, rest) = name.strip_prefix(path)?.strip_prefix('.')?.split_once('.')?;
        Some((index.parse().ok()?, rest.to_owned()))
    };
    let found: Vec<(String, usize, String)> =
        fields.keys().filter_map(|name| place(name).map(|(index, rest)| (name.clone(), index, rest))).collect();
    let taken: Vec<(usize, String, String)> =
        found.into_iter().filter_map(|(name, index, rest)| Some((index, rest, fields.remove(&name)?))).collect();
    for (index, rest, text) in taken {
        drop(fields.insert(format!("{path}.{}.{rest}", to(index)), text));
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
}

#[cfg(test)]
mod tests {
    use allclear_channels::registry::WAYS_OUT;
    use serde_json::json;

    use super::*;

    fn typed(pairs: &[(&str, &str)]) -> Fields {
        pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
    }

    fn value(kind: FormKind, key: &str, fields: &Fields) -> Value {
        read(kind.field(key).unwrap(), key, fields, WAYS_OUT).unwrap().unwrap_or_default()
    }

    #[test]
    fn what_is_longer_than_a_form_takes_is_text_and_nothing_of_it_is_lost() {
        let people: Vec<String> = (0..130).map(|n| format!("p{n}")).collect();
        let steps = json!([{"page": people, "within": "5m"}]);
        let many: Vec<Value> = (0..120).map(|n| json!({"page": [format!("person:p{n}")], "within": "5m"})).collect();
        for value_stored in [steps, Value::Array(many)] {
            let mut fields = Fields::new();
            fill(FormKind::Escalation.field("steps").unwrap(), "steps", &value_stored, &mut fields, WAYS_OUT);
            assert!(is_text("steps", &fields) && fields.contains_key(&why_of("steps")));
            assert_eq!(value(FormKind::Escalation, "steps", &fields), value_stored);
        }
        let posted = typed(&[("steps.#", "10000"), ("steps.0.page.0", "person:ana"), ("steps.0.within", "5m")]);
        assert!(read(FormKind::Escalation.field("steps").unwrap(), "steps", &posted, WAYS_OUT).is_err(), "said, and not cut");
    }

    #[test]
    fn rows_that_say_something_are_the_list_and_the_others_are_none() {
        let fields = typed(&[
            ("steps.#", "3"),
            ("steps.0.page.0", ""),
            ("steps.0.within", "5m"),
            ("steps.1.page.0", "schedule:rota"),
            ("steps.1.page.1", "person:ana"),
            ("steps.1.within", "10m"),
            ("steps.2.page.0", ""),
            ("steps.2.within", "7m"),
        ]);
        assert_eq!(
            value(FormKind::Escalation, "steps", &fields),
            json!([{"page": ["schedule:rota", "person:ana"], "within": "10m"}, {"within": "7m"}]),
            "what somebody changed is not dropped"
        );
        let contacts = typed(&[
            ("contacts.#", "2"),
            ("contacts.0.channel", "email"),
            ("contacts.0.address", "a@x.org"),
            ("contacts.1.channel", "email"),
            ("email", "b@x.org"),
            (OWN, "1"),
        ]);
        assert_eq!(
            value(FormKind::Person, "contacts", &contacts),
            json!([{"id": "mail", "email": "a@x.org"}, {"id": "mail-2", "email": "b@x.org"}])
        );
        let order = typed(&[
            ("notify.#", "2"),
            ("notify.0.urgency", "low"),
            ("notify.0.contact", "mail"),
            ("notify.1.urgency", "high"),
            ("notify.1.contact", "hook"),
            ("notify.1.after", "1m"),
        ]);
        assert_eq!(
            value(FormKind::Person, "notify", &order),
            json!({"low": [{"contact": "mail"}], "high": [{"contact": "hook", "after": "1m"}]})
        );
    }

    #[test]
    fn buttons_add_move_and_take_rows_and_turn_them_to_text_and_back() {
        let ways = WAYS_OUT;
        let mut fields = typed(&[
            ("steps.#", "2"),
            ("steps.0.page.0", "person:ana"),
            ("steps.0.within", "5m"),
            ("steps.1.page.0", "team:t"),
            ("steps.1.within", "9m"),
        ]);
        Deed::Up.done("steps.1", FormKind::Escalation, &mut fields, ways);
        assert_eq!((fields["steps.0.page.0"].as_str(), fields["steps.1.within"].as_str()), ("team:t", "5m"));
        Deed::More.done("steps", FormKind::Escalation, &mut fields, ways);
        assert_eq!(count("steps", &fields), 3);
        Deed::AsText.done("steps", FormKind::Escalation, &mut fields, ways);
        assert!(
            is_text("steps", &fields) && fields["steps"].contains("page: [team:t]") || fields["steps"].contains("page: [\"team:t\"]"),
            "{fields:?}"
        );
        Deed::AsRows.done("steps", FormKind::Escalation, &mut fields, ways);
        assert_eq!(fields["steps.1.page.0"], "person:ana");
        Deed::Drop.done("steps.0", FormKind::Escalation, &mut fields, ways);
        assert_eq!(value(FormKind::Escalation, "steps", &fields), json!([{"page": ["person:ana"], "within": "5m"}]));
        // A place that is none is passed over.
        Deed::Drop.done("steps.90", FormKind::Escalation, &mut fields, ways);
        Deed::Up.done("nothing", FormKind::Escalation, &mut fields, ways);
    }

    #[test]
    fn what_rows_cannot_hold_opens_as_text_and_says_why() {
        let mut fields = Fields::new();
        let field = FormKind::Escalation.field("steps").unwrap();
        let later = json!([{"page": ["person:ana"], "within": "5m", "of_later": 1}]);
        fill(field, "steps", &later, &mut fields, WAYS_OUT);
        assert!(is_text("steps", &fields));
        assert_eq!(fields["steps.why"], "`of_later` has no field here");
        assert_eq!(value(FormKind::Escalation, "steps", &fields), later);
        Deed::AsRows.done("steps", FormKind::Escalation, &mut fields, WAYS_OUT);
        assert!(is_text("steps", &fields) && fields["steps"].contains("of_later"));
    }
}
