//! Whether whoever asks may: every command is held here, as it is decided, against the organisation and the incident as
//! they are then. No door can come round it.
//!
//! Not here: what a command's own rules refuse to everybody.

use allclear_domain::access::{self, Actor, Denied, Principal, Resource, Right};
use allclear_domain::action::{self, Action};
use allclear_domain::clean::says_something;
use allclear_domain::ids::{AlertId, IncidentId};
use allclear_domain::incident::partners::RequestState;
use allclear_domain::incident::roles::COMMANDER;
use allclear_domain::incident::{self, access as sight, attendance, lifecycle, parties, resources, roles, sharing};
use allclear_domain::paging;
use allclear_domain::review::{self, Review};

use super::command::Versioned;
use super::judged::is_private;
use super::unit::Unit;
use super::{Command, Core, Decided, Need, Refusal, Stop};

impl Core {
    /// What somebody has is offered, given and left by them, or taken, ended and offered by who answers for the team: with
    /// a reason, but where they only offer it. What nobody is known to have any more is free.
    fn may_give(&mut self, unit: &mut Unit, who: &Principal, id: IncidentId, command: &roles::Command) -> Decided<()> {
        use roles::Command as C;
        let (incident, _) = self.incident(unit, id)?;
        let (role, why, accepts) = match command {
            C::Offer { role, .. } => (role, None, false),
            C::Take { role, person, why } => {
                let accepts = who.person() == Some(person.as_str()) && roles::agreed(&incident, role, person);
                (role, Some(why), accepts || roles::keeper(&incident, role) == Some(person.as_str()))
            }
            C::Leave { role, why } => (role, Some(why), false),
            // Who asks has nothing by it; the rest nobody asks for.
            C::Ask { .. } | C::MissAnswer { .. } | C::MissAsk { .. } | C::MissRole { .. } => return Ok(()),
        };
        let overrules = why.is_none_or(|why| is_reason(why.as_deref())) && self.may_overrule(who, &incident);
        // Who is gone, or may not act any more, keeps nothing from anybody.
        let keeper = roles::keeper(&incident, role).filter(|holder| roles::may_respond(&self.org, holder));
        let refusal = match (keeper, offer_of_another(&incident, who, command)) {
            (Some(holder), _) if !accepts && !overrules && who.person() != Some(holder) => {
                roles::Refusal::HeldByAnother { role: role.clone(), holder: self.name_of_person(holder) }
            }
            (None, Some(by)) if !overrules => roles::Refusal::OfferedByAnother { role: role.clone(), by: self.name_of_person(by) },
            _ => return Ok(()),
        };
        Err(Refusal::from(incident::Refusal::from(refusal)).into())
    }

    /// Whether somebody takes and gives the roles of an incident unasked, where they say why.
    pub(super) fn may_overrule(&self, who: &Principal, incident: &incident::Incident) -> bool {
        access::may_overrule(&self.org, who, self.team_handed(incident), incident.service.as_deref()).is_ok()
    }

    /// What a command that gives a role comes to, by who gives it, and to whom.
    pub(super) fn as_given(&self, who: &Principal, incident: &incident::Incident, command: &roles::Command) -> Decided<roles::Command> {
        use roles::Command as C;
        let (C::Take { role, person, .. } | C::Offer { role, to: person, .. }) = command else { return Ok(command.clone()) };
        if who.person() != Some(person.as_str()) {
            roles::may_be_given(&self.org, role, person).map_err(|no| Refusal::from(incident::Refusal::from(no)))?;
        }
        let why = if let C::Take { why, .. } = command { why.as_deref() } else { None };
        let overrules = is_reason(why) && self.may_overrule(who, incident);
        Ok(roles::as_given(incident, command.clone(), who.person(), overrules))
    }

