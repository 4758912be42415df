//! The project's own commands: `cargo xtask NAME`.

mod bench;
mod plants;

use std::process::ExitCode;

const USAGE: &str =
    "usage: cargo xtask bench [--only NAME,…] [--quick] [--seconds N] [--out FILE] …\n       cargo xtask plants [NAME …]";

fn main() -> anyhow::Result<ExitCode> {
    let mut args = std::env::args().skip(1);
    match args.next().as_deref() {
        Some("bench") => bench::run(args),
        Some("plants") => plants::run(args),
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
