//! How somebody looks after their own ways to be reached: contacts added, changed and taken away, and the order for each
//! urgency.
//!
//! What they add stands in a form of its own beside their person's form, which stays an administrator's. A contact of the
//! person's form is changed here as well, where no file owns that; one of the file is not, and says so. Whatever changes an
//! address takes its mark away, since another address proves nothing ([`super::codes`] gives it back).
//!
//! Invariants: nobody changes here how another is reached, but administrators; nothing but contacts and rules changes; the last
//! contact that can be paged goes only where whoever asks has been told so; the organisation that results is judged as a file is.

use allclear_domain::access::{Actor, Denied, Principal, may_look_after, may_see_contacts};
use allclear_domain::audit::Kind;
use allclear_domain::channel::{Address, WaysOut};
use allclear_domain::org::diff::{Form, FormKind, from_forms};
use allclear_domain::org::export::{MASK, keep_stored};
use allclear_domain::org::forms::rows::unused;
use allclear_domain::org::model::{
    Bundle, Contact, Notify, NotifyUrgency, OWN_CONTACTS_MAX, OwnContacts, Person, Proof, leads_fault, mark_of,
};
use allclear_domain::org::problem::Weight;
use allclear_domain::org::snapshot::Org;
use allclear_domain::time::Length;
use allclear_store::rows::form;
use allclear_store::{Fault, Write};
use jiff::Timestamp;
use serde_json::Value;

use super::notes;
use super::{Applied, Edit, FormProblem, MANAGED_BY_FILE, MadeSecret, NODES_TRIES, OrgError, Read, make_missing};
use crate::core::Refusal;
use crate::engine::Engine;
use crate::org::forms::FormError;

/// Where a contact stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder {
    /// Its person added it.
    Own,
    /// In the person's form, which no file owns.
    Form,
    /// In the person's form, which a file owns.
    File,
}

impl Holder {
    /// As the API says it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Form => "form",
            Self::File => "file",
        }
    }
}

/// A contact as its person sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct MyContact {
    pub id: String,
    /// The channel's name; nothing of one that is not known here.
    pub channel: Option<&'static str>,
    /// In a sentence, after `a`.
    pub noun: &'static str,
    /// What may not be shown is masked.
    pub address: Address,
    pub holder: Holder,
    pub verified: bool,
    /// When it was proved, and by whom where that was by hand; nothing where an administrator wrote it as verified.
    pub proved: Option<(Timestamp, Option<Actor>)>,
    /// The setting without which this server sends nothing by its channel.
    pub lacks: Option<&'static str>,
}

/// How somebody is reached.
#[derive(Debug, Clone, PartialEq)]
pub struct MyContacts {
    pub person: String,
    pub contacts: Vec<MyContact>,
    pub rules: Notify,
    /// Whether they set the rules themself.
    pub rules_are_own: bool,
    /// How long before their shifts they are told.
    pub shift_notices: Vec<Length>,
    /// Whether they said so themself.
    pub shift_notices_are_own: bool,
}

/// What somebody wants changed.
#[derive(Debug, Clone, PartialEq)]
pub enum Ask {
    Add(Address),
    /// A secret that is masked or left out stays.
    Change(String, Address),
    Remove(String),
    /// Nothing: what the person's form says counts again.
    Order(Option<Notify>),
    /// How long before their shifts they are told; nothing: as the person's form says.
    Notices(Option<Vec<Length>>),
    /// The address with this mark reaches them; `by` where somebody says so by hand.
    Prove {
        contact: String,
        mark: String,
        by: Option<Actor>,
    },
}

impl Ask {
    /// What it changes, after a colon and without an address; nothing where it only proves one.
    fn says(&self, contact: &str) -> Option<String> {
        Some(match self {
            Self::Add(_) => format!("the contact `{contact}` was added"),
            Self::Change(..) => format!("the contact `{contact}` leads elsewhere"),
            Self::Remove(_) => format!("the contact `{contact}` was taken away"),
            Self::Order(_) => "which contacts are used, and in which order".to_owned(),
            // How long before a shift one hears of it is nobody's way in.
            Self::Notices(_) | Self::Prove { .. } => return None,
        })
    }
}

