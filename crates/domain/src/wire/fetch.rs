//! A text that others keep at an address, as it is asked for and answered.

/// What is asked for.
#[derive(Clone, PartialEq, Eq)]
pub struct Fetch {
    /// Often a secret: in no log and in no answer.
    pub url: String,
    /// What the answer before said of its version, to hear only of another one.
    pub etag: Option<String>,
    /// The same as a time, as the answer before wrote it.
    pub modified: Option<String>,
    /// Most bytes; a longer one is refused.
    pub bytes_max: usize,
}

impl std::fmt::Debug for Fetch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fetch").field("bytes_max", &self.bytes_max).finish_non_exhaustive()
    }
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fetched {
    /// As it is now, whole.
    Text { text: String, etag: Option<String>, modified: Option<String> },
    /// The version that was named.
    NotModified,
    /// Nothing whole: why, in a sentence without a full stop and without the address.
    Failed { why: String },
}
