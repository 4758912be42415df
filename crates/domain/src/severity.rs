//! How bad an incident is: five steps, which the organisation gives names and times.

use serde::{Deserialize, Serialize};

/// How bad it is; sev1 is the worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Severity))]
pub enum Severity {
    Sev1,
    Sev2,
    Sev3,
    Sev4,
    Sev5,
}

impl Severity {
    /// All of them, worst first.
    pub const ALL: [Self; 5] = [Self::Sev1, Self::Sev2, Self::Sev3, Self::Sev4, Self::Sev5];

    /// As written everywhere: `sev1`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Sev1 => "sev1",
            Self::Sev2 => "sev2",
            Self::Sev3 => "sev3",
            Self::Sev4 => "sev4",
            Self::Sev5 => "sev5",
        }
    }

    /// Whether what is neglected about it pages, again and again until it is mended; of the others people are told.
    #[must_use]
    pub const fn is_grave(self) -> bool {
        matches!(self, Self::Sev1 | Self::Sev2)
    }

    /// 1 for sev1 … 5 for sev5.
    #[must_use]
    pub const fn rank(self) -> u8 {
        self as u8 + 1
    }
}

impl std::fmt::Display for Severity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.word())
    }
}

impl std::str::FromStr for Severity {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|s| s.word().eq_ignore_ascii_case(text)).ok_or_else(|| {
            format!("`{}` is not a severity; one of sev1, sev2, sev3, sev4, sev5 is", text.chars().take(32).collect::<String>())
        })
    }
}
