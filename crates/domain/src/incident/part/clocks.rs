//! How soon an incident is to be acknowledged, joined, mitigated and resolved: its clocks, by the target of its severity and
//! service.
//!
//! A clock counts from when the incident was declared, only while it is open and nobody paused it, and only the open hours of
//! its target's calendar. It is met by an instant of the incident, so that whoever corrects that corrects it as well; what was
//! missed stays missed. What has happened before a target applied is not judged by it.
//!
//! When each is due is counted by the engine's organisation ([`super::counting`]), and stands in the event; [`moves`] says after
//! which events it is counted anew.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ask::{Ask, Came, Field, Kind, May, Program, command};
use crate::event::event_kinds;
use crate::expect::{Key, Rule, Standing};
use crate::incident::awaited::Awaited;
use crate::incident::clock::{Clock, Stop, Timed, WaitingFor};
use crate::incident::lifecycle::{Verb, fits};
use crate::incident::words::{self, KEPT_CHARS_MAX};
use crate::incident::{
    Context, Decision, Event as Any, Incident, State, affected, attendance, declaration, ending, flapping, links, nothing, one, record,
    roles,
};
use crate::names::{Names, with_text};
use crate::plants::planted;
use crate::time::Length;

pub use super::counting::{Reached, counted, due, elapsed, met_at, owed, ran, standing};
use super::counting::{counts, is_engaged};

/// How often the clocks of an incident are paused at most: each pause stays with it, and is read with each command.
pub const PAUSES_MAX: usize = 100;

event_kinds! {
    /// A fact; past tense.
    Event {
        Set(Set) = "clocks_set",
        Paused(Paused) = "clocks_paused" [Key],
        Resumed(Resumed) = "clocks_resumed" [Key],
        Warned(Warned) = "clock_warned",
        Missed(Missed) = "clock_missed" [Key],
    }
}

/// Body of `clocks_set`: what counts from now on. A clock that is not among them ends, unless it was met or missed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Set {
    /// From when they count; absent where no target applies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clocks: Vec<Timed>,
    /// Whether there were any before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub again: bool,
}

/// Body of `clocks_paused`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Paused {
    pub waiting_for: WaitingFor,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// Body of `clocks_resumed`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Resumed {}

/// Body of `clock_warned`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Warned {
    pub clock: Clock,
    /// Hundredths of its time that are over.
    pub share: u8,
    pub due_at: Timestamp,
}

/// Body of `clock_missed`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Missed {
    pub clock: Clock,
    /// The target that set it.
    pub target: String,
    pub within: Length,
    pub due_at: Timestamp,
}

/// A command; imperative.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// This is what counts from now on ([`counted`]). `anew`: also where it is what was known, since what was settled is
    /// awaited again.
    Count { from: Option<Timestamp>, clocks: Vec<Timed>, anew: bool },
    /// Work waits: the time to mitigate and to resolve does not count.
    Pause { waiting_for: WaitingFor, why: Option<String> },
    /// It counts again.
    Resume,
    /// A share of its time is over.
    Warn { clock: Clock },
    /// All of it is.
    Miss { clock: Clock },
}

impl Command {
    /// Whether people ask for it as it is; the rest follows from something else.
    pub(in crate::incident) const fn is_asked(&self) -> bool {
        match self {
            Self::Pause { .. } | Self::Resume => true,
            Self::Count { .. } | Self::Warn { .. } | Self::Miss { .. } => false,
        }
    }
}

/// Why not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("this incident has no clock that runs and can be paused: those of a target's `mitigate` and `resolve` can")]
    NoClock,
    #[error("its clocks are not paused: nothing is to be resumed")]
    NotPaused,
    #[error("its clocks were paused {max} times: say in a note for whom work waits")]
    TooManyPauses { max: usize },
}

