//! Finds a way in by the `kind` that an integration has in the organisation file, and a way out by
//! the name of its channel.
//!
//! Formats hold no state, so one of each serves the whole program; channels hold what the settings
//! say, so the program makes them once.

use allclear_domain::wire::{Channel, Target};

pub use crate::inbound::{format, formats, kinds, routes};
use crate::outbound::email::Email;
use crate::outbound::webhook::Webhook;

/// All channels that go out.
#[derive(Debug)]
pub struct Channels {
    webhook: Webhook,
    email: Email,
}

impl Channels {
    /// The channels; `host` ends the `Message-ID` of mails, and is the base URL's host.
    #[must_use]
    pub fn new(host: &str) -> Self {
        Self { webhook: Webhook, email: Email::new(host) }
    }

    /// The channel of this name.
    #[must_use]
    pub fn channel(&self, name: &str) -> Option<&dyn Channel> {
        let all: [&dyn Channel; 2] = [&self.webhook, &self.email];
        all.into_iter().find(|channel| channel.name() == name)
    }

    /// The channel that speaks to this target.
    #[must_use]
    pub fn for_target(&self, target: &Target) -> &dyn Channel {
        match target {
            Target::Webhook { .. } => &self.webhook,
            Target::Email { .. } => &self.email,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_is_found_by_its_own_name() {
        let channels = Channels::new("ac.example");
        for name in ["webhook", "email"] {
            assert_eq!(channels.channel(name).map(Channel::name), Some(name));
        }
        assert!(channels.channel("pigeon").is_none());
    }
}
