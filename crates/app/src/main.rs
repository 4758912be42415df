//! The binary: reads the command line, and runs what was asked.
//!
//! Data goes to standard output, talk to standard error; 0 is done, 1 refused or failed, 2 wrong
//! usage. What each command does is in its own module; this one only chooses.

mod accept;
mod checkpoint_log;
mod cli;
mod clock_offset;
mod config;
#[cfg(feature = "test-clock")]
mod control;
mod demo;
#[cfg(feature = "failpoints")]
mod failpoints;
mod key;
mod listen;
mod logs;
mod operator_alarm;
mod proxies;
mod routes;
mod serve;
mod told_once;
mod transport;
mod upkeep;
mod vendors;

use std::process::ExitCode;

use crate::cli::args::Command;
use crate::cli::line::{self, Line};
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
    match run(line::read(std::env::args_os()).unwrap_or_else(|why| why.exit())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("error: {why:#}");
            ExitCode::from(if why.is::<ConfigError>() || why.is::<cli::args::Usage>() { 2 } else { 1 })
        }
    }
}

fn run(line: Line) -> anyhow::Result<()> {
    match line {
        Line::Own(Command::Serve(args)) => return serve(args),
        Line::Own(Command::Completions { shell }) => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut line::whole(), "allclear", &mut script);
            cli::terminal::put(format_args!("{}", String::from_utf8_lossy(&script)));
            return Ok(());
        }
        Line::Own(_) | Line::Asked(_) => {}
    }
    logs::start(config::Level::WARN, false);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    // Boxed: it is as large as the largest command.
    runtime.block_on(Box::pin(async {
        match line {
            Line::Own(command) => obey(command).await,
            Line::Asked(asked) => cli::asks::ask(asked).await,
        }
    }))
}

fn serve(args: cli::args::Serve) -> anyhow::Result<()> {
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
        Command::Config { command } => cli::org::config(command).await,
        Command::Token { command } => cli::store::token(command).await,
        Command::Audit(args) => cli::audit::audit(args).await,
        Command::Invite(args) => cli::store::invite(args).await,
        Command::SetUpLink(args) => cli::store::set_up_link(args).await,
        Command::Declare(args) => cli::incidents::declare(args).await,
        Command::List(args) => cli::incidents::list(args).await,
        Command::Search(args) => cli::find::search(args).await,
        Command::Show(args) => cli::incidents::show(args).await,
        Command::Task { command } => cli::coordination::task(command).await,
        Command::Review { command } => cli::coordination::review(command).await,
        Command::Action { command } => cli::coordination::action(command).await,
        Command::Trends(args) => cli::coordination::trends(args).await,
        Command::Briefing(args) => cli::briefing::briefing(args).await,
        Command::Plan { command } => cli::plans::plan(command).await,
        Command::Roll(args) => cli::incidents::roll(args).await,
        Command::Log(args) => cli::incidents::log(args).await,
        Command::Export(args) => cli::record::export(args).await,
        Command::VerifyBundle(args) => cli::record::verify_bundle(&args),
        Command::Oncall(args) => cli::incidents::oncall(args).await,
        Command::Drill(args) => cli::drill::drill(args).await,
        Command::Drills(args) => cli::drill::drills(args).await,
        Command::Explain { command } => cli::incidents::explain(command).await,
        Command::Import { command } => cli::store::import(command).await,
        Command::Backup(args) => cli::store::backup(args).await,
        Command::Restore(args) => cli::store::restore(args).await,
        Command::Doctor(args) => cli::store::doctor(args).await,
        Command::Verify(args) => cli::store::verify(args).await,
        Command::Release(args) => cli::store::release(args).await,
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
