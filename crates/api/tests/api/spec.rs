//! The description of the API is true: every route, every code, every schema.

use std::collections::BTreeSet;

use allclear_api::http::problem;
use allclear_domain::{incident, paging};
use allclear_engine::core::{Refusal, Versioned};
use serde_json::Value;

use crate::world::{ADMIN, World};

const METHODS: [&str; 4] = ["get", "post", "put", "delete"];

async fn spec(w: &World) -> Value {
    w.ask("GET", "/api/v1/openapi.json", &[], "").await.json()
}

/// Every operation with its parts of the path filled in.
fn operations(spec: &Value) -> Vec<(String, String, Value)> {
    let mut out = Vec::new();
    for (path, item) in spec["paths"].as_object().unwrap() {
        for method in METHODS {
            if let Some(operation) = item.get(method) {
                let filled = path
                    .replace("{ref}", "INC-1")
                    .replace("{command}", "acknowledge")
                    .replace("{id}", "x")
                    .replace("{kind}", "team")
                    .replace("{override}", "x")
                    .replace("{answer}", "accept")
                    .replace("{temporary}", "x")
                    .replace("{contact}", "x");
                out.push((method.to_uppercase(), filled, operation.clone()));
            }
        }
    }
    out
}

#[tokio::test]
async fn every_route_asks_for_a_token_and_for_its_scope_first() {
    let w = World::new().await;
    let spec = spec(&w).await;
    assert_eq!(spec["openapi"].as_str().map(|v| &v[..3]), Some("3.1"));
    let read = format!("Bearer {}", w.token("read", None).await);
    let all = operations(&spec);
    assert_eq!(all.len(), 100, "{:?}", all.iter().map(|(m, p, _)| format!("{m} {p}")).collect::<Vec<_>>());
    let bodies = spec["components"]["schemas"]["CommandBody"]["anyOf"].as_array().unwrap();
    for body in bodies {
        let name = body["$ref"].as_str().unwrap().trim_start_matches("#/components/schemas/");
        assert_eq!(spec["components"]["schemas"][name]["additionalProperties"], Value::Bool(false), "{name}");
    }
    let ids: BTreeSet<_> = all.iter().map(|(_, _, operation)| operation["operationId"].as_str()).collect();
    assert_eq!(ids.len(), all.len(), "clients make a function of each id: {ids:?}");
    for (method, path, _) in all {
        for auth in ["", "Bearer nonsense", "Basic Zm9vOmJhcg=="] {
            let back = w.ask(&method, &path, &[("authorization", auth)], "not json").await;
            assert_eq!((back.status, back.json()["code"].as_str()), (401, Some("unauthorized")), "{method} {path}");
        }
        // Explaining and the organisation's checks change nothing, and need read or admin; so does reporting an incident.
        let needs_more = method != "GET" && !path.contains("/explain/") && path != "/api/v1/incidents"
            || ["/tokens", "/org", "/signals"].iter().any(|p| path.contains(p)) && !path.contains("explain");
        if needs_more {
            let back = w.ask(&method, &path, &[("authorization", &read)], "not json").await;
            assert_eq!((back.status, back.json()["code"].as_str()), (403, Some("forbidden")), "{method} {path}");
        }
    }
}

fn fields(value: &Value) -> BTreeSet<String> {
    value.as_object().unwrap().keys().cloned().collect()
}

/// Holds a value against a schema: every field of objects must be described, and every field that
/// is required must be there.
fn fits(spec: &Value, schema: &Value, value: &Value, at: &str) {
    if let Some(name) = schema["$ref"].as_str() {
        let name = name.trim_start_matches("#/components/schemas/");
        return fits(spec, &spec["components"]["schemas"][name], value, &format!("{at} ({name})"));
    }
    if let Some(all) = schema["allOf"].as_array() {
        let known: BTreeSet<String> = all.iter().flat_map(|part| properties(spec, part)).collect();
        assert_eq!(fields(value), known, "{at}");
        return;
    }
    if let Some(words) = schema["enum"].as_array() {
        assert!(words.contains(value), "{at}: {value} is not one of {words:?}");
    }
    if let (Some(items), Some(values)) = (schema.get("items"), value.as_array()) {
        for value in values {
            fits(spec, items, value, &format!("{at}[]"));
        }
    }
    let (Some(known), true) = (schema["properties"].as_object(), value.is_object()) else { return };
    for field in fields(value) {
        let inner = known.get(&field).unwrap_or_else(|| panic!("{at}: `{field}` is answered and not described"));
        fits(spec, inner, &value[&field], &format!("{at}.{field}"));
    }
    for required in schema["required"].as_array().into_iter().flatten() {
        assert!(value.get(required.as_str().unwrap()).is_some(), "{at}: {required} is described and not answered");
    }
}

