//! Schemathesis reads the description of the control API and asks what it promises, well and badly
//! formed: no answer may be a server's error, and none may be of a status, a type or a shape that
//! the description does not have.
//!
//! It asks a throw-away store in which there is one of everything. Only the stream of events is left
//! out, since it never ends. What empties the organisation is tried last, after everything else had
//! something to work on.

use std::path::{Path, PathBuf};
use std::time::Duration;

use allclear_trial::org::{self, ADMIN_TOKEN};
use allclear_trial::world::items;
use allclear_trial::{Database, Setup, World};
use serde_json::{Value, json};

/// What the answers are checked for.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,\
                      positive_data_acceptance,negative_data_rejection";
/// Answers to a request that fits the description. Beside success: that it may not be done, that there is no such thing, that
/// the state of things is against it (409), that it has changed (412), and what no description can say, as that a person
/// does not exist or a time has passed (422). Never that it cannot be read.
const GOOD: &str = r#"["2xx", "401", "403", "404", "409", "412", "422"]"#;
/// The same of a command, whose body is one of many: which fits which verb, the description says in words only.
const GOOD_COMMAND: &str = r#"["2xx", "400", "401", "403", "404", "409", "412", "422"]"#;
/// Answers to a request that does not fit the description: a version that is not one in quotation marks is none that stands (412).
const BAD: &str = r#"["400", "401", "403", "404", "405", "409", "412", "415", "422"]"#;
/// The one route that never ends.
const ENDLESS: &str = "/api/v1/stream";
/// The two that empty the organisation, and show that it is empty.
const EMPTIES: &str = "^/api/v1/org(/apply)?$";
/// Seconds for all routes: each is asked dozens of times, and a run of all tests stays short.
const EVERYTHING_S: u32 = 60;
/// Seconds for what empties the organisation: two routes.
const EMPTYING_S: u32 = 8;
/// How much longer than its time it may take, for its own start and report on a busy machine.
const SLACK: Duration = Duration::from_secs(120);
/// The same questions every time.
const SEED: &str = "20260601";
/// How often something that exists is asked for, rather than anything.
const KNOWN_SHARE: f64 = 0.8;
/// On top of the usual organisation: something for each route to speak of.
const MORE: &str = r#"
schedules:
  - {id: primary, name: Primary, team: payments, time_zone: Europe/Madrid, layers: [{people: [ana, ben], every: 1w, handoff: "Mon 09:00", starts: 2026-01-05}]}
audiences:
  - {id: management, name: Management, people: [cho]}
"#;

/// The program, where `cargo xtask test` put it.
fn program() -> Option<PathBuf> {
    let venv = std::env::var_os("ALLCLEAR_SCHEMATHESIS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/schemathesis-venv"), PathBuf::from);
    let program = venv.join("bin/schemathesis");
    let starts = std::process::Command::new(&program).arg("--version").output().is_ok_and(|run| run.status.success());
    if !starts {
        allclear_trial::skip::skipped(
            "schemathesis",
            "it is not installed in target/schemathesis-venv; `cargo xtask test` installs it where it may",
        );
    }
    starts.then_some(program)
}

async fn done(world: &World, path: &str, body: Value) -> Value {
    world.command(path, body).await.ok().body
}

async fn ids(world: &World, path: &str) -> Vec<String> {
    let found: Vec<String> = items(&world.api(path).await).iter().filter_map(|item| item["id"].as_str().map(ToOwned::to_owned)).collect();
    assert!(!found.is_empty(), "{path} has something to ask for");
    found
}

/// One of everything, by the way that people and monitors take.
async fn something_of_everything(world: &World) {
    world.fire("disk").await;
    for title in ["led", "resolved", "still open"] {
        done(world, "/incidents", json!({"title": title, "service": "checkout"})).await;
    }
    let act = async |incident: u32, verb: &str, body: Value| done(world, &format!("/incidents/INC-{incident}/{verb}"), body).await;
    act(2, "acknowledge", json!({"by": "ana"})).await;
    act(2, "role", json!({"role": "commander", "person": "ben"})).await;
    act(2, "task", json!({"text": "call the provider", "owner": "ben", "within": "30m"})).await;
    act(2, "update", json!({"text": "we are on it", "audiences": ["management"], "next_within": "30m"})).await;
    act(2, "decision", json!({"text": "fail over", "reversible": true})).await;
    act(3, "acknowledge", json!({"by": "ana"})).await;
    act(3, "resolve", json!({})).await;
    act(3, "review", json!({})).await;
    done(world, "/actions", json!({"text": "mend it", "owner": "ana", "due_at": "2099-01-01T00:00:00Z", "incident": "INC-3"})).await;
    done(world, "/tokens", json!({"name": "to be revoked", "scope": "read"})).await;
    world.quiet().await;
}

/// The verbs of a subject, from the refusal that lists them.
async fn verbs(world: &World, path: &str) -> Vec<String> {
    let refused = world.command(&format!("{path}/none-of-them"), json!({})).await;
    let detail = refused.body["detail"].as_str().unwrap_or_default().to_owned();
    let listed = detail.split_once("one of ").unwrap_or_else(|| panic!("{path} lists its commands: {detail}")).1;
    listed.trim_end_matches(" is").split(", ").map(ToOwned::to_owned).collect()
}

/// How answers are judged.
fn judgement() -> String {
    format!("[checks.positive_data_acceptance]\nexpected-statuses = {GOOD}\n[checks.negative_data_rejection]\nexpected-statuses = {BAD}\n")
}