    pub(super) fn may(&mut self, unit: &mut Unit, who: &Principal, command: &Command) -> Decided<()> {
        match command {
            // Its version is told only of what the command is about.
            Command::IfVersion { of, command, .. } if versioned(command) == Some(*of) => self.may(unit, who, command),
            Command::Declare(declare) => {
                // Everybody of the house may say that something is wrong.
                let right = if declare.report && who.person().is_some() { Right::SeeOrganisation } else { Right::Respond };
                access::may(&self.org, who, right, Resource::Installation).map_err(Refusal::from)?;
                if is_private(&self.org, declare) {
                    access::may_hide(who).map_err(Refusal::from)?;
                }
                Ok(())
            }
            // Everybody may try how they are reached, and nobody but an administrator whom that wakes.
            Command::TestPage { person } => {
                let right = if who.person() == Some(person.as_str()) { Right::See } else { Right::Administer };
                Ok(access::may(&self.org, who, right, Resource::Installation).map_err(Refusal::from)?)
            }
            Command::Drill { escalation, .. } => self.may_drill(who, escalation),
            // Whoever may start it may stop it, and whoever did.
            Command::StopDrill { page } => {
                let page = self.drilled(unit, *page)?;
                let started_it = who.person().is_some() && page.drill.as_ref().and_then(|drill| drill.ask.by.as_deref()) == who.person();
                if started_it {
                    return self.may_here(who);
                }
                self.may_drill(who, page.escalation.as_deref().unwrap_or_default())
            }
            Command::Incident { id, command } if who.guest.is_some() => self.may_as_guest(unit, who, *id, command),
            Command::Incident { id, command: incident::Command::Reports(said) } if !said.is_by_us() => self.may_as_reporter(unit, who, *id),
            Command::Incident { id, command } if goes_on(command) => self.may_go_on(unit, who, *id, by_themself(who, command)),
            Command::Incident { id, command } => {
                self.may_on(unit, who, *id, &Refusal::NoSuchIncident)?;
                if !command.is_asked() {
                    return self.only_us(who);
                }
                if let incident::Command::Roles(command) = command {
                    self.may_give(unit, who, *id, command)?;
                }
                // Whoever is said to have it can act on it, by whomever that is said.
                if let incident::Command::Attendance(
                    attendance::Command::Acknowledge { by: Some(by), .. } | attendance::Command::TakeFree { by, .. },
                ) = command
                {
                    self.may_have(who, by)?;
                }
                // Nobody asks, or hands over, in the name of another.
                if let incident::Command::Roles(roles::Command::Ask { by, .. } | roles::Command::Offer { by: Some(by), .. }) = command
                    && who.person() != Some(by.as_str())
                {
                    return Err(Refusal::from(Denied::AnothersName).into());
                }
                if let incident::Command::Access(sight::Command::Restrict { .. }) = command {
                    access::may_hide(who).map_err(Refusal::from)?;
                }
                Ok(())
            }
            Command::Escalate { id, .. } | Command::PagePeople { id, .. } => {
                self.may_go_on(unit, who, *id, true)?;
                self.not_of_a_test(unit, *id)
            }
            Command::Split { id, .. } => {
                self.may_on(unit, who, *id, &Refusal::NoSuchIncident)?;
                self.not_of_a_test(unit, *id)
            }
            Command::AskReview { id } => self.may_on(unit, who, *id, &Refusal::NoSuchIncident),
            Command::AddAction { incident: id, .. } => {
                self.may_on(unit, who, *id, &Refusal::NoSuchIncident)?;
                self.not_of_a_test(unit, *id)
            }
            Command::LinkAlert { id, alert } => {
                self.may_on(unit, who, *id, &Refusal::NoSuchIncident)?;
                self.sees_alert(unit, who, *alert)
            }
            Command::TakeApart { from } => {
                self.may_on(unit, who, *from, &Refusal::NoSuchIncident)?;
                match self.incident(unit, *from)?.0.merged_into {
                    Some(into) => self.may_on(unit, who, into, &Refusal::NoSuchIncident),
                    None => Ok(()),
                }
            }
            Command::Relate { id, to: other, .. } | Command::Unrelate { id, from: other } => {
                self.may_on(unit, who, *id, &Refusal::NoSuchIncident)?;
                self.may_on(unit, who, *other, &Refusal::NoSuchIncident)
            }
            Command::Order { id, part, why, .. } => {
                self.may_on(unit, who, *id, &Refusal::NoSuchIncident)?;
                self.may_on(unit, who, *part, &Refusal::NoSuchIncident)?;
                self.may_order(unit, who, *id, is_reason(why.as_deref()))
            }
            Command::Move { id, asked } => {
                self.may_on(unit, who, *id, &Refusal::NoSuchIncident)?;
                self.may_on(unit, who, asked.to, &Refusal::NoSuchIncident)?;
                self.not_of_a_test(unit, *id)?;
                self.may_move(unit, who, *id, asked)
            }
            Command::Merge { from, into } => {
                self.may_on(unit, who, *from, &Refusal::NoSuchIncident)?;
                self.may_on(unit, who, *into, &Refusal::NoSuchIncident)
            }
            Command::Review { id, command } => {
                let incident = self.read_once::<Review>(unit, *id)?.0.incident;
                self.may_on(unit, who, incident, &Refusal::NoSuchReview)?;
                match command {
                    review::Command::Assign { .. } | review::Command::Edit { .. } | review::Command::Publish { .. } => Ok(()),
                    review::Command::Open(_) | review::Command::Remind | review::Command::Miss => self.only_us(who),
                }
            }
            Command::Action { id, command } => {
                match self.read_once::<Action>(unit, *id)?.0.incident {
                    Some(incident) => self.may_on(unit, who, incident, &Refusal::NoSuchAction)?,
                    None => self.may_here(who)?,
                }
                match command {
                    action::Command::Assign { .. }
                    | action::Command::ChangeDue { .. }
                    | action::Command::Finish { .. }
                    | action::Command::Drop { .. } => Ok(()),
                    action::Command::Add { .. } | action::Command::Remind | action::Command::Miss => self.only_us(who),
                }
            }
            Command::Page { id, command } => {
                let incident = self.page(unit, *id)?.0.incident_id();
                let (incident, _) = self.incident(unit, incident)?;
                let may = access::may(&self.org, who, Right::Respond, Resource::Page(*id, incident.facts()));
                may.map_err(|no| said(no, Refusal::NoSuchPage))?;
                match command {
                    // Whoever holds a link answers for the person it was sent to, and for nobody else.
                    paging::Command::Acknowledge { by, .. } if who.link.is_some() && by.as_deref() != who.person() => {
                        Err(Refusal::from(Denied::Link).into())
                    }
                    paging::Command::Decline { by, .. } if who.link.is_some() && Some(by.as_str()) != who.person() => {
                        Err(Refusal::from(Denied::Link).into())
                    }
                    // Nobody passes on in the name of another.
                    paging::Command::Decline { by, .. } if who.person().is_some_and(|person| person != by) => {
                        Err(Refusal::from(Denied::AnothersName).into())
                    }
                    paging::Command::Acknowledge { by: Some(by), .. } => self.may_have(who, by),
                    paging::Command::Acknowledge { .. } | paging::Command::Decline { .. } => Ok(()),
                    paging::Command::Start(_)
                    | paging::Command::Tell(_)
                    | paging::Command::StepTimedOut { .. }
                    | paging::Command::EntryDue { .. }
                    | paging::Command::ComeBack { .. }
                    | paging::Command::RecordSend(_)
                    | paging::Command::Stop { .. }
                    | paging::Command::Resume { .. }
                    | paging::Command::AskConfirmation { .. }
                    | paging::Command::GiveBack { .. }
                    | paging::Command::TakeBack { .. } => self.only_us(who),
                }
            }
            Command::Signals(arrived) if who.actor == Actor::Integration(arrived.integration.clone()) => Ok(()),
            Command::IfVersion { .. }
            | Command::Signals(_)
            | Command::Attend { .. }
            | Command::Look(_)
            | Command::TakeOver { .. }
            | Command::Withdraw { .. }
            | Command::Sent { .. }
            | Command::Flush { .. }
            | Command::Canary { .. } => self.only_us(who),
        }
    }

