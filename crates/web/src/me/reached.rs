//! How one is reached, to be looked after by oneself: contacts added, proved by a code, changed and taken away, and the order in
//! which they are used.
//!
//! Everything works without a script, and each form comes back with what was typed where it was refused. What would leave
//! nothing that reaches its person is asked for twice.

use allclear_domain::access::Principal;
use allclear_domain::channel::{Carriage, ChannelForm};
use allclear_domain::org::forms::secrets::MASK;
use allclear_domain::org::model::{Notify, NotifyEntry};
use allclear_domain::paging::MessageState;
use allclear_domain::time::Length;
use allclear_domain::view::DeliveryView;
use allclear_engine::Engine;
use allclear_engine::org::codes::SentCode;
use allclear_engine::org::own::{Arranged, Ask, Holder, MyContact, MyContacts, NotArranged, address_of};
use allclear_engine::org::{MadeSecret, OrgError};
use allclear_engine::read::tried::TestView;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Form, Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use maud::{Markup, html};
use serde_json::{Map, Value};

use super::message;
use crate::access::reader::{Asked, Fields, answer, reader};
use crate::access::sign_in::FORM_BYTES_MAX;
use crate::app::App;
use crate::frame::pieces;
use crate::frame::refused::{Refused, sentence};
use crate::frame::shell::{HtmlPage, framed, heading};
use crate::frame::time_text::When;

/// Where it is.
pub(crate) const PATH: &str = "/me/reached";
/// The field that says that nothing may reach one then.
const SURE: &str = "sure";
/// The field that names the channel of a new contact.
const CHANNEL: &str = "channel";
/// Longest value of a field, in characters; the channel's own check is narrower.
const LINE_CHARS_MAX: u32 = 2048;

/// Longest reason of a message that did not arrive, in characters; its own page has all of it.
const WHY_CHARS_MAX: usize = 300;

/// The page and its forms.
pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route(PATH, get(show))
        .route("/me/reached/add", post(add).get(back))
        .route("/me/reached/rules", post(rules).get(back))
        .route("/me/reached/shifts", post(shifts).get(back))
        .route("/me/reached/{contact}/{verb}", post(act).get(back))
        .layer(DefaultBodyLimit::max(FORM_BYTES_MAX))
}

/// GET of an address that only takes POST.
async fn back() -> Redirect {
    Redirect::to(PATH)
}

/// What the page is shown with.
#[derive(Default)]
struct Told {
    /// The channel of which one is to be added.
    add: Option<String>,
    /// The contact, or `rules`, and what was asked of it.
    of: Option<(String, String)>,
    /// What was typed.
    fields: Fields,
    refusal: Option<NotArranged>,
    /// Shown this once.
    made: Vec<MadeSecret>,
    /// What was done.
    done: Option<&'static str>,
}

impl Told {
    fn is_of(&self, contact: &str, verb: &str) -> bool {
        self.of.as_ref().is_some_and(|(of, asked)| of == contact && asked == verb)
    }

    /// Why it was not done, where that is what this form asked.
    fn refused(&self, contact: &str, verb: &str) -> Markup {
        html! {
            @if let Some(why) = self.refusal.as_ref().filter(|_| self.is_of(contact, verb)) {
                p class="refusal" role="alert" { strong { "This was not done" } (sentence(&why.to_string())) }
            }
        }
    }

    /// The second press, where the first would leave nothing that reaches them.
    fn anyway(&self, contact: &str, verb: &str) -> Markup {
        html! {
            @if matches!(self.refusal, Some(NotArranged::NothingReaches)) && self.is_of(contact, verb) {
                button class="may" type="submit" name=(SURE) value="1" { "Do it all the same: nothing reaches me then" }
            }
        }
    }
}

/// What was done, by the word of the address that one is led to.
fn done_by(asked: &Fields) -> Option<&'static str> {
    let words = [
        ("added", "Added. It is not used yet: send a code there, and type it here."),
        ("changed", "Changed. Another address is not used before a code was typed that was sent there."),
        ("removed", "Removed. Nothing is sent there any more."),
        ("sent", "A code is on its way."),
        (
            "verified",
            "Verified: pages can be sent there. Where you keep an order of your own, tick it in that too; then try it with a test page.",
        ),
        ("ordered", "Your order is kept."),
        ("told", "Kept: so you are told before your shifts."),
    ];
    words.into_iter().find(|(word, _)| asked.contains_key(*word)).map(|(_, words)| words)
}

