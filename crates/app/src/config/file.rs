//! Reads `allclear.toml`: flat keys with the names of the flags.
//!
//! A key that is no setting is refused with its line, since a misspelt setting is one that does
//! not hold. What a value means is judged in [`config`](crate::config), for all sources alike.

use std::collections::BTreeMap;

use toml::de::{DeTable, DeValue};

use crate::config::{ConfigError, SETTINGS, Value, find};

/// The settings of a file's text.
///
/// # Errors
/// Where it is not TOML, or a key is no setting, with the line.
pub fn parse(text: &str, file: &str) -> Result<BTreeMap<&'static str, Value>, ConfigError> {
    let line_of = |at: usize| text[..text.floor_char_boundary(at)].matches('\n').count() + 1;
    let fault = |at: usize, message: String| ConfigError::File { file: file.to_owned(), line: line_of(at), message };
    let table = DeTable::parse(text).map_err(|why| fault(why.span().map_or(0, |span| span.start), why.message().to_owned()))?;
    let mut out = BTreeMap::new();
    for (key, value) in table.get_ref() {
        let at = key.span().start;
        let Some(setting) = find(key.get_ref()) else {
            let known: Vec<&str> = SETTINGS.iter().map(|setting| setting.name).collect();
            return Err(fault(at, format!("`{}` is no setting; one of {} is", key.get_ref(), known.join(", "))));
        };
        let text = plain(value.get_ref())
            .ok_or_else(|| fault(at, format!("`{}` takes a text, a number, true or false, or a list of texts", setting.name)))?;
        let origin = format!("{file}:{}", line_of(at));
        if out.insert(setting.name, Value { text, origin }).is_some() {
            return Err(fault(at, format!("`{}` stands twice, spelt with - and with _; keep one", setting.name)));
        }
    }
    Ok(out)
}

fn plain(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) => Some(number.to_string()),
        DeValue::Boolean(yes) => Some(yes.to_string()),
        DeValue::Array(list) => {
            let texts: Option<Vec<&str>> = list.iter().map(|entry| entry.get_ref().as_str()).collect();
            Some(texts?.join(","))
        }
        _ => None,
    }
}
