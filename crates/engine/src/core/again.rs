//! A condition that is known already: seen again, judged again because it changed, taken by its sender; and what an incident
//! becomes by the alerts that it has. How one that is not known becomes a page is `alarm.rs`.

use allclear_domain::expect::{ALERTS_DIGEST_EVERY, Expectation, Owner, Rule};
use allclear_domain::ids::{AlertId, IncidentId, SignalId};
use allclear_domain::incident::{self, KEY_DIGEST, Severity, State};
use allclear_domain::org::model::{Declare, Integration};
use allclear_domain::signal::{Suppression, Triage, suppression, text_digest, triage};
use allclear_domain::time::{Length, after};
use allclear_domain::wire::Signal;
use allclear_store::rows;
use jiff::Timestamp;

use super::command::SignalReply;
use super::memory::{AlertKey, OpenAlert};
use super::texts::{Text, detail};
use super::unit::{AlertChange, Unit};
use super::{Core, Decided, Need, Stop};

/// Key of the expectation that an alert is sent again.
pub(super) const KEY_LAPSE: &str = "lapse";
/// Key of the expectation at the end of the silence that suppresses an alert.
pub(super) const KEY_SILENCE: &str = "silence";

impl Core {
    /// An incident is as bad as the worst of its alerts, and declared where one of them declares.
    pub(super) fn as_bad_as(&mut self, unit: &mut Unit, id: IncidentId, judged: &Triage) -> Decided<()> {
        let (incident, _) = self.incident(unit, id)?;
        if judged.severity < incident.severity {
            self.raise_severity(unit, id, judged.severity)?;
        }
        if incident.state == State::Candidate && judged.decision == Declare::Declare {
            self.promote(unit, id, "an alert joined that declares")?;
        }
        Ok(())
    }

    /// Sees to it that the log tells of alerts that joined or recovered, within ten seconds.
    pub(super) fn digest(&self, unit: &mut Unit, id: IncidentId) {
        if unit.digests.get(&id).copied().unwrap_or_else(|| self.digests.contains(&id)) {
            return;
        }
        unit.digests.insert(id, true);
        let mut expectation = Expectation::open(
            Owner::Incident(id),
            KEY_DIGEST.to_owned(),
            Rule::AlertsDigest,
            Some(id),
            unit.cause.clone(),
            unit.now,
            ALERTS_DIGEST_EVERY,
        );
        expectation.occurrence = unit.occurrence();
        unit.expect(&expectation);
    }

    /// A condition that is known: soft, unless something changed that could wake somebody.
    pub(super) fn again(
        &mut self,
        unit: &mut Unit,
        integration: &Integration,
        signal: &Signal,
        key: &AlertKey,
        mut alert: OpenAlert,
        kept: &mut Option<SignalId>,
    ) -> Decided<SignalReply> {
        alert.last_seen_at = unit.now;
        alert.count += 1;
        let had_end = alert.ends_at.is_some();
        alert.ends_at = signal.ends_at.or(alert.ends_at);
        if !had_end && let Some(ends_at) = alert.ends_at {
            expect_at(unit, alert.id, KEY_LAPSE, Rule::AlertLapse, ends_at);
        }
        let text = text_digest(signal);
        let says_something_else = text != alert.text;
        // What says something else may be held by other silences.
        let held_otherwise = says_something_else
            && !self.org.silences().is_empty()
            && suppression(&self.org, integration, signal, unit.now).map(|held| held.until) != alert.silenced_until;
        if signal.severity == alert.sender_severity && !held_otherwise {
            if says_something_else {
                self.say_something_else(unit, signal, key, &mut alert, text);
            }
            let hard = self.setup.shared && signal.ends_at.is_none();
            if hard {
                // Another node may have ended it a moment ago, and this sender says it only once:
                // the guard of this write finds out before it is answered.
                unit.write(rows::alert::touch(alert.id, alert.last_seen_at, alert.ends_at, alert.count));
            }
            unit.alerts.push(AlertChange::Touch(key.clone(), alert));
            if hard {
                unit.alerts.push(AlertChange::Flushed(key.clone()));
            }
            return Ok(SignalReply::Repeated);
        }
        keep(unit, kept);
        self.judge_again(unit, integration, signal, key, alert)?;
        self.tell_silences(unit)?;
        Ok(SignalReply::Changed)
    }

    /// The text of an open alert is the one that was sent last.
    fn say_something_else(&self, unit: &mut Unit, signal: &Signal, key: &AlertKey, alert: &mut OpenAlert, digest: u64) {
        alert.text = digest;
        let text = Text::of(signal, digest);
        let waits = if self.texts.may_be_written(key) {
            unit.write(text.write(alert, self.setup.shared));
            None
        } else {
            Some(Box::new(text))
        };
        unit.alerts.push(AlertChange::Says(key.clone(), waits));
    }

