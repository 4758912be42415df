//! `!env NAME` and `!file PATH` where a secret stands: put in as text before anything is read, by
//! whoever holds the environment. Any other tag is refused with its line, since a reader that passes
//! one over takes the words behind it for the value.
//!
//! It deliberately resolves nothing for a text that came over the network: that would read the server's
//! own environment and files for whoever may send one.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use allclear_domain::channel::WaysOut;
use allclear_domain::org::diff::FormKind;
use allclear_domain::org::forms::about::Input;
use allclear_domain::org::model::CONTACT_KEYS;
use allclear_domain::org::problem::{PathPart, Place};
use allclear_domain::org::words::a;
use serde_saphyr::granit_parser::{Event, Marker, Parser, Span, Tag};

use super::lines::{Lines, Open};
use super::{FileProblem, fault};

/// Most bytes of a file that holds a secret: far more than a key of an integration or of a webhook has.
const SECRET_BYTES_MAX: u64 = 4096;
/// Deepest nesting that is followed, as for lines: the forms need eight.
const DEPTH_MAX: usize = 32;

/// One variable of an environment; nothing where it is not set, or empty.
pub type Variable = fn(&str) -> Option<String>;

/// Where the secrets that a text names come from.
#[derive(Debug, Clone, Copy)]
pub enum Secrets {
    /// The environment and the files of this program; and the channels, whose addresses have secrets.
    Here(Variable, WaysOut),
    /// Nowhere: the text came from elsewhere.
    Nowhere,
}

