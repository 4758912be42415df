//! The record for people, as Markdown: what it is, what came of it, and the whole log. Times are UTC, so that it says the same
//! wherever it is read.

use std::fmt::Write as _;

use jiff::Timestamp;

use super::{Format, Record, Written};
use crate::markdown::one_line;
use crate::time::in_words;
use crate::tlp::UNMARKED;

pub(super) const FORMAT: Format =
    Format { name: "md", media: "text/markdown; charset=utf-8", says: "To read, with the whole log", written: Written::Read(write) };

fn write(record: &Record<'_>) -> String {
    let mut out = String::new();
    // Writing to a text does not fail.
    let _ = parts(&mut out, record);
    out
}

fn clock(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

fn parts(out: &mut String, record: &Record<'_>) -> std::fmt::Result {
    head(out, record)?;
    let incident = &record.incident;
    let name = |id: &str| one_line(&record.person(id));
    let roles = incident.roles.iter().filter_map(|role| {
        let person = name(role.person.as_deref()?);
        Some(format!("{}: {person}", one_line(role.name.as_deref().unwrap_or(&role.role))))
    });
    list(out, "Roles", roles)?;
    let update =
        |one: &crate::view::UpdateView| format!("{} to {}: {}", clock(one.at), one_line(&one.audiences.join(", ")), one_line(&one.text));
    list(out, "What stakeholders were told", record.updates.iter().map(update))?;
    let decision = |one: &crate::view::DecisionView| {
        let stands = if one.stands { "" } else { " (withdrawn)" };
        format!("{} {}{stands}", clock(one.at), one_line(&one.text))
    };
    list(out, "Decisions", incident.decisions.iter().map(decision))?;
    let cause = |one: &crate::view::HypothesisView| format!("{}: {}", one.state.word(), one_line(&one.text));
    list(out, "Possible causes", incident.hypotheses.iter().map(cause))?;
    let task = |one: &crate::view::TaskView| {
        let owner = one.owner.as_deref().or(one.doer.as_deref()).map_or_else(|| "nobody".to_owned(), name);
        let due = one.due_at.map_or_else(String::new, |at| format!(", until {}", clock(at)));
        format!("{} ({owner}{due}): {}", one.state.word(), one_line(&one.text))
    };
    list(out, "Tasks", incident.tasks.iter().map(task))?;
    let request = |one: &crate::view::RequestView| {
        let answer = one.answer.as_deref().map_or_else(String::new, |answer| format!(": {}", one_line(answer)));
        format!("{} of {}: {}{answer}", one.state.word(), one_line(&record.organisation(&one.organisation)), one_line(&one.text))
    };
    list(out, "Requests to others", incident.requests.iter().map(request))?;
    let resource = |one: &crate::view::ResourceView| format!("{}: {}", one.state.words(), one_line(&one.called()));
    list(out, "Resources", incident.resources.iter().map(resource))?;
    let action = |one: &crate::view::ActionView| format!("{} ({}): {}", one.state.word(), name(&one.owner), one_line(&one.text));
    list(out, "What was promised after it", record.actions.iter().map(action))?;
    let event = |one: &crate::view::EventView| {
        let late = one.recorded_at.duration_since(one.at);
        let late = if late.as_secs() >= 60 { format!(" (written down {} later)", in_words(late, false)) } else { String::new() };
        let marking = one.marking.map_or_else(String::new, |marking| format!(" {}", marking.label()));
        format!("{}{marking} {}{late}", clock(one.at), one_line(&one.line))
    };
    list(out, "Log", record.events.iter().map(event))?;
    if record.events.is_empty() {
        writeln!(out, "\n## Log\n\nThere is no entry that you may read.")?;
    }
    Ok(())
}

fn head(out: &mut String, record: &Record<'_>) -> std::fmt::Result {
    let incident = &record.incident;
    writeln!(out, "# {}: {}\n", incident.reference, one_line(&incident.title))?;
    if incident.exercise {
        writeln!(out, "**This is an exercise.**\n")?;
    }
    writeln!(out, "| | |\n|---|---|")?;
    let mut row = |name: &str, value: Option<String>| value.map_or(Ok(()), |value| writeln!(out, "| {name} | {value} |"));
    row("State", Some(incident.state.word().to_owned()))?;
    row("Severity", Some(incident.severity.word().to_owned()))?;
    row("Marking", Some(incident.marking.map_or(UNMARKED, crate::tlp::Tlp::label).to_owned()))?;
    row("Private", incident.private.then(|| "only some may see it".to_owned()))?;
    row("Service", incident.service.as_deref().map(|id| one_line(&record.service(id))))?;
    row("Commander", incident.commander.as_deref().map(|id| one_line(&record.person(id))))?;
    row("Because", Some(one_line(&incident.because)))?;
    row("Merged into", incident.merged_into.clone())?;
    for (name, at) in [
        ("Impact began", incident.impact_started_at),
        ("Declared", incident.declared_at),
        ("Acknowledged", incident.acknowledged_at),
        ("Mitigated", incident.mitigated_at),
        ("Resolved", incident.resolved_at),
        ("Closed", incident.closed_at),
    ] {
        row(name, at.map(clock))?;
    }
    writeln!(out, "\nTimes are UTC. Written {} by All Clear, as one reader may read it.", clock(record.made_at))
}

/// A part, where there is anything of it. A line begins with words of ours, so that a text begins no list of its own.
fn list(out: &mut String, heading: &str, lines: impl Iterator<Item = String>) -> std::fmt::Result {
    for (n, line) in lines.enumerate() {
        if n == 0 {
            writeln!(out, "\n## {heading}\n")?;
        }
        writeln!(out, "- {line}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::tests::with_record;
    use super::*;

    #[test]
    fn every_line_is_one_that_we_begin() {
        with_record(|record| {
            let written = write(record);
            for line in written.lines() {
                let ours = ["# INC-7: ", "## ", "- ", "| ", "|---", "Times are UTC"].iter().any(|begin| line.starts_with(begin));
                assert!(line.is_empty() || ours, "{line:?}");
                // A cell holds no end of a cell.
                if line.starts_with("| ") {
                    assert_eq!(line.replace(r"\|", "").matches('|').count(), 3, "{line}");
                }
                assert!(!line.contains("<script") || line.contains(r"\<script"), "{line}");
            }
            assert_eq!(written.matches("\n- 2027-").count(), record.events.len() + record.updates.len());
            assert!(written.contains("| Service | Check\\|out |"), "{written}");
        });
    }
}