    /// What an organisation does behind its link: it answers what it was asked, and writes in its own name.
    fn may_as_guest(&mut self, unit: &Unit, who: &Principal, id: IncidentId, command: &incident::Command) -> Decided<()> {
        let (incident, _) = self.incident(unit, id)?;
        let organisation = who.party().unwrap_or_default();
        let may = access::may(&self.org, who, Right::Respond, Resource::Party(incident.facts(), organisation));
        may.map_err(|no| said(no, Refusal::NoSuchIncident))?;
        let partners = &incident.work.partners;
        let answers = if let incident::Command::Partners(parties::Command::Hear { request, state, happened_at: None, .. }) = command {
            *state != RequestState::Withdrawn && partners.request(*request).is_some_and(|asked| asked.organisation == organisation)
        } else {
            false
        };
        let writes = if let incident::Command::Sharing(sharing::Command::Say { organisation: by, .. }) = command {
            by == organisation
        } else {
            false
        };
        let sends =
            if let incident::Command::Resources(command) = command { is_of_sender(&incident, organisation, command) } else { false };
        // A link that was revoked a moment before is over as it is decided.
        if (answers || writes || sends) && partners.link_of(organisation, unit.now).is_some() {
            Ok(())
        } else {
            Err(Refusal::NoSuchIncident.into())
        }
    }

