//! What a stored event says in words, as a table: which kinds of events are of which kind of thing, and which fields of their
//! bodies people wrote or read. What machines tell each other is in no row, and is not found.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A kind of thing that is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = FoundKind))]
pub enum Thing {
    Incident,
    Note,
    Update,
    Decision,
    Hypothesis,
    Task,
    /// What was asked of an organisation, and what it said.
    Request,
    Resource,
    /// What those who reported something were told, and said.
    Report,
    /// Any other line of a log that gives reasons.
    Entry,
    Review,
    Action,
    Alert,
    Person,
    Team,
    Service,
    Schedule,
    Escalation,
    Plan,
    Organisation,
}

/// Where the words of a thing are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shelf {
    /// Titles of incidents, by the number of the event that gave one.
    Titles,
    /// What was written, by the number of its event.
    Written,
    /// Alerts, by the beginning of their ids.
    Alerts,
    /// The organisation's forms, which are in memory.
    Forms,
}

impl Thing {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Self; 20] = [
        Self::Incident,
        Self::Note,
        Self::Update,
        Self::Decision,
        Self::Hypothesis,
        Self::Task,
        Self::Request,
        Self::Resource,
        Self::Report,
        Self::Entry,
        Self::Review,
        Self::Action,
        Self::Alert,
        Self::Person,
        Self::Team,
        Self::Service,
        Self::Schedule,
        Self::Escalation,
        Self::Plan,
        Self::Organisation,
    ];

    /// As it is written, and where its words are.
    const fn row(self) -> (&'static str, &'static str, Shelf) {
        match self {
            Self::Incident => ("incident", "Incident", Shelf::Titles),
            Self::Note => ("note", "Note", Shelf::Written),
            Self::Update => ("update", "Update", Shelf::Written),
            Self::Decision => ("decision", "Decision", Shelf::Written),
            Self::Hypothesis => ("hypothesis", "Hypothesis", Shelf::Written),
            Self::Task => ("task", "Task", Shelf::Written),
            Self::Request => ("request", "Request", Shelf::Written),
            Self::Resource => ("resource", "Resource", Shelf::Written),
            Self::Report => ("report", "Report", Shelf::Written),
            Self::Entry => ("entry", "Log entry", Shelf::Written),
            Self::Review => ("review", "Review", Shelf::Written),
            Self::Action => ("action", "Action", Shelf::Written),
            Self::Alert => ("alert", "Alert", Shelf::Alerts),
            Self::Person => ("person", "Person", Shelf::Forms),
            Self::Team => ("team", "Team", Shelf::Forms),
            Self::Service => ("service", "Service", Shelf::Forms),
            Self::Schedule => ("schedule", "Schedule", Shelf::Forms),
            Self::Escalation => ("escalation", "Escalation policy", Shelf::Forms),
            Self::Plan => ("plan", "Plan", Shelf::Forms),
            Self::Organisation => ("organisation", "Organisation", Shelf::Forms),
        }
    }

    /// As it is written.
    #[must_use]
    pub const fn word(self) -> &'static str {
        self.row().0
    }

    /// As it is shown.
    #[must_use]
    pub const fn label(self) -> &'static str {
        self.row().1
    }

    /// Where its words are.
    #[must_use]
    pub const fn shelf(self) -> Shelf {
        self.row().2
    }

    /// The kind of this word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|thing| thing.word() == word)
    }
}

/// What an event says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    pub thing: Thing,
    /// The fields, a line each.
    pub text: String,
}

/// Kinds of events, and the fields of their bodies that are words.
struct Row {
    thing: Thing,
    kinds: &'static [&'static str],
    fields: &'static [&'static str],
}

