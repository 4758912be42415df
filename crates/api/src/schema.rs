//! What the answers look like, for the description of the API: mirrors of the plain structs of
//! `allclear_domain::view`, which stay free of everything that belongs to HTTP.
//!
//! Nothing is ever made of these types. A test holds their fields equal to those that are answered.
#![allow(dead_code)] // describes; see above

use jiff::Timestamp;
use utoipa::ToSchema;

/// How bad an incident is; sev1 is the worst.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum Severity {
    Sev1,
    Sev2,
    Sev3,
    Sev4,
    Sev5,
}

/// Where an incident stands.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum State {
    Candidate,
    Declared,
    Investigating,
    Mitigated,
    Resolved,
    Closed,
    Cancelled,
    Merged,
}

/// Where a page stands.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum PageStatus {
    Running,
    Acknowledged,
    Stopped,
    Exhausted,
    Told,
}

/// An instant of an incident that people may correct.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum Instant {
    ImpactStarted,
    Detected,
    Mitigated,
}

/// Where a review stands.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum ReviewState {
    Draft,
    Published,
}

/// Where an action stands.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum ActionState {
    Open,
    Done,
    Dropped,
}

/// Where an alert stands.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum AlertState {
    Open,
    Resolved,
    Lapsed,
    WithIncident,
}

/// Where a message stands.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum MessageState {
    Queued,
    Claimed,
    Accepted,
    Delivered,
    Rejected,
    Withdrawn,
}

/// Where an expectation stands.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum Standing {
    Live,
    Met,
    Missed,
    Void,
}

/// What a token may do; a wider one holds the narrower.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum Scope {
    Read,
    Respond,
    Admin,
}

/// A list, and where it goes on.
macro_rules! lists {
    ($($name:ident of $item:ty;)+) => {$(
        /// A part of a list.
        #[derive(ToSchema)]
        pub(crate) struct $name {
            items: Vec<$item>,
            /// Give it as `cursor` (events: as `after`) for what follows; null at the end.
            #[schema(required)]
            next: Option<String>,
        }
    )+};
}

lists! {
    IncidentPage of Incident;
    EventPage of Event;
    AlertPage of Alert;
    PagePage of Page;
    ExpectationPage of Expectation;
    OnCallPage of OnCall;
    OverridePage of Override;
    TokenPage of Token;
    SignalPage of crate::rest::Signal;
    RefusedPage of crate::rest::RefusedRequest;
    UpdatePage of Update;
    ReviewPage of Review;
    ActionPage of Action;
}

/// An incident as lists and its page show it. Instants are null where unknown.
#[derive(ToSchema)]
pub(crate) struct Incident {
    id: String,
    #[schema(rename = "ref")]
    reference: String,
    title: String,
    state: State,
    severity: Severity,
    #[schema(required)]
    service: Option<String>,
    #[schema(required)]
    commander: Option<String>,
    #[schema(required)]
    acknowledged_by: Option<String>,
    /// Why it exists.
    because: String,
    #[schema(required)]
    merged_into: Option<String>,
    /// Whether all its alerts have recovered.
    recovered: bool,
    /// Whether only some may see it; absent where not.
    private: Option<bool>,
    /// Who holds which role, and who was asked; absent where nobody does.
    roles: Option<Vec<Role>>,
    /// In the order in which they were added; absent where there are none.
    tasks: Option<Vec<Task>>,
    /// When stakeholders were last told.
    #[schema(required)]
    last_update_at: Option<Timestamp>,
    /// Its review's id, once there is one.
    review: Option<String>,
    /// Whether its last page ended without an answer.
    unanswered: Option<bool>,
    /// While silences hold every open alert, and nobody is paged: when the first of them ends; absent else.
    held_until: Option<Timestamp>,
    /// Ids of these silences; absent where there are none.
    held_by: Option<Vec<String>>,
    /// Whether an alert of it comes and goes, and counts as firing until it has been quiet; absent where not.
    flapping: Option<bool>,
    /// When whoever has it asked to be reminded; nobody is asked whether they are still on it before. `null` where none did.
    snoozed_until: Option<Timestamp>,
    /// Who asked so: a person's id; `null` where none did.
    snoozed_by: Option<String>,
    #[schema(required)]
    impact_started_at: Option<Timestamp>,
    #[schema(required)]
    detected_at: Option<Timestamp>,
    #[schema(required)]
    declared_at: Option<Timestamp>,
    #[schema(required)]
    acknowledged_at: Option<Timestamp>,
    #[schema(required)]
    mitigated_at: Option<Timestamp>,
    #[schema(required)]
    resolved_at: Option<Timestamp>,
    #[schema(required)]
    closed_at: Option<Timestamp>,
    created_at: Timestamp,
    updated_at: Timestamp,
    /// When something is due next.
    #[schema(required)]
    next_due: Option<Timestamp>,
    /// Number of events in its log; the version for `If-Match`.
    version: u64,
}

