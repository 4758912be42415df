//! A form is carried out once, however often it is sent: a second tap on a slow phone, or a browser
//! that sends again what it got no answer to, is given the answer of the first.
//!
//! Every form of a command carries the instant at which its page was made. With who sends it, where to, and all
//! that it says, that is the key under which the answer is kept (as an `Idempotency-Key` of the API):
//! another page, or another text, is another command.
//!
//! What several people write (a review, an action) carries besides a mark of what its writer saw, so that nobody
//! writes over what they have not read.

use std::collections::BTreeMap;

use allclear_domain::hex::hex;
use allclear_engine::core::Once;
use maud::{Markup, html};
use sha2::{Digest as _, Sha256};

use crate::access::reader::Fields;
use crate::frame::time_text::When;

/// The field of a form that carries its page's instant.
pub(crate) const FIELD: &str = "once";

/// The field of a form that carries what its writer saw. No form of the organisation has a key of this name, as a plan has
/// a `version`.
pub(crate) const SEEN: &str = "seen";
/// Hex digits of what was seen: enough that two texts of one thing never look alike.
const SEEN_DIGITS: usize = 16;

/// What somebody sees of a thing that several people write, as a short mark of it. Not the version of its log: that
/// grows by reminders too, and nobody should lose an hour's text to one.
pub(crate) fn mark(shown: &[&str]) -> String {
    let mut digest = Sha256::new();
    for part in shown {
        digest.update(format!("{}\n", part.len()));
        digest.update(part);
    }
    hex(&digest.finalize())[..SEEN_DIGITS].to_owned()
}

/// The hidden field that carries the mark.
pub(crate) fn seen(mark: &str) -> Markup {
    html! { input type="hidden" name=(SEEN) value=(mark); }
}

/// Whether the writer of a form saw something else than what stands there now; a script that does not say writes
/// what it means.
pub(crate) fn saw_another(fields: &Fields, mark: &str) -> bool {
    fields.get(SEEN).is_some_and(|seen| seen != mark)
}

/// The hidden field.
pub(crate) fn once(when: &When) -> Markup {
    html! { input type="hidden" name=(FIELD) value=(when.now.as_microsecond()); }
}

/// An id for what a form makes: the same for the same form.
pub(crate) fn id(path: &str, fields: &Fields) -> Option<u128> {
    u128::from_str_radix(key(path, fields)?.digest.get(..32)?, 16).ok()
}

/// The key of what was sent; nothing where the page's instant does not come with it, as from a script.
pub(crate) fn key(path: &str, fields: &Fields) -> Option<Once> {
    fields.get(FIELD)?;
    let mut digest = Sha256::new().chain_update(path);
    for (name, value) in fields.iter().collect::<BTreeMap<_, _>>() {
        // With their lengths, so that no two forms read alike.
        digest.update(format!("\n{} {}\n", name.len(), value.len()));
        digest.update(name);
        digest.update(value);
    }
    let hex = hex(&digest.finalize());
    Some(Once { key: format!("form:{hex}"), digest: hex, digest_before: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_form_is_one_command_and_any_difference_another() {
        let sent = |path: &str, fields: &[(&str, &str)]| {
            let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            key(path, &fields).map(|once| once.key)
        };
        let first = sent("/incidents/INC-1/note", &[("once", "1"), ("text", "a")]);
        assert!(first.is_some());
        assert_eq!(first, sent("/incidents/INC-1/note", &[("text", "a"), ("once", "1")]));
        assert_ne!(first, sent("/incidents/INC-1/note", &[("once", "2"), ("text", "a")]), "another page");
        assert_ne!(first, sent("/incidents/INC-1/note", &[("once", "1"), ("text", "b")]), "another text");
        assert_ne!(first, sent("/incidents/INC-2/note", &[("once", "1"), ("text", "a")]), "another incident");
        assert_eq!(sent("/declare", &[("title", "a")]), None, "a script says for itself what it repeats");
    }
}
