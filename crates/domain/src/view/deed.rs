//! What people read of what a step of a plan does by itself: where it goes, with what, and how it went.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::incident::running::DeedState;
use crate::incident::work::{Task, TaskState};
use crate::incident::{Incident, deeds};
use crate::org::forms::plan_deed::with_url;

/// What a step does by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = StepDeed))]
pub struct DeedView {
    /// The server that it goes to, or went to last; its address and its secret are the plan's.
    pub host: String,
    /// What it would send now, while it is open.
    pub body: Option<String>,
    /// Whether it is done once everything before the step is done; else somebody presses it.
    pub by_itself: bool,
    /// How it went last; null while it was never begun.
    pub state: Option<DeedState>,
    /// How often it was begun.
    pub runs: u32,
    pub begun_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    /// `HTTP 200`, or why it failed or was withdrawn.
    pub said: Option<String>,
    /// The beginning of what was answered.
    pub answer: Option<String>,
}

impl DeedView {
    pub(super) fn of(incident: &Incident, task: &Task) -> Option<Self> {
        let deed = task.step.as_ref()?.deed.as_ref()?;
        let last = deed.last.as_ref();
        Some(Self {
            host: last.map_or(&deed.host, |last| &last.host).clone(),
            body: deeds::body_of(incident, task).filter(|_| task.state == TaskState::Open),
            by_itself: deed.by_itself,
            state: last.map(|last| last.state),
            runs: last.map_or(0, |last| last.run),
            begun_at: last.map(|last| last.begun_at),
            ended_at: last.and_then(|last| last.ended_at),
            said: last.and_then(|last| last.said.clone()),
            answer: last.and_then(|last| last.answer.clone()),
        })
    }

    /// Fills in the address of the incident, which the reader's server knows.
    pub fn fill_url(&mut self, url: &str) {
        self.body = self.body.as_deref().map(|body| with_url(body, url));
    }

    /// Whether it may be pressed, where its step may begin.
    #[must_use]
    pub fn may_begin(&self) -> bool {
        self.state != Some(DeedState::UnderWay)
    }

    /// How it stands: `failed: HTTP 400 (no such site)`.
    #[must_use]
    pub fn words(&self) -> String {
        let Some(state) = self.state else {
            return if self.by_itself { "is sent by itself".to_owned() } else { "is sent when somebody presses it".to_owned() };
        };
        let said = self.said.as_ref().map_or_else(String::new, |said| format!(": {said}"));
        let answer = self.answer.as_ref().map_or_else(String::new, |answer| format!(" ({answer})"));
        format!("{}{said}{answer}", state.words())
    }
}
