//! Named values: the organisation's version, counters, the quarantine mark.

use super::text;
use crate::db::Db;
use crate::fault::Fault;
use crate::schema::META;
use crate::val::Write;

/// Version of the organisation.
pub const ORG_VERSION: &str = "org_version";
/// Digest of the organisation file applied last.
pub const ORG_DIGEST: &str = "org_digest";
/// The next free number of `INC-…`.
pub const NEXT_REFERENCE: &str = "next_reference";
/// Set when the rows of open incidents were told who has them.
pub const HOLDERS: &str = "holders";
/// Number of the newest checkpoint.
pub const CHECKPOINTS: &str = "checkpoints";
/// Set in copies; nothing is sent while it stands.
pub const QUARANTINE: &str = "quarantine";
/// Another value whenever somebody's way in ended: a token or a session.
pub const WAYS_IN: &str = "ways_in";
/// Microseconds that the machine's clock had come to when it was last noted.
pub const CLOCK: &str = "clock";
/// Where people reach the server that was started last, for links that are made beside it.
pub const REACHED_AT: &str = "reached_at";

/// The installation's key for pushes to browsers, sealed.
pub const PUSH_KEY: &str = "push_key";

/// What is known of the readings of an external calendar.
#[must_use]
pub fn external_calendar(id: &str) -> String {
    format!("external_calendar:{id}")
}

/// Sets a value.
#[must_use]
pub fn put(name: &str, value: &str) -> Write {
    Write::Upsert { table: &META, row: vec![text(name), text(value)] }
}

/// Sets a value that must be new.
#[must_use]
pub fn first(name: &str, value: &str) -> Write {
    Write::Insert { table: &META, row: vec![text(name), text(value)] }
}

/// Replaces a value that must still be `old`.
#[must_use]
pub fn swap(name: &str, old: &str, new: &str) -> Write {
    Write::Exec {
        table: &META,
        sql: "update meta set value = ?3 where name = ?1 and value = ?2",
        args: vec![text(name), text(old), text(new)],
        expect: Some(1),
    }
}

/// Removes a value.
#[must_use]
pub fn remove(name: &str) -> Write {
    Write::Exec { table: &META, sql: "delete from meta where name = ?1", args: vec![text(name)], expect: None }
}

/// A value.
pub async fn get(db: &Db, name: &str) -> Result<Option<String>, Fault> {
    let rows = db.read("select value from meta where name = ?1", vec![text(name)]).await?;
    rows.first().map(|row| row.text(0).map(ToOwned::to_owned)).transpose()
}
