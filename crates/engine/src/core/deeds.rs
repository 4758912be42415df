//! What steps of plans do: begun, as a message of the outbox in the same commit, withdrawn where nobody waits for it any more,
//! and what became of it.
//!
//! Not here: what may be begun when (`domain::incident::deeds`), and how it is carried and tried again (the outbox). A rebuild
//! folds the events and sends nothing: a message is made where a command is decided, and nowhere else.

use allclear_domain::access::Actor;
use allclear_domain::ids::{IncidentId, MessageId, PageId};
use allclear_domain::incident::deeds::{self, Begun, Command, Event};
use allclear_domain::incident::work::TaskState;
use allclear_domain::org::snapshot::PLAN;
use allclear_domain::paging::MessageDraft;
use allclear_domain::time::{Length, after};
use allclear_domain::wire::{Notice, NoticeKind, Outcome};
use allclear_store::rows;
use allclear_store::rows::message::Envelope;

use super::messages::backoff_of;
use super::notices::{each_once, notice_of, person};
use super::unit::Unit;
use super::{Core, Decided};

/// A step is tried so often: with the waits between them some two minutes, after which somebody had better look.
const STEP_TRIES_MAX: u32 = 8;
/// It is given up after this time in any case, also where its target does not answer anybody and is only probed.
pub(crate) const STEP_GIVEN_UP_AFTER: Length = Length::from_mins(15);
/// Why whoever does a step is told.
const STEP_FAILED: &str = "a step of a plan failed";

impl Core {
    /// Somebody pressed it, and may have said why; or its turn has come.
    pub(super) fn begin_step(&mut self, unit: &mut Unit, id: IncidentId, task: u32, pressed: Option<Option<String>>) -> Decided<()> {
        let (incident, _) = self.incident(unit, id)?;
        let step = incident.work.task(task).and_then(|task| task.step.as_ref());
        let deed = step.and_then(|step| self.org.plan(&step.plan)?.deed(&step.step));
        let host = deed.map(|deed| deed.host().to_owned());
        let message = MessageId::from_bits(unit.id());
        self.change_incident(unit, id, Command::Begin { task, message, host, by_itself: pressed.is_none(), why: pressed.flatten() })
    }

    /// Those that are done by themselves and may begin now.
    pub(super) fn begin_due_steps(&mut self, unit: &mut Unit, id: IncidentId) -> Decided<()> {
        let (incident, _) = self.incident(unit, id)?;
        for task in deeds::due(&incident) {
            self.begin_step(unit, id, task, None)?;
        }
        Ok(())
    }

    /// A step ended: of it nothing goes out any more, and what comes after it may begin.
    pub(super) fn after_step(&mut self, unit: &mut Unit, id: IncidentId, task: u32, why: &str) -> Decided<()> {
        self.change_incident(unit, id, Command::Withdraw { task, why: why.to_owned() })?;
        self.begin_due_steps(unit, id)
    }

    /// The incident ended: what of its steps has not gone out does not go out hours later.
    pub(super) fn withdraw_steps(&mut self, unit: &mut Unit, id: IncidentId, why: &str) -> Decided<()> {
        let (incident, _) = self.incident(unit, id)?;
        let under_way: Vec<u32> = deeds::under_way(&incident).collect();
        for task in under_way {
            self.change_incident(unit, id, Command::Withdraw { task, why: why.to_owned() })?;
        }
        Ok(())
    }

    pub(super) fn follow_deeds(&mut self, unit: &mut Unit, id: IncidentId, event: &Event) -> Decided<()> {
        match event {
            Event::Begun(body) => self.send_step(unit, id, body),
            Event::Withdrawn(body) => {
                let (incident, _) = self.incident(unit, id)?;
                let deed = incident.work.task(body.task).and_then(|task| task.step.as_ref()?.deed.as_ref());
                if let Some(message) = deed.and_then(|deed| deed.last.as_ref()?.message) {
                    unit.withdraw_step(message);
                }
                Ok(())
            }
            Event::Failed(body) => {
                let (incident, _) = self.incident(unit, id)?;
                let Some(found) = incident.work.task(body.task) else { return Ok(()) };
                // What was done by hand meanwhile, or went along with a merge, is nobody's to do again: its log says the rest.
                if found.state != TaskState::Open || !incident.state.is_open() {
                    return Ok(());
                }
                let text =
                    format!("Step {} failed: {}. {}. Do it by hand, let it be done again, or skip it.", body.task, found.text, body.why);
                let mut targets = each_once([incident.work.doer(found).map(ToOwned::to_owned), incident.holder().map(ToOwned::to_owned)]);
                if targets.is_empty() {
                    targets = self.others(&incident);
                }
                // Whoever pressed it waits for it, whoever does it or has the incident by now.
                let pressed = deeds::pressed_by(found).filter(|by| self.sees(&Actor::Person((*by).to_owned()), &incident)).map(person);
                if let Some(by) = pressed
                    && !targets.contains(&by)
                {
                    targets.push(by);
                }
                self.tell(unit, id, NoticeKind::Reminder, &targets, text, STEP_FAILED)
            }
            Event::Answered(_) => Ok(()),
        }
    }

