//! What the core is asked, and what it answers.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;

use allclear_domain::access::{Actor, Denied, Principal};
use allclear_domain::expect::Expectation;
use allclear_domain::ids::{ActionId, AlertId, IncidentId, MessageId, PageId, ReviewId, SignalId};
use allclear_domain::incident::related::Relation;
use allclear_domain::org::model::Level;
use allclear_domain::paging;
use allclear_domain::time::Length;
use allclear_domain::wire::{Outcome, Signal};
use allclear_domain::{action, incident, review};
use allclear_store::rows::message;
use jiff::Timestamp;

/// Characters of a name that a refusal shows back.
pub(crate) const NAMED_CHARS_MAX: usize = 64;

/// A command with who asks for it.
#[derive(Debug, Clone)]
pub struct Input {
    pub who: Principal,
    /// Where it comes from, for the log: `api`, `link`, `signal:…`.
    pub cause: String,
    /// Given once for a key.
    pub once: Option<Once>,
    pub command: Command,
}

/// An idempotency key, which counts for whoever asks, and a digest of what was asked with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Once {
    pub key: String,
    pub digest: String,
    /// The digest of the same under which an earlier version kept its answer, where that is another one: what is tried again
    /// over an upgrade is no other request.
    pub digest_before: Option<String>,
}

impl Once {
    /// Whether what was kept under the key was asked by the same request.
    #[must_use]
    pub fn is_of(&self, kept: &str) -> bool {
        self.digest == kept || self.digest_before.as_deref() == Some(kept)
    }
}

/// Signals of one request.
#[derive(Debug, Clone)]
pub struct Arrived {
    /// The integration's id.
    pub integration: String,
    pub format: &'static str,
    pub received_at: Timestamp,
    /// The request as kept.
    pub body: String,
    pub signals: Vec<Signal>,
    /// The request is kept already, since an earlier portion of it changed something.
    pub kept: Option<SignalId>,
}

/// A declaration by a person.
#[derive(Debug, Clone, PartialEq)]
pub struct Declare {
    pub title: String,
    /// Nothing where nobody says: then it follows from what is known.
    pub severity: Option<incident::Severity>,
    /// What else is known of it.
    pub known: Known,
    pub service: Option<String>,
    pub impact_started_at: Option<Timestamp>,
    /// Whether the service's escalation policy is started.
    pub page: bool,
    /// Whether only those who are admitted see it.
    pub private: bool,
    /// Whether it is only said, by somebody who may not declare: it becomes a candidate, and whoever responds decides. It pages
    /// nobody by itself, and is declared and pages where nobody decides in time.
    pub report: bool,
}

/// What whoever declares knows of what it is and how bad it may be.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Known {
    pub impact: Option<Level>,
    pub urgency: Option<Level>,
    /// How bad it may become.
    pub potential: Option<incident::Severity>,
    /// The id of its type.
    pub kind: Option<String>,
    /// Answers to the questions of its type, by their ids.
    pub answers: BTreeMap<String, String>,
}

/// What becomes an incident of its own.
#[derive(Debug, Clone, PartialEq)]
pub struct Split {
    pub title: String,
    pub severity: Option<incident::Severity>,
    pub alerts: BTreeSet<AlertId>,
    pub tasks: BTreeSet<u32>,
    pub services: Vec<String>,
    /// Who is asked to lead it.
    pub to: Option<String>,
}

/// Somebody who goes to another incident.
#[derive(Debug, Clone, PartialEq)]
pub struct Move {
    /// A person's id.
    pub person: String,
    /// Where they go.
    pub to: IncidentId,
    pub why: String,
    /// Who has instead what they had.
    pub instead: Option<String>,
    /// Whether what they had may be nobody's.
    pub uncovered: bool,
}

/// What has a version that a command may be held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Versioned {
    Incident(IncidentId),
    Review(ReviewId),
    Action(ActionId),
}

impl Versioned {
    /// What it is, as a sentence names it.
    #[must_use]
    pub const fn noun(self) -> &'static str {
        match self {
            Self::Incident(_) => "incident",
            Self::Review(_) => "review",
            Self::Action(_) => "action",
        }
    }
}

