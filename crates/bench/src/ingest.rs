//! How many alerts are taken in, beside the bare writer that does as many commits.
//!
//! Ceiling and product take turns on fresh stores under the same load, so that a noisy neighbour
//! or a slow disk touches both. Latency is taken afterwards at 70 % of what was reached.

use std::path::Path;

use anyhow::{Context as _, ensure};

use crate::ceiling::Unit;
use crate::load::{Pace, Stop};
use crate::measure::{Bench, Figures, Traffic, UnderLoad, mean_rate};
use crate::report::{Report, Row, Verdict};
use crate::server::{Places, Postgres, Server, Subject};
use crate::shape::{BATCH, Kind, TARGETS};

/// Share of the bare writer's rate that recording and joining must reach.
const RECORD_SHARE: f64 = 0.5;
/// Share of a bare commit of as many rows that declaring must reach.
const DECLARE_SHARE: f64 = 0.25;
/// Latency at 70 % of the highest rate that 99 of 100 requests must stay below.
const P99_MS: f64 = 20.0;
/// Known alerts that are repeated.
const KNOWN: u64 = 10_000;
/// Declarations whose rows are counted in the product's file.
const COUNTED: u64 = 200;
/// Rows and tables of a declaration where the product's file was not counted: an alert, an
/// incident, some six events of both logs, three expectations, a message with its notice, and
/// reader rows, in six tables.
const USUAL_DECLARE: Unit = Unit { rows_per_unit: 14, tables: 6, whole_body: true, keyed: false };

/// The bare writers by themselves.
///
/// # Errors
/// When a server does not start or a run cannot be made.
pub async fn ceilings(bench: &Bench, report: &mut Report) -> anyhow::Result<()> {
    let single = Traffic::single(Kind::Record);
    let alone = Traffic { connections: 1, ..single };
    let batch = Traffic { batch: BATCH, ..single };
    let declare = Unit { rows_per_unit: bench.declare_rows.unwrap_or(USUAL_DECLARE.rows_per_unit), ..USUAL_DECLARE };
    let mut postgres = Postgres::start(&bench.places).await;
    let keyed = Unit { rows_per_unit: 1, tables: 1, whole_body: false, keyed: true };
    let mut subjects = vec![
        ("bare SQLite writer, 64 connections".to_owned(), Subject::ceiling(1), single),
        ("bare SQLite writer with a text key, 64 connections".to_owned(), Subject::CeilingSqlite(keyed), single),
        ("bare SQLite writer, 1 connection".to_owned(), Subject::ceiling(1), alone),
        (format!("bare SQLite writer, batches of {BATCH}"), Subject::ceiling(BATCH), batch),
        (format!("bare SQLite commit of {} rows", declare.rows_per_unit), Subject::CeilingSqlite(declare), single),
    ];
    match &mut postgres {
        Ok(server) => {
            let url = server.database().await?;
            let one = Unit { rows_per_unit: 1, tables: 1, whole_body: false, keyed: false };
            subjects.push(("bare PostgreSQL insert, 64 connections".to_owned(), Subject::CeilingPostgres(one, url), single));
        }
        Err(error) => report.unmeasured("bare PostgreSQL insert, 64 connections", error),
    }
    for (name, subject, traffic) in subjects {
        let figures = UnderLoad::start(bench, &subject).await?.highest(bench, traffic).await?;
        report.add(plain(name, &figures));
    }
    Ok(())
}

/// Distinct alerts that are recorded, or join an incident, one a request and in batches.
///
/// # Errors
/// As [`ceilings`].
pub async fn record(bench: &Bench, report: &mut Report) -> anyhow::Result<()> {
    let product = Subject::product();
    let cases = [
        ("(a) recorded, one a request", Traffic::single(Kind::Record)),
        ("(a) join an incident, one a request", Traffic::single(Kind::Join)),
        ("(a) recorded, batches of 64", Traffic { batch: BATCH, ..Traffic::single(Kind::Record) }),
        ("(a) join an incident, batches of 64", Traffic { batch: BATCH, ..Traffic::single(Kind::Join) }),
    ];
    for (name, traffic) in cases {
        let ceiling = Subject::ceiling(traffic.batch);
        against(bench, report, name, &product, &ceiling, traffic, RECORD_SHARE).await?;
    }
    let alone = Traffic { connections: 1, ..Traffic::single(Kind::Record) };
    let figures = UnderLoad::start(bench, &product).await?.highest(bench, alone).await?;
    report.add(plain("(a) recorded, 1 connection".to_owned(), &figures));
    Ok(())
}

