//! How people are reached, and what came of trying it: test pages, each with its receipts and its answer.

use std::collections::BTreeSet;

use allclear_domain::access::Right;
use allclear_domain::org::model::NotifyUrgency;
use allclear_domain::paging::{Page, Status, Telling};
use allclear_store::{Db, Fault, rows};
use jiff::Timestamp;

use crate::read::{NoAnswer, Queries};

/// Test pages that are looked through, newest first: of a house of a thousand people everybody's in a quarter.
const TESTS_MAX: i64 = 1000;

/// A test page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestView {
    /// Its incident's id.
    pub incident: String,
    pub person: String,
    pub at: Timestamp,
    /// When it was acknowledged, by whomever.
    pub acknowledged_at: Option<Timestamp>,
    /// Whether they answered it themselves by its message: only that shows that they are reached.
    pub reached: bool,
    /// Whether it still waits for an answer.
    pub waits: bool,
    pub ways: Vec<TriedWay>,
}

/// One way of a test page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TriedWay {
    pub contact: String,
    pub channel: String,
    pub telling: Telling,
}

/// Whether anybody is known to be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FirstTest {
    /// Somebody answered a test by its message.
    Answered,
    /// Nobody did yet; the newest test, where one was sent.
    Wanted(Option<TestView>),
}

/// Somebody who would be paged now, and might not be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unproven {
    pub person: String,
    pub name: String,
    /// Whether they have no contact that can be paged; else they only never answered a test.
    pub no_way: bool,
}

impl TestView {
    /// When they answered it by its message.
    #[must_use]
    pub fn answered_at(&self) -> Option<Timestamp> {
        self.acknowledged_at.filter(|_| self.reached)
    }

    fn of(page: &Page) -> Option<Self> {
        let person = page.targets.first()?.strip_prefix("person:")?.to_owned();
        let answered = page.status == Status::Acknowledged;
        let way = |entry: &allclear_domain::paging::Entry| TriedWay {
            contact: entry.contact.clone(),
            channel: entry.channel.clone(),
            telling: entry.telling,
        };
        Some(Self {
            incident: page.incident_id().to_string(),
            person,
            at: page.started_at,
            acknowledged_at: page.ended_at.filter(|_| answered),
            reached: page.reached.is_some(),
            waits: page.status == Status::Running,
            ways: page.entries.iter().map(way).collect(),
        })
    }
}

/// Everybody's test pages, newest first.
///
/// # Errors
/// When the store does not answer.
pub(crate) async fn all_tests(db: &Db) -> Result<Vec<TestView>, Fault> {
    let pages = rows::page::of_exercises(db, TESTS_MAX).await?;
    Ok(pages.iter().filter(|page| page.alone).filter_map(TestView::of).collect())
}

impl Queries<'_> {
    /// Test pages, newest first: everybody's for administrators, their own for everybody else.
    ///
    /// # Errors
    /// When the asker may not read, or the store does not answer.
    pub async fn tests(&self) -> Result<Vec<TestView>, NoAnswer> {
        self.may(Right::See)?;
        let mut tests = all_tests(self.db()).await?;
        let all = self.has(Right::Administer);
        tests.retain(|test| all || Some(test.person.as_str()) == self.who().person());
        Ok(tests)
    }

    /// Whether a test page to somebody still waits for their answer, by a way that did not fail; not where they are reached in
    /// other ways by now, which it did not try.
    ///
    /// # Errors
    /// When the asker may not read, or the store does not answer.
    pub async fn test_waits(&self, person: &str) -> Result<bool, NoAnswer> {
        let org = self.engine().org();
        let ways: BTreeSet<(&str, &str)> =
            org.reach(person, NotifyUrgency::High).iter().map(|way| (way.contact.id.as_str(), way.channel)).collect();
        let is_as_now = |test: &TestView| {
            let tried: BTreeSet<(&str, &str)> = test.ways.iter().map(|way| (way.contact.as_str(), way.channel.as_str())).collect();
            tried == ways
        };
        let goes_on = |test: &TestView| test.waits && test.ways.iter().any(|way| way.telling != Telling::Failed);
        Ok(self.tests().await?.iter().any(|test| test.person == person && goes_on(test) && is_as_now(test)))
    }

    /// Who is on call now and has no way to be paged, or never answered a test of it.
    ///
    /// # Errors
    /// When the asker is no administrator, or the store does not answer.
    pub async fn unproven(&self, at: Timestamp) -> Result<Vec<Unproven>, NoAnswer> {
        let org = self.whole_organisation()?;
        let mut on_call: Vec<(String, Option<String>)> = Vec::new();
        for one in self.on_call(at)?.into_iter().flat_map(|shift| shift.people) {
            if on_call.iter().all(|(known, _)| *known != one.person) {
                on_call.push((one.person, one.name));
            }
        }
        let ids: Vec<String> = on_call.iter().map(|(id, _)| id.clone()).collect();
        let reached = rows::page::reached(self.db(), &ids).await?;
        let one = |(person, name): (String, Option<String>)| {
            let no_way = org.reach(&person, NotifyUrgency::High).is_empty();
            let unproven = no_way || !reached.contains(&person);
            unproven.then(|| Unproven { name: name.unwrap_or_else(|| person.clone()), person, no_way })
        };
        Ok(on_call.into_iter().filter_map(one).collect())
    }

    /// The newest test page of anybody, until somebody answered one by its message: whoever sets this up still waits for that.
    ///
    /// # Errors
    /// When the asker is no administrator, or the store does not answer.
    pub async fn first_test(&self) -> Result<FirstTest, NoAnswer> {
        self.may(Right::Administer)?;
        if rows::page::anybody_reached(self.db()).await? {
            return Ok(FirstTest::Answered);
        }
        let newest = rows::page::newest_test(self.db()).await?;
        Ok(FirstTest::Wanted(newest.as_ref().and_then(TestView::of)))
    }
}
