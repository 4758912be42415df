//! What the map names is there: files and folders in code spans of the pages that lead through the code. And what is there
//! stands on the map: each folder of a crate's sources is named below the crate's heading.
//!
//! Below a heading `crates/NAME` a place is one of that crate; elsewhere it may be anybody's. Deliberately not judged:
//! names of functions and types, which the compiler knows and this does not, and decisions, which tell of their own time.

use std::path::Path;

use anyhow::Context as _;

use super::Finding;

/// Pages that lead through the code.
const PAGES: [&str; 2] = ["ARCHITECTURE.md", "CONTRIBUTING.md"];
/// The page that has the map of the code.
const MAP: &str = "ARCHITECTURE.md";
/// Where the places are.
const FOLDERS: [&str; 4] = ["crates", "xtask", "docs", "changes"];

/// Findings about every place that a page names.
pub fn check(root: &Path, findings: &mut Vec<Finding>) -> anyhow::Result<()> {
    let mut known = Vec::new();
    for folder in FOLDERS {
        known.push(format!("/{folder}/"));
        collect(root, &root.join(folder), &mut known)?;
    }
    let map = std::fs::read_to_string(root.join(MAP)).with_context(|| format!("reading {MAP}"))?;
    for (of, folder) in folders(&known) {
        if !is_on_the_map(&map, &of, &folder) {
            findings.push(Finding::new(MAP, 1, format!("`{folder}/` of {of} is not on the map: say below the crate's heading what it is")));
        }
    }
    for page in PAGES {
        let text = std::fs::read_to_string(root.join(page)).with_context(|| format!("reading {page}"))?;
        for (line, place, of) in places(&text) {
            if !is_there(&known, &place, of.as_deref()) {
                let whose = of.map(|of| format!(" in {of}")).unwrap_or_default();
                findings.push(Finding::new(Path::new(page), line, format!("`{place}` is named, and is not there{whose}")));
            }
        }
    }
    Ok(())
}

/// Every file and folder, folders with a slash at their end.
fn collect(root: &Path, folder: &Path, known: &mut Vec<String>) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(folder).with_context(|| format!("listing {}", folder.display()))? {
        let path = entry?.path();
        let shown = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
        if path.is_dir() {
            known.push(format!("/{shown}/"));
            collect(root, &path, known)?;
        } else {
            known.push(format!("/{shown}"));
        }
    }
    Ok(())
}

/// The first folders below the sources of each crate. Programs beside it are found by their crate.
fn folders(known: &[String]) -> Vec<(String, String)> {
    let mut out = Vec::new();
    for path in known {
        let parts: Vec<&str> = path.split('/').collect();
        if let ["", "crates", name, "src", folder, ""] = parts.as_slice()
            && *folder != "bin"
        {
            out.push((format!("crates/{name}"), (*folder).to_owned()));
        }
    }
    out
}

