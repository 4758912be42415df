//! Carries messages: the channel makes the request, the transport takes it there, and the channel
//! judges the answer. For the demo, one that only records.
//!
//! It deliberately does not retry and keeps nothing: both are the engine's.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use allclear_channels::carry::http::Transports;
use allclear_channels::carry::socket::{Broken, Socket};
use allclear_channels::outbound::veil::veiled;
use allclear_channels::outbound::wording::{Words, one_line_of};
use allclear_channels::registry::Channels;
use allclear_domain::ids::IncidentId;
use allclear_domain::wire::{
    Channel, Fetch, Fetched, Listens, Message, NoticeKind, Outcome, REQUESTS_PER_MESSAGE_MAX, Replies, Request, Response, Retired, Step,
    Target,
};
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

    /// The channels that keep a connection open.
    pub fn listening(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.channels.iter().filter(|channel| channel.listens().is_some()).map(|channel| channel.form().name)
    }

    /// How one of them does.
    #[must_use]
    pub fn listens(&self, channel: &str) -> Option<&dyn Listens> {
        self.channels.channel(channel)?.listens()
    }

    /// Opens a connection.
    ///
    /// # Errors
    /// Where none comes about.
    pub async fn open(&self, address: &str) -> Result<Socket, Broken> {
        self.transports.open_socket(address).await
    }
}

impl Transport for Carrier {
    fn send<'a>(&'a self, channel: &'a str, message: &'a Message, target: &'a Target, now: Timestamp) -> BoxFuture<'a, Outcome> {
        Box::pin(async move {
            let Some(channel) = self.channels.channel(channel) else {
                return Outcome::Rejected { why: format!("this program has no channel `{channel}`") };
            };
            let outcome = carry(channel.start(message, target, now), |request| self.transports.send(request)).await;
            veiled(outcome, channel, &target.address)
        })
    }

    fn replies(&self, channel: &str) -> Option<&dyn Replies> {
        self.channels.channel(channel)?.replies()
    }

    fn lacks(&self, channel: &str) -> Option<&'static str> {
        self.channels.channel(channel)?.lacks()
    }

    fn public_key(&self, channel: &str) -> Option<&str> {
        self.channels.channel(channel)?.public_key()
    }

    fn retires(&self, channel: &str) -> bool {
        self.channels.channel(channel).is_some_and(Channel::retires)
    }

    fn retire(&self, channel: &str, sent: &Retired<'_>) -> Option<Request> {
        self.channels.channel(channel)?.retire(sent)
    }

    fn fetch(&self, ask: Fetch) -> BoxFuture<'_, Fetched> {
        Box::pin(async move { self.transports.fetch(&ask).await })
    }

    fn carry(&self, request: Request) -> BoxFuture<'_, Response> {
        Box::pin(self.transports.send(request))
    }
}

/// Asks what the channel asks, one request after another, until it says how the message ended.
async fn carry<F: Future<Output = Response>>(first: Step<'_>, send: impl Fn(Request) -> F) -> Outcome {
    let mut step = first;
    for _ in 0..REQUESTS_PER_MESSAGE_MAX {
        match step {
            Step::Done(outcome) => return outcome,
            Step::Ask(request, then) => step = then(&send(request).await),
        }
    }
    match step {
        Step::Done(outcome) => outcome,
        Step::Ask(..) => Outcome::Rejected { why: format!("it would take more than {REQUESTS_PER_MESSAGE_MAX} requests") },
    }
}

/// A message that would have been sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    pub at: Timestamp,
    /// What it is about: who may not see that is not shown the message either. Nothing of a note or a code.
    pub incident: Option<IncidentId>,
    /// The person's id.
    pub person: String,
    pub channel: String,
    /// One line for people.
    pub text: String,
    /// Where it is acknowledged; empty where it only tells.
    pub ack_url: String,
}

/// What a telephone shows of a code: a line of a list does not say it.
fn subject_of_code(message: &Message) -> Option<String> {
    let is_code = message.notices.iter().any(|notice| notice.kind == NoticeKind::Code);
    is_code.then(|| Words::of(message, CODE_CHARS_MAX))?.map(|words| words.subject)
}

/// Characters of what a telephone shows of a code.
const CODE_CHARS_MAX: usize = 100;

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
            let asks = !notice.kind.tells();
            sent.push_back(Recorded {
                at: now,
                incident: (!notice.kind.is_of_no_incident()).then_some(notice.incident.id),
                person: notice.person.clone(),
                channel: channel.to_owned(),
                text: subject_of_code(message).unwrap_or_else(|| one_line_of(notice)),
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

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    /// Asks so often, each time with what was answered before, and is delivered then.
    fn asking(times: usize, heard: u16) -> Step<'static> {
        if times == 0 {
            return Step::Done(Outcome::Delivered { receipt: heard.to_string() });
        }
        let request = Request::Http {
            method: allclear_domain::wire::Method::Post,
            url: format!("https://x.example/{heard}"),
            headers: Vec::new(),
            body: Vec::new(),
        };
        Step::Ask(
            request,
            Box::new(move |response| match response {
                Response::Http { status, .. } => asking(times - 1, *status),
                other => Step::rejected(format!("{other:?}")),
            }),
        )
    }

    #[tokio::test]
    async fn a_message_takes_as_many_requests_as_its_channel_asks_and_no_end_of_them() {
        let asked = RefCell::new(Vec::new());
        let send = |request: Request| {
            let Request::Http { url, .. } = request else { panic!("not asked for") };
            asked.borrow_mut().push(url);
            let status = 200 + u16::try_from(asked.borrow().len()).unwrap();
            std::future::ready(Response::Http { status, retry_after: None, body: String::new() })
        };
        assert_eq!(carry(asking(2, 0), send).await, Outcome::Delivered { receipt: "202".to_owned() });
        assert_eq!(*asked.borrow(), ["https://x.example/0", "https://x.example/201"], "the second knows the answer to the first");
        assert_eq!(carry(Step::rejected("no"), send).await, Outcome::Rejected { why: "no".to_owned() });
        assert_eq!(asked.borrow().len(), 2, "nothing was asked");
        asked.borrow_mut().clear();
        assert!(matches!(carry(asking(REQUESTS_PER_MESSAGE_MAX, 0), send).await, Outcome::Delivered { .. }));
        asked.borrow_mut().clear();
        assert!(matches!(carry(asking(usize::MAX, 0), send).await, Outcome::Rejected { .. }));
        assert_eq!(asked.borrow().len(), REQUESTS_PER_MESSAGE_MAX);
    }
}
