//! No circles of imports between the files of a crate: whoever opens a file finds what it leans on below it, and never the
//! way back. A parent and its child may name each other.
//!
//! Deliberately not judged: tests, and what macros write.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::Finding;
use super::source::Source;

/// Which file names which, of one crate.
type Graph = BTreeMap<Vec<String>, BTreeSet<Vec<String>>>;

/// Findings about every crate below `crates`.
pub fn check(sources: &[Source], findings: &mut Vec<Finding>) {
    let mut crates: BTreeMap<String, Vec<&Source>> = BTreeMap::new();
    for source in sources.iter().filter(|source| !source.is_test_file) {
        let mut parts = source.file.components().map(|part| part.as_os_str().to_string_lossy().into_owned());
        if let (Some("crates"), Some(name), Some("src")) = (parts.next().as_deref(), parts.next(), parts.next().as_deref())
            && parts.next().is_some_and(|first| first != "bin")
        {
            crates.entry(name).or_default().push(source);
        }
    }
    for (name, sources) in &crates {
        for circle in circles(&graph(name, sources)) {
            findings.push(Finding::new(
                Path::new("crates").join(name),
                1,
                format!("these files import each other in a circle: {}; put what they share below them", circle.join(", ")),
            ));
        }
    }
}

/// The path of a file's module: `src/a/mod.rs` and `src/a.rs` are `a`, the crate's own file is nothing.
fn module(name: &str, file: &Path) -> Vec<String> {
    let below = file.strip_prefix(Path::new("crates").join(name).join("src")).unwrap_or(file).with_extension("");
    let mut parts: Vec<String> = below.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
    if parts.last().is_some_and(|last| matches!(last.as_str(), "mod" | "lib" | "main")) {
        parts.pop();
    }
    parts
}

fn graph(name: &str, sources: &[&Source]) -> Graph {
    let modules: BTreeSet<Vec<String>> = sources.iter().map(|source| module(name, &source.file)).collect();
    let mut out = Graph::new();
    for source in sources {
        let own = module(name, &source.file);
        let code: Vec<&str> = source.code.lines().enumerate().filter(|(at, _)| !source.is_test(at + 1)).map(|(_, line)| line).collect();
        let mut names = BTreeSet::new();
        for path in paths(&code.join("\n")) {
            let whole = from_root(&own, &path);
            // The longest part of it that is a file.
            let target = (1..=whole.len()).rev().map(|end| whole[..end].to_vec()).find(|part| modules.contains(part));
            names.extend(target.filter(|target| *target != own && !is_child(target, &own) && !is_child(&own, target)));
        }
        out.insert(own, names);
    }
    out
}

fn is_child(child: &[String], parent: &[String]) -> bool {
    child.split_last().is_some_and(|(_, above)| above == parent)
}

/// A path that begins with `crate`, `self` or `super`, as seen from the crate's root.
fn from_root(own: &[String], path: &[String]) -> Vec<String> {
    let ups = path.iter().take_while(|part| *part == "super").count();
    match path.first().map(String::as_str) {
        Some("crate") => path[1..].to_vec(),
        Some("self") => own.iter().chain(&path[1..]).cloned().collect(),
        _ => own[..own.len().saturating_sub(ups)].iter().chain(&path[ups..]).cloned().collect(),
    }
}

/// Every path that begins with `crate`, `self` or `super`; of a tree in braces each.
fn paths(code: &str) -> Vec<Vec<String>> {
    let tokens = tokens(code);
    let mut out = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let starts = matches!(tokens[at].as_str(), "crate" | "self" | "super") && tokens.get(at + 1).is_some_and(|next| next == "::");
        if starts && (at == 0 || tokens[at - 1] != "::") {
            at = tree(&tokens, at, &mut Vec::new(), &mut out);
        } else {
            at += 1;
        }
    }
    out
}

