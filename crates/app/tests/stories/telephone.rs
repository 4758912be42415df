//! Text messages and calls: a code or a key takes a page, a machine that picks up does not, and what the provider says comes
//! late, twice, out of order, forged, or never.

use allclear_trial::telephone::{Asked, OURS, TOKEN, TOKEN_VARIABLE, Taken, Told, signature};
use allclear_trial::world::items;
use allclear_trial::{Database, Telephone, World, org};
use serde_json::{Value, json};

use crate::{gathering, on_both, setup};

on_both!(
    a_page_by_text_message_is_taken_by_its_code,
    a_page_by_telephone_is_taken_by_a_key,
    a_machine_that_picks_up_has_nothing_and_the_next_way_is_used,
    receipts_come_late_twice_and_out_of_order,
    what_is_forged_does_nothing,
    sixty_five_at_once_are_few_text_messages_and_each_is_taken_by_its_code,
);

/// Ana's telephone.
const ANA: &str = "+491700000001";
/// Of nobody.
const STRANGER: &str = "+491709999999";

/// Ana has one telephone for both, and a mailbox.
fn by_phone(notify: &str) -> String {
    let hook = r#"{id: hook, webhook: "{HOOK}/ana", secret: "{SECRET}"}"#;
    let phones = format!(r#"{{id: cell, sms: "{ANA}"}}, {{id: ring, voice: "{ANA}"}}"#);
    let rule = "notify: {high: [{contact: hook}], low: [{contact: hook}]}";
    org::usual().replacen(hook, &phones, 1).replacen(rule, notify, 1)
}

/// By text message, and by mail a quarter of an hour later.
fn by_sms() -> String {
    by_phone("notify: {high: [{contact: cell}, {contact: mail, after: 15m}], low: [{contact: cell}]}")
}

/// By a call, and by mail a quarter of an hour later.
fn by_voice() -> String {
    by_phone("notify: {high: [{contact: ring}, {contact: mail, after: 15m}], low: [{contact: ring}]}")
}

async fn world_with(database: Database, org: String) -> (World, Telephone) {
    let telephone = Telephone::start().await;
    (World::start(telephone.carries(setup(database).org(org))).await, telephone)
}

/// Ana sends this text message.
async fn texts(world: &World, telephone: &Telephone, words: &str) -> Told {
    let told = telephone.text(&world.at("/reply/sms"), ANA, words).await;
    world.quiet().await;
    told
}

fn newest(telephone: &Telephone, what: &str) -> Asked {
    telephone.asked(what).pop().unwrap()
}

/// Of the newest.
async fn opened(world: &World) -> Value {
    world.incidents("").await.remove(0)
}

async fn states(world: &World, incident: &Value) -> Vec<String> {
    let pages = world.api(&format!("/incidents/{}/pages", incident["ref"].as_str().unwrap())).await;
    let messages = items(&pages).into_iter().flat_map(|page| page["messages"].as_array().unwrap().clone());
    messages.map(|message| message["state"].as_str().unwrap().to_owned()).collect()
}

/// What stands in `<Message>`.
#[track_caller]
fn said(told: &Told) -> String {
    assert_eq!((told.status, told.media_type.as_str()), (200, "text/xml; charset=utf-8"), "{told:?}");
    let (_, rest) = told.text.split_once("<Response>").unwrap();
    let rest = rest.strip_suffix("</Response>").unwrap();
    rest.trim_start_matches("<Message>").trim_end_matches("</Message>").to_owned()
}

async fn a_page_by_text_message_is_taken_by_its_code(database: Database) {
    let (mut world, telephone) = world_with(database, by_sms()).await;
    world.fire("disk").await;
    let disk = newest(&telephone, "Messages");
    assert_eq!((disk.to(), disk.field("From"), disk.answered), (ANA, OURS, 201));
    let text = disk.field("Body");
    assert!(text.contains("INC-1 disk") && text.contains(&world.at("/a/")) && text.contains(disk.code()), "{text}");
    assert_eq!(states(&world, &opened(&world).await).await, ["accepted"], "taken is not arrived");
    world.fire("other").await;
    let other = newest(&telephone, "Messages");
    assert_ne!(disk.code(), other.code());

    // It can be either, and nobody guesses.
    let told = said(&texts(&world, &telephone, "1").await);
    assert!(told.starts_with("2 messages wait for an answer.") && told.contains(disk.code()) && told.contains(other.code()), "{told}");
    assert!(world.incidents("").await.iter().all(|incident| incident["acknowledged_by"].is_null()));
    let told = said(&texts(&world, &telephone, "9 lives").await);
    assert!(told.starts_with("2 messages wait"), "{told}");

    let told = said(&texts(&world, &telephone, disk.code()).await);
    assert!(told.starts_with("You have INC-1, since "), "{told}");
    let incident = world.api("/incidents/INC-1").await;
    assert_eq!(incident["acknowledged_by"], "ana");
    for kind in ["acknowledged", "page_acknowledged"] {
        let bodies = world.bodies(&incident, kind).await;
        assert_eq!((bodies.len(), &bodies[0]["via"], &bodies[0]["by"]), (1, &json!("sms"), &json!("ana")), "{kind}: {bodies:?}");
    }
    assert_eq!(states(&world, &incident).await, ["delivered"], "whoever answers has it");

    // Only one is left that it can be.
    let told = said(&texts(&world, &telephone, "who is this?").await);
    assert!(told.contains("`1` or `yes`"), "{told}");
    let told = said(&texts(&world, &telephone, " Yes! ").await);
    assert!(told.starts_with("You have INC-2, since "), "{told}");
    let before = world.events(&opened(&world).await).await.len();
    let again = said(&texts(&world, &telephone, "yes").await);
    assert_eq!(again, told, "sent again, it says the same");
    assert_eq!(world.events(&opened(&world).await).await.len(), before, "and nothing is new");
    world.advance(20 * 60).await;
    assert_eq!(world.mail.all().len() + world.hook.to("ben").len(), 0, "nobody else is called");

    // Passed on, with the code before or after.
    world.fire("third").await;
    let third = newest(&telephone, "Messages");
    said(&texts(&world, &telephone, &format!("{} no", third.code())).await);
    assert_eq!(world.hook.to("ben").len(), 1, "the next is paged");
    let unknown =
        (1_000..).map(|n: u32| n.to_string()).find(|code| telephone.asked("Messages").iter().all(|one| one.code() != code)).unwrap();
    let told = said(&texts(&world, &telephone, &unknown).await);
    assert!(told.contains(&format!("has the code {unknown}")), "{told}");
    assert!(!world.log().contains(ANA) && !world.log().contains(TOKEN), "neither is in the log");
}

async fn a_page_by_telephone_is_taken_by_a_key(database: Database) {
    let (mut world, telephone) = world_with(database, by_voice()).await;
    world.fire("disk").await;
    let call = newest(&telephone, "Calls");
    assert_eq!((call.to(), call.field("From"), call.answered), (ANA, OURS, 201));
    let words = call.field("Twiml");
    assert!(words.matches("INC 1. disk").count() == 2 && words.contains("Press 1 to take it") && !words.contains("/a/"), "{words}");
    let again = telephone.press(&call, "5").await;
    world.quiet().await;
    assert!(again.status == 200 && again.text.contains("<Gather") && again.text.contains("That key does nothing"), "{again:?}");
    assert!(opened(&world).await["acknowledged_by"].is_null());
    for _ in 0..2 {
        let told = telephone.press(&call, "1").await;
        world.quiet().await;
        assert!(told.status == 200 && told.text.contains("<Response><Say>You have INC 1, since "), "{told:?}");
    }
    telephone.ended(&call, "completed").await;
    world.quiet().await;
    let incident = opened(&world).await;
    assert_eq!(incident["acknowledged_by"], "ana");
    let bodies = world.bodies(&incident, "acknowledged").await;
    assert_eq!((bodies.len(), &bodies[0]["via"]), (1, &json!("voice")), "{bodies:?}");
    assert_eq!(states(&world, &incident).await, ["delivered"]);

    // PagerDuty's key, and then one that passes it on.
    world.fire("next").await;
    telephone.press(&newest(&telephone, "Calls"), "4").await;
    world.quiet().await;
    assert_eq!(opened(&world).await["acknowledged_by"], "ana");
    world.fire("third").await;
    let told = telephone.press(&newest(&telephone, "Calls"), "2").await;
    world.quiet().await;
    assert!(told.text.contains("INC 3 is passed on."), "{told:?}");
    assert_eq!(world.hook.to("ben").len(), 1, "the next is paged");

    // Whoever picks up and says nothing was told, and has nothing.
    world.fire("fourth").await;
    let call = newest(&telephone, "Calls");
    telephone.answered_by(&call, "human").await;
    telephone.ended(&call, "completed").await;
    world.quiet().await;
    let incident = opened(&world).await;
    assert_eq!((states(&world, &incident).await, &incident["acknowledged_by"]), (vec!["delivered".to_owned()], &Value::Null));
    world.advance(5 * 60 + 1).await;
    assert_eq!(world.hook.to("ben").len(), 2, "the next step follows in its time");
    let over = opened(&world).await["ref"].as_str().unwrap().to_owned();
    world.command(&format!("/incidents/{over}/resolve"), json!({})).await.ok();
    let told = telephone.press(&call, "1").await;
    assert!(told.status == 200 && told.text.contains("is resolved, since "), "{told:?}");
}

async fn a_machine_that_picks_up_has_nothing_and_the_next_way_is_used(database: Database) {
    let (mut world, telephone) = world_with(database, by_voice()).await;
    world.fire("machine").await;
    let call = newest(&telephone, "Calls");
    telephone.answered_by(&call, "machine_start").await;
    // The machine recorded it to the end.
    telephone.ended(&call, "completed").await;
    world.quiet().await;
    let incident = opened(&world).await;
    assert!(incident["acknowledged_by"].is_null());
    let failed = world.bodies(&incident, "send_failed").await;
    assert!(failed.len() == 1 && failed[0]["why"].as_str().unwrap().contains("a machine answered"), "{failed:?}");
    assert_eq!(world.mail.delivered_to("ana@example.org").len(), 1, "at once, and not a quarter of an hour later");
    assert_eq!(states(&world, &incident).await, ["rejected", "delivered"]);
    // A detector that was wrong takes nothing from whoever pressed the key.
    telephone.press(&call, "1").await;
    world.quiet().await;
    assert_eq!(opened(&world).await["acknowledged_by"], "ana");

    for (n, status) in ["busy", "no-answer", "failed", "canceled"].into_iter().enumerate() {
        world.fire(status).await;
        let call = newest(&telephone, "Calls");
        assert_eq!(telephone.ended(&call, status).await.status, 200);
        world.quiet().await;
        assert_eq!(world.mail.delivered_to("ana@example.org").len(), n + 2, "{status}: the next way");
        assert!(opened(&world).await["acknowledged_by"].is_null(), "{status}");
    }
    // Nothing is heard of it at all.
    world.fire("never").await;
    world.advance(110).await;
    let before = world.mail.delivered_to("ana@example.org").len();
    world.advance(15).await;
    assert_eq!(world.mail.delivered_to("ana@example.org").len(), before + 1, "after two minutes");
}

async fn receipts_come_late_twice_and_out_of_order(database: Database) {
    let (mut world, telephone) = world_with(database, by_sms()).await;
    world.fire("order").await;
    let message = newest(&telephone, "Messages");
    for status in ["queued", "delivered", "delivered", "sent", "sending"] {
        let told = telephone.status(&message, status).await;
        assert_eq!(said(&told), "", "{status}");
    }
    world.quiet().await;
    let incident = opened(&world).await;
    assert_eq!(states(&world, &incident).await, ["delivered"]);
    assert_eq!(world.bodies(&incident, "delivered").await.len(), 1, "said twice, and told once");
    // What is settled is not unsaid.
    assert_eq!(said(&telephone.status(&message, "undelivered").await), "");
    world.advance(61).await;
    assert_eq!((states(&world, &incident).await, world.mail.all().len()), (vec!["delivered".to_owned()], 0));
    said(&texts(&world, &telephone, "1").await);

    // Not in time: it counts as failed, and what comes later changes nothing, but an answer is an answer.
    world.fire("late").await;
    let late = newest(&telephone, "Messages");
    telephone.status(&late, "sent").await;
    world.advance(50).await;
    assert_eq!(world.mail.all().len(), 0);
    world.advance(11).await;
    assert_eq!(world.mail.delivered_to("ana@example.org").len(), 1, "the next way has its turn");
    assert_eq!(said(&telephone.status(&late, "delivered").await), "");
    world.quiet().await;
    assert!(!world.kinds(&opened(&world).await).await.contains(&"acknowledged".to_owned()));
    said(&texts(&world, &telephone, late.code()).await);
    assert_eq!(opened(&world).await["acknowledged_by"], "ana");

    // The phone is off.
    world.fire("off").await;
    telephone.status(&newest(&telephone, "Messages"), "undelivered").await;
    world.quiet().await;
    assert_eq!(world.mail.delivered_to("ana@example.org").len(), 2, "at once");
    assert_eq!(world.bodies(&opened(&world).await, "send_failed").await[0]["why"], "undelivered, error 30005");
}

async fn what_is_forged_does_nothing(database: Database) {
    let (world, telephone) = world_with(database, by_sms()).await;
    world.fire("the director's laptop").await;
    let message = newest(&telephone, "Messages");
    let incident = opened(&world).await;
    let before = world.events(&incident).await.len();
    let (texts_to, receipts_to) = (world.at("/reply/sms"), message.callback().to_owned());
    let answer = [("From", ANA), ("To", OURS), ("Body", message.code())];
    let receipt = [("To", ANA), ("From", OURS), ("MessageStatus", "undelivered")];
    let mut told = Vec::new();
    for (url, fields) in [(&texts_to, answer), (&receipts_to, receipt)] {
        for (token, signed) in [("another-token", url.as_str()), (TOKEN, "https://elsewhere.example/reply/sms"), (TOKEN, "")] {
            told.push(telephone.post_signed(url, &fields, &signature(token, signed, &fields)).await);
        }
        for signature in ["", "AAAA", "IGjdmYjxdEGqJaYrIeCrWL4Nd+4="] {
            told.push(telephone.post_signed(url, &fields, signature).await);
        }
        // Signed over other fields.
        let other = [fields[0], fields[1], ("Body", "no")];
        told.push(telephone.post_signed(url, &fields, &signature(TOKEN, url, &other)).await);
    }
    // Signed, and of a number that nobody has; of a message that is not, or went to somebody else.
    told.push(telephone.text(&texts_to, STRANGER, message.code()).await);
    let (id, other) = (receipts_to.len() - 1, if receipts_to.ends_with('0') { "1" } else { "0" });
    told.push(telephone.post(&format!("{}{other}", &receipts_to[..id]), &receipt).await);
    told.push(telephone.post(&receipts_to, &[("To", STRANGER), ("MessageStatus", "undelivered")]).await);
    // As a receipt of a call, at the door of calls.
    told.push(telephone.post(&receipts_to.replace("/sms?", "/voice?"), &[("To", ANA), ("Digits", "1")]).await);
    for one in &told {
        assert_eq!((one.status, &one.text), (401, &told[0].text), "all alike");
        assert!(!one.text.contains("director") && !one.text.contains("INC-") && !one.text.contains("<Response>"), "{}", one.text);
    }
    world.quiet().await;
    assert_eq!(world.events(&incident).await.len(), before, "nothing was changed");
    assert_eq!(states(&world, &incident).await, ["accepted"]);
    let metrics = world.get("/metrics").await.ok().text;
    assert!(metrics.contains(&format!("allclear_signals_refused_total{{reason=\"reply_unknown\"}} {}", told.len())), "{metrics}");
    for (url, fields) in
        [(world.at("/reply/voice"), vec![("To", ANA)]), (world.at("/reply/sms"), vec![("From", ANA)]), (world.at("/reply/sms?m=x"), vec![])]
    {
        assert_eq!(telephone.post(&url, &fields).await.status, 400, "{url}");
    }
    assert!(!world.log().contains(ANA) && !world.log().contains(STRANGER) && !world.log().contains(TOKEN), "nor is any in the log");
    said(&texts(&world, &telephone, message.code()).await);
    assert_eq!(opened(&world).await["acknowledged_by"], "ana", "and her own answer is taken");
}

async fn sixty_five_at_once_are_few_text_messages_and_each_is_taken_by_its_code(database: Database) {
    const ALL: usize = 65;
    let telephone = Telephone::start().await;
    let mut world = World::start(telephone.carries(gathering(database).org(by_sms()))).await;
    let alarm = |n: usize| json!({"title": format!("disk {n}"), "dedup_key": format!("disk {n}"), "severity": "critical"}).to_string();
    let path = format!("/in/json/{}", org::JSON_KEY);
    for answer in futures_util::future::join_all((0..ALL).map(|n| world.post(&path, alarm(n)))).await {
        answer.ok();
    }
    world.quiet().await;
    world.advance(10).await;
    let messages = telephone.asked("Messages");
    assert!((1..=4).contains(&messages.len()), "{messages:#?}");
    let last = messages.last().unwrap();
    assert!(last.field("Body").contains(" incidents, worst ") && last.field("Body").contains("take all of them"), "{last:?}");
    for message in &messages {
        telephone.status(message, "delivered").await;
        let told = said(&texts(&world, &telephone, message.code()).await);
        assert!(told.starts_with("You have "), "{told}");
    }
    let mine = world.incidents("limit=100").await;
    assert_eq!((mine.len(), mine.iter().filter(|incident| incident["acknowledged_by"] == "ana").count()), (ALL, ALL));
    world.advance(20 * 60).await;
    assert_eq!(world.hook.to("ben").len() + world.mail.all().len(), 0, "nobody else is called");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_providers_errors_are_told_apart_and_name_no_number() {
    let (mut world, telephone) = world_with(Database::Sqlite, by_sms()).await;
    let mails = |world: &World| world.mail.delivered_to("ana@example.org").len();
    // Whoever wrote STOP, and a number that is none: never by this way.
    for (n, code) in [21_610, 21_211].into_iter().enumerate() {
        telephone.script(ANA, Taken::Error(400, code));
        world.fire(&code.to_string()).await;
        assert_eq!(mails(&world), n + 1, "{code}: the next way at once");
        let incident = opened(&world).await;
        let why = world.bodies(&incident, "send_failed").await[0]["why"].as_str().unwrap().to_owned();
        assert!(why.contains(&format!("HTTP 400, {code}: It is not sent to +….")), "{why}");
        let asked = telephone.asked("Messages").len();
        world.advance(60).await;
        assert_eq!(telephone.asked("Messages").len(), asked, "{code}: it is not tried again");
    }
    // Too many: asked again when the provider says.
    telephone.script(ANA, Taken::Later(20));
    world.fire("later").await;
    telephone.script(ANA, Taken::Yes);
    let asked = telephone.asked("Messages").len();
    world.advance(19).await;
    assert_eq!(telephone.asked("Messages").len(), asked);
    world.advance(2).await;
    assert_eq!(telephone.asked("Messages").len(), asked + 1);
    said(&texts(&world, &telephone, newest(&telephone, "Messages").code()).await);

    // Nobody knows whether it arrived: it goes again, says so, and has the same code.
    telephone.script(ANA, Taken::DropAfterReading);
    world.fire("doubt").await;
    let first = newest(&telephone, "Messages");
    telephone.script(ANA, Taken::Yes);
    world.advance(5).await;
    let second = newest(&telephone, "Messages");
    assert!(second.field("Body").starts_with("You may have received this before."), "{}", second.field("Body"));
    assert_eq!((first.code(), first.callback()), (second.code(), second.callback()), "one message, whichever arrived");
    said(&texts(&world, &telephone, second.code()).await);
    assert_eq!(opened(&world).await["acknowledged_by"], "ana");
    assert!(!world.log().contains(ANA), "no number in the log");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whether_it_is_over_is_said_elsewhere_and_after_two_days_nothing_is_answered() {
    let (mut world, telephone) = world_with(Database::Sqlite, by_sms()).await;
    world.fire("disk").await;
    let page = newest(&telephone, "Messages");
    said(&texts(&world, &telephone, "1").await);
    world.recover("disk").await;
    let question = newest(&telephone, "Messages");
    assert!(question.field("Body").starts_with("Is it over? INC-1") && !question.field("Body").contains(" to take it"), "{question:?}");
    let told = said(&texts(&world, &telephone, "yes").await);
    assert!(told.ends_with("/incidents/INC-1"), "{told}");
    assert_eq!(opened(&world).await["state"], "investigating");
    world.advance(48 * 3600 + 1).await;
    let told = said(&texts(&world, &telephone, page.code()).await);
    assert!(told.contains(&format!("no message of the last 48 hours has the code {}", page.code())), "{told}");
}

/// A telephone that answers by itself is not answered for ever, and a person still takes the page.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_machine_that_answers_every_word_is_told_ten_times_and_no_more() {
    let (mut world, telephone) = world_with(Database::Sqlite, by_sms()).await;
    world.fire("disk").await;
    let mut told = Vec::new();
    for _ in 0..14 {
        told.push(said(&texts(&world, &telephone, "I am driving and will answer later.").await));
    }
    assert!(
        told[..10].iter().all(|told| told.contains("is no answer that is understood")) && told[10..].iter().all(String::is_empty),
        "{told:?}"
    );
    world.advance(10 * 60 + 1).await;
    assert!(!said(&texts(&world, &telephone, "What?").await).is_empty(), "after a while");
    for _ in 0..12 {
        texts(&world, &telephone, "I am driving and will answer later.").await;
    }
    let told = said(&texts(&world, &telephone, "1").await);
    assert!(told.starts_with("You have INC-1"), "{told}");
}

/// Behind a proxy, and while the token is changed: what is signed is the address that people know, with either token.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_is_changed_behind_a_proxy_and_no_message_is_lost() {
    const KNOWN: &str = "https://allclear.example.org";
    const NEXT: &str = "the-next-token";
    let telephone = Telephone::start().await;
    let behind = setup(Database::Sqlite).org(by_sms()).args(&["--base-url", KNOWN]);
    let mut world = World::start(telephone.carries(behind)).await;
    world.fire("before").await;
    let before = newest(&telephone, "Messages");
    assert!(before.callback().starts_with(&format!("{KNOWN}/reply/sms?m=msg_")), "{before:?}");
    let text = async |world: &World, signed: &str, token: &str, words: &str| {
        let fields = [("From", ANA), ("To", OURS), ("Body", words)];
        telephone.post_signed(&world.at("/reply/sms"), &fields, &signature(token, &format!("{signed}/reply/sms"), &fields)).await
    };
    assert_eq!(text(&world, &world.at(""), TOKEN, "1").await.status, 401, "not where it came to");
    assert_eq!(text(&world, KNOWN, NEXT, "1").await.status, 401);
    // The server knows the next one already, and Twilio still signs with the one before.
    let both = format!("{NEXT}, {TOKEN}");
    world.try_start_again(&[], &[(TOKEN_VARIABLE, &both)]).await.unwrap();
    let told = said(&text(&world, KNOWN, TOKEN, "what?").await);
    assert!(told.contains("`1` or `yes`"), "{told}");
    telephone.change_token(NEXT);
    let told = said(&text(&world, KNOWN, NEXT, before.code()).await);
    assert!(told.starts_with("You have INC-1"), "{told}");
    world.fire("after").await;
    assert_eq!(newest(&telephone, "Messages").answered, 201, "sent with the next one");
    assert!(!world.log().contains(NEXT) && !world.log().contains(TOKEN), "neither is in the log");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_an_account_the_start_says_so_and_the_next_way_is_used() {
    let world = crate::world_of(Database::Sqlite, by_sms()).await;
    assert!(world.log().contains("no --twilio-account is set, so nobody is reached over sms"), "{}", world.log());
    world.fire("disk").await;
    assert_eq!(world.mail.delivered_to("ana@example.org").len(), 1);
    let failed = world.bodies(&opened(&world).await, "send_failed").await;
    assert_eq!(failed[0]["why"], "no --twilio-account is set");
    let token = world.command("/tokens", json!({"name": "ana", "scope": "respond", "person": "ana"})).await.ok().body;
    let me = world.client.get(world.at("/menu")).bearer_auth(token["token"].as_str().unwrap()).header("accept", "text/html");
    let me = world.send(me).await.ok().text;
    assert!(me.contains("nothing is sent to it: this server has no --twilio-account") && !me.contains("has no --smtp"), "{me}");
    let answer = world.post("/reply/sms", "From=%2B491700000001&Body=1").await;
    assert_eq!((answer.status, &answer.body["code"]), (404, &json!("no_such_channel")), "{}", answer.text);
}
