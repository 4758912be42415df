//! Corrective actions: what was promised after an incident, the most overdue first.

use allclear_domain::access::{Principal, Right};
use allclear_domain::action::{Command as C, State, Until};
use allclear_domain::ids::ActionId;
use allclear_domain::org::snapshot::Org;
use allclear_domain::view::ActionView;
use allclear_engine::core::{Command, Versioned};
use allclear_engine::read::LIST_MAX;
use allclear_engine::read::learning::ActionFilter;
use axum::Form;
use axum::extract::{Path, Query, State as Shared};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use maud::{Markup, html};

use crate::access::form_key;
use crate::access::form_key::once;
use crate::access::reader::{Asked, Fields, actor, answer, reader};
use crate::app::{ALL, App, Lists, Place};
use crate::frame::pieces;
use crate::frame::refused::Refused;
use crate::frame::shell::{HtmlPage, framed, heading};
use crate::frame::time_text::When;
use crate::posted::{Draft, No, ask, done_before, needed, said, worded};

pub(crate) static PLACE: Place = Place {
    path: "/actions",
    word: "Actions",
    strokes: "M3.5 5.5l1.5 1.5 2.5-3M3.5 13.5l1.5 1.5 2.5-3M10.5 6h6.5M10.5 14h6.5",
    key: Some('a'),
    lists: Lists::RAIL_MENU,
    leads: ALL,
    page: || get(show).post(add),
};

/// Ended actions that are listed.
const ENDED_SHOWN: i64 = 20;
/// The verb of the form that adds one, as drafts name it.
const ADD: &str = "add";

/// GET.
pub(crate) async fn show(Shared(app): Shared<App>, headers: HeaderMap, Query(asked): Asked) -> Response {
    answer(async {
        let (who, when) = reader(&app, &headers).await?;
        // A link from an incident begins the form.
        let draft = if asked.contains_key("incident") {
            Draft { verb: ADD.into(), fields: asked.clone(), refusal: None }
        } else {
            Draft::default()
        };
        page(&app, &who, &when, &draft).await
    })
    .await
}

/// POST of a new one.
pub(crate) async fn add(Shared(app): Shared<App>, headers: HeaderMap, Form(fields): Form<Fields>) -> Response {
    answer(async {
        let (who, when) = actor(&app, &headers).await?;
        let done = async {
            let nameless = || No::Typed("Name the incident that taught it. References look like INC-142.".to_owned());
            let reference = said(&fields, "incident").ok_or_else(nameless)?;
            let missing = |_| No::Typed(format!("There is no incident `{}`. References look like INC-142.", pieces::cut(&reference, 40)));
            let incident = app.engine.queries(&who).incident_id(&reference).await.map_err(missing)?;
            let day = day(&fields)?;
            let command = Command::AddAction {
                incident,
                text: needed(&fields, "text", "what will be done")?,
                owner: needed(&fields, "owner", "the owner")?,
                due: Until::Day(day),
            };
            ask(&app, &who, form_key::key("/actions", &fields), command).await
        };
        finish(&app, &who, &when, ADD, &fields, done.await).await
    })
    .await
}

/// POST of a verb on one.
pub(crate) async fn act(
    Shared(app): Shared<App>,
    headers: HeaderMap,
    Path((id, verb)): Path<(String, String)>,
    Form(fields): Form<Fields>,
) -> Response {
    answer(async {
        let (who, when) = actor(&app, &headers).await?;
        let missing = || Refused::missing("action", "Look for it among the actions.");
        let action: ActionId = id.parse().map_err(|_| missing())?;
        let now = app.engine.queries(&who).action(action).await?;
        let done = async {
            let command = match verb.as_str() {
                "done" => C::Finish { note: said(&fields, "note") },
                "drop" => C::Drop { why: needed(&fields, "note", "the reason")? },
                "assign" => C::Assign { owner: needed(&fields, "owner", "the owner")? },
                "due" => C::ChangeDue { due: Until::Day(day(&fields)?), why: needed(&fields, "note", "the reason")? },
                _ => return Err(No::Page(missing())),
            };
            let once = form_key::key(&format!("/actions/{id}/{verb}"), &fields);
            if !done_before(&app, &who, once.as_ref()).await? && form_key::saw_another(&fields, &seen(&now)) {
                return Err(No::Changed("action"));
            }
            let asked = Command::Action { id: action, command };
            let asked = Command::IfVersion { of: Versioned::Action(action), version: now.version, command: Box::new(asked) };
            ask(&app, &who, once, asked).await
        };
        finish(&app, &who, &when, &id, &fields, done.await).await
    })
    .await
}

/// The day that was typed.
fn day(fields: &Fields) -> Result<jiff::civil::Date, No> {
    needed(fields, "due", "the date")?.parse().map_err(|_| No::Typed("The date looks like 2026-03-01.".to_owned()))
}

/// A mark of what somebody sees of an action.
fn seen(action: &ActionView) -> String {
    form_key::mark(&[&action.text, &action.owner, action.state.word(), &action.due_at.to_string()])
}

