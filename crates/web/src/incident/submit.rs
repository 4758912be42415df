//! POST `/incidents/{ref}/{verb}`: a form becomes the same command that the API would give.
//!
//! After it is durable the browser is sent back to the page; where it is refused the page is shown
//! again, with the refusal by the form and everything that was typed.

use allclear_domain::access::Principal;
use allclear_domain::ask::{self as asks, Ask, Given, Kind};
use allclear_domain::ids::IncidentId;
use allclear_domain::incident;
use allclear_domain::incident::lifecycle::Verb;
use allclear_engine::asks::NotAsked;
use allclear_engine::core::{Command, Once, Refusal, Reply};
use allclear_engine::read::NoAnswer;
use axum::extract::rejection::FormRejection;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_DISPOSITION;
use axum::response::{IntoResponse, Redirect, Response};
use axum::{Form, Json};

use crate::access::form_key;
use crate::access::reader::{Fields, actor, answer};
use crate::app::App;
use crate::frame::refused::{Refused, sentence};
use crate::frame::time_text::When;
use crate::incident::aside_forms::{GIVES, PERFORM};
use crate::incident::ask_forms::{BY_POLICY, DECIDE, MARKING, PICK, TO, WHOM};
use crate::incident::judged::CLOCK;
use crate::incident::partners::{GuestLink, ROW};
use crate::incident::plans::DONE;
use crate::incident::{TAB, TABS, ask_forms, obligations, preview, read, reasoning, shown};
use crate::posted::{Draft, No, VIA, ask, said, worded};
use crate::took;

impl From<NotAsked> for No {
    fn from(why: NotAsked) -> Self {
        match why {
            NotAsked::Fields(asks::Refusal::Words(words)) => Self::Refusal(Refusal::from(incident::Refusal::Words(words))),
            NotAsked::Fields(refusal) => Self::Typed(sentence(&refusal.to_string())),
            NotAsked::Denied(no) => Self::Refusal(no.into()),
            NotAsked::NotThere { named, why: NoAnswer::Missing("incident") } => {
                Self::Typed(format!("There is no {named}. References look like INC-142."))
            }
            NotAsked::NotThere { why, .. } => Self::Typed(sentence(&why.to_string())),
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
        let fields = in_full(&verb, fields);
        let (who, when) = actor(&app, &headers).await?;
        let id = app.engine.queries(&who).incident_id(&reference).await?;
        if verb == Verb::Update.word() && said(&fields, "text").is_some() {
            let queries = app.engine.queries(&who);
            let incident = Box::pin(queries.incident(id)).await?;
            match preview::step(&app.engine.org(), incident.private, &fields, when.now) {
                preview::Step::Send => {}
                preview::Step::Show => {
                    let told = Box::pin(read(&app.engine, &who, when, &reference, &Fields::new(), Draft::default())).await?;
                    return Ok(preview::show(&app, &who, &told, &fields));
                }
                preview::Step::Edit => {
                    let draft = Draft { verb, fields, refusal: None };
                    let told = Box::pin(read(&app.engine, &who, when, &reference, &Fields::new(), draft)).await?;
                    return Ok(shown(&app, &who, &told, false));
                }
            }
        }
        let once = form_key::key(&format!("/incidents/{reference}/{verb}"), &fields);
        match Box::pin(carry_out(&app, &who, &when, id, &verb, &fields, once)).await {
            // A link that was made is shown now, and not again.
            // Who gives back what is private sees it no more.
            Ok(_) if verb == Verb::Transfer.word() && app.engine.queries(&who).incident_id(&reference).await.is_err() => {
                Ok(Redirect::to("/").into_response())
            }
            // The work goes on in what was split off.
            Ok(landed) if verb == Verb::Split.word() => {
                let landed = landed.unwrap_or_else(|| reference.clone());
                Ok(Redirect::to(&way_back(&landed, &verb, &fields)).into_response())
            }
            Ok(_) if verb == Verb::Guest.word() && said(&fields, "state").is_none() => {
                Box::pin(with_link(&app, &who, when, &reference, id, &fields)).await
            }
            Ok(_) if verb == Verb::Export.word() => {
                Box::pin(file(&app, &who, &reference, id, &said(&fields, "organisation").unwrap_or_default())).await
            }
            Ok(_) => Ok(Redirect::to(&way_back(&reference, &verb, &fields)).into_response()),
            Err(No::Page(refused)) => Err(refused),
            Err(no) => {
                let (status, why) = worded(no)?;
                let why = by_labels(&verb, why);
                let shows = asked_for(&verb, &fields);
                let draft = Draft { verb: form_of(&verb, &fields), fields, refusal: Some(why) };
                let told = Box::pin(read(&app.engine, &who, when, &reference, &shows, draft)).await?;
                let mut response = shown(&app, &who, &told, false);
                *response.status_mut() = status;
                Ok(response)
            }
        }
    })
    .await
}

