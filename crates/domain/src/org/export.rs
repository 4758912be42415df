//! The organisation as it leaves again: secrets masked, and what a masked value means when it
//! comes back.
//!
//! Writing text is the engine's business.

use std::collections::HashMap;

use super::model::Bundle;

/// What stands for a secret in everything that is exported.
pub const MASK: &str = "********";

/// The same with every secret masked: keys of integrations, secrets of webhooks.
#[must_use]
pub fn masked(bundle: &Bundle) -> Bundle {
    let mut out = bundle.clone();
    let keys = out.integrations.iter_mut().map(|form| &mut form.key);
    let secrets = out.people.iter_mut().flat_map(|person| &mut person.contacts).map(|contact| &mut contact.secret);
    for secret in keys.chain(secrets).flatten() {
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
    let secrets: HashMap<(&str, &str), &String> = old
        .people
        .iter()
        .flat_map(|person| person.contacts.iter().map(move |contact| (person, contact)))
        .filter_map(|(person, contact)| Some(((person.id.as_str(), contact.id.as_str()), contact.secret.as_ref()?)))
        .collect();
    let access: HashMap<&str, _> = old.people.iter().map(|person| (person.id.as_str(), person.access)).collect();
    for person in &mut new.people {
        // What was set elsewhere, as for the first administrator, is taken back only in words.
        person.access = person.access.or_else(|| access.get(person.id.as_str()).copied().flatten());
        for contact in &mut person.contacts {
            // A contact that is no webhook any more has no use for its secret.
            if contact.webhook.is_some() {
                keep(&mut contact.secret, secrets.get(&(person.id.as_str(), contact.id.as_str())).copied());
            }
        }
    }
    new
}

fn keep(secret: &mut Option<String>, stored: Option<&String>) {
    if secret.as_deref().is_none_or(|said| said == MASK)
        && let Some(stored) = stored
    {
        *secret = Some(stored.clone());
    }
}
