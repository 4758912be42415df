//! How bad it is by impact and urgency, how bad it may become, what was kept against an advice, and when somebody is asked to judge
//! it again. An advice itself is no fact: it is read from what is known ([`crate::incident::advice`]).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ask::{Ask, Came, Field, Kind, May, Program, REASON, command};
use crate::event::event_kinds;
use crate::expect::{Rule, Standing};
use crate::incident::awaited::{Awaited, KEY_REASSESS};
use crate::incident::declaration::{self, SeverityChanged};
use crate::incident::judged::Basis;
use crate::incident::lifecycle::{Verb, fits};
use crate::incident::words::{self, KEPT_CHARS_MAX};
use crate::incident::{Context, Decision, Event as Whole, Incident, Severity, nothing, one};
use crate::names::{Names, with_text};
use crate::org::model::Level;
use crate::time::{Length, after};

/// How long somebody has to judge it again, once they are asked: as long as whoever has it has to say that they are on it.
pub const REASSESS_WITHIN: Length = Length::from_mins(10);

/// How long nobody is asked again, of each severity, the worst first: as often as its stakeholders are told (PagerDuty's guide: 20 to
/// 30 minutes of sev1 and sev2, an hour of sev3, a day of sev4). Of sev5 nobody is asked.
const ASKED_EVERY: [Option<Length>; 5] =
    [Some(Length::from_mins(30)), Some(Length::from_mins(30)), Some(Length::from_mins(60)), Some(Length::from_mins(24 * 60)), None];

event_kinds! {
    /// A fact; past tense.
    Event {
        PotentialSet(PotentialSet) = "potential_set" [Key],
        AdviceKept(AdviceKept) = "advice_kept" [Key],
        ReassessmentAsked(ReassessmentAsked) = "reassessment_asked" [Machinery],
        ReassessmentMissed(ReassessmentMissed) = "reassessment_missed",
    }
}

/// Body of `potential_set`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PotentialSet {
    /// Absent where nobody had said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Severity>,
    pub to: Severity,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// Body of `advice_kept`: the severity stays, against these facts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AdviceKept {
    pub severity: Severity,
    /// What was advised.
    pub advised: Severity,
    /// The facts that spoke for it.
    pub facts: Vec<String>,
    pub why: String,
}

/// Body of `reassessment_asked`: somebody is to judge it again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReassessmentAsked {
    pub because: String,
    pub due_at: Timestamp,
}

/// Body of `reassessment_missed`: nobody did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReassessmentMissed {}

/// A command; imperative.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// It is as bad as impact and urgency make it.
    Assess { impact: Level, urgency: Level, why: Option<String> },
    /// How bad it may become.
    SetPotential { severity: Severity, why: Option<String> },
    /// The severity stays, whatever is advised now.
    Keep { why: String },
    /// Something changed by which it may be worse.
    Ask { because: String },
    /// Nobody judged it again in time.
    Miss,
}

impl Command {
    /// Whether people ask for it as it is; the rest follows from something else.
    pub(in crate::incident) const fn is_asked(&self) -> bool {
        match self {
            Self::Assess { .. } | Self::SetPotential { .. } | Self::Keep { .. } => true,
            Self::Ask { .. } | Self::Miss => false,
        }
    }
}

/// Why not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("impact and urgency belong together: {missing} is missing, which is `high`, `medium` or `low`")]
    Half { missing: &'static str },
    #[error("give a severity, or impact and urgency from which it follows, and not both")]
    Twice,
    #[error("nothing is advised now: there is nothing to keep the severity against")]
    NothingAdvised,
}

impl Refusal {
    /// The stable code of the API.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Half { .. } | Self::Twice => "invalid",
            Self::NothingAdvised => "nothing_advised",
        }
    }
}

/// How much is hit.
pub const IMPACT: Field = Field::needed("impact", "the impact", "Impact", Kind::Choice { name: "Level", of: &Level::WORDS })
    .hint("How much is hit: high, medium or low");
/// How soon it hurts.
pub const URGENCY: Field = Field::needed("urgency", "the urgency", "Urgency", Kind::Choice { name: "Level", of: &Level::WORDS })
    .hint("How soon it hurts: high, medium or low");

