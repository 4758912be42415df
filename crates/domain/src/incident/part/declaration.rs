//! What is said of an incident: that there is one, how bad it is, and what it is called.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::access::Actor;
use crate::ask::{Ask, Came, Field, Kind, May, Program, REASON, command};
use crate::event::{Mode, event_kinds};
use crate::expect::{CANDIDATE_WITHIN, Rule, Standing};
use crate::ids::{AlertId, IncidentId};
use crate::incident::awaited::{Awaited, KEY_ATTENDED, KEY_CANDIDATE, KEY_GROUP_WAIT, KEY_REASSESS, KEY_UPDATE};
use crate::incident::judged::{Assessment, Basis};
use crate::incident::lifecycle::{self, Verb, fits};
use crate::incident::updates;
use crate::incident::words::{self, TITLE_CHARS_MAX, Why};
use crate::incident::work::{Hold, Work};
use crate::incident::{Alarms, BY_A_PERSON, Context, Decision, Incident, Severity, State, nothing, one};
use crate::names::Names;
use crate::plants::planted;
use crate::time::Length;

event_kinds! {
    /// A fact; past tense.
    Event {
        Proposed(Declared) = "proposed" [Key],
        Declared(Declared) = "declared" [Key],
        Promoted(Why) = "promoted" [Key],
        SeverityChanged(SeverityChanged) = "severity_changed" [Key],
        Renamed(Renamed) = "renamed" [Key],
    }
}

/// Body of `declared` and `proposed`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Declared {
    #[serde(rename = "ref")]
    pub reference: String,
    pub title: String,
    pub severity: Severity,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalation: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_key: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert: Option<AlertId>,
    pub because: String,
    /// Version of the organisation that decided.
    pub org_version: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub impact_started_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detected_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Length::is_zero")]
    pub group_wait: Length,
    /// How often its severity asks for updates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub update_every: Option<Length>,
    /// How long it may be nobody's, where it was declared without a page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attend_within: Option<Length>,
    /// Whether it is an exercise: it stands on no board and in no trend.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub exercise: bool,
    /// Where impact and urgency gave its severity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basis: Option<Basis>,
    /// What its severity was taken from, where nobody said how bad it is; in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assumed: Option<String>,
}

/// Body of `severity_changed`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SeverityChanged {
    pub from: Severity,
    pub to: Severity,
    pub why: String,
    /// How often the new severity asks for updates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub update_every: Option<Length>,
    /// How long an acknowledgement of the new severity lasts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lasts: Option<Length>,
    /// Where impact and urgency gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basis: Option<Basis>,
}

/// Body of `renamed`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Renamed {
    pub from: String,
    pub to: String,
}

/// What a new incident or candidate starts with.
#[derive(Debug, Clone, PartialEq)]
pub struct Declaration {
    pub id: IncidentId,
    /// `INC-142`
    pub reference: String,
    pub title: String,
    pub severity: Severity,
    pub service: Option<String>,
    pub escalation: Option<String>,
    pub group_key: Option<String>,
    /// The alert it is about, where there is one.
    pub alert: Option<AlertId>,
    /// Why it exists, in words.
    pub because: String,
    pub impact_started_at: Option<Timestamp>,
    pub detected_at: Option<Timestamp>,
    /// How long it waits before its page starts.
    pub group_wait: Length,
    /// How long it may be nobody's, where it is declared without a page.
    pub attend_within: Option<Length>,
    /// Whether it is an exercise.
    pub exercise: bool,
    /// Where impact and urgency gave its severity.
    pub basis: Option<Basis>,
    /// What its severity was taken from, where nobody said how bad it is; in words.
    pub assumed: Option<String>,
}

/// A command; imperative.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// A person has to decide whether this is an incident.
    Propose(Declaration),
    /// This is an incident.
    Declare(Declaration),
    /// The candidate is an incident; `why` is in words.
    Promote { why: String },
    /// It is worse, or not as bad.
    SetSeverity { severity: Severity, why: String },
    /// A better title.
    Rename { title: String },
}

impl Command {
    /// Whether people ask for it as it is; the rest follows from something else.
    pub(in crate::incident) const fn is_asked(&self) -> bool {
        match self {
            Self::Promote { .. } | Self::SetSeverity { .. } | Self::Rename { .. } => true,
            Self::Propose(_) | Self::Declare(_) => false,
        }
    }
}

/// Why not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("{0} is open for the same group of alerts: act on it, or end it first")]
    GroupHasAnother(String),
}

impl Refusal {
    /// The stable code of the API.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::GroupHasAnother(_) => "group_has_another",
        }
    }
}

