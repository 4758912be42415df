//! What several open incidents want at once, in a line of its own below a row: a title is never squeezed for it.

use allclear_domain::org::snapshot::Org;
use allclear_domain::view::{Contention, UnderView};
use maud::{Markup, html};

use crate::frame::pieces;

/// `2 of 5 under INC-7 (commander: Ana)`; `Ana also wanted by INC-12, INC-12 comes first`; of an incident whose service others stand on `Payments (INC-9) may be under INC-3, INC-4`, and of those
/// `may come of Payments (INC-9)`. Who does not see the organisation reads nothing of its people and services.
pub(super) fn mark(contention: &Contention, reference: &str, under: Option<&UnderView>, org: Option<&Org>) -> Markup {
    // What nobody put in an order is told on the page of the incident.
    let under = under.filter(|under| under.of > 0);
    let Some(org) = org.filter(|_| under.is_some() || !contention.is_empty()) else { return html! {} };
    let (own, others): (Vec<_>, Vec<_>) =
        contention.under.iter().partition(|(_, at, _)| at.references.iter().any(|known| known == reference));
    let mut parts: Vec<Markup> = Vec::new();
    parts.extend(under.map(|under| html! { bdi class="place" { (under.words(&|id| pieces::name(org, id))) } }));
    for one in &contention.people {
        parts.push(html! {
            bdi { (pieces::name(org, &one.person)) } " also wanted by " (one.others.words())
            @if let Some(first) = &one.first { ", " (first) " comes first" }
        });
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
