//! A push service and a browser behind it: it takes pushes as RFC 8030 has them from whoever signs as RFC 8292 has it, and the
//! browser opens them as RFC 8291 has it. Written from those alone.

use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use p256::{PublicKey, SecretKey};
use ring::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::fake::{Answer, Came, Fake};
use crate::world::World;

/// Longest life of a token, in seconds.
const TOKEN_LIFE_S_MAX: i64 = 86_400;

/// A push that a service took, opened.
#[derive(Debug, Clone, PartialEq)]
pub struct Pushed {
    /// What it says.
    pub said: Value,
    /// How long it is kept, in seconds.
    pub ttl: i64,
    /// `high`
    pub urgency: String,
    /// What it takes the place of.
    pub topic: String,
    /// The token that it came with.
    pub token: String,
}

/// The browser's own.
struct Browser {
    secret: SecretKey,
    auth: [u8; 16],
}

impl Browser {
    /// The browser of this name.
    fn named(name: &str) -> Self {
        let secret = SecretKey::from_slice(&Sha256::digest(name.as_bytes())).expect("a digest is nearly always a scalar");
        let mut auth = [0; 16];
        auth.copy_from_slice(&Sha256::digest(format!("{name} auth"))[..16]);
        Self { secret, auth }
    }

    fn point(&self) -> Vec<u8> {
        self.secret.public_key().to_sec1_bytes().to_vec()
    }

    /// What a body says, where it is sealed for this browser.
    fn open(&self, body: &[u8]) -> Option<Vec<u8>> {
        let (salt, rest) = body.split_at_checked(16)?;
        let (size, rest) = rest.split_at_checked(4)?;
        let (length, rest) = rest.split_first()?;
        let (theirs, record) = rest.split_at_checked(usize::from(*length))?;
        if size != 4096_u32.to_be_bytes() || record.len() > 4096 {
            return None;
        }
        let agreed = self.secret.diffie_hellman(&PublicKey::from_sec1_bytes(theirs).ok()?);
        let info = [b"WebPush: info\0", self.point().as_slice(), theirs].concat();
        let key = drawn(&self.auth, agreed.raw_secret_bytes(), &info);
        let content = drawn(salt, &key, b"Content-Encoding: aes128gcm\0");
        let nonce: [u8; 12] = drawn(salt, &key, b"Content-Encoding: nonce\0")[..12].try_into().ok()?;
        let opener = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &content[..16]).ok()?);
        let mut record = record.to_vec();
        let plain = opener.open_in_place(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut record).ok()?;
        // Padding is zeros behind the mark of the last record.
        let end = plain.iter().rposition(|byte| *byte != 0)?;
        (plain[end] == 2).then(|| plain[..end].to_vec())
    }
}

/// HKDF of RFC 5869, of one block.
fn drawn(salt: &[u8], key: &[u8], info: &[u8]) -> [u8; 32] {
    let sign = |key: &[u8], said: &[u8]| -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
        mac.update(said);
        mac.finalize().into_bytes().into()
    };
    sign(&sign(salt, key), &[info, &[1]].concat())
}

#[derive(Default)]
struct State {
    taken: Vec<Pushed>,
    /// The key that the first push was signed with: no other may push here afterwards.
    key: Option<String>,
}

/// A running service, with one browser behind it.
#[derive(Clone)]
pub struct PushService {
    /// What it is asked, and may be told to answer instead.
    pub fake: Fake,
    browser: Arc<Browser>,
    state: Arc<Mutex<State>>,
}

impl PushService {
    /// A service for the browser of this name, on a free port of this machine.
    ///
    /// # Panics
    /// When there is none.
    pub async fn start(browser: &str) -> Self {
        let (browser, state) = (Arc::new(Browser::named(browser)), Arc::new(Mutex::new(State::default())));
        let (own, taken) = (Arc::clone(&browser), Arc::clone(&state));
        let fake = Fake::start(move |came| answer(&own, &taken, came)).await;
        Self { fake, browser, state }
    }

