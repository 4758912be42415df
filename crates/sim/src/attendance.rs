//! Who has an incident, read from its log; and that none is forgotten: written against the contract, as
//! [`crate::oracle`] is.

use allclear_domain::expect::{Expectation, Rule, Standing};
use allclear_domain::ids::IncidentId;
use allclear_domain::incident::{
    self, Incident, Severity, affected, attendance, declaration, ending, links, moves, ordering, roles, updates,
};
use allclear_domain::org::model::NotifyUrgency;
use allclear_domain::org::snapshot::Org;
use allclear_domain::paging::{Page, Status};
use allclear_domain::time::{Length, after};
use jiff::Timestamp;

use crate::oracle::IncidentModel;
use crate::orgs::{again, lasts};
use crate::world::World;

/// How long whoever has an incident has to say that they are still on it (contract).
const ANSWER_WITHIN: Length = Length::from_mins(10);

/// Whether a severity wakes people, by the contract.
fn wakes(org: &Org, severity: Severity) -> bool {
    let said = org.bundle().severities.iter().find(|form| form.id == severity).and_then(|form| form.notify);
    said.map_or(severity <= Severity::Sev3, |urgency| urgency == NotifyUrgency::High)
}

impl IncidentModel {
    fn take(&mut self, by: Option<&String>, at: Timestamp, lasts: Option<Length>) {
        self.by.extend(by.cloned());
        self.snoozed = self.snoozed.take().filter(|(_, who)| by.is_none_or(|by| by == who));
        (self.held, self.known, self.lasts) = (true, self.severity, lasts);
        (self.heard_at, self.asked_at, self.rose) = (Some(at), None, false);
    }

    fn lose(&mut self) {
        (self.held, self.asked_at, self.rose, self.snoozed) = (false, None, false, None);
    }
}

impl World {
    pub(crate) fn attendance_event(
        &mut self,
        id: IncidentId,
        model: &mut IncidentModel,
        event: &incident::Event,
        actor: &str,
        at: Timestamp,
        cause: &str,
    ) {
        use incident::Event as E;
        let org = self.org_of(self.org.version);
        let wanted = |severity: Option<Severity>| severity.and_then(|severity| lasts(org.bundle(), severity));
        // What a parent tells, which place it gives and who comes from elsewhere is done there, and says nothing of whoever has this.
        let is_told = matches!(
            event,
            E::Updates(updates::Event::Posted(updates::Posted { of: Some(_), .. }))
                | E::Ordering(ordering::Event::Ranked(_))
                | E::Moves(moves::Event::Here(_))
        );
        if model.held && !is_told && (actor.starts_with("person:") || actor == "administrator") {
            (model.heard_at, model.asked_at) = (Some(at), None);
        }
        let said = match event {
            E::Attendance(attendance::Event::Acknowledged(body)) => Some(body.lasts),
            E::Attendance(attendance::Event::StillOnIt(body)) => Some(body.lasts),
            E::Attendance(attendance::Event::SnoozeOver(body)) => Some(body.lasts),
            E::Declaration(declaration::Event::SeverityChanged(body)) => {
                model.severity = Some(body.to);
                Some(body.lasts)
            }
            _ => None,
        };
        if let Some(said) = said
            && said != wanted(model.severity)
        {
            self.fail("I13 an acknowledgement ages", format!("{id} lasts {said:?}, not {:?}", wanted(model.severity)));
        }
        let is_void = match event {
            E::Roles(roles::Event::Taken(body)) => body.role == "commander",
            E::Roles(roles::Event::Left(body)) => body.role == "commander" && model.commander.as_ref() == Some(&body.person),
            E::Declaration(declaration::Event::SeverityChanged(body)) => body.to < body.from,
            _ => false,
        };
        if is_void {
            model.snoozed = None;
        }
        match event {
            E::Declaration(declaration::Event::Proposed(body) | declaration::Event::Declared(body)) => {
                (model.service, model.escalation) = (body.service.clone(), body.escalation.clone());
                model.severity = Some(body.severity);
            }
            E::Attendance(attendance::Event::Acknowledged(body)) => model.take(body.by.as_ref(), at, body.lasts),
            E::Attendance(attendance::Event::StillOnIt(body)) => model.take(body.by.as_ref(), at, body.lasts),
            E::Roles(roles::Event::Taken(body)) if body.role == "commander" => model.take(Some(&body.person), at, body.lasts),
            E::Roles(roles::Event::Left(body)) if body.role == "commander" && !model.acknowledged => model.lose(),
            E::Declaration(declaration::Event::SeverityChanged(body)) if model.held => {
                model.lasts = body.lasts;
                let by_holder = model.by.iter().any(|person| actor == format!("person:{person}"));
                let known = model.known.unwrap_or(body.from);
                if by_holder {
                    // One who had it may have it no more: only whoever has it is sure to know.
                    model.known = None;
                } else if body.to < body.from
                    && body.to < known
                    && (body.to <= Severity::Sev2 || (wakes(&org, body.to) && !wakes(&org, known)))
                {
                    self.reached("what got worse than was acknowledged paged again");
                    model.rose = model.known.is_some();
                }
            }
            E::Attendance(attendance::Event::StillOnItAsked(_)) => {
                self.reached("somebody was asked whether they are still on it");
                let soonest = model.heard_at.zip(wanted(model.severity)).map(|(heard, lasts)| after(heard, lasts));
                if !model.held || model.snoozed.is_some() || soonest.is_none_or(|soonest| at < soonest) {
                    self.fail(
                        "I9 no expectation settles early",
                        format!("{id} is asked at {at}, was heard of at {:?}, snoozed {:?}", model.heard_at, model.snoozed),
                    );
                }
                model.asked_at = Some(at);
            }
            E::Attendance(attendance::Event::Lost(body)) => {
                self.reached("an acknowledgement aged and paged again");
                let asked = model.asked_at.map(|asked| after(asked, ANSWER_WITHIN));
                if cause.contains("/still_on_it/") && asked.is_none_or(|soonest| at < soonest) {
                    self.fail("I9 no expectation settles early", format!("{id} at {at}, asked at {:?}: {}", model.asked_at, body.why));
                }
                model.lose();
            }
            E::Attendance(attendance::Event::Snoozed(body)) => {
                (model.heard_at, model.asked_at) = (Some(at), None);
                model.snoozed = Some((body.until, body.by.clone()));
            }
            E::Attendance(attendance::Event::SnoozeOver(body)) => {
                self.reached("whoever has it was reminded when they asked");
                match model.snoozed.take() {
                    Some((until, by)) if until <= at && by == body.by => {}
                    other => self.fail("I9 no expectation settles early", format!("{id}: {} is reminded at {at}, not {other:?}", body.by)),
                }
                (model.heard_at, model.lasts) = (Some(at), body.lasts);
            }
            E::Attendance(attendance::Event::Escalated(body)) => {
                model.rose = false;
                if body.why.contains("no page looked for anybody") {
                    self.reached("an incident declared without a page paged after all");
                }
            }
            E::Ending(ending::Event::Reopened(_)) | E::Links(links::Event::TakenApart(_)) => model.lose(),
            E::Affected(affected::Event::ServiceChanged(body)) => {
                (model.service, model.escalation) = (Some(body.to.clone()), body.escalation.clone());
            }
            E::Ending(ending::Event::Resolved(_) | ending::Event::Cancelled(_) | ending::Event::Closed(_))
            | E::Links(links::Event::Merged(_)) => model.lose(),
            _ => {}
        }
        model.acknowledged |= matches!(event, E::Attendance(attendance::Event::Acknowledged(_)));
        model.commander = self.oracle.works.get(&id).and_then(|work| work.holders.get("commander").cloned());
    }

