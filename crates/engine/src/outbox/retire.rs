//! Messages that ask nothing any more are shown as done where they went, on channels that can: their buttons go, and they say
//! who has it.
//!
//! Nobody is told by this and nothing depends on it: it is asked after the commit that ended a page, one page after another and
//! beside everything else, tried a few times and then left. What was left, as by a node that stopped, has buttons still, and
//! pressing one says who has it, and asks this again.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;

use allclear_domain::access::{Actor, Principal};
use allclear_domain::ids::{MessageId, PageId};
use allclear_domain::paging::{MessageState, Status};
use allclear_domain::time::{Length, after};
use allclear_domain::view::{EventView, IncidentView};
use allclear_domain::wire::{Request, Response, Retired};
use allclear_store::rows;
use allclear_store::rows::message::StoredMessage;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio::sync::mpsc;

use crate::engine::Engine;

/// Pages that wait for this at most; those of a storm beyond them keep their buttons.
const WAITING_MAX: usize = 4_096;
/// Messages that were shown as done lately and are not asked for again: of one with many pages each of them ends.
const LATELY_MAX: usize = 256;
/// Rows that are read of a message: whether it carries one notice or several, and whether the first that looks for somebody does.
const ONE_OR_SEVERAL: i64 = 2;
/// Tries of one request, and the wait before the second, which doubles.
const TRIES_MAX: u32 = 5;
const WAIT_FIRST: Length = Length::from_secs(2);
/// No wait is longer, whatever a vendor asks for.
const WAIT_MAX: Length = Length::from_secs(120);

/// Pages of which messages may have to be retired.
pub(super) struct Retiring(mpsc::Sender<PageId>);

impl Retiring {
    /// Begins the task that retires.
    pub(super) fn start(engine: &Engine) -> Self {
        let (pages, mut waiting) = mpsc::channel::<PageId>(WAITING_MAX);
        let engine = engine.clone();
        let tasks = engine.shared.tasks.clone();
        tasks.spawn(async move {
            let shared = engine.shared.clone();
            let mut lately = VecDeque::new();
            loop {
                let page = tokio::select! {
                    page = waiting.recv() => page,
                    () = shared.stop.cancelled() => None,
                };
                let Some(page) = page else { return };
                if engine.has_what_retires() {
                    engine.retire(page, &mut lately).await;
                }
                shared.busy.fetch_sub(1, Ordering::SeqCst);
            }
        });
        Self(pages)
    }

    /// A page has ended.
    pub(super) fn ended(&self, engine: &Engine, page: PageId) {
        let shared = &engine.shared;
        if engine.is_quarantined() {
            return;
        }
        shared.busy.fetch_add(1, Ordering::SeqCst);
        if self.0.try_send(page).is_err() {
            shared.busy.fetch_sub(1, Ordering::SeqCst);
            tracing::debug!(%page, "too many messages are to be shown as done; these keep their buttons");
        }
    }
}

impl Engine {
    /// Whether anybody is reached over a channel that can: where nobody is, nothing is read for it.
    fn has_what_retires(&self) -> bool {
        let (org, transport) = (self.org(), &self.shared.ports.transport);
        let forms: Vec<&str> = self.channels().iter().map(|form| form.name).filter(|name| transport.retires(name)).collect();
        let mut contacts = org.everybody().flat_map(|person| &person.contacts);
        contacts.any(|contact| forms.iter().any(|name| contact.address.get(name).is_some()))
    }

    /// Shows the messages of a page as done, where they went over a channel that can.
    async fn retire(&self, page: PageId, lately: &mut VecDeque<MessageId>) {
        match self.to_retire(page, lately).await {
            Ok(requests) => {
                for request in requests {
                    self.carry_soon(request).await;
                }
            }
            Err(why) => tracing::debug!(%page, %why, "messages could not be shown as done"),
        }
    }

    async fn to_retire(&self, id: PageId, lately: &mut VecDeque<MessageId>) -> Result<Vec<Request>, String> {
        let transport = &self.shared.ports.transport;
        let sent = rows::message::of_page(self.db(), id).await.map_err(|why| why.to_string())?;
        let ours = |message: &&StoredMessage| {
            message.notice.kind.looks()
                && message.state == MessageState::Delivered
                && transport.retires(&message.channel)
                && !lately.contains(&message.bundle.unwrap_or(message.id))
        };
        let sent: Vec<&StoredMessage> = sent.iter().filter(ours).collect();
        if sent.is_empty() {
            return Ok(Vec::new());
        }
        let who = Principal::own(Actor::System);
        let (page, incident, _) = self.queries(&who).page_and_incident(id).await.map_err(|why| why.to_string())?;
        let asks = match page.status {
            Status::Running => true,
            Status::Exhausted => incident.acknowledged_by.is_none(),
            Status::Acknowledged | Status::Stopped | Status::Told => false,
        };
        if asks && incident.state.is_open() {
            return Ok(Vec::new());
        }
        let explained = self.queries(&who).explain_page(id).await.map_err(|why| why.to_string())?;
        let mut requests = Vec::new();
        for message in sent {
            let lead = message.bundle.unwrap_or(message.id);
            // Those that look for somebody come first.
            let bundle = rows::message::of_bundle(self.db(), lead, ONE_OR_SEVERAL).await.map_err(|why| why.to_string())?;
            // Of a message of many the buttons stay while any of them looks for somebody.
            if bundle.len() > 1 && bundle.iter().any(|(_, page)| page.looking) {
                continue;
            }
            let Some(receipt) = receipt_of(&explained.lines, message.id) else { continue };
            let says = if bundle.len() > 1 {
                "None of these waits for anybody any more.".to_owned()
            } else {
                self.told_done(&incident, page.ended_at, &message.person)
            };
            let org = self.org();
            let Some((contact, _)) = org.contact(&message.person, &message.contact) else { continue };
            let retired = Retired {
                id: lead,
                address: &contact.address,
                receipt,
                notice: &message.notice,
                several: bundle.len() > 1,
                says: &says,
                incident_url: &self.links().incident_url(&incident.reference),
                now: self.now(),
            };
            requests.extend(transport.retire(&message.channel, &retired));
            lately.push_back(lead);
            if lately.len() > LATELY_MAX {
                lately.pop_front();
            }
        }
        Ok(requests)
    }

