//! How an alarm becomes a page, from top to bottom.
//!
//! Before this file: a format read the request into signals (`channels/src/inbound/`), `Engine::accept` cut a large one into
//! portions (`run/portions.rs`), the decider took it in its turn (`run/decide_loop.rs`), and the gate let it in (`may.rs`).
//!
//! After it: `Unit::seal` chains the events, and the decider writes them with the rows, the expectations and the messages in
//! one commit. Only when that is durable the sender is answered and the outbox carries the messages (`outbox/flight.rs`), whose
//! results come back as commands (`messages.rs`). Nobody acknowledges: the expectation falls due, and `due.rs` decides the next
//! step of the page.

use allclear_domain::event::Head;
use allclear_domain::expect::Rule;
use allclear_domain::ids::{AlertId, IncidentId, PageId, SignalId};
use allclear_domain::incident::judged::Basis;
use allclear_domain::incident::responders::ANSWER_WITHIN;
use allclear_domain::incident::{self, Declaration};
use allclear_domain::org::model::{Declare, Integration, NotifyUrgency};
use allclear_domain::paging::reason::DECLARED;
use allclear_domain::paging::{self, Page};
use allclear_domain::plants::planted;
use allclear_domain::signal::{Alert, Ended, Suppression, Triage, text_digest, triage};
use allclear_domain::wire::{Signal, SignalAction, heartbeat_instance};
use allclear_store::rows;

use super::again::{KEY_LAPSE, KEY_SILENCE, expect_at, keep};
use super::command::{Arrived, Refusal, Reply, SignalReply};
use super::drill::DRILL_OVER;
use super::memory::{AlertKey, OpenAlert};
use super::notices::notice_of;
use super::pages::Whom;
use super::test_page::UNANSWERED;
use super::texts::detail;
use super::unit::{AlertChange, Unit};
use super::{Core, Decided, Need, OPEN_ALERTS_MAX, Stop};

/// What a request is kept under that says that a heartbeat is missing.
pub(super) const HEARTBEAT_FORMAT: &str = "heartbeat";
/// Why somebody who was paged may see the incident.
const PAGED: &str = "was paged or told";

impl Core {
    /// Step 1: A request with alarms, in its turn: each of its signals by itself, all in one commit. The request is kept where it
    /// changes something.
    pub(super) fn signals(&mut self, unit: &mut Unit, arrived: &Arrived) -> Decided<Reply> {
        let org = self.org.clone();
        let integration = org.integration(&arrived.integration).ok_or_else(|| Refusal::NoSuchIntegration(arrived.integration.clone()))?;
        // The request is kept only where it changes something; its id is drawn when first needed.
        let mut kept = arrived.kept;
        let mut replies = Vec::with_capacity(arrived.signals.len());
        for signal in &arrived.signals {
            replies.push(self.signal(unit, integration, signal, &mut kept)?);
        }
        if let Some(id) = kept.filter(|_| arrived.kept.is_none()) {
            let alerts = replies.iter().filter(|reply| !matches!(reply, SignalReply::Repeated | SignalReply::Nothing)).count();
            unit.write(rows::signal::keep(&rows::signal::StoredSignal {
                id,
                integration: integration.id.clone(),
                format: arrived.format.to_owned(),
                received_at: arrived.received_at,
                org_version: org.version,
                alerts: alerts as u64,
                body: arrived.body.clone(),
            }));
        }
        Ok(Reply::Signals { replies, kept })
    }

    /// Step 2: Is this condition open already? What is known goes to `again.rs`; the rest of this file is about what is not.
    fn signal(&mut self, unit: &mut Unit, integration: &Integration, signal: &Signal, kept: &mut Option<SignalId>) -> Decided<SignalReply> {
        let key = AlertKey::new(&integration.id, &signal.dedup_key);
        let known = self.open_alert(unit, &key, signal.action != SignalAction::Trigger)?;
        let known = known.filter(|_| !(planted("repetition-is-new") && signal.action == SignalAction::Trigger));
        match (signal.action, known) {
            (SignalAction::Trigger, None) => {
                let id = keep(unit, kept);
                self.open(unit, integration, signal, key, id)?;
                Ok(SignalReply::Opened)
            }
            (SignalAction::Trigger, Some(alert)) => self.again(unit, integration, signal, &key, alert, kept),
            (SignalAction::Resolve, Some(alert)) => {
                keep(unit, kept);
                self.end_alert(unit, &key, &alert, Ended::Resolved)?;
                Ok(SignalReply::Ended)
            }
            (SignalAction::Acknowledge, Some(alert)) => {
                keep(unit, kept);
                Ok(if self.sender_acknowledges(unit, &alert)? { SignalReply::Acknowledged } else { SignalReply::Nothing })
            }
            (SignalAction::Beat, known) => {
                let known = known.map(|alert| (key, alert));
                self.beat(unit, integration, heartbeat_instance(&signal.dedup_key), known, kept)
            }
            // Resolving or acknowledging what is not open is success, and changes nothing.
            (SignalAction::Resolve | SignalAction::Acknowledge, None) => Ok(SignalReply::Nothing),
        }
    }

