//! What people read of an incident.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::event::Mode;
use crate::incident::Incident;
use crate::incident::State;
use crate::incident::affected::Impact;
use crate::incident::roles::ROLES;
use crate::incident::work::TaskState;
use crate::incident::work::{Role, Task};
use crate::org::model::Level;
use crate::severity::Severity;
use crate::tlp::Tlp;
use crate::view::objective::{ObjectiveView, objectives_of};
use crate::view::obligation::{ObligationView, obligations_of};
use crate::view::plan::{self, ChoiceView, DeviationView, PlanView, ProposedPlanView, RecoveryView};
use crate::view::reasoning::{DecisionView, HypothesisView, decisions_of, hypotheses_of};
use crate::view::recovered::{self, ReportsView, ServiceBackView};
use crate::view::several::{RelatedView, TransfersView, UnderView};
use crate::view::{
    AdviceView, AlarmsView, BlastView, ClockView, ContentionView, DeedView, PartyView, RequestView, ResourceView, ResponderRequestView,
    SignedExport, TypeView, partner,
};

/// An incident as lists and its page show it. Instants are null where unknown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Incident))]
pub struct IncidentView {
    pub id: String,
    #[serde(rename = "ref")]
    pub reference: String,
    pub title: String,
    pub state: State,
    pub severity: Severity,
    pub service: Option<String>,
    /// Services of which somebody said how much they are affected, its own first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub affected: Vec<AffectedView>,
    /// What it is of.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    pub kind: Option<TypeView>,
    /// How much is hit, where its severity follows from that and from how soon it hurts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    pub impact: Option<Level>,
    /// How soon it hurts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    pub urgency: Option<Level>,
    /// How bad it may become, where somebody said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    pub potential: Option<Severity>,
    /// What is advised of its severity, where one incident is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    pub advice: Option<AdviceView>,
    /// What it hits and what may be hit next, where one incident is asked for by somebody who may see the services.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    pub blast: Option<BlastView>,
    /// How its alarms come, where one incident is asked for that has any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    pub alarms: Option<AlarmsView>,
    pub commander: Option<String>,
    pub acknowledged_by: Option<String>,
    /// Why it exists.
    pub because: String,
    pub merged_into: Option<String>,
    /// Whether all its alerts have recovered.
    pub recovered: bool,
    /// Whether only some may see it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub private: bool,
    /// Whether it is an exercise, as a test page is: on no board and in no trend.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub exercise: bool,
    /// Who holds which role, and who was asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<RoleView>,
    /// In the order in which they were added.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tasks: Vec<TaskView>,
    /// What was decided, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub decisions: Vec<DecisionView>,
    /// What may be the cause, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hypotheses: Vec<HypothesisView>,
    /// Plans that were started in it, in that order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub plans: Vec<PlanView>,
    /// Where its plans were left, in the order of time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deviations: Vec<DeviationView>,
    /// What has to hold before it is over, as its plans ask.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recovery: Vec<RecoveryView>,
    /// How far its services are back, as somebody said last of each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub restored: Vec<ServiceBackView>,
    /// What those outside who reported it said and were told, where somebody outside did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    pub reports: Option<ReportsView>,
    /// What regulators are owed, or may be: assumptions, and no legal advice.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub obligations: Vec<ObligationView>,
    /// How long its services may be affected, from the impact's start; the soonest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub objectives: Vec<ObjectiveView>,
    /// Plans that fit it and were not started, where one open incident is asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub proposed: Vec<ProposedPlanView>,
    /// Notes that somebody marked as key events: their `version` in the incident's own log.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub key_notes: Vec<u64>,
    /// When stakeholders were last told.
    #[serde(default)]
    pub last_update_at: Option<Timestamp>,
    /// Its review, once there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    pub review: Option<String>,
    /// Whether its last page ended without an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    pub unanswered: Option<bool>,
    /// How many alerts it has or had, where one incident is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    pub alerts: Option<u64>,
    /// How many of them are open, where one incident is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    pub alerts_open: Option<u64>,
    /// While silences hold every open alert, and nobody is paged: when the first of them ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    pub held_until: Option<Timestamp>,
    /// Ids of these silences.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub held_by: Vec<String>,
    /// Whether an alert of it comes and goes, and counts as firing until it has been quiet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    pub flapping: Option<bool>,
    /// When whoever has it asked to be reminded; nobody is asked before.
    #[serde(default)]
    pub snoozed_until: Option<Timestamp>,
    /// Who asked so.
    #[serde(default)]
    pub snoozed_by: Option<String>,
    /// Other organisations that take part, or took part, by their ids.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parties: Vec<PartyView>,
    /// What they were asked for, in that order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requests: Vec<RequestView>,
    /// Other incidents that it has to do with and the reader may see, where one incident is asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub relations: Vec<RelatedView>,
    /// The incident of which it is a part and that the reader may see, and its place there, while both are open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    pub under: Option<UnderView>,
    /// What other open incidents that the reader sees want as well, where one open incident is asked for, or a list of open ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    pub contention: Option<ContentionView>,
    /// Whether somebody has it and nothing of it is due; in the same answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    pub nothing_due: Option<bool>,
    /// People who were moved here from another incident, by their ids.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub came: Vec<String>,
    /// People who were moved to another incident and have taken nothing here since, by their ids.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub away: Vec<String>,
    /// Hand-overs between teams, once it was offered to one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    pub transfers: Option<TransfersView>,
    /// What it needs from elsewhere, in that order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<ResourceView>,
    /// Further responders who were asked to it, in that order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub responders: Vec<ResponderRequestView>,
    /// How far what it is may go, by TLP 2.0; absent where nobody said: it stays in the house.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false, inline))]
    pub marking: Option<Tlp>,
    /// The link for an organisation, in the answer to whoever made it and nowhere else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    pub guest_url: Option<String>,
    /// Whether that link stands in the place of one that works no more; in the same answer.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub guest_replaced: bool,
    /// What an organisation may be told, signed, in the answer to whoever made it and nowhere else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    pub export: Option<SignedExport>,
    /// How soon it is to be dealt with, and how that stands, where one incident is asked for; in the order of a life.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clocks: Vec<ClockView>,
    pub impact_started_at: Option<Timestamp>,
    pub detected_at: Option<Timestamp>,
    pub declared_at: Option<Timestamp>,
    pub acknowledged_at: Option<Timestamp>,
    pub mitigated_at: Option<Timestamp>,
    pub resolved_at: Option<Timestamp>,
    pub closed_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// When something is due next.
    pub next_due: Option<Timestamp>,
    /// Number of events in its log; the version for `If-Match`.
    pub version: u64,
}

