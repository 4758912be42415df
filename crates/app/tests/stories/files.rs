//! The organisation as code: what is wrong with a file is said where it is wrong.

use allclear_trial::{Database, org};

use crate::{setup, world, world_of};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mistakes_are_named_by_file_line_key_and_what_would_work() {
    let world = world().await;
    let wrong = r#"people:
  - {id: ana, name: Ana Ruiz, contacts: [{id: mail, email: ana@example.org}], notify: {high: [{contact: sms}]}}
escalations:
  - {id: main, steps: [{page: ["person:anna"], within: 5m}]}
services:
  - {id: shop, name: Shop, escalation: mian}
"#;
    let path = world.dir.path().join("wrong.yaml");
    std::fs::write(&path, wrong).unwrap();
    let checked = world.cli(&["config", "check", path.to_str().unwrap()]).await;
    assert_eq!(checked.code, 1, "{checked:?}");
    let said = format!("{}{}", checked.stdout, checked.stderr);
    for (line, word) in [(2, "sms"), (4, "anna"), (6, "mian")] {
        assert!(said.contains(&format!("wrong.yaml:{line}")) && said.contains(word), "line {line} and `{word}`: {said}");
    }
    assert!(said.contains("ana") && said.contains("main"), "what would work: {said}");
    for broken in ["people:\n  - {id: ana, naem: Ana}\n", "people: [\n", "people:\n  - {id: Ana!, name: Ana}\n"] {
        std::fs::write(&path, broken).unwrap();
        let checked = world.cli(&["config", "check", path.to_str().unwrap()]).await;
        let said = format!("{}{}", checked.stdout, checked.stderr);
        assert!(checked.code == 1 && said.contains("wrong.yaml:"), "{broken:?}: {said}");
    }
    let good = world.dir.path().join("org.yaml");
    assert_eq!(world.cli(&["config", "check", good.to_str().unwrap()]).await.code, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_with_a_wrong_file_is_refused_and_applies_nothing() {
    let started =
        allclear_trial::World::try_start(setup(Database::Sqlite).org(org::usual().replace("payments, tier", "paymints, tier"))).await;
    let why = started.err().map(|why| format!("{why:#}")).unwrap_or_default();
    assert!(why.contains("org.yaml:") && why.contains("paymints"), "{why}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn applying_is_idempotent_prunes_only_when_told_and_shows_no_secret_again() {
    let world = world().await;
    let file = world.dir.path().join("next.yaml");
    let path = file.to_str().unwrap();
    let text = std::fs::read_to_string(world.dir.path().join("org.yaml")).unwrap();
    std::fs::write(&file, &text).unwrap();
    let same = world.cli(&["config", "diff", path, "--json"]).await;
    assert_eq!(same.code, 0, "{same:?}");
    assert!(!same.stdout.contains("\"id\""), "the same file changes nothing: {}", same.stdout);
    let without_search: String = text.lines().filter(|line| !line.contains("search")).map(|line| format!("{line}\n")).collect();
    std::fs::write(&file, without_search).unwrap();
    assert_eq!(world.cli(&["config", "apply", path]).await.code, 0);
    let exported = world.cli(&["config", "export"]).await;
    assert!(exported.stdout.contains("Search"), "nothing is deleted without being told: {exported:?}");
    assert_eq!(world.cli(&["config", "apply", "--prune", path]).await.code, 0);
    let exported = world.cli(&["config", "export"]).await;
    assert!(!exported.stdout.contains("Search") && exported.stdout.contains("Checkout"), "{exported:?}");
    assert!(!exported.stdout.contains(org::JSON_KEY) && !exported.stdout.contains("whsec_dHJp"), "an export masks its secrets");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn explaining_a_payload_says_who_would_be_paged_and_pages_nobody() {
    let world = world_of(Database::Sqlite, org::usual()).await;
    let file = world.dir.path().join("signal.json");
    std::fs::write(&file, r#"{"title": "disk", "severity": "critical"}"#).unwrap();
    let told = world.cli(&["explain", "signal", file.to_str().unwrap(), "--integration", "json"]).await;
    assert_eq!(told.code, 0, "{told:?}");
    for word in ["sev2", "ana", "ben"] {
        assert!(told.stdout.to_lowercase().contains(word), "{word}: {}", told.stdout);
    }
    assert!(world.hook.all().is_empty() && world.incidents("").await.is_empty());
}
