//! What a signal passes through: integrations, routes, services, escalations.

use std::collections::HashMap;

use jiff::Timestamp;

use super::{Checker, KEY_LEN_MAX, KEY_LEN_MIN, REPEAT_MAX, WITHIN_MAX, root};
use crate::incident::flapping::GRACE_MAX;
use crate::matcher::Matchers;
use crate::org::export::MASK;
use crate::org::model::Slug;
use crate::org::problem::Place;
use crate::org::snapshot::Target;
use crate::org::words::{listed, meant};
use crate::time::Length;

impl Checker<'_> {
    pub(super) fn escalations(&mut self) {
        let mut seen = HashMap::new();
        for (at, escalation) in self.bundle.escalations.iter().enumerate() {
            let place = root("escalations", at);
            self.id(&place, "escalation", &escalation.id, &mut seen);
            if escalation.steps.is_empty() {
                self.error(
                    place.key("steps"),
                    format!("escalation `{}` has no step, so it would page nobody", escalation.id),
                    "give at least one: `{page: [\"person:ana\"], within: 5m}`",
                );
            }
            for (index, step) in escalation.steps.iter().enumerate() {
                let place = place.key("steps").index(index);
                if step.page.is_empty() {
                    self.error(place.key("page"), "the step pages nobody", "name `schedule:ID`, `person:ID` or `team:ID`");
                }
                for (target_at, target) in step.page.iter().enumerate() {
                    self.target(place.key("page").index(target_at), target);
                }
                if step.within.is_zero() || step.within > WITHIN_MAX {
                    self.error(
                        place.key("within"),
                        format!("`{}` is not a time to acknowledge in", step.within),
                        format!("give more than no time and at most {WITHIN_MAX}, as in `5m`"),
                    );
                }
            }
            if let Some(every) = escalation.again_every {
                self.length_or_never(place.key("again_every"), every);
            }
            if escalation.repeat > REPEAT_MAX {
                self.error(
                    place.key("repeat"),
                    format!("{} further rounds are more than {REPEAT_MAX}", escalation.repeat),
                    "let `catch_all` name who is left after the last round",
                );
            }
        }
    }

    /// As for a step, but that it may be turned off.
    fn length_or_never(&mut self, place: Place, length: Length) {
        if length > WITHIN_MAX {
            self.error(place, format!("`{length}` is longer than {WITHIN_MAX}"), "write a shorter one, as in `30m`, or `never`");
        }
    }

    pub(super) fn catch_all(&mut self) {
        for (at, target) in self.bundle.catch_all.iter().enumerate() {
            self.target(Place::root().key("catch_all").index(at), target);
        }
    }

    fn target(&mut self, place: Place, target: &str) {
        let (what, id, known) = match Target::parse(target) {
            Some(Target::Schedule(id)) => ("schedule", id, &self.known.schedules),
            Some(Target::Person(id)) => ("person", id, &self.known.people),
            Some(Target::Team(id)) => ("team", id, &self.known.teams),
            // An audience is told, and cannot acknowledge.
            Some(Target::Audience(_)) | None => {
                let shown: String = target.chars().take(64).collect();
                let hint =
                    match (self.known.schedules.contains(target), self.known.people.contains(target), self.known.teams.contains(target)) {
                        (true, _, _) => format!("did you mean `schedule:{target}`?"),
                        (_, true, _) => format!("did you mean `person:{target}`?"),
                        (_, _, true) => format!("did you mean `team:{target}`?"),
                        _ => "write `schedule:ID`, `person:ID` or `team:ID`".to_owned(),
                    };
                self.error(place, format!("`{shown}` is not a target"), hint);
                return;
            }
        };
        if !known.contains(id) {
            let shown: String = id.chars().take(64).collect();
            let hint = meant(id, known.iter().copied());
            self.error(place, format!("`{shown}` is not a {what}"), hint);
        } else if what == "team" && self.bundle.teams.iter().any(|team| team.id == id && team.members.is_empty()) {
            self.warning(place, format!("team `{id}` has no members, so this pages nobody"), "give the team members");
        }
    }

    pub(super) fn services(&mut self) {
        let mut seen = HashMap::new();
        for (at, service) in self.bundle.services.iter().enumerate() {
            let place = root("services", at);
            self.id(&place, "service", &service.id, &mut seen);
            self.name(&place, &service.name);
            self.runbook(place.key("runbook"), service.runbook.as_deref());
            if let Some(team) = &service.team {
                self.refers_to_team(place.key("team"), team);
            }
            match &service.escalation {
                Some(escalation) if !self.known.escalations.contains(escalation.as_str()) => {
                    let hint = meant(escalation, self.known.escalations.iter().copied());
                    self.error(place.key("escalation"), format!("`{escalation}` is not an escalation"), hint);
                }
                None if self.bundle.catch_all.is_empty() => self.warning(
                    place.clone(),
                    format!("service `{}` has no escalation and there is no `catch_all`, so its incidents page nobody", service.id),
                    "give it `escalation: ID`, or the organisation `catch_all: [\"person:ID\"]`",
                ),
                _ => {}
            }
            if service.tier.is_some_and(|tier| !(1..=5).contains(&tier)) {
                self.error(place.key("tier"), "a tier is 1 (most) to 5", "write a number from 1 to 5");
            }
            for (index, id) in service.depends_on.iter().enumerate() {
                self.refers_to_service(place.key("depends_on").index(index), id);
            }
        }
        if let Some((at, circle)) = self.circle() {
            self.error(
                root("services", at).key("depends_on"),
                format!("services depend on each other in a circle: {}", circle.join(" → ")),
                "take one of these away",
            );
        }
    }

    /// The first circle of dependencies: where it begins, and the ids along it.
    fn circle(&self) -> Option<(usize, Vec<Slug>)> {
        #[derive(Clone, Copy, PartialEq)]
        enum Mark {
            Unseen,
            OnPath,
            Done,
        }
        let services = &self.bundle.services;
        let index: HashMap<&str, usize> = services.iter().enumerate().map(|(at, s)| (s.id.as_str(), at)).collect();
        let mut marks = vec![Mark::Unseen; services.len()];
        for start in 0..services.len() {
            if marks[start] != Mark::Unseen {
                continue;
            }
            // The path from `start`, each with how many of its dependencies were followed.
            let mut path = vec![(start, 0)];
            marks[start] = Mark::OnPath;
            while let Some((at, followed)) = path.last_mut() {
                let at = *at;
                let Some(next) = services[at].depends_on.get(*followed) else {
                    marks[at] = Mark::Done;
                    path.pop();
                    continue;
                };
                *followed += 1;
                let Some(&next) = index.get(next.as_str()) else { continue };
                match marks[next] {
                    Mark::Done => {}
                    Mark::Unseen => {
                        marks[next] = Mark::OnPath;
                        path.push((next, 0));
                    }
                    Mark::OnPath => {
                        let mut circle: Vec<Slug> =
                            path.iter().skip_while(|(on, _)| *on != next).map(|(on, _)| services[*on].id.clone()).collect();
                        circle.push(services[next].id.clone());
                        return Some((next, circle));
                    }
                }
            }
        }
        None
    }

    /// A runbook that leads nowhere is shown as text, and said to be no link.
    fn runbook(&mut self, place: Place, runbook: Option<&str>) {
        let Some(text) = runbook.map(str::trim).filter(|text| !text.is_empty()) else { return };
        let is_link = ["http://", "https://"].iter().any(|scheme| {
            text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)) && !text.contains(char::is_whitespace)
        });
        if !is_link {
            self.warning(
                place,
                "the runbook is no address that can be followed, and is shown as text",
                "write it as in `https://wiki.example.org/checkout`",
            );
        }
    }

    pub(super) fn integrations(&mut self, kinds: &[&str]) {
        let mut seen = HashMap::new();
        let mut keys: HashMap<&str, &str> = HashMap::new();
        for (at, integration) in self.bundle.integrations.iter().enumerate() {
            let place = root("integrations", at);
            self.id(&place, "integration", &integration.id, &mut seen);
            if !kinds.contains(&integration.kind.as_str()) {
                let shown: String = integration.kind.chars().take(64).collect();
                self.error(
                    place.key("kind"),
                    format!("`{shown}` is not a kind of integration"),
                    meant(&integration.kind, kinds.iter().copied()),
                );
            }
            if let Some(service) = &integration.service {
                self.refers_to_service(place.key("service"), service);
            }
            // Keys are secrets: never repeated in a message.
            let Some(key) = integration.key.as_deref() else { continue };
            if key == MASK {
                self.error(
                    place.key("key"),
                    format!("`{MASK}` stands for a stored key, and none is stored for this integration"),
                    "write the key itself, or leave it away to have one made",
                );
                continue;
            }
            if !(KEY_LEN_MIN..=KEY_LEN_MAX).contains(&key.chars().count()) {
                self.error(
                    place.key("key"),
                    format!("the key has fewer than {KEY_LEN_MIN} or more than {KEY_LEN_MAX} characters"),
                    "leave it away to have a strong one made and shown once",
                );
            }
            if key.chars().any(|c| !c.is_ascii_graphic() || matches!(c, '/' | '?' | '#' | '%')) {
                self.error(
                    place.key("key"),
                    "the key has characters that cannot stand in a path",
                    "use letters, digits and `-`, `_`, `.`, `~`",
                );
            }
            if let Some(other) = keys.insert(key, &integration.id) {
                self.error(place.key("key"), format!("integration `{other}` has the same key"), "give each sender its own key");
            }
        }
    }

    pub(super) fn routes(&mut self) {
        let mut seen = HashMap::new();
        for (at, route) in self.bundle.routes.iter().enumerate() {
            let place = root("routes", at);
            if let Some(id) = &route.id {
                self.id(&place, "route", id, &mut seen);
            }
            if let Err(bad) = Matchers::parse(&route.matches) {
                self.error(place.key("match"), bad.to_string(), "write it as in `severity=\"critical\", team=~\"pay.*\"`");
            }
            let set = place.key("set");
            if let Some(service) = &route.set.service {
                self.refers_to_service(set.key("service"), service);
            }
            if let Some(plan) = &route.set.plan
                && !self.known.plans.contains(plan.as_str())
            {
                let hint = meant(plan, self.known.plans.iter().copied());
                self.error(set.key("plan"), format!("`{plan}` is not a plan"), hint);
            }
            if let Some(labels) = &route.set.group_by
                && (labels.is_empty() || labels.iter().any(|label| label.trim().is_empty()))
            {
                self.error(set.key("group_by"), "`group_by` names no label", "name labels, as in `[cluster, alertname]`, or leave it away");
            }
            if let Some(grace) = route.set.grace.filter(|grace| *grace > GRACE_MAX) {
                self.error(
                    set.key("grace"),
                    format!("`{grace}` is a longer grace than {GRACE_MAX}"),
                    format!("give at most {GRACE_MAX}, as in `5m`; `0s` makes every alert that comes back a new incident"),
                );
            }
            if let Some(title) = &route.set.title {
                self.title(set.key("title"), title);
            }
            let catches_all = route.matches.trim().is_empty() && !route.go_on;
            if catches_all && at + 1 < self.bundle.routes.len() {
                self.warning(
                    place,
                    "this route matches everything, so no later route is ever read",
                    "put it last, or add `continue: true`",
                );
            }
        }
    }

    fn title(&mut self, place: Place, title: &str) {
        const KNOWN: [&str; 3] = ["title", "service", "source"];
        for part in title.split('{').skip(1) {
            let Some((name, _)) = part.split_once('}') else {
                self.error(place, "a `{` is not closed", "write it as in `{title}`");
                return;
            };
            let is_label = name.strip_prefix("labels.").is_some_and(|label| !label.is_empty());
            if !is_label && !KNOWN.contains(&name) {
                let shown: String = name.chars().take(64).collect();
                self.error(place.clone(), format!("`{{{shown}}}` cannot be filled in"), format!("known: {}, labels.NAME", listed(KNOWN)));
            }
        }
    }

    pub(super) fn severities(&mut self) {
        let mut seen = Vec::new();
        for (at, form) in self.bundle.severities.iter().enumerate() {
            if seen.contains(&form.id) {
                self.error(root("severities", at).key("id"), format!("`{}` is listed twice", form.id), "keep one of the two");
            }
            seen.push(form.id);
            if let Some(lasts) = form.acknowledgement_lasts {
                self.length_or_never(root("severities", at).key("acknowledgement_lasts"), lasts);
            }
        }
    }

    pub(super) fn silences(&mut self, now: Timestamp) {
        let mut seen = HashMap::new();
        for (at, silence) in self.bundle.silences.iter().enumerate() {
            let place = root("silences", at);
            self.id(&place, "silence", &silence.id, &mut seen);
            match Matchers::parse(&silence.matches) {
                Err(bad) => self.error(place.key("match"), bad.to_string(), "write it as in `severity=\"warning\"`"),
                Ok(matchers) if matchers.0.is_empty() && silence.integration.is_none() => self.warning(
                    place.key("match"),
                    "this silence matches every alert, so nobody is paged while it lasts",
                    "name a label, as in `service=\"checkout\"`",
                ),
                Ok(_) => {}
            }
            if silence.ends_at <= silence.starts_at {
                self.error(place.key("ends_at"), "the silence ends before it starts", "give a later `ends_at`");
            }
            // What is over may name what is gone.
            if let Some(integration) = &silence.integration
                && silence.ends_at > now
                && !self.known.integrations.contains(integration.as_str())
            {
                let hint = meant(integration, self.known.integrations.iter().copied());
                self.error(place.key("integration"), format!("`{integration}` is not an integration"), hint);
            }
        }
    }

    /// Audiences name people and teams that there are, and addresses that can be used.
    pub(super) fn audiences(&mut self) {
        let bundle = self.bundle;
        let mut seen = HashMap::new();
        for (at, audience) in bundle.audiences.iter().enumerate() {
            let place = root("audiences", at);
            self.id(&place, "audience", &audience.id, &mut seen);
            for (index, person) in audience.people.iter().enumerate() {
                if !self.known.people.contains(person.as_str()) {
                    let hint = meant(person, self.known.people.iter().copied());
                    self.error(place.key("people").index(index), format!("`{person}` is not a person"), hint);
                }
            }
            for (index, team) in audience.teams.iter().enumerate() {
                if !self.known.teams.contains(team.as_str()) {
                    let hint = meant(team, self.known.teams.iter().copied());
                    self.error(place.key("teams").index(index), format!("`{team}` is not a team"), hint);
                }
            }
            let mut contacts = HashMap::new();
            for (index, contact) in audience.contacts.iter().enumerate() {
                self.contact(&place.key("contacts").index(index), contact, &mut contacts);
            }
        }
    }

    /// Forms of later capabilities are kept as written; only their ids are judged.
    pub(super) fn loose_forms(&mut self) {
        let bundle = self.bundle;
        for (list, what, forms) in
            [("calendars", "calendar", &bundle.calendars), ("roles", "role", &bundle.roles), ("plans", "plan", &bundle.plans)]
        {
            let mut seen = HashMap::new();
            for (at, form) in forms.iter().enumerate() {
                self.id(&root(list, at), what, &form.id, &mut seen);
            }
        }
    }
}
