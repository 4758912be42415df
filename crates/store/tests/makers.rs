//! What was stored before a step of the schema is what that step says it is afterwards, on both databases.

#![allow(clippy::unwrap_used)] // tests

use allclear_domain::access::Actor;
use allclear_store::rows::form::{self, StoredForm};
use allclear_store::schema::{FORM, FORM_HISTORY, MIGRATIONS, TABLES};
use allclear_store::{Db, OpenOptions, Write};
use jiff::Timestamp;

/// The step that says who made a form, and when; what stands before it is an organisation of before.
const MAKERS: &str = "makers of forms";

const FORM_SQL: &str = "insert into form (kind, id, version, position, body, at) values ('override', ?1, ?2, 0, '{}', 1)";
const PAST_SQL: &str = "insert into form_history (kind, id, version, body, actor, at) values ('override', ?1, ?2, '{}', ?3, 1)";

/// Overrides that were made in this order and changed in another, and one whose history was erased.
async fn overrides_are_numbered_as_they_were_made(url: &str) {
    let before = MIGRATIONS.iter().position(|step| step.name == MAKERS).unwrap();
    let db = Db::open(url, OpenOptions::new(&MIGRATIONS[..before], TABLES)).await.unwrap();
    let form = |id: &str, version: i64| Write::Exec { table: &FORM, sql: FORM_SQL, args: vec![id.into(), version.into()], expect: None };
    let past = |id: &str, version: i64, who: &str| {
        let args = vec![id.into(), version.into(), who.into()];
        Write::Exec { table: &FORM_HISTORY, sql: PAST_SQL, args, expect: None }
    };
    db.commit(vec![
        form("z", 9),
        past("z", 3, "person:ana"),
        past("z", 9, "administrator"),
        form("a", 7),
        past("a", 7, "person:ben"),
        form("erased", 5),
    ])
    .await
    .unwrap();
    db.close().await;

    let db = Db::open(url, OpenOptions::new(MIGRATIONS, TABLES)).await.unwrap();
    let made = |rows: Vec<StoredForm>| rows.into_iter().map(|row| (row.id, row.made, row.made_by)).collect::<Vec<_>>();
    let of = |id: &str, made: Option<u64>, by: Option<&str>| (id.to_owned(), made, by.map(ToOwned::to_owned));
    let stored = [of("a", Some(7), Some("person:ben")), of("erased", None, None), of("z", Some(3), Some("person:ana"))];
    assert_eq!(made(form::all(&db).await.unwrap()), stored);
    let new = StoredForm {
        kind: "override".into(),
        id: "new".into(),
        version: 10,
        position: 0,
        managed: None,
        body: "{}".into(),
        at: Timestamp::UNIX_EPOCH,
        made: Some(10),
        made_by: Some("person:cho".into()),
    };
    db.commit(form::put(&new, &Actor::Person("cho".into())).to_vec()).await.unwrap();
    assert_eq!(made(form::all(&db).await.unwrap())[2], of("new", Some(10), Some("person:cho")));
    db.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite() {
    let folder = tempfile::tempdir().unwrap();
    overrides_are_numbered_as_they_were_made(&format!("sqlite:{}", folder.path().join("a.db").display())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres() {
    match allclear_store::testing::fresh_database().await {
        Ok(url) => overrides_are_numbered_as_they_were_made(&url).await,
        Err(why) => eprintln!("skipped, because there is no PostgreSQL: {why}"),
    }
}
