//! What became of one message, for those who see its incident and for whom it was for.

use allclear_domain::access::Right;
use allclear_domain::ids::MessageId;
use allclear_domain::paging::{self, MessageState};
use allclear_domain::view::{DeliveryStep, DeliveryView};
use allclear_domain::wire::{Notice, NoticeKind};
use allclear_store::rows;
use allclear_store::rows::message::StoredMessage;
use jiff::Timestamp;

use crate::read::{NoAnswer, Queries};

/// Events of a page that are looked through: more than the longest page has.
const EVENTS_MAX: i64 = 1_000;
/// Messages to whoever asks that are listed, the newest.
pub const MINE_MAX: i64 = 10;

impl Queries<'_> {
    /// One message, from its decision to its end.
    ///
    /// # Errors
    /// Where there is none that the asker may see, or the store does not answer.
    pub async fn message(&self, id: MessageId) -> Result<DeliveryView, NoAnswer> {
        self.may(Right::See)?;
        let missing = NoAnswer::Missing("message");
        let message = rows::message::get(self.db(), id).await?.ok_or(NoAnswer::Missing("message"))?;
        let is_theirs = self.who().link.is_none() && self.who().person() == Some(message.person.as_str());
        let is_of_none = message.notice.kind.is_of_no_incident();
        if !is_theirs {
            // What is of no incident is nobody else's, so that nobody else sees it but whoever looks after the person.
            let sees =
                if is_of_none { self.has(Right::Administer) } else { self.stored_incident(message.notice.incident.id).await.is_ok() };
            if !sees {
                return Err(missing);
            }
        }
        self.delivery(&message, is_theirs).await
    }

    /// The newest messages to whoever asks, without what became of each; none where they are no person.
    ///
    /// # Errors
    /// When the asker may not read, or the store does not answer.
    pub async fn messages_to_me(&self) -> Result<Vec<DeliveryView>, NoAnswer> {
        self.may(Right::See)?;
        let Some(me) = self.who().person() else { return Ok(Vec::new()) };
        let found = rows::message::newest_of(self.db(), me, MINE_MAX).await?;
        Ok(found.iter().map(|message| self.delivery_view(message, true, None, Vec::new())).collect())
    }

    async fn delivery(&self, message: &StoredMessage, is_theirs: bool) -> Result<DeliveryView, NoAnswer> {
        let mut steps = vec![step(message.created_at, "decided", decided(&message.notice), None)];
        let events = rows::event::of_stream(self.db(), &message.page.to_string(), 0, EVENTS_MAX).await?;
        for event in &events {
            let Some(body) = &event.body else { continue };
            // One that does not read hides no other.
            let Ok(read) = paging::Event::decode(&event.kind, event.v, body) else { continue };
            steps.extend(told(&read, message.id, event.at));
        }
        let ended_at = rows::message::ended_at(self.db(), message.id).await?;
        let is_told = |state: &str| steps.iter().any(|step| step.state == state);
        // Of what no page tells, the row says how it ended.
        let last = match message.state {
            MessageState::Withdrawn => Some(("withdrawn", "it was not sent any more: its page had ended".to_owned())),
            MessageState::Delivered if !is_told("delivered") => Some(("delivered", "its provider has it".to_owned())),
            MessageState::Rejected if !is_told("failed") => {
                Some(("failed", message.last_error.clone().unwrap_or_else(|| "it was refused".to_owned())))
            }
            MessageState::Queued if message.attempts > 0 && !is_told("delayed") => message.last_error.clone().map(|why| ("delayed", why)),
            MessageState::Queued | MessageState::Claimed | MessageState::Accepted | MessageState::Delivered | MessageState::Rejected => {
                None
            }
        };
        if let Some((state, says)) = last {
            steps.push(step(ended_at.unwrap_or(message.created_at), state, says, Some(message.attempts).filter(|tries| *tries > 0)));
        }
        Ok(self.delivery_view(message, is_theirs, ended_at, steps))
    }

    fn delivery_view(
        &self,
        message: &StoredMessage,
        is_theirs: bool,
        ended_at: Option<Timestamp>,
        steps: Vec<DeliveryStep>,
    ) -> DeliveryView {
        let org = self.engine().org();
        let notice = &message.notice;
        let is_code = notice.kind == NoticeKind::Code;
        DeliveryView {
            id: message.id.to_string(),
            kind: notice.kind.word().to_owned(),
            person: message.person.clone(),
            person_name: org.contact(&message.person, &message.contact).map_or_else(
                || org.person(&message.person).map_or_else(|| message.person.clone(), |person| person.name.clone()),
                |(_, name)| name.to_owned(),
            ),
            contact: message.contact.clone(),
            channel: message.channel.clone(),
            reference: (!notice.kind.is_of_no_incident()).then(|| notice.incident.reference.clone()),
            says: if is_code { None } else { says(notice, is_theirs) },
            state: message.state,
            attempts: message.attempts,
            in_doubt: message.in_doubt,
            created_at: message.created_at,
            ended_at,
            next_attempt_at: (message.state == MessageState::Queued).then_some(message.next_attempt_at),
            last_error: message.last_error.clone(),
            sent_as: message.bundle.filter(|lead| *lead != message.id).map(|lead| lead.to_string()),
            steps,
        }
    }
}

