//! Commands on incidents, and what they do to the incident's pages and alerts.

use std::collections::BTreeSet;

use allclear_domain::access::Actor;
use allclear_domain::clean::clean;
use allclear_domain::expect::{ATTEND_WITHIN, ATTEND_WITHIN_LOW};
use allclear_domain::ids::{AlertId, IncidentId};
use allclear_domain::incident::{self, Declaration, Incident, Severity, access, alarms, attendance, declaration, ending, links, record};
use allclear_domain::org::model::NotifyUrgency;
use allclear_domain::paging;
use allclear_domain::time::Length;
use allclear_store::rows;

use super::command::{Declare, Refusal, Reply};
use super::test_page::ANSWERED;
use super::unit::{AlertChange, Unit};
use super::{Core, Decided, Loaded, Need, Stop};

/// Why there is a candidate, where somebody who may not declare said it.
const REPORTED: &str = "reported by a person";

impl Core {
    fn incident_context(&self, unit: &Unit) -> incident::Context {
        let cadence = Severity::ALL.map(|severity| self.org.severity(severity).update_every);
        let lasts = Severity::ALL.map(|severity| self.org.severity(severity).acknowledgement_lasts);
        incident::Context { now: unit.now, org_version: self.org.version, cadence, lasts }
    }

    /// Decides a command on an incident and folds its events; nothing else follows here.
    pub(super) fn incident_command(
        &mut self,
        unit: &mut Unit,
        id: IncidentId,
        before: Option<(Incident, allclear_domain::event::Head)>,
        command: impl Into<incident::Command>,
    ) -> Decided<Vec<incident::Event>> {
        let context = self.incident_context(unit);
        let events = incident::decide(before.as_ref().map(|(state, _)| state), command.into(), context).map_err(Refusal::from)?;
        unit.incident_events(id, before, &events);
        Ok(events)
    }

    /// A person declares.
    pub(super) fn declare(&mut self, unit: &mut Unit, declare: &Declare) -> Decided<Reply> {
        if declare.impact_started_at.is_some_and(|at| at > unit.now) {
            return Err(Refusal::from(incident::Refusal::from(record::Refusal::InTheFuture)).into());
        }
        let org = self.org.clone();
        let escalation = match &declare.service {
            Some(service) => {
                org.service(service).ok_or_else(|| Refusal::NoSuchService(service.clone()))?;
                org.escalation_of(service).map(|policy| policy.id.clone())
            }
            None => None,
        };
        let id = IncidentId::from_bits(unit.id());
        let reference = self.reference(unit)?;
        let declaration = Declaration {
            id,
            reference: reference.clone(),
            title: clean(&declare.title).into_owned(),
            severity: declare.severity,
            service: declare.service.clone(),
            escalation: escalation.clone(),
            group_key: None,
            alert: None,
            because: if declare.report { REPORTED } else { incident::BY_A_PERSON }.into(),
            impact_started_at: declare.impact_started_at,
            detected_at: Some(unit.now),
            group_wait: Length::ZERO,
            attend_within: (!declare.page && !declare.report).then(|| match org.severity(declare.severity).notify {
                NotifyUrgency::High => ATTEND_WITHIN,
                NotifyUrgency::Low => ATTEND_WITHIN_LOW,
            }),
            exercise: false,
        };
        let begins = if declare.report { declaration::Command::Propose(declaration) } else { declaration::Command::Declare(declaration) };
        self.incident_command(unit, id, None, begins)?;
        if declare.private {
            self.restrict(unit, id, "declared as private", Vec::new())?;
        }
        // Whoever declares sees it, also a guest who manages a team.
        if let Actor::Person(person) = unit.actor.clone() {
            self.admit_if_hidden(unit, id, vec![person], "declared it")?;
        }
        if declare.page && !declare.report {
            self.start_page(unit, id, None, None, "an incident was declared", false)?;
        }
        Ok(Reply::Incident { id, reference })
    }

    /// A person's command on an incident.
    pub(super) fn act_on(&mut self, unit: &mut Unit, id: IncidentId, command: &incident::Command) -> Decided<Reply> {
        use incident::Command as C;
        let (state, _) = self.incident(unit, id)?;
        self.check_names(command)?;
        match command {
            C::Attendance(attendance::Command::Acknowledge { by, via }) => self.acknowledge(unit, id, by.clone(), via)?,
            C::Attendance(attendance::Command::GiveBack { by, why }) => self.give_back(unit, id, by, why)?,
            C::Declaration(declaration::Command::Promote { why }) => self.promote(unit, id, why)?,
            C::Ending(ending::Command::Reopen { why }) => self.reopen(unit, id, why)?,
            C::Access(access::Command::Restrict { why, people }) => {
                let mut people = people.clone();
                people.extend(self.involved(id)?);
                people.extend(state.commander.clone());
                // The store does not have the messages of the commit in flight yet.
                for page in self.pages_of(unit, id) {
                    people.extend(self.page(unit, page)?.0.entries.into_iter().map(|entry| entry.person));
                }
                self.restrict(unit, id, why, people)?;
            }
            C::Declaration(_)
            | C::Attendance(_)
            | C::Alarms(_)
            | C::Flapping(_)
            | C::Ending(_)
            | C::Roles(_)
            | C::Tasks(_)
            | C::Updates(_)
            | C::Record(_)
            | C::Links(_)
            | C::Access(_) => self.change_incident(unit, id, command.clone())?,
        }
        Ok(Reply::Incident { id, reference: state.reference })
    }

