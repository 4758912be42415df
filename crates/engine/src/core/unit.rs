//! A unit: what one command changes, staged until it is whole, then one list of writes.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use allclear_domain::access::Actor;
use allclear_domain::event::{Draft, Head, Mode, Stream};
use allclear_domain::expect::{Expectation, Settle};
use allclear_domain::ids::{AlertId, IdGen, IncidentId, MessageId, PageId};
use allclear_domain::incident::alarms::Silencing;
use allclear_domain::incident::{self, Incident, attendance, roles};
use allclear_domain::paging::{self, MessageState, Page, Reaction, Turns};
use allclear_domain::signal::Alert;
use allclear_domain::tlp::Tlp;
use allclear_domain::wire::NoticeKind;
use allclear_store::Write;
use allclear_store::rows;
use allclear_store::rows::message::Born;
use jiff::Timestamp;

use super::command::Input;
use super::memory::{AlertKey, OpenAlert, Recent};
use super::streams::AnyState;
use super::texts::Text;
use crate::windows::{Birth, Staged, Windows};

/// Turns of a policy at a version of their row, from 1; 0 where there is no row.
pub(crate) type Taken = (Arc<Turns>, u64);

/// What follows once the unit is durable.
#[derive(Debug, Default)]
pub struct Effects {
    /// Messages claimed by this commit, to be sent now.
    pub send: Vec<rows::message::StoredMessage>,
    /// Whether messages were held back for company.
    pub held: bool,
    /// Pages that ended: what of them has not begun is not begun.
    pub ended: Vec<PageId>,
    /// The earliest look of a new expectation.
    pub next_look_at: Option<Timestamp>,
    /// The earliest further try of a message.
    pub next_attempt_at: Option<Timestamp>,
    /// Incidents that changed, for whoever watches.
    pub changed: Vec<IncidentId>,
    /// Incidents, by their reference, that everybody was paged for and nobody has: and why.
    pub unanswered: Vec<(String, String)>,
    /// Incidents, by their reference, that somebody has, or that are over.
    pub answered: Vec<String>,
    /// Results of pages, for the metrics.
    pub page_results: Vec<&'static str>,
    /// Alerts that opened and ended, for the metrics.
    pub alerts_opened: u64,
    pub alerts_ended: u64,
}

/// What a unit does to one alert in memory.
#[derive(Debug)]
pub(crate) enum AlertChange {
    Open(AlertKey, OpenAlert),
    Set(AlertKey, OpenAlert),
    /// With what is remembered in case it comes back.
    End(AlertKey, AlertId, Option<Recent>),
    /// All open alerts of an incident.
    EndOfIncident(IncidentId),
    Give {
        from: IncidentId,
        into: IncidentId,
    },
    /// These of one incident go to another.
    GiveThese {
        alerts: Vec<AlertId>,
        from: IncidentId,
        into: IncidentId,
    },
    Touch(AlertKey, OpenAlert),
    /// It says something else: what waits to be written, or nothing where that is written with this.
    Says(AlertKey, Option<Box<Text>>),
    Flushed(AlertKey),
}

/// What one command changes.
pub struct Unit {
    pub(crate) now: Timestamp,
    pub(crate) actor: Actor,
    pub(crate) cause: String,
    pub(crate) ids: IdGen,
    pub(crate) incidents: HashMap<IncidentId, (Incident, Head)>,
    pub(crate) pages: HashMap<PageId, (Page, Head)>,
    /// States that are read for one command, as this unit leaves them.
    pub(super) states: HashMap<Stream, (AnyState, Head)>,
    pub(crate) new_pages: Vec<(IncidentId, PageId)>,
    /// Turns in the steps of policies, as this unit leaves them.
    pub(super) turns: HashMap<String, Taken>,
    /// Incidents that this unit made of an alert.
    pub(crate) born: Vec<IncidentId>,
    pub(crate) digests: HashMap<IncidentId, bool>,
    pub(crate) alerts: Vec<AlertChange>,
    /// Alerts this unit opened or judged, whole: the store does not have them so yet.
    pub(crate) whole: HashMap<AlertId, Alert>,
    /// The incident that each alert had before this unit changed it; none where it opened here.
    pub(crate) had: HashMap<AlertId, Option<IncidentId>>,
    /// References it gave to incidents.
    pub(crate) references: u64,
    /// Those of them that a silence held then.
    pub(crate) had_silenced: HashSet<AlertId>,
    /// What silences changed about the alerts of incidents, to be told once for each.
    pub(crate) silenced: BTreeMap<IncidentId, Silencing>,
    /// Alerts this unit touched; `None` where it may be any.
    touched: Option<Vec<AlertKey>>,
    drafts: Vec<Draft>,
    /// Where each stream stood before this unit, and by kind of stream where its row goes.
    heads: BTreeMap<Stream, Head>,
    /// Writes after the events.
    rows: Vec<Write>,
    writes: Vec<Write>,
    effects: Effects,
    /// The first event of this unit, by which its commit can be recognised.
    witness: Option<Witness>,
    /// Streams that were read, and where they stood: on a shared store a decision holds only while
    /// they stand there.
    seen: RefCell<BTreeMap<Stream, u64>>,
    /// Who was told something a moment ago, and what this unit adds to it.
    windows: Option<Staged>,
}

