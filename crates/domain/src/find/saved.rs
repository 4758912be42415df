//! Saved views: a board or a search under a name, of one person, or of a team and everybody in it.

use crate::clean;

/// Characters of a name: one that fits on a button.
pub const NAME_CHARS_MAX: usize = 60;
/// Characters of an address: a search with everything that narrows it.
pub const ADDRESS_CHARS_MAX: usize = 600;
/// Views of one person, and of one team: more are not found among themselves.
pub const OF_ONE_MAX: usize = 30;

/// Pages of which a view may be.
const PAGES: [&str; 2] = ["/?", "/search?"];
/// Of a view the place in its list is not kept, nor what a page said once.
const NOT_KEPT: [&str; 3] = ["cursor", "took", "gave"];

/// Why it is no view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadView {
    #[error("a view has a name")]
    Nameless,
    #[error("the name of a view has at most {NAME_CHARS_MAX} characters")]
    LongName,
    #[error("a view is of the board or of a search, as in /?severity=sev1 or /search?q=failover, and narrows it")]
    NoPage,
    #[error("the address of a view has at most {ADDRESS_CHARS_MAX} characters")]
    LongAddress,
}

/// A name as it is kept.
///
/// # Errors
/// When it is none, or too long.
pub fn name(given: &str) -> Result<String, BadView> {
    let name = clean::clean(given).split_whitespace().collect::<Vec<_>>().join(" ");
    match name.chars().count() {
        _ if !clean::says_something(&name) => Err(BadView::Nameless),
        n if n > NAME_CHARS_MAX => Err(BadView::LongName),
        _ => Ok(name),
    }
}

/// An address as it is kept: of this program alone, and without where somebody was in its list.
///
/// # Errors
/// When it is of no page that can be kept, or too long.
pub fn address(given: &str) -> Result<String, BadView> {
    let page = PAGES.into_iter().find(|page| given.starts_with(page)).ok_or(BadView::NoPage)?;
    if given.chars().count() > ADDRESS_CHARS_MAX {
        return Err(BadView::LongAddress);
    }
    if !given.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#') {
        return Err(BadView::NoPage);
    }
    let kept = |part: &&str| !part.is_empty() && !NOT_KEPT.contains(&part.split('=').next().unwrap_or_default());
    let parts: Vec<&str> = given[page.len()..].split('&').filter(kept).collect();
    if parts.is_empty() { Err(BadView::NoPage) } else { Ok(format!("{page}{}", parts.join("&"))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_is_of_this_program_and_narrows_something() {
        for (given, kept) in [
            ("/?severity=sev1", "/?severity=sev1"),
            ("/search?q=a%20b&kind=note&cursor=w12", "/search?q=a%20b&kind=note"),
            ("/?mine&took=1", "/?mine"),
        ] {
            assert_eq!(address(given).as_deref(), Ok(kept), "{given}");
        }
        for bad in [
            "",
            "/",
            "/?",
            "/search",
            "/search?cursor=w1",
            "//evil.example/?q=1",
            "https://evil.example/?q",
            "/settings?x",
            "/?a b",
            "/?é",
            "/?a#b",
            "/?a\n",
        ] {
            assert_eq!(address(bad), Err(BadView::NoPage), "{bad}");
        }
        assert_eq!(address(&format!("/?q={}", "x".repeat(ADDRESS_CHARS_MAX))), Err(BadView::LongAddress));
        assert_eq!(name("  My \n sev1s\u{202e} ").as_deref(), Ok("My sev1s"));
        assert_eq!(name(" \u{200b} "), Err(BadView::Nameless));
        assert_eq!(name(&"é".repeat(NAME_CHARS_MAX + 1)), Err(BadView::LongName));
        assert!(name(&"é".repeat(NAME_CHARS_MAX)).is_ok());
    }
}
