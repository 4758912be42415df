//! The roll call of an incident: who was asked or paged, by whom and why, who took it, who is at work on it, and who has left.
//! It is read from the incident's log and its pages, and kept nowhere.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{EventView, IncidentView, PageView};
use crate::incident::roles::COMMANDER;
use crate::org::snapshot::{AUDIENCE, ORGANISATION};
use crate::paging::Status;

/// The kinds of events of an incident that a roll call is read from.
pub const ROLL_KINDS: [&str; 7] = ["escalated", "acknowledged", "role_offered", "role_taken", "role_left", "task_done", "decision_made"];

/// Somebody on the roll. Instants are null where it did not happen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Roll))]
pub struct RollView {
    /// A person's id.
    pub person: String,
    /// Whether a page called them; otherwise they were told, offered a role, or came by themself.
    pub paged: bool,
    /// When they were first called, told or offered a role.
    pub asked_at: Option<Timestamp>,
    /// Who asked them first: a person's id; null where a policy did.
    pub asked_by: Option<String>,
    /// Why, in words.
    pub because: Option<String>,
    pub acknowledged_at: Option<Timestamp>,
    /// When they first took the incident, a role, a decision or a task to its end.
    pub joined_at: Option<Timestamp>,
    /// When they had their last role no more; null while they have one, and where they never had any.
    pub left_at: Option<Timestamp>,
    /// Roles that they have now.
    pub roles: Vec<String>,
}

impl RollView {
    /// Where they stand, in a word or two.
    #[must_use]
    pub const fn stands(&self) -> &'static str {
        match self {
            Self { left_at: Some(_), .. } => "left",
            Self { joined_at: Some(_), .. } => "joined",
            Self { acknowledged_at: Some(_), .. } => "acknowledged",
            Self { paged: true, .. } => "paged",
            Self { .. } => "asked",
        }
    }
}

/// Gathers it.
#[derive(Default)]
struct Roll {
    people: BTreeMap<String, RollView>,
    /// Who has which role, as far as was read.
    holders: BTreeMap<String, String>,
    /// Who asked for a page.
    askers: BTreeMap<String, String>,
}

/// The roll of an incident, whoever came first at its head; `events` are those of [`ROLL_KINDS`], oldest first.
#[must_use]
pub fn roll_call(incident: &IncidentView, pages: &[PageView], events: &[EventView]) -> Vec<RollView> {
    let mut roll = Roll::default();
    for event in events.iter().filter(|event| event.stream == incident.id) {
        roll.hear(event);
    }
    for page in pages {
        let asker = roll.askers.get(&page.id).cloned();
        for message in
            page.messages.iter().filter(|message| !message.person.starts_with(AUDIENCE) && !message.person.starts_with(ORGANISATION))
        {
            roll.asked(&message.person, message.created_at, asker.clone(), &page.because);
            roll.of(&message.person).paged |= page.status != Status::Told;
        }
    }
    for role in &incident.roles {
        if let Some(person) = &role.person {
            roll.of(person).roles.push(role.role.clone());
        }
    }
    let mut out: Vec<RollView> = roll.people.into_values().collect();
    out.sort_by_key(|one| [one.asked_at, one.joined_at].into_iter().flatten().min());
    out
}

impl Roll {
    fn of(&mut self, person: &str) -> &mut RollView {
        self.people.entry(person.to_owned()).or_insert_with(|| RollView {
            person: person.to_owned(),
            paged: false,
            asked_at: None,
            asked_by: None,
            because: None,
            acknowledged_at: None,
            joined_at: None,
            left_at: None,
            roles: Vec::new(),
        })
    }

    /// They were asked; what they were asked first counts.
    fn asked(&mut self, person: &str, at: Timestamp, by: Option<String>, because: &str) {
        let one = self.of(person);
        if one.asked_at.is_none_or(|known| at < known) {
            (one.asked_at, one.asked_by, one.because) = (Some(at), by, Some(because.to_owned()));
        }
    }

    fn joined(&mut self, person: &str, at: Timestamp) {
        let one = self.of(person);
        one.joined_at.get_or_insert(at);
        one.left_at = None;
    }

    fn takes(&mut self, role: &str, person: &str, at: Timestamp) {
        self.joined(person, at);
        if let Some(before) = self.holders.insert(role.to_owned(), person.to_owned()).filter(|before| before != person) {
            self.left(&before, at);
        }
    }

