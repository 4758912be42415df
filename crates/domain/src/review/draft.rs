//! The draft of a review: a reading of the incident's log in Markdown, the same whenever the log is.

use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Deserialize;

use crate::event::Mark;
use crate::expect::{Rule, Standing};
use crate::incident::running::RecoveryState;
use crate::markdown::one_line;
use crate::measure::{Duration, Instants};
use crate::org::snapshot::Org;
use crate::time::in_words;
use crate::timeline;
use crate::tlp::Tlp;
use crate::view::{ActionView, EventView, ExpectationView, IncidentView};

/// Lines of the timeline at most; the log itself has the others.
const LINES_MAX: usize = 200;
/// What of a page's log says how messages went, or again what the incident's own log says: nothing that a review is about.
const OF_MESSAGES: [&str; 6] = ["page_started", "told", "send_failed", "page_acknowledged", "page_stopped", "admitted"];

/// The event that says whom a step paged, and by which ways.
const STEP_REACHED: &str = "step_reached";

/// Of its body what a review tells.
#[derive(Deserialize)]
struct Paged {
    round: u32,
    step: u32,
    #[serde(default)]
    catch_all: bool,
    #[serde(default)]
    late: bool,
    people: Vec<PagedPerson>,
}

#[derive(Deserialize)]
struct PagedPerson {
    person: String,
}

/// For whom a draft is.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    /// Who people and services are.
    pub org: &'a Org,
    /// In whose zone; it is named where times stand.
    pub zone: &'a TimeZone,
}

impl Reader<'_> {
    fn name(&self, id: &str) -> String {
        self.org.person(id).map_or_else(|| id.to_owned(), |person| person.name.clone())
    }

    /// `2026-03-01 14:03:22`, by the reader's clock.
    fn clock(&self, at: Timestamp) -> String {
        at.to_zoned(self.zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string()
    }

    /// The name of the zone, without the `Etc/` that says nothing.
    fn zone(&self) -> &str {
        let name = self.zone.iana_name().unwrap_or("UTC");
        name.strip_prefix("Etc/").unwrap_or(name)
    }

    /// One event as a review tells it; nothing of what machines did for it.
    fn told(&self, event: &EventView) -> Option<String> {
        if timeline::is(&event.kind, Mark::Machinery) || OF_MESSAGES.contains(&event.kind.as_str()) {
            return None;
        }
        let step = event.body.as_ref().filter(|_| event.kind == STEP_REACHED).and_then(|body| Paged::deserialize(body).ok());
        Some(step.map_or_else(|| event.line.clone(), |step| self.paged(&step)))
    }

    fn paged(&self, step: &Paged) -> String {
        let people: Vec<String> = step.people.iter().map(|one| self.name(&one.person)).collect();
        let which = if step.catch_all { "the catch-all".to_owned() } else { format!("step {}", step.step) };
        let again = if step.round > 1 && !step.catch_all { format!(" of round {}", step.round) } else { String::new() };
        format!("Paged {} ({which}{again}{})", people.join(", "), if step.late { ", late" } else { "" })
    }
}

/// The draft; people and services stand in it as the reader's organisation names them, times in the reader's zone.
#[must_use]
pub fn draft(
    reader: Reader<'_>,
    incident: &IncidentView,
    log: &[EventView],
    awaited: &[ExpectationView],
    actions: &[ActionView],
) -> String {
    let mut out = String::new();
    // Writing to a text does not fail.
    let _ = write(&mut out, reader, incident, log, awaited, actions);
    out
}

