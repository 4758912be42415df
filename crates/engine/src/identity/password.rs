//! Passwords: which are taken, and how they are hashed and compared.
//!
//! Hashing is slow and large on purpose, so it runs beside the tasks that page, a few at a time, and
//! a queue that is too long is refused rather than waited for: a flood of sign-ins can exhaust
//! neither the memory nor the processors that pages need.

use allclear_domain::channel::{Carriage, WaysOut};
use allclear_domain::org::model::{Contact, Person};
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

use crate::ports::Rng;

/// Shortest password, in characters. NIST SP 800-63B-4 asks for 15 where it is the only factor and
/// for 8 beside another; twelve is what people accept at 3 a.m., with throttling in front.
pub const PASSWORD_CHARS_MIN: usize = 12;
/// Longest password, in characters: NIST asks to take 64 at least; more than this is no password.
pub const PASSWORD_CHARS_MAX: usize = 256;
/// Memory of one hash in KiB, passes and lanes: OWASP's first choice for argon2id (Password Storage
/// Cheat Sheet: m = 19 MiB, t = 2, p = 1).
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// Bytes of the salt (RFC 9106: 16) and of the hash.
const SALT_BYTES: usize = 16;
const HASH_BYTES: usize = 32;
/// Hashes made at the same time: 38 MiB, and never all processors of a small machine for long.
pub const HASHES_AT_ONCE: usize = 2;
/// Who may wait for one: at some 50 ms each, a second.
const WAITING_MAX: usize = 32;

/// Why a password is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadPassword {
    #[error("the password is shorter than {PASSWORD_CHARS_MIN} characters: a few words in a row are easy to keep in mind")]
    TooShort,
    #[error("the password is longer than {PASSWORD_CHARS_MAX} characters")]
    TooLong,
    #[error("the password is the person's own name, id or e-mail address, which is what others try first")]
    OwnName,
    #[error("the password is among those that are tried first, or close to one: take some words in a row that nobody expects together")]
    Guessable,
}

/// What people here call the product, which is what a stranger tries first.
const PRODUCT: [&str; 6] = ["all clear", "allclear", "all", "clear", "incident", "oncall"];
/// What is looked at of a password: more makes no password easier to guess, and the judgement slow.
const JUDGED_CHARS_MAX: usize = 100;

/// Their id, their name, and every mail address of theirs.
fn own_words(person: &Person, ways: WaysOut) -> impl Iterator<Item = &str> {
    let is_mail = move |contact: &&Contact| ways.of(&contact.address).is_some_and(|form| form.carriage == Carriage::Mail);
    let mail = person.contacts.iter().filter(is_mail).filter_map(move |contact| ways.main_of(&contact.address));
    [person.id.as_str(), person.name.as_str()].into_iter().chain(person.email.as_deref()).chain(mail)
}

/// What is easy to guess about a person: their own names, and ours.
pub(crate) fn known_of(person: &Person, ways: WaysOut) -> Vec<String> {
    let own = own_words(person, ways);
    let parts = own.flat_map(|own| own.split(|c: char| !c.is_alphanumeric()).chain([own]));
    parts.chain(PRODUCT).filter(|part| !part.is_empty()).map(str::to_lowercase).collect()
}

/// Refuses what is among the first hundred million guesses: the commonest passwords (ASVS 6.2.4) and words, alone,
/// repeated, with a year or an exclamation mark, and the names of person and product. Slow: for [`Hashing::beside`].
pub(crate) fn judge(password: &str, known: &[String]) -> Result<(), BadPassword> {
    let judged: String = password.chars().take(JUDGED_CHARS_MAX).collect();
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    // Without blanks and signs as well: `All Clear 2026!` is our name with a year.
    let bare: String = judged.chars().filter(|c| c.is_alphanumeric()).collect();
    let is_hard = |text: &str| zxcvbn::zxcvbn(text, &known).score() >= zxcvbn::Score::Three;
    if is_hard(&judged) && (bare == judged || is_hard(&bare)) { Ok(()) } else { Err(BadPassword::Guessable) }
}

/// Refuses what is easy to guess; no rules of composition (NIST SP 800-63B-4, 3.1.1.2).
///
/// # Errors
/// When it is not taken.
pub fn check(password: &str, person: &Person, ways: WaysOut) -> Result<(), BadPassword> {
    let chars = password.chars().count();
    if chars < PASSWORD_CHARS_MIN {
        return Err(BadPassword::TooShort);
    }
    if chars > PASSWORD_CHARS_MAX {
        return Err(BadPassword::TooLong);
    }
    let plain = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect::<String>();
    let said = plain(password);
    let own = own_words(person, ways);
    if own.into_iter().any(|own| plain(own) == said) {
        return Err(BadPassword::OwnName);
    }
    Ok(())
}

/// Hashes for storing: algorithm, parameters, salt and hash in one line, as a PHC string.
pub(crate) fn hash(password: &str, rng: &dyn Rng) -> String {
    let mut salt = [0; SALT_BYTES];
    rng.fill(&mut salt);
    let made = ours().hash_password_with_salt(password.as_bytes(), &salt);
    made.expect("argon2 takes our own parameters, which a test tries").to_string()
}

