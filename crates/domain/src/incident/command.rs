//! What can be asked of an incident.

use jiff::Timestamp;

use super::alarms::{Return, Silencing};
use super::event::Instant;
use super::types::Severity;
use crate::ids::{AlertId, IncidentId, PageId, ReviewId};
use crate::time::Length;

/// What a new incident or candidate starts with.
#[derive(Debug, Clone, PartialEq)]
pub struct Declaration {
    pub id: IncidentId,
    /// `INC-142`
    pub reference: String,
    pub title: String,
    pub severity: Severity,
    pub service: Option<String>,
    pub escalation: Option<String>,
    pub group_key: Option<String>,
    /// The alert it is about, where there is one.
    pub alert: Option<AlertId>,
    /// Why it exists, in words.
    pub because: String,
    pub impact_started_at: Option<Timestamp>,
    pub detected_at: Option<Timestamp>,
    /// How long it waits before its page starts.
    pub group_wait: Length,
    /// How long it may be nobody's, where it is declared without a page.
    pub attend_within: Option<Length>,
}

/// A command; imperative.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// A person has to decide whether this is an incident.
    Propose(Declaration),
    /// This is an incident.
    Declare(Declaration),
    /// The candidate is an incident; `why` is in words.
    Promote { why: String },
    /// `by` is on it; a person's id, or a sender's word for one.
    Acknowledge { by: Option<String>, via: String },
    /// Nothing was heard of whoever has it: these are asked whether they are still on it.
    AskStillOnIt { people: Vec<String>, within: Length },
    /// `by` is still on it.
    StillOnIt { by: Option<String>, via: String },
    /// Nobody is known to have it any more.
    Lose { why: String },
    /// A page was started for it.
    Escalate { page: PageId, why: String },
    /// It is worse, or not as bad.
    SetSeverity { severity: Severity, why: String },
    /// Since the log last told of them, this many alerts joined and recovered.
    TellAlerts { joined: u64, recovered: u64, open: u64 },
    /// Silences hold alerts of it, or hold them no more.
    Silence(Silencing),
    /// An alert that had ended came back.
    Return(Return),
    /// Nothing changed for as long as what flaps has to be quiet; so many alerts are open.
    Steady { open: u64 },
    /// No alert of it is open any more.
    Recover,
    /// Nobody confirmed the recovery in time.
    MissConfirmation,
    /// The impact is reduced.
    Mitigate { note: Option<String> },
    /// Service is normal.
    Resolve { note: Option<String> },
    /// It is not over.
    Reopen { why: String },
    /// It was none.
    Cancel { why: String },
    /// Nothing is left to do.
    Close,
    /// `into` has it now.
    Merge { into: IncidentId, into_ref: String },
    /// The other side of a merge.
    Absorb { from: IncidentId, from_ref: String },
    /// Something worth keeping.
    Note { text: String },
    /// Only some may see it from now on: these, and whoever is admitted later.
    Restrict { why: String, people: Vec<String> },
    /// Everybody may see it again.
    OpenUp { why: String },
    /// These may see it, and why.
    Admit { people: Vec<String>, why: String },
    /// Asks somebody to take a role; its holder keeps it until they do.
    OfferRole { role: String, to: String },
    /// `person` takes a role, offered or not.
    TakeRole { role: String, person: String },
    /// Its holder gives it up, or its offer is taken back.
    LeaveRole { role: String },
    /// Nobody answered the offer in time.
    MissRoleAnswer { role: String, to: String },
    /// Nobody took command in time.
    MissCommander,
    /// Something to do.
    AddTask { text: String, owner: Option<String>, due_at: Option<Timestamp> },
    /// Somebody else does it.
    AssignTask { task: u32, owner: String },
    /// It is done.
    FinishTask { task: u32, note: Option<String> },
    /// It is not to be done any more.
    DropTask { task: u32, note: Option<String> },
    /// Its time has passed.
    MissTask { task: u32 },
    /// Tells stakeholders.
    Update { audiences: Vec<String>, text: String, next_within: Option<Length> },
    /// An update is due soon.
    RemindUpdate { due_at: Timestamp },
    /// No update came in time.
    MissUpdate { due_at: Timestamp },
    /// A decision, with whether it can be undone.
    Decide { text: String, reversible: Option<bool> },
    /// An instant was another one, or is not known.
    CorrectTime { instant: Instant, at: Option<Timestamp>, why: String },
    /// An open alert belongs to this.
    LinkAlert { alert: AlertId, title: String },
    /// A better title.
    Rename { title: String },
    /// A review is to be written.
    AskReview { review: ReviewId, due_at: Timestamp },
}
