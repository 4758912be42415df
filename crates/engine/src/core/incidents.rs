//! Commands on incidents, and what they do to the incident's pages and alerts.

use std::collections::BTreeSet;

use allclear_domain::access::{Actor, Principal};
use allclear_domain::clean::clean;
use allclear_domain::event::Mode;
use allclear_domain::expect::{ATTEND_WITHIN, ATTEND_WITHIN_LOW};
use allclear_domain::ids::{AlertId, IncidentId};
use allclear_domain::incident::{
    self, Declaration, Incident, Severity, access, affected, alarms, answers, attendance, declaration, ending, links, record, recovery,
    reports, tasks,
};
use allclear_domain::org::model::NotifyUrgency;
use allclear_domain::paging;
use allclear_domain::paging::reason::DECLARED;
use allclear_domain::review::{self, Review};
use allclear_domain::time::Length;
use allclear_store::rows;

use super::command::{Declare, Refusal, Reply};
use super::judged::is_private;
use super::test_page::ANSWERED;
use super::transfers::is_about_transfer;
use super::unit::{AlertChange, Unit};
use super::{Core, Decided, Loaded, Need, Stop};

impl Core {
    fn incident_context(&self, unit: &Unit, review_open: bool) -> incident::Context<'_> {
        let cadence = Severity::ALL.map(|severity| self.org.severity(severity).update_every);
        let lasts = Severity::ALL.map(|severity| self.org.severity(severity).acknowledgement_lasts);
        incident::Context {
            now: unit.now,
            org_version: self.org.version,
            cadence,
            lasts,
            roles: self.org.roles(),
            plans: &self.org.bundle().plans,
            types: &self.org.bundle().types,
            services: &self.org.bundle().services,
            matrix: self.org.matrix(),
            org: &self.org,
            review_open,
        }
    }

    /// Whether a closing has to wait for the review. Where nobody closes, nobody looks.
    fn review_holds(&self, unit: &Unit, before: Option<&Incident>, command: &incident::Command) -> Decided<bool> {
        let closes = matches!(command, incident::Command::Ending(incident::ending::Command::Close { .. }));
        match before.and_then(|incident| incident.work.review).filter(|_| closes) {
            Some(review) => Ok(self.read_once::<Review>(unit, review)?.0.state != review::State::Published),
            None => Ok(false),
        }
    }

    /// Decides a command on an incident and folds its events, with what they do to its clocks; nothing else follows here.
    pub(super) fn incident_command(
        &mut self,
        unit: &mut Unit,
        id: IncidentId,
        before: Option<(Incident, allclear_domain::event::Head)>,
        command: impl Into<incident::Command>,
    ) -> Decided<Vec<incident::Event>> {
        let command = command.into();
        let review_open = self.review_holds(unit, before.as_ref().map(|(state, _)| state), &command)?;
        let context = self.incident_context(unit, review_open);
        let events = incident::decide(before.as_ref().map(|(state, _)| state), command, context).map_err(Refusal::from)?;
        unit.incident_events(id, before, &events);
        let events = self.count_clocks(unit, id, events)?;
        let events = self.count_objectives(unit, id, events)?;
        self.propose_after(unit, id, events)
    }

    /// A person declares.
    pub(super) fn declare(&mut self, unit: &mut Unit, declare: &Declare) -> Decided<Reply> {
        if let Some(at) = declare.impact_started_at {
            record::has_happened(at, unit.now).map_err(|why| Refusal::from(incident::Refusal::from(why)))?;
        }
        let org = self.org.clone();
        let escalation = match &declare.service {
            Some(service) => {
                self.known_service(service)?;
                org.escalation_of(service).map(|policy| policy.id.clone())
            }
            None => None,
        };
        let judged = self.judged(declare)?;
        let id = IncidentId::from_bits(unit.id());
        let reference = self.reference(unit)?;
        let declaration = Declaration {
            id,
            reference: reference.clone(),
            title: clean(&declare.title).into_owned(),
            severity: judged.severity,
            service: declare.service.clone(),
            escalation: escalation.clone(),
            group_key: None,
            alert: None,
            because: if declare.report { incident::REPORTED } else { incident::BY_A_PERSON }.into(),
            impact_started_at: declare.impact_started_at,
            detected_at: Some(unit.now),
            group_wait: Length::ZERO,
            attend_within: (!declare.page && !declare.report).then(|| match org.severity(judged.severity).notify {
                NotifyUrgency::High => ATTEND_WITHIN,
                NotifyUrgency::Low => ATTEND_WITHIN_LOW,
            }),
            exercise: false,
            basis: judged.basis,
            assumed: judged.assumed,
        };
        let begins = if declare.report { declaration::Command::Propose(declaration) } else { declaration::Command::Declare(declaration) };
        self.incident_command(unit, id, None, begins)?;
        if is_private(&org, declare) {
            self.restrict(unit, id, "declared as private", Vec::new())?;
        }
        self.set_known(unit, id, &declare.known)?;
        self.staff(unit, id)?;
        // Whoever declares sees it, also a guest who manages a team.
        if let Actor::Person(person) = unit.actor.clone() {
            self.admit_if_hidden(unit, id, vec![person], "declared it")?;
        }
        if declare.page && !declare.report {
            self.start_page(unit, id, None, None, DECLARED, false)?;
        }
        Ok(Reply::Incident { id, reference })
    }

    /// A person's command on an incident.
    pub(super) fn act_on(&mut self, unit: &mut Unit, who: &Principal, id: IncidentId, command: &incident::Command) -> Decided<Reply> {
        use incident::Command as C;
        let (state, _) = self.incident(unit, id)?;
        if !says_no_more_affected(&state, command) {
            self.check_names(command)?;
        }
        match command {
            C::Attendance(attendance::Command::Acknowledge { by, via }) => self.acknowledge(unit, id, by.clone(), via)?,
            // Looked at here as it is decided: whoever took it a moment before has it by now.
            C::Attendance(attendance::Command::TakeFree { by, via }) => {
                attendance::is_free(&state).map_err(|no| Refusal::from(incident::Refusal::from(no)))?;
                self.acknowledge(unit, id, Some(by.clone()), via)?;
            }
            C::Affected(affected::Command::SetService { service, why, .. }) => self.set_service(unit, id, service, why.clone())?,
            C::Attendance(attendance::Command::GiveBack { by, why }) => self.give_back(unit, id, by, why)?,
            C::Declaration(declaration::Command::Promote { why }) => self.promote(unit, id, why)?,
            C::Ending(ending::Command::Reopen { why }) => self.reopen(unit, id, why)?,
            C::Access(access::Command::Restrict { why, people }) => {
                self.restrict_to_involved(unit, id, why, people.clone())?;
            }
            // Whoever was asked whether it is as bad as it is said to be says yes.
            C::Declaration(declaration::Command::SetSeverity { severity, why })
                if *severity == state.severity && state.work.assessment.due_at.is_some() && !why.trim().is_empty() =>
            {
                self.change_incident(unit, id, incident::assessment::Command::Keep { why: why.clone() })?;
            }
            C::Answers(answers::Command::SetType { kind, .. }) => {
                self.change_incident(unit, id, command.clone())?;
                // What turns out to be of a kind that few may see is seen by few from then on.
                if !state.private && self.org.incident_type(kind).and_then(|form| form.private).unwrap_or(false) {
                    self.restrict_to_involved(unit, id, "its type is private", Vec::new())?;
                }
            }
            C::Roles(command) => {
                let given = self.as_given(who, &state, command)?;
                self.change_incident(unit, id, given)?;
            }
            C::Partners(command) => {
                self.check_liaison(who, &state, command)?;
                let given = self.as_asked(unit, command);
                self.change_incident(unit, id, given)?;
            }
            C::Recovery(recovery::Command::Restore { service, .. }) => {
                self.known_service(service)?;
                self.change_incident(unit, id, command.clone())?;
            }
            C::Tasks(tasks::Command::Perform { task, why }) => self.begin_step(unit, id, *task, Some(why.clone()))?,
            C::Reports(reports::Command::Dispute { report, text }) => self.dispute(unit, id, *report, text.clone())?,
            C::Relations(command) => self.follow_parent(unit, id, command)?,
            C::Transfers(command) => self.transfer(unit, who, id, command)?,
            C::Responders(command) => self.responders(unit, who, id, command)?,
            C::Declaration(_)
            | C::Affected(_)
            | C::Answers(_)
            | C::Assessment(_)
            | C::Attendance(_)
            | C::Alarms(_)
            | C::Flapping(_)
            | C::Staffing(_)
            | C::Ending(_)
            | C::Tasks(_)
            | C::Updates(_)
            | C::Record(_)
            | C::Decisions(_)
            | C::Hypotheses(_)
            | C::Links(_)
            | C::Ordering(_)
            | C::Moves(_)
            | C::Clocks(_)
            | C::Resources(_)
            | C::Plans(_)
            | C::Deeds(_)
            | C::Recovery(_)
            | C::Reports(_)
            | C::Obligations(_)
            | C::Objectives(_)
            | C::Sharing(_)
            | C::Access(_) => self.change_incident(unit, id, command.clone())?,
        }
        Ok(Reply::Incident { id, reference: state.reference })
    }

    /// It is of another service from now on. Whoever says so sees it still.
    fn set_service(&mut self, unit: &mut Unit, id: IncidentId, service: &str, why: Option<String>) -> Decided<()> {
        let escalation = self.org.escalation_of(service).map(|policy| policy.id.clone());
        self.change_incident(unit, id, affected::Command::SetService { service: service.to_owned(), escalation, why })?;
        if let Actor::Person(person) = unit.actor.clone() {
            self.admit_if_hidden(unit, id, vec![person], "changed its service")?;
        }
        Ok(())
    }

    /// Only some may see it from now on; whoever restricts it is among them.
    pub(super) fn restrict(&mut self, unit: &mut Unit, id: IncidentId, why: &str, mut people: Vec<String>) -> Decided<()> {
        if let Actor::Person(person) = &unit.actor {
            people.push(person.clone());
        }
        self.change_incident(unit, id, access::Command::Restrict { why: why.to_owned(), people })
    }

    /// Only whoever is in it sees it from now on, and these.
    fn restrict_to_involved(&mut self, unit: &mut Unit, id: IncidentId, why: &str, mut people: Vec<String>) -> Decided<()> {
        let (state, _) = self.incident(unit, id)?;
        people.extend(self.involved(id)?);
        people.extend(state.commander.clone());
        // The store does not have the messages of the commit in flight yet.
        for page in self.pages_of(unit, id) {
            people.extend(self.page(unit, page)?.0.entries.into_iter().map(|entry| entry.person));
        }
        self.restrict(unit, id, why, people)
    }

    /// Who was paged for it so far, and who declared it.
    pub(super) fn involved(&self, id: IncidentId) -> Decided<BTreeSet<String>> {
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
        let (state, _) = self.incident(unit, id)?;
        if state.mode == Mode::Exercise {
            for page in self.pages_of(unit, id) {
                if self.page(unit, page)?.0.drill.is_some() {
                    self.change_page(unit, page, paging::Command::Acknowledge { by, via: via.to_owned() })?;
                    return Ok(());
                }
            }
        }
        let had_it = by.is_some() && self.incident(unit, id)?.0.work.hold.by == by;
        self.change_incident(unit, id, attendance::Command::Acknowledge { by: by.clone(), via: via.to_owned() })?;
        if let Some(by) = &by {
            self.accept_by_answering(unit, id, by, had_it)?;
        }
        let mut takes = false;
        for page in self.pages_of(unit, id) {
            let (state, _) = self.page(unit, page)?;
            // Whoever is asked as a responder is asked for themself, whoever has the incident.
            if paging::may_send(state.status) && state.request.is_none() {
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
    /// none can, or it is of another service since, another starts.
    fn give_back(&mut self, unit: &mut Unit, id: IncidentId, by: &str, why: &str) -> Decided<()> {
        self.change_incident(unit, id, attendance::Command::GiveBack { by: by.to_owned(), why: why.to_owned() })?;
        let (state, _) = self.incident(unit, id)?;
        // What burned is over, and it counts as never taken: it ends as it would have without them, and wakes nobody.
        if state.state == incident::State::Declared && state.recovered && !state.is_a_persons_word() && self.still_open(unit, id)? == 0 {
            return self.recover(unit, id);
        }
        let mut stopped = Vec::new();
        for page in self.pages_of(unit, id) {
            let (mut found, _) = self.page(unit, page)?;
            if found.is_answered_in_part() && found.answered.iter().any(|one| one == by) {
                // The others who have to acknowledge it are asked still, and one more than they.
                self.change_page(unit, page, paging::Command::TakeBack { by: by.to_owned(), why: why.to_owned() })?;
                (found, _) = self.page(unit, page)?;
            }
            if found.status == paging::Status::Running && found.escalation.is_some() && found.escalation == state.escalation {
                // It calls the same people already.
                return Ok(());
            }
            if found.status == paging::Status::Acknowledged && found.acknowledged_by.as_deref() == Some(by) {
                stopped.push((page, found));
            }
        }
        // Nobody is asked for an offer that is not there any more.
        let offered = state.work.transfers.offer.is_some();
        stopped.retain(|(_, page)| offered || !is_about_transfer(&page.because));
        // One acknowledgement stops all of them at one instant; earlier ones were answered for good.
        let last = stopped.iter().map(|(_, page)| page.ended_at).max().flatten();
        stopped.retain(|(_, page)| page.ended_at == last && page.due_at.is_some());
        // Whom another policy pages is not asked for what is another service's now; whom somebody named is.
        let is_its_own =
            |page: &paging::Page| page.escalation == state.escalation || (page.escalation.is_none() && !page.targets.is_empty());
        let before = stopped.len();
        stopped.retain(|(_, page)| is_its_own(page));
        if stopped.is_empty() || (stopped.len() < before && stopped.iter().all(|(_, page)| !page.targets.is_empty())) {
            self.start_page(unit, id, None, None, why, false)?;
        }
        for (page, _) in stopped {
            self.change_page(unit, page, paging::Command::GiveBack { why: why.to_owned() })?;
        }
        Ok(())
    }

    /// It is not over: whoever reopens it is on it; where that is nobody in person, it pages.
    fn reopen(&mut self, unit: &mut Unit, id: IncidentId, why: &str) -> Decided<()> {
        let (state, _) = self.incident(unit, id)?;
        self.room_in_group(unit, &state)?;
        self.change_incident(unit, id, ending::Command::Reopen { why: why.to_owned() })?;
        match unit.actor.clone() {
            Actor::Person(person) => self.acknowledge(unit, id, Some(person), "reopening"),
            Actor::Token(_) | Actor::Integration(_) | Actor::Organisation(_) | Actor::Administrator | Actor::Clock | Actor::System => {
                self.start_page(unit, id, None, None, "the incident was reopened", false)
            }
        }
    }

    /// Of a group one incident is open: alerts would not know where to go.
    pub(super) fn room_in_group(&mut self, unit: &mut Unit, state: &Incident) -> Decided<()> {
        let Some(key) = &state.group_key else { return Ok(()) };
        match self.group(unit, key)? {
            Some(other) if other != state.id => {
                let (other, _) = self.incident(unit, other)?;
                Err(Refusal::from(incident::Refusal::from(declaration::Refusal::GroupHasAnother(self.name_of(unit, &other)))).into())
            }
            _ => Ok(()),
        }
    }

    /// A candidate becomes an incident, and pages.
    pub(super) fn promote(&mut self, unit: &mut Unit, id: IncidentId, why: &str) -> Decided<()> {
        self.change_incident(unit, id, declaration::Command::Promote { why: why.to_owned() })?;
        self.start_page(unit, id, None, None, why, false)
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
        // Alerts are real: what is practised has none of them.
        if self.incident(unit, id)?.0.mode != Mode::Live {
            return Err(Refusal::from(incident::Refusal::from(links::Refusal::AcrossModes)).into());
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

/// Whether it says of a service that the incident names that it is not affected any more: also of one that the organisation has no
/// more.
fn says_no_more_affected(incident: &Incident, command: &incident::Command) -> bool {
    let incident::Command::Affected(affected::Command::SetImpact { service, impact: affected::Impact::None, .. }) = command else {
        return false;
    };
    incident.service.as_ref() == Some(service) || incident.work.affected.contains_key(service)
}
