//! Response plans: what is done, by which roles, in which order and until when, in incidents of a kind. A plan is started in
//! an incident, which keeps it as it was then: what is changed here changes nothing that runs.
//!
//! Deliberately not here: how a plan runs (`incident::plans`), and the plans that are shipped ([`crate::org::shipped`]).

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::about::{About, IdOf, Input, Layout, NAME, Rows, needed, row};
use super::checker::{Checker, WITHIN_MAX};
use super::plan_choice::{self, Asked, OPTIONS, PlanOption};
use super::plan_deed::{self, Deed};
use super::role::ROLES;
use super::{Entry, FormKind, Slug};
use crate::matcher::Matchers;
use crate::org::problem::Place;
use crate::org::words::meant;
use crate::time::Length;

/// Most tasks of a plan: more is no list that somebody taps through.
pub const PLAN_TASKS_MAX: usize = 60;
/// Most characters of a task of a plan: what is longer stands behind its link.
pub const PLAN_TASK_CHARS_MAX: usize = 300;
/// Most roles that a plan fills.
pub const PLAN_ROLES_MAX: usize = 20;
/// Most targets that a plan asks for help.
pub const PLAN_INVOLVE_MAX: usize = 20;
/// Most requests that a plan makes of other organisations.
pub const PLAN_ASK_MAX: usize = 20;
/// Most characters of a request of a plan: it is sent as it stands, and whoever reads it knows nothing else.
pub const PLAN_ASK_CHARS_MAX: usize = 500;
/// Most obligations that a plan proposes: there are not many more regimes.
pub const PLAN_OBLIGATIONS_MAX: usize = 20;
/// Most audiences that a plan names.
pub const PLAN_UPDATES_MAX: usize = 10;
/// Most items of what has to hold before it is over.
pub const PLAN_RECOVERY_MAX: usize = 30;
/// Most characters of one of them.
pub const PLAN_RECOVERY_CHARS_MAX: usize = 200;
/// The shortest time from one update of a plan to the next.
pub const UPDATE_EVERY_MIN: Length = Length::from_mins(1);
/// Most links of a plan.
pub const PLAN_LINKS_MAX: usize = 10;
/// Most characters of a link.
pub const PLAN_LINK_CHARS_MAX: usize = 500;
/// What stands before an organisation's id in a target.
const ORGANISATION: &str = "organisation:";

const TASKS: Rows = Rows {
    one: "task",
    fields: &[
        needed("id", "Id", "By which others come after it.", Input::Line),
        needed("text", "What is done", "", Input::Line),
        row("role", "Role", "Who has it does this.", Input::Line),
        row("person", "Person", "Where it is always the same one.", Input::One(FormKind::Person)),
        row("within", "Within", "From when it may begin, as in 10m.", Input::Length),
        row("after", "After", "Ids of the tasks that come before it.", Input::Names),
        row("link", "Link", "Where it says how.", Input::Line),
        row("question", "Question", "What is decided here, where it is a decision.", Input::Line),
        row("options", "Options", "Between what. The task is done when one of them is chosen.", Input::Rows(&OPTIONS)),
        row(
            "do",
            "Does",
            "A signed request that does it; what it answers is kept in the log.",
            Input::Part(plan_deed::FIELDS, plan_deed::EXAMPLE),
        ),
    ],
    layout: Layout::Objects,
    first: 3,
    spare: 2,
    more: &["person", "after", "link", "question", "options", "do"],
    fresh: &[],
    example: "- {id: scope, text: Say what is affected, role: commander, within: 10m}\n- {id: way, text: Decide on the other site, after: [scope], question: Fail over?, options: [Fail over, {text: Wait, skips: [switch]}]}\n- {id: switch, text: Fail over, after: [way]}",
};
const ASK: Rows = Rows {
    one: "request",
    fields: &[
        needed("organisation", "Organisation", "", Input::One(FormKind::Organisation)),
        needed("text", "What it is asked for", "", Input::Line),
        row("within", "Answer wanted within", "Where it has hours, only they count.", Input::Length),
    ],
    layout: Layout::Objects,
    first: 1,
    spare: 1,
    more: &[],
    fresh: &[],
    example: "- {organisation: cert, text: Please look at your side, within: 1h}",
};
const UPDATES: Rows = Rows {
    one: "update",
    fields: &[needed("audience", "Audience", "", Input::One(FormKind::Audience)), needed("every", "Every", "As in 30m.", Input::Length)],
    layout: Layout::Objects,
    first: 1,
    spare: 1,
    more: &[],
    fresh: &[],
    example: "- {audience: customers, every: 30m}",
};

