//! Declaring by hand: a title is enough, everything else has a default.

use allclear_domain::access::{Principal, Right};
use allclear_domain::incident::Severity;
use allclear_engine::core::{Command, Declare, Reply};
use axum::Form;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use maud::html;

use crate::access::form_key;
use crate::access::form_key::once;
use crate::access::reader::{Asked, Fields, actor, answer};
use crate::app::{App, Lists, Place};
use crate::frame::pieces;
use crate::frame::shell::{HtmlPage, framed, heading};
use crate::frame::time_text::When;
use crate::posted::{Draft, ask, said, worded};

pub(crate) static PLACE: Place = Place {
    path: "/declare",
    word: "Declare",
    strokes: "M10 4v12M4 10h12",
    key: None,
    lists: Lists::DOCK_MENU,
    leads: |app, who| app.engine.queries(who).has(Right::Respond),
    page: || get(show).post(submit),
};

/// The verb of the form, as drafts name it.
const DECLARE: &str = "declare";

/// GET; a query fills the form, so that a link can begin one. The form names every service: only whoever may
/// send it sees it.
pub(crate) async fn show(State(app): State<App>, headers: HeaderMap, Query(asked): Asked) -> Response {
    answer(async {
        let (who, when) = actor(&app, &headers).await?;
        Ok(page(&app, &who, &when, &Draft { verb: DECLARE.into(), fields: asked, refusal: None }, true))
    })
    .await
}

/// POST.
pub(crate) async fn submit(State(app): State<App>, headers: HeaderMap, Form(fields): Form<Fields>) -> Response {
    answer(async {
        let (who, when) = actor(&app, &headers).await?;
        let since = said(&fields, "since");
        let impact_started_at = since.as_deref().and_then(|text| when.of_field(text));
        if since.is_some() && impact_started_at.is_none() {
            // An instant that is dropped in silence would make the durations of this incident wrong for good.
            let why = "The time it began cannot be read. It looks like 2026-03-01T09:00.".to_owned();
            let mut response = page(&app, &who, &when, &Draft { verb: DECLARE.into(), fields, refusal: Some(why) }, false);
            *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
            return Ok(response);
        }
        let declare = Declare {
            title: said(&fields, "title").unwrap_or_default(),
            severity: said(&fields, "severity").and_then(|word| word.parse().ok()).unwrap_or(Severity::Sev3),
            service: said(&fields, "service"),
            impact_started_at,
            page: fields.contains_key("page"),
            private: fields.contains_key("private"),
        };
        let once = form_key::key("/declare", &fields);
        let no = match ask(&app, &who, once, Command::Declare(declare)).await {
            Ok(Reply::Incident { reference, .. }) => return Ok(Redirect::to(&format!("/incidents/{reference}")).into_response()),
            // The same form once more: the incident that it declared.
            Ok(Reply::Again { answer }) => return Ok(Redirect::to(&format!("/incidents/{answer}")).into_response()),
            Ok(_) => return Ok(Redirect::to("/").into_response()),
            Err(no) => no,
        };
        let (status, why) = match worded(no)? {
            // What was typed does not do; there is nothing that it stands against.
            (StatusCode::CONFLICT, why) => (StatusCode::UNPROCESSABLE_ENTITY, why),
            other => other,
        };
        let draft = Draft { verb: DECLARE.into(), fields, refusal: Some(why) };
        let mut response = page(&app, &who, &when, &draft, false);
        *response.status_mut() = status;
        Ok(response)
    })
    .await
}

fn page(app: &App, who: &Principal, when: &When, draft: &Draft, fresh: bool) -> Response {
    let org = app.engine.org();
    let typed = |name: &str| draft.typed(DECLARE, name);
    let chosen: Severity = typed("severity").parse().unwrap_or(Severity::Sev3);
    let pages = fresh || draft.fields.contains_key("page");
    let body = html! {
        (heading("Declare an incident", &html! {}))
        form class="form" method="post" action="/declare" {
            (draft.refused(DECLARE)) (once(when))
            label class="field" {
                span { "What is wrong?" }
                input name="title" value=(typed("title")) required autofocus maxlength="300" placeholder="Card payments failing"
                    autocomplete="off";
            }
            fieldset class="choice" {
                legend { "How bad is it?" }
                @for severity in Severity::ALL {
                    label class="check" {
                        input type="radio" name="severity" value=(severity) checked[severity == chosen];
                        (pieces::severity(severity))
                    }
                }
            }
            label class="field" { span { "What is affected?" } (pieces::service_choice(&org, Some(typed("service")), "I do not know yet")) }
            label class="check" { input type="checkbox" name="page" value="1" checked[pages]; span { "Page who is on call for it" } }
            details class="behind" {
                summary { "It began earlier, or few may see it" }
                label class="check" {
                    input type="checkbox" name="private" value="1" checked[draft.fields.contains_key("private")];
                    span { "Private: only who is paged, holds a role or is admitted sees it" }
                }
                label class="field" {
                    span { "Since" span class="quiet" { " " (when.zone()) } }
                    input type="datetime-local" name="since" value=(typed("since"));
                }
            }
            button class="do big" type="submit" { "Declare" }
        }
    };
    framed(app, &HtmlPage { title: "Declare", place: &PLACE, who, when, wall: false, live: None, source: "/declare".into(), body })
}
