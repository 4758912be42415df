//! The line for people of each event of a page.

use super::event::{Delivered, Event, PassedOver, PlannedEntry, Reached, Started, StepReached, Told};
use crate::names::Names;

/// The line.
#[must_use]
pub fn line(event: &Event, names: &Names<'_>) -> String {
    match event {
        Event::Started(body) => started(body),
        Event::Told(body) => told(body, names),
        Event::StepReached(body) => step_reached(body, names),
        Event::StepEmpty(body) if body.passed => format!("Round {}, step {} was passed over: {}", body.round, body.step, body.why),
        Event::StepEmpty(body) => format!("Round {}, step {}: nobody was notified because {}", body.round, body.step, body.why),
        Event::NoticeRaised(body) => {
            format!("{} is told by {} ({}): {}", names.person(&body.person), body.contact, body.channel, body.because)
        }
        Event::SendAccepted(body) => format!(
            "{} is being told by {} ({}): {}; whether it arrived is heard within {}",
            names.person(&body.person),
            body.contact,
            body.channel,
            body.receipt,
            body.within
        ),
        Event::Delivered(body) => delivered(body, names),
        Event::SendDelayed(body) => {
            let person = names.person(&body.person);
            format!("{person} could not be reached by {} yet (try {}): {}", body.contact, body.attempts, body.why)
        }
        Event::SendFailed(body) => format!("{} cannot be reached by {}: {}", names.person(&body.person), body.contact, body.why),
        Event::SendInDoubt(body) => format!("{} may have been told by {}: {}", names.person(&body.person), body.contact, body.why),
        Event::Acknowledged(body) => format!("Page acknowledged by {} ({})", names.by(body.by.as_deref()), body.via),
        Event::AcknowledgedInPart(body) => {
            let by = names.by(Some(&body.by));
            format!("Page acknowledged by {by} ({}): {} of {} who have to", body.via, body.so_far, body.wants)
        }
        Event::TakenBack(body) => format!("{} took their acknowledgement back: {}", names.by(Some(&body.by)), body.why),
        Event::Declined(body) => {
            let why = body.why.as_ref().map_or_else(String::new, |why| format!(": {why}"));
            let others = if body.stays { "; the others of the step are asked still" } else { "" };
            format!("{} passed it on{why}{others}", names.by(Some(&body.by)))
        }
        Event::Exhausted(body) => match body.again_in {
            None => format!("Nobody answered: {}", body.why),
            Some(again) => format!("Nobody answered: {}; it comes back in {again}", body.why),
        },
        Event::CameBack(body) => format!("The page came back: {} (round {})", body.why, body.round),
        Event::Stopped(body) => format!("Page stopped: {}", body.why),
        Event::ConfirmationAsked(body) => {
            format!("{} is asked by {} whether it is over", names.person(&body.person), body.contact)
        }
        Event::LevelAnswered(body) if body.wants > 1 => format!(
            "Drill, level {}: {} answered ({}), {} of {} who have to",
            body.step,
            names.by(Some(&body.by)),
            body.via,
            body.so_far,
            body.wants
        ),
        Event::LevelAnswered(body) => format!("Drill, level {}: {} answered ({})", body.step, names.by(Some(&body.by)), body.via),
        Event::AnsweredLate(body) => {
            format!("Drill, level {}: {} answered after it was over ({})", body.step, names.by(Some(&body.by)), body.via)
        }
        Event::DrillEnded(body) => format!("The drill has ended: {}", body.why),
        Event::Resumed(body) => {
            format!(
                "Page goes on at round {}, step {}, with {} left to acknowledge: {}",
                body.round,
                body.step,
                body.left.in_words(),
                body.because
            )
        }
    }
}

fn started(body: &Started) -> String {
    if body.drill.is_some() {
        return format!("Fire drill of {}: nothing is wrong", body.escalation.as_deref().unwrap_or_default());
    }
    match (body.targets.join(", ").as_str(), body.escalation.as_deref().unwrap_or_default()) {
        ("", "") => "Paging by the catch-all, since no escalation policy is set".into(),
        ("", policy) => format!("Paging by {policy}"),
        (first, "") => format!("Paging {first}"),
        (first, policy) => format!("Paging {first}, then by {policy}"),
    }
}

/// Who was told, in one line; the text stands in the event that led to it.
fn told(body: &Told, names: &Names<'_>) -> String {
    let told: Vec<&str> = body.people.iter().map(|one| names.person(&one.person)).collect();
    let passed: Vec<&str> = body.passed_over.iter().map(|one| names.person(&one.person)).collect();
    let left_out = if passed.is_empty() { String::new() } else { format!("; could not be told: {}", passed.join(", ")) };
    if told.is_empty() {
        format!("Nobody was told ({}){left_out}", body.because)
    } else {
        format!("Told {} ({}){left_out}", told.join(", "), body.because)
    }
}

fn step_reached(body: &StepReached, names: &Names<'_>) -> String {
    let people: Vec<String> = body.people.iter().map(|one| reached(one, names)).collect();
    let passed: Vec<String> = body.passed_over.iter().map(|one| passed_over(one, names)).collect();
    let step =
        if body.catch_all { format!("Catch-all, because {}", body.because) } else { format!("Round {}, step {}", body.round, body.step) };
    let late = if body.late { ", late" } else { "" };
    let when = body.when.as_ref().map_or_else(String::new, |when| format!(" ({when})"));
    let many = if body.wants > 1 { format!(", {} of them", body.wants) } else { String::new() };
    format!("{step}{when}{late}: {}{}; {} to acknowledge{many}", people.join(", "), passed.concat(), body.within)
}

fn reached(one: &Reached, names: &Names<'_>) -> String {
    let ways: Vec<String> = one.entries.iter().map(way).collect();
    format!("{} ({}) by {}", names.person(&one.person), one.via, ways.join(", "))
}

fn way(entry: &PlannedEntry) -> String {
    if entry.after.is_zero() { entry.contact.clone() } else { format!("{} after {}", entry.contact, entry.after) }
}

fn passed_over(one: &PassedOver, names: &Names<'_>) -> String {
    format!("; {} was passed over: {}", names.person(&one.person), one.why)
}

fn delivered(body: &Delivered, names: &Names<'_>) -> String {
    let late = if body.after_end { "; it was in flight when the page ended" } else { "" };
    format!(
        "{} was told by {} ({}), {} after {} ms, try {}{late}",
        names.person(&body.person),
        body.contact,
        body.channel,
        body.receipt,
        body.latency_ms,
        body.attempts
    )
}
