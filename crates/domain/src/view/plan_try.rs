//! What a plan would do, were it to start now: for whoever wants to know before it is needed.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::incident::roles;
use crate::org::forms::plan::{Plan, PlanAsk, PlanTask};
use crate::org::forms::plan_choice::PlanOption;
use crate::org::forms::plan_deed::{Deed, rendered};
use crate::org::model::NotifyUrgency;
use crate::org::snapshot::{ORGANISATION, Org};
use crate::severity::Severity;
use crate::time::{Length, after};
use crate::view::PersonExplanation;

/// What a plan would do, were it to start now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = PlanTry))]
pub struct PlanTryView {
    /// Its id.
    pub plan: String,
    pub name: String,
    pub version: u32,
    /// The day by which it was to be looked through, where that is over.
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>, format = Date))]
    pub overdue_since: Option<Date>,
    /// Whether it would be proposed for an incident of the service and the severity that were named.
    pub fits: bool,
    /// In an order in which each comes after those before it.
    pub tasks: Vec<TriedTask>,
    /// Roles that somebody would have to have.
    pub roles: Vec<TriedRole>,
    /// Who would be paged now, and which organisations would take part.
    pub asks: Vec<TriedTarget>,
    /// `cert: Please look at your side, within 1h`.
    pub requests: Vec<String>,
    /// Ids of the obligations that would be proposed.
    pub obligations: Vec<String>,
    /// `customers every 30m`.
    pub updates: Vec<String>,
    pub recovery: Vec<String>,
}

/// A task, were the plan to start now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct TriedTask {
    /// Its id in the plan.
    pub step: String,
    pub text: String,
    /// A role, or a person's id; null: nobody is named.
    pub role: Option<String>,
    pub person: Option<String>,
    /// Ids of those that come before it.
    pub after: Vec<String>,
    /// What is decided here; null where it is no decision.
    pub question: Option<String>,
    /// Between what: `Wait (skips switch)`.
    pub options: Vec<String>,
    /// What it would do by itself.
    #[serde(default, rename = "do", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    pub deed: Option<TriedDeed>,
    /// When it begins, where those before it take all of their time.
    pub begins_at: Timestamp,
    /// When it is due then; null where it has no time.
    pub due_at: Option<Timestamp>,
}

/// What a step would do by itself, were its turn to come now; nothing is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct TriedDeed {
    /// The server that it would go to.
    pub host: String,
    /// The body, with words in angle brackets for what only an incident knows.
    pub body: String,
    /// Whether it is done once everything before the step is done; else somebody presses it.
    pub by_itself: bool,
}

impl TriedDeed {
    /// `POST to hooks.example.org by itself: {…}`
    #[must_use]
    pub fn words(&self) -> String {
        let when = if self.by_itself { "by itself" } else { "when somebody presses it" };
        format!("POST to {} {when}: {}", self.host, self.body)
    }
}

/// A role that somebody would have to have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct TriedRole {
    pub role: String,
    /// Who would be asked to take it: a person's id; null where the catalogue names nobody who can.
    pub asked: Option<String>,
    /// How long it may be nobody's.
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    pub within: Length,
}

/// Who would be paged by a target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct TriedTarget {
    /// As the plan writes it: `schedule:database`.
    pub target: String,
    pub people: Vec<PersonExplanation>,
    pub why_nobody: Option<String>,
}

impl TriedTarget {
    /// Whether it names another organisation, which takes part and is not paged.
    #[must_use]
    pub fn is_organisation(&self) -> bool {
        self.target.starts_with(ORGANISATION)
    }
}

impl PlanTryView {
    /// Of a plan of this organisation, in an incident of this service and severity, at an instant.
    #[must_use]
    pub fn of(org: &Org, plan: &Plan, service: Option<&str>, severity: Severity, now: Timestamp) -> Self {
        let urgency = org.severity(severity).notify;
        let value = |name: &str| match name {
            "service" => service.unwrap_or(""),
            "severity" => severity.word(),
            _ => "",
        };
        Self {
            plan: plan.id.clone(),
            name: plan.called().to_owned(),
            version: plan.numbered(),
            overdue_since: plan.overdue_since(now),
            fits: org.plans_for(value).any(|fitting| fitting.id == plan.id),
            tasks: tasks_of(plan, now, (service, severity)),
            roles: plan.roles.iter().map(|role| role_of(org, role, now)).collect(),
            asks: plan.involve.iter().map(|target| target_of(org, target, urgency, now)).collect(),
            requests: plan.ask.iter().map(request_of).collect(),
            obligations: plan.obligations.clone(),
            updates: plan.updates.iter().map(|one| format!("{} every {}", one.audience, one.every)).collect(),
            recovery: plan.recovery.clone(),
        }
    }
}