/// Fields by what they are called on the page: what refuses speaks of them by their names, as the API has them.
fn by_labels(verb: &str, why: String) -> String {
    let fields = asks::named(verb).map_or(&[][..], |row| row.fields);
    fields
        .iter()
        .filter(|field| !field.label.is_empty())
        .fold(why, |why, field| why.replace(&format!("`{}`", field.name), &format!("“{}”", field.label)))
}

/// A step's one button says in short which task is done.
fn in_full(verb: &str, mut fields: Fields) -> Fields {
    if verb == Verb::Task.word()
        && let Some(task) = fields.remove(DONE)
    {
        fields.insert("task".to_owned(), task);
        fields.insert("state".to_owned(), "done".to_owned());
    }
    if verb == Verb::Task.word()
        && let Some(task) = fields.remove(PERFORM)
    {
        fields.insert("task".to_owned(), task);
        fields.insert("state".to_owned(), "perform".to_owned());
    }
    fields
}

/// The page with the link that was just made.
async fn with_link(app: &App, who: &Principal, when: When, reference: &str, id: IncidentId, fields: &Fields) -> Result<Response, Refused> {
    let organisation = said(fields, "organisation").unwrap_or_default();
    let made = app.engine.guest_url(who, id, &organisation).await?;
    let shows = asked_for(Verb::Guest.word(), fields);
    let mut told = Box::pin(read(&app.engine, who, when, reference, &shows, Draft::default())).await?;
    told.guest_link = made.map(|made| GuestLink { organisation, made });
    Ok(shown(app, who, &told, false))
}

/// The file that was just made, to be kept.
async fn file(app: &App, who: &Principal, reference: &str, id: IncidentId, organisation: &str) -> Result<Response, Refused> {
    let export = app.engine.party_export(who, id, organisation).await?;
    let named: String = format!("{reference}-{organisation}").chars().filter(|c| c.is_ascii_alphanumeric() || "-_".contains(*c)).collect();
    let place = format!("attachment; filename=\"{named}.json\"");
    Ok(([(CONTENT_DISPOSITION, place)], Json(export)).into_response())
}

/// Where the browser goes afterwards: the board where it asks so, else the incident.
fn way_back(reference: &str, verb: &str, fields: &Fields) -> String {
    let reference = crate::frame::pieces::escaped(reference);
    let to_board = fields.get("back").is_some_and(|back| back == "/") && !fields.contains_key("stay");
    // What was merged is over: the work goes on there.
    let into = said(fields, "into").or_else(|| said(fields, PICK)).filter(|_| verb == Verb::Merge.word());
    let reference = into.map_or(reference, |into| crate::frame::pieces::escaped(&into));
    let page = if to_board { "/".to_owned() } else { format!("/incidents/{reference}") };
    // What was done by one tap is said there, and can be taken back.
    match (took::after(verb), part_of(verb, fields)) {
        (Some(word), _) => format!("{page}?{word}={reference}"),
        (None, Some(part)) if !to_board => {
            let place = place_of(verb, fields).map_or_else(String::new, |place| format!("#{place}"));
            format!("{page}?{TAB}={part}{place}")
        }
        (None, _) => page,
    }
}

