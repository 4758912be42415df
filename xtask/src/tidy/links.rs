//! Links between the pages of the documentation: what they lead to exists.
//!
//! Judges relative links of Markdown files, and headings within pages. Addresses of others are
//! deliberately not asked: a build must not fail because somebody else's server does.

use std::path::{Component, Path, PathBuf};

use anyhow::Context as _;

use super::Finding;

/// Folders that hold documentation; pages in the root are read as well.
const FOLDERS: [&str; 2] = ["docs", "changes"];

/// Findings about every page.
pub fn check(root: &Path, findings: &mut Vec<Finding>) -> anyhow::Result<()> {
    let mut pages = Vec::new();
    collect(root, false, &mut pages)?;
    for folder in FOLDERS {
        collect(&root.join(folder), true, &mut pages)?;
    }
    for page in pages {
        let text = std::fs::read_to_string(&page).with_context(|| format!("reading {}", page.display()))?;
        let file = page.strip_prefix(root).unwrap_or(&page);
        for (line, target) in targets(&text) {
            if let Some(why) = broken(root, file, &target)? {
                findings.push(Finding::new(file, line, why));
            }
        }
    }
    Ok(())
}

fn collect(folder: &Path, deep: bool, pages: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(folder).with_context(|| format!("listing {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() && deep {
            collect(&path, deep, pages)?;
        } else if path.extension().is_some_and(|extension| extension == "md") {
            pages.push(path);
        }
    }
    Ok(())
}

/// Where each `[text](target)` outside code leads, with its line.
fn targets(text: &str) -> Vec<(usize, String)> {
    let mut out = Vec::new();
    let mut in_code = false;
    for (at, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        }
        if in_code {
            continue;
        }
        let mut rest = line;
        while let Some((_, after)) = rest.split_once("](") {
            let Some((target, more)) = after.split_once(')') else { break };
            out.push((at + 1, target.to_owned()));
            rest = more;
        }
    }
    out
}

/// Why a link of a page leads nowhere.
fn broken(root: &Path, page: &Path, target: &str) -> anyhow::Result<Option<String>> {
    if target.contains("://") || target.starts_with("mailto:") || target.starts_with('/') {
        return Ok(None);
    }
    let (path, heading) = target.split_once('#').map_or((target, None), |(path, heading)| (path, Some(heading)));
    let to = if path.is_empty() { page.to_path_buf() } else { joined(page.parent().unwrap_or(Path::new("")), path) };
    if !root.join(&to).exists() {
        return Ok(Some(format!("the link `{target}` leads to {}, which does not exist", to.display())));
    }
    let Some(heading) = heading else { return Ok(None) };
    let text = std::fs::read_to_string(root.join(&to)).with_context(|| format!("reading {}", to.display()))?;
    let found = text.lines().filter(|line| line.starts_with('#')).any(|line| anchor(line) == heading);
    Ok((!found).then(|| format!("the link `{target}` leads to a heading that {} does not have", to.display())))
}

/// The path without `.` and `..`.
fn joined(folder: &Path, path: &str) -> PathBuf {
    let mut out = folder.to_path_buf();
    for part in Path::new(path).components() {
        match part {
            Component::ParentDir => {
                out.pop();
            }
            Component::Normal(name) => out.push(name),
            _ => {}
        }
    }
    out
}

/// A heading's anchor, as common hosts make it.
fn anchor(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    text.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_')).map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_found_outside_code_and_followed() {
        let text = "see [a](b.md) and [c](d.md#e)\n```\n[not](this.md)\n```\n[one](https://x.example)";
        assert_eq!(
            targets(text).iter().map(|(line, to)| (*line, to.as_str())).collect::<Vec<_>>(),
            [(1, "b.md"), (1, "d.md#e"), (5, "https://x.example")]
        );
        assert_eq!(joined(Path::new("docs/guides"), "../adr/0001.md"), Path::new("docs/adr/0001.md"));
        assert_eq!(anchor("## What `it` is, exactly"), "what-it-is-exactly");
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        assert_eq!(broken(root, Path::new("README.md"), "docs/adr").unwrap(), None);
        assert!(broken(root, Path::new("README.md"), "docs/nowhere.md").unwrap().is_some());
        assert!(broken(root, Path::new("README.md"), "SECURITY.md#reporting").unwrap().is_none());
        assert!(broken(root, Path::new("README.md"), "SECURITY.md#gossip").unwrap().is_some());
    }
}
