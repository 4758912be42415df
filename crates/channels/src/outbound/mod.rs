//! Ways out: a message to a request, an answer to an outcome, one file a channel; and beside it what is heard back.

pub mod email;
pub mod ntfy;
pub mod sms;
pub mod twilio;
pub mod voice;
pub mod webhook;
mod webhook_reply;
pub mod wording;
