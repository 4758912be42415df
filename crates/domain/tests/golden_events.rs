//! Events as stored decode for ever.
//!
//! `golden/event/KIND.vN.json` holds samples of one kind and version: a list of bodies, the first
//! with every key, the next without the optional ones. A file that is there is never changed: a
//! body of another shape is a new version, with a file and a reader of its own.

#![allow(clippy::unwrap_used)] // a test fails loudly, in its helpers too

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use allclear_domain::channel::WaysOut;
use allclear_domain::event::{BadEvent, Mark};
use allclear_domain::org::snapshot::Org;
use allclear_domain::timeline::{Logged, Names};
use allclear_domain::{paging, timeline};
use serde_json::Value;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/event")
}

/// Reads a body and writes it again; tells also under which kind and version it would be stored.
fn again(kind: &str, v: u16, body: &str) -> Result<(String, u16, String), BadEvent> {
    Ok(match Logged::decode(kind, v, body)? {
        Logged::Incident(event) => (event.kind().to_owned(), event.v(), event.body()),
        Logged::Page(event) => (event.kind().to_owned(), event.v(), event.body()),
        Logged::Review(event) => (event.kind().to_owned(), event.v(), event.body()),
        Logged::Action(event) => (event.kind().to_owned(), event.v(), event.body()),
        Logged::Form(_) => panic!("a form's changes have no golden file"),
    })
}

fn kinds() -> Vec<&'static str> {
    timeline::kinds().map(|kind| kind.name).collect()
}

/// Every golden body in a fixed order: its kind and version as the file is called, and its text.
fn samples() -> Vec<(String, String, u16, String)> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut out = Vec::new();
    for path in files {
        let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
        let (kind, v) = stem.rsplit_once(".v").map(|(kind, v)| (kind.to_owned(), v.parse().unwrap())).unwrap();
        let bodies: Vec<Value> = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        out.extend(bodies.into_iter().map(|body| (stem.clone(), kind.clone(), v, body.to_string())));
    }
    out
}

/// `golden/lines.txt` holds the line of each golden body. A line is a reading and may be worded anew: then this file
/// is written anew (`ALLCLEAR_BLESS=1`), and its difference is what readers will see.
#[test]
fn every_golden_body_is_told_in_the_line_that_is_kept() {
    let bundle = serde_json::json!({
        "people": [{"id": "ana", "name": "Ana Ito"}, {"id": "ben", "name": "Ben Okafor"}],
        "audiences": [{"id": "customers", "name": "Customers"}],
        "organisations": [{"id": "cert", "name": "National CERT", "kind": "agency"}],
    });
    let org = Org::build(7, serde_json::from_value(bundle).unwrap(), WaysOut::NONE);
    let mut told = String::new();
    for (stem, kind, v, body) in samples() {
        for actor in ["person:ana", "integration:prometheus"] {
            let line = timeline::line(&Names::new(&org, actor), &kind, v, Some(&body));
            told.push_str(&format!("{stem} by {actor}: {line}\n"));
        }
    }
    let file = folder().with_file_name("lines.txt");
    #[allow(clippy::disallowed_methods)] // the one setting of these tests
    let bless = std::env::var("ALLCLEAR_BLESS").is_ok_and(|value| value == "1");
    if bless {
        std::fs::write(&file, &told).unwrap();
    }
    let kept = std::fs::read_to_string(&file).unwrap();
    for (told, kept) in told.lines().zip(kept.lines()) {
        assert_eq!(told, kept);
    }
    assert_eq!(told.lines().count(), kept.lines().count());
}

#[test]
fn what_is_erased_or_not_known_has_a_line_too() {
    let org = Org::build(1, serde_json::from_value(serde_json::json!({})).unwrap(), WaysOut::NONE);
    let line = |kind, body| timeline::line(&Names::new(&org, "person:ana"), kind, 1, body);
    assert_eq!(line("noted", None), "redacted");
    assert_eq!(line("moon_rose", Some("{}")), "moon rose", "of a newer program");
    assert_eq!(line("step_empty", Some(r#"{"round": 1}"#)), "step empty", "a body that does not read");
    assert_eq!(line("form_changed", Some(r#"{"version": 9, "form": {}}"#)), "ana changed the organisation (version 9)");
    assert!(timeline::is("resolved", Mark::Ends) && !timeline::is("noted", Mark::Ends) && !timeline::is("moon_rose", Mark::Key));
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