/// What a change did.
#[derive(Debug, Clone, PartialEq)]
pub struct Arranged {
    /// The contact that it was about; empty of the rules.
    pub contact: String,
    /// Shown this once.
    pub made: Vec<MadeSecret>,
}

/// Why not.
#[derive(Debug, thiserror::Error)]
pub enum NotArranged {
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error("this token stands for no person, and only people are reached: use one that stands for a person")]
    NoPerson,
    #[error("there is no person `{0}` any more: an administrator removed them")]
    Gone(String),
    #[error("you have no contact `{0}`: somebody took it away, or it never was")]
    NoSuchContact(String),
    #[error(
        "a file owns the contact `{0}`: whoever keeps the organisation's file changes it there, under `people`; add one of your own beside \
         it, and leave this one out of your order"
    )]
    OfFile(String),
    #[error("you have this address already: it is your contact `{0}`")]
    Twice(String),
    #[error("you have {OWN_CONTACTS_MAX} contacts of your own, which is the most: take one away first")]
    TooMany,
    #[error("nothing reaches you then: it is the last verified contact. Say that you are sure, or verify another one first")]
    NothingReaches,
    #[error("{0}")]
    Wrong(String),
    #[error("{}", told(.0))]
    Invalid(Vec<FormProblem>),
    #[error("this contact is verified already")]
    ProvedAlready,
    #[error("no code waits for this contact: send one first")]
    NoCode,
    #[error("the code is older than {}: send another", allclear_domain::wire::CODE_LIFE)]
    CodeOver,
    #[error("a code is six digits, as in 048213")]
    NoDigits,
    #[error("this is not the code that was sent last; you may try {left} more {}", if *left == 1 { "time" } else { "times" })]
    WrongCode { left: u32 },
    #[error("too many wrong codes were typed, so that this one works no more: send another")]
    CodeSpent,
    #[error("no code can be sent there: this server has no {0}")]
    Lacks(&'static str),
    #[error("this is a copy that sends nothing: release it first, or look after your contacts where it was copied from")]
    Quarantined,
    /// Codes, within a time.
    #[error(transparent)]
    TooOften(Refusal),
    #[error(transparent)]
    Org(#[from] OrgError),
}

impl From<Fault> for NotArranged {
    fn from(fault: Fault) -> Self {
        Self::Org(fault.into())
    }
}

impl From<FormError> for NotArranged {
    fn from(why: FormError) -> Self {
        match why {
            FormError::Invalid(problems) => Self::Invalid(problems),
            FormError::Org(why) => Self::Org(why),
            FormError::Missing { .. }
            | FormError::Exists { .. }
            | FormError::Changed { .. }
            | FormError::Removed
            | FormError::OfFile { .. } => Self::Wrong(why.to_string()),
        }
    }
}

impl NotArranged {
    /// The stable code of the API.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Denied(_) | Self::NoPerson => "forbidden",
            Self::Gone(_) => "no_such_person",
            Self::NoSuchContact(_) => "no_such_contact",
            Self::OfFile(_) => "contact_of_file",
            Self::Twice(_) => "contact_twice",
            Self::TooMany => "too_many_contacts",
            Self::NothingReaches => "nothing_reaches",
            Self::Wrong(_) => "invalid",
            Self::Invalid(_) => "org_invalid",
            Self::ProvedAlready => "contact_verified",
            Self::NoCode | Self::CodeOver | Self::CodeSpent => "no_code",
            Self::NoDigits | Self::WrongCode { .. } => "wrong_code",
            Self::Lacks(_) | Self::Quarantined => "not_sent_here",
            Self::TooOften(_) => "too_often",
            Self::Org(OrgError::Store(_)) => "store_unavailable",
            Self::Org(OrgError::Conflict) => "org_conflict",
            Self::Org(_) => "internal",
        }
    }
}

/// What is wrong, in a sentence or a few.
fn told(problems: &[FormProblem]) -> String {
    let errors = problems.iter().filter(|problem| problem.weight == Weight::Error);
    let one = |problem: &FormProblem| match &problem.hint {
        Some(hint) => format!("{}: {hint}", problem.message),
        None => problem.message.clone(),
    };
    errors.map(one).collect::<Vec<_>>().join("; ")
}

