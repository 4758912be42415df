//! Services: a list, and one with its team, its policy's steps with names as of now, what it
//! depends on, what is open and what was.

use allclear_domain::access::{Principal, Right};
use allclear_domain::incident::Severity;
use allclear_domain::org::model::Service;
use allclear_domain::org::snapshot::Org;
use allclear_domain::view::IncidentView;
use allclear_engine::read::IncidentFilter;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::get;
use maud::{Markup, html};

use crate::access::reader::{answer, reader};
use crate::app::{App, Lists, Place};
use crate::frame::pieces;
use crate::frame::refused::Refused;
use crate::frame::shell::{HtmlPage, framed, heading};
use crate::frame::time_text::When;

pub(crate) static PLACE: Place = Place {
    path: "/services",
    word: "Services",
    strokes: "M10 3l7 3.8-7 3.8-7-3.8zM3 10.5l7 3.8 7-3.8M3 14l7 3.8 7-3.8",
    key: Some('s'),
    lists: Lists::RAIL_MENU,
    leads: |app, who| app.engine.queries(who).has(Right::SeeOrganisation),
    page: || get(list),
};

/// Incidents of one service that are listed.
const LISTED: i64 = 20;
/// Changes listed.
const CHANGES_LISTED: i64 = 20;

/// GET of the list.
pub(crate) async fn list(State(app): State<App>, headers: HeaderMap) -> Response {
    answer(async {
        let (who, when) = reader(&app, &headers).await?;
        let queries = app.engine.queries(&who);
        let org = queries.organisation()?;
        let open = queries.open_by_service().await?;
        let body = html! {
            (heading("Services", &html! { (org.bundle().services.len()) }))
            @if org.bundle().services.is_empty() {
                p class="prose" { "No service is set. A service in the organisation file says whose it is and who is paged for it:" }
                pre tabindex="0" { code { "services:\n  - {id: checkout, name: Checkout, team: payments, escalation: payments, tier: 1}" } }
            }
            ul class="list" data-live="services" {
                @for service in &org.bundle().services {
                    li {
                        span {
                            a class="main" href={ "/services/" (pieces::escaped(&service.id)) } { bdi { (service.name) } }
                            span class="quiet" {
                                @if let Some(tier) = service.tier { " · tier " (tier) }
                                @if let Some(team) = service.team.as_deref().and_then(|id| org.team(id)) { " · " bdi { (team.name) } }
                            }
                        }
                        span {
                            @match open.get(&service.id) {
                                Some((count, worst)) => { (pieces::severity(*worst)) " " (count) " open" },
                                None => span class="quiet" { "nothing is open" },
                            }
                        }
                    }
                }
            }
        };
        let page = HtmlPage {
            title: "Services",
            place: &PLACE,
            who: &who,
            when: &when,
            wall: false,
            live: Some("on=board".into()),
            source: "/services".into(),
            body,
        };
        Ok(framed(&app, &page))
    })
    .await
}

/// GET of one.
pub(crate) async fn one(State(app): State<App>, headers: HeaderMap, Path(id): Path<String>) -> Response {
    answer(async {
        let (who, when) = reader(&app, &headers).await?;
        let queries = app.engine.queries(&who);
        let org = queries.organisation()?;
        let Some(service) = org.service(&id) else { return Err(Refused::missing("service", "Look for it among the services.")) };
        let of_it = IncidentFilter { service: Some(id.clone()), ..IncidentFilter::default() };
        let (open, cut) = queries.open_incidents(&of_it).await?;
        let mut ended = queries.incidents(of_it, LISTED).await?;
        ended.retain(|i| !i.state.is_open());
        let changes = queries.changes_of(Some(&id), None, CHANGES_LISTED).await?;
        let paged = policy(&app, &who, service, &org).await?;
        let body = html! {
            (heading(&service.name, &html! { @if let Some(tier) = service.tier { "Tier " (tier) } }))
            (facts(service, &org))
            div class="cols" {
                div {
                    section data-live="open" {
                        h2 { "Open" } (incidents(&open, &when, "Nothing is open."))
                        @if cut { p class="quiet" { "More are open, none worse than these." } }
                    }
                    @if !changes.is_empty() { section data-live="changes" { h2 { "Changes" } (pieces::changes(&changes, &when)) } }
                    section data-live="ended" { h2 { "Before" } (incidents(&ended, &when, "Nothing so far.")) }
                }
                section data-live="policy" { (paged) }
            }
        };
        let source = format!("/services/{}", pieces::escaped(&id));
        let page = HtmlPage {
            title: &service.name,
            place: &PLACE,
            who: &who,
            when: &when,
            wall: false,
            live: Some("on=board".into()),
            source,
            body,
        };
        Ok(framed(&app, &page))
    })
    .await
}

