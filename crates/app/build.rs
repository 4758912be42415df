//! Tells the linker to write relative relocations short, where the machine's C library reads them so (glibc from 2.36 on).
//!
//! At 8 bytes and more for each of a hundred thousand pointers they are two mebibytes of the program otherwise, and every
//! start reads all of them into memory. A linker that does not know the option says so and goes on.

// What is built for which machine is told by cargo, in the environment.
#![allow(clippy::disallowed_methods)]

use std::process::Command;

/// The first glibc that reads them.
const SINCE: (u32, u32) = (2, 36);

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let linux = std::env::var("TARGET").is_ok_and(|target| target.ends_with("-linux-gnu"));
    let at_home = std::env::var("TARGET").ok() == std::env::var("HOST").ok();
    if linux && at_home && glibc().is_some_and(|version| version >= SINCE) {
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}

/// The version of this machine's glibc, as `getconf` says it: `glibc 2.36`.
fn glibc() -> Option<(u32, u32)> {
    let said = Command::new("getconf").arg("GNU_LIBC_VERSION").output().ok()?.stdout;
    let said = String::from_utf8(said).ok()?;
    let (major, minor) = said.trim().strip_prefix("glibc ")?.split_once('.')?;
    Some((major.parse().ok()?, minor.split('.').next()?.parse().ok()?))
}