/// Both forms of a person.
struct Mine {
    person: Person,
    own: OwnContacts,
    of_file: bool,
    ways: WaysOut,
}

impl Mine {
    /// Where the contact that is shown under an id stands: whose it is, and its place there. What is added stands behind what
    /// the person's form has.
    fn find(&self, id: &str) -> Result<(Holder, usize), NotArranged> {
        let of_form = self.person.contacts.len();
        let shown = self.own.beside(&self.person, self.ways).contacts;
        let at = shown.iter().position(|contact| contact.id == id).ok_or_else(|| NotArranged::NoSuchContact(cut(id)))?;
        Ok(match at.checked_sub(of_form) {
            Some(own) => (Holder::Own, own),
            None if self.of_file => (Holder::File, at),
            None => (Holder::Form, at),
        })
    }

    /// The same, to be changed.
    fn change(&mut self, id: &str) -> Result<&mut Contact, NotArranged> {
        match self.find(id)? {
            (Holder::File, _) => Err(NotArranged::OfFile(id.to_owned())),
            (Holder::Form, at) => Ok(&mut self.person.contacts[at]),
            (Holder::Own, at) => Ok(&mut self.own.contacts[at]),
        }
    }

    /// No address twice: a page would come twice, and nobody would know which of them is tried.
    fn not_twice(&self, address: &Address, but: Option<&str>) -> Result<(), NotArranged> {
        let mark = |address: &Address| mark_of(&Contact { id: String::new(), address: address.clone(), verified: false }, self.ways);
        let shown = self.own.beside(&self.person, self.ways).contacts;
        match shown.iter().find(|other| Some(other.id.as_str()) != but && mark(&other.address) == mark(address)) {
            Some(other) => Err(NotArranged::Twice(other.id.clone())),
            None => Ok(()),
        }
    }

    /// Carries out what is asked; gives the contact that it is about.
    fn carry_out(&mut self, ask: &Ask, now: Timestamp) -> Result<String, NotArranged> {
        match ask {
            Ask::Add(address) => {
                if self.own.contacts.len() >= OWN_CONTACTS_MAX {
                    return Err(NotArranged::TooMany);
                }
                self.not_twice(address, None)?;
                let plain = self.ways.of(address).map_or("contact", |form| form.id_example);
                let shown = self.own.beside(&self.person, self.ways).contacts;
                let id = unused(plain, |id| shown.iter().any(|contact| contact.id == id));
                self.own.contacts.push(Contact { id: id.clone(), address: address.clone(), verified: false });
                Ok(id)
            }
            Ask::Change(id, address) => {
                self.not_twice(address, Some(id))?;
                self.change(id)?.address = address.clone();
                Ok(id.clone())
            }
            Ask::Remove(id) => {
                match self.find(id)? {
                    (Holder::File, _) => return Err(NotArranged::OfFile(id.clone())),
                    (Holder::Form, at) => drop(self.person.contacts.remove(at)),
                    (Holder::Own, at) => drop(self.own.contacts.remove(at)),
                }
                for rules in [Some(&mut self.person.notify), self.own.notify.as_mut()].into_iter().flatten() {
                    rules.high.retain(|rule| rule.contact != *id);
                    rules.low.retain(|rule| rule.contact != *id);
                }
                Ok(id.clone())
            }
            Ask::Order(rules) => {
                let shown = self.own.beside(&self.person, self.ways).contacts;
                for entry in rules.iter().flat_map(|rules| rules.high.iter().chain(&rules.low)) {
                    if shown.iter().all(|contact| contact.id != entry.contact) {
                        return Err(NotArranged::Wrong(format!("`{}` is not a contact of `{}`", cut(&entry.contact), self.person.id)));
                    }
                }
                self.own.notify.clone_from(rules);
                Ok(String::new())
            }
            Ask::Notices(leads) => {
                if let Some(why) = leads.as_deref().and_then(leads_fault) {
                    return Err(NotArranged::Wrong(why.to_owned()));
                }
                let longest_first = |leads: &Vec<Length>| {
                    let mut leads = leads.clone();
                    leads.sort_unstable_by(|a, b| b.cmp(a));
                    leads.dedup();
                    leads
                };
                self.own.shift_notices = leads.as_ref().map(longest_first);
                Ok(String::new())
            }
            Ask::Prove { contact, mark, by } => {
                let stored = match self.find(contact)? {
                    (Holder::Own, at) => &self.own.contacts[at],
                    (Holder::Form | Holder::File, at) => &self.person.contacts[at],
                };
                if mark_of(stored, self.ways) != *mark {
                    // It was changed since, and nothing was sent to where it leads now.
                    return Err(NotArranged::NoCode);
                }
                let proof = Proof { contact: stored.id.clone(), of: mark.clone(), at: now, by: by.clone() };
                // Two may have one id as they are stored, where a file took it later.
                self.own.proofs.retain(|other| (&other.contact, &other.of) != (&proof.contact, &proof.of));
                self.own.proofs.push(proof);
                Ok(contact.clone())
            }
        }
    }

