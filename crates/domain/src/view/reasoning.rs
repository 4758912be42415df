//! What was decided about an incident, and what may be its cause, as people read them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::incident::Incident;
use crate::incident::work::{HypothesisState, Try};

/// A decision that may be looked at again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Decision))]
pub struct DecisionView {
    /// From 1, within its incident.
    pub decision: u32,
    pub text: String,
    /// What was to be decided.
    pub question: Option<String>,
    /// Between what.
    pub options: Vec<String>,
    /// Whether it can be undone; null where nobody said.
    pub reversible: Option<bool>,
    /// A person's id: who decided; null where a token of nobody wrote it down.
    pub by: Option<String>,
    /// When it was written down.
    pub at: Timestamp,
    /// When it is looked at again.
    pub review_at: Option<Timestamp>,
    /// Whether that time has come.
    pub due: bool,
    /// Whether it stands.
    pub stands: bool,
}

/// What may be the cause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Hypothesis))]
pub struct HypothesisView {
    /// From 1, within its incident.
    pub hypothesis: u32,
    pub text: String,
    #[cfg_attr(feature = "schema", schema(inline))]
    pub state: HypothesisState,
    /// Why it was judged so last.
    pub why: Option<String>,
    /// What was tried, in order.
    pub tries: Vec<Try>,
    pub raised_at: Timestamp,
}

/// Decisions of an incident, in the order in which they were made.
pub(super) fn decisions_of(incident: &Incident) -> Vec<DecisionView> {
    let view = |one: &crate::incident::work::DecisionMade| DecisionView {
        decision: one.decision,
        text: one.text.clone(),
        question: one.question.clone(),
        options: one.options.clone(),
        reversible: one.reversible,
        by: one.by.clone(),
        at: one.at,
        review_at: one.review_at,
        due: one.due,
        stands: one.stands,
    };
    incident.work.decisions.iter().map(view).collect()
}

/// Hypotheses of an incident, in the order in which they were raised.
pub(super) fn hypotheses_of(incident: &Incident) -> Vec<HypothesisView> {
    let view = |one: &crate::incident::work::Hypothesis| HypothesisView {
        hypothesis: one.hypothesis,
        text: one.text.clone(),
        state: one.state,
        why: one.why.clone(),
        tries: one.tries.clone(),
        raised_at: one.raised_at,
    };
    incident.work.hypotheses.iter().map(view).collect()
}
