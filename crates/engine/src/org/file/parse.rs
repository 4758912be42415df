//! One text to forms, and the parsers' complaints in our words.

use allclear_domain::org::forms::checker::COMES_WITH;
use allclear_domain::org::model::Bundle;
use allclear_domain::org::problem::{PathPart, Place};
use allclear_domain::org::words::{listed, nearest};
use allclear_domain::time::DATE_HINT;
use serde_json::Value;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::lines::Lines;
use super::{FileProblem, Format, fault};

/// Deepest nesting of YAML; the forms need eight.
const DEPTH_MAX: usize = 32;
/// Most events that aliases may replay, so that a few lines cannot stand for a billion.
const ALIAS_EVENTS_MAX: usize = 100_000;
/// Most values in one YAML file; a file of [`super::FILE_LEN_MAX`] bytes has fewer.
const NODES_MAX: usize = 600_000;

/// The forms of one text and where they stand.
pub(crate) fn parse(text: &str, format: Format, file: &str) -> Result<(Bundle, Lines), Vec<FileProblem>> {
    match format {
        Format::Yaml => parse_yaml(text, file),
        Format::Json => parse_json(text, file),
        Format::Toml => parse_toml(text, file),
    }
}

fn parse_yaml(text: &str, file: &str) -> Result<(Bundle, Lines), Vec<FileProblem>> {
    // A file of comments only, or an empty one, is an organisation without forms.
    if text.lines().all(|line| matches!(line.trim(), "" | "---") || line.trim_start().starts_with('#')) {
        return Ok((Bundle::default(), Lines::default()));
    }
    let parsed = serde_saphyr::from_str_with_options::<Bundle>(text, yaml_options());
    parsed.map(|bundle| (bundle, Lines::of_yaml(text))).map_err(|error| {
        let at = error.location().map(|l| (u32::try_from(l.line()).unwrap_or(0), u32::try_from(l.column()).unwrap_or(0)));
        vec![explained(&yaml_words(error.without_snippet()), file, at, &Lines::of_yaml(text))]
    })
}

/// What is read of YAML at most.
pub(crate) fn yaml_options() -> serde_saphyr::Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: DEPTH_MAX,
            max_nodes: NODES_MAX,
            max_documents: 1,
            max_recorded_anchor_events: ALIAS_EVENTS_MAX,
        },
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: ALIAS_EVENTS_MAX },
        with_snippet: false,
    }
}

