//! What several open incidents want at once, in a line of its own below a row: a title is never squeezed for it.

use allclear_domain::org::snapshot::Org;
use allclear_domain::view::Contention;
use maud::{Markup, html};

use crate::frame::pieces;

/// `Ana also wanted by INC-12`, `Payments (INC-9) may be under INC-3, INC-4`; who does not see the organisation reads nothing of its
/// people and services.
pub(super) fn mark(contention: &Contention, org: Option<&Org>) -> Markup {
    let Some(org) = org.filter(|_| !contention.is_empty()) else { return html! {} };
    html! {
        span class="contended" {
            @for (n, (person, others)) in contention.people.iter().enumerate() {
                @if n > 0 { " · " }
                bdi { (pieces::name(org, person)) } " also wanted by " (others.words())
            }
            @for (n, (service, at, under)) in contention.under.iter().enumerate() {
                @if n > 0 || !contention.people.is_empty() { " · " }
                bdi { (pieces::service(org, service)) } " (" (at.words()) ") may be under " (under.words())
            }
        }
    }
}