impl IncidentView {
    /// Of a folded incident.
    #[must_use]
    pub fn of(i: &Incident, version: u64, next_due: Option<Timestamp>) -> Self {
        Self {
            id: i.id.to_string(),
            reference: i.reference.clone(),
            title: i.title.clone(),
            state: i.state,
            severity: i.severity,
            service: i.service.clone(),
            affected: affected_of(i),
            kind: i.work.typed.as_ref().map(TypeView::of),
            impact: i.work.assessment.basis.map(|basis| basis.impact),
            urgency: i.work.assessment.basis.map(|basis| basis.urgency),
            potential: i.work.assessment.potential,
            advice: None,
            blast: None,
            alarms: None,
            commander: i.commander.clone(),
            acknowledged_by: i.acknowledged_by.clone(),
            because: i.because.clone(),
            merged_into: i.merged_into.map(|id| id.to_string()),
            recovered: i.recovered,
            exercise: i.mode == Mode::Exercise,
            private: i.private,
            roles: roles_of(i),
            tasks: i.work.tasks.iter().map(|task| TaskView::of(i, task)).collect(),
            plans: plan::plans_of(i),
            deviations: plan::deviations_of(i),
            recovery: plan::recovery_of(i),
            restored: recovered::restored_of(i),
            reports: recovered::reports_of(i),
            obligations: obligations_of(i),
            objectives: objectives_of(i),
            proposed: Vec::new(),
            decisions: decisions_of(i),
            hypotheses: hypotheses_of(i),
            key_notes: i.work.key_notes.iter().copied().collect(),
            last_update_at: i.work.last_update_at,
            review: i.work.review.map(|id| id.to_string()),
            unanswered: None,
            alerts: None,
            alerts_open: None,
            held_until: i.alarms.held_until,
            held_by: i.alarms.held_by.clone(),
            flapping: i.alarms.flapping.map(|_| true),
            snoozed_until: i.snoozed().map(|snooze| snooze.until),
            snoozed_by: i.snoozed().map(|snooze| snooze.by.clone()),
            parties: partner::parties(i),
            requests: partner::requests(i),
            relations: Vec::new(),
            under: None,
            contention: None,
            nothing_due: None,
            came: i.work.came.iter().cloned().collect(),
            away: i.work.away.iter().cloned().collect(),
            transfers: TransfersView::of(i),
            resources: i.work.resources.iter().map(ResourceView::of).collect(),
            responders: i.work.responders.iter().map(ResponderRequestView::of).collect(),
            marking: i.work.marking,
            guest_url: None,
            guest_replaced: false,
            export: None,
            clocks: Vec::new(),
            impact_started_at: i.impact_started_at,
            detected_at: i.detected_at,
            declared_at: i.declared_at,
            acknowledged_at: i.acknowledged_at,
            mitigated_at: i.mitigated_at,
            resolved_at: i.resolved_at,
            closed_at: i.closed_at,
            created_at: i.created_at,
            updated_at: i.updated_at,
            next_due,
            version,
        }
    }

