//! Saved views.

use allclear_domain::access::Actor;
use allclear_domain::ids::ViewId;
use jiff::Timestamp;

use super::{Reader, instant, text};
use crate::db::Db;
use crate::fault::{Fault, FaultKind};
use crate::schema::SAVED_VIEW;
use crate::val::{Row, Write};

/// Whose a view is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Owner {
    /// One person's.
    Person(String),
    /// Of everybody in a team.
    Team(String),
}

impl std::fmt::Display for Owner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Person(id) => write!(f, "person:{id}"),
            Self::Team(id) => write!(f, "team:{id}"),
        }
    }
}

impl Owner {
    fn read(stored: &str) -> Option<Self> {
        match stored.split_once(':')? {
            ("person", id) => Some(Self::Person(id.to_owned())),
            ("team", id) => Some(Self::Team(id.to_owned())),
            _ => None,
        }
    }
}

/// A view as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredView {
    pub id: ViewId,
    pub owner: Owner,
    pub name: String,
    pub address: String,
    pub made_by: Actor,
    pub made_at: Timestamp,
}

/// A new view, or one with another name. Two of one owner have different names.
#[must_use]
pub fn put(view: &StoredView) -> Write {
    Write::Upsert {
        table: &SAVED_VIEW,
        row: vec![text(view.id), text(&view.owner), text(&view.name), text(&view.address), text(&view.made_by), instant(view.made_at)],
    }
}

/// Takes one away.
#[must_use]
pub fn remove(id: ViewId) -> Write {
    Write::Exec { table: &SAVED_VIEW, sql: "delete from saved_view where id = ?1", args: vec![text(id)], expect: None }
}

/// Takes away what somebody kept for themself.
#[must_use]
pub fn remove_all_of(person: &str) -> Write {
    let owner = Owner::Person(person.to_owned());
    Write::Exec { table: &SAVED_VIEW, sql: "delete from saved_view where owner = ?1", args: vec![text(owner)], expect: None }
}

fn stored(row: &Row) -> Result<StoredView, Fault> {
    let mut r = Reader::new(row);
    Ok(StoredView {
        id: r.parse()?,
        owner: r.word(Owner::read)?,
        name: r.text()?,
        address: r.text()?,
        made_by: r.parse()?,
        made_at: r.instant()?,
    })
}

/// One of them.
///
/// # Errors
/// When the store does not answer.
pub async fn get(db: &Db, id: ViewId) -> Result<Option<StoredView>, Fault> {
    let sql = "select id, owner, name, address, made_by, made_at from saved_view where id = ?1";
    let rows = db.read(sql, vec![text(id)]).await?;
    rows.first().map(stored).transpose()
}

/// Those of these owners, by their names.
///
/// # Errors
/// When the store does not answer.
pub async fn of(db: &Db, owners: &[Owner]) -> Result<Vec<StoredView>, Fault> {
    if owners.is_empty() {
        return Ok(Vec::new());
    }
    let marks: Vec<String> = (1..=owners.len()).map(|n| format!("?{n}")).collect();
    let sql = format!("select id, owner, name, address, made_by, made_at from saved_view where owner in ({})", marks.join(", "));
    let rows = db.read(&sql, owners.iter().map(text).collect()).await?;
    let mut found = super::readable(db, &rows, "saved_view", stored);
    // Collations of databases differ.
    found.sort_by(|a, b| (&a.owner, &a.name).cmp(&(&b.owner, &b.name)));
    Ok(found)
}

/// Whether a fault says that an owner has a view of this name already.
#[must_use]
pub fn is_taken(fault: &Fault) -> bool {
    fault.kind == FaultKind::Constraint
}
