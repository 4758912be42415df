//! Slack without a public address: what its members press and type comes over a connection that the program keeps open, which
//! Slack also ends, cuts, refuses, floods with junk and uses twice for the same.

use std::time::Duration;

use allclear_trial::fake::Instead;
use allclear_trial::program::Program;
use allclear_trial::slack::{APP_TOKEN, Shown, TOKEN, invocation, pressed};
use allclear_trial::slack_socket::Sockets;
use allclear_trial::{Database, Slack, World};
use serde_json::{Value, json};

use crate::slack::in_slack;
use crate::{on_both, setup};

on_both!(
    buttons_and_lines_come_over_a_connection_and_nothing_is_done_twice,
    a_connection_that_ends_is_followed_by_another_before_it_does,
    what_takes_longer_than_slack_waits_is_told_where_it_was_asked,
);

const ANA: &str = "U0ANA0001";
const BEN: &str = "U0BEN0001";
const STRANGER: &str = "U0STRANGE";
/// Enough for a program that has just begun, on a machine with much to do.
const SOON: Duration = Duration::from_secs(20);

async fn world_with(database: Database) -> (World, Slack, Sockets) {
    let slack = Slack::start().await;
    let world = World::start(slack.listens(setup(database).org(in_slack(ANA))).await).await;
    let sockets = slack.sockets();
    assert!(sockets.wait(SOON, |(open, ..)| open == 1).await, "a connection is open: {}", world.log());
    (world, slack, sockets)
}

fn newest(slack: &Slack, to: &str) -> Shown {
    slack.shown(to).pop().unwrap()
}

fn press_of(message: &Shown, action: &str, by: &str) -> Value {
    pressed(message, message.button(action).expect("the button is there"), by)
}

/// Presses over a connection; the receipt has nothing but the envelope's id.
async fn press(world: &World, sockets: &Sockets, payload: &Value) {
    let receipt = sockets.send(0, &sockets.envelope("interactive", payload)).await.expect("a receipt in time");
    assert!(receipt["payload"].is_null(), "{receipt}");
    world.quiet().await;
}

/// Types over a connection; what is answered.
async fn types(world: &World, sockets: &Sockets, by: &str, words: &str) -> String {
    said(world, sockets, &sockets.envelope("slash_commands", &invocation(by, words, ""))).await
}

async fn said(world: &World, sockets: &Sockets, envelope: &Value) -> String {
    let receipt = sockets.send(0, envelope).await.expect("a receipt in time");
    world.quiet().await;
    assert_eq!(receipt["payload"]["response_type"], "ephemeral", "{receipt}");
    receipt["payload"]["blocks"][0]["text"]["text"].as_str().unwrap_or_default().to_owned()
}

async fn ready(world: &World) -> String {
    let answer = world.get("/-/ready").await.ok();
    answer.text
}

