//! What comes back from a gateway of somebody's own: receipts and answers over the signed webhook, and what is none.

use std::fs;
use std::process::Stdio;
use std::time::Duration;

use allclear_trial::skip::skipped;
use allclear_trial::webhook_sink::{SECRET, signature};
use allclear_trial::world::{Answer, items};
use allclear_trial::{Database, Delivery, Reply, World, org};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};

use crate::{gathering, on_both, world_of};

on_both!(
    what_is_only_taken_is_delivered_by_its_receipt_and_else_the_next_way_is_tried,
    an_answer_acknowledges_and_says_by_which_way,
    one_answer_takes_a_whole_message,
    what_is_forged_changes_nothing_and_learns_nothing,
);

/// Ben's own, so that Ana's is good for nothing of his.
const BENS_SECRET: &str = "whsec_YmVucy1vd24tc2VjcmV0LW9mLTI0LWJ5dGVz";

/// Ana is told by her gateway, and by mail a quarter of an hour later.
fn by_gateway() -> String {
    let hooks = "notify: {high: [{contact: hook}], low: [{contact: hook}]}";
    let both = "notify: {high: [{contact: hook}, {contact: mail, after: 15m}], low: [{contact: hook}]}";
    let bens = r#"webhook: "{HOOK}/ben", secret: "{SECRET}""#;
    org::usual().replacen(hooks, both, 1).replace(bens, &bens.replace("{SECRET}", BENS_SECRET))
}

/// A reply as a gateway signs it.
struct Signed {
    id: String,
    at: i64,
    secret: &'static str,
    body: String,
}

impl Signed {
    async fn new(world: &World, body: Value) -> Self {
        Self { id: "reply-1".into(), at: world.now().await.as_second(), secret: SECRET, body: body.to_string() }
    }

    async fn send(&self, world: &World) -> Answer {
        let at = self.at.to_string();
        let request = world.client.post(world.at("/reply/webhook")).body(self.body.clone());
        let request = request.header("webhook-id", &self.id).header("webhook-timestamp", &at);
        let signed = signature(self.secret, &self.id, &at, self.body.as_bytes());
        let answer = world.send(request.header("webhook-signature", signed)).await;
        world.quiet().await;
        answer
    }
}

/// Ana's gateway says this of a message.
async fn says(world: &World, about: &Delivery, key: &str, words: &str) -> Answer {
    Signed::new(world, json!({"message": about.id, key: words})).await.send(world).await
}

fn newest(world: &World, person: &str) -> Delivery {
    world.hook.to(person).pop().unwrap()
}

async fn states(world: &World, incident: &Value) -> Vec<String> {
    let pages = world.api(&format!("/incidents/{}/pages", incident["ref"].as_str().unwrap())).await;
    let messages = items(&pages).into_iter().flat_map(|page| page["messages"].as_array().unwrap().clone());
    messages.map(|message| message["state"].as_str().unwrap().to_owned()).collect()
}

/// The newest one.
async fn opened(world: &World) -> Value {
    world.incidents("").await.remove(0)
}

fn only(answer: &Answer) -> &Value {
    assert_eq!(answer.body["replies"].as_array().map(Vec::len), Some(1), "{}", answer.text);
    &answer.body["replies"][0]
}

