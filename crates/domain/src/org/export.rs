//! The organisation as it leaves again: secrets masked, and what a masked value means when it
//! comes back.
//!
//! Writing text is the engine's business.

use std::collections::HashMap;

use super::model::{Bundle, Contact};

/// What stands for a secret in everything that is exported.
pub const MASK: &str = "********";

/// The same with every secret masked: keys of integrations, secrets of webhooks.
#[must_use]
pub fn masked(bundle: &Bundle) -> Bundle {
    let mut out = bundle.clone();
    let keys = out.integrations.iter_mut().map(|form| &mut form.key);
    let secrets = out.people.iter_mut().flat_map(|person| &mut person.contacts).map(|contact| &mut contact.secret);
    let of_audiences = out.audiences.iter_mut().flat_map(|audience| &mut audience.contacts).map(|contact| &mut contact.secret);
    for secret in keys.chain(secrets).chain(of_audiences).flatten() {
        MASK.clone_into(secret);
    }
    out
}

/// What `new` means where `old` is stored: an access that is not said stays as it is; a secret that
/// is masked or not said keeps the stored one, by the id of its integration, or of its person and contact. So an export can be applied
/// again, and a key that was made for somebody is not made anew at every start. A mask for which
/// nothing is stored stays a mask, which the check refuses.
#[must_use]
pub fn keep_stored(old: &Bundle, mut new: Bundle) -> Bundle {
    let keys: HashMap<&str, &String> = old.integrations.iter().filter_map(|form| Some((form.id.as_str(), form.key.as_ref()?))).collect();
    for form in &mut new.integrations {
        keep(&mut form.key, keys.get(form.id.as_str()).copied());
    }
    for person in &mut new.people {
        let stored = old.people.iter().find(|other| other.id == person.id);
        // What was set elsewhere, as for the first administrator, is taken back only in words.
        person.access = person.access.or_else(|| stored.and_then(|stored| stored.access));
        keep_contacts(stored.map_or(&[], |person| &person.contacts), &mut person.contacts);
    }
    for audience in &mut new.audiences {
        let stored = old.audiences.iter().find(|other| other.id == audience.id);
        keep_contacts(stored.map_or(&[], |audience| &audience.contacts), &mut audience.contacts);
    }
    new
}

fn keep_contacts(old: &[Contact], new: &mut [Contact]) {
    // A contact that is no webhook any more has no use for its secret.
    for contact in new.iter_mut().filter(|contact| contact.webhook.is_some()) {
        let stored = old.iter().find(|other| other.id == contact.id).and_then(|other| other.secret.as_ref());
        keep(&mut contact.secret, stored);
    }
}

fn keep(secret: &mut Option<String>, stored: Option<&String>) {
    if secret.as_deref().is_none_or(|said| said == MASK)
        && let Some(stored) = stored
    {
        *secret = Some(stored.clone());
    }
}
