//! Somebody's words within Markdown, so that they read as exactly these words and open nothing.

use crate::clean::clean;

/// Somebody's words on one line.
#[must_use]
pub fn one_line(text: &str) -> String {
    escaped(&clean(text).split_whitespace().collect::<Vec<_>>().join(" "))
}

/// A backslash before every mark that Markdown would read, and before no other, since people go on writing in what is drafted: an
/// underline within a word is none, and a bracket that opens nothing needs no company.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut before: Option<char> = None;
    // Digits alone so far: a stop or a bracket after them would begin a list.
    let mut only_digits = true;
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let next = rest.peek().copied();
        let is_mark = match c {
            '*' | '`' | '[' | '~' | '|' => true,
            '_' => !(before.is_some_and(char::is_alphanumeric) && next.is_some_and(char::is_alphanumeric)),
            '<' => next.is_some_and(|next| next.is_ascii_alphabetic() || "/!?".contains(next)),
            '&' => next.is_some_and(|next| next.is_ascii_alphanumeric() || next == '#'),
            '\\' => next.is_none_or(|next| next.is_ascii_punctuation()),
            // Of a heading's end, and of a line that would be one.
            '#' => before.is_none_or(char::is_whitespace) || next.is_none(),
            '>' | '-' | '+' | '=' => before.is_none(),
            '.' | ')' => only_digits && before.is_some(),
            _ => false,
        };
        if is_mark {
            out.push('\\');
        }
        out.push(c);
        only_digits &= c.is_ascii_digit();
        before = Some(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_quoted_reads_as_it_was_written() {
        for (words, draft) in [
            ("disk of db_primary_1 is full", "disk of db_primary_1 is full"),
            ("_so_ *it* was `x` [y](z)", r"\_so\_ \*it\* was \`x\` \[y](z)"),
            ("<b>a</b> < b & c &amp; d", r"\<b>a\</b> < b & c \&amp; d"),
            ("C:\\new \\_", r"C:\new \\\_"),
            ("# one #2 ##", r"\# one \#2 \#\#"),
            ("two\nlines\r\n\r\n- of it", "two lines - of it"),
            ("- first", r"\- first"),
            ("1. first of 2. and 3.", r"1\. first of 2. and 3."),
            ("12) first", r"12\) first"),
            ("a | b", r"a \| b"),
            ("turned \u{202e}round\0", "turned round"),
        ] {
            assert_eq!(one_line(words), draft);
        }
    }
}
