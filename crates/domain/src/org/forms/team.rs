//! People who answer for something together.

use serde::{Deserialize, Serialize};

use super::about::{About, CALLED, IdOf, Input, row};
use super::checker::Checker;
use super::{Entry, FormKind, Slug};

/// What the settings and the file say of it.
pub const ABOUT: About = About {
    word: "team",
    plural: "Teams",
    one: "team",
    purpose: "People who answer for something together. A policy may page a whole team, and its managers put somebody else on its schedules for a time.",
    id: IdOf::Typed,
    then: &[(FormKind::Schedule, "team={id}")],
    fields: &[
        CALLED,
        row("members", "Members", "Paged where a policy names the team.", Input::Many(FormKind::Person)),
        row("managers", "Managers", "They see and change more of the team.", Input::Many(FormKind::Person)),
    ],
};

/// People who answer for something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Team {
    pub id: Slug,
    pub name: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<Slug>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub managers: Vec<Slug>,
}

impl Entry for Team {
    fn id(&self) -> Option<&str> {
        Some(&self.id)
    }
    fn name(&self) -> Option<&str> {
        Some(&self.name)
    }

    fn check<'a>(kind: FormKind, list: &'a [Self], checker: &mut Checker<'a>) {
        checker.each(kind, list, |checker, place, team| {
            checker.name(place, &team.name);
            checker.refer(&place.key("members"), FormKind::Person, &team.members);
            checker.refer(&place.key("managers"), FormKind::Person, &team.managers);
        });
    }
}
