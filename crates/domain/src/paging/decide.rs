//! Command and state to events, or a refusal. Pure and complete.

use super::event::{
    Acknowledged, AcknowledgedInPart, CameBack, ConfirmationAsked, Declined, Delivered, Event, PassedOver, PlannedEntry, Reached,
    SendAccepted, SendInDoubt, SendTrouble, Started, StepEmpty, Stopped, TakenBack, Told,
};
use super::steps::{Context, Reach, Refusal, TOO_FEW, advance, policy_of, raise, reached};
use super::types::{AtStep, CATCH_ALL_WITHIN, Entry, Page, Status, TARGETS_WITHIN, TRIES_BEFORE_A_SEND_COUNTS_AS_FAILED, Telling};
use super::{drill, drill_answer};
use crate::ids::{AlertId, MessageId, PageId};
use crate::org::model::NotifyUrgency;
use crate::org::snapshot::AUDIENCE;
use crate::plants::planted;
use crate::time::Length;
use crate::wire::{NoticeIncident, NoticeKind};

/// What a page starts with.
#[derive(Debug, Clone, PartialEq)]
pub struct Start {
    pub id: PageId,
    pub incident: NoticeIncident,
    pub escalation: Option<String>,
    pub urgency: NotifyUrgency,
    pub alert: Option<AlertId>,
    pub because: String,
    /// Whether it starts after its time.
    pub late: bool,
    /// Whom it pages before a policy's steps, or in their place.
    pub targets: Vec<String>,
    /// Whom it pages after those.
    pub then: Vec<String>,
    /// Whether nobody else is paged when they do not answer, and it never comes back: a test.
    pub alone: bool,
    /// The request for responders that it carries: it pages nobody else either, and each who is named answers for themself.
    pub request: Option<u32>,
    /// How long those who are named have; as long as a usual step, where nothing is said.
    pub within: Option<Length>,
    /// What it is asked for with, where it is a fire drill.
    pub drill: Option<drill::Ask>,
}

/// What is told, and whom.
#[derive(Debug, Clone, PartialEq)]
pub struct Tell {
    pub incident: NoticeIncident,
    pub kind: NoticeKind,
    pub text: String,
    /// As in a step, and `audience:ID`.
    pub targets: Vec<String>,
    pub because: String,
    /// Which of a person's rules is used.
    pub urgency: NotifyUrgency,
}

/// Why a page that only tells takes no answer.
const ONLY_TOLD: &str = "it asked for nothing";

/// How a try to send ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SendResult {
    /// The provider has taken it, and says later whether it arrived.
    Accepted {
        receipt: String,
        within: Length,
    },
    Delivered {
        receipt: String,
        latency_ms: u64,
    },
    Failed {
        why: String,
    },
    /// It is tried again. `maybe_arrived`: this try may have reached the person, and none before it may have.
    Delayed {
        why: String,
        maybe_arrived: bool,
        /// Until it is.
        wait: Length,
    },
    /// Its sender stopped while it was under way.
    InDoubt {
        why: String,
    },
}

/// A try to send, as the outbox reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendReport {
    pub message: MessageId,
    pub person: String,
    pub contact: String,
    pub channel: String,
    pub attempts: u32,
    pub result: SendResult,
}

