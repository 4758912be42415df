//! Whom a step pages, as it is written: `schedule:ID`, `next:ID`, `person:ID`, `team:ID`.

use super::FormKind;
use super::checker::Checker;
use crate::org::problem::Place;
use crate::org::words::meant;

/// What stands before a schedule's id where whoever comes on next is meant.
pub const NEXT: &str = "next";

/// A target of an escalation step, read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target<'a> {
    /// Who is on call in this schedule.
    Schedule(&'a str),
    /// Who comes on call next in this schedule, and is not on now.
    Next(&'a str),
    /// This person.
    Person(&'a str),
    /// Every member of this team.
    Team(&'a str),
    /// Everybody in this audience, and its own addresses.
    Audience(&'a str),
    /// This other organisation, by the agreed way.
    Organisation(&'a str),
}

impl<'a> Target<'a> {
    /// Reads `schedule:ID`, `next:ID`, `person:ID`, `team:ID`.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        match text.split_once(':')? {
            ("schedule", id) => Some(Self::Schedule(id)),
            (NEXT, id) => Some(Self::Next(id)),
            ("person", id) => Some(Self::Person(id)),
            ("team", id) => Some(Self::Team(id)),
            ("audience", id) => Some(Self::Audience(id)),
            ("organisation", id) => Some(Self::Organisation(id)),
            _ => None,
        }
    }
}

impl Checker<'_> {
    /// A target names what there is, and somebody.
    pub(super) fn target(&mut self, place: Place, target: &str) {
        let (kind, id) = match Target::parse(target) {
            Some(Target::Schedule(id) | Target::Next(id)) => (FormKind::Schedule, id),
            Some(Target::Person(id)) => (FormKind::Person, id),
            Some(Target::Team(id)) => (FormKind::Team, id),
            // An audience or another organisation is told, and cannot acknowledge.
            Some(Target::Audience(_) | Target::Organisation(_)) | None => {
                let shown: String = target.chars().take(64).collect();
                let named = [FormKind::Schedule, FormKind::Person, FormKind::Team].into_iter().find(|kind| self.knows(*kind, target));
                let hint = match named {
                    Some(kind) => format!("did you mean `{}:{target}`?", kind.word()),
                    None => "write `schedule:ID`, `next:ID`, `person:ID` or `team:ID`".to_owned(),
                };
                self.error(place, format!("`{shown}` is not a target"), hint);
                return;
            }
        };
        if !self.knows(kind, id) {
            let shown: String = id.chars().take(64).collect();
            let hint = meant(id, self.known(kind));
            self.error(place, format!("`{shown}` is not a {}", kind.word()), hint);
        } else if kind == FormKind::Team && self.bundle.teams.iter().any(|team| team.id == id && team.members.is_empty()) {
            self.warning(place, format!("team `{id}` has no members, so this pages nobody"), "give the team members");
        }
    }
}
