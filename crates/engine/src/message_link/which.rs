//! Which message an answer is about that names none: of what went lately to whoever it comes from, the one with its code,
//! and without a code the only one that still asks something.
//!
//! Nobody is taken to have a page by a guess: where it can be two, nothing is taken, and the codes are said.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::fmt::Write as _;

use allclear_domain::ids::{MessageId, PageId};
use allclear_domain::incident::State;
use allclear_domain::paging::{MessageState, Status};
use allclear_domain::time::before;
use allclear_domain::wire::{NotGenuine, NoticeKind, Replies, ReplyCode, ReplyRequest};
use allclear_store::rows;
use allclear_store::rows::message::SentNotice;

use super::LINK_LIFE;
use super::replies::NotReplied;
use crate::core::Refusal;
use crate::engine::Engine;

/// Notices that are looked through for each contact, the newest of two days: as many as one message carries at most.
const LOOKED_THROUGH_MAX: i64 = 5_000;
/// Codes that are said where an answer may be about several messages: what fits into a text message of three parts.
const CODES_SAID_MAX: usize = 5;
/// Characters of a title beside its code.
const TITLE_CHARS_MAX: usize = 40;

/// A message that an answer may be about.
#[derive(Debug, PartialEq, Eq)]
struct Candidate {
    id: MessageId,
    /// Of its first notice, for people.
    reference: String,
    title: String,
    /// Its pages that ask something still.
    asking: BTreeSet<PageId>,
}

impl Engine {
    /// The message that an answer of whoever sent this request is about. Whoever has no contact to which it fits learns
    /// nothing.
    ///
    /// # Errors
    /// When the request is nobody's, or none of their messages can be meant, or more than one.
    pub(super) async fn meant(
        &self,
        channel: &str,
        replies: &dyn Replies,
        request: &ReplyRequest<'_>,
        (from, code): (&str, Option<ReplyCode>),
    ) -> Result<MessageId, NotReplied> {
        let senders = self.senders(channel, replies, request, from)?;
        let mut found = Vec::new();
        for (person, contact) in &senders {
            let since = before(self.now(), LINK_LIFE);
            let sent = rows::message::sent_to(self.db(), (channel, person, contact), since, LOOKED_THROUGH_MAX).await;
            found.extend(sent.map_err(|fault| Refusal::Unavailable(fault.to_string()))?);
        }
        chosen(&candidates(found), code)
    }

    /// People, each with a contact from which this request comes: several may share a telephone. Only of those whose address it
    /// claims to be from is anything reckoned, so that a forgery costs little.
    fn senders(
        &self,
        channel: &str,
        replies: &dyn Replies,
        request: &ReplyRequest<'_>,
        from: &str,
    ) -> Result<Vec<(String, String)>, NotGenuine> {
        let org = self.org();
        let now = self.both_clocks();
        let contacts = org.everybody().flat_map(|person| person.contacts.iter().map(move |contact| (person, contact)));
        let senders: Vec<_> = contacts
            // Whoever only says that an address is theirs answers nothing from there.
            .filter(|(_, contact)| contact.verified)
            .filter(|(_, contact)| contact.address.get(channel).is_some_and(|address| address.eq_ignore_ascii_case(from)))
            .filter(|(_, contact)| replies.genuine(request, &contact.address, &now).is_ok())
            .map(|(person, contact)| (person.id.clone(), contact.id.clone()))
            .collect();
        if senders.is_empty() { Err(NotGenuine) } else { Ok(senders) }
    }
}

/// Whether what a notice asked for is still to be had.
fn asks(sent: &SentNotice) -> bool {
    let is_held = matches!(sent.incident, State::Investigating | State::Mitigated);
    let asked = match sent.notice.kind {
        NoticeKind::Drill => sent.page == Status::Running,
        NoticeKind::Page => matches!(sent.page, Status::Running | Status::Exhausted),
        NoticeKind::StillOnIt => sent.page == Status::Acknowledged && is_held,
        NoticeKind::ConfirmRecovery
        | NoticeKind::Reminder
        | NoticeKind::Update
        | NoticeKind::Request
        | NoticeKind::Over
        | NoticeKind::Step
        | NoticeKind::Readiness
        | NoticeKind::Note
        | NoticeKind::Shift
        | NoticeKind::Code => false,
    };
    // What was refused did not arrive, so that nobody means it who does not name it.
    asked && sent.state != MessageState::Rejected && sent.incident.is_open()
}

/// The messages that these notices went out in, the newest first. A question that is answered elsewhere is among them: whoever
/// answers it last is told where.
fn candidates(mut sent: Vec<SentNotice>) -> Vec<Candidate> {
    sent.sort_by_key(|one| Reverse(one.sent_as));
    let mut all: Vec<Candidate> = Vec::new();
    for one in sent {
        let asking = asks(&one).then_some(one.notice.page);
        match all.last_mut().filter(|last| last.id == one.sent_as) {
            Some(last) => last.asking.extend(asking),
            None => all.push(Candidate {
                id: one.sent_as,
                reference: one.notice.incident.reference,
                title: one.notice.incident.title,
                asking: asking.into_iter().collect(),
            }),
        }
    }
    all
}