    /// Judges an open alert anew: its severity changed, or its silence ended.
    pub(super) fn judge_again(
        &mut self,
        unit: &mut Unit,
        integration: &Integration,
        signal: &Signal,
        key: &AlertKey,
        mut alert: OpenAlert,
    ) -> Decided<()> {
        let judged = triage(&self.org, integration, signal, unit.now, false);
        let mut stored = match unit.whole.get(&alert.id) {
            Some(whole) => whole.clone(),
            None => self.whole_alert(alert.id)?.ok_or(Stop::Need(Need::Alert(alert.id)))?,
        };
        // Another node may have given it to an incident meanwhile, or judged it by other silences.
        alert.incident = stored.incident;
        alert.silenced_until = stored.suppressed.as_ref().map(|held| held.until);
        unit.note_alert(&alert);
        let was = alert.clone();
        if judged.suppressed.is_none() {
            let held = alert.incident.map(|id| self.incident(unit, id)).transpose()?.map(|(state, _)| state);
            match held {
                Some(state) if state.state.is_open() => {
                    if judged.severity < state.severity {
                        self.raise_severity(unit, state.id, judged.severity)?;
                    }
                }
                // A false alarm that is worse now than when it was called one is judged as new.
                Some(_) if judged.severity >= alert.severity => {}
                _ => alert.incident = self.declare_or_join(unit, integration, &judged, signal, alert.id)?,
            }
        }
        alert.severity = judged.severity;
        alert.sender_severity = signal.severity;
        alert.silenced_until = judged.suppressed.as_ref().map(|held| held.until);
        alert.text = text_digest(signal);
        if let Some(Suppression { until, .. }) = judged.suppressed
            && was.silenced_until != Some(until)
        {
            unit.settle(&allclear_domain::expect::Settle {
                owner: Owner::Alert(alert.id),
                key: Some(KEY_SILENCE.to_owned()),
                standing: allclear_domain::expect::Standing::Void,
                why: "another silence holds it",
            });
            expect_at(unit, alert.id, KEY_SILENCE, Rule::SilenceEnd, until);
        }
        stored.incident = alert.incident;
        stored.severity = judged.severity;
        stored.sender_severity = signal.severity;
        stored.decision = judged.decision;
        stored.because = judged.because;
        stored.suppressed = judged.suppressed;
        stored.title.clone_from(&signal.title);
        stored.detail = detail(signal);
        stored.text = Some(alert.text);
        Self::note_silence(unit, &was, &stored);
        (stored.last_seen_at, stored.ends_at, stored.count) = (alert.last_seen_at, alert.ends_at, alert.count);
        unit.write(rows::alert::judged(&stored));
        unit.whole.insert(alert.id, stored);
        unit.alerts.push(AlertChange::Set(key.clone(), alert));
        Ok(())
    }

    fn raise_severity(&mut self, unit: &mut Unit, id: IncidentId, severity: Severity) -> Decided<()> {
        let command = incident::declaration::Command::SetSeverity { severity, why: "an alert of it is worse".into() };
        self.change_incident(unit, id, command)
    }

    /// A sender's acknowledgement acts on the pages that its alert started.
    pub(super) fn sender_acknowledges(&mut self, unit: &mut Unit, alert: &OpenAlert) -> Decided<bool> {
        let Some(id) = alert.incident else { return Ok(false) };
        let (incident, _) = self.incident(unit, id)?;
        let mut started = false;
        for page in self.pages_of(unit, id) {
            started |= self.page(unit, page)?.0.alert == Some(alert.id);
        }
        if !started || incident.state != State::Declared {
            return Ok(false);
        }
        self.acknowledge(unit, id, None, "sender")?;
        Ok(true)
    }
}

/// An alert's expectation whose look is at an instant; in the past means now.
pub(super) fn expect_at(unit: &mut Unit, alert: AlertId, key: &str, rule: Rule, at: Timestamp) {
    let left = at.duration_since(unit.now).as_millis();
    let length = Length::from_millis(u64::try_from(left).unwrap_or(0));
    let mut expectation = Expectation::open(Owner::Alert(alert), key.to_owned(), rule, None, unit.cause.clone(), unit.now, length);
    expectation.next_look_at = after(unit.now, length).max(at);
    expectation.occurrence = unit.occurrence();
    unit.expect(&expectation);
}

/// The kept request's id.
pub(super) fn keep(unit: &mut Unit, kept: &mut Option<SignalId>) -> SignalId {
    *kept.get_or_insert_with(|| SignalId::from_bits(unit.ids.next(unit.now)))
}
