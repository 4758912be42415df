//! Matchers in Alertmanager's dialect: `name="v"`, `!=`, `=~`, `!~`, comma separated.
//!
//! Regular expressions are read as RE2 reads them, alone, before they are anchored; they run in
//! linear time (the `regex` crate), with a bound on their compiled size, so that a rule cannot stall
//! triage.
//!
//! Invariant: what is written with `Display` reads back as the same, whatever characters the names
//! and values hold. Names that need it stand in quotation marks, as Alertmanager writes them since
//! 0.27.

mod re2;

use std::collections::HashSet;
use std::fmt;

use regex::{Regex, RegexBuilder};

use crate::plants::planted;

/// Longest text of a list of matchers, in bytes: silences made by a program list every host of a
/// cluster in one expression, and Alertmanager keeps them.
pub const MATCHERS_LEN_MAX: usize = 64 * 1024;
/// Most matchers in one list.
pub const MATCHERS_MAX: usize = 32;
/// Compiled size of one expression, in bytes, whatever its length; the crate's default of 10 MB is
/// far above any honest rule.
const REGEX_SIZE_MAX: usize = 256 * 1024;
/// What each byte of an expression may add to its compiled size. A literal takes about 30.
const REGEX_SIZE_PER_BYTE: usize = 64;

/// A regular expression, anchored at both ends.
#[derive(Clone)]
pub struct Expression {
    /// As written, without the anchors.
    written: String,
    how: How,
}

/// How an expression is run.
#[derive(Clone)]
enum How {
    /// It is only texts between bars, as most are: one look-up, however many there are.
    OneOf(HashSet<String>),
    /// The same with dots in them, as lists of hosts have. Compiled, such a list takes megabytes.
    Dotted(Vec<re2::Text>),
    /// Everything else.
    Regex(Regex),
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Expression").field(&self.written).finish()
    }
}

impl Expression {
    /// Reads an expression by itself, and anchors it.
    ///
    /// # Errors
    /// Says what is wrong with it.
    fn new(written: &str) -> Result<Self, String> {
        let shown = || {
            let cut: String = written.chars().take(SHOWN_CHARS).collect();
            if cut.len() < written.len() { format!("`{cut}…`") } else { format!("`{cut}`") }
        };
        let translated =
            re2::translate(written).map_err(|why| format!("{} is not a regular expression that can be used here: {why}", shown()))?;
        let how = match translated.texts.or_else(|| bracketed_texts(written)) {
            Some(texts) if texts.iter().flatten().all(Option::is_some) => {
                How::OneOf(texts.into_iter().map(|text| text.into_iter().flatten().collect()).collect())
            }
            Some(texts) => How::Dotted(texts),
            None => {
                let made = RegexBuilder::new(&format!("^(?:{})$", translated.expression))
                    .size_limit(REGEX_SIZE_MAX + REGEX_SIZE_PER_BYTE * written.len())
                    .build();
                How::Regex(made.map_err(|why| {
                    if matches!(why, regex::Error::CompiledTooBig(_)) {
                        return format!("{} is too large a regular expression: write a shorter one", shown());
                    }
                    format!("{} is not a regular expression that can be used here", shown())
                })?)
            }
        };
        Ok(Self { written: written.to_owned(), how })
    }

    /// Whether all of the value fits.
    #[must_use]
    pub fn is_match(&self, value: &str) -> bool {
        match &self.how {
            How::OneOf(texts) => texts.contains(value),
            How::Dotted(texts) => {
                let value: Vec<char> = value.chars().collect();
                texts.iter().any(|text| is_text(text, &value))
            }
            How::Regex(regex) => regex.is_match(value),
        }
    }

    /// As written, without the anchors.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.written
    }
}

/// Whether a value is this text; where a dot is, any character but a line feed may stand.
fn is_text(text: &[Option<char>], value: &[char]) -> bool {
    text.len() == value.len() && text.iter().zip(value).all(|(wanted, is)| wanted.map_or(*is != '\n', |wanted| wanted == *is))
}

