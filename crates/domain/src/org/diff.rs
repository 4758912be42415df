//! What applying an organisation would change, form by form.
//!
//! A form is what is stored and versioned: a kind, an id and a body. Order matters only for
//! routes (the first match decides), so their bodies carry an `order`; `catch_all` is one form.
//! Overrides are forms, but no file owns them: they are neither compared nor removed.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::export::keep_stored;
use super::model::{Bundle, Slug};
use crate::channel::WaysOut;

/// The id of the one form that says who is paged when nothing else is left.
pub const CATCH_ALL_ID: &str = "catch_all";
/// The key of a route's body that says its place among the routes.
pub const ORDER: &str = "order";

/// What a form is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FormKind {
    Person,
    Team,
    Schedule,
    Override,
    Escalation,
    Service,
    Integration,
    Route,
    Severity,
    Silence,
    CatchAll,
    Audience,
    Calendar,
    Role,
    Plan,
}

impl FormKind {
    /// All of them, in the order of the file.
    pub const ALL: [Self; 15] = [
        Self::Person,
        Self::Team,
        Self::Schedule,
        Self::Override,
        Self::Escalation,
        Self::Service,
        Self::Integration,
        Self::Route,
        Self::Severity,
        Self::Silence,
        Self::CatchAll,
        Self::Audience,
        Self::Calendar,
        Self::Role,
        Self::Plan,
    ];

    /// As stored and shown.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Team => "team",
            Self::Schedule => "schedule",
            Self::Override => "override",
            Self::Escalation => "escalation",
            Self::Service => "service",
            Self::Integration => "integration",
            Self::Route => "route",
            Self::Severity => "severity",
            Self::Silence => "silence",
            Self::CatchAll => "catch_all",
            Self::Audience => "audience",
            Self::Calendar => "calendar",
            Self::Role => "role",
            Self::Plan => "plan",
        }
    }

    /// The key of the file under which forms of this kind stand.
    #[must_use]
    pub const fn list(self) -> &'static str {
        match self {
            Self::Person => "people",
            Self::Team => "teams",
            Self::Schedule => "schedules",
            Self::Override => "overrides",
            Self::Escalation => "escalations",
            Self::Service => "services",
            Self::Integration => "integrations",
            Self::Route => "routes",
            Self::Severity => "severities",
            Self::Silence => "silences",
            Self::CatchAll => "catch_all",
            Self::Audience => "audiences",
            Self::Calendar => "calendars",
            Self::Role => "roles",
            Self::Plan => "plans",
        }
    }

    /// The kind of a word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

/// One thing as it is stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Form {
    /// What it is.
    pub kind: FormKind,
    /// Unique within its kind.
    pub id: Slug,
    /// As in the file, without nulls; a route has `order` besides.
    pub body: Value,
}

/// Why a stored form cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the stored {} `{id}` cannot be read: {why}", kind.word())]
pub struct BadForm {
    /// What it is.
    pub kind: FormKind,
    /// Which.
    pub id: Slug,
    /// In the words of the reader.
    pub why: String,
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// What changes.
    pub kind: FormKind,
    /// Which.
    pub id: Slug,
    /// How.
    pub action: Action,
}

/// How a form changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
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
        .filter(|(kind, _)| *kind != FormKind::Override)
        .filter_map(|key| {
            let action = match (old_forms.get(key), new_forms.get(key)) {
                (None, _) => Action::Add,
                (Some(_), None) if prune => Action::Remove,
                (Some(_), None) => Action::KeptWithoutPrune,
                (Some(before), Some(after)) if before == after => return None,
                (Some(before), Some(after)) => Action::Change { fields: fields(before, after) },
            };
            Some(Change { kind: key.0, id: key.1.clone(), action })
        })
        .collect()
}

