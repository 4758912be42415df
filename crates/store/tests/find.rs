//! The index of words answers alike on both databases, and as a look at every text would: whatever is stored, in whatever order it was
//! read, whoever asks.

#![allow(clippy::unwrap_used)] // tests

use std::collections::BTreeSet;

use allclear_domain::access::Reach;
use allclear_domain::event::{Head, Stream};
use allclear_domain::find::{Query, Shelf, Thing, cut, said};
use allclear_domain::ids::{AlertId, IncidentId};
use allclear_domain::incident::{Incident, Severity};
use allclear_store::rows::find::hits::{self, Filter};
use allclear_store::rows::find::walk::{Narrow, Walk};
use allclear_store::rows::find::{self, BLOCK_PLACES, FORMAT, Progress, follow, write};
use allclear_store::rows::{incident, reader};
use allclear_store::schema::{EVENT, MIGRATIONS, SEARCH_PROGRESS, TABLES};
use allclear_store::{CommitError, Db, OpenOptions, Val, Write};

mod common;

use common::one;

const WORDS: [&str; 8] = ["checkout", "checks", "disk", "db-7.eu-west", "Überlast", "支付失败", "🔥", "142"];
const INCIDENTS: u128 = 12;
const EVENTS: usize = 2_600;

/// An event of an incident's own log, or of its review.
fn event(stream: &str, version: i64, incident: IncidentId, kind: &str, body: &str) -> Write {
    let bytes = || Val::Bytes(vec![0; 32]);
    let row = vec![
        stream.into(),
        version.into(),
        incident.to_string().into(),
        kind.into(),
        1_i64.into(),
        version.into(),
        (version * 1_000_000).into(),
        "person:ana".into(),
        "test".into(),
        "live".into(),
        Val::Null,
        body.into(),
        Val::Bytes(vec![0; 16]),
        bytes(),
        bytes(),
    ];
    Write::Insert { table: &EVENT, row }
}

fn noted(n: usize) -> (IncidentId, String) {
    // Every text has `common`; the others come in a mix that a small generator decides.
    let mut state = n as u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 33
    };
    let mut text = "common".to_owned();
    for _ in 0..next() % 4 {
        text.push(' ');
        text.push_str(WORDS[next() as usize % WORDS.len()]);
    }
    (IncidentId::from_bits(1 + u128::from(next()) % INCIDENTS), serde_json::json!({ "text": text }).to_string())
}

