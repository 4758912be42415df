//! What a unit does to open alerts, and what memory takes over of it.
//!
//! `last_seen`, `ends_at` and the count are soft: kept here and written within
//! [`FLUSH_EVERY`](crate::shared::FLUSH_EVERY). A row that turns out to be no longer open makes
//! that write a conflict, and its condition is judged anew on its next signal.

use std::collections::HashMap;

use allclear_domain::expect::Standing;
use allclear_domain::ids::{AlertId, IncidentId};
use allclear_domain::plants::planted;
use allclear_domain::signal::Ended;
use allclear_store::rows;

use super::memory::{AlertKey, OpenAlert, Recent, RecentlyEnded, horizon};
use super::texts::Texts;
use super::unit::{AlertChange, Unit};
use super::{Core, Decided, Loaded, Need, Stop};

impl Core {
    /// The open alert of a condition, as this unit leaves it. `must_ask` reads the store where
    /// other nodes write too: they may have opened it, or given it to another incident.
    pub(super) fn open_alert(&self, unit: &Unit, key: &AlertKey, must_ask: bool) -> Decided<Option<OpenAlert>> {
        for change in unit.alerts.iter().rev() {
            match change {
                AlertChange::Open(other, alert) | AlertChange::Set(other, alert) | AlertChange::Touch(other, alert) if other == key => {
                    return Ok(Some(alert.clone()));
                }
                AlertChange::End(other, _, _) if other == key => return Ok(None),
                AlertChange::Open(..)
                | AlertChange::Set(..)
                | AlertChange::Touch(..)
                | AlertChange::End(..)
                | AlertChange::EndOfIncident(_)
                | AlertChange::Give { .. }
                | AlertChange::GiveThese { .. }
                | AlertChange::Says(..)
                | AlertChange::Flushed(_) => {}
            }
        }
        if self.setup.shared && (self.careful || must_ask) {
            let found = self.read.iter().find_map(|read| {
                if let Loaded::AlertByKey(other, found) = read
                    && other == key
                {
                    Some(found.as_deref().map(OpenAlert::of))
                } else {
                    None
                }
            });
            return found.ok_or_else(|| Stop::Need(Need::AlertByKey(key.clone())));
        }
        Ok(self.alerts.get(key).cloned())
    }

    /// How this unit changes the number of open alerts of an incident. One alert may open, move
    /// and end within one request, so it is counted by where it stood before and stands after.
    fn change_of_open_alerts(unit: &Unit, incident: IncidentId) -> i64 {
        let mut now: HashMap<AlertId, Option<IncidentId>> = HashMap::new();
        for change in &unit.alerts {
            match change {
                AlertChange::Open(_, alert) | AlertChange::Set(_, alert) => {
                    now.insert(alert.id, alert.incident);
                }
                AlertChange::End(_, id, _) => {
                    now.insert(*id, None);
                }
                AlertChange::Touch(..)
                | AlertChange::EndOfIncident(_)
                | AlertChange::Give { .. }
                | AlertChange::GiveThese { .. }
                | AlertChange::Says(..)
                | AlertChange::Flushed(_) => {}
            }
        }
        now.iter()
            .map(|(id, after)| {
                let before = unit.had.get(id).copied().flatten();
                i64::from(*after == Some(incident)) - i64::from(before == Some(incident))
            })
            .sum()
    }

    /// Ends an alert, and judges whether its incident has recovered.
    pub(super) fn end_alert(&mut self, unit: &mut Unit, key: &AlertKey, alert: &OpenAlert, how: Ended) -> Decided<()> {
        unit.write(rows::alert::end(alert.id, how, unit.now));
        unit.settle(&allclear_domain::expect::Settle {
            owner: allclear_domain::expect::Owner::Alert(alert.id),
            key: None,
            standing: if how == Ended::Lapsed { Standing::Missed } else { Standing::Met },
            why: "the alert ended",
        });
        unit.note_alert(alert);
        unit.alerts.push(AlertChange::End(key.clone(), alert.id, Recent::of(alert, unit.now)));
        unit.effects().alerts_ended += 1;
        let Some(incident) = alert.incident else { return Ok(()) };
        let (state, _) = match self.incident(unit, incident) {
            Ok(found) => found,
            // An alert may outlive its incident's row only in a damaged store; it still ends.
            Err(Stop::Refused(_)) => return Ok(()),
            Err(stop) => return Err(stop),
        };
        if !state.state.is_open() {
            return Ok(());
        }
        let is_last = self.still_open(unit, incident)? == 0;
        match state.alarms.flapping {
            Some(quiet_for) => self.flaps_on(unit, incident, quiet_for),
            None if is_last => return self.recover(unit, incident),
            None => {}
        }
        self.digest(unit, incident);
        if !is_last && alert.silenced_until.is_none() && self.may_be_held(&state) {
            // Silences may hold all that are left.
            unit.silenced.entry(incident).or_default();
            self.tell_silences(unit)?;
        }
        Ok(())
    }

