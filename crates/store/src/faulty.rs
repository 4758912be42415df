//! Failures on purpose: for the simulator, which decides about each commit, and for kill tests,
//! which end the process at a named point.

use std::sync::{Arc, PoisonError, RwLock};

use crate::val::Write;

/// What shall become of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum FaultPlan {
    /// It goes its way.
    #[default]
    None,
    /// It is refused before anything is written.
    FailBefore,
    /// The disk is full: refused, unless it may use what is kept for that.
    Full,
    /// It is written, and the caller is told that this is unknown.
    FailAfter,
}

/// Decides about each commit.
pub type FaultHook = Arc<dyn Fn(&[Write]) -> FaultPlan + Send + Sync>;

/// The moments at which a kill finds something worth finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommitPoint {
    /// All is written and nothing is durable.
    BeforeCommit,
    /// All is durable and nobody was told.
    AfterCommit,
}

/// Called at each [`CommitPoint`], on the thread or task that writes.
pub type PointHook = Box<dyn Fn(CommitPoint) + Send + Sync>;

/// Where the writer looks for a [`PointHook`].
#[derive(Default)]
pub(crate) struct Points(RwLock<Option<PointHook>>);

impl Points {
    pub(crate) fn set(&self, hook: Option<PointHook>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = hook;
    }

    pub(crate) fn reach(&self, point: CommitPoint) {
        if let Some(hook) = self.0.read().unwrap_or_else(PoisonError::into_inner).as_ref() {
            hook(point);
        }
    }
}
