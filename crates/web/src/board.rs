//! The board: what needs a person, most urgent first; who is on call; and, when nothing is open,
//! how the first alarm is raised.

use allclear_domain::access::Principal;
use allclear_domain::incident::{Severity, State};
use allclear_domain::org::snapshot::Org;
use allclear_domain::view::{ExpectationView, IncidentView, OnCallView};
use allclear_engine::Engine;
use allclear_engine::queries::{IncidentFilter, LIST_MAX, NoAnswer, Queries};
use jiff::Timestamp;
use maud::{Markup, html};

use crate::messages;
use crate::parts;
use crate::when::When;
use crate::{DemoMessage, WebOptions};

/// Rows whose awaited things are read one by one; the others show only when something is due.
const ROWS_IN_DETAIL: usize = 50;
/// Ended incidents shown below the open ones.
const ENDED_SHOWN: usize = 5;
/// Ended ones are looked for among this many of the newest.
const ENDED_AMONG: i64 = 30;
/// Messages of a demonstration shown on the board; the others have a page.
const MESSAGES_SHOWN: usize = 4;

/// One open incident.
struct Row {
    incident: IncidentView,
    due: Option<Due>,
}

/// What is awaited next.
struct Due {
    words: &'static str,
    at: Timestamp,
}

impl Row {
    fn is_late(&self, when: &When) -> bool {
        self.due.as_ref().is_some_and(|due| when.is_late(due.at))
    }

    /// Declared, and nothing calls anybody any more.
    fn is_nobodys(&self) -> bool {
        self.incident.state == State::Declared && self.due.is_none()
    }
}

/// Everything on the board.
pub(crate) struct Board {
    when: When,
    rows: Vec<Row>,
    candidates: Vec<Row>,
    /// Open ones that are not shown.
    more: i64,
    ended: Vec<IncidentView>,
    on_call: Vec<OnCallView>,
}

/// Reads it.
pub(crate) async fn read(engine: &Engine, who: &Principal, when: When) -> Result<Board, NoAnswer> {
    let queries = engine.queries(who);
    let (open, more) = open(&queries).await?;
    let mut rows = Vec::with_capacity(open.len());
    for (index, incident) in open.into_iter().enumerate() {
        let due =
            if index < ROWS_IN_DETAIL { due(&queries, &incident).await? } else { incident.next_due.map(|at| Due { words: "due", at }) };
        rows.push(Row { incident, due });
    }
    rows.sort_by_cached_key(|row| {
        let i = &row.incident;
        (i.severity, i.state != State::Declared, !row.is_late(&when), row.due.as_ref().map_or(Timestamp::MAX, |due| due.at), i.id.clone())
    });
    let (candidates, rows) = rows.into_iter().partition(|row| row.incident.state == State::Candidate);
    let mut ended = queries.incidents(IncidentFilter::default(), ENDED_AMONG).await?;
    ended.retain(|i| !i.state.is_open());
    ended.truncate(ENDED_SHOWN);
    let on_call = queries.on_call(when.now)?;
    Ok(Board { when, rows, candidates, more, ended, on_call })
}

/// Open incidents, the worst where they do not all fit, and how many are left out.
async fn open(queries: &Queries<'_>) -> Result<(Vec<IncidentView>, i64), NoAnswer> {
    let all = IncidentFilter { open: true, ..IncidentFilter::default() };
    let found = queries.incidents(all.clone(), LIST_MAX).await?;
    let full = usize::try_from(LIST_MAX).unwrap_or(usize::MAX);
    if found.len() < full {
        return Ok((found, 0));
    }
    let mut worst = Vec::with_capacity(full);
    for severity in Severity::ALL {
        let left = full - worst.len();
        if left == 0 {
            break;
        }
        let filter = IncidentFilter { severity: Some(severity), ..all.clone() };
        worst.extend(queries.incidents(filter, left as i64).await?);
    }
    let total = queries.open_count().await?;
    let more = (total - worst.len() as i64).max(0);
    Ok((worst, more))
}

/// What is awaited of an incident next, of the things that a person would act on.
async fn due(queries: &Queries<'_>, incident: &IncidentView) -> Result<Option<Due>, NoAnswer> {
    let Ok(id) = incident.id.parse() else { return Ok(None) };
    if incident.next_due.is_none() {
        return Ok(None);
    }
    let awaited = queries.expectations(id).await?;
    Ok(awaited.iter().filter(|e| e.state == "live").find_map(|e| words(e).map(|words| Due { words, at: e.due_at })))
}

fn words(awaited: &ExpectationView) -> Option<&'static str> {
    Some(match awaited.rule.as_str() {
        "page.ack" => "acknowledge",
        "incident.candidate" => "decide",
        "incident.confirm_recovery" => "confirm recovery",
        "incident.group_wait" => "page starts",
        _ => return None,
    })
}

