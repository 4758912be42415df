//! The organisation changed in the browser, form by form, and over the API: what is saved is in
//! force at once, and what would break something is refused with its place.

use std::time::Duration;

use allclear_trial::org::{self, ADMIN_TOKEN};
use allclear_trial::webhook_sink::Delivery;
use allclear_trial::world::{Answer, items};
use allclear_trial::{Database, World};
use serde_json::{Value, json};

use crate::{on_both, world, world_of};

on_both!(a_person_is_added_in_the_browser_and_put_on_call);

/// How long a message may take to arrive.
const WITHIN: Duration = Duration::from_secs(10);

/// A schedule of the file with ana alone on it.
const ROTA: &str = r#"
schedules:
  - {id: rota, name: Rota, team: payments, time_zone: Europe/Madrid, layers: [{people: [ana], every: 1w, handoff: "Mon 09:00", starts: 2026-01-05}]}
"#;

async fn page(world: &World, path: &str) -> Answer {
    world.send(world.client.get(world.at(path)).bearer_auth(ADMIN_TOKEN).header("accept", "text/html")).await
}

async fn post(world: &World, path: &str, fields: &[(&str, &str)]) -> Answer {
    let escaped = |text: &str| -> String { text.bytes().map(|byte| format!("%{byte:02x}")).collect() };
    let body: Vec<String> = fields.iter().map(|(name, value)| format!("{}={}", escaped(name), escaped(value))).collect();
    let request = world.client.post(world.at(path)).bearer_auth(ADMIN_TOKEN).header("accept", "text/html");
    world.send(request.header("content-type", "application/x-www-form-urlencoded").body(body.join("&"))).await
}

/// The version that a form's page was made from.
async fn version(world: &World, path: &str) -> String {
    let text = page(world, path).await.ok().text;
    let (_, after) = text.split_once("name=\"seen\" value=\"").unwrap_or_else(|| panic!("{path} has a version: {text}"));
    after.split('"').next().unwrap().to_owned()
}

/// What stands in a `<code>` of a `<pre>`.
fn secret(text: &str) -> String {
    let (_, after) = text.split_once("whsec_").unwrap_or_else(|| panic!("a secret is shown: {text}"));
    format!("whsec_{}", after.split('<').next().unwrap())
}

async fn on_call(world: &World) -> Value {
    items(&world.api("/oncall").await).remove(0)["person"].clone()
}

fn layers(people: &str) -> String {
    format!("- {{people: [{people}], every: 1w, handoff: \"Mon 09:00\", starts: 2026-01-05}}")
}