    /// What comes from behind a receipt comes by a report form, of which the receipt is; and what is private takes nothing.
    fn may_as_reporter(&mut self, unit: &Unit, who: &Principal, id: IncidentId) -> Decided<()> {
        let Actor::Integration(form) = &who.actor else { return self.only_us(who) };
        let (incident, _) = self.incident(unit, id)?;
        if self.org.report_form(form).is_some() && !incident.private { Ok(()) } else { Err(Refusal::NoSuchIncident.into()) }
    }

    /// Whether somebody can have an incident because another says so.
    fn may_have(&self, who: &Principal, person: &str) -> Decided<()> {
        if who.person() == Some(person) || self.org.person(person).is_none() {
            // Themself, or nobody of ours: their name is checked where it is decided.
            return Ok(());
        }
        if roles::may_respond(&self.org, person) {
            return Ok(());
        }
        let refusal = roles::Refusal::MayNotRespond { role: COMMANDER.to_owned(), person: self.name_of_person(person) };
        Err(Refusal::from(incident::Refusal::from(refusal)).into())
    }

    /// Acts, without anything to act on.
    fn may_here(&self, who: &Principal) -> Decided<()> {
        Ok(access::may(&self.org, who, Right::Respond, Resource::Installation).map_err(Refusal::from)?)
    }

    /// Acts on an incident; `gone` is the word for one that they do not see.
    fn may_on(&mut self, unit: &Unit, who: &Principal, id: IncidentId, gone: &Refusal) -> Decided<()> {
        let (incident, _) = self.incident(unit, id)?;
        let may = access::may(&self.org, who, Right::Respond, Resource::Incident(incident.facts()));
        Ok(may.map_err(|no| said(no, gone.clone()))?)
    }

    /// Goes on with an incident: whoever may act on it, and whoever has it by the link that they hold.
    fn may_go_on(&mut self, unit: &Unit, who: &Principal, id: IncidentId, by_themself: bool) -> Decided<()> {
        let (incident, _) = self.incident(unit, id)?;
        // Who has it now, and not who acknowledged it first.
        let has_it = incident.is_held() && who.person().is_some() && incident.work.hold.by.as_deref() == who.person();
        let resource = if has_it { Resource::Theirs(incident.facts()) } else { Resource::Incident(incident.facts()) };
        access::may(&self.org, who, Right::Respond, resource).map_err(|no| said(no, Refusal::NoSuchIncident))?;
        if by_themself { Ok(()) } else { Err(Refusal::from(Denied::AnothersName).into()) }
    }

    /// A test is its person's: nobody else is paged or asked for it, whoever wants that.
    fn not_of_a_test(&mut self, unit: &Unit, id: IncidentId) -> Decided<()> {
        let (incident, _) = self.incident(unit, id)?;
        lifecycle::not_of_a_test(&incident).map_err(|no| Refusal::from(incident::Refusal::from(no)).into())
    }

    /// An alert is seen as its incident is; one without an incident is of the house.
    fn sees_alert(&mut self, unit: &Unit, who: &Principal, alert: AlertId) -> Decided<()> {
        let Some(alert) = self.whole_alert(alert)? else { return Err(Stop::Need(Need::Alert(alert))) };
        match alert.incident {
            Some(incident) => {
                let (incident, _) = self.incident(unit, incident)?;
                let may = access::may(&self.org, who, Right::See, Resource::Incident(incident.facts()));
                Ok(may.map_err(|no| said(no, Refusal::NoSuchAlert))?)
            }
            None if access::reach(&self.org, who).admits_none() => Ok(()),
            None => Err(Refusal::NoSuchAlert.into()),
        }
    }

