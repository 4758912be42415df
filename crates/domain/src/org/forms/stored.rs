//! One form as it is stored and versioned: a kind, an id and a body.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{FormKind, Slug};

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

/// What a body says.
pub(super) fn read<T: DeserializeOwned>(form: Form) -> Result<T, BadForm> {
    serde_json::from_value(form.body).map_err(|error| BadForm { kind: form.kind, id: form.id, why: error.to_string() })
}

/// The body of a form.
pub(super) fn body_of<T: Serialize>(form: &T) -> Value {
    serde_json::to_value(form).expect("forms have text keys and no failing serializer")
}
