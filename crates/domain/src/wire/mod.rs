//! What crosses between All Clear and the vendors, and the traits that speak it.
//!
//! Channels are sans-I/O: an [`Inbound`] turns bytes and headers into signals and the answer that
//! format expects; a [`Channel`] turns a message into one request at a time and reads the
//! answers, and where its providers or its people say something back, [`Replies`] reads that; where it keeps a connection
//! open for it, [`Listens`] says how. What a channel is called and what
//! its addresses hold is in [`crate::channel`]. Only the transports do I/O, so retries, tracing and fault injection exist once.

mod fetch;
mod listen;
mod reply;
mod sender;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::channel::{Address, ChannelForm};
use crate::ids::{IncidentId, MessageId, PageId};
use crate::org::model::NotifyUrgency;
use crate::time::Length;

pub use fetch::{Fetch, Fetched};
pub use listen::{Envelope, Frame, Listens, NotOpened};
pub use reply::{
    Heard, Line, NotGenuine, NotUnderstood, Of, OwnAnswer, REPLIES_MAX, Replies, Reply, ReplyCode, ReplyRequest, Says, Told, Unreadable,
};
pub use sender::{KeyFault, KeyIn, Signature, Unsigned};

/// Labels of an alert, sorted by name; empty values do not exist.
pub type Labels = BTreeMap<String, String>;

/// What a sender wants done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignalAction {
    /// The condition holds.
    Trigger,
    /// Somebody at the sender has it.
    Acknowledge,
    /// The condition is over.
    Resolve,
    /// Nothing is wrong: the sender is alive, and says so again before its time is over.
    Beat,
}

/// A severity in the sender's words, on PagerDuty's four-step scale, to which every format maps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SenderSeverity {
    /// → sev2 unless a route says otherwise.
    Critical,
    /// → sev3.
    Error,
    /// → sev4.
    Warning,
    /// → recorded only.
    Info,
}

impl SenderSeverity {
    /// Reads the word as senders spell it; `None` for a word that is not on the scale.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        match word.to_ascii_lowercase().as_str() {
            "critical" | "crit" | "fatal" | "emergency" | "page" | "disaster" => Some(Self::Critical),
            "error" | "err" | "high" | "major" => Some(Self::Error),
            "warning" | "warn" | "medium" | "minor" | "low" => Some(Self::Warning),
            "info" | "information" | "informational" | "ok" | "none" | "debug" => Some(Self::Info),
            _ => None,
        }
    }

    /// The word as stored and shown.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Info => "info",
        }
    }
}

/// A link that came with a signal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// Where to; `http` or `https` only, checked when parsed.
    pub href: String,
    /// What the sender calls it.
    #[serde(default)]
    pub text: String,
}

/// One condition as a monitor reported it, in our words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signal {
    /// What the sender wants done.
    pub action: SignalAction,
    /// The sender's name of the condition; unique within the integration while the alert is open.
    pub dedup_key: String,
    /// One line for people.
    pub title: String,
    /// More lines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The affected host or system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The service the sender names, by our id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// The sender's severity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<SenderSeverity>,
    /// What routes and silences match.
    #[serde(default)]
    pub labels: Labels,
    /// What is shown but not matched.
    #[serde(default)]
    pub annotations: Labels,
    /// When the condition began, if the sender says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_at: Option<Timestamp>,
    /// When the condition lapses unless it is sent again; only some senders promise to re-send.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Timestamp>,
    /// Links of the sender: runbook, graph.
    #[serde(default)]
    pub links: Vec<Link>,
    /// Trifles that were cut or left out of what the sender said, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// What the condition is called that an instance which sends heartbeats is silent; of a sender without instances it is empty.
#[must_use]
pub fn heartbeat_key(instance: &str) -> String {
    if instance.is_empty() { HEARTBEAT_KEY.to_owned() } else { format!("{HEARTBEAT_KEY}/{instance}") }
}

/// The instance of such a key.
#[must_use]
pub fn heartbeat_instance(key: &str) -> &str {
    key.strip_prefix(HEARTBEAT_KEY).and_then(|rest| rest.strip_prefix('/')).unwrap_or_default()
}

const HEARTBEAT_KEY: &str = "heartbeat";

