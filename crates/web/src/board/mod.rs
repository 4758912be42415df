//! The board: what needs a person, most urgent first; who is on call; and, when nothing is open,
//! how the first alarm is raised.
//!
//! It costs a bounded number of reads however much is open, and a row stays a few hundred bytes:
//! all its buttons belong to one form.

pub(crate) mod at_once;
mod contended;
pub(crate) mod filter;
pub(crate) mod letters;
mod need;
mod owing;

use std::sync::Arc;

use allclear_domain::access::{Principal, Right};
use allclear_domain::expect::Rule;
use allclear_domain::incident::clock::Clock;
use allclear_domain::incident::objective::ObjectiveKind;
use allclear_domain::incident::work::TaskState;
use allclear_domain::incident::{Severity, State};
use allclear_domain::org::snapshot::Org;
use allclear_domain::view::{Contention, IncidentView, OnCallView, UnderView};
use allclear_engine::Engine;
use allclear_engine::read::screens::Asking;
use allclear_engine::read::tried::Unproven;
use allclear_engine::read::{IncidentFilter, NoAnswer};
use axum::extract::{Query, State as Shared};
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::get;
use jiff::Timestamp;
use maud::{Markup, Render, html};

use crate::access::form_key::once;
use crate::access::reader::{Asked, answer, reader};
use crate::app::{ALL, App, DemoMessage, Lists, Place, WebOptions};
use crate::board::filter::{Filter, Need};
use crate::frame::pieces;
use crate::frame::shell::{HtmlPage, framed};
use crate::frame::time_text::When;
use crate::saved::Saved;
use crate::{demo_outbox, first, took};

pub(crate) static PLACE: Place = Place {
    path: "/",
    word: "Board",
    strokes: "M3 5h14M3 10h14M3 15h9",
    key: Some('b'),
    lists: Lists::RAIL_DOCK,
    leads: ALL,
    page: || get(show),
};

/// Ended incidents shown below the open ones.
const ENDED_SHOWN: usize = 5;
/// Ended ones are looked for among this many of the newest.
const ENDED_AMONG: i64 = 30;
/// Messages of a demonstration shown on the board; the others have a page.
const MESSAGES_SHOWN: usize = 4;
/// Rows of a wall: 1080 lines have room for a head, these, how many more there are, and who is on call.
const WALL_ROWS: usize = 7;
/// Rows of a board before somebody asks for all of them: far more than anybody works on, and a fifth of the megabyte that a thousand are.
const ROWS_SHOWN: usize = 200;
/// Characters of a title in the list of ended incidents.
const TITLE_CHARS_MAX: usize = 120;
/// Characters of a title that two lines of a phone hold; a longer one may be cut there, and is told whole by pointing at it.
const TITLE_CHARS_SEEN: usize = 60;
/// Bytes of a row, by and large: 1,030 with a title of thirty characters.
const ROW_BYTES: usize = 1_200;
/// The form that all buttons of the rows belong to.
const ACTS: &str = "acts";

/// One open incident.
pub(crate) struct Row {
    pub incident: Arc<IncidentView>,
    /// What it is a part of.
    under: Option<UnderView>,
    held: bool,
    asks: Option<Asking>,
    due: Option<Due>,
    /// Whether something is awaited of somebody or calls somebody; a clock of a target only tells.
    waits: bool,
    /// Whether it asks the reader.
    asks_me: bool,
    /// Whether somebody has it, and a further page of it looks for the reader.
    looks_for_me: bool,
    /// Whether it is the reader's.
    mine: bool,
    /// What other open incidents want as well.
    contention: Contention,
}

/// What is awaited next, of the things that a person would act on.
#[derive(Clone, Copy)]
struct Due {
    words: &'static str,
    at: Timestamp,
}

/// What is due of a page that nobody answered.
const COMES_BACK: &str = "page comes back";

