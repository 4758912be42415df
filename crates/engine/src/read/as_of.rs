//! An incident as it stood at an earlier instant: its log is folded up to then. It is what was recorded by that instant; what
//! was written down later about an earlier time is not in it, so that it says what could be known.

use allclear_domain::access::Actor;
use allclear_domain::event::Mode;
use allclear_domain::expect::Standing;
use allclear_domain::ids::IncidentId;
use allclear_domain::incident::{self, Incident, clocks, or_else};
use allclear_domain::view::{ClockView, ExpectationView, IncidentView};
use allclear_store::rows;
use jiff::Timestamp;

use super::{NoAnswer, Queries, expectation_view};

/// Events that are read at once.
const EVENTS_BATCH: i64 = 1000;

impl Queries<'_> {
    /// An incident as of `at`. Whether somebody may see it is decided by how it is now. What is counted of other rows is left
    /// out: its alerts, and the roles that its people have elsewhere.
    ///
    /// # Errors
    /// When it had not begun by then, when `at` is still to come, or when the store does not answer.
    pub async fn incident_at(&self, id: IncidentId, at: Timestamp) -> Result<IncidentView, NoAnswer> {
        Ok(self.both_at(id, at).await?.0)
    }

    /// The same with what was awaited, of one reading of its log.
    pub(super) async fn both_at(&self, id: IncidentId, at: Timestamp) -> Result<(IncidentView, Vec<ExpectationView>), NoAnswer> {
        let (incident, version) = self.folded_at(id, at).await?;
        let org = self.engine().org();
        let awaited = self.awaited_at(id, &incident, at).await?;
        let due = awaited.iter().map(|one| one.due_at).min();
        let mut view = IncidentView::of(&incident, version, due);
        view.fill_roles(&org, at, &[]);
        view.fill_url(&self.engine().links().incident_url(&incident.reference));
        if let Some(kind) = &mut view.kind {
            kind.fill(org.incident_type(&kind.kind.clone()));
        }
        view.clocks = ClockView::all(&incident, &|timed| clocks::ran(&org, &incident, timed, at));
        Ok((view, awaited))
    }

    /// What was awaited of an incident and its pages at an instant: what was opened by then and settled after it, if at all.
    ///
    /// # Errors
    /// As [`Self::incident_at`].
    pub async fn expectations_at(&self, id: IncidentId, at: Timestamp) -> Result<Vec<ExpectationView>, NoAnswer> {
        let (incident, _) = self.folded_at(id, at).await?;
        self.awaited_at(id, &incident, at).await
    }

    async fn awaited_at(&self, id: IncidentId, incident: &Incident, at: Timestamp) -> Result<Vec<ExpectationView>, NoAnswer> {
        let has_audiences = !self.engine().org().bundle().audiences.is_empty();
        let mut out = Vec::new();
        for mut one in rows::expectation::of_incident(self.db(), id).await? {
            let opened = one.segments.first().is_some_and(|first| first.from <= at);
            if !opened || one.settled_at.is_some_and(|settled| settled <= at) {
                continue;
            }
            // A pause that came later had not begun.
            one.segments.retain(|segment| segment.from <= at);
            (one.standing, one.settled_at, one.why) = (Standing::Live, None, None);
            let due = one.deadline_at();
            let mut view = expectation_view(&one, or_else(&one, incident, has_audiences));
            view.due_at = due.unwrap_or(view.due_at);
            out.push(view);
        }
        out.sort_by_key(|one| one.due_at);
        Ok(out)
    }

    async fn folded_at(&self, id: IncidentId, at: Timestamp) -> Result<(Incident, u64), NoAnswer> {
        let (now, _) = self.stored_incident(id).await?;
        if at > self.engine().now() {
            return Err(NoAnswer::Bad(format!("{at} is still to come: only what was recorded can be read, up to now")));
        }
        let mut folded: Option<Incident> = None;
        let mut version = 0;
        'log: loop {
            let events = rows::event::of_stream(self.db(), &id.to_string(), version, EVENTS_BATCH).await?;
            if events.is_empty() {
                break;
            }
            for event in events {
                if event.at > at {
                    break 'log;
                }
                version = event.version;
                // What was redacted changes no state that can still be told.
                let Some(body) = event.body.as_deref() else { continue };
                let broken = |why: &dyn std::fmt::Display| {
                    NoAnswer::Bad(format!("the log of {} cannot be read at entry {version}: {why}", now.reference))
                };
                let actor: Actor = event.actor.parse().map_err(|why| broken(&why))?;
                let typed = incident::Event::decode(&event.kind, event.v, body).map_err(|why| broken(&why))?;
                folded = Some(incident::evolve(folded.take(), id, &typed, &actor, event.at, Mode::Live));
            }
        }
        let began = now.created_at;
        let missing = || NoAnswer::Bad(format!("{} had not begun at {at}: its log begins at {began}", now.reference));
        Ok((folded.ok_or_else(missing)?, version))
    }
}
