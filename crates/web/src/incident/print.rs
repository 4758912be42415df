//! The record on paper: the incident with its whole log, or a form of the Incident Command System for an operational period. A page
//! without a script, from which every browser makes paper or a PDF.

use allclear_domain::org::snapshot::Org;
use allclear_domain::record::Record;
use allclear_domain::record::ics::{self, Block, Content, FORMS, Filing, Form};
use allclear_domain::tlp::{Tlp, UNMARKED};
use allclear_domain::view::{EventView, IncidentView};
use allclear_engine::read::NoAnswer;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use maud::{Markup, html};

use crate::access::reader::{Asked, Fields, answer, reader};
use crate::app::App;
use crate::frame::document::{Frame, document};
use crate::frame::pieces;
use crate::frame::refused::Refused;
use crate::frame::time_text::When;

/// Class of the body: a sheet of paper, also on a screen.
const PAPER: &str = "paper";
/// Lines that an empty row of a table is high.
const ROW: u8 = 1;

/// The operational period as it was asked for.
struct Period {
    from: Timestamp,
    to: Timestamp,
    /// What is wrong with what was typed; the whole incident is shown then.
    wrong: Option<&'static str>,
}

/// GET.
pub(crate) async fn show(State(app): State<App>, headers: HeaderMap, Path(reference): Path<String>, Query(asked): Asked) -> Response {
    answer(Box::pin(async {
        let (who, when) = reader(&app, &headers).await?;
        let zone = when.tz().clone();
        let queries = app.engine.queries(&who).in_zone(&zone);
        let id = queries.incident_id(&reference).await?;
        let form = match asked.get("form").map(String::as_str).filter(|form| !form.is_empty()) {
            None => None,
            Some(named) => {
                Some(ics::form(named).ok_or_else(|| Refused::missing("form", "The page that is printed has a list of those there are."))?)
            }
        };
        let org = app.engine.org();
        let now = Box::pin(queries.incident(id)).await?;
        let mut period = period(&asked, &now, &when);
        // A form says how it stood at the end of its period, as far as that has come.
        let then = form.map(|_| period.to).filter(|to| *to < when.now);
        let record = match Box::pin(queries.record(id, &org, then)).await {
            Err(NoAnswer::Bad(_)) if then.is_some() => {
                period.wrong = Some("The incident had not begun by the end of that period: this is how it stands now.");
                Box::pin(queries.record(id, &org, None)).await?
            }
            found => found?,
        };
        let title = format!("{} {}", form.map_or("Record", |form| form.number), record.incident.reference);
        let filing = Filing { record: &record, from: period.from, to: period.to, zone: &zone, by: who.person() };
        let body = html! {
            (choices(&record.incident, form, &period, &when))
            @match form {
                Some(form) => (sheets(form, &filing, &when)),
                None => (whole(&record, &org, &when)),
            }
        };
        Ok(document(&Frame { title: &title, class: PAPER, refresh_s: None, bar: None }, &body).into_response())
    }))
    .await
}

/// From its beginning to its end, or to now, where nothing is asked.
fn period(asked: &Fields, incident: &IncidentView, when: &When) -> Period {
    let end = incident.resolved_at.or(incident.closed_at).filter(|_| !incident.state.is_open()).unwrap_or(when.now);
    // To the minute that has begun: what happened at the last instant is in it, and fields have minutes.
    let to = Timestamp::from_second((end.as_second() / 60 + 1) * 60).unwrap_or(end);
    let whole = Period { from: incident.began(), to, wrong: None };
    let read = |name: &str, usual: Timestamp| match asked.get(name).map(String::as_str).filter(|typed| !typed.is_empty()) {
        None => Some(usual),
        Some(typed) => when.of_field(typed),
    };
    match (read("from", whole.from), read("to", whole.to)) {
        (Some(from), Some(to)) if from < to => Period { from, to, wrong: None },
        (Some(_), Some(_)) => Period { wrong: Some("A period ends after it begins: this is the whole incident."), ..whole },
        (None, _) | (_, None) => Period { wrong: Some("That is no time: this is the whole incident."), ..whole },
    }
}

/// What may be printed instead; on a screen alone.
fn choices(incident: &IncidentView, shown: Option<&Form>, period: &Period, when: &When) -> Markup {
    let base = format!("/incidents/{}", incident.reference);
    html! {
        form class="form choices only-screen" action={ (base) "/print" } {
            p { a href=(base) { "Back to " (incident.reference) } }
            label class="field" {
                span { "Print" }
                select name="form" {
                    option value="" selected[shown.is_none()] { "The whole record" }
                    @for form in FORMS {
                        option value=(form.id) selected[shown.is_some_and(|shown| shown.id == form.id)] { (form.number) " " (form.title) }
                    }
                }
            }
            label class="field" {
                span { "From, in " (when.zone()) }
                input type="datetime-local" step="1" name="from" value=(when.as_field(period.from));
            }
            label class="field" {
                span { "To" }
                input type="datetime-local" step="1" name="to" value=(when.as_field(period.to));
            }
            button class="may" type="submit" { "Show" }
            @if let Some(wrong) = period.wrong { p class="late" role="alert" { (wrong) } }
            p class="quiet small" { "The browser prints it, or keeps it as a PDF. A period narrows forms; the record is always whole." }
        }
    }
}

