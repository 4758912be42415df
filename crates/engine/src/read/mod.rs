//! The only way to read for people: every question takes who asks, and gives plain structs of
//! [`allclear_domain::view`].

pub(crate) mod alerts;
mod as_of;
mod audit;
mod briefing;
pub(crate) mod changes;
mod delivery;
mod drills;
pub(crate) mod explain;
pub mod find;
mod heartbeats;
mod judged;
pub mod learning;
mod marked;
pub(crate) mod on_call;
pub mod on_call_cost;
mod plans;
pub mod ready;
pub mod record;
mod roles;
pub mod screens;
mod several;
pub mod tried;

use std::collections::HashMap;
use std::sync::Arc;

use allclear_domain::access::{Denied, Principal, Reach, Resource, Right, may, reach};
use allclear_domain::event::Mark;
use allclear_domain::expect::{Expectation, Standing};
use allclear_domain::ids::{IncidentId, PageId, SignalId};
use allclear_domain::incident::{Severity, State, clocks, or_else};
use allclear_domain::org::model::Declare;
use allclear_domain::org::snapshot::Org;
use allclear_domain::paging::{MessageState, Page, called_next};
use allclear_domain::timeline::{self, NOTED, Names};
use allclear_domain::view::{AlertView, ClockView, EventView, ExpectationView, IncidentView, MessageView, PageView, SignalView};
use allclear_store::{Db, Fault, rows};
use jiff::tz::TimeZone;

use crate::boarded::Boarded;
use crate::engine::Engine;
use crate::metrics::Gauges;
pub use crate::read::alerts::AlertFilter;
use crate::read::alerts::alert_view;
pub use crate::read::changes::CHANGES_BEFORE;
pub use crate::read::drills::DRILLS_LISTED;
use crate::watch::trouble::Present;

/// Items of one list at most.
pub const LIST_MAX: i64 = 200;
/// Items of a list where nothing is asked.
pub const LIST_DEFAULT: i64 = 20;
/// Characters of the words that are searched for: more than somebody types, and far less than an address may hold.
pub const SEARCH_CHARS_MAX: usize = 200;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum NoAnswer {
    #[error("the store does not answer: {0}")]
    Store(#[from] Fault),
    #[error("there is no such {0}")]
    Missing(&'static str),
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error("{0}")]
    Bad(String),
}

/// What a list of incidents is narrowed to.
#[derive(Debug, Clone, Default)]
pub struct IncidentFilter {
    pub state: Option<State>,
    pub open: bool,
    /// Only those that are over.
    pub over: bool,
    pub severity: Option<Severity>,
    pub service: Option<String>,
    /// Older than this one.
    pub before: Option<IncidentId>,
    /// Whose title has these words in it, whatever the case of their letters.
    pub words: Option<String>,
    /// Without exercises.
    pub real: bool,
}

/// Reads for one principal.
pub struct Queries<'a> {
    engine: &'a Engine,
    who: &'a Principal,
    zone: Option<&'a TimeZone>,
}

impl Engine {
    /// Reads for `who`.
    #[must_use]
    pub const fn queries<'a>(&'a self, who: &'a Principal) -> Queries<'a> {
        Queries { engine: self, who, zone: None }
    }

    /// What the gauges count.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn gauges(&self) -> Result<Gauges, Fault> {
        let db = self.db();
        let (open, ended) = rows::alert::counts(db).await?;
        Ok(Gauges {
            alerts_open: open,
            alerts_ended: ended,
            incidents_open: rows::incident::open_by_severity(db).await?,
            expectations_live: rows::expectation::live_count(db).await?,
            outbox_waiting: rows::message::waiting(db).await?,
            search_behind: rows::find::behind(db).await?,
        })
    }
}

impl<'a> Queries<'a> {
    /// For somebody who reads times in this zone: those within the lines of a log as well.
    #[must_use]
    pub const fn in_zone(self, zone: &'a TimeZone) -> Self {
        Self { zone: Some(zone), ..self }
    }
}