/// What can be asked.
#[derive(Debug, Clone)]
pub enum Command {
    /// Signals arrived.
    Signals(Arrived),
    /// A person declares.
    Declare(Declare),
    /// Pages a person as a test, and nobody else.
    TestPage { person: String },
    /// A fire drill of an escalation policy. `wait`: the longest that a level has.
    Drill { escalation: String, wait: Option<Length> },
    /// A fire drill is stopped before its end.
    StopDrill { page: PageId },
    /// A person acts on an incident.
    Incident { id: IncidentId, command: incident::Command },
    /// A person merges one incident into another.
    Merge { from: IncidentId, into: IncidentId },
    /// A person says what another incident is to this one.
    Relate { id: IncidentId, to: IncidentId, is: Relation, follow: bool },
    /// A part of it becomes one of its own.
    Split { id: IncidentId, split: Split },
    /// A part of it gets this place among the others, or none.
    Order { id: IncidentId, part: IncidentId, rank: Option<u32>, why: Option<String> },
    /// Somebody goes from it to another incident.
    Move { id: IncidentId, asked: Move },
    /// It is nothing to it any more.
    Unrelate { id: IncidentId, from: IncidentId },
    /// A merge was none: the merged one is an incident of its own again.
    TakeApart { from: IncidentId },
    /// Page again, by the incident's policy or another one.
    Escalate { id: IncidentId, escalation: Option<String>, why: String },
    /// Page people by name: targets as in a step.
    PagePeople { id: IncidentId, targets: Vec<String>, why: String },
    /// An open alert goes to an incident.
    LinkAlert { id: IncidentId, alert: AlertId },
    /// A review of an incident is asked for.
    AskReview { id: IncidentId },
    /// A person acts on a review.
    Review { id: ReviewId, command: review::Command },
    /// A person adds an action. It belongs to the incident that taught it: in its log stands whom it was told.
    AddAction { incident: IncidentId, text: String, owner: String, due: action::Until },
    /// A person acts on an action.
    Action { id: ActionId, command: action::Command },
    /// Only while this stands at this version: whoever asks has seen that one.
    IfVersion { of: Versioned, version: u64, command: Box<Self> },
    /// Somebody acts on a page.
    Page { id: PageId, command: paging::Command },
    /// An open incident, of which nothing is expected that would call somebody, awaits somebody from now on.
    Attend { id: IncidentId },
    /// An expectation is due.
    Look(Box<Expectation>),
    /// What a node that stopped had under way as one message, some of it or all, is taken over.
    TakeOver { lead: MessageId, messages: Arc<[message::Envelope]>, why: String },
    /// A claimed message was not begun, since its page has ended.
    Withdraw { message: MessageId },
    /// A try ended, for some or all of what went out as one message.
    Sent { tries: Arc<[Tried]>, outcome: Outcome },
    /// Write down the soft part of alerts seen again.
    Flush { keys: usize },
    /// The message to nobody that proves that one goes out is begun, with this id.
    Canary { message: MessageId },
}

/// A message that was tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    pub message: message::Envelope,
    /// The message it went out with; itself where it went alone.
    pub lead: MessageId,
    /// With this one.
    pub attempts: u32,
    /// From the decision to the provider's answer.
    pub latency_ms: u64,
}

