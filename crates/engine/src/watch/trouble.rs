//! What impairs paging right now: one list that readiness, `doctor`, the board and the operator's alarm read.
//!
//! Whoever notices that something is wrong raises a trouble, and clears it when it is over; raising the same twice
//! keeps the instant of the first. In memory of this node: what is wrong with another node is told by that one.
//! Deliberately not here: what follows from a trouble. Nothing on the way of a page waits for this list.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Mutex, PoisonError};

use allclear_store::unread::Unread;
use jiff::Timestamp;

/// Troubles of one kind that are listed one by one; more of the same help nobody.
pub const TROUBLES_MAX: usize = 200;

/// A part of the program that takes work up, one piece after another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// The task that decides commands.
    Decide,
    /// The store's writer.
    Commit,
    /// The task that looks at due expectations.
    Look,
    /// The task that hands messages to channels.
    Send,
    /// The task that follows other nodes on the same PostgreSQL.
    Follow,
}

impl Stage {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Decide, Self::Commit, Self::Look, Self::Send, Self::Follow];
    /// As in metrics and in the API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Decide => "decide",
            Self::Commit => "commit",
            Self::Look => "look",
            Self::Send => "send",
            Self::Follow => "follow",
        }
    }
    /// The stage with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.name() == name)
    }
    /// The stage that it hands its work to and waits for: while that one stands still, this one cannot help it.
    #[must_use]
    pub const fn waits_for(self) -> Option<Self> {
        match self {
            Self::Decide => Some(Self::Commit),
            Self::Look | Self::Send => Some(Self::Decide),
            Self::Commit | Self::Follow => None,
        }
    }
    /// As people read it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Decide => "deciding",
            Self::Commit => "committing",
            Self::Look => "looking at what is due",
            Self::Send => "sending",
            Self::Follow => "following other nodes",
        }
    }
}

/// Something that is wrong; which of its kind is part of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trouble {
    /// A stage has work and does not take it up.
    StageStill(Stage),
    /// Expectations are looked at a minute and more after their time.
    LooksLate,
    /// Everybody was paged and nobody has it; by the incident's reference.
    PageExhausted(String),
    /// The mail server does not answer, or refuses us.
    MailServerDown,
    /// A channel delivers to nobody.
    ChannelFails(String),
    /// A channel hears nothing: the connection that it hears by cannot be opened.
    NotHeard(String),
    /// A row that this program does not read, set aside: table and key.
    Unreadable(&'static str, String),
    /// The wall clock and elapsed time disagree.
    ClockJumped,
    /// A command is decided again and again and does not come further.
    NoProgress,
    /// The message to nobody that is sent each hour has not arrived.
    CanaryLost,
    /// What should follow a missed deadline is refused, so that it does not happen; by owner and key.
    LookRefused(String),
    /// The disk is full: what is new is refused.
    DiskFull,
    /// The store is damaged.
    StoreDamaged,
}

