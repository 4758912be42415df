//! The page behind a message's link goes on once the incident is its reader's: a note, help, the end, giving it back. Nobody
//! signs in.

use allclear_trial::world::Answer;
use allclear_trial::{Database, World, org};

use crate::sign_in::encoded;
use crate::{on_both, world_of};

on_both!(
    who_has_it_goes_on_behind_their_link,
    help_is_somebody_else,
    a_link_goes_on_with_nothing_that_is_not_its_reader_s,
    what_somebody_lost_is_not_theirs_to_go_on_with,
    what_is_given_back_once_its_alerts_are_over_wakes_nobody,
);

async fn page(world: &World, link: &str) -> String {
    world.send(world.client.get(world.at(link)).header("accept", "text/html")).await.ok().text
}

/// A form of the page, as a browser posts it.
async fn post_form(world: &World, path: &str, fields: &[(&str, &str)]) -> Answer {
    let request = world.client.post(world.at(path)).header("accept", "text/html");
    world.send(request.header("content-type", "application/x-www-form-urlencoded").body(encoded(fields))).await
}

async fn log(world: &World) -> Vec<String> {
    let incident = world.incident().await;
    let events = world.api(&format!("/incidents/{}/events", incident["id"].as_str().unwrap())).await;
    events["items"].as_array().unwrap().iter().map(|event| event["line"].as_str().unwrap().to_owned()).collect()
}

