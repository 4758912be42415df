//! What regulators are owed of an incident: a rule may apply, somebody decides whether it does and since when they were aware, and
//! then its reports are awaited, each from the submission before it.
//!
//! Invariants: a clock starts by a decision alone, which is in the log with its reason; saying the same again moves nothing; what
//! was found to be missed stays so, unless it was submitted in time and written down late; a correction counts anew what is still
//! to be submitted, and leaves what was submitted as it was. What an obligation asks for is what its rule said when it was
//! proposed. It outlives a resolution: it is awaited until it is submitted, said not to apply, or waived by a closing.
//!
//! Not here: the shipped rules and how a period is counted ([`crate::obligation`]). Nothing files anything: a person does.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ask::{Ask, Came, Field, Kind, May, Program, REASON, command};
use crate::event::event_kinds;
use crate::expect::{Key, Rule, Standing};
use crate::incident::awaited::Awaited;
use crate::incident::lifecycle::{Verb, fits};
use crate::incident::obliged::{Adopted, Awareness, Obligation, ObligationState, Report, ReportAsked, Submission};
use crate::incident::record::{self, has_happened};
use crate::incident::words::{self, KEPT_CHARS_MAX, NOTE_CHARS_MAX};
use crate::incident::{self as whole, Context, Decision, Event as Any, Incident, State, nothing, one};
use crate::names::{Names, clock, with_text};
use crate::obligation::PACK_VERSION;
use crate::org::forms::obligation::ObligationForm;
use crate::org::words::meant;
use crate::plants::planted;

/// Obligations of one incident at most: there are not many more regimes.
pub const OBLIGATIONS_MAX: usize = 50;
/// Reports that a shipped rule asks for at most: a first one and two that follow.
const REPORTS_MAX: u32 = 3;
/// Longest id of a form, in characters, as everywhere.
const FORM_CHARS_MAX: usize = 64;
/// Longest reference number of a recipient, in characters.
pub const REFERENCE_CHARS_MAX: usize = 200;
/// Longest list of the numbers of a checklist, in characters.
const ITEMS_CHARS_MAX: usize = 200;

event_kinds! {
    /// A fact; past tense.
    Event {
        Proposed(Proposed) = "obligation_proposed" [Key],
        Decided(Decided) = "awareness_decided" [Key] admits(by),
        Warned(Warned) = "obligation_warned",
        Missed(Missed) = "obligation_missed" [Key],
        Submitted(Submitted) = "obligation_submitted" [Key] admits(by),
        Waived(Waived) = "obligation_waived" [Key],
        Ended(Ended) = "obligation_ended" [Key],
    }
}

/// Body of `obligation_proposed`: it may apply.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Proposed {
    /// From 1, within the incident.
    pub obligation: u32,
    /// The id of the form that adopted it.
    pub form: String,
    pub rule: Adopted,
    /// By what it was found, where no person said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
}

/// Body of `awareness_decided`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decided {
    pub obligation: u32,
    pub name: String,
    pub applies: bool,
    /// Since when somebody was aware.
    pub aware_at: Timestamp,
    pub why: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Until when its first report is due; absent where that was submitted, and where it does not apply.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Timestamp>,
    /// Whether it was decided before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub again: bool,
}

/// Body of `obligation_warned`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Warned {
    pub obligation: u32,
    pub report: u32,
    /// `GDPR art. 33: notification`.
    pub name: String,
    /// Hundredths of its time that are over.
    pub share: u8,
    pub due_at: Timestamp,
}

/// Body of `obligation_missed`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Missed {
    pub obligation: u32,
    pub report: u32,
    pub name: String,
    pub due_at: Timestamp,
}

/// Body of `obligation_submitted`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Submitted {
    pub obligation: u32,
    pub report: u32,
    pub name: String,
    /// When it was submitted.
    pub submitted_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<String>,
    /// What of its content it says, by the numbers of the list.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<u32>,
    /// Whether it came after its time.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub late: bool,
    /// What follows from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Next>,
}

/// The report that is due next.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Next {
    pub report: u32,
    pub name: String,
    pub due_at: Timestamp,
}

/// Body of `obligation_waived`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Waived {
    pub obligations: Vec<Named>,
    pub why: String,
}

/// Body of `obligation_ended`: the incident was none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ended {
    pub obligations: Vec<Named>,
}

/// An obligation by its number and name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Named {
    pub obligation: u32,
    pub name: String,
}

/// A command; imperative.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// A rule that was adopted may apply. `because`: found by a rule.
    Propose { form: String, because: Option<String> },
    /// It applies or does not, since then.
    Decide { obligation: u32, applies: bool, why: String, aware_at: Option<Timestamp>, by: Option<String> },
    /// A report was submitted.
    Submit(Submit),
    /// A share of its time is over.
    Warn { obligation: u32, report: u32 },
    /// All of it is.
    Miss { obligation: u32, report: u32 },
}

/// What was submitted.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Submit {
    pub obligation: u32,
    pub report: u32,
    /// Now, unless said.
    pub submitted_at: Option<Timestamp>,
    pub by: Option<String>,
    pub reference: Option<String>,
    pub evidence: Option<String>,
    /// Numbers of the checklist, as somebody wrote them.
    pub items: Option<String>,
}