impl Trouble {
    /// Its kind, as in metrics and in the API.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::StageStill(_) => "stage_still",
            Self::LooksLate => "looks_late",
            Self::PageExhausted(_) => "page_exhausted",
            Self::MailServerDown => "mail_server_down",
            Self::ChannelFails(_) => "channel_fails",
            Self::NotHeard(_) => "not_heard",
            Self::Unreadable(..) => "unreadable",
            Self::ClockJumped => "clock_jumped",
            Self::NoProgress => "no_progress",
            Self::CanaryLost => "canary_lost",
            Self::LookRefused(_) => "look_refused",
            Self::DiskFull => "disk_full",
            Self::StoreDamaged => "store_damaged",
        }
    }

    /// Every kind, so that a gauge shows a zero where there is none.
    pub const KINDS: &'static [&'static str] = &[
        "stage_still",
        "looks_late",
        "page_exhausted",
        "mail_server_down",
        "channel_fails",
        "not_heard",
        "unreadable",
        "clock_jumped",
        "no_progress",
        "canary_lost",
        "look_refused",
        "disk_full",
        "store_damaged",
    ];

    /// Whether somebody may not be paged while it is there, so that a watch outside is not told that all is well.
    #[must_use]
    pub const fn silences_heartbeat(&self) -> bool {
        match self {
            Self::StageStill(_)
            | Self::LooksLate
            | Self::MailServerDown
            | Self::ChannelFails(_)
            | Self::NoProgress
            | Self::CanaryLost
            | Self::LookRefused(_)
            | Self::DiskFull
            | Self::StoreDamaged => true,
            // Paging works: it was people who did not answer, a button that is not heard beside a link that is, one row that is set
            // aside, a clock that nothing goes by.
            Self::PageExhausted(_) | Self::NotHeard(_) | Self::Unreadable(..) | Self::ClockJumped => false,
        }
    }

    /// Whether this node cannot accept and page while it is there: then it is not ready, and whoever watches
    /// readiness sends work elsewhere or restarts it. What is not mended by that leaves it ready.
    #[must_use]
    pub const fn is_unready(&self) -> bool {
        match self {
            Self::StageStill(_) => true,
            Self::LooksLate
            | Self::PageExhausted(_)
            | Self::MailServerDown
            | Self::ChannelFails(_)
            | Self::NotHeard(_)
            | Self::Unreadable(..)
            | Self::ClockJumped
            | Self::NoProgress
            | Self::CanaryLost
            | Self::LookRefused(_)
            // Neither is mended by another start, and acknowledgements still come in here.
            | Self::DiskFull
            | Self::StoreDamaged => false,
        }
    }

    /// As everybody who is signed in may read it: without the key of what they might not see. Of an incident that
    /// nobody has the board itself tells those who may see it.
    #[must_use]
    pub fn for_everybody(&self) -> Option<String> {
        match self {
            Self::PageExhausted(_) => None,
            Self::Unreadable(table, _) => Some(format!("a stored {table} does not read and is set aside")),
            Self::LookRefused(_) => Some("what follows a missed deadline is refused".to_owned()),
            Self::StageStill(_)
            | Self::LooksLate
            | Self::MailServerDown
            | Self::ChannelFails(_)
            | Self::NotHeard(_)
            | Self::ClockJumped
            | Self::NoProgress
            | Self::CanaryLost
            | Self::DiskFull
            | Self::StoreDamaged => Some(self.to_string()),
        }
    }

    /// What whoever runs this can do.
    #[must_use]
    pub const fn advice(&self) -> &'static str {
        match self {
            Self::StageStill(_) => "restart this node; nothing that was accepted is lost",
            Self::LooksLate => "look at the load and at the database: deadlines are kept, but too late",
            Self::PageExhausted(_) => "call somebody and have them acknowledge it: everybody was paged and nobody answered",
            Self::MailServerDown => "look at the mail server and at `--smtp`; mail goes out by itself when it answers again",
            Self::ChannelFails(_) => "look at the channel's server and its settings; people are paged by their other ways meanwhile",
            Self::NotHeard(_) => {
                "look at the channel's settings, here and at its vendor; messages go out, and their links work, but its buttons and lines are not heard"
            }
            Self::Unreadable(..) => "start the newer version that wrote it, or look at the row with `allclear doctor`; all else goes on",
            Self::ClockJumped => {
                "set the clock right; if it is right now, restart this node when no page is running, or wait until no incident is open"
            }
            Self::NoProgress => "look at the log, which names the command, and report it: this is a mistake in the program",
            Self::CanaryLost => "look at the load, the database and the log, and send a test page: a page may hang where this does",
            Self::LookRefused(_) => "look at the log, which says why; it is tried again every 30 seconds",
            Self::DiskFull => "make room on the disk of the database; it goes on by itself",
            Self::StoreDamaged => {
                "run `allclear doctor`, keep a copy of the database with its -wal, and restore the last good backup beside it"
            }
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::StageStill(stage) => write!(f, "{} stands still", stage.word()),
            Self::LooksLate => f.write_str("deadlines are looked at late"),
            Self::PageExhausted(reference) => write!(f, "nobody has {reference}"),
            Self::MailServerDown => f.write_str("the mail server does not answer"),
            Self::ChannelFails(channel) => write!(f, "channel {channel} delivers to nobody"),
            Self::NotHeard(channel) => write!(f, "nothing is heard over channel {channel}"),
            Self::Unreadable(table, key) => write!(f, "{table} {key} does not read"),
            Self::ClockJumped => f.write_str("the wall clock jumped"),
            Self::NoProgress => f.write_str("a command was decided again without progress"),
            Self::CanaryLost => f.write_str("the hourly canary has not arrived"),
            Self::LookRefused(what) => write!(f, "what follows {what} is refused"),
            Self::DiskFull => f.write_str("the disk is full"),
            Self::StoreDamaged => f.write_str("the database is damaged"),
        }
    }
}