/// Everything on the board.
pub(crate) struct Board {
    when: When,
    me: Option<String>,
    may_act: bool,
    filter: Filter,
    /// What is shown.
    rows: Vec<Row>,
    candidates: Vec<Row>,
    /// Of everything open, before it was narrowed: how many of each severity, and how many are mine.
    counts: [usize; 5],
    mine: usize,
    late: usize,
    nobodys: usize,
    /// How many somebody has, and nothing of them is due: nobody would look at one again.
    undue: usize,
    /// How many ask for somebody who is the reader.
    waiting: Markup,
    /// Whether more are open than a board holds.
    cut: bool,
    ended: Vec<IncidentView>,
    /// Over, and a regulator is owed a report of it still.
    owing: Vec<IncidentView>,
    /// Nothing of it for a guest.
    on_call: Option<Vec<OnCallView>>,
    /// On call, and not known to be reached; for administrators.
    unproven: Vec<Unproven>,
    /// What is missing until somebody can be paged, where nobody was yet.
    first: Option<Markup>,
    /// Boards and searches that the reader keeps under names.
    saved: Markup,
}

/// GET.
pub(crate) async fn show(Shared(app): Shared<App>, headers: HeaderMap, Query(asked): Asked) -> Response {
    answer(async {
        let (who, when) = reader(&app, &headers).await?;
        let wall = asked.contains_key("wall");
        let filter = Filter::read(&asked);
        let source = filter.address(wall);
        let mut board = read(&app.engine, &who, when.clone(), filter).await?;
        // Whoever answered a real page needs no test to know that they are reached.
        let worked = board.rows.iter().map(|row| &*row.incident).chain(&board.ended).any(|incident| incident.acknowledged_at.is_some());
        if !wall && !worked {
            board.first = first::part(&app, &who, &when).await?;
        }
        if !wall {
            let saved = Saved::of(&app, &who).await?;
            board.saved = html! { (saved.links(&source)) @if board.filter.is_narrow() { (saved.form(&source)) } };
        }
        let sent = demo_outbox::seen(&app, &who).await?;
        let title = title(&board);
        let said = Box::pin(took::strip(&app, &who, &board.when, &asked, true)).await;
        let body = html! { (page(&board, &app.engine.org(), &app.options, &sent, wall)) (said) };
        Ok(framed(
            &app,
            &HtmlPage { title: &title, place: &PLACE, who: &who, when: &when, wall, live: Some("on=board".into()), source, body },
        ))
    })
    .await
}

/// What a tab shows of it: how many wait, before anything else.
fn title(board: &Board) -> String {
    match board.counts.iter().sum::<usize>() {
        0 => "Board".to_owned(),
        open if board.late > 0 => format!("{open} open, {} late", board.late),
        open => format!("{open} open"),
    }
}