impl Command {
    /// Whether people ask for it as it is; the rest follows from something else.
    pub(in crate::incident) const fn is_asked(&self) -> bool {
        match self {
            Self::Propose { .. } | Self::Decide { .. } | Self::Submit(_) => true,
            Self::Warn { .. } | Self::Miss { .. } => false,
        }
    }
}

/// Why not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("`{form}` is no obligation that the organisation has adopted: {hint}")]
    NotAdopted { form: String, hint: String },
    #[error("there is no obligation {obligation} in this incident")]
    NoSuchObligation { obligation: u32 },
    #[error("obligation {obligation} {state}: decide first that it applies (`awareness`)")]
    DoesNotRun { obligation: u32, state: &'static str },
    #[error("obligation {obligation} asks for no report {report} now: {hint}")]
    NoSuchReport { obligation: u32, report: u32, hint: String },
    #[error("report {report} of obligation {obligation} was submitted already: write what is new about it as a note")]
    Submitted { obligation: u32, report: u32 },
    #[error("`{given}` names nothing of its checklist: give numbers from 1 to {max}, as in `1, 2`")]
    NoSuchItem { given: String, max: usize },
    #[error("an incident has at most {max} obligations")]
    TooMany { max: usize },
    #[error(
        "a regulator may be owed something still: {0}. Submit it, decide that it does not apply, or give the reason why it may stay open (`waive`)"
    )]
    StillOpen(String),
}

impl Refusal {
    /// The stable code of the API.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotAdopted { .. } => "obligation_not_adopted",
            Self::NoSuchObligation { .. } => "no_such_obligation",
            Self::DoesNotRun { .. } => "obligation_not_running",
            Self::NoSuchReport { .. } => "no_such_report",
            Self::Submitted { .. } => "report_submitted",
            Self::NoSuchItem { .. } => "no_such_item",
            Self::TooMany { .. } => "too_many_obligations",
            Self::StillOpen(_) => "obligation_open",
        }
    }
}

const OBLIGATION: Field =
    Field::needed("obligation", "the obligation", "Obligation", Kind::Number { of: "an obligation" }).hint("Its number, from 1");

/// What people may ask.
pub(crate) const ASKS: &[Ask] = &[
    Ask {
        verb: Verb::Obligation,
        label: "A regulator may be owed something",
        says: "A rule that the organisation adopted may apply: somebody has to decide whether it does",
        press: "It may apply",
        body: "ObligationBody",
        programs: &[Program::of("obligation may-apply").places(&["rule"])],
        may: May::Responder,
        fields: &[Field::needed("rule", "the obligation", "Which rule", Kind::Line { max: FORM_CHARS_MAX })
            .hint("An obligation's id in the organisation file")],
        ways: &[],
        make: |given, _| command(Command::Propose { form: given.must("rule"), because: None }),
        came: Came::Obligations,
    },
    Ask {
        verb: Verb::Awareness,
        label: "Whether a rule applies",
        says: "Decides whether an obligation applies and since when somebody was aware: its time counts from then",
        press: "Decide",
        body: "AwarenessBody",
        programs: &[
            Program::of("obligation applies")
                .says("It applies; its time counts from awareness")
                .places(&["obligation", "why"])
                .gives(&[("decision", "applies")]),
            Program::of("obligation does-not-apply")
                .says("It does not apply; its time ends")
                .places(&["obligation", "why"])
                .gives(&[("decision", "does_not_apply")]),
        ],
        may: May::Responder,
        fields: &[
            OBLIGATION,
            Field::needed(
                "decision",
                "whether it applies",
                "Does it apply?",
                Kind::Choice { name: "AwarenessDecision", of: &["applies", "does_not_apply"] },
            ),
            REASON,
            Field::may("aware_at", "since when somebody was aware", "Aware since", Kind::Time)
                .hint("Since when somebody was aware, as in 2026-12-24T18:00:00Z; now, unless said before"),
        ],
        ways: &[],
        make: |given, by| {
            command(Command::Decide {
                obligation: given.number("obligation").unwrap_or_default(),
                applies: given.as_text("decision") == Some("applies"),
                why: given.must("why"),
                aware_at: given.time("aware_at"),
                by: by.person.map(ToOwned::to_owned),
            })
        },
        came: Came::Obligations,
    },
    Ask {
        verb: Verb::Submission,
        label: "Submitted",
        says: "Writes down that a report was submitted, and with what evidence; what follows from it is due from then",
        press: "Write it down",
        body: "SubmissionBody",
        programs: &[Program::of("obligation submitted").places(&["obligation", "report"])],
        may: May::Responder,
        fields: &[
            OBLIGATION,
            Field::needed("report", "the report", "Report", Kind::Number { of: "a report" })
                .hint("Its number within the obligation, from 1"),
            Field::may("submitted_at", "when it was submitted", "When", Kind::Time)
                .hint("When it was submitted, where that is not now, as in 2026-12-24T18:00:00Z"),
            Field::may("submitted_by", "who submitted it", "Who", Kind::Person).hint("A person's id; you, unless said"),
            Field::may("reference", "its reference", "Their reference", Kind::Line { max: REFERENCE_CHARS_MAX })
                .hint("What the recipient calls it"),
            Field::may("evidence", "the evidence", "Evidence", Kind::Words { max: KEPT_CHARS_MAX }).hint("A link, or where it is kept"),
            Field::may("items", "what of its checklist it says", "What it says", Kind::Line { max: ITEMS_CHARS_MAX })
                .hint("Numbers of its checklist, as in 1, 2"),
        ],
        ways: &[],
        make: |given, by| {
            command(Command::Submit(Submit {
                obligation: given.number("obligation").unwrap_or_default(),
                report: given.number("report").unwrap_or_default(),
                submitted_at: given.time("submitted_at"),
                by: given.text("submitted_by").or_else(|| by.person.map(ToOwned::to_owned)),
                reference: said(given.text("reference")),
                evidence: said(given.text("evidence")),
                items: said(given.text("items")),
            }))
        },
        came: Came::Obligations,
    },
];