/// Each with its times, where everybody takes all of theirs; of a circle nothing.
fn tasks_of(plan: &Plan, now: Timestamp, (service, severity): (Option<&str>, Severity)) -> Vec<TriedTask> {
    let mut ends: BTreeMap<&str, Timestamp> = BTreeMap::new();
    let mut left: Vec<&PlanTask> = plan.tasks.iter().collect();
    let mut out = Vec::new();
    while let Some(at) = left.iter().position(|task| task.after.iter().all(|id| ends.contains_key(id.as_str()))) {
        let task = left.remove(at);
        let begins_at = task.after.iter().filter_map(|id| ends.get(id.as_str())).copied().max().unwrap_or(now);
        let due_at = task.within.map(|within| after(begins_at, within));
        ends.insert(&task.id, due_at.unwrap_or(begins_at));
        out.push(TriedTask {
            step: task.id.clone(),
            text: task.text.clone(),
            role: task.role.clone(),
            person: task.person.clone(),
            after: task.after.clone(),
            question: task.question.clone(),
            options: task.options.iter().map(option_of).collect(),
            deed: task.deed.as_ref().map(|deed| deed_of(plan, task, deed, (service, severity))),
            begins_at,
            due_at,
        });
    }
    out
}

fn deed_of(plan: &Plan, task: &PlanTask, deed: &Deed, (service, severity): (Option<&str>, Severity)) -> TriedDeed {
    let value = |name: &str| {
        Some(match name {
            "severity" => severity.word().to_owned(),
            "service" => service.unwrap_or("<service>").to_owned(),
            "task" => task.text.clone(),
            "plan" => plan.called().to_owned(),
            other => format!("<{other}>"),
        })
    };
    TriedDeed { host: deed.host().to_owned(), body: rendered(deed.template(), value), by_itself: deed.by_itself }
}

fn option_of(option: &PlanOption) -> String {
    if option.skips.is_empty() { option.text.clone() } else { format!("{} (skips {})", option.text, option.skips.join(", ")) }
}

fn request_of(ask: &PlanAsk) -> String {
    let within = ask.within.map_or_else(String::new, |within| format!(", within {within}"));
    format!("{}: {}{within}", ask.organisation, ask.text)
}

fn role_of(org: &Org, role: &str, now: Timestamp) -> TriedRole {
    let setting = org.role(role);
    let named = setting.and_then(|setting| setting.from.as_deref()).map(|from| org.people_for(from, now).people).unwrap_or_default();
    let asked = named.into_iter().map(|(person, _)| person).find(|person| roles::may_be_given(org, role, person).is_ok());
    let within = setting.map_or(crate::org::roles::FILL_WITHIN, |setting| setting.within);
    TriedRole { role: role.to_owned(), asked, within }
}

fn target_of(org: &Org, target: &str, urgency: NotifyUrgency, now: Timestamp) -> TriedTarget {
    let resolved = org.people_for(target, now);
    let person = |(person, via): (String, String)| {
        let way = |reach: crate::org::snapshot::Reach<'_>| {
            let when = if reach.after.is_zero() { "at once".to_owned() } else { format!("after {}", reach.after) };
            format!("{} {} {when}", reach.channel, reach.contact.id)
        };
        let contacts = org.reach(&person, urgency).into_iter().map(way).collect();
        PersonExplanation { person, via, contacts }
    };
    TriedTarget { target: target.to_owned(), people: resolved.people.into_iter().map(person).collect(), why_nobody: resolved.why_nobody }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::WaysOut;
    use serde_json::json;

    #[test]
    fn tasks_are_told_in_their_order_with_the_times_of_those_before() {
        let bundle = json!({
            "people": [{"id": "ana", "name": "Ana"}],
            "teams": [{"id": "dba", "name": "Databases", "members": []}],
            "plans": [{"id": "outage", "match": "service=\"shop\", severity=~\"sev1|sev2\"", "roles": ["scribe"], "involve": ["person:ana", "team:dba"],
                "tasks": [{"id": "check", "text": "Check", "after": ["fail", "call"], "within": "5m"},
                    {"id": "call", "text": "Call", "within": "50m"},
                    {"id": "scope", "text": "Scope", "within": "10m"},
                    {"id": "fail", "text": "Fail over", "after": ["scope"]}]}],
        });
        let org = Org::build(1, serde_json::from_value(bundle).unwrap(), WaysOut::NONE);
        let now: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
        let tried = |service, severity| PlanTryView::of(&org, org.plan("outage").unwrap(), service, severity, now);
        let told = tried(Some("shop"), Severity::Sev2);
        let times: Vec<(&str, String, Option<String>)> = told
            .tasks
            .iter()
            .map(|task| {
                (task.step.as_str(), task.begins_at.strftime("%H:%M").to_string(), task.due_at.map(|at| at.strftime("%H:%M").to_string()))
            })
            .collect();
        let at = |text: &str| Some(text.to_owned());
        assert_eq!(
            times,
            [
                ("call", "12:00".to_owned(), at("12:50")),
                ("scope", "12:00".to_owned(), at("12:10")),
                ("fail", "12:10".to_owned(), None),
                ("check", "12:50".to_owned(), at("12:55")),
            ]
        );
        assert_eq!((told.asks[0].people.len(), told.asks[1].why_nobody.as_deref()), (1, Some("team `dba` has no members")));
        assert!(told.fits && !tried(Some("shop"), Severity::Sev3).fits && !tried(None, Severity::Sev1).fits);
    }
}