/// What the settings and the file say of it.
pub const ABOUT: About = About {
    word: "plan",
    plural: "Plans",
    one: "plan",
    purpose: "What is done in incidents of a kind: tasks in their order, who does them until when, who is asked, and what has to hold before it is over.",
    id: IdOf::Typed,
    then: &[],
    fields: &[
        NAME,
        row("owner", "Owner", "Who keeps it right: a person or a team.", Input::Target),
        row("version", "Version", "A number that you raise with each change that people should know of; 1 where left open.", Input::Number),
        row("review_by", "Review by", "From the day after, whoever starts it reads that it is overdue.", Input::Date),
        row(
            "match",
            "Proposed for",
            "Matchers over service, severity, title, type and labels of its alarms, as in service=\"checkout\", severity=~\"sev1|sev2\". Empty: it is started by hand or by a route.",
            Input::Line,
        ),
        row("roles", "Roles", "Somebody has to have these while it runs.", Input::Several(&Input::Line, 2)),
        row(
            "involve",
            "Asks for help",
            "Who is paged when it starts. An organisation, as in organisation:cert, takes part from then on.",
            Input::Several(&Input::Target, 2),
        ),
        row("ask", "Asks organisations", "What other organisations are asked for when it starts, over the agreed way.", Input::Rows(&ASK)),
        row("tasks", "Tasks", "", Input::Rows(&TASKS)),
        row(
            "updates",
            "Updates",
            "How often an update is owed, where that is sooner than the severity’s. Any update counts; whoever writes it chooses whom it tells.",
            Input::Rows(&UPDATES),
        ),
        row("recovery", "Before it is over", "What has to hold. Resolving asks for each of them.", Input::Several(&Input::Line, 2)),
        row("links", "Links", "Runbooks and pages that help.", Input::Several(&Input::Line, 1)),
        row("obligations", "Obligations", "What may be owed to a regulator: proposed when it starts.", Input::Many(FormKind::Obligation)),
    ],
};

/// A plan, as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    pub id: Slug,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Who keeps it right: `person:ID` or `team:ID`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Raised by whoever changes it; 1 where absent. What runs says which it began with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    /// The last day on which it counts as looked through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review_by: Option<Date>,
    /// Matchers in Alertmanager's dialect over `service`, `severity`, `title`, `type` and labels; empty: it is never proposed.
    #[serde(default, rename = "match", skip_serializing_if = "String::is_empty")]
    pub matches: String,
    /// Somebody has to have these while it runs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<Slug>,
    /// Who is paged when it starts: `person:ID`, `team:ID`, `schedule:ID`; `organisation:ID` takes part from then on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub involve: Vec<String>,
    /// What other organisations are asked for when it starts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ask: Vec<PlanAsk>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tasks: Vec<PlanTask>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub updates: Vec<PlanUpdate>,
    /// What has to hold before the incident is over.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recovery: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<String>,
    /// Ids of obligations that the organisation adopted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub obligations: Vec<Slug>,
    /// Refused: a decision is a task that has a question.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decisions: Option<serde_json::Value>,
}

/// A task of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanTask {
    pub id: Slug,
    pub text: String,
    /// Whoever has it does this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Slug>,
    /// Where it is always the same person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<Slug>,
    /// Its time, from when everything that it comes after is done or skipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<Length>,
    /// Ids of tasks of the same plan.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<Slug>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// What is decided here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<String>,
    /// Between what: it is done when one of them is chosen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<PlanOption>,
    /// What it does by itself.
    #[serde(default, rename = "do", skip_serializing_if = "Option::is_none")]
    pub deed: Option<Deed>,
}

/// What another organisation is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanAsk {
    pub organisation: Slug,
    pub text: String,
    /// When an answer is wanted, from the start; where the organisation has hours, only they count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<Length>,
}

