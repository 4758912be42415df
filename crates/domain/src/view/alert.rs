//! What people read of an alert.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::severity::Severity;
use crate::signal::AlertState;

/// An alert.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Alert))]
pub struct AlertView {
    pub id: String,
    pub integration: String,
    pub dedup_key: String,
    #[cfg_attr(feature = "schema", schema(inline))]
    pub state: AlertState,
    pub title: String,
    pub severity: Severity,
    pub service: Option<String>,
    pub source: Option<String>,
    /// Labels, annotations, description, links.
    pub detail: serde_json::Value,
    /// `declare`, `candidate`, `record`.
    pub decision: String,
    pub because: String,
    pub silenced_by: Option<String>,
    pub incident: Option<String>,
    pub signal: String,
    pub starts_at: Timestamp,
    pub ends_at: Option<Timestamp>,
    pub opened_at: Timestamp,
    pub ended_at: Option<Timestamp>,
    pub last_seen_at: Timestamp,
    pub count: u64,
}

/// Labels of several alerts: those that all of them share, and the names of those in which they differ, each with its values.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Labels {
    pub shared: Vec<(String, String)>,
    pub differ: Vec<(String, Vec<String>)>,
}

impl AlertView {
    /// Labels and annotations, or whatever else stands under a name of the detail, as texts.
    #[must_use]
    pub fn texts(&self, of: &str) -> Vec<(&str, &str)> {
        let texts = self.detail.get(of).and_then(serde_json::Value::as_object).into_iter().flatten();
        texts.filter_map(|(name, value)| Some((name.as_str(), value.as_str()?))).collect()
    }
}

/// What labels say of alerts as a whole. One that some of them lack differs.
#[must_use]
pub fn labels_of(alerts: &[AlertView]) -> Labels {
    let mut values: BTreeMap<&str, (usize, BTreeSet<&str>)> = BTreeMap::new();
    for (name, value) in alerts.iter().flat_map(|alert| alert.texts("labels")) {
        let (times, known) = values.entry(name).or_default();
        *times += 1;
        known.insert(value);
    }
    let mut out = Labels::default();
    for (name, (times, known)) in values {
        match known.first() {
            Some(only) if known.len() == 1 && times == alerts.len() => out.shared.push((name.to_owned(), (*only).to_owned())),
            _ => out.differ.push((name.to_owned(), known.into_iter().map(ToOwned::to_owned).collect())),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_shared_by_all_or_differ() {
        let alert = |labels: serde_json::Value| -> AlertView {
            let at = "2026-03-01T00:00:00Z";
            serde_json::from_value(serde_json::json!({
                "id": "a", "integration": "i", "dedup_key": "k", "state": "open", "title": "t", "severity": "sev2", "decision": "declare",
                "because": "", "signal": "s", "starts_at": at, "opened_at": at, "last_seen_at": at, "count": 1, "detail": {"labels": labels}
            }))
            .unwrap()
        };
        let alerts =
            [alert(serde_json::json!({"job": "db", "host": "a"})), alert(serde_json::json!({"job": "db", "host": "b", "disk": "1"}))];
        let labels = labels_of(&alerts);
        assert_eq!(labels.shared, [("job".to_owned(), "db".to_owned())]);
        let two = vec!["a".to_owned(), "b".to_owned()];
        assert_eq!(labels.differ, [("disk".to_owned(), vec!["1".to_owned()]), ("host".to_owned(), two)]);
    }
}
