//! What whoever takes a role over has to know, made from the log: what happened, what was decided, who does what, what was
//! promised, and what to watch. The order is that of a transfer of command: history, aims, plan, people, promises, risks.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::incident::AffectedView;
use super::next::capital;
use super::{
    ClockView, ContentionView, EventView, HypothesisView, IncidentView, Next, RecoveryView, RelatedView, RequestView, ResourceView,
    RoleView, TaskView, UnderView, UpdateView,
};
use crate::expect::{Rule, Standing};
use crate::incident::related::Relation;
use crate::incident::running::RecoveryState;
use crate::incident::work::HypothesisState;
use crate::incident::work::TaskState;
use crate::incident::{State, clocks};
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
    /// The incident of which it is a part, and its place there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    pub under: Option<UnderView>,
    /// What other open incidents that the reader sees want as well, where a briefing is asked for by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    pub contention: Option<ContentionView>,
    /// Its parts, those with a place first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<RelatedView>,
    /// Key events, oldest first.
    pub history: Vec<BriefingLine>,
    /// Key events that are left out between the first and the others.
    pub left_out: usize,
    /// The newest decisions that stand, oldest first.
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
    /// What may be the cause, or is, and what was tried; without what was rejected.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hypotheses: Vec<HypothesisView>,
    /// What has to hold before it is over, and is open still.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recovery: Vec<RecoveryView>,
    /// What other organisations were asked for and have not answered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requests: Vec<RequestView>,
    /// What it needs from elsewhere and is still to come, or to be given back.
    pub resources: Vec<ResourceView>,
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
        // What was decided before decisions had numbers cannot be withdrawn.
        let stands = |event: &&EventView| {
            let number = event.body.as_ref().and_then(|body| body.get("decision")).and_then(serde_json::Value::as_u64);
            number.is_none_or(|number| incident.decisions.iter().any(|made| u64::from(made.decision) == number && made.stands))
        };
        let mut decisions: Vec<BriefingLine> = key.iter().filter(|event| event.kind == DECISION).filter(stands).map(line).collect();
        decisions.drain(..decisions.len().saturating_sub(DECISIONS_MAX));
        let promise = |next: &Next| {
            let (what, due_at) = next.parts.first()?;
            Some(PromiseView { what: what.clone(), due_at: *due_at, or_else: next.or_else.clone() })
        };
        let mut promises: Vec<PromiseView> = awaited.iter().filter_map(promise).chain(other_clocks(incident, awaited)).collect();
        promises.sort_by_key(|one| one.due_at);
        let roles = incident.roles.iter().map(|role| RoleView { duties: Vec::new(), warnings: Vec::new(), ..role.clone() }).collect();
        Self {
            reference: incident.reference.clone(),
            title: incident.title.clone(),
            state: incident.state,
            severity: incident.severity,
            service: incident.service.clone(),
            at,
            under: incident.under.clone(),
            contention: None,
            parts: incident.relations.iter().filter(|one| one.is == Relation::Child && one.state.is_open()).cloned().collect(),
            history,
            left_out,
            decisions,
            last_update,
            affected: incident.affected.clone(),
            roles,
            tasks: incident.tasks.iter().filter(|task| task.state == TaskState::Open).cloned().collect(),
            promises,
            risks: risks(incident),
            hypotheses: incident.hypotheses.iter().filter(|one| one.state != HypothesisState::Rejected).cloned().collect(),
            recovery: incident.recovery.iter().filter(|item| item.state == RecoveryState::Open).cloned().collect(),
            requests: incident.requests.iter().filter(|request| request.state.is_open()).cloned().collect(),
            resources: incident.resources.iter().filter(|resource| resource.state.is_open()).cloned().collect(),
        }
    }
}

/// The clocks that count, beside the first: of those the sentences tell that one alone.
fn other_clocks<'a>(incident: &'a IncidentView, awaited: &'a [Next]) -> impl Iterator<Item = PromiseView> + 'a {
    let is_told = |clock: &ClockView| awaited.iter().any(|next| next.key.ends_with(&clocks::key(clock.clock)));
    let promise = |clock: &ClockView| {
        let (what, or_else) = (capital(clock.clock.awaited()), Some(Rule::Target.or_else().to_owned()));
        Some(PromiseView { what, due_at: clock.due_at?, or_else })
    };
    incident.clocks.iter().filter(move |clock| clock.state == Standing::Live && !is_told(clock)).filter_map(promise)
}

