//! Matchers in Alertmanager's dialect: `name="v"`, `!=`, `=~`, `!~`, comma separated.
//!
//! Regular expressions are anchored and run in linear time (the `regex` crate), with a bound on
//! their compiled size, so that a rule cannot stall triage.

use std::fmt;

use regex::{Regex, RegexBuilder};

/// Longest text of a list of matchers, in bytes.
pub const MATCHERS_LEN_MAX: usize = 4096;
/// Most matchers in one list.
pub const MATCHERS_MAX: usize = 32;
/// Compiled size of one expression, in bytes; the crate's default of 10 MB is far above any
/// honest rule.
const REGEX_SIZE_MAX: usize = 256 * 1024;

/// How a value is compared.
#[derive(Debug, Clone)]
pub enum Op {
    /// `=`
    Equal(String),
    /// `!=`
    NotEqual(String),
    /// `=~`
    Like(Regex),
    /// `!~`
    Unlike(Regex),
}

/// One comparison.
#[derive(Debug, Clone)]
pub struct Matcher {
    /// The label or name compared.
    pub name: String,
    /// How.
    pub op: Op,
}

/// A list of comparisons that must all hold.
#[derive(Debug, Clone, Default)]
pub struct Matchers(pub Vec<Matcher>);

/// Why a text is not a list of matchers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("at character {at}: {why}")]
pub struct BadMatcher {
    /// Position in characters, from 1.
    pub at: usize,
    /// What is wrong and what would work.
    pub why: String,
}

impl Matcher {
    /// Builds one from its parts, as the Alertmanager API carries them.
    ///
    /// # Errors
    /// When the value is no usable regular expression.
    pub fn new(name: &str, value: &str, is_regex: bool, is_equal: bool) -> Result<Self, String> {
        let op = match (is_regex, is_equal) {
            (false, true) => Op::Equal(value.to_owned()),
            (false, false) => Op::NotEqual(value.to_owned()),
            (true, equal) => {
                let regex = RegexBuilder::new(&format!("^(?:{value})$"))
                    .size_limit(REGEX_SIZE_MAX)
                    .build()
                    .map_err(|_| format!("`{value}` is not a regular expression that can be used here"))?;
                if equal { Op::Like(regex) } else { Op::Unlike(regex) }
            }
        };
        Ok(Self { name: name.to_owned(), op })
    }

    /// Whether the value fits; an absent label has the empty value, as in Alertmanager.
    #[must_use]
    pub fn fits(&self, value: &str) -> bool {
        match &self.op {
            Op::Equal(want) => value == want,
            Op::NotEqual(want) => value != want,
            Op::Like(regex) => regex.is_match(value),
            Op::Unlike(regex) => !regex.is_match(value),
        }
    }

    /// The value as written, without the anchors.
    #[must_use]
    pub fn value(&self) -> &str {
        match &self.op {
            Op::Equal(v) | Op::NotEqual(v) => v,
            Op::Like(r) | Op::Unlike(r) => r.as_str().strip_prefix("^(?:").and_then(|r| r.strip_suffix(")$")).unwrap_or(r.as_str()),
        }
    }

    /// (`isRegex`, `isEqual`) as the Alertmanager API carries them.
    #[must_use]
    pub fn flags(&self) -> (bool, bool) {
        match self.op {
            Op::Equal(_) => (false, true),
            Op::NotEqual(_) => (false, false),
            Op::Like(_) => (true, true),
            Op::Unlike(_) => (true, false),
        }
    }
}

impl fmt::Display for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let op = match self.op {
            Op::Equal(_) => "=",
            Op::NotEqual(_) => "!=",
            Op::Like(_) => "=~",
            Op::Unlike(_) => "!~",
        };
        write!(f, "{}{op}\"{}\"", self.name, self.value().replace('\\', "\\\\").replace('"', "\\\""))
    }
}

impl fmt::Display for Matchers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, matcher) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(",")?;
            }
            write!(f, "{matcher}")?;
        }
        Ok(())
    }
}

impl Matchers {
    /// Reads `a="x", b=~"y|z"`, with or without braces; the empty text matches everything.
    ///
    /// # Errors
    /// Says at which character, and what would work.
    pub fn parse(text: &str) -> Result<Self, BadMatcher> {
        if text.len() > MATCHERS_LEN_MAX {
            return Err(BadMatcher { at: 1, why: format!("longer than {MATCHERS_LEN_MAX} bytes") });
        }
        let trimmed = text.trim();
        let inner = trimmed.strip_prefix('{').and_then(|t| t.strip_suffix('}')).unwrap_or(trimmed);
        let mut cursor = Cursor { chars: inner.chars().collect(), at: 0 };
        let mut out = Vec::new();
        loop {
            cursor.skip_space();
            if cursor.done() {
                return Ok(Self(out));
            }
            if out.len() == MATCHERS_MAX {
                return Err(cursor.error(&format!("more than {MATCHERS_MAX} matchers")));
            }
            out.push(cursor.matcher()?);
            cursor.skip_space();
            if !cursor.done() && !cursor.eat(',') {
                return Err(cursor.error("a comma is missing between two matchers"));
            }
        }
    }

