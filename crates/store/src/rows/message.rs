//! The outbox.
//!
//! A message is born *claimed* by the node that decided it (the commit of the decision is the claim), or *queued*
//! and held by it where its person was told something a moment ago. It ends *delivered*, *rejected* or *withdrawn*.
//! *Queued* waits for its next try. What goes out as one message has the id of its lead in `bundle`, set by the
//! claim; while it may have arrived, it is tried again as the same set under the same id. A claim whose node died is
//! *in doubt* and is sent again; that never becomes *failed* by time.

use std::collections::BTreeSet;

use allclear_domain::ids::{IncidentId, MessageId, NodeId, PageId};
use allclear_domain::incident::State;
use allclear_domain::paging::{AtStep, MessageDraft, MessageState, Status};
use allclear_domain::plants::planted;
use allclear_domain::view::BundledPage;
use allclear_domain::wire::{Notice, NoticeKind};
use jiff::Timestamp;

use super::{Reader, count, instant, opt_instant, opt_text, text, to_json};
use crate::db::Db;
use crate::fault::Fault;
use crate::schema::MESSAGE;
use crate::val::{Row, Val, Write};

/// A message as stored.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredMessage {
    pub id: MessageId,
    pub channel: String,
    pub person: String,
    pub contact: String,
    pub page: PageId,
    pub notice: Notice,
    pub state: MessageState,
    pub attempts: u32,
    pub next_attempt_at: Timestamp,
    pub claimed_by: Option<NodeId>,
    pub claimed_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub in_doubt: bool,
    pub last_error: Option<String>,
    /// The lead of what it goes out with; its own id where it goes alone and may have arrived.
    pub bundle: Option<MessageId>,
}

impl StoredMessage {
    /// What is needed to report on it.
    #[must_use]
    pub fn envelope(&self) -> Envelope {
        Envelope {
            id: self.id,
            pages: self.notice.kind.looks(),
            is_step: self.notice.kind == NoticeKind::Step,
            incident: self.notice.incident.id,
            channel: self.channel.clone(),
            person: self.person.clone(),
            contact: self.contact.clone(),
            page: self.page,
            attempts: self.attempts,
            claimed_by: self.claimed_by,
            in_doubt: self.in_doubt,
        }
    }
}

/// A message without what it says: reads also where its notice does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    pub id: MessageId,
    /// Whether it asks somebody to take something; the others tell.
    pub pages: bool,
    /// Whether it is what a step of a plan does: its answer is the incident's.
    pub is_step: bool,
    pub incident: IncidentId,
    pub channel: String,
    pub person: String,
    pub contact: String,
    pub page: PageId,
    pub attempts: u32,
    pub claimed_by: Option<NodeId>,
    pub in_doubt: bool,
}

/// How a message is born.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Born {
    /// To be sent at once, by this node.
    Claimed(NodeId),
    /// To wait until then for company; this node looks after it meanwhile.
    Held { by: NodeId, until: Timestamp },
    /// In a copy, where nothing is sent.
    Waiting,
}

/// Lane of pages; others follow with other kinds of messages. Lanes go out in the order of their names.
pub const LANE_PAGE: &str = "page";
/// Lane of what is asked of people who are on it already, each a message of its own.
pub const LANE_QUESTION: &str = "question";
/// Lane of what steps of plans do, each a message of its own.
pub const LANE_STEP: &str = "step";
/// Lane of what they are told.
pub const LANE_TEAM: &str = "team";
/// Lane of fire drills, each a message of its own: after all that is real.
pub const LANE_TRIAL: &str = "trial";
/// Lane of codes, each a message of its own: the last, since they wake nobody.
pub const LANE_VERIFY: &str = "verify";

const fn lane(kind: NoticeKind) -> &'static str {
    match kind {
        NoticeKind::Page => LANE_PAGE,
        NoticeKind::Drill => LANE_TRIAL,
        kind if kind.asks() => LANE_QUESTION,
        NoticeKind::Step => LANE_STEP,
        NoticeKind::Code => LANE_VERIFY,
        NoticeKind::ConfirmRecovery
        | NoticeKind::StillOnIt
        | NoticeKind::Reminder
        | NoticeKind::Update
        | NoticeKind::Request
        | NoticeKind::Over
        | NoticeKind::Readiness
        | NoticeKind::Note
        | NoticeKind::Shift => LANE_TEAM,
    }
}

