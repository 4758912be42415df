//! The first point of contact: anybody reports by a form, holds a receipt, and is asked whether it is fixed; however much comes,
//! nothing that was taken is lost and few are woken.

use allclear_trial::world::Answer;
use allclear_trial::{Database, World, org};
use serde_json::json;

use crate::sign_in::{encoded, get_as, post_form, sign_in_as};
use crate::{on_both, world_of};

on_both!(
    a_report_reaches_the_team_and_its_sender_hears_back,
    what_nobody_answers_reaches_the_whole_team,
    sixty_five_at_once_are_few_incidents_and_none_is_lost,
    what_is_not_fixed_is_reopened_and_pages_whoever_had_it,
);

/// Largest page without signing in, in bytes.
const PAGE_BYTES_MAX: usize = 10 * 1024;

const FORMS: &str = r#"
severities: [{id: sev3, update_every: 0s, acknowledgement_lasts: never}, {id: sev4, notify: high, update_every: 0s}]
report_forms:
  - {id: door, name: Tell us, words: "Call 112 where life is in danger.", service: checkout, services: [checkout, search], at_once: true}
"#;

fn organisation() -> String {
    [&org::usual(), FORMS].concat()
}

fn said<'a>(what: &'a str, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    [("what", what), ("how_bad", "stopped")].into_iter().chain(more.iter().copied()).collect()
}

/// Sends a report; the path of its receipt.
async fn report(world: &World, what: &str, more: &[(&str, &str)]) -> String {
    let sent = post_form(world, "/report/door", None, &said(what, more)).await;
    assert_eq!(sent.status, 303, "{}", sent.text);
    world.quiet().await;
    sent.header("location").unwrap().trim_end_matches("?done").to_owned()
}

/// Sends a report from an address, as a trusted proxy says it.
async fn report_from(world: &World, address: &str, what: &str, more: &[(&str, &str)]) -> Answer {
    let request = world.client.post(world.at("/report/door")).header("origin", &world.program.url).header("x-forwarded-for", address);
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    world.send(request.body(encoded(&said(what, more)))).await
}