    /// Whom lists name as who has it: the commander, else who acknowledged it first and was not moved elsewhere since.
    #[must_use]
    pub fn holder(&self) -> Option<&str> {
        let first = self.acknowledged_by.as_deref().filter(|by| !self.away.iter().any(|away| away == by));
        self.commander.as_deref().or(first)
    }

    /// When it began, as far as is known: what every *since* counts from.
    #[must_use]
    pub fn began(&self) -> Timestamp {
        self.impact_started_at.or(self.declared_at).unwrap_or(self.created_at)
    }

    /// Whether somebody commands it, took it, holds a role or was asked to, or owns an open task of it.
    #[must_use]
    pub fn is_of(&self, person: &str) -> bool {
        let is = |who: &Option<String>| who.as_deref() == Some(person);
        is(&self.commander)
            || (is(&self.acknowledged_by) && !self.away.iter().any(|away| away == person))
            || self.came.iter().any(|came| came == person)
            || self.roles.iter().any(|role| is(&role.person) || is(&role.offered_to))
            || self.tasks.iter().any(|task| (is(&task.owner) || is(&task.doer)) && task.state == TaskState::Open)
    }
}

/// Its own service first, then the others by their ids.
fn affected_of(i: &Incident) -> Vec<AffectedView> {
    let mut affected: Vec<AffectedView> =
        i.work.affected.iter().map(|(service, impact)| AffectedView { service: service.clone(), impact: *impact }).collect();
    affected.sort_by_key(|one| i.service.as_ref() != Some(&one.service));
    affected
}

/// A service that an incident affects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Affected))]
pub struct AffectedView {
    /// Its id.
    pub service: String,
    pub impact: Impact,
}

/// Roles that are held, offered or needed, in the order of [`ROLES`], then others by name.
fn roles_of(i: &Incident) -> Vec<RoleView> {
    let place = |role: &str| ROLES.iter().position(|known| *known == role).unwrap_or(ROLES.len());
    let names: BTreeSet<&String> = i.work.roles.keys().chain(i.work.needed.keys()).collect();
    let free = Role::default();
    let view = |role: &String| {
        let held = i.work.roles.get(role).unwrap_or(&free);
        RoleView {
            role: role.clone(),
            person: held.person.clone(),
            since: held.since,
            offered_to: held.offered_to.clone(),
            offered_at: held.offered_at,
            offered_by: held.offered_by.clone().filter(|_| held.offered_to.is_some()),
            asked_by: held.asked_by.clone(),
            asked_at: held.asked_at,
            needed: i.work.needed.contains_key(role),
            name: None,
            duties: Vec::new(),
            warnings: Vec::new(),
        }
    };
    let mut roles: Vec<RoleView> = names.into_iter().map(view).collect();
    roles.sort_by(|a, b| (place(&a.role), &a.role).cmp(&(place(&b.role), &b.role)));
    roles
}

