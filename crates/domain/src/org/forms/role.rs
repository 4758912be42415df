//! Roles that can be taken in an incident: what each does, whether one person may have it twice, and from when on somebody
//! has to have it. The usual ones are there without configuration, with duty cards; an entry of the same id changes what it
//! says of them and leaves the rest.

use std::fmt;

use serde::ser::SerializeMap as _;
use serde::{Deserialize, Serialize};

use super::about::{About, IdOf, Input, Layout, NAME, Rows, needed, row};
use super::checker::{Checker, WITHIN_MAX};
use super::severity::SEVERITIES;
use super::target::Target;
use super::{Entry, FormKind, Slug};
use crate::org::words::meant;
use crate::severity::Severity;
use crate::time::Length;

/// Roles there are without configuration, in the order in which they are shown (NIMS and the
/// practice of large operators name them so).
pub const ROLES: [&str; 6] = ["commander", "deputy", "scribe", "communications", "liaison", "operations"];
/// The shortest time in which somebody may have to be found for a role: it is looked for once each such time.
pub const FOUND_WITHIN_MIN: Length = Length::from_mins(1);
/// The shortest time after which relief is due: whoever has the role is reminded once each such time.
pub const RELIEF_AFTER_MIN: Length = Length::from_mins(10);
/// Most duties on one card: what does not fit on a phone nobody reads at night.
pub const DUTIES_MAX: usize = 30;
/// Most characters of one duty.
pub const DUTY_CHARS_MAX: usize = 200;

const EXCLUSIVE: &[(&str, &str)] = &[("true", "One incident at a time"), ("false", "Several incidents at once")];
const WHENS: &[(&str, &str)] = &[("first", "First"), ("every_30m", "Every 30 minutes"), ("before_leaving", "Before you leave")];
const CARD: &str = "- {text: Say that you have it, when: first}\n- Keep the customers' words in one place\n- {text: Sum up what was said, when: before_leaving}";
const DUTIES: Rows = Rows {
    one: "duty",
    fields: &[needed("text", "What is done", "", Input::Line), row("when", "When", "", Input::Word(WHENS))],
    layout: Layout::OrBare("text"),
    first: 2,
    spare: 1,
    more: &[],
    fresh: &[],
    example: CARD,
};

/// What the settings and the file say of it.
pub const ABOUT: About = About {
    word: "role",
    plural: "Roles",
    one: "role",
    purpose: "Roles that can be taken in an incident, besides commander, deputy, scribe, communications, liaison and operations; or what is different of those here.",
    id: IdOf::Typed,
    then: &[],
    fields: &[
        NAME,
        row(
            "duties",
            "Duties",
            "The card that whoever takes it sees. Of the usual roles the shipped card holds where there are none.",
            Input::Rows(&DUTIES),
        ),
        row(
            "exclusive",
            "Held in",
            "Who has it in two open incidents is warned where it is for one at a time. The commander’s is; the others’ are not, where left open.",
            Input::Word(EXCLUSIVE),
        ),
        row("needed_from", "Needed from", "Somebody has to have it in incidents as bad as this, or worse.", Input::Word(SEVERITIES)),
        row("within", "Within", "How long it may be nobody’s before the team’s managers are called; 5m where left open.", Input::Length),
        row("from", "From", "Who is asked to take it when it is needed: a schedule’s on call, a team, a person.", Input::Target),
        row("deputy", "Deputy", "The role whose holder is called first where nobody took this one in time.", Input::Line),
        row("relief_after", "Relief after", "How long one person should have it; 8h where left open, never turns it off.", Input::Length),
    ],
};

/// A role, as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Role {
    pub id: Slug,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The card that whoever takes it sees.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub duties: Vec<Duty>,
    /// Whether one person should have it in one open incident only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exclusive: Option<bool>,
    /// Somebody has to have it in incidents of this severity and of worse ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needed_from: Option<Severity>,
    /// How long it may be nobody's once it is needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<Length>,
    /// Who is asked to take it when it is needed: `schedule:ID`, `team:ID`, `person:ID`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The role whose holder is called first where nobody took it in time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deputy: Option<Slug>,
    /// How long one person should have it; `never` (zero): as long as it takes.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "crate::time::or_never")]
    pub relief_after: Option<Length>,
}

/// What whoever has a role does: a text alone, or `{text, when}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Duty {
    /// One line.
    pub text: String,
    /// When; all the time where nothing is said.
    pub when: Option<DutyWhen>,
}

/// When a duty is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = DutyWhen))]
pub enum DutyWhen {
    /// When they take it.
    First,
    /// Every half hour that they have it.
    #[serde(rename = "every_30m")]
    Every30m,
    /// Before they hand it over.
    BeforeLeaving,
}

