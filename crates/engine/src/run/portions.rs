//! A sender's request of any size, decided in portions between which others get their turn.
//!
//! Each signal is durable or the sender is told otherwise; all or none is not promised. What is wrong with one signal
//! of a portion is that signal's alone: the portion is decided again one by one.

use allclear_domain::access::{Actor, Principal, Scope};
use allclear_domain::ids::SignalId;
use allclear_domain::signal::triage;
use allclear_domain::time::{Length, before};
use allclear_domain::wire::Signal;
use allclear_store::{CommitError, rows};
use futures_util::StreamExt as _;

use crate::core::{Arrived, Command, Input, Refusal, Reply, SignalReply};
use crate::engine::Engine;

/// Signals decided as one command. Sixty-four that each declare and page take some 15 ms to decide, a tenth of what an
/// acknowledgement may wait; and as many as a Prometheus server sends at once.
pub const PORTION_SIGNALS: usize = 64;
/// How long changes are kept: longer than people look back from an incident to what was deployed before it.
pub const CHANGES_KEPT: Length = Length::from_mins(90 * 24 * 60);
/// Portions of one request that are under way at once: one is decided while the one before is synced.
const PORTIONS_AT_ONCE: usize = 2;

/// What became of each signal, in the order of the request.
pub type Accepted = Vec<Result<SignalReply, Refusal>>;

impl Engine {
    /// Takes a request of signals in. The answer comes when all of it is durable.
    ///
    /// # Errors
    /// Where nothing more can be kept now, or the integration is gone; what was kept before stays kept, and is a
    /// repetition when the sender tries again.
    pub async fn accept(&self, mut arrived: Arrived) -> Result<Accepted, Refusal> {
        let signals = std::mem::take(&mut arrived.signals);
        let mut accepted = Vec::with_capacity(signals.len());
        let mut portions = chunks(signals).into_iter();
        // Until one of them changed something each has to know from the one before whether the request is kept.
        while arrived.kept.is_none()
            && let Some(portion) = portions.next()
        {
            let (replies, kept) = self.portion(&arrived, portion).await?;
            accepted.extend(replies);
            arrived.kept = kept;
        }
        arrived.body.clear();
        let mut under_way = futures_util::stream::iter(portions.map(|portion| self.portion(&arrived, portion))).buffered(PORTIONS_AT_ONCE);
        while let Some(portion) = under_way.next().await {
            accepted.extend(portion?.0);
        }
        Ok(accepted)
    }

    /// Keeps a sender's request that changes no alert, as a change event of PagerDuty's; `body` is
    /// redacted. It is durable when this returns.
    ///
    /// # Errors
    /// When the store does not keep it.
    pub async fn keep_request(&self, integration: &str, format: &str, body: String, changes: &[Signal]) -> Result<SignalId, CommitError> {
        let id = SignalId::from_bits(self.fresh_id());
        let stored = rows::signal::StoredSignal {
            id,
            integration: integration.to_owned(),
            format: format.to_owned(),
            received_at: self.now(),
            org_version: self.org().version,
            alerts: 0,
            body,
        };
        let mut writes = vec![rows::signal::keep(&stored)];
        let org = self.org();
        for signal in changes {
            let Some(form) = org.integration(integration) else { continue };
            let judged = triage(&org, form, signal, stored.received_at, false);
            // What a private route takes is seen by those whom its incident admits; a change has no incident.
            if judged.private {
                continue;
            }
            writes.push(rows::change::keep(&rows::change::StoredChange {
                id,
                at: signal.starts_at.unwrap_or(stored.received_at),
                received_at: stored.received_at,
                service: judged.service,
                integration: integration.to_owned(),
                title: signal.title.clone(),
                source: signal.source.clone(),
                links: signal.links.clone(),
            }));
        }
        if writes.len() > 1 {
            writes.push(rows::change::prune(before(stored.received_at, CHANGES_KEPT)));
        }
        self.shared.db.commit(writes).await?;
        Ok(id)
    }

    async fn portion(&self, of: &Arrived, signals: Vec<Signal>) -> Result<(Accepted, Option<SignalId>), Refusal> {
        let input = |signals: Vec<Signal>, kept| Input {
            who: Principal::new(Actor::Integration(of.integration.clone()), Scope::Read),
            cause: format!("signal:{}", of.format),
            once: None,
            command: Command::Signals(Arrived { kept, signals, ..of.clone() }),
        };
        // One alone needs no second copy: there is nothing to take apart.
        let many = (signals.len() > 1).then(|| signals.clone());
        match (self.submit(input(signals, of.kept)).await, many) {
            (Ok(reply), _) => Ok(read(reply)),
            (Err(refusal @ (Refusal::Unavailable(_) | Refusal::NoSuchIntegration(_))), _) => Err(refusal),
            (Err(refusal), None) => Ok((vec![Err(refusal)], of.kept)),
            (Err(refusal), Some(signals)) => {
                tracing::warn!(%refusal, signals = signals.len(), "a portion of signals was refused; each of it is decided alone");
                let mut kept = of.kept;
                let mut accepted = Vec::with_capacity(signals.len());
                for signal in signals {
                    match self.submit(input(vec![signal], kept)).await {
                        Ok(reply) => {
                            let (replies, now_kept) = read(reply);
                            accepted.extend(replies);
                            kept = now_kept;
                        }
                        Err(refusal @ (Refusal::Unavailable(_) | Refusal::NoSuchIntegration(_))) => return Err(refusal),
                        Err(refusal) => accepted.push(Err(refusal)),
                    }
                }
                Ok((accepted, kept))
            }
        }
    }
}

fn read(reply: Reply) -> (Accepted, Option<SignalId>) {
    match reply {
        Reply::Signals { replies, kept } => (replies.into_iter().map(Ok).collect(), kept),
        // Signals are answered as signals; anything else would be a mistake in the core.
        Reply::Incident { .. }
        | Reply::Page { .. }
        | Reply::Review { .. }
        | Reply::Action { .. }
        | Reply::Done
        | Reply::ReadCalendars
        | Reply::Again { .. } => (vec![Err(Refusal::Broken)], None),
    }
}

/// In the order of the request, so that of two signals about one condition the later one stands.
fn chunks(signals: Vec<Signal>) -> Vec<Vec<Signal>> {
    let mut portions = Vec::with_capacity(signals.len().div_ceil(PORTION_SIGNALS));
    let mut signals = signals.into_iter();
    loop {
        let portion: Vec<Signal> = signals.by_ref().take(PORTION_SIGNALS).collect();
        if portion.is_empty() {
            return portions;
        }
        portions.push(portion);
    }
}
