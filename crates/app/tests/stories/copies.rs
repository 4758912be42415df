//! Copies, their quarantine, and the proof that nobody changed the record.

use allclear_trial::program::Program;
use allclear_trial::{Database, org};
use serde_json::json;

use crate::{on_both, setup, world_of};

on_both!(
    a_copy_made_while_running_is_whole_and_sends_nothing_until_released,
    a_changed_event_is_named_by_verify,
    a_row_or_a_form_that_does_not_read_takes_nothing_else_with_it,
);

async fn a_copy_made_while_running_is_whole_and_sends_nothing_until_released(database: Database) {
    let mut world = world_of(database.clone(), org::usual()).await;
    for n in 0..20 {
        world.fire(&format!("alert {n}")).await;
    }
    let copy = world.dir.path().join("copy.db");
    let copy_text = copy.to_str().unwrap();
    let backup = ["backup", copy_text];
    let (made, ()) = tokio::join!(world.cli(&backup), async {
        for n in 20..40 {
            world.fire(&format!("alert {n}")).await;
        }
    });
    assert_eq!(made.code, 0, "{made:?}");
    let verified = world.cli_on(&format!("sqlite:{copy_text}"), &["verify"]).await;
    assert_eq!(verified.code, 0, "the copy's own chains hold: {verified:?}");
    assert!(!String::from_utf8_lossy(&std::fs::read(&copy).unwrap()).contains(org::JSON_KEY), "a copy alone gives no key away");

    // Restored into a store of the same kind, beside the first.
    let target = match &database {
        Database::Sqlite => format!("sqlite:{}", world.dir.path().join("restored.db").display()),
        Database::Postgres(_) => match Database::postgres("a restore into PostgreSQL").await {
            Some(Database::Postgres(url)) => url,
            _ => return,
        },
    };
    let restored = world.cli_on(&target, &["restore", copy_text]).await;
    assert_eq!(restored.code, 0, "{restored:?}");
    let again = world.cli_on(&target, &["restore", copy_text]).await;
    assert_eq!(again.code, 1, "a store that has something in it is not overwritten: {again:?}");
    assert_eq!(world.cli_on(&target, &["verify"]).await.code, 0);

    // It is started on what it found: open pages whose next step is long due.
    let sent = world.hook.all().len();
    world.program.stop().await.unwrap();
    world.skip(std::time::Duration::from_secs(3_600));
    let dir = tempfile::tempdir().unwrap();
    let launch = world.launch_on(&target, dir.path(), &[]);
    world.program = Program::start(&launch, &world.client).await.unwrap();
    world.advance(1_200).await;
    assert_eq!(world.hook.all().len(), sent, "in quarantine it sends nothing, however long");
    let kept = world.incidents("open=true&limit=200").await.len();
    assert!((20..=40).contains(&kept), "{kept}");
    world.fire("new in the copy").await;
    assert_eq!(world.hook.all().len(), sent);
    let released = world.cli_on(&target, &["release"]).await;
    assert_eq!(released.code, 0, "{released:?}");
    world.advance(2).await;
    assert!(world.hook.all().len() > sent, "released, it goes on from present state");
    assert!(world.hook.after(sent).iter().any(|d| d.page()["incident"]["title"] == "new in the copy"));
}

async fn a_changed_event_is_named_by_verify(database: Database) {
    let mut world = world_of(database.clone(), org::usual()).await;
    for name in ["one", "two", "three"] {
        world.fire(name).await;
    }
    let two = world.incidents("").await.into_iter().find(|i| i["title"] == "two").unwrap();
    let reference = two["ref"].as_str().unwrap().to_owned();
    world.command(&format!("/incidents/{reference}/note"), json!({"text": "it was the cat"})).await.ok();
    let whole = world.cli(&["verify"]).await;
    assert_eq!(whole.code, 0, "{whole:?}");
    let event = world.events(&two).await.into_iter().find(|event| event["kind"] == "noted").unwrap();
    let (stream, version) = (event["stream"].as_str().unwrap().to_owned(), event["version"].as_i64().unwrap());
    world.program.stop().await.unwrap();
    tamper(&world.database(), "body = replace(body, 'cat', 'dog')", &stream, version).await;
    let found = world.cli(&["verify"]).await;
    assert_eq!(found.code, 1, "{found:?}");
    let said = format!("{}{}", found.stdout, found.stderr);
    assert!(said.contains(&stream) && said.contains(&version.to_string()), "it names the event: {said}");

    // Put right again, and then on nobody's timeline any more.
    tamper(&world.database(), "body = replace(body, 'dog', 'cat')", &stream, version).await;
    assert_eq!(world.cli(&["verify"]).await.code, 0);
    tamper(&world.database(), "incident = null", &stream, version).await;
    let found = world.cli(&["verify", "--json"]).await;
    assert_eq!(found.code, 1, "{found:?}");
    let found: serde_json::Value = serde_json::from_str(&found.stdout).unwrap();
    assert_eq!((&found["broken"][0]["stream"], &found["broken"][0]["version"]), (&json!(stream), &json!(version)), "{found:#}");
}

