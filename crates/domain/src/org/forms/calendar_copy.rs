//! What was read last of a calendar that others keep. A form as all others, so that every node has the same, a copy of the store has
//! it, and a change of it is a version of the organisation; but no file writes one, and no page offers to.

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::about::{About, IdOf, Input, needed};
use super::checker::Checker;
use super::{Entry, FormKind, Slug};
use crate::hex::hex;
use crate::ical::Calendar;

/// Bytes of the digest of an address that are kept: enough that no other has the same.
const MARK_BYTES: usize = 12;

/// What the settings say of it.
pub const ABOUT: About = About {
    word: "calendar_copy",
    plural: "Copies of external calendars",
    one: "copy of an external calendar",
    purpose: "What was read last of an external calendar. It is read and written by itself; the id is the calendar's.",
    id: IdOf::Typed,
    then: &[],
    fields: &[needed("of", "Of", "A digest of the address it was read from.", Input::Line), needed("ics", "Text", "", Input::Text)],
};

/// What was read last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CalendarCopy {
    /// The calendar's.
    pub id: Slug,
    /// [`mark_of`] the address it was read from: of another one it says nothing.
    pub of: String,
    /// What is kept of its text.
    pub ics: String,
}

/// A digest of an address, which does not tell it.
#[must_use]
pub fn mark_of(url: &str) -> String {
    hex(&Sha256::digest(url.as_bytes())[..MARK_BYTES])
}

impl Entry for CalendarCopy {
    fn id(&self) -> Option<&str> {
        Some(&self.id)
    }

    fn check<'a>(kind: FormKind, list: &'a [Self], checker: &mut Checker<'a>) {
        // One of a calendar that is gone goes with the next reading, and says nothing until then.
        checker.each(kind, list, |checker, place, copy| {
            if let Err(why) = Calendar::read(&copy.ics, &TimeZone::UTC) {
                checker.error(place.key("ics"), format!("the text cannot be read: {why}"), "remove the form: it is read anew");
            }
        });
    }
}
