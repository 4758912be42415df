//! Fire drills, as their pages' rows and events tell them.

use allclear_domain::access::{self, Right};
use allclear_domain::ids::PageId;
use allclear_domain::paging::{self, drill_report};
use allclear_domain::view::DrillView;
use allclear_store::rows;
use allclear_store::rows::event::EVENTS_PER_READ_MAX;

use crate::read::{NoAnswer, Queries};

/// Drills that are listed where no number is asked, the newest: those of a quarter, where there is one a day.
pub const DRILLS_LISTED: i64 = 90;
/// Events of a drill that are read: of the most people a step pages, over three ways each, at ten levels.
const EVENTS_MAX: usize = 20_000;

impl Queries<'_> {
    /// Fire drills, newest first: of one policy, or all. Nobody is named in a list.
    ///
    /// # Errors
    /// When the asker may not see the organisation, or the store does not answer.
    pub async fn drills(&self, escalation: Option<&str>, limit: i64) -> Result<Vec<DrillView>, NoAnswer> {
        self.may(Right::SeeOrganisation)?;
        let org = self.engine().org();
        let pages = rows::page::drills(self.db(), escalation, limit.clamp(1, 1_000)).await?;
        Ok(pages.iter().filter_map(|page| DrillView::of(page, &org, &[])).collect())
    }

    /// One drill, with what became of everybody at each level.
    ///
    /// # Errors
    /// Where there is none that the asker may see, or the store does not answer.
    pub async fn drill(&self, id: PageId) -> Result<DrillView, NoAnswer> {
        self.may(Right::SeeOrganisation)?;
        let org = self.engine().org();
        let missing = || NoAnswer::Missing("drill");
        let (page, _) = rows::page::get(self.db(), id).await?.filter(|(page, _)| page.drill.is_some()).ok_or_else(missing)?;
        let (mut events, mut version) = (Vec::new(), 0);
        while events.len() < EVENTS_MAX {
            let some = rows::event::of_stream(self.db(), &id.to_string(), version, EVENTS_PER_READ_MAX).await?;
            for stored in &some {
                version = stored.version;
                let Some(body) = &stored.body else { continue };
                // One that does not read hides no other.
                let Ok(event) = paging::Event::decode(&stored.kind, stored.v, body) else { continue };
                events.push((stored.at, event));
            }
            if i64::try_from(some.len()).is_ok_and(|many| many < EVENTS_PER_READ_MAX) {
                break;
            }
        }
        // A page begins with its first event, or there is nothing to tell.
        let begins = matches!(events.first(), Some((_, paging::Event::Started(_))));
        let levels = if begins { drill_report::report(id, &events).1 } else { Vec::new() };
        DrillView::of(&page, &org, &levels).ok_or_else(missing)
    }

    /// Whether the asker may start a drill of a policy.
    #[must_use]
    pub fn may_drill(&self, escalation: &str) -> bool {
        access::may_drill(&self.engine().org(), self.who(), escalation).is_ok()
    }
}
