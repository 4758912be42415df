//! Codes that prove a contact: sent over the contact itself, by the outbox as any other message, and typed where one is signed
//! in.
//!
//! Invariants: a code is kept only as a keyed hash, and sealed within its message; it is never logged, told or shown; it proves
//! the address that it was made for, and no other; a person makes [`CODES_MAX`] of them in [`CODES_WITHIN`], and tries each
//! [`TRIES_MAX`] times, on all nodes together.

use allclear_domain::access::{Principal, may_look_after, may_see_contacts};
use allclear_domain::hex::hex;
use allclear_domain::ids::MessageId;
use allclear_domain::org::model::mark_of;
use allclear_domain::paging::{MessageDraft, MessageState};
use allclear_domain::time::{Length, after};
use allclear_domain::wire::{CODE_LIFE, Notice, NoticeKind};
use allclear_store::rows::code::{self, CODES_MAX, StoredCode};
use allclear_store::rows::message::{self, Born};
use allclear_store::{CommitError, Fault};
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

use super::OrgError;
use super::own::{Arranged, Ask, NotArranged, unproved};
use crate::core::Refusal;
use crate::engine::Engine;

/// In this time [`CODES_MAX`] codes are sent to contacts of one person: what comes late, is lost or goes to a mistyped address is
/// tried again, and nobody is pestered at an address that is not theirs.
pub const CODES_WITHIN: Length = Length::from_mins(60);
/// Times that a code may be typed: one in two hundred thousand guesses is right.
pub const TRIES_MAX: u32 = 5;
/// A code that was asked for this long ago is still on its way: asked for again, nothing new is sent.
const SAME_FOR: Length = Length::from_secs(10);
/// Digits of a code.
const DIGITS: usize = 6;
/// One more than the largest code.
const CODES: u32 = 1_000_000;
/// Tries to take a place that another node takes at the same time.
const PLACE_TRIES: u32 = 8;
/// The purpose of the key that codes are hashed with.
const PURPOSE: &str = "contact code";

/// A code that was sent, without what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentCode {
    pub contact: String,
    pub message: MessageId,
    pub sent_at: Timestamp,
    pub until: Timestamp,
    /// Times that it may be typed still.
    pub left: u32,
    /// How far its message is.
    pub state: MessageState,
    pub attempts: u32,
    /// Why it has not arrived, where it has not.
    pub why: Option<String>,
}

impl Engine {
    /// A code, evenly among all there are.
    fn fresh_code(&self) -> String {
        // What is left over above a multiple would come up a little more often than the rest.
        let fair = u32::MAX - u32::MAX % CODES;
        loop {
            let mut bytes = [0; 4];
            self.shared.ports.rng.fill(&mut bytes);
            let number = u32::from_le_bytes(bytes);
            if number < fair {
                return format!("{:0width$}", number % CODES, width = DIGITS);
            }
        }
    }

    /// Keyed, so that a copy of the database alone gives no code away.
    fn hash_of_code(&self, message: MessageId, code: &str) -> String {
        let key = self.shared.key.derive(PURPOSE);
        let mut mac = <Hmac<Sha256>>::new_from_slice(&key).expect("HMAC takes keys of any length");
        mac.update(format!("{message}:{code}").as_bytes());
        hex(&mac.finalize().into_bytes())
    }

    /// Sends a code to a contact that is not proved yet.
    ///
    /// # Errors
    /// Why not; nothing was sent then.
    pub async fn send_code(&self, person: &str, contact: &str, who: &Principal) -> Result<SentCode, NotArranged> {
        let org = self.org();
        may_look_after(&org, who, person)?;
        let found = unproved(&org, person, contact)?;
        let channel = org.channels().of(&found.address).map(|form| form.name);
        let channel = channel.ok_or_else(|| NotArranged::Wrong("its channel is not known here".to_owned()))?;
        if let Some(setting) = self.lacks(channel) {
            return Err(NotArranged::Lacks(setting));
        }
        if self.is_quarantined() {
            return Err(NotArranged::Quarantined);
        }
        let mark = mark_of(found, org.channels());
        let by = who.person().and_then(|id| org.person(id)).map_or_else(|| "an administrator".to_owned(), |by| by.name.clone());
        for _ in 0..PLACE_TRIES {
            let now = self.now();
            let codes = code::of_person(&self.shared.db, person).await?;
            let same = codes.iter().find(|code| code.contact == contact && code.mark == mark && !code.hash.is_empty());
            if let Some(same) = same.filter(|same| now < after(same.made_at, SAME_FOR)) {
                return Ok(self.sent_code(same).await?);
            }
            let place = free_place(&codes, now)?;
            let message = MessageId::from_bits(self.fresh_id());
            let typed = self.fresh_code();
            let code = StoredCode {
                person: person.to_owned(),
                place: place.0,
                contact: contact.to_owned(),
                mark: mark.clone(),
                hash: self.hash_of_code(message, &typed),
                message,
                made_at: now,
                tries: 0,
            };
            let sealed = self.shared.key.seal(&typed, self.shared.ports.rng.as_ref());
            let nobodys = [self.fresh_id(), self.fresh_id()];
            let notice = Notice {
                because: Some(format!("{by} asked for it")),
                ..Notice::of_no_incident(NoticeKind::Code, format!("code:{message}"), person, sealed, nobodys)
            };
            let draft = MessageDraft {
                id: message,
                person: person.to_owned(),
                contact: contact.to_owned(),
                channel: channel.to_owned(),
                org_version: org.version,
                notice,
            };
            let takes = place.1.map_or_else(|| code::first(&code), |before| code::instead(&code, before));
            match self.shared.db.commit(vec![takes, message::write(&draft, Born::Waiting, now)]).await {
                Ok(()) => {
                    self.shared.outbox_wake.notify_one();
                    return Ok(self.sent_code(&code).await?);
                }
                Err(CommitError::Conflict { .. }) => {}
                Err(CommitError::Fault(fault)) => return Err(fault.into()),
            }
        }
        Err(OrgError::Conflict.into())
    }

