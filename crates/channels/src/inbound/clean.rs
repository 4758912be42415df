//! Text is cleaned once, on the way in: control characters go, and those that turn the direction of what follows; length is
//! cut on a character boundary. It is deliberately not escaped: each way out escapes for its own place.

use std::borrow::Cow;

use allclear_domain::wire::Link;

/// Longest title, in characters: PagerDuty's limit of `payload.summary`. Longer ones are cut.
pub const TITLE_CHARS_MAX: usize = 1024;
/// Longest description and annotation, in characters: Opsgenie's limit of `description`, the
/// widest of the formats that users move from. Longer ones are cut.
pub const DESCRIPTION_CHARS_MAX: usize = 15_000;
/// Most alerts of one request; Prometheus sends 256 at most, other rulers all they have.
pub const ALERTS_MAX: usize = 10_000;
/// Most links of one alert; the rest is left out.
pub const LINKS_MAX: usize = 20;
/// Longest link, in bytes, that browsers and mail programs take everywhere; longer ones are left
/// out, since a cut link leads somewhere else.
pub const LINK_BYTES_MAX: usize = 2048;
/// Longest caption of a link, in characters.
const LINK_TEXT_CHARS_MAX: usize = 120;

/// Whether a character is removed: control characters except line feed and tab (PostgreSQL refuses
/// NUL in text, and the others steer terminals), and those that turn the direction of the text
/// after them, which let a title read as what it is not. A joiner within an emoji stays.
const fn is_unwanted(c: char) -> bool {
    match c {
        '\n' | '\t' => false,
        '\0'..='\x1f' | '\x7f'..='\u{9f}' => true,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => true,
        _ => false,
    }
}

/// Whether a byte may begin an unwanted character. Most text has none of these.
const fn may_be_unwanted(byte: u8) -> bool {
    matches!(byte, 0..=8 | 0x0b..=0x1f | 0x7f | 0xc2 | 0xd8 | 0xe2)
}

/// The text without control characters; borrowed when there are none.
#[must_use]
pub fn clean(text: &str) -> Cow<'_, str> {
    if text.bytes().any(may_be_unwanted) && text.contains(is_unwanted) {
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
    if !scheme_fits || href.len() > LINK_BYTES_MAX || href.chars().any(|c| c.is_control() || c.is_whitespace() || is_unwanted(c)) {
        return None;
    }
    Some(Link { href: href.to_owned(), text: cut(&title(caption), LINK_TEXT_CHARS_MAX).to_owned() })
}