/// Whether a password is the one that was hashed. What does not read is no password's hash.
pub(crate) fn fits(password: &str, stored: &str) -> bool {
    let Ok(stored) = PasswordHash::new(stored) else { return false };
    let Ok(asked) = Params::try_from(&stored) else { return false };
    // A row that was tampered with must not ask for all memory.
    if asked.m_cost() > MEMORY_KIB * 4 || asked.t_cost() > PASSES * 8 || asked.p_cost() > LANES * 8 {
        return false;
    }
    ours().verify_password(password.as_bytes(), &stored).is_ok()
}

/// What is compared where nobody has such an account, so that the answer takes as long.
pub(crate) fn nobodys() -> String {
    let salt = STANDARD_NO_PAD.encode([0; SALT_BYTES]);
    let hash = STANDARD_NO_PAD.encode([0; HASH_BYTES]);
    format!("$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}${salt}${hash}")
}

fn ours() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, Some(HASH_BYTES)).expect("argon2 takes our own parameters, which a test tries");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// Who waits and who hashes.
pub(crate) struct Hashing {
    room: Semaphore,
    at_once: Semaphore,
}

impl Default for Hashing {
    fn default() -> Self {
        Self { room: Semaphore::new(WAITING_MAX), at_once: Semaphore::new(HASHES_AT_ONCE) }
    }
}

impl Hashing {
    /// Does slow work beside the tasks that page; nothing where too many wait already.
    pub(super) async fn beside<T: Send + 'static>(&self, tasks: &TaskTracker, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        let _place = self.room.try_acquire().ok()?;
        let _turn = self.at_once.acquire().await.ok()?;
        tasks.spawn_blocking(work).await.ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::SystemRng;

    fn ana() -> Person {
        serde_json::from_str(r#"{"id": "ana", "name": "Ana Ruiz Delgado", "email": "ana.ruiz@example.org"}"#).unwrap()
    }

    #[test]
    fn a_password_fits_its_own_hash_only_and_no_two_hashes_are_alike() {
        let (one, two) = (hash("correct horse battery", &SystemRng), hash("correct horse battery", &SystemRng));
        assert_ne!(one, two, "salted");
        assert!(fits("correct horse battery", &one) && fits("correct horse battery", &two));
        assert!(!fits("correct horse batterz", &one) && !fits("", &one));
        assert!(!fits("x", &nobodys()) && !fits("x", "") && !fits("x", "$argon2id$v=19$m=99999999,t=2,p=1$AA$AA"));
    }

    #[test]
    fn short_ones_and_the_own_name_are_refused_and_nothing_else() {
        assert_eq!(check("short", &ana(), WaysOut::NONE), Err(BadPassword::TooShort));
        assert_eq!(check(&"x".repeat(257), &ana(), WaysOut::NONE), Err(BadPassword::TooLong));
        assert_eq!(check("ana ruiz DELGADO", &ana(), WaysOut::NONE), Err(BadPassword::OwnName));
        assert_eq!(check("Ana.Ruiz@example.org", &ana(), WaysOut::NONE), Err(BadPassword::OwnName));
        assert_eq!(check("all lower case words", &ana(), WaysOut::NONE), Ok(()));
        assert_eq!(check("żółwżółwżółw", &ana(), WaysOut::NONE), Ok(()), "twelve characters, not bytes");
    }

    #[test]
    fn what_versions_before_stored_still_fits() {
        // They made the line of its parts, as is done here.
        let mut made = [0; HASH_BYTES];
        ours().hash_password_into(b"correct horse battery", &[7; SALT_BYTES], &mut made).unwrap();
        let (salt, made) = (STANDARD_NO_PAD.encode([7; SALT_BYTES]), STANDARD_NO_PAD.encode(made));
        let line = format!("$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}${salt}${made}");
        assert!(fits("correct horse battery", &line) && !fits("correct horse batterx", &line));
    }

    #[test]
    fn what_was_tampered_with_fits_nothing() {
        let line = hash("correct horse battery", &SystemRng);
        let (start, _) = line.rsplit_once('$').unwrap();
        assert!(start.starts_with("$argon2id$v=19$m=") && line.split('$').count() == 6, "{line}");
        for bad in ["", "$", "not a hash", &line.replace("argon2id", "argon2i"), &line.replace("$m=", "$m=9"), &format!("{start}$AAAA")] {
            assert!(!fits("correct horse battery", bad), "{bad}");
        }
        assert!(!fits("anything", &nobodys()));
    }

    #[test]
    fn the_commonest_passwords_and_the_products_name_are_refused_and_words_in_a_row_are_not() {
        let known = known_of(&ana(), WaysOut::NONE);
        for common in [
            "unbelievable",
            "passwordpassword",
            "Password1234!",
            "P@ssw0rdP@ssw0rd",
            "qwertyuiopasdfghjkl",
            "1q2w3e4r5t6y7u8i",
            "123456789012",
            "aaaaaaaaaaaa",
            "iloveyou1234",
            "administrator",
            "allclearallclear",
            "All Clear 2026!",
            "allclear-allclear",
            "ruizruizruiz",
        ] {
            assert_eq!(judge(common, &known), Err(BadPassword::Guessable), "{common}");
        }
        for good in ["correct horse battery staple", "a quiet night at sea", "żółw wśród zielonych fal", "v9#Tq2!mZx7&kw"] {
            assert_eq!(judge(good, &known), Ok(()), "{good}");
        }
        assert_eq!(judge(&"a quiet night at sea ".repeat(12), &known), Ok(()), "a long one is judged, and soon");
    }
}
