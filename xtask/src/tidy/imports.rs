//! Which file of a crate names which, as `use` and paths in the code say it.
//!
//! A path counts that begins with `crate`, `self` or `super`; it leads to the longest part of it that is a file, and where
//! that file only hands the name on (`pub use`), to the file that it has it from. Deliberately not read: what macros write,
//! and what is handed on by a star.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::source::Source;

/// Which file names which, of one crate.
pub type Graph = BTreeMap<Vec<String>, BTreeSet<Vec<String>>>;

/// The sources of each crate below `crates`, without tests and programs beside the crate.
pub fn of_crates(sources: &[Source]) -> BTreeMap<String, Vec<&Source>> {
    let mut crates: BTreeMap<String, Vec<&Source>> = BTreeMap::new();
    for source in sources.iter().filter(|source| !source.is_test_file) {
        let mut parts = source.file.components().map(|part| part.as_os_str().to_string_lossy().into_owned());
        if let (Some("crates"), Some(name), Some("src")) = (parts.next().as_deref(), parts.next(), parts.next().as_deref())
            && parts.next().is_some_and(|first| first != "bin")
        {
            crates.entry(name).or_default().push(source);
        }
    }
    crates
}

/// The path of a file's module: `src/a/mod.rs` and `src/a.rs` are `a`, the crate's own file is nothing.
pub fn module(name: &str, file: &Path) -> Vec<String> {
    let below = file.strip_prefix(Path::new("crates").join(name).join("src")).unwrap_or(file).with_extension("");
    let mut parts: Vec<String> = below.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
    if parts.last().is_some_and(|last| matches!(last.as_str(), "mod" | "lib" | "main")) {
        parts.pop();
    }
    parts
}

/// Which file names which. A parent and its child may name each other, and are left out.
pub fn graph(name: &str, sources: &[&Source]) -> Graph {
    let modules: BTreeSet<Vec<String>> = sources.iter().map(|source| module(name, &source.file)).collect();
    let handed_on: BTreeMap<Vec<String>, BTreeMap<String, Vec<String>>> = sources
        .iter()
        .map(|source| {
            let own = module(name, &source.file);
            let names = handed_on(&own, source, &modules);
            (own, names)
        })
        .collect();
    // Where a path leads; what hands a name on in a round leads nowhere.
    let leads_to = |mut path: Vec<String>| {
        for _ in 0..HANDED_ON_MAX {
            let end = (0..=path.len()).rev().find(|end| modules.contains(&path[..*end]))?;
            match path.get(end).and_then(|next| handed_on.get(&path[..end])?.get(next)) {
                Some(from) => path = from.iter().chain(&path[end + 1..]).cloned().collect(),
                None => return Some(path[..end].to_vec()),
            }
        }
        None
    };
    let mut out = Graph::new();
    for source in sources {
        let own = module(name, &source.file);
        let targets = named(&own, source).into_iter().filter_map(|(_, whole)| leads_to(whole));
        let names = targets.filter(|to| !to.is_empty() && *to != own && !is_child(to, &own) && !is_child(&own, to)).collect();
        out.insert(own, names);
    }
    out
}

/// How often a name is handed on at most.
const HANDED_ON_MAX: usize = 8;

/// What a file hands on: the name, and from where it has it, as seen from the crate's root.
fn handed_on(own: &[String], source: &Source, modules: &BTreeSet<Vec<String>>) -> BTreeMap<String, Vec<String>> {
    let tokens = tokens(&without_tests(source));
    let is = |at: usize, what: &str| tokens.get(at).is_some_and(|(_, token)| token == what);
    let mut out = BTreeMap::new();
    for at in 0..tokens.len() {
        let opens = usize::from(is(at + 1, "("));
        let closes = tokens[at..].iter().position(|(_, token)| token == ")").filter(|_| opens == 1);
        let next = at + 1 + closes.unwrap_or(0);
        if !is(at, "pub") || !is(next, "use") {
            continue;
        }
        let mut found = Vec::new();
        tree(&tokens, next + 1, &mut Vec::new(), &mut found);
        for Named { path, name, .. } in found {
            let begins_here = [own, &path[..1]].concat();
            let is_from_root = matches!(path[0].as_str(), "crate" | "self" | "super");
            if is_from_root || modules.contains(&begins_here) {
                let whole = if is_from_root { from_root(own, &path) } else { [own, &path].concat() };
                out.insert(name, whole);
            }
        }
    }
    out
}