async fn show(State(app): State<App>, headers: HeaderMap, Query(asked): Asked) -> Response {
    answer(async {
        let (who, when) = reader(&app, &headers).await?;
        let add = asked.get("add").filter(|name| app.engine.channels().named(name).is_some()).cloned();
        let told = Told { add, done: done_by(&asked), ..Told::default() };
        page(&app, &who, &when, told).await
    })
    .await
}

async fn add(State(app): State<App>, headers: HeaderMap, Form(fields): Form<Fields>) -> Response {
    answer(async {
        let (who, when) = reader(&app, &headers).await?;
        let channel = fields.get(CHANNEL).cloned().unwrap_or_default();
        let Some(form) = app.engine.channels().named(&channel) else {
            return Err(Refused::missing("channel", "Choose one of those that the page lists."));
        };
        let done = match typed(form, &fields) {
            Ok(body) => match address_of(&body) {
                Ok(address) => arrange(&app, &who, &Ask::Add(address), &fields).await,
                Err(why) => Err(why),
            },
            Err(why) => Err(why),
        };
        match done {
            Ok(done) if done.made.is_empty() => Ok(led(&format!("?added#{}", anchor(&done.contact)))),
            Ok(done) => {
                page(
                    &app,
                    &who,
                    &when,
                    Told { made: done.made, done: done_by(&[("added".into(), String::new())].into()), ..Told::default() },
                )
                .await
            }
            Err(why) => {
                again(
                    &app,
                    &who,
                    &when,
                    Told { add: Some(channel), of: Some(("add".into(), "add".into())), fields, ..Told::default() },
                    why,
                )
                .await
            }
        }
    })
    .await
}

async fn rules(State(app): State<App>, headers: HeaderMap, Form(fields): Form<Fields>) -> Response {
    answer(async {
        let (who, when) = reader(&app, &headers).await?;
        let rules = if fields.get("do").is_some_and(|what| what == "form") {
            Ok(None)
        } else {
            let me = Engine::myself(&who).map_err(refused)?;
            let contacts = app.engine.contacts_of(me, &who).await.map_err(refused)?.contacts;
            ordered(&contacts, &fields).map(Some)
        };
        let done = match rules {
            Ok(rules) => arrange(&app, &who, &Ask::Order(rules), &fields).await,
            Err(why) => Err(why),
        };
        match done {
            Ok(_) => Ok(led("?ordered#rules")),
            Err(why) => again(&app, &who, &when, Told { of: Some(("rules".into(), "rules".into())), fields, ..Told::default() }, why).await,
        }
    })
    .await
}

/// How long before their shifts somebody is told.
async fn shifts(State(app): State<App>, headers: HeaderMap, Form(fields): Form<Fields>) -> Response {
    answer(async {
        let (who, when) = reader(&app, &headers).await?;
        let leads = if fields.get("do").is_some_and(|what| what == "form") { Ok(None) } else { leads_of(&fields).map(Some) };
        let done = match leads {
            Ok(leads) => arrange(&app, &who, &Ask::Notices(leads), &fields).await,
            Err(why) => Err(why),
        };
        match done {
            Ok(_) => Ok(led("?told#shifts")),
            Err(why) => {
                again(&app, &who, &when, Told { of: Some(("shifts".into(), "shifts".into())), fields, ..Told::default() }, why).await
            }
        }
    })
    .await
}

/// The lengths of a line, with commas or blanks between them.
fn leads_of(fields: &Fields) -> Result<Vec<Length>, NotArranged> {
    let text = fields.get("before").map(|text| text.trim()).unwrap_or_default();
    let words = text.split([',', ' ']).map(str::trim).filter(|word| !word.is_empty());
    words
        .map(|word| {
            let read: Option<Length> = serde_json::from_value(word.into()).ok();
            read.ok_or_else(|| NotArranged::Wrong(format!("“{}” is no length of time: write it as in 1d, 1h", pieces::cut(word, 32))))
        })
        .collect()
}

