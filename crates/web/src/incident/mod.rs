//! An incident: where it stands, what is awaited and when, every command as a plain form, and its
//! log in the middle.
//!
//! All of it is in one document. On a laptop it stands in three columns; on a phone the tabs are
//! plain links and the style sheet shows one part at a time.

pub(crate) mod alerts;
pub(crate) mod aside;
pub(crate) mod aside_forms;
pub(crate) mod ask_forms;
pub(crate) mod blast;
pub(crate) mod briefing;
mod clocks;
pub(crate) mod declare;
mod judged;
pub(crate) mod link_alert;
pub(crate) mod log;
mod log_section;
mod objectives;
mod obligations;
mod partners;
mod plan_fields;
mod plans;
pub(crate) mod preview;
pub(crate) mod print;
mod reasoning;
pub(crate) mod record;
mod recovered;
mod resources;
mod responders;
mod several;
pub(crate) mod submit;

use allclear_domain::access::{Actor, Principal, Right};
use allclear_domain::expect::{Rule, Standing};
use allclear_domain::incident::lifecycle::Verb;
use allclear_domain::incident::{State, links};
use allclear_domain::org::snapshot::Org;
use allclear_domain::paging::{MessageState, Status};
use allclear_domain::time::after;
use allclear_domain::view::{
    ActionView, AlertView, BriefingView, ChangeView, EventView, ExpectationView, IncidentView, Next, PageView, RollView, UpdateView,
};
use allclear_engine::Engine;
use allclear_engine::read::learning::ActionFilter;
use allclear_engine::read::{IncidentFilter, NoAnswer, Queries};
use axum::extract::{Path, Query, State as Shared};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use jiff::Timestamp;
use maud::{Markup, html};

use crate::access::reader::{Asked, answer, reader};
use crate::app::App;
use crate::frame::pieces;
use crate::frame::shell::{HtmlPage, framed};
use crate::frame::time_text::When;
use crate::posted::Draft;
use crate::took;

/// Pages shown, the newest, beside those that call somebody.
const PAGES_SHOWN: usize = 10;
/// Updates to stakeholders shown, the newest.
const UPDATES_SHOWN: usize = 5;
/// Corrective actions shown; the page of actions has all.
const ACTIONS_SHOWN: i64 = 20;
/// Characters of a role or a task beside its deadline.
const OF_WHAT_CHARS_MAX: usize = 80;
/// Changes of its service that are shown.
const CHANGES_SHOWN: i64 = 10;
/// Earlier incidents of the same service that are over and are shown.
const SIMILAR_SHOWN: i64 = 5;
/// Open incidents to choose from, where one is merged.
const OTHERS_SHOWN: i64 = 50;
/// How much of what is awaited is shown at once: what is due next, and what one can do stands below it on a phone.
const NEXT_SHOWN: usize = 3;
/// How much more of it unfolds.
const LATER_SHOWN: usize = 12;
/// Asks an address for a part of the page; a form above the parts says by it which one was shown.
const TAB: &str = "tab";
/// Parts of the page that a phone shows one at a time.
const TABS: [(&str, &str); 4] = [("log", "Log"), ("people", "People"), ("tasks", "Tasks"), ("more", "More")];

