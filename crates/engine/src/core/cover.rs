//! Nobody answered in time who was asked to cover a shift: whoever asked, and whoever manages the schedule's team, is told while
//! somebody else can still be found.
//!
//! Not here: how a request is made and answered (`org::cover`).

use allclear_domain::expect::{Expectation, Standing};
use allclear_domain::org::cover::{CoverRequest, State};

use super::due::settle;
use super::unit::Unit;
use super::{Core, Decided, Loaded, Need, Stop};
use crate::note::{COVER_KEY, note};

impl Core {
    pub(super) fn look_cover(&mut self, unit: &mut Unit, given: &Expectation) -> Decided<()> {
        let Some(id) = given.key.strip_prefix(COVER_KEY) else {
            settle(unit, given, Standing::Void, "its key does not read");
            return Ok(());
        };
        match self.stored_cover(id)? {
            Some(request) if request.state == State::Open && request.lapsed(&self.org, unit.now).is_none() => {
                let schedule = self.org.schedule_form(&request.shift.schedule);
                let team = schedule.and_then(|form| form.team.as_deref()).and_then(|id| self.org.team(id));
                let managers = team.into_iter().flat_map(|team| &team.managers).filter(|id| **id != request.asker);
                for to in std::iter::once(&request.asker).chain(managers) {
                    let text = request.unanswered(&self.org, to);
                    let ids = [unit.id(), unit.id(), unit.id()];
                    let Some(draft) = note(&self.org, to, None, format!("{}:{to}", given.key), text, ids) else { continue };
                    let node = (!self.setup.quarantined).then_some(self.setup.node);
                    unit.send_alone(&draft, node);
                }
                settle(unit, given, Standing::Missed, "nobody answered in time");
            }
            Some(request) if matches!(request.state, State::Accepted | State::Declined) => {
                settle(unit, given, Standing::Met, "it was answered");
            }
            Some(_) | None => settle(unit, given, Standing::Void, "it is not wanted, or cannot be kept, any more"),
        }
        Ok(())
    }

    fn stored_cover(&self, id: &str) -> Decided<Option<CoverRequest>> {
        let read = self
            .read
            .iter()
            .find_map(|read| if let Loaded::Cover(of, found) = read { (of == id).then(|| found.as_deref().cloned()) } else { None });
        read.ok_or_else(|| Stop::Need(Need::Cover(id.to_owned())))
    }
}
