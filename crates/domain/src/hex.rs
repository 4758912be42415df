//! Bytes as text: digests, signatures and random keys.

/// Two digits a byte, in small letters.
///
/// ```
/// assert_eq!(allclear_domain::hex::hex(&[0, 15, 255]), "000fff");
/// ```
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    let digits = |byte: &u8| [byte >> 4, byte & 15].map(|half| char::from_digit(half.into(), 16).unwrap_or_default());
    bytes.iter().flat_map(digits).collect()
}
