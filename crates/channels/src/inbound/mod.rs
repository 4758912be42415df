//! What comes in: a file a format, and the one list of them.
//!
//! A format is added here, with its `mod` and in [`WAYS_IN`], and nowhere else: its addresses, its key and its answers
//! are its own to say ([`Inbound`]).

pub mod alertmanager;
pub mod alertmanager_read;
pub mod clean;
pub mod grafana;
pub mod heartbeat;
pub mod json;
mod labelled;
pub mod lenient;
pub mod pagerduty;
pub mod redact;
pub mod signed;
pub mod text;

use allclear_domain::org::check::Spoken;
use allclear_domain::wire::{Inbound, Route, SetUp};

/// All formats that come in, in the order of the documentation.
static WAYS_IN: &[&dyn Inbound] =
    &[&alertmanager::Alertmanager, &grafana::Grafana, &pagerduty::PagerDuty, &json::Json, &heartbeat::Heartbeat];

/// All formats.
pub fn formats() -> impl Iterator<Item = &'static dyn Inbound> {
    WAYS_IN.iter().copied()
}

/// The format of this kind.
#[must_use]
pub fn format(kind: &str) -> Option<&'static dyn Inbound> {
    formats().find(|way| way.kind() == kind)
}

/// All kinds of integration: what organisations are checked against, and messages say would work.
pub fn kinds() -> impl Iterator<Item = Spoken> {
    formats().map(|format| Spoken { kind: format.kind(), signs: format.signature().is_some() })
}

/// How senders of each kind are pointed here.
pub fn set_ups() -> impl Iterator<Item = SetUp> {
    formats().map(Inbound::set_up)
}

/// The vendors' own addresses, beside `/in/{kind}/{key}`.
pub fn routes() -> impl Iterator<Item = &'static Route> {
    formats().flat_map(Inbound::routes)
}
