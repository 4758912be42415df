//! Two equal nodes, on a PostgreSQL that fails over: what was accepted is told, though nodes are killed, suspended, cut off and
//! replaced, and the primary falls. `ALLCLEAR_FAULTS` says how many, `ALLCLEAR_PROMOTIONS` that each is a promotion.

use allclear_store::testing::Pair;
use allclear_trial::nodes::{Options, run};

const BINARY: &str = env!("CARGO_BIN_EXE_allclear");

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_by_two_nodes() {
    let pair = match Pair::start().await {
        Ok(pair) => pair,
        Err(why) => return allclear_trial::skip::skipped("two nodes on a PostgreSQL that fails over", &why),
    };
    let report = run(Options::from_env(Some(BINARY)), pair).await.expect("it runs");
    // Past the test harness's capture: the balance is worth seeing when all is well, too.
    let _ = std::io::Write::write_all(&mut std::io::stderr(), format!("\ntwo nodes: {}", report.table()).as_bytes());
    assert!(report.is_clean(), "{}", report.table());
}
