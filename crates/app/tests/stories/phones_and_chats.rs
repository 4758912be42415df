//! A page over Gotify, Pushover, Telegram, Mattermost and Teams: each against a fake of its real protocol, which also answers
//! wrongly, late, twice and never. One table says what each of them is asked and says.

use std::time::Duration;

use allclear_trial::webhook_sink::path_of;
use allclear_trial::{Database, Delivery, Reply, World, org};
use serde_json::{Value, json};

use crate::{on_both, world_of};

on_both!(each_is_told_and_the_link_in_its_message_acknowledges, what_is_refused_for_good_goes_the_next_way_and_says_why);

/// One channel: whom it reaches, and how its server speaks.
struct Way {
    /// The person, who is called as the channel is, and is told by it first and by mail a quarter of an hour later.
    name: &'static str,
    /// The fields of the contact.
    contact: &'static str,
    /// Where its requests arrive.
    path: &'static str,
    /// How the server says that it has the message.
    yes: (u16, &'static str),
    /// How it refuses one for good; it repeats the secrets.
    no: (u16, &'static str),
    /// What the log says of that.
    why: &'static str,
    /// What no log may have.
    secrets: &'static [&'static str],
    /// The link of a message, and its text.
    link: fn(&Value) -> &Value,
    text: fn(&Value) -> &Value,
}

static WAYS: [Way; 5] = [
    Way {
        name: "gotify",
        contact: r#"gotify: "{HOOK}/gotify/", app: A3kQvN9xT_p2LrW"#,
        path: "/gotify/message",
        yes: (200, r#"{"id":25,"appid":5,"message":"it is repeated, and was cut"#),
        no: (400, r#"{"error":"Bad Request","errorCode":400,"errorDescription":"no place for A3kQvN9xT_p2LrW"}"#),
        why: "HTTP 400: no place for ********",
        secrets: &["A3kQvN9xT_p2LrW"],
        link: |body| &body["extras"]["client::notification"]["click"]["url"],
        text: |body| &body["message"],
    },
    Way {
        name: "pushover",
        contact: r#"pushover: uQiRzpo4DXghDmr9QzzfQu27cmVRsG, app: azGDORePK8gMaC0QOYAMyEEuzJnyUi, server: "{HOOK}/push""#,
        path: "/push/1/messages.json",
        yes: (200, r#"{"status":1,"request":"647d2300-702c-4b38-8b2f-d56326ae460b"}"#),
        no: (400, r#"{"user":"invalid","errors":["user uQiRzpo4DXghDmr9QzzfQu27cmVRsG is not valid"],"status":0}"#),
        why: "HTTP 400: user ******** is not valid",
        secrets: &["uQiRzpo4DXghDmr9QzzfQu27cmVRsG", "azGDORePK8gMaC0QOYAMyEEuzJnyUi"],
        link: |body| &body["url"],
        text: |body| &body["message"],
    },
    Way {
        name: "telegram",
        contact: r#"telegram: 5551234567, bot: "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw", server: "{HOOK}/tg""#,
        path: "/tg/bot110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw/sendMessage",
        yes: (200, r#"{"ok":true,"result":{"message_id":42,"text":"it is repeated, and was cut"#),
        no: (403, r#"{"ok":false,"error_code":403,"description":"Forbidden: 110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw was blocked"}"#),
        why: "HTTP 403: Forbidden: ******** was blocked",
        secrets: &["AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"],
        link: |body| &body["reply_markup"]["inline_keyboard"][0][0]["url"],
        text: |body| &body["text"],
    },
    Way {
        name: "mattermost",
        contact: r#"mattermost: "{HOOK}/hooks/8xqk1rz5x3gq7kmb1o9w4tnh5e""#,
        path: "/hooks/8xqk1rz5x3gq7kmb1o9w4tnh5e",
        yes: (200, "ok"),
        no: (404, "no hook 8xqk1rz5x3gq7kmb1o9w4tnh5e"),
        why: "HTTP 404: no hook ********",
        secrets: &["8xqk1rz5x3gq7kmb1o9w4tnh5e"],
        link: |body| &body["attachments"][0]["title_link"],
        text: |body| &body["attachments"][0]["text"],
    },
    Way {
        name: "teams",
        contact: r#"teams: "{HOOK}/workflows/4f6c0d1e2b3a/invoke?sv=1.0&sig=pXw3kQ9vN2xT7LrWb5cYz8""#,
        path: "/workflows/4f6c0d1e2b3a/invoke?sv=1.0&sig=pXw3kQ9vN2xT7LrWb5cYz8",
        yes: (202, ""),
        no: (401, r#"{"error":{"code":"AuthorizationFailed","message":"the signature pXw3kQ9vN2xT7LrWb5cYz8 is not right"}}"#),
        why: "HTTP 401: the signature ******** is not right",
        secrets: &["pXw3kQ9vN2xT7LrWb5cYz8"],
        link: |body| &body["attachments"][0]["content"]["actions"][0]["url"],
        text: |body| &body["attachments"][0]["content"]["body"][1]["text"],
    },
];

/// All five are asked by the same step, and have half an hour.
fn all_five() -> String {
    let person = |way: &Way| {
        format!(
            "  - {{id: {name}, name: {name}, contacts: [{{id: own, {contact}}}, {{id: mail, email: {name}@example.org}}], \
             notify: {{high: [{{contact: own}}, {{contact: mail, after: 15m}}]}}}}\n",
            name = way.name,
            contact = way.contact
        )
    };
    let people: String = WAYS.iter().map(person).collect();
    let asked = WAYS.iter().map(|way| format!("\"person:{}\"", way.name)).collect::<Vec<_>>().join(", ");
    org::usual().replacen("people:\n", &format!("people:\n{people}"), 1).replacen(
        r#"{page: ["person:ana"], within: 5m}"#,
        &format!("{{page: [{asked}], within: 30m}}"),
        1,
    )
}

/// From now on each server answers so.
fn answers(world: &World, reply: impl Fn(&Way) -> Reply) {
    for way in &WAYS {
        world.hook.script(way.path, reply(way));
    }
}

fn yes(way: &Way) -> Reply {
    Reply::Says(way.yes.0, way.yes.1.to_owned())
}

fn to(world: &World, way: &Way) -> Vec<Delivery> {
    world.hook.all().into_iter().filter(|delivery| delivery.path == way.path).collect()
}

fn mails(world: &World) -> Vec<usize> {
    WAYS.iter().map(|way| world.mail.delivered_to(&format!("{}@example.org", way.name)).len()).collect()
}

/// The newest one.
async fn opened(world: &World) -> Value {
    world.incidents("").await.remove(0)
}

fn no_secret_is_in(text: &str) {
    for secret in WAYS.iter().flat_map(|way| way.secrets) {
        assert!(!text.contains(secret), "{secret} is in {text}");
    }
}

async fn each_is_told_and_the_link_in_its_message_acknowledges(database: Database) {
    let mut world = world_of(database, all_five()).await;
    answers(&world, yes);
    for (at, way) in WAYS.iter().enumerate() {
        world.fire(&format!("disk {at} 🙂 @all <b>[x](https://evil.example)")).await;
        for other in &WAYS {
            assert_eq!(to(&world, other).len(), at + 1, "{}: each is told once of each", other.name);
        }
        let message = to(&world, way).pop().unwrap();
        assert!(message.body.to_string().contains(&format!("disk {at} 🙂")), "{}: {}", way.name, message.body);
        let incident = opened(&world).await;
        assert_eq!(world.bodies(&incident, "delivered").await.len(), WAYS.len(), "{}", way.name);
        let link = path_of((way.link)(&message.body).as_str().unwrap());
        world.get(&link).await.ok();
        assert_eq!(opened(&world).await["acknowledged_by"], Value::Null, "{}: looking at it changes nothing", way.name);
        for _ in 0..2 {
            world.press(&link).await.ok();
        }
        let incident = opened(&world).await;
        assert_eq!(incident["acknowledged_by"], way.name, "{}", way.name);
        assert_eq!(world.bodies(&incident, "acknowledged").await.len(), 1, "{}: pressed twice, and once is enough", way.name);
    }
    assert_eq!(to(&world, &WAYS[0])[0].gotify_key, "A3kQvN9xT_p2LrW");
    world.advance(20 * 60).await;
    assert_eq!(mails(&world), [0; 5], "nobody is told another way");
    let metrics = world.send(world.client.get(world.at("/metrics"))).await.ok().text;
    for way in &WAYS {
        assert!(metrics.contains(&format!("allclear_outbox_waiting{{channel=\"{}\"}} 0", way.name)), "{metrics}");
    }
    no_secret_is_in(&world.log());
}

async fn what_is_refused_for_good_goes_the_next_way_and_says_why(database: Database) {
    let world = world_of(database, all_five()).await;
    answers(&world, |way| Reply::Says(way.no.0, way.no.1.to_owned()));
    world.fire("disk").await;
    assert_eq!(mails(&world), [1; 5], "at once, long before a quarter of an hour");
    let incident = opened(&world).await;
    let failed = world.bodies(&incident, "send_failed").await;
    for way in &WAYS {
        assert_eq!(to(&world, way).len(), 1, "{}: a no is not asked again", way.name);
        let own = failed.iter().find(|body| body["person"] == way.name).unwrap();
        assert_eq!(own["why"], way.why, "{}", way.name);
    }
    no_secret_is_in(&world.log());
    no_secret_is_in(&json!(world.events(&incident).await).to_string());
    let exported = world.cli(&["config", "export"]).await.stdout;
    assert!(exported.contains("telegram"), "{exported}");
    no_secret_is_in(&exported);
    world.press(&world.mail.delivered_to("teams@example.org")[0].ack_path().unwrap()).await.ok();
    assert_eq!(opened(&world).await["acknowledged_by"], "teams");
}

/// Never: the connection ends without a word. Late: longer than anybody waits for an answer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_answered_in_time_goes_the_next_way_and_is_sent_again_in_doubt() {
    for reply in [Reply::DropAfterReading, Reply::Slow(Duration::from_secs(11))] {
        let mut world = world_of(Database::Sqlite, all_five()).await;
        answers(&world, |_| reply.clone());
        let body = json!({"title": "disk", "dedup_key": "disk", "severity": "critical"});
        world.post(&format!("/in/json/{}", org::JSON_KEY), body.to_string()).await.ok();
        assert!(world.hook.wait(Duration::from_secs(9), |all| all.len() >= WAYS.len()).await, "all are asked");
        // What comes after the first try is answered.
        answers(&world, yes);
        if reply != Reply::DropAfterReading {
            tokio::time::sleep(Duration::from_secs(11)).await;
        }
        world.quiet().await;
        world.advance(5).await;
        assert_eq!(mails(&world), [1; 5], "{reply:?}: the next way does not wait");
        for way in &WAYS {
            let tries = to(&world, way);
            assert_eq!(tries.len(), 2, "{reply:?} {}: told twice, since nobody knows", way.name);
            let said = |at: usize| tries[at].body.to_string().contains("You may have received this before.");
            assert_eq!((said(0), said(1)), (false, true), "{reply:?} {}: {}", way.name, tries[1].body);
            assert_eq!((way.link)(&tries[0].body), (way.link)(&tries[1].body), "{}: by the same link", way.name);
        }
        let incident = opened(&world).await;
        assert_eq!(world.bodies(&incident, "send_in_doubt").await.len(), WAYS.len(), "{reply:?}");
        assert_eq!(world.bodies(&incident, "delivered").await.len(), 2 * WAYS.len(), "{reply:?}: and by mail");
        world.press(&path_of((WAYS[0].link)(&to(&world, &WAYS[0])[0].body).as_str().unwrap())).await.ok();
        assert_eq!(opened(&world).await["acknowledged_by"], "gotify", "the first message's link works as well");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_had_too_much_is_asked_again_when_it_says() {
    let mut world = world_of(Database::Sqlite, all_five()).await;
    let flood = r#"{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 30","parameters":{"retry_after":30}}"#;
    answers(&world, |way| if way.name == "telegram" { Reply::Says(429, flood.to_owned()) } else { Reply::Later(30) });
    world.fire("disk").await;
    answers(&world, yes);
    world.advance(25).await;
    for way in &WAYS {
        assert_eq!(to(&world, way).len(), 1, "{}: not before its time", way.name);
    }
    world.advance(10).await;
    for way in &WAYS {
        let tries = to(&world, way);
        assert_eq!(tries.len(), 2, "{}", way.name);
        assert!(!(way.text)(&tries[1].body).to_string().contains("before"), "{}: nothing is in doubt", way.name);
    }
}

/// A portal between us and the vendor says 200 to everything, with a page of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_yes_of_somebody_else_is_no_delivery() {
    let mut world = world_of(Database::Sqlite, all_five()).await;
    answers(&world, |_| Reply::Says(200, "<!doctype html><title>Sign in to this network</title>".to_owned()));
    world.fire("disk").await;
    assert_eq!(mails(&world), [1; 5], "the next way does not wait");
    let incident = opened(&world).await;
    let troubles = json!(world.events(&incident).await).to_string();
    for vendor in ["a Gotify server", "Pushover", "Telegram", "a chat's webhook", "a workflow"] {
        assert!(troubles.contains(&format!("this is no answer of {vendor}")), "{vendor}: {troubles}");
    }
    answers(&world, yes);
    world.advance(5).await;
    let delivered = world.bodies(&incident, "delivered").await;
    assert_eq!(delivered.len(), 2 * WAYS.len(), "and by its own way when the vendor is there: {delivered:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_acknowledges_an_emergency_in_pushover_has_the_incident() {
    let world = world_of(Database::Sqlite, all_five()).await;
    answers(&world, yes);
    world.command("/incidents", json!({"title": "all is dark", "service": "checkout", "severity": "sev1"})).await.ok();
    world.quiet().await;
    let emergency = to(&world, &WAYS[1]).pop().unwrap().body;
    assert_eq!((&emergency["priority"], &emergency["retry"]), (&json!("2"), &json!("30")), "{emergency}");
    let expires: i64 = emergency["expire"].as_str().unwrap().parse().unwrap();
    assert_eq!(expires, 600, "the step waits for half an hour, and it does not ring so long");
    // As Pushover calls back.
    let called = world.client.post(world.at(&path_of(emergency["callback"].as_str().unwrap())));
    let called = called.header("content-type", "application/x-www-form-urlencoded");
    let said = "receipt=rLqVuqTRh62UzxtmqiaLzQmVcPgiCy&acknowledged=1&acknowledged_at=1795230010&acknowledged_by=uQiRzpo4DXghDmr9QzzfQu27cmVRsG&acknowledged_by_device=phone";
    world.send(called.body(said)).await.ok();
    world.quiet().await;
    assert_eq!(opened(&world).await["acknowledged_by"], "pushover");
    let answer = world.post("/reply/pushover", said.to_owned()).await;
    assert_eq!((answer.status, &answer.body["code"]), (404, &json!("no_such_channel")), "nothing else comes back");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn buttons_that_telegram_does_not_take_are_links_in_the_text() {
    let world = world_of(Database::Sqlite, all_five()).await;
    answers(&world, yes);
    let telegram = &WAYS[2];
    let no = r#"{"ok":false,"error_code":400,"description":"Bad Request: inline keyboard button URL 'http://127.0.0.1/a/x' is invalid: Wrong HTTP URL"}"#;
    world.hook.script(telegram.path, Reply::Says(400, no.to_owned()));
    world.fire("disk").await;
    let asked = to(&world, telegram);
    assert_eq!(asked.len(), 2, "with buttons, and at once without");
    assert_eq!(asked[1].body["reply_markup"], Value::Null);
    let text = asked[1].body["text"].as_str().unwrap();
    let link = text.lines().find_map(|line| line.strip_prefix("Acknowledge: ")).unwrap();
    world.press(&path_of(link)).await.ok();
    assert_eq!(opened(&world).await["acknowledged_by"], "telegram");
}
