//! Ways out: a message to a request, an answer to an outcome, one file a channel; and beside it what is heard back. Vendors that
//! are data are in [`described`].
//!
//! What several share: [`wording`] says a message in words, `plain` keeps text from outside from doing anything in a chat,
//! `answers` reads what HTTP says anywhere, `form` writes and reads forms, [`setting`] says what is wrong with a setting, and
//! [`veil`] hides secrets in what was answered.

mod answers;
pub mod described;
pub mod email;
mod form;
pub mod gotify;
pub mod mail_back;
pub mod matrix;
pub mod mattermost;
pub mod ntfy;
mod plain;
pub mod pushover;
pub mod setting;
pub mod slack;
pub mod slack_back;
mod slack_socket;
pub mod sms;
pub mod teams;
pub mod telegram;
mod telegram_back;
pub mod twilio;
pub mod veil;
pub mod voice;
pub mod web_push;
pub mod webhook;
mod webhook_reply;
pub mod wording;