/// A trouble that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Present {
    /// What.
    pub trouble: Trouble,
    /// What is known of it, and what would help.
    pub detail: String,
    /// Since when.
    pub since: Timestamp,
}

/// The list.
#[derive(Debug, Default)]
pub struct Troubles {
    present: Mutex<BTreeMap<Trouble, (String, Timestamp)>>,
}

/// What operators are told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alarm {
    pub at: Timestamp,
    /// What is wrong and was not told lately, as much of it as is named.
    pub impaired: Vec<Present>,
    /// How much more is wrong: what was told before, and what there was no room for.
    pub more: usize,
    /// What was told and is over.
    pub over: Vec<Present>,
}

impl Troubles {
    /// It is there. Whether it was not before. The detail goes to operators outside: it holds no title of an incident,
    /// no address and no secret.
    pub fn raise(&self, trouble: Trouble, detail: &str, now: Timestamp) -> bool {
        let mut present = self.present.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, _)) = present.get_mut(&trouble) {
            detail.clone_into(known);
            return false;
        }
        // A night of incidents that nobody answers must not hide that a stage stands still.
        let kind = trouble.kind();
        if present.keys().filter(|known| known.kind() == kind).count() >= TROUBLES_MAX {
            return false;
        }
        tracing::error!(%trouble, detail, "paging is impaired");
        present.insert(trouble, (detail.to_owned(), now));
        true
    }

    /// It is over. Whether it was there.
    pub fn clear(&self, trouble: &Trouble) -> bool {
        let gone = self.present.lock().unwrap_or_else(PoisonError::into_inner).remove(trouble).is_some();
        if gone {
            tracing::info!(%trouble, "paging is impaired by this no more");
        }
        gone
    }

    /// These rows were set aside, since they do not read.
    pub(crate) fn set_aside(&self, rows: Vec<Unread>, now: Timestamp) {
        for Unread { table, key, why } in rows {
            self.raise(Trouble::Unreadable(table, key), &why, now);
        }
    }

    /// These rows do not read now: each is a trouble. Those in `known` that are not among them any more are none.
    pub(crate) fn unread(&self, known: &mut BTreeSet<Trouble>, rows: Vec<Unread>, now: Timestamp) {
        let mut there = BTreeSet::new();
        for Unread { table, key, why } in rows {
            let trouble = Trouble::Unreadable(table, key);
            self.raise(trouble.clone(), &why, now);
            there.insert(trouble);
        }
        for gone in known.difference(&there) {
            self.clear(gone);
        }
        *known = there;
    }

    /// Whether this one is there.
    #[must_use]
    pub fn has(&self, trouble: &Trouble) -> bool {
        self.present.lock().unwrap_or_else(PoisonError::into_inner).contains_key(trouble)
    }

    /// What is there, in a fixed order.
    #[must_use]
    pub fn list(&self) -> Vec<Present> {
        let present = self.present.lock().unwrap_or_else(PoisonError::into_inner);
        present
            .iter()
            .map(|(trouble, (detail, since))| Present { trouble: trouble.clone(), detail: detail.clone(), since: *since })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trouble_keeps_its_first_instant_and_goes_when_it_is_over() {
        let troubles = Troubles::default();
        let (first, later) = (Timestamp::from_second(100).unwrap(), Timestamp::from_second(200).unwrap());
        for n in 0..=TROUBLES_MAX {
            let exhausted = Trouble::PageExhausted(format!("INC-{n}"));
            assert_eq!(troubles.raise(exhausted.clone(), "", first), n < TROUBLES_MAX, "{n}");
        }
        assert!(troubles.raise(Trouble::StageStill(Stage::Send), "", first), "whatever else there is");
        troubles.clear(&Trouble::StageStill(Stage::Send));
        for n in 0..TROUBLES_MAX {
            assert!(troubles.clear(&Trouble::PageExhausted(format!("INC-{n}"))));
        }
        assert!(troubles.raise(Trouble::LooksLate, "by 70 s", first));
        assert!(!troubles.raise(Trouble::LooksLate, "by 90 s", later));
        assert_eq!(troubles.list(), [Present { trouble: Trouble::LooksLate, detail: "by 90 s".into(), since: first }]);
        assert!(troubles.clear(&Trouble::LooksLate) && !troubles.clear(&Trouble::LooksLate));
        assert_eq!(troubles.list(), []);
    }
}
