//! An incident: its nouns, its states, and what may happen in each.
//!
//! ```text
//!  propose ─► candidate ──declare──► declared ──acknowledge──► investigating ──mitigate──► mitigated
//!                 │                     │                          │                          │
//!                 └── cancel, merge ────┴──────────────────────────┴── resolve ─► resolved ◄──┘
//!                                                                     ▲  reopen │ close
//!                                                                     └─────────┴────► closed
//! ```
//!
//! An incident has parts, a file each in `part/`; this file makes the whole of them: its commands, events and refusals
//! are those of the parts, and [`decide`], [`evolve`], [`react`] and [`line`] ask the part.
//!
//! Invariants: the state changes only by [`evolve`], from events that [`decide`] made; the table
//! in [`lifecycle`] is the whole of what may happen in which state; a closed incident accepts
//! nothing but a reopening and facts that come late; instants are set once and a reopening clears only what it undoes.
//!
//! Not here: who is paged and how ([`crate::paging`]), and which alert belongs to which incident
//! (the alert knows).

pub mod advice;
mod awaited;
pub mod clock;
mod context;
mod follows;
pub mod judged;
pub mod lifecycle;
pub mod objective;
pub mod obliged;
mod part;
pub mod partners;
pub mod related;
pub mod reporting;
pub mod resource;
pub mod responder;
pub mod running;
mod search;
mod state;
mod types;
pub mod words;
pub mod work;

pub use awaited::{
    KEY_ATTENDED, KEY_CANDIDATE, KEY_CONFIRM, KEY_DIGEST, KEY_FLAPPING, KEY_GROUP_WAIT, KEY_OVER, KEY_REASSESS, KEY_SILENCED,
    KEY_STILL_ON_IT, KEY_TRANSFER, KEY_UPDATE,
};
pub use context::Context;
pub use follows::or_else;
pub use part::declaration::Declaration;
pub use part::record::Instant;
pub use part::{
    access, affected, alarms, along, answers, assessment, attendance, choices, clocks, decisions, declaration, deeds, ending, flapping,
    hypotheses, links, moves, objectives, obligations, ordering, parties, plans, record, recovery, relations, reports, resources,
    responders, roles, sharing, staffing, tasks, transfers, updates,
};
pub use types::*;
pub use words::{NOTE_CHARS_MAX, TITLE_CHARS_MAX};

use jiff::Timestamp;

use crate::access::Actor;
use crate::event::{Mode, event_parts};
use crate::expect::{Expectation, Settle};
use crate::ids::IncidentId;
use crate::names::Names;
use crate::tlp::Tlp;
use awaited::Awaited;

event_parts! {
    /// A fact about an incident; past tense. Each kind is a permanent format: a changed body is a new version with
    /// its own reader, and `golden/event/` holds one file per kind and version.
    Event {
        Declaration(declaration::Event),
        Affected(affected::Event),
        Answers(answers::Event),
        Assessment(assessment::Event),
        Attendance(attendance::Event),
        Alarms(alarms::Event),
        Flapping(flapping::Event),
        Ending(ending::Event),
        Roles(roles::Event),
        Staffing(staffing::Event),
        Tasks(tasks::Event),
        Updates(updates::Event),
        Record(record::Event),
        Decisions(decisions::Event),
        Hypotheses(hypotheses::Event),
        Links(links::Event),
        Relations(relations::Event),
        Ordering(ordering::Event),
        Moves(moves::Event),
        Transfers(transfers::Event),
        Clocks(clocks::Event),
        Plans(plans::Event),
        Deeds(deeds::Event),
        Recovery(recovery::Event),
        Reports(reports::Event),
        Partners(parties::Event),
        Obligations(obligations::Event),
        Objectives(objectives::Event),
        Resources(resources::Event),
        Responders(responders::Event),
        Sharing(sharing::Event),
        Access(access::Event),
    }
}