/// What people may ask.
pub(crate) const ASKS: &[Ask] = &[
    Ask {
        verb: Verb::Declare,
        label: "Declare",
        says: "A candidate becomes an incident",
        press: "Declare",
        body: "PromoteBody",
        programs: &[Program::of("promote")],
        may: May::Responder,
        fields: &[REASON.or_not()],
        ways: &[],
        make: |given, _| command(Command::Promote { why: given.text("why").unwrap_or_else(|| BY_A_PERSON.to_owned()) }),
        came: Came::Itself,
    },
    Ask {
        verb: Verb::Severity,
        label: "Severity",
        says: "It is worse, or not as bad",
        press: "Change severity",
        body: "SeverityBody",
        programs: &[Program::of("severity").places(&["severity"])],
        may: May::Responder,
        fields: &[Field::needed("severity", "the severity", "Severity", Kind::Severity).hint("sev1 to sev5"), REASON],
        ways: &[],
        make: |given, _| {
            let severity = given.parsed("severity").unwrap_or(Severity::Sev3);
            command(Command::SetSeverity { severity, why: given.must("why") })
        },
        came: Came::Itself,
    },
    Ask {
        verb: Verb::Rename,
        label: "Rename",
        says: "Gives an incident a better title",
        press: "Rename",
        body: "RenameBody",
        programs: &[Program::of("rename").places(&["title"])],
        may: May::Responder,
        fields: &[Field::needed("title", "the title", "Title", Kind::Line { max: TITLE_CHARS_MAX })],
        ways: &[],
        make: |given, _| command(Command::Rename { title: given.must("title") }),
        came: Came::Itself,
    },
];

/// Decides while there is no incident: only what begins one is possible.
pub(in crate::incident) fn begin(command: Command, context: Context) -> Decision {
    match command {
        Command::Propose(new) => one(Event::Proposed(declared(new, context)?)),
        Command::Declare(new) => one(Event::Declared(declared(new, context)?)),
        Command::Promote { .. } | Command::SetSeverity { .. } | Command::Rename { .. } => Err(lifecycle::Refusal::NotDeclared.into()),
    }
}

fn declared(new: Declaration, context: Context) -> Result<Declared, words::Refusal> {
    words::needed(&new.title, "the title")?;
    words::at_most(&new.title, "the title", TITLE_CHARS_MAX)?;
    Ok(Declared {
        reference: new.reference,
        title: new.title,
        severity: new.severity,
        service: new.service,
        escalation: new.escalation,
        group_key: new.group_key,
        alert: new.alert,
        because: new.because,
        org_version: context.org_version,
        impact_started_at: new.impact_started_at,
        detected_at: new.detected_at,
        group_wait: new.group_wait,
        update_every: context.update_every(new.severity),
        attend_within: new.attend_within,
        exercise: new.exercise,
        basis: new.basis,
        assumed: new.assumed,
    })
}

pub(in crate::incident) fn decide(incident: &Incident, command: Command, context: Context) -> Decision {
    match command {
        Command::Propose(_) | Command::Declare(_) => Err(lifecycle::Refusal::AlreadyDeclared.into()),
        Command::Promote { why } => {
            fits(incident, Verb::Declare)?;
            one(Event::Promoted(Why { why }))
        }
        Command::SetSeverity { severity, why } => {
            fits(incident, Verb::Severity)?;
            if severity == incident.severity {
                return nothing();
            }
            words::needed(&why, "the reason")?;
            one(Event::SeverityChanged(SeverityChanged {
                from: incident.severity,
                to: severity,
                why,
                update_every: context.update_every(severity),
                lasts: context.lasts(severity),
                basis: None,
            }))
        }
        Command::Rename { title } => {
            fits(incident, Verb::Rename)?;
            words::needed(&title, "the title")?;
            words::at_most(&title, "the title", TITLE_CHARS_MAX)?;
            if title == incident.title {
                return nothing();
            }
            one(Event::Renamed(Renamed { from: incident.title.clone(), to: title }))
        }
    }
}

/// The incident that an event begins, where it begins one.
pub(in crate::incident) fn first(id: IncidentId, event: &Event, at: Timestamp, mode: Mode) -> Option<Incident> {
    match event {
        Event::Proposed(body) => Some(begun(id, body, State::Candidate, at, mode)),
        Event::Declared(body) => Some(begun(id, body, State::Declared, at, mode)),
        Event::Promoted(_) | Event::SeverityChanged(_) | Event::Renamed(_) => None,
    }
}

fn begun(id: IncidentId, body: &Declared, state: State, at: Timestamp, mode: Mode) -> Incident {
    Incident {
        id,
        reference: body.reference.clone(),
        state,
        title: body.title.clone(),
        severity: body.severity,
        service: body.service.clone(),
        escalation: body.escalation.clone(),
        group_key: body.group_key.clone(),
        because: body.because.clone(),
        mode: if body.exercise { Mode::Exercise } else { mode },
        commander: None,
        acknowledged_by: None,
        merged_into: None,
        page: None,
        alerts_told: u64::from(body.alert.is_some()),
        recoveries_told: 0,
        recovered: false,
        reopened: 0,
        impact_started_at: body.impact_started_at,
        detected_at: body.detected_at,
        declared_at: (state == State::Declared).then_some(at),
        acknowledged_at: None,
        mitigated_at: None,
        resolved_at: None,
        closed_at: None,
        created_at: at,
        updated_at: at,
        private: false,
        admitted: std::collections::BTreeSet::new(),
        work: Work {
            update_every: body.update_every,
            hold: Hold { unpaged: body.attend_within.is_some(), ..Hold::default() },
            assessment: Assessment { basis: body.basis, ..Assessment::default() },
            ..Work::default()
        },
        alarms: Alarms::default(),
    }
}

