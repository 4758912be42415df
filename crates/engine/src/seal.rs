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

    /// Reads the text of a key file.
    ///
    /// # Errors
    /// In words.
    pub fn from_text(text: &str) -> Result<Self, String> {
        let bytes = URL_SAFE_NO_PAD.decode(text.trim()).map_err(|_| "it is not base64".to_owned())?;
        let bytes: [u8; KEY_BYTES] = bytes.try_into().map_err(|b: Vec<u8>| format!("it holds {} bytes instead of {KEY_BYTES}", b.len()))?;
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