async fn what_is_only_taken_is_delivered_by_its_receipt_and_else_the_next_way_is_tried(database: Database) {
    let mut world = world_of(database, by_gateway()).await;
    world.hook.script("/ana", Reply::Accepted);
    world.fire("arrives").await;
    let message = newest(&world, "ana");
    assert_eq!(message.body["reply_url"], json!(world.at("/reply/webhook")), "it says where to answer");
    let incident = opened(&world).await;
    assert_eq!(states(&world, &incident).await, ["accepted"]);
    assert!(!world.kinds(&incident).await.contains(&"delivered".to_owned()));
    for _ in 0..2 {
        let answer = says(&world, &message, "receipt", "delivered").await.ok();
        assert_eq!(only(&answer), &json!({"message": message.id, "receipt": "delivered"}));
    }
    assert_eq!(states(&world, &incident).await, ["delivered"]);
    assert_eq!(world.bodies(&incident, "delivered").await.len(), 1, "said twice, and told once");
    let otherwise = json!({"message": message.id, "receipt": "failed", "why": "the phone is off"});
    let otherwise = Signed::new(&world, otherwise).await.send(&world).await;
    assert_eq!((otherwise.status, &otherwise.body["code"]), (409, &json!("receipt_too_late")), "{}", otherwise.text);
    world.advance(61).await;
    assert_eq!(world.mail.all().len(), 0, "nobody waits for it any more");
    says(&world, &message, "answer", "yes").await.ok();

    // Nothing is heard: it counts as failed.
    world.fire("lost").await;
    let lost = newest(&world, "ana");
    world.advance(50).await;
    assert_eq!(world.mail.all().len(), 0);
    world.advance(11).await;
    assert_eq!(world.mail.delivered_to("ana@example.org").len(), 1, "the next way has its turn long before its own time");
    let incident = opened(&world).await;
    assert!(world.kinds(&incident).await.contains(&"send_failed".to_owned()));
    let late = says(&world, &lost, "receipt", "delivered").await;
    assert_eq!((late.status, &late.body["code"]), (409, &json!("receipt_too_late")), "{}", late.text);
    says(&world, &lost, "answer", "yes").await.ok();
    assert_eq!(opened(&world).await["acknowledged_by"], "ana", "she has it after all");

    // The gateway knows that it did not arrive.
    world.fire("refused").await;
    let body = json!({"message": newest(&world, "ana").id, "receipt": "failed", "why": "the phone is off"});
    let answer = Signed::new(&world, body).await.send(&world).await.ok();
    assert_eq!(only(&answer)["receipt"], "failed");
    assert_eq!(world.mail.delivered_to("ana@example.org").len(), 2, "at once");
    let failed = world.bodies(&opened(&world).await, "send_failed").await;
    assert_eq!(failed[0]["why"], "the phone is off");
}

