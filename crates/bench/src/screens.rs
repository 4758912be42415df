//! The screens over a large store: board, incident, lists, a change seen elsewhere, and many live pages.
//!
//! The store is filled by statements on the stopped product's file, since five million events the usual way
//! would take an hour: rows are copies of one that the product wrote, with their own ids. The hash chain of
//! those copies does not hold, which no screen looks at.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::http::{self, Connection};
use crate::load::{at_ms, histogram, note};
use crate::machine;
use crate::measure::Bench;
use crate::report::{Report, Row, Verdict};
use crate::server::{ADMIN_TOKEN, Server, Subject};

/// Incidents stored.
const INCIDENTS: u64 = 100_000;
/// Of which these are open, and the one that was declared: a thousand.
const OPEN: u64 = 999;
/// Events of each.
const EVENTS_EACH: u64 = 50;
/// Events of the one whose page is timed.
const EVENTS_SHOWN: u64 = 500;
/// Requests of each kind; enough for a p99.
const REQUESTS: usize = 200;
/// Live pages that are open at once.
const LIVE: usize = 200;
/// How long they are quiet for.
const LIVE_FOR: Duration = Duration::from_secs(20);
/// Changes whose way to another page is timed.
const CHANGES: usize = 50;
/// What the issue asks: milliseconds, bytes, MiB, cores.
const BOARD_MS: f64 = 20.0;
const INCIDENT_MS: f64 = 30.0;
const INCIDENT_BYTES: f64 = 100_000.0;
const LIST_MS: f64 = 10.0;
const SEEN_MS: f64 = 200.0;
const LIVE_MIB: f64 = 50.0;
const LIVE_CORES: f64 = 0.05;

/// Everything of this module.
///
/// # Errors
/// When the product does not start or the store cannot be filled.
pub async fn screens(bench: &Bench, report: &mut Report) -> anyhow::Result<()> {
    let subject = Subject::product();
    let server = Server::start(&bench.places, &subject).await?;
    let reference = declare(&server).await?;
    let folder = server.kill()?;
    let start = Instant::now();
    fill(&folder.join("allclear.db"), &reference)?;
    report.add(Row {
        scenario: format!("(screens) filling {INCIDENTS} incidents and {} events", INCIDENTS * EVENTS_EACH + EVENTS_SHOWN),
        value: Some(start.elapsed().as_secs_f64()),
        unit: "s",
        notes: "statements on the stopped file, not a figure of the product".to_owned(),
        ..Row::default()
    });
    let server = Server::start_in(&bench.places, &subject, folder).await?;
    for (name, path, target) in [
        (format!("board of {} open incidents out of {INCIDENTS}", OPEN + 1), "/".to_owned(), BOARD_MS),
        (format!("page of an incident with {EVENTS_SHOWN} events"), format!("/incidents/{reference}"), INCIDENT_MS),
        ("list of open incidents".to_owned(), "/api/v1/incidents?open=true&limit=20".to_owned(), LIST_MS),
        ("list of resolved incidents".to_owned(), "/api/v1/incidents?state=closed&limit=20".to_owned(), LIST_MS),
        ("list filtered by severity".to_owned(), "/api/v1/incidents?severity=sev2&limit=20".to_owned(), LIST_MS),
        ("list filtered by service, none".to_owned(), "/api/v1/incidents?service=s007&limit=20".to_owned(), LIST_MS),
        ("search".to_owned(), "/search?q=Incident+77".to_owned(), LIST_MS),
    ] {
        match timed(&server, &path).await {
            Ok((p50, p99, bytes)) => {
                report.add(Row {
                    scenario: format!("(screens) {name}: p99"),
                    value: Some(p99),
                    unit: "ms",
                    notes: format!("p50 {p50:.2} ms, {} KB", bytes / 1000),
                    target: format!("< {target} ms"),
                    verdict: Some(Verdict::of(p99 < target)),
                    ..Row::default()
                });
                if path.starts_with("/incidents/") {
                    #[allow(clippy::cast_precision_loss)] // far below 2^52
                    report.add(Row {
                        scenario: format!("(screens) {name}: size"),
                        value: Some(bytes as f64 / 1000.0),
                        unit: "KB",
                        target: "< 100 KB".to_owned(),
                        verdict: Some(Verdict::of((bytes as f64) < INCIDENT_BYTES)),
                        ..Row::default()
                    });
                }
            }
            Err(error) => report.unmeasured(&format!("(screens) {name}"), &error),
        }
    }
    live(&server, &reference, report).await
}

