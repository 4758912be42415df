//! The board, an incident's page and a demonstration's messages: who may see them, what comes
//! first, and what happens when there is too much.
#![allow(clippy::unwrap_used)] // functions beside tests; what fails here fails a test

mod world;

use std::sync::Arc;

use allclear_domain::access::{Actor, Principal, Scope};
use allclear_domain::incident::{self, Severity};
use allclear_engine::core::{Command, Input};
use allclear_engine::read::IncidentFilter;
use allclear_web::{DemoMessage, WebOptions};
use axum::body::Body;
use axum::http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use tower::ServiceExt;
use world::{World, everybody};

const NOON: &str = "2026-03-02T11:00:00Z";

fn open() -> WebOptions {
    WebOptions { open_to: Some(everybody()), first_alarm_curl: Some("curl 'https://x/?a&b'".into()), ..WebOptions::default() }
}

async fn ask(world: &World, options: WebOptions, path: &str, token: Option<&str>) -> Response<Body> {
    let mut request = Request::builder().uri(path).header("accept", "text/html");
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    allclear_web::router(world.engine.clone(), options).oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
}

async fn page(world: &World, path: &str) -> String {
    let response = ask(world, open(), path, None).await;
    assert_eq!(response.status(), StatusCode::OK, "{path}");
    text(response).await
}

