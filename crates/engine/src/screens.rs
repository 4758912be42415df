//! Questions that only screens ask: everything open at once with what is awaited of it, whom a
//! service would page now, and the organisation's forms with their history.
//!
//! Each is a bounded number of reads however much is open, and goes through the same methods of
//! [`Queries`] as every other reader, so that who may see what is decided in one place.

use allclear_domain::expect::Rule;
use allclear_domain::ids::IncidentId;
use allclear_domain::incident::Severity;
use allclear_domain::org::diff::FormKind;
use allclear_domain::view::{IncidentView, StepExplanation};
use allclear_store::rows;
use jiff::Timestamp;

use crate::queries::{IncidentFilter, LIST_MAX, NoAnswer, Queries, explain_policy};

/// Incidents of one board at most (issue: a board of 1,000 open incidents).
pub const BOARD_MAX: usize = 1000;
/// Ids of one statement: PostgreSQL and SQLite both take far more; a statement's text stays small.
const IDS_PER_READ: usize = 500;

/// A live expectation of an incident or one of its pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Awaited {
    /// Whose.
    pub incident: IncidentId,
    /// What is awaited.
    pub rule: Rule,
    /// By when, the earliest of this rule.
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
    /// and whether there are more.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn open_incidents(&self, narrowed: &IncidentFilter) -> Result<(Vec<IncidentView>, bool), NoAnswer> {
        let open = IncidentFilter { open: true, ..narrowed.clone() };
        // One walk over what is open; by severity only where that is more than a board holds, since those
        // walks pass over what has ended, too.
        let mut found = self.some_open(open.clone(), BOARD_MAX + 1).await?;
        if found.len() <= BOARD_MAX {
            found.sort_by_key(|incident| incident.severity);
            return Ok((found, false));
        }
        found.clear();
        for severity in Severity::ALL.into_iter().filter(|severity| open.severity.is_none_or(|only| only == *severity)) {
            let left = BOARD_MAX - found.len();
            if left == 0 {
                break;
            }
            found.extend(self.some_open(IncidentFilter { severity: Some(severity), ..open.clone() }, left).await?);
        }
        Ok((found, true))
    }

    /// The newest that fit, `most` of them.
    async fn some_open(&self, mut filter: IncidentFilter, most: usize) -> Result<Vec<IncidentView>, NoAnswer> {
        let mut found: Vec<IncidentView> = Vec::new();
        loop {
            let some = self.incidents(filter.clone(), LIST_MAX).await?;
            let full = some.len() as i64 == LIST_MAX;
            filter.before = some.last().and_then(|last| last.id.parse().ok());
            found.extend(some);
            if !full || found.len() >= most {
                found.truncate(most);
                return Ok(found);
            }
        }
    }

    /// What is awaited of each of these incidents, which the asker has been shown.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn awaited(&self, incidents: &[IncidentId]) -> Result<Vec<Awaited>, NoAnswer> {
        let mut out = Vec::new();
        for some in incidents.chunks(IDS_PER_READ) {
            let found = rows::expectation::live_of(self.engine().db(), some).await?;
            out.extend(found.into_iter().map(|(incident, rule, due_at)| Awaited { incident, rule, due_at }));
        }
        Ok(out)
    }

    /// Whom a service's escalation policy would page, were it to start now for this severity.
    ///
    /// # Errors
    /// When there is no such service.
    pub fn who_would_be_paged(&self, service: &str, severity: Severity) -> Result<Vec<StepExplanation>, NoAnswer> {
        let org = self.engine().org();
        org.service(service).ok_or(NoAnswer::Missing("service"))?;
        let policy = org.escalation_of(service).map(|form| form.id.as_str());
        Ok(explain_policy(&org, policy, severity, self.engine().now()))
    }

    /// Every form of the organisation, without its content.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn forms(&self) -> Result<Vec<FormLine>, NoAnswer> {
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
    /// When the store does not answer.
    pub async fn form_history(&self, kind: FormKind, id: &str) -> Result<Vec<FormChange>, NoAnswer> {
        let mut found: Vec<FormChange> = rows::form::versions(self.engine().db(), kind.word(), id)
            .await?
            .into_iter()
            .map(|row| FormChange { version: row.version, actor: row.actor, at: row.at })
            .collect();
        found.sort_by_key(|change| std::cmp::Reverse(change.version));
        Ok(found)
    }
}
