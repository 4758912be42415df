//! Heartbeats: whoever sends one says that it is alive, and an alert says so where the next does not come.
//!
//! Each instance has one live expectation. A heartbeat renews its row and leaves the expectation alone; the look judges again by
//! the row, and by what the integration says now. What is missed opens an alert as any sender's would, which routes and silences
//! judge, and the next heartbeat ends it.
//!
//! A look that is late itself shows that nobody listened for a while, and the sender may have tried: then a whole interval counts
//! anew. A start alone forgives nothing, or a program that starts every night would never miss what comes once a day.
//!
//! Not here: what an instance may be called (`channels::inbound::heartbeat`), how often one comes (the integration's form), and the
//! heartbeat that this program sends itself (`watch`).

use allclear_domain::expect::{Expectation, Owner, Rule, Standing};
use allclear_domain::org::model::{Integration, Rhythm};
use allclear_domain::signal::Ended;
use allclear_domain::time::{Length, after};
use allclear_domain::wire::{Labels, SenderSeverity, Signal, SignalAction, heartbeat_key};
use allclear_store::rows;
use allclear_store::rows::heartbeat::StoredHeartbeat;

use jiff::Timestamp;

use super::again::keep;
use super::alarm::HEARTBEAT_FORMAT;
use super::command::{Arrived, Refusal, SignalReply};
use super::due::{note_look, settle};
use super::memory::{AlertKey, OpenAlert};
use super::unit::Unit;
use super::{Core, Decided, Loaded, Need, Stop};

/// Instances of one integration at most. More are refused: a name that is new each time would fill the store, and be missed.
pub const HEARTBEAT_INSTANCES_MAX: u64 = 1_000;
/// Each is looked at this often at least, so that a corrected rhythm counts soon also where nothing is heard any more.
const LOOKED_AT_EVERY: Length = Length::from_mins(10);
/// What begins the key of an expectation, before the integration and the instance.
const KEY: &str = "heartbeat:";

fn key_of(integration: &str, instance: &str) -> String {
    format!("{KEY}{integration}:{instance}")
}

/// A look that comes later than this after its time was held up: the program was off, stopped, or cut from its store, and heard
/// nothing meanwhile.
const DEAF_AFTER: Length = Length::from_secs(60);

/// What is told where one is missed.
fn missing(integration: &Integration, found: &StoredHeartbeat) -> Signal {
    let name = integration.name.as_ref().unwrap_or(&integration.id);
    let instance = Some(found.instance.clone()).filter(|instance| !instance.is_empty());
    let of = instance.as_ref().map_or_else(String::new, |instance| format!(" ({instance})"));
    let expected = match &integration.every {
        Some(Rhythm::At(times)) => format!("One is expected at `{times}`"),
        Some(Rhythm::Every(every)) => format!("One is expected every {every}"),
        None => "One was expected".to_owned(),
    };
    let mut labels = Labels::new();
    labels.insert("heartbeat".to_owned(), integration.id.clone());
    if let Some(instance) = &instance {
        labels.insert("instance".to_owned(), instance.clone());
    }
    Signal {
        action: SignalAction::Trigger,
        dedup_key: heartbeat_key(&found.instance),
        title: format!("No heartbeat of {name}{of}"),
        description: Some(format!("{expected}; the last came at {}.", found.last_seen_at)),
        source: instance,
        service: None,
        severity: Some(SenderSeverity::Error),
        labels,
        annotations: Labels::new(),
        starts_at: Some(found.last_seen_at),
        ends_at: None,
        links: Vec::new(),
        notes: Vec::new(),
    }
}

