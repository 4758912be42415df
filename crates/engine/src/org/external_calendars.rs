//! Calendars that others keep are read, and what was read last stands until there is another that is whole and has events.
//!
//! Invariants:
//! - What is read is a form of the organisation (`CalendarCopy`), so that every node has the same version or the one before, and a
//!   start pages by it whether its server answers or not. One that means the same is no change.
//! - A reading that fails, is torn or is empty changes nobody's turn. How old the copy is, is kept beside it; the team is told once
//!   when it could not be read for [`TOLD_AFTER`], and once more when it can be again.
//! - An address is in no log, no message and no status.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

use allclear_domain::access::Actor;
use allclear_domain::ical::{Calendar, TEXT_BYTES_MAX, reduced};
use allclear_domain::oncall::Stranger;
use allclear_domain::org::diff::{Form, FormKind};
use allclear_domain::org::forms::calendar_copy::{CalendarCopy, mark_of};
use allclear_domain::org::forms::external_calendar::{LOOK_AHEAD, url_fault};
use allclear_domain::org::forms::secrets::{MASK, NO_SECRET};
use allclear_domain::org::model::{ExternalCalendar, Schedule};
use allclear_domain::org::problem::Weight;
use allclear_domain::org::snapshot::Org;
use allclear_domain::time::{Length, after};
use allclear_domain::view::{ExternalCalendarView, StrangerView};
use allclear_domain::wire::{Fetch, Fetched};
use allclear_store::{Fault, Write, rows};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::edit::Edit;
use super::{FormProblem, NODES_TRIES, OrgError, Read};
use crate::core::external_calendars::READ_EVERY;
use crate::engine::Engine;
use crate::note::{administrators, strangers_text, team_of};

/// After this time without a reading the team is told: a server is restarted within an hour, and whoever swaps a turn in their
/// calendar has to know in good time that nobody hears of it.
pub const TOLD_AFTER: Length = Length::from_mins(120);
/// One that was tried a moment ago is not read again, whatever changed of the organisation meanwhile.
const TRIED_LATELY: Length = Length::from_mins(9);
/// How far ahead it is looked for events that mean nobody, when what was read is another.
const STRANGERS_AHEAD: SignedDuration = SignedDuration::from_hours(14 * 24);
/// Earlier texts of a copy that are kept.
const COPIES_KEPT: u32 = 1;

/// What is known of the readings of one calendar.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Status {
    /// Of which address.
    of: String,
    tried_at: Option<Timestamp>,
    read_at: Option<Timestamp>,
    etag: Option<String>,
    modified: Option<String>,
    failing_since: Option<Timestamp>,
    why: Option<String>,
    /// The team knows.
    told: bool,
}

/// A text that was read: what of it is kept, or why it changes nothing.
fn whole(text: &str) -> Result<String, String> {
    let kept = reduced(text).map_err(|why| why.to_string())?;
    let calendar = Calendar::read(&kept, &TimeZone::UTC).map_err(|why| why.to_string())?;
    match (calendar.is_empty(), calendar.faults.first()) {
        (false, _) => Ok(kept),
        (true, None) => Err("it has no event".to_owned()),
        (true, Some(fault)) => Err(format!("none of its events can be read: {fault}")),
    }
}

impl Engine {
    /// Reads in the background what is due.
    pub(crate) fn read_external_calendars_soon(&self) {
        let engine = self.clone();
        self.shared.busy.fetch_add(1, Ordering::SeqCst);
        self.shared.tasks.spawn(async move {
            Box::pin(engine.read_external_calendars()).await;
            engine.shared.busy.fetch_sub(1, Ordering::SeqCst);
        });
    }

    async fn read_external_calendars(&self) {
        let org = self.org();
        for form in &org.bundle().external_calendars {
            let Some(url) = &form.url else { continue };
            if self.shared.stop.is_cancelled() || self.is_quarantined() {
                return;
            }
            if let Err(why) = self.read_external_calendar(form, url).await {
                tracing::warn!(calendar = %form.id, %why, "what was read of an external calendar could not be kept");
            }
        }
        let names = |id: &str| org.bundle().external_calendars.iter().any(|form| form.id == id && form.url.is_some());
        let gone: Vec<String> = org.bundle().calendar_copies.iter().map(|copy| copy.id.clone()).filter(|id| !names(id)).collect();
        if !gone.is_empty()
            && let Err(why) = self.forget_copies(&gone).await
        {
            tracing::warn!(%why, "copies of external calendars that are gone could not be taken away");
        }
    }