/// What a format needs to know beside the bytes.
#[derive(Debug, Clone, Copy)]
pub struct InboundContext<'a> {
    /// When the request arrived.
    pub now: Timestamp,
    /// A fresh name for a condition that came without one.
    pub fresh_key: &'a str,
    /// What the address names behind the key, where it does: the instance that a heartbeat is of.
    pub instance: Option<&'a str>,
}

/// Signals of one request, and the part of it that was refused.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Parsed {
    /// What was understood.
    pub signals: Vec<Signal>,
    /// What was not; the rest is still accepted.
    pub refused: Vec<RefusedElement>,
    /// Trifles that were cut or left out, for the answer: the first of them, with where they are.
    pub notes: Vec<String>,
    /// The request tells of changes, and pages nobody: it is kept among the signals, and the changes with their service.
    pub keep_only: bool,
}

/// One element of a list that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedElement {
    /// Its place in the list, from 0; nothing where the request is no list.
    pub at: Option<usize>,
    /// Why, one sentence.
    pub why: String,
}

impl std::fmt::Display for RefusedElement {
    /// `alert 2: title is missing`; people count from 1.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.at {
            Some(at) => write!(f, "alert {}: {}", at + 1, self.why),
            None => f.write_str(&self.why),
        }
    }
}

/// Why a whole request was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InboundRefusal {
    /// The bytes are not what the format says.
    #[error("{0}")]
    Malformed(String),
    /// Well formed, but something needed is missing or wrong; one sentence each.
    #[error("{}", .0.join("; "))]
    Invalid(Vec<String>),
    /// More than one request may hold.
    #[error("{0}")]
    TooMany(String),
}

impl InboundRefusal {
    /// The sentences, one each.
    #[must_use]
    pub fn sentences(&self) -> &[String] {
        match self {
            Self::Malformed(why) | Self::TooMany(why) => std::slice::from_ref(why),
            Self::Invalid(errors) => errors,
        }
    }

    /// The status of the answer.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::Malformed(_) | Self::Invalid(_) => 400,
            Self::TooMany(_) => 413,
        }
    }
}

/// A small answer in the format of the sender.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Body; JSON, or empty.
    pub body: String,
}

/// An address that senders of a format post to, beside `/in/{kind}/{key}`, which every format has.
#[derive(Clone, Copy)]
pub struct Route {
    /// As the router spells it; `{key}` and `{instance}` are the only parameters.
    pub path: &'static str,
    /// Whether any method does, and not `POST` alone.
    pub any_method: bool,
    /// Where the key is.
    pub key: KeyIn,
    /// What reads the bodies that come here.
    pub format: &'static dyn Inbound,
}

impl std::fmt::Debug for Route {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({:?}, {})", self.path, self.key, self.format.name())
    }
}

/// How a sender of a format is pointed here: what its integration's page gives to copy. In the texts `{base}` stands for the
/// address of this server and `{key}` for the integration's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SetUp {
    /// The kind of integration.
    pub kind: &'static str,
    /// The whole address that is sent to.
    pub address: &'static str,
    /// Where in the sender the snippet goes, a sentence or two.
    pub says: &'static str,
    /// What is copied.
    pub snippet: &'static str,
}

impl SetUp {
    /// A text of it for a server and a key; `key` may be a mask.
    #[must_use]
    pub fn filled(text: &str, base: &str, key: &str) -> String {
        text.replace("{base}", base).replace("{key}", key)
    }
}

