//! What kinds and forms are called, and what each kind is for.

use allclear_domain::org::diff::FormKind;
use allclear_domain::org::snapshot::Org;

use crate::frame::pieces;

/// What people call a form.
pub(crate) fn title(org: &Org, kind: FormKind, id: &str) -> String {
    let named = match kind {
        FormKind::Person => org.person(id).map(|form| form.name.clone()),
        FormKind::Service => org.service(id).map(|form| form.name.clone()),
        FormKind::Schedule => org.schedule_form(id).and_then(|form| form.name.clone()),
        FormKind::Escalation => org.escalation(id).and_then(|form| form.name.clone()),
        FormKind::Team => org.bundle().teams.iter().find(|form| form.id == id).map(|form| form.name.clone()),
        FormKind::Severity => {
            let form = org.bundle().severities.iter().find(|form| form.id.word() == id);
            form.map(|form| format!("{}{}", id.to_uppercase(), form.name.as_ref().map_or_else(String::new, |name| format!(" {name}"))))
        }
        FormKind::Override => org.bundle().overrides.iter().find(|form| form.id == id).map(|form| {
            let schedule = org.schedule_form(&form.schedule).and_then(|form| form.name.clone()).unwrap_or_else(|| form.schedule.clone());
            format!("{} for {schedule}", pieces::name(org, &form.person))
        }),
        FormKind::Silence => org.bundle().silences.iter().find(|form| form.id == id).map(|form| pieces::cut(&form.matches, 80)),
        FormKind::CatchAll => Some("Catch-all".to_owned()),
        _ => None,
    };
    named.filter(|name| !name.trim().is_empty()).unwrap_or_else(|| id.to_owned())
}

/// What forms of a kind are for: one or two sentences, for the page that has none yet.
pub(crate) const fn purpose(kind: FormKind) -> &'static str {
    match kind {
        FormKind::Person => "Who can be paged and told, how they are reached, and what they may see and do.",
        FormKind::Team => {
            "People who answer for something together. A policy may page a whole team, and its managers put somebody else on its schedules for a time."
        }
        FormKind::Schedule => "Who is on call and when: rotations with their hand-offs. Without one, policies reach people only by name.",
        FormKind::Override => "Somebody takes a schedule for a time, whoever its layers say: for an illness, a holiday, a swap.",
        FormKind::Escalation => "Whom to page, how long they have to acknowledge, and who is next.",
        FormKind::Service => "What people use. An incident is of a service, and pages whom the service’s policy names.",
        FormKind::Integration => "Senders of alarms: the format each speaks, and the key by which it is known.",
        FormKind::Route => {
            "What becomes of an alarm, by its labels: its service and severity, whether it pages, and which belong together."
        }
        FormKind::Severity => "What SEV1 to SEV5 mean here: name, urgency, how often to update. Without any, the defaults hold.",
        FormKind::Silence => "Alerts that match are kept and page nobody for a time: for planned work.",
        FormKind::CatchAll => "Who is paged once when nobody else is left. Without it, a page that reaches nobody ends there.",
        FormKind::Audience => "Who is told by updates: people, teams, mailing lists.",
        FormKind::Calendar => "Kept for later, as written.",
        FormKind::Role => {
            "Roles that can be taken in an incident, besides commander, deputy, scribe, communications, liaison and operations."
        }
        FormKind::Plan => "Names that routes may give as a plan. Kept for later, as written.",
    }
}

/// The name of a kind, many of it.
pub(crate) const fn plural(kind: FormKind) -> &'static str {
    match kind {
        FormKind::Person => "People",
        FormKind::Team => "Teams",
        FormKind::Schedule => "Schedules",
        FormKind::Override => "Overrides",
        FormKind::Escalation => "Escalation policies",
        FormKind::Service => "Services",
        FormKind::Integration => "Integrations",
        FormKind::Route => "Routes",
        FormKind::Severity => "Severities",
        FormKind::Silence => "Silences",
        FormKind::CatchAll => "Catch-all",
        FormKind::Audience => "Audiences",
        FormKind::Calendar => "Calendars",
        FormKind::Role => "Roles",
        FormKind::Plan => "Plans",
    }
}

/// The name of a kind, one of it.
pub(crate) const fn one(kind: FormKind) -> &'static str {
    match kind {
        FormKind::Person => "person",
        FormKind::Team => "team",
        FormKind::Schedule => "schedule",
        FormKind::Override => "override",
        FormKind::Escalation => "escalation policy",
        FormKind::Service => "service",
        FormKind::Integration => "integration",
        FormKind::Route => "route",
        FormKind::Severity => "severity",
        FormKind::Silence => "silence",
        FormKind::CatchAll => "catch-all",
        FormKind::Audience => "audience",
        FormKind::Calendar => "calendar",
        FormKind::Role => "role",
        FormKind::Plan => "plan",
    }
}
