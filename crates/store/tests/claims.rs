//! Claims of messages where two nodes look at the same heap. On both databases alike.

#![allow(clippy::unwrap_used)] // a test that fails here has failed

use allclear_domain::event::Head;
use allclear_domain::ids::{IncidentId, MessageId, NodeId, PageId};
use allclear_domain::incident::Severity;
use allclear_domain::paging::MessageDraft;
use allclear_domain::wire::{Notice, NoticeIncident, NoticeKind};
use allclear_store::rows::{incident, message};
use allclear_store::schema::{MIGRATIONS, TABLES};
use allclear_store::{Db, OpenOptions, Write};
use jiff::Timestamp;

mod common;

use common::one;

const A: NodeId = NodeId::from_bits(1);
const B: NodeId = NodeId::from_bits(2);

fn id(n: u128) -> MessageId {
    MessageId::from_bits(n)
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + second).unwrap()
}

/// Messages that only tell, so that no page is needed; they wait.
async fn waiting(db: &Db, ids: &[u128]) {
    let mut writes = vec![incident::put(&one(1, "disk", Severity::Sev2), Head::EMPTY)];
    for n in ids {
        let incident = NoticeIncident {
            id: IncidentId::from_bits(1),
            reference: "INC-1".into(),
            title: "disk".into(),
            severity: "sev2".into(),
            service: None,
            guest: None,
        };
        let notice = Notice {
            key: String::new(),
            kind: NoticeKind::Reminder,
            page: PageId::from_bits(1),
            step: 1,
            round: 1,
            late: false,
            person: "ana".into(),
            incident,
            text: None,
            because: None,
        };
        let draft =
            MessageDraft { id: id(*n), channel: "webhook".into(), person: "ana".into(), contact: "hook".into(), org_version: 1, notice };
        writes.push(message::write(&draft, message::Born::Waiting, at(0)));
    }
    db.commit(writes).await.unwrap();
}

async fn claimed(db: &Db, lead: u128, node: NodeId) -> Vec<MessageId> {
    message::of_claim(db, id(lead), node, 99).await.unwrap().wanted.into_iter().map(|message| message.id).collect()
}

fn set(ids: &[u128], node: NodeId) -> Vec<Write> {
    ids.iter().map(|n| message::claim_with_lead(id(*n), id(ids[0]), node, at(1))).collect()
}

/// One node saw the lead alone, the other the lead and one more: only one message goes out under the lead's id.
async fn a_new_set_goes_only_with_its_lead(db: &Db) {
    waiting(db, &[1, 2]).await;
    db.commit(set(&[1], A)).await.unwrap();
    db.commit(set(&[1, 2], B)).await.unwrap();
    assert_eq!((claimed(db, 1, A).await, claimed(db, 1, B).await), (vec![id(1)], vec![]));
    let left = message::get(db, id(2)).await.unwrap().unwrap();
    assert_eq!((left.state.word(), left.bundle), ("queued", None), "it waits for a set of its own");
    db.commit(set(&[2], B)).await.unwrap();
    assert_eq!(claimed(db, 2, B).await, [id(2)]);
    // A set that nobody else wants is claimed whole, in one commit.
    waiting(db, &[3, 4, 5]).await;
    db.commit(set(&[3, 4, 5], A)).await.unwrap();
    assert_eq!(claimed(db, 3, A).await, [id(3), id(4), id(5)]);
}

/// What is said of a message that another node has claimed meanwhile takes the claim from nobody.
async fn a_retry_leaves_what_another_node_has(db: &Db) {
    waiting(db, &[1, 2]).await;
    db.commit(set(&[1], A)).await.unwrap();
    let retry = |n: u128, node| message::retry(id(n), node, 3, at(60), false, "down");
    db.commit(vec![retry(1, B), retry(2, B)]).await.unwrap();
    assert_eq!(claimed(db, 1, A).await, [id(1)]);
    let told = message::get(db, id(2)).await.unwrap().unwrap();
    assert_eq!((told.attempts, told.next_attempt_at), (3, at(60)), "what waits is anybody's");
    db.commit(vec![retry(1, A)]).await.unwrap();
    let back = message::get(db, id(1)).await.unwrap().unwrap();
    assert_eq!((back.state.word(), back.claimed_by, back.bundle), ("queued", None, None));
}

async fn all(db: &Db, part: usize) {
    match part {
        0 => a_new_set_goes_only_with_its_lead(db).await,
        _ => a_retry_leaves_what_another_node_has(db).await,
    }
}

#[tokio::test]
async fn on_sqlite() {
    for part in 0..2 {
        all(&Db::open_inline(MIGRATIONS).unwrap(), part).await;
    }
}

#[tokio::test]
async fn on_postgres() {
    for part in 0..2 {
        match allclear_store::testing::fresh_database().await {
            Ok(url) => all(&Db::open(&url, OpenOptions::new(MIGRATIONS, TABLES)).await.unwrap(), part).await,
            Err(why) => eprintln!("skipped: {why}"),
        }
    }
}