fn said(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.trim().is_empty())
}

pub(in crate::incident) fn decide(incident: &Incident, command: Command, context: Context) -> Decision {
    match command {
        Command::Propose { form, because } => propose(incident, form, because, context),
        Command::Decide { obligation, applies, why, aware_at, by } => {
            let known = found(incident, Verb::Awareness, obligation)?;
            words::needed(&why, "the reason")?;
            words::at_most(&why, "the reason", NOTE_CHARS_MAX)?;
            if let Some(at) = aware_at {
                has_happened(at, context.now)?;
            }
            aware(known, applies, why, aware_at, by, context)
        }
        Command::Submit(submit) => submitted(incident, submit, context),
        Command::Warn { obligation, report } => {
            let live =
                incident.work.obligation(obligation).and_then(|known| Some((known, known.owed().filter(|one| one.report == report)?)));
            let found = live.filter(|(_, one)| one.is_watched()).and_then(|(known, one)| Some((known, one, one.to_warn(context.now)?)));
            match found {
                Some((known, one_of, share)) => {
                    one(Event::Warned(Warned { obligation, report, name: known.called(report), share, due_at: one_of.due_at }))
                }
                None => nothing(),
            }
        }
        Command::Miss { obligation, report } => {
            let live =
                incident.work.obligation(obligation).and_then(|known| Some((known, known.owed().filter(|one| one.report == report)?)));
            match live.filter(|(_, report)| report.is_watched() && report.due_at <= context.now) {
                Some((known, due)) => one(Event::Missed(Missed { obligation, report, name: known.called(report), due_at: due.due_at })),
                None => nothing(),
            }
        }
    }
}

fn found(incident: &Incident, verb: Verb, number: u32) -> Result<&Obligation, whole::Refusal> {
    fits(incident, verb)?;
    Ok(incident.work.obligation(number).ok_or(Refusal::NoSuchObligation { obligation: number })?)
}

fn propose(incident: &Incident, form: String, because: Option<String>, context: Context) -> Decision {
    // What an alarm says is heard once: of a candidate it is proposed as well, and decided on where it becomes an incident.
    if because.is_none() || incident.state != State::Candidate {
        fits(incident, Verb::Obligation)?;
    }
    let Some(adopted) = context.org.obligation(&form).and_then(adopted) else {
        let hint = meant(&form, context.org.bundle().obligations.iter().map(|known| known.id.as_str()));
        return Err(Refusal::NotAdopted { form: form.chars().take(FORM_CHARS_MAX).collect(), hint }.into());
    };
    // What a rule finds once it does not find again; a person may say that it is owed once more.
    let mut there = incident.work.obligations.iter().filter(|known| known.form == form);
    if there.any(|known| because.is_some() || known.state.is_open()) {
        return nothing();
    }
    if incident.work.obligations.len() >= OBLIGATIONS_MAX {
        // No alarm is refused for it.
        return if because.is_some() { nothing() } else { Err(Refusal::TooMany { max: OBLIGATIONS_MAX }.into()) };
    }
    one(Event::Proposed(Proposed { obligation: incident.work.next_obligation(), form, rule: adopted, because }))
}

/// The rule as it is adopted now.
fn adopted(form: &ObligationForm) -> Option<Adopted> {
    let rule = form.adopts()?;
    let first = form.first_within()?;
    let asked = |report: &crate::obligation::ReportRule| ReportAsked {
        name: report.name.to_owned(),
        within: report.within,
        content: report.content.iter().map(|text| (*text).to_owned()).collect(),
    };
    let first = ReportAsked { within: first, ..asked(&rule.first) };
    Some(Adopted {
        rule: rule.id.to_owned(),
        version: PACK_VERSION.to_owned(),
        name: form.called().to_owned(),
        regime: rule.regime.to_owned(),
        source: rule.source.to_owned(),
        status: rule.status,
        trigger: rule.trigger.to_owned(),
        starts_at: rule.starts_at.to_owned(),
        recipient: rule.recipient.to_owned(),
        organisation: form.recipient.clone(),
        calendar: form.calendar.clone(),
        assumes: rule.assumes.to_owned(),
        own_time: form.why.clone().filter(|_| form.length.is_some()),
        reports: std::iter::once(first).chain(rule.follow_ups.iter().map(asked)).collect(),
    })
}

