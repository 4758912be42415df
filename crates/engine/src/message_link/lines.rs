//! Lines that people type in a chat to ask for something, which are about no message: `list`, `declare TITLE`, `REF`, `ack REF`,
//! `note REF WORDS`, `resolve REF`.
//!
//! Whoever types is the person whose verified contact it comes from, and may by it what they may anywhere: a line is no link, and
//! opens nothing more. How a line comes and how it is answered is the channel's; what it means is here, so that a word means the
//! same in every chat.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use allclear_domain::access::{Actor, Principal, scope_of_person};
use allclear_domain::ask::{self, Given};
use allclear_domain::ids::IncidentId;
use allclear_domain::incident::attendance;
use allclear_domain::incident::lifecycle::Verb;
use allclear_domain::incident::work::TaskState;
use allclear_domain::view::IncidentView;
use allclear_domain::wire::{Line, NotGenuine, ReplyRequest};

use super::replies::NotReplied;
use crate::asks;
use crate::core::{Command, Declare, Input, Known, Once, Reply};
use crate::engine::Engine;
use crate::read::{IncidentFilter, NoAnswer};

/// Incidents that a list has: what one looks through in a chat.
const LISTED_MAX: usize = 10;
/// Characters of a title there.
const TITLE_CHARS_MAX: usize = 80;
/// Characters of a word that is repeated.
const REPEATED_CHARS_MAX: usize = 40;
/// Characters of a line that tell it from another of the same name.
const DIGEST_CHARS_MAX: usize = 200;
/// What can be asked.
pub const HELP: &str = "list: what is open\n\
     declare TITLE: declares an incident, and pages as one that is declared does\n\
     INC-1: how it stands\n\
     ack INC-1: you have it\n\
     note INC-1 WORDS: adds a note to its log\n\
     resolve INC-1: service is normal again; what made it so may stand behind\n\
     help: this";

/// What a line asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Asked {
    List,
    Declare(String),
    Show(String),
    Acknowledge(String),
    Note { reference: String, text: String },
    Resolve { reference: String, note: Option<String> },
    Help,
}

/// Whether a word may be an incident's reference: letters, a hyphen, digits.
fn is_reference(word: &str) -> bool {
    word.split_once('-').is_some_and(|(before, number)| {
        let is_all = |text: &str, of: fn(&u8) -> bool| !text.is_empty() && text.as_bytes().iter().all(of);
        is_all(before, u8::is_ascii_alphabetic) && is_all(number, u8::is_ascii_digit)
    })
}

/// # Errors
/// What would work.
fn read(words: &str) -> Result<Asked, String> {
    let words = words.trim();
    let (verb, rest) = words.split_once(char::is_whitespace).unwrap_or((words, ""));
    let rest = rest.trim();
    match (verb.to_lowercase().as_str(), rest) {
        ("" | "help" | "?", _) => Ok(Asked::Help),
        ("list" | "ls", "") => Ok(Asked::List),
        ("declare", "") => Err("write what has happened behind it, as in: declare Checkout answers slowly".to_owned()),
        // A title is one line.
        ("declare", title) => Ok(Asked::Declare(title.lines().map(str::trim).collect::<Vec<_>>().join(" "))),
        ("ack" | "acknowledge" | "take", "") => Err("write which, as in: ack INC-1".to_owned()),
        ("ack" | "acknowledge" | "take", reference) if !reference.contains(char::is_whitespace) => {
            Ok(Asked::Acknowledge(reference.to_owned()))
        }
        ("ack" | "acknowledge" | "take", _) => Err("write one reference alone, as in: ack INC-1".to_owned()),
        ("note", rest) => match rest.split_once(char::is_whitespace) {
            Some((reference, text)) => Ok(Asked::Note { reference: reference.to_owned(), text: text.trim().to_owned() }),
            None => Err("write which and what, as in: note INC-1 The cache was cold".to_owned()),
        },
        ("resolve", "") => Err("write which, as in: resolve INC-1".to_owned()),
        ("resolve", rest) => Ok(match rest.split_once(char::is_whitespace) {
            Some((reference, note)) => Asked::Resolve { reference: reference.to_owned(), note: Some(note.trim().to_owned()) },
            None => Asked::Resolve { reference: rest.to_owned(), note: None },
        }),
        ("show", reference) if is_reference(reference) => Ok(Asked::Show(reference.to_owned())),
        (_, "") if is_reference(verb) => Ok(Asked::Show(verb.to_owned())),
        _ => {
            let verb: String = verb.chars().take(REPEATED_CHARS_MAX).collect();
            Err(format!("`{verb}` is nothing that can be asked here. What can be:\n{HELP}"))
        }
    }
}

