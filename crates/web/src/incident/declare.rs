//! Declaring by hand: a title is enough, everything else has a default.

use allclear_domain::access::{Principal, Resource, Right, may};
use allclear_domain::expect::{Rule, Standing};
use allclear_domain::incident::{self, Severity};
use allclear_domain::org::model::{AnswerKind, Level};
use allclear_domain::org::snapshot::Org;
use allclear_domain::view::StepExplanation;
use allclear_engine::core::{Command, Declare, Known, Reply};
use allclear_engine::read::IncidentFilter;
use axum::Form;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use maud::{Markup, html};

use crate::access::form_key;
use crate::access::form_key::once;
use crate::access::reader::{Asked, Fields, answer, reader};
use crate::app::{App, Lists, Place};
use crate::frame::pieces;
use crate::frame::refused::Refused;
use crate::frame::shell::{HtmlPage, framed, heading};
use crate::frame::time_text::When;
use crate::incident::judged;
use crate::posted::{Draft, ask, said, told_to_wait, worded};

pub(crate) static PLACE: Place = Place {
    path: "/declare",
    word: "Declare",
    strokes: "M10 4v12M4 10h12",
    key: None,
    lists: Lists::DOCK_MENU,
    leads: |app, who| app.engine.queries(who).has(Right::SeeOrganisation),
    page: || get(show).post(submit),
};

/// The verb of the form, as drafts name it.
const DECLARE: &str = "declare";
/// The part of the address that asks for the receipt of a report.
const REPORTED: &str = "reported";
/// Steps that say whom it pages: who is called first, and who comes after.
const STEPS_SHOWN: usize = 3;
/// People named of a step.
const NAMED_MAX: usize = 3;
/// Open incidents of the chosen service that are shown.
const OPEN_SHOWN: usize = 3;
/// Characters of a title in that list.
const TITLE_CHARS_MAX: usize = 120;

/// Somebody of the house: whoever responds declares, and everybody else reports.
async fn reporter(app: &App, headers: &HeaderMap) -> Result<(Principal, When), Refused> {
    let (who, when) = reader(app, headers).await?;
    may(&app.engine.org(), &who, Right::SeeOrganisation, Resource::Installation)?;
    Ok((who, when))
}

/// GET; a query fills the form, so that a link can begin one. The form names every service: only whoever may
/// send it sees it.
pub(crate) async fn show(State(app): State<App>, headers: HeaderMap, Query(asked): Asked) -> Response {
    answer(async {
        let (who, when) = reporter(&app, &headers).await?;
        if let Some(reference) = asked.get(REPORTED) {
            return Box::pin(receipt(&app, &who, &when, reference)).await;
        }
        Box::pin(page(&app, &who, &when, &Draft { verb: DECLARE.into(), fields: asked, refusal: None }, true)).await
    })
    .await
}

/// POST.
pub(crate) async fn submit(State(app): State<App>, headers: HeaderMap, Form(fields): Form<Fields>) -> Response {
    answer(async {
        let (who, when) = reporter(&app, &headers).await?;
        let report = !app.engine.queries(&who).has(Right::Respond);
        let since = said(&fields, "since");
        let impact_started_at = since.as_deref().and_then(|text| when.of_field(text));
        if since.is_some() && impact_started_at.is_none() {
            // An instant that is dropped in silence would make the durations of this incident wrong for good.
            let why = "The time it began cannot be read. It looks like 2026-03-01T09:00.".to_owned();
            let mut response = page(&app, &who, &when, &Draft { verb: DECLARE.into(), fields, refusal: Some(why) }, false).await?;
            *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
            return Ok(response);
        }
        let declare = Declare {
            title: said(&fields, "title").unwrap_or_default(),
            severity: said(&fields, "severity").and_then(|word| word.parse().ok()),
            known: known(&app.engine.org(), &fields, &when),
            service: said(&fields, "service"),
            impact_started_at,
            page: fields.contains_key("page"),
            private: !report && fields.contains_key("private"),
            report,
        };
        let once = form_key::key("/declare", &fields);
        let no = match ask(&app, &who, once, Command::Declare(declare)).await {
            Ok(Reply::Incident { reference, .. }) => return Ok(Redirect::to(&after(&reference, report)).into_response()),
            // The same form once more: the incident that it declared.
            Ok(Reply::Again { answer }) => return Ok(Redirect::to(&after(&answer, report)).into_response()),
            Ok(_) => return Ok(Redirect::to("/").into_response()),
            Err(no) => no,
        };
        let wait = no.wait();
        let (status, why) = match worded(no)? {
            // What was typed does not do; there is nothing that it stands against.
            (StatusCode::CONFLICT, why) => (StatusCode::UNPROCESSABLE_ENTITY, why),
            other => other,
        };
        let draft = Draft { verb: DECLARE.into(), fields, refusal: Some(why) };
        let mut response = page(&app, &who, &when, &draft, false).await?;
        *response.status_mut() = status;
        told_to_wait(&mut response, wait);
        Ok(response)
    })
    .await
}