async fn read(engine: &Engine, who: &Principal, when: When, filter: Filter) -> Result<Board, NoAnswer> {
    let queries = engine.queries(who);
    let everything = IncidentFilter::default();
    // At once: the store has more than one reader, and these two are most of what a large board costs.
    let (open, awaited) = (Box::pin(queries.board(&everything)), Box::pin(queries.awaited(&everything)));
    let ((open, cut), awaited) = tokio::try_join!(open, awaited)?;
    let mut due: std::collections::HashMap<String, Due> = std::collections::HashMap::with_capacity(open.len());
    for awaited in awaited {
        let Some(words) = words(awaited.rule) else { continue };
        let found = Due { words, at: awaited.due_at };
        let first = due.entry(awaited.incident.to_string()).or_insert(found);
        if found.at < first.at {
            *first = found;
        }
    }
    let me = who.person().map(ToOwned::to_owned);
    let mut rows: Vec<Row> = open
        .into_iter()
        .map(|one| {
            let late = sooner(late_task(&one.incident), late_report(&one.incident));
            let awaited = sooner(due.get(&one.incident.id).copied(), late);
            Row {
                asks_me: one.waits_for_reader(),
                looks_for_me: one.looks_for_reader,
                mine: me.as_deref().is_some_and(|me| one.is_of_reader(me)),
                waits: awaited.is_some_and(|due| due.words != COMES_BACK),
                due: sooner(sooner(awaited, one.clock.map(target)), objective(&one.incident)),
                contention: one.contention,
                under: one.under,
                incident: one.incident,
                held: one.held,
                asks: one.asks,
            }
        })
        .collect();
    let mut counts = [0; 5];
    for row in rows.iter().filter(|row| row.incident.state != State::Candidate) {
        counts[usize::from(row.incident.severity.rank() - 1)] += 1;
    }
    let mine = rows.iter().filter(|row| row.mine).count();
    let declared = |row: &&Row| row.incident.state != State::Candidate;
    let late = rows.iter().filter(declared).filter(|row| row.is_late(&when)).count();
    let nobodys = rows.iter().filter(|row| row.is_nobodys()).count();
    let undue = rows.iter().filter(|row| row.is_undue()).count();
    rows.sort_by_cached_key(|row| row.place(&when));
    let may_act = queries.has(Right::Respond);
    let waits: Vec<&Row> = rows.iter().filter(|row| may_act && row.asks_me).collect();
    let waiting = at_once::bar(&waits, &when);
    rows.retain(|row| filter.admits(&row.incident, row.mine));
    rows.retain(|row| filter.wants(row.is_late(&when), row.is_nobodys(), row.is_undue()));
    let (candidates, rows) = rows.into_iter().partition(|row| row.incident.state == State::Candidate);
    let mut ended = queries.incidents(IncidentFilter { real: true, ..IncidentFilter::default() }, ENDED_AMONG).await?;
    ended.retain(|i| !i.state.is_open());
    ended.truncate(ENDED_SHOWN);
    let owing = queries.owing().await?;
    let on_call = if queries.has(Right::SeeOrganisation) { Some(queries.on_call(when.now)?) } else { None };
    let unproven = if queries.has(Right::Administer) { queries.unproven(when.now).await? } else { Vec::new() };
    let (first, saved) = (None, html! {});
    Ok(Board {
        when,
        me,
        may_act,
        filter,
        rows,
        candidates,
        counts,
        mine,
        late,
        nobodys,
        undue,
        waiting,
        cut,
        ended,
        owing,
        on_call,
        unproven,
        first,
        saved,
    })
}

/// The open task that should have been done first: nothing awaits it any more once it was missed, and it is owed all the same.
fn late_task(incident: &IncidentView) -> Option<Due> {
    let owed = incident.tasks.iter().filter(|task| task.state == TaskState::Open && task.late).filter_map(|task| task.due_at);
    owed.min().map(|at| Due { words: "task", at })
}

/// The report to a regulator that should have been submitted first.
fn late_report(incident: &IncidentView) -> Option<Due> {
    let owed = incident.obligations.iter().filter_map(|one| one.owed()).filter(|report| report.late).filter_map(|report| report.due_at);
    owed.min().map(|at| Due { words: "report to a regulator", at })
}

/// The recovery objective of its services that ends first, which may have been missed already.
fn objective(incident: &IncidentView) -> Option<Due> {
    let one = incident.objectives.iter().find(|one| one.ended_at.is_none())?;
    let words = match one.kind {
        ObjectiveKind::Rto => "recovery time objective",
        ObjectiveKind::Mtpd => "maximum tolerable period",
    };
    Some(Due { words, at: one.due_at })
}

/// Of which service an objective is, where that is what is due.
fn service_of<'a>(incident: &'a IncidentView, due: &Due) -> Option<&'a str> {
    let is_it = objective(incident).is_some_and(|other| other.words == due.words && other.at == due.at);
    incident.objectives.iter().find(|one| is_it && one.ended_at.is_none()).map(|one| one.service.as_str())
}

/// A clock of its target, which may have been missed already.
const fn target((clock, at): (Clock, Timestamp)) -> Due {
    let words = match clock {
        Clock::Acknowledge => "target: acknowledge",
        Clock::Engage => "target: engage",
        Clock::Mitigate => "target: mitigate",
        Clock::Resolve => "target: resolve",
    };
    Due { words, at }
}

fn sooner(one: Option<Due>, other: Option<Due>) -> Option<Due> {
    one.into_iter().chain(other).min_by_key(|due| due.at)
}

/// What a person would do about it, in a word or two; nothing for what only follows by itself.
fn words(rule: Rule) -> Option<&'static str> {
    Some(match rule.name() {
        "page.ack" => "acknowledge",
        "page.again" => COMES_BACK,
        "incident.candidate" => "decide",
        "incident.confirm_recovery" => "confirm recovery",
        "incident.group_wait" => "page starts",
        "incident.silenced" => "silence ends",
        "incident.flapping" => "quiet",
        // Which of its clocks it is, and whether one was missed, is told with the incident.
        "incident.target" | "incident.objective" => return None,
        name if name.starts_with("incident.") && !name.contains("digest") => other(rule),
        _ => return None,
    })
}

