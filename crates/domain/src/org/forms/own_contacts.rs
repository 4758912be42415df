//! How somebody says themself that they are reached: contacts and rules of their own, beside what their person's form says, and
//! what of either was proved to be theirs. Forms as all others, but no file owns them, so that a file that is applied again
//! leaves them as they are.
//!
//! Not here: who may write one ([`crate::access::may_look_after`]), and how a contact is proved.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::about::{About, IdOf, Input, row};
use super::checker::Checker;
use super::contact::Contact;
use super::person::{self, Notify, NotifyEntry, Person};
use super::rows::unused;
use super::{Bundle, Entry, FormKind, Slug};
use crate::actor::Actor;
use crate::channel::WaysOut;
use crate::hex::hex;
use crate::time::Length;

/// Contacts that one person may add: every channel twice, and nobody reads more before a page.
pub const OWN_CONTACTS_MAX: usize = 20;

/// What the settings and the file say of it.
pub const ABOUT: About = About {
    word: "own_contacts",
    plural: "Own contacts",
    one: "list of own contacts",
    purpose: "What people say themselves of how they are reached, on their page Me: contacts beside those of their form, and in \
              which order all of them are used. The id is the person's.",
    id: IdOf::Typed,
    then: &[],
    fields: &[
        row("contacts", "Contacts", "A stored secret is shown as ********; leave that to keep it.", Input::Contacts),
        row(
            "notify",
            "Which contacts, in which order",
            "In the place of what the person's form says; left empty, that counts.",
            Input::Rows(&person::ORDER),
        ),
        row("shift_notices", "Told before their shifts", "In the place of what the person's form says, as in 1d, 1h.", Input::Names),
    ],
};

/// How somebody says themself that they are reached.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnContacts {
    /// The person's.
    pub id: Slug,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contacts: Vec<Contact>,
    /// In the place of what the person's form says, where it is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notify: Option<Notify>,
    /// How long before their shifts they are told, in the place of what the person's form says, where it is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shift_notices: Option<Vec<Length>>,
    /// Of these contacts, and of those of the person's form.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub proofs: Vec<Proof>,
}

/// That a contact was proved to reach its person: an address, and nothing that it may be changed to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proof {
    /// The contact's id.
    pub contact: Slug,
    /// [`mark_of`] the address.
    pub of: String,
    /// When.
    pub at: Timestamp,
    /// Who said so by hand; where nobody did, its person typed the code that was sent there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Actor>,
}

/// A short mark of a contact's address: of every field but those that are made here, which say nothing of where it goes.
#[must_use]
pub fn mark_of(contact: &Contact, ways: WaysOut) -> String {
    let form = ways.of(&contact.address);
    let is_made = |key: &str| form.and_then(|form| form.field(key)).is_some_and(crate::channel::Field::is_made);
    let mut fields: Vec<(&str, &str)> = contact.address.fields().filter(|(key, _)| !is_made(key)).collect();
    fields.sort_unstable();
    let mut digest = Sha256::new();
    for (key, value) in fields {
        digest.update(format!("{key} {}\n{value}\n", value.len()));
    }
    hex(&digest.finalize())
}

impl OwnContacts {
    /// Of nobody's yet.
    #[must_use]
    pub fn of(person: &str) -> Self {
        Self { id: person.to_owned(), ..Self::default() }
    }

    /// The proof of a contact as it is now.
    #[must_use]
    pub fn proof(&self, contact: &Contact, ways: WaysOut) -> Option<&Proof> {
        let of = mark_of(contact, ways);
        self.proofs.iter().rev().find(|proof| proof.contact == contact.id && proof.of == of)
    }

    /// Whether it says nothing any more.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.contacts.is_empty() && self.notify.is_none() && self.shift_notices.is_none() && self.proofs.is_empty()
    }

    /// A person with this beside their form: as they are reached. A contact whose id the form has goes by the next that is free,
    /// so that a file that takes its name takes nobody's way, and what the order says of it goes with it.
    #[must_use]
    pub fn beside(&self, person: &Person, ways: WaysOut) -> Person {
        let own = self.with_ids_of_its_own(person);
        let mut out = person.clone();
        for contact in &own.contacts {
            let mut contact = contact.clone();
            contact.verified = contact.verified || own.proof(&contact, ways).is_some();
            out.contacts.push(contact);
        }
        for contact in &mut out.contacts {
            contact.verified = contact.verified || own.proof(contact, ways).is_some();
        }
        if let Some(leads) = own.shift_notices {
            out.shift_notices = leads;
        }
        if let Some(notify) = own.notify {
            out.notify = notify;
            // What a file took away is nobody's way.
            let there = |entry: &NotifyEntry| out.contacts.iter().any(|contact| contact.id == entry.contact);
            out.notify.high.retain(there);
            out.notify.low.retain(there);
        }
        out
    }

    /// The same where no contact has an id of the person's form: a file took it later, and whoever chose an order meant the contact
    /// that went by it then.
    #[must_use]
    pub fn with_ids_of_its_own(&self, person: &Person) -> Self {
        let mut out = self.clone();
        for at in 0..out.contacts.len() {
            let was = out.contacts[at].id.clone();
            let taken = |id: &str| {
                let others = out.contacts.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, contact)| contact);
                others.chain(&person.contacts).any(|contact| contact.id == id)
            };
            let id = unused(&was, taken);
            if id == was {
                continue;
            }
            let entries = out.notify.iter_mut().flat_map(|notify| notify.high.iter_mut().chain(&mut notify.low));
            for entry in entries.filter(|entry| entry.contact == was) {
                entry.contact.clone_from(&id);
            }
            // A proof is of an address: one of the form's may stand under the same id, and stays.
            let moved: Vec<Proof> = out
                .proofs
                .iter()
                .filter(|proof| proof.contact == was)
                .map(|proof| Proof { contact: id.clone(), ..proof.clone() })
                .collect();
            out.proofs.extend(moved);
            out.contacts[at].id = id;
        }
        out
    }
}