/// An event that nobody else can have written: its hash covers fresh salt.
#[derive(Debug, Clone)]
pub(crate) struct Witness {
    pub(crate) stream: Stream,
    pub(crate) version: u64,
    pub(crate) hash: allclear_domain::event::Hash,
}

impl Unit {
    pub(crate) fn new(input: &Input, now: Timestamp, ids: IdGen) -> Self {
        Self {
            now,
            actor: input.who.actor.clone(),
            cause: input.cause.clone(),
            ids,
            incidents: HashMap::new(),
            pages: HashMap::new(),
            states: HashMap::new(),
            new_pages: Vec::new(),
            turns: HashMap::new(),
            born: Vec::new(),
            digests: HashMap::new(),
            alerts: Vec::new(),
            whole: HashMap::new(),
            had: HashMap::new(),
            references: 0,
            had_silenced: HashSet::new(),
            silenced: BTreeMap::new(),
            touched: Some(Vec::new()),
            drafts: Vec::new(),
            heads: BTreeMap::new(),
            rows: Vec::new(),
            writes: Vec::new(),
            effects: Effects::default(),
            witness: None,
            seen: RefCell::new(BTreeMap::new()),
            windows: None,
        }
    }

    /// Its messages wait for company where these windows say so.
    pub(crate) fn gather(mut self, windows: Option<Arc<Windows>>) -> Self {
        self.windows = windows.map(Staged::new);
        self
    }

    /// The unit is whole: what it births counts for the next.
    pub(crate) fn open_windows(&mut self) {
        if let Some(staged) = &mut self.windows {
            staged.take_effect();
        }
    }

    /// See [`Witness`]; none where the unit adds nothing to a log.
    pub(crate) fn witness(&self) -> Option<Witness> {
        self.witness.clone()
    }

    pub(crate) fn id(&mut self) -> u128 {
        self.ids.next(self.now)
    }

    /// A number that no other occurrence of an expectation has, whatever the clock says.
    pub(crate) fn occurrence(&mut self) -> u32 {
        (self.ids.next_u64() >> 32) as u32
    }

    /// Notes how an alert stood before this unit changes it.
    pub(crate) fn note_alert(&mut self, alert: &OpenAlert) {
        if let std::collections::hash_map::Entry::Vacant(had) = self.had.entry(alert.id) {
            had.insert(alert.incident);
            if alert.silenced_until.is_some() {
                self.had_silenced.insert(alert.id);
            }
        }
    }

    /// Notes that a decision rests on where this stream stands.
    pub(crate) fn note_seen(&self, stream: Stream, head: Head) {
        self.seen.borrow_mut().entry(stream).or_insert(head.version);
    }

    /// Another node may have moved on what this unit only read: then it is decided again. Streams
    /// it writes to are guarded by the version of their events.
    pub(crate) fn guard_what_was_read(&mut self) {
        // Rows of what was decided are made where a unit is sealed: one that has events and no rows yet writes as well.
        if self.rows.is_empty() && self.heads.is_empty() {
            return;
        }
        for (stream, version) in self.seen.take() {
            if self.heads.contains_key(&stream) {
                continue;
            }
            match stream {
                Stream::Incident(id) => self.rows.push(rows::incident::unchanged(id, version)),
                Stream::Page(id) => self.rows.push(rows::page::unchanged(id, version)),
                // Read for one command each, and written by whoever reads them.
                Stream::Review(_) | Stream::Action(_) | Stream::Form(_) | Stream::Store => {}
            }
        }
    }

