//! Messages: claimed again, tried, and what became of them.

use allclear_domain::ids::MessageId;
use allclear_domain::paging::{self, SendReport, SendResult, may_send};
use allclear_domain::plants::planted;
use allclear_domain::time::{Length, after};
use allclear_domain::wire::{NoticeKind, Outcome};
use allclear_store::rows;
use allclear_store::rows::message::Stored;

use super::command::{Input, Reply, Versioned};
use super::unit::Unit;
use super::{Command, Core, Decided, Loaded, Need, Stop};

/// First wait between two tries.
const BACKOFF_FIRST_MS: u64 = 1_000;
/// Longest wait between two tries: a provider that comes back is used within this time.
const BACKOFF_MAX_MS: u64 = 60_000;
/// A provider may ask for a longer wait, but never past this: an escalation is due by then.
const RETRY_AFTER_MAX: Length = Length::from_mins(5);

/// How long to wait before try number `attempts + 1`: doubling from a second to a minute, less up
/// to a fifth that `noise` decides, so that many messages do not return in step.
#[must_use]
pub fn backoff(attempts: u32, noise: u64) -> Length {
    let doubled = BACKOFF_FIRST_MS.saturating_mul(1_u64 << attempts.saturating_sub(1).min(16));
    let most = doubled.min(BACKOFF_MAX_MS);
    Length::from_millis(most - noise % (most / 5).max(1))
}

impl Core {
    /// Decides any command; the only entry of the units.
    pub(super) fn command(&mut self, unit: &mut Unit, input: &Input) -> Decided<Reply> {
        if let Some(once) = &input.once
            && self.careful
        {
            let kept = self.read.iter().find_map(|read| match read {
                super::Loaded::Answer(principal, key, kept) if *principal == once.principal && *key == once.key => Some(kept.clone()),
                _ => None,
            });
            match kept {
                None => return Err(super::Stop::Need(super::Need::Answer(once.principal.clone(), once.key.clone()))),
                Some(Some((digest, _))) if digest != once.digest => return Err(super::Refusal::KeyReused.into()),
                Some(Some((_, answer))) => return Ok(Reply::Again { answer }),
                Some(None) => {}
            }
        }
        let reply = self.obey(unit, &input.command)?;
        if let Some(once) = &input.once {
            let answer = match &reply {
                Reply::Incident { id, .. } => id.to_string(),
                Reply::Page { id } => id.to_string(),
                Reply::Review { id } => id.to_string(),
                Reply::Action { id } => id.to_string(),
                _ => String::new(),
            };
            unit.write(rows::token::keep_answer(&once.principal, &once.key, &once.digest, &answer, unit.now));
        }
        Ok(reply)
    }

    fn obey(&mut self, unit: &mut Unit, command: &Command) -> Decided<Reply> {
        Ok(match command {
            Command::IfVersion { of, version, command } => {
                let now = match *of {
                    Versioned::Incident(id) => self.incident(unit, id)?.1.version,
                    Versioned::Review(id) => self.review(unit, id)?.1.version,
                    Versioned::Action(id) => self.action(unit, id)?.1.version,
                };
                if now != *version {
                    return Err(super::Refusal::VersionMismatch { of: *of, now }.into());
                }
                self.obey(unit, command)?
            }
            Command::Signals(arrived) => self.signals(unit, arrived)?,
            Command::Declare(declare) => self.declare(unit, declare)?,
            Command::Incident { id, command } => self.act_on(unit, *id, command)?,
            Command::Merge { from, into } => self.merge(unit, *from, *into)?,
            Command::Escalate { id, escalation, why } => self.escalate(unit, *id, escalation.as_ref(), why)?,
            Command::PagePeople { id, targets, why } => self.page_by_name(unit, *id, targets, why)?,
            Command::LinkAlert { id, alert } => self.link_alert(unit, *id, *alert)?,
            Command::AskReview { id } => self.review_of(unit, *id)?,
            Command::Review { id, command } => self.act_on_review(unit, *id, command)?,
            Command::AddAction { incident, text, owner, due_at } => self.add_action(unit, *incident, text, owner, *due_at)?,
            Command::Action { id, command } => self.act_on_action(unit, *id, command)?,
            Command::Page { id, command } => self.act_on_page(unit, *id, command)?,
            Command::Attend { id } => self.attend(unit, *id)?,
            Command::Look(expectation) => self.look(unit, expectation)?,
            Command::Claim { message, doubt } => self.claim(unit, message, doubt.as_deref())?,
            Command::Withdraw { message } => withdraw(unit, *message),
            Command::Sent { message, attempts, outcome, latency_ms } => self.sent(unit, message, *attempts, outcome, *latency_ms)?,
            Command::Flush { keys } => {
                self.flush(unit, *keys);
                Reply::Done
            }
        })
    }

