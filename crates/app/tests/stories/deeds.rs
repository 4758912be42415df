//! A step of a plan does something: a signed request whose answer is kept in the log. It goes out once at a time, by itself or
//! when somebody presses it, under one id however often it is tried; what is refused or given up leaves the step open.

use std::collections::HashSet;
use std::time::Duration;

use allclear_trial::webhook_sink::SECRET;
use allclear_trial::{Database, Reply, World, org};
use serde_json::{Value, json};

use crate::sign_in::{get_as, post_form, sign_in_as};
use crate::{on_both, setup, world_of};

on_both!(
    a_step_is_done_by_itself_and_its_answer_is_in_the_log,
    a_step_is_pressed_once_however_many_press_it,
    what_fails_for_a_moment_is_tried_again_and_what_is_refused_stays_open,
    done_by_hand_or_over_meanwhile_nothing_more_is_sent,
    what_runs_keeps_its_body_and_goes_where_the_plan_says_now,
    killed_before_and_after_a_send_it_is_sent_again_under_its_id,
    a_private_incident_sends_what_the_template_says,
    what_nobody_takes_for_a_quarter_of_an_hour_fails_and_is_told_to_whom_it_concerns,
    whoever_pressed_what_failed_hears_of_it_once_beside_those_who_do_it,
    a_step_under_way_that_goes_along_with_a_merge_says_that_it_was_sent,
);

const PLANS: &str = r#"
plans:
  - id: machine
    name: Fail over by machine
    tasks:
      - {id: scope, text: Say what is affected, within: 10m}
      - id: drain
        text: Drain the site
        after: [scope]
        within: 5m
        do: {webhook: "{HOOK}/drain", secret: "{SECRET}", by_itself: true, body: '{"what":"{{title}}","ref":"{{reference}}","open":"{{url}}"}'}
      - {id: switch, text: Move the traffic, after: [drain], within: 5m, do: {webhook: "{HOOK}/switch", secret: "{SECRET}"}}
      - {id: check, text: Check that it holds, after: [switch]}
  - id: one
    tasks:
      - {id: only, text: Restart it, within: 5m, do: {webhook: "{HOOK}/only", secret: "{SECRET}"}}
  - id: led
    tasks:
      - {id: only, text: Restart it, role: communications, do: {webhook: "{HOOK}/only", secret: "{SECRET}"}}
"#;

fn organisation() -> String {
    [&org::usual(), PLANS].concat()
}

/// An incident with this title in which the plan runs, by its reference.
async fn begun(world: &World, title: &str, plan: &str) -> String {
    let declared = world.command("/incidents", json!({"title": title, "severity": "sev2", "page": false})).await;
    assert!(declared.status < 300, "{}", declared.text);
    let reference = declared.body["ref"].as_str().unwrap().to_owned();
    world.act(&reference, "role", json!({"role": "commander", "person": "ana", "do": "offer"})).await;
    world.act(&reference, "plan", json!({"plan": plan})).await;
    world.quiet().await;
    reference
}

async fn task(world: &World, reference: &str, number: usize) -> Value {
    world.api(&format!("/incidents/{reference}")).await["tasks"][number - 1].clone()
}

async fn perform(world: &World, reference: &str, number: u32) -> (u16, String) {
    let answer = world.command(&format!("/incidents/{reference}/task"), json!({"task": number, "state": "perform"})).await;
    (answer.status, answer.body["code"].as_str().unwrap_or_default().to_owned())
}

/// How often somebody was told of this incident with these words.
fn told(world: &World, who: &str, reference: &str, words: &str) -> usize {
    let all = world.hook.told(who);
    let of_it = all.iter().flat_map(|told| told.pages()).filter(|page| page["incident"]["ref"] == *reference);
    of_it.filter(|page| page["text"].as_str().unwrap_or_default().contains(words)).count()
}

async fn log(world: &World, reference: &str) -> String {
    allclear_trial::world::lines(&world.events(&world.api(&format!("/incidents/{reference}")).await).await)
}

