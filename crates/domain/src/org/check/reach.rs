//! Whether somebody would be reached: warnings only, since an organisation is built step by step.

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};

use super::{Checker, root};
use crate::org::model::{Escalation, NotifyUrgency};
use crate::org::snapshot::{Org, Target};

/// How far ahead gaps in a schedule are looked for: four weeks, a usual length of a published rota.
const GAPS_AHEAD: SignedDuration = SignedDuration::from_hours(4 * 7 * 24);

impl Checker<'_> {
    pub(super) fn reachability(&mut self, now: Timestamp) {
        let org = Org::build(0, self.bundle.clone());
        self.people_on_schedules(&org);
        self.gaps(&org, now);
        self.escalations_without_contacts(&org);
    }

    fn people_on_schedules(&mut self, org: &Org) {
        let on_call: HashSet<&str> = self
            .bundle
            .schedules
            .iter()
            .flat_map(|schedule| schedule.layers.iter().flat_map(|layer| layer.people.iter().map(String::as_str)))
            .collect();
        for (at, person) in self.bundle.people.iter().enumerate() {
            if !on_call.contains(person.id.as_str()) || !org.reach(&person.id, NotifyUrgency::High).is_empty() {
                continue;
            }
            if person.contacts.is_empty() {
                self.warning(
                    root("people", at),
                    format!("`{}` is on a schedule and has no contact, so a page cannot reach them", person.id),
                    "give them `contacts`, as in `[{id: mail, email: ana@example.org}]`",
                );
            } else {
                self.warning(
                    root("people", at).key("contacts"),
                    format!("`{}` is on a schedule, and none of the contacts that a page would use is verified", person.id),
                    "verify a contact, or name a verified one under `notify`",
                );
            }
        }
    }

    fn gaps(&mut self, org: &Org, now: Timestamp) {
        let until = now.checked_add(GAPS_AHEAD).unwrap_or(Timestamp::MAX);
        for (at, form) in self.bundle.schedules.iter().enumerate() {
            let Some(schedule) = org.schedule(&form.id) else { continue };
            let gaps = schedule.gaps(org.overrides(&form.id), now, until);
            let Some(first) = gaps.first() else { continue };
            let civil = |at: Timestamp| schedule.zone().to_datetime(at).strftime("%Y-%m-%d %H:%M").to_string();
            let more = match gaps.len() - 1 {
                0 => String::new(),
                more => format!(" and {more} more times within four weeks"),
            };
            self.warning(
                root("schedules", at).key("layers"),
                format!(
                    "nobody is on call in `{}` from {} to {} ({}){more}",
                    form.id,
                    civil(first.starts_at),
                    civil(first.ends_at),
                    form.time_zone
                ),
                "add a layer below that is always on, or let an escalation's next step reach somebody",
            );
        }
    }

    fn escalations_without_contacts(&mut self, org: &Org) {
        for (at, escalation) in self.bundle.escalations.iter().enumerate() {
            let people = people_of(org, escalation);
            let reachable = people.iter().any(|person| !org.reach(person, NotifyUrgency::High).is_empty());
            if !people.is_empty() && !reachable {
                self.warning(
                    root("escalations", at).key("steps"),
                    format!("nobody whom escalation `{}` pages has a verified contact", escalation.id),
                    "give one of them a contact",
                );
            }
        }
    }
}

/// Everybody whom an escalation may ever page.
fn people_of<'a>(org: &'a Org, escalation: &'a Escalation) -> HashSet<&'a str> {
    let mut out = HashSet::new();
    for target in escalation.steps.iter().flat_map(|step| &step.page) {
        match Target::parse(target) {
            Some(Target::Person(id)) => {
                out.insert(id);
            }
            Some(Target::Team(id)) => {
                out.extend(org.team(id).into_iter().flat_map(|team| team.members.iter().map(String::as_str)));
            }
            Some(Target::Schedule(id)) => {
                let layers = org.schedule_form(id).into_iter().flat_map(|schedule| &schedule.layers);
                out.extend(layers.flat_map(|layer| layer.people.iter().map(String::as_str)));
                out.extend(org.overrides(id).iter().map(|over| over.person.as_str()));
            }
            Some(Target::Audience(_)) | None => {}
        }
    }
    out.retain(|person| org.person(person).is_some());
    out
}
