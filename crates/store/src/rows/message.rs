//! The outbox.
//!
//! A message is born *claimed* by the node that decided it: the commit of the decision is the
//! claim. It ends *delivered*, *rejected* or *withdrawn*. *Queued* waits for its next try. A claim
//! whose node died is *in doubt* and is sent again under the same id; that never becomes *failed*
//! by time.

use allclear_domain::ids::{MessageId, NodeId, PageId};
use allclear_domain::paging::MessageDraft;
use allclear_domain::wire::{Notice, NoticeKind};
use jiff::Timestamp;

use super::{Reader, count, instant, opt_text, text, to_json};
use crate::db::Db;
use crate::fault::Fault;
use crate::schema::MESSAGE;
use crate::val::{Row, Val, Write};

/// A message as stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    pub id: MessageId,
    pub channel: String,
    pub person: String,
    pub contact: String,
    pub page: PageId,
    pub notice: Notice,
    pub state: String,
    pub attempts: u32,
    pub next_attempt_at: Timestamp,
    pub claimed_by: Option<NodeId>,
    pub claimed_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub in_doubt: bool,
    pub last_error: Option<String>,
}

/// Lane of pages; others follow with other kinds of messages.
pub const LANE_PAGE: &str = "page";
/// Lane of what is asked of people who are on it already.
pub const LANE_TEAM: &str = "team";

/// A new message, claimed by `node`, or queued where `node` is absent (a quarantined copy).
#[must_use]
pub fn write(draft: &MessageDraft, node: Option<NodeId>, now: Timestamp) -> Write {
    Write::Insert {
        table: &MESSAGE,
        row: vec![
            text(draft.id),
            text(if draft.notice.kind == NoticeKind::Page { LANE_PAGE } else { LANE_TEAM }),
            text(&draft.channel),
            text(&draft.person),
            text(&draft.contact),
            text(draft.notice.page),
            text(draft.notice.incident.id),
            count(draft.org_version),
            to_json(&draft.notice),
            text(if node.is_some() { "claimed" } else { "queued" }),
            Val::Int(0),
            instant(now),
            opt_text(node),
            if node.is_some() { instant(now) } else { Val::Null },
            instant(now),
            Val::Null,
            Val::Bool(false),
            Val::Null,
        ],
    }
}

/// The claim that precedes a further try. It holds only while its page looks for somebody, or
/// where the message is for somebody who is on it already; and of a claimed one only while
/// `holder` or the node itself has it, so that two nodes never both begin it.
#[must_use]
pub fn claim(id: MessageId, node: NodeId, holder: Option<NodeId>, now: Timestamp, in_doubt: bool) -> Write {
    if allclear_domain::plants::planted("claim-ignores-page") {
        return Write::Exec {
            table: &MESSAGE,
            sql: "update message set state = 'claimed', claimed_by = ?2, claimed_at = ?3, in_doubt = (in_doubt or ?4) where id = ?1",
            args: vec![text(id), text(node), instant(now), Val::Bool(in_doubt)],
            expect: None,
        };
    }
    Write::Exec {
        table: &MESSAGE,
        sql: "update message set state = 'claimed', claimed_by = ?2, claimed_at = ?3, in_doubt = (in_doubt or ?4) \
              where id = ?1 and (state = 'queued' or (state = 'claimed' and claimed_by in (?2, ?5))) and (lane <> 'page' or exists \
              (select 1 from page where page.id = message.page and page.status in ('running', 'exhausted')))",
        args: vec![text(id), text(node), instant(now), Val::Bool(in_doubt), text(holder.unwrap_or(node))],
        expect: Some(1),
    }
}

/// It arrived.
#[must_use]
pub fn delivered(id: MessageId, attempts: u32, now: Timestamp) -> Write {
    Write::Exec {
        table: &MESSAGE,
        sql: "update message set state = 'delivered', attempts = ?2, done_at = ?3, last_error = null where id = ?1 and done_at is null",
        args: vec![text(id), Val::from(attempts), instant(now)],
        expect: None,
    }
}

/// It will not arrive this way.
#[must_use]
pub fn rejected(id: MessageId, attempts: u32, now: Timestamp, why: &str) -> Write {
    Write::Exec {
        table: &MESSAGE,
        sql: "update message set state = 'rejected', attempts = ?2, done_at = ?3, last_error = ?4 where id = ?1 and done_at is null",
        args: vec![text(id), Val::from(attempts), instant(now), text(why)],
        expect: None,
    }
}

