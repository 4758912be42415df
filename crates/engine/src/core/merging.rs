//! Two incidents become one, and one becomes two again: alerts, open tasks, open items of recovery and the nearer promise of an update
//! go along, and what is as it went comes back.
//!
//! Not here: what may happen in which state, and what each log says (`domain::incident::links`).

use std::collections::{BTreeMap, BTreeSet};

use allclear_domain::access::Actor;
use allclear_domain::ids::{AlertId, IncidentId};
use allclear_domain::incident::alarms::Silencing;
use allclear_domain::incident::along::Along;
use allclear_domain::incident::{self, Incident, State, access, answers, assessment, declaration, lifecycle, links};
use allclear_domain::paging;
use allclear_store::rows;
use allclear_store::rows::alert::Belonging;
use jiff::Timestamp;

use super::command::{Refusal, Reply};
use super::transfers::is_about_transfer;
use super::unit::{AlertChange, Unit};
use super::{Core, Decided, Loaded, Need, Stop};

/// Open alerts, and how silences hold them.
#[derive(Debug, Clone, Default)]
pub(super) struct Held {
    open: u64,
    held: u64,
    /// When the first of these silences ends, where that is known.
    until: Option<Timestamp>,
    silences: Vec<String>,
}

impl Held {
    pub(super) fn of(alerts: &[Belonging]) -> Self {
        let open = || alerts.iter().filter(|alert| alert.open);
        let held = || open().filter_map(|alert| alert.held.as_ref());
        Self {
            open: open().count() as u64,
            held: held().count() as u64,
            until: held().map(|(_, until)| *until).min(),
            silences: held().map(|(silence, _)| silence.clone()).collect(),
        }
    }
}

/// Why it pages again.
const APART: &str = "it was taken apart from another incident";

/// Alerts of an incident, the newest first.
type Alerts = Vec<Belonging>;

impl Core {
    /// What belongs to an incident in the store: its newest alerts, and when its next update is due.
    pub(super) fn belongs(&self, id: IncidentId) -> Decided<(Alerts, Option<Timestamp>)> {
        let found = self.read.iter().find_map(|read| {
            if let Loaded::Belongs(of, alerts, update_by) = read
                && *of == id
            {
                Some((alerts.clone(), *update_by))
            } else {
                None
            }
        });
        found.ok_or(Stop::Need(Need::Belongs(id)))
    }

    /// Merges: the alerts go over, the pages of the merged one stop.
    pub(super) fn merge(&mut self, unit: &mut Unit, from: IncidentId, into: IncidentId) -> Decided<Reply> {
        let (loser, _) = self.incident(unit, from)?;
        let (winner, _) = self.incident(unit, into)?;
        if loser.mode != winner.mode {
            return Err(Refusal::from(incident::Refusal::from(links::Refusal::AcrossModes)).into());
        }
        // A candidate pages nobody: what somebody is looked for about must not come to rest there.
        if winner.state == State::Candidate && loser.state != State::Candidate {
            return Err(Refusal::from(incident::Refusal::from(lifecycle::Refusal::NotDeclared)).into());
        }
        // What comes to an incident of whose own nothing is open is all that it has, and silences hold it.
        let comes_held = loser.alarms.is_held() && !winner.alarms.is_held() && !winner.is_a_persons_word();
        let takes_its_silence = comes_held && self.open_and_held(into)?.0 == 0;
        let held = if takes_its_silence { self.open_and_held(from)?.1 } else { 0 };
        // The log of the one names the other: a public log must not name a private incident.
        let was_public = winner.private && !loser.private;
        if was_public {
            let mut people: Vec<String> = self.involved(from)?.into_iter().collect();
            people.extend(winner.admitted.iter().cloned());
            people.extend(loser.commander.clone());
            self.restrict(unit, from, "it was merged into a private incident", people)?;
        }
        let (alerts, promised) = self.belongs(from)?;
        let alerts = alerts.into_iter().map(|alert| alert.id).take(links::MERGED_ALERTS_MAX).collect();
        // The nearer promise holds; a candidate owes nobody an update.
        let update_by = promised.filter(|_| winner.state != State::Candidate);
        let update_by = match (update_by, self.belongs(into)?.1) {
            (Some(its), Some(own)) if own <= its => None,
            (its, _) => its,
        };
        let along = Along::of(&loser, &winner, unit.now);
        let owners: Vec<String> = along.tasks.iter().filter_map(|task| task.owner.clone()).collect();
        let said = loser.is_a_persons_word();
        let absorb = links::Command::Absorb { from, from_ref: loser.reference.clone(), along: along.clone(), update_by, said };
        let merge = links::Command::Merge { into, into_ref: winner.reference.clone(), alerts, update_by, was_public, along };
        self.change_incident(unit, from, merge)?;
        self.change_incident(unit, into, absorb)?;
        self.admit_if_hidden(unit, into, owners, "has a task of it")?;
        self.move_relations(unit, from, into)?;
        // What is told of the one is told of the other from now on, to nobody new.
        if loser.private && !winner.private {
            let mut people: Vec<String> = self.involved(into)?.into_iter().collect();
            people.extend(loser.admitted.iter().cloned());
            people.extend(winner.commander.clone());
            self.restrict(unit, into, &format!("{} was merged into it, which is private", loser.reference), people)?;
        }
        unit.write(rows::alert::give(from, into));
        unit.alerts.push(AlertChange::Give { from, into });
        // It is as bad as the worse of the two, as where an alert joins.
        if loser.severity < winner.severity && winner.state != State::Candidate {
            let why = format!("{} was merged into it", loser.reference);
            self.change_incident(unit, into, declaration::Command::SetSeverity { severity: loser.severity, why })?;
        }
        // It may become as bad as the worse of the two.
        let (own, other) = (winner.work.assessment.potential, loser.work.assessment.potential);
        if let Some(severity) = other.filter(|other| own.is_none_or(|own| *other < own)) {
            let why = Some(format!("{} was merged into it", loser.reference));
            self.change_incident(unit, into, assessment::Command::SetPotential { severity, why })?;
        }
        self.take_type_along(unit, &loser, &winner)?;
        self.digest(unit, into);
        if winner.alarms.is_held() && !loser.alarms.is_held() {
            // What comes to it fires freely, or is a person's word.
            self.silence_incident(unit, into, Silencing::default())?;
        } else if takes_its_silence {
            let (silences, held_until) = (loser.alarms.held_by.clone(), loser.alarms.held_until);
            let change = Silencing { silenced: held, silences, unsilenced: 0, held_until };
            self.silence_incident(unit, into, change)?;
        }
        Ok(Reply::Incident { id: from, reference: loser.reference })
    }

