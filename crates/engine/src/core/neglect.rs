//! What nobody does anything about comes back: pages that were exhausted, acknowledgements that age, incidents that
//! were declared without a page, what gets worse than was acknowledged, and what a grave incident's people owe.
//!
//! Not here: what is expected when (`domain::incident`, `domain::paging`); and what is only told
//! ([`super::coordination`]).

use allclear_domain::expect::{ATTEND_WITHIN, Expectation, Key, Owner, Rule, STILL_ON_IT_WITHIN, Standing};
use allclear_domain::ids::{IncidentId, PageId};
use allclear_domain::incident::roles::not_taken;
use allclear_domain::incident::{self, Incident, KEY_ATTENDED, Severity, State};
use allclear_domain::org::model::NotifyUrgency;
use allclear_domain::org::snapshot::Org;
use allclear_domain::paging::{self, Page, Status, again_in};
use allclear_domain::plants::planted;
use allclear_domain::time::{Length, after};
use allclear_domain::wire::NoticeKind;
use allclear_store::rows;
use jiff::Timestamp;

use super::command::Reply;
use super::pages::Whom;
use super::unit::Unit;
use super::{Core, Decided};
use crate::core::due::{note_look, settle};

/// Why the people of a grave incident are paged whose stakeholders hear nothing.
pub(super) const NO_UPDATE: &str = "no update to the stakeholders came in time";
/// What stands in the reason of a page about an offer that nobody answered, before the role.
const NO_ANSWER: &str = "has not answered the offer to be";
/// Why a page starts for what somebody has already.
const SEVERITY_ROSE: &str = "its severity rose past what was acknowledged";
/// Why a page starts for what nobody had.
const NOBODY_HAS_IT: &str = "nobody has it, and no page looked for anybody";

/// Why a page ends when its incident is another service's.
const NEW_SERVICE: &str = "superseded: its service changed, and the new one's policy is paged";

/// Why a page about an offer starts.
pub(super) fn no_answer(person: &str, role: &str) -> String {
    format!("{person} {NO_ANSWER} {role}")
}

/// Whether a page is about an offer of this role.
pub(super) fn is_about_offer(because: &str, role: &str) -> bool {
    because.ends_with(&format!(" {NO_ANSWER} {role}"))
}

/// Whether a page is about something that its incident's people owe: it looks on while somebody has the incident.
fn is_neglect(because: &str) -> bool {
    not_taken(because).is_some() || because == NO_UPDATE || because.contains(NO_ANSWER)
}

impl Core {
    /// Everybody was paged, and a while has passed.
    pub(super) fn look_page_again(&mut self, unit: &mut Unit, expectation: &Expectation, id: PageId, late: bool) -> Decided<()> {
        let (page, _) = self.page(unit, id)?;
        let is_this_round = expectation.key.parse() == Ok(Key::Again { round: page.round });
        let (incident, _) = self.incident(unit, page.incident_id())?;
        let (standing, why) = if page.status != Status::Exhausted || !is_this_round || !incident.state.is_open() {
            (Standing::Void, "the page has moved on")
        } else if incident.is_held() && !is_neglect(&page.because) && !outgrew(&incident, &page) {
            (Standing::Void, "somebody has the incident")
        } else {
            let others = self.others_that_look(unit, &page)?;
            if others.iter().any(|other| again_in(other, &self.org).is_some()) {
                (Standing::Void, "another page of the incident looks for somebody")
            } else if others.is_empty() {
                (Standing::Missed, "nobody has it")
            } else {
                // Where nobody answers those either, they do not come back: this one has to.
                let at = after(unit.now, again_in(&page, &self.org).unwrap_or(ATTEND_WITHIN));
                unit.write(rows::expectation::rearm(expectation, at));
                note_look(unit, at);
                return Ok(());
            }
        };
        settle(unit, expectation, standing, why);
        if standing == Standing::Missed {
            self.come_back(unit, id, late)?;
        }
        Ok(())
    }