/// An instant of a page, so that the same form sent again is known.
fn once(page: &str) -> String {
    page.split("name=\"once\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
}

async fn who_has_it_goes_on_behind_their_link(database: Database) {
    let world = world_of(database, org::usual()).await;
    let body = serde_json::json!([{"title": "Card payments fail", "dedup_key": "a", "description": "12 % of requests fail since the 02:51 deploy",
        "links": [{"href": "https://graphs.example.org/d/1?from=now", "text": "Error rate"}]}]);
    world.send(world.client.post(world.at(&format!("/in/json/{}", org::JSON_KEY))).json(&body)).await;
    world.quiet().await;
    let link = world.hook.to("ana")[0].ack_path();
    let before = page(&world, &link).await;
    for words in ["12 % of requests fail since the 02:51 deploy", "href=\"https://graphs.example.org/d/1?from=now\"", "Error rate"] {
        assert!(before.contains(words), "{words}: {before}");
    }
    assert!(!before.contains(&format!("{link}/resolve")), "nothing goes on before somebody has it");

    world.press(&link).await.ok();
    let mine = page(&world, &link).await;
    let key = once(&mine);
    let note = [("once", key.as_str()), ("text", "rolling the deploy back")];
    for _ in 0..2 {
        let noted = post_form(&world, &format!("{link}/note"), &note).await;
        assert_eq!((noted.status, noted.header("location")), (303, Some(format!("{link}?noted").as_str())), "{}", noted.text);
    }
    let words = "Your note is in the log of INC-1.";
    assert!(page(&world, &format!("{link}?noted")).await.contains(words) && !mine.contains(words), "what was done is said");
    let lines = log(&world).await;
    assert_eq!(lines.iter().filter(|line| line.contains("rolling the deploy back")).count(), 1, "twice is once: {lines:#?}");
    assert!(lines.iter().any(|line| line.starts_with("Ana Ruiz") && line.contains("rolling the deploy back")), "{lines:#?}");

    let long = post_form(&world, &format!("{link}/note"), &[("text", &"x".repeat(600 * 1024))]).await;
    assert!(long.status == 413 && long.text.contains("at most 512 KB"), "{}: {}", long.status, long.text);

    // Help is named, and what is missing is said with what was typed kept.
    let refused = post_form(&world, &format!("{link}/help"), &[("why", "two hands are few")]).await;
    assert!(
        refused.status == 422 && refused.text.contains("Choose whom to page") && refused.text.contains("two hands are few"),
        "{}",
        refused.text
    );
    // No other id than those that the form offers.
    for target in ["person:cho", "escalation:payments", "team:nobody", "audience:x"] {
        let refused = post_form(&world, &format!("{link}/help"), &[("page", target), ("why", "two hands are few")]).await;
        assert!(refused.status == 422 && refused.text.contains("Choose whom to page from the list"), "{target}: {}", refused.text);
    }
    assert_eq!(post_form(&world, &format!("{link}/help"), &[("page", "team:payments"), ("why", "two hands are few")]).await.status, 303);
    world.quiet().await;
    assert_eq!(world.hook.to("ben").len(), 1, "the team is paged besides");
    assert_eq!(world.hook.to("ben")[0].page()["because"], "Ana Ruiz asks for help: two hands are few");
    let helped = page(&world, &link).await;
    assert!(
        helped.contains("Paged besides: ")
            && helped.contains("Ana Ruiz asks for help: two hands are few")
            && helped.contains("Ben Okafor")
            && !helped.contains("nobody else is called"),
        "{helped}"
    );
    assert_eq!(world.incident().await["acknowledged_by"], "ana", "and she keeps it");

    // Given back, it is nobody's, and the link takes it again.
    assert_eq!(post_form(&world, &format!("{link}/give-back"), &[]).await.status, 303);
    world.quiet().await;
    assert_eq!(world.incident().await["commander"], serde_json::Value::Null);
    assert!(!page(&world, &link).await.contains(&format!("{link}/resolve")));
    world.press(&link).await.ok();

    let over = post_form(&world, &format!("{link}/resolve"), &[("note", "the deploy was it")]).await;
    assert_eq!(over.status, 303, "{}", over.text);
    let after = page(&world, &link).await;
    assert!(after.contains("It is resolved") && after.contains("Ana Ruiz"), "{after}");
    assert_eq!(world.incident().await["state"], "resolved");
    assert!(log(&world).await.iter().any(|line| line.contains("the deploy was it")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_calls_for_help_a_few_times() {
    let world = world_of(Database::Sqlite, org::usual()).await;
    world.fire("disk").await;
    let link = world.hook.to("ana")[0].ack_path();
    // Nothing of it was done, so that nothing of it counts.
    for _ in 0..6 {
        let early = post_form(&world, &format!("{link}/help"), &[("page", "team:payments"), ("why", "two hands are few")]).await;
        assert_eq!(early.status, 403, "{}", early.text);
    }
    world.press(&link).await.ok();
    let help = async || post_form(&world, &format!("{link}/help"), &[("page", "team:payments"), ("why", "two hands are few")]).await;
    for n in 1..=5 {
        assert_eq!(help().await.status, 303, "{n}");
    }
    let refused = help().await;
    assert!(refused.status == 429 && refused.header("retry-after").is_some(), "{}", refused.text);
    assert!(refused.text.contains("at most 5 in 10") && refused.text.contains("two hands are few"), "{}", refused.text);
}

/// Ana alone is on call and is all of her team: neither helps her, and the policy's next step does.
async fn help_is_somebody_else(database: Database) {
    let late = "schedules:\n  - {id: late, name: Late, time_zone: Etc/UTC, layers: [{people: [ana], every: 1w, handoff: \"Mon 09:00\", starts: 2026-01-05}]}\n";
    let night = "teams:\n  - {id: night, name: Night, members: [ana]}\n";
    let organisation = org::usual().replacen("teams:\n", night, 1) + late;
    let world = world_of(database, organisation).await;
    world.fire("disk").await;
    let link = world.hook.to("ana")[0].ack_path();
    world.press(&link).await.ok();
    let mine = page(&world, &link).await;
    assert!(mine.contains("The next step of payments") && mine.contains("Team Payments"), "{mine}");
    assert!(!mine.contains("On call: Late") && !mine.contains("Team Night"), "who is only the asker is not offered: {mine}");
    for (target, words) in [("schedule:late", "On call: Late"), ("team:night", "Team Night")] {
        let refused = post_form(&world, &format!("{link}/help"), &[("page", target), ("why", "two hands are few")]).await;
        let said = format!("{words} reaches nobody but you now. What works: The next step of payments; Team Payments.");
        assert!(refused.status == 422 && refused.text.contains(&said) && refused.text.contains("two hands are few"), "{}", refused.text);
    }
    assert_eq!(post_form(&world, &format!("{link}/help"), &[("page", "next"), ("why", "two hands are few")]).await.status, 303);
    world.quiet().await;
    assert_eq!((world.hook.to("ben").len(), world.hook.to("cho").len()), (1, 0), "ben is its second step");
}

async fn a_link_goes_on_with_nothing_that_is_not_its_reader_s(database: Database) {
    let mut world = world_of(database, org::usual()).await;
    world.fire("disk").await;
    let ana = world.hook.to("ana")[0].ack_path();
    for verb in ["note", "resolve", "give-back", "help"] {
        let fields = [("text", "x"), ("page", "team:payments"), ("why", "x"), ("note", "x")];
        let refused = post_form(&world, &format!("{ana}/{verb}"), &fields).await;
        assert_eq!(refused.status, 403, "{verb} before she has it: {}", refused.text);
    }
    world.advance(400).await;
    let ben = world.hook.to("ben")[0].ack_path();
    world.press(&ben).await.ok();
    // Ana's link is as good as it was, and the incident is Ben's.
    for verb in ["note", "resolve", "give-back", "help"] {
        let fields = [("text", "x"), ("page", "team:payments"), ("why", "x"), ("note", "x")];
        let refused = post_form(&world, &format!("{ana}/{verb}"), &fields).await;
        assert_eq!(refused.status, 403, "{verb} of another's: {}", refused.text);
    }
    assert_eq!(world.incident().await["acknowledged_by"], "ben");
    for verb in ["cancel", "merge", "severity", "role", "restrict", "..%2fx", ""] {
        let status = post_form(&world, &format!("{ben}/{verb}"), &[("why", "x")]).await.status;
        assert!(status == 404 || status == 405, "{verb}: {status}");
    }
    // A link that is over goes on with nothing.
    world.advance(49 * 3600).await;
    assert_eq!(post_form(&world, &format!("{ben}/note"), &[("text", "late")]).await.status, 410);
}

/// Ana acknowledged first, and nothing was heard of her: Ben was paged, and has it.
async fn what_somebody_lost_is_not_theirs_to_go_on_with(database: Database) {
    let mut world = world_of(database, org::usual()).await;
    world.command("/incidents", serde_json::json!({"title": "it burns", "service": "checkout", "severity": "sev1"})).await.ok();
    world.quiet().await;
    let ana = world.hook.to("ana")[0].ack_path();
    world.press(&ana).await.ok();
    // The acknowledgement ages: she is asked, does not answer, and it is paged again.
    world.advance(50 * 60).await;
    let lost = page(&world, &ana).await;
    assert!(lost.contains("nobody has it now") && lost.contains("nobody answered") && !lost.contains("has it<"), "{lost}");
    assert!(lost.contains(">Acknowledge</button>"), "and it can be taken: {lost}");
    assert!(!lost.contains("for help"), "nobody asked for help: {lost}");
    let ben = world.hook.to("ben").last().expect("ben is paged").ack_path();
    world.press(&ben).await.ok();
    world.quiet().await;
    assert!(page(&world, &ben).await.contains(&format!("{ben}/resolve")), "who has it goes on");
    assert!(!page(&world, &ana).await.contains(&format!("{ana}/resolve")), "who lost it does not");
    assert_eq!(post_form(&world, &format!("{ana}/resolve"), &[]).await.status, 403);
    assert_eq!(post_form(&world, &format!("{ben}/note"), &[("text", "on it")]).await.status, 303);
    assert_eq!(post_form(&world, &format!("{ben}/resolve"), &[]).await.status, 303);
    assert_eq!(world.incident().await["state"], "resolved");
}

async fn what_is_given_back_once_its_alerts_are_over_wakes_nobody(database: Database) {
    let mut world = world_of(database, org::usual()).await;
    world.fire("disk").await;
    let link = world.hook.to("ana")[0].ack_path();
    world.press(&link).await.ok();
    world.recover("disk").await;
    world.quiet().await;
    let key = once(&page(&world, &link).await);
    let asked = world.hook.to("ana").len();
    let given = post_form(&world, &format!("{link}/give-back"), &[("once", key.as_str())]).await;
    assert_eq!(given.status, 303, "{}", given.text);
    world.advance(60 * 60).await;
    assert_eq!(world.incident().await["state"], "resolved", "it ends as it would have without them");
    assert_eq!((world.hook.to("ana").len(), world.hook.to("ben").len(), world.hook.to("cho").len()), (asked, 0, 0));
}
