//! Search over everything that somebody may see.
//!
//! The order is simple to say: the incident that was named; people, services and what else the organisation has by that name; incidents
//! whose title has all words; what was written, the newest first; alerts, the newest first. What the index says is a hint: every hit is
//! read as this reader may read it, and its text is held against what was looked for, so that nothing is shown, counted or put in order by
//! what they may not see.

use std::collections::HashMap;

use allclear_domain::access::Right;
use allclear_domain::event::Mode;
use allclear_domain::find::{Query, Shelf, Thing, cut, said, said::alert_said, snippet};
use allclear_domain::ids::{AlertId, IncidentId};
use allclear_domain::incident::{Incident, Severity, State};
use allclear_domain::org::snapshot::Org;
use allclear_domain::tlp::Tlp;
use allclear_domain::view::{FoundPageView, FoundView};
use allclear_store::rows;
use allclear_store::rows::find::hits::{self, Entry, Filter};
use allclear_store::rows::find::walk::{Narrow, Walk};
use jiff::Timestamp;

use super::{LIST_MAX, NoAnswer, Queries};

/// Places that are looked at together: mostly the first suffice; where a reader sees few of them, more at a time.
const TOGETHER: [usize; 3] = [20, 100, 500];
/// Places that one question looks at where its reader sees few of them: twenty statements. What is older is found by asking on.
const LOOKED_MAX: usize = 10_000;
/// People, services and the like that stand before what was written.
const FORMS_MAX: usize = 5;
/// Events and alerts that the index does not have yet and that are looked at as they are: more than are written in the second or two
/// until it has them, but in a storm.
const FRESH_MAX: i64 = 500;
/// Until the log is read up to so few events, it counts as being read: what was just written is found within a second or two.
const BEHIND: i64 = 5_000;

/// What is looked for, and among what.
#[derive(Debug, Clone, Default)]
pub struct FindFilter {
    pub kind: Option<Thing>,
    pub state: Option<State>,
    pub open: bool,
    pub severity: Option<Severity>,
    pub service: Option<String>,
    /// Written down at or after.
    pub from: Option<Timestamp>,
    /// Written down before.
    pub to: Option<Timestamp>,
    /// Without exercises.
    pub real: bool,
}

impl FindFilter {
    /// Whether it asks something that only what happened has.
    const fn asks(&self) -> bool {
        self.state.is_some() || self.open || self.severity.is_some() || self.service.is_some() || self.from.is_some() || self.to.is_some()
    }
}

/// Where a list goes on. What was named and the organisation's names are at its beginning alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Begin,
    Titles(i64),
    Written(i64),
    /// Below this id.
    Alerts(Option<AlertId>),
}

impl At {
    fn read(cursor: &str) -> Option<Self> {
        let (stage, place) = cursor.split_at_checked(1)?;
        let number = || place.parse::<i64>().ok().filter(|n| *n >= 0);
        match stage {
            "t" => number().map(Self::Titles),
            "w" => number().map(Self::Written),
            "a" if place.is_empty() => Some(Self::Alerts(None)),
            "a" => place.parse().ok().map(|id| Self::Alerts(Some(id))),
            _ => None,
        }
    }

    fn written(self) -> Option<String> {
        match self {
            Self::Begin => None,
            Self::Titles(place) => Some(format!("t{place}")),
            Self::Written(place) => Some(format!("w{place}")),
            Self::Alerts(None) => Some("a".to_owned()),
            Self::Alerts(Some(id)) => Some(format!("a{id}")),
        }
    }
}

/// A page of hits while it is filled.
struct Page<'a> {
    query: Query,
    asked: &'a FindFilter,
    filter: Filter,
    limit: usize,
    items: Vec<FoundView>,
    /// The incident that was named, which is not shown twice.
    named: Option<IncidentId>,
    all_words: bool,
    /// The few incidents that the reader or the filter leaves.
    few: Option<Vec<IncidentId>>,
    /// The least and the greatest number of an event that the period leaves.
    within: (i64, i64),
    /// How far the index has the log and the alerts.
    read: i64,
    read_alerts: Option<AlertId>,
}

impl Page<'_> {
    fn is_full(&self) -> bool {
        self.items.len() >= self.limit
    }
}

