//! Regular expressions as RE2 reads them (Prometheus, Alertmanager, Grafana), in the words of the
//! `regex` crate.
//!
//! The expression is read alone and whole: its brackets are its own, so that nothing of it can
//! change what is wrapped around it. What RE2 spells otherwise is translated: a brace that begins
//! no repetition is itself, `\Q…\E` quotes, `\d`, `\w`, `\s` and `\b` are ASCII, and `&&`, `~~`
//! and `[` within a class are themselves.
//!
//! It deliberately does not judge what the `regex` crate judges as well: ranges that run
//! backwards, repetitions of nothing, sizes.

use std::fmt::Write as _;

use crate::plants::planted;

/// Deepest nesting of groups: RE2's limit in Go (`maxHeight`).
const DEPTH_MAX: usize = 1000;
/// Largest count of a repetition: RE2's limit.
const REPEAT_MAX: u32 = 1000;

/// An expression that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Translated {
    /// The same for the `regex` crate.
    pub(super) expression: String,
    /// The texts it matches, where it is no more than texts between bars. A dot is `None`: any character
    /// but a line feed.
    pub(super) texts: Option<Vec<Text>>,
}

/// Characters, and places where any may stand.
pub(super) type Text = Vec<Option<char>>;

/// Reads an expression.
///
/// # Errors
/// Says what is wrong with it.
pub(super) fn translate(written: &str) -> Result<Translated, String> {
    let mut reader =
        Reader { chars: written.chars().collect(), at: 0, out: String::with_capacity(written.len()), texts: Some(vec![Text::new()]) };
    reader.all()?;
    Ok(Translated { expression: reader.out, texts: reader.texts })
}

struct Reader {
    chars: Vec<char>,
    at: usize,
    out: String,
    /// As long as it is only texts between bars.
    texts: Option<Vec<Text>>,
}

/// What an escape stands for.
enum Escaped {
    /// One character.
    One(char),
    /// Something that the `regex` crate spells so, outside and inside of a class.
    Class { outside: String, inside: String },
    /// A place, which stands in no class.
    Place(&'static str),
}

impl Reader {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn next(&mut self) -> Option<char> {
        let found = self.peek();
        self.at += usize::from(found.is_some());
        found
    }

    fn rest_starts_with(&self, text: &str) -> bool {
        let mut at = self.at;
        text.chars().all(|wanted| {
            let same = self.chars.get(at) == Some(&wanted);
            at += 1;
            same
        })
    }

    fn all(&mut self) -> Result<(), String> {
        let mut depth = 0_usize;
        while let Some(c) = self.next() {
            match c {
                '(' => {
                    depth += 1;
                    if depth > DEPTH_MAX {
                        return Err(format!("its groups are nested more than {DEPTH_MAX} deep"));
                    }
                    self.texts = None;
                    if self.group()? {
                        depth -= 1;
                    }
                }
                ')' => {
                    let outer = depth.checked_sub(1);
                    depth = if planted("expression-not-alone") { outer.unwrap_or(0) } else { outer.ok_or("a `)` closes nothing")? };
                    self.out.push(')');
                }
                '[' => {
                    self.texts = None;
                    self.class()?;
                }
                '{' => {
                    if self.repetition()? {
                        self.texts = None;
                    } else {
                        self.literal('{');
                    }
                }
                '|' => {
                    self.out.push('|');
                    if depth == 0
                        && let Some(texts) = &mut self.texts
                    {
                        texts.push(Text::new());
                    }
                }
                '.' => {
                    self.out.push('.');
                    if let Some(last) = self.texts.as_mut().and_then(|texts| texts.last_mut()) {
                        last.push(None);
                    }
                }
                '*' | '+' | '?' | '^' | '$' => {
                    self.texts = None;
                    self.out.push(c);
                }
                '\\' => self.escape()?,
                c => self.literal(c),
            }
        }
        if depth > 0 { Err("a `(` is not closed".to_owned()) } else { Ok(()) }
    }

    fn literal(&mut self, c: char) {
        spell(&mut self.out, c);
        if let Some(last) = self.texts.as_mut().and_then(|texts| texts.last_mut()) {
            last.push(Some(c));
        }
    }

