//! What is wrong with a schedule: what it names that does not exist, and rotations that do not read.

use super::Schedule;
use crate::oncall::{CompiledSchedule, Feeds, Stranger};
use crate::org::forms::calendar::{Calendars, readable};
use crate::org::forms::checker::Checker;
use crate::org::forms::external_calendar::LOOK_AHEAD;
use crate::org::forms::{Entry, FormKind};
use crate::org::problem::{Place, Problem};
use crate::time::Every;
use crate::time::whole_micros;

impl Entry for Schedule {
    fn id(&self) -> Option<&str> {
        Some(&self.id)
    }
    fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn check<'a>(kind: FormKind, list: &'a [Self], checker: &mut Checker<'a>) {
        // Read only for whoever names one.
        let mut feeds = None;
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
            let calendars = if named.peek().is_some() { readable(&checker.bundle.calendars, &checker.bundle.holiday_lists()) } else { Calendars::new() };
            let unknown: Vec<usize> = named.filter(|(_, id)| !checker.knows(FormKind::Calendar, id)).map(|(at, _)| at).collect();
            for at in &unknown {
                let id = schedule.layers[*at].calendar.as_deref().unwrap_or_default();
                checker.refers(layers.index(*at).key("calendar"), FormKind::Calendar, id);
            }
            checker.refer(&place.key("external_calendars"), FormKind::ExternalCalendar, &schedule.external_calendars);
            if schedule.external_calendars.len() > FEEDS_MAX {
                let words = format!("{} external calendars are more than {FEEDS_MAX}", schedule.external_calendars.len());
                checker.error(place.key("external_calendars"), words, "put their events into one");
            }
            let compiled = CompiledSchedule::compile(schedule, &calendars);
            if let Ok(compiled) = &compiled
                && !schedule.external_calendars.is_empty()
            {
                let feeds = feeds.get_or_insert_with(|| Feeds::of(&checker.bundle.external_calendars, &checker.bundle.calendar_copies, &checker.bundle.people));
                said_by_calendars(checker, &place.key("external_calendars"), &compiled.clone().fed(schedule, feeds));
            }
            if let Err(found) = compiled {
                // What is not there is told already, with what may be meant.
                let told = |problem: &Problem| unknown.iter().any(|at| problem.place == Place::root().key("layers").index(*at).key("calendar"));
                checker.found(place, found.into_iter().filter(|problem| !told(problem)));
            }
        });
    }
}

/// Most calendars that others keep of one schedule.
const FEEDS_MAX: usize = 5;
/// Most events of one schedule that are told at once.
const TOLD_MAX: usize = 5;

/// What of the calendars that others keep puts nobody on though it means to: never silently a gap.
fn said_by_calendars(checker: &mut Checker<'_>, place: &Place, schedule: &CompiledSchedule) {
    for state in schedule.feed_states() {
        if let Some(why) = &state.unreadable {
            let hint = "until it is read the schedule's layers count";
            checker.warning(place.clone(), format!("calendar \"{}\" has nobody on: {why}", state.name), hint);
        }
        for fault in state.faults.iter().take(TOLD_MAX) {
            let words = format!("an event of calendar \"{}\" cannot be read, so that nobody is on by it: {fault}", state.name);
            checker.warning(place.clone(), words, "change it there, or put somebody on by an override");
        }
        if state.faults_count > TOLD_MAX {
            let more = state.faults_count - TOLD_MAX;
            checker.warning(
                place.clone(),
                format!("{more} more events of calendar \"{}\" cannot be read", state.name),
                "change them there",
            );
        }
    }
    let from = whole_micros(checker.now);
    let (strangers, is_cut) = schedule.strangers(from, from.saturating_add(LOOK_AHEAD).unwrap_or(from));
    // An event that comes back is told once, with how often.
    let mut told: Vec<(&Stranger, usize)> = Vec::new();
    for one in &strangers {
        match told.iter_mut().find(|(other, _)| (&other.calendar, &other.said) == (&one.calendar, &one.said)) {
            Some((_, times)) => *times += 1,
            None => told.push((one, 1)),
        }
    }
    for (one, times) in told.iter().take(TOLD_MAX) {
        let words = if *times == 1 { one.to_string() } else { format!("{one}, and {} more times in eight weeks", times - 1) };
        checker.warning(place.clone(), words, "write there the name, the id or the mail address of a person");
    }
    if told.len() > TOLD_MAX {
        checker.warning(
            place.clone(),
            format!("{} more events name nobody who is known", told.len() - TOLD_MAX),
            "write there whom they mean",
        );
    }
    if is_cut {
        let words = "a calendar has more turns in four weeks than are read, so that some of them have nobody on";
        checker.warning(place.clone(), words, "take events out that come back all the time");
    }
}
