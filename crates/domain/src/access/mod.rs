//! Who acts, what a token may do, and what somebody may see and do.
//!
//! Invariant: [`may`] is [`Reach::admits`] where something is seen, and never more where something
//! is done. Lists ask the store with the same [`Reach`]; a property test holds the two equal.

mod marking;

use std::collections::BTreeSet;

use crate::ids::{IncidentId, PageId};
use crate::org::model::{Access, Override, Silence};
use crate::org::snapshot::Org;

pub use crate::actor::{Actor, Guest, Held, Principal, Scope};
pub use marking::{Marked, may_be_told, may_read};

/// What somebody is in the organisation, as it says now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// As their form says; a token that stands for nobody has what its scope is worth.
    pub access: Access,
    /// The teams that they manage.
    pub manages: BTreeSet<String>,
}

/// What somebody wants of something, for [`may`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    /// Look at it.
    See,
    /// Look at the organisation itself: who is on call and who would be paged, services, routes and policies. Guests
    /// see what they were admitted to, and nothing of the house.
    SeeOrganisation,
    /// Declare, act on an incident, answer a page.
    Respond,
    /// Change a schedule of a team, by an override.
    Schedule,
    /// Change the organisation, make tokens, read raw signals, invite.
    Administer,
}

/// Why somebody may not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// For whoever asks it is not there: no door says more.
    #[error("it is not there, or not for you")]
    Unseen,
    #[error("you have the scope `{}`; this needs `{}`", has.word(), needs.word())]
    Scope { has: Scope, needs: Scope },
    #[error("guests see the incidents to which they were admitted, and nothing of the organisation")]
    Guest,
    #[error(
        "the link of a message answers the page that it was sent for; who has the incident by it may write a note, get help, resolve it and give it back"
    )]
    Link,
    #[error("an administrator or a manager of its team puts somebody on a schedule; whoever is in that team may take it over themself")]
    Schedule,
    #[error("a fire drill rings people: a manager of a team whose policy it is starts one, or an administrator")]
    Drill,
    #[error("an override is ended by whoever made it or is named in it, by a manager of the schedule's team or by an administrator")]
    Override,
    #[error("this token stands for no person, so it could not see a private incident: use a person's token")]
    WouldNotSeeIt,
    #[error("the program does this by itself, and nobody asks for it")]
    Ours,
    #[error("this is asked for oneself, and not in the name of another: leave the person out, or let them ask")]
    AnothersName,
    #[error("a sender holds back no alerts but its own: change this silence in the organisation")]
    Silence,
    #[error("how somebody is reached is changed by themself, on their page Me, and by administrators")]
    NotTheirs,
    #[error(
        "a bundle has the whole log, and parts of this one are for those who lead the incident: ask for `json`, which has what you may read"
    )]
    NotWhole,
}

impl Denied {
    /// The stable code of the API.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotWhole => "not_whole",
            Self::Unseen
            | Self::Scope { .. }
            | Self::Guest
            | Self::Link
            | Self::Schedule
            | Self::Drill
            | Self::Override
            | Self::WouldNotSeeIt
            | Self::Ours
            | Self::AnothersName
            | Self::Silence
            | Self::NotTheirs => "forbidden",
        }
    }
}