impl Queries<'_> {
    /// What has all of these words, as far as the reader sees it; after `cursor` where given.
    ///
    /// # Errors
    /// When there is nothing to look for or too much, the cursor is none, or the store does not answer.
    pub async fn find(&self, words: &str, asked: &FindFilter, cursor: Option<&str>, limit: i64) -> Result<FoundPageView, NoAnswer> {
        self.may(Right::See)?;
        let query = Query::read(words).map_err(|why| NoAnswer::Bad(why.to_string()))?;
        let begin = match cursor {
            None => At::Begin,
            Some(cursor) => At::read(cursor).ok_or_else(|| NoAnswer::Bad("`cursor` is the `next` of the page before, as it is".into()))?,
        };
        let filter = Filter {
            state: asked.state,
            open: asked.open,
            severity: asked.severity,
            service: asked.service.clone(),
            from: asked.from,
            to: asked.to,
            real: asked.real,
            reach: self.reach(),
        };
        let limit = usize::try_from(limit.clamp(1, LIST_MAX)).unwrap_or(1);
        let progress = rows::find::progress(self.db()).await?;
        let mut page = Page {
            query,
            asked,
            limit,
            items: Vec::new(),
            named: None,
            all_words: true,
            few: hits::few(self.db(), &filter).await?,
            within: hits::places_within(self.db(), &filter, false).await?,
            read: progress.as_ref().map_or(0, |progress| progress.seq),
            read_alerts: progress.and_then(|progress| progress.alert.parse().ok()),
            filter,
        };
        self.named(words, begin == At::Begin, &mut page).await?;
        if begin == At::Begin {
            self.found_forms(&mut page);
        }
        let next = self.stages(begin, &mut page).await?;
        Ok(FoundPageView {
            items: page.items,
            next: next.and_then(At::written),
            read_percent: self.read_percent().await?,
            all_words: page.all_words,
        })
    }

    /// How much of the log was read for searches, in percent.
    async fn read_percent(&self) -> Result<u8, NoAnswer> {
        let newest = rows::event::newest_seq(self.db()).await?;
        let behind = rows::find::behind(self.db()).await?;
        if behind <= BEHIND {
            return Ok(100);
        }
        let read = newest - behind;
        Ok(u8::try_from(read.max(0).saturating_mul(100) / newest.max(1)).unwrap_or(99).min(99))
    }

    /// `INC-142`, `142`, or the reference of a report.
    async fn named(&self, words: &str, shows: bool, page: &mut Page<'_>) -> Result<(), NoAnswer> {
        let words = words.trim();
        let reference = if words.chars().all(|c| c.is_ascii_digit()) { format!("INC-{words}") } else { words.to_owned() };
        let id = match self.engine().incident_of_report(words).await? {
            Some(id) => id,
            None => match self.incident_id(&reference).await {
                Ok(id) => id,
                Err(NoAnswer::Missing(_)) => return Ok(()),
                Err(why) => return Err(why),
            },
        };
        let incident = match self.stored_incident(id).await {
            Ok((incident, _)) => incident,
            Err(NoAnswer::Missing(_)) => return Ok(()),
            Err(why) => return Err(why),
        };
        let asked = page.asked;
        let fits = asked.kind.is_none_or(|kind| kind == Thing::Incident)
            && asked.state.is_none_or(|state| state == incident.state)
            && (!asked.open || incident.state.is_open())
            && asked.severity.is_none_or(|severity| severity == incident.severity)
            && asked.service.as_ref().is_none_or(|service| incident.service.as_ref() == Some(service))
            && asked.from.is_none_or(|from| incident.created_at >= from)
            && asked.to.is_none_or(|to| incident.created_at < to)
            && (!asked.real || incident.mode == Mode::Live);
        if fits {
            page.named = Some(id);
            if shows {
                page.items.push(FoundView {
                    kind: Thing::Incident,
                    id: id.to_string(),
                    snippet: snippet(&incident.title, &page.query),
                    title: incident.title,
                    incident: Some(incident.reference),
                    state: Some(incident.state),
                    severity: Some(incident.severity),
                    service: incident.service,
                    exercise: incident.mode == Mode::Exercise,
                    at: Some(incident.created_at),
                    by: None,
                    marking: None,
                });
            }
        }
        Ok(())
    }

    /// People, teams, services and whatever else has a name, for whoever may look at the organisation.
    fn found_forms(&self, page: &mut Page<'_>) {
        let wanted = page.asked.kind.is_none_or(|kind| kind.shelf() == Shelf::Forms);
        let Ok(org) = self.organisation() else { return };
        if !wanted || page.asked.asks() {
            return;
        }
        let most = if page.asked.kind.is_some() { page.limit } else { FORMS_MAX };
        for (kind, id, name) in names(&org) {
            if page.items.len() >= most.min(page.limit) {
                return;
            }
            let text = if name == id { name.to_owned() } else { format!("{name} ({id})") };
            if page.asked.kind.is_none_or(|only| only == kind) && page.query.finds(&cut(&text)) {
                page.items.push(FoundView {
                    kind,
                    id: id.to_owned(),
                    title: name.to_owned(),
                    incident: None,
                    state: None,
                    severity: None,
                    service: None,
                    exercise: false,
                    at: None,
                    by: None,
                    marking: None,
                    snippet: snippet(&text, &page.query),
                });
            }
        }
    }

    /// Fills a page; gives where the next begins.
    async fn stages(&self, begin: At, page: &mut Page<'_>) -> Result<Option<At>, NoAnswer> {
        let shelf = page.asked.kind.map(Thing::shelf);
        let wants = |of: Shelf| shelf.is_none_or(|only| only == of);
        let mut at = if begin == At::Begin { At::Titles(i64::MAX) } else { begin };
        loop {
            if page.is_full() {
                return Ok(Some(at));
            }
            let stopped = match at {
                At::Begin | At::Titles(_) if !wants(Shelf::Titles) => None,
                At::Written(_) if !wants(Shelf::Written) => None,
                At::Alerts(_) if !wants(Shelf::Alerts) => None,
                At::Begin => self.found_events(Shelf::Titles, i64::MAX, page).await?.map(At::Titles),
                At::Titles(most) => self.found_events(Shelf::Titles, most, page).await?.map(At::Titles),
                At::Written(most) => self.found_events(Shelf::Written, most, page).await?.map(At::Written),
                At::Alerts(before) => self.found_alerts(before, page).await?.map(At::Alerts),
            };
            if stopped.is_some() {
                return Ok(stopped);
            }
            at = match at {
                At::Begin | At::Titles(_) => At::Written(i64::MAX),
                At::Written(_) => At::Alerts(None),
                At::Alerts(_) => return Ok(None),
            };
        }
    }

    /// Hits of the log from a place downwards; gives where it goes on if the page is full or a question read as much as it may.
    async fn found_events(&self, shelf: Shelf, most: i64, page: &mut Page<'_>) -> Result<Option<i64>, NoAnswer> {
        let ((least, greatest), read) = (page.within, page.read);
        let narrow = Narrow {
            kind: page.asked.kind.filter(|_| shelf == Shelf::Written).map(Thing::word),
            incidents: page.few.clone(),
            places: None,
        };
        let mut known = HashMap::new();
        // What the index does not have yet is looked at as it is.
        let fresh: Vec<i64> =
            hits::fresh(self.db(), read, FRESH_MAX).await?.into_iter().filter(|place| *place <= most.min(greatest)).collect();
        for places in fresh.chunks(TOGETHER[1]) {
            if let Some(seq) = self.take(shelf, places, page, &mut known).await? {
                return Ok(Some(seq - 1));
            }
        }
        let mut walk = Walk::begin(self.db(), shelf, &page.query, &narrow, most.min(greatest).min(read)).await?;
        page.all_words &= walk.whole;
        let mut sizes = TOGETHER.into_iter();
        let (mut size, mut looked) = (TOGETHER[0], 0);
        loop {
            size = sizes.next().unwrap_or(size);
            let places = walk.next(self.db(), size).await?;
            let ended = places.last().is_some_and(|last| *last < least);
            if let Some(seq) = self.take(shelf, &places, page, &mut known).await? {
                return Ok(Some(seq - 1));
            }
            looked += places.len();
            if walk.is_tired() || looked >= LOOKED_MAX {
                return Ok(walk.goes_on().filter(|_| !ended));
            }
            if ended || walk.goes_on().is_none() {
                return Ok(None);
            }
        }
    }

    /// Takes what stands at these places, as far as it is a hit; gives the last where the page is full with it.
    async fn take(
        &self,
        shelf: Shelf,
        places: &[i64],
        page: &mut Page<'_>,
        known: &mut HashMap<IncidentId, Option<Incident>>,
    ) -> Result<Option<i64>, NoAnswer> {
        for entry in hits::entries(self.db(), places, &page.filter).await? {
            let seq = entry.seq;
            let found = match shelf {
                Shelf::Titles => title_hit(entry, page),
                Shelf::Written | Shelf::Alerts | Shelf::Forms => self.written_hit(entry, page, known).await?,
            };
            page.items.extend(found);
            if page.is_full() {
                return Ok(Some(seq));
            }
        }
        Ok(None)
    }

    /// What was written, where the reader may read it and it has the words.
    async fn written_hit(
        &self,
        entry: Entry,
        page: &Page<'_>,
        known: &mut HashMap<IncidentId, Option<Incident>>,
    ) -> Result<Option<FoundView>, NoAnswer> {
        let Some(said) = said(&entry.kind, entry.body.as_deref()) else { return Ok(None) };
        let is_of_kind = said.thing.shelf() == Shelf::Written && page.asked.kind.is_none_or(|kind| kind == said.thing);
        if !is_of_kind || !page.query.finds(&cut(&said.text)) {
            return Ok(None);
        }
        // Nothing else is kept from anybody who sees the incident.
        if entry.marking == Some(Tlp::Red) {
            let Some(of) = &entry.incident else { return Ok(None) };
            if let std::collections::hash_map::Entry::Vacant(vacant) = known.entry(of.id) {
                vacant.insert(rows::incident::get(self.db(), of.id).await?.map(|(incident, _)| incident));
            }
            let reads = known.get(&of.id).and_then(Option::as_ref).is_some_and(|one| self.reads(one, entry.marking, &entry.actor));
            if !reads {
                return Ok(None);
            }
        }
        let own = matches!(said.thing, Thing::Review | Thing::Action);
        let of = entry.incident;
        Ok(Some(FoundView {
            kind: said.thing,
            id: if own { entry.stream } else { entry.seq.to_string() },
            title: of.as_ref().map(|of| of.title.clone()).unwrap_or_default(),
            incident: of.as_ref().map(|of| of.reference.clone()),
            state: of.as_ref().map(|of| of.state),
            severity: of.as_ref().map(|of| of.severity),
            exercise: of.as_ref().is_some_and(|of| of.mode == Mode::Exercise),
            service: of.and_then(|of| of.service),
            at: Some(entry.at),
            by: Some(entry.actor),
            marking: entry.marking,
            snippet: snippet(&said.text, &page.query),
        }))
    }

    /// Hits among alerts, below an id where given; gives where it goes on.
    async fn found_alerts(&self, before: Option<AlertId>, page: &mut Page<'_>) -> Result<Option<Option<AlertId>>, NoAnswer> {
        let (least, greatest) = hits::places_within(self.db(), &page.filter, true).await?;
        let most = before.map_or(i64::MAX, rows::find::place_of).min(greatest);
        let fresh: Vec<i64> =
            hits::fresh_alerts(self.db(), page.read_alerts, FRESH_MAX).await?.into_iter().filter(|place| *place <= most).collect();
        for places in fresh.chunks(TOGETHER[1]) {
            if let Some(id) = self.take_alerts(places, before, page).await? {
                return Ok(Some(Some(id)));
            }
        }
        // The last that was read may share its place with one that was not.
        let most = fresh.last().map_or(most, |place| most.min(place - 1));
        let narrow = Narrow { places: hits::few_alerts(self.db(), &page.filter).await?, ..Narrow::default() };
        let mut walk = Walk::begin(self.db(), Shelf::Alerts, &page.query, &narrow, most).await?;
        page.all_words &= walk.whole;
        let mut sizes = TOGETHER.into_iter();
        let (mut size, mut looked) = (TOGETHER[0], 0);
        loop {
            size = sizes.next().unwrap_or(size);
            let places = walk.next(self.db(), size).await?;
            let ended = places.last().is_some_and(|last| *last < least);
            if let Some(id) = self.take_alerts(&places, before, page).await? {
                return Ok(Some(Some(id)));
            }
            looked += places.len();
            if walk.is_tired() || looked >= LOOKED_MAX {
                return Ok(walk.goes_on().filter(|_| !ended).map(|place| Some(rows::find::alerts_at(place).1)));
            }
            if ended || walk.goes_on().is_none() {
                return Ok(None);
            }
        }
    }

    /// The same of alerts.
    async fn take_alerts(&self, places: &[i64], before: Option<AlertId>, page: &mut Page<'_>) -> Result<Option<AlertId>, NoAnswer> {
        for (alert, reference) in hits::alerts(self.db(), places, &page.filter, before).await? {
            let text = alert_said(&alert.title, alert.source.as_deref(), &serde_json::from_str(&alert.detail).unwrap_or_default());
            if self.is_hidden(&alert, &page.filter.reach) || !page.query.finds(&cut(&text)) {
                continue;
            }
            let id = alert.id;
            page.items.push(FoundView {
                kind: Thing::Alert,
                id: id.to_string(),
                snippet: snippet(&text, &page.query),
                title: alert.title,
                incident: reference,
                state: None,
                severity: Some(alert.severity),
                service: alert.service,
                exercise: false,
                at: Some(alert.opened_at),
                by: Some(format!("integration:{}", alert.integration)),
                marking: None,
            });
            if page.is_full() {
                return Ok(Some(id));
            }
        }
        Ok(None)
    }
}

