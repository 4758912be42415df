//! What people and senders read of alerts.

use allclear_domain::access::{Actor, Reach, Right};
use allclear_domain::ids::{AlertId, IncidentId};
use allclear_domain::signal::{Alert, triage};
use allclear_domain::view::AlertView;
use allclear_store::rows;

use crate::read::{LIST_MAX, NoAnswer, Queries, decision_word};

/// Alerts read at once where all open ones of an integration are wanted.
const OPEN_ALERTS_BATCH: i64 = 1000;

/// What a list of alerts is narrowed to.
#[derive(Debug, Clone, Default)]
pub struct AlertFilter {
    pub incident: Option<IncidentId>,
    pub integration: Option<String>,
    pub service: Option<String>,
    pub open: Option<bool>,
    pub before: Option<AlertId>,
}

impl Queries<'_> {
    /// Newest first.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn alerts(&self, filter: AlertFilter, limit: i64) -> Result<Vec<AlertView>, NoAnswer> {
        self.may(Right::See)?;
        let limit = limit.clamp(1, LIST_MAX);
        let mut filter = rows::alert::Filter {
            incident: filter.incident,
            integration: filter.integration,
            service: filter.service,
            open: filter.open,
            before: filter.before,
            reach: self.reach(),
        };
        let mut out = Vec::new();
        loop {
            let found = rows::alert::list(self.db(), &filter, limit).await?;
            out.extend(found.iter().filter(|alert| !self.is_hidden(alert, &filter.reach)).map(alert_view));
            match found.last() {
                // What is hidden leaves room for others: a list that ends early would seem to be the last.
                Some(last) if (found.len() as i64) == limit && (out.len() as i64) < limit => filter.before = Some(last.id),
                _ => {
                    out.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
                    return Ok(out);
                }
            }
        }
    }

    /// Those of an incident, after the first `skip`: open ones first, then the newest, in an order that stays.
    ///
    /// # Errors
    /// When there is no such incident, or the store does not answer.
    pub async fn alerts_of(&self, incident: IncidentId, open: Option<bool>, skip: i64, limit: i64) -> Result<Vec<AlertView>, NoAnswer> {
        self.sees(incident, "incident").await?;
        let found = rows::alert::of_incident(self.db(), incident, open, skip.max(0), limit.clamp(1, LIST_MAX)).await?;
        Ok(found.iter().map(alert_view).collect())
    }

    /// Whether an alert that has no incident, since it was silenced or only recorded, is of a private route: an
    /// incident of it would be private, so the alert is as well.
    pub(super) fn is_hidden(&self, alert: &Alert, reach: &Reach) -> bool {
        if reach.everything || alert.incident.is_some() {
            return false;
        }
        if alert.service.as_ref().is_some_and(|service| reach.services.contains(service)) {
            return false;
        }
        let org = self.engine().org();
        let signal = crate::core::as_signal(alert);
        org.integration(&alert.integration).is_some_and(|form| triage(&org, form, &signal, alert.opened_at, false).private)
    }

    /// Every open alert of an integration, newest first, for clients that know no pages of lists. A
    /// sender sees all of its own, since it sent them.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn open_alerts(&self, integration: &str) -> Result<Vec<AlertView>, NoAnswer> {
        self.may(Right::See)?;
        let own = matches!(&self.who().actor, Actor::Integration(id) if id == integration);
        let reach = if own { Reach::all() } else { self.reach() };
        let mut filter =
            rows::alert::Filter { integration: Some(integration.to_owned()), open: Some(true), reach, ..rows::alert::Filter::default() };
        let mut out = Vec::new();
        loop {
            let found = rows::alert::list(self.db(), &filter, OPEN_ALERTS_BATCH).await?;
            out.extend(found.iter().filter(|alert| !self.is_hidden(alert, &filter.reach)).map(alert_view));
            match found.last() {
                Some(last) if found.len() as i64 == OPEN_ALERTS_BATCH => filter.before = Some(last.id),
                _ => return Ok(out),
            }
        }
    }

    /// Open alerts that a silence holds, as far as whoever asks may see them.
    ///
    /// # Errors
    /// When the store does not answer, or whoever asks may not read.
    pub async fn alerts_held_by(&self, silence: &str, limit: i64) -> Result<Vec<AlertView>, NoAnswer> {
        self.may(Right::See)?;
        let reach = self.reach();
        let held = rows::alert::held_by(self.db(), silence, &reach, limit).await?;
        Ok(held.iter().filter(|alert| alert.incident.is_some() || !self.is_hidden(alert, &reach)).map(alert_view).collect())
    }

    /// One alert.
    ///
    /// # Errors
    /// When there is none.
    pub async fn alert(&self, id: AlertId) -> Result<AlertView, NoAnswer> {
        self.may(Right::See)?;
        let alert = rows::alert::get(self.db(), id).await?.ok_or(NoAnswer::Missing("alert"))?;
        match alert.incident {
            Some(incident) => self.sees(incident, "alert").await?,
            None if !self.reach().public || self.is_hidden(&alert, &self.reach()) => return Err(NoAnswer::Missing("alert")),
            None => {}
        }
        Ok(alert_view(&alert))
    }
}

pub(crate) fn alert_view(a: &Alert) -> AlertView {
    AlertView {
        id: a.id.to_string(),
        integration: a.integration.clone(),
        dedup_key: a.dedup_key.clone(),
        state: a.ended.into(),
        title: a.title.clone(),
        severity: a.severity,
        service: a.service.clone(),
        source: a.source.clone(),
        detail: serde_json::from_str(&a.detail).unwrap_or_default(),
        decision: decision_word(a.decision).to_owned(),
        because: a.because.clone(),
        silenced_by: a.suppressed.as_ref().map(|s| s.silence.clone()),
        incident: a.incident.map(|id| id.to_string()),
        signal: a.signal.to_string(),
        starts_at: a.starts_at,
        ends_at: a.ends_at,
        opened_at: a.opened_at,
        ended_at: a.ended_at,
        last_seen_at: a.last_seen_at,
        count: a.count,
    }
}
