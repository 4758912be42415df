//! Values, rows, tables and writes: what crosses the facade.
//!
//! The five kinds are what both databases store alike. Instants are `Int` microseconds, ids and JSON
//! are `Text`; there is no floating point, since the two databases do not print it alike.

use crate::fault::{Fault, FaultKind};

/// One value. U+0000 in a text is removed on its way into either database, because PostgreSQL
/// cannot store it and both must answer alike.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Val {
    /// No value.
    Null,
    /// True or false. SQLite reads it back as `Int` 0 or 1; [`Row::bool`] accepts both.
    Bool(bool),
    /// A whole number of 64 bits.
    Int(i64),
    /// UTF-8 text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

impl Val {
    /// What kind of value this is, in words for messages.
    #[must_use]
    pub fn kind_name(&self) -> &'static str {
        match self {
            Val::Null => "null",
            Val::Bool(_) => "bool",
            Val::Int(_) => "int",
            Val::Text(_) => "text",
            Val::Bytes(_) => "bytes",
        }
    }
}

impl From<i64> for Val {
    fn from(value: i64) -> Self {
        Val::Int(value)
    }
}
impl From<i32> for Val {
    fn from(value: i32) -> Self {
        Val::Int(i64::from(value))
    }
}
impl From<u32> for Val {
    fn from(value: u32) -> Self {
        Val::Int(i64::from(value))
    }
}
impl From<bool> for Val {
    fn from(value: bool) -> Self {
        Val::Bool(value)
    }
}
impl From<String> for Val {
    fn from(value: String) -> Self {
        Val::Text(value)
    }
}
impl From<&str> for Val {
    fn from(value: &str) -> Self {
        Val::Text(value.to_owned())
    }
}
impl From<Vec<u8>> for Val {
    fn from(value: Vec<u8>) -> Self {
        Val::Bytes(value)
    }
}
impl From<&[u8]> for Val {
    fn from(value: &[u8]) -> Self {
        Val::Bytes(value.to_vec())
    }
}
impl<T: Into<Val>> From<Option<T>> for Val {
    fn from(value: Option<T>) -> Self {
        value.map_or(Val::Null, Into::into)
    }
}

/// Which space a commit may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Space {
    /// What is free.
    #[default]
    Free,
    /// Also what is kept for a full disk.
    Reserved,
}

/// One row of an answer, in the order of the statement's columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row(pub Vec<Val>);

impl Row {
    fn at(&self, index: usize) -> Result<&Val, Fault> {
        self.0
            .get(index)
            .ok_or_else(|| Fault::new(FaultKind::Column, format!("column {index} was asked of a row that has {}", self.0.len())))
    }

    fn wrong(index: usize, wanted: &str, found: &Val) -> Fault {
        Fault::new(FaultKind::Column, format!("column {index} was read as {wanted} but holds {}", found.kind_name()))
    }

    /// The whole number in a column.
    pub fn int(&self, index: usize) -> Result<i64, Fault> {
        match self.at(index)? {
            Val::Int(value) => Ok(*value),
            other => Err(Self::wrong(index, "int", other)),
        }
    }

    /// The whole number in a column that may be null.
    pub fn opt_int(&self, index: usize) -> Result<Option<i64>, Fault> {
        match self.at(index)? {
            Val::Null => Ok(None),
            Val::Int(value) => Ok(Some(*value)),
            other => Err(Self::wrong(index, "int or null", other)),
        }
    }

    /// The text in a column.
    pub fn text(&self, index: usize) -> Result<&str, Fault> {
        match self.at(index)? {
            Val::Text(value) => Ok(value),
            other => Err(Self::wrong(index, "text", other)),
        }
    }

    /// The text in a column that may be null.
    pub fn opt_text(&self, index: usize) -> Result<Option<&str>, Fault> {
        match self.at(index)? {
            Val::Null => Ok(None),
            Val::Text(value) => Ok(Some(value)),
            other => Err(Self::wrong(index, "text or null", other)),
        }
    }

    /// The truth value in a column; SQLite's 0 and 1 count.
    pub fn bool(&self, index: usize) -> Result<bool, Fault> {
        match self.at(index)? {
            Val::Bool(value) => Ok(*value),
            Val::Int(0) => Ok(false),
            Val::Int(1) => Ok(true),
            other => Err(Self::wrong(index, "bool", other)),
        }
    }

