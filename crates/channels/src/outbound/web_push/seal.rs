//! How a message is sealed for one browser, so that the push service in between reads nothing of it: RFC 8291 over the
//! content coding `aes128gcm` of RFC 8188.
//!
//! A message is one record: a key is agreed on with the browser's, from which the key of the content and its nonce are drawn.

use ring::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::agreement::{ECDH_P256, EphemeralPrivateKey, UnparsedPublicKey, agree_ephemeral};
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};

/// Bytes of a point of P-256 as it is sent: uncompressed.
pub(super) const POINT_BYTES: usize = 65;
/// Bytes of the secret that a browser gives with its key.
pub(super) const AUTH_BYTES: usize = 16;
/// Bytes of the salt of a message.
const SALT_BYTES: usize = 16;
/// Bytes of a record, and so of a body: what push services take at least (RFC 8030 §7.2).
pub(super) const RECORD_BYTES: usize = 4_096;
/// Stands before the record: salt, its size, and our point with its length.
const HEADER_BYTES: usize = SALT_BYTES + 4 + 1 + POINT_BYTES;
/// Behind what is said: the mark of the last record, and what proves that nobody altered it.
const BEHIND_BYTES: usize = 1 + 16;
/// Most that a message says, in bytes.
pub(super) const PLAIN_BYTES_MAX: usize = RECORD_BYTES - HEADER_BYTES - BEHIND_BYTES;
/// Marks the last record.
const LAST: u8 = 2;

/// The first bytes that RFC 5869 draws from a key for one purpose; no purpose here needs more than one block.
fn drawn<const N: usize>(salt: &[u8], key: &[u8], purpose: &[&[u8]]) -> [u8; N] {
    let extracted = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, salt), key);
    let mut block = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, extracted.as_ref()));
    purpose.iter().for_each(|part| block.update(part));
    block.update(&[1]);
    let mut out = [0; N];
    out.copy_from_slice(&block.sign().as_ref()[..N]);
    out
}

/// The body of a message for the browser with this point and secret.
///
/// # Errors
/// Where the point is none of the curve, or too much is said; in words.
pub(super) fn sealed(said: &[u8], point: &[u8], auth: &[u8]) -> Result<Vec<u8>, String> {
    const NO_RANDOM: &str = "the operating system gave no random bytes";
    let random = SystemRandom::new();
    let mut salt = [0; SALT_BYTES];
    random.fill(&mut salt).map_err(|_| NO_RANDOM)?;
    let own = EphemeralPrivateKey::generate(&ECDH_P256, &random).map_err(|_| NO_RANDOM)?;
    let own_point = own.compute_public_key().map_err(|_| NO_RANDOM)?;
    let agreed = agree_ephemeral(own, &UnparsedPublicKey::new(&ECDH_P256, point), |agreed| agreed.to_vec());
    let agreed = agreed.map_err(|_| "the contact's key is none of a browser")?;
    sealed_with(said, (point, auth), (&agreed, own_point.as_ref()), salt)
}

/// The same of what was agreed on.
fn sealed_with(
    said: &[u8],
    (point, auth): (&[u8], &[u8]),
    (agreed, own_point): (&[u8], &[u8]),
    salt: [u8; SALT_BYTES],
) -> Result<Vec<u8>, String> {
    if said.len() > PLAIN_BYTES_MAX {
        return Err(format!("the message is longer than {PLAIN_BYTES_MAX} bytes"));
    }
    let key: [u8; 32] = drawn(auth, agreed, &[b"WebPush: info\0", point, own_point]);
    let content: [u8; 16] = drawn(&salt, &key, &[b"Content-Encoding: aes128gcm\0"]);
    let nonce: [u8; 12] = drawn(&salt, &key, &[b"Content-Encoding: nonce\0"]);
    let mut record = said.to_vec();
    record.push(LAST);
    let refused = |_| "the message could not be sealed".to_owned();
    let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &content).map_err(refused)?);
    // The key is of this one record, and so is the nonce.
    key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut record).map_err(refused)?;
    let mut body = Vec::with_capacity(HEADER_BYTES + record.len());
    body.extend(salt);
    body.extend(u32::try_from(RECORD_BYTES).unwrap_or(u32::MAX).to_be_bytes());
    body.push(u8::try_from(own_point.len()).unwrap_or(u8::MAX));
    body.extend(own_point);
    body.extend(record);
    Ok(body)
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    fn bytes(text: &str) -> Vec<u8> {
        URL_SAFE_NO_PAD.decode(text).unwrap()
    }

    /// RFC 8291, section 5 and appendix A.
    #[test]
    fn the_example_of_the_standard_comes_out_as_it_stands_there() {
        let point = bytes("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4");
        let own_point = bytes("BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8");
        let agreed = bytes("kyrL1jIIOHEzg3sM2ZWRHDRB62YACZhhSlknJ672kSs");
        let salt = bytes("DGv6ra1nlYgDCS1FRnbzlw").try_into().unwrap();
        let body = sealed_with(
            b"When I grow up, I want to be a watermelon",
            (&point, &bytes("BTBZMqHH6r4Tts7J_aSIgg")),
            (&agreed, &own_point),
            salt,
        );
        let expected = "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8w\
                        EqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN";
        assert_eq!(URL_SAFE_NO_PAD.encode(body.unwrap()), expected);
    }

    #[test]
    fn as_much_as_fits_a_record_and_no_more_and_never_twice_the_same() {
        assert_eq!(PLAIN_BYTES_MAX, 3_993);
        let point = bytes("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4");
        let long = vec![b'x'; PLAIN_BYTES_MAX];
        let one = sealed(&long, &point, &[7; AUTH_BYTES]).unwrap();
        assert_eq!(one.len(), RECORD_BYTES);
        assert_ne!(one, sealed(&long, &point, &[7; AUTH_BYTES]).unwrap());
        assert!(sealed(&[long, vec![b'x']].concat(), &point, &[7; AUTH_BYTES]).is_err());
        assert!(sealed(b"x", &[4; POINT_BYTES], &[7; AUTH_BYTES]).is_err_and(|why| why.contains("key")));
    }
}