async fn a_step_is_done_by_itself_and_its_answer_is_in_the_log(database: Database) {
    let world = world_of(database, organisation()).await;
    let title = "The \"shop\" \\ is down \u{1f525} {{url}}";
    world.hook.script("/drain", Reply::Says(200, "job 4711\n\u{1b}[31mstarted".into()));
    let reference = begun(&world, title, "machine").await;
    assert!(world.hook.to("drain").is_empty(), "it comes after another");
    assert_eq!(perform(&world, &reference, 2).await, (409, "step_waits".into()));
    assert_eq!(perform(&world, &reference, 1).await, (409, "no_deed".into()));
    world.act(&reference, "task", json!({"task": 1, "state": "done"})).await;
    world.quiet().await;

    let sent = world.hook.to("drain");
    assert_eq!(sent.len(), 1);
    let one = &sent[0];
    assert!(one.signed && one.id.starts_with("msg_") && one.idempotency_key == one.id, "{one:?}");
    assert_eq!((&one.body["what"], &one.body["ref"]), (&json!(title), &json!(reference)));
    assert!(one.body["open"].as_str().unwrap().ends_with(&format!("/incidents/{reference}")), "{}", one.body);

    let drain = task(&world, &reference, 2).await;
    assert_eq!((&drain["state"], &drain["do"]["state"], &drain["do"]["said"]), (&json!("done"), &json!("answered"), &json!("HTTP 200")));
    assert_eq!(drain["do"]["answer"], "job 4711 [31mstarted", "on one line, without what steers a terminal: {drain:#}");
    assert!(world.hook.to("switch").is_empty(), "the next waits for somebody to press it");
    let told = log(&world, &reference).await;
    for words in ["Step 2 is done by itself", "Step 2 was answered with HTTP 200: job 4711 [31mstarted", "finished task 2"] {
        assert!(told.contains(words), "{words}: {told}");
    }

    // What it would send is told and not sent; nowhere is its secret.
    let switch = task(&world, &reference, 3).await;
    let body: Value = serde_json::from_str(switch["do"]["body"].as_str().unwrap()).unwrap();
    assert_eq!((&body["title"], &body["task"], &body["plan"]), (&json!(title), &json!("Move the traffic"), &json!("Fail over by machine")));
    assert!(body["url"].as_str().unwrap().ends_with(&reference), "{body}");
    let page = get_as(&world, &sign_in_as(&world, "ana").await, &format!("/incidents/{reference}?tab=tasks")).await.text;
    for words in ["aria-label=\"Do it: step 3\"", "What would it send?", "job 4711"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    let tried = world.cli(&["plan", "try", "machine"]).await;
    assert!(tried.stdout.contains("drain: POST to 127.0.0.1:") && tried.stdout.contains("<title>"), "{tried:?}");
    let shown = world.cli(&["show", &reference]).await;
    assert!(shown.stdout.contains("answered: HTTP 200") && shown.stdout.contains("would send {"), "{shown:?}");
    let form = world.api("/org/plan/machine").await;
    assert_eq!(form["body"]["tasks"][1]["do"]["secret"], "********", "{form:#}");
    let export = world.cli(&["config", "export"]).await;
    let events = world.events(&world.api(&format!("/incidents/{reference}")).await).await;
    for text in [page, tried.stdout, shown.stdout, form.to_string(), export.stdout, json!(events).to_string(), world.log()] {
        assert!(!text.contains(SECRET) && !text.contains("/drain\\"), "{text}");
    }
}

async fn a_step_is_pressed_once_however_many_press_it(database: Database) {
    let world = world_of(database, organisation()).await;
    world.hook.script("/only", Reply::Slow(Duration::from_secs(1)));
    let reference = begun(&world, "disk", "one").await;
    let (ana, ben) = (sign_in_as(&world, "ana").await, sign_in_as(&world, "ben").await);
    let path = format!("/incidents/{reference}/task");
    let fields = [("perform", "1")];
    let (one, two) = tokio::join!(post_form(&world, &path, Some(&ana), &fields), post_form(&world, &path, Some(&ben), &fields));
    let mut both = [one.status, two.status];
    both.sort_unstable();
    assert_eq!(both, [303, 409], "{} {}", one.text, two.text);
    let late = if one.status == 409 { one.text } else { two.text };
    assert!(late.contains("under way"), "{late}");
    world.quiet().await;
    assert_eq!(world.hook.to("only").len(), 1);
    assert_eq!(task(&world, &reference, 1).await["state"], "done");
    assert_eq!(perform(&world, &reference, 1).await, (409, "task_ended".into()));
    let done = world.cli(&["task", "perform", &reference, "1"]).await;
    assert!(done.code != 0 && done.stderr.contains("done already"), "{done:?}");
}

async fn what_fails_for_a_moment_is_tried_again_and_what_is_refused_stays_open(database: Database) {
    let mut world = world_of(database, organisation()).await;
    world.hook.script("/only", Reply::Status(500));
    let reference = begun(&world, "disk", "one").await;
    let pressed = world.cli(&["task", "perform", &reference, "1", "--note", "the vendor asks for it"]).await;
    assert!(pressed.code == 0 && pressed.stdout.contains("under way"), "{pressed:?}");
    world.quiet().await;
    world.advance(4).await;
    world.hook.script("/only", Reply::Ok);
    world.advance(90).await;
    let sent = world.hook.to("only");
    assert!(sent.len() >= 2 && sent.iter().all(|one| one.signed), "{sent:#?}");
    assert_eq!(sent.iter().map(|one| &one.id).collect::<HashSet<_>>().len(), 1, "one id, however often");
    assert_eq!(sent.iter().filter(|one| one.answered == 200).count(), 1);
    assert_eq!(task(&world, &reference, 1).await["state"], "done");
    assert!(log(&world, &reference).await.contains("by a request to 127.0.0.1"), "who pressed it, and where it went");

    // Refused for good, redirected, or given up: it stays open, and whoever commands hears of it once.
    for (reply, words) in [
        (Reply::Says(400, "no such site".into()), "HTTP 400: no such site"),
        (Reply::Redirect(format!("{}/elsewhere", world.hook.url())), "redirects are not followed"),
        (Reply::Status(500), "given up after 8 tries"),
    ] {
        world.hook.script("/only", reply);
        let reference = begun(&world, "disk", "one").await;
        let before = world.hook.to("only").len();
        assert_eq!(perform(&world, &reference, 1).await.0, 200);
        world.quiet().await;
        if words.starts_with("given") {
            for _ in 0..12 {
                world.advance(30).await;
            }
            assert_eq!(world.hook.to("only").len() - before, 8);
        }
        let open = task(&world, &reference, 1).await;
        assert_eq!((&open["state"], &open["do"]["state"]), (&json!("open"), &json!("failed")), "{open:#}");
        let told = log(&world, &reference).await;
        assert!(told.contains("Step 1 failed: ") && told.contains(words), "{words}: {told}");
        world.hook.script("/only", Reply::Ok);
        let ana = sign_in_as(&world, "ana").await;
        let page = get_as(&world, &ana, &format!("/incidents/{reference}?tab=tasks")).await.text;
        assert!(page.contains("aria-label=\"Do it again: step 1\""), "{page}");
        let again = post_form(&world, &format!("/incidents/{reference}/task"), Some(&ana), &[("perform", "1")]).await;
        assert_eq!(again.status, 303, "{}", again.text);
        world.quiet().await;
        let ids: HashSet<String> = world.hook.to("only").split_off(before).into_iter().map(|one| one.id).collect();
        assert_eq!((ids.len(), task(&world, &reference, 1).await["state"].as_str()), (2, Some("done")), "another press, another id");
    }
    assert!(world.hook.to("elsewhere").is_empty());
}

async fn done_by_hand_or_over_meanwhile_nothing_more_is_sent(database: Database) {
    let mut world = world_of(database, organisation()).await;
    for (verb, body, why) in [
        ("task", json!({"task": 1, "state": "done"}), "it was done by hand"),
        ("task", json!({"task": 1, "state": "dropped", "note": "not needed"}), "it was skipped"),
        ("resolve", json!({}), "the incident was resolved"),
        ("cancel", json!({"why": "a mistake"}), "the incident was cancelled"),
    ] {
        world.hook.script("/only", Reply::Status(503));
        let reference = begun(&world, "disk", "one").await;
        assert_eq!(perform(&world, &reference, 1).await.0, 200);
        world.quiet().await;
        world.act(&reference, verb, body).await;
        let before = world.hook.to("only").len();
        world.hook.script("/only", Reply::Ok);
        world.advance(300).await;
        assert_eq!(world.hook.to("only").len(), before, "{why}: what has not gone out stays here");
        assert!(log(&world, &reference).await.contains(&format!("Step 1 is not sent again: {why}")), "{why}");
        assert_eq!(task(&world, &reference, 1).await["do"]["state"], "withdrawn");
        if verb == "resolve" {
            assert_eq!(perform(&world, &reference, 1).await, (409, "already_resolved".into()));
            world.act(&reference, "reopen", json!({"why": "it is back"})).await;
            assert_eq!(perform(&world, &reference, 1).await.0, 200, "once it is open again somebody may press it");
            world.quiet().await;
            assert_eq!(task(&world, &reference, 1).await["state"], "done");
        }
    }
}

async fn what_runs_keeps_its_body_and_goes_where_the_plan_says_now(database: Database) {
    let world = world_of(database, organisation()).await;
    let put = async |deed: Value| {
        let found = world.get("/api/v1/org/plan/mine").await;
        let mut task = json!({"id": "only", "text": "Restart it"});
        if !deed.is_null() {
            task["do"] = deed;
        }
        let put = world.client.put(world.at("/api/v1/org/plan/mine")).bearer_auth(org::ADMIN_TOKEN);
        let put = match found.status {
            404 => put.header("if-none-match", "*"),
            _ => put.header("if-match", format!("\"{}\"", found.body["version"])),
        };
        let answer = put.json(&json!({"tasks": [task]})).send().await.unwrap();
        let status = answer.status().as_u16();
        (status, answer.text().await.unwrap())
    };
    let fresh = put(json!({"webhook": format!("{}/only", world.hook.url()), "secret": SECRET})).await;
    assert!(fresh.0 < 300 && !fresh.1.contains(SECRET), "{fresh:?}");
    let reference = begun(&world, "disk", "mine").await;
    // A secret that is not said stays, and what is sent is signed with it.
    let moved = put(json!({"webhook": format!("{}/moved", world.hook.url()), "body": "{\"other\": true}"})).await;
    assert!(moved.0 < 300, "{moved:?}");
    assert_eq!(perform(&world, &reference, 1).await.0, 200);
    world.quiet().await;
    let sent = world.hook.to("moved");
    assert_eq!((sent.len(), world.hook.to("only").len()), (1, 0));
    assert!(sent[0].signed && sent[0].body["type"] == "plan_step" && sent[0].body["title"] == "disk", "{:?}", sent[0]);

    let other = begun(&world, "disk", "mine").await;
    let gone = put(Value::Null).await;
    assert!(gone.0 < 300, "{gone:?}");
    assert_eq!(perform(&world, &other, 1).await, (409, "deed_gone".into()));
    world.act(&other, "task", json!({"task": 1, "state": "done"})).await;

    // One that is made is shown once; what would not work is told where it stands.
    let made = put(json!({"webhook": "https://hooks.example.org/x"})).await;
    assert!(made.0 < 300 && made.1.contains("whsec_"), "{made:?}");
    let bad = put(json!({"webhook": "https://hooks.example.org/x", "method": "GET", "body": "{\"a\": \"{{titel}}\"}"})).await;
    assert!(bad.0 == 422 && bad.1.contains("did you mean `title`") && bad.1.contains("only `POST` is sent"), "{bad:?}");
}

async fn killed_before_and_after_a_send_it_is_sent_again_under_its_id(database: Database) {
    let mut world = world_of(database, organisation()).await;
    for (point, tries) in [("before_send:1", 1), ("after_send:1", 2)] {
        let reference = begun(&world, "disk", "one").await;
        let before = world.hook.to("only").len();
        world.kill().await;
        world.try_start_again(&[], &[("ALLCLEAR_FAILPOINT", point)]).await.unwrap();
        let path = world.at(&format!("/api/v1/incidents/{reference}/task"));
        let press = world.client.post(path).bearer_auth(org::ADMIN_TOKEN).json(&json!({"task": 1, "state": "perform"}));
        // It may die before it has answered.
        press.send().await.ok();
        tokio::time::sleep(Duration::from_millis(500)).await;
        world.hook.drained().await;
        world.kill().await;
        world.start_again(&[]).await;
        for _ in 0..5 {
            world.advance(2).await;
        }
        let sent = world.hook.to("only").split_off(before);
        assert_eq!(sent.len(), tries, "{point}: {sent:#?}");
        // The program of the stories has another port after each start, and so another address.
        let told = |one: &allclear_trial::Delivery| (one.body["title"].clone(), one.body["task"].clone(), one.body["reference"].clone());
        assert!(sent.iter().all(|one| one.signed && one.id == sent[0].id && told(one) == told(&sent[0])), "{point}: {sent:#?}");
        assert_eq!(task(&world, &reference, 1).await["state"], "done", "{point}");
        let incident = world.api(&format!("/incidents/{reference}")).await;
        assert_eq!((world.bodies(&incident, "step_begun").await.len(), world.bodies(&incident, "step_answered").await.len()), (1, 1));
    }
}

async fn a_private_incident_sends_what_the_template_says(database: Database) {
    let world = world_of(database, organisation()).await;
    let reference = begun(&world, "about a person", "machine").await;
    let ana = sign_in_as(&world, "ana").await;
    let closed = post_form(&world, &format!("/incidents/{reference}/restrict"), Some(&ana), &[("why", "it is about a person")]).await;
    assert_eq!(closed.status, 303, "{}", closed.text);
    let done = post_form(&world, &format!("/incidents/{reference}/task"), Some(&ana), &[("done", "1")]).await;
    assert_eq!(done.status, 303, "{}", done.text);
    world.quiet().await;
    let sent = world.hook.to("drain");
    let keys: Vec<&String> = sent[0].body.as_object().unwrap().keys().collect();
    assert_eq!((sent.len(), keys.len()), (1, 3), "what the plan names, and no more: {}", sent[0].body);
}

/// Whoever receives it says each time that it is to come later, as late as that is heard.
async fn what_nobody_takes_for_a_quarter_of_an_hour_fails_and_is_told_to_whom_it_concerns(database: Database) {
    let eve = "  - {id: eve, name: Eve Lund, contacts: [{id: hook, webhook: \"{HOOK}/eve\", secret: \"{SECRET}\"}], notify: {high: [{contact: hook}], low: [{contact: hook}]}}\nteams:\n";
    let org = organisation().replace("teams:\n", eve).replace("managers: [cho]", "managers: [eve]");
    let mut world = world_of(database, org).await;
    world.hook.script("/only", Reply::Later(300));
    // Whoever has the role, and whoever has the incident; where nobody does, the team's managers; where there is no team, the catch-all.
    for (service, is_led, concerned) in
        [(Some("checkout"), true, vec!["ana", "ben"]), (Some("checkout"), false, vec!["eve"]), (None, false, vec!["cho"])]
    {
        let mut body = json!({"title": "disk", "severity": "sev3", "page": false});
        if let Some(service) = service {
            body["service"] = json!(service);
        }
        let declared = world.command("/incidents", body).await.ok().body;
        let reference = declared["ref"].as_str().unwrap().to_owned();
        if is_led {
            world.act(&reference, "acknowledge", json!({"by": "ana"})).await;
            world.act(&reference, "role", json!({"role": "communications", "person": "ben", "do": "take", "why": "he writes"})).await;
        }
        world.act(&reference, "plan", json!({"plan": "led"})).await;
        let before = world.hook.to("only").len();
        assert_eq!(perform(&world, &reference, 1).await.0, 200);
        world.quiet().await;
        for _ in 0..2 {
            world.advance(301).await;
        }
        let under_way = task(&world, &reference, 1).await;
        assert_eq!(under_way["do"]["state"], "under_way", "a quarter of an hour is not over: {under_way:#}");
        assert_eq!(["ana", "ben", "cho", "eve"].map(|who| told(&world, who, &reference, "failed")), [0; 4]);
        world.advance(301).await;
        world.advance(2).await;
        let tries = world.hook.to("only").len() - before;
        assert!((1..8).contains(&tries), "it is its time that ended it, and not its tries: {tries}");
        let failed = task(&world, &reference, 1).await;
        assert_eq!((&failed["state"], &failed["do"]["state"]), (&json!("open"), &json!("failed")), "{failed:#}");
        assert!(log(&world, &reference).await.contains("Step 1 failed: "));
        for who in ["ana", "ben", "cho", "eve"] {
            let wanted = usize::from(concerned.contains(&who));
            assert_eq!(
                told(&world, who, &reference, "Step 1 failed: Restart it"),
                wanted,
                "{service:?} {who}: {:#?}",
                world.hook.told(who)
            );
        }
        // Nothing of it goes out later, and nobody hears of it twice.
        world.advance(600).await;
        assert_eq!(world.hook.to("only").len() - before, tries);
        assert_eq!(told(&world, concerned[0], &reference, "Step 1 failed"), 1);
        world.act(&reference, "resolve", json!({})).await;
    }
}

async fn whoever_pressed_what_failed_hears_of_it_once_beside_those_who_do_it(database: Database) {
    let world = world_of(database, organisation()).await;
    world.hook.script("/only", Reply::Says(400, "no such site".into()));
    let declared = json!({"title": "disk", "severity": "sev3", "page": false, "service": "checkout"});
    let reference = world.command("/incidents", declared.clone()).await.ok().body["ref"].as_str().unwrap().to_owned();
    world.act(&reference, "acknowledge", json!({"by": "ana"})).await;
    world.act(&reference, "role", json!({"role": "communications", "person": "ben", "do": "take", "why": "he writes"})).await;
    world.act(&reference, "plan", json!({"plan": "led"})).await;
    let press = async |who: &str, reference: &str| {
        let cookie = sign_in_as(&world, who).await;
        let pressed = post_form(&world, &format!("/incidents/{reference}/task"), Some(&cookie), &[("perform", "1")]).await;
        assert_eq!(pressed.status, 303, "{}", pressed.text);
        world.quiet().await;
    };
    let of = |reference: &str| ["ana", "ben", "cho"].map(|who| told(&world, who, reference, "Step 1 failed: Restart it"));
    press("cho", &reference).await;
    assert_eq!(of(&reference), [1, 1, 1], "whoever has the incident, the role, and whoever pressed it");
    press("ana", &reference).await;
    assert_eq!(of(&reference), [2, 2, 1], "who presses what they have hears it once");
    // Where nobody has it: those who answer for the team, and whoever pressed it.
    let other = world.command("/incidents", declared).await.ok().body["ref"].as_str().unwrap().to_owned();
    world.act(&other, "plan", json!({"plan": "one"})).await;
    press("ben", &other).await;
    assert_eq!(of(&other), [0, 1, 1]);
}

async fn a_step_under_way_that_goes_along_with_a_merge_says_that_it_was_sent(database: Database) {
    let mut world = world_of(database, organisation()).await;
    world.hook.script("/only", Reply::Status(503));
    let (merged, goes_on) = (begun(&world, "disk", "one").await, begun(&world, "the same disk", "machine").await);
    let (untouched, own) = (begun(&world, "disk", "one").await, task(&world, &goes_on, 1).await);
    assert_eq!(perform(&world, &merged, 1).await.0, 200);
    world.quiet().await;
    let since = task(&world, &merged, 1).await["do"]["begun_at"].as_str().unwrap()[..16].replace('T', " ");
    world.act(&merged, "merge", json!({"into": goes_on})).await;
    let came = task(&world, &goes_on, 5).await;
    let text = came["text"].as_str().unwrap();
    let said = format!(
        "Restart it (a request to 127.0.0.1 was begun at {since} UTC and may have arrived: its answer stands in the log of {merged})"
    );
    assert_eq!(text.replace(&text_port(text), ""), said);
    assert_eq!(task(&world, &goes_on, 1).await["text"], own["text"], "what was there is as it was");
    let page = get_as(&world, &sign_in_as(&world, "ana").await, &format!("/incidents/{goes_on}?tab=tasks")).await.text;
    assert!(page.contains("may have arrived"), "{page}");
    assert_eq!(perform(&world, &goes_on, 5).await, (409, "no_deed".into()), "nobody presses it there");
    // What was never sent says nothing.
    world.act(&untouched, "merge", json!({"into": goes_on})).await;
    assert_eq!(task(&world, &goes_on, 6).await["text"], "Restart it");
    // What has not gone out stays here, and taken apart it is as it went.
    let before = world.hook.to("only").len();
    world.hook.script("/only", Reply::Ok);
    world.advance(120).await;
    assert_eq!(world.hook.to("only").len(), before);
    world.act(&merged, "take_apart", json!({})).await;
    assert_eq!((&task(&world, &merged, 1).await["text"], &task(&world, &merged, 1).await["state"]), (&json!("Restart it"), &json!("open")));
    assert_eq!(task(&world, &goes_on, 5).await["state"], "dropped");
}

/// The port of the server that a text names, with its colon; nothing where it names none.
fn text_port(text: &str) -> String {
    let port = text.split("127.0.0.1").nth(1).filter(|rest| rest.starts_with(':'));
    port.map_or_else(String::new, |rest| rest.split(' ').next().unwrap_or_default().to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_step_does_not_reach_into_private_networks_without_leave() {
    for target in ["http://169.254.169.254/latest/meta-data", "http://127.0.0.1:1/x"] {
        let org = organisation().replace("{HOOK}/only", target);
        let world = World::start(setup(Database::Sqlite).org(org).guarded()).await;
        let reference = begun(&world, "disk", "one").await;
        assert_eq!(perform(&world, &reference, 1).await.0, 200);
        world.quiet().await;
        let open = task(&world, &reference, 1).await;
        let said = open["do"]["said"].as_str().unwrap_or_default();
        assert!(open["state"] == "open" && said.contains("private") && said.contains("--allow-private-targets"), "{target}: {open:#}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_that_says_nothing_is_told_as_any_step_that_is_late() {
    let mut world = world_of(Database::Sqlite, organisation()).await;
    world.hook.script("/only", Reply::DropAfterReading);
    let reference = begun(&world, "disk", "one").await;
    assert_eq!(perform(&world, &reference, 1).await.0, 200);
    world.quiet().await;
    for _ in 0..12 {
        world.advance(30).await;
    }
    let open = task(&world, &reference, 1).await;
    assert_eq!((&open["state"], &open["late"]), (&json!("open"), &json!(true)), "{open:#}");
    assert_eq!(open["do"]["state"], "failed", "and given up: {open:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_steps_that_do_something_are_a_light_page() {
    let task = |n: usize| {
        let deed = "do: {webhook: \"https://hooks.example.org/x\", secret: \"{SECRET}\"}";
        format!("{{id: t{n}, text: \"Look at part {n} of the network and say what it does\", within: 30m, {deed}}}")
    };
    let tasks: Vec<String> = (1..=60).map(task).collect();
    let large = format!("  - id: large\n    tasks: [{}]\n", tasks.join(", "));
    let world = world_of(Database::Sqlite, [&organisation(), large.as_str()].concat()).await;
    let reference = begun(&world, "disk", "large").await;
    let page = get_as(&world, &sign_in_as(&world, "ana").await, &format!("/incidents/{reference}?tab=tasks")).await.text;
    let (pressed, shown) = (page.matches("name=\"perform\"").count(), page.matches("What would it send?").count());
    assert_eq!((pressed, shown), (3, 3), "the rest unfold");
    assert!(page.len() < 100_000, "{} bytes", page.len());
}
