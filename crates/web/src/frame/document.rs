//! The frame around every page: head, the bar at the top, and nothing that needs a script.

use axum::response::Html;
use maud::{DOCTYPE, Markup, html};

use crate::frame::assets::{LINK_STYLE_PATH, MARK_PATH, STYLE_PATH};
use crate::frame::pieces::cut;

/// A title in a tab is cut to this many characters; browsers show fewer.
const TAB_CHARS_MAX: usize = 80;

/// The class of the page behind a message's link, which has a sheet of its own.
pub(crate) const LINK: &str = "link";

/// What a page says of itself.
pub(crate) struct Frame<'a> {
    /// For the tab.
    pub title: &'a str,
    /// The class of the body.
    pub class: &'a str,
    /// Seconds after which the page is asked for again; for pages that follow what happens.
    pub refresh_s: Option<u32>,
    /// The bar at the top.
    pub bar: Option<Markup>,
}

/// A whole document.
pub(crate) fn document(frame: &Frame<'_>, body: &Markup) -> Html<String> {
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="format-detection" content="telephone=no";
                @if let Some(seconds) = frame.refresh_s {
                    meta http-equiv="refresh" content=(seconds);
                }
                title { (cut(frame.title, TAB_CHARS_MAX)) }
                link rel="icon" type="image/svg+xml" href=(*MARK_PATH);
                link rel="stylesheet" href=(if frame.class == LINK { &*LINK_STYLE_PATH } else { &*STYLE_PATH });
            }
            body class=(frame.class) {
                @if let Some(bar) = &frame.bar { (bar) }
                (body)
            }
        }
    };
    Html(markup.into_string())
}
