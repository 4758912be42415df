//! One message on its way: claimed, made, sent, and reported on.
//!
//! What waits is claimed only when it is about to be sent, many rows in one commit, and read back after it: that read
//! is the claim's last word, and a send begins only while it is fresh. How it ended is recorded a portion at a time,
//! so that an acknowledgement never waits for a heap.

use std::sync::Arc;

use allclear_domain::expect::LATE_AFTER;
use allclear_domain::ids::{MessageId, NodeId};
use allclear_domain::incident::Severity;
use allclear_domain::org::model::NotifyUrgency;
use allclear_domain::paging::AtStep;
use allclear_domain::time::{Length, after};
use allclear_domain::wire::{About, CODE_LIFE, Message, Names, Notice, NoticeKind, Outcome, Target, WRITTEN_OUT_MAX};
use allclear_store::rows::message::{Claimed, Envelope, StoredMessage};
use allclear_store::{Space, Write, rows};
use jiff::Timestamp;
use tokio::sync::mpsc::UnboundedSender;

use super::Event;
use super::choose::Set;
use super::machine::{CLAIM_FRESH_NS, COUNTS_AS_FAILED, Landed, Work, target_of};
use crate::core::{Command, Tried};
use crate::core::{SINK, STEP_GIVEN_UP_AFTER, ours};
use crate::engine::Engine;
use crate::outbox::about::about;
use crate::outbox::circuit::Change;
use crate::watch::canary;
use crate::watch::stages::Measure;
use crate::watch::trouble::Trouble;
use crate::windows::{BUNDLE_MAX, Contact};

/// Rows changed in one commit, reports in one command: some milliseconds, in which nobody else is decided.
const MANY_MAX: usize = 128;
/// Those who are told at once that their target does not answer: each may reach the next step.
const WAITS_MAX: i64 = 64;
/// A row that does not read is tried again this much later: by a newer program, or by one that was mended.
const ASIDE_FOR: Length = Length::from_secs(60);
/// What stands at a row that does not read; the reason follows.
const ASIDE: &str = "this version cannot read it: ";
/// What stands for a code where a vendor says it back.
const VEILED: &str = "••••••";
/// Why a message of a node that died is in doubt.
const STOPPED: &str = "its sender stopped while it was under way";

/// From claim to report.
pub(super) async fn fly(engine: &Engine, work: Work, contact: &Contact, said: &UnboundedSender<Event>) -> Landed {
    let Some(lead) = work.lead() else { return Landed::default() };
    let (of_heap, anew) = (matches!(work, Work::Heap(_)), matches!(work, Work::Heap(Set::New(_))));
    let (born, claimed) = match work {
        Work::Born(message) => (Some(*message), true),
        Work::Heap(Set::New(ids)) => (None, claim(engine, rows::message::claim_with_lead, lead, &ids).await),
        Work::Heap(Set::Again(lead)) => match rows::message::set_of(&engine.shared.db, lead).await {
            Ok(ids) => (None, claim(engine, rows::message::claim, lead, &ids).await),
            Err(fault) => (None, noted(engine, &fault.to_string())),
        },
        Work::Stranded(lead, before) => (None, take_over(engine, lead, before).await),
    };
    let (messages, unwanted) = match born {
        // Claimed by the commit that decided it, it is sent as it is.
        Some(message) => (vec![message], Vec::new()),
        None => what_is_ours(engine, lead).await,
    };
    if of_heap {
        // The contact's heap may be read again: what this takes is taken. The loop may have stopped.
        let _ = said.send(Event::Claimed(contact.clone()));
    }
    let put_off = !claimed;
    if messages.is_empty() {
        let_go(engine, &unwanted).await;
        return Landed { put_off, missed: anew && !put_off, ..Landed::default() };
    }
    // Whoever is to be told does not wait until what nobody wants is written off.
    let (outcome, ()) = tokio::join!(send(engine, lead, &messages), let_go(engine, &unwanted));
    // Of what was not sent nobody knows whether its target answers.
    if too_old(engine, &messages[0]).is_none() {
        learn(engine, contact, &outcome).await;
    }
    // What a provider has taken went well as far as anybody knows.
    let delivered = matches!(outcome, Outcome::Delivered { .. } | Outcome::Accepted { .. });
    if messages[0].channel == SINK {
        engine.shared.stages.did(Measure::Sends);
    } else if !matches!(messages[0].notice.kind, NoticeKind::Step | NoticeKind::Code) {
        // Whether a program does what it is asked says nothing of whether people are reached, nor does an address that nobody has
        // proved yet.
        engine.shared.tried(&messages[0].channel, &messages[0].person, delivered);
    }
    report(engine, lead, &messages, outcome).await;
    if messages[0].channel == SINK {
        canary::arrived(&engine.shared, lead);
    }
    Landed { delivered, failed: !delivered, put_off, missed: false }
}

