//! What may be asked of an incident: one row a command, which stands beside the part that decides it.
//!
//! A row says what the command is called and does, its fields, who may, and how the fields make the typed command. The
//! API's bodies with their description, the forms of the pages, the commands of the command line and the tests of all of
//! them are made from it; a door that is added reads the same. In which states it fits is said by [`lifecycle`](crate::incident::lifecycle).
//!
//! Invariant: what is wrong with a field is found here, once, so that every door refuses the same with the same words.
//!
//! Not here: what the rules say of a command that reads ([`decide`](crate::incident::decide)), and how a door shows a
//! field or where it takes it from.

mod check;
mod field;
mod given;
mod program;
mod table;

pub use field::{Field, Kind, MARKING, MARKING_NOT_RED, REASON};
pub use given::{Given, Refusal};
pub use program::{Came, Program};
pub use table::{all, in_short, named, of};

use jiff::Timestamp;

use crate::ids::AlertId;
use crate::incident;
use crate::incident::lifecycle::Verb;
use crate::incident::related::Relation;
use crate::severity::Severity;

/// A row of the table.
#[derive(Debug)]
pub struct Ask {
    pub verb: Verb,
    /// On a button.
    pub label: &'static str,
    /// What it does, in a sentence without its full stop.
    pub says: &'static str,
    /// What is pressed once its fields are filled in.
    pub press: &'static str,
    /// The name of its body in the API's description; rows with the same fields share one.
    pub body: &'static str,
    /// Its commands on the command line.
    pub programs: &'static [Program],
    pub may: May,
    pub fields: &'static [Field],
    /// Which fields go together, where not all of them do. Each way has every needed field.
    pub ways: &'static [&'static [&'static str]],
    pub make: fn(&Given, &By<'_>) -> Result<Asked, Refusal>,
    /// What came of it, for whoever asked.
    pub came: Came,
}

/// Who may, among those that see the incident and respond.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum May {
    /// All of them.
    Responder,
    /// Whoever would still see it: what stands for nobody would shut itself out.
    WhoStillSees,
}

/// By whom, from where and when something is asked.
#[derive(Debug, Clone, Copy)]
pub struct By<'a> {
    /// Whom whoever asks stands for.
    pub person: Option<&'a str>,
    /// Where it comes from: `api`, `web`.
    pub via: &'a str,
    pub now: Timestamp,
}

/// What is asked, typed. What the rules of one incident cannot decide alone is named by what was given.
#[derive(Debug, Clone, PartialEq)]
#[allow(clippy::large_enum_variant)] // what is asked comes and goes one at a time
pub enum Asked {
    Command(incident::Command),
    /// Into the incident with this reference or id.
    Merge {
        into: String,
    },
    TakeApart,
    /// The incident with this reference or id is this to it.
    Relate {
        to: String,
        is: Relation,
        follow: bool,
    },
    /// A part of it becomes an incident of its own.
    Split(Split),
    /// The part of it with this reference or id gets this place, or none.
    Order {
        part: String,
        rank: Option<u32>,
        why: Option<String>,
    },
    /// Somebody goes to another incident.
    Move(Move),
    /// The incident with this reference or id is nothing to it any more.
    Unrelate {
        to: String,
    },
    Escalate {
        escalation: Option<String>,
        why: String,
    },
    PagePeople {
        targets: Vec<String>,
        why: String,
    },
    LinkAlert {
        alert: AlertId,
    },
    /// The note with this number of the whole log.
    Mark {
        entry: i64,
        key: bool,
    },
    AskReview,
}

/// What becomes an incident of its own, as it was written; what of it there is the engine knows.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Split {
    pub title: String,
    pub severity: Option<Severity>,
    /// Ids.
    pub alerts: Vec<String>,
    /// Numbers.
    pub tasks: Vec<String>,
    /// Ids.
    pub services: Vec<String>,
    /// Who leads it: a person's id.
    pub to: Option<String>,
}

/// Somebody who goes to another incident, as it was written.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Move {
    /// A person's id.
    pub person: String,
    /// The reference or id of the other incident.
    pub to: String,
    pub why: String,
    /// Who has it instead: a person's id.
    pub instead: Option<String>,
    /// Whether it may be nobody's.
    pub uncovered: bool,
}

/// Something that the rules of the incident decide.
pub(crate) fn command(command: impl Into<incident::Command>) -> Result<Asked, Refusal> {
    Ok(Asked::Command(command.into()))
}

impl Ask {
    /// A field by its name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// What was given, as the typed command.
    ///
    /// # Errors
    /// Where a field is missing, unknown or does not read, or where those that are given do not go together.
    pub fn read(&self, given: &Given, by: &By<'_>) -> Result<Asked, Refusal> {
        given.holds_only(self.fields)?;
        for field in self.fields {
            field.check(given)?;
        }
        (self.make)(given, by)
    }

    /// The ways in which it may be asked: the names of the fields of each.
    #[must_use]
    pub fn all_ways(&self) -> Vec<Vec<&'static str>> {
        if self.ways.is_empty() {
            return vec![self.fields.iter().map(|field| field.name).collect()];
        }
        self.ways.iter().map(|way| way.to_vec()).collect()
    }

    /// Its fields in short: `{text, owner?, within?}`, and the other ways after an `or`.
    #[must_use]
    pub fn fields_in_short(&self) -> String {
        let one = |name: &&str| {
            let always = self.field(name).is_some_and(|field| field.needed) || self.is_the_point(name);
            if always { (*name).to_owned() } else { format!("{name}?") }
        };
        let ways = self.all_ways();
        let ways: Vec<String> = ways.iter().map(|way| format!("{{{}}}", way.iter().map(one).collect::<Vec<_>>().join(", "))).collect();
        ways.join(" or ")
    }

    /// Whether a way stands and falls with the field: it begins one, or tells two apart that begin alike.
    fn is_the_point(&self, name: &str) -> bool {
        let alike = |first: &str| self.ways.iter().filter(|way| way.first() == Some(&first)).count() > 1;
        self.ways.iter().any(|way| way.first() == Some(&name) || (way.get(1) == Some(&name) && alike(way[0])))
    }
}

#[cfg(test)]
mod tests;
