//! What applying an organisation would change, form by form.
//!
//! A form is what is stored and versioned: a kind, an id and a body. Order matters only for
//! routes (the first match decides), so their bodies carry an `order`; `catch_all` is one form.
//! Overrides and what people say themselves of how they are reached are forms, but no file owns them: they are neither compared
//! nor removed.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::{Map, Value};

use super::export::keep_stored;
pub use super::forms::FormKind;
pub use super::forms::catch_all::CATCH_ALL_ID;
pub use super::forms::route::ORDER;
pub use super::forms::stored::{BadForm, Form};
use super::forms::{Bundle, Slug};
use crate::channel::WaysOut;

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// What changes.
    pub kind: FormKind,
    /// Which.
    pub id: Slug,
    /// How.
    pub action: ChangeKind,
}

/// How a form changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// It is new.
    Add,
    /// It is there and differs.
    Change {
        /// The outermost keys that differ, in order of the alphabet.
        fields: Vec<String>,
    },
    /// It is not in the file any more and goes.
    Remove,
    /// It is not in the file, and stays because nobody asked to prune.
    KeptWithoutPrune,
}

/// What applying `new` to `old` would change, in the order of kinds, then ids. Secrets that are
/// masked or not said in `new` are those of `old`.
#[must_use]
pub fn diff(old: &Bundle, new: &Bundle, prune: bool, ways: WaysOut) -> Vec<Change> {
    let old_forms = by_key(old);
    let new_forms = by_key(&keep_stored(old, new.clone(), ways));
    let keys: BTreeSet<_> = old_forms.keys().chain(new_forms.keys()).collect();
    keys.into_iter()
        .filter(|(kind, _)| kind.may_be_of_file())
        .filter_map(|key| {
            let action = match (old_forms.get(key), new_forms.get(key)) {
                (None, _) => ChangeKind::Add,
                (Some(_), None) if prune => ChangeKind::Remove,
                (Some(_), None) => ChangeKind::KeptWithoutPrune,
                (Some(before), Some(after)) if before == after => return None,
                (Some(before), Some(after)) => ChangeKind::Change { fields: fields(before, after) },
            };
            Some(Change { kind: key.0, id: key.1.clone(), action })
        })
        .collect()
}

/// The organisation after `new` was applied to `old`: what `new` says, with stored secrets kept,
/// and besides (unless pruned) what only `old` has. Routes that are kept come after those of
/// `new`, so that a file's first match decides. What no file owns is always as in `old`.
#[must_use]
pub fn applied(old: &Bundle, new: &Bundle, prune: bool, ways: WaysOut) -> Bundle {
    let new = keep_stored(old, new.clone(), ways);
    let mut forms = forms(&new);
    forms.retain(|form| form.kind.may_be_of_file());
    let said: BTreeSet<(FormKind, Slug)> = forms.iter().map(|form| (form.kind, form.id.clone())).collect();
    for mut form in self::forms(old) {
        let kept = !form.kind.may_be_of_file() || (!prune && !said.contains(&(form.kind, form.id.clone())));
        if !kept {
            continue;
        }
        if form.kind == FormKind::Route
            && let Some(order) = form.body.get(ORDER).and_then(Value::as_u64)
        {
            form.body[ORDER] = (order + new.routes.len() as u64).into();
        }
        forms.push(form);
    }
    from_forms(forms).expect("forms made of a bundle read back")
}

/// A bundle as forms. A route without an id is called `route-NNN` by its place from 1.
#[must_use]
pub fn forms(bundle: &Bundle) -> Vec<Form> {
    bundle.forms()
}

/// Forms as a bundle. They may come in any order, except that lists keep the order they come in;
/// routes go by their `order`, then by id.
///
/// # Errors
/// The first form that cannot be read, in the order of kinds.
pub fn from_forms(forms: impl IntoIterator<Item = Form>) -> Result<Bundle, BadForm> {
    Bundle::from_forms(forms)
}

fn by_key(bundle: &Bundle) -> BTreeMap<(FormKind, Slug), Value> {
    forms(bundle).into_iter().map(|form| ((form.kind, form.id), form.body)).collect()
}