/// Where one comes to: whoever reports is told what becomes of it.
fn after(reference: &str, report: bool) -> String {
    if report { format!("{}?{REPORTED}={}", PLACE.path, pieces::escaped(reference)) } else { format!("/incidents/{reference}") }
}

/// The receipt of a report: its reference, what happens now, and to whom it goes.
async fn receipt(app: &App, who: &Principal, when: &When, reference: &str) -> Result<Response, Refused> {
    let queries = app.engine.queries(who);
    let found = queries.incident(queries.incident_id(reference).await?).await?;
    let whom = whom(app, who, when, &Chosen { service: found.service.as_deref(), severity: found.severity, kind: "" }, false).await?;
    let awaited = queries.expectations(queries.incident_id(reference).await?).await?;
    let due = awaited.iter().find(|one| one.rule == Rule::Candidate.name() && one.state == Standing::Live).map(|one| one.due_at);
    let there = format!("/incidents/{}", found.reference);
    let body = html! {
        (heading("Reported", &html! { (found.reference) }))
        div class="done" role="status" { p { "Your report is " strong { (found.reference) } ": " bdi { (found.title) } "." } }
        p class="prose" {
            @if found.state == incident::State::Candidate {
                "It stands on the board of everybody who responds, and they decide whether it is an incident."
                @if let Some(due) = due { " Where nobody has decided by " (when.stamp(due)) " " (when.zone()) ", it is declared." }
            }
            @else { "It is " (pieces::state(found.state)) " now." }
        }
        @if found.state == incident::State::Candidate { (whom) }
        p { a class="press" href=(there) { "See what becomes of it" } }
    };
    let source = after(reference, true);
    Ok(framed(app, &HtmlPage { title: "Reported", place: &PLACE, who, when, wall: false, live: None, source, body }))
}