impl Engine {
    /// Does what a line asks for, and says what became of it.
    ///
    /// # Errors
    /// Why nothing was done, in words for whoever typed it.
    pub async fn line(&self, channel: &str, request: &ReplyRequest<'_>, line: &Line) -> Result<String, NotReplied> {
        let replies = self.hears(channel).ok_or(NotReplied::NoSuchChannel)?;
        if !replies.is_of_vendor(request, &self.both_clocks()) {
            return Err(NotGenuine.into());
        }
        let person = self.person_at(channel, &line.from)?;
        let who = Principal::new(Actor::Person(person.clone()), scope_of_person(&self.org(), &person));
        match read(&line.words).map_err(NotReplied::NotAsked)? {
            Asked::Help => Ok(HELP.to_owned()),
            Asked::List => self.told_open(&who).await,
            Asked::Declare(title) => self.declare_by_line(channel, &who, title, line).await,
            Asked::Show(reference) => self.told_one(&who, &reference).await,
            Asked::Note { reference, text } => {
                let mut given = Given::default();
                given.put("text", text);
                let (reference, _) = self.ask_by_line(channel, &who, &reference, (Verb::Note, &given), line).await?;
                Ok(format!("Noted on {reference}."))
            }
            Asked::Resolve { reference, note } => {
                let mut given = Given::default();
                if let Some(note) = note {
                    given.put("note", note);
                }
                let (reference, id) = self.ask_by_line(channel, &who, &reference, (Verb::Resolve, &given), line).await?;
                let incident = self.queries(&who).incident(id).await?;
                Ok(format!("{reference} is {}.", incident.state.word()))
            }
            Asked::Acknowledge(reference) => self.acknowledge_by_line(channel, &who, &reference).await,
        }
    }

    /// The person whose verified contact over this channel has this address, which the vendor says is theirs.
    ///
    /// # Errors
    /// When it is nobody's, or several people's.
    pub(super) fn person_at(&self, channel: &str, address: &str) -> Result<String, NotReplied> {
        let org = self.org();
        let has = |contact: &allclear_domain::org::model::Contact| {
            contact.verified && contact.address.get(channel).is_some_and(|own| own.eq_ignore_ascii_case(address))
        };
        let people: BTreeSet<&str> =
            org.everybody().filter(|person| person.contacts.iter().any(has)).map(|person| person.id.as_str()).collect();
        let mut people = people.into_iter();
        let shown: String = address.chars().take(REPEATED_CHARS_MAX).collect();
        match (people.next(), people.next()) {
            (Some(one), None) => Ok(one.to_owned()),
            (None, _) => Err(NotReplied::NotAsked(format!(
                "nothing was done: nobody here has the contact `{channel}: {shown}`. If that is you, add it under Me at {}/me and prove it with \
                 the code that you are sent",
                self.base_url()
            ))),
            (Some(_), Some(_)) => {
                Err(NotReplied::NotAsked(format!("nothing was done: several people here have the contact `{channel}: {shown}`")))
            }
        }
    }

    async fn told_open(&self, who: &Principal) -> Result<String, NotReplied> {
        let filter = IncidentFilter { open: true, real: true, ..IncidentFilter::default() };
        let (open, cut) = self.queries(who).open_incidents(&filter).await?;
        if open.is_empty() {
            return Ok("Nothing is open that you see.".to_owned());
        }
        let mut told = String::new();
        for incident in open.iter().take(LISTED_MAX) {
            let _ = writeln!(told, "{}", self.told_of(incident));
        }
        if open.len() > LISTED_MAX {
            let more = open.len() - LISTED_MAX;
            let _ = writeln!(told, "and {more}{} more, at {}", if cut { " or" } else { "" }, self.base_url());
        }
        Ok(told.trim_end().to_owned())
    }

