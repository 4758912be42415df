//! Forms of the Incident Command System, filled from the record for an operational period: a table, a file a form.
//!
//! Numbers and titles of blocks are those of the FEMA forms, so that whoever knows them finds their way; the words within are ours.
//! A block is filled with what the record says and with nothing else: what it lacks is left as room to write in. That a form is
//! filled says nothing of who approves it, so that signatures are always room.
//!
//! Not here: how it looks ([`Content`] is drawn elsewhere), and who may read what, which was decided where the record was read.

mod ics_201;
mod ics_202;
mod ics_203;
mod ics_204;
mod ics_205;
mod ics_206;
mod ics_207;
mod ics_208;
mod ics_209;
mod ics_211;
mod ics_213;
mod ics_214;
mod ics_215;
mod ics_221;
#[cfg(test)]
mod tests;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::Record;
use crate::event::Mark;
use crate::incident::resource::ResourceState;
use crate::timeline;
use crate::view::{EventView, ResourceView};

/// Lines of the log that a form holds at most: what a few sheets of paper take; the record itself has all.
const LINES_MAX: usize = 200;

/// A form.
pub struct Form {
    /// As it is asked for.
    pub id: &'static str,
    /// As people call it.
    pub number: &'static str,
    pub title: &'static str,
    fill: fn(&Filing<'_>) -> Vec<Sheet>,
}

/// Every form, in the order of their numbers.
pub static FORMS: &[Form] = &[
    ics_201::FORM,
    ics_202::FORM,
    ics_203::FORM,
    ics_204::FORM,
    ics_205::FORM,
    ics_206::FORM,
    ics_207::FORM,
    ics_208::FORM,
    ics_209::FORM,
    ics_211::FORM,
    ics_213::FORM,
    ics_214::FORM,
    ics_215::FORM,
    ics_221::FORM,
];

/// The form of this id.
#[must_use]
pub fn form(id: &str) -> Option<&'static Form> {
    FORMS.iter().find(|form| form.id == id)
}

impl Form {
    /// The form as it is filled: one sheet, or one for each thing that it is about.
    #[must_use]
    pub fn fill(&self, filing: &Filing<'_>) -> Vec<Sheet> {
        (self.fill)(filing)
    }
}

/// A filled form, of one thing.
pub type Sheet = Vec<Block>;

/// A block of a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Its number, as in `5` or `31–32`.
    pub number: &'static str,
    pub title: &'static str,
    pub content: Content,
}

/// What stands in a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Words, each on a line of its own.
    Words(Vec<String>),
    /// The record says nothing: so many lines to write on.
    Room(u8),
    /// Rows under a head, and so many empty ones below.
    Table { head: &'static [&'static str], rows: Vec<Vec<String>>, room: u8 },
}

/// What a form is filled from.
#[derive(Debug, Clone, Copy)]
pub struct Filing<'a> {
    pub record: &'a Record<'a>,
    /// The operational period.
    pub from: Timestamp,
    pub to: Timestamp,
    /// Times are written in it.
    pub zone: &'a TimeZone,
    /// Who has it filled: a person's id.
    pub by: Option<&'a str>,
}

