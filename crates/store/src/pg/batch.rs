//! How PostgreSQL gets a group of commits: rows of many commits merged into one statement for each
//! table, the statements sent without waiting for each answer.
//!
//! Order: a row joins an earlier statement only if nothing after that statement touches its table (a
//! statement touches each table it names), so a guard never sees a later commit's row. And it goes
//! ahead of what its own commit wrote before only where those are rows of tables that stand behind
//! its own in the list of tables, which has parents before children: a child never overtakes its parent.

use std::borrow::Cow;
use std::collections::HashMap;
use std::error::Error;
use std::fmt;

use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

use crate::fault::{Fault, FaultKind};
use crate::sql_text;
use crate::val::{Kind, Row, Table, Val, Write, without_nul};

/// One statement of a group.
pub(crate) enum Op<'a> {
    /// Many rows of one table.
    Rows { table: &'static Table, upsert: bool, rows: Vec<&'a [Val]> },
    /// One statement of a caller.
    Exec { table: &'static Table, sql: &'static str, args: &'a [Val], expect: Option<u64> },
}

/// What planning knows: the order of tables, and the words of statements seen so far.
#[derive(Default)]
pub(crate) struct Planner {
    ranks: HashMap<&'static str, usize>,
    words: HashMap<&'static str, Vec<String>>,
}

impl Planner {
    /// A planner that knows which tables come first; a table it does not know never overtakes.
    pub(crate) fn new(tables: &[&'static Table]) -> Self {
        let ranks = tables.iter().enumerate().map(|(rank, table)| (table.name, rank)).collect();
        Self { ranks, words: HashMap::new() }
    }

    fn may_overtake(&self, table: &Table, op: &Op<'_>) -> bool {
        match op {
            Op::Exec { .. } => false,
            Op::Rows { table: other, .. } => match (self.ranks.get(table.name), self.ranks.get(other.name)) {
                (Some(ours), Some(theirs)) => ours <= theirs,
                _ => false,
            },
        }
    }

    /// Plans the statements of a group.
    pub(crate) fn plan<'a>(&mut self, group: &[&'a [Write]]) -> Vec<Op<'a>> {
        let mut ops: Vec<Op<'a>> = Vec::new();
        // The last statement that touches a table, by the table's name.
        let mut touched: HashMap<String, usize> = HashMap::new();
        // Where the row of a key stands in an upserting statement.
        let mut placed: HashMap<(usize, Vec<Cow<'a, Val>>), usize> = HashMap::new();
        for writes in group {
            // The statements this commit has a part in.
            let mut own: Vec<usize> = Vec::new();
            for write in *writes {
                let (table, row, upsert) = match write {
                    Write::Insert { table, row } => (*table, row, false),
                    Write::Upsert { table, row } => (*table, row, true),
                    Write::Exec { table, sql, args, expect } => {
                        touched.insert(table.name.to_owned(), ops.len());
                        for word in self.words.entry(sql).or_insert_with(|| sql_text::words(sql)) {
                            touched.insert(word.clone(), ops.len());
                        }
                        own.push(ops.len());
                        ops.push(Op::Exec { table, sql, args, expect: *expect });
                        continue;
                    }
                };
                let fits = touched.get(table.name).copied().filter(|index| {
                    matches!(&ops[*index], Op::Rows { table: have, upsert: sort, .. } if have.name == table.name && *sort == upsert)
                        && own.iter().filter(|later| *later > index).all(|later| self.may_overtake(table, &ops[*later]))
                });
                let index = fits.unwrap_or_else(|| {
                    ops.push(Op::Rows { table, upsert, rows: Vec::new() });
                    touched.insert(table.name.to_owned(), ops.len() - 1);
                    ops.len() - 1
                });
                if !own.contains(&index) {
                    own.push(index);
                }
                if let Op::Rows { rows, .. } = &mut ops[index] {
                    if upsert {
                        // One statement may not touch a row twice: the last one of a key counts.
                        let slot = *placed.entry((index, key_of(table, row))).or_insert(rows.len());
                        if slot < rows.len() {
                            rows[slot] = row;
                            continue;
                        }
                    }
                    rows.push(row);
                }
            }
        }
        ops
    }
}