/// Rules of roles, tasks, updates and reviews, shortened from what they expect.
fn other(rule: Rule) -> &'static str {
    match rule.name() {
        "incident.role_answer" => "answer to an offer",
        "incident.role" => "role to fill",
        "incident.task" => "task",
        "incident.update" => "update",
        "incident.obligation" => "report to a regulator",
        "incident.attended" => "sign of work",
        "incident.still_on_it" => "still on it?",
        _ => rule.expects(),
    }
}

fn page(board: &Board, org: &Org, options: &WebOptions, sent: &[DemoMessage], wall: bool) -> Markup {
    let when = &board.when;
    let open: usize = board.counts.iter().sum();
    html! {
        header class="heading board-head" data-live="counts" {
            h1 class="counts" {
                @if open == 0 { "Nothing is open" } @else { (open) @if board.cut { "+" } " open" }
                @for (n, need) in [(board.nobodys, Need::Nobody), (board.late, Need::Late)] {
                    @if n > 0 { span class="dot" { " · " } a class="late" href=(need.address(wall)) { (n) " " (need.words()) } }
                }
                @if board.undue > 0 {
                    span class="dot" { " · " } a href=(Need::Undue.address(wall)) { (board.undue) " " (Need::Undue.words()) }
                }
            }
            p class="beside now" { (when.stamp(when.now)) " " (when.zone()) @if !wall { " · " a href="/?wall" { "Wall" } } }
        }
        @if !wall && open > 0 {
            (filter::bar(&board.filter, &board.counts, board.mine, board.me.is_some(), board.on_call.is_some().then_some(org)))
        }
        @if !wall { (board.saved) (board.waiting) }
        @let first = html! { div data-live="first" class="bare" { @if let Some(first) = &board.first { (first) } } };
        @if open == 0 { (first) }
        div data-live="rows" class="rows" {
            @if board.may_act { form id=(ACTS) method="post" action="/" hidden { (once(when)) input type="hidden" name="back" value="/"; } }
            @if open == 0 && board.candidates.is_empty() { (empty(options, board.first.is_some())) }
            @else if board.rows.is_empty() && board.filter.is_narrow() {
                p class="quiet" { "None of the " (open) " open incidents fits. " a href="/" { "Show all" } }
            }
            @let (rows, candidates) = shown(board, wall);
            @if !rows.is_empty() {
                ol class="board" data-list="open" aria-label="Open incidents, most urgent first" { (Lines { board, rows, org }) }
            }
            @if board.cut { p class="quiet" { "More are open, none worse than these. All of them: " code { "allclear list" } } }
            @if !candidates.is_empty() {
                section class="candidates" {
                    h2 { "Candidates (" (board.candidates.len()) ")" span class="quiet" { " · is this an incident?" } }
                    ol class="board" data-list="candidates" aria-label="Candidates" { (Lines { board, rows: candidates, org }) }
                }
            }
            @let more = board.rows.len() + board.candidates.len() - rows.len() - candidates.len();
            @if more > 0 {
                p class="more" {
                    "+" (more) @if board.cut { " and" } " more"
                    @if !wall { ", none worse than these · " a href=(board.filter.with_all().address(false)) { "Show all" } }
                }
            }
        }
        // What is open comes first.
        @if open > 0 { (first) }
        @if !board.owing.is_empty() { div data-live="owing" class="bare" { (owing::section(&board.owing, when)) } }
        div class="below" data-live="below" {
            @if let Some(shifts) = &board.on_call { (on_call(board, shifts, wall)) }
            @if !board.ended.is_empty() && !wall { (ended(board, org)) }
        }
        @if options.demo_outbox.is_some() && !wall {
            section class="sent" data-live="sent" {
                h2 { "Messages" span class="quiet" { " · this demonstration sends none; these would have gone out" } }
                (demo_outbox::list(sent, org, when, MESSAGES_SHOWN))
                @if sent.len() > MESSAGES_SHOWN { p class="all" { a href="/outbox" { "All " (sent.len()) " messages" } } }
            }
        }
        @if let Some(curl) = options.first_alarm_curl.as_ref().filter(|_| options.open_to.is_some() && open > 0 && !wall) {
            section class="empty own" {
                h2 { "Raise an alarm of your own" }
                pre tabindex="0" { code { (curl) } }
            }
        }
    }
}