fn facts(service: &Service, org: &Org) -> Markup {
    let needed_by: Vec<&Service> = org.bundle().services.iter().filter(|other| other.depends_on.contains(&service.id)).collect();
    let link = |id: &str| html! { a href={ "/services/" (pieces::escaped(id)) } { bdi { (pieces::service(org, id)) } } " " };
    html! {
        dl class="inline" {
            div {
                dt { "Team" }
                dd { @match service.team.as_deref().and_then(|id| org.team(id)) { Some(team) => bdi { (team.name) }, None => "none" } }
            }
            @if !service.depends_on.is_empty() { div { dt { "Depends on" } dd { @for id in &service.depends_on { (link(id)) } } } }
            @if !needed_by.is_empty() { div { dt { "Needed by" } dd { @for other in &needed_by { (link(&other.id)) } } } }
            @if let Some(text) = service.runbook.as_deref() { div { dt { "Runbook" } dd { (pieces::link_or_text(text)) } } }
        }
    }
}

/// The name of the step after all others.
const CATCH_ALL: &str = "catch-all";

async fn policy(app: &App, who: &Principal, service: &Service, org: &Org) -> Result<Markup, Refused> {
    let steps = app.engine.queries(who).who_would_be_paged(Some(&service.id), Severity::Sev1, None).await?;
    let name = org.escalation_of(&service.id).map(|form| form.name.clone().unwrap_or_else(|| form.id.clone()));
    Ok(html! {
        h2 { "Who is paged" @if let Some(name) = &name { span class="quiet" { " · policy " bdi { (name) } ", names as of now" } } }
        @if steps.is_empty() { p { span class="late" { "nobody" } " No escalation policy is set, and no catch-all." } }
        ol class="steps" {
            // A further round is the same steps again: one line says when it begins.
            @let begins_round = |at: usize| steps[at].round > 1 && steps[at - 1].round < steps[at].round;
            @let is_first_of_round = |at: usize| begins_round(at) && steps[at].name != CATCH_ALL;
            @for (at, step) in steps.iter().enumerate() {
              @if is_first_of_round(at) {
                li { p { strong { "Round " (step.round) ", the same steps again" } span class="quiet" { " · after " (step.after) } } }
              } @else if step.round == 1 || step.name == CATCH_ALL {
                li {
                    p { strong { (pieces::capital(&step.name)) } span class="quiet" { " · after " (step.after) } }
                    @for person in &step.people {
                        p { bdi { (pieces::name(org, &person.person)) } span class="quiet small" { " " (person.via) } }
                    }
                    @if let Some(why) = step.why_nobody.as_ref().filter(|_| step.people.is_empty()) {
                        p { span class="late" { "nobody" } " because " (why) }
                    }
                }
              }
            }
        }
    })
}

/// Incidents as a list of links.
pub(crate) fn incidents(found: &[IncidentView], when: &When, none: &str) -> Markup {
    html! {
        @if found.is_empty() { p class="quiet" { (none) } }
        @else {
            ul class="list" {
                @for incident in found {
                    li {
                        span {
                            (pieces::severity(incident.severity)) " " span class="ref quiet" { (incident.reference) } " "
                            a class="main" href={ "/incidents/" (incident.reference) } { bdi { (pieces::cut(&incident.title, 160)) } }
                        }
                        span class="quiet" {
                            (pieces::state(incident.state)) " · " (when.time(incident.created_at, &when.ago(incident.created_at)))
                        }
                    }
                }
            }
        }
    }
}
