//! Whether addresses and ids are well formed. Whether a host may be reached is judged
//! when something is sent, not here.

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

/// Longest id, as [`crate::org::model::Slug`] says.
pub const SLUG_LEN_MAX: usize = 64;
/// Longest mail address: RFC 5321 §4.5.3.1.3 allows a path of 256 with its angle brackets.
pub const EMAIL_LEN_MAX: usize = 254;
/// Longest part before the `@` (RFC 5321 §4.5.3.1.1).
pub const EMAIL_LOCAL_LEN_MAX: usize = 64;
/// Longest name of a host (RFC 1035 §2.3.4), and longest part of it.
const HOST_LEN_MAX: usize = 253;
const HOST_LABEL_LEN_MAX: usize = 63;
/// Longest address to POST to; what servers and proxies commonly take.
pub const URL_LEN_MAX: usize = 2048;
/// Whether a text can be an id.
#[must_use]
pub fn is_slug(text: &str) -> bool {
    (1..=SLUG_LEN_MAX).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_' | b'.'))
}

/// The id that somebody may have meant by a text that is none. Letters lose their accents (`Marín` is `marin`), and what no
/// letter of ASCII stands for becomes a hyphen.
#[must_use]
pub fn slug_of(text: &str) -> String {
    let mut out = String::new();
    // Decomposed, an accent is a sign of its own behind its letter, and is left out.
    for c in text.chars().flat_map(char::to_lowercase).nfd().filter(|c| !is_combining_mark(*c)) {
        match UNDECOMPOSED.iter().find(|(letter, _)| *letter == c) {
            Some((_, plain)) => out.push_str(plain),
            None if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') => out.push(c),
            None if !out.ends_with('-') => out.push('-'),
            None => {}
        }
        if out.len() >= SLUG_LEN_MAX {
            break;
        }
    }
    out.truncate(SLUG_LEN_MAX);
    out.trim_matches(['-', '.', '_']).to_owned()
}

/// A name as it is compared: whatever the case, without accents, and with one space between words.
#[must_use]
pub fn folded(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars().take(FOLDED_CHARS_MAX).flat_map(char::to_lowercase).nfd().filter(|c| !is_combining_mark(*c)) {
        match UNDECOMPOSED.iter().find(|(letter, _)| *letter == c) {
            Some((_, plain)) => out.push_str(plain),
            None if c.is_whitespace() => {
                if !out.ends_with(' ') {
                    out.push(' ');
                }
            }
            None if c.is_control() => {}
            None => out.push(c),
        }
    }
    out.trim().to_owned()
}

/// Most characters of a name that are compared; nobody is called longer.
const FOLDED_CHARS_MAX: usize = 400;

/// Letters of Latin alphabets that Unicode does not decompose, and how they are commonly written without them.
const UNDECOMPOSED: &[(char, &str)] =
    &[('ß', "ss"), ('æ', "ae"), ('œ', "oe"), ('ø', "o"), ('đ', "d"), ('ð', "d"), ('ł', "l"), ('þ', "th"), ('ı', "i")];

/// Whether a text is one mailbox that a header and an envelope can carry without quoting: a dot-atom before the `@`
/// (RFC 5322 §3.2.3), a name of a host behind it. A host's name may be written in any alphabet, since it is sent as ASCII;
/// what stands before the `@` may not, since few servers take it (RFC 6531).
#[must_use]
pub fn is_email(text: &str) -> bool {
    let Some((local, host)) = text.rsplit_once('@') else { return false };
    let is_atom = |atom: &str| !atom.is_empty() && atom.bytes().all(|b| b.is_ascii_alphanumeric() || ATOM_SIGNS.contains(&b));
    text.len() <= EMAIL_LEN_MAX
        && local.len() <= EMAIL_LOCAL_LEN_MAX
        && local.split('.').all(is_atom)
        && host.len() <= HOST_LEN_MAX
        && host.split('.').all(is_host_label)
        // A number at the end is an address of IPv4 cut short or long, and no name (RFC 1123 §2.1).
        && !host.rsplit('.').next().is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit()))
}

/// What an atom has beside letters and digits (RFC 5322 §3.2.3).
const ATOM_SIGNS: &[u8] = b"!#$%&'*+-/=?^_`{|}~";

/// One part of a host's name: letters and digits of any alphabet, and hyphens within (RFC 5891 §4.2.3).
fn is_host_label(label: &str) -> bool {
    let is_letter = |c: char| c.is_alphanumeric() || is_mark(c);
    !label.is_empty()
        && label.len() <= HOST_LABEL_LEN_MAX
        && !label.starts_with('-')
        && !label.ends_with('-')
        && !label.chars().next().is_some_and(is_mark)
        && label.chars().all(|c| is_letter(c) || c == '-')
}