/// A way in: one vendor's format. What takes requests asks it for everything that is the vendor's and not ours: its
/// addresses, where its key is, how its body reads, and what its senders want to hear.
pub trait Inbound: Send + Sync {
    /// The `kind` of an integration that speaks it, as written in the organisation file.
    fn kind(&self) -> &'static str;
    /// What requests of it are kept under. A kind whose senders post bodies of several shapes has a format for each.
    fn name(&self) -> &'static str {
        self.kind()
    }
    /// How a sender is pointed here.
    fn set_up(&self) -> SetUp;
    /// The vendor's own addresses.
    fn routes(&self) -> &'static [Route] {
        &[]
    }
    /// The integration key that the body itself carries (PagerDuty's `routing_key`).
    fn key_in_body(&self, _body: &[u8]) -> Option<String> {
        None
    }
    /// How its senders sign, where they can. An integration may then have a `secret`, and takes only what is signed with it.
    fn signature(&self) -> Option<Signature> {
        None
    }
    /// Largest body, in bytes, before and after unpacking.
    fn body_bytes_max(&self) -> usize;
    /// Bytes to signals.
    ///
    /// # Errors
    /// When nothing of the request can be used.
    fn parse(&self, body: &[u8], context: InboundContext<'_>) -> Result<Parsed, InboundRefusal>;
    /// What this sender expects after everything in `parsed` was durably accepted.
    fn accepted(&self, parsed: &Parsed) -> Answer;
    /// A refusal in the shape that this format's senders log; one sentence or more.
    fn refused(&self, status: u16, sentences: &[String]) -> Answer;
    /// The same, of what the format itself refused.
    fn refusal(&self, refusal: &InboundRefusal) -> Answer {
        self.refused(refusal.status(), refusal.sentences())
    }
    /// What senders are answered whose key is not right, where they read nothing but their own format's shape; everybody
    /// else is answered 401 as `application/problem+json`.
    fn key_refused(&self, _fault: KeyFault<'_>) -> Option<Answer> {
        None
    }
}

/// Whom a message reaches: the address, from the organisation, with its secrets in the clear.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Target {
    /// The name of the person or the audience, for a header.
    pub name: String,
    /// Where.
    pub address: Address,
}

/// What a notice wants of the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeKind {
    /// Take this.
    #[default]
    Page,
    /// All alerts have recovered: say whether it is over.
    ConfirmRecovery,
    /// Nothing was heard of whoever has it: say whether you are still on it.
    StillOnIt,
    /// Something of the incident wants this person's attention; nothing is to be acknowledged.
    Reminder,
    /// An update for stakeholders.
    Update,
    /// Something is asked of another organisation, or is not wanted of it any more; it answers by ways of its own.
    Request,
    /// What they were paged for or told of is over; nothing is asked.
    Over,
    /// What a step of a plan does: its text is sent as it is, and the answer is the step's.
    Step,
    /// A page might not reach somebody who is on call soon: of no incident and of no page.
    Readiness,
    /// What concerns somebody themself, as cover of a shift or how they are reached: of no incident and of no page.
    Note,
    /// A shift of theirs, or of somebody they answer for: it begins soon, or needs cover. Of no incident and of no page.
    Shift,
    /// A code, to prove that a contact is somebody's: of no incident and of no page. Its text is the code, sealed where it is
    /// stored.
    Code,
    /// A fire drill: answered as a page is, and of nothing that is wrong. It is never told together with anything else.
    Drill,
}

impl NoticeKind {
    /// Whether it is of a page that looks for somebody, and is not wanted any more once that has ended.
    #[must_use]
    pub const fn looks(self) -> bool {
        matches!(self, Self::Page | Self::Drill)
    }

    /// Whether it is of no incident, so that nothing is behind its links.
    #[must_use]
    pub const fn is_of_no_incident(self) -> bool {
        matches!(self, Self::Readiness | Self::Note | Self::Shift | Self::Code)
    }

    /// Whether it only tells: nothing is to be acknowledged, and nobody is looked for.
    #[must_use]
    pub const fn tells(self) -> bool {
        match self {
            Self::Page | Self::ConfirmRecovery | Self::StillOnIt | Self::Drill => false,
            Self::Reminder
            | Self::Update
            | Self::Request
            | Self::Over
            | Self::Step
            | Self::Readiness
            | Self::Note
            | Self::Shift
            | Self::Code => true,
        }
    }

    /// Whether it is a question with an answer of its own: never one of many in a message, where it would be out of
    /// sight while its time runs.
    #[must_use]
    pub const fn asks(self) -> bool {
        match self {
            Self::ConfirmRecovery | Self::StillOnIt | Self::Drill => true,
            Self::Page
            | Self::Reminder
            | Self::Update
            | Self::Request
            | Self::Over
            | Self::Step
            | Self::Readiness
            | Self::Note
            | Self::Shift
            | Self::Code => false,
        }
    }