/// The texts of `(a|b)`, `(?:a|b)` and `^(a|b)$`, as programs write lists of hosts.
fn bracketed_texts(written: &str) -> Option<Vec<re2::Text>> {
    let inner = written.strip_prefix('^').unwrap_or(written);
    let inner = inner.strip_suffix('$').unwrap_or(inner);
    let inner = inner.strip_prefix("(?:").or_else(|| inner.strip_prefix('('))?.strip_suffix(')')?;
    // A bracket of its own would be a second group, and a backslash at the end would quote the closing one.
    let is_one_group = !inner.contains(['(', ')', '?']) && !inner.ends_with('\\');
    is_one_group.then(|| re2::translate(inner).ok()?.texts).flatten()
}

/// How much of an expression is repeated where it is refused, in characters.
const SHOWN_CHARS: usize = 200;

/// How a value is compared.
#[derive(Debug, Clone)]
pub enum Op {
    /// `=`
    Equal(String),
    /// `!=`
    NotEqual(String),
    /// `=~`
    Like(Expression),
    /// `!~`
    Unlike(Expression),
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
    /// When the name is empty, or the value is no usable regular expression.
    pub fn new(name: &str, value: &str, is_regex: bool, is_equal: bool) -> Result<Self, String> {
        if name.is_empty() {
            return Err(NAMELESS.to_owned());
        }
        let op = match (is_regex, is_equal) {
            (false, true) => Op::Equal(value.to_owned()),
            (false, false) => Op::NotEqual(value.to_owned()),
            (true, true) => Op::Like(Expression::new(value)?),
            (true, false) => Op::Unlike(Expression::new(value)?),
        };
        Ok(Self { name: name.to_owned(), op })
    }

    /// Reads one matcher as `amtool` and the API's `filter=` write it: as in a list, or else with a
    /// value that goes to the end, blanks and commas included (`alertname=Disk full`).
    ///
    /// # Errors
    /// Says at which character, and what would work.
    pub fn parse(text: &str) -> Result<Self, BadMatcher> {
        if text.len() > MATCHERS_LEN_MAX {
            return Err(too_long());
        }
        let mut cursor = Cursor { chars: text.trim().chars().collect(), at: 0 };
        let strictly = cursor.matcher();
        cursor.skip_space();
        match strictly {
            Ok(matcher) if cursor.done() => return Ok(matcher),
            Ok(_) | Err(_) => cursor.at = 0,
        }
        let (name, is_regex, is_equal) = cursor.name_and_operator()?;
        let at = cursor.at;
        if cursor.peek() == Some('"') {
            cursor.quoted()?;
            return Err(cursor.error("something follows the closing quotation mark"));
        }
        let value: String = cursor.chars[at..].iter().collect();
        Self::new(&name, value.trim_end(), is_regex, is_equal).map_err(|why| BadMatcher { at: at + 1, why })
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
            Op::Like(r) | Op::Unlike(r) => r.as_str(),
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
        if self.name.chars().all(is_bare) || planted("matcher-name-bare") {
            f.write_str(&self.name)?;
        } else {
            quote(f, &self.name)?;
        }
        f.write_str(op)?;
        quote(f, self.value())
    }
}

/// Whether a character may stand in a name without quotation marks.
fn is_bare(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '.' | ':' | '-' | '/')
}

