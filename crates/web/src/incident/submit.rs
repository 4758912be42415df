//! POST `/incidents/{ref}/{verb}`: a form becomes the same command that the API would give.
//!
//! After it is durable the browser is sent back to the page; where it is refused the page is shown
//! again, with the refusal by the form and everything that was typed.

use allclear_domain::access::Principal;
use allclear_domain::ask::{self as asks, Ask, Given, Kind};
use allclear_domain::ids::IncidentId;
use allclear_domain::incident::lifecycle::Verb;
use allclear_domain::incident::{self, NOTE_CHARS_MAX, words};
use allclear_engine::asks::NotAsked;
use allclear_engine::core::{Command, Input, Once, Refusal, Reply};
use allclear_engine::read::NoAnswer;
use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};

use crate::App;
use crate::access::form_key;
use crate::access::reader::{Fields, actor, answer};
use crate::frame::refused::{Refused, sentence};
use crate::frame::time_text::When;
use crate::incident::ask_forms::Draft;
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

impl From<NotAsked> for No {
    fn from(why: NotAsked) -> Self {
        match why {
            NotAsked::Fields(asks::Refusal::Words(words)) => Self::Refusal(Refusal::from(incident::Refusal::Words(words))),
            NotAsked::Fields(refusal) => Self::Typed(sentence(&refusal.to_string())),
            NotAsked::WouldNotSeeIt => Self::Typed(sentence(&why.to_string())),
            NotAsked::NotThere { named, why: NoAnswer::Missing("incident") } => {
                Self::Typed(format!("There is no {named}. References look like INC-142."))
            }
            NotAsked::NotThere { why, .. } => Self::Typed(sentence(&why.to_string())),
            NotAsked::Nobody(refusal) => Self::Typed(sentence(&refusal.to_string())),
        }
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
                let draft = Draft { verb: form_of(&verb, &fields), fields, refusal: Some(why) };
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
    when: &When,
    id: IncidentId,
    verb: &str,
    fields: &Fields,
    once: Option<Once>,
) -> Result<(), No> {
    let missing = || No::Page(Refused::missing("command", "Open the incident and choose there."));
    let row = asks::named(verb).ok_or_else(missing)?;
    let asked = app.engine.asked(who, id, row, &given(row, when, fields), VIA).await?;
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

/// What the name of an audience's field begins with.
pub(crate) const TO: &str = "to:";

/// What a form gives for the fields of what it asks. What is left blank is not given.
fn given(ask: &Ask, when: &When, fields: &Fields) -> Given {
    let mut given = Given::default();
    for field in ask.fields {
        match field.kind {
            Kind::Audiences => {
                let mut audiences: Vec<&str> = fields.keys().filter_map(|name| name.strip_prefix(TO)).collect();
                audiences.sort_unstable();
                given.put(field.name, audiences);
            }
            // A box that is not ticked says nothing.
            Kind::Flag if fields.contains_key(field.name) => given.put(field.name, true),
            Kind::Flag => {}
            Kind::Time => {
                if let Some(text) = said(fields, field.name) {
                    // A browser sends the clock of whoever fills it in.
                    given.put_text(field, &when.of_field(&text).map_or(text, |at| at.to_string()));
                }
            }
            Kind::Words { .. }
            | Kind::Line { .. }
            | Kind::Reason
            | Kind::Severity
            | Kind::Instant
            | Kind::Choice { .. }
            | Kind::Person
            | Kind::Role
            | Kind::Escalation
            | Kind::Incident
            | Kind::Alert
            | Kind::Targets
            | Kind::Task
            | Kind::Length => {
                if let Some(text) = said(fields, field.name) {
                    given.put_text(field, &text);
                }
            }
        }
    }
    // The form of a task has a choice of people beside the buttons that end it; the button that was pressed decides.
    if ask.verb == Verb::Task && given.has("state") {
        given.leave_out("owner");
    }
    given
}

/// Which form a refusal is shown at: the forms of single tasks have one each.
fn form_of(verb: &str, fields: &Fields) -> String {
    match (verb, said(fields, "task")) {
        ("task", Some(number)) => format!("task-{number}"),
        _ => verb.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use allclear_domain::ask::By;

    use super::*;

    #[test]
    fn a_form_gives_the_command_that_the_api_gives() {
        let when = When::new(jiff::Timestamp::UNIX_EPOCH, None);
        let by = By { person: Some("ana"), via: "x", now: when.now };
        for ask in asks::all() {
            for way in ask.all_ways() {
                let (body, mut fields) = (ask.example(&way), Fields::new());
                for field in way.iter().filter_map(|name| ask.field(name)) {
                    let example = field.kind.example();
                    match field.kind {
                        Kind::Audiences => fields.insert(format!("{TO}{example}"), "1".to_owned()),
                        Kind::Time => fields.insert(field.name.to_owned(), when.as_field(example.parse().unwrap())),
                        _ => fields.insert(field.name.to_owned(), example.to_owned()),
                    };
                }
                let of_form = ask.read(&given(ask, &when, &fields), &by);
                assert!(of_form.is_ok(), "{:?} {way:?}: {of_form:?}", ask.verb);
                assert_eq!(of_form, ask.read(&body, &by), "{:?} {way:?}", ask.verb);
            }
        }
    }
}
