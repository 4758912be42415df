//! Passwords, sessions and links that work once. Of every secret only a hash is stored: SHA-256
//! where it is 256 random bits, argon2id where people chose it.

use jiff::Timestamp;

use super::{Reader, instant, opt_instant, opt_text, text};
use crate::db::Db;
use crate::fault::Fault;
use crate::schema::{CREDENTIAL, ONE_TIME, SESSION};
use crate::val::{Row, Val, Write};

/// Sessions shown to their person at most: nobody reads more.
const SHOWN_MAX: i64 = 100;

/// Somebody is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Names it in lists; opens nothing.
    pub id: String,
    /// SHA-256 of its token, in hexadecimal.
    pub hash: String,
    pub person: String,
    /// What the browser calls itself, cut.
    pub agent: Option<String>,
    pub created_at: Timestamp,
    /// Rounded: not every request writes.
    pub seen_at: Timestamp,
    pub expires_at: Timestamp,
    pub ended_at: Option<Timestamp>,
}

/// A link that works once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OneTime {
    /// SHA-256 of its token, in hexadecimal.
    pub hash: String,
    /// `set_up`, `invite`.
    pub kind: String,
    /// For whom; nobody yet where it sets up.
    pub person: Option<String>,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    pub used_at: Option<Timestamp>,
}

/// A person's password from now on.
#[must_use]
pub fn put_credential(person: &str, hash: &str, now: Timestamp) -> Write {
    Write::Upsert { table: &CREDENTIAL, row: vec![text(person), text(hash), instant(now)] }
}

/// A person has no password any more.
#[must_use]
pub fn remove_credential(person: &str) -> Write {
    Write::Exec { table: &CREDENTIAL, sql: "delete from credential where person = ?1", args: vec![text(person)], expect: None }
}

/// A person's hashed password.
pub async fn credential(db: &Db, person: &str) -> Result<Option<String>, Fault> {
    let rows = db.read("select hash from credential where person = ?1", vec![text(person)]).await?;
    rows.first().map(|row| Reader::new(row).text()).transpose()
}

/// Everybody who has a password.
pub async fn people_with_credential(db: &Db) -> Result<Vec<String>, Fault> {
    let rows = db.read("select person from credential", vec![]).await?;
    rows.iter().map(|row| Reader::new(row).text()).collect()
}

/// A new session.
#[must_use]
pub fn open(s: &Session) -> Write {
    Write::Insert {
        table: &SESSION,
        row: vec![
            text(&s.id),
            text(&s.hash),
            text(&s.person),
            opt_text(s.agent.as_ref()),
            instant(s.created_at),
            instant(s.seen_at),
            instant(s.expires_at),
            opt_instant(s.ended_at),
        ],
    }
}

fn session(row: &Row) -> Result<Session, Fault> {
    let mut r = Reader::new(row);
    Ok(Session {
        id: r.text()?,
        hash: r.text()?,
        person: r.text()?,
        agent: r.opt_text()?,
        created_at: r.instant()?,
        seen_at: r.instant()?,
        expires_at: r.instant()?,
        ended_at: r.opt_instant()?,
    })
}

const COLUMNS: &str = "id, hash, person, agent, created_at, seen_at, expires_at, ended_at";

/// The session of a token.
pub async fn by_hash(db: &Db, hash: &str) -> Result<Option<Session>, Fault> {
    let rows = db.read(&format!("select {COLUMNS} from session where hash = ?1"), vec![text(hash)]).await?;
    rows.first().map(session).transpose()
}

/// A person's sessions that have not ended, newest first; those that expired are among them.
pub async fn of_person(db: &Db, person: &str) -> Result<Vec<Session>, Fault> {
    let sql = format!("select {COLUMNS} from session where person = ?1 and ended_at is null order by id desc limit ?2");
    let rows = db.read(&sql, vec![text(person), Val::Int(SHOWN_MAX)]).await?;
    rows.iter().map(session).collect()
}

