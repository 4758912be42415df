//! Command and state to events, or a refusal. Pure and complete.

use jiff::Timestamp;

use super::command::{Command, Declaration};
use super::event::{
    Acknowledged, Admitted, AlertsTold, Closed, ConfirmationMissed, Declared, Escalated, Event, Link, Noted, Recovered, Resolved,
    Restricted, SeverityChanged, StillOnIt, StillOnItAsked, Why,
};
use super::lifecycle::{Misfit, Verb, next};
use super::types::{Incident, Severity, State};
use crate::time::Length;

/// What a decision may know beside the state.
#[derive(Debug, Clone, Copy)]
pub struct Context {
    /// The instant of the decision.
    pub now: Timestamp,
    /// Version of the organisation in force.
    pub org_version: u64,
    /// How often each severity asks for updates, worst first.
    pub cadence: [Option<Length>; 5],
    /// How long an acknowledgement of each severity lasts while nobody does anything, worst first.
    pub lasts: [Option<Length>; 5],
}

impl Context {
    fn update_every(&self, severity: Severity) -> Option<Length> {
        self.cadence[usize::from(severity.rank() - 1)]
    }

    pub(super) fn lasts(&self, severity: Severity) -> Option<Length> {
        self.lasts[usize::from(severity.rank() - 1)]
    }
}

/// Longest title, in characters; longer ones are cut when they arrive.
pub const TITLE_CHARS_MAX: usize = 1024;
/// Longest note, in characters.
pub const NOTE_CHARS_MAX: usize = 25_000;

/// Why not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("this incident is declared already")]
    AlreadyDeclared,
    #[error("this is a candidate: declare it or cancel it first")]
    NotDeclared,
    #[error("this incident is resolved: reopen it first")]
    AlreadyResolved,
    #[error("this incident is closed: only reopening it is possible")]
    AlreadyClosed,
    #[error("this incident was cancelled: declare a new one")]
    AlreadyCancelled,
    #[error("this incident was merged: act on {0}")]
    AlreadyMerged(String),
    #[error("this incident is not resolved yet: resolve it first")]
    NotResolved,
    #[error("this incident is mitigated already: resolve it when service is normal")]
    AlreadyMitigated,
    #[error("{0} is open for the same group of alerts: act on it, or end it first")]
    GroupHasAnother(String),
    #[error("an incident cannot be merged into itself")]
    MergeIntoItself,
    #[error("this incident is private, so no audience is told: leave the audiences out, page people by name, or open it up first")]
    PrivateToAudiences,
    #[error("they are {role} already")]
    HoldsItAlready { role: String },
    #[error("nobody is {role}, and nobody was asked")]
    NobodyHolds { role: String },
    #[error("there is no task {task} in this incident")]
    NoSuchTask { task: u32 },
    #[error("task {task} is {state} already")]
    TaskEnded { task: u32, state: &'static str },
    #[error("an incident has at most {max} tasks: finish some, or keep the plan elsewhere and link it")]
    TooManyTasks { max: usize },
    #[error("that instant is still to come: give one that has passed")]
    InTheFuture,
    #[error("that time has passed: give one to come")]
    InThePast,
    #[error("this incident has a review already")]
    HasAReview,
    #[error("{what} is missing: say it in words")]
    WordsMissing { what: &'static str },
    #[error("{what} is longer than {max} characters")]
    TooLong { what: &'static str, max: usize },
}

impl Refusal {
    /// The stable code of the API.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::AlreadyDeclared => "already_declared",
            Self::NotDeclared => "not_declared",
            Self::AlreadyResolved => "already_resolved",
            Self::AlreadyClosed => "already_closed",
            Self::AlreadyCancelled => "already_cancelled",
            Self::AlreadyMerged(_) => "already_merged",
            Self::NotResolved => "not_resolved",
            Self::AlreadyMitigated => "already_mitigated",
            Self::GroupHasAnother(_) => "group_has_another",
            Self::PrivateToAudiences => "private_to_audiences",
            Self::MergeIntoItself => "merge_into_itself",
            Self::HoldsItAlready { .. } => "holds_it_already",
            Self::NobodyHolds { .. } => "nobody_holds_it",
            Self::NoSuchTask { .. } => "no_such_task",
            Self::TaskEnded { .. } => "task_ended",
            Self::TooManyTasks { .. } => "too_many_tasks",
            Self::InTheFuture => "in_the_future",
            Self::InThePast => "in_the_past",
            Self::HasAReview => "has_a_review",
            Self::WordsMissing { .. } => "words_missing",
            Self::TooLong { .. } => "too_long",
        }
    }
}

/// Every other command is about an incident that is there.
#[allow(clippy::wildcard_enum_match_arm)]
fn begin(command: Command, context: Context) -> Result<Vec<Event>, Refusal> {
    match command {
        Command::Propose(new) => Ok(vec![Event::Proposed(declared(new, context)?)]),
        Command::Declare(new) => Ok(vec![Event::Declared(declared(new, context)?)]),
        _ => Err(Refusal::NotDeclared),
    }
}

