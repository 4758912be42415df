//! The screens over a large store: board, incident, lists, a change seen elsewhere, and many live pages; then a plan that runs in the
//! incident, people whom several incidents want, and how soon a plan is started (`plans`). The same pages and the same targets on both
//! databases.
//!
//! The store is filled by `fill`, while the product does not run.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::fill::{self, CONTENDED_EVERY, EVENTS_EACH, EVENTS_SHOWN, INCIDENTS, Store};
use crate::http::{self, Connection};
use crate::load::{at_ms, histogram, note};
use crate::machine;
use crate::measure::Bench;
use crate::org::{GUEST, PLAN_TASKS};
use crate::plans::{self, CONTENDED};
use crate::report::{Report, Row, Verdict};
use crate::server::{ADMIN_TOKEN, Postgres, Server, Subject};

/// Open incidents of the board that the issue asks for: the copies, and the one that was declared.
const OPEN: u64 = 999;
/// Open incidents of a board that does not hold them all: its reader sees `1000+`.
const MANY_OPEN: u64 = 4_999;
/// The copies that a guest was admitted to: an open one and an old one.
const GUEST_SEES: [u64; 2] = [7, 77_777];
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
/// The board where people are wanted by several incidents.
const CONTENDED_MS: f64 = 25.0;
const INCIDENT_MS: f64 = 30.0;
const INCIDENT_BYTES: f64 = 100_000.0;
const LIST_MS: f64 = 10.0;
/// A search over everything.
const SEARCH_MS: f64 = 100.0;
const SEEN_MS: f64 = 200.0;
const LIVE_MIB: f64 = 50.0;
const LIVE_CORES: f64 = 0.05;
/// Trends of everything are answered rather than refused, which is what happens to a request after 20 s.
const TRENDS_S: f64 = 20.0;

/// Everything of this module.
///
/// # Errors
/// When the product does not start or the store cannot be filled.
pub async fn screens(bench: &Bench, report: &mut Report) -> anyhow::Result<()> {
    let starts = plans::counted(bench).await?;
    // First, since on SQLite the product makes the key that it demands on PostgreSQL.
    let ceilings: Vec<Subject> = starts.iter().map(|start| Subject::CeilingSqlite(start.unit)).collect();
    on(bench, report, "SQLite", &Subject::product(), &starts, &ceilings).await?;
    let mut postgres = Postgres::start(&bench.places).await?;
    let subject = Subject::Product { database: Some(postgres.database().await?), with_org: true, extra: Vec::new() };
    let mut ceilings = Vec::new();
    for start in &starts {
        ceilings.push(Subject::CeilingPostgres(start.unit, postgres.database().await?));
    }
    on(bench, report, "PostgreSQL", &subject, &starts, &ceilings).await
}

/// Started on a filled store, and done with what follows a start.
async fn started(bench: &Bench, subject: &Subject, folder: PathBuf) -> anyhow::Result<Server> {
    let server = Server::start_in(&bench.places, subject, folder).await?;
    server.looked_through().await?;
    Ok(server)
}

/// A page that is timed.
struct Shown {
    name: String,
    path: String,
    /// What stands on it, so that a fast answer is the right one.
    holds: &'static str,
    /// What else does; empty where that is enough.
    also: &'static str,
    target: f64,
    /// Whose token asks.
    token: String,
}

fn shown(name: impl Into<String>, path: impl Into<String>, holds: &'static str, target: f64) -> Shown {
    Shown { name: name.into(), path: path.into(), holds, also: "", target, token: ADMIN_TOKEN.to_owned() }
}