async fn an_answer_acknowledges_and_says_by_which_way(database: Database) {
    let mut world = world_of(database, by_gateway()).await;
    world.hook.script("/ana", Reply::Accepted);
    world.fire("disk").await;
    let message = newest(&world, "ana");
    let reference = opened(&world).await["ref"].as_str().unwrap().to_owned();
    let asked_back = says(&world, &message, "answer", "who is this?").await;
    assert_eq!((asked_back.status, &asked_back.body["code"]), (422, &json!("reply_not_understood")), "{}", asked_back.text);
    assert!(asked_back.body["detail"].as_str().unwrap().contains("`1` or `yes`"), "{}", asked_back.text);
    assert_eq!(states(&world, &opened(&world).await).await, ["delivered"], "whoever answers has it");

    let one = Signed::new(&world, json!({"message": message.id, "answer": "1"})).await;
    let answer = one.send(&world).await.ok();
    let told = only(&answer);
    assert_eq!(
        (&told["answer"], &told["ref"], &told["acknowledged_by"]),
        (&json!("acknowledge"), &json!(reference), &json!("ana")),
        "{told}"
    );
    assert!(told["says"].as_str().unwrap().starts_with(&format!("You have {reference}, since ")), "{told}");
    let incident = opened(&world).await;
    assert_eq!(incident["acknowledged_by"], "ana");
    for kind in ["acknowledged", "page_acknowledged"] {
        let bodies = world.bodies(&incident, kind).await;
        assert_eq!((bodies.len(), &bodies[0]["via"], &bodies[0]["by"]), (1, &json!("webhook"), &json!("ana")), "{kind}: {bodies:?}");
    }
    let before = world.events(&incident).await.len();
    assert_eq!(one.send(&world).await.ok().body, answer.body, "sent again, it says the same");
    says(&world, &message, "answer", "on it").await.ok();
    assert_eq!(world.events(&incident).await.len(), before, "and nothing is new");
    world.advance(10 * 60).await;
    assert_eq!(world.hook.to("ben").len() + world.mail.all().len(), 0, "nobody else is called");

    // Passed on, and then somebody else has it.
    world.fire("next").await;
    let message = newest(&world, "ana");
    for words in ["I can’t", "2"] {
        let answer = says(&world, &message, "answer", words).await.ok();
        assert_eq!(only(&answer)["answer"], "decline", "{}", answer.text);
    }
    assert_eq!(world.hook.to("ben").len(), 1, "the next is paged, once");
    let mut bens = Signed::new(&world, json!({"message": newest(&world, "ben").id, "answer": "OK"})).await;
    assert_eq!(bens.send(&world).await.status, 401, "with Ana's secret it is not Ben");
    bens.secret = BENS_SECRET;
    bens.send(&world).await.ok();
    let answer = says(&world, &message, "answer", "1").await.ok();
    let told = only(&answer);
    assert!(told["says"].as_str().unwrap().starts_with("Ben Okafor has INC-") && told["acknowledged_by"] == "ben", "{told}");
    assert_eq!(opened(&world).await["acknowledged_by"], "ben", "he keeps it");

    // Over: that is said in words.
    let reference = opened(&world).await["ref"].as_str().unwrap().to_owned();
    world.command(&format!("/incidents/{reference}/resolve"), json!({})).await.ok();
    let late = says(&world, &message, "answer", "1").await;
    assert_eq!((late.status, &late.body["code"]), (409, &json!("page_over")), "{}", late.text);
    assert!(late.body["detail"].as_str().unwrap().contains("is resolved, since "), "{}", late.text);
}

async fn one_answer_takes_a_whole_message(database: Database) {
    let mut world = World::start(gathering(database).org(by_gateway())).await;
    world.hook.script("/ana", Reply::Accepted);
    for n in 0..8 {
        world.fire(&format!("disk {n}")).await;
    }
    world.advance(10).await;
    let message = newest(&world, "ana");
    let carried = message.pages().len();
    assert!(message.kind() == "pages" && carried > 2, "{message:#?}");
    assert_eq!(message.body["reply_url"], json!(world.at("/reply/webhook")));
    let answer = says(&world, &message, "answer", "yes").await.ok();
    let told = only(&answer);
    assert_eq!((&told["count"], &told["pages"]), (&json!(carried), &json!(carried)), "{told}");
    let mine: Vec<_> = world.incidents("limit=100").await.into_iter().filter(|i| i["acknowledged_by"] == "ana").collect();
    assert_eq!(mine.len(), carried, "all of that message, and nothing else");
    for incident in &mine {
        assert_eq!(world.bodies(incident, "delivered").await.len(), 1, "each of them has arrived");
    }
    let again = says(&world, &message, "answer", "yes").await.ok();
    assert_eq!(only(&again)["count"], 0, "{}", again.text);
}