fn quote(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    write!(f, "\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

/// What is wrong with a matcher that names nothing.
const NAMELESS: &str = "the name of a label is missing; write it as in `severity=\"critical\"`";

fn too_long() -> BadMatcher {
    BadMatcher { at: 1, why: format!("longer than {MATCHERS_LEN_MAX} bytes") }
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
            return Err(too_long());
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
        let (name, is_regex, is_equal) = self.name_and_operator()?;
        let at = self.at;
        let value = if self.peek() == Some('"') { self.quoted()? } else { self.bare_value() };
        Matcher::new(&name, &value, is_regex, is_equal).map_err(|why| BadMatcher { at: at + 1, why })
    }

    /// The name, whether what follows is an expression, and whether it is to fit.
    fn name_and_operator(&mut self) -> Result<(String, bool, bool), BadMatcher> {
        let name = if self.peek() == Some('"') { self.quoted()? } else { self.bare_name() };
        if name.is_empty() {
            return Err(self.error(NAMELESS));
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
        Ok((name, is_regex, is_equal))
    }

    fn bare_name(&mut self) -> String {
        let start = self.at;
        while self.peek().is_some_and(is_bare) {
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
        let odd = Matcher::new("label with \"space\"", "a\nb", false, true).unwrap();
        assert_eq!(odd.to_string(), r#""label with \"space\""="a\nb""#);
    }

    #[test]
    fn one_matcher_as_amtool_writes_it() {
        for (text, name, value) in [
            ("alertname=Disk full", "alertname", "Disk full"),
            ("alertname=x,y", "alertname", "x,y"),
            (r#"alertname="x,y" "#, "alertname", "x,y"),
            (r#" "label with space" = "v""#, "label with space", "v"),
            ("a=~ x|y z ", "a", "x|y z"),
            ("a=", "a", ""),
        ] {
            let read = Matcher::parse(text).unwrap_or_else(|why| panic!("{text}: {why}"));
            assert_eq!((read.name.as_str(), read.value()), (name, value), "{text}");
        }
        for bad in ["", "alertname", "=x", r#"a="x" y"#, r#"a="x"#, "a=~x)|(y"] {
            assert!(Matcher::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_expression_is_checked_alone() {
        let why = Matcher::new("a", "x)|(y", true, true).unwrap_err();
        assert!(why.contains("closes nothing"), "{why}");
        assert!(Matchers::parse(r#"a=~"x)|(y""#).is_err());
        assert!(Matcher::new("a", r"(?:\pL{1000}){1000}", true, true).unwrap_err().contains("too large"));
        let hosts: Vec<String> = (0..3000).map(|n| format!("node-{n:04}.example")).collect();
        let long = Matcher::new("a", &hosts.join("|"), true, true).unwrap();
        assert!(Matcher::new("a", &hosts.join("|").replace('.', r"\."), true, true).unwrap().fits("node-0007.example"));
        assert!(long.fits("node-2999.example") && !long.fits("node-3000.example"));
        assert!(Matcher::new("a", &format!("^(?:{})$", hosts.join("|")), true, true).unwrap().fits("node-0007.example"));
    }

    mod laws {
        use super::*;
        use proptest::prelude::*;

        fn matcher() -> impl Strategy<Value = Matcher> {
            let value = prop_oneof![any::<String>(), r"[a-z|.\\{}()\[\]*+?^$Qd0-9]{0,12}"];
            ("\\PC{1,12}|[ -~]{1,8}|.{1,4}", value, any::<bool>(), any::<bool>())
                .prop_filter_map("no expression", |(name, value, is_regex, is_equal)| Matcher::new(&name, &value, is_regex, is_equal).ok())
        }

        proptest! {
            /// A silence whose text does not read back would hold nothing.
            #[test]
            fn what_is_written_reads_back_as_the_same(list in prop::collection::vec(matcher(), 0..6)) {
                let parts = |m: &Matchers| m.0.iter().map(|m| (m.name.clone(), m.value().to_owned(), m.flags())).collect::<Vec<_>>();
                let list = Matchers(list);
                let read = Matchers::parse(&list.to_string()).unwrap();
                prop_assert_eq!(parts(&read), parts(&list));
            }

            /// Nothing of an expression reaches what is wrapped around it.
            #[test]
            fn an_expression_never_escapes_its_anchors(written in r"[xy|.\\{}()\[\]*+?^$Qd0-9-]{0,10}", value in "[xy0-9]{0,4}") {
                if let Ok(made) = Expression::new(&written) {
                    let alone = Regex::new(&re2::translate(&written).unwrap().expression).unwrap();
                    let whole = alone.find_iter(&value).any(|m| m.range() == (0..value.len()));
                    prop_assert!(!whole || made.is_match(&value), "{} on {}", written, value);
                }
            }

            #[test]
            fn nothing_written_panics(text in any::<String>()) {
                let _ = Matchers::parse(&text);
                let _ = Matcher::parse(&text);
            }
        }
    }
}
