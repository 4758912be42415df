//! Providers that ask for patience, and targets that are dead: neither costs a page its time.

use allclear_trial::{Database, Reply, World, org};

use crate::{on_both, setup};

on_both!(
    who_asks_for_more_patience_than_the_step_has_is_passed_at_once,
    a_dead_target_is_left_alone_and_those_who_wait_for_it_hear_so_once
);

async fn who_asks_for_more_patience_than_the_step_has_is_passed_at_once(database: Database) {
    let mut world = World::start(setup(database)).await;
    world.hook.script("/ana", Reply::Later(300));
    world.fire("disk").await;
    assert_eq!(world.hook.to("ben").len(), 1, "the only way to ana waits for longer than a third of the step");
    let incident = world.incident().await;
    let delayed = world.bodies(&incident, "send_delayed").await;
    assert_eq!(delayed[0]["given_up"], true, "{delayed:#?}");
    world.hook.script("/ana", Reply::Ok);
    world.advance(290).await;
    assert_eq!(world.hook.to("ana").len(), 1, "the try itself stays, for as long as was asked");
    world.advance(20).await;
    let tries = world.hook.to("ana");
    assert_eq!(tries.iter().filter(|delivery| delivery.answered == 200).count(), 1, "{tries:#?}");
}

async fn a_dead_target_is_left_alone_and_those_who_wait_for_it_hear_so_once(database: Database) {
    // Nobody listens on port 1.
    let dead = org::usual().replacen("{HOOK}/ana", "http://127.0.0.1:1/ana", 1);
    let mut world = World::start(setup(database).org(dead)).await;
    world.fire("disk").await;
    world.advance(15).await;
    assert_eq!(world.hook.to("ben").len(), 1, "three tries, then the next step");
    world.command("/incidents/INC-1/acknowledge", serde_json::json!({"by": "ben"})).await.ok();
    world.fire("next").await;
    world.advance(1).await;
    assert_eq!(world.hook.to("ben").len(), 2, "what waits for a target that is known to be dead goes the next way at once");
    let next = world.incidents("").await.into_iter().find(|incident| incident["title"] == "next").unwrap();
    let delayed = world.bodies(&next, "send_delayed").await;
    assert!(delayed[0]["why"].as_str().unwrap().contains("does not answer since"), "{delayed:#?}");
    let events = world.events(&next).await.len();
    world.advance(240).await;
    assert_eq!(world.events(&next).await.len(), events, "and nothing is written for tries that did not leave");
}