fn aware(known: &Obligation, applies: bool, why: String, aware_at: Option<Timestamp>, by: Option<String>, context: Context) -> Decision {
    let before = known.awareness.as_ref();
    let applied = matches!(known.state, ObligationState::Applies | ObligationState::Fulfilled);
    // Said again without an instant it is the same: nothing moves.
    let known_at = before.map(|before| before.aware_at).filter(|_| !planted("awareness-restarts"));
    let aware_at = aware_at.or(known_at).unwrap_or(context.now);
    let is_same = if applies { applied } else { known.state == ObligationState::DoesNotApply };
    if is_same && before.is_some_and(|before| before.aware_at == aware_at || !applies) && !planted("awareness-restarts") {
        return nothing();
    }
    let is_submitted = known.report(1).is_some_and(|report| report.submitted.is_some());
    let within = known.asked(1).map(|asked| asked.within).filter(|_| applies && !is_submitted);
    let due_at = within.map(|within| context.org.period_ends(within, aware_at, known.rule.calendar.as_deref()));
    let (obligation, name, again) = (known.obligation, known.rule.name.clone(), before.is_some());
    one(Event::Decided(Decided { obligation, name, applies, aware_at, why, by, due_at, again }))
}

fn submitted(incident: &Incident, submit: Submit, context: Context) -> Decision {
    let known = found(incident, Verb::Submission, submit.obligation)?;
    let (obligation, report) = (submit.obligation, submit.report);
    let at = submit.submitted_at.unwrap_or(context.now);
    let max = known.asked(report).map_or(0, |asked| asked.content.len());
    let items = submit.items.as_deref().map_or_else(|| Ok(Vec::new()), |items| numbers(items, max))?;
    if let Some(done) = known.report(report).and_then(|report| report.submitted.as_ref()) {
        let same_time = submit.submitted_at.is_none_or(|at| at == done.at);
        let same = (&done.by, &done.reference, &done.evidence, &done.items) == (&submit.by, &submit.reference, &submit.evidence, &items);
        return if same_time && same { nothing() } else { Err(Refusal::Submitted { obligation, report }.into()) };
    }
    if known.state != ObligationState::Applies {
        return Err(Refusal::DoesNotRun { obligation, state: known.state.words() }.into());
    }
    let Some(due) = known.owed().filter(|due| due.report == report) else {
        let hint = known.owed().map_or_else(|| "nothing is owed".to_owned(), |due| format!("{} is next", due.report));
        return Err(Refusal::NoSuchReport { obligation, report, hint }.into());
    };
    has_happened(at, context.now)?;
    if at < due.from {
        let (what, last) = ("the submission".to_owned(), "what its time counts from".to_owned());
        return Err(record::Refusal::BeforeWhatLed { what, last, at: clock(due.from) }.into());
    }
    for (text, what, max) in [(&submit.reference, "the reference", REFERENCE_CHARS_MAX), (&submit.evidence, "the evidence", KEPT_CHARS_MAX)]
    {
        if let Some(text) = text {
            words::at_most(text, what, max)?;
        }
    }
    let next = known.asked(report + 1).map(|asked| Next {
        report: report + 1,
        name: asked.name.clone(),
        due_at: context.org.period_ends(asked.within, at, known.rule.calendar.as_deref()),
    });
    let Submit { by, reference, evidence, .. } = submit;
    let (name, late) = (known.called(report), at > due.due_at);
    one(Event::Submitted(Submitted { obligation, report, name, submitted_at: at, by, reference, evidence, items, late, next }))
}

/// `1, 2 5` as numbers of a checklist, each once and in order.
fn numbers(text: &str, max: usize) -> Result<Vec<u32>, Refusal> {
    let bad = || Refusal::NoSuchItem { given: text.chars().take(40).collect(), max };
    let mut out = Vec::new();
    for part in text.split([',', ' ']).filter(|part| !part.is_empty()) {
        let number: u32 = part.parse().map_err(|_| bad())?;
        if number == 0 || usize::try_from(number).unwrap_or(usize::MAX) > max {
            return Err(bad());
        }
        out.push(number);
    }
    out.sort_unstable();
    out.dedup();
    Ok(out)
}

fn named(known: &Obligation) -> Named {
    Named { obligation: known.obligation, name: known.rule.name.clone() }
}

/// What comes before a closing: nothing where nothing is open or undecided, else that it is waived, where somebody says why.
///
/// # Errors
/// Where something is and nobody says why it may stay so.
pub(in crate::incident) fn before_the_end(incident: &Incident, waive: Option<&String>) -> Decision {
    let open: Vec<&Obligation> = incident.work.open_obligations().collect();
    if open.is_empty() {
        return nothing();
    }
    match waive.filter(|why| !why.trim().is_empty()) {
        Some(why) => {
            words::at_most(why, "the reason", KEPT_CHARS_MAX)?;
            one(Event::Waived(Waived { obligations: open.into_iter().map(named).collect(), why: why.clone() }))
        }
        None => {
            let state = |known: &&Obligation| match known.owed() {
                Some(report) => format!("{}. {}", known.obligation, known.called(report.report)),
                None => format!("{}. {} (nobody decided whether it applies)", known.obligation, known.rule.name),
            };
            Err(Refusal::StillOpen(open.iter().map(state).collect::<Vec<_>>().join("; ")).into())
        }
    }
}

/// What comes before a cancelling: what is open ends, and the log says so.
pub(in crate::incident) fn before_a_cancelling(incident: &Incident) -> Vec<Any> {
    let obligations: Vec<Named> = incident.work.open_obligations().map(named).collect();
    if obligations.is_empty() { Vec::new() } else { vec![Event::Ended(Ended { obligations }).into()] }
}