    /// They lost a role: they have left where it was their last.
    fn left(&mut self, person: &str, at: Timestamp) {
        let held: BTreeSet<&String> = self.holders.values().collect();
        if !held.contains(&person.to_owned()) {
            self.of(person).left_at = Some(at);
        }
    }

    fn hear(&mut self, event: &EventView) {
        let said = |key: &str| event.body.as_ref()?.get(key)?.as_str().map(ToOwned::to_owned);
        let actor = event.actor.strip_prefix("person:").map(ToOwned::to_owned);
        match event.kind.as_str() {
            "escalated" => {
                if let (Some(page), Some(by)) = (said("page"), actor) {
                    self.askers.insert(page, by);
                }
            }
            "acknowledged" => {
                let Some(by) = said("by") else { return };
                self.of(&by).acknowledged_at.get_or_insert(event.at);
                self.joined(&by, event.at);
                // Whoever acknowledges first leads until somebody takes command.
                if !self.holders.contains_key(COMMANDER) {
                    self.takes(COMMANDER, &by, event.at);
                }
            }
            "role_offered" => {
                if let (Some(to), Some(role)) = (said("to"), said("role")) {
                    self.asked(&to, event.at, said("by"), &format!("to be {role}"));
                }
            }
            "role_taken" => {
                if let (Some(person), Some(role)) = (said("person"), said("role")) {
                    self.takes(&role, &person, event.at);
                }
            }
            "role_left" => {
                if let (Some(person), Some(role)) = (said("person"), said("role"))
                    && self.holders.get(&role) == Some(&person)
                {
                    self.holders.remove(&role);
                    self.left(&person, event.at);
                }
            }
            "task_done" | "decision_made" => {
                if let Some(actor) = actor {
                    self.joined(&actor, event.at);
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn event(minute: u32, kind: &str, actor: &str, body: Value) -> EventView {
        let at = format!("2026-03-01T00:{minute:02}:00Z");
        serde_json::from_value(json!({
            "seq": minute, "stream": "inc_1", "version": minute, "incident": "inc_1", "kind": kind, "at": at, "recorded_at": at,
            "actor": actor, "cause": "api", "body": body, "line": ""
        }))
        .unwrap()
    }

    #[test]
    fn everybody_stands_on_the_roll_once_with_what_became_of_them() {
        let incident: IncidentView = serde_json::from_value(json!({
            "id": "inc_1", "ref": "INC-1", "title": "t", "state": "investigating", "severity": "sev2", "because": "", "recovered": false,
            "commander": "ben", "created_at": "2026-03-01T00:00:00Z", "updated_at": "2026-03-01T00:00:00Z", "version": 1,
            "roles": [{"role": "commander", "person": "ben", "since": "2026-03-01T00:05:00Z"}]
        }))
        .unwrap();
        let events = [
            event(1, "acknowledged", "person:ana", json!({"by": "ana", "via": "link", "first": true})),
            event(2, "role_offered", "person:ana", json!({"role": "commander", "to": "ben", "by": "ana"})),
            event(3, "role_offered", "person:ana", json!({"role": "scribe", "to": "cho", "by": "ana"})),
            event(4, "role_left", "person:cho", json!({"role": "scribe", "person": "cho", "offered": true})),
            event(5, "role_taken", "person:ben", json!({"role": "commander", "person": "ben", "from": "ana"})),
            event(6, "task_done", "person:dee", json!({"task": 1})),
        ];
        let roll = roll_call(&incident, &[], &events);
        let stand: Vec<_> = roll.iter().map(|one| (one.person.as_str(), one.stands())).collect();
        assert_eq!(stand, [("ana", "left"), ("ben", "joined"), ("cho", "asked"), ("dee", "joined")]);
        let ben = &roll[1];
        assert_eq!(
            (ben.asked_by.as_deref(), ben.because.as_deref(), &ben.roles[..]),
            (Some("ana"), Some("to be commander"), &["commander".to_owned()][..])
        );
        // Who does something again is back.
        let again = [&events[..], &[event(7, "decision_made", "person:ana", json!({"text": "t"}))]].concat();
        assert_eq!(roll_call(&incident, &[], &again)[0].stands(), "joined");
    }
}