    pub(crate) fn write(&mut self, write: Write) {
        self.rows.push(write);
    }

    pub(crate) fn effects(&mut self) -> &mut Effects {
        &mut self.effects
    }

    /// Folds events of an incident, notes them for its log, and what they open and settle.
    pub(crate) fn incident_events(&mut self, id: IncidentId, before: Option<(Incident, Head)>, events: &[incident::Event]) {
        if events.is_empty() {
            return;
        }
        let (mut state, head) = match before {
            Some((state, head)) => (Some(state), head),
            None => (None, Head::EMPTY),
        };
        let stream = Stream::Incident(id);
        let mut version = head.version;
        self.heads.entry(stream.clone()).or_insert(head);
        let known = state.as_ref().map(|state| state.admitted.clone()).unwrap_or_default();
        for event in events {
            version += 1;
            let after = incident::evolve(state.take(), id, event, &self.actor, self.now, Mode::Live);
            let marking = incident::goes_as_far_as(event, &after);
            self.moded_draft(stream.clone(), id, event.kind(), event.v(), event.body(), (after.mode, marking));
            let (opened, settled) = incident::react(&after, event, version, self.now);
            for settle in settled {
                self.settle(&settle);
            }
            for expectation in opened {
                self.expect(&expectation);
            }
            let taken = matches!(
                event,
                incident::Event::Attendance(attendance::Event::Acknowledged(_) | attendance::Event::StillOnIt(_))
                    | incident::Event::Roles(roles::Event::Taken(_))
            );
            if !after.state.is_open() || (taken && after.is_held()) {
                self.effects.answered.push(after.reference.clone());
            }
            if !after.state.is_open() {
                // Its digest ended with it; if it is opened again it gets another.
                self.digests.insert(id, false);
            }
            state = Some(after);
        }
        self.effects.changed.push(id);
        for person in state.iter().flat_map(|state| state.admitted.difference(&known)) {
            // In the same commit, so that no list knows less or more than the incident.
            self.rows.push(rows::reader::admit(id, person));
        }
        for person in state.iter().flat_map(|state| known.difference(&state.admitted)) {
            self.rows.push(rows::reader::dismiss(id, person));
        }
        if let Some(state) = state {
            // The hash follows when the unit is sealed; the version counts meanwhile.
            self.incidents.insert(id, (state, Head { version, hash: head.hash }));
        }
    }

    /// The same for a page; its messages go to the outbox with it.
    pub(crate) fn page_events(
        &mut self,
        id: PageId,
        before: Option<(Page, Head)>,
        events: &[paging::Event],
        node: Option<allclear_domain::ids::NodeId>,
    ) {
        if events.is_empty() {
            return;
        }
        let (mut state, head) = match before {
            Some((state, head)) => (Some(state), head),
            None => (None, Head::EMPTY),
        };
        let stream = Stream::Page(id);
        let mut version = head.version;
        self.heads.entry(stream.clone()).or_insert(head);
        for event in events {
            version += 1;
            let after = paging::evolve(state.clone(), id, event, self.now);
            let mode = if after.drill.is_some() || after.alone { Mode::Exercise } else { Mode::Live };
            self.moded_draft(stream.clone(), after.incident_id(), event.kind(), event.v(), event.body(), (mode, None));
            for reaction in paging::react(state.as_ref(), &after, event, version, self.now) {
                match reaction {
                    Reaction::Open(expectation) => self.expect(&expectation),
                    Reaction::Settle(settle) => self.settle(&settle),
                    Reaction::Send(draft) => self.send(&draft, node),
                    Reaction::WithdrawOf(person) => {
                        self.rows.push(rows::message::withdraw_waiting_of(id, &person, self.now));
                        self.withdraw_born(id, Some(&person));
                    }
                    Reaction::Withdraw => {
                        self.rows.push(rows::message::withdraw_waiting(id, self.now));
                        self.withdraw_born(id, None);
                        self.effects.ended.push(id);
                    }
                }
            }
            // A drill is in no count of what is real.
            if after.drill.is_none() {
                self.note_result(event);
            }
            state = Some(after);
        }
        if let Some(state) = state {
            self.effects.changed.push(state.incident_id());
            self.pages.insert(id, (state, Head { version, hash: head.hash }));
        }
    }