/// What people may ask.
pub(crate) const ASKS: &[Ask] = &[
    Ask {
        verb: Verb::Assess,
        label: "Impact and urgency",
        says: "How bad it is follows from how much is hit and how soon it hurts; less than before needs a reason",
        press: "Judge it so",
        body: "AssessBody",
        programs: &[Program::of("assess").places(&["impact", "urgency"])],
        may: May::Responder,
        fields: &[IMPACT, URGENCY, REASON.or_not()],
        ways: &[],
        make: |given, _| {
            let level = |name| given.as_text(name).and_then(Level::from_word).unwrap_or(Level::High);
            command(Command::Assess { impact: level("impact"), urgency: level("urgency"), why: given.text("why") })
        },
        came: Came::Itself,
    },
    Ask {
        verb: Verb::Potential,
        label: "How bad it may become",
        says: "How bad it may become, apart from how bad it is",
        press: "Say so",
        body: "PotentialBody",
        programs: &[Program::of("potential").places(&["severity"])],
        may: May::Responder,
        fields: &[
            Field::needed("severity", "how bad it may become", "It may become", Kind::Severity).hint("sev1 to sev5"),
            REASON.or_not(),
        ],
        ways: &[],
        make: |given, _| {
            let severity = given.parsed("severity").unwrap_or(Severity::Sev1);
            command(Command::SetPotential { severity, why: given.text("why") })
        },
        came: Came::Itself,
    },
    Ask {
        verb: Verb::Keep,
        label: "Keep the severity",
        says: "The severity stays, whatever is advised; the same is not advised again",
        press: "Keep it",
        body: "KeepBody",
        programs: &[Program::of("keep").places(&["why"])],
        may: May::Responder,
        fields: &[REASON.label("Why does it stay?")],
        ways: &[],
        make: |given, _| command(Command::Keep { why: given.must("why") }),
        came: Came::Itself,
    },
];

pub(in crate::incident) fn decide(incident: &Incident, command: Command, context: Context) -> Decision {
    match command {
        Command::Assess { impact, urgency, why } => assess(incident, Basis { impact, urgency }, why, context),
        Command::SetPotential { severity, why } => {
            fits(incident, Verb::Potential)?;
            let from = incident.work.assessment.potential;
            if from == Some(severity) {
                return nothing();
            }
            if let Some(why) = &why {
                words::at_most(why, "the reason", KEPT_CHARS_MAX)?;
            }
            one(Event::PotentialSet(PotentialSet { from, to: severity, why: why.filter(|why| !why.trim().is_empty()) }))
        }
        Command::Keep { why } => {
            fits(incident, Verb::Keep)?;
            words::needed(&why, "the reason")?;
            words::at_most(&why, "the reason", KEPT_CHARS_MAX)?;
            let Some(advice) = crate::incident::advice::advice(incident, context.services, context.now) else {
                return if incident.work.assessment.due_at.is_some() {
                    judged_again(incident, why)
                } else {
                    Err(Refusal::NothingAdvised.into())
                };
            };
            let facts = advice.reasons.into_iter().map(|reason| reason.key).collect();
            one(Event::AdviceKept(AdviceKept { severity: incident.severity, advised: advice.severity, facts, why }))
        }
        Command::Ask { because } => {
            let known = &incident.work.assessment;
            let every = ASKED_EVERY[usize::from(incident.severity.rank() - 1)];
            let waits = known.due_at.is_some() || !incident.is_held();
            match every {
                Some(every) if !waits && known.asked_at.is_none_or(|at| after(at, every) <= context.now) => {
                    one(Event::ReassessmentAsked(ReassessmentAsked { because, due_at: after(context.now, REASSESS_WITHIN) }))
                }
                Some(_) | None => nothing(),
            }
        }
        Command::Miss if incident.work.assessment.due_at.is_some() && incident.state.is_open() => {
            one(Event::ReassessmentMissed(ReassessmentMissed {}))
        }
        Command::Miss => nothing(),
    }
}

/// Somebody was asked to judge it again, and did: it is as bad as it was.
fn judged_again(incident: &Incident, why: String) -> Decision {
    words::at_most(&why, "the reason", KEPT_CHARS_MAX)?;
    let severity = incident.severity;
    one(Event::AdviceKept(AdviceKept { severity, advised: severity, facts: Vec::new(), why }))
}

/// Impact and urgency make it as bad as the matrix says; less than it was only for a reason.
fn assess(incident: &Incident, basis: Basis, why: Option<String>, context: Context) -> Decision {
    fits(incident, Verb::Assess)?;
    let to = context.matrix.severity(basis.impact, basis.urgency);
    let why = why.filter(|why| !why.trim().is_empty());
    if to == incident.severity && incident.work.assessment.basis == Some(basis) {
        return match why {
            Some(why) if incident.work.assessment.due_at.is_some() => judged_again(incident, why),
            _ => nothing(),
        };
    }
    if to > incident.severity {
        words::needed(why.as_deref().unwrap_or_default(), "the reason, since it is lower than before,")?;
    }
    if let Some(why) = &why {
        words::at_most(why, "the reason", words::NOTE_CHARS_MAX)?;
    }
    one(Whole::Declaration(declaration::Event::SeverityChanged(SeverityChanged {
        from: incident.severity,
        to,
        why: why.unwrap_or_else(|| format!("impact {} × urgency {}", basis.impact.word(), basis.urgency.word())),
        update_every: context.update_every(to),
        lasts: context.lasts(to),
        basis: Some(basis),
    })))
}

