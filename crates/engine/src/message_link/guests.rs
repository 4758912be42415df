//! Guest links, `/guest/{token}`: for one organisation and one incident, until they expire or are revoked.
//!
//! As a link in a message a token is signed rather than stored, so that a copy of the database holds no link that works. That
//! there is one, for whom and until when, is in the log of its incident, and a link that is not there any more works no more.

use allclear_domain::access::{Denied, Guest, Principal, Resource, Right, may};
use allclear_domain::ids::IncidentId;
use allclear_store::rows;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use subtle::ConstantTimeEq;

use super::{Links, MAC_BYTES, sign};
use crate::engine::Engine;
use crate::read::NoAnswer;

/// Id of the incident, expiry and number.
const SAID_BYTES: usize = 16 + 4 + 4;

/// Why a guest link does not work.
#[derive(Debug, thiserror::Error)]
pub enum BadGuest {
    #[error("this link is not one of ours, or was cut short")]
    Unknown,
    #[error("this link has expired or was revoked")]
    Over,
    #[error(transparent)]
    NoAnswer(#[from] NoAnswer),
}

/// The address of a link, for whoever made it.
#[derive(Debug, Clone)]
pub struct MadeLink {
    pub url: String,
    /// When it ends by itself.
    pub until: Timestamp,
    /// Whether it stands in the place of one that works no more.
    pub replaced: bool,
}

impl Links {
    /// The full address of a link.
    #[must_use]
    pub fn guest_url(&self, incident: IncidentId, number: u32, expires_at: Timestamp) -> String {
        let expires = u32::try_from(expires_at.as_second()).unwrap_or(u32::MAX);
        let mut bytes = incident.bits().to_be_bytes().to_vec();
        bytes.extend(expires.to_be_bytes());
        bytes.extend(number.to_be_bytes());
        let mac = sign(&self.guest_key, &bytes);
        bytes.extend(mac);
        format!("{}/guest/{}", self.base_url, URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Of which incident, and its number there.
    fn guest(&self, token: &str, now: Timestamp) -> Result<(IncidentId, u32), BadGuest> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok().filter(|bytes| bytes.len() == SAID_BYTES + MAC_BYTES);
        let bytes = bytes.ok_or(BadGuest::Unknown)?;
        let (said, mac) = bytes.split_at(SAID_BYTES);
        if !bool::from(sign(&self.guest_key, said).ct_eq(mac)) {
            return Err(BadGuest::Unknown);
        }
        let (id, rest) = said.split_first_chunk::<16>().ok_or(BadGuest::Unknown)?;
        let (expires, number) = rest.split_first_chunk::<4>().ok_or(BadGuest::Unknown)?;
        let number = number.first_chunk::<4>().ok_or(BadGuest::Unknown)?;
        if i64::from(u32::from_be_bytes(*expires)) <= now.as_second() {
            return Err(BadGuest::Over);
        }
        Ok((IncidentId::from_bits(u128::from_be_bytes(*id)), u32::from_be_bytes(*number)))
    }
}

impl Engine {
    /// Whoever holds a link, as somebody who asks: they see their organisation's part of one incident, and nothing else.
    ///
    /// # Errors
    /// Why it does not work.
    pub async fn open_guest(&self, token: &str) -> Result<(Principal, IncidentId), BadGuest> {
        let now = self.now();
        let (incident, number) = self.links().guest(token, now)?;
        let found = rows::incident::get(self.db(), incident).await.map_err(NoAnswer::from)?;
        let (state, _) = found.ok_or(BadGuest::Unknown)?;
        let link = state.work.partners.link(number, now).ok_or(BadGuest::Over)?;
        let organisation = link.organisation.clone();
        if self.org().organisation(&organisation).is_none() || state.work.partners.party(&organisation).is_none() {
            return Err(BadGuest::Over);
        }
        Ok((Principal::of_guest(Guest { incident, organisation }), incident))
    }

    /// The newest link of an organisation and until when it works, for whoever made it: shown as it is made, and not again.
    ///
    /// # Errors
    /// When whoever asks may not, or the store does not answer.
    pub async fn guest_url(&self, who: &Principal, id: IncidentId, organisation: &str) -> Result<Option<MadeLink>, NoAnswer> {
        let (state, _) = self.queries(who).stored_incident(id).await?;
        may(&self.org(), who, Right::Respond, Resource::Incident(state.facts()))
            .map_err(|no| if no == Denied::Unseen { NoAnswer::Missing("incident") } else { no.into() })?;
        let link = state.work.partners.link_of(organisation, self.now());
        Ok(link.map(|link| MadeLink {
            url: self.links().guest_url(id, link.number, link.expires_at),
            until: link.expires_at,
            replaced: link.replaces,
        }))
    }
}

#[cfg(test)]
mod tests {
    use allclear_domain::time::after;

    use super::*;
    use crate::identity::seal::SecretKey;

    #[test]
    fn a_guest_link_is_for_one_incident_and_dies_of_age_and_of_tampering() {
        let links = Links::new(&SecretKey::from_bytes([7; 32]), "https://x.example/");
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let expires_at = after(now, allclear_domain::incident::sharing::GUEST_LIFE);
        let url = links.guest_url(IncidentId::from_bits(9), 3, expires_at);
        let token = url.strip_prefix("https://x.example/guest/").unwrap();
        assert_eq!(links.guest(token, now).unwrap(), (IncidentId::from_bits(9), 3));
        assert!(matches!(links.guest(token, expires_at), Err(BadGuest::Over)));
        for at in 0..token.len() {
            let mut other: Vec<char> = token.chars().collect();
            other[at] = if other[at] == 'A' { 'B' } else { 'A' };
            let other: String = other.into_iter().collect();
            assert!(links.guest(&other, now).is_err() || other == token, "character {at}");
        }
        assert!(Links::new(&SecretKey::from_bytes([8; 32]), "").guest(token, now).is_err());
        assert!(links.read(token, now).is_err(), "and no link of a message");
        let message =
            links.token(allclear_domain::ids::PageId::from_bits(9), allclear_domain::paging::AtStep { round: 1, step: 1 }, "ana", now);
        assert!(links.guest(&message, now).is_err(), "and the other way round");
    }
}