fn write(
    out: &mut String,
    reader: Reader<'_>,
    incident: &IncidentView,
    log: &[EventView],
    awaited: &[ExpectationView],
    actions: &[ActionView],
) -> std::fmt::Result {
    let org = reader.org;
    let name = |id: &str| one_line(&reader.name(id));
    let service = incident.service.as_deref();
    let service = service.map_or_else(|| "no service named".to_owned(), |id| one_line(org.service(id).map_or(id, |service| &service.name)));
    writeln!(out, "# {}: {}\n", incident.reference, one_line(&incident.title))?;
    writeln!(out, "Times in {}.\n", reader.zone())?;
    writeln!(out, "## Summary\n")?;
    writeln!(out, "{} on {service}. {}\n", incident.severity.word().to_uppercase(), lasted(reader, incident))?;
    writeln!(out, "_What happened, in three sentences that somebody outside the team understands._\n")?;
    writeln!(out, "## Impact\n")?;
    writeln!(out, "- Service: {service}")?;
    writeln!(out, "- Began: {}", incident.impact_started_at.map_or_else(|| "not known".to_owned(), |at| reader.clock(at)))?;
    writeln!(out, "- Who was affected, and how: _fill in_\n")?;
    writeln!(out, "## How long it took\n")?;
    writeln!(out, "| from | to | took |\n|---|---|---|")?;
    let instants = Instants {
        impact_started_at: incident.impact_started_at,
        detected_at: incident.detected_at,
        declared_at: incident.declared_at,
        acknowledged_at: incident.acknowledged_at,
        mitigated_at: incident.mitigated_at,
        resolved_at: incident.resolved_at,
    };
    for duration in Duration::ALL {
        let (from, to) = duration.span();
        let took = duration.of(&instants).map_or_else(|| "not known".to_owned(), |took| in_words(took, true));
        writeln!(out, "| {from} | {to} | {took} |")?;
    }
    writeln!(out, "\n## Who did what\n")?;
    let who = people(log);
    if who.is_empty() {
        writeln!(out, "Nobody acted in person.")?;
    }
    for (actor, count) in who {
        writeln!(out, "- {}: {count} {}", name(&actor), if count == 1 { "entry" } else { "entries" })?;
    }
    writeln!(out, "\n## What was late\n")?;
    let missed: Vec<_> =
        awaited.iter().filter(|e| e.state == Standing::Missed && Rule::from_name(&e.rule).is_none_or(Rule::is_for_people)).collect();
    if missed.is_empty() {
        writeln!(out, "Nothing that was expected came late.")?;
    }
    for e in missed {
        writeln!(
            out,
            "- {}: expected {} by {}",
            one_line(e.why.as_deref().unwrap_or("not in time")),
            one_line(&e.expects),
            reader.clock(e.due_at)
        )?;
    }
    plans(out, reader, incident)?;
    writeln!(out, "\n## Timeline\n")?;
    // What is drafted is published to everybody who sees the incident, whoever drafts it: nothing red is in it.
    let (red, log): (Vec<_>, Vec<_>) = log.iter().partition(|event| event.marking == Some(Tlp::Red));
    let red = red.into_iter().filter(|event| reader.told(event).is_some()).count();
    let lines: Vec<_> = log.into_iter().filter_map(|event| Some((event.at, reader.told(event)?))).collect();
    for (at, line) in lines.iter().take(LINES_MAX) {
        writeln!(out, "- {} {}", reader.clock(*at), one_line(line))?;
    }
    if lines.len() > LINES_MAX {
        writeln!(out, "- … and {} more in the log", lines.len() - LINES_MAX)?;
    }
    if red > 0 {
        writeln!(out, "- … and {red} marked TLP:RED, which stand in the log alone")?;
    }
    writeln!(out, "\n## What helped, what hindered\n\n_Fill in: no blame, what made sense at the time._\n")?;
    writeln!(out, "## Causes\n\n_Fill in: contributing conditions rather than one root._\n")?;
    writeln!(out, "## Corrective actions\n")?;
    if actions.is_empty() {
        writeln!(out, "None so far.")?;
    }
    for action in actions {
        writeln!(out, "- {} ({}, until {}, {})", one_line(&action.text), name(&action.owner), until(reader, action), action.state.word())?;
    }
    Ok(())
}

/// Which plans ran, where they were left, and what was waived; nothing where none ran.
fn plans(out: &mut String, reader: Reader<'_>, incident: &IncidentView) -> std::fmt::Result {
    if incident.plans.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n## How the plan went\n")?;
    for plan in &incident.plans {
        let overdue = plan.overdue_since.map_or_else(String::new, |day| format!("; it was to be looked through by {day}"));
        let (name, through) = (one_line(&plan.name), format!("{} of {} steps were through", plan.through, plan.steps));
        writeln!(out, "- {name}, version {}: {through}{overdue}", plan.version)?;
    }
    if incident.deviations.is_empty() {
        writeln!(out, "- Nothing was skipped, added, late, out of order or left out.")?;
    }
    for one in &incident.deviations {
        let why = one.why.as_deref().map_or_else(String::new, |why| format!(": {}", one_line(why)));
        let what = one.task.map_or_else(String::new, |task| format!("task {task}, ")) + one.kind.words();
        writeln!(out, "- {} {} ({what}){why}", reader.clock(one.at), one_line(&one.text))?;
    }
    for item in incident.recovery.iter().filter(|item| item.state != RecoveryState::Done) {
        let why = item.note.as_deref().map_or_else(String::new, |why| format!(": {}", one_line(why)));
        writeln!(out, "- Recovery {}, {}{why}", item.state.word(), one_line(&item.text))?;
    }
    Ok(())
}

fn lasted(reader: Reader<'_>, incident: &IncidentView) -> String {
    let start = incident.impact_started_at.or(incident.declared_at);
    match start.zip(incident.resolved_at) {
        Some((start, end)) => format!("It lasted {}, until {}.", in_words(end.duration_since(start), true), reader.clock(end)),
        None => "How long it lasted is not known.".to_owned(),
    }
}

/// The last day for an action where one was promised, else the instant.
fn until(reader: Reader<'_>, action: &ActionView) -> String {
    action.due_on.map_or_else(|| reader.clock(action.due_at), |day| day.to_string())
}

/// Who acted in person, most entries first.
fn people(log: &[EventView]) -> Vec<(String, usize)> {
    let mut counts = std::collections::BTreeMap::new();
    for event in log {
        if let Some(person) = event.actor.strip_prefix("person:") {
            *counts.entry(person.to_owned()).or_insert(0) += 1;
        }
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    counts
}
