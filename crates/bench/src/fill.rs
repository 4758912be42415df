//! A large store for the screens, filled by statements while the product does not run, since five million
//! events the usual way would take an hour.
//!
//! Rows are copies of those that the product wrote for one incident, with ids of their own. The hash chain
//! of the copies does not hold, which no screen looks at. The same statements run on both databases; what
//! they say differently is in [`Store`].

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use tokio_postgres::Client;

use crate::server::Subject;

/// Incidents stored.
pub const INCIDENTS: u64 = 100_000;
/// Events of each.
pub const EVENTS_EACH: u64 = 50;
/// Events of the one whose page is timed.
pub const EVENTS_SHOWN: u64 = 500;
/// One incident in so many has a title with a capital beyond ASCII.
const CAPITAL_EVERY: u64 = 1_000;
/// Crockford's alphabet, in which ids are written.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// Letters of an id that say its millisecond, after its prefix of four.
const TIME_LETTERS: usize = 10;
/// One open copy in so many wants people whom others want as well.
pub const CONTENDED_EVERY: u64 = 4;
/// Who leads these, and who has their tasks: the number of the first, and how many take turns.
const CONTENDED_PEOPLE: [(u64, u64); 3] = [(0, 50), (100, 30), (140, 20)];
/// The copies are so many milliseconds older than what they copy: a day.
const OLDER_MS: u64 = 86_400_000;

/// The stopped product's database.
pub enum Store {
    /// Its file.
    Sqlite(PathBuf),
    /// A connection to it.
    Postgres(Client),
}

impl Store {
    /// The store of a subject whose folder this is.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn of(subject: &Subject, folder: &Path) -> anyhow::Result<Self> {
        let Subject::Product { database: Some(url), .. } = subject else {
            return Ok(Self::Sqlite(folder.join("allclear.db")));
        };
        let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await?;
        tokio::spawn(connection);
        Ok(Self::Postgres(client))
    }

    async fn run(&self, statements: &[String]) -> anyhow::Result<()> {
        match self {
            Self::Sqlite(file) => {
                let db = rusqlite::Connection::open(file)?;
                db.execute_batch("pragma synchronous = off; pragma cache_size = -262144; begin;")?;
                for sql in statements {
                    db.execute(sql, []).with_context(|| sql.clone())?;
                }
                db.execute_batch("commit; pragma wal_checkpoint(truncate); pragma optimize;")?;
            }
            Self::Postgres(client) => {
                client.batch_execute("begin; set local statement_timeout = 0;").await?;
                for sql in statements {
                    client.batch_execute(sql).await.with_context(|| sql.clone())?;
                }
                client.batch_execute("commit").await?;
                // What autovacuum does within minutes; it refuses to stand among other statements.
                client.batch_execute("vacuum analyze").await?;
                // Else the server writes out what was filled while the first pages are timed.
                client.batch_execute("checkpoint").await?;
            }
        }
        Ok(())
    }

    /// The first column of an answer as text.
    async fn texts(&self, sql: &str) -> anyhow::Result<Vec<String>> {
        match self {
            Self::Sqlite(file) => {
                let db = rusqlite::Connection::open(file)?;
                let mut statement = db.prepare(sql)?;
                let found = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
                Ok(found)
            }
            Self::Postgres(client) => Ok(client.query(sql, &[]).await?.iter().map(|row| row.get(0)).collect()),
        }
    }

    async fn columns(&self, table: &str) -> anyhow::Result<Vec<String>> {
        self.texts(&match self {
            Self::Sqlite(_) => format!("select name from pragma_table_info('{table}')"),
            Self::Postgres(_) => {
                format!("select column_name::text from information_schema.columns where table_name = '{table}' order by ordinal_position")
            }
        })
        .await
    }

    /// A table of the whole numbers from one to another, in a column of this name.
    fn numbers(&self, column: &str, from: u64, to: u64) -> String {
        match self {
            Self::Sqlite(_) => format!(
                "(with recursive c({column}) as (select {from} union all select {column} + 1 from c where {column} < {to}) select {column} from c) {column}s"
            ),
            Self::Postgres(_) => format!("generate_series({from}, {to}) {column}s ({column})"),
        }
    }

    /// `n` in eight digits.
    fn digits(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "printf('%08d', n)",
            Self::Postgres(_) => "lpad(n::text, 8, '0')",
        }
    }

    /// A statement that copies rows with some columns changed.
    async fn copy(&self, table: &str, changed: &[(&str, &str)], from: &str, condition: &str) -> anyhow::Result<String> {
        let names: Vec<String> = self.columns(table).await?.into_iter().filter(|name| name != "seq").collect();
        let value = |name: &String| {
            let found = changed.iter().find(|(other, _)| other == name);
            found.map_or_else(|| format!("{table}.{name}"), |(_, value)| (*value).to_owned())
        };
        let values: Vec<String> = names.iter().map(value).collect();
        Ok(format!("insert into {table} ({}) select {} from {from} where {condition}", names.join(", "), values.join(", ")))
    }

    async fn id(&self, reference: &str) -> anyhow::Result<String> {
        let found = self.texts(&format!("select id from incident where ref = '{reference}'")).await?;
        found.into_iter().next().context("the declared incident is not stored")
    }

    /// The id of copy `n`: older, its last digits its own. Decimal digits are letters of the alphabet.
    fn own(&self, id: &str) -> String {
        let (prefix, rest) = id.split_at(id.find('_').map_or(0, |at| at + 1));
        let (time, rest) = rest.split_at(TIME_LETTERS);
        let value = |letter: u8| ALPHABET.iter().position(|known| *known == letter).unwrap_or(0) as u64;
        let mut ms = time.bytes().fold(0, |ms, letter| ms << 5 | value(letter)) - OLDER_MS;
        let mut older = [0_u8; TIME_LETTERS];
        for letter in older.iter_mut().rev() {
            *letter = ALPHABET[(ms & 31) as usize];
            ms >>= 5;
        }
        format!("'{prefix}{}{}' || {}", String::from_utf8_lossy(&older), &rest[..8], self.digits())
    }
}

