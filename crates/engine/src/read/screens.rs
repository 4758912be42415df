//! Questions that only screens ask: everything open at once with what is awaited of it, whom a
//! service would page now, and the organisation's forms with their history.
//!
//! Each is a bounded number of reads however much is open, and goes through the same methods of
//! [`Queries`] as every other reader, so that who may see what is decided in one place.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use allclear_domain::access::Right;
use allclear_domain::event::Head;
use allclear_domain::expect::Rule;
use allclear_domain::ids::{IncidentId, PageId};
use allclear_domain::incident::affected::Impact;
use allclear_domain::incident::clock::Clock;
use allclear_domain::incident::work::TaskState;
use allclear_domain::incident::{Incident, Severity, State, clocks};
use allclear_domain::org::diff::{FormKind, fields};
use allclear_domain::org::export::mask_body;
use allclear_domain::org::snapshot::Org;
use allclear_domain::paging::{Facts, Page, Status, TARGETS_WITHIN, Telling, own_policy};
use allclear_domain::time::Length;
use allclear_domain::view::{Contention, IncidentView, StepExplanation, UnderView, Wants, contention};
use allclear_store::rows;
use jiff::Timestamp;
use serde_json::Value;

use crate::boarded::Boarded;
use crate::read::{IncidentFilter, NoAnswer, Queries};

/// Incidents of one board at most (issue: a board of 1,000 open incidents).
pub const BOARD_MAX: usize = 1000;

/// Incidents that are over and owe a report to a regulator still, at most: more are no list that somebody works through.
pub const OWING_MAX: usize = 50;

/// A live expectation of an incident or one of its pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Awaited {
    /// Whose.
    pub incident: IncidentId,
    /// What is awaited.
    pub rule: Rule,
    /// By when.
    pub due_at: Timestamp,
}

/// An open incident as a board needs it.
#[derive(Debug, Clone, PartialEq)]
pub struct OnBoard {
    pub incident: Arc<IncidentView>,
    /// What it is a part of.
    pub under: Option<UnderView>,
    /// Whether anybody is known to have it: somebody took it, and did not give it back.
    pub held: bool,
    /// Whom its last page asks, while nobody has answered it.
    pub asks: Option<Asking>,
    /// Whether whoever reads was asked, by any page of it, while somebody is looked for.
    pub asked_reader: bool,
    /// The clock that is due first and was not met, and when it is or was due: what was missed is owed all the same.
    pub clock: Option<(Clock, Timestamp)>,
    /// Whether somebody has it and a further page of it looks for whoever reads: what is owed of it, or help.
    pub looks_for_reader: bool,
    /// What other open incidents that the reader sees want as well.
    pub contention: Contention,
}

impl OnBoard {
    /// Whether a page of it asked whoever reads, at whichever step, and nobody has it yet: also where everybody was paged
    /// in vain.
    #[must_use]
    pub const fn waits_for_reader(&self) -> bool {
        // Where silences hold it nobody is asked.
        !self.held && self.asks.is_some() && self.asked_reader
    }

    /// Whether somebody has it, and nothing of it is due: nobody would look at it again. `is_awaited`: something is awaited of it
    /// that a person acts on ([`is_acted_on`]).
    #[must_use]
    pub fn is_undue(&self, is_awaited: bool) -> bool {
        let incident = &self.incident;
        let late_task = incident.tasks.iter().any(|task| task.state == TaskState::Open && task.late && task.due_at.is_some());
        let late_report = incident.obligations.iter().filter_map(|one| one.owed()).any(|report| report.late);
        let objective = incident.objectives.iter().any(|one| one.ended_at.is_none());
        self.held && self.asks.is_none() && self.clock.is_none() && !late_task && !late_report && !objective && !is_awaited
    }

    /// Whether it is the reader's: they have a part in it, as [`IncidentView::is_of`] says, or are asked to take it.
    #[must_use]
    pub fn is_of_reader(&self, reader: &str) -> bool {
        self.incident.is_of(reader) || self.waits_for_reader()
    }
}

