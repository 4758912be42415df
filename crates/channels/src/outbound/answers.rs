//! What answers over HTTP have in common, whoever gives them: a channel reads what is its vendor's own and leaves the rest to
//! this. What is final is told apart from what may be tried again, and whether the message may have arrived from whether it
//! cannot have.
//!
//! Only the first bytes of a body are there ([`Response::Http`]): an answer that repeats a long message does not end, so what
//! says yes is looked for at its beginning.

use allclear_domain::time::Length;
use allclear_domain::wire::{Outcome, Response};
use serde_json::Value;

use super::wording::one_line;

/// Most of an error's words that the log keeps, in characters.
const WORDS_CHARS_MAX: usize = 200;
/// Longest wait that a body may ask for, in seconds: a week, as of the header `Retry-After`; beyond it is a mistake.
const RETRY_AFTER_MAX_S: u64 = 7 * 86_400;

/// An answer over HTTP.
#[derive(Debug, Clone, Copy)]
pub(super) struct Answer<'a> {
    pub status: u16,
    pub retry_after: Option<Length>,
    pub body: &'a str,
}

impl<'a> Answer<'a> {
    /// The answer; or what it means that there is none.
    pub(super) fn of(response: &'a Response, vendor: &str) -> Result<Self, Outcome> {
        match response {
            Response::Http { status, retry_after, body } => Ok(Self { status: *status, retry_after: *retry_after, body }),
            Response::Busy { why } => Err(Outcome::busy(why)),
            Response::Failed { why, maybe_arrived, permanent } => Err(Outcome::failed(why, *maybe_arrived, *permanent)),
            Response::Smtp { code, .. } => Err(Outcome::Rejected { why: format!("a mail server answered for {vendor}: {code}") }),
        }
    }

    /// Whether its status says yes.
    pub(super) const fn is_yes(&self) -> bool {
        matches!(self.status, 200..=299)
    }

    /// Whether it is a page for people, as of a proxy or a portal in between, and no answer.
    pub(super) fn is_page(&self) -> bool {
        self.body.trim_start().starts_with('<')
    }

    /// The body; null where it is no JSON, or was cut.
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(self.body).unwrap_or(Value::Null)
    }

    /// The body as far as it goes: what was cut is closed where the last whole value ends. Null where it is no JSON.
    pub(super) fn healed(&self) -> Value {
        serde_json::from_str(self.body).unwrap_or_else(|_| serde_json::from_str(&closed(self.body)).unwrap_or(Value::Null))
    }

    /// What stands behind this key, where the body is JSON that begins with it: all of the rest.
    pub(super) fn begins_with(&self, key: &str) -> Option<&'a str> {
        let rest = self.body.trim_start().strip_prefix('{')?.trim_start().strip_prefix('"')?;
        let rest = rest.strip_prefix(key)?.strip_prefix('"')?.trim_start().strip_prefix(':')?;
        Some(rest.trim_start())
    }

    /// `HTTP 400: …`
    fn why(&self, words: Option<&str>) -> String {
        match words.filter(|words| !words.is_empty()) {
            Some(words) => format!("HTTP {}: {words}", self.status),
            None => format!("HTTP {}", self.status),
        }
    }

    /// The vendor has it, and calls it so.
    pub(super) fn delivered(&self, id: Option<&str>) -> Outcome {
        Outcome::Delivered { receipt: id.map_or_else(|| self.why(None), |id| format!("{} {id}", self.why(None))) }
    }

    /// Never, this way.
    pub(super) fn rejected(&self, words: &str) -> Outcome {
        Outcome::Rejected { why: self.why(Some(words)) }
    }

    /// Not now.
    pub(super) fn retry(&self, words: Option<&str>, maybe_arrived: bool) -> Outcome {
        Outcome::Retry { after: self.retry_after, why: self.why(words), maybe_arrived, down: false, unanswered: false }
    }

    /// A yes in words that are not the vendor's: somebody in between may have said it.
    pub(super) fn strange(&self, vendor: &str) -> Outcome {
        self.retry(Some(&format!("this is no answer of {vendor}")), true)
    }

    /// A no, whose words are these: what its status means everywhere.
    pub(super) fn refused(&self, words: Option<&str>) -> Outcome {
        match self.status {
            300..=399 => self.rejected("redirects are not followed; set the address it leads to"),
            // Too slow, too early, too many: the receiver asks to be asked again.
            408 | 425 => self.retry(words, false),
            429 => self.retry(words.or(Some("too many messages")), false),
            400..=499 => Outcome::Rejected { why: self.why(words) },
            503 => self.retry(words, false),
            // The server's own failure may have come after it took the message.
            _ => self.retry(words, true),
        }
    }

    /// The same, where the body says how long to wait, in seconds: the longer one counts.
    #[must_use]
    pub(super) fn waiting(self, seconds: Option<u64>) -> Self {
        let said = seconds.map(|seconds| Length::from_secs(seconds.min(RETRY_AFTER_MAX_S)));
        Self { retry_after: self.retry_after.max(said), ..self }
    }
}

