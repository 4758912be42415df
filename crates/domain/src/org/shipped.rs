//! Response plans that are shipped: a start for whoever has none, in words that a team can work by. One is adopted into the
//! organisation, and is that organisation's own from then on: nothing of it changes with a later version of the program.
//!
//! Deliberately not here: how they are read (text is the engine's business), and what is done with one
//! ([`super::forms::plan`]).

/// A plan that is shipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shipped {
    /// Its id, which it keeps.
    pub id: &'static str,
    /// What people call it.
    pub name: &'static str,
    /// For what it is: half a sentence.
    pub purpose: &'static str,
    /// It as YAML, as one entry of `plans`.
    pub yaml: &'static str,
}

/// All of them, in the order in which they are offered.
pub const SHIPPED: [Shipped; 9] = [
    Shipped {
        id: "service-outage",
        name: "Service outage",
        purpose: "a service does not work, or works badly",
        yaml: include_str!("shipped/service-outage.yaml"),
    },
    Shipped {
        id: "data-breach",
        name: "Data breach",
        purpose: "data is where it should not be",
        yaml: include_str!("shipped/data-breach.yaml"),
    },
    Shipped {
        id: "ransomware",
        name: "Ransomware",
        purpose: "somebody encrypts, and wants money",
        yaml: include_str!("shipped/ransomware.yaml"),
    },
    Shipped {
        id: "third-party-failure",
        name: "Failure of a third party",
        purpose: "a supplier is down, and you with it",
        yaml: include_str!("shipped/third-party-failure.yaml"),
    },
    Shipped {
        id: "facility-security",
        name: "Security of a facility",
        purpose: "people in a building are in danger from others",
        yaml: include_str!("shipped/facility-security.yaml"),
    },
    Shipped {
        id: "major-it-incident",
        name: "Major IT incident",
        purpose: "the practice of ITIL: desk, bridge, resolver teams, emergency change, problem",
        yaml: include_str!("shipped/major-it-incident.yaml"),
    },
    Shipped {
        id: "hospital-downtime",
        name: "Downtime of a hospital's systems",
        purpose: "wards work on paper until the systems are back",
        yaml: include_str!("shipped/hospital-downtime.yaml"),
    },
    Shipped {
        id: "mass-casualty",
        name: "Surge of casualties",
        purpose: "more wounded than beds, commanded as HICS does",
        yaml: include_str!("shipped/mass-casualty.yaml"),
    },
    Shipped {
        id: "flood-or-fire",
        name: "Flood or fire",
        purpose: "water or fire over ground, commanded as ICS does",
        yaml: include_str!("shipped/flood-or-fire.yaml"),
    },
];

/// The one of this id.
#[must_use]
pub fn shipped(id: &str) -> Option<&'static Shipped> {
    SHIPPED.iter().find(|plan| plan.id == id)
}
