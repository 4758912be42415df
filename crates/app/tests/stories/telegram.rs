//! Answers in Telegram: a button of a message, and what is written to the bot; and what Telegram sends beside it, which is taken and
//! does nothing.

use allclear_trial::{Database, Reply, World, org};
use serde_json::{Value, json};

use crate::{on_both, world_of};

on_both!(a_button_or_a_word_takes_the_page_and_the_message_shows_it, what_is_not_telegrams_does_nothing_and_what_is_talk_is_taken);

const SECRET: &str = "hush7Vd2kX9nT4mZ8rB3wLc";
const BOT: &str = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw";
const CHAT: i64 = 5_551_234_567;
const GROUP: i64 = -1_001_234_567_890;
const HEADER: &str = "x-telegram-bot-api-secret-token";

/// Ana is told in this chat, and by mail a quarter of an hour later; ben has a chat with the bot as well.
fn by_bot(chat: i64) -> String {
    let contact = |chat: i64| format!(r#"{{id: chat, telegram: {chat}, bot: "{BOT}", secret: {SECRET}, server: "{{HOOK}}/tg"}}"#);
    let hook = r#"{id: hook, webhook: "{HOOK}/ana", secret: "{SECRET}"}"#;
    let rule = "notify: {high: [{contact: hook}], low: [{contact: hook}]}";
    let own = "notify: {high: [{contact: chat}, {contact: mail, after: 15m}], low: [{contact: chat}]}";
    let bens = r#"contacts: [{id: hook, webhook: "{HOOK}/ben""#;
    org::usual().replacen(hook, &contact(chat), 1).replacen(rule, own, 1).replacen(
        bens,
        &bens.replacen('[', &format!("[{}, ", contact(77)), 1),
        1,
    )
}

async fn world_with(database: Database, chat: i64) -> World {
    let world = world_of(database, by_bot(chat)).await;
    for method in ["sendMessage", "editMessageText"] {
        world
            .hook
            .script(&format!("/tg/bot{BOT}/{method}"), Reply::Says(200, r#"{"ok":true,"result":{"message_id":42,"text":"cut"#.to_owned()));
    }
    world
}

fn sent(world: &World, method: &str) -> Vec<Value> {
    world.hook.all().into_iter().filter(|one| one.path == format!("/tg/bot{BOT}/{method}")).map(|one| one.body).collect()
}

/// What the button of a message calls back with.
fn data(message: &Value, row: usize) -> String {
    message["reply_markup"]["inline_keyboard"][row][0]["callback_data"].as_str().unwrap().to_owned()
}

async fn post(world: &World, secret: &str, body: &Value) -> (u16, Value) {
    let request = world.client.post(world.at("/reply/telegram")).header(HEADER, secret).body(body.to_string());
    let answer = world.send(request.header("content-type", "application/json")).await;
    world.quiet().await;
    (answer.status, answer.body)
}

fn pressed(by: i64, chat: i64, data: &str) -> Value {
    json!({"update_id": 1, "callback_query": {
        "id": "4382bfdwdsb323b2d9", "from": {"id": by, "is_bot": false, "first_name": "A"}, "chat_instance": "1", "data": data,
        "message": {"message_id": 42, "chat": {"id": chat, "type": "private"}, "date": 1, "text": "x"}
    }})
}

fn wrote(chat: i64, kind: &str, text: &str) -> Value {
    json!({"update_id": 2, "message": {"message_id": 43, "from": {"id": chat}, "chat": {"id": chat, "type": kind}, "date": 1, "text": text}})
}

async fn opened(world: &World) -> Value {
    world.incidents("").await.remove(0)
}

async fn a_button_or_a_word_takes_the_page_and_the_message_shows_it(database: Database) {
    let mut world = world_with(database, CHAT).await;
    world.fire("disk").await;
    let message = sent(&world, "sendMessage").pop().unwrap();
    for _ in 0..2 {
        let (status, said) = post(&world, SECRET, &pressed(CHAT, CHAT, &data(&message, 0))).await;
        assert_eq!(
            (status, &said["method"], &said["callback_query_id"]),
            (200, &json!("answerCallbackQuery"), &json!("4382bfdwdsb323b2d9"))
        );
        assert!(said["text"].as_str().unwrap().starts_with("You have INC-1, since "), "{said}");
    }
    let incident = opened(&world).await;
    assert_eq!(incident["acknowledged_by"], "ana");
    let bodies = world.bodies(&incident, "acknowledged").await;
    assert_eq!((bodies.len(), &bodies[0]["via"]), (1, &json!("telegram")), "{bodies:?}");
    let edited = sent(&world, "editMessageText").pop().unwrap();
    assert_eq!((&edited["message_id"], &edited["reply_markup"]), (&json!(42), &Value::Null));
    assert!(edited["text"].as_str().unwrap().contains("Ana Ruiz has it, since "), "{edited}");

    // Written, while only one waits; passed on by its button.
    world.fire("second").await;
    let (status, said) = post(&world, SECRET, &wrote(CHAT, "private", " Yes! ")).await;
    assert_eq!((status, &said["method"], &said["chat_id"]), (200, &json!("sendMessage"), &json!(CHAT.to_string())));
    assert!(said["text"].as_str().unwrap().starts_with("You have INC-2, since "), "{said}");
    world.fire("third").await;
    let third = sent(&world, "sendMessage").pop().unwrap();
    let (_, said) = post(&world, SECRET, &pressed(CHAT, CHAT, &data(&third, 1))).await;
    assert_eq!((said["text"].as_str(), world.hook.to("ben").len()), (Some("INC-3 is passed on."), 1));
    world.command("/incidents/INC-3/resolve", json!({})).await.ok();
    let (status, said) = post(&world, SECRET, &pressed(CHAT, CHAT, &data(&third, 0))).await;
    assert!(status == 200 && said["text"].as_str().unwrap().contains("is resolved"), "a press after the end: {said}");
    world.advance(20 * 60).await;
    assert_eq!(world.mail.all().len(), 0, "nobody else is called");
    assert!(!world.log().contains(SECRET) && !world.log().contains("AAHdq"), "neither is in the log");
}

async fn what_is_not_telegrams_does_nothing_and_what_is_talk_is_taken(database: Database) {
    let world = world_with(database, GROUP).await;
    world.fire("the director's laptop").await;
    let message = sent(&world, "sendMessage").pop().unwrap();
    let press = data(&message, 0);
    let before = world.events(&opened(&world).await).await.len();
    for secret in ["", "hush", &SECRET[1..]] {
        let (status, said) = post(&world, secret, &pressed(77, GROUP, &press)).await;
        assert_eq!((status, &said["code"]), (401, &json!("reply_unknown")), "{said}");
    }
    // Talk, and what is no answer: taken, so that it does not come again.
    for body in [
        wrote(GROUP, "supergroup", "1"),
        wrote(4_711, "private", "hello"),
        json!({"update_id": 3, "edited_message": {}}),
        json!({"update_id": 4, "callback_query": {"id": "1", "from": {"id": 77}, "data": "another bot's"}}),
        pressed(4_711, GROUP, &press),
    ] {
        let (status, said) = post(&world, SECRET, &body).await;
        assert_eq!(status, 200, "{body}: {said}");
        assert!(!said.to_string().contains("director"), "{said}");
    }
    assert_eq!(world.events(&opened(&world).await).await.len(), before, "nothing was changed");
    // Of the group, whoever has a chat with the bot answers for themself.
    let (status, said) = post(&world, SECRET, &pressed(77, GROUP, &press)).await;
    assert_eq!((status, opened(&world).await["acknowledged_by"].as_str()), (200, Some("ben")), "{said}");
}