/// Everything on the page.
pub(crate) struct PageData {
    pub incident: IncidentView,
    pub when: When,
    pub awaited: Vec<ExpectationView>,
    log: log::Shown,
    part: log::Part,
    pub pages: Vec<PageView>,
    /// For whoever has a role or was asked to take one: what they have to know.
    pub briefing: Option<BriefingView>,
    /// Who was asked, and what became of it.
    pub roll: Vec<RollView>,
    /// Who passed a page on: the page's id, and theirs.
    declined: Vec<(String, String)>,
    pub alerts: Vec<AlertView>,
    /// What was changed of its service, the newest first.
    pub changes: Vec<ChangeView>,
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
    /// Whether its review is to be published before it is closed.
    pub awaits_review: bool,
    pub may_act: bool,
    pub me: Option<String>,
    /// What somebody typed that was not taken, or which form they asked for.
    pub draft: Draft,
    tab: &'static str,
    /// A guest link that its reader just made.
    guest_link: Option<partners::GuestLink>,
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
        let running = self.pages.iter().filter(|page| page.status == Status::Running);
        // Whoever has acknowledged what others have to acknowledge yet is not called any more.
        let asked = running.flat_map(|page| page.messages.iter().filter(|message| !page.answered.contains(&message.person)));
        for message in asked {
            if message.state != MessageState::Withdrawn && !called.contains(&message.person) {
                called.push(message.person.clone());
            }
        }
        called
    }

    /// Whether one of these looks for whoever reads.
    pub(crate) fn calls_reader(&self) -> bool {
        self.me.as_ref().is_some_and(|me| self.called().contains(me))
    }

    /// Whether it was merged, and not too long ago to be an incident of its own again.
    pub(crate) fn may_be_taken_apart(&self) -> bool {
        let merged_at = self.incident.closed_at.filter(|_| ask_forms::fits(self, Verb::TakeApart));
        merged_at.is_some_and(|at| self.when.now <= after(at, links::TAKE_APART_WITHIN))
    }

    /// What somebody who was paged answered, in a word; nothing while they have not.
    pub(crate) fn answer_of(&self, page: &PageView, person: &str) -> Option<&'static str> {
        if page.acknowledged_by.as_deref() == Some(person) || page.answered.iter().any(|by| by == person) {
            return Some("accepted");
        }
        self.declined.iter().any(|(of, by)| *of == page.id && by == person).then_some("declined")
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
    let mut parts: Vec<String> = Vec::new();
    if told.tab != TABS[0].0 {
        parts.push(format!("tab={}", told.tab));
    }
    parts.extend(told.part.asked());
    // The form that is open stays on the page when that is read again.
    if told.draft.verb.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-')) && !told.draft.verb.is_empty() {
        parts.push(format!("do={}", told.draft.verb));
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
    let part = log::Part::of(asked);
    let tab = TABS.iter().find(|(id, _)| asked.get(TAB).is_some_and(|tab| tab == id)).map_or(TABS[0].0, |(id, _)| id);
    let zone = when.tz().clone();
    let queries = engine.queries(who).in_zone(&zone);
    let id = queries.incident_id(reference).await?;
    let incident = queries.incident(id).await?;
    // What does not wait for each other is asked at once: each question takes its way to the database and back.
    let (held, mut awaited, mut pages, log) =
        tokio::try_join!(queries.is_held(id), queries.expectations(id), queries.pages(id), Box::pin(log::read(&queries, id, part)))?;
    let may_act = queries.has(Right::Respond);
    let me = who.person().map(ToOwned::to_owned);
    let concerns = |person: &Option<String>| me.is_some() && *person == me;
    let takes_over = incident.state.is_open() && incident.roles.iter().any(|role| concerns(&role.person) || concerns(&role.offered_to));
    let briefing = async {
        if !takes_over {
            return Ok(None);
        }
        queries.briefing_of(id, &incident, &pages, &awaited).await.map(Some)
    };
    let declined = async { if pages.is_empty() { Ok(Vec::new()) } else { queries.declined(id).await.map(|events| passed_on(&events)) } };
    let similar = async {
        if incident.service.is_none() {
            return Ok(Vec::new());
        }
        let of_service = IncidentFilter { service: incident.service.clone(), before: Some(id), over: true, ..IncidentFilter::default() };
        queries.incidents(of_service, SIMILAR_SHOWN).await
    };
    let updates = async { if incident.last_update_at.is_some() { queries.updates(id).await } else { Ok(Vec::new()) } };
    let of_it = ActionFilter { incident: Some(id), ..ActionFilter::default() };
    let (briefing, roll, declined, alerts, changes, similar, mut updates, actions, (others, into), awaits_review) = tokio::try_join!(
        Box::pin(briefing),
        Box::pin(queries.roll_of(id, &incident, &pages)),
        Box::pin(declined),
        Box::pin(queries.alerts_of(id, None, 0, alerts::ALERTS_READ)),
        Box::pin(queries.changes_beside(id, CHANGES_SHOWN)),
        Box::pin(similar),
        Box::pin(updates),
        Box::pin(queries.actions(of_it, ACTIONS_SHOWN)),
        Box::pin(beside(&queries, &incident, may_act)),
        Box::pin(queries.awaits_review(&incident)),
    )?;
    awaited.retain(|e| e.state == Standing::Live && e.rule != Rule::AlertsDigest.name() && !e.rule.starts_with("alert."));
    pages.reverse();
    // What calls somebody now is shown, however much was told since.
    let mut shown = 0;
    pages.retain(|page| {
        shown += 1;
        shown <= PAGES_SHOWN || page.status == Status::Running
    });
    updates.reverse();
    updates.truncate(UPDATES_SHOWN);
    Ok(PageData {
        incident,
        when,
        awaited,
        log,
        part,
        pages,
        briefing,
        roll,
        declined,
        alerts,
        changes,
        updates,
        actions,
        similar,
        others,
        into,
        held,
        awaits_review,
        may_act,
        me,
        draft,
        tab,
        guest_link: None,
    })
}

/// Of which page, and who.
fn passed_on(events: &[EventView]) -> Vec<(String, String)> {
    let one = |event: &EventView| Some((event.stream.clone(), event.body.as_ref()?.get("by")?.as_str()?.to_owned()));
    events.iter().filter_map(one).collect()
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
    others.retain(|other| other.id != incident.id && other.exercise == incident.exercise);
    others.sort_by_key(|other| other.service != incident.service);
    Ok((others, into))
}