impl Entry for OwnContacts {
    fn id(&self) -> Option<&str> {
        Some(&self.id)
    }
    fn title(&self, of: &Bundle) -> Option<String> {
        of.people.iter().find(|form| form.id == self.id).map(|form| form.name.clone())
    }
    fn contacts(&mut self) -> Option<&mut Vec<Contact>> {
        Some(&mut self.contacts)
    }

    fn check<'a>(kind: FormKind, list: &'a [Self], checker: &mut Checker<'a>) {
        checker.each(kind, list, |checker, place, own| {
            // Nobody's own choice stops a change of the organisation: what a file took away counts for nothing here.
            let Some(person) = checker.bundle.people.iter().find(|form| form.id == own.id) else {
                let message = format!("`{}` has contacts of their own and is no person any more: they count for nothing", own.id);
                checker.warning(place.key("id"), message, "nothing is to be done");
                return;
            };
            if let Some(why) = own.shift_notices.as_deref().and_then(person::leads_fault) {
                checker.error(place.key("shift_notices"), why, "write lengths such as `1d` and `1h`, at most four");
            }
            checker.contacts(place, &own.contacts);
            let known: Vec<&str> = own.contacts.iter().chain(&person.contacts).map(|contact| contact.id.as_str()).collect();
            let rules = own.notify.iter().flat_map(|notify| [("high", &notify.high), ("low", &notify.low)]);
            for (list, rules) in rules {
                let place = place.key("notify").key(list);
                for (at, rule) in rules.iter().enumerate().filter(|(_, rule)| !known.contains(&rule.contact.as_str())) {
                    let message =
                        format!("`{}`, which `{}` chose, is not a contact of theirs any more, and is left out", rule.contact, own.id);
                    checker.warning(place.index(at).key("contact"), message, "they choose another among how they are reached");
                }
                person::delays(checker, &place, rules);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::channel::sample::WAYS;

    fn person() -> Person {
        serde_json::from_value(
            json!({"id": "ana", "name": "Ana", "contacts": [{"id": "mail", "email": "ana@example.org", "verified": false}],
            "notify": {"high": [{"contact": "mail"}]}}),
        )
        .unwrap()
    }

    #[test]
    fn a_proof_is_of_an_address_and_of_no_other() {
        let mut own = OwnContacts::of("ana");
        let mark = mark_of(&person().contacts[0], WAYS);
        own.proofs.push(Proof { contact: "mail".into(), of: mark.clone(), at: Timestamp::UNIX_EPOCH, by: None });
        assert!(own.beside(&person(), WAYS).contacts[0].verified);
        let mut moved = person();
        moved.contacts[0].address.set("email", "other@example.org");
        assert!(!own.beside(&moved, WAYS).contacts[0].verified, "another address is not proved");
        let hook = |secret: &str| -> Contact {
            serde_json::from_value(json!({"id": "h", "webhook": "https://x.example", "secret": secret})).unwrap()
        };
        assert_eq!(mark_of(&hook("whsec_1"), WAYS), mark_of(&hook("whsec_2"), WAYS), "what only signs is nobody's address");
    }

    #[test]
    fn what_a_file_took_away_is_left_out_of_an_order() {
        let own: OwnContacts = serde_json::from_value(json!({"id": "ana", "contacts": [{"id": "phone", "email": "own@example.org"}],
            "notify": {"high": [{"contact": "gone"}, {"contact": "phone", "after": "5m"}], "low": [{"contact": "gone"}]}}))
        .unwrap();
        let both = own.beside(&person(), WAYS);
        assert_eq!(both.notify.high.iter().map(|entry| entry.contact.as_str()).collect::<Vec<_>>(), ["phone"]);
        assert!(both.notify.low.is_empty(), "and without an order all of them count");
    }

    #[test]
    fn own_contacts_stand_beside_and_a_taken_id_takes_nothing_away() {
        let own: OwnContacts = serde_json::from_value(json!({"id": "ana", "contacts": [{"id": "mail", "email": "own@example.org"}],
            "notify": {"high": [{"contact": "mail-2"}]}}))
        .unwrap();
        let both = own.beside(&person(), WAYS);
        assert_eq!(both.contacts.iter().map(|contact| contact.id.as_str()).collect::<Vec<_>>(), ["mail", "mail-2"]);
        assert_eq!(both.notify.high[0].contact, "mail-2");
    }

    #[test]
    fn an_order_means_what_went_by_the_name_when_it_was_chosen() {
        let mut own: OwnContacts = serde_json::from_value(json!({"id": "ana", "contacts": [{"id": "mail", "email": "own@example.org"}],
            "notify": {"high": [{"contact": "mail"}]}}))
        .unwrap();
        own.proofs.push(Proof { contact: "mail".into(), of: mark_of(&own.contacts[0], WAYS), at: Timestamp::UNIX_EPOCH, by: None });
        let both = own.beside(&person(), WAYS);
        let first = both.contacts.iter().find(|contact| contact.id == both.notify.high[0].contact).unwrap();
        assert_eq!((first.address.get("email"), first.verified), (Some("own@example.org"), true));
        assert!(!both.contacts[0].verified, "the file's address was never proved");
        let settled = own.with_ids_of_its_own(&person());
        assert_eq!(settled.beside(&person(), WAYS), both, "and it stays so however often it is settled");
    }
}
