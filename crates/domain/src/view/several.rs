//! What people read of how incidents stand to each other, and of hand-overs between teams.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::incident::related::{Related, Relation, Transfers};
use crate::incident::{Incident, State};
use crate::severity::Severity;

/// Another incident that one has to do with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Related))]
pub struct RelatedView {
    /// Its id.
    pub incident: String,
    #[serde(rename = "ref")]
    pub reference: String,
    /// What it is to this one.
    #[cfg_attr(feature = "schema", schema(inline))]
    pub is: Relation,
    pub since: Timestamp,
    /// Whether its updates are updates of this one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub followed: bool,
    pub title: String,
    #[cfg_attr(feature = "schema", schema(inline))]
    pub state: State,
    #[cfg_attr(feature = "schema", schema(inline))]
    pub severity: Severity,
}

impl RelatedView {
    /// With what the other is now.
    #[must_use]
    pub fn of(related: &Related, other: &Incident) -> Self {
        Self {
            incident: other.id.to_string(),
            reference: other.reference.clone(),
            is: related.is,
            since: related.since,
            followed: related.followed,
            title: other.title.clone(),
            state: other.state,
            severity: other.severity,
        }
    }
}

/// Hand-overs of an incident between teams.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Transfers))]
pub struct TransfersView {
    /// The team whose it is by the last hand-over.
    pub team: Option<String>,
    /// The team that it is offered to and that has not answered.
    pub offered_to: Option<String>,
    /// The service that it is offered to.
    pub service: Option<String>,
    pub offered_by: Option<String>,
    pub offered_at: Option<Timestamp>,
    pub why: Option<String>,
    /// Whether that team is paged for it, since nobody answered.
    pub paged: bool,
    /// How often a team took it.
    pub hand_overs: u32,
    /// How often that was a team that had had it before.
    pub ping_pongs: u32,
    /// How often one gave it back, or did not answer.
    pub returned: u32,
}

impl TransfersView {
    /// Of a folded incident; nothing where it was never offered to anybody.
    #[must_use]
    pub fn of(incident: &Incident) -> Option<Self> {
        let transfers: &Transfers = &incident.work.transfers;
        if transfers.is_empty() {
            return None;
        }
        let offer = transfers.offer.as_ref();
        Some(Self {
            team: transfers.team.clone(),
            offered_to: offer.map(|offer| offer.team.clone()),
            service: offer.and_then(|offer| offer.service.clone()),
            offered_by: offer.and_then(|offer| offer.by.clone()),
            offered_at: offer.map(|offer| offer.at),
            why: offer.map(|offer| offer.why.clone()),
            paged: offer.is_some_and(|offer| offer.paged),
            hand_overs: transfers.hand_overs,
            ping_pongs: transfers.ping_pongs,
            returned: transfers.returned,
        })
    }
}
