//! Who is on call, and who takes over, as people ask for it. It deliberately decides nothing: the
//! resolver is `allclear_domain::oncall`, and who may is `allclear_domain::access`.

use allclear_domain::access::{may_end, may_schedule};
use allclear_domain::oncall::{Changes, NEXT_AHEAD, OnCall};
use allclear_domain::org::load::load;
use allclear_domain::org::model::{Override, TemporarySchedule};
use allclear_domain::org::snapshot::Org;
use allclear_domain::org::timetable::{Timetable, timetable};
use allclear_domain::view::{
    AwayView, ExternalCalendarView, GapView, LaneView, LoadView, OnCallPerson, OnCallView, OverrideView, ShiftView, TemporaryLaneView,
    TemporaryView, TimetableView,
};
use jiff::Timestamp;

use crate::read::{NoAnswer, Queries};

impl Queries<'_> {
    /// Who is on call everywhere, and who is next.
    ///
    /// # Errors
    /// When the asker may not see the organisation.
    pub fn on_call(&self, at: Timestamp) -> Result<Vec<OnCallView>, NoAnswer> {
        let org = self.organisation()?;
        let name = |id: &Option<String>| id.as_deref().and_then(|id| org.person(id)).map(|p| p.name.clone());
        let people = |on_call: &OnCall| -> Vec<OnCallPerson> {
            let one = |(person, because): (&String, &_)| OnCallPerson {
                person: person.clone(),
                name: org.person(person).map(|form| form.name.clone()),
                because: ToString::to_string(because),
            };
            on_call.with_rules().map(one).collect()
        };
        let mut out = Vec::new();
        for form in &org.bundle().schedules {
            let Some(schedule) = org.schedule(&form.id) else { continue };
            let to = at.checked_add(NEXT_AHEAD).unwrap_or(Timestamp::MAX);
            let Changes { now, until, next } = schedule.changes(org.overrides(&form.id), at, to);
            let (then, next_at) = next.unzip();
            let next = then.as_ref().and_then(|then| then.person.clone());
            out.push(OnCallView {
                schedule: form.id.clone(),
                name: form.name.clone().unwrap_or_else(|| form.id.clone()),
                team: form.team.clone(),
                time_zone: form.time_zone.clone(),
                person_name: name(&now.person),
                because: now.because.to_string(),
                people: people(&now),
                person: now.person,
                until,
                next_name: name(&next),
                next,
                next_at,
                next_people: then.as_ref().map(people).unwrap_or_default(),
            });
        }
        Ok(out)
    }

    /// The overrides of a schedule that run or are to come, by their start; none where there is no such
    /// schedule.
    ///
    /// # Errors
    /// When the asker may not see the organisation.
    pub fn overrides(&self, schedule: &str) -> Result<Vec<OverrideView>, NoAnswer> {
        let (org, now) = (self.organisation()?, self.engine().now());
        let mut out: Vec<OverrideView> =
            org.overrides(schedule).iter().filter(|change| change.ends_at > now).map(|change| self.override_view(&org, change)).collect();
        out.sort_by(|a, b| (a.starts_at, &a.id).cmp(&(b.starts_at, &b.id)));
        Ok(out)
    }

    fn override_view(&self, org: &Org, change: &Override) -> OverrideView {
        OverrideView {
            id: change.id.clone(),
            schedule: change.schedule.clone(),
            effect: change.effect,
            person: change.person.clone(),
            person_name: org.person(&change.person).map(|person| person.name.clone()),
            starts_at: change.starts_at,
            ends_at: change.ends_at,
            made_by: change.made_by.as_ref().map(ToString::to_string),
            may_end: may_end(org, self.who(), change).is_ok(),
        }
    }

    /// The calendars that others keep and a schedule names, in their order.
    ///
    /// # Errors
    /// When the asker may not see the organisation, there is no such schedule, or the store does not answer.
    pub async fn external_calendars(&self, schedule: &str) -> Result<Vec<ExternalCalendarView>, NoAnswer> {
        self.organisation()?.schedule_form(schedule).ok_or(NoAnswer::Missing("schedule"))?;
        Ok(self.engine().external_calendars_of(schedule).await?)
    }

    /// A schedule between two instants: who is on call, its layers, overrides, and who is away.
    ///
    /// # Errors
    /// When the asker may not see the organisation, or there is no such schedule that can be read.
    pub fn timetable(&self, schedule: &str, from: Timestamp, to: Timestamp) -> Result<TimetableView, NoAnswer> {
        let org = self.organisation()?;
        let form = org.schedule_form(schedule).ok_or(NoAnswer::Missing("schedule"))?;
        let Timetable { from, to, cut, on_call, gaps, layers, temporary, overrides, away } =
            timetable(&org, schedule, from, to).ok_or(NoAnswer::Missing("schedule"))?;
        let name = |id: &str| org.person(id).map(|person| person.name.clone());
        Ok(TimetableView {
            schedule: form.id.clone(),
            name: form.name.clone().unwrap_or_else(|| form.id.clone()),
            time_zone: form.time_zone.clone(),
            from,
            to,
            cut,
            load: load(&org, &on_call).iter().map(|one| LoadView::of(one, &org)).collect(),
            on_call: on_call.iter().map(|shift| ShiftView::of(shift, &org)).collect(),
            gaps: gaps.iter().map(GapView::from).collect(),
            layers: layers.iter().map(|lane| LaneView::of(lane, &org)).collect(),
            temporary: temporary.iter().map(|lane| TemporaryLaneView::of(lane, &org)).collect(),
            overrides: overrides.iter().map(|change| self.override_view(&org, change)).collect(),
            away: away
                .into_iter()
                .map(|one| AwayView {
                    name: name(&one.person),
                    person: one.person,
                    starts_at: one.starts_at,
                    ends_at: one.ends_at,
                    needs_cover: one.needs_cover,
                    holiday: one.holiday,
                })
                .collect(),
        })
    }

    /// The temporary schedules of a schedule that hold or are to come, by their start; none where there is no such schedule.
    ///
    /// # Errors
    /// When the asker may not see the organisation.
    pub fn temporary(&self, schedule: &str) -> Result<Vec<TemporaryView>, NoAnswer> {
        let (org, now) = (self.organisation()?, self.engine().now());
        let may_end = may_schedule(&org, self.who(), schedule).is_ok();
        let of = |form: &TemporarySchedule| {
            let mut people: Vec<String> = Vec::new();
            for person in form.layers.iter().flat_map(|layer| &layer.people) {
                if !people.contains(person) {
                    people.push(person.clone());
                }
            }
            let (starts_at, ends_at) = (form.starts_at, form.ends_at);
            TemporaryView {
                id: form.id.clone(),
                schedule: form.schedule.clone(),
                name: form.name.clone(),
                starts_at,
                ends_at,
                people,
                may_end,
            }
        };
        Ok(org.temporary(schedule).into_iter().filter(|form| form.ends_at > now).map(of).collect())
    }
}
