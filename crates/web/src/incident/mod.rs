//! An incident: where it stands, what is awaited and when, every command as a plain form, and its
//! log in the middle.
//!
//! All of it is in one document. On a laptop it stands in three columns; on a phone the tabs are
//! plain links and the style sheet shows one part at a time.

pub(crate) mod aside;
pub(crate) mod aside_forms;
pub(crate) mod ask_forms;
pub(crate) mod declare;
pub(crate) mod link_alert;
pub(crate) mod log;
pub(crate) mod preview;
pub(crate) mod submit;

use allclear_domain::access::{Actor, Principal, Right};
use allclear_domain::event::Mark;
use allclear_domain::expect::{Rule, Standing};
use allclear_domain::incident::lifecycle::Verb;
use allclear_domain::incident::{State, links};
use allclear_domain::org::snapshot::Org;
use allclear_domain::paging::{MessageState, Status};
use allclear_domain::time::after;
use allclear_domain::timeline;
use allclear_domain::view::{ActionView, AlertView, EventView, ExpectationView, IncidentView, PageView, UpdateView};
use allclear_engine::Engine;
use allclear_engine::read::learning::ActionFilter;
use allclear_engine::read::{AlertFilter, IncidentFilter, NoAnswer, Queries};
use axum::extract::{Path, Query, State as Shared};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};

use crate::access::reader::{Asked, answer, reader};
use crate::app::App;
use crate::frame::pieces;
use crate::frame::shell::{HtmlPage, framed};
use crate::frame::time_text::When;
use crate::posted::Draft;
use crate::took;

/// Alerts shown; a storm has thousands.
pub(crate) const ALERTS_SHOWN: i64 = 50;
/// Pages shown, the newest.
const PAGES_SHOWN: usize = 10;
/// Updates to stakeholders shown, the newest.
const UPDATES_SHOWN: usize = 5;
/// Corrective actions shown; the page of actions has all.
const ACTIONS_SHOWN: i64 = 20;
/// Characters of a role or a task beside its deadline.
const OF_WHAT_CHARS_MAX: usize = 80;
/// Earlier incidents of the same service that are shown.
const SIMILAR_SHOWN: usize = 5;
/// Open incidents to choose from, where one is merged.
const OTHERS_SHOWN: i64 = 50;
/// Characters of one line of the log; a note may be longer and unfolds.
const LINE_CHARS_MAX: usize = 400;
/// Characters that a line unfolds to.
const UNFOLDED_CHARS_MAX: usize = 8000;
/// Parts of the page that a phone shows one at a time.
const TABS: [(&str, &str); 4] = [("log", "Log"), ("people", "People"), ("tasks", "Tasks"), ("more", "More")];

/// Which part of the log is shown.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Part {
    /// Only what people look for first.
    pub key: bool,
    /// From this number on, rather than the end.
    pub from: Option<i64>,
}

/// Everything on the page.
pub(crate) struct PageData {
    pub incident: IncidentView,
    pub when: When,
    pub awaited: Vec<ExpectationView>,
    lines: Vec<EventView>,
    part: Part,
    /// Whether there is more before the first line.
    before: bool,
    /// Where the lines after the last begin.
    after: Option<i64>,
    pub pages: Vec<PageView>,
    pub alerts: Vec<AlertView>,
    /// What stakeholders were told, the newest first.
    pub updates: Vec<UpdateView>,
    /// What was promised after it, the newest first.
    pub actions: Vec<ActionView>,
    /// Earlier ones of the same service.
    pub similar: Vec<IncidentView>,
    /// Other open ones that it may be merged into, those of its service first.
    pub others: Vec<IncidentView>,
    /// The one that it was merged into, where the reader may see it.
    into: Option<IncidentView>,
    /// Whether anybody is known to have it.
    held: bool,
    /// Whether the reader may act.
    pub may_act: bool,
    pub me: Option<String>,
    /// What somebody typed that was not taken, or which form they asked for.
    pub draft: Draft,
    tab: &'static str,
}

impl PageData {
    /// Whether the reader told this audience of it last: nothing else is ticked beforehand.
    pub(crate) fn told_last(&self, audience: &str) -> bool {
        let me = self.me.as_ref().map(|me| Actor::Person(me.clone()).to_string());
        let last = self.updates.iter().find(|update| Some(&update.actor) == me.as_ref());
        last.is_some_and(|update| update.audiences.iter().any(|told| told == audience))
    }

