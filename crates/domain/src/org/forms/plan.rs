//! Response plans: not there yet. What an earlier version kept is kept and exported as written.

use super::about::{About, IdOf};

/// What the settings and the file say of it.
pub const ABOUT: About = About {
    word: "plan",
    plural: "Plans",
    one: "plan",
    purpose: "Not there yet: what was written for an earlier version is kept, and nothing reads it.",
    id: IdOf::Typed,
    then: &[],
    fields: &[],
};