const ROWS: &[Row] = &[
    Row { thing: Thing::Incident, kinds: &["proposed", "declared"], fields: &["title"] },
    Row { thing: Thing::Incident, kinds: &["renamed"], fields: &["to"] },
    Row { thing: Thing::Note, kinds: &["noted"], fields: &["text"] },
    Row { thing: Thing::Update, kinds: &["update_posted"], fields: &["text"] },
    Row { thing: Thing::Decision, kinds: &["decision_made"], fields: &["question", "text", "options"] },
    Row { thing: Thing::Decision, kinds: &["decision_revisited"], fields: &["note"] },
    Row { thing: Thing::Hypothesis, kinds: &["hypothesis_raised"], fields: &["text"] },
    Row { thing: Thing::Hypothesis, kinds: &["hypothesis_tried"], fields: &["tried", "result"] },
    Row { thing: Thing::Hypothesis, kinds: &["hypothesis_judged"], fields: &["why"] },
    Row { thing: Thing::Task, kinds: &["task_added", "task_changed"], fields: &["text"] },
    Row { thing: Thing::Task, kinds: &["task_done", "task_dropped"], fields: &["note"] },
    Row { thing: Thing::Request, kinds: &["request_asked"], fields: &["text"] },
    Row {
        thing: Thing::Request,
        kinds: &["request_acknowledged", "request_answered", "request_declined", "request_withdrawn"],
        fields: &["text", "reference"],
    },
    Row { thing: Thing::Request, kinds: &["party_said"], fields: &["text"] },
    Row { thing: Thing::Request, kinds: &["party_joined", "party_changed", "party_left"], fields: &["reference", "why"] },
    Row { thing: Thing::Resource, kinds: &["resource_wanted"], fields: &["what", "place"] },
    Row {
        thing: Thing::Resource,
        kinds: &["resource_ordered", "resource_sent", "resource_arrived", "resource_declined", "resource_released", "resource_withdrawn"],
        fields: &["text", "reference"],
    },
    Row { thing: Thing::Report, kinds: &["reporters_told", "reporter_said", "fix_disputed"], fields: &["text"] },
    Row {
        thing: Thing::Entry,
        kinds: &[
            "restricted",
            "admitted",
            "opened_up",
            "service_changed",
            "impact_changed",
            "potential_set",
            "advice_kept",
            "severity_changed",
            "promoted",
            "time_corrected",
            "clocks_paused",
            "cancelled",
            "reopened",
            "person_moved_away",
            "person_moved_here",
            "awareness_decided",
            "obligation_waived",
            "part_ordered",
            "rank_changed",
            "plan_left_out",
            "recovery_waived",
            "related",
            "unrelated",
            "responders_asked",
            "responder_declined",
            "responders_cancelled",
            "role_offered",
            "role_taken",
            "role_left",
            "incident_marked",
            "transfer_offered",
            "transfer_returned",
            "step_failed",
            "step_withdrawn",
            "declined",
        ],
        fields: &["why"],
    },
    Row { thing: Thing::Entry, kinds: &["mitigated"], fields: &["text"] },
    Row { thing: Thing::Entry, kinds: &["resolved", "service_restored"], fields: &["note"] },
    Row { thing: Thing::Entry, kinds: &["recovery_confirmed"], fields: &["text", "note"] },
    Row { thing: Thing::Entry, kinds: &["type_set"], fields: &["name", "because", "why"] },
    Row { thing: Thing::Entry, kinds: &["answer_set"], fields: &["label", "to", "why"] },
    Row { thing: Thing::Entry, kinds: &["obligation_submitted"], fields: &["name", "reference", "evidence"] },
    Row { thing: Thing::Entry, kinds: &["alert_linked", "alert_returned"], fields: &["title"] },
    Row { thing: Thing::Entry, kinds: &["plan_started"], fields: &["name"] },
    Row { thing: Thing::Entry, kinds: &["step_answered"], fields: &["answer"] },
    Row { thing: Thing::Review, kinds: &["review_edited", "review_published"], fields: &["text"] },
    Row { thing: Thing::Action, kinds: &["action_added"], fields: &["text"] },
    Row { thing: Thing::Action, kinds: &["action_due_changed"], fields: &["why"] },
    Row { thing: Thing::Action, kinds: &["action_done", "action_dropped"], fields: &["note"] },
];

/// The kinds of events that say something.
pub fn kinds() -> impl Iterator<Item = &'static str> {
    ROWS.iter().flat_map(|row| row.kinds.iter().copied())
}

/// What a stored event says; nothing where it says nothing in words, or its body is gone or does not read.
#[must_use]
pub fn said(kind: &str, body: Option<&str>) -> Option<Said> {
    let row = ROWS.iter().find(|row| row.kinds.contains(&kind))?;
    let body: Value = serde_json::from_str(body?).ok()?;
    let mut text = String::new();
    for field in row.fields {
        match body.get(field) {
            Some(Value::String(said)) => add(&mut text, said),
            Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).for_each(|said| add(&mut text, said)),
            Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) | None => {}
        }
    }
    (!text.is_empty()).then_some(Said { thing: row.thing, text })
}

/// What an alert says: its title, its source, and whatever texts its detail has, labels with their names.
#[must_use]
pub fn alert_said(title: &str, source: Option<&str>, detail: &Value) -> String {
    let mut text = title.to_owned();
    if let Some(source) = source {
        add(&mut text, source);
    }
    add_all(&mut text, None, detail);
    text
}

