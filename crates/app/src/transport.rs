//! Carries messages: the channel makes the request, the transport takes it there, and the channel
//! judges the answer. For the demo, one that only records.
//!
//! It deliberately does not retry and keeps nothing: both are the engine's.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use allclear_channels::carry::http::Transports;
use allclear_channels::registry::Channels;
use allclear_domain::ids::IncidentId;
use allclear_domain::wire::{Message, NoticeKind, Outcome, Target};
use allclear_engine::ports::{BoxFuture, Transport};
use jiff::Timestamp;

/// Messages that the demo remembers.
const RECORDED_MAX: usize = 200;

/// The real one.
pub struct Carrier {
    channels: Channels,
    transports: Transports,
}

impl Carrier {
    /// Carries what these channels make over these transports.
    #[must_use]
    pub const fn new(channels: Channels, transports: Transports) -> Self {
        Self { channels, transports }
    }
}

impl Transport for Carrier {
    fn send<'a>(&'a self, channel: &'a str, message: &'a Message, target: &'a Target, now: Timestamp) -> BoxFuture<'a, Outcome> {
        Box::pin(async move {
            let Some(channel) = self.channels.channel(channel) else {
                return Outcome::Rejected { why: format!("this program has no channel `{channel}`") };
            };
            match channel.request(message, target, now) {
                Ok(request) => channel.outcome(&self.transports.send(request).await),
                Err(why) => Outcome::Rejected { why },
            }
        })
    }
}

/// A message that would have been sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    pub at: Timestamp,
    /// What it is about: who may not see that is not shown the message either.
    pub incident: IncidentId,
    /// The person's id.
    pub person: String,
    pub channel: String,
    /// One line for people.
    pub text: String,
    /// Where it is acknowledged; empty where it only tells.
    pub ack_url: String,
}

/// Records instead of sending, so that the demo reaches nobody.
#[derive(Debug, Default)]
pub struct Recorder {
    sent: Mutex<VecDeque<Recorded>>,
}

impl Recorder {
    /// What would have been sent, oldest first.
    #[must_use]
    pub fn recorded(&self) -> Vec<Recorded> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

impl Transport for Recorder {
    fn send<'a>(&'a self, channel: &'a str, message: &'a Message, _: &'a Target, now: Timestamp) -> BoxFuture<'a, Outcome> {
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        for (index, notice) in message.notices.iter().enumerate() {
            let ack_url = message.ack_urls.get(index).or(message.bundle_url.as_ref()).cloned().unwrap_or_default();
            let incident = &notice.incident;
            let again = if notice.round > 1 { format!(", round {}", notice.round) } else { String::new() };
            let what = match (notice.kind, &notice.text) {
                (NoticeKind::Page, _) => format!(" (step {}{again})", notice.step),
                (NoticeKind::ConfirmRecovery, _) => ": all its alerts have recovered. Is it over?".to_owned(),
                (NoticeKind::StillOnIt | NoticeKind::Reminder | NoticeKind::Update | NoticeKind::Over, text) => {
                    text.as_ref().map(|text| format!(": {text}")).unwrap_or_default()
                }
            };
            let asks = !notice.kind.tells();
            sent.push_back(Recorded {
                at: now,
                incident: incident.id,
                person: notice.person.clone(),
                channel: channel.to_owned(),
                text: format!("{} [{}] {}{what}", incident.reference, incident.severity, incident.title),
                ack_url: if asks { ack_url } else { String::new() },
            });
            if sent.len() > RECORDED_MAX {
                sent.pop_front();
            }
        }
        drop(sent);
        Box::pin(std::future::ready(Outcome::Delivered { receipt: "shown in the demo".to_owned() }))
    }
}
