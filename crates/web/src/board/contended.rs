//! What several open incidents want at once, in a line of its own below a row: a title is never squeezed for it.

use allclear_domain::org::snapshot::Org;
use allclear_domain::view::Contention;
use maud::{Markup, html};

use crate::frame::pieces;

/// `Ana also wanted by INC-12`; of an incident whose service others stand on `Payments (INC-9) may be under INC-3, INC-4`, and of those
/// `may come of Payments (INC-9)`. Who does not see the organisation reads nothing of its people and services.
pub(super) fn mark(contention: &Contention, reference: &str, org: Option<&Org>) -> Markup {
    let Some(org) = org.filter(|_| !contention.is_empty()) else { return html! {} };
    let (own, others): (Vec<_>, Vec<_>) =
        contention.under.iter().partition(|(_, at, _)| at.references.iter().any(|known| known == reference));
    let mut parts: Vec<Markup> = Vec::new();
    for (person, others) in &contention.people {
        parts.push(html! { bdi { (pieces::name(org, person)) } " also wanted by " (others.words()) });
    }
    for (service, at, under) in own {
        parts.push(html! { bdi { (pieces::service(org, service)) } " (" (at.words()) ") may be under " (under.words()) });
    }
    if !others.is_empty() {
        parts.push(html! {
            "may come of "
            @for (n, (service, at, _)) in others.iter().enumerate() {
                @if n > 0 { ", " }
                bdi { (pieces::service(org, service)) } " (" (at.words()) ")"
            }
        });
    }
    html! {
        span class="contended" {
            @for (n, part) in parts.iter().enumerate() { @if n > 0 { " · " } (part) }
        }
    }
}
