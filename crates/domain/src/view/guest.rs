//! What an organisation that takes part reads of an incident behind its link: what it may be told, and what it was asked.
//!
//! Invariant: everything in it went through [`may_read`] or [`may_be_told`]; nothing of the incident is put in beside them but
//! its reference, the organisation's own requests, and what it sends.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{EventView, RequestView, ResourceView};
use crate::access::{Marked, Principal, may_be_told, may_read};
use crate::incident::lifecycle::{Verb, next};
use crate::incident::{Incident, State};
use crate::org::forms::organisation::Organisation;
use crate::org::snapshot::Org;
use crate::severity::Severity;
use crate::tlp::Tlp;
use crate::wire::{NoticeGuest, NoticeIncident};

/// An incident as a message to an organisation shows it: its reference, what it is where that may be told, and the way to the
/// organisation's link where there is one.
#[must_use]
pub fn notice_for(org: &Org, incident: &Incident, organisation: &str, now: Timestamp) -> NoticeIncident {
    let told = is_told(org, incident, organisation);
    let link = incident.work.partners.link_of(organisation, now);
    NoticeIncident {
        id: incident.id,
        reference: incident.reference.clone(),
        title: if told { incident.title.clone() } else { String::new() },
        severity: if told { incident.severity.word().to_owned() } else { String::new() },
        service: incident.service.clone().filter(|_| told),
        guest: link.map(|link| NoticeGuest { number: link.number, expires_at: link.expires_at }),
    }
}

/// Whether an organisation may be told what an incident is.
#[must_use]
pub fn is_told(org: &Org, incident: &Incident, organisation: &str) -> bool {
    let level = org.organisation(organisation).map(Organisation::may_be_told);
    level.is_some_and(|level| may_be_told(&incident.facts(), incident.work.marking, level))
}

/// An incident as an organisation sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GuestView {
    #[serde(rename = "ref")]
    pub reference: String,
    /// Its own name.
    pub organisation: String,
    /// The most it may be told.
    pub level: Tlp,
    /// What it calls the incident.
    pub their_reference: Option<String>,
    /// Whether it can still answer and write.
    pub takes_answers: bool,
    /// What the incident is, where it may be told that.
    pub situation: Option<SituationView>,
    /// What it was asked for, in that order.
    pub requests: Vec<RequestView>,
    /// What was wanted of it, or it sends, in that order.
    pub resources: Vec<ResourceView>,
    /// What it may read of the log, the newest first.
    pub entries: Vec<GuestEntry>,
}

/// What an incident is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SituationView {
    pub title: String,
    pub state: State,
    pub severity: Severity,
    /// What people call it.
    pub service: Option<String>,
    pub began: Timestamp,
    /// How far this may go.
    pub marking: Tlp,
}

/// An entry of the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GuestEntry {
    pub at: Timestamp,
    pub line: String,
}

impl GuestView {
    /// Of a folded incident and the newest events of its own log, oldest first; nothing for whoever is no organisation.
    #[must_use]
    pub fn of(org: &Org, who: &Principal, incident: &Incident, events: &[EventView]) -> Option<Self> {
        let organisation = who.party()?;
        let form = org.organisation(organisation)?;
        let (level, facts) = (Organisation::may_be_told(form), incident.facts());
        let marking = incident.work.marking;
        let told = marking.filter(|_| is_told(org, incident, organisation));
        let situation = told.map(|marking| SituationView {
            title: incident.title.clone(),
            state: incident.state,
            severity: incident.severity,
            service: incident.service.as_ref().map(|id| org.service(id).map_or_else(|| id.clone(), |service| service.name.clone())),
            began: incident.impact_started_at.or(incident.declared_at).unwrap_or(incident.created_at),
            marking,
        });
        let leads = incident.work.leads();
        let reads = |event: &&EventView| {
            let said = Marked { marking: event.marking, by: &event.actor };
            event.stream == incident.id.to_string() && may_read(org, who, &facts, &leads, said)
        };
        let entries = events.iter().rev().filter(reads).map(|event| GuestEntry { at: event.at, line: event.line.clone() });
        let requests = incident.work.partners.requests.iter().filter(|request| request.organisation == organisation);
        let resources = incident.work.resources.iter().filter(|resource| resource.organisation.as_deref() == Some(organisation));
        Some(Self {
            reference: incident.reference.clone(),
            organisation: form.name.clone(),
            level,
            their_reference: incident.work.partners.party(organisation).and_then(|party| party.reference.clone()),
            takes_answers: next(incident.state, Verb::Answer).is_ok(),
            situation,
            requests: requests.map(RequestView::of).collect(),
            // What was noted of it is the house's.
            resources: resources.map(|one| ResourceView { note: None, ..ResourceView::of(one) }).collect(),
            entries: entries.collect(),
        })
    }
}

/// What an organisation may be told of an incident, to be kept by it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PartyExport {
    /// [`PartyExport::FORMAT`]: what is changed has another number.
    pub format: String,
    pub made_at: Timestamp,
    /// How many events the log of the incident had then.
    pub log_version: u64,
    /// The hash at its end, in hexadecimal: what stood before cannot be changed without changing it.
    pub log_hash: String,
    /// How many events of the log, the oldest, were not looked at.
    pub left_out: u64,
    #[serde(flatten)]
    pub view: GuestView,
}

impl PartyExport {
    /// The format as it is now.
    pub const FORMAT: &'static str = "allclear-export-1";
}

/// A signed export: a JSON Web Signature, flattened (RFC 7515, 7.2.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = SignedExport))]
pub struct SignedExport {
    /// What is said, as JSON in base64url.
    pub payload: String,
    /// By which algorithm and key, as JSON in base64url.
    pub protected: String,
    /// In base64url, over both.
    pub signature: String,
}