    /// Step 3: A condition that is not known. Routes and silences judge it ([`triage`], pure), and say its service, its severity, its
    /// group and whether it wakes anybody. It becomes an open alert either way: held by a silence, back with the incident that
    /// it had a moment ago, or with one of the next step.
    fn open(&mut self, unit: &mut Unit, integration: &Integration, signal: &Signal, key: AlertKey, signal_id: SignalId) -> Decided<()> {
        if self.alerts.len() >= OPEN_ALERTS_MAX {
            return Err(Refusal::TooManyAlerts(OPEN_ALERTS_MAX).into());
        }
        let judged = triage(&self.org, integration, signal, unit.now, false);
        let id = AlertId::from_bits(unit.id());
        let back = if judged.suppressed.is_some() { None } else { self.comes_back(unit, &key, &judged)? };
        let incident = match (&judged.suppressed, &back) {
            (Some(_), _) => None,
            (None, Some(back)) => {
                self.take_back(unit, back, &judged, id, &signal.title)?;
                Some(back.incident)
            }
            (None, None) => self.declare_or_join(unit, integration, &judged, signal, id)?,
        };
        let alert = Alert {
            id,
            integration: integration.id.clone(),
            dedup_key: signal.dedup_key.clone(),
            ended: None,
            title: signal.title.clone(),
            severity: judged.severity,
            sender_severity: signal.severity,
            service: judged.service,
            source: signal.source.clone(),
            detail: detail(signal),
            decision: judged.decision,
            because: judged.because,
            suppressed: judged.suppressed,
            incident,
            signal: signal_id,
            org_version: self.org.version,
            starts_at: signal.starts_at.unwrap_or(unit.now),
            ends_at: signal.ends_at,
            opened_at: unit.now,
            ended_at: None,
            last_seen_at: unit.now,
            count: 1,
            text: Some(text_digest(signal)),
            returns: back.map_or(0, |back| back.returns),
        };
        unit.write(rows::alert::open(&alert));
        if let Some(ends_at) = signal.ends_at {
            expect_at(unit, id, KEY_LAPSE, Rule::AlertLapse, ends_at);
        }
        if let Some(Suppression { until, .. }) = alert.suppressed {
            expect_at(unit, id, KEY_SILENCE, Rule::SilenceEnd, until);
        }
        unit.alerts.push(AlertChange::Open(key, OpenAlert::of(&alert)));
        unit.had.insert(id, None);
        unit.whole.insert(id, alert);
        unit.effects().alerts_opened += 1;
        self.tell_silences(unit)
    }

    /// Step 4: Carries the judgement out: the alert joins the open incident of its group, or declares one (a candidate wakes nobody),
    /// or is only recorded. A declared incident pages at once, unless its group waits for more. Gives the incident that has the
    /// alert now.
    pub(super) fn declare_or_join(
        &mut self,
        unit: &mut Unit,
        integration: &Integration,
        judged: &Triage,
        signal: &Signal,
        alert: AlertId,
    ) -> Decided<Option<IncidentId>> {
        if judged.decision == Declare::Record {
            return Ok(None);
        }
        if let Some(group) = &judged.group_key
            && let Some(incident) = self.group(unit, group)?
        {
            self.join(unit, incident, judged)?;
            self.propose_by_labels(unit, incident, &signal.labels)?;
            return Ok(Some(incident));
        }
        let id = IncidentId::from_bits(unit.id());
        let reference = self.reference(unit)?;
        let declaration = Declaration {
            id,
            reference,
            title: judged.title.clone(),
            severity: judged.severity,
            service: judged.service.clone(),
            escalation: judged.escalation.clone(),
            group_key: judged.group_key.clone(),
            alert: Some(alert),
            because: format!("an alert of {} ({})", integration.id, judged.because),
            impact_started_at: signal.starts_at,
            detected_at: Some(unit.now),
            group_wait: judged.group_wait,
            attend_within: None,
            exercise: false,
            basis: judged.levels.map(|(impact, urgency)| Basis { impact, urgency }),
            assumed: None,
        };
        let waits = !declaration.group_wait.is_zero();
        let candidate = judged.decision == Declare::Candidate;
        let command: incident::Command = if candidate {
            incident::declaration::Command::Propose(declaration).into()
        } else {
            incident::declaration::Command::Declare(declaration).into()
        };
        self.incident_command(unit, id, None, command)?;
        if judged.private {
            self.restrict(unit, id, &judged.because, Vec::new())?;
        }
        unit.born.push(id);
        if let Some(kind) = &judged.kind {
            self.type_by_rule(unit, id, kind, &judged.because)?;
        }
        self.staff(unit, id)?;
        if !candidate && !waits {
            self.start_page(unit, id, None, Some(alert), DECLARED, false)?;
        }
        self.propose_by_labels(unit, id, &signal.labels)?;
        if let Some(plan) = &judged.plan {
            self.start_by_rule(unit, id, plan, &judged.because)?;
        }
        Ok(Some(id))
    }

