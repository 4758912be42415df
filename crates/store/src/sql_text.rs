//! SQL text: one text for both databases, rendered where they differ.
//!
//! Statements number their parameters `?1`, `?2` …, which SQLite takes as they are (its own `$1`
//! would be numbered by first appearance) and PostgreSQL gets as `$1`. Quoted text, quoted names and
//! comments are left alone. Schema text may use the tokens `{BYTES}` and `{SEQ}`.

use crate::val::{Kind, Table};

/// Which database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// SQLite, built in.
    Sqlite,
    /// PostgreSQL.
    Postgres,
}

/// The statement with its parameters as the database numbers them.
#[must_use]
pub fn render(sql: &str, dialect: Dialect) -> String {
    if dialect == Dialect::Sqlite {
        return sql.to_owned();
    }
    let bytes = sql.as_bytes();
    let mut out = String::with_capacity(sql.len());
    let mut at = 0;
    while at < bytes.len() {
        let skipped = skip(sql, at);
        if skipped > at {
            out.push_str(&sql[at..skipped]);
            at = skipped;
            continue;
        }
        if bytes[at] == b'?' && bytes.get(at + 1).is_some_and(u8::is_ascii_digit) {
            out.push('$');
            at += 1;
            continue;
        }
        let width = sql[at..].chars().next().map_or(1, char::len_utf8);
        out.push_str(&sql[at..at + width]);
        at += width;
    }
    out
}

/// How many parameters a statement has: the highest number it names.
pub(crate) fn parameters(sql: &str) -> usize {
    let mut highest = 0;
    let mut at = 0;
    while at < sql.len() {
        let skipped = skip(sql, at);
        if skipped > at {
            at = skipped;
            continue;
        }
        let rest = &sql[at..];
        if let Some(number) = rest.strip_prefix('?') {
            let digits = number.bytes().take_while(u8::is_ascii_digit).count();
            highest = number[..digits].parse().unwrap_or(0).max(highest);
        }
        at += rest.chars().next().map_or(1, char::len_utf8);
    }
    highest
}

/// Where the quoted text, quoted name or comment that starts at `at` ends; `at` itself where none does.
fn skip(sql: &str, at: usize) -> usize {
    let rest = &sql[at..];
    let end = |found: Option<usize>| found.unwrap_or(sql.len());
    if rest.starts_with('\'') || rest.starts_with('"') {
        let quote = &rest[..1];
        // A doubled quote inside reads as an end and a new start, which leaves the same text.
        end(rest[1..].find(quote).map(|offset| at + 1 + offset + 1))
    } else if rest.starts_with("--") {
        end(rest.find('\n').map(|offset| at + offset))
    } else if rest.starts_with("/*") {
        end(rest.find("*/").map(|offset| at + offset + 2))
    } else {
        at
    }
}

/// The words (names and keywords) of a statement outside quoted text and comments, in lower case.
/// A quoted name counts as its word.
pub(crate) fn words(sql: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut word = String::new();
    let mut at = 0;
    while at < sql.len() {
        let skipped = if sql.as_bytes()[at] == b'"' { at } else { skip(sql, at) };
        let current = sql[at..].chars().next().filter(|_| skipped == at);
        match current {
            Some(c) if c.is_alphanumeric() || c == '_' => word.extend(c.to_lowercase()),
            _ if !word.is_empty() => found.push(std::mem::take(&mut word)),
            _ => {}
        }
        at = if skipped > at { skipped } else { at + current.map_or(1, char::len_utf8) };
    }
    if !word.is_empty() {
        found.push(word);
    }
    found
}

/// Schema text with its tokens replaced.
#[must_use]
pub fn ddl(sql: &str, dialect: Dialect) -> String {
    let (bytes, seq, clustered) = match dialect {
        Dialect::Sqlite => ("blob", "integer primary key", "without rowid"),
        Dialect::Postgres => ("bytea", "bigint generated always as identity primary key", ""),
    };
    sql.replace("{BYTES}", bytes).replace("{SEQ}", seq).replace("{CLUSTERED}", clustered)
}

/// A name, quoted as both databases read it.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Names, quoted and joined by commas.
pub(crate) fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.map(quoted).collect::<Vec<_>>().join(", ")
}

/// `insert into "t" ("a", "b") `, which a list of values or a select follows.
fn insert_head(table: &Table) -> String {
    format!("insert into {} ({}) ", quoted(table.name), list(table.columns.iter().map(|(name, _)| *name)))
}

/// ` on conflict …`, which makes an insert an upsert by the table's key.
fn upsert_tail(table: &Table) -> String {
    let keys = list(table.key.iter().copied());
    let sets: Vec<String> = table
        .columns
        .iter()
        .map(|(name, _)| *name)
        .filter(|name| !table.key.contains(name))
        .map(|name| format!("{0} = excluded.{0}", quoted(name)))
        .collect();
    if sets.is_empty() {
        format!(" on conflict ({keys}) do nothing")
    } else {
        format!(" on conflict ({keys}) do update set {}", sets.join(", "))
    }
}

/// The statement for one row, its parameters numbered `?1` ….
pub(crate) fn one_row(table: &Table, upsert: bool) -> String {
    let params: Vec<String> = (1..=table.columns.len()).map(|index| format!("?{index}")).collect();
    let tail = if upsert { upsert_tail(table) } else { String::new() };
    format!("{}values ({}){tail}", insert_head(table), params.join(", "))
}

/// PostgreSQL's statement for any number of rows: one array for each column.
pub(crate) fn many_rows(table: &Table, upsert: bool) -> String {
    let arrays: Vec<String> =
        table.columns.iter().enumerate().map(|(index, (_, kind))| format!("${}::{}[]", index + 1, pg_type(*kind))).collect();
    let tail = if upsert { upsert_tail(table) } else { String::new() };
    format!("{}select * from unnest({}){tail}", insert_head(table), arrays.join(", "))
}

/// PostgreSQL's name of a kind.
pub(crate) fn pg_type(kind: Kind) -> &'static str {
    match kind {
        Kind::Bool => "boolean",
        Kind::Int => "bigint",
        Kind::Text => "text",
        Kind::Bytes => "bytea",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_parameters_are_renumbered() {
        let sql = "select '?1 it''s ?2', \"a?3\", ?1 -- ?4\n, x /* ?5 */ from t where é = ?12 and y = '?";
        assert_eq!(render(sql, Dialect::Postgres), "select '?1 it''s ?2', \"a?3\", $1 -- ?4\n, x /* ?5 */ from t where é = $12 and y = '?");
        assert_eq!(render(sql, Dialect::Sqlite), sql);
        assert_eq!((parameters(sql), parameters("select '?3'"), parameters("where é = ?2 and y = ?1")), (12, 0, 2));
    }

    #[test]
    fn words_are_names_and_not_texts() {
        assert_eq!(words("update \"page\" set x='event' where é=?1 -- alert"), ["update", "page", "set", "x", "where", "é", "1"]);
    }
}