async fn act(
    State(app): State<App>,
    headers: HeaderMap,
    Path((contact, verb)): Path<(String, String)>,
    Form(fields): Form<Fields>,
) -> Response {
    answer(async {
        let (who, when) = reader(&app, &headers).await?;
        let me = Engine::myself(&who).map_err(refused)?.to_owned();
        let (done, word) = match verb.as_str() {
            "change" => (change(&app, &who, &me, &contact, &fields).await, "changed"),
            "remove" => (arrange(&app, &who, &Ask::Remove(contact.clone()), &fields).await, "removed"),
            "code" => {
                let sent = app.engine.send_code(&me, &contact, &who).await;
                (sent.map(|_| Arranged { contact: contact.clone(), made: Vec::new() }), "sent")
            }
            "verify" => {
                let code = fields.get("code").map(String::as_str).unwrap_or_default();
                (app.engine.enter_code(&me, &contact, code, &who).await, "verified")
            }
            _ => return Err(Refused::missing("form", "Look for it on the page of how you are reached.")),
        };
        match done {
            Ok(done) if done.made.is_empty() => {
                let place = if word == "removed" { String::new() } else { format!("#{}", anchor(&contact)) };
                Ok(led(&format!("?{word}{place}")))
            }
            Ok(done) => page(&app, &who, &when, Told { made: done.made, ..Told::default() }).await,
            Err(why) => again(&app, &who, &when, Told { of: Some((contact, verb)), fields, ..Told::default() }, why).await,
        }
    })
    .await
}

async fn change(app: &App, who: &Principal, me: &str, contact: &str, fields: &Fields) -> Result<Arranged, NotArranged> {
    let found = app.engine.contacts_of(me, who).await?.contacts.into_iter().find(|one| one.id == contact);
    let channel = found.ok_or_else(|| NotArranged::NoSuchContact(pieces::cut(contact, 64)))?.channel;
    let form = channel.and_then(|name| app.engine.channels().named(name));
    let form = form.ok_or_else(|| NotArranged::Wrong("its channel is not known here: remove it, and add another".to_owned()))?;
    let address = address_of(&typed(form, fields)?)?;
    arrange(app, who, &Ask::Change(contact.to_owned(), address), fields).await
}

async fn arrange(app: &App, who: &Principal, ask: &Ask, fields: &Fields) -> Result<Arranged, NotArranged> {
    app.engine.arrange(Engine::myself(who)?, ask, fields.contains_key(SURE), who).await
}

fn led(to: &str) -> Response {
    Redirect::to(&format!("{PATH}{to}")).into_response()
}

/// The fields of a channel as a body has them; what is needed and missing is told here, since its label is.
fn typed(form: &ChannelForm, fields: &Fields) -> Result<Value, NotArranged> {
    let mut body = Map::new();
    for field in form.fields {
        let text = fields.get(&format!("at.{}", field.key)).map(|text| text.trim()).unwrap_or_default();
        if !text.is_empty() {
            body.insert(field.key.to_owned(), text.into());
        } else if field.needed {
            return Err(NotArranged::Wrong(format!("“{}” is empty: write it as in {}", field.label, field.example)));
        }
    }
    Ok(Value::Object(body))
}

/// The rules that the boxes and the delays say, the soonest first.
fn ordered(contacts: &[MyContact], fields: &Fields) -> Result<Notify, NotArranged> {
    let of = |urgency: &str| -> Result<Vec<NotifyEntry>, NotArranged> {
        let mut rules = Vec::new();
        for contact in contacts.iter().filter(|contact| fields.contains_key(&box_of(urgency, &contact.id))) {
            let text = fields.get(&delay_of(urgency, &contact.id)).map(|text| text.trim()).unwrap_or_default();
            let after = if text.is_empty() { Some(Length::ZERO) } else { serde_json::from_value(text.into()).ok() };
            let after = after.ok_or_else(|| {
                NotArranged::Wrong(format!(
                    "“{}” is no length of time: write it as in 1m or 90s, or leave it empty for at once",
                    pieces::cut(text, 32)
                ))
            })?;
            rules.push(NotifyEntry { contact: contact.id.clone(), after });
        }
        rules.sort_by_key(|rule| rule.after);
        Ok(rules)
    };
    Ok(Notify { high: of("high")?, low: of("low")? })
}

fn box_of(urgency: &str, contact: &str) -> String {
    format!("{urgency}:{contact}")
}

