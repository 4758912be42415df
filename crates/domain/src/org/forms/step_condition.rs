//! When a step of an escalation policy counts: how bad the incident is, how it notifies, of which type it is, and whether a
//! calendar is open.
//!
//! Deliberately not here: whether a condition holds at an instant ([`crate::paging`]).

use serde::{Deserialize, Serialize};

use super::about::{Field, Input, row};
use super::calendar::Calendar;
use super::checker::Checker;
use super::severity::{NotifyUrgency, SEVERITIES};
use super::{FormKind, Slug};
use crate::matcher::{Matcher, Matchers};
use crate::org::problem::Place;
use crate::org::words::listed;
use crate::severity::Severity;

/// What the matchers of a condition see: no labels, since an incident has alerts of several.
pub const NAMES: [&str; 4] = ["severity", "service", "type", "urgency"];

const URGENCIES: &[(&str, &str)] = &[("high", "High"), ("low", "Low")];
/// The fields of a condition.
pub const FIELDS: &[Field] = &[
    row("severity", "At least", "The incident is as bad as this, or worse.", Input::Word(SEVERITIES)),
    row("urgency", "Notification urgency", "", Input::Word(URGENCIES)),
    row("types", "Types of incident", "It is one of these: ids, with commas between them.", Input::Names),
    row("during", "While this calendar is open", "Support hours, as the calendar says.", Input::One(FormKind::Calendar)),
    row("outside", "While this calendar is closed", "", Input::One(FormKind::Calendar)),
    row("match", "Matches", "As in a route, by severity, service, type and urgency: service=~\"pay.*\", type!=\"security\".", Input::Line),
];
/// One, as YAML.
pub const EXAMPLE: &str = "severity: sev2\noutside: office";

/// When a step counts: all of what is said has to hold.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct When {
    /// As bad as this, or worse.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// The urgency at which the page notifies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub urgency: Option<NotifyUrgency>,
    /// One of these types of incident.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub types: Vec<Slug>,
    /// While this calendar is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub during: Option<Slug>,
    /// While this calendar is closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outside: Option<Slug>,
    /// Matchers in Alertmanager's dialect over [`NAMES`].
    #[serde(rename = "match", skip_serializing_if = "String::is_empty")]
    pub matches: String,
}

impl When {
    /// Whether it says nothing, so that it always holds.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    pub(super) fn check(&self, checker: &mut Checker<'_>, place: &Place) {
        for (at, id) in self.types.iter().enumerate() {
            checker.refers(place.key("types").index(at), FormKind::Type, id);
        }
        for (key, id, is_open) in [("during", &self.during, true), ("outside", &self.outside, false)] {
            let Some(id) = id else { continue };
            checker.refers(place.key(key), FormKind::Calendar, id);
            let form = checker.bundle.calendars.iter().find(|form| form.id == *id);
            // What cannot be read is told of the calendar itself.
            let lists = checker.bundle.holiday_lists();
            let Some(calendar) = form.and_then(|form| Calendar::compile(form, &lists).ok()) else { continue };
            let now = checker.now;
            let never = if is_open {
                !calendar.is_open(now) && calendar.opens_next(now).is_none()
            } else {
                calendar.is_open(now) && calendar.closes_next(now).is_none()
            };
            if never {
                let (is, hint) =
                    if is_open { ("never open", "give the calendar hours") } else { ("never closed", "give the calendar hours that end") };
                never_holds(checker, place.key(key), &format!("calendar `{id}` is {is}"), hint);
            }
        }
        if let (Some(during), Some(outside)) = (&self.during, &self.outside)
            && during == outside
        {
            never_holds(
                checker,
                place.key("outside"),
                &format!("calendar `{during}` is not open and closed at once"),
                "say one of the two",
            );
        }
        let severities = self.severities(checker);
        if severities.is_empty() && (self.severity.is_some() || self.urgency.is_some()) {
            never_holds(checker, place.key("urgency"), "no severity as bad as that notifies at this urgency", "take one of the two away");
        }
        match Matchers::parse(&self.matches) {
            Err(bad) => checker.error(place.key("match"), bad.to_string(), "write it as in `service=~\"pay.*\", type!=\"security\"`"),
            Ok(matchers) => self.check_matchers(checker, &place.key("match"), &matchers, &severities),
        }
    }

    /// The severities at which it may hold, by what else it says.
    fn severities(&self, checker: &Checker<'_>) -> Vec<Severity> {
        let notify = |severity: Severity| {
            let form = checker.bundle.severities.iter().find(|form| form.id == severity);
            form.and_then(|form| form.notify).unwrap_or(NotifyUrgency::usual(severity))
        };
        let bad = |severity: &Severity| self.severity.is_none_or(|least| *severity <= least);
        let fits = |severity: &Severity| self.urgency.is_none_or(|wanted| notify(*severity) == wanted);
        Severity::ALL.into_iter().filter(bad).filter(fits).collect()
    }

    fn check_matchers(&self, checker: &mut Checker<'_>, place: &Place, matchers: &Matchers, severities: &[Severity]) {
        if let Some(other) = matchers.0.iter().find(|matcher| !NAMES.contains(&matcher.name.as_str())) {
            let shown: String = other.name.chars().filter(|c| !c.is_control()).take(64).collect();
            checker.error(place.clone(), format!("a step knows nothing of `{shown}`"), format!("it knows {}", listed(NAMES)));
            return;
        }
        let services: Vec<&str> = checker.bundle.services.iter().map(|form| form.id.as_str()).chain([""]).collect();
        let types: Vec<&str> = match self.types.as_slice() {
            [] => checker.bundle.types.iter().map(|form| form.id.as_str()).chain([""]).collect(),
            named => named.iter().map(String::as_str).collect(),
        };
        let urgencies: Vec<&str> = match self.urgency {
            Some(urgency) => vec![urgency.word()],
            None => vec![NotifyUrgency::High.word(), NotifyUrgency::Low.word()],
        };
        let severities: Vec<&str> = severities.iter().map(|severity| severity.word()).collect();
        for (name, values) in [("severity", severities), ("service", services), ("type", types), ("urgency", urgencies)] {
            let of_it: Vec<&Matcher> = matchers.0.iter().filter(|matcher| matcher.name == name).collect();
            if !of_it.is_empty() && !values.iter().any(|value| of_it.iter().all(|matcher| matcher.fits(value))) {
                never_holds(
                    checker,
                    place.clone(),
                    &format!("no {name} that there is here fits it"),
                    "take it away, or name one that there is",
                );
            }
        }
    }
}

fn never_holds(checker: &mut Checker<'_>, place: Place, why: &str, hint: &str) {
    checker.error(place, format!("this condition can never hold: {why}"), hint);
}