fn page(told: &PageData, org: &Org) -> Markup {
    html! {
        article class={ "incident tab-" (told.tab) } {
            @if let Some(link) = &told.guest_link { (partners::shown_once(told, org, link)) }
            (head(told, org))
            (ask_forms::not_now(told))
            (next(told, org))
            (judged::advised(told))
            (obligations::asked(told, org))
            (several::offered(told, org))
            (aside_forms::asked_of_reader(told, org))
            (responders::asked(told, org))
            (plans::proposed(told))
            @if told.may_act {
                @let first = html! { (reasoning::first_ones(told, org)) (judged::set_type(told, org)) };
                (ask_forms::bar(told, org, &first, &several::acts(told, org)))
            }
            (tabs(told))
            div class="columns" {
                div class="left" {
                    (plans::section(told, org)) (recovered::section(told, org)) (aside::people(told, org)) (objectives_section(told, org))
                    (obligations::section(told, org)) (several::section(told, org)) (partners::section(told, org))
                    (responders::section(told, org)) (resources::section(told, org)) (aside::tasks(told, org))
                }
                (log_section::section(told, org))
                (aside::more(told, org))
            }
        }
    }
}

fn head(told: &PageData, org: &Org) -> Markup {
    let (incident, when) = (&told.incident, &told.when);
    let began = incident.began();
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
            (alerts::in_its_words(&told.alerts))
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
                @if let Some(text) = incident.service.as_ref().and_then(|id| org.service(id)?.runbook.as_deref()) {
                    div { dt { "Runbook" } dd { (pieces::link_or_text(text)) } }
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
                @if let Some(under) = &incident.under {
                    div {
                        dt { "Part" }
                        dd { a href={ "/incidents/" (under.reference) } { bdi { (under.words(&|id| pieces::name(org, id))) } } }
                    }
                }
                @if !incident.came.is_empty() { (several::moved("Came here", &incident.came, org)) }
                @if !incident.away.is_empty() { (several::moved("Went elsewhere", &incident.away, org)) }
                @if let Some(potential) = incident.potential.filter(|potential| *potential != incident.severity) {
                    div { dt { "May become" } dd { (pieces::severity(potential)) } }
                }
                @if let Some(kind) = &incident.kind { div { dt { "Type" } dd { bdi { (kind.name) } } } }
                div { dt { "Since" } dd { (when.stamp(began)) " " span class="quiet" { (when.zone()) } } }
                @if let Some(words) = alerts::counted(incident) {
                    div { dt { "Alerts" } dd { a href={ "/incidents/" (incident.reference) "/alerts" } { (words) } } }
                }
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
            @let late = late_of(told, org);
            @if !late.is_empty() {
                ul class="missed" {
                    @for (n, (words, at)) in late.iter().take(NEXT_SHOWN).enumerate() {
                        li data-key={ "late-" (n) } { bdi { (pieces::cut(words, OF_WHAT_CHARS_MAX)) } " " (when.counting(*at)) }
                    }
                    @if late.len() > NEXT_SHOWN { li data-key="late-more" class="late" { (late.len() - NEXT_SHOWN) " more are late" } }
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
                @let all = next_of(told, org);
                // One more takes no more room than saying that there is one.
                @let shown = if all.len() > NEXT_SHOWN + 1 { NEXT_SHOWN } else { all.len() };
                @let (first, rest) = all.split_at(shown);
                ul { @for one in first { li data-key=(one.key) { (sentence(told, one)) } } }
                @if !rest.is_empty() {
                    details class="small" data-key="later" {
                        summary {
                            (rest.len()) " more"
                            @if let Some((_, at)) = rest.first().and_then(|one| one.parts.first()) {
                                ", the first " (told.when.counting(*at))
                            }
                        }
                        ul { @for one in rest.iter().take(LATER_SHOWN) { li data-key=(one.key) { (sentence(told, one)) } } }
                        @if rest.len() > LATER_SHOWN { p class="quiet" { (rest.len() - LATER_SHOWN) " later ones are not shown." } }
                    }
                }
            }
        }
    }
}

fn objectives_section(told: &PageData, org: &Org) -> Markup {
    html! { @if !told.incident.objectives.is_empty() { section class="part-people" { (objectives::list(told, org)) } } }
}

/// What is late, in words.
fn late_of(told: &PageData, org: &Org) -> Vec<(String, Timestamp)> {
    allclear_domain::view::late(&told.incident, &|id| pieces::name(org, id))
}

/// What is awaited, in sentences.
fn next_of(told: &PageData, org: &Org) -> Vec<Next> {
    allclear_domain::view::next(&told.incident, &told.pages, &told.awaited, &|id| pieces::name(org, id))
}

/// Who before what, then when, then what follows otherwise: at any width.
fn sentence(told: &PageData, one: &Next) -> Markup {
    let writes = one.rule == Rule::UpdateDue.name() && told.may_act;
    html! {
        @for (n, (words, at)) in one.parts.iter().enumerate() {
            @if n > 0 { "; then " }
            @let words = pieces::cut(words, OF_WHAT_CHARS_MAX);
            @if writes { a href={ "/incidents/" (told.incident.reference) "?do=update" } { (words) } } @else { bdi { (words) } }
            " " (told.when.counting(*at))
        }
        @if let Some(or_else) = &one.or_else { span class="quiet" { ", else " (or_else) } }
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
