//! Storms: thousands of alarms in one request, a person whom they all page, and a target that is dead.
//!
//! Deliberately nothing here is compared with a ceiling: what counts is what somebody waits for while it goes on, and
//! what it costs afterwards.

use std::cell::RefCell;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};

use crate::http::Connection;
use crate::load::{Pace, Stop, at_ms, histogram, note};
use crate::measure::{Bench, Traffic, UnderLoad};
use crate::org;
use crate::report::{Report, Row, Verdict};
use crate::server::{ADMIN_TOKEN, Places, Subject};
use crate::shape::{Address, BATCH, Kind, Shape, TARGETS};

/// Alarms of one request that each declare, and within what it is answered.
const DECLARED: (u64, f64) = (1_000, 1_000.0);
/// The largest request, and within what an acknowledgement is answered meanwhile.
const LARGEST: (u64, f64) = (10_000, 200.0);
/// Incidents that are acknowledged one after another while the largest request is decided.
const ACKNOWLEDGED: u64 = 500;
/// Alarms for one person.
const STORM: u64 = 60_000;
/// Connections over which they come.
const STORM_CONNECTIONS: usize = 8;
/// Pages to bystanders while the heap is told, and the pause between two.
const PROBES: u64 = 40;
const PROBE_EVERY: Duration = Duration::from_millis(100);
/// A worse page to the stormed person has this long, as have pages of others.
const PROBE_MS: f64 = 2_000.0;
/// All of the storm is told within this time.
const TOLD_WITHIN: Duration = Duration::from_secs(30);
/// The numbers of the stormed person and of the first bystander among the people.
const STORMED: u64 = 0;
const BYSTANDER_FIRST: u64 = 7;
/// Numbers of alarms that no other run here uses; a multiple of the people, so that the remainder chooses one.
const PROBE_FIRST: u64 = 50_000 * TARGETS;
/// Messages that wait for a dead target.
const DEAD_WAITING: u64 = 10_000;
/// When its cost is measured, after the last alarm, and for how long.
const DEAD_AFTER: Duration = Duration::from_secs(60);
const DEAD_FOR: Duration = Duration::from_secs(30);
/// What it may cost: hundredths of a core, and bytes a second.
const DEAD_CORE_PERCENT: f64 = 1.0;
const DEAD_BYTES: f64 = 20.0 * 1024.0;

/// All of them.
///
/// # Errors
/// When a server does not start or a run cannot be made.
pub async fn storm(bench: &Bench, report: &mut Report) -> anyhow::Result<()> {
    one_request(bench, report).await?;
    stormed_person(bench, report).await?;
    dead_target(bench, report).await
}

fn row(scenario: &str, value: f64, unit: &'static str, target: String, reached: bool, notes: String) -> Row {
    Row { scenario: scenario.to_owned(), value: Some(value), unit, target, verdict: Some(Verdict::of(reached)), notes, ..Row::default() }
}

