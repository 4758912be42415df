//! What comes back from whoever a message was sent to: receipts of providers, and answers of people.
//!
//! A channel that hears something is a [`Replies`]: it reads a request without trusting it, only to learn which message it
//! is about, and then holds it against the address that this message went to, whose secrets only the engine knows. Some
//! vendors name no message, only whom it comes from ([`Of::Sender`]): then it is one of those that went there lately, and
//! the [`ReplyCode`] that stands in each tells which. Like
//! all channels it is sans-I/O and asks no clock. What an answer says is read here, so that a word means the same over
//! every channel; what follows from it is the engine's, and how it is told is the channel's again.

use std::fmt;

use jiff::Timestamp;

use super::Request;
use crate::channel::Address;
use crate::ids::MessageId;
use crate::time::Length;

/// Most replies of one request: providers that gather receipts send a handful.
pub const REPLIES_MAX: usize = 32;
/// Characters of an answer that a refusal repeats.
const REPEATED_CHARS_MAX: usize = 40;
/// Longest answer that may be one of the words, in bytes: anything longer is a sentence, and is not searched for them.
const WORD_BYTES_MAX: usize = 64;

/// A request at `/reply/{channel}`, as it came.
#[derive(Debug, Clone, Copy)]
pub struct ReplyRequest<'a> {
    /// Where it was sent, absolute and with its query, as the outside sees it: some vendors sign it.
    pub url: &'a str,
    /// Names in lower case.
    pub headers: &'a [(&'a str, &'a [u8])],
    /// The bytes.
    pub body: &'a [u8],
}

impl<'a> ReplyRequest<'a> {
    /// The header of this name, in lower case; the first where there are several.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&'a [u8]> {
        self.headers.iter().find(|(own, _)| *own == name).map(|(_, value)| *value)
    }
}

/// One thing that was heard of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// Of which.
    pub of: Of,
    /// What.
    pub says: Says,
}

/// Which message something was heard of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Of {
    /// The one that went out with this id.
    Message(MessageId),
    /// The one that went out with this id, of which somebody pressed a button: not always whoever it went to, where several
    /// read the same chat.
    Pressed {
        /// The message.
        message: MessageId,
        /// Who did, as the main field of their contact has it; no more than a claim until [`Replies::genuine`] says so.
        by: String,
    },
    /// One of those that went to whoever this comes from.
    Sender {
        /// As the main field of their contact has it, whatever the case of its letters; no more than a claim until
        /// [`Replies::genuine`] says so.
        from: String,
        /// The one with this code; without a code the only one that still asks something.
        code: Option<ReplyCode>,
    },
}

/// The number that stands in a message, by which an answer that names no message tells which one it is about: four digits,
/// none of them first a zero, so that nobody takes `1` and `2` for it. It is no secret: whom an answer comes from is known
/// otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReplyCode(u16);

impl ReplyCode {
    /// The least, and how many there are.
    const FIRST: u16 = 1_000;
    const COUNT: u16 = 9_000;

    /// Of a message, the same whenever it is sent. Two of the same hour may have the same, seldom: then it alone names
    /// neither of them.
    #[must_use]
    pub fn of(message: MessageId) -> Self {
        // The low half is random; mixed, so that it does not matter which of its bits are.
        let mixed = (message.bits() as u64 ^ (message.bits() >> 64) as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        let within = u16::try_from(mixed % u64::from(Self::COUNT)).unwrap_or(0);
        Self(Self::FIRST + within)
    }

    /// A word that is one.
    #[must_use]
    pub fn read(word: &str) -> Option<Self> {
        let digits = word.len() == 4 && word.bytes().all(|b| b.is_ascii_digit());
        word.parse().ok().filter(|code| digits && *code >= Self::FIRST).map(Self)
    }
}

impl fmt::Display for ReplyCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// What was heard; its texts are cleaned and cut by the channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Says {
    /// It arrived; in the provider's words.
    Delivered(String),
    /// It did not, and will not; why.
    Failed(String),
    /// The person answered: a button's word, a key, or what they wrote. [`Reply::of_words`] reads it.
    Answer(String),
    /// Whoever it went to is reached at another address of the same channel from now on, as a browser says that renewed what
    /// it is rung by.
    Moved(Address),
    /// Nothing that settles anything: it is on its way.
    Nothing,
}