    fn come_back(&mut self, unit: &mut Unit, id: PageId, late: bool) -> Decided<()> {
        let (page, _) = self.page(unit, id)?;
        let (incident, _) = self.incident(unit, page.incident_id())?;
        let escalation = page.escalation.as_deref().or(incident.escalation.as_deref());
        let theirs = self.managers_handed(&incident);
        let managers = if theirs.is_empty() { self.org.managers_for(incident.service.as_deref(), escalation) } else { theirs };
        // One of them calls everybody who is left: the others that nobody answered would call the same people.
        for other in self.pages_of(unit, incident.id).into_iter().filter(|other| *other != id) {
            let (state, _) = self.page(unit, other)?;
            if state.status == Status::Exhausted && calls_no_others(&page, &state) {
                self.change_page(unit, other, paging::Command::Stop { why: "another page of the incident comes back".to_owned() })?;
            }
        }
        self.change_page(unit, id, paging::Command::ComeBack { managers, late })?;
        Ok(())
    }

    /// Other pages that call people for the same.
    fn others_that_look(&self, unit: &Unit, page: &Page) -> Decided<Vec<Page>> {
        let mut others = Vec::new();
        for id in self.pages_of(unit, page.incident_id()) {
            let (other, _) = self.page(unit, id)?;
            if id != page.id && other.status == Status::Running && calls_no_others(&other, page) {
                others.push(other);
            }
        }
        Ok(others)
    }

    /// Nothing was heard of whoever has it, or nobody has it.
    pub(super) fn look_attended(&mut self, unit: &mut Unit, expectation: &Expectation, id: IncidentId, late: bool) -> Decided<()> {
        let (incident, _) = self.incident(unit, id)?;
        if !incident.state.is_open() || incident.state == State::Candidate {
            settle(unit, expectation, Standing::Void, "it is over");
            return Ok(());
        }
        if !incident.is_held() {
            return self.page_nobodys(unit, expectation, id, late);
        }
        if let Some(snooze) = incident.snoozed() {
            if snooze.until > unit.now {
                unit.write(rows::expectation::rearm(expectation, snooze.until));
                note_look(unit, snooze.until);
                return Ok(());
            }
            settle(unit, expectation, Standing::Met, "its holder is reminded");
            return self.remind(unit, &incident, &snooze.by);
        }
        if incident.work.hold.asked_at.is_some() {
            settle(unit, expectation, Standing::Void, "its holder is asked already");
            return Ok(());
        }
        let Some(lasts) = self.org.severity(incident.severity).acknowledgement_lasts else {
            settle(unit, expectation, Standing::Void, "its acknowledgement does not age any more");
            return Ok(());
        };
        let until = lasts_until(&incident, lasts);
        if until > unit.now {
            unit.write(rows::expectation::rearm(expectation, until));
            note_look(unit, until);
            return Ok(());
        }
        settle(unit, expectation, Standing::Missed, "nobody did anything about it");
        self.ask_still_on_it(unit, &incident, lasts)
    }

    /// It was declared without a page, or reopened, and nobody took it.
    fn page_nobodys(&mut self, unit: &mut Unit, expectation: &Expectation, id: IncidentId, late: bool) -> Decided<()> {
        // One that comes back again and again before one that never does.
        let mut exhausted: Option<(bool, PageId)> = None;
        for page in self.pages_of(unit, id) {
            let (state, _) = self.page(unit, page)?;
            match state.status {
                Status::Running => {
                    settle(unit, expectation, Standing::Void, "a page looks for somebody");
                    return Ok(());
                }
                Status::Exhausted => exhausted = exhausted.max(Some((again_in(&state, &self.org).is_some(), page))),
                Status::Acknowledged | Status::Stopped | Status::Told => {}
            }
        }
        settle(unit, expectation, Standing::Missed, "nobody took it");
        match exhausted {
            Some((_, page)) => self.come_back(unit, page, late),
            None => self.start_page(unit, id, None, None, NOBODY_HAS_IT, late),
        }
    }

