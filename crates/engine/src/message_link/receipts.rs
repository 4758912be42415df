//! Receipts of reports, `/receipt/{token}`: for one report, for as long as people ask after it.
//!
//! As a guest link a token is signed rather than stored: a copy of the database holds no link that works.

use allclear_domain::ids::AlertId;
use allclear_domain::time::Length;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq;

use super::{Links, MAC_BYTES, sign};
use crate::read::NoAnswer;

/// How long a receipt works, from the report: a quarter of a year.
pub const RECEIPT_LIFE: Length = Length::from_secs(90 * 24 * 3_600);
/// Id of the report.
const ID_BYTES: usize = 16;

/// Why a receipt does not work.
#[derive(Debug, thiserror::Error)]
pub enum BadReceipt {
    #[error("this link is not one of ours, or was cut short")]
    Unknown,
    #[error("this link has expired")]
    Over,
    #[error(transparent)]
    NoAnswer(#[from] NoAnswer),
}

impl Links {
    /// The full address of a receipt.
    #[must_use]
    pub fn receipt_url(&self, report: AlertId) -> String {
        let mut bytes = report.bits().to_be_bytes().to_vec();
        let mac = sign(&self.receipt_key, &bytes);
        bytes.extend(mac);
        format!("{}/receipt/{}", self.base_url, URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Of which report.
    ///
    /// # Errors
    /// When it is not ours.
    pub fn receipt(&self, token: &str) -> Result<AlertId, BadReceipt> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok().filter(|bytes| bytes.len() == ID_BYTES + MAC_BYTES).ok_or(BadReceipt::Unknown)?;
        let (id, mac) = bytes.split_first_chunk::<ID_BYTES>().ok_or(BadReceipt::Unknown)?;
        if !bool::from(sign(&self.receipt_key, id).ct_eq(mac)) {
            return Err(BadReceipt::Unknown);
        }
        Ok(AlertId::from_bits(u128::from_be_bytes(*id)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::seal::SecretKey;

    #[test]
    fn a_receipt_is_of_one_report_and_dies_of_tampering() {
        let links = Links::new(&SecretKey::from_bytes([7; 32]), "https://x.example/");
        let url = links.receipt_url(AlertId::from_bits(9));
        let token = url.strip_prefix("https://x.example/receipt/").unwrap();
        assert_eq!(links.receipt(token).unwrap(), AlertId::from_bits(9));
        for at in 0..token.len() {
            let mut other: Vec<char> = token.chars().collect();
            other[at] = if other[at] == 'A' { 'B' } else { 'A' };
            let other: String = other.into_iter().collect();
            assert!(links.receipt(&other).is_err() || other == token, "character {at}");
        }
        assert!(Links::new(&SecretKey::from_bytes([8; 32]), "").receipt(token).is_err());
        let now = jiff::Timestamp::from_second(1_800_000_000).unwrap();
        assert!(links.read(token, now).is_err(), "and no link of a message");
    }
}
