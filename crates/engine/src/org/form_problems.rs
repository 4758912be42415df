//! What is wrong with the organisation, told by form: a change of one form is refused for what it
//! breaks, wherever that is, and not for what was broken before.
//!
//! The rules are those of `allclear_domain::org::check`; here their places become forms.

use std::collections::{HashMap, HashSet};

use allclear_domain::org::check::{Against, check, value_at};
use allclear_domain::org::diff::{BadForm, CATCH_ALL_ID, Form, FormKind, ORDER, from_forms};
use allclear_domain::org::model::Access;
use allclear_domain::org::problem::{PathPart, Place, Problem, Weight};
use serde_json::{Value, json};

/// One thing that is wrong with a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormProblem {
    /// Whether the change is refused for this.
    pub weight: Weight,
    /// The form on which it shows.
    pub kind: FormKind,
    /// Its id.
    pub id: String,
    /// The key within the form (`layers[0].people[1]`); empty for the whole form.
    pub key: String,
    /// What is wrong.
    pub message: String,
    /// What would work.
    pub hint: Option<String>,
    /// Said of the change alone: whoever looks at the form later is not told of it.
    pub of_the_change: bool,
    /// Where within the form, of what is wrong only for being new.
    pub not_yet: Option<Vec<PathPart>>,
}

impl FormProblem {
    /// Whether the change is refused for this.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.weight == Weight::Error
    }

    /// Whether it shows on this form.
    #[must_use]
    pub fn is_of(&self, kind: FormKind, id: &str) -> bool {
        self.kind == kind && self.id == id
    }
}

/// Everything wrong with an organisation of these forms.
pub(crate) fn judged(forms: &[Form], against: Against<'_>) -> Result<Vec<FormProblem>, BadForm> {
    let ids = ids(forms);
    let bundle = from_forms(forms.iter().cloned())?;
    Ok(check(&bundle, against).into_iter().filter_map(|problem| told(problem, &ids)).collect())
}

/// What of the new form is not there yet, and stands in the stored one with the same value: it is kept as it was.
pub(crate) fn keep_as_stored(problems: &mut Vec<FormProblem>, was: &[Form], will: &[Form], kind: FormKind, id: &str) {
    let find = |forms: &[Form]| forms.iter().find(|form| form.kind == kind && form.id == id).map(|form| form.body.clone());
    let (Some(was), Some(will)) = (find(was), find(will)) else { return };
    problems.retain(|problem| {
        let Some(parts) = problem.not_yet.as_ref().filter(|_| problem.is_of(kind, id)) else { return true };
        let stands = value_at(&was, parts);
        stands.is_none() || stands != value_at(&will, parts)
    });
}

/// What of `after` a change of one form answers for: everything on that form, and elsewhere what
/// was not so `before`.
pub(crate) fn caused(before: &[FormProblem], after: Vec<FormProblem>, kind: FormKind, id: &str) -> Vec<FormProblem> {
    let known: HashSet<_> = before.iter().map(|p| (p.kind, &p.id, &p.key, &p.message)).collect();
    after.into_iter().filter(|p| p.is_of(kind, id) || !known.contains(&(p.kind, &p.id, &p.key, &p.message))).collect()
}

/// What is wrong where a change of one person leaves nobody an administrator, though somebody was one.
/// Nobody could undo it in the browser.
pub(crate) fn nobody_administers(was: &[Form], will: &[Form], id: &str) -> Option<FormProblem> {
    let administers = |form: &Form| form.kind == FormKind::Person && form.body.get("access") == Some(&json!(Access::Administrator));
    let loses_the_last = was.iter().any(administers) && !will.iter().any(administers);
    let stays = will.iter().any(|form| form.kind == FormKind::Person && form.id == id);
    loses_the_last.then(|| FormProblem {
        weight: Weight::Error,
        kind: FormKind::Person,
        id: id.to_owned(),
        key: if stays { "access".to_owned() } else { String::new() },
        message: "nobody would be an administrator".to_owned(),
        hint: Some("make somebody else one first".to_owned()),
        of_the_change: true,
        not_yet: None,
    })
}

/// The ids of each list of the bundle, in its order.
fn ids(forms: &[Form]) -> HashMap<FormKind, Vec<&str>> {
    let mut sorted: Vec<&Form> = forms.iter().collect();
    let order = |form: &Form| form.body.get(ORDER).and_then(Value::as_u64).unwrap_or(u64::MAX);
    // As the bundle's lists are: routes by their order, everything else as it comes.
    sorted.sort_by(|a, b| match (a.kind, b.kind) {
        (FormKind::Route, FormKind::Route) => (order(a), &a.id).cmp(&(order(b), &b.id)),
        (a, b) => a.cmp(&b),
    });
    let mut out: HashMap<FormKind, Vec<&str>> = HashMap::new();
    for form in sorted {
        out.entry(form.kind).or_default().push(&form.id);
    }
    out
}

