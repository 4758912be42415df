//! One suite for both databases: every promise of the facade, kept alike by SQLite in a file, SQLite
//! run inline and PostgreSQL.

// Helpers of a test may unwrap, and a test starts tasks of its own.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::sync::Arc;

use allclear_store::{CommitError, Db, Dialect, Fault, FaultKind, FaultPlan, Kind, Migration, OpenError, OpenOptions, Table, Val, Write};

static MIGRATIONS: &[Migration] = &[
    Migration {
        number: 1,
        name: "log and cards",
        sql: "create table event (seq {SEQ}, stream text not null, version bigint not null, body {BYTES}, unique (stream, version));
              create table card (id text primary key, version bigint not null, open boolean not null, note text, check (version >= 0));
              create table part (id text primary key, card text not null references card (id));",
        sqlite: "",
        postgres: "",
    },
    Migration {
        number: 2,
        name: "find by note",
        sql: "create index card_note on card (note);",
        sqlite: "create table only_sqlite (x bigint);",
        postgres: "create table only_postgres (x bigint);",
    },
];
static EVENT: Table =
    Table { name: "event", columns: &[("stream", Kind::Text), ("version", Kind::Int), ("body", Kind::Bytes)], key: &["stream", "version"] };
static CARD: Table = Table {
    name: "card",
    columns: &[("id", Kind::Text), ("version", Kind::Int), ("open", Kind::Bool), ("note", Kind::Text)],
    key: &["id"],
};
static PART: Table = Table { name: "part", columns: &[("id", Kind::Text), ("card", Kind::Text)], key: &["id"] };
static TABLES: &[&Table] = &[&EVENT, &CARD, &PART];
const BUMP: &str = "update card set version = version + 1 where id = ?1 and version = ?2";

fn options() -> OpenOptions {
    OpenOptions::new(MIGRATIONS, TABLES)
}
fn event(stream: &str, version: i64) -> Write {
    Write::Insert { table: &EVENT, row: vec![stream.into(), version.into(), vec![0_u8, 255].into()] }
}
fn card(id: &str, version: i64, note: Option<&str>) -> Write {
    Write::Upsert { table: &CARD, row: vec![id.into(), version.into(), true.into(), note.into()] }
}
fn part(id: &str, card: &str) -> Write {
    Write::Insert { table: &PART, row: vec![id.into(), card.into()] }
}
fn bump(id: &str, version: i64) -> Write {
    Write::Exec { table: &CARD, sql: BUMP, args: vec![id.into(), version.into()], expect: Some(1) }
}
async fn int(db: &Db, sql: &str) -> i64 {
    db.read(sql, vec![]).await.unwrap()[0].int(0).unwrap()
}
fn fault(answer: Result<(), CommitError>) -> Fault {
    match answer {
        Err(CommitError::Fault(fault)) => fault,
        other => panic!("expected a fault, got {other:?}"),
    }
}

/// What a commit writes is read back, in order, and all of it or nothing.
async fn writes_and_conflicts(db: &Db) {
    db.commit(vec![event("a", 1), card("a", 1, Some("n\u{0}ul ?1")), event("a", 2), card("a", 2, None)]).await.unwrap();
    let rows = db.read("select version, open, note, id from card where id = ?1", vec!["a".into()]).await.unwrap();
    assert_eq!((rows.len(), rows[0].int(0).unwrap(), rows[0].bool(1).unwrap(), rows[0].opt_text(2).unwrap()), (1, 2, true, None));
    let wrong = rows[0].int(3).unwrap_err();
    assert_eq!((wrong.kind, wrong.why.contains("column 3")), (FaultKind::Column, true));
    let rows = db.read("select seq, version, body from event where stream = 'a' order by seq", vec![]).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.int(1).unwrap()).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(rows[0].bytes(2).unwrap(), [0, 255]);

    // A taken key and a guard that does not hold are conflicts, and nothing beside them stays.
    for (late, table) in [(event("a", 2), "event"), (bump("a", 1), "card")] {
        let lost = db.commit(vec![card("b", 1, None), late]).await.unwrap_err();
        assert!(matches!(&lost, CommitError::Conflict { table: found, .. } if *found == table), "{lost:?}");
    }
    assert_eq!(int(db, "select count(*) from card").await, 1);
    // An upsert, a guard and an insert see each other within a commit.
    db.commit(vec![card("b", 1, None), bump("b", 1), bump("b", 2), part("p", "b"), card("c", 0, None), part("q", "c")]).await.unwrap();
    assert_eq!(int(db, "select version from card where id = 'b'").await, 3);

    // The schema's rules and mistakes of ours are faults, and the next commit is not hurt.
    assert_eq!(fault(db.commit(vec![card("b", -1, None)]).await).kind, FaultKind::Constraint);
    assert_eq!(fault(db.commit(vec![part("r", "nobody")]).await).kind, FaultKind::Constraint);
    assert_eq!(fault(db.commit(vec![Write::Insert { table: &PART, row: vec![] }]).await).kind, FaultKind::Statement);
    assert_eq!(
        fault(db.commit(vec![Write::Insert { table: &PART, row: vec![1_i64.into(), "b".into()] }]).await).kind,
        FaultKind::Statement
    );
    for sql in ["update nothing set x = 1", "update card set version = ?1"] {
        let bad = Write::Exec { table: &CARD, sql, args: vec![], expect: None };
        assert_eq!(fault(db.commit(vec![bad]).await).kind, FaultKind::Statement, "{sql}");
    }
    assert!(db.read("delete from card returning 1", vec![]).await.is_err(), "a read may not write");
    assert!(db.read("select nothing", vec![]).await.is_err());
    db.commit(vec![]).await.unwrap();
    db.commit(vec![event("a", 3)]).await.unwrap();
}

