//! How long each kind of waiting may last on the way out, and why there is no way out at all.

use std::time::Duration;

/// How long making a connection may take, looking up the name and TLS included.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// How long a whole HTTP request may take until the answer's head is there. Standard Webhooks
/// suggests 15–30 s; a page that waits that long is better tried another way.
pub const HTTP_DEADLINE: Duration = Duration::from_secs(10);
/// How long the answer's body is waited for once its head is there: the status decides, the body
/// is only for the log.
pub const BODY_PATIENCE: Duration = Duration::from_secs(2);
/// How long one phase (connect, greeting, TLS, login, sender, recipient, data) may take.
pub const PHASE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long one mail may take from first to last, waiting for a free connection included.
pub const MAIL_DEADLINE: Duration = Duration::from_secs(30);

/// Why the transports cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// The sender's address is none.
    #[error("--mail-from `{0}` is not a mail address; write it as in `allclear@example.org`")]
    MailFrom(String),
    /// TLS or the HTTP client could not be set up.
    #[error("the HTTP client cannot be set up")]
    Http(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// TLS towards the mail server could not be set up.
    #[error("TLS for the mail server cannot be set up")]
    Smtp(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// How long each kind of waiting may last; shorter in tests only.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadlines {
    pub connect: Duration,
    pub http: Duration,
    pub body: Duration,
    pub smtp_phase: Duration,
    pub smtp_total: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self { connect: CONNECT_TIMEOUT, http: HTTP_DEADLINE, body: BODY_PATIENCE, smtp_phase: PHASE_TIMEOUT, smtp_total: MAIL_DEADLINE }
    }
}