impl DutyWhen {
    /// As written.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Every30m => "every_30m",
            Self::BeforeLeaving => "before_leaving",
        }
    }

    /// What stands over such duties on a card; `None`: what is done all the time.
    #[must_use]
    pub const fn heading(when: Option<Self>) -> &'static str {
        match when {
            Some(Self::First) => "First",
            None => "All the time",
            Some(Self::Every30m) => "Every 30 minutes",
            Some(Self::BeforeLeaving) => "Before you leave",
        }
    }

    /// The parts of a card, in the order in which they are read.
    pub const CARD: [Option<Self>; 4] = [Some(Self::First), None, Some(Self::Every30m), Some(Self::BeforeLeaving)];
}

impl Serialize for Duty {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Some(when) = self.when else { return to.serialize_str(&self.text) };
        let mut map = to.serialize_map(Some(2))?;
        map.serialize_entry("text", &self.text)?;
        map.serialize_entry("when", &when)?;
        map.end()
    }
}

impl<'de> Deserialize<'de> for Duty {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Shapes;
        impl<'de> serde::de::Visitor<'de> for Shapes {
            type Value = Duty;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a duty such as `Say that you command`, or `{text: Sum up, when: every_30m}`")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Duty, E> {
                Ok(Duty { text: text.to_owned(), when: None })
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<Duty, A::Error> {
                #[derive(Deserialize)]
                #[serde(deny_unknown_fields)]
                struct Timed {
                    text: String,
                    #[serde(default)]
                    when: Option<DutyWhen>,
                }
                let Timed { text, when } = Timed::deserialize(serde::de::value::MapAccessDeserializer::new(map))?;
                Ok(Duty { text, when })
            }
        }
        from.deserialize_any(Shapes)
    }
}

impl Entry for Role {
    fn id(&self) -> Option<&str> {
        Some(&self.id)
    }
    fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn check<'a>(kind: FormKind, list: &'a [Self], checker: &mut Checker<'a>) {
        checker.each(kind, list, |checker, place, role| {
            for (at, duty) in role.duties.iter().enumerate() {
                let place = place.key("duties").index(at);
                if duty.text.trim().is_empty() || duty.text.chars().any(char::is_control) {
                    checker.error(place, "a duty is one line that says what is done", "write it as in `Sum up what is known`");
                } else if duty.text.chars().count() > DUTY_CHARS_MAX {
                    checker.error(place, format!("a duty is at most {DUTY_CHARS_MAX} characters"), "make two of it, or say it shorter");
                }
            }
            if role.duties.len() > DUTIES_MAX {
                let words = format!("{} duties are more than {DUTIES_MAX}, which nobody reads", role.duties.len());
                checker.error(place.key("duties"), words, "keep what counts, and put the rest into a runbook");
            }
            if let Some(within) = role.within.filter(|within| *within < FOUND_WITHIN_MIN || *within > WITHIN_MAX) {
                let hint = format!("give at least {FOUND_WITHIN_MIN} and at most {WITHIN_MAX}, as in `5m`");
                checker.error(place.key("within"), format!("`{within}` is not a time to find somebody in"), hint);
            }
            if let Some(target) = &role.from {
                checker.target(place.key("from"), target);
            }
            if let Some(deputy) = &role.deputy {
                let known = || ROLES.into_iter().chain(checker.known(FormKind::Role));
                if deputy == &role.id {
                    let words = "a role is not its own deputy";
                    checker.error(place.key("deputy"), words, "name another role, as in `deputy`");
                } else if !known().any(|known| known == deputy) {
                    let shown: String = deputy.chars().take(64).collect();
                    let hint = meant(deputy, known());
                    checker.error(place.key("deputy"), format!("`{shown}` is not a role"), hint);
                }
            }
            if let Some(after) = role.relief_after {
                if after < RELIEF_AFTER_MIN && !after.is_zero() {
                    let hint = format!("give at least {RELIEF_AFTER_MIN}, as in `8h`, or `never`");
                    checker.error(place.key("relief_after"), format!("`{after}` is sooner than anybody is relieved"), hint);
                }
                checker.length_or_never(place.key("relief_after"), after);
            }
            if role.needed_from.is_none() {
                // A schedule says who is off shift as well.
                let asks = role.from.as_deref().filter(|from| !matches!(Target::parse(from), Some(Target::Schedule(_) | Target::Next(_))));
                let idle = [("within", role.within.is_some()), ("from", asks.is_some()), ("deputy", role.deputy.is_some())];
                for (key, _) in idle.into_iter().filter(|(_, is_said)| *is_said) {
                    let words = format!("`{key}` does nothing while `{}` is not needed in any incident", role.id);
                    checker.error(place.key(key), words, "say from which severity on it is, as in `needed_from: sev3`");
                }
            }
        });
    }
}
