//! What can go wrong, in two families: a conflict (somebody else was first; read again and decide
//! again) and a fault (the world failed; answer 503 and try later, or report a mistake of ours).

use std::borrow::Cow;

/// What sort of failure it was, so that a caller can tell "try later" from "somebody must look".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// Locked or overloaded for longer than we wait; trying again may work.
    Busy,
    /// No space is left where the data lies.
    Full,
    /// Reading or writing the storage failed.
    Io,
    /// The database may only be read.
    ReadOnly,
    /// The file is damaged or is no database.
    Corrupt,
    /// The database server cannot be reached, or the connection broke.
    Unreachable,
    /// The statement took longer than its limit.
    Timeout,
    /// The schema's rules refuse the row (a check, a missing parent, a missing value).
    Constraint,
    /// The statement or its parameters are wrong: a mistake in this program.
    Statement,
    /// A column was read as what it is not: a mistake in this program.
    Column,
    /// The database was closed.
    Closed,
    /// A failure that a test or simulation asked for.
    Injected,
    /// Anything else.
    Other,
}

/// The world failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}{}", if *.outcome_unknown { " (whether the commit took effect is unknown)" } else { "" })]
pub struct Fault {
    /// What sort of failure.
    pub kind: FaultKind,
    /// What was tried and what was answered, without any value of a row.
    pub why: Cow<'static, str>,
    /// Whether the commit may have taken effect all the same: read before deciding again.
    pub outcome_unknown: bool,
}

impl Fault {
    /// A failure that certainly left nothing behind.
    pub fn new(kind: FaultKind, why: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, why: why.into(), outcome_unknown: false }
    }

    /// The same failure at a moment where the commit may have taken effect.
    #[must_use]
    pub fn unknown(mut self) -> Self {
        self.outcome_unknown = true;
        self
    }

    /// The same failure, saying first what was being done.
    #[must_use]
    pub fn while_doing(mut self, doing: &str) -> Self {
        self.why = format!("{doing}: {}", self.why).into();
        self
    }

    pub(crate) fn closed() -> Self {
        Self::new(FaultKind::Closed, "the database is closed")
    }

    /// Whether the failure lies in what was asked, so that another commit of the same group may pass.
    pub(crate) fn is_the_callers(&self) -> bool {
        matches!(self.kind, FaultKind::Constraint | FaultKind::Statement)
    }
}

/// Why a commit did not happen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    /// Somebody else was first: read again, decide again.
    #[error("conflict in table {table}: {why}")]
    Conflict {
        /// The table whose guard or key refused.
        table: &'static str,
        /// What was found.
        why: String,
    },
    /// The world failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// Why a database could not be opened.
#[derive(Debug, Clone, thiserror::Error)]
pub enum OpenError {
    /// The address is none we know.
    #[error("`{given}` is not a database we can open: {why}; write `sqlite:PATH`, `sqlite::memory:` or `postgres://user@host/name`")]
    Address {
        /// The address, its password hidden.
        given: String,
        /// What is wrong with it.
        why: String,
    },
    /// Another server has the file.
    #[error("{path} is in use by another running server; stop it, or point this one at another file")]
    InUse {
        /// The database file.
        path: String,
    },
    /// The file is damaged.
    #[error(
        "{path} is damaged: {why}. Nothing was changed. Keep a copy of the file and of {path}-wal; then `allclear restore BACKUP --database sqlite:NEW.db` from the last good backup, and start on NEW.db with the same secret key file"
    )]
    Damaged {
        /// The database file.
        path: String,
        /// What was found.
        why: String,
    },
    /// The database software is too old.
    #[error("{what} {found} is too old; version {needed} or newer is needed")]
    TooOld {
        /// Which software.
        what: &'static str,
        /// Its version.
        found: String,
        /// The oldest that works.
        needed: &'static str,
    },
    /// A newer release of this program wrote the database.
    #[error(
        "the database was written by a newer release (migration {found}; this release knows up to {known}); start that release or a newer one, or restore a copy made before the upgrade"
    )]
    TooNew {
        /// The newest migration in the database.
        found: i64,
        /// The newest this program knows.
        known: i64,
    },
    /// The schema is older than this program, and this way of opening may not change it.
    #[error("the database is at migration {found} and this release needs {known}; start the server once so that it is brought up to date")]
    NeedsMigration {
        /// The newest migration in the database.
        found: i64,
        /// The newest this program knows.
        known: i64,
    },
    /// A step of the schema failed; the steps before it stand.
    #[error("migration {number} ({name}) failed and was rolled back: {why}")]
    Migration {
        /// Its number.
        number: i64,
        /// Its name.
        name: &'static str,
        /// What the database answered.
        why: String,
    },
    /// The world failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// An address fit for a message: the password and the options, which may hold one, hidden.
pub(crate) fn without_password(url: &str) -> String {
    let url = url.split('?').next().unwrap_or_default();
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    match rest.rsplit_once('@') {
        Some((user, host)) => {
            format!("{scheme}://{}:…@{host}", user.split(':').next().unwrap_or_default())
        }
        None => url.to_owned(),
    }
}
