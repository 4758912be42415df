//! What people read of updates, reviews, actions and trends.

use allclear_domain::access::{Actor, Right};
use allclear_domain::action;
use allclear_domain::event::Mode;
use allclear_domain::ids::{ActionId, IncidentId, ReviewId};
use allclear_domain::incident::{self, Event as E, State, updates};
use allclear_domain::measure::Trends;
use allclear_domain::review;
use allclear_domain::view::{ActionView, IncidentView, ReviewView, TrendView, UpdateView};
use allclear_store::rows;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::read::{LIST_MAX, NoAnswer, Queries};

/// Events read at a time.
const EVENTS_BATCH: i64 = 1000;
/// Events of one incident from which a draft is made, at most.
const EVENTS_OF_A_DRAFT: usize = 5_000;
/// Incidents read at a time for trends.
const TRENDS_BATCH: i64 = 2_000;
/// Longest period of trends, in days.
pub const TRENDS_DAYS_MAX: i64 = 800;

/// What a list of actions is narrowed to.
#[derive(Debug, Clone, Default)]
pub struct ActionFilter {
    pub state: Option<action::State>,
    pub owner: Option<String>,
    pub incident: Option<IncidentId>,
    /// Older than this one.
    pub before: Option<ActionId>,
}

impl Queries<'_> {
    /// The updates of an incident, oldest first.
    ///
    /// # Errors
    /// When there is no such incident, or the store does not answer.
    pub async fn updates(&self, id: IncidentId) -> Result<Vec<UpdateView>, NoAnswer> {
        self.incident(id).await?;
        // Who leads now reads what is red, as in the log.
        let (now, _) = self.stored_incident(id).await?;
        let mut out = Vec::new();
        let mut incident = None;
        let mut after = 0;
        loop {
            let events = rows::event::of_stream(self.db(), &id.to_string(), after, EVENTS_BATCH).await?;
            let Some(last) = events.last() else { return Ok(out) };
            after = last.version;
            for event in events {
                // What was redacted has no text to show, and changes no state.
                let body = event.body.as_deref().unwrap_or("{}");
                let Ok(typed) = incident::Event::decode(&event.kind, event.v, body) else { continue };
                if incident.is_none() && !incident::begins(&typed) {
                    continue;
                }
                let actor = event.actor.parse().unwrap_or(Actor::System);
                let folded = incident::evolve(incident.take(), id, &typed, &actor, event.at, Mode::Live);
                let state = folded.state;
                let reads = self.reads(&now, event.marking, &event.actor);
                incident = Some(folded);
                if let E::Updates(updates::Event::Posted(body)) = typed
                    && reads
                    && body.counts()
                {
                    let (audiences, text, next_by) = (body.audiences, body.text, body.next_by);
                    out.push(UpdateView { at: event.at, actor: event.actor.clone(), audiences, text, next_by, state });
                }
            }
        }
    }

    /// Reviews, newest first, without their texts.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn reviews(&self, state: Option<review::State>, before: Option<ReviewId>, limit: i64) -> Result<Vec<ReviewView>, NoAnswer> {
        let found = rows::review::list(self.db(), state, before, limit.clamp(1, LIST_MAX), &self.reach()).await?;
        let mut out = Vec::with_capacity(found.len());
        for (review, head) in found {
            // Nothing is said of an incident that the reader may not see.
            match self.stored_incident(review.incident).await {
                Ok((incident, _)) => out.push(ReviewView { text: None, ..ReviewView::of(&review, &incident, head.version) }),
                Err(NoAnswer::Missing(_)) => {}
                Err(other) => return Err(other),
            }
        }
        Ok(out)
    }

    /// One review; its text is drafted from the log until somebody edits it.
    ///
    /// # Errors
    /// When there is none.
    pub async fn review(&self, id: ReviewId) -> Result<ReviewView, NoAnswer> {
        let (review, head) = rows::review::get(self.db(), id).await?.ok_or(NoAnswer::Missing("review"))?;
        self.whole_review(review, head.version).await
    }

    /// The review of an incident.
    ///
    /// # Errors
    /// When there is none.
    pub async fn review_of(&self, id: IncidentId) -> Result<ReviewView, NoAnswer> {
        self.incident(id).await?;
        let (review, head) = rows::review::of_incident(self.db(), id).await?.ok_or(NoAnswer::Missing("review"))?;
        self.whole_review(review, head.version).await
    }

    /// Whether the review of an incident holds up its closing: it was asked for, and is not published.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn awaits_review(&self, incident: &IncidentView) -> Result<bool, NoAnswer> {
        let Some(id) = incident.review.as_ref().and_then(|id| id.parse().ok()).filter(|_| incident.state == State::Resolved) else {
            return Ok(false);
        };
        let found = rows::review::get(self.db(), id).await?;
        Ok(found.is_some_and(|(review, _)| review.state != review::State::Published))
    }

    async fn whole_review(&self, review: review::Review, version: u64) -> Result<ReviewView, NoAnswer> {
        let (incident, _) = self.stored_incident(review.incident).await.map_err(|no| match no {
            NoAnswer::Missing(_) => NoAnswer::Missing("review"),
            no @ (NoAnswer::Store(_) | NoAnswer::Denied(_) | NoAnswer::Bad(_)) => no,
        })?;
        let mut view = ReviewView::of(&review, &incident, version);
        if view.text.is_none() {
            view.text = Some(self.draft(review.incident).await?);
        }
        Ok(view)
    }

    async fn draft(&self, id: IncidentId) -> Result<String, NoAnswer> {
        let org = self.engine().org();
        let own = self.who().person().and_then(|id| org.person(id)?.time_zone.as_deref()).and_then(|name| TimeZone::get(name).ok());
        let zone = self.zone.cloned().or(own).unwrap_or(TimeZone::UTC);
        let local = Queries { engine: self.engine, who: self.who, zone: Some(&zone) };
        let incident = self.incident(id).await?;
        let mut log = Vec::new();
        loop {
            let after = log.last().map_or(0, |event: &allclear_domain::view::EventView| event.seq);
            let more = local.events(id, after, EVENTS_BATCH).await?;
            let done = more.len() < usize::try_from(EVENTS_BATCH).unwrap_or(usize::MAX);
            log.extend(more);
            if done || log.len() >= EVENTS_OF_A_DRAFT {
                break;
            }
        }
        let awaited = self.expectations(id).await?;
        let actions = self.actions(ActionFilter { incident: Some(id), ..ActionFilter::default() }, LIST_MAX).await?;
        Ok(review::draft(review::Reader { org: &org, zone: &zone }, &incident, &log, &awaited, &actions))
    }

    /// Actions, newest first.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn actions(&self, filter: ActionFilter, limit: i64) -> Result<Vec<ActionView>, NoAnswer> {
        let filter = rows::action::Filter {
            state: filter.state,
            owner: filter.owner,
            incident: filter.incident,
            before: filter.before,
            reach: self.reach(),
        };
        let found = rows::action::list(self.db(), &filter, limit.clamp(1, LIST_MAX)).await?;
        Ok(found.iter().map(|(action, head)| ActionView::of(action, head.version)).collect())
    }

    /// One action.
    ///
    /// # Errors
    /// When there is none.
    pub async fn action(&self, id: ActionId) -> Result<ActionView, NoAnswer> {
        let (action, head) = rows::action::get(self.db(), id).await?.ok_or(NoAnswer::Missing("action"))?;
        if !self.may_see_of(action.incident).await? {
            return Err(NoAnswer::Missing("action"));
        }
        Ok(ActionView::of(&action, head.version))
    }

    async fn may_see_of(&self, incident: Option<IncidentId>) -> Result<bool, NoAnswer> {
        let Some(id) = incident else { return Ok(self.reach().public) };
        match self.stored_incident(id).await {
            Ok(_) => Ok(true),
            Err(NoAnswer::Missing(_)) => Ok(false),
            Err(other) => Err(other),
        }
    }

    /// Counts and durations of what was declared in a period.
    ///
    /// # Errors
    /// When the period is too long, or the store does not answer.
    pub async fn trends(&self, from: Timestamp, to: Timestamp) -> Result<TrendView, NoAnswer> {
        self.may(Right::See)?;
        let days = to.duration_since(from).as_hours() / 24;
        if !(0..=TRENDS_DAYS_MAX).contains(&days) {
            return Err(NoAnswer::Bad(format!("a period ends after it begins and has at most {TRENDS_DAYS_MAX} days")));
        }
        let reach = self.reach();
        let mut trends = Trends::default();
        let mut after = String::new();
        loop {
            let page = rows::incident::declared_between(self.db(), from, to, &after, TRENDS_BATCH, &reach).await?;
            let Some(last) = page.last() else { break };
            after = last.0.to_string();
            for (_, one) in &page {
                trends.add(one);
            }
        }
        Ok(trends.view(from, to))
    }
}