/// What a file names outside of its tests, by the line and from the crate's root.
pub fn named(own: &[String], source: &Source) -> Vec<(usize, Vec<String>)> {
    paths(&without_tests(source)).into_iter().map(|Named { line, path, .. }| (line, from_root(own, &path))).collect()
}

/// The code with its lines, those of tests empty.
fn without_tests(source: &Source) -> String {
    let mut code = String::with_capacity(source.code.len());
    for (at, line) in source.code.lines().enumerate() {
        code.push_str(if source.is_test(at + 1) { "" } else { line });
        code.push('\n');
    }
    code
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

/// A word or a sign, and its line.
type Token = (usize, String);

/// A path as it is written.
#[derive(Debug)]
struct Named {
    line: usize,
    path: Vec<String>,
    /// What it is called here: its last part, or what stands behind `as`.
    name: String,
}

/// Every path that begins with `crate`, `self` or `super`; of a tree in braces each.
fn paths(code: &str) -> Vec<Named> {
    let tokens = tokens(code);
    let is = |at: usize, what: &str| tokens.get(at).is_some_and(|(_, token)| token == what);
    let mut out = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let starts = matches!(tokens[at].1.as_str(), "crate" | "self" | "super") && is(at + 1, "::");
        if starts && (at == 0 || !is(at - 1, "::")) {
            at = tree(&tokens, at, &mut Vec::new(), &mut out);
        } else {
            at += 1;
        }
    }
    out
}

/// Reads one path, or a tree of them, from `at` on; gives where it ends.
fn tree(tokens: &[Token], mut at: usize, path: &mut Vec<String>, out: &mut Vec<Named>) -> usize {
    let depth = path.len();
    let is = |at: usize, what: &str| tokens.get(at).is_some_and(|(_, token)| token == what);
    loop {
        let line = match tokens.get(at) {
            Some((_, token)) if token == "{" => {
                at += 1;
                while at < tokens.len() && !is(at, "}") {
                    at = if is(at, ",") { at + 1 } else { tree(tokens, at, path, out).max(at + 1) };
                }
                path.truncate(depth);
                return at + 1;
            }
            Some((line, name)) if name.chars().all(|c| c.is_alphanumeric() || c == '_') => {
                path.push(name.clone());
                *line
            }
            _ => {
                path.truncate(depth);
                return at;
            }
        };
        if is(at + 1, "::") {
            at += 2;
            continue;
        }
        let mut whole = path.clone();
        if whole.len() > 1 {
            // `a::{self}` is `a`.
            whole.pop_if(|last| last == "self");
        }
        path.truncate(depth);
        // `x as y` has one more name.
        let is_called = is(at + 1, "as");
        let name = if is_called { tokens.get(at + 2).map(|(_, name)| name.clone()) } else { whole.last().cloned() };
        out.push(Named { line, path: whole, name: name.unwrap_or_default() });
        return if is_called { at + 3 } else { at + 1 };
    }
}

fn tokens(code: &str) -> Vec<Token> {
    let mut out = Vec::new();
    let (mut rest, mut line) = (code, 1);
    while let Some(first) = rest.chars().next() {
        let length = if first.is_alphanumeric() || first == '_' {
            rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len())
        } else if rest.starts_with("::") {
            2
        } else {
            first.len_utf8()
        };
        if !first.is_whitespace() {
            out.push((line, rest[..length].to_owned()));
        }
        line += usize::from(first == '\n');
        rest = &rest[length..];
    }
    out
}