async fn fill(db: &Db) {
    let mut writes = Vec::new();
    for n in 1..=INCIDENTS {
        let stored = Incident {
            private: n % 3 == 0,
            service: (n % 4 == 0).then(|| "charts".to_owned()),
            ..one(n, &format!("Case {n} disk"), Severity::Sev3)
        };
        writes.push(incident::put(&stored, Head::EMPTY));
        if n % 5 == 0 {
            writes.push(reader::admit(stored.id, "gus"));
        }
        let title = serde_json::json!({ "title": format!("An older title {n} disk") }).to_string();
        writes.push(event(&stored.id.to_string(), 1, stored.id, "declared", &title));
        writes.push(event(&stored.id.to_string(), 2, stored.id, "renamed", &serde_json::json!({ "to": stored.title }).to_string()));
    }
    for n in 0..EVENTS {
        let (id, body) = noted(n);
        writes.push(event(&id.to_string(), 10 + n as i64, id, "noted", &body));
    }
    let review = IncidentId::from_bits(1);
    writes.push(event("rev_1", 1, review, "review_edited", r#"{"text":"We forgot the disk"}"#));
    writes.push(event("rev_1", 2, review, "review_published", r#"{"text":"Nobody watched the disks"}"#));
    writes.push(event("pag_1", 1, review, "delivered", r#"{"text":"disk"}"#));
    db.commit(writes).await.unwrap();
}

/// Reads all of the log into the index, so many events at a time.
async fn read_all(db: &Db, step: i64) {
    if find::progress(db).await.unwrap().is_none() {
        db.commit(find::begin(None)).await.unwrap();
    }
    loop {
        let from = find::progress(db).await.unwrap().unwrap();
        let newest = allclear_store::rows::event::newest_seq(db).await.unwrap();
        if from.seq >= newest {
            return;
        }
        let to = newest.min(from.seq + step);
        let mut batch = write::Batch::default();
        follow::events(db, &mut batch, from.seq, to).await.unwrap();
        write::put(db, &from, batch, &Progress { seq: to, ..from.clone() }).await.unwrap();
    }
}

/// What the index finds: places whose text has it and that this reader sees.
async fn found(db: &Db, shelf: Shelf, words: &str, filter: &Filter, narrow: &Narrow) -> Vec<i64> {
    let query = Query::read(words).unwrap();
    let mut walk = Walk::begin(db, shelf, &query, narrow, i64::MAX).await.unwrap();
    assert!(walk.whole);
    let mut out = Vec::new();
    loop {
        let places = walk.next(db, 100).await.unwrap();
        if places.is_empty() {
            assert!(walk.goes_on().is_none() && !walk.is_tired());
            return out;
        }
        for entry in hits::entries(db, &places, filter).await.unwrap() {
            let text = match shelf {
                Shelf::Titles => entry.incident.unwrap().title,
                _ => said(&entry.kind, entry.body.as_deref()).unwrap().text,
            };
            if query.finds(&cut(&text)) {
                out.push(entry.seq);
            }
        }
    }
}

/// What is written of which this reader sees, the newest first.
async fn seen(db: &Db, reach: &Reach) -> Vec<(i64, String)> {
    let mut out = Vec::new();
    let mut after = 0;
    loop {
        let events = allclear_store::rows::event::after(db, after, 1000, reach).await.unwrap();
        let Some(last) = events.last() else { break };
        after = last.seq;
        for event in events {
            let of_old = event.kind == "review_edited";
            if let Some(said) = said(&event.kind, event.body.as_deref()).filter(|said| said.thing.shelf() == Shelf::Written && !of_old) {
                out.push((event.seq, said.text));
            }
        }
    }
    out.reverse();
    out
}

fn reaches() -> Vec<Reach> {
    vec![
        Reach::all(),
        Reach { public: true, ..Reach::default() },
        Reach { person: Some("gus".into()), ..Reach::default() },
        Reach { public: true, person: Some("gus".into()), services: ["charts".to_owned()].into(), ..Reach::default() },
        Reach { incident: Some(IncidentId::from_bits(7)), ..Reach::default() },
        Reach::default(),
    ]
}

async fn as_a_look_at_every_text(db: &Db) {
    for reach in reaches() {
        let seen = seen(db, &reach).await;
        let cuts: Vec<_> = seen.iter().map(|(seq, text)| (*seq, cut(text))).collect();
        for words in [
            "common",
            "check",
            "checks disk",
            "db-7",
            "7",
            "eu-west 142",
            "uberlast",
            "付失",
            "🔥 checkout",
            "disk",
            "\"checkout disk\"",
            "none",
        ] {
            let filter = Filter { reach: reach.clone(), ..Filter::default() };
            let query = Query::read(words).unwrap();
            let wanted: Vec<i64> = cuts.iter().filter(|(_, text)| query.finds(text)).map(|(seq, _)| *seq).collect();
            assert_eq!(found(db, Shelf::Written, words, &filter, &Narrow::default()).await, wanted, "{words} {reach:?}");
            // By its incidents it is the same.
            let incidents = hits::few(db, &filter).await.unwrap();
            assert_eq!(incidents.is_none(), reach.everything || reach.public);
            assert_eq!(
                found(db, Shelf::Written, words, &filter, &Narrow { incidents, ..Narrow::default() }).await,
                wanted,
                "{words} {reach:?}"
            );
        }
    }
    let all = Filter { reach: Reach::all(), ..Filter::default() };
    let titles = found(db, Shelf::Titles, "case disk", &all, &Narrow::default()).await;
    assert_eq!(titles.len(), INCIDENTS as usize);
    assert!(found(db, Shelf::Titles, "older", &all, &Narrow::default()).await.is_empty(), "a title that was is none");
    let reviews = Narrow { kind: Some(Thing::Review.word()), ..Narrow::default() };
    assert_eq!(found(db, Shelf::Written, "disks", &all, &reviews).await.len(), 1);
    assert!(found(db, Shelf::Written, "forgot", &all, &reviews).await.is_empty(), "a text that was is none");
    // What narrows it.
    let charts = Filter { service: Some("charts".into()), ..all.clone() };
    let of_charts = found(db, Shelf::Written, "common", &charts, &Narrow::default()).await;
    assert!(!of_charts.is_empty() && of_charts.len() < EVENTS);
    let third = jiff::Timestamp::from_second(1_000).unwrap();
    let (early, late) = (Filter { to: Some(third), ..all.clone() }, Filter { from: Some(third), ..all.clone() });
    let [early, late] = [
        found(db, Shelf::Written, "common", &early, &Narrow::default()).await,
        found(db, Shelf::Written, "common", &late, &Narrow::default()).await,
    ];
    assert!(early.len() > 900 && late.len() > 900);
    assert_eq!([late, early.clone()].concat(), found(db, Shelf::Written, "common", &all, &Narrow::default()).await);
    let last = hits::seq_before(db, third).await.unwrap();
    assert!(early.iter().all(|seq| *seq <= last));
}

async fn placed(db: &Db, word: &str) -> (i64, i64) {
    let sql = "select places, sealed from search_word where shelf = 2 and word = ?1";
    let rows = db.read(sql, vec![Val::Bytes(find::word_key(word))]).await.unwrap();
    rows.first().map_or((0, 0), |row| (row.int(0).unwrap(), row.int(1).unwrap()))
}

/// Of what was read twice, and late, each place is there once, and the blocks stay in order.
async fn read_again_and_late(db: &Db) {
    let before = find::progress(db).await.unwrap().unwrap();
    assert_eq!(placed(db, "common").await.0, EVENTS as i64);
    assert!(placed(db, "common").await.1 > 0 && EVENTS > 4 * BLOCK_PLACES, "some of it is sealed");
    for step in [100, 700] {
        db.commit(vec![Write::Exec { table: &SEARCH_PROGRESS, sql: "update search_progress set seq = 0", args: vec![], expect: Some(1) }])
            .await
            .unwrap();
        read_all(db, step).await;
        assert_eq!(placed(db, "common").await.0, EVENTS as i64, "after reading it again");
    }
    as_a_look_at_every_text(db).await;
    let after = find::progress(db).await.unwrap().unwrap();
    assert!(after.version > before.version && after.seq == before.seq && after.format == FORMAT);
    assert_eq!(follow::misfits(db, &after, 40).await.unwrap(), [""; 0]);
    // Of two that read the same, one is told that the other was first.
    let mut batch = write::Batch::default();
    follow::events(db, &mut batch, 0, 50).await.unwrap();
    let lost = write::put(db, &before, batch, &before).await.unwrap_err();
    assert!(matches!(lost, CommitError::Conflict { .. }), "{lost:?}");
}

/// What an event said is gone from the index with the commit that erases it, and a word that nothing else has with it.
async fn erased(db: &Db) {
    let id = IncidentId::from_bits(1);
    let all = Filter { reach: Reach::all(), ..Filter::default() };
    db.commit(vec![event(&id.to_string(), 9_000, id, "noted", r#"{"text":"common zanzibar"}"#)]).await.unwrap();
    read_all(db, 10_000).await;
    assert_eq!(found(db, Shelf::Written, "zanzi", &all, &Narrow::default()).await.len(), 1);
    let stale = find::progress(db).await.unwrap().unwrap();
    let (common, _) = placed(db, "common").await;
    let erase = write::redact(db, &Stream::Incident(id), 9_000).await.unwrap();
    db.commit(erase).await.unwrap();
    assert_eq!((placed(db, "zanzibar").await.0, placed(db, "common").await.0), (0, common - 1));
    assert!(found(db, Shelf::Written, "zanzi", &all, &Narrow::default()).await.is_empty());
    // Whoever had just read it and comes to write loses.
    assert!(write::put(db, &stale, write::Batch::default(), &stale).await.is_err());
    // Out of the middle of what is sealed.
    let (first, first_body) = noted(0);
    let sealed = found(db, Shelf::Written, "common", &all, &Narrow::default()).await.last().copied().unwrap();
    assert!(first_body.contains("common"));
    db.commit(write::redact(db, &Stream::Incident(first), 10).await.unwrap()).await.unwrap();
    assert!(!found(db, Shelf::Written, "common", &all, &Narrow::default()).await.contains(&sealed));
    let progress = find::progress(db).await.unwrap().unwrap();
    assert_eq!(follow::misfits(db, &progress, 40).await.unwrap(), [""; 0]);
    as_a_look_at_every_text(db).await;
    // A word that lost its place is told.
    db.commit(vec![
        Write::Exec {
            table: &allclear_store::schema::SEARCH_WORD,
            sql: "delete from search_word where shelf = 2 and word = ?1",
            args: vec![Val::Bytes(find::word_key("common"))],
            expect: Some(1),
        },
        Write::Exec {
            table: &allclear_store::schema::SEARCH_BLOCK,
            sql: "delete from search_block where shelf = 2",
            args: vec![],
            expect: None,
        },
    ])
    .await
    .unwrap();
    assert!(!follow::misfits(db, &progress, 40).await.unwrap().is_empty());
    // By other rules it is made anew.
    db.commit(find::begin(Some(&progress))).await.unwrap();
    assert_eq!(placed(db, "disk").await.0, 0);
    read_all(db, 900).await;
    as_a_look_at_every_text(db).await;
}

/// Places out of their order, as alerts may come.
async fn out_of_order(db: &Db) {
    let mut wanted = BTreeSet::new();
    for round in 0..6_i64 {
        let mut batch = write::Batch::default();
        for n in 0..500_i64 {
            // Each round has its places between those of the others.
            let place = 1 + n * 6 + (round * 5) % 6;
            batch.put(Thing::Alert, place, &cut("late alarm"), None);
            wanted.insert(place);
        }
        let from = find::progress(db).await.unwrap().unwrap();
        write::put(db, &from, batch, &from).await.unwrap();
    }
    let query = Query::read("alarm late").unwrap();
    let mut walk = Walk::begin(db, Shelf::Alerts, &query, &Narrow::default(), i64::MAX).await.unwrap();
    assert_eq!(walk.next(db, 5_000).await.unwrap(), wanted.iter().rev().copied().collect::<Vec<_>>());
    for most in [1, 2, 511, 512, 1_500, 2_999] {
        let mut walk = Walk::begin(db, Shelf::Alerts, &query, &Narrow::default(), most).await.unwrap();
        assert_eq!(walk.next(db, 1).await.unwrap(), wanted.range(..=most).next_back().copied().into_iter().collect::<Vec<_>>(), "{most}");
    }
    let id = AlertId::from_bits(0x0123_4567_89ab_7cde_8123_4567_89ab_cdef);
    let (first, last) = find::alerts_at(find::place_of(id));
    assert!(first <= id && id <= last);
}

async fn all(db: &Db) {
    fill(db).await;
    read_all(db, 37).await;
    as_a_look_at_every_text(db).await;
    read_again_and_late(db).await;
    out_of_order(db).await;
    erased(db).await;
}

#[tokio::test]
async fn on_sqlite() {
    all(&Db::open_inline(MIGRATIONS).unwrap()).await;
}

#[tokio::test]
async fn on_postgres() {
    match allclear_store::testing::fresh_database().await {
        Ok(url) => all(&Db::open(&url, OpenOptions::new(MIGRATIONS, TABLES)).await.unwrap()).await,
        Err(why) => eprintln!("skipped: {why}"),
    }
}
