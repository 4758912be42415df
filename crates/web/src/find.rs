//! Search over everything that its reader may see: words, what narrows them, and hits with the words marked.

use allclear_domain::access::Right;
use allclear_domain::find::query::QUERY_CHARS_MAX;
use allclear_domain::find::{Query as Words, Thing};
use allclear_domain::incident::{Severity, State as Standing};
use allclear_domain::org::snapshot::Org;
use allclear_domain::view::{FoundPageView, FoundView};
use allclear_engine::read::find::FindFilter;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::get;
use jiff::ToSpan as _;
use jiff::civil::Date;
use maud::{Markup, html};

use crate::access::reader::{Asked, Fields, answer, reader};
use crate::app::{ALL, App, Lists, Place};
use crate::frame::pieces;
use crate::frame::shell::{HtmlPage, framed, heading};
use crate::frame::time_text::When;
use crate::saved::Saved;

pub(crate) static PLACE: Place = Place {
    path: "/search",
    word: "Search",
    strokes: "M9 3.5a5.5 5.5 0 1 1 0 11 5.5 5.5 0 0 1 0-11zM13 13l4 4",
    key: None,
    lists: Lists::RAIL_DOCK,
    leads: ALL,
    page: || get(show),
};

/// Hits of a page.
const FOUND_MAX: i64 = 30;

/// What was asked, as it stands in the address.
struct Asking {
    words: String,
    kind: Option<Thing>,
    state: Option<Standing>,
    open: bool,
    severity: Option<Severity>,
    service: Option<String>,
    from: Option<Date>,
    to: Option<Date>,
    exercises: bool,
    cursor: Option<String>,
}

/// A choice of the list of states.
const OPEN: &str = "open";

impl Asking {
    /// What it cannot mean narrows nothing.
    fn read(asked: &Fields) -> Self {
        let said = |key: &str| asked.get(key).map(|value| value.trim()).filter(|value| !value.is_empty());
        Self {
            words: asked.get("q").map_or("", |q| q.trim()).to_owned(),
            kind: said("kind").and_then(Thing::from_word),
            state: said("state").and_then(Standing::from_word),
            open: said("state") == Some(OPEN),
            severity: said("severity").and_then(|word| word.parse().ok()),
            service: said("service").map(ToOwned::to_owned),
            from: said("from").and_then(|day| day.parse().ok()),
            to: said("to").and_then(|day| day.parse().ok()),
            exercises: asked.contains_key("exercises"),
            cursor: said("cursor").map(ToOwned::to_owned),
        }
    }

    /// Whole days of the reader's; the last one with its end.
    fn filter(&self, when: &When) -> FindFilter {
        FindFilter {
            kind: self.kind,
            state: self.state,
            open: self.open,
            severity: self.severity,
            service: self.service.clone(),
            from: self.from.map(|day| when.begins(day)),
            to: self.to.map(|day| when.begins(day.checked_add(1.day()).unwrap_or(Date::MAX))),
            real: !self.exercises,
        }
    }

    fn is_narrow(&self) -> bool {
        self.kind.is_some()
            || self.state.is_some()
            || self.open
            || self.severity.is_some()
            || self.service.is_some()
            || self.from.is_some()
            || self.to.is_some()
            || self.exercises
    }

    /// The address of it, after a place in the list.
    fn address(&self, cursor: Option<&str>) -> String {
        let mut parts = vec![format!("q={}", pieces::escaped(&self.words))];
        let mut add = |name: &str, value: Option<String>| parts.extend(value.map(|value| format!("{name}={}", pieces::escaped(&value))));
        add("kind", self.kind.map(|kind| kind.word().to_owned()));
        add("state", self.state.map(|state| state.word().to_owned()).or_else(|| self.open.then(|| OPEN.to_owned())));
        add("severity", self.severity.map(|severity| severity.to_string()));
        add("service", self.service.clone());
        add("from", self.from.map(|day| day.to_string()));
        add("to", self.to.map(|day| day.to_string()));
        add("exercises", self.exercises.then(|| "1".to_owned()));
        add("cursor", cursor.map(ToOwned::to_owned));
        format!("/search?{}", parts.join("&"))
    }
}