    async fn status_of(&self, id: &str, url: &str) -> Result<Status, Fault> {
        let kept = rows::meta::get(&self.shared.db, &rows::meta::external_calendar(id)).await?;
        let status = kept.and_then(|text| serde_json::from_str::<Status>(&text).ok()).filter(|status| status.of == mark_of(url));
        Ok(status.unwrap_or_else(|| Status { of: mark_of(url), ..Status::default() }))
    }

    async fn read_external_calendar(&self, form: &ExternalCalendar, url: &str) -> Result<(), OrgError> {
        let mut status = self.status_of(&form.id, url).await?;
        let now = self.now();
        if status.tried_at.is_some_and(|tried| tried <= now && now < after(tried, TRIED_LATELY)) {
            return Ok(());
        }
        // Before it is asked: what is kept opens a look of its own, which finds that it was tried.
        status.tried_at = Some(now);
        self.keep_status(&form.id, &status, Vec::new()).await?;
        let org = self.org();
        let copy = org.bundle().calendar_copies.iter().find(|copy| copy.id == form.id && copy.of == status.of);
        // Without a copy there is nothing that might not have changed.
        let known = copy.map(|_| (status.etag.clone(), status.modified.clone())).unwrap_or_default();
        let read = self.fetch_calendar(url, known).await;
        self.keep(form, &mut status, read, copy.is_some()).await
    }

    /// What is read of an external calendar whose address is said anew, before it is saved: nothing of other forms.
    pub(super) async fn read_now(&self, asked: &Form) -> Option<Result<CalendarCopy, String>> {
        let url = asked
            .body
            .get("url")
            .and_then(|url| url.as_str())
            .filter(|url| ![MASK, NO_SECRET].contains(url) && asked.kind == FormKind::ExternalCalendar && url_fault(url).is_none())?;
        let read = match self.fetch_calendar(url, (None, None)).await {
            Fetched::Text { text, .. } => whole(&text),
            Fetched::NotModified => Err("it answered that nothing changed, though nothing was read before".to_owned()),
            Fetched::Failed { why } => Err(why),
        };
        Some(read.map(|ics| CalendarCopy { id: asked.id.clone(), of: mark_of(url), ics }))
    }

    /// Reads an address once.
    pub(super) async fn fetch_calendar(&self, url: &str, (etag, modified): (Option<String>, Option<String>)) -> Fetched {
        self.shared.ports.transport.fetch(Fetch { url: url.to_owned(), etag, modified, bytes_max: TEXT_BYTES_MAX }).await
    }

    async fn keep(&self, form: &ExternalCalendar, status: &mut Status, read: Fetched, has_copy: bool) -> Result<(), OrgError> {
        let now = self.now();
        let before = self.org();
        let mut notes = Vec::new();
        let read = match read {
            Fetched::NotModified if has_copy => Ok(None),
            Fetched::NotModified => Err("it answered that nothing changed, though nothing was read before".to_owned()),
            Fetched::Failed { why } => Err(why),
            Fetched::Text { text, etag, modified } => whole(&text).map(|kept| Some((kept, etag, modified))),
        };
        match read {
            Ok(changed) => {
                if let Some((ics, etag, modified)) = changed {
                    let copy = CalendarCopy { id: form.id.clone(), of: status.of.clone(), ics };
                    self.put_copy(&copy).await?;
                    (status.etag, status.modified) = (etag, modified);
                }
                if std::mem::take(&mut status.told) {
                    let text = format!("The external calendar {} is read again.", form.called());
                    notes.extend(self.to_those_of(&before, &form.id, &text));
                }
                (status.read_at, status.failing_since, status.why) = (Some(now), None, None);
                notes.extend(self.of_new_strangers(&before, &self.org(), &form.id));
            }
            Err(why) => {
                tracing::info!(calendar = %form.id, %why, "an external calendar could not be read");
                // The next answer is wanted whole.
                (status.etag, status.modified) = (None, None);
                let since = *status.failing_since.get_or_insert(now);
                if !status.told && now >= after(status.read_at.unwrap_or(since).max(before_first(since)), TOLD_AFTER) {
                    status.told = true;
                    let stands = match status.read_at {
                        Some(at) if has_copy => {
                            format!("who is on call by it stays as it was read on {} UTC", at.strftime("%a %-d %b %H:%M"))
                        }
                        _ => "nobody is on call by it".to_owned(),
                    };
                    let text = format!("The external calendar {} cannot be read: {why}. Until it can, {stands}.", form.called());
                    notes.extend(self.to_those_of(&before, &form.id, &text));
                }
                status.why = Some(why);
            }
        }
        let tells = !notes.is_empty();
        self.keep_status(&form.id, status, notes).await?;
        if tells {
            self.shared.outbox_wake.notify_one();
        }
        Ok(())
    }

