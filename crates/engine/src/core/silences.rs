//! Silences act on what fires already: when they are made, changed or removed, and when a planned one begins.
//!
//! Each of these opens an expectation of the organisation. Its look judges a portion of the open alerts by the
//! silences in force and opens the next, so that ten thousand alerts hold up nobody, a crash loses no place, and
//! of two nodes each portion is done by one. An incident whose open alerts are all held pages nobody, and says
//! so; when one of them fires freely again it pages anew, if nobody has it.
//!
//! Not here: what a silence matches (`domain::signal::suppression`), and the end of a silence, which each alert
//! that it holds expects for itself.

use std::collections::HashMap;

use allclear_domain::expect::{Expectation, Owner, Rule, Settle, Standing};
use allclear_domain::ids::{AlertId, IncidentId};
use allclear_domain::incident::alarms::Silencing;
use allclear_domain::incident::{self, State};
use allclear_domain::org::snapshot::Org;
use allclear_domain::plants::planted;
use allclear_domain::signal::{Alert, suppression};
use allclear_domain::time::{Length, after};
use allclear_store::unread::Found;
use allclear_store::{Db, Fault, rows};
use jiff::Timestamp;

use super::memory::{AlertKey, OpenAlert};
use super::unit::{AlertChange, Unit};
use super::{Core, Decided, Loaded, Need, Stop};
use crate::core::due::{as_signal, note_look, settle};

/// Open alerts read for one look: some milliseconds of reading and matching.
const READ_MAX: i64 = 512;
/// Alerts of which one look changes what holds them. Each may stop a page, in a commit of a few hundred rows:
/// other commands wait no longer than for one of these.
const CHANGED_MAX: usize = 64;
/// A node that has not heard of the organisation that a look is about looks again after this time: longer than
/// a change takes to arrive, shorter than anybody notices.
const ORG_ARRIVES_WITHIN: Length = Length::from_millis(250);
/// The alerts of an incident look at the end of their silences themselves, at the same instant; where that is
/// not done yet the incident looks again after this time.
const LOOK_AGAIN_AFTER: Length = Length::from_secs(5);
/// A silence that ended holds an incident no longer than this, whatever its alerts say: a dozen looks, and soon enough
/// for whoever waits for the page.
const HELD_PAST_ITS_END_MAX: Length = Length::from_secs(60);
/// Why the pages of an incident stop.
const HELD: &str = "silences hold all of its alerts";
/// Why it pages again.
const FREE: &str = "an alert of it is held by no silence any more";

/// Which look at the silences it is: `VERSION:WHAT`, and after `@` the alert up to which it was done.
struct Key<'a> {
    version: u64,
    /// With the version.
    base: &'a str,
    after: &'a str,
}

impl<'a> Key<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let (base, after) = text.rsplit_once('@').unwrap_or((text, ""));
        let version = base.split_once(':')?.0.parse().ok()?;
        Some(Self { version, base, after })
    }
}

/// Key of the look after the silences changed.
fn key_changed(version: u64) -> String {
    format!("{version}:changed")
}

/// Key of the look when a silence begins that was written at this version.
fn key_begins(version: u64, silence: &str) -> String {
    format!("{version}:begins:{silence}")
}

fn expectation(key: String, cause: &str, now: Timestamp, at: Timestamp) -> Expectation {
    let mut expectation = Expectation::open(Owner::Org, key, Rule::SilencesJudged, None, cause.to_owned(), now, Length::between(now, at));
    expectation.next_look_at = at.max(now);
    expectation
}

/// A change of the organisation that changes silences: the open alerts are judged as soon as it is in force.
#[must_use]
pub fn when_changed(version: u64, now: Timestamp) -> Expectation {
    expectation(key_changed(version), "config", now, now)
}

/// A silence that begins later, as written at this version.
#[must_use]
pub fn when_it_begins(version: u64, silence: &str, starts_at: Timestamp, now: Timestamp) -> Option<Expectation> {
    (starts_at > now).then(|| expectation(key_begins(version, silence), "config", now, starts_at))
}