/// A command; imperative.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    Start(Start),
    /// Tells people something, and asks nothing.
    Tell(Tell),
    Acknowledge {
        by: Option<String>,
        via: String,
    },
    /// "I can't: page the next." `answers` is the step whose message is answered, where that is known.
    Decline {
        by: String,
        via: String,
        answers: Option<AtStep>,
        /// Where they say why.
        why: Option<String>,
    },
    /// Nobody acknowledged the step within its time.
    StepTimedOut {
        round: u32,
        step: u32,
        late: bool,
    },
    /// A later entry of a rule has its turn.
    EntryDue {
        round: u32,
        step: u32,
        person: String,
        entry: u32,
        late: bool,
    },
    /// Everybody was paged and nobody has it still: the catch-all and these are paged, else the policy again.
    ComeBack {
        managers: Vec<String>,
        late: bool,
    },
    RecordSend(SendReport),
    /// It is not needed any more.
    Stop {
        why: String,
    },
    /// It is needed again: it goes on where it was stopped.
    Resume {
        why: String,
    },
    /// Whoever acknowledged it gives it back: it goes on where it was.
    GiveBack {
        why: String,
    },
    /// One of several who have to acknowledge takes that back, while the others are asked still.
    TakeBack {
        by: String,
        why: String,
    },
    /// Ask the person on it whether it is over.
    AskConfirmation {
        person: String,
    },
}

/// Decides. An empty list means that there is nothing to do.
///
/// # Errors
/// Where the page cannot do that any more.
pub fn decide(state: Option<&Page>, command: Command, context: &mut Context<'_>) -> Result<Vec<Event>, Refusal> {
    let page = match (state, command) {
        (None, Command::Start(start)) => return Ok(begin(start, context)),
        (None, Command::Tell(tell)) => return Ok(tell_people(tell, context)),
        (None, _) => return Err(Refusal::Unknown),
        (Some(_), Command::Start(_) | Command::Tell(_)) => return Err(Refusal::AlreadyStarted),
        (Some(page), command) => (page, command),
    };
    let (page, command) = page;
    let command = match (&page.drill, command) {
        (Some(drill), Command::Acknowledge { by, via }) => return drill_answer::answer(page, drill, by, via, context),
        (_, command) => command,
    };
    let running = page.status == Status::Running;
    match command {
        Command::Start(_) | Command::Tell(_) => Err(Refusal::AlreadyStarted),
        Command::Acknowledge { by, via } => match page.status {
            Status::Running | Status::Exhausted if page.wants > 1 => Ok(acknowledged_in_part(page, by, via, context)),
            // An exhausted page can still be taken: late is better than never.
            Status::Running | Status::Exhausted => Ok(vec![Event::Acknowledged(Acknowledged { by, via })]),
            Status::Acknowledged => Ok(Vec::new()),
            Status::Stopped => Err(Refusal::Over("it was stopped")),
            Status::Told if planted("told-is-acknowledgeable") => Ok(vec![Event::Acknowledged(Acknowledged { by, via })]),
            Status::Told => Err(Refusal::Over(ONLY_TOLD)),
        },
        Command::Decline { by, via, answers, why } => match page.status {
            Status::Running => {
                // Only who is paged now can pass it on: a second tap, or a message of a step that
                // has passed, must not take the page from whoever has it by then, though it be the same person again.
                let answers_this = answers.is_none_or(|step| step == page.at_step() || planted("declined-twice"));
                let is_paged_now = answers_this && page.entries.iter().any(|entry| entry.person == by);
                if page.drill.is_some() && !is_paged_now {
                    return Err(Refusal::NotAsked);
                }
                // Of several who have to acknowledge, the others may do.
                let stays = page.wants > 1 && is_paged_now && enough_without(page, &by);
                let mut events = vec![Event::Declined(Declined { by: by.clone(), via, stays, why })];
                if is_paged_now && !stays {
                    events.extend(advance(page, page.round, page.step + 1, &format!("{by} passed it on"), false, context));
                }
                Ok(events)
            }
            Status::Acknowledged => Err(Refusal::Over("somebody has acknowledged it")),
            Status::Stopped => Err(Refusal::Over("it was stopped")),
            Status::Exhausted => Err(Refusal::Over("everybody was paged")),
            Status::Told => Err(Refusal::Over(ONLY_TOLD)),
        },
        Command::StepTimedOut { round, step, late } => {
            if !running || (round, step) != (page.round, page.step) {
                return Ok(Vec::new());
            }
            let in_part = page.is_answered_in_part();
            let because = if in_part { "not as many acknowledged in time as have to" } else { "nobody acknowledged in time" };
            Ok(advance(page, round, step + 1, because, late, context))
        }
        Command::EntryDue { round, step, person, entry, late } => {
            if !running || (round, step) != (page.round, page.step) {
                return Ok(Vec::new());
            }
            Ok(raise(page, &person, entry, "no answer so far", late, context).into_iter().collect())
        }
        Command::ComeBack { managers, late } => match page.status {
            Status::Exhausted => Ok(come_back(page, managers, late, context)),
            Status::Running | Status::Acknowledged | Status::Stopped | Status::Told => Ok(Vec::new()),
        },
        Command::RecordSend(report) => Ok(record(page, report, context)),
        Command::Stop { why } => match page.status {
            // Messages of an exhausted page may still be tried; what ends its incident ends them.
            Status::Running | Status::Exhausted => Ok(vec![Event::Stopped(Stopped { why })]),
            Status::Acknowledged | Status::Stopped | Status::Told => Ok(Vec::new()),
        },
        Command::Resume { why } => super::resume::decide(page, why, context),
        Command::GiveBack { why } => super::resume::given_back(page, why, context),
        Command::TakeBack { by, why } => Ok(take_back(page, by, why, context)),
        Command::AskConfirmation { person } => Ok(ask(&person, context).into_iter().collect()),
    }
}

