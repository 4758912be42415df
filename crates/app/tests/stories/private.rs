//! A private incident does not exist for those who may not see it; and who may do what over every
//! operation that the API describes.

use std::collections::BTreeMap;
use std::time::Duration;

use allclear_domain::ask;
use allclear_trial::org::{ADMIN_TOKEN, ESCALATIONS};
use allclear_trial::world::items;
use allclear_trial::{Database, World};
use reqwest::Method;
use serde_json::{Value, json};

use crate::sign_in::{get_as, sign_in_as};
use crate::{on_both, world_of};

on_both!(a_private_incident_is_found_nowhere_by_outsiders_and_everywhere_by_insiders);

/// Two teams with a manager each, somebody who only looks, a guest, an administrator.
pub(crate) fn organisation() -> String {
    let person = |id: &str, more: &str| {
        format!(
            "  - {{id: {id}, name: Person {id}{more}, contacts: [{{id: hook, webhook: \"{{HOOK}}/{id}\", secret: \"{{SECRET}}\"}}], notify: {{high: [{{contact: hook}}], low: [{{contact: hook}}]}}}}\n"
        )
    };
    let mut people = "people:\n".to_owned();
    for id in ["ana", "ben", "cho", "dan", "eve"] {
        people.push_str(&person(id, ""));
    }
    for (id, access) in [("obs", "observer"), ("gus", "guest"), ("adm", "administrator")] {
        people.push_str(&person(id, &format!(", access: {access}")));
    }
    format!(
        "{people}teams:\n  - {{id: payments, name: Payments, members: [ana, ben], managers: [cho]}}\n  - {{id: wards, name: Wards, members: [dan], managers: [eve]}}\n\
         schedules:\n  - {{id: rota, team: payments, time_zone: Etc/UTC, layers: [{{people: [ana, ben], every: 1w, handoff: \"Mon 09:00\", starts: 2026-01-05}}]}}\n\
         {ESCALATIONS}services:\n  - {{id: checkout, name: Checkout, team: payments, escalation: payments}}\n  - {{id: charts, name: Charts, team: wards}}\n\
         integrations:\n  - {{id: json, kind: json, key: \"json-key-0001\", service: checkout}}\n\
         plans:\n  - {{id: outage, name: Outage, tasks: [{{id: scope, text: Say what is affected}}]}}\n\
         routes:\n  - {{match: 'labels.secret=\"yes\"', set: {{private: true}}, continue: true}}\n"
    )
}

/// Where an id is asked for and there is no such thing.
const NONE: &str = "none_00000000000000000000000000";

/// What there is to look at: an incident, its page, its alert, an action, and a review once it is resolved.
pub(crate) struct Ids {
    pub(crate) reference: String,
    page: String,
    message: String,
    alert: String,
    action: String,
    review: String,
    /// One that runs, made by the administrator for the administrator `adm`.
    override_: String,
    temporary: String,
    /// A fire drill, started by the administrator's token.
    drill: String,
}

async fn ids(world: &World, reference: &str) -> Ids {
    let first = |list: Value| items(&list)[0]["id"].as_str().unwrap().to_owned();
    Ids {
        page: first(world.api(&format!("/incidents/{reference}/pages")).await),
        message: items(&world.api(&format!("/incidents/{reference}/pages")).await)[0]["messages"][0]["id"].as_str().unwrap().to_owned(),
        alert: first(world.api(&format!("/incidents/{reference}/alerts")).await),
        action: first(world.api(&format!("/actions?incident={reference}")).await),
        review: NONE.to_owned(),
        override_: NONE.to_owned(),
        temporary: NONE.to_owned(),
        drill: NONE.to_owned(),
        reference: reference.to_owned(),
    }
}

/// Raises an alarm; gives the incident that came of it.
pub(crate) async fn alarm(world: &World, title: &str, secret: bool) -> Ids {
    let labels = if secret { json!({"secret": "yes"}) } else { json!({}) };
    world.signal(json!({"title": title, "dedup_key": title, "severity": "critical", "labels": labels})).await;
    world.quiet().await;
    let found = world.incidents("limit=1").await.remove(0);
    assert_eq!(found["title"], title);
    let reference = found["ref"].as_str().unwrap();
    let action = json!({"text": format!("see to {title}"), "owner": "ana", "due_at": "2030-01-01T00:00:00Z", "incident": reference});
    world.command("/actions", action).await.ok();
    ids(world, reference).await
}

/// Resolves it, so that there is a review.
pub(crate) async fn finish(world: &World, ids: &mut Ids) {
    world.command(&format!("/incidents/{}/resolve", ids.reference), json!({})).await.ok();
    world.command(&format!("/incidents/{}/review", ids.reference), json!({})).await;
    ids.review = world.api(&format!("/incidents/{}/review", ids.reference)).await["id"].as_str().unwrap().to_owned();
}