/// Whether the target answers is known now, to all nodes.
async fn learn(engine: &Engine, contact: &Contact, outcome: &Outcome) {
    let shared = &engine.shared;
    let Some(target) = target_of(&engine.org(), contact) else { return };
    let now = engine.now();
    let write = match shared.circuits.learn(&target, outcome, now) {
        None => return,
        Some(Change::Opened(open)) => {
            tracing::warn!(
                target = open.target,
                why = open.why,
                "a target does not answer; nothing but a probe now and then is sent there"
            );
            rows::circuit::put(&open)
        }
        Some(Change::Closed(target)) => {
            tracing::info!(target, "a target answers again");
            rows::circuit::close(&target)
        }
    };
    if let Err(error) = shared.db.commit_in(Space::Reserved, vec![write]).await {
        // This node knows all the same; others and the next start find out for themselves.
        noted(engine, &error.to_string());
    }
    shared.outbox_wake.notify_one();
}

/// Those who wait for a contact whose target does not answer hear so, a portion at a time: for the log it is as if the
/// tries after which a way counts as failed had been made.
pub(super) async fn waits(engine: &Engine, contact: &Contact, why: &str, now: Timestamp) {
    loop {
        let untried = rows::message::untried(&engine.shared.db, (&contact.0, &contact.1), COUNTS_AS_FAILED, now, WAITS_MAX).await;
        let untried = match untried {
            Ok(untried) if untried.is_empty() => return,
            Ok(untried) => untried,
            Err(fault) => {
                noted(engine, &fault.to_string());
                return;
            }
        };
        let tries: Arc<[Tried]> =
            untried.into_iter().map(|message| Tried { attempts: COUNTS_AS_FAILED, lead: message.id, message, latency_ms: 0 }).collect();
        let outcome = Outcome::Retry { after: None, why: why.to_owned(), maybe_arrived: false, down: true, unanswered: false };
        if engine.submit(ours("target does not answer", Command::Sent { tries, outcome })).await.is_err() {
            // Looked at again with the next look.
            return;
        }
    }
}

/// How one message is claimed as part of what goes out under a lead.
type Claim = fn(MessageId, MessageId, NodeId, Timestamp) -> Write;

/// Claims what waits; whether the store took all of it.
async fn claim(engine: &Engine, one: Claim, lead: MessageId, ids: &[MessageId]) -> bool {
    for some in ids.chunks(MANY_MAX) {
        if engine.is_quarantined() {
            return true;
        }
        let now = engine.now();
        let mut writes: Vec<Write> = some.iter().map(|id| one(*id, lead, engine.shared.node, now)).collect();
        // What could not be claimed because its page has ended waits for nothing.
        writes.extend(some.iter().map(|id| rows::message::withdraw_unwanted(*id, now)));
        if let Err(error) = engine.shared.db.commit_in(Space::Reserved, writes).await {
            return noted(engine, &error.to_string());
        }
    }
    true
}

/// Takes over what another node had under way; whether the store took all of it.
async fn take_over(engine: &Engine, lead: MessageId, before: Timestamp) -> bool {
    let stranded = match rows::message::stranded_of(&engine.shared.db, lead, engine.shared.node, before).await {
        Ok(stranded) => stranded,
        Err(fault) => return noted(engine, &fault.to_string()),
    };
    for some in stranded.chunks(MANY_MAX) {
        let command = Command::TakeOver { lead, messages: Arc::from(some), why: STOPPED.to_owned() };
        // A lost race is another node's claim; an answer that is not known is looked for below.
        if let Err(crate::core::Refusal::Unavailable(why)) = engine.submit(ours(&format!("message:{lead}"), command)).await {
            return noted(engine, &why);
        }
    }
    true
}