impl Refusal {
    /// The stable code of the API.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoClock => "no_clock",
            Self::NotPaused => "clock_not_paused",
            Self::TooManyPauses { .. } => "too_many_pauses",
        }
    }
}

/// What people may ask.
pub(crate) const ASKS: &[Ask] = &[
    Ask {
        verb: Verb::PauseClock,
        label: "Pause the clocks",
        says: "Work waits for somebody else: the time to mitigate and to resolve does not count until it is resumed",
        press: "Pause them",
        body: "PauseClockBody",
        programs: &[Program::of("pause-clock").places(&["waiting_for"])],
        may: May::Responder,
        fields: &[
            Field::needed("waiting_for", "for whom work waits", "Waiting for", Kind::Choice { name: "WaitingFor", of: &WaitingFor::WORDS }),
            Field::may("why", "the reason", "For what?", Kind::Words { max: KEPT_CHARS_MAX }).hint("For what; needed with `other`"),
        ],
        ways: &[],
        make: |given, _| {
            let waiting_for = given.as_text("waiting_for").and_then(WaitingFor::from_word).unwrap_or(WaitingFor::Other);
            command(Command::Pause { waiting_for, why: given.text("why") })
        },
        came: Came::Itself,
    },
    Ask {
        verb: Verb::ResumeClock,
        label: "Resume the clocks",
        says: "Work goes on: the time to mitigate and to resolve counts again",
        press: "Resume them",
        body: "ResumeClockBody",
        programs: &[Program::of("resume-clock")],
        may: May::Responder,
        fields: &[],
        ways: &[],
        make: |_, _| command(Command::Resume),
        came: Came::Itself,
    },
];

/// Whether the clocks are counted anew after an event; `Some(true)` where what was settled by what it undoes is awaited
/// again.
#[must_use]
pub fn moves(event: &Any) -> Option<bool> {
    match event {
        Any::Declaration(declaration::Event::Declared(_) | declaration::Event::Promoted(_) | declaration::Event::SeverityChanged(_))
        | Any::Affected(affected::Event::ServiceChanged(_))
        // What comes too late is missed at once, whether or not anybody has looked.
        | Any::Attendance(attendance::Event::Acknowledged(_))
        | Any::Roles(roles::Event::Taken(_))
        | Any::Ending(ending::Event::Mitigated(_) | ending::Event::Resolved(_))
        | Any::Record(record::Event::TimeCorrected(_)) => Some(false),
        Any::Clocks(Event::Paused(_) | Event::Resumed(_))
        | Any::Ending(ending::Event::Reopened(_))
        | Any::Links(links::Event::TakenApart(_)) => Some(true),
        Any::Attendance(attendance::Event::Lost(body)) => body.undone.then_some(true),
        Any::Flapping(flapping::Event::Returned(body)) => body.reopened.then_some(true),
        Any::Declaration(declaration::Event::Proposed(_) | declaration::Event::Renamed(_))
        | Any::Affected(affected::Event::ImpactChanged(_))
        | Any::Answers(_)
        | Any::Assessment(_)
        | Any::Attendance(_)
        | Any::Alarms(_)
        | Any::Flapping(_)
        | Any::Ending(ending::Event::Cancelled(_) | ending::Event::Closed(_))
        | Any::Roles(_)
        | Any::Staffing(_)
        | Any::Tasks(_)
        | Any::Updates(_)
        | Any::Record(_)
        | Any::Decisions(_)
        | Any::Hypotheses(_)
        | Any::Links(_)
        | Any::Clocks(_)
        | Any::Plans(_)
        | Any::Deeds(_)
        | Any::Recovery(_)
        | Any::Reports(_)
        | Any::Partners(_)
        | Any::Obligations(_)
        | Any::Objectives(_)
        | Any::Resources(_)
        | Any::Responders(_)
        | Any::Sharing(_)
        | Any::Relations(_)
        | Any::Ordering(_)
        | Any::Moves(_)
        | Any::Transfers(_)
        | Any::Access(_) => None,
    }
}

