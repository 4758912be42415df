//! Searches and boards answer alike on both databases: letters beyond ASCII, titles that change, an order
//! that does not depend on how much is open, and a store that an older release filled.

#![allow(clippy::unwrap_used)] // tests

use allclear_domain::access::Reach;
use allclear_domain::event::Head;
use allclear_domain::expect::{Expectation, Owner, Rule, Segment, Standing};
use allclear_domain::ids::IncidentId;
use allclear_domain::incident::work::Role;
use allclear_domain::incident::work::Work;
use allclear_domain::incident::{Incident, Severity, State};
use allclear_domain::time::Length;
use allclear_store::rows::title::Titles;
use allclear_store::rows::{expectation, incident, reader, search};
use allclear_store::schema::{EVENT, INCIDENT, MIGRATIONS, TABLES};
use allclear_store::{Db, OpenOptions, Val, Write};
use jiff::Timestamp;

mod common;

use common::one;

/// What a released version wrote: the steps before the one for screens.
const OLDER: usize = 3;

/// The incident's row, and the event by which others learn of its title.
fn told(one: &Incident, version: i64, kind: &str) -> Vec<Write> {
    let id = one.id.to_string();
    let bytes = || Val::Bytes(vec![0; 32]);
    let row = vec![
        id.as_str().into(),
        version.into(),
        id.as_str().into(),
        kind.into(),
        1_i64.into(),
        0_i64.into(),
        0_i64.into(),
        "system".into(),
        "test".into(),
        "live".into(),
        Val::Null,
        "{}".into(),
        Val::Bytes(vec![0; 16]),
        bytes(),
        bytes(),
    ];
    vec![Write::Insert { table: &EVENT, row }, incident::put(one, Head::EMPTY)]
}

async fn found(db: &Db, titles: &Titles, words: &str, filter: &incident::Filter, limit: i64) -> Vec<u128> {
    search::incidents(db, titles, words, filter, limit).await.unwrap().iter().map(|(one, _)| one.id.bits()).collect()
}

fn everybody() -> incident::Filter {
    incident::Filter { reach: Reach::all(), ..incident::Filter::default() }
}

async fn searches(db: &Db) {
    let titles = Titles::default();
    let all = everybody();
    assert!(found(db, &titles, "anything", &all, 9).await.is_empty(), "an empty store");
    let stored = ["Überlast der Datenbank", "Stau in der Kaiserstraße", "ΟΔΟΣ κλειστή", "Платёж не проходит", "100 % of disk_1 used"];
    for (n, title) in (10..).zip(stored) {
        db.commit(told(&one(n, title, Severity::Sev3), 1, "declared")).await.unwrap();
    }
    for (words, n) in [
        ("überlast", 10),
        ("ÜBERLAST", 10),
        ("berLAST", 10),
        ("KAISERSTRASSE", 11),
        ("kaiserstraße", 11),
        ("KAISERSTRAẞE", 11),
        ("οδος Κ", 12),
        ("ΚΛΕΙΣΤΉ", 12),
        ("платёж", 13),
        ("ПЛАТЁЖ", 13),
        ("0 % OF", 14),
        ("disk_1", 14),
    ] {
        assert_eq!(found(db, &titles, words, &all, 9).await, [n], "{words}");
    }
    for words in ["uberlast", "disk%", "diskx1", "\\", "'"] {
        assert!(found(db, &titles, words, &all, 9).await.is_empty(), "{words}");
    }
    assert_eq!(found(db, &titles, "der", &all, 9).await, [11, 10], "the newest first");
    assert_eq!(found(db, &titles, "der", &all, 1).await, [11]);
    assert_eq!(found(db, &titles, "der", &incident::Filter { before: Some(IncidentId::from_bits(11)), ..all.clone() }, 9).await, [10]);

    // A title that changed is found by its new words and not by its old ones.
    db.commit(told(&one(10, "Solved by an index", Severity::Sev3), 2, "renamed")).await.unwrap();
    assert_eq!(found(db, &titles, "DER", &all, 9).await, [11]);
    assert_eq!(found(db, &titles, "an INDEX", &all, 9).await, [10]);
    // Even where no event told of it, what a row does not say is not shown.
    db.commit(vec![incident::put(&one(11, "Quiet", Severity::Sev3), Head::EMPTY)]).await.unwrap();
    assert!(found(db, &titles, "kaiser", &all, 9).await.is_empty());

    // A row that memory knows wrongly takes no other's place, however few are asked for: no event tells of these.
    let untold = |n, title| incident::put(&one(n, title, Severity::Sev3), Head::EMPTY);
    db.commit([30, 31, 32].into_iter().map(|n| untold(n, "Fog")).collect()).await.unwrap();
    let later = Titles::default();
    assert_eq!(found(db, &later, "fog", &all, 9).await, [32, 31, 30]);
    db.commit(vec![untold(32, "Sun")]).await.unwrap();
    assert_eq!(found(db, &later, "fog", &all, 1).await, [31]);
    assert_eq!(found(db, &later, "fog", &all, 2).await, [31, 30]);

    // However many of the found are out of reach, those within are shown.
    let mut writes = Vec::new();
    for n in 100..700 {
        let hidden = Incident { private: n != 100, ..one(n, "A storm", Severity::Sev3) };
        writes.extend(told(&hidden, 1, "proposed"));
    }
    db.commit(writes).await.unwrap();
    let public = incident::Filter { reach: Reach { public: true, ..Reach::default() }, ..incident::Filter::default() };
    assert_eq!(found(db, &titles, "storm", &public, 9).await, [100]);
    assert_eq!(found(db, &titles, "storm", &all, 250).await, (450..700).rev().collect::<Vec<u128>>());
}