    /// Behind `(`; whether it was only flags, `(?i)`, and is closed already.
    fn group(&mut self) -> Result<bool, String> {
        if self.peek() != Some('?') {
            self.out.push_str("(?:");
            return Ok(false);
        }
        self.at += 1;
        if self.rest_starts_with("P<") || self.rest_starts_with("<") {
            self.at += usize::from(self.peek() == Some('P')) + 1;
            let start = self.at;
            while self.peek().is_some_and(|c| c.is_ascii_alphanumeric() || c == '_') {
                self.at += 1;
            }
            if start == self.at || self.next() != Some('>') {
                return Err("the name of a group is not letters and digits between `<` and `>`".to_owned());
            }
            // Nothing is taken out of a match, so that a name has no use here.
            self.out.push_str("(?:");
            return Ok(false);
        }
        let start = self.at;
        while let Some(c) = self.next() {
            match c {
                'i' | 'm' | 's' | 'U' | '-' => {}
                ':' | ')' => {
                    let flags: String = self.chars[start..self.at - 1].iter().collect();
                    let _ = write!(self.out, "(?{flags}{c}");
                    if flags.is_empty() && c == ')' {
                        return Err("`(?)` sets no flag".to_owned());
                    }
                    return Ok(c == ')');
                }
                _ => return Err("after `(?` stand the flags `i`, `m`, `s`, `U`, a name as `P<name>`, or `:`".to_owned()),
            }
        }
        Err("a `(` is not closed".to_owned())
    }

    /// Behind `{`: a repetition is taken over; anything else leaves the brace to be itself.
    fn repetition(&mut self) -> Result<bool, String> {
        let start = self.at;
        let number = |reader: &mut Self| {
            let from = reader.at;
            while reader.peek().is_some_and(|c| c.is_ascii_digit()) {
                reader.at += 1;
            }
            reader.chars[from..reader.at].iter().collect::<String>()
        };
        let least = number(self);
        let mut most = None;
        if self.peek() == Some(',') {
            self.at += 1;
            most = Some(number(self));
        }
        // RE2 reads a number that begins with a needless 0 as text, too.
        let plain = |text: &str| text.len() == 1 || !text.starts_with('0');
        if least.is_empty() || self.next() != Some('}') || !plain(&least) || !most.as_deref().is_none_or(plain) {
            self.at = start;
            return Ok(false);
        }
        let too_many = |text: &str| !text.is_empty() && text.parse::<u32>().map_or(true, |n| n > REPEAT_MAX);
        if too_many(&least) || most.as_deref().is_some_and(too_many) {
            return Err(format!("it repeats more than {REPEAT_MAX} times"));
        }
        let written: String = self.chars[start - 1..self.at].iter().collect();
        self.out.push_str(&written);
        Ok(true)
    }

    /// Behind a backslash, outside of a class.
    fn escape(&mut self) -> Result<(), String> {
        if self.peek() == Some('Q') {
            self.at += 1;
            while self.peek().is_some() {
                if self.rest_starts_with(r"\E") {
                    self.at += 2;
                    return Ok(());
                }
                if let Some(c) = self.next() {
                    self.literal(c);
                }
            }
            // A quotation that is never closed goes to the end, as in RE2.
            return Ok(());
        }
        match self.escaped()? {
            Escaped::One(c) => self.literal(c),
            Escaped::Class { outside, .. } => {
                self.texts = None;
                self.out.push_str(&outside);
            }
            Escaped::Place(place) => {
                self.texts = None;
                self.out.push_str(place);
            }
        }
        Ok(())
    }

    fn escaped(&mut self) -> Result<Escaped, String> {
        let Some(c) = self.next() else { return Err("it ends with a single backslash".to_owned()) };
        let perl = |inside: &str, negated: bool| {
            if negated {
                Escaped::Class { outside: format!("[^{inside}]"), inside: format!("[^{inside}]") }
            } else {
                Escaped::Class { outside: format!("[{inside}]"), inside: inside.to_owned() }
            }
        };
        Ok(match c {
            'd' | 'D' => perl("0-9", c == 'D'),
            'w' | 'W' => perl("0-9A-Za-z_", c == 'W'),
            's' | 'S' => perl(r"\t\n\x0C\r ", c == 'S'),
            'p' | 'P' => {
                let name = self.unicode_class()?;
                let (name, negated) = name.strip_prefix('^').map_or((name.as_str(), c == 'P'), |name| (name, c == 'p'));
                let spelt = format!("\\{}{{{name}}}", if negated { 'P' } else { 'p' });
                Escaped::Class { outside: spelt.clone(), inside: spelt }
            }
            'b' => Escaped::Place(r"(?-u:\b)"),
            'B' => Escaped::Place(r"(?-u:\B)"),
            'A' => Escaped::Place(r"\A"),
            'z' => Escaped::Place(r"\z"),
            'a' => Escaped::One('\u{7}'),
            'f' => Escaped::One('\u{c}'),
            't' => Escaped::One('\t'),
            'n' => Escaped::One('\n'),
            'r' => Escaped::One('\r'),
            'v' => Escaped::One('\u{b}'),
            'x' => Escaped::One(self.hexadecimal()?),
            // One digit alone would be a reference back, which RE2 has none of; `\0` is no such thing.
            '0'..='7' if c == '0' || self.peek().is_some_and(|d| d.is_digit(8)) => {
                let mut code = c.to_digit(8).unwrap_or(0);
                for _ in 0..2 {
                    let Some(digit) = self.peek().and_then(|d| d.to_digit(8)) else { break };
                    code = code * 8 + digit;
                    self.at += 1;
                }
                Escaped::One(char::from_u32(code).unwrap_or('\u{fffd}'))
            }
            c if c.is_ascii_punctuation() || c == ' ' || c.is_ascii_control() => Escaped::One(c),
            c => return Err(format!("`\\{c}` means nothing in an expression")),
        })
    }