async fn page(app: &App, who: &Principal, when: &When, draft: &Draft, fresh: bool) -> Result<Response, Refused> {
    let org = app.engine.org();
    let typed = |name: &str| draft.typed(DECLARE, name);
    let how_bad = how_bad(typed, fresh);
    let chosen = severity_of(&org, &how_bad);
    let kind = org.incident_type(typed("type"));
    let pages = fresh || draft.fields.contains_key("page");
    let declares = app.engine.queries(who).has(Right::Respond);
    let (title, press) = if declares { ("Declare an incident", "Declare") } else { ("Report an incident", "Report") };
    let service = Some(typed("service")).filter(|id| org.service(id).is_some());
    let whom = whom(app, who, when, &Chosen { service, severity: chosen, kind: typed("type") }, declares).await?;
    let body = html! {
        (heading(title, &html! {}))
        @if !declares {
            p class="prose quiet" {
                "Whoever responds decides whether it is an incident. Where nobody decides within ten minutes, it is declared and pages \
                 whoever is on call."
            }
        }
        form class="form" method="post" action="/declare" {
            // What Enter presses: the questions of a type are asked for by their own button alone.
            button class="vh" type="submit" tabindex="-1" aria-hidden="true" { (press) }
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
                        input type="radio" name="severity" value=(severity) checked[severity.word() == how_bad];
                        (pieces::severity(severity))
                        @if let Some(name) = named(&org, severity) { span class="quiet" { bdi { (name) } } }
                    }
                }
                label class="check" {
                    input type="radio" name="severity" value=(judged::UNSURE) checked[how_bad == judged::UNSURE];
                    span { "Not sure: take the higher of what is known" }
                }
                (judged::matrix(&org, &how_bad))
            }
            @if !org.bundle().types.is_empty() {
                div class="row-of" {
                    label class="field" { span { "Type of incident" } (judged::types(&org, typed("type"), "None of these")) }
                    button class="may" type="submit" formmethod="get" formaction="/declare" formnovalidate { "Show its questions" }
                }
                @if let Some(form) = kind { (judged::questions(&form.fields, |name| draft.typed(DECLARE, name), when)) }
            }
            label class="field" { span { "What is affected?" } (pieces::service_choice(&org, Some(typed("service")), "I do not know yet")) }
            (whom)
            @if declares {
              label class="check" { input type="checkbox" name="page" value="1" checked[pages]; span { "Page who is on call for it" } }
              details class="behind" {
                summary { "It began earlier, may become worse, or few may see it" }
                label class="field" {
                    span { "It may become" span class="quiet" { " (may stay empty)" } }
                    select name="potential" {
                        (pieces::choice("", typed("potential").is_empty(), "Nobody knows"))
                        @for severity in Severity::ALL {
                            (pieces::choice(severity.word(), severity.word() == typed("potential"), &severity.word().to_uppercase()))
                        }
                    }
                }
                label class="check" {
                    input type="checkbox" name="private" value="1" checked[draft.fields.contains_key("private")];
                    span { "Private: only who is paged, holds a role or is admitted sees it" }
                }
                label class="field" {
                    span { "Since" span class="quiet" { " " (when.zone()) } }
                    input type="datetime-local" name="since" value=(typed("since"));
                }
              }
            }
            button class="do big" type="submit" { (press) }
        }
    };
    let source = format!(
        "/declare?severity={}&service={}&type={}",
        pieces::escaped(&how_bad),
        pieces::escaped(service.unwrap_or_default()),
        pieces::escaped(typed("type"))
    );
    Ok(framed(app, &HtmlPage { title: press, place: &PLACE, who, when, wall: false, live: None, source, body }))
}

/// What else was said of it. An answer that is a time is on the clock of whoever fills it in.
fn known(org: &Org, fields: &Fields, when: &When) -> Known {
    let level = |name: &str| said(fields, name).and_then(|word| Level::from_word(&word));
    let cell = said(fields, "severity").and_then(|text| judged::of_cell(&text));
    let kind = said(fields, "type");
    let form = kind.as_deref().and_then(|kind| org.incident_type(kind));
    let is_time = |id: &str| form.and_then(|form| form.field(id)).is_some_and(|field| field.kind == AnswerKind::DateTime);
    let answer = |(name, text): (&String, &String)| {
        let (id, text) = (name.strip_prefix(judged::ANSWER)?, text.trim());
        let at = if is_time(id) { when.of_field(text) } else { None };
        (!text.is_empty()).then(|| (id.to_owned(), at.map_or_else(|| text.to_owned(), |at| at.to_string())))
    };
    // What was answered to another type that was looked at is not said of this one.
    let answers = fields.iter().filter_map(answer).filter(|(id, _)| form.is_some_and(|form| form.field(id).is_some())).collect();
    Known {
        impact: cell.map(|(impact, _)| impact).or_else(|| level("impact")),
        urgency: cell.map(|(_, urgency)| urgency).or_else(|| level("urgency")),
        potential: said(fields, "potential").and_then(|word| word.parse().ok()),
        kind,
        answers,
    }
}