/// A new message.
#[must_use]
pub fn write(draft: &MessageDraft, born: Born, now: Timestamp) -> Write {
    let (state, by, claimed_at, next_attempt_at) = match born {
        Born::Claimed(node) => (MessageState::Claimed, Some(node), Some(now), now),
        Born::Held { by, until } => (MessageState::Queued, Some(by), Some(now), until),
        Born::Waiting => (MessageState::Queued, None, None, now),
    };
    Write::Insert {
        table: &MESSAGE,
        row: vec![
            text(draft.id),
            text(lane(draft.notice.kind)),
            text(&draft.channel),
            text(&draft.person),
            text(&draft.contact),
            text(draft.notice.page),
            text(draft.notice.incident.id),
            count(draft.org_version),
            to_json(&draft.notice),
            text(state.word()),
            Val::Int(0),
            instant(next_attempt_at),
            opt_text(by),
            opt_instant(claimed_at),
            instant(now),
            Val::Null,
            Val::Bool(false),
            Val::Null,
            text(&draft.notice.incident.severity),
            Val::Null,
        ],
    }
}

/// The claim that precedes a try, as part of what goes out under `lead`. It holds only for what waits, and while its
/// page looks for somebody, or where it is for somebody who is on it already. Whether it held is read afterwards
/// ([`of_claim`]), so that many are asked for together and a lost race takes nothing from the others.
#[must_use]
pub fn claim(id: MessageId, lead: MessageId, node: NodeId, now: Timestamp) -> Write {
    let args = vec![text(id), text(node), instant(now), text(lead)];
    if planted("claim-ignores-page") {
        let sql = "update message set state = 'claimed', claimed_by = ?2, claimed_at = ?3, bundle = ?4 where id = ?1";
        return Write::Exec { table: &MESSAGE, sql, args, expect: None };
    }
    Write::Exec {
        table: &MESSAGE,
        sql: "update message set state = 'claimed', claimed_by = ?2, claimed_at = ?3, bundle = ?4 \
              where id = ?1 and state = 'queued' and (lane not in ('page', 'trial') or exists \
              (select 1 from page where page.id = message.page and page.status in ('running', 'exhausted')))",
        args,
        expect: None,
    }
}

/// The claim of something that was never under way, in a set that begins with its lead: it holds only where the lead's
/// did, earlier in the same commit. Another node that has claimed the lead under this id has the others of its own set,
/// and no two messages ever go out under one id.
#[must_use]
pub fn claim_with_lead(id: MessageId, lead: MessageId, node: NodeId, now: Timestamp) -> Write {
    if planted("claim-ignores-page") {
        return claim(id, lead, node, now);
    }
    Write::Exec {
        table: &MESSAGE,
        sql: "update message set state = 'claimed', claimed_by = ?2, claimed_at = ?3, bundle = ?4 \
              where id = ?1 and state = 'queued' and (lane not in ('page', 'trial') or exists \
              (select 1 from page where page.id = message.page and page.status in ('running', 'exhausted'))) \
              and (id = ?4 or exists (select 1 from message as lead \
              where lead.id = ?4 and lead.state = 'claimed' and lead.claimed_by = ?2 and lead.bundle = ?4))",
        args: vec![text(id), text(node), instant(now), text(lead)],
        expect: None,
    }
}

/// What a step does is not begun any more where it waits; what is under way may arrive.
#[must_use]
pub fn withdraw_queued(id: MessageId, now: Timestamp) -> Write {
    Write::Exec {
        table: &MESSAGE,
        sql: "update message set state = 'withdrawn', done_at = ?2 where id = ?1 and state = 'queued'",
        args: vec![text(id), instant(now)],
        expect: None,
    }
}

/// What waits for a page that looks for nobody any more is not sent.
#[must_use]
pub fn withdraw_unwanted(id: MessageId, now: Timestamp) -> Write {
    Write::Exec {
        table: &MESSAGE,
        sql: "update message set state = 'withdrawn', done_at = ?2 where id = ?1 and state = 'queued' and lane in ('page', 'trial') and not exists \
              (select 1 from page where page.id = message.page and page.status in ('running', 'exhausted'))",
        args: vec![text(id), instant(now)],
        expect: None,
    }
}

/// What `holder` had under way when it stopped goes to `node`, under the lead it had. Two nodes never both have it.
#[must_use]
pub fn take_over(id: MessageId, lead: MessageId, node: NodeId, holder: NodeId, now: Timestamp) -> Write {
    Write::Exec {
        table: &MESSAGE,
        sql: "update message set claimed_by = ?2, claimed_at = ?3, bundle = ?4, in_doubt = true \
              where id = ?1 and state = 'claimed' and claimed_by in (?2, ?5)",
        args: vec![text(id), text(node), instant(now), text(lead), text(holder)],
        expect: Some(1),
    }
}