/// What was expected of a silence as written at an earlier version, which is changed or removed.
#[must_use]
pub fn no_longer_begins(version: u64, silence: &str) -> Settle {
    Settle { owner: Owner::Org, key: Some(key_begins(version, silence)), standing: Standing::Void, why: "the silence was changed" }
}

/// Of the open alerts after one: those that the silences in force hold in another way than is stored, and after
/// which to go on, if any are left. One that does not read is left as it is, and the others are judged.
pub(crate) async fn misjudged(db: &Db, org: &Org, after: &str, now: Timestamp) -> Result<(Found<Alert>, Option<String>), Fault> {
    let (all, next) = rows::alert::open_whole_after(db, after, READ_MAX).await?;
    let mut found = Found { read: Vec::new(), unread: all.unread };
    let mut last = None;
    for alert in all.read {
        if found.read.len() == CHANGED_MAX {
            return Ok((found, last));
        }
        last = Some(alert.id.to_string());
        // Without its integration nothing says what may hold it: then nothing does.
        let held = org.integration(&alert.integration).and_then(|from| suppression(org, from, &as_signal(&alert), now));
        if held != alert.suppressed {
            found.read.push(alert);
        }
    }
    Ok((found, next))
}

impl Core {
    /// The silences changed, or one begins: a portion of the open alerts is judged.
    pub(super) fn look_silences(&mut self, unit: &mut Unit, given: &Expectation) -> Decided<()> {
        let Some(key) = Key::read(&given.key) else {
            settle(unit, given, Standing::Void, "its key does not read");
            return Ok(());
        };
        if self.org.version < key.version {
            // Another node changed the organisation, and it has not come here yet.
            let at = after(unit.now, ORG_ARRIVES_WITHIN);
            unit.write(rows::expectation::rearm(given, at));
            note_look(unit, at);
            return Ok(());
        }
        let read = self.read.iter().find_map(|read| {
            if let Loaded::Misjudged(after, alerts, next) = read
                && *after == key.after
            {
                Some((alerts.clone(), next.clone()))
            } else {
                None
            }
        });
        let (alerts, next) = read.ok_or_else(|| Stop::Need(Need::Misjudged(key.after.to_owned())))?;
        // What has to be read is asked for before anything is judged, which would be done again for each.
        for id in alerts.iter().filter_map(|alert| alert.incident) {
            self.incident(unit, id)?;
        }
        settle(unit, given, Standing::Missed, "open alerts were judged by the silences in force");
        if !planted("silence-ignores-firing") {
            for alert in &alerts {
                self.judge_stored(unit, alert)?;
            }
        }
        self.tell_silences(unit)?;
        if let Some(next) = next {
            let mut portion = expectation(format!("{}@{next}", key.base), &unit.cause, unit.now, unit.now);
            portion.occurrence = unit.occurrence();
            unit.expect(&portion);
        }
        Ok(())
    }

    /// Judges an alert as it is stored.
    fn judge_stored(&mut self, unit: &mut Unit, stored: &Alert) -> Decided<()> {
        let org = self.org.clone();
        let key = AlertKey::new(&stored.integration, &stored.dedup_key);
        let alert = self.freshest(stored);
        let Some(integration) = org.integration(&stored.integration) else {
            Self::free(unit, stored, key, alert);
            return Ok(());
        };
        self.judge_again(unit, integration, &as_signal(stored), &key, alert)
    }

    /// The integration of an alert was removed: no silence that was made for it may hold the alert for ever. What the
    /// alert had been judged as stays, since no route says anything else.
    fn free(unit: &mut Unit, stored: &Alert, key: AlertKey, mut alert: OpenAlert) {
        let mut stored = unit.whole.get(&stored.id).unwrap_or(stored).clone();
        unit.note_alert(&alert);
        let was = alert.clone();
        alert.silenced_until = None;
        stored.suppressed = None;
        (stored.last_seen_at, stored.ends_at, stored.count) = (alert.last_seen_at, alert.ends_at, alert.count);
        Self::note_silence(unit, &was, &stored);
        unit.write(rows::alert::judged(&stored));
        unit.whole.insert(alert.id, stored);
        unit.alerts.push(AlertChange::Set(key, alert));
    }

