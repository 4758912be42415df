//! Whom the second step of a policy may page, so that a form offers more than one try.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::model::NotifyUrgency;
use super::snapshot::{Org, Target};

/// Targets for a step after one that pages `first`: a manager of a team to which somebody of it belongs, else somebody else
/// who can be paged, else, where several take turns in it, all of them at once. None where there is nobody more.
#[must_use]
pub fn then_paged(org: &Org, first: &[String], now: Timestamp) -> Vec<String> {
    let asked: BTreeSet<&str> = first.iter().flat_map(|target| everybody_of(org, target, now)).collect();
    if asked.is_empty() {
        return Vec::new();
    }
    let can_follow = |id: &str| !asked.contains(id) && !org.reach(id, NotifyUrgency::High).is_empty();
    let bundle = org.bundle();
    let teams = bundle.teams.iter().filter(|team| team.members.iter().chain(&team.managers).any(|id| asked.contains(id.as_str())));
    let managers = teams.flat_map(|team| team.managers.iter().map(String::as_str));
    let anybody = bundle.people.iter().map(|person| person.id.as_str());
    if let Some(id) = managers.chain(anybody).find(|id| can_follow(id)) {
        return vec![format!("person:{id}")];
    }
    if asked.len() < 2 { Vec::new() } else { asked.iter().map(|id| format!("person:{id}")).collect() }
}

/// Everybody whom a target may ever page from an instant on.
pub(crate) fn everybody_of<'a>(org: &'a Org, target: &str, now: Timestamp) -> BTreeSet<&'a str> {
    let mut out: BTreeSet<&'a str> = BTreeSet::new();
    match Target::parse(target) {
        Some(Target::Person(id)) => out.extend(org.person(id).map(|person| person.id.as_str())),
        Some(Target::Team(id)) => {
            out.extend(org.team(id).into_iter().flat_map(|team| team.members.iter().map(String::as_str)));
        }
        Some(Target::Schedule(id) | Target::Next(id)) => {
            let layers = org.schedule_form(id).into_iter().flat_map(|schedule| &schedule.layers);
            out.extend(layers.flat_map(|layer| layer.people.iter().map(String::as_str)));
            let temporary = org.temporary(id).into_iter().filter(|form| form.ends_at > now).flat_map(|form| &form.layers);
            out.extend(temporary.flat_map(|layer| layer.people.iter().map(String::as_str)));
            out.extend(org.overrides(id).iter().filter(|over| over.ends_at > now).filter_map(|over| over.whom()).map(String::as_str));
        }
        Some(Target::Audience(_) | Target::Organisation(_)) | None => {}
    }
    out.retain(|person| org.person(person).is_some());
    out
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn then(people: &[&str], team: &Value) -> Vec<String> {
        let person = |id: &&str| json!({"id": id, "name": id, "contacts": [{"id": "m", "email": format!("{id}@example.org")}]});
        let org = json!({
            "people": people.iter().map(person).collect::<Vec<_>>(), "teams": [team],
            "schedules": [{"id": "s", "time_zone": "Etc/UTC", "layers": [{"people": ["ana", "ben"], "every": "1w", "handoff": "Mon 09:00", "starts": "2026-01-05"}]}],
        });
        let org = Org::build(1, serde_json::from_value(org).unwrap(), crate::channel::sample::WAYS);
        then_paged(&org, &["schedule:s".to_owned()], "2026-06-01T00:00:00Z".parse().unwrap())
    }

    #[test]
    fn a_manager_first_then_anybody_else_then_all_of_the_rota() {
        let team = |managers: Value| json!({"id": "t", "name": "T", "members": ["ana"], "managers": managers});
        assert_eq!(then(&["ana", "ben", "cho", "dee"], &team(json!(["dee"]))), ["person:dee"]);
        assert_eq!(then(&["ana", "ben", "cho", "dee"], &team(json!(["ana"]))), ["person:cho"]);
        assert_eq!(then(&["ana", "ben"], &team(json!([]))), ["person:ana", "person:ben"]);
        assert_eq!(then(&["ana"], &team(json!([]))), Vec::<String>::new());
    }
}