pub(crate) fn filled(path: &str, ids: &Ids) -> String {
    let id = match path {
        _ if path.contains("/pages/") || path.contains("/explain/page/") => ids.page.as_str(),
        _ if path.contains("/drills/") => &ids.drill,
        _ if path.contains("/messages/") => &ids.message,
        _ if path.contains("/alerts/") => &ids.alert,
        _ if path.contains("/actions/") => &ids.action,
        _ if path.contains("/reviews/") => &ids.review,
        _ if path.contains("/schedules/") => "rota",
        _ if path.contains("/people/") => "ben",
        _ if path.contains("/org/") => "matrix",
        _ if path.contains("/plans/") => "outage",
        _ => NONE,
    };
    let command = match path {
        _ if path.contains("/actions/") => "assign",
        _ if path.contains("/reviews/") => "edit",
        _ => "note",
    };
    let path = path.replace("{ref}", &ids.reference).replace("{kind}", "team").replace("{id}", id).replace("{command}", command);
    path.replace("{override}", &ids.override_)
        .replace("{temporary}", &ids.temporary)
        .replace("{answer}", "accept")
        .replace("{contact}", "hook")
}

pub(crate) async fn operations(world: &World) -> Vec<(Method, String)> {
    let spec = world.send(world.client.get(world.at("/api/v1/openapi.json"))).await.ok().body;
    let mut out = Vec::new();
    for (path, item) in spec["paths"].as_object().unwrap() {
        for method in ["get", "post", "put", "patch", "delete"] {
            if item.get(method).is_some() {
                out.push((method.to_uppercase().parse().unwrap(), path.clone()));
            }
        }
    }
    assert!(out.len() > 20, "the description lists what there is: {out:?}");
    out
}

/// What a stream says within a moment.
async fn streamed(world: &World, cookie: &str) -> String {
    let mut answer = world.client.get(world.at("/api/v1/stream?after=0")).header("cookie", cookie).send().await.unwrap();
    let mut text = String::new();
    while let Ok(Ok(Some(part))) = tokio::time::timeout(Duration::from_millis(500), answer.chunk()).await {
        text.push_str(&String::from_utf8_lossy(&part));
    }
    text
}

/// Every address that can be looked at, and what it says to this person.
pub(crate) async fn everything(world: &World, cookie: &str, ids: &Ids) -> BTreeMap<String, String> {
    let mut said = BTreeMap::new();
    for (method, path) in operations(world).await {
        if method != Method::GET || path == "/api/v1/stream" {
            continue;
        }
        // What is looked for is what nobody else may find.
        let words = if path == "/api/v1/search" { "?q=kestrel" } else { "" };
        let path = filled(&path, ids);
        said.insert(path.clone(), get_as(world, cookie, &format!("{path}{words}")).await.text);
    }
    said.insert("/api/v1/stream".to_owned(), streamed(world, cookie).await);
    let incident = format!("/incidents/{}", ids.reference);
    for path in
        ["/", "/?wall", &incident, "/outbox", "/me", "/metrics", "/api/docs", "/api/v1/incidents?open=true", "/api/v1/alerts?open=true"]
    {
        said.insert(path.to_owned(), get_as(world, cookie, path).await.text);
    }
    let by_incident = format!("/api/v1/alerts?incident={}", ids.reference);
    said.insert(by_incident.clone(), get_as(world, cookie, &by_incident).await.text);
    said
}