/// A page that looks for somebody, or looked for everybody in vain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asking {
    /// Since when nobody has answered.
    pub since: Timestamp,
    /// How long its first step had to be answered: what is later than that is late.
    pub within: Length,
    /// From 1, and of how many; none of a page without a policy, and of the catch-all.
    pub step: Option<(u32, usize)>,
    /// Whether the steps are through, and the catch-all is asked.
    pub catch_all: bool,
    /// Who was told by the step at which it is: ids of people.
    pub told: Vec<String>,
    /// Whether everybody was paged, and nobody is left.
    pub over: bool,
}

/// Whether a person would act on what a rule awaits, so that it is due of an incident: what only follows by itself is not, and
/// targets and objectives are told with the incident.
#[must_use]
pub fn is_acted_on(rule: Rule) -> bool {
    match rule.name() {
        "page.ack" | "page.again" => true,
        "incident.target" | "incident.objective" => false,
        name => name.starts_with("incident.") && !name.contains("digest"),
    }
}

/// A form of the organisation as lists show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormLine {
    pub kind: FormKind,
    pub id: String,
    /// The organisation's version that changed it last.
    pub version: u64,
    /// `file` where a file owns it.
    pub managed: Option<String>,
    pub at: Timestamp,
}

/// A change of a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormChange {
    pub version: u64,
    /// The keys that it changed; nothing where the version before it is not kept any more. What is masked is not compared.
    pub keys: Option<Vec<String>>,
    pub actor: String,
    pub at: Timestamp,
}

/// What a page that is not over yet asks of whom.
fn asking(page: &Page, incident: &Incident, org: &Org) -> Option<Asking> {
    let over = page.status == Status::Exhausted;
    if !over && page.status != Status::Running {
        return None;
    }
    let steps = own_policy(page, org).map(|policy| policy.steps.as_slice());
    let within = steps.and_then(<[_]>::first).map_or(TARGETS_WITHIN, |step| step.within);
    // Further pages begin while the first goes on: whoever waits has waited since that one.
    let hold = &incident.work.hold;
    let called = hold.called_since.map_or(page.started_at, |at| at.min(page.started_at));
    // Whoever had it and gave it back was the last who was heard of.
    let since = hold.acted_at.filter(|_| hold.lost).map_or(called, |at| at.max(called));
    let mut told: Vec<String> = Vec::new();
    for entry in page.entries.iter().filter(|entry| !matches!(entry.telling, Telling::Planned | Telling::Failed)) {
        if !told.contains(&entry.person) {
            told.push(entry.person.clone());
        }
    }
    let step = steps.filter(|_| !page.catch_all && page.step > 0).map(|steps| (page.step, steps.len()));
    Some(Asking { since, within, step, catch_all: page.catch_all, told, over })
}

/// Says of each row what the others want as well: in one pass over all of them.
fn contend(rows: &mut [OnBoard], org: &Org) {
    let wants: Vec<Wants<'_>> = rows.iter().map(wants).collect();
    let depends_on = |service| org.service(service).map_or_else(Vec::new, |form| form.depends_on.iter().map(String::as_str).collect());
    let found = contention(&wants, depends_on);
    for (row, found) in rows.iter_mut().zip(found) {
        row.contention = found;
    }
}

/// Whom an incident wants: who has it or was moved to it, its roles and open tasks, who was offered one, and whom its page asks.
fn wants(row: &OnBoard) -> Wants<'_> {
    let incident = &row.incident;
    let first = incident.acknowledged_by.iter().filter(|by| !incident.away.contains(by));
    let holder = incident.commander.iter().chain(first).filter(|_| row.held);
    let roles = incident.roles.iter().flat_map(|role| [&role.person, &role.offered_to]).flatten();
    let open = incident.tasks.iter().filter(|task| task.state == TaskState::Open);
    let tasks = open.flat_map(|task| [&task.owner, &task.doer]).flatten();
    // Of a page that is over nobody is asked any more.
    let asked = row.asks.iter().filter(|asks| !asks.over).flat_map(|asks| &asks.told);
    Wants {
        reference: &incident.reference,
        people: holder.chain(&incident.came).chain(roles).chain(tasks).chain(asked).map(String::as_str).collect(),
        service: incident.service.as_deref(),
        affected: incident.affected.iter().map(|one| (one.service.as_str(), one.impact != Impact::None)).collect(),
        part: row.under.as_ref().map(|under| (under.reference.as_str(), under.rank)),
    }
}

