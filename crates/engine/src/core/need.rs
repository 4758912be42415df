//! What a decision needs and does not have: it says so, it is read, and the command is decided again from the start. So
//! whoever decides must not change the core before its unit is whole.

use std::collections::BTreeSet;

use allclear_domain::event::{Head, Stream};
use allclear_domain::expect::Expectation;
use allclear_domain::ids::{AlertId, IncidentId, MessageId, NodeId, PageId};
use allclear_domain::incident::Incident;
use allclear_domain::org::cover::CoverRequest;
use allclear_domain::paging::{Busy, Page, Turns};
use allclear_domain::signal::Alert;
use allclear_domain::view::ReadinessView;
use allclear_store::rows::alert::Belonging;
use allclear_store::rows::heartbeat::StoredHeartbeat;
use allclear_store::rows::page::Drills;
use jiff::Timestamp;

use super::command::Refusal;
use super::memory::AlertKey;
use super::streams::AnyState;

/// Something that must be read before a command can be decided.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Need {
    Incident(IncidentId),
    Page(PageId),
    /// The open incident of a group.
    Group(String),
    /// The open alert of a condition.
    AlertByKey(AlertKey),
    /// A whole alert.
    Alert(AlertId),
    /// Alerts of an incident: all and open.
    Totals(IncidentId),
    /// The present state of an expectation.
    Expectation(String, String, u32),
    /// An answer kept under an idempotency key.
    Answer(String, String),
    /// Many pages at once.
    Pages(Vec<PageId>),
    /// Who holds these messages now.
    Holders(Vec<MessageId>),
    /// Who had to do with an incident so far.
    Involved(IncidentId),
    /// Alerts of an incident, the newest, with whether they are open and held, and when its next update is due.
    Belongs(IncidentId),
    /// Whom a message about an incident reached, or may have.
    Reached(IncidentId),
    /// The state of a stream that is read for one command.
    State(Stream),
    /// More numbers for references: so many for this command in all.
    References {
        wanted: u64,
    },
    /// Of an incident's open alerts: all, and those that silences hold.
    Held(IncidentId),
    /// An instance that sends heartbeats, of an integration.
    Heartbeat(String, String),
    /// Open alerts after this one that the silences in force hold in another way than is stored.
    Misjudged(String),
    /// Who is on call soon and would not be reached.
    Unready,
    /// A request for cover of a shift, by its id.
    Cover(String),
    /// Whose turn it was in the steps of a policy.
    Turns(String),
    /// Fire drills that a new one of this policy is held against.
    Drills(String),
    /// Who is being paged for something real.
    Busy,
}

/// What was read for a need.
#[derive(Debug, Clone)]
pub enum Loaded {
    Incident(IncidentId, Option<Box<(Incident, Head)>>, Vec<(Page, Head)>),
    Page(PageId, Option<Box<(Page, Head)>>),
    Group(String, Option<IncidentId>),
    AlertByKey(AlertKey, Option<Box<Alert>>),
    Alert(AlertId, Option<Box<Alert>>),
    Totals(IncidentId, u64, u64),
    Expectation(String, String, u32, Option<Box<Expectation>>),
    Answer(String, String, Option<(String, String)>),
    /// Those that are there and read; and which were asked for.
    Pages(Vec<PageId>, Vec<(Page, Head)>),
    Holders(Vec<(MessageId, Option<NodeId>)>),
    Involved(IncidentId, BTreeSet<String>),
    Belongs(IncidentId, Vec<Belonging>, Option<Timestamp>),
    Reached(IncidentId, BTreeSet<String>),
    State(Stream, Option<(AnyState, Head)>),
    References {
        from: u64,
        to: u64,
    },
    Held(IncidentId, u64, u64, Option<Timestamp>),
    /// Its row; where there is none, how many its integration has.
    Heartbeat(String, String, Option<StoredHeartbeat>, u64),
    Misjudged(String, Vec<Alert>, Option<String>),
    Unready(Vec<ReadinessView>),
    Cover(String, Option<Box<CoverRequest>>),
    Turns(String, Turns, u64),
    Drills(String, Drills),
    Busy(Busy),
}

/// Why a command was not decided.
#[derive(Debug, Clone, PartialEq)]
pub enum Stop {
    /// Read this first.
    Need(Need),
    /// No.
    Refused(Refusal),
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// A decision, or why there is none.
pub type Decided<T> = Result<T, Stop>;