    /// Only some may see it from now on; whoever restricts it is among them.
    pub(super) fn restrict(&mut self, unit: &mut Unit, id: IncidentId, why: &str, mut people: Vec<String>) -> Decided<()> {
        if let Actor::Person(person) = &unit.actor {
            people.push(person.clone());
        }
        self.change_incident(unit, id, access::Command::Restrict { why: why.to_owned(), people })
    }

    /// Who was paged for it so far, and who declared it.
    fn involved(&self, id: IncidentId) -> Decided<BTreeSet<String>> {
        let found = self.read.iter().find_map(|read| {
            if let Loaded::Involved(of, people) = read
                && *of == id
            {
                Some(people.clone())
            } else {
                None
            }
        });
        found.ok_or(Stop::Need(Need::Involved(id)))
    }

    /// Acknowledges an incident and every page of it that looks for somebody.
    pub(super) fn acknowledge(&mut self, unit: &mut Unit, id: IncidentId, by: Option<String>, via: &str) -> Decided<()> {
        self.change_incident(unit, id, attendance::Command::Acknowledge { by: by.clone(), via: via.to_owned() })?;
        let mut takes = false;
        for page in self.pages_of(unit, id) {
            let (state, _) = self.page(unit, page)?;
            if paging::may_send(state.status) {
                self.change_page(unit, page, paging::Command::Acknowledge { by: by.clone(), via: via.to_owned() })?;
                takes = true;
            }
        }
        // Who has it already and answers another page of it is on it still.
        let (state, _) = self.incident(unit, id)?;
        if takes && state.work.hold.acted_at != Some(unit.now) {
            self.change_incident(unit, id, attendance::Command::StillOnIt { by, via: via.to_owned() })?;
        }
        self.end_test(unit, id, ANSWERED)
    }

    /// Whoever took it last gives it back: the pages that this stopped look for somebody again, where they were; where
    /// none can, another starts.
    fn give_back(&mut self, unit: &mut Unit, id: IncidentId, by: &str, why: &str) -> Decided<()> {
        self.change_incident(unit, id, attendance::Command::GiveBack { by: by.to_owned(), why: why.to_owned() })?;
        let mut stopped = Vec::new();
        for page in self.pages_of(unit, id) {
            let (found, _) = self.page(unit, page)?;
            if found.status == paging::Status::Running && found.escalation.is_some() {
                // It calls the same people already.
                return Ok(());
            }
            if found.status == paging::Status::Acknowledged && found.acknowledged_by.as_deref() == Some(by) {
                stopped.push((found.ended_at, page, found.due_at.is_some()));
            }
        }
        // One acknowledgement stops all of them at one instant; earlier ones were answered for good.
        let last = stopped.iter().map(|(at, ..)| *at).max().flatten();
        let again: Vec<_> = stopped.into_iter().filter(|(at, _, has_step)| *at == last && *has_step).map(|(_, page, _)| page).collect();
        if again.is_empty() {
            return self.start_page(unit, id, None, None, why, false);
        }
        for page in again {
            self.change_page(unit, page, paging::Command::GiveBack { why: why.to_owned() })?;
        }
        Ok(())
    }

    /// It is not over: whoever reopens it is on it; where that is nobody in person, it pages.
    fn reopen(&mut self, unit: &mut Unit, id: IncidentId, why: &str) -> Decided<()> {
        // Of a group one incident is open: alerts would not know where to go.
        let (state, _) = self.incident(unit, id)?;
        if let Some(key) = &state.group_key
            && let Some(other) = self.group(unit, key)?
            && other != id
        {
            let (other, _) = self.incident(unit, other)?;
            return Err(Refusal::from(incident::Refusal::from(declaration::Refusal::GroupHasAnother(self.name_of(unit, &other)))).into());
        }
        self.change_incident(unit, id, ending::Command::Reopen { why: why.to_owned() })?;
        match unit.actor.clone() {
            Actor::Person(person) => self.acknowledge(unit, id, Some(person), "reopening"),
            Actor::Token(_) | Actor::Integration(_) | Actor::Administrator | Actor::Clock | Actor::System => {
                self.start_page(unit, id, None, None, "the incident was reopened", false)
            }
        }
    }