/// The part of the page that a form leads back to: its own, or the one that was shown when it stood above them.
fn part_of(verb: &str, fields: &Fields) -> Option<&'static str> {
    if let Some(tab) = fields.get(TAB) {
        return TABS.iter().skip(1).find(|(id, _)| id == tab).map(|(id, _)| *id);
    }
    // The whole form of a decision stands elsewhere than the composer's button.
    ask_forms::part_of(if verb == "decision" && said(fields, reasoning::WHOLE).is_some() { DECIDE } else { verb })
}

/// What an address asks for that shows the part in which this form stands.
fn asked_for(verb: &str, fields: &Fields) -> Fields {
    part_of(verb, fields).into_iter().map(|part| (TAB.to_owned(), part.to_owned())).collect()
}

/// The step or item in a long list that a form was of.
fn place_of(verb: &str, fields: &Fields) -> Option<String> {
    let number = |field: &str| said(fields, field)?.parse::<u32>().ok();
    match verb {
        "task" => number("task").map(|number| format!("task-{number}")),
        "recovery" => number("item").map(|number| format!("recovery-{number}")),
        "resource" => number("resource").map(|number| format!("resource-{number}")),
        "responder" => number("request").map(|number| format!("responder-{number}")),
        _ => None,
    }
}

/// Carries it out; gives the incident that it led to.
async fn carry_out(
    app: &App,
    who: &Principal,
    when: &When,
    id: IncidentId,
    verb: &str,
    fields: &Fields,
    once: Option<Once>,
) -> Result<Option<String>, No> {
    let missing = || No::Page(Refused::missing("command", "Open the incident and choose there."));
    if verb == took::UNDO {
        let by = who.person().ok_or_else(missing)?.to_owned();
        let why = format!("{} took it back", crate::frame::pieces::name(&app.engine.org(), &by));
        let command = Command::incident(id, incident::attendance::Command::GiveBack { by, why });
        return ask(app, who, once, command).await.map(|_| None);
    }
    let row = asks::named(verb).ok_or_else(missing)?;
    // The composer has one choice for all that is written there: what is not marked must not look as if it were.
    if said(fields, MARKING).is_some() && row.field(MARKING).is_none() {
        return Err(No::Typed("This goes as far as the incident: choose no marking for it, or write it as a note.".to_owned()));
    }
    if row.verb == Verb::Role
        && fields.contains_key(GIVES)
        && said(fields, "do").as_deref() == Some("take")
        && said(fields, "why").is_none()
    {
        return Err(No::Typed("A role is theirs from now on only with a reason: say why, or choose to ask them.".to_owned()));
    }
    let asked = app.engine.asked(who, id, row, &given(row, when, fields), VIA).await?;
    Ok(match ask(app, who, once, asked).await? {
        Reply::Incident { reference, .. } => Some(reference),
        Reply::Again { answer } => Some(answer),
        Reply::Signals { .. } | Reply::Page { .. } | Reply::Review { .. } | Reply::Action { .. } | Reply::Done | Reply::ReadCalendars => {
            None
        }
    })
}

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
            Kind::Incident => {
                if let Some(text) = said(fields, field.name).or_else(|| said(fields, PICK)) {
                    given.put_text(field, &text);
                }
            }
            // Boxes of a part that is split off, one for each thing that may go.
            Kind::Line { .. } if ask.verb == Verb::Split && field.name != "title" => {
                let boxes = fields.keys().filter_map(|name| name.strip_prefix(field.name)?.strip_prefix(':')).map(ToOwned::to_owned);
                let all: Vec<String> = said(fields, field.name).into_iter().chain(boxes).collect();
                if !all.is_empty() {
                    given.put_text(field, &all.join(", "));
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
            | Kind::Service
            | Kind::Escalation
            | Kind::Alert
            | Kind::Organisation
            | Kind::Targets
            | Kind::Task
            | Kind::Number { .. }
            | Kind::Plan
            | Kind::Entry
            | Kind::Length => {
                if let Some(text) = said(fields, field.name) {
                    given.put_text(field, &text);
                }
            }
        }
    }
    // A browser sends the clock of whoever fills it in, where a question asks for a time.
    if ask.verb == Verb::Field
        && fields.contains_key(CLOCK)
        && let Some(at) = said(fields, "value").and_then(|text| when.of_field(&text))
    {
        given.put("value", at.to_string());
    }
    // One choice of whom to page: a policy, or somebody by name.
    if let Some(whom) = said(fields, WHOM).filter(|_| matches!(ask.verb, Verb::Escalate | Verb::Responders)) {
        match whom.split_once(':') {
            Some((BY_POLICY, policy)) => given.put("escalation", policy),
            Some(_) | None => given.put("page", vec![whom]),
        }
    }
    // A checklist has a box an item.
    let mut items: Vec<&str> = fields.keys().filter_map(|name| name.strip_prefix(obligations::ITEM)).collect();
    if ask.verb == Verb::Submission && !items.is_empty() {
        items.sort_unstable();
        given.put("items", items.join(", "));
    }
    // The form of a task has a choice of people beside the buttons that end it; the button that was pressed decides.
    if ask.verb == Verb::Task && (given.has("state") || given.has("option")) {
        given.leave_out("owner");
    }
    given
}