/// What an end had ended, for a reopening: what a regulator is owed does not go away by closing twice.
pub(in crate::incident) fn ended(incident: &Incident) -> Vec<Named> {
    let is_ended = |known: &&Obligation| matches!(known.state, ObligationState::Waived | ObligationState::Ended);
    incident.work.obligations.iter().filter(is_ended).map(named).collect()
}

/// They stand as they stood before the end: decided on or not, with the times that they had.
pub(in crate::incident) fn owe_again(incident: &mut Incident, list: &[Named]) {
    for named in list {
        if let Some(known) = incident.work.obligation_mut(named.obligation) {
            // Only what was open was ended; what had been found not to apply was not.
            known.state = if known.awareness.is_some() { ObligationState::Applies } else { ObligationState::MayApply };
        }
    }
}

pub(in crate::incident) fn evolve(incident: &mut Incident, event: &Event, at: Timestamp) {
    let work = &mut incident.work;
    match event {
        Event::Proposed(body) => work.obligations.push(Obligation {
            obligation: body.obligation,
            form: body.form.clone(),
            rule: body.rule.clone(),
            because: body.because.clone(),
            proposed_at: at,
            state: ObligationState::MayApply,
            awareness: None,
            reports: Vec::new(),
            origin: None,
        }),
        Event::Decided(body) => {
            let Some(known) = work.obligation_mut(body.obligation) else { return };
            let (aware_at, decided_at) = (body.aware_at, at);
            known.awareness = Some(Awareness { aware_at, decided_at, by: body.by.clone(), why: body.why.clone() });
            if let Some(due_at) = body.due_at {
                // What was missed stays so; of another time people are told anew.
                let missed_at =
                    known.report(1).and_then(|report| report.missed_at).map(|missed_at| if due_at <= at { at } else { missed_at });
                known.reports.retain(|report| report.report != 1);
                known.reports.insert(0, Report { report: 1, from: aware_at, due_at, warned: 0, missed_at, submitted: None });
            }
            known.settle(body.applies);
        }
        Event::Warned(body) => {
            if let Some(report) = work.obligation_mut(body.obligation).and_then(|known| known.report_mut(body.report)) {
                report.warned = body.share;
            }
        }
        Event::Missed(body) => {
            if let Some(report) = work.obligation_mut(body.obligation).and_then(|known| known.report_mut(body.report)) {
                report.missed_at = Some(at);
            }
        }
        Event::Submitted(body) => {
            let Some(known) = work.obligation_mut(body.obligation) else { return };
            if let Some(report) = known.report_mut(body.report) {
                let (at, by, reference) = (body.submitted_at, body.by.clone(), body.reference.clone());
                let (evidence, items, late) = (body.evidence.clone(), body.items.clone(), body.late);
                report.submitted = Some(Submission { at, by, reference, evidence, items, late });
            }
            if let Some(next) = &body.next {
                let (report, from, due_at) = (next.report, body.submitted_at, next.due_at);
                known.reports.push(Report { report, from, due_at, warned: 0, missed_at: None, submitted: None });
            }
            known.settle(true);
        }
        Event::Waived(body) => end(incident, &body.obligations, ObligationState::Waived),
        Event::Ended(body) => end(incident, &body.obligations, ObligationState::Ended),
    }
}

fn end(incident: &mut Incident, list: &[Named], state: ObligationState) {
    for named in list {
        if let Some(known) = incident.work.obligation_mut(named.obligation) {
            known.state = state;
        }
    }
}

fn key(obligation: u32, report: u32) -> String {
    Key::Obligation { obligation, report }.to_string()
}

fn await_one(known: &Obligation, awaited: &mut Awaited) {
    if let Some(report) = known.owed().filter(|report| report.is_watched()) {
        awaited.open_looked(&key(known.obligation, report.report), Rule::ObligationDue, report.due_at, report.look_at());
    }
}

/// What is owed is awaited, whatever ended all else.
pub(in crate::incident) fn await_again(incident: &Incident, awaited: &mut Awaited) {
    incident.work.obligations.iter().for_each(|known| await_one(known, awaited));
}

/// What is owed again by a reopening.
pub(in crate::incident) fn await_named(incident: &Incident, list: &[Named], awaited: &mut Awaited) {
    list.iter().filter_map(|named| incident.work.obligation(named.obligation)).for_each(|known| await_one(known, awaited));
}

/// What came with a merge.
pub(in crate::incident) fn await_these(obligations: &[Obligation], awaited: &mut Awaited) {
    obligations.iter().for_each(|known| await_one(known, awaited));
}

/// What went back where a merge was taken apart, by its numbers here.
pub(in crate::incident) fn go_back(obligations: &[u32], awaited: &mut Awaited) {
    for (obligation, report) in obligations.iter().flat_map(|number| (1..=REPORTS_MAX).map(move |report| (*number, report))) {
        awaited.settle(&key(obligation, report), Standing::Void, "its incident was taken apart from this");
    }
}

