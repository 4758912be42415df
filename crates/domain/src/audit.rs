//! Who came in, and who was given a way in or more to do: what the audit log says. What is done to incidents stands in their own
//! logs, and changes of the organisation in its versions.

use jiff::Timestamp;

use crate::actor::Actor;
use crate::ids::AuditId;

/// What happened; the word is as stored and as the API gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    SignedIn,
    SignedOut,
    /// All sessions of a person were ended.
    SignedOutEverywhere,
    PasswordChanged,
    InvitationMade,
    /// A password was chosen with it, and sessions of before ended.
    InvitationUsed,
    SetUpLinkMade,
    /// Somebody became the first administrator.
    SetUp,
    TokenMade,
    TokenRevoked,
    /// What a person may see and do.
    AccessChanged,
    /// Who acts for a team and sees what is private of it.
    ManagersChanged,
    PersonRemoved,
    /// How a person is reached, by themself or for them.
    ContactsChanged,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::SignedIn,
        Self::SignedOut,
        Self::SignedOutEverywhere,
        Self::PasswordChanged,
        Self::InvitationMade,
        Self::InvitationUsed,
        Self::SetUpLinkMade,
        Self::SetUp,
        Self::TokenMade,
        Self::TokenRevoked,
        Self::AccessChanged,
        Self::ManagersChanged,
        Self::PersonRemoved,
        Self::ContactsChanged,
    ];

    /// As stored.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::SignedIn => "signed_in",
            Self::SignedOut => "signed_out",
            Self::SignedOutEverywhere => "signed_out_everywhere",
            Self::PasswordChanged => "password_changed",
            Self::InvitationMade => "invitation_made",
            Self::InvitationUsed => "invitation_used",
            Self::SetUpLinkMade => "set_up_link_made",
            Self::SetUp => "set_up",
            Self::TokenMade => "token_made",
            Self::TokenRevoked => "token_revoked",
            Self::AccessChanged => "access_changed",
            Self::ManagersChanged => "managers_changed",
            Self::PersonRemoved => "person_removed",
            Self::ContactsChanged => "contacts_changed",
        }
    }

    /// In a sentence, before what it is about.
    #[must_use]
    pub const fn says(self) -> &'static str {
        match self {
            Self::SignedIn => "signed in",
            Self::SignedOut => "signed out",
            Self::SignedOutEverywhere => "signed out everywhere",
            Self::PasswordChanged => "changed their password",
            Self::InvitationMade => "made an invitation for",
            Self::InvitationUsed => "chose a password with an invitation",
            Self::SetUpLinkMade => "made a set-up link",
            Self::SetUp => "made the first administrator:",
            Self::TokenMade => "made the token",
            Self::TokenRevoked => "revoked the token",
            Self::AccessChanged => "changed the access of",
            Self::ManagersChanged => "changed the managers of the team",
            Self::PersonRemoved => "removed",
            Self::ContactsChanged => "changed how a page reaches",
        }
    }
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub id: AuditId,
    pub at: Timestamp,
    pub kind: Kind,
    /// Who did it.
    pub actor: Actor,
    /// Whom or what it is about, beside who did it: the id of a person, a team or a token.
    pub about: Option<String>,
    /// What of it, in words: `observer → administrator`, a token's name and scope.
    pub detail: Option<String>,
    /// From where, where somebody came over the network; a proxy's address where one stands in front and is not trusted.
    pub address: Option<String>,
}
