//! `cargo xtask test`: the README's command for all tests, from a clean checkout to one line of
//! totals. `cargo xtask check` is its quick part: format, lints, unit tests, tidiness.
//!
//! What the tests need and is not there is installed where that is allowed: Debian's packages by
//! root, Python's and npm's into `target/`. What could not be had is skipped, and said so.
//!
//! Plain `cargo test` runs the tests, not a faster runner: one process per test target lets all
//! tests of a target share one throw-away PostgreSQL, and doc tests are run as well.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::Context as _;

/// The features that the binary under test is built with: virtual time, and points to die at.
const FEATURES: [&str; 2] = ["--features", "allclear/test-clock,allclear/failpoints"];
/// A program that tests need, and Debian's package of it.
const PROGRAMS: [(&str, &str); 5] = [
    ("prometheus", "prometheus"),
    ("prometheus-alertmanager", "prometheus-alertmanager"),
    ("amtool", "prometheus-alertmanager"),
    ("pgbouncer", "pgbouncer"),
    ("chromium", "chromium"),
];
/// Where Debian keeps PostgreSQL's programs, one folder per version.
const POSTGRES: &str = "/usr/lib/postgresql";
/// The Python client and its version: the last that speaks plain HTTP.
const PYTHON_CLIENT: &str = "pdpyras==5.4.1";
/// What asks the API whether its description is true. Of one version, since another asks otherwise.
const SCHEMATHESIS: &str = "schemathesis==4.32.5";
/// Judges the description of the control API, and makes a client of it.
const OPENAPI: &str = "openapi-spec-validator==0.9.0 openapi-python-client==0.29.1";
/// Reads calendars as RFC 5545 has them.
const ICALENDAR: &str = "icalendar==7.3.2 recurring-ical-events==3.8.2";
/// Reads logs for process mining, and checks signatures for the script of `docs/bundle.md`.
const RECORD: &str = "pm4py==2.7.23.11 cryptography==50.0.2";
/// A mail server in Python, whose mails a test answers.
const AIOSMTPD: &str = "aiosmtpd==1.4.6";
/// What looks for barriers on pages. Of one version, since another has other rules.
const AXE: &str = "axe-core@4.14.1";

/// The sums of a run.
#[derive(Debug, Default, PartialEq, Eq)]
struct Totals {
    passed: u64,
    failed: u64,
    skipped: u64,
}

impl Totals {
    /// Reads a line of a test harness: `test result: ok. 12 passed; 0 failed; 1 ignored; …`.
    fn read(&mut self, line: &str) {
        let Some(rest) = line.trim().strip_prefix("test result:") else { return };
        let mut words = rest.split([' ', ';', '.']).filter(|word| !word.is_empty());
        let mut before = words.next();
        for word in words {
            let number = before.and_then(|word| word.parse::<u64>().ok()).unwrap_or(0);
            match word {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                "ignored" => self.skipped += number,
                _ => {}
            }
            before = Some(word);
        }
    }

    fn step(&mut self, good: bool) {
        if good { self.passed += 1 } else { self.failed += 1 }
    }
}

/// Everything, with totals at the end.
///
/// # Errors
/// When a step cannot be started at all.
pub fn all() -> anyhow::Result<ExitCode> {
    let skips = root().join("target/skips.txt");
    std::fs::create_dir_all(root().join("target"))?;
    let _ = std::fs::remove_file(&skips);
    provide();
    let mut totals = Totals::default();
    let mut bad = lint(&mut totals)?;
    say("tests, simulation, stories, clients, kills");
    let mut tests = cargo(&["test", "--workspace", "--no-fail-fast"]);
    tests.args(FEATURES).env("ALLCLEAR_SKIPS", &skips);
    if !tally(tests, &mut totals)? {
        bad.push("tests");
    }
    // A test that skips itself has passed as far as its harness knows.
    let skipped = std::fs::read_to_string(&skips).unwrap_or_default();
    let count = skipped.lines().count() as u64;
    totals.passed = totals.passed.saturating_sub(count);
    totals.skipped += count;
    if !skipped.is_empty() {
        println!("\nskipped:\n{}", skipped.trim_end());
    }
    Ok(finish(&totals, &bad))
}

/// Format, lints, tidiness, unit tests.
///
/// # Errors
/// When a step cannot be started at all.
pub fn check() -> anyhow::Result<ExitCode> {
    let mut totals = Totals::default();
    let mut bad = lint(&mut totals)?;
    say("unit tests");
    let mut tests = cargo(&["test", "--workspace", "--no-fail-fast", "--lib", "--bins"]);
    tests.args(FEATURES);
    if !tally(tests, &mut totals)? {
        bad.push("unit tests");
    }
    Ok(finish(&totals, &bad))
}

fn finish(totals: &Totals, bad: &[&str]) -> ExitCode {
    if !bad.is_empty() {
        println!("\nnot good: {}", bad.join(", "));
    }
    println!("\n{} passed, {} failed, {} skipped", totals.passed, totals.failed, totals.skipped);
    if bad.is_empty() && totals.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Format, lints and tidiness; the names of those that are not good.
fn lint(totals: &mut Totals) -> anyhow::Result<Vec<&'static str>> {
    let mut bad = Vec::new();
    let mut lints = cargo(&["clippy", "--quiet", "--workspace", "--all-targets"]);
    lints.args(FEATURES).args(["--", "-D", "warnings"]);
    let mut tidy = Command::new(std::env::current_exe()?);
    tidy.arg("tidy").current_dir(root());
    for (name, mut step) in [("format", cargo(&["fmt", "--all", "--check"])), ("lints", lints), ("tidiness", tidy)] {
        say(name);
        let good = step.status().with_context(|| format!("starting {name}"))?.success();
        totals.step(good);
        if !good {
            bad.push(name);
        }
    }
    Ok(bad)
}