/// Incidents of which some see few: more than are few for a search.
const MANY: u128 = 6_000;

/// A search reads few statements, whoever asks and however much is stored.
async fn bounded(db: &Db) {
    let mut writes = Vec::new();
    for n in 1..=MANY {
        let stored = Incident {
            private: n > 1,
            state: if n == 7 || n == 8 { State::Declared } else { State::Closed },
            service: (n % 1500 == 0).then(|| "charts".to_owned()),
            ..one(n, &format!("Case {n}"), Severity::Sev3)
        };
        writes.push(incident::put(&stored, Head::EMPTY));
        writes.push(reader::admit(stored.id, "everywhere"));
    }
    writes.extend([20, 4_000].map(|n| reader::admit(IncidentId::from_bits(n), "guest")));
    db.commit(writes).await.unwrap();
    let titles = Titles::default();
    titles.prepare(db).await.unwrap();
    let of = |person: &str| Reach { person: Some(person.to_owned()), ..Reach::default() };
    let within = |reach: Reach| incident::Filter { reach, ..incident::Filter::default() };
    let charts = Reach { services: ["charts".to_owned()].into(), ..of("guest") };
    // Two statements freshen the titles; then come the few of the reader, and their rows.
    let few = 4;
    for (name, filter, limit, wanted, reads) in [
        ("a guest", within(of("guest")), 50, vec![4_000, 20], few),
        ("a guest's page", within(of("guest")), 1, vec![4_000], few),
        ("the page after it", incident::Filter { before: Some(IncidentId::from_bits(4_000)), ..within(of("guest")) }, 50, vec![20], few),
        ("somebody who sees nothing", within(of("stranger")), 50, vec![], few - 1),
        ("a manager", within(charts), 50, vec![6_000, 4_500, 4_000, 3_000, 1_500, 20], few),
        ("among the open ones", incident::Filter { open: true, ..everybody() }, 50, vec![8, 7], few),
        ("of a service", incident::Filter { service: Some("charts".into()), ..everybody() }, 2, vec![6_000, 4_500], few),
        ("a guest of many", within(of("everywhere")), 2, vec![6_000, 5_999], few),
        // Each turn takes more than the one before it.
        ("what is not private", within(Reach { public: true, ..Reach::default() }), 50, vec![1], 2 + 3),
        ("everybody", everybody(), 2, vec![6_000, 5_999], 2 + 1),
    ] {
        let before = db.reads();
        assert_eq!(found(db, &titles, "CASE", &filter, limit).await, wanted, "{name}");
        assert_eq!(db.reads() - before, reads, "statements of {name}");
    }
}

