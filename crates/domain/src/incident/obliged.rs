//! Obligations of an incident as they are folded and kept: which rule may apply or does, since when somebody was aware, what is
//! due, and what was submitted. Each keeps the rule as it was when it was proposed: what the organisation changes later
//! changes nothing that runs.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::IncidentId;
use crate::obligation::{Period, Status};

/// Hundredths of its time after which whoever leads is told, before it is over.
pub const WARNED_AT: [u8; 2] = [50, 80];

/// Where an obligation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = ObligationState))]
pub enum ObligationState {
    /// It may apply: somebody has to decide.
    MayApply,
    /// It applies, and something is still to be submitted.
    Applies,
    DoesNotApply,
    /// All that it asks for was submitted.
    Fulfilled,
    /// It was open when the incident was closed, with a reason.
    Waived,
    /// The incident was cancelled.
    Ended,
}

impl ObligationState {
    /// As people read it.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::MayApply => "may apply",
            Self::Applies => "applies",
            Self::DoesNotApply => "does not apply",
            Self::Fulfilled => "fulfilled",
            Self::Waived => "waived",
            Self::Ended => "ended",
        }
    }

    /// Whether somebody has to decide, or to submit something.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::MayApply | Self::Applies)
    }
}

/// A rule as an organisation had adopted it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adopted {
    /// Its id among the shipped ones, and their version.
    pub rule: String,
    pub version: String,
    /// What the organisation calls it.
    pub name: String,
    pub regime: String,
    pub source: String,
    pub status: Status,
    pub trigger: String,
    pub starts_at: String,
    pub recipient: String,
    /// The organisation that is the recipient, where one was chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organisation: Option<String>,
    /// Whose days count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calendar: Option<String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub assumes: String,
    /// Why its first report has a time of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own_time: Option<String>,
    /// What is submitted, in that order.
    pub reports: Vec<ReportAsked>,
}

/// Something that a rule asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportAsked {
    pub name: String,
    pub within: Period,
    pub content: Vec<String>,
}

/// An obligation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Obligation {
    /// From 1, within the incident.
    pub obligation: u32,
    /// The id of the form that adopted it.
    pub form: String,
    pub rule: Adopted,
    /// Why it may apply, where no person said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
    pub proposed_at: Timestamp,
    pub state: ObligationState,
    /// What was decided last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub awareness: Option<Awareness>,
    /// Those whose time counts or counted, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reports: Vec<Report>,
    /// Where it came from with a merge, and its number there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<(IncidentId, u32)>,
}

/// Whether it applies, as somebody decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Awareness {
    pub aware_at: Timestamp,
    pub decided_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    pub why: String,
}

/// A report that is due, or was submitted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// From 1, in the order of the rule.
    pub report: u32,
    /// From when its time counts.
    pub from: Timestamp,
    pub due_at: Timestamp,
    /// The last share of [`WARNED_AT`] that somebody was told of; zero before.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub warned: u8,
    /// When it was last found to be missed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missed_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub submitted: Option<Submission>,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde's way
const fn is_zero(n: &u8) -> bool {
    *n == 0
}

/// That it was submitted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Submission {
    pub at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// What the recipient calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// A link, or where it is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<String>,
    /// What of its content it says, by the numbers of the list.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<u32>,
    /// Whether it came after its time.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub late: bool,
}

impl Report {
    /// Whether its time is still to come: it was not missed, or has another one since.
    #[must_use]
    pub fn is_watched(&self) -> bool {
        self.missed_at.is_none_or(|missed_at| self.due_at > missed_at)
    }

    /// Its time was missed, and it was not submitted in time.
    #[must_use]
    pub fn is_late(&self) -> bool {
        self.submitted.as_ref().map_or(!self.is_watched(), |submission| submission.late)
    }

    fn mark(&self, share: u8) -> Timestamp {
        let all = self.due_at.as_microsecond().saturating_sub(self.from.as_microsecond());
        crate::time::from_micros(self.from.as_microsecond().saturating_add(all / 100 * i64::from(share)))
    }

    /// The last share whose time has come by an instant and of which nobody was told.
    #[must_use]
    pub fn to_warn(&self, now: Timestamp) -> Option<u8> {
        WARNED_AT.into_iter().rfind(|share| *share > self.warned && self.mark(*share) <= now)
    }

    /// When it has to be looked at next.
    #[must_use]
    pub fn look_at(&self) -> Timestamp {
        WARNED_AT.into_iter().find(|share| *share > self.warned).map_or(self.due_at, |share| self.mark(share))
    }
}

impl Obligation {
    /// A report whose time counts or counted, by its number.
    #[must_use]
    pub fn report(&self, number: u32) -> Option<&Report> {
        self.reports.iter().find(|report| report.report == number)
    }

    pub(super) fn report_mut(&mut self, number: u32) -> Option<&mut Report> {
        self.reports.iter_mut().find(|report| report.report == number)
    }

    /// What is to be submitted next.
    #[must_use]
    pub fn owed(&self) -> Option<&Report> {
        self.reports.iter().find(|report| report.submitted.is_none()).filter(|_| self.state == ObligationState::Applies)
    }

    /// What the rule asks for by this number.
    #[must_use]
    pub fn asked(&self, report: u32) -> Option<&ReportAsked> {
        self.rule.reports.get(usize::try_from(report).ok()?.checked_sub(1)?)
    }

    /// `GDPR art. 33: notification`.
    #[must_use]
    pub fn called(&self, report: u32) -> String {
        let name = self.asked(report).map_or("report", |asked| asked.name.as_str());
        format!("{}: {name}", self.rule.name)
    }

    /// Where it stands, by what was submitted.
    /// What ended with an incident that it is not of any more stands as it stood.
    pub(super) fn stand_again(&mut self) {
        if self.reports.is_empty() {
            self.state = ObligationState::MayApply;
        } else {
            self.settle(true);
        }
    }

    pub(super) fn settle(&mut self, applies: bool) {
        let all = self.reports.len() >= self.rule.reports.len() && self.reports.iter().all(|report| report.submitted.is_some());
        self.state = match (applies, all) {
            (false, _) => ObligationState::DoesNotApply,
            (true, true) => ObligationState::Fulfilled,
            (true, false) => ObligationState::Applies,
        };
    }
}
