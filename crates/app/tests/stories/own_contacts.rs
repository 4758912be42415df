//! Everybody looks after how they are reached: contacts of their own beside what a file or an administrator wrote, proved by a
//! code over the contact itself, and the order in which they are used.

use std::time::Duration;

use allclear_trial::org::ADMIN_TOKEN;
use allclear_trial::webhook_sink::{Delivery, Reply};
use allclear_trial::world::Answer;
use allclear_trial::{Database, World};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{on_both, world_of};

on_both!(
    one_adds_a_contact_proves_it_and_is_paged_there,
    a_code_is_sent_a_few_times_and_guessed_by_nobody,
    what_would_leave_nothing_that_reaches_one_is_asked_twice,
    what_keeps_a_page_from_arriving_is_found_before_it_has_to,
    what_became_of_a_message_is_seen_by_those_whom_it_concerns,
    whoever_set_no_order_is_reached_by_the_rules_of_the_house
);

/// How long a message may take to arrive.
const WITHIN: Duration = Duration::from_secs(10);

async fn token(world: &World, person: &str, scope: &str) -> String {
    let made = world.command("/tokens", json!({"name": person, "scope": scope, "person": person})).await.ok().body;
    made["token"].as_str().unwrap().to_owned()
}

async fn ask(world: &World, token: &str, method: Method, path: &str, body: Value) -> Answer {
    let request = world.client.request(method, world.at(&format!("/api/v1{path}"))).bearer_auth(token);
    world.send(if body.is_null() { request } else { request.json(&body) }).await
}

async fn mine(world: &World, token: &str) -> Value {
    ask(world, token, Method::GET, "/me/contacts", Value::Null).await.ok().body
}

async fn page(world: &World, token: &str, path: &str) -> Answer {
    world.send(world.client.get(world.at(path)).bearer_auth(token).header("accept", "text/html")).await
}

/// A form as a browser sends it.
async fn form(world: &World, token: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
    let escaped = |text: &str| -> String { text.bytes().map(|byte| format!("%{byte:02x}")).collect() };
    let body: Vec<String> = fields.iter().map(|(name, value)| format!("{}={}", escaped(name), escaped(value))).collect();
    let request = world.client.post(world.at(path)).bearer_auth(token).header("accept", "text/html");
    world.send(request.header("content-type", "application/x-www-form-urlencoded").body(body.join("&"))).await
}

