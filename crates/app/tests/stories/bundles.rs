//! Much breaks at once: a person gets few messages, the worst first, and answers all of them with one tap.

use std::time::Duration;

use allclear_trial::webhook_sink::path_of;
use allclear_trial::{Database, Delivery, Reply, World, org};
use serde_json::json;

use crate::{gathering, on_both};

/// The page behind a link, however much is behind it.
const PAGE_BYTES_MAX: usize = 10_000;

on_both!(
    a_storm_is_one_message_in_ten_seconds_and_one_tap_takes_all_of_it,
    a_message_of_many_cut_off_by_a_crash_is_sent_again_as_it_was,
    what_waits_at_a_stop_goes_out_at_the_start,
    what_was_under_way_at_a_crash_goes_out_within_five_seconds,
);

fn told(world: &World) -> Vec<Delivery> {
    world.hook.to("ana")
}

fn references(delivery: &Delivery) -> Vec<String> {
    delivery.pages().iter().map(|page| page["incident"]["ref"].as_str().unwrap_or_default().to_owned()).collect()
}

async fn a_storm_is_one_message_in_ten_seconds_and_one_tap_takes_all_of_it(database: Database) {
    let mut world = World::start(gathering(database)).await;
    for n in 0..35 {
        world.fire(&format!("disk {n}")).await;
    }
    world.advance(10).await;
    let messages = told(&world);
    assert!((2..=4).contains(&messages.len()), "one at once, and then together: {messages:#?}");
    assert_eq!(messages[0].kind(), "page", "a page alone waits for nobody");
    let last = messages.last().unwrap();
    assert_eq!((last.kind(), &last.body["worst"]), ("pages", &"sev2".into()));
    assert_eq!(messages.iter().map(|m| m.pages().len()).sum::<usize>(), 35, "each is told once");

    let link = path_of(last.body["ack_url"].as_str().unwrap());
    let page = world.get(&link).await.ok();
    assert!(page.text.len() < PAGE_BYTES_MAX, "{} bytes", page.text.len());
    assert!(page.text.contains(&format!("{} incidents", last.pages().len())) && page.text.contains("Acknowledge"), "{}", page.text);
    world.press(&link).await.ok();
    world.press(&link).await.ok();
    let mine: Vec<_> = world.incidents("limit=100").await.into_iter().filter(|i| i["acknowledged_by"] == "ana").collect();
    assert_eq!(mine.len(), last.pages().len(), "all of that message, and nothing else");
    world.advance(310).await;
    assert_eq!(
        world.hook.to("ben").iter().map(|m| m.pages().len()).sum::<usize>(),
        35 - mine.len(),
        "only of what nobody took the next is paged"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_worse_than_anything_told_goes_at_once() {
    let mut world = World::start(gathering(Database::Sqlite)).await;
    for key in ["a", "b"] {
        world.signal(json!({"title": key, "dedup_key": key, "severity": "error"})).await.ok();
        world.quiet().await;
    }
    assert_eq!(told(&world).len(), 1, "the second waits for company");
    world.signal(json!({"title": "worse", "dedup_key": "worse", "severity": "critical"})).await.ok();
    world.quiet().await;
    let messages = told(&world);
    assert_eq!(messages.len(), 2);
    assert_eq!((messages[1].kind(), &messages[1].page()["incident"]["title"]), ("page", &"worse".into()));
    world.advance(10).await;
    assert_eq!(told(&world).len(), 3, "and the other follows");
}

async fn a_message_of_many_cut_off_by_a_crash_is_sent_again_as_it_was(database: Database) {
    let mut world = World::start(gathering(database)).await;
    world.fire("a").await;
    world.hook.script("/ana", Reply::Slow(Duration::from_secs(30)));
    for key in ["b", "c", "d"] {
        world.fire(key).await;
    }
    assert!(world.hook.wait(Duration::from_secs(20), |all| all.len() == 2).await, "nothing more came, so they go together");
    world.kill().await;
    world.hook.script("/ana", Reply::Ok);
    world.skip(Duration::from_secs(5));
    world.start_again(&[]).await;
    world.advance(6).await;
    let messages = told(&world);
    assert_eq!(messages.len(), 3, "{messages:#?}");
    assert_eq!(messages[1].id, messages[2].id, "under the same id, so that the receiver can tell");
    assert_eq!((references(&messages[1]).len(), references(&messages[1])), (3, references(&messages[2])), "the same pages");
    for incident in world.incidents("limit=100").await {
        let kinds = world.kinds(&incident).await;
        let doubted = kinds.contains(&"send_in_doubt".to_owned());
        assert_eq!(doubted, incident["title"] != "a", "each log says that it may have arrived: {kinds:?}");
    }
}

async fn what_waits_at_a_stop_goes_out_at_the_start(database: Database) {
    let mut world = World::start(gathering(database)).await;
    for key in ["a", "b", "c"] {
        world.fire(key).await;
    }
    assert_eq!(told(&world).len(), 1);
    world.program.stop().await.unwrap();
    world.start_again(&[]).await;
    assert!(world.hook.wait(Duration::from_secs(5), |all| all.len() == 2).await, "claims were given back");
    let messages = told(&world);
    assert_eq!(messages[1].pages().len(), 2);
    for incident in world.incidents("limit=100").await {
        assert!(!world.kinds(&incident).await.contains(&"send_in_doubt".to_owned()), "nothing was under way");
    }
}

async fn what_was_under_way_at_a_crash_goes_out_within_five_seconds(database: Database) {
    let mut world = World::start(gathering(database)).await;
    world.hook.script("/ana", Reply::Slow(Duration::from_secs(30)));
    let body = json!({"title": "disk", "dedup_key": "disk"});
    world.post(&format!("/in/json/{}", org::JSON_KEY), body.to_string()).await.ok();
    assert!(world.hook.wait(Duration::from_secs(10), |all| all.len() == 1).await);
    world.kill().await;
    world.hook.script("/ana", Reply::Ok);
    world.start_again(&[]).await;
    assert!(world.hook.wait(Duration::from_secs(5), |all| all.len() == 2).await, "no lease of a minute is waited for");
}
