//! Which roles somebody has to have, as the organisation's catalogue says for a severity.
//!
//! Not here: who has them ([`super::roles`]), and whom the catalogue asks to take them (the engine offers).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::event::event_kinds;
use crate::expect::Standing;
use crate::incident::awaited::Awaited;
use crate::incident::search::{self, COMMANDER};
use crate::incident::{Decision, Incident, State, nothing, one};
use crate::names::Names;
use crate::time::Length;

event_kinds! {
    /// A fact; past tense.
    Event {
        Needed(Needs) = "roles_needed" [Key],
        ReliefDue(ReliefDue) = "relief_due",
    }
}

/// Body of `roles_needed`: what is different from now on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Needs {
    /// Somebody has to have these from now on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub added: Vec<Need>,
    /// Of these nobody asks any more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dropped: Vec<String>,
    /// Version of the organisation that says so.
    pub org_version: u64,
}

/// A role that somebody has to have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Need {
    pub role: String,
    /// How long it may be nobody's.
    pub within: Length,
}

/// Body of `relief_due`: somebody has had a role for as long as one person should, once more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReliefDue {
    pub role: String,
    pub person: String,
    /// Since when they have it.
    pub since: Timestamp,
}

/// A command; imperative.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// These are all that somebody has to have, as an organisation of this version says.
    Need { roles: Vec<Need>, org_version: u64 },
    /// Whoever has it has had it for as long as one person should.
    AskRelief { role: String },
}

impl Command {
    /// Whether people ask for it as it is; the rest follows from something else.
    pub(in crate::incident) const fn is_asked(&self) -> bool {
        match self {
            Self::Need { .. } | Self::AskRelief { .. } => false,
        }
    }
}

pub(in crate::incident) fn decide(incident: &Incident, command: Command) -> Decision {
    match command {
        Command::Need { roles, org_version } => need(incident, roles, org_version),
        Command::AskRelief { role } => match incident.work.roles.get(&role).map(|held| (held.person.clone(), held.since)) {
            Some((Some(person), Some(since))) if incident.state.is_open() => one(Event::ReliefDue(ReliefDue { role, person, since })),
            Some(_) | None => nothing(),
        },
    }
}

fn need(incident: &Incident, roles: Vec<Need>, org_version: u64) -> Decision {
    // A candidate is nobody's work yet.
    if !incident.state.is_open() || incident.state == State::Candidate {
        return nothing();
    }
    let known = &incident.work.needed;
    let dropped: Vec<String> = known.keys().filter(|role| !roles.iter().any(|need| need.role == **role)).cloned().collect();
    // What is looked for already keeps its time.
    let added: Vec<Need> = roles.into_iter().filter(|need| !known.contains_key(&need.role)).collect();
    if added.is_empty() && dropped.is_empty() {
        return nothing();
    }
    one(Event::Needed(Needs { added, dropped, org_version }))
}

pub(in crate::incident) fn evolve(incident: &mut Incident, event: &Event) {
    let Event::Needed(body) = event else { return };
    incident.work.needed.retain(|role, _| !body.dropped.contains(role));
    incident.work.needed.extend(body.added.iter().map(|need| (need.role.clone(), need.within)));
}

pub(in crate::incident) fn react(incident: &Incident, event: &Event, awaited: &mut Awaited) {
    let body = match event {
        Event::Needed(body) => body,
        Event::ReliefDue(body) => {
            let after = incident.work.roles.get(&body.role).and_then(|held| held.relief_after);
            return search::await_relief(&body.role, false, after, awaited);
        }
    };
    for role in &body.dropped {
        awaited.settle(&search::key(role), Standing::Void, "its severity does not ask for it any more");
        if role == COMMANDER && incident.commander.is_none() && matches!(incident.state, State::Investigating | State::Mitigated) {
            search::await_commander(incident, awaited);
        }
    }
    for need in body.added.iter().filter(|need| incident.work.holder(&need.role).is_none()) {
        if need.role == COMMANDER {
            search::commander_is_needed(incident, awaited);
        }
        search::look_for(&need.role, need.within, awaited);
    }
}

pub(in crate::incident) fn line(event: &Event, names: &Names<'_>) -> String {
    let body = match event {
        Event::Needed(body) => body,
        Event::ReliefDue(body) => {
            return format!("{} has been {} since {}: relief is due", names.person(&body.person), body.role, names.clock(body.since));
        }
    };
    let added: Vec<String> = body.added.iter().map(|need| format!("{} within {}", need.role, need.within)).collect();
    let needed = (!added.is_empty()).then(|| format!("Needed: {}", added.join(", ")));
    let dropped = (!body.dropped.is_empty()).then(|| format!("Not needed any more: {}", body.dropped.join(", ")));
    let said: Vec<String> = [needed, dropped].into_iter().flatten().collect();
    if said.is_empty() { "The same roles are needed as before".to_owned() } else { said.join(". ") }
}

