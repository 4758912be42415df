//! What senders sent and was refused: counted, logged, and the newest kept with what was sent, so that
//! somebody can see why an alarm did not come.
//!
//! Invariants: a refusal is always counted; it is logged and kept at a bounded rate, and the rest is told as
//! a number with the next that is kept, so that a flood fills neither log nor store. Whoever came without a
//! key that is known leaves no text here.

pub(crate) mod gate;

use std::time::Duration;

use allclear_domain::access::Right;
use allclear_domain::ids::RefusalId;
use allclear_domain::view::RefusedView;
use allclear_store::rows::refusal;

use crate::engine::Engine;
use crate::read::{LIST_MAX, NoAnswer, Queries};

/// Refusals of known senders that are kept: what a person reads through.
pub const KEPT_MAX: i64 = 200;
/// Refusals of strangers that are kept: enough to see from where they come.
pub const STRANGERS_KEPT_MAX: i64 = 50;
/// Longest part of a body that is kept, in bytes: some alerts, so that one sees what is wrong with them.
pub const BODY_BYTES_MAX: usize = 4096;
/// Longest sentence that is kept, in characters.
const DETAIL_CHARS_MAX: usize = 1000;
/// How long keeping one may hold up its answer.
const KEEP_WITHIN: Duration = Duration::from_secs(2);

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
        let row = refusal::StoredRefusal {
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
    pub async fn refused(&self, before: Option<RefusalId>, limit: i64) -> Result<Vec<RefusedView>, NoAnswer> {
        self.may(Right::Administer)?;
        Ok(refusal::list(self.db(), before, limit.clamp(1, LIST_MAX)).await?.into_iter().map(view).collect())
    }
}

fn view(r: refusal::StoredRefusal) -> RefusedView {
    RefusedView {
        id: r.id.to_string(),
        at: r.at,
        reason: r.reason,
        status: r.status,
        integration: r.integration,
        format: r.format,
        address: r.address,
        detail: r.detail,
        body: r.body,
        unkept: r.unkept,
    }
}
