//! An incident: where it stands, what is awaited and when, and its log.

use allclear_domain::access::Principal;
use allclear_domain::incident::State;
use allclear_domain::org::snapshot::Org;
use allclear_domain::paging::Status;
use allclear_domain::view::{AlertView, EventView, ExpectationView, IncidentView, MessageView, PageView};
use allclear_engine::Engine;
use allclear_engine::queries::{AlertFilter, NoAnswer};
use maud::{Markup, html};

use crate::link_page::ended;
use crate::log;
use crate::parts;
use crate::when::When;

/// Alerts shown; a storm has thousands.
const ALERTS_SHOWN: i64 = 50;
/// Messages shown of one page, the newest.
const MESSAGES_SHOWN: usize = 30;
/// Pages shown, the newest.
const PAGES_SHOWN: usize = 10;
/// Characters of one line of the log; a note may be longer and unfolds.
const LINE_CHARS_MAX: usize = 400;
/// Characters that a line unfolds to.
const UNFOLDED_CHARS_MAX: usize = 8000;

/// Which part of the log is shown.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Part {
    /// Only what people look for first.
    pub key: bool,
    /// From this number on, rather than the end.
    pub from: Option<i64>,
}

/// Everything on the page.
pub(crate) struct Told {
    pub incident: IncidentView,
    when: When,
    awaited: Vec<ExpectationView>,
    lines: Vec<EventView>,
    part: Part,
    /// Whether there is more before the first line.
    before: bool,
    /// Where the lines after the last begin.
    after: Option<i64>,
    pages: Vec<PageView>,
    alerts: Vec<AlertView>,
}

/// Reads it.
pub(crate) async fn read(engine: &Engine, who: &Principal, when: When, reference: &str, part: Part) -> Result<Told, NoAnswer> {
    let queries = engine.queries(who);
    let id = queries.incident_id(reference).await?;
    let incident = queries.incident(id).await?;
    let mut awaited = queries.expectations(id).await?;
    awaited.retain(|e| e.state == "live" && e.rule != "incident.alerts_digest");
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
        lines.retain(|e| log::is_key(&e.kind));
    }
    if lines.len() > log::LINES_SHOWN_MAX {
        lines.drain(..lines.len() - log::LINES_SHOWN_MAX);
        before = true;
    }
    let mut pages = queries.pages(id).await?;
    pages.reverse();
    pages.truncate(PAGES_SHOWN);
    let alerts = queries.alerts(AlertFilter { incident: Some(id), ..AlertFilter::default() }, ALERTS_SHOWN).await?;
    Ok(Told { incident, when, awaited, lines, part, before, after, pages, alerts })
}

/// The page's body.
pub(crate) fn page(told: &Told, org: &Org) -> Markup {
    html! {
        main class="wide incident" {
            (head(told, org))
            (next(told))
            div class="columns" {
                (log_of(told, org))
                div class="aside" { (pages(told, org)) (alerts(told)) }
            }
        }
    }
}

fn head(told: &Told, org: &Org) -> Markup {
    let (incident, when) = (&told.incident, &told.when);
    let began = incident.impact_started_at.or(incident.declared_at).unwrap_or(incident.created_at);
    let end = incident.resolved_at.or(incident.closed_at).filter(|_| !incident.state.is_open());
    let person = |id: &Option<String>| id.as_deref().map(|id| parts::name(org, id));
    html! {
        header class="what" {
            p class="top" {
                (parts::severity(incident.severity)) span class="ref" { (incident.reference) }
                strong { (parts::state(incident.state)) }
                @if let Some(at) = end { span class="quiet" { (when.ago(at)) ", " (when.stamp(at)) } }
                @else { span { (when.time(began, &when.age(began))) } }
            }
            h1 class="clamp" title=(incident.title) { bdi { (incident.title) } }
            dl class="inline" {
                div { dt { "Service" } dd { @match &incident.service { Some(id) => bdi { (parts::service(org, id)) }, None => "none is named" } } }
                div { dt { "Since" } dd { (when.stamp(began)) } }
                @if let Some(name) = person(&incident.commander) { div { dt { "Commander" } dd { bdi { (name) } } } }
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
                @if let Some(into) = &incident.merged_into { div { dt { "Merged into" } dd { a href={ "/incidents/" (into) } { "the other incident" } } } }
            }
        }
    }
}

