//! Finds a way in by the `kind` that an integration has in the organisation file, and a way out by
//! the name of its channel.
//!
//! Formats hold no state, so one of each serves the whole program; channels hold what the settings
//! say, so the program makes them once.

use std::sync::Arc;

use allclear_domain::channel::{ChannelForm, WaysOut};
use allclear_domain::org::model::CONTACT_KEYS;
use allclear_domain::wire::Channel;

pub use crate::inbound::{format, formats, kinds, routes, set_ups};
use crate::outbound::described::account::Account as Vendor;
use crate::outbound::described::{Described, shipped};
use crate::outbound::email::{self, Email};
use crate::outbound::gotify::{self, Gotify};
use crate::outbound::mail_back::MailReplies;
use crate::outbound::matrix::{self, Matrix};
use crate::outbound::mattermost::{self, Mattermost};
use crate::outbound::ntfy::{self, Ntfy};
use crate::outbound::pushover::{self, Pushover};
use crate::outbound::slack::{self, Slack, Workspace};
use crate::outbound::sms::{self, Sms};
use crate::outbound::teams::{self, Teams};
use crate::outbound::telegram::{self, Telegram};
use crate::outbound::twilio::Account;
use crate::outbound::voice::{self, Voice};
use crate::outbound::web_push::vapid::Vapid;
use crate::outbound::web_push::{self, WebPush};
use crate::outbound::webhook::{self, Webhook};

/// What a channel is made with: what the settings say.
#[derive(Debug, Clone, Copy)]
pub struct Around<'a> {
    /// The base URL's host.
    pub host: &'a str,
    /// Whether there is a mail server.
    pub mail: bool,
    /// Where answers by mail go, where they are read.
    pub mail_replies: Option<&'a MailReplies>,
    /// The installation's key for pushes to browsers.
    pub vapid: Option<&'a Arc<Vapid>>,
    /// The account for text messages and calls, if there is one.
    pub telephone: Option<&'a Account>,
    /// The app in Slack, if there is one.
    pub slack: Option<&'a Workspace>,
    /// The accounts with vendors that are data.
    pub vendors: &'a [Vendor],
}

impl<'a> Around<'a> {
    /// Without a mail server and without any account.
    #[must_use]
    pub const fn nothing(host: &'a str) -> Self {
        Self { host, mail: false, mail_replies: None, vapid: None, telephone: None, slack: None, vendors: &[] }
    }
}

/// What a channel says of itself, and how it is made.
type WayOut = (&'static ChannelForm, fn(Around<'_>) -> Box<dyn Channel>);

/// All channels that go out, in the order of the documentation.
static ALL_WAYS_OUT: [WayOut; 19] = [
    (&email::FORM, |around| Box::new(Email::new(around.host, around.mail).answered_at(around.mail_replies))),
    (&webhook::FORM, |_| Box::new(Webhook)),
    (&web_push::FORM, |around| Box::new(WebPush::new(around.vapid.cloned()))),
    (&ntfy::FORM, |_| Box::new(Ntfy)),
    (&gotify::FORM, |_| Box::new(Gotify)),
    (&pushover::FORM, |_| Box::new(Pushover)),
    (&telegram::FORM, |_| Box::new(Telegram)),
    (&mattermost::FORM, |_| Box::new(Mattermost)),
    (&teams::FORM, |_| Box::new(Teams)),
    (&matrix::FORM, |_| Box::new(Matrix)),
    (&slack::FORM, |around| Box::new(Slack::new(around.slack))),
    (&sms::FORM, |around| Box::new(Sms::new(around.telephone))),
    (&voice::FORM, |around| Box::new(Voice::new(around.telephone))),
    (&shipped::ELKS, |around| Box::new(Described::new(&shipped::ELKS, around.vendors))),
    (&shipped::GATEWAYAPI, |around| Box::new(Described::new(&shipped::GATEWAYAPI, around.vendors))),
    (&shipped::PLIVO, |around| Box::new(Described::new(&shipped::PLIVO, around.vendors))),
    (&shipped::SINCH, |around| Box::new(Described::new(&shipped::SINCH, around.vendors))),
    (&shipped::TELNYX, |around| Box::new(Described::new(&shipped::TELNYX, around.vendors))),
    (&shipped::VONAGE, |around| Box::new(Described::new(&shipped::VONAGE, around.vendors))),
];

