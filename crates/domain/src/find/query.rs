//! What somebody looks for, and whether a text has it.
//!
//! Every part that is given has to be there. A part is what stands between spaces, or between quotation marks: its words one after
//! another. The last word of a part may be the beginning of one, where it is long enough to mean something; what is quoted means
//! itself.

use std::collections::BTreeSet;

use super::words::{Cut, Token, cut, is_dense};

/// Characters of what is looked for: more than somebody types.
pub const QUERY_CHARS_MAX: usize = 200;
/// Words of what is looked for: each is a list to be read, and a dozen tell any two texts apart.
pub const QUERY_WORDS_MAX: usize = 12;
/// Letters from which a word may be the beginning of another: of two, too many words begin so to mean something.
pub const BEGINNING_CHARS_MIN: usize = 3;

/// Why nothing is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadQuery {
    #[error("there are no words in it: give a word, a name, or a reference as INC-142")]
    Empty,
    #[error("it has more than {QUERY_CHARS_MAX} characters: a few words find more than a paragraph")]
    TooLong,
    #[error("it has more than {QUERY_WORDS_MAX} words: leave out those that many texts have")]
    TooMany,
}

/// Words that stand one after another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// At least one.
    pub words: Vec<String>,
    /// Whether the last may go on.
    pub open: bool,
}

/// What is looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    pub terms: Vec<Term>,
}

impl Query {
    /// Reads what somebody typed.
    ///
    /// # Errors
    /// When there is nothing to look for, or too much.
    pub fn read(typed: &str) -> Result<Self, BadQuery> {
        if typed.chars().count() > QUERY_CHARS_MAX {
            return Err(BadQuery::TooLong);
        }
        let mut terms: Vec<Term> = Vec::new();
        for (at, piece) in typed.split(['"', '„', '“', '”', '«', '»']).enumerate() {
            // A mark that is not closed quotes nothing.
            let quoted = at % 2 == 1;
            let parts: Vec<&str> = if quoted { vec![piece] } else { piece.split_whitespace().collect() };
            for part in parts {
                terms.extend(terms_of(part, quoted));
            }
        }
        let mut known = BTreeSet::new();
        terms.retain(|term| known.insert((term.words.clone(), term.open)));
        match terms.iter().map(|term| term.words.len()).sum::<usize>() {
            0 => Err(BadQuery::Empty),
            n if n > QUERY_WORDS_MAX => Err(BadQuery::TooMany),
            _ => Ok(Self { terms }),
        }
    }

    /// Whether a text has all of it.
    #[must_use]
    pub fn finds(&self, text: &Cut<'_>) -> bool {
        self.terms.iter().all(|term| term.first(&text.tokens).is_some())
    }

    /// Each word that a text must have, and whether it may only begin so; each once.
    #[must_use]
    pub fn words(&self) -> Vec<(&str, bool)> {
        let mut out: Vec<(&str, bool)> = Vec::new();
        for term in &self.terms {
            for (at, word) in term.words.iter().enumerate() {
                let one = (word.as_str(), term.open && at + 1 == term.words.len());
                if !out.contains(&one) {
                    out.push(one);
                }
            }
        }
        out
    }
}

impl Term {
    /// Where its words stand first: the number of the first of them.
    #[must_use]
    pub fn first(&self, tokens: &[Token]) -> Option<usize> {
        tokens.windows(self.words.len()).position(|window| self.fits(window))
    }

    /// Every place where its words stand.
    pub fn places<'a>(&'a self, tokens: &'a [Token]) -> impl Iterator<Item = usize> + 'a {
        tokens.windows(self.words.len()).enumerate().filter(|(_, window)| self.fits(window)).map(|(at, _)| at)
    }

    fn fits(&self, window: &[Token]) -> bool {
        let last = self.words.len() - 1;
        self.words
            .iter()
            .zip(window)
            .enumerate()
            .all(|(at, (word, token))| if self.open && at == last { token.word.starts_with(word.as_str()) } else { token.word == *word })
    }
}

