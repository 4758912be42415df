//! The lifecycle as one table: state × verb → the state after, or the refusal.
//!
//! The documentation (`docs/lifecycle.md`), the API's list of commands and the property test are
//! made from it.

use super::types::{Incident, State};
use crate::event::Mode;

/// What can be asked of an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verb {
    Declare,
    Acknowledge,
    GiveBack,
    Escalate,
    Responders,
    Responder,
    Snooze,
    Service,
    Affect,
    Type,
    Field,
    Severity,
    Assess,
    Potential,
    Keep,
    Alerts,
    Recover,
    Return,
    Mitigate,
    Resolve,
    Reopen,
    Cancel,
    Close,
    Merge,
    TakeApart,
    Relate,
    Unrelate,
    Follow,
    Transfer,
    Split,
    Order,
    Move,
    Note,
    Mark,
    PauseClock,
    ResumeClock,
    Party,
    Request,
    Answer,
    Obligation,
    Awareness,
    Submission,
    Want,
    Resource,
    Marking,
    Guest,
    Export,
    Restrict,
    OpenUp,
    Admit,
    Role,
    Task,
    Plan,
    Recovery,
    Restored,
    Tell,
    Update,
    Decision,
    Revisit,
    Hypothesis,
    Time,
    Link,
    Rename,
    Review,
}

impl Verb {
    /// All of them.
    pub const ALL: [Self; 64] = [
        Self::Declare,
        Self::Acknowledge,
        Self::GiveBack,
        Self::Escalate,
        Self::Responders,
        Self::Responder,
        Self::Snooze,
        Self::Service,
        Self::Affect,
        Self::Type,
        Self::Field,
        Self::Severity,
        Self::Assess,
        Self::Potential,
        Self::Keep,
        Self::Alerts,
        Self::Recover,
        Self::Return,
        Self::Mitigate,
        Self::Resolve,
        Self::Reopen,
        Self::Cancel,
        Self::Close,
        Self::Merge,
        Self::TakeApart,
        Self::Relate,
        Self::Unrelate,
        Self::Follow,
        Self::Transfer,
        Self::Split,
        Self::Order,
        Self::Move,
        Self::Note,
        Self::Mark,
        Self::PauseClock,
        Self::ResumeClock,
        Self::Party,
        Self::Request,
        Self::Answer,
        Self::Obligation,
        Self::Awareness,
        Self::Submission,
        Self::Want,
        Self::Resource,
        Self::Marking,
        Self::Guest,
        Self::Export,
        Self::Restrict,
        Self::OpenUp,
        Self::Admit,
        Self::Role,
        Self::Task,
        Self::Plan,
        Self::Recovery,
        Self::Restored,
        Self::Tell,
        Self::Update,
        Self::Decision,
        Self::Revisit,
        Self::Hypothesis,
        Self::Time,
        Self::Link,
        Self::Rename,
        Self::Review,
    ];

