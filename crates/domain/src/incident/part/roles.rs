//! Who holds which role of an incident, and who was asked to take one.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::access::{Scope, scope_of_person};
use crate::ask::{self, Ask, Asked, By, Came, Field, Given, Kind, May, Program, REASON, command};
use crate::event::event_kinds;
use crate::expect::{ROLE_WITHIN, Rule, Standing};
use crate::incident::awaited::{Awaited, KEY_STILL_ON_IT};
use crate::incident::lifecycle::{Verb, fits};
use crate::incident::{Context, Decision, Incident, nothing, one, search};
use crate::names::{Names, with_text};
use crate::org::model::NotifyUrgency;
use crate::org::snapshot::Org;
use crate::plants::planted;
use crate::time::Length;

pub use crate::incident::search::COMMANDER;
pub use crate::org::snapshot::ROLES;

/// The usual role whose holder stands in for the commander, where the organisation names no other.
pub const DEPUTY: &str = "deputy";
/// Why somebody is asked whom the catalogue names.
pub const NEEDED: &str = "it is needed here";

event_kinds! {
    /// A fact; past tense.
    Event {
        Offered(Offered) = "role_offered" admits(to),
        Asked(AskedFor) = "role_asked",
        AskMissed(AskedFor) = "role_ask_missed",
        Taken(Taken) = "role_taken" [Key] admits(person),
        Left(Left) = "role_left" [Key],
        Unanswered(Offered) = "role_unanswered",
        Unfilled(Unfilled) = "role_unfilled" [Key],
    }
}

/// Body of `role_offered` and `role_unanswered`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Offered {
    pub role: String,
    /// A person's id.
    pub to: String,
    /// Who offered it: a person's id. Its holder hands it over by that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Why they are asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

impl Offered {
    /// Whether nobody asks them, but the organisation's catalogue.
    fn is_by_catalogue(&self) -> bool {
        self.by.is_none() && self.why.as_deref() == Some(NEEDED)
    }
}

/// Body of `role_asked` and `role_ask_missed`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AskedFor {
    pub role: String,
    /// Who would take it: a person's id.
    pub by: String,
    /// Who holds it, and is asked to hand it over.
    pub of: String,
}

/// Body of `role_taken`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Taken {
    pub role: String,
    pub person: String,
    /// Who had it until now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Of command: how long it lasts while nobody does anything about the incident.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lasts: Option<Length>,
    /// Why: needed where whoever had it did not agree, or whoever has it now was not asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// After how long they are reminded of relief, each time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relief_after: Option<Length>,
}

/// Body of `role_left`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Left {
    pub role: String,
    pub person: String,
    /// Why somebody else ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Whether they were only asked, and had not taken it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub offered: bool,
}

/// Body of `role_unfilled`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Unfilled {
    pub role: String,
}

/// A command; imperative.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Asks somebody to take a role; its holder keeps it until they do.
    Offer { role: String, to: String, by: Option<String>, why: Option<String> },
    /// `by` asks whoever holds a role to hand it over; they keep it until they do.
    Ask { role: String, by: String },
    /// `person` takes a role, offered or not. `why` where whoever holds it has not agreed, or `person` was not asked
    /// ([`as_given`]).
    Take { role: String, person: String, why: Option<String> },
    /// Its holder gives it up, or its offer is taken back. `why` where somebody else does so.
    Leave { role: String, why: Option<String> },
    /// Nobody answered the offer in time.
    MissAnswer { role: String, to: String },
    /// Whoever holds it did not answer who asked for it.
    MissAsk { role: String, by: String },
    /// Nobody took it in time.
    MissRole { role: String },
}

impl Command {
    /// Whether people ask for it as it is; the rest follows from something else.
    pub(in crate::incident) const fn is_asked(&self) -> bool {
        match self {
            Self::Offer { .. } | Self::Ask { .. } | Self::Take { .. } | Self::Leave { .. } => true,
            Self::MissAnswer { .. } | Self::MissAsk { .. } | Self::MissRole { .. } => false,
        }
    }
}

