//! Fire drills, under *On call*: those that were, the form that starts one, and the page of one.
//!
//! Deliberately not here: how a drill walks (`allclear_domain::paging::drill`), and who may start one (`access::may_drill`).

use allclear_domain::access::{Principal, may_drill};
use allclear_domain::ids::PageId;
use allclear_domain::org::snapshot::Org;
use allclear_domain::paging::drill::{DRILL_WAIT_MIN, DRILLS_PER_DAY_MAX};
use allclear_domain::time::Length;
use allclear_domain::view::{DrillLevelView, DrillPersonView, DrillState, DrillView};
use allclear_engine::core::{Command, Reply};
use allclear_engine::read::{DRILLS_LISTED, NoAnswer};
use axum::Form;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};

use super::PLACE;
use crate::access::form_key;
use crate::access::form_key::once;
use crate::access::reader::{Fields, actor, answer, reader};
use crate::app::App;
use crate::frame::pieces;
use crate::frame::refused::{Refused, sentence};
use crate::frame::shell::{HtmlPage, framed, heading};
use crate::frame::time_text::When;
use crate::posted::{Draft, No, ask, said, told_to_wait, worded};

/// Where drills are.
pub(crate) const PATH: &str = "/on-call/drills";
/// One of them.
pub(crate) const ONE: &str = "/on-call/drills/{id}";
/// Ends it early.
pub(crate) const STOP: &str = "/on-call/drills/{id}/stop";
/// The verb of the form, as drafts name it.
const START: &str = "start";
/// The longest messages of vendors that are shown of a way, in characters; the message's page has them whole.
const WORDS_CHARS_MAX: usize = 160;

fn address(id: &str) -> String {
    format!("{PATH}/{id}")
}

/// GET.
pub(crate) async fn show(State(app): State<App>, headers: HeaderMap) -> Response {
    answer(async {
        let (who, when) = reader(&app, &headers).await?;
        listed(&app, &who, &when, &Draft::default()).await
    })
    .await
}

/// POST: starts one.
pub(crate) async fn start(State(app): State<App>, headers: HeaderMap, Form(fields): Form<Fields>) -> Response {
    answer(async {
        let (who, when) = actor(&app, &headers).await?;
        let started = match asked(&fields) {
            Ok(command) => Box::pin(ask(&app, &who, form_key::key(PATH, &fields), command)).await,
            Err(why) => Err(No::Typed(why)),
        };
        let no = match started {
            Ok(Reply::Page { id }) => return Ok(Redirect::to(&address(&id.to_string())).into_response()),
            Ok(Reply::Again { answer }) => return Ok(Redirect::to(&address(&answer)).into_response()),
            Ok(_) => return Ok(Redirect::to(PATH).into_response()),
            Err(no) => no,
        };
        let wait = no.wait();
        let (status, why) = worded(no)?;
        let draft = Draft { verb: START.into(), fields, refusal: Some(why) };
        let mut response = listed(&app, &who, &when, &draft).await?;
        *response.status_mut() = status;
        told_to_wait(&mut response, wait);
        Ok(response)
    })
    .await
}

fn asked(fields: &Fields) -> Result<Command, String> {
    let escalation = said(fields, "escalation").ok_or("Choose an escalation policy.")?;
    let wait = match said(fields, "wait") {
        Some(text) => Some(text.parse::<Length>().map_err(|why| sentence(&format!("how long each level has: {why}")))?),
        None => None,
    };
    Ok(Command::Drill { escalation, wait })
}

/// GET of one.
pub(crate) async fn one(State(app): State<App>, headers: HeaderMap, Path(id): Path<String>) -> Response {
    answer(async {
        let (who, when) = reader(&app, &headers).await?;
        let drill = app.engine.queries(&who).drill(page_id(&id)?).await?;
        shown(&app, &who, &when, &drill, &Draft::default())
    })
    .await
}

/// POST: stops one.
pub(crate) async fn stop(State(app): State<App>, headers: HeaderMap, Path(id): Path<String>, Form(fields): Form<Fields>) -> Response {
    answer(async {
        let (who, when) = actor(&app, &headers).await?;
        let page = page_id(&id)?;
        let key = form_key::key(&format!("{PATH}/{id}/stop"), &fields);
        match Box::pin(ask(&app, &who, key, Command::StopDrill { page })).await {
            Ok(_) => Ok(Redirect::to(&address(&id)).into_response()),
            Err(no) => {
                let (status, why) = worded(no)?;
                let drill = app.engine.queries(&who).drill(page).await?;
                let mut response = shown(&app, &who, &when, &drill, &Draft { refusal: Some(why), ..Draft::default() })?;
                *response.status_mut() = status;
                Ok(response)
            }
        }
    })
    .await
}

/// GET of an address that only takes POST.
pub(crate) async fn back(Path(id): Path<String>) -> Response {
    Redirect::to(&address(&id)).into_response()
}