fn add_all(text: &mut String, name: Option<&str>, value: &Value) {
    match value {
        Value::String(said) => match name {
            Some(name) => add(text, &format!("{name} {said}")),
            None => add(text, said),
        },
        Value::Array(many) => many.iter().for_each(|one| add_all(text, name, one)),
        Value::Object(fields) => fields.iter().for_each(|(name, one)| add_all(text, Some(name), one)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn add(text: &mut String, said: &str) {
    if said.is_empty() {
        return;
    }
    if !text.is_empty() {
        text.push('\n');
    }
    text.push_str(said);
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::timeline;

    /// Kinds that say nothing in words: who was paged and how that went, roles and clocks that moved, machinery. One that is added is
    /// put here or in the table.
    const SILENT: &[&str] = &[
        "absorbed",
        "acknowledged",
        "acknowledgement_aged",
        "action_assigned",
        "action_missed",
        "action_reminded",
        "alerts_silenced",
        "alerts_told",
        "alerts_unsilenced",
        "clock_missed",
        "clock_warned",
        "clocks_resumed",
        "clocks_set",
        "closed",
        "confirmation_asked",
        "confirmation_missed",
        "decision_due",
        "delivered",
        "drill_answered",
        "drill_answered_late",
        "drill_ended",
        "escalated",
        "fix_confirmed",
        "flapping",
        "guest_link_made",
        "guest_link_revoked",
        "merged",
        "note_marked",
        "notice_raised",
        "objective_missed",
        "objective_warned",
        "objectives_ended",
        "objectives_set",
        "obligation_ended",
        "obligation_missed",
        "obligation_proposed",
        "obligation_warned",
        "page_acknowledged",
        "page_acknowledged_in_part",
        "page_acknowledgement_taken_back",
        "page_came_back",
        "page_exhausted",
        "page_resumed",
        "page_started",
        "page_stopped",
        "parent_followed",
        "parent_unfollowed",
        "party_exported",
        "plan_intended",
        "reassessment_asked",
        "reassessment_missed",
        "recovered",
        "released",
        "relief_due",
        "request_missed",
        "resource_missed",
        "responder_accepted",
        "responders_unanswered",
        "review_asked",
        "review_assigned",
        "review_missed",
        "review_opened",
        "review_reminded",
        "role_ask_missed",
        "role_asked",
        "role_unanswered",
        "role_unfilled",
        "roles_needed",
        "send_accepted",
        "send_delayed",
        "send_failed",
        "send_in_doubt",
        "snooze_over",
        "snoozed",
        "steadied",
        "step_begun",
        "step_empty",
        "step_reached",
        "still_on_it",
        "still_on_it_asked",
        "taken_apart",
        "task_assigned",
        "task_late",
        "task_unassigned",
        "told",
        "transfer_accepted",
        "transfer_unanswered",
        "update_missed",
        "update_reminded",
    ];

    #[test]
    fn every_kind_of_event_is_in_the_table_or_says_nothing() {
        let (says, silent): (BTreeSet<_>, BTreeSet<_>) = (kinds().collect(), SILENT.iter().copied().collect());
        assert_eq!(says.len(), kinds().count(), "a kind is in two rows");
        let known: BTreeSet<_> = timeline::kinds().map(|kind| kind.name).collect();
        let told: BTreeSet<_> = says.union(&silent).copied().collect();
        assert_eq!(told, known, "unknown {:?}; missing {:?}", told.difference(&known), known.difference(&told));
        assert!(says.is_disjoint(&silent));
    }

    #[test]
    fn words_are_of_the_fields_that_people_write() {
        let text = |kind, body: &str| said(kind, Some(body)).map(|said| (said.thing, said.text));
        assert_eq!(text("noted", r#"{"text":"Disk is full","key":true}"#), Some((Thing::Note, "Disk is full".into())));
        assert_eq!(
            text("decision_made", r#"{"text":"Fail over","question":"What now?","options":["Wait","Fail over"],"by":"ana"}"#),
            Some((Thing::Decision, "What now?\nFail over\nWait\nFail over".into()))
        );
        assert_eq!(text("noted", r#"{"later":true}"#), None);
        assert_eq!(text("noted", "not json"), None);
        assert_eq!(said("noted", None), None, "it was redacted");
        assert_eq!(text("delivered", r#"{"text":"x"}"#), None);
        let detail = serde_json::json!({"labels": {"host": "db-7"}, "links": ["https://x.example"], "n": 1, "description": "It burns"});
        assert_eq!(alert_said("Disk", Some("probe"), &detail), "Disk\nprobe\ndescription It burns\nhost db-7\nlinks https://x.example");
    }

    #[test]
    fn things_read_back() {
        for thing in Thing::ALL {
            assert_eq!(Thing::from_word(thing.word()), Some(thing));
            assert_eq!(serde_json::to_value(thing).unwrap(), serde_json::json!(thing.word()));
        }
    }
}