/// Why not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("they are {role} already")]
    HoldsItAlready { role: String },
    #[error("nobody is {role}, and nobody was asked")]
    NobodyHolds { role: String },
    #[error(
        "{holder} is {role}: ask them to hand it over (`ask`); without their acceptance a manager of the team or an administrator takes it, with a reason"
    )]
    HeldByAnother { role: String, holder: String },
    #[error("{by} asked somebody to be {role}, and takes that back: as a manager of the team or an administrator do so with a reason")]
    OfferedByAnother { role: String, by: String },
    #[error("{person} may not respond, and could not act as {role}: choose a responder, or let an administrator change what they may do")]
    MayNotRespond { role: String, person: String },
    #[error(
        "nothing reaches {person}, who would not hear of being {role}: choose somebody with a contact that can be used, or let them take it themself"
    )]
    Unreached { role: String, person: String },
}

impl Refusal {
    /// The stable code of the API.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::HoldsItAlready { .. } => "holds_it_already",
            Self::NobodyHolds { .. } => "nobody_holds_it",
            Self::HeldByAnother { .. } => "held_by_another",
            Self::OfferedByAnother { .. } => "offered_by_another",
            Self::MayNotRespond { .. } | Self::Unreached { .. } => "cannot_have_it",
        }
    }
}

/// Why managers are paged where nobody leads.
pub const NO_COMMANDER: &str = "nobody has taken command";
/// What stands in the reason of a page about another role that is needed, before it.
pub const NO_HOLDER: &str = "nobody has taken the role that is needed:";

/// Why a page about a role that nobody took starts.
#[must_use]
pub fn nobody_took(role: &str) -> String {
    if role == COMMANDER { NO_COMMANDER.to_owned() } else { format!("{NO_HOLDER} {role}") }
}

/// The role that nobody took, of the reason of a page about one.
#[must_use]
pub fn not_taken(because: &str) -> Option<&str> {
    if because == NO_COMMANDER { Some(COMMANDER) } else { because.strip_prefix(NO_HOLDER).map(str::trim) }
}

/// What people may ask.
pub(crate) const ASKS: &[Ask] = &[Ask {
    verb: Verb::Role,
    label: "Give a role",
    says: "Takes, asks for, offers or leaves a role: commander, scribe, communications, …",
    press: "Give it",
    body: "RoleBody",
    programs: &[Program::of("role").places(&["role"])],
    may: May::Responder,
    fields: &[
        Field::needed("role", "the role", "Role", Kind::Role)
            .hint("commander, deputy, scribe, communications, liaison, operations, or one of the organisation's"),
        Field::may("person", "who", "Who", Kind::Person).hint("A person's id; you, unless said"),
        Field::may("do", "what is done", "What is done", Kind::Choice { name: "RoleDeed", of: &["take", "ask", "offer", "leave"] })
            .hint("You take it, and others are offered it, unless said; what is taken for another is offered to them, but by who answers for the team, with a reason")
            .option("do", "WHAT"),
        REASON.or_not().hint("Needed to take it from whoever has it, to give it without asking, and to end it: managers and administrators only"),
    ],
    ways: &[],
    make: asked,
    came: Came::Roles,
}];

/// Taken where it is one's own or nobody is named, offered where another person is, unless `do` says otherwise.
fn asked(given: &Given, by: &By<'_>) -> Result<Asked, ask::Refusal> {
    let (role, person) = (given.must("role"), given.text("person"));
    let own = person.is_none() || person.as_deref() == by.person;
    let deed = given.text("do").unwrap_or_else(|| if own { "take" } else { "offer" }.to_owned());
    let why = given.text("why");
    if why.is_some() && deed == "ask" {
        return Err(ask::Refusal::Together("`why` goes with `take`, `offer` and `leave`: a role is asked for without a reason".into()));
    }
    if deed == "leave" {
        return command(Command::Leave { role, why });
    }
    let person = person.or_else(|| by.person.map(ToOwned::to_owned));
    let nobody = || ask::Refusal::Together("name a `person`: this token stands for none".into());
    let person = person.ok_or_else(nobody)?;
    command(match deed.as_str() {
        "offer" => Command::Offer { role, to: person, by: by.person.map(ToOwned::to_owned), why },
        "ask" => Command::Ask { role, by: person },
        _ => Command::Take { role, person, why },
    })
}