/// What matters about an incident for who may see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts<'a> {
    /// Which: the holder of a link sees the one it is about.
    pub id: IncidentId,
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
    /// An incident that whoever asks has, for what goes on with it there where its page was answered.
    Theirs(Facts<'a>),
    /// An incident as an organisation that takes part sees it, and nothing else of it: what it may be told, and what it was asked.
    Party(Facts<'a>, &'a str),
    /// A page of an incident: seen as its incident is, and answered by whoever holds its link.
    Page(PageId, Facts<'a>),
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
    /// The one that a link is about.
    pub incident: Option<IncidentId>,
}

impl Reach {
    /// Sees all: the program itself, and administrators.
    #[must_use]
    pub fn all() -> Self {
        Self { everything: true, public: true, ..Self::default() }
    }

    /// Whether what belongs to no incident is seen, as an alert that was only recorded.
    #[must_use]
    pub const fn admits_none(&self) -> bool {
        self.everything || self.public
    }

    /// Whether an incident of these facts is seen.
    #[must_use]
    pub fn admits(&self, facts: &Facts<'_>) -> bool {
        self.everything
            || (self.public && !facts.private)
            || facts.service.is_some_and(|service| self.services.contains(service))
            || self.person.as_ref().is_some_and(|person| facts.admitted.contains(person))
            || self.incident == Some(facts.id)
    }
}

/// What somebody is in the organisation.
#[must_use]
pub fn standing(org: &Org, who: &Principal) -> Standing {
    let Some(person) = who.person() else {
        let access = match (&who.actor, who.scope) {
            // A sender's key is for its alarms: it sees nothing of the house, whatever it is used with.
            (Actor::Integration(_) | Actor::Organisation(_), _) => Access::Guest,
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
    let who = Principal::new(Actor::Person(person.to_owned()), Scope::Admin);
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
    // An organisation sees no incident as the house does.
    if who.guest.is_some() {
        return Reach::default();
    }
    if let Some(link) = who.link {
        return Reach { incident: Some(link.incident), ..Reach::default() };
    }
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
        incident: None,
    }
}

/// The one rule of who may: seeing is by reach; doing needs seeing, and a scope that is wide enough in the token as
/// well as in the person. Every door comes to it, on the way in (a command, where it is decided) and in every reading.
///
/// # Errors
/// Why not. What somebody may not see is [`Denied::Unseen`] to them, whatever else they lack.
pub fn may(org: &Org, who: &Principal, right: Right, resource: Resource<'_>) -> Result<(), Denied> {
    if let Some(guest) = &who.guest {
        // Its own part of one incident, and nothing else there is.
        return match (right, resource) {
            (Right::See | Right::Respond, Resource::Party(facts, organisation))
                if facts.id == guest.incident && organisation == guest.organisation =>
            {
                Ok(())
            }
            _ => Err(Denied::Unseen),
        };
    }
    if let Resource::Incident(facts) | Resource::Theirs(facts) | Resource::Page(_, facts) | Resource::Party(facts, _) = &resource
        && !reach(org, who).admits(facts)
    {
        return Err(Denied::Unseen);
    }
    if let Some(link) = who.link {
        return match (right, resource) {
            (Right::See, Resource::Incident(_) | Resource::Theirs(_) | Resource::Page(..)) | (Right::Respond, Resource::Theirs(_)) => {
                Ok(())
            }
            (Right::Respond, Resource::Page(page, _)) if page == link.page => Ok(()),
            _ => Err(Denied::Link),
        };
    }
    let has = who.person().map_or(who.scope, |person| who.scope.min(scope_of_person(org, person)));
    let needs = |scope: Scope| if has.admits(scope) { Ok(()) } else { Err(Denied::Scope { has, needs: scope }) };
    match right {
        Right::See => needs(Scope::Read),
        Right::SeeOrganisation => {
            let standing = standing(org, who);
            if standing.access == Access::Guest && standing.manages.is_empty() { Err(Denied::Guest) } else { needs(Scope::Read) }
        }
        Right::Respond => needs(Scope::Respond),
        Right::Schedule => {
            needs(Scope::Respond)?;
            let manages = matches!(resource, Resource::Team(team) if standing(org, who).manages.contains(team));
            if manages { Ok(()) } else { needs(Scope::Admin).map_err(|_| Denied::Schedule) }
        }
        Right::Administer => needs(Scope::Admin),
    }
}

/// Whether somebody may put replacements on a schedule: administrators, and managers of its team.
///
/// # Errors
/// Why not.
pub fn may_schedule(org: &Org, who: &Principal, schedule: &str) -> Result<(), Denied> {
    let team = org.schedule_form(schedule).and_then(|form| form.team.as_deref());
    may(org, who, Right::Schedule, team.map_or(Resource::Installation, Resource::Team))
}

/// Whether somebody may start a fire drill of a policy: administrators, and managers of a team whose policy it is.
///
/// # Errors
/// Why not.
pub fn may_drill(org: &Org, who: &Principal, escalation: &str) -> Result<(), Denied> {
    may(org, who, Right::SeeOrganisation, Resource::Installation)?;
    let teams = org.teams_of_escalation(escalation);
    let of_a_team = teams.iter().any(|team| may(org, who, Right::Schedule, Resource::Team(team)).is_ok());
    if of_a_team {
        return Ok(());
    }
    may(org, who, Right::Administer, Resource::Installation).map_err(|_| Denied::Drill)
}

/// Whether somebody may take a role of an incident from whoever holds it, unasked: administrators, and managers of the
/// team of its service.
///
/// # Errors
/// Why not.
pub fn may_overrule(org: &Org, who: &Principal, handed: Option<&str>, service: Option<&str>) -> Result<(), Denied> {
    let of_service = || service.and_then(|id| org.service(id)).and_then(|service| service.team.as_deref());
    let team = handed.or_else(of_service);
    may(org, who, Right::Schedule, team.map_or(Resource::Installation, Resource::Team))
}

/// Whether somebody may put this person on a schedule for a time: whoever may change the schedule,
/// anybody; everyone of its team, themself.
///
/// # Errors
/// Why not.
pub fn may_take(org: &Org, who: &Principal, schedule: &str, person: &str) -> Result<(), Denied> {
    let no = match may_schedule(org, who, schedule) {
        Ok(()) => return Ok(()),
        Err(no) => no,
    };
    let team = org.schedule_form(schedule).and_then(|form| form.team.as_deref());
    let of_the_team = team.and_then(|id| org.team(id)).is_some_and(|team| team.members.iter().chain(&team.managers).any(|id| id == person));
    if of_the_team && who.person() == Some(person) { may(org, who, Right::Respond, Resource::Installation) } else { Err(no) }
}

/// Whether somebody may end an override: whoever may change the schedule, made it, or is named in it.
///
/// # Errors
/// Why not.
pub fn may_end(org: &Org, who: &Principal, change: &Override) -> Result<(), Denied> {
    let no = match may_schedule(org, who, &change.schedule) {
        Ok(()) => return Ok(()),
        Err(no) => no,
    };
    let named = change.whom().is_some_and(|person| who.person() == Some(person.as_str()));
    let theirs = change.made_by.as_ref() == Some(&who.actor) || named;
    match no {
        _ if theirs => may(org, who, Right::Respond, Resource::Installation),
        Denied::Schedule => Err(Denied::Override),
        Denied::Unseen
        | Denied::Scope { .. }
        | Denied::Guest
        | Denied::Link
        | Denied::Drill
        | Denied::Override
        | Denied::WouldNotSeeIt
        | Denied::Ours
        | Denied::AnothersName
        | Denied::Silence
        | Denied::NotTheirs
        | Denied::NotWhole => Err(no),
    }
}

/// Whether somebody may make an incident private: it is seen then by those it concerns, so that a token that stands for
/// nobody would shut itself out.
///
/// # Errors
/// Why not.
pub fn may_hide(who: &Principal) -> Result<(), Denied> {
    if who.person().is_some() || who.scope.admits(Scope::Admin) { Ok(()) } else { Err(Denied::WouldNotSeeIt) }
}

/// Whether somebody may change how a person is reached, and prove it: everybody for themself, also who only looks on or is a
/// guest, as far as the token that they use lets them act at all; administrators for anybody. Whoever holds the link of a
/// message may not: it is passed on.
///
/// # Errors
/// Why not.
pub fn may_look_after(org: &Org, who: &Principal, person: &str) -> Result<(), Denied> {
    if who.link.is_some() || who.guest.is_some() || who.person() != Some(person) {
        let is_person = who.person().is_some();
        let said = |no| if is_person && matches!(no, Denied::Scope { .. }) { Denied::NotTheirs } else { no };
        return may(org, who, Right::Administer, Resource::Installation).map_err(said);
    }
    // A token that only reads changes nothing, but where its person may do no more than read.
    let needs = Scope::Respond.min(scope_of_person(org, person));
    if who.scope.admits(needs) { Ok(()) } else { Err(Denied::Scope { has: who.scope, needs }) }
}

/// Whether somebody may see how a person is reached: themself, and administrators.
///
/// # Errors
/// Why not.
pub fn may_see_contacts(org: &Org, who: &Principal, person: &str) -> Result<(), Denied> {
    let is_theirs = who.link.is_none() && who.guest.is_none() && who.person() == Some(person);
    if is_theirs { may(org, who, Right::See, Resource::Installation) } else { may_look_after(org, who, person) }
}

/// Whether somebody may put or change a silence: administrators any, a sender by its key those of its own alerts.
///
/// # Errors
/// Why not.
pub fn may_silence(org: &Org, who: &Principal, silence: &Silence) -> Result<(), Denied> {
    match &who.actor {
        Actor::Integration(id) if silence.integration.as_ref() == Some(id) => Ok(()),
        Actor::Integration(_) => Err(Denied::Silence),
        Actor::Person(_) | Actor::Token(_) | Actor::Organisation(_) | Actor::Clock | Actor::System | Actor::Administrator => {
            may(org, who, Right::Administer, Resource::Installation)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_looks_after_how_they_are_reached_and_nobody_after_anothers() {
        let org: crate::org::model::Bundle = serde_json::from_value(serde_json::json!({"people": [
            {"id": "ana", "name": "Ana"}, {"id": "eve", "name": "Eve", "access": "observer"}, {"id": "adm", "name": "Adm", "access": "administrator"}]}))
        .unwrap();
        let org = Org::build(1, org, crate::channel::WaysOut::NONE);
        let may = |id: &str, scope, person: &str| may_look_after(&org, &Principal::new(Actor::Person(id.into()), scope), person);
        for (id, scope, person) in [("ana", Scope::Respond, "ana"), ("eve", Scope::Read, "eve"), ("adm", Scope::Admin, "ana")] {
            assert_eq!(may(id, scope, person), Ok(()), "{id} {person}");
        }
        assert_eq!(may("ana", Scope::Respond, "eve"), Err(Denied::NotTheirs));
        assert_eq!(may("ana", Scope::Read, "ana"), Err(Denied::Scope { has: Scope::Read, needs: Scope::Respond }));
        let link = Held { page: PageId::from_bits(1), incident: IncidentId::from_bits(1) };
        let by_link = Principal { link: Some(link), ..Principal::new(Actor::Person("ana".into()), Scope::Respond) };
        assert!(may_look_after(&org, &by_link, "ana").is_err(), "a link is passed on");
        let token = Principal::new(Actor::Token(crate::ids::TokenId::from_bits(1)), Scope::Respond);
        assert!(may_look_after(&org, &token, "ana").is_err());
    }

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
        let who = |id: &str, scope| Principal::new(Actor::Person(id.into()), scope);
        let takes = |id: &str, schedule: &str, person: &str| may_take(&org, &who(id, Scope::Respond), schedule, person).is_ok();
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
        assert!(may_take(&org, &who("ana", Scope::Read), "s", "ana").is_err(), "a token that only reads changes nothing");

        let change = Override {
            id: "o".into(),
            schedule: "s".into(),
            effect: crate::org::model::Effect::Replaces,
            person: "dan".into(),
            starts_at: jiff::Timestamp::UNIX_EPOCH,
            ends_at: jiff::Timestamp::MAX,
            made: 3,
            made_by: Some(Actor::Person("ana".into())),
        };
        let ends = |id: &str, scope| may_end(&org, &who(id, scope), &change).is_ok();
        assert!(ends("ana", Scope::Respond), "she made it");
        assert!(ends("dan", Scope::Respond), "he is named in it");
        assert!(ends("cho", Scope::Respond), "she manages the team");
        assert!(!ends("ben", Scope::Respond) && !ends("ana", Scope::Read));
        assert!(may_end(&org, &Principal::own(Actor::Administrator), &change).is_ok());
    }

    #[test]
    fn a_link_admits_to_its_page_and_its_incident_and_to_nothing_else() {
        let org: crate::org::model::Bundle = serde_json::from_value(serde_json::json!({
            "people": [{"id": "ana", "name": "Ana", "access": "administrator"}, {"id": "gus", "name": "Gus", "access": "guest"}],
        }))
        .unwrap();
        let org = Org::build(1, org, crate::channel::WaysOut::NONE);
        let (page, incident) = (PageId::from_bits(1), IncidentId::from_bits(2));
        let (nobody, other) = (BTreeSet::new(), IncidentId::from_bits(3));
        let facts = |id| Facts { id, private: true, service: None, admitted: &nobody };
        // Whatever the person may otherwise, as a link may be passed on.
        for person in ["ana", "gus", "gone"] {
            let who = Principal::of_link(person, Held { page, incident });
            let may = |right, resource| may(&org, &who, right, resource);
            assert_eq!(may(Right::See, Resource::Incident(facts(incident))), Ok(()), "{person}");
            assert_eq!(may(Right::See, Resource::Page(PageId::from_bits(9), facts(incident))), Ok(()), "{person}");
            assert_eq!(may(Right::Respond, Resource::Page(page, facts(incident))), Ok(()), "{person}");
            assert_eq!(may(Right::Respond, Resource::Page(PageId::from_bits(9), facts(incident))), Err(Denied::Link), "{person}");
            assert_eq!(may(Right::Respond, Resource::Incident(facts(incident))), Err(Denied::Link), "{person}");
            assert_eq!(may(Right::Respond, Resource::Theirs(facts(incident))), Ok(()), "{person} has it");
            assert_eq!(may(Right::Respond, Resource::Theirs(facts(other))), Err(Denied::Unseen), "{person}");
            assert_eq!(may(Right::See, Resource::Incident(facts(other))), Err(Denied::Unseen), "{person}");
            assert_eq!(may(Right::Respond, Resource::Page(page, facts(other))), Err(Denied::Unseen), "{person}");
            for right in [Right::See, Right::SeeOrganisation, Right::Respond, Right::Schedule, Right::Administer] {
                assert_eq!(may(right, Resource::Installation), Err(Denied::Link), "{person} {right:?}");
            }
        }
    }

    #[test]
    fn who_may_what_and_what_is_hidden_is_hidden_first() {
        let org: crate::org::model::Bundle = serde_json::from_value(serde_json::json!({
            "people": [{"id": "adm", "name": "A", "access": "administrator"}, {"id": "res", "name": "R"},
                       {"id": "obs", "name": "O", "access": "observer"}, {"id": "gus", "name": "G", "access": "guest"},
                       {"id": "man", "name": "M", "access": "observer"}],
            "teams": [{"id": "t", "name": "T", "managers": ["man"]}],
            "services": [{"id": "s", "name": "S", "team": "t"}],
        }))
        .unwrap();
        let org = Org::build(1, org, crate::channel::WaysOut::NONE);
        let admitted: BTreeSet<String> = ["gus".to_owned()].into();
        let facts = |private, service| Facts { id: IncidentId::from_bits(2), private, service, admitted: &admitted };
        let scope = |has, needs| Err(Denied::Scope { has, needs });
        for (who, token, see_private, respond, house, administer) in [
            ("adm", Scope::Admin, Ok(()), Ok(()), Ok(()), Ok(())),
            ("adm", Scope::Read, Ok(()), scope(Scope::Read, Scope::Respond), Ok(()), scope(Scope::Read, Scope::Admin)),
            ("res", Scope::Admin, Err(Denied::Unseen), Ok(()), Ok(()), scope(Scope::Respond, Scope::Admin)),
            ("obs", Scope::Admin, Err(Denied::Unseen), scope(Scope::Read, Scope::Respond), Ok(()), scope(Scope::Read, Scope::Admin)),
            ("gus", Scope::Admin, Ok(()), scope(Scope::Read, Scope::Respond), Err(Denied::Guest), scope(Scope::Read, Scope::Admin)),
            ("man", Scope::Admin, Err(Denied::Unseen), Ok(()), Ok(()), scope(Scope::Respond, Scope::Admin)),
        ] {
            let name = format!("{who} with {token:?}");
            let who = Principal::new(Actor::Person(who.into()), token);
            assert_eq!(may(&org, &who, Right::See, Resource::Incident(facts(true, None))), see_private, "{name}");
            assert_eq!(may(&org, &who, Right::Respond, Resource::Incident(facts(false, None))), respond, "{name}");
            assert_eq!(may(&org, &who, Right::SeeOrganisation, Resource::Installation), house, "{name}");
            assert_eq!(may(&org, &who, Right::Administer, Resource::Installation), administer, "{name}");
        }
        let manager = Principal::new(Actor::Person("man".into()), Scope::Respond);
        assert_eq!(may(&org, &manager, Right::Respond, Resource::Incident(facts(true, Some("s")))), Ok(()), "its team's manager");
        for actor in [Actor::System, Actor::Clock, Actor::Administrator] {
            assert_eq!(may(&org, &Principal::own(actor), Right::Respond, Resource::Incident(facts(true, None))), Ok(()));
        }
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