/// A role of an incident.
#[derive(ToSchema)]
pub(crate) struct Role {
    /// `commander`, `deputy`, `scribe`, …
    role: String,
    /// Who holds it: a person's id.
    #[schema(required)]
    person: Option<String>,
    #[schema(required)]
    since: Option<Timestamp>,
    /// Who was asked to take it and has not answered.
    #[schema(required)]
    offered_to: Option<String>,
    #[schema(required)]
    offered_at: Option<Timestamp>,
}

/// A task of an incident.
#[derive(ToSchema)]
pub(crate) struct Task {
    /// From 1, within its incident.
    task: u32,
    text: String,
    #[schema(required)]
    owner: Option<String>,
    #[schema(required)]
    due_at: Option<Timestamp>,
    #[schema(inline)]
    state: ActionState,
    added_at: Timestamp,
    #[schema(required)]
    ended_at: Option<Timestamp>,
    /// Whether its time passed while it was open.
    late: bool,
}

/// What stakeholders were told.
#[derive(ToSchema)]
pub(crate) struct Update {
    at: Timestamp,
    actor: String,
    /// Ids of audiences.
    audiences: Vec<String>,
    text: String,
    /// When the next one was promised.
    #[schema(required)]
    next_by: Option<Timestamp>,
    /// Where the incident stood.
    state: State,
}

/// A post-incident review.
#[derive(ToSchema)]
pub(crate) struct Review {
    id: String,
    incident: String,
    #[schema(rename = "ref")]
    reference: String,
    title: String,
    severity: Severity,
    #[schema(required)]
    service: Option<String>,
    state: ReviewState,
    #[schema(required)]
    owner: Option<String>,
    due_at: Timestamp,
    opened_at: Timestamp,
    #[schema(required)]
    published_at: Option<Timestamp>,
    /// Markdown; until somebody edits it, drafted from the log. Null in lists.
    #[schema(required)]
    text: Option<String>,
    /// Whether somebody has edited it.
    edited: bool,
    late: bool,
    version: u64,
}

/// A corrective action.
#[derive(ToSchema)]
pub(crate) struct Action {
    id: String,
    #[schema(required)]
    incident: Option<String>,
    #[schema(rename = "ref", required)]
    reference: Option<String>,
    text: String,
    owner: String,
    due_at: Timestamp,
    state: ActionState,
    added_at: Timestamp,
    #[schema(required)]
    ended_at: Option<Timestamp>,
    /// How it was done, or why it was dropped.
    #[schema(required)]
    note: Option<String>,
    late: bool,
    version: u64,
}

/// Counts and durations of incidents that were declared in a period.
#[derive(ToSchema)]
pub(crate) struct Trend {
    from: Timestamp,
    to: Timestamp,
    /// Declared in the period; cancelled and merged ones are left out.
    incidents: u64,
    weeks: Vec<TrendWeek>,
    by_severity: Vec<TrendRow>,
    by_service: Vec<TrendRow>,
}

/// Declared in one week.
#[derive(ToSchema)]
pub(crate) struct TrendWeek {
    /// In UTC.
    #[schema(value_type = String, format = Date)]
    monday: jiff::civil::Date,
    /// sev1 … sev5.
    counts: [u64; 5],
}

/// One group.
#[derive(ToSchema)]
pub(crate) struct TrendRow {
    name: String,
    incidents: u64,
    /// Declared to acknowledged.
    acknowledge: DurationSummary,
    /// Impact start, or declared where that is unknown, to mitigated.
    mitigate: DurationSummary,
    /// Declared to resolved.
    resolve: DurationSummary,
}

/// How long something took; seconds.
#[derive(ToSchema)]
pub(crate) struct DurationSummary {
    /// How many are known.
    n: u64,
    #[schema(required)]
    median_s: Option<i64>,
    #[schema(required)]
    p90_s: Option<i64>,
}

/// One event of a log.
#[derive(ToSchema)]
pub(crate) struct Event {
    seq: i64,
    stream: String,
    version: u64,
    #[schema(required)]
    incident: Option<String>,
    kind: String,
    at: Timestamp,
    recorded_at: Timestamp,
    actor: String,
    cause: String,
    /// Null after a redaction.
    #[schema(required)]
    body: Option<serde_json::Value>,
    /// One line for people.
    line: String,
}

/// An alert.
#[derive(ToSchema)]
pub(crate) struct Alert {
    id: String,
    integration: String,
    dedup_key: String,
    #[schema(inline)]
    state: AlertState,
    title: String,
    severity: Severity,
    #[schema(required)]
    service: Option<String>,
    #[schema(required)]
    source: Option<String>,
    /// Labels, annotations, description, links.
    detail: serde_json::Value,
    /// `declare`, `candidate`, `record`.
    decision: String,
    because: String,
    #[schema(required)]
    silenced_by: Option<String>,
    #[schema(required)]
    incident: Option<String>,
    signal: String,
    starts_at: Timestamp,
    #[schema(required)]
    ends_at: Option<Timestamp>,
    opened_at: Timestamp,
    #[schema(required)]
    ended_at: Option<Timestamp>,
    last_seen_at: Timestamp,
    count: u64,
}