/// Decides.
///
/// `state` is absent only for `Propose` and `Declare`. An empty list means that there is nothing
/// to do: the command was carried out before.
///
/// # Errors
/// Where the lifecycle's table or the words say no.
pub fn decide(state: Option<&Incident>, command: Command, context: Context) -> Result<Vec<Event>, Refusal> {
    let Some(incident) = state else { return begin(command, context) };
    let fits = |verb| fits(incident, verb);
    match command {
        Command::Propose(_) | Command::Declare(_) => Err(Refusal::AlreadyDeclared),
        Command::Promote { why } => {
            fits(Verb::Declare)?;
            Ok(vec![Event::Promoted(Why { why })])
        }
        Command::Acknowledge { by, via } => {
            fits(Verb::Acknowledge)?;
            // Not the state: an incident that recovered by itself and was reopened is looked into,
            // and nobody has acknowledged it.
            let first = incident.acknowledged_at.is_none();
            // Again, it says something new only where somebody is to be known to have it, or it got worse.
            let hold = &incident.work.hold;
            let known = incident.is_held() && hold.asked_at.is_none() && hold.severity.is_none_or(|known| known <= incident.severity);
            if !first && by == incident.acknowledged_by && known {
                return Ok(Vec::new());
            }
            Ok(vec![Event::Acknowledged(Acknowledged { by, via, first, lasts: context.lasts(incident.severity) })])
        }
        Command::AskStillOnIt { people, within } => {
            if !incident.is_held() || incident.work.hold.asked_at.is_some() {
                return Ok(Vec::new());
            }
            Ok(vec![Event::StillOnItAsked(StillOnItAsked { people, within })])
        }
        Command::StillOnIt { by, via } => {
            fits(Verb::Acknowledge)?;
            if !incident.is_held() {
                return decide(state, Command::Acknowledge { by, via }, context);
            }
            Ok(vec![Event::StillOnIt(StillOnIt { by, via, lasts: context.lasts(incident.severity) })])
        }
        Command::Lose { why } => {
            if !incident.is_held() {
                return Ok(Vec::new());
            }
            Ok(vec![Event::Lost(Why { why })])
        }
        Command::Escalate { page, why } => {
            fits(Verb::Escalate)?;
            Ok(vec![Event::Escalated(Escalated { page, why })])
        }
        Command::SetSeverity { severity, why } => {
            fits(Verb::Severity)?;
            if severity == incident.severity {
                return Ok(Vec::new());
            }
            words(&why, "the reason")?;
            Ok(vec![Event::SeverityChanged(SeverityChanged {
                from: incident.severity,
                to: severity,
                why,
                update_every: context.update_every(severity),
                lasts: context.lasts(severity),
            })])
        }
        Command::TellAlerts { joined, recovered, open } => {
            if !incident.state.is_open() || (joined == 0 && recovered == 0) {
                return Ok(Vec::new());
            }
            Ok(vec![Event::AlertsTold(AlertsTold { joined, recovered, open })])
        }
        Command::Recover => Ok(recover(incident)),
        Command::Silence(change) => Ok(super::alarms::silencing(incident, change)),
        Command::Return(back) => super::alarms::returned(incident, back),
        Command::Steady { open } => Ok(super::alarms::steadied(incident, open)),
        Command::MissConfirmation => {
            if !incident.state.is_open() || !incident.recovered {
                return Ok(Vec::new());
            }
            Ok(vec![Event::ConfirmationMissed(ConfirmationMissed {})])
        }
        Command::Mitigate { note } => {
            fits(Verb::Mitigate)?;
            Ok(vec![Event::Mitigated(Noted { text: checked(note)? })])
        }
        Command::Resolve { note } => {
            fits(Verb::Resolve)?;
            Ok(vec![Event::Resolved(Resolved { by_itself: false, note: checked(note)? })])
        }
        Command::Reopen { why } => {
            fits(Verb::Reopen)?;
            words(&why, "the reason")?;
            Ok(vec![Event::Reopened(Why { why })])
        }
        Command::Cancel { why } => {
            fits(Verb::Cancel)?;
            words(&why, "the reason")?;
            Ok(vec![Event::Cancelled(Why { why })])
        }
        Command::Close => {
            fits(Verb::Close)?;
            Ok(vec![Event::Closed(Closed {})])
        }
        Command::Merge { into, into_ref } => {
            fits(Verb::Merge)?;
            if into == incident.id {
                return Err(Refusal::MergeIntoItself);
            }
            Ok(vec![Event::Merged(Link { incident: into, reference: into_ref })])
        }
        Command::Absorb { from, from_ref } => {
            // The other must be open: merging into something that is over would hide this one.
            fits(Verb::Alerts)?;
            Ok(vec![Event::Absorbed(Link { incident: from, reference: from_ref })])
        }
        Command::Note { text } => {
            fits(Verb::Note)?;
            words(&text, "the note")?;
            Ok(vec![Event::Noted(Noted { text: checked(Some(text))? })])
        }
        Command::Restrict { why, people } => {
            fits(Verb::Restrict)?;
            words(&why, "the reason")?;
            let people = not_yet_admitted(incident, people);
            Ok(if incident.private && people.is_empty() {
                Vec::new()
            } else {
                vec![Event::Restricted(Restricted { why: checked(Some(why))?.unwrap_or_default(), people })]
            })
        }
        Command::OpenUp { why } => {
            fits(Verb::OpenUp)?;
            words(&why, "the reason")?;
            Ok(if incident.private { vec![Event::OpenedUp(Why { why: checked(Some(why))?.unwrap_or_default() })] } else { Vec::new() })
        }
        Command::Admit { people, why } => {
            fits(Verb::Admit)?;
            let people = not_yet_admitted(incident, people);
            Ok(if people.is_empty() { Vec::new() } else { vec![Event::Admitted(Admitted { people, why })] })
        }
        other @ (Command::OfferRole { .. }
        | Command::TakeRole { .. }
        | Command::LeaveRole { .. }
        | Command::MissRoleAnswer { .. }
        | Command::MissCommander
        | Command::AddTask { .. }
        | Command::AssignTask { .. }
        | Command::FinishTask { .. }
        | Command::DropTask { .. }
        | Command::MissTask { .. }
        | Command::Update { .. }
        | Command::RemindUpdate { .. }
        | Command::MissUpdate { .. }
        | Command::Decide { .. }
        | Command::CorrectTime { .. }
        | Command::LinkAlert { .. }
        | Command::Rename { .. }
        | Command::AskReview { .. }) => super::coordinate::coordinate(incident, other, context),
    }
}