/// Whether as many can acknowledge as have to where this person does not.
fn enough_without(page: &Page, person: &str) -> bool {
    let others = page.may_yet_answer(None).into_iter().filter(|other| *other != person).count();
    if page.asks_each() { others > 0 } else { page.answered.len() + others >= page.wants as usize }
}

/// One of several who have to acknowledge does. Whoever is not known by name does not count, nor does anybody twice.
fn acknowledged_in_part(page: &Page, by: Option<String>, via: String, context: &mut Context<'_>) -> Vec<Event> {
    let Some(by) = by.filter(|by| !page.answered.contains(by)) else { return Vec::new() };
    let so_far = u32::try_from(page.answered.len()).unwrap_or(u32::MAX).saturating_add(1);
    let is_enough = if page.asks_each() { !enough_without(page, &by) } else { so_far >= page.wants };
    if is_enough {
        return vec![Event::Acknowledged(Acknowledged { by: Some(by), via })];
    }
    let event = Event::AcknowledgedInPart(AcknowledgedInPart { by, via, so_far, wants: page.wants });
    let page = super::evolve(Some(page.clone()), page.id, &event, context.now);
    let mut events = vec![event];
    if page.status == Status::Running && !page.can_be_answered(None) {
        events.extend(advance(&page, page.round, page.step + 1, TOO_FEW, false, context));
    }
    events
}

/// Whoever acknowledged in part does not have it after all: they are asked no more at this step, and the next follows where
/// too few are left.
fn take_back(page: &Page, by: String, why: String, context: &mut Context<'_>) -> Vec<Event> {
    let looks = matches!(page.status, Status::Running | Status::Exhausted);
    if !looks || !page.answered.contains(&by) {
        return Vec::new();
    }
    let event = Event::TakenBack(TakenBack { by, why });
    let page = super::evolve(Some(page.clone()), page.id, &event, context.now);
    let mut events = vec![event];
    if page.status == Status::Running && !page.can_be_answered(None) {
        events.extend(advance(&page, page.round, page.step + 1, TOO_FEW, false, context));
    }
    events
}

fn begin(start: Start, context: &mut Context<'_>) -> Vec<Event> {
    let policy = start.escalation.as_deref().and_then(|id| context.org.escalation(id)).cloned();
    let started = Event::Started(Started {
        incident: start.incident,
        escalation: start.escalation,
        urgency: start.urgency,
        alert: start.alert,
        because: start.because,
        org_version: context.org.version,
        targets: start.targets,
        then: start.then,
        alone: start.alone,
        request: start.request,
        within: start.within,
        policy,
        drill: start.drill,
    });
    let page = super::evolve(None, start.id, &started, context.now);
    let first = advance(&page, 1, 1, "the page started", start.late, context);
    std::iter::once(started).chain(first).collect()
}