#[cfg(test)]
mod tests {
    use super::super::sample::Sample;
    use super::*;
    use crate::incident::{attendance, roles};
    use crate::time::after;

    fn need(roles: &[&str]) -> Command {
        let roles = roles.iter().map(|role| Need { role: (*role).into(), within: Length::from_mins(7) }).collect();
        Command::Need { roles, org_version: 1 }
    }

    fn take(role: &str, person: &str) -> roles::Command {
        roles::Command::Take { role: role.into(), person: person.into(), why: None }
    }

    #[test]
    fn a_needed_role_is_looked_for_once_until_somebody_has_it() {
        let mut sample = Sample::declared();
        let asked = sample.run(need(&["scribe", "communications"])).unwrap();
        assert_eq!(asked.opened(), ["needed:scribe", "needed:communications"]);
        assert_eq!(asked.due_at("needed:scribe"), Some(after(sample.at, Length::from_mins(7))));
        assert_eq!(sample.run(need(&["communications", "scribe"])).unwrap().events, [], "said once");
        // An offer fills nothing, and its end starts no second search.
        let offer = roles::Command::Offer { role: "scribe".into(), to: "ben".into(), by: None, why: None };
        assert!(!sample.run(offer).unwrap().settled().contains(&"needed:scribe"));
        let leave = roles::Command::Leave { role: "scribe".into(), why: None };
        assert!(!sample.run(leave.clone()).unwrap().opened().contains(&"needed:scribe"));
        assert_eq!(sample.run(take("scribe", "ana")).unwrap().settled(), ["role:scribe", "needed:scribe"]);
        assert_eq!(sample.run(leave).unwrap().opened(), ["needed:scribe"], "it is nobody's again");
        let less = sample.run(need(&["scribe"])).unwrap();
        assert_eq!((less.opened(), less.settled()), (vec![], vec!["needed:communications"]));
    }

    #[test]
    fn relief_is_awaited_of_whoever_has_a_role_and_again_each_time() {
        let mut sample = Sample::declared();
        let taken = sample.run(take("medic", "ana")).unwrap();
        assert_eq!(taken.due_at("relief:medic"), Some(after(sample.at, Length::from_mins(60))));
        assert_eq!(sample.run(take("scribe", "ben")).unwrap().opened(), [""; 0], "nothing is said of how long");
        let due = sample.run(Command::AskRelief { role: "medic".into() }).unwrap();
        assert_eq!((due.kinds(), due.opened()), (vec!["relief_due"], vec!["relief:medic"]));
        let over = sample.run(take("medic", "cho")).unwrap();
        assert_eq!((over.settled(), over.opened()), (vec!["role:medic", "relief:medic"], vec!["relief:medic"]));
        let leave = roles::Command::Leave { role: "medic".into(), why: None };
        assert!(sample.run(leave).unwrap().settled().contains(&"relief:medic"));
        assert_eq!(sample.run(Command::AskRelief { role: "medic".into() }).unwrap().events, []);
    }

    #[test]
    fn command_that_is_needed_is_looked_for_once_however_it_is_lost() {
        let mut sample = Sample::declared().after(need(&[COMMANDER]));
        let acknowledge = |by: Option<&str>| attendance::Command::Acknowledge { by: by.map(Into::into), via: "web".into() };
        let by_nobody = sample.run(acknowledge(None)).unwrap();
        assert!(!by_nobody.opened().contains(&"role:commander"), "it is looked for already: {:?}", by_nobody.opened());
        assert!(sample.run(acknowledge(Some("ana"))).unwrap().settled().contains(&"needed:commander"));
        let left = sample.run(roles::Command::Leave { role: COMMANDER.into(), why: None }).unwrap();
        assert_eq!(left.opened().iter().filter(|key| key.ends_with(":commander")).collect::<Vec<_>>(), [&"needed:commander"]);
        // What the severity asks no more is looked for as before.
        assert_eq!(sample.run(need(&[])).unwrap().opened(), ["role:commander"]);
        let again = sample.run(need(&[COMMANDER])).unwrap();
        assert_eq!((again.settled(), again.opened()), (vec!["role:commander"], vec!["needed:commander"]));
        let missed = sample.run(roles::Command::MissRole { role: COMMANDER.into() }).unwrap();
        assert_eq!((missed.kinds(), missed.opened()), (vec!["role_unfilled"], vec![]), "of what is not grave it is told once");
    }
}