    /// The mark of the address that is to be changed.
    fn led_to(&self, ask: &Ask) -> Option<String> {
        let Ask::Change(id, _) = ask else { return None };
        let shown = self.own.beside(&self.person, self.ways).contacts;
        shown.iter().find(|contact| contact.id == *id).map(|contact| mark_of(contact, self.ways))
    }

    /// What is left of proofs of contacts that are gone or lead elsewhere.
    fn tidy(&mut self) {
        let shown: Vec<(String, String)> = self
            .own
            .contacts
            .iter()
            .chain(&self.person.contacts)
            .map(|contact| (contact.id.clone(), mark_of(contact, self.ways)))
            .collect();
        self.own.proofs.retain(|proof| shown.iter().any(|(id, mark)| *id == proof.contact && *mark == proof.of));
    }
}

/// What was given, short enough to be shown.
fn cut(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(crate::core::NAMED_CHARS_MAX).collect()
}

/// A contact that waits to be proved.
pub(super) fn unproved<'a>(org: &'a Org, person: &str, contact: &str) -> Result<&'a Contact, NotArranged> {
    let form = org.person(person).ok_or_else(|| NotArranged::Gone(cut(person)))?;
    let found = form.contacts.iter().find(|one| one.id == contact).ok_or_else(|| NotArranged::NoSuchContact(cut(contact)))?;
    if found.verified { Err(NotArranged::ProvedAlready) } else { Ok(found) }
}

impl Engine {
    /// The person whose ways somebody looks after where they name nobody: themself.
    ///
    /// # Errors
    /// Where they are no person.
    pub fn myself(who: &Principal) -> Result<&str, NotArranged> {
        who.person().ok_or(NotArranged::NoPerson)
    }

    /// How a person is reached, as whoever looks after it sees it.
    ///
    /// # Errors
    /// Where the asker may not, there is no such person, or the store does not answer.
    pub async fn contacts_of(&self, person: &str, who: &Principal) -> Result<MyContacts, NotArranged> {
        let org = self.org();
        may_see_contacts(&org, who, person)?;
        let shown = org.person(person).ok_or_else(|| NotArranged::Gone(cut(person)))?;
        let of_form = org.person_as_written(person).map_or(0, |form| form.contacts.len());
        let rows = form::all(&self.shared.db).await?;
        let of_file = rows
            .iter()
            .any(|row| row.kind == FormKind::Person.word() && row.id == person && row.managed.as_deref() == Some(MANAGED_BY_FILE));
        let (ways, own) = (org.channels(), org.own_contacts(person));
        let one = |(at, contact): (usize, &Contact)| {
            let form = ways.of(&contact.address);
            // By the id that it is stored under, which is another one where its own was taken.
            let stored = match at.checked_sub(of_form) {
                Some(own_at) => own.and_then(|own| own.contacts.get(own_at)),
                None => Some(contact),
            };
            let proof = own.zip(stored).and_then(|(own, stored)| own.proof(stored, ways));
            MyContact {
                id: contact.id.clone(),
                channel: form.map(|form| form.name),
                noun: form.map_or("contact of an unknown channel", |form| form.noun),
                address: contact.address.masked(ways, MASK),
                holder: if at >= of_form {
                    Holder::Own
                } else if of_file {
                    Holder::File
                } else {
                    Holder::Form
                },
                verified: contact.verified,
                proved: proof.map(|proof| (proof.at, proof.by.clone())),
                lacks: form.and_then(|form| self.lacks(form.name)),
            }
        };
        Ok(MyContacts {
            person: person.to_owned(),
            contacts: shown.contacts.iter().enumerate().map(one).collect(),
            rules: shown.notify.clone(),
            rules_are_own: own.is_some_and(|own| own.notify.is_some()),
            shift_notices: shown.shift_notices.clone(),
            shift_notices_are_own: own.is_some_and(|own| own.shift_notices.is_some()),
        })
    }