/// Why not.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Refusal {
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error("there is no such incident")]
    NoSuchIncident,
    #[error("there is no such page")]
    NoSuchPage,
    #[error("there is no such alert")]
    NoSuchAlert,
    #[error("there is no service `{service}`: {hint}")]
    NoSuchService { service: String, hint: String },
    #[error("there is no escalation policy `{0}`")]
    NoSuchEscalation(String),
    #[error("there is no integration `{0}`")]
    NoSuchIntegration(String),
    #[error("no escalation policy is set: name one, or set one on the service")]
    NobodyToEscalateTo,
    #[error("the {} is at version {now}; read it again, and ask again with `If-Match: \"{now}\"`", of.noun())]
    VersionMismatch { of: Versioned, now: u64 },
    #[error("there is no person `{0}`")]
    NoSuchPerson(String),
    #[error("there is no role `{role}`; one of {known} is")]
    NoSuchRole { role: String, known: String },
    #[error("there is no organisation `{organisation}`: {hint}")]
    NoSuchOrganisation { organisation: String, hint: String },
    #[error("there is no audience `{0}`")]
    NoSuchAudience(String),
    #[error("nobody would be paged: {0}")]
    NobodyNamed(String),
    #[error("this alert has ended: link one that is open")]
    AlertEnded,
    #[error("this alert belongs to {0}: merge the two incidents, or end that one first")]
    AlertHasIncident(String),
    #[error("{person} may not see {reference}, and to what is over nobody can be admitted: choose somebody who sees it")]
    CannotSee { person: String, reference: String },
    #[error("there is no such review")]
    NoSuchReview,
    #[error("there is no such action")]
    NoSuchAction,
    #[error("{0}")]
    Review(#[from] review::Refusal),
    #[error("{0}")]
    Action(#[from] action::Refusal),
    #[error("{0}")]
    Incident(#[from] incident::Refusal),
    #[error("{0}")]
    Page(#[from] paging::Refusal),
    #[error("this node holds {0} open alerts, which is its limit: try again when some have recovered")]
    TooManyAlerts(usize),
    #[error("an integration has at most {0} instances that send heartbeats: name them alike each time, or make another integration")]
    TooManyHeartbeats(u64),
    #[error("{what} are at most {most} in {within}: try again in {wait}")]
    TooOften { what: &'static str, most: usize, within: Length, wait: Length },
    #[error("there is no such fire drill")]
    NoSuchDrill,
    #[error("a fire drill of `{escalation}` runs already: see /on-call/drills/{page}")]
    DrillRuns { escalation: String, page: PageId },
    #[error("{0} fire drills run at once, which is the most: wait until one has ended")]
    TooManyDrills(usize),
    #[error("more than {0} pages run for something real: start the drill when they have ended")]
    LiveFirst(usize),
    #[error("{given} is too short for a level: give at least {least}, or leave it out for the level's own time")]
    WaitTooShort { given: Length, least: Length },
    #[error("this idempotency key was used for a different request")]
    KeyReused,
    /// The store does not answer; nothing was kept.
    #[error("the store cannot keep it now: {0}")]
    Unavailable(String),
    /// A bug; the operator was told.
    #[error("this command failed inside; the operator has been told")]
    Broken,
}

impl Command {
    /// Something asked of one incident.
    pub fn incident(id: IncidentId, command: impl Into<incident::Command>) -> Self {
        Self::Incident { id, command: command.into() }
    }
}

impl Refusal {
    /// How long to wait before asking again, where that alone helps.
    #[must_use]
    pub const fn wait(&self) -> Option<Length> {
        if let Self::TooOften { wait, .. } = self { Some(*wait) } else { None }
    }

    /// The stable code of the API.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Denied(no) => no.code(),
            Self::NoSuchIncident => "no_such_incident",
            Self::NoSuchPage => "no_such_page",
            Self::NoSuchAlert => "no_such_alert",
            Self::NoSuchService { .. } => "no_such_service",
            Self::NoSuchEscalation(_) => "no_such_escalation",
            Self::NoSuchIntegration(_) => "no_such_integration",
            Self::NobodyToEscalateTo => "nobody_to_escalate_to",
            Self::VersionMismatch { .. } => "version_mismatch",
            Self::NoSuchPerson(_) => "no_such_person",
            Self::NoSuchRole { .. } => "no_such_role",
            Self::NoSuchOrganisation { .. } => "no_such_organisation",
            Self::NoSuchAudience(_) => "no_such_audience",
            Self::NobodyNamed(_) => "nobody_named",
            Self::AlertEnded => "alert_ended",
            Self::AlertHasIncident(_) => "alert_has_incident",
            Self::CannotSee { .. } => "cannot_see",
            Self::NoSuchReview => "no_such_review",
            Self::NoSuchAction => "no_such_action",
            Self::Review(refusal) => refusal.code(),
            Self::Action(refusal) => refusal.code(),
            Self::Incident(refusal) => refusal.code(),
            Self::Page(refusal) => refusal.code(),
            Self::TooManyAlerts(_) => "too_many_alerts",
            Self::TooManyHeartbeats(_) => "too_many_heartbeats",
            Self::TooOften { .. } => "too_often",
            Self::NoSuchDrill => "no_such_drill",
            Self::DrillRuns { .. } => "drill_runs",
            Self::TooManyDrills(_) => "too_many_drills",
            Self::LiveFirst(_) => "live_pages_first",
            Self::WaitTooShort { .. } => "invalid",
            Self::KeyReused => "idempotency_key_reused",
            Self::Unavailable(_) => "store_unavailable",
            Self::Broken => "internal",
        }
    }
}

/// What became of one signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignalReply {
    /// A new alert.
    Opened,
    /// Seen again.
    Repeated,
    /// Known, and changed.
    Changed,
    /// The alert ended.
    Ended,
    /// An acknowledgement was passed on.
    Acknowledged,
    /// About nothing that is open.
    Nothing,
}

/// The answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    Signals {
        /// In the order of the signals.
        replies: Vec<SignalReply>,
        /// The kept request, where something of it changed something.
        kept: Option<SignalId>,
    },
    Incident {
        id: IncidentId,
        reference: String,
    },
    Page {
        id: PageId,
    },
    Review {
        id: ReviewId,
    },
    Action {
        id: ActionId,
    },
    Done,
    /// External calendars are to be read, by the node that is told so.
    ReadCalendars,
    /// Given before under the same key.
    Again {
        answer: String,
    },
}

/// A command of the program itself.
pub(crate) fn ours(cause: &str, command: Command) -> Input {
    let actor = if matches!(command, Command::Look(_)) { Actor::Clock } else { Actor::System };
    debug_assert!(is_ours(&command));
    Input { who: Principal::own(actor), cause: cause.to_owned(), once: None, command }
}

/// Whether a command is worth trying again when the store was not there: ours, not a caller's.
#[must_use]
pub const fn is_ours(command: &Command) -> bool {
    matches!(
        command,
        Command::Look(_)
            | Command::Attend { .. }
            | Command::TakeOver { .. }
            | Command::Withdraw { .. }
            | Command::Sent { .. }
            | Command::Flush { .. }
            | Command::Canary { .. }
    )
}