    /// What it is goes along where nobody said so of the other, and what was answered where that was not.
    fn take_type_along(&mut self, unit: &mut Unit, loser: &Incident, winner: &Incident) -> Decided<()> {
        let Some(typed) = loser.work.typed.as_ref().filter(|_| winner.state != State::Candidate) else { return Ok(()) };
        let why = format!("{} was merged into it", loser.reference);
        if winner.work.typed.is_none() {
            self.type_by_rule(unit, winner.id, &typed.kind, &why)?;
        }
        let (now, _) = self.incident(unit, winner.id)?;
        let Some(own) = now.work.typed.filter(|own| own.kind == typed.kind) else { return Ok(()) };
        for (field, answer) in typed.answers.iter().filter(|(field, _)| !own.answers.contains_key(*field)) {
            let command = answers::Command::Answer { field: field.clone(), value: Some(answer.value.clone()), why: Some(why.clone()) };
            match self.change_incident(unit, winner.id, command) {
                // The type may ask otherwise by now: the answer stays in the log of the one that was merged.
                Ok(()) | Err(Stop::Refused(_)) => {}
                Err(other) => return Err(other),
            }
        }
        Ok(())
    }

    /// Takes a merge apart: what went over and is as it went comes back.
    pub(super) fn take_apart(&mut self, unit: &mut Unit, from: IncidentId) -> Decided<Reply> {
        let (merged, _) = self.incident(unit, from)?;
        let Some(into) = merged.merged_into else {
            let not_merged = incident::lifecycle::Refusal::NotMerged;
            return Err(Refusal::from(incident::Refusal::from(not_merged)).into());
        };
        let (other, _) = self.incident(unit, into)?;
        if other.state == State::Merged {
            let refusal = links::Refusal::IntoWasMerged { into: self.name_of(unit, &other) };
            return Err(Refusal::from(incident::Refusal::from(refusal)).into());
        }
        // Of a group one incident is open: alerts would not know where to go.
        if let Some(key) = &merged.group_key
            && let Some(open) = self.group(unit, key)?
            && open != from
        {
            let (open, _) = self.incident(unit, open)?;
            return Err(Refusal::from(incident::Refusal::from(declaration::Refusal::GroupHasAnother(self.name_of(unit, &open)))).into());
        }
        let went = merged.work.merge.as_ref().map(|merge| merge.alerts.clone()).unwrap_or_default();
        let went: BTreeSet<AlertId> = went.into_iter().collect();
        let there: Alerts = self.belongs(into)?.0;
        // What ended there and fired again is the same condition still.
        let last: BTreeMap<String, AlertId> =
            there.iter().rev().filter(|alert| went.contains(&alert.id)).map(|alert| (alert.condition.clone(), alert.id)).collect();
        let is_its_own = |alert: &Belonging| went.contains(&alert.id) || last.get(&alert.condition).is_some_and(|went| alert.id > *went);
        let (come, remain): (Alerts, Alerts) = there.into_iter().partition(is_its_own);
        let went: Vec<AlertId> = come.iter().map(|alert| alert.id).collect();
        let back_now = Held::of(&come);
        let open_back = back_now.open;
        let open_there = self.still_open(unit, into)?;
        // How many from the counts, since a storm has more alerts than are read; until when from those that are.
        let (_, held_there, _) = self.open_and_held(into)?;
        let (open, held) = (open_there.saturating_sub(open_back), held_there.saturating_sub(back_now.held));
        let stays = Held { open, held, ..Held::of(&remain) };
        let alerts = u64::try_from(went.len()).unwrap_or(u64::MAX);
        let back = links::Back { alerts, ..links::Back::of(&merged, &other) };
        let apart = links::Command::TakeApart { into_ref: other.reference.clone(), back: back.clone() };
        self.change_incident(unit, from, apart)?;
        // It was private for the merge alone; what its log says of the other is a reference, and nothing else. What was
        // written on it since was written on something private, and stays so.
        if merged.private && merged.work.merge.as_ref().is_some_and(|merge| merge.was_public && merge.at == merged.updated_at) {
            let why = "it was private for the merge alone".to_owned();
            self.change_incident(unit, from, access::Command::OpenUp { why })?;
        }
        self.change_incident(unit, into, links::Command::Release { from, from_ref: merged.reference.clone(), back })?;
        for alert in &went {
            unit.write(rows::alert::give_one(*alert, into, from));
        }
        let none_is_open = !went.is_empty() && open_back == 0;
        unit.alerts.push(AlertChange::GiveThese { alerts: went, from: into, into: from });
        self.digest(unit, into);
        self.digest(unit, from);
        self.hold_apart(unit, from, back_now)?;
        self.hold_apart(unit, into, stays)?;
        self.attend_apart(unit, &merged)?;
        // What was held up only by what went back is over, and so is what came back after all of it had recovered.
        if open_back > 0 && open_back >= open_there && !other.is_a_persons_word() && other.state.is_open() {
            self.recover(unit, into)?;
        }
        if none_is_open && !merged.is_a_persons_word() {
            self.recover(unit, from)?;
        }
        Ok(Reply::Incident { id: from, reference: merged.reference })
    }

