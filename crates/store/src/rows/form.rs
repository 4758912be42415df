//! The organisation's forms, and their earlier versions.

use allclear_domain::access::Actor;
use jiff::Timestamp;

use super::{Reader, count, instant, opt_count, opt_text, text};
use crate::db::Db;
use crate::fault::Fault;
use crate::schema::{FORM, FORM_HISTORY};
use crate::val::{Row, Val, Write};

/// A form as stored; secrets in its body are sealed.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredForm {
    pub kind: String,
    pub id: String,
    /// Version of the form: the organisation's version when it last changed.
    pub version: u64,
    /// Order within its kind.
    pub position: u32,
    /// `file` where a bundle owns it.
    pub managed: Option<String>,
    /// JSON.
    pub body: String,
    pub at: Timestamp,
    /// The organisation's version that made it; absent where a node of an earlier release did.
    pub made: Option<u64>,
    /// Who made it, as an actor is written.
    pub made_by: Option<String>,
}

/// Writes a form and its history.
#[must_use]
pub fn put(f: &StoredForm, actor: &Actor) -> [Write; 2] {
    [
        Write::Upsert {
            table: &FORM,
            row: vec![
                text(&f.kind),
                text(&f.id),
                count(f.version),
                Val::from(f.position),
                opt_text(f.managed.as_ref()),
                text(&f.body),
                instant(f.at),
                opt_count(f.made),
                opt_text(f.made_by.as_ref()),
            ],
        },
        history(&f.kind, &f.id, f.version, Some(&f.body), actor, f.at),
    ]
}

/// Removes a form; its history says so.
#[must_use]
pub fn remove(kind: &str, id: &str, version: u64, actor: &Actor, at: Timestamp) -> [Write; 2] {
    [
        Write::Exec { table: &FORM, sql: "delete from form where kind = ?1 and id = ?2", args: vec![text(kind), text(id)], expect: None },
        history(kind, id, version, None, actor, at),
    ]
}

fn history(kind: &str, id: &str, version: u64, body: Option<&String>, actor: &Actor, at: Timestamp) -> Write {
    Write::Upsert { table: &FORM_HISTORY, row: vec![text(kind), text(id), count(version), opt_text(body), text(actor), instant(at)] }
}

/// Erases the bodies of a form's earlier versions but for the newest.
#[must_use]
pub fn forget_history(kind: &str, id: &str, keep: u32) -> Write {
    Write::Exec {
        table: &FORM_HISTORY,
        sql: "delete from form_history where kind = ?1 and id = ?2 and version not in \
              (select version from form_history where kind = ?1 and id = ?2 order by version desc limit ?3)",
        args: vec![text(kind), text(id), Val::from(keep)],
        expect: None,
    }
}

/// Every form, in order.
pub async fn all(db: &Db) -> Result<Vec<StoredForm>, Fault> {
    let rows = db
        .read("select kind, id, version, position, managed, body, at, made, made_by from form order by kind, position, id", vec![])
        .await?;
    rows.iter().map(stored).collect()
}

fn stored(row: &Row) -> Result<StoredForm, Fault> {
    let mut r = Reader::new(row);
    Ok(StoredForm {
        kind: r.text()?,
        id: r.text()?,
        version: r.count()?,
        position: r.small()?,
        managed: r.opt_text()?,
        body: r.text()?,
        at: r.instant()?,
        made: r.opt_count()?,
        made_by: r.opt_text()?,
    })
}

/// One earlier version of a form.
#[derive(Debug, Clone, PartialEq)]
pub struct Version {
    pub version: u64,
    /// Absent where the form was removed, or the version was erased.
    pub body: Option<String>,
    pub actor: String,
    pub at: Timestamp,
}

/// Versions of one form, newest first.
pub async fn versions(db: &Db, kind: &str, id: &str) -> Result<Vec<Version>, Fault> {
    let rows = db
        .read(
            "select version, body, actor, at from form_history where kind = ?1 and id = ?2 order by version desc limit 100",
            vec![text(kind), text(id)],
        )
        .await?;
    rows.iter()
        .map(|row| {
            let mut r = Reader::new(row);
            Ok(Version { version: r.count()?, body: r.opt_text()?, actor: r.text()?, at: r.instant()? })
        })
        .collect()
}
