//! Lists of a store in their order, whatever the language of the database; and what counts leave out.

#![allow(clippy::unwrap_used)] // tests

use allclear_domain::access::Reach;
use allclear_domain::event::{Head, Mode};
use allclear_domain::expect::{Expectation, Owner, Rule, Standing};
use allclear_domain::ids::{IncidentId, RefusalId, SignalId};
use allclear_domain::incident::{Incident, Severity};
use allclear_domain::time::Length;
use allclear_store::rows::{expectation, incident, refusal, signal};
use allclear_store::schema::{MIGRATIONS, TABLES};
use allclear_store::{Db, OpenOptions};
use jiff::Timestamp;

mod common;

/// Ids whose texts begin with a digit and with a letter.
const IDS: [u128; 3] = [1, 0x8000_0000_0000_0000_0000_0000_0000_0000, u128::MAX];

async fn lists_are_whole_and_in_order(db: &Db) {
    let at = Timestamp::UNIX_EPOCH;
    let mut writes = Vec::new();
    for bits in IDS {
        let (integration, format) = ("i".to_owned(), "json".to_owned());
        writes.push(signal::keep(&signal::StoredSignal {
            id: SignalId::from_bits(bits),
            integration,
            format: format.clone(),
            received_at: at,
            org_version: 1,
            alerts: 0,
            body: "{}".into(),
        }));
        writes.push(refusal::keep(&refusal::StoredRefusal {
            id: RefusalId::from_bits(bits),
            at,
            reason: "r".into(),
            status: 400,
            integration: None,
            format,
            address: None,
            detail: "d".into(),
            body: None,
            unkept: 0,
        }));
    }
    db.commit(writes).await.unwrap();
    let signals = |found: Vec<signal::StoredSignal>| found.iter().map(|one| one.id.bits()).collect::<Vec<_>>();
    let refusals = |found: Vec<refusal::StoredRefusal>| found.iter().map(|one| one.id.bits()).collect::<Vec<_>>();
    let newest_first: Vec<u128> = IDS.iter().rev().copied().collect();
    assert_eq!(signals(signal::list(db, None, 10).await.unwrap()), newest_first);
    assert_eq!(refusals(refusal::list(db, None, 10).await.unwrap()), newest_first);
    assert_eq!(signals(signal::list(db, Some(SignalId::from_bits(IDS[2])), 10).await.unwrap()), newest_first[1..]);
    assert_eq!(refusals(refusal::list(db, Some(RefusalId::from_bits(IDS[2])), 10).await.unwrap()), newest_first[1..]);
}

async fn exercises_are_in_no_count(db: &Db) {
    let real = Incident { service: Some("shop".into()), ..common::one(1, "t", Severity::Sev2) };
    let exercise = Incident { service: Some("shop".into()), mode: Mode::Exercise, ..common::one(2, "t", Severity::Sev1) };
    db.commit(vec![incident::put(&real, Head::EMPTY), incident::put(&exercise, Head::EMPTY)]).await.unwrap();
    let reach = Reach::all();
    assert_eq!(incident::count_open(db, &reach).await.unwrap(), 1);
    assert_eq!(incident::open_by_service(db, &reach).await.unwrap(), [("shop".to_owned(), 1, Severity::Sev2)]);
    assert_eq!(incident::open_by_severity(db).await.unwrap(), [("sev2".to_owned(), 1)]);
    let real_only = incident::Filter { real: true, reach: reach.clone(), ..incident::Filter::default() };
    let listed = incident::list(db, &real_only, 10).await.unwrap();
    assert_eq!(listed.iter().map(|(one, _)| one.id).collect::<Vec<_>>(), [real.id]);
    let found = incident::of_references(db, &["INC-2".into(), "INC-1".into(), "INC-9".into()], &reach).await.unwrap();
    assert_eq!(found.len(), 2);
}

/// Of an incident that awaited more than the list holds, what it awaits still is never cut off.
async fn what_is_awaited_comes_before_what_is_settled(db: &Db) {
    let at = |second: u32| Timestamp::from_second(i64::from(second)).unwrap();
    let one = |second: u32| Expectation {
        occurrence: second,
        next_look_at: at(second),
        standing: if second > 1_100 { Standing::Live } else { Standing::Met },
        ..Expectation::open(
            Owner::Incident(IncidentId::from_bits(77)),
            "update".into(),
            Rule::UpdateDue,
            Some(IncidentId::from_bits(77)),
            "test".into(),
            at(second),
            Length::from_secs(60),
        )
    };
    db.commit((1..=1_102).map(|second| expectation::open(&one(second))).collect()).await.unwrap();
    let listed = expectation::of_incident(db, IncidentId::from_bits(77)).await.unwrap();
    let live = listed.iter().filter(|one| one.standing == Standing::Live).count();
    assert_eq!((live, listed.len(), listed[2].occurrence), (2, 1_000, 1_100), "then the newest of the others");
}

async fn both(db: &Db) {
    lists_are_whole_and_in_order(db).await;
    what_is_awaited_comes_before_what_is_settled(db).await;
    exercises_are_in_no_count(db).await;
}

#[tokio::test]
async fn on_sqlite() {
    both(&Db::open_inline(MIGRATIONS).unwrap()).await;
}

#[tokio::test]
async fn on_postgres_in_the_order_of_a_language() {
    match allclear_store::testing::fresh_database_in_english().await {
        Ok(url) => both(&Db::open(&url, OpenOptions::new(MIGRATIONS, TABLES)).await.unwrap()).await,
        Err(why) => eprintln!("skipped: {why}"),
    }
}