/// Whom a plan tells how often.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanUpdate {
    pub audience: Slug,
    pub every: Length,
}

impl Plan {
    /// What people call it.
    #[must_use]
    pub fn called(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.id)
    }

    /// The version that it says it is.
    #[must_use]
    pub fn numbered(&self) -> u32 {
        self.version.unwrap_or(1)
    }

    /// What a step of it does by itself.
    #[must_use]
    pub fn deed(&self, step: &str) -> Option<&Deed> {
        self.tasks.iter().find(|task| task.id == step)?.deed.as_ref()
    }

    /// The day by which it was to be looked through, where that day is over in UTC.
    #[must_use]
    pub fn overdue_since(&self, at: jiff::Timestamp) -> Option<Date> {
        self.review_by.filter(|day| at.to_zoned(TimeZone::UTC).date() > *day)
    }
}

impl Entry for Plan {
    fn id(&self) -> Option<&str> {
        Some(&self.id)
    }

    fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn secrets(&mut self) -> Vec<(&str, &mut Option<String>)> {
        self.tasks.iter_mut().filter_map(|task| Some((task.id.as_str(), &mut task.deed.as_mut()?.secret))).collect()
    }

    fn check<'a>(kind: FormKind, list: &'a [Self], checker: &mut Checker<'a>) {
        checker.each(kind, list, |checker, place, plan| {
            if plan.decisions.is_some() {
                let hint = "give the task at which it is decided a `question` and `options`, as in `options: [Fail over, Wait]`";
                checker.elsewhere(place.key("decisions"), "a plan has no `decisions` of its own", hint.to_owned());
            }
            if let Some(owner) = &plan.owner {
                checker.target(place.key("owner"), owner);
            }
            if let Some(day) = plan.overdue_since(checker.now) {
                let words = format!("`{}` was to be looked through by {day}, and says so wherever it is started", plan.called());
                checker.warning(place.key("review_by"), words, "look it through, and give the next day");
            }
            matches(checker, place, plan);
            people(checker, place, plan);
            organisations(checker, place, plan);
            obligations(checker, place, plan);
            tasks(checker, place, plan);
            plan_choice::check(checker, place, &plan.tasks.iter().map(asked).collect::<Vec<_>>());
            checker.texts(place, "recovery", &plan.recovery, PLAN_RECOVERY_MAX, PLAN_RECOVERY_CHARS_MAX);
            checker.texts(place, "links", &plan.links, PLAN_LINKS_MAX, PLAN_LINK_CHARS_MAX);
            let is_idle = plan.tasks.is_empty() && plan.roles.is_empty() && plan.involve.is_empty() && plan.recovery.is_empty();
            if is_idle && plan.updates.is_empty() && plan.ask.is_empty() && plan.obligations.is_empty() {
                let hint = "give it `tasks`, as in `tasks: [{id: scope, text: Say what is affected}]`";
                checker.error(place.clone(), format!("the plan `{}` asks for nothing", plan.id), hint);
            }
        });
    }
}

impl<'a> Checker<'a> {
    /// A list of lines that say something; not too many, and none too long.
    fn texts(&mut self, place: &Place, key: &str, texts: &[String], many: usize, long: usize) {
        self.not_more_than(place.key(key), texts.len(), many);
        for (at, text) in texts.iter().enumerate() {
            self.line(place.key(key).index(at), text, long);
        }
    }

    /// One line that says something.
    pub(super) fn line(&mut self, place: Place, text: &str, long: usize) {
        if text.trim().is_empty() || text.chars().any(char::is_control) {
            self.error(place, "it is one line that says something", "write what is meant, in one line");
        } else if text.chars().count() > long {
            self.error(place, format!("it has more than {long} characters"), "say it shorter, and put the rest behind a link");
        }
    }

    pub(super) fn not_more_than(&mut self, place: Place, many: usize, most: usize) {
        if many > most {
            self.error(place, format!("{many} are more than {most}"), "keep what counts, or make two plans of it");
        }
    }

    /// A role of the catalogue.
    fn role(&mut self, place: Place, role: &str) {
        let known = || ROLES.into_iter().chain(self.known(FormKind::Role));
        if !known().any(|known| known == role) {
            let shown: String = role.chars().take(64).collect();
            let hint = meant(role, known());
            self.error(place, format!("`{shown}` is not a role"), hint);
        }
    }
}

