//! The table of faults: each test that it names is there, and each fault has one, or says in words that there is none.
//!
//! Deliberately not judged: whether a test goes red for its fault. Whoever writes a row reads its tests.

use std::path::Path;

use anyhow::Context as _;

use super::Finding;
use super::source::Source;

/// The page.
const PAGE: &str = "docs/faults.md";
/// How a cell begins that names no test.
const NO_TEST: &str = "No test";
/// Where tests are.
const FOLDERS: [&str; 2] = ["crates/", "xtask/"];

/// Findings about every test that the page names, and every fault without one.
pub fn check(root: &Path, sources: &[Source], findings: &mut Vec<Finding>) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(root.join(PAGE)).with_context(|| format!("reading {PAGE}"))?;
    for (line, file, name) in named(&text) {
        match (sources.iter().find(|source| source.file == Path::new(&file)), name) {
            (Some(source), Some(name)) if !has_function(&source.code, &name) => {
                findings.push(Finding::new(PAGE, line, format!("the test `{name}` is not in {file}")));
            }
            (Some(_), _) => {}
            (None, _) if root.join(&file).exists() => {}
            (None, _) => findings.push(Finding::new(PAGE, line, format!("`{file}` is named, and is not there"))),
        }
    }
    for line in untested(&text) {
        let what = format!("a fault names a test in its last cell, as `crates/…/file.rs::name`, or begins it with `{NO_TEST}`");
        findings.push(Finding::new(PAGE, line, what));
    }
    Ok(())
}

/// Code spans that name a file, and perhaps a function in it, with their line from 1.
fn named(text: &str) -> Vec<(usize, String, Option<String>)> {
    let mut out = Vec::new();
    for (at, line) in text.lines().enumerate() {
        for span in line.split('`').skip(1).step_by(2).filter(|span| FOLDERS.iter().any(|folder| span.starts_with(folder))) {
            let (file, name) = span.split_once("::").map_or((span, None), |(file, name)| (file, Some(name.to_owned())));
            out.push((at + 1, file.to_owned(), name));
        }
    }
    out
}

/// Lines of faults whose last cell names no test and does not say so.
fn untested(text: &str) -> Vec<usize> {
    let lines: Vec<&str> = text.lines().collect();
    let is_row = |at: usize| lines.get(at).is_some_and(|line| line.starts_with('|'));
    let is_rule = |at: usize| lines.get(at).is_some_and(|line| line.starts_with("|-"));
    let rows = (0..lines.len()).filter(|at| is_row(*at) && !is_rule(*at) && !is_rule(at + 1));
    let faults = rows.filter(|at| {
        let cell = lines[*at].trim_end().trim_end_matches('|').rsplit('|').next().unwrap_or_default();
        let has_test = named(cell).iter().any(|(_, _, name)| name.is_some());
        !has_test && !cell.trim_start().starts_with(NO_TEST)
    });
    faults.map(|at| at + 1).collect()
}

/// Whether a function of this name is written in the code.
fn has_function(code: &str, name: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let words = format!("fn {name}");
    code.match_indices(&words).any(|(at, _)| !code[..at].ends_with(is_part) && !code[at + words.len()..].starts_with(is_part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_that_is_gone_and_a_fault_without_one_are_found() {
        let page = "`crates/x/y.rs::b`\n\n| what | then | by |\n|---|---|---|\n| a | `x` | `crates/x/y.rs::a` · `crates/x/y.rs::of` |\n\
                    | b | c | No test: it is the system's. |\n| c | `crates/x/y.rs::a` | `crates/x/y.rs` |\n| d | e | read it |\n";
        let spans = named(page);
        let shown: Vec<(usize, &str, Option<&str>)> = spans.iter().map(|(n, file, name)| (*n, file.as_str(), name.as_deref())).collect();
        let file = "crates/x/y.rs";
        let all = [(1, file, Some("b")), (5, file, Some("a")), (5, file, Some("of")), (7, file, Some("a")), (7, file, None)];
        assert_eq!(shown, all);
        assert_eq!(untested(page), [7, 8], "a file alone is no test, and neither is one beside the last cell");
        let code = Source::new(file.into(), "// fn b()\nasync fn a(x: u8) { of() }\nfn of_other<T>() {}".into()).code;
        assert!(has_function(&code, "a") && has_function(&code, "of_other"));
        assert!(!has_function(&code, "of") && !has_function(&code, "b") && !has_function(&code, "x"), "half a name, a call, a comment");
        let sources = [Source::new(file.into(), "fn a() {}".into())];
        let root = tempfile_with(page);
        let mut findings = Vec::new();
        check(&root, &sources, &mut findings).unwrap();
        std::fs::remove_dir_all(&root).unwrap();
        assert_eq!(findings.iter().map(|finding| finding.line).collect::<Vec<_>>(), [1, 5, 7, 8]);
    }

    /// A folder with this page, for whoever takes it away again.
    fn tempfile_with(page: &str) -> std::path::PathBuf {
        let root = std::env::temp_dir().join(format!("tidy-faults-{}", std::process::id()));
        std::fs::create_dir_all(root.join("docs")).unwrap();
        std::fs::write(root.join(PAGE), page).unwrap();
        root
    }
}