    /// The end of a silence that holds an alert.
    pub(super) fn look_silence(&mut self, unit: &mut Unit, expectation: &Expectation, id: AlertId) -> Decided<()> {
        let stored = match self.whole_alert(id)? {
            Some(stored) => stored,
            None => return Err(Stop::Need(Need::Alert(id))),
        };
        if stored.ended.is_some() || stored.suppressed.is_none() {
            settle(unit, expectation, Standing::Void, "the alert is suppressed no more");
            return Ok(());
        }
        settle(unit, expectation, Standing::Missed, "the silence ended and the alert is open");
        self.judge_stored(unit, &stored)?;
        self.tell_silences(unit)
    }

    /// An incident that silences hold is looked at when the first of them ends: its alerts have said by then that
    /// they are free; if none did it pages all the same.
    pub(super) fn look_silenced(&mut self, unit: &mut Unit, expectation: &Expectation, id: IncidentId) -> Decided<()> {
        let (state, _) = self.incident(unit, id)?;
        if !state.state.is_open() || !state.alarms.is_held() {
            settle(unit, expectation, Standing::Void, "no silence holds it any more");
            return Ok(());
        }
        let Some(until) = self.held_until(unit, id)? else {
            settle(unit, expectation, Standing::Missed, "no silence holds its alerts any more");
            unit.silenced.entry(id).or_default();
            return self.tell_silences(unit);
        };
        // By when this look was due and not by the clock: after a standstill the alerts come first all the same.
        if expectation.next_look_at >= after(until, HELD_PAST_ITS_END_MAX) {
            settle(unit, expectation, Standing::Missed, "its silence ended long ago and its alerts did not say so");
            return self.silence_incident(unit, id, Silencing::default());
        }
        let at = if until > unit.now { until } else { after(unit.now, LOOK_AGAIN_AFTER) };
        unit.write(rows::expectation::rearm(expectation, at));
        note_look(unit, at);
        Ok(())
    }

    /// Notes what a judgement changed about what holds an alert, for the log of its incident.
    pub(super) fn note_silence(unit: &mut Unit, was: &OpenAlert, stored: &Alert) {
        let Some(id) = stored.incident else { return };
        let is = stored.suppressed.as_ref();
        if was.silenced_until == is.map(|held| held.until) && was.incident == stored.incident {
            return;
        }
        let change = unit.silenced.entry(id).or_default();
        let was_held_here = was.silenced_until.is_some() && was.incident == stored.incident;
        match is {
            Some(held) => {
                change.silenced += u64::from(!was_held_here);
                if !change.silences.contains(&held.silence) {
                    change.silences.push(held.silence.clone());
                }
            }
            None => change.unsilenced += u64::from(was_held_here),
        }
    }

    /// Whether silences may hold an incident: cheap, for every alert that ends.
    pub(super) fn may_be_held(&self, state: &incident::Incident) -> bool {
        state.alarms.is_held() || self.silenced_of.contains_key(&state.id) || (self.setup.shared && !self.org.silences().is_empty())
    }

    /// Tells the incidents of this unit what silences hold of them, and stops or starts their pages.
    pub(super) fn tell_silences(&mut self, unit: &mut Unit) -> Decided<()> {
        for (id, mut change) in std::mem::take(&mut unit.silenced) {
            let before = self.incident(unit, id)?;
            if !before.0.state.is_open() {
                continue;
            }
            change.held_until = self.held_until(unit, id)?;
            self.silence_incident(unit, id, change)?;
        }
        Ok(())
    }

    /// Carries out what silences do to an incident.
    pub(super) fn silence_incident(&mut self, unit: &mut Unit, id: IncidentId, change: Silencing) -> Decided<()> {
        let before = self.incident(unit, id)?;
        let was_held = before.0.alarms.is_held();
        let is_held = change.held_until.is_some();
        self.incident_command(unit, id, Some(before), incident::alarms::Command::Silence(change))?;
        match (was_held, is_held) {
            (false, true) => self.stop_pages(unit, id, HELD),
            (true, false) => self.page_after_hold(unit, id),
            (false, false) | (true, true) => Ok(()),
        }
    }