fn matches(checker: &mut Checker<'_>, place: &Place, plan: &Plan) {
    if let Err(bad) = Matchers::parse(&plan.matches) {
        checker.error(place.key("match"), bad.to_string(), "write it as in `service=\"checkout\", severity=\"sev1\"`");
    }
}

fn people(checker: &mut Checker<'_>, place: &Place, plan: &Plan) {
    checker.not_more_than(place.key("roles"), plan.roles.len(), PLAN_ROLES_MAX);
    let mut seen = BTreeSet::new();
    for (at, role) in plan.roles.iter().enumerate() {
        checker.role(place.key("roles").index(at), role);
        if !seen.insert(role) {
            checker.error(place.key("roles").index(at), format!("`{role}` is named twice"), "name it once");
        }
    }
    checker.not_more_than(place.key("involve"), plan.involve.len(), PLAN_INVOLVE_MAX);
    for (at, target) in plan.involve.iter().enumerate() {
        let place = place.key("involve").index(at);
        match target.strip_prefix(ORGANISATION) {
            Some(organisation) => checker.refers(place, FormKind::Organisation, organisation),
            None => checker.target(place, target),
        }
    }
    checker.not_more_than(place.key("updates"), plan.updates.len(), PLAN_UPDATES_MAX);
    for (at, update) in plan.updates.iter().enumerate() {
        let place = place.key("updates").index(at);
        checker.refers(place.key("audience"), FormKind::Audience, &update.audience);
        if update.every < UPDATE_EVERY_MIN || update.every > WITHIN_MAX {
            let hint = format!("give at least {UPDATE_EVERY_MIN} and at most {WITHIN_MAX}, as in `30m`");
            checker.error(place.key("every"), format!("`{}` is not a time in which anybody writes", update.every), hint);
        }
        if plan.updates[..at].iter().any(|other| other.audience != update.audience) {
            checker.not_yet(place.key("audience"), "a time of its own for another audience");
        }
    }
}

fn asked(task: &PlanTask) -> Asked<'_> {
    Asked { id: &task.id, after: &task.after, question: task.question.as_deref(), options: &task.options }
}

/// What is asked of other organisations.
fn organisations(checker: &mut Checker<'_>, place: &Place, plan: &Plan) {
    checker.not_more_than(place.key("ask"), plan.ask.len(), PLAN_ASK_MAX);
    for (at, ask) in plan.ask.iter().enumerate() {
        let place = place.key("ask").index(at);
        checker.refers(place.key("organisation"), FormKind::Organisation, &ask.organisation);
        checker.line(place.key("text"), &ask.text, PLAN_ASK_CHARS_MAX);
        if let Some(length) = ask.within {
            within(checker, place.key("within"), length);
        }
    }
}

/// What it proposes, each once.
fn obligations(checker: &mut Checker<'_>, place: &Place, plan: &Plan) {
    let place = place.key("obligations");
    checker.not_more_than(place.clone(), plan.obligations.len(), PLAN_OBLIGATIONS_MAX);
    checker.refer(&place, FormKind::Obligation, &plan.obligations);
    for (at, id) in plan.obligations.iter().enumerate() {
        if plan.obligations[..at].contains(id) {
            checker.error(place.index(at), format!("`{id}` is named twice"), "name it once");
        }
    }
}

fn within(checker: &mut Checker<'_>, place: Place, length: Length) {
    if length.is_zero() || length > WITHIN_MAX {
        let hint = format!("give more than no time and at most {WITHIN_MAX}, as in `30m`");
        checker.error(place, format!("`{length}` is not a time that somebody can keep"), hint);
    }
}

