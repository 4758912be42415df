//! Lists out of many, starts and restarts, idle memory, the program's size, and Alertmanager's own rates.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};

use crate::http::{self, Connection};
use crate::ingest::plain;
use crate::load::{Pace, Stop, at_ms, histogram, note};
use crate::machine;
use crate::measure::{Bench, Figures, Traffic, UnderLoad};
use crate::report::{Report, Row, Verdict};
use crate::server::{ADMIN_TOKEN, Server, Subject};
use crate::shape::{BATCH, Kind, TARGETS};

/// Alerts, and incidents, that lists are taken out of.
const MANY: u64 = 100_000;
/// Requests per list; enough for a p99.
const LISTS: usize = 500;
/// A list at the server, in milliseconds.
const LIST_MS: f64 = 5.0;
/// Lists that are timed, and how many items each must give: alerts, and incidents by each of the
/// contract's filters, of which the last finds nothing and so must look at the most.
const PATHS: [(&str, usize); 6] = [
    ("/api/v1/alerts?limit=20", 20),
    ("/api/v1/incidents?limit=20", 20),
    ("/api/v1/incidents?limit=20&severity=sev2", 20),
    ("/api/v1/incidents?limit=20&service=s007", 20),
    ("/api/v1/incidents?limit=20&state=declared", 20),
    ("/api/v1/incidents?limit=20&state=resolved", 0),
];
/// Whole lists that Alertmanager is asked for, since it has no pages.
const WHOLE_LISTS: usize = 3;
/// Starts on an empty store, and restarts after SIGKILL; the slowest counts.
const STARTS: usize = 5;
/// When idle memory is read, after the start.
const IDLE_AFTER: Duration = Duration::from_secs(20);
/// Idle memory asked, MiB.
const IDLE_MIB: f64 = 32.0;
/// The program's size asked, MiB.
const PROGRAM_MIB: f64 = 45.0;
/// Ready on an empty store, milliseconds.
const EMPTY_START_MS: f64 = 100.0;
/// Ready after SIGKILL with many live expectations, milliseconds.
const RESTART_MS: f64 = 1_000.0;
/// The sink is quiet when nothing arrived for so long.
const QUIET: Duration = Duration::from_secs(2);
/// How long at most the pages of the filling are waited for.
const QUIET_WITHIN: Duration = Duration::from_secs(180);

/// Lists of 20 out of 100,000 alerts and as many incidents; then SIGKILL and ready again.
///
/// # Errors
/// When a server does not start or a run cannot be made.
pub async fn lists_and_restart(bench: &Bench, report: &mut Report) -> anyhow::Result<()> {
    // The limit per target is lifted so that the pages of the filling are gone sooner.
    let subject = Subject::product_with(&["--per-target-limit", "0"]);
    let mut server = UnderLoad::start(bench, &subject).await?;
    for kind in [Kind::Record, Kind::Page] {
        fill(&mut server, kind).await?;
    }
    wait_until_quiet(bench).await;
    for (path, items) in PATHS {
        match list(&server.server, path, items).await {
            Ok((p50, p99)) => report.add(Row {
                scenario: format!("GET {path} out of {MANY}: p99"),
                value: Some(p99),
                unit: "ms",
                notes: format!("p50 {p50:.2} ms"),
                target: format!("< {LIST_MS} ms"),
                verdict: Some(Verdict::of(p99 < LIST_MS)),
                ..Row::default()
            }),
            Err(error) => report.unmeasured(&format!("GET {path}"), &error),
        }
    }
    let live = server.server.metric("allclear_expectations_live").await.unwrap_or(0.0);
    let mut folder = server.server.kill()?;
    let mut slowest = Duration::ZERO;
    for _ in 0..STARTS {
        let again = Server::start_in(&bench.places, &subject, folder).await?;
        slowest = slowest.max(again.ready_after);
        folder = again.kill()?;
    }
    let mut row = start_row("ready after SIGKILL with 100,000 live expectations", slowest, RESTART_MS);
    row.notes = format!("slowest of {STARTS}; the product counted {live} live expectations");
    #[allow(clippy::cast_precision_loss)] // a hundred thousand
    if live < MANY as f64 {
        row.verdict = Some(Verdict::Missed);
    }
    report.add(row);
    Ok(())
}