    /// Whom its pages call now: who was told by those that look for somebody, in the order in which they were.
    pub(crate) fn called(&self) -> Vec<String> {
        let mut called: Vec<String> = Vec::new();
        for message in self.pages.iter().filter(|page| page.status == Status::Running).flat_map(|page| &page.messages) {
            if message.state != MessageState::Withdrawn && !called.contains(&message.person) {
                called.push(message.person.clone());
            }
        }
        called
    }

    /// Whether it was merged, and not too long ago to be an incident of its own again.
    pub(crate) fn may_be_taken_apart(&self) -> bool {
        let merged_at = self.incident.closed_at.filter(|_| ask_forms::fits(self, Verb::TakeApart));
        merged_at.is_some_and(|at| self.when.now <= after(at, links::TAKE_APART_WITHIN))
    }

    /// Whether anybody is known to have it.
    pub(crate) const fn is_held(&self) -> bool {
        self.held
    }

    /// Whether nobody has it: nobody took it yet, or whoever did gave it back.
    pub(crate) fn is_nobodys(&self) -> bool {
        self.incident.state == State::Declared || (self.incident.state.is_open() && self.incident.state != State::Candidate && !self.held)
    }
}

/// GET.
pub(crate) async fn show(Shared(app): Shared<App>, headers: HeaderMap, Path(reference): Path<String>, Query(asked): Asked) -> Response {
    answer(async {
        let (who, when) = reader(&app, &headers).await?;
        let draft = Draft { verb: asked.get("do").cloned().unwrap_or_default(), ..Draft::default() };
        let told = Box::pin(read(&app.engine, &who, when, &reference, &asked, draft)).await?;
        let said = Box::pin(took::strip(&app, &who, &told.when, &asked, false)).await;
        Ok(shown_with(&app, &who, &told, asked.contains_key("wall"), said))
    })
    .await
}

/// GET of an address that only takes POST: somebody reloaded a refused form.
pub(crate) async fn back(Path((reference, _)): Path<(String, String)>) -> Response {
    Redirect::to(&format!("/incidents/{}", pieces::escaped(&reference))).into_response()
}

/// The page of what was read.
pub(crate) fn shown(app: &App, who: &Principal, told: &PageData, wall: bool) -> Response {
    shown_with(app, who, told, wall, html! {})
}

fn shown_with(app: &App, who: &Principal, told: &PageData, wall: bool, said: Markup) -> Response {
    let title = format!("{} {}", told.incident.reference, told.incident.title);
    let body = html! { (page(told, &app.engine.org())) (said) };
    let live = Some(format!("on=incident&id={}", told.incident.id));
    let page = HtmlPage { title: &title, place: &crate::board::PLACE, who, when: &told.when, wall, live, source: address(told), body };
    framed(app, &page)
}

/// The address of this view of it.
fn address(told: &PageData) -> String {
    let mut parts = Vec::new();
    if told.tab != TABS[0].0 {
        parts.push(format!("tab={}", told.tab));
    }
    if told.part.key {
        parts.push("key".to_owned());
    }
    if let Some(from) = told.part.from {
        parts.push(format!("from={from}"));
    }
    let base = format!("/incidents/{}", told.incident.reference);
    if parts.is_empty() { base } else { format!("{base}?{}", parts.join("&")) }
}

