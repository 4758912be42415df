//! Seeds: those that once found something first, then three hundred, on two threads.
//!
//! A seed leads back to what it found only as long as its world takes the same turns. What people do
//! beside paging is thrown from dice of its own, but its reminders are looked at and sent like pages:
//! worlds of seeds that were kept before coordination was simulated (all but 286) take other turns since.

use std::collections::BTreeMap;
use std::path::Path;

use allclear_sim::sometimes::{POINTS, Reached};
use allclear_sim::{Failure, run, run_twice};

/// Enough that every rare path is reached; the whole run takes under a minute unoptimised.
const SEEDS: u64 = 300;
/// Every such seed is run twice, and the two logs compared.
const TWICE_EVERY: u64 = 10;

fn shown(failure: &Failure) -> String {
    format!(
        "seed {}: {}: {}\n  replay: cargo run -p allclear-sim -- --seed {} --trace\n  keep: crates/sim/seeds/{}.seed with a sentence",
        failure.seed, failure.invariant, failure.what, failure.seed, failure.seed
    )
}

#[test]
fn seeds_that_found_something_stay_quiet() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds");
    let mut kept = BTreeMap::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let seed: u64 = path.file_stem().unwrap().to_str().unwrap().parse().unwrap();
        let sentence = std::fs::read_to_string(&path).unwrap();
        assert!(sentence.trim().ends_with('.'), "{} says in a sentence what it found", path.display());
        kept.insert(seed, sentence);
    }
    assert!(!kept.is_empty());
    let failures: Vec<String> = kept.keys().filter_map(|seed| run_twice(*seed).err()).map(|f| shown(&f)).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn three_hundred_seeds_keep_every_promise_and_reach_every_rare_path() {
    let halves: Vec<(Vec<String>, Reached)> = std::thread::scope(|scope| {
        let half = |rest: u64| {
            move || {
                let (mut failures, mut reached) = (Vec::new(), Reached::new());
                for seed in (0..SEEDS).filter(|seed| seed % 2 == rest) {
                    match if seed % TWICE_EVERY == rest { run_twice(seed) } else { run(seed, false) } {
                        Ok(report) => report.reached.into_iter().for_each(|(point, n)| *reached.entry(point).or_default() += n),
                        Err(failure) => failures.push(shown(&failure)),
                    }
                }
                (failures, reached)
            }
        };
        let threads = [scope.spawn(half(0)), scope.spawn(half(1))];
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let failures: Vec<&String> = halves.iter().flat_map(|(failures, _)| failures).collect();
    assert!(failures.is_empty(), "{} seeds failed:\n{failures:#?}", failures.len());
    let times = |point: &str| halves.iter().map(|(_, reached)| reached.get(point).copied().unwrap_or(0)).sum::<u64>();
    let never: Vec<&&str> = POINTS.iter().filter(|point| times(point) == 0).collect();
    assert!(never.is_empty(), "paths that no seed reached, so that nothing checked them: {never:?}");
    let unknown: Vec<&&str> = halves.iter().flat_map(|(_, reached)| reached.keys()).filter(|point| !POINTS.contains(point)).collect();
    assert!(unknown.is_empty(), "paths that are not on the list: {unknown:?}");
}