/// The one that is meant. `all` has the newest first.
fn chosen(all: &[Candidate], code: Option<ReplyCode>) -> Result<MessageId, NotReplied> {
    let named: Vec<&Candidate> = all.iter().filter(|one| code.is_none_or(|code| ReplyCode::of(one.id) == code)).collect();
    let asking: Vec<&Candidate> = named.iter().copied().filter(|one| !one.asking.is_empty()).collect();
    // A page that was sent again is the same page, and its newest message stands for all of them.
    let newest = match asking.split_first() {
        Some((newest, others)) if others.iter().all(|other| other.asking.is_subset(&newest.asking)) => newest,
        Some(_) => return Err(NotReplied::Ambiguous(told_which(&asking, code))),
        // Nothing asks any more: the newest says who has it, or what became of it.
        None => match (named.first(), code) {
            (Some(newest), _) => newest,
            (None, Some(code)) => return Err(NotReplied::NotAsked(format!("no message of the last 48 hours has the code {code}"))),
            (None, None) => return Err(NotReplied::NotAsked("no message of the last 48 hours asks anything of you".to_owned())),
        },
    };
    Ok(newest.id)
}

fn told_which(asking: &[&Candidate], code: Option<ReplyCode>) -> String {
    if let Some(code) = code {
        return format!("the code {code} stands in {} messages: answer with the link of the one that you mean", asking.len());
    }
    let mut told = format!("{} messages wait for an answer. Write the code of the one that you mean:", asking.len());
    for one in asking.iter().take(CODES_SAID_MAX) {
        let title: String = one.title.chars().take(TITLE_CHARS_MAX).collect();
        let cut = if title.len() < one.title.len() { "…" } else { "" };
        let _ = write!(told, "\n{} {} {title}{cut}", ReplyCode::of(one.id), one.reference);
    }
    if asking.len() > CODES_SAID_MAX {
        let _ = write!(told, "\nand {} more, each with its code in its message", asking.len() - CODES_SAID_MAX);
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(id: u128, asking: &[u128]) -> Candidate {
        let asking = asking.iter().map(|page| PageId::from_bits(*page)).collect();
        Candidate { id: MessageId::from_bits(id << 80), reference: format!("INC-{id}"), title: "Disk full".into(), asking }
    }

    fn code(id: u128) -> ReplyCode {
        ReplyCode::of(MessageId::from_bits(id << 80))
    }

    #[test]
    fn without_a_code_it_is_the_only_one_that_asks_and_never_a_guess() {
        let is = |all: &[Candidate], id: u128| chosen(all, None).ok() == Some(MessageId::from_bits(id << 80));
        assert!(is(&[one(3, &[]), one(2, &[2]), one(1, &[])], 2), "the others are taken");
        assert!(is(&[one(3, &[1]), one(2, &[1]), one(1, &[1])], 3), "one page that was sent thrice");
        assert!(is(&[one(3, &[1, 2]), one(2, &[2]), one(1, &[1])], 3), "the newest holds all of them");
        assert!(is(&[one(3, &[]), one(2, &[])], 3), "where nothing asks, the newest says what became of it");
        let two = chosen(&[one(3, &[3]), one(2, &[2]), one(1, &[])], None).unwrap_err();
        let (NotReplied::Ambiguous(told), "reply_ambiguous") = (&two, two.code()) else { panic!("{two:?}") };
        assert!(
            told.starts_with("2 messages wait") && told.contains(&format!("\n{} INC-3 Disk full\n{} INC-2", code(3), code(2))),
            "{told}"
        );
        assert!(chosen(&[one(3, &[3]), one(2, &[2, 3])], None).is_err(), "the newest is not all that is asked");
        let many: Vec<Candidate> = (1..=70).rev().map(|n| one(n, &[n])).collect();
        let told = chosen(&many, None).unwrap_err().to_string();
        assert!(told.ends_with("and 65 more, each with its code in its message") && told.chars().count() < 480, "{told}");
        assert!(matches!(chosen(&[], None), Err(NotReplied::NotAsked(_))));
    }

    #[test]
    fn a_code_names_its_message_also_where_that_asks_nothing_any_more() {
        let all = [one(3, &[3]), one(2, &[]), one(1, &[1])];
        for (at, id) in [3, 2, 1].into_iter().enumerate() {
            assert_eq!(chosen(&all, Some(code(id))).ok(), Some(all[at].id));
        }
        let unknown =
            (1_000..=9_999).filter_map(|n: u16| ReplyCode::read(&n.to_string())).find(|c| [1, 2, 3].iter().all(|id| code(*id) != *c));
        let told = chosen(&all, unknown).unwrap_err();
        assert!(matches!(&told, NotReplied::NotAsked(why) if why.contains("48 hours")), "{told:?}");
        // Two of the same code: the one that asks, and where both do, neither.
        let mut ids = (4..).map(|n: u128| n);
        let twin = ids.find(|n| code(*n) == code(1)).unwrap();
        assert_eq!(chosen(&[one(twin, &[]), one(1, &[1])], Some(code(1))).ok(), Some(MessageId::from_bits(1 << 80)));
        let told = chosen(&[one(twin, &[2]), one(1, &[1])], Some(code(1))).unwrap_err();
        assert!(matches!(&told, NotReplied::Ambiguous(why) if why.contains("the link")), "{told:?}");
    }
}