pub(in crate::incident) fn decide(incident: &Incident, command: Command, context: Context) -> Decision {
    let clocks = &incident.work.clocks;
    let live = |clock: Clock| clocks.get(clock).filter(|timed| standing(incident, timed) == Standing::Live);
    match command {
        Command::Count { from, clocks, anew } => Ok(count(incident, from, clocks, anew)),
        Command::Pause { waiting_for, why } => {
            fits(incident, Verb::PauseClock)?;
            if !Clock::ALL.into_iter().any(|clock| clock.may_pause() && live(clock).is_some()) {
                return Err(Refusal::NoClock.into());
            }
            let why = words::kept(why)?;
            if waiting_for == WaitingFor::Other {
                words::needed(why.as_deref().unwrap_or_default(), "the reason")?;
            }
            if clocks.paused().is_some_and(|stop| stop.waiting_for == Some(waiting_for) && stop.why == why) {
                return nothing();
            }
            if clocks.stops.len() >= PAUSES_MAX {
                return Err(Refusal::TooManyPauses { max: PAUSES_MAX }.into());
            }
            one(Event::Paused(Paused { waiting_for, why }))
        }
        Command::Resume => {
            fits(incident, Verb::ResumeClock)?;
            if clocks.paused().is_none() {
                return Err(Refusal::NotPaused.into());
            }
            one(Event::Resumed(Resumed {}))
        }
        Command::Warn { clock } => {
            let found = live(clock).and_then(|timed| Some((timed.to_warn(context.now)?, timed.due_at?)));
            match found {
                Some((share, due_at)) => one(Event::Warned(Warned { clock, share, due_at })),
                None => nothing(),
            }
        }
        Command::Miss { clock } => {
            let due = live(clock).filter(|timed| timed.due_at.is_some_and(|due_at| due_at <= context.now));
            Ok(due.into_iter().filter_map(missed).collect())
        }
    }
}

fn missed(timed: &Timed) -> Option<Any> {
    let (clock, target, within) = (timed.clock, timed.target.clone(), timed.within);
    Some(Event::Missed(Missed { clock, target, within, due_at: timed.due_at? }).into())
}

/// What is new, and what came too late.
fn count(incident: &Incident, from: Option<Timestamp>, list: Vec<Timed>, anew: bool) -> Vec<Any> {
    let clocks = &incident.work.clocks;
    let is_known = |timed: &Timed| clocks.get(timed.clock).is_some_and(|known| known.counts_as(timed));
    let ends = |known: &Timed| standing(incident, known) == Standing::Live && !list.iter().any(|timed| timed.clock == known.clock);
    let moved = from != clocks.from && !(list.is_empty() && clocks.list.is_empty());
    let is_new = moved || list.iter().any(|timed| !is_known(timed)) || clocks.list.iter().any(ends);
    let late = |timed: &Timed| {
        let met_at = met_at(incident, timed.clock);
        timed.missed_at.is_none() && timed.due_at.zip(met_at).is_some_and(|(due_at, met_at)| met_at > due_at)
    };
    let kept = clocks.list.iter().filter(|known| !list.iter().any(|timed| timed.clock == known.clock));
    let too_late: Vec<Any> = kept.chain(&list).filter(|timed| late(timed)).filter_map(missed).collect();
    let mut events = Vec::new();
    if is_new || (anew && !list.is_empty()) {
        events.push(Event::Set(Set { from, clocks: list, again: !clocks.list.is_empty() }).into());
    }
    events.extend(too_late);
    events
}