pub(in crate::incident) fn decide(incident: &Incident, command: Command, context: Context) -> Decision {
    match command {
        Command::Offer { role, to, by, why } => {
            fits(incident, Verb::Role)?;
            let held = incident.work.roles.get(&role);
            if held.is_some_and(|held| held.person.as_deref() == Some(&to)) {
                return Err(Refusal::HoldsItAlready { role }.into());
            }
            if held.is_some_and(|held| held.offered_to.as_deref() == Some(&to)) {
                return nothing();
            }
            one(Event::Offered(Offered { role, to, by, why }))
        }
        Command::Ask { role, by } => {
            fits(incident, Verb::Role)?;
            let Some(of) = incident.work.holder(&role).map(ToOwned::to_owned) else { return Err(Refusal::NobodyHolds { role }.into()) };
            if of == by {
                return Err(Refusal::HoldsItAlready { role }.into());
            }
            if incident.work.roles.get(&role).is_some_and(|held| held.asked_by.as_ref() == Some(&by)) {
                return nothing();
            }
            one(Event::Asked(AskedFor { role, by, of }))
        }
        Command::Take { role, person, why } => {
            fits(incident, Verb::Role)?;
            let from = incident.work.holder(&role).map(ToOwned::to_owned);
            if from.as_deref() == Some(&person) {
                return nothing();
            }
            let lasts = if role == COMMANDER { context.lasts(incident.severity) } else { None };
            let relief_after = context.reminds_after(&role);
            one(Event::Taken(Taken { role, person, from, lasts, why, relief_after }))
        }
        Command::Leave { role, why } => {
            fits(incident, Verb::Role)?;
            let Some(held) = incident.work.roles.get(&role) else { return Err(Refusal::NobodyHolds { role }.into()) };
            let Some(person) = held.person.clone().or_else(|| held.offered_to.clone()) else {
                return Err(Refusal::NobodyHolds { role }.into());
            };
            let offered = held.person.is_none();
            one(Event::Left(Left { role, person, why, offered }))
        }
        Command::MissAnswer { role, to } => {
            let waits = incident.work.roles.get(&role).is_some_and(|held| held.offered_to.as_deref() == Some(&to));
            if !waits || !incident.state.is_open() {
                return nothing();
            }
            one(Event::Unanswered(Offered { role, to, by: None, why: None }))
        }
        Command::MissAsk { role, by } => {
            let held = incident.work.roles.get(&role).filter(|held| held.asked_by.as_ref() == Some(&by));
            match held.and_then(|held| held.person.clone()) {
                Some(of) if incident.state.is_open() => one(Event::AskMissed(AskedFor { role, by, of })),
                Some(_) | None => nothing(),
            }
        }
        Command::MissRole { role } => {
            if !incident.state.is_open() || incident.work.holder(&role).is_some() {
                return nothing();
            }
            one(Event::Unfilled(Unfilled { role }))
        }
    }
}

/// Who has a role, and is known to: what somebody had who was lost with the incident is free.
#[must_use]
pub fn keeper<'a>(incident: &'a Incident, role: &str) -> Option<&'a str> {
    let holder = incident.work.holder(role)?;
    let is_lost = incident.work.hold.lost && incident.holders().iter().any(|lost| lost == holder);
    (!is_lost).then_some(holder)
}

/// Whether a role that somebody holds was offered to this person. Nobody but its holder, or who may overrule them, offers
/// it ([`keeper`]), so that whoever accepts it has it without a reason.
#[must_use]
pub fn agreed(incident: &Incident, role: &str, person: &str) -> bool {
    let held = incident.work.roles.get(role);
    held.is_some_and(|held| held.person.is_some() && held.offered_to.as_deref() == Some(person))
}

/// What it is to give a role: who takes one that nobody has for another asks them, and they have it once they accept; who
/// offers themself one that nobody has takes it.
/// `overrules`: whoever gives it answers for the team and says why, so that it is theirs at once.
#[must_use]
pub fn as_given(incident: &Incident, command: Command, by: Option<&str>, overrules: bool) -> Command {
    let (role, person, why) = match command {
        // Who asks themself has their answer already.
        Command::Offer { role, to, why, .. } if by == Some(to.as_str()) && keeper(incident, &role).is_none() => (role, to, why),
        Command::Take { role, person, why } => (role, person, why),
        other @ (Command::Offer { .. }
        | Command::Ask { .. }
        | Command::Leave { .. }
        | Command::MissAnswer { .. }
        | Command::MissAsk { .. }
        | Command::MissRole { .. }) => return other,
    };
    if by != Some(person.as_str()) && !overrules && keeper(incident, &role).is_none() {
        return Command::Offer { role, to: person, by: by.map(ToOwned::to_owned), why };
    }
    Command::Take { role, person, why }
}