    /// One in one line.
    fn told_of(&self, incident: &IncidentView) -> String {
        let mut title: String = incident.title.chars().take(TITLE_CHARS_MAX).collect();
        if title.len() < incident.title.len() {
            title.push('…');
        }
        let has = match incident.acknowledged_by.as_deref() {
            Some(by) => format!("{} has it", self.name_of(by)),
            None => "nobody has it".to_owned(),
        };
        format!("{} [{}] {title}: {}, {has}", incident.reference, incident.severity.to_string().to_uppercase(), incident.state.word())
    }

    /// A person's name; what a sender calls somebody is shown as it is.
    pub(crate) fn name_of(&self, person: &str) -> String {
        self.org().person(person).map_or_else(|| person.to_owned(), |form| form.name.clone())
    }

    async fn declare_by_line(&self, channel: &str, who: &Principal, title: String, line: &Line) -> Result<String, NotReplied> {
        let declare = Declare {
            title: title.clone(),
            severity: None,
            known: Known::default(),
            service: None,
            impact_started_at: None,
            page: true,
            private: false,
            report: false,
        };
        // The same request, if it comes again, is the same incident.
        let once = Once { key: format!("{channel}:{}", line.key), digest: title, digest_before: None };
        let input = Input { who: who.clone(), cause: channel.to_owned(), once: Some(once), command: Command::Declare(declare) };
        let Reply::Incident { id, .. } = self.ask(input).await? else {
            return Ok("It was declared by this before.".to_owned());
        };
        let incident = self.queries(who).incident(id).await?;
        let url = self.links().incident_url(&incident.reference);
        Ok(format!("Declared {} [{}]. {url}", incident.reference, incident.severity.to_string().to_uppercase()))
    }

    async fn acknowledge_by_line(&self, channel: &str, who: &Principal, reference: &str) -> Result<String, NotReplied> {
        let id = self.meant_by_line(who, reference).await?;
        self.take_as_themself(channel, who, id).await
    }

    /// The incident of a reference, of those that whoever types sees.
    async fn meant_by_line(&self, who: &Principal, reference: &str) -> Result<IncidentId, NotReplied> {
        match self.queries(who).incident_id(reference).await {
            Ok(id) => Ok(id),
            Err(NoAnswer::Missing(_)) => {
                let shown: String = reference.chars().take(REPEATED_CHARS_MAX).collect();
                Err(NotReplied::NotAsked(format!("there is no `{shown}` that you see")))
            }
            Err(other) => Err(other.into()),
        }
    }

    async fn told_one(&self, who: &Principal, reference: &str) -> Result<String, NotReplied> {
        let id = self.meant_by_line(who, reference).await?;
        let incident = self.queries(who).incident(id).await?;
        let mut told = format!("{}\n", self.told_of(&incident));
        if let Some(service) = &incident.service {
            let name = self.org().service(service).map_or_else(|| service.clone(), |form| form.name.clone());
            let _ = writeln!(told, "Service: {name}");
        }
        if let Some(commander) = &incident.commander {
            let _ = writeln!(told, "Commander: {}", self.name_of(commander));
        }
        let open = incident.tasks.iter().filter(|task| task.state == TaskState::Open).count();
        if open > 0 {
            let _ = writeln!(told, "Open tasks: {open}");
        }
        let _ = write!(told, "{}", self.links().incident_url(&incident.reference));
        Ok(told)
    }

