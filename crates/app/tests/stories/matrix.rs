//! A page into a room of Matrix, against a server that also answers wrongly, late, twice and never. One that is put twice under the
//! same id is one in the room, as the specification says.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use allclear_trial::fake::{Answer, Came, Fake, Instead};
use allclear_trial::webhook_sink::path_of;
use allclear_trial::{Database, World, org};
use serde_json::{Value, json};

use crate::{on_both, world_of};

on_both!(a_page_is_one_event_of_its_room_and_an_edit_when_it_is_over);

const TOKEN: &str = "syt_hush_0123456789abcdef";
const ROOM: &str = "!OGEhHVWSdvArJzumhm:example.org";

/// The room: each event under the id that it was put with.
#[derive(Clone, Default)]
struct Room(Arc<Mutex<Vec<(String, Value)>>>);

impl Room {
    fn answer(&self, came: &Came) -> Answer {
        let no = |status: u16, code: &str| Answer::json(status, &json!({"errcode": code, "error": format!("no, {TOKEN}")}));
        if came.header("authorization") != format!("Bearer {TOKEN}") {
            return no(401, "M_UNKNOWN_TOKEN");
        }
        let room = "%21OGEhHVWSdvArJzumhm%3Aexample%2Eorg";
        let Some(txn) = came.path.strip_prefix(&format!("/_matrix/client/v3/rooms/{room}/send/m.room.message/")) else {
            return no(404, "M_UNRECOGNIZED");
        };
        let content = came.json();
        if came.method != "PUT" || !content["msgtype"].is_string() || !content["body"].is_string() {
            return no(400, "M_BAD_JSON");
        }
        let mut events = self.0.lock().unwrap();
        let at = match events.iter().position(|(own, _)| own == txn) {
            Some(at) => at,
            None => {
                events.push((txn.to_owned(), content));
                events.len() - 1
            }
        };
        Answer::json(200, &json!({"event_id": format!("$event{at}:example.org")}))
    }

    fn events(&self) -> Vec<Value> {
        self.0.lock().unwrap().iter().map(|(_, content)| content.clone()).collect()
    }
}

async fn world_with(database: Database) -> (World, Fake, Room) {
    let room = Room::default();
    let own = room.clone();
    let fake = Fake::start(move |came| own.answer(came)).await;
    let hook = r#"{id: hook, webhook: "{HOOK}/ana", secret: "{SECRET}"}"#;
    let contact = format!("{{id: room, matrix: \"{ROOM}\", token: {TOKEN}, server: \"{}\"}}", fake.url());
    let rule = "notify: {high: [{contact: hook}], low: [{contact: hook}]}";
    let own = "notify: {high: [{contact: room}, {contact: mail, after: 15m}], low: [{contact: room}]}";
    let org = org::usual().replacen(hook, &contact, 1).replacen(rule, own, 1);
    (world_of(database, org).await, fake, room)
}

async fn opened(world: &World) -> Value {
    world.incidents("").await.remove(0)
}

async fn a_page_is_one_event_of_its_room_and_an_edit_when_it_is_over(database: Database) {
    let (mut world, fake, room) = world_with(database).await;
    world.fire("disk <b> @room & \"x\" 🙂").await;
    let event = room.events().remove(0);
    let (body, html) = (event["body"].as_str().unwrap(), event["formatted_body"].as_str().unwrap());
    assert!(body.contains("INC-1 disk <b> @room & \"x\" 🙂") && html.contains("disk &lt;b&gt; @room &amp; &quot;x&quot; 🙂"), "{event}");
    assert_eq!((&event["msgtype"], &event["m.mentions"]), (&json!("m.text"), &json!({})));
    let link = body.lines().find_map(|line| line.strip_prefix("Acknowledge: ")).unwrap().to_owned();
    world.press(&path_of(&link)).await.ok();
    world.quiet().await;
    assert_eq!(opened(&world).await["acknowledged_by"], "ana");
    let edit = room.events().remove(1);
    assert_eq!(edit["m.relates_to"], json!({"rel_type": "m.replace", "event_id": "$event0:example.org"}));
    assert!(edit["m.new_content"]["body"].as_str().unwrap().contains("Ana Ruiz has it, since "), "{edit}");

    // The answer is lost: sent again, it is the same event.
    fake.instead("/send/", Instead::Silent);
    world.fire("lost").await;
    fake.as_ever();
    assert_eq!(world.mail.delivered_to("ana@example.org").len(), 1, "the next way does not wait");
    world.advance(10).await;
    let asked = fake.came().iter().filter(|came| came.body.contains("lost")).count();
    let events = room.events().iter().filter(|event| event["body"].as_str().unwrap().contains("lost")).count();
    assert!(asked >= 2 && events == 1, "asked {asked} times, and {events} in the room");
    world.command("/incidents/INC-2/resolve", json!({})).await.ok();
    world.quiet().await;

    let mut mails = BTreeMap::new();
    for (what, instead, is_final) in [
        ("forbidden", Instead::Says(403, vec![], format!(r#"{{"errcode":"M_FORBIDDEN","error":"not in room, {TOKEN}"}}"#)), true),
        ("token", Instead::Says(401, vec![], r#"{"errcode":"M_UNKNOWN_TOKEN","error":"x"}"#.into()), true),
        ("limited", Instead::Says(429, vec![], r#"{"errcode":"M_LIMIT_EXCEEDED","error":"x","retry_after_ms":20000}"#.into()), false),
        ("portal", Instead::Says(200, vec![], "<!doctype html>".into()), false),
    ] {
        fake.instead("/send/", instead);
        world.fire(what).await;
        fake.as_ever();
        let before = world.mail.delivered_to("ana@example.org").len();
        mails.insert(what, before);
        let failed = world.bodies(&opened(&world).await, "send_failed").await;
        assert_eq!(failed.is_empty(), !is_final, "{what}: {failed:?}");
        assert!(!json!(world.events(&opened(&world).await).await).to_string().contains("hush"), "{what}");
        world.advance(25).await;
        let arrived = room.events().iter().any(|event| event["body"].as_str().unwrap().contains(what));
        assert_eq!(arrived, !is_final, "{what}");
    }
    assert!(!world.log().contains(TOKEN), "nor is it in the log");
}
