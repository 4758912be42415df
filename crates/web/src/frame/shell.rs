//! The frame of every page of the application: the rail of a laptop with one's shift at its foot,
//! the bar of a phone, the notices that everybody must see, and what the script needs to know.

use allclear_domain::access::{Principal, Right};
use allclear_engine::watch::trouble::Trouble;
use axum::response::{Html, IntoResponse, Response};
use jiff::{SignedDuration, Timestamp};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::app::{App, Lists, Place};
use crate::frame::assets;
use crate::frame::assets::{MARK_PATH, SCRIPT_PATH, STYLE_PATH};
use crate::frame::pieces;
use crate::frame::pieces::cut;
use crate::frame::push::MANIFEST_PATH;
use crate::frame::time_text::When;

/// A title in a tab is cut to this many characters; browsers show fewer.
const TAB_CHARS_MAX: usize = 80;
/// How far ahead the end of one's own shift is looked for; longer shifts say no end.
const SHIFT_AHEAD: SignedDuration = SignedDuration::from_hours(14 * 24);
/// Where an incident is declared.
const DECLARE: &str = "/declare";
/// A board without a script is asked for again after this many seconds.
const REFRESH_S: u32 = 15;

/// One page.
pub(crate) struct HtmlPage<'a> {
    /// For the tab.
    pub title: &'a str,
    /// Where it stands among the others, or below which of them.
    pub place: &'static Place,
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
pub(crate) fn framed(app: &App, page: &HtmlPage<'_>) -> Response {
    assets::with_script(Html(document(app, page).into_string()).into_response())
}

fn document(app: &App, page: &HtmlPage<'_>) -> Markup {
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
                link rel="manifest" href=(MANIFEST_PATH);
                link rel="stylesheet" href=(*STYLE_PATH);
                script type="module" src=(*SCRIPT_PATH) {}
                @if is_itself(page) && page.place.path == "/" { noscript { meta http-equiv="refresh" content=(REFRESH_S); } }
            }
            body class={ @if page.wall { "app wall" } @else { "app" } } data-now=(page.when.now) data-live=[page.live.as_deref()]
                data-source=(page.source) data-zone=(page.when.zone()) {
                a class="skip" href="#main" { "Skip to the page" }
                @if !page.wall { (rail(app, page)) }
                div class="stage" {
                    (notices(app, page.who))
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

/// Whether a page is the very one of its place, and none below it.
fn is_itself(page: &HtmlPage<'_>) -> bool {
    page.source.split('?').next() == Some(page.place.path)
}

fn item(app: &App, place: &Place, page: &HtmlPage<'_>) -> Markup {
    let current = (place == page.place).then_some(if is_itself(page) { "page" } else { "true" });
    html! { a href=(place.path) data-key=[place.key] aria-current=[current] { (place.icon()) span { (word(app, page.who, place)) } } }
}

/// What a place is called for somebody: who may not declare reports.
fn word(app: &App, who: &Principal, place: &Place) -> &'static str {
    if place.path == DECLARE && !app.engine.queries(who).has(Right::Respond) { "Report" } else { place.word }
}

/// The places of a list that have something for somebody, in the order of the table.
pub(crate) fn places(app: &App, who: &Principal, of: fn(Lists) -> bool) -> Vec<&'static Place> {
    app.places.iter().copied().filter(|place| of(place.lists) && (place.leads)(app, who)).collect()
}

fn rail(app: &App, page: &HtmlPage<'_>) -> Markup {
    // What a phone's bar has in its middle stands first here, and alone.
    let declare = app.places.iter().find(|place| place.path == DECLARE && (place.leads)(app, page.who));
    html! {
        header class="rail" {
            a class="brand" href="/" { img src=(*MARK_PATH) width="24" height="24" alt=""; span { "All Clear" } }
            @if let Some(place) = declare {
                a class="declare" href=(place.path) aria-current=[(*place == page.place).then_some("page")] {
                    (place.icon()) span { (word(app, page.who, place)) }
                }
            }
            nav aria-label="Pages" { @for place in places(app, page.who, |lists| lists.rail) { (item(app, place, page)) } }
            div class="foot" data-live="shift" {
                @if app.engine.queries(page.who).has(Right::SeeOrganisation) { (shift(app, page.who, page.when)) }
                (me(app, page.who))
            }
        }
    }
}

/// Whether somebody may look at settings: they hold addresses of people.
pub(crate) fn may_set(app: &App, who: &Principal) -> bool {
    app.engine.queries(who).has(Right::Administer)
}

fn dock(app: &App, page: &HtmlPage<'_>) -> Markup {
    html! {
        nav class="dock" aria-label="Main pages" { @for place in places(app, page.who, |lists| lists.dock) { (item(app, place, page)) } }
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
        if !schedule.on_call_at(overrides, when.now).has(me) {
            continue;
        }
        let to = when.now.checked_add(SHIFT_AHEAD).unwrap_or(when.now);
        mine.push((form.name.clone().unwrap_or_else(|| form.id.clone()), schedule.on_until(overrides, me, when.now, to)));
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

/// Where an administrator reads what to do.
fn advice(app: &App) -> Markup {
    html! {
        details class="advice" {
            summary { "What to do" }
            ul {
                @for present in app.engine.troubles().list() {
                    li {
                        @match &present.trouble {
                            Trouble::PageExhausted(reference) => a href={ "/incidents/" (reference) } { (present.trouble) },
                            trouble => (trouble),
                        }
                        ": " (present.trouble.advice()) "."
                    }
                }
            }
        }
    }
}

/// What everybody has to know before they rely on a page.
fn notices(app: &App, who: &Principal) -> Markup {
    let mut troubles: Vec<String> = app.engine.troubles().list().iter().filter_map(|p| p.trouble.for_everybody()).collect();
    troubles.dedup();
    let more = troubles.len().saturating_sub(TROUBLES_NAMED);
    html! {
        div data-live="notices" {
            @if app.engine.is_quarantined() {
                p class="notice" role="status" {
                    strong { "This copy sends nothing." } " It is quarantined until its operator runs " code { "allclear release" } "."
                }
            }
            @if app.engine.fault().is_some() {
                p class="notice" role="status" {
                    strong { "Nothing can be recorded at the moment." }
                    " The store does not take what it is given; senders are asked to try again."
                }
            }
            @if !troubles.is_empty() {
                div class="notice" role="status" {
                    strong {
                        "Paging is impaired: " (troubles[..troubles.len() - more].join("; ")) @if more > 0 { "; and " (more) " more" } "."
                    }
                    @if may_set(app, who) { (advice(app)) }
                    @else { " Its operator finds what to do with " code { "allclear doctor" } "." }
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
