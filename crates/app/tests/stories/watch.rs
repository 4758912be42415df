//! The program watches itself: what stands still is flagged within a minute, in readiness, log and metrics.

use std::time::Duration;

use allclear_domain::ids::IdGen;
use allclear_trial::webhook_sink::Delivery;
use allclear_trial::{Database, World};

use crate::{on_both, world};

on_both!(each_stage_that_stands_still_is_flagged_within_a_minute_and_no_other);

/// Seeds of the run; each freezes the stages in an order of its own.
const SEEDS: [u64; 2] = [7, 8];

async fn flagged(world: &World) -> Vec<String> {
    let metrics = world.get("/metrics").await.text;
    let line = |line: &str| line.strip_prefix("allclear_stage_still{stage=\"")?.strip_suffix("\"} 1").map(ToOwned::to_owned);
    metrics.lines().filter_map(line).collect()
}

async fn each_stage_that_stands_still_is_flagged_within_a_minute_and_no_other(database: Database) {
    let world = crate::world_of(database, allclear_trial::org::usual()).await;
    let words = [("decide", "deciding"), ("commit", "committing"), ("look", "looking at what is due"), ("send", "sending")];
    for seed in SEEDS {
        let mut dice = IdGen::new(seed);
        let mut left = words.to_vec();
        while !left.is_empty() {
            let (stage, word) = left.remove(usize::try_from(dice.next_u64() % left.len() as u64).unwrap());
            world.program.control.watch_passes(60).await.unwrap();
            assert_eq!(flagged(&world).await, Vec::<String>::new(), "nothing is flagged before {stage}");
            world.program.control.freeze(stage, true).await.unwrap();
            // Work for whoever decides and commits; the other two go round by themselves.
            let alarm = serde_json::json!({"title": format!("{stage} {seed}"), "dedup_key": format!("{stage}{seed}")}).to_string();
            let intake = format!("/in/json/{}", allclear_trial::org::JSON_KEY);
            let sender = async {
                if ["decide", "commit"].contains(&stage) {
                    world.post(&intake, alarm.clone()).await;
                }
            };
            let watch = async {
                world.program.control.watch_passes(60).await.unwrap();
                assert_eq!(flagged(&world).await, [stage], "seed {seed}");
                let ready = world.get("/-/ready").await;
                assert_eq!(ready.status, 503);
                assert!(ready.text.contains(&format!("{word} stands still")), "{}", ready.text);
                world.program.control.freeze(stage, false).await.unwrap();
            };
            tokio::join!(sender, watch);
            world.quiet().await;
            world.program.control.watch_passes(5).await.unwrap();
            assert_eq!((flagged(&world).await, world.get("/-/ready").await.status), (vec![], 200), "{stage} goes on");
            assert!(world.log().contains(&format!("{word} stands still")), "the log says it");
        }
    }
    // What was held up was not lost.
    assert!(world.hook.to("ana").len() >= 2 * SEEDS.len(), "{:?}", world.hook.to("ana").len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hours_that_pass_at_once_accuse_nobody() {
    let mut world = world().await;
    world.fire("disk").await;
    world.jump(8 * 3_600).await;
    world.program.control.watch_passes(10).await.unwrap();
    world.advance(24 * 3_600).await;
    world.program.control.watch_passes(10).await.unwrap();
    assert_eq!(flagged(&world).await, Vec::<String>::new());
}

/// A server that tells operators by a webhook and by mail.
async fn watched_world() -> World {
    let mut world = world().await;
    let hook = format!("{}/operators/secret-path", world.hook.url());
    world.try_start_again(&["--operator-alarm", &hook, "--operator-alarm", "mailto:ops@example.org"], &[]).await.unwrap();
    world
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn operators_are_told_outside_of_paging_though_every_stage_of_it_stands_still() {
    let world = watched_world().await;
    for stage in ["decide", "commit", "look", "send"] {
        world.program.control.freeze(stage, true).await.unwrap();
    }
    world.program.control.watch_passes(60).await.unwrap();
    let operators = |all: &[Delivery]| all.iter().filter(|d| d.kind() == "operator_alarm").count();
    let told = || world.hook.to("operators/secret-path");
    assert!(world.hook.wait(Duration::from_secs(20), |all| operators(all) == 1).await, "within a minute: {}", world.log());
    let alarm = &told()[0].body;
    assert_eq!((&alarm["type"], &alarm["state"]), (&"operator_alarm".into(), &"impaired".into()), "{alarm}");
    assert_eq!(alarm["base_url"], world.at("").trim_end_matches('/'));
    let kinds: Vec<&str> = alarm["impaired"].as_array().unwrap().iter().map(|one| one["kind"].as_str().unwrap()).collect();
    assert!(kinds.contains(&"stage_still"), "{alarm}");
    assert!(alarm["impaired"][0]["advice"].as_str().unwrap().contains("restart this node"), "{alarm}");
    for _ in 0..50 {
        if !world.mail.delivered_to("ops@example.org").is_empty() {
            break;
        }
        world.program.control.watch_passes(1).await.unwrap();
    }
    let mail = world.mail.delivered_to("ops@example.org");
    assert_eq!(mail.len(), 1, "by mail as well");
    assert!(mail[0].text().contains("stands still") && mail[0].text().contains("What to do: restart this node"), "{}", mail[0].text());
    // Half an hour of the same is one alarm.
    world.program.control.watch_passes(1_500).await.unwrap();
    assert_eq!(told().len(), 1, "the same is not told again within half an hour");
    for stage in ["decide", "commit", "look", "send"] {
        world.program.control.freeze(stage, false).await.unwrap();
    }
    world.program.control.watch_passes(120).await.unwrap();
    assert!(world.hook.wait(Duration::from_secs(20), |all| operators(all) == 2).await);
    assert_eq!(told()[1].body["state"], "over", "{}", told()[1].body);
    let listed = world.api("/troubles").await;
    assert_eq!((&listed["impaired"], &listed["operator_addresses"]), (&serde_json::json!([]), &2.into()));
    assert!(!world.log().contains("secret-path"), "a webhook's path may be a secret");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watch_outside_hears_every_minute_that_paging_works_and_nothing_while_it_does_not() {
    let mut world = world().await;
    let outside = format!("{}/outside/secret-path", world.hook.url());
    world.try_start_again(&["--heartbeat-to", &outside], &[]).await.unwrap();
    let heard = |all: &[Delivery]| all.iter().filter(|d| d.kind() == "heartbeat").count();
    world.program.control.watch_passes(30).await.unwrap();
    assert_eq!(heard(&world.hook.all()), 0, "what dies and starts again and again does not work");
    world.program.control.watch_passes(31).await.unwrap();
    assert!(world.hook.wait(Duration::from_secs(20), |all| heard(all) == 1).await, "{}", world.log());
    world.program.control.watch_passes(61).await.unwrap();
    assert!(world.hook.wait(Duration::from_secs(20), |all| heard(all) == 2).await);
    assert_eq!(world.hook.to("outside/secret-path")[1].body["base_url"], world.at("").trim_end_matches('/'));

    world.program.control.freeze("send", true).await.unwrap();
    world.program.control.watch_passes(60).await.unwrap();
    assert_eq!(flagged(&world).await, ["send"]);
    world.program.control.watch_passes(180).await.unwrap();
    assert_eq!(heard(&world.hook.all()), 2, "silence is the alarm");
    world.program.control.freeze("send", false).await.unwrap();
    world.quiet().await;
    world.program.control.watch_passes(61).await.unwrap();
    assert!(world.hook.wait(Duration::from_secs(20), |all| heard(all) == 3).await, "it works again");
    assert!(!world.log().contains("secret-path"), "its path may be a secret");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn doctor_tries_the_operator_alarm_and_says_what_the_server_knows() {
    let world = watched_world().await;
    let tried = world.cli(&["doctor", "--alarm", "--operator-alarm", &format!("{}/trial", world.hook.url())]).await;
    assert_eq!(tried.code, 0, "{tried:?}");
    assert!(tried.stdout.contains("told"), "{tried:?}");
    assert_eq!(world.hook.to("trial")[0].body["state"], "test");
    let dead = world.cli(&["doctor", "--alarm", "--operator-alarm", "http://127.0.0.1:9/x"]).await;
    assert_eq!(dead.code, 1, "{dead:?}");
    world.program.control.freeze("look", true).await.unwrap();
    world.program.control.watch_passes(60).await.unwrap();
    let found = world.cli(&["doctor"]).await;
    assert!(found.code == 1 && found.stdout.contains("error: paging is impaired: looking at what is due stands still"), "{found:?}");
    let board = world.get("/").await.text;
    assert!(board.contains("Paging is impaired: looking at what is due stands still"), "{board}");
    assert!(board.contains("What to do") && board.contains("restart this node"), "an administrator reads what helps: {board}");
    world.program.control.freeze("look", false).await.unwrap();
}
