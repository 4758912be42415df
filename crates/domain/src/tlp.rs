//! How far something may go: the levels of the Traffic Light Protocol 2.0.
//!
//! A level is a property of what is said, and of whoever may be told: an organisation is told what is at most its own
//! level. Who of the house sees what is [`crate::access`]'s.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A level, the one that may go furthest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Tlp))]
pub enum Tlp {
    /// Anybody may know it.
    #[serde(rename = "clear")]
    Clear,
    /// A community may know it, and not the public.
    #[serde(rename = "green")]
    Green,
    /// Who is told may pass it on in their organisation and to its clients, where they need to know.
    #[serde(rename = "amber")]
    Amber,
    /// Who is told may pass it on in their organisation only.
    #[serde(rename = "amber+strict")]
    AmberStrict,
    /// Only those who are named may know it.
    #[serde(rename = "red")]
    Red,
}

/// What is said of what nobody marked, which stays in the house.
pub const UNMARKED: &str = "not marked: it stays in the house";

impl Tlp {
    /// All of them, as they are written.
    pub const WORDS: [&'static str; 5] = ["clear", "green", "amber", "amber+strict", "red"];
    /// All of them, in the same order.
    pub const ALL: [Self; 5] = [Self::Clear, Self::Green, Self::Amber, Self::AmberStrict, Self::Red];

    /// As it is written.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Clear => "clear",
            Self::Green => "green",
            Self::Amber => "amber",
            Self::AmberStrict => "amber+strict",
            Self::Red => "red",
        }
    }

    /// As the standard has it shown.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Clear => "TLP:CLEAR",
            Self::Green => "TLP:GREEN",
            Self::Amber => "TLP:AMBER",
            Self::AmberStrict => "TLP:AMBER+STRICT",
            Self::Red => "TLP:RED",
        }
    }

    /// The level of this word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.word() == word)
    }
}

impl fmt::Display for Tlp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for Tlp {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::from_word(text).ok_or_else(|| format!("`{text}` is no level; one of {} is", Self::WORDS.join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_in_order_and_read_back() {
        assert!(Tlp::ALL.is_sorted());
        for (level, word) in Tlp::ALL.into_iter().zip(Tlp::WORDS) {
            assert_eq!((level.word(), word.parse()), (word, Ok(level)));
            assert_eq!(serde_json::to_value(level).unwrap(), serde_json::json!(word));
            assert_eq!(level.label(), format!("TLP:{}", word.to_uppercase()));
        }
    }
}
