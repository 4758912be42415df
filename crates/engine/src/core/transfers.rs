//! Hand-overs between teams: whom an offer comes to, who may answer it, and what follows where nobody does.
//!
//! Not here: what an offer is to the incident itself, and how hand-overs are counted (`domain::incident::transfers`).

use std::collections::BTreeSet;

use allclear_domain::access::{Actor, Principal};
use allclear_domain::expect::Standing;
use allclear_domain::ids::IncidentId;
use allclear_domain::incident::related::Offer;
use allclear_domain::incident::roles::{self, COMMANDER};
use allclear_domain::incident::transfers::{Command, End, Event, Offered, Refusal as No, SERVICE, TEAM, has_part};
use allclear_domain::incident::{self, Incident};
use allclear_domain::org::words::meant;
use allclear_domain::paging::{self, Status};
use allclear_domain::wire::NoticeKind;

use super::command::{NAMED_CHARS_MAX, Refusal};
use super::notices::person;
use super::pages::Whom;
use super::unit::Unit;
use super::{Core, Decided, Stop};

/// What stands in the reason of a page about an offer to a team that did not answer.
const NO_ANSWER: &str = "has not answered the offer of this incident";

/// Whether a page is about an offer to a team.
pub(super) fn is_about_transfer(because: &str) -> bool {
    because.ends_with(NO_ANSWER)
}

fn no(why: No) -> Stop {
    Refusal::from(incident::Refusal::from(why)).into()
}

impl Core {
    /// A person offers it, takes it for their team, or gives it back.
    pub(super) fn transfer(&mut self, unit: &mut Unit, who: &Principal, id: IncidentId, command: &Command) -> Decided<()> {
        match command {
            Command::Offer { to, why, .. } => self.offer_to_team(unit, who, id, to, why),
            Command::Accept { .. } => {
                let offer = self.offer_of(unit, id)?;
                let by = who.person().filter(|person| self.org.is_of_team(person, &offer.team));
                self.is_there_still(&offer)?;
                let Some(by) = by.map(ToOwned::to_owned) else { return Err(no(No::NotOfTheTeam { team: offer.team })) };
                self.may_take_over(unit, who, id, offer.by.as_deref())?;
                self.hand_over(unit, id, &offer, &by)?;
                self.acknowledge(unit, id, Some(by), "accepting it")
            }
            Command::Return { end, why, .. } => {
                let offer = self.offer_of(unit, id)?;
                let is_theirs = who.person().is_some_and(|person| self.org.is_of_team(person, &offer.team));
                // A team that is not there any more has nobody who could give it back.
                if *end == End::Returned && !is_theirs && self.org.team(&offer.team).is_some() {
                    return Err(no(No::NotOfTheTeam { team: offer.team }));
                }
                let leave = self.who_leaves(unit, id)?;
                self.change_incident(unit, id, Command::Return { end: *end, why: why.clone(), leave })
            }
            Command::Miss { .. } => self.change_incident(unit, id, command.clone()),
        }
    }

    fn offer_of(&self, unit: &Unit, id: IncidentId) -> Decided<Offer> {
        self.incident(unit, id)?.0.work.transfers.offer.ok_or_else(|| no(No::NotOffered))
    }

    fn offer_to_team(&mut self, unit: &mut Unit, who: &Principal, id: IncidentId, to: &str, why: &str) -> Decided<()> {
        let (incident, _) = self.incident(unit, id)?;
        let (team, service) = self.whom(to)?;
        let people: BTreeSet<String> =
            self.org.team(&team).map(|form| form.members.iter().chain(&form.managers).cloned().collect()).unwrap_or_default();
        if !people.iter().any(|person| roles::may_respond(&self.org, person)) {
            return Err(no(No::NobodyThere { team }));
        }
        let owner = || self.org.service(incident.service.as_deref()?)?.team.clone();
        let from = incident.work.transfers.team.clone().or_else(owner);
        // Of what everybody sees nobody is let in; guests are, as where they are paged.
        let people =
            if incident.private { people.into_iter().filter(|person| !incident.admitted.contains(person)).collect() } else { Vec::new() };
        let by = who.person().map(ToOwned::to_owned);
        let offered = Offered { team, service, from, by, why: why.to_owned(), people };
        self.change_incident(unit, id, Command::Offer { to: to.to_owned(), why: why.to_owned(), offered: Some(offered) })
    }

    /// The team that `team:ID` or `service:ID` means, and the service where one is named.
    fn whom(&self, to: &str) -> Decided<(String, Option<String>)> {
        let cut = || to.chars().take(NAMED_CHARS_MAX).collect::<String>();
        if let Some(service) = to.strip_prefix(SERVICE) {
            let Some(form) = self.org.service(service) else {
                let hint = meant(service, self.org.bundle().services.iter().map(|known| known.id.as_str()));
                return Err(no(No::NoSuchTeam { to: cut(), hint }));
            };
            let Some(team) = form.team.clone().filter(|team| self.org.team(team).is_some()) else {
                return Err(no(No::NoTeam { service: form.id.clone() }));
            };
            return Ok((team, Some(form.id.clone())));
        }
        let team = to.strip_prefix(TEAM).unwrap_or(to);
        if self.org.team(team).is_some() {
            return Ok((team.to_owned(), None));
        }
        let hint = meant(team, self.org.bundle().teams.iter().map(|known| known.id.as_str()));
        Err(no(No::NoSuchTeam { to: cut(), hint }))
    }