/// GET `/search?q=`.
pub(crate) async fn show(State(app): State<App>, headers: HeaderMap, Query(asked): Asked) -> Response {
    answer(async {
        let (who, when) = reader(&app, &headers).await?;
        let asking = Asking::read(&asked);
        let queries = app.engine.queries(&who);
        let org = queries.organisation().ok();
        let (saved, here) = (Saved::of(&app, &who).await?, asking.address(None));
        let body = html! {
            (heading("Search", &html! {}))
            (form(&asking, org.as_deref()))
            (saved.links(&here))
            @if asking.words.is_empty() {
                (teaching())
                (saved.list())
            } @else {
                @match Words::read(&asking.words) {
                    Err(why) => section { p class="late" role="alert" { (pieces::capital(&why.to_string())) "." } },
                    Ok(_) => {
                        @let filter = asking.filter(&when);
                        @let found = Box::pin(queries.find(&asking.words, &filter, asking.cursor.as_deref(), FOUND_MAX)).await?;
                        (hits(&asking, &found, &when, org.as_deref(), queries.has(Right::Administer)))
                        (saved.form(&here))
                    }
                }
            }
        };
        let source = asking.address(asking.cursor.as_deref());
        Ok(framed(&app, &HtmlPage { title: "Search", place: &PLACE, who: &who, when: &when, wall: false, live: None, source, body }))
    })
    .await
}

fn form(asking: &Asking, org: Option<&Org>) -> Markup {
    let day = |name: &str, words: &str, value: Option<Date>| {
        let shown = value.map(|day| day.to_string()).unwrap_or_default();
        html! { label class="field" { span { (words) } input type="date" name=(name) value=(shown); } }
    };
    html! {
        form class="finding" role="search" method="get" action="/search" {
            div class="searching" {
                label class="vh" for="q" { "Words, a name, or a reference" }
                input id="q" type="search" name="q" value=(asking.words) maxlength=(QUERY_CHARS_MAX)
                    placeholder="Words, a name, or INC-142" autofocus autocomplete="off";
                button class="do" type="submit" { "Search" }
            }
            details open[asking.is_narrow()] {
                summary { "Narrow it" @if asking.is_narrow() { " · on" } }
                div class="narrow" {
                    label class="field" {
                        span { "Kind" }
                        select name="kind" {
                            option value="" { "Everything" }
                            @for kind in Thing::ALL { option value=(kind.word()) selected[asking.kind == Some(kind)] { (kind.label()) } }
                        }
                    }
                    label class="field" {
                        span { "State of the incident" }
                        select name="state" {
                            option value="" { "Every state" }
                            option value=(OPEN) selected[asking.open] { "Open" }
                            @for state in Standing::ALL {
                                option value=(state.word()) selected[asking.state == Some(state)] { (pieces::state(state)) }
                            }
                        }
                    }
                    label class="field" {
                        span { "Severity" }
                        select name="severity" {
                            option value="" { "Every severity" }
                            @for severity in Severity::ALL {
                                option value=(severity) selected[asking.severity == Some(severity)] { (severity.word().to_uppercase()) }
                            }
                        }
                    }
                    @if let Some(org) = org {
                        label class="field" { span { "Service" } (pieces::service_choice(org, asking.service.as_deref(), "Every service")) }
                    }
                    (day("from", "Written from", asking.from))
                    (day("to", "Up to", asking.to))
                    label class="check" {
                        input type="checkbox" name="exercises" value="1" checked[asking.exercises];
                        span { "Exercises as well" }
                    }
                }
            }
        }
    }
}

/// What can be looked for, to whoever has not looked yet.
fn teaching() -> Markup {
    html! {
        section class="prose" {
            p { "Everything that you may see: titles, notes, updates, decisions, tasks, reviews, actions, alerts, people, services." }
            ul class="bullets" {
                li { code { "db-7 failover" } " has both, anywhere in it" }
                li { code { "\"disk is full\"" } " has these words one after another" }
                li { code { "checkou" } " is found in checkout: three letters are enough" }
                li { code { "INC-142" } " or " code { "142" } " is that incident" }
            }
            p class="quiet" { "What was just written is found within a second or two." }
        }
    }
}