    /// Where a stream stood before this unit adds to it.
    pub(super) fn begin_stream(&mut self, stream: &Stream, head: Head) {
        self.heads.entry(stream.clone()).or_insert(head);
    }

    /// Messages that this very unit claimed for a page that it also ends are not begun; of one person alone, where one is named.
    fn withdraw_born(&mut self, page: PageId, person: Option<&str>) {
        let of_it =
            |m: &rows::message::StoredMessage| m.page == page && m.notice.kind.looks() && person.is_none_or(|person| m.person == person);
        for message in self.effects.send.extract_if(.., |m| of_it(m)) {
            self.rows.push(rows::message::withdraw(message.id, self.now));
            if let Some(windows) = &mut self.windows {
                windows.not_told(&message.person, &message.contact, self.now);
            }
        }
    }

    fn note_result(&mut self, event: &paging::Event) {
        let result = match event {
            paging::Event::Started(_) => "started",
            paging::Event::Acknowledged(_) => "acknowledged",
            paging::Event::Exhausted(_) => "exhausted",
            paging::Event::CameBack(_) => "came_back",
            paging::Event::AcknowledgedInPart(_) => "acknowledged_in_part",
            paging::Event::Stopped(_) => "stopped",
            paging::Event::SendAccepted(_) => "accepted",
            paging::Event::Delivered(_) => "delivered",
            paging::Event::SendFailed(_) => "failed",
            paging::Event::SendInDoubt(_) => "in_doubt",
            paging::Event::Told(_)
            | paging::Event::StepReached(_)
            | paging::Event::StepEmpty(_)
            | paging::Event::NoticeRaised(_)
            | paging::Event::SendDelayed(_)
            | paging::Event::Declined(_)
            | paging::Event::TakenBack(_)
            | paging::Event::ConfirmationAsked(_)
            | paging::Event::LevelAnswered(_)
            | paging::Event::AnsweredLate(_)
            | paging::Event::DrillEnded(_)
            | paging::Event::Resumed(_) => return,
        };
        self.effects.page_results.push(result);
    }

    pub(super) fn draft(&mut self, stream: Stream, incident: impl Into<Option<IncidentId>>, kind: &'static str, v: u16, body: String) {
        self.moded_draft(stream, incident, kind, v, body, (Mode::Live, None));
    }

    fn moded_draft(
        &mut self,
        stream: Stream,
        incident: impl Into<Option<IncidentId>>,
        kind: &'static str,
        v: u16,
        body: String,
        (mode, marking): (Mode, Option<Tlp>),
    ) {
        self.drafts.push(Draft {
            stream,
            incident: incident.into(),
            kind,
            v,
            at: self.now,
            actor: self.actor.clone(),
            cause: self.cause.clone(),
            mode,
            marking,
            body,
        });
    }

    pub(crate) fn expect(&mut self, expectation: &Expectation) {
        let look = expectation.next_look_at;
        self.effects.next_look_at = Some(self.effects.next_look_at.map_or(look, |at| at.min(look)));
        self.rows.push(rows::expectation::open(expectation));
    }

    pub(crate) fn settle(&mut self, settle: &Settle) {
        self.rows.push(rows::expectation::settle(settle, self.now));
    }

    fn send(&mut self, draft: &paging::MessageDraft, node: Option<allclear_domain::ids::NodeId>) {
        let born = match (node, &mut self.windows) {
            (None, _) => Born::Waiting,
            (Some(node), None) => Born::Claimed(node),
            // It waits for no company, and nothing that is real waits because of it.
            (Some(node), Some(_)) if draft.notice.kind == NoticeKind::Drill => Born::Claimed(node),
            (Some(node), Some(windows)) => match windows.birth(&draft.person, &draft.contact, &draft.notice, self.now) {
                Birth::AtOnce => Born::Claimed(node),
                Birth::Held { until } => Born::Held { by: node, until },
            },
        };
        self.born(draft, born);
    }

