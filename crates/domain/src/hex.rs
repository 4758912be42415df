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

/// Bytes of so many that were written so; nothing where it is anything else, or written in capitals: of each there is one text.
///
/// ```
/// use allclear_domain::hex::unhex;
/// assert_eq!(unhex("000fff"), Some([0, 15, 255]));
/// assert_eq!((unhex::<3>("000FFF"), unhex::<2>("000fff"), unhex::<1>("é")), (None, None, None));
/// ```
#[must_use]
pub fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.as_bytes();
    if digits.len() != N * 2 {
        return None;
    }
    let half = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    let mut out = [0; N];
    for (byte, pair) in out.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = half(pair[0])? << 4 | half(pair[1])?;
    }
    Some(out)
}