pub(in crate::incident) fn react(incident: &Incident, event: &Event, awaited: &mut Awaited) {
    match event {
        // The look settles what was missed, and looks again after a warning.
        Event::Proposed(_) | Event::Warned(_) | Event::Missed(_) => {}
        Event::Decided(body) => {
            let Some(known) = incident.work.obligation(body.obligation) else { return };
            let why = if body.applies { "its time was counted anew" } else { "it does not apply" };
            for report in known.reports.iter().filter(|report| report.submitted.is_none()) {
                awaited.settle(&key(known.obligation, report.report), Standing::Void, why);
            }
            await_one(known, awaited);
        }
        Event::Submitted(body) => {
            let (standing, why) =
                if body.late { (Standing::Missed, "it was submitted too late") } else { (Standing::Met, "it was submitted") };
            if !planted("report-submitted-leaves-timer") {
                awaited.settle(&key(body.obligation, body.report), standing, why);
            }
            if let Some(known) = incident.work.obligation(body.obligation) {
                await_one(known, awaited);
            }
        }
        Event::Waived(body) => void(incident, &body.obligations, "it was waived", awaited),
        Event::Ended(body) => void(incident, &body.obligations, "the incident was cancelled", awaited),
    }
}

fn void(incident: &Incident, list: &[Named], why: &'static str, awaited: &mut Awaited) {
    for known in list.iter().filter_map(|named| incident.work.obligation(named.obligation)) {
        for report in known.reports.iter().filter(|report| report.submitted.is_none()) {
            awaited.settle(&key(known.obligation, report.report), Standing::Void, why);
        }
    }
}

/// `1. GDPR art. 33; 2. NIS2 art. 23`.
pub(in crate::incident) fn listed(list: &[Named]) -> String {
    list.iter().map(|named| format!("{}. {}", named.obligation, named.name)).collect::<Vec<_>>().join("; ")
}

