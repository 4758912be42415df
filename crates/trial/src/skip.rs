//! What was not tried, and why: said on the terminal past the test harness's capture, and written
//! to the file that `ALLCLEAR_SKIPS` names, from which the totals are made.

use std::fs::OpenOptions;
use std::io::Write as _;

/// Says that something was skipped. `what` names the test, `why` is a plain sentence.
pub fn skipped(what: &str, why: &str) {
    // Written directly, since the test harness keeps what the macros print of a test that passes.
    let _ = writeln!(std::io::stderr(), "skipped: {what}: {why}");
    if let Some(path) = std::env::var_os("ALLCLEAR_SKIPS")
        && let Ok(mut file) = OpenOptions::new().create(true).append(true).open(path)
    {
        let _ = writeln!(file, "{what}: {why}");
    }
}
