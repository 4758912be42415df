//! Slack: a page with buttons, lines behind `/allclear`, and messages that show that they are over; against a workspace that also
//! answers wrongly, late, twice and never.

use std::time::Duration;

use allclear_trial::fake::Instead;
use allclear_trial::slack::{SIGNING, Shown, TOKEN, Told, VARIABLES, payload, signature, typed};
use allclear_trial::{Database, Slack, World, org};
use serde_json::{Value, json};

use crate::{gathering, on_both, setup};

on_both!(
    a_page_is_taken_by_its_button_and_shows_who_has_it,
    in_a_channel_whoever_presses_answers_for_themself,
    what_is_forged_old_or_of_somebody_else_does_nothing,
    lines_list_declare_and_take_for_whoever_types_them,
    what_slack_refuses_goes_the_next_way_and_what_passes_is_tried_again,
    many_at_once_are_few_messages_with_one_button_for_all,
    lines_show_note_and_resolve_as_whoever_types_them_may,
);

/// Members.
const ANA: &str = "U0ANA0001";
const BEN: &str = "U0BEN0001";
/// Of nobody here.
const STRANGER: &str = "U0STRANGE";
/// A channel.
const OPS: &str = "C0OPS0001";
/// What an alarm should not be able to do in a chat.
const NASTY: &str = "disk <!channel> <@U0BEN0001> *bold* `code` <https://evil.example|click> & @here 🙂 :fire:";

/// Ana is told in Slack, and by mail a quarter of an hour later; ben has Slack as well, and is told by a webhook.
pub(crate) fn in_slack(ana: &str) -> String {
    let hook = r#"{id: hook, webhook: "{HOOK}/ana", secret: "{SECRET}"}"#;
    let rule = "notify: {high: [{contact: hook}], low: [{contact: hook}]}";
    let by_slack = "notify: {high: [{contact: chat}, {contact: mail, after: 15m}], low: [{contact: chat}]}";
    let bens = r#"contacts: [{id: hook, webhook: "{HOOK}/ben""#;
    org::usual()
        .replacen(hook, &format!("{{id: chat, slack: {ana}}}"), 1)
        .replacen(rule, by_slack, 1)
        .replacen(bens, &bens.replacen('[', &format!("[{{id: chat, slack: {BEN}}}, "), 1), 1)
        .replacen("teams:\n", "  - {id: dee, name: Dee Onlooker, access: observer, contacts: [{id: chat, slack: U0DEE0001}]}\nteams:\n", 1)
}

async fn world_with(database: Database, org: String) -> (World, Slack) {
    let slack = Slack::start().await;
    (World::start(slack.carries(setup(database).org(org))).await, slack)
}

async fn press(world: &World, slack: &Slack, message: &Shown, action: &str, by: &str) -> Told {
    let told = slack.press(world, message, action, by).await;
    world.quiet().await;
    told
}

