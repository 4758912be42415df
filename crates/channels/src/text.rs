//! Limits and cleaning that every way in shares, and lenient readers for sloppy senders.
//!
//! Text is cleaned once, here, on the way in: control characters go, length is cut on a character
//! boundary. It is deliberately not escaped: each way out escapes for its own place.

use std::borrow::Cow;
use std::fmt;

use allclear_domain::time::whole_micros;
use allclear_domain::wire::{Labels, Link};
use jiff::Timestamp;
use jiff::civil;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// Longest title, in characters: PagerDuty's limit of `payload.summary`. Longer ones are cut.
pub const TITLE_CHARS_MAX: usize = 1024;
/// Longest description and annotation, in characters: Opsgenie's limit of `description`, the
/// widest of the formats that users move from. Longer ones are cut.
pub const DESCRIPTION_CHARS_MAX: usize = 15_000;
/// Most labels of one alert: well above what real rules carry (Prometheus' own advice is below
/// 20), and low enough that matching stays cheap. An alert with more is refused.
pub const LABELS_MAX: usize = 64;
/// Longest name of a label, in bytes. An alert with a longer one is refused.
pub const LABEL_NAME_BYTES_MAX: usize = 256;
/// Longest value of a label, in bytes. An alert with a longer one is refused.
pub const LABEL_VALUE_BYTES_MAX: usize = 4096;
/// Most alerts of one request; Prometheus sends 256 at most, other rulers more.
pub const ALERTS_MAX: usize = 10_000;
/// Longest `dedup_key`, in bytes, where the format sets no lower limit.
pub const DEDUP_KEY_BYTES_MAX: usize = 512;
/// Most links of one alert; the rest is left out.
pub const LINKS_MAX: usize = 20;
/// Longest link, in bytes, that browsers and mail programs take everywhere; longer ones are left
/// out, since a cut link leads somewhere else.
pub const LINK_BYTES_MAX: usize = 2048;
/// Longest caption of a link, in characters.
const LINK_TEXT_CHARS_MAX: usize = 120;

/// Whether a character is removed: the C0 controls except line feed and tab. PostgreSQL refuses
/// NUL in text, and the others steer terminals.
const fn is_unwanted(c: char) -> bool {
    (c as u32) < 0x20 && c != '\n' && c != '\t'
}

/// The text without control characters; borrowed when there are none.
#[must_use]
pub fn clean(text: &str) -> Cow<'_, str> {
    if text.bytes().any(|b| is_unwanted(b as char)) {
        Cow::Owned(text.chars().filter(|c| !is_unwanted(*c)).collect())
    } else {
        Cow::Borrowed(text)
    }
}

/// The same for an owned text, without copying a clean one.
#[must_use]
pub fn cleaned(text: String) -> String {
    match clean(&text) {
        Cow::Borrowed(_) => text,
        Cow::Owned(cleaned) => cleaned,
    }
}

/// At most `chars_max` characters of the text.
#[must_use]
pub fn cut(text: &str, chars_max: usize) -> &str {
    if text.len() <= chars_max {
        return text;
    }
    text.char_indices().nth(chars_max).map_or(text, |(end, _)| &text[..end])
}

/// The text as a title: cleaned, one line, trimmed, cut.
#[must_use]
pub fn title(text: &str) -> String {
    let text = clean(text);
    let text = text.trim();
    if text.contains(['\n', '\t']) {
        let line: String = text.split(['\n', '\t']).map(str::trim).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
        return cut(&line, TITLE_CHARS_MAX).to_owned();
    }
    cut(text, TITLE_CHARS_MAX).to_owned()
}

/// The text as a description: cleaned, trimmed, cut; `None` when nothing is left.
#[must_use]
pub fn description(text: &str) -> Option<String> {
    let text = clean(text);
    let text = text.trim();
    (!text.is_empty()).then(|| cut(text, DESCRIPTION_CHARS_MAX).to_owned())
}

/// A link, if it leads to `http` or `https` and nowhere else (`javascript:`, `file:` …).
#[must_use]
pub fn link(href: &str, caption: &str) -> Option<Link> {
    let href = href.trim();
    let scheme_fits = ["http://", "https://"]
        .iter()
        .any(|scheme| href.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)) && href.len() > scheme.len());
    if !scheme_fits || href.len() > LINK_BYTES_MAX || href.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return None;
    }
    Some(Link { href: href.to_owned(), text: cut(&title(caption), LINK_TEXT_CHARS_MAX).to_owned() })
}

/// Puts a label in, if it has a value; cleans both.
///
/// # Errors
/// Names the limit that is passed.
pub fn put_label(labels: &mut Labels, name: &str, value: &str) -> Result<(), String> {
    let (name, value) = (clean(name), clean(value));
    if value.is_empty() {
        return Ok(());
    }
    check_label(&name, &value)?;
    labels.insert(name.into_owned(), value.into_owned());
    check_label_count(labels.len())
}

/// # Errors
/// Names the limit that is passed.
pub fn check_label(name: &str, value: &str) -> Result<(), String> {
    if name.is_empty() {
        return Err("a label has an empty name".to_owned());
    }
    if name.len() > LABEL_NAME_BYTES_MAX {
        return Err(format!("the label name `{}…` is longer than {LABEL_NAME_BYTES_MAX} bytes", cut(name, 40)));
    }
    if value.len() > LABEL_VALUE_BYTES_MAX {
        return Err(format!("the value of label `{name}` is longer than {LABEL_VALUE_BYTES_MAX} bytes"));
    }
    Ok(())
}