/// A claim that was not used: it waits again, and is due.
#[must_use]
pub fn give_back(id: MessageId, node: NodeId, now: Timestamp) -> Write {
    Write::Exec {
        table: &MESSAGE,
        sql: "update message set state = 'queued', claimed_by = null, claimed_at = null, next_attempt_at = ?3, \
              bundle = case when in_doubt then coalesce(bundle, id) else null end \
              where id = ?1 and state = 'claimed' and claimed_by = ?2",
        args: vec![text(id), text(node), instant(now)],
        expect: None,
    }
}

/// All that a node that stops has, where nothing is under way any more: its claims, and what it holds back.
#[must_use]
pub fn give_back_all(node: NodeId, now: Timestamp) -> Write {
    Write::Exec {
        table: &MESSAGE,
        sql: "update message set state = 'queued', claimed_by = null, claimed_at = null, next_attempt_at = ?2, \
              bundle = case when in_doubt then coalesce(bundle, id) else null end \
              where state in ('claimed', 'queued') and claimed_by = ?1",
        args: vec![text(node), instant(now)],
        expect: None,
    }
}

/// What a node that stops holds back; its claims are given back one by one where some are under way still.
#[must_use]
pub fn give_back_held(node: NodeId, now: Timestamp) -> Write {
    Write::Exec {
        table: &MESSAGE,
        sql: "update message set claimed_by = null, claimed_at = null, next_attempt_at = ?2 where state = 'queued' and claimed_by = ?1",
        args: vec![text(node), instant(now)],
        expect: None,
    }
}

/// What nodes that stopped held back is due now.
#[must_use]
pub fn release_held(not_by: NodeId, before: Timestamp, now: Timestamp) -> Write {
    Write::Exec {
        table: &MESSAGE,
        sql: "update message set claimed_by = null, claimed_at = null, next_attempt_at = ?3 \
              where state = 'queued' and claimed_by is not null and claimed_by <> ?1 and claimed_at <= ?2 \
              and not exists (select 1 from node where node.id = message.claimed_by and node.seen_at > ?2)",
        args: vec![text(not_by), instant(before), instant(now)],
        expect: None,
    }
}

/// Whether any node but this one holds something back: looked at before [`release_held`], which is a write.
pub async fn others_hold(db: &Db, not_by: NodeId) -> Result<bool, Fault> {
    let sql = "select id from message where state = 'queued' and claimed_by is not null and claimed_by <> ?1 limit 1";
    Ok(!db.read(sql, vec![text(not_by)]).await?.is_empty())
}