    /// A candidate becomes an incident, and pages.
    pub(super) fn promote(&mut self, unit: &mut Unit, id: IncidentId, why: &str) -> Decided<()> {
        self.change_incident(unit, id, declaration::Command::Promote { why: why.to_owned() })?;
        self.start_page(unit, id, None, None, why, false)
    }

    /// Merges: the alerts go over, the pages of the merged one stop.
    pub(super) fn merge(&mut self, unit: &mut Unit, from: IncidentId, into: IncidentId) -> Decided<Reply> {
        let (loser, _) = self.incident(unit, from)?;
        let (winner, _) = self.incident(unit, into)?;
        // What comes to an incident of whose own nothing is open is all that it has, and silences hold it.
        let comes_held = loser.alarms.is_held() && !winner.alarms.is_held() && !winner.is_a_persons_word();
        let takes_its_silence = comes_held && self.open_and_held(into)?.0 == 0;
        let held = if takes_its_silence { self.open_and_held(from)?.1 } else { 0 };
        // The log of the one names the other: a public log must not name a private incident.
        if winner.private && !loser.private {
            let mut people: Vec<String> = self.involved(from)?.into_iter().collect();
            people.extend(winner.admitted.iter().cloned());
            people.extend(loser.commander.clone());
            self.restrict(unit, from, "it was merged into a private incident", people)?;
        }
        let absorb = links::Command::Absorb { from, from_ref: loser.reference.clone() };
        let merge = links::Command::Merge { into, into_ref: winner.reference.clone() };
        self.change_incident(unit, from, merge)?;
        self.change_incident(unit, into, absorb)?;
        // What is told of the one is told of the other from now on, to nobody new.
        if loser.private && !winner.private {
            let mut people: Vec<String> = self.involved(into)?.into_iter().collect();
            people.extend(loser.admitted.iter().cloned());
            people.extend(winner.commander.clone());
            self.restrict(unit, into, &format!("{} was merged into it, which is private", loser.reference), people)?;
        }
        unit.write(rows::alert::give(from, into));
        unit.alerts.push(AlertChange::Give { from, into });
        self.digest(unit, into);
        if winner.alarms.is_held() && !loser.alarms.is_held() {
            // What comes to it fires freely, or is a person's word.
            self.silence_incident(unit, into, incident::alarms::Silencing::default())?;
        } else if takes_its_silence {
            let (silences, held_until) = (loser.alarms.held_by.clone(), loser.alarms.held_until);
            let change = incident::alarms::Silencing { silenced: held, silences, unsilenced: 0, held_until };
            self.silence_incident(unit, into, change)?;
        }
        Ok(Reply::Incident { id: from, reference: loser.reference })
    }

    /// All alerts are over: resolves by itself, or asks whoever is on it.
    pub(super) fn recover(&mut self, unit: &mut Unit, id: IncidentId) -> Decided<()> {
        let was_silenced = self.incident(unit, id)?.0.alarms.is_held();
        self.change_incident(unit, id, alarms::Command::Recover)?;
        if was_silenced {
            // Where nobody has it any more nobody would hear that it may be over.
            self.page_after_hold(unit, id)?;
        }
        Ok(())
    }

    pub(super) fn named(&self, unit: &Unit, id: IncidentId) -> Decided<Reply> {
        let (state, _) = self.incident(unit, id)?;
        Ok(Reply::Incident { id, reference: state.reference })
    }

    /// An open alert goes to an incident.
    pub(super) fn link_alert(&mut self, unit: &mut Unit, id: IncidentId, alert: AlertId) -> Decided<Reply> {
        let Some(mut stored) = self.whole_alert(alert)? else { return Err(Stop::Need(Need::Alert(alert))) };
        if stored.ended.is_some() {
            return Err(Refusal::AlertEnded.into());
        }
        if stored.incident == Some(id) {
            return self.named(unit, id);
        }
        if let Some(other) = stored.incident {
            let (other, _) = self.incident(unit, other)?;
            if other.state.is_open() {
                return Err(Refusal::AlertHasIncident(self.name_of(unit, &other)).into());
            }
        }
        self.change_incident(unit, id, links::Command::LinkAlert { alert, title: stored.title.clone() })?;
        let key = super::AlertKey::new(&stored.integration, &stored.dedup_key);
        let mut open = self.freshest(&stored);
        unit.note_alert(&open);
        stored.incident = Some(id);
        open.incident = Some(id);
        unit.write(rows::alert::judged(&stored));
        unit.alerts.push(AlertChange::Set(key, open));
        // The log counts it with the others that joined: what had recovered has not any more.
        self.digest(unit, id);
        let (state, _) = self.incident(unit, id)?;
        if stored.suppressed.is_some() || self.may_be_held(&state) {
            unit.silenced.entry(id).or_default();
            self.tell_silences(unit)?;
        }
        self.named(unit, id)
    }
}
