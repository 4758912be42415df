//! What boards show of incidents, kept between two looks.
//!
//! A board of a thousand is looked at again at each change of one of them, and every page of an incident asks what the others want of
//! the same people. Which incidents those are is asked of the store each time; one whose version is known is not read again.
//!
//! Invariant: who sees what is decided by the store's answer. What is kept here is given to nobody whose list does not have it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use allclear_domain::ids::IncidentId;
use allclear_domain::incident::Incident;
use allclear_domain::view::IncidentView;
use allclear_store::rows::incident::{self, Filter};
use allclear_store::{Db, Fault};

/// Looks at boards after which one that none of them had is forgotten: as many as a dozen readers with lists of their own take within
/// a minute or so.
const FORGOTTEN_AFTER: u64 = 64;

/// An incident as it stands on a board.
#[derive(Debug)]
pub(crate) struct Boarded {
    pub incident: Incident,
    /// Without what others know of it.
    pub view: Arc<IncidentView>,
}

struct Known {
    version: u64,
    /// The look that had it last.
    look: u64,
    one: Arc<Boarded>,
}

/// What is kept.
#[derive(Default)]
pub(crate) struct Boards(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    looks: u64,
    known: HashMap<IncidentId, Known>,
}

impl Boards {
    /// The first incidents of a list, in its order.
    pub(crate) async fn list(&self, db: &Db, filter: &Filter, limit: i64) -> Result<Vec<Arc<Boarded>>, Fault> {
        let listed = incident::versions(db, filter, limit).await?;
        let missing: Vec<IncidentId> = {
            let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let is_known = |(id, version): &&(IncidentId, u64)| kept.known.get(id).is_some_and(|known| known.version == *version);
            listed.iter().filter(|one| !is_known(one)).map(|(id, _)| *id).collect()
        };
        let read = incident::of_ids(db, filter, &missing).await?;
        if read.len() < missing.len() {
            // One that does not read, or that changed meanwhile: as many as were asked for, each as the store says it now.
            let found = incident::list(db, filter, limit).await?;
            return Ok(found.into_iter().map(|(incident, head)| Arc::new(Boarded::of(incident, head.version))).collect());
        }
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.looks += 1;
        let look = kept.looks;
        for (incident, head) in read {
            let id = incident.id;
            kept.known.insert(id, Known { version: head.version, look, one: Arc::new(Boarded::of(incident, head.version)) });
        }
        let mut found = Vec::with_capacity(listed.len());
        for (id, _) in &listed {
            if let Some(known) = kept.known.get_mut(id) {
                known.look = look;
                found.push(Arc::clone(&known.one));
            }
        }
        kept.known.retain(|_, known| known.look + FORGOTTEN_AFTER > look);
        Ok(found)
    }
}

impl Boarded {
    fn of(incident: Incident, version: u64) -> Self {
        let view = Arc::new(IncidentView::of(&incident, version, None));
        Self { incident, view }
    }
}
