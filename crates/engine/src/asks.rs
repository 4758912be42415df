//! What is asked of an incident: the row of [`allclear_domain::ask`] is read, what it names is looked up as whoever asks may
//! see it, and what the row says of who may is held. Whether they may act on this incident is held where it is decided.
//!
//! Not here: how a door takes the fields, and what it says where this says no.

use allclear_domain::access::{Denied, Principal, may_hide};
use allclear_domain::ask::{self, Ask, Asked, By, Given, May};
use allclear_domain::ids::IncidentId;
use allclear_domain::incident::record;

use crate::core::{Command, Move, NAMED_CHARS_MAX, Split};
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
}

impl From<NoAnswer> for NotAsked {
    fn from(why: NoAnswer) -> Self {
        Self::NotThere { named: "note".to_owned(), why }
    }
}

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
            Asked::Command(command) => Command::Incident { id, command },
            Asked::Merge { into } => Command::Merge { from: id, into: self.named_incident(who, &into).await? },
            Asked::Relate { to, is, follow } => Command::Relate { id, to: self.named_incident(who, &to).await?, is, follow },
            Asked::Unrelate { to } => Command::Unrelate { id, from: self.named_incident(who, &to).await? },
            Asked::Order { part, rank, why } => Command::Order { id, part: self.named_incident(who, &part).await?, rank, why },
            Asked::Move(asked) => {
                let to = self.named_incident(who, &asked.to).await?;
                let asked = Move { person: asked.person, to, why: asked.why, instead: asked.instead, uncovered: asked.uncovered };
                Command::Move { id, asked }
            }
            Asked::Split(split) => Command::Split { id, split: typed(split)? },
            Asked::TakeApart => Command::TakeApart { from: id },
            Asked::Escalate { escalation, why } => Command::Escalate { id, escalation, why },
            Asked::PagePeople { targets, why } => Command::PagePeople { id, targets, why },
            Asked::LinkAlert { alert } => {
                // Of an alert of an incident that they may not see nobody is told anything.
                let found = self.queries(who).alert(alert).await;
                found.map_err(|why| NotAsked::NotThere { named: "alert".to_owned(), why })?;
                Command::LinkAlert { id, alert }
            }
            Asked::Mark { entry, key } => {
                let note = self.queries(who).note(id, entry).await?;
                Command::incident(id, record::Command::Mark { note: note.version, written_at: note.at, key })
            }
            Asked::AskReview => Command::AskReview { id },
        })
    }
}

/// Alerts and tasks by their ids and numbers.
fn typed(split: ask::Split) -> Result<Split, ask::Refusal> {
    let wrong = |field: &str, why: String| ask::Refusal::Wrong { field: field.to_owned(), why };
    let task = |text: &String| text.parse().map_err(|_| wrong("tasks", format!("`{}` is no number of a task", cut(text))));
    let alert =
        |text: &String| text.parse().map_err(|_| wrong("alerts", format!("`{}` is no id of an alert; it begins with `alt_`", cut(text))));
    Ok(Split {
        alerts: split.alerts.iter().map(alert).collect::<Result<_, _>>()?,
        tasks: split.tasks.iter().map(task).collect::<Result<_, _>>()?,
        services: each_once(split.services),
        title: split.title,
        severity: split.severity,
        to: split.to,
    })
}

impl Engine {
    /// Another incident that a field names, of those that whoever asks may see.
    async fn named_incident(&self, who: &Principal, reference: &str) -> Result<IncidentId, NotAsked> {
        let found = self.queries(who).incident_id(reference).await;
        found.map_err(|why| NotAsked::NotThere { named: format!("incident `{}`", cut(reference)), why })
    }
}

fn cut(text: &str) -> String {
    text.chars().take(NAMED_CHARS_MAX).collect()
}

/// In the order in which they were given.
fn each_once(list: Vec<String>) -> Vec<String> {
    let mut known = std::collections::BTreeSet::new();
    list.into_iter().filter(|one| known.insert(one.clone())).collect()
}
