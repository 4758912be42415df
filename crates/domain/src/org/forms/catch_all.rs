//! Who is paged, once, when every round is through and nobody has it. A list of targets in the file, and one form of one key
//! where it is stored.

use serde::{Deserialize, Serialize};

use super::about::{About, IdOf, Input, needed};
use super::checker::Checker;
use super::stored::{BadForm, Form, body_of, read};
use super::{Entry, FormKind};
use crate::org::problem::Place;

/// The id of the one form that says who is paged when every round is through.
pub const CATCH_ALL_ID: &str = "catch_all";

/// What it is for: the same sentence wherever somebody is told to set one.
pub const PURPOSE: &str =
    "Who is paged, once, when every round is through and nobody has it. Without it nobody is, until the page comes back.";

/// As it is stored.
#[derive(Serialize, Deserialize)]
struct TargetsBody {
    targets: Vec<String>,
}

/// What the settings and the file say of it.
pub const ABOUT: About = About {
    word: "catch_all",
    plural: "Catch-all",
    one: "catch-all",
    purpose: PURPOSE,
    id: IdOf::Only,
    then: &[],
    fields: &[needed("targets", "Whom to page", "All of them, at once.", Input::Several(&Input::Target, 2))],
};

/// A target: `schedule:ID`, `person:ID`, `team:ID`.
impl Entry for String {
    fn id(&self) -> Option<&str> {
        None
    }

    fn store(kind: FormKind, list: &[Self]) -> Vec<Form> {
        if list.is_empty() {
            return Vec::new();
        }
        vec![Form { kind, id: CATCH_ALL_ID.into(), body: body_of(&TargetsBody { targets: list.to_vec() }) }]
    }

    fn restore(forms: Vec<Form>) -> Result<Vec<Self>, BadForm> {
        forms.into_iter().next_back().map_or_else(|| Ok(Vec::new()), |form| Ok(read::<TargetsBody>(form)?.targets))
    }

    fn check<'a>(kind: FormKind, list: &'a [Self], checker: &mut Checker<'a>) {
        for (at, target) in list.iter().enumerate() {
            checker.target(Place::root().key(kind.list()).index(at), target);
        }
    }
}
