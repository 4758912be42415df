//! What would be nobody's for ever: pages that silences stopped, and pages that were to come back.

use allclear_domain::ids::IncidentId;
use allclear_engine::core::Declare;

use super::*;

const SILENCE: &str =
    r#"[{"id":"quiet","match":"alertname=\"noise\"","starts_at":"2026-09-21T14:00:00Z","ends_at":"2026-09-21T15:13:20Z"}]"#;

impl World {
    /// The organisation of all stories, with what this one changes.
    async fn organise(&self, change: impl FnOnce(&mut serde_json::Value)) {
        let mut org: serde_json::Value = serde_json::from_str(ORG).unwrap();
        change(&mut org);
        let bundle: Bundle = serde_json::from_value(org).unwrap();
        self.engine.apply_org(bundle, None, true, &Principal::own(Actor::System)).await.unwrap();
        self.engine.quiet().await;
    }

    async fn ask(&self, who: &str, command: Command) -> Reply {
        let input = Input { who: Principal::new(Actor::Person(who.into()), Scope::Respond), cause: "api".into(), once: None, command };
        let reply = self.engine.submit(input).await.unwrap();
        self.engine.quiet().await;
        reply
    }

    /// A row becomes as no version of ours wrote it.
    async fn spoil(&self, table: &'static allclear_store::Table, sql: &'static str) {
        let spoil = allclear_store::Write::Exec { table, sql, args: vec![], expect: None };
        self.engine.db().commit(vec![spoil]).await.unwrap();
    }

    async fn declare(&self, severity: Severity) -> IncidentId {
        let declare = Declare {
            title: "The shop is down".into(),
            severity: Some(severity),
            known: Default::default(),
            service: Some("shop".into()),
            impact_started_at: None,
            page: true,
            private: false,
            report: false,
        };
        match self.ask("ben", Command::Declare(declare)).await {
            Reply::Incident { id, .. } => id,
            other => panic!("{other:?}"),
        }
    }
}

fn silenced(org: &mut serde_json::Value) {
    org["silences"] = serde_json::from_str(SILENCE).unwrap();
}

#[tokio::test]
async fn a_silenced_alert_does_not_hold_what_a_person_declared() {
    let world = World::new("sqlite::memory:").await;
    world.organise(silenced).await;
    world.signal(SignalAction::Trigger, "noise", &[("alertname", "noise")]).await.unwrap();
    assert_eq!(world.told().len(), 0, "a silence holds it");
    let id = world.declare(Severity::Sev1).await;
    assert_eq!(world.told(), [pair("ana", "webhook")]);
    let who = Principal::new(Actor::Administrator, Scope::Admin);
    let alert = world.engine.queries(&who).open_alerts("prom").await.unwrap()[0].id.parse().unwrap();
    world.ask("ana", Command::LinkAlert { id, alert }).await;
    world.advance(300).await;
    assert_eq!(world.told()[2..], [pair("ben", "webhook")], "the page goes on");
    world.healthy().await;
}

#[tokio::test]
async fn a_silence_ends_for_an_alert_whose_integration_was_removed() {
    let world = World::new("sqlite::memory:").await;
    world.signal(SignalAction::Trigger, "noise", &[("alertname", "noise")]).await.unwrap();
    assert_eq!(world.told(), [pair("ana", "webhook")]);
    world.organise(silenced).await;
    world
        .organise(|org| {
            silenced(org);
            org["integrations"] = serde_json::json!([]);
        })
        .await;
    world.advance(3_590).await;
    assert_eq!(world.told().len(), 1, "the silence holds it");
    world.advance(20).await;
    assert_eq!(world.told()[1..], [pair("ana", "webhook")], "nobody has it");
    world.healthy().await;
}

#[tokio::test]
async fn a_severity_that_rose_and_that_nobody_answers_comes_back() {
    let world = World::new("sqlite::memory:").await;
    let id = world.declare(Severity::Sev3).await;
    let acknowledge = incident::attendance::Command::Acknowledge { by: Some("ana".into()), via: "api".into() }.into();
    world.ask("ana", Command::Incident { id, command: acknowledge }).await;
    let worse = incident::declaration::Command::SetSeverity { severity: Severity::Sev1, why: "all customers".into() }.into();
    world.ask("ben", Command::Incident { id, command: worse }).await;
    let who = Principal::new(Actor::Administrator, Scope::Admin);
    let mut rounds = Vec::new();
    for _ in 0..4 {
        world.advance(20 * 60).await;
        // Who has it does something, but says nothing of how bad it is.
        world
            .ask(
                "ana",
                Command::incident(id, incident::record::Command::Note { text: "restarted it".into(), happened_at: None, marking: None }),
            )
            .await;
        let pages = world.engine.queries(&who).pages(id).await.unwrap();
        let rose: Vec<u32> = pages.iter().filter(|page| page.because.contains("severity rose")).map(|page| page.round).collect();
        assert_eq!(rose.len(), 1, "{pages:?}");
        rounds.extend(rose);
    }
    assert!(rounds[3] > rounds[1], "it came back: {rounds:?}");
    world.healthy().await;
}

#[tokio::test]
async fn a_page_that_never_comes_back_lets_another_come_back() {
    let world = World::new("sqlite::memory:").await;
    world
        .organise(|org| {
            let once = serde_json::json!({"id": "once", "again_every": "never", "steps": [{"page": ["person:ben"], "within": "10m"}]});
            org["escalations"].as_array_mut().unwrap().push(once);
        })
        .await;
    let id = world.declare(Severity::Sev1).await;
    world.advance(50 * 60).await;
    world.ask("ben", Command::Escalate { id, escalation: Some("once".into()), why: "somebody has to".into() }).await;
    world.advance(21 * 60).await;
    let before = world.told();
    world.advance(35 * 60).await;
    assert_eq!(world.told()[before.len()..], [pair("cho", "email")], "the one that comes back does");
    world.healthy().await;
}

#[tokio::test]
async fn an_alert_and_a_page_that_do_not_read_stop_nothing_else() {
    let world = World::new("sqlite::memory:").await;
    let id = world.declare(Severity::Sev1).await;
    for key in ["disk", "noise"] {
        world.signal(SignalAction::Trigger, key, &[("alertname", key)]).await.unwrap();
    }
    world.spoil(&allclear_store::schema::ALERT, "update alert set severity = 'worst' where dedup_key = 'disk'").await;
    world.organise(silenced).await;
    world.advance(60).await;
    let who = Principal::new(Actor::Administrator, Scope::Admin);
    assert_eq!(world.engine.queries(&who).alerts_held_by("quiet", 9).await.unwrap().len(), 1, "the other alert is judged");
    let troubles = world.engine.troubles().list();
    assert!(troubles.iter().any(|present| matches!(present.trouble, Trouble::Unreadable("alert", _))), "{troubles:?}");
    world.spoil(&allclear_store::schema::PAGE, "update page set entries = 'of a newer version'").await;
    assert_eq!(world.engine.queries(&who).pages(id).await.unwrap().len(), 0, "its incident reads");
}
