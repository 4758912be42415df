//! Reviews: a list by what is due, and one with its Markdown, drafted from the log until somebody
//! edits it.

use allclear_domain::access::Right;
use allclear_domain::ids::ReviewId;
use allclear_domain::review::{Command as C, State as ReviewState};
use allclear_domain::view::ReviewView;
use allclear_engine::core::{Command, Versioned};
use allclear_engine::read::LIST_MAX;
use allclear_engine::read::learning::ActionFilter;
use axum::Form;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use maud::{Markup, html};

use crate::access::form_key;
use crate::access::form_key::once;
use crate::access::reader::{Fields, actor, answer, reader};
use crate::app::{ALL, App, Lists, Place};
use crate::frame::refused::Refused;
use crate::frame::shell::{HtmlPage, framed, heading};
use crate::frame::time_text::When;
use crate::frame::{markdown, pieces};
use crate::posted::{Draft, No, ask, done_before, needed, worded};

pub(crate) static PLACE: Place = Place {
    path: "/reviews",
    word: "Reviews",
    strokes: "M5 3h7l3.5 3.5V17H5zM8 10h4.5M8 13h4.5",
    key: Some('r'),
    lists: Lists::RAIL_MENU,
    leads: ALL,
    page: || get(list),
};

/// Rows of the text field: a laptop's screen.
const TEXT_ROWS: usize = 28;

/// GET of the list.
pub(crate) async fn list(State(app): State<App>, headers: HeaderMap) -> Response {
    answer(async {
        let (who, when) = reader(&app, &headers).await?;
        let org = app.engine.org();
        let mut found = app.engine.queries(&who).reviews(None, None, LIST_MAX).await?;
        // What is to be written comes first, the earliest due at the top.
        found.sort_by_key(|review| {
            (
                review.state == ReviewState::Published,
                if review.state == ReviewState::Published { -review.due_at.as_second() } else { review.due_at.as_second() },
            )
        });
        let due = found.iter().filter(|review| review.state != ReviewState::Published).count();
        let body = html! {
            (heading("Reviews", &html! { (due) " to be written" }))
            @if found.is_empty() {
                p class="prose quiet" {
                    "None yet. When an incident is resolved its review is drafted from the log: what happened, when, who did what, what "
                    "was late. Somebody edits it and publishes it."
                }
            }
            ul class="list" data-live="reviews" {
                @for review in &found {
                    li data-key=(review.id) {
                        span {
                            (pieces::severity(review.severity)) " " span class="ref quiet" { (review.reference) } " "
                            a class="main" href={ "/reviews/" (review.id) } { bdi { (pieces::cut(&review.title, 160)) } }
                        }
                        span class="quiet" {
                            @match &review.owner { Some(id) => { bdi { (pieces::name(&org, id)) } " · " }, None => "nobody writes it · " }
                            (standing(review, &when))
                        }
                    }
                }
            }
        };
        Ok(framed(
            &app,
            &HtmlPage {
                title: "Reviews",
                place: &PLACE,
                who: &who,
                when: &when,
                wall: false,
                live: Some("on=board".into()),
                source: "/reviews".into(),
                body,
            },
        ))
    })
    .await
}

fn standing(review: &ReviewView, when: &When) -> Markup {
    html! {
        @if let Some(at) = review.published_at { "published " (when.time(at, &when.ago(at))) }
        @else if when.is_late(review.due_at) { (when.counting(review.due_at)) }
        @else { "due " (when.time(review.due_at, &when.minute(review.due_at))) }
    }
}

/// GET of one.
pub(crate) async fn one(State(app): State<App>, headers: HeaderMap, Path(id): Path<String>) -> Response {
    answer(async {
        let (who, when) = reader(&app, &headers).await?;
        Box::pin(page(&app, &who, &when, &id, &Draft::default())).await
    })
    .await
}

/// GET of an address that only takes POST.
pub(crate) async fn back(Path((id, _)): Path<(String, String)>) -> Response {
    Redirect::to(&format!("/reviews/{}", pieces::escaped(&id))).into_response()
}

/// POST: edit, publish, assign.
pub(crate) async fn act(
    State(app): State<App>,
    headers: HeaderMap,
    Path((id, verb)): Path<(String, String)>,
    Form(fields): Form<Fields>,
) -> Response {
    answer(async {
        let (who, when) = actor(&app, &headers).await?;
        let review = parsed(&id)?;
        // A draft reads a whole log: kept off the stack of whoever waits.
        let now = Box::pin(app.engine.queries(&who).review(review)).await?;
        // Browsers end lines with a carriage return; Markdown does not.
        let text = || needed_text(&fields).map(|text| text.replace("\r\n", "\n"));
        let done = async {
            let command = match verb.as_str() {
                "edit" => C::Edit { text: text()? },
                "publish" => C::Publish { text: text()? },
                "assign" => C::Assign { owner: needed(&fields, "owner", "who writes it")? },
                _ => return Err(No::Page(Refused::missing("command", "Open the review and choose there."))),
            };
            let once = form_key::key(&format!("/reviews/{id}/{verb}"), &fields);
            if verb == "assign" || done_before(&app, &who, once.as_ref()).await? {
                return ask(&app, &who, once, Command::Review { id: review, command }).await;
            }
            if form_key::saw_another(&fields, &seen(&now)) {
                return Err(No::Changed("review"));
            }
            let asked = Command::Review { id: review, command };
            let asked = Command::IfVersion { of: Versioned::Review(review), version: now.version, command: Box::new(asked) };
            ask(&app, &who, once, asked).await
        };
        match done.await {
            Ok(_) => Ok(Redirect::to(&format!("/reviews/{id}")).into_response()),
            Err(no) => {
                let (status, why) = worded(no)?;
                let mut response = Box::pin(page(&app, &who, &when, &id, &Draft { verb, fields, refusal: Some(why) })).await?;
                *response.status_mut() = status;
                Ok(response)
            }
        }
    })
    .await
}