/// A page with its messages.
#[derive(ToSchema)]
pub(crate) struct Page {
    id: String,
    incident: String,
    #[schema(rename = "ref")]
    reference: String,
    status: PageStatus,
    #[schema(required)]
    escalation: Option<String>,
    because: String,
    round: u32,
    step: u32,
    catch_all: bool,
    #[schema(required)]
    acknowledged_by: Option<String>,
    started_at: Timestamp,
    #[schema(required)]
    ended_at: Option<Timestamp>,
    messages: Vec<Message>,
}

/// A message of a page.
#[derive(ToSchema)]
pub(crate) struct Message {
    id: String,
    person: String,
    contact: String,
    channel: String,
    round: u32,
    step: u32,
    #[schema(inline)]
    state: MessageState,
    in_doubt: bool,
    attempts: u32,
    created_at: Timestamp,
    #[schema(required)]
    next_attempt_at: Option<Timestamp>,
    #[schema(required)]
    last_error: Option<String>,
}

/// "Next, and when."
#[derive(ToSchema)]
pub(crate) struct Expectation {
    owner: String,
    key: String,
    rule: String,
    #[schema(inline)]
    state: Standing,
    /// What must appear.
    expects: String,
    /// What follows if it does not.
    #[schema(rename = "else")]
    or_else: String,
    #[schema(required)]
    opened_at: Option<Timestamp>,
    due_at: Timestamp,
    #[schema(required)]
    settled_at: Option<Timestamp>,
    #[schema(required)]
    why: Option<String>,
}

/// Who is on call in a schedule.
#[derive(ToSchema)]
pub(crate) struct OnCall {
    schedule: String,
    name: String,
    #[schema(required)]
    team: Option<String>,
    time_zone: String,
    /// A person's id; null where nobody is on call.
    #[schema(required)]
    person: Option<String>,
    #[schema(required)]
    person_name: Option<String>,
    /// The layer or the override.
    because: String,
    /// When somebody else comes on, or nobody is any more; null where neither happens within two months.
    #[schema(required)]
    until: Option<Timestamp>,
    /// Who comes on after that.
    #[schema(required)]
    next: Option<String>,
    #[schema(required)]
    next_name: Option<String>,
    /// When they do: later than `until` where nobody is on in between.
    #[schema(required)]
    next_at: Option<Timestamp>,
}

/// Somebody takes a schedule for a time.
#[derive(ToSchema)]
pub(crate) struct Override {
    id: String,
    schedule: String,
    person: String,
    #[schema(required)]
    person_name: Option<String>,
    starts_at: Timestamp,
    ends_at: Timestamp,
    /// `person:ana`; null where it is not known.
    #[schema(required)]
    made_by: Option<String>,
    /// Whether you may end it.
    may_end: bool,
}

/// Who would be paged for a payload, and why.
#[derive(ToSchema)]
pub(crate) struct SignalExplanation {
    integration: String,
    dedup_key: String,
    title: String,
    /// Every step of the triage.
    steps: Vec<String>,
    decision: String,
    severity: Severity,
    #[schema(required)]
    service: Option<String>,
    #[schema(required)]
    escalation: Option<String>,
    #[schema(required)]
    silenced_by: Option<String>,
    /// Steps of the policy, were it to start now.
    pages: Vec<StepExplanation>,
}

/// Whom one step would page.
#[derive(ToSchema)]
pub(crate) struct StepExplanation {
    /// `step 1`, `round 2, step 1`, `catch-all`.
    name: String,
    /// From 1; a policy that repeats has further ones. The catch-all's is the last.
    round: u32,
    /// Minutes and seconds after the page starts, if nobody acknowledges.
    after: String,
    people: Vec<PersonExplanation>,
    #[schema(required)]
    why_nobody: Option<String>,
}

/// How one person would be told.
#[derive(ToSchema)]
pub(crate) struct PersonExplanation {
    person: String,
    via: String,
    /// `webhook hook at once`, `email mail after 1m`.
    contacts: Vec<String>,
}

/// Why somebody was, or was not, paged.
#[derive(ToSchema)]
pub(crate) struct PageExplanation {
    page: Page,
    /// One sentence per fact, in the log's order.
    lines: Vec<Event>,
}

/// A token, without its secret.
#[derive(ToSchema)]
pub(crate) struct Token {
    id: String,
    name: String,
    scope: String,
    #[schema(required)]
    person: Option<String>,
    created_at: Timestamp,
    #[schema(required)]
    expires_at: Option<Timestamp>,
    #[schema(required)]
    revoked_at: Option<Timestamp>,
}
