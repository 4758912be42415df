//! What the settings say of a report form: the address at which anybody finds it, to be copied.

use allclear_domain::org::snapshot::Org;
use maud::{Markup, html};

use crate::app::App;
use crate::reports::PATH;

/// The path of a form: of the only one the short one.
pub(super) fn address_of(org: &Org, id: &str) -> String {
    if org.bundle().report_forms.len() == 1 { PATH.to_owned() } else { format!("{PATH}/{id}") }
}

/// Where it is.
pub(super) fn part(app: &App, org: &Org, id: &str) -> Markup {
    if org.report_form(id).is_none() {
        return html! {};
    }
    let path = address_of(org, id);
    html! {
        section class="section" aria-label="Its address" {
            h2 { "Where people find it" }
            pre tabindex="0" { code { (app.engine.base_url().trim_end_matches('/')) (path) } }
            p class="hint prose" { "Anybody who has this address can report, without signing in. " a href=(path) { "Look at it" } }
        }
    }
}