/// Its configuration: what exists, by where it is asked for.
async fn configuration(world: &World) -> String {
    let mut known: Vec<(&str, String, Vec<String>)> = Vec::new();
    let pages = ids(world, "/incidents/INC-1/pages").await;
    let (actions, reviews) = (ids(world, "/actions").await, ids(world, "/reviews").await);
    for (name, route, values) in [
        ("alerts", "/alerts/", ids(world, "/alerts").await),
        ("signals", "/signals/", ids(world, "/signals").await),
        ("tokens", "/tokens/", ids(world, "/tokens").await),
        ("pages", "/(explain/page|pages)/", pages),
        ("actions", "/actions/", actions.clone()),
        ("reviews", "/reviews/", reviews.clone()),
        ("people", "/people/", vec!["ana".into(), "ben".into()]),
        ("schedules", "/schedules/", vec!["primary".into()]),
    ] {
        known.push((name, format!("^/api/v1{route}.*[{{]id[}}]"), values));
    }
    let mut text = judgement();
    let mut dictionary = |name: &str, values: &[String]| text.push_str(&format!("[dictionaries.{name}]\nvalues = {values:?}\n"));
    for (name, _, values) in &known {
        dictionary(name, values);
    }
    dictionary("refs", &(1..=4).map(|n| format!("INC-{n}")).collect::<Vec<_>>());
    dictionary("kinds", &["team", "escalation", "service", "route"].map(ToOwned::to_owned));
    dictionary("forms", &["payments", "checkout", "search", "added"].map(ToOwned::to_owned));
    let verbs_of = [
        ("incident_verbs", "^/api/v1/incidents/", ("ref", "refs"), verbs(world, "/incidents/INC-4").await),
        ("review_verbs", "^/api/v1/reviews/", ("id", "reviews"), verbs(world, &format!("/reviews/{}", reviews[0])).await),
        ("action_verbs", "^/api/v1/actions/", ("id", "actions"), verbs(world, &format!("/actions/{}", actions[0])).await),
    ];
    for (name, _, _, values) in &verbs_of {
        dictionary(name, values);
    }
    let mut bind = |route: &str, parameters: &[(&str, &str)], more: &str| {
        text.push_str(&format!("[[operations]]\ninclude-path-regex = '{route}'\n"));
        for (parameter, name) in parameters {
            text.push_str(&format!("parameters.\"path.{parameter}\" = {{ dictionary = \"{name}\", probability = {KNOWN_SHARE} }}\n"));
        }
        text.push_str(more);
    };
    for (name, route, _) in &known {
        bind(route, &[("id", name)], "");
    }
    for (name, route, of, _) in &verbs_of {
        bind(
            &format!("{route}.*[{{]command[}}]"),
            &[*of, ("command", name)],
            &format!("checks.positive_data_acceptance.expected-statuses = {GOOD_COMMAND}\n"),
        );
    }
    bind("^/api/v1/incidents/[{]ref[}](/(alerts|events|expectations|pages|review|updates))?$", &[("ref", "refs")], "");
    bind("^/api/v1/org/[{]kind[}]$", &[("kind", "kinds")], "");
    bind("^/api/v1/org/[{]kind[}]/", &[("kind", "kinds"), ("id", "forms")], "");
    text.push_str("[[operations]]\ninclude-path = \"/api/v1/org/apply\"\nparameters.\"query.prune\" = \"false\"\n");
    text
}

/// Runs it; what it said, once it has found nothing.
async fn check(program: &Path, world: &World, seconds: u32, more: &[&str]) -> String {
    let url = world.at("/api/v1/openapi.json");
    let header = format!("Authorization: Bearer {ADMIN_TOKEN}");
    let time = seconds.to_string();
    let mut run = tokio::process::Command::new(program);
    run.args(["--config-file", "schemathesis.toml", "run", &url, "-H", &header, "-c", CHECKS, "--exclude-path", ENDLESS])
        .args(["--phases", "coverage,fuzzing", "--max-time", &time, "--seed", SEED, "--continue-on-failure", "--no-color"])
        .args(more)
        .current_dir(world.dir.path())
        .kill_on_drop(true);
    let limit = Duration::from_secs(seconds.into()) + SLACK;
    let output = tokio::time::timeout(limit, run.output()).await.expect("it ends by itself").unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    said
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn schemathesis_finds_no_answer_that_is_not_described() {
    let Some(program) = program() else { return };
    let setup = Setup::new(Some(env!("CARGO_BIN_EXE_allclear")), Database::Sqlite).org(format!("{}{MORE}", org::usual()));
    let world = World::start(setup).await;
    something_of_everything(&world).await;
    let file = world.dir.path().join("schemathesis.toml");
    std::fs::write(&file, configuration(&world).await).unwrap();
    let said = check(&program, &world, EVERYTHING_S, &[]).await;
    let spec = world.get("/api/v1/openapi.json").await.body;
    let routes: usize = spec["paths"].as_object().unwrap().values().map(|methods| methods.as_object().unwrap().len()).sum();
    let tried = said.lines().find_map(|line| line.trim().strip_prefix("Tested: ")?.trim().parse::<usize>().ok());
    assert_eq!(tried, Some(routes - 1), "every route but the stream: {said}");
    std::fs::write(&file, judgement()).unwrap();
    check(&program, &world, EMPTYING_S, &["--include-path-regex", EMPTIES]).await;
}