    /// The open incident of a group: staged in this unit, known in memory, or read for it.
    pub(super) fn group(&self, unit: &Unit, key: &str) -> Decided<Option<IncidentId>> {
        let mut ended_here = None;
        for (id, (incident, _)) in unit.incidents.iter().filter(|(_, (i, _))| i.group_key.as_deref() == Some(key)) {
            if incident.state.is_open() {
                return Ok(Some(*id));
            }
            ended_here = Some(*id);
        }
        match self.groups.get(key) {
            Some(found) if found.is_some() && *found == ended_here => Ok(None),
            Some(found) => Ok(*found),
            None if ended_here.is_some() => Ok(None),
            None => Err(Stop::Need(Need::Group(key.to_owned()))),
        }
    }

    /// An alert joins an open incident: worse alerts raise its severity, a decision to declare
    /// declares a candidate, and the log tells of it at most every ten seconds.
    fn join(&mut self, unit: &mut Unit, id: IncidentId, judged: &Triage) -> Decided<()> {
        self.as_bad_as(unit, id, judged)?;
        let (incident, _) = self.incident(unit, id)?;
        if incident.alarms.is_held() {
            // It fires freely, whatever holds the others.
            unit.silenced.entry(id).or_default();
        }
        self.digest(unit, id);
        Ok(())
    }

    /// Step 5: Starts a page for an incident, by its own policy or another one, unless silences hold it.
    pub(super) fn start_page(
        &mut self,
        unit: &mut Unit,
        id: IncidentId,
        escalation: Option<String>,
        alert: Option<AlertId>,
        because: &str,
        late: bool,
    ) -> Decided<()> {
        let (incident, _) = self.incident(unit, id)?;
        if incident.alarms.is_held() {
            // Silences hold every alert of it: whom it pages is decided when one of them fires freely.
            return Ok(());
        }
        let escalation = escalation.or_else(|| incident.escalation.clone());
        self.start_page_of(unit, id, Whom::Policy(escalation), alert, because, late)
    }

    /// Step 6: Starts a page: by a policy, or of people by name. The incident's log says that it escalates, and the page begins a log
    /// of its own.
    pub(super) fn start_page_of(
        &mut self,
        unit: &mut Unit,
        id: IncidentId,
        whom: Whom,
        alert: Option<AlertId>,
        because: &str,
        late: bool,
    ) -> Decided<()> {
        let page = PageId::from_bits(unit.id());
        self.start_page_with(unit, id, page, whom, alert, because, late)
    }

    /// The same under an id that was given before.
    #[allow(clippy::too_many_arguments)] // what a page starts with
    pub(super) fn start_page_with(
        &mut self,
        unit: &mut Unit,
        id: IncidentId,
        page: PageId,
        whom: Whom,
        alert: Option<AlertId>,
        because: &str,
        late: bool,
    ) -> Decided<()> {
        let before = self.incident(unit, id)?;
        let (incident, _) = &before;
        let alone = matches!(whom, Whom::Alone(_));
        let (request, within) = if let Whom::Asked { request, within, .. } = &whom {
            (Some(*request), Some(within.unwrap_or(ANSWER_WITHIN)))
        } else {
            (None, None)
        };
        let drill = if let Whom::Drill { ask, .. } = &whom { Some(ask.clone()) } else { None };
        let (escalation, targets, then) = match whom {
            Whom::Drill { escalation, .. } => (Some(escalation), Vec::new(), Vec::new()),
            Whom::Asked { targets, escalation, .. } => (escalation, targets, Vec::new()),
            Whom::Policy(escalation) => (escalation, Vec::new(), Vec::new()),
            Whom::People { first, then, escalation } => (escalation, first, then),
            Whom::Alone(person) => (None, vec![person], Vec::new()),
        };
        let start = paging::Start {
            id: page,
            incident: notice_of(incident),
            escalation,
            targets,
            then,
            alone,
            request,
            within,
            // A test and a drill are of what wakes people.
            urgency: if alone || drill.is_some() { NotifyUrgency::High } else { self.org.severity(incident.severity).notify },
            alert,
            because: because.to_owned(),
            late,
            drill,
        };
        // The log of the incident says of a request itself whom it asks.
        if request.is_none() {
            self.incident_command(unit, id, Some(before), incident::attendance::Command::Escalate { page, why: because.to_owned() })?;
        }
        self.page_command(unit, page, None, paging::Command::Start(start))?;
        unit.new_pages.push((id, page));
        Ok(())
    }

