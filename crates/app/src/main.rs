//! The binary: reads the command line, and runs what was asked.
//!
//! Data goes to standard output, talk to standard error; 0 is done, 1 refused or failed, 2 wrong
//! usage. What each command does is in its own module; this one only chooses.

mod accept;
mod cli;
mod clock_offset;
mod config;
#[cfg(feature = "test-clock")]
mod control;
mod demo;
#[cfg(feature = "failpoints")]
mod failpoints;
mod key;
mod logs;
mod operator_alarm;
mod proxies;
mod routes;
mod serve;
mod told_once;
mod transport;
mod upkeep;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};

use crate::cli::args::{Cli, Command};
use crate::cli::terminal::{out, outln};
use crate::config::{Config, ConfigError, Resolved};

/// What is decided on one thread is written and freed on another: glibc's allocator spends a third
/// of a busy core on that, this one a tenth (ADR of the dependencies).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Stack of a worker thread. Futures are on the heap; what is deep is the reading of payloads,
/// whose depth is bounded.
const STACK_BYTES: usize = 2 * 1024 * 1024;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("error: {why:#}");
            ExitCode::from(if why.is::<ConfigError>() || why.is::<cli::Usage>() { 2 } else { 1 })
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<()> {
    let command = match cli.command {
        Command::Serve(args) => return serve(args),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "allclear", &mut script);
            say::put(format_args!("{}", String::from_utf8_lossy(&script)));
            return Ok(());
        }
        command => command,
    };
    logs::start(config::Level::WARN, false);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    // Boxed: it is as large as the largest command.
    runtime.block_on(Box::pin(obey(command)))
}

fn serve(args: cli::Serve) -> anyhow::Result<()> {
    let settings = args.settings.resolve()?;
    if args.print_config {
        print_config(&settings, args.json);
        return Ok(());
    }
    let config = Config::read(&settings)?;
    logs::start(config.log, config.log_json);
    let runtime = runtime(config.workers)?;
    if args.demo {
        runtime.block_on(Box::pin(serve::demo(demo::settings(config))))
    } else {
        runtime.block_on(Box::pin(serve::serve(config)))
    }
}

async fn obey(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Serve(_) | Command::Completions { .. } => Ok(()),
        Command::Config { command } => org_commands::config(command).await,
        Command::Token { command } => store_commands::token(command).await,
        Command::Invite(args) => store_commands::invite(args).await,
        Command::SetUpLink(args) => store_commands::set_up_link(args).await,
        Command::Declare(args) => incident_commands::declare(args).await,
        Command::List(args) => incident_commands::list(args).await,
        Command::Show(args) => incident_commands::show(args).await,
        Command::Ack(args) => incident_commands::ack(args).await,
        Command::Resolve(args) => incident_commands::resolve(args).await,
        Command::Mitigate(args) => coordination_commands::mitigate(args).await,
        Command::Reopen(args) => coordination_commands::because(args, "reopen").await,
        Command::Cancel(args) => coordination_commands::because(args, "cancel").await,
        Command::Close(one) => coordination_commands::close(one).await,
        Command::Merge(args) => coordination_commands::merge(args).await,
        Command::Severity(args) => coordination_commands::severity(args).await,
        Command::Update(args) => coordination_commands::update(args).await,
        Command::Role(args) => coordination_commands::role(args).await,
        Command::Task { command } => coordination_commands::task(command).await,
        Command::Decide(args) => coordination_commands::decide(args).await,
        Command::Rename(args) => coordination_commands::rename(args).await,
        Command::Time(args) => coordination_commands::time(args).await,
        Command::Link(args) => coordination_commands::link(args).await,
        Command::Review { command } => coordination_commands::review(command).await,
        Command::Action { command } => coordination_commands::action(command).await,
        Command::Trends(args) => coordination_commands::trends(args).await,
        Command::Note(args) => incident_commands::note(args).await,
        Command::Log(args) => incident_commands::log(args).await,
        Command::Page(args) => incident_commands::page(args).await,
        Command::Oncall(args) => incident_commands::oncall(args).await,
        Command::Explain { command } => incident_commands::explain(command).await,
        Command::Backup(args) => store_commands::backup(args).await,
        Command::Restore(args) => store_commands::restore(args).await,
        Command::Doctor(args) => store_commands::doctor(args).await,
        Command::Verify(args) => store_commands::verify(args).await,
        Command::Release(args) => store_commands::release(args).await,
    }
}

fn print_config(settings: &Resolved, json: bool) {
    if json {
        outln!("{:#}", settings.json());
    } else {
        out!("{}", settings.print());
    }
}

fn runtime(workers: usize) -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(workers)
        .thread_stack_size(STACK_BYTES)
        .thread_name("allclear")
        .enable_all()
        .build()
}
