//! Who acts, what a token may do, and what somebody may see and do.
//!
//! Invariant: [`can`] is [`Reach::admits`] where something is seen, and never more where something
//! is done. Lists ask the store with the same [`Reach`]; a property test holds the two equal.

use std::collections::BTreeSet;

use crate::org::model::{Access, Override};
use crate::org::snapshot::Org;

pub use crate::actor::{Actor, Principal, Scope};

/// What somebody is in the organisation, as it says now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// As their form says; a token that stands for nobody has what its scope is worth.
    pub access: Access,
    /// The teams that they manage.
    pub manages: BTreeSet<String>,
}

/// What can be done to something, for [`can`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Look at it.
    See,
    /// Look at the organisation itself: who is on call and who would be paged, services, routes and policies. Guests
    /// see what they were admitted to, and nothing of the house.
    SeeOrganisation,
    /// Declare, acknowledge, act on an incident.
    Respond,
    /// Change a schedule of a team, by an override.
    Schedule,
    /// Change the organisation, make tokens, read raw signals, invite.
    Administer,
}

/// What matters about an incident for who may see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts<'a> {
    /// Whether only some may see it.
    pub private: bool,
    /// Its service: the managers of the team that owns it may see it.
    pub service: Option<&'a str>,
    /// Who was admitted: by name, or because they were paged, acknowledged, or hold a role.
    pub admitted: &'a BTreeSet<String>,
}

/// What somebody may do it to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource<'a> {
    /// The whole installation: lists, settings, a new incident.
    Installation,
    /// What belongs to a team.
    Team(&'a str),
    /// An incident, and all that is told of it.
    Incident(Facts<'a>),
}

/// Which incidents somebody may see, as a value that a list can be asked with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reach {
    /// All of them.
    pub everything: bool,
    /// All that are not private.
    pub public: bool,
    /// Those of these services, private ones too: their teams have this manager.
    pub services: BTreeSet<String>,
    /// Those to which this person was admitted.
    pub person: Option<String>,
}

impl Reach {
    /// Sees all: the program itself, and administrators.
    #[must_use]
    pub fn all() -> Self {
        Self { everything: true, public: true, ..Self::default() }
    }

    /// Whether an incident of these facts is seen.
    #[must_use]
    pub fn admits(&self, facts: &Facts<'_>) -> bool {
        self.everything
            || (self.public && !facts.private)
            || facts.service.is_some_and(|service| self.services.contains(service))
            || self.person.as_ref().is_some_and(|person| facts.admitted.contains(person))
    }
}

/// What somebody is in the organisation.
#[must_use]
pub fn standing(org: &Org, who: &Principal) -> Standing {
    let Some(person) = who.person() else {
        let access = match (&who.actor, who.scope) {
            (Actor::Administrator | Actor::System | Actor::Clock, _) | (_, Scope::Admin) => Access::Administrator,
            (_, Scope::Respond) => Access::Responder,
            (_, Scope::Read) => Access::Observer,
        };
        return Standing { access, manages: BTreeSet::new() };
    };
    // Somebody the organisation does not have sees what a guest sees who was admitted nowhere.
    let access = org.person(person).map_or(Access::Guest, |form| form.access.unwrap_or_default());
    let teams = org.bundle().teams.iter().filter(|team| team.managers.iter().any(|id| id == person));
    Standing { access, manages: teams.map(|team| team.id.clone()).collect() }
}

/// The most that a person may do with any token or session: a token never gives more than its person has.
#[must_use]
pub fn scope_of_person(org: &Org, person: &str) -> Scope {
    let who = Principal { actor: Actor::Person(person.to_owned()), scope: Scope::Admin };
    let standing = standing(org, &who);
    match standing.access {
        Access::Administrator => Scope::Admin,
        Access::Responder => Scope::Respond,
        // Whoever manages a team acts for it, whatever else they are.
        Access::Observer | Access::Guest if !standing.manages.is_empty() => Scope::Respond,
        Access::Observer | Access::Guest => Scope::Read,
    }
}

/// Which incidents somebody may see.
#[must_use]
pub fn reach(org: &Org, who: &Principal) -> Reach {
    let standing = standing(org, who);
    if standing.access == Access::Administrator {
        return Reach::all();
    }
    let services = org.bundle().services.iter().filter(|service| service.team.as_ref().is_some_and(|team| standing.manages.contains(team)));
    Reach {
        everything: false,
        public: standing.access != Access::Guest,
        services: services.map(|service| service.id.clone()).collect(),
        person: who.person().map(ToOwned::to_owned),
    }
}

/// Whether somebody may do something: seeing is by reach; doing needs seeing, and a scope that is
/// wide enough in the token as well as in the person.
#[must_use]
pub fn can(org: &Org, who: &Principal, action: Action, resource: Resource<'_>) -> bool {
    let standing = standing(org, who);
    let scope = who.person().map_or(who.scope, |person| who.scope.min(scope_of_person(org, person)));
    let seen = match &resource {
        Resource::Installation | Resource::Team(_) => true,
        Resource::Incident(facts) => reach(org, who).admits(facts),
    };
    seen && match action {
        Action::See => scope.admits(Scope::Read),
        Action::SeeOrganisation => scope.admits(Scope::Read) && !(standing.access == Access::Guest && standing.manages.is_empty()),
        Action::Respond => scope.admits(Scope::Respond),
        Action::Schedule => {
            let manages = matches!(resource, Resource::Team(team) if standing.manages.contains(team));
            scope.admits(Scope::Admin) || (manages && scope.admits(Scope::Respond))
        }
        Action::Administer => scope.admits(Scope::Admin),
    }
}