    /// Open alerts of an incident once this unit is carried out.
    pub(super) fn still_open(&self, unit: &Unit, incident: IncidentId) -> Decided<u64> {
        if planted("recovery-counts-nothing") {
            return Ok(0);
        }
        let before = if self.setup.shared || self.careful {
            // Other nodes may know of more: the store counts.
            let open = self.read.iter().find_map(|read| {
                if let Loaded::Totals(other, _, open) = read
                    && *other == incident
                {
                    Some(*open)
                } else {
                    None
                }
            });
            open.ok_or(Stop::Need(Need::Totals(incident)))?
        } else {
            self.alerts_of.get(&incident).map_or(0, std::collections::BTreeSet::len) as u64
        };
        Ok(before.saturating_add_signed(Self::change_of_open_alerts(unit, incident)))
    }

    pub(super) fn note_open(&mut self, key: AlertKey, alert: OpenAlert) {
        self.alert_keys.insert(alert.id, key.clone());
        if let Some(incident) = alert.incident {
            self.alerts_of.entry(incident).or_default().insert(alert.id);
            if alert.silenced_until.is_some() {
                *self.silenced_of.entry(incident).or_default() += 1;
            }
        }
        self.alerts.insert(key, alert);
    }

    fn note_ended(&mut self, key: &AlertKey) {
        if let Some(alert) = self.alerts.remove(key) {
            self.alert_keys.remove(&alert.id);
            if let Some(incident) = alert.incident
                && let Some(ids) = self.alerts_of.get_mut(&incident)
            {
                ids.remove(&alert.id);
                if ids.is_empty() {
                    self.alerts_of.remove(&incident);
                }
            }
            if let Some(incident) = alert.incident.filter(|_| alert.silenced_until.is_some())
                && let Some(held) = self.silenced_of.get_mut(&incident)
            {
                *held = held.saturating_sub(1);
                if *held == 0 {
                    self.silenced_of.remove(&incident);
                }
            }
        }
        self.dirty.remove(key);
        self.texts.forget(key);
    }