fn not_yet_admitted(incident: &Incident, people: Vec<String>) -> Vec<String> {
    let mut new: Vec<String> = people.into_iter().filter(|person| !incident.admitted.contains(person)).collect();
    new.sort_unstable();
    new.dedup();
    new
}

/// All alerts are over. Nobody on it: it resolves as recovered by itself. Somebody on it: it
/// stays, and that person is asked to confirm (contract, "Defaults that decide").
fn recover(incident: &Incident) -> Vec<Event> {
    if !incident.state.is_open() || incident.recovered {
        return Vec::new();
    }
    match incident.state {
        State::Candidate => vec![
            Event::Recovered(Recovered { ask: None }),
            Event::Cancelled(Why { why: "its alerts recovered before anybody decided".into() }),
        ],
        State::Declared => vec![Event::Recovered(Recovered { ask: None }), Event::Resolved(Resolved { by_itself: true, note: None })],
        // The closed ones are not open, and were sent back above.
        State::Investigating | State::Mitigated | State::Resolved | State::Closed | State::Cancelled | State::Merged => {
            vec![Event::Recovered(Recovered { ask: incident.commander.clone().or_else(|| incident.acknowledged_by.clone()) })]
        }
    }
}

fn declared(new: Declaration, context: Context) -> Result<Declared, Refusal> {
    words(&new.title, "the title")?;
    if new.title.chars().count() > TITLE_CHARS_MAX {
        return Err(Refusal::TooLong { what: "the title", max: TITLE_CHARS_MAX });
    }
    Ok(Declared {
        reference: new.reference,
        title: new.title,
        severity: new.severity,
        service: new.service,
        escalation: new.escalation,
        group_key: new.group_key,
        alert: new.alert,
        because: new.because,
        org_version: context.org_version,
        impact_started_at: new.impact_started_at,
        detected_at: new.detected_at,
        group_wait: new.group_wait,
        update_every: context.update_every(new.severity),
        attend_within: new.attend_within,
    })
}

/// Whether the lifecycle lets a verb happen now.
pub(super) fn fits(incident: &Incident, verb: Verb) -> Result<State, Refusal> {
    next(incident.state, verb).map_err(|misfit| refusal(misfit, incident))
}

pub(super) fn words(text: &str, what: &'static str) -> Result<(), Refusal> {
    if text.trim().is_empty() { Err(Refusal::WordsMissing { what }) } else { Ok(()) }
}

fn checked(text: Option<String>) -> Result<Option<String>, Refusal> {
    match text {
        Some(text) if text.chars().count() > NOTE_CHARS_MAX => Err(Refusal::TooLong { what: "the note", max: NOTE_CHARS_MAX }),
        other => Ok(other),
    }
}

fn refusal(misfit: Misfit, incident: &Incident) -> Refusal {
    match misfit {
        Misfit::AlreadyDeclared => Refusal::AlreadyDeclared,
        Misfit::NotDeclared => Refusal::NotDeclared,
        Misfit::AlreadyResolved => Refusal::AlreadyResolved,
        Misfit::AlreadyClosed => Refusal::AlreadyClosed,
        Misfit::AlreadyCancelled => Refusal::AlreadyCancelled,
        Misfit::AlreadyMerged => Refusal::AlreadyMerged(incident.merged_into.map(|id| id.to_string()).unwrap_or_default()),
        Misfit::NotResolved => Refusal::NotResolved,
        Misfit::AlreadyMitigated => Refusal::AlreadyMitigated,
    }
}
