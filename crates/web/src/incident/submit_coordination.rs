//! Commands of coordination from their forms: roles, tasks, updates, instants, decisions.

use allclear_domain::access::Principal;
use allclear_domain::ids::IncidentId;
use allclear_domain::incident::{Command as C, Instant, access, declaration, record, roles, tasks, updates};
use allclear_domain::time::{Length, after};
use allclear_engine::core::Command;

use crate::access::reader::Fields;
use crate::frame::refused::Refused;
use crate::frame::time_text::When;
use crate::incident::submit::{No, needed, said};

/// What the name of an audience's field begins with.
const TO: &str = "to:";

/// The command that a verb and its fields mean.
pub(crate) fn command(who: &Principal, when: &When, id: IncidentId, verb: &str, fields: &Fields) -> Result<Command, No> {
    match verb {
        "role" => Ok(Command::incident(id, role(who, fields)?)),
        "task" => Ok(Command::incident(id, task(when, fields)?)),
        "update" => Ok(Command::incident(id, update(fields)?)),
        "decision" => Ok(Command::incident(
            id,
            record::Command::Decide {
                text: needed(fields, "text", "the decision")?,
                reversible: fields.contains_key("reversible").then_some(true),
            },
        )),
        "time" => {
            let word = needed(fields, "instant", "which time it is")?;
            let instant = Instant::ALL.into_iter().find(|instant| instant.word() == word);
            let instant = instant
                .ok_or_else(|| No::Typed(format!("`{}` is no time that can be corrected.", crate::frame::pieces::cut(&word, 40))))?;
            let at = match said(fields, "at") {
                Some(text) => Some(when.of_field(&text).ok_or_else(|| {
                    No::Typed(format!("`{}` is no time; it looks like 2026-03-01T09:00.", crate::frame::pieces::cut(&text, 40)))
                })?),
                None => None,
            };
            Ok(Command::incident(id, record::Command::CorrectTime { instant, at, why: needed(fields, "why", "the reason")? }))
        }
        "restrict" => {
            Ok(Command::incident(id, access::Command::Restrict { why: needed(fields, "why", "the reason")?, people: Vec::new() }))
        }
        "open_up" => Ok(Command::incident(id, access::Command::OpenUp { why: needed(fields, "why", "the reason")? })),
        "admit" => Ok(Command::incident(
            id,
            access::Command::Admit {
                people: vec![needed(fields, "person", "who is admitted")?],
                why: needed(fields, "why", "the reason")?,
            },
        )),
        "rename" => Ok(Command::incident(id, declaration::Command::Rename { title: needed(fields, "title", "the title")? })),
        "link" => {
            let text = needed(fields, "alert", "the alert")?;
            let alert = text.parse().map_err(|_| No::Typed("An alert’s id begins with `alt_`.".to_owned()))?;
            Ok(Command::LinkAlert { id, alert })
        }
        "review" => Ok(Command::AskReview { id }),
        _ => Err(No::Page(Refused::missing("command", "Open the incident and choose there."))),
    }
}

fn role(who: &Principal, fields: &Fields) -> Result<C, No> {
    let role = needed(fields, "role", "the role")?;
    let person = said(fields, "person").or_else(|| who.person().map(ToOwned::to_owned));
    let person = person.ok_or_else(|| No::Typed("Choose who: your token stands for no person.".to_owned()));
    Ok(match fields.get("do").map(String::as_str) {
        Some("leave") => roles::Command::Leave { role }.into(),
        Some("offer") => roles::Command::Offer { role, to: person? }.into(),
        _ => roles::Command::Take { role, person: person? }.into(),
    })
}

fn task(when: &When, fields: &Fields) -> Result<C, No> {
    let Some(number) = said(fields, "task") else {
        let within = length(fields, "within")?;
        let due_at = within.map(|length| after(when.now, length));
        return Ok(tasks::Command::Add { text: needed(fields, "text", "what is to be done")?, owner: said(fields, "owner"), due_at }.into());
    };
    let task = number.parse().map_err(|_| No::Typed("A task is named by its number.".to_owned()))?;
    let note = said(fields, "note");
    match fields.get("state").map(String::as_str) {
        Some("done") => Ok(tasks::Command::Finish { task, note }.into()),
        Some("dropped") => Ok(tasks::Command::Drop { task, note }.into()),
        _ => Ok(tasks::Command::Assign { task, owner: needed(fields, "owner", "who it is given to")? }.into()),
    }
}

fn update(fields: &Fields) -> Result<C, No> {
    let mut audiences: Vec<String> = fields.keys().filter_map(|name| name.strip_prefix(TO)).map(ToOwned::to_owned).collect();
    audiences.sort_unstable();
    Ok(updates::Command::Post { audiences, text: needed(fields, "text", "the update")?, next_within: length(fields, "next_within")? }
        .into())
}

fn length(fields: &Fields, name: &str) -> Result<Option<Length>, No> {
    said(fields, name).map(|text| text.parse().map_err(|why: allclear_domain::time::BadLength| No::Typed(why.to_string()))).transpose()
}

/// Which form a refusal is shown at: the forms of single tasks have one each.
pub(crate) fn form_of(verb: &str, fields: &Fields) -> String {
    match (verb, said(fields, "task")) {
        ("task", Some(number)) => format!("task-{number}"),
        _ => verb.to_owned(),
    }
}