fn page_id(id: &str) -> Result<PageId, Refused> {
    id.parse().map_err(|_| {
        Refused::new(
            StatusCode::NOT_FOUND,
            "no_such_drill",
            "There is no such fire drill",
            "Look for it among the drills.",
            html! {
                p { a href=(PATH) { "Drills" } }
            },
        )
    })
}

fn crumbs(inner: bool) -> Markup {
    html! {
        nav class="crumbs" aria-label="Where this is" {
            a href=(PLACE.path) { (PLACE.word) }
            @if inner { " / " a href=(PATH) { "Drills" } }
        }
    }
}

async fn listed(app: &App, who: &Principal, when: &When, draft: &Draft) -> Result<Response, Refused> {
    let queries = app.engine.queries(who);
    let drills = queries.drills(None, DRILLS_LISTED).await?;
    let org = app.engine.org();
    let policies: Vec<_> = org.bundle().escalations.iter().filter(|policy| may_drill(&org, who, &policy.id).is_ok()).collect();
    let body = html! {
        (crumbs(false))
        (heading("Fire drills", &html! {}))
        p class="quiet prose" {
            "A drill asks everybody whom a policy would page, over the same ways, level after level, and ends by itself. Every message \
             says first that it is a drill. It is in no count of what is real."
        }
        @if !policies.is_empty() {
            section class="section" id="start" {
                h2 { "Start one" }
                form class="form" method="post" action=(PATH) {
                    (draft.refused(START)) (once(when))
                    label class="field" {
                        span { "Escalation policy" }
                        select name="escalation" required {
                            option value="" { "Choose" }
                            @for policy in &policies {
                                @let chosen = draft.typed(START, "escalation") == policy.id;
                                (pieces::choice(&policy.id, chosen, policy.name.as_deref().unwrap_or(&policy.id)))
                            }
                        }
                    }
                    (wait_field(draft.typed(START, "wait")))
                    div class="row-of" { button class="do" type="submit" { "Start the fire drill" } }
                    p class="hint" { "It rings people now. Of one policy there are at most " (DRILLS_PER_DAY_MAX) " a day." }
                }
            }
        } @else { (draft.refused(START)) p class="quiet" { "Managers of a team start drills of its policies, and administrators of any." } }
        section class="section" data-live="drills" {
            h2 { "Drills" }
            @if drills.is_empty() { p class="quiet" { "There was none yet. A policy that nobody has tried may ring nobody." } }
            @else { (table(&drills, &org, when)) }
        }
    };
    let live = Some("on=board".into());
    Ok(framed(app, &HtmlPage { title: "Fire drills", place: &PLACE, who, when, wall: false, live, source: PATH.into(), body }))
}

/// How long a level has at most.
fn wait_field(typed: &str) -> Markup {
    html! {
        div class="field" {
            label for="wait" { "At most so long for each level" }
            input id="wait" name="wait" value=(typed) placeholder="2m" aria-describedby="wait-hint";
            p class="hint" id="wait-hint" {
                "As in 2m, and at least " (DRILL_WAIT_MIN) ". Left blank, or where that is shorter, the level’s own time."
            }
        }
    }
}