/// A row that this program does not read: put off, for whoever does read it, or for a version that will.
#[must_use]
pub fn set_aside(id: MessageId, until: Timestamp, why: &str) -> Write {
    Write::Exec {
        table: &MESSAGE,
        sql: "update message set state = 'queued', claimed_by = null, claimed_at = null, next_attempt_at = ?2, last_error = ?3 \
              where id = ?1 and done_at is null",
        args: vec![text(id), instant(until), text(why)],
        expect: None,
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

/// Its provider has taken it, and says later whether it arrived.
#[must_use]
pub fn accepted(id: MessageId, attempts: u32) -> Write {
    Write::Exec {
        table: &MESSAGE,
        sql: "update message set state = 'accepted', attempts = ?2, claimed_by = null, claimed_at = null, last_error = null \
              where id = ?1 and done_at is null",
        args: vec![text(id), Val::from(attempts)],
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

/// It is tried again later: as the same set while it may have arrived, else with whatever waits by then. What another
/// node has claimed meanwhile stays with it.
#[must_use]
pub fn retry(id: MessageId, node: NodeId, attempts: u32, next_attempt_at: Timestamp, in_doubt: bool, why: &str) -> Write {
    Write::Exec {
        table: &MESSAGE,
        sql: "update message set state = 'queued', attempts = ?2, next_attempt_at = ?3, in_doubt = (in_doubt or ?4), last_error = ?5, \
              claimed_by = null, claimed_at = null, bundle = case when in_doubt or ?4 then coalesce(bundle, id) else null end \
              where id = ?1 and done_at is null and (state = 'queued' or claimed_by = ?6)",
        args: vec![text(id), Val::from(attempts), instant(next_attempt_at), Val::Bool(in_doubt), text(why), text(node)],
        expect: None,
    }
}

/// Nothing of this page that waits is begun any more. What is claimed may be in flight: its claim
/// is checked again before its first byte.
#[must_use]
pub fn withdraw_waiting(page: PageId, now: Timestamp) -> Write {
    Write::Exec {
        table: &MESSAGE,
        sql: "update message set state = 'withdrawn', done_at = ?2 where page = ?1 and state = 'queued' and lane in ('page', 'trial')",
        args: vec![text(page), instant(now)],
        expect: None,
    }
}

/// The same of those for one person, who has answered while others are asked still.
#[must_use]
pub fn withdraw_waiting_of(page: PageId, person: &str, now: Timestamp) -> Write {
    Write::Exec {
        table: &MESSAGE,
        sql: "update message set state = 'withdrawn', done_at = ?3 where page = ?1 and person = ?2 and state = 'queued' and lane in ('page', 'trial')",
        args: vec![text(page), text(person), instant(now)],
        expect: None,
    }
}

/// One that was for nobody leaves no trace.
#[must_use]
pub fn remove(id: MessageId) -> Write {
    Write::Exec { table: &MESSAGE, sql: "delete from message where id = ?1", args: vec![text(id)], expect: None }
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

const COLUMNS: &str = "id, channel, person, contact, page, notice, state, attempts, next_attempt_at, claimed_by, claimed_at, created_at, in_doubt, last_error, bundle";

fn stored(row: &Row) -> Result<StoredMessage, Fault> {
    let mut r = Reader::new(row);
    Ok(StoredMessage {
        id: r.parse()?,
        channel: r.text()?,
        person: r.text()?,
        contact: r.text()?,
        page: r.parse()?,
        notice: r.json()?,
        state: r.word(MessageState::from_word)?,
        attempts: r.small()?,
        next_attempt_at: r.instant()?,
        claimed_by: r.opt_parse()?,
        claimed_at: r.opt_instant()?,
        created_at: r.instant()?,
        in_doubt: r.bool()?,
        last_error: r.opt_text()?,
        bundle: r.opt_parse()?,
    })
}

/// Somebody for whom something is due, over one contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueContact {
    pub person: String,
    pub contact: String,
    /// How much.
    pub waiting: u64,
}

/// For whom something is due, pages first, the worst first, so that nobody's heap stands before others.
pub async fn due_contacts(db: &Db, now: Timestamp, limit: i64, skip: i64) -> Result<Vec<DueContact>, Fault> {
    let sql = "select person, contact, count(*) from message where state = 'queued' and next_attempt_at <= ?1 \
               group by person, contact order by min(lane), min(severity), min(next_attempt_at), person, contact limit ?2 offset ?3";
    let rows = db.read(sql, vec![instant(now), Val::Int(limit), Val::Int(skip)]).await?;
    rows.iter()
        .map(|row| {
            let mut r = Reader::new(row);
            Ok(DueContact { person: r.text()?, contact: r.text()?, waiting: r.count()? })
        })
        .collect()
}

/// A message in a contact's heap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    pub id: MessageId,
    /// As in [`Envelope`].
    pub pages: bool,
    /// Whether it goes alone: a question, what a step does, or a code.
    pub asks: bool,
    pub severity: String,
    /// What it has to go out with, where it may have arrived.
    pub bundle: Option<MessageId>,
}

/// What waits for a contact and is due, pages first, the worst first, then the oldest; with `held_until` also what
/// `node` holds back until then.
pub async fn heap(
    db: &Db,
    (person, contact): (&str, &str),
    now: Timestamp,
    node: NodeId,
    held_until: Option<Timestamp>,
    limit: i64,
) -> Result<Vec<Waiting>, Fault> {
    let sql = "select id, lane, severity, bundle from message where state = 'queued' and person = ?1 and contact = ?2 \
               and (next_attempt_at <= ?3 or (claimed_by = ?4 and next_attempt_at <= ?5)) order by lane, severity, id limit ?6";
    let args = vec![text(person), text(contact), instant(now), text(node), instant(held_until.unwrap_or(now)), Val::Int(limit)];
    let rows = db.read(sql, args).await?;
    let waiting = |row: &Row| {
        let mut r = Reader::new(row);
        let (id, lane) = (r.parse()?, r.text()?);
        let (pages, asks) = (lane == LANE_PAGE, [LANE_QUESTION, LANE_STEP, LANE_TRIAL, LANE_VERIFY].contains(&lane.as_str()));
        Ok::<_, Fault>(Waiting { id, pages, asks, severity: r.text()?, bundle: r.opt_parse()? })
    };
    rows.iter().map(waiting).collect()
}

/// What has to go out under `lead` together and waits, due or not.
pub async fn set_of(db: &Db, lead: MessageId) -> Result<Vec<MessageId>, Fault> {
    let rows = db.read("select id from message where bundle = ?1 and state = 'queued' order by id", vec![text(lead)]).await?;
    rows.iter().map(|row| Reader::new(row).parse()).collect()
}

/// What a claim brought: read after it, with a judgement of each by its page as it is now.
#[derive(Debug, Default)]
pub struct Claimed {
    /// To be sent, the worst first.
    pub wanted: Vec<StoredMessage>,
    /// Of pages that ended meanwhile.
    pub unwanted: Vec<MessageId>,
    /// What does not read, and why.
    pub unread: Vec<(MessageId, String)>,
}

/// What `node` has claimed under `lead`.
pub async fn of_claim(db: &Db, lead: MessageId, node: NodeId, limit: i64) -> Result<Claimed, Fault> {
    let wanted = "(lane not in ('page', 'trial') or exists (select 1 from page where page.id = message.page and page.status in ('running', 'exhausted')))";
    let wanted = if planted("claim-ignores-page") { "(1 = 1)" } else { wanted };
    let sql = format!(
        "select {COLUMNS}, {wanted} from message where bundle = ?1 and state = 'claimed' and claimed_by = ?2 order by severity, id limit ?3"
    );
    let mut claimed = Claimed::default();
    for row in db.read(&sql, vec![text(lead), text(node), Val::Int(limit)]).await? {
        let id: MessageId = Reader::new(&row).parse()?;
        match stored(&row) {
            _ if !row.bool(row.0.len() - 1)? => claimed.unwanted.push(id),
            Ok(message) => claimed.wanted.push(message),
            Err(why) => claimed.unread.push((id, why.to_string())),
        }
    }
    Ok(claimed)
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

/// When the next try after `now` is due.
pub async fn next_attempt_after(db: &Db, now: Timestamp) -> Result<Option<Timestamp>, Fault> {
    let sql = "select min(next_attempt_at) from message where state = 'queued' and next_attempt_at > ?1";
    let rows = db.read(sql, vec![instant(now)]).await?;
    rows.first().map_or(Ok(None), |row| Reader::new(row).opt_instant())
}

/// What was under way as one message at a node that is not heard of any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stranded {
    pub lead: MessageId,
    pub person: String,
    pub contact: String,
}

const STRANDED: &str = "state = 'claimed' and claimed_by <> ?1 and claimed_at <= ?2 \
    and not exists (select 1 from node where node.id = message.claimed_by and node.seen_at > ?2)";

/// Claims of nodes, or of this program's earlier runs, that were made before an instant and whose node was not heard
/// of since: by the message each was part of, the worst first.
pub async fn stranded(db: &Db, not_by: NodeId, before: Timestamp, limit: i64) -> Result<Vec<Stranded>, Fault> {
    let lead = if planted("bundle-id-forgotten") { "id" } else { "coalesce(bundle, id)" };
    let sql = format!(
        "select {lead} as lead, min(person), min(contact) from message where {STRANDED} group by {lead} \
         order by min(lane), min(severity), {lead} limit ?3"
    );
    let rows = db.read(&sql, vec![text(not_by), instant(before), Val::Int(limit)]).await?;
    rows.iter()
        .map(|row| {
            let mut r = Reader::new(row);
            Ok(Stranded { lead: r.parse()?, person: r.text()?, contact: r.text()? })
        })
        .collect()
}

/// The messages of one that is stranded.
pub async fn stranded_of(db: &Db, lead: MessageId, not_by: NodeId, before: Timestamp) -> Result<Vec<Envelope>, Fault> {
    let own = if planted("bundle-id-forgotten") { "id = ?3" } else { "(bundle = ?3 or (id = ?3 and bundle is null))" };
    let sql = format!(
        "select id, lane, incident, channel, person, contact, page, attempts, claimed_by, in_doubt from message where {own} and {STRANDED} order by id"
    );
    let rows = db.read(&sql, vec![text(not_by), instant(before), text(lead)]).await?;
    rows.iter().map(envelope).collect()
}

/// What went out under this id and is not known to have arrived or not: taken by its provider, being tried, or in doubt.
///
/// # Errors
/// When the store does not answer.
pub async fn unsettled_of(db: &Db, lead: MessageId) -> Result<Vec<Envelope>, Fault> {
    let sql = "select id, lane, incident, channel, person, contact, page, attempts, claimed_by, in_doubt from message where (bundle = ?1 or id = ?1) \
               and (state in ('accepted', 'claimed') or (state = 'queued' and in_doubt)) order by id";
    let rows = db.read(sql, vec![text(lead)]).await?;
    rows.iter().map(envelope).collect()
}

fn envelope(row: &Row) -> Result<Envelope, Fault> {
    let mut r = Reader::new(row);
    let (id, lane) = (r.parse()?, r.text()?);
    Ok(Envelope {
        id,
        pages: lane == LANE_PAGE || lane == LANE_TRIAL,
        is_step: lane == LANE_STEP,
        incident: r.parse()?,
        channel: r.text()?,
        person: r.text()?,
        contact: r.text()?,
        page: r.parse()?,
        attempts: r.small()?,
        claimed_by: r.opt_parse()?,
        in_doubt: r.bool()?,
    })
}

/// What waits for a contact, is due and was tried less often than so: whose pages do not know yet that it waits.
pub async fn untried(db: &Db, (person, contact): (&str, &str), below: u32, now: Timestamp, limit: i64) -> Result<Vec<Envelope>, Fault> {
    let sql = "select id, lane, incident, channel, person, contact, page, attempts, claimed_by, in_doubt from message \
               where state = 'queued' and person = ?1 and contact = ?2 and next_attempt_at <= ?3 and attempts < ?4 \
               order by lane, severity, id limit ?5";
    let rows = db.read(sql, vec![text(person), text(contact), instant(now), Val::from(below), Val::Int(limit)]).await?;
    rows.iter().map(envelope).collect()
}

/// Who holds each of these, where anybody does and it is not done.
pub async fn holders(db: &Db, ids: &[MessageId]) -> Result<Vec<(MessageId, Option<NodeId>)>, Fault> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let marks: Vec<String> = (1..=ids.len()).map(|n| format!("?{n}")).collect();
    let sql = format!("select id, claimed_by from message where state = 'claimed' and id in ({})", marks.join(", "));
    let rows = db.read(&sql, ids.iter().map(text).collect()).await?;
    rows.iter()
        .map(|row| {
            let mut r = Reader::new(row);
            Ok((r.parse()?, r.opt_parse()?))
        })
        .collect()
}

/// The leads of what a node has claimed.
pub async fn leads_of(db: &Db, node: NodeId) -> Result<Vec<(MessageId, MessageId)>, Fault> {
    let sql = "select id, coalesce(bundle, id) from message where state = 'claimed' and claimed_by = ?1";
    let rows = db.read(sql, vec![text(node)]).await?;
    rows.iter()
        .map(|row| {
            let mut r = Reader::new(row);
            Ok((r.parse()?, r.parse()?))
        })
        .collect()
}

/// The pages of what went out as one message and whom it was for: those that look for somebody first, the worst first.
pub async fn of_bundle(db: &Db, lead: MessageId, limit: i64) -> Result<Vec<(String, BundledPage)>, Fault> {
    let sql = "select message.person, message.page, message.incident, cast(case when page.status in ('running', 'exhausted') then 0 else 1 end as bigint), \
               incident.ref, incident.title, incident.severity, incident.state, \
               case when page.status = 'running' then message.notice end, page.round, page.step from message \
               join page on page.id = message.page join incident on incident.id = message.incident \
               where message.bundle = ?1 and message.lane in ('page', 'trial') order by 4, incident.severity, message.id limit ?2";
    let rows = db.read(sql, vec![text(lead), Val::Int(limit)]).await?;
    rows.iter()
        .map(|row| {
            let mut r = Reader::new(row);
            let person = r.text()?;
            let mut page = BundledPage {
                page: r.parse()?,
                incident: r.parse()?,
                looking: r.int()? == 0,
                asks_at: None,
                reference: r.text()?,
                title: r.text()?,
                severity: r.parse()?,
                state: r.word(State::from_word)?,
            };
            // A notice that does not read asks nobody.
            let notice = r.opt_text()?.and_then(|notice| serde_json::from_str::<Notice>(&notice).ok());
            let at = AtStep { round: r.small()?, step: r.small()? };
            page.asks_at = notice.filter(|notice| AtStep { round: notice.round, step: notice.step } == at).map(|_| at);
            Ok((person, page))
        })
        .collect()
}

/// One message.
pub async fn get(db: &Db, id: MessageId) -> Result<Option<StoredMessage>, Fault> {
    let rows = db.read(&format!("select {COLUMNS} from message where id = ?1"), vec![text(id)]).await?;
    rows.first().map(stored).transpose()
}

/// When a message ended.
pub async fn ended_at(db: &Db, id: MessageId) -> Result<Option<Timestamp>, Fault> {
    let rows = db.read("select done_at from message where id = ?1", vec![text(id)]).await?;
    rows.first().map_or(Ok(None), |row| Reader::new(row).opt_instant())
}

/// The newest messages to a person.
pub async fn newest_of(db: &Db, person: &str, limit: i64) -> Result<Vec<StoredMessage>, Fault> {
    let sql = format!("select {COLUMNS} from message where person = ?1 order by id desc limit ?2");
    let rows = db.read(&sql, vec![text(person), Val::Int(limit)]).await?;
    // One that does not read hides no other, as in a page.
    Ok(rows.iter().filter_map(|row| stored(row).ok()).collect())
}

/// What went out as one message under this id, at most so many of it: itself where it went alone.
pub async fn sent_as(db: &Db, lead: MessageId, limit: i64) -> Result<Vec<StoredMessage>, Fault> {
    let sql = format!("select {COLUMNS} from message where bundle = ?1 or id = ?1 order by id limit ?2");
    let rows = db.read(&sql, vec![text(lead), Val::Int(limit)]).await?;
    // One that does not read hides no other, as in a page.
    Ok(rows.iter().filter_map(|row| stored(row).ok()).collect())
}

/// One notice that went out to a contact, with how its page stands now.
#[derive(Debug, Clone, PartialEq)]
pub struct SentNotice {
    /// The id of the message that it went out in.
    pub sent_as: MessageId,
    pub state: MessageState,
    pub notice: Notice,
    pub page: Status,
    pub incident: State,
}

/// What went out over a channel to a contact since an instant, or may have, and can be answered: at most so many notices, the
/// newest first. By the time that their ids begin with, which the primary key is in the order of.
pub async fn sent_to(
    db: &Db,
    (channel, person, contact): (&str, &str, &str),
    since: Timestamp,
    limit: i64,
) -> Result<Vec<SentNotice>, Fault> {
    let since_ms = u128::try_from(since.as_millisecond()).unwrap_or(0);
    let sql = "select message.id, message.bundle, message.state, message.notice, page.status, incident.state from message \
               join page on page.id = message.page join incident on incident.id = message.incident \
               where message.id >= ?1 and message.channel = ?2 and message.person = ?3 and message.contact = ?4 \
               and message.lane in ('page', 'question', 'trial') and (message.state in ('claimed', 'accepted', 'delivered', 'rejected') \
               or (message.state = 'queued' and message.in_doubt)) order by message.id desc limit ?5";
    let args = vec![text(MessageId::from_bits(since_ms << 80)), text(channel), text(person), text(contact), Val::Int(limit)];
    let rows = db.read(sql, args).await?;
    let read = |row: &Row| -> Result<SentNotice, Fault> {
        let mut r = Reader::new(row);
        let id: MessageId = r.parse()?;
        Ok(SentNotice {
            sent_as: r.opt_parse()?.unwrap_or(id),
            state: r.word(MessageState::from_word)?,
            notice: r.json()?,
            page: r.word(Status::from_word)?,
            incident: r.word(State::from_word)?,
        })
    };
    // One that does not read hides no other, as in a page.
    Ok(rows.iter().filter_map(|row| read(row).ok()).collect())
}

/// The messages of a page, oldest first.
pub async fn of_page(db: &Db, page: PageId) -> Result<Vec<StoredMessage>, Fault> {
    let rows = db.read(&format!("select {COLUMNS} from message where page = ?1 order by id limit 1000"), vec![text(page)]).await?;
    // One that does not read hides no other; whoever would send it says so.
    Ok(rows.iter().filter_map(|row| stored(row).ok()).collect())
}

/// Pages whose messages are read at once, and messages of these; where there are more, each page is read by itself.
const PAGES_AT_ONCE: usize = 100;
const MESSAGES_AT_ONCE: usize = 5_000;

/// The messages of several pages, oldest first: of each as many as [`of_page`] gives.
///
/// # Errors
/// When the store does not answer.
pub async fn of_pages(db: &Db, pages: &[PageId]) -> Result<Vec<StoredMessage>, Fault> {
    let mut all = Vec::new();
    for some in pages.chunks(PAGES_AT_ONCE) {
        let marks: Vec<String> = (1..=some.len()).map(|n| format!("?{n}")).collect();
        let sql = format!("select {COLUMNS} from message where page in ({}) order by id limit {MESSAGES_AT_ONCE}", marks.join(", "));
        let rows = db.read(&sql, some.iter().copied().map(text).collect()).await?;
        if rows.len() < MESSAGES_AT_ONCE {
            // One that does not read hides no other; whoever would send it says so.
            all.extend(rows.iter().filter_map(|row| stored(row).ok()));
        } else {
            for page in some {
                all.extend(of_page(db, *page).await?);
            }
        }
    }
    Ok(all)
}

/// The last messages to a person that ended or were taken, the newest first: the contact, how each ended, and why it did not
/// arrive. Without codes, which go to contacts that are not in use yet.
pub async fn ended_of(db: &Db, person: &str, limit: i64) -> Result<Vec<(String, MessageState, Option<String>)>, Fault> {
    let sql = "select contact, state, last_error from message where person = ?1 and lane <> 'verify' \
               and state in ('delivered', 'accepted', 'rejected') order by id desc limit ?2";
    let rows = db.read(sql, vec![text(person), Val::Int(limit)]).await?;
    rows.iter()
        .map(|row| {
            let mut r = Reader::new(row);
            Ok((r.text()?, r.word(MessageState::from_word)?, r.opt_text()?))
        })
        .collect()
}

/// Messages that wait or are in flight, by channel, for the gauge.
pub async fn waiting(db: &Db) -> Result<Vec<(String, i64)>, Fault> {
    let rows = db.read("select channel, count(*) from message where state in ('queued', 'claimed') group by channel", vec![]).await?;
    rows.iter().map(|row| Ok((row.text(0)?.to_owned(), row.int(1)?))).collect()
}

/// Those of these incidents for which somebody was asked, by whichever step of a page that looks for somebody or looked in
/// vain: a message was made for them and not refused, and they did not pass the page on. One that was withdrawn had been
/// overtaken by another's answer.
pub async fn incidents_asking(db: &Db, incidents: &[IncidentId], person: &str) -> Result<BTreeSet<IncidentId>, Fault> {
    if incidents.is_empty() {
        return Ok(BTreeSet::new());
    }
    let marks: Vec<String> = (2..incidents.len() + 2).map(|n| format!("?{n}")).collect();
    // By the pages of the incidents, which have an index.
    let sql = format!(
        "select distinct p.incident from page p join message m on m.page = p.id \
         where p.incident in ({}) and p.status in ('running', 'exhausted') and m.person = ?1 and m.state <> 'rejected' and not exists \
           (select 1 from event e where e.incident = p.incident and e.kind = 'declined' and e.stream = p.id and e.actor = ?{})",
        marks.join(", "),
        incidents.len() + 2
    );
    let asked = std::iter::once(Val::Text(person.to_owned())).chain(incidents.iter().map(text));
    let args = asked.chain(std::iter::once(Val::Text(format!("person:{person}")))).collect();
    db.read(&sql, args).await?.iter().map(|row| Reader::new(row).parse()).collect()
}

/// Those of these incidents of which a page looks for somebody now and asked this person.
pub async fn incidents_looking_for(db: &Db, incidents: &[IncidentId], person: &str) -> Result<BTreeSet<IncidentId>, Fault> {
    if incidents.is_empty() {
        return Ok(BTreeSet::new());
    }
    let marks: Vec<String> = (2..incidents.len() + 2).map(|n| format!("?{n}")).collect();
    // By the pages of the incidents, which have an index.
    let sql = format!(
        "select distinct p.incident from page p join message m on m.page = p.id \
         where p.incident in ({}) and p.status = 'running' and m.person = ?1 and m.state not in ('rejected', 'withdrawn')",
        marks.join(", ")
    );
    let args = std::iter::once(Val::Text(person.to_owned())).chain(incidents.iter().map(text)).collect();
    db.read(&sql, args).await?.iter().map(|row| Reader::new(row).parse()).collect()
}

/// Who got a message about an incident, or may have: people, and audiences under their own names.
pub async fn reached(db: &Db, incident: IncidentId) -> Result<BTreeSet<String>, Fault> {
    // By the pages of the incident, which have an index; messages have none by incident.
    let sql = "select distinct m.person from message m join page p on m.page = p.id \
               where p.incident = ?1 and (m.state in ('delivered', 'accepted', 'claimed') or m.in_doubt)";
    let rows = db.read(sql, vec![text(incident)]).await?;
    rows.iter().map(|row| Reader::new(row).text()).collect()
}