pub(in crate::incident) fn evolve(incident: &mut Incident, event: &Event, actor: &Actor, at: Timestamp) {
    match event {
        // A log has one beginning; `decide` never makes a second.
        Event::Proposed(_) | Event::Declared(_) => {}
        Event::Promoted(_) => {
            incident.state = lifecycle::after(incident, Verb::Declare);
            incident.declared_at = Some(at);
        }
        Event::SeverityChanged(body) => {
            incident.severity = body.to;
            incident.work.update_every = body.update_every;
            (incident.work.assessment.basis, incident.work.assessment.due_at) = (body.basis, None);
            // Whoever has it and says so themself knows of it.
            if matches!(actor, Actor::Person(person) if incident.holders().contains(person)) {
                incident.work.hold.severity = Some(body.to);
            }
        }
        Event::Renamed(body) => incident.title.clone_from(&body.to),
    }
}

pub(in crate::incident) fn react(incident: &Incident, event: &Event, awaited: &mut Awaited) {
    match event {
        Event::Proposed(_) => awaited.open(KEY_CANDIDATE, Rule::Candidate, CANDIDATE_WITHIN),
        Event::Declared(body) => {
            if !body.group_wait.is_zero() {
                awaited.open(KEY_GROUP_WAIT, Rule::GroupWait, body.group_wait);
            }
            if let Some(within) = body.attend_within.filter(|_| !planted("declared-unpaged-unattended")) {
                awaited.open(KEY_ATTENDED, Rule::Attended, within);
            }
        }
        Event::Promoted(_) => awaited.settle(KEY_CANDIDATE, Standing::Met, "it was declared"),
        Event::SeverityChanged(_) if planted("severity-keeps-cadence") => {}
        Event::SeverityChanged(body) => {
            if matches!(incident.state, State::Investigating | State::Mitigated) {
                awaited.settle(KEY_UPDATE, Standing::Void, "its severity changed");
                updates::await_next(incident.work.cadence(), awaited);
            }
            awaited.sign(incident, body.lasts, Standing::Void, "its severity changed");
            awaited.settle(KEY_REASSESS, Standing::Met, "somebody judged it again");
        }
        Event::Renamed(_) => {}
    }
}

pub(in crate::incident) fn line(event: &Event, names: &Names<'_>) -> String {
    match event {
        Event::Proposed(body) => {
            format!("Candidate {} ({}): {}; {}{}", body.reference, body.severity, body.title, body.because, how_bad(body))
        }
        Event::Declared(body) => {
            format!("Declared {} ({}): {}; {}{}", body.reference, body.severity, body.title, body.because, how_bad(body))
        }
        Event::Promoted(body) => format!("Declared: {}", body.why),
        Event::SeverityChanged(body) => {
            let from = body.basis.map_or_else(String::new, |basis| format!(" ({})", basis.words(body.to)));
            format!("Severity {} → {}{from}: {}", body.from, body.to, body.why)
        }
        Event::Renamed(body) => format!("{} renamed it: {}", names.who(), body.to),
    }
}

/// From what its severity follows, where that is known.
fn how_bad(body: &Declared) -> String {
    let basis = body.basis.map(|basis| basis.words(body.severity));
    basis.into_iter().chain(body.assumed.clone()).map(|words| format!("; {words}")).collect()
}

#[cfg(test)]
mod tests {
    use super::super::sample::Sample;
    use super::*;

    #[test]
    fn what_is_said_again_is_nothing_new_and_a_severity_needs_a_reason() {
        let mut sample = Sample::declared();
        let rename = |title: &str| Command::Rename { title: title.into() };
        assert_eq!(sample.run(rename("Checkout is slow")).unwrap().kinds(), [""; 0]);
        assert_eq!(sample.run(rename("Checkout fails")).unwrap().kinds(), ["renamed"]);
        assert_eq!(sample.incident.title, "Checkout fails");
        let severity = |why: &str| Command::SetSeverity { severity: Severity::Sev1, why: why.into() };
        assert_eq!(sample.refusal(severity(" ")), "words_missing");
        let worse = sample.run(severity("all customers")).unwrap();
        assert_eq!((worse.kinds(), worse.opened().len()), (vec!["severity_changed"], 0), "nobody has it whose updates were awaited");
        assert_eq!(sample.refusal(Command::Promote { why: "again".into() }), "already_declared");
    }
}
