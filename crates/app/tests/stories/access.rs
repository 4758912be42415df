//! Who may do what, and what nobody ever sees.

use allclear_trial::org::{self, ADMIN_TOKEN};
use allclear_trial::webhook_sink::SECRET;
use allclear_trial::{Database, World};
use serde_json::{Value, json};

use crate::{on_both, setup, world, world_of};

on_both!(the_same_request_with_the_same_key_is_carried_out_once);

async fn with(world: &World, token: &str, method: reqwest::Method, path: &str, body: Option<Value>) -> u16 {
    let request = world.client.request(method, world.at(&format!("/api/v1{path}"))).bearer_auth(token);
    let request = match body {
        Some(body) => request.json(&body),
        None => request,
    };
    world.send(request).await.status
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_do_what_their_scope_says_until_they_expire_or_are_revoked() {
    use reqwest::Method;
    let mut world = world().await;
    let make = async |scope: &str, expires_in: &str| {
        let made = world.command("/tokens", json!({"name": "t", "scope": scope, "expires_in": expires_in})).await.ok().body;
        (made["token"].as_str().unwrap().to_owned(), made["id"].as_str().unwrap().to_owned())
    };
    let (read, _) = make("read", "1h").await;
    let (respond, id) = make("respond", "30d").await;
    let declare = || Some(json!({"title": "by hand", "page": false}));
    assert_eq!(with(&world, "acl_nobody", Method::GET, "/incidents", None).await, 401);
    assert_eq!(world.send(world.client.get(world.at("/api/v1/incidents"))).await.status, 401);
    assert_eq!(with(&world, &read, Method::GET, "/incidents", None).await, 200);
    assert_eq!(with(&world, &read, Method::POST, "/incidents", declare()).await, 403);
    assert_eq!(with(&world, &respond, Method::POST, "/incidents", declare()).await, 201);
    assert_eq!(with(&world, &respond, Method::GET, "/tokens", None).await, 403, "tokens are the administrator's");
    assert_eq!(with(&world, org::JSON_KEY, Method::GET, "/incidents", None).await, 401, "a sender's key opens nothing else");
    let created = world.cli(&["token", "create", "--name", "cli", "--scope", "read"]).await;
    assert_eq!((created.code, created.stdout.lines().count()), (0, 1), "{created:?}");
    assert_eq!(with(&world, created.stdout.trim(), Method::GET, "/incidents", None).await, 200, "the token alone on stdout");
    assert_eq!(with(&world, ADMIN_TOKEN, Method::DELETE, &format!("/tokens/{id}"), None).await, 204);
    assert_eq!(with(&world, &respond, Method::GET, "/incidents", None).await, 401, "revoked");
    world.advance(3_700).await;
    assert_eq!(with(&world, &read, Method::GET, "/incidents", None).await, 401, "expired");
}

async fn the_same_request_with_the_same_key_is_carried_out_once(database: Database) {
    let mut world = world_of(database, org::usual()).await;
    let declare = async |world: &World, title: &str| {
        let request = world.client.post(world.at("/api/v1/incidents")).bearer_auth(ADMIN_TOKEN);
        world.send(request.header("idempotency-key", "key-1").json(&json!({"title": title, "service": "checkout"}))).await
    };
    let first = declare(&world, "by hand").await.ok();
    let again = declare(&world, "by hand").await.ok();
    assert_eq!(first.body["id"], again.body["id"]);
    let other = declare(&world, "something else").await;
    assert_eq!((other.status, &other.body["code"]), (422, &"idempotency_key_reused".into()), "{}", other.text);
    // What a crash interrupts is in doubt and sent again, which is another story.
    world.quiet().await;
    world.kill().await;
    world.start_again(&[]).await;
    assert_eq!(declare(&world, "by hand").await.ok().body["id"], first.body["id"], "over a crash as well");
    world.quiet().await;
    assert_eq!(world.incidents("").await.len(), 1);
    assert_eq!(world.hook.to("ana").len(), 1, "and pages once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_on_what_has_changed_meanwhile_is_refused() {
    let world = world().await;
    world.fire("disk").await;
    let incident = world.incident().await;
    let reference = incident["ref"].as_str().unwrap().to_owned();
    let note = async |version: u64| {
        let request = world.client.post(world.at(&format!("/api/v1/incidents/{reference}/note"))).bearer_auth(ADMIN_TOKEN);
        world.send(request.header("if-match", format!("\"{version}\"")).json(&json!({"text": "x"}))).await
    };
    let version = incident["version"].as_u64().unwrap();
    assert_eq!(note(version).await.status, 200);
    let stale = note(version).await;
    assert_eq!((stale.status, &stale.body["code"]), (412, &"version_mismatch".into()), "{}", stale.text);
    assert!(stale.header("content-type").is_some_and(|kind| kind.starts_with("application/problem+json")), "{stale:?}");

    // A review and an action are held against their versions in the same way.
    world.command(&format!("/incidents/{reference}/resolve"), json!({})).await.ok();
    world.command(&format!("/incidents/{reference}/review"), json!({})).await;
    let review = world.api(&format!("/incidents/{reference}/review")).await["id"].as_str().unwrap().to_owned();
    let action = json!({"text": "x", "owner": "ana", "due_at": "2030-01-01T00:00:00Z", "incident": reference});
    let action = world.command("/actions", action).await.ok().body["id"].as_str().unwrap().to_owned();
    for (path, command, body) in [
        (format!("/api/v1/reviews/{review}"), "edit", json!({"text": "# What happened"})),
        (format!("/api/v1/actions/{action}"), "assign", json!({"owner": "ben"})),
    ] {
        let tag = world.get(&path).await.header("etag").unwrap_or_else(|| panic!("{path} has no tag")).to_owned();
        let ask = async |tag: &str| {
            let request = world.client.post(world.at(&format!("{path}/{command}"))).bearer_auth(ADMIN_TOKEN);
            world.send(request.header("if-match", tag).json(&body)).await
        };
        let done = ask(&tag).await;
        assert_eq!(done.status, 200, "{path}: {}", done.text);
        assert_ne!(done.header("etag"), Some(tag.as_str()), "{path}");
        let stale = ask(&tag).await;
        assert_eq!((stale.status, &stale.body["code"]), (412, &"version_mismatch".into()), "{path}: {}", stale.text);
        assert_eq!(ask("*").await.status, 200, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn secrets_are_in_no_log_no_list_no_export_and_not_in_the_file() {
    const SMTP_PASSWORD: &str = "pa55-of-the-relay";
    let mut world = World::start(setup(Database::Sqlite).args(&["--log", "trace"])).await;
    world.fire("disk").await;
    world.prometheus(json!([{"labels": {"alertname": "X", "severity": "critical"}}])).await;
    world.pagerduty(json!({"event_action": "trigger", "payload": {"summary": "s", "source": "x", "severity": "error"}})).await;
    world.post("/in/json/a-wrong-key-0001", "{}").await;
    let made = world.command("/tokens", json!({"name": "t", "scope": "read"})).await.ok().body;
    let token = made["token"].as_str().unwrap().to_owned();
    world.send(world.client.get(world.at("/api/v1/incidents")).bearer_auth(&token)).await.ok();
    let link = world.hook.to("ana")[0].ack_path();
    world.press(&link).await.ok();
    let secrets: Vec<&str> = vec![
        org::JSON_KEY,
        org::PROM_KEY,
        org::PD_KEY,
        "a-wrong-key-0001",
        ADMIN_TOKEN,
        SECRET,
        SECRET.trim_start_matches("whsec_"),
        &token,
        link.trim_start_matches("/a/"),
    ];
    let incident = world.incidents("").await.remove(0);
    let reference = incident["ref"].as_str().unwrap().to_owned();
    let mut places = vec![("the log".to_owned(), world.log())];
    for path in
        ["/api/v1/org", "/api/v1/signals", "/api/v1/tokens", "/api/v1/alerts", "/api/v1/incidents", "/metrics", "/", "/api/v1/openapi.json"]
    {
        places.push((path.to_owned(), world.get(path).await.text));
    }
    for part in ["events", "pages", "alerts"] {
        places.push((part.to_owned(), world.get(&format!("/api/v1/incidents/{reference}/{part}")).await.ok().text));
    }
    let signals = world.api("/signals").await;
    for signal in allclear_trial::world::items(&signals) {
        places.push(("a kept signal".to_owned(), world.get(&format!("/api/v1/signals/{}", signal["id"].as_str().unwrap())).await.text));
    }
    let copy = world.dir.path().join("copy.db");
    assert_eq!(world.cli(&["backup", copy.to_str().unwrap()]).await.code, 0);
    places.push(("a copy".to_owned(), String::from_utf8_lossy(&std::fs::read(&copy).unwrap()).into_owned()));
    let shown = world
        .cli(&[
            "serve",
            "--print-config",
            "--admin-token",
            ADMIN_TOKEN,
            "--smtp",
            &format!("smtps://relay:{SMTP_PASSWORD}@mail.example.org"),
        ])
        .await;
    places.push(("--print-config".to_owned(), format!("{}{}", shown.stdout, shown.stderr)));
    world.program.stop().await.unwrap();
    for file in std::fs::read_dir(world.dir.path()).unwrap().map(|entry| entry.unwrap().path()) {
        if file.to_str().unwrap().contains("allclear.db") {
            places.push((file.display().to_string(), String::from_utf8_lossy(&std::fs::read(&file).unwrap()).into_owned()));
        }
    }
    for (place, text) in &places {
        assert!(!text.is_empty() || place.contains("-wal") || place.contains("-shm") || place.contains(".lock"), "{place} is empty");
        for secret in secrets.iter().chain([&SMTP_PASSWORD]) {
            if let Some(at) = text.find(secret) {
                let around: String = text[..at].chars().rev().take(120).collect::<Vec<_>>().into_iter().rev().collect();
                panic!("{secret} is in {place} after …{around}");
            }
        }
    }
    use std::os::unix::fs::PermissionsExt as _;
    let key = std::fs::metadata(world.dir.path().join("allclear.key")).expect("a key beside the file");
    assert_eq!(key.permissions().mode() & 0o777, 0o600);
}