/// The text with the secrets that it names put in. Lines stay where they are.
pub(crate) fn resolved<'a>(text: &'a str, path: &Path, secrets: Secrets) -> Result<Cow<'a, str>, Vec<FileProblem>> {
    if !text.contains('!') {
        return Ok(Cow::Borrowed(text));
    }
    let file = path.display().to_string();
    let folder = path.parent().map(Path::to_owned).unwrap_or_default();
    let mut problems = Vec::new();
    let mut out = String::with_capacity(text.len());
    let mut copied = 0;
    for Tagged { tag, place, value, span } in tagged(text) {
        let start = span.tag_start.unwrap_or(span.start);
        let line = u32::try_from(start.line()).ok();
        let key = place.as_ref().map(ToString::to_string).unwrap_or_default();
        let found = match named(&tag, place.as_ref(), value.as_deref(), secrets) {
            Ok(Named::Variable(name, read)) => read(name).ok_or_else(|| {
                (
                    format!("the variable `{}` is not set", cut(name)),
                    "set it where this program runs, or write the secret itself".to_owned(),
                )
            }),
            Ok(Named::File(name)) => read_secret(&folder.join(name)),
            Err(why) => Err(why),
        };
        match found {
            Ok(secret) => {
                let (from, to) = (byte_of(text, &start), byte_of(text, &span.end));
                out.push_str(text.get(copied..from).unwrap_or_default());
                quote(&secret, &mut out);
                copied = to;
            }
            Err((message, hint)) => problems.push(fault(&file, line, &key, message, hint)),
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    out.push_str(text.get(copied..).unwrap_or_default());
    Ok(Cow::Owned(out))
}

/// The first tag of a text that names no type of YAML's own, with its line.
pub(crate) fn foreign(text: &str) -> Option<(String, usize)> {
    let first = text.contains('!').then(|| tagged(text).into_iter().next()).flatten()?;
    Some((first.tag, first.span.tag_start.unwrap_or(first.span.start).line()))
}

/// A value, or a key, that carries a tag of its own.
struct Tagged {
    tag: String,
    /// None where it is a key, or where it is not known.
    place: Option<Place>,
    /// The text of one on a single line; a list or an object has none.
    value: Option<String>,
    span: Span,
}

fn tagged(text: &str) -> Vec<Tagged> {
    let mut lines = Lines::default();
    let mut open: Vec<Open> = Vec::new();
    let mut out = Vec::new();
    for event in Parser::new_from_str(text) {
        // What cannot be read is told by the reader.
        let Ok((event, span)) = event else { break };
        if open.len() > DEPTH_MAX {
            break;
        }
        #[allow(clippy::wildcard_enum_match_arm)] // the reader's, not ours: whatever else it meets is no value
        let (tag, value, opens) = match &event {
            Event::SequenceEnd | Event::MappingEnd => {
                open.pop();
                continue;
            }
            Event::Scalar(value, _, _, tag) => (tag.as_deref(), Some(value.as_ref()), None),
            Event::Alias(_) => (None, None, None),
            Event::SequenceStart(_, _, tag) => (tag.as_deref(), None, Some(true)),
            Event::MappingStart(_, _, tag) => (tag.as_deref(), None, Some(false)),
            _ => continue,
        };
        let place = lines.value(&mut open, value, (0, 0));
        if let Some(tag) = tag.filter(|tag| is_foreign(tag)) {
            let one_line = span.start.line() == span.end.line();
            out.push(Tagged { tag: tag.original(), place: place.clone(), value: value.filter(|_| one_line).map(str::to_owned), span });
        }
        if let Some(is_list) = opens {
            open.push(match place {
                None => Open::Unnamed,
                Some(place) if is_list => Open::List(place, 0),
                Some(place) => Open::Object(place, None),
            });
        }
    }
    out
}

/// `!!str` and its like say what the value is anyway, and `!` alone that it is text.
fn is_foreign(tag: &Tag) -> bool {
    tag.core_suffix().is_none() && tag.original() != "!"
}

/// What a tag asks for.
enum Named<'a> {
    Variable(&'a str, Variable),
    File(&'a str),
}

fn named<'a>(tag: &str, place: Option<&Place>, value: Option<&'a str>, secrets: Secrets) -> Result<Named<'a>, (String, String)> {
    if !matches!(tag, "!env" | "!file") {
        let message = format!("the tag `{}` is not known here", cut(tag));
        return Err((message, "write the value itself; where a secret stands, `!env NAME` and `!file PATH` are read".to_owned()));
    }
    if !place.is_some_and(|place| is_secret(place, secrets)) {
        let message = format!("`{tag}` is read only where a secret stands: {}", places_of_secrets(secrets));
        return Err((message, "write the value itself".to_owned()));
    }
    let Secrets::Here(read, _) = secrets else {
        let message = format!("`{tag}` is resolved by the program that reads the file, and this text came without one");
        return Err((
            message,
            "use `allclear config apply FILE` where the secret is, or the server's `--org FILE`; or write the secret itself".to_owned(),
        ));
    };
    let example = if tag == "!env" { "`!env CHECKOUT_KEY`" } else { "`!file /run/secrets/checkout-key`" };
    match value.map(str::trim).filter(|value| !value.is_empty()) {
        Some(name) if tag == "!env" => Ok(Named::Variable(name, read)),
        Some(name) => Ok(Named::File(name)),
        None => Err((format!("`{tag}` names nothing"), format!("write it on one line, as in {example}"))),
    }
}

/// Whether a secret stands at a place; of an address, whatever its keys may be, where nobody says which channels there are.
fn is_secret(place: &Place, secrets: Secrets) -> bool {
    use PathPart::{Index, Key};
    let asked = |list: &str, key: &str| FormKind::from_list(list).and_then(|kind| kind.field(key)).map(|field| field.input);
    match place.parts() {
        [Key(list), Index(_), Key(key)] => asked(list, key) == Some(Input::Secret),
        [Key(list), Index(_), Key(rows), Index(_), Key(part), Key(key)] => {
            let within = if let Some(Input::Rows(rows)) = asked(list, rows) { rows.fields } else { &[] };
            within.iter().filter(|field| field.key == part).flat_map(|field| field.secrets_within()).any(|secret| secret == key)
        }
        [Key(list), Index(_), Key(contacts), Index(_), Key(key)] => {
            asked(list, contacts) == Some(Input::Contacts)
                && match secrets {
                    Secrets::Here(_, channels) => channels.secret_keys().contains(&key.as_str()),
                    Secrets::Nowhere => !CONTACT_KEYS.contains(&key.as_str()),
                }
        }
        _ => false,
    }
}

