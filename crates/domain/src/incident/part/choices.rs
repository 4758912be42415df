//! What is chosen in a step that is a decision: which of its options is meant, and the decision that choosing it is.
//!
//! Not here: that the step is done by it, and what it skips ([`super::tasks`]).

use jiff::Timestamp;

use super::decisions::{self, DECISION_CHARS_MAX, Decide, OPTION_CHARS_MAX, OPTIONS_MAX, QUESTION_CHARS_MAX};
use crate::incident::running::{Choice, StepOf};
use crate::incident::{Decision, Incident, words};
use crate::org::forms::plan_choice::{PLAN_OPTION_CHARS_MAX, PLAN_OPTIONS_MAX, PLAN_QUESTION_CHARS_MAX};

/// Longest reason of a choice, in characters: it stands in the decision, behind what was chosen.
pub const CHOICE_REASON_CHARS_MAX: usize = 1_000;

// What a plan asks is a decision that can be written down.
const _: () = assert!(PLAN_OPTIONS_MAX <= OPTIONS_MAX && PLAN_OPTION_CHARS_MAX <= OPTION_CHARS_MAX);
const _: () = assert!(PLAN_QUESTION_CHARS_MAX <= QUESTION_CHARS_MAX);
const _: () = assert!(PLAN_OPTION_CHARS_MAX + CHOICE_REASON_CHARS_MAX + 2 <= DECISION_CHARS_MAX);

/// What somebody chose.
#[derive(Debug, Clone, PartialEq)]
pub struct Chosen {
    pub task: u32,
    /// Its number, from 1, or its words.
    pub option: String,
    pub why: Option<String>,
    pub by: Option<String>,
}

/// The decision that choosing this option of a step is.
pub(in crate::incident) fn made(incident: &Incident, step: &StepOf, option: &Choice, chosen: Chosen, now: Timestamp) -> Decision {
    let why = words::note(chosen.why)?.filter(|why| !why.trim().is_empty());
    if let Some(why) = &why {
        words::at_most(why, "the reason", CHOICE_REASON_CHARS_MAX)?;
    }
    let said = Decide {
        text: why.map_or_else(|| option.text.clone(), |why| format!("{}: {}", option.text, why.trim())),
        question: step.question.clone(),
        options: step.options.iter().map(|one| one.text.clone()).collect(),
        by: chosen.by,
        reversible: option.reversible,
        ..Decide::default()
    };
    decisions::made(incident, said, now)
}

/// The option of these words, else of this number.
pub(in crate::incident) fn meant<'a>(step: &'a StepOf, given: &str) -> Option<&'a Choice> {
    let given = given.trim();
    let by_words = step.options.iter().find(|option| option.text.trim().to_lowercase() == given.to_lowercase());
    by_words.or_else(|| step.options.get(given.parse::<usize>().ok()?.checked_sub(1)?))
}

/// `1. Fail over; 2. Wait`.
pub(in crate::incident) fn listed(options: &[Choice]) -> String {
    let one = |(at, option): (usize, &Choice)| format!("{}. {}", at + 1, option.text);
    options.iter().enumerate().map(one).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::super::sample::Sample;
    use super::*;
    use crate::incident::work::TaskState;
    use crate::incident::{ending, plans, recovery, tasks};

    fn begun() -> Sample {
        Sample::declared().after(plans::Command::Start { plan: "fork".into(), because: None })
    }

    fn choose(task: u32, option: &str, why: Option<&str>) -> tasks::Command {
        tasks::Command::Choose(Chosen { task, option: option.into(), why: why.map(Into::into), by: Some("ana".into()) })
    }

    #[test]
    fn choosing_is_a_decision_and_ends_the_step_and_what_it_skips() {
        let mut sample = begun();
        let went = sample.run(choose(1, " WAIT ", Some("the vendor is near"))).unwrap();
        assert_eq!(went.kinds(), ["decision_made", "task_dropped", "task_done"]);
        assert_eq!(went.opened(), ["task:3"], "what was skipped never begins, and what comes after it does");
        let work = &sample.incident.work;
        let made = &work.decisions[0];
        assert_eq!((made.text.as_str(), made.question.as_deref()), ("Wait: the vendor is near", Some("Fail over?")));
        assert_eq!((&made.options[..], made.by.as_deref(), made.reversible), (&["Fail over".into(), "Wait".into()][..], Some("ana"), None));
        let told: Vec<_> = work.tasks.iter().map(|task| (task.state, task.note.as_deref())).collect();
        let decided = Some("decided: Wait");
        assert_eq!(told, [(TaskState::Done, decided), (TaskState::Dropped, decided), (TaskState::Open, None)]);
        assert_eq!(sample.refusal(choose(1, "2", None)), "task_ended", "once");
    }

    #[test]
    fn what_is_skipped_already_or_done_stays_as_it_is() {
        let mut sample = begun().after(tasks::Command::Finish { task: 2, note: None });
        assert_eq!(sample.run(choose(1, "2", None)).unwrap().kinds(), ["decision_made", "task_done"]);
        assert_eq!(sample.incident.work.task(2).unwrap().state, TaskState::Done);
        let mut other = begun();
        assert_eq!(other.run(choose(1, "1", None)).unwrap().kinds(), ["decision_made", "task_done"]);
        assert_eq!(other.incident.work.decisions[0].reversible, Some(false), "as the plan says of that option");
        assert_eq!(other.incident.work.task(2).unwrap().state, TaskState::Open);
    }

    #[test]
    fn a_decision_is_not_ticked_off_and_may_be_skipped_with_a_reason() {
        let mut sample = begun();
        assert_eq!(sample.refusal(tasks::Command::Finish { task: 1, note: None }), "step_undecided");
        for given in ["0", "3", "-1", "", "perhaps", "\u{1f525}", "99999999999999999999"] {
            assert_eq!(sample.refusal(choose(1, given, None)), "no_such_option", "{given}");
        }
        assert_eq!(sample.refusal(choose(2, "1", None)), "no_decision");
        assert_eq!(sample.refusal(choose(9, "1", None)), "no_such_task");
        let long = "x".repeat(CHOICE_REASON_CHARS_MAX + 1);
        assert_eq!(sample.refusal(choose(1, "1", Some(&long))), "too_long");
        let drop = |note: Option<&str>| tasks::Command::Drop { task: 1, note: note.map(Into::into) };
        assert_eq!(sample.refusal(drop(None)), "words_missing");
        assert_eq!(sample.run(drop(Some("it came back"))).unwrap().kinds(), ["task_dropped"]);
        assert_eq!(sample.incident.work.decisions.len(), 0);
    }

    #[test]
    fn nothing_is_chosen_once_it_is_closed() {
        let mut sample = begun();
        sample.run(recovery::Command::Confirm { item: 1, note: None }).ok();
        sample.run(ending::Command::Resolve { note: None, waive: Some("over".into()) }).unwrap();
        sample.run(ending::Command::Close { waive: Some("over".into()) }).unwrap();
        assert!(sample.run(choose(1, "1", None)).is_err());
    }
}
