//! The predicate of every list is the rule of the domain: for every reach and every incident that can
//! differ in what matters, on both databases.

#![allow(clippy::unwrap_used)] // tests

use std::collections::{BTreeMap, BTreeSet};

use allclear_domain::access::Reach;
use allclear_domain::event::Head;
use allclear_domain::ids::{AlertId, IncidentId, SignalId};
use allclear_domain::incident::{Incident, Severity};
use allclear_domain::org::model::Declare;
use allclear_domain::signal::Alert;
use allclear_store::rows::{alert, incident, reader};
use allclear_store::schema::{MIGRATIONS, TABLES};
use allclear_store::{Db, OpenOptions, Write};
use jiff::Timestamp;

mod common;

const PEOPLE: [&str; 2] = ["ana", "ben"];
const SERVICES: [&str; 2] = ["checkout", "charts"];

/// Every part of a list.
fn subsets(of: &[&str]) -> Vec<BTreeSet<String>> {
    (0..1_usize << of.len())
        .map(|bits| of.iter().enumerate().filter(|(n, _)| bits >> n & 1 == 1).map(|(_, word)| (*word).to_owned()).collect())
        .collect()
}

fn incidents() -> Vec<Incident> {
    let mut out = Vec::new();
    for private in [false, true] {
        for service in [None, Some("checkout"), Some("charts"), Some("other")] {
            for admitted in subsets(&PEOPLE) {
                let n = out.len() as u128 + 1;
                let known = common::one(n, "t", Severity::ALL[n as usize % 5]);
                out.push(Incident { service: service.map(ToOwned::to_owned), private, admitted, ..known });
            }
        }
    }
    out
}

fn reaches() -> Vec<Reach> {
    let mut out = Vec::new();
    for everything in [false, true] {
        for public in [false, true] {
            for services in subsets(&SERVICES) {
                for person in [None, Some("ana"), Some("ben"), Some("stranger")] {
                    for incident in [None, Some(IncidentId::from_bits(3)), Some(IncidentId::from_bits(4))] {
                        let (services, person) = (services.clone(), person.map(ToOwned::to_owned));
                        out.push(Reach { everything, public, services, person, incident });
                    }
                }
            }
        }
    }
    out
}

fn alert_of(n: u128, incident: Option<IncidentId>) -> Alert {
    Alert {
        id: AlertId::from_bits(n),
        integration: "json".into(),
        dedup_key: n.to_string(),
        ended: None,
        title: "t".into(),
        severity: Severity::Sev3,
        sender_severity: None,
        service: None,
        source: None,
        detail: "{}".into(),
        decision: Declare::Declare,
        because: "b".into(),
        suppressed: None,
        incident,
        signal: SignalId::from_bits(1),
        org_version: 1,
        starts_at: Timestamp::UNIX_EPOCH,
        ends_at: None,
        opened_at: Timestamp::UNIX_EPOCH,
        ended_at: None,
        last_seen_at: Timestamp::UNIX_EPOCH,
        count: 1,
        text: None,
        returns: 0,
    }
}

async fn lists_say_what_the_rule_says(db: &Db) {
    let all = incidents();
    let mut writes: Vec<Write> = Vec::new();
    for one in &all {
        writes.push(incident::put(one, Head::EMPTY));
        writes.extend(one.admitted.iter().map(|person| reader::admit(one.id, person)));
        writes.push(alert::open(&alert_of(one.id.bits() + 1000, Some(one.id))));
    }
    writes.push(alert::open(&alert_of(5000, None)));
    db.commit(writes).await.unwrap();
    assert_eq!(reader::misfits(db).await.unwrap(), Vec::<String>::new());
    for reach in reaches() {
        let wanted: BTreeSet<IncidentId> = all.iter().filter(|one| reach.admits(&one.facts())).map(|one| one.id).collect();
        let filter = incident::Filter { reach: reach.clone(), ..incident::Filter::default() };
        let listed: BTreeSet<IncidentId> = incident::list(db, &filter, 1000).await.unwrap().iter().map(|(one, _)| one.id).collect();
        assert_eq!(listed, wanted, "{reach:?}");
        assert_eq!(incident::count_open(db, &reach).await.unwrap(), wanted.len() as i64, "{reach:?}");
        let mut by_service: BTreeMap<String, (i64, Severity)> = BTreeMap::new();
        for one in all.iter().filter(|one| one.state.is_open() && wanted.contains(&one.id)) {
            let Some(service) = &one.service else { continue };
            let (count, worst) = by_service.entry(service.clone()).or_insert((0, one.severity));
            (*count, *worst) = (*count + 1, one.severity.min(*worst));
        }
        let counted = incident::open_by_service(db, &reach).await.unwrap();
        assert_eq!(
            counted.into_iter().map(|(service, n, worst)| (service, (n, worst))).collect::<BTreeMap<_, _>>(),
            by_service,
            "{reach:?}"
        );
        let ids: Vec<IncidentId> = all.iter().map(|one| one.id).collect();
        let of_these: BTreeSet<IncidentId> = incident::seen_of(db, &ids, &reach).await.unwrap().into_iter().collect();
        assert_eq!(of_these, wanted, "{reach:?}");
        let filter = alert::Filter { reach: reach.clone(), ..alert::Filter::default() };
        let alerts = alert::list(db, &filter, 1000).await.unwrap();
        let with: BTreeSet<IncidentId> = alerts.iter().filter_map(|alert| alert.incident).collect();
        assert_eq!(with, wanted, "alerts, {reach:?}");
        assert_eq!(alerts.len() > with.len(), reach.public || reach.everything, "what belongs to no incident, {reach:?}");
        for one in &all {
            let found = incident::seen(db, &one.reference, &reach).await.unwrap();
            assert_eq!(found.is_some(), wanted.contains(&one.id), "{reach:?} {}", one.reference);
        }
    }
    let first = all.iter().find(|one| one.admitted.is_empty()).unwrap();
    db.commit(vec![reader::admit(first.id, "ana")]).await.unwrap();
    assert_eq!(reader::misfits(db).await.unwrap(), [first.id.to_string()], "a row that no log wrote is found");
}

#[tokio::test]
async fn on_sqlite() {
    lists_say_what_the_rule_says(&Db::open_inline(MIGRATIONS).unwrap()).await;
}

#[tokio::test]
async fn on_postgres() {
    match allclear_store::testing::fresh_database().await {
        Ok(url) => lists_say_what_the_rule_says(&Db::open(&url, OpenOptions::new(MIGRATIONS, TABLES)).await.unwrap()).await,
        Err(why) => eprintln!("skipped: {why}"),
    }
}
