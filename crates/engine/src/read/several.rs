//! What people read of incidents that stand to each other, and of what several open ones want at once.

use std::collections::{HashMap, HashSet};

use allclear_domain::access::Right;
use allclear_domain::ids::IncidentId;
use allclear_domain::incident::Incident;
use allclear_domain::incident::related::Relation;
use allclear_domain::view::{ContentionView, IncidentView, RelatedView, UnderView};
use allclear_store::rows;

use crate::read::screens::is_acted_on;
use crate::read::{IncidentFilter, NoAnswer, Queries};

impl Queries<'_> {
    /// How an incident stands to others, as they are now, its parts last and in their order; and of which it is a part. Of one
    /// that the reader may not see nothing is said.
    pub(super) async fn relations_of(&self, incident: &Incident) -> Result<(Vec<RelatedView>, Option<UnderView>), NoAnswer> {
        if incident.work.relations.is_empty() {
            return Ok((Vec::new(), None));
        }
        let references: Vec<String> = incident.work.relations.iter().map(|one| one.reference.clone()).collect();
        let found = rows::incident::of_references(self.db(), &references, &self.reach()).await?;
        let by_id: HashMap<_, &Incident> = found.iter().map(|other| (other.id, other)).collect();
        let parts: Vec<IncidentId> =
            incident.work.relations.iter().filter(|one| one.is == Relation::Child).map(|one| one.incident).collect();
        let due = rows::expectation::next_due_of(self.db(), &parts).await?;
        let due_of = |id| due.iter().find(|(known, _)| *known == id).map(|(_, at)| *at);
        let relations = incident.work.relations.iter();
        let mut relations: Vec<RelatedView> =
            relations.filter_map(|one| Some(RelatedView::of(incident, one, by_id.get(&one.incident)?, due_of(one.incident)))).collect();
        relations.sort_by_key(|one| (one.is == Relation::Child, one.rank.filter(|_| one.is == Relation::Child).unwrap_or(u32::MAX)));
        let parent = incident.work.parent().and_then(|parent| by_id.get(&parent.incident));
        Ok((relations, parent.and_then(|parent| UnderView::of(incident, parent))))
    }

    /// Of which incident each is a part, and its place there; those whose parent the reader may not see are left out. One read more,
    /// where a parent is not among them.
    pub(super) async fn under_of(&self, found: &[&Incident]) -> Result<HashMap<IncidentId, UnderView>, NoAnswer> {
        let known: HashMap<IncidentId, &Incident> = found.iter().map(|one| (one.id, *one)).collect();
        let parents = found.iter().filter(|one| one.state.is_open()).filter_map(|one| one.work.parent());
        let mut missing: Vec<String> =
            parents.filter(|parent| !known.contains_key(&parent.incident)).map(|parent| parent.reference.clone()).collect();
        missing.sort();
        missing.dedup();
        let read = rows::incident::of_references(self.db(), &missing, &self.reach()).await?;
        let known: HashMap<IncidentId, &Incident> = known.into_iter().chain(read.iter().map(|one| (one.id, one))).collect();
        let under = |one: &&Incident| Some((one.id, UnderView::of(one, known.get(&one.work.parent()?.incident)?)?));
        Ok(found.iter().filter_map(under).collect())
    }

    /// Says of those of these that are on the board what others want as well, and whether nothing of them is due. Two reads, of
    /// everything that a board has.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn fill_standing(&self, incidents: &mut [IncidentView]) -> Result<(), NoAnswer> {
        if incidents.iter().all(|one| !one.state.is_open()) {
            return Ok(());
        }
        let everything = IncidentFilter::default();
        let (board, awaited) = (Box::pin(self.board(&everything)), Box::pin(self.awaited(&everything)));
        let ((board, _), awaited) = tokio::try_join!(board, awaited)?;
        let acted_on: HashSet<String> = awaited.iter().filter(|one| is_acted_on(one.rule)).map(|one| one.incident.to_string()).collect();
        let rows: HashMap<&str, _> = board.iter().map(|row| (row.incident.id.as_str(), row)).collect();
        let sees = self.has(Right::SeeOrganisation);
        for one in incidents {
            let Some(row) = rows.get(one.id.as_str()) else { continue };
            one.contention = ContentionView::of(&row.contention).filter(|_| sees);
            one.nothing_due = Some(row.is_undue(acted_on.contains(&one.id)));
        }
        Ok(())
    }

    /// What other open incidents want of what this one does.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn contention_of(&self, reference: &str) -> Result<Option<ContentionView>, NoAnswer> {
        let (board, _) = self.board(&IncidentFilter::default()).await?;
        let row = board.iter().find(|row| row.incident.reference == reference);
        Ok(row.and_then(|row| ContentionView::of(&row.contention)).filter(|_| self.has(Right::SeeOrganisation)))
    }
}
