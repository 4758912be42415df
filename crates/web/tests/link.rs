//! The page behind a message's link: what it shows, and what it does.
#![allow(clippy::unwrap_used)] // functions beside tests; what fails here fails a test

mod world;

use allclear_domain::access::Actor;
use allclear_domain::incident::{self, Severity};
use allclear_domain::paging::Status;
use allclear_engine::core::Command;
use allclear_engine::message_link::About;
use allclear_web::WebOptions;
use axum::body::Body;
use axum::http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use tower::ServiceExt;
use world::World;

const NOON: &str = "2026-03-02T11:00:00Z";
const PAGE_BYTES_MAX: usize = 30_000;

async fn ask(world: &World, method: Method, path: &str, browser: bool) -> Response<Body> {
    let accept = if browser { "text/html,application/xhtml+xml,*/*;q=0.8" } else { "*/*" };
    let request = Request::builder().method(method).uri(path).header("accept", accept).body(Body::empty()).unwrap();
    allclear_web::router(world.engine.clone(), WebOptions::default()).oneshot(request).await.unwrap()
}

async fn text(response: Response<Body>) -> String {
    String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

async fn shown(world: &World, path: &str) -> String {
    let response = ask(world, Method::GET, path, true).await;
    assert_eq!(response.status(), StatusCode::OK);
    let page = text(response).await;
    assert!(page.len() < PAGE_BYTES_MAX, "{} bytes", page.len());
    page
}

async fn status(world: &World, path: &str) -> (Status, Option<String>, u32) {
    let token = path.trim_start_matches("/a/");
    let link = world.engine.links().read(token, world.engine.now()).unwrap();
    let About::Page(id) = link.about else { panic!("a link for one page") };
    let (page, ..) = world.engine.queries(&world::everybody()).page_and_incident(id).await.unwrap();
    (page.status, page.acknowledged_by, page.step)
}

#[tokio::test]
async fn a_post_with_an_empty_body_acknowledges_and_looking_does_not() {
    let world = World::at(NOON).await;
    let (id, reference) = world.declare("Card payments failing", Severity::Sev1, "checkout").await;
    let path = world.link(id, "ana").await;
    world.pass(125).await;

    let page = shown(&world, &path).await;
    for wanted in [
        "SEV1",
        &reference,
        "Card payments failing",
        "Checkout",
        "Europe/Madrid",
        "2 min",
        "12:00:00",
        "<strong>2:55",
        "12:05:00",
        "Cho Min-ji",
        "https://wiki.example.org/checkout",
        "Acknowledge",
        "page the next",
    ] {
        assert!(page.contains(wanted), "{wanted} is missing:\n{page}");
    }
    for method in [Method::HEAD, Method::GET] {
        ask(&world, method.clone(), &path, true).await;
        ask(&world, method, &format!("{path}/decline"), true).await;
    }
    assert_eq!(status(&world, &path).await, (Status::Running, None, 1), "looking changes nothing");

    let answer = ask(&world, Method::POST, &path, false).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let answer: serde_json::Value = serde_json::from_str(&text(answer).await).unwrap();
    assert_eq!(
        (&answer["acknowledged"], &answer["acknowledged_by"], &answer["ref"]),
        (&true.into(), &"ana".into(), &reference.clone().into())
    );
    assert_eq!(status(&world, &path).await, (Status::Acknowledged, Some("ana".into()), 1));

    let page = shown(&world, &path).await;
    assert!(page.contains("You have it") && !page.contains(&format!("action=\"{path}\"")), "{page}");
    for goes_on in ["note", "help", "resolve", "give-back"] {
        assert!(page.contains(&format!("action=\"{path}/{goes_on}\"")), "{goes_on}: {page}");
    }
    let theirs = shown(&world, &world.link(id, "ben").await).await;
    assert!(theirs.contains("Ana Ruiz") && theirs.contains(" has it") && !theirs.contains("<form"), "{theirs}");

    // Again, by another, from a browser: who has it stays, and the log grows by nothing.
    let before = world.engine.queries(&world::everybody()).events(id, 0, 1000).await.unwrap().len();
    let again = ask(&world, Method::POST, &world.link(id, "ben").await, true).await;
    assert_eq!(again.status(), StatusCode::SEE_OTHER);
    assert_eq!(ask(&world, Method::POST, &path, false).await.status(), StatusCode::OK);
    assert_eq!(world.engine.queries(&world::everybody()).events(id, 0, 1000).await.unwrap().len(), before);
    assert_eq!(status(&world, &path).await.1.as_deref(), Some("ana"));
}

#[tokio::test]
async fn who_cannot_passes_it_on_once_and_never_past_the_next() {
    let world = World::at(NOON).await;
    let (id, _) = world.declare("Search slow", Severity::Sev2, "search").await;
    let (ana, cho) = (world.link(id, "ana").await, world.link(id, "cho").await);

    let early = ask(&world, Method::POST, &format!("{cho}/decline"), false).await;
    assert_eq!(early.status(), StatusCode::CONFLICT, "the page does not wait for Cho yet");
    assert_eq!(status(&world, &ana).await.2, 1);

    let declined = ask(&world, Method::POST, &format!("{ana}/decline"), true).await;
    assert_eq!(declined.status(), StatusCode::SEE_OTHER);
    assert_eq!(declined.headers()["location"], ana.as_str());
    assert_eq!(status(&world, &ana).await, (Status::Running, None, 2));
    // A second tap must not pass over Cho.
    for browser in [true, false] {
        ask(&world, Method::POST, &format!("{ana}/decline"), browser).await;
    }
    assert_eq!(status(&world, &ana).await, (Status::Running, None, 2));

    world.engine.quiet().await;
    let page = shown(&world, &ana).await;
    assert!(page.contains("You passed it on") && page.contains("Cho Min-ji"), "{page}");
    assert!(page.contains("Acknowledge") && !page.contains("page the next"), "taking it after all works: {page}");
    let page = shown(&world, &world.link(id, "cho").await).await;
    assert!(page.contains("Ben Okafor is paged at once"), "{page}");

    assert_eq!(ask(&world, Method::POST, &ana, false).await.status(), StatusCode::OK);
    assert_eq!(status(&world, &ana).await.1.as_deref(), Some("ana"));
}

#[tokio::test]
async fn what_is_over_says_how_and_by_whom() {
    let world = World::at(NOON).await;
    let (id, _) = world.declare("Exports missing", Severity::Sev3, "reports").await;
    let path = world.link(id, "ana").await;
    world.pass(60).await;
    let resolve = Command::incident(id, incident::ending::Command::Resolve { note: None, waive: None });
    world.act(Actor::Person("cho".into()), resolve).await.unwrap();

    let page = shown(&world, &path).await;
    assert!(
        page.contains("It is resolved") && page.contains("Cho Min-ji") && page.contains("12:01:00") && !page.contains("<form"),
        "{page}"
    );
    let late = ask(&world, Method::POST, &path, false).await;
    assert_eq!(late.status(), StatusCode::CONFLICT);
    assert_eq!(late.headers()["content-type"], "application/problem+json");
    assert_eq!(ask(&world, Method::POST, &path, true).await.status(), StatusCode::SEE_OTHER, "a browser is shown what became of it");
}

#[tokio::test]
async fn an_unanswered_page_can_still_be_taken() {
    let world = World::at(NOON).await;
    let (id, _) = world.declare("Nobody home", Severity::Sev1, "checkout").await;
    let path = world.link(id, "ana").await;
    for _ in 0..40 {
        world.pass(60).await;
    }
    assert_eq!(status(&world, &path).await.0, Status::Exhausted);
    let page = shown(&world, &path).await;
    assert!(page.contains("Nobody answered") && page.contains("Acknowledge"), "{page}");
    ask(&world, Method::POST, &path, false).await;
    assert!(shown(&world, &path).await.contains("You have it"));
}

#[tokio::test]
async fn a_store_that_does_not_answer_is_said_and_asked_again() {
    let world = World::at(NOON).await;
    let (id, _) = world.declare("Disk full", Severity::Sev1, "checkout").await;
    let path = world.link(id, "ana").await;
    world.fill_disk(true);
    for (browser, words) in [(true, "<form method=\"post\""), (false, "store_unavailable")] {
        for path in [path.clone(), format!("{path}/decline")] {
            let answer = ask(&world, Method::POST, &path, browser).await;
            assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
            assert!(answer.headers().contains_key("retry-after"));
            assert!(text(answer).await.contains(words));
        }
    }
    world.fill_disk(false);
    assert_eq!(ask(&world, Method::POST, &path, false).await.status(), StatusCode::OK);
    world.engine.db().close().await;
    let unread = ask(&world, Method::GET, &path, true).await;
    assert_eq!(unread.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(text(unread).await.contains("Acknowledge"), "the button is there all the same");
}

#[tokio::test]
async fn links_that_do_not_work_say_why_and_change_nothing() {
    let world = World::at(NOON).await;
    let (id, _) = world.declare("Old news", Severity::Sev2, "checkout").await;
    let path = world.link(id, "ana").await;
    let stranger = world.link(id, "zoe").await;
    for (path, wanted) in
        [("/a/nonsense", StatusCode::NOT_FOUND), (&path[..path.len() - 1], StatusCode::NOT_FOUND), (&stranger, StatusCode::GONE)]
    {
        for method in [Method::GET, Method::POST] {
            assert_eq!(ask(&world, method, path, true).await.status(), wanted, "{path}");
        }
    }
    world.pass(49 * 3600).await;
    for (browser, words) in [(true, "This link has expired"), (false, "link_expired")] {
        let gone = ask(&world, Method::POST, &path, browser).await;
        assert_eq!(gone.status(), StatusCode::GONE);
        assert!(text(gone).await.contains(words));
    }
    let fresh = world.link(id, "ana").await;
    assert_eq!(status(&world, &fresh).await.1, None);
}

#[tokio::test]
async fn what_senders_write_stays_text_and_the_page_stays_small() {
    let world = World::at(NOON).await;
    let nasty = "<script>alert(1)</script>\"><img src=x onerror=alert(2)> \u{202e}gnp.exe {{7*7}} & ' ";
    let long = format!("{nasty}{}", "\"".repeat(1024 - nasty.chars().count()));
    let annotations = serde_json::json!({"runbook_url": "javascript:alert(1)"});
    let signals: Vec<_> = (0..5)
        .map(|n| serde_json::json!({"action": "trigger", "dedup_key": format!("k{n}"), "title": long, "source": nasty, "annotations": annotations}))
        .collect();
    world.signals(serde_json::json!(signals)).await;
    let who = world::everybody();
    // The largest page: five alerts of one incident, every title as long as titles may be.
    let grouped: Vec<_> = (0..9)
        .map(|n| serde_json::json!({"action": "trigger", "dedup_key": format!("g{n}"), "title": long, "source": long, "annotations": annotations, "labels": {"group": "x"}}))
        .collect();
    world.signals(serde_json::json!(grouped)).await;
    let incidents = world.engine.queries(&who).incidents(Default::default(), 20).await.unwrap();
    assert_eq!(incidents.len(), 6);
    for incident in incidents {
        let path = world.link(incident.id.parse().unwrap(), "ana").await;
        let page = shown(&world, &path).await;
        let head = page.split("</head>").next().unwrap();
        assert!(!page.contains("<script") && !page.contains("<img") && !page.contains("href=\"javascript"), "{page}");
        assert!(page.contains("&lt;script&gt;") && page.contains("<bdi>&lt;script"), "{page}");
        assert!(head.len() < 2000, "the title in the tab is cut");
        assert!(page.contains("wiki.example.org"));
    }
}

#[tokio::test]
async fn every_answer_carries_the_headers_and_the_style_is_kept_for_ever() {
    let world = World::at(NOON).await;
    let (id, _) = world.declare("Headers", Severity::Sev2, "checkout").await;
    let path = world.link(id, "ana").await;
    let decline = format!("{path}/decline");
    for (method, path) in
        [(Method::GET, path.as_str()), (Method::GET, "/a/nonsense"), (Method::PUT, &path), (Method::POST, &decline), (Method::POST, &path)]
    {
        let response = ask(&world, method.clone(), path, true).await;
        let header = |name: &str| response.headers().get(name).map_or("", |v| v.to_str().unwrap()).to_owned();
        assert!(header("content-security-policy").starts_with("default-src 'none'; style-src 'self'"), "{method} {path}");
        assert!(header("content-security-policy").contains("frame-ancestors 'none'"));
        let others = ["x-content-type-options", "referrer-policy", "cache-control"].map(header);
        assert_eq!(others, ["nosniff", "same-origin", "no-store"], "{method} {path}");
    }
    let page = shown(&world, &path).await;
    for start in ["href=\"/assets/allclear-", "type=\"image/svg+xml\" href=\"/assets/"] {
        assert!(page.contains(start));
    }
    let style = page.split("stylesheet\" href=\"").nth(1).unwrap().split('"').next().unwrap();
    let response = ask(&world, Method::GET, style, true).await;
    assert_eq!(response.headers()["content-type"], "text/css; charset=utf-8");
    assert!(response.headers()["cache-control"].to_str().unwrap().contains("immutable"));
    assert_eq!(ask(&world, Method::GET, "/assets/allclear-000000000000.css", true).await.status(), StatusCode::NOT_FOUND);
}