/// Changes one stored event behind the program's back, past the guard that keeps events
/// as they were written.
async fn tamper(database: &str, set: &str, stream: &str, version: i64) {
    if let Some(path) = database.strip_prefix("sqlite:") {
        let db = rusqlite::Connection::open(path).unwrap();
        let triggers: Vec<String> = db
            .prepare("select name from sqlite_master where type = 'trigger' and tbl_name = 'event'")
            .unwrap()
            .query_map([], |row| row.get(0))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        for trigger in triggers {
            db.execute_batch(&format!("drop trigger \"{trigger}\"")).unwrap();
        }
        let changed =
            db.execute(&format!("update event set {set} where stream = ?1 and version = ?2"), rusqlite::params![stream, version]).unwrap();
        assert_eq!(changed, 1);
    } else {
        let sql =
            format!("set session_replication_role = replica; update event set {set} where stream = '{stream}' and version = {version}");
        allclear_store::testing::run(database, &sql).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_in_quarantine_sends_nothing() {
    let world = allclear_trial::World::start(setup(Database::Sqlite).args(&["--quarantine"])).await;
    world.fire("disk").await;
    assert!(world.hook.all().is_empty());
    assert_eq!(world.incidents("").await.len(), 1, "it is taken in all the same");
}

/// As a node meets them whose version is older than another's on the same store.
async fn a_row_or_a_form_that_does_not_read_takes_nothing_else_with_it(database: Database) {
    let mut world = world_of(database.clone(), org::usual()).await;
    for key in ["one", "two", "three"] {
        world.fire(key).await;
    }
    run(&world, &database, "update incident set state = 'of_newer' where title = 'two'").await;
    let listed = world.incidents("open=true").await;
    let titles: Vec<&str> = listed.iter().filter_map(|incident| incident["title"].as_str()).collect();
    assert_eq!(titles, ["three", "one"]);
    assert_eq!(world.get("/").await.status, 200, "the board shows the others");
    world.program.control.watch_passes(2).await.unwrap();
    let troubles = world.api("/troubles").await.to_string();
    assert!(troubles.contains("unreadable") && troubles.contains("incident"), "{troubles}");

    run(&world, &database, "update form set body = '{\"of_newer\": true}' where kind = 'escalation'").await;
    world.kill().await;
    world.start_again(&[]).await;
    let troubles = world.api("/troubles").await.to_string();
    assert!(troubles.contains("escalation"), "{troubles}");
    let before = world.hook.all().len();
    world.fire("after the start").await;
    assert!(world.hook.all().len() > before, "without its policy the catch-all is paged");
    let doctor = world.cli(&["doctor"]).await;
    assert!(doctor.code == 1 && doctor.stdout.contains("form escalation"), "{doctor:?}");
}

/// The one number that a query finds in a store.
pub(crate) async fn count(world: &allclear_trial::world::World, database: &Database, sql: &str) -> i64 {
    match database {
        Database::Sqlite => {
            let path = world.database().strip_prefix("sqlite:").unwrap().to_owned();
            rusqlite::Connection::open(path).unwrap().query_row(sql, [], |row| row.get(0)).unwrap()
        }
        Database::Postgres(url) => allclear_store::testing::number(url, sql).await.unwrap(),
    }
}

/// Changes a store behind the program's back.
pub(crate) async fn run(world: &allclear_trial::world::World, database: &Database, sql: &str) {
    match database {
        Database::Sqlite => {
            let path = world.database().strip_prefix("sqlite:").unwrap().to_owned();
            rusqlite::Connection::open(path).unwrap().execute_batch(sql).unwrap();
        }
        Database::Postgres(url) => allclear_store::testing::run(url, sql).await.unwrap(),
    }
}