/// Makes the commands of the whole of those of its parts.
macro_rules! command_parts {
    ($($part:ident($command:ty),)*) => {
        /// A command; imperative.
        #[derive(Debug, Clone, PartialEq)]
        #[allow(clippy::large_enum_variant)] // commands come and go one at a time
        pub enum Command { $($part($command),)* }

        impl Command {
            /// Whether people ask for it as it is. The rest follows from something else: what is due, what alerts do, or a
            /// command of the engine that has more to decide.
            #[must_use]
            pub const fn is_asked(&self) -> bool {
                match self { $(Self::$part(command) => command.is_asked(),)* }
            }
        }

        $(impl From<$command> for Command {
            fn from(command: $command) -> Self {
                Self::$part(command)
            }
        })*
    };
}

command_parts! {
    Declaration(declaration::Command),
    Affected(affected::Command),
    Answers(answers::Command),
    Assessment(assessment::Command),
    Attendance(attendance::Command),
    Alarms(alarms::Command),
    Flapping(flapping::Command),
    Ending(ending::Command),
    Roles(roles::Command),
    Staffing(staffing::Command),
    Tasks(tasks::Command),
    Updates(updates::Command),
    Record(record::Command),
    Decisions(decisions::Command),
    Hypotheses(hypotheses::Command),
    Links(links::Command),
    Relations(relations::Command),
    Ordering(ordering::Command),
    Moves(moves::Command),
    Transfers(transfers::Command),
    Clocks(clocks::Command),
    Plans(plans::Command),
    Deeds(deeds::Command),
    Recovery(recovery::Command),
    Reports(reports::Command),
    Partners(parties::Command),
    Obligations(obligations::Command),
    Objectives(objectives::Command),
    Resources(resources::Command),
    Responders(responders::Command),
    Sharing(sharing::Command),
    Access(access::Command),
}

/// Makes the refusals of the whole of those of its parts, and of what all of them ask.
macro_rules! refusal_parts {
    ($($part:ident($refusal:ty),)*) => {
        /// Why not.
        #[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
        pub enum Refusal {
            $(
                #[error(transparent)]
                $part(#[from] $refusal),
            )*
        }

        impl Refusal {
            /// The stable code of the API.
            #[must_use]
            pub const fn code(&self) -> &'static str {
                match self { $(Self::$part(refusal) => refusal.code(),)* }
            }
        }
    };
}

refusal_parts! {
    State(lifecycle::Refusal),
    Words(words::Refusal),
    Declaration(declaration::Refusal),
    Affected(affected::Refusal),
    Answers(answers::Refusal),
    Assessment(assessment::Refusal),
    Attendance(attendance::Refusal),
    Roles(roles::Refusal),
    Tasks(tasks::Refusal),
    Updates(updates::Refusal),
    Record(record::Refusal),
    Decisions(decisions::Refusal),
    Hypotheses(hypotheses::Refusal),
    Links(links::Refusal),
    Relations(relations::Refusal),
    Ordering(ordering::Refusal),
    Moves(moves::Refusal),
    Transfers(transfers::Refusal),
    Clocks(clocks::Refusal),
    Plans(plans::Refusal),
    Deeds(deeds::Refusal),
    Recovery(recovery::Refusal),
    Reports(reports::Refusal),
    Partners(parties::Refusal),
    Obligations(obligations::Refusal),
    Resources(resources::Refusal),
    Responders(responders::Refusal),
    Sharing(sharing::Refusal),
}

/// What a part decides.
type Decision = Result<Vec<Event>, Refusal>;

/// One thing happened.
fn one(event: impl Into<Event>) -> Decision {
    Ok(vec![event.into()])
}

/// Nothing is left to do: the command was carried out before.
const fn nothing() -> Decision {
    Ok(Vec::new())
}

