//! A message meets the world: providers that fail, stall, refuse and lie.

use std::time::Duration;

use allclear_trial::{Database, Reply, org};

use crate::{on_both, setup, world, world_of};

on_both!(a_failed_webhook_pulls_the_next_contact_forward, mail_that_is_deferred_is_tried_again_and_arrives_once);

/// Ana is told by webhook, and by mail a quarter of an hour later.
fn hook_then_mail() -> String {
    org::usual().replacen("high: [{contact: hook}]", "high: [{contact: hook}, {contact: mail, after: 15m}]", 1)
}

/// Ana is told by mail, and by webhook a quarter of an hour later.
fn mail_then_hook() -> String {
    org::usual().replacen("high: [{contact: hook}]", "high: [{contact: mail}, {contact: hook, after: 15m}]", 1)
}

async fn a_failed_webhook_pulls_the_next_contact_forward(database: Database) {
    let world = allclear_trial::World::start(setup(database).org(hook_then_mail())).await;
    world.hook.script("/ana", Reply::Status(404));
    world.fire("disk").await;
    let mails = world.mail.delivered_to("ana@example.org");
    assert_eq!(mails.len(), 1, "the mail does not wait for its quarter of an hour");
    assert_eq!(world.hook.to("ana").len(), 1, "404 is final");
    assert_eq!(world.hook.to("ben").len(), 0, "ana was reached, so ben is not woken");
    let incident = world.incident().await;
    let failed = world.bodies(&incident, "send_failed").await;
    assert!(failed[0]["why"].as_str().unwrap().contains("404"), "{failed:#?}");
    let link = mails[0].ack_path().unwrap_or_else(|| panic!("the mail has a link: {}", mails[0].raw));
    world.press(&link).await.ok();
    assert_eq!(world.incident().await["acknowledged_by"], "ana");
}

async fn mail_that_is_deferred_is_tried_again_and_arrives_once(database: Database) {
    let mut world = allclear_trial::World::start(setup(database).org(mail_then_hook())).await;
    world.mail.script("ana@example.org", "451 4.3.0 try again later");
    world.fire("disk").await;
    assert_eq!(world.mail.delivered_to("ana@example.org").len(), 0);
    assert_eq!(world.hook.to("ana").len(), 1, "the first deferral already pulls the next contact forward");
    assert_eq!(world.hook.to("ben").len(), 0);
    world.mail.friendly("ana@example.org");
    world.advance(10).await;
    let delivered = world.mail.delivered_to("ana@example.org");
    assert_eq!(delivered.len(), 1, "it is tried again within seconds");
    let ids: std::collections::HashSet<String> = world.mail.all().iter().map(|mail| mail.message_id().to_owned()).collect();
    assert_eq!(ids.len(), 1, "every try has the same Message-ID");
    world.advance(120).await;
    assert_eq!(world.mail.delivered_to("ana@example.org").len(), 1, "and arrives once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mail_that_is_refused_falls_to_the_next_contact_and_is_not_tried_again() {
    let mut world = world_of(Database::Sqlite, mail_then_hook()).await;
    world.mail.script("ana@example.org", "550 5.1.1 no such mailbox");
    world.fire("disk").await;
    assert_eq!((world.mail.all().len(), world.hook.to("ana").len()), (1, 1));
    world.advance(200).await;
    assert_eq!(world.mail.all().len(), 1);
    assert_eq!(world.hook.to("ben").len(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_no_contact_of_a_step_works_the_next_step_follows_at_once() {
    let mut world = world().await;
    world.hook.script("/ana", Reply::Status(500));
    world.fire("disk").await;
    world.advance(30).await;
    assert_eq!(world.hook.to("ben").len(), 1, "after three tries within half a minute, not after five minutes");
    assert!(world.hook.to("ana").len() >= 3);
    let ids: std::collections::HashSet<String> = world.hook.to("ana").into_iter().map(|d| d.id).collect();
    assert_eq!(ids.len(), 1, "every try has the same webhook-id");
    world.hook.script("/ana", Reply::Ok);
    world.advance(70).await;
    assert_eq!(world.hook.to("ana").iter().filter(|d| d.answered == 200).count(), 1, "a receiver that comes back is told once");
    world.hook.to("ana").iter().for_each(|d| assert!(d.signed));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_cut_after_the_request_is_in_doubt_and_sent_again_under_its_id() {
    let mut world = world().await;
    world.hook.script("/ana", Reply::DropAfterReading);
    world.fire("disk").await;
    world.hook.script("/ana", Reply::Ok);
    world.advance(5).await;
    let tries = world.hook.to("ana");
    assert_eq!(tries.iter().filter(|d| d.answered == 200).count(), 1, "{tries:#?}");
    assert!(tries.iter().all(|d| d.id == tries[0].id && d.page() == tries[0].page()), "the same words under the same id");
    let incident = world.incident().await;
    let kinds = world.kinds(&incident).await;
    let at = |kind: &str| kinds.iter().position(|known| known == kind);
    assert!(at("send_in_doubt").is_some() && at("send_in_doubt") < at("delivered"), "the log says that it may have arrived: {kinds:?}");
    assert_eq!(kinds.iter().filter(|kind| *kind == "send_in_doubt").count(), 1, "once, however often it is tried: {kinds:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redirect_is_not_followed() {
    let world = world_of(Database::Sqlite, hook_then_mail()).await;
    world.hook.script("/ana", Reply::Redirect(format!("{}/elsewhere", world.hook.url())));
    world.fire("disk").await;
    assert_eq!((world.hook.to("ana").len(), world.hook.to("elsewhere").len()), (1, 0));
    assert_eq!(world.mail.delivered_to("ana@example.org").len(), 1, "it counts as failed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_receiver_holds_nobody_up() {
    let org = org::with_escalation("escalations:\n  - {id: payments, steps: [{page: [\"person:ana\", \"person:ben\"], within: 5m}]}");
    let world = world_of(Database::Sqlite, org).await;
    world.hook.script("/ana", Reply::Slow(Duration::from_secs(3)));
    let fired = std::time::Instant::now();
    let body = serde_json::json!({"title": "disk", "dedup_key": "disk"});
    world.post(&format!("/in/json/{}", org::JSON_KEY), body.to_string()).await.ok();
    assert!(world.hook.wait(Duration::from_secs(3), |all| all.iter().any(|d| d.path == "/ben")).await, "ben is told meanwhile");
    assert!(fired.elapsed() < Duration::from_secs(3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_sent_into_private_networks_without_leave() {
    for target in [
        "http://169.254.169.254/latest/meta-data",
        "http://10.0.0.1/x",
        "http://127.0.0.1:1/x",
        "http://[::1]:1/x",
        "http://2130706433:1/x",
    ] {
        let org = hook_then_mail().replace("{HOOK}/ana", target);
        let world = allclear_trial::World::start(setup(Database::Sqlite).org(org).guarded()).await;
        world.fire("disk").await;
        assert_eq!(world.mail.delivered_to("ana@example.org").len(), 1, "{target}: refused at once, so the mail is pulled forward");
        let incident = world.incident().await;
        let failed = world.bodies(&incident, "send_failed").await;
        let why = failed[0]["why"].as_str().unwrap_or_default();
        assert!(why.contains("private") && why.contains("--allow-private-targets"), "{target}: says why and what would work: {why}");
    }
}