    /// Whether all fit, given a way to look a name up.
    pub fn fit<'a>(&self, value_of: impl Fn(&str) -> &'a str) -> bool {
        self.0.iter().all(|matcher| matcher.fits(value_of(&matcher.name)))
    }

    /// The first that does not fit, for explanations.
    pub fn misfit<'a>(&self, value_of: impl Fn(&str) -> &'a str) -> Option<&Matcher> {
        self.0.iter().find(|matcher| !matcher.fits(value_of(&matcher.name)))
    }
}

struct Cursor {
    chars: Vec<char>,
    at: usize,
}

impl Cursor {
    fn done(&self) -> bool {
        self.at >= self.chars.len()
    }
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }
    fn eat(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        self.at += usize::from(found);
        found
    }
    fn skip_space(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.at += 1;
        }
    }
    fn error(&self, why: &str) -> BadMatcher {
        BadMatcher { at: self.at + 1, why: why.to_owned() }
    }

    fn matcher(&mut self) -> Result<Matcher, BadMatcher> {
        let name = if self.peek() == Some('"') { self.quoted()? } else { self.bare_name() };
        if name.is_empty() {
            return Err(self.error("the name of a label is missing; write it as in `severity=\"critical\"`"));
        }
        self.skip_space();
        let (is_regex, is_equal) = if self.eat('=') {
            (self.eat('~'), true)
        } else if self.eat('!') {
            if self.eat('=') {
                (false, false)
            } else if self.eat('~') {
                (true, false)
            } else {
                return Err(self.error("`!` is followed by neither `=` nor `~`"));
            }
        } else {
            return Err(self.error("one of `=`, `!=`, `=~`, `!~` is missing after the name"));
        };
        self.skip_space();
        let at = self.at;
        let value = if self.peek() == Some('"') { self.quoted()? } else { self.bare_value() };
        Matcher::new(&name, &value, is_regex, is_equal).map_err(|why| BadMatcher { at: at + 1, why })
    }

    fn bare_name(&mut self) -> String {
        let start = self.at;
        while self.peek().is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | ':' | '-' | '/')) {
            self.at += 1;
        }
        self.chars[start..self.at].iter().collect()
    }

    fn bare_value(&mut self) -> String {
        let start = self.at;
        while self.peek().is_some_and(|c| c != ',' && !c.is_whitespace()) {
            self.at += 1;
        }
        self.chars[start..self.at].iter().collect()
    }

    fn quoted(&mut self) -> Result<String, BadMatcher> {
        let open = self.at;
        self.at += 1;
        let mut out = String::new();
        while let Some(c) = self.peek() {
            self.at += 1;
            match c {
                '"' => return Ok(out),
                '\\' => match self.peek() {
                    Some('n') => {
                        out.push('\n');
                        self.at += 1;
                    }
                    Some(escaped @ ('"' | '\\')) => {
                        out.push(escaped);
                        self.at += 1;
                    }
                    // `\d` and the like belong to the expression.
                    _ => out.push('\\'),
                },
                _ => out.push(c),
            }
        }
        Err(BadMatcher { at: open + 1, why: "this quotation mark is not closed".into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(matchers: &str, name: &str, value: &str) -> bool {
        Matchers::parse(matchers).unwrap().fit(|n| if n == name { value } else { "" })
    }

    #[test]
    fn the_four_comparisons() {
        assert!(fits(r#"severity="critical""#, "severity", "critical"));
        assert!(!fits(r#"severity="critical""#, "severity", "criticalish"));
        assert!(fits(r#"severity!="critical""#, "severity", "warning"));
        assert!(fits(r#"job=~"api|web""#, "job", "web"));
        assert!(!fits(r#"job=~"api|web""#, "job", "webs"), "expressions are anchored");
        assert!(fits(r#"job!~"api.*""#, "job", "web"));
        assert!(fits(r#"absent="""#, "severity", "x"), "an absent label is empty");
        assert!(fits("", "severity", "x"), "no matcher matches all");
        assert!(fits(r#"{a="1", b!="2"}"#, "a", "1"));
        assert!(fits(r#"a=~"\d+""#, "a", "42"));
    }

    #[test]
    fn an_error_says_where() {
        let error = Matchers::parse(r#"severity="critical" team="x""#).unwrap_err();
        assert_eq!((error.at, error.why.as_str()), (21, "a comma is missing between two matchers"));
        assert_eq!(Matchers::parse(r#"severity~"x""#).unwrap_err().at, 9);
        assert!(Matchers::parse(r#"a=~"(""#).unwrap_err().why.contains("regular expression"));
        assert!(Matchers::parse(r#"a="open"#).unwrap_err().why.contains("not closed"));
    }

    #[test]
    fn what_is_shown_reads_back() {
        let text = r#"a="x\"y\\z",b=~"p|q",c!="",d!~"r.*""#;
        let shown = Matchers::parse(text).unwrap().to_string();
        assert_eq!(Matchers::parse(&shown).unwrap().to_string(), shown);
    }
}
