//! Whether a request is its sender's own: the HMAC-SHA256 of what was posted, under the integration's secret.
//!
//! Which headers say it is the format's to tell ([`Signature`]). Deliberately not here: remembering what was taken before.
//! Whoever can read a request on its way can send it again within [`FRESH_S`], and for ever where the sender signs no time: an
//! alarm that is repeated changes nothing, a recovery ends one that fires again. What is sent over TLS nobody reads on its way.

use allclear_domain::hex::hex;
use allclear_domain::wire::{Signature, Unsigned};
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha2::Sha256;

/// How far the time of signing may be from ours, in seconds: five minutes, as Slack's and Stripe's signatures have it;
/// clocks that are set over a network differ by less than a second.
pub const FRESH_S: u64 = 300;
/// What stands between the time and the body in what is signed.
const BETWEEN: &[u8] = b":";
/// Bytes of HMAC-SHA256.
const BYTES: usize = 32;

/// Holds a request to its signature. `now` are the times that our clocks show: one of them is enough.
///
/// # Errors
/// Why it is not taken.
pub fn check<'a>(
    signature: Signature,
    header: impl Fn(&str) -> Option<&'a [u8]>,
    body: &[u8],
    secret: &str,
    now: &[Timestamp],
) -> Result<(), Unsigned> {
    let Signature { header: name, time_header } = signature;
    let given = header(name).ok_or(Unsigned::Missing { header: name })?;
    let time = header(time_header);
    let given = bytes_of(given.trim_ascii()).ok_or(Unsigned::Wrong { header: name })?;
    // In constant time, and of all of it. Before the time is looked at: a time that nobody signed says nothing.
    mac(secret, time, body).verify_slice(&given).map_err(|_| Unsigned::Wrong { header: name })?;
    let Some(time) = time else { return Ok(()) };
    let signed_at: i64 =
        std::str::from_utf8(time).ok().and_then(|text| text.parse().ok()).ok_or(Unsigned::NoTime { header: time_header })?;
    if now.iter().any(|now| now.as_second().abs_diff(signed_at) <= FRESH_S) {
        return Ok(());
    }
    Err(Unsigned::Stale { minutes: FRESH_S / 60 })
}

/// The signature of a body, as a sender makes it.
#[must_use]
pub fn sign(secret: &str, time: Option<&str>, body: &[u8]) -> String {
    hex(&mac(secret, time.map(str::as_bytes), body).finalize().into_bytes())
}

fn mac(secret: &str, time: Option<&[u8]>, body: &[u8]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
    if let Some(time) = time {
        mac.update(time);
        mac.update(BETWEEN);
    }
    mac.update(body);
    mac
}

/// What all of a signature's digits say.
fn bytes_of(digits: &[u8]) -> Option<[u8; BYTES]> {
    if digits.len() != 2 * BYTES {
        return None;
    }
    let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    let mut bytes = [0; BYTES];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIGNATURE: Signature = Signature { header: "x-signature", time_header: "x-time" };
    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn checked(signature: Option<&str>, time: Option<&str>, body: &str) -> Result<(), Unsigned> {
        let header = |name: &str| if name == SIGNATURE.header { signature } else { time }.map(str::as_bytes);
        check(SIGNATURE, header, body.as_bytes(), "Jefe", &[NOW])
    }

    #[test]
    fn the_examples_of_the_standard_are_signed_as_it_says() {
        // RFC 4231, test case 2.
        let of_rfc = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        let body = "what do ya want for nothing?";
        assert_eq!(sign("Jefe", None, body.as_bytes()), of_rfc);
        assert_eq!(checked(Some(of_rfc), None, body), Ok(()));
        assert_eq!(checked(Some(&of_rfc.to_uppercase()), None, body), Ok(()));
        assert_eq!(checked(Some(of_rfc), None, "what do ya want for something?"), Err(Unsigned::Wrong { header: "x-signature" }));
    }

    #[test]
    fn a_time_is_signed_too_and_is_near() {
        let signed = |time: &str| (sign("Jefe", Some(time), b"{}"), time.to_owned());
        for (time, fits) in [("0", true), ("300", true), ("-300", true), ("301", false), ("-301", false), ("9223372036854775807", false)] {
            let (signature, time) = signed(time);
            let stale = Err(Unsigned::Stale { minutes: 5 });
            assert_eq!(checked(Some(&signature), Some(&time), "{}"), if fits { Ok(()) } else { stale }, "{time}");
            assert_eq!(checked(Some(&signature), None, "{}"), Err(Unsigned::Wrong { header: "x-signature" }), "{time} was taken away");
        }
        let (signature, time) = signed("soon");
        assert_eq!(checked(Some(&signature), Some(&time), "{}"), Err(Unsigned::NoTime { header: "x-time" }));
    }

    #[test]
    fn what_is_no_signature_is_wrong() {
        let whole = sign("Jefe", None, b"{}");
        for odd in ["", "sha256=", &whole[..62], &format!("{whole}00"), &"g".repeat(64), &"é".repeat(32)] {
            assert_eq!(checked(Some(odd), None, "{}"), Err(Unsigned::Wrong { header: "x-signature" }), "{odd}");
        }
        assert_eq!(checked(None, None, "{}"), Err(Unsigned::Missing { header: "x-signature" }));
    }
}
