//! What whoever is woken needs beside the notice: what the alarm says, who else is asked, until when.
//!
//! Read when a message is made, so that it is as fresh as the store. A page never waits for it, and never fails for
//! want of it: what cannot be read is left out.

use std::time::Duration;

use allclear_domain::access::Reach;
use allclear_domain::expect::{Key, Owner, Standing};
use allclear_domain::paging::{self, Page};
use allclear_domain::wire::{About, Link, NoticeKind, Signal};
use allclear_store::rows;
use allclear_store::rows::message::StoredMessage;

use crate::core::as_signal;
use crate::engine::Engine;

/// How long a page waits for it at most: a fraction of what a provider takes.
const WITHIN: Duration = Duration::from_millis(500);
/// What a service's own runbook is called among the links.
const RUNBOOK: &str = "runbook";
/// The zone of whoever has set none.
const ZONE: &str = "Etc/UTC";

/// What belongs to a message whose first notice this is; nothing where it only tells.
pub(crate) async fn about(engine: &Engine, message: &StoredMessage) -> Option<About> {
    if message.notice.kind != NoticeKind::Page {
        return None;
    }
    tokio::time::timeout(WITHIN, read(engine, message)).await.ok().flatten()
}

async fn read(engine: &Engine, message: &StoredMessage) -> Option<About> {
    let db = engine.db();
    let org = engine.org();
    let notice = &message.notice;
    let page = rows::page::get(db, message.page).await.ok().flatten().map(|(page, _)| page);
    let signal = alarm(engine, page.as_ref(), message).await;
    let owner = Owner::Page(message.page);
    let answer_by = rows::expectation::of_owner(db, owner).await.ok().and_then(|all| {
        let key = Key::Ack { round: notice.round, step: notice.step }.to_string();
        all.into_iter().filter(|e| e.key == key && e.standing == Standing::Live).find_map(|e| e.deadline_at())
    });
    let name = |id: &str| org.person(id).map_or_else(|| id.to_owned(), |person| person.name.clone());
    let same_step = page.iter().filter(|page| (page.round, page.step) == (notice.round, notice.step));
    let mut also_told: Vec<String> =
        same_step.flat_map(|page| &page.entries).filter(|entry| entry.person != notice.person).map(|entry| name(&entry.person)).collect();
    also_told.sort();
    also_told.dedup();
    let then_asked = match page.as_ref() {
        Some(page) => {
            // A message goes out also where the store does not say what the next step asks.
            let (facts, turns) = rows::turn::asked_by_steps(db, &org, page).await.unwrap_or_default();
            paging::called_next(&org, page, facts, &turns)
        }
        None => Vec::new(),
    };
    let service = notice.incident.service.as_deref().and_then(|id| org.service(id));
    let runbook = service.and_then(|service| service.runbook.clone()).map(|href| Link { href, text: RUNBOOK.to_owned() });
    let mut links: Vec<Link> = runbook.into_iter().collect();
    for link in signal.iter().flat_map(|signal| &signal.links) {
        if links.iter().all(|known| known.href != link.href) {
            links.push(link.clone());
        }
    }
    Some(About {
        description: signal.as_ref().and_then(|signal| signal.description.clone()),
        labels: signal.as_ref().map(|signal| signal.labels.clone()).unwrap_or_default(),
        source: signal.and_then(|signal| signal.source),
        links,
        service: service.map(|service| service.name.clone()),
        person: name(&notice.person),
        time_zone: org.person(&notice.person).and_then(|person| person.time_zone.clone()).unwrap_or_else(|| ZONE.to_owned()),
        also_told,
        answer_by,
        then_asked: then_asked.iter().map(|id| name(id)).collect(),
    })
}

/// The alarm that started the page, else the newest of its incident.
async fn alarm(engine: &Engine, page: Option<&Page>, message: &StoredMessage) -> Option<Signal> {
    let db = engine.db();
    let started = match page.and_then(|page| page.alert) {
        Some(id) => rows::alert::get(db, id).await.ok().flatten(),
        None => None,
    };
    let alert = match started {
        Some(alert) => Some(alert),
        None => {
            let reach = Reach { everything: true, ..Reach::default() };
            let filter = rows::alert::Filter { incident: Some(message.notice.incident.id), reach, ..rows::alert::Filter::default() };
            rows::alert::list(db, &filter, 1).await.ok()?.into_iter().next()
        }
    };
    alert.map(|alert| as_signal(&alert))
}
