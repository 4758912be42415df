//! Hand-overs between teams: an incident is offered to another team, which takes it or gives it back with a reason.
//!
//! An offer gives nothing: whoever has the incident has it until somebody of that team accepts. One that nobody answers pages the
//! team, and comes back after that. What is broken stays so: its service, what it affects and the targets that count are those
//! of before; a hand-over changes whose it is, and whom its pages call.
//!
//! Not here: who is of a team and whom it pages (`domain::org`).

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::access::Actor;
use crate::ask::{self, Ask, Came, Field, Kind, May, Program, command};
use crate::event::event_kinds;
use crate::expect::{Rule, Standing, TRANSFER_WITHIN};
use crate::incident::awaited::{Awaited, KEY_TRANSFER};
use crate::incident::lifecycle::{Verb, fits};
use crate::incident::related::Offer;
use crate::incident::words::{self, KEPT_CHARS_MAX};
use crate::incident::{Decision, Event as Any, Incident, nothing, one};
use crate::names::{Names, with_text};
use crate::plants::planted;

/// What stands before the id of a team, of whom something is offered to.
pub const TEAM: &str = "team:";
/// The same of a service.
pub const SERVICE: &str = "service:";
/// Longest name of whom it is offered to, in characters: a kind and an id.
const TO_CHARS_MAX: usize = 200;

event_kinds! {
    /// A fact; past tense.
    Event {
        Offered(Offered) = "transfer_offered" [Key] admits(people),
        Accepted(Accepted) = "transfer_accepted" [Key] admits(person),
        Returned(Returned) = "transfer_returned" [Key],
        Unanswered(Unanswered) = "transfer_unanswered" [Key],
    }
}

/// Body of `transfer_offered`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Offered {
    /// A team's id.
    pub team: String,
    /// The service that it is offered to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// Whose it is until then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Who offers it, where that is a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    pub why: String,
    /// Of what is private: who may see it for that, and no longer than it is offered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<String>,
}

/// Body of `transfer_accepted`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Accepted {
    pub team: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Who accepted it for the team.
    pub person: String,
    /// The policy that its pages run from now on; absent where the team has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalation: Option<String>,
    /// Whether the team had had it before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub again: bool,
}

/// How an offer ended that nobody accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// Somebody of the team gave it back.
    Returned,
    /// Nobody of the team answered.
    Unanswered,
    /// Whoever offered it took that back.
    Withdrawn,
}

/// Body of `transfer_returned`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Returned {
    pub team: String,
    pub end: End,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Who sees it no more, since they saw it for the offer alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub leave: Vec<String>,
}

/// Body of `transfer_unanswered`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Unanswered {
    pub team: String,
}

/// A command; imperative.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Another team is asked to take it. `to` is `team:ID` or `service:ID`; the engine says what that comes to.
    Offer { to: String, why: String, offered: Option<Offered> },
    /// Somebody of that team takes it; the engine says by which policy it pages from then on.
    Accept { person: Option<String>, escalation: Option<String> },
    /// It is not handed over.
    Return { end: End, why: Option<String>, leave: Vec<String> },
    /// Nobody answered.
    Miss { leave: Vec<String> },
}

impl Command {
    /// Whether people ask for it as it is; the rest follows from something else.
    pub(in crate::incident) const fn is_asked(&self) -> bool {
        match self {
            Self::Offer { .. } | Self::Accept { .. } => true,
            Self::Return { end, .. } => !matches!(end, End::Unanswered),
            Self::Miss { .. } => false,
        }
    }
}

/// Why not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("this incident is offered to team `{team}`, which has not answered: take that back first")]
    Pending { team: String },
    #[error("this incident is offered to nobody")]
    NotOffered,
    #[error("team `{team}` has this incident already")]
    HasIt { team: String },
    #[error("it is offered to team `{team}`: somebody of that team accepts it or gives it back")]
    NotOfTheTeam { team: String },
    #[error("there is no team or service `{to}`: {hint}")]
    NoSuchTeam { to: String, hint: String },
    #[error("service `{service}` has no team that could take this: name a team, as in `team:ID`")]
    NoTeam { service: String },
    #[error("{what} is not there any more: return this, and let it be offered anew")]
    Gone { what: String },
    #[error("nobody of team `{team}` could be told of it or take it: name another team, or page people by name")]
    NobodyThere { team: String },
}

