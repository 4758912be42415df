//! The bench: measures the product beside the bare writer that bounds it, and beside Alertmanager.
//!
//! `run` is the bench; the two `ceiling-…` commands are servers that it starts of itself. Load,
//! sink and report share this process; every server under test is a child. Deliberately no result
//! is kept between runs: ceiling and product are always measured in the same one.
#![allow(clippy::disallowed_methods, reason = "a bench reads the real clock and runs tasks of its own; nothing here is ever replayed")]

mod ceiling;
mod fill;
mod http;
mod ingest;
mod load;
mod machine;
mod measure;
mod notify;
mod org;
mod plans;
mod report;
mod rest;
mod screens;
mod server;
mod shape;
mod sink;
mod storm;

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::ceiling::Unit;
use crate::measure::Bench;
use crate::report::Report;
use crate::server::Places;
use crate::sink::Sink;

/// Length of the uncounted run before each, as a share of the counted one: a tenth.
const WARM_UP_PART: u32 = 10;
/// Seconds of a run with `--quick`.
const QUICK_SECONDS: u64 = 3;

/// Measures All Clear beside its ceilings and Alertmanager.
#[derive(Debug, Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs the scenarios and prints the table.
    Run(RunArgs),
    /// A bare handler before one SQLite writer; started by `run`.
    CeilingSqlite {
        #[arg(long)]
        listen: SocketAddr,
        #[arg(long)]
        path: PathBuf,
        #[command(flatten)]
        unit: Unit,
    },
    /// A bare handler before one PostgreSQL connection; started by `run`.
    CeilingPostgres {
        #[arg(long)]
        listen: SocketAddr,
        #[arg(long)]
        url: String,
        #[command(flatten)]
        unit: Unit,
    },
}

#[derive(Debug, Args)]
struct RunArgs {
    /// Only these scenarios, separated by commas.
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Scenario>,
    /// Seconds of a run.
    #[arg(long, default_value_t = 30)]
    seconds: u64,
    /// Runs of 3 s and one turn: to see that it works, not to quote.
    #[arg(long)]
    quick: bool,
    /// How often ceiling and product take turns.
    #[arg(long, default_value_t = 2)]
    rounds: u32,
    /// Rows of the bare commit that declaring is measured against; counted in the product's file
    /// if absent.
    #[arg(long)]
    declare_rows: Option<u64>,
    /// File for the figures as JSON.
    #[arg(long)]
    out: Option<PathBuf>,
    /// The product's binary; the one beside this binary if absent.
    #[arg(long)]
    product: Option<PathBuf>,
    /// Alertmanager's binary.
    #[arg(long, default_value = "/usr/bin/prometheus-alertmanager")]
    alertmanager: PathBuf,
    /// A further argument of `allclear serve`; may be given again.
    #[arg(long, allow_hyphen_values = true)]
    serve_arg: Vec<String>,
    /// Folder below which stores are made, on the disk to be measured; the system's for temporary
    /// files if absent.
    #[arg(long)]
    dir: Option<PathBuf>,
    /// Leaves the stores and logs in place and says where.
    #[arg(long)]
    keep: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Scenario {
    /// The bare writers by themselves.
    Ceilings,
    /// Alertmanager's rates, its list and its notifications.
    Alertmanager,
    /// (a) Recorded, and joining an incident.
    Record,
    /// (b) Each declares and pages.
    Declare,
    /// (c) Repeats of known alerts.
    Repeat,
    /// From accepting to the webhook.
    Notify,
    /// Thousands of alarms in one request, for one person, and for a target that is dead.
    Storm,
    /// Lists out of 100,000, and ready again after SIGKILL.
    Lists,
    /// Ready on an empty store; idle memory; the program's size.
    Start,
    /// Board, incident, lists, search, live pages and the start of a plan over 100,000 incidents and 5,000,000 events, on both databases.
    Screens,
    /// Recorded on PostgreSQL.
    Postgres,
}

impl Scenario {
    async fn run(self, bench: &Bench, report: &mut Report) -> anyhow::Result<()> {
        if !matches!(self, Self::Ceilings | Self::Alertmanager) {
            ingest::need_product(&bench.places)?;
        }
        match self {
            Self::Ceilings => ingest::ceilings(bench, report).await,
            Self::Alertmanager => {
                rest::alertmanager(bench, report).await?;
                notify::alertmanager(bench, report).await
            }
            Self::Record => ingest::record(bench, report).await,
            Self::Declare => ingest::declare(bench, report).await,
            Self::Repeat => ingest::repeat(bench, report).await,
            Self::Notify => notify::product(bench, report).await,
            Self::Storm => storm::storm(bench, report).await,
            Self::Lists => rest::lists_and_restart(bench, report).await,
            Self::Start => rest::start(bench, report).await,
            Self::Screens => screens::screens(bench, report).await,
            Self::Postgres => ingest::postgres(bench, report).await,
        }
    }
}

fn main() -> anyhow::Result<ExitCode> {
    match Cli::parse().command {
        Command::Run(args) => {
            // One thread for the load: it shares the cores with what it measures.
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(run(args))
        }
        Command::CeilingSqlite { listen, path, unit } => {
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
            runtime.block_on(ceiling::serve_sqlite(listen, &path, unit))?;
            Ok(ExitCode::SUCCESS)
        }
        Command::CeilingPostgres { listen, url, unit } => {
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
            runtime.block_on(ceiling::serve_postgres(listen, &url, unit))?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

async fn run(args: RunArgs) -> anyhow::Result<ExitCode> {
    let mut folder = tempfile::Builder::new();
    folder.prefix("allclear-bench-").disable_cleanup(args.keep);
    let folder = match &args.dir {
        Some(dir) => folder.tempdir_in(dir),
        None => folder.tempdir(),
    }
    .context("making the work folder")?;
    // PostgreSQL runs as another user and must reach its data below.
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755))?;
    let sink = Sink::start()?;
    let org = folder.path().join("org.yaml");
    fs::write(&org, org::bundle(sink.address))?;
    let length = Duration::from_secs(if args.quick { QUICK_SECONDS } else { args.seconds.max(1) });
    let bench = Bench {
        places: Places {
            work: folder.path().to_owned(),
            product: match args.product {
                Some(product) => std::path::absolute(product)?,
                None => std::env::current_exe()?.with_file_name("allclear"),
            },
            alertmanager: args.alertmanager,
            org,
            serve_args: args.serve_arg,
        },
        length,
        warm_up: length / WARM_UP_PART,
        rounds: if args.quick { 1 } else { args.rounds.max(1) },
        sink,
        declare_rows: args.declare_rows,
    };
    let mut report = Report { machine: machine::line(folder.path()), rows: Vec::new() };
    eprintln!("{}", report.machine);
    for &scenario in Scenario::value_variants() {
        if !args.only.is_empty() && !args.only.contains(&scenario) {
            continue;
        }
        let name = format!("{scenario:?}").to_lowercase();
        eprintln!("{name}");
        // An interrupted run still ends its servers and removes its stores on the way out.
        let done = tokio::select! {
            done = scenario.run(&bench, &mut report) => done,
            _ = tokio::signal::ctrl_c() => anyhow::bail!("interrupted during {name}"),
        };
        if let Err(error) = done {
            report.unmeasured(&name, &error);
        }
    }
    if args.keep {
        eprintln!("stores and logs are in {}", folder.path().display());
    }
    println!("{}", report.markdown());
    if let Some(out) = args.out {
        let text = serde_json::to_string_pretty(&report.json())?;
        fs::write(&out, text).with_context(|| format!("writing {}", out.display()))?;
    }
    Ok(if report.all_reached() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