    /// Step 7: Decides a command on a page. [`paging::decide`] is pure: for a start it begins the page and walks to the first step that
    /// reaches somebody (`paging/steps.rs`): whom do its targets name now (on-call schedules), by which contacts, after which
    /// delays? The event holds all of it. [`Unit::page_events`] folds the events and reacts to them: the time to acknowledge is
    /// expected, and the messages that go at once are written as rows that this node has claimed.
    pub(super) fn page_command(
        &mut self,
        unit: &mut Unit,
        id: PageId,
        before: Option<(Page, Head)>,
        command: paging::Command,
    ) -> Decided<Vec<paging::Event>> {
        let mut ids = unit.ids.clone();
        let (facts, turns) = self.what_steps_ask(unit, before.as_ref().map(|(page, _)| page), &command)?;
        let busy = self.busy_for(before.as_ref().map(|(page, _)| page), &command)?;
        let mut context = paging::Context { now: unit.now, org: &self.org, ids: &mut ids, facts, turns: &turns.turns, busy: &busy };
        let events = paging::decide(before.as_ref().map(|(state, _)| state), command, &mut context).map_err(Refusal::from)?;
        unit.ids = ids;
        self.take_turns(unit, turns, &events);
        let node = (!self.setup.quarantined).then_some(self.setup.node);
        unit.page_events(id, before, &events, node);
        self.admit_paged(unit, id, &events)?;
        if events.iter().any(|event| matches!(event, paging::Event::DrillEnded(_))) {
            let (page, _) = self.page(unit, id)?;
            self.end_test(unit, page.incident_id(), DRILL_OVER)?;
        }
        for event in &events {
            if let paging::Event::Exhausted(body) = event {
                let (page, _) = self.page(unit, id)?;
                let (incident, _) = self.incident(unit, page.incident_id())?;
                if let Some(request) = page.request {
                    self.miss_request(unit, &page, request)?;
                } else if page.alone {
                    self.end_test(unit, incident.id, UNANSWERED)?;
                } else if !incident.is_held() {
                    unit.effects().unanswered.push((incident.reference.clone(), body.why.clone()));
                    self.page_whole_team(unit, &incident)?;
                }
            }
        }
        Ok(events)
    }

    /// Step 8: Who is paged for what they could not see otherwise is admitted: people for a private incident, guests for any.
    fn admit_paged(&mut self, unit: &mut Unit, id: PageId, events: &[paging::Event]) -> Decided<()> {
        let mut people: Vec<String> = Vec::new();
        for event in events {
            match event {
                paging::Event::StepReached(body) => people.extend(body.people.iter().map(|reached| reached.person.clone())),
                paging::Event::Told(body) => people.extend(body.people.iter().map(|reached| reached.person.clone())),
                paging::Event::ConfirmationAsked(body) => people.push(body.person.clone()),
                // These name nobody, or somebody whom one of those before has named.
                paging::Event::Started(_)
                | paging::Event::StepEmpty(_)
                | paging::Event::NoticeRaised(_)
                | paging::Event::SendAccepted(_)
                | paging::Event::Delivered(_)
                | paging::Event::SendDelayed(_)
                | paging::Event::SendFailed(_)
                | paging::Event::SendInDoubt(_)
                | paging::Event::Acknowledged(_)
                | paging::Event::AcknowledgedInPart(_)
                | paging::Event::TakenBack(_)
                | paging::Event::Declined(_)
                | paging::Event::Exhausted(_)
                | paging::Event::CameBack(_)
                | paging::Event::Stopped(_)
                | paging::Event::LevelAnswered(_)
                | paging::Event::AnsweredLate(_)
                | paging::Event::DrillEnded(_)
                | paging::Event::Resumed(_) => {}
            }
        }
        if people.is_empty() {
            return Ok(());
        }
        let (page, _) = self.page(unit, id)?;
        self.admit_if_hidden(unit, page.incident_id(), people, PAGED)
    }
}
