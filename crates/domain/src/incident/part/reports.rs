//! What people outside say of an incident that they reported, and what they are told: words both ways, and whether it is fixed for
//! them. Each knows its own report by its receipt, and reads nothing else.
//!
//! A report itself is an alert ([`crate::org::forms::report_form`]): triage judges it, and many of one thing are one incident.
//! Who a reporter is, and how they are reached, is never in a log.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ask::{Ask, Came, Field, Kind, May, Program, command};
use crate::event::event_kinds;
use crate::ids::AlertId;
use crate::incident::lifecycle::{Verb, fits, fits_state};
use crate::incident::reporting::{Word, WordOf};
use crate::incident::words::{self, KEPT_CHARS_MAX};
use crate::incident::{Context, Decision, Incident, State, ending, nothing, one};
use crate::names::{Names, with_text};
use crate::time::{Length, after};

/// How long after it was resolved a reporter may say that it is not: over a weekend, and no longer than people remember.
pub const REOPEN_WITHIN: Length = Length::from_secs(72 * 3_600);
/// How often reporters reopen one incident at most: what is not fixed after that wants another look than one more page.
pub const REOPENED_BY_REPORTERS_MAX: u32 = 3;
/// Words that are kept with an incident: what its reporters and those who deal with it say to each other.
pub const WORDS_MAX: usize = 200;
/// Words of one reporter that are kept with it: a busy evening's.
pub const WORDS_OF_ONE_MAX: usize = 20;

event_kinds! {
    /// A fact; past tense.
    Event {
        Told(Told) = "reporters_told" [Key],
        Said(Said) = "reporter_said" [Key],
        Agreed(Agreed) = "fix_confirmed" [Key],
        Disputed(Disputed) = "fix_disputed" [Key],
    }
}

/// Body of `reporters_told`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Told {
    pub text: String,
}

/// Body of `reporter_said`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Said {
    pub report: AlertId,
    pub text: String,
}

/// Body of `fix_confirmed`: for whoever sent this report it is fixed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Agreed {
    pub report: AlertId,
}

/// Body of `fix_disputed`: for whoever sent this report it is not fixed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Disputed {
    pub report: AlertId,
    /// How often reporters said so of this incident, this one included.
    pub times: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// A command; imperative.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Everybody who reported it reads this.
    Tell { text: String },
    /// A reporter adds something.
    Say { report: AlertId, text: String },
    /// For a reporter it is fixed.
    Agree { report: AlertId },
    /// For a reporter it is not.
    Dispute { report: AlertId, text: Option<String> },
}

impl Command {
    /// Whether people ask for it as it is; the rest comes from behind a receipt.
    pub(in crate::incident) const fn is_asked(&self) -> bool {
        self.is_by_us()
    }

    /// Whether it is a word of those who deal with it, and not of a reporter.
    #[must_use]
    pub const fn is_by_us(&self) -> bool {
        match self {
            Self::Tell { .. } => true,
            Self::Say { .. } | Self::Agree { .. } | Self::Dispute { .. } => false,
        }
    }
}

/// Why not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("nobody outside reported this incident: write an update or a note instead")]
    NobodyReported,
    #[error("this is not said to be fixed yet")]
    NotSaidToBeFixed,
    #[error("this was said to be fixed more than {REOPEN_WITHIN} ago: send a new report, and name this one in it")]
    TooLate,
    #[error("this was reopened {REOPENED_BY_REPORTERS_MAX} times by those who reported it: send a new report, and name this one in it")]
    TooOften,
    #[error("no more can be added here: send a new report, and name this one in it")]
    TooMuch,
}

impl Refusal {
    /// The stable code of the API.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NobodyReported => "nobody_reported",
            Self::NotSaidToBeFixed => "not_resolved",
            Self::TooLate => "reopen_too_late",
            Self::TooOften => "reopened_too_often",
            Self::TooMuch => "report_full",
        }
    }
}

/// What people may ask.
pub(crate) const ASKS: &[Ask] = &[Ask {
    verb: Verb::Tell,
    label: "Tell those who reported it",
    says: "Everybody outside who reported it reads this on their receipt",
    press: "Tell them",
    body: "TellBody",
    programs: &[Program::of("tell").says("Tell those outside who reported it")],
    may: May::Responder,
    fields: &[
        Field::needed("text", "the text", "What they read", Kind::Words { max: KEPT_CHARS_MAX }).hint("Everybody who reported it reads it")
    ],
    ways: &[],
    make: |given, _| command(Command::Tell { text: given.must("text") }),
    came: Came::Itself,
}];