/// The YAML reader's words; those it shortens are said as serde says them, with what is known.
pub(crate) fn yaml_words(error: &serde_saphyr::Error) -> String {
    use serde_saphyr::Error;
    let quoted = |known: &[&'static str]| known.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
    #[allow(clippy::wildcard_enum_match_arm)] // the reader's, not ours: what it has to say of anything else is said as it is
    match error {
        Error::SerdeUnknownField { field, expected, .. } => format!("unknown field `{field}`, expected {}", quoted(expected)),
        Error::SerdeUnknownVariant { variant, expected, .. } => format!("unknown variant `{variant}`, expected {}", quoted(expected)),
        other => without_position(&other.to_string()),
    }
}

fn parse_json(text: &str, file: &str) -> Result<(Bundle, Lines), Vec<FileProblem>> {
    serde_json::from_str::<Bundle>(text).map(|bundle| (bundle, Lines::of_yaml(text))).map_err(|error| {
        let at = (error.line() > 0).then(|| (u32::try_from(error.line()).unwrap_or(0), u32::try_from(error.column()).unwrap_or(0)));
        let words = without_position(&error.to_string());
        let lines = if error.is_data() { Lines::of_yaml(text) } else { Lines::default() };
        vec![explained(&words, file, at, &lines)]
    })
}

/// TOML has dates and times of its own, which the forms take as text; so it is read into a tree
/// first, and each entry of a list then by itself, so that every faulty entry is told.
fn parse_toml(text: &str, file: &str) -> Result<(Bundle, Lines), Vec<FileProblem>> {
    let line_at = |offset: usize| {
        let count = text.as_bytes()[..offset.min(text.len())].iter().filter(|b| **b == b'\n').count();
        u32::try_from(count + 1).unwrap_or(u32::MAX)
    };
    let table = DeTable::parse(text).map_err(|error| {
        let line = error.span().map(|span| line_at(span.start));
        vec![fault(file, line, "", error.message(), "")]
    })?;
    let mut lines = Lines::default();
    let tree = toml_table(table.get_ref(), &Place::root(), &mut lines, &line_at);
    let mut problems = Vec::new();
    for (key, value) in &tree {
        let alone = |value: Value| Value::Object([(key.clone(), value)].into_iter().collect());
        let place = Place::root().key(key);
        let parts: Vec<(Place, Value)> = match value {
            Value::Array(entries) if !entries.is_empty() => {
                entries.iter().enumerate().map(|(at, entry)| (place.index(at), alone(Value::Array(vec![entry.clone()])))).collect()
            }
            Value::Array(_) | Value::Object(_) | Value::String(_) | Value::Number(_) | Value::Bool(_) | Value::Null => {
                vec![(place, alone(value.clone()))]
            }
        };
        for (place, part) in parts {
            if let Err(error) = serde_json::from_value::<Bundle>(part) {
                problems.push(explained_below(&error.to_string(), file, &place, &lines));
            }
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    match serde_json::from_value(Value::Object(tree)) {
        Ok(bundle) => Ok((bundle, lines)),
        Err(error) => Err(vec![explained_below(&error.to_string(), file, &Place::root(), &lines)]),
    }
}

fn toml_table(table: &DeTable<'_>, place: &Place, lines: &mut Lines, line_at: &impl Fn(usize) -> u32) -> serde_json::Map<String, Value> {
    let mut out = serde_json::Map::new();
    for (key, value) in table {
        let name: &str = key.get_ref();
        let inner = place.key(name);
        lines.insert(inner.clone(), line_at(key.span().start), 1);
        out.insert(name.to_owned(), toml_value(value, &inner, lines, line_at));
    }
    out
}

fn toml_value(value: &Spanned<DeValue<'_>>, place: &Place, lines: &mut Lines, line_at: &impl Fn(usize) -> u32) -> Value {
    match value.get_ref() {
        DeValue::String(text) => Value::from(text.as_ref()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix()).map_or(Value::Null, Value::from),
        DeValue::Float(number) => number.as_str().parse::<f64>().map_or(Value::Null, Value::from),
        DeValue::Boolean(truth) => Value::from(*truth),
        DeValue::Datetime(at) => Value::from(at.to_string()),
        DeValue::Array(entries) => entries
            .iter()
            .enumerate()
            .map(|(at, entry)| {
                let inner = place.index(at);
                lines.insert(inner.clone(), line_at(entry.span().start), 1);
                toml_value(entry, &inner, lines, line_at)
            })
            .collect(),
        DeValue::Table(table) => Value::Object(toml_table(table, place, lines, line_at)),
    }
}

/// A complaint whose position is known: the key is found from it.
fn explained(words: &str, file: &str, at: Option<(u32, u32)>, lines: &Lines) -> FileProblem {
    let said = Said::of(words);
    let key = match (&said.key, at) {
        (Some(key), _) => key.clone(),
        (None, Some((line, column))) => lines.place_at(line, column).map(ToString::to_string).unwrap_or_default(),
        (None, None) => String::new(),
    };
    let hint = if said.hint.is_empty() { hint_for(&key).to_owned() } else { said.hint };
    fault(file, at.map(|(line, _)| line), &key, said.message, hint)
}

/// What a value of this key looks like, where the complaint does not say.
pub(crate) fn hint_for(key: &str) -> &'static str {
    match key.rsplit(['.', ']']).next().unwrap_or("") {
        "starts" | "ends" => "write a date, as in `2026-01-05`",
        "starts_at" | "ends_at" => "write an instant, as in `2026-01-05T09:00:00Z`",
        "tier" => "write a number from 1 to 5",
        "again_every" | "acknowledgement_lasts" => "write a length, as in `30m`, or `never`",
        "repeat" => "write a whole number, as in `2`",
        "declare" => "write `true`, `candidate` or `record`",
        _ => "",
    }
}

/// A complaint of which only the form is known: the line is that of the key it names, or of the
/// form.
fn explained_below(words: &str, file: &str, place: &Place, lines: &Lines) -> FileProblem {
    let said = Said::of(words);
    let named = said.key.as_deref().and_then(|key| {
        lines
            .below(place)
            .filter(|(inner, _)| matches!(inner.parts().last(), Some(PathPart::Key(last)) if last == key))
            .map(|(_, line)| line)
            .min()
    });
    let key = said.key.clone().unwrap_or_else(|| place.to_string());
    fault(file, named.or_else(|| lines.line_of(place)), &key, said.message, said.hint)
}

/// Keys of a file that are promised, and not there yet.
const KEYS_TO_COME: [&str; 1] = ["status_pages"];

/// A complaint in our words.
pub(crate) struct Said {
    pub key: Option<String>,
    pub message: String,
    pub hint: String,
}

impl Said {
    pub(crate) fn of(words: &str) -> Self {
        if let Some((key, known)) = after_word(words, "unknown field ") {
            let hint = match key.as_str() {
                // The keys that the forms have and a file may not.
                "overrides" => "overrides are made over the API or in the schedule's page; no file owns them".to_owned(),
                "own_contacts" => "what people say themselves of how they are reached stands on their page Me; no file owns it".to_owned(),
                _ if KEYS_TO_COME.contains(&key.as_str()) && known.iter().any(|known| known == "people") => {
                    return Self {
                        message: format!("`{key}` is not there yet"),
                        hint: format!("take it away; it comes with version {COMES_WITH}"),
                        key: Some(key),
                    };
                }
                _ => suggestion(&key, &known, "keys here"),
            };
            return Self { message: format!("unknown key `{key}`"), key: Some(key), hint };
        }
        if let Some((word, known)) = after_word(words, "unknown variant ") {
            return Self { key: None, message: format!("`{word}` is not known here"), hint: suggestion(&word, &known, "known") };
        }
        if let Some((key, _)) = after_word(words, "missing field ") {
            return Self { key: None, message: format!("`{key}` is missing"), hint: format!("add `{key}: …` here") };
        }
        if let Some((key, _)) = after_word(words, "duplicate field ").or_else(|| after_word(words, "duplicate mapping key: ")) {
            return Self { message: format!("`{key}` is said twice"), key: Some(key), hint: "keep one of the two".into() };
        }
        let (message, hint) = match words {
            "expected sequence start" => ("a list is wanted here", "write it as `[a, b]`, or one entry a line, each after `- `"),
            "expected mapping start" => ("an object with keys is wanted here", "write it as `{id: …}`, or one key a line"),
            _ if words.contains("expected a sequence") => (words, "write a list, as `[a, b]`"),
            _ if words.contains("expected struct") => (words, "write an object with keys, as `{id: …}`"),
            _ if allclear_domain::time::unread(words).is_some() => ("this is no date or time that can be read", DATE_HINT),
            _ if words.starts_with("invalid u") => ("a whole number is wanted here", ""),
            _ if words.contains("unclosed bracket") => (words, "close it before the next key"),
            _ if words.contains("tabs disallowed") => (words, "indent with spaces"),
            "trailing comma" => (words, "take the last comma away"),
            _ => (words, ""),
        };
        Self { key: None, message: message.to_owned(), hint: hint.to_owned() }
    }
}

fn suggestion(given: &str, known: &[String], what: &str) -> String {
    let words = || known.iter().map(String::as_str);
    match nearest(given, words()) {
        Some(word) => format!("did you mean `{word}`?"),
        None if known.is_empty() => String::new(),
        None => format!("{what}: {}", listed(words())),
    }
}

/// The first quoted word after a beginning, and the quoted words after that.
fn after_word(words: &str, beginning: &str) -> Option<(String, Vec<String>)> {
    let rest = words.strip_prefix(beginning)?;
    let mut quoted = rest.split(['`', '\'', '"']).skip(1).step_by(2).map(str::to_owned);
    match quoted.next() {
        Some(first) => Some((first, quoted.collect())),
        None => Some((rest.split([' ', ',']).next()?.to_owned(), Vec::new())),
    }
}

/// The words without the position that parsers add to them; it is told apart.
pub(crate) fn without_position(words: &str) -> String {
    let cut = words.find(" at line ").into_iter().chain(words.find("at line ").filter(|at| *at == 0)).min();
    let line = words.lines().next().unwrap_or(words);
    cut.map_or(line, |cut| &words[..cut]).trim_end_matches([',', ':', ' ']).to_owned()
}
