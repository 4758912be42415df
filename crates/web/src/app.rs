//! What every page has: the engine, how the pages are set up, and the table of those that the frame leads to.
//!
//! A [`Place`] says of itself where it is, what it is called, who finds something there, and in which lists it stands; the
//! table itself is `places.rs`, which nobody names but whoever puts the pages together.

use std::sync::Arc;

use allclear_domain::access::Principal;
use allclear_domain::ids::IncidentId;
use allclear_domain::org::check::Spoken;
use allclear_domain::wire::SetUp;
use allclear_engine::Engine;
use axum::routing::MethodRouter;
use jiff::Timestamp;
use maud::{Markup, html};

use crate::hub::Hub;

/// A message that a demonstration would have sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DemoMessage {
    /// When.
    pub at: Timestamp,
    /// What it is about; nothing of a note or a code.
    pub incident: Option<IncidentId>,
    /// To whom: a person's id, or `audience:ID`.
    pub person: String,
    /// `email`, `webhook`, …
    pub channel: String,
    /// What it says.
    pub text: String,
    /// The link with which it is acknowledged; empty where it has none.
    pub ack_url: String,
}

/// Gives the messages of a demonstration, oldest first.
pub type DemoOutbox = Arc<dyn Fn() -> Vec<DemoMessage> + Send + Sync>;

/// How the pages are set up.
#[derive(Clone, Default)]
pub struct WebOptions {
    /// Everybody reads as this principal, without a token: the demonstration.
    pub open_to: Option<Principal>,
    /// A command to copy that raises a first alarm, shown on an empty board.
    pub first_alarm_curl: Option<String>,
    /// The messages that would have been sent.
    pub demo_outbox: Option<DemoOutbox>,
    /// Formats of integrations that are spoken here, to choose from and to judge by.
    pub formats: Vec<Spoken>,
    /// How senders of each format are pointed here.
    pub set_ups: Vec<SetUp>,
}

/// What every handler has.
#[derive(Clone)]
pub(crate) struct App {
    pub engine: Engine,
    pub options: Arc<WebOptions>,
    pub hub: Hub,
    /// The pages that the frame leads to.
    pub places: &'static [&'static Place],
}

/// A page that the frame leads to.
pub(crate) struct Place {
    pub path: &'static str,
    /// Its name, in every list.
    pub word: &'static str,
    /// Its icon, drawn on a 20-unit square with a 1.6 stroke, so that all weigh the same beside 15-px text.
    pub strokes: &'static str,
    /// Pressed after `g`, leads there.
    pub key: Option<char>,
    pub lists: Lists,
    /// Whether it has something for somebody.
    pub leads: fn(&App, &Principal) -> bool,
    /// GET, and POST where it has one.
    pub page: fn() -> MethodRouter<App>,
}

/// In which lists a place stands.
#[derive(Clone, Copy, Default)]
pub(crate) struct Lists {
    /// The rail of a laptop.
    pub rail: bool,
    /// The bar of a phone, which has room for five.
    pub dock: bool,
    /// The page *Me*, for what the bar has no room for.
    pub menu: bool,
}

impl Lists {
    pub const DOCK: Self = Self { rail: false, dock: true, menu: false };
    pub const RAIL_DOCK: Self = Self { rail: true, dock: true, menu: false };
    pub const RAIL_MENU: Self = Self { rail: true, dock: false, menu: true };
    pub const DOCK_MENU: Self = Self { rail: false, dock: true, menu: true };
}

/// For everybody who may look at anything.
pub(crate) const ALL: fn(&App, &Principal) -> bool = |_, _| true;

impl PartialEq for Place {
    fn eq(&self, other: &Self) -> bool {
        self.path == other.path
    }
}

impl Place {
    pub(crate) fn icon(&self) -> Markup {
        html! { svg class="icon" viewBox="0 0 20 20" width="20" height="20" aria-hidden="true" { path d=(self.strokes) {} } }
    }
}
