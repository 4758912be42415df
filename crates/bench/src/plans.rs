//! Plans: one that runs in an incident whose page is looked at, somebody who is wanted by several incidents, and how soon the start
//! of one is durable.
//!
//! A start is timed over the front door, each in an incident of its own, beside a bare commit of as many rows on the same disk: the
//! two take turns, request by request, so that a neighbour of the machine slows both. That what was answered is there after SIGKILL
//! is looked at in the end.

use std::time::Instant;

use anyhow::{Context as _, ensure};

use crate::ceiling::Unit;
use crate::http::{self, Connection};
use crate::ingest::{grown, rows_by_table};
use crate::load::{at_ms, histogram, note};
use crate::measure::Bench;
use crate::org::{PLAN_TASKS, PLANS};
use crate::report::{Report, Row, Verdict};
use crate::server::{ADMIN_TOKEN, Server, Subject};

/// Starts of a plan that are timed: three of them are slower than the p99.
const STARTS: usize = 300;
/// Starts before those, which fill caches.
const WARM_UPS: usize = 10;
/// Starts whose rows are counted in a fresh file.
const COUNTED: u64 = 20;
/// What the issue asks of a start, in milliseconds.
const START_MS: f64 = 20.0;
/// Bytes of a row of the bare commit: those of an event, which most rows are smaller than (`docs/scale.md`).
const ROW_BYTES: usize = 475;
/// Who leads the incident with the plan, and sees the pages; some others want them as well.
pub const LEADS: &str = "p000";
/// What only the page with a plan says: the words of its last step.
pub const LAST_STEP: &str = "Look at part 60 of the network";
/// Who leads, and has the tasks of, the incident that is copied; others stand in their place in each copy.
pub const CONTENDED: [&str; 3] = ["p190", "p191", "p192"];
/// Steps that are done before the page is looked at: half of the first phase.
const DONE: std::ops::RangeInclusive<usize> = 1..=5;

/// A plan whose start is timed, and what its start writes.
pub struct Start {
    plan: &'static str,
    name: &'static str,
    /// Rows and tables of a start.
    pub unit: Unit,
}

/// What the start of each plan writes, counted on a fresh SQLite file with sending held back.
///
/// # Errors
/// When the product does not start, or refuses.
pub async fn counted(bench: &Bench) -> anyhow::Result<Vec<Start>> {
    let server = Server::start(&bench.places, &Subject::product_with(&["--quarantine"])).await?;
    let file = server.folder.join("allclear.db");
    let mut found = Vec::new();
    for (plan, name) in PLANS {
        let mut references = Vec::new();
        for _ in 0..COUNTED {
            references.push(declare(&server).await?);
        }
        let before = rows_by_table(&file)?;
        for reference in &references {
            server.post(&start_path(reference), &start_body(plan)).await?;
        }
        found.push(Start { plan, name, unit: grown(&before, rows_by_table(&file)?, COUNTED) });
    }
    Ok(found)
}

