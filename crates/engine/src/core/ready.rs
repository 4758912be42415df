//! Once a day: who is on call within two weeks, and no page would reach them; and whose turn needs cover, since they are away or have a
//! public holiday. They and the managers of the schedule's team are told before the shift begins, while there are schedules at all.
//!
//! Each look opens the next day's. It tells some days before a shift and not each day, and each day of one that runs, so that
//! whoever mends it hears no more of it, and whoever does not is not told fourteen times.

use allclear_domain::expect::{Expectation, Owner, Rule, Standing};
use allclear_domain::ids::MessageId;
use allclear_domain::org::away::{Uncovered, uncovered};
use allclear_domain::org::model::NotifyUrgency;
use allclear_domain::org::readiness::{SHIFT_AHEAD, runs};
use allclear_domain::org::snapshot::Org;
use allclear_domain::paging::MessageDraft;
use allclear_domain::time::Length;
use allclear_domain::view::ReadinessView;
use allclear_domain::wire::{Notice, NoticeKind};
use allclear_store::{CommitError, Db, Fault, rows};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::due::{note_look, settle};
use super::unit::Unit;
use super::{Core, Decided, Loaded, Need, Stop};
use crate::note::{strangers_text, team_of};

/// When it is looked at, in UTC: in working hours of most of the houses that run it, and in nobody's night in Europe.
const HOUR: i8 = 8;
/// So many days before a shift begins its person and the managers are told; while it runs they are told daily.
const DAYS_BEFORE: [i64; 5] = [13, 7, 3, 1, 0];
/// Turns that need cover of which one look tells: more than a large house has in a month.
const COVER_TOLD_MAX: usize = 200;

/// The next look after an instant.
pub(crate) fn next_look(now: Timestamp) -> Expectation {
    let today = now.to_zoned(TimeZone::UTC);
    let at = |day: &jiff::Zoned| day.date().at(HOUR, 0, 0, 0).to_zoned(TimeZone::UTC).map(|at| at.timestamp());
    let later = at(&today).ok().filter(|at| *at > now).or_else(|| at(&today.tomorrow().ok()?).ok()).unwrap_or(now);
    let key = format!("ready:{}", later.to_zoned(TimeZone::UTC).date());
    let mut expectation =
        Expectation::open(Owner::Org, key, Rule::Readiness, None, "readiness".to_owned(), now, Length::between(now, later));
    expectation.next_look_at = later;
    expectation
}

/// Whether it is looked at daily at all.
pub(crate) fn is_looked_at(org: &Org) -> bool {
    !org.bundle().schedules.is_empty()
}

/// Opens the look where there are schedules and none is awaited.
///
/// # Errors
/// When the store does not answer.
pub(crate) async fn expect(db: &Db, org: &Org, now: Timestamp) -> Result<(), Fault> {
    if !is_looked_at(org) || rows::expectation::is_awaited(db, Rule::Readiness).await? {
        return Ok(());
    }
    match db.commit(vec![rows::expectation::open(&next_look(now))]).await {
        // Another node was first.
        Ok(()) | Err(CommitError::Conflict { .. }) => Ok(()),
        Err(CommitError::Fault(fault)) => Err(fault),
    }
}

/// What somebody is told of, where this is a day for it: what nobody may wait for a test to find.
fn told_today(view: &ReadinessView, now: Timestamp) -> Option<(Timestamp, String)> {
    let finding = view.findings.first().filter(|finding| finding.gravity == "never" || finding.kind.starts_with("test_"))?;
    let at = view.on_call_at?;
    let days = at.duration_since(now).as_hours().div_euclid(24);
    (runs(at, now) || DAYS_BEFORE.contains(&days)).then(|| (at, format!("{}. What would mend it: {}", finding.says, finding.works)))
}