async fn finish<T>(app: &App, who: &Principal, when: &When, form: &str, fields: &Fields, done: Result<T, No>) -> Result<Response, Refused> {
    let no = match done {
        Ok(_) => return Ok(Redirect::to("/actions").into_response()),
        Err(no) => no,
    };
    let (status, why) = worded(no)?;
    let mut response = page(app, who, when, &Draft { verb: form.to_owned(), fields: fields.clone(), refusal: Some(why) }).await?;
    *response.status_mut() = status;
    Ok(response)
}

async fn page(app: &App, who: &Principal, when: &When, draft: &Draft) -> Result<Response, Refused> {
    let org = app.engine.org();
    let queries = app.engine.queries(who);
    let filter = |state| ActionFilter { state: Some(state), ..ActionFilter::default() };
    let mut open = queries.actions(filter(State::Open), LIST_MAX).await?;
    open.sort_by_key(|action| action.due_at);
    let mut ended = queries.actions(filter(State::Done), ENDED_SHOWN).await?;
    ended.extend(queries.actions(filter(State::Dropped), ENDED_SHOWN).await?);
    ended.sort_by_key(|action| std::cmp::Reverse(action.ended_at));
    let late = open.iter().filter(|action| when.is_late(action.due_at)).count();
    let may_act = queries.has(Right::Respond);
    let body = html! {
        (heading("Actions", &html! { (open.len()) " open" @if late > 0 { " · " span class="late" { (late) " late" } } }))
        @if may_act { (add_form(&org, when, who, draft)) }
        section data-live="open" {
            @if open.is_empty() {
                p class="prose quiet" { "Nothing is promised. What an incident teaches becomes an action with an owner and a date, here." }
            }
            ul class="list" { @for action in &open { (line(action, &org, when, may_act, draft)) } }
        }
        @if !ended.is_empty() {
            section class="section" data-live="ended" {
                h2 { "Ended" }
                ul class="list" { @for action in ended.iter().take(ENDED_SHOWN as usize) { (line(action, &org, when, false, draft)) } }
            }
        }
    };
    Ok(framed(
        app,
        &HtmlPage {
            title: "Actions",
            place: &PLACE,
            who,
            when,
            wall: false,
            live: Some("on=board".into()),
            source: "/actions".into(),
            body,
        },
    ))
}

fn line(action: &ActionView, org: &Org, when: &When, may_act: bool, draft: &Draft) -> Markup {
    html! {
        li data-key=(action.id) class="action" {
            div {
                p { strong { bdi { (action.text) } } }
                p class="quiet small" {
                    bdi { (pieces::name(org, &action.owner)) }
                    @if let Some(reference) = &action.reference { " · " a href={ "/incidents/" (reference) } { (reference) } }
                    @if let Some(note) = &action.note { " · " bdi { (pieces::cut(note, 200)) } }
                }
            }
            div class="row-of" {
                @if action.state == State::Open {
                    span {
                        (pieces::due(action, when))
                    }
                } @else {
                    span class="quiet" { (action.state.word()) @if let Some(at) = action.ended_at { " " (when.time(at, &when.ago(at))) } }
                }
                @if may_act {
                    details class="act-one far" name="act" open[draft.verb == action.id] {
                        summary { "Done, drop, give or move" }
                        form method="post" action={ "/actions/" (action.id) "/done" } {
                            (draft.refused(&action.id)) (once(when))
                            (form_key::seen(&seen(action)))
                            label class="field" {
                                span { "How, or why not" } textarea name="note" rows="2" { (draft.typed(&action.id, "note")) }
                            }
                            div class="row-of" {
                                label class="field" { span { "Owner" } (pieces::person_choice(org, "owner", Some(&action.owner), None)) }
                                label class="field" { span { "Last day" } input type="date" name="due" value=(last_day(action, when)); }
                            }
                            div class="row-of" {
                                button class="do" type="submit" { "Done" }
                                button class="may" type="submit" formaction={ "/actions/" (action.id) "/drop" } { "Drop it" }
                                button class="may" type="submit" formaction={ "/actions/" (action.id) "/assign" } { "Give it" }
                                button class="may" type="submit" formaction={ "/actions/" (action.id) "/due" } { "Move the date" }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The day in the form that moves it: the promised one, or the reader's day of the promised instant.
fn last_day(action: &ActionView, when: &When) -> jiff::civil::Date {
    action.due_on.unwrap_or_else(|| when.day(action.due_at))
}

fn add_form(org: &Org, when: &When, who: &Principal, draft: &Draft) -> Markup {
    let typed = |name: &str| draft.typed(ADD, name);
    let me = who.person().unwrap_or_default();
    html! {
        div class="acts stay" {
            details class="act-one" open[draft.verb == ADD] {
                summary { "Add an action" }
                form method="post" action="/actions" {
                    (draft.refused(ADD)) (once(when))
                    label class="field" { span { "What will be done?" } textarea name="text" rows="2" required { (typed("text")) } }
                    div class="row-of" {
                        label class="field" {
                            span { "Owner" }
                            (pieces::person_choice(org, "owner", Some(if typed("owner").is_empty() { me } else { typed("owner") }), None))
                        }
                        label class="field" {
                            span { "Last day" }
                            input type="date" name="due" required value=(typed("due"));
                        }
                    }
                    label class="field" {
                        span { "From which incident?" }
                        input name="incident" required value=(typed("incident")) placeholder="INC-142" autocomplete="off";
                    }
                    button class="do" type="submit" { "Add it" }
                }
            }
        }
    }
}
