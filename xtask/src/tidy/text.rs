//! Rules about what stands in a file.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Context as _;

use super::Finding;
use super::source::Source;

/// A file of this many lines usually holds two ideas; it is shown, and nothing fails.
const LINES_MAX: usize = 600;

/// Longest line, in characters: what `rustfmt.toml` says for the code that rustfmt formats.
const LINE_CHARS_MAX: usize = 140;

/// Ways past the engine's ports to time and chance.
const CLOCKS: [&str; 6] = ["Timestamp::now", "Zoned::now", "SystemTime::now", "Instant::now", "Uuid::now_v7", "rand::"];

/// Where time and chance may be taken from the system: the clock's port, what measures, and what seals a push, whose library makes
/// keys from the system's chance alone. Nothing is decided by those.
const MAY_READ_CLOCKS: [&str; 5] =
    ["crates/engine/src/clock/mod.rs", "crates/channels/src/outbound/web_push", "xtask", "crates/bench", "crates/trial"];

/// Where SQL may stand: the store, and what looks at a database from outside.
const MAY_SPEAK_SQL: [&str; 4] = ["crates/store", "crates/bench", "crates/trial", "xtask"];

/// Every rule about one source.
pub fn check(source: &Source, findings: &mut Vec<Finding>) {
    header(source, findings);
    length(source, findings);
    macros(source, findings);
    words(source, findings);
    clocks(source, findings);
    sql(source, findings);
}

fn header(source: &Source, findings: &mut Vec<Finding>) {
    if !source.text.starts_with("//!") {
        findings.push(Finding::new(&source.file, 1, "a file begins with `//!`: what it is, and what it deliberately does not do"));
    }
}

fn length(source: &Source, findings: &mut Vec<Finding>) {
    let lines = source.text.lines().count();
    if lines > LINES_MAX {
        findings.push(Finding::warning(&source.file, lines, format!("{lines} lines, more than {LINES_MAX}: does it hold two ideas?")));
    }
}

/// What stands in a macro's braces (`html! { … }`, a table) rustfmt leaves as it is, so that its lines grow.
fn macros(source: &Source, findings: &mut Vec<Finding>) {
    let inside = in_macros(&source.code);
    for (at, line) in source.text.lines().enumerate() {
        let length = line.chars().count();
        if length > LINE_CHARS_MAX && inside.contains(&(at + 1)) {
            let what = format!("{length} characters in a macro that rustfmt does not format: break the line before {LINE_CHARS_MAX}");
            findings.push(Finding::new(&source.file, at + 1, what));
        }
    }
}

/// Lines, from 1, of macros that are called with braces.
fn in_macros(code: &str) -> BTreeSet<usize> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut out = BTreeSet::new();
    for (at, _) in code.match_indices('!').filter(|(at, _)| code[..*at].ends_with(is_word)) {
        // `macro_rules! name {` has its name in between.
        let braces = code[at + 1..].trim_start().trim_start_matches(is_word).trim_start();
        if !braces.starts_with('{') {
            continue;
        }
        let opens = code.len() - braces.len();
        let mut depth = 0_usize;
        let length = braces.char_indices().find_map(|(at, c)| {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                _ => {}
            }
            (depth == 0).then_some(at)
        });
        let line = |offset: usize| code[..offset].matches('\n').count() + 1;
        out.extend(line(opens)..=line(opens + length.unwrap_or(braces.len())));
    }
    out
}

fn words(source: &Source, findings: &mut Vec<Finding>) {
    for (line, code) in numbered(&source.code) {
        for word in ["todo!", "unimplemented!"] {
            if has_word(code, word) {
                findings.push(Finding::new(
                    &source.file,
                    line,
                    format!("`{word}` is not for keeping: do it, or leave it out and say so in words"),
                ));
            }
        }
        if code.contains(".unwrap()") && !source.is_test(line) {
            findings.push(Finding::new(&source.file, line, "`.unwrap()` outside tests: handle it, or `.expect(\"why it cannot happen\")`"));
        }
    }
}

fn clocks(source: &Source, findings: &mut Vec<Finding>) {
    if MAY_READ_CLOCKS.iter().any(|place| source.is_in(place)) {
        return;
    }
    // Deadlines of sockets are the runtime's: its clock is monotonic, and stands still where a
    // test says so. No decision can be made with it.
    let is_runtimes = source.code.lines().any(|line| line.starts_with("use tokio::time::") && has_word(line, "Instant"));
    for (line, code) in numbered(&source.code) {
        if source.is_test(line) {
            continue;
        }
        let is_taken = |clock: &&&str| has_word(code, clock) && !(is_runtimes && **clock == "Instant::now");
        if let Some(clock) = CLOCKS.iter().find(is_taken) {
            findings.push(Finding::new(
                &source.file,
                line,
                format!("`{clock}` outside the engine's clock: time and chance come in through its ports"),
            ));
        }
    }
}