/// Everybody the targets name, over the first way of each at once; a later way has its turn when
/// the one before fails.
fn tell_people(tell: Tell, context: &mut Context<'_>) -> Vec<Event> {
    let resolved = context.org.people_for_all(&tell.targets, context.now);
    let mut people = Vec::new();
    let mut passed_over: Vec<PassedOver> = Vec::new();
    for (person, via) in resolved.people {
        // Of an audience every address is told, of a person the first way that works.
        let every_way = person.starts_with(AUDIENCE);
        let mut entries = Vec::new();
        for (index, way) in context.org.reach(&person, tell.urgency).iter().enumerate() {
            let at_once = index == 0 || every_way;
            entries.push(PlannedEntry {
                contact: way.contact.id.clone(),
                channel: way.channel.to_owned(),
                after: if at_once { Length::ZERO } else { way.after },
                message: at_once.then(|| MessageId::from_bits(context.ids.next(context.now))),
            });
        }
        if entries.is_empty() {
            passed_over.push(PassedOver { person, why: "they have no verified contact method".into() });
        } else {
            people.push(Reached { person, via, entries });
        }
    }
    vec![Event::Told(Told {
        incident: tell.incident,
        kind: tell.kind,
        text: tell.text,
        people,
        passed_over,
        because: tell.because,
        org_version: context.org.version,
        urgency: tell.urgency,
    })]
}

/// A round of the catch-all and the managers; where that reaches nobody, the policy from its first step.
fn come_back(page: &Page, managers: Vec<String>, late: bool, context: &mut Context<'_>) -> Vec<Event> {
    let round = page.round.saturating_add(1);
    // Whoever mended the policy meanwhile did it for this page, too.
    let policy = page.escalation.as_deref().and_then(|id| context.org.escalation(id)).cloned();
    let back = Event::CameBack(CameBack { round, why: "nobody has it".to_owned(), policy });
    let page = super::evolve(Some(page.clone()), page.id, &back, context.now);
    let mut events = vec![back];
    let mut targets = context.org.catch_all().to_vec();
    targets.extend(managers);
    let because = "everybody was paged before, and nobody has it";
    let reach = Reach::catch_all(round, because, late);
    match reached(&page, &targets, reach, context) {
        Ok(event) => events.push(event),
        Err(why) => {
            let why = format!("the catch-all and the team's managers reach nobody: {why}");
            events.push(Event::StepEmpty(StepEmpty { round, step: 1, why, passed: false }));
            events.extend(advance(&page, round, 1, because, late, context));
        }
    }
    events
}

/// A way that waits for more than a third of the step's time counts as failed for the step: two thirds are left for
/// others.
const WAIT_SHARE: u64 = 3;

/// How long the present step has.
fn within(page: &Page, context: &Context<'_>) -> Length {
    if page.catch_all {
        return CATCH_ALL_WITHIN;
    }
    let policy = policy_of(page, context.org);
    let step = policy.as_deref().and_then(|policy| policy.steps.get((page.step as usize).checked_sub(1)?));
    step.map_or(TARGETS_WITHIN, |step| step.within)
}