    /// Changes how a person is reached. `sure`: whoever asks knows that nothing may reach them then.
    ///
    /// # Errors
    /// Why not; nothing was changed then.
    pub async fn arrange(&self, person: &str, ask: &Ask, sure: bool, who: &Principal) -> Result<Arranged, NotArranged> {
        may_look_after(&self.org(), who, person)?;
        self.arrange_with(person, ask, sure, &who.actor, &[]).await
    }

    /// Says by hand that a contact is somebody's, as an administrator may who knows it otherwise.
    ///
    /// # Errors
    /// Why not.
    pub async fn verify_by_hand(&self, person: &str, contact: &str, who: &Principal) -> Result<Arranged, NotArranged> {
        self.administers(who)?;
        let org = self.org();
        let found = unproved(&org, person, contact)?;
        let ask = Ask::Prove { contact: contact.to_owned(), mark: mark_of(found, org.channels()), by: Some(who.actor.clone()) };
        self.arrange_with(person, &ask, true, &who.actor, &[]).await
    }

    /// The same for whoever was asked already; `also` is written with it.
    pub(crate) async fn arrange_with(
        &self,
        person: &str,
        ask: &Ask,
        sure: bool,
        actor: &Actor,
        also: &[Write],
    ) -> Result<Arranged, NotArranged> {
        let _one_at_a_time = self.shared.org_change.lock().await;
        let mut tried = 1;
        loop {
            match Box::pin(self.arrange_once(person, ask, sure, actor, also)).await {
                Err(NotArranged::Org(OrgError::Conflict)) if tried < NODES_TRIES => tried += 1,
                other => return other,
            }
        }
    }