impl Queries<'_> {
    pub(crate) fn db(&self) -> &Db {
        self.engine.db()
    }

    pub(crate) const fn who(&self) -> &Principal {
        self.who
    }

    pub(crate) const fn engine(&self) -> &Engine {
        self.engine
    }

    /// A folded incident that the reader may see.
    pub(crate) async fn stored_incident(
        &self,
        id: IncidentId,
    ) -> Result<(allclear_domain::incident::Incident, allclear_domain::event::Head), NoAnswer> {
        let found = rows::incident::get(self.db(), id).await?.ok_or(NoAnswer::Missing("incident"))?;
        match may(&self.engine.org(), self.who, Right::See, Resource::Incident(found.0.facts())) {
            Ok(()) => Ok(found),
            Err(Denied::Unseen) => Err(NoAnswer::Missing("incident")),
            Err(no) => Err(no.into()),
        }
    }

    /// Of the installation: its lists ([`Right::See`]), the organisation, what administrators read.
    pub(crate) fn may(&self, right: Right) -> Result<(), NoAnswer> {
        Ok(may(&self.engine.org(), self.who, right, Resource::Installation)?)
    }

    /// Whether the asker may do this to the installation: for whoever shows a way there or none.
    #[must_use]
    pub fn has(&self, right: Right) -> bool {
        self.may(right).is_ok()
    }

    /// The organisation, for whoever may look at it: who is on call, services, routes and policies are read through this.
    ///
    /// # Errors
    /// When the asker is a guest, or may not read.
    pub fn organisation(&self) -> Result<Arc<Org>, NoAnswer> {
        self.may(Right::SeeOrganisation)?;
        Ok(self.engine.org())
    }

    /// The organisation with what only administrators look at: addresses, and secrets that are masked on the way out.
    ///
    /// # Errors
    /// When the asker is no administrator.
    pub fn whole_organisation(&self) -> Result<Arc<Org>, NoAnswer> {
        self.may(Right::Administer)?;
        Ok(self.engine.org())
    }

    /// What impairs paging on this node now.
    ///
    /// # Errors
    /// When the asker is no administrator.
    pub fn troubles(&self) -> Result<Vec<Present>, NoAnswer> {
        self.may(Right::Administer)?;
        Ok(self.engine.troubles().list())
    }

    /// Which incidents the asker sees, by the organisation as it is now.
    #[must_use]
    pub fn reach(&self) -> Reach {
        reach(&self.engine.org(), self.who)
    }

    /// Refuses what is out of reach, in the words for what does not exist.
    pub(crate) async fn sees(&self, id: IncidentId, what: &'static str) -> Result<(), NoAnswer> {
        let reach = self.reach();
        if reach.everything || reach.incident == Some(id) || rows::incident::seen(self.db(), &id.to_string(), &reach).await?.is_some() {
            return Ok(());
        }
        Err(NoAnswer::Missing(what))
    }

    /// The id behind `INC-142` or an id, of one that the asker sees.
    ///
    /// # Errors
    /// When there is none.
    pub async fn incident_id(&self, reference: &str) -> Result<IncidentId, NoAnswer> {
        let reference = reference.parse::<IncidentId>().map_or_else(|_| reference.to_ascii_uppercase(), |id| id.to_string());
        rows::incident::seen(self.db(), &reference, &self.reach()).await?.ok_or(NoAnswer::Missing("incident"))
    }

    /// Those of these incidents that the asker sees: for whoever is told only that something changed.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn seen_of(&self, ids: &[IncidentId]) -> Result<Vec<IncidentId>, NoAnswer> {
        self.may(Right::See)?;
        Ok(rows::incident::seen_of(self.db(), ids, &self.reach()).await?)
    }

    /// How many incidents are open, of those the asker sees.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn open_count(&self) -> Result<i64, NoAnswer> {
        self.may(Right::See)?;
        Ok(rows::incident::count_open(self.db(), &self.reach()).await?)
    }

    /// One incident.
    ///
    /// # Errors
    /// When there is none.
    pub async fn incident(&self, id: IncidentId) -> Result<IncidentView, NoAnswer> {
        let (incident, head) = self.stored_incident(id).await?;
        let due = rows::expectation::next_due(self.db(), id).await?;
        let mut view = IncidentView::of(&incident, head.version, due);
        let elsewhere = Box::pin(self.exclusive_elsewhere(&view)).await?;
        view.fill_roles(&self.engine.org(), self.engine.now(), &elsewhere);
        view.fill_url(&self.engine.links().incident_url(&incident.reference));
        (view.relations, view.under) = Box::pin(self.relations_of(&incident)).await?;
        view.proposed = Box::pin(self.proposed(&incident)).await?;
        let (all, open) = rows::alert::counts_of(self.db(), id).await?;
        (view.alerts, view.alerts_open) = (Some(all), Some(open));
        Box::pin(self.fill_judged(&mut view, &incident)).await?;
        view.clocks = {
            let (org, now) = (self.engine.org(), self.engine.now());
            ClockView::all(&incident, &|timed| clocks::ran(&org, &incident, timed, now))
        };
        if let Some(page) = incident.page
            && let Some((page, _)) = rows::page::get(self.db(), page).await?
        {
            view.unanswered =
                Some(page.status == allclear_domain::paging::Status::Exhausted && incident.state.is_open() && !incident.is_held());
        }
        Ok(view)
    }

    /// Newest first.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn incidents(&self, filter: IncidentFilter, limit: i64) -> Result<Vec<IncidentView>, NoAnswer> {
        self.may(Right::See)?;
        let stored = self.stored_filter(&filter);
        let limit = limit.clamp(1, LIST_MAX);
        // What is open stands on boards as well, and is not read again for each list of it.
        if filter.open && filter.words.is_none() {
            return self.open_ones(&stored, limit).await;
        }
        let found = match filter.words.as_deref().filter(|words| !words.is_empty()) {
            Some(words) => rows::search::incidents(self.db(), &self.engine.shared.titles, words, &stored, limit).await?,
            None => rows::incident::list(self.db(), &stored, limit).await?,
        };
        let due = rows::expectation::next_due_of(self.db(), &found.iter().map(|(i, _)| i.id).collect::<Vec<_>>()).await?;
        let mut under = self.under_of(&found.iter().map(|(i, _)| i).collect::<Vec<_>>()).await?;
        Ok(found
            .iter()
            .map(|(incident, head)| {
                let due = due.iter().find(|(id, _)| *id == incident.id).map(|(_, at)| *at);
                IncidentView { under: under.remove(&incident.id), ..IncidentView::of(incident, head.version, due) }
            })
            .collect())
    }

    async fn open_ones(&self, stored: &rows::incident::Filter, limit: i64) -> Result<Vec<IncidentView>, NoAnswer> {
        let found = self.engine.shared.boards.list(self.db(), stored, limit).await?;
        let due = rows::expectation::next_due_of(self.db(), &found.iter().map(|one| one.incident.id).collect::<Vec<_>>()).await?;
        let mut under = self.under_of(&found.iter().map(|one| &one.incident).collect::<Vec<_>>()).await?;
        let mut view = |one: &Arc<Boarded>| {
            let next_due = due.iter().find(|(id, _)| *id == one.incident.id).map(|(_, at)| *at);
            IncidentView { under: under.remove(&one.incident.id), next_due, ..IncidentView::clone(&one.view) }
        };
        Ok(found.iter().map(&mut view).collect())
    }

    /// What the store narrows a list to for this reader.
    pub(crate) fn stored_filter(&self, filter: &IncidentFilter) -> rows::incident::Filter {
        rows::incident::Filter {
            state: filter.state,
            open: filter.open,
            over: filter.over,
            severity: filter.severity,
            service: filter.service.clone(),
            naming: None,
            before: filter.before,
            worst_first: false,
            real: filter.real,
            reach: self.reach(),
        }
    }

    /// The log of an incident and its pages after `seq`.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn events(&self, id: IncidentId, after_seq: i64, limit: i64) -> Result<Vec<EventView>, NoAnswer> {
        self.sees(id, "incident").await?;
        let events = rows::event::of_incident(self.db(), id, after_seq, limit.clamp(1, 1000)).await?;
        self.told(&events).await
    }

    /// The newest of that log, in its order.
    ///
    /// # Errors
    /// When the asker does not see it, or the store does not answer.
    pub async fn newest_events(&self, id: IncidentId, limit: i64) -> Result<Vec<EventView>, NoAnswer> {
        self.sees(id, "incident").await?;
        let events = rows::event::last_of_incident(self.db(), id, limit.clamp(1, 1000)).await?;
        self.told(&events).await
    }

    /// Of that log only what people look for first, after `seq`.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn key_events(&self, id: IncidentId, after_seq: i64, limit: i64) -> Result<Vec<EventView>, NoAnswer> {
        let (incident, _) = self.stored_incident(id).await?;
        let kinds: Vec<&str> = timeline::kinds().filter(|kind| kind.is(Mark::Key)).map(|kind| kind.name).collect();
        let notes: Vec<u64> = incident.work.key_notes.iter().copied().collect();
        let events = rows::event::key_of_incident(self.db(), id, after_seq, limit.clamp(1, 1000), &kinds, (NOTED, &notes)).await?;
        self.told(&events).await
    }

    /// Who was paged for it and passed it on, oldest first.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn declined(&self, id: IncidentId) -> Result<Vec<EventView>, NoAnswer> {
        self.sees(id, "incident").await?;
        let events = rows::event::declined_of(self.db(), id, 1000).await?;
        self.told(&events).await
    }

    /// The note of an incident that has this number in the whole log.
    ///
    /// # Errors
    /// When there is no such note, or the store does not answer.
    pub async fn note(&self, id: IncidentId, seq: i64) -> Result<EventView, NoAnswer> {
        let found = self.events(id, seq.saturating_sub(1), 1).await?.pop();
        found.filter(|event| event.seq == seq && event.kind == NOTED).ok_or(NoAnswer::Missing("note"))
    }

    /// The whole log after `seq`, for following.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn events_after(&self, after_seq: i64, limit: i64) -> Result<Vec<EventView>, NoAnswer> {
        self.may(Right::See)?;
        let events = rows::event::after(self.db(), after_seq, limit.clamp(1, 1000), &self.reach()).await?;
        self.told(&events).await
    }

    /// The number of the newest event.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn newest_seq(&self) -> Result<i64, NoAnswer> {
        Ok(rows::event::newest_seq(self.db()).await?)
    }

    /// "Next, and when": live ones first, each by its time.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn expectations(&self, id: IncidentId) -> Result<Vec<ExpectationView>, NoAnswer> {
        let (of, _) = self.stored_incident(id).await?;
        let has_audiences = !self.engine.org().bundle().audiences.is_empty();
        let mut found = rows::expectation::of_incident(self.db(), id).await?;
        found.sort_by_key(|e| (e.standing != Standing::Live, e.next_look_at));
        Ok(found.iter().map(|one| expectation_view(one, or_else(one, &of, has_audiences))).collect())
    }

    /// The pages of an incident with their messages.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn pages(&self, id: IncidentId) -> Result<Vec<PageView>, NoAnswer> {
        self.sees(id, "incident").await?;
        let pages = rows::page::of_incident(self.db(), id).await?.read;
        let ids: Vec<PageId> = pages.iter().map(|(page, _)| page.id).collect();
        let mut messages: HashMap<PageId, Vec<MessageView>> = HashMap::new();
        for message in rows::message::of_pages(self.db(), &ids).await? {
            messages.entry(message.page).or_default().push(message_view(&message));
        }
        let mut out = Vec::with_capacity(pages.len());
        for (page, _) in &pages {
            out.push(PageView::of(page, messages.remove(&page.id).unwrap_or_default(), self.calls_next(page).await?));
        }
        Ok(out)
    }

    /// Whom a page calls next, if nobody acknowledges, as [`called_next`] says it of what is stored.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn calls_next(&self, page: &Page) -> Result<Vec<String>, NoAnswer> {
        let org = self.engine.org();
        let (facts, turns) = rows::turn::asked_by_steps(self.db(), &org, page).await?;
        Ok(called_next(&org, page, facts, &turns))
    }

    /// One page with its messages.
    ///
    /// # Errors
    /// When there is none.
    pub async fn page(&self, id: PageId) -> Result<PageView, NoAnswer> {
        let (page, _) = rows::page::get(self.db(), id).await?.ok_or(NoAnswer::Missing("page"))?;
        self.sees(page.incident_id(), "page").await?;
        self.with_messages(&page).await
    }

    /// One page, folded, with its incident and the newest alerts of that: what the page behind a link tells.
    ///
    /// # Errors
    /// When there is none, or the store does not answer.
    pub async fn page_and_incident(&self, id: PageId) -> Result<(Page, IncidentView, Vec<AlertView>), NoAnswer> {
        const ALERTS: i64 = 5;
        let (page, _) = rows::page::get(self.db(), id).await?.ok_or(NoAnswer::Missing("page"))?;
        self.sees(page.incident_id(), "page").await?;
        let (incident, head) = self.stored_incident(page.incident_id()).await?;
        let due = rows::expectation::next_due(self.db(), incident.id).await?;
        let filter = rows::alert::Filter { incident: Some(incident.id), reach: self.reach(), ..rows::alert::Filter::default() };
        let alerts = rows::alert::list(self.db(), &filter, ALERTS).await?.iter().map(alert_view).collect();
        Ok((page, IncidentView::of(&incident, head.version, due), alerts))
    }

    async fn with_messages(&self, page: &Page) -> Result<PageView, NoAnswer> {
        let messages = rows::message::of_page(self.db(), page.id).await?.iter().map(message_view).collect();
        Ok(PageView::of(page, messages, self.calls_next(page).await?))
    }

    /// An accepted request, as kept.
    ///
    /// # Errors
    /// When there is none, or the asker is no administrator.
    pub async fn signal(&self, id: SignalId) -> Result<SignalView, NoAnswer> {
        self.may(Right::Administer)?;
        Ok(signal_view(rows::signal::get(self.db(), id).await?.ok_or(NoAnswer::Missing("signal"))?))
    }

    /// Accepted requests, newest first.
    ///
    /// # Errors
    /// When the asker is no administrator, or the store does not answer.
    pub async fn signals(&self, before: Option<SignalId>, limit: i64) -> Result<Vec<SignalView>, NoAnswer> {
        self.may(Right::Administer)?;
        Ok(rows::signal::list(self.db(), before, limit.clamp(1, LIST_MAX)).await?.into_iter().map(signal_view).collect())
    }

    pub(crate) fn event_view(&self, e: &rows::event::StoredEvent) -> EventView {
        let body = e.body.as_deref().and_then(|body| serde_json::from_str(body).ok());
        let org = self.engine.org();
        EventView {
            seq: e.seq,
            stream: e.stream.clone(),
            version: e.version,
            incident: e.incident.clone(),
            line: timeline::line(&Names::new(&org, &e.actor).in_zone(self.zone), &e.kind, e.v, e.body.as_deref()),
            kind: e.kind.clone(),
            at: e.at,
            recorded_at: e.recorded_at,
            actor: e.actor.clone(),
            cause: e.cause.clone(),
            body,
            marking: e.marking,
        }
    }
}

