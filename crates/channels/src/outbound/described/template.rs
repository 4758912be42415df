//! Texts with places in them that are filled when a message is sent: `{to}`, `{text}`, `{secret.token}`.
//!
//! There are only names: no conditions, no loops, nothing within a place. A text is read once, when its description is, and
//! filled in one pass, so that filling ends and what is filled in is never read as a place again. What it becomes part of
//! decides how it is escaped; that is of whoever fills it.

use std::fmt;

/// Longest text with places, in bytes.
const TEXT_BYTES_MAX: usize = 2_000;
/// Most places of one text.
const PLACES_MAX: usize = 16;

/// What a place stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// Where it goes, as the contact has it.
    To,
    /// The same, its digits alone: a number without its sign.
    ToDigits,
    /// What is said.
    Text,
    /// The message's id, the same on every try.
    Key,
    /// The link that the message leads to.
    Link,
    /// Where what becomes of it is told.
    ReceiptUrl,
    /// What the installation says.
    Setting(String),
    /// What it says and nobody reads.
    Secret(String),
}

impl Place {
    fn read(name: &str) -> Option<Self> {
        Some(match name {
            "to" => Self::To,
            "to.digits" => Self::ToDigits,
            "text" => Self::Text,
            "key" => Self::Key,
            "link" => Self::Link,
            "receipt_url" => Self::ReceiptUrl,
            _ => match name.split_once('.')? {
                ("setting", name) if is_name(name) => Self::Setting(name.to_owned()),
                ("secret", name) if is_name(name) => Self::Secret(name.to_owned()),
                _ => return None,
            },
        })
    }
}

/// The places that there are, for whoever wrote another.
pub(super) const PLACES: &str = "`{to}`, `{to.digits}`, `{text}`, `{key}`, `{link}`, `{receipt_url}`, `{setting.NAME}` and `{secret.NAME}`";

/// A name of a setting or a secret: small letters, digits and `_`.
pub(super) fn is_name(name: &str) -> bool {
    (1..=32).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Plain(String),
    Place(Place),
}

/// A text with places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Template(Vec<Piece>);

/// Why a text does not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BadTemplate(String);

impl fmt::Display for BadTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Template {
    /// # Errors
    /// What of it does not read, and what would.
    pub(super) fn read(text: &str) -> Result<Self, BadTemplate> {
        let bad = |why: String| BadTemplate(why);
        if text.len() > TEXT_BYTES_MAX {
            return Err(bad(format!("it has {} bytes, and {TEXT_BYTES_MAX} are the most", text.len())));
        }
        let (mut pieces, mut plain) = (Vec::new(), String::new());
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            plain.push_str(&rest[..at]);
            let sign = &rest[at..=at];
            rest = &rest[at + 1..];
            // Twice, it is itself.
            if let Some(after) = rest.strip_prefix(sign) {
                plain.push_str(sign);
                rest = after;
                continue;
            }
            let end = rest.find(['{', '}']).filter(|end| sign == "{" && rest[*end..].starts_with('}'));
            let end = end.ok_or_else(|| bad("a `{` or `}` stands alone; write it twice where it is meant as it is".to_owned()))?;
            let name = &rest[..end];
            let shown: String = name.chars().filter(|c| !c.is_control()).take(40).collect();
            let place = Place::read(name).ok_or_else(|| bad(format!("there is no place `{{{shown}}}`; there are {PLACES}")))?;
            if !plain.is_empty() {
                pieces.push(Piece::Plain(std::mem::take(&mut plain)));
            }
            pieces.push(Piece::Place(place));
            rest = &rest[end + 1..];
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            pieces.push(Piece::Plain(plain));
        }
        let template = Self(pieces);
        if template.places().count() > PLACES_MAX {
            return Err(bad(format!("it has more than {PLACES_MAX} places")));
        }
        Ok(template)
    }

    /// Its places, in their order.
    pub(super) fn places(&self) -> impl Iterator<Item = &Place> {
        self.0.iter().filter_map(|piece| if let Piece::Place(place) = piece { Some(place) } else { None })
    }

    /// The text with every place filled; nothing where one has nothing to be filled with.
    pub(super) fn filled(&self, fill: impl Fn(&Place) -> Option<String>) -> Option<String> {
        let mut out = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Plain(text) => out.push_str(text),
                Piece::Place(place) => out.push_str(&fill(place)?),
            }
        }
        Some(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(text: &str) -> Result<String, String> {
        let template = Template::read(text).map_err(|why| why.to_string())?;
        Ok(template.filled(|place| Some(format!("<{place:?}>"))).unwrap())
    }

    #[test]
    fn places_are_filled_and_signs_are_written_twice() {
        assert_eq!(filled("a {to} b{text}"), Ok("a <To> b<Text>".into()));
        assert_eq!(filled("{secret.api_key}:{setting.from}"), Ok("<Secret(\"api_key\")>:<Setting(\"from\")>".into()));
        assert_eq!(filled("{{to}} }}{{"), Ok("{to} }{".into()));
        assert_eq!(filled(""), Ok(String::new()));
        assert_eq!(filled("{to.digits}é{key}{link}{receipt_url}"), Ok("<ToDigits>é<Key><Link><ReceiptUrl>".into()));
        let template = Template::read("{text} {to}").unwrap();
        // What is filled in is not read as a place.
        let once = template.filled(|place| (*place == Place::Text).then(|| "{to}".to_owned()).or_else(|| Some("x".into())));
        assert_eq!(once.as_deref(), Some("{to} x"));
        assert_eq!(template.filled(|_| None), None);
    }

    #[test]
    fn what_does_not_read_is_told_with_what_would() {
        for (text, why) in [
            ("{", "stands alone"),
            ("}", "stands alone"),
            ("{to", "stands alone"),
            ("{{to}", "stands alone"),
            ("{to{text}}", "stands alone"),
            ("{}", "no place `{}`"),
            ("{who}", "no place `{who}`; there are `{to}`"),
            ("{#each to}", "no place"),
            ("{secret.}", "no place"),
            ("{secret.API KEY}", "no place"),
            ("{env.HOME}", "no place"),
            ("{text.upper}", "no place"),
        ] {
            let told = filled(text).unwrap_err();
            assert!(told.contains(why), "{text}: {told}");
        }
        assert!(filled(&"x".repeat(TEXT_BYTES_MAX + 1)).unwrap_err().contains("are the most"));
        assert!(filled(&"{to}".repeat(PLACES_MAX + 1)).unwrap_err().contains("more than 16 places"));
        assert!(filled(&"{".repeat(1_999)).unwrap_err().contains("stands alone"));
    }
}