impl Core {
    /// A heartbeat came: what was missed is over, and the next is awaited.
    pub(super) fn beat(
        &mut self,
        unit: &mut Unit,
        integration: &Integration,
        instance: &str,
        known: Option<(AlertKey, OpenAlert)>,
        kept: &mut Option<allclear_domain::ids::SignalId>,
    ) -> Decided<SignalReply> {
        let Some(missed_at) = integration.missed_at(unit.now) else { return Ok(SignalReply::Nothing) };
        let (found, of_integration) = self.stored_beat(&integration.id, instance)?;
        if found.is_none() && of_integration >= HEARTBEAT_INSTANCES_MAX {
            return Err(Refusal::TooManyHeartbeats(HEARTBEAT_INSTANCES_MAX).into());
        }
        let ended = match known {
            Some((key, alert)) => {
                keep(unit, kept);
                self.end_alert(unit, &key, &alert, Ended::Resolved)?;
                true
            }
            None => false,
        };
        let awaited = match found.as_ref().and_then(|found| found.awaited) {
            Some(occurrence) => occurrence,
            None => u64::from(await_beat(unit, &integration.id, instance, missed_at)),
        };
        match found {
            None => unit.write(rows::heartbeat::first(&StoredHeartbeat {
                integration: integration.id.clone(),
                instance: instance.to_owned(),
                first_seen_at: unit.now,
                last_seen_at: unit.now,
                counts_from: unit.now,
                awaited: Some(awaited),
                writes: 1,
            })),
            Some(found) => {
                let last_seen_at = found.last_seen_at.max(unit.now);
                unit.write(rows::heartbeat::next(&StoredHeartbeat {
                    last_seen_at,
                    counts_from: last_seen_at,
                    awaited: Some(awaited),
                    ..found
                }));
            }
        }
        Ok(if ended { SignalReply::Ended } else { SignalReply::Repeated })
    }

    /// The next heartbeat is due: has it come meanwhile?
    pub(super) fn look_heartbeat(&mut self, unit: &mut Unit, expectation: &Expectation) -> Decided<()> {
        let Some((id, instance)) = expectation.key.strip_prefix(KEY).and_then(|rest| rest.split_once(':')) else {
            settle(unit, expectation, Standing::Void, "its key does not read");
            return Ok(());
        };
        let org = self.org.clone();
        let Some(integration) = org.integration(id).filter(|form| form.missed_at(unit.now).is_some()) else {
            settle(unit, expectation, Standing::Void, "its integration is gone, or sends no heartbeats any more");
            unit.write(rows::heartbeat::forget(id, instance));
            return Ok(());
        };
        let found = match self.stored_beat(id, instance)?.0 {
            Some(found) if found.awaited == Some(u64::from(expectation.occurrence)) => found,
            Some(_) | None => {
                settle(unit, expectation, Standing::Void, "another one is awaited");
                return Ok(());
            }
        };
        let was_deaf = unit.now > after(expectation.next_look_at, DEAF_AFTER);
        let counts_from = if was_deaf { unit.now } else { found.counts_from };
        // There is one, or it would have been settled above.
        let missed_at = integration.missed_at(counts_from).unwrap_or(unit.now);
        if missed_at > unit.now {
            let at = missed_at.min(after(unit.now, LOOKED_AT_EVERY));
            unit.write(rows::expectation::rearm(expectation, at));
            note_look(unit, at);
            if was_deaf {
                unit.write(rows::heartbeat::next(&StoredHeartbeat { counts_from, ..found }));
            }
            return Ok(());
        }
        settle(unit, expectation, Standing::Missed, "no heartbeat came in time");
        let signal = missing(integration, &found);
        unit.write(rows::heartbeat::next(&StoredHeartbeat { awaited: None, ..found }));
        let body = serde_json::to_string(&signal).unwrap_or_default();
        let (integration, received_at) = (integration.id.clone(), unit.now);
        self.signals(unit, &Arrived { integration, format: HEARTBEAT_FORMAT, received_at, body, signals: vec![signal], kept: None })?;
        Ok(())
    }

    /// The row of an instance, and where there is none how many its integration has.
    fn stored_beat(&self, integration: &str, instance: &str) -> Decided<(Option<StoredHeartbeat>, u64)> {
        let read = self.read.iter().find_map(|read| {
            if let Loaded::Heartbeat(id, of, found, many) = read
                && id == integration
                && of == instance
            {
                Some((found.clone(), *many))
            } else {
                None
            }
        });
        read.ok_or_else(|| Stop::Need(Need::Heartbeat(integration.to_owned(), instance.to_owned())))
    }
}

/// Awaits the next one, and gives the occurrence by which it is known.
fn await_beat(unit: &mut Unit, integration: &str, instance: &str, missed_at: Timestamp) -> u32 {
    let key = key_of(integration, instance);
    let mut expectation =
        Expectation::open(Owner::Org, key, Rule::Heartbeat, None, unit.cause.clone(), unit.now, Length::between(unit.now, missed_at));
    expectation.next_look_at = missed_at.min(after(unit.now, LOOKED_AT_EVERY));
    expectation.occurrence = unit.occurrence();
    unit.expect(&expectation);
    expectation.occurrence
}