/// Whatever ends an incident stops its clocks, and whatever brings it back lets them go on, unless it left them paused; a second person counts from here.
pub(in crate::incident) fn hear(incident: &mut Incident, before: State, at: Timestamp) {
    if incident.work.clocks.is_empty() {
        return;
    }
    let is_engaged = is_engaged(incident);
    let (did, does) = (counts(before), counts(incident.state));
    let clocks = &mut incident.work.clocks;
    if is_engaged {
        clocks.engaged_at.get_or_insert(at);
    }
    if did && !does {
        clocks.stop(Stop { from: at, until: None, waiting_for: None, why: None });
    } else if does && !did && clocks.paused().is_none() {
        clocks.go_on(at);
    }
}

pub(in crate::incident) fn evolve(incident: &mut Incident, event: &Event, at: Timestamp) {
    match event {
        Event::Set(body) => {
            let mut list = Vec::new();
            for clock in Clock::ALL {
                let known = incident.work.clocks.get(clock);
                if let Some(set) = body.clocks.iter().find(|timed| timed.clock == clock) {
                    // Of a time that is as long as it was nobody is told twice.
                    let same = known.filter(|known| known.within == set.within && known.calendar == set.calendar);
                    list.push(Timed { warned: same.map_or(0, |known| known.warned), missed_at: None, ..set.clone() });
                } else {
                    list.extend(known.filter(|known| standing(incident, known) != Standing::Live).cloned());
                }
            }
            (incident.work.clocks.list, incident.work.clocks.from) = (list, body.from);
        }
        Event::Paused(body) => {
            let stop = Stop { from: at, until: None, waiting_for: Some(body.waiting_for), why: body.why.clone() };
            incident.work.clocks.stop(stop);
        }
        Event::Resumed(_) => incident.work.clocks.go_on(at),
        Event::Warned(body) => {
            if let Some(timed) = incident.work.clocks.get_mut(body.clock) {
                timed.warned = body.share;
            }
        }
        Event::Missed(body) => {
            if let Some(timed) = incident.work.clocks.get_mut(body.clock) {
                timed.missed_at.get_or_insert(at);
            }
        }
    }
}

/// The key of a clock's expectation.
#[must_use]
pub fn key(clock: Clock) -> String {
    Key::Target(clock.word().to_owned()).to_string()
}

/// What was met a moment ago is awaited no more, whatever met it.
pub(in crate::incident) fn react_to_any(incident: &Incident, event: &Any, awaited: &mut Awaited) {
    if matches!(event, Any::Clocks(_)) || planted("clock-met-leaves-timer") {
        return;
    }
    for timed in &incident.work.clocks.list {
        if met_at(incident, timed.clock) != Some(awaited.at) || timed.missed_at.is_some() {
            continue;
        }
        match standing(incident, timed) {
            Standing::Met => awaited.settle(&key(timed.clock), Standing::Met, "it came in time"),
            Standing::Missed => awaited.settle(&key(timed.clock), Standing::Missed, "it came too late"),
            Standing::Live | Standing::Void => {}
        }
    }
}

pub(in crate::incident) fn react(incident: &Incident, event: &Event, awaited: &mut Awaited) {
    match event {
        Event::Set(body) => {
            if body.again {
                for clock in Clock::ALL {
                    awaited.settle(&key(clock), Standing::Void, "its clocks were counted anew");
                }
            }
            for timed in incident.work.clocks.list.iter().filter(|timed| standing(incident, timed) == Standing::Live) {
                if let (Some(due_at), Some(look_at)) = (timed.due_at, timed.look_at()) {
                    awaited.open_looked(&key(timed.clock), Rule::Target, due_at, look_at);
                }
            }
        }
        // The count that follows settles and opens.
        Event::Paused(_) | Event::Resumed(_) | Event::Warned(_) => {}
        Event::Missed(body) => awaited.settle(&key(body.clock), Standing::Missed, "it did not come in time"),
    }
}