async fn a_report_reaches_the_team_and_its_sender_hears_back(database: Database) {
    let world = world_of(database, organisation()).await;
    let form = world.get("/report").await.ok().text;
    assert!(form.contains("Tell us") && form.contains("Call 112") && form.contains("Search"), "{form}");
    assert!(form.len() <= PAGE_BYTES_MAX && !form.contains("<script"), "{} bytes", form.len());
    let what = "Cards fail\u{202e}\0 at the till 🙁\n<b>All</b> of [them](https://evil.example)";
    let receipt = report(&world, what, &[("contact", "Jo, 555 0199"), ("where", "Shop 7"), ("since", "nine"), ("service", "search")]).await;
    let incident = world.incident().await;
    assert_eq!((&incident["title"], &incident["service"]), (&"Cards fail at the till 🙁".into(), &"search".into()), "{incident:#}");
    assert_eq!(world.hook.to("ana").len(), 1, "it pages as any incident of that service");
    let alert = &allclear_trial::world::items(&world.api("/alerts").await)[0];
    assert!(alert.to_string().contains("555 0199") && alert.to_string().contains("Shop 7"), "{alert:#}");
    let shown = world.get(&format!("{receipt}?done")).await.ok().text;
    assert!(shown.contains("<h1>Received</h1>") && shown.contains("It was sent"), "{shown}");
    assert!(!shown.contains("<b>All") && !shown.contains("href=\"https://evil") && shown.len() <= PAGE_BYTES_MAX, "{shown}");

    world.press(&world.hook.to("ana")[0].ack_path()).await.ok();
    world.quiet().await;
    let reference = incident["ref"].as_str().unwrap();
    world.act(reference, "note", json!({"text": "note-secret"})).await;
    world.act(reference, "tell", json!({"text": "We found the broken line"})).await;
    assert_eq!(post_form(&world, &format!("{receipt}/say"), None, &[("text", "It is the blue one\u{202e}")]).await.status, 303);
    let blank = post_form(&world, &format!("{receipt}/say"), None, &[("text", " ")]).await;
    assert_eq!(blank.status, 422, "{}", blank.text);
    let shown = world.get(&receipt).await.ok().text;
    for words in ["Somebody is on it", "We found the broken line", "It is the blue one"] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    for secret in ["note-secret", "Ana", reference, "Payments"] {
        assert!(!shown.contains(secret), "{secret}: {shown}");
    }
    let cookie = sign_in_as(&world, "ana").await;
    let page = get_as(&world, &cookie, &format!("/incidents/{reference}")).await.text;
    assert!(page.contains("Reported from outside") && page.contains("It is the blue one"), "{page}");
    assert!(get_as(&world, &cookie, "/").await.text.contains("from outside"));
    let said_reference = shown.split("class=\"ref\">").nth(1).and_then(|rest| rest.split('<').next()).unwrap();
    let found = get_as(&world, &cookie, &format!("/search?q={}", said_reference.to_lowercase())).await.text;
    assert!(found.contains(reference), "{found}");

    // What is refused comes back as it was written; another receipt is nobody's; a private incident shows nothing.
    let refused = post_form(&world, "/report/door", None, &[("what", "Kept words"), ("how_bad", "very"), ("where", "here")]).await;
    assert!(refused.status == 422 && refused.text.contains("Kept words") && refused.text.contains("Choose how bad"), "{}", refused.text);
    let trapped = post_form(&world, "/report/door", None, &said("Kept words", &[("website", "x")])).await;
    assert!(trapped.status == 422 && trapped.text.contains("Kept words"), "{}", trapped.text);
    let empty = post_form(&world, "/report/door", None, &said("\u{200b}\0", &[])).await;
    assert_eq!(empty.status, 422, "{}", empty.text);
    let long = report(&world, &"y 🙂".repeat(30_000), &[]).await;
    assert!(world.get(&long).await.ok().text.contains("the first 4000 characters were taken"));
    let (known, last) = receipt.split_at(receipt.len() - 1);
    let another = if last == "A" { "Q" } else { "A" };
    assert_eq!(world.get(&format!("{known}{another}")).await.status, 404);
    let hidden = post_form(&world, &format!("/incidents/{reference}/restrict"), Some(&cookie), &[("why", "it is personal")]).await;
    assert_eq!(hidden.status, 303, "{}", hidden.text);
    let shown = world.get(&receipt).await.ok().text;
    assert!(!shown.contains("We found the broken line") && shown.contains("is not shown here"), "{shown}");
    let closed = post_form(&world, &format!("{receipt}/say"), None, &[("text", "kept too")]).await;
    assert!(closed.status == 409 && !closed.text.contains(reference) && closed.text.contains("kept too"), "{}", closed.text);
}

async fn what_nobody_answers_reaches_the_whole_team(database: Database) {
    let mut world = world_of(database, organisation().replace(", at_once: true", "")).await;
    report(&world, "Nobody picks up", &[]).await;
    assert_eq!((world.incident().await["state"].as_str(), world.hook.all().len()), (Some("candidate"), 0), "it waits for a decision");
    world.advance(601).await;
    assert_eq!(world.hook.to("ana").len(), 1, "nobody decided");
    world.advance(301).await;
    assert_eq!(world.hook.to("ben").len(), 1);
    world.advance(301).await;
    assert_eq!(world.hook.to("cho").len(), 1, "the catch-all");
    world.advance(601).await;
    assert_eq!((world.hook.to("ana").len(), world.hook.to("ben").len()), (2, 2), "and then everybody of the team");
}