fn sql(source: &Source, findings: &mut Vec<Finding>) {
    if MAY_SPEAK_SQL.iter().any(|place| source.is_in(place)) {
        return;
    }
    for (line, text) in &source.strings {
        if !source.is_test(*line) && is_sql(text) {
            findings.push(Finding::new(&source.file, *line, "SQL outside `store`: how things are written down is its alone"));
        }
    }
}

/// Whether a string is a statement and not a sentence.
fn is_sql(text: &str) -> bool {
    let lower = text.to_ascii_lowercase().replace("\\n", " ");
    let words: Vec<&str> = lower.split_whitespace().collect();
    let has = |word: &str| words.contains(&word);
    match words.as_slice() {
        ["select", ..] => has("from"),
        ["insert", "into", ..] | ["delete", "from", ..] => true,
        ["update", _, "set", ..] => true,
        ["with", ..] => has("select") && has("as"),
        _ => lower.contains("insert into ") || lower.contains("delete from "),
    }
}

/// Every decision of `docs/adr` is numbered, without a gap, and says when to look at it again.
pub fn decisions(root: &Path, findings: &mut Vec<Finding>) -> anyhow::Result<()> {
    let folder = Path::new("docs/adr");
    let mut names: Vec<String> = Vec::new();
    for entry in std::fs::read_dir(root.join(folder)).context("listing docs/adr")? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    for (at, name) in names.iter().enumerate() {
        let file = folder.join(name);
        let number = at + 1;
        if !name.starts_with(&format!("{number:04}-")) || !name.ends_with(".md") {
            findings.push(Finding::new(&file, 1, format!("decisions are numbered without gaps: this one is `{number:04}-what-it-is.md`")));
        }
        let text = std::fs::read_to_string(root.join(&file)).with_context(|| format!("reading {}", file.display()))?;
        if !text.starts_with(&format!("# {number}. ")) {
            findings.push(Finding::new(&file, 1, format!("the title begins with its number: `# {number}. …`")));
        }
        for part in ["## Consequences", "## Revisit when"] {
            if !text.contains(part) {
                findings.push(Finding::new(&file, 1, format!("a decision has a part `{part}`")));
            }
        }
    }
    Ok(())
}

fn numbered(code: &str) -> impl Iterator<Item = (usize, &str)> {
    code.lines().enumerate().map(|(at, line)| (at + 1, line))
}

/// Whether `word` stands in the code and is not the end of a longer name.
fn has_word(code: &str, word: &str) -> bool {
    let part_of_name = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(word).any(|(at, _)| !code[..at].ends_with(part_of_name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(file: &str, text: &str) -> Vec<(usize, bool)> {
        let mut findings = Vec::new();
        check(&Source::new(file.into(), format!("//! A file.\n{text}")), &mut findings);
        findings.into_iter().map(|f| (f.line, f.warning)).collect()
    }

    #[test]
    fn each_rule_finds_what_it_is_for_and_leaves_the_rest() {
        let engine = "crates/engine/src/x.rs";
        assert_eq!(found(engine, "a.unwrap();\ntodo!()"), [(2, false), (3, false)]);
        assert_eq!(found(engine, "let t = jiff::Timestamp::now();"), [(2, false)]);
        assert!(found(engine, "use tokio::time::{Instant, timeout_at};\nfn a() { Instant::now(); }").is_empty());
        assert!(found("crates/engine/src/clock/mod.rs", "let t = Instant::now();").is_empty());
        assert!(found(engine, "let o = operand::x(); a.unwrap_or(1); // todo!() .unwrap()").is_empty());
        assert!(found(engine, "#[cfg(test)]\nmod tests { fn a() { b.unwrap(); Instant::now(); } }").is_empty());
        assert_eq!(found(engine, "db(\"select a\n from b\");\ndb(\"update c set d = 1\")"), [(2, false), (4, false)]);
        assert!(found(engine, "say(\"select one contact of this person\"); say(\"update the policy, then set it\")").is_empty());
        assert!(found("crates/store/src/x.rs", "db(\"delete from a\")").is_empty());
        assert_eq!(found(engine, &"\n".repeat(LINES_MAX)), [(LINES_MAX + 1, true)]);
        let long = "x".repeat(LINE_CHARS_MAX + 1);
        assert_eq!(found(engine, &format!("html! {{\n  p {{ \"{long}\" }}\n}}\nlet a = \"{long}\";")), [(3, false)]);
        assert_eq!(found(engine, &format!("macro_rules! name {{\n  {long}\n}}")), [(3, false)]);
        assert!(found(engine, &format!("let b = say!(\"{long}\");\nif !a {{ say(\"{long}\") }}")).is_empty());
        let mut findings = Vec::new();
        check(&Source::new(engine.into(), "fn a() {}".into()), &mut findings);
        assert_eq!(findings.len(), 1);
    }
}
