//! A fire drill of an escalation policy: who may start one now, its incident, and its end.
//!
//! As a test page it is an incident that is an exercise, so that all of it stands in a log: it is on no board and in no count, and
//! ends with its page. How the page walks its levels is `domain::paging::drill`.

use allclear_domain::access::{self, Principal};
use allclear_domain::ids::PageId;
use allclear_domain::paging::drill::{Ask, DRILL_DAY, DRILL_WAIT_MIN, DRILLS_PER_DAY_MAX, DRILLS_RUNNING_MAX, LIVE_PAGES_MAX};
use allclear_domain::paging::reason::DRILL;
use allclear_domain::paging::{self, Busy, NOBODY_BUSY, Page, Status};
use allclear_domain::time::{Length, after};

use super::command::{Refusal, Reply};
use super::pages::Whom;
use super::unit::Unit;
use super::{Core, Decided, Loaded, Need, Stop};

/// What drills of one policy are called where there were too many of them.
const DRILLS_OF_ONE: &str = "fire drills of one policy";
/// Why the incident of a drill ends.
pub(super) const DRILL_OVER: &str = "the fire drill has ended";

impl Core {
    /// Whether somebody may drill a policy.
    pub(super) fn may_drill(&self, who: &Principal, escalation: &str) -> Decided<()> {
        Ok(access::may_drill(&self.org, who, escalation).map_err(Refusal::from)?)
    }

    /// Starts a drill, unless one of the policy runs, or too many do.
    pub(super) fn drill(&mut self, unit: &mut Unit, who: &Principal, escalation: &str, wait: Option<Length>) -> Decided<Reply> {
        let org = self.org.clone();
        let form = org.escalation(escalation).ok_or_else(|| Refusal::NoSuchEscalation(escalation.to_owned()))?;
        if let Some(given) = wait.filter(|wait| *wait < DRILL_WAIT_MIN) {
            return Err(Refusal::WaitTooShort { given, least: DRILL_WAIT_MIN }.into());
        }
        let known = self.read.iter().find_map(|read| {
            if let Loaded::Drills(policy, found) = read
                && policy == escalation
            {
                Some(found.clone())
            } else {
                None
            }
        });
        let known = known.ok_or_else(|| Stop::Need(Need::Drills(escalation.to_owned())))?;
        if let Some((page, _)) = known.running.iter().find(|(_, policy)| policy == escalation) {
            return Err(Refusal::DrillRuns { escalation: escalation.to_owned(), page: *page }.into());
        }
        if known.running.len() >= DRILLS_RUNNING_MAX {
            return Err(Refusal::TooManyDrills(DRILLS_RUNNING_MAX).into());
        }
        if known.lately.len() >= DRILLS_PER_DAY_MAX {
            // The oldest of those that still count makes room.
            let first = known.lately[known.lately.len() - DRILLS_PER_DAY_MAX];
            // Rounded up: whoever waits as long as that is not refused once more.
            let wait = Length::from_secs(Length::between(unit.now, after(first, DRILL_DAY)).as_millis() / 1_000 + 1);
            return Err(Refusal::TooOften { what: DRILLS_OF_ONE, most: DRILLS_PER_DAY_MAX, within: DRILL_DAY, wait }.into());
        }
        if self.busy()?.too_many {
            return Err(Refusal::LiveFirst(LIVE_PAGES_MAX).into());
        }
        let name = form.name.as_deref().unwrap_or(&form.id);
        let (id, _) = self.exercise(unit, format!("DRILL of {name}: nothing is wrong"), DRILL)?;
        let page = PageId::from_bits(unit.id());
        let ask = Ask { wait, by: who.person().map(str::to_owned) };
        let whom = Whom::Drill { escalation: escalation.to_owned(), ask };
        self.start_page_with(unit, id, page, whom, None, DRILL, false)?;
        Ok(Reply::Page { id: page })
    }

    /// A person stops a drill before its end.
    pub(super) fn stop_drill(&mut self, unit: &mut Unit, who: &Principal, id: PageId) -> Decided<Reply> {
        let page = self.drilled(unit, id)?;
        if page.status == Status::Running {
            let by = who.person().map_or_else(|| "somebody".to_owned(), |id| self.name_of_person(id));
            self.change_page(unit, id, paging::Command::Stop { why: format!("{by} stopped it") })?;
            self.end_test(unit, page.incident_id(), DRILL_OVER)?;
        }
        Ok(Reply::Page { id })
    }

    /// The page of a drill.
    pub(super) fn drilled(&self, unit: &Unit, id: PageId) -> Decided<Page> {
        match self.page(unit, id) {
            Ok((page, _)) if page.drill.is_some() => Ok(page),
            Ok(_) | Err(Stop::Refused(Refusal::NoSuchPage)) => Err(Refusal::NoSuchDrill.into()),
            Err(other) => Err(other),
        }
    }

    /// Who is not asked by a drill now; read only where a level may begin.
    pub(super) fn busy_for(&self, page: Option<&Page>, command: &paging::Command) -> Decided<Busy> {
        use paging::{Command as C, SendResult};
        let drills = match (page, command) {
            (Some(page), C::RecordSend(report)) => {
                page.drill.is_some() && !matches!(report.result, SendResult::Accepted { .. } | SendResult::Delivered { .. })
            }
            (Some(page), _) => page.drill.is_some() && page.status == Status::Running,
            (None, C::Start(start)) => start.drill.is_some(),
            (None, _) => false,
        };
        if drills { self.busy() } else { Ok(NOBODY_BUSY.clone()) }
    }

    /// Who is being paged for something real. It is read when all that was decided before is durable.
    fn busy(&self) -> Decided<Busy> {
        let found = self.read.iter().find_map(|read| if let Loaded::Busy(found) = read { Some(found.clone()) } else { None });
        found.ok_or(Stop::Need(Need::Busy))
    }
}
