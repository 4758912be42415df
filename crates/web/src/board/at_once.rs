//! One answer to all pages that wait for whoever reads the board: a storm of one cause is one press and not thirty-five. It
//! takes what was shown, not what came meanwhile, and can be taken back as one.

use allclear_domain::access::Principal;
use allclear_domain::incident::{Severity, attendance};
use allclear_engine::core::{Command, Input, Refusal};
use axum::Form;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};

use crate::access::form_key::{self, once};
use crate::access::reader::{Fields, actor, answer};
use crate::app::App;
use crate::board::Row;
use crate::frame::pieces;
use crate::frame::refused;
use crate::frame::refused::Refused;
use crate::frame::time_text::When;
use crate::posted::VIA;
use crate::took::{self, AT_ONCE_MAX, REFS, references};

/// Titles shown before the press; the others are counted.
const LISTED_MAX: usize = 8;
/// Commands that are under way together.
const PORTION: usize = 50;
/// Characters of a title in the list.
const TITLE_CHARS_MAX: usize = 80;
/// Where it is asked for.
pub(crate) const ACKNOWLEDGE: &str = "/board/acknowledge";
/// What waits for the reader, above the rows; nothing for one, which has its own button.
pub(super) fn bar(waiting: &[&Row], when: &When) -> Markup {
    let Some(worst) = waiting.iter().map(|row| row.incident.severity).min_by_key(|severity: &Severity| severity.rank()) else {
        return html! {};
    };
    let taken = waiting.len().min(AT_ONCE_MAX);
    let refs: Vec<&str> = waiting.iter().take(taken).map(|row| row.incident.reference.as_str()).collect();
    html! {
        @if taken > 1 {
            div class="waiting" data-live="waiting" {
                p { strong { (waiting.len()) " incidents wait for you" } ", worst " (pieces::severity(worst)) }
                details class="act-one far" {
                    summary { "Acknowledge all" @if taken < waiting.len() { " of the first " (taken) } }
                    form method="post" action=(ACKNOWLEDGE) {
                        (once(when))
                        input type="hidden" name=(REFS) value=(refs.join(","));
                        ul class="bullets" {
                            @for row in waiting.iter().take(LISTED_MAX) {
                                li { (row.incident.reference) " " bdi { (pieces::cut(&row.incident.title, TITLE_CHARS_MAX)) } }
                            }
                            @if taken > LISTED_MAX { li class="quiet" { "and " (taken - LISTED_MAX) " more" } }
                        }
                        p class="quiet" { "Paging stops for each of them, and they are yours." }
                        button class="do" type="submit" { "Acknowledge these " (taken) }
                    }
                }
            }
        }
    }
}

/// POST: all that the form names are theirs.
pub(crate) async fn acknowledge(State(app): State<App>, headers: HeaderMap, Form(fields): Form<Fields>) -> Response {
    // Whoever took one since the page was made keeps it: one press for many was not meant against them.
    let take = |by: String| attendance::Command::TakeFree { by, via: VIA.to_owned() };
    answer(async {
        let (who, _) = actor(&app, &headers).await?;
        let named = each(&app, &who, &fields, ACKNOWLEDGE, take).await?;
        Ok(Redirect::to(&took::address_of_all(&named)).into_response())
    })
    .await
}

/// POST: what one press took is nobody's again.
pub(crate) async fn undo(State(app): State<App>, headers: HeaderMap, Form(fields): Form<Fields>) -> Response {
    answer(async {
        let (who, _) = actor(&app, &headers).await?;
        let name = who.person().map(|person| pieces::name(&app.engine.org(), person)).unwrap_or_default();
        let give = |by: String| attendance::Command::GiveBack { by, why: format!("{name} took it back") };
        each(&app, &who, &fields, took::UNDO_ALL, give).await?;
        Ok(Redirect::to("/").into_response())
    })
    .await
}

/// Asks the same of each incident that a form names; gives those that it names. One that has an end, or somebody else, since
/// the page was made refuses for itself and holds up none of the others.
async fn each(
    app: &App,
    who: &Principal,
    fields: &Fields,
    path: &str,
    command: impl Fn(String) -> attendance::Command,
) -> Result<Vec<String>, Refused> {
    let nobody = || Refused::missing("command", "Only a person has incidents: sign in as one.");
    let by = who.person().ok_or_else(nobody)?.to_owned();
    let named: Vec<String> = references(fields.get(REFS).map_or("", String::as_str)).into_iter().map(ToOwned::to_owned).collect();
    for portion in named.chunks(PORTION) {
        // The same form once more is the same press: what was given back since stays given back.
        let once_of = |reference: &String| form_key::key(&format!("{path}/{reference}"), fields);
        let asked = portion.iter().map(|reference| (reference, once_of(reference))).map(|(reference, once)| async {
            // What they do not see they cannot take.
            let Ok(id) = app.engine.queries(who).incident_id(reference).await else { return Ok(()) };
            let command = Command::incident(id, command(by.clone()));
            match app.engine.ask(Input { who: who.clone(), cause: VIA.into(), once, command }).await {
                Err(refusal @ (Refusal::Unavailable(_) | Refusal::Denied(_))) => Err(refusal),
                Ok(_) | Err(_) => Ok(()),
            }
        });
        for done in futures_util::future::join_all(asked).await {
            done.map_err(|refusal| refused::of_command(&refusal, html! {}))?;
        }
    }
    Ok(named)
}