    /// Whoever has it asked to be told at this time; what they do is awaited from here.
    fn remind(&mut self, unit: &mut Unit, incident: &Incident, by: &str) -> Decided<()> {
        self.change_incident(unit, incident.id, incident::attendance::Command::EndSnooze)?;
        if self.org.person(by).is_none() {
            return Ok(());
        }
        let text = format!("You asked to be reminded of {}: {}", incident.reference, incident.title);
        let urgency = self.org.severity(incident.severity).notify;
        self.tell_at(unit, incident.id, NoticeKind::Reminder, &[super::notices::person(by)], text, "its holder asked for it", urgency)?;
        Ok(())
    }

    fn ask_still_on_it(&mut self, unit: &mut Unit, incident: &Incident, lasts: Length) -> Decided<()> {
        let id = incident.id;
        let people: Vec<String> = incident.holders().into_iter().filter(|person| self.org.person(person).is_some()).collect();
        if people.is_empty() {
            let why = format!("it was acknowledged, nobody did anything about it for {lasts}, and nobody is known who could be asked");
            return self.lose(unit, id, &why);
        }
        let names = self.names(&people);
        let command = incident::attendance::Command::AskStillOnIt { people: people.clone(), within: STILL_ON_IT_WITHIN };
        self.change_incident(unit, id, command)?;
        let until = after(unit.now, STILL_ON_IT_WITHIN).strftime("%H:%M UTC");
        let text =
            format!("Nobody has done anything about it for {lasts}. Are you still on it? Without an answer it pages again at {until}.");
        let targets: Vec<String> = people.iter().map(|id| super::notices::person(id)).collect();
        let urgency = self.org.severity(incident.severity).notify;
        let asked = self.tell_at(unit, id, NoticeKind::StillOnIt, &targets, text, "its acknowledgement has aged", urgency)?;
        if asked.is_some_and(|page| !page.entries.is_empty()) {
            return Ok(());
        }
        self.lose(unit, id, &format!("nobody did anything about it for {lasts}, and {names} could not be asked"))
    }

    /// Whoever had it was asked, and had their time.
    pub(super) fn look_still_on_it(&mut self, unit: &mut Unit, expectation: &Expectation, id: IncidentId) -> Decided<()> {
        let (incident, _) = self.incident(unit, id)?;
        if !incident.is_held() {
            settle(unit, expectation, Standing::Void, "nobody is known to have it");
            return Ok(());
        }
        let Some(asked_at) = incident.work.hold.asked_at else {
            // Any act answers; the next question counts from there.
            settle(unit, expectation, Standing::Met, "somebody did something about it");
            if let Some(lasts) = self.org.severity(incident.severity).acknowledgement_lasts {
                let until = lasts_until(&incident, lasts);
                self.await_attention(unit, id, Length::between(unit.now, until));
            }
            return Ok(());
        };
        settle(unit, expectation, Standing::Missed, "nobody answered");
        let names = self.names(&incident.holders());
        let why = format!("{names} was asked at {} whether they are still on it, and nobody answered", asked_at.strftime("%H:%M UTC"));
        self.lose(unit, id, &why)
    }

    /// Nobody is known to have it: it pages again from the first step.
    pub(super) fn lose(&mut self, unit: &mut Unit, id: IncidentId, why: &str) -> Decided<()> {
        self.change_incident(unit, id, incident::attendance::Command::Lose { why: why.to_owned() })?;
        for page in self.pages_of(unit, id) {
            let (page, _) = self.page(unit, page)?;
            if page.status == Status::Running && page.escalation.is_some() {
                // It calls the same people already.
                return Ok(());
            }
        }
        self.start_page(unit, id, None, None, why, false)
    }

    fn names(&self, people: &[String]) -> String {
        let names: Vec<&str> = people.iter().map(|id| self.org.person(id).map_or(id.as_str(), |person| person.name.as_str())).collect();
        if names.is_empty() { "whoever had it".to_owned() } else { names.join(" and ") }
    }

