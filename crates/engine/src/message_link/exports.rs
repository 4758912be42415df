//! Signed exports: what one organisation may be told of one incident, as a file that it can check without asking us.
//!
//! A JSON Web Signature (RFC 7515, flattened) by Ed25519 (RFC 8037). The key is made of the installation's own secret, and its public half is
//! read by anybody, so that whoever has the file and the key once knows that nothing in it was changed. In it stands the end of the incident's
//! log as it was then: a chain of hashes, which a log that is altered afterwards does not lead to any more.
//!
//! Not here: what an organisation may be told ([`allclear_domain::view::GuestView`]).

use allclear_domain::access::{Denied, Guest, Principal, Resource, Right, may};
use allclear_domain::ids::IncidentId;
use allclear_domain::view::{EventView, GuestView, PartyExport, SignedExport};
use allclear_store::rows;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::engine::Engine;
use crate::identity::seal::SecretKey;
use crate::read::NoAnswer;

/// Events of an incident's log that an export holds at most, the newest: more than the longest incident of the bench has.
const EXPORT_EVENTS_MAX: u64 = 10_000;
/// Events that are read at once.
const CHUNK: u64 = 1_000;

/// Signs exports, bundles and checkpoints that leave the house.
#[derive(Debug)]
pub(crate) struct ExportKey {
    pair: Ed25519KeyPair,
    /// The thumbprint of the public key (RFC 7638).
    id: String,
}

impl ExportKey {
    /// Of the installation's secret.
    ///
    /// # Panics
    /// Never: any 32 bytes are the seed of a key.
    pub(crate) fn new(key: &SecretKey) -> Self {
        let pair = Ed25519KeyPair::from_seed_unchecked(&key.derive("party-export")).expect("32 bytes are a seed");
        let id = key_id(pair.public_key().as_ref());
        Self { pair, id }
    }

    /// The public key, and its signature of some bytes.
    pub(crate) fn sign_bytes(&self, bytes: &[u8]) -> (Vec<u8>, Vec<u8>) {
        (self.pair.public_key().as_ref().to_vec(), self.pair.sign(bytes).as_ref().to_vec())
    }

    /// The public half, as a set of keys (RFC 7517).
    pub(crate) fn public(&self) -> Value {
        let x = URL_SAFE_NO_PAD.encode(self.pair.public_key());
        json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "x": x, "kid": self.id, "use": "sig", "alg": "EdDSA"}]})
    }

    fn sign(&self, export: &PartyExport) -> SignedExport {
        let header = json!({"alg": "EdDSA", "kid": self.id, "typ": "allclear-export+json"}).to_string();
        let protected = URL_SAFE_NO_PAD.encode(header);
        let payload = URL_SAFE_NO_PAD.encode(serde_json::to_vec(export).unwrap_or_default());
        let signature = URL_SAFE_NO_PAD.encode(self.pair.sign(format!("{protected}.{payload}").as_bytes()));
        SignedExport { payload, protected, signature }
    }
}

/// What a public key is called: its thumbprint (RFC 7638), as the published set of keys has it.
#[must_use]
pub fn key_id(public: &[u8]) -> String {
    let thumb = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, URL_SAFE_NO_PAD.encode(public));
    URL_SAFE_NO_PAD.encode(Sha256::digest(thumb))
}

/// Whether a public key signed these bytes.
#[must_use]
pub fn is_signed(public: &[u8], bytes: &[u8], signature: &[u8]) -> bool {
    UnparsedPublicKey::new(&ED25519, public).verify(bytes, signature).is_ok()
}

/// The public keys of a set (RFC 7517), as `/.well-known/jwks.json` gives it; nothing where it is none.
#[must_use]
pub fn keys_of(set: &Value) -> Option<Vec<Vec<u8>>> {
    let key = |key: &Value| URL_SAFE_NO_PAD.decode(key.get("x")?.as_str()?).ok();
    set.get("keys")?.as_array().map(|keys| keys.iter().filter_map(key).collect())
}

impl Engine {
    /// The keys by which exports are checked.
    #[must_use]
    pub fn export_keys(&self) -> Value {
        self.links().export_key.public()
    }

    /// What an organisation that takes part may be told of an incident, signed; for whoever made it.
    ///
    /// # Errors
    /// When whoever asks may not, the organisation takes no part, or the store does not answer.
    pub async fn party_export(&self, who: &Principal, id: IncidentId, organisation: &str) -> Result<SignedExport, NoAnswer> {
        const GONE: NoAnswer = NoAnswer::Missing("incident");
        let (incident, head) = rows::incident::get(self.db(), id).await?.ok_or(GONE)?;
        let org = self.org();
        may(&org, who, Right::Respond, Resource::Incident(incident.facts()))
            .map_err(|no| if no == Denied::Unseen { GONE } else { no.into() })?;
        let guest = Principal::of_guest(Guest { incident: id, organisation: organisation.to_owned() });
        may(&org, &guest, Right::See, Resource::Party(incident.facts(), organisation))
            .map_err(|no| if no == Denied::Unseen { NoAnswer::Missing("organisation") } else { no.into() })?;
        let from = head.version.saturating_sub(EXPORT_EVENTS_MAX);
        let mut events: Vec<EventView> = Vec::new();
        let mut after = from;
        while after < head.version {
            let limit = CHUNK.min(head.version - after);
            let read = rows::event::of_stream(self.db(), &id.to_string(), after, i64::try_from(limit).unwrap_or(i64::MAX)).await?;
            if read.is_empty() {
                break;
            }
            after += read.len() as u64;
            let queries = self.queries(&guest);
            events.extend(read.iter().map(|event| queries.event_view(event)));
        }
        let view = GuestView::of(&org, &guest, &incident, &events).ok_or(NoAnswer::Missing("organisation"))?;
        let log_hash = head.hash.iter().map(|byte| format!("{byte:02x}")).collect();
        let export = PartyExport {
            format: PartyExport::FORMAT.to_owned(),
            made_at: self.now(),
            log_version: head.version,
            log_hash,
            left_out: from,
            view,
        };
        Ok(self.links().export_key.sign(&export))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_told_by_its_thumbprint() {
        let (one, other) = (ExportKey::new(&SecretKey::from_bytes([7; 32])), ExportKey::new(&SecretKey::from_bytes([8; 32])));
        assert_ne!(one.id, other.id);
        let public = one.public();
        let key = &public["keys"][0];
        let named = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":{}}}"#, key["x"]);
        assert_eq!(key["kid"].as_str(), Some(URL_SAFE_NO_PAD.encode(Sha256::digest(named)).as_str()));
    }
}