/// U+0000 is gone on both, whether it comes by row or by parameter.
async fn nul_is_removed(db: &Db) {
    db.commit(vec![card("n\u{0}", 1, Some("\u{0}x\u{0}"))]).await.unwrap();
    let rows = db
        .read("select note from card where id = ?1 and note = ?2 and '?3' = '?' || '3'", vec!["\u{0}n".into(), "x\u{0}".into()])
        .await
        .unwrap();
    assert_eq!(rows[0].text(0).unwrap(), "x");
    // One key after the removal, so one upsert counts.
    db.commit(vec![card("m", 1, None), card("m\u{0}", 2, None)]).await.unwrap();
    assert_eq!(int(db, "select version from card where id = 'm'").await, 2);
}

/// Of many callers at once, each gets its own answer, and the group is not sunk by the guilty.
async fn each_caller_has_its_own_answer(db: &Db) {
    db.commit(vec![card("hot", 0, None)]).await.unwrap();
    let tasks: Vec<_> = (0..60_i64)
        .map(|number| {
            let db = db.clone();
            tokio::task::spawn(async move {
                let stream = format!("s{number}");
                let mut writes = vec![event(&stream, 1)];
                match number % 6 {
                    0 => writes.push(part(&stream, "nobody")),
                    1 => writes.push(event("same", 1)),
                    2 => writes.push(bump("hot", 0)),
                    3 => writes.push(Write::Exec { table: &CARD, sql: "update nothing set x = 1", args: vec![], expect: None }),
                    _ => writes.push(card(&stream, 1, None)),
                }
                (number, stream, db.commit(writes).await)
            })
        })
        .collect();
    let mut passed = [0; 6];
    for task in tasks {
        let (number, stream, answer) = task.await.unwrap();
        let there = db.read("select 1 from event where stream = ?1", vec![stream.into()]).await.unwrap().len();
        assert_eq!(there == 1, answer.is_ok(), "{number}: {answer:?}");
        match number % 6 {
            0 | 3 => drop(fault(answer)),
            1 | 2 => match answer {
                Ok(()) => passed[(number % 6) as usize] += 1,
                Err(CommitError::Conflict { .. }) => {}
                Err(other) => panic!("{other}"),
            },
            _ => answer.unwrap(),
        }
    }
    assert_eq!((passed[1], passed[2]), (1, 1), "exactly one of those who race wins");
}

/// What the simulator asks for happens.
async fn faults_on_purpose(db: &Db) {
    let plan = Arc::new(std::sync::Mutex::new(FaultPlan::FailBefore));
    let decided = Arc::clone(&plan);
    let faulty = db.clone().with_faults(Arc::new(move |_| *decided.lock().unwrap()));
    let refused = fault(faulty.commit(vec![event("f", 1)]).await);
    assert_eq!((refused.kind, refused.outcome_unknown), (FaultKind::Injected, false));
    *plan.lock().unwrap() = FaultPlan::FailAfter;
    let unknown = fault(faulty.commit(vec![event("f", 1)]).await);
    assert_eq!((unknown.kind, unknown.outcome_unknown), (FaultKind::Injected, true));
    assert_eq!(int(db, "select count(*) from event where stream = 'f'").await, 1);

    let seen = Arc::new(std::sync::Mutex::new(Vec::new()));
    let points = Arc::clone(&seen);
    db.on_commit(Some(Box::new(move |point| points.lock().unwrap().push(point))));
    db.commit(vec![event("f", 2)]).await.unwrap();
    db.on_commit(None);
    db.commit(vec![event("f", 3)]).await.unwrap();
    assert_eq!(*seen.lock().unwrap(), [allclear_store::CommitPoint::BeforeCommit, allclear_store::CommitPoint::AfterCommit]);
}