async fn a_private_incident_is_found_nowhere_by_outsiders_and_everywhere_by_insiders(database: Database) {
    const CANARY: &str = "kestrel-4471";
    let world = world_of(database, organisation()).await;
    alarm(&world, "an open matter", false).await;
    let ids = alarm(&world, CANARY, true).await;
    let mut over = alarm(&world, &format!("{CANARY} that is over"), true).await;
    finish(&world, &mut over).await;
    let incident = world.api(&format!("/incidents/{}", ids.reference)).await;
    assert_eq!(incident["private"], true);
    assert!(world.hook.to("ana").len() >= 3, "who is on call is paged all the same");
    for outsider in ["dan", "eve", "ben", "obs", "gus"] {
        let cookie = sign_in_as(&world, outsider).await;
        let said = everything(&world, &cookie, &ids).await;
        let of_the_other = everything(&world, &cookie, &over).await;
        for (path, text) in said.iter().chain(&of_the_other) {
            assert!(!text.contains(CANARY), "{outsider} finds it at {path}");
            assert!(
                !text.contains(incident["id"].as_str().unwrap()) || path.contains("explain"),
                "{outsider} finds its id at {path}: {text}"
            );
        }
        let own = get_as(&world, &cookie, &format!("/api/v1/incidents/{}", ids.reference)).await;
        let none = get_as(&world, &cookie, "/api/v1/incidents/INC-999999").await;
        assert_eq!((own.status, own.text), (404, none.text), "it is as if it did not exist");
        let sees_the_open_one = outsider != "gus";
        assert_eq!(said["/api/v1/incidents"].contains("an open matter"), sees_the_open_one, "{outsider}");
        assert_eq!(said["/api/v1/stream"].contains("an open matter"), sees_the_open_one, "{outsider}");
    }
    for insider in ["ana", "cho", "adm"] {
        let cookie = sign_in_as(&world, insider).await;
        let said = everything(&world, &cookie, &ids).await;
        let incident = format!("/incidents/{}", ids.reference);
        for path in ["/", &incident, "/api/v1/incidents", "/api/v1/alerts", "/api/v1/stream"] {
            assert!(said[path].contains(CANARY), "{insider} does not find it at {path}: {}", said[path]);
        }
        for part in ["", "/events", "/alerts"] {
            assert!(said[&format!("/api/v1{incident}{part}")].contains(CANARY), "{insider}: {part}");
        }
        let of_the_other = everything(&world, &cookie, &over).await;
        for path in ["/api/v1/actions".to_owned(), format!("/api/v1/actions/{}", over.action), format!("/api/v1/reviews/{}", over.review)] {
            assert!(of_the_other[&path].contains(CANARY), "{insider} does not find it at {path}: {}", of_the_other[&path]);
        }
        assert!(of_the_other["/api/v1/reviews"].contains(&over.review), "{insider}: {}", of_the_other["/api/v1/reviews"]);
    }
    // Who is admitted sees it from then on; who was let in sees it no more than anybody once it is open.
    let dan = sign_in_as(&world, "dan").await;
    let path = format!("/api/v1/incidents/{}", ids.reference);
    let told = world.command(&format!("/incidents/{}/update", ids.reference), json!({"text": "x", "audiences": ["everybody"]})).await;
    assert!(told.status >= 400, "an audience is more than those who may see it: {}", told.text);
    world.command(&format!("/incidents/{}/admit", ids.reference), json!({"person": "dan"})).await.ok();
    assert_eq!(get_as(&world, &dan, &path).await.status, 200);
    let gus = sign_in_as(&world, "gus").await;
    world.command(&format!("/incidents/{}/open_up", ids.reference), json!({"why": "it is known"})).await.ok();
    let obs = sign_in_as(&world, "obs").await;
    assert_eq!((get_as(&world, &obs, &path).await.status, get_as(&world, &gus, &path).await.status), (200, 404));
    world.command(&format!("/incidents/{}/admit", ids.reference), json!({"person": "gus"})).await.ok();
    assert_eq!(get_as(&world, &gus, &path).await.status, 200, "a guest sees what they were admitted to");
    world.command(&format!("/incidents/{}/restrict", ids.reference), json!({"why": "again"})).await.ok();
    assert_eq!(get_as(&world, &obs, &path).await.status, 404);
    let told = world.hook.to("ana");
    let of_it = told.iter().find(|delivery| delivery.pages().iter().any(|page| page["incident"]["ref"] == ids.reference.as_str()));
    let link = of_it.expect("ana was paged").ack_path();
    assert!(world.send(world.client.get(world.at(&link))).await.text.contains(CANARY), "the link works for whoever holds it");
    assert_eq!(world.press(&link).await.status, 200);
    let kinds = world.kinds(&incident).await;
    for kind in ["restricted", "admitted", "opened_up"] {
        assert!(kinds.iter().any(|known| known == kind), "{kind} is not in {kinds:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_was_paged_and_who_declared_keep_seeing_what_becomes_private() {
    let world = world_of(Database::Sqlite, organisation()).await;
    let dan = sign_in_as(&world, "dan").await;
    let request = world.client.post(world.at("/api/v1/incidents")).header("cookie", &dan);
    let made = world.send(request.json(&json!({"title": "by dan", "service": "checkout", "private": true}))).await;
    assert_eq!((made.status, &made.body["private"]), (201, &true.into()), "{}", made.text);
    let path = format!("/api/v1/incidents/{}", made.body["ref"].as_str().unwrap());
    let ben = sign_in_as(&world, "ben").await;
    assert_eq!((get_as(&world, &dan, &path).await.status, get_as(&world, &ben, &path).await.status), (200, 404));

    let ids = alarm(&world, "open at first", false).await;
    let path = format!("/api/v1/incidents/{}", ids.reference);
    world.command(&format!("/incidents/{}/restrict", ids.reference), json!({"why": "a person is named"})).await.ok();
    let ana = sign_in_as(&world, "ana").await;
    assert_eq!((get_as(&world, &ana, &path).await.status, get_as(&world, &ben, &path).await.status), (200, 404), "ana was paged");
    let open = alarm(&world, "another one", false).await;
    world.command(&format!("/incidents/{}/merge", ids.reference), json!({"into": open.reference})).await.ok();
    let path = format!("/api/v1/incidents/{}", open.reference);
    assert_eq!((get_as(&world, &ana, &path).await.status, get_as(&world, &ben, &path).await.status), (200, 404), "its alerts went over");
    let public = alarm(&world, "a third one", false).await;
    world.command(&format!("/incidents/{}/merge", public.reference), json!({"into": open.reference})).await.ok();
    let path = format!("/api/v1/incidents/{}", public.reference);
    assert_eq!(get_as(&world, &ben, &path).await.status, 404, "its log names the private one");

    // What a private route only records has no incident and is no less private.
    let quiet = json!({"title": "of one patient", "dedup_key": "quiet", "severity": "info", "labels": {"secret": "yes"}});
    world.signal(quiet).await;
    world.quiet().await;
    let seen = async |cookie: &str| get_as(&world, cookie, "/api/v1/alerts?limit=50").await.text.contains("of one patient");
    let adm = sign_in_as(&world, "adm").await;
    assert_eq!((seen(&adm).await, seen(&ben).await), (true, false));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_over_and_private_is_given_to_nobody_who_could_not_see_it() {
    let world = world_of(Database::Sqlite, organisation()).await;
    let mut ids = alarm(&world, "names of patients", true).await;
    finish(&world, &mut ids).await;
    // While somebody can still be admitted, giving it admits them.
    world.command(&format!("/actions/{}/assign", ids.action), json!({"owner": "dan"})).await.ok();
    let dan = sign_in_as(&world, "dan").await;
    assert_eq!(get_as(&world, &dan, &format!("/api/v1/actions/{}", ids.action)).await.status, 200);
    world.command(&format!("/incidents/{}/close", ids.reference), json!({"waive": "its review comes later"})).await.ok();
    let at = "2030-01-01T00:00:00Z";
    for (path, body) in [
        (format!("/actions/{}/assign", ids.action), json!({"owner": "ben"})),
        (format!("/reviews/{}/assign", ids.review), json!({"owner": "ben"})),
        ("/actions".to_owned(), json!({"text": "x", "owner": "ben", "due_at": at, "incident": ids.reference})),
    ] {
        let refused = world.command(&path, body).await;
        assert_eq!((refused.status, &refused.body["code"]), (409, &"cannot_see".into()), "{path}: {}", refused.text);
    }
    world.command(&format!("/actions/{}/assign", ids.action), json!({"owner": "ana"})).await.ok();
    let ben = sign_in_as(&world, "ben").await;
    assert!(!get_as(&world, &ben, "/api/v1/actions").await.text.contains("names of patients"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_names_no_private_incident() {
    let grouped =
        organisation().replace("routes:\n", "routes:\n  - {match: 'labels.group=\"g\"', set: {group_by: [group]}, continue: true}\n");
    let world = world_of(Database::Sqlite, grouped).await;
    let fire = async |title: &str| {
        let signal = json!({"title": title, "dedup_key": title, "severity": "critical", "labels": {"group": "g"}});
        world.signal(signal).await;
        world.quiet().await;
        world.incidents("limit=1").await.remove(0)["ref"].as_str().unwrap().to_owned()
    };
    let first = fire("the first of its group").await;
    world.command(&format!("/incidents/{first}/resolve"), json!({})).await.ok();
    let second = fire("the second of its group").await;
    assert_ne!(first, second);
    let reopen = async |cookie: &str| {
        let request = world.client.post(world.at(&format!("/api/v1/incidents/{first}/reopen"))).header("cookie", cookie);
        world.send(request.header("origin", &world.program.url).json(&json!({"why": "again"}))).await
    };
    let ben = sign_in_as(&world, "ben").await;
    let refused = reopen(&ben).await;
    assert_eq!((refused.status, &refused.body["code"]), (409, &"group_has_another".into()), "{}", refused.text);
    assert!(refused.text.contains(&second), "{}", refused.text);
    world.command(&format!("/incidents/{second}/restrict"), json!({"why": "a name"})).await.ok();
    let refused = reopen(&ben).await;
    assert_eq!(refused.body["code"], "group_has_another", "{}", refused.text);
    assert!(!refused.text.contains(&second), "{}", refused.text);
    let adm = sign_in_as(&world, "adm").await;
    assert!(reopen(&adm).await.text.contains(&second));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guest_sees_what_they_were_admitted_to_and_nothing_of_the_house() {
    let named = organisation().replace("id: ana, name: Person ana", "id: ana, name: Ana Somewhere");
    let world = world_of(Database::Sqlite, named).await;
    let ids = alarm(&world, "for the guest", false).await;
    world.command(&format!("/incidents/{}/admit", ids.reference), json!({"person": "gus"})).await.ok();
    let (gus, obs) = (sign_in_as(&world, "gus").await, sign_in_as(&world, "obs").await);
    for path in ["/on-call", "/services", "/services/checkout", "/api/v1/oncall"] {
        let (refused, shown) = (get_as(&world, &gus, path).await, get_as(&world, &obs, path).await);
        assert_eq!((refused.status, shown.status), (403, 200), "{path}: {}", refused.text);
        assert!(!refused.text.contains("Ana Somewhere") && !refused.text.contains("Checkout"), "{path}: {}", refused.text);
    }
    let form = get_as(&world, &gus, "/declare").await;
    assert_eq!(form.status, 403, "who may not declare gets no form either: {}", form.text);
    assert!(!form.text.contains("Checkout"), "the form names every service: {}", form.text);
    let explain = async |cookie: &str, integration: &str| {
        let request = world.client.post(world.at(&format!("/api/v1/explain/signal?integration={integration}")));
        world.send(request.header("cookie", cookie).header("origin", &world.program.url).json(&json!({"title": "x"}))).await
    };
    let refused = explain(&gus, "json").await;
    assert_eq!((refused.status, &refused.text), (403, &explain(&gus, "unknown").await.text), "nor which integrations there are");
    assert_eq!(explain(&obs, "json").await.status, 200);
    // The frame leads nowhere that is closed, and names nobody on call nor any service.
    for path in ["/", "/menu", "/search?q=guest", "/actions", "/reviews", "/trends", "/me"] {
        let shown = get_as(&world, &gus, path).await;
        assert_eq!(shown.status, 200, "{path}");
        for closed in ["/on-call", "href=\"/services\"", "Ana Somewhere", "Charts", "You are not on call"] {
            assert!(!shown.text.contains(closed) || (path == "/actions" && closed == "Ana Somewhere"), "{path} shows {closed}");
        }
    }
    assert!(get_as(&world, &obs, "/").await.text.contains("Ana Somewhere"), "the board of the house says who is on call");
    assert!(get_as(&world, &gus, &format!("/incidents/{}", ids.reference)).await.text.contains("for the guest"));
}

/// What an operation needs, and of what.
#[derive(Debug, Clone, Copy)]
enum Needs {
    /// The scope `read`; what is in the answer depends on who asks.
    Read,
    /// The scope `read`, and to see the organisation: no guest does.
    House,
    /// The scope `read`, and to see the incident.
    See,
    /// The scope `respond`.
    Respond,
    /// The scope `respond`, and to see the incident.
    Act,
    /// To administer, or to manage the schedule's team.
    Schedule,
    /// To administer.
    Admin,
    /// To respond; what is another's is not there.
    Own,
    /// To be a person, who looks after how they are reached.
    Person,
}

/// Every operation: what it needs, and a body that it takes. One that is not here fails the test.
fn table() -> Vec<(&'static str, Needs, Value)> {
    use Needs::{Act, Admin, House, Own, Person, Read, Respond, Schedule, See};
    let at = |day: u32| format!("2030-01-{day:02}T00:00:00Z");
    vec![
        ("GET /api/v1/incidents", Read, Value::Null),
        ("POST /api/v1/incidents", Respond, json!({"title": "matrix", "page": false})),
        ("GET /api/v1/incidents/{ref}", See, Value::Null),
        ("GET /api/v1/incidents/{ref}/events", See, Value::Null),
        ("GET /api/v1/incidents/{ref}/alerts", See, Value::Null),
        ("GET /api/v1/incidents/{ref}/pages", See, Value::Null),
        ("GET /api/v1/incidents/{ref}/expectations", See, Value::Null),
        ("GET /api/v1/incidents/{ref}/briefing", See, Value::Null),
        ("GET /api/v1/incidents/{ref}/roll", See, Value::Null),
        ("GET /api/v1/incidents/{ref}/export", See, Value::Null),
        // Nobody is named, so that whoever may is told what is missing.
        ("POST /api/v1/incidents/{ref}/export", Act, json!({})),
        ("GET /api/v1/incidents/{ref}/blast", See, Value::Null),
        ("GET /api/v1/plans/shipped", House, Value::Null),
        ("GET /api/v1/plans/{id}/try", House, Value::Null),
        ("POST /api/v1/plans/shipped/{id}/adopt", Admin, json!({})),
        ("POST /api/v1/incidents/{ref}/{command}", Act, json!({"text": "matrix"})),
        ("GET /api/v1/search", Read, Value::Null),
        ("GET /api/v1/alerts", Read, Value::Null),
        ("GET /api/v1/alerts/{id}", See, Value::Null),
        ("GET /api/v1/pages/{id}", See, Value::Null),
        ("POST /api/v1/pages/{id}/acknowledge", Act, json!({"by": "ana"})),
        // In one's own name: nobody passes on for another.
        ("POST /api/v1/pages/{id}/decline", Act, json!({"by": "{me}"})),
        ("GET /api/v1/incidents/{ref}/updates", See, Value::Null),
        ("GET /api/v1/incidents/{ref}/review", See, Value::Null),
        ("POST /api/v1/incidents/{ref}/review", Act, json!({"by": "{me}"})),
        ("GET /api/v1/reviews", Read, Value::Null),
        ("GET /api/v1/reviews/{id}", See, Value::Null),
        ("POST /api/v1/reviews/{id}/{command}", Act, json!({"text": "matrix"})),
        ("GET /api/v1/actions", Read, Value::Null),
        ("POST /api/v1/actions", Act, json!({"text": "matrix", "owner": "ana", "due_at": at(3), "incident": "{ref}"})),
        ("GET /api/v1/actions/{id}", See, Value::Null),
        ("POST /api/v1/actions/{id}/{command}", Act, json!({"owner": "ana"})),
        ("GET /api/v1/trends", Read, Value::Null),
        ("GET /api/v1/oncall", House, Value::Null),
        ("GET /api/v1/readiness", Read, Value::Null),
        ("GET /api/v1/messages/{id}", See, Value::Null),
        ("GET /api/v1/me/contacts", Person, Value::Null),
        ("POST /api/v1/me/contacts", Person, json!({"email": "matrix@example.org"})),
        ("PUT /api/v1/me/contacts/{id}", Person, json!({"email": "other@example.org"})),
        ("DELETE /api/v1/me/contacts/{id}", Person, Value::Null),
        ("POST /api/v1/me/contacts/{id}/code", Person, Value::Null),
        ("POST /api/v1/me/contacts/{id}/verify", Person, json!({"code": "000000"})),
        ("PUT /api/v1/me/rules", Person, json!({"high": []})),
        ("DELETE /api/v1/me/rules", Person, Value::Null),
        ("GET /api/v1/me/saved-views", Read, Value::Null),
        ("POST /api/v1/me/saved-views", Respond, json!({"name": "matrix", "address": "/?mine"})),
        ("PUT /api/v1/me/saved-views/{id}", Own, json!({"name": "matrix"})),
        ("DELETE /api/v1/me/saved-views/{id}", Own, Value::Null),
        ("PUT /api/v1/me/shift-notices", Person, json!({"before": ["1d"]})),
        ("DELETE /api/v1/me/shift-notices", Person, Value::Null),
        ("POST /api/v1/people/{id}/contacts/{contact}/verified", Admin, Value::Null),
        ("GET /api/v1/signals", Admin, Value::Null),
        ("GET /api/v1/refused", Admin, Value::Null),
        ("GET /api/v1/audit", Admin, Value::Null),
        ("GET /api/v1/changes", House, Value::Null),
        ("GET /api/v1/heartbeats", House, Value::Null),
        ("GET /api/v1/incidents/{ref}/changes", See, Value::Null),
        ("GET /api/v1/signals/{id}", Admin, Value::Null),
        ("GET /api/v1/tokens", Admin, Value::Null),
        ("GET /api/v1/troubles", Admin, Value::Null),
        ("POST /api/v1/tokens", Admin, json!({"name": "matrix", "scope": "read"})),
        ("DELETE /api/v1/tokens/{id}", Admin, Value::Null),
        ("POST /api/v1/people/{id}/invitation", Admin, Value::Null),
        ("POST /api/v1/release", Admin, Value::Null),
        ("GET /api/v1/org", Admin, Value::Null),
        ("POST /api/v1/org/check", Admin, json!({})),
        ("POST /api/v1/org/diff", Admin, json!({})),
        ("POST /api/v1/org/apply", Admin, json!({})),
        ("GET /api/v1/org/{kind}", Admin, Value::Null),
        ("GET /api/v1/org/{kind}/{id}", Admin, Value::Null),
        ("PUT /api/v1/org/{kind}/{id}", Admin, json!({"name": "matrix"})),
        ("DELETE /api/v1/org/{kind}/{id}", Admin, Value::Null),
        ("POST /api/v1/org/{kind}/{id}/detach", Admin, Value::Null),
        ("POST /api/v1/schedules/{id}/overrides", Schedule, json!({"person": "dan", "starts_at": at(1), "ends_at": at(2)})),
        ("GET /api/v1/schedules/{id}/overrides", House, Value::Null),
        ("DELETE /api/v1/schedules/{id}/overrides/{override}", Schedule, Value::Null),
        ("GET /api/v1/schedules/{id}/timetable", House, Value::Null),
        ("GET /api/v1/schedules/{id}/external-calendars", House, Value::Null),
        ("GET /api/v1/schedules/{id}/temporary-schedules", House, Value::Null),
        (
            "POST /api/v1/schedules/{id}/temporary-schedules",
            Schedule,
            json!({"starts_at": at(3), "ends_at": at(4), "layers": [
            {"people": ["dan"], "every": "1d", "handoff": "09:00", "starts": "2026-01-05"}]}),
        ),
        ("DELETE /api/v1/schedules/{id}/temporary-schedules/{temporary}", Schedule, Value::Null),
        ("POST /api/v1/schedules/{id}/preview", Admin, json!({"time_zone": "Etc/UTC"})),
        ("GET /api/v1/absences", House, Value::Null),
        ("POST /api/v1/absences", Respond, json!({"starts_at": at(1), "ends_at": at(2)})),
        ("DELETE /api/v1/absences/{id}", Own, Value::Null),
        ("GET /api/v1/needs-cover", House, Value::Null),
        ("GET /api/v1/cover-requests", House, Value::Null),
        // Whoever has no shift, or is no person, is told so.
        ("POST /api/v1/cover-requests", Respond, json!({"schedule": "rota", "starts_at": at(1), "ends_at": at(2)})),
        ("POST /api/v1/cover-requests/{id}/{answer}", Own, Value::Null),
        ("GET /api/v1/calendar-feeds", House, Value::Null),
        ("POST /api/v1/calendar-feeds", Respond, json!({"schedule": "rota"})),
        ("DELETE /api/v1/calendar-feeds/{id}", Own, Value::Null),
        ("GET /api/v1/on-call/load", House, Value::Null),
        ("GET /api/v1/drills", House, Value::Null),
        ("GET /api/v1/drills/{id}", House, Value::Null),
        ("POST /api/v1/drills", Schedule, json!({"escalation": "payments"})),
        ("POST /api/v1/drills/{id}/stop", Schedule, json!({})),
        ("POST /api/v1/explain/signal", House, json!({"title": "matrix"})),
        ("GET /api/v1/explain/page/{id}", See, Value::Null),
        ("GET /api/v1/stream", Read, Value::Null),
    ]
}

/// Who asks, how, and what they are worth.
struct Asker {
    name: &'static str,
    header: Option<(&'static str, String)>,
    /// 0 reads, 1 responds, 2 administers.
    scope: u8,
    sees_public: bool,
    sees_private: bool,
    schedules: bool,
}

async fn askers(world: &World) -> Vec<Asker> {
    let mut out = Vec::new();
    let mut add = |name, header, scope, sees_public, sees_private, schedules| {
        out.push(Asker { name, header, scope, sees_public, sees_private, schedules });
    };
    add("nobody", None, 0, false, false, false);
    for (name, scope) in [("read", 0), ("respond", 1), ("admin", 2)] {
        let made = world.command("/tokens", json!({"name": name, "scope": name})).await.ok().body;
        let bearer = format!("Bearer {}", made["token"].as_str().unwrap());
        add(name, Some(("authorization", bearer)), scope, true, scope == 2, scope == 2);
    }
    // A token for more than its person has is worth what the person has.
    let made = world.command("/tokens", json!({"name": "obs", "scope": "admin", "person": "obs"})).await.ok().body;
    add("obs's admin token", Some(("authorization", format!("Bearer {}", made["token"].as_str().unwrap()))), 0, true, false, false);
    for (name, scope, sees_public, sees_private, schedules) in [
        ("obs", 0, true, false, false),
        ("ben", 1, true, false, false),
        ("dan", 1, true, false, false),
        ("ana", 1, true, true, false),
        ("cho", 1, true, true, true),
        ("eve", 1, true, false, false),
        ("gus", 0, false, false, false),
        ("adm", 2, true, true, true),
    ] {
        add(name, Some(("cookie", sign_in_as(world, name).await)), scope, sees_public, sees_private, schedules);
    }
    out
}

/// Every row of what may be asked, in every way, to those who would change nothing by it.
async fn every_command_is_refused_to_those_who_may_not(world: &World, askers: &[Asker], things: &[(bool, Ids)]) {
    for ask in ask::all() {
        for way in ask.all_ways() {
            let given = ask.example(&way);
            for ((private, ids), asker) in things.iter().flat_map(|thing| askers.iter().map(move |asker| (thing, asker))) {
                let sees = if *private { asker.sees_private } else { asker.sees_public };
                let wanted = match asker.scope {
                    _ if asker.header.is_none() => 401,
                    0 => 403,
                    _ if !sees => 404,
                    _ => continue,
                };
                let path = format!("/api/v1/incidents/{}/{}", ids.reference, ask.verb.word());
                let mut request = world.client.post(world.at(&path)).json(&given);
                if let Some((name, value)) = &asker.header {
                    request = request.header(*name, value);
                }
                let status = request.send().await.unwrap().status().as_u16();
                assert_eq!(status, wanted, "{path} {way:?} by {}", asker.name);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_operation_answers_everybody_as_the_table_says() {
    let world = world_of(Database::Sqlite, organisation()).await;
    let mut things = [(false, alarm(&world, "a public matter", false).await), (true, alarm(&world, "a private matter", true).await)];
    let now = world.now().await;
    let hours = |n| (now + jiff::SignedDuration::from_hours(n)).to_string();
    let runs = json!({"person": "adm", "starts_at": hours(-1), "ends_at": hours(1)});
    let made = world.command("/schedules/rota/overrides", runs).await.ok().body;
    let layer = json!({"people": ["adm"], "every": "1d", "handoff": "09:00", "starts": "2026-01-05"});
    let season = json!({"starts_at": hours(-1), "ends_at": hours(1), "layers": [layer]});
    let season = world.command("/schedules/rota/temporary-schedules", season).await.ok().body;
    let drill = world.command("/drills", json!({"escalation": "payments"})).await.ok().body;
    for (_, ids) in &mut things {
        finish(&world, ids).await;
        ids.drill = drill["id"].as_str().unwrap().to_owned();
        ids.temporary = season["id"].as_str().unwrap().to_owned();
        ids.override_ = made["id"].as_str().unwrap().to_owned();
    }
    let askers = askers(&world).await;
    let table = table();
    let mut judged = 0;
    for (method, path) in operations(&world).await {
        let operation = format!("{method} {path}");
        let (_, needs, body) = table
            .iter()
            .find(|(known, ..)| *known == operation)
            .unwrap_or_else(|| panic!("{operation} has no row in the table: say who may do it"));
        for (private, ids) in &things {
            for asker in &askers {
                let query = match path.as_str() {
                    "/api/v1/explain/signal" => "?integration=json",
                    "/api/v1/search" => "?q=matrix",
                    _ => "",
                };
                let mut request = world.client.request(method.clone(), world.at(&format!("{}{query}", filled(&path, ids))));
                if let Some((name, value)) = &asker.header {
                    request = request.header(*name, value);
                }
                if !body.is_null() {
                    // A token of nobody says who it is that passes on.
                    let me = if ["nobody", "read", "respond", "admin"].contains(&asker.name) { "ana" } else { asker.name };
                    let text = body.to_string().replace("{ref}", &ids.reference).replace("{me}", me);
                    request = request.header("content-type", "application/json").body(text);
                }
                // Only the head: a stream does not end.
                let status = request.send().await.unwrap().status().as_u16();
                let sees = if *private { asker.sees_private } else { asker.sees_public };
                let wanted = match needs {
                    _ if asker.header.is_none() => Some(401),
                    Needs::Respond | Needs::Act | Needs::Schedule | Needs::Own if asker.scope < 1 => Some(403),
                    Needs::Schedule if !asker.schedules => Some(403),
                    Needs::Admin if asker.scope < 2 => Some(403),
                    Needs::House if asker.name == "gus" => Some(403),
                    Needs::Person if ["read", "respond", "admin"].contains(&asker.name) => Some(403),
                    Needs::See | Needs::Act if !sees => Some(404),
                    _ => None,
                };
                let what = format!("{operation} by {} on the {} one", asker.name, if *private { "private" } else { "public" });
                match wanted {
                    Some(wanted) => assert_eq!(status, wanted, "{what}"),
                    None => {
                        assert!(![401, 403].contains(&status) && status < 500, "{what}: {status}");
                        assert!(status != 404 || matches!(needs, Needs::Admin | Needs::Own | Needs::Person), "{what}: {status}");
                    }
                }
                judged += 1;
            }
        }
    }
    assert!(table.len() * askers.len() * things.len() >= judged && judged > 500, "{judged} answers were judged");
    every_command_is_refused_to_those_who_may_not(&world, &askers, &things).await;
    assert_eq!(world.send(world.client.get(world.at("/api/v1/tokens")).bearer_auth(ADMIN_TOKEN)).await.status, 200);
}