/// The keys of a body that another one says differently, or says alone.
#[must_use]
pub fn fields(before: &Value, after: &Value) -> Vec<String> {
    let none = Map::new();
    let (before, after) = (before.as_object().unwrap_or(&none), after.as_object().unwrap_or(&none));
    let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    keys.into_iter().filter(|key| before.get(*key) != after.get(*key)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::channel::sample::WAYS;
    use crate::org::export::{MASK, masked};

    fn bundle(value: Value) -> Bundle {
        serde_json::from_value(value).unwrap()
    }

    fn old() -> Bundle {
        let mut out = bundle(json!({
            "people": [
                {"id": "ana", "name": "Ana", "contacts": [{"id": "hook", "webhook": "https://x.example", "secret": "whsec_1"}]},
                {"id": "ben", "name": "Ben"}],
            "integrations": [{"id": "prom", "kind": "json", "key": "prom-key-1"}],
            "routes": [{"match": "a=\"1\""}, {"id": "named", "match": "b=\"1\""}, {"match": "c=\"1\"", "declare": true}],
            "severities": [{"id": "sev1", "name": "Critical"}],
            "catch_all": ["person:ana"],
            "plans": [{"id": "p", "recovery": ["a", "b"]}],
        }));
        out.overrides = vec![crate::org::model::Override {
            id: "o".into(),
            schedule: "s".into(),
            effect: crate::org::model::Effect::Replaces,
            person: "ana".into(),
            starts_at: "2026-01-01T00:00:00Z".parse().unwrap(),
            ends_at: "2026-01-02T00:00:00Z".parse().unwrap(),
            made: 0,
            made_by: None,
        }];
        out
    }

    fn told(changes: &[Change]) -> Vec<String> {
        changes
            .iter()
            .map(|c| match &c.action {
                ChangeKind::Change { fields } => format!("{} {} ~{}", c.kind.word(), c.id, fields.join(",")),
                action @ (ChangeKind::Add | ChangeKind::Remove | ChangeKind::KeptWithoutPrune) => {
                    format!("{} {} {action:?}", c.kind.word(), c.id)
                }
            })
            .collect()
    }

    #[test]
    fn a_bundle_goes_to_forms_and_back_in_any_order() {
        let mut forms = forms(&old());
        for kind in FormKind::ALL {
            assert_eq!(FormKind::from_word(kind.word()), Some(kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), json!(kind.word()));
        }
        assert_eq!(from_forms(forms.clone()).unwrap(), old());
        let of_routes = |forms: &[Form]| forms.iter().filter(|f| f.kind == FormKind::Route).map(|f| f.id.clone()).collect::<Vec<_>>();
        assert_eq!(of_routes(&forms), ["route-001", "named", "route-003"]);
        forms.sort_by(|a, b| b.id.cmp(&a.id));
        assert_eq!(from_forms(forms).unwrap().routes, old().routes, "routes keep their order");
        let bad = from_forms([Form { kind: FormKind::Person, id: "x".into(), body: json!({"id": "x", "nme": 1}) }]).unwrap_err();
        assert!(bad.to_string().starts_with("the stored person `x` cannot be read: unknown field `nme`"), "{bad}");
    }

    #[test]
    fn a_route_named_like_an_unnamed_one_is_kept_apart() {
        let bundle = bundle(json!({"routes": [{"match": "a=\"1\""}, {"id": "route-001", "match": "b=\"1\""}]}));
        let forms = forms(&bundle);
        assert_eq!((forms[0].id.as_str(), forms[1].id.as_str()), ("route-001.2", "route-001"));
        assert_eq!(from_forms(forms).unwrap(), bundle);
    }

    #[test]
    fn the_same_again_or_its_masked_export_changes_nothing() {
        assert_eq!(diff(&old(), &old(), true, WAYS), vec![]);
        let export = masked(&old(), WAYS);
        assert_eq!(export.integrations[0].key.as_deref(), Some(MASK));
        assert_eq!(diff(&old(), &export, true, WAYS), vec![]);
        assert_eq!(applied(&old(), &export, true, WAYS), old());
        let mut silent = old();
        silent.integrations[0].key = None;
        assert_eq!(applied(&old(), &silent, true, WAYS), old(), "a key that is not said is not made anew");
    }

    #[test]
    fn what_changes_is_named_and_nothing_goes_without_prune() {
        let new = bundle(json!({
            "people": [{"id": "ana", "name": "Ana Ruiz", "email": "a@x.example", "contacts": [{"id": "hook", "webhook": "https://y.example"}]},
                       {"id": "cho", "name": "Cho"}],
            "integrations": [{"id": "prom", "kind": "json", "key": "prom-key-2"}],
            "routes": [{"id": "named", "match": "b=\"1\""}],
            "severities": [{"id": "sev1", "name": "Critical"}],
            "plans": [{"id": "p", "recovery": ["a", "c"]}],
        }));
        assert_eq!(
            told(&diff(&old(), &new, false, WAYS)),
            [
                "person ana ~contacts,email,name",
                "person ben KeptWithoutPrune",
                "person cho Add",
                "integration prom ~key",
                "route named ~order",
                "route route-001 KeptWithoutPrune",
                "route route-003 KeptWithoutPrune",
                "catch_all catch_all KeptWithoutPrune",
                "plan p ~recovery",
            ]
        );
        assert!(told(&diff(&old(), &new, true, WAYS)).contains(&"person ben Remove".to_owned()));

        let kept = applied(&old(), &new, false, WAYS);
        let people: Vec<&str> = kept.people.iter().map(|p| p.id.as_str()).collect();
        assert_eq!(people, ["ana", "cho", "ben"]);
        let matches: Vec<&str> = kept.routes.iter().map(|r| r.matches.as_str()).collect();
        assert_eq!(matches, ["b=\"1\"", "a=\"1\"", "c=\"1\""], "the file's routes come first");
        assert_eq!(kept.overrides, old().overrides);
        assert_eq!(kept.people[0].contacts[0].address.get("secret"), Some("whsec_1"));
        let pruned = applied(&old(), &new, true, WAYS);
        assert_eq!((pruned.people.len(), pruned.catch_all.len(), pruned.overrides.len()), (2, 0, 1));
        // What is left after an apply is what a second apply finds: nothing more to do.
        assert!(diff(&pruned, &new, true, WAYS).is_empty());
        assert!(diff(&kept, &new, false, WAYS).iter().all(|c| c.action == ChangeKind::KeptWithoutPrune));
    }
}
