//! The core: commands against the running state, to units of writes. No I/O.
//!
//! One core decides for a node, one command after another, so that a storm neither livelocks nor
//! refuses. It keeps what decisions need in memory; what is missing it asks for ([`Need`]) and is
//! asked again. Each command is decided into a [`Unit`] of its own that is taken over only when
//! it is whole: a refusal, a need or a panic leaves no trace.
//!
//! Invariant: what is in memory is what the store holds plus what the commit in flight will add.
//! When a commit fails, [`Core::forget`] drops everything that could be ahead of the store.

mod actions;
mod again;
mod alarm;
mod alerts;
mod canary;
mod clocks;
mod command;
mod commanding;
mod coordination;
mod cover;
mod deeds;
mod dispatch;
mod drill;
mod due;
pub(crate) mod external_calendars;
mod flapping;
mod follow;
mod heartbeats;
mod incidents;
mod judged;
mod may;
mod memory;
mod merging;
mod messages;
mod moving;
mod need;
mod neglect;
mod notices;
mod objectives;
mod obligations;
mod ordering;
mod over;
mod pages;
mod partners;
mod plans;
mod read_once;
pub(crate) mod ready;
mod relating;
mod reporting;
mod resources;
mod responders;
mod reviews;
mod sharded;
pub(crate) mod shifts;

pub mod silences;
mod splitting;
mod staffing;
pub(crate) mod streams;
mod test_page;
mod texts;
mod transfers;
mod turns;
mod unit;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::Arc;

use allclear_domain::event::{Head, Stream};
use allclear_domain::ids::{AlertId, IdGen, IncidentId, NodeId, PageId};
use allclear_domain::incident::Incident;
use allclear_domain::org::snapshot::Org;
use allclear_domain::paging::Page;
use allclear_domain::plants::planted;
use jiff::Timestamp;

use self::sharded::Sharded;
use crate::windows::Windows;

pub(crate) use canary::{SINK, key_of};
pub(crate) use deeds::STEP_GIVEN_UP_AFTER;

pub use command::{Arrived, Command, Declare, Input, Known, Move, Once, Refusal, Reply, SignalReply, Split, Tried, Versioned, is_ours};
pub(crate) use command::{NAMED_CHARS_MAX, ours};
pub(crate) use due::as_signal;
pub use memory::{AlertKey, OpenAlert};
pub(crate) use memory::{RECENT_MAX, horizon};
pub use need::{Decided, Loaded, Need, Stop};
pub(crate) use neglect::is_left_by_choice;
pub use streams::AnyState;
pub(crate) use unit::Witness;
pub use unit::{Effects, Unit};

/// Most open alerts a node holds; beyond it new ones are refused with 503, since a page that
/// cannot be deduplicated is worse than a sender that tries again.
pub const OPEN_ALERTS_MAX: usize = 1_000_000;
/// Streams kept in memory; beyond it the ones that are over are dropped first.
const STREAMS_KEPT_MAX: usize = 50_000;
/// References drawn at a time, at least: `INC-…` numbers may have gaps of this size after a restart.
pub const REFERENCE_BLOCK: u64 = 64;
/// References drawn at a time in a storm of declarations: each draw is a commit of its own for which all decisions wait.
pub const REFERENCE_BLOCK_MAX: u64 = 1024;

/// How the core is set up.
#[derive(Debug, Clone)]
pub struct Setup {
    /// This run of the program.
    pub node: NodeId,
    /// When it started.
    pub booted_at: Timestamp,
    /// Whether other nodes write to the same store, so that absence in memory proves nothing.
    pub shared: bool,
    /// Whether nothing may be sent.
    pub quarantined: bool,
    /// Seed of the ids.
    pub seed: u64,
}