/// Copies the declared incident and its note; the first `open` copies are open, the others closed.
///
/// # Errors
/// When a statement fails.
pub async fn fill(store: &Store, reference: &str, open: u64) -> anyhow::Result<()> {
    let id = store.id(reference).await?;
    let own = store.own(&id);
    let each = store.numbers("n", 1, INCIDENTS);
    let title = format!(
        "case when n % {CAPITAL_EVERY} = 0 then 'Überlast ' || n || ': refunds are late' else 'Incident ' || n || ': refunds are late' end"
    );
    let changed = [
        ("id", own.as_str()),
        ("ref", "'INC-' || (100000 + n)"),
        ("title", &title),
        ("severity", "'sev' || (1 + n % 5)"),
        ("open", &format!("n <= {open}")),
        ("state", &format!("case when n <= {open} then 'investigating' else 'closed' end")),
        ("work", "null"),
    ];
    let incidents = store.copy("incident", &changed, &format!("incident, {each}"), &format!("incident.id = '{id}'")).await?;
    // Of each the event that gave it its title, as searches know it.
    let known = store.texts(&format!("select title from incident where id = '{id}'")).await?.into_iter().next().context("no title")?;
    let body = format!("replace(event.body, '{}', {title})", known.replace('\'', "''"));
    let version = format!("{}", EVENTS_EACH + 1);
    let changed = [
        ("stream", own.as_str()),
        ("incident", &own),
        ("version", &version),
        ("at", "at + n"),
        ("recorded_at", "recorded_at + n"),
        ("body", &body),
    ];
    let of_it = format!("event.stream = '{id}' and event.kind = 'declared'");
    let titles = store.copy("event", &changed, &format!("event, {each}"), &of_it).await?;
    // The log last and in the order of incidents, as it would be written.
    // What every note says, what a thousand incidents say, and what one incident says.
    let body = "'{\"text\":\"The queue of refunds waits for node' || (n % 100) || ', try ' || m || ' of case' || n || '\"}'";
    let changed = [
        ("stream", own.as_str()),
        ("incident", &own),
        ("version", "m"),
        ("at", "at + n"),
        ("recorded_at", "recorded_at + n"),
        ("body", body),
    ];
    let of_each = format!("{each} cross join {} cross join event", store.numbers("m", 1, EVENTS_EACH));
    let noted = format!("event.stream = '{id}' and event.kind = 'noted'");
    let events = store.copy("event", &changed, &of_each, &noted).await?;
    let changed = [("version", "1000 + n"), ("at", "at + n * cast(1000000 as bigint)")];
    let own_events = format!("event, {}", store.numbers("n", 1, EVENTS_SHOWN));
    let shown = store.copy("event", &changed, &own_events, &format!("{noted} and event.version < 1000")).await?;
    store.run(&[incidents, awaited(store, &id, 1, open).await?, titles, events, shown]).await
}

/// Looks until the program has sealed what was filled in, and longer than it may ever take.
const SEALED_LOOKS: u32 = 900;

