//! `cargo run -p allclear-sim -- --seeds A..B` runs seeds; `--seed N --trace` replays one and says
//! what happened.

use std::process::ExitCode;

const USAGE: &str = "usage: allclear-sim [--seeds A..B] [--seed N] [--trace] [--until-red]";

fn main() -> ExitCode {
    let mut seeds = 0..300_u64;
    let mut trace = false;
    let mut until_red = false;
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let read = match arg.as_str() {
            "--trace" => {
                trace = true;
                true
            }
            "--until-red" => {
                until_red = true;
                true
            }
            "--seed" => args.next().and_then(|n| n.parse().ok()).map(|n| seeds = n..n + 1).is_some(),
            "--seeds" => args
                .next()
                .and_then(|range| {
                    let (from, to) = range.split_once("..")?;
                    Some(from.parse().ok()?..to.parse().ok()?)
                })
                .map(|range| seeds = range)
                .is_some(),
            _ => false,
        };
        if !read {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    }
    let mut failed = 0_u64;
    let mut reached = allclear_sim::sometimes::Reached::new();
    for seed in seeds {
        match allclear_sim::run(seed, trace) {
            Ok(report) => {
                for (point, times) in report.reached {
                    *reached.entry(point).or_default() += times;
                }
                if trace {
                    println!("seed {seed}: {} events, digest {}", report.events, report.digest);
                }
            }
            Err(failure) => {
                failed += 1;
                for line in &failure.trace {
                    println!("{line}");
                }
                println!("seed {seed}: {}: {}", failure.invariant, failure.what);
                if until_red {
                    return ExitCode::FAILURE;
                }
            }
        }
    }
    for point in allclear_sim::sometimes::POINTS {
        println!("{:>8}  {point}", reached.get(point).copied().unwrap_or(0));
    }
    println!("{failed} seeds failed");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
