//! Follows the log, event by event, and says what must follow: who is paged next, and when at the earliest.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use allclear_domain::access::Reach;
use allclear_domain::expect::Owner;
use allclear_domain::ids::{ActionId, IncidentId, PageId, ReviewId};
use allclear_domain::incident::Severity;
use allclear_domain::incident::{affected, alarms, attendance, declaration, ending, flapping, links, transfers};
use allclear_domain::org::model::{Escalation, NotifyUrgency};
use allclear_domain::org::snapshot::Org;
use allclear_domain::paging;
use allclear_domain::time::{Length, after};
use allclear_domain::wire::NoticeKind;
use allclear_domain::{action, incident, review};
use allclear_store::rows;
use jiff::Timestamp;

use crate::oracle::{Next, PageModel, delays, next_of};
use crate::orgs::{again, managers};
use crate::ports::block_on;
use crate::world::World;

impl World {
    /// Reads what was added to the log.
    pub(crate) fn observe(&mut self) {
        let (mut touched, mut promised) = (BTreeSet::new(), BTreeSet::new());
        loop {
            let events = block_on(rows::event::after(&self.db, self.oracle.seq, 1000, &Reach::all())).unwrap_or_default();
            if events.is_empty() {
                break;
            }
            for event in events {
                self.oracle.seq = event.seq;
                self.oracle.events += 1;
                for byte in event.hash {
                    self.oracle.digest = (self.oracle.digest ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
                }
                let body = event.body.clone().unwrap_or_default();
                self.say(|| format!("    log {} {} {}", event.stream, event.kind, body.chars().take(300).collect::<String>()));
                if let Ok(id) = event.stream.parse::<IncidentId>() {
                    touched.insert(id);
                    if event.cause.contains("/silence/") && matches!(event.kind.as_str(), "declared" | "proposed") {
                        self.reached("a silence ended and the alert declared");
                    }
                    match incident::Event::decode(&event.kind, event.v, &body) {
                        Ok(read) => self.incident_event(id, &read, &event.actor, event.at, &event.cause),
                        Err(why) => self.fail("I6 the log reads", why.to_string()),
                    }
                } else if let Ok(id) = event.stream.parse::<PageId>() {
                    match paging::Event::decode(&event.kind, event.v, &body) {
                        Ok(read) => self.page_event(id, &read, event.at, &event.cause),
                        Err(why) => self.fail("I6 the log reads", why.to_string()),
                    }
                    if let Some(page) = self.oracle.pages.get(&id) {
                        touched.insert(page.incident);
                    }
                } else if let Ok(id) = event.stream.parse::<ReviewId>() {
                    promised.insert(Owner::Review(id));
                    match review::Event::decode(&event.kind, event.v, &body) {
                        Ok(read) => self.review_event(id, &read, event.at),
                        Err(why) => self.fail("I6 the log reads", why.to_string()),
                    }
                } else if let Ok(id) = event.stream.parse::<ActionId>() {
                    promised.insert(Owner::Action(id));
                    match action::Event::decode(&event.kind, event.v, &body) {
                        Ok(read) => self.action_event(id, &read, event.at),
                        Err(why) => self.fail("I6 the log reads", why.to_string()),
                    }
                }
            }
        }
        for (id, what) in std::mem::take(&mut self.oracle.paged_while_held) {
            if self.oracle.incidents.get(&id).is_some_and(|incident| incident.silenced) {
                self.fail("I13 nobody is paged while silences hold it", what);
            }
        }
        for id in touched {
            self.check_incident(id);
        }
        for owner in promised {
            self.check_promise(owner);
        }
    }

    fn incident_event(&mut self, id: IncidentId, event: &incident::Event, actor: &str, at: Timestamp, cause: &str) {
        self.work_event(id, event, at);
        self.several_event(id, event, at);
        let mut model = self.oracle.incidents.get(&id).cloned().unwrap_or_default();
        self.attendance_event(id, &mut model, event, actor, at, cause);
        match event {
            incident::Event::Declaration(declaration::Event::Proposed(_)) => model.candidate = true,
            incident::Event::Declaration(declaration::Event::Declared(body)) => {
                model.wait_until = (!body.group_wait.is_zero()).then(|| after(at, body.group_wait));
            }
            incident::Event::Declaration(declaration::Event::Promoted(body)) => {
                model.candidate = false;
                if body.why.starts_with("nobody decided") {
                    self.reached("a candidate was promoted because nobody decided");
                }
            }
            incident::Event::Attendance(attendance::Event::Acknowledged(_)) | incident::Event::Ending(ending::Event::Mitigated(_)) => {
                model.taken = true
            }
            incident::Event::Ending(ending::Event::Reopened(_)) => {
                model.taken = true;
                model.over = false;
            }
            incident::Event::Attendance(attendance::Event::Escalated(body)) => {
                if let Some(wait) = model.wait_until.take()
                    && body.why.contains("wait for more alerts")
                {
                    self.reached("a group wait ended and paged");
                    if at < wait {
                        self.fail("I9 no expectation settles early", format!("the group wait of {id} ended at {at}, before {wait}"));
                    }
                }
            }
            incident::Event::Alarms(alarms::Event::Silenced(body)) => model.silenced = body.held_until.is_some(),
            incident::Event::Alarms(alarms::Event::Unsilenced(body)) => model.silenced = body.held,
            incident::Event::Flapping(flapping::Event::Returned(body)) if body.reopened => model.over = false,
            incident::Event::Transfers(transfers::Event::Accepted(body)) => {
                (model.team, model.escalation) = (Some(body.team.clone()), body.escalation.clone());
            }
            incident::Event::Links(links::Event::TakenApart(_)) => {
                model.over = false;
                self.reached("a merge was taken apart");
            }
            incident::Event::Attendance(attendance::Event::Lost(body)) if body.undone => {
                model.taken = false;
                self.reached("what was acknowledged was given back");
            }
            incident::Event::Affected(affected::Event::ServiceChanged(body)) => {
                model.team = None;
                if !body.held {
                    self.reached("the service changed while nobody had it");
                }
            }
            incident::Event::Flapping(flapping::Event::Flapping(_)) => self.reached("an incident flapped"),
            incident::Event::Alarms(alarms::Event::Recovered(body)) => {
                model.silenced = false;
                if body.ask.is_some() {
                    self.reached("a recovery was asked about");
                }
            }
            incident::Event::Ending(ending::Event::Resolved(body)) => {
                model.over = true;
                if body.by_itself {
                    self.reached("an incident recovered by itself");
                    if model.taken {
                        self.fail("I10 nothing closes by itself under somebody's hands", format!("{id} resolved by itself"));
                    }
                } else {
                    model.resolved_by_hand = Some(at);
                }
            }
            incident::Event::Ending(ending::Event::Cancelled(_) | ending::Event::Closed(_)) => model.over = true,
            incident::Event::Links(links::Event::Merged(_)) => {
                model.over = true;
                self.reached("two incidents were merged");
            }
            incident::Event::Alarms(alarms::Event::ConfirmationMissed(_)) => self.reached("nobody confirmed a recovery"),
            incident::Event::Alarms(alarms::Event::Told(body)) if body.joined > 0 => self.reached("the log was told of alerts that joined"),
            _ => {}
        }
        self.oracle.incidents.insert(id, model);
    }

    /// A fire drill: each level once, in order, and nothing after its end. Whether an event is of one.
    fn drill_event(&mut self, id: PageId, event: &paging::Event) -> bool {
        if let paging::Event::Started(body) = event {
            if body.drill.is_some() {
                self.reached("a fire drill began");
                self.oracle.drills.insert(id, (0, false));
            }
            return body.drill.is_some();
        }
        let Some((level, over)) = self.oracle.drills.get(&id).copied() else { return false };
        let (next, is_level) = match event {
            paging::Event::StepReached(body) => ((body.step, over), Some(body.step)),
            paging::Event::StepEmpty(body) => ((body.step, over), Some(body.step)),
            paging::Event::LevelAnswered(_) => {
                self.reached("a level of a fire drill was answered");
                ((level, over), None)
            }
            paging::Event::DrillEnded(_) | paging::Event::Stopped(_) => {
                self.reached("a fire drill ended");
                ((level, true), None)
            }
            _ => ((level, over), None),
        };
        let raises = is_level.is_some() || matches!(event, paging::Event::NoticeRaised(_));
        if raises && over {
            self.fail("I5 a drill ends", format!("{id} has {} after its end", event.kind()));
        }
        if is_level.is_some_and(|step| step != level + 1) {
            self.fail("I5 a drill walks each level once", format!("{id} is at {is_level:?} after {level}"));
        }
        if matches!(
            event,
            paging::Event::Exhausted(_) | paging::Event::CameBack(_) | paging::Event::Resumed(_) | paging::Event::Acknowledged(_)
        ) {
            self.fail("I5 a drill ends by itself", format!("{id} has {}", event.kind()));
        }
        self.oracle.drills.insert(id, next);
        true
    }

    fn page_event(&mut self, id: PageId, event: &paging::Event, at: Timestamp, cause: &str) {
        if self.drill_event(id, event) {
            return;
        }
        if let paging::Event::Started(body) = event {
            let model = PageModel {
                incident: body.incident.id,
                escalation: body.escalation.clone(),
                targets: body.targets.clone(),
                then: body.then.clone(),
                running: true,
                by_hand: cause == "api" || cause == "link",
                alone: body.alone,
                policy: self.policy_at(body.org_version, body.escalation.as_deref()),
                ..PageModel::new(body.incident.id, body.urgency, at)
            };
            if body.because.contains("held by no silence") {
                self.reached("an incident paged when no silence held it any more");
            }
            if body.policy != model.policy {
                self.fail("I5 steps in order", format!("{id} walks another policy than there was when it started"));
            }
            if !model.targets.is_empty() {
                self.reached("people were paged by name");
            }
            self.oracle.pages.insert(id, model);
            return;
        }
        if let paging::Event::Told(body) = event {
            let question = body.kind == NoticeKind::StillOnIt;
            let mut page = PageModel { tells: true, question, ..PageModel::new(body.incident.id, NotifyUrgency::Low, at) };
            self.told(id, &mut page, body);
            self.oracle.pages.insert(id, page);
            return;
        }
        let Some(mut page) = self.oracle.pages.get(&id).cloned() else {
            self.fail("I6 the log reads", format!("{id} begins with {}", event.kind()));
            return;
        };
        if page.tells {
            self.after_telling(id, &mut page, event, cause);
        }
        let timed_out = cause.starts_with("expectation:") && cause.contains("/ack:");
        let pages = matches!(event, paging::Event::StepReached(_) | paging::Event::NoticeRaised(_) | paging::Event::Resumed(_));
        let held = self.oracle.incidents.get(&page.incident).is_some_and(|incident| incident.silenced);
        if pages && held && !page.by_hand && !page.tells {
            // Judged when the commit is read: an alert whose silence ends may be worse than its incident, which pages
            // before the same commit says that it is held no more.
            self.oracle.paged_while_held.push((page.incident, format!("{id} has {} at {at}", event.kind())));
        }
        match event {
            paging::Event::StepReached(body) => self.step_reached(id, &mut page, body, at, timed_out),
            paging::Event::StepEmpty(body) => {
                self.reached(if body.passed { "a step was passed over by its condition" } else { "a step was empty" });
                if body.why.is_empty() {
                    self.fail("I2 nobody was told, because", format!("{id} passed a step without a reason"));
                }
            }
            paging::Event::NoticeRaised(_) if page.tells => {}
            paging::Event::NoticeRaised(body) => self.notice_raised(id, &mut page, body, at, cause),
            paging::Event::Exhausted(body) => {
                self.reached("a page was exhausted");
                self.may_advance(id, &page, at, timed_out);
                let org = self.org_of(self.org.version);
                let left = next_of(&page, &org, at, self.severity_of(page.incident));
                if left != Next::Exhausted {
                    self.fail("I2 everybody is tried", format!("{id} is exhausted ({}), but {left:?} is left", body.why));
                }
                if page.alone {
                    self.reached("a test page reached nobody else");
                }
                let wanted = again(page.policy.as_ref(), page.urgency).filter(|_| !page.alone);
                if body.again_in != wanted {
                    self.fail("I13 an exhausted page comes back", format!("{id} comes back in {:?}, not in {wanted:?}", body.again_in));
                }
                page.running = false;
                page.exhausted = true;
                (page.exhausted_at, page.again) = (at, body.again_in);
            }
            paging::Event::AcknowledgedInPart(body) => {
                self.reached("one of several who have to acknowledge did");
                if page.over || !page.answered.insert(body.by.clone()) || page.answered.len() >= page.wants {
                    self.fail("I5 several acknowledge", format!("{id}: {} is one of {:?} of {}", body.by, page.answered, page.wants));
                }
                page.heard.insert(body.by.clone());
            }
            paging::Event::TakenBack(body) => {
                let known = page.answered.remove(&body.by);
                if !known {
                    self.fail("I5 several acknowledge", format!("{id}: {} took back what they had not given", body.by));
                }
            }
            paging::Event::Declined(body) if body.stays => {
                page.heard.insert(body.by.clone());
            }
            paging::Event::CameBack(body) => self.came_back(id, &mut page, body, at, cause),
            paging::Event::Acknowledged(body) => {
                if page.exhausted {
                    self.reached("an exhausted page was taken after all");
                }
                if page.wants > 1 {
                    self.reached("as many acknowledged as have to");
                    page.answered.extend(body.by.clone());
                    if page.answered.len() < page.wants {
                        self.fail("I5 several acknowledge", format!("{id} is over with {:?} of {}", page.answered, page.wants));
                    }
                }
                if body.via == "sender" {
                    self.reached("a sender's acknowledgement stopped a page");
                }
                (page.running, page.over, page.over_at) = (false, true, at);
                page.last.clone_from(&body.by);
            }
            paging::Event::Stopped(_) => (page.running, page.over, page.over_at) = (false, true, at),
            paging::Event::Resumed(body) => {
                self.reached("a page went on after its alerts had recovered");
                if !page.over || page.exhausted || (body.round, body.step) != (page.round, page.step) {
                    self.fail("I13 a page goes on where it was stopped", format!("{id} at {}:{}", body.round, body.step));
                }
                // Whoever had it last gave it back.
                if page.wants > 1
                    && let Some(last) = page.last.take()
                {
                    page.answered.remove(&last);
                }
                let stood = Length::between(page.over_at, at);
                let left = Length::between(page.over_at, after(page.reached_at, page.within));
                if body.left != left {
                    self.fail("I13 a page goes on where it was stopped", format!("{id} has {} left, not {left}", body.left));
                }
                for (entry, (wait, raised)) in &mut page.entries {
                    // What was sent and did not arrive may be sent anew, at once.
                    if *raised && !page.told.contains(entry) {
                        (*wait, *raised) = (Length::ZERO, false);
                    }
                }
                (page.running, page.over) = (true, false);
                page.resumed += 1;
                // Times count from a beginning that leaves of each what was left.
                page.reached_at = after(page.reached_at, stood);
            }
            paging::Event::Declined(_) if !page.running => {
                self.fail("I5 nothing is decided after the end", format!("{id} was declined after its end"));
            }
            paging::Event::Delivered(body) => {
                if let Some(entry) = page.messages.get(&body.message) {
                    page.told.insert(entry.clone());
                }
                let times = self.oracle.delivered.entry(body.message).or_default();
                *times += 1;
                let times = *times;
                let leases = if self.shared { self.oracle.doubted.get(&body.message).copied().unwrap_or(0) } else { 0 };
                let excuses = self.truth.get(&body.message).map_or(0, |t| t.in_doubt) + leases;
                if times > 1 + excuses {
                    self.fail("I3 delivered twice in the log", format!("{} {times} times, {excuses} in doubt", body.message));
                }
            }
            paging::Event::SendInDoubt(body) => {
                self.reached("a message in doubt was sent again");
                *self.oracle.doubted.entry(body.message).or_default() += 1;
            }
            _ => {}
        }
        self.oracle.pages.insert(id, page);
    }

    /// To whoever is left and the managers; once, and not before its time.
    fn came_back(&mut self, id: PageId, page: &mut PageModel, body: &paging::CameBack, at: Timestamp, cause: &str) {
        self.reached("an exhausted page came back");
        let early = cause.contains("/again:") && page.again.is_none_or(|length| at < after(page.exhausted_at, length));
        if !page.exhausted || page.over || early || body.round != page.round + 1 {
            self.fail("I13 an exhausted page comes back", format!("{id} in round {} at {at}: {page:?}", body.round));
        }
        let org = self.org_of(self.org.version);
        let mut targets = org.bundle().catch_all.clone();
        let model = self.oracle.incidents.get(&page.incident).cloned().unwrap_or_default();
        let escalation = page.escalation.clone().or(model.escalation);
        targets.extend(managers(org.bundle(), model.team.as_deref(), model.service.as_deref(), escalation.as_deref()));
        if let Some(policy) = page.escalation.as_deref().and_then(|id| org.escalation(id)) {
            page.policy = Some(policy.clone());
        }
        (page.running, page.exhausted, page.catch_all) = (true, false, false);
        (page.answered, page.wants) = (BTreeSet::new(), 1);
        (page.round, page.since, page.step, page.back) = (body.round, body.round, 0, Some(targets));
        page.entries.clear();
    }

    /// Everybody who must hear of it, over one way each at once; of an audience every address.
    fn told(&mut self, id: PageId, page: &mut PageModel, body: &paging::Told) {
        let org = self.org_of(body.org_version);
        let named: BTreeSet<String> =
            body.people.iter().map(|p| p.person.clone()).chain(body.passed_over.iter().map(|p| p.person.clone())).collect();
        if body.kind == NoticeKind::Update {
            let wanted = self.oracle.to_tell.remove(&body.incident.id);
            if wanted.as_ref() != Some(&named) {
                self.fail("I12 an update reaches its audiences", format!("{id} tells {named:?}, {wanted:?} were to be told"));
            }
        }
        for reached in &body.people {
            let at_once: Vec<bool> = reached.entries.iter().map(|e| e.message.is_some()).collect();
            let (ways, all) = match reached.person.strip_prefix("audience:") {
                Some(audience) => {
                    let form = org.bundle().audiences.iter().find(|a| a.id == audience);
                    (form.map_or(0, |a| a.contacts.iter().filter(|c| c.verified).count()), true)
                }
                None if reached.person.starts_with("organisation:") => {
                    let form = org.bundle().organisations.iter().find(|one| reached.person.ends_with(one.id.as_str()));
                    (form.map_or(0, |one| one.contacts.iter().filter(|contact| contact.verified).count()), false)
                }
                None => (delays(&org, &reached.person, body.urgency).len(), false),
            };
            let wanted: Vec<bool> = (0..ways).map(|n| all || n == 0).collect();
            if at_once != wanted {
                self.fail(
                    "I12 whoever is told hears of it at once",
                    format!("{id} plans {at_once:?} for {}, not {wanted:?}", reached.person),
                );
            }
            for (n, entry) in (0_u32..).zip(&reached.entries) {
                page.entries.insert((reached.person.clone(), n), (Length::ZERO, entry.message.is_some()));
                if entry.message.is_some() {
                    self.new_key(page, format!("{id}:1:1:{}:{n}", reached.person));
                }
            }
        }
    }

    /// What only tells asks for nothing: no steps and no answers, and another way of a person only
    /// after one that failed.
    fn after_telling(&mut self, id: PageId, page: &mut PageModel, event: &paging::Event, cause: &str) {
        match event {
            paging::Event::SendFailed(body) => *page.failed.entry(body.person.clone()).or_default() += 1,
            // The first trouble is only that; the second such entry says that it is given up.
            paging::Event::SendDelayed(body) if body.attempts > 1 => *page.failed.entry(body.person.clone()).or_default() += 1,
            paging::Event::SendDelayed(_) | paging::Event::SendInDoubt(_) => {}
            paging::Event::Delivered(_) => self.reached("somebody was told"),
            paging::Event::NoticeRaised(body) => {
                let excused = page.failed.get_mut(&body.person).filter(|left| **left > 0).map(|left| *left -= 1).is_some();
                let planned = page.entries.insert((body.person.clone(), body.entry), (Length::ZERO, true));
                if !excused || cause.starts_with("expectation:") || planned.is_none_or(|(_, raised)| raised) {
                    self.fail("I12 another way only after one that failed", format!("{id} raised {} {}", body.person, body.entry));
                }
                self.reached("a reminder took another way");
                self.new_key(page, format!("{id}:1:1:{}:{}", body.person, body.entry));
            }
            other => self.fail("I12 what only tells asks for nothing", format!("{id} has {}", other.kind())),
        }
    }

    fn may_advance(&mut self, id: PageId, page: &PageModel, at: Timestamp, timed_out: bool) {
        if page.over || page.exhausted {
            self.fail("I5 no escalation after the end", format!("{id} advanced at {at}"));
        }
        let earliest = after(page.reached_at, page.within);
        if timed_out && at < earliest {
            self.fail("I5 never early", format!("{id} advanced at {at}, its step had until {earliest}"));
        }
    }

    fn severity_of(&self, incident: IncidentId) -> Option<Severity> {
        self.oracle.incidents.get(&incident).and_then(|model| model.severity)
    }

    fn policy_at(&self, version: u64, escalation: Option<&str>) -> Option<Escalation> {
        self.org_of(version).escalation(escalation?).cloned()
    }

    /// Whether the one who is paged is of those who can be told, and none of the others has waited longer; then the turn is theirs.
    fn has_their_turn(&mut self, page: &PageModel, ring: u32, wanted: &BTreeSet<String>, people: &BTreeSet<String>) -> bool {
        self.reached("a step paged one in turn");
        let Some(one) = people.first().filter(|one| people.len() == 1 && wanted.contains(*one)) else { return false };
        let (many, had) = self.oracle.turns.entry((page.escalation.clone().unwrap_or_default(), ring)).or_default();
        let last = |person: &String| had.get(person).copied().unwrap_or(0);
        let right = wanted.iter().all(|other| last(one) <= last(other));
        *many += 1;
        had.insert(one.clone(), *many);
        right
    }

    fn step_reached(&mut self, id: PageId, page: &mut PageModel, body: &paging::StepReached, at: Timestamp, timed_out: bool) {
        self.may_advance(id, page, at, timed_out);
        let org = self.org_of(body.org_version);
        let people: BTreeSet<String> = body.people.iter().map(|p| p.person.clone()).collect();
        match next_of(page, &org, at, self.severity_of(page.incident)) {
            Next::Step { round, step, catch_all, people: wanted, in_turn } => {
                let same_place = catch_all || (round, step) == (body.round, body.step);
                let right = match in_turn {
                    None => wanted == people,
                    Some(ring) => self.has_their_turn(page, ring, &wanted, &people),
                };
                if catch_all != body.catch_all || !same_place || !right || in_turn != body.turn {
                    let is = format!("{}:{} catch-all {} {people:?}", body.round, body.step, body.catch_all);
                    self.fail("I5 steps in order", format!("{id} reached {is}; {round}:{step} catch-all {catch_all} {wanted:?} was next"));
                }
            }
            Next::Exhausted => self.fail("I5 steps in order", format!("{id} reached a step where none was left")),
        }
        if (body.round, body.step) <= (page.round, page.step) {
            self.fail("I5 steps in order", format!("{id} reached {}:{} after {}:{}", body.round, body.step, page.round, page.step));
        }
        if body.catch_all {
            self.reached("the catch-all was paged");
        }
        page.back = None;
        if body.round > 1 && !body.catch_all {
            self.reached("a later round was paged");
        }
        if body.late {
            self.reached("a clock jump made a page late");
        }
        if timed_out {
            self.reached("a step was reached because nobody acknowledged");
        }
        if body.because.contains("passed it on") {
            self.reached("a decline passed the page on");
        }
        if body.because.contains("could be reached") {
            self.reached("a failed send reached the next step at once");
        }
        if !body.passed_over.is_empty() {
            self.reached("somebody could not be told and was passed over");
        }
        page.entries.clear();
        (page.messages, page.told) = (BTreeMap::new(), BTreeSet::new());
        for reached in &body.people {
            if !reached.entries.iter().any(|e| e.message.is_some()) {
                self.fail("I2 somebody is told at once", format!("{id}: nothing goes out to {}", reached.person));
            }
            let (wanted, planned) =
                (delays(&org, &reached.person, page.urgency), reached.entries.iter().map(|e| e.after).collect::<Vec<_>>());
            if wanted != planned {
                self.fail("I5 never early", format!("{id} plans {planned:?} for {}, whose rule says {wanted:?}", reached.person));
            }
            for (n, entry) in (0_u32..).zip(&reached.entries) {
                page.entries.insert((reached.person.clone(), n), (entry.after, entry.message.is_some()));
                if let Some(message) = entry.message {
                    page.messages.insert(message, (reached.person.clone(), n));
                    self.new_key(page, format!("{id}:{}:{}:{}:{n}:{}", body.round, body.step, reached.person, page.resumed));
                }
            }
        }
        (page.round, page.step, page.catch_all) = (body.round, body.step, body.catch_all);
        (page.reached_at, page.within) = (at, body.within);
        // At least one more than have, and no more than are there.
        let by_name = if page.targets.is_empty() { 0 } else { 1 + usize::from(!page.then.is_empty()) };
        let of_policy = (body.step as usize).checked_sub(1 + by_name).filter(|_| !body.catch_all);
        let form = page.policy.as_ref().and_then(|policy| policy.steps.get(of_policy?));
        let asked = form.map_or(1, |form| form.acknowledged_by as usize);
        page.wants = asked.max(page.answered.len() + 1).min(page.answered.len() + people.len());
        if page.wants != body.wants as usize {
            self.fail("I5 several acknowledge", format!("{id} wants {} and not {}", body.wants, page.wants));
        }
    }

    fn notice_raised(&mut self, id: PageId, page: &mut PageModel, body: &paging::NoticeRaised, at: Timestamp, cause: &str) {
        if !page.running {
            self.fail("I5 no escalation after the end", format!("{id} raised a notice at {at}"));
        }
        let Some((wait, raised)) = page.entries.get_mut(&(body.person.clone(), body.entry)) else {
            self.fail("I5 steps in order", format!("{id} raised an entry that was not planned: {} {}", body.person, body.entry));
            return;
        };
        let (earliest, twice) = (after(page.reached_at, *wait), *raised);
        *raised = true;
        page.messages.insert(body.message, (body.person.clone(), body.entry));
        if twice || (body.round, body.step) != (page.round, page.step) {
            self.fail("I3 one notice a key", format!("{id} raised {} {} again", body.person, body.entry));
        }
        self.new_key(page, format!("{id}:{}:{}:{}:{}:{}", body.round, body.step, body.person, body.entry, page.resumed));
        if cause.contains("/notify:") {
            self.reached("a later way was used because nobody answered");
            if at < earliest {
                self.fail("I5 never early", format!("{id} raised {} {} at {at}, planned for {earliest}", body.person, body.entry));
            }
        } else {
            self.reached("a failed send pulled the next way forward");
        }
    }

    fn new_key(&mut self, page: &mut PageModel, key: String) {
        if !page.keys.insert(key.clone()) {
            self.fail("I3 one notice a key", format!("{key} was raised twice"));
        }
    }

    pub(crate) fn org_of(&self, version: u64) -> Arc<Org> {
        self.oracle.orgs.get(&version).unwrap_or(&self.org).clone()
    }
}