/// Decides. Pure and complete.
///
/// `state` is absent only for a declaration. An empty list means that there is nothing
/// to do: the command was carried out before.
///
/// # Errors
/// Where the lifecycle's table or the words say no.
pub fn decide(state: Option<&Incident>, command: Command, context: Context) -> Result<Vec<Event>, Refusal> {
    let Some(incident) = state else {
        let Command::Declaration(command) = command else { return Err(lifecycle::Refusal::NotDeclared.into()) };
        return declaration::begin(command, context);
    };
    match command {
        Command::Declaration(command) => declaration::decide(incident, command, context),
        Command::Affected(command) => affected::decide(incident, command, context),
        Command::Answers(command) => answers::decide(incident, command, context),
        Command::Assessment(command) => assessment::decide(incident, command, context),
        Command::Attendance(command) => attendance::decide(incident, command, context),
        Command::Alarms(command) => alarms::decide(incident, command),
        Command::Flapping(command) => flapping::decide(incident, command),
        Command::Ending(command) => ending::decide(incident, command, context),
        Command::Roles(command) => roles::decide(incident, command, context),
        Command::Staffing(command) => staffing::decide(incident, command),
        Command::Tasks(command) => tasks::decide(incident, command, context),
        Command::Updates(command) => updates::decide(incident, command, context),
        Command::Record(command) => record::decide(incident, command, context),
        Command::Decisions(command) => decisions::decide(incident, command, context),
        Command::Hypotheses(command) => hypotheses::decide(incident, command),
        Command::Links(command) => links::decide(incident, command, context),
        Command::Relations(command) => relations::decide(incident, command),
        Command::Ordering(command) => ordering::decide(incident, command),
        Command::Moves(command) => moves::decide(incident, command),
        Command::Transfers(command) => transfers::decide(incident, command),
        Command::Clocks(command) => clocks::decide(incident, command, context),
        Command::Plans(command) => plans::decide(incident, command, context),
        Command::Deeds(command) => deeds::decide(incident, command, context.now),
        Command::Recovery(command) => recovery::decide(incident, command),
        Command::Reports(command) => reports::decide(incident, command, context),
        // Who is asked needs a way to read on and to answer, and has no account here.
        Command::Partners(command) => Ok(sharing::with_a_link(incident, parties::decide(incident, command, context)?, context.now)),
        Command::Obligations(command) => obligations::decide(incident, command, context),
        Command::Objectives(command) => objectives::decide(incident, command, context),
        Command::Resources(command) => resources::decide(incident, command, context),
        Command::Responders(command) => responders::decide(incident, command, context),
        Command::Sharing(command) => sharing::decide(incident, command, context),
        Command::Access(command) => access::decide(incident, command),
    }
}

/// Whether an event may be the first of an incident.
#[must_use]
pub const fn begins(event: &Event) -> bool {
    matches!(event, Event::Declaration(declaration::Event::Proposed(_) | declaration::Event::Declared(_)))
}

