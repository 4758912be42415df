//! `/report`: anybody reports, without signing in and without a script; `/receipt/{token}`: how it stands, for whoever did. GET shows,
//! POST takes. What is refused comes back as it was typed.
//!
//! Not here: what is taken, and what a receipt shows ([`allclear_engine::reports`]).

use std::net::SocketAddr;

use allclear_domain::incident;
use allclear_domain::org::forms::report_form::ReportForm;
use allclear_domain::org::snapshot::Org;
use allclear_engine::core::Refusal;
use allclear_engine::message_link::receipts::BadReceipt;
use allclear_engine::reports::{HowBad, LINE_CHARS_MAX, NotTaken, Receipt, ReceiptAct, ReceiptNo, Report, ReportStands, WHAT_CHARS_MAX};
use axum::extract::rejection::FormRejection;
use axum::extract::{ConnectInfo, DefaultBodyLimit, Path, Query, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Extension, Form, Router};
use maud::{Markup, html};

use crate::access::form_key;
use crate::access::reader::{Asked, Fields};
use crate::app::App;
use crate::frame::document::{Frame, LINK, document};
use crate::frame::pieces;
use crate::frame::refused::{Refused, sentence};
use crate::frame::time_text::When;
use crate::posted::{said, told_to_wait};

/// Where the forms are.
pub(crate) const PATH: &str = "/report";
/// Longest form: a hundred thousand characters of any alphabet, were each byte of them written in percent form.
const FORM_BYTES_MAX: usize = 1024 * 1024;
/// Characters that a form that was refused gives back: all that would be taken, and the page stays small.
const GIVEN_BACK_CHARS_MAX: usize = WHAT_CHARS_MAX;
/// What no person fills, since no person sees it.
const TRAP: &str = "website";
/// Words on a receipt that are shown, the newest.
const WORDS_SHOWN: usize = 8;
/// Characters of each, and of what was reported.
const SHOWN_CHARS_MAX: usize = 300;
/// The part of the address that says that something was taken.
const DONE: &str = "done";

/// The pages.
pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route(PATH, get(forms))
        .route("/report/{id}", get(show).post(take).layer(DefaultBodyLimit::max(FORM_BYTES_MAX)))
        .route("/receipt/{token}", get(receipt))
        .route("/receipt/{token}/{verb}", post(act).layer(DefaultBodyLimit::max(FORM_BYTES_MAX)).get(back))
}

/// What was wrong, and what was typed.
#[derive(Default)]
struct Draft {
    fields: Fields,
    /// The field that it is of, where it is of one.
    field: &'static str,
    refusal: Option<String>,
}

impl Draft {
    fn typed(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }
    fn why(&self, field: &str) -> Markup {
        html! {
            @if let Some(why) = self.refusal.as_ref().filter(|_| self.field == field) {
                p class="refusal" role="alert" { strong { "This was not sent" } (why) }
            }
        }
    }
}

async fn forms(State(app): State<App>) -> Response {
    let org = app.engine.org();
    match org.bundle().report_forms.as_slice() {
        [] => none().answer(true),
        [form] => page(&org, form, &When::new(app.engine.now(), None), &Draft::default()).into_response(),
        several => {
            let body = html! {
                main class="narrow" {
                    h1 { "What is it about?" }
                    ul class="alerts" {
                        @for form in several { li class="line" { a href={ (PATH) "/" (form.id) } { bdi { (form.name) } } } }
                    }
                }
            };
            document(&Frame { title: "Report", class: LINK, refresh_s: None, bar: None }, &body).into_response()
        }
    }
}

fn none() -> Refused {
    let works = html! { p { "Tell whoever gave you this address." } };
    Refused::new(StatusCode::NOT_FOUND, "not_found", "Nothing can be reported here", "There is no form at this address.", works)
}

async fn show(State(app): State<App>, Path(id): Path<String>) -> Response {
    let org = app.engine.org();
    match org.report_form(&id) {
        Some(form) => page(&org, form, &When::new(app.engine.now(), None), &Draft::default()).into_response(),
        None => none().answer(true),
    }
}