impl Queries<'_> {
    /// Open incidents, the worst first and of one severity the newest first; `BOARD_MAX` at most,
    /// and whether there are more. What is due next of each is told by [`Queries::awaited`].
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn open_incidents(&self, narrowed: &IncidentFilter) -> Result<(Vec<IncidentView>, bool), NoAnswer> {
        self.boarded(&self.on_board(narrowed)?).await
    }

    /// The same with what a board says of each: whether anybody has it, and whom its pages ask. Three reads more, however
    /// much is open.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn board(&self, narrowed: &IncidentFilter) -> Result<(Vec<OnBoard>, bool), NoAnswer> {
        let (found, cut) = self.listed(&self.on_board(narrowed)?).await?;
        // Whoever commands has not answered the page: it goes on.
        let seeks = |incident: &Incident| incident.state == State::Declared || (!incident.is_held() && incident.state != State::Candidate);
        let (seeking, calm): (Vec<&Incident>, Vec<&Incident>) = found.iter().map(|one| &one.incident).partition(|incident| seeks(incident));
        let ids: Vec<PageId> = seeking.iter().filter_map(|incident| incident.page).collect();
        let pages = rows::page::get_all(self.db(), &ids).await?;
        let mut pages: HashMap<PageId, Page> = pages.into_iter().map(|(page, _)| (page.id, page)).collect();
        let sought: Vec<IncidentId> = seeking.iter().map(|incident| incident.id).collect();
        let held: Vec<IncidentId> = calm.iter().map(|incident| incident.id).collect();
        let (asked, looked_for) = match self.who().person() {
            Some(person) => tokio::try_join!(
                rows::message::incidents_asking(self.db(), &sought, person),
                rows::message::incidents_looking_for(self.db(), &held, person)
            )?,
            None => (BTreeSet::new(), BTreeSet::new()),
        };
        let looked_for = self.asked_still(looked_for).await?;
        let org = self.engine().org();
        let mut under = self.under_of(&found.iter().map(|one| &one.incident).collect::<Vec<_>>()).await?;
        let mut of = |one: &Arc<Boarded>| {
            let incident = &one.incident;
            let page = incident.page.filter(|_| seeks(incident)).and_then(|id| pages.remove(&id));
            OnBoard {
                held: incident.is_held(),
                clock: clocks::owed(incident),
                asks: page.and_then(|page| asking(&page, incident, &org)),
                asked_reader: asked.contains(&incident.id),
                looks_for_reader: looked_for.contains(&incident.id),
                contention: Contention::default(),
                under: under.remove(&incident.id),
                incident: Arc::clone(&one.view),
            }
        };
        let mut rows: Vec<OnBoard> = found.iter().map(&mut of).collect();
        contend(&mut rows, &org);
        Ok((rows, cut))
    }

    /// Those of these incidents, of which a page looks for whoever reads, that they have not answered: where several have to
    /// acknowledge, a page goes on though one of them has.
    async fn asked_still(&self, mut incidents: BTreeSet<IncidentId>) -> Result<BTreeSet<IncidentId>, NoAnswer> {
        let Some(person) = self.who().person() else { return Ok(incidents) };
        for id in incidents.clone() {
            let pages = rows::page::of_incident(self.db(), id).await?.read;
            if !pages.iter().any(|(page, _)| page.status == Status::Running && !page.asks_no_more(person)) {
                incidents.remove(&id);
            }
        }
        Ok(incidents)
    }

    /// Incidents that are over and of which a regulator is still owed a report, the first that is due first; at most
    /// [`OWING_MAX`] of the newest.
    ///
    /// # Errors
    /// When the store does not answer, or the asker may not read.
    pub async fn owing(&self) -> Result<Vec<IncidentView>, NoAnswer> {
        self.may(Right::See)?;
        let due = |incident: &Incident| incident.work.open_obligations().filter_map(|one| Some(one.owed()?.due_at)).min();
        let mut owing: Vec<(Timestamp, IncidentView)> = Vec::new();
        let mut before = None;
        // Of most all was submitted: those are passed over, and take nobody's place.
        while owing.len() < OWING_MAX {
            let found = rows::incident::owing(self.db(), &self.reach(), before, BOARD_MAX as i64).await?;
            let still = |(incident, head): &(Incident, Head)| Some((due(incident)?, IncidentView::of(incident, head.version, None)));
            owing.extend(found.iter().filter_map(still));
            before = found.last().map(|(incident, _)| incident.id);
            if found.len() < BOARD_MAX {
                break;
            }
        }
        owing.truncate(OWING_MAX);
        owing.sort_by_key(|(due_at, _)| *due_at);
        Ok(owing.into_iter().map(|(_, incident)| incident).collect())
    }

    async fn boarded(&self, filter: &rows::incident::Filter) -> Result<(Vec<IncidentView>, bool), NoAnswer> {
        let (found, cut) = self.listed(filter).await?;
        Ok((found.iter().map(|one| IncidentView::clone(&one.view)).collect(), cut))
    }

    /// As many as a board has, and whether there are more.
    pub(super) async fn listed(&self, filter: &rows::incident::Filter) -> Result<(Vec<Arc<Boarded>>, bool), NoAnswer> {
        let mut found = self.engine().shared.boards.list(self.db(), filter, BOARD_MAX as i64 + 1).await?;
        let cut = found.len() > BOARD_MAX;
        found.truncate(BOARD_MAX);
        Ok((found, cut))
    }

    /// Open incidents of the asker, as [`OnBoard::is_of_reader`] says: what asks them first, then what they have a part in, each in the
    /// order of a board; and whether there are more. The latter are asked for by name, since a board of everybody's may leave out
    /// any of them.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn open_of_asker(&self) -> Result<(Vec<IncidentView>, bool), NoAnswer> {
        let Some(me) = self.who().person() else { return Ok((Vec::new(), false)) };
        let filter = rows::incident::Filter { naming: Some(me.to_owned()), ..self.on_board(&IncidentFilter::default())? };
        let (mut found, cut) = self.boarded(&filter).await?;
        // The store knows who is named, and not by what.
        found.retain(|incident| incident.is_of(me));
        let (board, _) = self.board(&IncidentFilter::default()).await?;
        let asks = board.into_iter().filter(|row| row.waits_for_reader() && found.iter().all(|one| one.id != row.incident.id));
        let mut mine: Vec<IncidentView> = asks.map(|row| Arc::unwrap_or_clone(row.incident)).collect();
        mine.append(&mut found);
        Ok((mine, cut))
    }

    /// Since when the asker has an incident, where they took it last and nobody has it beside them; and its reference.
    ///
    /// # Errors
    /// When there is none that the asker sees, or the store does not answer.
    pub async fn held_by_asker(&self, reference: &str) -> Result<Option<(String, Timestamp)>, NoAnswer> {
        let (incident, _) = self.stored_incident(self.incident_id(reference).await?).await?;
        Ok(self.held_since(&incident).map(|at| (incident.reference, at)))
    }

    /// The same of many references, in their order and with one read; those that the asker has.
    ///
    /// # Errors
    /// When the asker may not read, or the store does not answer.
    pub async fn all_held_by_asker(&self, references: &[&str]) -> Result<Vec<(String, Timestamp)>, NoAnswer> {
        self.may(Right::See)?;
        let references: Vec<String> = references.iter().map(|reference| reference.to_ascii_uppercase()).collect();
        let found = rows::incident::of_references(self.db(), &references, &self.reach()).await?;
        let held: HashMap<&str, Timestamp> =
            found.iter().filter_map(|incident| Some((incident.reference.as_str(), self.held_since(incident)?))).collect();
        Ok(references.iter().filter_map(|reference| Some((reference.clone(), *held.get(reference.as_str())?))).collect())
    }

    fn held_since(&self, incident: &Incident) -> Option<Timestamp> {
        let hold = &incident.work.hold;
        let mine = incident.is_held() && hold.by.is_some() && hold.by.as_deref() == self.who().person();
        hold.acted_at.filter(|_| mine)
    }

    /// Whether anybody is known to have an incident: somebody took it, and did not give it back.
    ///
    /// # Errors
    /// When there is none that the asker sees, or the store does not answer.
    pub async fn is_held(&self, id: IncidentId) -> Result<bool, NoAnswer> {
        Ok(self.stored_incident(id).await?.0.is_held())
    }

    /// How many incidents of each service are open, of those the asker sees, and the worst severity among them.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn open_by_service(&self) -> Result<HashMap<String, (i64, Severity)>, NoAnswer> {
        self.may(Right::See)?;
        let found = rows::incident::open_by_service(self.db(), &self.reach()).await?;
        Ok(found.into_iter().map(|(service, count, worst)| (service, (count, worst))).collect())
    }

    /// What is awaited of each incident that [`Queries::open_incidents`] gives.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn awaited(&self, narrowed: &IncidentFilter) -> Result<Vec<Awaited>, NoAnswer> {
        let found = rows::expectation::live_of(self.db(), &self.on_board(narrowed)?, BOARD_MAX as i64).await?;
        Ok(found.into_iter().map(|(incident, rule, due_at)| Awaited { incident, rule, due_at }).collect())
    }

    pub(super) fn on_board(&self, narrowed: &IncidentFilter) -> Result<rows::incident::Filter, NoAnswer> {
        self.may(Right::See)?;
        Ok(rows::incident::Filter { open: true, worst_first: true, ..self.stored_filter(narrowed) })
    }

    /// Whom a service's escalation policy would page, were it to start now for this severity and type; without a service, who is paged when
    /// nothing else is left.
    ///
    /// # Errors
    /// When there is no such service, or the asker may not see the organisation.
    pub async fn who_would_be_paged(
        &self,
        service: Option<&str>,
        severity: Severity,
        kind: Option<&str>,
    ) -> Result<Vec<StepExplanation>, NoAnswer> {
        let org = self.organisation()?;
        if let Some(service) = service {
            org.service(service).ok_or(NoAnswer::Missing("service"))?;
        }
        let policy = service.and_then(|service| org.escalation_of(service)).map(|form| form.id.as_str());
        let facts = Facts { severity, service: service.map(str::to_owned), kind: kind.map(str::to_owned) };
        self.explain_policy(&org, policy, &facts, self.engine().now()).await
    }

    /// Every form of the organisation, without its content.
    ///
    /// # Errors
    /// When the asker is no administrator, or the store does not answer.
    pub async fn forms(&self) -> Result<Vec<FormLine>, NoAnswer> {
        self.may(Right::Administer)?;
        let stored = rows::form::all(self.engine().db()).await?;
        Ok(stored
            .into_iter()
            .filter_map(|row| {
                let kind = FormKind::from_word(&row.kind)?;
                Some(FormLine { kind, id: row.id, version: row.version, managed: row.managed, at: row.at })
            })
            .collect())
    }

    /// Who changed a form, and when; the newest first.
    ///
    /// # Errors
    /// When the asker is no administrator, or the store does not answer.
    pub async fn form_history(&self, kind: FormKind, id: &str) -> Result<Vec<FormChange>, NoAnswer> {
        self.may(Right::Administer)?;
        let mut found = rows::form::versions(self.engine().db(), kind.word(), id).await?;
        found.sort_by_key(|row| std::cmp::Reverse(row.version));
        let body = |text: Option<&str>| -> Option<Value> {
            let mut body = serde_json::from_str(text?).ok()?;
            mask_body(kind, &mut body, self.engine().channels());
            Some(body)
        };
        let bodies: Vec<Option<Value>> = found.iter().map(|row| body(row.body.as_deref())).collect();
        let keys = |at: usize| Some(fields(bodies.get(at + 1)?.as_ref()?, bodies[at].as_ref()?));
        let told = found.into_iter().enumerate();
        Ok(told.map(|(at, row)| FormChange { version: row.version, keys: keys(at), actor: row.actor, at: row.at }).collect())
    }
}
