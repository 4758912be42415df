//! When the disk is full: which commands may use what is kept for that, and the watch that finds out when there is
//! room again, and whether the store is damaged.
//!
//! The rule: what stops a page, what continues one, and what was tried already. What begins something new, however
//! important, is refused with 503, since its sender keeps it and sends it again; nobody keeps an acknowledgement.

use std::time::Duration;

use allclear_domain::incident;
use allclear_store::Space;

use crate::core::Command;
use crate::engine::Engine;
use crate::shared::note_fault;
use crate::watch::trouble::Trouble;

/// How often the store is looked at: a second of waiting for room is less than a sender's next try.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Looks from one try to make a reserve that a start had no room for to the next: a minute. Nothing is refused meanwhile,
/// and who makes room on a disk takes minutes.
const LOOKS_PER_RESERVE: u32 = 60;

/// What a command may take of the disk.
#[must_use]
pub const fn space(command: &Command) -> Space {
    match command {
        // An answer to a page, and a call for more people.
        Command::Page { .. } | Command::Escalate { .. } | Command::PagePeople { .. } => Space::Reserved,
        // Somebody is to have it.
        Command::Attend { .. } => Space::Reserved,
        // Deadlines that run, messages that are to go out, and what became of them.
        Command::Look(_) | Command::TakeOver { .. } | Command::Withdraw { .. } | Command::Sent { .. } => Space::Reserved,
        Command::Incident { command, .. } => of_incident(command),
        Command::IfVersion { command, .. } => space(command),
        Command::Signals(_)
        | Command::Declare(_)
        | Command::Merge { .. }
        | Command::LinkAlert { .. }
        | Command::AskReview { .. }
        | Command::Review { .. }
        | Command::AddAction { .. }
        | Command::Action { .. }
        | Command::Flush { .. } => Space::Free,
    }
}

const fn of_incident(command: &incident::Command) -> Space {
    use incident::Command as C;
    use incident::{declaration, ending, roles};
    match command {
        // Somebody has it, has it still, or has it no more, and a page looks for somebody.
        C::Attendance(_) => Space::Reserved,
        // It is over, or nearly: pages stop.
        C::Ending(command) => match command {
            ending::Command::Mitigate { .. } | ending::Command::Resolve { .. } | ending::Command::Cancel { .. } => Space::Reserved,
            ending::Command::Reopen { .. } | ending::Command::Close => Space::Free,
        },
        // Somebody takes command.
        C::Roles(command) => match command {
            roles::Command::Take { .. } => Space::Reserved,
            roles::Command::Offer { .. }
            | roles::Command::Leave { .. }
            | roles::Command::MissAnswer { .. }
            | roles::Command::MissCommander => Space::Free,
        },
        // It is worse than was known.
        C::Declaration(command) => match command {
            declaration::Command::SetSeverity { .. } => Space::Reserved,
            declaration::Command::Propose(_)
            | declaration::Command::Declare(_)
            | declaration::Command::Promote { .. }
            | declaration::Command::Rename { .. } => Space::Free,
        },
        // None of these stops or continues a page.
        C::Alarms(_) | C::Flapping(_) | C::Tasks(_) | C::Updates(_) | C::Record(_) | C::Links(_) | C::Access(_) => Space::Free,
    }
}

/// Looks for as long as the program runs.
pub(crate) async fn watch(engine: Engine) {
    let shared = engine.shared.clone();
    let mut looks = 0_u32;
    loop {
        looks = looks.wrapping_add(1);
        look(&engine, looks.is_multiple_of(LOOKS_PER_RESERVE)).await;
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = shared.stop.cancelled() => return,
        }
    }
}

async fn look(engine: &Engine, reserve_too: bool) {
    let shared = &engine.shared;
    if let Some(why) = shared.db.damage() {
        shared.troubles.raise(Trouble::StoreDamaged, &why, engine.now());
    }
    if !shared.db.is_short() {
        if reserve_too && let Err(fault) = shared.db.regain().await {
            tracing::warn!(%fault, "it could not be looked whether the reserve is whole");
        }
        return;
    }
    let detail = "new alarms are answered 503 and kept by their senders; acknowledgements count and pages go on, from a reserve";
    shared.troubles.raise(Trouble::DiskFull, detail, engine.now());
    if shared.db.regain().await.is_ok_and(|room| room) {
        shared.troubles.clear(&Trouble::DiskFull);
        note_fault(shared, None);
    }
}