async fn what_is_forged_changes_nothing_and_learns_nothing(database: Database) {
    const TITLE: &str = "the director's laptop";
    let routes = format!("{}routes:\n  - {{match: 'labels.secret=\"yes\"', set: {{private: true}}, continue: true}}\n", by_gateway());
    let world = world_of(database, routes).await;
    world.hook.script("/ana", Reply::Accepted);
    world.signal(json!({"title": TITLE, "dedup_key": "p", "labels": {"secret": "yes"}})).await;
    world.quiet().await;
    let message = newest(&world, "ana");
    let incident = opened(&world).await;
    assert_eq!(incident["private"], true);
    let before = world.events(&incident).await.len();
    let unknown = message.id.chars().rev().take(1).map(|last| if last == '0' { '1' } else { '0' }).collect::<String>();
    let unknown = format!("{}{unknown}", &message.id[..message.id.len() - 1]);
    let mut answers = Vec::new();
    for said in [json!({"answer": "1"}), json!({"answer": "what?"}), json!({"receipt": "delivered"}), json!({"receipt": "failed"})] {
        for (id, secret, late) in [
            (&message.id, BENS_SECRET, 0),
            (&message.id, SECRET, 302),
            (&message.id, SECRET, -302),
            (&unknown, SECRET, 0),
            (&unknown, BENS_SECRET, 0),
        ] {
            let mut body = said.clone();
            body["message"] = json!(id);
            let mut reply = Signed::new(&world, body).await;
            reply.secret = secret;
            reply.at -= late;
            answers.push(reply.send(&world).await);
        }
    }
    let unsigned = world.post("/reply/webhook", json!({"message": message.id, "answer": "1"}).to_string()).await;
    answers.push(unsigned);
    for answer in &answers {
        assert_eq!((answer.status, &answer.body), (401, &answers[0].body), "all alike");
        assert_eq!(answer.body["code"], "reply_unknown");
        assert!(!answer.text.contains("director") && !answer.text.contains(incident["ref"].as_str().unwrap()), "{}", answer.text);
    }
    assert_eq!(world.events(&incident).await.len(), before, "nothing was changed");
    assert_eq!(states(&world, &incident).await, ["accepted"]);
    let metrics = world.get("/metrics").await.ok().text;
    let counted = format!("allclear_signals_refused_total{{reason=\"reply_unknown\"}} {}", answers.len());
    assert!(metrics.contains(&counted), "{metrics}");
    for (path, body, status, code) in [
        ("/reply/pigeon", "{}", 404, "no_such_channel"),
        ("/reply/email", "{}", 404, "no_such_channel"),
        ("/reply/ntfy", "{}", 404, "no_such_channel"),
        ("/reply/webhook", "{}", 400, "bad_request"),
        ("/reply/webhook", &format!("\"{}\"", "x".repeat(20_000)), 413, "body_too_large"),
    ] {
        let answer = world.post(path, body.to_owned()).await;
        assert_eq!((answer.status, &answer.body["code"]), (status, &json!(code)), "{path}: {}", answer.text);
        assert!(world.get(&format!("/docs/errors/{code}")).await.ok().text.contains("What to do"));
    }
    assert!(!world.log().contains(SECRET) && !world.log().contains(TITLE), "neither is in the log");
    says(&world, &message, "answer", "1").await.ok();
    assert_eq!(opened(&world).await["acknowledged_by"], "ana", "and her own answer is taken");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_was_paged_may_answer_whatever_else_they_may() {
    for access in ["guest", "observer"] {
        let world =
            world_of(Database::Sqlite, by_gateway().replace("name: Ana Ruiz,", &format!("name: Ana Ruiz, access: {access},"))).await;
        world.fire("disk").await;
        says(&world, &newest(&world, "ana"), "answer", "1").await.ok();
        assert_eq!(opened(&world).await["acknowledged_by"], "ana", "{access}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_is_answered_by_the_same_words_and_what_asks_nothing_takes_none() {
    let ages = "severities: [{id: sev2, acknowledgement_lasts: 20m, update_every: 0s}]\n";
    let mut world = world_of(Database::Sqlite, by_gateway() + ages).await;
    let newest_question = |world: &World| world.hook.to("ana").into_iter().rfind(|told| told.kind() == "still_on_it").unwrap();
    world.fire("disk").await;
    says(&world, &newest(&world, "ana"), "answer", "1").await.ok();
    world.advance(20 * 60 + 10).await;
    let answer = says(&world, &newest_question(&world), "answer", "yes").await.ok();
    assert!(only(&answer)["says"].as_str().unwrap().starts_with("You have INC-1"), "{}", answer.text);
    let still = world.bodies(&opened(&world).await, "still_on_it").await;
    assert_eq!((still.len(), &still[0]["via"]), (1, &json!("webhook")), "{still:?}");
    world.advance(20 * 60 + 10).await;
    let paged = world.hook.to("ana").iter().filter(|told| told.is_page()).count();
    says(&world, &newest_question(&world), "answer", "no").await.ok();
    assert_eq!(world.hook.to("ana").iter().filter(|told| told.is_page()).count(), paged + 1, "it is paged again from the first step");
    says(&world, &newest(&world, "ana"), "answer", "1").await.ok();

    // Whether it is over is said by whoever is signed in.
    world.recover("disk").await;
    let confirm = newest(&world, "ana");
    assert_eq!(confirm.kind(), "confirm_recovery");
    let answer = says(&world, &confirm, "answer", "yes").await;
    assert_eq!(answer.status, 422, "{}", answer.text);
    assert!(answer.body["detail"].as_str().unwrap().ends_with("/incidents/INC-1"), "it says where: {}", answer.text);
    assert_eq!(opened(&world).await["state"], "investigating");
    world.command("/incidents/INC-1/resolve", json!({})).await.ok();
    world.advance(15).await;
    let over = world.hook.told("ana").pop().unwrap();
    assert_eq!((over.kind(), says(&world, &over, "answer", "yes").await.status), ("over", 422), "it asked for nothing");
    says(&world, &over, "receipt", "delivered").await.ok();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_two_days_a_message_takes_no_answer() {
    let mut world = world_of(Database::Sqlite, by_gateway()).await;
    world.fire("disk").await;
    let message = newest(&world, "ana");
    world.advance(48 * 3600 - 60).await;
    says(&world, &message, "answer", "1").await.ok();
    world.fire("another").await;
    let message = newest(&world, "ana");
    world.advance(48 * 3600 + 1).await;
    let old = says(&world, &message, "answer", "1").await;
    assert_eq!((old.status, &old.body["code"]), (410, &json!("reply_expired")), "{}", old.text);
}

/// The program of the guide is taken from it, and run.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_gateway_of_the_guide_works_as_it_is_written_there() {
    let guide = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/guides/gateway.md")).unwrap();
    let (_, rest) = guide.split_once("```python\n").unwrap();
    let (program, _) = rest.split_once("```").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let world = world_of(Database::Sqlite, by_gateway().replacen("{HOOK}/ana", &format!("http://127.0.0.1:{port}"), 1)).await;
    // Its clock is this machine's, and the server's is the story's.
    let now = world.now().await.as_second();
    let clock = format!("import time\nby = {now} - time.time()\nreal = time.time\ntime.time = lambda: real() + by\n");
    fs::write(folder.path().join("gateway.py"), format!("{clock}{program}")).unwrap();
    let gateway = tokio::process::Command::new("python3")
        .arg(folder.path().join("gateway.py"))
        .env("GATEWAY_SECRET", SECRET)
        .env("GATEWAY_PORT", port.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn();
    let Ok(mut gateway) = gateway else { return skipped("the gateway of the guide", "there is no python3") };
    let listens = async {
        while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), listens).await.expect("it listens");
    let mut lines = BufReader::new(gateway.stdout.take().unwrap()).lines();
    world.fire("disk").await;
    assert_eq!(lines.next_line().await.unwrap().unwrap(), "disk - 1 takes it, 2 passes it on");
    gateway.stdin.as_mut().unwrap().write_all(b"1\n").await.unwrap();
    let told = lines.next_line().await.unwrap().unwrap();
    assert!(told.starts_with("You have INC-"), "{told}");
    let incident = opened(&world).await;
    assert_eq!(incident["acknowledged_by"], "ana");
    assert_eq!(states(&world, &incident).await, ["delivered"]);
    assert_eq!(world.bodies(&incident, "delivered").await.len(), 1, "however quick its receipt was");
}
