//! The order of an incident's parts: who commands the whole says it, and the parts are told in the same commit.
//!
//! Not here: what a place is (`domain::incident::ordering`).

use allclear_domain::ids::IncidentId;
use allclear_domain::incident::ordering::{Command, Refusal as No, rank_of, ranked};
use allclear_domain::incident::related::Relation;
use allclear_domain::incident::{self, relations};

use super::command::{Refusal, Reply};
use super::unit::Unit;
use super::{Core, Decided};

impl Core {
    /// A part gets this place among the parts of an incident, or none.
    pub(super) fn order(
        &mut self,
        unit: &mut Unit,
        id: IncidentId,
        part: IncidentId,
        rank: Option<u32>,
        why: Option<&String>,
    ) -> Decided<Reply> {
        let ((whole, _), (child, _)) = (self.incident(unit, id)?, self.incident(unit, part)?);
        // What was private with the whole and is not any more would tell of it in its log.
        if rank.is_some() && whole.private != child.private {
            return Err(Refusal::from(incident::Refusal::from(relations::Refusal::AcrossSight)).into());
        }
        let is_part = child.work.parent().is_some_and(|parent| parent.incident == id);
        if rank.is_some() && is_part && whole.state.is_open() && !child.state.is_open() {
            return Err(Refusal::from(incident::Refusal::from(No::PartIsOver { reference: child.reference })).into());
        }
        let command = Command::Order { part, reference: child.reference, rank, why: why.cloned(), ended: false };
        self.change_incident(unit, id, command)?;
        self.tell_order(unit, id, why.map(String::as_str))?;
        Ok(Reply::Incident { id, reference: whole.reference })
    }

    /// Each part whose place is another one now is told.
    pub(super) fn tell_order(&mut self, unit: &mut Unit, id: IncidentId, why: Option<&str>) -> Decided<()> {
        let (whole, _) = self.incident(unit, id)?;
        let parts = whole.work.relations.iter().filter(|one| one.is == Relation::Child);
        for part in parts.map(|one| one.incident) {
            let Some(child) = self.incident_if_any(unit, part)? else { continue };
            let hides = whole.private && !child.private;
            let rank = if hides { None } else { rank_of(&whole, part) };
            // Of what is private each is seen by others: a reason may name what they do not see.
            let why = why.filter(|_| !whole.private && !child.private);
            let known = child.work.parent().filter(|parent| parent.incident == id).and_then(|parent| parent.rank);
            if known == rank {
                continue;
            }
            let (reference, of) = (whole.reference.clone(), ranked(&whole));
            self.change_incident(unit, part, Command::Rank { parent: id, reference, rank, of, why: why.map(ToOwned::to_owned) })?;
        }
        Ok(())
    }

    /// An incident is over: it leaves its place to the next, and orders nothing any more.
    pub(super) fn leave_order(&mut self, unit: &mut Unit, id: IncidentId, how: &str) -> Decided<()> {
        let (over, _) = self.incident(unit, id)?;
        let why = Some(format!("{} {how}", over.reference)).filter(|_| !over.private);
        self.tell_order(unit, id, why.as_deref())?;
        let Some(above) = over.work.parent().map(|parent| parent.incident) else { return Ok(()) };
        match self.incident_if_any(unit, above)? {
            Some(whole) if whole.work.order.contains(&id) => {
                let command = Command::Order { part: id, reference: over.reference, rank: None, why: why.clone(), ended: true };
                self.change_incident(unit, above, command)?;
                self.tell_order(unit, above, why.as_deref())
            }
            Some(_) | None => Ok(()),
        }
    }

    /// A part is private from now on: it has no place any more among what others see, and they are not told why.
    pub(super) fn hide_from_order(&mut self, unit: &mut Unit, id: IncidentId) -> Decided<()> {
        let (part, _) = self.incident(unit, id)?;
        let Some(above) = part.work.parent().map(|parent| parent.incident) else { return Ok(()) };
        match self.incident_if_any(unit, above)? {
            Some(whole) if !whole.private && whole.work.order.contains(&id) => {
                let command = Command::Order { part: id, reference: part.reference, rank: None, why: None, ended: true };
                self.change_incident(unit, above, command)?;
                self.tell_order(unit, above, None)
            }
            Some(_) | None => Ok(()),
        }
    }
}