/// The page's body.
pub(crate) fn page(board: &Board, org: &Org, options: &WebOptions, sent: &[DemoMessage]) -> Markup {
    let when = &board.when;
    let count = board.rows.len() as i64 + board.more;
    let late = board.rows.iter().filter(|row| row.is_late(when)).count();
    let nobodys = board.rows.iter().filter(|row| row.is_nobodys()).count();
    html! {
        main class="wide" {
            h1 class="counts" {
                @if count == 0 { "Nothing is open" } @else { (count) " open" }
                @if late > 0 { span class="dot" { " · " } span class="late" { (late) " late" } }
                @if nobodys > 0 { span class="dot" { " · " } span class="late" { "nobody has " (nobodys) } }
            }
            @if board.rows.is_empty() && board.candidates.is_empty() { (empty(options)) }
            @if !board.rows.is_empty() {
                ol class="board" aria-label="Open incidents, most urgent first" {
                    @for row in &board.rows { (line(row, org, when)) }
                }
            }
            @if board.more > 0 {
                p class="quiet" { (board.more) " more are open, none worse than these. All of them: " code { "allclear list" } }
            }
            @if !board.candidates.is_empty() {
                section {
                    h2 { "Candidates (" (board.candidates.len()) ")" span class="quiet" { " · is this an incident?" } }
                    ol class="board" aria-label="Candidates" { @for row in &board.candidates { (line(row, org, when)) } }
                }
            }
            div class="below" {
                (on_call(board))
                @if !board.ended.is_empty() { (ended(board, org)) }
            }
            @if options.demo_outbox.is_some() {
                section class="sent" {
                    h2 { "Messages" span class="quiet" { " · this demonstration sends none; these would have gone out" } }
                    (messages::list(sent, org, when, MESSAGES_SHOWN))
                    @if sent.len() > MESSAGES_SHOWN { p class="all" { a href="/outbox" { "All " (sent.len()) " messages" } } }
                }
            }
            @if let Some(curl) = options.first_alarm_curl.as_ref().filter(|_| options.open_to.is_some() && count > 0) {
                section class="empty own" {
                    h2 { "Raise an alarm of your own" }
                    pre tabindex="0" { code { (curl) } }
                }
            }
        }
    }
}

fn line(row: &Row, org: &Org, when: &When) -> Markup {
    let incident = &row.incident;
    let began = incident.declared_at.unwrap_or(incident.created_at);
    let who = incident.commander.as_deref().or(incident.acknowledged_by.as_deref());
    html! {
        li {
            (parts::severity(incident.severity))
            span class="ref" { (incident.reference) }
            a class="title" href={ "/incidents/" (incident.reference) } title=(incident.title) { bdi { (incident.title) } }
            span class="service" { @if let Some(id) = &incident.service { bdi { (parts::service(org, id)) } } }
            span class="state" { (parts::state(incident.state)) }
            span class="age" { span class="vh" { "open for " } (when.time(began, &when.age(began))) }
            span class="who" {
                @if let Some(id) = who { span class="vh" { "with " } bdi { (parts::name(org, id)) } }
                @else { span class="quiet" { "—" span class="vh" { " nobody has it" } } }
            }
            span class="due" {
                @if let Some(due) = &row.due {
                    (due.words) " "
                    @if when.is_late(due.at) { span class="late" { (when.time(due.at, &when.due(due.at))) } }
                    @else { strong { (when.time(due.at, &when.due(due.at))) } }
                    span class="quiet exact" { " " (when.exact(due.at)) }
                } @else if row.is_nobodys() {
                    span class="late" { "nobody has it" }
                } @else {
                    span class="quiet nothing" { "nothing is due" }
                }
            }
        }
    }
}

fn empty(options: &WebOptions) -> Markup {
    html! {
        section class="empty" {
            p { "Alarms that arrive become incidents here, the most urgent first." }
            @if let Some(curl) = &options.first_alarm_curl {
                p { "Raise the first one. Copy this into a terminal:" }
                pre tabindex="0" { code { (curl) } }
            } @else {
                p { "Raise the first one from a terminal:" }
                pre tabindex="0" { code { "allclear declare \"Card payments failing\"" } }
            }
        }
    }
}

fn on_call(board: &Board) -> Markup {
    let when = &board.when;
    html! {
        section {
            h2 { "On call now" }
            @if board.on_call.is_empty() { p class="quiet" { "No schedule is set, so escalation policies reach people only by name." } }
            ul class="pairs" {
                @for shift in &board.on_call {
                    li {
                        span { bdi { (shift.name) } }
                        span {
                            @match (&shift.person_name, &shift.person) {
                                (Some(name), _) | (None, Some(name)) => strong { bdi { (name) } },
                                (None, None) => span class="late" { "nobody" },
                            }
                            span class="quiet" {
                                @if let Some(until) = shift.until {
                                    " until " (when.time(until, &when.minute(until)))
                                    @if shift.time_zone != when.zone() { " (" (When::new(when.now, Some(&shift.time_zone)).clock(until)) " " (shift.time_zone) ")" }
                                }
                                @if let Some(next) = &shift.next_name { ", then " bdi { (next) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn ended(board: &Board, org: &Org) -> Markup {
    let when = &board.when;
    html! {
        section {
            h2 { "Ended lately" }
            ul class="ended" {
                @for incident in &board.ended {
                    @let at = incident.closed_at.or(incident.resolved_at).unwrap_or(incident.updated_at);
                    li {
                        (parts::severity(incident.severity))
                        a href={ "/incidents/" (incident.reference) } { span class="ref" { (incident.reference) } " " bdi { (parts::cut(&incident.title, TITLE_CHARS_MAX)) } }
                        span class="quiet" {
                            (parts::state(incident.state)) " " (when.time(at, &when.ago(at)))
                            @if let Some(id) = &incident.service { " · " bdi { (parts::service(org, id)) } }
                        }
                    }
                }
            }
        }
    }
}

/// Characters of a title in the list of ended incidents.
const TITLE_CHARS_MAX: usize = 120;