impl Core {
    pub(super) fn look_ready(&mut self, unit: &mut Unit, given: &Expectation) -> Decided<()> {
        let read = self.read.iter().find_map(|read| if let Loaded::Unready(views) = read { Some(views.clone()) } else { None });
        let views = read.ok_or(Stop::Need(Need::Unready))?;
        let mut told = 0;
        for view in &views {
            let Some((at, why)) = told_today(view, unit.now) else { continue };
            told += 1;
            self.tell_of_readiness(unit, view, at, &why);
        }
        told += self.tell_of_cover(unit);
        told += self.tell_of_strangers(unit);
        let (standing, why) = if told == 0 { (Standing::Met, "nobody had to be told") } else { (Standing::Missed, "they were told") };
        settle(unit, given, standing, why);
        if is_looked_at(&self.org) {
            let next = next_look(unit.now);
            note_look(unit, next.next_look_at);
            unit.write(rows::expectation::open(&next));
        }
        Ok(())
    }

    /// The person, as far as anything reaches them, and the managers of the schedule's team.
    fn tell_of_readiness(&self, unit: &mut Unit, view: &ReadinessView, at: Timestamp, why: &str) {
        let schedule = view.schedule.as_deref().unwrap_or_default();
        let form = self.org.schedule_form(schedule);
        let name = form.and_then(|form| form.name.as_deref()).unwrap_or(schedule);
        let managers = form.and_then(|form| form.team.as_deref()).and_then(|id| self.org.team(id)).map(|team| team.managers.as_slice());
        let from = if runs(at, unit.now) { "now".to_owned() } else { format!("from {}", super::notices::clock(at)) };
        let others = managers.unwrap_or_default().iter().filter(|id| **id != view.person);
        for to in std::iter::once(&view.person).chain(others) {
            let who = if *to == view.person { "You are".to_owned() } else { format!("{} is", view.name) };
            let text = format!("{who} on call in {name} {from}, and a page may not arrive: {why}.");
            let key = format!("ready:{}:{schedule}:{to}:{}", view.person, unit.now.as_second());
            self.tells(unit, to, key, NoticeKind::Readiness, text);
        }
    }

    /// Whoever has a turn while they are away or have a public holiday, and the managers of the schedule's team, on the days for it: one
    /// message for each person and schedule, however many turns there are.
    fn tell_of_cover(&self, unit: &mut Unit) -> usize {
        let is_today = |at: Timestamp| runs(at, unit.now) || DAYS_BEFORE.contains(&at.duration_since(unit.now).as_hours().div_euclid(24));
        let mut found: Vec<(Uncovered, usize)> = Vec::new();
        for one in uncovered(&self.org, unit.now, None).into_iter().filter(|one| is_today(one.starts_at)) {
            match found.iter_mut().find(|(known, _)| known.person == one.person && known.schedule == one.schedule) {
                Some((_, more)) => *more += 1,
                None => found.push((one, 0)),
            }
        }
        for (one, more) in found.iter().take(COVER_TOLD_MAX) {
            let form = self.org.schedule_form(&one.schedule);
            let name = form.and_then(|form| form.name.as_deref()).unwrap_or(&one.schedule);
            let managers = form.and_then(|form| form.team.as_deref()).and_then(|id| self.org.team(id)).map(|team| team.managers.as_slice());
            let others = managers.unwrap_or_default().iter().filter(|id| **id != one.person);
            let called = self.org.person(&one.person).map_or(one.person.as_str(), |person| person.name.as_str());
            let more = if *more == 0 { String::new() } else { format!(", and {more} more times") };
            for to in std::iter::once(&one.person).chain(others) {
                let zone = self.org.zone_of(to);
                let shown = |at: Timestamp| at.to_zoned(zone.clone()).strftime("%a %-d %b %H:%M").to_string();
                let (starts, ends, zone) = (shown(one.starts_at), shown(one.ends_at), zone.iana_name().unwrap_or("UTC"));
                let text = format!(
                    "{called} {} and is on call in {name}: {starts} – {ends} ({zone}){more}. Nobody has it instead: ask for cover under My \
                     shifts, or put somebody on.",
                    one.why(),
                );
                let key = format!("cover:{}:{}:{to}:{}:{}", one.person, one.schedule, one.starts_at.as_second(), unit.now.as_second());
                if self.tells(unit, to, key, NoticeKind::Shift, text).is_none() {
                    tracing::debug!(person = %to, "nothing reaches whoever would be told of a turn that needs cover");
                }
            }
        }
        found.len()
    }

