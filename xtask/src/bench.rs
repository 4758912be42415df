//! `cargo xtask bench …`: builds the product and the bench in release and runs the bench.
//!
//! Everything after `bench` goes to `allclear-bench run`. It deliberately measures nothing itself.

use std::process::{Command, ExitCode};

use anyhow::{Context as _, ensure};

/// What is built before anything is measured.
const PACKAGES: [&str; 2] = ["allclear", "allclear-bench"];

/// Builds and runs; fails as the bench fails, when a target was missed or could not be measured.
///
/// # Errors
/// When the build fails or the bench cannot be started.
pub fn run(args: impl Iterator<Item = String>) -> anyhow::Result<ExitCode> {
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--release"]);
    for package in PACKAGES {
        build.args(["--package", package]);
    }
    ensure!(build.status().context("starting cargo")?.success(), "the release build failed");
    // The bench finds the product beside its own binary, wherever the target folder is.
    let status = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--release", "--package", "allclear-bench", "--", "run"])
        .args(args)
        .status()
        .context("starting the bench")?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
