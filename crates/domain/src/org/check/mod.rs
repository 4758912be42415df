//! What is wrong with an organisation, judged as a whole.
//!
//! Errors refuse it: something a page would rely on does not exist or cannot be read. Warnings
//! let it in and say who may not be reached. Every problem names its place and what would work.
//!
//! It knows no files and no network: lines are found by the reader of the text, and whether a
//! host may be reached is judged when something is sent.

mod caused;
mod flow;
mod reach;
#[cfg(test)]
mod tests;
pub mod text;

pub use self::caused::check_change;
use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::export::MASK;
use super::model::{Bundle, CONTACT_KEYS, Contact, NotifyEntry, Person};
use super::problem::{Place, Problem};
use super::words::{listed, meant, nearest};
use crate::channel::{ChannelForm, Field, WaysOut, enumerated};
use crate::oncall::CompiledSchedule;
use crate::time::Length;

/// Longest time to acknowledge a step, and longest delay of a notification rule: a week; longer
/// is a slip of the unit.
pub const WITHIN_MAX: Length = Length::from_secs(7 * 86_400);
/// Most further rounds of an escalation.
pub const REPEAT_MAX: u32 = 20;
/// Shortest key of an integration, in characters.
pub const KEY_LEN_MIN: usize = 8;
/// Longest key of an integration, in characters.
pub const KEY_LEN_MAX: usize = 256;

/// What is judged against, beside the forms.
#[derive(Debug, Clone, Copy)]
pub struct Against<'a> {
    /// From when gaps in schedules are looked for.
    pub now: Timestamp,
    /// Kinds of integration that are spoken here.
    pub kinds: &'a [&'a str],
    /// Channels that there are here.
    pub channels: WaysOut,
}

/// Everything wrong with a bundle, in the order of the file, errors and warnings mixed.
#[must_use]
pub fn check(bundle: &Bundle, against: Against<'_>) -> Vec<Problem> {
    let mut checker = Checker { bundle, known: Known::of(bundle), channels: against.channels, problems: Vec::new() };
    checker.people();
    checker.teams();
    checker.schedules(against.now);
    checker.escalations();
    checker.services();
    checker.integrations(against.kinds);
    checker.routes();
    checker.severities();
    checker.silences(against.now);
    checker.catch_all();
    checker.audiences();
    checker.loose_forms();
    checker.reachability(against.now);
    checker.problems
}

/// Ids by kind, for references.
struct Known<'a> {
    people: HashSet<&'a str>,
    teams: HashSet<&'a str>,
    schedules: HashSet<&'a str>,
    escalations: HashSet<&'a str>,
    services: HashSet<&'a str>,
    integrations: HashSet<&'a str>,
    plans: HashSet<&'a str>,
}

impl<'a> Known<'a> {
    fn of(bundle: &'a Bundle) -> Self {
        Self {
            people: bundle.people.iter().map(|f| f.id.as_str()).collect(),
            teams: bundle.teams.iter().map(|f| f.id.as_str()).collect(),
            schedules: bundle.schedules.iter().map(|f| f.id.as_str()).collect(),
            escalations: bundle.escalations.iter().map(|f| f.id.as_str()).collect(),
            services: bundle.services.iter().map(|f| f.id.as_str()).collect(),
            integrations: bundle.integrations.iter().map(|f| f.id.as_str()).collect(),
            plans: bundle.plans.iter().map(|f| f.id.as_str()).collect(),
        }
    }
}

struct Checker<'a> {
    bundle: &'a Bundle,
    known: Known<'a>,
    channels: WaysOut,
    problems: Vec<Problem>,
}

fn root(list: &str, index: usize) -> Place {
    Place::root().key(list).index(index)
}

/// `a person`, `an escalation`.
fn a(what: &str) -> String {
    let article = if what.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {what}")
}

impl<'a> Checker<'a> {
    fn error(&mut self, place: Place, message: impl Into<String>, hint: impl Into<String>) {
        self.problems.push(Problem::error(place, message).hint(hint));
    }

    fn warning(&mut self, place: Place, message: impl Into<String>, hint: impl Into<String>) {
        self.problems.push(Problem::warning(place, message).hint(hint));
    }

