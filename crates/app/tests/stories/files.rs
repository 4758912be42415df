//! The organisation as code: what is wrong with a file is said where it is wrong.

use allclear_trial::{Database, World, org};

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
async fn secrets_of_a_file_come_from_where_it_is_read_and_are_never_shown() {
    let named = org::usual().replace("key: \"json-key-0001\"", "key: !env TRIAL_JSON_KEY");
    let start = |key| setup(Database::Sqlite).org(named.clone()).env("TRIAL_JSON_KEY", key);
    // A variable that is not set stops a first start, with its line.
    let why = World::try_start(setup(Database::Sqlite).org(named.clone())).await.err().map(|why| format!("{why:#}")).unwrap_or_default();
    assert!(why.contains("org.yaml:") && why.contains("the variable `TRIAL_JSON_KEY` is not set"), "{why}");

    let mut world = World::start(start("key-of-the-environment-1")).await;
    let arrives = async |world: &World, key: &str| world.post(&format!("/in/json/{key}"), r#"{"title":"x"}"#).await.status;
    assert_eq!(arrives(&world, "key-of-the-environment-1").await, 202);
    assert_eq!(arrives(&world, "TRIAL_JSON_KEY").await, 401, "the name is not the secret");
    // Another value under the same name is applied at the next start.
    world.try_start_again(&[], &[("TRIAL_JSON_KEY", "key-of-the-environment-2")]).await.unwrap();
    assert_eq!((arrives(&world, "key-of-the-environment-1").await, arrives(&world, "key-of-the-environment-2").await), (401, 202));

    // The command line puts in what stands beside the file; the server is sent no name to resolve.
    std::fs::write(world.dir.path().join("key.txt"), "key-of-a-file-3\n").unwrap();
    let text = std::fs::read_to_string(world.dir.path().join("org.yaml")).unwrap();
    let file = world.dir.path().join("next.yaml");
    std::fs::write(&file, text.replace("!env TRIAL_JSON_KEY", "!file key.txt")).unwrap();
    let path = file.to_str().unwrap();
    let diff = world.cli(&["config", "diff", path]).await;
    assert!(diff.code == 0 && diff.stdout.contains("key") && !diff.stdout.contains("key-of"), "{diff:?}");
    assert_eq!(world.cli(&["config", "apply", path]).await.code, 0);
    assert_eq!(arrives(&world, "key-of-a-file-3").await, 202);
    let export = world.cli(&["config", "export"]).await;
    assert!(export.code == 0 && !format!("{export:?}{}", world.log()).contains("key-of-"), "{export:?}");
    let posted = world.client.post(world.at("/api/v1/org/apply")).bearer_auth(org::ADMIN_TOKEN).header("content-type", "application/yaml");
    let refused = world.send(posted.body(text)).await;
    assert_eq!((refused.status, refused.body["code"].as_str()), (422, Some("org_invalid")), "{}", refused.text);
    assert!(refused.text.contains("this text came without one"), "{}", refused.text);
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn explaining_says_every_round_when_it_begins_and_the_catch_all_when_it_really_comes() {
    let steps = "steps:\n      - {page: [\"person:ana\"], within: 2m}\n      - {page: [\"schedule:nobodys\"], within: 7m}\n      - {page: [\"person:ben\"], within: 3m}";
    let yaml = format!(
        "people:\n  - {{id: ana, name: Ana, contacts: [{{id: hook, webhook: \"{{HOOK}}/ana\", secret: \"{{SECRET}}\"}}]}}\n  \
         - {{id: ben, name: Ben, contacts: [{{id: hook, webhook: \"{{HOOK}}/ben\", secret: \"{{SECRET}}\"}}]}}\n\
         schedules:\n  - {{id: nobodys, time_zone: Etc/UTC, layers: [{{people: [ana], every: 1w, handoff: \"Mon 09:00\", starts: 2050-01-01}}]}}\n\
         escalations:\n  - id: p\n    repeat: 1\n    {steps}\n\
         services:\n  - {{id: shop, name: Shop, escalation: p}}\n\
         integrations:\n  - {{id: json, kind: json, key: \"json-key-0001\", service: shop}}\ncatch_all: [\"person:ben\"]\n"
    );
    let mut world = world_of(Database::Sqlite, yaml).await;
    let file = world.dir.path().join("signal.json");
    std::fs::write(&file, r#"{"title": "disk", "severity": "critical"}"#).unwrap();
    let told = world.cli(&["explain", "signal", file.to_str().unwrap(), "--integration", "json", "--json"]).await;
    let told: serde_json::Value = serde_json::from_str(&told.stdout).unwrap_or_else(|_| panic!("{told:?}"));
    let pages = &told["signals"][0]["pages"];
    let said: Vec<String> = pages
        .as_array()
        .unwrap()
        .iter()
        .map(|step| format!("{} {}", step["name"].as_str().unwrap(), step["after"].as_str().unwrap()))
        .collect();
    let wanted = [
        "step 1 0:00",
        "step 2 2:00",
        "step 3 2:00",
        "round 2, step 1 5:00",
        "round 2, step 2 7:00",
        "round 2, step 3 7:00",
        "catch-all 10:00",
    ];
    assert_eq!(said, wanted);
    // It comes so.
    world.fire("disk").await;
    let mut now = 0;
    for (second, ana, ben) in [(1, 1, 0), (119, 1, 0), (121, 1, 1), (299, 1, 1), (301, 2, 1), (421, 2, 2), (599, 2, 2), (601, 2, 3)] {
        world.advance(second - now).await;
        now = second;
        assert_eq!((world.hook.to("ana").len(), world.hook.to("ben").len()), (ana, ben), "after {second} s");
    }
}
