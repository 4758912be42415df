//! Corrective actions: added, changed, late.

use allclear_domain::access::Actor;
use allclear_domain::action::{self, Action};
use allclear_domain::event::{Head, Stream};
use allclear_domain::expect::{Expectation, Settle, Standing};
use allclear_domain::ids::{ActionId, IncidentId};
use allclear_domain::wire::NoticeKind;
use allclear_store::schema::ACTION;
use allclear_store::{Table, Write, rows};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::command::{Refusal, Reply};
use super::notices::{clock, person};
use super::streams::{ReadOnce, State};
use super::unit::Unit;
use super::{Core, Decided};

/// Why whoever has to do something about an incident may see it.
const OWNS_AN_ACTION: &str = "owns an action";

impl Core {
    /// A person adds an action.
    pub(super) fn add_action(
        &mut self,
        unit: &mut Unit,
        incident: IncidentId,
        text: &str,
        owner: &str,
        due: action::Until,
    ) -> Decided<Reply> {
        self.known_person(owner)?;
        let reference = self.incident(unit, incident)?.0.reference;
        let id = ActionId::from_bits(unit.id());
        self.admit_or_refuse(unit, incident, owner, OWNS_AN_ACTION)?;
        let (text, owner) = (text.to_owned(), owner.to_owned());
        let add = action::Command::Add { incident: Some(incident), reference: Some(reference), text, owner, due };
        self.action_command(unit, id, None, add)?;
        Ok(Reply::Action { id })
    }

    fn action_command(&mut self, unit: &mut Unit, id: ActionId, before: Option<(Action, Head)>, command: action::Command) -> Decided<()> {
        let owner = match (&command, &before) {
            (action::Command::Add { owner, .. }, _) => Some(owner),
            (_, Some((action, _))) => Some(&action.owner),
            (_, None) => None,
        };
        let zone = owner.map_or(TimeZone::UTC, |owner| self.org.zone_of(owner));
        let events = action::decide(before.as_ref().map(|(state, _)| state), command, &zone, unit.now).map_err(Refusal::from)?;
        unit.add_events(id, before, &events);
        Ok(())
    }

    /// A person's command on an action.
    pub(super) fn act_on_action(&mut self, unit: &mut Unit, id: ActionId, command: &action::Command) -> Decided<Reply> {
        if let action::Command::Assign { owner } = command {
            self.known_person(owner)?;
        }
        let before = self.read_once::<Action>(unit, id)?;
        if let (action::Command::Assign { owner }, Some(incident)) = (command, before.0.incident) {
            self.admit_or_refuse(unit, incident, owner, OWNS_AN_ACTION)?;
        }
        self.action_command(unit, id, Some(before), command.clone())?;
        Ok(Reply::Action { id })
    }

    pub(super) fn look_action(&mut self, unit: &mut Unit, expectation: &Expectation, id: ActionId) -> Decided<Option<Standing>> {
        let due_at = expectation.deadline_at().unwrap_or(expectation.next_look_at);
        let before = self.read_once::<Action>(unit, id)?;
        let found = before.0.clone();
        if found.state != action::State::Open {
            return Ok(Some(Standing::Void));
        }
        let soon = unit.now < due_at;
        let command = if soon { action::Command::Remind } else { action::Command::Miss };
        self.action_command(unit, id, Some(before), command)?;
        let mut targets = vec![person(&found.owner)];
        let text = if soon {
            format!("This action is due by {}: {}", last_time(&found), found.text)
        } else {
            // Of a private incident only those hear who may see it: the managers of its own team.
            let hidden = found.incident.map(|id| self.incident(unit, id)).transpose()?.map(|(state, _)| state).filter(|i| i.private);
            targets.extend(match hidden {
                Some(incident) => self.managers_of(&incident),
                None => self.org.managers_of_person(&found.owner),
            });
            format!("This action was due by {}: {}", last_time(&found), found.text)
        };
        // Every action that is added has an incident, in whose log stands whom it was told.
        if let Some(incident) = found.incident {
            let because = if soon { "an action is due soon" } else { "an action is late" };
            self.tell(unit, incident, NoticeKind::Reminder, &targets, text, because)?;
        }
        Ok((!soon).then_some(Standing::Missed))
    }
}

/// Until when it is to be done, as a message says it: the day that was promised, or the instant.
fn last_time(action: &Action) -> String {
    action.due_on.map_or_else(|| clock(action.due_at), |day| day.strftime("%a %-d %b %Y").to_string())
}

impl State for Action {
    type Id = ActionId;
    type Event = action::Event;
    const TABLE: &'static Table = &ACTION;
    fn decode(kind: &str, v: u16, body: &str) -> Result<Self::Event, String> {
        action::Event::decode(kind, v, body).map_err(|why| why.to_string())
    }
    fn evolve(state: Option<Self>, id: ActionId, event: &Self::Event, _: &Actor, at: Timestamp) -> Self {
        action::evolve(state, id, event, at)
    }
    fn row(&self, head: Head) -> Write {
        rows::action::put(self, head)
    }
}

impl ReadOnce for Action {
    fn stream(id: ActionId) -> Stream {
        Stream::Action(id)
    }
    fn absent() -> Refusal {
        Refusal::NoSuchAction
    }
    fn incident(&self) -> Option<IncidentId> {
        self.incident
    }
    fn encoded(event: &action::Event) -> (&'static str, u16, String) {
        (event.kind(), event.v(), event.body())
    }
    fn react(after: &Self, event: &action::Event, version: u64, at: Timestamp) -> (Vec<Expectation>, Vec<Settle>) {
        action::react(after, event, version, at)
    }
}
