//! A page that rings a browser, against a push service that opens what it gets, checks who it is from, and also answers wrongly,
//! late, twice and never; and a browser that says what became of it.

use allclear_trial::fake::Instead;
use allclear_trial::push_service::is_in_time;
use allclear_trial::{Database, PushService, Pushed, World, org};
use serde_json::{Value, json};

use crate::{on_both, world_of};

on_both!(
    a_browser_is_rung_says_that_it_was_and_takes_the_page,
    what_a_push_service_answers_is_what_becomes_of_the_page,
    a_browser_moves_and_one_that_is_gone_is_told_of,
);

/// Ana is rung in her browser, and gets a mail a quarter of an hour later.
fn by_browser(service: &PushService) -> String {
    let fields: Vec<String> = service.subscription().iter().map(|(key, value)| format!("{key}: \"{value}\"")).collect();
    let contact = format!("{{id: browser, {}, device: Firefox on a phone}}", fields.join(", "));
    let hook = r#"{id: hook, webhook: "{HOOK}/ana", secret: "{SECRET}"}"#;
    let rule = "notify: {high: [{contact: hook}], low: [{contact: hook}]}";
    let own = "notify: {high: [{contact: browser}, {contact: mail, after: 15m}], low: [{contact: browser}]}";
    org::usual().replacen(hook, &contact, 1).replacen(rule, own, 1)
}

async fn world_with(database: Database) -> (World, PushService) {
    let service = PushService::start("ana").await;
    (world_of(database, by_browser(&service)).await, service)
}

async fn opened(world: &World) -> Value {
    world.incidents("").await.remove(0)
}

fn newest(service: &PushService) -> Pushed {
    service.taken().pop().expect("a push")
}

fn says(answer: &allclear_trial::world::Answer) -> String {
    answer.body["replies"][0]["says"].as_str().unwrap_or_default().to_owned()
}

async fn a_browser_is_rung_says_that_it_was_and_takes_the_page(database: Database) {
    let (world, service) = world_with(database).await;
    world.fire("disk <b> \"x\" 🙂").await;
    let page = newest(&service);
    let said = &page.said;
    assert!(said["title"].as_str().unwrap().contains("INC-1 disk <b> \"x\" 🙂"), "{said}");
    assert_eq!(
        (&said["asks"], &said["urgent"], &said["over"], &said["code"]),
        (&json!("Acknowledge"), &json!(true), &json!(false), &json!(false))
    );
    assert_eq!((page.urgency.as_str(), said["tag"].as_str()), ("high", Some(page.topic.as_str())));
    assert!((300..=3_600).contains(&page.ttl) && is_in_time(&page.token, world.now().await.as_second()), "{page:?}");
    // The page behind the link opens without a sign-in.
    let open = said["open"].as_str().unwrap();
    assert!(open.starts_with("/a/") && world.get(open).await.ok().text.contains("INC-1"), "{open}");
    // The service's word is none of the browser's.
    assert!(world.bodies(&opened(&world).await, "delivered").await.is_empty());
    for _ in 0..2 {
        let told = service.says(&world, &page, json!({"receipt": "delivered"})).await.ok();
        assert_eq!(told.body["replies"][0]["receipt"], "delivered");
    }
    assert_eq!(world.bodies(&opened(&world).await, "delivered").await.len(), 1, "said twice, it is once in the log");

    // Pressed twice, it is taken once.
    for _ in 0..2 {
        let told = service.says(&world, &page, json!({"answer": "acknowledge"})).await.ok();
        assert!(says(&told).starts_with("You have INC-1"), "{}", told.text);
    }
    let incident = opened(&world).await;
    let taken = world.bodies(&incident, "acknowledged").await;
    assert_eq!((&incident["acknowledged_by"], taken.len(), &taken[0]["via"]), (&json!("ana"), 1, &json!("web_push")), "{taken:?}");
    let over = newest(&service);
    assert_eq!((&over.said["over"], &over.said["silent"], &over.said["asks"]), (&json!(true), &json!(true), &Value::Null), "{over:?}");
    assert_eq!((over.topic.as_str(), over.said["tag"].as_str()), (page.topic.as_str(), Some(page.topic.as_str())), "it takes its place");
    assert!(over.said["title"].as_str().unwrap().starts_with("Ana Ruiz has it, since "), "{over:?}");
    assert_eq!(over.token, page.token, "a token is used again");

    // Another takes it: what is shown says who.
    world.fire("second").await;
    let second = newest(&service);
    service.says(&world, &second, json!({"receipt": "delivered"})).await.ok();
    world.command("/incidents/INC-2/acknowledge", json!({"by": "ben"})).await.ok();
    world.quiet().await;
    assert!(newest(&service).said["title"].as_str().unwrap().starts_with("Ben Okafor has it"), "{:?}", newest(&service));
    let told = service.says(&world, &second, json!({"answer": "acknowledge"})).await.ok();
    assert!(says(&told).starts_with("Ben Okafor has INC-2"), "{}", told.text);
    world.command("/incidents/INC-2/resolve", json!({})).await.ok();
    let told = service.says(&world, &second, json!({"answer": "acknowledge"})).await;
    assert!(told.status == 409 && told.body["detail"].as_str().unwrap().contains("INC-2 is resolved"), "{}", told.text);

    // A phone that was off shows it late: what it shows is put right at once.
    world.fire("third").await;
    let third = newest(&service);
    world.command("/incidents/INC-3/acknowledge", json!({"by": "ben"})).await.ok();
    world.quiet().await;
    assert_eq!(newest(&service), third, "nothing is shown yet, and nothing takes its place");
    service.says(&world, &third, json!({"receipt": "delivered"})).await.ok();
    assert!(newest(&service).said["over"] == true && newest(&service).topic == third.topic, "{:?}", newest(&service));

    // A forged word does nothing.
    world.fire("fourth").await;
    let before = world.events(&opened(&world).await).await.len();
    let fourth = newest(&service);
    let mut forged = fourth.clone();
    forged.said["answer"]["proof"] = third.said["answer"]["proof"].clone();
    for (pushed, what) in [(&forged, json!({"answer": "acknowledge"})), (&forged, json!({"receipt": "failed"}))] {
        let told = service.says(&world, pushed, what).await;
        assert_eq!((told.status, &told.body["code"]), (401, &json!("reply_unknown")), "{}", told.text);
    }
    assert_eq!(world.events(&opened(&world).await).await.len(), before, "nothing was changed");
    // Passed on by a word, as over every channel.
    let told = service.says(&world, &fourth, json!({"answer": "2"})).await.ok();
    assert_eq!((says(&told).as_str(), world.hook.to("ben").is_empty()), ("INC-4 is passed on.", false));
    let (log, auth) = (world.log(), service.subscription()[2].1.clone());
    assert!(!log.contains(&auth) && !log.contains("hush-f0Rx8zVq2mB"), "neither secret is in the log");
}