async fn suite(db: &Db) {
    writes_and_conflicts(db).await;
    nul_is_removed(db).await;
    faults_on_purpose(db).await;
    each_caller_has_its_own_answer(db).await;
    let own = if db.dialect() == Dialect::Sqlite { "only_sqlite" } else { "only_postgres" };
    assert_eq!(int(db, &format!("select count(*) from {own}")).await, 0);
    assert_eq!(int(db, "select max(number) from migration").await, 2);
}

async fn reopening(url: &str) {
    let db = Db::open(url, options()).await.unwrap();
    assert_eq!(int(&db, "select count(*) from event where stream = 'a'").await, 3);
    db.close().await;
    assert_eq!(db.read("select 1", vec![]).await.unwrap_err().kind, FaultKind::Closed);
    assert_eq!(fault(db.commit(vec![event("z", 1)]).await).kind, FaultKind::Closed);
    let older = Db::open(url, OpenOptions::new(&MIGRATIONS[..1], TABLES)).await.err();
    assert!(matches!(older, Some(OpenError::TooNew { found: 2, known: 1 })), "{older:?}");
    assert!(Db::open(url, OpenOptions::new(OTHER, TABLES)).await.is_err(), "another program's database");
}
static OTHER: &[Migration] = &[MIGRATIONS[0], Migration { number: 2, name: "something else", sql: "", sqlite: "", postgres: "" }];
static BROKEN: &[Migration] = &[
    MIGRATIONS[0],
    Migration { number: 2, name: "breaks", sql: "create table half (x bigint); create tabel y;", sqlite: "", postgres: "" },
];