/// It was used just now.
#[must_use]
pub fn seen(id: &str, now: Timestamp) -> Write {
    Write::Exec {
        table: &SESSION,
        sql: "update session set seen_at = ?2 where id = ?1 and seen_at < ?2",
        args: vec![text(id), instant(now)],
        expect: None,
    }
}

/// One session of a person ends.
#[must_use]
pub fn end(person: &str, id: &str, now: Timestamp) -> Write {
    Write::Exec {
        table: &SESSION,
        sql: "update session set ended_at = ?3 where person = ?1 and id = ?2 and ended_at is null",
        args: vec![text(person), text(id), instant(now)],
        expect: None,
    }
}

/// The session of a token ends, whoever's it is.
#[must_use]
pub fn end_by_hash(hash: &str, now: Timestamp) -> Write {
    Write::Exec {
        table: &SESSION,
        sql: "update session set ended_at = ?2 where hash = ?1 and ended_at is null",
        args: vec![text(hash), instant(now)],
        expect: None,
    }
}

/// All sessions of a person end.
#[must_use]
pub fn end_all(person: &str, now: Timestamp) -> Write {
    Write::Exec {
        table: &SESSION,
        sql: "update session set ended_at = ?2 where person = ?1 and ended_at is null",
        args: vec![text(person), instant(now)],
        expect: None,
    }
}

/// Forgets sessions and links that are over since before an instant.
#[must_use]
pub fn forget(before: Timestamp) -> [Write; 2] {
    [
        Write::Exec {
            table: &SESSION,
            sql: "delete from session where expires_at < ?1 or ended_at < ?1",
            args: vec![instant(before)],
            expect: None,
        },
        Write::Exec { table: &ONE_TIME, sql: "delete from one_time where expires_at < ?1", args: vec![instant(before)], expect: None },
    ]
}

/// A new link.
#[must_use]
pub fn issue(link: &OneTime) -> Write {
    Write::Insert {
        table: &ONE_TIME,
        row: vec![
            text(&link.hash),
            text(&link.kind),
            opt_text(link.person.as_ref()),
            instant(link.created_at),
            instant(link.expires_at),
            opt_instant(link.used_at),
        ],
    }
}

/// The link of a token.
pub async fn link(db: &Db, hash: &str) -> Result<Option<OneTime>, Fault> {
    let sql = "select hash, kind, person, created_at, expires_at, used_at from one_time where hash = ?1";
    let rows = db.read(sql, vec![text(hash)]).await?;
    rows.first()
        .map(|row| {
            let mut r = Reader::new(row);
            Ok(OneTime {
                hash: r.text()?,
                kind: r.text()?,
                person: r.opt_text()?,
                created_at: r.instant()?,
                expires_at: r.instant()?,
                used_at: r.opt_instant()?,
            })
        })
        .transpose()
}

/// Uses a link up: of two at once one is a conflict.
#[must_use]
pub fn consume(hash: &str, now: Timestamp) -> Write {
    Write::Exec {
        table: &ONE_TIME,
        sql: "update one_time set used_at = ?2 where hash = ?1 and used_at is null",
        args: vec![text(hash), instant(now)],
        expect: Some(1),
    }
}

/// Every link that is for a person works no more.
#[must_use]
pub fn void_all_of(person: &str, now: Timestamp) -> Write {
    Write::Exec {
        table: &ONE_TIME,
        sql: "update one_time set used_at = ?2 where person = ?1 and used_at is null",
        args: vec![text(person), instant(now)],
        expect: None,
    }
}

/// Every other link of a kind, and for the same person, works no more.
#[must_use]
pub fn void(kind: &str, person: Option<&str>, now: Timestamp) -> Write {
    let (sql, mut args) = match person {
        Some(_) => ("update one_time set used_at = ?2 where kind = ?1 and used_at is null and person = ?3", Vec::new()),
        None => ("update one_time set used_at = ?2 where kind = ?1 and used_at is null", Vec::new()),
    };
    args.extend([text(kind), instant(now)]);
    args.extend(person.map(text));
    Write::Exec { table: &ONE_TIME, sql, args, expect: None }
}
