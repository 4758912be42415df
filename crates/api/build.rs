//! The table of error codes, made from their pages: a page says its code, its title and its status, and there is no other
//! place to say them in.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// Where the pages are, from this crate.
const PAGES: &str = "../../docs/errors";

#[allow(clippy::disallowed_methods)] // it is cargo that tells a build script by its environment; the program has its settings
fn main() {
    let folder = Path::new(&env::var("CARGO_MANIFEST_DIR").expect("cargo says where the crate is")).join(PAGES);
    println!("cargo::rerun-if-changed={}", folder.display());
    let entries = fs::read_dir(&folder).unwrap_or_else(|why| panic!("{}: {why}", folder.display()));
    let mut pages: Vec<PathBuf> = entries.map(|entry| entry.expect("a folder that is read").path()).collect();
    pages.sort();
    let mut out = String::from("/// Every code, in the order of the alphabet.\npub static CODES: &[Code] = &[\n");
    for page in &pages {
        let text = fs::read_to_string(page).unwrap_or_else(|why| panic!("{}: {why}", page.display()));
        let (code, title, status) = read(&text).unwrap_or_else(|why| panic!("{}: {why}", page.display()));
        assert!(page.file_stem().is_some_and(|stem| *stem == *code), "{}: its heading says `{code}`", page.display());
        let _ = writeln!(out, "    Code {{ code: {code:?}, status: {status}, title: {title:?}, page: include_str!({page:?}) }},");
    }
    out.push_str("];\n");
    let file = Path::new(&env::var("OUT_DIR").expect("cargo says where to write")).join("codes.rs");
    fs::write(&file, out).unwrap_or_else(|why| panic!("{}: {why}", file.display()));
}

/// A page begins with ``# `code`: what it means``, and says its status before it says more.
fn read(page: &str) -> Result<(&str, String, u16), &'static str> {
    const SHAPE: &str = "it begins with a line \"# `code`: what it means\", an empty one, and \"HTTP status 404.\"";
    let mut lines = page.lines();
    let heading = lines.next().and_then(|line| line.strip_prefix("# `")).ok_or(SHAPE)?;
    let (code, title) = heading.split_once("`: ").ok_or(SHAPE)?;
    let status = lines.nth(1).and_then(|line| line.strip_prefix("HTTP status ")?.strip_suffix('.')).ok_or(SHAPE)?;
    let status = status.parse().map_err(|_| SHAPE)?;
    let mut letters = title.chars();
    let title = letters.next().ok_or(SHAPE)?.to_uppercase().chain(letters).collect();
    Ok((code, title, status))
}