async fn types(world: &World, slack: &Slack, by: &str, words: &str) -> String {
    let told = slack.types(world, by, words).await;
    world.quiet().await;
    assert_eq!(told.status, 200, "{told:?}");
    assert!(told.text.contains(r#""response_type":"ephemeral""#), "{told:?}");
    told.says
}

/// The newest for this ID.
fn newest(slack: &Slack, to: &str) -> Shown {
    slack.shown(to).pop().unwrap()
}

async fn opened(world: &World) -> Value {
    world.incidents("").await.remove(0)
}

/// What was whispered last.
fn heard(slack: &Slack) -> String {
    slack.whispered().pop().map(|one| one.text).unwrap_or_default()
}

fn mails(world: &World) -> usize {
    world.mail.delivered_to("ana@example.org").len()
}

async fn a_page_is_taken_by_its_button_and_shows_who_has_it(database: Database) {
    let (mut world, slack) = world_with(database, in_slack(ANA)).await;
    world.fire(NASTY).await;
    let message = newest(&slack, ANA);
    let words = message.words();
    let bare = words.replace('\u{200b}', "");
    assert!(
        bare.contains(NASTY) && bare.contains("Severity: SEV2") && bare.contains("Service: Checkout") && bare.contains("Paged: Ana Ruiz"),
        "{words}"
    );
    for call in ["<!channel>", "<@U0BEN", "<https://evil"] {
        assert!(!words.contains(call) && !message.text.contains(call), "{call} in {message:?}");
    }
    assert!(message.text.contains("&lt;!channel&gt;"), "{}", message.text);
    let labels: Vec<&str> =
        ["acknowledge", "decline", "open"].iter().map(|word| message.button(word).unwrap()["text"]["text"].as_str().unwrap()).collect();
    assert_eq!(labels, ["Acknowledge", "Pass it on", "Open"]);
    let link = message.button("open").unwrap()["url"].as_str().unwrap().to_owned();
    assert!(link.starts_with(&world.at("/a/")), "{link}");
    // A link that is followed is told as well, and does nothing.
    assert_eq!(press(&world, &slack, &message, "open", ANA).await.status, 200);
    assert_eq!((opened(&world).await["acknowledged_by"].clone(), slack.whispered().len()), (Value::Null, 0));

    // Twice at once.
    let (one, two) = tokio::join!(slack.press(&world, &message, "acknowledge", ANA), slack.press(&world, &message, "acknowledge", ANA));
    assert_eq!((one.status, two.status), (200, 200));
    world.quiet().await;
    let incident = opened(&world).await;
    assert_eq!(incident["acknowledged_by"], "ana");
    for kind in ["acknowledged", "page_acknowledged"] {
        let bodies = world.bodies(&incident, kind).await;
        assert_eq!((bodies.len(), &bodies[0]["via"], &bodies[0]["by"]), (1, &json!("slack"), &json!("ana")), "{kind}: {bodies:?}");
    }
    assert!(heard(&slack).starts_with("You have INC-1, since "), "{:?}", slack.whispered());
    let shown = newest(&slack, ANA);
    assert!(
        shown.words().contains("Ana Ruiz has it, since ") && shown.button("acknowledge").is_none() && shown.button("open").is_some(),
        "{shown:?}"
    );
    world.advance(20 * 60).await;
    assert_eq!(mails(&world) + world.hook.to("ben").len(), 0, "nobody else is called");

    // Taken elsewhere, it shows that as well.
    world.fire("second").await;
    let second = newest(&slack, ANA);
    world.command("/incidents/INC-2/acknowledge", json!({"by": "ben"})).await.ok();
    world.quiet().await;
    assert!(newest(&slack, ANA).words().contains("Ben Okafor has it, since "), "{}", newest(&slack, ANA).words());
    press(&world, &slack, &second, "acknowledge", ANA).await;
    assert!(heard(&slack).starts_with("Ben Okafor has INC-2, since "), "{}", heard(&slack));
    assert_eq!(opened(&world).await["acknowledged_by"], "ben", "and nothing is taken from ben");

    // Passed on.
    world.fire("third").await;
    press(&world, &slack, &newest(&slack, ANA), "decline", ANA).await;
    assert_eq!((world.hook.to("ben").len(), heard(&slack).as_str()), (1, "INC-3 is passed on."));

    // Over, and pressed after the end.
    world.command("/incidents/INC-3/resolve", json!({})).await.ok();
    world.quiet().await;
    let third = slack.shown(ANA).remove(2);
    assert!(third.words().contains("INC-3 is resolved, since "), "{}", third.words());
    let before = world.events(&opened(&world).await).await.len();
    let stale = Shown { blocks: second.blocks.iter().map(|block| repointed(block, &second, &third)).collect(), ..third };
    press(&world, &slack, &stale, "acknowledge", ANA).await;
    assert!(heard(&slack).contains("INC-3 is resolved, since "), "{}", heard(&slack));
    assert_eq!(world.events(&opened(&world).await).await.len(), before, "a press after the end changes nothing");
    assert!(!world.log().contains(TOKEN) && !world.log().contains(SIGNING), "neither is in the log");
}

/// The buttons of another message, as somebody's screen may still show them.
fn repointed(block: &Value, from: &Shown, to: &Shown) -> Value {
    let id = |message: &Shown| message.button("open").unwrap()["value"].as_str().unwrap().to_owned();
    serde_json::from_str(&block.to_string().replace(&id(from), &id(to))).unwrap()
}

async fn in_a_channel_whoever_presses_answers_for_themself(database: Database) {
    let (world, slack) = world_with(database, in_slack(OPS)).await;
    world.fire("disk").await;
    let message = newest(&slack, OPS);
    assert_eq!(message.channel, OPS);
    assert_eq!(press(&world, &slack, &message, "acknowledge", STRANGER).await.status, 200);
    assert!(heard(&slack).contains(&format!("nobody here has the contact `slack: {STRANGER}`")), "{}", heard(&slack));
    press(&world, &slack, &message, "decline", BEN).await;
    assert!(heard(&slack).contains("was asked of somebody else"), "{}", heard(&slack));
    press(&world, &slack, &message, "acknowledge", "U0DEE0001").await;
    assert!(opened(&world).await["acknowledged_by"].is_null(), "whoever only looks on takes nothing: {}", heard(&slack));
    press(&world, &slack, &message, "acknowledge", BEN).await;
    let incident = opened(&world).await;
    assert_eq!(incident["acknowledged_by"], "ben", "{}", heard(&slack));
    let bodies = world.bodies(&incident, "acknowledged").await;
    assert_eq!((bodies.len(), &bodies[0]["by"], &bodies[0]["via"]), (1, &json!("ben"), &json!("slack")), "{bodies:?}");
    assert!(newest(&slack, OPS).words().contains("Ben Okafor has it, since "), "{}", newest(&slack, OPS).words());
    let whispers = slack.whispered();
    assert!(whispers.iter().all(|one| one.channel == OPS), "{whispers:?}");
    // In another channel than it went to.
    world.fire("other").await;
    let elsewhere = Shown { channel: "C0OTHER01".into(), ..newest(&slack, OPS) };
    assert_eq!(press(&world, &slack, &elsewhere, "acknowledge", BEN).await.status, 200);
    assert!(opened(&world).await["acknowledged_by"].is_null() && heard(&slack).starts_with("Nothing was done"), "{}", heard(&slack));
}

async fn what_is_forged_old_or_of_somebody_else_does_nothing(database: Database) {
    let (world, slack) = world_with(database, in_slack(ANA)).await;
    world.fire("the director's laptop").await;
    let message = newest(&slack, ANA);
    let before = world.events(&opened(&world).await).await.len();
    let at = world.at("/reply/slack");
    let bodies = [payload(&message, message.button("acknowledge").unwrap(), ANA), typed(ANA, "ack INC-1"), typed(ANA, "declare mine")];
    let mut told = Vec::new();
    for body in &bodies {
        let now = world.now().await.as_second();
        for seconds in [-301, 301, -86_400] {
            told.push(slack.post_at(&world, body, seconds, SIGNING).await);
        }
        told.push(slack.post_at(&world, body, 0, "another-secret-0123456789").await);
        let good = signature(SIGNING, &now.to_string(), body);
        for signature in ["", "v0=", "v1=00", &good[..good.len() - 1], &good.replacen("v0", "v1", 1), &format!("{good}00")] {
            told.push(slack.post_signed(&at, body, &now.to_string(), signature).await);
        }
        // Signed, and then changed.
        told.push(slack.post_signed(&at, &body.replacen("ANA", "BEN", 1), &now.to_string(), &good).await);
        told.push(slack.post_signed(&at, body, &(now + 1).to_string(), &good).await);
        told.push(slack.post_signed(&at, body, "", &good).await);
    }
    for one in &told {
        assert_eq!(one.status, 401, "{one:?}");
        assert!(!one.text.contains("director") && !one.text.contains("INC-1") && !one.text.contains("blocks"), "{one:?}");
    }
    // Signed by Slack, of somebody else.
    assert_eq!(press(&world, &slack, &message, "acknowledge", BEN).await.status, 200);
    assert!(heard(&slack).starts_with("Nothing was done"), "{}", heard(&slack));
    for (body, status) in
        [("", 400), ("payload=x", 400), ("payload={}", 400), ("payload={\"type\":\"view_submission\"}", 400), ("a=b", 400)]
    {
        assert_eq!(slack.post(&world, body).await.status, status, "{body}");
    }
    world.quiet().await;
    assert_eq!(world.incidents("").await.len(), 1, "nothing was declared");
    assert_eq!(world.events(&opened(&world).await).await.len(), before, "nothing was changed");
    press(&world, &slack, &message, "acknowledge", ANA).await;
    assert_eq!(opened(&world).await["acknowledged_by"], "ana", "and her own is taken");
}

async fn lines_list_declare_and_take_for_whoever_types_them(database: Database) {
    let (world, slack) = world_with(database, in_slack(ANA)).await;
    assert_eq!(types(&world, &slack, ANA, "list").await, "Nothing is open that you see.");
    assert!(types(&world, &slack, ANA, "").await.contains("declare TITLE"));
    let title = "Checkout <b> & *co* is slow 🙂";
    let body = typed(BEN, &format!("declare {title}"));
    let now = world.now().await.as_second().to_string();
    let sign = signature(SIGNING, &now, &body);
    // The same request, once more.
    for _ in 0..2 {
        let told = slack.post_signed(&world.at("/reply/slack"), &body, &now, &sign).await;
        assert_eq!(told.status, 200, "{told:?}");
    }
    world.quiet().await;
    let all = world.incidents("").await;
    assert_eq!((all.len(), &all[0]["title"]), (1, &json!(title)), "{all:?}");
    assert!(types(&world, &slack, ANA, "list").await.contains("INC-1 [SEV3] Checkout"), "{}", types(&world, &slack, ANA, "list").await);
    assert_eq!(types(&world, &slack, ANA, "ack inc-1").await, "You have INC-1.");
    let incident = world.api("/incidents/INC-1").await;
    assert_eq!(incident["acknowledged_by"], "ana");
    assert!(types(&world, &slack, BEN, "ack INC-1").await.starts_with("Ana Ruiz has INC-1."));
    assert_eq!(world.api("/incidents/INC-1").await["acknowledged_by"], "ana");
    assert!(types(&world, &slack, ANA, "list").await.contains("Ana Ruiz has it"));
    for (words, told) in [
        ("ack INC-99", "there is no `INC-99`"),
        ("ack", "ack INC-1"),
        ("declare", "as in: declare"),
        ("close INC-1", "`close` is nothing that can be asked"),
    ] {
        let said = types(&world, &slack, ANA, words).await;
        assert!(said.contains(told), "{words}: {said}");
    }
    // Whoever only looks on sees, and does nothing.
    let said = types(&world, &slack, "U0DEE0001", "list").await;
    assert!(said.contains("INC-1"), "{said}");
    types(&world, &slack, "U0DEE0001", "declare it is dark").await;
    assert_eq!(world.incidents("").await.len(), 1);
    let said = types(&world, &slack, STRANGER, "list").await;
    assert!(said.contains("nobody here has the contact") && !said.contains("INC-1"), "{said}");
    world.command("/incidents/INC-1/resolve", json!({})).await.ok();
    let said = types(&world, &slack, ANA, "ack INC-1").await;
    assert!(said.contains("is resolved"), "{said}");
    // A title that is too long is refused in words, and one of as many characters as fit is taken.
    let said = types(&world, &slack, ANA, &format!("declare {}", "x".repeat(4_000))).await;
    assert!(said.starts_with("Declared INC-") || said.contains("characters"), "{said}");
}

async fn lines_show_note_and_resolve_as_whoever_types_them_may(database: Database) {
    let (world, slack) = world_with(database, in_slack(ANA)).await;
    world.fire("disk").await;
    let shown = types(&world, &slack, ANA, "inc-1").await;
    assert!(shown.starts_with("INC-1 [SEV2] disk: declared, nobody has it\nService: Checkout\n"), "{shown}");
    assert!(shown.ends_with(&world.at("/incidents/INC-1")), "{shown}");
    let words = "the cache was <b>cold</b>\n& *slow* 🙂";
    // The same request, once more.
    let body = typed(BEN, &format!("note INC-1 {words}"));
    for _ in 0..2 {
        let told = slack.post(&world, &body).await;
        assert!(told.status == 200 && told.says == "Noted on INC-1.", "{told:?}");
    }
    let incident = opened(&world).await;
    let noted = world.bodies(&incident, "noted").await;
    assert_eq!((noted.len(), &noted[0]["text"]), (1, &json!(words)), "{noted:?}");
    let by: Vec<Value> = world.events(&incident).await.into_iter().filter(|event| event["kind"] == "noted").collect();
    assert!(by[0].to_string().contains("ben"), "{by:?}");
    for (who, words, told) in [
        (BEN, "note INC-1", "as in: note INC-1"),
        (BEN, "note INC-9 x", "there is no `INC-9`"),
        (BEN, "resolve", "as in: resolve"),
        (BEN, "INC-9", "there is no `INC-9`"),
        (STRANGER, "INC-1", "nobody here has the contact"),
        (STRANGER, "note INC-1 x", "nobody here has the contact"),
        (STRANGER, "resolve INC-1", "nobody here has the contact"),
    ] {
        let said = types(&world, &slack, who, words).await;
        assert!(said.contains(told) && !said.contains("disk"), "{words}: {said}");
    }
    // Whoever only looks on sees, and does nothing.
    assert!(types(&world, &slack, "U0DEE0001", "INC-1").await.contains("disk"));
    for words in ["note INC-1 x", "resolve INC-1"] {
        let said = types(&world, &slack, "U0DEE0001", words).await;
        assert!(!said.starts_with("Noted") && !said.contains("is resolved"), "{said}");
    }
    let said = types(&world, &slack, BEN, &format!("note INC-1 {}", "x".repeat(26_000))).await;
    assert!(said.contains("characters"), "{said}");
    assert_eq!(world.bodies(&incident, "noted").await.len(), 1);
    assert_eq!(world.api("/incidents/INC-1").await["state"], "declared");
    // A private one is nobody's whom it is not shown to.
    world.command("/incidents", json!({"title": "layoffs", "private": true})).await.ok();
    for words in ["INC-2", "note INC-2 x", "resolve INC-2", "ack INC-2"] {
        let said = types(&world, &slack, BEN, words).await;
        assert!(said.contains("there is no `INC-2`") && !said.contains("layoffs"), "{words}: {said}");
    }
    assert_eq!(types(&world, &slack, ANA, "resolve INC-1 rolled back").await, "INC-1 is resolved.");
    assert!(world.bodies(&incident, "resolved").await[0].to_string().contains("rolled back"));
    let said = types(&world, &slack, ANA, "resolve INC-1").await;
    assert!(!said.is_empty() && said != "INC-1 is resolved.", "{said}");
}

async fn what_slack_refuses_goes_the_next_way_and_what_passes_is_tried_again(database: Database) {
    let (mut world, slack) = world_with(database, in_slack(ANA)).await;
    for (n, error) in ["channel_not_found", "account_inactive", "invalid_auth", "is_archived", "something_new"].into_iter().enumerate() {
        slack.refuses(ANA, Some(error));
        world.fire(error).await;
        assert_eq!(mails(&world), n + 1, "{error}: the next way, at once");
        let incident = opened(&world).await;
        let failed = world.bodies(&incident, "send_failed").await;
        let why = failed.first().and_then(|body| body["why"].as_str()).unwrap_or_default();
        assert!(why.starts_with(&format!("HTTP 200: {error}")), "{error}: {:?}", world.kinds(&incident).await);
        assert!(!json!(failed).to_string().contains(TOKEN), "{failed:?}");
    }
    slack.refuses(ANA, None);
    let before = mails(&world);
    // Too many: as it asks.
    let post = "/api/chat.postMessage";
    let asked = |slack: &Slack| slack.fake.came().iter().filter(|came| came.path == post).count();
    slack.fake.instead(post, Instead::Says(429, vec![("retry-after", "30".into())], r#"{"ok":false,"error":"ratelimited"}"#.into()));
    world.fire("too many").await;
    slack.fake.as_ever();
    let tries = asked(&slack);
    world.advance(25).await;
    assert_eq!(asked(&slack), tries, "not before its time");
    world.advance(10).await;
    assert!(slack.shown(ANA).iter().any(|one| one.words().contains("too many")), "and then");
    // A portal says 200 to everything; Slack says no, and may have done it.
    for (what, instead, is_in_doubt) in [
        ("portal", Instead::Says(200, vec![], "<!doctype html><title>Sign in</title>".into()), true),
        ("internal", Instead::Says(200, vec![], r#"{"ok":false,"error":"internal_error"}"#.into()), true),
        ("gone", Instead::Says(503, vec![], "upstream".into()), false),
        ("limited", Instead::Says(200, vec![], r#"{"ok":false,"error":"ratelimited"}"#.into()), false),
        ("silent", Instead::Silent, true),
    ] {
        let mails_before = mails(&world);
        slack.fake.instead(post, instead);
        world.fire(what).await;
        slack.fake.as_ever();
        world.advance(10).await;
        let last = slack.shown(ANA).into_iter().rfind(|one| one.words().contains(what)).unwrap();
        assert_eq!(last.words().contains("You may have received this before."), is_in_doubt, "{what}: {}", last.words());
        if is_in_doubt {
            assert!(mails(&world) > mails_before, "{what}: the next way does not wait");
        }
    }
    assert!(mails(&world) > before);
    // What shows that it is over is tried again, too.
    slack.fake.instead("/api/chat.update", Instead::Says(429, vec![("retry-after", "5".into())], String::new()));
    let message = newest(&slack, ANA);
    press(&world, &slack, &message, "acknowledge", ANA).await;
    assert_eq!(opened(&world).await["acknowledged_by"], "ana", "nothing waits for that");
    slack.fake.as_ever();
    world.advance(10).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    world.quiet().await;
    assert!(newest(&slack, ANA).words().contains("Ana Ruiz has it"), "{}", newest(&slack, ANA).words());
}

async fn many_at_once_are_few_messages_with_one_button_for_all(database: Database) {
    const ALL: usize = 40;
    let slack = Slack::start().await;
    let mut world = World::start(slack.carries(gathering(database).org(in_slack(ANA)))).await;
    let alarm = |n: usize| json!({"title": format!("disk {n}"), "dedup_key": format!("disk {n}"), "severity": "critical"}).to_string();
    let path = format!("/in/json/{}", org::JSON_KEY);
    for answer in futures_util::future::join_all((0..ALL).map(|n| world.post(&path, alarm(n)))).await {
        answer.ok();
    }
    world.quiet().await;
    world.advance(10).await;
    let messages = slack.shown(ANA);
    assert!(messages.len() < ALL / 2, "{}", messages.len());
    let is_of_many = |message: &Shown| message.button("acknowledge").unwrap()["text"]["text"] == "Acknowledge all";
    assert!(messages.iter().any(is_of_many), "{messages:?}");
    for message in &messages {
        press(&world, &slack, message, "acknowledge", ANA).await;
        assert!(heard(&slack).starts_with("You have "), "{}", heard(&slack));
    }
    let mine = world.incidents("limit=100").await;
    assert_eq!((mine.len(), mine.iter().filter(|incident| incident["acknowledged_by"] == "ana").count()), (ALL, ALL));
    for shown in slack.shown(ANA) {
        assert!(shown.button("acknowledge").is_none() && shown.changed > 0, "{shown:?}");
    }
    world.advance(20 * 60).await;
    assert_eq!(world.hook.to("ben").len() + world.mail.all().len(), 0, "nobody else is called");
}

/// Without a signing secret nothing comes back, and its buttons are links.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_signing_secret_the_buttons_are_links() {
    let slack = Slack::start().await;
    let url = format!("{}/api", slack.fake.url());
    let setup = setup(Database::Sqlite).args(&["--slack-url", &url]).env(VARIABLES[0], TOKEN).org(in_slack(ANA));
    let world = World::start(setup).await;
    world.fire("disk").await;
    let message = newest(&slack, ANA);
    let link = message.button("open").unwrap();
    assert_eq!((&link["text"]["text"], message.button("acknowledge")), (&json!("Acknowledge"), None));
    world.press(&allclear_trial::webhook_sink::path_of(link["url"].as_str().unwrap())).await.ok();
    world.quiet().await;
    assert_eq!(opened(&world).await["acknowledged_by"], "ana");
    assert!(newest(&slack, ANA).words().contains("Ana Ruiz has it"), "{}", newest(&slack, ANA).words());
    assert_eq!(slack.post(&world, "payload=x").await.status, 404);
}