/// The running state of a node.
pub struct Core {
    pub(crate) setup: Setup,
    pub(crate) org: Arc<Org>,
    ids: IdGen,
    // Trees where keys are ids: these ascend, and a tree never stops to grow all at once.
    incidents: BTreeMap<IncidentId, (Incident, Head)>,
    pages: BTreeMap<PageId, (Page, Head)>,
    pages_of: BTreeMap<IncidentId, Vec<PageId>>,
    alerts: Sharded<AlertKey, OpenAlert>,
    alert_keys: BTreeMap<AlertId, AlertKey>,
    alerts_of: BTreeMap<IncidentId, BTreeSet<AlertId>>,
    /// Open alerts of an incident that silences hold; absent where there are none.
    silenced_of: BTreeMap<IncidentId, u64>,
    /// Alerts that an incident ever had, where no other node writes and it is known: counting them
    /// in the store would hold everybody up in a storm.
    alerts_ever: BTreeMap<IncidentId, u64>,
    /// Incidents for which a digest of alerts is running.
    digests: HashSet<IncidentId>,
    groups: HashMap<String, Option<IncidentId>>,
    /// Whose turn it was in the steps of policies, as far as it was asked for.
    turns: HashMap<String, unit::Taken>,
    /// Read for the command at hand only.
    read: Vec<Loaded>,
    /// Drawn and not given yet, from and before; kept when a commit fails, since no other node has them.
    references: VecDeque<(u64, u64)>,
    /// Whether absence in memory must be checked against the store.
    careful: bool,
    /// Alerts whose soft part is newer than the store's.
    dirty: HashSet<AlertKey>,
    /// What was soft of conditions that are being read again: that they were seen stays true, also
    /// where another node ended the alert of then and opened another.
    soft: HashMap<AlertKey, OpenAlert>,
    /// Who was told something a moment ago; absent where every message goes out by itself.
    windows: Option<Arc<Windows>>,
    /// Texts of open alerts that the store does not have yet.
    texts: texts::Texts,
    /// Alerts that ended lately, in case they come back.
    recent: memory::RecentlyEnded,
}

impl Core {
    /// An empty one.
    #[must_use]
    pub fn new(setup: Setup, org: Arc<Org>) -> Self {
        Self {
            ids: IdGen::new(setup.seed),
            setup,
            org,
            incidents: BTreeMap::new(),
            pages: BTreeMap::new(),
            pages_of: BTreeMap::new(),
            alerts: Sharded::default(),
            alert_keys: BTreeMap::new(),
            alerts_of: BTreeMap::new(),
            silenced_of: BTreeMap::new(),
            alerts_ever: BTreeMap::new(),
            digests: HashSet::new(),
            groups: HashMap::new(),
            turns: HashMap::new(),
            read: Vec::new(),
            references: VecDeque::new(),
            careful: false,
            dirty: HashSet::new(),
            soft: HashMap::new(),
            windows: None,
            texts: texts::Texts::default(),
            recent: memory::RecentlyEnded::default(),
        }
    }

    /// From now on, pages for somebody who was told something a moment ago wait for company.
    pub fn gather(&mut self, windows: Arc<Windows>) {
        self.windows = Some(windows);
    }

    /// The organisation in force.
    #[must_use]
    pub fn org(&self) -> &Arc<Org> {
        &self.org
    }

    /// Whether nothing may be sent.
    #[must_use]
    pub const fn is_quarantined(&self) -> bool {
        self.setup.quarantined
    }

    /// Decides one command. On success the running state is ahead of the store by the unit, which
    /// must be committed next or everything forgotten.
    ///
    /// # Errors
    /// A need to be read first, or a refusal.
    pub fn decide(&mut self, input: &Input, now: Timestamp, salts: &mut dyn FnMut() -> [u8; 16]) -> Decided<(Reply, Unit)> {
        let mut unit = Unit::new(input, now, self.ids.clone()).gather(self.windows.clone());
        let reply = self.command(&mut unit, input)?;
        if self.setup.shared {
            unit.guard_what_was_read();
        }
        unit.seal(salts);
        self.take_over(&mut unit);
        self.read.clear();
        Ok((reply, unit))
    }

    /// Hands over what was read. `lasting` things stay in memory, the others serve one command.
    pub fn load(&mut self, loaded: Loaded) {
        match loaded {
            Loaded::Incident(id, found, pages) => {
                if let Some(found) = found {
                    self.incidents.insert(id, *found);
                    self.pages_of.insert(id, pages.iter().map(|(page, _)| page.id).collect());
                    for (page, head) in pages {
                        // A page may have gone on in a commit that is under way: memory is ahead then.
                        if self.pages.get(&page.id).is_none_or(|(_, known)| known.version < head.version) {
                            self.pages.insert(page.id, (page, head));
                        }
                    }
                } else {
                    self.read.push(Loaded::Incident(id, None, Vec::new()));
                }
            }
            Loaded::Page(id, Some(found)) => {
                self.pages.insert(id, *found);
            }
            Loaded::Pages(asked, found) => {
                for (page, head) in found {
                    self.pages.entry(page.id).or_insert((page, head));
                }
                // What is not there, or does not read, is known to be so for the command at hand.
                let absent = asked.into_iter().filter(|id| !self.pages.contains_key(id)).map(|id| Loaded::Page(id, None));
                self.read.extend(absent.collect::<Vec<_>>());
            }
            Loaded::Group(key, found) => {
                self.groups.insert(key, found);
            }
            Loaded::Turns(policy, found, version) => {
                self.turns.insert(policy, (Arc::new(found), version));
            }
            // Added to what is left: a command that needs more than a block must come further with each.
            Loaded::References { from, to } if !planted("references-replaced") => self.references.push_back((from, to)),
            Loaded::References { from, to } => self.references = VecDeque::from([(from, to)]),
            Loaded::Totals(id, all, _) if !self.setup.shared && !self.careful => {
                self.alerts_ever.insert(id, all);
            }
            read @ (Loaded::Page(..)
            | Loaded::AlertByKey(..)
            | Loaded::Alert(..)
            | Loaded::Totals(..)
            | Loaded::Expectation(..)
            | Loaded::Answer(..)
            | Loaded::Holders(_)
            | Loaded::Involved(..)
            | Loaded::Belongs(..)
            | Loaded::Reached(..)
            | Loaded::State(..)
            | Loaded::Held(..)
            | Loaded::Heartbeat(..)
            | Loaded::Misjudged(..)
            | Loaded::Cover(..)
            | Loaded::Drills(..)
            | Loaded::Busy(_)
            | Loaded::Unready(_)) => self.read.push(read),
        }
    }