fn sheets(form: &Form, filing: &Filing<'_>, when: &When) -> Markup {
    html! {
        @for sheet in form.fill(filing) {
            article class="a4" {
                (marked(&filing.record.incident))
                h1 { (form.title) " " span class="quiet" { (form.number) } }
                @for block in &sheet { (self::block(block)) }
                (foot(&filing.record.incident, filing.record.made_at, when))
            }
        }
    }
}

fn block(block: &Block) -> Markup {
    html! {
        section class="block" {
            h2 { (block.number) ". " (block.title) }
            @match &block.content {
                Content::Words(words) => { @for words in words { p class="said" { bdi { (words) } } } },
                Content::Room(lines) => (room(*lines)),
                Content::Table { head, rows, room } => table {
                    thead { tr { @for name in *head { th scope="col" { (name) } } } }
                    tbody {
                        @for row in rows { tr { @for cell in row { td { bdi { (cell) } } } } }
                        @for _ in 0..*room { tr { @for _ in *head { td class="room" { (self::room(ROW)) } } } }
                    }
                },
            }
        }
    }
}

/// Lines to write on.
fn room(lines: u8) -> Markup {
    html! { div class="lines" title="to be filled in" { @for _ in 0..lines { span {} } } }
}

/// How far it may go stands at the head of every sheet, and that it is an exercise.
fn marked(incident: &IncidentView) -> Markup {
    html! {
        p class="marked" {
            strong { (incident.marking.map_or(UNMARKED, Tlp::label)) }
            @if incident.exercise { " · " strong { "EXERCISE EXERCISE EXERCISE" } }
            @if incident.private { " · " strong { "Private" } }
        }
    }
}

fn foot(incident: &IncidentView, made_at: Timestamp, when: &When) -> Markup {
    html! { p class="foot quiet small" { (incident.reference) " · filled by All Clear from its record at " (when.full(made_at)) } }
}

fn whole(record: &Record<'_>, org: &Org, when: &When) -> Markup {
    let incident = &record.incident;
    let name = |id: &str| pieces::name(org, id);
    let facts = [
        ("State", Some(incident.state.word().to_owned())),
        ("Severity", Some(incident.severity.word().to_owned())),
        ("Service", incident.service.as_deref().map(|id| pieces::service(org, id))),
        ("Commander", incident.commander.as_deref().map(name)),
        ("Because", Some(incident.because.clone())),
        ("Impact began", incident.impact_started_at.map(|at| when.full(at))),
        ("Declared", incident.declared_at.map(|at| when.full(at))),
        ("Acknowledged", incident.acknowledged_at.map(|at| when.full(at))),
        ("Mitigated", incident.mitigated_at.map(|at| when.full(at))),
        ("Resolved", incident.resolved_at.map(|at| when.full(at))),
        ("Closed", incident.closed_at.map(|at| when.full(at))),
    ];
    let roles = incident.roles.iter().filter_map(|role| {
        let called = role.name.as_deref().unwrap_or(&role.role);
        Some(format!("{called}: {}", name(role.person.as_deref()?)))
    });
    let tasks = incident.tasks.iter().map(|task| {
        let owner = task.owner.as_deref().or(task.doer.as_deref()).map_or_else(|| "nobody".to_owned(), name);
        format!("{} ({owner}): {}", task.state.word(), task.text)
    });
    let requests = incident.requests.iter().map(|one| {
        let answer = one.answer.as_deref().map_or_else(String::new, |answer| format!(": {answer}"));
        format!("{} of {}: {}{answer}", one.state.word(), record.organisation(&one.organisation), one.text)
    });
    let promised = record.actions.iter().map(|one| format!("{} ({}): {}", one.state.word(), name(&one.owner), one.text));
    html! {
        article class="a4" {
            (marked(incident))
            h1 { (incident.reference) " " bdi { (incident.title) } }
            dl class="facts" {
                @for (name, value) in facts {
                    @if let Some(value) = value { div { dt { (name) } dd { bdi { (value) } } } }
                }
            }
            (list("Roles", roles.collect()))
            (list("What stakeholders were told", record.updates.iter().map(|one| format!("{} {}", when.full(one.at), one.text)).collect()))
            (list("Decisions", incident.decisions.iter().map(|one| format!("{} {}", when.full(one.at), one.text)).collect()))
            (list("Possible causes", incident.hypotheses.iter().map(|one| format!("{}: {}", one.state.word(), one.text)).collect()))
            (list("Tasks", tasks.collect()))
            (list("Requests to others", requests.collect()))
            (list("Resources", incident.resources.iter().map(|one| format!("{}: {}", one.state.words(), one.called())).collect()))
            (list("What was promised after it", promised.collect()))
            section class="block" {
                h2 { "Log, times in " (when.zone()) }
                @if record.events.is_empty() { p { "There is no entry that you may read." } }
                table class="log-lines" { tbody { @for event in &record.events { (line(event, when)) } } }
            }
            (foot(incident, record.made_at, when))
        }
    }
}

fn line(event: &EventView, when: &When) -> Markup {
    html! {
        tr {
            td class="at" { (when.time(event.at, &event.at.to_zoned(when.tz().clone()).strftime("%Y-%m-%d %H:%M:%S").to_string())) }
            td { @if let Some(marking) = event.marking { (marking.label()) " " } bdi { (event.line) } }
        }
    }
}

/// A part, where there is anything of it.
fn list(heading: &str, lines: Vec<String>) -> Markup {
    html! {
        @if !lines.is_empty() {
            section class="block" { h2 { (heading) } ul { @for line in &lines { li class="said" { bdi { (line) } } } } }
        }
    }
}