pub(in crate::incident) fn decide(incident: &Incident, command: Command, context: Context) -> Decision {
    let reports = &incident.work.reports;
    match command {
        Command::Tell { text } => {
            fits(incident, Verb::Tell)?;
            words::needed(&text, "the text")?;
            words::at_most(&text, "the text", KEPT_CHARS_MAX)?;
            if !incident.is_reported() {
                return Err(Refusal::NobodyReported.into());
            }
            if reports.words.len() >= WORDS_MAX {
                return Err(Refusal::TooMuch.into());
            }
            one(Event::Told(Told { text }))
        }
        Command::Say { report, text } => {
            fits(incident, Verb::Tell)?;
            words::needed(&text, "the text")?;
            words::at_most(&text, "the text", KEPT_CHARS_MAX)?;
            room_for(incident, report)?;
            one(Event::Said(Said { report, text }))
        }
        Command::Agree { report } => {
            if !is_said_to_be_fixed(incident) {
                return Err(Refusal::NotSaidToBeFixed.into());
            }
            if reports.agreed.contains(&report) { nothing() } else { one(Event::Agreed(Agreed { report })) }
        }
        Command::Dispute { report, text } => {
            if !is_said_to_be_fixed(incident) {
                return Err(Refusal::NotSaidToBeFixed.into());
            }
            fits_state(incident, Verb::Reopen)?;
            let text = words::kept(text)?;
            if incident.resolved_at.is_none_or(|at| after(at, REOPEN_WITHIN) <= context.now) {
                return Err(Refusal::TooLate.into());
            }
            if reports.reopened >= REOPENED_BY_REPORTERS_MAX {
                return Err(Refusal::TooOften.into());
            }
            let why = text.clone().unwrap_or_else(|| STILL_BROKEN.to_owned());
            let disputed = Event::Disputed(Disputed { report, times: reports.reopened + 1, text });
            let reopened = ending::reopened(incident, why);
            Ok(vec![disputed.into(), reopened.into()])
        }
    }
}

/// Why it was reopened, where whoever reported it says no more.
const STILL_BROKEN: &str = "whoever reported it says that it still does not work";

const fn is_said_to_be_fixed(incident: &Incident) -> bool {
    matches!(incident.state, State::Resolved | State::Closed)
}

fn room_for(incident: &Incident, report: AlertId) -> Result<(), Refusal> {
    let words = &incident.work.reports.words;
    let of_one = words.iter().filter(|word| word.of == WordOf::Report(report)).count();
    if words.len() >= WORDS_MAX || of_one >= WORDS_OF_ONE_MAX { Err(Refusal::TooMuch) } else { Ok(()) }
}

pub(in crate::incident) fn evolve(incident: &mut Incident, event: &Event, at: Timestamp) {
    let reports = &mut incident.work.reports;
    let mut say = |of: WordOf, text: &str| reports.words.push(Word { of, text: text.to_owned(), at });
    match event {
        Event::Told(body) => say(WordOf::Us, &body.text),
        Event::Said(body) => say(WordOf::Report(body.report), &body.text),
        Event::Agreed(body) => {
            reports.agreed.insert(body.report);
        }
        Event::Disputed(body) => {
            if let Some(text) = &body.text {
                say(WordOf::Report(body.report), text);
            }
            reports.reopened = body.times;
            reports.agreed.clear();
        }
    }
}

pub(in crate::incident) fn line(event: &Event, names: &Names<'_>) -> String {
    match event {
        Event::Told(body) => format!("{} told those who reported it: {}", names.who(), body.text),
        Event::Said(body) => format!("Whoever reported it adds: {}", body.text),
        Event::Agreed(_) => "For somebody who reported it, it is fixed".into(),
        Event::Disputed(body) => {
            let times = if body.times == 1 { "the first time".to_owned() } else { format!("{} times by now", body.times) };
            with_text(format!("Somebody who reported it says that it is not fixed, {times}"), body.text.as_deref())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::Sample;
    use super::*;

    fn reported() -> Sample {
        let mut sample = Sample::declared();
        sample.incident.group_key = Some("report form|door|shop".into());
        sample
    }
    const REPORT: AlertId = AlertId::from_bits(7);

    #[test]
    fn words_go_both_ways_and_have_an_end() {
        let tell = || Command::Tell { text: "we look".into() };
        assert_eq!(Sample::declared().refusal(tell()), "nobody_reported");
        let mut sample = reported();
        assert_eq!(sample.run(tell()).unwrap().kinds(), ["reporters_told"]);
        assert_eq!(sample.refusal(Command::Tell { text: "\u{200b}".into() }), "words_missing");
        let say = |text: &str| Command::Say { report: REPORT, text: text.into() };
        assert_eq!(sample.refusal(say(&"x".repeat(KEPT_CHARS_MAX + 1))), "too_long");
        for _ in 0..WORDS_OF_ONE_MAX {
            sample.run(say("still")).unwrap();
        }
        assert_eq!(sample.refusal(say("more")), "report_full");
        sample.run(Command::Say { report: AlertId::from_bits(8), text: "another has room".into() }).unwrap();
    }

    #[test]
    fn what_is_said_to_be_fixed_is_reopened_three_times_within_three_days() {
        let mut sample = reported();
        let dispute = || Command::Dispute { report: REPORT, text: None };
        let resolve = || ending::Command::Resolve { note: None, waive: None };
        assert_eq!(sample.refusal(dispute()), "not_resolved");
        for times in 1..=REOPENED_BY_REPORTERS_MAX {
            sample.run(resolve()).unwrap();
            sample.run(Command::Agree { report: REPORT }).unwrap();
            assert_eq!(sample.run(Command::Agree { report: REPORT }).unwrap().events, []);
            assert_eq!(sample.run(dispute()).unwrap().kinds(), ["fix_disputed", "reopened"]);
            assert_eq!((sample.incident.reopened, sample.incident.work.reports.reopened), (times, times));
            assert_eq!(sample.incident.state, State::Investigating);
        }
        sample.run(resolve()).unwrap();
        assert_eq!(sample.refusal(dispute()), "reopened_too_often");
        let mut late = reported();
        late.run(resolve()).unwrap();
        late.at = after(late.at, REOPEN_WITHIN);
        assert_eq!(late.refusal(dispute()), "reopen_too_late");
        let mut none = reported().after(ending::Command::Cancel { why: "nothing".into() });
        assert_eq!(none.refusal(dispute()), "not_resolved");
    }
}