    /// Events of external calendars that mean nobody who is known: to whoever looks after the schedule, on the days for it.
    fn tell_of_strangers(&self, unit: &mut Unit) -> usize {
        let now = unit.now;
        let is_today = |at: Timestamp| runs(at, now) || DAYS_BEFORE.contains(&at.duration_since(now).as_hours().div_euclid(24));
        let to = unit.now.checked_add(SHIFT_AHEAD).unwrap_or(Timestamp::MAX);
        let mut told = 0;
        for form in self.org.bundle().schedules.iter().filter(|form| !form.external_calendars.is_empty()) {
            let Some(schedule) = self.org.schedule(&form.id) else { continue };
            let mut found = schedule.strangers(unit.now, to).0;
            found.retain(|one| is_today(one.starts_at));
            found.dedup_by(|a, b| a.said == b.said && a.summary == b.summary);
            if found.is_empty() {
                continue;
            }
            told += 1;
            let text = strangers_text(&self.org, form, &found);
            for to in team_of(&self.org, form) {
                let key = format!("stranger:{}:{to}:{}", form.id, unit.now.as_second());
                if self.tells(unit, &to, key, NoticeKind::Shift, text.clone()).is_none() {
                    tracing::debug!(person = %to, "nothing reaches whoever would be told of somebody who is not known");
                }
            }
        }
        told
    }

    /// A message of no page and of no incident, over the first way by which somebody is told what may wait; nothing where there is none.
    pub(super) fn tells(&self, unit: &mut Unit, to: &str, key: String, kind: NoticeKind, text: String) -> Option<MessageId> {
        let way = self.org.reach(to, NotifyUrgency::Low).into_iter().next()?;
        let notice = Notice::of_no_incident(kind, key, to, text, [unit.id(), unit.id()]);
        let id = MessageId::from_bits(unit.id());
        let draft = MessageDraft {
            id,
            person: to.to_owned(),
            contact: way.contact.id.clone(),
            channel: way.channel.to_owned(),
            org_version: self.org.version,
            notice,
        };
        let node = (!self.setup.quarantined).then_some(self.setup.node);
        unit.send_alone(&draft, node);
        Some(id)
    }
}

#[cfg(test)]
mod tests {
    use allclear_domain::view::ReadinessFinding;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_next_look_is_the_next_morning() {
        let key = |now: &str| (next_look(at(now)).key, next_look(at(now)).next_look_at.to_string());
        assert_eq!(key("2026-03-01T07:59:59Z"), ("ready:2026-03-01".to_owned(), "2026-03-01T08:00:00Z".to_owned()));
        assert_eq!(key("2026-03-01T08:00:00Z"), ("ready:2026-03-02".to_owned(), "2026-03-02T08:00:00Z".to_owned()));
    }

    #[test]
    fn some_days_before_a_shift_are_days_to_tell() {
        let view = |kind: &str, gravity: &str, on_call: &str| ReadinessView {
            person: "ana".into(),
            name: "Ana".into(),
            ready: false,
            on_call_at: Some(at(on_call)),
            schedule: Some("s".into()),
            findings: vec![ReadinessFinding {
                kind: kind.into(),
                gravity: gravity.into(),
                contact: None,
                says: "there is none".into(),
                works: "add one".into(),
            }],
        };
        let now = at("2026-03-01T08:00:00Z");
        let told = |kind: &str, gravity: &str, on_call: &str| told_today(&view(kind, gravity, on_call), now).is_some();
        assert!(told("no_contact", "never", "2026-02-28T00:00:00Z"), "daily while it runs");
        let days: Vec<i64> = (0..14)
            .filter(|days| {
                told("no_contact", "never", &now.checked_add(jiff::SignedDuration::from_hours(days * 24 + 1)).unwrap().to_string())
            })
            .collect();
        assert_eq!(days, [0, 1, 3, 7, 13]);
        assert!(told("test_failed", "doubtful", "2026-03-01T09:00:00Z") && !told("never_tested", "doubtful", "2026-03-01T09:00:00Z"));
        assert!(!told("only_one", "weak", "2026-03-01T09:00:00Z"));
    }
}