    fn born(&mut self, draft: &paging::MessageDraft, born: Born) {
        if !allclear_domain::plants::planted("message-outside-commit") {
            self.rows.push(rows::message::write(draft, born, self.now));
        }
        match born {
            Born::Claimed(node) => self.effects.send.push(rows::message::StoredMessage {
                id: draft.id,
                channel: draft.channel.clone(),
                person: draft.person.clone(),
                contact: draft.contact.clone(),
                page: draft.notice.page,
                notice: draft.notice.clone(),
                state: MessageState::Claimed,
                attempts: 0,
                next_attempt_at: self.now,
                claimed_by: Some(node),
                claimed_at: Some(self.now),
                created_at: self.now,
                in_doubt: false,
                last_error: None,
                bundle: None,
            }),
            Born::Held { until, .. } => {
                self.effects.held = true;
                self.effects.next_attempt_at = Some(self.effects.next_attempt_at.map_or(until, |at| at.min(until)));
            }
            Born::Waiting => {}
        }
    }

    /// What a step of a plan does, or the house tells of itself, goes out by itself and at once; in a copy it waits, since nothing is
    /// sent there.
    pub(super) fn send_alone(&mut self, draft: &paging::MessageDraft, node: Option<allclear_domain::ids::NodeId>) {
        self.born(draft, node.map_or(Born::Waiting, Born::Claimed));
    }

    /// It is not begun any more, unless it is under way.
    pub(super) fn withdraw_step(&mut self, message: MessageId) {
        let born = self.effects.send.extract_if(.., |born| born.id == message).count();
        let write = if born > 0 { rows::message::withdraw } else { rows::message::withdraw_queued };
        self.rows.push(write(message, self.now));
    }

    /// Chains the events, and puts everything in the order in which it is written.
    pub(crate) fn seal(&mut self, salts: &mut dyn FnMut() -> [u8; 16]) {
        let mut heads = std::mem::take(&mut self.heads);
        for draft in self.drafts.drain(..) {
            let head = heads.entry(draft.stream.clone()).or_insert(Head::EMPTY);
            let stream = draft.stream.clone();
            let sealed = draft.seal(head, salts(), self.now);
            if self.witness.is_none() {
                self.witness = Some(Witness { stream, version: sealed.version, hash: sealed.hash });
            }
            self.writes.push(rows::event::append(&sealed));
        }
        // What ended leaves its group before another incident takes the place.
        let stays_open = |stream: &Stream| match stream {
            Stream::Incident(id) => self.incidents.get(id).is_some_and(|(state, _)| state.state.is_open()),
            Stream::Page(_) | Stream::Review(_) | Stream::Action(_) | Stream::Form(_) | Stream::Store => false,
        };
        let (open, ended): (Vec<_>, Vec<_>) = heads.into_iter().partition(|(stream, _)| stays_open(stream));
        for (stream, head) in ended.into_iter().chain(open) {
            match stream {
                Stream::Incident(id) => {
                    if let Some((state, at)) = self.incidents.get_mut(&id) {
                        *at = head;
                        self.writes.push(rows::incident::put(state, head));
                    }
                }
                Stream::Page(id) => {
                    if let Some((state, at)) = self.pages.get_mut(&id) {
                        *at = head;
                        self.writes.push(rows::page::put(state, head));
                    }
                }
                Stream::Review(_) | Stream::Action(_) => {
                    let state = self.states.get_mut(&stream);
                    self.writes.extend(state.and_then(|(state, at)| {
                        *at = head;
                        state.row(head)
                    }));
                }
                Stream::Form(_) | Stream::Store => {}
            }
        }
        self.writes.append(&mut self.rows);
        self.touched = self
            .alerts
            .iter()
            .map(|change| match change {
                AlertChange::Open(key, _)
                | AlertChange::Set(key, _)
                | AlertChange::End(key, _, _)
                | AlertChange::Says(key, _)
                | AlertChange::Touch(key, _)
                | AlertChange::Flushed(key) => Some(key.clone()),
                AlertChange::EndOfIncident(_) | AlertChange::Give { .. } | AlertChange::GiveThese { .. } => None,
            })
            .collect();
    }

    /// Alerts that memory has to read again if this unit does not become durable; `None`: any.
    pub(crate) fn touched(&self) -> Option<Vec<AlertKey>> {
        self.touched.clone()
    }

    /// The writes and what follows them, once sealed.
    #[must_use]
    pub fn into_parts(self) -> (Vec<Write>, Effects) {
        (self.writes, self.effects)
    }
}
