//! Lists as rows of fields: which fields a row has, which values rows can hold, and what rows say.
//!
//! A contact is written with its address under the name of its channel; as a row it says the channel and the address. Whatever
//! rows cannot hold is told in words, so that it can be shown as text instead and nothing is lost.

use serde_json::{Map, Value};

use super::about::{Field, Input, Layout, Rows, needed, row};
use super::contact::CONTACT_KEYS;
use crate::channel::WaysOut;

/// The channel of a contact, as a row says it.
pub const CHANNEL: &str = "channel";
/// Its address, as a row says it.
pub const ADDRESS: &str = "address";
const ID: &str = CONTACT_KEYS[0];
const VERIFIED: &str = CONTACT_KEYS[1];

/// A list that is asked for in rows, with the fields that it has here.
#[derive(Debug, Clone)]
pub struct Shape {
    /// One entry, within a sentence.
    pub one: &'static str,
    /// The fields of a row.
    pub fields: Vec<Field>,
    /// How the entries are written.
    pub layout: Layout,
    /// Rows that are shown at least.
    pub first: usize,
    /// Empty rows behind those that are filled.
    pub spare: usize,
    /// Keys of fields that are unfolded, unless they say something.
    pub more: Vec<&'static str>,
    /// What an empty row says already.
    pub fresh: Vec<(&'static str, &'static str)>,
    /// As YAML.
    pub example: String,
}

/// One entry: what its fields say.
pub type Row = Map<String, Value>;

impl Shape {
    /// The rows of an input; nothing where it is not asked for in rows.
    #[must_use]
    pub fn of(input: Input, ways: WaysOut) -> Option<Self> {
        if let Input::Rows(rows) = input {
            return Some(Self::plain(rows));
        }
        (input == Input::Contacts).then(|| Self::contacts(ways))
    }

    fn plain(rows: &Rows) -> Self {
        let Rows { one, fields, layout, first, spare, more, fresh, example } = *rows;
        Self { one, fields: fields.to_vec(), layout, first, spare, more: more.to_vec(), fresh: fresh.to_vec(), example: example.to_owned() }
    }

    fn contacts(ways: WaysOut) -> Self {
        let mut fields = vec![
            needed(CHANNEL, "Channel", "", Input::Channel),
            needed(ADDRESS, "Address", "", Input::Line),
            row(ID, "Id", "Left empty it is made from the channel.", Input::Line),
        ];
        for form in ways.iter() {
            for field in form.fields.iter().filter(|field| field.key != form.name) {
                if !fields.iter().any(|known| known.key == field.key) {
                    fields.push(row(field.key, field.label, field.hint, Input::Line));
                }
            }
        }
        let unverified = &[("false", "Not verified: not paged yet")];
        fields.push(row(VERIFIED, "Verified", "What an administrator writes counts as verified.", Input::Word(unverified)));
        let fresh = ways.iter().next().map(|form| (CHANNEL, form.name)).into_iter().collect();
        let more = fields.iter().map(|field| field.key).filter(|key| ![CHANNEL, ADDRESS, ID].contains(key)).collect();
        Self { one: "contact", fields, more, layout: Layout::Contacts, first: 1, spare: 1, fresh, example: ways.examples() }
    }

    /// The field of this key.
    #[must_use]
    pub fn field(&self, key: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.key == key)
    }

    /// What is written, as rows.
    ///
    /// # Errors
    /// Why rows cannot hold it, as half a sentence.
    pub fn rows(&self, value: &Value, ways: WaysOut) -> Result<Vec<Row>, String> {
        if let Layout::ByWord(word) = self.layout {
            let lists = value.as_object().ok_or("it is no object of lists")?;
            let mut out = Vec::new();
            for (name, list) in lists {
                for entry in list.as_array().ok_or_else(|| format!("`{name}` is no list"))? {
                    let mut row = self.held(entry, ways)?;
                    row.insert(word.to_owned(), name.clone().into());
                    self.known(&row)?;
                    out.push(row);
                }
            }
            return Ok(out);
        }
        value.as_array().ok_or("it is no list")?.iter().map(|entry| self.held(entry, ways)).collect()
    }

    fn held(&self, entry: &Value, ways: WaysOut) -> Result<Row, String> {
        let row = match (self.layout, entry) {
            (Layout::OrBare(key), Value::String(_)) => [(key.to_owned(), entry.clone())].into_iter().collect(),
            (Layout::Contacts, Value::Object(keys)) => contact_row(keys, ways)?,
            (_, Value::Object(keys)) => keys.clone(),
            _ => return Err(format!("{} is no {}", what(entry), self.one)),
        };
        self.known(&row)?;
        Ok(row)
    }

    /// Every key has a field, which can hold its value.
    fn known(&self, row: &Row) -> Result<(), String> {
        for (key, value) in row {
            let field = self.field(key).ok_or_else(|| format!("`{key}` has no field here"))?;
            if !holds(field.input, value) {
                return Err(format!("the field `{key}` cannot hold {}", what(value)));
            }
        }
        Ok(())
    }

    /// What rows say, as it is written.
    #[must_use]
    pub fn written(&self, rows: Vec<Row>, ways: WaysOut) -> Value {
        match self.layout {
            Layout::Objects => rows.into_iter().map(Value::Object).collect(),
            Layout::OrBare(key) => rows
                .into_iter()
                .map(|mut row| if row.len() == 1 { row.remove(key).unwrap_or(Value::Object(row)) } else { Value::Object(row) })
                .collect(),
            Layout::ByWord(word) => {
                let mut out = Map::new();
                for mut row in rows {
                    let name = row.remove(word).as_ref().and_then(Value::as_str).unwrap_or_default().to_owned();
                    if let Value::Array(list) = out.entry(name).or_insert_with(|| Value::Array(Vec::new())) {
                        list.push(Value::Object(row));
                    }
                }
                Value::Object(out)
            }
            Layout::Contacts => contacts(rows, ways),
        }
    }

    /// Which row an entry is, and the key of its field: what a problem names as `high[0].contact` or `[1].email`.
    #[must_use]
    pub fn row_of(&self, rows: &[Row], list: Option<&str>, index: usize, key: &str, ways: WaysOut) -> (usize, String) {
        let at = match self.layout {
            Layout::ByWord(word) => {
                let of_list = |row: &Row| row.get(word).and_then(Value::as_str) == list;
                rows.iter().enumerate().filter(|(_, row)| of_list(row)).nth(index).map_or(index, |(at, _)| at)
            }
            Layout::Objects | Layout::OrBare(_) | Layout::Contacts => index,
        };
        let is_address = self.layout == Layout::Contacts && ways.named(key).is_some();
        (at, if is_address { ADDRESS.to_owned() } else { key.to_owned() })
    }
}

