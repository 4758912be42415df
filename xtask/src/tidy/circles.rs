//! No circles of imports between the files of a crate: whoever opens a file finds what it leans on below it, and never the
//! way back. A parent and its child may name each other.
//!
//! Deliberately not judged: tests, and what macros write.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::Finding;
use super::imports::{Graph, graph, of_crates};
use super::source::Source;

/// Findings about every crate below `crates`.
pub fn check(sources: &[Source], findings: &mut Vec<Finding>) {
    for (name, sources) in &of_crates(sources) {
        for circle in circles(&graph(name, sources)) {
            findings.push(Finding::new(
                Path::new("crates").join(name),
                1,
                format!("these files import each other in a circle: {}; put what they share below them", circle.join(", ")),
            ));
        }
    }
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
    fn a_name_that_is_handed_on_is_its_own_file_s() {
        let sources = [
            source("crates/x/src/lib.rs", "mod a; mod b;"),
            source(
                "crates/x/src/a/mod.rs",
                "mod deep; pub(crate) mod low;\npub use deep::part::{It, Other as Called};\npub(crate) use self::low::Low;",
            ),
            source("crates/x/src/a/low.rs", ""),
            source("crates/x/src/a/deep/mod.rs", "pub mod part;"),
            source("crates/x/src/a/deep/part.rs", "use crate::b::{self as other, Thing};"),
            source("crates/x/src/b.rs", "use crate::a::Called;\nuse crate::a::Low;"),
        ];
        let graph = graph("x", &sources.iter().collect::<Vec<_>>());
        assert_eq!(circles(&graph), [["a::deep::part".to_owned(), "b".to_owned()].to_vec()], "{graph:?}");
        assert!(graph[&vec!["b".to_owned()]].contains(&vec!["a".to_owned(), "low".to_owned()]));
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