    /// Expects somebody to do something about an incident.
    fn await_attention(&self, unit: &mut Unit, id: IncidentId, within: Length) {
        let (key, cause) = (KEY_ATTENDED.to_owned(), unit.cause.clone());
        let mut expectation = Expectation::open(Owner::Incident(id), key, Rule::Attended, Some(id), cause, unit.now, within);
        expectation.occurrence = unit.occurrence();
        unit.expect(&expectation);
    }

    /// An open incident of which nothing is expected that would call somebody, as an earlier version left it: somebody
    /// is awaited from now on.
    pub(super) fn attend(&mut self, unit: &mut Unit, id: IncidentId) -> Decided<Reply> {
        let (incident, _) = self.incident(unit, id)?;
        if !incident.state.is_open() || incident.state == State::Candidate {
            return Ok(Reply::Done);
        }
        if incident.is_held() {
            if let Some(lasts) = self.org.severity(incident.severity).acknowledgement_lasts {
                self.await_attention(unit, id, Length::between(unit.now, lasts_until(&incident, lasts)));
            }
            return Ok(Reply::Done);
        }
        let mut pages = Vec::new();
        for page in self.pages_of(unit, id) {
            pages.push(self.page(unit, page)?.0);
        }
        if is_left_by_choice(&pages, &self.org) {
            return Ok(Reply::Done);
        }
        self.await_attention(unit, id, ATTEND_WITHIN);
        Ok(Reply::Done)
    }

    /// It is worse: whom the new severity wants hears of it, unless they do already.
    pub(super) fn page_anew_if_worse(&mut self, unit: &mut Unit, id: IncidentId, from: Severity, to: Severity) -> Decided<()> {
        let (state, _) = self.incident(unit, id)?;
        if !state.state.is_open() || state.state == State::Candidate {
            return Ok(());
        }
        if state.is_held() {
            return self.page_past_what_was_acknowledged(unit, &state, from, to);
        }
        let wakes_now = self.wakes(to) && !self.wakes(from);
        let Some(last) = state.page else {
            // While it waits for its group its page is still to come.
            if wakes_now && state.work.hold.unpaged {
                self.start_page(unit, id, None, None, "its severity rose", false)?;
            }
            return Ok(());
        };
        let (page, _) = self.page(unit, last)?;
        if wakes_now || page.status != Status::Running {
            self.stop_pages(unit, id, "its severity rose")?;
            self.start_page(unit, id, None, page.alert, "its severity rose", false)?;
        }
        Ok(())
    }

    /// It is of another service now, and nobody has it: the page of the policy that it had ends, and that of the new one
    /// starts. What was declared without a page, or waits for its group, has none to follow; and where the policy is the
    /// same, the same people are called already.
    pub(super) fn page_anew_for_service(&mut self, unit: &mut Unit, id: IncidentId) -> Decided<()> {
        let (state, _) = self.incident(unit, id)?;
        let Some(last) = state.page.filter(|_| state.state.is_open() && state.state != State::Candidate) else { return Ok(()) };
        let alert = self.page(unit, last)?.0.alert;
        for page in self.pages_of(unit, id) {
            let (found, _) = self.page(unit, page)?;
            if found.status != Status::Running || !found.targets.is_empty() {
                continue;
            }
            if found.escalation == state.escalation {
                return Ok(());
            }
            self.change_page(unit, page, paging::Command::Stop { why: NEW_SERVICE.to_owned() })?;
        }
        self.start_page(unit, id, None, alert, "its service changed", false)
    }

    fn wakes(&self, severity: Severity) -> bool {
        self.org.severity(severity).notify == NotifyUrgency::High
    }