/// What this node has claimed under a lead, freshly read, and what of it is not wanted any more. What does not read is
/// let go. Tried until the store answers: nobody else would look for what this node holds.
async fn what_is_ours(engine: &Engine, lead: MessageId) -> (Vec<StoredMessage>, Vec<MessageId>) {
    let shared = &engine.shared;
    loop {
        let asked_ns = shared.ports.clock.monotonic_ns();
        let claimed = rows::message::of_claim(&shared.db, lead, shared.node, i64::try_from(BUNDLE_MAX).unwrap_or(i64::MAX)).await;
        let Claimed { wanted, unwanted, unread } = match claimed {
            Ok(claimed) => claimed,
            Err(fault) => {
                noted(engine, &fault.to_string());
                if !engine.pause().await {
                    return (Vec::new(), Vec::new());
                }
                continue;
            }
        };
        set_aside(engine, &unread).await;
        for message in wanted.iter().filter(|message| message.last_error.as_ref().is_some_and(|why| why.starts_with(ASIDE))) {
            shared.troubles.clear(&Trouble::Unreadable("message", message.id.to_string()));
        }
        if shared.ports.clock.monotonic_ns().saturating_sub(asked_ns) <= CLAIM_FRESH_NS || shared.stop.is_cancelled() {
            return (wanted, unwanted);
        }
    }
}

/// Claimed messages of pages that ended meanwhile are not begun: written off many at once, until the store answers.
async fn let_go(engine: &Engine, unwanted: &[MessageId]) {
    for some in unwanted.chunks(MANY_MAX) {
        loop {
            let now = engine.now();
            let writes = some.iter().map(|id| rows::message::withdraw(*id, now)).collect();
            let Err(error) = engine.shared.db.commit_in(Space::Reserved, writes).await else { break };
            noted(engine, &error.to_string());
            if !engine.pause().await {
                return;
            }
        }
    }
}

/// Rows that do not read must not hold up the others, and are not lost.
async fn set_aside(engine: &Engine, unread: &[(MessageId, String)]) {
    if unread.is_empty() {
        return;
    }
    let now = engine.now();
    for (id, why) in unread {
        let detail = format!("{why}; the others go on. A newer version of this program may have written it");
        engine.shared.troubles.raise(Trouble::Unreadable("message", id.to_string()), &detail, now);
    }
    let until = after(now, ASIDE_FOR);
    loop {
        let writes = unread.iter().map(|(id, why)| rows::message::set_aside(*id, until, &format!("{ASIDE}{why}"))).collect();
        match engine.shared.db.commit_in(Space::Reserved, writes).await {
            Ok(()) => return,
            Err(error) => {
                noted(engine, &error.to_string());
                if !engine.pause().await {
                    return;
                }
            }
        }
    }
}

fn noted(engine: &Engine, why: &str) -> bool {
    tracing::warn!(why, "the outbox waits for the store");
    engine.note_fault(why);
    false
}

/// How long a message is worth sending, where it is not for ever: a failover that was right then may be wrong now, and a code
/// that works no more proves nothing.
const fn worth_for(kind: NoticeKind) -> Option<Length> {
    match kind {
        NoticeKind::Step => Some(STEP_GIVEN_UP_AFTER),
        NoticeKind::Code => Some(CODE_LIFE),
        NoticeKind::Page
        | NoticeKind::ConfirmRecovery
        | NoticeKind::StillOnIt
        | NoticeKind::Reminder
        | NoticeKind::Update
        | NoticeKind::Request
        | NoticeKind::Over
        | NoticeKind::Readiness
        | NoticeKind::Note
        | NoticeKind::Shift
        // Its page ends it.
        | NoticeKind::Drill => None,
    }
}

/// Whether it waited for longer than it is worth sending.
fn too_old(engine: &Engine, message: &StoredMessage) -> Option<Length> {
    worth_for(message.notice.kind).filter(|worth| engine.now() > after(message.created_at, *worth))
}

async fn send(engine: &Engine, lead: MessageId, messages: &[StoredMessage]) -> Outcome {
    let first = &messages[0];
    if let Some(worth) = too_old(engine, first) {
        return Outcome::Rejected { why: format!("it waited for more than {worth} and is not sent any more") };
    }
    if first.channel == SINK {
        return Outcome::Delivered { receipt: SINK.to_owned() };
    }
    match target(engine, &first.person, &first.contact) {
        Ok(target) => {
            let about = if messages.len() == 1 && first.notice.kind != NoticeKind::Step { about(engine, first).await } else { None };
            let mut message = render(engine, lead, messages, about);
            if first.notice.kind.is_of_no_incident() {
                message.ack_urls.clear();
                message.incident_urls.clear();
            }
            if first.notice.kind == NoticeKind::Code
                && let Err(why) = unseal_code(engine, &mut message)
            {
                return Outcome::Rejected { why };
            }
            let outcome = engine.shared.ports.transport.send(&first.channel, &message, &target, engine.now()).await;
            if first.notice.kind == NoticeKind::Code { without_code(outcome, &message) } else { outcome }
        }
        Err(why) => Outcome::Rejected { why },
    }
}

