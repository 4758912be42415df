//! Whether somebody is reached, tried before a night needs it: a test page over the real path, with its receipt, and nothing
//! of it among what is real.

use std::time::Duration;

use allclear_trial::webhook_sink::Delivery;
use allclear_trial::world::Answer;
use allclear_trial::{Database, World};
use serde_json::json;

use crate::{on_both, world_of};

on_both!(a_test_page_reaches_whoever_asks_and_says_what_came_of_it, a_test_acknowledged_past_its_message_proves_nothing);

/// How long a message may take to arrive.
const WITHIN: Duration = Duration::from_secs(10);

async fn token(world: &World, person: &str) -> String {
    let made = world.command("/tokens", json!({"name": person, "scope": "respond", "person": person})).await.ok().body;
    made["token"].as_str().unwrap().to_owned()
}

async fn me(world: &World, token: &str) -> String {
    world.send(world.client.get(world.at("/menu")).bearer_auth(token).header("accept", "text/html")).await.ok().text
}

async fn test_page(world: &World, token: &str, once: &str) -> Answer {
    let request = world.client.post(world.at("/menu/test")).bearer_auth(token).header("accept", "text/html");
    world.send(request.header("content-type", "application/x-www-form-urlencoded").body(format!("once={once}"))).await
}

async fn a_test_page_reaches_whoever_asks_and_says_what_came_of_it(database: Database) {
    let mut world = world_of(database, allclear_trial::org::usual()).await;
    let ben = token(&world, "ben").await;

    // Everybody sees their own ways and rules, and what is not known of them.
    let before = me(&world, &ben).await;
    for words in ["How I am reached", "ben@example.org", "never tested", "hook at once", "Send me a test page", "Change how I am reached"] {
        assert!(before.contains(words), "{words}: {before}");
    }
    assert!(!before.contains("ana@example.org"), "{before}");

    // To them alone, marked as a test, and answered by its link.
    assert_eq!(test_page(&world, &ben, "1790000000000000").await.status, 303);
    assert_eq!(test_page(&world, &ben, "1790000000000000").await.status, 303, "tapped twice it is one");
    assert!(world.hook.wait(WITHIN, |all| all.iter().any(Delivery::is_page)).await, "a page arrives");
    world.quiet().await;
    let [page] = world.hook.to("ben").try_into().unwrap_or_else(|all| panic!("one page: {all:?}"));
    assert!(page.body.to_string().contains("Test page for Ben Okafor: nothing is wrong"), "{}", page.body);
    assert!(me(&world, &ben).await.contains("waiting for you to acknowledge it"));
    assert_eq!(world.incidents("open=true&exercises=true").await.len(), 1, "it stands in a log");
    world.advance(12).await;
    let pressed = world.press(&page.ack_path()).await;
    assert!(pressed.status < 400, "{}", pressed.text);
    let shown = world.send(world.client.get(world.at(&page.ack_path())).header("accept", "text/html")).await.ok().text;
    assert!(shown.contains("You are reached: the test page was answered"), "{shown}");
    let after = me(&world, &ben).await;
    assert!(after.contains("acknowledged after 12 s") && after.contains("hook (webhook): delivered"), "{after}");

    // Nothing of it is left open, on the board, or in the trends; nobody hears of it again.
    assert!(world.incidents("").await.is_empty(), "a list shows what is real");
    let incident = world.incidents("exercises=true").await.remove(0);
    assert_eq!(incident["state"], "cancelled", "{incident}");
    assert_eq!(world.api("/trends").await["incidents"], 0);
    world.advance(3600).await;
    assert_eq!(world.hook.all().len(), 1, "{:?}", world.hook.all());

    // Where nobody answers, nobody else is woken either.
    assert_eq!(test_page(&world, &ben, "1790000000000001").await.status, 303);
    assert!(world.hook.wait(WITHIN, |all| all.len() == 2).await);
    let board = world.send(world.client.get(world.at("/")).bearer_auth(&ben).header("accept", "text/html")).await.ok().text;
    assert!(!board.contains("Test page for Ben"), "{board}");
    world.advance(3600).await;
    let late = me(&world, &ben).await;
    assert!(late.contains("not acknowledged"), "{late}");
    assert_eq!(world.hook.all().len(), 2, "the catch-all slept");
    assert!(world.incidents("open=true&exercises=true").await.is_empty(), "and it is over");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_test_that_waits_is_the_one_to_answer_and_there_are_a_few_in_a_while() {
    let mut world = world_of(Database::Sqlite, allclear_trial::org::usual()).await;
    let ben = token(&world, "ben").await;
    let once = |n: u64| (1_790_000_000_000_000 + n).to_string();
    for n in 0..5 {
        for again in 0..2 {
            let asked = test_page(&world, &ben, &once(2 * n + again)).await;
            let said = if again == 0 { "/menu?tested#test" } else { "/menu?waits#test" };
            assert_eq!((asked.status, asked.header("location")), (303, Some(said)), "{n}");
            world.quiet().await;
        }
        let shown = world.send(world.client.get(world.at("/menu?waits")).bearer_auth(&ben).header("accept", "text/html")).await.ok().text;
        assert!(shown.contains(" still waits: nothing new was sent."), "{shown}");
        let pages = world.hook.to("ben");
        assert_eq!(pages.len() as u64, n + 1, "asked for twice it is one, while it waits");
        world.press(&pages.last().unwrap().ack_path()).await.ok();
    }
    let refused = test_page(&world, &ben, &once(20)).await;
    assert!(refused.status == 429 && refused.text.contains("at most 5 in 10"), "{} {}", refused.status, refused.text);
    let wait: u64 = refused.header("retry-after").expect("when again").parse().unwrap();
    world.advance(wait).await;
    assert_eq!(test_page(&world, &ben, &once(21)).await.status, 303);
}

async fn a_test_acknowledged_past_its_message_proves_nothing(database: Database) {
    let world = world_of(database, allclear_trial::org::usual()).await;
    let ben = token(&world, "ben").await;
    // By themselves with a token, and by somebody else.
    for (n, asker) in [(1, Some(&ben)), (2, None)] {
        assert_eq!(test_page(&world, &ben, &format!("179000000000000{n}")).await.status, 303);
        assert!(world.hook.wait(WITHIN, |all| all.len() == n).await, "a page arrives");
        let open = world.incidents("open=true&exercises=true").await;
        let request = world.client.post(world.at(&format!("/api/v1/incidents/{}/acknowledge", open[0]["id"].as_str().unwrap())));
        let request = match asker {
            Some(token) => request.bearer_auth(token),
            None => request.bearer_auth(allclear_trial::org::ADMIN_TOKEN),
        };
        world.send(request.json(&json!({}))).await.ok();
        let shown = me(&world, &ben).await;
        assert!(shown.contains("acknowledged, not by the message"), "{shown}");
        let page = world.hook.to("ben").pop().unwrap();
        let link = world.send(world.client.get(world.at(&page.ack_path())).header("accept", "text/html")).await.ok().text;
        assert!(link.contains("it was acknowledged, not by its message"), "{link}");
        let people = world
            .send(
                world.client.get(world.at("/settings/person")).bearer_auth(allclear_trial::org::ADMIN_TOKEN).header("accept", "text/html"),
            )
            .await
            .ok()
            .text;
        assert!(!people.contains("answered a test"), "{people}");
    }
}

/// A test that went out to what is no contact of theirs any more proves nothing of the new one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_test_goes_out_anew_where_ones_contacts_changed() {
    let usual = allclear_trial::org::usual();
    let world = world_of(Database::Sqlite, usual.clone()).await;
    let ben = token(&world, "ben").await;
    assert_eq!(test_page(&world, &ben, "1790000000000001").await.header("location"), Some("/menu?tested#test"));
    world.quiet().await;
    assert_eq!(test_page(&world, &ben, "1790000000000002").await.header("location"), Some("/menu?waits#test"));
    let (before, bens) = usual.split_once("{id: ben,").unwrap();
    let bens = bens.replacen("{id: hook,", "{id: phone,", 1).replacen(
        "high: [{contact: hook}], low: [{contact: hook}]",
        "high: [{contact: phone}]",
        1,
    );
    let path = world.dir.path().join("next.yaml");
    std::fs::write(&path, allclear_trial::org::filled(&format!("{before}{{id: ben,{bens}"), "http://127.0.0.1:1")).unwrap();
    let applied = world.cli(&["config", "apply", &path.display().to_string()]).await;
    assert_eq!(applied.code, 0, "{}", applied.stderr);
    assert_eq!(test_page(&world, &ben, "1790000000000003").await.header("location"), Some("/menu?tested#test"), "by the new one");
}
