//! What open alerts say, refreshed by each repetition that says something else.
//!
//! A changed text is written at once, and again within
//! [`FLUSH_EVERY`](crate::shared::FLUSH_EVERY) at most: a sender whose text is another one every time costs no more
//! than one that counts as seen again.

use std::collections::{HashMap, HashSet};

use allclear_domain::wire::Signal;
use allclear_store::{Write, rows};

use super::memory::{AlertKey, OpenAlert};

/// A text that waits to be written.
#[derive(Debug, Clone)]
pub(crate) struct Text {
    title: String,
    detail: String,
    digest: u64,
}

impl Text {
    pub(super) fn of(signal: &Signal, digest: u64) -> Self {
        Self { title: signal.title.clone(), detail: detail(signal), digest }
    }

    /// Where nodes share a store, another may have judged the alert by what it said in between: then this text is
    /// judged anew, or a silence would go on to hold what it does not match.
    pub(super) fn write(&self, alert: &OpenAlert, shared: bool) -> Write {
        rows::alert::says(alert.id, &self.title, &self.detail, self.digest, shared.then_some(alert.silenced_until))
    }
}

/// Texts that the store does not have yet, and whose text was written lately.
#[derive(Debug, Default)]
pub(super) struct Texts {
    waiting: HashMap<AlertKey, Text>,
    written: HashSet<AlertKey>,
}

impl Texts {
    /// Whether a changed text of this alert is written at once.
    pub(super) fn may_be_written(&self, key: &AlertKey) -> bool {
        !self.written.contains(key)
    }

    /// Takes over a changed text; says whether it waits to be written.
    pub(super) fn note(&mut self, key: &AlertKey, text: Option<Box<Text>>) -> bool {
        match text {
            Some(text) => {
                self.waiting.insert(key.clone(), *text);
                true
            }
            None => {
                self.waiting.remove(key);
                self.written.insert(key.clone());
                false
            }
        }
    }

    pub(super) fn waiting(&self, key: &AlertKey) -> Option<&Text> {
        self.waiting.get(key)
    }

    /// It was written, or its alert ended; gives the number of the text that waited.
    pub(super) fn forget(&mut self, key: &AlertKey) -> Option<u64> {
        self.waiting.remove(key).map(|text| text.digest)
    }

    /// So much time has passed that each may be written at once again.
    pub(super) fn may_be_written_again(&mut self) {
        self.written.clear();
    }
}

/// What a signal says beyond the columns, as stored and shown.
pub(super) fn detail(signal: &Signal) -> String {
    #[derive(serde::Serialize)]
    struct Detail<'a> {
        #[serde(skip_serializing_if = "Option::is_none")]
        description: Option<&'a str>,
        labels: &'a allclear_domain::wire::Labels,
        #[serde(skip_serializing_if = "std::collections::BTreeMap::is_empty")]
        annotations: &'a allclear_domain::wire::Labels,
        #[serde(skip_serializing_if = "<[_]>::is_empty")]
        links: &'a [allclear_domain::wire::Link],
        /// Trifles that were cut or left out.
        #[serde(skip_serializing_if = "<[_]>::is_empty")]
        notes: &'a [String],
    }
    let detail = Detail {
        description: signal.description.as_deref(),
        labels: &signal.labels,
        annotations: &signal.annotations,
        links: &signal.links,
        notes: &signal.notes,
    };
    serde_json::to_string(&detail).unwrap_or_default()
}