/// Whether somebody can be given a role by another: they may respond, and hear of it.
///
/// # Errors
/// Why not, and what would work.
pub fn may_be_given(org: &Org, role: &str, person: &str) -> Result<(), Refusal> {
    let name = || org.person(person).map_or_else(|| person.to_owned(), |person| person.name.clone());
    if !may_respond(org, person) {
        return Err(Refusal::MayNotRespond { role: role.to_owned(), person: name() });
    }
    if org.reach(person, NotifyUrgency::Low).is_empty() {
        return Err(Refusal::Unreached { role: role.to_owned(), person: name() });
    }
    Ok(())
}

/// Whether somebody is there, and may act on incidents.
#[must_use]
pub fn may_respond(org: &Org, person: &str) -> bool {
    org.person(person).is_some() && scope_of_person(org, person).admits(Scope::Respond)
}

pub(in crate::incident) fn evolve(incident: &mut Incident, event: &Event, at: Timestamp) {
    match event {
        Event::Offered(body) if planted("role-offer-gives-role") => incident.work.give(&body.role, &body.to, None, at),
        Event::Offered(body) => {
            let held = incident.work.roles.entry(body.role.clone()).or_default();
            held.offered_to = Some(body.to.clone());
            held.offered_at = Some(at);
            held.offered_by.clone_from(&body.by);
        }
        Event::Asked(body) => {
            let held = incident.work.roles.entry(body.role.clone()).or_default();
            (held.asked_by, held.asked_at) = (Some(body.by.clone()), Some(at));
        }
        Event::AskMissed(body) => {
            if let Some(held) = incident.work.roles.get_mut(&body.role) {
                (held.asked_by, held.asked_at) = (None, None);
            }
        }
        Event::Taken(body) => {
            incident.work.give(&body.role, &body.person, body.relief_after, at);
            // Whoever was moved elsewhere is here again.
            incident.work.away.remove(&body.person);
            if body.role == COMMANDER {
                incident.commander = Some(body.person.clone());
                incident.work.hold.take(Some(&body.person), incident.severity, at);
            }
        }
        Event::Left(body) => {
            let held = incident.work.roles.remove(&body.role);
            if body.role == COMMANDER && held.is_some_and(|held| held.person.is_some()) {
                incident.commander = None;
            }
        }
        Event::Unanswered(body) => {
            if let Some(held) = incident.work.roles.get_mut(&body.role) {
                (held.offered_to, held.offered_at, held.offered_by) = (None, None, None);
                if held.person.is_none() {
                    incident.work.roles.remove(&body.role);
                }
            }
        }
        Event::Unfilled(_) => {}
    }
}

/// Somebody has the role: nobody is looked for, and no answer is awaited.
pub(in crate::incident) fn taken(incident: &Incident, role: &str, awaited: &mut Awaited) {
    awaited.settle(&search::answer_key(role), Standing::Met, "somebody took it");
    search::looked_for_no_more(incident, role, Standing::Met, "somebody took it", awaited);
}

/// Whoever was asked before it ended has the time of an offer again.
pub(in crate::incident) fn await_again(incident: &Incident, awaited: &mut Awaited) {
    for role in incident.work.roles.iter().filter(|(_, held)| held.offered_to.is_some() || held.asked_by.is_some()).map(|(role, _)| role) {
        awaited.open(&search::answer_key(role), Rule::RoleAnswer, ROLE_WITHIN);
    }
    for (role, held) in incident.work.roles.iter().filter(|(_, held)| held.person.is_some()) {
        search::await_relief(role, false, held.relief_after, awaited);
    }
}

