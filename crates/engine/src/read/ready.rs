//! Whether pages would reach people: the rule is `allclear_domain::org::readiness`, what was sent and tested is read here.

use std::collections::BTreeMap;
use std::sync::Arc;

use allclear_domain::access::{Right, standing};
use allclear_domain::org::model::Access;
use allclear_domain::org::readiness::{FAILURES_MIN, Gravity, Known, Sent, Tested, next_shift, readiness};
use allclear_domain::org::snapshot::Org;
use allclear_domain::paging::{MessageState, Telling};
use allclear_domain::view::{ReadinessFinding, ReadinessView};
use allclear_store::{Db, Fault, rows};
use jiff::Timestamp;

use crate::read::tried::{TestView, all_tests};
use crate::read::{NoAnswer, Queries};

/// People of one answer: those who are on call soonest first.
pub const READY_MAX: usize = 200;
/// The last messages to somebody that are looked at: enough for a few over each of their contacts.
const MESSAGES_MAX: i64 = 60;

impl Queries<'_> {
    /// Whether pages would reach people, and what would keep them from it: those who are not ready first, and of them who is on
    /// call soonest. Everybody reads their own, managers those of their teams, administrators all; `team` narrows it to its members.
    ///
    /// # Errors
    /// When the asker may not read, there is no such team, or the store does not answer.
    pub async fn readiness(&self, team: Option<&str>) -> Result<Vec<ReadinessView>, NoAnswer> {
        self.may(Right::See)?;
        let org = self.engine().org();
        let standing = standing(&org, self.who());
        let members =
            |team: &allclear_domain::org::model::Team| -> Vec<String> { team.members.iter().chain(&team.managers).cloned().collect() };
        let mut people: Vec<String> = Vec::new();
        match team {
            Some(id) => {
                let known = org.team(id).filter(|_| self.has(Right::SeeOrganisation));
                people.extend(known.map(members).ok_or(NoAnswer::Missing("team"))?);
            }
            None => people.extend(org.bundle().people.iter().map(|person| person.id.clone())),
        }
        let managed: Vec<String> = org.bundle().teams.iter().filter(|team| standing.manages.contains(&team.id)).flat_map(members).collect();
        let is_all = standing.access == Access::Administrator && self.has(Right::Administer);
        let is_mine = |id: &String| is_all || self.who().person() == Some(id) || managed.contains(id);
        people.retain(is_mine);
        people.sort();
        people.dedup();
        self.ready(&org, people).await
    }

    /// The same of whoever asks; nothing where they are no person.
    ///
    /// # Errors
    /// When the asker may not read, or the store does not answer.
    pub async fn my_readiness(&self) -> Result<Option<ReadinessView>, NoAnswer> {
        self.may(Right::See)?;
        let org = self.engine().org();
        let me = self.who().person().map(ToOwned::to_owned).into_iter().collect();
        Ok(self.ready(&org, me).await?.pop())
    }

    async fn ready(&self, org: &Arc<Org>, people: Vec<String>) -> Result<Vec<ReadinessView>, NoAnswer> {
        let engine = self.engine();
        Ok(views(engine.db(), org, people, &|channel| engine.lacks(channel), engine.now()).await?)
    }
}

/// Whether pages would reach these people; at most [`READY_MAX`] of them, who is on call soonest first.
///
/// # Errors
/// When the store does not answer.
pub(crate) async fn views(
    db: &Db,
    org: &Org,
    people: Vec<String>,
    lacks: &(dyn Fn(&str) -> Option<&'static str> + Sync),
    now: Timestamp,
) -> Result<Vec<ReadinessView>, Fault> {
    let tests = if people.is_empty() { Vec::new() } else { all_tests(db).await? };
    let mut soonest: Vec<(Option<Timestamp>, String, Option<String>)> = people
        .into_iter()
        .map(|person| {
            let (at, schedule) = next_shift(org, &person, now).unzip();
            (at, person, schedule)
        })
        .collect();
    // Without a shift last.
    soonest.sort_by_key(|(at, person, _)| (at.is_none(), *at, person.clone()));
    soonest.truncate(READY_MAX);
    let mut out = Vec::new();
    for (on_call_at, person, schedule) in soonest {
        let Some(form) = org.person(&person) else { continue };
        let sent = sent_to(db, &person).await?;
        let found = readiness(org, &person, &Known { lacks, sent: &sent, tested: tested(&tests, &person) });
        let findings = found.iter().map(|finding| ReadinessFinding {
            kind: finding.word().to_owned(),
            gravity: finding.gravity().word().to_owned(),
            contact: finding.contact().map(ToOwned::to_owned),
            says: finding.says(),
            works: finding.works().to_owned(),
        });
        out.push(ReadinessView {
            name: form.name.clone(),
            ready: found.iter().all(|finding| finding.gravity() == Gravity::Weak),
            on_call_at,
            schedule,
            findings: findings.collect(),
            person,
        });
    }
    let weight = |view: &ReadinessView| match view.findings.first().map(|finding| finding.gravity.as_str()) {
        Some("never") => 0,
        Some("doubtful") => 1,
        Some(_) => 2,
        None => 3,
    };
    // Within each, in the order of their shifts.
    out.sort_by_key(weight);
    Ok(out)
}

/// The same of everybody who is on call within two weeks and not ready.
///
/// # Errors
/// When the store does not answer.
pub(crate) async fn on_call_soon(
    db: &Db,
    org: &Org,
    lacks: &(dyn Fn(&str) -> Option<&'static str> + Sync),
    now: Timestamp,
) -> Result<Vec<ReadinessView>, Fault> {
    let on_call = org.bundle().people.iter().map(|person| person.id.clone()).filter(|id| next_shift(org, id, now).is_some()).collect();
    let mut views = views(db, org, on_call, lacks, now).await?;
    views.retain(|view| !view.ready);
    Ok(views)
}

/// What the tests of somebody showed, the newest first.
fn tested(tests: &[TestView], person: &str) -> Tested {
    let mut theirs = tests.iter().filter(|test| test.person == person);
    let Some(last) = theirs.next() else { return Tested::Never };
    let arrived = |test: &TestView| test.ways.iter().any(|way| matches!(way.telling, Telling::Delivered | Telling::Accepted));
    if last.waits {
        Tested::Waits { answered_before: theirs.any(|test| test.answered_at().is_some()) }
    } else if last.answered_at().is_some() {
        Tested::Answered
    } else if arrived(last) {
        Tested::Unanswered(last.at)
    } else {
        Tested::Failed(last.at)
    }
}

/// What became of the last messages to somebody, by contact; a code says nothing of a contact that is in use.
async fn sent_to(db: &Db, person: &str) -> Result<Vec<Sent>, Fault> {
    let mut by_contact: BTreeMap<String, Sent> = BTreeMap::new();
    for (contact, state, why) in rows::message::ended_of(db, person, MESSAGES_MAX).await? {
        let sent = by_contact.entry(contact.clone()).or_insert_with(|| Sent { contact, ..Sent::default() });
        if sent.arrived.is_empty() {
            sent.why = why;
        }
        if sent.arrived.len() < FAILURES_MIN {
            sent.arrived.push(state != MessageState::Rejected);
        }
    }
    Ok(by_contact.into_values().collect())
}
