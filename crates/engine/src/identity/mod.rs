//! Who asks and how that is known: tokens, sessions, passwords, devices, addresses of calendars, and sealed secrets.

mod audit;
pub mod cookies;
pub mod feeds;
pub mod own_key;
pub mod password;
pub mod seal;
pub mod sessions;
pub(crate) mod sign_in;
pub(crate) mod throttle;
pub mod tokens;
pub(crate) mod visitor;
pub(crate) mod ways_in;

use allclear_domain::access::Denied;
use allclear_store::{CommitError, Fault};

/// Why a token or a link was not made, shown or revoked.
#[derive(Debug, thiserror::Error)]
pub enum NotDone {
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error("the store does not answer: {0}")]
    Store(#[from] CommitError),
}

impl From<Fault> for NotDone {
    fn from(fault: Fault) -> Self {
        Self::Store(CommitError::Fault(fault))
    }
}