/// Distinct alerts that each declare an incident and page somebody.
///
/// # Errors
/// As [`ceilings`].
pub async fn declare(bench: &Bench, report: &mut Report) -> anyhow::Result<()> {
    let traffic = Traffic { targets: TARGETS, ..Traffic::single(Kind::Page) };
    let unit = match bench.declare_rows {
        Some(rows_per_unit) => Unit { rows_per_unit, ..USUAL_DECLARE },
        None => count_declaration(bench, traffic).await?,
    };
    let name = format!("(b) declare and page, against a bare commit of {} rows in {} tables", unit.rows_per_unit, unit.tables);
    let ceiling = Subject::CeilingSqlite(unit);
    against(bench, report, &name, &Subject::product(), &ceiling, traffic, DECLARE_SHARE).await?;
    bench.sink.take();
    Ok(())
}

/// Repeats of known alerts, beside Alertmanager.
///
/// # Errors
/// As [`ceilings`].
pub async fn repeat(bench: &Bench, report: &mut Report) -> anyhow::Result<()> {
    let name = "(c) repeats of known alerts, one a request";
    let single = Traffic::single(Kind::Join);
    let repeats = Traffic { cycle: Some(KNOWN), ..single };
    let (mut of_product, mut of_alertmanager) = (Vec::new(), Vec::new());
    let (mut latency, mut shortfall) = (None, None);
    for round in 0..bench.rounds {
        for subject in [Subject::Alertmanager { webhook: None }, Subject::product()] {
            let mut server = UnderLoad::start(bench, &subject).await?;
            server.load(single, Pace::Closed, Stop::Requests(KNOWN), false).await?;
            let figures = server.highest(bench, repeats).await?;
            if matches!(subject, Subject::Alertmanager { .. }) {
                of_alertmanager.push(figures);
                continue;
            }
            if round + 1 == bench.rounds {
                latency = Some(server.latency(bench, repeats, &figures).await?);
            }
            shortfall = shortfall.or(server.shortfall().await);
            of_product.push(figures);
        }
    }
    let (rate, other) = (mean_rate(&of_product), mean_rate(&of_alertmanager));
    let complete = shortfall.is_none();
    report.add(Row {
        scenario: name.to_owned(),
        value: Some(rate),
        unit: "alerts/s",
        notes: notes(&of_product, shortfall),
        target: "≥ Alertmanager".to_owned(),
        alertmanager: Some(other),
        verdict: Some(Verdict::of(rate >= other && complete)),
        ..Row::default()
    });
    at_share(report, name, latency);
    Ok(())
}

/// Recording on PostgreSQL, beside a bare multi-row insert on the same server.
///
/// # Errors
/// As [`ceilings`].
pub async fn postgres(bench: &Bench, report: &mut Report) -> anyhow::Result<()> {
    let mut server = Postgres::start(&bench.places).await?;
    if !bench.places.work.join("secret.key").exists() {
        // On SQLite the product makes the key that it demands on PostgreSQL.
        drop(Server::start(&bench.places, &Subject::product()).await?);
    }
    let cases = [
        ("PostgreSQL: recorded, one a request", Traffic::single(Kind::Record)),
        ("PostgreSQL: recorded, batches of 64", Traffic { batch: BATCH, ..Traffic::single(Kind::Record) }),
    ];
    for (name, traffic) in cases {
        let unit = Unit { rows_per_unit: traffic.batch, tables: 1, whole_body: false, keyed: false };
        let mut pair = Pair::default();
        for round in 0..bench.rounds {
            // One after the other: both must not hold the server's connections at once.
            let ceiling = Subject::CeilingPostgres(unit, server.database().await?);
            let product = Subject::Product { database: Some(server.database().await?), with_org: true, extra: Vec::new() };
            pair.turn(bench, &product, &ceiling, traffic, round + 1 == bench.rounds).await?;
        }
        pair.report(report, name, RECORD_SHARE);
    }
    Ok(())
}

/// Figures of product and ceiling, taken in turn.
#[derive(Default)]
struct Pair {
    product: Vec<Figures>,
    ceiling: Vec<Figures>,
    latency: Option<Figures>,
    shortfall: Option<String>,
}

impl Pair {
    async fn turn(&mut self, bench: &Bench, product: &Subject, ceiling: &Subject, traffic: Traffic, last: bool) -> anyhow::Result<()> {
        let mut server = UnderLoad::start(bench, ceiling).await?;
        self.ceiling.push(server.highest(bench, traffic).await?);
        drop(server);
        let mut server = UnderLoad::start(bench, product).await?;
        let figures = server.highest(bench, traffic).await?;
        if last {
            self.latency = Some(server.latency(bench, traffic, &figures).await?);
        }
        self.shortfall = self.shortfall.take().or(server.shortfall().await);
        self.product.push(figures);
        Ok(())
    }