async fn one_request(bench: &Bench, report: &mut Report) -> anyhow::Result<()> {
    let mut server = UnderLoad::start(bench, &Subject::product()).await?;
    let traffic = |batch| Traffic { batch, connections: 1, ..Traffic::single(Kind::Page) };
    // What is acknowledged below, and the first use of everything.
    server.load(traffic(ACKNOWLEDGED), Pace::Closed, Stop::Requests(1), false).await?;
    let (many, within) = DECLARED;
    let declared = server.load(traffic(many), Pace::Closed, Stop::Requests(1), false).await?;
    let ms = declared.run.ms(1.0);
    let all = declared.run.accepted == 1;
    report.add(row(
        &format!("storm: one request of {many} alarms that each declare"),
        ms,
        "ms",
        format!("< {within} ms"),
        all && ms < within,
        declared.words(),
    ));

    let (many, within) = LARGEST;
    let address = server.server.address;
    let begun = Instant::now();
    let large = server.load(traffic(many), Pace::Closed, Stop::Requests(1), false);
    let latency = RefCell::new(histogram());
    let acknowledge = async {
        let mut connection = Connection::open(address).await?;
        for n in 1..=ACKNOWLEDGED {
            let body = "{\"by\":\"p000\"}";
            let request = format!(
                "POST /api/v1/incidents/INC-{n}/acknowledge HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {ADMIN_TOKEN}\r\n\
                 content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            );
            let sent = Instant::now();
            let status = connection.exchange(request.as_bytes()).await?;
            ensure!(status == 200, "acknowledging INC-{n} was answered {status}");
            note(&mut latency.borrow_mut(), sent.elapsed());
        }
        anyhow::Ok(())
    };
    tokio::pin!(large, acknowledge);
    let mut acknowledged = None;
    // Only what is answered while the request is decided counts.
    let figures = loop {
        tokio::select! {
            figures = &mut large => break figures?,
            done = &mut acknowledge, if acknowledged.is_none() => acknowledged = Some(done?),
        }
    };
    let took = begun.elapsed();
    let latency = latency.borrow();
    let all = figures.run.accepted == 1 && !latency.is_empty();
    let p99 = at_ms(&latency, 0.99);
    report.add(row(
        &format!("storm: acknowledgement while one request of {many} alarms is decided: p99"),
        p99,
        "ms",
        format!("< {within} ms"),
        all && p99 < within,
        format!(
            "{} acknowledged, p50 {:.1} ms; the request took {:.2} s: {}",
            latency.len(),
            at_ms(&latency, 0.5),
            took.as_secs_f64(),
            figures.words()
        ),
    ));
    bench.sink.take();
    Ok(())
}

async fn stormed_person(bench: &Bench, report: &mut Report) -> anyhow::Result<()> {
    let mut server = UnderLoad::start(bench, &Subject::product()).await?;
    bench.sink.take();
    let traffic = Traffic { batch: BATCH, connections: STORM_CONNECTIONS, ..Traffic::single(Kind::Page) };
    let requests = STORM / BATCH;
    let figures = server.load(traffic, Pace::Closed, Stop::Requests(requests), false).await?;
    let ended = Instant::now();
    let alarms = requests * BATCH;
    ensure!(figures.run.accepted == requests, "the storm was refused: {}", figures.words());

    let address = server.server.address;
    let mut connection = Connection::open(address).await?;
    let shape = Shape::alerts(Address::AllClear, Kind::Worse, 1, TARGETS);
    let mut request = shape.copy();
    let mut sent = Vec::new();
    for probe in 0..PROBES {
        // One page each: whoever is told something is told what follows within ten seconds in one message, by design. So
        // each time it is another bystander, and the stormed person is sent what is worse once.
        let bystander = BYSTANDER_FIRST + probe;
        for whom in if probe == 0 { vec![STORMED, bystander] } else { vec![bystander] } {
            let number = PROBE_FIRST + probe * TARGETS + whom;
            shape.patch(&mut request, number);
            let at = Instant::now();
            let status = connection.exchange(&request).await?;
            ensure!((200..300).contains(&status), "a page during the storm was answered {status}");
            sent.push((whom, number, at));
        }
        tokio::time::sleep(PROBE_EVERY).await;
    }
    let wanted = alarms + PROBES + 1;
    while bench.sink.count() < wanted && ended.elapsed() < TOLD_WITHIN * 3 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let told_after = ended.elapsed();
    let arrivals = bench.sink.take();
    let told = arrivals.first.len() as u64;
    let messages = arrivals.messages;
    report.add(row(
        &format!("storm: {alarms} alarms for one person: all told after"),
        told_after.as_secs_f64(),
        "s",
        format!("< {} s", TOLD_WITHIN.as_secs()),
        told >= wanted && told_after < TOLD_WITHIN,
        format!("{told} of {wanted} told in {messages} messages; {}", figures.words()),
    ));
    for (stormed, name) in [(true, "a worse page to the stormed person"), (false, "a page to a bystander")] {
        let mut latency = histogram();
        let (mut lost, mut of) = (0, 0);
        for (_, number, at) in sent.iter().filter(|(to, ..)| (*to == STORMED) == stormed) {
            of += 1;
            match arrivals.first.get(number) {
                Some(arrived) => note(&mut latency, arrived.saturating_duration_since(*at)),
                None => lost += 1,
            }
        }
        let p99 = at_ms(&latency, 0.99);
        report.add(row(
            &format!("storm: {name}: p99"),
            p99,
            "ms",
            format!("< {PROBE_MS} ms"),
            lost == 0 && p99 < PROBE_MS,
            format!("p50 {:.1} ms, {lost} of {of} lost", at_ms(&latency, 0.5)),
        ));
    }
    Ok(())
}

async fn dead_target(bench: &Bench, report: &mut Report) -> anyhow::Result<()> {
    // A port on which nobody listens.
    let dead: SocketAddr = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
    let file = bench.places.work.join("org-dead.yaml");
    std::fs::write(&file, org::bundle(dead)).context("writing the organisation of dead targets")?;
    let places = Places { org: file, ..bench.places.clone() };
    let mut server = UnderLoad::start_at(&places, &Subject::product()).await?;
    let traffic = Traffic { batch: BATCH, connections: STORM_CONNECTIONS, ..Traffic::single(Kind::Page) };
    let figures = server.load(traffic, Pace::Closed, Stop::Requests(DEAD_WAITING / BATCH), false).await?;
    ensure!(figures.run.accepted == DEAD_WAITING / BATCH, "the alarms were refused: {}", figures.words());
    tokio::time::sleep(DEAD_AFTER).await;
    let before = server.server.usage();
    tokio::time::sleep(DEAD_FOR).await;
    let after = server.server.usage();
    let seconds = DEAD_FOR.as_secs_f64();
    let percent = 100.0 * (after.server_cpu - before.server_cpu) / seconds;
    #[allow(clippy::cast_precision_loss)] // bytes of half a minute
    let bytes = after.written.saturating_sub(before.written) as f64 / seconds;
    let waiting = server.server.metric("allclear_outbox_waiting").await.unwrap_or(f64::NAN);
    let notes = format!("{waiting} messages wait");
    report.add(row(
        &format!("storm: {DEAD_WAITING} messages for a dead target: processor"),
        percent,
        "% of a core",
        format!("< {DEAD_CORE_PERCENT} %"),
        percent < DEAD_CORE_PERCENT,
        notes.clone(),
    ));
    report.add(row(
        &format!("storm: {DEAD_WAITING} messages for a dead target: written"),
        bytes / 1024.0,
        "KiB/s",
        format!("< {} KiB/s", DEAD_BYTES / 1024.0),
        bytes < DEAD_BYTES,
        notes,
    ));
    Ok(())
}