/// Everything in a message ended as the message did.
async fn report(engine: &Engine, lead: MessageId, messages: &[StoredMessage], outcome: Outcome) {
    let now = engine.now();
    let tried = |message: &StoredMessage| {
        let since = now.duration_since(message.created_at);
        // A drill and a canary are in no figure of what is real.
        let counts = message.notice.kind != NoticeKind::Drill && message.channel != SINK;
        if counts && matches!(outcome, Outcome::Delivered { .. } | Outcome::Accepted { .. }) {
            engine.shared.metrics.latency(since.as_secs_f64());
        }
        let message = Envelope { claimed_by: Some(engine.shared.node), ..message.envelope() };
        Tried { attempts: message.attempts + 1, message, lead, latency_ms: u64::try_from(since.as_millis()).unwrap_or(0) }
    };
    for some in messages.chunks(MANY_MAX) {
        let tries: Arc<[Tried]> = some.iter().map(tried).collect();
        engine.submit_until_done(ours(&format!("message:{lead}"), Command::Sent { tries, outcome: outcome.clone() })).await;
    }
}

impl Engine {
    /// A provider that took a message says what became of it: that it arrived, or why it did not. `message` is the id it
    /// went out with. A quick one may say so before its answer that it took the message is known here, or where that answer
    /// was lost. What was heard of before changes nothing.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn receipt(&self, message: MessageId, became: Result<String, String>) -> Result<(), crate::core::Refusal> {
        let unsettled = rows::message::unsettled_of(&self.shared.db, message).await;
        let unsettled = unsettled.map_err(|fault| crate::core::Refusal::Unavailable(fault.to_string()))?;
        if unsettled.is_empty() {
            return Ok(());
        }
        let now_ms = self.now().as_millisecond();
        let tried = |one: Envelope| {
            // An id tells when its message was decided.
            let decided_ms = i64::try_from(one.id.bits() >> 80).unwrap_or(now_ms);
            let latency_ms = u64::try_from(now_ms - decided_ms).unwrap_or(0);
            // The try that is under way is counted when it ends.
            let attempts = one.attempts + u32::from(one.claimed_by.is_some());
            Tried { attempts, message: one, lead: message, latency_ms }
        };
        let outcome = match became {
            Ok(receipt) => Outcome::Delivered { receipt },
            Err(why) => Outcome::Rejected { why },
        };
        let tries: Arc<[Tried]> = unsettled.into_iter().map(tried).collect();
        self.submit(ours(&format!("message:{message}"), Command::Sent { tries, outcome })).await.map(drop)
    }
}

/// A code as it is typed, which only whoever holds the contact reads.
fn unseal_code(engine: &Engine, message: &mut Message) -> Result<(), String> {
    for text in message.notices.iter_mut().filter_map(|notice| notice.text.as_mut()) {
        *text = engine.shared.key.open(text).map_err(|why| why.to_string())?;
    }
    Ok(())
}

/// What a vendor answers may say back what it was sent; a code is nobody's to read here.
fn without_code(outcome: Outcome, message: &Message) -> Outcome {
    let veil =
        |said: String| message.notices.iter().filter_map(|notice| notice.text.as_ref()).fold(said, |said, code| said.replace(code, VEILED));
    match outcome {
        Outcome::Delivered { receipt } => Outcome::Delivered { receipt: veil(receipt) },
        Outcome::Accepted { receipt, within } => Outcome::Accepted { receipt: veil(receipt), within },
        Outcome::Rejected { why } => Outcome::Rejected { why: veil(why) },
        Outcome::Retry { after, why, maybe_arrived, down, unanswered } => {
            Outcome::Retry { after, why: veil(why), maybe_arrived, down, unanswered }
        }
    }
}