    /// Who has it or what became of it, with the time as the person that was told reads it. By name, also of themself: others may
    /// read the same.
    fn told_done(&self, incident: &IncidentView, ended_at: Option<Timestamp>, person: &str) -> String {
        let org = self.org();
        let zone = org.person(person).and_then(|form| form.time_zone.as_deref()).and_then(|name| TimeZone::get(name).ok());
        let zone = zone.unwrap_or(TimeZone::UTC);
        let since = |at: Option<Timestamp>| {
            at.map(|at| format!(", since {}", at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M %Z"))).unwrap_or_default()
        };
        if !incident.state.is_open() {
            let at = incident.closed_at.or(incident.resolved_at);
            return format!("{} is {}{}.", incident.reference, incident.state.word(), since(at));
        }
        match incident.acknowledged_by.as_deref() {
            Some(by) => format!("{} has it{}.", self.name_of(by), since(incident.acknowledged_at.or(ended_at))),
            None => "Nobody is asked any more.".to_owned(),
        }
    }

    /// Carries a request that is no message. What may pass is tried again, in a task of its own.
    pub(crate) async fn carry_soon(&self, request: Request) {
        let Some(wait) = passing(&self.ports().transport.carry(request.clone()).await, 1) else { return };
        let engine = self.clone();
        let tasks = self.shared.tasks.clone();
        tasks.spawn(async move {
            let mut wait = wait;
            for tried in 2..=TRIES_MAX {
                let at = after(engine.now(), wait);
                tokio::select! {
                    () = engine.shared.ports.clock.sleep_until(at) => {}
                    () = engine.shared.stop.cancelled() => return,
                }
                match passing(&engine.ports().transport.carry(request.clone()).await, tried) {
                    Some(longer) => wait = longer,
                    None => return,
                }
            }
        });
    }

    /// The same, without waiting for it.
    pub fn carry_aside(&self, request: Request) {
        let engine = self.clone();
        self.shared.busy.fetch_add(1, Ordering::SeqCst);
        let tasks = self.shared.tasks.clone();
        tasks.spawn(async move {
            engine.carry_soon(request).await;
            engine.shared.busy.fetch_sub(1, Ordering::SeqCst);
        });
    }

    /// Shows the messages of a page as done, without waiting for it.
    pub(crate) fn retire_aside(&self, page: PageId) {
        let engine = self.clone();
        self.shared.busy.fetch_add(1, Ordering::SeqCst);
        let tasks = self.shared.tasks.clone();
        tasks.spawn(async move {
            engine.retire(page, &mut VecDeque::new()).await;
            engine.shared.busy.fetch_sub(1, Ordering::SeqCst);
        });
    }
}

/// What a message's delivery said, as the log of its page has it.
fn receipt_of(lines: &[EventView], id: MessageId) -> Option<&str> {
    let body = lines.iter().filter(|line| line.kind == "delivered").filter_map(|line| line.body.as_ref());
    body.filter(|body| body["message"].as_str() == Some(id.to_string().as_str())).find_map(|body| body["receipt"].as_str())
}

/// How long to wait before the same is asked again; nothing where that would not help, or it was done.
fn passing(response: &Response, tried: u32) -> Option<Length> {
    let asked = match response {
        Response::Http { status: 408 | 425 | 429 | 500..=599, retry_after, .. } => *retry_after,
        Response::Busy { .. } | Response::Failed { permanent: false, .. } => None,
        Response::Http { .. } | Response::Smtp { .. } | Response::Failed { .. } => return None,
    };
    let own = Length::from_millis(WAIT_FIRST.as_millis().saturating_mul(1 << tried.min(16).saturating_sub(1)));
    Some(asked.unwrap_or(own).max(own).min(WAIT_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_is_asked_again_no_sooner_than_it_says_and_what_does_not_is_left() {
        let http = |status, retry_after: Option<u64>| Response::Http {
            status,
            retry_after: retry_after.map(Length::from_secs),
            body: String::new(),
        };
        assert_eq!(passing(&http(200, None), 1), None);
        assert_eq!(passing(&http(404, None), 1), None);
        assert_eq!(passing(&http(429, Some(30)), 1), Some(Length::from_secs(30)));
        assert_eq!(passing(&http(429, Some(86_400)), 1), Some(WAIT_MAX));
        assert_eq!(passing(&http(503, None), 3), Some(Length::from_secs(8)));
        assert_eq!(passing(&Response::Failed { why: "x".into(), maybe_arrived: true, permanent: false }, 1), Some(WAIT_FIRST));
        assert_eq!(passing(&Response::Failed { why: "x".into(), maybe_arrived: false, permanent: true }, 1), None);
    }
}
