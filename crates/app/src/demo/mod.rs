//! `serve --demo`: a throw-away store, a small organisation, and incidents that unfold by
//! themselves.
//!
//! What happens takes the real way: a background task posts alerts to the server's own intake over
//! HTTP, as a monitor would, and the engine does the rest. Only the last step is missing: messages
//! are shown instead of sent. It deliberately keeps nothing: the store is in memory.

mod history;
mod present;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use allclear_channels::registry;
use allclear_domain::access::{Actor, Principal, Scope};
use allclear_domain::org::check::Against;
use allclear_domain::org::model::Bundle;
use allclear_domain::org::problem::Weight;
use allclear_domain::time::Length;
use allclear_engine::Engine;
use allclear_engine::clock::SystemClock;
use allclear_engine::identity::sessions::LinkKind;
use allclear_engine::org::file;
use allclear_engine::org::file::{Format, Loaded};
use serde_json::{Value, json};

use self::history::History;
use crate::config::Config;
use crate::routes::Faces;
use crate::transport::Recorder;

/// The organisation.
const ORG: &str = include_str!("org.yaml");
/// The key of its integration, public since the demo is.
const KEY: &str = "demo-monitor-key";
/// As whom everybody reads and acts: on call for the shop in European daytime.
const COMMANDER: &str = "ana";
/// The commander's token for the command line.
const TOKEN_LIFE: Length = Length::from_secs(86_400);
/// How long one alert may take to be accepted.
const POST_DEADLINE: Duration = Duration::from_secs(10);