/// What the incident itself says is not as it should be.
fn risks(incident: &IncidentView) -> Vec<String> {
    let mut out: Vec<String> = incident.roles.iter().flat_map(|role| role.warnings.clone()).collect();
    let free = incident.roles.iter().filter(|role| role.needed && role.person.is_none());
    out.extend(free.map(|role| format!("Nobody is {}, and somebody has to be", role.role)));
    let open = |task: &&TaskView| task.state == TaskState::Open;
    let late = incident.tasks.iter().filter(open).filter(|task| task.late);
    out.extend(late.map(|task| format!("Task {} is late: {}", task.task, task.text)));
    let nobodys = incident.tasks.iter().filter(open).filter(|task| task.owner.is_none() && task.doer.is_none());
    out.extend(nobodys.map(|task| format!("Task {} is nobody\u{2019}s: {}", task.task, task.text)));
    if incident.unanswered == Some(true) {
        out.push("Its last page ended without an answer".to_owned());
    }
    if incident.flapping == Some(true) {
        out.push("An alert of it comes and goes".to_owned());
    }
    if let Some(waits) = incident.clocks.iter().find_map(|clock| clock.waiting_for) {
        out.push(format!("Its clocks are paused, {}", waits.words()));
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

    fn hypothesis(number: u32, state: &str) -> serde_json::Value {
        json!({"hypothesis": number, "text": "t", "state": state, "why": null, "tries": [], "raised_at": AT})
    }

    fn item(number: u32, state: &str) -> serde_json::Value {
        json!({"item": number, "text": "t", "plan": "outage", "state": state, "ended_at": null, "by": null, "note": null})
    }

    fn request(number: u32, state: &str) -> serde_json::Value {
        json!({"request": number, "organisation": "cert", "text": "t", "state": state, "asked_at": AT, "late": false})
    }

    fn clock(clock: &str, state: &str, hour: &str) -> serde_json::Value {
        json!({"clock": clock, "state": state, "target": "t", "within": "1h", "due_at": format!("2026-03-01T{hour}:00:00Z"),
            "elapsed_s": 0, "left_s": 0})
    }

    #[test]
    fn a_long_history_keeps_its_beginning_and_its_end_and_what_is_not_right_is_said() {
        let incident: IncidentView = serde_json::from_value(json!({
            "id": "inc_1", "ref": "INC-1", "title": "t", "state": "investigating", "severity": "sev2", "because": "", "recovered": false,
            "created_at": AT, "updated_at": AT, "version": 1, "unanswered": true,
            "roles": [{"role": "scribe", "person": null, "since": null, "offered_to": null, "offered_at": null, "needed": true}],
            "tasks": [{"task": 1, "text": "roll back", "owner": null, "state": "open", "added_at": AT, "due_at": AT, "ended_at": null, "late": true},
                {"task": 3, "text": "say what is affected", "owner": null, "doer": "ana", "state": "open", "added_at": AT, "due_at": null,
                    "ended_at": null, "late": false},
                {"task": 2, "text": "told", "owner": null, "state": "done", "added_at": AT, "due_at": null, "ended_at": AT, "late": false}],
            "decisions": [{"decision": 1, "text": "t", "question": null, "options": [], "reversible": null, "by": "ana", "at": AT,
                "review_at": null, "due": false, "stands": false}],
            "hypotheses": [hypothesis(1, "open"), hypothesis(2, "rejected"), hypothesis(3, "confirmed")],
            "recovery": [item(1, "done"), item(2, "open")],
            "requests": [request(1, "answered"), request(2, "acknowledged")],
            "clocks": [clock("mitigate", "live", "02"), clock("engage", "live", "01"), clock("acknowledge", "met", "00")]
        }))
        .unwrap();
        let event = |n: i64| -> EventView {
            let body = if n == 50 { json!({"decision": 1, "text": "t"}) } else { json!(null) };
            let kind = if n % 10 == 0 { "decision_made" } else { "noted" };
            serde_json::from_value(json!({
                "seq": n, "stream": "inc_1", "version": n, "incident": "inc_1", "kind": kind, "at": AT, "recorded_at": AT,
                "actor": "person:ana", "cause": "api", "body": body, "line": format!("line {n}")
            }))
            .unwrap()
        };
        let key: Vec<EventView> = (1..=50).map(event).collect();
        let told = BriefingView::of(&incident, &key, &[], None, AT.parse().unwrap());
        assert_eq!((told.history.len(), told.left_out), (HISTORY_LINES_MAX, 30));
        assert_eq!((told.history[0].line.as_str(), told.history[1].line.as_str()), ("line 1", "line 32"));
        let decisions: Vec<&str> = told.decisions.iter().map(|one| one.line.as_str()).collect();
        assert_eq!(decisions, ["line 20", "line 30", "line 40"], "what was withdrawn is not decided");
        assert_eq!(told.tasks.len(), 2, "what is done is history");
        let numbers: Vec<u32> = told.hypotheses.iter().map(|one| one.hypothesis).collect();
        assert_eq!(numbers, [1, 3], "what was rejected is not told");
        assert_eq!((told.recovery[0].item, told.recovery.len(), told.requests[0].request, told.requests.len()), (2, 1, 2, 1));
        let promised: Vec<&str> = told.promises.iter().map(|one| one.what.as_str()).collect();
        assert_eq!(promised, ["A second person, or a commander", "The impact is reduced"], "each clock that counts, the soonest first");
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
