//! What is wrong with the organisation, told by form: a change of one form is refused for what it
//! breaks, wherever that is, and not for what was broken before.
//!
//! The rules are those of `allclear_domain::org::check`; here their places become forms.

use std::collections::{HashMap, HashSet};

use allclear_domain::org::check::{Against, check};
use allclear_domain::org::diff::{BadForm, CATCH_ALL_ID, Form, FormKind, ORDER, from_forms};
use allclear_domain::org::problem::{PathPart, Place, Problem, Weight};
use serde_json::Value;

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
pub(super) fn judged(forms: &[Form], against: Against<'_>) -> Result<Vec<FormProblem>, BadForm> {
    let ids = ids(forms);
    let bundle = from_forms(forms.iter().cloned())?;
    Ok(check(&bundle, against).into_iter().filter_map(|problem| told(problem, &ids)).collect())
}

/// What of `after` a change of one form answers for: everything on that form, and elsewhere what
/// was not so `before`.
pub(super) fn caused(before: &[FormProblem], after: Vec<FormProblem>, kind: FormKind, id: &str) -> Vec<FormProblem> {
    let known: HashSet<_> = before.iter().map(|p| (p.kind, &p.id, &p.key, &p.message)).collect();
    after.into_iter().filter(|p| p.is_of(kind, id) || !known.contains(&(p.kind, &p.id, &p.key, &p.message))).collect()
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
    let kind = kind_of(list)?;
    let (id, key) = if kind == FormKind::CatchAll {
        (CATCH_ALL_ID, Place::root().key("targets").index(*at))
    } else {
        (*ids.get(&kind)?.get(*at)?, below(rest))
    };
    let (id, key) = (id.to_owned(), key.to_string());
    Some(FormProblem { weight: problem.weight, kind, id, key, message: problem.message, hint: problem.hint })
}

/// The way that these steps are.
pub(crate) fn below(parts: &[PathPart]) -> Place {
    parts.iter().fold(Place::root(), |place, part| match part {
        PathPart::Key(key) => place.key(key),
        PathPart::Index(index) => place.index(*index),
    })
}

/// The kind of the forms that stand in a list of the file.
pub(crate) fn kind_of(list: &str) -> Option<FormKind> {
    FormKind::ALL.into_iter().find(|kind| kind.list() == list)
}