/// Which form a refusal is shown at: single tasks, requests, organisations and items of recovery have one each.
fn form_of(verb: &str, fields: &Fields) -> String {
    let of = |field: &str| said(fields, field);
    match verb {
        "task" => of("task").map(|number| format!("task-{number}")),
        "recovery" => of("item").map(|number| format!("recovery-{number}")),
        "resource" => of("resource").map(|number| format!("resource-{number}")),
        "responder" => of("request").map(|number| format!("responder-{number}")),
        "answer" => of("request").map(|number| format!("answer-{number}")),
        "party" => of("organisation").filter(|_| fields.contains_key(ROW)).map(|id| format!("party-{id}")),
        "awareness" => of("obligation").map(obligations::of_decision),
        "submission" => of("obligation").map(obligations::of_submission),
        "hypothesis" => of("hypothesis").map(reasoning::of_hypothesis),
        "field" => of("field").map(|id| format!("field-{id}")),
        "revisit" => of("decision").map(reasoning::of_decision),
        "decision" => of(reasoning::WHOLE).map(|_| DECIDE.to_owned()),
        _ => None,
    }
    .unwrap_or_else(|| verb.to_owned())
}

#[cfg(test)]
mod tests {
    use allclear_domain::ask::By;

    use super::*;

    #[test]
    fn a_form_leads_back_to_where_it_stands() {
        let back = |verb: &str, fields: &[(&str, &str)]| {
            let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            way_back("INC-1", verb, &fields)
        };
        assert_eq!(back("task", &[("task", "3"), ("state", "done")]), "/incidents/INC-1?tab=tasks#task-3");
        assert_eq!(back("task", &[("text", "A further one")]), "/incidents/INC-1?tab=tasks");
        assert_eq!(back("recovery", &[("item", "2")]), "/incidents/INC-1?tab=tasks#recovery-2");
        assert_eq!(back("plan", &[("plan", "outage")]), "/incidents/INC-1?tab=tasks");
        for verb in ["role", "pause_clock", "resume_clock", "party", "request", "answer", "marking", "guest"] {
            assert_eq!(back(verb, &[]), "/incidents/INC-1?tab=people");
        }
        assert_eq!(back("role", &[("tab", "log")]), "/incidents/INC-1", "a form above the parts moves nobody");
        assert_eq!(back("role", &[("tab", "more")]), "/incidents/INC-1?tab=more");
        for (verb, fields) in [("hypothesis", &[][..]), ("revisit", &[]), ("decision", &[("whole", "1")])] {
            assert_eq!(back(verb, fields), "/incidents/INC-1?tab=more");
        }
        assert_eq!((back("decision", &[]), back("note", &[])), ("/incidents/INC-1".into(), "/incidents/INC-1".into()));
        assert_eq!(back("role", &[("back", "/")]), "/", "the board has no parts");
    }

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
