//! Messages: taken over, tried, and what became of them.

use std::collections::HashSet;

use allclear_domain::expect::{Expectation, Key, Standing};
use allclear_domain::ids::{MessageId, PageId};
use allclear_domain::paging::{self, Entry, SendReport, SendResult, Telling, may_send};
use allclear_domain::plants::planted;
use allclear_domain::time::{Length, after};
use allclear_domain::wire::Outcome;
use allclear_store::rows;
use allclear_store::rows::message::Envelope;

use super::canary::SINK;
use super::command::{Reply, Tried};
use super::due::settle;
use super::unit::Unit;
use super::{Core, Decided, Loaded, Need, Stop};

/// First wait between two tries.
const BACKOFF_FIRST_MS: u64 = 1_000;
/// Why a message that was taken counts as not delivered.
const NO_RECEIPT: &str = "its provider took it, and did not say in time that it arrived";
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

/// How long a message waits for its next try, where its provider asked for `asked`. The noise is the message's, so that what
/// went out together is tried again together.
pub(super) fn backoff_of(lead: MessageId, attempts: u32, asked: Option<Length>) -> Length {
    let noise = (lead.bits() ^ (lead.bits() >> 64)) as u64;
    asked.map_or(Length::ZERO, |asked| asked.min(RETRY_AFTER_MAX)).max(backoff(attempts, noise))
}

impl Core {
    /// What a node that stopped had under way may have arrived: the log says so, and it is sent again as it was, as
    /// far as its pages still look for somebody.
    pub(super) fn take_over_sends(&mut self, unit: &mut Unit, lead: MessageId, messages: &[Envelope], why: &str) -> Decided<Reply> {
        if self.setup.quarantined {
            return Ok(Reply::Done);
        }
        self.pages_at_once(unit, messages.iter().filter(|message| !message.is_step).map(|message| message.page))?;
        let mine = self.still_held(messages)?;
        for message in messages.iter().filter(|message| mine.contains(&message.id)) {
            if message.is_step {
                self.take_over_step(unit, message, lead)?;
                continue;
            }
            let page = self.page_if_any(unit, message.page)?;
            let over = message.pages && page.as_ref().is_some_and(|page| !may_send(page.status)) && !planted("claim-ignores-page");
            if planted("doubt-is-failure") {
                unit.write(rows::message::rejected(message.id, message.attempts, unit.now, "its sender stopped"));
                continue;
            }
            if page.is_some() {
                let why = if over { format!("{why}; the page has ended meanwhile") } else { why.to_owned() };
                let report = report(message, message.attempts, SendResult::InDoubt { why });
                self.change_page(unit, message.page, paging::Command::RecordSend(report))?;
            }
            match message.claimed_by {
                _ if over => drop(withdraw(unit, message.id)),
                Some(holder) => unit.write(rows::message::take_over(message.id, lead, self.setup.node, holder, unit.now)),
                None => {}
            }
        }
        Ok(Reply::Done)
    }

    /// Which of these are held still by whoever was known to hold them. Another node may have been first, which is
    /// looked for only where a commit was refused.
    fn still_held(&self, messages: &[Envelope]) -> Decided<HashSet<MessageId>> {
        if !self.careful {
            return Ok(messages.iter().map(|message| message.id).collect());
        }
        let now = self.read.iter().find_map(|read| if let Loaded::Holders(found) = read { Some(found) } else { None });
        let now = now.ok_or_else(|| Stop::Need(Need::Holders(messages.iter().map(|message| message.id).collect())))?;
        let held = |message: &&Envelope| now.iter().any(|(id, holder)| *id == message.id && *holder == message.claimed_by);
        Ok(messages.iter().filter(held).map(|message| message.id).collect())
    }

