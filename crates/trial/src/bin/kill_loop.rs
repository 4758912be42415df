//! `cargo run -p allclear-trial --bin kill_loop -- [sqlite|postgres]`: the kill loop by itself,
//! with its ledger printed. `ALLCLEAR_KILLS` and `ALLCLEAR_SEED` say how many and which.

use std::process::ExitCode;

use allclear_trial::Database;
use allclear_trial::kill_loop::{Options, run};

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let database = match std::env::args().nth(1).as_deref() {
        None | Some("sqlite") => Database::Sqlite,
        Some("postgres") => match Database::postgres("the kill loop on PostgreSQL").await {
            Some(database) => database,
            None => return Ok(ExitCode::FAILURE),
        },
        Some(other) => {
            eprintln!("`{other}` is no database; say `sqlite` or `postgres`");
            return Ok(ExitCode::from(2));
        }
    };
    let report = run(Options::from_env(database, None)).await?;
    print!("{}", report.table());
    Ok(if report.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