/// An incident whose present title has the words.
fn title_hit(entry: Entry, page: &Page<'_>) -> Option<FoundView> {
    said(&entry.kind, entry.body.as_deref()).filter(|said| said.thing == Thing::Incident)?;
    let of = entry.incident?;
    if page.named == Some(of.id) || !page.query.finds(&cut(&of.title)) {
        return None;
    }
    Some(FoundView {
        kind: Thing::Incident,
        id: of.id.to_string(),
        snippet: snippet(&of.title, &page.query),
        title: of.title,
        incident: Some(of.reference),
        state: Some(of.state),
        severity: Some(of.severity),
        service: of.service,
        exercise: of.mode == Mode::Exercise,
        at: Some(entry.at),
        by: None,
        marking: None,
    })
}

/// Whatever the organisation has a name for.
fn names(org: &Org) -> impl Iterator<Item = (Thing, &str, &str)> {
    let all = org.bundle();
    let people = all.people.iter().map(|one| (Thing::Person, one.id.as_str(), one.name.as_str()));
    let teams = all.teams.iter().map(|one| (Thing::Team, one.id.as_str(), one.name.as_str()));
    let services = all.services.iter().map(|one| (Thing::Service, one.id.as_str(), one.name.as_str()));
    let schedules = all.schedules.iter().map(|one| (Thing::Schedule, one.id.as_str(), one.name.as_deref().unwrap_or(&one.id)));
    let policies = all.escalations.iter().map(|one| (Thing::Escalation, one.id.as_str(), one.name.as_deref().unwrap_or(&one.id)));
    let plans = all.plans.iter().map(|one| (Thing::Plan, one.id.as_str(), one.name.as_deref().unwrap_or(&one.id)));
    let others = all.organisations.iter().map(|one| (Thing::Organisation, one.id.as_str(), one.name.as_str()));
    people.chain(teams).chain(services).chain(schedules).chain(policies).chain(plans).chain(others)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_list_goes_on_reads_back_and_nothing_else_does() {
        let id = AlertId::from_bits(7);
        for at in [At::Titles(0), At::Written(i64::MAX), At::Alerts(None), At::Alerts(Some(id))] {
            assert_eq!(At::read(&at.written().unwrap()), Some(at));
        }
        for bad in ["", "t", "t-1", "w x", "ainc_1", "é1", "x1"] {
            assert_eq!(At::read(bad), None, "{bad}");
        }
    }
}
