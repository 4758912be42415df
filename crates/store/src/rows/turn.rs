//! Whose turn it was, in the steps of escalation policies that page one of many: a row a policy.

use allclear_domain::org::model::Escalation;
use allclear_domain::org::snapshot::Org;
use allclear_domain::paging::{Facts, Page, Turns, own_policy};
use allclear_domain::view::facts_of;

use super::{Reader, count, incident, text, to_json};
use crate::db::Db;
use crate::fault::Fault;
use crate::schema::TURN;
use crate::val::Write;

/// The turns of a policy after the version at which they were read, where 0 is none; a conflict where another node was first.
#[must_use]
pub fn put(policy: &str, turns: &Turns, was: u64) -> Write {
    if was == 0 {
        return Write::Insert { table: &TURN, row: vec![text(policy), count(1), to_json(turns)] };
    }
    Write::Exec {
        table: &TURN,
        sql: "update turn set body = ?2, version = version + 1 where policy = ?1 and version = ?3",
        args: vec![text(policy), to_json(turns), count(was)],
        expect: Some(1),
    }
}

/// The turns of a policy, and their version; nobody's at 0 where nobody had one.
///
/// # Errors
/// When the store does not answer.
pub async fn get(db: &Db, policy: &str) -> Result<(Turns, u64), Fault> {
    let rows = db.read("select version, body from turn where policy = ?1", vec![text(policy)]).await?;
    let Some(row) = rows.first() else { return Ok((Turns::default(), 0)) };
    let mut r = Reader::new(row);
    let version = r.count()?;
    // What does not read must keep nobody from being paged: the ring begins anew.
    Ok((r.json().unwrap_or_default(), version))
}

/// What the steps of a page ask beside it, as it is stored: how its incident is, where one has a condition, and whose turn it was,
/// where one pages in turn.
///
/// # Errors
/// When the store does not answer.
pub async fn asked_by_steps(db: &Db, org: &Org, page: &Page) -> Result<(Option<Facts>, Turns), Fault> {
    let policy = own_policy(page, org);
    let facts = if policy.is_some_and(Escalation::has_conditions) {
        incident::get(db, page.incident_id()).await?.map(|(incident, _)| facts_of(&incident))
    } else {
        None
    };
    let turns = match policy.filter(|policy| policy.takes_turns()) {
        Some(policy) => get(db, &policy.id).await?.0,
        None => Turns::default(),
    };
    Ok((facts, turns))
}