pub(in crate::incident) fn react(incident: &Incident, event: &Event, awaited: &mut Awaited) {
    match event {
        Event::Offered(body) => {
            awaited.settle(&search::answer_key(&body.role), Standing::Void, "it was offered");
            awaited.open(&search::answer_key(&body.role), Rule::RoleAnswer, ROLE_WITHIN);
        }
        Event::Asked(body) => {
            awaited.settle(&search::answer_key(&body.role), Standing::Void, "it was asked for");
            awaited.open(&search::answer_key(&body.role), Rule::RoleAnswer, ROLE_WITHIN);
        }
        Event::Taken(body) => {
            taken(incident, &body.role, awaited);
            search::await_relief(&body.role, body.from.is_some(), body.relief_after, awaited);
            if body.role == COMMANDER {
                awaited.settle(KEY_STILL_ON_IT, Standing::Met, "somebody is on it");
                awaited.sign(incident, body.lasts, Standing::Met, "somebody is on it");
            }
        }
        Event::Left(body) => {
            awaited.settle(&search::answer_key(&body.role), Standing::Void, "it was given up");
            if !body.offered {
                search::await_relief(&body.role, true, None, awaited);
            }
            if incident.state.is_open() && incident.work.holder(&body.role).is_none() {
                // Whoever was only asked did not have it: what is needed is looked for all the while.
                if body.offered && body.role == COMMANDER {
                    search::await_commander(incident, awaited);
                } else if !body.offered {
                    search::look_again(incident, &body.role, awaited);
                }
            }
        }
        Event::Unanswered(body) if body.role == COMMANDER && incident.commander.is_none() => search::await_commander(incident, awaited),
        // Of what is grave it is awaited again, until somebody has it.
        Event::Unfilled(body) if incident.severity.is_grave() => search::look_again(incident, &body.role, awaited),
        Event::Unanswered(_) | Event::AskMissed(_) | Event::Unfilled(_) => {}
    }
}

