//! The table of pages that the frame leads to, in the order in which every list shows them. A page is added with a line
//! here: its address, its name and its lists are its own to say.

use crate::app::Place;
use crate::{board, demo_outbox, find, incident, learning, me, on_call, services, settings};

pub(crate) static PLACES: [&Place; 12] = [
    &board::PLACE,
    &on_call::PLACE,
    &on_call::my_shifts::PLACE,
    &services::PLACE,
    &learning::actions::PLACE,
    &learning::reviews::PLACE,
    &learning::trends::PLACE,
    &settings::PLACE,
    &incident::declare::PLACE,
    &find::PLACE,
    &me::PLACE,
    &demo_outbox::PLACE,
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_is_called_otherwise_and_a_phone_s_bar_has_room() {
        let mut seen = BTreeSet::new();
        for place in PLACES {
            assert!(seen.insert(place.path.to_owned()) && seen.insert(place.word.to_owned()), "{}", place.path);
            assert!(place.key.is_none_or(|key| seen.insert(key.to_string())), "two places have the key of {}", place.path);
            let Place { lists, .. } = place;
            assert!(lists.rail || lists.dock || lists.menu, "nothing leads to {}", place.path);
        }
        assert!(PLACES.iter().filter(|place| place.lists.dock).count() <= 5);
    }
}
