//! A page on a phone, through ntfy: its button acknowledges.

use allclear_trial::webhook_sink::path_of;
use allclear_trial::{Database, Delivery, Reply, org};

use crate::{gathering, on_both, world_of};

on_both!(the_button_on_a_phone_acknowledges);

const TOKEN: &str = "tk_AgQdq7mVBoFD37zQVN29RhuMzNIz2";

/// Ana is told by ntfy, and by mail a quarter of an hour later. The sink is the ntfy server: all topics arrive at its root.
fn by_ntfy() -> String {
    let hook = r#"{id: hook, webhook: "{HOOK}/ana", secret: "{SECRET}"}"#;
    org::usual().replacen(hook, &format!(r#"{{id: phone, ntfy: "{{HOOK}}/ana", token: {TOKEN}}}"#), 1).replacen(
        "notify: {high: [{contact: hook}], low: [{contact: hook}]}",
        "notify: {high: [{contact: phone}, {contact: mail, after: 15m}], low: [{contact: phone}]}",
        1,
    )
}

fn at_ntfy(world: &allclear_trial::World) -> Vec<Delivery> {
    world.hook.all().into_iter().filter(|delivery| delivery.path == "/").collect()
}

async fn the_button_on_a_phone_acknowledges(database: Database) {
    let mut world = allclear_trial::World::start(gathering(database).org(by_ntfy())).await;
    world.fire("disk").await;
    let got = at_ntfy(&world);
    assert_eq!(got.len(), 1);
    assert_eq!(got[0].authorization, format!("Bearer {TOKEN}"));
    let body = &got[0].body;
    assert_eq!((body["topic"].as_str(), body["priority"].as_u64()), (Some("ana"), Some(4)), "{body}");
    assert!(body["title"].as_str().unwrap().contains("disk"), "{body}");
    let incident = world.incident().await;
    assert!(body["click"].as_str().unwrap().ends_with(&format!("/incidents/{}", incident["ref"].as_str().unwrap())), "{body}");
    let delivered = world.bodies(&incident, "delivered").await;
    assert_eq!(delivered.len(), 1, "{delivered:?}");
    let button = &body["actions"][0];
    assert_eq!((button["action"].as_str(), button["method"].as_str()), (Some("http"), Some("POST")), "{body}");

    world.press(&path_of(button["url"].as_str().unwrap())).await.ok();
    assert_eq!(world.incident().await["acknowledged_by"], "ana");
    world.advance(20 * 60).await;
    assert_eq!(world.mail.all().len() + world.hook.to("ben").len(), 0, "nobody else is woken");
    let metrics = world.send(world.client.get(world.at("/metrics"))).await.ok().text;
    assert!(metrics.contains("allclear_outbox_waiting{channel=\"ntfy\"} 0"), "{metrics}");
    assert!(!world.log().contains(TOKEN), "no secret in the log");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_topic_that_may_not_be_written_to_pulls_the_next_contact_forward() {
    let world = world_of(Database::Sqlite, by_ntfy()).await;
    world.hook.script("/", Reply::Status(403));
    world.fire("disk").await;
    assert_eq!((at_ntfy(&world).len(), world.mail.delivered_to("ana@example.org").len()), (1, 1), "403 is final");
    let incident = world.incident().await;
    let failed = world.bodies(&incident, "send_failed").await;
    assert!(failed[0]["why"].as_str().unwrap().contains("may not publish"), "{failed:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_has_had_too_much_is_asked_again_when_it_says() {
    let mut world = world_of(Database::Sqlite, by_ntfy()).await;
    world.hook.script("/", Reply::Later(30));
    world.fire("disk").await;
    world.hook.script("/", Reply::Ok);
    world.advance(25).await;
    assert_eq!(at_ntfy(&world).len(), 1, "not before its time");
    world.advance(10).await;
    assert_eq!(at_ntfy(&world).len(), 2);
    let incident = world.incident().await;
    assert_eq!(world.bodies(&incident, "delivered").await.len(), 1 + world.mail.all().len(), "and then it arrives");
}
