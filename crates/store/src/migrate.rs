//! The schema's steps: numbered, each applied once in a transaction of its own, recorded in the table
//! `migration`. A kill between two steps leaves a database that the next start completes.
//!
//! A step that was applied is never edited: its name is compared, so that a mix-up is noticed.

use crate::fault::{Fault, FaultKind, OpenError};
use crate::sql_text::{self, Dialect};

/// One step of the schema.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// Its number; steps are listed in rising order, starting at 1.
    pub number: i64,
    /// What it does, in a few words.
    pub name: &'static str,
    /// Statements for both databases, with the tokens `{BYTES}` and `{SEQ}`.
    pub sql: &'static str,
    /// More statements for SQLite, after the common ones.
    pub sqlite: &'static str,
    /// More statements for PostgreSQL, after the common ones.
    pub postgres: &'static str,
}

impl Migration {
    /// The statements for one database.
    #[must_use]
    pub fn text(&self, dialect: Dialect) -> String {
        let own = match dialect {
            Dialect::Sqlite => self.sqlite,
            Dialect::Postgres => self.postgres,
        };
        format!("{}\n{}", sql_text::ddl(self.sql, dialect), sql_text::ddl(own, dialect))
    }

    pub(crate) fn failed(&self, why: impl ToString) -> OpenError {
        OpenError::Migration { number: self.number, name: self.name, why: why.to_string() }
    }
}

/// The table that records what was applied.
pub(crate) const RECORD_TABLE: &str = "create table if not exists migration (number bigint primary key, name text not null)";
/// What was applied, in order.
pub(crate) const RECORD_READ: &str = "select number, name from migration order by number";
/// Records one step.
pub(crate) const RECORD_WRITE: &str = "insert into migration (number, name) values (?1, ?2)";

/// The newest step a program knows.
pub(crate) fn newest(migrations: &[Migration]) -> i64 {
    migrations.last().map_or(0, |migration| migration.number)
}

/// The steps still to apply, given the ones applied; refuses a newer database and a different history.
pub(crate) fn pending<'a>(migrations: &'a [Migration], applied: &[(i64, String)]) -> Result<&'a [Migration], OpenError> {
    let known = newest(migrations);
    let found = applied.last().map_or(0, |(number, _)| *number);
    if found > known {
        return Err(OpenError::TooNew { found, known });
    }
    for (number, name) in applied {
        let ours = migrations.iter().find(|migration| migration.number == *number).map(|migration| migration.name);
        if ours != Some(name.as_str()) {
            return Err(OpenError::Fault(Fault::new(
                FaultKind::Corrupt,
                format!(
                    "the database says that migration {number} was `{name}`, and this release knows it as `{}`; it belongs to another program or another line of releases",
                    ours.unwrap_or("nothing")
                ),
            )));
        }
    }
    Ok(&migrations[applied.len().min(migrations.len())..])
}