/// # Errors
/// Names the limit that is passed.
pub fn check_label_count(count: usize) -> Result<(), String> {
    if count > LABELS_MAX { Err(format!("more than {LABELS_MAX} labels")) } else { Ok(()) }
}

/// Reads an instant as senders write it: RFC 3339, an offset without colon (`+0000`), or civil
/// time without an offset, which is then taken as UTC. `None` when it is none of these.
#[must_use]
pub fn instant(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let at = text
        .parse::<Timestamp>()
        .ok()
        .or_else(|| Timestamp::strptime("%Y-%m-%dT%H:%M:%S%.f%z", text).ok())
        .or_else(|| text.parse::<civil::DateTime>().ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|z| z.timestamp()))?;
    Some(whole_micros(at))
}

/// The body without a byte order mark, which JSON forbids and some Windows senders write.
#[must_use]
pub fn without_bom(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)
}

/// A scalar that should be a text and is sometimes a number, a boolean or null.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Loose<'a>(pub Cow<'a, str>);

impl Loose<'_> {
    /// The text without surrounding space; `None` when empty.
    #[must_use]
    pub fn filled(&self) -> Option<&str> {
        let text = self.0.trim();
        (!text.is_empty()).then_some(text)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Loose<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Scalar;
        impl<'de> Visitor<'de> for Scalar {
            type Value = Loose<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Loose(Cow::Borrowed(text)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Loose(Cow::Owned(text.to_owned())))
            }
            fn visit_string<E>(self, text: String) -> Result<Self::Value, E> {
                Ok(Loose(Cow::Owned(text)))
            }
            fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
                Ok(Loose(Cow::Borrowed(if value { "true" } else { "false" })))
            }
            fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
                Ok(Loose(Cow::Owned(value.to_string())))
            }
            fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
                Ok(Loose(Cow::Owned(value.to_string())))
            }
            fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
                Ok(Loose(Cow::Owned(value.to_string())))
            }
            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Loose::default())
            }
        }
        deserializer.deserialize_any(Scalar)
    }
}

/// The members of an object in the order they came, values unread.
#[derive(Debug, Default)]
pub struct Members<'a>(pub Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Members<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some((name, value)) = map.next_entry::<Loose<'de>, &'de RawValue>()? {
                    members.push((name.0, value));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

/// Links as senders write them, `[{"href":…,"text":…}, "https://…"]`; what is no usable link is
/// left out, since a page must not fail for a link.
#[must_use]
pub fn links(raw: &RawValue) -> Vec<Link> {
    #[derive(Deserialize)]
    struct Form<'a> {
        #[serde(borrow, default, alias = "url", alias = "src")]
        href: Loose<'a>,
        #[serde(borrow, default, alias = "alt")]
        text: Loose<'a>,
    }
    let items: Vec<&RawValue> = serde_json::from_str(raw.get()).unwrap_or_default();
    items
        .into_iter()
        .filter_map(|item| {
            if let Ok(plain) = serde_json::from_str::<Loose<'_>>(item.get()) {
                return link(&plain.0, "");
            }
            let form: Form<'_> = serde_json::from_str(item.get()).ok()?;
            link(&form.href.0, &form.text.0)
        })
        .take(LINKS_MAX)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_go_and_unicode_stays() {
        assert_eq!(clean("a\0b\x1b[31mc\r\nd\te"), "ab[31mc\nd\te");
        assert!(matches!(clean("héllo 🔥 \u{202e}"), Cow::Borrowed(_)));
        assert_eq!(title("  one\r\n\r\n two\t three "), "one two three");
        assert_eq!(title(&"é".repeat(2000)).chars().count(), TITLE_CHARS_MAX);
        assert_eq!(cut("🔥🔥🔥", 2), "🔥🔥");
        assert_eq!(description(" \0 "), None);
    }

    #[test]
    fn links_lead_to_the_web_only() {
        assert!(link("https://rb.example/disk?a=b#c", "Runbook").is_some());
        assert!(link("HTTP://rb.example", "").is_some());
        for bad in ["javascript:alert(1)", "https://", "ftp://x", "data:text/html,x", "http://a\nb", "http://a b", "é://x", ""] {
            assert!(link(bad, "").is_none(), "{bad}");
        }
        assert!(link(&format!("https://x/{}", "a".repeat(LINK_BYTES_MAX)), "").is_none());
    }

    #[test]
    fn instants_as_senders_write_them() {
        let want: Timestamp = "2026-11-21T03:00:00Z".parse().unwrap();
        for text in [
            "2026-11-21T03:00:00Z",
            "2026-11-21T03:00:00.000+0000",
            "2026-11-21T04:00:00+01:00",
            "2026-11-21T04:00:00+0100",
            "2026-11-21T03:00:00",
            "2026-11-21 03:00:00",
        ] {
            assert_eq!(instant(text), Some(want), "{text}");
        }
        assert_eq!(instant("0001-01-01T00:00:00.000Z").map(Timestamp::as_second), Some(-62_135_596_800));
        for text in ["", "yesterday", "2026-13-40T00:00:00Z", "1795230000"] {
            assert_eq!(instant(text), None, "{text}");
        }
    }
}