/// The parts of what stands between two spaces. Where the script changes a part ends, since the last letter of a run without
/// spaces is a word of its own in a text.
fn terms_of(part: &str, quoted: bool) -> Vec<Term> {
    let tokens = cut(part).tokens;
    let mut groups: Vec<Vec<&Token>> = Vec::new();
    for token in &tokens {
        match groups.last_mut() {
            Some(group) if group.last().is_some_and(|before| is_dense(&before.word) == is_dense(&token.word) && goes_on(before, token)) => {
                group.push(token);
            }
            _ => groups.push(vec![token]),
        }
    }
    groups
        .into_iter()
        .map(|mut group| {
            let dense = is_dense(&group[0].word);
            // The last letter of a run is a word only where nothing follows it, which what is looked for cannot know.
            if dense && group.len() > 1 {
                group.pop();
            }
            let words: Vec<String> = group.iter().map(|token| token.word.clone()).collect();
            let open = words.last().is_some_and(|last| if dense { last.chars().count() == 1 } else { !quoted && may_go_on(last) });
            Term { words, open }
        })
        .collect()
}

/// Of a dense script, whether one token is of the same run as the one before.
fn goes_on(before: &Token, token: &Token) -> bool {
    !is_dense(&token.word) || token.start < before.end
}

/// A number means itself; a word may be the beginning of another.
fn may_go_on(word: &str) -> bool {
    !word.chars().all(char::is_numeric) && word.chars().count() >= BEGINNING_CHARS_MIN
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finds(query: &str, text: &str) -> bool {
        Query::read(query).unwrap().finds(&cut(text))
    }

    #[test]
    fn every_part_has_to_be_there_wherever() {
        for (query, text) in [
            ("checkout", "The checkout is slow"),
            ("slow checkout", "The checkout is slow"),
            ("check", "The checkout is slow"),
            ("uber", "Überlast"),
            ("db-7.eu-west", "on db-7.eu-west-1"),
            ("eu-west", "on db-7.eu-west-1"),
            ("db 7", "db-7"),
            ("inc-142", "as in INC-142."),
            ("ORA-00942", "ora-00942 again"),
            ("\"is slow\"", "The checkout is slow"),
            ("\"unclosed", "unclosed"),
            ("支付", "支付失败"),
            ("付失", "支付失败"),
            ("败", "支付失败"),
            ("支", "支付失败"),
            ("支付失败", "今天支付失败了"),
            ("支付failed", "支付failed"),
            ("🔥", "it burns 🔥🔥"),
            ("مُحَمَّد", "كتب محمد"),
        ] {
            assert!(finds(query, text), "{query} in {text}");
        }
        for (query, text) in [
            ("checkout fast", "The checkout is slow"),
            ("heckout", "The checkout is slow"),
            ("db-7", "db 8 and 7"),
            ("142", "INC-1420"),
            ("eu", "europe"),
            ("\"is slo\"", "The checkout is slow"),
            ("\"slow is\"", "The checkout is slow"),
            ("付支", "支付失败"),
            ("支失", "支付失败"),
            ("🔥", "💥"),
        ] {
            assert!(!finds(query, text), "{query} in {text}");
        }
    }

    #[test]
    fn too_much_and_nothing_are_refused() {
        assert_eq!(Query::read(" - \"\" …"), Err(BadQuery::Empty));
        assert_eq!(Query::read(&"é".repeat(QUERY_CHARS_MAX + 1)), Err(BadQuery::TooLong));
        assert!(Query::read(&"é".repeat(QUERY_CHARS_MAX)).is_ok());
        assert_eq!(Query::read("a b c d e f g h i j k l m"), Err(BadQuery::TooMany));
        assert_eq!(Query::read("a a a a a a a a a a a a a").unwrap().terms.len(), 1, "each is looked for once");
    }

    #[test]
    fn what_an_index_is_asked_for_is_in_every_text_that_is_found() {
        for (query, text) in [("db-7.eu-west che", "db-7.eu-west-1 has checks"), ("付失败 x-1", "支付失败 x-1"), ("\"a b\" b-c", "a b b c")]
        {
            let (query, text) = (Query::read(query).unwrap(), cut(text));
            assert!(query.finds(&text));
            for (word, open) in query.words() {
                assert!(text.tokens.iter().any(|t| t.word == word || (open && t.word.starts_with(word))), "{word}");
            }
        }
    }
}
