//! What the catalogue adds to the roles of an incident for whoever reads it: their names, their cards, and what is worth
//! knowing of who has them. It warns where something is decided, and refuses nothing.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{DutyView, IncidentView, RoleView};
use crate::incident::roles::COMMANDER;
use crate::incident::work::TaskState;
use crate::org::forms::role::DutyWhen;
use crate::org::snapshot::{Org, RoleSetting, Target};
use crate::time::{Length, after};

/// Most people whom one commander leads without a warning: the incident command system has three to seven, five at best.
pub const SPAN_MAX: usize = 7;

/// An exclusive role that somebody has in another open incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Elsewhere {
    /// A person's id.
    pub person: String,
    pub role: String,
    /// The other incident, as people call it.
    pub reference: String,
}

impl IncidentView {
    /// Fills in what the catalogue says of each role, and what is worth a warning at this instant.
    pub fn fill_roles(&mut self, org: &Org, now: Timestamp, elsewhere: &[Elsewhere]) {
        let led = led_by_commander(self);
        for view in &mut self.roles {
            let Some(setting) = org.role(&view.role) else { continue };
            view.name = Some(setting.name.clone());
            view.duties = setting
                .duties
                .iter()
                .map(|duty| DutyView { text: duty.text.clone(), when: duty.when.map(|when| when.word().to_owned()) })
                .collect();
            if self.state.is_open() {
                view.warnings = warnings(view, setting, org, now, elsewhere);
                let holder = view.person.as_ref().filter(|_| view.role == COMMANDER && led > SPAN_MAX);
                view.warnings.extend(holder.map(|holder| {
                    format!(
                        "{} leads {led} people; more than {SPAN_MAX} are hard to lead: let somebody lead a part of them",
                        name_of(org, holder)
                    )
                }));
            }
        }
    }
}

/// The parts of a card that say something, each with its heading.
pub fn card(duties: &[DutyView]) -> impl Iterator<Item = (&'static str, Vec<&str>)> {
    DutyWhen::CARD.into_iter().filter_map(|when| {
        let texts: Vec<&str> =
            duties.iter().filter(|duty| duty.when.as_deref() == when.map(DutyWhen::word)).map(|duty| duty.text.as_str()).collect();
        (!texts.is_empty()).then(|| (DutyWhen::heading(when), texts))
    })
}

/// How many people the commander leads: whoever has a role or an open task, each once.
fn led_by_commander(incident: &IncidentView) -> usize {
    let owners = incident.tasks.iter().filter(|task| task.state == TaskState::Open).filter_map(|task| task.owner.as_ref());
    let people: BTreeSet<&String> = incident.roles.iter().filter_map(|role| role.person.as_ref()).chain(owners).collect();
    people.into_iter().filter(|person| Some(*person) != incident.commander.as_ref()).count()
}

fn warnings(view: &RoleView, setting: &RoleSetting, org: &Org, now: Timestamp, elsewhere: &[Elsewhere]) -> Vec<String> {
    let mut out = Vec::new();
    if setting.exclusive {
        let people = [(&view.person, "is"), (&view.offered_to, "was asked, and is")];
        for (person, is) in people.into_iter().filter_map(|(person, is)| Some((person.as_ref()?, is))) {
            let others = elsewhere.iter().filter(|other| other.person == *person);
            out.extend(others.map(|other| format!("{} {is} {} of {} as well", name_of(org, person), other.role, other.reference)));
        }
    }
    let Some(holder) = &view.person else { return out };
    if let (Some(since), Some(most)) = (view.since, setting.relief_after)
        && after(since, most) <= now
    {
        let had = Length::from_mins(Length::between(since, now).as_millis() / 60_000);
        out.push(format!("{} has been {} for {had}: relief is due after {most}", name_of(org, holder), view.role));
    }
    if let Some(Target::Schedule(schedule)) = setting.from.as_deref().and_then(Target::parse) {
        let on_call = org.people_for(&format!("schedule:{schedule}"), now).people;
        if !on_call.iter().any(|(person, _)| person == holder) {
            out.push(format!("{} is not on call in {schedule} now", name_of(org, holder)));
        }
    }
    out
}