async fn boards(db: &Db) {
    let mut writes = Vec::new();
    for n in 1..=60_u128 {
        let severity = Severity::ALL[n as usize % Severity::ALL.len()];
        let state = if n % 3 == 0 { State::Closed } else { State::Investigating };
        let private = n % 4 == 0;
        let service = (n % 2 == 0).then(|| "checkout".to_owned());
        let one = Incident { state, private, service, ..one(n, "t", severity) };
        writes.push(incident::put(&one, Head::EMPTY));
        writes.push(expectation::open(&Expectation {
            owner: Owner::Incident(one.id),
            key: "update".into(),
            occurrence: 1,
            rule: Rule::UpdateDue,
            incident: Some(one.id),
            opened_by: "test".into(),
            segments: vec![Segment { from: Timestamp::from_second(n as i64).unwrap(), running: true, why: None }],
            length: Length::from_secs(60),
            next_look_at: Timestamp::UNIX_EPOCH,
            standing: if n % 5 == 0 { Standing::Met } else { Standing::Live },
            settled_at: None,
            why: None,
        }));
    }
    db.commit(writes).await.unwrap();
    for reach in [Reach::all(), Reach { public: true, ..Reach::default() }] {
        let filter = incident::Filter { open: true, worst_first: true, reach: reach.clone(), ..incident::Filter::default() };
        let mut wanted: Vec<(Severity, u128)> = (1..=60)
            .filter(|n| n % 3 != 0 && (reach.everything || n % 4 != 0))
            .map(|n| (Severity::ALL[n as usize % Severity::ALL.len()], n))
            .collect();
        wanted.sort_by_key(|(severity, n)| (*severity, std::cmp::Reverse(*n)));
        for limit in [7, 1000] {
            let listed = incident::list(db, &filter, limit).await.unwrap();
            let listed: Vec<(Severity, u128)> = listed.iter().map(|(one, _)| (one.severity, one.id.bits())).collect();
            assert_eq!(listed, wanted[..wanted.len().min(limit as usize)], "{reach:?} {limit}");
            let mut due: Vec<u128> = listed.iter().map(|(_, n)| *n).filter(|n| n % 5 != 0).collect();
            due.sort_unstable();
            let mut awaited = expectation::live_of(db, &filter, limit).await.unwrap();
            awaited.sort_by_key(|(id, _, _)| *id);
            assert_eq!(
                awaited.iter().map(|(id, _, at)| (id.bits(), at.as_second() as u128)).collect::<Vec<_>>(),
                due.iter().map(|n| (*n, *n + 60)).collect::<Vec<_>>(),
                "when it is due, which need not be when the engine looks next"
            );
        }
    }
}

/// Narrowed to a service, a board has the same order.
async fn a_board_of_a_service(db: &Db) {
    let filter = incident::Filter { open: true, worst_first: true, service: Some("checkout".into()), ..everybody() };
    let listed = incident::list(db, &filter, 1000).await.unwrap();
    assert!(listed.len() > 9 && listed.iter().all(|(one, _)| one.service.is_some()));
    assert!(listed.is_sorted_by_key(|(one, _)| (one.severity, std::cmp::Reverse(one.id))));
}