fn places_of_secrets(secrets: Secrets) -> String {
    let mut places = Vec::new();
    for kind in FormKind::ALL {
        let fields = kind.about().fields.iter().filter(|field| field.input == Input::Secret);
        places.extend(fields.map(|field| format!("{}'s `{}`", a(kind.about().one), field.key)));
        for field in kind.about().fields {
            let Input::Rows(rows) = field.input else { continue };
            let parts = rows.fields.iter().flat_map(|part| part.secrets_within().map(|key| (part.key, key)));
            places.extend(parts.map(|(part, key)| format!("the `{key}` in the `{part}` of {}'s {}", a(kind.about().one), rows.one)));
        }
    }
    if let Secrets::Here(_, channels) = secrets {
        for form in channels.iter() {
            let keys = form.fields.iter().filter(|field| field.is_secret());
            places.extend(keys.map(|field| format!("a {} contact's `{}`", form.noun, field.key)));
        }
    }
    places.join(", ")
}

/// What a file holds, without the end of its last line. Its content is in no message.
fn read_secret(path: &PathBuf) -> Result<String, (String, String)> {
    use std::io::Read as _;
    let shown = path.display();
    let wrong = |why: String| {
        (format!("the file {shown} {why}"), "name a file that holds the secret alone; a path counts from this file's folder".to_owned())
    };
    let unreadable = |error: std::io::Error| wrong(format!("cannot be read: {error}"));
    // A pipe would be waited for, and a device never ends.
    if !std::fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err(wrong("is not a plain file".to_owned()));
    }
    let mut bytes = Vec::new();
    std::fs::File::open(path).map_err(unreadable)?.take(SECRET_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > SECRET_BYTES_MAX {
        return Err(wrong(format!("is longer than {SECRET_BYTES_MAX} bytes")));
    }
    let text = String::from_utf8(bytes).map_err(|_| wrong("is not UTF-8".to_owned()))?;
    match text.trim_end_matches(['\r', '\n']) {
        "" => Err(wrong("is empty".to_owned())),
        secret => Ok(secret.to_owned()),
    }
}

/// As a quoted text of YAML on one line, whatever is in it.
fn quote(secret: &str, out: &mut String) {
    out.push('"');
    for c in secret.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            ' '..='~' => out.push(c),
            _ => drop(write!(out, "\\U{:08x}", u32::from(c))),
        }
    }
    out.push('"');
}

fn byte_of(text: &str, marker: &Marker) -> usize {
    marker.byte_offset().unwrap_or_else(|| text.char_indices().nth(marker.index()).map_or(text.len(), |(at, _)| at))
}

/// As far as it is shown.
fn cut(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(64).collect()
}

#[cfg(test)]
mod tests {
    use super::super::{Format, parse, part, read};
    use allclear_channels::registry::WAYS_OUT;

    use super::*;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    /// What stands for the environment.
    fn variable(name: &str) -> Option<String> {
        match name {
            "HOOK" => Some(SECRET.to_owned()),
            "ODD" => Some("a\"b\\c: # é\u{1f512}\u{85}'".to_owned()),
            _ => None,
        }
    }