    /// What was offered may have gone since: nothing is handed over to what is not there.
    fn is_there_still(&self, offer: &Offer) -> Decided<()> {
        if self.org.team(&offer.team).is_none() {
            return Err(no(No::Gone { what: format!("team `{}`", offer.team) }));
        }
        let Some(service) = &offer.service else { return Ok(()) };
        match self.org.service(service) {
            None => Err(no(No::Gone { what: format!("service `{service}`") })),
            Some(form) if form.escalation.is_some() && self.org.escalation_of(service).is_none() => {
                Err(no(No::Gone { what: format!("the escalation policy of service `{service}`") }))
            }
            Some(_) => Ok(()),
        }
    }

    fn policy_of(&self, offer: &Offer) -> Option<String> {
        let of_service = offer.service.as_deref().and_then(|service| self.org.escalation_of(service));
        of_service.or_else(|| self.org.escalation_of_team(&offer.team)).map(|policy| policy.id.clone())
    }

    /// It is theirs: its pages run their policy, and who leads it leads it no more.
    fn hand_over(&mut self, unit: &mut Unit, id: IncidentId, offer: &Offer, by: &str) -> Decided<()> {
        let escalation = self.policy_of(offer);
        self.change_incident(unit, id, Command::Accept { person: Some(by.to_owned()), escalation })?;
        let (incident, _) = self.incident(unit, id)?;
        if incident.commander.as_deref().is_some_and(|commander| commander != by) {
            let team = self.org.team(&offer.team).map_or(offer.team.as_str(), |team| team.name.as_str());
            let why = Some(format!("it was handed over to team {team}"));
            self.change_incident(unit, id, roles::Command::Take { role: COMMANDER.to_owned(), person: by.to_owned(), why })?;
        }
        Ok(())
    }

    /// Who acknowledges what is offered to their team has accepted it.
    pub(super) fn accept_by_answering(&mut self, unit: &mut Unit, id: IncidentId, by: &str, had_it: bool) -> Decided<()> {
        let Some(offer) = self.incident(unit, id)?.0.work.transfers.offer else { return Ok(()) };
        if had_it || !self.org.is_of_team(by, &offer.team) || self.is_there_still(&offer).is_err() {
            return Ok(());
        }
        self.hand_over(unit, id, &offer, by)
    }

    /// Who saw what is private for the offer alone: of the team and of those who were paged for it, whoever has no part in it.
    fn who_leaves(&self, unit: &Unit, id: IncidentId) -> Decided<Vec<String>> {
        let (incident, _) = self.incident(unit, id)?;
        let Some(offer) = incident.work.transfers.offer.as_ref().filter(|_| incident.private) else { return Ok(Vec::new()) };
        let mut came: BTreeSet<String> =
            incident.admitted.iter().filter(|person| self.org.is_of_team(person, &offer.team)).cloned().collect();
        for page in self.pages_of(unit, id) {
            let (page, _) = self.page(unit, page)?;
            if is_about_transfer(&page.because) {
                came.extend(page.entries.into_iter().map(|entry| entry.person));
            }
        }
        let admitted_since = |person: &String| self.org.is_of_team(person, &offer.team) && !offer.lent.contains(person);
        came.retain(|person| !offer.saw.contains(person) && !admitted_since(person) && !has_part(&incident, person));
        Ok(came.into_iter().filter(|person| incident.admitted.contains(person)).collect())
    }

    pub(super) fn look_transfer(&mut self, unit: &mut Unit, id: IncidentId) -> Decided<Standing> {
        let (incident, _) = self.incident(unit, id)?;
        let Some(offer) = incident.work.transfers.offer.filter(|_| incident.state.is_open()) else { return Ok(Standing::Void) };
        let leave = self.who_leaves(unit, id)?;
        if self.org.team(&offer.team).is_none() {
            // Nobody is left who could be paged for it.
            self.change_incident(unit, id, Command::Return { end: End::Unanswered, why: None, leave })?;
            return Ok(Standing::Missed);
        }
        self.change_incident(unit, id, Command::Miss { leave })?;
        Ok(Standing::Missed)
    }

