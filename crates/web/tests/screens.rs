//! What the screens let whom do, how large they get, and that they say when something changed. Each
//! form by itself is a story of the real binary.
#![allow(clippy::unwrap_used)] // functions beside tests; what fails here fails a test

mod world;

use std::time::Duration;

use allclear_domain::access::{Actor, Principal, Scope};
use allclear_domain::ids::IncidentId;
use allclear_domain::incident::{self, Severity};
use allclear_engine::core::{Command, Input};
use allclear_store::rows;
use allclear_web::WebOptions;
use axum::body::Body;
use axum::http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use tower::ServiceExt;
use world::{World, everybody};

const NOON: &str = "2026-03-02T11:00:00Z";

fn as_who(who: Principal) -> WebOptions {
    WebOptions { open_to: Some(who), ..WebOptions::default() }
}

async fn ask(world: &World, options: WebOptions, request: Request<Body>) -> Response<Body> {
    allclear_web::router(world.engine.clone(), options).oneshot(request).await.unwrap()
}

async fn page(world: &World, path: &str) -> String {
    let request = Request::get(path).header("accept", "text/html").body(Body::empty()).unwrap();
    let response = ask(world, as_who(everybody()), request).await;
    assert_eq!(response.status(), StatusCode::OK, "{path}");
    text(response).await
}

