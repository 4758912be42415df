//! Which plans fit an incident that did not start there, what one would do, and which are shipped.

use std::collections::BTreeMap;

use allclear_domain::event::Mode;
use allclear_domain::incident::Incident;
use allclear_domain::incident::lifecycle::{Verb, next};
use allclear_domain::org::shipped::SHIPPED;
use allclear_domain::severity::Severity;
use allclear_domain::view::{PlanTryView, ProposedPlanView, ShippedPlanView};
use allclear_store::rows;

use super::alerts::alert_view;
use super::{NoAnswer, Queries};

/// Alerts whose labels are held against the matchers, the newest.
const ALERTS_LOOKED_AT: i64 = 20;

impl Queries<'_> {
    /// Matchers see `service`, `severity`, `title`, `type`, and the labels of its alerts, each as the newest that has it says.
    pub(super) async fn proposed(&self, incident: &Incident) -> Result<Vec<ProposedPlanView>, NoAnswer> {
        let org = self.engine().org();
        let may_start = next(incident.state, Verb::Plan).is_ok() && incident.mode == Mode::Live;
        if !may_start || !org.proposes_plans() {
            return Ok(Vec::new());
        }
        let filter = rows::alert::Filter { incident: Some(incident.id), reach: self.reach(), ..rows::alert::Filter::default() };
        let mut labels: BTreeMap<String, String> = BTreeMap::new();
        for alert in rows::alert::list(self.db(), &filter, ALERTS_LOOKED_AT).await?.iter().map(alert_view) {
            for (name, value) in alert.texts("labels") {
                labels.entry(name.to_owned()).or_insert_with(|| value.to_owned());
            }
        }
        let value = |name: &str| -> &str {
            match name {
                "service" => incident.service.as_deref().unwrap_or(""),
                "severity" => incident.severity.word(),
                "title" => &incident.title,
                "type" => incident.work.typed.as_ref().map_or("", |typed| typed.kind.as_str()),
                label => labels.get(label.strip_prefix("labels.").unwrap_or(label)).map_or("", String::as_str),
            }
        };
        let runs = |id: &str| incident.work.plans.iter().any(|running| running.plan == id);
        let now = self.engine().now();
        Ok(org.plans_for(value).filter(|plan| !runs(&plan.id)).map(|plan| ProposedPlanView::of(plan, now)).collect())
    }
    /// What a plan would do, were it to start now in an incident of this service and severity; nothing is started.
    ///
    /// # Errors
    /// When there is no such plan, or the asker may not look at the organisation.
    pub fn try_plan(&self, id: &str, service: Option<&str>, severity: Severity) -> Result<PlanTryView, NoAnswer> {
        let org = self.organisation()?;
        let plan = org.plan(id).ok_or(NoAnswer::Missing("plan"))?;
        Ok(PlanTryView::of(&org, plan, service, severity, self.engine().now()))
    }

    /// The plans that are shipped, each with whether the organisation has one of its id.
    ///
    /// # Errors
    /// When the asker may not look at the organisation.
    pub fn shipped_plans(&self) -> Result<Vec<ShippedPlanView>, NoAnswer> {
        let org = self.organisation()?;
        Ok(SHIPPED.iter().map(|shipped| ShippedPlanView::of(shipped, org.plan(shipped.id).is_some())).collect())
    }
}