/// Reads one path, or a tree of them, from `at` on; gives where it ends.
fn tree(tokens: &[String], mut at: usize, path: &mut Vec<String>, out: &mut Vec<Vec<String>>) -> usize {
    let depth = path.len();
    loop {
        match tokens.get(at).map(String::as_str) {
            Some("{") => {
                at += 1;
                while tokens.get(at).is_some_and(|token| token != "}") {
                    at = if tokens[at] == "," { at + 1 } else { tree(tokens, at, path, out).max(at + 1) };
                }
                path.truncate(depth);
                return at + 1;
            }
            Some(name) if name.chars().all(|c| c.is_alphanumeric() || c == '_') => path.push(name.to_owned()),
            _ => {
                path.truncate(depth);
                return at;
            }
        }
        if tokens.get(at + 1).is_some_and(|next| next == "::") {
            at += 2;
        } else {
            out.push(path.clone());
            path.truncate(depth);
            // `x as y` has one more name.
            return if tokens.get(at + 1).is_some_and(|next| next == "as") { at + 3 } else { at + 1 };
        }
    }
}

fn tokens(code: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut rest = code;
    while let Some(first) = rest.chars().next() {
        let length = if first.is_alphanumeric() || first == '_' {
            rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len())
        } else if rest.starts_with("::") {
            2
        } else {
            first.len_utf8()
        };
        if !first.is_whitespace() {
            out.push(rest[..length].to_owned());
        }
        rest = &rest[length..];
    }
    out
}

/// Every set of two or more files of which each leads to each, by the names of their modules.
fn circles(graph: &Graph) -> Vec<Vec<String>> {
    let reach = |from: &Vec<String>| {
        let (mut seen, mut todo) = (BTreeSet::new(), vec![from.clone()]);
        while let Some(next) = todo.pop() {
            for target in graph.get(&next).into_iter().flatten() {
                if seen.insert(target.clone()) {
                    todo.push(target.clone());
                }
            }
        }
        seen
    };
    let reached: BTreeMap<&Vec<String>, BTreeSet<Vec<String>>> = graph.keys().map(|file| (file, reach(file))).collect();
    let mut out: BTreeSet<Vec<String>> = BTreeSet::new();
    for (file, leads_to) in &reached {
        let back = leads_to.iter().filter(|other| reached.get(other).is_some_and(|reach| reach.contains(*file)));
        let circle: BTreeSet<String> = back.map(|other| other.join("::")).collect();
        if circle.len() > 1 {
            out.insert(circle.into_iter().collect());
        }
    }
    out.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(file: &str, text: &str) -> Source {
        Source::new(file.into(), text.to_owned())
    }

    #[test]
    fn a_circle_is_found_however_it_is_imported() {
        let sources = [
            source("crates/x/src/lib.rs", "mod a; mod b; mod c;"),
            source("crates/x/src/a.rs", "use crate::{b::{self as it, Thing}, c};"),
            source("crates/x/src/b.rs", "fn f() { super::c::deep::g() }"),
            source("crates/x/src/c/mod.rs", "mod deep;\nuse crate::a::Thing;"),
            source("crates/x/src/c/deep.rs", "use super::Other; pub fn g() {}"),
        ];
        let graph = graph("x", &sources.iter().collect::<Vec<_>>());
        assert_eq!(circles(&graph), [["a".to_owned(), "c".to_owned()].to_vec()], "{graph:?}");
    }

    #[test]
    fn parents_children_tests_and_comments_make_none() {
        let sources = [
            source("crates/x/src/a/mod.rs", "mod b; pub use b::It; use self::b::Other;"),
            source("crates/x/src/a/b.rs", "use super::That; // crate::c\n"),
            source("crates/x/src/c.rs", "use crate::a::It;\n#[cfg(test)]\nmod tests {\n    use super::*;\n}\n"),
            source("crates/x/src/d.rs", "#[cfg(test)]\nmod tests {\n    use crate::c::It;\n}\n"),
        ];
        assert!(circles(&graph("x", &sources.iter().collect::<Vec<_>>())).is_empty());
    }
}
