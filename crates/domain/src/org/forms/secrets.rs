//! Where secrets stand in a form, as its kind and the channels say, and what stays of those that are stored.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::about::Input;
use super::contact::{CONTACT_KEYS, Contact};
use super::{Entry, FormKind};
use crate::channel::{Address, Carriage, ChannelForm, Kept, WaysOut};

/// What stands for a secret in everything that is exported.
pub const MASK: &str = "********";
/// In the place of a secret: the stored one goes. Not an empty text: a variable that is not filled in would open a door.
pub const NO_SECRET: &str = "none";

/// Applies `change` to every secret in a form's body.
///
/// # Errors
/// The first that `change` has.
pub fn each_secret<E>(kind: FormKind, body: &mut Value, ways: WaysOut, mut change: impl FnMut(&str) -> Result<String, E>) -> Result<(), E> {
    let mut one = |slot: Option<&mut Value>| -> Result<(), E> {
        if let Some(Value::String(text)) = slot {
            *text = change(text)?;
        }
        Ok(())
    };
    for field in kind.about().fields {
        if field.input == Input::Secret {
            one(body.get_mut(field.key))?;
        }
    }
    for contact in contacts_in(kind, body) {
        for key in ways.secret_keys() {
            one(contact.get_mut(key))?;
        }
    }
    for (part, key) in parts_in(kind, body) {
        one(part.get_mut(key))?;
    }
    Ok(())
}

/// A form's body as it may be shown: of an address only what its channel calls plain.
pub fn mask_body(kind: FormKind, body: &mut Value, ways: WaysOut) {
    let Ok(()) = each_secret(kind, body, ways, |_| Ok::<_, std::convert::Infallible>(MASK.to_owned()));
    for contact in contacts_in(kind, body) {
        let keys: Vec<String> = contact.keys().cloned().collect();
        for (key, value) in contact.iter_mut().filter(|(key, _)| !CONTACT_KEYS.contains(&key.as_str())) {
            if !ways.may_be_shown(key, keys.iter().map(String::as_str)) {
                *value = MASK.into();
            }
        }
    }
}

fn contacts_in(kind: FormKind, body: &mut Value) -> Vec<&mut Map<String, Value>> {
    let Some(field) = kind.about().fields.iter().find(|field| field.input == Input::Contacts) else { return Vec::new() };
    body.get_mut(field.key).and_then(Value::as_array_mut).into_iter().flatten().filter_map(Value::as_object_mut).collect()
}

/// The parts of rows that have a secret, with its key.
fn parts_in(kind: FormKind, body: &mut Value) -> Vec<(&mut Map<String, Value>, &'static str)> {
    let mut out = Vec::new();
    let Some(body) = body.as_object_mut() else { return out };
    for (list, value) in body.iter_mut() {
        let Some(Input::Rows(rows)) = kind.field(list).map(|field| field.input) else { continue };
        let secrets: Vec<(&str, &str)> = rows.fields.iter().flat_map(|part| part.secrets_within().map(|key| (part.key, key))).collect();
        for row in value.as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
            for (name, part) in row.iter_mut() {
                if let (Some((_, key)), Some(part)) = (secrets.iter().find(|(part, _)| part == name), part.as_object_mut()) {
                    out.push((part, *key));
                }
            }
        }
    }
    out
}

/// What a list means where `old` is stored: by the id of each form, secrets that are masked or not said stay, and whatever
/// else its kind keeps.
pub(super) fn keep_list<T: Entry>(old: &[T], new: &mut [T], ways: WaysOut) {
    let old: HashMap<&str, &T> = old.iter().rev().filter_map(|form| Some((form.id()?, form))).collect();
    for form in new {
        let mut stored = form.id().and_then(|id| old.get(id)).map(|stored| (*stored).clone());
        form.let_go(stored.as_mut());
        form.keep(stored.as_ref());
        if stored.is_none()
            && let Some(said) = form.contacts()
        {
            keep_contacts(&[], said, ways);
        }
        let Some(stored) = &mut stored else { continue };
        let kept = stored.secrets();
        for (name, said) in form.secrets() {
            let stored = kept.iter().find(|(stored, _)| *stored == name).and_then(|(_, secret)| secret.as_ref());
            if let Some(stored) = stored.filter(|_| said.as_deref().is_none_or(|said| said == MASK)) {
                *said = Some(stored.clone());
            }
        }
        if let (Some(said), Some(stored)) = (form.contacts(), stored.contacts()) {
            keep_contacts(stored, said, ways);
        }
    }
}

fn keep_contacts(old: &[Contact], new: &mut [Contact], ways: WaysOut) {
    for contact in new {
        let Some(form) = ways.of(&contact.address) else { continue };
        // A contact that speaks another way now has no use for the secret of the one before.
        let same_way = |other: &&Contact| other.id == contact.id && other.address.get(form.name).is_some();
        let stored = old.iter().find(same_way).cloned();
        for field in form.fields.iter().filter(|field| field.is_secret()) {
            match contact.address.get(field.key) {
                Some(NO_SECRET) => contact.address.remove(field.key),
                Some(said) if said != MASK => {}
                _ => {
                    let kept = stored.as_ref().filter(|stored| is_shown_to_the_same(field.kept, form, &stored.address, &contact.address));
                    if let Some(kept) = kept.and_then(|stored| stored.address.get(field.key)) {
                        contact.address.set(field.key, kept.to_owned());
                    }
                }
            }
        }
    }
}

/// Whether a stored secret goes to nobody new. One that is made here only signs; one that was given is sent along, and whoever
/// moves the address to another server writes it again.
fn is_shown_to_the_same(kept: Kept, form: &ChannelForm, stored: &Address, said: &Address) -> bool {
    let server = |address: &Address| address.get(form.name).map(|main| main.split_inclusive('/').take(3).collect::<String>());
    match (kept, form.carriage) {
        (Kept::Plain | Kept::Made { .. }, _) | (Kept::Secret, Carriage::Mail | Carriage::Telephone) => true,
        (Kept::Secret, Carriage::Http) => server(stored) == server(said),
    }
}
