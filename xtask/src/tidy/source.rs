//! Rust sources as the rules need them: code without comments and literals, the string literals,
//! and which lines are tests.
//!
//! A lexer of the few forms that matter (comments, strings, raw strings, characters against
//! lifetimes), not a parser: it never has to understand a file, only not to mistake words in a
//! sentence for code.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

/// One file.
#[derive(Debug)]
pub struct Source {
    /// From the workspace's root.
    pub file: PathBuf,
    /// As written.
    pub text: String,
    /// The same lines, with comments and literals blanked.
    pub code: String,
    /// Every string literal with the line it begins on, from 1.
    pub strings: Vec<(usize, String)>,
    /// Whether the whole file serves tests only.
    pub is_test_file: bool,
    /// Lines of `#[cfg(test)]` blocks, from 1, both ends included.
    test_lines: Vec<(usize, usize)>,
}

impl Source {
    /// Reads a file's text.
    pub fn new(file: PathBuf, text: String) -> Self {
        let (code, strings) = lex(&text);
        let test_lines = test_blocks(&code);
        let is_test_file = is_test_file(&file);
        Self { file, text, code, strings, is_test_file, test_lines }
    }

    /// Whether a line is compiled for tests only.
    pub fn is_test(&self, line: usize) -> bool {
        self.is_test_file || self.test_lines.iter().any(|(from, to)| (*from..=*to).contains(&line))
    }

    /// Whether the file lies under this folder, or is this file.
    pub fn is_in(&self, place: &str) -> bool {
        self.file.starts_with(place)
    }
}

