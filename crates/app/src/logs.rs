//! Logs: structured, on standard error. What is logged is said where it happens; no line ever holds
//! a key, a token or a body, since none is handed to the log.

use std::io::IsTerminal as _;

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer as _, fmt};

/// Libraries whose lower levels tell of bytes and addresses: at most warnings of theirs are kept.
const LIBRARIES: [&str; 7] = ["hyper", "hyper_util", "h2", "reqwest", "rustls", "tokio_postgres", "lettre"];

/// Starts logging. A second call changes nothing.
pub fn start(level: LevelFilter, json: bool) {
    let mut filter = Targets::new().with_default(level);
    for library in LIBRARIES {
        filter = filter.with_target(library, level.min(LevelFilter::WARN));
    }
    let lines = fmt::layer().with_writer(std::io::stderr);
    let lines = if json {
        lines.json().flatten_event(true).with_current_span(false).with_span_list(false).boxed()
    } else {
        lines.with_ansi(std::io::stderr().is_terminal()).with_target(false).boxed()
    };
    // Logging that is set up already stays as it is.
    let _ = tracing_subscriber::registry().with(lines.with_filter(filter)).try_init();
}
