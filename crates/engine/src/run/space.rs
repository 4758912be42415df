//! Which commands may use what is kept for a full disk.
//!
//! The rule: what stops a page, what continues one, and what was tried already. What begins something new, however
//! important, is refused with 503, since its sender keeps it and sends it again; nobody keeps an acknowledgement.

use allclear_domain::incident;
use allclear_domain::incident::assessment;
use allclear_store::Space;

use crate::core::Command;

/// What a command may take of the disk.
#[must_use]
pub const fn space(command: &Command) -> Space {
    match command {
        // An answer to a page, and a call for more people.
        Command::Page { .. } | Command::Escalate { .. } | Command::PagePeople { .. } => Space::Reserved,
        // Nobody is rung for nothing any longer.
        Command::StopDrill { .. } => Space::Reserved,
        // Somebody is called to where they are needed more, and who takes their place.
        Command::Move { .. } => Space::Reserved,
        // Somebody is to have it.
        Command::Attend { .. } => Space::Reserved,
        // Deadlines that run, messages that are to go out, and what became of them.
        Command::Look(_) | Command::TakeOver { .. } | Command::Withdraw { .. } | Command::Sent { .. } => Space::Reserved,
        Command::Incident { command, .. } => of_incident(command),
        Command::IfVersion { command, .. } => space(command),
        Command::Signals(_)
        | Command::Declare(_)
        | Command::TestPage { .. }
        | Command::Drill { .. }
        | Command::Merge { .. }
        | Command::Relate { .. }
        | Command::Unrelate { .. }
        | Command::Split { .. }
        | Command::Order { .. }
        | Command::TakeApart { .. }
        | Command::LinkAlert { .. }
        | Command::AskReview { .. }
        | Command::Review { .. }
        | Command::AddAction { .. }
        | Command::Action { .. }
        | Command::Flush { .. }
        // On a full disk it is lost, as what is new is.
        | Command::Canary { .. } => Space::Free,
    }
}

const fn of_incident(command: &incident::Command) -> Space {
    use incident::Command as C;
    use incident::{affected, declaration, ending, roles, transfers};
    match command {
        // Somebody has it, has it still, or has it no more, and a page looks for somebody.
        C::Attendance(_) => Space::Reserved,
        // It is over, or nearly: pages stop.
        C::Ending(command) => match command {
            ending::Command::Mitigate { .. } | ending::Command::Resolve { .. } | ending::Command::Cancel { .. } => Space::Reserved,
            ending::Command::Reopen { .. } | ending::Command::Close { .. } => Space::Free,
        },
        // Another policy's page starts in the place of one that asks the wrong people.
        C::Affected(command) => match command {
            affected::Command::SetService { .. } => Space::Reserved,
            affected::Command::SetImpact { .. } => Space::Free,
        },
        // Somebody takes command.
        C::Roles(command) => match command {
            roles::Command::Take { .. } => Space::Reserved,
            roles::Command::Offer { .. }
            | roles::Command::Ask { .. }
            | roles::Command::MissAsk { .. }
            | roles::Command::Leave { .. }
            | roles::Command::MissAnswer { .. }
            | roles::Command::MissRole { .. } => Space::Free,
        },
        // It is worse than was known.
        C::Declaration(command) => match command {
            declaration::Command::SetSeverity { .. } => Space::Reserved,
            declaration::Command::Propose(_)
            | declaration::Command::Declare(_)
            | declaration::Command::Promote { .. }
            | declaration::Command::Rename { .. } => Space::Free,
        },
        C::Assessment(command) => match command {
            assessment::Command::Assess { .. } => Space::Reserved,
            assessment::Command::SetPotential { .. }
            | assessment::Command::Keep { .. }
            | assessment::Command::Ask { .. }
            | assessment::Command::Miss => Space::Free,
        },
        // Another team has it.
        C::Transfers(command) => match command {
            transfers::Command::Accept { .. } => Space::Reserved,
            transfers::Command::Offer { .. } | transfers::Command::Return { .. } | transfers::Command::Miss { .. } => Space::Free,
        },
        // None of these stops or continues a page.
        C::Answers(_)
        | C::Alarms(_)
        | C::Flapping(_)
        | C::Staffing(_)
        | C::Tasks(_)
        | C::Updates(_)
        | C::Record(_)
        | C::Decisions(_)
        | C::Hypotheses(_)
        | C::Links(_)
        | C::Relations(_)
        | C::Ordering(_)
        | C::Moves(_)
        | C::Clocks(_)
        | C::Plans(_)
        | C::Deeds(_)
        | C::Recovery(_)
        | C::Reports(_)
        | C::Partners(_)
        | C::Obligations(_)
        | C::Objectives(_)
        | C::Resources(_)
        | C::Responders(_)
        | C::Sharing(_)
        | C::Access(_) => Space::Free,
    }
}