async fn take(
    State(app): State<App>,
    Path(id): Path<String>,
    peer: Option<Extension<ConnectInfo<SocketAddr>>>,
    form: Result<Form<Fields>, FormRejection>,
) -> Response {
    let org = app.engine.org();
    let Some(shown) = org.report_form(&id) else { return none().answer(true) };
    let fields = match form {
        Ok(Form(fields)) => fields,
        Err(why) if why.status() == StatusCode::PAYLOAD_TOO_LARGE => return too_large().answer(true),
        Err(_) => Fields::new(),
    };
    let again = |fields: Fields, status, field, why: String, wait| {
        let fields = fields.into_iter().map(|(name, text)| (name, pieces::cut(&text, GIVEN_BACK_CHARS_MAX))).collect();
        let draft = Draft { fields, field, refusal: Some(why) };
        let mut response = page(&org, shown, &When::new(app.engine.now(), None), &draft).into_response();
        *response.status_mut() = status;
        told_to_wait(&mut response, wait);
        response
    };
    if said(&fields, TRAP).is_some() {
        let mut fields = fields;
        fields.remove(TRAP);
        let why = "Something filled a field that stays empty. Send it again, by hand.".to_owned();
        return again(fields, StatusCode::UNPROCESSABLE_ENTITY, "", why, None);
    }
    let report = Report {
        what: fields.get("what").cloned().unwrap_or_default(),
        how_bad: fields.get("how_bad").cloned().unwrap_or_default(),
        service: said(&fields, "service"),
        place: said(&fields, "where"),
        since: said(&fields, "since"),
        contact: said(&fields, "contact"),
        address: peer.map(|Extension(ConnectInfo(peer))| peer.ip()),
        number: form_key::id(&format!("{PATH}/{id}"), &fields),
    };
    match Box::pin(app.engine.report(&id, report)).await {
        Ok((_, url)) => {
            let path = url.strip_prefix(app.engine.base_url().trim_end_matches('/')).unwrap_or(&url);
            Redirect::to(&format!("{path}?{DONE}")).into_response()
        }
        Err(NotTaken::NoForm) => none().answer(true),
        Err(NotTaken::Field { field, why }) => again(fields, StatusCode::UNPROCESSABLE_ENTITY, field, why, None),
        Err(NotTaken::Refusal(refusal)) => {
            let (status, why) = outside(&refusal);
            again(fields, status, "", why, refusal.wait())
        }
    }
}

fn too_large() -> Refused {
    let detail = format!("A report takes at most {WHAT_CHARS_MAX} characters. Nothing was sent: go back, and shorten it.");
    Refused::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", "This is too much", &detail, html! {})
}

/// Why not, in words that say nothing of the inside.
fn outside(refusal: &Refusal) -> (StatusCode, String) {
    match refusal {
        Refusal::TooOften { wait, .. } => (
            StatusCode::TOO_MANY_REQUESTS,
            format!("Too much came in a short time, so this was not sent. It is kept here: send it again in {wait}."),
        ),
        Refusal::Incident(incident::Refusal::Reports(why)) => (StatusCode::CONFLICT, sentence(&why.to_string())),
        Refusal::Incident(incident::Refusal::Words(why)) => (StatusCode::UNPROCESSABLE_ENTITY, sentence(&why.to_string())),
        Refusal::Unavailable(_) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "It could not be kept just now. It stands here still: send it again in a few seconds.".to_owned(),
        ),
        _ => (StatusCode::CONFLICT, "This cannot be done any more. Send a new report, and name this one in it.".to_owned()),
    }
}

