//! Rows that this program does not read, as an older version meets them from a newer one: they are set aside one by
//! one, the others are read, and nothing of them is changed. On both databases alike.

#![allow(clippy::unwrap_used)] // a test that fails here has failed

use allclear_domain::expect::{Expectation, Owner, Rule};
use allclear_domain::ids::IncidentId;
use allclear_domain::incident::Severity;
use allclear_domain::time::Length;
use allclear_store::rows::{expectation, incident};
use allclear_store::schema::{EXPECTATION, MIGRATIONS, TABLES};
use allclear_store::{Db, OpenOptions, Val, Write};
use jiff::{SignedDuration, Timestamp};

mod common;

use common::one;

const START: i64 = 1_790_000_000;

fn second(n: i64) -> Timestamp {
    Timestamp::from_second(START + n).unwrap()
}

/// One a second, due a minute later; every third belongs to an incident of the worst severity.
async fn twenty(db: &Db) {
    let mut writes = Vec::new();
    for n in 0..20_u128 {
        let id = IncidentId::from_bits(n + 1);
        let severity = if n % 3 == 0 { Severity::Sev1 } else { Severity::Sev3 };
        writes.push(incident::put(&one(n + 1, "disk", severity), allclear_domain::event::Head::EMPTY));
        let from = second(i64::try_from(n).unwrap());
        let owner = Owner::Incident(id);
        let one = Expectation::open(owner, format!("k{n}"), Rule::PageAck, Some(id), "t".into(), from, Length::from_secs(60));
        writes.push(expectation::open(&one));
    }
    db.commit(writes).await.unwrap();
}

async fn change(db: &Db, sql: &'static str) {
    db.commit(vec![Write::Exec { table: &EXPECTATION, sql, args: vec![], expect: None }]).await.unwrap();
}

fn keys(found: &[Expectation]) -> Vec<&str> {
    found.iter().map(|e| e.key.as_str()).collect()
}

async fn set_aside(db: &Db) {
    twenty(db).await;
    let now = second(100);
    assert_eq!(expectation::due(db, now, 256).await.unwrap().read.len(), 20);
    // The worst and earliest are the ones that do not read.
    change(db, "update expectation set rule = 'of.a_newer_version' where key in ('k0', 'k3')").await;
    change(db, "update expectation set segments = '{\"of\": \"a newer version\"}' where key in ('k6', 'k9')").await;
    change(db, "update expectation set owner = 'nothing' where key = 'k12'").await;
    let due = expectation::due(db, now, 256).await.unwrap();
    assert_eq!(due.read.len(), 15);
    let unread: Vec<&str> = due.unread.iter().map(|row| row.key.as_str()).collect();
    assert_eq!(unread.len(), 3, "{unread:?}");
    assert!(unread.iter().any(|key| key.contains("k6")) && unread.contains(&"nothing/k12/1"), "{unread:?}");
    let few = expectation::due(db, now, 2).await.unwrap();
    assert_eq!(keys(&few.read)[..2], ["k15", "k18"], "those that do not read take nobody's place");
    let newer = expectation::of_other_versions(db, now, 9).await.unwrap();
    assert_eq!(newer.len(), 2);
    assert!(newer[0].why.contains("of.a_newer_version") && newer[0].key.contains("k0"), "{newer:?}");
    assert_eq!(expectation::unread(db, 99).await.unwrap().len(), 5, "doctor sees all of them");
    // What did not read is passed over, and nothing of it was changed.
    assert_eq!(expectation::next_look_after(db, now).await.unwrap(), None);
    assert_eq!(expectation::next_look_after(db, second(70)).await.unwrap(), Some(second(71)));
    let left = db.read("select count(*) from expectation where standing = 'live' and next_look_at <= ?1", vec![Val::Int(i64::MAX)]).await;
    assert_eq!(left.unwrap()[0].int(0).unwrap(), 20);
    assert!(expectation::of_incident(db, IncidentId::from_bits(7)).await.unwrap().is_empty(), "its incident is shown without it");
}

async fn moved_back(db: &Db) {
    twenty(db).await;
    let hour = SignedDuration::from_hours(1);
    let now = second(10) - hour;
    let ahead = expectation::opened_after(db, second(14)).await.unwrap().read;
    assert_eq!(keys(&ahead), ["k15", "k16", "k17", "k18", "k19"]);
    let all = expectation::opened_after(db, now).await.unwrap().read;
    db.commit(all.iter().map(|e| expectation::move_back(e, hour)).collect()).await.unwrap();
    let first = expectation::due(db, second(60) - hour, 9).await.unwrap().read;
    assert_eq!(keys(&first), ["k0"]);
    assert_eq!((first[0].deadline_at(), first[0].next_look_at), (Some(second(60) - hour), second(60) - hour));
}

#[tokio::test]
async fn on_sqlite() {
    set_aside(&Db::open_inline(MIGRATIONS).unwrap()).await;
    moved_back(&Db::open_inline(MIGRATIONS).unwrap()).await;
}

#[tokio::test]
async fn on_postgres() {
    for part in 0..2 {
        let url = match allclear_store::testing::fresh_database().await {
            Ok(url) => url,
            Err(why) => {
                eprintln!("skipped: {why}");
                return;
            }
        };
        let db = Db::open(&url, OpenOptions::new(MIGRATIONS, TABLES)).await.unwrap();
        if part == 0 { set_aside(&db).await } else { moved_back(&db).await }
    }
}
