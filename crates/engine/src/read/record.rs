//! The record of an incident as a file: read here for one reader, written by [`allclear_domain::record`].
//!
//! Nothing is read past the gate: what goes into a format that everybody may have is what the other readings of this folder gave, and
//! a bundle, which is the stored log, is for whoever reads every event of it.

use allclear_domain::access::Denied;
use allclear_domain::event::Hash;
use allclear_domain::hex::hex;
use allclear_domain::ids::IncidentId;
use allclear_domain::org::snapshot::Org;
use allclear_domain::record::bundle::{self, About, Entry};
use allclear_domain::record::seal::Anchor;
use allclear_domain::record::{Format, RECORD_EVENTS_MAX, Record, Written};
use allclear_domain::time::to_micros;
use allclear_domain::view::{AlertView, EventView};
use allclear_store::rows;
use allclear_store::rows::event::StoredEvent;
use jiff::Timestamp;

use super::learning::ActionFilter;
use super::{AlertFilter, LIST_MAX, NoAnswer, Queries};

/// Events that are read at once: as many as the store gives.
const BATCH: i64 = rows::event::EVENTS_PER_READ_MAX;
/// Alerts of a record at most: as many as ten full lists; an incident of a storm has its numbers in the log.
const ALERTS_MAX: usize = 2_000;

/// A file to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    pub text: String,
    pub media: &'static str,
    /// What the file is called.
    pub file: String,
}

impl Queries<'_> {
    /// The record of an incident in one format.
    ///
    /// # Errors
    /// When there is none, it is too long, the format is for others, or the store does not answer.
    pub async fn export(&self, id: IncidentId, format: &Format) -> Result<Exported, NoAnswer> {
        let (reference, text) = match format.written {
            Written::Read(write) => {
                let org = self.engine.org();
                let record = self.record(id, &org, None).await?;
                (record.incident.reference.clone(), write(&record))
            }
            Written::Whole => self.bundle(id).await?,
        };
        Ok(Exported { text, media: format.media, file: format!("{}.{}", file_name(&reference), format.name) })
    }

    /// What this reader may read of an incident, all together; with `at`, of the incident what was recorded by then. The log and what
    /// stands beside it are whole in either case.
    ///
    /// # Errors
    /// When there is none, it had not begun by then, it is too long, or the store does not answer.
    pub async fn record<'o>(&self, id: IncidentId, org: &'o Org, at: Option<Timestamp>) -> Result<Record<'o>, NoAnswer> {
        let incident = match at {
            None => Box::pin(self.incident(id)).await?,
            Some(at) => Box::pin(self.incident_at(id, at)).await?,
        };
        let mut events: Vec<EventView> = Vec::new();
        loop {
            let more = self.events(id, events.last().map_or(0, |event| event.seq), BATCH).await?;
            if more.is_empty() {
                break;
            }
            events.extend(more);
            within(events.len())?;
        }
        let pages = self.pages(id).await?;
        let mut alerts: Vec<AlertView> = Vec::new();
        while alerts.len() < ALERTS_MAX {
            let before = alerts.last().and_then(|alert| alert.id.parse().ok());
            let filter = AlertFilter { incident: Some(id), before, ..AlertFilter::default() };
            let more = self.alerts(filter, LIST_MAX).await?;
            if more.is_empty() {
                break;
            }
            alerts.extend(more);
        }
        let updates = if incident.last_update_at.is_some() { Box::pin(self.updates(id)).await? } else { Vec::new() };
        let actions = self.actions(ActionFilter { incident: Some(id), ..ActionFilter::default() }, LIST_MAX).await?;
        let review = match Box::pin(self.review_of(id)).await {
            Ok(review) => Some(review),
            Err(NoAnswer::Missing("review")) => None,
            Err(why) => return Err(why),
        };
        Ok(Record { org, made_at: self.engine.now(), incident, events, pages, alerts, updates, actions, review })
    }

    /// The stored log of an incident, of its pages, its review and its actions, signed; and what people call the incident.
    async fn bundle(&self, id: IncidentId) -> Result<(String, String), NoAnswer> {
        let (incident, _) = self.stored_incident(id).await?;
        // Read before the events: it covers nothing that is not among them.
        let checkpoint = rows::checkpoint::newest(self.db()).await?;
        let mut entries: Vec<Entry> = Vec::new();
        for stream in rows::event::streams_of_incident(self.db(), id).await? {
            let mut after = 0;
            loop {
                let more = rows::event::of_stream(self.db(), &stream, after, BATCH).await?;
                let Some(last) = more.last() else { break };
                after = last.version;
                for event in &more {
                    if !self.reads(&incident, event.marking, &event.actor) {
                        return Err(NoAnswer::Denied(Denied::NotWhole));
                    }
                    entries.push(entry(event));
                }
                within(entries.len())?;
            }
        }
        let about = About {
            incident: id.to_string(),
            reference: incident.reference.clone(),
            made_at: to_micros(self.engine.now()),
            checkpoint: checkpoint.as_ref().map(Anchor::of),
        };
        let key = self.engine.links().signing_key();
        Ok((incident.reference, bundle::write(about, entries, |bytes| key.sign_bytes(bytes))))
    }
}

/// An event as a bundle has it.
fn entry(event: &StoredEvent) -> Entry {
    let hash = |hash: &Hash| hex(hash);
    Entry {
        seq: event.seq,
        stream: event.stream.clone(),
        version: event.version,
        incident: event.incident.clone(),
        kind: event.kind.clone(),
        v: event.v,
        at: to_micros(event.at),
        recorded_at: to_micros(event.recorded_at),
        actor: event.actor.clone(),
        cause: event.cause.clone(),
        mode: event.mode.word().to_owned(),
        marking: event.marking.map(|marking| marking.word().to_owned()),
        body: event.body.clone(),
        salt: event.salt.as_deref().map(hex),
        body_hash: hash(&event.body_hash),
        hash: hash(&event.hash),
    }
}

fn within(events: usize) -> Result<(), NoAnswer> {
    if events <= RECORD_EVENTS_MAX {
        return Ok(());
    }
    let why = format!(
        "its log has more than {RECORD_EVENTS_MAX} events, which is the most that one file holds; `/events` gives them in portions"
    );
    Err(NoAnswer::Bad(why))
}

/// As a header may say it.
fn file_name(reference: &str) -> String {
    reference.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect()
}
