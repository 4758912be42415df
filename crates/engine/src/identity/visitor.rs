//! Who stands at the door, as far as a request shows it, and by which devices a person is known.
//!
//! A device is known to an account once somebody signed in to it there: a cookie that outlasts the session says so. It
//! opens nothing. Tries from it count by themselves, so that strangers who try wrong passwords for an account keep its
//! person out nowhere that the person was before (OWASP, *Slow Down Online Guessing Attacks with Device Cookies*).

use std::net::IpAddr;

use allclear_domain::time::Length;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::identity::seal::SecretKey;
use crate::ports::Rng;

/// How long a device is known: browsers keep no cookie for longer than 400 days (RFC 6265bis).
pub const DEVICE_LIFE: Length = Length::from_secs(400 * 86_400);
/// Random bytes of a device: as many tell every device apart.
const NONCE_BYTES: usize = 16;
/// Bytes of the signature: 128 bits cannot be guessed.
const MAC_BYTES: usize = 16;

/// From where somebody signs in, and what they showed.
#[derive(Debug, Clone, Copy, Default)]
pub struct Visitor<'a> {
    pub address: Option<IpAddr>,
    /// What the browser calls itself.
    pub agent: Option<&'a str>,
    /// The token of a session that is held already.
    pub session: Option<&'a str>,
    /// The device, as its cookie says.
    pub device: Option<&'a str>,
}

/// Knows devices again.
#[derive(Clone)]
pub(crate) struct Devices([u8; 32]);

impl Devices {
    pub(crate) fn new(key: &SecretKey) -> Self {
        Self(key.derive("known-device"))
    }

    fn mac(&self, nonce: &[u8], person: &str) -> [u8; MAC_BYTES] {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        mac.update(nonce);
        mac.update(person.as_bytes());
        let full: [u8; 32] = mac.finalize().into_bytes().into();
        let mut short = [0; MAC_BYTES];
        short.copy_from_slice(&full[..MAC_BYTES]);
        short
    }

    /// A device that is known to a person's account from now on.
    pub(crate) fn make(&self, person: &str, rng: &dyn Rng) -> String {
        let mut nonce = [0; NONCE_BYTES];
        rng.fill(&mut nonce);
        URL_SAFE_NO_PAD.encode([&nonce[..], &self.mac(&nonce, person)].concat())
    }

    /// Whether a device is known to a person's account.
    pub(crate) fn knows(&self, device: &str, person: &str) -> bool {
        let Ok(bytes) = URL_SAFE_NO_PAD.decode(device) else { return false };
        let Some((nonce, mac)) = bytes.split_first_chunk::<NONCE_BYTES>() else { return false };
        bool::from(self.mac(nonce, person).ct_eq(mac))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::SystemRng;

    #[test]
    fn a_device_is_known_to_the_account_it_was_used_for_and_to_no_other() {
        let (key, _) = SecretKey::fresh(&SystemRng);
        let devices = Devices::new(&key);
        let device = devices.make("ana", &SystemRng);
        assert!(devices.knows(&device, "ana"));
        assert!(!devices.knows(&device, "ben") && !devices.knows("", "ana") && !devices.knows(&device[2..], "ana"));
        assert!(!Devices::new(&SecretKey::fresh(&SystemRng).0).knows(&device, "ana"), "nor under another key");
    }
}
