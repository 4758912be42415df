//! Another organisation that incidents are dealt with: an agency, a vendor, a partner, a regulator, a hospital.

use serde::{Deserialize, Serialize};

use super::about::{About, CALLED, IdOf, Input, needed, row};
use super::checker::Checker;
use super::contact::Contact;
use super::{Entry, FormKind, Slug};
use crate::tlp::Tlp;

/// Kinds, as they are written and shown.
const KINDS: &[(&str, &str)] =
    &[("agency", "Agency"), ("vendor", "Vendor"), ("partner", "Partner"), ("regulator", "Regulator"), ("hospital", "Hospital")];
/// Levels, as they are written and shown.
const LEVELS: &[(&str, &str)] = &[
    ("clear", "TLP:CLEAR: what anybody may know"),
    ("green", "TLP:GREEN: also what a community may know"),
    ("amber", "TLP:AMBER: also what stays with them and their clients"),
    ("amber+strict", "TLP:AMBER+STRICT: also what stays with them"),
    ("red", "TLP:RED: all of it"),
];
/// Longest reference of an agreement, in characters.
const REFERENCE_CHARS_MAX: usize = 200;

/// What the settings and the file say of it.
pub const ABOUT: About = About {
    word: "organisation",
    plural: "Organisations",
    one: "organisation",
    purpose: "Agencies, vendors, partners, regulators and hospitals that are asked for something in an incident: how each is reached, when it works, and how much it may be told.",
    id: IdOf::Typed,
    then: &[],
    fields: &[
        CALLED,
        needed("kind", "Kind", "", Input::Word(KINDS)),
        row("contacts", "Contacts", "The first is the agreed way; the others are used where it fails.", Input::Contacts),
        row(
            "hours",
            "Hours",
            "Only in its open hours does the time of a request count. Without a calendar every hour does.",
            Input::One(FormKind::Calendar),
        ),
        row("reference", "Agreement", "Its number, or where it is kept; each request cites it.", Input::Line),
        row("tlp", "May be told at most", "What nobody marked stays in the house. Unless said, TLP:CLEAR.", Input::Word(LEVELS)),
    ],
};

/// What another organisation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrganisationKind {
    Agency,
    Vendor,
    Partner,
    Regulator,
    Hospital,
}

impl OrganisationKind {
    /// As it is written.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Agency => "agency",
            Self::Vendor => "vendor",
            Self::Partner => "partner",
            Self::Regulator => "regulator",
            Self::Hospital => "hospital",
        }
    }
}

/// Another organisation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Organisation {
    pub id: Slug,
    pub name: String,
    pub kind: OrganisationKind,
    /// The first is the agreed way.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contacts: Vec<Contact>,
    /// The calendar of its open hours; every hour where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours: Option<Slug>,
    /// Of the agreement with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The most it may be told; nothing but what anybody may know, where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tlp: Option<Tlp>,
}

impl Organisation {
    /// The most it may be told.
    #[must_use]
    pub fn may_be_told(&self) -> Tlp {
        self.tlp.unwrap_or(Tlp::Clear)
    }
}

impl Entry for Organisation {
    fn id(&self) -> Option<&str> {
        Some(&self.id)
    }
    fn name(&self) -> Option<&str> {
        Some(&self.name)
    }
    fn contacts(&mut self) -> Option<&mut Vec<Contact>> {
        Some(&mut self.contacts)
    }

    fn check<'a>(kind: FormKind, list: &'a [Self], checker: &mut Checker<'a>) {
        checker.each(kind, list, |checker, place, organisation| {
            checker.name(place, &organisation.name);
            checker.contacts(place, &organisation.contacts);
            if organisation.contacts.is_empty() {
                let words = format!("organisation `{}` has no contact, so a request is only written down", organisation.id);
                checker.warning(place.key("contacts"), words, "give it `contacts`, as in `[{id: mail, email: cert@example.org}]`");
            }
            if let Some(hours) = &organisation.hours {
                checker.refers(place.key("hours"), FormKind::Calendar, hours);
            }
            if organisation.reference.as_ref().is_some_and(|reference| reference.chars().count() > REFERENCE_CHARS_MAX) {
                let words = format!("a reference has at most {REFERENCE_CHARS_MAX} characters");
                checker.error(place.key("reference"), words, "write its number, and keep the agreement elsewhere");
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_the_settings_are_those_that_are_read() {
        for (word, _) in KINDS {
            let kind: OrganisationKind = serde_json::from_value(serde_json::json!(word)).unwrap();
            assert_eq!(kind.word(), *word);
        }
        assert_eq!(LEVELS.iter().map(|(word, _)| *word).collect::<Vec<_>>(), Tlp::WORDS);
        let least: Organisation = serde_json::from_value(serde_json::json!({"id": "cert", "name": "CERT", "kind": "agency"})).unwrap();
        assert_eq!(least.may_be_told(), Tlp::Clear, "what nobody agreed is not told");
    }
}