fn delay_of(urgency: &str, contact: &str) -> String {
    format!("{urgency}-after:{contact}")
}

/// The element of a contact.
fn anchor(contact: &str) -> String {
    format!("contact-{contact}")
}

/// A page that can be shown no other way.
fn refused(why: NotArranged) -> Refused {
    if let NotArranged::Denied(no) = why {
        return no.into();
    }
    if matches!(why, NotArranged::Org(OrgError::Store(_))) {
        return Refused::store(None);
    }
    let way_on = html! { p { a href=(super::PLACE.path) { "Me" } } };
    Refused::new(StatusCode::FORBIDDEN, "forbidden", "Only people are reached", sentence(&why.to_string()), way_on)
}

/// The page once more, with why not.
async fn again(app: &App, who: &Principal, when: &When, told: Told, why: NotArranged) -> Result<Response, Refused> {
    let status = match &why {
        NotArranged::Denied(_) | NotArranged::NoPerson | NotArranged::Gone(_) => return Err(refused(why)),
        NotArranged::Org(OrgError::Store(_)) => StatusCode::SERVICE_UNAVAILABLE,
        NotArranged::Wrong(_) | NotArranged::Invalid(_) | NotArranged::NoDigits | NotArranged::WrongCode { .. } => {
            StatusCode::UNPROCESSABLE_ENTITY
        }
        NotArranged::TooOften(_) => StatusCode::TOO_MANY_REQUESTS,
        NotArranged::NoSuchContact(_) => StatusCode::NOT_FOUND,
        NotArranged::OfFile(_)
        | NotArranged::Twice(_)
        | NotArranged::TooMany
        | NotArranged::NothingReaches
        | NotArranged::ProvedAlready
        | NotArranged::NoCode
        | NotArranged::CodeOver
        | NotArranged::CodeSpent
        | NotArranged::Lacks(_)
        | NotArranged::Quarantined
        | NotArranged::Org(_) => StatusCode::CONFLICT,
    };
    let wait = if let NotArranged::TooOften(refusal) = &why { refusal.wait() } else { None };
    let mut response = page(app, who, when, Told { refusal: Some(why), ..told }).await?;
    *response.status_mut() = status;
    crate::posted::told_to_wait(&mut response, wait);
    Ok(response)
}

async fn page(app: &App, who: &Principal, when: &When, told: Told) -> Result<Response, Refused> {
    let me = Engine::myself(who).map_err(refused)?;
    let mine = app.engine.contacts_of(me, who).await.map_err(refused)?;
    let codes = app.engine.codes_of(me, who).await.map_err(refused)?;
    let lately = app.engine.queries(who).messages_to_me().await?;
    let tests = app.engine.queries(who).tests().await?;
    let tests: Vec<&TestView> = tests.iter().filter(|test| test.person == mine.person).collect();
    // What is of no contact that is there any more is told above all.
    let is_lost = told
        .of
        .as_ref()
        .is_some_and(|(of, _)| !["add", "rules", "shifts"].contains(&of.as_str()) && mine.contacts.iter().all(|one| one.id != *of));
    let body = html! {
        nav class="crumbs" aria-label="Where this is" { a href=(super::PLACE.path) { (super::PLACE.word) } }
        (heading("How I am reached", &html! { (when.zone()) }))
        @if let Some(words) = told.done.filter(|_| told.refusal.is_none()) { p class="done" role="status" { (words) } }
        @if is_lost && let Some((of, verb)) = &told.of { (told.refused(of, verb)) }
        @for made in &told.made {
            div class="done" role="status" {
                p { "A secret was made for " code { (made.of) } ". It is shown this once; your receiver checks signatures with it:" }
                pre tabindex="0" { code { (made.secret) } }
            }
        }
        @if mine.contacts.iter().all(|contact| !contact.verified) {
            p class="late" role="status" { "No contact is verified, so that no page reaches you." }
        }
        section class="section" id="contacts" {
            h2 { "Contacts" }
            @if mine.contacts.is_empty() { p class="quiet" { "You have none yet." } }
            @for contact in &mine.contacts { (one(app, contact, (&codes, &tests, &lately), &told, when)) }
        }
        (adding(app, &told))
        @if !mine.contacts.is_empty() { (ordering(&mine, &told, !app.engine.org().bundle().notify_defaults.is_empty()))
        (before_shifts(&mine, &told)) }
        (message::lately(&lately, &app.engine.org(), when))
    };
    let page = HtmlPage { title: "How I am reached", place: &super::PLACE, who, when, wall: false, live: None, source: PATH.into(), body };
    Ok(framed(app, &page))
}

