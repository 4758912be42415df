//! Bodies of forms (`application/x-www-form-urlencoded`): how they are written, and how they read.

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// These pairs as a form.
pub(super) fn form(pairs: &[(&str, &str)]) -> Vec<u8> {
    let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let pairs: Vec<String> = pairs.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
    pairs.join("&").into_bytes()
}

/// The fields of a form.
#[derive(Debug, Default)]
pub(super) struct Fields(Vec<(String, String)>);

impl Fields {
    /// Of `application/x-www-form-urlencoded`; nothing where it is no text.
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        let decoded = |text: &str| {
            let spaced = text.replace('+', " ");
            percent_decode_str(&spaced).decode_utf8().ok().map(|text| text.into_owned())
        };
        let pairs = std::str::from_utf8(body).ok()?.split('&').filter(|pair| !pair.is_empty());
        let one = |pair: &str| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some((decoded(name)?, decoded(value)?))
        };
        pairs.map(one).collect::<Option<Vec<_>>>().map(Self)
    }

    /// The first of this name.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// Their names, in their order.
    pub(super) fn names(&self) -> Vec<&str> {
        self.0.iter().map(|(name, _)| name.as_str()).collect()
    }

    /// Each with its name, in their order.
    pub(super) fn pairs(&self) -> &[(String, String)] {
        &self.0
    }

    /// The same.
    pub(super) fn into_pairs(self) -> Vec<(String, String)> {
        self.0
    }
}