/// A board of those that name somebody holds all of them, however many others are worse.
async fn naming(db: &Db) {
    let worse = (1_000..2_100).map(|n| one(n, "t", Severity::Sev1));
    let mut writes: Vec<Write> = worse.map(|one| incident::put(&one, Head::EMPTY)).collect();
    let role = |person: Option<&str>, offered_to: Option<&str>| Work {
        roles: [("scribe".to_owned(), Role { person: person.map(Into::into), offered_to: offered_to.map(Into::into), ..Role::default() })]
            .into(),
        ..Work::default()
    };
    let plain = |n| one(n, "a_a", Severity::Sev5);
    for stored in [
        Incident { commander: Some("a_a".into()), ..plain(3_001) },
        Incident { acknowledged_by: Some("a_a".into()), ..plain(3_002) },
        Incident { work: role(Some("a_a"), None), ..plain(3_003) },
        Incident { work: role(Some("ben"), Some("a_a")), ..plain(3_004) },
        // None of these is theirs.
        Incident { work: role(Some("aba"), Some("a_a_a")), ..plain(3_005) },
        Incident { commander: Some("aba".into()), ..plain(3_006) },
        Incident { commander: Some("a_a".into()), state: State::Closed, ..plain(3_007) },
    ] {
        writes.push(incident::put(&stored, Head::EMPTY));
    }
    db.commit(writes).await.unwrap();
    let filter = incident::Filter { open: true, worst_first: true, naming: Some("a_a".into()), ..everybody() };
    let listed: Vec<u128> = incident::list(db, &filter, 1000).await.unwrap().iter().map(|(one, _)| one.id.bits()).collect();
    assert_eq!(listed, [3_004, 3_003, 3_002, 3_001]);
}

/// What an older release wrote is found and listed after the step.
async fn an_older_store(url: &str) {
    let older = Db::open(url, OpenOptions::new(&MIGRATIONS[..OLDER], TABLES)).await.unwrap();
    // Today's rows have a column more, which the older release neither had nor wrote.
    let lent = |sql: &'static str| vec![Write::Exec { table: &INCIDENT, sql, args: Vec::new(), expect: None }];
    older.commit(lent("alter table incident add column alarms text")).await.unwrap();
    for (n, title) in [(2, "Überlast"), (1, "Nothing"), (3, "ÜBERLAST again")] {
        older.commit(told(&one(n, title, Severity::ALL[n as usize]), 1, "declared")).await.unwrap();
    }
    older.commit(lent("alter table incident drop column alarms")).await.unwrap();
    older.close().await;
    let db = Db::open(url, OpenOptions::new(MIGRATIONS, TABLES)).await.unwrap();
    assert_eq!(found(&db, &Titles::default(), "überlast", &everybody(), 9).await, [3, 2]);
    let board = incident::Filter { open: true, worst_first: true, ..everybody() };
    let listed: Vec<u128> = incident::list(&db, &board, 9).await.unwrap().iter().map(|(one, _)| one.id.bits()).collect();
    assert_eq!(listed, [1, 2, 3]);
    db.close().await;
}

#[tokio::test]
async fn on_sqlite() {
    searches(&Db::open_inline(MIGRATIONS).unwrap()).await;
    let db = Db::open_inline(MIGRATIONS).unwrap();
    boards(&db).await;
    a_board_of_a_service(&db).await;
    naming(&db).await;
    bounded(&Db::open_inline(MIGRATIONS).unwrap()).await;
    let dir = tempfile::tempdir().unwrap();
    an_older_store(&format!("sqlite:{}", dir.path().join("older.db").display())).await;
}

#[tokio::test]
async fn on_postgres() {
    let mut urls = Vec::new();
    for _ in 0..4 {
        match allclear_store::testing::fresh_database().await {
            Ok(url) => urls.push(url),
            Err(why) => {
                eprintln!("skipped: {why}");
                return;
            }
        }
    }
    searches(&Db::open(&urls[0], OpenOptions::new(MIGRATIONS, TABLES)).await.unwrap()).await;
    let db = Db::open(&urls[1], OpenOptions::new(MIGRATIONS, TABLES)).await.unwrap();
    boards(&db).await;
    a_board_of_a_service(&db).await;
    naming(&db).await;
    an_older_store(&urls[2]).await;
    bounded(&Db::open(&urls[3], OpenOptions::new(MIGRATIONS, TABLES)).await.unwrap()).await;
}
