//! What the first glance at a page tells: the runbook, what was before, what is mine, and on a wall how much more there is.

use allclear_trial::{Database, org};

use crate::sign_in::{get_as, post_form, sign_in_as};
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

/// Further pages begin while nobody has it: who looks at the board reads since when that is, and that it is late.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_further_page_does_not_begin_the_count_of_nobody_anew() {
    let mut world = world_of(Database::Sqlite, org::usual()).await;
    let cho = sign_in_as(&world, "cho").await;
    world.fire("disk").await;
    let reference = world.incident().await["ref"].as_str().unwrap().to_owned();
    world.advance(240).await;
    world.act(&reference, "escalate", serde_json::json!({"page": ["person:cho"], "why": "she knows the disks"})).await;
    world.advance(120).await;
    for path in ["/", "/?wall"] {
        let board = get_as(&world, &cho, path).await.text;
        assert!(board.contains("nobody for 6:0") && board.contains("class=\"due late\""), "{path}: {board}");
    }
}

/// What the row of an incident says and offers: whose it is, by when its update is due, who is looked for by a further page, and
/// that no tap alone throws a report away.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_says_whose_it_is_by_when_and_offers_what_is_asked_of_its_reader() {
    let mut world = world_of(Database::Sqlite, org::usual() + "severities: [{id: sev2, acknowledgement_lasts: never}]\n").await;
    let ben = sign_in_as(&world, "ben").await;
    world.fire("disk").await;
    world.press(&world.hook.to("ana")[0].ack_path()).await.ok();
    // Past the mark of its reminder, before its time.
    world.advance(25 * 60).await;
    let board = get_as(&world, &ben, "/").await.text;
    let row = |board: &str| board.split("data-key=\"INC-1\"").nth(1).unwrap().split("</li>").next().unwrap().to_owned();
    let awaited = world.api("/incidents/INC-1/expectations").await;
    let update = awaited["items"].as_array().unwrap().iter().find(|one| one["rule"] == "incident.update").unwrap().clone();
    let due_at: jiff::Timestamp = update["due_at"].as_str().unwrap().parse().unwrap();
    let said: Vec<jiff::Timestamp> =
        row(&board).split("datetime=\"").skip(1).filter_map(|rest| rest.split('"').next()?.parse().ok()).collect();
    let is_due = |at: &&jiff::Timestamp| at.duration_since(due_at).abs() < jiff::SignedDuration::from_secs(1);
    assert!(said.iter().any(|at| is_due(&at)), "the board says {due_at}, as the incident's page does: {}", row(&board));
    assert!(row(&board).contains("Ana Ruiz") && !row(&board).contains("/acknowledge"), "ana has it: {}", row(&board));

    // Ben is looked for besides: he finds it on the row and on the page.
    let help = serde_json::json!({"page": ["person:ben"], "why": "two hands are few"});
    world.command("/incidents/INC-1/escalate", help).await.ok();
    world.quiet().await;
    for path in ["/", "/incidents/INC-1"] {
        let shown = get_as(&world, &ben, path).await.text;
        let part = if path == "/" { row(&shown) } else { shown };
        assert!(part.contains("/incidents/INC-1/acknowledge") && part.contains(">Acknowledge<"), "{path}: {part}");
    }

    let report = serde_json::json!({"title": "odd noise", "severity": "sev4", "report": true});
    world.command("/incidents", report).await.ok();
    let board = get_as(&world, &ben, "/").await.text;
    let odd = board.split("data-key=\"INC-2\"").nth(1).unwrap().split("</li>").next().unwrap();
    assert!(
        odd.contains("href=\"/incidents/INC-2?do=cancel\"") && !odd.contains("/incidents/INC-2/cancel"),
        "asked for a reason first: {odd}"
    );
    let asked = get_as(&world, &ben, "/incidents/INC-2?do=cancel").await.text;
    let form = asked.split("/incidents/INC-2/cancel\"").nth(1).unwrap().split("</form>").next().unwrap();
    assert!(form.contains("name=\"why\"") && form.contains("required"), "{form}");

    // What is over takes no severity: the page says so, with what was typed, though it has no such form any more.
    world.command("/incidents/INC-2/cancel", serde_json::json!({"why": "a cat"})).await.ok();
    let fields = [("severity", "sev2"), ("why", "worse than thought")];
    let refused = post_form(&world, "/incidents/INC-2/severity", Some(&ben), &fields).await;
    assert_eq!(refused.status, 409, "{}", refused.text);
    assert!(refused.text.contains("This was not done") && refused.text.contains("worse than thought"), "{}", refused.text);
}
