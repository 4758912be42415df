//! Reads what changed, once for everybody, and tells whoever follows.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use allclear_domain::access::{Actor, Principal};
use allclear_engine::Engine;
use tokio::sync::broadcast;

/// After a change, so long is waited for more of the same: short of what anybody notices.
const GATHER: Duration = Duration::from_millis(50);
/// Changes that a slow reader may be behind; beyond it the next says that anything may have changed.
const BACKLOG: usize = 256;
/// Events read at once; more than that in one gathering means that anything may have changed.
const BATCH: i64 = 500;

/// Something changed.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    /// Grows; for whoever debugs.
    pub version: u64,
    /// Ids of incidents; nothing where anything may have changed.
    pub incidents: Option<Arc<Vec<String>>>,
    /// Whether the organisation changed.
    pub org: bool,
}

/// Tells everybody who follows; started when the first page does.
#[derive(Clone, Default)]
pub(crate) struct Hub {
    sender: Arc<OnceLock<broadcast::Sender<Change>>>,
}

impl Hub {
    pub(crate) fn follow(&self, engine: &Engine) -> broadcast::Receiver<Change> {
        let sender = self.sender.get_or_init(|| {
            let sender = broadcast::channel(BACKLOG).0;
            engine.tasks().spawn(watch(engine.clone(), sender.clone()));
            sender
        });
        sender.subscribe()
    }
}

/// Reads what changed, once for everybody.
async fn watch(engine: Engine, sender: broadcast::Sender<Change>) {
    let mut ticks = engine.watch();
    let stopping = engine.stopping();
    // Reads ids of incidents and nothing else.
    let reader = Principal::own(Actor::System);
    let queries = engine.queries(&reader);
    let mut after = queries.newest_seq().await.unwrap_or(0);
    let mut version = 0;
    loop {
        tokio::select! {
            changed = ticks.changed() => if changed.is_err() { return },
            () = stopping.cancelled() => return,
        }
        tokio::time::sleep(GATHER).await;
        ticks.borrow_and_update();
        version += 1;
        let found = if sender.receiver_count() == 0 { Ok(Vec::new()) } else { queries.events_after(after, BATCH).await };
        let change = match found {
            Ok(events) if (events.len() as i64) < BATCH => {
                after = events.last().map_or(after, |event| event.seq);
                let mut incidents: Vec<String> = events.iter().filter_map(|event| event.incident.clone()).collect();
                incidents.sort_unstable();
                incidents.dedup();
                Change {
                    version,
                    incidents: Some(Arc::new(incidents)),
                    org: events.iter().any(|event| event.incident.is_none()) || events.is_empty(),
                }
            }
            _ => {
                after = queries.newest_seq().await.unwrap_or(after);
                Change { version, incidents: None, org: true }
            }
        };
        // Nobody listens: nothing to do.
        let _ = sender.send(change);
    }
}
