//! By what a request is known to be of its integration: the key that it brings, and where its format signs, its signature.

/// Where a sender puts its integration's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyIn {
    /// In the path, where `{key}` stands.
    Path,
    /// `Authorization: Bearer KEY`, or Basic with the key as password.
    Authorization,
    /// In the body ([`Inbound::key_in_body`](super::Inbound::key_in_body)), else in the header of this name, in lower case.
    BodyOrHeader(&'static str),
}

/// What is wrong with the key of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyFault<'a> {
    /// There is none.
    Missing,
    /// No integration has it.
    Unknown,
    /// It is of an integration of another kind; a sentence that says which.
    OtherKind(&'a str),
}

/// How the senders of a format sign what they post: in a header, the hexadecimal HMAC-SHA256 of the body under a secret
/// that they share with the integration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signature {
    /// The header of the signature, in lower case.
    pub header: &'static str,
    /// The header of the time of signing, in lower case. Where it comes with a request, its text and a colon are signed
    /// before the body, and an old request cannot be sent again.
    pub time_header: &'static str,
}

/// Why a request is not taken for its sender's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unsigned {
    /// There is none.
    #[error("it is not signed, and this integration has a `secret`: there is no header `{header}`")]
    Missing { header: &'static str },
    /// It is of something else, or made with another secret.
    #[error(
        "the signature in `{header}` is not of this body under this integration's `secret`: compare both, and what the sender calls its headers"
    )]
    Wrong { header: &'static str },
    /// The time that was signed does not read.
    #[error("the header `{header}` is no time: it holds seconds since 1970")]
    NoTime { header: &'static str },
    /// The time that was signed is not near enough.
    #[error("it was signed more than {minutes} minutes before or after its arrival: compare the clocks")]
    Stale { minutes: u64 },
}
