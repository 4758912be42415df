//! Secrets at rest: webhook secrets and integration keys are sealed with a key that is not in the
//! store, so that a copy of the database alone gives none of them away.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead, KeyInit};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::ports::Rng;

/// What a sealed text starts with: form and version.
const PREFIX: &str = "sealed:1:";
/// Bytes of the key file.
pub const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 24;

/// The key of the key file. Shows nothing of itself.
#[derive(Clone)]
pub struct SecretKey([u8; KEY_BYTES]);

impl std::fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretKey")
    }
}

/// Why something sealed does not open.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a stored secret does not open with this key: is the secret key file the one it was stored with?")]
pub struct Unsealable;

impl SecretKey {
    /// The key with these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; KEY_BYTES]) -> Self {
        Self(bytes)
    }

    /// A fresh key, as the text of a key file.
    #[must_use]
    pub fn fresh(rng: &dyn Rng) -> (Self, String) {
        let mut bytes = [0; KEY_BYTES];
        rng.fill(&mut bytes);
        (Self(bytes), URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Reads the text of a key file: base64 in either alphabet, with or without padding, on one line or
    /// on several, as `openssl` and `base64` write it.
    ///
    /// # Errors
    /// In words.
    pub fn from_text(text: &str) -> Result<Self, String> {
        const MAKE: &str = "`openssl rand -base64 32` makes one";
        let one_line: String = text.chars().filter(|c| !c.is_whitespace() && *c != '\u{feff}').collect();
        let unpadded = one_line.trim_end_matches('=').replace('+', "-").replace('/', "_");
        let bytes = URL_SAFE_NO_PAD.decode(unpadded).map_err(|_| format!("it is not base64; {MAKE}"))?;
        let bytes: [u8; KEY_BYTES] =
            bytes.try_into().map_err(|b: Vec<u8>| format!("it holds {} bytes instead of {KEY_BYTES}; {MAKE}", b.len()))?;
        Ok(Self(bytes))
    }

    /// A key for one purpose, that gives nothing away about the others.
    #[must_use]
    pub fn derive(&self, purpose: &str) -> [u8; KEY_BYTES] {
        let mut mac = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        mac.update(purpose.as_bytes());
        mac.finalize().into_bytes().into()
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&self.derive("seal").into())
    }

    /// Seals a text; one that is sealed already stays as it is.
    #[must_use]
    pub fn seal(&self, text: &str, rng: &dyn Rng) -> String {
        if text.starts_with(PREFIX) {
            return text.to_owned();
        }
        let mut nonce = [0; NONCE_BYTES];
        rng.fill(&mut nonce);
        let sealed = self.cipher().encrypt(&XNonce::from(nonce), text.as_bytes()).expect("a short text in memory can be sealed");
        let mut bytes = nonce.to_vec();
        bytes.extend(sealed);
        format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Opens a sealed text; one that is not sealed stays as it is.
    ///
    /// # Errors
    /// When the key is another, or the text was altered.
    pub fn open(&self, text: &str) -> Result<String, Unsealable> {
        let Some(encoded) = text.strip_prefix(PREFIX) else { return Ok(text.to_owned()) };
        let bytes = URL_SAFE_NO_PAD.decode(encoded).map_err(|_| Unsealable)?;
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE_BYTES>().ok_or(Unsealable)?;
        let open = self.cipher().decrypt(&XNonce::from(*nonce), sealed).map_err(|_| Unsealable)?;
        String::from_utf8(open).map_err(|_| Unsealable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::SystemRng;

    #[test]
    fn a_key_is_read_as_people_make_them() {
        let bytes: Vec<u8> = [0xfb, 0xff].repeat(16);
        let key = |text: &str| SecretKey::from_text(text).map(|key| key.0.to_vec());
        let standard = base64::engine::general_purpose::STANDARD.encode(&bytes);
        assert!(standard.contains(['+', '/']) && standard.ends_with('='));
        let lines: Vec<&str> = [standard.get(..20).unwrap(), standard.get(20..40).unwrap(), standard.get(40..).unwrap()].to_vec();
        for text in [
            standard.clone(),
            format!("{standard}\n"),
            format!("\u{feff}{standard}\r\n"),
            lines.join("\n"),
            lines.join("\r\n") + "\r\n",
            standard.trim_end_matches('=').to_owned(),
            URL_SAFE_NO_PAD.encode(&bytes),
            standard.replace('+', "-").replace('/', "_"),
        ] {
            assert_eq!(key(&text).as_ref(), Ok(&bytes), "{text:?}");
        }
        for (text, why) in [("", "0 bytes"), ("rubbish!", "not base64"), ("AAAA", "3 bytes"), (&"0f".repeat(32), "48 bytes")] {
            let told = key(text).unwrap_err();
            assert!(told.contains(why) && told.contains("openssl rand -base64 32"), "{told}");
        }
    }

    #[test]
    fn a_secret_opens_with_its_key_only_and_not_when_altered() {
        let (key, text) = SecretKey::fresh(&SystemRng);
        let sealed = key.seal("whsec_abc", &SystemRng);
        assert!(!sealed.contains("abc"));
        assert_ne!(sealed, key.seal("whsec_abc", &SystemRng), "no two seals are alike");
        assert_eq!(key.open(&sealed).unwrap(), "whsec_abc");
        assert_eq!(SecretKey::from_text(&text).unwrap().open(&sealed).unwrap(), "whsec_abc");
        let (other, _) = SecretKey::fresh(&SystemRng);
        assert_eq!(other.open(&sealed), Err(Unsealable));
        let mut altered = sealed.clone();
        altered.replace_range(sealed.len() - 2.., "AA");
        assert!(key.open(&altered).is_err() || altered == sealed);
        assert_eq!(key.open("plain").unwrap(), "plain");
    }
}
