//! What the checks of all kinds have in common: ids that are unique, names, references that lead somewhere, contacts.
//!
//! It knows the whole organisation only as ids by kind. What needs the forms of several kinds together is in
//! [`crate::org::check`].

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use super::contact::{CONTACT_KEYS, Contact};
use super::secrets::MASK;
use super::{Bundle, Entry, FormKind, Slug};
use crate::channel::{ChannelForm, Field, WaysOut, enumerated};
use crate::org::check::text;
use crate::org::problem::{PathPart, Place, Problem};
use crate::org::words::{a, listed, meant, nearest};
use crate::time::Length;

/// Longest time to acknowledge a step, and longest delay of a notification rule: a week; longer
/// is a slip of the unit.
pub const WITHIN_MAX: Length = Length::from_secs(7 * 86_400);
/// The version that brings what is refused as not there yet: plans.
pub const COMES_WITH: &str = "0.2";
/// Most further rounds of an escalation.
pub const REPEAT_MAX: u32 = 20;

/// What is judged against, beside the forms.
#[derive(Debug, Clone, Copy)]
pub struct Against<'a> {
    /// From when gaps in schedules are looked for.
    pub now: Timestamp,
    /// Kinds of integration that are spoken here.
    pub kinds: &'a [Spoken],
    /// Channels that there are here.
    pub channels: WaysOut,
}

/// A kind of integration that is spoken here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spoken {
    pub kind: &'static str,
    /// Whether its senders can sign what they post, so that an integration of it may have a secret.
    pub signs: bool,
}

/// Gathers what is wrong.
pub(crate) struct Checker<'a> {
    pub(crate) bundle: &'a Bundle,
    pub(crate) channels: WaysOut,
    pub(super) kinds: &'a [Spoken],
    pub(super) now: Timestamp,
    known: HashMap<FormKind, HashSet<&'a str>>,
    pub(crate) problems: Vec<Problem>,
}

impl<'a> Checker<'a> {
    pub(crate) fn new(bundle: &'a Bundle, against: Against<'a>) -> Self {
        let known = FormKind::ALL.into_iter().map(|kind| (kind, bundle.ids(kind).into_iter().flatten().collect())).collect();
        let Against { now, kinds, channels } = against;
        Self { bundle, channels, kinds, now, known, problems: Vec::new() }
    }

    pub(crate) fn error(&mut self, place: Place, message: impl Into<String>, hint: impl Into<String>) {
        self.problems.push(Problem::error(place, message).hint(hint));
    }

    pub(crate) fn warning(&mut self, place: Place, message: impl Into<String>, hint: impl Into<String>) {
        self.problems.push(Problem::warning(place, message).hint(hint));
    }

    /// What somebody else found in a form.
    pub(super) fn found(&mut self, place: &Place, problems: impl IntoIterator<Item = Problem>) {
        self.problems.extend(problems.into_iter().map(|problem| problem.below(place)));
    }