async fn what_a_push_service_answers_is_what_becomes_of_the_page(database: Database) {
    let (mut world, service) = world_with(database).await;
    // Nobody says that it was shown: a minute later the next way is tried.
    world.fire("silent phone").await;
    assert_eq!((service.taken().len(), world.mail.delivered_to("ana@example.org").len()), (1, 0));
    world.advance(70).await;
    assert_eq!(world.mail.delivered_to("ana@example.org").len(), 1, "the next way does not wait for its quarter of an hour");
    let late = service.says(&world, &service.taken()[0], json!({"receipt": "delivered"})).await;
    assert_eq!((late.status, &late.body["code"]), (409, &json!("receipt_too_late")), "{}", late.text);
    // Its button works all the same.
    let told = service.says(&world, &service.taken()[0], json!({"answer": "acknowledge"})).await.ok();
    assert!(says(&told).starts_with("You have INC-1"), "{}", told.text);

    // The browser says that it cannot show it.
    world.fire("cannot show").await;
    service.says(&world, &newest(&service), json!({"receipt": "failed", "why": "No notification permission"})).await.ok();
    assert_eq!(world.mail.delivered_to("ana@example.org").len(), 2);
    let failed = world.bodies(&opened(&world).await, "send_failed").await;
    assert!(failed[0].to_string().contains("No notification permission"), "{failed:?}");
    world.command("/incidents/INC-2/resolve", json!({})).await.ok();

    // Lost, late, and told to wait: it comes again, under the same topic.
    service.fake.instead("/send/", Instead::Silent);
    world.fire("lost").await;
    service.fake.as_ever();
    world.advance(20).await;
    let lost: Vec<Pushed> = service.taken().into_iter().filter(|one| one.said["title"].as_str().unwrap().contains("lost")).collect();
    assert!(lost.len() == 2 && lost[0].topic == lost[1].topic, "{lost:?}");
    assert!(lost[1].said["body"].as_str().unwrap().contains("may have received this before"), "{lost:?}");
    world.command("/incidents/INC-3/resolve", json!({})).await.ok();

    for (what, instead, is_final) in [
        ("gone", Instead::Says(410, vec![], String::new()), true),
        ("unknown", Instead::Says(404, vec![], String::new()), true),
        ("long", Instead::Says(413, vec![], "too long".into()), true),
        ("foreign", Instead::Says(403, vec![], "the key is another".into()), true),
        ("limited", Instead::Says(429, vec![("retry-after", "20".into())], String::new()), false),
        ("broken", Instead::Says(500, vec![], String::new()), false),
        ("portal", Instead::Says(200, vec![], "<html>sign in</html>".into()), false),
    ] {
        service.fake.instead("/send/", instead);
        world.fire(what).await;
        service.fake.as_ever();
        let failed = world.bodies(&opened(&world).await, "send_failed").await;
        assert_eq!(failed.is_empty(), !is_final, "{what}: {failed:?}");
        world.advance(25).await;
        let arrived = service.taken().iter().any(|push| push.said["title"].as_str().unwrap().contains(what));
        assert_eq!(arrived, !is_final, "{what}");
        let reference = opened(&world).await["ref"].as_str().unwrap().to_owned();
        world.command(&format!("/incidents/{reference}/resolve"), json!({})).await.ok();
    }
    // A token does not outlive its day.
    let first = service.taken()[0].token.clone();
    world.advance(7 * 3_600).await;
    world.fire("next morning").await;
    let push = newest(&service);
    assert!(push.token != first && is_in_time(&push.token, world.now().await.as_second()), "{push:?}");
}