/// Waits until the running program has sealed the order of the log (its checkpoints), so that it does nothing beside what is measured.
///
/// # Errors
/// When the store does not answer, or it is not done in a quarter of an hour.
pub async fn sealed(store: &Store) -> anyhow::Result<Duration> {
    let start = Instant::now();
    for _ in 0..SEALED_LOOKS {
        let left = store
            .texts("select cast((select coalesce(max(seq), 0) from event) - (select coalesce(max(to_seq), 0) from checkpoint) as text)");
        let left: i64 = left.await?.first().context("no count")?.parse()?;
        // What fills no checkpoint of its own waits for more.
        if left < 1_000 {
            return Ok(start.elapsed());
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    anyhow::bail!("the log is not sealed after {SEALED_LOOKS} s")
}

/// Waits until the running program has read what was filled in for searches; gives how long that took, and the bytes of the index.
///
/// # Errors
/// When the store does not answer, or it is not done in a quarter of an hour.
pub async fn searchable(store: &Store) -> anyhow::Result<(Duration, i64)> {
    let start = Instant::now();
    for _ in 0..SEALED_LOOKS {
        let left = store
            .texts("select cast((select coalesce(max(seq), 0) from event) - (select coalesce(max(seq), 0) from search_progress) as text)");
        let left: i64 = left.await?.first().context("no count")?.parse()?;
        if left <= 0 {
            let bytes = store.texts(match store {
                Store::Sqlite(_) => {
                    "select cast((select sum(length(word) + length(newest) + 24) from search_word) + \
                     (select coalesce(sum(length(word) + length(places) + 16), 0) from search_block) as text)"
                }
                Store::Postgres(_) => "select cast(pg_total_relation_size('search_word') + pg_total_relation_size('search_block') as text)",
            });
            return Ok((start.elapsed(), bytes.await?.first().context("no size")?.parse()?));
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    anyhow::bail!("the log is not read for searches after {SEALED_LOOKS} s")
}

/// Admits somebody to some copies.
///
/// # Errors
/// When a statement fails.
pub async fn admit(store: &Store, person: &str, copies: &[u64]) -> anyhow::Result<()> {
    let refs: Vec<String> = copies.iter().map(|n| format!("'INC-{}'", 100_000 + n)).collect();
    let refs = refs.join(", ");
    let noted = format!("insert into incident_reader (incident, person) select id, '{person}' from incident where ref in ({refs})");
    let admitted = format!("update incident set admitted = '[\"{person}\"]' where ref in ({refs})");
    store.run(&[noted, admitted]).await
}

/// Opens the copies after the first `from` up to `to`.
///
/// # Errors
/// When a statement fails.
pub async fn open(store: &Store, reference: &str, from: u64, to: u64) -> anyhow::Result<()> {
    let id = store.id(reference).await?;
    let own = store.own(&id);
    let ids = format!("select {own} from {}", store.numbers("n", from + 1, to));
    let opened = format!("update incident set open = true, state = 'investigating', closed_at = null where id in ({ids})");
    store.run(&[opened, awaited(store, &id, from + 1, to).await?]).await
}

/// Lets every fourth of the first `open` copies want people whom others want as well: each is held, commanded and worked on like
/// the incident with this reference, by others in the place of `people`. The last of these copies is closed, since that incident is
/// open as well.
///
/// # Errors
/// When a statement fails.
pub async fn contend(store: &Store, reference: &str, people: [&str; 3], open: u64) -> anyhow::Result<()> {
    let id = store.id(reference).await?;
    let work = store.texts(&format!("select work from incident where id = '{id}'")).await?;
    let work = work.into_iter().next().context("nothing is coordinated in the incident that is copied")?;
    let mut statements = vec![format!("update incident set open = false, state = 'closed' where ref = 'INC-{}'", 100_000 + open)];
    for n in (CONTENDED_EVERY..open).step_by(usize::try_from(CONTENDED_EVERY)?) {
        let turn = n / CONTENDED_EVERY;
        let mut own = work.replace('\'', "''");
        let mut leads = String::new();
        for (model, (first, many)) in people.iter().zip(CONTENDED_PEOPLE) {
            let person = format!("p{:03}", first + turn % many);
            own = own.replace(&format!("\"{model}\""), &format!("\"{person}\""));
            // The first of them leads.
            if leads.is_empty() {
                leads = person;
            }
        }
        statements.push(format!(
            "update incident set commander = '{leads}', acknowledged_by = '{leads}', work = '{own}' where ref = 'INC-{}'",
            100_000 + n
        ));
    }
    store.run(&statements).await
}

/// What is awaited of open copies.
async fn awaited(store: &Store, id: &str, from: u64, to: u64) -> anyhow::Result<String> {
    let own = store.own(id);
    let changed =
        [("owner", own.as_str()), ("incident", &own), ("next_look_at", "next_look_at + 86400000000 + n * cast(1000000 as bigint)")];
    let condition = format!("owner = '{id}' and standing = 'live' and key = 'update'");
    store.copy("expectation", &changed, &format!("expectation, {}", store.numbers("n", from, to)), &condition).await
}
