//! What the first glance at a page tells: the runbook, what was before, what is mine, and on a wall how much more there is.

use allclear_trial::{Database, org};

use crate::sign_in::{get_as, sign_in_as};
use crate::world_of;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_glance_has_the_runbook_and_mine_means_one_thing() {
    let org = org::usual().replacen("{id: checkout,", "{id: checkout, runbook: \"https://runbooks.example.org/checkout\",", 1);
    let world = world_of(Database::Sqlite, org).await;
    let ana = sign_in_as(&world, "ana").await;
    let page = async |path: &str| get_as(&world, &ana, path).await.text;
    for title in ["first", "second", "third"] {
        world
            .command("/incidents", serde_json::json!({"title": title, "severity": "sev3", "service": "checkout", "page": false}))
            .await
            .ok();
    }
    world.command("/incidents/INC-1/resolve", serde_json::json!({})).await.ok();
    let third = page("/incidents/INC-3").await;
    let head = third.split("class=\"tabs\"").next().unwrap();
    assert!(head.contains("href=\"https://runbooks.example.org/checkout\""), "the runbook stands in the head: {head}");
    let before = third.split("Same service before").nth(1).unwrap().split("</section>").next().unwrap();
    assert!(before.contains("INC-1") && !before.contains("INC-2"), "only what is over: {before}");

    // What asks somebody is theirs, on the board and under Me.
    world.fire("disk").await;
    let asked = world.incidents("state=declared&limit=1").await[0]["ref"].as_str().unwrap().to_owned();
    for path in ["/?mine", "/menu"] {
        let mine = page(path).await;
        assert!(mine.contains(&asked) && mine.contains("what asks you now"), "{path}: {mine}");
        assert!(!mine.contains("INC-2"), "{path}: {mine}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wall_counts_what_it_has_no_room_for_and_says_nothing_of_tests() {
    let world = world_of(Database::Sqlite, org::usual()).await;
    let ana = sign_in_as(&world, "ana").await;
    for n in 0..9 {
        let body = serde_json::json!({"title": format!("thing {n}"), "severity": "sev3", "page": false});
        world.command("/incidents", body).await.ok();
    }
    let wall = get_as(&world, &ana, "/?wall").await.text;
    assert_eq!(wall.matches("data-key=\"INC-").count(), 7, "{wall}");
    assert!(wall.contains("+2 more") && !wall.contains("never answered a test page"), "{wall}");
    let board = get_as(&world, &ana, "/").await.text;
    assert!(board.matches("data-key=\"INC-").count() == 9 && !board.contains("+2 more"), "{board}");
}