/// The form.
fn page(org: &Org, form: &ReportForm, when: &When, draft: &Draft) -> Html<String> {
    let quiet = |text: &str| html! { span class="quiet" { (text) } };
    let body = html! {
        main class="narrow" {
            header class="what" {
                h1 { bdi { (form.name) } }
                @if let Some(words) = &form.words { @for line in words.lines() { p { bdi { (line) } } } }
            }
            section class="act on" {
                form method="post" action={ (PATH) "/" (form.id) } {
                    (draft.why("")) (form_key::once(when))
                    (draft.why("what"))
                    label { "What is wrong?" textarea name="what" rows="4" required { (draft.typed("what")) } }
                    (draft.why("how_bad"))
                    label {
                        "How bad is it for you?"
                        select name="how_bad" required {
                            option value="" { "Choose one" }
                            @for bad in HowBad::ALL { (pieces::choice(bad.word(), draft.typed("how_bad") == bad.word(), bad.words())) }
                        }
                    }
                    @if !form.services.is_empty() {
                        (draft.why("service"))
                        label {
                            span { "What is it about? " (quiet("May be left blank")) }
                            select name="service" {
                                option value="" { "Something else, or I do not know" }
                                @for service in form.services.iter().filter_map(|id| org.service(id)) {
                                    (pieces::choice(&service.id, draft.typed("service") == service.id, &service.name))
                                }
                            }
                        }
                    }
                    @if form.asks_for_place() { (line(draft, "where", "Where is it?", "May be left blank")) }
                    @if form.asks_for_place() { (line(draft, "since", "Since when?", "As you know it. May be left blank")) }
                    @if form.asks_for_contact() {
                        (line(draft, "contact", "How can we reach you?", "A mail address or a number. May be left blank"))
                    }
                    div hidden { label { "Leave this empty" input name=(TRAP) tabindex="-1" autocomplete="off"; } }
                    button class="primary" type="submit" { "Send" }
                }
            }
        }
    };
    document(&Frame { title: &form.name, class: LINK, refresh_s: None, bar: None }, &body)
}

fn line(draft: &Draft, name: &'static str, label: &str, hint: &str) -> Markup {
    html! {
        (draft.why(name))
        label {
            span { (label) " " span class="quiet" { (hint) } }
            textarea name=(name) rows="1" maxlength=(LINE_CHARS_MAX) { (draft.typed(name)) }
        }
    }
}

fn no_receipt(why: BadReceipt) -> Refused {
    let works = || html! { p { a href=(PATH) { "Send a new report" } } };
    match why {
        BadReceipt::Unknown => {
            Refused::new(StatusCode::NOT_FOUND, "not_found", "This link does not work", "It may have been mistyped or cut short.", works())
        }
        BadReceipt::Over => {
            Refused::new(StatusCode::GONE, "receipt_over", "This link does not work any more", "It was for a report of long ago.", works())
        }
        BadReceipt::NoAnswer(why) => why.into(),
    }
}

async fn receipt(State(app): State<App>, Path(token): Path<String>, Query(asked): Asked) -> Response {
    match Box::pin(app.engine.report_receipt(&token)).await {
        Ok(receipt) => {
            let when = When::new(app.engine.now(), None);
            receipt_page(&receipt, &when, &token, &Draft::default(), asked.contains_key(DONE)).into_response()
        }
        Err(why) => no_receipt(why).answer(true),
    }
}

/// GET of an address that only takes POST.
async fn back(Path((token, _)): Path<(String, String)>) -> Response {
    Redirect::to(&format!("/receipt/{token}")).into_response()
}

async fn act(State(app): State<App>, Path((token, verb)): Path<(String, String)>, form: Result<Form<Fields>, FormRejection>) -> Response {
    let fields = match form {
        Ok(Form(fields)) => fields,
        Err(why) if why.status() == StatusCode::PAYLOAD_TOO_LARGE => return too_large().answer(true),
        Err(_) => Fields::new(),
    };
    let path = format!("/receipt/{token}");
    let once = form_key::key(&format!("{path}/{verb}"), &fields);
    let asked = match verb.as_str() {
        "say" => ReceiptAct::Say(said(&fields, "text").unwrap_or_default()),
        "fixed" => ReceiptAct::Fixed,
        "broken" => ReceiptAct::NotFixed(said(&fields, "text")),
        _ => return no_receipt(BadReceipt::Unknown).answer(true),
    };
    match Box::pin(app.engine.act_by_receipt(&token, asked, once)).await {
        Ok(()) => Redirect::to(&format!("{path}?{DONE}")).into_response(),
        Err(ReceiptNo::Receipt(why)) => no_receipt(why).answer(true),
        Err(ReceiptNo::Refusal(refusal)) => {
            let receipt = match Box::pin(app.engine.report_receipt(&token)).await {
                Ok(receipt) => receipt,
                Err(why) => return no_receipt(why).answer(true),
            };
            let (status, why) = outside(&refusal);
            let fields = fields.into_iter().map(|(name, text)| (name, pieces::cut(&text, GIVEN_BACK_CHARS_MAX))).collect();
            let draft = Draft { fields, field: "", refusal: Some(why) };
            let mut response = receipt_page(&receipt, &When::new(app.engine.now(), None), &token, &draft, false).into_response();
            *response.status_mut() = status;
            told_to_wait(&mut response, refusal.wait());
            response
        }
    }
}