    pub(super) fn take_over_alerts(&mut self, unit: &mut Unit) {
        for change in unit.alerts.drain(..) {
            match change {
                AlertChange::Open(key, alert) => {
                    if let Some(ever) = alert.incident.and_then(|incident| self.alerts_ever.get_mut(&incident)) {
                        *ever += 1;
                    }
                    self.note_open(key, alert);
                }
                AlertChange::Set(key, alert) => {
                    let had = self.alerts.get(&key).and_then(|before| before.incident);
                    if had != alert.incident {
                        self.count_again([had, alert.incident]);
                    }
                    self.note_ended(&key);
                    self.note_open(key, alert);
                }
                AlertChange::Touch(key, alert) => {
                    if !self.alerts.contains_key(&key) {
                        self.note_open(key.clone(), alert.clone());
                    } else if let Some(known) = self.alerts.get_mut(&key) {
                        *known = alert;
                    }
                    self.dirty.insert(key);
                }
                AlertChange::End(key, _, recent) => {
                    self.note_ended(&key);
                    if let Some(recent) = recent {
                        let horizon = horizon(&self.org);
                        self.recent.note(key, recent, horizon);
                    }
                }
                AlertChange::Says(key, text) => {
                    if self.texts.note(&key, text) {
                        self.dirty.insert(key);
                    }
                }
                AlertChange::EndOfIncident(incident) => {
                    self.silenced_of.remove(&incident);
                    for id in self.alerts_of.remove(&incident).unwrap_or_default() {
                        if let Some(key) = self.alert_keys.remove(&id) {
                            self.alerts.remove(&key);
                            self.dirty.remove(&key);
                            self.texts.forget(&key);
                        }
                    }
                }
                AlertChange::Give { from, into } => {
                    self.count_again([Some(from), Some(into)]);
                    let moved = self.alerts_of.remove(&from).unwrap_or_default();
                    for id in &moved {
                        if let Some(alert) = self.alert_keys.get(id).and_then(|key| self.alerts.get_mut(key)) {
                            alert.incident = Some(into);
                        }
                    }
                    self.alerts_of.entry(into).or_default().extend(moved);
                    if let Some(held) = self.silenced_of.remove(&from) {
                        *self.silenced_of.entry(into).or_default() += held;
                    }
                }
                AlertChange::GiveThese { alerts, from, into } => {
                    self.count_again([Some(from), Some(into)]);
                    for id in &alerts {
                        if !self.alerts_of.get(&from).is_some_and(|of| of.contains(id)) {
                            continue;
                        }
                        let Some(alert) = self.alert_keys.get(id).and_then(|key| self.alerts.get_mut(key)) else { continue };
                        alert.incident = Some(into);
                        if alert.silenced_until.is_some() {
                            if let Some(held) = self.silenced_of.get_mut(&from) {
                                *held = held.saturating_sub(1);
                            }
                            *self.silenced_of.entry(into).or_default() += 1;
                        }
                        self.alerts_of.entry(into).or_default().insert(*id);
                    }
                    if let Some(of) = self.alerts_of.get_mut(&from) {
                        of.retain(|id| !alerts.contains(id));
                    }
                }
                AlertChange::Flushed(key) => {
                    if let (Some(digest), Some(known)) = (self.texts.forget(&key), self.alerts.get_mut(&key)) {
                        known.text = digest;
                    }
                    self.dirty.remove(&key);
                }
            }
        }
    }

    /// The store counts the alerts of these anew.
    fn count_again(&mut self, incidents: [Option<IncidentId>; 2]) {
        for incident in incidents.into_iter().flatten() {
            self.alerts_ever.remove(&incident);
        }
    }

    /// Drops an alert from memory, since the store says otherwise; its next signal reads it anew.
    pub fn forget_alert(&mut self, key: &AlertKey) {
        self.keep_soft(key);
        self.note_ended(key);
    }

    /// What the store does not know yet of a repetition outlives the reading: without it a store
    /// that was away for a while would let alerts lapse that are sent again all the time.
    fn keep_soft(&mut self, key: &AlertKey) {
        // Dirty or not: what a commit that failed would have flushed counts as flushed here.
        if let Some(alert) = self.alerts.get(key) {
            self.soft.insert(key.clone(), alert.clone());
        }
    }

    /// Drops all of them, before memory is filled again.
    pub fn forget_alerts(&mut self) {
        self.soft = self.alerts.drain().collect();
        self.alert_keys.clear();
        self.alerts_of.clear();
        self.silenced_of.clear();
        self.dirty.clear();
        self.texts = Texts::default();
        self.recent = RecentlyEnded::default();
    }

    /// What memory holds of open alerts, by condition: to compare with the store.
    #[must_use]
    pub fn open_alerts(&self) -> std::collections::BTreeMap<AlertKey, OpenAlert> {
        self.alerts.iter().map(|(key, alert)| (key.clone(), alert.clone())).collect()
    }

    /// Alerts whose soft part waits to be written.
    #[must_use]
    pub fn dirty_alerts(&self) -> usize {
        self.dirty.len()
    }

    /// Writes down the soft part of some of them.
    pub(super) fn flush(&mut self, unit: &mut Unit, most: usize) {
        let mut keys: Vec<AlertKey> = self.dirty.iter().take(most).cloned().collect();
        keys.sort();
        for key in keys {
            if let Some(alert) = self.alerts.get(&key) {
                unit.write(rows::alert::touch(alert.id, alert.last_seen_at, alert.ends_at, alert.count));
                if let Some(text) = self.texts.waiting(&key) {
                    unit.write(text.write(alert, self.setup.shared));
                }
            }
            unit.alerts.push(AlertChange::Flushed(key));
        }
    }
}