    /// The message is written with the event: either both are there or neither.
    fn send_step(&mut self, unit: &mut Unit, id: IncidentId, body: &Begun) -> Decided<()> {
        let (incident, _) = self.incident(unit, id)?;
        let Some(step) = incident.work.task(body.task).and_then(|task| task.step.as_ref()) else { return Ok(()) };
        let (plan, contact) = (format!("{PLAN}{}", step.plan), step.step.clone());
        let channel = self.org.contact(&plan, &contact).and_then(|(contact, _)| self.org.channels().of(&contact.address));
        let Some(channel) = channel.map(|form| form.name.to_owned()) else { return Ok(()) };
        let notice = Notice {
            key: format!("step:{id}:{}:{}", body.task, body.run),
            kind: NoticeKind::Step,
            // Of no page: there is none of this id.
            page: PageId::from_bits(unit.id()),
            step: body.task,
            round: body.run,
            late: false,
            person: plan.clone(),
            incident: notice_of(&incident),
            text: Some(body.body.clone()),
            because: None,
        };
        let node = (!self.setup.quarantined).then_some(self.setup.node);
        unit.send_alone(&MessageDraft { id: body.message, person: plan, contact, channel, org_version: self.org.version, notice }, node);
        Ok(())
    }

    /// A try of what a step does ended.
    pub(super) fn step_sent(&mut self, unit: &mut Unit, message: &Envelope, attempts: u32, outcome: &Outcome) -> Decided<()> {
        let (incident, _) = self.incident(unit, message.incident)?;
        let wanted = deeds::is_wanted(&incident, message.id);
        let of = message.id;
        match outcome {
            Outcome::Delivered { receipt } | Outcome::Accepted { receipt, .. } => {
                unit.write(rows::message::delivered(of, attempts, unit.now));
                let (status, answer) = parted(receipt);
                self.change_incident(unit, message.incident, Command::Answer { message: of, status, answer, attempts })
            }
            Outcome::Rejected { why } => {
                unit.write(rows::message::rejected(of, attempts, unit.now, why));
                self.step_failed(unit, message, attempts, why)
            }
            Outcome::Retry { .. } if !wanted => {
                unit.write(rows::message::withdraw(of, unit.now));
                Ok(())
            }
            Outcome::Retry { after: asked, why, maybe_arrived, .. } => {
                let begun_ms = i64::try_from(of.bits() >> 80).unwrap_or(i64::MAX);
                let age_ms = unit.now.as_millisecond().saturating_sub(begun_ms);
                let is_old = u64::try_from(age_ms).unwrap_or(0) >= STEP_GIVEN_UP_AFTER.as_millis();
                if attempts >= STEP_TRIES_MAX || is_old {
                    let (status, answer) = parted(why);
                    let words = format!("it was given up after {attempts} tries, the last of which ended with: {status}");
                    let why = answer.map_or_else(|| words.clone(), |answer| format!("{words}\n{answer}"));
                    unit.write(rows::message::rejected(of, attempts, unit.now, &why));
                    return self.step_failed(unit, message, attempts, &why);
                }
                let at = after(unit.now, backoff_of(of, attempts, *asked));
                unit.write(rows::message::retry(of, self.setup.node, attempts, at, *maybe_arrived, why));
                let effects = unit.effects();
                effects.next_attempt_at = Some(effects.next_attempt_at.map_or(at, |other| other.min(at)));
                Ok(())
            }
        }
    }

    fn step_failed(&mut self, unit: &mut Unit, message: &Envelope, attempts: u32, why: &str) -> Decided<()> {
        let (why, answer) = parted(why);
        self.change_incident(unit, message.incident, Command::Fail { message: message.id, why, answer, attempts })
    }

    /// What a node that stopped had under way of a step is sent again under its id while the step waits for it.
    pub(super) fn take_over_step(&mut self, unit: &mut Unit, message: &Envelope, lead: MessageId) -> Decided<()> {
        let (incident, _) = self.incident(unit, message.incident)?;
        match message.claimed_by {
            _ if !deeds::is_wanted(&incident, message.id) => {
                unit.write(rows::message::withdraw(message.id, unit.now));
            }
            Some(holder) => unit.write(rows::message::take_over(message.id, lead, self.setup.node, holder, unit.now)),
            None => {}
        }
        Ok(())
    }
}

/// A status, and what was answered below it.
fn parted(said: &str) -> (String, Option<String>) {
    match said.split_once('\n') {
        Some((status, answer)) => (status.to_owned(), Some(answer.to_owned())),
        None => (said.to_owned(), None),
    }
}