/// Every `.rs` file of the workspace's crates.
pub fn all(root: &Path) -> anyhow::Result<Vec<Source>> {
    let mut files = Vec::new();
    for folder in ["crates", "xtask"] {
        collect(&root.join(folder), &mut files)?;
    }
    files.sort();
    files
        .into_iter()
        .map(|path| {
            let text = std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
            Ok(Source::new(path.strip_prefix(root).unwrap_or(&path).to_path_buf(), text))
        })
        .collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(folder).with_context(|| format!("listing {}", folder.display()))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() && name != "target" && !name.starts_with('.') {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(())
}

/// By convention: integration tests and examples, and the files that a module includes as
/// `#[cfg(test)] mod tests;` or `#[path = "x_tests.rs"]`.
fn is_test_file(file: &Path) -> bool {
    let folder = file.components().any(|part| ["tests", "examples", "benches"].contains(&&*part.as_os_str().to_string_lossy()));
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    folder || stem == "tests" || stem.ends_with("_tests")
}

/// Blanks comments and literals, and collects the string literals.
fn lex(text: &str) -> (String, Vec<(usize, String)>) {
    let chars: Vec<char> = text.chars().collect();
    let mut code = String::with_capacity(text.len());
    let mut strings = Vec::new();
    let mut line = 1;
    let mut at = 0;
    while at < chars.len() {
        let end = match chars[at] {
            '/' if chars.get(at + 1) == Some(&'/') => until_line_end(&chars, at),
            '/' if chars.get(at + 1) == Some(&'*') => after_block_comment(&chars, at),
            '"' => {
                let (end, from, to) = string(&chars, at, begins_raw(&chars, at));
                strings.push((line, chars[from..to].iter().collect()));
                end
            }
            '\'' => after_char(&chars, at),
            other => {
                code.push(other);
                line += usize::from(other == '\n');
                at += 1;
                continue;
            }
        };
        for skipped in &chars[at..end] {
            code.push(if *skipped == '\n' { '\n' } else { ' ' });
            line += usize::from(*skipped == '\n');
        }
        at = end;
    }
    (code, strings)
}

fn until_line_end(chars: &[char], at: usize) -> usize {
    chars[at..].iter().position(|c| *c == '\n').map_or(chars.len(), |offset| at + offset)
}

fn after_block_comment(chars: &[char], at: usize) -> usize {
    let mut depth = 0;
    let mut end = at;
    while end < chars.len() {
        match (chars[end], chars.get(end + 1)) {
            ('/', Some('*')) => {
                depth += 1;
                end += 2;
            }
            ('*', Some('/')) => {
                depth -= 1;
                end += 2;
                if depth == 0 {
                    return end;
                }
            }
            _ => end += 1,
        }
    }
    end
}

/// The number of `#` of a raw string whose quote is at `at`; `None` for a plain string.
fn begins_raw(chars: &[char], at: usize) -> Option<usize> {
    let hashes = chars[..at].iter().rev().take_while(|c| **c == '#').count();
    let before = at.checked_sub(hashes + 1)?;
    let is_word = |index: usize| chars[index].is_alphanumeric() || chars[index] == '_';
    let prefix_starts = match before.checked_sub(1) {
        Some(more) if matches!(chars[more], 'b' | 'c') => more.checked_sub(1).is_none_or(|index| !is_word(index)),
        Some(more) => !is_word(more),
        None => true,
    };
    (chars[before] == 'r' && prefix_starts).then_some(hashes)
}

/// Where a string ends, and its content's bounds.
fn string(chars: &[char], at: usize, raw: Option<usize>) -> (usize, usize, usize) {
    let mut end = at + 1;
    while end < chars.len() {
        match (chars[end], raw) {
            ('\\', None) => end += 2,
            ('"', None) => return (end + 1, at + 1, end),
            ('"', Some(hashes)) if chars[end + 1..].iter().take_while(|c| **c == '#').count() >= hashes => {
                return (end + 1 + hashes, at + 1, end);
            }
            _ => end += 1,
        }
    }
    (chars.len(), at + 1, chars.len())
}

/// After a character literal; after the quote alone where it begins a lifetime.
fn after_char(chars: &[char], at: usize) -> usize {
    match (chars.get(at + 1), chars.get(at + 2)) {
        (Some('\\'), _) => {
            let closing = chars[at + 3..].iter().position(|c| *c == '\'');
            closing.map_or(chars.len(), |offset| at + 3 + offset + 1)
        }
        (Some(_), Some('\'')) => at + 3,
        _ => at + 1,
    }
}

/// Bounds of the items that `#[cfg(test)]` stands before, in lines.
fn test_blocks(code: &str) -> Vec<(usize, usize)> {
    let line_at = |offset: usize| code[..offset].matches('\n').count() + 1;
    let mut out = Vec::new();
    for (offset, _) in code.match_indices("#[cfg(test)]") {
        let rest = &code[offset..];
        let opens = rest.find('{');
        let ends = rest.find(';');
        let to = match (opens, ends) {
            (Some(open), ends) if ends.is_none_or(|end| open < end) => offset + open + closing(&rest[open..]),
            (_, Some(end)) => offset + end,
            _ => code.len(),
        };
        out.push((line_at(offset), line_at(to.min(code.len()))));
    }
    out
}

/// The offset of the brace that closes the one at the start.
fn closing(code: &str) -> usize {
    let mut depth = 0_usize;
    for (offset, c) in code.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => {
                depth -= 1;
                if depth == 0 {
                    return offset;
                }
            }
            _ => {}
        }
    }
    code.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Source {
        Source::new("crates/x/src/lib.rs".into(), text.to_owned())
    }

    #[test]
    fn words_in_comments_and_literals_are_not_code() {
        let source = read("// a.unwrap()\n/* b /* c */ .unwrap() */ let d = \"e.unwrap() \\\" f\"; g('\"', '\\'', h::<'i>());\n");
        assert!(!source.code.contains("unwrap"), "{}", source.code);
        assert!(source.code.contains("let d =") && source.code.contains("i>());"), "{}", source.code);
        assert_eq!(source.strings, [(2, "e.unwrap() \\\" f".to_owned())]);
        assert_eq!(source.code.lines().count(), source.text.lines().count());
    }

    #[test]
    fn raw_strings_end_where_they_say() {
        let source = read("let a = r#\"one \" two\"#; let b = br##\"x\"# y\"##; let your = 1; \"\\\\\"; z\n");
        let found: Vec<&str> = source.strings.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!(found, ["one \" two", "x\"# y", "\\\\"]);
        assert!(source.code.trim_end().ends_with('z'));
    }

    #[test]
    fn a_test_block_reaches_to_its_brace() {
        let source = read("fn a() {}\n#[cfg(test)]\nmod tests {\n  fn b() { \"}\"; }\n}\nfn c() {}\n#[cfg(test)]\nmod more;\nfn d() {}\n");
        let tests: Vec<usize> = (1..=9).filter(|line| source.is_test(*line)).collect();
        assert_eq!(tests, [2, 3, 4, 5, 7, 8]);
        assert!(Source::new("crates/x/src/smtp_tests.rs".into(), String::new()).is_test(1));
        assert!(Source::new("crates/x/tests/a/b.rs".into(), String::new()).is_test(1));
    }
}