/// Whether a field shows a value as it is.
fn holds(input: Input, value: &Value) -> bool {
    match input {
        Input::Rows(rows) => Shape::plain(rows).rows(value, WaysOut::NONE).is_ok(),
        Input::Names => value.as_array().is_some_and(|list| !list.is_empty() && list.iter().all(|name| is_plain(name) && !says(name, ','))),
        Input::Several(..) | Input::Many(_) => value.as_array().is_some_and(|list| list.iter().all(is_plain)),
        Input::Ticks(words) => {
            let known = |word: &Value| words.iter().any(|(known, _)| Some(*known) == word.as_str());
            value.as_array().is_some_and(|list| list.iter().all(known))
        }
        Input::Part(fields, _) => value.as_object().is_some_and(|keys| part_holds(fields, keys).is_ok()),
        Input::Line
        | Input::Text
        | Input::Number
        | Input::Length
        | Input::Turn
        | Input::Date
        | Input::Zone
        | Input::Instant
        | Input::Secret
        | Input::Check
        | Input::Word(_)
        | Input::Format
        | Input::One(_)
        | Input::Target
        | Input::Contact
        | Input::Channel
        | Input::Contacts => !value.is_array() && !value.is_object() && (!value.is_string() || is_plain(value)),
    }
}

/// Whether a text comes back from a field as it is: a browser takes the edges and what breaks a line away.
fn is_plain(value: &Value) -> bool {
    value.as_str().is_some_and(|text| !text.is_empty() && text.trim() == text && !text.chars().any(char::is_control))
}

fn says(value: &Value, sign: char) -> bool {
    value.as_str().is_some_and(|text| text.contains(sign))
}

/// Whether the fields of a part can hold it; why not, as half a sentence.
///
/// # Errors
/// The first key that has no field, or whose field cannot hold it.
pub fn part_holds(fields: &[Field], keys: &Row) -> Result<(), String> {
    for (key, value) in keys {
        let field = fields.iter().find(|field| field.key == key).ok_or_else(|| format!("`{key}` has no field here"))?;
        if !holds(field.input, value) {
            return Err(format!("the field `{key}` cannot hold {}", what(value)));
        }
    }
    Ok(())
}

fn contact_row(keys: &Row, ways: WaysOut) -> Result<Row, String> {
    let mine: Vec<&str> = ways.iter().map(|form| form.name).filter(|name| keys.contains_key(*name)).collect();
    let [channel] = mine.as_slice() else {
        return Err(if mine.is_empty() { "a contact has no address" } else { "a contact has two addresses" }.to_owned());
    };
    let mut row = keys.clone();
    let address = row.remove(*channel).unwrap_or(Value::Null);
    row.insert(CHANNEL.to_owned(), (*channel).into());
    row.insert(ADDRESS.to_owned(), address);
    // What is so where nothing is said.
    if row.get(VERIFIED) == Some(&Value::Bool(true)) {
        row.remove(VERIFIED);
    }
    Ok(row)
}

/// Contacts as they are written; one without an id is called as people call such a contact.
fn contacts(rows: Vec<Row>, ways: WaysOut) -> Value {
    let mut taken: Vec<String> = rows.iter().filter_map(|row| Some(row.get(ID)?.as_str()?.to_owned())).collect();
    let mut out = Vec::new();
    for mut row in rows {
        let channel = row.remove(CHANNEL).as_ref().and_then(Value::as_str).unwrap_or_default().to_owned();
        if let Some(address) = row.remove(ADDRESS) {
            row.insert(channel.clone(), address);
        }
        if !row.contains_key(ID) {
            let plain = ways.named(&channel).map_or("contact", |form| form.id_example);
            let id = unused(plain, |id| taken.iter().any(|taken| taken == id));
            taken.push(id.clone());
            row.insert(ID.to_owned(), id.into());
        }
        out.push(Value::Object(row));
    }
    Value::Array(out)
}

/// The id itself where it is free, else with the first number that is.
#[must_use]
pub fn unused(id: &str, is_taken: impl Fn(&str) -> bool) -> String {
    if !is_taken(id) {
        return id.to_owned();
    }
    (2_u32..).map(|number| format!("{id}-{number}")).find(|id| !is_taken(id)).unwrap_or_else(|| id.to_owned())
}

/// What a value is, in a sentence.
#[must_use]
pub fn what(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(_) => format!("the word `{value}`"),
        Value::Number(number) => format!("the number `{number}`"),
        Value::String(text) => {
            let shown: String = text.chars().filter(|c| !c.is_control() && *c != '`').take(64).collect();
            if shown.contains(' ') { format!("the text `{shown}`") } else { format!("the word `{shown}`") }
        }
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object with keys".to_owned(),
    }
}
