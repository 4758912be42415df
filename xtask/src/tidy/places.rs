//! What the map names is there: files and folders in code spans of the pages that lead through the code.
//!
//! Below a heading `crates/NAME` a place is one of that crate; elsewhere it may be anybody's. Deliberately not judged:
//! names of functions and types, which the compiler knows and this does not, and decisions, which tell of their own time.

use std::path::Path;

use anyhow::Context as _;

use super::Finding;

/// Pages that lead through the code.
const PAGES: [&str; 2] = ["ARCHITECTURE.md", "CONTRIBUTING.md"];
/// Where the places are.
const FOLDERS: [&str; 4] = ["crates", "xtask", "docs", "changes"];

/// Findings about every place that a page names.
pub fn check(root: &Path, findings: &mut Vec<Finding>) -> anyhow::Result<()> {
    let mut known = Vec::new();
    for folder in FOLDERS {
        known.push(format!("/{folder}/"));
        collect(root, &root.join(folder), &mut known)?;
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
            let is_place = span.ends_with(".rs") || span.ends_with(".md") || (span.ends_with('/') && !span.contains("://"));
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
    }
}