    /// Whether notices of this kind that wait for one contact go out as one message: what asks for the same,
    /// to take it. A question or an update is a message of its own.
    #[must_use]
    pub const fn gathers(self) -> bool {
        match self {
            Self::Page => true,
            Self::ConfirmRecovery
            | Self::StillOnIt
            | Self::Reminder
            | Self::Update
            | Self::Request
            | Self::Over
            | Self::Step
            | Self::Readiness
            | Self::Note
            | Self::Shift
            | Self::Code
            | Self::Drill => false,
        }
    }

    /// As the API and webhooks say it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::ConfirmRecovery => "confirm_recovery",
            Self::StillOnIt => "still_on_it",
            Self::Reminder => "reminder",
            Self::Update => "update",
            Self::Request => "request",
            Self::Over => "over",
            Self::Step => "step",
            Self::Readiness => "readiness",
            Self::Note => "note",
            Self::Shift => "shift",
            Self::Code => "code",
            Self::Drill => "drill",
        }
    }
}

/// One thing to tell one person: the data of a page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// Page, round, step, person and rule entry, as one text; unique for ever.
    pub key: String,
    /// What is wanted.
    #[serde(default)]
    pub kind: NoticeKind,
    /// The page it belongs to.
    pub page: PageId,
    /// Step of the escalation, from 1; the catch-all is the number after the last.
    pub step: u32,
    /// Pass through the steps, from 1.
    pub round: u32,
    /// Whether it is sent after its time, because of a gap.
    pub late: bool,
    /// The person's id.
    pub person: String,
    /// What it is about.
    pub incident: NoticeIncident,
    /// What it says, where it only tells: a reminder, an update.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Of a page: why it looks for somebody, where the incident's title does not say it, as in `nobody has taken command`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
}

impl Notice {
    /// One of no incident and of no page. `nobodys` are fresh ids, which nothing else has: what is stored has a page and an incident.
    #[must_use]
    pub fn of_no_incident(kind: NoticeKind, key: String, person: &str, text: String, nobodys: [u128; 2]) -> Self {
        let [page, incident] = nobodys;
        Self {
            key,
            kind,
            page: PageId::from_bits(page),
            step: 0,
            round: 0,
            late: false,
            person: person.to_owned(),
            incident: NoticeIncident {
                id: IncidentId::from_bits(incident),
                reference: OF_NO_INCIDENT.to_owned(),
                title: String::new(),
                severity: String::new(),
                service: None,
                guest: None,
            },
            text: Some(text),
            because: None,
        }
    }
}

/// In the place of an incident's number, in what is of none.
pub const OF_NO_INCIDENT: &str = "All Clear";

/// The incident as a message shows it, at the time of the decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeIncident {
    /// The incident's id.
    pub id: IncidentId,
    /// `INC-142`
    #[serde(rename = "ref")]
    pub reference: String,
    /// One line for people.
    pub title: String,
    /// `sev1` … `sev5`
    pub severity: String,
    /// The service's id, where known.
    pub service: Option<String>,
    /// The guest link of whom it goes to, where that is an organisation with one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guest: Option<NoticeGuest>,
}

/// A guest link, without what makes it work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeGuest {
    /// Within its incident.
    pub number: u32,
    pub expires_at: Timestamp,
}

/// How long a code that proves a contact works: a mail may take some minutes, and nobody guesses for hours.
pub const CODE_LIFE: Length = Length::from_mins(15);

/// Notices of one message that are written out in full: what a person still reads, and what fits into 20 KB. The
/// others are counted, or listed in brief where a program reads.
pub const WRITTEN_OUT_MAX: usize = 30;

/// What an alarm says and who else is asked, for whoever is woken by it; as it is when the message is made.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct About {
    /// The alarm's own words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The affected host or system, as the alarm names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The alarm's labels.
    #[serde(skip_serializing_if = "Labels::is_empty")]
    pub labels: Labels,
    /// The service's runbook, then runbook, graph, and whatever else the alarm's sender links to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Link>,
    /// The service's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// The name of whom the message is for.
    pub person: String,
    /// Their time zone, IANA name.
    pub time_zone: String,
    /// Names of the others whom the same step asks.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub also_told: Vec<String>,
    /// Until when somebody has to answer before others are asked, or nobody is left to ask.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer_by: Option<Timestamp>,
    /// Names of those who are asked then; empty where nobody is left.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub then_asked: Vec<String>,
}

