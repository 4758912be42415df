//! The frame of every page of the application: the rail of a laptop with one's shift at its foot,
//! the bar of a phone, the notices that everybody must see, and what the script needs to know.

use allclear_domain::access::{Action, Principal, Resource, Scope, can};
use axum::response::{Html, IntoResponse, Response};
use jiff::{SignedDuration, Timestamp};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::App;
use crate::frame::assets;
use crate::frame::assets::{MARK_PATH, SCRIPT_PATH, STYLE_PATH};
use crate::frame::pieces;
use crate::frame::pieces::cut;
use crate::frame::time_text::When;

/// A title in a tab is cut to this many characters; browsers show fewer.
const TAB_CHARS_MAX: usize = 80;
/// How far ahead the end of one's own shift is looked for; longer shifts say no end.
const SHIFT_AHEAD: SignedDuration = SignedDuration::from_hours(14 * 24);
/// A board without a script is asked for again after this many seconds.
const REFRESH_S: u32 = 15;

/// Where a page stands among the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Board,
    OnCall,
    Services,
    Actions,
    Reviews,
    Trends,
    Settings,
    Declare,
    Search,
    Menu,
    Messages,
    Incident,
}

impl Place {
    pub(crate) const fn path(self) -> &'static str {
        match self {
            Self::Board | Self::Incident => "/",
            Self::OnCall => "/on-call",
            Self::Services => "/services",
            Self::Actions => "/actions",
            Self::Reviews => "/reviews",
            Self::Trends => "/trends",
            Self::Settings => "/settings",
            Self::Declare => "/declare",
            Self::Search => "/search",
            Self::Menu => "/menu",
            Self::Messages => "/outbox",
        }
    }

    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Board | Self::Incident => "Board",
            Self::OnCall => "On call",
            Self::Services => "Services",
            Self::Actions => "Actions",
            Self::Reviews => "Reviews",
            Self::Trends => "Trends",
            Self::Settings => "Settings",
            Self::Declare => "Declare",
            Self::Search => "Search",
            Self::Menu => "Me",
            Self::Messages => "Messages",
        }
    }

    /// Drawn on a 20-unit square with a 1.6 stroke, so that all weigh the same beside 15-px text.
    const fn strokes(self) -> &'static str {
        match self {
            Self::Board | Self::Incident => "M3 5h14M3 10h14M3 15h9",
            Self::OnCall => {
                "M5 3.5h3l1.2 3.6-1.9 1.3a9 9 0 0 0 4.3 4.3l1.3-1.9 3.6 1.2v3a1.5 1.5 0 0 1-1.6 1.5A13 13 0 0 1 3.5 5.1 1.5 1.5 0 0 1 5 3.5z"
            }
            Self::Services => "M10 3l7 3.8-7 3.8-7-3.8zM3 10.5l7 3.8 7-3.8M3 14l7 3.8 7-3.8",
            Self::Actions => "M3.5 5.5l1.5 1.5 2.5-3M3.5 13.5l1.5 1.5 2.5-3M10.5 6h6.5M10.5 14h6.5",
            Self::Reviews => "M5 3h7l3.5 3.5V17H5zM8 10h4.5M8 13h4.5",
            Self::Trends => "M3 3v14h14M6 13l3.5-4 3 2.5L17 6",
            Self::Settings => "M3 6h7m4 0h3M3 14h3m4 0h7M12 4v4M8 12v4",
            Self::Declare => "M10 4v12M4 10h12",
            Self::Search => "M9 3.5a5.5 5.5 0 1 1 0 11 5.5 5.5 0 0 1 0-11zM13 13l4 4",
            Self::Menu => "M10 3.5a3.2 3.2 0 1 1 0 6.4 3.2 3.2 0 0 1 0-6.4zM3.8 17a6.2 6.2 0 0 1 12.4 0",
            Self::Messages => "M3 4.5h14v9.5H8l-3.5 3v-3H3z",
        }
    }
}

