//! The hourly canary goes the way of a page to nobody, and those who run the program hear when it does not arrive.

use std::time::Duration;

use allclear_trial::webhook_sink::Delivery;
use allclear_trial::{Database, World};

use crate::{copies, on_both};

on_both!(a_canary_goes_through_every_stage_each_hour_and_is_missed_within_a_minute);

/// When the last one arrived, by the metrics; 0 before the first.
async fn arrived_at(world: &World) -> f64 {
    let metrics = world.get("/metrics").await.text;
    let line =
        metrics.lines().find_map(|line| line.strip_prefix("allclear_canary_arrived_timestamp_seconds ")).expect("the metric is there");
    line.parse().unwrap()
}

/// Whether one arrives later than this one.
async fn arrives_after(world: &World, before: f64) -> bool {
    for _ in 0..100 {
        world.quiet().await;
        if arrived_at(world).await > before {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    false
}

/// Kinds of what impairs paging.
async fn impaired(world: &World) -> Vec<String> {
    let listed = world.api("/troubles").await;
    listed["impaired"].as_array().unwrap().iter().map(|one| one["kind"].as_str().unwrap().to_owned()).collect()
}

async fn a_canary_goes_through_every_stage_each_hour_and_is_missed_within_a_minute(database: Database) {
    let mut world = crate::world_of(database.clone(), allclear_trial::org::usual()).await;
    let hook = format!("{}/operators/path", world.hook.url());
    world.try_start_again(&["--operator-alarm", &hook], &[]).await.unwrap();
    let told = |all: &[Delivery]| all.iter().filter(|d| d.kind() == "operator_alarm").count();
    let watch = |seconds| world.program.control.watch_passes(seconds);

    watch(290).await.unwrap();
    assert_eq!(arrived_at(&world).await, 0.0, "not right after a start: what dies and starts again has proved nothing");
    watch(15).await.unwrap();
    assert!(arrives_after(&world, 0.0).await, "five minutes after it: {}", world.log());
    let first = arrived_at(&world).await;
    watch(60).await.unwrap();
    assert_eq!((arrived_at(&world).await, impaired(&world).await), (first, vec![]), "one an hour");
    let metrics = world.get("/metrics").await.text;
    let figures: Vec<&str> = metrics
        .lines()
        .filter(|line| {
            !line.starts_with('#')
                && ["result=\"delivered\"", "_latency_seconds_count", "notification_good"].iter().any(|of| line.contains(of))
        })
        .collect();
    assert!(figures.len() >= 2 && figures.iter().all(|line| line.ends_with(" 0")), "it is in no figure of pages: {figures:?}");
    assert_eq!(world.hook.all().len(), 0, "it rings nobody");

    // One that hangs where nothing else would say so: its time was put off behind the program's back.
    world.try_start_again(&["--operator-alarm", &hook], &[]).await.unwrap();
    let watch = |seconds| world.program.control.watch_passes(seconds);
    watch(295).await.unwrap();
    let first = arrived_at(&world).await;
    assert_eq!(first, 0.0, "by this start");
    world.program.control.freeze("look", true).await.unwrap();
    watch(10).await.unwrap();
    let waits = "select count(*) from expectation where rule = 'org.canary' and standing = 'live'";
    for _ in 0..100 {
        if copies::count(&world, &database, waits).await == 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let put_off = "update expectation set next_look_at = next_look_at + 86400000000 where rule = 'org.canary' and standing = 'live'";
    copies::run(&world, &database, put_off).await;
    world.program.control.freeze("look", false).await.unwrap();
    watch(20).await.unwrap();
    assert_eq!(impaired(&world).await, Vec::<String>::new(), "it has its time");
    watch(40).await.unwrap();
    assert!(world.hook.wait(Duration::from_secs(20), |all| told(all) == 1).await, "within a minute: {}", world.log());
    assert_eq!(impaired(&world).await, ["canary_lost"]);
    let alarm = &world.hook.to("operators/path")[0].body;
    let lost = &alarm["impaired"][0];
    assert_eq!(lost["kind"], "canary_lost", "{alarm}");
    assert!(
        lost["detail"].as_str().unwrap().contains("it waits to be looked at") && !lost["advice"].as_str().unwrap().is_empty(),
        "{alarm}"
    );

    let back = "update expectation set next_look_at = next_look_at - 86400000000 where rule = 'org.canary' and standing = 'live'";
    copies::run(&world, &database, back).await;
    world.program.control.jump(1).await.unwrap();
    assert!(arrives_after(&world, first).await, "it goes on: {}", world.log());
    assert_eq!(impaired(&world).await, Vec::<String>::new());
    watch(120).await.unwrap();
    assert!(world.hook.wait(Duration::from_secs(20), |all| told(all) == 2).await, "and they hear that it is over");
    for left in [waits, "select count(*) from message"] {
        assert_eq!(copies::count(&world, &database, left).await, 0, "{left}");
    }
}