/// Marks that some alphabets cannot be written without, and that are no letters: accents, and what takes a vowel from a
/// letter of India's alphabets or adds a dot to it, each at the same place of its block; Thai tone marks.
fn is_mark(c: char) -> bool {
    let of_india = ('\u{900}'..='\u{d7f}').contains(&c) && matches!(u32::from(c) & 0x7f, 0x3c | 0x4d);
    of_india || matches!(c, '\u{300}'..='\u{36f}' | '\u{dca}' | '\u{e47}'..='\u{e4e}' | '\u{3099}' | '\u{309a}')
}

/// Why a text is not an address to POST to.
#[must_use]
pub fn url_fault(text: &str) -> Option<&'static str> {
    if text.len() > URL_LEN_MAX {
        return Some("is longer than 2048 bytes");
    }
    if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Some("has a space or a control character in it");
    }
    let lower = text.to_ascii_lowercase();
    let Some(rest) = lower.strip_prefix("https://").or_else(|| lower.strip_prefix("http://")) else {
        return Some("does not begin with `https://` or `http://`");
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or("");
    let host_port = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    // An IPv6 address is in brackets and has colons of its own.
    let (host, port) = match host_port.strip_prefix('[').and_then(|h| h.split_once(']')) {
        Some((address, after)) => {
            if address.parse::<std::net::Ipv6Addr>().is_err() {
                return Some("names no IPv6 address in its brackets");
            }
            (address, after.strip_prefix(':').or((!after.is_empty()).then_some("?")))
        }
        None => host_port.split_once(':').map_or((host_port, None), |(host, port)| (host, Some(port))),
    };
    if host.is_empty() {
        return Some("names no host");
    }
    if port.is_some_and(|port| port.parse::<u16>().is_err()) {
        return Some("has a port that is not a number up to 65535");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for good in [
            "ana@example.org",
            "a.b+c@x.example",
            "root@localhost",
            "ana@münchen.example",
            "ana@xn--mnchen-3ya.example",
            "ana@उदाहरण.परीक्षा",
            "o'neil_#1@x-y.example",
        ] {
            assert!(is_email(good), "{good}");
        }
        let long = |local: usize, host: usize| format!("{}@{}.example", "a".repeat(local), "b".repeat(host));
        for bad in [
            "ana",
            "@x",
            "ana@",
            "a b@x",
            " ana@x.example",
            "ana@x.example ",
            "ana\u{a0}@x.example",
            "ana\u{200b}@x.example",
            "ana@x\u{202e}.example",
            "ana@x\r\nBcc: y@z",
            "<ana@x>",
            "a@b@c",
            "a,b@c",
            ".ana@x.example",
            "ana.@x.example",
            "a..na@x.example",
            "żółw@x.example",
            "ana🙂@x.example",
            "ana@🙂.example",
            "ana@x..y",
            "ana@x.example.",
            "ana@-x",
            "ana@x-.example",
            "ana@x_y.example",
            "ana@192.0.2.1",
            "ana@[192.0.2.1]",
            "\"ana\"@x.example",
            &long(65, 1),
            &long(1, 64),
        ] {
            assert!(!is_email(bad), "{bad}");
        }
        assert!(is_email(&long(64, 63)));
        for good in ["http://127.0.0.1:9099/ana", "https://hooks.example/x?y=z", "HTTPS://u:p@h.example", "https://[::1]:8080/x"] {
            assert_eq!(url_fault(good), None, "{good}");
        }
        for bad in
            ["", "ftp://x", "https://", "https:///x", "http://h:99999", "http://a b", "http://[zz]/", "http://[::1]x", "file:///etc/passwd"]
        {
            assert!(url_fault(bad).is_some(), "{bad}");
        }
    }

    #[test]
    fn ids() {
        assert!(is_slug("payments-db_1.eu") && !is_slug("Payments") && !is_slug("") && !is_slug(&"a".repeat(65)));
        assert_eq!(slug_of("Payments  DB!"), "payments-db");
        assert_eq!(slug_of("Rosa Marín"), "rosa-marin");
        assert_eq!(slug_of("Łukasz Größe-Sørensen İpek"), "lukasz-grosse-sorensen-ipek");
        assert_eq!(slug_of("Zoe\u{308} 🚒"), "zoe", "an accent of its own, and a picture");
        assert_eq!(slug_of("東京"), "", "nothing that an id can be made of");
        assert_eq!(slug_of(&"ß".repeat(SLUG_LEN_MAX)).len(), SLUG_LEN_MAX);
    }
}
