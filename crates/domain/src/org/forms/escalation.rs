//! An escalation policy: whom to page, how long they have, and who is next.

use serde::{Deserialize, Serialize};

use super::about::{About, IdOf, Input, Layout, NAME, Rows, needed, row};
use super::checker::{Checker, REPEAT_MAX, WITHIN_MAX};
use super::{Entry, FormKind, Slug};
use crate::time::Length;

const STEPS: &str = "- {page: [\"schedule:payments-primary\"], within: 5m}\n- {page: [\"person:cho\"], within: 10m}";
const STEP: Rows = Rows {
    one: "step",
    fields: &[
        needed("page", "Whom to page", "", Input::Several(&Input::Target, 1)),
        needed("within", "Within", "How long they have to acknowledge, as in 5m.", Input::Length),
    ],
    layout: Layout::Objects,
    first: 2,
    spare: 1,
    more: &[],
    fresh: &[("within", "5m")],
    example: STEPS,
};

/// What the settings and the file say of it.
pub const ABOUT: About = About {
    word: "escalation",
    plural: "Escalation policies",
    one: "escalation policy",
    purpose: "Whom to page, how long they have to acknowledge, and who is next.",
    id: IdOf::Typed,
    then: &[(FormKind::Service, "escalation={id}"), (FormKind::CatchAll, "")],
    fields: &[
        NAME,
        needed("steps", "Steps", "One after the other, until somebody acknowledges.", Input::Rows(&STEP)),
        row("repeat", "Further rounds", "After the first; at most 20.", Input::Number),
        row(
            "again_every",
            "Comes back every",
            "When everybody was paged and nobody has it: to the catch-all and the team’s managers. 30m at high urgency, 1d at low, where left open; never turns it off.",
            Input::Length,
        ),
    ],
};

/// An escalation policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Escalation {
    pub id: Slug,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    pub steps: Vec<Step>,
    /// Further rounds after the first.
    #[serde(default)]
    pub repeat: u32,
    /// How often a page that everybody left unanswered comes back; `never` (zero) turns it off. Half an hour at high
    /// notification urgency, a day at low where absent.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "crate::time::or_never")]
    pub again_every: Option<Length>,
}

/// One step: who, and how long they have to acknowledge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// `schedule:ID`, `next:ID`, `person:ID`, `team:ID`.
    pub page: Vec<String>,
    pub within: Length,
}

impl Escalation {
    /// Whether it has one step and no further round: whoever misses that is not paged again by it.
    #[must_use]
    pub fn is_one_try(&self) -> bool {
        self.steps.len() == 1 && self.repeat == 0
    }
}

impl Entry for Escalation {
    fn id(&self) -> Option<&str> {
        Some(&self.id)
    }
    fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn check<'a>(kind: FormKind, list: &'a [Self], checker: &mut Checker<'a>) {
        checker.each(kind, list, |checker, place, escalation| {
            if escalation.steps.is_empty() {
                checker.error(
                    place.key("steps"),
                    format!("escalation `{}` has no step, so it would page nobody", escalation.id),
                    "give at least one: `{page: [\"person:ana\"], within: 5m}`",
                );
            }
            for (index, step) in escalation.steps.iter().enumerate() {
                let place = place.key("steps").index(index);
                if step.page.is_empty() {
                    checker.error(place.key("page"), "the step pages nobody", "name `schedule:ID`, `next:ID`, `person:ID` or `team:ID`");
                }
                for (at, target) in step.page.iter().enumerate() {
                    checker.target(place.key("page").index(at), target);
                }
                if step.within.is_zero() || step.within > WITHIN_MAX {
                    checker.error(
                        place.key("within"),
                        format!("`{}` is not a time to acknowledge in", step.within),
                        format!("give more than no time and at most {WITHIN_MAX}, as in `5m`"),
                    );
                }
            }
            if let Some(every) = escalation.again_every {
                checker.length_or_never(place.key("again_every"), every);
            }
            if escalation.repeat > REPEAT_MAX {
                checker.error(
                    place.key("repeat"),
                    format!("{} further rounds are more than {REPEAT_MAX}", escalation.repeat),
                    "let `catch_all` name who is left after the last round",
                );
            }
        });
    }
}
