//! `cargo xtask plants`: every planted mistake must turn something red.
//!
//! Builds the simulator with the feature `plants` once and runs its seeds with each mistake
//! switched on; mistakes that the rules' own tests show are run against those. What only a killed
//! binary can show is listed, for the kill loop.

use std::process::{Command, ExitCode};

use allclear_domain::plants::{CaughtBy, PLANTS};
use anyhow::Context;

/// Seeds tried before a plant counts as survived; most fall within the first ten.
const SEEDS: &str = "0..300";

/// Runs all of them, or those whose names are given.
pub fn run(names: impl Iterator<Item = String>) -> anyhow::Result<ExitCode> {
    let names: Vec<String> = names.collect();
    let mut survived = 0;
    println!("{:<28} caught by", "plant");
    for (name, by, what) in PLANTS {
        if !names.is_empty() && !names.iter().any(|n| n == name) {
            continue;
        }
        let caught = match by {
            CaughtBy::Simulator => simulator(name)?,
            CaughtBy::DomainTests => domain_tests(name)?,
            CaughtBy::Binary => Some("left to the kill loop over the real binary".to_owned()),
        };
        if caught.is_none() {
            survived += 1;
        }
        println!("{name:<28} {}", caught.unwrap_or_else(|| format!("NOTHING: {what}")));
    }
    println!("{survived} survived");
    Ok(if survived == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn cargo(args: &[&str], plant: &str) -> anyhow::Result<(bool, String)> {
    let output = Command::new("cargo").args(args).env("ALLCLEAR_PLANT", plant).output().context("cargo does not start")?;
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.push_str(&String::from_utf8_lossy(&output.stderr));
    Ok((output.status.success(), text))
}

fn simulator(plant: &str) -> anyhow::Result<Option<String>> {
    let args = ["run", "--quiet", "-p", "allclear-sim", "--features", "plants", "--", "--until-red", "--seeds", SEEDS];
    let (green, text) = cargo(&args, plant)?;
    if green {
        return Ok(None);
    }
    let line = text.lines().find(|line| line.starts_with("seed "));
    Ok(Some(line.context(format!("the simulator did not run: {text}"))?.chars().take(110).collect()))
}

fn domain_tests(plant: &str) -> anyhow::Result<Option<String>> {
    let (green, text) = cargo(&["test", "--quiet", "-p", "allclear-domain", "--lib", "--tests", "--features", "plants"], plant)?;
    if green {
        return Ok(None);
    }
    let line = text.lines().map(str::trim).find(|line| line.starts_with("----") && line.ends_with("stdout ----"));
    let test = line.context(format!("the tests did not run: {text}"))?;
    Ok(Some(format!("test {}", test.trim_matches('-').trim().trim_end_matches("stdout").trim())))
}