async fn text(response: Response<Body>) -> String {
    String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

#[tokio::test]
async fn only_a_token_or_a_demonstration_opens_the_pages() {
    let world = World::at(NOON).await;
    let (_, reference) = world.declare("Secret failing", Severity::Sev1, "checkout").await;
    for path in ["/".to_owned(), format!("/incidents/{reference}"), "/outbox".to_owned()] {
        let led = ask(&world, WebOptions::default(), &path, None).await;
        assert_eq!(led.status(), StatusCode::SEE_OTHER, "{path}");
        assert!(led.headers()["location"].to_str().unwrap().starts_with("/sign-in"), "{path}");
        for (options, token) in [(WebOptions::default(), Some("acl_wrong")), (open(), Some("acl_wrong"))] {
            let refused = ask(&world, options, &path, token).await;
            assert_eq!(refused.status(), StatusCode::UNAUTHORIZED, "{path} {token:?}");
            assert_eq!(refused.headers()["www-authenticate"], "Bearer");
            assert_eq!(refused.headers()["cache-control"], "no-store");
            let said = text(refused).await;
            assert!(said.contains("allclear token create") && !said.contains("Secret failing"));
        }
    }
    let with_token = text(ask(&world, WebOptions::default(), "/", Some("letmein")).await).await;
    assert!(
        with_token.contains("Secret failing") && with_token.contains("<noscript><meta http-equiv=\"refresh\""),
        "without a script a board is asked for again by itself"
    );
    let told = page(&world, &format!("/incidents/{reference}")).await;
    assert!(!told.contains("http-equiv"), "what is being typed is never lost to a reload");
    assert_eq!(ask(&world, open(), "/outbox", None).await.status(), StatusCode::NOT_FOUND, "there are messages only in a demonstration");
}

#[tokio::test]
async fn the_board_puts_first_what_is_most_urgent_and_says_what_is_late() {
    let world = World::at(NOON).await;
    let empty = page(&world, "/").await;
    assert!(empty.contains("Nothing is open") && empty.contains("curl 'https://x/?a&amp;b'") && empty.contains("Ana Ruiz"), "{empty}");

    world.declare("Exports", Severity::Sev4, "reports").await;
    let (taken, _) = world.declare("Search", Severity::Sev2, "search").await;
    let acknowledge = incident::attendance::Command::Acknowledge { by: Some("ben".into()), via: "api".into() }.into();
    world.act(Actor::Person("ben".into()), Command::Incident { id: taken, command: acknowledge }).await.unwrap();
    world.declare("Payments", Severity::Sev2, "checkout").await;
    world.declare("Fire", Severity::Sev1, "checkout").await;
    let board = page(&world, "/").await;
    let order: Vec<usize> =
        ["Fire", "Payments", "Exports", "Search"].iter().map(|t| board.find(&format!("<bdi>{t}</bdi></a>")).unwrap()).collect();
    assert!(order.is_sorted(), "{board}");
    assert!(
        board.contains("4 open") && !board.contains("class=\"late\"") && board.contains("nobody for 0:00") && board.contains("Ben Okafor"),
        "{board}"
    );

    world.slip(340);
    let board = page(&world, "/").await;
    assert!(board.contains("3 late") && board.contains("nobody for 5:40"), "{board}");
    // Everybody was paged, and what nobody answered has not come back yet.
    for _ in 0..40 {
        world.pass(60).await;
    }
    let board = page(&world, "/").await;
    assert!(board.contains("3 unanswered") && board.contains("everybody was paged"), "{board}");
}

#[tokio::test]
async fn a_copy_and_a_full_store_say_so_on_every_page() {
    let world = World::quarantined(NOON).await;
    let (_, reference) = world.declare("Copied", Severity::Sev1, "checkout").await;
    for path in ["/".to_owned(), format!("/incidents/{reference}")] {
        let page = page(&world, &path).await;
        assert!(page.contains("This copy sends nothing.") && !page.contains("Nothing can be recorded"), "{page}");
    }
    let world = World::at(NOON).await;
    let (id, _) = world.declare("Written", Severity::Sev1, "checkout").await;
    world.fill_disk(true);
    let note = Command::incident(id, incident::record::Command::Note { text: "Lost".into(), happened_at: None, marking: None });
    world
        .engine
        .submit(Input { who: Principal::own(Actor::Administrator), cause: "api".into(), once: None, command: note })
        .await
        .unwrap_err();
    assert!(page(&world, "/").await.contains("Nothing can be recorded"));
}

#[tokio::test]
async fn too_much_is_cut_worst_first_and_counted() {
    let world = World::at(NOON).await;
    // The oldest are the worst, so that a list of the newest alone would miss them.
    for n in 0..1010 {
        let severity = if n < 5 { Severity::Sev1 } else { Severity::Sev5 };
        let declare = allclear_engine::core::Declare {
            title: format!("Row {n}"),
            severity: Some(severity),
            known: Default::default(),
            service: None,
            impact_started_at: None,
            page: false,
            private: false,
            report: false,
        };
        let input =
            Input { who: Principal::own(Actor::Administrator), cause: "api".into(), once: None, command: Command::Declare(declare) };
        world.engine.submit(input).await.unwrap();
    }
    let board = page(&world, "/").await;
    assert_eq!(board.matches("<li data-key=").count(), 200, "more than anybody works on");
    assert!(board.contains("+800 and more, none worse than these") && board.contains("href=\"/?all\""));
    let board = page(&world, "/?all").await;
    assert_eq!(board.matches("<li data-key=").count(), 1000);
    for n in 0..5 {
        assert!(board.contains(&format!("<bdi>Row {n}</bdi>")), "row {n}");
    }
    assert!(board.contains("1000+ open") && board.contains("More are open, none worse than these"));
}

#[tokio::test]
async fn a_log_of_any_length_ends_with_the_newest_line() {
    let world = World::at(NOON).await;
    let (id, reference) = world.declare("Long night", Severity::Sev2, "checkout").await;
    let (other, _) = world.declare("Another", Severity::Sev2, "checkout").await;
    for n in 0..1300 {
        for id in [id, other] {
            let command = Command::incident(
                id,
                incident::record::Command::Note { text: format!("line number {n}."), happened_at: None, marking: None },
            );
            let input =
                Input { who: Principal::new(Actor::Person("ana".into()), Scope::Respond), cause: "api".into(), once: None, command };
            world.engine.submit(input).await.unwrap();
        }
    }
    let told = page(&world, &format!("/incidents/{}?all", reference.to_lowercase())).await;
    assert!(
        told.contains("line number 1299.") && told.contains("line number 1100.") && !told.contains("line number 1099."),
        "the newest 200"
    );
    assert!(told.contains("There is more before this"));
    // Whoever opens it sees what happened, and what was written last.
    let told = page(&world, &format!("/incidents/{reference}")).await;
    let log = told.split("id=\"log\"").nth(1).unwrap().split("</section>").next().unwrap();
    assert!(log.contains("Declared ") && log.contains("line number 1299.") && log.contains("line number 1280."), "{log}");
    assert!(!log.contains("line number 1279.") && log.matches("<li").count() <= 30 && log.contains("?all\">Everything</a>"), "{log}");
    let first = page(&world, &format!("/incidents/{reference}?from=0")).await;
    assert!(first.contains("Declared ") && first.contains("line number 100.") && first.contains(">Later<"), "{}", first.len());
    let key = page(&world, &format!("/incidents/{id}?log=key")).await;
    assert!(key.contains("Long night"), "an id works as well as a reference");
    assert!(!key.contains("line number 1299."), "a note is no key event until somebody marks it");
}

#[tokio::test]
async fn two_hundred_alerts_are_counted_grouped_and_all_within_reach() {
    let world = World::at(NOON).await;
    let alert = |n: usize| {
        serde_json::json!({"action": "trigger", "dedup_key": format!("disk of db-{n}"), "title": format!("Disk of db-{n} is full"),
            "severity": "error", "service": "checkout", "description": format!("db-{n} has 1 % left. {}", "More of it. ".repeat(20)),
            "labels": {"job": "disks", "group": "disks", "host": format!("db-{n}")}, "links": [{"href": "https://graphs.example.org/d/1", "text": "Graph"}]})
    };
    world.signals((0..200).map(alert).collect()).await;
    let all = world.engine.queries(&Principal::own(Actor::Administrator)).incidents(IncidentFilter::default(), 10).await.unwrap();
    assert_eq!(all.len(), 1, "{all:?}");
    let base = format!("/incidents/{}", all[0].reference);
    let told = page(&world, &base).await;
    for wanted in
        ["200, 200 open", "<bdi>job</bdi>=<bdi>disks</bdi>", "db-0, db-1, db-10, db-100, db-101 and 195 more", "All 200 alerts", "1 % left"]
    {
        assert!(told.contains(wanted), "{wanted}: {told}");
    }
    assert!(told.len() < 100_000, "{} bytes", told.len());
    let mut seen = std::collections::BTreeSet::new();
    for from in [0, 50, 100, 150] {
        let list = page(&world, &format!("{base}/alerts?from={from}")).await;
        assert!(list.len() < 100_000 && list.contains("graphs.example.org"), "{} bytes", list.len());
        let titles = |list: &str| -> Vec<usize> {
            list.split("<bdi>Disk of db-").skip(1).filter_map(|rest| rest.split(' ').next()?.parse().ok()).collect()
        };
        let again = page(&world, &format!("{base}/alerts?from={from}")).await;
        assert_eq!(titles(&list), titles(&again), "in an order that stays");
        seen.extend(titles(&list));
    }
    assert_eq!(seen, (0..200).collect());
    assert!(page(&world, &format!("{base}/alerts?which=ended")).await.contains("There are none."));
}

#[tokio::test]
async fn an_incident_tells_what_is_next_who_was_paged_and_keeps_text_text() {
    let world = World::at(NOON).await;
    let nasty = "<script>alert(1)</script>\"><img src=x onerror=alert(2)>\u{202e}";
    let annotations = serde_json::json!({"summary": nasty});
    let links =
        serde_json::json!([{"href": "javascript:alert(3)", "text": nasty}, {"href": "https://graphs.example.org/d/1", "text": nasty}]);
    world
        .signals(serde_json::json!([{"action": "trigger", "dedup_key": nasty, "title": nasty, "source": nasty, "labels": {"x": nasty},
        "annotations": annotations, "links": links}]))
        .await;
    let who = everybody();
    let incident = world.engine.queries(&who).incidents(Default::default(), 1).await.unwrap().remove(0);
    let note =
        incident::record::Command::Note { text: format!("{nasty} {}", "long ".repeat(4000)), happened_at: None, marking: None }.into();
    world.act(Actor::Person("ana".into()), Command::Incident { id: incident.id.parse().unwrap(), command: note }).await.unwrap();
    let sent = [DemoMessage {
        at: world.engine.now(),
        incident: Some(incident.id.parse().unwrap()),
        person: nasty.into(),
        channel: "email".into(),
        text: nasty.into(),
        ack_url: "javascript:alert(4)".into(),
    }];
    let demo = || WebOptions {
        demo_outbox: Some(Arc::new({
            let sent = sent.clone();
            move || sent.to_vec()
        })),
        ..open()
    };
    for path in [
        "/",
        "/outbox",
        &format!("/incidents/{}", incident.reference),
        &format!("/incidents/{}?log=key&from=%3Cscript%3E", incident.reference),
    ] {
        let response = ask(&world, demo(), path, None).await;
        assert!(response.headers()["content-security-policy"].to_str().unwrap().starts_with("default-src 'none'"));
        let page = text(response).await;
        assert!(
            page.matches("<script").count() == 1 && !page.contains("<img src=x") && !page.contains("href=\"javascript"),
            "{path}: {page}"
        );
        assert!(page.contains("<bdi>&lt;script&gt;"), "{path}: {page}");
        assert!(page.len() < 100_000, "{path}: {} bytes", page.len());
    }
    let told = page(&world, &format!("/incidents/{}", incident.reference)).await;
    for wanted in
        ["<bdi>Cho Min-ji is called</bdi>", "in 5:00", "Looking for somebody", "Ana Ruiz", "told", "1, open", "graphs.example.org"]
    {
        assert!(told.contains(wanted), "{wanted}: {told}");
    }
    for missing in ["/incidents/INC-999", "/incidents/nonsense", "/incidents/inc_00000000000000000000000000"] {
        assert_eq!(ask(&world, open(), missing, None).await.status(), StatusCode::NOT_FOUND, "{missing}");
    }
}

#[tokio::test]
async fn a_path_that_leads_nowhere_has_a_page_with_the_same_headers() {
    let response = allclear_web::not_found(&axum::http::HeaderMap::new());
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    assert_eq!(response.headers()["x-content-type-options"], "nosniff");
}

#[tokio::test]
async fn a_contact_is_asked_for_in_the_words_of_its_channel() {
    let world = World::at(NOON).await;
    for path in ["/settings/person/new", "/settings/audience/new"] {
        let told = text(ask(&world, WebOptions::default(), path, Some("letmein")).await).await;
        let as_text = format!("{path}?contacts.%23=text");
        let as_text = text(ask(&world, WebOptions::default(), &as_text, Some("letmein")).await).await;
        for form in allclear_channels::registry::WAYS_OUT.iter() {
            assert!(as_text.contains(&form.example().replace('&', "&amp;").replace('"', "&quot;")), "{path}: {}", form.name);
            for field in form.fields {
                // What stands between marks is code.
                let part =
                    |(at, part): (usize, &str)| if at % 2 == 1 { format!("<code>{part}</code>") } else { part.replace('"', "&quot;") };
                let hint: String = field.hint.split('`').enumerate().map(part).collect();
                let says = format!("<code>{}</code> {}. {hint}", field.key, field.label);
                assert!(told.contains(&says), "{path}: {says}");
            }
        }
    }
}