impl Filing<'_> {
    fn clock(&self, at: Timestamp) -> String {
        at.to_zoned(self.zone.clone()).strftime("%Y-%m-%d %H:%M").to_string()
    }

    fn clock_or_nothing(&self, at: Option<Timestamp>) -> String {
        at.map(|at| self.clock(at)).unwrap_or_default()
    }

    fn is_within(&self, at: Timestamp) -> bool {
        (self.from..self.to).contains(&at)
    }

    /// Who holds a role, by name.
    fn holder(&self, role: &str) -> Option<String> {
        let incident = &self.record.incident;
        let found = incident.roles.iter().find(|one| one.role == role).and_then(|one| one.person.as_deref());
        let found = found.or_else(|| incident.commander.as_deref().filter(|_| role == "commander"));
        found.map(|id| self.record.person(id))
    }

    /// What a role is called.
    fn role_name(&self, role: &str) -> String {
        self.record.org.role(role).map_or_else(|| role.to_owned(), |known| known.name.clone())
    }

    /// The roles of somebody, by name.
    fn roles_of(&self, person: &str) -> Option<String> {
        let held = self.record.incident.roles.iter().filter(|role| role.person.as_deref() == Some(person));
        let names: Vec<String> = held.map(|role| self.role_name(&role.role)).collect();
        (!names.is_empty()).then(|| names.join(", "))
    }

    /// Events of the period that people look for first, each with its time.
    fn key_events(&self) -> Vec<(String, String)> {
        let incident = &self.record.incident;
        let is_key = |event: &&EventView| {
            let notes: &[u64] = if event.stream == incident.id { &incident.key_notes } else { &[] };
            self.is_within(event.at) && timeline::is_key(&event.kind, event.version, notes)
        };
        self.told(self.record.events.iter().filter(is_key).collect())
    }

    /// Everything of the period that people did, each with its time.
    fn activities(&self) -> Vec<(String, String)> {
        let told = |event: &&EventView| self.is_within(event.at) && !timeline::is(&event.kind, Mark::Machinery);
        self.told(self.record.events.iter().filter(told).collect())
    }

    /// In the order of time; where there are too many the first say so.
    fn told(&self, mut events: Vec<&EventView>) -> Vec<(String, String)> {
        events.sort_by_key(|event| event.at);
        let left_out = events.len().saturating_sub(LINES_MAX);
        let more =
            (left_out > 0).then(|| (String::new(), format!("{left_out} earlier entries of the period are left out; the record has them")));
        let line = |event: &&EventView| (self.clock(event.at), event.line.clone());
        more.into_iter().chain(events.iter().skip(left_out).map(line)).collect()
    }

    /// What has to hold before it is over, and how long services may be affected: what this record has of objectives.
    fn objectives(&self) -> Vec<String> {
        let incident = &self.record.incident;
        let recovery = incident.recovery.iter().map(|item| format!("{} ({})", item.text, item.state.word()));
        let times = incident.objectives.iter().map(|one| {
            let stands = match (one.ended_at, one.missed_at) {
                (_, Some(at)) => format!("missed {}", self.clock(at)),
                (Some(at), None) => format!("kept {}", self.clock(at)),
                (None, None) => format!("until {}", self.clock(one.due_at)),
            };
            format!("{}: {stands}", one.called(&self.record.service(&one.service)))
        });
        recovery.chain(times).collect()
    }

    /// Who does a task.
    fn doer(&self, task: &crate::view::TaskView) -> String {
        let person = task.owner.as_deref().or(task.doer.as_deref()).map(|id| self.record.person(id));
        person.or_else(|| task.role.as_deref().map(|role| self.role_name(role))).unwrap_or_default()
    }

    /// From whom a resource comes.
    fn source(&self, resource: &ResourceView) -> String {
        resource.organisation.as_deref().map(|id| self.record.organisation(id)).unwrap_or_default()
    }

    /// Other organisations that take part.
    fn parties(&self) -> impl Iterator<Item = &crate::view::PartyView> {
        self.record.incident.parties.iter().filter(|party| party.left_at.is_none_or(|left| left >= self.from))
    }

    fn resources(&self) -> impl Iterator<Item = &ResourceView> {
        self.record.incident.resources.iter().filter(|one| one.state != ResourceState::Withdrawn)
    }

    fn name(&self, number: &'static str) -> Block {
        words(number, "Incident name", [self.record.incident.title.clone()])
    }

    fn number(&self, number: &'static str) -> Block {
        words(number, "Incident number", [self.record.incident.reference.clone()])
    }

    fn period(&self, number: &'static str) -> Block {
        let zone = self.zone.iana_name().unwrap_or("UTC");
        words(number, "Operational period", [format!("From {}", self.clock(self.from)), format!("To {} ({zone})", self.clock(self.to))])
    }

    /// Who has it filled, and when; the signature is theirs.
    fn prepared(&self, number: &'static str, title: &'static str) -> Block {
        let (name, position) = self.by.map_or((String::new(), None), |by| (self.record.person(by), self.roles_of(by)));
        let row = vec![name, position.unwrap_or_default(), String::new(), self.clock(self.record.made_at)];
        Block { number, title, content: Content::Table { head: SIGNED, rows: vec![row], room: 0 } }
    }
}

/// Of whoever signs.
const SIGNED: &[&str] = &["Name", "Position", "Signature", "Date and time"];

/// Room for somebody's signature.
const fn signature(number: &'static str, title: &'static str) -> Block {
    Block { number, title, content: Content::Table { head: SIGNED, rows: Vec::new(), room: 1 } }
}

/// Words, or a line where there are none.
fn words(number: &'static str, title: &'static str, words: impl IntoIterator<Item = String>) -> Block {
    words_or_room(number, title, words, 1)
}

fn words_or_room(number: &'static str, title: &'static str, words: impl IntoIterator<Item = String>, lines: u8) -> Block {
    let words: Vec<String> = words.into_iter().filter(|words| !words.trim().is_empty()).collect();
    let content = if words.is_empty() { Content::Room(lines) } else { Content::Words(words) };
    Block { number, title, content }
}

const fn room(number: &'static str, title: &'static str, lines: u8) -> Block {
    Block { number, title, content: Content::Room(lines) }
}

const fn table(number: &'static str, title: &'static str, head: &'static [&'static str], rows: Vec<Vec<String>>, room: u8) -> Block {
    Block { number, title, content: Content::Table { head, rows, room } }
}

/// Rows of two.
fn pairs(pairs: Vec<(String, String)>) -> Vec<Vec<String>> {
    pairs.into_iter().map(|(one, other)| vec![one, other]).collect()
}