/// Reads it.
pub(crate) async fn read(
    engine: &Engine,
    who: &Principal,
    when: When,
    reference: &str,
    asked: &crate::access::reader::Fields,
    draft: Draft,
) -> Result<PageData, NoAnswer> {
    let part = Part {
        key: asked.contains_key("key") || asked.get("log").is_some_and(|log| log == "key"),
        from: asked.get("from").and_then(|from| from.parse().ok()),
    };
    let tab = TABS.iter().find(|(id, _)| asked.get("tab").is_some_and(|tab| tab == id)).map_or(TABS[0].0, |(id, _)| id);
    let queries = engine.queries(who);
    let id = queries.incident_id(reference).await?;
    let incident = queries.incident(id).await?;
    let held = queries.is_held(id).await?;
    let mut awaited = queries.expectations(id).await?;
    awaited.retain(|e| e.state == Standing::Live && e.rule != Rule::AlertsDigest.name() && !e.rule.starts_with("alert."));
    let (mut lines, mut before, after) = match part.from {
        None => {
            let (lines, before) = log::tail(&queries, id).await?;
            (lines, before, None)
        }
        Some(seq) => {
            let lines = queries.events(id, seq, log::LINES_SHOWN_MAX as i64).await?;
            let after = (lines.len() == log::LINES_SHOWN_MAX).then(|| lines.last().map(|e| e.seq)).flatten();
            (lines, seq > 0, after)
        }
    };
    if part.key {
        lines.retain(|e| log::is_key(e, &incident));
    }
    if lines.len() > log::LINES_SHOWN_MAX {
        lines.drain(..lines.len() - log::LINES_SHOWN_MAX);
        before = true;
    }
    let mut pages = queries.pages(id).await?;
    pages.reverse();
    pages.truncate(PAGES_SHOWN);
    let alerts = queries.alerts(AlertFilter { incident: Some(id), ..AlertFilter::default() }, ALERTS_SHOWN).await?;
    let mut similar = Vec::new();
    if incident.service.is_some() {
        let of_service = IncidentFilter { service: incident.service.clone(), before: Some(id), ..IncidentFilter::default() };
        similar = queries.incidents(of_service, SIMILAR_SHOWN as i64).await?;
    }
    let may_act = queries.has(Right::Respond);
    let me = who.person().map(ToOwned::to_owned);
    let mut updates = if incident.last_update_at.is_some() { queries.updates(id).await? } else { Vec::new() };
    updates.reverse();
    updates.truncate(UPDATES_SHOWN);
    let of_it = ActionFilter { incident: Some(id), ..ActionFilter::default() };
    let actions = queries.actions(of_it, ACTIONS_SHOWN).await?;
    let (others, into) = beside(&queries, &incident, may_act).await?;
    Ok(PageData {
        incident,
        when,
        awaited,
        lines,
        part,
        before,
        after,
        pages,
        alerts,
        updates,
        actions,
        similar,
        others,
        into,
        held,
        may_act,
        me,
        draft,
        tab,
    })
}

/// The open incidents that it may be merged into, and the one that it was.
async fn beside(
    queries: &Queries<'_>,
    incident: &IncidentView,
    may_act: bool,
) -> Result<(Vec<IncidentView>, Option<IncidentView>), NoAnswer> {
    let into = match incident.merged_into.as_ref().and_then(|id| id.parse().ok()) {
        Some(id) => match queries.incident(id).await {
            Ok(found) => Some(found),
            Err(NoAnswer::Missing(_)) => None,
            Err(why) => return Err(why),
        },
        None => None,
    };
    if !may_act || !incident.state.is_open() {
        return Ok((Vec::new(), into));
    }
    let mut others = queries.incidents(IncidentFilter { open: true, ..IncidentFilter::default() }, OTHERS_SHOWN).await?;
    others.retain(|other| other.id != incident.id);
    others.sort_by_key(|other| other.service != incident.service);
    Ok((others, into))
}

fn page(told: &PageData, org: &Org) -> Markup {
    html! {
        article class={ "incident tab-" (told.tab) } {
            (head(told, org))
            (next(told, org))
            @if told.may_act { (ask_forms::bar(told, org)) }
            (tabs(told))
            div class="columns" {
                div class="left" { (aside::people(told, org)) (aside::tasks(told, org)) }
                (log_of(told, org))
                (aside::more(told, org))
            }
        }
    }
}