/// Runs tests, passing on what they print and adding up what they sum.
fn tally(mut tests: Command, totals: &mut Totals) -> anyhow::Result<bool> {
    let before = totals.failed;
    let mut child = tests.stdout(Stdio::piped()).spawn().context("starting cargo test")?;
    let stdout = child.stdout.take().context("its output is piped")?;
    for line in BufReader::new(stdout).lines() {
        let line = line?;
        println!("{line}");
        totals.read(&line);
    }
    let good = child.wait()?.success();
    // What does not even build fails without a test to say so.
    if !good && totals.failed == before {
        totals.failed += 1;
    }
    Ok(good)
}

/// Sees to it that the programs of the tests are there, as far as that is allowed.
fn provide() {
    let has_postgres = std::fs::read_dir(POSTGRES).is_ok_and(|mut versions| versions.next().is_some());
    let mut wanted: Vec<&str> = PROGRAMS.iter().filter(|(program, _)| !on_path(program)).map(|(_, package)| *package).collect();
    if !has_postgres {
        wanted.push("postgresql");
    }
    let can_make_venv = quiet("python3", &["-c", "import ensurepip, venv"]);
    if !can_make_venv {
        wanted.push("python3-venv");
    }
    wanted.dedup();
    if !wanted.is_empty() {
        install(&wanted);
    }
    // One folder each, so that what one of them needs does not bind the other.
    provide_python("target/clients-venv", "pdpyras", PYTHON_CLIENT);
    provide_python("target/schemathesis-venv", "schemathesis", SCHEMATHESIS);
    provide_python("target/icalendar-venv", "icalendar, recurring_ical_events", ICALENDAR);
    provide_python("target/record-venv", "pm4py, cryptography", RECORD);
    provide_python("target/aiosmtpd-venv", "aiosmtpd", AIOSMTPD);
    provide_python("target/openapi-venv", "openapi_python_client, openapi_spec_validator", OPENAPI);
    provide_axe();
}

/// Python packages in an environment of their own: what is imported, and what is installed, with spaces between.
fn provide_python(folder: &str, module: &str, package: &str) {
    let venv = root().join(folder);
    let python = venv.join("bin/python");
    let python = python.to_string_lossy();
    if quiet(&python, &["-W", "ignore", "-c", &format!("import {module}")]) {
        return;
    }
    say(package);
    let install: Vec<&str> =
        ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"].into_iter().chain(package.split(' ')).collect();
    let made = quiet("python3", &["-m", "venv", &venv.to_string_lossy()]) && quiet(&python, &install);
    if !made {
        println!("{package} could not be installed; its test is skipped");
    }
}

/// axe-core in a folder of its own: one file that a test gives to the browser. Its scripts of
/// installation are not run.
fn provide_axe() {
    let folder = root().join("target/browser-npm");
    if folder.join("node_modules/axe-core/axe.min.js").exists() {
        return;
    }
    say(AXE);
    let prefix = folder.to_string_lossy();
    let args = ["install", "--prefix", &prefix, "--no-save", "--ignore-scripts", "--no-audit", "--no-fund", AXE];
    if std::fs::create_dir_all(&folder).is_err() || !quiet("npm", &args) {
        println!("{AXE} could not be installed (is `npm` there?); its test is skipped");
    }
}

/// Installs Debian's packages, as root where apt is.
fn install(packages: &[&str]) {
    let list = packages.join(", ");
    let is_root = std::fs::metadata("/proc/self").is_ok_and(|me| std::os::unix::fs::MetadataExt::uid(&me) == 0);
    if !is_root || !on_path("apt-get") {
        println!("not installed, and not ours to install here: {list}; what needs them is skipped");
        return;
    }
    say(&format!("installing {list}"));
    let apt = |args: &[&str]| {
        Command::new("apt-get").args(args).env("DEBIAN_FRONTEND", "noninteractive").status().is_ok_and(|status| status.success())
    };
    let args = [&["install", "-y", "-qq", "--no-install-recommends"], packages].concat();
    // The lists of a fresh machine are empty.
    let there = apt(&args) || (apt(&["update", "-qq"]) && apt(&args));
    if !there {
        println!("could not be installed: {list}; what needs them is skipped");
    }
}

fn on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|dir| dir.join(program).exists())
}

/// Whether a program runs to a good end; what it says is not of interest.
fn quiet(program: &str, args: &[&str]) -> bool {
    Command::new(program).args(args).stdin(Stdio::null()).output().is_ok_and(|run| run.status.success())
}

fn cargo(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO"));
    command.args(args).current_dir(root());
    command
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map_or_else(|| PathBuf::from("."), Path::to_owned)
}

fn say(what: &str) {
    println!("\n== {what}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_of_test_harnesses_are_read() {
        let mut totals = Totals::default();
        for line in [
            "running 3 tests",
            "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 7 filtered out; finished in 0.02s",
            "test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.50s",
        ] {
            totals.read(line);
        }
        assert_eq!(totals, Totals { passed: 15, failed: 2, skipped: 1 });
    }
}
