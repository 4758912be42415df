//! How long the services of an incident may be affected: what is left of each objective, or since when it is missed.

use allclear_domain::org::snapshot::Org;
use maud::{Markup, html};

use crate::frame::pieces;
use crate::incident::PageData;

/// Objectives that are drawn, the soonest.
const SHOWN_MAX: usize = 10;

/// A line an objective; nothing where no affected service has one.
pub(super) fn list(told: &PageData, org: &Org) -> Markup {
    let all = &told.incident.objectives;
    html! {
        @if !all.is_empty() {
            div data-live="objectives" class="group tight" {
                h2 { "Recovery objectives" }
                ul class="pairs" {
                    @for one in all.iter().take(SHOWN_MAX) {
                        li data-key={ (one.kind.word()) (one.service) } {
                            span { (one.kind.words()) " of " bdi { (pieces::service(org, &one.service)) } }
                            span {
                                @match (one.missed_at, one.ended_at) {
                                    (Some(_), None) => { span class="late" { "missed" } " " (told.when.counting(one.due_at)) },
                                    (Some(_), Some(_)) => "missed",
                                    (None, Some(_)) => span class="quiet" { "ended in time" },
                                    (None, None) => (told.when.counting(one.due_at)),
                                }
                                span class="quiet" { " of " (one.within) }
                            }
                        }
                    }
                }
                @if all.len() > SHOWN_MAX { p class="quiet small" { (all.len() - SHOWN_MAX) " later ones are not shown." } }
            }
        }
    }
}