    /// An id is a slug and the first of its kind.
    fn id(&mut self, place: &Place, what: &str, id: &'a str, seen: &mut HashMap<&'a str, Place>) {
        let here = place.key("id");
        if !text::is_slug(id) {
            let shown: String = id.chars().take(text::SLUG_LEN_MAX).collect();
            let better = text::slug_of(id);
            let example = if better.is_empty() { "payments-db".to_owned() } else { better };
            self.error(
                here.clone(),
                format!("`{shown}` cannot be an id"),
                format!("use lower-case letters, digits, `-`, `_` and `.`, at most {}, as in `{example}`", text::SLUG_LEN_MAX),
            );
        }
        if let Some(first) = seen.get(id) {
            let message = format!("`{id}` is the id of another {what} already, at {first}");
            self.error(here, message, "give each its own id");
        } else {
            seen.insert(id, place.clone());
        }
    }

    fn name(&mut self, place: &Place, name: &str) {
        if name.trim().is_empty() {
            self.error(place.key("name"), "the name is empty", "write what people call it");
        }
    }

    /// Something named exists.
    fn refers(&mut self, place: Place, what: &str, id: &str, known: &HashSet<&'a str>) {
        if !known.contains(id) {
            let shown: String = id.chars().take(text::SLUG_LEN_MAX).collect();
            self.error(place, format!("`{shown}` is not {}", a(what)), meant(id, known.iter().copied()));
        }
    }

    fn refers_to_person(&mut self, place: Place, id: &str) {
        let known = std::mem::take(&mut self.known.people);
        self.refers(place, "person", id, &known);
        self.known.people = known;
    }

    fn refers_to_team(&mut self, place: Place, id: &str) {
        let known = std::mem::take(&mut self.known.teams);
        self.refers(place, "team", id, &known);
        self.known.teams = known;
    }

    fn refers_to_service(&mut self, place: Place, id: &str) {
        let known = std::mem::take(&mut self.known.services);
        self.refers(place, "service", id, &known);
        self.known.services = known;
    }

    fn people(&mut self) {
        let mut seen = HashMap::new();
        for (at, person) in self.bundle.people.iter().enumerate() {
            let place = root("people", at);
            self.id(&place, "person", &person.id, &mut seen);
            self.name(&place, &person.name);
            self.email(place.key("email"), person.email.as_deref());
            if let Some(zone) = &person.time_zone
                && TimeZone::get(zone).is_err()
            {
                let shown: String = zone.chars().take(64).collect();
                self.error(
                    place.key("time_zone"),
                    format!("`{shown}` is not a time zone that is known here"),
                    "write an IANA name such as `Europe/Madrid`",
                );
            }
            let mut contacts = HashMap::new();
            for (index, contact) in person.contacts.iter().enumerate() {
                self.contact(&place.key("contacts").index(index), contact, &mut contacts);
            }
            self.rules(&place.key("notify").key("high"), person, &person.notify.high);
            self.rules(&place.key("notify").key("low"), person, &person.notify.low);
        }
    }

    pub(super) fn contact(&mut self, place: &Place, contact: &'a Contact, seen: &mut HashMap<&'a str, Place>) {
        self.id(place, "contact of this person", &contact.id, seen);
        let address = &contact.address;
        let mine: Vec<&ChannelForm> = self.channels.iter().filter(|form| address.get(form.name).is_some()).collect();
        match mine.as_slice() {
            [] => {
                self.error(place.clone(), format!("contact `{}` has no address", contact.id), format!("give it {}", self.channels.shapes()))
            }
            [_] => {}
            [_, _, ..] => self.error(
                place.clone(),
                format!("contact `{}` has two addresses", contact.id),
                "make two contacts of it, so that rules can name each",
            ),
        }
        for (key, value) in address.fields() {
            match mine.iter().find_map(|form| form.field(key)) {
                Some(field) => self.field(place.key(key), field, value),
                None => self.foreign(place.key(key), key),
            }
        }
    }

    /// A field of the contact's own channel.
    fn field(&mut self, place: Place, field: &Field, value: &str) {
        if field.is_secret() && value == MASK {
            let hint = if field.is_made() { ", or leave it away to have one made" } else { "" };
            let message = format!("`{MASK}` stands for a stored secret, and none is stored for this contact");
            self.error(place, message, format!("write the secret itself{hint}"));
        } else if let Err(message) = (field.check)(value) {
            let hint = if field.is_made() {
                "leave it away to have one made and shown once".to_owned()
            } else {
                format!("write it as in `{}`", field.example)
            };
            self.error(place, message, hint);
        }
    }