/// How it stands, what was said, and whether it is fixed.
fn receipt_page(receipt: &Receipt, when: &When, token: &str, draft: &Draft, done: bool) -> Html<String> {
    let to = |verb: &str| format!("/receipt/{token}/{verb}");
    let earlier = receipt.words.len().saturating_sub(WORDS_SHOWN);
    let asks = receipt.asked_until.is_some() && matches!(receipt.stands, ReportStands::Fixed | ReportStands::Closed);
    let body = html! {
        main class="narrow" {
            header class="what" {
                p class="top" { span class="ref" { (receipt.reference) } " " span class="quiet" { bdi { (receipt.form) } } }
                h1 { @if asks && !receipt.agreed { "Is it fixed?" } @else { (receipt.stands.words()) } }
                p class="quiet" { "Keep this address: it shows how your report stands. Times are in " (when.zone()) "." }
            }
            @if done { p class="noted" role="status" { "It was sent." } }
            (draft.why(""))
            @if draft.refusal.is_some() && !receipt.takes_words && !asks { p class="said" { bdi { (draft.typed("text")) } } }
            @if receipt.hidden { p class="quiet" { "What becomes of it is not shown here. It reached those who deal with it." } }
            dl class="facts" {
                div { dt { "Sent" } dd { (when.stamp(receipt.at)) } }
                div { dt { "Report" } dd { bdi { (pieces::cut(&receipt.what, SHOWN_CHARS_MAX)) } } }
            }
            @if receipt.cut { p class="quiet" { "It was long: the first " (WHAT_CHARS_MAX) " characters were taken." } }
            @if asks { (question(receipt, when, &to, draft)) }
            @if !receipt.words.is_empty() {
                section {
                    h2 { "Said since" }
                    @if earlier > 0 { p class="quiet" { (earlier) " earlier ones are not shown." } }
                    ul class="alerts" {
                        @for (ours, text, at) in receipt.words.iter().skip(earlier) {
                            li {
                                span class="quiet" { (when.stamp(*at)) @if *ours { " · to you: " } @else { " · you: " } }
                                bdi { (pieces::cut(text, SHOWN_CHARS_MAX)) }
                            }
                        }
                    }
                }
            }
            @if receipt.takes_words {
                section class="act on" {
                    form method="post" action=(to("say")) {
                        (form_key::once(when))
                        label { "Add something" textarea name="text" rows="2" required { @if !asks { (draft.typed("text")) } } }
                        button class="secondary" type="submit" { "Send" }
                    }
                }
            }
        }
    };
    document(&Frame { title: &receipt.reference, class: LINK, refresh_s: None, bar: None }, &body)
}

fn question(receipt: &Receipt, when: &When, to: &impl Fn(&str) -> String, draft: &Draft) -> Markup {
    html! {
        section class="act on" {
            @if receipt.agreed { p { "You said that it is fixed." } }
            @else {
                form method="post" action=(to("fixed")) {
                    (form_key::once(when))
                    button class="primary" type="submit" { "Yes, it is fixed" }
                }
            }
            details open[draft.refusal.is_some()] {
                summary { "It still does not work" }
                form method="post" action=(to("broken")) {
                    (form_key::once(when))
                    label {
                        span { "What does not work? " span class="quiet" { "May be left blank" } }
                        textarea name="text" rows="2" { (draft.typed("text")) }
                    }
                    button class="secondary" type="submit" { "It still does not work" }
                }
                @if let Some(until) = receipt.asked_until { p class="quiet" { "You can say so until " (when.stamp(until)) "." } }
            }
        }
    }
}
