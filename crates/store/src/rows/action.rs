//! Folded corrective actions.

use allclear_domain::access::Reach;
use allclear_domain::action::{Action, State};
use allclear_domain::event::Head;
use allclear_domain::ids::{ActionId, IncidentId};

use super::{Reader, count, instant, opt_instant, opt_text, text};
use crate::db::Db;
use crate::fault::Fault;
use crate::schema::ACTION;
use crate::val::{Row, Val, Write};

/// The row of an action whose log ends at `head`.
#[must_use]
pub fn put(a: &Action, head: Head) -> Write {
    Write::Upsert {
        table: &ACTION,
        row: vec![
            text(a.id),
            opt_text(a.incident),
            opt_text(a.reference.as_ref()),
            text(&a.text),
            text(&a.owner),
            instant(a.due_at),
            opt_text(a.due_on),
            text(a.state.word()),
            opt_text(a.note.as_ref()),
            Val::Bool(a.late),
            instant(a.added_at),
            opt_instant(a.ended_at),
            instant(a.updated_at),
            count(head.version),
            Val::Bytes(head.hash.to_vec()),
        ],
    }
}

const COLUMNS: &str = "id, incident, ref, text, owner, due_at, due_on, state, note, late, added_at, ended_at, updated_at, version, hash";

fn action(row: &Row) -> Result<(Action, Head), Fault> {
    let mut r = Reader::new(row);
    let action = Action {
        id: r.parse()?,
        incident: r.opt_parse()?,
        reference: r.opt_text()?,
        text: r.text()?,
        owner: r.text()?,
        due_at: r.instant()?,
        due_on: r.opt_parse()?,
        state: r.word(State::from_word)?,
        note: r.opt_text()?,
        late: r.bool()?,
        added_at: r.instant()?,
        ended_at: r.opt_instant()?,
        updated_at: r.instant()?,
    };
    Ok((action, Head { version: r.count()?, hash: r.hash()? }))
}

/// One action.
pub async fn get(db: &Db, id: ActionId) -> Result<Option<(Action, Head)>, Fault> {
    let rows = db.read(&format!("select {COLUMNS} from action where id = ?1"), vec![text(id)]).await?;
    rows.first().map(action).transpose()
}

/// What a list is narrowed to.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub state: Option<State>,
    pub owner: Option<String>,
    pub incident: Option<IncidentId>,
    /// Older than this one.
    pub before: Option<ActionId>,
    /// Whose list it is: an action is seen where its incident is.
    pub reach: Reach,
}

/// Newest first.
pub async fn list(db: &Db, filter: &Filter, limit: i64) -> Result<Vec<(Action, Head)>, Fault> {
    let mut sql = format!("select {COLUMNS} from action where true");
    let mut args = Vec::new();
    let mut narrow = |clause: &str, value: Option<Val>| {
        if let Some(value) = value {
            args.push(value);
            sql.push_str(&format!(" and {clause} ?{}", args.len()));
        }
    };
    narrow("state =", filter.state.map(|s| text(s.word())));
    narrow("owner =", filter.owner.as_ref().map(text));
    narrow("incident =", filter.incident.map(text));
    narrow("id <", filter.before.map(text));
    sql.push_str(" and ");
    sql.push_str(&super::reader::seen_with(&filter.reach, "action.incident", &mut args));
    args.push(Val::Int(limit));
    sql.push_str(&format!(" order by id desc limit ?{}", args.len()));
    let rows = db.read(&sql, args).await?;
    Ok(super::readable(db, &rows, "action", action))
}