async fn declare(server: &Server) -> anyhow::Result<String> {
    let body = r#"{"title":"Incident 0","severity":"sev2","page":false}"#;
    let answer = post(server, "/api/v1/incidents", body).await?;
    let reference = answer["ref"].as_str().context("the incident has no ref")?.to_owned();
    post(server, &format!("/api/v1/incidents/{reference}/acknowledge"), r#"{"by":null}"#).await?;
    post(
        server,
        &format!("/api/v1/incidents/{reference}/note"),
        r#"{"text":"The queue of refunds is longer than an hour; two workers were added."}"#,
    )
    .await?;
    Ok(reference)
}

async fn post(server: &Server, path: &str, body: &str) -> anyhow::Result<serde_json::Value> {
    let mut connection = Connection::open(server.address).await?;
    let request = format!(
        "POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {ADMIN_TOKEN}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let status = connection.exchange(request.as_bytes()).await?;
    let text = String::from_utf8_lossy(connection.body()).into_owned();
    ensure!((200..300).contains(&status), "POST {path} answered {status}: {text}");
    Ok(serde_json::from_str(&text)?)
}

/// Copies the declared incident and its note, with ids of their own.
fn fill(file: &Path, reference: &str) -> anyhow::Result<()> {
    let db = rusqlite::Connection::open(file)?;
    db.execute_batch("pragma synchronous = off; pragma cache_size = -262144; begin;")?;
    let columns = |table: &str| -> anyhow::Result<Vec<String>> {
        let mut names = db.prepare("select name from pragma_table_info(?1)")?;
        let found = names.query_map([table], |row| row.get(0))?.collect::<Result<Vec<String>, _>>()?;
        Ok(found)
    };
    let copy = |table: &str, changed: &[(&str, &str)], from: &str, condition: &str| -> anyhow::Result<()> {
        let names: Vec<String> = columns(table)?.into_iter().filter(|name| name != "seq").collect();
        let values: Vec<&str> =
            names.iter().map(|name| changed.iter().find(|(other, _)| other == name).map_or(name.as_str(), |(_, value)| *value)).collect();
        let sql = format!("insert into {table} ({}) select {} from {from} where {condition}", names.join(", "), values.join(", "));
        db.execute(&sql, []).with_context(|| format!("filling {table}"))?;
        Ok(())
    };
    let id: String = db.query_row("select id from incident where ref = ?1", [reference], |row| row.get(0))?;
    let numbers = |n: u64| format!("(with recursive c(n) as (select 1 union all select n + 1 from c where n < {n}) select n from c)");
    // The last digits of an id are its own; decimal digits are letters of its alphabet.
    let own = format!("substr('{id}', 1, 22) || printf('%08d', n)");
    copy(
        "incident",
        &[
            ("id", &own),
            ("ref", "'INC-' || (100000 + n)"),
            ("title", "'Incident ' || n || ': refunds are late'"),
            ("severity", "'sev' || (1 + n % 5)"),
            ("open", &format!("n <= {OPEN}")),
            ("state", &format!("case when n <= {OPEN} then 'investigating' else 'closed' end")),
            ("work", "null"),
        ],
        &format!("incident, {}", numbers(INCIDENTS)),
        &format!("id = '{id}'"),
    )?;
    copy(
        "expectation",
        &[("owner", &own), ("incident", &own), ("next_look_at", "next_look_at + 86400000000 + n * 1000000")],
        &format!("expectation, {}", numbers(OPEN)),
        &format!("owner = '{id}' and standing = 'live' and key = 'update'"),
    )?;
    // The log last and in the order of incidents, as it would be written.
    copy(
        "event",
        &[("stream", &own), ("incident", &own), ("version", "m"), ("at", "at + n"), ("recorded_at", "recorded_at + n")],
        &format!(
            "{} join {} on true join event",
            numbers(INCIDENTS),
            numbers(EVENTS_EACH)
                .replace("c(n)", "c(m)")
                .replace("select n", "select m")
                .replace("n + 1", "m + 1")
                .replace("where n", "where m")
        ),
        &format!("stream = '{id}' and kind = 'noted'"),
    )?;
    copy(
        "event",
        &[("version", "1000 + n"), ("at", "at + n * 1000000")],
        &format!("event, {}", numbers(EVENTS_SHOWN)),
        &format!("stream = '{id}' and kind = 'noted' and version < 1000"),
    )?;
    db.execute_batch("commit; pragma wal_checkpoint(truncate); pragma optimize;")?;
    Ok(())
}

async fn timed(server: &Server, path: &str) -> anyhow::Result<(f64, f64, usize)> {
    let request = http::get(path, Some(ADMIN_TOKEN));
    let mut connection = Connection::open(server.address).await?;
    let mut latency = histogram();
    for turn in 0..REQUESTS + 10 {
        let start = Instant::now();
        let status = connection.exchange(&request).await?;
        // The first few fill the caches that a board has all day.
        if turn >= 10 {
            note(&mut latency, start.elapsed());
        }
        ensure!(status == 200, "answered {status}: {}", String::from_utf8_lossy(connection.body()).chars().take(200).collect::<String>());
    }
    Ok((at_ms(&latency, 0.5), at_ms(&latency, 0.99), connection.body().len()))
}

/// Live pages: what they cost when quiet, and how soon one hears of a change.
async fn live(server: &Server, reference: &str, report: &mut Report) -> anyhow::Result<()> {
    let before = machine::pss_mib(server.pid()).context("the product's smaps_rollup is unreadable")?;
    let mut pages = Vec::with_capacity(LIVE);
    for _ in 0..LIVE {
        let mut stream = TcpStream::connect(server.address).await?;
        let request = format!("GET /live HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {ADMIN_TOKEN}\r\naccept: text/event-stream\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut head = [0; 512];
        let read = stream.read(&mut head).await?;
        ensure!(head[..read].starts_with(b"HTTP/1.1 200"), "/live answered {}", String::from_utf8_lossy(&head[..read]));
        pages.push(stream);
    }
    let cpu = machine::cpu_seconds(server.pid());
    tokio::time::sleep(LIVE_FOR).await;
    let cores = (machine::cpu_seconds(server.pid()) - cpu) / LIVE_FOR.as_secs_f64();
    let mib = machine::pss_mib(server.pid()).context("the product's smaps_rollup is unreadable")? - before;
    report.add(Row {
        scenario: format!("(screens) {LIVE} quiet live pages: memory"),
        value: Some(mib),
        unit: "MiB",
        target: format!("< {LIVE_MIB} MiB"),
        verdict: Some(Verdict::of(mib < LIVE_MIB)),
        ..Row::default()
    });
    report.add(Row {
        scenario: format!("(screens) {LIVE} quiet live pages: processor"),
        value: Some(cores * 100.0),
        unit: "% of a core",
        target: "< 5 %".to_owned(),
        verdict: Some(Verdict::of(cores < LIVE_CORES)),
        ..Row::default()
    });
    let mut latency = histogram();
    let mut other = Connection::open(server.address).await?;
    let page = http::get(&format!("/incidents/{reference}"), Some(ADMIN_TOKEN));
    for turn in 0..CHANGES {
        let one = &mut pages[0];
        drain(one).await?;
        let text = format!("change number {turn} of the bench");
        let start = Instant::now();
        post(server, &format!("/api/v1/incidents/{reference}/note"), &format!(r#"{{"text":"{text}"}}"#)).await?;
        let mut buffer = [0; 4096];
        let read = tokio::time::timeout(Duration::from_secs(5), one.read(&mut buffer)).await.context("no live event came")??;
        ensure!(read > 0, "the live stream ended");
        // What the other browser does then: it asks for its page again, and the change stands there.
        other.exchange(&page).await?;
        note(&mut latency, start.elapsed());
        ensure!(String::from_utf8_lossy(other.body()).contains(&text), "the page does not show the change");
    }
    let p99 = at_ms(&latency, 0.99);
    report.add(Row {
        scenario: format!("(screens) a change seen on another page, {LIVE} live: p99"),
        value: Some(p99),
        unit: "ms",
        notes: format!("p50 {:.1} ms; from the POST to the other page read again", at_ms(&latency, 0.5)),
        target: format!("< {SEEN_MS} ms"),
        verdict: Some(Verdict::of(p99 < SEEN_MS)),
        ..Row::default()
    });
    Ok(())
}

/// Reads away what came before.
async fn drain(stream: &mut TcpStream) -> anyhow::Result<()> {
    let mut buffer = [0; 4096];
    while let Ok(read) = tokio::time::timeout(Duration::from_millis(150), stream.read(&mut buffer)).await {
        ensure!(read? > 0, "the live stream ended");
    }
    Ok(())
}