fn next(told: &Told) -> Markup {
    let (incident, when) = (&told.incident, &told.when);
    html! {
        section class="awaited" {
            @if incident.state.is_open() { h2 { "Next, and when" } }
            @if told.awaited.is_empty() && incident.state.is_open() {
                @if incident.unanswered == Some(true) && incident.state == State::Declared {
                    p { span class="late" { "Nobody answered" } " Everybody was paged, and nothing more is sent." }
                } @else if incident.state == State::Declared {
                    p { span class="late" { "Nobody has it" } " No page is looking for anybody." }
                } @else {
                    p class="quiet" { "Nothing is due." }
                }
            }
            ul {
                @for awaited in &told.awaited {
                    li {
                        span class="when" {
                            @if when.is_late(awaited.due_at) { span class="late" { (when.time(awaited.due_at, &when.due(awaited.due_at))) } }
                            @else { strong { (when.time(awaited.due_at, &when.due(awaited.due_at))) } }
                            span class="quiet" { " " (when.exact(awaited.due_at)) }
                        }
                        span { (awaited.expects) span class="quiet" { ", else " (awaited.or_else) } }
                    }
                }
            }
            @if incident.state.is_open() {
                p class="quiet" { "From a terminal: " code { "allclear ack " (incident.reference) } " · " code { "allclear resolve " (incident.reference) } }
            }
        }
    }
}

fn log_of(told: &Told, org: &Org) -> Markup {
    let base = format!("/incidents/{}", told.incident.reference);
    let key = if told.part.key { "&log=key" } else { "" };
    html! {
        section class="log" {
            header {
                h2 { "Log" }
                p {
                    @if told.part.key { a href=(base) { "Everything" } " · " strong { "Key events" } }
                    @else { strong { "Everything" } " · " a href={ (base) "?log=key" } { "Key events" } }
                }
            }
            @if told.before { p class="quiet" { "There is more before this. " a href={ (base) "?from=0" (key) } { "From the beginning" } } }
            ol { @for event in &told.lines { (line(event, org, &told.when)) } }
            @if let Some(seq) = told.after {
                p { a href={ (base) "?from=" (seq) (key) } { "Later" } " · " a href=(base) { "The end" } }
            }
        }
    }
}

fn line(event: &EventView, org: &Org, when: &When) -> Markup {
    let class = if log::is_key(&event.kind) { "key" } else { "" };
    let by = actor(org, &event.actor).filter(|name| shows_actor(&event.kind) && !event.line.contains(name.as_str()));
    let long = event.line.chars().count() > LINE_CHARS_MAX;
    html! {
        li class=(class) {
            (when.stamp(event.at))
            div {
                @if long {
                    details {
                        summary { bdi { (parts::cut(&event.line, LINE_CHARS_MAX)) } }
                        p class="said" { bdi { (parts::cut(&event.line, UNFOLDED_CHARS_MAX)) } }
                    }
                } @else { bdi { (event.line) } }
                @if let Some(by) = by { span class="quiet" { " · by " bdi { (by) } } }
            }
        }
    }
}

/// Whether who did it is worth a word: what only followed from another event was done by the same.
fn shows_actor(kind: &str) -> bool {
    log::is_key(kind) && !matches!(kind, "step_reached" | "step_empty" | "page_exhausted")
}

/// Who did it, where it was not All Clear itself.
fn actor(org: &Org, actor: &str) -> Option<String> {
    match actor.split_once(':') {
        Some(("person", id)) => Some(parts::name(org, id)),
        Some(("integration", id)) => Some(id.to_owned()),
        Some(_) => Some("an API token".to_owned()),
        None => (actor == "administrator").then(|| "an administrator".to_owned()),
    }
}

