//! Roles that can be taken in an incident, besides the usual ones; of each only the id matters so far.

use super::about::{About, IdOf};

/// What the settings and the file say of it.
pub const ABOUT: About = About {
    word: "role",
    plural: "Roles",
    one: "role",
    purpose: "Roles that can be taken in an incident, besides commander, deputy, scribe, communications, liaison and operations.",
    id: IdOf::Typed,
    then: &[],
    fields: &[],
};
