//! Somebody who can be told: how they are reached, and what they may see and do.

use serde::{Deserialize, Serialize};

use super::about::{About, IdOf, Input, Layout, Rows, needed, row};
use super::checker::{Checker, WITHIN_MAX};
use super::contact::Contact;
use super::{Entry, FormKind, Slug};
use crate::oncall::civil;
use crate::org::problem::Place;
use crate::org::words::meant;
use crate::time::Length;

const NOTIFY: &str = "high: [{contact: hook}, {contact: mail, after: 1m}]\nlow: [{contact: mail}]";
/// One row a contact, the urgencies together.
pub(super) const ORDER: Rows = Rows {
    one: "line",
    fields: &[
        needed("urgency", "When", "", Input::Word(URGENCIES)),
        needed("contact", "Contact", "", Input::Contact),
        row("after", "After", "At once where empty; as in 1m.", Input::Length),
    ],
    layout: Layout::ByWord("urgency"),
    first: 0,
    spare: 1,
    more: &[],
    fresh: &[("urgency", "high")],
    example: NOTIFY,
};
const URGENCIES: &[(&str, &str)] = &[("high", "High urgency"), ("low", "Low urgency")];
const ACCESS: &[(&str, &str)] =
    &[("administrator", "Administrator"), ("responder", "Responder"), ("observer", "Observer"), ("guest", "Guest")];

/// Most times before a shift at which one person is told: a week, a day and an hour before it, and one more.
pub const LEADS_MAX: usize = 4;
/// Shortest time before a shift: what comes later is of no use before a bus is caught.
pub const LEAD_MIN: Length = Length::from_mins(5);
/// Longest: as far ahead as people plan a month.
pub const LEAD_MAX: Length = Length::from_secs(31 * 86_400);

/// Why a list of lead times cannot be, in a sentence without a full stop.
#[must_use]
pub fn leads_fault(leads: &[Length]) -> Option<&'static str> {
    if leads.len() > LEADS_MAX {
        Some("at most four times before a shift are told")
    } else if leads.iter().any(|lead| *lead < LEAD_MIN) {
        Some("a time before a shift is at least 5m")
    } else if leads.iter().any(|lead| *lead > LEAD_MAX) {
        Some("a time before a shift is at most 31d")
    } else {
        None
    }
}

/// What the settings and the file say of it.
pub const ABOUT: About = About {
    word: "person",
    plural: "People",
    one: "person",
    purpose: "Who can be paged and told, how they are reached, and what they may see and do.",
    id: IdOf::Typed,
    then: &[(FormKind::Person, ""), (FormKind::Team, "members.{id}=1"), (FormKind::Schedule, "layers.0.people.0={id}")],
    fields: &[
        needed("name", "Name", "As colleagues know them.", Input::Line),
        row("email", "Mail address", "Shown, and one may sign in with it; not a way to be paged by itself.", Input::Line),
        row("time_zone", "Time zone", "An IANA name such as Europe/Madrid; UTC where empty.", Input::Zone),
        row("access", "Access", "What they may see and do. Left open it stays as it was; responder at first.", Input::Word(ACCESS)),
        row(
            "contacts",
            "Contacts",
            "How they are reached. Without any they cannot be paged. A stored secret is shown as ********; leave that to keep it.",
            Input::Contacts,
        ),
        row(
            "notify",
            "Which contacts, in which order",
            "Left empty, the default notification rules hold; without those every verified contact is used at once.",
            Input::Rows(&ORDER),
        ),
        row(
            "public_holidays",
            "Public holidays",
            "Days of these lists they have off: their turns on them are named as needing cover.",
            Input::Many(FormKind::Holidays),
        ),
        row(
            "shift_notices",
            "Told before their shifts",
            "How long before, as in 1d, 1h; at most four. Nobody is told where empty.",
            Input::Names,
        ),
    ],
};