/// One contact: what is known of it, and what can be done with it.
fn one(
    app: &App,
    contact: &MyContact,
    (codes, tests, lately): (&[SentCode], &[&TestView], &[DeliveryView]),
    told: &Told,
    when: &When,
) -> Markup {
    let id = contact.id.as_str();
    let to = |verb: &str| format!("{PATH}/{}/{verb}", pieces::escaped(id));
    let form = contact.channel.and_then(|name| app.engine.channels().named(name));
    // The first that may be shown: of a browser its name.
    let shown = contact.address.fields().map(|(_, value)| value).min_by_key(|value| *value == MASK).unwrap_or_default();
    let opened = told.is_of(id, "change") || told.is_of(id, "remove");
    html! {
        fieldset class="one-row" id=(anchor(id)) {
            legend { (id) }
            p { strong { (pieces::capital(contact.noun)) } " " bdi { (shown) } }
            p class="quiet" {
                @match (&contact.proved, contact.verified) {
                    (Some((at, None)), _) => { "Verified by code " (when.time(*at, &when.ago(*at))) },
                    (Some((at, Some(by))), _) => {
                        "Verified by hand " (when.time(*at, &when.ago(*at))) ", by "
                        (pieces::actor(&app.engine.org(), &by.to_string()).unwrap_or_else(|| by.to_string()))
                    },
                    (None, true) => "Verified, as it was written for you",
                    (None, false) => span class="late" { "Not verified, and so not used" },
                }
                " · " (super::came_of(tests, id, when))
            }
            @if let Some(lost) = lately.iter().find(|message| message.contact == id).filter(|last| last.state == MessageState::Rejected) {
                p class="late" {
                    "The last message to it did not arrive"
                    @if let Some(why) = &lost.last_error { ": " bdi { (pieces::cut(why, WHY_CHARS_MAX)) } }
                }
            }
            @if let Some(setting) = contact.lacks { p class="late" { "Nothing is sent to it: this server has no " (setting) "." } }
            @if !contact.verified { (proving(contact, codes, told, when)) }
            @if contact.holder == Holder::File {
                p class="quiet" {
                    "It stands in the organisation's file, and is changed there. You can leave it out of your order, and add others."
                }
            } @else if let Some(form) = form {
                details class="behind" open[opened] {
                    summary { "Change or remove it" }
                    (told.refused(id, "change"))
                    form class="form" method="post" action=(to("change")) {
                        (fields_of(form, &anchor(id), |key| {
                            let retyped = told.is_of(id, "change").then(|| told.fields.get(&format!("at.{key}")).cloned());
                            retyped.unwrap_or_else(|| contact.address.get(key).map(ToOwned::to_owned))
                        }))
                        div class="row-of" {
                            button class="may" type="submit" { "Change it" }
                            (told.anyway(id, "change"))
                        }
                    }
                    (told.refused(id, "remove"))
                    form class="row-of" method="post" action=(to("remove")) {
                        button class="may" type="submit" { "Remove it" }
                        (told.anyway(id, "remove"))
                    }
                }
            }
        }
    }
}

/// How a contact is proved: the code, how far its message is, and where it is typed.
fn proving(contact: &MyContact, codes: &[SentCode], told: &Told, when: &When) -> Markup {
    let id = contact.id.as_str();
    let to = |verb: &str| format!("{PATH}/{}/{verb}", pieces::escaped(id));
    let code = codes.iter().find(|code| code.contact == id);
    let field = format!("{}-code", anchor(id));
    html! {
        (told.refused(id, "code"))
        (told.refused(id, "verify"))
        @if let Some(code) = code {
            p {
                "A code was sent " (when.time(code.sent_at, &when.ago(code.sent_at))) ": "
                a href=(message::path(&code.message.to_string())) { (state(code)) }
                ". It works until " (when.clock(code.until)) "."
            }
            form class="row-of" method="post" action=(to("verify")) {
                div class="field" {
                    label for=(field) { "The code, six digits" }
                    input id=(field) name="code" type="text" inputmode="numeric" autocomplete="one-time-code" maxlength="16" required;
                }
                button class="do" type="submit" { "Verify it" }
            }
        }
        form class="row-of" method="post" action=(to("code")) {
            @if code.is_some() { button class="may" type="submit" { "Send another code" } }
            @else { button class="do" type="submit" { "Send me a code" } }
        }
    }
}

