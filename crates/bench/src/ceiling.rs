//! The ceilings: the least that any server must do to answer 200 for rows it has made durable.
//!
//! A bare axum handler hands its bytes to one writer, which commits whatever waits as one
//! transaction and answers all of it. No parsing, no triage and, unless asked, no key. What the product reaches is
//! read as a share of this, on the same machine, in the same run, under the same load.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::serve::ListenerExt as _;
use tokio::sync::{mpsc, oneshot};

/// Requests that may wait for the writer; more than any run has connections.
const WAITING: usize = 4_096;
/// Requests that one transaction takes at most.
const GROUP: usize = 1_024;

/// What one request makes durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::Args)]
pub struct Unit {
    /// Rows that one request writes.
    #[arg(long, default_value_t = 1)]
    pub rows_per_unit: u64,
    /// Tables over which the rows of a request are spread.
    #[arg(long, default_value_t = 1)]
    pub tables: u64,
    /// Each row gets the whole body rather than its part of it.
    #[arg(long)]
    pub whole_body: bool,
    /// The id is a key, as the id of a row that anyone reads again must be.
    #[arg(long)]
    pub keyed: bool,
}

impl Unit {
    /// The bodies of the rows of one request.
    fn bodies<'a>(&self, body: &'a str) -> Vec<&'a str> {
        let rows = usize::try_from(self.rows_per_unit).unwrap_or(1).max(1);
        let part = body.len().div_ceil(rows);
        (0..rows)
            .map(|row| {
                if self.whole_body {
                    body
                } else {
                    // The bench sends ASCII; anything else is kept whole.
                    let start = (row * part).min(body.len());
                    body.get(start..(start + part).min(body.len())).unwrap_or(body)
                }
            })
            .collect()
    }
}

struct Waiting {
    body: String,
    done: oneshot::Sender<bool>,
}

/// Serves until killed, with SQLite (WAL, `synchronous=FULL`) behind it.
///
/// # Errors
/// When the address or the file cannot be used.
pub async fn serve_sqlite(listen: SocketAddr, path: &Path, unit: Unit) -> anyhow::Result<()> {
    let database = rusqlite::Connection::open(path).with_context(|| format!("opening the ceiling's database {}", path.display()))?;
    database.pragma_update(None, "journal_mode", "WAL")?;
    database.pragma_update(None, "synchronous", "FULL")?;
    for table in 0..unit.tables.max(1) {
        let key = if unit.keyed { "primary key" } else { "" };
        database.execute_batch(&format!("create table if not exists row_{table} (id text {key}, body text) strict"))?;
    }
    let (to_writer, from_handlers) = mpsc::channel(WAITING);
    std::thread::Builder::new().name("writer".to_owned()).spawn(move || write_sqlite(database, from_handlers, unit))?;
    serve(listen, to_writer).await
}

fn write_sqlite(mut database: rusqlite::Connection, mut waiting: mpsc::Receiver<Waiting>, unit: Unit) {
    let statements: Vec<String> =
        (0..unit.tables.max(1)).map(|table| format!("insert into row_{table} (id, body) values (?1, ?2)")).collect();
    let mut number = 0_u64;
    let mut group = Vec::with_capacity(GROUP);
    while let Some(first) = waiting.blocking_recv() {
        group.push(first);
        while group.len() < GROUP {
            let Ok(next) = waiting.try_recv() else { break };
            group.push(next);
        }
        let committed = write_group(&mut database, &statements, &group, unit, &mut number);
        if let Err(error) = &committed {
            eprintln!("the ceiling's commit failed: {error}");
        }
        for unit in group.drain(..) {
            let _ = unit.done.send(committed.is_ok());
        }
    }
}

fn write_group(
    database: &mut rusqlite::Connection,
    statements: &[String],
    group: &[Waiting],
    unit: Unit,
    number: &mut u64,
) -> rusqlite::Result<()> {
    let transaction = database.transaction()?;
    for (table, statement) in statements.iter().enumerate() {
        let mut insert = transaction.prepare_cached(statement)?;
        for waiting in group {
            let bodies = unit.bodies(&waiting.body);
            for body in bodies.iter().skip(table).step_by(statements.len()) {
                *number += 1;
                insert.execute((format!("row_{number:020}"), body))?;
            }
        }
    }
    transaction.commit()
}

/// Serves until killed, with PostgreSQL behind it: one connection, multi-row inserts by unnest.
///
/// # Errors
/// When the address or the server cannot be used.
pub async fn serve_postgres(listen: SocketAddr, url: &str, unit: Unit) -> anyhow::Result<()> {
    let (client, connection) =
        tokio_postgres::connect(url, tokio_postgres::NoTls).await.context("connecting to the PostgreSQL server of the ceiling")?;
    tokio::spawn(connection);
    client.batch_execute("create table if not exists row_0 (id text, body text)").await?;
    let insert = client.prepare("insert into row_0 (id, body) select * from unnest($1::text[], $2::text[])");
    let insert = insert.await?;
    let (to_writer, mut from_handlers) = mpsc::channel::<Waiting>(WAITING);
    tokio::spawn(async move {
        let mut number = 0_u64;
        let mut group = Vec::with_capacity(GROUP);
        while from_handlers.recv_many(&mut group, GROUP).await > 0 {
            let bodies: Vec<&str> = group.iter().flat_map(|waiting: &Waiting| unit.bodies(&waiting.body)).collect();
            let ids: Vec<String> = bodies
                .iter()
                .map(|_| {
                    number += 1;
                    format!("row_{number:020}")
                })
                .collect();
            let committed = client.execute(&insert, &[&ids, &bodies]).await;
            if let Err(error) = &committed {
                eprintln!("the ceiling's commit failed: {error}");
            }
            for unit in group.drain(..) {
                let _ = unit.done.send(committed.is_ok());
            }
        }
    });
    serve(listen, to_writer).await
}

async fn serve(listen: SocketAddr, to_writer: mpsc::Sender<Waiting>) -> anyhow::Result<()> {
    let app = Router::new().route("/-/ready", get(|| async { StatusCode::OK })).fallback(accept).with_state(Arc::new(to_writer));
    let listener = tokio::net::TcpListener::bind(listen).await.context("binding the ceiling")?;
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, app).await.context("serving the ceiling")
}

async fn accept(State(to_writer): State<Arc<mpsc::Sender<Waiting>>>, body: Bytes) -> StatusCode {
    let Ok(body) = String::from_utf8(body.into()) else {
        return StatusCode::BAD_REQUEST;
    };
    let (done, committed) = oneshot::channel();
    if to_writer.send(Waiting { body, done }).await.is_err() {
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    match committed.await {
        Ok(true) => StatusCode::OK,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    }
}
