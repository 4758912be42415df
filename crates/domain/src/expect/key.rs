//! Keys of expectations that name something: a step, a way of a person, a role, a task. Written where an expectation is
//! opened and read where it is looked at; stored as text, so that a form that was released is never changed.

use std::fmt;
use std::str::FromStr;

use crate::ids::MessageId;

/// A key that names something.
///
/// ```
/// use allclear_domain::expect::Key;
/// let key = Key::Notify { round: 1, step: 2, person: "audience:board".into(), entry: 0 };
/// assert_eq!(key.to_string(), "notify:1:2:audience:board:0");
/// assert_eq!("notify:1:2:audience:board:0".parse(), Ok(key));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// Somebody acknowledges a step of a page.
    Ack { round: u32, step: u32 },
    /// Somebody has it before an exhausted page comes back, after this round.
    Again { round: u32 },
    /// A later way of a person has its turn in a step. The person may be `audience:ID`.
    Notify { round: u32, step: u32, person: String, entry: u32 },
    /// Somebody answers the offer of a role, or takes command that nobody has.
    Role(String),
    /// Somebody takes a role that is needed.
    Needed(String),
    /// Somebody else takes a role in its turn.
    Relief(String),
    /// A task is done.
    Task(u32),
    /// A decision is looked at again.
    Decision(u32),
    /// What a clock of an incident awaits, by its word.
    Target(String),
    /// Another organisation answers a request.
    Request(u32),
    /// A service recovers in the time of its objective: the objective by its word.
    Objective { kind: String, service: String },
    /// A report to a regulator is submitted.
    Obligation { obligation: u32, report: u32 },
    /// A resource arrives.
    Resource(u32),
    /// A provider that took a message says what became of it.
    Receipt { message: MessageId },
}

/// A text that is no such key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this key does not read")]
pub struct BadKey;

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ack { round, step } => write!(f, "ack:{round}:{step}"),
            Self::Again { round } => write!(f, "again:{round}"),
            Self::Notify { round, step, person, entry } => write!(f, "notify:{round}:{step}:{person}:{entry}"),
            Self::Role(role) => write!(f, "role:{role}"),
            Self::Needed(role) => write!(f, "needed:{role}"),
            Self::Relief(role) => write!(f, "relief:{role}"),
            Self::Task(task) => write!(f, "task:{task}"),
            Self::Decision(decision) => write!(f, "decision:{decision}"),
            Self::Target(clock) => write!(f, "target:{clock}"),
            Self::Request(request) => write!(f, "request:{request}"),
            Self::Objective { kind, service } => write!(f, "objective:{kind}:{service}"),
            Self::Obligation { obligation, report } => write!(f, "obligation:{obligation}:{report}"),
            Self::Resource(resource) => write!(f, "resource:{resource}"),
            Self::Receipt { message } => write!(f, "receipt:{message}"),
        }
    }
}

impl FromStr for Key {
    type Err = BadKey;

    fn from_str(text: &str) -> Result<Self, BadKey> {
        let number = |text: &str| text.parse().map_err(|_| BadKey);
        let (kind, rest) = text.split_once(':').ok_or(BadKey)?;
        match kind {
            "ack" => {
                let (round, step) = rest.split_once(':').ok_or(BadKey)?;
                Ok(Self::Ack { round: number(round)?, step: number(step)? })
            }
            "again" => Ok(Self::Again { round: number(rest)? }),
            "notify" => {
                let (round, rest) = rest.split_once(':').ok_or(BadKey)?;
                let (step, rest) = rest.split_once(':').ok_or(BadKey)?;
                // From the end: the person may have a colon of their own.
                let (person, entry) = rest.rsplit_once(':').ok_or(BadKey)?;
                Ok(Self::Notify { round: number(round)?, step: number(step)?, person: person.to_owned(), entry: number(entry)? })
            }
            "role" => Ok(Self::Role(rest.to_owned())),
            "needed" => Ok(Self::Needed(rest.to_owned())),
            "relief" => Ok(Self::Relief(rest.to_owned())),
            "task" => Ok(Self::Task(number(rest)?)),
            "decision" => Ok(Self::Decision(number(rest)?)),
            "target" => Ok(Self::Target(rest.to_owned())),
            "request" => Ok(Self::Request(number(rest)?)),
            "objective" => {
                let (kind, service) = rest.split_once(':').ok_or(BadKey)?;
                Ok(Self::Objective { kind: kind.to_owned(), service: service.to_owned() })
            }
            "obligation" => {
                let (obligation, report) = rest.split_once(':').ok_or(BadKey)?;
                Ok(Self::Obligation { obligation: number(obligation)?, report: number(report)? })
            }
            "resource" => Ok(Self::Resource(number(rest)?)),
            "receipt" => Ok(Self::Receipt { message: rest.parse().map_err(|_| BadKey)? }),
            _ => Err(BadKey),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_reads_back_and_nothing_else_does() {
        for key in [
            Key::Ack { round: 1, step: 12 },
            Key::Again { round: 3 },
            Key::Notify { round: 1, step: 1, person: "ana".into(), entry: 2 },
            Key::Role("commander".into()),
            Key::Needed("scribe".into()),
            Key::Relief("scribe".into()),
            Key::Task(7),
            Key::Decision(2),
            Key::Target("mitigate".into()),
            Key::Request(3),
            Key::Objective { kind: "rto".into(), service: "pay".into() },
            Key::Obligation { obligation: 2, report: 1 },
            Key::Resource(4),
            Key::Receipt { message: MessageId::from_bits(7) },
        ] {
            assert_eq!(key.to_string().parse(), Ok(key));
        }
        for bad in ["", "ack", "ack:1", "ack:1:x", "ack:1:2:3", "again:", "notify:1:1:ana", "task:x", "candidate", "nothing:1", "receipt:1"]
        {
            assert_eq!(bad.parse::<Key>(), Err(BadKey), "{bad}");
        }
    }
}
