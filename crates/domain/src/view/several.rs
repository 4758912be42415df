//! What people read of how incidents stand to each other, and of hand-overs between teams.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::incident::ordering::{rank_of, ranked};
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
    /// Of parent and part, whether the side of the part agreed that whoever commands the whole moves people out of it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub agreed: bool,
    /// Who agreed, where that was a person: it counts while they command the part or answer for its team.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    pub agreed_by: Option<String>,
    pub title: String,
    #[cfg_attr(feature = "schema", schema(inline))]
    pub state: State,
    #[cfg_attr(feature = "schema", schema(inline))]
    pub severity: Severity,
    /// Of a part, its place among the parts; of the parent, the place of this one. Absent where it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    pub rank: Option<u32>,
    /// Who commands it: a person's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    pub commander: Option<String>,
    /// Of a part, who has it: the commander, else who took it; absent where nobody does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    pub holder: Option<String>,
    /// Of a part, when something of it is due next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    pub next_due: Option<Timestamp>,
}

/// The incident of which one is a part, and its place there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Under))]
pub struct UnderView {
    /// Of the parent.
    #[serde(rename = "ref")]
    pub reference: String,
    /// From 1 on; absent where nobody gave it a place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    pub rank: Option<u32>,
    /// How many parts have a place.
    pub of: u32,
    /// Who commands the parent: a person's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    pub commander: Option<String>,
}

impl UnderView {
    /// Of a part and its parent, while both are open.
    #[must_use]
    pub fn of(part: &Incident, parent: &Incident) -> Option<Self> {
        let stands = part.state.is_open() && parent.state.is_open() && part.private == parent.private;
        stands.then(|| Self {
            reference: parent.reference.clone(),
            rank: rank_of(parent, part.id),
            of: ranked(parent),
            commander: parent.commander.clone(),
        })
    }

    /// `2 of 5 under INC-7 (commander: Ana)`; `name` says whom an id stands for.
    #[must_use]
    pub fn words(&self, name: &dyn Fn(&str) -> String) -> String {
        let who = self.commander.as_deref().map_or_else(|| "nobody commands it".to_owned(), |id| format!("commander: {}", name(id)));
        let place = match (self.rank, self.of) {
            (Some(rank), of) => format!("{rank} of {of} "),
            (None, 0) => String::new(),
            (None, _) => "no place yet ".to_owned(),
        };
        format!("{place}under {} ({who})", self.reference)
    }
}

impl RelatedView {
    /// With what the other is now, to `own`, which is related to it.
    #[must_use]
    pub fn of(own: &Incident, related: &Related, other: &Incident, next_due: Option<Timestamp>) -> Self {
        let is_part = related.is == Relation::Child;
        let rank = match related.is {
            Relation::Child => rank_of(own, other.id),
            Relation::Parent => rank_of(other, own.id),
            Relation::Related | Relation::Cause | Relation::Effect | Relation::SplitFrom | Relation::SplitInto => None,
        };
        Self {
            incident: other.id.to_string(),
            reference: other.reference.clone(),
            is: related.is,
            since: related.since,
            followed: related.followed,
            agreed: related.agreed,
            agreed_by: related.agreed_by.clone(),
            title: other.title.clone(),
            state: other.state,
            severity: other.severity,
            rank,
            commander: other.commander.clone(),
            holder: other.holder().filter(|_| is_part && other.is_held()).map(ToOwned::to_owned),
            next_due: next_due.filter(|_| is_part && other.state.is_open()),
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