    /// Fills the memory of open alerts, at start.
    pub fn load_open(&mut self, integration: &str, dedup_key: &str, mut alert: OpenAlert) {
        let key = AlertKey::new(integration, dedup_key);
        if let Some(soft) = self.soft.remove(&key)
            && soft.last_seen_at >= alert.last_seen_at
        {
            // Of two sightings at one instant the later end stands.
            if soft.last_seen_at > alert.last_seen_at || alert.ends_at.is_none() || soft.ends_at > alert.ends_at {
                alert.ends_at = soft.ends_at;
            }
            alert.last_seen_at = soft.last_seen_at;
            alert.count = if soft.id == alert.id { soft.count.max(alert.count) } else { alert.count + 1 };
            self.dirty.insert(key.clone());
        }
        self.note_open(key, alert);
    }

    /// All that is open was read again: what is left had ended.
    pub fn end_of_loading(&mut self) {
        self.soft.clear();
    }

    /// An incident for which a digest is running, at start.
    pub fn load_digest(&mut self, incident: IncidentId) {
        self.digests.insert(incident);
    }

    /// Drops everything that could be ahead of the store, after a commit that failed.
    pub fn forget(&mut self) {
        self.incidents.clear();
        self.pages.clear();
        self.pages_of.clear();
        self.groups.clear();
        self.turns.clear();
        self.alerts_ever.clear();
        self.digests.clear();
        self.read.clear();
        if let Some(windows) = &self.windows {
            // What was to open a window may not be durable; then the next page does.
            windows.forget();
        }
    }

    /// Drops an incident and its pages that another node changed.
    pub fn forget_stream(&mut self, incident: IncidentId) {
        self.drop_stream(incident);
        self.groups.retain(|_, found| *found != Some(incident));
        // The node that changed it may have taken a turn for it.
        self.turns.clear();
    }

    /// All of an incident but its place in the groups, which are looked through once for many.
    fn drop_stream(&mut self, incident: IncidentId) {
        self.incidents.remove(&incident);
        self.alerts_ever.remove(&incident);
        for page in self.pages_of.remove(&incident).unwrap_or_default() {
            self.pages.remove(&page);
        }
    }

    /// From now on absence in memory is checked against the store, or no longer.
    pub fn set_careful(&mut self, careful: bool) {
        self.careful = careful;
    }

    /// Another organisation is in force.
    pub fn set_org(&mut self, org: Arc<Org>) {
        self.org = org;
    }

    /// Whether other nodes write to the same store.
    #[must_use]
    pub const fn is_shared(&self) -> bool {
        self.setup.shared
    }

    /// Sending is allowed again, or no longer.
    pub fn set_quarantined(&mut self, quarantined: bool) {
        self.setup.quarantined = quarantined;
    }

    /// Drops streams that are over when there are too many.
    pub fn tidy(&mut self) {
        self.texts.may_be_written_again();
        if self.incidents.len() > STREAMS_KEPT_MAX {
            let over: HashSet<IncidentId> =
                self.incidents.iter().filter(|(_, (incident, _))| !incident.state.is_open()).map(|(id, _)| *id).collect();
            for id in &over {
                self.drop_stream(*id);
            }
            self.groups.retain(|_, found| found.is_none_or(|id| !over.contains(&id)));
        }
        // Open ones can be read again as well; this bounds memory in the worst storm.
        if self.incidents.len() > 2 * STREAMS_KEPT_MAX {
            self.incidents.clear();
            self.pages.clear();
            self.pages_of.clear();
            self.alerts_ever.clear();
        }
        if self.setup.shared || self.groups.len() > STREAMS_KEPT_MAX {
            self.groups.clear();
        }
    }

    /// Drops what was read for a command that was not decided.
    pub fn clear_read(&mut self) {
        self.read.clear();
    }

