//! Text is cleaned once, on the way in: what steers terminals or turns the direction goes ([`allclear_domain::clean`]);
//! length is cut on a character boundary. It is deliberately not escaped: each way out escapes for its own place.

use allclear_domain::clean::is_unwanted;
pub use allclear_domain::clean::{clean, cleaned};
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