pub(in crate::incident) fn evolve(incident: &mut Incident, event: &Event, at: Timestamp) {
    let known = &mut incident.work.assessment;
    match event {
        Event::PotentialSet(body) => known.potential = Some(body.to),
        Event::AdviceKept(body) => {
            known.kept.extend(body.facts.iter().cloned());
            known.due_at = None;
        }
        Event::ReassessmentAsked(body) => (known.due_at, known.asked_at) = (Some(body.due_at), Some(at)),
        Event::ReassessmentMissed(_) => known.due_at = None,
    }
}

pub(in crate::incident) fn react(event: &Event, awaited: &mut Awaited) {
    match event {
        Event::AdviceKept(_) => awaited.settle(KEY_REASSESS, Standing::Met, "somebody judged it again"),
        Event::ReassessmentAsked(body) => awaited.open_until(KEY_REASSESS, Rule::Reassess, body.due_at),
        Event::PotentialSet(_) | Event::ReassessmentMissed(_) => {}
    }
}

pub(in crate::incident) fn line(event: &Event, names: &Names<'_>) -> String {
    let who = names.who();
    match event {
        Event::PotentialSet(body) => {
            let was = body.from.map_or_else(String::new, |from| format!(" (it was: {from})"));
            with_text(format!("{who}: it may become {}{was}", body.to), body.why.as_deref())
        }
        Event::AdviceKept(body) if body.advised == body.severity => {
            format!("{who} judged it again, and it is {} still: {}", body.severity, body.why)
        }
        Event::AdviceKept(body) => format!("{who} kept {}, though {} was advised: {}", body.severity, body.advised, body.why),
        Event::ReassessmentAsked(body) => {
            format!("Is it as bad as it is said to be? To be judged again by {}: {}", names.clock(body.due_at), body.because)
        }
        Event::ReassessmentMissed(_) => "Nobody judged again how bad it is".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::Sample;
    use super::*;
    use crate::incident::affected::{self, Impact};
    use crate::incident::{advice, attendance, ending};

    fn assess(impact: Level, urgency: Level, why: Option<&str>) -> Command {
        Command::Assess { impact, urgency, why: why.map(ToOwned::to_owned) }
    }

    fn hit(service: &str, impact: Impact) -> affected::Command {
        affected::Command::SetImpact { service: service.into(), impact, since: None, why: None }
    }

    fn keep() -> Command {
        Command::Keep { why: "it is one rack".into() }
    }

    fn advised(sample: &Sample) -> Option<(Severity, Vec<String>)> {
        let found = advice::advice(&sample.incident, Sample::services(), sample.at)?;
        Some((found.severity, found.reasons.into_iter().map(|reason| reason.key).collect()))
    }

    #[test]
    fn a_severity_by_the_matrix_says_from_what_and_is_lower_only_for_a_reason() {
        let mut sample = Sample::declared();
        assert_eq!(sample.run(assess(Level::High, Level::Medium, None)).unwrap().kinds(), ["severity_changed"]);
        assert_eq!(sample.incident.severity, Severity::Sev2);
        assert_eq!(sample.run(assess(Level::High, Level::Medium, None)).unwrap().events, [], "the same cell");
        assert_eq!(sample.refusal(assess(Level::Low, Level::Low, Some(" "))), "words_missing");
        sample.run(assess(Level::Low, Level::Low, Some("one desk"))).unwrap();
        let basis = Basis { impact: Level::Low, urgency: Level::Low };
        assert_eq!((sample.incident.severity, sample.incident.work.assessment.basis), (Severity::Sev4, Some(basis)));
        sample.run(declaration::Command::SetSeverity { severity: Severity::Sev3, why: "two desks".into() }).unwrap();
        assert_eq!(sample.incident.work.assessment.basis, None, "what somebody says follows from no cell");
    }

    #[test]
    fn what_is_kept_is_not_advised_again_until_the_facts_change() {
        let mut sample = Sample::declared();
        assert_eq!(sample.refusal(keep()), "nothing_advised");
        for service in ["a", "b", "c"] {
            sample.run(hit(service, Impact::Full)).unwrap();
        }
        assert_eq!(advised(&sample), Some((Severity::Sev2, vec!["services:3".into()])));
        sample.run(keep()).unwrap();
        assert_eq!(advised(&sample), None);
        sample.run(hit("a", Impact::Partial)).unwrap();
        assert_eq!(advised(&sample), None, "the same three");
        sample.run(hit("d", Impact::Partial)).unwrap();
        assert_eq!(advised(&sample), Some((Severity::Sev2, vec!["services:4".into()])), "one more");
        sample.run(declaration::Command::SetSeverity { severity: Severity::Sev2, why: "four".into() }).unwrap();
        assert_eq!(advised(&sample), None, "taken");
    }

    #[test]
    fn every_reason_speaks_for_what_it_says() {
        let mut sample = Sample::declared();
        sample.run(hit("vital", Impact::Degraded)).unwrap();
        assert_eq!(advised(&sample), None, "slow is not down");
        sample.run(hit("vital", Impact::Full)).unwrap();
        assert_eq!(advised(&sample), Some((Severity::Sev2, vec!["critical:vital:full".into()])));
        sample.run(keep()).unwrap();
        sample.run(Command::SetPotential { severity: Severity::Sev1, why: None }).unwrap();
        assert_eq!(advised(&sample), Some((Severity::Sev1, vec!["potential:sev1".into()])));
        sample.run(attendance::Command::Acknowledge { by: Some("ana".into()), via: "api".into() }).unwrap();
        sample.run(ending::Command::Mitigate { note: None }).unwrap();
        assert_eq!(advised(&sample), None, "what is mitigated does not become it");

        let mut slow = Sample::declared().after(attendance::Command::Acknowledge { by: Some("ana".into()), via: "api".into() });
        slow.run(declaration::Command::SetSeverity { severity: Severity::Sev4, why: "small".into() }).unwrap();
        slow.incident.alerts_told = 25;
        assert_eq!(advised(&slow), Some((Severity::Sev3, vec!["alerts:20".into()])));
        slow.run(keep()).unwrap();
        slow.incident.alerts_told = 39;
        assert_eq!(advised(&slow), None, "not for each alert");
        slow.at = after(slow.at, advice::UNSOLVED_AFTER);
        assert_eq!(advised(&slow), Some((Severity::Sev3, vec!["unsolved".into()])));
        slow.run(ending::Command::Resolve { note: None, waive: None }).unwrap();
        assert_eq!(advised(&slow), None, "nothing is advised of what is over");
    }

    #[test]
    fn what_is_quiet_may_be_lower_unless_something_speaks_for_it() {
        let mut sample = Sample::declared().after(attendance::Command::Acknowledge { by: Some("ana".into()), via: "api".into() });
        sample.run(declaration::Command::SetSeverity { severity: Severity::Sev1, why: "all".into() }).unwrap();
        sample.run(ending::Command::Mitigate { note: None }).unwrap();
        sample.incident.recovered = true;
        assert_eq!(advised(&sample), Some((Severity::Sev3, vec!["quiet".into()])));
        for service in ["a", "b", "c"] {
            sample.run(hit(service, Impact::Full)).unwrap();
        }
        assert_eq!(advised(&sample).map(|(severity, _)| severity), Some(Severity::Sev2), "three services are sev2");
    }

    #[test]
    fn somebody_is_asked_once_in_its_time_and_only_where_somebody_has_it() {
        let ask = || Command::Ask { because: "a service was hit".into() };
        let mut sample = Sample::declared();
        assert_eq!(sample.run(ask()).unwrap().events, [], "nobody is there to be asked");
        sample.run(attendance::Command::Acknowledge { by: Some("ana".into()), via: "api".into() }).unwrap();
        assert_eq!(sample.run(ask()).unwrap().opened(), [KEY_REASSESS]);
        assert_eq!(sample.run(ask()).unwrap().events, [], "it waits already");
        let changed = sample.run(declaration::Command::SetSeverity { severity: Severity::Sev2, why: "two".into() }).unwrap();
        assert!(changed.settled().contains(&KEY_REASSESS), "{:?}", changed.settled());
        assert_eq!(sample.run(ask()).unwrap().events, [], "not so soon again");
        sample.at = after(sample.at, Length::from_mins(30));
        assert_eq!(sample.run(ask()).unwrap().opened(), [KEY_REASSESS]);
        assert_eq!(sample.run(Command::Miss).unwrap().kinds(), ["reassessment_missed"]);
        assert_eq!(sample.run(Command::Miss).unwrap().events, []);
    }
}