/// The values of a row's key, as the server will see them.
fn key_of<'a>(table: &Table, row: &'a [Val]) -> Vec<Cow<'a, Val>> {
    table
        .columns
        .iter()
        .zip(row)
        .filter(|((name, _), _)| table.key.contains(name))
        .map(|(_, value)| match value {
            Val::Text(text) if text.contains('\0') => Cow::Owned(Val::Text(without_nul(text).into_owned())),
            _ => Cow::Borrowed(value),
        })
        .collect()
}

/// A value of the wrong kind for where the statement puts it.
#[derive(Debug)]
pub(crate) struct WrongKind(String);

impl fmt::Display for WrongKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl Error for WrongKind {}

/// One parameter on its way to the server.
#[derive(Debug)]
pub(crate) enum Param<'a> {
    One(&'a Val),
    Bools(Vec<Option<bool>>),
    Ints(Vec<Option<i64>>),
    Texts(Vec<Option<Cow<'a, str>>>),
    Bytes(Vec<Option<&'a [u8]>>),
}

impl ToSql for Param<'_> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self {
            Param::One(value) => one(value, ty, out),
            Param::Bools(values) => values.to_sql(ty, out),
            Param::Ints(values) => values.to_sql(ty, out),
            Param::Texts(values) => values.to_sql(ty, out),
            Param::Bytes(values) => values.to_sql(ty, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

fn one(value: &Val, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
    let texts = [Type::TEXT, Type::VARCHAR, Type::BPCHAR, Type::NAME, Type::UNKNOWN];
    match value {
        Val::Null => Ok(IsNull::Yes),
        Val::Bool(value) if *ty == Type::BOOL => value.to_sql(ty, out),
        Val::Int(value) if *ty == Type::INT8 => value.to_sql(ty, out),
        Val::Int(value) if *ty == Type::INT4 => i32::try_from(*value)?.to_sql(ty, out),
        Val::Int(value) if *ty == Type::INT2 => i16::try_from(*value)?.to_sql(ty, out),
        Val::Text(value) if texts.contains(ty) => without_nul(value).as_ref().to_sql(ty, out),
        Val::Bytes(value) if *ty == Type::BYTEA => value.as_slice().to_sql(ty, out),
        _ => Err(Box::new(WrongKind(format!("a value of kind {} was given where the statement has {ty}; cast it", value.kind_name())))),
    }
}

/// The arrays of a statement for many rows. Kinds were compared with the table's before.
pub(crate) fn arrays<'a>(table: &Table, rows: &[&'a [Val]]) -> Vec<Param<'a>> {
    table.columns.iter().enumerate().map(|(index, (_, kind))| array(*kind, index, rows)).collect()
}

/// One column of many rows as an array; SQLite's 0 and 1 count as false and true.
pub(crate) fn array<'a>(kind: Kind, index: usize, rows: &[&'a [Val]]) -> Param<'a> {
    let column = rows.iter().map(|row| &row[index]);
    match kind {
        Kind::Bool => Param::Bools(
            column
                .map(|val| match val {
                    Val::Bool(value) => Some(*value),
                    Val::Int(value) => Some(*value != 0),
                    _ => None,
                })
                .collect(),
        ),
        Kind::Int => Param::Ints(column.map(|val| if let Val::Int(value) = val { Some(*value) } else { None }).collect()),
        Kind::Text => Param::Texts(column.map(|val| if let Val::Text(value) = val { Some(without_nul(value)) } else { None }).collect()),
        Kind::Bytes => Param::Bytes(column.map(|val| if let Val::Bytes(value) = val { Some(value.as_slice()) } else { None }).collect()),
    }
}

/// The type by which a value is sent where the server is not asked first; a null fits wherever it stands.
pub(crate) fn type_of(value: &Val) -> Type {
    match value {
        Val::Null => Type::UNKNOWN,
        Val::Bool(_) => Type::BOOL,
        Val::Int(_) => Type::INT8,
        Val::Text(_) => Type::TEXT,
        Val::Bytes(_) => Type::BYTEA,
    }
}

/// The type of a column of many rows.
pub(crate) const fn array_type(kind: Kind) -> Type {
    match kind {
        Kind::Bool => Type::BOOL_ARRAY,
        Kind::Int => Type::INT8_ARRAY,
        Kind::Text => Type::TEXT_ARRAY,
        Kind::Bytes => Type::BYTEA_ARRAY,
    }
}