fn render(engine: &Engine, lead: MessageId, messages: &[StoredMessage], about: Option<About>) -> Message {
    let links = engine.links();
    let now = engine.now();
    let first = &messages[0];
    // Decided in time and begun after a gap is late as well.
    let notice = |m: &StoredMessage| Notice { late: m.notice.late || now > after(m.created_at, LATE_AFTER), ..m.notice.clone() };
    // The same words on every try, also where the lead itself is not wanted any more: its id tells its time.
    let of_id = || Timestamp::from_millisecond(i64::try_from(lead.bits() >> 80).unwrap_or(i64::MAX)).unwrap_or(now);
    let decided_at = messages.iter().find(|m| m.id == lead).map_or_else(of_id, |m| m.created_at);
    let written_out = || messages.iter().take(WRITTEN_OUT_MAX);
    // An organisation reads on behind its link, where it has one.
    let page_of = |m: &StoredMessage| match (&m.notice.incident, &m.notice.incident.guest) {
        (incident, Some(guest)) => links.guest_url(incident.id, guest.number, guest.expires_at),
        (incident, None) => links.incident_url(&incident.reference),
    };
    Message {
        id: lead,
        created_at: decided_at,
        in_doubt: messages.iter().any(|m| m.in_doubt),
        urgency: urgency(engine, messages),
        notices: messages.iter().map(notice).collect(),
        ack_urls: written_out().map(|m| links.ack_url(m.page, at_step(&m.notice), &m.person, m.created_at)).collect(),
        // What only tells has nothing to acknowledge.
        bundle_url: (messages.len() > 1 && first.notice.kind.gathers()).then(|| links.bundle_url(lead, &first.person, decided_at)),
        incident_urls: written_out().map(page_of).collect(),
        reply_url: engine.ports().transport.replies(&first.channel).map(|_| links.reply_url(&first.channel)),
        about,
        names: names(engine, first, messages),
    }
}

/// What the notices name by id.
fn names(engine: &Engine, first: &StoredMessage, messages: &[StoredMessage]) -> Names {
    let org = engine.org();
    let person = org.person(&first.person);
    let services = messages.iter().take(WRITTEN_OUT_MAX).filter_map(|m| org.service(m.notice.incident.service.as_deref()?));
    Names {
        person: person.map(|person| person.name.clone()),
        time_zone: person.and_then(|person| person.time_zone.clone()),
        services: services.map(|service| (service.id.clone(), service.name.clone())).collect(),
    }
}

/// How urgent the worst of them is, as the organisation has it now; what cannot be read wakes somebody.
fn urgency(engine: &Engine, messages: &[StoredMessage]) -> NotifyUrgency {
    let org = engine.org();
    let worst = messages.iter().map(|m| m.notice.incident.severity.as_str()).min().and_then(|word| word.parse().ok());
    worst.map_or(NotifyUrgency::High, |severity: Severity| org.severity(severity).notify)
}

/// The address behind a contact, as the organisation has it now.
fn target(engine: &Engine, person: &str, contact: &str) -> Result<Target, String> {
    let org = engine.org();
    let (contact, name) = org.contact(person, contact).ok_or_else(|| format!("`{person}` has no contact method `{contact}` any more"))?;
    Ok(Target { name: name.to_owned(), address: contact.address.clone() })
}

/// What a stopping node has and did not begin waits again, and is due at once, here or at another node. Only what is
/// under way still stays claimed, and so in doubt.
pub(crate) async fn give_everything_back(engine: &Engine) {
    let shared = &engine.shared;
    let now = engine.now();
    let under_way = shared.under_way_leads();
    let writes = if under_way.is_empty() {
        vec![rows::message::give_back_all(shared.node, now)]
    } else {
        let claims = rows::message::leads_of(&shared.db, shared.node).await.unwrap_or_default();
        let waits = claims.iter().filter(|(_, lead)| !under_way.contains(lead));
        let given = waits.map(|(id, _)| rows::message::give_back(*id, shared.node, now));
        given.chain([rows::message::give_back_held(shared.node, now)]).collect()
    };
    let mut writes = writes;
    if under_way.is_empty() {
        writes.push(rows::node::gone(shared.node));
    }
    if let Err(error) = shared.db.commit_in(Space::Reserved, writes).await {
        tracing::warn!(%error, "what waits could not be given back: it is in doubt at the next start");
    }
}

/// The step of the page that a notice is of.
const fn at_step(notice: &Notice) -> AtStep {
    AtStep { round: notice.round, step: notice.step }
}