fn properties(spec: &Value, schema: &Value) -> BTreeSet<String> {
    if let Some(name) = schema["$ref"].as_str() {
        return properties(spec, &spec["components"]["schemas"][name.trim_start_matches("#/components/schemas/")]);
    }
    fields(&schema["properties"])
}

#[tokio::test]
async fn what_is_answered_is_what_is_described() {
    let w = World::new().await;
    let spec = spec(&w).await;
    let schema = |method: &str, path: &str, status: &str| {
        let schema = &spec["paths"][path][method]["responses"][status]["content"]["application/json"]["schema"];
        assert!(!schema.is_null(), "{method} {path} {status}");
        schema.clone()
    };
    w.post("/in/json/json-key-0001", "", r#"{"title":"Odd","dedup_key":"j1","severity":"critical"}"#).await;
    w.post("/in/json/json-key-0001", "", "{").await;
    let beats = w.ask("GET", "/heartbeat/heartbeat-key-01/db-1", &[], "").await;
    assert_eq!(beats.status, 200, "{}", beats.text());
    w.engine.quiet().await;
    let pages = w.get("/api/v1/incidents/INC-1/pages", ADMIN).await.json();
    let page = pages["items"][0]["id"].as_str().unwrap().to_owned();
    let alert = w.get("/api/v1/alerts", ADMIN).await.json()["items"][0]["id"].as_str().unwrap().to_owned();
    let signal = w.get("/api/v1/signals", ADMIN).await.json()["items"][0]["id"].as_str().unwrap().to_owned();
    let change = r#"{"routing_key":"0123456789abcdef0123456789abcdef","payload":{"summary":"Deployed 7"}}"#;
    assert_eq!(w.ask("POST", "/v2/change/enqueue", &[], change).await.status, 202);
    let adopted = w.post("/api/v1/plans/shipped/service-outage/adopt", ADMIN, "{}").await;
    assert_eq!(adopted.status, 201, "{}", adopted.text());
    fits(&spec, &schema("post", "/api/v1/plans/shipped/{id}/adopt", "201"), &adopted.json(), "adopted");
    for (path, body) in [
        ("/api/v1/incidents/INC-1/acknowledge", r#"{"by":"ana"}"#),
        ("/api/v1/incidents/INC-1/plan", r#"{"plan":"service-outage"}"#),
        ("/api/v1/incidents/INC-1/recovery", r#"{"item":1,"state":"done"}"#),
        ("/api/v1/incidents/INC-1/task", r#"{"task":2,"state":"dropped","note":"it is known"}"#),
        ("/api/v1/incidents/INC-1/role", r#"{"role":"scribe","person":"ana","do":"take"}"#),
        ("/api/v1/incidents/INC-1/task", r#"{"text":"call","owner":"ana","within":"30m"}"#),
        ("/api/v1/incidents/INC-1/update", r#"{"text":"we are on it"}"#),
        ("/api/v1/incidents/INC-1/resolve", r#"{"waive":"it is small"}"#),
        ("/api/v1/actions", r#"{"text":"fix it","owner":"ana","due_at":"2099-01-01T00:00:00Z","incident":"INC-1"}"#),
    ] {
        let back = w.post(path, ADMIN, body).await;
        assert!(back.status < 300, "{path}: {}", back.text());
    }
    let hours = |n| (w.engine.now() + jiff::SignedDuration::from_hours(n)).to_string();
    let runs = serde_json::json!({"person": "ben", "starts_at": hours(0), "ends_at": hours(8)}).to_string();
    let made = w.post("/api/v1/schedules/primary/overrides", ADMIN, &runs).await;
    assert_eq!(made.status, 201, "{}", made.text());
    fits(&spec, &schema("post", "/api/v1/schedules/{id}/overrides", "201"), &made.json(), "override");
    let feed = w.post("/api/v1/calendar-feeds", ADMIN, r#"{"schedule":"primary"}"#).await;
    assert_eq!(feed.status, 201, "{}", feed.text());
    fits(&spec, &schema("post", "/api/v1/calendar-feeds", "201"), &feed.json(), "feed");
    let drill = w.post("/api/v1/drills", ADMIN, r#"{"escalation":"first","wait":"2m"}"#).await;
    assert_eq!(drill.status, 201, "{}", drill.text());
    fits(&spec, &schema("post", "/api/v1/drills", "201"), &drill.json(), "drill");
    let drill = drill.json()["id"].as_str().unwrap().to_owned();
    let stopped = w.post(&format!("/api/v1/drills/{drill}/stop"), ADMIN, "").await;
    fits(&spec, &schema("post", "/api/v1/drills/{id}/stop", "200"), &stopped.json(), "stop");
    // Of two who take turns one asks the other for cover.
    let duo = r#"{"time_zone":"Etc/UTC","layers":[{"people":["ana","ben"],"every":"1h","handoff":"00:00","starts":"2026-01-05"}],
        "external_calendars":["past"]}"#;
    let admin = format!("Bearer {ADMIN}");
    let past = serde_json::json!({"ics": "BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:Ana\nDTSTART:20200101T080000Z\nDURATION:P1D\nEND:VEVENT\nEND:VCALENDAR"});
    let past = w.ask("PUT", "/api/v1/org/external_calendar/past", &[("authorization", &admin)], past.to_string()).await;
    assert_eq!(past.status, 201, "{}", past.text());
    assert_eq!(w.ask("PUT", "/api/v1/org/schedule/duo", &[("authorization", &admin)], duo).await.status, 201);
    let on = w.get("/api/v1/oncall", ADMIN).await.json();
    let turns = on["items"].as_array().unwrap().iter().find(|one| one["schedule"] == "duo").unwrap().clone();
    let asker = w.token("respond", turns["next"].as_str()).await;
    let begins: jiff::Timestamp = turns["until"].as_str().unwrap().parse().unwrap();
    let ends = begins + jiff::SignedDuration::from_mins(30);
    let shift = serde_json::json!({"schedule": "duo", "starts_at": begins, "ends_at": ends}).to_string();
    let asked = w.post("/api/v1/cover-requests", &asker, &shift).await;
    assert_eq!(asked.status, 201, "{}", asked.text());
    fits(&spec, &schema("post", "/api/v1/cover-requests", "201"), &asked.json(), "cover");
    let away = serde_json::json!({"starts_at": begins, "ends_at": ends, "reason": "Holiday"}).to_string();
    let away = w.post("/api/v1/absences", &asker, &away).await;
    assert_eq!(away.status, 201, "{}", away.text());
    fits(&spec, &schema("post", "/api/v1/absences", "201"), &away.json(), "absence");
    let seen = w.post("/api/v1/schedules/duo/preview", ADMIN, &duo.replace("1h", "1d")).await;
    assert_eq!(seen.status, 200, "{}", seen.text());
    fits(&spec, &schema("post", "/api/v1/schedules/{id}/preview", "200"), &seen.json(), "preview");
    let layer = serde_json::json!({"people": ["ana"], "every": "1d", "handoff": "09:00", "starts": "2026-01-05"});
    let season = serde_json::json!({"name": "Season", "starts_at": hours(100), "ends_at": hours(200), "layers": [layer]}).to_string();
    let season = w.post("/api/v1/schedules/primary/temporary-schedules", ADMIN, &season).await;
    assert_eq!(season.status, 201, "{}", season.text());
    fits(&spec, &schema("post", "/api/v1/schedules/{id}/temporary-schedules", "201"), &season.json(), "temporary");
    let one = "/api/v1/schedules/{id}/overrides/{override}";
    let review = w.get("/api/v1/reviews", ADMIN).await.json()["items"][0]["id"].as_str().unwrap().to_owned();
    let action = w.get("/api/v1/actions", ADMIN).await.json()["items"][0]["id"].as_str().unwrap().to_owned();
    let (ana, primary, plan, duo_id) = ("ana".to_owned(), "primary".to_owned(), "service-outage".to_owned(), "duo".to_owned());
    let pages = w.get("/api/v1/incidents/INC-1/pages", ADMIN).await.json();
    let message = pages["items"][0]["messages"][0]["id"].as_str().unwrap().to_owned();
    let of_ana = w.token("read", Some("ana")).await;
    let kept = w.post("/api/v1/me/saved-views", &w.token("respond", Some("ana")).await, r#"{"name":"N","address":"/?mine"}"#).await;
    assert_eq!(kept.status, 201, "{}", kept.text());
    fits(&spec, &schema("post", "/api/v1/me/saved-views", "201"), &kept.json(), "saved view");
    let mut tried = 0;
    for path in spec["paths"].as_object().unwrap().keys() {
        if spec["paths"][path].get("get").is_none() || path.ends_with("/org") || path.ends_with("/stream") || path.ends_with("/export") {
            continue;
        }
        let id = if path.contains("alerts") {
            &alert
        } else if path.contains("/drills/") {
            &drill
        } else if path.contains("/messages/") {
            &message
        } else if path.contains("signals") {
            &signal
        } else if path.contains("/reviews") {
            &review
        } else if path.contains("/actions") {
            &action
        } else if path.contains("/org/") {
            &ana
        } else if path.ends_with("/external-calendars") {
            &duo_id
        } else if path.contains("/schedules/") {
            &primary
        } else if path.contains("/plans/") {
            &plan
        } else {
            &page
        };
        let filled = path.replace("{ref}", "INC-1").replace("{kind}", "person").replace("{id}", id);
        w.token("read", None).await;
        let filled = if path.ends_with("/search") { format!("{filled}?q=odd") } else { filled };
        // The administrator's token stands for no person, and only people are reached.
        let back = w.get(&filled, if path.contains("/me/") { &of_ana } else { ADMIN }).await;
        assert_eq!(back.status, 200, "{filled}: {}", back.text());
        fits(&spec, &schema("get", path, "200"), &back.json(), path);
        let items = back.json();
        assert!(items.get("items").is_none_or(|items| !items.as_array().unwrap().is_empty()), "{filled} shows nothing to compare");
        tried += 1;
    }
    assert_eq!(tried, 50);
    for (path, body, status) in [
        ("/api/v1/incidents", r#"{"title":"x"}"#, "201"),
        ("/api/v1/tokens", r#"{"name":"x","scope":"read"}"#, "201"),
        ("/api/v1/org/check", "people: []", "200"),
        ("/api/v1/org/apply", "teams: [{id: t, name: T, members: [ana]}]", "200"),
        ("/api/v1/release", "", "200"),
    ] {
        let back = w.post(path, ADMIN, body).await;
        assert_eq!(back.status.to_string(), status, "{path}: {}", back.text());
        fits(&spec, &schema("post", path, status), &back.json(), path);
    }
    let detached = w.post("/api/v1/org/person/ana/detach", ADMIN, "").await;
    fits(&spec, &schema("post", "/api/v1/org/{kind}/{id}/detach", "200"), &detached.json(), "detach");
    for (method, body, status) in [("PUT", r#"{"name":"N"}"#, "201"), ("PUT", r#"{"name":"M"}"#, "200"), ("DELETE", "", "200")] {
        let back = w.ask(method, "/api/v1/org/team/night", &[("authorization", &format!("Bearer {ADMIN}"))], body).await;
        assert_eq!(back.status.to_string(), status, "{method}: {}", back.text());
        fits(&spec, &schema(&method.to_lowercase(), "/api/v1/org/{kind}/{id}", status), &back.json(), method);
    }
    let made = format!("/api/v1/schedules/primary/overrides/{}", made.json()["id"].as_str().unwrap());
    let ended = w.ask("DELETE", &made, &[("authorization", &format!("Bearer {ADMIN}"))], "").await;
    fits(&spec, &schema("delete", one, "200"), &ended.json(), one);
    let season = format!("/api/v1/schedules/primary/temporary-schedules/{}", season.json()["id"].as_str().unwrap());
    let ended = w.ask("DELETE", &season, &[("authorization", &format!("Bearer {ADMIN}"))], "").await;
    fits(&spec, &schema("delete", "/api/v1/schedules/{id}/temporary-schedules/{temporary}", "200"), &ended.json(), "taken back");
    let back = w.post(&format!("/api/v1/cover-requests/{}/withdraw", asked.json()["id"].as_str().unwrap()), &asker, "").await;
    fits(&spec, &schema("post", "/api/v1/cover-requests/{id}/{answer}", "200"), &back.json(), "withdraw");
    let explained = w.post("/api/v1/explain/signal?integration=script", ADMIN, r#"{"title":"x","severity":"critical"}"#).await.json();
    fits(&spec, &schema("post", "/api/v1/explain/signal", "200"), &explained, "explain");
}

#[tokio::test]
async fn the_page_of_the_description_names_every_route() {
    let w = World::new().await;
    let page = w.ask("GET", "/api/docs", &[], "").await.text();
    for path in spec(&w).await["paths"].as_object().unwrap().keys() {
        assert!(page.contains(path.as_str()), "{path}");
    }
    assert!(!page.contains("<script"));
}

#[test]
fn every_refusal_has_a_code_with_a_page() {
    use incident::lifecycle::Refusal as State;
    use incident::{
        affected, attendance, declaration, links, moves, obligations, ordering, record, relations, roles, tasks, transfers, updates, words,
    };
    let incidents: [incident::Refusal; 81] = [
        State::AlreadyDeclared.into(),
        State::NotDeclared.into(),
        State::AlreadyResolved.into(),
        State::AlreadyClosed.into(),
        State::AlreadyCancelled.into(),
        State::AlreadyMerged(String::new()).into(),
        State::NotResolved.into(),
        State::AlreadyMitigated.into(),
        declaration::Refusal::GroupHasAnother(String::new()).into(),
        links::Refusal::MergeIntoItself.into(),
        relations::Refusal::ToItself.into(),
        relations::Refusal::Otherwise { is: "" }.into(),
        relations::Refusal::HasAParent.into(),
        relations::Refusal::Circle.into(),
        relations::Refusal::TooDeep { max: 1 }.into(),
        relations::Refusal::TooMany { what: "", max: 1 }.into(),
        relations::Refusal::NotRelated.into(),
        relations::Refusal::NoParent.into(),
        relations::Refusal::ParentIsOver.into(),
        relations::Refusal::AcrossSight.into(),
        relations::Refusal::ParentIsPrivate.into(),
        relations::Refusal::NothingToSplit.into(),
        relations::Refusal::StepStays { task: 1 }.into(),
        relations::Refusal::NotItsAlert { alert: String::new() }.into(),
        relations::Refusal::OwnService { service: String::new() }.into(),
        relations::Refusal::NotAffected { service: String::new() }.into(),
        ordering::Refusal::NotAPart { reference: String::new() }.into(),
        ordering::Refusal::PartIsOver { reference: String::new() }.into(),
        ordering::Refusal::OutOfRange { max: 1 }.into(),
        ordering::Refusal::NotItsCommander { commander: String::new(), reference: String::new() }.into(),
        moves::Refusal::ToItself.into(),
        moves::Refusal::NotInIt { person: String::new(), reference: String::new() }.into(),
        moves::Refusal::ToWhatIsOver { reference: String::new() }.into(),
        moves::Refusal::Unseen { person: String::new(), reference: String::new() }.into(),
        moves::Refusal::Uncovered { person: String::new(), what: String::new() }.into(),
        moves::Refusal::InsteadOfThemself { person: String::new() }.into(),
        moves::Refusal::Unreached { person: String::new() }.into(),
        transfers::Refusal::Pending { team: String::new() }.into(),
        transfers::Refusal::NotOffered.into(),
        transfers::Refusal::HasIt { team: String::new() }.into(),
        transfers::Refusal::NotOfTheTeam { team: String::new() }.into(),
        transfers::Refusal::NoSuchTeam { to: String::new(), hint: String::new() }.into(),
        transfers::Refusal::NoTeam { service: String::new() }.into(),
        transfers::Refusal::Gone { what: String::new() }.into(),
        transfers::Refusal::NobodyThere { team: String::new() }.into(),
        links::Refusal::AcrossModes.into(),
        links::Refusal::MergedTooLongAgo { most: allclear_domain::time::Length::ZERO }.into(),
        links::Refusal::MergeNotKept.into(),
        attendance::Refusal::TakenMeanwhile.into(),
        links::Refusal::IntoWasMerged { into: String::new() }.into(),
        State::NotMerged.into(),
        State::IsATest.into(),
        links::Refusal::HasAReview.into(),
        obligations::Refusal::NotAdopted { form: String::new(), hint: String::new() }.into(),
        obligations::Refusal::NoSuchObligation { obligation: 1 }.into(),
        obligations::Refusal::DoesNotRun { obligation: 1, state: "" }.into(),
        obligations::Refusal::NoSuchReport { obligation: 1, report: 1, hint: String::new() }.into(),
        obligations::Refusal::Submitted { obligation: 1, report: 1 }.into(),
        obligations::Refusal::NoSuchItem { given: String::new(), max: 1 }.into(),
        obligations::Refusal::TooMany { max: 1 }.into(),
        obligations::Refusal::StillOpen(String::new()).into(),
        roles::Refusal::HoldsItAlready { role: String::new() }.into(),
        roles::Refusal::NobodyHolds { role: String::new() }.into(),
        roles::Refusal::HeldByAnother { role: String::new(), holder: String::new() }.into(),
        roles::Refusal::OfferedByAnother { role: String::new(), by: String::new() }.into(),
        roles::Refusal::MayNotRespond { role: String::new(), person: String::new() }.into(),
        roles::Refusal::Unreached { role: String::new(), person: String::new() }.into(),
        tasks::Refusal::NoSuchTask { task: 1 }.into(),
        tasks::Refusal::Ended { task: 1, state: "" }.into(),
        tasks::Refusal::TooMany { max: 1 }.into(),
        tasks::Refusal::InThePast.into(),
        updates::Refusal::PrivateToAudiences.into(),
        affected::Refusal::TooMany { max: 1 }.into(),
        record::Refusal::InTheFuture.into(),
        record::Refusal::BeforeAll.into(),
        record::Refusal::AfterWhatFollows { what: String::new(), next: String::new(), at: String::new() }.into(),
        record::Refusal::BeforeWhatLed { what: String::new(), last: String::new(), at: String::new() }.into(),
        record::Refusal::NotYet { what: String::new() }.into(),
        record::Refusal::Known { what: String::new() }.into(),
        words::Refusal::Missing { what: "" }.into(),
        words::Refusal::TooLong { what: "", max: 1 }.into(),
    ];
    let pages = [paging::Refusal::Unknown, paging::Refusal::AlreadyStarted, paging::Refusal::Over("")];
    let own = [
        Refusal::NoSuchIncident,
        Refusal::NoSuchPage,
        Refusal::NoSuchService { service: String::new(), hint: String::new() },
        Refusal::NoSuchEscalation(String::new()),
        Refusal::NoSuchIntegration(String::new()),
        Refusal::NobodyToEscalateTo,
        Refusal::VersionMismatch { of: Versioned::Incident(allclear_domain::ids::IncidentId::from_bits(1)), now: 1 },
        Refusal::CannotSee { person: String::new(), reference: String::new() },
        Refusal::NoSuchPerson(String::new()),
        Refusal::NoSuchRole { role: String::new(), known: String::new() },
        Refusal::NoSuchAudience(String::new()),
        Refusal::NobodyNamed(String::new()),
        Refusal::AlertEnded,
        Refusal::AlertHasIncident(String::new()),
        Refusal::NoSuchReview,
        Refusal::NoSuchAction,
        Refusal::TooManyAlerts(1),
        Refusal::TooManyHeartbeats(1),
        Refusal::TooOften { what: "", most: 1, within: allclear_domain::time::Length::ZERO, wait: allclear_domain::time::Length::ZERO },
        Refusal::KeyReused,
        Refusal::Unavailable(String::new()),
        Refusal::Broken,
    ];
    let all = incidents.into_iter().map(Refusal::from).chain(pages.into_iter().map(Refusal::from)).chain(own);
    for refusal in all {
        assert!(problem::find(refusal.code()).is_some(), "{}", refusal.code());
    }
    for code in problem::CODES {
        assert!((400..600).contains(&code.status), "{}", code.code);
        assert!(code.page.starts_with(&format!("# `{}`: ", code.code)) && code.page.contains("**What to do.**"), "{}", code.code);
    }
}

/// The schemas that requests are made of.
fn asked(spec: &Value) -> BTreeSet<String> {
    fn named(value: &Value, out: &mut BTreeSet<String>, schemas: &Value) {
        match value {
            Value::Object(fields) => {
                if let Some(name) = value["$ref"].as_str().and_then(|path| path.strip_prefix("#/components/schemas/"))
                    && out.insert(name.to_owned())
                {
                    named(&schemas[name], out, schemas);
                }
                fields.values().for_each(|field| named(field, out, schemas));
            }
            Value::Array(items) => items.iter().for_each(|item| named(item, out, schemas)),
            _ => {}
        }
    }
    let mut out = BTreeSet::new();
    for operation in spec["paths"].as_object().unwrap().values().flat_map(|item| item.as_object().unwrap().values()) {
        named(&operation["requestBody"], &mut out, &spec["components"]["schemas"]);
    }
    out
}

/// What an earlier description said that is not said any more. Words may change, and more may be said: of an answer also
/// that a field is always there, and that it is never null.
fn taken_away(before: &Value, now: &Value, at: &str, asked: &BTreeSet<String>, out: &mut Vec<String>) {
    let of = at.strip_prefix("/components/schemas/").and_then(|path| path.split('/').next());
    let is_answer = of.is_some_and(|name| !asked.contains(name));
    match (before, now) {
        (Value::Array(_), Value::Array(_)) if is_answer && at.ends_with("/required") => {
            let still = |name: &Value| now.as_array().is_some_and(|now| now.contains(name));
            out.extend(before.as_array().into_iter().flatten().filter(|name| !still(name)).map(|name| format!("{at}: {name}")));
        }
        (Value::Array(was), Value::String(_)) if is_answer && at.ends_with("/type") && *was == [now.clone(), "null".into()] => {}
        // What may be sent may also be left open.
        (Value::String(_), Value::Array(is)) if !is_answer && at.ends_with("/type") && *is == [before.clone(), "null".into()] => {}
        (Value::Object(before), Value::Object(now)) => {
            for (key, was) in before {
                match now.get(key) {
                    Some(is) => taken_away(was, is, &format!("{at}/{key}"), asked, out),
                    None => out.push(format!("{at}/{key}")),
                }
            }
        }
        // What a client has to send may not grow; what it may choose from may not shrink.
        (Value::Array(before), Value::Array(now)) if at.ends_with("/required") => {
            out.extend(now.iter().filter(|name| !before.contains(name)).map(|name| format!("{at}: {name} is new")));
        }
        (Value::Array(before), Value::Array(now)) => {
            for was in before.iter().filter(|was| !now.contains(was)) {
                // A member that only had something added to it stands among those now.
                let still = now.iter().any(|is| {
                    let mut missing = Vec::new();
                    taken_away(was, is, at, asked, &mut missing);
                    missing.is_empty() && was.is_object()
                });
                if !still {
                    out.push(format!("{at}: {was}"));
                }
            }
        }
        (was, is) if was == is => {}
        (was, is) => out.push(format!("{at}: {was} is {is}")),
    }
}

/// `tests/kept/openapi.json` is the description of 2026-11-28 without its words; it is never written anew.
#[tokio::test]
async fn nothing_that_clients_rely_on_was_taken_from_the_description() {
    let w = World::new().await;
    let before: Value = serde_json::from_str(include_str!("../kept/openapi.json")).unwrap();
    let mut out = Vec::new();
    let asked = asked(&before);
    assert!(asked.contains("DeclareBody") && !asked.contains("Incident"), "{asked:?}");
    taken_away(&before, &spec(&w).await, "", &asked, &mut out);
    assert!(out.is_empty(), "{out:#?}");
    let mut less = before.clone();
    less["paths"].as_object_mut().unwrap().remove("/api/v1/oncall");
    less["components"]["schemas"]["Incident"]["required"].as_array_mut().unwrap().retain(|name| name != "service");
    less["components"]["schemas"]["DeclareBody"]["required"].as_array_mut().unwrap().push("service".into());
    less["components"]["schemas"]["Incident"]["properties"]["title"]["type"] = serde_json::json!(["string", "null"]);
    taken_away(&before, &less, "", &asked, &mut out);
    let found = [
        "/components/schemas/DeclareBody/required: \"service\" is new",
        "/components/schemas/Incident/properties/title/type: \"string\" is [\"string\",\"null\"]",
        "/components/schemas/Incident/required: \"service\"",
        "/paths//api/v1/oncall",
    ];
    assert_eq!(out, found);
}
