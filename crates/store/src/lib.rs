//! Storage: one facade over SQLite and PostgreSQL with two verbs, `read` and `commit`.
//!
//! A caller reads rows, decides without I/O, and hands back a list of [`Write`]s that become durable
//! together or not at all. No transaction is ever open while a caller thinks, so commits of many
//! callers share one sync of the disk, and no lock is held across an await.
//!
//! This crate deliberately does not decide anything, does not know the time, and offers no
//! interactive transaction.

pub mod backup;
pub mod db;
pub mod fault;
pub mod faulty;
pub mod migrate;
mod pg;
pub mod rows;
pub mod schema;
pub mod sql_text;
mod sqlite;
#[cfg(feature = "testing")]
pub mod testing;
pub mod unread;
pub mod val;

pub use db::{Access, Db, OpenOptions};
pub use fault::{CommitError, Fault, FaultKind, OpenError};
pub use faulty::{CommitPoint, FaultPlan};
pub use migrate::Migration;
pub use sql_text::Dialect;
pub use val::{Kind, Row, Space, Table, Val, Write};
