//! Finds a way in by the `kind` that an integration has in the organisation file, and a way out by
//! the name of its channel.
//!
//! Formats hold no state, so one of each serves the whole program; channels hold what the settings
//! say, so the program makes them once.

use allclear_domain::wire::{Channel, Inbound, Target};

use crate::inbound::alertmanager::Alertmanager;
use crate::inbound::json::Json;
use crate::inbound::pagerduty::PagerDuty;
use crate::outbound::email::Email;
use crate::outbound::webhook::Webhook;

/// All formats that come in, in the order of the documentation.
static WAYS_IN: [&dyn Inbound; 3] = [&Alertmanager, &PagerDuty, &Json];

/// The format of this kind.
#[must_use]
pub fn inbound(kind: &str) -> Option<&'static dyn Inbound> {
    WAYS_IN.into_iter().find(|way| way.kind() == kind)
}

/// All kinds, for messages that say what would work.
pub fn kinds() -> impl Iterator<Item = &'static str> {
    WAYS_IN.into_iter().map(Inbound::kind)
}

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
        assert_eq!(kinds().collect::<Vec<_>>(), ["alertmanager", "pagerduty", "json"]);
        for kind in kinds() {
            assert_eq!(inbound(kind).map(Inbound::kind), Some(kind));
        }
        assert!(inbound("carrier-pigeon").is_none());
        let channels = Channels::new("ac.example");
        for name in ["webhook", "email"] {
            assert_eq!(channels.channel(name).map(Channel::name), Some(name));
        }
        assert!(channels.channel("pigeon").is_none());
    }
}
