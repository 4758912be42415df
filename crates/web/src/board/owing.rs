//! What is owed after the end: incidents that are over and leave the board, while a regulator waits for a report of them.

use allclear_domain::view::IncidentView;
use maud::{Markup, html};

use super::TITLE_CHARS_MAX;
use crate::frame::pieces;
use crate::frame::time_text::When;

/// On the wall too: nobody looks for what ended.
pub(super) fn section(owing: &[IncidentView], when: &When) -> Markup {
    html! {
        section {
            h2 { "Owed after the end" span class="quiet" { " · reports to regulators" } }
            ul class="ended" {
                @for incident in owing {
                    @for (one, report) in incident.obligations.iter().filter_map(|one| Some((one, one.owed()?))) {
                        li {
                            (pieces::severity(incident.severity))
                            a href={ "/incidents/" (incident.reference) } {
                                span class="ref" { (incident.reference) } " " bdi { (pieces::cut(&incident.title, TITLE_CHARS_MAX)) }
                            }
                            span class="quiet" {
                                (one.name) ": " (report.name)
                                @if let Some(at) = report.due_at { ", " (when.counting(at)) }
                            }
                        }
                    }
                }
            }
        }
    }
}
