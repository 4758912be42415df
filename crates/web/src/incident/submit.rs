//! POST `/incidents/{ref}/{verb}`: a form becomes the same command that the API would give.
//!
//! After it is durable the browser is sent back to the page; where it is refused the page is shown
//! again, with the refusal by the form and everything that was typed.

use allclear_domain::access::Principal;
use allclear_domain::ids::IncidentId;
use allclear_domain::incident::{self, NOTE_CHARS_MAX, access, attendance, declaration, ending, record, words};
use allclear_engine::core::{Command, Input, Once, Refusal, Reply};
use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};

use crate::App;
use crate::access::form_key;
use crate::access::reader::{Fields, actor, answer};
use crate::frame::refused::{Refused, sentence};
use crate::incident::ask_forms::Draft;
use crate::incident::submit_coordination;
use crate::incident::{read, shown};

/// Where a command of a form comes from, in the log.
pub(crate) const VIA: &str = "web";

/// Why a form was not carried out.
pub(crate) enum No {
    /// What was typed does not do; why, in words.
    Typed(String),
    /// Somebody else changed this meanwhile: what it is.
    Changed(&'static str),
    /// The rules say no, or the store does not answer.
    Refusal(Refusal),
    /// There is no page to show it on.
    Page(Refused),
}

impl From<Refusal> for No {
    fn from(refusal: Refusal) -> Self {
        Self::Refusal(refusal)
    }
}

/// POST.
pub(crate) async fn submit(
    State(app): State<App>,
    Path((reference, verb)): Path<(String, String)>,
    headers: HeaderMap,
    form: Result<Form<Fields>, FormRejection>,
) -> Response {
    answer(async {
        // A button alone may come without a body; what needs words says so itself.
        let Form(fields) = form.unwrap_or_else(|_| Form(Fields::new()));
        let (who, when) = actor(&app, &headers).await?;
        let id = app.engine.queries(&who).incident_id(&reference).await?;
        let once = form_key::key(&who, &format!("/incidents/{reference}/{verb}"), &fields);
        match carry_out(&app, &who, &when, id, &verb, &fields, once).await {
            Ok(()) => Ok(Redirect::to(&way_back(&reference, &fields)).into_response()),
            Err(No::Page(refused)) => Err(refused),
            Err(no) => {
                let (status, why) = worded(no)?;
                let draft = Draft { verb: submit_coordination::form_of(&verb, &fields), fields, refusal: Some(why) };
                let told = read(&app.engine, &who, when, &reference, &Fields::new(), draft).await?;
                let mut response = shown(&app, &who, &told, false);
                *response.status_mut() = status;
                Ok(response)
            }
        }
    })
    .await
}

/// Where the browser goes afterwards: the board where it asks so, else the incident.
fn way_back(reference: &str, fields: &Fields) -> String {
    if fields.get("back").is_some_and(|back| back == "/") && !fields.contains_key("stay") {
        return "/".to_owned();
    }
    format!("/incidents/{}", crate::frame::pieces::escaped(reference))
}

async fn carry_out(
    app: &App,
    who: &Principal,
    when: &crate::frame::time_text::When,
    id: IncidentId,
    verb: &str,
    fields: &Fields,
    once: Option<Once>,
) -> Result<(), No> {
    let asked = command(app, who, when, id, verb, fields).await?;
    if let Command::LinkAlert { alert, .. } = &asked {
        // Of an alert of an incident that they may not see nobody is told anything.
        app.engine.queries(who).alert(*alert).await.map_err(|_| No::Typed("There is no such alert.".to_owned()))?;
    }
    if let Command::Incident { command: incident::Command::Access(access::Command::Admit { people, .. }), .. } = &asked
        && let Some(unknown) = people.iter().find(|id| app.engine.org().person(id).is_none())
    {
        return Err(No::Typed(format!("There is no person `{}`.", crate::frame::pieces::cut(unknown, 40))));
    }
    ask(app, who, once, asked).await.map(|_| ())
}

/// Whether this very form was carried out before. Asked before what its writer saw is held against what stands now,
/// since that is what the form made of it.
pub(crate) async fn done_before(app: &App, once: Option<&Once>) -> Result<bool, No> {
    let Some(once) = once else { return Ok(false) };
    Ok(app.engine.kept(once).await.transpose()?.is_some())
}

/// Asks the engine, once for each form that was sent.
pub(crate) async fn ask(app: &App, who: &Principal, once: Option<Once>, command: Command) -> Result<Reply, No> {
    let input = Input { actor: who.actor.clone(), cause: VIA.into(), once, command };
    app.engine.ask(input).await.map_err(No::Refusal)
}

/// Why it was not done, for the page that shows the form again; or the page that says so alone.
pub(crate) fn worded(no: No) -> Result<(StatusCode, String), Refused> {
    match no {
        No::Refusal(Refusal::Unavailable(_)) => Ok((
            StatusCode::SERVICE_UNAVAILABLE,
            "The store did not answer, so nothing was recorded. Ask again in a few seconds.".to_owned(),
        )),
        No::Refusal(Refusal::VersionMismatch { of, .. }) => worded(No::Changed(of.noun())),
        No::Changed(noun) => Ok((
            StatusCode::CONFLICT,
            format!(
                "Somebody changed this {noun} since you opened the page. What they wrote is shown; what you wrote is kept. Send it again if it still holds."
            ),
        )),
        No::Refusal(refusal) => Ok((StatusCode::CONFLICT, sentence(&refusal.to_string()))),
        No::Typed(why) => Ok((StatusCode::UNPROCESSABLE_ENTITY, why)),
        No::Page(refused) => Err(refused),
    }
}

/// What was typed in a field; nothing where it is blank.
pub(crate) fn said(fields: &Fields, name: &str) -> Option<String> {
    fields.get(name).map(|text| text.trim()).filter(|text| !text.is_empty()).map(ToOwned::to_owned)
}

/// The same, where it cannot be left out.
pub(crate) fn needed(fields: &Fields, name: &str, what: &'static str) -> Result<String, No> {
    let text = said(fields, name).ok_or(Refusal::from(incident::Refusal::Words(words::Refusal::Missing { what })))?;
    if text.chars().count() > NOTE_CHARS_MAX {
        return Err(Refusal::from(incident::Refusal::Words(words::Refusal::TooLong { what, max: NOTE_CHARS_MAX })).into());
    }
    Ok(text)
}

async fn command(
    app: &App,
    who: &Principal,
    when: &crate::frame::time_text::When,
    id: IncidentId,
    verb: &str,
    fields: &Fields,
) -> Result<Command, No> {
    match verb {
        "declare" => Ok(Command::incident(
            id,
            declaration::Command::Promote { why: said(fields, "why").unwrap_or_else(|| "declared by a person".to_owned()) },
        )),
        "acknowledge" => {
            Ok(Command::incident(id, attendance::Command::Acknowledge { by: who.person().map(ToOwned::to_owned), via: VIA.into() }))
        }
        "severity" => {
            let severity = needed(fields, "severity", "the severity")?.parse().map_err(No::Typed)?;
            Ok(Command::incident(id, declaration::Command::SetSeverity { severity, why: needed(fields, "why", "the reason")? }))
        }
        "mitigate" => Ok(Command::incident(id, ending::Command::Mitigate { note: said(fields, "note") })),
        "resolve" => Ok(Command::incident(id, ending::Command::Resolve { note: said(fields, "note") })),
        "reopen" => Ok(Command::incident(id, ending::Command::Reopen { why: needed(fields, "why", "the reason")? })),
        "cancel" => Ok(Command::incident(id, ending::Command::Cancel { why: needed(fields, "why", "the reason")? })),
        "close" => Ok(Command::incident(id, ending::Command::Close)),
        "note" => Ok(Command::incident(id, record::Command::Note { text: needed(fields, "text", "the note")? })),
        "merge" => {
            let into = needed(fields, "into", "the other incident")?;
            let missing =
                |_| No::Typed(format!("There is no incident `{}`. References look like INC-142.", crate::frame::pieces::cut(&into, 40)));
            let into = app.engine.queries(who).incident_id(&into).await.map_err(missing)?;
            Ok(Command::Merge { from: id, into })
        }
        "escalate" => Ok(Command::Escalate { id, escalation: said(fields, "escalation"), why: needed(fields, "why", "the reason")? }),
        other => submit_coordination::command(who, when, id, other, fields),
    }
}
