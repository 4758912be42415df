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
    /// Of its log.
    pub version: u64,
    /// Without what others know of it.
    pub view: Arc<IncidentView>,
}

struct Known {
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
    /// The first incidents of a list, in its order: each as the list has it, or later where it was read after it.
    pub(crate) async fn list(&self, db: &Db, filter: &Filter, limit: i64) -> Result<Vec<Arc<Boarded>>, Fault> {
        let listed = incident::versions(db, filter, limit).await?;
        // What is held here can neither change nor be forgotten while the store is asked for the others.
        let mut held: HashMap<IncidentId, Arc<Boarded>> = {
            let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let is_known = |(id, version): &(IncidentId, u64)| kept.known.get(id).filter(|known| known.one.version == *version);
            listed.iter().filter_map(|one| Some((one.0, Arc::clone(&is_known(one)?.one)))).collect()
        };
        let missing: Vec<IncidentId> = listed.iter().map(|(id, _)| *id).filter(|id| !held.contains_key(id)).collect();
        let read = incident::of_ids(db, filter, &missing).await?;
        if read.len() < missing.len() {
            // One that does not read, or that is in the list no more: as many as were asked for, each as the store says it now.
            let found = incident::list(db, filter, limit).await?;
            return Ok(found.into_iter().map(|(incident, head)| Arc::new(Boarded::of(incident, head.version))).collect());
        }
        held.extend(read.into_iter().map(|(incident, head)| (incident.id, Arc::new(Boarded::of(incident, head.version)))));
        let found: Vec<Arc<Boarded>> = listed.iter().filter_map(|(id, _)| held.get(id).cloned()).collect();
        self.keep(&found);
        Ok(found)
    }

    /// Notes what a look had, and forgets what no look had for long.
    fn keep(&self, found: &[Arc<Boarded>]) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.looks += 1;
        let look = kept.looks;
        for one in found {
            let known = kept.known.entry(one.incident.id).or_insert_with(|| Known { look, one: Arc::clone(one) });
            known.look = look;
            if known.one.version < one.version {
                known.one = Arc::clone(one);
            }
        }
        kept.known.retain(|_, known| known.look + FORGOTTEN_AFTER > look);
    }
}

impl Boarded {
    fn of(incident: Incident, version: u64) -> Self {
        let view = Arc::new(IncidentView::of(&incident, version, None));
        Self { incident, version, view }
    }
}