/// One send over one contact method, with everything needed to make its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The same on every try.
    pub id: MessageId,
    /// When it was decided.
    pub created_at: Timestamp,
    /// Whether an earlier try may have arrived.
    pub in_doubt: bool,
    /// Whether it is to wake somebody: of the worst incident that it is about.
    pub urgency: NotifyUrgency,
    /// One or more; of several the worst first.
    pub notices: Vec<Notice>,
    /// `/a/{token}` in full, one per notice, in the same order; of many notices only of the first [`WRITTEN_OUT_MAX`].
    pub ack_urls: Vec<String>,
    /// `/a/{token}` in full, for all notices together; absent where there is one.
    pub bundle_url: Option<String>,
    /// The incident's page in full, as many as there are of `ack_urls`.
    pub incident_urls: Vec<String>,
    /// `/reply/{channel}` in full, where receipts and answers come back; absent where the channel hears nothing.
    pub reply_url: Option<String>,
    /// What whoever is woken needs beside the first notice; absent where it only tells, and where it could not be read
    /// in time.
    pub about: Option<About>,
    /// What the notices name by id, in words.
    pub names: Names,
}

/// Names for the ids of a message, as they are when it is made. Whatever is missing is shown by its id.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Names {
    /// Of whom the message is for.
    pub person: Option<String>,
    /// Their time zone, IANA name; UTC where they have set none.
    pub time_zone: Option<String>,
    /// Of the services, by id.
    pub services: BTreeMap<String, String>,
}

impl Names {
    /// The name of a service; its id where it has none.
    #[must_use]
    pub fn service<'a>(&'a self, id: &'a str) -> &'a str {
        self.services.get(id).map_or(id, String::as_str)
    }
}

/// How something is asked for over HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// As nearly every vendor takes it.
    Post,
    /// Under an address that names the message: asked twice, it is one.
    Put,
    /// With everything in the address, and without a body.
    Get,
}

/// A request that a transport can carry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// Over HTTP.
    Http {
        /// How.
        method: Method,
        /// Where to.
        url: String,
        /// Names in lower case.
        headers: Vec<(&'static str, String)>,
        /// The bytes.
        body: Vec<u8>,
    },
    /// A mail.
    Mail {
        /// Recipient's address.
        to: String,
        /// Recipient's name.
        to_name: String,
        /// One line, without CR or LF.
        subject: String,
        /// `Message-ID` without angle brackets; the same on every try.
        message_id: String,
        /// Where an answer goes that is written to it; nothing where answers are not read.
        reply_to: Option<String>,
        /// What mails of one incident name in `References`, so that mail programs show them together.
        thread: Option<String>,
        /// Plain text.
        text: String,
        /// The same as simple HTML.
        html: String,
    },
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Response {
    /// An HTTP answer.
    Http {
        /// Status.
        status: u16,
        /// `Retry-After`, where given and readable.
        retry_after: Option<Length>,
        /// The first bytes of the body, for the log; at most 8 KiB.
        body: String,
    },
    /// An SMTP answer to the whole transaction.
    Smtp {
        /// Three digits.
        code: u16,
        /// The server's words, one line.
        text: String,
    },
    /// Not tried, since we had no room for it ourselves: it says nothing of the other side.
    Busy {
        /// In our words.
        why: String,
    },
    /// No answer.
    Failed {
        /// In our words: refused, timed out, name not found, blocked by the guard.
        why: String,
        /// Whether the request may have arrived all the same.
        maybe_arrived: bool,
        /// Whether trying again is pointless.
        permanent: bool,
    },
}

/// How a send ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The provider has it.
    Delivered {
        /// The provider's word for it: status, queue id.
        receipt: String,
    },
    /// The provider has taken it, and says later whether it arrived: within this time, by a receipt that names the message.
    Accepted {
        /// The provider's word for it.
        receipt: String,
        /// How long a receipt is waited for; without one it counts as not delivered.
        within: Length,
    },
    /// Not now.
    Retry {
        /// How long the provider asked to wait.
        after: Option<Length>,
        /// The reason.
        why: String,
        /// Whether it may have arrived all the same (in doubt).
        maybe_arrived: bool,
        /// Whether the target as a whole does not answer, so that whatever else is for it would fare the same.
        #[serde(default)]
        down: bool,
        /// Whether it was reached and nothing was heard of it in time: that tells neither that the target as a whole
        /// is there nor that it is not.
        #[serde(default)]
        unanswered: bool,
    },
    /// Never, this way.
    Rejected {
        /// The reason.
        why: String,
    },
}