    pub(super) fn sent(&mut self, unit: &mut Unit, tried: &Tried, outcome: &Outcome) -> Decided<()> {
        let Tried { message, lead, attempts, latency_ms } = tried;
        let attempts = *attempts;
        if message.channel == SINK {
            unit.write(rows::message::remove(message.id));
            return Ok(());
        }
        if message.is_step {
            return self.step_sent(unit, message, attempts, outcome);
        }
        let page = self.page_if_any(unit, message.page)?;
        let wanted = !message.pages
            || page.as_ref().is_none_or(|page| {
                // Of a drill nobody is told of a level that is over.
                let is_present = || page.entries.iter().any(|entry| entry.message == Some(message.id));
                may_send(page.status) && !page.asks_no_more(&message.person) && (page.drill.is_none() || is_present())
            });
        let is_of_it = |entry: &Entry| entry.message == Some(message.id) && entry.telling == Telling::Delivered;
        // A receipt was quicker than the answer to the try that it is of, which has nothing new to say then.
        if !matches!(outcome, Outcome::Rejected { .. }) && page.as_ref().is_some_and(|page| page.entries.iter().any(is_of_it)) {
            unit.write(rows::message::delivered(message.id, attempts, unit.now));
            return Ok(());
        }
        let result = match outcome {
            Outcome::Delivered { receipt } => {
                unit.write(rows::message::delivered(message.id, attempts, unit.now));
                let receipt = if *lead == message.id { receipt.clone() } else { format!("{receipt}, with {lead}") };
                SendResult::Delivered { receipt, latency_ms: *latency_ms }
            }
            Outcome::Accepted { receipt, within } => {
                unit.write(rows::message::accepted(message.id, attempts));
                SendResult::Accepted { receipt: receipt.clone(), within: *within }
            }
            Outcome::Rejected { why } => {
                unit.write(rows::message::rejected(message.id, attempts, unit.now, why));
                SendResult::Failed { why: why.clone() }
            }
            Outcome::Retry { maybe_arrived, why, .. } if !wanted => {
                withdraw(unit, message.id);
                if !*maybe_arrived || message.in_doubt {
                    return Ok(());
                }
                SendResult::InDoubt { why: why.clone() }
            }
            Outcome::Retry { after: asked, why, maybe_arrived, .. } => {
                let wait = backoff_of(*lead, attempts, *asked);
                let at = after(unit.now, wait);
                unit.write(rows::message::retry(message.id, self.setup.node, attempts, at, *maybe_arrived, why));
                let effects = unit.effects();
                effects.next_attempt_at = Some(effects.next_attempt_at.map_or(at, |other| other.min(at)));
                SendResult::Delayed { why: why.clone(), maybe_arrived: *maybe_arrived && !message.in_doubt, wait }
            }
        };
        if page.is_some() {
            self.change_page(unit, message.page, paging::Command::RecordSend(report(message, attempts, result)))?;
        }
        Ok(())
    }
}

impl Core {
    /// The provider that took a message has not said within the time that it arrived: for the page it did not.
    pub(super) fn look_receipt(&mut self, unit: &mut Unit, expectation: &Expectation, id: PageId) -> Decided<()> {
        let Ok(Key::Receipt { message }) = expectation.key.parse() else {
            settle(unit, expectation, Standing::Void, "its key does not read");
            return Ok(());
        };
        let (page, _) = self.page(unit, id)?;
        let Some(entry) = page.entries.iter().find(|entry| entry.message == Some(message) && entry.telling == Telling::Accepted) else {
            settle(unit, expectation, Standing::Void, "nobody waits for it any more");
            return Ok(());
        };
        settle(unit, expectation, Standing::Missed, NO_RECEIPT);
        // Tries are not made of what was taken: this was the only one, or the last.
        let attempts = 1;
        let (person, contact, channel) = (entry.person.clone(), entry.contact.clone(), entry.channel.clone());
        unit.write(rows::message::rejected(message, attempts, unit.now, NO_RECEIPT));
        let result = SendResult::Failed { why: NO_RECEIPT.to_owned() };
        let report = SendReport { message, person, contact, channel, attempts, result };
        self.change_page(unit, id, paging::Command::RecordSend(report))?;
        Ok(())
    }
}

pub(super) fn withdraw(unit: &mut Unit, message: MessageId) -> Reply {
    unit.write(rows::message::withdraw(message, unit.now));
    Reply::Done
}

fn report(message: &Envelope, attempts: u32, result: SendResult) -> SendReport {
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