    /// Behind `\p`.
    fn unicode_class(&mut self) -> Result<String, String> {
        let unknown = || "after `\\p` stands the name of a class, as in `\\p{Greek}`".to_owned();
        match self.next() {
            Some('{') => {
                let start = self.at;
                while self.peek().is_some_and(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '^')) {
                    self.at += 1;
                }
                let name: String = self.chars[start..self.at].iter().collect();
                if self.next() == Some('}') && !name.trim_start_matches('^').is_empty() { Ok(name) } else { Err(unknown()) }
            }
            Some(c) if c.is_ascii_alphabetic() => Ok(c.to_string()),
            Some(_) | None => Err(unknown()),
        }
    }

    /// Behind `\x`.
    fn hexadecimal(&mut self) -> Result<char, String> {
        let unreadable = || "after `\\x` stand two hexadecimal digits, or some in braces".to_owned();
        let digits: String = if self.peek() == Some('{') {
            self.at += 1;
            let start = self.at;
            while self.peek().is_some_and(|c| c.is_ascii_hexdigit()) {
                self.at += 1;
            }
            let digits = self.chars[start..self.at].iter().collect();
            if self.next() != Some('}') {
                return Err(unreadable());
            }
            digits
        } else {
            let digits = self.chars.get(self.at..self.at + 2).ok_or_else(unreadable)?.iter().collect();
            self.at += 2;
            digits
        };
        if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(unreadable());
        }
        u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32).ok_or_else(unreadable)
    }

    /// Behind `[`.
    fn class(&mut self) -> Result<(), String> {
        let open = || "a `[` is not closed".to_owned();
        self.out.push('[');
        if self.peek() == Some('^') {
            self.at += 1;
            self.out.push('^');
        }
        let first = self.at;
        loop {
            // The first `]` is itself.
            if self.peek() == Some(']') && self.at > first {
                self.at += 1;
                self.out.push(']');
                return Ok(());
            }
            if self.rest_starts_with("[:") && self.named_class()? {
                continue;
            }
            let from = match self.in_class()?.ok_or_else(open)? {
                Escaped::One(c) => c,
                Escaped::Class { inside, .. } => {
                    self.out.push_str(&inside);
                    continue;
                }
                Escaped::Place(_) => return Err("a place such as `\\b` stands in no class".to_owned()),
            };
            spell(&mut self.out, from);
            let is_range = self.peek() == Some('-') && self.chars.get(self.at + 1).is_some_and(|c| *c != ']');
            if is_range {
                self.at += 1;
                let Some(Escaped::One(to)) = self.in_class()? else { return Err("a range in a class has no end".to_owned()) };
                if to < from {
                    return Err("a range in a class runs backwards".to_owned());
                }
                self.out.push('-');
                spell(&mut self.out, to);
            }
        }
    }

    fn in_class(&mut self) -> Result<Option<Escaped>, String> {
        match self.next() {
            None => Ok(None),
            Some('\\') => self.escaped().map(Some),
            Some(c) => Ok(Some(Escaped::One(c))),
        }
    }

    /// At `[:` within a class: `[:alpha:]` is taken over; anything else is only a bracket.
    fn named_class(&mut self) -> Result<bool, String> {
        const KNOWN: [&str; 14] =
            ["alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space", "upper", "word", "xdigit"];
        let Some(length) = self.chars[self.at + 2..].windows(2).position(|pair| pair == [':', ']']) else { return Ok(false) };
        let name: String = self.chars[self.at + 2..self.at + 2 + length].iter().collect();
        if !KNOWN.contains(&name.strip_prefix('^').unwrap_or(&name)) {
            return Err("there is no class of this name between `[:` and `:]`".to_owned());
        }
        let _ = write!(self.out, "[:{name}:]");
        self.at += length + 4;
        Ok(true)
    }
}