/// How far the message with a code is.
fn state(code: &SentCode) -> String {
    let why = code.why.as_ref().map(|why| format!(" ({why})")).unwrap_or_default();
    match code.state {
        MessageState::Queued if code.attempts > 0 => format!("it did not arrive yet, and is tried again{why}"),
        MessageState::Queued | MessageState::Claimed => "it is on its way".to_owned(),
        MessageState::Accepted => "the provider has it".to_owned(),
        MessageState::Delivered => "delivered".to_owned(),
        MessageState::Rejected => format!("it was not delivered{why}"),
        MessageState::Withdrawn => "it was not sent".to_owned(),
    }
}

/// The fields of a channel's address.
fn fields_of(form: &ChannelForm, at: &str, typed: impl Fn(&str) -> Option<String>) -> Markup {
    html! {
        // What a browser gives nobody types.
        @for field in form.fields.iter().filter(|field| form.is_given_by_browser() && field.is_secret()) {
            input type="hidden" name={ "at." (field.key) } value=(typed(field.key).unwrap_or_default())
                data-ring-address[field.key == form.name];
        }
        @for field in form.fields.iter().filter(|field| !form.is_given_by_browser() || !field.is_secret()) {
            @let (id, name) = (format!("{at}-{}", field.key), format!("at.{}", field.key));
            @let hint = format!("{id}-hint");
            div class="field" {
                label for=(id) { (field.label) @if field.needed { span class="quiet" { " (needed)" } } }
                input id=(id) name=(name) type="text" value=(typed(field.key).unwrap_or_default()) placeholder=(field.shape)
                    maxlength=(LINE_CHARS_MAX) autocomplete="off" required[field.needed] aria-describedby=(hint)
                    data-ring-name[form.is_given_by_browser()];
                p class="hint" id=(hint) {
                    (field.hint)
                    @if field.is_made() { " Left empty, one is made and shown once." }
                    @else if field.is_secret() { " A stored one is shown as " (MASK) "; leave that to keep it." }
                }
            }
        }
    }
}

/// Whether a channel is offered: vendors with whom the installation has no account would only be in the way.
fn is_offered(app: &App, form: &ChannelForm) -> bool {
    !matches!(form.carriage, Carriage::Vendor { .. }) || app.engine.lacks(form.name).is_none()
}

/// One more: the channel is chosen, then its fields are there.
fn adding(app: &App, told: &Told) -> Markup {
    let channels = app.engine.channels();
    let chosen = told.add.as_deref().and_then(|name| channels.named(name));
    html! {
        section class="section" id="add" {
            h2 { "Add a contact" }
            nav class="row-of" aria-label="Channels" {
                @for form in channels.iter().filter(|form| is_offered(app, form)) {
                    @let here = (Some(form.name) == told.add.as_deref()).then_some("true");
                    a class="add" href={ (PATH) "?add=" (form.name) "#add" } aria-current=[here] {
                        (pieces::capital(form.noun))
                    }
                }
            }
            @if let Some(form) = chosen.filter(|form| form.is_given_by_browser()) {
                (told.refused("add", "add"))
                (ringing(app, form, told))
            } @else if let Some(form) = chosen {
                (told.refused("add", "add"))
                @if let Some(setting) = app.engine.lacks(form.name) {
                    p class="late" { "Nothing can be sent there yet: this server has no " (setting) "." }
                }
                form class="form" method="post" action="/me/reached/add" {
                    input type="hidden" name=(CHANNEL) value=(form.name);
                    (fields_of(form, "new", |key| told.fields.get(&format!("at.{key}")).cloned()))
                    p { button class="do" type="submit" { "Add this " (form.noun) } }
                }
            }
        }
    }
}

