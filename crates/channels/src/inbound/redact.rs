//! Makes the raw body of a request fit to be kept and shown: no secrets, valid text, bounded.
//!
//! Works on bytes that look like JSON without parsing them, since what is refused is kept too.
//! It deliberately does not look inside texts: JSON within a text keeps its secrets' names and
//! values, and a secret in prose stays.

use std::borrow::Cow;

/// Longest kept body, in bytes; a batch of 256 alerts of Prometheus is about 100 KB, and its
/// first half explains it.
pub const KEPT_BYTES_MAX: usize = 64 * 1024;
/// What ends a body that was cut.
pub const CUT_MARK: &str = "…[cut]";
/// What stands for a secret.
const REDACTED: &str = "[redacted]";

/// A key that has one of these words in its name, in any case, hides its value; by first letter,
/// since every body is searched for them.
const fn words_with(first: u8) -> &'static [&'static [u8]] {
    match first {
        b'r' => &[b"routing_key"],
        b's' => &[b"secret", b"service_key"],
        b't' => &[b"token"],
        b'p' => &[b"password", b"passwd"],
        b'a' => &[b"authorization", b"api_key", b"apikey", b"api-key"],
        b'c' => &[b"cookie"],
        _ => &[],
    }
}

fn names_a_secret(bytes: &[u8]) -> bool {
    bytes.iter().enumerate().any(|(at, byte)| {
        words_with(byte.to_ascii_lowercase())
            .iter()
            .any(|word| bytes[at..].get(..word.len()).is_some_and(|part| part.eq_ignore_ascii_case(word)))
    })
}

/// The body as kept.
#[must_use]
pub fn redact(body: &[u8]) -> String {
    redact_to(body, KEPT_BYTES_MAX)
}

/// The first `bytes_max` of a body, as kept.
#[must_use]
pub fn redact_to(body: &[u8], bytes_max: usize) -> String {
    // Cut first: a secret that is cut in two is hidden as a text that never closes.
    let is_cut = body.len() > bytes_max;
    let body = &body[..body.len().min(bytes_max)];
    let text = String::from_utf8_lossy(body);
    // A key may be spelt with escapes, so a backslash-u is a reason to look closer.
    let has_escapes = body.contains(&b'\\') && body.windows(2).any(|pair| pair == br"\u");
    let text = if has_escapes || names_a_secret(body) { Cow::Owned(without_secrets(&text)) } else { text };
    let mut kept = if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text.into_owned() };
    if is_cut {
        kept.push_str(CUT_MARK);
    }
    kept
}

/// Replaces the scalars after a secret's key, and all scalars inside an object or list after it.
fn without_secrets(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    let mut depth = 0_usize;
    // The depth at which hiding began, and whether the very next value is to be hidden.
    let mut hidden_above: Option<usize> = None;
    let mut hide_next = false;
    while at < bytes.len() {
        let start = at;
        let hiding = hide_next || hidden_above.is_some();
        match bytes[at] {
            b'"' => {
                at = end_of_text(bytes, at);
                let after_space = bytes[at..].iter().position(|b| !b.is_ascii_whitespace()).map(|skip| at + skip);
                if after_space.is_some_and(|next| bytes[next] == b':') {
                    out.push_str(&text[start..at]);
                    hide_next = hides(&text[start..at]);
                } else {
                    out.push_str(if hiding { "\"[redacted]\"" } else { &text[start..at] });
                    hide_next = false;
                }
                continue;
            }
            b'{' | b'[' => {
                if hide_next && hidden_above.is_none() {
                    hidden_above = Some(depth);
                }
                hide_next = false;
                depth += 1;
            }
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                if hidden_above.is_some_and(|level| depth <= level) {
                    hidden_above = None;
                }
                hide_next = false;
            }
            b',' => hide_next = false,
            b'-' | b'0'..=b'9' if hiding => {
                at += bytes[at..].iter().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'+' | b'.')).count();
                out.push('"');
                out.push_str(REDACTED);
                out.push('"');
                hide_next = false;
                continue;
            }
            _ => {}
        }
        // Everything outside of texts is ASCII in JSON; what is not is carried over whole.
        at += 1;
        while !text.is_char_boundary(at) {
            at += 1;
        }
        out.push_str(&text[start..at]);
    }
    out
}

/// Behind the closing quotation mark of the text that opens at `at`; the end where it never closes.
fn end_of_text(bytes: &[u8], at: usize) -> usize {
    let mut at = at + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// Whether a key, with its quotation marks, names a secret; escapes are undone first.
fn hides(quoted: &str) -> bool {
    if quoted.contains('\\') {
        // A key that cannot be read hides its value, to be on the safe side.
        return serde_json::from_str::<String>(quoted).map_or(true, |key| names_a_secret(key.as_bytes()));
    }
    names_a_secret(quoted.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_go_and_the_rest_stays() {
        for (given, kept) in [
            (r#"{"routing_key":"abc","a":"b"}"#, r#"{"routing_key":"[redacted]","a":"b"}"#),
            (r#"{"X-Api_Key" : "a\"b","token":12,"n":-1}"#, r#"{"X-Api_Key" : "[redacted]","token":"[redacted]","n":-1}"#),
            (r#"{"tokens":["a",{"b":"c"}],"d":"token"}"#, r#"{"tokens":["[redacted]",{"b":"[redacted]"}],"d":"token"}"#),
            (r#"{"pass\u0077ord":"x"}"#, r#"{"pass\u0077ord":"[redacted]"}"#),
            (r#"{"password":null,"a":"b"}"#, r#"{"password":null,"a":"b"}"#),
            (r#"{"secret":"unclosed"#, r#"{"secret":"[redacted]""#),
            (r#"{"summary":"the password: reset é🔥"}"#, r#"{"summary":"the password: reset é🔥"}"#),
            ("plain é", "plain é"),
        ] {
            assert_eq!(redact(given.as_bytes()), kept, "{given}");
        }
        assert_eq!(redact(b"a\0\xffb"), "a\u{fffd}\u{fffd}b");
        assert_eq!(redact(b"\"token\\"), "\"token\\");
    }

    #[test]
    fn a_long_body_is_cut_without_baring_a_secret() {
        let body = format!(r#"{{"a":"{}","token":"hunter2hunter2"}}"#, "é".repeat(KEPT_BYTES_MAX / 2 - 12));
        let kept = redact(body.as_bytes());
        assert!(kept.ends_with(CUT_MARK) && !kept.contains("hunter2"), "{}", &kept[kept.len() - 40..]);
        assert!(kept.len() <= KEPT_BYTES_MAX + CUT_MARK.len() + 32);
    }
}
