//! People and addresses that updates go to.

use serde::{Deserialize, Serialize};

use super::about::{About, IdOf, Input, NAME, row};
use super::checker::Checker;
use super::contact::Contact;
use super::{Entry, FormKind, Slug};

/// What the settings and the file say of it.
pub const ABOUT: About = About {
    word: "audience",
    plural: "Audiences",
    one: "audience",
    purpose: "Who is told by updates: people, teams, mailing lists.",
    id: IdOf::Typed,
    then: &[],
    fields: &[
        NAME,
        row("people", "People", "", Input::Many(FormKind::Person)),
        row("teams", "Teams", "Every member is told.", Input::Many(FormKind::Team)),
        row("contacts", "Other addresses", "That belong to no person, as of a mailing list.", Input::Contacts),
    ],
};

/// People and addresses that updates go to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Audience {
    pub id: Slug,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<Slug>,
    /// Every member of these is told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub teams: Vec<Slug>,
    /// Addresses that belong to no person: a mailing list, a webhook.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contacts: Vec<Contact>,
}

impl Entry for Audience {
    fn id(&self) -> Option<&str> {
        Some(&self.id)
    }
    fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }
    fn contacts(&mut self) -> Option<&mut Vec<Contact>> {
        Some(&mut self.contacts)
    }

    fn check<'a>(kind: FormKind, list: &'a [Self], checker: &mut Checker<'a>) {
        checker.each(kind, list, |checker, place, audience| {
            checker.refer(&place.key("people"), FormKind::Person, &audience.people);
            checker.refer(&place.key("teams"), FormKind::Team, &audience.teams);
            checker.contacts(place, &audience.contacts);
        });
    }
}