/// A step that fails leaves the steps before it and nothing of itself; the next start goes on.
async fn a_failed_step(url: &str) {
    let why = Db::open(url, OpenOptions::new(BROKEN, TABLES)).await.err();
    assert!(matches!(why, Some(OpenError::Migration { number: 2, .. })), "{why:?}");
    let db = Db::open(url, options()).await.unwrap();
    assert!(db.read("select x from half", vec![]).await.is_err());
    db.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_in_a_file() {
    let dir = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", dir.path().join("a.db").display());
    a_failed_step(&url).await;
    let db = Db::open(&url, options()).await.unwrap();
    suite(&db).await;
    assert!(db.check().await.unwrap().is_empty());
    assert!(db.clock_offset(jiff::Timestamp::UNIX_EPOCH).await.unwrap().is_none());
    // A second server is refused with words; a command beside it is not.
    assert!(matches!(Db::open(&url, options()).await.err(), Some(OpenError::InUse { .. })));
    let beside = Db::open(&url, options().access(allclear_store::Access::Beside)).await.unwrap();
    beside.commit(vec![event("beside", 1)]).await.unwrap();
    beside.close().await;
    let looking = Db::open(&url, options().access(allclear_store::Access::ReadOnly)).await.unwrap();
    assert_eq!(fault(looking.commit(vec![event("looking", 1)]).await).kind, FaultKind::ReadOnly);
    assert_eq!(int(&looking, "select count(*) from event where stream = 'beside'").await, 1);
    looking.close().await;
    db.close().await;
    assert!(!dir.path().join("a.db-wal").exists(), "a closed database is one file");
    reopening(&url).await;
}

#[test]
fn sqlite_inline_needs_no_runtime() {
    let db = Db::open_inline(MIGRATIONS).unwrap();
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let mut work = Box::pin(async {
        writes_and_conflicts(&db).await;
        nul_is_removed(&db).await;
        faults_on_purpose(&db).await;
    });
    assert!(std::future::Future::poll(work.as_mut(), &mut context).is_ready(), "one poll does it all");
}

#[tokio::test]
async fn sqlite_in_memory_with_threads() {
    let db = Db::open("sqlite::memory:", options()).await.unwrap();
    suite(&db).await;
    db.close().await;
}

#[tokio::test]
async fn addresses_are_refused_with_words_and_without_passwords() {
    for url in ["mysql://u:secret@h/d", "sqlite:", "postgres://u:secret@h:port/d", "postgres://h:port/d?password=secret"] {
        let why = Db::open(url, options()).await.err().unwrap().to_string();
        assert!(why.contains("sqlite:PATH") && !why.contains("secret"), "{why}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres() {
    let url = match allclear_store::testing::fresh_database().await {
        Ok(url) => url,
        Err(why) => return eprintln!("skipped, because there is no PostgreSQL: {why}"),
    };
    a_failed_step(&url).await;
    let db = Db::open(&url, options()).await.unwrap();
    suite(&db).await;
    assert!(db.check().await.unwrap().iter().all(|line| line.contains("fsync")));
    let offset = db.clock_offset(jiff::Timestamp::UNIX_EPOCH).await.unwrap().unwrap();
    assert!(offset.as_hours() > 24 * 365 * 50, "{offset:?}");

    // Another node hears of new events, and again after its connection was cut.
    let mut heard = db.notifications().await.unwrap();
    assert_eq!(heard.recv().await.unwrap(), "");
    db.commit(vec![event("wake", 1)]).await.unwrap();
    let reached = int(&db, "select max(seq) from event").await.to_string();
    assert_eq!(heard.recv().await.unwrap(), reached);
    allclear_store::testing::cut_sessions(&url).await.unwrap();
    assert_eq!(int(&db, "select count(*) from event where stream = 'wake'").await, 1);
    db.commit(vec![card("after", 1, None)]).await.unwrap();
    assert_eq!(heard.recv().await.unwrap(), "");
    db.close().await;
    reopening(&url).await;
}

/// The same promises behind a pooler that hands each transaction to another session, which keeps no statement, no
/// setting and no lock of ours; and a copy goes both ways through it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_behind_a_pooler_in_transaction_mode() {
    let url = match allclear_store::testing::fresh_database().await {
        Ok(url) => url,
        Err(why) => return eprintln!("skipped, because there is no PostgreSQL: {why}"),
    };
    let url = match allclear_store::testing::behind_a_pooler(&url).await {
        Ok(url) => url,
        Err(why) => return eprintln!("skipped, because there is no pooler: {why}"),
    };
    a_failed_step(&url).await;
    let db = Db::open(&url, options()).await.unwrap();
    suite(&db).await;
    assert!(db.notifications().await.is_none(), "nobody can listen there, and whoever asks is told");
    // Two nodes at once, through the same few sessions.
    let other = Db::open(&url, options()).await.unwrap();
    for n in 0..50 {
        let (left, right) = (format!("left {n}"), format!("right {n}"));
        let (one, two) = tokio::join!(db.commit(vec![event(&left, 1)]), other.commit(vec![event(&right, 1)]));
        one.unwrap();
        two.unwrap();
        assert_eq!(int(&other, &format!("select count(*) from event where stream in ('{left}', '{right}')")).await, 2);
    }
    other.close().await;
    let dir = tempfile::tempdir().unwrap();
    let copy = dir.path().join("copy.db");
    db.backup(&copy, vec![]).await.unwrap();
    let target = allclear_store::testing::behind_a_pooler(&allclear_store::testing::fresh_database().await.unwrap()).await.unwrap();
    let filled = Db::open(&target, options()).await.unwrap();
    filled.restore_into(&copy).await.unwrap();
    assert_eq!(int(&filled, "select count(*) from event").await, int(&db, "select count(*) from event").await);
    filled.close().await;
    db.close().await;
    reopening(&url).await;
}

/// A connection that breaks while `COMMIT` is on its way leaves the outcome unknown, and says so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_lost_at_commit() {
    let Ok(url) = allclear_store::testing::fresh_database().await else {
        return;
    };
    let db = Db::open(&url, options()).await.unwrap();
    let at = url.clone();
    db.on_commit(Some(Box::new(move |point| {
        if point == allclear_store::CommitPoint::BeforeCommit {
            let at = at.clone();
            std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(allclear_store::testing::cut_sessions(&at)).unwrap();
            })
            .join()
            .unwrap();
        }
    })));
    let lost = fault(db.commit(vec![event("lost", 1)]).await);
    assert_eq!((lost.kind, lost.outcome_unknown), (FaultKind::Unreachable, true));
    db.on_commit(None);
    db.commit(vec![event("lost", 2)]).await.unwrap();
    assert_eq!(int(&db, "select count(*) from event where version = 1").await, 0);
}

