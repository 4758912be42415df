//! `/guest/{token}`: one organisation's view of one incident. GET shows, POST answers a request or writes an entry. No sign-in:
//! the token in the path is the proof, and what it shows is what its organisation may be told.
//!
//! Not here: what that is ([`allclear_domain::access`]), and which links work (the engine's).

use allclear_domain::incident::partners::RequestState;
use allclear_domain::incident::resources::{self, Said};
use allclear_domain::incident::{parties, sharing};
use allclear_domain::time::Length;
use allclear_domain::view::{GuestView, RequestView, ResourceView};
use allclear_engine::core::{Command, Input};
use allclear_engine::message_link::guests::BadGuest;
use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use maud::{Markup, html};

use crate::access::form_key;
use crate::access::reader::{Asked, Fields};
use crate::app::App;
use crate::frame::document::{Frame, LINK, document};
use crate::frame::pieces;
use crate::frame::refused::Refused;
use crate::frame::time_text::When;
use crate::posted::{Draft, No, said, told_to_wait, worded};

/// Where an action behind a guest link came from, in the log.
const VIA: &str = "guest";
/// Longest form: the longest entry, were each of its characters written in percent form.
pub(crate) const FORM_BYTES_MAX: usize = 64 * 1024;
/// Entries of the log that are shown, the newest: with their longest lines the page of Latin letters stays under 10 KB.
const ENTRIES_SHOWN: usize = 6;
/// Characters of an entry, of an answer and of the title.
const LINE_CHARS_MAX: usize = 160;
/// Characters of a request; its message has all of it.
const REQUEST_CHARS_MAX: usize = 500;
/// Requests that are shown: the open ones, then the newest.
const REQUESTS_SHOWN: usize = 3;
/// The part of the address that says that something was taken.
const DONE: &str = "done";
/// What whoever looks on reads where nothing can be answered any more.
const OVER: &str = "This is over: nothing more is wanted of you, and nothing can be answered or written here any more.";
/// The verb of what becomes of a resource.
const SENDS: &str = "resource";
/// Resources that are shown: those that are still to come, then the newest.
const RESOURCES_SHOWN: usize = 3;
/// What may be said of one that is to come, with what is pressed for it.
const SAYS: [(&str, &str); 4] =
    [("ordered", "We send it"), ("on_the_way", "It is on the way"), ("arrived", "It has arrived"), ("declined", "Decline")];
/// The verb of the entry field.
const SAY: &str = "say";

/// GET: shows, and changes nothing.
pub(crate) async fn show(State(app): State<App>, Path(token): Path<String>, Query(asked): Asked) -> Response {
    let shown = async {
        let (who, id) = app.engine.open_guest(&token).await.map_err(no_link)?;
        let view = app.engine.queries(&who).as_guest(id).await?;
        Ok(page(&view, &When::new(app.engine.now(), None), &token, &Draft::default(), asked.contains_key(DONE)).into_response())
    };
    shown.await.unwrap_or_else(|refused: Refused| refused.answer(true))
}

/// GET of an address that only takes POST.
pub(crate) async fn back(Path((token, _)): Path<(String, String)>) -> Response {
    Redirect::to(&path(&token)).into_response()
}

/// POST.
pub(crate) async fn act(
    State(app): State<App>,
    Path((token, verb)): Path<(String, String)>,
    form: Result<Form<Fields>, FormRejection>,
) -> Response {
    let done = async {
        let (who, id) = app.engine.open_guest(&token).await.map_err(no_link)?;
        let fields = match form {
            Ok(Form(fields)) => fields,
            Err(why) if why.status() == StatusCode::PAYLOAD_TOO_LARGE => return Err(too_large()),
            Err(_) => Fields::new(),
        };
        let organisation = who.party().unwrap_or_default().to_owned();
        let once = form_key::key(&format!("{}/{verb}", path(&token)), &fields);
        let asked = async {
            let command = command(&verb, organisation, &fields)?;
            let command = Command::Incident { id, command };
            app.engine.ask(Input { who: who.clone(), cause: VIA.into(), once, command }).await.map(drop).map_err(No::Refusal)
        };
        match asked.await {
            Ok(()) => Ok(Redirect::to(&format!("{}?{DONE}", path(&token))).into_response()),
            Err(no) => {
                let wait = no.wait();
                let (status, why) = worded(no)?;
                let view = app.engine.queries(&who).as_guest(id).await?;
                let of = |field: &str| said(&fields, field).map(|number| format!("{field}-{number}"));
                let verb = of("request").or_else(|| of("resource")).unwrap_or(verb);
                let why = if view.takes_answers { why } else { OVER.to_owned() };
                let draft = Draft { verb, fields, refusal: Some(why) };
                let mut response = page(&view, &When::new(app.engine.now(), None), &token, &draft, false).into_response();
                *response.status_mut() = status;
                told_to_wait(&mut response, wait);
                Ok(response)
            }
        }
    };
    done.await.unwrap_or_else(|refused: Refused| refused.answer(true))
}

