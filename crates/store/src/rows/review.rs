//! Folded reviews.

use allclear_domain::access::Reach;
use allclear_domain::event::Head;
use allclear_domain::ids::{IncidentId, ReviewId};
use allclear_domain::review::{Review, State};

use super::{Reader, count, instant, opt_instant, opt_text, text};
use crate::db::Db;
use crate::fault::Fault;
use crate::schema::REVIEW;
use crate::val::{Row, Val, Write};

/// The row of a review whose log ends at `head`.
#[must_use]
pub fn put(r: &Review, head: Head) -> Write {
    Write::Upsert {
        table: &REVIEW,
        row: vec![
            text(r.id),
            text(r.incident),
            text(&r.reference),
            text(r.state.word()),
            opt_text(r.owner.as_ref()),
            opt_text(r.text.as_ref()),
            instant(r.due_at),
            Val::Bool(r.late),
            instant(r.opened_at),
            opt_instant(r.published_at),
            instant(r.updated_at),
            count(head.version),
            Val::Bytes(head.hash.to_vec()),
        ],
    }
}

const COLUMNS: &str = "id, incident, ref, state, owner, text, due_at, late, opened_at, published_at, updated_at, version, hash";

fn review(row: &Row) -> Result<(Review, Head), Fault> {
    let mut r = Reader::new(row);
    let review = Review {
        id: r.parse()?,
        incident: r.parse()?,
        reference: r.text()?,
        state: r.word(State::from_word)?,
        owner: r.opt_text()?,
        text: r.opt_text()?,
        due_at: r.instant()?,
        late: r.bool()?,
        opened_at: r.instant()?,
        published_at: r.opt_instant()?,
        updated_at: r.instant()?,
    };
    Ok((review, Head { version: r.count()?, hash: r.hash()? }))
}

/// One review.
pub async fn get(db: &Db, id: ReviewId) -> Result<Option<(Review, Head)>, Fault> {
    let rows = db.read(&format!("select {COLUMNS} from review where id = ?1"), vec![text(id)]).await?;
    rows.first().map(review).transpose()
}

/// The review of an incident.
pub async fn of_incident(db: &Db, incident: IncidentId) -> Result<Option<(Review, Head)>, Fault> {
    let rows = db.read(&format!("select {COLUMNS} from review where incident = ?1"), vec![text(incident)]).await?;
    rows.first().map(review).transpose()
}

/// Newest first, of one state or all.
pub async fn list(
    db: &Db,
    state: Option<State>,
    before: Option<ReviewId>,
    limit: i64,
    reach: &Reach,
) -> Result<Vec<(Review, Head)>, Fault> {
    let mut args = vec![opt_text(state.map(State::word)), opt_text(before), Val::Int(limit)];
    let seen = super::reader::seen_with(reach, "review.incident", &mut args);
    let sql = format!(
        "select {COLUMNS} from review where {seen} and (cast(?1 as text) is null or state = ?1) and (cast(?2 as text) is null or id < ?2) \
         order by id desc limit ?3"
    );
    let rows = db.read(&sql, args).await?;
    rows.iter().map(review).collect()
}
