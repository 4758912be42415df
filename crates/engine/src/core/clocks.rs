//! The clocks of an incident: counted by the organisation after whatever moves them, and looked at when a share of their time
//! is over. What they are is the domain's (`incident::clocks`).

use allclear_domain::expect::{Expectation, Key, Standing};
use allclear_domain::ids::IncidentId;
use allclear_domain::incident::clock::{Clock, Timed};
use allclear_domain::incident::clocks::{self, Command, Event};
use allclear_domain::incident::{self, Incident};
use allclear_domain::wire::NoticeKind;
use allclear_store::rows;

use super::due::{note_look, settle};
use super::notices::{clock, each_once};
use super::unit::Unit;
use super::{Core, Decided};

impl Core {
    /// What happened, and what that does to the clocks.
    pub(super) fn count_clocks(
        &mut self,
        unit: &mut Unit,
        id: IncidentId,
        mut events: Vec<incident::Event>,
    ) -> Decided<Vec<incident::Event>> {
        let anew = events.iter().filter_map(clocks::moves).reduce(|one, other| one || other);
        if let Some(anew) = anew {
            events.extend(self.count(unit, id, anew)?);
        }
        Ok(events)
    }

    fn count(&mut self, unit: &mut Unit, id: IncidentId, anew: bool) -> Decided<Vec<incident::Event>> {
        let (state, head) = self.incident(unit, id)?;
        if state.work.clocks.is_empty() && self.org.bundle().targets.is_empty() {
            return Ok(Vec::new());
        }
        let (from, list) = clocks::counted(&self.org, &state);
        self.incident_command(unit, id, Some((state, head)), Command::Count { from, clocks: list, anew })
    }

    /// A share of a clock's time is over, or all of it. The organisation may have changed since it was counted: then it is
    /// counted anew, and looked at when that says.
    pub(super) fn look_target(&mut self, unit: &mut Unit, expectation: &Expectation, id: IncidentId) -> Decided<()> {
        let word = if let Ok(Key::Target(word)) = expectation.key.parse() { word } else { String::new() };
        let Some(clock) = Clock::from_word(&word) else {
            settle(unit, expectation, Standing::Void, "its key does not read");
            return Ok(());
        };
        let counted = self.count(unit, id, false)?;
        let moved = !counted.is_empty();
        for event in &counted {
            self.follow(unit, id, event)?;
        }
        if moved {
            return Ok(());
        }
        let (state, _) = self.incident(unit, id)?;
        let live = state.work.clocks.get(clock).filter(|timed| clocks::standing(&state, timed) == Standing::Live);
        let Some(due_at) = live.and_then(|timed| timed.due_at) else {
            settle(unit, expectation, Standing::Void, "its clock does not run");
            return Ok(());
        };
        if due_at <= unit.now {
            settle(unit, expectation, Standing::Missed, "it did not come in time");
            return self.change_incident(unit, id, Command::Miss { clock });
        }
        self.change_incident(unit, id, Command::Warn { clock })?;
        let (state, _) = self.incident(unit, id)?;
        let next = state.work.clocks.get(clock).and_then(Timed::look_at).filter(|at| *at < due_at);
        let next = next.or_else(|| expectation.deadline_at()).unwrap_or(due_at);
        unit.write(rows::expectation::rearm(expectation, next));
        note_look(unit, next);
        Ok(())
    }

    /// Who has it hears that time runs out; when it has, their managers do as well.
    pub(super) fn follow_clocks(&mut self, unit: &mut Unit, id: IncidentId, event: &Event) -> Decided<()> {
        let (state, _) = self.incident(unit, id)?;
        match event {
            Event::Warned(body) => {
                let text = format!("{} % of the time to {} is over: due by {}.", body.share, body.clock.word(), clock(body.due_at));
                self.tell(unit, id, NoticeKind::Reminder, &whoever(&state), text, "a target is due soon")
            }
            Event::Missed(body) => {
                let mut targets = whoever(&state);
                targets.extend(self.managers_of(&state));
                targets.sort();
                targets.dedup();
                let text =
                    format!("The target to {} within {} was missed: it was due by {}.", body.clock.word(), body.within, clock(body.due_at));
                let urgency = self.org.severity(state.severity).notify;
                self.tell_at(unit, id, NoticeKind::Reminder, &targets, text, "a target was missed", urgency)?;
                Ok(())
            }
            Event::Set(_) | Event::Paused(_) | Event::Resumed(_) => Ok(()),
        }
    }
}

/// Whoever leads it, else whoever took it; nobody while nobody is known to have it.
fn whoever(state: &Incident) -> Vec<String> {
    each_once([state.holder().filter(|_| state.is_held()).map(ToOwned::to_owned)])
}