/// It is tried again later.
#[must_use]
pub fn retry(id: MessageId, attempts: u32, next_attempt_at: Timestamp, in_doubt: bool, why: &str) -> Write {
    Write::Exec {
        table: &MESSAGE,
        sql: "update message set state = 'queued', attempts = ?2, next_attempt_at = ?3, in_doubt = (in_doubt or ?4), last_error = ?5, \
              claimed_by = null, claimed_at = null where id = ?1 and done_at is null",
        args: vec![text(id), Val::from(attempts), instant(next_attempt_at), Val::Bool(in_doubt), text(why)],
        expect: None,
    }
}

/// Nothing of this page that waits is begun any more. What is claimed may be in flight: its claim
/// is checked again before its first byte.
#[must_use]
pub fn withdraw_waiting(page: PageId, now: Timestamp) -> Write {
    Write::Exec {
        table: &MESSAGE,
        sql: "update message set state = 'withdrawn', done_at = ?2 where page = ?1 and state = 'queued' and lane = 'page'",
        args: vec![text(page), instant(now)],
        expect: None,
    }
}

/// This claimed message was not begun, since its page has ended.
#[must_use]
pub fn withdraw(id: MessageId, now: Timestamp) -> Write {
    Write::Exec {
        table: &MESSAGE,
        sql: "update message set state = 'withdrawn', done_at = ?2 where id = ?1 and done_at is null",
        args: vec![text(id), instant(now)],
        expect: None,
    }
}

const COLUMNS: &str = "id, channel, person, contact, page, notice, state, attempts, next_attempt_at, claimed_by, claimed_at, created_at, in_doubt, last_error";

fn stored(row: &Row) -> Result<Stored, Fault> {
    let mut r = Reader::new(row);
    Ok(Stored {
        id: r.parse()?,
        channel: r.text()?,
        person: r.text()?,
        contact: r.text()?,
        page: r.parse()?,
        notice: r.json()?,
        state: r.text()?,
        attempts: r.small()?,
        next_attempt_at: r.instant()?,
        claimed_by: r.opt_parse()?,
        claimed_at: r.opt_instant()?,
        created_at: r.instant()?,
        in_doubt: r.bool()?,
        last_error: r.opt_text()?,
    })
}

/// Waiting messages whose next try is due, pages first, earliest first.
pub async fn due(db: &Db, now: Timestamp, limit: i64) -> Result<Vec<Stored>, Fault> {
    let sql = format!(
        "select {COLUMNS} from message where state = 'queued' and next_attempt_at <= ?1 \
         order by case lane when 'page' then 0 else 1 end, next_attempt_at limit ?2"
    );
    let rows = db.read(&sql, vec![instant(now), Val::Int(limit)]).await?;
    rows.iter().map(stored).collect()
}

/// What waits and was written after `now`, as it was where the clock has been set back while the program was stopped,
/// is tried now.
#[must_use]
pub fn try_what_is_of_the_future(now: Timestamp) -> Write {
    Write::Exec {
        table: &MESSAGE,
        sql: "update message set next_attempt_at = ?1 where state = 'queued' and created_at > ?1 and next_attempt_at > ?1",
        args: vec![instant(now)],
        expect: None,
    }
}

/// When the next try is due.
pub async fn next_attempt(db: &Db) -> Result<Option<Timestamp>, Fault> {
    let rows = db.read("select min(next_attempt_at) from message where state = 'queued'", vec![]).await?;
    rows.first().map_or(Ok(None), |row| Reader::new(row).opt_instant())
}

/// Claims of other nodes, or of this program's earlier runs, that are older than `before`.
pub async fn orphaned(db: &Db, not_by: NodeId, before: Timestamp, limit: i64) -> Result<Vec<Stored>, Fault> {
    let sql = format!(
        "select {COLUMNS} from message where state = 'claimed' and claimed_by <> ?1 and claimed_at <= ?2 order by claimed_at limit ?3"
    );
    let rows = db.read(&sql, vec![text(not_by), instant(before), Val::Int(limit)]).await?;
    rows.iter().map(stored).collect()
}

/// One message.
pub async fn get(db: &Db, id: MessageId) -> Result<Option<Stored>, Fault> {
    let rows = db.read(&format!("select {COLUMNS} from message where id = ?1"), vec![text(id)]).await?;
    rows.first().map(stored).transpose()
}

/// The messages of a page, oldest first.
pub async fn of_page(db: &Db, page: PageId) -> Result<Vec<Stored>, Fault> {
    let rows = db.read(&format!("select {COLUMNS} from message where page = ?1 order by id limit 1000"), vec![text(page)]).await?;
    rows.iter().map(stored).collect()
}

/// Messages that wait or are in flight, by channel, for the gauge.
pub async fn waiting(db: &Db) -> Result<Vec<(String, i64)>, Fault> {
    let rows = db.read("select channel, count(*) from message where state in ('queued', 'claimed') group by channel", vec![]).await?;
    rows.iter().map(|row| Ok((row.text(0)?.to_owned(), row.int(1)?))).collect()
}