/// All rows on one database. `ceilings`: the bare writer of each start.
async fn on(
    bench: &Bench,
    report: &mut Report,
    database: &str,
    subject: &Subject,
    starts: &[plans::Start],
    ceilings: &[Subject],
) -> anyhow::Result<()> {
    let label = format!("(screens, {database})");
    let server = Server::start(&bench.places, subject).await?;
    let reference = declare(&server).await?;
    let folder = server.kill()?;
    let store = Store::of(subject, &folder).await?;
    let start = Instant::now();
    fill::fill(&store, &reference, OPEN).await?;
    fill::admit(&store, GUEST, &GUEST_SEES).await?;
    report.add(Row {
        scenario: format!("{label} filling {INCIDENTS} incidents and {} events", INCIDENTS * EVENTS_EACH + EVENTS_SHOWN),
        value: Some(start.elapsed().as_secs_f64()),
        unit: "s",
        notes: "statements while the product does not run, not a figure of the product".to_owned(),
        ..Row::default()
    });
    let server = started(bench, subject, folder).await?;
    // Five million events at once are what no house ever has to seal, and that takes half a core for minutes.
    let sealed = fill::sealed(&store).await?;
    report.add(Row {
        scenario: format!("{label} sealing the order of that log, before anything is measured"),
        value: Some(sealed.as_secs_f64()),
        unit: "s",
        notes: "with its rests".to_owned(),
        ..Row::default()
    });
    let (read, bytes) = fill::searchable(&store).await?;
    report.add(Row {
        scenario: format!("{label} reading what that log says for searches, after its order was sealed"),
        value: Some(read.as_secs_f64()),
        unit: "s",
        notes: format!("the index has {} MiB, {:.0} bytes an event", bytes / 1024 / 1024, bytes as f64 / (INCIDENTS * EVENTS_EACH) as f64),
        ..Row::default()
    });
    let guest = token_of(&server, GUEST, "read").await?;
    let incident = format!("/incidents/{reference}");
    for page in [
        shown(format!("board of {} open incidents out of {INCIDENTS}", OPEN + 1), "/", "1000 open", BOARD_MS),
        shown(format!("page of an incident with {EVENTS_SHOWN} events"), &incident, "The queue of refunds", INCIDENT_MS),
        shown("list of open incidents", "/api/v1/incidents?open=true&limit=20", "INC-", LIST_MS),
        shown("list of resolved incidents", "/api/v1/incidents?state=closed&limit=20", "INC-", LIST_MS),
        shown("list filtered by severity", "/api/v1/incidents?severity=sev2&limit=20", "INC-", LIST_MS),
        shown("list filtered by service, none", "/api/v1/incidents?service=s007&limit=20", "[]", LIST_MS),
        shown("search", "/search?q=Incident+77", "Incident 77", SEARCH_MS),
        // "überlast", where the titles say "Überlast".
        shown("search, a capital beyond ASCII", "/search?q=%C3%BCberlast", "Überlast", SEARCH_MS),
        shown("search, found nowhere", "/search?q=nothing+of+this+kind", "Nothing that you may see", SEARCH_MS),
        // A word of every title, the older of the two.
        Shown { token: guest.clone(), ..shown("search by a guest of few incidents", "/search?q=refunds", "Incident 77777", SEARCH_MS) },
        shown("search for what every note says", "/api/v1/search?q=queue+of+refunds&kind=note", "queue", SEARCH_MS),
        shown("search for what one incident says", "/api/v1/search?q=case77777", "case77777", SEARCH_MS),
        shown("search for what is rare among what is common", "/api/v1/search?q=refunds+node77+case77", "INC-100077", SEARCH_MS),
        shown("search for two words that never meet", "/api/v1/search?q=node12+case77", "[]", SEARCH_MS),
        shown("search for the beginning of 100,000 words", "/api/v1/search?q=cas", "case", SEARCH_MS),
        shown("search within a severity", "/api/v1/search?q=queue&severity=sev2&kind=note", "sev2", SEARCH_MS),
        shown("search within a service that has none", "/api/v1/search?q=queue&service=s007&kind=note", "[]", SEARCH_MS),
        Shown {
            token: guest,
            ..shown("search among notes by a guest of few incidents", "/api/v1/search?q=queue&kind=note", "queue", SEARCH_MS)
        },
    ] {
        row(&server, &label, &page, report).await;
    }
    trends(&server, &label, report).await?;
    live(&server, &label, &reference, report).await?;
    let folder = coordinated(bench, report, &label, subject, &store, server, &reference).await?;
    fill::open(&store, &reference, OPEN, MANY_OPEN).await?;
    let server = started(bench, subject, folder).await?;
    row(&server, &label, &shown(format!("board with {} open incidents", MANY_OPEN + 1), "/", "1000+ open", BOARD_MS), report).await;
    plans::starts(bench, report, &label, subject, server, starts.iter().zip(ceilings)).await
}

/// A plan that runs in the incident with the long log, and a board of people whom several incidents want; as somebody sees both who
/// leads some of them. Gives the stopped product's folder.
async fn coordinated(
    bench: &Bench,
    report: &mut Report,
    label: &str,
    subject: &Subject,
    store: &Store,
    server: Server,
    reference: &str,
) -> anyhow::Result<PathBuf> {
    plans::run_in(&server, reference).await?;
    let busy = plans::declare_busy(&server).await?;
    let token = token_of(&server, plans::LEADS, "respond").await?;
    // The notes of the live rows came to those of before.
    let name = format!("page of an incident with a running plan of {PLAN_TASKS} tasks and more than {EVENTS_SHOWN} events");
    for (part, of) in [("", ""), ("?tab=tasks", ", its tasks")] {
        let page = shown(format!("{name}{of}"), format!("/incidents/{reference}{part}"), plans::LAST_STEP, INCIDENT_MS);
        row(&server, label, &Shown { token: token.clone(), ..page }, report).await;
    }
    let folder = server.kill()?;
    fill::contend(store, &busy, CONTENDED, OPEN).await?;
    let server = started(bench, subject, folder).await?;
    let name = format!("board of {} open incidents, people of {} of them wanted by others too", OPEN + 1, OPEN / CONTENDED_EVERY);
    let board = shown(name, "/", "also wanted by", CONTENDED_MS);
    row(&server, label, &Shown { token, also: "1000 open", ..board }, report).await;
    server.kill()
}

