//! Somebody writes the log anew, hashes and checkpoints with it, so that `verify` sees nothing: what left the house before shows it.

use allclear_domain::record;
use allclear_domain::record::bundle::check;
use allclear_engine::message_link::exports::is_signed;
use allclear_engine::upkeep::anchors::{Against, against};

use super::*;

/// The store as whoever runs it keeps it, and what left it: signed checkpoints, and a bundle of each incident.
async fn what_left(path: &Path) -> (String, Vec<String>) {
    let world = World::new(&format!("sqlite:{}", path.display())).await;
    let db = world.engine.db();
    let to = rows::event::newest_seq(db).await.unwrap();
    assert!(seal_next(db, to, Rest::Too, world.engine.now()).await.unwrap());
    let checkpoints: String = world.engine.signed_checkpoints(0).await.unwrap().into_iter().map(|(_, line)| line + "\n").collect();
    let system = Principal::own(Actor::System);
    let queries = world.engine.queries(&system);
    let mut bundles = Vec::new();
    for incident in world.incidents().await {
        let format = record::format("bundle").unwrap();
        bundles.push(queries.export(incident.id.parse().unwrap(), format).await.unwrap().text);
    }
    world.engine.stop().await;
    (checkpoints, bundles)
}

async fn held(path: &Path, key: u8, file: &str) -> Against {
    let options = OpenOptions { readers: 1, ..OpenOptions::new(MIGRATIONS, TABLES) };
    let db = Db::open(&format!("sqlite:{}", path.display()), options.access(Access::ReadOnly)).await.unwrap();
    let found = against(&db, &SecretKey::from_bytes([key; 32]), file.as_bytes()).await.unwrap();
    db.close().await;
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_was_rewritten_whole_is_found_by_what_left_the_house_before() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data.db");
    lived_in(&path).await;
    let (checkpoints, bundles) = what_left(&path).await;
    assert!(!checkpoints.is_empty() && bundles.len() == 8);
    let redacted: usize = bundles
        .iter()
        .map(|bundle| {
            let found = check(bundle.as_bytes(), is_signed);
            assert_eq!(found.faults, []);
            found.redacted
        })
        .sum();
    assert_eq!(redacted, 1, "an erased text is said, and its event stays verifiable");
    // The log has grown since, and fits all the same.
    let now = held(&path, 1, &checkpoints).await;
    assert_eq!((now.findings.as_slice(), now.checkpoints), (&[][..], 1));
    for bundle in &bundles {
        let now = held(&path, 1, bundle).await;
        assert!(now.findings.is_empty() && now.events > 3, "{now:?}");
    }
    assert!(held(&path, 2, &checkpoints).await.findings[0].contains("was signed by the key"), "another house's");
    for (file, why) in [("", "has no checkpoint"), ("{}\n", "line 1"), (&checkpoints[..checkpoints.len() - 9], "line 1")] {
        assert!(held(&path, 1, file).await.findings[0].contains(why), "{file:?}");
    }

    as_if_older(&path);
    let connection = Connection::open(&path).unwrap();
    connection.execute_batch("delete from checkpoint; delete from meta where name = 'checkpoints'").unwrap();
    drop(connection);
    let (_, anew) = what_left(&path).await;
    assert!(verified(&path).await.is_whole(), "whoever wrote it anew did it well");
    assert!(anew.iter().all(|bundle| check(bundle.as_bytes(), is_signed).faults.is_empty()), "hashes of the first releases are read");
    let now = held(&path, 1, &checkpoints).await;
    assert!(now.findings.len() == 1 && now.findings[0].contains("is not what it was"), "{now:?}");
    let mut found = 0;
    for bundle in &bundles {
        found += held(&path, 1, bundle)
            .await
            .findings
            .iter()
            .filter(|line| line.contains("event 1: it is not in the store what it was"))
            .count();
    }
    assert!(found >= 4, "every log that was written anew is named at its first event: {found}");
}