/// Folds one event, which `actor` caused: the only producer of an incident's row.
///
/// # Panics
/// When the first event of a stream is none that begins one: a log of ours cannot hold that, and
/// going on would show a wrong incident.
#[must_use]
pub fn evolve(state: Option<Incident>, id: IncidentId, event: &Event, actor: &Actor, at: Timestamp, mode: Mode) -> Incident {
    let Some(mut incident) = state else {
        let begun = if let Event::Declaration(event) = event { declaration::first(id, event, at, mode) } else { None };
        return begun.unwrap_or_else(|| panic!("the log of {id} begins with `{}`, which begins no incident", event.kind()));
    };
    incident.updated_at = at;
    attendance::hear(&mut incident, event, actor, at);
    transfers::hear(&mut incident, event, actor);
    let before = incident.state;
    match event {
        Event::Declaration(event) => declaration::evolve(&mut incident, event, actor, at),
        Event::Affected(event) => affected::evolve(&mut incident, event),
        Event::Answers(event) => answers::evolve(&mut incident, event),
        Event::Assessment(event) => assessment::evolve(&mut incident, event, at),
        Event::Attendance(event) => attendance::evolve(&mut incident, event, at),
        Event::Alarms(event) => alarms::evolve(&mut incident, event),
        Event::Flapping(event) => flapping::evolve(&mut incident, event),
        Event::Ending(event) => ending::evolve(&mut incident, event, at),
        Event::Roles(event) => roles::evolve(&mut incident, event, at),
        Event::Staffing(event) => staffing::evolve(&mut incident, event),
        Event::Tasks(event) => tasks::evolve(&mut incident, event, at),
        Event::Updates(event) => updates::evolve(&mut incident, event, at),
        Event::Record(event) => record::evolve(&mut incident, event),
        Event::Decisions(event) => decisions::evolve(&mut incident, event, at),
        Event::Hypotheses(event) => hypotheses::evolve(&mut incident, event, at),
        Event::Links(event) => links::evolve(&mut incident, event, at),
        Event::Relations(event) => relations::evolve(&mut incident, event, at),
        Event::Ordering(event) => ordering::evolve(&mut incident, event),
        Event::Moves(event) => moves::evolve(&mut incident, event, at),
        Event::Transfers(event) => transfers::evolve(&mut incident, event, at),
        Event::Clocks(event) => clocks::evolve(&mut incident, event, at),
        Event::Plans(event) => plans::evolve(&mut incident, event, at),
        Event::Deeds(event) => deeds::evolve(&mut incident, event, actor, at),
        Event::Recovery(event) => recovery::evolve(&mut incident, event, actor, at),
        Event::Reports(event) => reports::evolve(&mut incident, event, at),
        Event::Partners(event) => parties::evolve(&mut incident, event, at),
        Event::Obligations(event) => obligations::evolve(&mut incident, event, at),
        Event::Objectives(event) => objectives::evolve(&mut incident, event, at),
        Event::Resources(event) => resources::evolve(&mut incident, event, at),
        Event::Responders(event) => responders::evolve(&mut incident, event, at),
        Event::Sharing(event) => sharing::evolve(&mut incident, event, at),
        Event::Access(event) => access::evolve(&mut incident, event),
    }
    clocks::hear(&mut incident, before, at);
    objectives::hear(&mut incident, at);
    incident.admitted.extend(event.admits().into_iter().map(ToOwned::to_owned));
    if !incident.state.is_open() {
        // What is over holds nothing back, and nothing flaps; and nobody has to be found for it, or to answer an offer of it.
        incident.work.needed.clear();
        incident.work.assessment.due_at = None;
        transfers::end(&mut incident);
        ordering::end(&mut incident);
        (incident.alarms.held_until, incident.alarms.held_by, incident.alarms.flapping) = (None, Vec::new(), None);
    }
    incident
}

/// What an event opens and settles, given the state after it. Pure; a rebuild runs the same function with sending off.
#[must_use]
pub fn react(incident: &Incident, event: &Event, version: u64, at: Timestamp) -> (Vec<Expectation>, Vec<Settle>) {
    let mut awaited = Awaited::of(incident, version, at);
    attendance::react_to_any(incident, event, &mut awaited);
    clocks::react_to_any(incident, event, &mut awaited);
    match event {
        Event::Declaration(event) => declaration::react(incident, event, &mut awaited),
        Event::Assessment(event) => assessment::react(event, &mut awaited),
        Event::Attendance(event) => attendance::react(incident, event, &mut awaited),
        Event::Alarms(event) => alarms::react(incident, event, &mut awaited),
        Event::Flapping(event) => flapping::react(incident, event, &mut awaited),
        Event::Ending(event) => ending::react(incident, event, &mut awaited),
        Event::Roles(event) => roles::react(incident, event, &mut awaited),
        Event::Staffing(event) => staffing::react(incident, event, &mut awaited),
        Event::Tasks(event) => tasks::react(incident, event, &mut awaited),
        Event::Updates(event) => updates::react(incident, event, &mut awaited),
        Event::Links(event) => links::react(incident, event, &mut awaited),
        Event::Relations(event) => relations::react(incident, event, &mut awaited),
        Event::Moves(event) => moves::react(incident, event, &mut awaited),
        Event::Transfers(event) => transfers::react(event, &mut awaited),
        Event::Decisions(event) => decisions::react(event, &mut awaited),
        Event::Clocks(event) => clocks::react(incident, event, &mut awaited),
        Event::Plans(event) => plans::react(incident, event, &mut awaited),
        Event::Partners(event) => parties::react(incident, event, &mut awaited),
        Event::Obligations(event) => obligations::react(incident, event, &mut awaited),
        Event::Objectives(event) => objectives::react(incident, event, &mut awaited),
        Event::Resources(event) => resources::react(incident, event, &mut awaited),
        // Whom further responders are asked by is a page, which has its own. What is written down, who is affected, what it is of, which part comes first, who may see it and what holds again is
        // awaited by nobody; a step that is sent is late as any other is.
        Event::Record(_)
        | Event::Responders(_)
        | Event::Ordering(_)
        | Event::Deeds(_)
        | Event::Hypotheses(_)
        | Event::Affected(_)
        | Event::Answers(_)
        | Event::Access(_)
        | Event::Recovery(_)
        | Event::Reports(_)
        | Event::Sharing(_) => {}
    }
    awaited.done()
}