fn name_of<'a>(org: &'a Org, person: &'a str) -> &'a str {
    org.person(person).map_or(person, |known| known.name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::WaysOut;
    use serde_json::json;

    const AT: &str = "2026-03-01T00:00:00Z";

    fn org() -> Org {
        let people: Vec<_> = ["ana", "ben"].iter().map(|id| json!({"id": id, "name": id.to_uppercase()})).collect();
        let schedules = json!([{"id": "primary", "time_zone": "UTC", "layers": [{"people": ["ben"], "every": "1w", "handoff": "09:00", "starts": "2026-01-05"}]}]);
        let roles =
            json!([{"id": "scribe", "relief_after": "4h"}, {"id": "operations", "needed_from": "sev1", "from": "schedule:primary"}]);
        let bundle = json!({"people": people, "schedules": schedules, "roles": roles});
        Org::build(1, serde_json::from_value(bundle).unwrap(), WaysOut::NONE)
    }

    fn incident(more: serde_json::Value) -> IncidentView {
        let mut of = json!({
            "id": "inc_1", "ref": "INC-1", "title": "t", "state": "investigating", "severity": "sev2", "because": "", "recovered": false,
            "commander": "ana", "created_at": AT, "updated_at": AT, "version": 1
        });
        of.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value(of).unwrap()
    }

    fn warned(mut incident: IncidentView, hours: u64, elsewhere: &[Elsewhere]) -> Vec<String> {
        incident.fill_roles(&org(), after(AT.parse().unwrap(), Length::from_mins(60 * hours)), elsewhere);
        incident.roles.into_iter().flat_map(|role| role.warnings).collect()
    }

    #[test]
    fn who_has_a_role_too_long_or_off_shift_or_twice_is_warned_of() {
        let held = |role: &str, state: &str| incident(json!({"state": state, "roles": [{"role": role, "person": "ana", "since": AT}]}));
        let other = [Elsewhere { person: "ana".into(), role: "commander".into(), reference: "INC-3".into() }];
        assert_eq!(warned(held("scribe", "investigating"), 3, &other), [""; 0], "a scribe may have two");
        assert_eq!(warned(held("scribe", "investigating"), 5, &[]), ["ANA has been scribe for 5h: relief is due after 4h"]);
        assert_eq!(warned(held("scribe", "resolved"), 5, &[]), [""; 0], "it is over");
        assert_eq!(warned(held("commander", "investigating"), 7, &other), ["ANA is commander of INC-3 as well"]);
        assert_eq!(warned(held("operations", "investigating"), 1, &[]), ["ANA is not on call in primary now"]);
        let asked =
            incident(json!({"roles": [{"role": "commander", "person": null, "since": null, "offered_to": "ana", "offered_at": AT}]}));
        assert_eq!(warned(asked, 1, &other), ["ANA was asked, and is commander of INC-3 as well"]);
    }

    #[test]
    fn more_than_seven_people_under_one_commander_are_warned_of() {
        let tasks = |count: u32| -> Vec<_> {
            let task = |n: u32| json!({"task": n, "text": "t", "owner": format!("p{n}"), "state": "open", "added_at": AT, "due_at": null, "ended_at": null, "late": false});
            (1..=count).chain([1]).map(task).collect()
        };
        let led = |count: u32| {
            let roles = json!([{"role": "commander", "person": "ana", "since": AT}, {"role": "scribe", "person": "ben", "since": AT}]);
            warned(incident(json!({"roles": roles, "tasks": tasks(count)})), 1, &[])
        };
        assert_eq!(led(6), [""; 0], "six with tasks and a scribe are seven");
        assert_eq!(led(7), ["ANA leads 8 people; more than 7 are hard to lead: let somebody lead a part of them"]);
    }
}
