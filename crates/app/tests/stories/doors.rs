//! The doors: too much, too slow, and what machines read.

use std::time::{Duration, Instant};

use allclear_trial::{Database, World, org};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::world;

/// The contract's names; each must be there from the start, though nothing was counted yet.
const METRICS: [&str; 10] = [
    "allclear_signals_accepted_total",
    "allclear_signals_refused_total",
    "allclear_alerts",
    "allclear_alerts_stored",
    "allclear_incidents_open",
    "allclear_pages_total",
    "allclear_page_latency_seconds",
    "allclear_expectations_live",
    "allclear_expectation_lateness_seconds",
    "allclear_outbox_waiting",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_that_are_too_large_are_refused_and_the_next_is_served() {
    let world = world().await;
    let path = format!("/in/json/{}", org::JSON_KEY);
    let large = json!({"title": "x", "description": "y".repeat(9_000_000)}).to_string();
    // The server may answer and close before all is sent; either is a refusal. A client of its own,
    // so that no closed connection is left to be used again.
    let rude = allclear_trial::world::client();
    let request = rude.post(world.at(&path)).body(large);
    if let Ok(answer) = allclear_trial::world::try_send(request).await {
        assert_eq!(answer.status, 413, "{}", answer.text);
    }
    let many: Vec<Value> = (0..100_000).map(|n| json!({"title": n.to_string()})).collect();
    if let Ok(answer) = allclear_trial::world::try_send(rude.post(world.at(&path)).json(&many)).await {
        assert!((400..500).contains(&answer.status), "{}", answer.status);
    }
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(world.post(&path, deep).await.status, 400);
    assert!(world.incidents("").await.is_empty(), "nothing of it was taken in");
    world.fire("disk").await;
    assert_eq!(world.hook.to("ana").len(), 1);
    assert!(!world.log().contains("panic"), "{}", world.log());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sender_that_dawdles_is_cut_off_while_others_are_served() {
    let world = world().await;
    let address = world.program.url.trim_start_matches("http://").to_owned();
    let mut slow = Vec::new();
    for _ in 0..50 {
        let mut stream = TcpStream::connect(&address).await.unwrap();
        stream.write_all(b"POST /v2/enqueue HTTP/1.1\r\nHost: x\r\n").await.unwrap();
        slow.push(stream);
    }
    let began = Instant::now();
    world.fire("disk").await;
    assert!(began.elapsed() < Duration::from_secs(5), "others are served meanwhile");
    let cut = async {
        for stream in &mut slow {
            let mut rest = Vec::new();
            // Closed by an answer or by a reset; either way it is over.
            let _ = stream.read_to_end(&mut rest).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(25), cut).await.expect("headers have a deadline of ten seconds");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metrics_have_the_names_of_the_contract() {
    let world = world().await;
    world.fire("disk").await;
    world.post("/in/json/wrong", "{}").await;
    let plain = world.send(world.client.get(world.at("/metrics"))).await.ok();
    let open = world.send(world.client.get(world.at("/metrics")).header("accept", "application/openmetrics-text")).await.ok();
    let is =
        |answer: &allclear_trial::world::Answer, kind: &str| answer.header("content-type").is_some_and(|found| found.starts_with(kind));
    assert!(is(&plain, "text/plain; version=0.0.4") && !plain.text.contains("# EOF"), "what everything reads, unless more is asked for");
    assert!(is(&open, "application/openmetrics-text; version=1.0.0") && open.text.ends_with("# EOF\n"));
    let text = plain.text;
    for name in METRICS {
        assert!(
            text.lines().any(|line| line.starts_with(&format!("{name}{{"))
                || line.starts_with(&format!("{name} "))
                || line.starts_with(&format!("{name}_bucket"))),
            "{name} is missing:\n{text}"
        );
    }
    for line in [
        "allclear_signals_accepted_total{integration=\"json\"} 1",
        "allclear_alerts{state=\"open\"} 1",
        "allclear_alerts_stored 1",
        "allclear_incidents_open{severity=\"sev2\"} 1",
    ] {
        assert!(text.lines().any(|given| given == line), "`{line}` is missing:\n{text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn health_is_told_and_the_description_of_the_api_lists_what_there_is() {
    let world = world().await;
    for path in ["/-/healthy", "/-/ready", "/healthz"] {
        assert_eq!(world.send(world.client.get(world.at(path))).await.status, 200, "{path}");
    }
    let spec = world.send(world.client.get(world.at("/api/v1/openapi.json"))).await.ok().body;
    assert!(spec["openapi"].as_str().is_some_and(|version| version.starts_with("3.1")), "{}", spec["openapi"]);
    let paths = spec["paths"].as_object().unwrap();
    for path in [
        "/api/v1/incidents",
        "/api/v1/incidents/{ref}",
        "/api/v1/incidents/{ref}/events",
        "/api/v1/incidents/{ref}/alerts",
        "/api/v1/incidents/{ref}/pages",
        "/api/v1/incidents/{ref}/expectations",
        "/api/v1/incidents/{ref}/{command}",
        "/api/v1/stream",
    ] {
        assert!(paths.contains_key(path), "{path} is not described");
    }
    // A stream does not end, and the administrator's token stands for no person who could look after how they are reached.
    let answers = |path: &&String| !path.contains('{') && !path.ends_with("/stream") && !path.contains("/me/");
    for path in paths.keys().filter(answers).filter(|path| spec["paths"][*path]["get"].is_object()) {
        // What is looked for has to be said.
        let asked = if path.ends_with("/search") { format!("{path}?q=words") } else { path.clone() };
        let answer = world.get(&asked).await;
        assert!((200..300).contains(&answer.status), "{path} is described and answers {}: {}", answer.status, answer.text);
    }
    let missing = world.get("/api/v1/nothing-here").await;
    assert_eq!((missing.status, missing.body["status"].as_u64()), (404, Some(404)), "{}", missing.text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_stream_is_resumed_where_it_was_left() {
    let mut world = world().await;
    world.fire("one").await;
    let read = async |world: &allclear_trial::World, after: Option<String>, wanted: usize| {
        let mut request = world.client.get(world.at("/api/v1/stream?after=0")).bearer_auth(org::ADMIN_TOKEN);
        if let Some(after) = after {
            request = world.client.get(world.at("/api/v1/stream")).bearer_auth(org::ADMIN_TOKEN).header("last-event-id", after);
        }
        let mut response = request.send().await.unwrap();
        let mut text = String::new();
        let ids = |text: &str| text.lines().filter_map(|line| line.strip_prefix("id:")).map(|id| id.trim().to_owned()).collect::<Vec<_>>();
        while ids(&text).len() < wanted {
            let chunk = tokio::time::timeout(Duration::from_secs(10), response.chunk())
                .await
                .expect("an event")
                .unwrap()
                .expect("the stream goes on");
            text.push_str(&String::from_utf8_lossy(&chunk));
        }
        ids(&text)
    };
    let first = read(&world, None, 3).await;
    world.kill().await;
    world.start_again(&[]).await;
    world.fire("two").await;
    let rest = read(&world, first.last().cloned(), 3).await;
    let all = read(&world, None, first.len() + rest.len()).await;
    assert_eq!(all[..first.len() + rest.len()], [first, rest].concat(), "nothing twice, nothing left out");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_says_what_a_browser_may_do_with_it() {
    let world = World::start(crate::setup(Database::Sqlite).args(&["--base-url", "https://ops.example.org"])).await;
    let get = async |path: &str| world.send(world.client.get(world.at(path)).bearer_auth(org::ADMIN_TOKEN)).await;
    for path in
        ["/api/v1/incidents", "/api/v1/nothing", "/api/v1/openapi.json", "/api/docs", "/docs/errors/forbidden", "/-/ready", "/metrics"]
    {
        let answer = get(path).await;
        let policy = answer.header("content-security-policy").unwrap_or_default();
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
        assert!(!policy.contains("unsafe") && !policy.contains("script-src"), "{path}: {policy}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{path}");
    }
    for path in ["/", "/sign-in", "/api/v1/incidents", "/-/ready", "/nowhere"] {
        let answer = get(path).await;
        assert_eq!(answer.header("strict-transport-security"), Some("max-age=31536000"), "{path}");
        assert_eq!(answer.header("cross-origin-resource-policy"), Some("same-origin"), "{path}");
    }
    for path in ["/", "/sign-in", "/nowhere"] {
        assert_eq!(get(path).await.header("cross-origin-opener-policy"), Some("same-origin"), "{path}");
    }
    let docs = get("/api/docs").await;
    assert!(!docs.text.contains("<script") && !docs.text.contains(" style="), "the page needs nothing that its policy would stop");
    let plain = crate::world().await;
    assert_eq!(plain.get("/sign-in").await.header("strict-transport-security"), None, "without HTTPS there is nothing to insist on");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_sends_too_much_to_the_apis_reads_that_it_is_too_much() {
    let world = crate::world().await;
    let padded = |text: &str| format!("{}{text}", " ".repeat(4 * 1024 * 1024));
    for path in ["/api/v1/incidents", &format!("/prom/{}/api/v2/silences", org::PROM_KEY)] {
        let request = world.client.post(world.at(path)).bearer_auth(org::ADMIN_TOKEN).header("content-type", "application/json");
        let answer = world.send(request.body(padded("{}"))).await;
        assert_eq!(answer.status, 413, "{path}: {}", answer.text);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_control_api_takes_json_alone_and_intake_whatever_senders_call_it() {
    let world = crate::world().await;
    let declare = async |kind: Option<&str>| {
        let request =
            world.client.post(world.at("/api/v1/incidents")).bearer_auth(org::ADMIN_TOKEN).body(r#"{"title": "x", "page": false}"#);
        let request = if let Some(kind) = kind { request.header("content-type", kind) } else { request };
        world.send(request).await
    };
    for kind in [None, Some("application/json"), Some("Application/JSON; charset=utf-8"), Some("application/merge-patch+json")] {
        assert_eq!(declare(kind).await.status, 201, "{kind:?}");
    }
    for kind in ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x", "application/jsonp", "json"] {
        let refused = declare(Some(kind)).await;
        assert_eq!((refused.status, &refused.body["code"]), (415, &"unsupported_media_type".into()), "{kind}: {}", refused.text);
    }
    let put = world.client.put(world.at("/api/v1/org/team/night")).bearer_auth(org::ADMIN_TOKEN).header("content-type", "text/plain");
    assert_eq!(world.send(put.body(r#"{"name": "Night"}"#)).await.status, 415);
    let file = async |kind: &str| {
        let request = world.client.post(world.at("/api/v1/org/check")).bearer_auth(org::ADMIN_TOKEN).header("content-type", kind);
        world.send(request.body("teams: [{id: night, name: Night}]")).await.status
    };
    assert_eq!((file("application/yaml").await, file("text/plain").await, file("application/xml").await), (200, 200, 415));
    for (n, kind) in ["text/plain", "application/x-www-form-urlencoded", "application/json"].into_iter().enumerate() {
        let request = world.client.post(world.at(&format!("/in/json/{}", org::JSON_KEY))).header("content-type", kind);
        let sent = world.send(request.body(json!({"title": format!("alarm {n}")}).to_string())).await;
        assert_eq!(sent.status, 202, "{kind}: {}", sent.text);
    }
}