/// Trends over every incident that there is, all of the last days: how long they take, and what they leave in memory.
async fn trends(server: &Server, label: &str, report: &mut Report) -> anyhow::Result<()> {
    let before = machine::pss_mib(server.pid()).context("the product's smaps_rollup is unreadable")?;
    let request = http::get("/api/v1/trends", Some(ADMIN_TOKEN));
    let mut connection = Connection::open(server.address).await?;
    let start = Instant::now();
    let status = connection.exchange(&request).await?;
    let took = start.elapsed().as_secs_f64();
    let counted = serde_json::from_slice::<serde_json::Value>(connection.body())?["incidents"].as_u64().unwrap_or(0);
    ensure!(status == 200 && counted >= INCIDENTS, "trends answered {status} with {counted} of {INCIDENTS} incidents");
    let grew = machine::pss_mib(server.pid()).context("the product's smaps_rollup is unreadable")? - before;
    report.add(Row {
        scenario: format!("{label} trends over {counted} incidents"),
        value: Some(took),
        unit: "s",
        notes: format!("once, cold; memory grew by {grew:.1} MiB"),
        target: format!("< {TRENDS_S} s"),
        verdict: Some(Verdict::of(took < TRENDS_S)),
        ..Row::default()
    });
    Ok(())
}

/// Times one page.
async fn row(server: &Server, label: &str, page: &Shown, report: &mut Report) {
    let Shown { name, path, target, .. } = page;
    match timed(server, page).await {
        Ok((p50, p99, bytes)) => {
            report.add(Row {
                scenario: format!("{label} {name}: p99"),
                value: Some(p99),
                unit: "ms",
                notes: format!("p50 {p50:.2} ms, {} KB", bytes / 1000),
                target: format!("< {target} ms"),
                verdict: Some(Verdict::of(p99 < *target)),
                ..Row::default()
            });
            if path.starts_with("/incidents/") {
                #[allow(clippy::cast_precision_loss)] // far below 2^52
                report.add(Row {
                    scenario: format!("{label} {name}: size"),
                    value: Some(bytes as f64 / 1000.0),
                    unit: "KB",
                    target: "< 100 KB".to_owned(),
                    verdict: Some(Verdict::of((bytes as f64) < INCIDENT_BYTES)),
                    ..Row::default()
                });
            }
        }
        Err(error) => report.unmeasured(&format!("{label} {name}"), &error),
    }
}

async fn declare(server: &Server) -> anyhow::Result<String> {
    let body = r#"{"title":"Incident 0","severity":"sev2","page":false}"#;
    let answer = server.post("/api/v1/incidents", body).await?;
    let reference = answer["ref"].as_str().context("the incident has no ref")?.to_owned();
    server.post(&format!("/api/v1/incidents/{reference}/acknowledge"), r#"{"by":null}"#).await?;
    server
        .post(
            &format!("/api/v1/incidents/{reference}/note"),
            r#"{"text":"The queue of refunds is longer than an hour; two workers were added."}"#,
        )
        .await?;
    Ok(reference)
}

/// A token with which somebody looks.
async fn token_of(server: &Server, person: &str, scope: &str) -> anyhow::Result<String> {
    let made = server.post("/api/v1/tokens", &format!(r#"{{"name":"bench","scope":"{scope}","person":"{person}"}}"#)).await?;
    Ok(made["token"].as_str().context("the answer has no token")?.to_owned())
}

async fn timed(server: &Server, page: &Shown) -> anyhow::Result<(f64, f64, usize)> {
    let Shown { path, token, .. } = page;
    let request = http::get(path, Some(token));
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
    let body = String::from_utf8_lossy(connection.body());
    for holds in [page.holds, page.also] {
        ensure!(body.contains(holds), "{path} does not show `{holds}`");
    }
    Ok((at_ms(&latency, 0.5), at_ms(&latency, 0.99), connection.body().len()))
}

/// Live pages: what they cost when quiet, and how soon one hears of a change.
async fn live(server: &Server, label: &str, reference: &str, report: &mut Report) -> anyhow::Result<()> {
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
        scenario: format!("{label} {LIVE} quiet live pages: memory"),
        value: Some(mib),
        unit: "MiB",
        target: format!("< {LIVE_MIB} MiB"),
        verdict: Some(Verdict::of(mib < LIVE_MIB)),
        ..Row::default()
    });
    report.add(Row {
        scenario: format!("{label} {LIVE} quiet live pages: processor"),
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
        server.post(&format!("/api/v1/incidents/{reference}/note"), &format!(r#"{{"text":"{text}"}}"#)).await?;
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
        scenario: format!("{label} a change seen on another page, {LIVE} live: p99"),
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
