//! Events as stored decode for ever.
//!
//! `golden/event/KIND.vN.json` holds samples of one kind and version: a list of bodies, the first
//! with every key, the next without the optional ones. A file that is there is never changed: a
//! body of another shape is a new version, with a file and a reader of its own.

#![allow(clippy::unwrap_used)] // a test fails loudly, in its helpers too

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use allclear_domain::event::BadEvent;
use allclear_domain::{action, incident, paging, review};
use serde_json::Value;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/event")
}

/// Reads a body and writes it again; tells also under which kind and version it would be stored.
fn again(kind: &str, v: u16, body: &str) -> Result<(String, u16, String), BadEvent> {
    if incident::Event::KINDS.contains(&kind) {
        let event = incident::Event::decode(kind, v, body)?;
        return Ok((event.kind().to_owned(), event.v(), event.body()));
    }
    if review::Event::KINDS.contains(&kind) {
        let event = review::Event::decode(kind, v, body)?;
        return Ok((event.kind().to_owned(), event.v(), event.body()));
    }
    if action::Event::KINDS.contains(&kind) {
        let event = action::Event::decode(kind, v, body)?;
        return Ok((event.kind().to_owned(), event.v(), event.body()));
    }
    let event = paging::Event::decode(kind, v, body)?;
    Ok((event.kind().to_owned(), event.v(), event.body()))
}

fn kinds() -> Vec<&'static str> {
    incident::Event::KINDS.iter().chain(paging::Event::KINDS).chain(review::Event::KINDS).chain(action::Event::KINDS).copied().collect()
}

#[test]
fn no_two_streams_share_the_name_of_a_kind() {
    assert_eq!(kinds().iter().collect::<BTreeSet<_>>().len(), kinds().len());
}

#[test]
fn every_kind_has_a_golden_file() {
    for kind in kinds() {
        let file = folder().join(format!("{kind}.v1.json"));
        assert!(file.is_file(), "{} is missing: write samples of `{kind}` with real values", file.display());
    }
}

#[test]
fn every_golden_body_decodes_and_encodes_to_the_same_json() {
    let mut seen = 0;
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let (kind, v) =
            name.strip_suffix(".json").and_then(|stem| stem.rsplit_once(".v")).unwrap_or_else(|| panic!("`{name}` is not KIND.vN.json"));
        let v: u16 = v.parse().unwrap();
        let samples: Vec<Value> = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert!(!samples.is_empty(), "{name}");
        for sample in samples {
            let (stored_kind, stored_v, body) = again(kind, v, &sample.to_string()).unwrap_or_else(|e| panic!("{name}: {e}"));
            assert_eq!(stored_kind, kind);
            if stored_v == v {
                assert_eq!(serde_json::from_str::<Value>(&body).unwrap(), sample, "{name}");
            }
            seen += 1;
        }
    }
    assert!(seen >= kinds().len());
}

#[test]
fn what_is_not_known_is_named_and_never_guessed() {
    let unknown = again("acknowledged", 99, "{}").unwrap_err();
    assert_eq!(unknown.to_string(), "kind `acknowledged` version 99 is not known to this program");
    assert!(matches!(again("step_empty", 1, r#"{"round": 1}"#), Err(BadEvent::Body { .. })));
    assert!(matches!(paging::Event::decode("escaped", 1, "{}"), Err(BadEvent::UnknownKind { .. })));
}