    /// As in the path of the API and on the command line.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Declare => "declare",
            Self::Acknowledge => "acknowledge",
            Self::GiveBack => "give_back",
            Self::Escalate => "escalate",
            Self::Responders => "responders",
            Self::Responder => "responder",
            Self::Snooze => "snooze",
            Self::Service => "service",
            Self::Affect => "affect",
            Self::Type => "type",
            Self::Field => "field",
            Self::Severity => "severity",
            Self::Assess => "assess",
            Self::Potential => "potential",
            Self::Keep => "keep",
            Self::Alerts => "alerts",
            Self::Recover => "recover",
            Self::Return => "return",
            Self::Mitigate => "mitigate",
            Self::Resolve => "resolve",
            Self::Reopen => "reopen",
            Self::Cancel => "cancel",
            Self::Close => "close",
            Self::Merge => "merge",
            Self::TakeApart => "take_apart",
            Self::Relate => "relate",
            Self::Unrelate => "unrelate",
            Self::Follow => "follow",
            Self::Transfer => "transfer",
            Self::Split => "split",
            Self::Order => "order",
            Self::Move => "move",
            Self::Note => "note",
            Self::Mark => "mark",
            Self::PauseClock => "pause_clock",
            Self::ResumeClock => "resume_clock",
            Self::Party => "party",
            Self::Request => "request",
            Self::Answer => "answer",
            Self::Obligation => "obligation",
            Self::Awareness => "awareness",
            Self::Submission => "submission",
            Self::Want => "want",
            Self::Resource => "resource",
            Self::Marking => "marking",
            Self::Guest => "guest",
            Self::Export => "export",
            Self::Restrict => "restrict",
            Self::OpenUp => "open_up",
            Self::Admit => "admit",
            Self::Role => "role",
            Self::Task => "task",
            Self::Plan => "plan",
            Self::Recovery => "recovery",
            Self::Restored => "restored",
            Self::Tell => "tell",
            Self::Update => "update",
            Self::Decision => "decision",
            Self::Revisit => "revisit",
            Self::Hypothesis => "hypothesis",
            Self::Time => "time",
            Self::Link => "link",
            Self::Rename => "rename",
            Self::Review => "review",
        }
    }

    /// Whether people may ask for it; the others follow from alerts.
    #[must_use]
    pub const fn is_for_people(self) -> bool {
        !matches!(self, Self::Alerts | Self::Recover | Self::Return)
    }

    /// Whether it fits what is only tried out: a test page is answered, noted on and ended, by whomever. Nothing else becomes
    /// of it, and nobody else hears of it: it is whose way it tries.
    #[must_use]
    pub const fn fits_a_test(self) -> bool {
        match self {
            Self::Acknowledge
            | Self::GiveBack
            | Self::Snooze
            | Self::Alerts
            | Self::Recover
            | Self::Return
            | Self::Resolve
            | Self::Cancel
            | Self::Close
            | Self::TakeApart
            | Self::Note
            | Self::Mark => true,
            Self::Declare
            | Self::Decision
            | Self::Time
            | Self::Escalate
            | Self::Responders
            | Self::Responder
            | Self::Service
            | Self::Affect
            | Self::Type
            | Self::Field
            | Self::Severity
            | Self::Assess
            | Self::Potential
            | Self::Keep
            | Self::Mitigate
            | Self::Reopen
            | Self::Merge
            | Self::Relate
            | Self::Unrelate
            | Self::Follow
            | Self::Transfer
            | Self::Split
            | Self::Order
            | Self::Move
            | Self::PauseClock
            | Self::ResumeClock
            | Self::Party
            | Self::Request
            | Self::Answer
            | Self::Obligation
            | Self::Awareness
            | Self::Submission
            | Self::Want
            | Self::Resource
            | Self::Marking
            | Self::Guest
            | Self::Export
            | Self::Restrict
            | Self::OpenUp
            | Self::Admit
            | Self::Role
            | Self::Task
            | Self::Plan
            | Self::Recovery
            | Self::Restored
            | Self::Tell
            | Self::Update
            | Self::Revisit
            | Self::Hypothesis
            | Self::Link
            | Self::Rename
            | Self::Review => false,
        }
    }
}

/// Why a verb does not fit a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Misfit {
    /// It is that already.
    AlreadyDeclared,
    /// A candidate has to be declared first.
    NotDeclared,
    /// It is over; a reopening comes first.
    AlreadyResolved,
    /// It is closed; only a reopening is possible.
    AlreadyClosed,
    /// It was cancelled.
    AlreadyCancelled,
    /// Another incident has it.
    AlreadyMerged,
    /// It was not merged.
    NotMerged,
    /// It is not resolved yet.
    NotResolved,
    /// The impact is reduced already.
    AlreadyMitigated,
    /// Nobody has it.
    NotAcknowledged,
}

/// Why the state an incident is in says no.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("this incident is declared already")]
    AlreadyDeclared,
    #[error("this is a candidate: declare it or cancel it first")]
    NotDeclared,
    #[error("this incident is resolved: reopen it first")]
    AlreadyResolved,
    #[error("this incident is closed: notes and corrected times are taken; reopen it for anything else")]
    AlreadyClosed,
    #[error("this incident was cancelled: declare a new one")]
    AlreadyCancelled,
    #[error("this incident was merged: act on {0}")]
    AlreadyMerged(String),
    #[error("this incident was not merged into another")]
    NotMerged,
    #[error("this incident is not resolved yet: resolve it first")]
    NotResolved,
    #[error("this incident is mitigated already: resolve it when service is normal")]
    AlreadyMitigated,
    #[error("nobody is known to have this incident: acknowledge it first")]
    NotAcknowledged,
    #[error(
        "this is a test of how one person is reached, and nothing else becomes of it: resolve or cancel it, and declare an incident of its own for what is real"
    )]
    IsATest,
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
            Self::NotMerged => "not_merged",
            Self::NotResolved => "not_resolved",
            Self::AlreadyMitigated => "already_mitigated",
            Self::NotAcknowledged => "not_acknowledged",
            Self::IsATest => "is_a_test",
        }
    }

    fn of(misfit: Misfit, incident: &Incident) -> Self {
        match misfit {
            Misfit::AlreadyDeclared => Self::AlreadyDeclared,
            Misfit::NotDeclared => Self::NotDeclared,
            Misfit::AlreadyResolved => Self::AlreadyResolved,
            Misfit::AlreadyClosed => Self::AlreadyClosed,
            Misfit::AlreadyCancelled => Self::AlreadyCancelled,
            Misfit::AlreadyMerged => Self::AlreadyMerged(incident.merged_into.map(|id| id.to_string()).unwrap_or_default()),
            Misfit::NotMerged => Self::NotMerged,
            Misfit::NotResolved => Self::NotResolved,
            Misfit::AlreadyMitigated => Self::AlreadyMitigated,
            Misfit::NotAcknowledged => Self::NotAcknowledged,
        }
    }
}