/// JSON that was cut, closed after its last whole value.
fn closed(body: &str) -> String {
    let (mut open, mut whole) = (Vec::new(), (0, Vec::new()));
    let (mut in_text, mut escaped) = (false, false);
    for (at, c) in body.char_indices() {
        if in_text {
            (in_text, escaped) = (escaped || c != '"', !escaped && c == '\\');
            continue;
        }
        match c {
            '"' => in_text = true,
            '{' => open.push('}'),
            '[' => open.push(']'),
            '}' | ']' => {
                open.pop();
            }
            // All before a comma is whole.
            ',' => whole = (at, open.clone()),
            _ => {}
        }
    }
    let (end, open) = whole;
    body[..end].chars().chain(open.into_iter().rev()).collect()
}

/// What an error says, as the log keeps it; nothing where that is nothing.
pub(super) fn words(said: &Value) -> Option<String> {
    plain_words(said.as_str()?)
}

/// The same of an error that is no JSON; a page for people is none.
pub(super) fn plain_words(said: &str) -> Option<String> {
    Some(one_line(said, WORDS_CHARS_MAX)).filter(|words| !words.is_empty() && !words.starts_with('<'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Answer<'_> {
        Answer { status, retry_after: Some(Length::from_secs(9)), body }
    }

    #[test]
    fn a_status_means_the_same_everywhere() {
        for (status, final_, in_doubt) in [
            (302, true, false),
            (400, true, false),
            (401, true, false),
            (404, true, false),
            (408, false, false),
            (410, true, false),
            (413, true, false),
            (425, false, false),
            (429, false, false),
            (500, false, true),
            (502, false, true),
            (503, false, false),
            (504, false, true),
        ] {
            match answer(status, "").refused(Some("because")) {
                Outcome::Rejected { why } => assert!(final_ && why.starts_with(&format!("HTTP {status}: ")), "{why}"),
                Outcome::Retry { after, why, maybe_arrived, down, unanswered } => {
                    assert_eq!((final_, maybe_arrived, down, unanswered), (false, in_doubt, false, false), "{status}");
                    assert_eq!((after, why), (Some(Length::from_secs(9)), format!("HTTP {status}: because")));
                }
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn the_beginning_of_a_body_is_enough() {
        for (body, rest) in [
            (r#"{"ok":true,"result":{"te"#, Some("true,")),
            (" { \"ok\" : true", Some("true")),
            (r#"{"no":true"#, None),
            (r#"{"okay":true"#, None),
            (r#"["ok",1]"#, None),
            ("", None),
        ] {
            let found = answer(200, body).begins_with("ok");
            assert_eq!(found.map(|found| &found[..found.len().min(5)]), rest, "{body}");
        }
        assert!(answer(200, "\n<!doctype html>").is_page() && !answer(200, "ok").is_page());
    }

    #[test]
    fn what_was_cut_is_closed_after_its_last_whole_value() {
        let whole = r#"{"ok":true,"channel":"D1","ts":"1.2","message":{"text":"a, \"b\" {[","blocks":[{"a":1},{"b":2}]}}"#;
        assert_eq!(answer(200, whole).healed()["message"]["blocks"][1]["b"], 2);
        for end in 0..whole.len() {
            let healed = answer(200, &whole[..end]).healed();
            let wanted = end > whole.find(",\"message").unwrap();
            assert_eq!(healed["ts"] == "1.2", wanted, "{end}: {healed}");
            assert!(healed.is_null() || healed.is_object(), "{healed}");
        }
        for body in ["", "words, and more", "<html>, <b>", "{", "]", "}},", "{\"a\":\"é, "] {
            assert!(!answer(200, body).healed().is_string(), "{body}");
        }
    }

    #[test]
    fn words_are_one_short_line() {
        assert_eq!(plain_words("no\r\nservice").as_deref(), Some("no service"));
        assert_eq!((plain_words(" "), plain_words("<html>"), words(&Value::Null)), (None, None, None));
        assert!(plain_words(&"🙂".repeat(10_000)).unwrap().chars().count() <= WORDS_CHARS_MAX);
        let waits = |seconds| answer(429, "").waiting(seconds).retry_after;
        assert_eq!((waits(None), waits(Some(3))), (Some(Length::from_secs(9)), Some(Length::from_secs(9))));
        assert_eq!((waits(Some(30)), waits(Some(u64::MAX))), (Some(Length::from_secs(30)), Some(Length::from_secs(RETRY_AFTER_MAX_S))));
    }
}
