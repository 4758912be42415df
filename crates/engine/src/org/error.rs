//! Why the organisation was not changed.

use allclear_domain::access::Denied;
use allclear_store::{CommitError, Fault};

/// See the module.
#[derive(Debug, thiserror::Error)]
pub enum OrgError {
    #[error("the store cannot keep it now: {0}")]
    Store(#[from] Fault),
    #[error("somebody else changed the organisation at the same time: look again, and apply again")]
    Conflict,
    #[error("{0}")]
    Stored(String),
    /// More than a sender may keep here.
    #[error("{0}")]
    Limit(String),
    #[error("there is no {kind} `{id}`")]
    Missing { kind: &'static str, id: String },
    #[error("{0}")]
    Wrong(&'static str),
    #[error(transparent)]
    Denied(#[from] Denied),
}

impl From<CommitError> for OrgError {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Conflict { .. } => Self::Conflict,
            CommitError::Fault(fault) => Self::Store(fault),
        }
    }
}