pub(in crate::incident) fn line(event: &Event, names: &Names<'_>) -> String {
    let who = names.who();
    match event {
        Event::Set(body) => {
            let one = |timed: &Timed| match timed.due_at {
                Some(due_at) => format!("{} by {}", timed.clock.word(), names.clock(due_at)),
                None => format!("{} paused", timed.clock.word()),
            };
            let again = if body.again { "Clocks counted anew" } else { "Clocks" };
            match body.clocks.first() {
                Some(first) => {
                    let all: Vec<String> = body.clocks.iter().map(one).collect();
                    format!("{again}, by the target {}: {}", first.target, all.join(", "))
                }
                None => "No target applies any more, and its clocks end".into(),
            }
        }
        Event::Paused(body) => {
            with_text(format!("{who} paused the clocks to mitigate and resolve, {}", body.waiting_for.words()), body.why.as_deref())
        }
        Event::Resumed(_) => format!("{who} resumed the clocks to mitigate and resolve"),
        Event::Warned(body) => {
            format!("{} % of the time to {} is over; due {}", body.share, body.clock.word(), names.clock(body.due_at))
        }
        Event::Missed(body) => {
            format!("Target missed: {} within {}, due {} ({})", body.clock.word(), body.within, names.clock(body.due_at), body.target)
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::sample::{Happened, Sample};
    use super::*;
    use crate::channel::WaysOut;
    use crate::incident::declaration::Command as Declaration;
    use crate::incident::roles::COMMANDER;
    use crate::incident::{Command as AnyCommand, Severity, ending::Command as Ending};
    use crate::org::snapshot::Org;
    use crate::time::after;

    fn org() -> Org {
        let bundle = json!({"targets": [
            {"id": "third", "severity": "sev3", "acknowledge": "10m", "engage": "20m", "mitigate": "1h", "resolve": "4h"},
            {"id": "first", "severity": "sev1", "mitigate": "30m"},
        ]});
        Org::build(1, serde_json::from_value(bundle).unwrap(), WaysOut::NONE)
    }

    /// A command and the count that the engine makes after it.
    fn act(sample: &mut Sample, minutes: u64, command: impl Into<AnyCommand>) -> Happened {
        sample.at = after(sample.at, Length::from_mins(minutes));
        let happened = sample.run(command).unwrap();
        let anew = happened.events.iter().filter_map(moves).reduce(|one, other| one || other);
        if let Some(anew) = anew {
            let (from, clocks) = counted(&org(), &sample.incident);
            sample.run(Command::Count { from, clocks, anew }).unwrap();
        }
        happened
    }

    fn declared() -> Sample {
        let mut sample = Sample::declared();
        let (from, clocks) = counted(&org(), &sample.incident);
        let set = sample.run(Command::Count { from, clocks, anew: false }).unwrap();
        assert_eq!(set.opened(), ["target:acknowledge", "target:engage", "target:mitigate", "target:resolve"]);
        sample
    }

    fn stands(sample: &Sample) -> Vec<String> {
        let i = &sample.incident;
        let minutes = |at: Timestamp| at.duration_since(i.declared_at.unwrap()).as_mins();
        let one = |timed: &Timed| {
            let due = timed.due_at.map_or_else(|| "paused".to_owned(), |at| minutes(at).to_string());
            format!("{} {} {due}", timed.clock.word(), standing(i, timed).word())
        };
        i.work.clocks.list.iter().map(one).collect()
    }

    fn acknowledge(by: &str) -> attendance::Command {
        attendance::Command::Acknowledge { by: Some(by.into()), via: "api".into() }
    }

    #[test]
    fn what_meets_a_clock_is_what_happened_and_a_breach_stays_one() {
        let mut sample = declared();
        act(&mut sample, 5, acknowledge("ana"));
        assert_eq!(stands(&sample)[..2], ["acknowledge met 10", "engage live 20"], "whoever acknowledges leads, and is one");
        act(&mut sample, 5, acknowledge("ben"));
        assert_eq!(stands(&sample)[1], "engage met 20");
        // Nobody looked at it in time, and it counts as missed all the same: once.
        act(&mut sample, 80, Ending::Mitigate { note: None });
        assert_eq!(stands(&sample)[2..], ["mitigate missed 60", "resolve live 240"]);
        assert!(sample.incident.work.clocks.get(Clock::Mitigate).unwrap().missed_at.is_some());
        assert_eq!(sample.run(Command::Miss { clock: Clock::Mitigate }).unwrap().events, []);
        let earlier = after(sample.incident.declared_at.unwrap(), Length::from_mins(30));
        let correct = record::Command::CorrectTime { instant: record::Instant::Mitigated, at: Some(earlier), why: "the graph".into() };
        act(&mut sample, 1, correct);
        assert_eq!(stands(&sample)[2], "mitigate missed 60", "whatever is said later");
        act(&mut sample, 1, Ending::Resolve { note: None, waive: None });
        assert_eq!(stands(&sample)[3], "resolve met 240");
    }

    #[test]
    fn a_command_taken_engages_and_one_that_came_of_acknowledging_does_not() {
        let mut sample = declared();
        act(&mut sample, 1, acknowledge("ana"));
        let take = roles::Command::Take { role: COMMANDER.into(), person: "ana".into(), why: None };
        act(&mut sample, 1, roles::Command::Leave { role: COMMANDER.into(), why: None });
        assert_eq!(stands(&sample)[1], "engage live 20");
        act(&mut sample, 1, take);
        assert_eq!(stands(&sample)[1], "engage met 20");
    }

    #[test]
    fn a_pause_stops_what_waits_for_others_and_nothing_else() {
        let mut sample = declared();
        let pause = |waiting_for, why: &str| Command::Pause { waiting_for, why: Some(why.into()) };
        assert_eq!(sample.refusal(pause(WaitingFor::Other, " ")), "words_missing");
        assert_eq!(sample.refusal(Command::Resume), "clock_not_paused");
        act(&mut sample, 20, pause(WaitingFor::Vendor, "their line"));
        assert_eq!(stands(&sample), ["acknowledge live 10", "engage live 20", "mitigate live paused", "resolve live paused"]);
        assert_eq!(sample.run(pause(WaitingFor::Vendor, "their line")).unwrap().events, []);
        act(&mut sample, 100, Command::Resume);
        assert_eq!(stands(&sample)[2..], ["mitigate live 160", "resolve live 340"]);
        act(&mut sample, 0, Ending::Resolve { note: None, waive: None });
        assert_eq!(sample.refusal(pause(WaitingFor::User, "")), "already_resolved");
    }

    #[test]
    fn a_severity_counts_from_the_beginning_and_judges_nothing_that_happened_before() {
        let mut sample = declared();
        act(&mut sample, 1, acknowledge("ana"));
        let severity = |severity| Declaration::SetSeverity { severity, why: "seen".into() };
        act(&mut sample, 19, severity(Severity::Sev1));
        assert_eq!(stands(&sample), ["acknowledge met 10", "mitigate live 30"], "what the new target says nothing of ends");
        act(&mut sample, 1, severity(Severity::Sev5));
        assert_eq!(stands(&sample), ["acknowledge met 10"]);
        act(&mut sample, 19, Ending::Mitigate { note: None });
        act(&mut sample, 1, severity(Severity::Sev1));
        assert_eq!(stands(&sample), ["acknowledge met 10"], "it was mitigated under no target");
    }

    #[test]
    fn a_reopening_goes_on_with_what_was_left_and_a_corrected_beginning_moves_all() {
        let mut sample = declared();
        act(&mut sample, 10, acknowledge("ana"));
        act(&mut sample, 20, Ending::Resolve { note: None, waive: None });
        assert_eq!(stands(&sample), ["acknowledge met 10", "engage void 20", "mitigate met 60", "resolve met 240"]);
        act(&mut sample, 1_000, Ending::Reopen { why: "it came back".into() });
        assert_eq!(stands(&sample)[1..], ["engage live 20", "mitigate live 1060", "resolve live 1240"], "the second was over before");
        let earlier = crate::time::before(sample.incident.declared_at.unwrap(), Length::from_mins(30));
        let correct = record::Command::CorrectTime { instant: record::Instant::Declared, at: Some(earlier), why: "seen then".into() };
        act(&mut sample, 0, correct);
        assert_eq!(stands(&sample)[0], "acknowledge missed 10", "it took forty minutes, as is known now");
        assert_eq!(stands(&sample)[3], "resolve live 1240", "half an hour sooner");
    }

    #[test]
    fn what_was_paused_when_it_was_merged_is_paused_when_it_is_taken_apart() {
        let apart = |paused: bool| {
            let mut sample = declared();
            act(&mut sample, 20, Command::Pause { waiting_for: WaitingFor::Vendor, why: Some("their line".into()) });
            if !paused {
                act(&mut sample, 5, Command::Resume);
            }
            let (into, into_ref) = (crate::ids::IncidentId::from_bits(2), "INC-2".to_owned());
            let (alerts, along) = (Vec::new(), crate::incident::along::Along::default());
            act(
                &mut sample,
                5,
                links::Command::Merge { into, into_ref: into_ref.clone(), alerts, update_by: None, was_public: false, along },
            );
            act(&mut sample, 30, links::Command::TakeApart { into_ref, back: links::Back::default() });
            sample
        };
        let mut sample = apart(true);
        assert_eq!(stands(&sample)[2..], ["mitigate live paused", "resolve live paused"]);
        act(&mut sample, 45, Command::Resume);
        assert_eq!(stands(&sample)[2..], ["mitigate live 140", "resolve live 320"], "eighty minutes did not count");
        assert_eq!(stands(&apart(false))[2..], ["mitigate live 95", "resolve live 275"], "what ran goes on");
    }

    #[test]
    fn what_is_kept_of_pauses_has_an_end() {
        let mut sample = declared();
        let pause = |why: &str| Command::Pause { waiting_for: WaitingFor::Other, why: Some(why.into()) };
        assert_eq!(sample.refusal(pause(&"x".repeat(KEPT_CHARS_MAX + 1))), "too_long");
        for n in 0..PAUSES_MAX {
            sample.run(pause(&n.to_string())).unwrap();
            sample.run(Command::Resume).unwrap();
        }
        assert_eq!(sample.refusal(pause("once more")), "too_many_pauses");
    }

    #[test]
    fn shares_are_told_once_each_and_the_last_of_those_that_passed() {
        let mut sample = declared();
        let mitigate = |sample: &Sample| sample.incident.work.clocks.get(Clock::Mitigate).unwrap().clone();
        sample.at = after(sample.at, Length::from_mins(29));
        assert_eq!(sample.run(Command::Warn { clock: Clock::Mitigate }).unwrap().events, []);
        sample.at = after(sample.at, Length::from_mins(1));
        assert_eq!(sample.run(Command::Warn { clock: Clock::Mitigate }).unwrap().kinds(), ["clock_warned"]);
        assert_eq!(sample.run(Command::Warn { clock: Clock::Mitigate }).unwrap().events, []);
        assert_eq!(mitigate(&sample).look_at(), Some(after(sample.at, Length::from_mins(18))));
        sample.at = after(sample.at, Length::from_mins(100));
        sample.run(Command::Warn { clock: Clock::Resolve }).unwrap();
        assert_eq!(sample.incident.work.clocks.get(Clock::Resolve).unwrap().warned, 50);
        assert_eq!(sample.run(Command::Miss { clock: Clock::Resolve }).unwrap().events, [], "never early");
        let missed = sample.run(Command::Miss { clock: Clock::Mitigate }).unwrap();
        assert_eq!((missed.kinds(), missed.settled()), (vec!["clock_missed"], vec!["target:mitigate"]));
    }
}