#[test]
fn values_come_from_what_rust_has() {
    assert_eq!(Val::from(Some(3_u32)), Val::Int(3));
    assert_eq!(Val::from(None::<String>), Val::Null);
    assert_eq!(Val::from(vec![1_u8]), Val::Bytes(vec![1]));
}

/// What a database holds, told alike by both (truth values as numbers).
async fn everything(db: &Db) -> Vec<String> {
    let mut all = Vec::new();
    for sql in [
        "select seq, stream, version, body from event order by seq",
        "select id, version, case when open then 1 else 0 end, note from card order by id",
        "select id, card from part order by id",
    ] {
        all.extend(db.read(sql, vec![]).await.unwrap().iter().map(|row| format!("{row:?}").replace("Int(", "(")));
    }
    all
}

/// A copy made under load shows one moment, carries its mark, and fills a database of either kind.
async fn copies(db: &Db, targets: Vec<String>) {
    let dir = tempfile::tempdir().unwrap();
    let copy = dir.path().join("copy.db");
    db.commit(vec![card("k", 7, Some("note")), part("pk", "k"), event("gone", 1), event("kept", 1)]).await.unwrap();
    db.commit(vec![Write::Exec { table: &EVENT, sql: "delete from event where stream = 'gone'", args: vec![], expect: Some(1) }])
        .await
        .unwrap();
    // While the copy is made, pairs are written; a copy shows both of a pair or neither.
    let writing = db.clone();
    let load = tokio::spawn(async move {
        for version in 1..=300 {
            writing.commit(vec![event("left", version), event("right", version)]).await.unwrap();
        }
    });
    db.backup(&copy, vec![card("mark", 1, None)]).await.unwrap();
    load.await.unwrap();
    assert!(db.backup(&copy, vec![]).await.is_err(), "a copy is never overwritten");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "nothing is left beside it");
    let made = Db::open(&format!("sqlite:{}", copy.display()), options().access(allclear_store::Access::ReadOnly)).await.unwrap();
    let sides = "select count(*) from event where stream = ";
    assert_eq!(int(&made, &format!("{sides}'left'")).await, int(&made, &format!("{sides}'right'")).await);
    let wanted = everything(&made).await;
    assert!(wanted.iter().any(|line| line.contains("mark")));
    made.close().await;
    for target in targets {
        let filled = Db::open(&target, options()).await.unwrap();
        filled.restore_into(&copy).await.unwrap();
        assert_eq!(everything(&filled).await, wanted, "{target}");
        assert!(filled.restore_into(&copy).await.is_err(), "a filled database is not filled again");
        // Numbering goes on.
        filled.commit(vec![event("next", 1)]).await.unwrap();
        let next = int(&filled, "select seq from event where stream = 'next'").await;
        assert_eq!(int(&filled, "select max(seq) from event").await, next);
        filled.close().await;
    }
    let damaged = dir.path().join("damaged.db");
    std::fs::write(&damaged, b"SQLite format 3 but not really").unwrap();
    assert!(db.restore_into(&damaged).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn copies_of_either_fill_either() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str| format!("sqlite:{}", dir.path().join(name).display());
    let db = Db::open(&file("from.db"), options()).await.unwrap();
    let mut targets = vec![file("one.db")];
    if let Ok(url) = allclear_store::testing::fresh_database().await {
        targets.push(url);
    }
    copies(&db, targets).await;
    if let Ok(url) = allclear_store::testing::fresh_database().await {
        let server = Db::open(&url, options()).await.unwrap();
        copies(&server, vec![file("two.db"), allclear_store::testing::fresh_database().await.unwrap()]).await;
    }
    // A copy of an older release is brought up to date on its way in.
    let older = Db::open(&file("older.db"), OpenOptions::new(&MIGRATIONS[..1], TABLES)).await.unwrap();
    older.commit(vec![card("old", 1, None)]).await.unwrap();
    let copy = dir.path().join("older-copy.db");
    older.backup(&copy, vec![]).await.unwrap();
    let target = Db::open(&file("three.db"), options()).await.unwrap();
    target.restore_into(&copy).await.unwrap();
    assert_eq!(int(&target, "select count(*) from card").await, 1);
}