static FORMS: [&ChannelForm; ALL_WAYS_OUT.len()] = {
    let mut forms = [ALL_WAYS_OUT[0].0; ALL_WAYS_OUT.len()];
    let mut at = 1;
    while at < forms.len() {
        forms[at] = ALL_WAYS_OUT[at].0;
        at += 1;
    }
    forms
};

/// What all channels of the program say of themselves, for whatever asks without sending.
pub static WAYS_OUT: WaysOut = WaysOut(&FORMS);

/// The same, and what an installation's own descriptions say.
///
/// # Errors
/// Which of them has a name that something else has.
pub fn ways_out(vendors: &[Vendor]) -> Result<WaysOut, String> {
    let own: Vec<&'static ChannelForm> = vendors.iter().filter(|vendor| vendor.is_own).map(Vendor::form).collect();
    if own.is_empty() {
        return Ok(WAYS_OUT);
    }
    if let Some(taken) = own.iter().find(|form| WAYS_OUT.keys().contains(&form.name) || CONTACT_KEYS.contains(&form.name)) {
        return Err(format!("a description cannot be named `{}`: contacts have a key of that name", taken.name));
    }
    let all: Vec<&'static ChannelForm> = WAYS_OUT.iter().chain(own).collect();
    // It lives as long as the program.
    Ok(WaysOut(Box::leak(all.into_boxed_slice())))
}

/// All channels, made.
pub struct Channels(Vec<Box<dyn Channel>>);

impl Channels {
    /// The channels, of what the settings say.
    #[must_use]
    pub fn new(around: Around<'_>) -> Self {
        let own = around.vendors.iter().filter(|vendor| vendor.is_own);
        let own = own.map(|vendor| Box::new(Described::new(vendor.form(), around.vendors)) as Box<dyn Channel>);
        Self(ALL_WAYS_OUT.iter().map(|(_, make)| make(around)).chain(own).collect())
    }

    /// Each, in the order of the documentation.
    pub fn iter(&self) -> impl Iterator<Item = &dyn Channel> {
        self.0.iter().map(AsRef::as_ref)
    }

    /// The channel of this name.
    #[must_use]
    pub fn channel(&self, name: &str) -> Option<&dyn Channel> {
        self.iter().find(|channel| channel.form().name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_is_found_by_its_own_name() {
        let channels = Channels::new(Around { mail: true, ..Around::nothing("ac.example") });
        for form in WAYS_OUT.iter() {
            assert!(std::ptr::eq(channels.channel(form.name).unwrap().form(), form), "{}", form.name);
        }
        assert!(channels.channel("pigeon").is_none());
        let lacks = |channels: &Channels| WAYS_OUT.iter().filter_map(|form| channels.channel(form.name)?.lacks()).collect::<Vec<_>>();
        let vendors = ["--vendors"; 6];
        assert_eq!(lacks(&channels), [&["key for pushes", "--slack-token", "--twilio-account", "--twilio-account"][..], &vendors].concat());
        assert!(channels.channel("sms").unwrap().replies().is_none(), "what nobody could have signed is not heard");
        let by_service = Account::read("https://t.example", "AC1", "token", "MG1").unwrap();
        let channels = Channels::new(Around { telephone: Some(&by_service), ..Around::nothing("ac.example") });
        assert_eq!(
            lacks(&channels),
            [&["--smtp", "key for pushes", "--slack-token", "number in --twilio-from"][..], &vendors].concat(),
            "calls come from a number"
        );
    }
}
