//! A change is refused only for what it causes: what was wrong before is named, and does not stand
//! in its way.
//!
//! A form that an older program took, or that came in by another door, would otherwise block every
//! later change of the organisation, also the one that mends something else.

use std::collections::HashSet;

use serde_json::Value;

use super::{Against, check};
use crate::org::model::Bundle;
use crate::org::problem::{PathPart, Place, Problem, Weight};

/// Everything wrong with `after`; what was an error already in `before` is a warning.
#[must_use]
pub fn check_change(before: &Bundle, after: &Bundle, against: Against<'_>) -> Vec<Problem> {
    let mut found = check(after, against);
    if !found.iter().any(Problem::is_error) {
        return found;
    }
    let (was, is) = (written(before), written(after));
    let known: HashSet<_> = check(before, against).iter().filter(|p| p.is_error()).map(|p| identity(p, &was)).collect();
    for problem in found.iter_mut().filter(|problem| problem.is_error()) {
        if known.contains(&identity(problem, &is)) {
            problem.weight = Weight::Warning;
            problem.message = format!("was so before: {}", problem.message);
        }
    }
    found
}

fn written(bundle: &Bundle) -> Value {
    // Forms are plain data, which always can be written.
    serde_json::to_value(bundle).unwrap_or_default()
}

/// A problem apart from where in its list the form stands: lists move when something is put in.
fn identity(problem: &Problem, bundle: &Value) -> (String, String, String) {
    let parts = problem.place.parts();
    let [PathPart::Key(list), PathPart::Index(at), rest @ ..] = parts else {
        return (String::new(), problem.place.to_string(), problem.message.clone());
    };
    let form = &bundle[list][*at];
    // A route needs no id; then it is what it says.
    let form = form.get("id").and_then(Value::as_str).map_or_else(|| form.to_string(), str::to_owned);
    let within = rest.iter().fold(Place::root().key(list), |place, part| match part {
        PathPart::Key(key) => place.key(key),
        PathPart::Index(index) => place.index(*index),
    });
    // What does nothing yet is the same as before only where it says the same.
    let said = problem.not_yet.then(|| value_at(&bundle[list][*at], rest)).flatten();
    let said = said.map_or_else(String::new, |value| format!(" {value}"));
    (form, within.to_string(), format!("{}{said}", problem.message))
}

/// What stands at a place within a form.
#[must_use]
pub fn value_at<'a>(form: &'a Value, parts: &[PathPart]) -> Option<&'a Value> {
    parts.iter().try_fold(form, |value, part| match part {
        PathPart::Key(key) => value.get(key),
        PathPart::Index(index) => value.get(*index),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bundle(silences: Value, routes: Value) -> Bundle {
        serde_json::from_value(serde_json::json!({"silences": silences, "routes": routes})).unwrap()
    }

    #[test]
    fn what_was_wrong_before_is_named_and_refuses_nothing() {
        let against = Against { now: "2026-03-01T12:00:00Z".parse().unwrap(), kinds: &[], channels: crate::channel::WaysOut::NONE };
        let silence = |id: &str, matches: &str| serde_json::json!({"id": id, "match": matches, "starts_at": "2026-03-01T12:00:00Z", "ends_at": "2026-03-02T12:00:00Z"});
        let was = bundle(serde_json::json!([silence("old", "label with space=\"v\"")]), serde_json::json!([{"match": "a=~\"(\""}]));
        let weights =
            |after: &Bundle| check_change(&was, after, against).iter().map(|p| (p.place.to_string(), p.is_error())).collect::<Vec<_>>();
        // The same, one place further down.
        let after = bundle(
            serde_json::json!([silence("new", "a=\"b\""), silence("old", "label with space=\"v\"")]),
            serde_json::json!([{"match": "b=\"c\""}, {"match": "a=~\"(\""}]),
        );
        assert_eq!(weights(&after), [("routes[1].match".to_owned(), false), ("silences[1].match".to_owned(), false)]);
        // What the change brings is refused as ever.
        let after =
            bundle(serde_json::json!([silence("old", "label with space=\"v\""), silence("new", "b c=\"v\"")]), serde_json::json!([]));
        assert_eq!(weights(&after), [("silences[0].match".to_owned(), false), ("silences[1].match".to_owned(), true)]);
        assert!(check_change(&Bundle::default(), &was, against).iter().all(Problem::is_error));
    }

    #[test]
    fn what_does_nothing_yet_stays_as_it_is_stored_and_takes_no_other_value() {
        let against = Against { now: "2026-03-01T12:00:00Z".parse().unwrap(), kinds: &[], channels: crate::channel::WaysOut::NONE };
        let severities = |within: &str| -> Bundle {
            serde_json::from_value(serde_json::json!({"severities": [{"id": "sev2", "acknowledge_within": within}]})).unwrap()
        };
        let refused = |after: &Bundle| check_change(&severities("5m"), after, against).iter().any(Problem::is_error);
        assert!(!refused(&severities("5m")));
        assert!(refused(&severities("6m")));
    }
}
