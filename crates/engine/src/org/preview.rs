//! What a schedule would be with a change that is not saved: judged exactly as a change that is, and nothing is kept.

use allclear_domain::access::Principal;
use allclear_domain::org::check::Spoken;
use allclear_domain::org::diff::{Form, FormKind};
use allclear_domain::org::forms::schedule::Schedule;
use allclear_domain::org::preview::preview;
use allclear_domain::view::{DifferenceView, GapView, SchedulePreviewView, ShiftView};

use super::forms::FormError;
use super::{FormProblem, OrgError, Read};
use crate::engine::Engine;

impl Engine {
    /// Eight weeks of a schedule as it would be, where it differs from what stands, and warnings of the change. The schedule may be
    /// new.
    ///
    /// # Errors
    /// As for the change itself: what would be refused is refused here.
    pub async fn preview_schedule(
        &self,
        asked: Form,
        kinds: &[Spoken],
        who: &Principal,
    ) -> Result<(SchedulePreviewView, Vec<FormProblem>), FormError> {
        self.administers(who).map_err(OrgError::from)?;
        let id = asked.id.clone();
        let read = Read::from(&self.shared.db).await?;
        let was = self.open(&read.forms)?;
        let before = was.iter().position(|form| form.kind == FormKind::Schedule && form.id == id);
        let (put, _) = self.whole(asked, &was, before.is_none())?;
        let mut will = was.clone();
        match before {
            Some(at) => will[at].clone_from(&put),
            None => will.push(put.clone()),
        }
        let problems = self.allowed(&was, &will, FormKind::Schedule, &id, kinds)?;
        let form: Schedule = serde_json::from_value(put.body).map_err(|why| OrgError::Stored(why.to_string()))?;
        let org = self.org();
        // What cannot be read was refused a moment ago.
        let seen = preview(&org, &form, self.now()).map_err(|_| OrgError::Conflict)?;
        let view = SchedulePreviewView {
            schedule: id,
            from: seen.from,
            to: seen.to,
            gaps: seen.gaps.iter().map(GapView::from).collect(),
            changes: seen.changes.iter().map(|one| DifferenceView::of(one, &org)).collect(),
            on_call: seen.on_call.iter().map(|shift| ShiftView::of(shift, &org)).collect(),
        };
        Ok((view, problems))
    }
}
