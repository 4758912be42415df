//! The links in messages, `/a/{token}`, and the other ways to answer one: [`replies`]; those of guests: [`guests`], and what organisations
//! are given to keep: [`exports`].
//!
//! A token is for one page or one message of many, and one person, expires, and does one thing: acknowledge, or pass on.
//! It is signed rather than stored, so that a page costs no row more and a copy of the database
//! holds no link that works.

pub mod bundles;
pub mod exports;
pub mod guests;
mod holder;
pub mod lines;
pub mod receipts;
pub mod replies;
mod which;

use allclear_domain::ids::{MessageId, PageId};
use allclear_domain::paging::AtStep;
use allclear_domain::time::{Length, after};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::identity::seal::SecretKey;

/// How long a link works.
pub const LINK_LIFE: Length = Length::from_secs(48 * 3600);
/// Bytes of the signature in a token: 128 bits cannot be guessed.
const MAC_BYTES: usize = 16;
/// Id and expiry before the person's id.
const FIXED_BYTES: usize = 16 + 4;
/// Round and step of a page's link, between those and the person's id.
const STEP_BYTES: usize = 2 + 2;

/// What a link is for. Only a token that was read gives one.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LinkFor {
    pub about: About,
    /// The person's id.
    pub person: String,
    pub expires_at: Timestamp,
    /// The step whose message it stands in; unknown in links of a whole message, and of earlier versions.
    pub answers: Option<AtStep>,
}

/// What a link is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// One page.
    Page(PageId),
    /// All pages that went out as one message.
    Bundle(MessageId),
}

/// Why a link does not work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadLink {
    #[error("this link is not one of ours, or was cut short")]
    Unknown,
    #[error("this link has expired")]
    Expired,
    #[error("the person it was sent to is not in the organisation any more")]
    PersonGone,
}

/// Makes and reads tokens.
#[derive(Debug, Clone)]
pub struct Links {
    key: [u8; 32],
    /// Of links that tell no step: of a page that a message of many holds and that asks no step of its reader any more.
    stepless_key: [u8; 32],
    /// Of links for a whole message: what one key signed means nothing under the other.
    bundle_key: [u8; 32],
    /// Of guest links.
    guest_key: [u8; 32],
    /// Of receipts of reports.
    receipt_key: [u8; 32],
    /// Of exports.
    export_key: std::sync::Arc<exports::ExportKey>,
    base_url: String,
}

impl Links {
    /// Under a key of its own.
    #[must_use]
    pub fn new(key: &SecretKey, base_url: &str) -> Self {
        Self {
            key: key.derive("message-link-step"),
            stepless_key: key.derive("message-link"),
            bundle_key: key.derive("bundle-link"),
            guest_key: key.derive("guest-link"),
            receipt_key: key.derive("receipt-link"),
            export_key: std::sync::Arc::new(exports::ExportKey::new(key)),
            base_url: base_url.trim_end_matches('/').to_owned(),
        }
    }

    /// The key by which whatever leaves the house is signed.
    pub(crate) fn signing_key(&self) -> &exports::ExportKey {
        &self.export_key
    }

    /// The full address for one person and page, in the message of a step.
    #[must_use]
    pub fn ack_url(&self, page: PageId, at: AtStep, person: &str, now: Timestamp) -> String {
        format!("{}/a/{}", self.base_url, self.token(page, at, person, now))
    }

    /// The full address for one person and all pages of a message.
    #[must_use]
    pub fn bundle_url(&self, lead: MessageId, person: &str, now: Timestamp) -> String {
        format!("{}/a/{}", self.base_url, token(&self.bundle_key, lead.bits(), &[], person, now))
    }

    /// The full address to which a channel's receipts and answers come back.
    #[must_use]
    pub fn reply_url(&self, channel: &str) -> String {
        format!("{}/reply/{channel}", self.base_url)
    }

    /// The full address of an incident's page.
    #[must_use]
    pub fn incident_url(&self, reference: &str) -> String {
        format!("{}/incidents/{reference}", self.base_url)
    }

    /// A token.
    #[must_use]
    pub fn token(&self, page: PageId, at: AtStep, person: &str, now: Timestamp) -> String {
        token(&self.key, page.bits(), &step_bytes(at), person, now)
    }

    /// A token for one page of a message of many, for whoever holds the link of that message, for as long as that
    /// link works.
    #[must_use]
    pub fn token_within(&self, link: &LinkFor, page: PageId, at: Option<AtStep>) -> String {
        let (key, step) = match at {
            Some(at) => (&self.key, step_bytes(at)),
            None => (&self.stepless_key, Vec::new()),
        };
        token_until(key, page.bits(), &step, &link.person, link.expires_at)
    }

