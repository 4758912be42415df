//! What only a file can suffer: two servers under two names, a damaged page, another program's lock.

#![allow(clippy::unwrap_used, clippy::disallowed_methods)] // tests

use std::os::unix::fs::{FileExt, symlink};
use std::path::Path;
use std::time::Duration;

use allclear_store::schema::{META, MIGRATIONS, TABLES};
use allclear_store::{Access, CommitError, Db, FaultKind, OpenError, OpenOptions, Write, rows};

fn url(path: &Path) -> String {
    format!("sqlite:{}", path.display())
}

fn options() -> OpenOptions {
    OpenOptions::new(MIGRATIONS, TABLES)
}

/// A file has one server, whatever name the second one has for it and whatever became of the lock file; a command
/// beside it works, and what it closes does not open the way for a second server.
#[tokio::test]
async fn a_second_server_is_refused_by_every_name() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let db = Db::open(&url(&at("a.db")), options()).await.unwrap();
    db.commit(vec![rows::meta::put("n", "1")]).await.unwrap();
    symlink(at("a.db"), at("soft.db")).unwrap();
    std::fs::hard_link(at("a.db"), at("hard.db")).unwrap();
    let refused = async |name: &str| {
        let second = Db::open(&url(&at(name)), options()).await.err();
        assert!(matches!(second, Some(OpenError::InUse { .. })), "{name}: {second:?}");
    };
    for name in ["a.db", "soft.db", "hard.db"] {
        refused(name).await;
    }
    std::fs::remove_file(at("a.db.lock")).unwrap();
    for name in ["a.db", "soft.db", "hard.db"] {
        refused(name).await;
    }
    for access in [Access::Beside, Access::ReadOnly] {
        let beside = Db::open(&url(&at("a.db")), options().access(access)).await.unwrap();
        assert_eq!(rows::meta::get(&beside, "n").await.unwrap().as_deref(), Some("1"));
        beside.close().await;
    }
    refused("a.db").await;
    db.commit(vec![rows::meta::put("n", "2")]).await.unwrap();
    db.close().await;
    drop(db);
    // Once it has gone, the next one takes the file by any of its names.
    let next = Db::open(&url(&at("hard.db")), options()).await.unwrap();
    assert_eq!(rows::meta::get(&next, "n").await.unwrap().as_deref(), Some("2"));
    next.close().await;
}

/// Bytes of one page are lost: the start says so and what helps, and changes nothing.
#[tokio::test]
async fn a_damaged_page_is_found_before_the_start() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.db");
    let db = Db::open(&url(&path), options()).await.unwrap();
    for n in 0..400 {
        db.commit(vec![Write::Insert { table: &META, row: vec![format!("name {n}").into(), "x".repeat(200).into()] }]).await.unwrap();
    }
    db.close().await;
    drop(db);
    let whole = std::fs::read(&path).unwrap();
    let pages = whole.len() / 4096;
    let mut found = 0;
    for page in 1..pages {
        // The head of the page, which says what kind it is and where its cells are.
        std::fs::write(&path, &whole).unwrap();
        let file = std::fs::File::options().write(true).open(&path).unwrap();
        file.write_all_at(&[0xff; 64], (page * 4096) as u64).unwrap();
        drop(file);
        let before = std::fs::read(&path).unwrap();
        let refused = Db::open(&url(&path), options()).await.err();
        let Some(OpenError::Damaged { .. }) = &refused else { panic!("page {page} of {pages}: {refused:?}") };
        let said = refused.unwrap().to_string();
        assert!(said.contains("allclear restore") && said.contains("a.db-wal"), "{said}");
        assert_eq!(std::fs::read(&path).unwrap(), before, "nothing was changed");
        found += 1;
    }
    assert!(found > 20, "{found} pages");
    std::fs::write(&path, b"this was a database once, and somebody wrote a letter over it").unwrap();
    assert!(matches!(Db::open(&url(&path), options()).await.err(), Some(OpenError::Damaged { .. })));
    std::fs::write(&path, &whole).unwrap();
    assert!(Db::open(&url(&path), options()).await.is_ok());
}

/// Another program holds the file: a commit is refused after the wait, reads go on, and all is well afterwards.
#[tokio::test]
async fn a_file_locked_by_another_program_is_waited_for_and_not_for_ever() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.db");
    let db = Db::open(&url(&path), OpenOptions { busy_wait: Duration::from_millis(30), ..options() }).await.unwrap();
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("begin exclusive; insert into meta values ('theirs', '1')").unwrap();
    for _ in 0..2 {
        let refused = db.commit(vec![rows::meta::put("ours", "1")]).await;
        assert!(
            matches!(&refused, Err(CommitError::Fault(fault)) if fault.kind == FaultKind::Busy && !fault.outcome_unknown),
            "{refused:?}"
        );
        assert_eq!(rows::meta::get(&db, "ours").await.unwrap(), None, "reading goes on");
    }
    other.execute_batch("commit").unwrap();
    db.commit(vec![rows::meta::put("ours", "2")]).await.unwrap();
    assert_eq!(rows::meta::get(&db, "theirs").await.unwrap().as_deref(), Some("1"));
    db.close().await;
}

/// A planner that was told that a table has ten rows reads all of it, also when it has a million: statistics of small tables are
/// forgotten, at a start what an earlier release left and at the end what was made meanwhile.
#[tokio::test]
async fn statistics_of_small_tables_are_forgotten_and_those_of_large_ones_kept() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.db");
    let counted = || -> Vec<String> {
        let conn = rusqlite::Connection::open(&path).unwrap();
        let mut known = conn.prepare("select distinct tbl from sqlite_stat1 order by tbl").unwrap();
        known.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    Db::open(&url(&path), options()).await.unwrap().close().await;
    let numbers = "with recursive n(i) as (select 1 union all select i + 1 from n where i < 10000) select 'test-' || i, '1' from n";
    let conn = rusqlite::Connection::open(&path).unwrap();
    conn.execute_batch(&format!("insert into node (id, seen_at) values ('nod_a', 1); insert into meta (name, value) {numbers}; analyze;"))
        .unwrap();
    drop(conn);
    let both = counted();
    assert!(both.contains(&"meta".to_owned()) && both.contains(&"node".to_owned()), "{both:?}");
    let db = Db::open(&url(&path), options()).await.unwrap();
    db.close().await;
    assert_eq!(counted(), ["meta"], "of ten thousand rows they are kept");
    rusqlite::Connection::open(&path).unwrap().execute_batch("delete from meta where name like 'test-%'; analyze").unwrap();
    Db::open(&url(&path), options()).await.unwrap().close().await;
    assert_eq!(counted(), Vec::<String>::new());
}
