//! The canary: a message to nobody that goes the way of every page, so that a night in which nothing happens proves that one
//! would have gone out. Begun by the watch (`watch/canary.rs`), it is decided and committed as an expectation that is due at once,
//! looked at, becomes a message of the outbox, and arrives where the outbox would have handed it to a channel.
//!
//! Not here: channels. Whether those deliver is judged by what really goes over them; a canary that rang somebody's phone each hour
//! would be turned off. What arrived leaves no row.

use allclear_domain::expect::{Expectation, Owner, Rule, Standing};
use allclear_domain::ids::MessageId;
use allclear_domain::paging::MessageDraft;
use allclear_domain::time::Length;
use allclear_domain::wire::{Notice, NoticeKind};
use allclear_store::rows;

use super::Core;
use super::command::Reply;
use super::due::{note_look, settle};
use super::unit::Unit;

/// Where it goes, in the place of a channel. In brackets, which no channel's name has: a vendor that is described as data is called as its
/// house likes, and what goes over it must not end here.
pub(crate) const SINK: &str = "(sink)";
/// Whom it is for, in the place of a person's id, which has no brackets either.
const NOBODY: &str = "(nobody)";
/// What it says, to nobody.
const TEXT: &str = "a page would go out";
/// What begins its key; the id of its message follows.
const KEY: &str = "canary:";

/// The key of what is expected of it.
pub(crate) fn key_of(message: MessageId) -> String {
    format!("{KEY}{message}")
}

impl Core {
    /// It is begun: due at once.
    pub(super) fn canary(unit: &mut Unit, message: MessageId) -> Reply {
        let look = Expectation::open(Owner::Org, key_of(message), Rule::Canary, None, NOBODY.to_owned(), unit.now, Length::ZERO);
        unit.write(rows::expectation::open(&look));
        note_look(unit, unit.now);
        Reply::Done
    }

    /// It was looked at, and goes on as a message.
    pub(super) fn look_canary(&self, unit: &mut Unit, given: &Expectation) {
        let Some(id) = given.key.strip_prefix(KEY).and_then(|id| id.parse::<MessageId>().ok()) else {
            settle(unit, given, Standing::Void, "its key does not read");
            return;
        };
        if self.setup.quarantined {
            settle(unit, given, Standing::Void, "nothing is sent from a copy");
            return;
        }
        settle(unit, given, Standing::Met, "it was looked at");
        let nobodys = [unit.id(), unit.id()];
        let notice = Notice::of_no_incident(NoticeKind::Note, given.key.clone(), NOBODY, TEXT.to_owned(), nobodys);
        let draft = MessageDraft {
            id,
            person: NOBODY.to_owned(),
            contact: SINK.to_owned(),
            channel: SINK.to_owned(),
            org_version: self.org.version,
            notice,
        };
        unit.send_alone(&draft, Some(self.setup.node));
    }
}
