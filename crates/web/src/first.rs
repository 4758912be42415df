//! The first run: what is missing until somebody can be paged, in the order in which it is made, each with the way to its form.
//!
//! It stands on the board of administrators until the first page was answered. A form that was begun here leads to the
//! next step when it is saved.

use allclear_domain::access::{Principal, Right};
use allclear_domain::org::forms::escalation::Escalation;
use allclear_domain::org::model::NotifyUrgency;
use allclear_domain::org::snapshot::Org;
use allclear_engine::read::NoAnswer;
use allclear_engine::read::tried::{FirstTest, TestView};
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use jiff::Timestamp;
use maud::{Markup, html};

use crate::access::form_key::once;
use crate::access::reader::{Fields, answer, reader};
use crate::app::App;
use crate::frame::pieces;
use crate::frame::time_text::When;

/// Leads to the form of the first step that is missing, and to the board where none is.
pub(crate) const PATH: &str = "/first";
/// Where a test page is asked for.
pub(crate) const TEST: &str = "/menu/test";
/// The field, and the part of an address, with which a form says that it is a step of this.
pub(crate) const NEXT: &str = "next";
/// What it says.
pub(crate) const HERE: &str = "first";

/// Whether a form is a step of the first run.
pub(crate) fn is_step(fields: &Fields) -> bool {
    fields.get(NEXT).is_some_and(|next| next == HERE)
}

/// One step that is made with a form.
struct Step {
    words: &'static str,
    done: bool,
    /// The address of its form, filled in as far as can be known.
    to: String,
}

/// The steps before the test page.
fn steps(org: &Org, who: &Principal, now: Timestamp) -> [Step; 5] {
    let bundle = org.bundle();
    let reached = |person: &str| !org.reach(person, NotifyUrgency::High).is_empty();
    let reaches = |targets: &[String]| org.people_for_all(targets, now).people.iter().any(|(person, _)| reached(person));
    let me = who.person().filter(|id| org.person(id).is_some());
    let is_reached = me.map_or_else(|| bundle.people.iter().any(|person| reached(&person.id)), reached);
    let schedule = bundle.schedules.iter().find(|form| reaches(&[format!("schedule:{}", form.id)]));
    let policy = bundle.escalations.iter().find(|policy| policy.steps.iter().any(|step| reaches(&step.page)));
    let pages = |service: &str| {
        org.escalation_of(service).map_or_else(|| reaches(org.catch_all()), |policy| policy.steps.iter().any(|step| reaches(&step.page)))
    };
    let service = bundle.services.iter().find(|service| pages(&service.id));
    let form = |kind: &str, id: &str, filled: &[(&str, &str)]| {
        let filled: String = filled.iter().map(|(name, value)| format!("&{name}={}", pieces::escaped(value))).collect();
        format!("/settings/{kind}/{id}?{NEXT}={HERE}{filled}")
    };
    let whom = match (policy, schedule) {
        (None, Some(schedule)) => {
            let name = schedule.name.as_deref().unwrap_or(&schedule.id);
            form("escalation", "new", &[("name", name), ("steps.0.page.0", &format!("schedule:{}", schedule.id))])
        }
        (None, None) => form("escalation", "new", &[]),
        (Some(policy), _) => form("service", "new", &[("escalation", &policy.id)]),
    };
    let on_call = [("name", "On call"), ("layers.0.people.0", me.unwrap_or_default())];
    let last = me.map(|id| format!("person:{id}")).unwrap_or_default();
    let step = |words, done, to| Step { words, done, to };
    [
        step(
            "How you are reached",
            is_reached,
            me.map_or_else(|| form("person", "new", &[]), |id| form("person", &pieces::escaped(id), &[])),
        ),
        step("Who is on call", schedule.is_some() || policy.is_some(), form("schedule", "new", &on_call)),
        step("Who is paged when nobody has it", reaches(org.catch_all()), form("catch_all", "new", &[("targets.0", &last)])),
        step("A service, and whom it pages", service.is_some(), whom),
        step(
            "A sender of its alarms",
            !bundle.integrations.is_empty(),
            form("integration", "new", &[("service", service.map_or("", |service| &service.id))]),
        ),
    ]
}

/// The list; nothing for whoever cannot do it, or where a test was answered.
pub(crate) async fn part(app: &App, who: &Principal, when: &When) -> Result<Option<Markup>, NoAnswer> {
    let queries = app.engine.queries(who);
    if !queries.has(Right::Administer) {
        return Ok(None);
    }
    let FirstTest::Wanted(test) = queries.first_test().await? else { return Ok(None) };
    let org = app.engine.org();
    let steps = steps(&org, who, when.now);
    Ok(Some(list(&steps, &org.bundle().escalations, test.as_ref(), when)))
}

fn list(steps: &[Step], policies: &[Escalation], test: Option<&TestView>, when: &When) -> Markup {
    let made = steps.iter().filter(|step| step.done).count();
    let next = steps.iter().position(|step| !step.done);
    let mark = |done: bool| {
        html! {
            span class="mark" aria-hidden="true" { @if done { "✓" } }
            span class="vh" { @if done { "done: " } @else { "to do: " } }
        }
    };
    let waits = test.is_some_and(|test| test.waits);
    html! {
        section class="first" aria-labelledby="first-run" {
            h2 id="first-run" { "Before the first page " span class="quiet" { "· " (made) " of " (steps.len() + 1) } }
            ol {
                @for (at, step) in steps.iter().enumerate() {
                    li class=[step.done.then_some("made")] {
                        (mark(step.done))
                        @if next == Some(at) { a class="press" href=(step.to) { (step.words) } }
                        @else { a href=(step.to) { (step.words) } }
                    }
                }
                li {
                    (mark(false))
                    @if next.is_some() { span class="quiet" { "A test page, acknowledged" } }
                    @else {
                        form method="post" action=(TEST) {
                            (once(when))
                            button class=(if waits { "may" } else { "do" }) type="submit" { "Send me a test page" }
                        }
                    }
                    @if test.is_some() {
                        a href="/menu#test" {
                            @if waits { "Sent: acknowledge it with its link" } @else { "The last one was not acknowledged by its message" }
                        }
                    }
                }
            }
            @for policy in policies.iter().filter(|policy| policy.is_one_try()) {
                p class="hint prose" {
                    @let name = policy.name.as_deref().unwrap_or(&policy.id);
                    a href={ "/settings/escalation/" (pieces::escaped(&policy.id)) } { bdi { (name) } }
                    " has one step and one round: whoever misses that is not paged again by it."
                }
            }
        }
    }
}

/// GET: on to what is missing.
pub(crate) async fn go_on(State(app): State<App>, headers: HeaderMap) -> Response {
    answer(async {
        let (who, when) = reader(&app, &headers).await?;
        let may = app.engine.queries(&who).has(Right::Administer);
        let missing = steps(&app.engine.org(), &who, when.now).into_iter().find(|step| may && !step.done);
        Ok(Redirect::to(&missing.map_or_else(|| "/".to_owned(), |step| step.to)).into_response())
    })
    .await
}