    pub(super) fn follow_transfers(&mut self, unit: &mut Unit, id: IncidentId, event: &Event) -> Decided<()> {
        let (incident, _) = self.incident(unit, id)?;
        match event {
            Event::Offered(body) => {
                let by = body.by.as_ref().map_or_else(|| "It".to_owned(), |by| self.name_of_person(by));
                let text = format!(
                    "{by} offers this incident to team {}: {}. Open it to accept it or to give it back; without an answer the team is paged.",
                    self.name_of_team(&body.team),
                    body.why
                );
                let targets = self.first_of_team(unit, &body.team, body.service.as_deref());
                let urgency = self.org.severity(incident.severity).notify;
                self.tell_at(unit, id, NoticeKind::Reminder, &targets, text, "it was offered to a team", urgency)?;
                Ok(())
            }
            Event::Unanswered(body) => {
                if incident.alarms.is_held() {
                    // Silences hold it: nobody is paged, and it comes back all the same.
                    return Ok(());
                }
                let because = format!("team {} {NO_ANSWER}", self.name_of_team(&body.team));
                let policy = incident.work.transfers.offer.as_ref().and_then(|offer| self.policy_of(offer));
                let whom = match policy {
                    Some(policy) => Whom::Policy(Some(policy)),
                    None => Whom::People {
                        first: vec![format!("{TEAM}{}", body.team)],
                        then: self.managers_of_team(&body.team),
                        escalation: None,
                    },
                };
                self.start_page_of(unit, id, whom, None, &because, false)
            }
            Event::Accepted(_) => self.stop_pages_about(unit, id, is_about_transfer, "the team accepted it"),
            Event::Returned(body) => {
                self.stop_pages_about(unit, id, is_about_transfer, "it was given back")?;
                if body.end != End::Withdrawn {
                    let team = self.name_of_team(&body.team);
                    let why = body.why.as_ref().map_or_else(|| ".".to_owned(), |why| format!(": {why}"));
                    let how =
                        if body.end == End::Returned { "gave this incident back" } else { "did not answer the offer of this incident" };
                    let targets = self.who_has_it(&incident, unit);
                    let text = format!("Team {team} {how}{why}");
                    self.tell(unit, id, NoticeKind::Reminder, &targets, text, "a team did not take it")?;
                }
                self.page_where_nobody_has_it(unit, &incident, "it was given back, and nobody has it")
            }
        }
    }

    /// It rests with whoever has it; where nobody does, its own policy is paged.
    fn page_where_nobody_has_it(&mut self, unit: &mut Unit, incident: &Incident, why: &str) -> Decided<()> {
        if incident.is_held() {
            return Ok(());
        }
        for page in self.pages_of(unit, incident.id) {
            let (page, _) = self.page(unit, page)?;
            if page.status == Status::Running && paging::may_send(page.status) && !is_about_transfer(&page.because) {
                return Ok(());
            }
        }
        self.start_page(unit, incident.id, None, None, why, false)
    }

    /// Whoever has it and whoever leads it; where that is nobody, the managers of its service's team. Who did it knows.
    fn who_has_it(&self, incident: &Incident, unit: &Unit) -> Vec<String> {
        let mut targets: Vec<String> = incident.holders().iter().filter(|_| incident.is_held()).map(|id| person(id)).collect();
        if targets.is_empty() {
            targets = self.managers_of(incident);
        }
        if let Actor::Person(by) = &unit.actor {
            targets.retain(|target| *target != person(by));
        }
        targets
    }

    /// Whom a team's policy pages first, and its managers.
    fn first_of_team(&self, unit: &Unit, team: &str, service: Option<&str>) -> Vec<String> {
        let policy = service.and_then(|service| self.org.escalation_of(service)).or_else(|| self.org.escalation_of_team(team));
        let mut targets = policy.and_then(|policy| policy.steps.first()).map(|step| step.page.clone()).unwrap_or_default();
        if self.org.people_for_all(&targets, unit.now).people.is_empty() {
            targets = vec![format!("{TEAM}{team}")];
        }
        targets.extend(self.managers_of_team(team));
        targets.sort();
        targets.dedup();
        targets
    }

    /// Who answers for an incident beside whoever has it: the managers of the team that it was handed over to; where it never was,
    /// or that team has none, those of its service's.
    pub(super) fn managers_of(&self, incident: &Incident) -> Vec<String> {
        let theirs = self.managers_handed(incident);
        if theirs.is_empty() { self.org.managers_of(incident.service.as_deref()) } else { theirs }
    }

    /// The managers of the team that it was handed over to, where it was.
    pub(super) fn managers_handed(&self, incident: &Incident) -> Vec<String> {
        self.team_handed(incident).map(|team| self.managers_of_team(team)).unwrap_or_default()
    }

    /// The team that took it over, where one did and is there still. What is of another service since is that one's team's.
    pub(super) fn team_handed<'a>(&self, incident: &'a Incident) -> Option<&'a str> {
        let transfers = &incident.work.transfers;
        transfers.team.as_deref().filter(|team| transfers.hand_overs > 0 && self.org.team(team).is_some())
    }

    fn managers_of_team(&self, team: &str) -> Vec<String> {
        self.org.team(team).map(|form| form.managers.iter().map(|id| person(id)).collect()).unwrap_or_default()
    }

    fn name_of_team(&self, id: &str) -> String {
        self.org.team(id).map_or_else(|| id.to_owned(), |team| team.name.clone())
    }
}