/// Whether a section whose heading names the crate names the folder: alone, or as the beginning of a place in it.
fn is_on_the_map(map: &str, of: &str, folder: &str) -> bool {
    let mut is_about_it = false;
    let mut in_code = false;
    map.lines().any(|line| {
        in_code ^= line.starts_with("```");
        if !in_code && line.starts_with('#') {
            is_about_it = line.split('`').skip(1).step_by(2).any(|named| named == of);
        }
        let mut spans = line.split('`').skip(1).step_by(2).flat_map(unfolded);
        is_about_it && !in_code && spans.any(|span| span.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/')))
    })
}

/// Line, place and, below a crate's heading, that crate.
fn places(text: &str) -> Vec<(usize, String, Option<String>)> {
    let mut out = Vec::new();
    let mut of: Option<String> = None;
    let mut in_code = false;
    for (at, line) in text.lines().enumerate() {
        if line.starts_with("```") {
            in_code = !in_code;
        }
        if in_code {
            continue;
        }
        if line.starts_with('#') {
            // A heading about several crates is about none of them alone.
            let named: Vec<&str> = line.split('`').skip(1).step_by(2).collect();
            of = match named.as_slice() {
                [one] if one.starts_with("crates/") => Some((*one).to_owned()),
                _ => None,
            };
            continue;
        }
        for span in line.split('`').skip(1).step_by(2) {
            let is_whole = FOLDERS.iter().any(|folder| span.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/')));
            let is_place = is_whole || span.ends_with(".rs") || span.ends_with(".md") || (span.ends_with('/') && !span.contains("://"));
            if is_place && span.chars().all(|c| c.is_ascii_alphanumeric() || "/._-{},".contains(c)) {
                out.extend(unfolded(span).into_iter().map(|place| (at + 1, place, of.clone())));
            }
        }
    }
    out
}

/// `a/{b,c}/d` is `a/b/d` and `a/c/d`.
fn unfolded(span: &str) -> Vec<String> {
    let Some((before, rest)) = span.split_once('{') else { return vec![span.to_owned()] };
    let Some((choices, after)) = rest.split_once('}') else { return vec![span.to_owned()] };
    choices.split(',').map(|choice| format!("{before}{choice}{after}")).collect()
}

fn is_there(known: &[String], place: &str, of: Option<&str>) -> bool {
    let end = format!("/{}", place.trim_start_matches('/'));
    let inside = of.map(|of| format!("/{of}/"));
    // A crate's section may name a place of another by its whole path.
    // A folder may be named without its slash.
    let end = if place.split('/').next_back().is_some_and(|last| last.contains('.') || last.is_empty()) { end } else { format!("{end}/") };
    known.iter().any(|path| path.ends_with(&end) && (inside.as_ref().is_none_or(|of| path.starts_with(of)) || *path == end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_looked_for_in_the_crate_of_its_heading() {
        let text = "## Map\n`a/b.rs`\n### `crates/x`: it\n`b.rs`, `in/{b,c}.rs`, `Type`, `/a/{token}`\n```\n`d.rs`\n```\n";
        let found = places(text);
        let shown: Vec<(usize, &str, Option<&str>)> = found.iter().map(|(n, p, of)| (*n, p.as_str(), of.as_deref())).collect();
        let of = Some("crates/x");
        assert_eq!(shown, [(2, "a/b.rs", None), (4, "b.rs", of), (4, "in/b.rs", of), (4, "in/c.rs", of)]);
        let known = ["/crates/x/src/in/b.rs".to_owned(), "/crates/y/src/c.rs".to_owned(), "/crates/y/src/in/".to_owned()];
        assert!(is_there(&known, "in/b.rs", of) && is_there(&known, "b.rs", None));
        assert!(!is_there(&known, "c.rs", of) && !is_there(&known, "n/b.rs", of), "of another crate; half a name");
        assert!(is_there(&known, "crates/y/src/c.rs", of) && is_there(&known, "in/", None));
        assert!(is_there(&known, "crates/y/src/in", None) && !is_there(&known, "crates/y/src/out", None));
        assert_eq!(places("`crates/y/golden` `y/golden`").len(), 1);
    }

    #[test]
    fn a_folder_that_is_not_on_the_map_is_found() {
        let known = ["/crates/x/", "/crates/x/src/", "/crates/x/src/a/", "/crates/x/src/a/b/", "/crates/x/src/c.rs", "/crates/x/src/bin/"];
        let known = known.map(ToOwned::to_owned);
        assert_eq!(folders(&known), [("crates/x".to_owned(), "a".to_owned())]);
        for (map, is_there) in [
            ("### `crates/x`: it\n`a/` is", true),
            ("### `crates/y`, `crates/x`\n`a/b.rs`", true),
            ("### `crates/x`\n`{a,d}/` is", true),
            ("### `crates/y`\n`a/` is", false),
            ("`a/`\n### `crates/x`\n`b/a/`, `aa/`\n```\n`a/`\n```", false),
        ] {
            assert_eq!(is_on_the_map(map, "crates/x", "a"), is_there, "{map}");
        }
    }
}
