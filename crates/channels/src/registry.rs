//! Finds a way in by the `kind` that an integration has in the organisation file.
//!
//! Formats hold no state, so one of each serves the whole program.

use allclear_domain::wire::Inbound;

use crate::alertmanager::Alertmanager;
use crate::json::Json;
use crate::pagerduty::PagerDuty;

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