fn head(told: &PageData, org: &Org) -> Markup {
    let (incident, when) = (&told.incident, &told.when);
    let began = incident.impact_started_at.or(incident.declared_at).unwrap_or(incident.created_at);
    let end = match incident.state {
        State::Closed => incident.closed_at.or(incident.resolved_at),
        _ => incident.resolved_at.or(incident.closed_at),
    };
    let end = end.filter(|_| !incident.state.is_open());
    let person = |id: &Option<String>| id.as_deref().map(|id| pieces::name(org, id));
    html! {
        header class="head" data-live="head" {
            p class="top" {
                (pieces::severity(incident.severity)) span class="ref" { (incident.reference) }
                strong class="standing" { (pieces::state(incident.state)) }
                @if incident.private { span class="private" { "Private" } }
                @if let Some(at) = end { span class="quiet" { (when.ago(at)) ", " (when.stamp(at)) } }
                @else { span { (when.aging(began)) } }
            }
            h1 class="clamp" title=(incident.title) { bdi { (incident.title) } }
            dl class="inline" {
                div {
                    dt { "Service" }
                    dd {
                        @match &incident.service {
                            Some(id) => a href={ "/services/" (pieces::escaped(id)) } { bdi { (pieces::service(org, id)) } },
                            None => "none is named",
                        }
                    }
                }
                @if !incident.affected.is_empty() {
                    div {
                        dt { "Affected" }
                        dd {
                            @for (n, one) in incident.affected.iter().enumerate() {
                                @if n > 0 { ", " }
                                bdi { (pieces::service(org, &one.service)) } " " strong { (one.impact) }
                            }
                        }
                    }
                }
                div { dt { "Since" } dd { (when.stamp(began)) " " span class="quiet" { (when.zone()) } } }
                div {
                    dt { "Commander" }
                    dd { @match person(&incident.commander) { Some(name) => bdi { (name) }, None => span class="quiet" { "nobody" } } }
                }
                div {
                    dt { "Acknowledged" }
                    dd {
                        @match (person(&incident.acknowledged_by), incident.acknowledged_at) {
                            (Some(name), Some(at)) => { bdi { (name) } ", " (when.stamp(at)) },
                            (None, Some(at)) => (when.stamp(at)),
                            _ => "by nobody",
                        }
                    }
                }
                @if let Some(id) = &incident.review { div { dt { "Review" } dd { a href={ "/reviews/" (id) } { "open it" } } } }
                @if let Some(into) = &incident.merged_into {
                    div { dt { "Merged into" } dd { (merged_into(told, into)) } }
                }
            }
        }
    }
}

/// The incident that it was merged into, by its reference and title.
fn merged_into(told: &PageData, id: &str) -> Markup {
    html! {
        @match &told.into {
            Some(into) => a href={ "/incidents/" (into.reference) } {
                span class="ref" { (into.reference) } " " bdi { (pieces::cut(&into.title, OF_WHAT_CHARS_MAX)) }
            },
            None => a href={ "/incidents/" (id) } { "another incident" },
        }
    }
}

/// Of which role or task something is awaited, where the rule alone does not say.
fn of_what(told: &PageData, org: &Org, awaited: &ExpectationView) -> Option<String> {
    if let Some(role) = awaited.key.strip_prefix("role:") {
        let asked = told.incident.roles.iter().find(|held| held.role == role)?.offered_to.as_deref()?;
        return Some(format!("{role}, {}", pieces::name(org, asked)));
    }
    let number: u32 = awaited.key.strip_prefix("task:")?.parse().ok()?;
    told.incident.tasks.iter().find(|task| task.task == number).map(|task| task.text.clone())
}

fn next(told: &PageData, org: &Org) -> Markup {
    let (incident, when) = (&told.incident, &told.when);
    let open = incident.state.is_open();
    html! {
        section class="awaited" aria-label="Next, and when" data-live="next" {
            @if let Some(until) = incident.held_until {
                p {
                    span class="late" { "Silenced" } " Nobody is paged until " (when.stamp(until)) ": silences hold every open alert ("
                    @for (n, id) in incident.held_by.iter().enumerate() {
                        @if n > 0 { ", " }
                        a href={ "/settings/silence/" (pieces::escaped(id)) } { bdi { (id) } }
                    }
                    ")."
                }
            }
            @if incident.flapping == Some(true) {
                p { span class="late" { "Flaps" } " An alert comes and goes. It counts as firing until nothing has changed for a while." }
            }
            @if let (Some(until), Some(by)) = (incident.snoozed_until, &incident.snoozed_by) {
                p {
                    "Snoozed until " (when.stamp(until)) " by " bdi { (pieces::name(org, by)) }
                    ". Nobody is asked whether they are still on it before."
                }
            }
            @if told.awaited.is_empty() && open {
                @if incident.unanswered == Some(true) && incident.state == State::Declared {
                    p { span class="late" { "Nobody answered" } " Everybody was paged, and nothing more is sent." }
                } @else if incident.state == State::Declared {
                    p { span class="late" { "Nobody has it" } " No page is looking for anybody." }
                } @else {
                    p class="quiet" { "Nothing is due." }
                }
            }
            @if !told.awaited.is_empty() {
                ul {
                    @for awaited in &told.awaited {
                        li data-key={ (awaited.owner) (awaited.key) } {
                            (when.counting(awaited.due_at))
                            span {
                                @if awaited.rule == Rule::UpdateDue.name() && told.may_act {
                                    a href={ "/incidents/" (incident.reference) "?do=update" } { (awaited.expects) }
                                } @else {
                                    (awaited.expects)
                                }
                                @if let Some(of) = of_what(told, org, awaited) { ": " bdi { (pieces::cut(&of, OF_WHAT_CHARS_MAX)) } }
                                span class="quiet" { ", else " (awaited.or_else) }
                            }
                            span class="quiet small at" { (when.exact(awaited.due_at)) }
                        }
                    }
                }
            }
        }
    }
}

