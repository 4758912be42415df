//! Me: whether somebody is on call, what they have, how they are reached and in which order, and a page to try it with.
//!
//! What a phone's bar has no room for is led to from here. How one is reached is looked after in [`reached`].

pub(crate) mod account;
pub(crate) mod message;
pub(crate) mod reached;
pub(crate) mod ready;

use allclear_domain::access::{Principal, Right};
use allclear_domain::org::forms::person::Person;
use allclear_domain::org::model::NotifyUrgency;
use allclear_domain::org::snapshot::{Org, Reach};
use allclear_domain::paging::Telling;
use allclear_engine::core::{Command, Refusal};
use allclear_engine::read::tried::TestView;
use axum::Form;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use maud::{Markup, html};

use crate::access::form_key;
use crate::access::reader::{Asked, Fields, answer, reader};
use crate::app::{ALL, App, Lists, Place};
use crate::board::letters;
use crate::first::TEST;
use crate::frame::pieces;
use crate::frame::pieces::MINE;
use crate::frame::refused::Refused;
use crate::frame::shell;
use crate::frame::shell::{HtmlPage, framed, heading};
use crate::frame::time_text::When;
use crate::posted::{No, ask, told_to_wait, worded};
use crate::services::incidents;

pub(crate) static PLACE: Place = Place {
    path: "/menu",
    word: "Me",
    strokes: "M10 3.5a3.2 3.2 0 1 1 0 6.4 3.2 3.2 0 0 1 0-6.4zM3.8 17a6.2 6.2 0 0 1 12.4 0",
    key: None,
    lists: Lists::DOCK,
    leads: ALL,
    page: || get(show),
};

/// What stands for a part of an address that is not shown.
const MASKED: &str = "••••";

/// GET.
async fn show(State(app): State<App>, headers: HeaderMap, Query(asked): Asked) -> Response {
    answer(async {
        let (who, when) = reader(&app, &headers).await?;
        let asked_for = match (asked.contains_key("waits"), asked.contains_key("tested")) {
            (true, _) => AskedFor::Again,
            (false, true) => AskedFor::Once,
            (false, false) => AskedFor::Not,
        };
        page(&app, &headers, &who, &when, asked_for, None).await
    })
    .await
}

async fn page(
    app: &App,
    headers: &HeaderMap,
    who: &Principal,
    when: &When,
    asked_for: AskedFor,
    refusal: Option<&str>,
) -> Result<Response, Refused> {
    let queries = app.engine.queries(who);
    let (mine, cut) = Box::pin(queries.open_of_asker()).await?;
    let tests = queries.tests().await?;
    let readiness = queries.my_readiness().await?;
    let org = app.engine.org();
    let me = who.person().and_then(|id| org.person(id));
    let name = me.map_or_else(|| "An API token".to_owned(), |person| person.name.clone());
    let body = html! {
        (heading(&name, &html! { (who.scope.word()) }))
        @if queries.has(Right::SeeOrganisation) {
            section data-live="shift-here" { (shell::shift(app, who, when)) }
        }
        section data-live="mine" {
            h2 { "Mine" }
            p class="quiet small" { (MINE) }
            (incidents(&mine, when, "You have no open incident."))
            @if cut { p class="quiet" { "There may be more, none worse than these." } }
        }
        @if let Some(me) = me {
            @let of_me: Vec<&TestView> = tests.iter().filter(|test| test.person == me.id).collect();
            @if let Some(view) = &readiness { (ready::of_me(view, &org, when)) }
            (ways(app, &org, me, &of_me, when))
            (tried(me, of_me.first().copied(), when, asked_for, refusal))
        }
        nav class="menu" aria-label="More pages" {
            @for place in shell::places(app, who, |lists| lists.menu) { a href=(place.path) { (place.word) } }
            @if app.options.open_to.is_none() { a href="/me" { "My account and sessions" } }
        }
        (letters::form(headers))
        (shell::me(app, who))
    };
    let live = Some("on=board".into());
    Ok(framed(app, &HtmlPage { title: "Me", place: &PLACE, who, when, wall: false, live, source: "/menu".into(), body }))
}

/// How somebody is reached: each contact with what came of trying it, and the order for each urgency.
fn ways(app: &App, org: &Org, me: &Person, tests: &[&TestView], when: &When) -> Markup {
    html! {
        section class="section ways" data-live="ways" {
            h2 { "How I am reached" }
            @if me.contacts.is_empty() { p class="late" { "You have no contact, so that no page reaches you." } }
            ul class="list" {
                @for contact in &me.contacts {
                    @let address = contact.address.masked(org.channels(), MASKED);
                    @let form = org.channels().of(&contact.address);
                    @let channel = form.map_or("unknown", |form| form.noun);
                    @let lacks = form.and_then(|form| app.engine.lacks(form.name));
                    li {
                        span {
                            strong { (pieces::capital(channel)) } " " bdi { (address.fields().next().map_or("", |(_, value)| value)) }
                            @if !contact.verified { span class="quiet" { " · not verified, and so not used" } }
                            @if let Some(setting) = lacks {
                                span class="late" { " · nothing is sent to it: this server has no " (setting) }
                            }
                        }
                        span class="quiet" { (came_of(tests, &contact.id, when)) }
                    }
                }
            }
            @if !me.contacts.is_empty() {
                ul class="pairs" {
                    @for (words, urgency) in [("High urgency", NotifyUrgency::High), ("Low urgency", NotifyUrgency::Low)] {
                        li { span { (words) } span { (order(&org.reach(&me.id, urgency))) } }
                    }
                }
            }
            p { a class="add" href=(reached::PATH) { "Change how I am reached" } }
        }
    }
}

