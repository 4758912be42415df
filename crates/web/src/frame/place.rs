//! A page that stands among the others: it says of itself where it is, what it is called, who finds something there, and in
//! which lists it stands. The lists themselves are made from the table in `places.rs`.

use allclear_domain::access::Principal;
use axum::routing::MethodRouter;
use maud::{Markup, html};

use crate::App;

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
