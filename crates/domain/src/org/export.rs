//! The organisation as it leaves again: secrets masked, and what a masked value means when it
//! comes back.
//!
//! Writing text is the engine's business.

use std::collections::HashMap;

use super::model::{Bundle, Contact};
use crate::channel::WaysOut;

/// What stands for a secret in everything that is exported.
pub const MASK: &str = "********";

/// The same with every secret masked: keys of integrations, and what a channel does not call plain of an address.
#[must_use]
pub fn masked(bundle: &Bundle, ways: WaysOut) -> Bundle {
    let mut out = bundle.clone();
    for key in out.integrations.iter_mut().filter_map(|form| form.key.as_mut()) {
        MASK.clone_into(key);
    }
    let of_people = out.people.iter_mut().flat_map(|person| &mut person.contacts);
    for contact in of_people.chain(out.audiences.iter_mut().flat_map(|audience| &mut audience.contacts)) {
        contact.address = contact.address.masked(ways, MASK);
    }
    out
}

/// What `new` means where `old` is stored: an access that is not said stays as it is; a secret that
/// is masked or not said keeps the stored one, by the id of its integration, or of its person and contact. So an export can be applied
/// again, and a key that was made for somebody is not made anew at every start. A mask for which
/// nothing is stored stays a mask, which the check refuses.
#[must_use]
pub fn keep_stored(old: &Bundle, mut new: Bundle, ways: WaysOut) -> Bundle {
    let keys: HashMap<&str, &String> = old.integrations.iter().filter_map(|form| Some((form.id.as_str(), form.key.as_ref()?))).collect();
    for form in &mut new.integrations {
        keep(&mut form.key, keys.get(form.id.as_str()).copied());
    }
    for person in &mut new.people {
        let stored = old.people.iter().find(|other| other.id == person.id);
        // What was set elsewhere, as for the first administrator, is taken back only in words.
        person.access = person.access.or_else(|| stored.and_then(|stored| stored.access));
        keep_contacts(stored.map_or(&[], |person| &person.contacts), &mut person.contacts, ways);
    }
    for audience in &mut new.audiences {
        let stored = old.audiences.iter().find(|other| other.id == audience.id);
        keep_contacts(stored.map_or(&[], |audience| &audience.contacts), &mut audience.contacts, ways);
    }
    new
}

fn keep_contacts(old: &[Contact], new: &mut [Contact], ways: WaysOut) {
    for contact in new {
        let Some(form) = ways.of(&contact.address) else { continue };
        // A contact that speaks another way now has no use for the secret of the one before.
        let same_way = |other: &&Contact| other.id == contact.id && other.address.get(form.name).is_some();
        let Some(stored) = old.iter().find(same_way) else { continue };
        for key in form.fields.iter().filter(|field| field.is_secret()).map(|field| field.key) {
            if let Some(kept) = stored.address.get(key)
                && contact.address.get(key).is_none_or(|said| said == MASK)
            {
                contact.address.set(key, kept);
            }
        }
    }
}

fn keep(secret: &mut Option<String>, stored: Option<&String>) {
    if secret.as_deref().is_none_or(|said| said == MASK)
        && let Some(stored) = stored
    {
        *secret = Some(stored.clone());
    }
}