fn icon(place: Place) -> Markup {
    html! { svg class="icon" viewBox="0 0 20 20" width="20" height="20" aria-hidden="true" { path d=(place.strokes()) {} } }
}

/// One page.
pub(crate) struct Page<'a> {
    /// For the tab.
    pub title: &'a str,
    pub place: Place,
    pub who: &'a Principal,
    pub when: &'a When,
    /// No chrome, read at five metres.
    pub wall: bool,
    /// What the page follows, as the query of `/live`; nothing where it stands still.
    pub live: Option<String>,
    /// The address whose GET gives this page, where the browser's own may be that of a form.
    pub source: String,
    pub body: Markup,
}

/// The document with the headers of a page that may run our own script.
pub(crate) fn framed(app: &App, page: &Page<'_>) -> Response {
    assets::with_script(Html(document(app, page).into_string()).into_response())
}

fn document(app: &App, page: &Page<'_>) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover";
                meta name="color-scheme" content="light dark";
                meta name="format-detection" content="telephone=no";
                title { (cut(page.title, TAB_CHARS_MAX)) " · All Clear" }
                link rel="icon" type="image/svg+xml" href=(*MARK_PATH);
                link rel="stylesheet" href=(*STYLE_PATH);
                script type="module" src=(*SCRIPT_PATH) {}
                @if page.place == Place::Board { noscript { meta http-equiv="refresh" content=(REFRESH_S); } }
            }
            body class={ @if page.wall { "app wall" } @else { "app" } } data-now=(page.when.now) data-live=[page.live.as_deref()]
                data-source=(page.source) data-zone=(page.when.zone()) {
                a class="skip" href="#main" { "Skip to the page" }
                @if !page.wall { (rail(app, page)) }
                div class="stage" {
                    (notices(app))
                    p id="stale" class="notice stale" role="status" hidden {}
                    p class="only-paper" { "All Clear · " (page.title) " · as of " (page.when.full(page.when.now)) }
                    main id="main" tabindex="-1" { (page.body) }
                }
                @if !page.wall { (dock(app, page)) }
                p id="told" class="vh" role="status" aria-live="polite" {}
            }
        }
    }
}

fn item(place: Place, page: &Page<'_>) -> Markup {
    let here = place == page.place || (place == Place::Board && page.place == Place::Incident);
    let current = here.then_some(if page.place == Place::Incident { "true" } else { "page" });
    html! { a href=(place.path()) aria-current=[current] { (icon(place)) span { (place.word()) } } }
}

fn rail(app: &App, page: &Page<'_>) -> Markup {
    html! {
        header class="rail" {
            a class="brand" href="/" { img src=(*MARK_PATH) width="24" height="24" alt=""; span { "All Clear" } }
            @if page.who.scope.admits(Scope::Respond) {
                a class="declare" href="/declare" aria-current=[(page.place == Place::Declare).then_some("page")] { (icon(Place::Declare)) span { "Declare" } }
            }
            nav aria-label="Pages" {
                @for place in [Place::Board, Place::OnCall, Place::Services, Place::Actions, Place::Reviews, Place::Trends, Place::Settings, Place::Search] {
                    @if leads(app, page.who, place) { (item(place, page)) }
                }
                @if app.options.demo_outbox.is_some() { (item(Place::Messages, page)) }
            }
            div class="foot" data-live="shift" {
                @if leads(app, page.who, Place::OnCall) { (shift(app, page.who, page.when)) }
                (me(app, page.who))
            }
        }
    }
}

/// Whether somebody may look at settings: they hold addresses of people.
pub(crate) fn may_set(app: &App, who: &Principal) -> bool {
    can(&app.engine.org(), who, Action::Administer, Resource::Installation)
}