    /// I13 of one incident: somebody has it, or something with a time calls somebody.
    pub(crate) fn check_attendance(&mut self, incident: &Incident, pages: &[Page], expectations: &[Expectation]) {
        let Some(model) = self.oracle.incidents.get(&incident.id).cloned() else { return };
        let id = incident.id;
        if model.held != incident.is_held() {
            self.fail("I13 who has it is known", format!("{id} is held: {}, its log says {}", incident.is_held(), model.held));
        }
        if !incident.state.is_open() {
            return;
        }
        let live = |rule: Rule| expectations.iter().filter(|e| e.rule == rule && e.standing == Standing::Live).count();
        let called = [
            Rule::PageAck,
            Rule::PageAgain,
            Rule::GroupWait,
            Rule::Candidate,
            Rule::Attended,
            Rule::StillOnIt,
            Rule::RoleUnfilled,
            Rule::Silenced,
        ]
        .map(live);
        let org = self.org_of(self.org.version);
        let never = |page: &Page| page.status == Status::Exhausted && again(page.policy.as_deref(), page.urgency).is_none();
        if !model.held && called.iter().sum::<usize>() == 0 && !pages.iter().any(never) {
            self.fail("I13 no open incident is forgotten", format!("{id} is {:?}, nobody has it, and nobody is called", incident.state));
        }
        let ages = model.lasts.is_some() && lasts(org.bundle(), incident.severity).is_some();
        if model.held && ages && live(Rule::Attended) + live(Rule::StillOnIt) == 0 {
            self.fail("I13 an acknowledgement ages", format!("{id} is {}, and no sign of work is awaited", incident.severity));
        }
        if model.held && model.snoozed.is_some() && live(Rule::Attended) == 0 {
            self.fail("I13 whoever asks to be reminded is", format!("{id}: {:?}", model.snoozed));
        }
        if model.rose && model.held {
            if !pages.iter().any(|page| page.status == Status::Running) {
                self.fail("I13 what gets worse than was acknowledged pages", format!("{id} is {}", incident.severity));
            }
            // It pages: also where one commit raised it twice and the page of the first time looks for both. How that
            // page ends, and that it comes back, is for the invariants of pages to say.
            if let Some(model) = self.oracle.incidents.get_mut(&id) {
                model.rose = false;
            }
        }
    }
}
