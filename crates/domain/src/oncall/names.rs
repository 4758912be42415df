//! Whom a calendar means: people by their mail addresses, their names and their ids, whatever the case and without accents.

use std::collections::HashMap;

use crate::ical::Event;
use crate::org::check::text::folded;
use crate::org::forms::external_calendar::PeopleBy;
use crate::org::model::{Person, Slug};

/// Most people of one event: more are no rota.
pub(super) const PEOPLE_MAX: usize = 20;
/// Most words of an event that are told as naming nobody.
const UNKNOWN_MAX: usize = 5;

/// People by everything that they are called.
#[derive(Debug, Clone, Default)]
pub struct Names {
    /// Nothing where several are called so.
    by: HashMap<String, Option<Slug>>,
}

/// Whom an event means.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Meant {
    /// Each once, in the order in which they stand.
    pub people: Vec<Slug>,
    /// What it says of others, of whom nobody is known.
    pub unknown: Vec<String>,
}

impl Names {
    /// Of these people. An address of a contact counts where it is verified.
    #[must_use]
    pub fn of<'a>(people: impl IntoIterator<Item = &'a Person>) -> Self {
        let mut by: HashMap<String, Option<Slug>> = HashMap::new();
        for person in people {
            let verified = person.contacts.iter().filter(|contact| contact.verified).filter_map(|contact| contact.address.get("email"));
            for called in [person.id.as_str(), person.name.as_str()].into_iter().chain(person.email.as_deref()).chain(verified) {
                let called = folded(called);
                if !called.is_empty() {
                    by.entry(called)
                        .and_modify(|one| {
                            if one.as_ref() != Some(&person.id) {
                                *one = None;
                            }
                        })
                        .or_insert_with(|| Some(person.id.clone()));
                }
            }
        }
        Self { by }
    }

    fn one(&self, called: &str) -> Option<&Slug> {
        self.by.get(&folded(called))?.as_ref()
    }

    /// Whom an event means.
    pub(super) fn meant(&self, event: &Event, by: PeopleBy) -> Meant {
        let mut invited = Meant::default();
        if by != PeopleBy::Summary {
            for attendee in &event.attendees {
                invited.take(self.one(&attendee.mail), &attendee.mail);
            }
        }
        if by == PeopleBy::Attendees || !invited.people.is_empty() {
            if invited.people.is_empty() && invited.unknown.is_empty() {
                invited.unknown.push(shown(&event.summary, "it invites nobody"));
            }
            return invited;
        }
        let mut called = self.called(&event.summary);
        if called.people.is_empty() {
            called.unknown.extend(invited.unknown);
            called.unknown.truncate(UNKNOWN_MAX);
        }
        called
    }

    /// Whom a summary names: as a whole, else between commas and their like, without what stands before a colon or in brackets.
    fn called(&self, summary: &str) -> Meant {
        let mut out = Meant::default();
        if let Some(person) = self.one(summary) {
            out.take(Some(person), summary);
            return out;
        }
        let bare = bare(summary);
        let after_colon = bare.rsplit_once(':').map_or(bare.as_str(), |(_, rest)| rest);
        for whole in [bare.as_str(), after_colon] {
            if let Some(person) = self.one(whole) {
                out.take(Some(person), whole);
                return out;
            }
        }
        for part in after_colon.replace(" and ", ",").split([',', ';', '&', '+', '/', '|']).map(str::trim).filter(|part| !part.is_empty()) {
            out.take(self.one(part), part);
        }
        if out.people.is_empty() {
            // As it stands, which is what people look for in their calendar.
            out.unknown = vec![shown(summary, "it has no name")];
        }
        out
    }
}

impl Meant {
    fn take(&mut self, person: Option<&Slug>, said: &str) {
        match person {
            Some(person) if self.people.contains(person) || self.people.len() >= PEOPLE_MAX => {}
            Some(person) => self.people.push(person.clone()),
            None if self.unknown.len() < UNKNOWN_MAX => self.unknown.push(shown(said, "it has no name")),
            None => {}
        }
    }
}

fn shown(said: &str, nothing: &str) -> String {
    if said.trim().is_empty() { nothing.to_owned() } else { said.chars().take(80).collect() }
}

/// Without what stands in brackets: `[L1] Ana (primary)` is `Ana`.
fn bare(summary: &str) -> String {
    let mut depth = 0_usize;
    let mut out = String::new();
    for c in summary.chars() {
        match c {
            '[' | '(' => depth += 1,
            ']' | ')' => depth = depth.saturating_sub(1),
            c if depth == 0 => out.push(c),
            _ => {}
        }
    }
    out.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn people_are_known_by_all_that_they_are_called() {
        let people: Vec<Person> = serde_json::from_value(json!([
            {"id": "ana", "name": "Ana Ruíz", "email": "ana@example.org", "contacts": [{"id": "m", "email": "Ana.R@example.org"}, {"id": "n", "email": "boss@example.org", "verified": false}]},
            {"id": "ben", "name": "Ben Ødegård"}, {"id": "b2", "name": "Twin"}, {"id": "b3", "name": "Twin"},
        ]))
        .unwrap();
        let names = Names::of(&people);
        let called = |text: &str| {
            let meant = names.called(text);
            (meant.people.join(" "), meant.unknown.join("|"))
        };
        for (text, who, unknown) in [
            ("ana", "ana", ""),
            ("ANA RUIZ", "ana", ""),
            ("  Ana   Ruíz ", "ana", ""),
            ("ana.r@EXAMPLE.org", "ana", ""),
            ("ben odegard", "ben", ""),
            ("On call: Ana Ruiz", "ana", ""),
            ("[L1] Ana Ruíz (primary)", "ana", ""),
            ("Ana Ruiz, Ben Ødegård", "ana ben", ""),
            ("Rota: ana & ben", "ana ben", ""),
            ("ana and zed", "ana", "zed"),
            ("ana / ana", "ana", ""),
            ("boss@example.org", "", "boss@example.org"),
            ("Twin", "", "Twin"),
            ("", "", "it has no name"),
            ("Standby: Zed, Yan", "", "Standby: Zed, Yan"),
        ] {
            assert_eq!(called(text), (who.to_owned(), unknown.to_owned()), "{text}");
        }
    }
}