impl Refusal {
    /// The stable code of the API.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Pending { .. } => "transfer_pending",
            Self::NotOffered => "transfer_not_offered",
            Self::HasIt { .. } => "team_has_it",
            Self::NotOfTheTeam { .. } => "not_of_the_team",
            Self::NoSuchTeam { .. } => "no_such_team",
            Self::NoTeam { .. } => "service_has_no_team",
            Self::Gone { .. } => "transfer_gone",
            Self::NobodyThere { .. } => "nobody_of_the_team",
        }
    }
}

/// What people may ask.
pub(crate) const ASKS: &[Ask] = &[Ask {
    verb: Verb::Transfer,
    label: "Hand over to another team",
    says: "Offers it to another team, which accepts it or gives it back with a reason",
    press: "Offer it",
    body: "TransferBody",
    programs: &[
        Program::of("transfer offer").says("Another team is asked to take it").places(&["to"]).lacks(&["state"]),
        Program::of("transfer accept").says("Your team takes it").gives(&[("state", "accepted")]),
        Program::of("transfer return").says("Your team gives it back").gives(&[("state", "returned")]),
        Program::of("transfer withdraw").says("The offer is taken back").gives(&[("state", "withdrawn")]),
    ],
    may: May::Responder,
    fields: &[
        Field::may("to", "whom it is offered to", "To", Kind::Line { max: TO_CHARS_MAX })
            .hint("Whom it is offered to: `team:ID`, or `service:ID` for the team of that service"),
        Field::may("state", "the answer", "Answer", Kind::Choice { name: "TransferAnswer", of: &["accepted", "returned", "withdrawn"] })
            .hint("`accepted` or `returned` by the team, `withdrawn` where it is not offered any more"),
        Field::may("why", "the reason", "Why?", Kind::Words { max: KEPT_CHARS_MAX })
            .hint("The reason; it cannot be left out of an offer and a return"),
    ],
    ways: &[&["to", "why"], &["state", "why"]],
    make: |given, by| {
        let (to, why) = (given.text("to"), given.text("why"));
        match (to, given.as_text("state")) {
            (Some(to), None) => command(Command::Offer { to, why: why.unwrap_or_default(), offered: None }),
            (None, Some("accepted")) => command(Command::Accept { person: by.person.map(ToOwned::to_owned), escalation: None }),
            (None, Some("returned")) => command(Command::Return { end: End::Returned, why, leave: Vec::new() }),
            (None, Some(_)) => command(Command::Return { end: End::Withdrawn, why, leave: Vec::new() }),
            _ => Err(ask::Refusal::Together("give `to` and `why` to offer it, or `state` to answer an offer".into())),
        }
    },
    came: Came::Itself,
}];

fn offer(incident: &Incident) -> Result<&Offer, Refusal> {
    incident.work.transfers.offer.as_ref().ok_or(Refusal::NotOffered)
}

pub(in crate::incident) fn decide(incident: &Incident, command: Command) -> Decision {
    match command {
        Command::Offer { why, offered, .. } => {
            fits(incident, Verb::Transfer)?;
            words::needed(&why, "the reason")?;
            words::at_most(&why, "the reason", KEPT_CHARS_MAX)?;
            let Some(offered) = offered else { return nothing() };
            if let Some(pending) = &incident.work.transfers.offer {
                // The same once more is the same offer.
                let same = (&pending.team, &pending.service) == (&offered.team, &offered.service);
                return if same { nothing() } else { Err(Refusal::Pending { team: pending.team.clone() }.into()) };
            }
            if offered.from.as_ref() == Some(&offered.team) {
                return Err(Refusal::HasIt { team: offered.team }.into());
            }
            one(Event::Offered(Offered { why, ..offered }))
        }
        Command::Accept { person, escalation } => {
            fits(incident, Verb::Transfer)?;
            let Offer { team, service, .. } = offer(incident)?.clone();
            let Some(person) = person else { return Err(Refusal::NotOfTheTeam { team }.into()) };
            let again = incident.work.transfers.had.contains(&team) && !planted("repeated-offer-counts");
            let from = incident.work.transfers.team.clone();
            one(Event::Accepted(Accepted { team, service, from, person, escalation, again }))
        }
        Command::Return { end, why, leave } => {
            fits(incident, Verb::Transfer)?;
            let team = offer(incident)?.team.clone();
            let why = words::kept(why)?;
            if end == End::Returned && why.is_none() {
                words::needed("", "the reason")?;
            }
            one(Event::Returned(Returned { team, end, why, leave }))
        }
        Command::Miss { leave } => match &incident.work.transfers.offer {
            Some(Offer { team, paged: false, .. }) => one(Event::Unanswered(Unanswered { team: team.clone() })),
            Some(Offer { team, .. }) => one(Event::Returned(Returned { team: team.clone(), end: End::Unanswered, why: None, leave })),
            None => nothing(),
        },
    }
}

