//! What on-call cost people in a period: the resolver's shifts, and what the logs of live pages say of calls.

use std::collections::{BTreeMap, BTreeSet};

use allclear_domain::access::standing;
use allclear_domain::ids::PageId;
use allclear_domain::oncall::SHIFTS_MAX;
use allclear_domain::org::cost::{Call, LOAD_PERIOD_MAX, cost};
use allclear_domain::org::model::Access;
use allclear_domain::org::snapshot::{Org, Target};
use allclear_domain::paging::{self, Page, Status};
use allclear_domain::view::{CarriedView, OnCallCostView, PersonCostView, ScheduleCostView};
use allclear_store::rows;
use allclear_store::rows::event::EVENTS_PER_READ_MAX;
use jiff::{SignedDuration, Timestamp};

use crate::read::{NoAnswer, Queries};

/// Steps of pages that are read for one report: of a year with fifty calls a day.
pub const LOAD_STEPS_MAX: usize = 20_000;
/// Schedules of one report: those of a house of two hundred teams.
pub const LOAD_SCHEDULES_MAX: usize = 200;
/// Pages that are read at once.
const PAGES_AT_ONCE: usize = 500;

/// A step of a page that asked somebody: which page, when, and whom.
type Reached = (PageId, Timestamp, paging::StepReached);

/// Which schedules are reported.
#[derive(Debug, Clone, Default)]
pub struct CostFilter {
    /// Only this one, by its id.
    pub schedule: Option<String>,
    /// Only those of this team, by its id.
    pub team: Option<String>,
}

impl Queries<'_> {
    /// What each schedule cost its people from one instant to another: all of them together, and each for whoever may know.
    ///
    /// # Errors
    /// When the asker may not see the organisation, names what is not there, or the store does not answer.
    pub async fn on_call_cost(&self, filter: &CostFilter, from: Timestamp, to: Timestamp) -> Result<OnCallCostView, NoAnswer> {
        let org = self.organisation()?;
        if let Some(id) = &filter.schedule {
            org.schedule_form(id).ok_or(NoAnswer::Missing("schedule"))?;
        }
        if let Some(id) = &filter.team {
            org.team(id).ok_or(NoAnswer::Missing("team"))?;
        }
        let longest = from.checked_add(LOAD_PERIOD_MAX).unwrap_or(Timestamp::MAX);
        let (asked, to) = (to, to.min(longest));
        let (reached, more) = self.steps_reached(from, to).await?;
        let mut cut = asked > to || more;
        let pages = self.pages_by_id(reached.iter().map(|(page, ..)| *page).collect()).await?;
        let mut calls: BTreeMap<String, Vec<Call>> = BTreeMap::new();
        for (id, at, body) in &reached {
            let Some(page) = pages.get(id).filter(|page| !page.alone && page.drill.is_none()) else { continue };
            for call in calls_of(&org, page, *at, body) {
                calls.entry(call.schedule.clone()).or_default().push(call);
            }
        }
        let took = |page: &Page| Some((page.id, page.ended_at?.duration_since(page.started_at)));
        let answered: BTreeMap<PageId, SignedDuration> =
            pages.values().filter(|page| page.status == Status::Acknowledged).filter_map(took).collect();
        let mut forms: Vec<_> = org
            .bundle()
            .schedules
            .iter()
            .filter(|form| filter.schedule.as_ref().is_none_or(|id| *id == form.id))
            .filter(|form| filter.team.is_none() || filter.team == form.team)
            .collect();
        cut |= forms.len() > LOAD_SCHEDULES_MAX;
        forms.truncate(LOAD_SCHEDULES_MAX);
        let own = standing(&org, self.who());
        let mut schedules = Vec::with_capacity(forms.len());
        for form in forms {
            let shifts = org.schedule(&form.id).map(|schedule| schedule.shifts(org.overrides(&form.id), from, to)).unwrap_or_default();
            cut |= shifts.len() >= SHIFTS_MAX;
            let found = cost(&org, &shifts, calls.get(&form.id).map_or(&[], Vec::as_slice), &answered);
            let all = own.access == Access::Administrator || form.team.as_ref().is_some_and(|team| own.manages.contains(team));
            let shown = |person: &String| all || self.who().person() == Some(person.as_str());
            schedules.push(ScheduleCostView {
                schedule: form.id.clone(),
                name: form.name.clone().unwrap_or_else(|| form.id.clone()),
                team: form.team.clone(),
                people: u32::try_from(found.people.len()).unwrap_or(u32::MAX),
                total: CarriedView::of(&found.total),
                each: found
                    .people
                    .iter()
                    .filter(|(person, _)| shown(person))
                    .map(|(person, carried)| PersonCostView::of(person, carried, &org))
                    .collect(),
            });
        }
        let definitions = OnCallCostView::all_definitions();
        Ok(OnCallCostView { mode: allclear_domain::event::Mode::Live.word().to_owned(), from, to, cut, schedules, definitions })
    }

    /// The steps of live pages in a period, as far as they are read, and whether there are more.
    async fn steps_reached(&self, from: Timestamp, to: Timestamp) -> Result<(Vec<Reached>, bool), NoAnswer> {
        let (mut reached, reach) = (Vec::new(), self.reach());
        let (mut on, mut read) = ((from, -1), 0);
        loop {
            let steps = rows::event::steps_reached(self.db(), on, to, &reach, EVENTS_PER_READ_MAX).await?;
            for event in &steps {
                on = (event.at, event.seq);
                let (Ok(page), Some(body)) = (event.stream.parse::<PageId>(), &event.body) else { continue };
                // One that does not read hides no other.
                if let Ok(paging::Event::StepReached(body)) = paging::Event::decode(&event.kind, event.v, body) {
                    reached.push((page, event.at, body));
                }
            }
            read += steps.len();
            if i64::try_from(steps.len()).is_ok_and(|many| many < EVENTS_PER_READ_MAX) {
                return Ok((reached, false));
            }
            if read >= LOAD_STEPS_MAX {
                return Ok((reached, true));
            }
        }
    }

    async fn pages_by_id(&self, ids: BTreeSet<PageId>) -> Result<BTreeMap<PageId, Page>, NoAnswer> {
        let ids: Vec<PageId> = ids.into_iter().collect();
        let mut pages = BTreeMap::new();
        for some in ids.chunks(PAGES_AT_ONCE) {
            pages.extend(rows::page::get_all(self.db(), some).await?.into_iter().map(|(page, _)| (page.id, page)));
        }
        Ok(pages)
    }
}

/// Whom a step called because they were on call. A step that names one schedule says so itself; of several, whoever has the turn there.
fn calls_of(org: &Org, page: &Page, at: Timestamp, body: &paging::StepReached) -> Vec<Call> {
    if body.catch_all {
        return Vec::new();
    }
    let targets = paging::targets_at(page, org, body.step);
    let schedule = |target: &String| if let Some(Target::Schedule(id)) = Target::parse(target) { Some(id.to_owned()) } else { None };
    let schedules: Vec<String> = targets.iter().filter_map(schedule).collect();
    let only = targets.len() == 1;
    let mut calls = Vec::new();
    for id in &schedules {
        for one in &body.people {
            let on = || org.schedule(id).is_some_and(|schedule| schedule.on_call_at(org.overrides(id), at).has(&one.person));
            if only || on() {
                calls.push(Call { schedule: id.clone(), person: one.person.clone(), at, page: page.id });
            }
        }
    }
    calls
}
