//! What whoever takes a role over has to know, made from the log: what happened, what was decided, who does what, what was
//! promised, and what to watch. The order is that of a transfer of command: history, aims, plan, people, promises, risks.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::incident::AffectedView;
use super::{EventView, IncidentView, Next, RoleView, TaskView, UpdateView};
use crate::incident::State;
use crate::incident::work::TaskState;
use crate::severity::Severity;

/// Lines of the history: more than this nobody listens to. Of a longer one the first stays, and the newest.
pub const HISTORY_LINES_MAX: usize = 20;
/// Decisions that are told again, the newest.
pub const DECISIONS_MAX: usize = 3;
/// The kind of an event that is a decision.
const DECISION: &str = "decision_made";

/// A briefing, as of one instant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Briefing))]
pub struct BriefingView {
    #[serde(rename = "ref")]
    pub reference: String,
    pub title: String,
    pub state: State,
    pub severity: Severity,
    pub service: Option<String>,
    /// When it was made.
    pub at: Timestamp,
    /// Key events, oldest first.
    pub history: Vec<BriefingLine>,
    /// Key events that are left out between the first and the others.
    pub left_out: usize,
    /// The newest decisions, oldest first.
    pub decisions: Vec<BriefingLine>,
    /// What stakeholders were told last.
    pub last_update: Option<UpdateView>,
    pub affected: Vec<AffectedView>,
    /// Who has which role, and who was asked; without their cards.
    pub roles: Vec<RoleView>,
    /// What is still to be done.
    pub tasks: Vec<TaskView>,
    /// What is awaited, and by when: promises, and what follows if they are not kept.
    pub promises: Vec<PromiseView>,
    /// What to watch, in sentences.
    pub risks: Vec<String>,
}

/// A line of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = BriefingLine))]
pub struct BriefingLine {
    pub at: Timestamp,
    pub line: String,
}

/// Something that is due.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Promise))]
pub struct PromiseView {
    /// Who and what.
    pub what: String,
    pub due_at: Timestamp,
    /// What follows if it does not happen; null where the sentence says it.
    #[serde(rename = "else")]
    pub or_else: Option<String>,
}

impl BriefingView {
    /// Of an incident, its key events oldest first, and what is awaited of it.
    #[must_use]
    pub fn of(incident: &IncidentView, key: &[EventView], awaited: &[Next], last_update: Option<UpdateView>, at: Timestamp) -> Self {
        let line = |event: &EventView| BriefingLine { at: event.at, line: event.line.clone() };
        let left_out = key.len().saturating_sub(HISTORY_LINES_MAX);
        let newest = key.len().min(HISTORY_LINES_MAX.saturating_sub(1));
        let history = if left_out == 0 {
            key.iter().map(line).collect()
        } else {
            key.iter().take(1).chain(&key[key.len() - newest..]).map(line).collect()
        };
        let mut decisions: Vec<BriefingLine> = key.iter().filter(|event| event.kind == DECISION).map(line).collect();
        decisions.drain(..decisions.len().saturating_sub(DECISIONS_MAX));
        let promise = |next: &Next| {
            let (what, due_at) = next.parts.first()?;
            Some(PromiseView { what: what.clone(), due_at: *due_at, or_else: next.or_else.clone() })
        };
        let roles = incident.roles.iter().map(|role| RoleView { duties: Vec::new(), warnings: Vec::new(), ..role.clone() }).collect();
        Self {
            reference: incident.reference.clone(),
            title: incident.title.clone(),
            state: incident.state,
            severity: incident.severity,
            service: incident.service.clone(),
            at,
            history,
            left_out,
            decisions,
            last_update,
            affected: incident.affected.clone(),
            roles,
            tasks: incident.tasks.iter().filter(|task| task.state == TaskState::Open).cloned().collect(),
            promises: awaited.iter().filter_map(promise).collect(),
            risks: risks(incident),
        }
    }
}

/// What the incident itself says is not as it should be.
fn risks(incident: &IncidentView) -> Vec<String> {
    let mut out: Vec<String> = incident.roles.iter().flat_map(|role| role.warnings.clone()).collect();
    let free = incident.roles.iter().filter(|role| role.needed && role.person.is_none());
    out.extend(free.map(|role| format!("Nobody is {}, and somebody has to be", role.role)));
    let open = |task: &&TaskView| task.state == TaskState::Open;
    let late = incident.tasks.iter().filter(open).filter(|task| task.late);
    out.extend(late.map(|task| format!("Task {} is late: {}", task.task, task.text)));
    let nobodys = incident.tasks.iter().filter(open).filter(|task| task.owner.is_none());
    out.extend(nobodys.map(|task| format!("Task {} is nobody\u{2019}s: {}", task.task, task.text)));
    if incident.unanswered == Some(true) {
        out.push("Its last page ended without an answer".to_owned());
    }
    if incident.flapping == Some(true) {
        out.push("An alert of it comes and goes".to_owned());
    }
    if incident.held_until.is_some() {
        out.push("Silences hold its alerts, so that it pages nobody".to_owned());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const AT: &str = "2026-03-01T00:00:00Z";

    #[test]
    fn a_long_history_keeps_its_beginning_and_its_end_and_what_is_not_right_is_said() {
        let incident: IncidentView = serde_json::from_value(json!({
            "id": "inc_1", "ref": "INC-1", "title": "t", "state": "investigating", "severity": "sev2", "because": "", "recovered": false,
            "created_at": AT, "updated_at": AT, "version": 1, "unanswered": true,
            "roles": [{"role": "scribe", "person": null, "since": null, "offered_to": null, "offered_at": null, "needed": true}],
            "tasks": [{"task": 1, "text": "roll back", "owner": null, "state": "open", "added_at": AT, "due_at": AT, "ended_at": null, "late": true},
                {"task": 2, "text": "told", "owner": null, "state": "done", "added_at": AT, "due_at": null, "ended_at": AT, "late": false}]
        }))
        .unwrap();
        let event = |n: i64| -> EventView {
            let kind = if n % 10 == 0 { "decision_made" } else { "noted" };
            serde_json::from_value(json!({
                "seq": n, "stream": "inc_1", "version": n, "incident": "inc_1", "kind": kind, "at": AT, "recorded_at": AT,
                "actor": "person:ana", "cause": "api", "body": null, "line": format!("line {n}")
            }))
            .unwrap()
        };
        let key: Vec<EventView> = (1..=50).map(event).collect();
        let told = BriefingView::of(&incident, &key, &[], None, AT.parse().unwrap());
        assert_eq!((told.history.len(), told.left_out), (HISTORY_LINES_MAX, 30));
        assert_eq!((told.history[0].line.as_str(), told.history[1].line.as_str()), ("line 1", "line 32"));
        let decisions: Vec<&str> = told.decisions.iter().map(|one| one.line.as_str()).collect();
        assert_eq!(decisions, ["line 30", "line 40", "line 50"]);
        assert_eq!(told.tasks.len(), 1, "what is done is history");
        assert_eq!(
            told.risks,
            [
                "Nobody is scribe, and somebody has to be",
                "Task 1 is late: roll back",
                "Task 1 is nobody\u{2019}s: roll back",
                "Its last page ended without an answer"
            ]
        );
        let short = BriefingView::of(&incident, &key[..3], &[], None, AT.parse().unwrap());
        assert_eq!((short.history.len(), short.left_out), (3, 0));
    }
}