/// The browser that the page is shown in is added by a press: it gives the address, and only to our script. The script writes over
/// what is said here when it can, and lets the button be pressed.
fn ringing(app: &App, form: &ChannelForm, told: &Told) -> Markup {
    html! {
        @match app.engine.public_key(form.name) {
            Some(key) => form class="form" method="post" action="/me/reached/add" data-ring=(key) {
                input type="hidden" name=(CHANNEL) value=(form.name);
                p class="quiet" {
                    "Adds the browser in which you read this. Pages are shown there as notifications, with a button that acknowledges, \
                     also while no page of ours is open. They do not sound over “do not disturb”."
                }
                (fields_of(form, "new", |key| told.fields.get(&format!("at.{key}")).cloned()))
                p class="late" role="status" data-ring-says {
                    "This needs a browser that runs the script of this page. Without it, choose another way to be reached."
                }
                p { button class="do" type="submit" disabled { "Ring this browser" } }
            },
            None => p class="late" { "This server rings no browsers: it is a demonstration, or has no key for it." },
        }
    }
}

/// How long before their shifts they are told.
fn before_shifts(mine: &MyContacts, told: &Told) -> Markup {
    let kept = mine.shift_notices.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let value = if told.is_of("shifts", "shifts") { told.fields.get("before").cloned().unwrap_or_default() } else { kept };
    html! {
        section class="section" id="shifts" {
            h2 { "Before your shifts" }
            p class="quiet" {
                "You are told once for each of these times, by the first way of low urgency."
                @if !mine.shift_notices_are_own { " As your form says; what you keep here counts in its place." }
            }
            (told.refused("shifts", "shifts"))
            form class="form" method="post" action="/me/reached/shifts" {
                label class="field" {
                    span { "How long before" }
                    input name="before" value=(value) placeholder="1d, 1h" maxlength="64" autocomplete="off";
                }
                p class="hint" { "Left empty, nobody tells you. At most four times, from 5m to 31d." }
                div class="row-of" {
                    button class="do" type="submit" { "Keep" }
                    @if mine.shift_notices_are_own { button class="may" type="submit" name="do" value="form" { "Use what my form says" } }
                }
            }
        }
    }
}

/// In which order the contacts are used, for each urgency. `has_default`: whether there are default notification rules.
fn ordering(mine: &MyContacts, told: &Told, has_default: bool) -> Markup {
    let retyped = told.is_of("rules", "rules");
    html! {
        section class="section" id="rules" {
            h2 { "Which contacts, in which order" }
            p class="quiet" {
                @if mine.rules_are_own { "These are yours." } @else { "As your form says; what you keep here counts in its place." }
            }
            (told.refused("rules", "rules"))
            form class="form" method="post" action="/me/reached/rules" {
                @for (urgency, words, rules) in [("high", "High urgency", &mine.rules.high), ("low", "Low urgency", &mine.rules.low)] {
                    fieldset class="one-row" {
                        legend { (words) }
                        @for contact in &mine.contacts {
                            @let rule = rules.iter().find(|rule| rule.contact == contact.id);
                            @let (used, delay) = (box_of(urgency, &contact.id), delay_of(urgency, &contact.id));
                            @let after = match (retyped, rule) {
                                (true, _) => told.fields.get(&delay).cloned().unwrap_or_default(),
                                (false, Some(rule)) if !rule.after.is_zero() => rule.after.to_string(),
                                (false, _) => String::new(),
                            };
                            div class="row-of" {
                                label class="check" {
                                    @let ticked = if retyped { told.fields.contains_key(&used) } else { rule.is_some() };
                                    input type="checkbox" name=(used) value="1" checked[ticked];
                                    span { (contact.id) @if !contact.verified { span class="quiet" { " (not verified)" } } }
                                }
                                div class="field" {
                                    label for=(delay) { "After" }
                                    input id=(delay) name=(delay) type="text" value=(after) placeholder="at once" maxlength="16"
                                        autocomplete="off";
                                }
                            }
                        }
                        @if urgency == "high" && has_default { p class="hint" { "Without a tick the default notification rules hold." } }
                        @else if urgency == "high" { p class="hint" { "Without a tick every verified contact is used at once." } }
                        @else { p class="hint" { "Without a tick it is as for high urgency." } }
                    }
                }
                div class="row-of" {
                    button class="do" type="submit" { "Keep this order" }
                    @if mine.rules_are_own { button class="may" type="submit" name="do" value="form" { "Use what my form says" } }
                    (told.anyway("rules", "rules"))
                }
            }
        }
    }
}