/// Time to ready on an empty store, memory when idle, and the program's size.
///
/// # Errors
/// When the product does not start.
pub async fn start(bench: &Bench, report: &mut Report) -> anyhow::Result<()> {
    let bare = Subject::Product { database: None, with_org: false, extra: Vec::new() };
    for (name, subject, asked) in
        [("ready on an empty store", bare, true), ("ready on an empty store, applying 200 people", Subject::product(), false)]
    {
        let mut slowest = Duration::ZERO;
        for _ in 0..STARTS {
            slowest = slowest.max(Server::start(&bench.places, &subject).await?.ready_after);
        }
        let mut row = start_row(name, slowest, EMPTY_START_MS);
        row.notes = format!("slowest of {STARTS}");
        if !asked {
            (row.target, row.verdict) = (String::new(), None);
        }
        report.add(row);
    }
    let server = Server::start(&bench.places, &Subject::product()).await?;
    let before = machine::cpu_seconds(server.pid());
    tokio::time::sleep(IDLE_AFTER).await;
    let pss = machine::pss_mib(server.pid()).context("the product's smaps_rollup is unreadable")?;
    report.add(Row {
        scenario: "idle memory (PSS) 20 s after the start".to_owned(),
        value: Some(pss),
        unit: "MiB",
        notes: format!("{:.2} s of processor in those 20 s", machine::cpu_seconds(server.pid()) - before),
        target: format!("< {IDLE_MIB} MiB"),
        verdict: Some(Verdict::of(pss < IDLE_MIB)),
        ..Row::default()
    });
    let bytes = fs::metadata(&bench.places.product).context("looking at the program's size")?.len();
    #[allow(clippy::cast_precision_loss)] // far below 2^52
    let mib = bytes as f64 / (1024.0 * 1024.0);
    report.add(Row {
        scenario: "size of the program".to_owned(),
        value: Some(mib),
        unit: "MiB",
        notes: format!("{bytes} bytes, as the release profile leaves it"),
        target: format!("< {PROGRAM_MIB} MiB"),
        verdict: Some(Verdict::of(mib < PROGRAM_MIB)),
        ..Row::default()
    });
    Ok(())
}

/// Alertmanager's rates and its list, which the product's are read beside.
///
/// # Errors
/// When it is not installed or a run cannot be made.
pub async fn alertmanager(bench: &Bench, report: &mut Report) -> anyhow::Result<()> {
    let subject = Subject::Alertmanager { webhook: None };
    let single = Traffic::single(Kind::Record);
    for (name, traffic) in [
        ("Alertmanager: distinct alerts, 64 connections", single),
        ("Alertmanager: distinct alerts, 1 connection", Traffic { connections: 1, ..single }),
        ("Alertmanager: distinct alerts, batches of 64", Traffic { batch: BATCH, ..single }),
    ] {
        let figures = UnderLoad::start(bench, &subject).await?.highest(bench, traffic).await?;
        report.add(plain(name.to_owned(), &figures));
    }
    let mut server = UnderLoad::start(bench, &subject).await?;
    fill(&mut server, Kind::Record).await?;
    let mut slowest = Duration::ZERO;
    let mut length = 0;
    for _ in 0..WHOLE_LISTS {
        let start = Instant::now();
        length = http::fetch(server.server.address, "/api/v2/alerts").await?.len();
        slowest = slowest.max(start.elapsed());
    }
    report.add(Row {
        scenario: format!("Alertmanager: list all {MANY} alerts"),
        value: Some(slowest.as_secs_f64() * 1_000.0),
        unit: "ms",
        notes: format!("slowest of {WHOLE_LISTS}, {} MB", length / 1_000_000),
        ..Row::default()
    });
    Ok(())
}

async fn fill(server: &mut UnderLoad, kind: Kind) -> anyhow::Result<Figures> {
    let traffic = Traffic { batch: BATCH, targets: TARGETS, ..Traffic::single(kind) };
    let requests = Stop::Requests(MANY.div_ceil(BATCH));
    let figures = server.load(traffic, Pace::Closed, requests, false).await?;
    ensure!(
        figures.run.alerts >= MANY,
        "filling stopped at {} alerts: {}",
        figures.run.alerts,
        figures.run.complaint.as_deref().unwrap_or("no reason kept")
    );
    Ok(figures)
}

async fn list(server: &Server, path: &str, items: usize) -> anyhow::Result<(f64, f64)> {
    let request = http::get(path, Some(ADMIN_TOKEN));
    let mut connection = Connection::open(server.address).await?;
    let mut latency = histogram();
    for _ in 0..LISTS {
        let start = Instant::now();
        let status = connection.exchange(&request).await?;
        note(&mut latency, start.elapsed());
        ensure!(status == 200, "answered {status}: {}", String::from_utf8_lossy(connection.body()).chars().take(200).collect::<String>());
    }
    let answer: serde_json::Value = serde_json::from_slice(connection.body()).context("the list is not JSON with a length")?;
    let given = answer["items"].as_array().map_or(0, Vec::len);
    ensure!(given == items, "the list has {given} items, not {items}");
    Ok((at_ms(&latency, 0.5), at_ms(&latency, 0.99)))
}

async fn wait_until_quiet(bench: &Bench) {
    let start = Instant::now();
    let (mut count, mut since) = (bench.sink.count(), Instant::now());
    while since.elapsed() < QUIET && start.elapsed() < QUIET_WITHIN {
        tokio::time::sleep(Duration::from_millis(100)).await;
        if bench.sink.count() != count {
            (count, since) = (bench.sink.count(), Instant::now());
        }
    }
    bench.sink.take();
}

fn start_row(scenario: &str, took: Duration, target_ms: f64) -> Row {
    let ms = took.as_secs_f64() * 1_000.0;
    Row {
        scenario: scenario.to_owned(),
        value: Some(ms),
        unit: "ms",
        target: format!("< {target_ms} ms"),
        verdict: Some(Verdict::of(ms < target_ms)),
        ..Row::default()
    }
}