async fn sixty_five_at_once_are_few_incidents_and_none_is_lost(database: Database) {
    let mut world = World::start(crate::setup(database).org(organisation()).args(&["--trusted-proxies", "127.0.0.0/8"])).await;
    let texts: Vec<String> = (0..65).map(|n| format!("It is broken, says {n}")).collect();
    let addresses: Vec<String> = (0..65).map(|n| format!("203.0.113.{n}")).collect();
    let sent = texts.iter().zip(&addresses).enumerate().map(|(n, (text, address))| {
        let world = &world;
        async move { report_from(world, address, text, if n % 2 == 0 { &[("service", "search")] } else { &[] }).await }
    });
    let sent = futures_util::future::join_all(sent).await;
    world.quiet().await;
    assert!(sent.iter().all(|answer| answer.status == 303), "{:?}", sent.iter().map(|answer| answer.status).collect::<Vec<_>>());
    assert_eq!((world.incidents("").await.len(), world.hook.to("ana").len()), (2, 2), "one for each service");
    for (answer, text) in sent.iter().zip(&texts) {
        let shown = world.get(answer.header("location").unwrap()).await.ok().text;
        assert!(shown.contains(text.as_str()), "each has its own receipt: {shown}");
    }
    // What is cancelled again and again makes no more than four in an hour, whatever comes; a restart forgets nothing of that.
    for n in 0..6 {
        for incident in world.incidents("open=true").await {
            world.act(incident["ref"].as_str().unwrap(), "cancel", json!({"why": "nothing"})).await;
        }
        if n == 2 {
            world.restart_after(std::time::Duration::from_secs(1)).await;
        }
        let more = report_from(&world, &format!("198.51.100.{n}"), "once more", &[]).await;
        assert_eq!(more.status, if n < 2 { 303 } else { 429 }, "{n}: {}", more.text);
        assert!(more.status == 303 || more.text.contains("once more") && more.header("retry-after").is_some(), "{}", more.text);
        world.quiet().await;
    }
    assert_eq!(world.incidents("").await.len(), 4);
    world.advance(3_601).await;
    for n in 0..11 {
        let more = report_from(&world, &format!("2001:db8::{n}"), &format!("from one network {n}"), &[]).await;
        assert_eq!(more.status, if n < 10 { 303 } else { 429 }, "{n}: {}", more.text);
    }
}

async fn what_is_not_fixed_is_reopened_and_pages_whoever_had_it(database: Database) {
    let mut world = world_of(database, organisation()).await;
    let receipt = report(&world, "It does not print", &[]).await;
    world.press(&world.hook.to("ana")[0].ack_path()).await.ok();
    let reference = world.incident().await["ref"].as_str().unwrap().to_owned();
    let early = post_form(&world, &format!("{receipt}/broken"), None, &[]).await;
    assert!(early.status == 409 && early.text.contains("not said to be fixed yet"), "{}", early.text);
    for times in 1..=3 {
        world.act(&reference, "resolve", json!({"note": "restarted"})).await;
        let asked = world.get(&receipt).await.ok().text;
        assert!(asked.contains("Is it fixed?") && asked.contains("It still does not work"), "{asked}");
        assert_eq!(post_form(&world, &format!("{receipt}/fixed"), None, &[]).await.status, 303);
        let before = world.hook.to("ana").len();
        assert_eq!(post_form(&world, &format!("{receipt}/broken"), None, &[("text", "page two is blank")]).await.status, 303);
        world.quiet().await;
        let incident = world.incident().await;
        assert_eq!((&incident["state"], &incident["reports"]["reopened"]), (&"investigating".into(), &times.into()), "{incident:#}");
        assert_eq!(world.hook.to("ana").len(), before + 1, "whoever had it is paged");
        world.press(&world.hook.to("ana").last().unwrap().ack_path()).await.ok();
    }
    world.act(&reference, "resolve", json!({})).await;
    let often = post_form(&world, &format!("{receipt}/broken"), None, &[("text", "kept words")]).await;
    assert!(often.status == 409 && often.text.contains("send a new report"), "{}", often.text);
    let second = report(&world, "It prints nothing again", &[]).await;
    let other = world.incidents("open=true").await.remove(0)["ref"].as_str().unwrap().to_owned();
    assert_ne!(other, reference, "a new report is a new incident");
    world.act(&other, "resolve", json!({})).await;
    world.advance(72 * 3_600 + 1).await;
    let late = post_form(&world, &format!("{second}/broken"), None, &[]).await;
    assert!(late.status == 409 && late.text.contains("more than"), "{}", late.text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_form_there_is_nothing_to_report_by() {
    let world = crate::world().await;
    for path in ["/report", "/report/door"] {
        assert_eq!(world.get(path).await.status, 404, "{path}");
    }
    assert_eq!(post_form(&world, "/report/door", None, &said("x", &[])).await.status, 404);
}