/// A line that somebody typed to ask for something, which is about no message: a command of a chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Who, as the main field of their contact has it; no more than a claim until [`Replies::genuine`] says so.
    pub from: String,
    /// What they typed, cleaned and cut.
    pub words: String,
    /// The same where the same request comes again, and never else.
    pub key: String,
}

/// What became of a request, for a channel that tells it in a form of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told<'a> {
    /// It was taken; the words are for the person, and empty where nobody answered.
    Taken(&'a str),
    /// It does nothing; why, and what would work.
    Refused(&'a str),
    /// It cannot be written down now; the same may be sent again.
    NotNow,
    /// It takes longer than the vendor waits; what became of it is said by [`Replies::says_later`].
    Later,
}

/// An answer in a vendor's own form; its status is 200.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnAnswer {
    /// `Content-Type`
    pub media_type: &'static str,
    /// The body.
    pub body: String,
}

/// Why a request is no reply, whoever sent it: in words, and without a look at any message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unreadable(pub String);

/// The request is not of whoever the message went to: forged, too old, or signed with another secret. Deliberately without
/// a reason, since whoever asks must not learn which messages there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is about no message that went out over this channel, or is not signed as its contact signs")]
pub struct NotGenuine;

/// The way back of a channel.
pub trait Replies: Send + Sync {
    /// Largest body, in bytes.
    fn body_bytes_max(&self) -> usize;
    /// What a request says, and of which messages. Nothing of it is trusted yet.
    ///
    /// # Errors
    /// When it does not read.
    fn read(&self, request: &ReplyRequest<'_>) -> Result<Vec<Heard>, Unreadable>;
    /// Whether a request comes from whoever has this address, with its secrets in the clear; secrets are compared in
    /// constant time. `now` are the times that our clocks show: one of them is enough.
    ///
    /// # Errors
    /// When it does not.
    fn genuine(&self, request: &ReplyRequest<'_>, address: &Address, now: &[Timestamp]) -> Result<(), NotGenuine>;
    /// What whoever asked is answered where their vendor reads nothing but a form of its own; nothing where it is the API's
    /// JSON. A request that is not genuine, or does not read, is not answered so.
    fn answer(&self, _request: &ReplyRequest<'_>, _told: Told<'_>) -> Option<OwnAnswer> {
        None
    }
    /// The line that a request brings, where it brings one: it is then about no message, and [`Self::read`] is not asked.
    fn line(&self, _request: &ReplyRequest<'_>) -> Option<Line> {
        None
    }
    /// Whether the vendor itself sent a request, whoever of its people it is from: then whoever it is from may be told why
    /// nothing was done. Never so where only an address's own secret tells that.
    fn is_of_vendor(&self, _request: &ReplyRequest<'_>, _now: &[Timestamp]) -> bool {
        false
    }
    /// The same, where an address's own secret tells it: whoever it is from, it came by what this address holds.
    fn is_by(&self, _request: &ReplyRequest<'_>, _address: &Address) -> bool {
        false
    }
    /// What is asked of the vendor so that whoever sent a genuine request reads what became of it, where its answer cannot say.
    fn says_back(&self, _request: &ReplyRequest<'_>, _told: Told<'_>) -> Option<Request> {
        None
    }
    /// What is asked of the vendor so that whoever typed a line reads what became of it, where [`Self::patience`] was over before:
    /// then the first answer says that this comes.
    fn says_later(&self, _request: &ReplyRequest<'_>, _told: Told<'_>) -> Option<Request> {
        None
    }
    /// What stands behind the channel's name in the address that requests come to, where strangers are to be turned away before a
    /// body is read: compared in constant time, it opens the door and proves nothing more.
    fn key(&self) -> Option<&str> {
        None
    }
    /// What is said of a request that was heard and left alone, for the log; without anything of what it says.
    fn left_alone(&self, _request: &ReplyRequest<'_>) -> Option<String> {
        None
    }
    /// How long the vendor waits for an answer, where it gives up soon: what takes longer is told as [`Told::Later`] where
    /// [`Self::says_later`] can say the rest, and else as [`Told::NotNow`].
    fn patience(&self) -> Option<Length> {
        None
    }
}

/// What a person answers to a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reply {
    /// "I have it", or to the question whether they are still on it: "I am".
    Acknowledge,
    /// "I can't: page the next", or to that question: "I am not".
    Decline,
}

/// An answer that says neither.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is no answer that is understood: `1` or `yes` takes it, `2` or `no` passes it on")]
pub struct NotUnderstood {
    given: String,
}

/// The words that say yes: the key of a telephone first, then what buttons say, then what people write at night.
const YES: &[&str] = &[
    "1",
    "acknowledge",
    "acknowledged",
    "ack",
    "acked",
    "accept",
    "take",
    "taken",
    "yes",
    "y",
    "yep",
    "yeah",
    "ok",
    "okay",
    "on it",
    "i'm on it",
    "im on it",
    "i am on it",
    "i am still on it",
    "got it",
    "i got it",
    "i have it",
    "i've got it",
    "mine",
    "👍",
];

/// The words that say no, in the same order.
const NO: &[&str] = &[
    "2",
    "decline",
    "declined",
    "reject",
    "pass",
    "pass it on",
    "next",
    "page the next",
    "no",
    "n",
    "nope",
    "can't",
    "cant",
    "cannot",
    "i can't",
    "i cant",
    "i cannot",
    "not me",
    "i'm not",
    "i am not",
    "busy",
    "escalate",
    "👎",
];

impl Reply {
    /// Reads an answer, in whatever case and however it is spaced; a full stop or an exclamation at its end does no harm.
    ///
    /// ```
    /// use allclear_domain::wire::Reply;
    /// assert_eq!(Reply::of_words(" Yes! "), Ok(Reply::Acknowledge));
    /// assert_eq!(Reply::of_words("2"), Ok(Reply::Decline));
    /// assert!(Reply::of_words("yes, but not now").is_err());
    /// ```
    ///
    /// # Errors
    /// When it is neither a yes nor a no: nobody is taken to have a page by a guess.
    pub fn of_words(given: &str) -> Result<Self, NotUnderstood> {
        let not_understood = || NotUnderstood { given: given.trim().chars().take(REPEATED_CHARS_MAX).collect() };
        if given.trim().len() > WORD_BYTES_MAX {
            return Err(not_understood());
        }
        let plain = given.replace(['\u{2018}', '\u{2019}', '`'], "'").to_lowercase();
        let spaced = plain.split_whitespace().collect::<Vec<_>>().join(" ");
        let words = spaced.trim_matches(|c: char| matches!(c, '.' | '!' | ',' | '"' | '#' | '*' | ' '));
        if YES.contains(&words) {
            Ok(Self::Acknowledge)
        } else if NO.contains(&words) {
            Ok(Self::Decline)
        } else {
            Err(not_understood())
        }
    }