    /// Asks an incident for what a row of the table asks for, once for each line; the reference as it is written, and its id.
    async fn ask_by_line(
        &self,
        channel: &str,
        who: &Principal,
        reference: &str,
        (verb, given): (Verb, &Given),
        line: &Line,
    ) -> Result<(String, IncidentId), NotReplied> {
        let id = self.meant_by_line(who, reference).await?;
        let row = ask::of(verb).ok_or_else(|| NotReplied::NotAsked(format!("`{}` is not asked by a line", verb.word())))?;
        let command = self.asked(who, id, row, given, channel).await.map_err(|why| match why {
            asks::NotAsked::Denied(no) => NotReplied::Refused(no.into()),
            other @ (asks::NotAsked::Fields(_) | asks::NotAsked::NotThere { .. }) => NotReplied::NotAsked(other.to_string()),
        })?;
        let once = Once {
            key: format!("{channel}:{}", line.key),
            digest: line.words.chars().take(DIGEST_CHARS_MAX).collect(),
            digest_before: None,
        };
        self.ask(Input { who: who.clone(), cause: channel.to_owned(), once: Some(once), command }).await?;
        Ok((self.queries(who).incident(id).await?.reference, id))
    }

    /// Somebody takes an incident, whatever message they may have; nothing is taken from whoever has it.
    pub(super) async fn take_as_themself(
        &self,
        channel: &str,
        who: &Principal,
        id: allclear_domain::ids::IncidentId,
    ) -> Result<String, NotReplied> {
        let person = who.person().unwrap_or_default().to_owned();
        let incident = self.queries(who).incident(id).await?;
        if !incident.state.is_open() {
            return Err(NotReplied::Over(format!("{} is {}: there is nothing for you to do.", incident.reference, incident.state.word())));
        }
        let has_it = incident.acknowledged_by.as_deref() == Some(person.as_str()) && self.queries(who).is_held(id).await?;
        if has_it {
            return Ok(format!("You have {}.", incident.reference));
        }
        // Judged as it is decided: of two who ask at once one has it.
        let command = attendance::Command::TakeFree { by: person.clone(), via: channel.to_owned() };
        let command = Command::Incident { id, command: command.into() };
        if let Err(refusal) = self.submit(Input { who: who.clone(), cause: channel.to_owned(), once: None, command }).await {
            let now = self.queries(who).incident(id).await?;
            let another = now.acknowledged_by.filter(|by| *by != person);
            return match another {
                Some(by) if self.queries(who).is_held(id).await? => {
                    let url = self.links().incident_url(&incident.reference);
                    Ok(format!("{} has {}. To take it over, see {url}", self.name_of(&by), incident.reference))
                }
                Some(_) | None => Err(refusal.into()),
            };
        }
        Ok(format!("You have {}.", incident.reference))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_of_few_words_and_what_stands_behind_it() {
        for (words, asked) in [
            ("", Asked::Help),
            (" HELP me", Asked::Help),
            ("list", Asked::List),
            ("declare  Checkout is slow ", Asked::Declare("Checkout is slow".into())),
            ("Declare 火事 🔥", Asked::Declare("火事 🔥".into())),
            ("ack inc-1", Asked::Acknowledge("inc-1".into())),
            ("take INC-1", Asked::Acknowledge("INC-1".into())),
            ("inc-12", Asked::Show("inc-12".into())),
            ("show INC-1", Asked::Show("INC-1".into())),
            ("note INC-1  the cache was cold ", Asked::Note { reference: "INC-1".into(), text: "the cache was cold".into() }),
            ("note INC-1\ntwo\nlines", Asked::Note { reference: "INC-1".into(), text: "two\nlines".into() }),
            ("declare one\n two", Asked::Declare("one two".into())),
            ("resolve INC-1", Asked::Resolve { reference: "INC-1".into(), note: None }),
            ("Resolve INC-1 rolled back", Asked::Resolve { reference: "INC-1".into(), note: Some("rolled back".into()) }),
        ] {
            assert_eq!(read(words), Ok(asked), "{words:?}");
        }
        for (words, told) in [
            ("declare", "declare Checkout"),
            ("ack", "ack INC-1"),
            ("ack INC-1 INC-2", "alone"),
            ("list everything", "What can be"),
            ("note INC-1", "as in: note INC-1"),
            ("resolve", "as in: resolve"),
            ("INC-1 resolve", "What can be"),
            ("close INC-1", "`close`"),
            ("<!channel>", "What can be"),
        ] {
            let why = read(words).unwrap_err();
            assert!(why.contains(told), "{words:?}: {why}");
        }
        assert!(read(&"x".repeat(100_000)).unwrap_err().len() < 700);
    }
}