pub(in crate::incident) fn line(event: &Event, names: &Names<'_>) -> String {
    let who = names.who();
    match event {
        Event::Proposed(body) => {
            let by = body.because.as_ref().map_or_else(|| format!(", says {who}"), |because| format!(", by {because}"));
            let status = body.rule.status.words();
            format!("{} may apply (obligation {}, {status}){by}: decide whether it does", body.rule.name, body.obligation)
        }
        Event::Decided(body) => {
            let who = names.by(body.by.as_deref());
            let again = if body.again { " after all" } else { "" };
            if !body.applies {
                return format!("{who} decided: {} does not apply{again}: {}", body.name, body.why);
            }
            let due = body.due_at.map_or_else(String::new, |due_at| format!(", due by {}", names.clock(due_at)));
            let verb = if body.again { "corrected" } else { "decided" };
            format!("{who} {verb}: {} applies, aware since {}{due}: {}", body.name, names.clock(body.aware_at), body.why)
        }
        Event::Warned(body) => format!("{} % of the time for {} is over; due by {}", body.share, body.name, names.clock(body.due_at)),
        Event::Missed(body) => format!("Not submitted in time: {}, which was due by {}", body.name, names.clock(body.due_at)),
        Event::Submitted(body) => {
            let who = names.by(body.by.as_deref());
            let late = if body.late { ", too late" } else { "" };
            let reference = body.reference.as_ref().map_or_else(String::new, |reference| format!(", their reference is {reference}"));
            let next =
                body.next.as_ref().map_or_else(String::new, |next| format!("; {} is due by {}", next.name, names.clock(next.due_at)));
            let line = format!("{who} submitted {} at {}{late}{reference}{next}", body.name, names.clock(body.submitted_at));
            with_text(line, body.evidence.as_deref())
        }
        Event::Waived(body) => format!("{who} closed it with this open ({}): {}", listed(&body.obligations), body.why),
        Event::Ended(body) => format!("Obligations end with the incident, which was none: {}", listed(&body.obligations)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::Sample;
    use super::*;
    use crate::ids::IncidentId;
    use crate::incident::links::{self, Back};
    use crate::incident::{Severity, along::Along, declaration, ending};
    use crate::time::{Length, after, before};

    fn propose(form: &str) -> Command {
        Command::Propose { form: form.into(), because: None }
    }

    fn decided(obligation: u32, applies: bool, aware_at: Option<Timestamp>) -> Command {
        Command::Decide { obligation, applies, why: "as known".into(), aware_at, by: Some("ana".into()) }
    }

    fn submit(report: u32, at: Option<Timestamp>) -> Command {
        Command::Submit(Submit { obligation: 1, report, submitted_at: at, by: Some("ana".into()), ..Submit::default() })
    }

    fn minutes(at: Timestamp, minutes: u64) -> Timestamp {
        after(at, Length::from_mins(minutes))
    }

    /// Of the rule with reports that follow, aware on the hour: its first is due in five hours, as the hour is not counted.
    fn running() -> Sample {
        Sample::declared().after(propose("dora")).after(decided(1, true, None))
    }

    fn first(sample: &Sample) -> &Report {
        sample.incident.work.obligation(1).unwrap().report(1).unwrap()
    }

    #[test]
    fn a_clock_starts_by_a_decision_alone_and_what_follows_by_a_submission() {
        let mut sample = Sample::declared();
        let proposed = sample.run(propose("dora")).unwrap();
        assert_eq!((proposed.kinds(), proposed.opened().len()), (vec!["obligation_proposed"], 0));
        assert_eq!(sample.run(propose("dora")).unwrap().events, [], "it is there");
        assert_eq!(sample.refusal(propose("unknown")), "obligation_not_adopted");
        assert_eq!(sample.refusal(submit(1, None)), "obligation_not_running");
        assert_eq!(sample.refusal(decided(2, true, None)), "no_such_obligation");
        let aware = sample.run(decided(1, true, None)).unwrap();
        assert_eq!((aware.kinds(), aware.opened()), (vec!["awareness_decided"], vec!["obligation:1:1"]));
        assert_eq!(first(&sample).due_at, minutes(sample.at, 5 * 60));
        sample.at = minutes(sample.at, 60);
        let done = sample.run(submit(1, None)).unwrap();
        assert_eq!((done.settled(), done.opened()), (vec!["obligation:1:1"], vec!["obligation:1:2"]));
        assert_eq!(sample.incident.work.obligation(1).unwrap().owed().unwrap().from, sample.at, "from the submission");
        sample.run(submit(2, None)).unwrap();
        sample.run(submit(3, None)).unwrap();
        assert_eq!(sample.incident.work.obligation(1).unwrap().state, ObligationState::Fulfilled);
        assert_eq!(sample.run(propose("dora")).unwrap().kinds(), ["obligation_proposed"], "a person says that it is owed once more");
    }

    #[test]
    fn a_submission_said_twice_does_not_file_the_next() {
        let mut sample = running();
        sample.run(submit(1, None)).unwrap();
        assert_eq!(sample.run(submit(1, None)).unwrap().events, []);
        let other = Command::Submit(Submit { obligation: 1, report: 1, reference: Some("B-2".into()), ..Submit::default() });
        assert_eq!(sample.refusal(other), "report_submitted");
        assert_eq!(sample.refusal(submit(3, None)), "no_such_report");
        assert!(sample.incident.work.obligation(1).unwrap().report(2).unwrap().submitted.is_none());
        let items = |items: &str| Command::Submit(Submit { obligation: 1, report: 2, items: Some(items.into()), ..Submit::default() });
        for bad in ["9", "0", "one", "-1", "99999999999"] {
            assert_eq!(sample.refusal(items(bad)), "no_such_item", "{bad}");
        }
        sample.run(items("2, 1 1")).unwrap();
        let submission = sample.incident.work.obligation(1).unwrap().report(2).unwrap().submitted.clone().unwrap();
        assert_eq!(submission.items, [1, 2]);
    }

    #[test]
    fn awareness_said_twice_moves_nothing_and_a_breach_stays() {
        let mut sample = running();
        let due_at = first(&sample).due_at;
        sample.at = minutes(sample.at, 30);
        assert_eq!(sample.run(decided(1, true, None)).unwrap().events, [], "not even by now");
        sample.at = due_at;
        assert_eq!(sample.run(Command::Warn { obligation: 1, report: 1 }).unwrap().kinds(), ["obligation_warned"]);
        assert_eq!(sample.run(Command::Warn { obligation: 1, report: 1 }).unwrap().events, []);
        assert_eq!(sample.run(Command::Miss { obligation: 1, report: 1 }).unwrap().kinds(), ["obligation_missed"]);
        assert_eq!(sample.run(Command::Miss { obligation: 1, report: 1 }).unwrap().events, []);
        assert_eq!(sample.run(decided(1, true, None)).unwrap().events, []);
        let earlier = before(due_at, Length::from_mins(240));
        let corrected = sample.run(decided(1, true, Some(earlier))).unwrap();
        assert_eq!((corrected.kinds(), corrected.opened().len()), (vec!["awareness_decided"], 1), "another time is awaited anew");
        assert!(first(&sample).missed_at.is_some() && first(&sample).due_at > due_at, "counted anew, and missed all the same");
        sample.run(submit(1, None)).unwrap();
        assert!(!first(&sample).is_late(), "it came in the time that is known now");
    }

    #[test]
    fn a_correction_leaves_what_was_submitted_as_it_was() {
        let mut sample = running();
        sample.at = minutes(sample.at, 240);
        sample.run(submit(1, None)).unwrap();
        let was = first(&sample).clone();
        let follows = sample.incident.work.obligation(1).unwrap().report(2).unwrap().clone();
        let earlier = before(sample.at, Length::from_mins(280));
        let corrected = sample.run(decided(1, true, Some(earlier))).unwrap();
        assert_eq!(corrected.opened(), ["obligation:1:2"], "what follows is awaited as before");
        let known = sample.incident.work.obligation(1).unwrap();
        assert_eq!((known.report(1), known.report(2)), (Some(&was), Some(&follows)));
        assert_eq!(known.awareness.as_ref().unwrap().aware_at, earlier);
        // It does not apply, and does after all.
        assert_eq!(sample.run(decided(1, false, None)).unwrap().settled(), ["obligation:1:2"]);
        assert_eq!(sample.run(decided(1, false, None)).unwrap().events, []);
        assert_eq!(sample.run(decided(1, true, None)).unwrap().opened(), ["obligation:1:2"]);
    }

    #[test]
    fn what_was_submitted_in_time_and_is_written_down_late_was_not_late() {
        for (past, late) in [(0, false), (1, true)] {
            let mut sample = running();
            let due_at = first(&sample).due_at;
            sample.at = minutes(due_at, 60);
            sample.run(Command::Miss { obligation: 1, report: 1 }).unwrap();
            assert_eq!(sample.refusal(submit(1, Some(minutes(sample.at, 1)))), "in_the_future");
            assert_eq!(sample.refusal(submit(1, Some(before(first(&sample).from, Length::from_mins(1))))), "out_of_order");
            sample.run(submit(1, Some(minutes(due_at, past)))).unwrap();
            assert_eq!(first(&sample).is_late(), late, "{past}");
        }
    }

    #[test]
    fn nothing_is_closed_while_something_is_owed_or_undecided_and_a_resolution_ends_nothing() {
        let mut sample = running().after(propose("gdpr"));
        let resolved = sample.run(ending::Command::Resolve { note: None, waive: None }).unwrap();
        assert!(resolved.settled().contains(&"*") && resolved.opened().contains(&"obligation:1:1"), "{:?}", resolved.opened());
        let close = |waive: Option<&str>| ending::Command::Close { waive: waive.map(Into::into) };
        assert_eq!(sample.refusal(close(None)), "obligation_open");
        let no = sample.run(close(Some(" "))).unwrap_err().to_string();
        assert!(no.contains("1. DORA art. 19: initial notification") && no.contains("2. GDPR art. 33 (nobody decided"), "{no}");
        sample.run(submit(1, None)).unwrap();
        sample.run(decided(1, false, None)).unwrap();
        assert_eq!(sample.refusal(close(None)), "obligation_open", "one is undecided");
        let closed = sample.run(close(Some("counsel answers for it"))).unwrap();
        assert_eq!(closed.kinds(), ["obligation_waived", "closed"]);
        assert_eq!(sample.refusal(decided(2, true, None)), "already_closed");
        // A reopening owes it again; only what was decided keeps being so.
        let reopened = sample.run(ending::Command::Reopen { why: "it came back".into() }).unwrap();
        assert!(!reopened.opened().contains(&"obligation:2:1"), "nobody decided yet");
        assert_eq!(sample.incident.work.obligation(2).unwrap().state, ObligationState::MayApply);
        assert_eq!(sample.incident.work.obligation(1).unwrap().state, ObligationState::DoesNotApply);
    }

    #[test]
    fn a_reopening_goes_on_with_the_clock_that_the_end_had_ended() {
        let mut sample = running();
        let due_at = first(&sample).due_at;
        sample.run(ending::Command::Resolve { note: None, waive: None }).unwrap();
        sample.run(ending::Command::Close { waive: Some("counsel answers for it".into()) }).unwrap();
        assert!(sample.incident.work.obligation(1).unwrap().owed().is_none());
        let reopened = sample.run(ending::Command::Reopen { why: "it came back".into() }).unwrap();
        assert!(reopened.opened().contains(&"obligation:1:1"), "{:?}", reopened.opened());
        assert_eq!(sample.incident.work.obligation(1).unwrap().owed().map(|report| report.due_at), Some(due_at));
        // What was resolved alone was owed all along, and is not opened anew.
        sample.run(ending::Command::Resolve { note: None, waive: None }).unwrap();
        let reopened = sample.run(ending::Command::Reopen { why: "again".into() }).unwrap();
        assert!(!reopened.opened().contains(&"obligation:1:1"), "{:?}", reopened.opened());
    }

    #[test]
    fn a_cancelling_ends_it_in_the_log_and_a_severity_does_not() {
        let mut sample = running();
        let severity = declaration::Command::SetSeverity { severity: Severity::Sev5, why: "small".into() };
        assert_eq!(sample.run(severity).unwrap().settled().iter().filter(|key| key.starts_with("obligation")).count(), 0);
        let cancelled = sample.run(ending::Command::Cancel { why: "a drill".into() }).unwrap();
        assert_eq!(cancelled.kinds(), ["obligation_ended", "cancelled"]);
        assert_eq!(sample.incident.work.obligation(1).unwrap().state, ObligationState::Ended);
    }

    #[test]
    fn a_merge_takes_it_along_and_back_as_it_stands_then() {
        let mut from = running().after(propose("gdpr"));
        let mut into = Sample::declared().after(propose("gdpr"));
        into.incident.id = IncidentId::from_bits(2);
        let along = Along::of(&from.incident, &into.incident, from.at);
        let (id, from_ref) = (from.incident.id, "INC-1".to_owned());
        let absorb = links::Command::Absorb { from: id, from_ref: from_ref.clone(), along: along.clone(), update_by: None, said: false };
        let (into_id, into_ref) = (into.incident.id, "INC-2".to_owned());
        let merge = links::Command::Merge {
            into: into_id,
            into_ref: into_ref.clone(),
            alerts: Vec::new(),
            update_by: None,
            was_public: false,
            along,
        };
        from.run(merge).unwrap();
        let absorbed = into.run(absorb).unwrap();
        assert_eq!(absorbed.opened(), ["obligation:2:1"], "under its number there; what nobody decided is there once");
        let done = Command::Submit(Submit { obligation: 2, report: 1, ..Submit::default() });
        into.run(done).unwrap();
        let back = Back::of(&from.incident, &into.incident);
        into.run(links::Command::Release { from: id, from_ref, back: back.clone() }).unwrap();
        let apart = from.run(links::Command::TakeApart { into_ref, back }).unwrap();
        assert!(apart.opened().contains(&"obligation:1:2"), "{:?}", apart.opened());
        assert_eq!((into.incident.work.obligations.len(), from.incident.work.obligations.len()), (1, 2));
        assert!(from.incident.work.obligation(1).unwrap().report(1).unwrap().submitted.is_some());
    }
}