/// A role of an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Role))]
pub struct RoleView {
    /// `commander`, `deputy`, `scribe`, …
    pub role: String,
    /// Who holds it: a person's id.
    pub person: Option<String>,
    pub since: Option<Timestamp>,
    /// Who was asked to take it and has not answered.
    pub offered_to: Option<String>,
    pub offered_at: Option<Timestamp>,
    /// Who asked them; absent where the incident's own rules did, or nobody was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    pub offered_by: Option<String>,
    /// Who asked its holder to hand it over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    pub asked_by: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    pub asked_at: Option<Timestamp>,
    /// Whether somebody has to have it, as bad as the incident is.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub needed: bool,
    /// What people call it, where one incident is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    pub name: Option<String>,
    /// Its card, where one incident is asked for: in the order first, all the time, every 30 minutes, before leaving.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub duties: Vec<DutyView>,
    /// What is worth knowing of who has it, in sentences, where one incident is asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// What whoever has a role does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Duty))]
pub struct DutyView {
    pub text: String,
    /// `first`, `every_30m` or `before_leaving`; absent: all the time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    pub when: Option<String>,
}

/// A task of an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Task))]
pub struct TaskView {
    /// From 1, within its incident.
    pub task: u32,
    pub text: String,
    /// A person's id.
    pub owner: Option<String>,
    pub due_at: Option<Timestamp>,
    #[cfg_attr(feature = "schema", schema(inline))]
    pub state: TaskState,
    pub added_at: Timestamp,
    pub ended_at: Option<Timestamp>,
    /// Whether its time passed while it was open.
    pub late: bool,
    /// The id of the plan that it is a step of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    pub plan: Option<String>,
    /// Its id in that plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    pub step: Option<String>,
    /// Whoever has this role does it, where nobody has it in person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    pub role: Option<String>,
    /// Who does it by that role: a person's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    pub doer: Option<String>,
    /// Numbers of the tasks that come before it and are not through: its time begins when they are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waits_for: Vec<u32>,
    /// Where it says how.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    pub link: Option<String>,
    /// What is decided here, of a step that is a decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    pub question: Option<String>,
    /// Between what, while nobody has chosen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<ChoiceView>,
    /// What it does by itself.
    #[serde(default, rename = "do", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    pub deed: Option<DeedView>,
    /// What somebody wrote when it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    pub note: Option<String>,
}

impl IncidentView {
    /// Fills in the address at which people open it, where what its steps do names it.
    pub fn fill_url(&mut self, url: &str) {
        for deed in self.tasks.iter_mut().filter_map(|task| task.deed.as_mut()) {
            deed.fill_url(url);
        }
    }
}

impl TaskView {
    /// Whether it is open and waits for nothing.
    #[must_use]
    pub fn is_next(&self) -> bool {
        self.state == TaskState::Open && self.waits_for.is_empty()
    }

    /// `1. Fail over; 2. Wait`, of a decision that nobody has made; nothing of anything else.
    #[must_use]
    pub fn to_choose(&self) -> Option<String> {
        let one = |(at, option): (usize, &ChoiceView)| format!("{}. {}", at + 1, option.text);
        let options: Vec<String> = self.options.iter().enumerate().map(one).collect();
        (!options.is_empty()).then(|| options.join("; "))
    }

    fn of(i: &Incident, task: &Task) -> Self {
        let step = task.step.as_ref();
        let by_role = step.and_then(|step| step.role.clone()).filter(|_| task.owner.is_none());
        Self {
            task: task.task,
            text: task.text.clone(),
            owner: task.owner.clone(),
            due_at: task.due_at,
            state: task.state,
            added_at: task.added_at,
            ended_at: task.ended_at,
            late: task.late,
            plan: step.map(|step| step.plan.clone()),
            step: step.map(|step| step.step.clone()),
            doer: by_role.as_ref().and_then(|role| i.work.holder(role)).map(ToOwned::to_owned),
            role: by_role,
            waits_for: if task.state == TaskState::Open { i.work.waits_for(task).collect() } else { Vec::new() },
            link: step.and_then(|step| step.link.clone()),
            question: step.and_then(|step| step.question.clone()),
            options: step
                .filter(|_| task.state == TaskState::Open)
                .map_or_else(Vec::new, |step| step.options.iter().map(ChoiceView::of).collect()),
            deed: DeedView::of(i, task),
            note: task.note.clone(),
        }
    }
}

/// What stakeholders were told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Update))]
pub struct UpdateView {
    pub at: Timestamp,
    pub actor: String,
    /// Ids of audiences.
    pub audiences: Vec<String>,
    pub text: String,
    /// When the next one was promised.
    pub next_by: Option<Timestamp>,
    /// Where the incident stood.
    pub state: State,
}
