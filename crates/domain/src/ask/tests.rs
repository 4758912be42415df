//! Every row holds together, and is refused in the same words whatever door it comes through.

use std::collections::BTreeMap;

use super::*;
use crate::incident::State;
use crate::incident::lifecycle::next;

fn by() -> By<'static> {
    By { person: Some("ana"), via: "api", now: Timestamp::UNIX_EPOCH }
}

#[test]
fn every_verb_that_people_ask_for_has_one_row_and_fits_a_state() {
    for verb in Verb::ALL {
        assert_eq!(all().filter(|ask| ask.verb == verb).count(), usize::from(verb.is_for_people()), "{verb:?}");
    }
    for ask in all() {
        assert!(State::ALL.into_iter().any(|state| next(state, ask.verb).is_ok()), "{:?}", ask.verb);
        for text in [ask.label, ask.says, ask.press].into_iter().chain(ask.fields.iter().map(|field| field.what)) {
            assert!(!text.is_empty() && !text.ends_with('.'), "{:?}: `{text}`", ask.verb);
        }
    }
}

#[test]
fn every_way_reads_every_field_is_in_one_and_what_is_needed_is_missed() {
    for ask in all() {
        let word = ask.verb.word();
        let ways = ask.all_ways();
        for field in ask.fields {
            assert!(ways.iter().any(|way| way.contains(&field.name)), "{word}: `{}` is in no way", field.name);
        }
        for name in ways.iter().flatten() {
            assert!(ask.field(name).is_some(), "{word}: a way names `{name}`, which is no field");
        }
        for way in &ways {
            let given = ask.example(way);
            ask.read(&given, &by()).unwrap_or_else(|why| panic!("{word} {way:?}: {why}"));
            for field in ask.fields.iter().filter(|field| field.needed) {
                assert!(way.contains(&field.name), "{word}: a way lacks `{}`", field.name);
                let mut less = given.clone();
                less.leave_out(field.name);
                let why = ask.read(&less, &by()).unwrap_err();
                assert_eq!(why.code(), "bad_request", "{word}");
                assert!(why.to_string().contains(field.what) && why.to_string().contains(field.name), "{word}: {why}");
            }
            let mut more = given.clone();
            more.put("wyh", "x");
            let why = ask.read(&more, &by()).unwrap_err();
            assert_eq!((why.code(), why.field()), ("bad_request", Some("wyh")), "{word}");
        }
    }
}

#[test]
fn a_value_of_another_kind_is_refused_with_its_field() {
    for ask in all() {
        for field in ask.fields {
            let mut given = ask.example(&ask.all_ways()[0]);
            given.put(field.name, serde_json::json!({"a": 1}));
            let why = ask.read(&given, &by()).unwrap_err();
            assert_eq!((why.code(), why.field()), ("bad_request", Some(field.name)), "{:?}: {why}", ask.verb);
        }
    }
}

#[test]
fn rows_that_share_a_body_share_its_fields() {
    let mut bodies: BTreeMap<&str, Vec<(&str, Kind, bool)>> = BTreeMap::new();
    for ask in all() {
        let fields: Vec<_> = ask.fields.iter().map(|field| (field.name, field.kind, field.needed)).collect();
        assert_eq!(*bodies.entry(ask.body).or_insert_with(|| fields.clone()), fields, "{}", ask.body);
    }
}

#[test]
fn what_stands_twice_is_not_lost() {
    let read = |text: &str| serde_json::from_str::<Given>(text);
    assert!(read(r#"{"why":"a"}"#).unwrap().has("why") && !read(r#"{"why":null}"#).unwrap().has("why"));
    assert!(read(r#"{"why":"a","why":"b"}"#).is_err() && read("[]").is_err());
}

#[test]
fn the_documentation_of_the_api_has_every_command_with_its_fields() {
    let page = include_str!("../../../../docs/api.md");
    for ask in all() {
        let word = format!("`{}`", ask.verb.word());
        let row = page.lines().find(|line| line.starts_with('|') && line.split('|').nth(1).is_some_and(|cell| cell.contains(&word)));
        let row = row.unwrap_or_else(|| panic!("docs/api.md does not have {word}"));
        for field in ask.fields {
            assert!(row.contains(field.name), "docs/api.md: {word} takes `{}`", field.name);
        }
    }
}
