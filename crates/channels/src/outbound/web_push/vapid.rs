//! Who a push comes from: a token under this installation's own key, which a subscription names (RFC 8292). The push service
//! takes a push for that subscription from nobody else.
//!
//! The key is made once and kept sealed in the store: another key would reach no browser that was added before. A token is used
//! until half its time is over, as services ask, since each new one is looked at anew.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::json;

/// How long a token is good, in seconds: half of the 24 hours that are the most.
const TOKEN_LIFE_S: i64 = 12 * 3_600;
/// Tokens that are kept, one a push service; there are some four in the world, and people may run their own.
const TOKENS_MAX: usize = 64;

/// The key, and tokens under it.
pub struct Vapid {
    key: EcdsaKeyPair,
    random: SystemRandom,
    /// As browsers take it.
    public: String,
    /// Whom a push service writes to.
    subject: String,
    /// By origin: the token, and when it expires in seconds.
    tokens: Mutex<BTreeMap<String, (String, i64)>>,
}

impl std::fmt::Debug for Vapid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vapid").field("public", &self.public).finish_non_exhaustive()
    }
}

/// A new key as text, to be kept and read by [`Vapid::read`].
///
/// # Errors
/// When the operating system gives no random bytes.
pub fn new_key() -> Result<String, String> {
    let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new());
    made.map(|key| URL_SAFE_NO_PAD.encode(key.as_ref())).map_err(|_| "the operating system gave no random bytes".to_owned())
}

impl Vapid {
    /// The key of this text. `subject` is whom push services write to: a `mailto:` or an `https:` address.
    ///
    /// # Errors
    /// When it is none.
    pub fn read(key: &str, subject: &str) -> Result<Self, String> {
        let random = SystemRandom::new();
        let bytes = URL_SAFE_NO_PAD.decode(key).map_err(|_| "the key for pushes is not base64".to_owned())?;
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &bytes, &random)
            .map_err(|_| "the key for pushes is none of P-256".to_owned())?;
        let public = URL_SAFE_NO_PAD.encode(key.public_key().as_ref());
        Ok(Self { key, random, public, subject: subject.to_owned(), tokens: Mutex::default() })
    }

    /// As browsers take it.
    #[must_use]
    pub fn public_key(&self) -> &str {
        &self.public
    }

    /// `Authorization` for the push service of this origin.
    ///
    /// # Errors
    /// When the operating system gives no random bytes.
    pub(super) fn authorization(&self, origin: &str, now: Timestamp) -> Result<String, String> {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        // Also where the clock was set back: none is good for longer than it was made for.
        let left = |expires: i64| expires - now.as_second();
        if let Some((token, _)) = tokens.get(origin).filter(|(_, expires)| (TOKEN_LIFE_S / 2..=TOKEN_LIFE_S).contains(&left(*expires))) {
            return Ok(format!("vapid t={token}, k={}", self.public));
        }
        let expires = now.as_second() + TOKEN_LIFE_S;
        let said = said(origin, expires, &self.subject);
        let signature = self.key.sign(&self.random, said.as_bytes()).map_err(|_| "the push could not be signed".to_owned())?;
        let token = format!("{said}.{}", URL_SAFE_NO_PAD.encode(signature));
        if tokens.len() >= TOKENS_MAX {
            tokens.clear();
        }
        tokens.insert(origin.to_owned(), (token.clone(), expires));
        Ok(format!("vapid t={token}, k={}", self.public))
    }
}

/// What a token says, as it is signed.
fn said(origin: &str, expires: i64, subject: &str) -> String {
    let head = URL_SAFE_NO_PAD.encode(r#"{"typ":"JWT","alg":"ES256"}"#);
    let claims = json!({"aud": origin, "exp": expires, "sub": subject});
    format!("{head}.{}", URL_SAFE_NO_PAD.encode(claims.to_string()))
}

#[cfg(test)]
mod tests {
    use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};

    use super::*;

    fn is_signed(token: &str, key: &str) -> bool {
        let (said, signature) = token.rsplit_once('.').unwrap();
        let key = URL_SAFE_NO_PAD.decode(key).unwrap();
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key).verify(said.as_bytes(), &signature).is_ok()
    }

    fn parts(header: &str) -> (&str, &str) {
        header.strip_prefix("vapid t=").unwrap().split_once(", k=").unwrap()
    }

    /// RFC 8292, section 2.4.
    #[test]
    fn the_example_of_the_standard_says_and_is_signed_as_ours_are() {
        let token = "eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NiJ9.eyJhdWQiOiJodHRwczovL3B1c2guZXhhbXBsZS5uZXQiLCJleHAiOjE0NTM1MjM3NjgsInN1YiI6Im1h\
                     aWx0bzpwdXNoQGV4YW1wbGUuY29tIn0.i3CYb7t4xfxCDquptFOepC9GAu_HLGkMlMuCGSK2rpiUfnK9ojFwDXb1JrErtmysazNjjvW2L9OkSSHzvoD1oA";
        let key = "BA1Hxzyi1RUM1b5wjxsn7nGxAszw2u61m164i3MrAIxHF6YK5h4SDYic-dRuU_RCPCfA5aq9ojSwk5Y2EmClBPs";
        assert!(is_signed(token, key), "as our tests read signatures");
        assert_eq!(said("https://push.example.net", 1_453_523_768, "mailto:push@example.com"), token.rsplit_once('.').unwrap().0);
    }

    #[test]
    fn a_token_is_of_one_service_and_is_used_for_half_its_time() {
        let vapid = Vapid::read(&new_key().unwrap(), "mailto:ops@example.org").unwrap();
        let at = |second: i64| Timestamp::from_second(1_800_000_000 + second).unwrap();
        let first = vapid.authorization("https://a.example", at(0)).unwrap();
        let (token, key) = parts(&first);
        assert!(is_signed(token, key) && key == vapid.public_key() && key.len() == 87, "{first}");
        assert_eq!(vapid.authorization("https://a.example", at(TOKEN_LIFE_S / 2)).unwrap(), first);
        for second in [TOKEN_LIFE_S / 2 + 1, -1, TOKEN_LIFE_S * 2] {
            let vapid = Vapid::read(&new_key().unwrap(), "mailto:ops@example.org").unwrap();
            let first = vapid.authorization("https://a.example", at(0)).unwrap();
            assert_ne!(vapid.authorization("https://a.example", at(second)).unwrap(), first, "after {second} s");
        }
        assert_ne!(vapid.authorization("https://b.example", at(0)).unwrap(), first);
        for n in 0..TOKENS_MAX * 3 {
            vapid.authorization(&format!("https://{n}.example"), at(0)).unwrap();
        }
        assert!(vapid.tokens.lock().unwrap().len() <= TOKENS_MAX);
        assert!(Vapid::read("", "").is_err() && Vapid::read("AAAA", "").is_err());
        assert!(!format!("{vapid:?}").contains("tokens"), "{vapid:?}");
    }
}
