//! One style of files of modules: what has a folder stands in it, as `mod.rs`. So a subject is found in one place, and a
//! folder begins with the file that says what is in it.

use std::collections::BTreeSet;
use std::path::Path;

use super::Finding;
use super::source::Source;

/// Findings about every `foo.rs` beside a folder `foo`.
pub fn check(sources: &[Source], findings: &mut Vec<Finding>) {
    let folders: BTreeSet<&Path> = sources.iter().filter_map(|source| source.file.parent()).collect();
    for source in sources {
        let folder = source.file.with_extension("");
        if folders.iter().any(|other| other.starts_with(&folder)) {
            let name = if source.file.parent().is_some_and(|parent| parent.ends_with("tests")) { "main.rs" } else { "mod.rs" };
            let what = format!("a file beside a folder of its name: it is `{}`", folder.join(name).display());
            findings.push(Finding::new(&source.file, 1, what));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_beside_its_folder_is_found() {
        let files = [
            "crates/x/src/a.rs",
            "crates/x/src/a/deep/b.rs",
            "crates/x/src/c/mod.rs",
            "crates/x/src/c/d.rs",
            "crates/x/tests/e.rs",
            "crates/x/tests/e/f.rs",
        ];
        let sources: Vec<Source> = files.iter().map(|file| Source::new(file.into(), String::new())).collect();
        let mut findings = Vec::new();
        check(&sources, &mut findings);
        let found: Vec<_> = findings.iter().map(|f| (f.file.to_str().unwrap(), f.what.split('`').nth(1).unwrap())).collect();
        assert_eq!(found, [("crates/x/src/a.rs", "crates/x/src/a/mod.rs"), ("crates/x/tests/e.rs", "crates/x/tests/e/main.rs")]);
    }
}