fn table(drills: &[DrillView], org: &Org, when: &When) -> Markup {
    html! {
        div class="wide-table" tabindex="0" role="group" aria-label="Table" {
            table {
                thead { tr { th { "Started" } th { "Policy" } th { "Result" } th { "By" } } }
                tbody {
                    @for drill in drills {
                        tr {
                            td { a href=(address(&drill.id)) { (when.stamp(drill.started_at)) } }
                            td { bdi { (drill.name) } }
                            td { (result(drill)) }
                            td {
                                @if let Some(by) = &drill.started_by { bdi { (pieces::name(org, by)) } }
                                @else { span class="quiet" { "a token" } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// How it went, in words; what was not answered stands out.
fn result(drill: &DrillView) -> Markup {
    let is_short = drill.state != DrillState::Running && drill.passed < drill.of;
    html! { span class={ @if is_short { "late" } } { (drill.says()) } }
}

fn shown(app: &App, who: &Principal, when: &When, drill: &DrillView, draft: &Draft) -> Result<Response, Refused> {
    let org = app.engine.org();
    let is_theirs = who.person().is_some() && drill.started_by.as_deref() == who.person();
    let may_stop = drill.state == DrillState::Running && (is_theirs || may_drill(&org, who, &drill.escalation).is_ok());
    let body = html! {
        (crumbs(true))
        (heading(&format!("Fire drill of {}", drill.name), &html! { (when.stamp(drill.started_at)) " " (when.zone()) }))
        div data-live="drill" class="group" {
            p class="prose" {
                strong { (result(drill)) }
                @if let Some(by) = &drill.started_by { ". Started by " bdi { (pieces::name(&org, by)) } }
                @if let Some(wait) = drill.wait { "; each level has at most " (wait) }
                @if let Some(why) = &drill.ended { ". It ended: " (why) }
                "."
            }
            @for level in &drill.levels { (level_of(level, when)) }
            @if drill.levels.is_empty() { p class="quiet" { "No level has begun." } }
        }
        @if may_stop {
            form method="post" action={ (address(&drill.id)) "/stop" } {
                (draft.refused("")) (once(when))
                button class="secondary" type="submit" { "Stop the drill" }
            }
        }
        p class="quiet" {
            "Its log: " a href={ "/incidents/" (drill.reference) } { (drill.reference) } ". The mode is " (drill.mode)
            ": it counts nowhere else."
        }
    };
    let title = format!("Fire drill of {}", drill.name);
    let (live, source) = (Some("on=board".into()), address(&drill.id));
    Ok(framed(app, &HtmlPage { title: &title, place: &PLACE, who, when, wall: false, live, source, body }))
}

fn level_of(level: &DrillLevelView, when: &When) -> Markup {
    use allclear_domain::paging::drill::Outcome;
    let missed = level.outcome.is_some_and(|outcome| !matches!(outcome, Outcome::Answered | Outcome::PassedOver));
    let after = level.after_ms.map(|ms| format!(" after {}", Length::from_millis(ms).in_words())).unwrap_or_default();
    html! {
        section class="section" {
            h2 {
                "Level " (level.step) ": "
                @match level.outcome {
                    Some(outcome) => { span class={ @if missed { "late" } } { (outcome.word()) (after) } },
                    None => {
                        "asked since " (when.stamp(level.began_at))
                        @if let Some(due) = level.due_at { ", until " (when.stamp(due)) }
                    },
                }
            }
            @if let Some(why) = &level.why { p { (pieces::capital(why)) "." } }
            @if level.wants > 1 { p class="quiet" { (level.wants) " people have to answer." } }
            @if !level.people.is_empty() {
                div class="wide-table" tabindex="0" role="group" aria-label="Table" {
                    table {
                        thead { tr { th { "Who" } th { "Answer" } th { "Over" } } }
                        tbody { @for one in &level.people { (person(one)) } }
                    }
                }
            }
        }
    }
}

fn person(one: &DrillPersonView) -> Markup {
    html! {
        tr {
            td { bdi { (one.name) } @if let Some(via) = &one.via { br; span class="quiet" { (via) } } }
            td { (pieces::capital(&one.says)) }
            td {
                @for way in &one.ways {
                    p class="line" {
                        @if let Some(message) = &way.message { a href={ "/messages/" (message) } { (way.contact) } } @else { (way.contact) }
                        span class="quiet" { " (" (way.channel) "): " }
                        @let failed = way.failed.is_some() && way.delivered_at.is_none();
                        span class={ @if failed { "late" } } { (pieces::cut(&way.says, WORDS_CHARS_MAX)) }
                    }
                }
            }
        }
    }
}

/// The part of a policy's own page: the last drill, and the button.
pub(crate) async fn of_policy(app: &App, who: &Principal, when: &When, escalation: &str) -> Result<Markup, Refused> {
    let drills = app.engine.queries(who).drills(Some(escalation), 1).await?;
    let may = app.engine.queries(who).may_drill(escalation);
    Ok(html! {
        section class="section" id="drill" {
            h2 { "Fire drill" }
            p { (last(drills.first(), when)) }
            @if may {
                form class="form" method="post" action=(PATH) {
                    (once(when))
                    input type="hidden" name="escalation" value=(escalation);
                    (wait_field(""))
                    div class="row-of" { button class="may" type="submit" { "Fire drill" } }
                    p class="hint" {
                        "It asks everybody whom this policy would page, now, level after level. Every message says that it is a drill."
                    }
                }
            }
        }
    })
}

fn last(drill: Option<&DrillView>, when: &When) -> Markup {
    html! {
        @match drill {
            Some(drill) => { "Last drill: " a href=(address(&drill.id)) { (when.stamp(drill.started_at)) } ", " (result(drill)) "." },
            None => span class="quiet" { "There was no drill of it yet." },
        }
    }
}

/// The part of the page that says who would be reached: of each policy the last drill.
pub(crate) async fn of_readiness(app: &App, who: &Principal, when: &When) -> Result<Markup, Refused> {
    let drills = match app.engine.queries(who).drills(None, DRILLS_LISTED).await {
        Ok(drills) => drills,
        // A guest sees how they are reached, and nothing of policies.
        Err(NoAnswer::Denied(_)) => return Ok(html! {}),
        Err(why) => return Err(why.into()),
    };
    let org = app.engine.org();
    Ok(html! {
        @if !org.bundle().escalations.is_empty() {
            section class="section" {
                h2 { "Last drill of each policy" }
                ul class="list" {
                    @for policy in &org.bundle().escalations {
                        li {
                            span { bdi { (policy.name.as_deref().unwrap_or(&policy.id)) } }
                            span { (last(drills.iter().find(|drill| drill.escalation == policy.id), when)) }
                        }
                    }
                }
                p { a href=(PATH) { "Fire drills" } }
            }
        }
    })
}
