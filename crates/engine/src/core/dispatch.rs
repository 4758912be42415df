//! The switchboard: every command there is, and which subject decides it. An answer kept under an idempotency key is
//! given again here, before anything is decided.

use allclear_domain::access::Principal;
use allclear_domain::action::Action;
use allclear_domain::review::Review;
use allclear_store::rows;

use super::command::{Input, Reply, Versioned};
use super::unit::Unit;
use super::{Command, Core, Decided, Loaded, Need, Refusal, Stop, messages};

impl Core {
    /// Decides any command; the only entry of the units.
    pub(super) fn command(&mut self, unit: &mut Unit, input: &Input) -> Decided<Reply> {
        if let Some(once) = &input.once
            && self.careful
        {
            let asker = input.who.actor.to_string();
            let kept = self.read.iter().find_map(|read| {
                if let Loaded::Answer(principal, key, kept) = read
                    && *principal == asker
                    && *key == once.key
                {
                    Some(kept.clone())
                } else {
                    None
                }
            });
            match kept {
                None => return Err(Stop::Need(Need::Answer(asker, once.key.clone()))),
                Some(Some((digest, _))) if !once.is_of(&digest) => return Err(Refusal::KeyReused.into()),
                Some(Some((_, answer))) => return Ok(Reply::Again { answer }),
                Some(None) => {}
            }
        }
        self.may(unit, &input.who, &input.command)?;
        let reply = self.dispatch(unit, &input.who, &input.command)?;
        if let Some(once) = &input.once {
            let answer = match &reply {
                Reply::Incident { id, .. } => id.to_string(),
                Reply::Page { id } => id.to_string(),
                Reply::Review { id } => id.to_string(),
                Reply::Action { id } => id.to_string(),
                Reply::Signals { .. } | Reply::Done | Reply::ReadCalendars | Reply::Again { .. } => String::new(),
            };
            unit.write(rows::token::keep_answer(&input.who.actor.to_string(), &once.key, &once.digest, &answer, unit.now));
        }
        Ok(reply)
    }

    fn dispatch(&mut self, unit: &mut Unit, who: &Principal, command: &Command) -> Decided<Reply> {
        Ok(match command {
            Command::IfVersion { of, version, command } => {
                let now = match *of {
                    Versioned::Incident(id) => self.incident(unit, id)?.1.version,
                    Versioned::Review(id) => self.read_once::<Review>(unit, id)?.1.version,
                    Versioned::Action(id) => self.read_once::<Action>(unit, id)?.1.version,
                };
                if now != *version {
                    return Err(Refusal::VersionMismatch { of: *of, now }.into());
                }
                self.dispatch(unit, who, command)?
            }
            Command::Signals(arrived) => self.signals(unit, arrived)?,
            Command::Declare(declare) => self.declare(unit, declare)?,
            Command::TestPage { person } => self.test_page(unit, person)?,
            Command::Drill { escalation, wait } => self.drill(unit, who, escalation, *wait)?,
            Command::StopDrill { page } => self.stop_drill(unit, who, *page)?,
            Command::Incident { id, command } => self.act_on(unit, who, *id, command)?,
            Command::Merge { from, into } => self.merge(unit, *from, *into)?,
            Command::Relate { id, to, is, follow } => self.relate(unit, who, *id, *to, (*is, *follow))?,
            Command::Split { id, split } => self.split(unit, *id, split)?,
            Command::Order { id, part, rank, why } => self.order(unit, *id, *part, *rank, why.as_ref())?,
            Command::Move { id, asked } => self.move_person(unit, who, *id, asked)?,
            Command::Unrelate { id, from } => self.unrelate(unit, *id, *from)?,
            Command::TakeApart { from } => self.take_apart(unit, *from)?,
            Command::Escalate { id, escalation, why } => self.escalate(unit, *id, escalation.as_ref(), why)?,
            Command::PagePeople { id, targets, why } => self.page_by_name(unit, *id, targets, why)?,
            Command::LinkAlert { id, alert } => self.link_alert(unit, *id, *alert)?,
            Command::AskReview { id } => self.review_of(unit, *id)?,
            Command::Review { id, command } => self.act_on_review(unit, *id, command)?,
            Command::AddAction { incident, text, owner, due } => self.add_action(unit, *incident, text, owner, *due)?,
            Command::Action { id, command } => self.act_on_action(unit, *id, command)?,
            Command::Page { id, command } => self.act_on_page(unit, *id, command)?,
            Command::Attend { id } => self.attend(unit, *id)?,
            Command::Look(expectation) => self.look(unit, expectation)?,
            Command::TakeOver { lead, messages, why } => self.take_over_sends(unit, *lead, messages, why)?,
            Command::Withdraw { message } => messages::withdraw(unit, *message),
            Command::Sent { tries, outcome } => {
                self.pages_at_once(unit, tries.iter().filter(|tried| !tried.message.is_step).map(|tried| tried.message.page))?;
                for tried in tries.iter() {
                    self.sent(unit, tried, outcome)?;
                }
                Reply::Done
            }
            Command::Canary { message } => Self::canary(unit, *message),
            Command::Flush { keys } => {
                self.flush(unit, *keys);
                Reply::Done
            }
        })
    }
}