pub(crate) fn decision_word(decision: Declare) -> &'static str {
    match decision {
        Declare::Declare => "declare",
        Declare::Candidate => "candidate",
        Declare::Record => "record",
    }
}

fn signal_view(s: rows::signal::StoredSignal) -> SignalView {
    SignalView {
        id: s.id.to_string(),
        integration: s.integration,
        format: s.format,
        received_at: s.received_at,
        org_version: s.org_version,
        alerts: s.alerts,
        body: s.body,
    }
}

fn message_view(m: &rows::message::StoredMessage) -> MessageView {
    MessageView {
        id: m.id.to_string(),
        person: m.person.clone(),
        contact: m.contact.clone(),
        channel: m.channel.clone(),
        round: m.notice.round,
        step: m.notice.step,
        state: m.state,
        in_doubt: m.in_doubt,
        attempts: m.attempts,
        created_at: m.created_at,
        next_attempt_at: (m.state == MessageState::Queued).then_some(m.next_attempt_at),
        last_error: m.last_error.clone(),
    }
}

fn expectation_view(e: &Expectation, or_else: &str) -> ExpectationView {
    ExpectationView {
        owner: e.owner.to_string(),
        key: e.key.clone(),
        rule: e.rule.name().to_owned(),
        state: e.standing,
        expects: e.rule.expects().to_owned(),
        or_else: or_else.to_owned(),
        opened_at: e.segments.first().map(|s| s.from),
        due_at: e.deadline_at().map_or(e.next_look_at, |at| at.max(e.next_look_at)),
        settled_at: e.settled_at,
        why: e.why.clone(),
    }
}
