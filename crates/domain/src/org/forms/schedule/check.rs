//! What is wrong with a schedule: what it names that does not exist, and rotations that do not read.

use super::Schedule;
use crate::oncall::CompiledSchedule;
use crate::org::forms::checker::Checker;
use crate::org::forms::{Entry, FormKind};

impl Entry for Schedule {
    fn id(&self) -> Option<&str> {
        Some(&self.id)
    }
    fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn check<'a>(kind: FormKind, list: &'a [Self], checker: &mut Checker<'a>) {
        checker.each(kind, list, |checker, place, schedule| {
            if let Some(team) = &schedule.team {
                checker.refers(place.key("team"), FormKind::Team, team);
            }
            let layers = place.key("layers");
            for (at, layer) in schedule.layers.iter().enumerate() {
                checker.refer(&layers.index(at).key("people"), FormKind::Person, &layer.people);
            }
            for (at, layer) in schedule.layers.iter().enumerate().filter(|(_, layer)| layer.every.days_in_hours) {
                checker.warning(
                    layers.index(at).key("every"),
                    format!(
                        "`{}` is read as `{}`: turns hand over at the same time of day, and last an hour less or more when the clocks change",
                        layer.every, layer.every.length
                    ),
                    format!("write `{}`", layer.every.length),
                );
            }
            if let Err(found) = CompiledSchedule::compile(schedule) {
                checker.found(place, found);
            }
        });
    }
}
