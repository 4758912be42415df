//! What memory keeps of alerts: of those that are open enough to know a repetition, to lapse, and to see a recovery; and
//! which ended lately, for the longest grace that a route gives.
//!
//! It is filled from the store at a start; where nodes share a store each hears of what the others ended. What happens to
//! it is in `alerts.rs` and `flapping.rs`.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use allclear_domain::expect::GRACE_DEFAULT;
use allclear_domain::ids::{AlertId, IncidentId};
use allclear_domain::incident::Severity;
use allclear_domain::org::snapshot::Org;
use allclear_domain::plants::planted;
use allclear_domain::signal::Alert;
use allclear_domain::time::{Length, after};
use allclear_domain::wire::SenderSeverity;
use jiff::Timestamp;

/// Alerts remembered that ended lately; beyond it the oldest are forgotten first, and page anew when they come
/// back. Some 20 MB; a storm that ends as a whole is no larger as a rule.
pub(crate) const RECENT_MAX: usize = 100_000;
/// A condition: the integration and the sender's name for it, shared among the maps.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AlertKey(Arc<str>);

/// Cannot stand in an integration's id.
const SEPARATOR: char = '\u{1f}';

impl AlertKey {
    /// The key of a condition.
    #[must_use]
    pub fn new(integration: &str, dedup_key: &str) -> Self {
        let integration = if planted("dedup-ignores-integration") { "prom" } else { integration };
        let mut text = String::with_capacity(integration.len() + dedup_key.len() + 1);
        text.push_str(integration);
        text.push(SEPARATOR);
        text.push_str(dedup_key);
        Self(text.into())
    }
    /// Integration and dedup key.
    #[must_use]
    pub fn parts(&self) -> (&str, &str) {
        self.0.split_once(SEPARATOR).unwrap_or((&self.0, ""))
    }
}

/// What memory keeps of an open alert.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenAlert {
    pub id: AlertId,
    pub incident: Option<IncidentId>,
    pub severity: Severity,
    pub sender_severity: Option<SenderSeverity>,
    /// When the silence that holds it ends.
    pub silenced_until: Option<Timestamp>,
    pub ends_at: Option<Timestamp>,
    pub last_seen_at: Timestamp,
    pub count: u64,
    /// Over its text as it was sent last; 0 where that is not known.
    pub text: u64,
    /// How often in a row it had ended and come back.
    pub returns: u32,
}

impl OpenAlert {
    /// Of a stored alert.
    #[must_use]
    pub fn of(alert: &Alert) -> Self {
        Self {
            id: alert.id,
            incident: alert.incident,
            severity: alert.severity,
            sender_severity: alert.sender_severity,
            silenced_until: alert.suppressed.as_ref().map(|held| held.until),
            ends_at: alert.ends_at,
            last_seen_at: alert.last_seen_at,
            count: alert.count,
            text: alert.text.unwrap_or(0),
            returns: alert.returns,
        }
    }
}

/// An alert that ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Recent {
    pub(super) incident: IncidentId,
    pub(super) opened_at: Timestamp,
    pub(super) ended_at: Timestamp,
    pub(super) returns: u32,
}

impl Recent {
    /// What is remembered of an alert that ends; of one without an incident nothing.
    pub(super) fn of(alert: &OpenAlert, ended_at: Timestamp) -> Option<Self> {
        let opened_at = opened_at(alert.id).unwrap_or(ended_at);
        alert.incident.map(|incident| Self { incident, opened_at, ended_at, returns: alert.returns })
    }
}

/// An id tells when it was made.
fn opened_at(id: AlertId) -> Option<Timestamp> {
    Timestamp::from_millisecond(i64::try_from(id.bits() >> 80).ok()?).ok()
}

/// The longest time in which an alert can come back to its incident.
pub(crate) fn horizon(org: &Org) -> Length {
    let longest = org.routes().iter().filter_map(|route| route.route.set.grace).max();
    longest.unwrap_or(GRACE_DEFAULT).max(GRACE_DEFAULT)
}

/// Alerts that ended lately, by condition.
#[derive(Debug, Default)]
pub(super) struct RecentlyEnded {
    by_key: HashMap<AlertKey, Recent>,
    /// In the order in which they ended.
    order: VecDeque<(Timestamp, AlertKey)>,
}

impl RecentlyEnded {
    pub(super) fn note(&mut self, key: AlertKey, recent: Recent, horizon: Length) {
        if self.by_key.get(&key).is_some_and(|known| known.ended_at >= recent.ended_at) {
            return;
        }
        self.order.push_back((recent.ended_at, key.clone()));
        self.by_key.insert(key, recent);
        while let Some((ended_at, key)) = self.order.front() {
            let is_over = after(*ended_at, horizon) < recent.ended_at || self.order.len() > RECENT_MAX;
            if !is_over {
                break;
            }
            if self.by_key.get(key).is_some_and(|known| known.ended_at == *ended_at) {
                self.by_key.remove(key);
            }
            self.order.pop_front();
        }
    }

    pub(super) fn get(&self, key: &AlertKey) -> Option<Recent> {
        self.by_key.get(key).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn what_ended_longer_ago_than_any_grace_is_forgotten() {
        let mut recent = RecentlyEnded::default();
        let key = |n: i64| AlertKey::new("prom", &n.to_string());
        let one = |second: i64| Recent { incident: IncidentId::from_bits(1), opened_at: at(0), ended_at: at(second), returns: 0 };
        for n in 0..100 {
            recent.note(key(n % 10), one(n), Length::from_secs(5));
        }
        let kept: Vec<i64> = (0..10).filter(|n| recent.get(&key(*n)).is_some()).collect();
        assert_eq!(kept, [4, 5, 6, 7, 8, 9], "those of the last five seconds");
        assert_eq!(recent.by_key.len(), recent.order.len());
        recent.note(key(9), one(20), Length::from_secs(5));
        assert_eq!(recent.get(&key(9)).map(|r| r.ended_at), Some(at(99)), "what comes late changes nothing");
    }
}