pub(in crate::incident) fn evolve(incident: &mut Incident, event: &Event, at: Timestamp) {
    let transfers = &mut incident.work.transfers;
    match event {
        Event::Offered(body) => {
            if transfers.team.is_none() {
                transfers.team.clone_from(&body.from);
                transfers.had.extend(body.from.clone());
            }
            transfers.offer = Some(Offer {
                team: body.team.clone(),
                service: body.service.clone(),
                by: body.by.clone(),
                why: body.why.clone(),
                at,
                paged: false,
                saw: if incident.private { incident.admitted.clone() } else { BTreeSet::new() },
                lent: body.people.iter().cloned().collect(),
            });
        }
        Event::Accepted(body) => {
            transfers.offer = None;
            transfers.team = Some(body.team.clone());
            transfers.had.insert(body.team.clone());
            transfers.hand_overs += 1;
            transfers.ping_pongs += u32::from(body.again);
            incident.escalation.clone_from(&body.escalation);
        }
        Event::Returned(body) => {
            let offered = transfers.offer.take();
            transfers.returned += u32::from(body.end != End::Withdrawn);
            incident.admitted.retain(|person| !body.leave.contains(person));
            if let Some(offer) = offered {
                give_back_sight(incident, &offer);
            }
        }
        Event::Unanswered(_) => {
            if let Some(offer) = &mut transfers.offer {
                offer.paged = true;
            }
        }
    }
}

/// What ended while it was offered is offered no more, and whoever was let in for that alone sees it no more.
pub(in crate::incident) fn end(incident: &mut Incident) {
    if let Some(offer) = incident.work.transfers.offer.take() {
        give_back_sight(incident, &offer);
    }
}

fn give_back_sight(incident: &mut Incident, offer: &Offer) {
    let leave: Vec<String> = offer.lent.iter().filter(|person| !has_part(incident, person)).cloned().collect();
    incident.admitted.retain(|person| !leave.contains(person));
}

/// Whether somebody is more in it than to be offered it: they hold a role or were asked to, own a task, or have it.
#[must_use]
pub fn has_part(incident: &Incident, person: &String) -> bool {
    let work = &incident.work;
    work.roles.values().any(|role| role.offered_to.as_ref() == Some(person))
        || work.tasks.iter().any(|task| task.owner.as_ref() == Some(person))
        || work.leads().contains(&person.as_str())
        || incident.holders().contains(person)
}

/// Whoever does something here, or is given something to do, sees it for that from then on; and whoever was admitted by name.
pub(in crate::incident) fn hear(incident: &mut Incident, event: &Any, actor: &Actor) {
    if incident.work.transfers.offer.is_none() || matches!(event, Any::Transfers(_)) {
        return;
    }
    let mut stays: Vec<String> = event.admits().into_iter().map(ToOwned::to_owned).collect();
    if let Actor::Person(person) = actor {
        stays.push(person.clone());
    }
    let lent = incident.work.transfers.offer.iter().flat_map(|offer| &offer.lent);
    stays.extend(lent.filter(|person| has_part(incident, person)).cloned());
    if let Some(offer) = &mut incident.work.transfers.offer {
        offer.lent.retain(|person| !stays.contains(person));
    }
}

pub(in crate::incident) fn react(event: &Event, awaited: &mut Awaited) {
    match event {
        Event::Offered(_) if planted("offer-unawaited") => {}
        Event::Accepted(_) if planted("offer-accepted-leaves-timer") => {}
        Event::Offered(_) => awaited.open(KEY_TRANSFER, Rule::TransferAnswer, TRANSFER_WITHIN),
        // The look settles the time before.
        Event::Unanswered(_) => awaited.open(KEY_TRANSFER, Rule::TransferAnswer, TRANSFER_WITHIN),
        Event::Accepted(_) => awaited.settle(KEY_TRANSFER, Standing::Met, "the team accepted it"),
        Event::Returned(body) if body.end == End::Unanswered => {}
        Event::Returned(_) => awaited.settle(KEY_TRANSFER, Standing::Met, "it was given back"),
    }
}