fn pages(told: &Told, org: &Org) -> Markup {
    let when = &told.when;
    html! {
        section {
            h2 { "Pages" }
            @if told.pages.is_empty() { p class="quiet" { "Nobody was paged." } }
            @for page in &told.pages {
                div class="page" {
                    p {
                        @match page.status {
                            Status::Running => { strong { "Looking for somebody" } " · round " (page.round) ", " @if page.catch_all { "catch-all" } @else { "step " (page.step) } },
                            Status::Acknowledged => { strong { "Acknowledged" } @if let Some(id) = &page.acknowledged_by { " by " bdi { (parts::name(org, id)) } } },
                            Status::Stopped => strong { "Stopped" },
                            Status::Exhausted => span class="late" { "Nobody answered" },
                            Status::Told => strong { "Told" },
                        }
                    }
                    p class="quiet" {
                        "Started " (when.stamp(page.started_at))
                        @if let Some(at) = page.ended_at { ", ended " (when.stamp(at)) }
                        @if let Some(policy) = &page.escalation { " · policy " bdi { (policy) } } @else { " · no policy" }
                    }
                    @let hidden = page.messages.len().saturating_sub(MESSAGES_SHOWN);
                    @if hidden > 0 { p class="quiet" { (hidden) " earlier messages are not shown" } }
                    ul class="pairs" { @for message in page.messages.iter().skip(hidden) { (message_line(message, org, when)) } }
                }
            }
        }
    }
}

fn message_line(message: &MessageView, org: &Org, when: &When) -> Markup {
    let words = match message.state.as_str() {
        "delivered" => "told",
        "rejected" => "could not be reached",
        "withdrawn" => "not told, no longer needed",
        _ if message.last_error.is_some() => "not reached yet, still trying",
        _ => "being told",
    };
    html! {
        li {
            span { bdi { (parts::name(org, &message.person)) } }
            span {
                (words)
                span class="quiet" {
                    " by " bdi { (message.contact) } " · " (when.stamp(message.created_at))
                    @if message.in_doubt { " · may have arrived twice" }
                    @if message.attempts > 1 { " · try " (message.attempts) }
                }
                @if let Some(why) = message.last_error.as_ref().filter(|_| message.state != "delivered") {
                    span class="quiet" { " · " bdi { (parts::cut(why, LINE_CHARS_MAX)) } }
                }
            }
        }
    }
}

fn alerts(told: &Told) -> Markup {
    let when = &told.when;
    let open = told.alerts.iter().filter(|a| a.state == "open").count();
    html! {
        section {
            h2 { "Alerts" @if !told.alerts.is_empty() { span class="quiet" { " · " (open) " open of " (told.alerts.len()) } } }
            @if told.alerts.is_empty() { p class="quiet" { "None: a person declared it." } }
            @if told.alerts.len() as i64 == ALERTS_SHOWN { p class="quiet" { "The newest " (ALERTS_SHOWN) " are shown." } }
            ul class="alerts" {
                @for alert in &told.alerts {
                    li {
                        p class="clamp" { bdi { (parts::cut(&alert.title, LINE_CHARS_MAX)) } }
                        p class="quiet" {
                            @if alert.state == "open" { "Open for " (when.time(alert.starts_at, &when.age(alert.starts_at))) }
                            @else { (ended(&alert.state)) @if let Some(at) = alert.ended_at { " " (when.stamp(at)) } }
                            @if alert.count > 1 { " · sent " (alert.count) " times" }
                            @if let Some(source) = &alert.source { " · " bdi { (parts::cut(source, LINE_CHARS_MAX)) } }
                        }
                        (links(alert))
                    }
                }
            }
        }
    }
}

/// Links that came with an alert.
fn links(alert: &AlertView) -> Markup {
    /// More than these are kept, and not shown.
    const LINKS_SHOWN: usize = 3;
    let links = alert.detail.get("links").and_then(|l| l.as_array()).into_iter().flatten();
    let text = |link: &serde_json::Value, key: &str| link.get(key).and_then(|v| v.as_str()).unwrap_or("").to_owned();
    let links: Vec<(String, String)> = links
        .map(|link| (text(link, "href"), text(link, "text")))
        .filter(|(href, _)| parts::followable(href).is_some())
        .take(LINKS_SHOWN)
        .map(|(href, words)| if words.is_empty() { (href.clone(), parts::address(&href)) } else { (href, words) })
        .collect();
    html! {
        @if !links.is_empty() {
            p class="links" {
                @for (href, words) in &links { (parts::away(href, words)) " " }
            }
        }
    }
}
