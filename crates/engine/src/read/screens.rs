//! Questions that only screens ask: everything open at once with what is awaited of it, whom a
//! service would page now, and the organisation's forms with their history.
//!
//! Each is a bounded number of reads however much is open, and goes through the same methods of
//! [`Queries`] as every other reader, so that who may see what is decided in one place.

use std::collections::HashMap;

use allclear_domain::access::Right;
use allclear_domain::expect::Rule;
use allclear_domain::ids::IncidentId;
use allclear_domain::incident::Severity;
use allclear_domain::org::diff::FormKind;
use allclear_domain::view::{IncidentView, StepExplanation};
use allclear_store::rows;
use jiff::Timestamp;

use crate::read::explain::explain_policy;
use crate::read::{IncidentFilter, NoAnswer, Queries};

/// Incidents of one board at most (issue: a board of 1,000 open incidents).
pub const BOARD_MAX: usize = 1000;

/// A live expectation of an incident or one of its pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Awaited {
    /// Whose.
    pub incident: IncidentId,
    /// What is awaited.
    pub rule: Rule,
    /// By when.
    pub due_at: Timestamp,
}

/// A form of the organisation as lists show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormLine {
    pub kind: FormKind,
    pub id: String,
    /// The organisation's version that changed it last.
    pub version: u64,
    /// `file` where a file owns it.
    pub managed: Option<String>,
    pub at: Timestamp,
}

/// A change of a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormChange {
    pub version: u64,
    pub actor: String,
    pub at: Timestamp,
}

impl Queries<'_> {
    /// Open incidents, the worst first and of one severity the newest first; `BOARD_MAX` at most,
    /// and whether there are more. What is due next of each is told by [`Queries::awaited`].
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn open_incidents(&self, narrowed: &IncidentFilter) -> Result<(Vec<IncidentView>, bool), NoAnswer> {
        self.boarded(&self.on_board(narrowed)?).await
    }

    async fn boarded(&self, filter: &rows::incident::Filter) -> Result<(Vec<IncidentView>, bool), NoAnswer> {
        let mut found = rows::incident::list(self.db(), filter, BOARD_MAX as i64 + 1).await?;
        let cut = found.len() > BOARD_MAX;
        found.truncate(BOARD_MAX);
        Ok((found.iter().map(|(incident, head)| IncidentView::of(incident, head.version, None)).collect(), cut))
    }

    /// Open incidents of the asker, as [`IncidentView::is_of`] says, in the order of a board; and whether there are more.
    /// They are asked for by name, since a board of everybody's may leave out any of them.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn open_of_asker(&self) -> Result<(Vec<IncidentView>, bool), NoAnswer> {
        let Some(me) = self.who().person() else { return Ok((Vec::new(), false)) };
        let filter = rows::incident::Filter { naming: Some(me.to_owned()), ..self.on_board(&IncidentFilter::default())? };
        let (mut found, cut) = self.boarded(&filter).await?;
        // The store knows who is named, and not by what.
        found.retain(|incident| incident.is_of(me));
        Ok((found, cut))
    }

    /// How many incidents of each service are open, of those the asker sees, and the worst severity among them.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn open_by_service(&self) -> Result<HashMap<String, (i64, Severity)>, NoAnswer> {
        self.may(Right::See)?;
        let found = rows::incident::open_by_service(self.db(), &self.reach()).await?;
        Ok(found.into_iter().map(|(service, count, worst)| (service, (count, worst))).collect())
    }

    /// What is awaited of each incident that [`Queries::open_incidents`] gives.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn awaited(&self, narrowed: &IncidentFilter) -> Result<Vec<Awaited>, NoAnswer> {
        let found = rows::expectation::live_of(self.db(), &self.on_board(narrowed)?, BOARD_MAX as i64).await?;
        Ok(found.into_iter().map(|(incident, rule, due_at)| Awaited { incident, rule, due_at }).collect())
    }

    fn on_board(&self, narrowed: &IncidentFilter) -> Result<rows::incident::Filter, NoAnswer> {
        self.may(Right::See)?;
        Ok(rows::incident::Filter { open: true, worst_first: true, ..self.stored_filter(narrowed) })
    }

    /// Whom a service's escalation policy would page, were it to start now for this severity.
    ///
    /// # Errors
    /// When there is no such service, or the asker may not see the organisation.
    pub fn who_would_be_paged(&self, service: &str, severity: Severity) -> Result<Vec<StepExplanation>, NoAnswer> {
        let org = self.organisation()?;
        org.service(service).ok_or(NoAnswer::Missing("service"))?;
        let policy = org.escalation_of(service).map(|form| form.id.as_str());
        Ok(explain_policy(&org, policy, severity, self.engine().now()))
    }

    /// Every form of the organisation, without its content.
    ///
    /// # Errors
    /// When the asker is no administrator, or the store does not answer.
    pub async fn forms(&self) -> Result<Vec<FormLine>, NoAnswer> {
        self.may(Right::Administer)?;
        let stored = rows::form::all(self.engine().db()).await?;
        Ok(stored
            .into_iter()
            .filter_map(|row| {
                let kind = FormKind::from_word(&row.kind)?;
                Some(FormLine { kind, id: row.id, version: row.version, managed: row.managed, at: row.at })
            })
            .collect())
    }

    /// Who changed a form, and when; the newest first.
    ///
    /// # Errors
    /// When the asker is no administrator, or the store does not answer.
    pub async fn form_history(&self, kind: FormKind, id: &str) -> Result<Vec<FormChange>, NoAnswer> {
        self.may(Right::Administer)?;
        let mut found: Vec<FormChange> = rows::form::versions(self.engine().db(), kind.word(), id)
            .await?
            .into_iter()
            .map(|row| FormChange { version: row.version, actor: row.actor, at: row.at })
            .collect();
        found.sort_by_key(|change| std::cmp::Reverse(change.version));
        Ok(found)
    }
}
