//! A schedule's next two weeks under its form: drawn from what is typed, or from what is stored where nothing was.

use allclear_domain::access::Principal;
use allclear_domain::oncall::CompiledSchedule;
use allclear_domain::org::forms::schedule::Schedule;
use allclear_domain::org::snapshot::Org;
use jiff::ToSpan;
use maud::{Markup, html};
use serde_json::Value;

use crate::frame::shifts_chart::{Row, draw, table};
use crate::frame::time_text::When;

/// Days of the picture.
const DAYS: i64 = 14;

/// The picture of a schedule's body; a sentence where it cannot be drawn yet.
pub(crate) fn two_weeks(org: &Org, who: &Principal, when: &When, id: Option<&str>, body: Option<&Value>) -> Markup {
    let first = when.day(when.now);
    let (from, to) = (when.begins(first), when.begins(first.checked_add(DAYS.days()).unwrap_or(first)));
    let drawn = body.and_then(|body| schedule(body, id)).filter(|form| !form.layers.is_empty()).and_then(|form| {
        let schedule = CompiledSchedule::compile(&form, org.calendars()).ok()?;
        let overrides = id.map_or(&[][..], |id| org.overrides(id));
        let rows = [Row {
            name: form.name.clone().unwrap_or_else(|| form.id.clone()),
            zone: form.time_zone.clone(),
            shifts: schedule.shifts(overrides, from, to),
            gaps: schedule.gaps(overrides, from, to),
        }];
        Some(html! { (draw(&rows, from, to, when, org, who.person())) (table(&rows, when, org)) })
    });
    html! {
        section class="section" id="two-weeks" {
            h2 { "Two weeks" span class="quiet" { " · days begin at midnight in " (when.zone()) } }
            @match drawn {
                Some(picture) => { (picture) },
                None => {
                    p class="quiet prose" { "Who would be on call stands here when the layers can be read: fill them in, then Look." }
                },
            }
        }
    }
}

/// A schedule whose id may not be chosen yet.
fn schedule(body: &Value, id: Option<&str>) -> Option<Schedule> {
    let mut body = body.as_object()?.clone();
    body.insert("id".to_owned(), id.unwrap_or("new").into());
    serde_json::from_value(Value::Object(body)).ok()
}
