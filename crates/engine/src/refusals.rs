//! What senders sent and was refused: counted, logged, and the newest kept with what was sent, so that
//! somebody can see why an alarm did not come.
//!
//! Invariants: a refusal is always counted; it is logged and kept at a bounded rate, and the rest is told as
//! a number with the next that is kept, so that a flood fills neither log nor store. Whoever came without a
//! key that is known leaves no text here.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use allclear_domain::access::Right;
use allclear_domain::ids::RefusalId;
use allclear_domain::time::{Length, after};
use allclear_store::rows::refusal;
use jiff::Timestamp;

use crate::engine::Engine;
use crate::read::{LIST_MAX, NoAnswer, Queries};

/// Refusals of known senders that are kept: what a person reads through.
pub const KEPT_MAX: i64 = 200;
/// Refusals of strangers that are kept: enough to see from where they come.
pub const STRANGERS_KEPT_MAX: i64 = 50;
/// Refusals of known senders that are logged and kept in a second: far more than a person reads, and no load
/// for any store.
const PER_SECOND: u32 = 10;
/// The same of strangers.
const STRANGERS_PER_SECOND: u32 = 1;
/// Longest part of a body that is kept, in bytes: some alerts, so that one sees what is wrong with them.
pub const BODY_BYTES_MAX: usize = 4096;
/// Longest sentence that is kept, in characters.
const DETAIL_CHARS_MAX: usize = 1000;
/// How long keeping one may hold up its answer.
const KEEP_WITHIN: Duration = Duration::from_secs(2);
const SECOND: Length = Length::from_secs(1);

/// One refused request, or the refused part of one.
#[derive(Debug, Clone, Copy)]
pub struct RefusedRequest<'a> {
    /// The word that the metric counts by.
    pub reason: &'a str,
    /// What is answered.
    pub status: u16,
    /// The integration whose key came with it.
    pub integration: Option<&'a str>,
    /// The format of the address.
    pub format: &'a str,
    /// From where it came.
    pub address: Option<std::net::IpAddr>,
    /// Why, in words.
    pub detail: &'a str,
    /// What was sent, redacted and at most [`BODY_BYTES_MAX`].
    pub body: Option<&'a str>,
}

/// A refused request as people read it.
pub use allclear_store::rows::refusal::Stored as Refused;

/// How many were kept within this second, and how many were not since.
#[derive(Debug, Default)]
struct Window {
    began_at: Option<Timestamp>,
    kept: u32,
    unkept: u64,
}

impl Window {
    /// Whether one more is kept: then how many before it were not.
    fn admit(&mut self, most: u32, now: Timestamp) -> Option<u64> {
        if self.began_at.is_none_or(|began| now >= after(began, SECOND) || now < began) {
            (self.began_at, self.kept) = (Some(now), 0);
        }
        if self.kept >= most {
            self.unkept += 1;
            return None;
        }
        self.kept += 1;
        Some(std::mem::take(&mut self.unkept))
    }
}

/// The rate at which refusals are kept.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    known: Mutex<Window>,
    strangers: Mutex<Window>,
}

impl Gate {
    fn admit(&self, is_known: bool, now: Timestamp) -> Option<u64> {
        let (window, most) = if is_known { (&self.known, PER_SECOND) } else { (&self.strangers, STRANGERS_PER_SECOND) };
        window.lock().unwrap_or_else(PoisonError::into_inner).admit(most, now)
    }
}

impl Engine {
    /// A sender's request was refused. Returns when it is kept, or is not going to be.
    pub async fn refused(&self, request: RefusedRequest<'_>) {
        let ours = request.status >= 500;
        self.metrics().refused(request.reason, ours);
        let now = self.now();
        let Some(unkept) = self.shared.refusals.admit(request.integration.is_some(), now) else { return };
        let integration = request.integration.unwrap_or("unknown");
        tracing::warn!(
            reason = request.reason,
            status = request.status,
            integration,
            format = request.format,
            address = request.address.map(tracing::field::display),
            unkept,
            "a sender's request was refused"
        );
        let row = Refused {
            id: RefusalId::from_bits(self.fresh_id()),
            at: now,
            reason: request.reason.to_owned(),
            status: u64::from(request.status),
            integration: request.integration.map(str::to_owned),
            format: request.format.to_owned(),
            address: request.address.map(|address| address.to_string()),
            detail: request.detail.chars().take(DETAIL_CHARS_MAX).collect(),
            // A stranger's text is not kept.
            body: request.body.filter(|_| request.integration.is_some()).map(str::to_owned),
            unkept,
        };
        let mut writes = vec![refusal::keep(&row)];
        writes.extend(refusal::prune(KEPT_MAX, STRANGERS_KEPT_MAX));
        // The answer says why in any case: a store that does not answer only leaves the list without it.
        match tokio::time::timeout(KEEP_WITHIN, self.shared.db.commit(writes)).await {
            Ok(Ok(_)) => {}
            Ok(Err(why)) => tracing::info!(%why, "a refused request could not be kept"),
            Err(_) => tracing::info!("a refused request could not be kept in time"),
        }
    }
}

impl Queries<'_> {
    /// Requests that were refused lately, newest first.
    ///
    /// # Errors
    /// When the asker is no administrator, or the store does not answer.
    pub async fn refused(&self, before: Option<RefusalId>, limit: i64) -> Result<Vec<Refused>, NoAnswer> {
        self.may(Right::Administer)?;
        Ok(refusal::list(self.db(), before, limit.clamp(1, LIST_MAX)).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_counted_and_a_few_of_it_are_kept() {
        let at = |second: i64| Timestamp::from_second(1_800_000_000 + second).unwrap();
        let gate = Gate::default();
        let kept = |n: usize, is_known, at| (0..n).filter_map(|_| gate.admit(is_known, at)).collect::<Vec<_>>();
        assert_eq!(kept(500, false, at(0)).len(), 1);
        assert_eq!(kept(500, true, at(0)).len(), 10, "strangers crowd out nobody");
        assert_eq!(kept(1, true, at(1)), [490], "how many were not kept is told with the next");
        assert_eq!(kept(1, true, at(-60)), [0], "a clock that was set back stops nothing");
    }
}