/// A mark of the text that somebody sees. A draft that nobody edited grows with the log by itself, so that all of
/// its versions are one.
fn seen(review: &ReviewView) -> String {
    if review.edited { form_key::mark(&[review.text.as_deref().unwrap_or_default(), review.state.word()]) } else { form_key::mark(&[]) }
}

/// A review is longer than a note; the engine says how long it may be.
fn needed_text(fields: &Fields) -> Result<String, No> {
    fields.get("text").filter(|text| !text.trim().is_empty()).cloned().ok_or_else(|| No::Typed("The text is empty.".to_owned()))
}

fn parsed(id: &str) -> Result<ReviewId, Refused> {
    id.parse().map_err(|_| Refused::missing("review", "Look for it among the reviews."))
}

async fn page(app: &App, who: &allclear_domain::access::Principal, when: &When, id: &str, draft: &Draft) -> Result<Response, Refused> {
    let review = app.engine.queries(who).review(parsed(id)?).await?;
    let of_it = ActionFilter { incident: Some(app.engine.queries(who).incident_id(&review.incident).await?), ..ActionFilter::default() };
    let actions = app.engine.queries(who).actions(of_it, LIST_MAX).await?;
    let org = app.engine.org();
    let published = review.state == ReviewState::Published;
    let verb = if draft.verb == "publish" { "publish" } else { "edit" };
    let kept = review.text.clone().unwrap_or_default();
    let text = if draft.refusal.is_some() && draft.verb == verb { draft.typed(verb, "text").to_owned() } else { kept.clone() };
    let action = |verb: &str| format!("/reviews/{}/{verb}", review.id);
    let may_act = app.engine.queries(who).has(Right::Respond);
    let body = html! {
        (heading(&format!("Review of {}", review.reference), &standing(&review, when)))
        dl class="inline" {
            div { dt { "Incident" } dd { a href={ "/incidents/" (review.reference) } { (review.reference) " " bdi { (review.title) } } } }
            div { dt { "Severity" } dd { (pieces::severity(review.severity)) } }
            div {
                dt { "Writes it" }
                dd { @match &review.owner { Some(id) => bdi { (pieces::name(&org, id)) }, None => span class="quiet" { "nobody" } } }
            }
        }
        @if !published && !review.edited { p class="quiet" { "Drafted from the log. Nobody has edited it yet." } }
        @if may_act && !published {
            form class="review-form" method="post" action=(action("edit")) {
                (draft.refused("edit")) (draft.refused("publish")) (once(when)) (form_key::seen(&seen(&review)))
                label class="field" {
                    span { "Text" span class="quiet" { " in Markdown" } }
                    textarea name="text" rows=(TEXT_ROWS) class="text" required { (text) }
                }
                div class="row-of stay" {
                    button class="may" type="submit" { "Keep as draft" }
                    button class="do" type="submit" formaction=(action("publish")) { "Publish" }
                }
            }
            form class="row-of form" method="post" action=(action("assign")) {
                (draft.refused("assign")) (once(when))
                label class="field" { span { "Who writes it" } (pieces::person_choice(&org, "owner", review.owner.as_deref(), None)) }
                button class="may" type="submit" { "Give it" }
            }
            @let changed = text != kept;
            details class="behind" open[changed] {
                summary { @if changed { "What stands there now" } @else { "As it will read" } }
                article class="prose review" { (markdown::render(&kept)) }
            }
        } @else { article class="prose review" { (markdown::render(&kept)) } }
        section class="section" {
            h2 { "Corrective actions" span class="quiet" { " · as they stand now" } }
            @if actions.is_empty() { p class="quiet" { "None so far." } }
            ul class="tasks" { @for action in &actions { (pieces::action_line(action, &org, when)) } }
            @if may_act { p class="only-screen" { a href={ "/actions?incident=" (review.reference) } { "Add an action from it" } } }
        }
    };
    let title = format!("Review {}", review.reference);
    Ok(framed(
        app,
        &HtmlPage { title: &title, place: &PLACE, who, when, wall: false, live: None, source: format!("/reviews/{}", review.id), body },
    ))
}