    fn incident(&self, unit: &Unit, id: IncidentId) -> Decided<(Incident, Head)> {
        if let Some(found) = unit.incidents.get(&id) {
            return Ok(found.clone());
        }
        if let Some(found) = self.incidents.get(&id) {
            unit.note_seen(Stream::Incident(id), found.1);
            return Ok(found.clone());
        }
        if self.read.iter().any(|read| matches!(read, Loaded::Incident(other, None, _) if *other == id)) {
            return Err(Refusal::NoSuchIncident.into());
        }
        Err(Stop::Need(Need::Incident(id)))
    }

    fn page(&self, unit: &Unit, id: PageId) -> Decided<(Page, Head)> {
        if let Some(found) = unit.pages.get(&id) {
            return Ok(found.clone());
        }
        if let Some(found) = self.pages.get(&id) {
            unit.note_seen(Stream::Page(id), found.1);
            return Ok(found.clone());
        }
        if self.read.iter().any(|read| matches!(read, Loaded::Page(other, None) if *other == id)) {
            return Err(Refusal::NoSuchPage.into());
        }
        Err(Stop::Need(Need::Page(id)))
    }

    /// Asks for all of these pages at once, where any is not known: one by one a message of a thousand pages would be
    /// decided a thousand times.
    fn pages_at_once(&self, unit: &Unit, ids: impl Iterator<Item = PageId>) -> Decided<()> {
        let absent: HashSet<PageId> =
            self.read.iter().filter_map(|read| if let Loaded::Page(id, None) = read { Some(*id) } else { None }).collect();
        let missing: BTreeSet<PageId> =
            ids.filter(|id| !unit.pages.contains_key(id) && !self.pages.contains_key(id) && !absent.contains(id)).collect();
        if missing.is_empty() { Ok(()) } else { Err(Stop::Need(Need::Pages(missing.into_iter().collect()))) }
    }

    /// A page, where it is there and reads: a message of one that does not is sent all the same.
    fn page_if_any(&self, unit: &Unit, id: PageId) -> Decided<Option<Page>> {
        match self.page(unit, id) {
            Ok((page, _)) => Ok(Some(page)),
            Err(Stop::Refused(Refusal::NoSuchPage)) => Ok(None),
            Err(other) => Err(other),
        }
    }

    /// Ids of an incident's pages; the incident must have been read before.
    fn pages_of(&self, unit: &Unit, id: IncidentId) -> Vec<PageId> {
        let mut pages = self.pages_of.get(&id).cloned().unwrap_or_default();
        for page in unit.new_pages.iter().filter(|(incident, _)| *incident == id).map(|(_, page)| *page) {
            if !pages.contains(&page) {
                pages.push(page);
            }
        }
        pages
    }

    fn reference(&self, unit: &mut Unit) -> Decided<String> {
        let mut further = unit.references;
        for (from, to) in &self.references {
            if further < to - from {
                unit.references += 1;
                return Ok(format!("INC-{}", from + further));
            }
            further -= to - from;
        }
        Err(Stop::Need(Need::References { wanted: unit.references + 1 }))
    }

    /// References that are drawn and not given.
    pub(crate) fn references_left(&self) -> u64 {
        self.references.iter().map(|(from, to)| to - from).sum()
    }

    /// The first so many references are given.
    fn spend_references(&mut self, mut given: u64) {
        while given > 0
            && let Some((from, to)) = self.references.front_mut()
        {
            let here = given.min(*to - *from);
            *from += here;
            given -= here;
            if from == to {
                self.references.pop_front();
            }
        }
    }

    /// The unit is whole: its state becomes the running state.
    fn take_over(&mut self, unit: &mut Unit) {
        self.ids = unit.ids.clone();
        self.spend_references(unit.references);
        for (id, found) in unit.incidents.drain() {
            if let Some(key) = &found.0.group_key {
                let open = found.0.state.is_open().then_some(id);
                if open.is_some() || self.groups.get(key) == Some(&Some(id)) {
                    self.groups.insert(key.clone(), open);
                }
            }
            self.incidents.insert(id, found);
        }
        unit.open_windows();
        for id in unit.born.drain(..).filter(|_| !self.setup.shared) {
            self.alerts_ever.insert(id, 0);
        }
        for (id, found) in unit.pages.drain() {
            self.pages.insert(id, found);
        }
        self.turns.extend(unit.turns.drain());
        for (incident, page) in unit.new_pages.drain(..) {
            self.pages_of.entry(incident).or_default().push(page);
        }
        for (incident, running) in unit.digests.drain() {
            if running {
                self.digests.insert(incident);
            } else {
                self.digests.remove(&incident);
            }
        }
        self.take_over_alerts(unit);
    }
}
