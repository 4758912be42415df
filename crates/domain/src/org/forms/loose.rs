//! Forms whose keys belong to a later capability: kept and exported as written, and only their ids are judged.

use serde::{Deserialize, Serialize};

use super::about::{Field, Input, row};
use super::checker::Checker;
use super::{Entry, FormKind, Slug};

/// The fields of such a kind: all in one.
pub const FIELDS: &[Field] = &[row("", "Content", "Kept and exported as written.", Input::Rest)];

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
        checker.each(kind, list, |_, _, _| {});
    }
}
