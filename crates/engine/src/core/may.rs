//! Whether whoever asks may: every command is held here, as it is decided, against the organisation and the incident as
//! they are then. No door can come round it.
//!
//! Not here: what a command's own rules refuse to everybody.

use allclear_domain::access::{self, Actor, Denied, Principal, Resource, Right};
use allclear_domain::action::Action;
use allclear_domain::ids::IncidentId;
use allclear_domain::review::Review;

use super::unit::Unit;
use super::{Command, Core, Decided, Refusal};

impl Core {
    pub(super) fn may(&mut self, unit: &mut Unit, who: &Principal, command: &Command) -> Decided<()> {
        match command {
            Command::IfVersion { command, .. } => self.may(unit, who, command),
            Command::Declare(declare) => {
                self.may_here(who, Right::Respond)?;
                if declare.private {
                    access::may_hide(who).map_err(Refusal::from)?;
                }
                Ok(())
            }
            Command::Incident { id, .. }
            | Command::Escalate { id, .. }
            | Command::PagePeople { id, .. }
            // Of an alert of an incident that they do not see, linking names nothing.
            | Command::LinkAlert { id, .. }
            | Command::AskReview { id }
            | Command::AddAction { incident: id, .. } => self.may_on(unit, who, *id, &Refusal::NoSuchIncident),
            Command::Merge { from, into } => {
                self.may_on(unit, who, *from, &Refusal::NoSuchIncident)?;
                self.may_on(unit, who, *into, &Refusal::NoSuchIncident)
            }
            Command::Review { id, .. } => {
                let incident = self.read_once::<Review>(unit, *id)?.0.incident;
                self.may_on(unit, who, incident, &Refusal::NoSuchReview)
            }
            Command::Action { id, .. } => match self.read_once::<Action>(unit, *id)?.0.incident {
                Some(incident) => self.may_on(unit, who, incident, &Refusal::NoSuchAction),
                None => self.may_here(who, Right::Respond),
            },
            Command::Page { id, .. } => {
                let incident = self.page(unit, *id)?.0.incident_id();
                let (incident, _) = self.incident(unit, incident)?;
                let may = access::may(&self.org, who, Right::Respond, Resource::Page(*id, incident.facts()));
                Ok(may.map_err(|no| said(no, Refusal::NoSuchPage))?)
            }
            Command::Signals(arrived) if who.actor == Actor::Integration(arrived.integration.clone()) => Ok(()),
            Command::Signals(_)
            | Command::Attend { .. }
            | Command::Look(_)
            | Command::TakeOver { .. }
            | Command::Withdraw { .. }
            | Command::Sent { .. }
            | Command::Flush { .. } => self.only_us(who),
        }
    }

    fn may_here(&self, who: &Principal, right: Right) -> Decided<()> {
        Ok(access::may(&self.org, who, right, Resource::Installation).map_err(Refusal::from)?)
    }

    /// Acts on an incident; `gone` is the word for one that they do not see.
    fn may_on(&mut self, unit: &Unit, who: &Principal, id: IncidentId, gone: &Refusal) -> Decided<()> {
        let (incident, _) = self.incident(unit, id)?;
        let may = access::may(&self.org, who, Right::Respond, Resource::Incident(incident.facts()));
        Ok(may.map_err(|no| said(no, gone.clone()))?)
    }

    /// What nobody asks for from outside.
    fn only_us(&self, who: &Principal) -> Decided<()> {
        match who.actor {
            Actor::System | Actor::Clock => Ok(()),
            Actor::Person(_) | Actor::Token(_) | Actor::Integration(_) | Actor::Administrator => {
                tracing::error!(who = %who.actor, "a command of the program itself was asked for from outside");
                Err(Refusal::Broken.into())
            }
        }
    }
}

fn said(no: Denied, gone: Refusal) -> Refusal {
    if no == Denied::Unseen { gone } else { Refusal::Denied(no) }
}