    async fn arrange_once(&self, person: &str, ask: &Ask, sure: bool, actor: &Actor, also: &[Write]) -> Result<Arranged, NotArranged> {
        let ways = self.channels();
        let read = Read::from(&self.shared.db).await?;
        let was = self.open(&read.forms)?;
        let mut old = from_forms(was.clone()).map_err(|bad| OrgError::Stored(bad.to_string()))?;
        let form = old.people.iter().find(|form| form.id == person).cloned().ok_or_else(|| NotArranged::Gone(cut(person)))?;
        let row = read.forms.iter().find(|row| row.kind == FormKind::Person.word() && row.id == person);
        let of_file = row.is_some_and(|row| row.managed.as_deref() == Some(MANAGED_BY_FILE));
        let position = row.map_or(0, |row| row.position);
        let own = old.own_contacts.iter().find(|own| own.id == person).cloned();
        let had_own = own.is_some();
        // As it is shown: whoever changes it means the ids that they see.
        let own = own.map_or_else(|| OwnContacts::of(person), |own| own.with_ids_of_its_own(&form));
        old.own_contacts.iter_mut().filter(|old| old.id == person).for_each(|old| old.clone_from(&own));
        let mut mine = Mine { person: form.clone(), own, of_file, ways };
        let led_to = mine.led_to(ask);
        let contact = mine.carry_out(ask, self.now())?;

        // What was left out of a secret stays, and what is made is made, as for any other form.
        let alone = Bundle { people: vec![mine.person], own_contacts: vec![mine.own], ..Bundle::default() };
        let mut alone = keep_stored(&old, alone, ways);
        let made = make_missing(&mut alone, ways, self.shared.ports.rng.as_ref());
        let (Some(changed), Some(own)) = (alone.people.pop(), alone.own_contacts.pop()) else {
            return Err(OrgError::Stored("a form was lost".to_owned()).into());
        };
        mine = Mine { person: changed, own, of_file, ways };
        if let Ask::Change(id, _) = ask {
            let now = mine.change(id)?;
            // Another address is nobody's until it is proved.
            if led_to.as_deref() != Some(mark_of(now, ways).as_str()) {
                now.verified = false;
            }
        }
        mine.tidy();

        let mut will: Vec<Form> = was.clone();
        let person_form = Form { kind: FormKind::Person, id: person.to_owned(), body: body_of(&mine.person)? };
        let own_form = Form { kind: FormKind::OwnContacts, id: person.to_owned(), body: body_of(&mine.own)? };
        will.retain(|form| form.id != person || ![FormKind::Person, FormKind::OwnContacts].contains(&form.kind));
        will.push(person_form.clone());
        let is_empty = mine.own.is_empty();
        if !is_empty {
            will.push(own_form.clone());
        }
        self.allowed(&was, &will, FormKind::OwnContacts, person, &[])?;
        let reaches = |forms: &[Form]| -> Result<bool, NotArranged> {
            let bundle = from_forms(forms.to_vec()).map_err(|bad| OrgError::Stored(bad.to_string()))?;
            Ok(!Org::build(0, bundle, ways).reach(person, NotifyUrgency::High).is_empty())
        };
        if !sure && reaches(&was)? && !reaches(&will)? {
            return Err(NotArranged::NothingReaches);
        }

        // As it was: the order that is changed says how they are told of it.
        let before = Org::build(read.version, from_forms(was).map_err(|bad| OrgError::Stored(bad.to_string()))?, ways);
        let mut edit = Edit::new(self, actor, read);
        if mine.person != form {
            edit.put(person_form, position as usize, None)?;
        }
        if !is_empty {
            edit.put(own_form, 0, None)?;
        } else if had_own {
            edit.remove(FormKind::OwnContacts, person.to_owned());
        }
        edit.also(also.iter().cloned());
        if let Some(what) = ask.says(&contact) {
            edit.also([self.audited(Kind::ContactsChanged, actor, Some(person), Some(what.clone()))]);
            // By a way that is not the one in question, so that it is not who changed it who hears of it alone.
            let by = notes::named(&self.org(), actor);
            let text = format!("{by} changed how a page reaches you: {what}. If you did not expect that, tell an administrator at once.");
            edit.also(self.note_to(&before, person, Some(&contact), text));
        }
        let Applied { made, .. } = edit.finish(None, made).await?;
        Ok(Arranged { contact, made })
    }
}

fn body_of(form: &impl serde::Serialize) -> Result<Value, OrgError> {
    serde_json::to_value(form).map_err(|why| OrgError::Stored(why.to_string()))
}

/// The address that a body of the API, or the fields of a form, say.
///
/// # Errors
/// What of it is no address, in words.
pub fn address_of(body: &Value) -> Result<Address, NotArranged> {
    let Some(keys) = body.as_object() else {
        return Err(NotArranged::Wrong("a contact is an object with its address, as in {\"email\": \"ana@example.org\"}".to_owned()));
    };
    let mut address = Address::default();
    for (key, value) in keys {
        if key == "id" {
            return Err(NotArranged::Wrong("the id of a contact is made here: leave `id` out".to_owned()));
        }
        if key == "verified" {
            return Err(NotArranged::Wrong("a contact is verified by the code that is sent to it: leave `verified` out".to_owned()));
        }
        let text = match value {
            Value::Null => continue,
            Value::String(text) => text.trim().to_owned(),
            Value::Number(number) => number.to_string(),
            Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
                return Err(NotArranged::Wrong(format!("`{}` is not a text", cut(key))));
            }
        };
        address.set(key, text);
    }
    Ok(address)
}