/// Whether the table lets a verb happen now, to what is no test or fits one.
pub(super) fn fits(incident: &Incident, verb: Verb) -> Result<State, Refusal> {
    let after = fits_state(incident, verb)?;
    if verb.fits_a_test() { Ok(after) } else { not_of_a_test(incident).map(|()| after) }
}

/// Whether the table lets a verb happen now, whatever it happens to.
pub(super) fn fits_state(incident: &Incident, verb: Verb) -> Result<State, Refusal> {
    next(incident.state, verb).map_err(|misfit| Refusal::of(misfit, incident))
}

/// What would page or ask others is not done to a test.
///
/// # Errors
/// Where the incident is only tried out.
pub fn not_of_a_test(incident: &Incident) -> Result<(), Refusal> {
    if incident.mode == Mode::Exercise { Err(Refusal::IsATest) } else { Ok(()) }
}

/// The state after a verb that happened; a log of before may hold what the table forbids today.
pub(super) fn after(incident: &Incident, verb: Verb) -> State {
    next(incident.state, verb).unwrap_or(incident.state)
}

/// The state after `verb` in `state`.
///
/// # Errors
/// Where the table says no.
pub const fn next(state: State, verb: Verb) -> Result<State, Misfit> {
    use {Misfit as M, State as S, Verb as V};
    match (state, verb) {
        // Where it stands afterwards is where it stood before the merge.
        (S::Merged, V::TakeApart) => Ok(S::Declared),
        (_, V::TakeApart) => Err(M::NotMerged),
        // An end is an end; but facts come late, and have their place in its log.
        (S::Closed, V::Note | V::Mark | V::Time) => Ok(S::Closed),
        // Whoever looks on leaves, a link is revoked and a marking is tighter whenever somebody asks; what is new among them
        // fits where an answer does. What was told is written down for whoever asks afterwards.
        (state, V::Party | V::Marking | V::Guest | V::Export) => Ok(state),
        // That something is not so any more is said of what is over as well.
        (state, V::Unrelate) => Ok(state),
        (S::Closed, V::Reopen) => Ok(S::Investigating),
        (S::Closed, _) => Err(M::AlreadyClosed),
        // Things outlast what they were fetched for, and are given back.
        (state @ (S::Cancelled | S::Merged | S::Resolved), V::Resource) => Ok(state),
        // Who may see it can change as long as somebody looks at it.
        (S::Cancelled, V::Restrict | V::OpenUp | V::Admit) => Ok(S::Cancelled),
        (S::Merged, V::Restrict | V::OpenUp | V::Admit) => Ok(S::Merged),
        (S::Resolved, V::Restrict | V::OpenUp | V::Admit) => Ok(S::Resolved),
        (S::Candidate, V::Restrict | V::OpenUp | V::Admit) => Ok(S::Candidate),
        // What ended by itself, without anybody, an alert that comes back opens again; whether it did is the
        // business of `flapping::takes_back`.
        (S::Cancelled, V::Return) => Ok(S::Candidate),
        (S::Resolved, V::Return) => Ok(S::Declared),
        (S::Cancelled, V::Note | V::Mark | V::Time | V::Rename) => Ok(S::Cancelled),
        (S::Cancelled, _) => Err(M::AlreadyCancelled),
        (S::Merged, V::Note | V::Mark | V::Time | V::Rename) => Ok(S::Merged),
        (S::Merged, _) => Err(M::AlreadyMerged),
        // Roles end with the work; the writing up goes on.
        (
            S::Resolved,
            V::Service
            | V::Affect
            | V::Type
            | V::Field
            | V::Note
            | V::Mark
            | V::Task
            | V::Recovery
            | V::Restored
            | V::Tell
            | V::Update
            | V::Decision
            | V::Revisit
            | V::Hypothesis
            | V::Time
            | V::Rename
            | V::Review
            // What it came of shows when it is over.
            | V::Relate
            // What was asked before is answered still, and what is owed is owed when it is over.
            | V::Answer
            | V::Obligation
            | V::Awareness
            | V::Submission,
        ) => Ok(S::Resolved),
        (S::Resolved, V::Reopen) => Ok(S::Investigating),
        (S::Resolved, V::Close) => Ok(S::Closed),
        (S::Resolved, _) => Err(M::AlreadyResolved),

        (S::Candidate, V::Declare) => Ok(S::Declared),
        (
            S::Candidate,
V::Service|V::Affect|V::Type|V::Field|V::Severity|V::Assess|V::Potential|V::Keep|V::Alerts|V::Recover|V::Return|V::Note|V::Mark|V::Time|V::Link|V::Rename|V::Relate|V::Tell,
        ) => Ok(S::Candidate),
        (S::Candidate, V::Cancel) => Ok(S::Cancelled),
        (S::Candidate, V::Merge) => Ok(S::Merged),
        (_, V::Reopen | V::Close | V::Review) => Err(M::NotResolved),
        (S::Candidate, _) => Err(M::NotDeclared),

        (_, V::Declare) => Err(M::AlreadyDeclared),
        (S::Declared | S::Investigating, V::Mitigate) => Ok(S::Mitigated),
        (S::Mitigated, V::Mitigate) => Err(M::AlreadyMitigated),
        (_, V::Resolve) => Ok(S::Resolved),
        (_, V::Cancel) => Ok(S::Cancelled),
        (_, V::Merge) => Ok(S::Merged),
        (S::Declared, V::Acknowledge) => Ok(S::Investigating),
        // Nobody has it who could be reminded.
        (S::Declared, V::Snooze | V::GiveBack) => Err(M::NotAcknowledged),
        // Where nothing came of the first acknowledgement; else whoever else has it goes on.
        (S::Investigating, V::GiveBack) => Ok(S::Declared),
        (
            open,
            V::Acknowledge
            | V::GiveBack
            | V::Escalate
            | V::Responders
            | V::Responder
            | V::Snooze
            | V::Service
            | V::Affect
            | V::Type
            | V::Field
            | V::Severity
            | V::Assess
            | V::Potential
            | V::Keep
            | V::Alerts
            | V::Recover
            | V::Return
            | V::Note
            | V::Mark
            | V::Role
            | V::Task
            | V::Plan
            | V::Recovery
            | V::Restored
            | V::Tell
            | V::Update
            | V::Decision
            | V::Revisit
            | V::Hypothesis
            | V::Time
            | V::Link
            | V::Rename
            | V::Relate
            | V::Follow
            | V::Transfer
            | V::Split
            | V::Order
            | V::Move
            | V::PauseClock
            | V::ResumeClock
            | V::Request
            | V::Answer
            | V::Obligation
            | V::Awareness
            | V::Submission
            | V::Want
            | V::Resource
            | V::Restrict
            | V::OpenUp
            | V::Admit,
        ) => Ok(open),
    }
}