pub(in crate::incident) fn line(event: &Event, names: &Names<'_>) -> String {
    match event {
        Event::Offered(body) => {
            let to = names.by(Some(&body.to));
            let line = if body.is_by_catalogue() {
                format!("{to} is asked to be {}", body.role)
            } else {
                format!("{} asked {to} to be {}", names.who(), body.role)
            };
            with_text(line, body.why.as_deref())
        }
        Event::Asked(body) => format!("{} asked {} to hand over {}", names.person(&body.by), names.person(&body.of), body.role),
        Event::AskMissed(body) => {
            format!("{} did not answer {}, who asked for {}", names.person(&body.of), names.person(&body.by), body.role)
        }
        Event::Taken(body) => {
            let (who, person) = (names.who(), names.by(Some(&body.person)));
            let from = body.from.as_deref().filter(|from| !from.is_empty()).map(|from| names.person(from));
            let role = &body.role;
            let line = match from {
                None if who == person => format!("{person} is {role} now"),
                None => format!("{who} made {person} {role}"),
                Some(from) if who == person => format!("{person} took over as {role} from {from}"),
                Some(from) if who == from => format!("{from} handed over {role} to {person}"),
                Some(from) => format!("{who} made {person} {role}, in the place of {from}"),
            };
            with_text(line, body.why.as_deref())
        }
        Event::Left(body) => {
            let (who, person, role) = (names.who(), names.by(Some(&body.person)), &body.role);
            let line = match (body.offered, who == person) {
                (true, true) => format!("{person} does not want to be {role}"),
                (true, false) => format!("{who} took back that {person} is asked to be {role}"),
                // Without a reason nobody ends what another has; it is left with what they gave back, or by themself.
                (false, false) if body.why.is_some() => format!("{who} ended that {person} is {role}"),
                (false, _) => format!("{person} is no longer {role}"),
            };
            with_text(line, body.why.as_deref())
        }
        Event::Unanswered(body) => format!("{} did not answer the offer to be {}", names.by(Some(&body.to)), body.role),
        Event::Unfilled(body) => format!("Nobody is {}", body.role),
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::Sample;
    use super::*;

    #[test]
    fn an_offer_gives_nothing_until_it_is_taken() {
        let mut sample = Sample::declared();
        let (role, to) = ("scribe".to_owned(), "ben".to_owned());
        let offer = Command::Offer { role: role.clone(), to: to.clone(), by: None, why: None };
        assert_eq!(sample.run(offer.clone()).unwrap().opened(), ["role:scribe"]);
        assert_eq!((sample.incident.work.holder("scribe"), sample.incident.admitted.contains("ben")), (None, true));
        assert_eq!(sample.run(offer.clone()).unwrap().events, [], "asked once");
        assert_eq!(sample.run(Command::Take { role: role.clone(), person: to, why: None }).unwrap().settled(), ["role:scribe"]);
        assert_eq!(sample.refusal(offer), "holds_it_already");
        sample.run(Command::Leave { role: role.clone(), why: None }).unwrap();
        assert_eq!(sample.refusal(Command::Leave { role, why: None }), "nobody_holds_it");
    }

    #[test]
    fn who_asks_for_a_role_has_nothing_until_it_is_handed_over() {
        let role = || "scribe".to_owned();
        let take = |person: &str, why: Option<&str>| Command::Take { role: role(), person: person.into(), why: why.map(Into::into) };
        let ask = Command::Ask { role: role(), by: "ben".into() };
        let mut sample = Sample::declared();
        assert_eq!(sample.refusal(ask.clone()), "nobody_holds_it");
        let mut sample = sample.after(take("ana", None));
        assert_eq!(sample.run(ask.clone()).unwrap().opened(), ["role:scribe"]);
        assert_eq!(sample.run(ask).unwrap().events, [], "asked once");
        let miss = Command::MissAsk { role: role(), by: "ben".into() };
        assert_eq!(sample.run(miss.clone()).unwrap().kinds(), ["role_ask_missed"]);
        assert_eq!(sample.run(miss).unwrap().events, []);
        assert_eq!(sample.incident.work.holder("scribe"), Some("ana"));
        // Ana offers it herself: then Ben has it without a reason.
        assert!(!agreed(&sample.incident, "scribe", "ben"));
        let mut sample = sample.after(Command::Offer { role: role(), to: "ben".into(), by: Some("ana".into()), why: None });
        assert!(agreed(&sample.incident, "scribe", "ben") && !agreed(&sample.incident, "scribe", "cho"));
        let taken = sample.run(take("ben", Some("I sit beside her"))).unwrap();
        let why = matches!(&taken.events[0], crate::incident::Event::Roles(Event::Taken(body)) if body.why.is_some());
        assert!(why, "a reason that is given is kept, needed or not");
    }

    #[test]
    fn what_was_offered_before_it_was_known_by_whom_is_accepted_without_a_reason() {
        let take = |person: &str| Command::Take { role: "scribe".into(), person: person.into(), why: None };
        let offer = Command::Offer { role: "scribe".into(), to: "ben".into(), by: None, why: None };
        let sample = Sample::declared().after(take("ana")).after(offer);
        assert!(agreed(&sample.incident, "scribe", "ben") && !agreed(&sample.incident, "scribe", "cho"));
    }

    #[test]
    fn what_nobody_has_is_offered_to_another_and_what_somebody_has_is_handed_over() {
        let take = |person: &str| Command::Take { role: "scribe".into(), person: person.into(), why: Some("w".into()) };
        let offers = |sample: &Sample, person: &str, by: Option<&str>, overrules: bool| matches!(as_given(&sample.incident, take(person), by, overrules), Command::Offer { by: kept, why: Some(_), .. } if kept.as_deref() == by);
        let take_of = |person: &str| Command::Take { role: "scribe".into(), person: person.into(), why: None };
        let sample = Sample::declared();
        assert!(offers(&sample, "ben", Some("ana"), false) && offers(&sample, "ben", None, false));
        assert!(!offers(&sample, "ana", Some("ana"), false), "who takes it has it");
        let offer = |sample: &Sample, to: &str, by: &str| {
            let offer = Command::Offer { role: "scribe".into(), to: to.into(), by: Some(by.into()), why: None };
            as_given(&sample.incident, offer, Some(by), false)
        };
        assert_eq!(offer(&sample, "ana", "ana"), take_of("ana"), "who offers it to themself has it");
        assert!(matches!(offer(&sample, "ben", "ana"), Command::Offer { .. }));
        assert!(!offers(&sample, "ben", Some("ana"), true), "who answers for the team gives it");
        let sample = sample.after(take("ana"));
        assert!(!offers(&sample, "ben", Some("ana"), false), "its holder hands it over");
        assert!(matches!(offer(&sample, "ben", "ben"), Command::Offer { .. }), "what somebody has is theirs to give");
    }

    #[test]
    fn a_role_is_free_where_its_holder_was_lost_and_not_where_nobody_took_the_incident() {
        use crate::incident::attendance::Command as Attendance;
        let take = |role: &str, person: &str| Command::Take { role: role.into(), person: person.into(), why: None };
        let mut sample = Sample::declared().after(take("scribe", "ben"));
        assert!(!sample.incident.is_held());
        assert_eq!(keeper(&sample.incident, "scribe"), Some("ben"), "nobody has the incident, and he writes");
        sample.run(take(COMMANDER, "ana")).unwrap();
        let sample = sample.after(Attendance::Lose { why: "nobody answered".into() });
        assert_eq!((keeper(&sample.incident, "scribe"), keeper(&sample.incident, COMMANDER)), (Some("ben"), None));
        assert_eq!(keeper(&sample.incident, "deputy"), None);
    }
}
