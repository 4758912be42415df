//! Calendars: nothing reads them yet.

use super::about::{About, IdOf};
use super::loose::FIELDS;

/// What the settings and the file say of it.
pub const ABOUT: About = About {
    word: "calendar",
    plural: "Calendars",
    one: "calendar",
    purpose: "Kept for later, as written.",
    id: IdOf::Typed,
    fields: FIELDS,
};
