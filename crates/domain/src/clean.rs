//! Text that came from outside, without what steers a terminal or turns the direction of what follows.

use std::borrow::Cow;

/// Whether a character is removed: control characters except line feed and tab (PostgreSQL refuses
/// NUL in text, and the others steer terminals), and those that turn the direction of the text
/// after them, which let a title read as what it is not. A joiner within an emoji stays.
#[must_use]
pub const fn is_unwanted(c: char) -> bool {
    match c {
        '\n' | '\t' => false,
        '\0'..='\x1f' | '\x7f'..='\u{9f}' => true,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => true,
        _ => false,
    }
}

/// Whether a sign has no width: a text of nothing else says nothing.
#[must_use]
const fn is_invisible(c: char) -> bool {
    // Zero-width and joining signs, the soft hyphen, and letters that are drawn as nothing (Unicode: Default_Ignorable).
    matches!(c, '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{e0000}'..='\u{e0fff}')
}

/// Whether a text says something: it has a sign that can be seen.
#[must_use]
pub fn says_something(text: &str) -> bool {
    text.chars().any(|c| !c.is_whitespace() && !c.is_control() && !is_invisible(c))
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
