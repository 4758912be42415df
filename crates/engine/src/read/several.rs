//! What people read of incidents that stand to each other.

use std::collections::HashMap;

use allclear_domain::incident::Incident;
use allclear_domain::view::RelatedView;
use allclear_store::rows;

use crate::read::{NoAnswer, Queries};

impl Queries<'_> {
    /// How an incident stands to others, as they are now; of one that the reader may not see nothing is said.
    pub(super) async fn relations_of(&self, incident: &Incident) -> Result<Vec<RelatedView>, NoAnswer> {
        if incident.work.relations.is_empty() {
            return Ok(Vec::new());
        }
        let references: Vec<String> = incident.work.relations.iter().map(|one| one.reference.clone()).collect();
        let found = rows::incident::of_references(self.db(), &references, &self.reach()).await?;
        let by_id: HashMap<_, &Incident> = found.iter().map(|other| (other.id, other)).collect();
        let relations = incident.work.relations.iter();
        Ok(relations.filter_map(|one| Some(RelatedView::of(one, by_id.get(&one.incident)?))).collect())
    }
}