    async fn sent_code(&self, code: &StoredCode) -> Result<SentCode, Fault> {
        let stored = message::get(&self.shared.db, code.message).await?;
        Ok(SentCode {
            contact: code.contact.clone(),
            message: code.message,
            sent_at: code.made_at,
            until: after(code.made_at, CODE_LIFE),
            left: TRIES_MAX.saturating_sub(code.tries),
            state: stored.as_ref().map_or(MessageState::Queued, |stored| stored.state),
            attempts: stored.as_ref().map_or(0, |stored| stored.attempts),
            why: stored.and_then(|stored| stored.last_error),
        })
    }

    /// The code that waits for each contact of a person, where one does.
    ///
    /// # Errors
    /// Where the asker may not, or the store does not answer.
    pub async fn codes_of(&self, person: &str, who: &Principal) -> Result<Vec<SentCode>, NotArranged> {
        may_see_contacts(&self.org(), who, person)?;
        let now = self.now();
        let mut out: Vec<SentCode> = Vec::new();
        for code in code::of_person(&self.shared.db, person).await? {
            let works = !code.hash.is_empty() && now < after(code.made_at, CODE_LIFE);
            if works && out.iter().all(|known| known.contact != code.contact) {
                out.push(self.sent_code(&code).await?);
            }
        }
        Ok(out)
    }

    /// Somebody typed the code that was sent to a contact.
    ///
    /// # Errors
    /// Why it proves nothing.
    pub async fn enter_code(&self, person: &str, contact: &str, typed: &str, who: &Principal) -> Result<Arranged, NotArranged> {
        let org = self.org();
        may_look_after(&org, who, person)?;
        let found = unproved(&org, person, contact)?;
        // As people write six digits down.
        let typed: String = typed.chars().filter(|c| !c.is_whitespace() && *c != '-' && *c != '.').collect();
        if typed.len() != DIGITS || !typed.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(NotArranged::NoDigits);
        }
        let now = self.now();
        let codes = code::of_person(&self.shared.db, person).await?;
        let mark = mark_of(found, org.channels());
        let code = codes.into_iter().find(|code| code.contact == contact && code.mark == mark && !code.hash.is_empty());
        let code = code.ok_or(NotArranged::NoCode)?;
        if now >= after(code.made_at, CODE_LIFE) {
            return Err(NotArranged::CodeOver);
        }
        // Counted first: whoever types a thousand at once is not quicker than the count.
        match self.shared.db.commit(vec![code::tried(&code, TRIES_MAX)]).await {
            Ok(()) => {}
            Err(CommitError::Conflict { .. }) => return Err(NotArranged::CodeSpent),
            Err(CommitError::Fault(fault)) => return Err(fault.into()),
        }
        let is_it = bool::from(self.hash_of_code(code.message, &typed).as_bytes().ct_eq(code.hash.as_bytes()));
        if !is_it {
            let left = TRIES_MAX.saturating_sub(code.tries + 1);
            return Err(if left == 0 { NotArranged::CodeSpent } else { NotArranged::WrongCode { left } });
        }
        let ask = Ask::Prove { contact: contact.to_owned(), mark, by: None };
        self.arrange_with(person, &ask, true, &who.actor, &[code::used(&code)]).await
    }
}

/// A place for one more code, with the message of what stands in it; or how long to wait for one.
fn free_place(codes: &[StoredCode], now: Timestamp) -> Result<(i64, Option<MessageId>), NotArranged> {
    if let Some(place) = (0..CODES_MAX).find(|place| codes.iter().all(|code| code.place != *place)) {
        return Ok((place, None));
    }
    // One after the other they are free again; the newest first here.
    let Some(oldest) = codes.iter().min_by_key(|code| code.made_at) else { return Ok((0, None)) };
    let free_at = after(oldest.made_at, CODES_WITHIN);
    if free_at <= now {
        return Ok((oldest.place, Some(oldest.message)));
    }
    let wait = Length::from_secs(u64::try_from(free_at.duration_since(now).as_secs() + 1).unwrap_or(1));
    let most = usize::try_from(CODES_MAX).unwrap_or(usize::MAX);
    Err(NotArranged::TooOften(Refusal::TooOften { what: "codes of one person", most, within: CODES_WITHIN, wait }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_free_again_after_an_hour() {
        let at = |seconds: i64| Timestamp::from_second(1_800_000_000 + seconds).unwrap();
        let code = |place: i64, made: i64| StoredCode {
            person: "ana".into(),
            place,
            contact: "mail".into(),
            mark: "m".into(),
            hash: "h".into(),
            message: MessageId::from_bits(u128::try_from(place).unwrap()),
            made_at: at(made),
            tries: 0,
        };
        let mut codes: Vec<_> = (0..CODES_MAX - 1).map(|place| code(place, place * 60)).collect();
        assert_eq!(free_place(&codes, at(300)).unwrap(), (CODES_MAX - 1, None));
        codes.push(code(CODES_MAX - 1, 300));
        let Err(NotArranged::TooOften(Refusal::TooOften { wait, .. })) = free_place(&codes, at(300)) else { panic!("it is full") };
        assert_eq!(wait.as_secs(), 3301);
        assert_eq!(free_place(&codes, at(3600)).unwrap(), (0, Some(MessageId::from_bits(0))));
    }
}
