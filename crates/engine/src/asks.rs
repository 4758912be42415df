//! What is asked of an incident: the row of [`allclear_domain::ask`] is read, what it names is looked up as whoever asks may
//! see it, and what the row says of who may is held. Whether they may act on this incident is held where it is decided.
//!
//! Not here: how a door takes the fields, and what it says where this says no.

use allclear_domain::access::{Denied, Principal, may_hide};
use allclear_domain::ask::{self, Ask, Asked, By, Given, May};
use allclear_domain::ids::IncidentId;
use allclear_domain::incident::{self, access, attendance};

use crate::core::{Command, Refusal};
use crate::engine::Engine;
use crate::read::NoAnswer;

/// Why nothing is asked of the core.
#[derive(Debug, thiserror::Error)]
pub enum NotAsked {
    /// What was given makes no command.
    #[error(transparent)]
    Fields(#[from] ask::Refusal),
    #[error(transparent)]
    Denied(#[from] Denied),
    /// What a field names is not there, or not for whoever asks.
    #[error("{why}")]
    NotThere { named: String, why: NoAnswer },
    /// Somebody is named whom the organisation does not have.
    #[error(transparent)]
    Nobody(#[from] Refusal),
}

/// Characters of a name that is shown back.
const NAMED_CHARS_MAX: usize = 64;

impl Engine {
    /// The command that a row and its fields mean.
    ///
    /// # Errors
    /// Where the fields make none, or whoever asks may not.
    pub async fn asked(&self, who: &Principal, id: IncidentId, ask: &Ask, given: &Given, via: &str) -> Result<Command, NotAsked> {
        match ask.may {
            May::Responder => {}
            May::WhoStillSees => may_hide(who)?,
        }
        let asked = ask.read(given, &By { person: who.person(), via, now: self.now() })?;
        Ok(match asked {
            Asked::Command(command) => {
                self.knows_whom(&command)?;
                Command::Incident { id, command }
            }
            Asked::Merge { into } => {
                let found = self.queries(who).incident_id(&into).await;
                let into = found.map_err(|why| NotAsked::NotThere { named: format!("incident `{}`", cut(&into)), why })?;
                Command::Merge { from: id, into }
            }
            Asked::Escalate { escalation, why } => Command::Escalate { id, escalation, why },
            Asked::PagePeople { targets, why } => Command::PagePeople { id, targets, why },
            Asked::LinkAlert { alert } => {
                // Of an alert of an incident that they may not see nobody is told anything.
                let found = self.queries(who).alert(alert).await;
                found.map_err(|why| NotAsked::NotThere { named: "alert".to_owned(), why })?;
                Command::LinkAlert { id, alert }
            }
            Asked::AskReview => Command::AskReview { id },
        })
    }

    /// Whoever is named here is somebody. Roles, tasks and audiences are held against the organisation where they are
    /// decided.
    fn knows_whom(&self, command: &incident::Command) -> Result<(), Refusal> {
        use incident::Command as C;
        let people: &[String] = match command {
            C::Attendance(attendance::Command::Acknowledge { by: Some(by), .. }) => std::slice::from_ref(by),
            C::Access(access::Command::Admit { people, .. }) => people,
            C::Attendance(_)
            | C::Access(_)
            | C::Declaration(_)
            | C::Alarms(_)
            | C::Flapping(_)
            | C::Ending(_)
            | C::Roles(_)
            | C::Tasks(_)
            | C::Updates(_)
            | C::Record(_)
            | C::Links(_) => &[],
        };
        let org = self.org();
        match people.iter().find(|person| org.person(person).is_none()) {
            Some(unknown) => Err(Refusal::NoSuchPerson(cut(unknown))),
            None => Ok(()),
        }
    }
}

fn cut(text: &str) -> String {
    text.chars().take(NAMED_CHARS_MAX).collect()
}