impl Outcome {
    /// No answer for want of room: nothing was sent.
    #[must_use]
    pub fn busy(why: &str) -> Self {
        Self::Retry { after: None, why: why.to_owned(), maybe_arrived: false, down: false, unanswered: true }
    }

    /// No answer: the same for every way out.
    #[must_use]
    pub fn failed(why: &str, maybe_arrived: bool, permanent: bool) -> Self {
        if permanent {
            return Self::Rejected { why: why.to_owned() };
        }
        // What got through may have met one slow receiver behind a host that serves others.
        Self::Retry { after: None, why: why.to_owned(), maybe_arrived, down: !maybe_arrived, unanswered: maybe_arrived }
    }
}

/// Most requests that one message takes; a channel that asks for more is mistaken.
pub const REQUESTS_PER_MESSAGE_MAX: usize = 8;

/// What a channel does next for a message.
pub enum Step<'a> {
    /// Asks its provider, and reads the answer.
    Ask(Request, Then<'a>),
    /// Is done with it.
    Done(Outcome),
}

/// Reads an answer.
pub type Then<'a> = Box<dyn FnOnce(&Response) -> Step<'a> + Send + 'a>;

impl<'a> Step<'a> {
    /// The last question, or the only one: its answer says how it ended.
    #[must_use]
    pub fn last(request: Request, outcome: impl FnOnce(&Response) -> Outcome + Send + 'a) -> Self {
        Self::Ask(request, Box::new(|response| Self::Done(outcome(response))))
    }

    /// No request can be made of it: never this way.
    #[must_use]
    pub fn rejected(why: impl Into<String>) -> Self {
        Self::Done(Outcome::Rejected { why: why.into() })
    }
}

/// A message that asks nothing any more, as its provider has it.
#[derive(Debug, Clone, Copy)]
pub struct Retired<'a> {
    /// The message.
    pub id: MessageId,
    /// The provider's word for it, as its delivery said ([`Outcome::Delivered`]).
    pub receipt: &'a str,
    /// What it was about: of several notices the first, which is the worst.
    pub notice: &'a Notice,
    /// Where it went, with its secrets in the clear.
    pub address: &'a Address,
    /// Whether it had others beside.
    pub several: bool,
    /// Why nothing is asked any more, a sentence: who has it and since when, or that it is over.
    pub says: &'a str,
    /// The incident's page in full.
    pub incident_url: &'a str,
    /// The instant at which it is asked.
    pub now: Timestamp,
}

/// A way out: how one kind of address is spoken to.
pub trait Channel: Send + Sync {
    /// What it says of itself.
    fn form(&self) -> &'static ChannelForm;
    /// The first step for this message to this target; `now` is this attempt's instant.
    fn start<'a>(&'a self, message: &'a Message, target: &'a Target, now: Timestamp) -> Step<'a>;
    /// Its way back, where it has one: what is heard of its messages at `/reply/{channel}`.
    fn replies(&self) -> Option<&dyn Replies> {
        None
    }
    /// The connection that it keeps open, over which the same is heard, where it keeps one.
    fn listens(&self) -> Option<&dyn Listens> {
        None
    }
    /// The setting of the server without which it sends nothing, where that is missing: `--smtp`.
    fn lacks(&self) -> Option<&'static str> {
        None
    }
    /// Whether a message can be shown as done where it went: then [`Self::retire`] says how.
    fn retires(&self) -> bool {
        false
    }
    /// What is asked so that a message shows that nothing is asked by it any more, and has no buttons. Nobody is told by it,
    /// and nothing depends on it.
    fn retire(&self, _sent: &Retired<'_>) -> Option<Request> {
        None
    }
    /// What a browser has to know before it gives an address of this channel: the public key that messages to it are signed with.
    fn public_key(&self) -> Option<&str> {
        None
    }
    /// What the settings hold that is secret: hidden in what the vendor says, as the secrets of an address are.
    fn secrets(&self) -> Vec<&str> {
        Vec::new()
    }
}
