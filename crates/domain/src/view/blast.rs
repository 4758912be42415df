//! What an incident hits and what may be hit next: the services that are affected, and those that depend on them, by how many
//! steps away they are.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

use crate::incident::Incident;
use crate::incident::affected::Impact;
use crate::org::model::Service;

/// Steps of dependence that are followed: what is further away is everything.
pub const BLAST_STEPS_MAX: u32 = 4;
/// Services that are named; of more there is a number.
pub const BLAST_SERVICES_MAX: usize = 40;

/// What an incident hits, and what may be hit next.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = BlastRadius))]
pub struct BlastView {
    /// Those that are hit first, then by how far away they are, then by name; at most 40.
    pub services: Vec<BlastService>,
    /// How many more there are.
    pub more: usize,
}

/// A service that is hit, or may be hit next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = BlastService))]
pub struct BlastService {
    /// Its id.
    pub service: String,
    pub name: String,
    /// How much it is hit; null where nobody said, or it is not.
    pub impact: Option<Impact>,
    /// 0 where it is hit, else how many steps it is away from what is.
    pub distance: u32,
    /// Ids of the services one step nearer that it depends on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub depends_on: Vec<String>,
}

impl BlastView {
    /// Of an incident, by the services that there are now.
    #[must_use]
    pub fn of(incident: &Incident, services: &[Service]) -> Self {
        let affected = &incident.work.affected;
        let own = incident.service.iter().filter(|id| !affected.contains_key(*id));
        let hit: BTreeSet<&str> =
            affected.iter().filter(|(_, impact)| **impact != Impact::None).map(|(id, _)| id).chain(own).map(String::as_str).collect();
        let mut dependents: HashMap<&str, Vec<&Service>> = HashMap::new();
        for service in services {
            for on in &service.depends_on {
                dependents.entry(on).or_default().push(service);
            }
        }
        let mut distance: BTreeMap<&str, u32> = hit.iter().map(|id| (*id, 0)).collect();
        let mut layer: Vec<&str> = hit.iter().copied().collect();
        for step in 1..=BLAST_STEPS_MAX {
            let mut next = Vec::new();
            for service in layer.iter().flat_map(|id| dependents.get(id).into_iter().flatten()) {
                // What somebody said is not affected is not guessed at.
                if !distance.contains_key(service.id.as_str()) && !affected.contains_key(&service.id) {
                    distance.insert(&service.id, step);
                    next.push(service.id.as_str());
                }
            }
            layer = next;
        }
        let known: HashMap<&str, &Service> = services.iter().map(|service| (service.id.as_str(), service)).collect();
        let one = |(id, steps): (&&str, &u32)| BlastService {
            service: (*id).to_owned(),
            name: known.get(id).map_or(*id, |service| &service.name).to_owned(),
            impact: affected.get(*id).copied(),
            distance: *steps,
            depends_on: nearer(known.get(id).copied(), *steps, &distance),
        };
        let mut all: Vec<BlastService> = distance.iter().map(one).collect();
        all.sort_by(|a, b| (a.distance, &a.name, &a.service).cmp(&(b.distance, &b.name, &b.service)));
        let more = all.len().saturating_sub(BLAST_SERVICES_MAX);
        all.truncate(BLAST_SERVICES_MAX);
        Self { services: all, more }
    }

    /// What is one step away from what is hit.
    pub fn next(&self) -> impl Iterator<Item = &BlastService> {
        self.services.iter().filter(|service| service.distance == 1)
    }

    /// What a service is called here.
    #[must_use]
    pub fn name<'a>(&'a self, id: &'a str) -> &'a str {
        self.services.iter().find(|service| service.service == id).map_or(id, |service| &service.name)
    }

    /// `Search depends on Payments and Ledger: may be hit next`.
    #[must_use]
    pub fn hint(&self, service: &BlastService) -> String {
        let on: Vec<&str> = service.depends_on.iter().map(|id| self.name(id)).collect();
        format!("{} depends on {}: may be hit next", service.name, on.join(" and "))
    }
}

fn nearer(service: Option<&Service>, steps: u32, distance: &BTreeMap<&str, u32>) -> Vec<String> {
    let Some(service) = service.filter(|_| steps > 0) else { return Vec::new() };
    let is_nearer = |id: &&String| distance.get(id.as_str()).is_some_and(|other| other + 1 == steps);
    let found: BTreeSet<&String> = service.depends_on.iter().filter(is_nearer).collect();
    found.into_iter().cloned().collect()
}
