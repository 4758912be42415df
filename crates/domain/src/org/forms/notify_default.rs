//! The order in which somebody is reached who set none: a row for each channel, kept once by an administrator for every newcomer.
//!
//! A page goes over what is named for its urgency, each after its own delay. A channel that no row names is used at once, as without
//! any rows: nobody is reached less because a row is missing.

use serde::{Deserialize, Serialize};

use super::about::{About, IdOf, Input, row};
use super::checker::{Checker, WITHIN_MAX};
use super::{Bundle, Entry, FormKind, Slug};
use crate::org::model::NotifyUrgency;
use crate::org::words::meant;
use crate::time::Length;

/// What the settings and the file say of it.
pub const ABOUT: About = About {
    word: "notify_default",
    plural: "Default notification rules",
    one: "default notification rule",
    purpose: "How people are reached who set no order of their own: a rule for each channel, as in push at once, a text message after 2m, a call after 5m. A channel without a rule is used at once.",
    id: IdOf::Channel,
    then: &[(FormKind::NotifyDefault, "")],
    fields: &[
        row("high", "At high urgency after", "As in 2m, and 0s for at once. Not used for it where empty.", Input::Length),
        row("low", "At low urgency after", "As in 2m, and 0s for at once. Not used for it where empty.", Input::Length),
    ],
};

/// When one channel is used for people without rules of their own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NotifyDefault {
    /// The channel, as contacts name it: `sms`.
    pub id: Slug,
    /// How long after the page reaches the person; not for high urgency where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub high: Option<Length>,
    /// The same for low urgency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low: Option<Length>,
}

impl NotifyDefault {
    /// After how long it is used, where it is.
    #[must_use]
    pub const fn after(&self, urgency: NotifyUrgency) -> Option<Length> {
        match urgency {
            NotifyUrgency::High => self.high,
            NotifyUrgency::Low => self.low,
        }
    }
}

impl Entry for NotifyDefault {
    fn id(&self) -> Option<&str> {
        Some(&self.id)
    }
    fn title(&self, _: &Bundle) -> Option<String> {
        let after = |urgency: &str, after: Option<Length>| {
            after.map(|after| if after.is_zero() { format!("{urgency} at once") } else { format!("{urgency} after {after}") })
        };
        let said: Vec<String> = after("high urgency", self.high).into_iter().chain(after("low urgency", self.low)).collect();
        Some(format!("{}: {}", self.id, if said.is_empty() { "never".to_owned() } else { said.join(", ") }))
    }

    fn check<'a>(kind: FormKind, list: &'a [Self], checker: &mut Checker<'a>) {
        let channels: Vec<&str> = checker.channels.iter().map(|form| form.name).collect();
        checker.each(kind, list, |checker, place, rule| {
            if !channels.contains(&rule.id.as_str()) {
                let shown: String = rule.id.chars().filter(|c| !c.is_control()).take(64).collect();
                checker.error(place.key("id"), format!("`{shown}` is not a channel"), meant(&rule.id, channels.iter().copied()));
            }
            for (key, after) in [("high", rule.high), ("low", rule.low)] {
                if after.is_some_and(|after| after > WITHIN_MAX) {
                    checker.error(place.key(key), format!("it is longer than {WITHIN_MAX}"), "write minutes as `5m`");
                }
            }
            if rule.high.is_none() && rule.low.is_none() {
                checker.warning(place.key("high"), format!("{} is used for nothing", rule.id), "say after how long, as in `high: 2m`");
            }
        });
    }
}