fn command(verb: &str, organisation: String, fields: &Fields) -> Result<allclear_domain::incident::Command, No> {
    let text = said(fields, "text");
    let state = match verb {
        SAY => {
            let text = text.ok_or_else(|| No::Typed("An entry says something: write it, and send it again.".to_owned()))?;
            return Ok(sharing::Command::Say { organisation, text }.into());
        }
        SENDS => return resource_command(fields, text),
        "acknowledge" => RequestState::Acknowledged,
        "answer" if text.is_none() => return Err(No::Typed("An answer says something: write it, and send it again.".to_owned())),
        "answer" => RequestState::Answered,
        "decline" => RequestState::Declined,
        _ => return Err(No::Page(Refused::missing("command", "Open the link again and choose there."))),
    };
    let request = said(fields, "request").and_then(|number| number.parse().ok());
    let request = request.ok_or_else(|| No::Page(Refused::missing("request", "Open the link again and choose there.")))?;
    Ok(parties::Command::Hear { request, state, text, reference: said(fields, "reference"), happened_at: None }.into())
}

/// What whoever sends a resource says of it.
fn resource_command(fields: &Fields, text: Option<String>) -> Result<allclear_domain::incident::Command, No> {
    let missing = |what| No::Page(Refused::missing(what, "Open the link again and choose there."));
    let resource = said(fields, "resource").and_then(|number| number.parse().ok()).ok_or_else(|| missing("resource"))?;
    let said_of_it = match said(fields, "state").as_deref() {
        Some("ordered") => Said::Ordered,
        Some("on_the_way") => Said::OnTheWay,
        Some("arrived") => Said::Arrived,
        Some("declined") => Said::Declined,
        _ => return Err(missing("state")),
    };
    let within = said(fields, "within").filter(|_| matches!(said_of_it, Said::Ordered | Said::OnTheWay));
    let within = within.map(|within| within.parse::<Length>()).transpose();
    let within = within.map_err(|_| No::Typed("When it comes is a length of time such as 40m or 2h.".to_owned()))?;
    Ok(resources::Command::Move {
        resource,
        said: said_of_it,
        organisation: None,
        within,
        reference: said(fields, "reference"),
        text,
        happened_at: None,
    }
    .into())
}

fn path(token: &str) -> String {
    format!("/guest/{}", pieces::escaped(token))
}

fn no_link(bad: BadGuest) -> Refused {
    let works = || html! { p { "Ask whoever sent it for a new one." } };
    match bad {
        BadGuest::Unknown => {
            let detail = "It is not one of ours, or it was cut short on its way to you.";
            Refused::new(StatusCode::NOT_FOUND, "guest_link_unknown", "This link does not work", detail, works())
        }
        BadGuest::Over => {
            let detail = "It has expired, was revoked, or a newer one took its place. Nothing was changed.";
            Refused::new(StatusCode::GONE, "guest_link_over", "This link does not work any more", detail, works())
        }
        BadGuest::NoAnswer(why) => why.into(),
    }
}

fn too_large() -> Refused {
    let detail = format!("A form takes at most {} KB here. Nothing was written: shorten it.", FORM_BYTES_MAX / 1024);
    Refused::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", "This is too much", &detail, html! {})
}

