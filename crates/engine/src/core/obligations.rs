//! What regulators are owed: which rules may apply to an incident, and who hears that a report is due or was missed.
//!
//! Not here: what is decided and submitted (`domain::incident::obligations`). Nothing is sent to any regulator.

use std::collections::BTreeMap;

use allclear_domain::event::Mode;
use allclear_domain::expect::{Expectation, Key, Standing};
use allclear_domain::ids::IncidentId;
use allclear_domain::incident::lifecycle::{Verb, next};
use allclear_domain::incident::obligations::{Command, Event};
use allclear_domain::incident::{self, Incident, State, declaration};
use allclear_domain::wire::NoticeKind;
use allclear_store::rows;

use super::due::{note_look, settle};
use super::notices::{clock, each_once};
use super::unit::Unit;
use super::{Core, Decided};

/// By what an obligation was found to be one that may apply.
const BY_ITS_MATCHERS: &str = "its matchers";

impl Core {
    /// What happened, and which obligations may apply since.
    pub(super) fn propose_after(
        &mut self,
        unit: &mut Unit,
        id: IncidentId,
        mut events: Vec<incident::Event>,
    ) -> Decided<Vec<incident::Event>> {
        use incident::Event as E;
        let tells = |event: &E| {
            matches!(
                event,
                E::Declaration(
                    declaration::Event::Declared(_)
                        | declaration::Event::Promoted(_)
                        | declaration::Event::SeverityChanged(_)
                        | declaration::Event::Renamed(_)
                ) | E::Affected(incident::affected::Event::ServiceChanged(_))
                    | E::Answers(incident::answers::Event::TypeSet(_))
            )
        };
        if events.iter().any(tells) {
            events.extend(self.propose(unit, id, &BTreeMap::new())?);
        }
        Ok(events)
    }

    /// The same of what an alarm says that declares it or joins it.
    pub(super) fn propose_by_labels(&mut self, unit: &mut Unit, id: IncidentId, labels: &BTreeMap<String, String>) -> Decided<()> {
        if !labels.is_empty() {
            self.propose(unit, id, labels)?;
        }
        Ok(())
    }

    fn propose(&mut self, unit: &mut Unit, id: IncidentId, labels: &BTreeMap<String, String>) -> Decided<Vec<incident::Event>> {
        if !self.org.proposes_obligations() {
            return Ok(Vec::new());
        }
        let (incident, _) = self.incident(unit, id)?;
        // What is tried out or practised is owed to nobody. Of a candidate it is proposed as well, since the labels of its alarms are
        // seen as they come and not again; nobody decides on it before it is an incident.
        let takes = incident.state == State::Candidate || next(incident.state, Verb::Obligation).is_ok();
        if !takes || incident.mode != Mode::Live {
            return Ok(Vec::new());
        }
        let value = |name: &str| -> &str {
            match name {
                "service" => incident.service.as_deref().unwrap_or(""),
                "severity" => incident.severity.word(),
                "title" => &incident.title,
                // A label of that name is read as `labels.type`.
                "type" => incident.work.typed.as_ref().map_or("", |typed| typed.kind.as_str()),
                label => labels.get(label.strip_prefix("labels.").unwrap_or(label)).map_or("", String::as_str),
            }
        };
        let org = self.org.clone();
        let known = |form: &str| incident.work.obligations.iter().any(|one| one.form == form);
        let found: Vec<String> = org.obligations_for(value).map(|form| form.id.clone()).filter(|form| !known(form)).collect();
        let mut events = Vec::new();
        for form in found {
            let before = self.incident(unit, id)?;
            let command = Command::Propose { form, because: Some(BY_ITS_MATCHERS.to_owned()) };
            events.extend(self.incident_command(unit, id, Some(before), command)?);
        }
        Ok(events)
    }

    /// A share of a report's time is over, or all of it.
    pub(super) fn look_obligation(&mut self, unit: &mut Unit, expectation: &Expectation, id: IncidentId) -> Decided<()> {
        let Ok(Key::Obligation { obligation, report }) = expectation.key.parse() else {
            settle(unit, expectation, Standing::Void, "its key does not read");
            return Ok(());
        };
        let due_of = |incident: &Incident| {
            let owed = incident.work.obligation(obligation).and_then(|known| known.owed()).filter(|owed| owed.report == report);
            owed.filter(|owed| owed.is_watched()).map(|owed| (owed.due_at, owed.look_at()))
        };
        let (incident, _) = self.incident(unit, id)?;
        let Some((due_at, _)) = due_of(&incident) else {
            settle(unit, expectation, Standing::Void, "it is not owed any more");
            return Ok(());
        };
        if due_at <= unit.now {
            settle(unit, expectation, Standing::Missed, "it was not submitted in time");
            return self.change_incident(unit, id, Command::Miss { obligation, report });
        }
        self.change_incident(unit, id, Command::Warn { obligation, report })?;
        let (incident, _) = self.incident(unit, id)?;
        let next = due_of(&incident).map(|(_, look_at)| look_at).filter(|at| *at > unit.now && *at < due_at);
        let next = next.or_else(|| expectation.deadline_at()).unwrap_or(due_at);
        unit.write(rows::expectation::rearm(expectation, next));
        note_look(unit, next);
        Ok(())
    }

    /// Whoever leads hears that time runs out, and with their managers that it has.
    pub(super) fn follow_obligations(&mut self, unit: &mut Unit, id: IncidentId, event: &Event) -> Decided<()> {
        let (incident, _) = self.incident(unit, id)?;
        match event {
            Event::Warned(body) => {
                let mut targets = whoever(&incident);
                if targets.is_empty() {
                    targets = self.others(&incident);
                }
                let text = format!("{} % of the time for {} is over: due by {}.", body.share, body.name, clock(body.due_at));
                self.tell(unit, id, NoticeKind::Reminder, &targets, text, "a report to a regulator is due soon")
            }
            Event::Missed(body) => {
                let mut targets = whoever(&incident);
                targets.extend(self.others(&incident));
                targets.sort();
                targets.dedup();
                let text = format!("Not submitted in time: {}, which was due by {}.", body.name, clock(body.due_at));
                let urgency = self.org.severity(incident.severity).notify;
                self.tell_at(unit, id, NoticeKind::Reminder, &targets, text, "a report to a regulator was missed", urgency)?;
                Ok(())
            }
            Event::Proposed(_) | Event::Decided(_) | Event::Submitted(_) | Event::Waived(_) | Event::Ended(_) => Ok(()),
        }
    }

    /// The managers of its service's team, else the catch-all.
    pub(super) fn others(&self, incident: &Incident) -> Vec<String> {
        let managers = self.managers_of(incident);
        if managers.is_empty() { self.org.catch_all().to_vec() } else { managers }
    }
}

/// Whoever leads it, or led it when it ended.
pub(super) fn whoever(incident: &Incident) -> Vec<String> {
    each_once([incident.holder().filter(|_| incident.is_held() || !incident.state.is_open()).map(ToOwned::to_owned)])
}