    /// A further try: its claim holds only while its page looks for somebody.
    fn claim(&mut self, unit: &mut Unit, message: &Stored, doubt: Option<&str>) -> Decided<Reply> {
        let (page, _) = self.page(unit, message.page)?;
        if message.notice.kind == NoticeKind::Page && !may_send(page.status) && !planted("claim-ignores-page") {
            // It may have arrived all the same, and the log says so.
            if let Some(why) = doubt {
                let result = SendResult::InDoubt { why: format!("{why}; the page has ended meanwhile") };
                self.change_page(unit, message.page, paging::Command::RecordSend(report(message, message.attempts, result)))?;
            }
            return Ok(withdraw(unit, message.id));
        }
        if self.setup.quarantined || (self.careful && !self.may_claim(message)?) {
            return Ok(Reply::Done);
        }
        if doubt.is_some() && planted("doubt-is-failure") {
            unit.write(rows::message::rejected(message.id, message.attempts, unit.now, "its sender stopped"));
            return Ok(Reply::Done);
        }
        if let Some(why) = doubt {
            let result = SendResult::InDoubt { why: why.to_owned() };
            let report = report(message, message.attempts, result);
            self.change_page(unit, message.page, paging::Command::RecordSend(report))?;
        }
        unit.write(rows::message::claim(message.id, self.setup.node, message.claimed_by, unit.now, doubt.is_some()));
        let mut claimed = message.clone();
        claimed.claimed_by = Some(self.setup.node);
        claimed.claimed_at = Some(unit.now);
        claimed.in_doubt |= doubt.is_some() && !planted("doubt-is-silent");
        unit.effects().send.push(claimed);
        Ok(Reply::Done)
    }

    /// Whether a message waits, or is held by whoever was known to hold it, or by this node.
    fn may_claim(&self, message: &Stored) -> Decided<bool> {
        let now = self.read.iter().find_map(|read| match read {
            Loaded::Message(id, found) if *id == message.id => Some(found.as_deref()),
            _ => None,
        });
        let now = now.ok_or(Stop::Need(Need::Message(message.id)))?;
        Ok(now.is_some_and(|now| {
            let held = now.claimed_by == message.claimed_by || now.claimed_by == Some(self.setup.node);
            now.state == "queued" || (now.state == "claimed" && held)
        }))
    }

    fn sent(&mut self, unit: &mut Unit, message: &Stored, attempts: u32, outcome: &Outcome, latency_ms: u64) -> Decided<Reply> {
        let (page, _) = self.page(unit, message.page)?;
        let wanted = message.notice.kind != NoticeKind::Page || may_send(page.status);
        let result = match outcome {
            Outcome::Delivered { receipt } => {
                unit.write(rows::message::delivered(message.id, attempts, unit.now));
                SendResult::Delivered { receipt: receipt.clone(), latency_ms }
            }
            Outcome::Rejected { why } => {
                unit.write(rows::message::rejected(message.id, attempts, unit.now, why));
                SendResult::Failed { why: why.clone() }
            }
            Outcome::Retry { .. } if !wanted => return Ok(withdraw(unit, message.id)),
            Outcome::Retry { after: asked, why, maybe_arrived } => {
                let noise = unit.ids.next_u64();
                let wait = asked.map_or(Length::ZERO, |asked| asked.min(RETRY_AFTER_MAX)).max(backoff(attempts, noise));
                let at = after(unit.now, wait);
                unit.write(rows::message::retry(message.id, attempts, at, *maybe_arrived, why));
                let effects = unit.effects();
                effects.next_attempt_at = Some(effects.next_attempt_at.map_or(at, |other| other.min(at)));
                SendResult::Delayed { why: why.clone() }
            }
        };
        self.change_page(unit, message.page, paging::Command::RecordSend(report(message, attempts, result)))?;
        Ok(Reply::Done)
    }
}

fn withdraw(unit: &mut Unit, message: MessageId) -> Reply {
    unit.write(rows::message::withdraw(message, unit.now));
    Reply::Done
}

fn report(message: &Stored, attempts: u32, result: SendResult) -> SendReport {
    SendReport {
        message: message.id,
        person: message.person.clone(),
        contact: message.contact.clone(),
        channel: message.channel.clone(),
        attempts,
        result,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_waits_double_to_a_minute_and_never_fall_below_four_fifths() {
        for (attempts, most) in [(1, 1_000), (2, 2_000), (3, 4_000), (6, 32_000), (7, 60_000), (40, 60_000)] {
            for noise in [0, 1, 12_345, u64::MAX] {
                let wait = backoff(attempts, noise).as_millis();
                assert!(wait <= most && wait * 5 >= most * 4, "{attempts} {noise}: {wait}");
            }
        }
    }
}