fn record(page: &Page, report: SendReport, context: &mut Context<'_>) -> Vec<Event> {
    let running = page.status == Status::Running;
    let tells = page.status == Status::Told;
    let SendReport { message, person, contact, channel, attempts, result } = report;
    let current = page.entries.iter().find(|e| e.message == Some(message)).cloned();
    let trouble = |why: String| SendTrouble {
        message,
        person: person.clone(),
        contact: contact.clone(),
        channel: channel.clone(),
        why,
        attempts,
        given_up: false,
    };
    match result {
        SendResult::Accepted { receipt, within } => {
            vec![Event::SendAccepted(SendAccepted { message, person, contact, channel, receipt, attempts, within })]
        }
        SendResult::Delivered { receipt, latency_ms } => {
            // An id tells when its message was decided; what was decided after the end is no page.
            let decided_ms = i64::try_from(message.bits() >> 80).unwrap_or(i64::MAX);
            let after_end =
                page.status != Status::Told && page.ended_at.is_some_and(|ended| !running && decided_ms <= ended.as_millisecond());
            vec![Event::Delivered(Delivered { message, person, contact, channel, receipt, attempts, latency_ms, after_end })]
        }
        SendResult::InDoubt { why } => vec![Event::SendInDoubt(SendInDoubt { message, person, contact, channel, why })],
        SendResult::Delayed { why, maybe_arrived, wait } => {
            // A provider that asks for a good part of the step's time has not told anybody in it.
            let outlasts = running && wait.as_millis().saturating_mul(WAIT_SHARE) > within(page, context).as_millis();
            let counts_as_failed = match &current {
                Some(entry) => entry.telling != Telling::Failed && (attempts >= TRIES_BEFORE_A_SEND_COUNTS_AS_FAILED || outlasts),
                // Of an earlier step: the log hears of it once.
                None => attempts == TRIES_BEFORE_A_SEND_COUNTS_AS_FAILED,
            };
            let mut events = Vec::new();
            if maybe_arrived {
                let (person, contact, channel, why) = (person.clone(), contact.clone(), channel.clone(), why.clone());
                events.push(Event::SendInDoubt(SendInDoubt { message, person, contact, channel, why }));
            }
            // What a provider has taken is waited for, whatever became of another try.
            let is_taken = current.as_ref().is_some_and(|entry| entry.telling == Telling::Accepted);
            if is_taken || (attempts != 1 && !counts_as_failed) {
                return events;
            }
            events.push(Event::SendDelayed(SendTrouble { given_up: counts_as_failed, ..trouble(why) }));
            if (running || tells && counts_as_failed)
                && let Some(entry) = current
            {
                events.extend(after_trouble(page, &entry, counts_as_failed, context));
            }
            events
        }
        SendResult::Failed { why } => {
            let mut events = vec![Event::SendFailed(trouble(why))];
            if (running || tells)
                && let Some(entry) = current
            {
                events.extend(after_trouble(page, &entry, true, context));
            }
            events
        }
    }
}

/// A failed send pulls the person's next entry forward; when nothing of the step is left that
/// could reach anybody, the next step follows at once.
fn after_trouble(page: &Page, troubled: &Entry, counts_as_failed: bool, context: &mut Context<'_>) -> Vec<Event> {
    let next = page
        .entries
        .iter()
        .filter(|e| e.person == troubled.person && e.telling == Telling::Planned)
        .min_by_key(|e| e.entry)
        .map(|e| e.entry);
    if let Some(entry) = next {
        let because = format!("{} could not be reached by {}", troubled.person, troubled.contact);
        return raise(page, &troubled.person, entry, &because, false, context).into_iter().collect();
    }
    if page.status == Status::Told {
        return Vec::new();
    }
    if counts_as_failed && !page.can_be_answered(troubled.message) {
        return advance(page, page.round, page.step + 1, "nobody of the step could be reached", false, context);
    }
    Vec::new()
}

/// A message to the person on it, over the first way of their rule for low urgency.
fn ask(person: &str, context: &mut Context<'_>) -> Option<Event> {
    let ways = context.org.reach(person, NotifyUrgency::Low);
    let way = ways.first()?;
    Some(Event::ConfirmationAsked(ConfirmationAsked {
        person: person.to_owned(),
        contact: way.contact.id.clone(),
        channel: way.channel.to_owned(),
        message: MessageId::from_bits(context.ids.next(context.now)),
        org_version: context.org.version,
    }))
}