/// The code of the last mail to an address.
async fn mailed(world: &World, address: &str, nth: usize) -> String {
    for _ in 0..200 {
        if let Some(mail) = world.mail.delivered_to(address).get(nth - 1) {
            let text = mail.text();
            let at = text.find(" is your code for All Clear").unwrap_or_else(|| panic!("{text}"));
            return text[at - 6..at].to_owned();
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("no code came to {address}");
}

fn another(code: &str) -> String {
    format!("{:06}", (code.parse::<u32>().unwrap() + 1) % 1_000_000)
}

async fn one_adds_a_contact_proves_it_and_is_paged_there(database: Database) {
    let mut world = world_of(database, allclear_trial::org::usual()).await;
    let ana = token(&world, "ana", "respond").await;

    // What the file has is seen, masked, and not changed here; the page says where it is.
    let before = mine(&world, &ana).await;
    assert_eq!((&before["items"][0]["held_by"], &before["items"][0]["verified"]), (&json!("file"), &json!(true)), "{before}");
    assert_eq!(before["items"][0]["address"]["secret"], "********", "{before}");
    let refused = ask(&world, &ana, Method::DELETE, "/me/contacts/hook", Value::Null).await;
    assert_eq!((refused.status, &refused.body["code"]), (409, &json!("contact_of_file")), "{}", refused.text);
    let shown = page(&world, &ana, "/me/reached").await.ok().text;
    assert!(shown.contains("It stands in the organisation's file") && !shown.contains("whsec_"), "{shown}");

    // One more, by the form: it is not used before its code was typed.
    let shown = page(&world, &ana, "/me/reached?add=email").await.ok().text;
    assert!(shown.contains("name=\"at.email\""), "{shown}");
    let wrong = form(&world, &ana, "/me/reached/add", &[("channel", "email"), ("at.email", "📟")]).await;
    assert!(wrong.status == 422 && wrong.text.contains("is not a mail address") && wrong.text.contains("value=\"📟\""), "{}", wrong.text);
    let added = form(&world, &ana, "/me/reached/add", &[("channel", "email"), ("at.email", "night@example.org")]).await;
    assert_eq!((added.status, added.header("location")), (303, Some("/me/reached?added#contact-mail-2")), "{}", added.text);
    // She hears of it by a way that was hers before, and the audit log has it; neither says where it leads.
    world.quiet().await;
    let told = world.hook.told("ana");
    let said = told.iter().find(|told| told.kind() == "note").expect("she is told").body["data"]["text"].to_string();
    assert!(said.contains("Ana Ruiz changed how a page reaches you: the contact `mail-2` was added"), "{said}");
    let audited = world.api("/audit").await["items"]
        .as_array()
        .unwrap()
        .clone()
        .into_iter()
        .find(|line| line["kind"] == "contacts_changed")
        .expect("a line");
    assert_eq!((&audited["about"], &audited["detail"]), (&json!("ana"), &json!("the contact `mail-2` was added")), "{audited}");
    assert!(!said.contains("night@") && !audited.to_string().contains("night@"), "{said} {audited}");
    let twice = ask(&world, &ana, Method::POST, "/me/contacts", json!({"email": "night@example.org"})).await;
    assert_eq!((twice.status, &twice.body["code"]), (409, &json!("contact_twice")), "{}", twice.text);
    let not_yet = mine(&world, &ana).await;
    assert_eq!((&not_yet["items"][2]["id"], &not_yet["items"][2]["verified"]), (&json!("mail-2"), &json!(false)), "{not_yet}");
    let rules = json!({"high": [{"contact": "mail-2"}, {"contact": "hook", "after": "2m"}]});
    ask(&world, &ana, Method::PUT, "/me/rules", rules).await.ok();
    world.fire("before the proof").await;
    assert!(world.hook.wait(WITHIN, |all| all.iter().any(Delivery::is_page)).await, "what is proved is used meanwhile");
    world.quiet().await;
    assert!(world.mail.delivered_to("night@example.org").is_empty(), "nothing goes where nobody proved that they are");
    world.press(&world.hook.to("ana")[0].ack_path()).await.ok();

    // The code goes over the contact itself, and is nowhere else.
    let sent = form(&world, &ana, "/me/reached/mail-2/code", &[]).await;
    assert_eq!((sent.status, sent.header("location")), (303, Some("/me/reached?sent#contact-mail-2")), "{}", sent.text);
    let code = mailed(&world, "night@example.org", 1).await;
    world.quiet().await;
    let mail = world.mail.delivered_to("night@example.org")[0].text();
    assert!(mail.contains("Ana Ruiz asked for it") && !mail.contains("/a/"), "{mail}");
    let waits = mine(&world, &ana).await;
    assert_eq!((&waits["items"][2]["code"]["state"], &waits["items"][2]["code"]["left"]), (&json!("delivered"), &json!(5)), "{waits}");
    let shown = page(&world, &ana, "/me/reached").await.ok().text;
    assert!(shown.contains("The code, six digits") && shown.contains(">delivered</a>"), "{shown}");
    for said in [waits.to_string(), shown, world.log()] {
        assert!(!said.contains(&code), "{said}");
    }
    let wrong = form(&world, &ana, "/me/reached/mail-2/verify", &[("code", &another(&code))]).await;
    assert!(wrong.status == 422 && wrong.text.contains("you may try 4 more times"), "{}", wrong.text);
    let typed = format!("{} {}", &code[..3], &code[3..]);
    let done = form(&world, &ana, "/me/reached/mail-2/verify", &[("code", &typed)]).await;
    assert_eq!((done.status, done.header("location")), (303, Some("/me/reached?verified#contact-mail-2")), "{}", done.text);
    let again = ask(&world, &ana, Method::POST, "/me/contacts/mail-2/verify", json!({"code": code})).await;
    assert_eq!(again.body["code"], "contact_verified", "{}", again.text);
    let proved = mine(&world, &ana).await;
    assert!(proved["items"][2]["verified"] == true && proved["items"][2]["verified_at"].is_string(), "{proved}");
    assert!(proved["items"][2]["verified_by"].is_null() && proved["rules_are_own"] == true, "{proved}");

    // Now a page goes there, and a file that is applied again changes nothing of it.
    let dir = world.dir.path().join("again.yaml");
    std::fs::write(&dir, allclear_trial::org::filled(&allclear_trial::org::usual(), &world.hook.url())).unwrap();
    let applied = world.cli(&["config", "apply", dir.to_str().unwrap()]).await;
    assert_eq!(applied.code, 0, "{} {}", applied.stdout, applied.stderr);
    world.fire("after the proof").await;
    world.quiet().await;
    let mut mails = Vec::new();
    for _ in 0..100 {
        mails = world.mail.delivered_to("night@example.org");
        if mails.len() > 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(mails.len() == 2 && mails[1].text().contains("after the proof"), "{mails:?}");

    // Another address is not proved, and pages nobody; it stands in the versions of the form, and in no other's reach.
    let changed = ask(&world, &ana, Method::PUT, "/me/contacts/mail-2", json!({"email": "other@example.org"})).await.ok();
    assert_eq!(changed.body["contact"], "mail-2");
    assert_eq!(mine(&world, &ana).await["items"][2]["verified"], false);
    let events = world.send(world.client.get(world.at("/api/v1/org/own_contacts/ana")).bearer_auth(ADMIN_TOKEN)).await.ok().body;
    assert_eq!(events["body"]["contacts"][0]["email"], "other@example.org", "an administrator sees it: {events}");
    let ben = token(&world, "ben", "respond").await;
    let foreign = world.send(world.client.get(world.at("/api/v1/org/own_contacts/ana")).bearer_auth(&ben)).await;
    assert_eq!(foreign.status, 403, "{}", foreign.text);
    let foreign = world.send(world.client.post(world.at("/api/v1/people/ana/contacts/mail-2/verified")).bearer_auth(&ben)).await;
    assert_eq!(foreign.status, 403, "{}", foreign.text);

    // By hand it is kept who said so.
    world.command("/people/ana/contacts/mail-2/verified", json!({})).await.ok();
    let by_hand = mine(&world, &ana).await;
    assert_eq!(by_hand["items"][2]["verified_by"], "administrator", "{by_hand}");

    // Who is no person, only reads, or is gone, is told so.
    let nobody = world.command("/tokens", json!({"name": "bot", "scope": "respond"})).await.ok().body["token"].as_str().unwrap().to_owned();
    let told = ask(&world, &nobody, Method::POST, "/me/contacts", json!({"email": "x@example.org"})).await;
    assert!(told.status == 403 && told.text.contains("stands for no person"), "{}", told.text);
    let reads = token(&world, "ana", "read").await;
    assert_eq!(ask(&world, &reads, Method::GET, "/me/contacts", Value::Null).await.status, 200);
    assert_eq!(ask(&world, &reads, Method::DELETE, "/me/contacts/mail-2", Value::Null).await.status, 403);

    // Away again, with a restart in between.
    world.restart_after(Duration::from_secs(1)).await;
    ask(&world, &ana, Method::DELETE, "/me/contacts/mail-2", Value::Null).await.ok();
    ask(&world, &ana, Method::DELETE, "/me/rules", Value::Null).await.ok();
    let left = mine(&world, &ana).await;
    assert!(left["items"].as_array().unwrap().len() == 2 && left["rules_are_own"] == false, "{left}");
    let gone = world.send(world.client.get(world.at("/api/v1/org/own_contacts/ana")).bearer_auth(ADMIN_TOKEN)).await;
    assert_eq!(gone.status, 404, "{}", gone.text);
}

async fn a_code_is_sent_a_few_times_and_guessed_by_nobody(database: Database) {
    let mut world = world_of(database, allclear_trial::org::usual()).await;
    let ana = token(&world, "ana", "respond").await;
    let refused = ask(&world, &ana, Method::POST, "/me/contacts/mail/code", Value::Null).await;
    assert_eq!(refused.body["code"], "contact_verified", "{}", refused.text);
    ask(&world, &ana, Method::POST, "/me/contacts", json!({"email": "night@example.org"})).await.ok();
    let none = ask(&world, &ana, Method::POST, "/me/contacts/mail-2/verify", json!({"code": "000000"})).await;
    assert_eq!((none.status, &none.body["code"]), (409, &json!("no_code")), "{}", none.text);

    // Sixty-five at once are one message; an emoji is no guess.
    let many = (0..65).map(|_| ask(&world, &ana, Method::POST, "/me/contacts/mail-2/code", Value::Null));
    let answers = futures_util::future::join_all(many).await;
    assert!(answers.iter().any(|answer| answer.status == 202), "{:?}", answers[0].text);
    assert!(
        answers.iter().all(|answer| [202, 409, 429].contains(&answer.status)),
        "{:?}",
        answers.iter().map(|a| a.status).collect::<Vec<_>>()
    );
    world.quiet().await;
    let sent = world.mail.delivered_to("night@example.org").len();
    assert!((1..=5).contains(&sent), "{sent} mails");
    let emoji = ask(&world, &ana, Method::POST, "/me/contacts/mail-2/verify", json!({"code": "🔢🔢"})).await;
    assert!(emoji.status == 422 && emoji.text.contains("six digits"), "{}", emoji.text);

    // Five wrong ones, however many come at once, and the code works no more.
    world.advance(3601).await;
    ask(&world, &ana, Method::POST, "/me/contacts/mail-2/code", Value::Null).await.ok();
    let code = mailed(&world, "night@example.org", sent + 1).await;
    let wrong = another(&code);
    let many = (0..65).map(|_| ask(&world, &ana, Method::POST, "/me/contacts/mail-2/verify", json!({"code": wrong})));
    let answers = futures_util::future::join_all(many).await;
    let guesses = answers.iter().filter(|answer| answer.body["code"] == "wrong_code").count();
    assert!(guesses <= 5, "{guesses} guesses");
    let right = ask(&world, &ana, Method::POST, "/me/contacts/mail-2/verify", json!({"code": code})).await;
    assert_eq!((right.status, &right.body["code"]), (409, &json!("no_code")), "{}", right.text);

    // One that is too old, and one of the address before.
    world.advance(60).await;
    ask(&world, &ana, Method::POST, "/me/contacts/mail-2/code", Value::Null).await.ok();
    let late = mailed(&world, "night@example.org", sent + 2).await;
    world.advance(901).await;
    let told = ask(&world, &ana, Method::POST, "/me/contacts/mail-2/verify", json!({"code": late})).await;
    assert!(told.body["code"] == "no_code" && told.text.contains("older than 15m"), "{}", told.text);
    ask(&world, &ana, Method::POST, "/me/contacts/mail-2/code", Value::Null).await.ok();
    let of_before = mailed(&world, "night@example.org", sent + 3).await;
    ask(&world, &ana, Method::PUT, "/me/contacts/mail-2", json!({"email": "ben@example.org"})).await.ok();
    let told = ask(&world, &ana, Method::POST, "/me/contacts/mail-2/verify", json!({"code": of_before})).await;
    assert_eq!(told.body["code"], "no_code", "it proves the address that it went to: {}", told.text);

    // A failing address says what became of the code, and is tried again.
    ask(&world, &ana, Method::POST, "/me/contacts", json!({"webhook": format!("{}/own", world.hook.url())})).await.ok();
    world.hook.script("/own", Reply::Status(400));
    ask(&world, &ana, Method::POST, "/me/contacts/hook-2/code", Value::Null).await.ok();
    world.quiet().await;
    let seen = mine(&world, &ana).await;
    let code = &seen["items"][3]["code"];
    assert!(code["state"] == "rejected" && code["why"].as_str().is_some_and(|why| why.contains("400")), "{seen}");
    let waits = ask(&world, &ana, Method::POST, "/me/contacts/mail-2/code", Value::Null).await;
    if waits.status == 429 {
        assert!(waits.header("retry-after").is_some() && waits.text.contains("codes of one person"), "{}", waits.text);
    }
}

async fn what_would_leave_nothing_that_reaches_one_is_asked_twice(database: Database) {
    let world = world_of(database, allclear_trial::org::usual()).await;
    // Somebody whom no file owns changes what their form says, and nothing else of it.
    let dan = json!({"id": "dan", "name": "Dan Levy", "contacts": [{"id": "mail", "email": "dan@example.org"}], "notify": {"high": [{"contact": "mail"}]}});
    let put = world.client.put(world.at("/api/v1/org/person/dan")).bearer_auth(ADMIN_TOKEN).json(&dan);
    world.send(put).await.ok();
    let dan = token(&world, "dan", "respond").await;
    assert_eq!(mine(&world, &dan).await["items"][0]["held_by"], "form");
    let refused = ask(&world, &dan, Method::DELETE, "/me/contacts/mail", Value::Null).await;
    assert!(refused.body["code"] == "nothing_reaches" && refused.text.contains("nothing reaches you then"), "{}", refused.text);
    let by_form = form(&world, &dan, "/me/reached/mail/change", &[("at.email", "dan2@example.org")]).await;
    assert!(by_form.status == 409 && by_form.text.contains("Do it all the same: nothing reaches me then"), "{}", by_form.text);
    assert!(by_form.text.contains("value=\"dan2@example.org\""), "what was typed stays: {}", by_form.text);
    let sure = form(&world, &dan, "/me/reached/mail/change", &[("at.email", "dan2@example.org"), ("sure", "1")]).await;
    assert_eq!(sure.status, 303, "{}", sure.text);
    let shown = page(&world, &dan, "/me/reached").await.ok().text;
    assert!(shown.contains("No contact is verified, so that no page reaches you"), "{shown}");
    let stored = world.send(world.client.get(world.at("/api/v1/org/person/dan")).bearer_auth(ADMIN_TOKEN)).await.ok().body;
    assert_eq!(
        (&stored["body"]["contacts"][0]["email"], &stored["body"]["contacts"][0]["verified"]),
        (&json!("dan2@example.org"), &json!(false))
    );
    assert_eq!(stored["body"]["name"], "Dan Levy");

    // The order, by the form: a delay that is none is told, and what is kept is shown.
    let wrong = form(&world, &dan, "/me/reached/rules", &[("high:mail", "1"), ("high-after:mail", "soon")]).await;
    assert!(wrong.status == 422 && wrong.text.contains("no length of time") && wrong.text.contains("value=\"soon\""), "{}", wrong.text);
    let kept = form(&world, &dan, "/me/reached/rules", &[("high:mail", "1"), ("high-after:mail", "2m")]).await;
    assert_eq!((kept.status, kept.header("location")), (303, Some("/me/reached?ordered#rules")), "{}", kept.text);
    assert_eq!(mine(&world, &dan).await["rules"]["high"], json!([{"contact": "mail", "after": "2m"}]));
    let unknown = ask(&world, &dan, Method::PUT, "/me/rules", json!({"high": [{"contact": "gone"}]})).await;
    assert!(unknown.status == 422 && unknown.text.contains("`gone` is not a contact of `dan`"), "{}", unknown.text);

    // Twenty of one's own, and no more; each is told what is wrong with it.
    for n in 0..20 {
        ask(&world, &dan, Method::POST, "/me/contacts", json!({"email": format!("d{n}@example.org")})).await.ok();
    }
    let full = ask(&world, &dan, Method::POST, "/me/contacts", json!({"email": "d20@example.org"})).await;
    assert_eq!((full.status, &full.body["code"]), (409, &json!("too_many_contacts")), "{}", full.text);
    for (body, words) in [
        (json!({"pager": "1"}), "unknown key `pager`"),
        (json!({"email": "x"}), "is not a mail address"),
        (json!({"email": "e@example.org", "verified": true}), "leave `verified` out"),
    ] {
        ask(&world, &dan, Method::DELETE, "/me/contacts/mail-2", Value::Null).await;
        let told = ask(&world, &dan, Method::POST, "/me/contacts", body).await;
        assert!(told.status == 422 && told.text.contains(words), "{words}: {}", told.text);
    }

    // Who is removed leaves nothing behind.
    let gone = world.client.delete(world.at("/api/v1/org/person/dan")).bearer_auth(ADMIN_TOKEN);
    world.send(gone).await.ok();
    let own = world.send(world.client.get(world.at("/api/v1/org/own_contacts/dan")).bearer_auth(ADMIN_TOKEN)).await;
    assert_eq!(own.status, 404, "{}", own.text);
    assert_eq!(ask(&world, &dan, Method::GET, "/me/contacts", Value::Null).await.status, 401);
}

const ROTA: &str = "schedules:\n  - {id: rota, name: Rota, team: payments, time_zone: Etc/UTC, layers: [{people: [ana], every: 1w, handoff: \"Mon 09:00\", starts: 2026-01-05}]}\n";

async fn of(world: &World, token: &str, query: &str) -> Vec<Value> {
    ask(world, token, Method::GET, &format!("/readiness{query}"), Value::Null).await.ok().body["items"].as_array().unwrap().clone()
}

async fn what_keeps_a_page_from_arriving_is_found_before_it_has_to(database: Database) {
    let unverified = allclear_trial::org::usual().replacen("email: ben@example.org}]", "email: ben@example.org, verified: false}]", 1);
    let mut world = world_of(database, format!("{unverified}{ROTA}")).await;
    let ana = token(&world, "ana", "respond").await;
    let kinds =
        |view: &Value| view["findings"].as_array().unwrap().iter().map(|f| f["kind"].as_str().unwrap().to_owned()).collect::<Vec<_>>();

    // Everybody reads their own, a manager those of the team, an administrator all: who is on call soonest first.
    let mine = of(&world, &ana, "").await;
    assert_eq!((mine.len(), &mine[0]["person"], &mine[0]["ready"]), (1, &json!("ana"), &json!(false)), "{mine:?}");
    assert_eq!(kinds(&mine[0]), ["never_tested", "only_one"]);
    assert!(mine[0]["schedule"] == "rota" && mine[0]["on_call_at"].is_string(), "{mine:?}");
    let cho = token(&world, "cho", "respond").await;
    let of_team = of(&world, &cho, "?team=payments").await;
    assert_eq!(of_team.iter().map(|view| view["person"].as_str().unwrap()).collect::<Vec<_>>(), ["ana", "ben", "cho"]);
    assert!(kinds(&of_team[1]).contains(&"contact_unverified".to_owned()), "{of_team:?}");
    let gone = ask(&world, &cho, Method::GET, "/readiness?team=gone", Value::Null).await;
    assert_eq!((gone.status, &gone.body["code"]), (404, &json!("no_such_team")), "{}", gone.text);
    let shown = page(&world, &cho, "/on-call/ready").await.ok().text;
    assert!(
        shown.contains("Ana Ruiz") && shown.contains("On call now in <bdi>Rota</bdi>") && shown.contains("No test page was ever answered."),
        "{shown}"
    );
    let doctor = world.cli(&["doctor"]).await;
    assert!(
        format!("{}{}", doctor.stdout, doctor.stderr).contains("`ana` is on call in `rota` now, and no test page was ever answered"),
        "{doctor:?}"
    );

    // What fails is seen by what the provider said, and is mended by a test that arrives.
    world.hook.script("/ana", Reply::Status(410));
    for n in 0..3 {
        world.fire(&format!("alarm {n}")).await;
        world.quiet().await;
    }
    let failing = of(&world, &ana, "").await;
    assert_eq!(kinds(&failing[0])[..2], ["all_fail", "never_tested"], "{failing:?}");
    let me = page(&world, &ana, "/menu").await.ok().text;
    assert!(me.contains("Would a page reach me?") && me.contains("The last 3 messages over every contact were not delivered."), "{me}");
    // Within a day the manager is told, before a night needs it; what nobody tried yet would not have been told.
    assert!(world.hook.told("cho").iter().all(|told| told.kind() != "readiness"));
    world.advance(25 * 3600).await;
    world.quiet().await;
    let told = world.hook.told("cho").into_iter().find(|told| told.kind() == "readiness").expect("the manager is told");
    assert!(
        told.body.to_string().contains("Ana Ruiz is on call in Rota now, and a page may not arrive: the last 3 messages"),
        "{}",
        told.body
    );
    assert!(told.body["data"]["ack_url"].is_null() || told.body["data"]["ack_url"] == "", "{}", told.body);
    world.hook.script("/ana", Reply::Ok);
    assert_eq!(form(&world, &ana, "/menu/test", &[("once", "1790000000000000")]).await.status, 303);
    world.quiet().await;
    let test = world
        .hook
        .to("ana")
        .into_iter()
        .rfind(|delivery| delivery.answered == 200 && delivery.body.to_string().contains("Test page for"))
        .expect("the test arrives");
    world.press(&test.ack_path()).await.ok();
    let ready = of(&world, &ana, "").await;
    assert_eq!((kinds(&ready[0]), &ready[0]["ready"]), (vec!["only_one".to_owned()], &json!(true)), "{ready:?}");
    assert!(page(&world, &ana, "/menu").await.ok().text.contains("A page reaches me"));
}

async fn what_became_of_a_message_is_seen_by_those_whom_it_concerns(database: Database) {
    let mut world = world_of(database, crate::private::organisation()).await;
    world.hook.script("/ana", Reply::Status(503));
    let secret = json!({"title": "kestrel-4471", "dedup_key": "k", "severity": "critical", "labels": {"secret": "yes"}});
    world.signal(secret).await;
    world.quiet().await;
    world.hook.script("/ana", Reply::Ok);
    world.advance(120).await;
    world.quiet().await;
    let incident = world.incidents("limit=1").await.remove(0);
    let pages = world.api(&format!("/incidents/{}/pages", incident["ref"].as_str().unwrap())).await;
    let id = pages["items"][0]["messages"][0]["id"].as_str().unwrap().to_owned();

    // Whom it was for, and who sees the incident, read each state with its time, its try and what was said.
    for person in ["ana", "cho"] {
        let token = token(&world, person, "respond").await;
        let told = ask(&world, &token, Method::GET, &format!("/messages/{id}"), Value::Null).await.ok().body;
        let states: Vec<&str> = told["steps"].as_array().unwrap().iter().map(|step| step["state"].as_str().unwrap()).collect();
        assert_eq!((states.first(), states.last(), &told["state"]), (Some(&"decided"), Some(&"delivered"), &json!("delivered")), "{told}");
        assert!(states.contains(&"delayed") && told["steps"][1]["says"].as_str().is_some_and(|says| says.contains("503")), "{told}");
        assert!(told["attempts"].as_u64().is_some_and(|tries| tries > 1) && told["ended_at"].is_string(), "{told}");
        assert!(told["says"].as_str().is_some_and(|says| says.contains("kestrel-4471")), "{told}");
        let shown = page(&world, &token, &format!("/messages/{id}")).await.ok().text;
        assert!(shown.contains("Delivered</strong> · try") && shown.contains("503") && shown.contains(&id), "{shown}");
    }
    // It stands in the page of the incident; and on one's own page of what was sent to one.
    let ana = token(&world, "ana", "respond").await;
    let shown = page(&world, &ana, &format!("/incidents/{}", incident["ref"].as_str().unwrap())).await.ok().text;
    assert!(shown.contains(&format!("/messages/{id}")), "{shown}");
    let lately = page(&world, &ana, "/me/reached").await.ok().text;
    assert!(lately.contains("Sent to me lately") && lately.contains(&format!("/messages/{id}")), "{lately}");

    // Nobody else learns that there is one, and no id that is none tells more.
    for person in ["dan", "obs", "gus"] {
        let token = token(&world, person, "read").await;
        let none = ask(&world, &token, Method::GET, "/messages/msg_00000000000000000000000000", Value::Null).await;
        let hidden = ask(&world, &token, Method::GET, &format!("/messages/{id}"), Value::Null).await;
        assert_eq!((hidden.status, &hidden.text), (404, &none.text), "{person}");
        assert_eq!(page(&world, &token, &format!("/messages/{id}")).await.status, 404, "{person}");
    }
    let odd = ask(&world, &ana, Method::GET, "/messages/📟", Value::Null).await;
    assert_eq!((odd.status, &odd.body["code"]), (404, &json!("no_such_message")), "{}", odd.text);
}

async fn whoever_set_no_order_is_reached_by_the_rules_of_the_house(database: Database) {
    let rule = "notify: {high: [{contact: hook}], low: [{contact: hook}]}";
    let usual = allclear_trial::org::usual();
    assert!(usual.contains(rule), "{usual}");
    let rules = "notify_defaults:\n  - {id: webhook, high: 0s}\n  - {id: email, high: 2m, low: 0s}\n";
    let mut world = world_of(database, format!("{}{rules}", usual.replacen(rule, "", 1))).await;
    let ana = token(&world, "ana", "respond").await;
    let me = page(&world, &ana, "/menu").await.ok().text;
    assert!(me.contains("hook at once, mail after 2m") && me.contains("mail at once"), "{me}");
    assert!(page(&world, &ana, "/me/reached").await.ok().text.contains("the default notification rules hold"));

    world.fire("disk").await;
    assert_eq!((world.hook.to("ana").len(), world.mail.delivered_to("ana@example.org").len()), (1, 0));
    world.advance(119).await;
    assert_eq!(world.mail.delivered_to("ana@example.org").len(), 0, "not before its time");
    world.advance(2).await;
    assert_eq!(world.mail.delivered_to("ana@example.org").len(), 1);
    // Her own order takes the place of the rules.
    ask(&world, &ana, Method::PUT, "/me/rules", json!({"high": [{"contact": "mail"}]})).await.ok();
    world.fire("another").await;
    let mails: Vec<String> = world.mail.delivered_to("ana@example.org").iter().map(allclear_trial::mail_sink::Mail::text).collect();
    assert!(world.hook.to("ana").len() == 1 && mails.iter().any(|mail| mail.contains("another")), "{mails:?}");

    // By the form, with what is wrong said at its field.
    let wrong = form(&world, allclear_trial::org::ADMIN_TOKEN, "/settings/notify_default", &[("id", "smoke"), ("high", "2m")]).await;
    assert!(wrong.status == 422 && wrong.text.contains("is not a channel"), "{} {}", wrong.status, wrong.text);
}
