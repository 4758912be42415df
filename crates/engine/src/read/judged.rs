//! What is known of how bad an incident is, for its page: its type with what is still to be answered, what is advised, what may be
//! hit next, and how its alarms come.

use allclear_domain::access::Right;
use allclear_domain::ids::IncidentId;
use allclear_domain::incident::Incident;
use allclear_domain::incident::advice::advice;
use allclear_domain::view::{AdviceView, AlarmsView, AlertView, BlastView, IncidentView};
use allclear_store::rows;

use super::alerts::alert_view;
use super::{NoAnswer, Queries};

/// Alerts that are looked at, the newest.
const ALERTS_LOOKED_AT: i64 = 50;

impl Queries<'_> {
    pub(super) async fn fill_judged(&self, view: &mut IncidentView, incident: &Incident) -> Result<(), NoAnswer> {
        let (org, now) = (self.engine().org(), self.engine().now());
        if let Some(kind) = &mut view.kind {
            let form = org.incident_type(&kind.kind);
            kind.fill(form);
        }
        let services = &org.bundle().services;
        view.advice = advice(incident, services, now).map(|advice| AdviceView {
            severity: advice.severity,
            reasons: advice.reasons.into_iter().map(|reason| reason.words).collect(),
        });
        // What depends on what is the organisation's, which guests do not see.
        view.blast = self.has(Right::SeeOrganisation).then(|| BlastView::of(incident, services)).filter(|blast| !blast.services.is_empty());
        if view.alerts.is_some_and(|alerts| alerts > 0) {
            let filter = rows::alert::Filter { incident: Some(incident.id), reach: self.reach(), ..rows::alert::Filter::default() };
            let newest: Vec<AlertView> = rows::alert::list(self.db(), &filter, ALERTS_LOOKED_AT).await?.iter().map(alert_view).collect();
            view.alarms = AlarmsView::of(&newest, incident.detected_at, now);
        }
        Ok(())
    }

    /// What an incident hits, and what may be hit next.
    ///
    /// # Errors
    /// When there is no such incident, or the asker may not look at the organisation.
    pub async fn blast(&self, id: IncidentId) -> Result<BlastView, NoAnswer> {
        let (incident, _) = self.stored_incident(id).await?;
        let org = self.organisation()?;
        Ok(BlastView::of(&incident, &org.bundle().services))
    }
}
