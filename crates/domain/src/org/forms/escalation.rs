//! An escalation policy: whom to page, how long they have, and who is next.

use serde::{Deserialize, Serialize};

use super::about::{About, IdOf, Input, Layout, NAME, Rows, needed, row};
use super::checker::{Checker, REPEAT_MAX, WITHIN_MAX};
use super::step_condition::{self, When};
use super::{Entry, FormKind, Slug};
use crate::time::Length;

/// Most people whom a step may ask to acknowledge: a step pages no more (`paging::PEOPLE_PER_STEP_MAX`).
pub const ACKNOWLEDGED_BY_MAX: u32 = 200;

const STEPS: &str = "- {page: [\"schedule:payments-primary\"], within: 5m}\n- {page: [\"person:cho\"], within: 10m}";
const ONE_OF: &[(&str, &str)] = &[("round_robin", "One of them, in turn (round-robin)")];
const STEP: Rows = Rows {
    one: "step",
    fields: &[
        needed("page", "Whom to page", "", Input::Several(&Input::Target, 1)),
        needed("within", "Within", "How long they have to acknowledge, as in 5m.", Input::Length),
        row("one_of", "Who of them", "Left open, everybody at once.", Input::Word(ONE_OF)),
        row("acknowledged_by", "Acknowledged by", "How many different people have to; one, where left open.", Input::Number),
        row(
            "when",
            "Only when",
            "All of it has to hold when the step has its turn; else the next step follows at once.",
            Input::Part(step_condition::FIELDS, step_condition::EXAMPLE),
        ),
    ],
    layout: Layout::Objects,
    first: 2,
    spare: 1,
    more: &["one_of", "acknowledged_by", "when"],
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
    /// Where only one of them is paged: how that one is chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub one_of: Option<OneOf>,
    /// How many different people have to acknowledge.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub acknowledged_by: u32,
    /// When it counts; always where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<When>,
}

/// How the one is chosen whom a step pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OneOf {
    /// Whoever had no turn for the longest time: the whole ring before anybody twice.
    RoundRobin,
}

const fn one() -> u32 {
    1
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde hands a reference
const fn is_one(many: &u32) -> bool {
    *many == 1
}

impl Step {
    /// One that pages everybody whom the targets name, always, until one of them acknowledges.
    #[must_use]
    pub const fn of(page: Vec<String>, within: Length) -> Self {
        Self { page, within, one_of: None, acknowledged_by: 1, when: None }
    }
}

impl Escalation {
    /// Whether a step of it has a condition.
    #[must_use]
    pub fn has_conditions(&self) -> bool {
        self.steps.iter().any(|step| step.when.is_some())
    }

    /// Whether a step of it pages one of many in turn.
    #[must_use]
    pub fn takes_turns(&self) -> bool {
        self.steps.iter().any(|step| step.one_of.is_some())
    }

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
                let many = step.acknowledged_by;
                if many == 0 || many > ACKNOWLEDGED_BY_MAX {
                    checker.error(
                        place.key("acknowledged_by"),
                        format!("{many} people cannot acknowledge a step"),
                        format!("give 1 to {ACKNOWLEDGED_BY_MAX}, or leave it away for one"),
                    );
                } else if many > 1 && step.one_of.is_some() {
                    checker.error(
                        place.key("acknowledged_by"),
                        format!("the step pages one of them, so {many} cannot acknowledge it"),
                        "take `one_of` away to page everybody, or `acknowledged_by`",
                    );
                }
                if let Some(when) = &step.when {
                    when.check(checker, &place.key("when"));
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