fn told(problem: Problem, ids: &HashMap<FormKind, Vec<&str>>) -> Option<FormProblem> {
    let [PathPart::Key(list), PathPart::Index(at), rest @ ..] = problem.place.parts() else { return None };
    let not_yet = problem.not_yet.then(|| rest.to_vec());
    let kind = FormKind::from_list(list)?;
    let (id, key) = if kind == FormKind::CatchAll {
        (CATCH_ALL_ID, Place::root().key("targets").index(*at))
    } else {
        (*ids.get(&kind)?.get(*at)?, below(rest))
    };
    let (id, key) = (id.to_owned(), key.to_string());
    Some(FormProblem { weight: problem.weight, kind, id, key, message: problem.message, hint: problem.hint, of_the_change: false, not_yet })
}

/// The way that these steps are.
pub(crate) fn below(parts: &[PathPart]) -> Place {
    parts.iter().fold(Place::root(), |place, part| match part {
        PathPart::Key(key) => place.key(key),
        PathPart::Index(index) => place.index(*index),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(kind: FormKind, id: &str, body: Value) -> Form {
        Form { kind, id: id.to_owned(), body }
    }

    /// A service whose policy is not there, and a person on a schedule.
    fn broken() -> Vec<Form> {
        vec![
            form(FormKind::Person, "ana", json!({"id": "ana", "name": "Ana", "contacts": [{"id": "m", "email": "ana@example.org"}]})),
            form(FormKind::Person, "ben", json!({"id": "ben", "name": "Ben", "contacts": [{"id": "m", "email": "ben@example.org"}]})),
            form(
                FormKind::Schedule,
                "rota",
                json!({"id": "rota", "time_zone": "UTC", "layers": [{"people": ["ana"], "every": "1w", "handoff": "Mon 09:00", "starts": "2026-01-05"}]}),
            ),
            form(FormKind::Service, "shop", json!({"id": "shop", "name": "Shop", "escalation": "gone"})),
            form(FormKind::Route, "b", json!({"id": "b", "order": 0, "match": "a=\"1\""})),
            form(FormKind::Route, "a", json!({"id": "a", "order": 1, "match": "a=~\"(\""})),
            form(FormKind::CatchAll, CATCH_ALL_ID, json!({"targets": ["person:ben", "ana"]})),
        ]
    }

    fn told(forms: &[Form]) -> Vec<FormProblem> {
        judged(forms, Against { now: "2026-03-01T12:00:00Z".parse().unwrap(), kinds: &[], channels: allclear_channels::registry::WAYS_OUT })
            .unwrap()
    }

    fn errors(problems: &[FormProblem]) -> Vec<String> {
        problems.iter().filter(|p| p.is_error()).map(|p| format!("{} {} {}", p.kind.word(), p.id, p.key)).collect()
    }

    #[test]
    fn a_problem_names_its_form_and_the_key_in_it() {
        assert_eq!(errors(&told(&broken())), ["service shop escalation", "route a match", "catch_all catch_all targets[1]"]);
    }

    #[test]
    fn a_change_answers_for_its_own_form_and_for_what_it_breaks_elsewhere() {
        let was = told(&broken());
        let without = |kind: FormKind, id: &str| broken().into_iter().filter(|f| f.kind != kind || f.id != id).collect::<Vec<_>>();
        // What was wrong before, elsewhere, is not asked of whoever changes something else, also
        // where the places of a list move.
        let gone = caused(&was, told(&without(FormKind::Route, "b")), FormKind::Route, "b");
        assert_eq!(errors(&gone), Vec::<String>::new());
        let gone = caused(&was, told(&without(FormKind::Person, "ana")), FormKind::Person, "ana");
        assert_eq!(errors(&gone), ["schedule rota layers[0].people[0]"]);
        // The form that is put has to be right itself.
        assert_eq!(errors(&caused(&was, told(&broken()), FormKind::Service, "shop")), ["service shop escalation"]);
    }

    #[test]
    fn what_is_not_there_yet_is_kept_where_it_is_stored_and_says_the_same() {
        let with = |body: Value| vec![form(FormKind::Severity, "sev2", body)];
        let was = with(json!({"id": "sev2", "acknowledge_within": "5m"}));
        let refused = |will: &[Form]| {
            let mut found = caused(&told(&was), told(will), FormKind::Severity, "sev2");
            keep_as_stored(&mut found, &was, will, FormKind::Severity, "sev2");
            errors(&found)
        };
        assert_eq!(refused(&with(json!({"id": "sev2", "name": "Bad", "acknowledge_within": "5m"}))), Vec::<String>::new());
        for other in
            [json!({"id": "sev2", "acknowledge_within": "6m"}), json!({"id": "sev2", "acknowledge_within": "5m", "resolve_within": "1h"})]
        {
            assert_eq!(refused(&with(other)).len(), 1);
        }
    }
}
