//! The binary: reads the command line, and runs what was asked.
//!
//! Data goes to standard output, talk to standard error; 0 is done, 1 refused or failed, 2 wrong
//! usage. What each command does is in its own module; this one only chooses.

mod accept;
mod cli;
mod config;
mod config_file;
#[cfg(feature = "test-clock")]
mod control;
#[cfg(feature = "failpoints")]
mod failpoints;
mod hands;
mod key;
mod logs;
mod routes;
mod serve;
mod store_commands;
mod transport;
mod upkeep;

use std::process::ExitCode;

use clap::Parser as _;

use crate::cli::{Cli, Command};
use crate::config::{Config, ConfigError, Resolved};

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
    match cli.command {
        Command::Serve(args) => {
            let settings = args.settings.resolve()?;
            if args.print_config {
                print_config(&settings, args.json);
                return Ok(());
            }
            let config = Config::read(&settings)?;
            logs::start(config.log, config.log_json);
            runtime(config.workers)?.block_on(serve::serve(config))
        }
        Command::Token { command } => {
            logs::start(config::Level::WARN, false);
            runtime(1)?.block_on(store_commands::token(command))
        }
    }
}

fn print_config(settings: &Resolved, json: bool) {
    if json {
        println!("{:#}", settings.json());
    } else {
        print!("{}", settings.print());
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