/// In which order contacts are used, by rules of their own or by the default ones.
fn order(ways: &[Reach<'_>]) -> String {
    match ways {
        [] => "nothing reaches you".to_owned(),
        [_, _, ..] if ways.iter().all(|way| way.after.is_zero()) => "all of them at once".to_owned(),
        _ => {
            let after = |way: &Reach<'_>| if way.after.is_zero() { "at once".to_owned() } else { format!("after {}", way.after) };
            ways.iter().map(|way| format!("{} {}", way.contact.id, after(way))).collect::<Vec<_>>().join(", ")
        }
    }
}

/// What came of trying a contact last.
fn came_of(tests: &[&TestView], contact: &str, when: &When) -> Markup {
    let last = tests.iter().find_map(|test| {
        let way = test.ways.iter().find(|way| way.contact == contact && way.telling != Telling::Planned)?;
        Some((test, way))
    });
    html! {
        @match last {
            None => "never tested",
            Some((test, way)) => { "tested " (when.time(test.at, &when.ago(test.at))) ": " (telling(way.telling)) },
        }
    }
}

const fn telling(telling: Telling) -> &'static str {
    match telling {
        Telling::Planned => "not needed",
        Telling::Raised => "on its way",
        Telling::Accepted => "taken by the provider, not yet known to have arrived",
        Telling::Delivered => "delivered",
        Telling::Delayed => "no answer yet, tried again",
        Telling::Failed => "not delivered",
    }
}

/// The test page: the button, and the receipt of the last one.
fn tried(me: &Person, last: Option<&TestView>, when: &When, asked_for: AskedFor, refusal: Option<&str>) -> Markup {
    html! {
        section class="section tried" id="test" {
            h2 { "Does it reach me?" }
            @if let Some(why) = refusal { p class="refusal" role="alert" { strong { "No test page was sent" } (why) } }
            div data-live="tried" role="status" {
                @if let Some(test) = last {
                    @if asked_for == AskedFor::Again && test.waits {
                        p { strong { "One from " (when.exact(test.at)) " still waits: nothing new was sent." } }
                    }
                    div class={ @if asked_for == AskedFor::Once || test.waits { "done" } } { (receipt(me, test, when)) }
                } @else { p { "No test page was sent to you yet." } }
            }
            form method="post" action=(TEST) class="row-of" {
                (form_key::once(when))
                button class="may" type="submit" { "Send me a test page" }
            }
            p class="hint prose" {
                "It goes the way of a real page of high urgency, to you alone, and says that it is a test. Acknowledge it with its link: "
                "that is what proves that you are reached."
            }
        }
    }
}

fn receipt(me: &Person, test: &TestView, when: &When) -> Markup {
    let channel = |contact: &str| me.contacts.iter().any(|form| form.id == contact);
    html! {
        p {
            "Test page of " (when.stamp(test.at)) ": "
            @match test.acknowledged_at {
                Some(_) if !test.reached => strong { "acknowledged, not by the message: nothing shows that it reaches you" },
                Some(at) => strong { "acknowledged after " (lasted(at.duration_since(test.at).as_secs())) },
                None if test.waits => strong { "waiting for you to acknowledge it" },
                None => strong { "not acknowledged" },
            }
            " · " a href={ "/incidents/" (test.incident) } { "its log" }
        }
        ul class="receipts" {
            @for way in &test.ways {
                li {
                    (way.contact) " (" (way.channel) "): "
                    @if way.telling == Telling::Planned && test.waits { "follows if you do not answer" } @else { (telling(way.telling)) }
                    @if !channel(&way.contact) { span class="quiet" { " · removed since" } }
                }
            }
        }
    }
}

/// A length to the second, as one says it.
fn lasted(seconds: i64) -> String {
    if seconds < 60 { format!("{seconds} s") } else { format!("{} min {} s", seconds / 60, seconds % 60) }
}

/// Whether a test page was just asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum AskedFor {
    Not,
    /// It is on its way.
    Once,
    /// One still waited, and nothing new was sent.
    Again,
}

/// POST: a test page to whoever asks.
pub(crate) async fn test(State(app): State<App>, headers: HeaderMap, Form(fields): Form<Fields>) -> Response {
    answer(async {
        let (who, when) = reader(&app, &headers).await?;
        let sent = match who.person() {
            // One that still waits is the one to answer: a second would say the same once more.
            Some(person) if app.engine.queries(&who).test_waits(person).await? => {
                return Ok(Redirect::to("/menu?waits#test").into_response());
            }
            Some(person) => {
                let once = form_key::key(TEST, &fields);
                ask(&app, &who, once, Command::TestPage { person: person.to_owned() }).await
            }
            None => Err(No::Typed("A token is no person. Sign in as the person who is to be paged.".to_owned())),
        };
        match sent {
            Ok(_) => Ok(Redirect::to("/menu?tested#test").into_response()),
            Err(No::Refusal(Refusal::NobodyNamed(why))) => {
                let why = format!("{}. Add one under “Change how I am reached”, and verify it.", pieces::capital(&why));
                let mut response = page(&app, &headers, &who, &when, AskedFor::Not, Some(&why)).await?;
                *response.status_mut() = StatusCode::CONFLICT;
                Ok(response)
            }
            Err(no) => {
                let wait = no.wait();
                let (status, why) = worded(no)?;
                let mut response = page(&app, &headers, &who, &when, AskedFor::Not, Some(&why)).await?;
                *response.status_mut() = status;
                told_to_wait(&mut response, wait);
                Ok(response)
            }
        }
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_said_to_the_second() {
        assert_eq!([0, 12, 60, 61].map(lasted), ["0 s", "12 s", "1 min 0 s", "1 min 1 s"]);
    }
}
