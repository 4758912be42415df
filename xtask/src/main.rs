//! The project's own commands: `cargo xtask NAME`.

mod bench;
mod tidy;

use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask bench [--only NAME,…] [--quick] [--seconds N] [--out FILE] …
       cargo xtask tidy";

fn main() -> anyhow::Result<ExitCode> {
    let mut args = std::env::args().skip(1);
    match args.next().as_deref() {
        Some("bench") => bench::run(args),
        Some("tidy") => tidy::run(),
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
