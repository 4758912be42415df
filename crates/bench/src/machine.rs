//! What the figures were taken on, and what a process costs, read from `/proc`.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::load::{at_ms, histogram, note};

/// Writes synced to learn the disk's latency.
const SYNCS: usize = 300;
/// Bytes of each: one page of the usual file systems.
const SYNC_BYTES: usize = 4_096;
/// Ticks a second in `/proc/PID/stat`; `USER_HZ` is 100 on every Linux that Rust builds for by
/// default (`man 5 proc`, `sysconf(_SC_CLK_TCK)`).
const TICKS: f64 = 100.0;

/// One line: cores, processor, memory, kernel, disk.
pub fn line(directory: &Path) -> String {
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let processor = field("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown".to_owned());
    let memory = field("/proc/meminfo", "MemTotal")
        .and_then(|text| text.split_whitespace().next()?.parse::<u64>().ok())
        .map_or_else(|| "unknown".to_owned(), |kib| format!("{} MiB", kib / 1024));
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let disk = match sync_latency(directory) {
        Ok((p50, p99)) => format!("fdatasync of 4 KiB p50 {p50:.2} ms, p99 {p99:.2} ms"),
        Err(error) => format!("fdatasync not measured: {error}"),
    };
    format!("{cores} cores ({processor}), {memory}, Linux {}, {} on {}, {disk}", kernel.trim(), file_system(directory), directory.display(),)
}

/// Processor seconds that a process has used, all threads and both modes.
pub fn cpu_seconds(pid: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name in brackets may hold spaces; utime and stime are the 12th and 13th after it.
    let Some((_, rest)) = stat.rsplit_once(')') else {
        return 0.0;
    };
    let ticks: f64 = rest.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum();
    ticks / TICKS
}

/// Whether a thread of a process has this name.
pub fn has_thread(pid: u32, name: &str) -> bool {
    let Ok(tasks) = fs::read_dir(format!("/proc/{pid}/task")) else { return false };
    tasks.flatten().any(|task| fs::read_to_string(task.path().join("comm")).is_ok_and(|comm| comm.trim_end() == name))
}

/// Processor seconds that the whole machine has used, so that a run disturbed by others shows.
pub fn machine_cpu_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
    // `cpu user nice system idle iowait irq softirq steal …`: all but idle and iowait.
    let ticks: f64 = stat
        .lines()
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .skip(1)
        .take(8)
        .enumerate()
        .filter(|(column, _)| !matches!(column, 3 | 4))
        .filter_map(|(_, ticks)| ticks.parse::<f64>().ok())
        .sum();
    ticks / TICKS
}

/// Proportional set size of a process in MiB.
pub fn pss_mib(pid: u32) -> Option<f64> {
    let text = field(&format!("/proc/{pid}/smaps_rollup"), "Pss")?;
    text.split_whitespace().next()?.parse::<f64>().ok().map(|kib| kib / 1024.0)
}

/// Bytes that a process caused to be written to disk.
pub fn written_bytes(pid: u32) -> u64 {
    field(&format!("/proc/{pid}/io"), "write_bytes").and_then(|text| text.parse().ok()).unwrap_or(0)
}

fn field(path: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    text.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        (key.trim() == name).then(|| value.trim().to_owned())
    })
}

fn sync_latency(directory: &Path) -> std::io::Result<(f64, f64)> {
    let path = directory.join("sync-probe");
    let mut file = fs::File::create(&path)?;
    let block = [7_u8; SYNC_BYTES];
    let mut latency = histogram();
    for _ in 0..SYNCS {
        let start = Instant::now();
        file.write_all(&block)?;
        file.sync_data()?;
        note(&mut latency, start.elapsed().max(Duration::from_micros(1)));
    }
    fs::remove_file(&path)?;
    Ok((at_ms(&latency, 0.5), at_ms(&latency, 0.99)))
}

/// The type of the file system that a directory is on, by the longest mount point above it.
fn file_system(directory: &Path) -> String {
    let Ok(directory) = directory.canonicalize() else {
        return "unknown".to_owned();
    };
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    mounts
        .lines()
        .filter_map(|line| {
            let mut words = line.split(' ').skip(1);
            Some((words.next()?, words.next()?))
        })
        .filter(|(point, _)| directory.starts_with(point))
        .max_by_key(|(point, _)| point.len())
        .map_or_else(|| "unknown".to_owned(), |(_, kind)| kind.to_owned())
}
