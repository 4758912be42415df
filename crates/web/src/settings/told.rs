//! What a line of a list says of a form beside its name: what somebody looks the list through for.

use allclear_domain::org::diff::FormKind;
use allclear_domain::org::model::NotifyUrgency;
use allclear_domain::org::snapshot::Org;
use allclear_engine::read::tried::TestView;
use maud::{Markup, html};

use crate::frame::pieces;
use crate::frame::time_text::When;

/// Most people of a schedule that are named.
const NAMED_MAX: usize = 3;

/// Of the form of this id; nothing of kinds that have no more to say.
pub(super) fn of(org: &Org, kind: FormKind, id: &str, tests: &[TestView], when: &When) -> Option<Markup> {
    match kind {
        FormKind::Person => Some(person(org, id, tests, when)),
        FormKind::Schedule => org.schedule(id).map(|schedule| {
            let now = schedule.on_call_at(org.overrides(id), when.now);
            let names: Vec<String> = now.people().map(|person| pieces::name(org, person)).collect();
            html! {
                @match names.len() {
                    0 => span class="late" { "nobody is on call" },
                    1 => { bdi { (names[0]) } " is on call" },
                    _ => { bdi { (pieces::list(&names, NAMED_MAX)) } " are on call" },
                }
            }
        }),
        FormKind::Service => Some(match org.escalation_of(id) {
            Some(policy) => html! { "pages by " bdi { (policy.name.as_deref().unwrap_or(&policy.id)) } },
            None if org.catch_all().is_empty() => html! { span class="late" { "pages nobody" } },
            None => html! { "pages the catch-all" },
        }),
        FormKind::Integration => org.integration(id).map(|form| {
            html! { (form.kind) @if let Some(service) = &form.service { " · for " bdi { (pieces::service(org, service)) } } }
        }),
        FormKind::Team
        | FormKind::Override
        | FormKind::OwnContacts
        | FormKind::Escalation
        | FormKind::Route
        | FormKind::Severity
        | FormKind::Silence
        | FormKind::CatchAll
        | FormKind::Audience
        | FormKind::Calendar
        | FormKind::Target
        | FormKind::Organisation
        | FormKind::Role
        | FormKind::Plan
        | FormKind::Type
        | FormKind::Triage
        | FormKind::NotifyDefault
        | FormKind::Obligation
        | FormKind::Absence
        | FormKind::Holidays
        | FormKind::ExternalCalendar
        | FormKind::CalendarCopy
        | FormKind::TemporarySchedule => None,
        FormKind::ReportForm => Some(html! { code { (super::report_form::address_of(org, id)) } }),
    }
}

/// Their ways, and whether they answered a test.
fn person(org: &Org, id: &str, tests: &[TestView], when: &When) -> Markup {
    let ways = org.reach(id, NotifyUrgency::High);
    let mut channels: Vec<&str> = ways.iter().map(|way| way.channel).collect();
    channels.dedup();
    let answered = tests.iter().filter(|test| test.person == id).find_map(TestView::answered_at);
    html! {
        @if channels.is_empty() { "cannot be paged" }
        @else {
            (channels.join(", ")) " · "
            @match answered { Some(at) => { "answered a test " (when.time(at, &when.ago(at))) }, None => "never tested" }
        }
    }
}
