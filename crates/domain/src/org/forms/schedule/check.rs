//! What is wrong with a schedule: what it names that does not exist, and rotations that do not read.

use super::Schedule;
use crate::oncall::CompiledSchedule;
use crate::org::forms::calendar::{Calendars, readable};
use crate::org::forms::checker::Checker;
use crate::org::forms::{Entry, FormKind, holidays};
use crate::org::problem::{Place, Problem};
use crate::time::Every;

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
            for (at, layer) in schedule.layers.iter().enumerate().filter(|(_, layer)| !layer.elapsed) {
                let Every::Length { length, days_in_hours: true } = layer.every else { continue };
                checker.warning(
                    layers.index(at).key("every"),
                    format!(
                        "`{}` is read as `{length}`: turns hand over at the same time of day, and last an hour less or more when the clocks change",
                        layer.every
                    ),
                    format!("write `{length}`, or `elapsed: true` where hours that pass are meant"),
                );
            }
            let mut named = schedule.layers.iter().enumerate().filter_map(|(at, layer)| Some((at, layer.calendar.as_ref()?))).peekable();
            // Calendars are read only for whoever counts by one.
            let calendars = if named.peek().is_some() { readable(&checker.bundle.calendars, &holidays::readable(&checker.bundle.public_holidays)) } else { Calendars::new() };
            let unknown: Vec<usize> = named.filter(|(_, id)| !checker.knows(FormKind::Calendar, id)).map(|(at, _)| at).collect();
            for at in &unknown {
                let id = schedule.layers[*at].calendar.as_deref().unwrap_or_default();
                checker.refers(layers.index(*at).key("calendar"), FormKind::Calendar, id);
            }
            if let Err(found) = CompiledSchedule::compile(schedule, &calendars) {
                // What is not there is told already, with what may be meant.
                let told = |problem: &Problem| unknown.iter().any(|at| problem.place == Place::root().key("layers").index(*at).key("calendar"));
                checker.found(place, found.into_iter().filter(|problem| !told(problem)));
            }
        });
    }
}