    async fn keep_status(&self, id: &str, status: &Status, mut with: Vec<Write>) -> Result<(), OrgError> {
        let kept = serde_json::to_string(status).map_err(|why| OrgError::Stored(why.to_string()))?;
        with.push(rows::meta::put(&rows::meta::external_calendar(id), &kept));
        Ok(self.shared.db.commit(with).await?)
    }

    async fn put_copy(&self, copy: &CalendarCopy) -> Result<(), OrgError> {
        if self.org().bundle().calendar_copies.contains(copy) {
            return Ok(());
        }
        let form = as_form(copy)?;
        let _one_at_a_time = self.shared.org_change.lock().await;
        let mut tries = NODES_TRIES;
        loop {
            let read = Read::from(&self.shared.db).await?;
            // It went, or has another address, since it was asked: what was read says nothing of that.
            let is_of_it = |form: &Form| {
                let url = form.body.get("url").and_then(|url| url.as_str());
                form.kind == FormKind::ExternalCalendar && form.id == copy.id && url.is_some_and(|url| mark_of(url) == copy.of)
            };
            if !self.open(&read.forms)?.iter().any(is_of_it) {
                return Ok(());
            }
            let mut edit = Edit::new(self, &Actor::System, read);
            edit.put(form.clone(), 0, None)?;
            edit.forget_history(FormKind::CalendarCopy, &copy.id, COPIES_KEPT);
            match edit.finish(None, Vec::new()).await {
                Err(OrgError::Conflict) if tries > 0 => tries -= 1,
                other => return other.map(drop),
            }
        }
    }

    async fn forget_copies(&self, gone: &[String]) -> Result<(), OrgError> {
        let _one_at_a_time = self.shared.org_change.lock().await;
        let mut edit = Edit::new(self, &Actor::System, Read::from(&self.shared.db).await?);
        for id in gone {
            if edit.stored(FormKind::CalendarCopy).any(|row| row.id == *id) {
                edit.remove(FormKind::CalendarCopy, id.clone());
            }
        }
        edit.also(gone.iter().map(|id| rows::meta::remove(&rows::meta::external_calendar(id))));
        match edit.finish(None, Vec::new()).await {
            // The next look takes them away.
            Err(OrgError::Conflict) => Ok(()),
            other => other.map(drop),
        }
    }

    /// Events of schedules that name the calendar, which mean nobody who is known and did not before: to each team once.
    fn of_new_strangers(&self, before: &Org, now_is: &Org, id: &str) -> Vec<Write> {
        let now = self.now();
        let to = now.checked_add(STRANGERS_AHEAD).unwrap_or(Timestamp::MAX);
        let said = |org: &Org, schedule: &str| org.schedule(schedule).map_or_else(Vec::new, |one| one.strangers(now, to).0);
        let mut out = Vec::new();
        for schedule in of_calendar(now_is, id) {
            let old = said(before, &schedule.id);
            let is_new = |one: &Stranger| !old.iter().any(|other| (&other.said, other.starts_at) == (&one.said, one.starts_at));
            let mut new: Vec<Stranger> = said(now_is, &schedule.id).into_iter().filter(is_new).collect();
            new.dedup_by(|a, b| a.said == b.said && a.summary == b.summary);
            if new.is_empty() {
                continue;
            }
            let text = strangers_text(now_is, schedule, &new);
            out.extend(team_of(now_is, schedule).iter().filter_map(|person| self.note_to(now_is, person, None, text.clone())));
        }
        out
    }

