//! A rule of triage. Routes are read in their order, so that what is stored of one says its place.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::about::{About, Field, IdOf, Input, row};
use super::checker::Checker;
use super::severity::SEVERITIES;
use super::stored::{BadForm, Form, body_of, read};
use super::{Entry, FormKind, Slug};
use crate::matcher::Matchers;
use crate::org::problem::Place;
use crate::org::words::listed;
use crate::severity::Severity;
use crate::time::Length;

/// The longest grace that a route can give: what comes back after a day is looked at as something new.
pub const GRACE_MAX: Length = Length::from_mins(24 * 60);
/// The key of a route's body that says its place among the routes.
pub const ORDER: &str = "order";

const SET: &str = "severity: sev2\ngroup_by: [cluster, alertname]\ngroup_wait: 30s";
const SETS: &[Field] = &[
    row("service", "Service", "", Input::One(FormKind::Service)),
    row("severity", "Severity", "", Input::Word(SEVERITIES)),
    row("impact", "Impact", "With the urgency it says the severity.", Input::Word(LEVELS)),
    row("urgency", "Urgency", "", Input::Word(LEVELS)),
    row("group_by", "Belong together", "Alarms with the same values of these labels, as in cluster, alertname.", Input::Names),
    row("group_wait", "Waits for others", "Before it pages, as in 30s.", Input::Length),
    row("grace", "Comes back within", "Then it joins the incident that it had, as in 5m; 0s never.", Input::Length),
    row("type", "Type of incident", "", Input::One(FormKind::Type)),
    row("plan", "Starts the plan", "In each incident that it declares.", Input::One(FormKind::Plan)),
    row("title", "Title of the incident", "`{title}`, `{service}`, `{source}`, `{labels.NAME}` are filled in.", Input::Line),
    row("private", "Private", "Whether only those who are admitted see it.", Input::Word(&[("true", "Yes"), ("false", "No")])),
];
const LEVELS: &[(&str, &str)] = &[("high", "High"), ("medium", "Medium"), ("low", "Low")];
const DECLARES: &[(&str, &str)] =
    &[("true", "Declare and page"), ("candidate", "Ask a person; declare after ten minutes"), ("record", "Only keep it")];

/// What the settings and the file say of it.
pub const ABOUT: About = About {
    word: "route",
    plural: "Routes",
    one: "route",
    purpose: "What becomes of an alarm, by its labels: its service and severity, whether it pages, and which belong together.",
    id: IdOf::Typed,
    then: &[],
    fields: &[
        row(
            "order",
            "Place",
            "Routes are read in this order, and the first that matches decides. Those of a file count from 0; one made here comes after them.",
            Input::Number,
        ),
        row(
            "match",
            "Matches",
            "Alertmanager’s matchers, as in severity=\"critical\", team=~\"pay.*\". Empty matches everything.",
            Input::Line,
        ),
        row("set", "Sets", "What is left open stays as other routes and the alarm say.", Input::Part(SETS, SET)),
        row("declare", "What becomes of it", "Left open it is declared, unless a later route says otherwise.", Input::Word(DECLARES)),
        row("continue", "Go on to later routes", "They may override what this one sets.", Input::Check),
    ],
};

/// A rule of triage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// A name for explanations; `route N` where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Slug>,
    /// Matchers in Alertmanager's dialect, comma separated; empty matches all.
    #[serde(default, rename = "match", skip_serializing_if = "String::is_empty")]
    pub matches: String,
    #[serde(default, skip_serializing_if = "RouteSet::is_empty")]
    pub set: RouteSet,
    /// `true`, `candidate`, `record`; unsaid leaves it to what comes after, at last to declare.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declare: Option<Declare>,
    /// Go on to later routes, which may override.
    #[serde(default, rename = "continue", skip_serializing_if = "std::ops::Not::not")]
    pub go_on: bool,
}

/// What a route sets.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RouteSet {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<Slug>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub impact: Option<Level>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub urgency: Option<Level>,
    /// Names of labels whose values together are the group's key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_by: Option<Vec<String>>,
    /// How long a new incident waits for others before it pages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_wait: Option<Length>,
    /// An alert that comes back within this time of its end joins the incident it had.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grace: Option<Length>,
    /// The type of an incident of it.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<Slug>,
    /// The plan that starts in an incident of it, once that is declared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<Slug>,
    /// Title of the incident; `{title}`, `{service}`, `{source}`, `{labels.NAME}` are filled in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Whether only those who are admitted see the incident.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub private: Option<bool>,
}

impl RouteSet {
    /// Whether it sets nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A step of the impact or urgency scale of the severity matrix; the worst is the least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Level))]
pub enum Level {
    High,
    Medium,
    Low,
}

impl Level {
    /// All of them, the worst first.
    pub const ALL: [Self; 3] = [Self::High, Self::Medium, Self::Low];
    /// The same, as written.
    pub const WORDS: [&'static str; 3] = ["high", "medium", "low"];

    /// As written.
    #[must_use]
    pub const fn word(self) -> &'static str {
        Self::WORDS[self.place()]
    }

    /// The one with this word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.word() == word)
    }

