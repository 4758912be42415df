//! Settings that make channels: what is wrong with one, and lists in one.

/// A setting that does not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadSetting {
    /// Its name, without dashes.
    pub name: &'static str,
    /// Why, and what would work; never the value.
    pub why: String,
}

/// A setting of this name that does not read, and what would work.
pub(super) fn bad(name: &'static str, why: impl Into<String>) -> BadSetting {
    BadSetting { name, why: why.into() }
}

/// Words with blanks or commas between.
pub(super) fn listed(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c.is_whitespace() || c == ',').filter(|part| !part.is_empty())
}
