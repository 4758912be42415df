//! The organisation as it leaves again: secrets masked, and what a masked value means when it
//! comes back.
//!
//! Where secrets stand is said by the kinds of forms; writing text is the engine's business.

use super::forms::Bundle;
pub use super::forms::secrets::{MASK, each_secret, mask_body};
use crate::channel::WaysOut;

/// The same with every secret masked: what a kind calls secret, and what a channel does not call plain of an address.
#[must_use]
pub fn masked(bundle: &Bundle, ways: WaysOut) -> Bundle {
    let mut out = bundle.clone();
    for secret in out.secrets().into_iter().filter_map(Option::as_mut) {
        MASK.clone_into(secret);
    }
    for contact in out.contacts().into_iter().flat_map(|(_, contacts)| contacts) {
        contact.address = contact.address.masked(ways, MASK);
    }
    out
}

/// What `new` means where `old` is stored: an access that is not said stays as it is; a secret that
/// is masked or not said keeps the stored one, by the id of its form and, in a contact, of its contact. So an export can be
/// applied again, and a key that was made for somebody is not made anew at every start. A mask for which
/// nothing is stored stays a mask, which the check refuses.
#[must_use]
pub fn keep_stored(old: &Bundle, mut new: Bundle, ways: WaysOut) -> Bundle {
    new.keep(old, ways);
    new
}
