//! `cargo xtask tidy`: the rules of this project that neither the compiler nor clippy knows.
//!
//! Each rule is a function over what [`source.rs`](source) read or over `cargo metadata`; each
//! finding names a file, a line and what would be right. Warnings are shown and fail nothing.
//! Formatting and lints are deliberately left to the tools that check them already.

mod arrows;
mod circles;
mod crates;
mod faults;
mod imports;
mod links;
mod modules;
mod places;
mod source;
mod text;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;

/// Something that is not as it should be.
#[derive(Debug, PartialEq, Eq)]
pub struct Finding {
    /// From the workspace's root.
    file: PathBuf,
    line: usize,
    what: String,
    /// Whether it is only worth a look.
    warning: bool,
}

impl Finding {
    fn new(file: impl Into<PathBuf>, line: usize, what: impl Into<String>) -> Self {
        Self { file: file.into(), line, what: what.into(), warning: false }
    }
    fn warning(file: impl Into<PathBuf>, line: usize, what: impl Into<String>) -> Self {
        Self { warning: true, ..Self::new(file, line, what) }
    }
}

/// Runs every rule; fails when one that counts is broken.
///
/// # Errors
/// When the workspace cannot be read.
pub fn run() -> anyhow::Result<ExitCode> {
    let metadata = crates::metadata()?;
    // Asked of cargo now, not when this was built: a target folder may serve several checkouts.
    let root = Path::new(metadata["workspace_root"].as_str().context("cargo metadata names the workspace's root")?);
    let mut findings = crates::check(root, &metadata)?;
    let sources = source::all(root)?;
    for source in &sources {
        text::check(source, &mut findings);
    }
    modules::check(&sources, &mut findings);
    circles::check(&sources, &mut findings);
    arrows::check(&sources, &mut findings);
    text::decisions(root, &mut findings)?;
    links::check(root, &mut findings)?;
    places::check(root, &mut findings)?;
    faults::check(root, &sources, &mut findings)?;
    findings.sort_by(|a, b| (a.warning, &a.file, a.line).cmp(&(b.warning, &b.file, b.line)));
    for finding in &findings {
        let word = if finding.warning { "warning: " } else { "" };
        println!("{}:{}: {word}{}", finding.file.display(), finding.line, finding.what);
    }
    let broken = findings.iter().filter(|finding| !finding.warning).count();
    eprintln!("tidy: {} files, {broken} findings, {} warnings", sources.len(), findings.len() - broken);
    Ok(if broken == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