    /// A message to the teams of all schedules that name a calendar; where none does, to administrators.
    fn to_those_of(&self, org: &Org, id: &str, text: &str) -> Vec<Write> {
        let mut people: BTreeSet<String> = of_calendar(org, id).flat_map(|schedule| team_of(org, schedule)).collect();
        if people.is_empty() {
            people.extend(administrators(org));
        }
        people.iter().filter_map(|person| self.note_to(org, person, None, text.to_owned())).collect()
    }

    /// What is known of the calendars that others keep and a schedule names, in their order.
    ///
    /// # Errors
    /// When the store does not answer.
    pub(crate) async fn external_calendars_of(&self, schedule: &str) -> Result<Vec<ExternalCalendarView>, Fault> {
        let org = self.org();
        let (Some(form), Some(compiled)) = (org.schedule_form(schedule), org.schedule(schedule)) else { return Ok(Vec::new()) };
        let states = compiled.feed_states();
        let now = self.now();
        let (strangers, is_cut) = compiled.strangers(now, now.checked_add(LOOK_AHEAD).unwrap_or(Timestamp::MAX));
        let mut out = Vec::new();
        let named = form.external_calendars.iter().filter_map(|id| org.bundle().external_calendars.iter().find(|one| one.id == *id));
        for (calendar, state) in named.zip(states) {
            let status = match &calendar.url {
                Some(url) => self.status_of(&calendar.id, url).await?,
                None => Status::default(),
            };
            let of_it = strangers.iter().filter(|one| one.calendar == calendar.called()).map(|one| StrangerView {
                summary: one.summary.clone(),
                said: one.said.clone(),
                starts_at: one.starts_at,
                ends_at: one.ends_at,
            });
            out.push(ExternalCalendarView {
                strangers: of_it.collect(),
                is_cut,
                id: calendar.id.clone(),
                name: calendar.called().to_owned(),
                is_read: calendar.url.is_some(),
                read_at: status.read_at,
                failing_since: status.failing_since,
                why: status.why,
                unreadable: state.unreadable,
                faults: state.faults.iter().map(ToString::to_string).collect(),
                faults_count: u32::try_from(state.faults_count).unwrap_or(u32::MAX),
            });
        }
        Ok(out)
    }
}

/// A copy as it is stored.
pub(super) fn as_form(copy: &CalendarCopy) -> Result<Form, OrgError> {
    let body = serde_json::to_value(copy).map_err(|why| OrgError::Stored(why.to_string()))?;
    Ok(Form { kind: FormKind::CalendarCopy, id: copy.id.clone(), body })
}

/// What is told of a calendar that could not be read when it was saved.
pub(super) fn not_read(id: &str, why: &str) -> FormProblem {
    FormProblem {
        weight: Weight::Warning,
        kind: FormKind::ExternalCalendar,
        id: id.to_owned(),
        key: "url".to_owned(),
        message: format!("the calendar could not be read: {why}"),
        hint: Some("it is saved, and tried again every 10 minutes; until then nobody is on call by it".to_owned()),
        of_the_change: true,
        not_yet: None,
    }
}

/// One reading before a failure that began then: what was never read counts from its first try.
fn before_first(since: Timestamp) -> Timestamp {
    since.checked_sub(READ_EVERY.as_duration()).unwrap_or(since)
}

/// The schedules that name a calendar.
fn of_calendar<'a>(org: &'a Org, id: &'a str) -> impl Iterator<Item = &'a Schedule> {
    org.bundle().schedules.iter().filter(move |form| form.external_calendars.iter().any(|one| one == id))
}