/// The table in Markdown, for the documentation.
#[must_use]
pub fn as_markdown() -> String {
    let mut out = String::from("| state |");
    for verb in Verb::ALL {
        out.push_str(&format!(" {} |", verb.word()));
    }
    out.push_str("\n|---|");
    out.push_str(&"---|".repeat(Verb::ALL.len()));
    for state in State::ALL {
        out.push_str(&format!("\n| {} |", state.word()));
        for verb in Verb::ALL {
            match next(state, verb) {
                Ok(after) if after == state => out.push_str(" ✓ |"),
                Ok(after) => out.push_str(&format!(" → {} |", after.word())),
                Err(_) => out.push_str(" – |"),
            }
        }
    }
    out.push('\n');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closed_accepts_late_facts_a_reopening_and_that_others_look_on_no_more() {
        for verb in Verb::ALL {
            let late = matches!(
                verb,
                Verb::Note | Verb::Mark | Verb::Time | Verb::Party | Verb::Marking | Verb::Guest | Verb::Export | Verb::Unrelate
            );
            assert_eq!(next(State::Closed, verb).is_ok(), late || verb == Verb::Reopen, "{verb:?}");
        }
    }

    #[test]
    fn an_open_incident_can_always_be_ended_and_nothing_leads_back_to_candidate() {
        for state in State::ALL {
            if state.is_open() {
                assert_eq!(next(state, Verb::Cancel), Ok(State::Cancelled));
                assert_eq!(next(state, Verb::Merge), Ok(State::Merged));
            }
            for verb in Verb::ALL {
                if let Ok(after) = next(state, verb) {
                    // But for a candidate that recovered before anybody decided, and is back.
                    let is_back = (state, verb) == (State::Cancelled, Verb::Return);
                    assert!(after != State::Candidate || state == State::Candidate || is_back);
                }
            }
        }
    }
}