    /// Somebody has it as something less bad: they hear of it first, then whom its policy names.
    fn page_past_what_was_acknowledged(&mut self, unit: &mut Unit, state: &Incident, from: Severity, to: Severity) -> Decided<()> {
        let known = state.work.hold.severity.unwrap_or(from);
        let wakes_now = self.wakes(to) && !self.wakes(known);
        if to >= known || !(wakes_now || to.is_grave()) || planted("severity-rise-silent") {
            return Ok(());
        }
        let urgency = self.org.severity(to).notify;
        for id in self.pages_of(unit, state.id) {
            let (page, _) = self.page(unit, id)?;
            if page.because == SEVERITY_ROSE && page.status == Status::Running {
                if page.urgency == urgency {
                    return Ok(());
                }
                self.change_page(unit, id, paging::Command::Stop { why: "its severity rose again".to_owned() })?;
            }
        }
        let first = state.holders().iter().map(|id| super::notices::person(id)).collect();
        let whom = Whom::People { first, then: Vec::new(), escalation: state.escalation.clone() };
        self.start_page_of(unit, state.id, whom, None, SEVERITY_ROSE, false)
    }

    /// Pages people for what they owe of a grave incident: `first`, then `then`, at last the catch-all. One that runs for
    /// the same goes on. While silences hold the incident nobody is paged; what is grave is owed again, and looked at then.
    pub(super) fn page_neglect(
        &mut self,
        unit: &mut Unit,
        id: IncidentId,
        first: Vec<String>,
        then: Vec<String>,
        because: &str,
    ) -> Decided<()> {
        if self.incident(unit, id)?.0.alarms.is_held() {
            return Ok(());
        }
        for page in self.pages_of(unit, id) {
            let (state, _) = self.page(unit, page)?;
            if state.because != because {
                continue;
            }
            match state.status {
                Status::Running => return Ok(()),
                Status::Exhausted => {
                    self.change_page(unit, page, paging::Command::Stop { why: "it is paged anew".to_owned() })?;
                }
                Status::Acknowledged | Status::Stopped | Status::Told => {}
            }
        }
        let (first, then) = if first.is_empty() { (then, Vec::new()) } else { (first, then) };
        let whom = if first.is_empty() {
            let (incident, _) = self.incident(unit, id)?;
            Whom::Policy(incident.escalation)
        } else {
            Whom::People { first, then, escalation: None }
        };
        self.start_page_of(unit, id, whom, None, because, false)
    }

    /// What was owed has come: nobody is woken for it any more.
    pub(super) fn stop_pages_about(&mut self, unit: &mut Unit, id: IncidentId, is_about: impl Fn(&str) -> bool, why: &str) -> Decided<()> {
        for page in self.pages_of(unit, id) {
            let (state, _) = self.page(unit, page)?;
            if is_about(&state.because) && paging::may_send(state.status) {
                self.change_page(unit, page, paging::Command::Stop { why: why.to_owned() })?;
            }
        }
        Ok(())
    }
}

/// Whether a page is about an incident that is still worse than whoever has it knows.
fn outgrew(incident: &Incident, page: &Page) -> bool {
    page.because == SEVERITY_ROSE && incident.work.hold.severity.is_some_and(|known| incident.severity < known)
}

/// Whether nobody was reached, and the policies of all of these pages say that none of them comes back.
pub(crate) fn is_left_by_choice<'a>(pages: impl IntoIterator<Item = &'a Page>, org: &Org) -> bool {
    let mut exhausted = pages.into_iter().filter(|page| page.status == Status::Exhausted).peekable();
    exhausted.peek().is_some() && exhausted.all(|page| again_in(page, org).is_none())
}

/// Whether a page that nobody answers would call, by the ways of its urgency, whom the other one would: it is not about what
/// people owe, and wakes no fewer.
fn calls_no_others(page: &Page, other: &Page) -> bool {
    let wakes_no_fewer = page.urgency == NotifyUrgency::High || other.urgency == NotifyUrgency::Low;
    !is_neglect(&page.because) && !is_neglect(&other.because) && wakes_no_fewer
}

/// When an acknowledgement that lasts so long has aged.
fn lasts_until(incident: &Incident, lasts: Length) -> Timestamp {
    let heard_at = incident.work.hold.acted_at.or(incident.acknowledged_at).unwrap_or(incident.updated_at);
    after(heard_at, lasts)
}