/// The rows that are shown, open ones and candidates: a wall shows what it has room for, since nobody scrolls it.
fn shown(board: &Board, wall: bool) -> (&[Row], &[Row]) {
    let room = match (wall, board.filter.all) {
        (true, _) => WALL_ROWS,
        (false, true) => usize::MAX,
        (false, false) => ROWS_SHOWN,
    };
    let open = board.rows.len().min(room);
    // A wall has room for so many in all; on a board no number of open ones hides what somebody has to decide.
    let left = if wall { room - open } else { room };
    (&board.rows[..open], &board.candidates[..board.candidates.len().min(left)])
}

/// Rows, written into a page that has room for them: a thousand are a megabyte, which would be moved ten
/// times while it grows.
struct Lines<'a> {
    board: &'a Board,
    rows: &'a [Row],
    org: &'a Org,
}

impl Render for Lines<'_> {
    fn render_to(&self, page: &mut String) {
        page.reserve(self.rows.len() * ROW_BYTES);
        for row in self.rows {
            line(self.board, row, self.org).render_to(page);
        }
    }
}

fn line(board: &Board, row: &Row, org: &Org) -> Markup {
    let (incident, when) = (&row.incident, &board.when);
    let began = incident.declared_at.unwrap_or(incident.created_at);
    let who = incident.holder().filter(|_| row.held);
    html! {
        li class=[row.is_late(when).then_some("is-late")] data-key=(incident.reference) {
            span class="which" { (pieces::severity(incident.severity)) " " span class="ref" { (incident.reference) } }
            span class="what" {
                a class="title" href={ "/incidents/" (incident.reference) }
                    title=[(incident.title.chars().count() > TITLE_CHARS_SEEN).then_some(&incident.title)] {
                    bdi { (incident.title) }
                }
                @if incident.reports.is_some() { span class="quiet outside" { "from outside · " } }
                span class="service" { @if let Some(id) = &incident.service { bdi { (pieces::service(org, id)) } } @else { "no service" } }
            }
            span class="standing" {
                span class="state" {
                    (pieces::state(incident.state))
                    @if incident.recovered && incident.state.is_open() { span class="quiet" { ", recovered" } }
                    @if incident.held_until.is_some() { span class="quiet" { ", silenced" } }
                    @if incident.flapping == Some(true) { span class="quiet" { ", flaps" } }
                }
                span class="age" { span class="vh" { "open for " } (when.aging(began)) }
            }
            span class={ "who" @if who.is_none() && !incident.recovered { " none" } } {
                @if incident.recovered { span class="short" { "recovered" @if who.is_some() { ", " } } }
                @if let Some(id) = who { span class="vh" { "with " } bdi { (pieces::name(org, id)) } }
                @else { span class="quiet" { "—" span class="vh" { " nobody has it" } } }
                @if let Some(at) = incident.last_update_at { span class="told quiet" { "told " (when.time(at, &when.ago(at))) } }
            }
            span class={ "next" @if row.asks.is_some() { " asks" } } {
                @if let Some(asks) = &row.asks { (need::asking(row, asks, board.on_call.is_some().then_some(org), when)) }
                @else if let Some(due) = &row.due {
                    span class="words" {
                        (due.words) @if let Some(id) = service_of(incident, due) { " of " bdi { (pieces::service(org, id)) } }
                    }
                    " " (when.counting(due.at))
                }
                @else if row.is_nobodys() { span class="late" { "nobody has it" } }
                @else { span class="quiet nothing" { "nothing is due" } }
            }
            span class="act" { @if board.may_act { (next_act(row)) } }
            (contended::mark(&row.contention, &incident.reference, row.under.as_ref(), board.on_call.is_some().then_some(org)))
        }
    }
}

