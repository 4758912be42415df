//! Commands of coordination: what their bodies mean. `incidents` has the route.

use allclear_domain::access::Principal;
use allclear_domain::ids::IncidentId;
use allclear_domain::incident::lifecycle::Verb;
use allclear_domain::incident::{self, declaration, record, roles, tasks, updates};
use allclear_domain::time::Length;
use allclear_engine::core::Command;
use jiff::Timestamp;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::Api;
use crate::http::extract::json;
use crate::http::problem::Problem;
use crate::schema;

/// `role`: `take` where it is your own or nobody is named, `offer` where another person is, unless `do` says
/// otherwise.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RoleBody {
    /// `commander`, `deputy`, `scribe`, `communications`, `liaison`, `operations`, or one of the organisation's.
    role: String,
    /// A person's id; the token's person where absent.
    person: Option<String>,
    #[serde(rename = "do")]
    #[schema(rename = "do")]
    deed: Option<RoleDeed>,
}

/// What is done with a role.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RoleDeed {
    /// The person has it from now on.
    Take,
    /// The person is asked, and has it once they take it.
    Offer,
    /// Whoever has it has it no more.
    Leave,
}

/// `task`: with `text` a task is added; with `task` one is given to `owner`, or ended by `state`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TaskBody {
    text: Option<String>,
    /// Its number, from 1.
    task: Option<u32>,
    /// A person's id.
    owner: Option<String>,
    due_at: Option<Timestamp>,
    /// In place of `due_at`: from now, as in `30m`.
    #[schema(value_type = Option<String>)]
    within: Option<Length>,
    state: Option<TaskEnd>,
    note: Option<String>,
}

/// How a task ends.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TaskEnd {
    Done,
    Dropped,
}

/// `update`
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpdateBody {
    text: String,
    /// Ids of audiences; none: it stands in the log only.
    #[serde(default)]
    audiences: Vec<String>,
    /// When the next one is promised, as in `30m`; the severity's cadence where absent.
    #[schema(value_type = Option<String>)]
    next_within: Option<Length>,
}

/// `decision`
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DecisionBody {
    text: String,
    reversible: Option<bool>,
}

/// `time`
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TimeBody {
    #[schema(value_type = schema::Instant)]
    instant: incident::Instant,
    /// Absent or null: it is not known.
    at: Option<Timestamp>,
    why: String,
}

/// `link`
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LinkBody {
    /// An open alert's id.
    alert: String,
}

/// `rename`
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RenameBody {
    title: String,
}

/// `review`
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReviewBody {}

/// The command that a verb of coordination and its body mean; `None` for the other verbs.
pub(super) fn read(api: &Api, who: &Principal, id: IncidentId, verb: Verb, body: &[u8]) -> Result<Option<Command>, Problem> {
    Ok(Some(match verb {
        Verb::Role => Command::incident(id, role(who, json(body)?)?),
        Verb::Task => Command::incident(id, task(api, json(body)?)?),
        Verb::Update => {
            let UpdateBody { text, audiences, next_within } = json(body)?;
            Command::incident(id, updates::Command::Post { audiences, text, next_within })
        }
        Verb::Decision => {
            let DecisionBody { text, reversible } = json(body)?;
            Command::incident(id, record::Command::Decide { text, reversible })
        }
        Verb::Time => {
            let TimeBody { instant, at, why } = json(body)?;
            Command::incident(id, record::Command::CorrectTime { instant, at: at.map(allclear_domain::time::whole_micros), why })
        }
        Verb::Link => {
            let LinkBody { alert } = json(body)?;
            let alert = alert.parse().map_err(|_| Problem::new("no_such_alert", "an alert's id begins with `alt_`"))?;
            Command::LinkAlert { id, alert }
        }
        Verb::Rename => Command::incident(id, declaration::Command::Rename { title: json::<RenameBody>(body)?.title }),
        Verb::Review => {
            let ReviewBody {} = json(body)?;
            Command::AskReview { id }
        }
        _ => return Ok(None),
    }))
}

fn role(who: &Principal, body: RoleBody) -> Result<incident::Command, Problem> {
    let RoleBody { role, person, deed } = body;
    let own = person.is_none() || person.as_deref() == who.person();
    let deed = deed.unwrap_or(if own { RoleDeed::Take } else { RoleDeed::Offer });
    if matches!(deed, RoleDeed::Leave) {
        return Ok(roles::Command::Leave { role }.into());
    }
    let person = person.or_else(|| who.person().map(ToOwned::to_owned));
    let person = person.ok_or_else(|| Problem::bad("name a `person`: this token stands for none"))?;
    Ok(match deed {
        RoleDeed::Offer => roles::Command::Offer { role, to: person }.into(),
        RoleDeed::Take | RoleDeed::Leave => roles::Command::Take { role, person }.into(),
    })
}

fn task(api: &Api, body: TaskBody) -> Result<incident::Command, Problem> {
    let TaskBody { text, task, owner, due_at, within, state, note } = body;
    match (text, task) {
        (Some(text), None) => {
            let due_at = due_at.map(allclear_domain::time::whole_micros);
            let due_at = due_at.or_else(|| within.map(|length| allclear_domain::time::after(api.engine.now(), length)));
            Ok(tasks::Command::Add { text, owner, due_at }.into())
        }
        (None, Some(task)) => match (owner, state) {
            (Some(owner), None) => Ok(tasks::Command::Assign { task, owner }.into()),
            (None, Some(TaskEnd::Done)) => Ok(tasks::Command::Finish { task, note }.into()),
            (None, Some(TaskEnd::Dropped)) => Ok(tasks::Command::Drop { task, note }.into()),
            _ => Err(Problem::bad("with `task` give either its new `owner`, or its `state`: `done` or `dropped`")),
        },
        _ => Err(Problem::bad("give `text` to add a task, or `task`, its number, to change one")),
    }
}
