//! The kill loop on both databases: what was accepted is told, though the program is killed
//! `ALLCLEAR_KILLS` times (120 unless set) on each.

use allclear_trial::Database;
use allclear_trial::kill_loop::{Options, run};

const BINARY: &str = env!("CARGO_BIN_EXE_allclear");

async fn nothing_is_lost(database: Database, name: &str) {
    let report = run(Options::from_env(database, Some(BINARY))).await.expect("the loop runs");
    // Past the test harness's capture: the balance is worth seeing when all is well, too.
    let _ = std::io::Write::write_all(&mut std::io::stderr(), format!("\n{name}: {}", report.table()).as_bytes());
    assert!(report.is_clean(), "{name}: {}", report.table());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite() {
    nothing_is_lost(Database::Sqlite, "SQLite").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres() {
    if let Some(database) = Database::postgres("the kill loop on PostgreSQL").await {
        nothing_is_lost(database, "PostgreSQL").await;
    }
}