/// Which of the choices of how bad it is stands: what was typed, or asked for by an address.
fn how_bad<'a>(typed: impl Fn(&str) -> &'a str, fresh: bool) -> String {
    match (typed("severity"), typed("impact"), typed("urgency")) {
        ("", "", "") if fresh => Severity::Sev3.word().to_owned(),
        ("", "", "") => judged::UNSURE.to_owned(),
        ("", impact, urgency) => format!("{impact}:{urgency}"),
        (said, ..) => said.to_owned(),
    }
}

/// How bad that is, for whom it would page.
fn severity_of(org: &Org, how_bad: &str) -> Severity {
    let of_cell = || judged::of_cell(how_bad).map(|(impact, urgency)| org.severity_of(impact, urgency));
    how_bad.parse().ok().or_else(of_cell).unwrap_or(Severity::Sev3)
}

/// What the organisation calls a severity, where it gave it a name.
fn named(org: &Org, severity: Severity) -> Option<String> {
    let name = org.bundle().severities.iter().find(|form| form.id == severity)?.name.clone()?;
    (!name.trim().is_empty()).then_some(name)
}

/// What is chosen of it so far.
struct Chosen<'a> {
    service: Option<&'a str>,
    severity: Severity,
    kind: &'a str,
}

/// Before anything is sent: whom it pages, and what is open on that service already.
async fn whom(app: &App, who: &Principal, when: &When, chosen: &Chosen<'_>, declares: bool) -> Result<Markup, Refused> {
    let Chosen { service, severity, kind } = *chosen;
    let (org, queries) = (app.engine.org(), app.engine.queries(who));
    let steps = queries.who_would_be_paged(service, severity, Some(kind).filter(|kind| !kind.is_empty())).await?;
    let people = |step: &StepExplanation| {
        let names: Vec<String> = step.people.iter().map(|told| pieces::name(&org, &told.person)).collect();
        pieces::list(&names, NAMED_MAX)
    };
    let called: Vec<(String, &str)> =
        steps.iter().filter(|step| !step.people.is_empty()).take(STEPS_SHOWN).map(|step| (people(step), step.after.as_str())).collect();
    let open = match service {
        Some(id) => queries.open_incidents(&IncidentFilter { service: Some(id.to_owned()), ..IncidentFilter::default() }).await?.0,
        None => Vec::new(),
    };
    Ok(html! {
        div data-live="whom" class="whom" {
            p class="small" {
                @if called.is_empty() {
                    span class="late" { "Nobody would be paged" } ": no escalation policy and no catch-all reaches anybody."
                }
                @else if declares { "Pages " } @else { "Declared, it pages " }
                @for (at, (names, after)) in called.iter().enumerate() {
                    @if at > 0 { ", then after " (after) " " }
                    bdi { (names) }
                }
                @if !called.is_empty() { "." }
            }
            @for plan in fitting(&org, chosen) {
                p class="small" { "The plan " strong { bdi { (plan) } } " fits: its page starts it with one press." }
            }
            @if !open.is_empty() {
                p class="small quiet" { "Open on it now:" }
                ul class="bullets small" {
                    @for one in open.iter().take(OPEN_SHOWN) {
                        li {
                            a href={ "/incidents/" (one.reference) } {
                                (one.reference) " " bdi { (pieces::cut(&one.title, TITLE_CHARS_MAX)) }
                            }
                            span class="quiet" { " · " (pieces::state(one.state)) " · " (when.age(one.created_at)) }
                        }
                    }
                    @if open.len() > OPEN_SHOWN { li class="quiet" { "and " (open.len() - OPEN_SHOWN) " more" } }
                }
            }
        }
    })
}

/// The plans that would be proposed, by what is known before it is declared.
fn fitting<'a>(org: &'a Org, chosen: &Chosen<'a>) -> impl Iterator<Item = &'a str> {
    let Chosen { service, severity, kind } = *chosen;
    let value = move |name: &str| match name {
        "service" => service.unwrap_or(""),
        "severity" => severity.word(),
        "type" => kind,
        _ => "",
    };
    org.plans_for(value).map(|plan| plan.called())
}