    /// What a token is for.
    ///
    /// # Errors
    /// When it is not ours, or too old.
    pub fn read(&self, token: &str, now: Timestamp) -> Result<LinkFor, BadLink> {
        let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| BadLink::Unknown)?;
        let at = bytes.len().checked_sub(MAC_BYTES).filter(|at| *at > FIXED_BYTES).ok_or(BadLink::Unknown)?;
        let (said, mac) = bytes.split_at(at);
        let is_of = |key: &[u8; 32]| bool::from(sign(key, said).ct_eq(mac));
        let tells_step = is_of(&self.key);
        let of_page = tells_step || is_of(&self.stepless_key);
        if !of_page && !is_of(&self.bundle_key) {
            return Err(BadLink::Unknown);
        }
        let (id, rest) = said.split_first_chunk::<16>().ok_or(BadLink::Unknown)?;
        let (expires, person) = rest.split_first_chunk::<4>().ok_or(BadLink::Unknown)?;
        let expires_at = Timestamp::from_second(i64::from(u32::from_be_bytes(*expires))).map_err(|_| BadLink::Unknown)?;
        if expires_at <= now {
            return Err(BadLink::Expired);
        }
        let (answers, person) = match person.split_first_chunk::<STEP_BYTES>() {
            Some(([a, b, c, d], person)) if tells_step => {
                let number = |high: &u8, low: &u8| u32::from(u16::from_be_bytes([*high, *low]));
                (Some(AtStep { round: number(a, b), step: number(c, d) }), person)
            }
            _ if tells_step => return Err(BadLink::Unknown),
            _ => (None, person),
        };
        let person = String::from_utf8(person.to_vec()).map_err(|_| BadLink::Unknown)?;
        let id = u128::from_be_bytes(*id);
        let about = if of_page { About::Page(PageId::from_bits(id)) } else { About::Bundle(MessageId::from_bits(id)) };
        Ok(LinkFor { about, person, expires_at, answers })
    }
}

fn step_bytes(at: AtStep) -> Vec<u8> {
    let short = |n: u32| u16::try_from(n).unwrap_or(u16::MAX).to_be_bytes();
    [short(at.round), short(at.step)].concat()
}

fn token(key: &[u8; 32], id: u128, step: &[u8], person: &str, now: Timestamp) -> String {
    token_until(key, id, step, person, after(now, LINK_LIFE))
}

fn token_until(key: &[u8; 32], id: u128, step: &[u8], person: &str, expires_at: Timestamp) -> String {
    let expires = u32::try_from(expires_at.as_second()).unwrap_or(u32::MAX);
    let mut bytes = id.to_be_bytes().to_vec();
    bytes.extend(expires.to_be_bytes());
    bytes.extend(step);
    bytes.extend(person.as_bytes());
    let mac = sign(key, &bytes);
    bytes.extend(mac);
    URL_SAFE_NO_PAD.encode(bytes)
}

fn sign(key: &[u8; 32], bytes: &[u8]) -> [u8; MAC_BYTES] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(bytes);
    let full: [u8; 32] = mac.finalize().into_bytes().into();
    let mut cut = [0; MAC_BYTES];
    cut.copy_from_slice(&full[..MAC_BYTES]);
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_for_one_page_and_person_and_dies_of_age_and_of_tampering() {
        let links = Links::new(&SecretKey::from_bytes([7; 32]), "https://x.example/");
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let page = PageId::from_bits(99);
        let at = AtStep { round: 2, step: 300 };
        let token = links.token(page, at, "ana", now);
        let read = links.read(&token, now).unwrap();
        assert_eq!((read.about, read.person.as_str(), read.answers), (About::Page(page), "ana", Some(at)));
        let before = super::token(&links.stepless_key, page.bits(), &[], "ana", now);
        let read = links.read(&before, now).unwrap();
        assert_eq!((read.about, read.person.as_str(), read.answers), (About::Page(page), "ana", None), "of an earlier version");
        let bundle = links.bundle_url(MessageId::from_bits(99), "ana", now);
        let read = links.read(bundle.rsplit('/').next().unwrap(), now).unwrap();
        assert_eq!(read.about, About::Bundle(MessageId::from_bits(99)), "and not for the page of the same number");
        assert_eq!(links.read(&token, after(now, LINK_LIFE)), Err(BadLink::Expired));
        for at in 0..token.len() {
            let mut other: Vec<char> = token.chars().collect();
            other[at] = if other[at] == 'A' { 'B' } else { 'A' };
            let other: String = other.into_iter().collect();
            assert!(links.read(&other, now).is_err() || other == token, "character {at}");
        }
        assert!(Links::new(&SecretKey::from_bytes([8; 32]), "").read(&token, now).is_err());
        assert_eq!(links.read("", now), Err(BadLink::Unknown));
        assert!(links.ack_url(page, at, "ana", now).starts_with("https://x.example/a/"));
    }
}
