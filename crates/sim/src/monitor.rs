//! Monitors, what was accepted of what they see, and what people are about to do: what the world holds of them. What they
//! do is in [`crate::actors`].

use allclear_domain::time::{Length, after};
use allclear_domain::wire::{SenderSeverity, Signal, SignalAction};
use allclear_engine::core::Input;
use jiff::Timestamp;

use crate::orgs::{HOSTS, KINDS};
use crate::ports::Dice;

/// Something that watches one condition.
#[derive(Debug, Clone)]
pub struct Monitor {
    /// Position in [`crate::orgs::INTEGRATIONS`].
    pub integration: usize,
    /// The sender's name of the condition. Two integrations share names on purpose.
    pub key: String,
    pub(crate) kind: u64,
    pub(crate) host: u64,
    pub(crate) zone: u64,
    pub(crate) severity: Option<SenderSeverity>,
    /// Whether the condition holds.
    pub(crate) fires: bool,
    /// It stopped talking until then.
    pub(crate) quiet_until: Timestamp,
    pub(crate) every: Length,
    pub(crate) ends_after: Option<Length>,
}

/// What was accepted of a condition.
#[derive(Debug, Clone, Default)]
pub struct Accepted {
    /// It holds.
    pub fires: bool,
    /// When it was last accepted as holding.
    pub at: Timestamp,
    /// When it lapses unless sent again.
    pub ends_at: Option<Timestamp>,
    /// A request about it was sent and not answered.
    pub unsure: bool,
}

/// Signals on their way.
#[derive(Debug, Clone)]
pub struct Request {
    pub(crate) signals: Vec<Signal>,
}

/// What a person does, and how often they have tried.
#[derive(Debug, Clone)]
pub struct Act {
    pub(crate) input: Input,
    pub(crate) tries: u32,
}

impl Act {
    /// A first try.
    #[must_use]
    pub const fn new(input: Input) -> Self {
        Self { input, tries: 0 }
    }
}

impl Monitor {
    /// One from dice.
    #[must_use]
    pub fn new(dice: &mut Dice, n: u64) -> Self {
        let integration = usize::try_from(dice.below(2)).unwrap_or(0);
        Self {
            integration,
            key: format!("cond{}", n / 2),
            kind: dice.below(KINDS),
            host: dice.below(HOSTS),
            zone: dice.below(2),
            severity: *dice.pick(&[
                Some(SenderSeverity::Critical),
                Some(SenderSeverity::Error),
                Some(SenderSeverity::Warning),
                Some(SenderSeverity::Info),
                None,
            ]),
            fires: false,
            quiet_until: Timestamp::UNIX_EPOCH,
            every: Length::from_secs(*dice.pick(&[60, 120, 300])),
            ends_after: (integration == 0).then(|| Length::from_secs(900)),
        }
    }

    pub(crate) fn signal(&self, action: SignalAction, now: Timestamp) -> Signal {
        Signal {
            action,
            dedup_key: self.key.clone(),
            title: format!("condition {}", self.key),
            description: None,
            source: None,
            service: None,
            severity: self.severity,
            labels: [("kind", format!("k{}", self.kind)), ("host", format!("h{}", self.host)), ("zone", format!("z{}", self.zone))]
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
            // What it says is another thing every two minutes.
            annotations: [("value".to_owned(), (now.as_second() / 120).to_string())].into(),
            starts_at: None,
            ends_at: self.ends_after.filter(|_| action == SignalAction::Trigger).map(|wait| after(now, wait)),
            links: Vec::new(),
            notes: Vec::new(),
        }
    }
}
