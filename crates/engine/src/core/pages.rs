//! Commands on pages.

use allclear_domain::event::Head;
use allclear_domain::ids::PageId;
use allclear_domain::paging::{self, Page};

use super::command::{Refusal, Reply};
use super::unit::Unit;
use super::{Core, Decided};

impl Core {
    /// Decides a command on a page and folds its events; messages go to the outbox with them.
    pub(super) fn page_command(
        &mut self,
        unit: &mut Unit,
        id: PageId,
        before: Option<(Page, Head)>,
        command: paging::Command,
    ) -> Decided<Vec<paging::Event>> {
        let mut ids = unit.ids.clone();
        let mut context = paging::Context { now: unit.now, org: &self.org, ids: &mut ids };
        let events = paging::decide(before.as_ref().map(|(state, _)| state), command, &mut context).map_err(Refusal::from)?;
        unit.ids = ids;
        let node = (!self.setup.quarantined).then_some(self.setup.node);
        unit.page_events(id, before, &events, node);
        Ok(events)
    }

    /// A command on a page that exists.
    pub(super) fn change_page(&mut self, unit: &mut Unit, id: PageId, command: paging::Command) -> Decided<Vec<paging::Event>> {
        let before = self.page(unit, id)?;
        self.page_command(unit, id, Some(before), command)
    }

    /// Somebody acts on a page: an acknowledgement is one of its incident, and stops every page.
    pub(super) fn act_on_page(&mut self, unit: &mut Unit, id: PageId, command: &paging::Command) -> Decided<Reply> {
        let (page, _) = self.page(unit, id)?;
        match command {
            // What only tells is no way to take an incident: its page refuses.
            paging::Command::Acknowledge { by, via } if page.status != paging::Status::Told => {
                self.acknowledge(unit, page.incident_id(), by.clone(), via)?;
            }
            other => {
                self.change_page(unit, id, other.clone())?;
            }
        }
        Ok(Reply::Page { id })
    }
}