#[cfg(test)]
mod tests {
    use allclear_channels::registry::WAYS_OUT;
    use serde_json::json;

    use super::*;

    fn mine(of_file: bool) -> Mine {
        let person = json!({"id": "ana", "name": "Ana", "contacts": [{"id": "mail", "email": "ana@example.org"}], "notify": {"high": [{"contact": "mail"}]}});
        Mine { person: serde_json::from_value(person).unwrap(), own: OwnContacts::of("ana"), of_file, ways: WAYS_OUT }
    }

    fn mail(address: &str) -> Address {
        Address::of([("email", address)])
    }

    #[test]
    fn what_a_file_has_stays_and_one_s_own_stands_beside() {
        let mut one = mine(true);
        let now = Timestamp::UNIX_EPOCH;
        assert!(matches!(one.carry_out(&Ask::Remove("mail".into()), now), Err(NotArranged::OfFile(_))));
        assert_eq!(one.carry_out(&Ask::Add(mail("own@example.org")), now).unwrap(), "mail-2");
        assert!(matches!(one.carry_out(&Ask::Add(mail("own@example.org")), now), Err(NotArranged::Twice(id)) if id == "mail-2"));
        assert!(matches!(one.carry_out(&Ask::Add(mail("ana@example.org")), now), Err(NotArranged::Twice(id)) if id == "mail"));
        assert!(matches!(one.carry_out(&Ask::Remove("📟".into()), now), Err(NotArranged::NoSuchContact(_))));
        one.carry_out(&Ask::Remove("mail-2".into()), now).unwrap();
        assert!(one.own.is_empty());
        let mut by_hand = mine(false);
        by_hand.carry_out(&Ask::Remove("mail".into()), now).unwrap();
        assert!(by_hand.person.contacts.is_empty() && by_hand.person.notify.high.is_empty(), "what no file owns goes with its rules");
    }

    #[test]
    fn nobody_has_more_contacts_than_somebody_reads() {
        let mut one = mine(true);
        for n in 0..OWN_CONTACTS_MAX {
            one.carry_out(&Ask::Add(mail(&format!("a{n}@example.org"))), Timestamp::UNIX_EPOCH).unwrap();
        }
        assert!(matches!(one.carry_out(&Ask::Add(mail("z@example.org")), Timestamp::UNIX_EPOCH), Err(NotArranged::TooMany)));
    }

    #[test]
    fn a_proof_is_of_the_address_that_the_code_went_to() {
        let mut one = mine(true);
        let now = Timestamp::UNIX_EPOCH;
        one.carry_out(&Ask::Add(mail("own@example.org")), now).unwrap();
        let mark = mark_of(&one.own.contacts[0], WAYS_OUT);
        one.carry_out(&Ask::Change("mail-2".into(), mail("other@example.org")), now).unwrap();
        let prove = Ask::Prove { contact: "mail-2".into(), mark, by: None };
        assert!(matches!(one.carry_out(&prove, now), Err(NotArranged::NoCode)), "it leads elsewhere now");
        let mark = mark_of(&one.own.contacts[0], WAYS_OUT);
        one.carry_out(&Ask::Prove { contact: "mail-2".into(), mark, by: None }, now).unwrap();
        assert!(one.own.beside(&one.person, WAYS_OUT).contacts[1].verified);
        one.carry_out(&Ask::Change("mail-2".into(), mail("third@example.org")), now).unwrap();
        one.tidy();
        assert!(!one.own.beside(&one.person, WAYS_OUT).contacts[1].verified && one.own.proofs.is_empty());
    }

    #[test]
    fn what_is_no_address_is_told() {
        for (body, why) in [
            (json!([]), "an object with its address"),
            (json!({"id": "x"}), "leave `id` out"),
            (json!({"email": "a@x.org", "verified": true}), "by the code"),
            (json!({"email": {}}), "`email` is not a text"),
        ] {
            let told = address_of(&body).unwrap_err().to_string();
            assert!(told.contains(why), "{told}");
        }
        assert_eq!(address_of(&json!({"telegram": -100, "bot": null})).unwrap().get("telegram"), Some("-100"));
    }
}