    /// What nobody asks for from outside.
    fn only_us(&self, who: &Principal) -> Decided<()> {
        match who.actor {
            Actor::System | Actor::Clock => Ok(()),
            Actor::Person(_) | Actor::Token(_) | Actor::Integration(_) | Actor::Organisation(_) | Actor::Administrator => {
                tracing::error!(who = %who.actor, "a command of the program itself was asked for from outside");
                Err(Refusal::from(Denied::Ours).into())
            }
        }
    }
}

fn is_reason(why: Option<&str>) -> bool {
    why.is_some_and(says_something)
}

/// Who offered a role that nobody has, where this takes the offer back for somebody who neither made nor got it.
fn offer_of_another<'a>(incident: &'a incident::Incident, who: &Principal, command: &roles::Command) -> Option<&'a str> {
    // Who offers it to somebody else takes the offer of before back.
    let (roles::Command::Leave { role, .. } | roles::Command::Offer { role, .. }) = command else { return None };
    let offer = incident.work.roles.get(role).filter(|held| held.person.is_none() && held.offered_to.is_some())?;
    let is_theirs = who.person().is_some() && [offer.offered_by.as_deref(), offer.offered_to.as_deref()].contains(&who.person());
    offer.offered_by.as_deref().filter(|_| !is_theirs)
}

/// What goes on behind a message's link once the incident is whose link it is. Paging others is a command of its own.
const fn goes_on(command: &incident::Command) -> bool {
    use incident::{Command as C, ending, record};
    matches!(
        command,
        C::Record(record::Command::Note { .. })
            | C::Ending(ending::Command::Resolve { .. })
            | C::Attendance(attendance::Command::GiveBack { .. })
    )
}

/// What somebody took they give back themself.
fn by_themself(who: &Principal, command: &incident::Command) -> bool {
    let given_back = if let incident::Command::Attendance(attendance::Command::GiveBack { by, .. }) = command { Some(by) } else { None };
    given_back.is_none_or(|by| who.person() == Some(by.as_str()))
}

fn said(no: Denied, gone: Refusal) -> Refusal {
    if no == Denied::Unseen { gone } else { Refusal::Denied(no) }
}

/// What a command changes that has a version.
fn versioned(command: &Command) -> Option<Versioned> {
    match command {
        Command::Incident { id, .. }
        | Command::Escalate { id, .. }
        | Command::PagePeople { id, .. }
        | Command::LinkAlert { id, .. }
        | Command::AskReview { id }
        | Command::Relate { id, .. }
        | Command::Unrelate { id, .. }
        | Command::Split { id, .. }
        | Command::Order { id, .. }
        | Command::Move { id, .. }
        | Command::TakeApart { from: id }
        | Command::Merge { from: id, .. } => Some(Versioned::Incident(*id)),
        Command::Review { id, .. } => Some(Versioned::Review(*id)),
        Command::Action { id, .. } => Some(Versioned::Action(*id)),
        Command::Declare(_)
        | Command::TestPage { .. }
        | Command::Drill { .. }
        | Command::StopDrill { .. }
        | Command::AddAction { .. }
        | Command::IfVersion { .. }
        | Command::Page { .. }
        | Command::Signals(_)
        | Command::Attend { .. }
        | Command::Look(_)
        | Command::TakeOver { .. }
        | Command::Withdraw { .. }
        | Command::Sent { .. }
        | Command::Flush { .. }
        | Command::Canary { .. } => None,
    }
}

/// What whoever sends a resource says of it: that it is ordered, comes, is there, or that it is not sent.
fn is_of_sender(incident: &incident::Incident, organisation: &str, command: &resources::Command) -> bool {
    let resources::Command::Move { resource, said, organisation: None, happened_at: None, .. } = command else { return false };
    let sent_by = incident.work.resource(*resource).and_then(|found| found.organisation.as_deref());
    sent_by == Some(organisation) && !matches!(said, resources::Said::Released | resources::Said::Withdrawn)
}