/// The page; `done` where something of its reader was just taken.
pub(crate) fn page(view: &GuestView, when: &When, token: &str, draft: &Draft, done: bool) -> Html<String> {
    let mut requests: Vec<&RequestView> = view.requests.iter().rev().collect();
    requests.sort_by_key(|request| !request.state.is_open());
    let body = html! {
        main class="narrow" {
            header class="what" {
                p class="top" {
                    @if let Some(what) = &view.situation { (pieces::severity(what.severity)) }
                    span class="ref" { (view.reference) }
                    @if let Some(theirs) = &view.their_reference { span class="quiet" { "your reference " bdi { (theirs) } } }
                }
                @match &view.situation {
                    Some(what) => h1 class="clamp" { bdi { (pieces::cut(&what.title, LINE_CHARS_MAX)) } },
                    None => h1 { "What you are asked for" },
                }
                p class="quiet" { "For " bdi { (view.organisation) } ", at most " (view.level.label()) ". Times are in " (when.zone()) "." }
            }
            @if !view.takes_answers && draft.refusal.is_none() { p class="noted" { (OVER) } }
            (undrawn(view, &requests, draft))
            @if done { p class="noted" role="status" { "It is in the log of " (view.reference) "." } }
            @if let Some(what) = &view.situation {
                dl class="facts" {
                    div { dt { "State" } dd { (pieces::state(what.state)) } }
                    @if let Some(service) = &what.service { div { dt { "Service" } dd { bdi { (service) } } } }
                    div { dt { "Since" } dd { (when.stamp(what.began)) } }
                    div { dt { "May go" } dd { (what.marking.label()) } }
                }
            }
            section class="act on" {
                h2 { "Requests" }
                @if requests.is_empty() { p class="quiet" { "You are asked for nothing." } }
                @for request in requests.iter().take(REQUESTS_SHOWN) { (asked(request, view.takes_answers, when, token, draft)) }
                @if requests.len() > REQUESTS_SHOWN { p class="quiet" { (requests.len() - REQUESTS_SHOWN) " earlier ones are not shown." } }
            }
            (sent(view, when, token, draft))
            @if view.takes_answers { (entry_field(when, token, draft)) }
            @if !view.entries.is_empty() {
                section {
                    h2 { "Log" }
                    ul class="alerts" {
                        @for entry in view.entries.iter().take(ENTRIES_SHOWN) {
                            li { span class="quiet" { (when.stamp(entry.at)) } " " bdi { (pieces::cut(&entry.line, LINE_CHARS_MAX)) } }
                        }
                    }
                }
            }
        }
    };
    document(&Frame { title: &view.reference, class: LINK, refresh_s: None, bar: None }, &body)
}

/// What is wanted of them, or comes from them.
fn sent(view: &GuestView, when: &When, token: &str, draft: &Draft) -> Markup {
    // What nobody has said anything of comes first, the oldest before: what is answered makes room for the next.
    let mut resources: Vec<&ResourceView> = view.resources.iter().collect();
    resources.sort_by_key(|one| (!one.state.is_awaited(), one.state));
    html! {
        @if !resources.is_empty() {
            section class="act on" {
                h2 { "Resources" }
                @for one in resources.iter().take(RESOURCES_SHOWN) { (resource(one, view.takes_answers, when, token, draft)) }
                @let rest = resources.len().saturating_sub(RESOURCES_SHOWN);
                @if rest > 0 { p class="quiet" { (rest) " more follow as these are answered." } }
            }
        }
    }
}