    fn file(text: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("keys")).unwrap();
        std::fs::write(folder.path().join("keys/prom"), "prom-key-0001\r\n").unwrap();
        std::fs::write(folder.path().join("keys/empty"), "\n").unwrap();
        std::fs::write(folder.path().join("keys/long"), "x".repeat(5000)).unwrap();
        let path = folder.path().join("org.yaml");
        std::fs::write(&path, text).unwrap();
        (folder, path)
    }

    #[test]
    fn secrets_are_put_in_where_they_stand_and_nothing_else_moves() {
        let (_folder, path) = file(
            "people:\n  - id: ana\n    name: Ana ñ !env HOOK\n    contacts:\n      - {id: hook, webhook: \"https://x.example\", secret: !env HOOK}   # ! no\n      \
             - id: two\n        webhook: https://y.example\n        secret: !env \"HOOK\"\n\
             audiences:\n  - {id: all, contacts: [{id: h, webhook: \"https://z.example\", secret: &one !env HOOK}, {id: i, webhook: \"https://w.example\", secret: *one}]}\n\
             integrations:\n  - {id: prom, kind: json, key: !file keys/prom}\n  - {id: odd, kind: json, key: !env ODD, service: nowhere}\n",
        );
        let loaded = read(&path, Secrets::Here(variable, WAYS_OUT)).unwrap();
        let contacts = &loaded.bundle.people[0].contacts;
        assert_eq!(loaded.bundle.people[0].name, "Ana ñ !env HOOK", "text is text");
        let of_audience = loaded.bundle.audiences[0].contacts.iter();
        for contact in contacts.iter().chain(of_audience) {
            assert_eq!(contact.address.get("secret"), Some(SECRET), "{}", contact.id);
        }
        let keys: Vec<_> = loaded.bundle.integrations.iter().map(|form| form.key.clone().unwrap()).collect();
        assert_eq!(keys, ["prom-key-0001".to_owned(), variable("ODD").unwrap()], "whatever is in it");
        let export = super::super::to_yaml(&loaded.bundle, WAYS_OUT).unwrap();
        assert!(!export.contains(SECRET) && !export.contains("prom-key-0001"), "what may be named here is masked there: {export}");
        let place = Place::root().key("integrations").index(1).key("service");
        assert_eq!(loaded.locate(&place).unwrap().1, Some(13), "lines stay where they are");
        // Another secret under the same name is another file.
        let other = read(&path, Secrets::Here(|name| variable(name).map(|text| text + "x"), WAYS_OUT)).unwrap();
        assert_ne!(other.digest, loaded.digest);
        assert_eq!(read(&path, Secrets::Here(variable, WAYS_OUT)).unwrap().digest, loaded.digest);
    }

    #[test]
    fn what_cannot_be_resolved_is_refused_with_its_line_and_without_the_secret() {
        let key = |value: &str| format!("integrations:\n  - id: prom\n    kind: json\n    key: {value}\n");
        let told = |text: &str, secrets| {
            let (_folder, path) = file(text);
            let problems = read(&path, secrets).unwrap_err().problems;
            let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
            told.join("\n").replace(&path.display().to_string(), "org.yaml")
        };
        let here = Secrets::Here(variable, WAYS_OUT);
        for (value, words) in [
            ("!env NOT_SET", "org.yaml:4: error: integrations[0].key: the variable `NOT_SET` is not set"),
            ("!env", "`!env` names nothing"),
            ("!env [A]", "`!env` names nothing"),
            ("!file keys/none", "cannot be read"),
            ("!file keys", "is not a plain file"),
            ("!file keys/empty", "is empty"),
            ("!file keys/long", "is longer than 4096 bytes"),
            ("!vault HOOK", "the tag `!vault` is not known here"),
            ("!!binary aGk=", "the tag `!!binary` is not known here"),
            ("!<tag:example.org,2026:x> HOOK", "is not known here"),
        ] {
            let told = told(&key(value), here);
            assert!(told.contains(words) && told.contains("org.yaml:4") && !told.contains(SECRET), "{value}: {told}");
        }
        // Elsewhere a secret would be shown; a key of an object is none; YAML's own types say nothing new.
        for (text, words) in [
            ("people:\n  - {id: ana, name: !env HOOK}\n", "org.yaml:2: error: people[0].name: `!env` is read only where a secret stands"),
            ("people: !env HOOK\n", "`!env` is read only where a secret stands"),
            ("!env people: []\n", "`!env` is read only where a secret stands"),
            ("people: !mine [{id: ana, name: Ana}]\n", "the tag `!mine` is not known here"),
        ] {
            let told = told(text, here);
            assert!(told.contains(words), "{text}: {told}");
        }
        let (_folder, path) = file("people: !!seq [{id: ana, name: !!str 1, time_zone: ! UTC}]\n");
        assert_eq!(read(&path, here).unwrap().bundle.people[0].name, "1");
        // A text that came over the network names no secret of this machine, nor does a field of a form.
        assert!(told(&key("!env HOOK"), Secrets::Nowhere).contains("this text came without one"));
        let text = key("!file /etc/hostname");
        assert!(parse(&text, Format::Yaml, "x").unwrap_err().to_string().contains("is resolved by the program that reads the file"));
        let fault = part::value_of_yaml("- {id: hook, secret: !env HOOK}").unwrap_err();
        assert!(fault.message.contains("line 1: the tag `!env` is not read here"), "{fault:?}");
    }
}