async fn buttons_and_lines_come_over_a_connection_and_nothing_is_done_twice(database: Database) {
    let (mut world, slack, sockets) = world_with(database).await;
    assert_eq!(ready(&world).await, "ready\n");
    world.fire("disk").await;
    let message = newest(&slack, ANA);
    assert_eq!(message.button("acknowledge").unwrap()["text"]["text"], "Acknowledge", "it is no link");
    press(&world, &sockets, &press_of(&message, "acknowledge", STRANGER)).await;
    assert!(world.incident().await["acknowledged_by"].is_null(), "of somebody else");
    let envelope = sockets.envelope("interactive", &press_of(&message, "acknowledge", ANA));
    for _ in 0..2 {
        assert!(sockets.send(0, &envelope).await.is_some(), "a receipt each time");
    }
    world.quiet().await;
    let incident = world.incident().await;
    let bodies = world.bodies(&incident, "acknowledged").await;
    assert_eq!((bodies.len(), &bodies[0]["by"], &bodies[0]["via"]), (1, &json!("ana"), &json!("slack")), "{bodies:?}");
    assert!(newest(&slack, ANA).words().contains("Ana Ruiz has it, since "), "{}", newest(&slack, ANA).words());
    world.advance(20 * 60).await;
    assert!(world.mail.all().is_empty(), "nobody else is called");

    assert!(types(&world, &sockets, ANA, "list").await.contains("INC-1 [SEV2] disk"));
    assert!(types(&world, &sockets, STRANGER, "list").await.contains("nobody here has the contact"));
    // The same line, in the same envelope and in another one, as after a connection that broke.
    let line = invocation(BEN, "declare Checkout <b> & *co* is slow", "");
    let first = sockets.envelope("slash_commands", &line);
    for envelope in [&first, &first, &sockets.envelope("slash_commands", &line)] {
        said(&world, &sockets, envelope).await;
    }
    let all = world.incidents("").await;
    assert_eq!((all.len(), &all[0]["title"]), (2, &json!("Checkout <b> & *co* is slow")), "{all:?}");
    assert_eq!(types(&world, &sockets, BEN, "note INC-2 it was the cache").await, "Noted on INC-2.");
    assert_eq!(types(&world, &sockets, BEN, "resolve INC-2").await, "INC-2 is resolved.");

    // What is no envelope, or of a kind that is not known, disturbs nothing; what is one is taken.
    for junk in ["", "x", "[]", "{\"type\":\"hello\"}", "{\"envelope_id\":1}", "\u{0}", &"[".repeat(100_000)] {
        sockets.says(0, junk);
    }
    for (kind, payload) in
        [("interactive", json!({})), ("slash_commands", json!(null)), ("events_api", json!({"a": "b"})), ("new", json!(1))]
    {
        assert!(sockets.send(0, &sockets.envelope(kind, &payload)).await.is_some(), "{kind}");
    }
    let large = invocation(ANA, &"x".repeat(300_000), "");
    assert!(sockets.send(0, &sockets.envelope("slash_commands", &large)).await.is_some(), "it is taken, and nothing is made of it");
    assert_eq!((sockets.counts().0, sockets.counts().1), (1, 1), "it is the same connection all the while");

    // Nothing is taken over HTTP: there is nothing that it could be signed with, and a header makes no connection of it.
    let body = allclear_trial::slack::typed(ANA, "declare mine");
    assert_eq!(slack.post(&world, &body).await.status, 401);
    let raw = format!("POST /reply/slack HTTP/1.1\r\nhost: x\r\n:connection: e1\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    let answered = raw_answer(&world, &raw).await;
    assert!(answered.starts_with("HTTP/1.1 400") || answered.is_empty(), "{answered}");
    assert_eq!(world.incidents("").await.len(), 2);
    let log = world.log();
    assert!(!log.contains(APP_TOKEN) && !log.contains(TOKEN) && !log.contains("ticket-"), "no secret is in the log");

    // It says goodbye, and ends at once.
    let stopped = std::time::Instant::now();
    world.program.stop().await.unwrap();
    assert!(stopped.elapsed() < Duration::from_secs(8), "{:?}", stopped.elapsed());
    assert!(sockets.wait(Duration::from_secs(2), |(open, _, goodbyes)| open == 0 && goodbyes == 1).await, "{:?}", sockets.counts());
}

/// What is answered to these bytes.
async fn raw_answer(world: &World, raw: &str) -> String {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let at = world.at("");
    let mut stream = tokio::net::TcpStream::connect(at.trim_start_matches("http://").trim_end_matches('/')).await.unwrap();
    stream.write_all(raw.as_bytes()).await.unwrap();
    let mut answer = vec![0; 400];
    let read = tokio::time::timeout(Duration::from_secs(5), stream.read(&mut answer)).await;
    let read = read.map_or(0, |read| read.unwrap_or(0));
    String::from_utf8_lossy(&answer[..read]).into_owned()
}

async fn a_connection_that_ends_is_followed_by_another_before_it_does(database: Database) {
    let (world, slack, sockets) = world_with(database).await;
    // Slack says that it is going to end it: the next one is open before, and both are read.
    sockets.disconnects(0, "refresh_requested");
    assert!(sockets.wait(SOON, |(open, opened, _)| (open, opened) == (2, 2)).await, "{:?}", sockets.counts());
    world.fire("disk").await;
    let message = newest(&slack, ANA);
    press(&world, &sockets, &press_of(&message, "acknowledge", ANA)).await;
    assert_eq!(world.incident().await["acknowledged_by"], "ana", "over the old one");
    sockets.closes(0);
    assert!(sockets.wait(SOON, |(open, opened, _)| (open, opened) == (1, 2)).await, "{:?}", sockets.counts());
    assert!(types(&world, &sockets, ANA, "INC-1").await.contains("disk"), "over the new one");
    // Without a word, with a goodbye, by a message that is too large.
    for n in 3..6 {
        match n {
            3 => sockets.cuts(0),
            4 => sockets.closes(0),
            _ => sockets.says(0, &"x".repeat(600_000)),
        }
        assert!(sockets.wait(SOON, |(open, opened, _)| (open, opened) == (1, n)).await, "{n}: {:?}", sockets.counts());
        assert!(types(&world, &sockets, ANA, "INC-1").await.contains("disk"), "{n}");
    }
    assert_eq!(ready(&world).await, "ready\n", "none of that is told as a trouble");
    // An address is good for one connection, and no more than one is asked for each.
    assert_eq!(slack.fake.came().iter().filter(|came| came.path == "/api/apps.connections.open").count(), 5);
}

async fn what_takes_longer_than_slack_waits_is_told_where_it_was_asked(database: Database) {
    let (world, slack, sockets) = world_with(database).await;
    world.fire("disk").await;
    world.program.control.freeze("decide", true).await.unwrap();
    let url = format!("{}/hooks/commands/T0001/1/x", slack.fake.url());
    let envelope = sockets.envelope("slash_commands", &invocation(ANA, "note INC-1 slowly", &url));
    let receipt = sockets.send(0, &envelope).await.expect("a receipt in three seconds");
    assert!(receipt.to_string().contains("will stand here"), "{receipt}");
    assert!(slack.later().is_empty());
    world.program.control.freeze("decide", false).await.unwrap();
    assert!(slack.fake.wait(SOON, "/hooks/", 1).await, "and then it does");
    world.quiet().await;
    let later = slack.later();
    assert_eq!((later.len(), &later[0]["response_type"]), (1, &json!("ephemeral")), "{later:?}");
    assert!(later[0].to_string().contains("Noted on INC-1."), "{later:?}");
    assert_eq!(world.bodies(&world.incident().await, "noted").await.len(), 1);
}

/// A token that Slack does not take is told as what it is, paging goes on, and links work.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_is_revoked_is_told_and_pages_go_out() {
    let slack = Slack::start().await;
    slack.refuses("apps.connections.open", Some("token_revoked"));
    let mut world = World::start(slack.listens(setup(Database::Sqlite).org(in_slack(ANA))).await).await;
    assert!(slack.fake.wait(SOON, "apps.connections.open", 1).await);
    let told = async {
        while ready(&world).await != "ready\nimpaired: not_heard\n" {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(SOON, told).await.expect("it is told, and the program is ready");
    let troubles = world.api("/troubles").await.to_string();
    assert!(troubles.contains("not_heard") && troubles.contains("--slack-app-token"), "{troubles}");
    world.fire("disk").await;
    assert_eq!(slack.shown(ANA).len(), 1, "it is sent all the same");
    assert!(!world.log().contains(APP_TOKEN));
    slack.refuses("apps.connections.open", None);
    world.kill().await;
    world.start_again(&[]).await;
    assert!(slack.sockets().wait(SOON, |(open, ..)| open == 1).await);
    assert_eq!(ready(&world).await, "ready\n");
    press(&world, &slack.sockets(), &press_of(&newest(&slack, ANA), "acknowledge", ANA)).await;
    assert_eq!(world.incident().await["acknowledged_by"], "ana", "and what was sent before the end is answered after it");
}

/// Each node keeps a connection; Slack chooses over which it sends, and a copy in quarantine has none.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_node_hears_for_all_and_a_copy_in_quarantine_hears_nothing() {
    let Some(database) = Database::postgres("Slack heard by two nodes").await else { return };
    let (world, slack, sockets) = world_with(database).await;
    let dir = tempfile::tempdir().unwrap();
    let launch = world.launch_on(&world.database(), dir.path(), &[]);
    let mut other = Program::start(&launch, &world.client).await.unwrap();
    assert!(sockets.wait(SOON, |(open, ..)| open == 2).await, "{:?}", sockets.counts());
    world.fire("disk").await;
    // The same press over both at once.
    let payload = press_of(&newest(&slack, ANA), "acknowledge", ANA);
    let (one, two) = (sockets.envelope("interactive", &payload), sockets.envelope("interactive", &payload));
    let (one, two) = tokio::join!(sockets.send(0, &one), sockets.send(1, &two));
    assert!(one.is_some() && two.is_some());
    world.quiet().await;
    let incident = world.incident().await;
    assert_eq!(world.bodies(&incident, "acknowledged").await.len(), 1, "{:?}", world.kinds(&incident).await);
    let line = invocation(BEN, "declare twice", "");
    let (one, two) = (sockets.envelope("slash_commands", &line), sockets.envelope("slash_commands", &line));
    let (one, two) = tokio::join!(sockets.send(0, &one), sockets.send(1, &two));
    assert!(one.is_some() && two.is_some());
    world.quiet().await;
    let all = world.incidents("").await;
    assert_eq!(all.len(), 2, "once for both");
    // A number that the slower of two nodes had taken may be left out.
    let reference = all.iter().find(|one| one["title"] == "twice").unwrap()["ref"].as_str().unwrap().to_owned();
    // One is gone: the other hears.
    other.stop().await.unwrap();
    assert!(sockets.wait(SOON, |(open, ..)| open == 1).await, "{:?}", sockets.counts());
    assert_eq!(types(&world, &sockets, BEN, &format!("note {reference} still here")).await, format!("Noted on {reference}."));
    let opened = sockets.counts().1;
    let copy = world.launch_on(&world.database(), dir.path(), &["--quarantine"]);
    let mut copy = Program::start(&copy, &world.client).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(sockets.counts().1, opened, "a copy takes nothing from the original");
    copy.stop().await.unwrap();
}

/// A connection that never gets ready is left, and one is not asked for before Slack wants that.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_is_never_ready_is_left_and_slack_is_not_asked_too_often() {
    let (world, slack, sockets) = world_with(Database::Sqlite).await;
    let open = "/api/apps.connections.open";
    let asked = || slack.fake.came().iter().filter(|came| came.path == open).count();
    slack.fake.instead(open, Instead::Says(429, vec![("retry-after", "5".into())], r#"{"ok":false,"error":"ratelimited"}"#.into()));
    sockets.cuts(0);
    assert!(slack.fake.wait(SOON, open, 2).await);
    let since = std::time::Instant::now();
    sockets.mute(true);
    slack.fake.as_ever();
    assert!(slack.fake.wait(SOON, open, 3).await);
    assert!(since.elapsed() >= Duration::from_millis(3_000), "{:?}", since.elapsed());
    assert!(sockets.wait(SOON, |(_, opened, _)| opened == 2).await, "{:?}", sockets.counts());
    sockets.mute(false);
    assert!(sockets.wait(SOON, |(open, opened, _)| (open, opened) == (1, 3)).await, "{:?}", sockets.counts());
    assert_eq!(asked(), 4);
    assert!(types(&world, &sockets, ANA, "list").await.contains("Nothing is open"));
}