fn tasks<'a>(checker: &mut Checker<'a>, place: &Place, plan: &'a Plan) {
    checker.not_more_than(place.key("tasks"), plan.tasks.len(), PLAN_TASKS_MAX);
    let ids: Vec<&str> = plan.tasks.iter().map(|task| task.id.as_str()).collect();
    let mut seen = std::collections::HashMap::new();
    for (at, task) in plan.tasks.iter().enumerate() {
        let place = place.key("tasks").index(at);
        checker.own_id(&place, "task of this plan", &task.id, &mut seen);
        checker.line(place.key("text"), &task.text, PLAN_TASK_CHARS_MAX);
        if let Some(link) = &task.link {
            checker.line(place.key("link"), link, PLAN_LINK_CHARS_MAX);
        }
        if let Some(deed) = &task.deed {
            let decides = task.question.is_some() || !task.options.is_empty();
            plan_deed::check(checker, &place.key("do"), &task.id, decides, deed);
        }
        if let Some(role) = &task.role {
            checker.role(place.key("role"), role);
        }
        if let Some(person) = &task.person {
            checker.refers(place.key("person"), FormKind::Person, person);
            if task.role.is_some() {
                let words = format!("`{}` is given to a role and to a person", task.id);
                checker.error(place.key("person"), words, "keep `role`, or keep `person`");
            }
        }
        if let Some(length) = task.within {
            within(checker, place.key("within"), length);
        }
        let mut before = BTreeSet::new();
        for (n, after) in task.after.iter().enumerate() {
            let place = place.key("after").index(n);
            if !ids.contains(&after.as_str()) {
                let shown: String = after.chars().take(64).collect();
                checker.error(place, format!("`{shown}` is no task of this plan"), meant(after, ids.iter().copied()));
            } else if !before.insert(after) {
                checker.error(place, format!("`{after}` is named twice"), "name it once");
            }
        }
    }
    if let Some(circle) = circle(&plan.tasks) {
        let words = format!("these wait for each other, and none ever begins: {}", circle.join(", "));
        checker.error(place.key("tasks"), words, "let one of them begin without the others");
    }
}

/// Tasks of which each comes after another of them; nothing where every task begins once those before it are through.
fn circle(tasks: &[PlanTask]) -> Option<Vec<&str>> {
    let mut left: BTreeMap<&str, &PlanTask> = tasks.iter().map(|task| (task.id.as_str(), task)).collect();
    loop {
        let free: Vec<&str> =
            left.iter().filter(|(_, task)| !task.after.iter().any(|id| left.contains_key(id.as_str()))).map(|(id, _)| *id).collect();
        if free.is_empty() {
            break;
        }
        for id in free {
            left.remove(id);
        }
    }
    // What only comes after a circle is in none.
    loop {
        let behind: Vec<&str> =
            left.keys().copied().filter(|id| !left.values().any(|task| task.after.iter().any(|after| after == id))).collect();
        if behind.is_empty() {
            break;
        }
        for id in behind {
            left.remove(id);
        }
    }
    (!left.is_empty()).then(|| left.into_keys().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tasks(of: &[(&str, &[&str])]) -> Vec<PlanTask> {
        let task = |(id, after): &(&str, &[&str])| -> PlanTask {
            serde_json::from_value(serde_json::json!({"id": id, "text": "x", "after": after})).unwrap()
        };
        of.iter().map(task).collect()
    }

    #[test]
    fn a_circle_is_named_and_what_comes_before_or_behind_it_is_not() {
        assert_eq!(circle(&tasks(&[("a", &[]), ("b", &["a"]), ("c", &["a", "b"])])), None);
        assert_eq!(circle(&tasks(&[("a", &["a"])])), Some(vec!["a"]), "itself");
        let knot = tasks(&[("first", &[]), ("a", &["first", "c"]), ("b", &["a"]), ("c", &["b"]), ("last", &["c"])]);
        assert_eq!(circle(&knot), Some(vec!["a", "b", "c"]));
        assert_eq!(circle(&tasks(&[("a", &["gone"])])), None, "of what is not there another word is said");
    }

    #[test]
    fn a_plan_is_overdue_from_the_day_after() {
        let plan: Plan = serde_json::from_value(serde_json::json!({"id": "p", "review_by": "2026-03-01"})).unwrap();
        let at = |text: &str| text.parse().unwrap();
        assert_eq!(plan.overdue_since(at("2026-03-01T23:59:59Z")), None);
        assert_eq!(plan.overdue_since(at("2026-03-02T00:00:00Z")), plan.review_by);
        assert_eq!((plan.called(), plan.numbered()), ("p", 1));
    }
}