/// Whether the pages of this place have something for somebody.
pub(crate) fn leads(app: &App, who: &Principal, place: Place) -> bool {
    match place {
        Place::Settings => may_set(app, who),
        Place::OnCall | Place::Services => app.engine.queries(who).sees_organisation(),
        Place::Declare => who.scope.admits(Scope::Respond),
        Place::Board
        | Place::Actions
        | Place::Reviews
        | Place::Trends
        | Place::Search
        | Place::Menu
        | Place::Messages
        | Place::Incident => true,
    }
}

fn dock(app: &App, page: &Page<'_>) -> Markup {
    html! {
        nav class="dock" aria-label="Main pages" {
            @for place in [Place::Board, Place::OnCall, Place::Declare, Place::Search, Place::Menu] { @if leads(app, page.who, place) { (item(place, page)) } }
        }
    }
}

/// Whether the reader is on call now, where, and until when somebody else is, or nobody.
pub(crate) fn shift(app: &App, who: &Principal, when: &When) -> Markup {
    let Some(me) = who.person() else { return html! {} };
    let org = app.engine.org();
    let mut mine: Vec<(String, Option<Timestamp>)> = Vec::new();
    for form in &org.bundle().schedules {
        let Some(schedule) = org.schedule(&form.id) else { continue };
        let overrides = org.overrides(&form.id);
        if schedule.on_call_at(overrides, when.now).person.as_deref() != Some(me) {
            continue;
        }
        let to = when.now.checked_add(SHIFT_AHEAD).unwrap_or(when.now);
        mine.push((form.name.clone().unwrap_or_else(|| form.id.clone()), schedule.changes(overrides, when.now, to).until));
    }
    html! {
        @if mine.is_empty() { p class="shift quiet" { "You are not on call." } }
        @for (name, until) in &mine {
            p class="shift" {
                strong { "You are on call" } br;
                bdi { (name) }
                @if let Some(until) = until { br; span class="quiet" { "until " (when.time(*until, &when.minute(*until))) } }
            }
        }
    }
}

/// Who is signed in, and the way out.
pub(crate) fn me(app: &App, who: &Principal) -> Markup {
    let name = match who.person() {
        Some(id) => pieces::name(&app.engine.org(), id),
        None => "An API token".to_owned(),
    };
    html! {
        div class="me" {
            a href="/menu" { bdi { (name) } }
            @if app.options.open_to.is_none() {
                form method="post" action="/sign-out" { button class="plain" type="submit" { "Sign out" } }
            } @else { span class="quiet" { "demo" } }
        }
    }
}

/// Troubles that a notice names; the others are a number.
const TROUBLES_NAMED: usize = 3;

/// What everybody has to know before they rely on a page.
fn notices(app: &App) -> Markup {
    let mut troubles: Vec<String> = app.engine.troubles().list().iter().filter_map(|p| p.trouble.for_everybody()).collect();
    troubles.dedup();
    let more = troubles.len().saturating_sub(TROUBLES_NAMED);
    html! {
        div data-live="notices" {
            @if app.engine.is_quarantined() {
                p class="notice" role="status" { strong { "This copy sends nothing." } " It is quarantined until its operator runs " code { "allclear release" } "." }
            }
            @if app.engine.fault().is_some() {
                p class="notice" role="status" { strong { "Nothing can be recorded at the moment." } " The store does not take what it is given; senders are asked to try again." }
            }
            @if !troubles.is_empty() {
                p class="notice" role="status" {
                    strong { "Paging is impaired: " (troubles[..troubles.len() - more].join("; ")) @if more > 0 { "; and " (more) " more" } "." }
                    " Its operator finds what to do with " code { "allclear doctor" } "."
                }
            }
        }
    }
}

/// The heading of a page, with what stands to its right.
pub(crate) fn heading(title: &str, beside: &Markup) -> Markup {
    html! { header class="heading" { h1 { (title) } div class="beside" { (beside) } } }
}

/// Words as they are, for attributes of drawings that we made ourselves.
pub(crate) fn drawn(svg: String) -> Markup {
    PreEscaped(svg)
}