/// The organisation after `new` was applied to `old`: what `new` says, with stored secrets kept,
/// and besides (unless pruned) what only `old` has. Routes that are kept come after those of
/// `new`, so that a file's first match decides. Overrides are always those of `old`.
#[must_use]
pub fn applied(old: &Bundle, new: &Bundle, prune: bool, ways: WaysOut) -> Bundle {
    let new = keep_stored(old, new.clone(), ways);
    let mut forms = forms(&new);
    forms.retain(|form| form.kind != FormKind::Override);
    let said: BTreeSet<(FormKind, Slug)> = forms.iter().map(|form| (form.kind, form.id.clone())).collect();
    for mut form in self::forms(old) {
        let kept = form.kind == FormKind::Override || (!prune && !said.contains(&(form.kind, form.id.clone())));
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
    let mut out = Vec::new();
    push(&mut out, FormKind::Person, &bundle.people, |f| f.id.clone());
    push(&mut out, FormKind::Team, &bundle.teams, |f| f.id.clone());
    push(&mut out, FormKind::Schedule, &bundle.schedules, |f| f.id.clone());
    push(&mut out, FormKind::Override, &bundle.overrides, |f| f.id.clone());
    push(&mut out, FormKind::Escalation, &bundle.escalations, |f| f.id.clone());
    push(&mut out, FormKind::Service, &bundle.services, |f| f.id.clone());
    push(&mut out, FormKind::Integration, &bundle.integrations, |f| f.id.clone());
    let mut taken: BTreeSet<Slug> = bundle.routes.iter().filter_map(|route| route.id.clone()).collect();
    for (at, route) in bundle.routes.iter().enumerate() {
        let id = route.id.clone().unwrap_or_else(|| {
            let plain = format!("route-{:03}", at + 1);
            let mut id = plain.clone();
            // Somebody may have given another route this very name.
            let mut again = 2;
            while !taken.insert(id.clone()) {
                id = format!("{plain}.{again}");
                again += 1;
            }
            id
        });
        let mut body = to_value(route);
        body[ORDER] = at.into();
        out.push(Form { kind: FormKind::Route, id, body });
    }
    push(&mut out, FormKind::Severity, &bundle.severities, |f| f.id.word().to_owned());
    push(&mut out, FormKind::Silence, &bundle.silences, |f| f.id.clone());
    if !bundle.catch_all.is_empty() {
        let body = serde_json::json!({ "targets": bundle.catch_all });
        out.push(Form { kind: FormKind::CatchAll, id: CATCH_ALL_ID.into(), body });
    }
    push(&mut out, FormKind::Audience, &bundle.audiences, |f| f.id.clone());
    push(&mut out, FormKind::Calendar, &bundle.calendars, |f| f.id.clone());
    push(&mut out, FormKind::Role, &bundle.roles, |f| f.id.clone());
    push(&mut out, FormKind::Plan, &bundle.plans, |f| f.id.clone());
    out
}

/// Forms as a bundle. They may come in any order, except that lists keep the order they come in;
/// routes go by their `order`, then by id.
///
/// # Errors
/// The first form that cannot be read.
pub fn from_forms(forms: impl IntoIterator<Item = Form>) -> Result<Bundle, BadForm> {
    #[derive(Deserialize)]
    struct CatchAll {
        targets: Vec<String>,
    }
    let mut out = Bundle::default();
    let mut routes = Vec::new();
    for mut form in forms {
        match form.kind {
            FormKind::Person => out.people.push(read(form)?),
            FormKind::Team => out.teams.push(read(form)?),
            FormKind::Schedule => out.schedules.push(read(form)?),
            FormKind::Override => out.overrides.push(read(form)?),
            FormKind::Escalation => out.escalations.push(read(form)?),
            FormKind::Service => out.services.push(read(form)?),
            FormKind::Integration => out.integrations.push(read(form)?),
            FormKind::Route => {
                let order = form.body.as_object_mut().and_then(|body| body.remove(ORDER));
                let order = order.and_then(|order| order.as_u64()).unwrap_or(u64::MAX);
                routes.push((order, form.id.clone(), read(form)?));
            }
            FormKind::Severity => out.severities.push(read(form)?),
            FormKind::Silence => out.silences.push(read(form)?),
            FormKind::CatchAll => out.catch_all = read::<CatchAll>(form)?.targets,
            FormKind::Audience => out.audiences.push(read(form)?),
            FormKind::Calendar => out.calendars.push(read(form)?),
            FormKind::Role => out.roles.push(read(form)?),
            FormKind::Plan => out.plans.push(read(form)?),
        }
    }
    routes.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
    out.routes = routes.into_iter().map(|(_, _, route)| route).collect();
    Ok(out)
}

fn read<T: DeserializeOwned>(form: Form) -> Result<T, BadForm> {
    serde_json::from_value(form.body).map_err(|error| BadForm { kind: form.kind, id: form.id, why: error.to_string() })
}

fn push<T: Serialize>(out: &mut Vec<Form>, kind: FormKind, list: &[T], id: impl Fn(&T) -> Slug) {
    out.extend(list.iter().map(|form| Form { kind, id: id(form), body: to_value(form) }));
}

fn to_value<T: Serialize>(form: &T) -> Value {
    serde_json::to_value(form).expect("forms have text keys and no failing serializer")
}

fn by_key(bundle: &Bundle) -> BTreeMap<(FormKind, Slug), Value> {
    forms(bundle).into_iter().map(|form| ((form.kind, form.id), form.body)).collect()
}

fn fields(before: &Value, after: &Value) -> Vec<String> {
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
            "plans": [{"id": "p", "anything": {"nested": [1, 2]}}],
        }));
        out.overrides = vec![crate::org::model::Override {
            id: "o".into(),
            schedule: "s".into(),
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
                Action::Change { fields } => format!("{} {} ~{}", c.kind.word(), c.id, fields.join(",")),
                action @ (Action::Add | Action::Remove | Action::KeptWithoutPrune) => format!("{} {} {action:?}", c.kind.word(), c.id),
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
            "plans": [{"id": "p", "anything": {"nested": [1, 3]}}],
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
                "plan p ~anything",
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
        assert!(diff(&kept, &new, false, WAYS).iter().all(|c| c.action == Action::KeptWithoutPrune));
    }
}
