//! Names that routes may give as a plan; nothing else reads them yet.

use super::about::{About, IdOf};
use super::loose::FIELDS;

/// What the settings and the file say of it.
pub const ABOUT: About = About {
    word: "plan",
    plural: "Plans",
    one: "plan",
    purpose: "Names that routes may give as a plan. Kept for later, as written.",
    id: IdOf::Typed,
    then: &[],
    fields: FIELDS,
};