    /// What the browser gives: the address and its keys, by the names of a contact's fields.
    #[must_use]
    pub fn subscription(&self) -> [(&'static str, String); 3] {
        [
            ("web_push", format!("{}/send/hush-f0Rx8zVq2mB", self.fake.url())),
            ("p256dh", URL_SAFE_NO_PAD.encode(self.browser.point())),
            ("auth", URL_SAFE_NO_PAD.encode(self.browser.auth)),
        ]
    }

    /// What was taken and opened, in its order.
    ///
    /// # Panics
    /// When a test failed while it looked.
    #[must_use]
    pub fn taken(&self) -> Vec<Pushed> {
        self.state.lock().expect("no panic while it is held").taken.clone()
    }

    /// What the worker in the browser says of a push: a receipt, or what was pressed.
    pub async fn says(&self, world: &World, pushed: &Pushed, what: Value) -> crate::world::Answer {
        let answer = &pushed.said["answer"];
        let mut body = json!({"message": answer["message"], "proof": answer["proof"]});
        if let (Some(body), Some(what)) = (body.as_object_mut(), what.as_object()) {
            body.extend(what.clone());
        }
        let request = world.client.post(world.at(answer["to"].as_str().unwrap_or_default()));
        let told = world.send(request.header("content-type", "application/json").body(body.to_string())).await;
        world.quiet().await;
        told
    }
}

/// Decides as a service: who pushes, then what.
fn answer(browser: &Browser, state: &Mutex<State>, came: &Came) -> Answer {
    let no = |status: u16, why: &str| Answer { status, kind: "text/plain", body: why.to_owned() };
    let header = came.header("authorization");
    let Some((token, key)) = header.strip_prefix("vapid t=").and_then(|rest| rest.split_once(", k=")) else {
        return no(401, "no vapid");
    };
    let host = format!("http://{}", came.header("host"));
    if let Err(why) = is_signed(token, key, &host) {
        return no(403, why);
    }
    let mut state = state.lock().expect("no panic while it is held");
    if state.key.get_or_insert_with(|| key.to_owned()) != key {
        return no(403, "another key than the subscription's");
    }
    let Some(ttl) = came.header("ttl").parse().ok() else { return no(400, "no ttl") };
    let topic = came.header("topic").to_owned();
    let is_topic = topic.len() <= 32 && topic.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    if came.method != "POST" || came.header("content-encoding") != "aes128gcm" || !is_topic {
        return no(400, "no push as RFC 8030 has it");
    }
    if came.raw.len() > 4096 {
        return no(413, "too long");
    }
    let said = browser.open(&came.raw).and_then(|plain| serde_json::from_slice(&plain).ok());
    let Some(said) = said else { return no(400, "not sealed for this browser") };
    let urgency = came.header("urgency").to_owned();
    state.taken.push(Pushed { said, ttl, urgency, topic, token: token.to_owned() });
    no(201, "")
}

/// # Errors
/// Why a token is none for this service.
fn is_signed(token: &str, key: &str, origin: &str) -> Result<(), &'static str> {
    let (said, signature) = token.rsplit_once('.').ok_or("no token")?;
    let decoded = |text: &str| URL_SAFE_NO_PAD.decode(text).map_err(|_| "no base64");
    let is_of_key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, decoded(key)?).verify(said.as_bytes(), &decoded(signature)?);
    is_of_key.map_err(|_| "not signed with its key")?;
    let (head, claims) = said.split_once('.').ok_or("no token")?;
    let json = |text: &str| serde_json::from_slice::<Value>(&decoded(text)?).map_err(|_| "no JSON");
    let (head, claims) = (json(head)?, json(claims)?);
    let left = claims["exp"].as_i64().unwrap_or(0);
    let subject = claims["sub"].as_str().unwrap_or_default();
    if head["alg"] != "ES256" || claims["aud"] != origin || left <= 0 {
        return Err("not for this service");
    }
    if !(subject.starts_with("mailto:") || subject.starts_with("https:")) {
        return Err("nobody to write to");
    }
    Ok(())
}

/// Whether a token is good at this instant, in seconds, and not for longer than it may be.
#[must_use]
pub fn is_in_time(token: &str, now_s: i64) -> bool {
    let claims = token.split('.').nth(1).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
    let claims: Option<Value> = claims.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    claims.and_then(|claims| claims["exp"].as_i64()).is_some_and(|expires| (1..=TOKEN_LIFE_S_MAX).contains(&(expires - now_s)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8291, section 5.
    #[test]
    fn the_browser_opens_the_example_of_the_standard() {
        let bytes = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap();
        let secret = SecretKey::from_slice(&bytes("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94")).unwrap();
        let browser = Browser { secret, auth: bytes("BTBZMqHH6r4Tts7J_aSIgg").try_into().unwrap() };
        assert_eq!(
            URL_SAFE_NO_PAD.encode(browser.point()),
            "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
        );
        let body = bytes(
            "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8w\
             EqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN",
        );
        assert_eq!(browser.open(&body).unwrap(), b"When I grow up, I want to be a watermelon");
        let mut altered = body.clone();
        *altered.last_mut().unwrap() ^= 1;
        assert!(browser.open(&altered).is_none() && browser.open(&body[..100]).is_none() && Browser::named("x").open(&body).is_none());
    }
}