fn hits(asking: &Asking, found: &FoundPageView, when: &When, org: Option<&Org>, administers: bool) -> Markup {
    html! {
        section aria-label="Found" {
            @if found.read_percent < 100 {
                p class="quiet" {
                    "Being read for searches: " (found.read_percent) " % of the log so far. The newest is read last."
                }
            }
            @if !found.all_words {
                p class="quiet" { "Very many words begin so; only the most used were looked for. A letter more finds the rest." }
            }
            @if found.items.is_empty() && asking.cursor.is_none() && found.next.is_none() {
                p { "Nothing that you may see has all of these words." }
                @if asking.is_narrow() { p { a href={ "/search?q=" (pieces::escaped(&asking.words)) } { "Look everywhere" } } }
                @else { p class="quiet" { "Fewer words find more; a word may be left short, as in checkou." } }
            } @else if found.items.is_empty() {
                p class="quiet" { "Nothing more so far." }
            }
            ul class="list found" { @for one in &found.items { (hit(one, when, org, administers)) } }
            @if let Some(next) = &found.next { p class="all" { a href=(asking.address(Some(next))) rel="next" { "Go on" } } }
        }
    }
}

fn hit(one: &FoundView, when: &When, org: Option<&Org>, administers: bool) -> Markup {
    let title = if one.title.is_empty() { one.kind.label().to_owned() } else { pieces::cut(&one.title, 160) };
    let piece = html! { @for part in &one.snippet { @if part.found { mark { (part.text) } } @else { (part.text) } } };
    // A title that has all words need not show which.
    let is_title = one.kind == Thing::Incident;
    html! {
        li {
            span {
                @if let Some(severity) = one.severity { (pieces::severity(severity)) " " }
                @if let Some(reference) = &one.incident { span class="ref quiet" { (reference) } " " }
                @match address(one, administers) {
                    Some(to) => a class="main" href=(to) { bdi { (title) } },
                    None => span class="main" { bdi { (title) } },
                }
            }
            span class="quiet" {
                (one.kind.label())
                @if let Some(state) = one.state { " · " (pieces::state(state)) }
                @if one.exercise { " · exercise" }
                @if let Some(marking) = one.marking { " · " (marking.label()) }
                @if let Some(at) = one.at { " · " (when.time(at, &when.ago(at))) }
            }
            @if !is_title {
                p class="piece" {
                    @if let Some(person) = one.by.as_deref().and_then(|by| by.strip_prefix("person:")) {
                        span class="quiet" { bdi { (org.map_or_else(|| person.to_owned(), |org| pieces::name(org, person))) } ": " }
                    }
                    bdi { (piece) }
                }
            }
        }
    }
}

/// The page that shows it; nothing where none does to this reader.
fn address(one: &FoundView, administers: bool) -> Option<String> {
    let form = || administers.then(|| format!("/settings/{}/{}", one.kind.word(), pieces::escaped(&one.id)));
    match one.kind {
        Thing::Incident => one.incident.as_ref().map(|reference| format!("/incidents/{reference}")),
        Thing::Note
        | Thing::Update
        | Thing::Decision
        | Thing::Hypothesis
        | Thing::Task
        | Thing::Request
        | Thing::Resource
        | Thing::Report
        | Thing::Entry => one.incident.as_ref().map(|reference| format!("/incidents/{reference}#log")),
        Thing::Review => Some(format!("/reviews/{}", one.id)),
        Thing::Action => Some("/actions".to_owned()),
        Thing::Alert => one.incident.as_ref().map(|reference| format!("/incidents/{reference}/alerts")),
        Thing::Service => Some(format!("/services/{}", pieces::escaped(&one.id))),
        Thing::Person | Thing::Team | Thing::Schedule | Thing::Escalation => form().or_else(|| Some("/on-call".to_owned())),
        Thing::Plan | Thing::Organisation => form(),
    }
}
