//! Signing in and out, the first administrator, invitations: plain forms. What is right and what is throttled is decided in the engine.

use allclear_domain::org::snapshot::Org;
use allclear_engine::identity::cookies;
use allclear_engine::identity::password::PASSWORD_CHARS_MIN;
use allclear_engine::identity::sessions::{Begun, FirstAdministrator, LinkKind, NotSignedIn, SignedIn};
use axum::Router;
use axum::extract::{DefaultBodyLimit, Form, Path, Query, State};
use axum::http::header::{RETRY_AFTER, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use maud::{Markup, html};
use serde::Deserialize;

use crate::access::visitor::{Caller, local, signed_in};
use crate::app::App;
use crate::frame::assets::{ZONE_PATH, with_script};
use crate::frame::document::{Frame, document};
use crate::frame::refused::Refused;

/// Largest form here: a password and some names.
pub(crate) const FORM_BYTES_MAX: usize = 8 * 1024;
/// How long we ask to wait when too many hash at once: each takes some 50 ms.
const BUSY_S: &str = "2";

/// The pages of this module.
pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/sign-in", get(show).post(sign_in))
        .route("/sign-out", post(sign_out))
        .route("/set-up/{token}", get(show_set_up).post(set_up))
        .route("/invite/{token}", get(show_invitation).post(accept_invitation))
        .layer(DefaultBodyLimit::max(FORM_BYTES_MAX))
}

#[derive(Deserialize)]
struct Next {
    next: Option<String>,
}

#[derive(Deserialize)]
struct SignInForm {
    #[serde(default)]
    account: String,
    #[serde(default)]
    password: String,
    next: Option<String>,
}

async fn show(State(app): State<App>, headers: HeaderMap, Query(Next { next }): Query<Next>) -> Response {
    match signed_in(&app, &headers).await {
        Ok(Some(_)) => Redirect::to(local(next.as_deref())).into_response(),
        Ok(None) => page("Sign in", &sign_in_form("", local(next.as_deref()), None)).into_response(),
        Err(refused) => refused.answer(true),
    }
}

async fn sign_in(State(app): State<App>, caller: Caller, Form(form): Form<SignInForm>) -> Response {
    let next = local(form.next.as_deref());
    match app.engine.sign_in(&form.account, &form.password, &caller.visitor()).await {
        Ok(begun) => enter(&app, &begun, next),
        Err(why) => refused(&app, "Sign in", why, |words| sign_in_form(&form.account, next, Some(words))),
    }
}

async fn sign_out(State(app): State<App>, headers: HeaderMap) -> Response {
    match signed_in(&app, &headers).await {
        Ok(Some(found)) => {
            if let Err(why) = app.engine.sign_out(person(&found), &found.session).await {
                tracing::error!(%why, "a session was not ended");
                return Refused::store(None).answer(true);
            }
        }
        Ok(None) => {}
        Err(refused) => return refused.answer(true),
    }
    leave(&app)
}

/// What was typed; of the password nothing is ever shown again.
#[derive(Default, Deserialize)]
struct SetUpForm {
    /// Somebody of the organisation; nobody where it is somebody new.
    #[serde(default)]
    person: String,
    #[serde(default)]
    id: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    email: String,
    #[serde(default)]
    time_zone: String,
    /// Whether they are paged at that address.
    reach: Option<String>,
    #[serde(default)]
    password: String,
}

async fn show_set_up(State(app): State<App>, Path(token): Path<String>) -> Response {
    match app.engine.link(LinkKind::SetUp, &token).await {
        Ok(_) => {
            let blank = SetUpForm { reach: Some(String::new()), ..SetUpForm::default() };
            with_zone("Set up All Clear", &set_up_form(&app.engine.org(), &token, &blank, None))
        }
        Err(why) => {
            refused(&app, "Set up All Clear", why, |words| set_up_form(&app.engine.org(), &token, &SetUpForm::default(), Some(words)))
        }
    }
}

async fn set_up(State(app): State<App>, caller: Caller, Path(token): Path<String>, Form(form): Form<SetUpForm>) -> Response {
    let first = if form.person.is_empty() {
        let email = Some(form.email.trim().to_owned()).filter(|email| !email.is_empty());
        let reached = form.reach.is_some();
        let time_zone = Some(form.time_zone.trim().to_owned()).filter(|zone| !zone.is_empty());
        FirstAdministrator::New { id: form.id.trim().to_owned(), name: form.name.trim().to_owned(), email, time_zone, reached }
    } else {
        FirstAdministrator::Known(form.person.clone())
    };
    match app.engine.set_up(&token, first, &form.password, &caller.visitor()).await {
        Ok(begun) => enter(&app, &begun, "/"),
        Err(why) => refused(&app, "Set up All Clear", why, |words| set_up_form(&app.engine.org(), &token, &form, Some(words))),
    }
}

