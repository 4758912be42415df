//! How a text is cut into words, so that what is written and what is looked for meet.
//!
//! A word is a run of letters and digits, in lower case, without accents; whatever stands between them parts words, so that
//! `db-7.eu-west` is four. Scripts that put no spaces between words are cut into pairs of letters that overlap, and the last
//! letter of a run alone. A sign that is a picture (an emoji) is a word.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Bytes of a word that count: longer than any word or host name's part, short enough for a key of an index. A longer one is cut, in texts and in
/// what is looked for alike.
pub const WORD_BYTES_MAX: usize = 64;
/// Bytes of a text of which the words are kept: some twenty pages. What stands after them is not found.
pub const TEXT_BYTES_MAX: usize = 64 * 1024;

/// A word and where it stands in the text that was cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    pub word: String,
    pub start: usize,
    pub end: usize,
}

/// A text with its words. Letters that are written as a letter and its accent are one here; nothing else of the text differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut<'a> {
    pub text: Cow<'a, str>,
    pub tokens: Vec<Token>,
}

/// Cuts a text into its words, as far as [`TEXT_BYTES_MAX`].
#[must_use]
pub fn cut(text: &str) -> Cut<'_> {
    let text = upto(text, TEXT_BYTES_MAX);
    let text: Cow<'_, str> = if text.is_ascii() { Cow::Borrowed(text) } else { Cow::Owned(text.nfc().collect()) };
    let mut cutter = Cutter::default();
    for (at, c) in text.char_indices() {
        cutter.take(&text, at, c);
    }
    cutter.end_word();
    cutter.end_run(&text);
    let tokens = cutter.tokens;
    Cut { text, tokens }
}

/// What a character is to whoever cuts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    /// Of a word.
    Letter,
    /// Of a script without spaces.
    Dense,
    /// A word of its own.
    Picture,
    /// Nothing, not even a space: an accent that stands alone, a joiner.
    Silent,
    /// Between words.
    Gap,
}

fn class(c: char) -> Class {
    if c.is_ascii() {
        return if c.is_ascii_alphanumeric() { Class::Letter } else { Class::Gap };
    }
    match c {
        '\u{200c}' | '\u{200d}' | '\u{ad}' | '\u{fe00}'..='\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}' => Class::Silent,
        '\u{2600}'..='\u{27bf}' | '\u{2b50}' | '\u{2b55}' | '\u{1f1e6}'..='\u{1f1ff}' | '\u{1f300}'..='\u{1faff}' => Class::Picture,
        // Thai, Lao, Myanmar, Khmer; kana; Han.
        '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' if c.is_alphabetic() || is_combining_mark(c) => {
            Class::Dense
        }
        '\u{3005}'..='\u{3007}'
        | '\u{3040}'..='\u{30ff}'
        | '\u{31f0}'..='\u{31ff}'
        | '\u{3400}'..='\u{4dbf}'
        | '\u{4e00}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}'
        | '\u{ff66}'..='\u{ff9f}'
        | '\u{20000}'..='\u{3ffff}' => Class::Dense,
        _ if is_accent(c) => Class::Silent,
        _ if c.is_alphanumeric() || is_combining_mark(c) => Class::Letter,
        _ => Class::Gap,
    }
}

/// Marks that change how a letter is read and not which it is: accents, Hebrew points, Arabic vowel signs and its long stroke. Vowel
/// signs of other scripts stay, since words differ by them.
const fn is_accent(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{591}'..='\u{5bd}' | '\u{5bf}' | '\u{5c1}'..='\u{5c2}' | '\u{5c4}'..='\u{5c5}' | '\u{5c7}'
        | '\u{610}'..='\u{61a}' | '\u{640}' | '\u{64b}'..='\u{65f}' | '\u{670}' | '\u{6d6}'..='\u{6dc}' | '\u{6df}'..='\u{6e8}' | '\u{6ea}'..='\u{6ed}'
        | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}')
}

/// A character as words are compared: `É`, `Ｅ` and `e` alike, `ß` as `ss`, a Greek word's last sigma as any other.
fn fold(c: char, into: &mut String) {
    if c.is_ascii() {
        into.push(c.to_ascii_lowercase());
        return;
    }
    let plain: String =
        std::iter::once(c).nfkd().filter(|c| !is_accent(*c)).flat_map(char::to_lowercase).filter(|c| !is_accent(*c)).collect();
    for c in plain.nfc() {
        match c {
            'ß' => into.push_str("ss"),
            'ς' => into.push('σ'),
            'ı' => into.push('i'),
            'ø' => into.push('o'),
            'ł' => into.push('l'),
            'đ' => into.push('d'),
            'æ' => into.push_str("ae"),
            'œ' => into.push_str("oe"),
            // What a number or a sign that stands for several letters is made of may have spaces and strokes in it.
            _ if !c.is_alphanumeric() && !is_combining_mark(c) => {}
            c => into.push(c),
        }
    }
}

#[derive(Default)]
struct Cutter {
    tokens: Vec<Token>,
    word: String,
    start: usize,
    end: usize,
    /// Where the letters of a dense run begin and end.
    run: Vec<(usize, usize)>,
}