/// Somebody who can be told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    pub id: Slug,
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// IANA name; `Etc/UTC` where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// What they may see and do. Where a file does not say, what was set stays; `responder` at first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access: Option<Access>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contacts: Vec<Contact>,
    #[serde(default)]
    pub notify: Notify,
    /// Lists of public holidays whose days they have off.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub public_holidays: Vec<Slug>,
    /// How long before a shift of theirs begins they are told, each once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shift_notices: Vec<Length>,
}

/// What a person may see and do; whoever manages a team has more in that team.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// Everything, private incidents and the organisation included.
    Administrator,
    /// Sees what is not private, declares, acknowledges, acts.
    #[default]
    Responder,
    /// Sees what is not private.
    Observer,
    /// Sees only incidents to which they were admitted.
    Guest,
}

impl Access {
    /// As written in the file.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Administrator => "administrator",
            Self::Responder => "responder",
            Self::Observer => "observer",
            Self::Guest => "guest",
        }
    }
}

/// Which contact methods are used, in order, per notification urgency.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Notify {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub high: Vec<NotifyEntry>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub low: Vec<NotifyEntry>,
}

/// One entry of a notification rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NotifyEntry {
    /// A contact's id.
    pub contact: Slug,
    /// How long after the page reaches the person.
    #[serde(default, skip_serializing_if = "Length::is_zero")]
    pub after: Length,
}

impl Entry for Person {
    fn id(&self) -> Option<&str> {
        Some(&self.id)
    }
    fn name(&self) -> Option<&str> {
        Some(&self.name)
    }
    fn contacts(&mut self) -> Option<&mut Vec<Contact>> {
        Some(&mut self.contacts)
    }
    /// What was set elsewhere, as for the first administrator, is taken back only in words.
    fn keep(&mut self, stored: Option<&Self>) {
        self.access = self.access.or_else(|| stored.and_then(|stored| stored.access));
    }

    fn check<'a>(kind: FormKind, list: &'a [Self], checker: &mut Checker<'a>) {
        checker.each(kind, list, |checker, place, person| {
            checker.name(place, &person.name);
            checker.email(place.key("email"), person.email.as_deref());
            if let Some(zone) = &person.time_zone
                && civil::zone(zone).is_err()
            {
                let shown: String = zone.chars().take(64).collect();
                checker.error(
                    place.key("time_zone"),
                    format!("`{shown}` is not a time zone that is known here"),
                    "write an IANA name such as `Europe/Madrid`",
                );
            }
            if let Some(why) = leads_fault(&person.shift_notices) {
                checker.error(place.key("shift_notices"), why, "write lengths such as `1d` and `1h`, at most four");
            }
            checker.refer(&place.key("public_holidays"), FormKind::Holidays, &person.public_holidays);
            checker.contacts(place, &person.contacts);
            let known: Vec<&str> = person.contacts.iter().map(|contact| contact.id.as_str()).collect();
            rules(checker, &place.key("notify").key("high"), &person.id, &known, &person.notify.high);
            rules(checker, &place.key("notify").key("low"), &person.id, &known, &person.notify.low);
        });
    }
}

/// The rules of a person, who has these contacts.
fn rules(checker: &mut Checker<'_>, place: &Place, person: &str, known: &[&str], rules: &[NotifyEntry]) {
    for (at, rule) in rules.iter().enumerate() {
        let place = place.index(at);
        if !known.contains(&rule.contact.as_str()) {
            let hint = meant(&rule.contact, known.iter().copied());
            checker.error(place.key("contact"), format!("`{}` is not a contact of `{person}`", rule.contact), hint);
        }
    }
    delays(checker, place, rules);
}

/// Delays of rules that nobody waits for.
pub(super) fn delays(checker: &mut Checker<'_>, place: &Place, rules: &[NotifyEntry]) {
    for (at, rule) in rules.iter().enumerate().filter(|(_, rule)| rule.after > WITHIN_MAX) {
        let place = place.index(at).key("after");
        checker.error(place, format!("`{}` is longer than {WITHIN_MAX}", rule.after), "write minutes as `5m`");
    }
}