fn tabs(told: &PageData) -> Markup {
    let base = format!("/incidents/{}", told.incident.reference);
    html! {
        nav class="tabs" aria-label="Parts of this incident" {
            @for (id, word) in TABS {
                a href={ (base) @if id != TABS[0].0 { "?tab=" (id) } } aria-current=[(id == told.tab).then_some("true")] { (word) }
            }
        }
    }
}

fn log_of(told: &PageData, org: &Org) -> Markup {
    let base = format!("/incidents/{}", told.incident.reference);
    let key = if told.part.key { "&key" } else { "" };
    let when = &told.when;
    let mut day = None;
    let today = when.day(when.now);
    html! {
        section class="log part-log" id="log" aria-label="Log" {
            header {
                h2 { "Log" span class="quiet" { " · times in " (when.zone()) } }
                p class="only-screen" {
                    @if told.part.key { a href=(base) { "Everything" } strong { "Key events" } }
                    @else { strong { "Everything" } a href={ (base) "?key" } { "Key events" } }
                }
            }
            div class="log-box" tabindex="0" role="region" aria-label="Log, oldest first" {
                div class="log-in" {
                    @if told.before {
                        p class="quiet" { "There is more before this. " a href={ (base) "?from=0" (key) } { "From the beginning" } }
                    }
                    ol data-live="log" data-grows {
                        @for event in &told.lines {
                            @let its = when.day(event.at);
                            @let before = day.replace(its);
                            @if before != Some(its) && (its != today || before.is_some()) {
                                li class="day" data-key={ "d" (its) } { (when.day_words(its)) }
                            }
                            (line(told, event, org))
                        }
                    }
                    @if let Some(seq) = told.after {
                        p { a href={ (base) "?from=" (seq) (key) } { "Later" } " · " a href=(base) { "The end" } }
                    }
                }
            }
            @if told.may_act { (ask_forms::marks(told)) (ask_forms::say(told)) }
        }
    }
}

fn line(told: &PageData, event: &EventView, org: &Org) -> Markup {
    let is_key = log::is_key(event, &told.incident);
    let by = pieces::actor(org, &event.actor).filter(|name| shows_actor(&event.kind) && !event.line.contains(name.as_str()));
    let long = event.line.chars().count() > LINE_CHARS_MAX;
    html! {
        li class=[is_key.then_some("key")] data-key=(event.seq) {
            (told.when.second(event.at))
            div {
                @if long {
                    details {
                        summary { bdi { (pieces::cut(&event.line, LINE_CHARS_MAX)) } }
                        p class="said" { bdi { (pieces::cut(&event.line, UNFOLDED_CHARS_MAX)) } }
                    }
                } @else { bdi { (event.line) } }
                @if let Some(by) = by { small { " · by " bdi { (by) } } }
                @if told.may_act && event.kind == log::NOTED { (ask_forms::mark(told, event, is_key)) }
            }
        }
    }
}

/// Whether who did it is worth a word: what only followed from another event was done by the same.
fn shows_actor(kind: &str) -> bool {
    timeline::is(kind, Mark::Key) && !timeline::is(kind, Mark::Follows)
}