/// What a message said. Words that were written for somebody are read by them; whoever else sees the incident reads them in its
/// log, as far as they are marked for them.
fn says(notice: &Notice, is_theirs: bool) -> Option<String> {
    let about = format!("{} {}", notice.incident.reference, notice.incident.title);
    match (&notice.text, &notice.because) {
        (Some(text), _) => is_theirs.then(|| format!("{about}: {text}")),
        (None, Some(because)) => Some(format!("{about}: {because}")),
        (None, None) => Some(about),
    }
}

fn step(at: Timestamp, state: &str, says: String, attempt: Option<u32>) -> DeliveryStep {
    DeliveryStep { at, state: state.to_owned(), says, attempt }
}

/// Why there is such a message.
fn decided(notice: &Notice) -> String {
    match notice.kind {
        NoticeKind::Page if notice.round > 1 => format!("step {} of round {} paged them", notice.step, notice.round),
        NoticeKind::Page => format!("step {} paged them", notice.step),
        NoticeKind::ConfirmRecovery => "they are asked whether it is over".to_owned(),
        NoticeKind::StillOnIt => "they are asked whether they are still on it".to_owned(),
        NoticeKind::Reminder => "something wanted their attention".to_owned(),
        NoticeKind::Update => "an update went out".to_owned(),
        NoticeKind::Request => "something was asked of them, or is not wanted any more".to_owned(),
        NoticeKind::Over => "what they were told of is over".to_owned(),
        NoticeKind::Step => "a step of a plan does this".to_owned(),
        NoticeKind::Readiness => "a page might not reach somebody who is on call soon".to_owned(),
        NoticeKind::Note => "something concerned themself".to_owned(),
        NoticeKind::Shift => "a shift begins soon, or needs cover".to_owned(),
        NoticeKind::Drill => format!("level {} of a fire drill asked them", notice.step),
        NoticeKind::Code => "a code was asked for, to prove this contact".to_owned(),
    }
}

/// What an event of a page says of a message.
fn told(event: &paging::Event, id: MessageId, at: Timestamp) -> Option<DeliveryStep> {
    use paging::Event as E;
    match event {
        E::NoticeRaised(body) if body.message == id => Some(step(at, "raised", body.because.clone(), None)),
        E::SendAccepted(body) if body.message == id => {
            let says = format!("its provider has taken it ({}), and says within {} whether it arrived", body.receipt, body.within);
            Some(step(at, "accepted", says, Some(body.attempts)))
        }
        E::Delivered(body) if body.message == id => {
            let late = if body.after_end { "; its page had ended meanwhile" } else { "" };
            let says = format!("delivered after {} ms: {}{late}", body.latency_ms, body.receipt);
            Some(step(at, "delivered", says, Some(body.attempts)))
        }
        E::SendDelayed(body) if body.message == id => {
            let others = if body.given_up { "; the step waits for it no longer" } else { "" };
            Some(step(at, "delayed", format!("{}{others}", body.why), Some(body.attempts)))
        }
        E::SendFailed(body) if body.message == id => Some(step(at, "failed", body.why.clone(), Some(body.attempts))),
        E::SendInDoubt(body) if body.message == id => Some(step(at, "in_doubt", body.why.clone(), None)),
        E::Started(_)
        | E::Told(_)
        | E::StepReached(_)
        | E::StepEmpty(_)
        | E::NoticeRaised(_)
        | E::SendAccepted(_)
        | E::Delivered(_)
        | E::SendDelayed(_)
        | E::SendFailed(_)
        | E::SendInDoubt(_)
        | E::Acknowledged(_)
        | E::AcknowledgedInPart(_)
        | E::TakenBack(_)
        | E::Declined(_)
        | E::Exhausted(_)
        | E::CameBack(_)
        | E::Stopped(_)
        | E::ConfirmationAsked(_)
        | E::LevelAnswered(_)
        | E::AnsweredLate(_)
        | E::DrillEnded(_)
        | E::Resumed(_) => None,
    }
}