/// What happens, and how many seconds after the start. The page for the checkout has 45 s before
/// its second step, so that one sees it taken, or not.
const STORY: [(u64, &str); 16] = [
    (
        1,
        r#"{"title": "Deployed payments-api 4.18.0", "dedup_key": "deploy-4180", "severity": "info", "service": "payments-api", "source": "pipeline", "labels": {"kind": "deployment"}}"#,
    ),
    (
        3,
        r#"{"title": "Checkout error rate 14 % (objective 0.5 %)", "dedup_key": "checkout-errors", "severity": "critical", "service": "checkout", "source": "shop-eu-1", "description": "Of 1,240 attempts to pay in the last 5 minutes, 174 failed.", "labels": {"region": "eu", "runbook": "checkout"}, "links": [{"href": "https://graphs.example.org/checkout", "text": "graph"}]}"#,
    ),
    (
        12,
        r#"{"title": "Ledger database: replica 2 40 s behind", "dedup_key": "ledger-lag-2", "severity": "error", "service": "ledger-db", "source": "ledger-db-2", "labels": {"kind": "replica", "region": "eu"}}"#,
    ),
    (
        13,
        r#"{"title": "Ledger database: replica 3 40 s behind", "dedup_key": "ledger-lag-3", "severity": "error", "service": "ledger-db", "source": "ledger-db-3", "labels": {"kind": "replica", "region": "eu"}}"#,
    ),
    (
        14,
        r#"{"title": "Ledger database: replica 4 40 s behind", "dedup_key": "ledger-lag-4", "severity": "error", "service": "ledger-db", "source": "ledger-db-4", "labels": {"kind": "replica", "region": "eu"}}"#,
    ),
    (
        15,
        r#"{"title": "Ledger database: replica 5 40 s behind", "dedup_key": "ledger-lag-5", "severity": "error", "service": "ledger-db", "source": "ledger-db-5", "labels": {"kind": "replica", "region": "eu"}}"#,
    ),
    (
        18,
        r#"{"title": "Checkout latency drifts: p95 1.4 s, usually 0.6 s", "dedup_key": "checkout-drift", "severity": "warning", "service": "checkout", "source": "anomaly detection", "labels": {"kind": "anomaly", "region": "eu"}}"#,
    ),
    (
        25,
        r#"{"title": "Checkout error rate 22 % (objective 0.5 %)", "dedup_key": "checkout-errors", "severity": "critical", "service": "checkout", "source": "shop-eu-1", "labels": {"region": "eu"}}"#,
    ),
    (
        40,
        r#"{"title": "Deployed checkout-web 2.7.1", "dedup_key": "deploy-271", "severity": "info", "service": "checkout", "source": "pipeline", "labels": {"kind": "deployment"}}"#,
    ),
    (75, r#"{"title": "Ledger database: replica 2 40 s behind", "dedup_key": "ledger-lag-2", "status": "resolved"}"#),
    (76, r#"{"title": "Ledger database: replica 3 40 s behind", "dedup_key": "ledger-lag-3", "status": "resolved"}"#),
    (77, r#"{"title": "Ledger database: replica 4 40 s behind", "dedup_key": "ledger-lag-4", "status": "resolved"}"#),
    (78, r#"{"title": "Ledger database: replica 5 40 s behind", "dedup_key": "ledger-lag-5", "status": "resolved"}"#),
    (
        90,
        r#"{"title": "Patient record: sign-in takes longer than 20 s", "dedup_key": "ehr-signin", "severity": "critical", "service": "patient-record", "source": "ward-3", "description": "Nurses on wards 3 and 4 cannot open charts. Downtime forms are in the red folder.", "labels": {"service": "patient-record", "site": "north"}}"#,
    ),
    (900, r#"{"title": "Checkout error rate 22 % (objective 0.5 %)", "dedup_key": "checkout-errors", "status": "resolved"}"#),
    (1800, r#"{"title": "Patient record: sign-in takes longer than 20 s", "dedup_key": "ehr-signin", "status": "resolved"}"#),
];

/// The settings of a demo: what is kept is in memory, and what is sent is shown.
#[must_use]
pub fn settings(mut config: Config) -> Config {
    config.database = "sqlite::memory:".to_owned();
    config.secret_key_file = None;
    config.org = None;
    config.admin_token = None;
    config.quarantine = false;
    config
}

/// The organisation, read and checked.
///
/// # Errors
/// When it is not well formed, which a test excludes.
fn organisation(now: jiff::Timestamp) -> anyhow::Result<Loaded> {
    let loaded = file::parse(ORG, Format::Yaml, "demo.yaml")?;
    let kinds: Vec<_> = registry::kinds().collect();
    let problems = loaded.check(&Bundle::default(), false, Against { now, kinds: &kinds, channels: registry::WAYS_OUT });
    if let Some(problem) = problems.iter().find(|problem| problem.weight == Weight::Error) {
        anyhow::bail!("{problem}");
    }
    Ok(loaded)
}

/// Sets the organisation up.
///
/// # Errors
/// When the store does not take it.
pub async fn prepare(engine: &Engine, clock: &Arc<SystemClock>) -> anyhow::Result<()> {
    let loaded = organisation(engine.now())?;
    engine.apply_org(loaded.bundle, Some(&loaded.digest), false, &Principal::own(Actor::System)).await?;
    let before = clock.offset_micros();
    let told = tell(&History::new(engine, clock)).await;
    clock.set_offset_micros(before);
    engine.wake();
    told
}

/// What is past, and what is in hand.
async fn tell(history: &History<'_>) -> anyhow::Result<()> {
    history.everything().await?;
    present::tell(history).await
}

fn curl(base_url: &str) -> String {
    let body = r#"{"title": "It is slow here too", "severity": "error", "service": "identity"}"#;
    format!("curl -d '{body}' {base_url}/in/json/{KEY}")
}

/// What the pages show and allow.
#[must_use]
pub fn faces(engine: &Engine, recorder: Arc<Recorder>) -> Faces {
    Faces {
        open_to: Some(Principal::new(Actor::Person(COMMANDER.to_owned()), Scope::Admin)),
        first_alarm_curl: Some(curl(engine.base_url())),
        demo_outbox: Some(Arc::new(move || recorder.recorded())),
    }
}

/// Says how to get in, and lets things happen.
///
/// # Errors
/// When the store does not take the commander's token.
pub async fn begin(engine: &Engine, address: SocketAddr) -> anyhow::Result<()> {
    let (token, _) =
        engine.create_token(&Principal::own(Actor::System), "demo", Scope::Admin, Some(COMMANDER.to_owned()), Some(TOKEN_LIFE)).await?;
    let (invitation, _) = engine.issue_link(&Principal::own(Actor::System), LinkKind::Invitation, Some(COMMANDER)).await?;
    let url = engine.base_url();
    eprintln!();
    eprintln!("  Open {url}/  as Ana Ruiz, an incident commander: an incident unfolds there.");
    eprintln!("  Or sign in as she would, with a password of your own; the link works once:");
    eprintln!("    {invitation}");
    eprintln!("  Raise an alarm of your own:");
    eprintln!("    {}", curl(url));
    eprintln!("  Or work from the terminal:");
    eprintln!("    export ALLCLEAR_URL={url} ALLCLEAR_TOKEN={token}");
    let program = std::env::current_exe().map_or_else(|_| "allclear".to_owned(), |path| path.display().to_string());
    eprintln!("    alias allclear={program}");
    eprintln!("    allclear list");
    eprintln!("  Nothing is sent to anybody, and nothing is kept when this ends.");
    eprintln!();
    if !address.ip().is_loopback() {
        tracing::warn!(%address, "the demo is open to everybody who reaches this address");
    }
    engine.tasks().spawn(unfold(engine.clone(), address));
    Ok(())
}

/// Posts the story to our own intake.
async fn unfold(engine: Engine, address: SocketAddr) {
    let stopping = engine.stopping();
    let ip = if address.ip().is_unspecified() { std::net::Ipv4Addr::LOCALHOST.into() } else { address.ip() };
    let url = format!("http://{}/in/json/{KEY}", SocketAddr::new(ip, address.port()));
    let Ok(http) = crate::cli::client::plain_http(POST_DEADLINE) else {
        tracing::warn!("the demo cannot speak to itself; raise alarms with the command above");
        return;
    };
    let mut at = 0;
    for (second, text) in STORY {
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(second - at)) => {}
            () = stopping.cancelled() => return,
        }
        at = second;
        let body: Value = serde_json::from_str(text).unwrap_or_else(|_| json!({}));
        match http.post(&url).json(&body).send().await {
            Ok(answer) if answer.status().is_success() => {}
            Ok(answer) => tracing::warn!(status = answer.status().as_u16(), "an alert of the demo was refused"),
            Err(_) => tracing::warn!("an alert of the demo did not arrive"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use allclear_domain::wire::InboundContext;

    #[test]
    fn the_organisation_is_sound_and_the_story_is_about_it() {
        let now = "2026-06-01T12:00:00Z".parse().unwrap();
        let loaded = organisation(now).unwrap();
        let kinds: Vec<_> = registry::kinds().collect();
        let problems = loaded.check(&Bundle::default(), false, Against { now, kinds: &kinds, channels: registry::WAYS_OUT });
        assert_eq!(problems, [], "not even a warning");
        let form = loaded.bundle.integrations.iter().find(|form| form.key.as_deref() == Some(KEY)).unwrap();
        let format = registry::format(&form.kind).unwrap();
        assert!(STORY.is_sorted_by_key(|(second, _)| *second));
        for (_, text) in STORY {
            let parsed = format.parse(text.as_bytes(), InboundContext { now, fresh_key: "fresh", instance: None }).unwrap();
            assert!(parsed.refused.is_empty() && parsed.signals.len() == 1, "{text}");
            if let Some(service) = &parsed.signals[0].service {
                assert!(loaded.bundle.services.iter().any(|known| known.id == *service), "{service}");
            }
        }
        assert!(loaded.bundle.people.iter().any(|person| person.id == COMMANDER));
    }
}