async fn a_person_is_added_in_the_browser_and_put_on_call(database: Database) {
    let world = world_of(database, org::usual() + ROTA).await;
    assert_eq!(on_call(&world).await, "ana");

    // What cannot be read comes back with its place and everything that was typed.
    let wrong = [
        ("id", "dee"),
        ("name", "Dee Kaur"),
        ("access", "responder"),
        ("contacts", "- {id: hook, wehbook: \"https://hooks.example.org/dee\"}"),
    ];
    let refused = post(&world, "/settings/person", &wrong).await;
    assert_eq!(refused.status, 422, "{}", refused.text);
    for words in [
        "This was not saved",
        "nknown key",
        "did you mean",
        "value=\"Dee Kaur\"",
        "wehbook",
        "href=\"#f-contacts-text\"",
        "Contacts, entry 1",
    ] {
        assert!(refused.text.contains(words), "{words}: {}", refused.text);
    }
    // Added: the secret that was made is on this page and on no other.
    let right = [
        ("once", "1790000000000000"),
        ("id", "dee"),
        ("name", "Dee Kaur"),
        ("access", "responder"),
        ("contacts", "- {id: hook, webhook: \"https://hooks.example.org/dee\"}"),
    ];
    let saved = post(&world, "/settings/person", &right).await.ok();
    assert_eq!(saved.status, 200, "{}", saved.text);
    assert!(saved.text.contains("Copy it now"), "{}", saved.text);
    let made = secret(&saved.text);
    assert!(made.len() > 30, "{made}");
    let again = page(&world, "/settings/person/dee").await.ok().text;
    assert!(again.contains("********") && !again.contains(&made), "{again}");
    // The same form tapped twice is answered the same; from another page it is somebody else's.
    let stored = world.api("/org/person/dee").await;
    let twice = post(&world, "/settings/person", &right).await.ok();
    assert_eq!((twice.status, secret(&twice.text)), (200, made.clone()), "{}", twice.text);
    assert_eq!(world.api("/org/person/dee").await, stored, "nothing was changed again");
    let other = post(&world, "/settings/person", &right[1..]).await;
    assert_eq!(other.status, 409, "{}", other.text);
    assert!(
        other.text.contains("There is a person `dee` already") || other.text.contains("There is a person <code>dee</code> already"),
        "{}",
        other.text
    );

    // The schedule is the file's until it is taken from it.
    let seen = version(&world, "/settings/schedule/rota").await;
    let layers_of_dee = layers("dee");
    let change = |version: &str| -> Vec<(String, String)> {
        [("seen", version), ("name", "Rota"), ("team", "payments"), ("time_zone", "Europe/Madrid"), ("layers", &layers_of_dee)]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .to_vec()
    };
    let save = async |version: &str| {
        let fields = change(version);
        let fields: Vec<_> = fields.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        post(&world, "/settings/schedule/rota", &fields).await
    };
    let owned = save(&seen).await;
    assert_eq!(owned.status, 409, "{}", owned.text);
    assert!(owned.text.contains("A file owns the schedule") && owned.text.contains("Take from the file"), "{}", owned.text);
    assert_eq!(post(&world, "/settings/schedule/rota/detach", &[("seen", &seen)]).await.status, 303);
    let stale = save(&seen).await;
    assert_eq!(stale.status, 409, "{}", stale.text);
    assert!(stale.text.contains(&format!("you saw {seen})")) && stale.text.contains("[dee]"), "what was typed stays: {}", stale.text);
    assert_eq!(on_call(&world).await, "ana", "nothing was changed");
    let now = version(&world, "/settings/schedule/rota").await;
    let saved = save(&now).await;
    assert_eq!(saved.status, 200, "{}", saved.text);
    let told = "who is on call in <code>rota</code> changes at once, from <code>ana</code> to <code>dee</code>";
    assert!(saved.text.contains(told), "{}", saved.text);
    assert_eq!(on_call(&world).await, "dee", "who is on call follows at once");
    assert_eq!(save(&now).await.status, 303, "tapped twice: it is so already");

    // Who is on a schedule is not removed, and it is said where.
    let seen = version(&world, "/settings/person/dee").await;
    let unsure = post(&world, "/settings/person/dee/remove", &[("seen", &seen)]).await;
    assert_eq!(unsure.status, 422, "{}", unsure.text);
    let refused = post(&world, "/settings/person/dee/remove", &[("seen", &seen), ("sure", "1")]).await;
    assert_eq!(refused.status, 422, "{}", refused.text);
    for words in ["Schedule rota", "Layers, row 1, People in turn 1", "is not a person", "change this form first"] {
        assert!(refused.text.contains(words), "{words}: {}", refused.text);
    }
    let now = version(&world, "/settings/schedule/rota").await;
    let back: [(&str, &str); 4] = [("seen", &now), ("name", "Rota"), ("time_zone", "Europe/Madrid"), ("layers", &layers("ben"))];
    assert_eq!(post(&world, "/settings/schedule/rota", &back).await.status, 200, "ben is on at once");
    let gone = post(&world, "/settings/person/dee/remove", &[("seen", &seen), ("sure", "1")]).await;
    assert_eq!((gone.status, gone.header("location")), (303, Some("/settings/person?removed=dee")), "{}", gone.text);
    assert_eq!(page(&world, "/settings/person/dee").await.status, 404);
    assert_eq!(on_call(&world).await, "ben");
}