/// One character that stands for itself, wherever it is.
fn spell(out: &mut String, c: char) {
    if c.is_alphanumeric() || c == '_' || !c.is_ascii() {
        out.push(c);
    } else {
        let _ = write!(out, "\\x{:02X}", u32::from(c));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use regex::Regex;

    fn matches(written: &str, text: &str) -> bool {
        let Translated { expression, texts } = translate(written).unwrap_or_else(|why| panic!("{written}: {why}"));
        let by_expression = Regex::new(&format!("^(?:{expression})$")).unwrap_or_else(|why| panic!("{written}: {why}")).is_match(text);
        if let Some(texts) = texts {
            let value: Vec<char> = text.chars().collect();
            let by_texts = texts.iter().any(|text| super::super::is_text(text, &value));
            assert_eq!(by_texts, by_expression, "{written} on {text}");
        }
        by_expression
    }

    #[test]
    fn what_re2_spells_otherwise() {
        for (written, fits, not) in [
            ("foo{bar", "foo{bar", "foobar"),
            ("{", "{", ""),
            ("a{,3}", "a{,3}", "aa"),
            ("a{2,3}b{1}", "aaab", "ab"),
            ("a{2,}", "aaaa", "a"),
            ("a{02}", "a{02}", "aa"),
            (r"\Qa.b\E+", "a.bb", "axb"),
            (r"\Q(x", "(x", "x"),
            (r"\d+", "42", "\u{0664}"),
            (r"\w", "a", "é"),
            (r"[\w-]+", "a-b", "é"),
            (r"[^\D]", "7", "x"),
            (r"\s", " ", "\u{a0}"),
            (r"(?P<n>a)(?<m>b)", "ab", "a"),
            ("(?i)DISK", "disk", "desk"),
            ("(?i:DISK) x", "disk x", "disk X"),
            (r"[[:alpha:]&&b]", "&", "1"),
            ("[a&&b]", "&", "c"),
            ("[[a]", "[", "b"),
            ("[]a]", "]", "b"),
            ("[^]a]", "b", "]"),
            ("[a-]", "-", "b"),
            ("[a~~b]", "~", "c"),
            (r"[\]\\]", "\\", "x"),
            (r"\pL\p{^Greek}", "ab", "aα"),
            (r"\x41\x{1F525}\101", "A🔥A", "A"),
            (r"a\<b\-\/\ ", "a<b-/ ", "ab"),
            (r"\ba\b", "a", "b"),
            (r"a\Bb", "ab", "a b"),
            (r"\Aa\z", "a", "b"),
            ("a|b||c", "", "d"),
            ("disk full|x,y", "x,y", "x"),
            ("#x y", "#x y", ""),
        ] {
            assert!(matches(written, fits), "{written} fits {fits}");
            assert!(!matches(written, not), "{written} does not fit {not}");
        }
    }

    #[test]
    fn what_is_no_expression_by_itself_is_refused() {
        for written in [
            "x)|(y",
            ")",
            "(",
            "(?",
            "(?)",
            "(?x) a",
            "(?i",
            "[a",
            "[",
            "[]",
            "[b-a]",
            r"\",
            r"\C",
            r"\1",
            r"\Z",
            r"\p",
            r"\p{",
            r"\xg",
            "(?P<>a)",
            "[[:nope:]]",
            "a{1001}",
            r"[\b]",
        ] {
            assert!(translate(written).is_err(), "{written}");
        }
    }

    #[test]
    fn texts_between_bars_are_known_as_such() {
        let texts = |written: &str| {
            let shown = |text: Text| text.into_iter().map(|c| c.unwrap_or('?')).collect::<String>();
            translate(written).unwrap().texts.map(|texts| texts.into_iter().map(shown).collect::<Vec<_>>())
        };
        assert_eq!(texts(r"a\.b|c d|"), Some(vec!["a.b".to_owned(), "c d".to_owned(), String::new()]));
        assert_eq!(texts("db1.example"), Some(vec!["db1?example".to_owned()]));
        assert_eq!(texts("a|b.*"), None);
        assert_eq!(texts("(a|b)"), None);
        assert_eq!(texts("a|b+"), None);
    }
}