    fn report(self, report: &mut Report, name: &str, share: f64) {
        let (rate, ceiling) = (mean_rate(&self.product), mean_rate(&self.ceiling));
        let complete = self.shortfall.is_none();
        report.add(Row {
            scenario: name.to_owned(),
            value: Some(rate),
            unit: "alerts/s",
            notes: notes(&self.product, self.shortfall),
            target: format!("≥ {share} of the ceiling"),
            ceiling: Some(ceiling),
            verdict: Some(Verdict::of(rate >= share * ceiling && complete)),
            ..Row::default()
        });
        at_share(report, name, self.latency);
    }
}

async fn against(
    bench: &Bench,
    report: &mut Report,
    name: &str,
    product: &Subject,
    ceiling: &Subject,
    traffic: Traffic,
    share: f64,
) -> anyhow::Result<()> {
    let mut pair = Pair::default();
    for round in 0..bench.rounds {
        pair.turn(bench, product, ceiling, traffic, round + 1 == bench.rounds).await?;
    }
    pair.report(report, name, share);
    Ok(())
}

fn at_share(report: &mut Report, name: &str, latency: Option<Figures>) {
    let Some(figures) = latency else { return };
    let p99 = figures.run.ms(0.99);
    let clean = figures.run.refused + figures.run.failed == 0;
    report.add(Row {
        scenario: format!("{name}: p99 at 70 %"),
        value: Some(p99),
        unit: "ms",
        notes: figures.words(),
        target: format!("< {P99_MS} ms, none refused"),
        verdict: Some(Verdict::of(p99 < P99_MS && clean)),
        ..Row::default()
    });
}

fn notes(product: &[Figures], shortfall: Option<String>) -> String {
    let words = product.last().map(Figures::words).unwrap_or_default();
    shortfall.map_or(words.clone(), |shortfall| format!("{words}; {shortfall}"))
}

/// A line with nothing asked of it.
pub fn plain(scenario: String, figures: &Figures) -> Row {
    Row { scenario, value: Some(figures.run.rate()), unit: "alerts/s", notes: figures.words(), ..Row::default() }
}

/// Counts the rows that the product writes for one declaration, with sending held back, since
/// what a delivery writes is not part of accepting.
async fn count_declaration(bench: &Bench, traffic: Traffic) -> anyhow::Result<Unit> {
    let subject = Subject::product_with(&["--quarantine"]);
    let mut server = UnderLoad::start(bench, &subject).await?;
    let file = server.server.folder.join("allclear.db");
    let before = rows_by_table(&file)?;
    let figures = server.load(traffic, Pace::Closed, Stop::Requests(COUNTED), false).await?;
    let after = rows_by_table(&file)?;
    let declared = figures.run.accepted;
    ensure!(declared > 0, "no declaration was accepted: {:?}", figures.run.complaint);
    Ok(grown(&before, after, declared))
}

/// What each of so many commands wrote, by the rows of the tables before and after them.
pub fn grown(before: &[(String, u64)], after: Vec<(String, u64)>, commands: u64) -> Unit {
    let mut unit = Unit { rows_per_unit: 0, tables: 0, whole_body: true, keyed: false };
    for (table, rows) in after {
        let had = before.iter().find(|(name, _)| *name == table).map_or(0, |(_, rows)| *rows);
        let grown = rows.saturating_sub(had);
        unit.rows_per_unit += grown;
        // A table that grew by less than a row per two commands is housekeeping.
        unit.tables += u64::from(grown * 2 >= commands);
    }
    unit.rows_per_unit = (unit.rows_per_unit / commands.max(1)).max(1);
    unit.tables = unit.tables.max(1);
    unit
}

/// How many rows each table of the product's file has.
///
/// # Errors
/// When the file does not read.
pub fn rows_by_table(file: &Path) -> anyhow::Result<Vec<(String, u64)>> {
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
    let database =
        rusqlite::Connection::open_with_flags(file, flags).with_context(|| format!("opening the product's file {}", file.display()))?;
    // Shadow tables of virtual ones hold the search index, which follows the commit.
    let mut names = database.prepare(
        "select name from pragma_table_list where schema = 'main' and type = 'table'
         and name not like 'sqlite\\_%' escape '\\'",
    )?;
    let names: Vec<String> = names.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    names
        .into_iter()
        .map(|name| {
            let count = format!("select count(*) from \"{name}\"");
            let rows: i64 = database.query_row(&count, [], |row| row.get(0))?;
            Ok((name, u64::try_from(rows).unwrap_or(0)))
        })
        .collect()
}

/// Whether the product's binary is there.
///
/// # Errors
/// When it is not, with how to make it.
pub fn need_product(places: &Places) -> anyhow::Result<()> {
    ensure!(
        places.product.is_file(),
        "{} is not there: build it with `cargo build --release -p allclear`, or name it with --product",
        places.product.display()
    );
    Ok(())
}
