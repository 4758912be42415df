//! Trying the paths that matter before a night needs them: an alarm as a sender would send it.
//!
//! Nothing here goes a way of its own: the alarm is accepted as any other, and pages whoever it would page.

use allclear_domain::access::{Principal, Resource, Right, may};
use allclear_domain::view::AlertView;
use allclear_domain::wire::{Labels, Signal, SignalAction};

use crate::core::{Arrived, Refusal};
use crate::engine::Engine;
use crate::read::NoAnswer;
use crate::read::alerts::AlertFilter;

/// What the names of conditions begin with that are only a test.
const TEST_KEY: &str = "allclear-test-";

impl Engine {
    /// Sends an alarm in the name of an integration, for an administrator; gives the alert that it made. `format` is what the
    /// integration speaks; the same `number` is the same alarm.
    ///
    /// # Errors
    /// When the asker is no administrator, the integration is gone, or nothing more can be kept now.
    pub async fn test_alarm(&self, who: &Principal, integration: &str, format: &'static str, number: u128) -> Result<AlertView, Refusal> {
        let org = self.org();
        may(&org, who, Right::Administer, Resource::Installation)?;
        let form = org.integration(integration).ok_or_else(|| Refusal::NoSuchIntegration(integration.to_owned()))?;
        let by = who.person().and_then(|id| org.person(id)).map_or_else(|| "an administrator".to_owned(), |person| person.name.clone());
        let dedup_key = format!("{TEST_KEY}{number:x}");
        let signal = Signal {
            action: SignalAction::Trigger,
            dedup_key: dedup_key.clone(),
            title: format!("Test alarm of {}", form.name.as_deref().unwrap_or(&form.id)),
            description: Some(format!(
                "{by} sent it from the settings to see whom it reaches. Nothing is wrong: acknowledge and resolve it."
            )),
            source: None,
            service: None,
            severity: None,
            labels: Labels::new(),
            annotations: Labels::new(),
            starts_at: None,
            ends_at: None,
            links: Vec::new(),
            notes: Vec::new(),
        };
        let body = serde_json::json!({"test": true, "title": signal.title, "dedup_key": dedup_key}).to_string();
        let arrived = Arrived { integration: form.id.clone(), format, received_at: self.now(), body, signals: vec![signal], kept: None };
        for reply in self.accept(arrived).await? {
            reply?;
        }
        let filter = AlertFilter { integration: Some(form.id.clone()), open: Some(true), ..AlertFilter::default() };
        let open = self.queries(who).alerts(filter, crate::read::LIST_MAX).await.map_err(|no| match no {
            NoAnswer::Denied(denied) => Refusal::Denied(denied),
            NoAnswer::Store(fault) => Refusal::Unavailable(fault.to_string()),
            NoAnswer::Missing(_) | NoAnswer::Bad(_) => Refusal::NoSuchAlert,
        })?;
        open.into_iter().find(|alert| alert.dedup_key == dedup_key).ok_or(Refusal::NoSuchAlert)
    }
}
