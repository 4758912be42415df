//! Something people use, whose incidents page whom its policy names.

use std::collections::HashMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::about::{About, CALLED, IdOf, Input, TEAM, row};
use super::checker::Checker;
use super::{Entry, FormKind, Slug};
use crate::org::problem::Place;
use crate::time::Length;

const TIERS: &[(&str, &str)] = &[("1", "1 (most)"), ("2", "2"), ("3", "3"), ("4", "4"), ("5", "5")];

/// What the settings and the file say of it.
pub const ABOUT: About = About {
    word: "service",
    plural: "Services",
    one: "service",
    purpose: "What people use. An incident is of a service, and pages whom the service’s policy names.",
    id: IdOf::Typed,
    then: &[(FormKind::Integration, "service={id}")],
    fields: &[
        CALLED,
        TEAM,
        row("escalation", "Escalation policy", "Whom its incidents page. Without one, the catch-all.", Input::One(FormKind::Escalation)),
        row("tier", "Tier", "How much depends on it.", Input::Word(TIERS)),
        row("rto", "Recovery time objective", "By when it is to be back, from the impact’s start, as in 4h.", Input::Length),
        row("mtpd", "Maximum tolerable period", "After how long without it the house is harmed for good, as in 1d.", Input::Length),
        row("depends_on", "Depends on", "No circles.", Input::Many(FormKind::Service)),
        row("runbook", "Runbook", "An address that is shown with its pages, as in https://wiki.example.org/checkout.", Input::Line),
    ],
};

/// Which limit it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = ObjectiveKind))]
pub enum ObjectiveKind {
    /// By when it is to be back.
    Rto,
    /// From when on it harms the house for good.
    Mtpd,
}

impl ObjectiveKind {
    /// Both, the sooner first.
    pub const ALL: [Self; 2] = [Self::Rto, Self::Mtpd];

    /// As stored, and as the key of a service.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Rto => "rto",
            Self::Mtpd => "mtpd",
        }
    }

    /// As people read it, everywhere.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Rto => "Recovery time objective",
            Self::Mtpd => "Maximum tolerable period",
        }
    }

    /// The one with this word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

impl fmt::Display for ObjectiveKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())
    }
}

/// Something people use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Service {
    pub id: Slug,
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<Slug>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalation: Option<Slug>,
    /// 1 (most) to 5.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<u8>,
    /// By when it is to be back, from the impact's start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rto: Option<Length>,
    /// After how long without it the house is harmed for good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mtpd: Option<Length>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub depends_on: Vec<Slug>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runbook: Option<String>,
}

impl Service {
    /// What it sets, the sooner first.
    pub fn objectives(&self) -> impl Iterator<Item = (ObjectiveKind, Length)> {
        let set = [(ObjectiveKind::Rto, self.rto), (ObjectiveKind::Mtpd, self.mtpd)];
        set.into_iter().filter_map(|(kind, within)| Some((kind, within?)))
    }
}

impl Entry for Service {
    fn id(&self) -> Option<&str> {
        Some(&self.id)
    }
    fn name(&self) -> Option<&str> {
        Some(&self.name)
    }

    fn check<'a>(kind: FormKind, list: &'a [Self], checker: &mut Checker<'a>) {
        checker.each(kind, list, |checker, place, service| {
            checker.name(place, &service.name);
            runbook_of(checker, place.key("runbook"), service.runbook.as_deref());
            if let Some(team) = &service.team {
                checker.refers(place.key("team"), FormKind::Team, team);
            }
            if let Some(escalation) = &service.escalation {
                checker.refers(place.key("escalation"), FormKind::Escalation, escalation);
            } else if checker.bundle.catch_all.is_empty() {
                checker.warning(
                    place.clone(),
                    format!("service `{}` has no escalation and there is no `catch_all`, so its incidents page nobody", service.id),
                    "give it `escalation: ID`, or the organisation `catch_all: [\"person:ID\"]`",
                );
            }
            if service.tier.is_some_and(|tier| !(1..=5).contains(&tier)) {
                checker.error(place.key("tier"), "a tier is 1 (most) to 5", "write a number from 1 to 5");
            }
            for (key, length) in [("rto", service.rto), ("mtpd", service.mtpd)] {
                if length.is_some_and(|length| length.is_zero()) {
                    checker.error(place.key(key), "no time at all is kept by nobody", "write a length, as in `4h`, or leave it away");
                }
            }
            if let (Some(rto), Some(mtpd)) = (service.rto, service.mtpd)
                && rto > mtpd
            {
                let words = format!("it is to be back in {rto}, and is tolerated for {mtpd} at most");
                checker.error(place.key("rto"), words, "give it no more time than `mtpd`");
            }
            checker.refer(&place.key("depends_on"), FormKind::Service, &service.depends_on);
        });
        if let Some((at, circle)) = circle(list) {
            checker.error(
                Place::root().key(kind.list()).index(at).key("depends_on"),
                format!("services depend on each other in a circle: {}", circle.join(" → ")),
                "take one of these away",
            );
        }
    }
}

/// The first circle of dependencies: where it begins, and the ids along it.
fn circle(services: &[Service]) -> Option<(usize, Vec<Slug>)> {
    #[derive(Clone, Copy, PartialEq)]
    enum Mark {
        Unseen,
        OnPath,
        Done,
    }
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

/// A runbook leads somewhere: whoever is paged at night has nothing else to follow.
fn runbook_of(checker: &mut Checker<'_>, place: Place, runbook: Option<&str>) {
    let Some(text) = runbook.map(str::trim).filter(|text| !text.is_empty()) else { return };
    let is_link = ["http://", "https://"].iter().any(|scheme| {
        text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)) && !text.contains(char::is_whitespace)
    });
    if !is_link {
        let shown: String = text.chars().filter(|c| !c.is_control() && *c != '`').take(64).collect();
        // Said and not refused: it is shown as the text that it is, and a service pages whatever its runbook says.
        checker.warning(
            place,
            format!("`{shown}` is no address that can be followed"),
            "write it as in `https://wiki.example.org/checkout`",
        );
    }
}