/// A plan has a version of its own, which is not the one that its page was made from.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_that_was_adopted_is_changed_in_the_settings() {
    let world = world().await;
    assert_eq!(world.command("/plans/shipped/ransomware/adopt", json!({})).await.status, 201);
    let stored = world.api("/org/plan/ransomware").await;
    let text = page(&world, "/settings/plan/ransomware").await.ok().text;
    let mut fields = fields_of(&text);
    let name = fields.iter_mut().find(|(name, _)| name == "name").expect("a plan has a name");
    name.1 = "Files are encrypted".to_owned();
    let typed: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let saved = post(&world, "/settings/plan/ransomware", &typed).await;
    assert!(matches!(saved.status, 200 | 303), "{}: {}", saved.status, saved.text);
    let mut changed = stored["body"].clone();
    changed["name"] = json!("Files are encrypted");
    assert_eq!(world.api("/org/plan/ransomware").await["body"], changed, "that word, and nothing else");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_still_names_a_form_takes_it_back() {
    let world = world().await;
    let path = world.dir.path().join("org.yaml");
    let seen = version(&world, "/settings/service/search").await;
    assert_eq!(post(&world, "/settings/service/search/detach", &[("seen", &seen)]).await.status, 303);
    let now = version(&world, "/settings/service/search").await;
    let changed = [("seen", now.as_str()), ("name", "Find"), ("team", "payments"), ("escalation", "payments"), ("tier", "3")];
    assert_eq!(post(&world, "/settings/service/search", &changed).await.status, 303);
    assert_eq!(world.api("/org/service/search").await["body"]["tier"], 3);
    assert_eq!(world.cli(&["config", "apply", path.to_str().unwrap()]).await.code, 0);
    let taken = world.api("/org/service/search").await;
    assert_eq!((&taken["managed"], &taken["body"]["name"]), (&json!("file"), &json!("Search")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_step_may_say_is_given_in_fields_and_what_can_never_hold_is_refused() {
    let world = world().await;
    let hours = "- {days: [Mon, Tue], from: \"09:00\", to: \"17:00\"}";
    let calendar = [("id", "office"), ("time_zone", "Europe/Madrid"), ("hours", hours)];
    assert!(matches!(post(&world, "/settings/calendar", &calendar).await.status, 200 | 303));
    let fields = [
        ("id", "ring"),
        ("steps.#", "2"),
        ("steps.0.page.0", "team:payments"),
        ("steps.0.within", "5m"),
        ("steps.0.one_of", "round_robin"),
        ("steps.0.when.severity", "sev2"),
        ("steps.0.when.during", "office"),
        ("steps.1.page.0", "team:payments"),
        ("steps.1.within", "10m"),
        ("steps.1.acknowledged_by", "2"),
    ];
    let saved = post(&world, "/settings/escalation", &fields).await;
    assert!(matches!(saved.status, 200 | 303), "{}", saved.text);
    let stored = world.api("/org/escalation/ring").await["body"]["steps"].clone();
    let wanted = json!([
        {"page": ["team:payments"], "within": "5m", "one_of": "round_robin", "when": {"severity": "sev2", "during": "office"}},
        {"page": ["team:payments"], "within": "10m", "acknowledged_by": 2},
    ]);
    assert_eq!(stored, wanted);
    let shown = page(&world, "/settings/escalation/ring").await.ok().text;
    assert!(shown.contains("One of them, in turn (round-robin)") && shown.contains("While this calendar is open"), "{shown}");
    let never = [
        ("id", "never"),
        ("steps.#", "1"),
        ("steps.0.page.0", "person:ana"),
        ("steps.0.within", "5m"),
        ("steps.0.when.during", "office"),
        ("steps.0.when.outside", "office"),
    ];
    let refused = post(&world, "/settings/escalation", &never).await;
    assert!(refused.status == 422 || refused.status == 400, "{}", refused.status);
    assert!(refused.text.contains("this condition can never hold") && refused.text.contains("value=\"never\""), "{}", refused.text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_kind_is_added_by_its_form_and_saved_again_unchanged() {
    let world = world().await;
    let steps = "- {page: [\"person:ana\", \"team:night\"], within: 5m}";
    let added: &[(&str, &[(&str, &str)])] = &[
        ("team", &[("id", "night"), ("name", "Night"), ("members.ana", "1"), ("members.ben", "1")]),
        (
            "schedule",
            &[
                ("id", "nights"),
                ("time_zone", "Europe/Madrid"),
                ("team", "night"),
                (
                    "layers",
                    "- {people: [ana, ben], every: 1d, handoff: \"20:00\", starts: 2026-01-05, only: [{from: \"20:00\", to: \"08:00\"}]}",
                ),
            ],
        ),
        ("override", &[("schedule", "nights"), ("person", "cho"), ("starts_at", "2030-01-01T20:00"), ("ends_at", "2030-01-02T08:00")]),
        ("escalation", &[("id", "night"), ("steps", steps), ("repeat", "2")]),
        (
            "service",
            &[
                ("id", "batch"),
                ("name", "Batch"),
                ("escalation", "night"),
                ("tier", "4"),
                ("depends_on.search", "1"),
                ("runbook", "https://wiki.example.org/batch"),
            ],
        ),
        (
            "route",
            &[
                ("id", "batch"),
                ("match", "job=\"batch\""),
                ("set", "severity: sev4\ngroup_by: [job]"),
                ("declare", "candidate"),
                ("continue", "1"),
            ],
        ),
        ("severity", &[("id", "sev2"), ("name", "Major"), ("notify", "high"), ("update_every", "30m"), ("review_within", "1w")]),
        (
            "silence",
            &[
                ("match", "job=\"old\""),
                ("starts_at", "2030-01-01T20:00"),
                ("ends_at", "2030-01-02T08:00"),
                ("comment", "It is replaced"),
                ("integration", "json"),
            ],
        ),
        ("audience", &[("id", "board"), ("people.cho", "1"), ("contacts", "- {id: list, email: board@example.org}")]),
        (
            "role",
            &[
                ("id", "medic"),
                ("name", "Medical lead"),
                ("duties", "- {text: Say that you have it, when: first}\n- Count the beds"),
                ("exclusive", "false"),
                ("needed_from", "sev2"),
                ("within", "10m"),
                ("from", "person:ana"),
                ("deputy", "liaison"),
                ("relief_after", "4h"),
            ],
        ),
        (
            "calendar",
            &[
                ("id", "office"),
                ("time_zone", "Europe/Madrid"),
                ("hours", "- {from: \"00:00\", to: \"00:00\"}"),
                ("holidays", "- 2026-12-25\n- {date: 2027-01-01, name: New Year}"),
                (
                    "ics",
                    "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20200229\r\nRRULE:FREQ=YEARLY\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
                ),
            ],
        ),
        (
            "plan",
            &[
                ("id", "loss"),
                ("name", "Loss of a site"),
                ("owner", "person:ana"),
                ("version", "2"),
                ("review_by", "2036-01-31"),
                ("match", "service=\"batch\""),
                ("roles", "- commander\n- medic"),
                ("involve", "- team:night"),
                (
                    "tasks",
                    "- {id: count, text: Count the people, role: commander, within: 10m}\n- {id: tell, text: Tell the families, after: [count]}",
                ),
                ("updates", "- {audience: board, every: 1h}"),
                ("recovery", "- Everybody is accounted for"),
                ("links", "- https://wiki.example.org/loss"),
            ],
        ),
    ];
    let plan = post(&world, "/settings/plan", &[("id", "loss")]).await;
    assert!(plan.status == 422 && plan.text.contains("asks for nothing"), "{}", plan.text);
    for (kind, fields) in added {
        let answer = post(&world, &format!("/settings/{kind}"), fields).await;
        assert_eq!(answer.status, 303, "{kind}: {}", answer.text);
        let there = answer.header("location").unwrap().trim_end_matches("?saved").to_owned();
        let shown = page(&world, answer.header("location").unwrap()).await.ok().text;
        assert!(shown.contains("Saved."), "{kind}");
        let stands = [("silence", "Not yet in force, until"), ("calendar", "Open now, until")].into_iter().find(|(of, _)| of == kind);
        assert!(stands.is_none_or(|(_, words)| shown.contains(words)), "{kind} says how it stands: {shown}");
        let before = world.api(&there.replace("/settings/", "/org/")).await;
        assert_eq!(before["managed"], Value::Null, "{kind}");
        // The fields as the page has them, sent again: nothing is lost and nothing changes.
        let fields = fields_of(&shown);
        let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(post(&world, &there, &fields).await.status, 303, "{kind}: {fields:?}");
        assert_eq!(world.api(&there.replace("/settings/", "/org/")).await, before, "{kind}: {fields:?}");
    }
    let route = world.api("/org/route/batch").await["body"].clone();
    assert_eq!((&route["declare"], &route["continue"], &route["set"]["group_by"]), (&json!("candidate"), &json!(true), &json!(["job"])));
    assert_eq!(route["order"], 1000, "after those of any file");
    let made = post(&world, "/settings/integration", &[("id", "next"), ("kind", "json"), ("service", "batch")]).await.ok();
    assert_eq!(made.status, 200, "an integration's key is made and shown: {}", made.text);
    let key = made.text.split("/in/json/").nth(1).unwrap().split('<').next().unwrap().to_owned();
    world.signal_with(&key, json!({"title": "by the new key", "dedup_key": "n", "severity": "error"})).await.ok();
    assert!(!page(&world, "/settings/integration/next").await.ok().text.contains(&key));
    for kind in ["person", "override", "catch_all", "role"] {
        page(&world, &format!("/settings/{kind}")).await.ok();
    }
}

/// What a browser sends of the form of a page's fields.
fn fields_of(html: &str) -> Vec<(String, String)> {
    let form = html.split("<form class=\"form of-form\"").nth(1).unwrap().split("</form>").next().unwrap();
    let plain = |text: &str| text.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    let attribute = |tag: &str, name: &str| tag.split(&format!(" {name}=\"")).nth(1).map(|rest| plain(rest.split('"').next().unwrap()));
    let mut out = Vec::new();
    for part in form.split('<').skip(1) {
        let tag = part.split('>').next().unwrap();
        if tag.starts_with("input ") {
            let is_box = tag.contains("type=\"checkbox\"");
            if !is_box || tag.contains(" checked") {
                out.push((attribute(tag, "name").unwrap(), attribute(tag, "value").unwrap()));
            }
        } else if tag.starts_with("textarea ") {
            let text = part.split_once('>').unwrap().1;
            // The first line feed of a text area is not part of it.
            out.push((attribute(tag, "name").unwrap(), plain(text.strip_prefix('\n').unwrap_or(text))));
        } else if tag.starts_with("select ") {
            out.push((attribute(tag, "name").unwrap(), String::new()));
        } else if tag.starts_with("option ") && tag.contains(" selected") && !tag.contains("value=\"\"") {
            out.last_mut().unwrap().1 = attribute(tag, "value").unwrap();
        }
    }
    out
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn programs_change_one_form_held_against_its_version() {
    use reqwest::Method;
    let world = world().await;
    let ask = async |method: Method, path: &str, header: Option<(&str, &str)>, body: Option<Value>| {
        let request = world.client.request(method, world.at(&format!("/api/v1/org/{path}"))).bearer_auth(ADMIN_TOKEN);
        let request = header.into_iter().fold(request, |request, (name, value)| request.header(name, value));
        world.send(body.into_iter().fold(request, |request, body| request.json(&body))).await
    };
    let code = |answer: &Answer| (answer.status, answer.body["code"].as_str().unwrap_or_default().to_owned());
    let team = |name: &str| Some(json!({"name": name, "members": ["ana"]}));
    let added = ask(Method::PUT, "team/night", Some(("if-none-match", "*")), team("Night")).await;
    assert_eq!((added.status, &added.body["form"]["id"]), (201, &json!("night")), "{}", added.text);
    let tag = added.header("etag").unwrap().to_owned();
    assert_eq!(code(&ask(Method::PUT, "team/night", Some(("if-none-match", "*")), team("x")).await), (412, "form_exists".into()));
    let changed = ask(Method::PUT, "team/night", Some(("if-match", &tag)), team("Nights")).await;
    assert_eq!((changed.status, &changed.body["form"]["body"]["name"]), (200, &json!("Nights")), "{}", changed.text);
    assert_eq!(code(&ask(Method::PUT, "team/night", Some(("if-match", &tag)), team("x")).await), (412, "form_changed".into()));
    assert_eq!(code(&ask(Method::DELETE, "team/night", Some(("if-match", &tag)), None).await), (412, "form_changed".into()));
    assert_eq!(code(&ask(Method::PUT, "team/payments", None, team("x")).await), (409, "form_of_file".into()));
    assert_eq!(code(&ask(Method::DELETE, "person/ana", None, None).await), (409, "form_of_file".into()));
    assert_eq!(code(&ask(Method::GET, "team/none", None, None).await), (404, "no_such_form".into()));
    assert_eq!(code(&ask(Method::GET, "teem", None, None).await), (404, "no_such_form".into()));
    let wrong = ask(Method::PUT, "team/night", None, Some(json!({"name": "N", "members": ["anna"]}))).await;
    assert_eq!(code(&wrong), (422, "org_invalid".into()));
    let told = &wrong.body["errors"][0];
    assert_eq!((&told["kind"], &told["id"], &told["key"]), (&json!("team"), &json!("night"), &json!("members[0]")), "{}", wrong.text);
    assert!(told["hint"].as_str().unwrap().contains("ana"), "{told}");

    // Nothing is removed where nothing is, whatever was expected.
    for header in [None, Some(("if-none-match", "*"))] {
        assert_eq!(code(&ask(Method::DELETE, "team/none", header, None).await), (404, "no_such_form".into()), "{header:?}");
    }

    // Who is on something is not removed, and it is said on what.
    assert_eq!(ask(Method::POST, "person/ana/detach", None, None).await.status, 200);
    let named = ask(Method::DELETE, "person/ana", None, None).await;
    assert_eq!(code(&named), (422, "org_invalid".into()));
    let places: Vec<String> =
        named.body["errors"].as_array().unwrap().iter().map(|e| format!("{} {}", e["kind"], e["id"]).replace('"', "")).collect();
    assert!(places.contains(&"team night".to_owned()) && places.contains(&"escalation payments".to_owned()), "{places:?}");
    // A secret stays where it is masked or not said, and is never shown.
    let hook = json!({"id": "hook", "webhook": "https://hooks.example.org/ana"});
    let kept = ask(Method::PUT, "person/ana", None, Some(json!({"name": "Ana", "contacts": [hook]}))).await;
    assert_eq!(
        (kept.status, &kept.body["made"], &kept.body["form"]["body"]["contacts"][0]["secret"]),
        (200, &json!([]), &json!("********")),
        "{}",
        kept.text
    );
    assert_eq!(ask(Method::DELETE, "team/night", None, None).await.status, 200);
    let listed = ask(Method::GET, "team", None, None).await.ok();
    assert_eq!(items(&listed.body).len(), 1, "{}", listed.text);
}

/// The only administrator is told so in the browser and over the API alike, and stays one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_only_administrator_stays_one() {
    let world = world().await;
    let sam = [("id", "sam"), ("name", "Sam"), ("access", "administrator")];
    assert_eq!(post(&world, "/settings/person", &sam).await.status, 303);
    let seen = version(&world, "/settings/person/sam").await;
    let lowered = post(&world, "/settings/person/sam", &[("seen", &seen), ("name", "Sam"), ("access", "responder")]).await;
    let removed = post(&world, "/settings/person/sam/remove", &[("seen", &seen), ("sure", "1")]).await;
    for refused in [&lowered, &removed] {
        assert_eq!(refused.status, 422, "{}", refused.text);
        for words in ["obody would be an administrator", "ake somebody else one first"] {
            assert!(refused.text.contains(words), "{words}: {}", refused.text);
        }
    }
    let by_program = world.client.delete(world.at("/api/v1/org/person/sam")).bearer_auth(ADMIN_TOKEN);
    let by_program = world.send(by_program).await;
    assert_eq!((by_program.status, &by_program.body["code"]), (422, &json!("org_invalid")), "{}", by_program.text);
    assert_eq!(world.api("/org/person/sam").await["body"]["access"], "administrator");
}

/// A sender's page has all of it: the address, what to copy, whether anything came, and an alarm to try it with.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sender_s_page_says_where_to_send_and_tries_it() {
    let world = world().await;
    let here = "/settings/integration/cron";
    let new = [("id", "cron"), ("name", "Cron"), ("kind", "json"), ("service", "checkout")];
    let made = post(&world, "/settings/integration", &new).await.ok().text;
    let (_, after) = made.split_once(&format!("{}/in/json/", world.program.url.trim_end_matches('/'))).expect("the whole address");
    let key = after.split('<').next().unwrap().to_owned();
    assert!(key.len() > 20 && made.contains("Copy it now") && made.contains("Waiting for the first alarm"), "{made}");
    assert!(made.contains(&format!("curl -sS {}/in/json/{key}", world.program.url.trim_end_matches('/'))), "what to copy: {made}");

    // Later the key is masked, and it is said how to get one; a secret says whether it is set.
    let later = page(&world, here).await.ok().text;
    assert!(!later.contains(&key) && later.contains("/in/json/••••••••") && later.contains("type another under Key"), "{later}");
    assert!(later.contains("One is set; leave this empty to keep it.") && later.contains("None is set."), "{later}");

    // A test alarm goes the way of a real one, pages, and leads to its incident; the same tap twice is one.
    let sent = post(&world, &format!("{here}/test"), &[("once", "1790000000000000")]).await;
    assert_eq!(sent.status, 303, "{}", sent.text);
    let incident = sent.header("location").unwrap().to_owned();
    let shown = page(&world, &incident).await.ok().text;
    assert!(shown.contains("Test alarm of Cron"), "{shown}");
    assert!(world.hook.wait(WITHIN, |all| all.iter().any(Delivery::is_page)).await, "somebody was paged");
    let twice = post(&world, &format!("{here}/test"), &[("once", "1790000000000000")]).await;
    assert_eq!(twice.header("location"), Some(incident.as_str()));
    let arrived = page(&world, here).await.ok().text;
    assert!(arrived.contains("Last alarm") && arrived.contains("Test alarm of Cron") && !arrived.contains("Waiting"), "{arrived}");
}