impl Cutter {
    fn take(&mut self, text: &str, at: usize, c: char) {
        let end = at + c.len_utf8();
        let class = class(c);
        match class {
            Class::Silent => {}
            Class::Letter => {
                self.end_run(text);
                if self.word.is_empty() {
                    self.start = at;
                }
                self.end = end;
                fold(c, &mut self.word);
            }
            Class::Dense => {
                self.end_word();
                self.run.push((at, end));
            }
            Class::Picture => {
                self.end_word();
                self.end_run(text);
                self.tokens.push(Token { word: c.to_string(), start: at, end });
            }
            Class::Gap => {
                self.end_word();
                self.end_run(text);
            }
        }
    }

    fn end_word(&mut self) {
        let word = std::mem::take(&mut self.word);
        self.push(word, self.start, self.end);
    }

    fn end_run(&mut self, text: &str) {
        let run = std::mem::take(&mut self.run);
        for (at, (start, first_end)) in run.iter().enumerate() {
            let end = run.get(at + 1).map_or(*first_end, |(_, end)| *end);
            let mut word = String::new();
            text[*start..end].chars().for_each(|c| fold(c, &mut word));
            self.push(word, *start, end);
        }
    }

    fn push(&mut self, word: String, start: usize, end: usize) {
        if !word.is_empty() {
            let word = if word.len() > WORD_BYTES_MAX { upto(&word, WORD_BYTES_MAX).to_owned() } else { word };
            self.tokens.push(Token { word, start, end });
        }
    }
}

/// Whether a word is of a script without spaces, so that it is a pair of letters or the last of a run.
#[must_use]
pub fn is_dense(word: &str) -> bool {
    word.chars().next().is_some_and(|c| class(c) == Class::Dense)
}

/// The text up to so many bytes, whole letters.
fn upto(text: &str, bytes: usize) -> &str {
    if text.len() <= bytes {
        return text;
    }
    let mut end = bytes;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        cut(text).tokens.into_iter().map(|token| token.word).collect()
    }

    #[test]
    fn words_as_people_and_machines_write_them() {
        for (text, wanted) in [
            ("Checkout is down", "checkout is down"),
            ("INC-142", "inc 142"),
            ("db-7.eu-west", "db 7 eu west"),
            ("disk_1 100 % full", "disk 1 100 full"),
            ("ORA-00942: table or view", "ora 00942 table or view"),
            ("https://run.example/a?b=c#d", "https run example a b c d"),
            ("10.0.0.1 fe80::1", "10 0 0 1 fe80 1"),
            ("ana@example.org", "ana example org"),
            ("", ""),
            (" -- …!", ""),
        ] {
            assert_eq!(words(text).join(" "), wanted, "{text}");
        }
    }

    #[test]
    fn letters_meet_whatever_their_case_and_their_accents() {
        for (one, other) in [
            ("Überlast", "uberlast"),
            ("STRASSE", "Straße"),
            ("STRAẞE", "strasse"),
            ("ΟΔΌΣ", "οδος"),
            ("ПЛАТЁЖ", "платеж"),
            ("İstanbul ISPARTA ılık", "istanbul isparta ilik"),
            ("e\u{301}tude", "Étude"),
            ("ﬁle Ｄｉｓｋ", "file disk"),
            ("Łódź Ærø", "lodz aero"),
            ("مُحَمَّد", "محمد"),
            ("أحمد", "احمد"),
            ("שָׁלוֹם", "שלום"),
            ("co\u{ad}operate", "cooperate"),
            ("K", "k"),
        ] {
            assert_eq!(words(one), words(other), "{one} {other}");
        }
        // Words that differ by a vowel sign or a voicing mark differ.
        assert_ne!(words("कि"), words("की"));
        assert_ne!(words("が"), words("か"));
        assert_eq!(words("か\u{3099}"), words("が"));
    }

    #[test]
    fn scripts_without_spaces_are_cut_into_pairs_and_pictures_stand_alone() {
        assert_eq!(words("支付失败"), ["支付", "付失", "失败", "败"]);
        assert_eq!(words("支付failed"), ["支付", "付", "failed"]);
        assert_eq!(words("サーバー"), ["サー", "ーバ", "バー", "ー"]);
        assert_eq!(words("ｻｰﾊﾞ").first().map(String::as_str), Some("サー"));
        assert_eq!(words("서버 장애"), ["서버", "장애"]);
        assert_eq!(words("🔥🔥 fire 👩🏽\u{200d}🚒"), ["🔥", "🔥", "fire", "👩", "🚒"]);
    }

    #[test]
    fn where_a_word_stands_is_said_of_the_text_itself() {
        for text in ["Über db-7: 支付失败 🔥 Straße", "e\u{301}tude ﬁle", "ΟΔΟΣ\u{0}x"] {
            let cut = cut(text);
            for token in &cut.tokens {
                assert!(token.end > token.start && cut.text.get(token.start..token.end).is_some(), "{token:?}");
            }
        }
        let long = "x".repeat(3 * WORD_BYTES_MAX);
        assert_eq!(words(&long)[0].len(), WORD_BYTES_MAX);
        assert!(cut(&"é ".repeat(TEXT_BYTES_MAX)).text.len() <= TEXT_BYTES_MAX);
    }
}