/// The one button of a row: the next likely act.
fn next_act(row: &Row) -> Markup {
    let incident = &row.incident;
    let to = |verb: &str| format!("/incidents/{}/{verb}", incident.reference);
    let of = |verb: &str| format!("{verb} {}", incident.reference);
    html! {
        @match incident.state {
            state if state == State::Declared || row.looks_for_me || (!row.held && state != State::Candidate) => {
                button class="do" form=(ACTS) formaction=(to("acknowledge")) aria-label=(of("Acknowledge")) { "Acknowledge" }
            },
            State::Candidate => {
                button class="do" form=(ACTS) formaction=(to("declare")) aria-label=(of("Declare")) { "Declare" }
                a class="may" href={ "/incidents/" (incident.reference) "?do=cancel" } aria-label=(of("Not an incident:")) {
                    "Not an incident"
                }
            },
            State::Mitigated => a class="may" href={ "/incidents/" (incident.reference) "?do=resolve" } aria-label=(of("Resolve")) {
                "Resolve"
            },
            _ if incident.recovered => a class="may" href={ "/incidents/" (incident.reference) "?do=resolve" } aria-label=(of("Resolve")) {
                "Resolve"
            },
            _ => a class="may" href={ "/incidents/" (incident.reference) "#say" } aria-label=(of("Write to")) { "Write" },
        }
    }
}

fn empty(options: &WebOptions, is_first_run: bool) -> Markup {
    html! {
        section class="empty" {
            p { "Alarms that arrive become incidents here, the most urgent first." }
            @if let Some(curl) = &options.first_alarm_curl {
                p { "Raise the first one. Copy this into a terminal:" }
                pre tabindex="0" { code { (curl) } }
            }
            @if !is_first_run { p { "Something is wrong and no alarm came? " a href="/declare" { "Say so here" } "." } }
        }
    }
}

fn on_call(board: &Board, shifts: &[OnCallView], wall: bool) -> Markup {
    let when = &board.when;
    html! {
        section class="now-on-call" {
            h2 { a href="/on-call" { "On call now" } }
            @if shifts.is_empty() { p class="quiet" { "No schedule is set, so escalation policies reach people only by name." } }
            // A wall is read by everybody, and what it shows is what burns.
            @if !wall { (unproven(&board.unproven)) }
            ul class="pairs" {
                @for shift in shifts {
                    li {
                        span { bdi { (shift.name) } }
                        span {
                            (crate::on_call::names(&shift.people))
                            span class="quiet until" {
                                @if let Some(until) = shift.until {
                                    " until " (when.time(until, &when.minute(until))) ", " (crate::on_call::then(shift, when))
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Who is on call and might not be reached: one quiet line.
fn unproven(found: &[Unproven]) -> Markup {
    html! {
        @if !found.is_empty() {
            p class="quiet unproven" {
                @for (at, one) in found.iter().enumerate() {
                    @if at > 0 { " · " }
                    a href={ "/settings/person/" (pieces::escaped(&one.person)) } { bdi { (one.name) } }
                    @if one.no_way { " has no way to be paged" } @else { " never answered a test page" }
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
                        (pieces::severity(incident.severity))
                        a href={ "/incidents/" (incident.reference) } {
                            span class="ref" { (incident.reference) } " " bdi { (pieces::cut(&incident.title, TITLE_CHARS_MAX)) }
                        }
                        span class="quiet" {
                            (pieces::state(incident.state)) " " (when.time(at, &when.ago(at)))
                            @if let Some(id) = &incident.service { " · " bdi { (pieces::service(org, id)) } }
                        }
                    }
                }
            }
        }
    }
}

/// Severities that a list of counts names.
pub(crate) fn severities() -> impl Iterator<Item = (usize, Severity)> {
    Severity::ALL.into_iter().enumerate()
}

#[cfg(test)]
mod tests {
    use super::*;
    use allclear_engine::read::screens::is_acted_on;

    #[test]
    fn what_is_due_on_the_board_is_what_counts_as_due_elsewhere() {
        for rule in Rule::ALL {
            assert_eq!(words(*rule).is_some(), is_acted_on(*rule), "{}", rule.name());
        }
    }
}