    /// What silences hold of an incident is what they hold of the alerts that it has now.
    pub(super) fn hold_apart(&mut self, unit: &mut Unit, id: IncidentId, now: Held) -> Decided<()> {
        let (state, _) = self.incident(unit, id)?;
        let all = now.open > 0 && now.held >= now.open && !state.is_a_persons_word();
        if now.open == 0 || all == state.alarms.is_held() {
            return Ok(());
        }
        // Until when is told by the alerts that were read; of a storm none of whose newest is open it is looked at at once.
        let held_until = all.then(|| now.until.unwrap_or(unit.now));
        let silenced = if all { now.held } else { 0 };
        self.silence_incident(unit, id, Silencing { silenced, silences: now.silences, unsilenced: 0, held_until })
    }

    /// It is an incident of its own again: where a page of it looked for somebody when it was merged, or nobody ever had it,
    /// it pages on; nobody acknowledges by taking apart. What somebody had is whose it is who takes it apart; where that is
    /// nobody in person, it pages.
    fn attend_apart(&mut self, unit: &mut Unit, merged: &Incident) -> Decided<()> {
        let id = merged.id;
        let (open, _) = self.incident(unit, id)?;
        // What silences hold pages nobody until they end.
        if open.state == State::Candidate || (open.alarms.is_held() && merged.acknowledged_at.is_none()) {
            return Ok(());
        }
        let merged_at = merged.work.merge.as_ref().map(|merge| merge.at);
        let mut stopped = Vec::new();
        for page in self.pages_of(unit, id) {
            let (found, _) = self.page(unit, page)?;
            // What was offered to a team when it was merged is offered to nobody now.
            if found.status == paging::Status::Stopped && found.ended_at == merged_at && !is_about_transfer(&found.because) {
                stopped.push((page, found.due_at.is_some()));
            }
        }
        let was_taken = merged.acknowledged_at.is_some() || merged.commander.is_some();
        if let Actor::Person(person) = unit.actor.clone()
            && stopped.is_empty()
            && was_taken
        {
            return self.acknowledge(unit, id, Some(person), "taking it apart");
        }
        let again: Vec<_> = stopped.into_iter().filter(|(_, has_step)| *has_step && !open.alarms.is_held()).map(|(page, _)| page).collect();
        if again.is_empty() {
            return self.start_page(unit, id, None, None, APART, false);
        }
        for page in again {
            self.change_page(unit, page, paging::Command::Resume { why: APART.to_owned() })?;
        }
        Ok(())
    }
}
