//! From an alert's arrival to somebody's webhook: latency at a steady rate, and the highest rate
//! to one sink; the same of Alertmanager.
//!
//! Latency counts from just before the request is written to the arrival of the whole message at
//! the sink, which both are instants of this process.

use std::time::{Duration, Instant};

use anyhow::ensure;

use crate::load::{Pace, Run, Stop, at_ms, histogram, note, per_second};
use crate::measure::{Bench, CONNECTIONS, Traffic, UnderLoad};
use crate::report::{Report, Row, Verdict};
use crate::server::Subject;
use crate::shape::{Kind, TARGETS};
use crate::sink::Arrivals;

/// Pages a second of a quiet day.
const CALM: f64 = 4.0;
/// Connections of a quiet day. Each is used once in two seconds: a connection on which nothing ever came is closed
/// after ten, and a sender that opens it again measures its own greeting.
const CALM_CONNECTIONS: usize = 8;
/// Pages a second to all targets together in a bad hour.
const BUSY: f64 = 200.0;
/// Pages a second to one target with its limit lifted.
const ONE_TARGET: f64 = 2_000.0;
/// Offered above what is asked, so that the sender is not what limits it.
const OFFERED: f64 = ONE_TARGET * 1.1;
/// Runs at the calm rate are longer, for a p99 of more than a few pages.
const CALM_LONGER: u32 = 2;
/// How long pages may arrive after the last request before they count as lost.
const STRAGGLERS: Duration = Duration::from_secs(30);
/// The rate of the pages that are sent before anything is counted, and for how long.
const WARM_UP: (f64, Duration) = (50.0, Duration::from_secs(1));
/// Lifts the limit per target and sends one message per notice.
const LIFTED: [&str; 3] = ["--per-target-limit", "0", "--no-bundle"];

/// The product's latencies and its rate to one sink.
///
/// # Errors
/// When a server does not start or a run cannot be made.
pub async fn product(bench: &Bench, report: &mut Report) -> anyhow::Result<()> {
    let product = Subject::product();
    let calm = pages(bench, &product, CALM, bench.length * CALM_LONGER, TARGETS).await?;
    let (p50, p99) = (calm.ms(0.5), calm.ms(0.99));
    report.add(calm.row("accept to sink at 4/s: p50", p50, "< 5 ms", p50 < 5.0));
    report.add(calm.row("accept to sink at 4/s: p99", p99, "< 20 ms", p99 < 20.0));
    // Each of them is paged once a second: what is measured is the way, not the ten seconds that gather such pages.
    let alone = Subject::product_with(&["--no-bundle"]);
    let busy = pages(bench, &alone, BUSY, bench.length, TARGETS).await?;
    let p99 = busy.ms(0.99);
    report.add(busy.row("accept to sink at 200/s to 200 targets, each page alone: p99", p99, "< 200 ms", p99 < 200.0));
    let lifted = Subject::product_with(&LIFTED);
    let one = pages(bench, &lifted, OFFERED, bench.length, 1).await?;
    let mut row = one.row("pages to one sink", one.rate, "≥ 2,000/s", one.rate >= ONE_TARGET);
    row.unit = "pages/s";
    report.add(row);
    Ok(())
}

/// Alertmanager's latencies with its fastest settings.
///
/// # Errors
/// As [`product`].
pub async fn alertmanager(bench: &Bench, report: &mut Report) -> anyhow::Result<()> {
    let webhook = Some(format!("http://{}/am", bench.sink.address));
    let subject = Subject::Alertmanager { webhook };
    for (rate, longer) in [(CALM, CALM_LONGER), (BUSY, 1)] {
        let measured = pages(bench, &subject, rate, bench.length * longer, TARGETS).await?;
        for (name, quantile) in [("p50", 0.5), ("p99", 0.99)] {
            let scenario = format!("Alertmanager: accept to sink at {rate}/s: {name}");
            let mut row = measured.row(&scenario, measured.ms(quantile), "", true);
            row.verdict = None;
            report.add(row);
        }
    }
    Ok(())
}

/// What a run of pages gave.
struct Pages {
    latency: hdrhistogram::Histogram<u64>,
    /// Arrivals a second from the first to the last.
    rate: f64,
    notes: String,
    complete: bool,
}

impl Pages {
    fn ms(&self, quantile: f64) -> f64 {
        at_ms(&self.latency, quantile)
    }

    fn row(&self, scenario: &str, value: f64, target: &str, reached: bool) -> Row {
        Row {
            scenario: scenario.to_owned(),
            value: Some(value),
            unit: "ms",
            notes: self.notes.clone(),
            target: target.to_owned(),
            verdict: Some(Verdict::of(reached && self.complete)),
            ..Row::default()
        }
    }
}

async fn pages(bench: &Bench, subject: &Subject, rate: f64, length: Duration, targets: u64) -> anyhow::Result<Pages> {
    let connections = if rate > CALM { CONNECTIONS } else { CALM_CONNECTIONS };
    let traffic = Traffic { targets, connections, ..Traffic::single(Kind::Page) };
    let mut server = UnderLoad::start(bench, subject).await?;
    bench.sink.take();
    let (warm_rate, warm_length) = WARM_UP;
    let warm = server.load(traffic, Pace::Open(warm_rate), Stop::After(warm_length), true).await?;
    wait_for(bench, warm.run.accepted).await;
    bench.sink.take();
    let figures = server.load(traffic, Pace::Open(rate), Stop::After(length), true).await?;
    ensure!(figures.run.accepted > 0, "no alert was accepted: {}", figures.run.complaint.as_deref().unwrap_or("no reason kept"));
    wait_for(bench, figures.run.accepted).await;
    let arrivals = bench.sink.take();
    Ok(paired(&figures.run, &arrivals, &figures.words()))
}

fn paired(run: &Run, arrivals: &Arrivals, words: &str) -> Pages {
    let mut latency = histogram();
    let mut lost = 0_u64;
    let (mut earliest, mut latest): (Option<Instant>, Option<Instant>) = (None, None);
    for (number, sent) in &run.stamps {
        match arrivals.first.get(number) {
            Some(at) => {
                note(&mut latency, at.saturating_duration_since(*sent));
                earliest = Some(earliest.map_or(*at, |earliest| earliest.min(*at)));
                latest = Some(latest.map_or(*at, |latest| latest.max(*at)));
            }
            None => lost += 1,
        }
    }
    let span = earliest.zip(latest).map_or(Duration::ZERO, |(first, last)| last - first);
    let rate = if span.is_zero() { 0.0 } else { per_second(latency.len(), span) };
    let notes = format!(
        "{} pages in {} messages, {lost} lost, {} repeated, p50 {:.2} ms, p99 {:.2} ms, max {:.2} ms; accepting: {words}",
        latency.len(),
        arrivals.messages,
        arrivals.again,
        at_ms(&latency, 0.5),
        at_ms(&latency, 0.99),
        at_ms(&latency, 1.0),
    );
    Pages { latency, rate, notes, complete: lost == 0 && run.refused + run.failed == 0 }
}

async fn wait_for(bench: &Bench, count: u64) {
    let start = Instant::now();
    while bench.sink.count() < count && start.elapsed() < STRAGGLERS {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