    /// Its place on the scale, from 0, the worst.
    #[must_use]
    pub const fn place(self) -> usize {
        self as usize
    }
}

/// What is done with an alert that is not known yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Declare {
    /// An incident is declared and pages.
    Declare,
    /// A candidate is proposed; a person decides.
    Candidate,
    /// Only recorded.
    Record,
}

impl Serialize for Declare {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Declare => s.serialize_bool(true),
            Self::Candidate => s.serialize_str("candidate"),
            Self::Record => s.serialize_str("record"),
        }
    }
}

impl<'de> Deserialize<'de> for Declare {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Words;
        impl serde::de::Visitor<'_> for Words {
            type Value = Declare;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("`true`, `candidate` or `record`")
            }
            fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<Declare, E> {
                Ok(if value { Declare::Declare } else { Declare::Record })
            }
            fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Declare, E> {
                match value {
                    "true" | "declare" => Ok(Declare::Declare),
                    "candidate" => Ok(Declare::Candidate),
                    "record" | "false" => Ok(Declare::Record),
                    _ => Err(E::invalid_value(serde::de::Unexpected::Str(value), &self)),
                }
            }
        }
        d.deserialize_any(Words)
    }
}

impl Entry for Route {
    fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// A route without an id is called `route-NNN` by its place from 1.
    fn store(kind: FormKind, list: &[Self]) -> Vec<Form> {
        let mut taken: BTreeSet<Slug> = list.iter().filter_map(|route| route.id.clone()).collect();
        let named = list.iter().enumerate().map(|(at, route)| {
            let id = route.id.clone().unwrap_or_else(|| {
                let plain = format!("route-{:03}", at + 1);
                let mut id = plain.clone();
                // Somebody may have given another route this very name.
                let mut again = 2;
                while !taken.insert(id.clone()) {
                    id = format!("{plain}.{again}");
                    again += 1;
                }
                id
            });
            let mut body = body_of(route);
            body[ORDER] = at.into();
            Form { kind, id, body }
        });
        named.collect()
    }

    fn restore(forms: Vec<Form>) -> Result<Vec<Self>, BadForm> {
        let mut routes = Vec::with_capacity(forms.len());
        for mut form in forms {
            let order = form.body.as_object_mut().and_then(|body| body.remove(ORDER));
            let order = order.as_ref().and_then(Value::as_u64).unwrap_or(u64::MAX);
            routes.push((order, form.id.clone(), read(form)?));
        }
        routes.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
        Ok(routes.into_iter().map(|(_, _, route)| route).collect())
    }

    fn check<'a>(kind: FormKind, list: &'a [Self], checker: &mut Checker<'a>) {
        let last = list.len().saturating_sub(1);
        checker.each(kind, list, |checker, place, route| {
            if let Err(bad) = Matchers::parse(&route.matches) {
                checker.error(place.key("match"), bad.to_string(), "write it as in `severity=\"critical\", team=~\"pay.*\"`");
            }
            let set = place.key("set");
            if let Some(service) = &route.set.service {
                checker.refers(set.key("service"), FormKind::Service, service);
            }
            if let Some(kind) = &route.set.kind {
                checker.refers(set.key("type"), FormKind::Type, kind);
            }
            if let Some(plan) = &route.set.plan {
                checker.refers(set.key("plan"), FormKind::Plan, plan);
            }
            if let Some(labels) = &route.set.group_by
                && (labels.is_empty() || labels.iter().any(|label| label.trim().is_empty()))
            {
                checker.error(
                    set.key("group_by"),
                    "`group_by` names no label",
                    "name labels, as in `[cluster, alertname]`, or leave it away",
                );
            }
            if let Some(grace) = route.set.grace.filter(|grace| *grace > GRACE_MAX) {
                checker.error(
                    set.key("grace"),
                    format!("`{grace}` is a longer grace than {GRACE_MAX}"),
                    format!("give at most {GRACE_MAX}, as in `5m`; `0s` makes every alert that comes back a new incident"),
                );
            }
            if let Some(title) = &route.set.title {
                title_of(checker, set.key("title"), title);
            }
            let catches_all = route.matches.trim().is_empty() && !route.go_on;
            if catches_all && *place != Place::root().key(kind.list()).index(last) {
                checker.warning(
                    place.clone(),
                    "this route matches everything, so no later route is ever read",
                    "put it last, or add `continue: true`",
                );
            }
        });
    }
}

fn title_of(checker: &mut Checker<'_>, place: Place, title: &str) {
    const KNOWN: [&str; 3] = ["title", "service", "source"];
    for part in title.split('{').skip(1) {
        let Some((name, _)) = part.split_once('}') else {
            checker.error(place, "a `{` is not closed", "write it as in `{title}`");
            return;
        };
        let is_label = name.strip_prefix("labels.").is_some_and(|label| !label.is_empty());
        if !is_label && !KNOWN.contains(&name) {
            let shown: String = name.chars().take(64).collect();
            checker.error(place.clone(), format!("`{{{shown}}}` cannot be filled in"), format!("known: {}, labels.NAME", listed(KNOWN)));
        }
    }
}