#[derive(Deserialize)]
struct PasswordForm {
    #[serde(default)]
    password: String,
}

async fn show_invitation(State(app): State<App>, Path(token): Path<String>) -> Response {
    match app.engine.link(LinkKind::Invitation, &token).await {
        Ok(link) => page("Choose a password", &invitation_form(&app.engine.org(), link.person.as_deref(), &token, None)).into_response(),
        Err(why) => refused(&app, "Choose a password", why, |words| invitation_form(&app.engine.org(), None, &token, Some(words))),
    }
}

async fn accept_invitation(State(app): State<App>, caller: Caller, Path(token): Path<String>, Form(form): Form<PasswordForm>) -> Response {
    match app.engine.accept_invitation(&token, &form.password, &caller.visitor()).await {
        Ok(begun) => enter(&app, &begun, "/"),
        Err(why) => refused(&app, "Choose a password", why, |words| invitation_form(&app.engine.org(), None, &token, Some(words))),
    }
}

pub(crate) async fn must_be_signed_in(app: &App, headers: &HeaderMap) -> Result<SignedIn, Refused> {
    signed_in(app, headers).await?.ok_or_else(|| Refused::token(false))
}

pub(crate) fn person(found: &SignedIn) -> &str {
    found.principal.person().unwrap_or_default()
}

/// Signed in: the cookies are set, and on it goes.
pub(crate) fn enter(app: &App, begun: &Begun, next: &str) -> Response {
    let life = begun.expires_at.duration_since(app.engine.now()).as_secs();
    let answer = with_cookie(Redirect::to(next).into_response(), &cookies::set(app.engine.base_url(), &begun.token, life));
    match &begun.device {
        Some(device) => with_cookie(answer, &cookies::set_device(app.engine.base_url(), device)),
        None => answer,
    }
}

pub(crate) fn leave(app: &App) -> Response {
    with_cookie(Redirect::to("/sign-in").into_response(), &cookies::set(app.engine.base_url(), "", 0))
}

fn with_cookie(mut response: Response, cookie: &str) -> Response {
    if let Ok(value) = HeaderValue::from_str(cookie) {
        response.headers_mut().append(SET_COOKIE, value);
    }
    response
}

pub(crate) fn status(why: &NotSignedIn) -> StatusCode {
    match why {
        NotSignedIn::Wrong => StatusCode::UNAUTHORIZED,
        NotSignedIn::Throttled(_) => StatusCode::TOO_MANY_REQUESTS,
        NotSignedIn::Busy | NotSignedIn::Store(_) => StatusCode::SERVICE_UNAVAILABLE,
        NotSignedIn::LinkUnknown => StatusCode::NOT_FOUND,
        NotSignedIn::LinkOver => StatusCode::GONE,
        NotSignedIn::Password(_) | NotSignedIn::Person(_) => StatusCode::UNPROCESSABLE_ENTITY,
    }
}

fn seconds_until(why: &NotSignedIn, app: &App) -> Option<i64> {
    let NotSignedIn::Throttled(at) = why else { return None };
    Some(at.duration_since(app.engine.now()).as_secs().max(0) + 1)
}

pub(crate) fn sentence(why: &NotSignedIn, app: &App) -> String {
    if let Some(seconds) = seconds_until(why, app) {
        return format!("There were too many tries. Wait {seconds} s, then try again. Links in messages go on working meanwhile.");
    }
    let text = why.to_string();
    let sentences = text.lines().map(|line| {
        let mut chars = line.chars();
        let first = chars.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
        format!("{first}{}.", chars.as_str())
    });
    sentences.collect::<Vec<_>>().join("\n")
}

/// The same form with what was wrong; where a link is over, what to do instead.
fn refused(app: &App, title: &str, why: NotSignedIn, form: impl FnOnce(&str) -> Markup) -> Response {
    let status = status(&why);
    if let NotSignedIn::Store(fault) = &why {
        tracing::error!(%fault, "nobody can sign in");
        return Refused::store(None).answer(true);
    }
    if matches!(why, NotSignedIn::LinkUnknown | NotSignedIn::LinkOver) {
        let works = html! {
            p { "An administrator makes another one:" }
            pre { code { "allclear invite PERSON" } }
            p { a href="/sign-in" { "Sign in" } }
        };
        let code = if status == StatusCode::GONE { "link_used" } else { "link_unknown" };
        return Refused::new(status, code, "This link does not work any more", sentence(&why, app), works).answer(true);
    }
    let mut response = page(title, &form(&sentence(&why, app))).into_response();
    *response.status_mut() = status;
    let wait = match (&why, seconds_until(&why, app)) {
        (_, Some(seconds)) => HeaderValue::from_str(&seconds.to_string()).ok(),
        (NotSignedIn::Busy, _) => Some(HeaderValue::from_static(BUSY_S)),
        _ => None,
    };
    if let Some(wait) = wait {
        response.headers_mut().insert(RETRY_AFTER, wait);
    }
    response
}

