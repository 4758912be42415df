//! Ways out: a message to a request, an answer to an outcome, one file a channel.

pub mod email;
pub mod ntfy;
pub mod webhook;
pub mod wording;