pub(in crate::incident) fn line(event: &Event, names: &Names<'_>) -> String {
    let who = names.who();
    match event {
        Event::Offered(body) => {
            let service = body.service.as_ref().map_or_else(String::new, |id| format!(" for {}", names.service(id)));
            format!("{who} offered it to team {}{service}: {}", names.team(&body.team), body.why)
        }
        Event::Accepted(body) => {
            let again = if body.again { ", which had it before" } else { "" };
            format!("{} accepted it for team {}{again}", names.person(&body.person), names.team(&body.team))
        }
        Event::Returned(body) => {
            let team = names.team(&body.team);
            let line = match body.end {
                End::Returned => format!("{who} of team {team} gave it back"),
                End::Unanswered => format!("Nobody of team {team} answered; it stays with whoever has it"),
                End::Withdrawn => format!("{who} does not offer it to team {team} any more"),
            };
            with_text(line, body.why.as_deref())
        }
        Event::Unanswered(body) => format!("Nobody of team {} answered the offer; the team is paged", names.team(&body.team)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::Sample;
    use super::*;

    fn offer(team: &str, from: &str) -> Command {
        let offered = Offered {
            team: team.into(),
            service: None,
            from: Some(from.into()),
            by: Some("ana".into()),
            why: String::new(),
            people: Vec::new(),
        };
        Command::Offer { to: format!("team:{team}"), why: "it is the disk".into(), offered: Some(offered) }
    }

    fn accept() -> Command {
        Command::Accept { person: Some("ben".into()), escalation: Some("disks".into()) }
    }

    fn give_back(why: Option<&str>) -> Command {
        Command::Return { end: End::Returned, why: why.map(Into::into), leave: Vec::new() }
    }

    #[test]
    fn an_offer_gives_nothing_until_it_is_accepted_and_going_to_and_fro_is_counted() {
        let mut sample = Sample::declared();
        assert_eq!(sample.refusal(accept()), "transfer_not_offered");
        assert_eq!(sample.refusal(offer("shop", "shop")), "team_has_it");
        assert_eq!(sample.run(offer("disks", "shop")).unwrap().opened(), [KEY_TRANSFER]);
        assert_eq!(sample.run(offer("disks", "shop")).unwrap().events, [], "the same offer");
        assert_eq!(sample.refusal(offer("nets", "shop")), "transfer_pending");
        assert_eq!(sample.refusal(give_back(None)), "words_missing");
        assert_eq!(sample.incident.escalation, None, "nothing is theirs yet");
        assert_eq!(sample.run(accept()).unwrap().settled(), [KEY_TRANSFER]);
        assert_eq!((sample.incident.escalation.as_deref(), sample.incident.work.transfers.ping_pongs), (Some("disks"), 0));
        let mut sample = sample.after(offer("shop", "disks")).after(accept()).after(offer("disks", "shop")).after(accept());
        sample.run(offer("nets", "disks")).unwrap();
        sample.run(give_back(Some("not ours"))).unwrap();
        let transfers = &sample.incident.work.transfers;
        assert_eq!((transfers.hand_overs, transfers.ping_pongs, transfers.returned, transfers.offer.is_none()), (3, 2, 1, true));
    }

    #[test]
    fn what_nobody_answers_is_paged_once_and_comes_back() {
        let mut sample = Sample::declared().after(offer("disks", "shop"));
        let miss = || Command::Miss { leave: Vec::new() };
        let first = sample.run(miss()).unwrap();
        assert_eq!((first.kinds(), first.opened()), (vec!["transfer_unanswered"], vec![KEY_TRANSFER]));
        let second = sample.run(miss()).unwrap();
        assert_eq!((second.kinds(), second.opened()), (vec!["transfer_returned"], vec![]));
        assert_eq!(sample.run(miss()).unwrap().events, []);
        let over =
            Sample::declared().after(offer("disks", "shop")).after(crate::incident::ending::Command::Resolve { note: None, waive: None });
        assert!(over.incident.work.transfers.offer.is_none(), "of what is over nothing is offered");
    }
}
