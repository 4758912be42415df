//! What holds of every format that comes in, asked of each one in the registry: a new one is tested by being listed.
//!
//! `golden/FORMAT/NAME.json` is a request as its vendor sends it, and `golden/FORMAT/NAME.signals.json` what it is read
//! as. With `UPDATE_GOLDEN=1` the second is written anew: read the difference before you keep it.

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use allclear_channels::registry;
use allclear_domain::wire::{Answer, Inbound, InboundContext, InboundRefusal, KeyFault, KeyIn, SignalAction};
use jiff::Timestamp;

const NOT_TAKEN: [u16; 6] = [400, 401, 408, 413, 415, 503];

fn context() -> InboundContext<'static> {
    let now: Timestamp = "2026-11-21T03:00:00Z".parse().unwrap();
    InboundContext { now, fresh_key: "made-by-us" }
}

/// Every format, those too that only one address of a kind speaks.
fn formats() -> Vec<&'static dyn Inbound> {
    let all = registry::formats().chain(registry::routes().map(|route| route.format));
    all.map(|format| (format.name(), format)).collect::<BTreeMap<_, _>>().into_values().collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The requests of one format, by name.
fn golden(format: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = root().join("crates/channels/golden").join(format);
    let files = fs::read_dir(&folder).unwrap_or_else(|why| panic!("{} holds requests of {format}: {why}", folder.display()));
    let paths = files.map(|file| file.unwrap().path());
    let requests = paths.filter(|path| !path.to_string_lossy().ends_with(".signals.json"));
    requests.map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

fn is_json_or_nothing(answer: &Answer) -> bool {
    answer.body.is_empty() || serde_json::from_str::<serde_json::Value>(&answer.body).is_ok()
}

#[test]
fn requests_as_vendors_send_them_are_read_as_written_down() {
    for format in formats() {
        let requests = golden(format.name());
        assert!(!requests.is_empty(), "{} has no request", format.name());
        let (mut actions, mut keeps) = (BTreeSet::new(), false);
        for (path, body) in requests {
            let parsed = format.parse(&body, context()).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
            assert!(parsed.refused.is_empty() && parsed.notes.is_empty(), "{}: {parsed:?}", path.display());
            let answer = format.accepted(&parsed);
            assert!((200..300).contains(&answer.status) && is_json_or_nothing(&answer), "{}: {answer:?}", path.display());
            keeps |= parsed.keep_only;
            actions.extend(parsed.signals.iter().map(|signal| format!("{:?}", signal.action)));
            let read = serde_json::to_string_pretty(&parsed.signals).unwrap() + "\n";
            let beside = path.with_extension("signals.json");
            if std::env::var_os("UPDATE_GOLDEN").is_some() {
                fs::write(&beside, &read).unwrap();
            }
            let written = fs::read_to_string(&beside).unwrap_or_else(|why| panic!("{}: {why}", beside.display()));
            assert_eq!(read, written, "{}", path.display());
        }
        let both = [SignalAction::Trigger, SignalAction::Resolve].map(|action| format!("{action:?}"));
        assert!(keeps || both.iter().all(|action| actions.contains(action)), "{}: something begins and something ends", format.name());
    }
}

#[test]
fn a_condition_that_ends_is_the_one_that_began() {
    for format in registry::formats() {
        let mut begun = BTreeSet::new();
        let mut ended = BTreeSet::new();
        for (_, body) in golden(format.name()) {
            for signal in format.parse(&body, context()).unwrap().signals {
                match signal.action {
                    SignalAction::Trigger => begun.insert(signal.dedup_key),
                    SignalAction::Resolve => ended.insert(signal.dedup_key),
                    SignalAction::Acknowledge => continue,
                };
            }
        }
        assert!(ended.iter().all(|key| begun.contains(key)), "{}: {begun:?}, {ended:?}", format.name());
    }
}

/// Whatever comes, nothing panics, and what is said of it is JSON in the format's own shape.
#[test]
fn whatever_comes_is_answered() {
    let deep = format!("{}1{}", r#"{"a":["#.repeat(5_000), "]}".repeat(5_000));
    let odd: [&[u8]; 14] = [
        b"",
        b" ",
        b"null",
        b"[]",
        b"{}",
        b"[null]",
        b"{",
        b"7",
        b"\"x\"",
        b"\xff\xfe\x00",
        b"[[],{},7,null,\"x\"]",
        b"{\"alerts\":null}",
        b"\xef\xbb\xbf[]",
        deep.as_bytes(),
    ];
    for format in formats() {
        let mut bodies: Vec<Vec<u8>> = odd.iter().map(|body| body.to_vec()).collect();
        for (_, body) in golden(format.name()) {
            // Cut anywhere; every text a null, a number, or far too long; every list within a list.
            bodies.extend((0..body.len()).step_by(body.len() / 40 + 1).map(|end| body[..end].to_vec()));
            let value: serde_json::Value = serde_json::from_slice(&body).unwrap();
            for way in 0..4 {
                bodies.push(serde_json::to_vec(&spoilt(&value, way)).unwrap());
            }
        }
        for body in bodies {
            let start = String::from_utf8_lossy(&body[..body.len().min(80)]).into_owned();
            let (answer, taken) = match format.parse(&body, context()) {
                Ok(parsed) => {
                    let fine = parsed.signals.iter().all(|signal| !signal.dedup_key.is_empty() && !signal.title.is_empty());
                    assert!(fine, "{}: {start}: {:?}", format.name(), parsed.signals);
                    (format.accepted(&parsed), parsed.refused.is_empty())
                }
                Err(refusal) => (format.refusal(&refusal), false),
            };
            assert!(is_json_or_nothing(&answer), "{}: {start}: {answer:?}", format.name());
            let status = answer.status;
            assert!((200..300).contains(&status) || (!taken && NOT_TAKEN.contains(&status)), "{}: {start}: {answer:?}", format.name());
        }
    }
}

/// The same JSON with every value of a kind replaced.
fn spoilt(value: &serde_json::Value, way: u8) -> serde_json::Value {
    use serde_json::Value;
    match value {
        Value::String(_) if way == 0 => Value::Null,
        Value::String(_) if way == 1 => Value::from(7),
        Value::String(text) if way == 2 => Value::from(format!("{text}{}", "é🔥\u{202e}".repeat(3_000))),
        Value::Array(list) if way == 3 => Value::from(vec![Value::Array(list.clone())]),
        Value::Array(list) => list.iter().map(|value| spoilt(value, way)).collect(),
        Value::Object(map) => map.iter().map(|(name, value)| (name.clone(), spoilt(value, way))).collect(),
        other => other.clone(),
    }
}

#[test]
fn every_refusal_has_a_shape_and_says_why() {
    for format in formats() {
        let name = format.name();
        for status in NOT_TAKEN {
            let answer = format.refused(status, &["the reason".to_owned(), "another".to_owned()]);
            assert_eq!(answer.status, status, "{name}");
            assert!(
                answer.body.contains("the reason") && answer.body.contains("another") && is_json_or_nothing(&answer),
                "{name}: {answer:?}"
            );
        }
        let refusal = InboundRefusal::TooMany("too many alerts".to_owned());
        assert_eq!(format.refusal(&refusal).status, 413, "{name}");
        for fault in [KeyFault::Missing, KeyFault::Unknown, KeyFault::OtherKind("of another kind")] {
            let Some(answer) = format.key_refused(fault) else { continue };
            assert!(
                (400..500).contains(&answer.status) && is_json_or_nothing(&answer) && answer.body.contains("key")
                    || answer.body.contains("of another kind"),
                "{name}: {answer:?}"
            );
        }
        assert!(format.body_bytes_max() > 0, "{name}");
    }
}

#[test]
fn kinds_and_addresses_are_each_one_s_own_and_documented() {
    let read = |path: &str| fs::read_to_string(root().join(path)).unwrap();
    let (api, organisation) = (read("docs/api.md"), read("docs/guides/organisation.md"));
    let mut seen = BTreeSet::new();
    for format in registry::formats() {
        let kind = format.kind();
        assert!(seen.insert(kind.to_owned()), "two formats are `{kind}`");
        assert!(kind.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'), "`{kind}` stands in an address");
        assert_eq!(registry::format(kind).map(Inbound::name), Some(kind), "an integration's own format is named as its kind");
        assert!(api.contains(&format!("`{kind}`")), "docs/api.md names `{kind}` among the formats of /in");
        assert!(organisation.contains(&format!("`{kind}`")), "docs/guides/organisation.md names the kind `{kind}`");
        for route in format.routes() {
            assert!(seen.insert(route.path.to_owned()), "two formats are at {}", route.path);
            assert!(api.contains(&format!("POST {}`", route.path)), "docs/api.md has {}", route.path);
            assert_eq!(route.path.contains("{key}"), route.key == KeyIn::Path, "{}", route.path);
            assert_eq!(route.format.kind(), kind, "{}", route.path);
        }
    }
    assert!(registry::format("carrier-pigeon").is_none());
}