/// Whether somebody may put this person on a schedule for a time: whoever may change the schedule,
/// anybody; everyone of its team, themself.
#[must_use]
pub fn may_take(org: &Org, who: &Principal, schedule: &str, person: &str) -> bool {
    let team = org.schedule_form(schedule).and_then(|form| form.team.as_deref());
    if can(org, who, Action::Schedule, team.map_or(Resource::Installation, Resource::Team)) {
        return true;
    }
    let of_the_team = team.and_then(|id| org.team(id)).is_some_and(|team| team.members.iter().chain(&team.managers).any(|id| id == person));
    of_the_team && who.person() == Some(person) && can(org, who, Action::Respond, Resource::Installation)
}

/// Whether somebody may end an override: whoever may change the schedule, made it, or is named in it.
#[must_use]
pub fn may_end(org: &Org, who: &Principal, change: &Override) -> bool {
    let team = org.schedule_form(&change.schedule).and_then(|form| form.team.as_deref());
    let theirs = change.made_by.as_ref() == Some(&who.actor) || who.person() == Some(change.person.as_str());
    can(org, who, Action::Schedule, team.map_or(Resource::Installation, Resource::Team))
        || (theirs && can(org, who, Action::Respond, Resource::Installation))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_takes_a_shift_over_and_who_ends_an_override() {
        let org: crate::org::model::Bundle = serde_json::from_value(serde_json::json!({
            "people": [{"id": "ana", "name": "Ana"}, {"id": "ben", "name": "Ben"}, {"id": "cho", "name": "Cho"}, {"id": "dan", "name": "Dan"},
                       {"id": "eve", "name": "Eve", "access": "observer"}],
            "teams": [{"id": "payments", "name": "Payments", "members": ["ana", "ben", "eve"], "managers": ["cho"]}],
            "schedules": [{"id": "s", "team": "payments", "time_zone": "UTC", "layers": [{"people": ["dan"], "every": "1w", "handoff": "Mon 09:00", "starts": "2026-01-05"}]},
                          {"id": "nobodys", "time_zone": "UTC", "layers": [{"people": ["dan"], "every": "1w", "handoff": "Mon 09:00", "starts": "2026-01-05"}]}],
        }))
        .unwrap();
        let org = Org::build(1, org, crate::channel::WaysOut::NONE);
        let who = |id: &str, scope| Principal { actor: Actor::Person(id.into()), scope };
        let takes = |id: &str, schedule: &str, person: &str| may_take(&org, &who(id, Scope::Respond), schedule, person);
        assert!(takes("ana", "s", "ana") && takes("cho", "s", "dan") && takes("cho", "s", "cho"));
        for (id, schedule, person) in [
            ("ana", "s", "ben"),
            ("dan", "s", "dan"),
            ("eve", "s", "eve"),
            ("ana", "nobodys", "ana"),
            ("cho", "nobodys", "cho"),
            ("ana", "gone", "ana"),
        ] {
            assert!(!takes(id, schedule, person), "{id} puts {person} on {schedule}");
        }
        assert!(!may_take(&org, &who("ana", Scope::Read), "s", "ana"), "a token that only reads changes nothing");

        let change = Override {
            id: "o".into(),
            schedule: "s".into(),
            person: "dan".into(),
            starts_at: jiff::Timestamp::UNIX_EPOCH,
            ends_at: jiff::Timestamp::MAX,
            made: 3,
            made_by: Some(Actor::Person("ana".into())),
        };
        let ends = |id: &str, scope| may_end(&org, &who(id, scope), &change);
        assert!(ends("ana", Scope::Respond), "she made it");
        assert!(ends("dan", Scope::Respond), "he is named in it");
        assert!(ends("cho", Scope::Respond), "she manages the team");
        assert!(!ends("ben", Scope::Respond) && !ends("ana", Scope::Read));
        assert!(may_end(&org, &Principal { actor: Actor::Administrator, scope: Scope::Admin }, &change));
    }

    #[test]
    fn a_wider_scope_holds_the_narrower_and_not_the_reverse() {
        assert!(Scope::Admin.admits(Scope::Respond) && Scope::Respond.admits(Scope::Read));
        assert!(!Scope::Read.admits(Scope::Respond) && !Scope::Respond.admits(Scope::Admin));
    }

    #[test]
    fn an_actor_reads_back() {
        for actor in [
            Actor::Person("ana".into()),
            Actor::Token(crate::ids::TokenId::from_bits(5)),
            Actor::Integration("prom".into()),
            Actor::Clock,
            Actor::System,
            Actor::Administrator,
        ] {
            assert_eq!(actor.to_string().parse::<Actor>().unwrap(), actor);
        }
    }
}