    /// As in an answer, and of a button.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Acknowledge => "acknowledge",
            Self::Decline => "decline",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_the_table_is_understood_however_it_is_written() {
        for (words, reply) in [(YES, Reply::Acknowledge), (NO, Reply::Decline)] {
            for word in words {
                for given in [(*word).to_owned(), format!("  {}\r\n", word.to_uppercase()), format!("{}!", word.replace('\'', "’"))] {
                    assert_eq!(Reply::of_words(&given), Ok(reply), "{given}");
                }
            }
            assert_eq!(Reply::of_words(reply.word()), Ok(reply));
        }
        assert!(YES.iter().all(|word| !NO.contains(word)));
        assert_eq!(Reply::of_words("I   am\ton it."), Ok(Reply::Acknowledge));
    }

    #[test]
    fn a_code_is_four_digits_and_reads_as_it_is_written() {
        let mut found = std::collections::BTreeSet::new();
        for n in 0..2_000_u128 {
            let code = ReplyCode::of(MessageId::from_bits((n << 80) | 7));
            assert_eq!(ReplyCode::read(&code.to_string()), Some(code));
            assert_eq!(code.to_string().len(), 4);
            found.insert(code);
        }
        assert!(found.len() > 1_500, "{} of 2000 are different", found.len());
        assert_eq!(ReplyCode::of(MessageId::from_bits(3)), ReplyCode::of(MessageId::from_bits(3)));
        for word in ["", "1", "2", "0999", "999", "10000", "12a4", "+123", "-123", " 1234", "١٢٣٤"] {
            assert_eq!(ReplyCode::read(word), None, "{word}");
        }
    }

    #[test]
    fn what_says_neither_is_refused_with_what_would_work() {
        for given in ["", " ", "3", "12", "maybe", "yes no", "not yes", "who is this?", &"1".repeat(1000), "\u{0}1"] {
            let told = Reply::of_words(given).unwrap_err().to_string();
            assert!(told.contains("`1` or `yes`") && told.contains("`2` or `no`") && told.len() < 300, "{told}");
        }
    }
}