    /// Each form of a list with its place, after its id.
    pub(super) fn each<T: Entry>(&mut self, kind: FormKind, list: &'a [T], mut one: impl FnMut(&mut Self, &Place, &'a T)) {
        let mut seen = HashMap::new();
        for (at, form) in list.iter().enumerate() {
            let place = Place::root().key(kind.list()).index(at);
            if let Some(id) = form.id() {
                self.own_id(&place, kind.word(), id, &mut seen);
            }
            // A field of one line cannot show such a character, and a terminal may obey it.
            if form.name().is_some_and(|name| name.chars().any(char::is_control)) {
                self.error(place.key("name"), "the name has a control character in it", "write it anew, in one line");
            }
            one(self, &place, form);
        }
    }

    /// An id is a slug and the first of its kind.
    pub(super) fn own_id(&mut self, place: &Place, what: &str, id: &'a str, seen: &mut HashMap<&'a str, Place>) {
        let here = place.key("id");
        if !text::is_slug(id) {
            let shown: String = id.chars().filter(|c| !c.is_control()).take(text::SLUG_LEN_MAX).collect();
            let better = text::slug_of(id);
            let example = if better.is_empty() { "payments-db".to_owned() } else { better };
            self.error(
                here.clone(),
                if id.is_empty() { "the id is missing".to_owned() } else { format!("`{shown}` cannot be an id") },
                format!("use lower-case letters, digits, `-`, `_` and `.`, at most {}, as in `{example}`", text::SLUG_LEN_MAX),
            );
        }
        if let Some(first) = seen.get(id) {
            // Within one form its row says enough.
            let message = match first.parts() {
                [_, _, .., PathPart::Index(at)] => format!("`{id}` is the id of another {what} already, the one in row {}", at + 1),
                _ => format!("`{id}` is the id of another {what} already, at {first}"),
            };
            self.error(here, message, "give each its own id");
        } else {
            seen.insert(id, place.clone());
        }
    }

    pub(super) fn name(&mut self, place: &Place, name: &str) {
        if name.trim().is_empty() {
            self.error(place.key("name"), "the name is empty", "write what people call it");
        }
    }

    /// The ids that there are of a kind.
    pub(super) fn known(&self, kind: FormKind) -> impl Iterator<Item = &'a str> + Clone + '_ {
        self.known.get(&kind).into_iter().flatten().copied()
    }

    pub(super) fn knows(&self, kind: FormKind, id: &str) -> bool {
        self.known.get(&kind).is_some_and(|known| known.contains(id))
    }

    /// Something named exists.
    pub(super) fn refers(&mut self, place: Place, kind: FormKind, id: &str) {
        if !self.knows(kind, id) {
            let shown: String = id.chars().take(text::SLUG_LEN_MAX).collect();
            let hint = meant(id, self.known(kind));
            self.error(place, format!("`{shown}` is not {}", a(kind.word())), hint);
        }
    }

    /// All of a list exist.
    pub(super) fn refer(&mut self, place: &Place, kind: FormKind, ids: &[Slug]) {
        for (at, id) in ids.iter().enumerate() {
            self.refers(place.index(at), kind, id);
        }
    }

    /// As for a step, but that it may be turned off.
    pub(super) fn length_or_never(&mut self, place: Place, length: Length) {
        if length > WITHIN_MAX {
            self.error(place, format!("`{length}` is longer than {WITHIN_MAX}"), "write a shorter one, as in `30m`, or `never`");
        }
    }

    /// The contacts of one form, each with an id and one address.
    pub(super) fn contacts(&mut self, form: &Place, contacts: &'a [Contact]) {
        let mut seen = HashMap::new();
        for (at, contact) in contacts.iter().enumerate() {
            self.contact(&form.key("contacts").index(at), contact, &mut seen);
        }
    }

    fn contact(&mut self, place: &Place, contact: &'a Contact, seen: &mut HashMap<&'a str, Place>) {
        self.own_id(place, "contact of this person", &contact.id, seen);
        let address = &contact.address;
        let mine: Vec<&ChannelForm> = self.channels.iter().filter(|form| address.get(form.name).is_some()).collect();
        match mine.as_slice() {
            [] => {
                self.error(place.clone(), format!("contact `{}` has no address", contact.id), format!("give it {}", self.channels.shapes()))
            }
            [_] => {}
            [_, _, ..] => self.error(
                place.clone(),
                format!("contact `{}` has two addresses", contact.id),
                "make two contacts of it, so that rules can name each",
            ),
        }
        for form in &mine {
            for field in form.fields.iter().filter(|field| field.needed && address.get(field.key).is_none()) {
                let message = format!("{} needs `{}`", a(form.noun), field.key);
                self.error(place.key(field.key), message, format!("write it as in `{}`", field.example));
            }
        }
        for (key, value) in address.fields() {
            match mine.iter().find_map(|form| form.field(key)) {
                Some(field) => self.field(place.key(key), field, value),
                None => self.foreign(place.key(key), key),
            }
        }
    }

    /// A field of the contact's own channel.
    pub(super) fn field(&mut self, place: Place, field: &Field, value: &str) {
        if field.is_secret() && value == MASK {
            let hint = if field.is_made() { ", or leave it away to have one made" } else { "" };
            let message = format!("`{MASK}` stands for a stored secret, and none is stored for this contact");
            self.error(place, message, format!("write the secret itself{hint}"));
        } else if let Err(message) = (field.check)(value) {
            let hint = if field.is_made() {
                "leave it away to have one made and shown once".to_owned()
            } else {
                format!("write it as in `{}`", field.example)
            };
            self.error(place, message, hint);
        }
    }

    /// A key that is not of the contact's own channel.
    fn foreign(&mut self, place: Place, key: &str) {
        let owners: Vec<String> = self.channels.iter().filter(|form| form.field(key).is_some()).map(|form| a(form.noun)).collect();
        if owners.is_empty() {
            let shown: String = key.chars().filter(|c| !c.is_control()).take(text::SLUG_LEN_MAX).collect();
            let known = self.channels.keys().into_iter().chain(CONTACT_KEYS);
            let hint = match nearest(key, known.clone()) {
                Some(word) => format!("did you mean `{word}`?"),
                None => format!("keys here: {}", listed(known)),
            };
            self.error(place, format!("unknown key `{shown}`"), hint);
        } else {
            self.error(place, format!("only {} has {}", enumerated(&owners, "or"), a(key)), format!("take the {key} away"));
        }
    }

    /// A key that does nothing yet is no key: whoever wrote it would wait for what never happens.
    pub(super) fn not_yet(&mut self, place: Place, what: &str) {
        let hint = format!("take it away; it comes with version {COMES_WITH}");
        self.elsewhere(place, &format!("{what} is not there yet"), hint);
    }

    /// A key that does nothing here, in a sentence, and where its meaning is written; what is stored of it stays.
    pub(super) fn elsewhere(&mut self, place: Place, message: &str, hint: String) {
        self.problems.push(Problem { not_yet: true, ..Problem::error(place, message).hint(hint) });
    }

    pub(super) fn email(&mut self, place: Place, email: Option<&str>) {
        if let Some(email) = email
            && !text::is_email(email)
        {
            let shown: String = email.chars().filter(|c| !c.is_control()).take(64).collect();
            self.error(place, format!("`{shown}` is not a mail address"), "write it as in `ana@example.org`");
        }
    }
}
