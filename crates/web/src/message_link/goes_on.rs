//! What goes on behind a message's link once the incident is its person's: a note, help, the end, and giving it back.
//! Each is one plain form, and asks what the same form of the incident's own page asks.

use allclear_domain::ask as asks;
use allclear_domain::ask::Given;
use allclear_domain::ids::IncidentId;
use allclear_domain::incident;
use allclear_domain::incident::lifecycle::Verb;
use allclear_engine::core::{Command, Input};
use allclear_engine::message_link::About;
use axum::Form;
use axum::Json;
use axum::extract::rejection::FormRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use maud::html;

use crate::access::form_key;
use crate::access::reader::Fields;
use crate::app::App;
use crate::frame::refused::{Refused, wants_html};
use crate::message_link;
use crate::message_link::forms::{self, GIVE_BACK, HELP, NOTE, NOTED, RESOLVE};
use crate::message_link::story::Story;
use crate::message_link::{VIA, page, story};
use crate::posted::{Draft, No, said, told_to_wait, worded};

/// Longest form: the longest note, were each of its characters written in percent form.
pub(crate) const FORM_BYTES_MAX: usize = 512 * 1024;

/// POST.
pub(crate) async fn submit(
    State(app): State<App>,
    Path((token, verb)): Path<(String, String)>,
    headers: HeaderMap,
    form: Result<Form<Fields>, FormRejection>,
) -> Response {
    let html = wants_html(&headers);
    let fields = match form {
        Ok(Form(fields)) => fields,
        Err(why) if why.status() == StatusCode::PAYLOAD_TOO_LARGE => return too_large().answer(html),
        // A button alone may come without a body.
        Err(_) => Fields::new(),
    };
    let done = async {
        let link = message_link::read(&app, &token)?;
        let About::Page(id) = link.about else {
            return Err(Refused::missing("command", "Open one of its incidents first."));
        };
        let who = app.engine.holder(&link).await?;
        let told = story::read(&app.engine, &link, id).await.map_err(|why| message_link::unread(why, &token))?;
        let key = form_key::key(&format!("{}/{verb}", message_link::path(&token)), &fields);
        let asked = async {
            let command = command(&app, &who, &told, &verb, &fields).await?;
            let input = Input { who: who.clone(), cause: VIA.into(), once: key, command };
            app.engine.ask(input).await.map(drop).map_err(No::Refusal)
        };
        match asked.await {
            Ok(()) if html => Ok(Redirect::to(&after(&token, &verb)).into_response()),
            Ok(()) => Ok(Json(serde_json::json!({ "done": verb, "ref": told.incident.reference })).into_response()),
            Err(no) => {
                let wait = no.wait();
                let (status, why) = worded(no)?;
                if !html {
                    let mut response = Refused::new(status, "refused", "This was not done", &why, html! {}).answer(html);
                    told_to_wait(&mut response, wait);
                    return Ok(response);
                }
                // Read once more: somebody else may have ended it meanwhile.
                let told = story::read(&app.engine, &link, id).await.unwrap_or(told);
                let draft = Draft { verb, fields, refusal: Some(why) };
                let mut response = page::page(&app.engine.org(), &told, &token, &draft, false).into_response();
                *response.status_mut() = status;
                told_to_wait(&mut response, wait);
                Ok(response)
            }
        }
    };
    done.await.unwrap_or_else(|refused: Refused| refused.answer(html))
}

fn too_large() -> Refused {
    let detail =
        format!("A form takes at most {} KB here. Nothing was written: shorten it, or give a link to the rest.", FORM_BYTES_MAX / 1024);
    Refused::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", "This is too much", &detail, html! {})
}

/// Where one comes to: a note leaves nothing else on the page that says that it was taken.
fn after(token: &str, verb: &str) -> String {
    let there = message_link::path(token);
    if verb == NOTE { format!("{there}?{NOTED}") } else { there }
}

async fn command(app: &App, who: &allclear_domain::access::Principal, told: &Story, verb: &str, fields: &Fields) -> Result<Command, No> {
    let id: IncidentId = told.page.incident_id();
    let mut given = Given::default();
    let verb = match verb {
        GIVE_BACK => {
            let (by, why) = (told.person.clone(), format!("{} gave it back", told.person_name));
            return Ok(Command::incident(id, incident::attendance::Command::GiveBack { by, why }));
        }
        NOTE => {
            given.put("text", said(fields, "text"));
            Verb::Note
        }
        HELP => {
            // What the form offers, and no other id: a link that was passed on finds nobody by their name.
            let org = app.engine.org();
            let whom = forms::chosen(&org, told, said(fields, "page").as_deref()).map_err(No::Typed)?;
            given.put("page", whom);
            given.put("why", said(fields, "why"));
            Verb::Escalate
        }
        RESOLVE => {
            given.put("note", said(fields, "note"));
            Verb::Resolve
        }
        _ => return Err(No::Page(Refused::missing("command", "Open the link again and choose there."))),
    };
    let row = asks::of(verb).ok_or_else(|| No::Page(Refused::missing("command", "Open the link again and choose there.")))?;
    Ok(app.engine.asked(who, id, row, &given, VIA).await?)
}
