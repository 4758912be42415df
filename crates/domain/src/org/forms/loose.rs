//! Forms whose keys belong to a later capability: what an earlier version kept is kept and exported as written; what is new is
//! refused as not there yet.

use serde::{Deserialize, Serialize};

use super::checker::Checker;
use super::{Entry, FormKind, Slug};

/// An object whose keys belong to a later capability: kept as written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LooseForm {
    pub id: Slug,
    #[serde(flatten)]
    pub rest: serde_json::Map<String, serde_json::Value>,
}

impl Entry for LooseForm {
    fn id(&self) -> Option<&str> {
        Some(&self.id)
    }

    fn check<'a>(kind: FormKind, list: &'a [Self], checker: &mut Checker<'a>) {
        checker.each(kind, list, |checker, place, form| {
            checker.not_yet(place.clone(), &format!("the plan `{}`", form.id));
        });
    }
}