/// A row of an answer.
pub(crate) fn row(from: &tokio_postgres::Row) -> Result<Row, Fault> {
    let mut values = Vec::with_capacity(from.len());
    for (index, column) in from.columns().iter().enumerate() {
        let ty = column.type_();
        let value = if *ty == Type::BOOL {
            from.try_get::<_, Option<bool>>(index).map(Val::from)
        } else if *ty == Type::INT8 {
            from.try_get::<_, Option<i64>>(index).map(Val::from)
        } else if *ty == Type::INT4 {
            from.try_get::<_, Option<i32>>(index).map(Val::from)
        } else if *ty == Type::INT2 {
            from.try_get::<_, Option<i16>>(index).map(|value| Val::from(value.map(i32::from)))
        } else if *ty == Type::BYTEA {
            from.try_get::<_, Option<Vec<u8>>>(index).map(Val::from)
        } else {
            from.try_get::<_, Option<String>>(index).map(Val::from)
        };
        values.push(value.map_err(|_| {
            Fault::new(
                FaultKind::Statement,
                format!("column `{}` is of type {ty}; cast it to bigint, text, boolean or bytea", column.name()),
            )
        })?);
    }
    Ok(Row(values))
}

#[cfg(test)]
mod tests {
    use super::*;

    static PARENT: Table = Table { name: "parent", columns: &[("id", Kind::Int)], key: &["id"] };
    static CHILD: Table = Table { name: "child", columns: &[("id", Kind::Int)], key: &["id"] };
    const GUARD: &str = "update parent set id = id where exists (select 1 from \"child\" where id = ?1)";

    fn add(table: &'static Table, id: i64) -> Write {
        Write::Insert { table, row: vec![Val::Int(id)] }
    }

    fn shape(group: &[Vec<Write>]) -> Vec<String> {
        let group: Vec<&[Write]> = group.iter().map(Vec::as_slice).collect();
        Planner::new(&[&PARENT, &CHILD])
            .plan(&group)
            .iter()
            .map(|op| match op {
                Op::Exec { .. } => "exec".to_owned(),
                Op::Rows { table, upsert, rows } => {
                    let ids: Vec<String> = rows.iter().map(|row| format!("{:?}", row[0])).collect();
                    format!("{}{}{}", table.name, if *upsert { "~" } else { "+" }, ids.join("").replace("Int", ""))
                }
            })
            .collect()
    }

    #[test]
    fn rows_merge_but_never_ahead_of_a_parent_or_a_guard() {
        // Rows of one commit merge by table; the next commit's join them.
        let first = vec![add(&PARENT, 1), add(&CHILD, 1), add(&PARENT, 2), add(&CHILD, 2)];
        assert_eq!(shape(&[first, vec![add(&PARENT, 3), add(&CHILD, 3)]]), ["parent+(1)(2)(3)", "child+(1)(2)(3)"]);
        // A child may not join a statement that stands before its new parent.
        assert_eq!(shape(&[vec![add(&CHILD, 1)], vec![add(&PARENT, 2), add(&CHILD, 2)]]), ["child+(1)", "parent+(2)", "child+(2)"]);
        // Nor one of its own commit that could not join the first parents.
        let guard = Write::Exec { table: &PARENT, sql: GUARD, args: vec![], expect: Some(1) };
        let mixed = vec![add(&PARENT, 1), guard, add(&CHILD, 1), add(&PARENT, 2), add(&CHILD, 2)];
        assert_eq!(shape(&[mixed]), ["parent+(1)", "exec", "child+(1)", "parent+(2)", "child+(2)"]);
        // A guard that names a table keeps later rows of that table behind it.
        let guard = Write::Exec { table: &PARENT, sql: GUARD, args: vec![], expect: Some(1) };
        assert_eq!(shape(&[vec![add(&CHILD, 1), guard], vec![add(&CHILD, 2)]]), ["child+(1)", "exec", "child+(2)"]);
    }

    #[test]
    fn the_last_upsert_of_a_key_counts_and_does_not_join_inserts() {
        let put = |id| Write::Upsert { table: &PARENT, row: vec![Val::Int(id)] };
        assert_eq!(shape(&[vec![put(1), put(2), put(1)], vec![add(&PARENT, 3), put(1)]]), ["parent~(1)(2)", "parent+(3)", "parent~(1)"]);
    }
}