/// Starts the plan in phases in an incident that somebody leads, and takes some of its steps: done, skipped, decided.
///
/// # Errors
/// When the product refuses.
pub async fn run_in(server: &Server, reference: &str) -> anyhow::Result<()> {
    lead(server, reference, LEADS).await?;
    server.post(&start_path(reference), &start_body(PLANS[0].0)).await?;
    let task = format!("/api/v1/incidents/{reference}/task");
    for step in DONE {
        server.post(&task, &format!(r#"{{"task":{step},"state":"done"}}"#)).await?;
    }
    server.post(&task, r#"{"task":6,"state":"dropped","note":"there is no second site"}"#).await?;
    // The first of the second phase is a decision.
    server.post(&task, r#"{"task":11,"option":"1","note":"the disks are gone"}"#).await?;
    Ok(())
}

/// Declares an incident that [`CONTENDED`] lead and work on, and gives its reference.
///
/// # Errors
/// When the product refuses.
pub async fn declare_busy(server: &Server) -> anyhow::Result<String> {
    let reference = declare(server).await?;
    let [leads, others @ ..] = CONTENDED;
    lead(server, &reference, leads).await?;
    for owner in others {
        let body = format!(r#"{{"text":"Look at the queue and say how long it is","owner":"{owner}","within":"1h"}}"#);
        server.post(&format!("/api/v1/incidents/{reference}/task"), &body).await?;
    }
    Ok(reference)
}

/// How soon each start is durable. The product is stopped in the end, and asked again.
///
/// # Errors
/// When a server does not start, refuses, or forgot what it answered.
pub async fn starts<'a>(
    bench: &Bench,
    report: &mut Report,
    label: &str,
    subject: &Subject,
    server: Server,
    starts: impl Iterator<Item = (&'a Start, &'a Subject)>,
) -> anyhow::Result<()> {
    let mut last = Vec::new();
    for (start, ceiling) in starts {
        last.push(timed(bench, report, label, &server, start, ceiling).await?);
    }
    let folder = server.kill()?;
    let server = Server::start_in(&bench.places, subject, folder).await?;
    for reference in last {
        let mut connection = Connection::open(server.address).await?;
        connection.exchange(&http::get(&format!("/api/v1/incidents/{reference}"), Some(ADMIN_TOKEN))).await?;
        ensure!(tasks(&connection) == PLAN_TASKS, "{reference} has {} tasks after SIGKILL", tasks(&connection));
    }
    bench.sink.take();
    Ok(())
}

/// One row; gives the incident in which the last was started.
async fn timed(
    bench: &Bench,
    report: &mut Report,
    label: &str,
    server: &Server,
    start: &Start,
    ceiling: &Subject,
) -> anyhow::Result<String> {
    let mut references = Vec::with_capacity(STARTS + WARM_UPS);
    for _ in 0..STARTS + WARM_UPS {
        references.push(declare(server).await?);
    }
    let bare = Server::start(&bench.places, ceiling).await?;
    let mut to_bare = Connection::open(bare.address).await?;
    let mut to_product = Connection::open(server.address).await?;
    let bare_request = http::post("/", ADMIN_TOKEN, &"x".repeat(ROW_BYTES));
    let (mut took, mut bare_took) = (histogram(), histogram());
    for (turn, reference) in references.iter().enumerate() {
        let request = http::post(&start_path(reference), ADMIN_TOKEN, &start_body(start.plan));
        let sent = Instant::now();
        let status = to_product.exchange(&request).await?;
        let answered = sent.elapsed();
        ensure!(
            status == 200 && tasks(&to_product) == PLAN_TASKS,
            "starting a plan in {reference} answered {status}: {}",
            String::from_utf8_lossy(to_product.body()).chars().take(200).collect::<String>()
        );
        let sent = Instant::now();
        let status = to_bare.exchange(&bare_request).await?;
        ensure!(status == 200, "the bare writer answered {status}");
        if turn >= WARM_UPS {
            note(&mut took, answered);
            note(&mut bare_took, sent.elapsed());
        }
    }
    let p99 = at_ms(&took, 0.99);
    report.add(Row {
        scenario: format!("{label} starting a plan of {PLAN_TASKS} tasks for 10 people, {}: p99", start.name),
        value: Some(p99),
        unit: "ms",
        notes: format!(
            "p50 {:.2} ms, slowest {:.2} ms, of {STARTS}; ceiling: a bare commit of {} rows in {} tables, p50 {:.2} ms",
            at_ms(&took, 0.5),
            at_ms(&took, 1.0),
            start.unit.rows_per_unit,
            start.unit.tables,
            at_ms(&bare_took, 0.5)
        ),
        target: format!("< {START_MS} ms"),
        ceiling: Some(at_ms(&bare_took, 0.99)),
        verdict: Some(Verdict::of(p99 < START_MS)),
        ..Row::default()
    });
    references.pop().context("nothing was started")
}

/// The tasks of the incident that was answered last; none of what does not read.
fn tasks(connection: &Connection) -> usize {
    let incident = serde_json::from_slice::<serde_json::Value>(connection.body()).unwrap_or_default();
    incident["tasks"].as_array().map_or(0, Vec::len)
}

fn start_path(reference: &str) -> String {
    format!("/api/v1/incidents/{reference}/plan")
}

fn start_body(plan: &str) -> String {
    format!(r#"{{"plan":"{plan}"}}"#)
}

async fn declare(server: &Server) -> anyhow::Result<String> {
    let answer = server.post("/api/v1/incidents", r#"{"title":"The network of the second site","severity":"sev2","page":false}"#).await?;
    Ok(answer["ref"].as_str().context("the incident has no ref")?.to_owned())
}

/// Somebody has it, and leads it.
async fn lead(server: &Server, reference: &str, person: &str) -> anyhow::Result<()> {
    server.post(&format!("/api/v1/incidents/{reference}/acknowledge"), &format!(r#"{{"by":"{person}"}}"#)).await?;
    let body = format!(r#"{{"role":"commander","person":"{person}","do":"take","why":"on site"}}"#);
    server.post(&format!("/api/v1/incidents/{reference}/role"), &body).await?;
    Ok(())
}
