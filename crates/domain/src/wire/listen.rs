//! A connection that a channel keeps open to its vendor, over which the same comes that is else posted to `/reply/{channel}`: so
//! that the vendor need not reach us.
//!
//! Sans-I/O as the rest: a [`Listens`] says how the connection's address is asked for, what each text that comes over it is, and
//! how one is taken. Who opens it, and again after it ended, is one driver for all channels. What came over it is a
//! [`ReplyRequest`] like any other: one path decides what follows.

use std::fmt;

use super::{OwnAnswer, ReplyRequest, Request, Response};
use crate::time::Length;

/// The header that says that a request came over a connection of our own, with what names it there. No header of HTTP may have a
/// colon in its name (RFC 9110, 5.1), so that nobody can send it.
const OVER_CONNECTION: &str = ":connection";

impl ReplyRequest<'_> {
    /// What names it on the connection that we opened to the vendor ourselves, where it came over one; what comes over HTTP never
    /// has that.
    #[must_use]
    pub fn over_connection(&self) -> Option<&str> {
        self.header(OVER_CONNECTION).and_then(|name| std::str::from_utf8(name).ok())
    }
}

/// Why no connection can be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotOpened {
    /// In words, without a secret.
    pub why: String,
    /// How long the vendor asks us to wait.
    pub after: Option<Length>,
    /// Whether it stays so until somebody changes the settings, here or at the vendor.
    pub is_lasting: bool,
}

/// What a vendor sent over a connection.
#[derive(Clone, PartialEq, Eq)]
pub struct Envelope {
    /// What names it: the same where it is sent again.
    pub id: String,
    /// What would have been the body of its request.
    pub body: Vec<u8>,
    /// Whether what we answer is shown.
    pub takes_answer: bool,
}

impl fmt::Debug for Envelope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Envelope").field("id", &self.id).field("bytes", &self.body.len()).finish_non_exhaustive()
    }
}

impl Envelope {
    /// The headers of its request.
    #[must_use]
    pub fn headers(&self) -> Vec<(&'static str, &[u8])> {
        vec![(OVER_CONNECTION, self.id.as_bytes())]
    }
}

/// What a text means that came over a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// The connection is ready: from now on the vendor may send something over it.
    Ready,
    /// The vendor is about to end the connection: another one is opened before that.
    Leaving {
        /// In the vendor's word.
        why: String,
    },
    /// The vendor ends it, and opens no other until somebody changes its settings.
    Refused {
        /// In words.
        why: String,
    },
    /// Something that is to be taken.
    Brought(Envelope),
    /// Something that asks for nothing, or that does not read.
    Nothing,
}

/// A channel that keeps a connection open.
pub trait Listens: Send + Sync {
    /// What is asked so that a connection may be opened.
    fn ask(&self) -> Request;
    /// The address to open it at (`wss://…`), which is a secret: of this answer.
    ///
    /// # Errors
    /// Where it has none.
    fn address(&self, response: &Response) -> Result<String, NotOpened>;
    /// What a text means that came over it.
    fn frame(&self, text: &str) -> Frame;
    /// How an envelope is taken, with what is answered to it.
    fn taken(&self, envelope: &Envelope, answer: Option<&OwnAnswer>) -> String;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_over_a_connection_is_told_by_what_no_header_can_be_called() {
        let envelope = Envelope { id: "e1".into(), body: b"hush".to_vec(), takes_answer: true };
        let request = ReplyRequest { url: "", headers: &envelope.headers(), body: &envelope.body };
        assert_eq!(request.over_connection(), Some("e1"));
        assert_eq!(ReplyRequest { url: "", headers: &[("connection", b"e1")], body: b"" }.over_connection(), None);
        assert!(!format!("{envelope:?}").contains("hush"));
    }
}