    /// Nobody was paged while silences held it: who has to come is decided now.
    pub(super) fn page_after_hold(&mut self, unit: &mut Unit, id: IncidentId) -> Decided<()> {
        let (state, _) = self.incident(unit, id)?;
        if !state.state.is_open() || state.state == State::Candidate || state.is_held() {
            // Somebody has it, or decides about it.
            return Ok(());
        }
        let mut alert = None;
        for page in self.pages_of(unit, id) {
            let (page, _) = self.page(unit, page)?;
            if page.status == allclear_domain::paging::Status::Running {
                // Somebody paged people by hand meanwhile.
                return Ok(());
            }
            alert = page.alert.or(alert);
        }
        self.start_page(unit, id, None, alert, FREE, false)
    }

    /// Open alerts of an incident, those of them that silences hold, and until when where the store says so; before what
    /// this unit changes.
    pub(super) fn open_and_held(&self, id: IncidentId) -> Decided<(u64, u64, Option<Timestamp>)> {
        if self.setup.shared || self.careful {
            // Other nodes may know of more: the store counts.
            let read = self.read.iter().find_map(|read| {
                if let Loaded::Held(other, open, held, until) = read
                    && *other == id
                {
                    Some((*open, *held, *until))
                } else {
                    None
                }
            });
            return read.ok_or(Stop::Need(Need::Held(id)));
        }
        let open = self.alerts_of.get(&id).map_or(0, std::collections::BTreeSet::len) as u64;
        Ok((open, self.silenced_of.get(&id).copied().unwrap_or(0), None))
    }

    /// When the first of the silences ends that hold every open alert of an incident, once this unit is carried
    /// out; none where an alert fires freely, or none is open, or a person declared it.
    fn held_until(&self, unit: &Unit, id: IncidentId) -> Decided<Option<Timestamp>> {
        if self.incident(unit, id)?.0.is_a_persons_word() {
            // What somebody said is no alert, and no silence holds it.
            return Ok(None);
        }
        // How this unit leaves the alerts that it changed.
        let mut now: HashMap<AlertId, Option<&OpenAlert>> = HashMap::new();
        for change in &unit.alerts {
            match change {
                AlertChange::Open(_, alert) | AlertChange::Set(_, alert) => drop(now.insert(alert.id, Some(alert))),
                AlertChange::End(_, alert, _) => drop(now.insert(*alert, None)),
                AlertChange::EndOfIncident(_)
                | AlertChange::Give { .. }
                | AlertChange::GiveThese { .. }
                | AlertChange::Touch(..)
                | AlertChange::Says(..)
                | AlertChange::Flushed(_) => {}
            }
        }
        let here = |alert: &&OpenAlert| alert.incident == Some(id);
        let changed = || now.values().flatten().copied().filter(here);
        let was_here = |alert: &&AlertId| unit.had.get(alert).copied().flatten() == Some(id);
        let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        let more = count(changed().count()) - count(now.keys().filter(was_here).count());
        let more_held = count(changed().filter(|alert| alert.silenced_until.is_some()).count())
            - count(now.keys().filter(was_here).filter(|alert| unit.had_silenced.contains(alert)).count());
        let soonest = changed().filter_map(|alert| alert.silenced_until).min();
        let (open, held, until) = self.open_and_held(id)?;
        let (open, held) = (open.saturating_add_signed(more), held.saturating_add_signed(more_held));
        if open == 0 || held < open {
            return Ok(None);
        }
        let untouched = self.alerts_of.get(&id).into_iter().flatten().filter(|alert| !now.contains_key(alert));
        let known = untouched
            .filter_map(|alert| self.alert_keys.get(alert).and_then(|key| self.alerts.get(key)))
            .filter_map(|alert| alert.silenced_until)
            .min();
        // All are held: where none says until when (a store that lost it) the look finds out soon.
        Ok([soonest, until, known].into_iter().flatten().min().or(Some(unit.now)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_says_which_version_and_how_far() {
        let key = |text| Key::read(text).map(|key| (key.version, key.base, key.after));
        assert_eq!(key("12:changed"), Some((12, "12:changed", "")));
        assert_eq!(key("7:begins:night@work@alt_1"), Some((7, "7:begins:night@work", "alt_1")));
        assert_eq!(key("changed"), None);
    }
}