/// One resource, and what may be said of it while it is still to come.
fn resource(one: &ResourceView, takes_answers: bool, when: &When, token: &str, draft: &Draft) -> Markup {
    let verb = format!("resource-{}", one.resource);
    html! {
        div class="act" {
            p { strong { (one.resource) ". " } bdi { (one.called()) } @if let Some(place) = &one.place { ", to " bdi { (place) } } }
            p class="quiet" {
                (one.state.words())
                @if let Some(due) = one.due_at.filter(|_| one.state.is_awaited()) { " · needed by " (when.stamp(due)) }
                @if let Some(at) = one.expected_at.filter(|_| one.state.is_awaited()) { " · comes at " (when.stamp(at)) }
            }
            @if takes_answers && one.state.is_awaited() {
                (draft.refused(&verb))
                details open[draft.verb == verb] {
                    summary { "Say where it is" span class="vh" { ": resource " (one.resource) } }
                    form method="post" action={ (path(token)) "/" (SENDS) } {
                        (form_key::once(when)) input type="hidden" name="resource" value=(one.resource);
                        label {
                            span { "Comes within " span class="quiet" { "May be left blank" } }
                            input name="within" placeholder="40m" value=(draft.typed(&verb, "within"));
                        }
                        label {
                            span { "Note " span class="quiet" { "May be left blank" } }
                            textarea name="text" rows="1" { (draft.typed(&verb, "text")) }
                        }
                        @for (state, words) in SAYS.iter().filter(|(state, _)| *state != one.state.word()) {
                            button class="secondary" type="submit" name="state" value=(state) { (words) }
                        }
                    }
                }
            }
        }
    }
}

/// Where an entry is written.
fn entry_field(when: &When, token: &str, draft: &Draft) -> Markup {
    html! {
        section class="act on" {
            h2 { "Write to them" }
            form method="post" action={ (path(token)) "/" (SAY) } {
                (draft.refused(SAY)) (form_key::once(when))
                label class="vh" for="say" { "Write to the log" }
                textarea id="say" name="text" rows="2" placeholder="It is written to the log, in your organisation’s name" required {
                    (draft.typed(SAY, "text"))
                }
                button class="secondary" type="submit" { "Send" }
            }
        }
    }
}

/// What was refused of a form that is not there any more: why, and what was typed.
fn undrawn(view: &GuestView, requests: &[&RequestView], draft: &Draft) -> Markup {
    let is_of = |request: &&RequestView| request.state.is_open() && draft.verb == format!("request-{}", request.request);
    let of_resource = |one: &ResourceView| one.state.is_awaited() && draft.verb == format!("resource-{}", one.resource);
    let is_drawn = view.takes_answers
        && (draft.verb == SAY || view.resources.iter().any(of_resource) || requests.iter().take(REQUESTS_SHOWN).any(is_of));
    html! {
        @if draft.refusal.is_some() && !is_drawn {
            section class="act on" { (draft.refused(&draft.verb)) p class="said" { bdi { (draft.typed(&draft.verb, "text")) } } }
        }
    }
}

/// One request, and the answers that are still to come, where there can be any.
fn asked(request: &RequestView, takes_answers: bool, when: &When, token: &str, draft: &Draft) -> Markup {
    let verb = format!("request-{}", request.request);
    let to = |deed: &str| format!("{}/{deed}", path(token));
    let is_open = takes_answers && request.state.is_open();
    html! {
        div class="act" {
            p { strong { (request.request) ". " } bdi { (pieces::cut(&request.text, REQUEST_CHARS_MAX)) } }
            p class="quiet" {
                (request.state.word())
                @if let Some(due) = request.due_at.filter(|_| is_open) { " · answer wanted by " (when.stamp(due)) }
            }
            @if let Some(answer) = &request.answer { p class="said" { bdi { (pieces::cut(answer, LINE_CHARS_MAX)) } } }
            @if is_open {
                (draft.refused(&verb))
                @if request.state == RequestState::Asked {
                    form method="post" action=(to("acknowledge")) {
                        (form_key::once(when)) input type="hidden" name="request" value=(request.request);
                        button class="secondary" type="submit" { "Acknowledge" span class="vh" { " request " (request.request) } }
                    }
                }
                details open[draft.verb == verb] {
                    summary { "Answer or decline" span class="vh" { " request " (request.request) } }
                    form method="post" action=(to("answer")) {
                        (form_key::once(when)) input type="hidden" name="request" value=(request.request);
                        label { "Your answer" textarea name="text" rows="2" required { (draft.typed(&verb, "text")) } }
                        label {
                            span { "Your reference " span class="quiet" { "May be left blank" } }
                            textarea name="reference" rows="1" { (draft.typed(&verb, "reference")) }
                        }
                        button class="primary" type="submit" { "Answer" }
                        button class="secondary" type="submit" formaction=(to("decline")) formnovalidate { "Decline" }
                    }
                }
            }
        }
    }
}