    /// A key that is not of the contact's own channel.
    fn foreign(&mut self, place: Place, key: &str) {
        let owners: Vec<String> = self.channels.iter().filter(|form| form.field(key).is_some()).map(|form| a(form.noun)).collect();
        if owners.is_empty() {
            let shown: String = key.chars().filter(|c| !c.is_control()).take(text::SLUG_LEN_MAX).collect();
            let known = self.channels.keys().into_iter().chain(CONTACT_KEYS);
            let hint = match nearest(key, known.clone()) {
                Some(word) => format!("did you mean `{word}`?"),
                None => format!("keys here: {}", listed(known)),
            };
            self.error(place, format!("unknown key `{shown}`"), hint);
        } else {
            self.error(place, format!("only {} has {}", enumerated(&owners, "or"), a(key)), format!("take the {key} away"));
        }
    }

    fn email(&mut self, place: Place, email: Option<&str>) {
        if let Some(email) = email
            && !text::is_email(email)
        {
            let shown: String = email.chars().filter(|c| !c.is_control()).take(64).collect();
            self.error(place, format!("`{shown}` is not a mail address"), "write it as in `ana@example.org`");
        }
    }

    fn rules(&mut self, place: &Place, person: &Person, rules: &[NotifyEntry]) {
        for (at, rule) in rules.iter().enumerate() {
            let place = place.index(at);
            if !person.contacts.iter().any(|contact| contact.id == rule.contact) {
                let known = person.contacts.iter().map(|c| c.id.as_str());
                self.error(
                    place.key("contact"),
                    format!("`{}` is not a contact of `{}`", rule.contact, person.id),
                    meant(&rule.contact, known),
                );
            }
            if rule.after > WITHIN_MAX {
                self.error(place.key("after"), format!("`{}` is longer than {WITHIN_MAX}", rule.after), "write minutes as `5m`");
            }
        }
    }

    fn teams(&mut self) {
        let mut seen = HashMap::new();
        for (at, team) in self.bundle.teams.iter().enumerate() {
            let place = root("teams", at);
            self.id(&place, "team", &team.id, &mut seen);
            self.name(&place, &team.name);
            for (key, ids) in [("members", &team.members), ("managers", &team.managers)] {
                for (index, id) in ids.iter().enumerate() {
                    self.refers_to_person(place.key(key).index(index), id);
                }
            }
        }
    }

    fn schedules(&mut self, now: Timestamp) {
        let mut seen = HashMap::new();
        for (at, schedule) in self.bundle.schedules.iter().enumerate() {
            let place = root("schedules", at);
            self.id(&place, "schedule", &schedule.id, &mut seen);
            if let Some(team) = &schedule.team {
                self.refers_to_team(place.key("team"), team);
            }
            for (layer_at, layer) in schedule.layers.iter().enumerate() {
                let people = place.key("layers").index(layer_at).key("people");
                for (index, id) in layer.people.iter().enumerate() {
                    self.refers_to_person(people.index(index), id);
                }
            }
            for (layer_at, layer) in schedule.layers.iter().enumerate().filter(|(_, layer)| layer.every.days_in_hours) {
                self.warning(
                    place.key("layers").index(layer_at).key("every"),
                    format!(
                        "`{}` is read as `{}`: turns hand over at the same time of day, and last an hour less or more when the clocks change",
                        layer.every, layer.every.length
                    ),
                    format!("write `{}`", layer.every.length),
                );
            }
            if let Err(found) = CompiledSchedule::compile(schedule) {
                self.problems.extend(found.into_iter().map(|problem| problem.below(&place)));
            }
        }
        for (at, over) in self.bundle.overrides.iter().enumerate() {
            let place = root("overrides", at);
            // What is over may name what is gone: whoever was on call once can be removed.
            if over.ends_at > now {
                if !self.known.people.contains(over.person.as_str()) {
                    let message =
                        format!("`{}` is on call by this override of `{}`, and there is no such person", over.person, over.schedule);
                    let hint = format!(
                        "end it on the page of who is on call, or with `DELETE /api/v1/schedules/{}/overrides/{}`",
                        over.schedule, over.id
                    );
                    self.error(place.key("person"), message, hint);
                }
                if !self.known.schedules.contains(over.schedule.as_str()) {
                    let message = format!("the override `{}` is of `{}`, and there is no such schedule", over.id, over.schedule);
                    self.error(place.key("schedule"), message, "end it on the page of who is on call before the schedule goes");
                }
            }
            if over.ends_at <= over.starts_at {
                self.error(place.key("ends_at"), "the override ends before it starts", "give a later `ends_at`");
            }
        }
    }
}
