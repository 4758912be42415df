//! The control API: who may ask, what is answered, and what is kept under a key.

use axum::body::Body;
use axum::http::Request;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::world::{ADMIN, ORG, PROM_KEY, World};

async fn declared(w: &World, token: &str) -> Value {
    let back = w.post("/api/v1/incidents", token, r#"{"title":"Checkout is down","severity":"sev1","service":"checkout"}"#).await;
    assert_eq!(back.status, 201, "{}", back.text());
    back.json()
}

#[tokio::test]
async fn an_incident_lives_its_life_over_the_api() {
    let w = World::new().await;
    let ana = w.token("respond", Some("ana")).await;
    let made = declared(&w, &ana).await;
    let reference = made["ref"].as_str().unwrap();
    let at = |rest: &str| format!("/api/v1/incidents/{reference}{rest}");
    assert_eq!((made["state"].as_str(), made["acknowledged_at"].is_null()), (Some("declared"), true));
    w.engine.quiet().await;
    let pages = w.get(&at("/pages"), &ana).await.json();
    assert_eq!((&pages["items"][0]["status"], &pages["items"][0]["messages"][0]["person"]), (&json!("running"), &json!("ana")));
    let due = w.get(&at("/expectations"), &ana).await.json();
    assert_eq!(due["items"][0]["state"], "live", "{due}");
    let acked = w.post(&at("/acknowledge"), &ana, "").await;
    assert_eq!(acked.json()["acknowledged_by"], "ana", "the token's person: {}", acked.text());
    assert_eq!(acked.header("etag"), format!("\"{}\"", acked.json()["version"]));
    for (command, body, state) in [
        ("severity", r#"{"severity":"sev2","why":"one region"}"#, "investigating"),
        ("note", r#"{"text":"rolled back"}"#, "investigating"),
        ("mitigate", "{}", "mitigated"),
        ("resolve", r#"{"note":"normal"}"#, "resolved"),
        ("reopen", r#"{"why":"again"}"#, "investigating"),
        ("escalate", r#"{"why":"need help"}"#, "investigating"),
        ("resolve", "", "resolved"),
        ("close", r#"{"waive":"its review comes later"}"#, "closed"),
    ] {
        let back = w.post(&at(&format!("/{command}")), &ana, body).await;
        assert_eq!((back.status, back.json()["state"].clone()), (200, json!(state)), "{command}: {}", back.text());
    }
    let closed = w.post(&at("/resolve"), &ana, "").await;
    assert_eq!(
        (closed.status, closed.header("content-type"), closed.json()["code"].clone()),
        (409, "application/problem+json", json!("already_closed"))
    );
    let first = w.get(&at("/events?limit=3"), &ana).await.json();
    let rest = w.get(&at(&format!("/events?after={}", first["next"].as_str().unwrap())), &ana).await.json();
    assert!(rest["items"][0]["seq"].as_i64() > first["items"][2]["seq"].as_i64() && rest["next"].is_null());
    let other = declared(&w, &ana).await;
    let merged =
        w.post(&format!("/api/v1/incidents/{}/merge", other["id"].as_str().unwrap()), &ana, &json!({"into": reference}).to_string()).await;
    assert_eq!(merged.status, 409, "merging into what is over would hide it");
    let list = w.get("/api/v1/incidents?limit=1&state=closed", &ana).await.json();
    assert_eq!((&list["items"][0]["ref"], list["next"].is_string()), (&json!(reference), true));
    let empty = w.get(&format!("/api/v1/incidents?state=closed&cursor={}", list["next"].as_str().unwrap()), &ana).await.json();
    assert_eq!(empty, json!({"items": [], "next": null}));
}

#[tokio::test]
async fn what_cannot_be_read_is_named_with_its_place() {
    let w = World::new().await;
    for (method, path, body, status, code, says) in [
        ("POST", "/api/v1/incidents", r#"{"title":"x","sevrity":"sev1"}"#, 400, "bad_request", "sevrity"),
        ("POST", "/api/v1/incidents", r#"{"title":"x","severity":"sev9"}"#, 400, "bad_request", "severity"),
        ("POST", "/api/v1/incidents", "{", 400, "bad_request", "line 1"),
        ("POST", "/api/v1/incidents", r#"{"title":" "}"#, 422, "words_missing", "title"),
        ("POST", "/api/v1/incidents", r#"{"title":"x","service":"nope"}"#, 404, "no_such_service", "nope"),
        ("GET", "/api/v1/incidents?sevrity=sev1", "", 400, "bad_request", "sevrity"),
        ("GET", "/api/v1/incidents?limit=201", "", 400, "bad_request", "200"),
        ("GET", "/api/v1/incidents?q=%20", "", 400, "bad_request", "has no words"),
        ("GET", &format!("/api/v1/incidents?q={}", "%C3%BC".repeat(201)), "", 400, "bad_request", "200 characters"),
        ("GET", "/api/v1/incidents?cursor=x", "", 400, "bad_cursor", "next"),
        ("GET", "/api/v1/incidents/INC-99", "", 404, "no_such_incident", ""),
        ("POST", "/api/v1/incidents/INC-1/recover", "", 404, "no_such_command", "acknowledge"),
        ("GET", "/api/v1/nothing", "", 404, "not_found", ""),
        ("DELETE", "/api/v1/incidents", "", 405, "method_not_allowed", ""),
    ] {
        let back = w.ask(method, path, &[("authorization", &format!("Bearer {ADMIN}"))], body).await;
        let problem = back.json();
        assert_eq!((back.status, problem["code"].clone()), (status, json!(code)), "{method} {path} {body}: {problem}");
        assert!(problem["detail"].as_str().unwrap().contains(says), "{problem}");
        let page = w.ask("GET", problem["type"].as_str().unwrap(), &[], "").await;
        assert!(page.text().starts_with(&format!("# `{code}`")), "{code}");
    }
}

#[tokio::test]
async fn a_repeated_key_is_answered_again_and_does_nothing_twice() {
    let w = World::new().await;
    let (ana, ben) = (w.token("respond", Some("ana")).await, w.token("respond", Some("ben")).await);
    let post = async |token: &str, path: &str, extra: &[(&str, &str)], body: &str| {
        let auth = format!("Bearer {token}");
        let mut headers = vec![("authorization", auth.as_str()), ("idempotency-key", "k-1")];
        headers.extend_from_slice(extra);
        w.ask("POST", path, &headers, body.to_owned()).await
    };
    let body = r#"{"title":"Once","service":"checkout"}"#;
    let first = post(&ana, "/api/v1/incidents", &[], body).await;
    let again = post(&ana, "/api/v1/incidents", &[], body).await;
    assert_eq!((first.status, again.status, &first.json()["id"]), (201, 201, &again.json()["id"]));
    // Said again by a client that writes its keys in another order, it is the same.
    let rewritten = post(&ana, "/api/v1/incidents", &[], "{ \"service\" : \"checkout\",\n \"title\":\"\\u004fnce\"}").await;
    assert_eq!((rewritten.status, &rewritten.json()["id"]), (201, &first.json()["id"]), "{}", rewritten.text());
    let reused = post(&ana, "/api/v1/incidents", &[], r#"{"title":"Other"}"#).await;
    assert_eq!((reused.status, reused.json()["code"].clone()), (422, json!("idempotency_key_reused")));
    let bens = post(&ben, "/api/v1/incidents", &[], body).await;
    assert_ne!(bens.json()["id"], first.json()["id"], "a key is its owner's");
    // A command repeated under its key with the version it was first given is no mismatch.
    let at = format!("/api/v1/incidents/{}/note", first.json()["ref"].as_str().unwrap());
    let version = format!("\"{}\"", first.json()["version"]);
    let auth = format!("Bearer {ana}");
    let headers = [("authorization", auth.as_str()), ("idempotency-key", "k-2"), ("if-match", version.as_str())];
    let one = w.ask("POST", &at, &headers, r#"{"text":"a"}"#).await;
    let two = w.ask("POST", &at, &headers, r#"{"text":"a"}"#).await;
    assert_eq!((one.status, two.status, one.json()["version"].clone()), (200, 200, two.json()["version"].clone()), "{}", two.text());
    let stale = w.ask("POST", &at, &[headers[0], headers[2]], r#"{"text":"b"}"#).await;
    assert_eq!((stale.status, stale.json()["code"].clone()), (412, json!("version_mismatch")));
    let fresh = format!("\"{}\"", one.json()["version"]);
    assert_eq!(w.ask("POST", &at, &[headers[0], ("if-match", &fresh)], r#"{"text":"b"}"#).await.status, 200);
    // What could not be done twice is answered again all the same: the first answer may have been lost.
    let end = at.replace("/note", "/resolve");
    for _ in 0..2 {
        let ended = w.ask("POST", &end, &[headers[0], ("idempotency-key", "k-3")], "{}").await;
        assert_eq!((ended.status, ended.json()["state"].clone()), (200, json!("resolved")), "{}", ended.text());
    }
    assert_eq!(w.ask("POST", &end, &[headers[0], ("idempotency-key", "k-4")], "{}").await.status, 409);
    let long = "k".repeat(256);
    assert_eq!(w.ask("POST", &at, &[headers[0], ("idempotency-key", &long)], "{}").await.status, 400);
}

#[tokio::test]
async fn the_stream_goes_on_where_it_was_left_and_ends_with_the_program() {
    let w = World::new().await;
    let token = w.token("read", None).await;
    declared(&w, ADMIN).await;
    w.engine.quiet().await;
    let open = async |header: Option<&str>, query: &str| {
        let mut request = Request::get(format!("/api/v1/stream{query}")).header("authorization", format!("Bearer {token}"));
        if let Some(id) = header {
            request = request.header("last-event-id", id);
        }
        let response = w.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!((response.status().as_u16(), response.headers()["content-type"].to_str().unwrap()), (200, "text/event-stream"));
        response.into_body()
    };
    async fn next(body: &mut Body) -> (i64, String, Value) {
        let frame = body.frame().await.unwrap().unwrap().into_data().unwrap();
        let text = String::from_utf8(frame.to_vec()).unwrap();
        let field = |name: &str| {
            text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_else(|| panic!("{name}: {text}")).trim().to_owned()
        };
        (field("id:").parse().unwrap(), field("event:"), serde_json::from_str(&field("data:")).unwrap())
    }
    let mut all = open(None, "?after=0").await;
    let (first, _, _) = next(&mut all).await;
    let (second, kind, data) = next(&mut all).await;
    assert_eq!((data["seq"].as_i64(), data["kind"].as_str()), (Some(second), Some(kind.as_str())));
    let mut resumed = open(Some(&first.to_string()), "?after=0").await;
    assert_eq!(next(&mut resumed).await.0, second, "Last-Event-ID wins");
    let mut live = open(None, "").await;
    w.post("/api/v1/incidents/INC-1/note", ADMIN, r#"{"text":"live"}"#).await;
    assert_eq!(next(&mut live).await.1, "noted");
    w.engine.stopping().cancel();
    assert!(live.frame().await.is_none(), "ends with the program");
}

#[tokio::test]
async fn the_organisation_is_checked_compared_and_applied() {
    let w = World::new().await;
    let auth = format!("Bearer {ADMIN}");
    let yaml = w.ask("GET", "/api/v1/org", &[("authorization", &auth)], "").await;
    assert!(yaml.text().contains("checkout") && !yaml.text().contains(PROM_KEY), "masked: {}", yaml.text());
    let json_org = w.ask("GET", "/api/v1/org", &[("authorization", &auth), ("accept", "application/json")], "").await;
    assert_eq!(json_org.json()["services"][0]["id"], "checkout");
    let bad = ORG.replace("escalation: first}", "escalation: frist}");
    let checked = w.post("/api/v1/org/check?file=mine.yaml", ADMIN, &bad).await.json();
    let problem = checked["problems"].as_array().unwrap().iter().find(|p| p["weight"] == "error").unwrap();
    assert_eq!((&checked["valid"], &problem["file"], problem["line"].is_u64()), (&json!(false), &json!("mine.yaml"), true), "{checked}");
    let refused = w.post("/api/v1/org/apply", ADMIN, &bad).await;
    assert_eq!((refused.status, refused.json()["errors"][0]["key"].is_string()), (422, true), "{}", refused.text());
    let more = format!("{ORG}\nteams: [{{id: all, name: All, members: [ana, ben]}}]\n")
        .replace("integrations:\n", "integrations:\n  - {id: extra, kind: json}\n");
    let diff = w.post("/api/v1/org/diff", ADMIN, &more).await.json();
    let of = |changes: &Value| {
        changes["changes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|c| format!("{} {} {}", c["action"].as_str().unwrap(), c["kind"].as_str().unwrap(), c["id"].as_str().unwrap()))
            .collect::<Vec<_>>()
    };
    assert_eq!(of(&diff), ["add team all", "add integration extra"], "{diff}");
    let applied = w.post("/api/v1/org/apply", ADMIN, &more).await.json();
    assert_eq!(applied["made"][0]["of"], "integration extra", "{applied}");
    let key = applied["made"][0]["secret"].as_str().unwrap();
    assert_eq!(w.ask("POST", &format!("/in/json/{key}"), &[], r#"{"title":"x"}"#).await.status, 202, "the made key works at once");
    assert_eq!(of(&w.post("/api/v1/org/apply", ADMIN, &more).await.json()).len(), 0, "the same again changes nothing");
    let ana = w.token("respond", Some("ana")).await;
    let put =
        json!({"person": "ben", "starts_at": w.engine.now(), "ends_at": w.engine.now() + jiff::SignedDuration::from_hours(1)}).to_string();
    assert_eq!(w.post("/api/v1/schedules/primary/overrides", &ana, &put).await.status, 403, "ana manages no team");
    assert_eq!(w.post("/api/v1/schedules/primary/overrides", ADMIN, &put).await.status, 201);
    assert_eq!(w.get("/api/v1/oncall", &ana).await.json()["items"][0]["person"], "ben");
    assert_eq!(w.post("/api/v1/schedules/nope/overrides", ADMIN, &put).await.json()["code"], "no_such_schedule");
}

#[tokio::test]
async fn tokens_are_made_used_and_revoked_and_pages_answered() {
    let w = World::new().await;
    let made = w.post("/api/v1/tokens", ADMIN, r#"{"name":"phone","scope":"respond","person":"ana","expires_in":"30d"}"#).await;
    let token = made.json()["token"].as_str().unwrap().to_owned();
    declared(&w, &token).await;
    let page = w.get("/api/v1/incidents/INC-1/pages", &token).await.json()["items"][0]["id"].as_str().unwrap().to_owned();
    let declined = w.post(&format!("/api/v1/pages/{page}/decline"), &token, "").await;
    assert_eq!((declined.status, declined.json()["step"].clone()), (200, json!(2)), "{}", declined.text());
    let nobody = w.post(&format!("/api/v1/pages/{page}/decline"), ADMIN, "").await;
    assert_eq!(nobody.json()["code"], "person_needed");
    let why = w.get(&format!("/api/v1/explain/page/{page}"), &token).await.json();
    assert!(why["lines"].as_array().unwrap().len() >= 2, "{why}");
    assert_eq!(w.post(&format!("/api/v1/pages/{page}/acknowledge"), &token, "").await.json()["status"], "acknowledged");
    let who = w.post("/api/v1/explain/signal?integration=script", &token, r#"{"title":"x","severity":"critical"}"#).await.json();
    assert_eq!(who["signals"][0]["pages"][0]["people"][0]["person"], "ana", "{who}");
    let id = made.json()["id"].as_str().unwrap().to_owned();
    let revoked = w.ask("DELETE", &format!("/api/v1/tokens/{id}"), &[("authorization", &format!("Bearer {ADMIN}"))], "").await;
    assert_eq!(revoked.status, 204);
    assert_eq!(w.get("/api/v1/incidents", &token).await.status, 401);
}