    /// The bytes in a column.
    pub fn bytes(&self, index: usize) -> Result<&[u8], Fault> {
        match self.at(index)? {
            Val::Bytes(value) => Ok(value),
            other => Err(Self::wrong(index, "bytes", other)),
        }
    }

    /// The bytes in a column that may be null.
    pub fn opt_bytes(&self, index: usize) -> Result<Option<&[u8]>, Fault> {
        match self.at(index)? {
            Val::Null => Ok(None),
            Val::Bytes(value) => Ok(Some(value)),
            other => Err(Self::wrong(index, "bytes or null", other)),
        }
    }
}

/// What a column holds; PostgreSQL needs to know it to send many rows as arrays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `boolean`
    Bool,
    /// `bigint`
    Int,
    /// `text`
    Text,
    /// `{BYTES}`: `blob` or `bytea`
    Bytes,
}

impl Kind {
    /// Whether a column of this kind may hold the value. SQLite would take any, PostgreSQL would not.
    fn admits(self, value: &Val) -> bool {
        matches!(
            (self, value),
            (_, Val::Null)
                | (Kind::Bool, Val::Bool(_))
                | (Kind::Int, Val::Int(_))
                | (Kind::Text, Val::Text(_))
                | (Kind::Bytes, Val::Bytes(_))
        )
    }
}

/// A table as writes see it: the columns a row gives, in order, and the key an upsert goes by.
///
/// A column that the database fills itself (`{SEQ}`) is left out of `columns`.
#[derive(Debug, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// The columns of a row that is written, in order.
    pub columns: &'static [(&'static str, Kind)],
    /// The columns of the key by which an upsert finds its row; unique in the schema.
    pub key: &'static [&'static str],
}

/// One thing to write. Writes of a commit take effect in their order.
#[derive(Clone, Debug)]
pub enum Write {
    /// A new row; a key that is taken makes the commit a conflict.
    Insert {
        /// Where to.
        table: &'static Table,
        /// One value for each of the table's columns.
        row: Vec<Val>,
    },
    /// A full row that replaces the one of the same key, or is new. Of several upserts of one key
    /// in a commit the last one counts.
    Upsert {
        /// Where to.
        table: &'static Table,
        /// One value for each of the table's columns.
        row: Vec<Val>,
    },
    /// A statement (`?1`, `?2` …) that changes `table` and returns no rows.
    Exec {
        /// The table it changes; named in a conflict and used to keep the order of writes.
        table: &'static Table,
        /// The statement, the same text for both databases.
        sql: &'static str,
        /// Its parameters, in order.
        args: Vec<Val>,
        /// How many rows it must change; any other number makes the commit a conflict.
        expect: Option<u64>,
    },
}

impl Write {
    /// The table that is written.
    #[must_use]
    pub fn table(&self) -> &'static Table {
        match self {
            Write::Insert { table, .. } | Write::Upsert { table, .. } | Write::Exec { table, .. } => table,
        }
    }

    /// Refuses a row whose width is not the table's, and an upsert that has no key to go by, before
    /// any database sees it, so that both refuse alike.
    pub(crate) fn check(&self) -> Result<(), Fault> {
        let (table, row) = match self {
            Write::Exec { .. } => return Ok(()),
            Write::Insert { table, row } => (table, row),
            Write::Upsert { table, row } => {
                if table.key.is_empty() {
                    return Err(Fault::new(
                        FaultKind::Statement,
                        format!("table {} names no key, so a row cannot be upserted; name `key` or insert", table.name),
                    ));
                }
                (table, row)
            }
        };
        if row.len() == table.columns.len() {
            let wrong = table.columns.iter().zip(row).find(|((_, kind), value)| !kind.admits(value));
            return wrong.map_or(Ok(()), |((name, kind), value)| {
                Err(Fault::new(
                    FaultKind::Statement,
                    format!(
                        "column {name} of table {} is declared {kind:?} and was given a value of kind {}",
                        table.name,
                        value.kind_name()
                    ),
                ))
            });
        }
        Err(Fault::new(
            FaultKind::Statement,
            format!("a row for table {} has {} values; the table names {} columns", table.name, row.len(), table.columns.len()),
        ))
    }
}

/// The text without U+0000; borrowed where there is none, which is nearly always.
pub(crate) fn without_nul(text: &str) -> std::borrow::Cow<'_, str> {
    if text.as_bytes().contains(&0) { std::borrow::Cow::Owned(text.replace('\0', "")) } else { std::borrow::Cow::Borrowed(text) }
}