fn page(title: &str, body: &Markup) -> Html<String> {
    let body = html! { main class="narrow entry" { h1 { (title) } (body) } };
    document(&Frame { title, class: "plain", refresh_s: None, bar: None }, &body)
}

/// The same with the one script that fills a time zone.
fn with_zone(title: &str, body: &Markup) -> Response {
    with_script(page(title, &html! { (body) script src=(*ZONE_PATH) {} }).into_response())
}

pub(crate) fn wrong(words: Option<&str>) -> Markup {
    html! { @if let Some(words) = words { div class="notice" role="alert" { @for line in words.lines() { p { (line) } } } } }
}

pub(crate) fn new_password() -> Markup {
    html! {
        p {
            label for="password" { "Password" } " "
            input id="password" name="password" type="password" autocomplete="new-password" minlength=(PASSWORD_CHARS_MIN) required
                aria-describedby="rule";
        }
        p class="hint" id="rule" {
            "At least " (PASSWORD_CHARS_MIN)
            " characters. Some words in a row are good; symbols are not needed. What is tried first is refused: common passwords, names, "
            "ours too."
        }
    }
}

fn sign_in_form(account: &str, next: &str, words: Option<&str>) -> Markup {
    html! {
        (wrong(words))
        form method="post" action="/sign-in" {
            input type="hidden" name="next" value=(next);
            p {
                label for="account" { "Your id or e-mail address" } " "
                input id="account" name="account" value=(account) autocomplete="username" autocapitalize="none" spellcheck="false" required;
            }
            p {
                label for="password" { "Password" } " "
                input id="password" name="password" type="password" autocomplete="current-password" required;
            }
            p { button type="submit" { "Sign in" } }
        }
        p class="hint" { "Were you paged? Open the link in the message: it needs no password." }
        p class="hint" { "No password yet, or forgotten? An administrator makes a link with " code { "allclear invite PERSON" } "." }
    }
}

fn set_up_form(org: &Org, token: &str, typed: &SetUpForm, words: Option<&str>) -> Markup {
    let people = &org.bundle().people;
    html! {
        p { "Nobody can sign in as an administrator yet. Whoever you choose here can, and may then invite everybody else." }
        (wrong(words))
        @if words.is_some() {
            p class="hint" { "What you typed is still here, but for the password: that is never shown again. Type it once more." }
        }
        form method="post" action={ "/set-up/" (token) } {
            @if !people.is_empty() {
                p { label for="person" { "Who are you?" } " " select id="person" name="person" {
                    option value="" { "Somebody new" }
                    @for person in people {
                        option value=(person.id) selected[person.id == typed.person] { (person.name) " (" (person.id) ")" }
                    }
                } }
                p class="hint" { "What follows, but for the password, is for somebody new." }
            }
            p {
                label for="name" { "Name" } " "
                input id="name" name="name" value=(typed.name) autocomplete="name" autofocus[people.is_empty()];
            }
            p {
                label for="email" { "E-mail address" } " "
                input id="email" name="email" type="email" value=(typed.email) autocomplete="email";
            }
            p {
                label class="check" {
                    input type="checkbox" name="reach" value="1" checked[typed.reach.is_some()];
                    span { "Page me at this address" }
                }
            }
            p {
                label for="zone" { "Time zone" } " "
                input id="zone" name="time_zone" value=(typed.time_zone) autocapitalize="none" spellcheck="false" autocomplete="off"
                    data-here[words.is_none()] aria-describedby="zone-rule";
            }
            p class="hint" id="zone-rule" {
                "In which pages and messages tell you times: an IANA name such as Europe/Madrid; UTC where empty."
            }
            p {
                label for="id" { "Id" } " "
                input id="id" name="id" value=(typed.id) autocapitalize="none" spellcheck="false" autocomplete="username"
                    aria-describedby="id-rule";
            }
            p class="hint" id="id-rule" {
                "What you sign in with and other forms name you by: lower-case letters, digits, " code { "-" } ", " code { "_" }
                " and " code { "." } ". Left empty it is made from the name, as " code { "ana-ruiz" } " of Ana Ruiz. It stays."
            }
            (new_password())
            p { button type="submit" { "Set up" } }
        }
    }
}

fn invitation_form(org: &Org, person: Option<&str>, token: &str, words: Option<&str>) -> Markup {
    html! {
        @if let Some(person) = person.and_then(|id| org.person(id)) {
            p { "Welcome, " (person.name) ". You sign in as " strong { (person.id) } "." }
        }
        (wrong(words))
        form method="post" action={ "/invite/" (token) } {
            @if let Some(person) = person { input type="hidden" name="account" value=(person) autocomplete="username"; }
            (new_password())
            p { button type="submit" { "Choose this password and sign in" } }
        }
    }
}