async fn a_browser_moves_and_one_that_is_gone_is_told_of(database: Database) {
    let service = PushService::start("ben").await;
    let mut world = world_of(database, org::usual()).await;
    let made = world.command("/tokens", json!({"name": "ben", "scope": "respond", "person": "ben"})).await.ok().body;
    let token = made["token"].as_str().unwrap().to_owned();
    let ask = async |world: &World, method: reqwest::Method, path: &str, body: Value| {
        let request = world.client.request(method, world.at(&format!("/api/v1{path}"))).bearer_auth(&token);
        world.send(if body.is_null() { request } else { request.json(&body) }).await
    };
    let page = async |world: &World, path: &str| {
        world.send(world.client.get(world.at(path)).bearer_auth(&token).header("accept", "text/html")).await.ok().text
    };
    // The page gives the key, and its button waits for a script.
    let shown = page(&world, "/me/reached?add=web_push").await;
    assert!(shown.contains("data-ring=\"B") && shown.contains("disabled>Ring this browser<"), "{shown}");
    assert!(!shown.contains("type=\"text\" name=\"at.auth\""), "nobody types what a browser gives");

    // Added with what the browser gave; proved by the code that rings it.
    let [endpoint, point, auth] = service.subscription();
    let body = json!({endpoint.0: endpoint.1, point.0: point.1, auth.0: auth.1, "device": "Chrome on Linux"});
    let added = ask(&world, reqwest::Method::POST, "/me/contacts", body.clone()).await.ok();
    assert!(!added.text.contains(&auth.1) && !added.text.contains("hush-"), "{}", added.text);
    let again = ask(&world, reqwest::Method::POST, "/me/contacts", body).await;
    assert_eq!(again.body["code"], "contact_twice", "{}", again.text);
    let shown = page(&world, "/me/reached").await;
    assert!(shown.contains("Chrome on Linux") && !shown.contains("hush-"), "it is known by its name: {shown}");
    ask(&world, reqwest::Method::POST, "/me/contacts/browser/code", Value::Null).await.ok();
    world.quiet().await;
    let code = newest(&service);
    assert_eq!((&code.said["code"], &code.said["asks"], code.ttl), (&json!(true), &Value::Null, 900), "{code:?}");
    service.says(&world, &code, json!({"receipt": "delivered"})).await.ok();
    let typed = code.said["title"].as_str().unwrap()[..6].to_owned();
    ask(&world, reqwest::Method::POST, "/me/contacts/browser/verify", json!({"code": typed})).await.ok();

    // The browser renews what it is rung by: pages go there, and it stays proved.
    let moved = PushService::start("ben, renewed").await;
    let [endpoint, point, auth] = moved.subscription();
    let address = json!({"endpoint": endpoint.1, "p256dh": point.1, "auth": auth.1});
    for bad in [
        json!({"endpoint": "http://evil.example/", "p256dh": point.1, "auth": auth.1}),
        json!({"endpoint": endpoint.1, "p256dh": "x", "auth": auth.1}),
    ] {
        let told = service.says(&world, &code, json!({"moved": bad})).await;
        assert!(told.status >= 400 && told.status < 500, "{}", told.text);
    }
    service.says(&world, &code, json!({"moved": address})).await.ok();
    let forged = service.says(&world, &code, json!({"moved": address})).await;
    assert_eq!(forged.body["code"], "reply_unknown", "what proved it before proves nothing now: {}", forged.text);
    let mine = ask(&world, reqwest::Method::GET, "/me/contacts", Value::Null).await.ok().body;
    let own = mine["items"].as_array().unwrap().iter().find(|one| one["id"] == "browser").unwrap().clone();
    assert_eq!((&own["verified"], &own["address"]["device"]), (&json!(true), &json!("Chrome on Linux")), "{own}");
    let rules = json!({"high": [{"contact": "browser"}]});
    ask(&world, reqwest::Method::PUT, "/me/rules", rules).await.ok();
    world.fire("disk").await;
    world.advance(6 * 60).await;
    assert!(moved.taken().iter().any(|push| push.said["title"].as_str().unwrap().contains("INC-1 disk")), "{:?}", moved.taken());
    let audited = world.api("/audit").await.to_string();
    assert!(audited.contains("the contact `browser` leads elsewhere") && !audited.contains("hush-"), "{audited}");

    // Gone: said in the log of the page, and in what the person is shown of their messages.
    moved.fake.instead("/send/", Instead::Says(410, vec![], String::new()));
    world.fire("second").await;
    world.advance(6 * 60).await;
    let shown = page(&world, "/me/reached").await;
    assert!(shown.contains("not rung any more"), "{shown}");
}
