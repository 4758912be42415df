//! The project's own commands: `cargo xtask NAME`.

mod bench;
mod plants;
mod shots;
mod test;
mod tidy;

use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask bench [--only NAME,…] [--quick] [--seconds N] [--out FILE] …
       cargo xtask test    everything, with totals at the end
       cargo xtask check   format, lints, tidiness, unit tests
       cargo xtask plants [NAME …]
       cargo xtask shots [FOLDER] [--only NAME,…]
       cargo xtask tidy";

fn main() -> anyhow::Result<ExitCode> {
    let mut args = std::env::args().skip(1);
    match args.next().as_deref() {
        Some("bench") => bench::run(args),
        Some("test") => test::all(),
        Some("check") => test::check(),
        Some("tidy") => tidy::run(),
        Some("plants") => plants::run(args),
        Some("shots") => shots::run(args),
        Some("--help" | "-h" | "help") => {
            println!("{USAGE}");
            Ok(ExitCode::SUCCESS)
        }
        _ => {
            eprintln!("{USAGE}");
            Ok(ExitCode::from(2))
        }
    }
}
