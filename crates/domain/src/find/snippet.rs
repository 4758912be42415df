//! The piece of a text that is shown of a hit: around the first place where it has what was looked for, with those words marked.

use serde::{Deserialize, Serialize};

use super::query::Query;
use super::words::cut;

/// Characters shown before the first place.
const BEFORE_CHARS: usize = 60;
/// Characters shown from the first place on.
const AFTER_CHARS: usize = 160;
/// Within so many characters a snippet is cut between words.
const TIDY_CHARS: usize = 20;

/// A part of a snippet, plain text: whoever shows it escapes it for its own place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = FoundPiece))]
pub struct Piece {
    pub text: String,
    /// Whether it is one of the words that were looked for.
    pub found: bool,
}

/// The snippet; white space is one space, and an ellipsis stands where something was cut.
#[must_use]
pub fn snippet(text: &str, query: &Query) -> Vec<Piece> {
    let cut = cut(text);
    let mut marks: Vec<(usize, usize)> = Vec::new();
    for term in &query.terms {
        for at in term.places(&cut.tokens) {
            marks.extend(cut.tokens[at..at + term.words.len()].iter().map(|token| (token.start, token.end)));
        }
    }
    marks.sort_unstable();
    let first = marks.first().map_or(0, |(start, _)| *start);
    let (from, to) = (start_of(&cut.text, first), end_of(&cut.text, first));
    let mut out = Pieces::default();
    if from > 0 {
        out.add("…", false);
    }
    let mut at = from;
    for (start, end) in marks.into_iter().filter(|(_, end)| *end <= to) {
        let start = start.max(at);
        if end <= start {
            continue;
        }
        out.add(&cut.text[at..start], false);
        out.add(&cut.text[start..end], true);
        at = end;
    }
    out.add(&cut.text[at..to.max(at)], false);
    if to < cut.text.len() || text.len() > super::words::TEXT_BYTES_MAX {
        out.add("…", false);
    }
    out.0
}

fn start_of(text: &str, first: usize) -> usize {
    let before: Vec<(usize, char)> = text[..first].char_indices().rev().take(BEFORE_CHARS).collect();
    let Some((start, _)) = before.last().copied().filter(|_| before.len() == BEFORE_CHARS) else { return 0 };
    // Rather after a space close by than within a word.
    before.iter().rev().take(TIDY_CHARS).find(|(_, c)| c.is_whitespace()).map_or(start, |(at, c)| at + c.len_utf8())
}

fn end_of(text: &str, first: usize) -> usize {
    let after: Vec<(usize, char)> = text[first..].char_indices().take(AFTER_CHARS + 1).collect();
    if after.len() <= AFTER_CHARS {
        return text.len();
    }
    let end = after.last().map_or(0, |(at, _)| *at);
    first + after.iter().rev().take(TIDY_CHARS).find(|(_, c)| c.is_whitespace()).map_or(end, |(at, _)| *at)
}

#[derive(Default)]
struct Pieces(Vec<Piece>);

impl Pieces {
    fn add(&mut self, text: &str, found: bool) {
        let mut tidy = String::with_capacity(text.len());
        let mut spaced = self.0.last().is_some_and(|piece| piece.text.ends_with(' '));
        for c in text.chars() {
            if c.is_whitespace() || c.is_control() {
                if !spaced {
                    tidy.push(' ');
                }
                spaced = true;
            } else {
                tidy.push(c);
                spaced = false;
            }
        }
        if tidy.is_empty() {
            return;
        }
        match self.0.last_mut() {
            Some(last) if last.found == found => last.text.push_str(&tidy),
            _ => self.0.push(Piece { text: tidy, found }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, query: &str) -> String {
        let pieces = snippet(text, &Query::read(query).unwrap());
        pieces.iter().map(|p| if p.found { format!("[{}]", p.text) } else { p.text.clone() }).collect()
    }

    #[test]
    fn words_are_marked_where_they_stand() {
        for (text, query, wanted) in [
            ("The checkout is slow", "check", "The [checkout] is slow"),
            ("a\n\n  b\tc", "c", "a b [c]"),
            ("on db-7.eu-west: db-8", "db-7", "on [db]-[7].eu-west: db-8"),
            ("<b>Straße</b>", "strasse", "<b>[Straße]</b>"),
            ("今天支付失败了", "支付失败", "今天[支付失败]了"),
            ("slow, slow", "slow", "[slow], [slow]"),
            ("nothing of it", "other", "nothing of it"),
            ("", "other", ""),
        ] {
            assert_eq!(shown(text, query), wanted, "{text}");
        }
    }

    #[test]
    fn a_long_text_is_cut_between_words_around_the_first_place() {
        let text = format!("{}needle {}", "word ".repeat(100), "more ".repeat(100));
        let shown = shown(&text, "needle");
        assert!(shown.starts_with("…word ") && shown.contains("[needle] more") && shown.ends_with(" more…"), "{shown}");
        assert!(shown.chars().count() <= BEFORE_CHARS + AFTER_CHARS + 6, "{shown}");
        let solid = format!("{}支付{}", "字".repeat(500), "字".repeat(500));
        assert!(snippet(&solid, &Query::read("支付").unwrap()).iter().any(|piece| piece.found && piece.text == "支付"));
    }
}
