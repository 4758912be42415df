//! What incidents need from elsewhere: asked for, promised, held up, declined, there and given back; and what must be true of it: a
//! time passes once and never early, and while one is to come it is awaited once.

use std::collections::BTreeMap;

use allclear_domain::expect::{Expectation, Rule, Standing};
use allclear_domain::ids::IncidentId;
use allclear_domain::incident::resources::{self, Said};
use allclear_domain::time::Length;
use allclear_engine::core::Command;
use jiff::Timestamp;

use crate::oracle::work::ResourceModel;
use crate::ports::Dice;
use crate::world::World;

/// Of a thousand deeds, how many are about resources; and of an incident that wants some.
const DEEDS: u64 = 120;
const DEEDS_WHERE_WANTED: u64 = 400;
/// Resources of an incident that somebody names.
const RESOURCES: u64 = 2;

/// What somebody does about them, where they do: with dice of its own.
pub(crate) fn deed(id: IncidentId, wanted: usize, own: &mut Dice) -> Option<Command> {
    if !own.chance(if wanted > 0 { DEEDS_WHERE_WANTED } else { DEEDS }) {
        return None;
    }
    let organisation = own.chance(500).then(|| format!("org{}", own.below(2)));
    let within = own.chance(700).then(|| Length::from_secs(*own.pick(&[60, 600, 3_600, 90_000])));
    if own.chance(if wanted > 0 { 150 } else { 600 }) {
        return Some(Command::incident(
            id,
            resources::Command::Want { what: "pump".into(), quantity: 2, organisation, place: None, within },
        ));
    }
    let said = *own.pick(&[Said::Ordered, Said::Ordered, Said::OnTheWay, Said::Arrived, Said::Declined, Said::Released, Said::Withdrawn]);
    let within = within.filter(|_| matches!(said, Said::Ordered | Said::OnTheWay));
    let resource = u32::try_from(own.between(1, RESOURCES)).unwrap_or(1);
    let command = resources::Command::Move { resource, said, organisation, within, reference: None, text: None, happened_at: None };
    Some(Command::incident(id, command))
}

impl World {
    pub(crate) fn resource_event(
        &mut self,
        id: IncidentId,
        known: &mut BTreeMap<u32, ResourceModel>,
        event: &resources::Event,
        at: Timestamp,
    ) {
        use resources::Event as E;
        match event {
            E::Wanted(body) => {
                let model = ResourceModel { needed: body.due_at, comes: None, awaited: true };
                if known.insert(body.resource, model).is_some() {
                    self.fail("I12 a resource is asked for once", format!("resource {} of {id}", body.resource));
                }
            }
            E::Ordered(body) | E::Sent(body) => {
                if let Some(model) = known.get_mut(&body.resource) {
                    model.awaited = true;
                    model.comes = body.expected_at.or(model.comes);
                }
            }
            E::Declined(body) => {
                if let Some(model) = known.get_mut(&body.resource) {
                    model.comes = None;
                }
            }
            E::Arrived(body) | E::Withdrawn(body) => {
                if let Some(model) = known.get_mut(&body.resource) {
                    model.awaited = false;
                    self.reached("a resource came, or was not wanted any more");
                }
            }
            E::Released(_) => {}
            E::Missed(body) => {
                let Some(model) = known.get_mut(&body.resource) else { return };
                let passed = |of: &mut Option<Timestamp>, said: Option<Timestamp>| match said {
                    None => true,
                    Some(said) => of.take() == Some(said) && said <= at,
                };
                let fits = model.awaited && passed(&mut model.needed, body.due_at) && passed(&mut model.comes, body.expected_at);
                if fits {
                    self.reached("a resource did not come in time");
                } else {
                    self.fail(
                        "I12 a time of a resource passes once, and never early",
                        format!("resource {} of {id} at {at}", body.resource),
                    );
                }
            }
        }
    }

    /// Each resource with a time to come is awaited once while its incident is open, and no other is.
    pub(crate) fn resources_are_awaited(&mut self, id: IncidentId, open: bool, known: &BTreeMap<u32, ResourceModel>, all: &[Expectation]) {
        for (number, model) in known {
            let key = format!("resource:{number}");
            let awaited = all.iter().filter(|e| e.standing == Standing::Live && e.rule == Rule::ResourceDue && e.key == key).count();
            let wanted = usize::from(open && model.awaited && (model.needed.is_some() || model.comes.is_some()));
            if awaited != wanted {
                self.fail("I12 a resource is awaited once", format!("{key} of {id} by {awaited}, and not by {wanted}"));
            }
        }
    }
}