/// How far what somebody wrote may go, where they said it.
#[must_use]
pub fn marking(event: &Event) -> Option<Tlp> {
    if let Event::Record(record::Event::Noted(record::Noted { marking, .. }))
    | Event::Updates(updates::Event::Posted(updates::Posted { marking, .. }))
    | Event::Partners(parties::Event::Asked(parties::Asked { marking, .. })) = event
    {
        return *marking;
    }
    None
}

/// How far an entry goes: as whoever wrote it said, else as far as the incident where it says what happens to everybody who is
/// told of it. Who does what here, what was decided and supposed, and what another organisation was asked and answered go
/// outside only where somebody said so of that very entry.
#[must_use]
pub fn goes_as_far_as(event: &Event, incident: &Incident) -> Option<Tlp> {
    let of_the_incident = matches!(
        event,
        Event::Declaration(_)
            | Event::Affected(_)
            | Event::Ending(_)
            | Event::Record(record::Event::Noted(_))
            | Event::Updates(updates::Event::Posted(_))
    );
    // What is written of a private incident is for those who were admitted, also once it is opened up to the house.
    marking(event).or(incident.work.marking.filter(|_| of_the_incident && !incident.private))
}

/// The line for people; what is marked says so first.
#[must_use]
pub fn line(event: &Event, names: &Names<'_>) -> String {
    let said = said(event, names);
    match marking(event) {
        Some(marking) => format!("{} {said}", marking.label()),
        None => said,
    }
}

fn said(event: &Event, names: &Names<'_>) -> String {
    match event {
        Event::Declaration(event) => declaration::line(event, names),
        Event::Affected(event) => affected::line(event, names),
        Event::Answers(event) => answers::line(event, names),
        Event::Assessment(event) => assessment::line(event, names),
        Event::Attendance(event) => attendance::line(event, names),
        Event::Alarms(event) => alarms::line(event, names),
        Event::Flapping(event) => flapping::line(event),
        Event::Ending(event) => ending::line(event, names),
        Event::Roles(event) => roles::line(event, names),
        Event::Staffing(event) => staffing::line(event, names),
        Event::Tasks(event) => tasks::line(event, names),
        Event::Updates(event) => updates::line(event, names),
        Event::Record(event) => record::line(event, names),
        Event::Decisions(event) => decisions::line(event, names),
        Event::Hypotheses(event) => hypotheses::line(event, names),
        Event::Links(event) => links::line(event, names),
        Event::Relations(event) => relations::line(event, names),
        Event::Ordering(event) => ordering::line(event, names),
        Event::Moves(event) => moves::line(event, names),
        Event::Transfers(event) => transfers::line(event, names),
        Event::Clocks(event) => clocks::line(event, names),
        Event::Plans(event) => plans::line(event, names),
        Event::Deeds(event) => deeds::line(event, names),
        Event::Recovery(event) => recovery::line(event, names),
        Event::Reports(event) => reports::line(event, names),
        Event::Partners(event) => parties::line(event, names),
        Event::Obligations(event) => obligations::line(event, names),
        Event::Objectives(event) => objectives::line(event, names),
        Event::Resources(event) => resources::line(event, names),
        Event::Responders(event) => responders::line(event, names),
        Event::Sharing(event) => sharing::line(event, names),
        Event::Access(event) => access::line(event, names),
    }
}