async fn text(response: Response<Body>) -> String {
    String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

fn post(path: &str) -> axum::http::request::Builder {
    Request::post(path).header("content-type", "application/x-www-form-urlencoded").header("accept", "text/html")
}

#[tokio::test]
async fn whoever_may_only_read_sees_no_form_and_changes_nothing() {
    let world = World::at(NOON).await;
    let (id, reference) = world.declare("Payments", Severity::Sev2, "checkout").await;
    let reader = Principal::new(Actor::Person("ben".into()), Scope::Read);
    for path in ["/".to_owned(), format!("/incidents/{reference}"), "/actions".into(), "/on-call".into()] {
        let request = Request::get(&path).body(Body::empty()).unwrap();
        let shown = text(ask(&world, as_who(reader.clone()), request).await).await;
        assert!(!shown.contains("method=\"post\"") && !shown.contains("formaction"), "{path}: {shown}");
    }
    let path = format!("/incidents/{reference}/note");
    let note = "text=written";
    let refused = ask(&world, as_who(reader), post(&path).body(Body::from(note)).unwrap()).await;
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    let forged = post(&path).header("sec-fetch-site", "cross-site").body(Body::from(note)).unwrap();
    assert_eq!(ask(&world, as_who(everybody()), forged).await.status(), StatusCode::FORBIDDEN);
    let who = everybody();
    let kinds: Vec<String> = world.engine.queries(&who).events(id, 0, 1000).await.unwrap().into_iter().map(|e| e.kind).collect();
    assert!(!kinds.contains(&"noted".to_owned()), "{kinds:?}");
}

#[tokio::test]
async fn a_shift_is_taken_over_in_the_reader_s_own_zone() {
    let world = World::at(NOON).await;
    let take = |body: &'static str| {
        let request = post("/on-call/override").header("authorization", "Bearer letmein").body(Body::from(body)).unwrap();
        ask(&world, WebOptions::default(), request)
    };
    let backwards = take("schedule=database&person=cho&from=2026-03-03T12%3A00&to=2026-03-03T11%3A00").await;
    assert_eq!(backwards.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let shown = text(backwards).await;
    assert!(shown.contains("The end is not after the start") && shown.contains("value=\"2026-03-03T12:00\""), "{shown}");
    // An administrator's token has no zone of its own: it is UTC.
    assert_eq!(take("schedule=database&person=cho&from=2026-03-03T12%3A00&to=2026-03-03T18%3A00").await.status(), StatusCode::SEE_OTHER);
    let who = everybody();
    let at = "2026-03-03T12:30:00Z".parse().unwrap();
    let on_call = world.engine.queries(&who).on_call(at).unwrap();
    assert_eq!(on_call.iter().find(|s| s.schedule == "database").unwrap().person.as_deref(), Some("cho"));
    assert!(page(&world, "/on-call").await.contains("Cho Min-ji</bdi>"));
}

#[tokio::test]
async fn one_s_own_shifts_are_those_that_page_and_say_who_covers() {
    let world = World::at(NOON).await; // a Monday, 12:00 in Madrid
    let as_person = async |id: &str, path: &str| {
        let who = Principal::new(Actor::Person(id.into()), Scope::Respond);
        let response = ask(&world, as_who(who), Request::get(path).body(Body::empty()).unwrap()).await;
        (response.status(), text(response).await)
    };
    let (status, ana) = as_person("ana", "/my-shifts").await;
    assert_eq!(status, StatusCode::OK);
    assert!(ana.contains("You are on call") && ana.contains("then <bdi>Ben"), "{ana}");
    assert_eq!(ana.matches("Week of ").count(), 4, "every other week of eight: {ana}");
    assert!(ana.contains("step 1") && ana.contains("the catch-all"), "by name and by her team: {ana}");
    let (_, ben) = as_person("ben", "/my-shifts").await;
    assert!(ben.contains("for the next 8 weeks and on"), "the rota of one has no end: {ben}");
    let (_, cho) = as_person("cho", "/my-shifts").await;
    assert!(cho.contains("You are not on call") && cho.contains("not in the next 8 weeks"), "{cho}");

    let body = "schedule=payments-primary&person=ben&from=2026-03-03T12%3A00&to=2026-03-03T18%3A00";
    let request = post("/on-call/override").header("authorization", "Bearer letmein").body(Body::from(body)).unwrap();
    assert_eq!(ask(&world, WebOptions::default(), request).await.status(), StatusCode::SEE_OTHER);
    let (_, ana) = as_person("ana", "/my-shifts").await;
    let covers = &ana[ana.find("Who covers for you").unwrap()..];
    assert!(covers.contains("Ben") && covers.contains("13:00") && covers.contains("19:00"), "in her own zone: {covers}");
    assert_eq!(ana.matches("Week of ").count(), 4, "two parts of one week stand under it: {ana}");
    let (_, ben) = as_person("ben", "/my-shifts").await;
    assert!(ben.contains("in place of the rota"), "{ben}");

    let script = Principal::new(Actor::System, Scope::Read);
    let request = Request::get("/my-shifts").body(Body::empty()).unwrap();
    assert_eq!(ask(&world, as_who(script), request).await.status(), StatusCode::NOT_FOUND, "a token has no shifts");
}

#[tokio::test]
async fn five_hundred_events_are_less_than_a_hundred_kilobytes() {
    let world = World::at(NOON).await;
    let (id, reference) = world.declare("Long night", Severity::Sev2, "checkout").await;
    for n in 0..500 {
        let text = format!("{n}: replicas follow again, the queue shrinks by about two thousand an hour, and nobody has complained since.");
        let input = Input {
            who: Principal::new(Actor::Person("ana".into()), Scope::Respond),
            cause: "api".into(),
            once: None,
            command: Command::incident(id, incident::record::Command::Note { text, happened_at: None, marking: None }),
        };
        world.engine.submit(input).await.unwrap();
    }
    let told = page(&world, &format!("/incidents/{reference}")).await;
    assert!(told.contains("499: replicas") && told.len() < 100_000, "{} bytes", told.len());
}

#[tokio::test]
async fn a_log_names_its_zone_and_where_today_begins() {
    let world = World::at(NOON).await;
    let (id, reference) = world.declare("Long night", Severity::Sev2, "checkout").await;
    world.pass(86_400).await;
    world
        .act(
            Actor::Person("ana".into()),
            Command::incident(id, incident::record::Command::Note { text: "Still on it".into(), happened_at: None, marking: None }),
        )
        .await
        .unwrap();
    let told = page(&world, &format!("/incidents/{reference}")).await;
    let log = told.split_once("data-live=\"log\"").unwrap().1;
    let (earlier, today) = log.split_once(">Today<").expect("the last day has its name");
    assert!(earlier.contains("class=\"day\"") && today.contains("Still on it"), "{log}");
    assert!(told.contains("times in UTC"), "{told}");
}

#[tokio::test]
async fn a_title_is_found_whatever_the_case_of_its_letters() {
    let world = World::at(NOON).await;
    assert!(page(&world, "/search?q=stra%C3%9Fe").await.contains("Nothing that you may see has all of these words"));
    let (_, reference) = world.declare("Stau in der BERLINER STRASSE", Severity::Sev2, "checkout").await;
    assert!(page(&world, "/search?q=stra%C3%9Fe").await.contains(&format!("/incidents/{reference}")));
    assert!(page(&world, "/search?q=autobahn").await.contains("Nothing that you may see has all of these words"));
}

#[tokio::test]
async fn a_service_and_a_reader_have_what_they_have_however_much_else_is_worse() {
    let world = World::at(NOON).await;
    let (worst, _) = world.declare("Everything is down", Severity::Sev1, "checkout").await;
    let (mine, _) = world.declare("Suggestions are stale", Severity::Sev4, "search").await;
    let acknowledge = incident::attendance::Command::Acknowledge { by: Some("cho".into()), via: "api".into() }.into();
    world.act(Actor::Person("cho".into()), Command::Incident { id: mine, command: acknowledge }).await.unwrap();
    // More than a board holds, written as the log would have.
    let db = world.engine.db();
    let (stored, head) = rows::incident::get(db, worst).await.unwrap().unwrap();
    let copy = |n| incident::Incident { id: IncidentId::from_bits(n), reference: format!("INC-9{n}"), page: None, ..stored.clone() };
    db.commit((1..=1000).map(|n| rows::incident::put(&copy(n), head)).collect()).await.unwrap();
    let services = page(&world, "/services").await;
    let of = |id: &str| services.split(&format!("/services/{id}\"")).nth(1).unwrap().split("</li>").next().unwrap().to_owned();
    assert!(of("search").contains("1 open") && of("search").contains("SEV4"), "{}", of("search"));
    assert!(of("checkout").contains("1001 open"), "{}", of("checkout"));
    assert!(page(&world, "/services/checkout").await.contains("More are open"));
    let menu = page(&world, "/menu").await;
    assert!(menu.contains("Suggestions are stale") && !menu.contains("Everything is down"), "{menu}");
    assert!(!menu.contains("There may be more"));
}

#[tokio::test]
async fn the_live_stream_says_that_something_changed_and_nothing_else() {
    let world = World::at(NOON).await;
    let (id, _) = world.declare("Payments", Severity::Sev2, "checkout").await;
    let (other, _) = world.declare("Another", Severity::Sev2, "search").await;
    let router = allclear_web::router(world.engine.clone(), as_who(everybody()));
    let request = Request::get(format!("/live?on=incident&id={id}")).body(Body::empty()).unwrap();
    let response = router.oneshot(request).await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut body = response.into_body();
    let mut next = async |within: u64| {
        let frame = tokio::time::timeout(Duration::from_millis(within), body.frame()).await.ok()?;
        Some(String::from_utf8(frame.unwrap().unwrap().into_data().unwrap().to_vec()).unwrap())
    };
    assert!(next(5000).await.unwrap().contains("event: open"));
    let note =
        |id| Command::incident(id, incident::record::Command::Note { text: "secret words".into(), happened_at: None, marking: None });
    world.act(Actor::Person("ana".into()), note(other)).await.unwrap();
    assert_eq!(next(400).await, None, "of another incident it says nothing");
    world.act(Actor::Person("ana".into()), note(id)).await.unwrap();
    let told = next(5000).await.unwrap();
    assert!(told.contains("event: changed") && !told.contains("secret"), "{told}");
    let missing = Request::get("/live?on=incident&id=INC-999").body(Body::empty()).unwrap();
    assert_eq!(ask(&world, as_who(everybody()), missing).await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn settings_are_an_administrator_s_to_look_at_and_to_change() {
    let world = World::at(NOON).await;
    let responder = Principal::new(Actor::Person("ben".into()), Scope::Respond);
    let was = world.engine.org().version;
    for path in ["/settings", "/settings/team", "/settings/team/new", "/settings/team/payments"] {
        let request = Request::get(path).header("accept", "text/html").body(Body::empty()).unwrap();
        assert_eq!(ask(&world, as_who(responder.clone()), request).await.status(), StatusCode::FORBIDDEN, "{path}");
    }
    for path in ["/settings/team", "/settings/team/payments", "/settings/team/payments/remove", "/settings/team/payments/detach"] {
        let body = format!("id=night&name=Night&version={was}&sure=1");
        let refused = ask(&world, as_who(responder.clone()), post(path).body(Body::from(body)).unwrap()).await;
        assert_eq!(refused.status(), StatusCode::FORBIDDEN, "{path}");
        let forged = post(path).header("sec-fetch-site", "cross-site").body(Body::from("name=Night")).unwrap();
        assert_eq!(ask(&world, as_who(everybody()), forged).await.status(), StatusCode::FORBIDDEN, "{path}");
    }
    assert_eq!(world.engine.org().version, was);
}

#[tokio::test]
async fn a_full_disk_keeps_what_was_typed_into_the_settings() {
    let world = World::at(NOON).await;
    world.fill_disk(true);
    let request = post("/settings/team").header("authorization", "Bearer letmein").body(Body::from("id=night&name=Night+watch")).unwrap();
    let answer = ask(&world, WebOptions::default(), request).await;
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    let shown = text(answer).await;
    assert!(shown.contains("value=\"Night watch\"") && shown.contains("nothing was recorded"), "{shown}");
}
