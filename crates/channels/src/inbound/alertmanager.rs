//! The way in for Prometheus and everything that speaks to an Alertmanager: kind `alertmanager`.
//!
//! Takes the array of alerts of `POST /api/v2/alerts` (Prometheus, vmalert, Loki's and Mimir's
//! rulers, `amtool`) and also the object that Alertmanager's own webhook receiver posts. What is
//! usable is kept, what is not is named; the answer is 400 only where nothing could be kept, since
//! a ruler that is told 400 may drop the batch, and one that is told 500 sends it for ever.
//!
//! The difference between the two shapes is a promise: a ruler re-sends a firing alert, so that
//! it lapses when it stops; a webhook does not, so that its alerts last until resolved, and its word
//! `status` decides, whatever `endsAt` says.
//!
//! It deliberately does not group, route or silence: that is triage.

use std::cell::OnceCell;

use allclear_domain::time::{Length, after};
use allclear_domain::wire::{
    Answer, Inbound, InboundContext, InboundRefusal, KeyIn, Labels, Parsed, RefusedElement, Route, SenderSeverity, SetUp, Signal,
    SignalAction,
};
use jiff::Timestamp;
use serde_json::json;

use crate::inbound::labelled::{LabelSet, is_resolved, links_of, title_of};
use crate::inbound::lenient;
use crate::inbound::lenient::{Element, Elements, Loose, lenient_object};
use crate::inbound::text;
use crate::inbound::text::{Notes, Said};

/// How long a firing alert without `endsAt` lasts unless it is sent again: Alertmanager's default
/// `resolve_timeout`.
pub const RESOLVE_TIMEOUT: Length = Length::from_mins(5);
/// The format.
#[derive(Debug)]
pub struct Alertmanager;

/// One alert as sent.
#[derive(Default)]
struct WireAlert<'a> {
    labels: LabelSet,
    annotations: LabelSet,
    starts_at: Loose<'a>,
    ends_at: Loose<'a>,
    generator_url: Loose<'a>,
    /// Only the webhook's alerts say it.
    status: Loose<'a>,
}

lenient_object!(WireAlert {
    labels: "labels",
    annotations: "annotations",
    starts_at: "startsAt",
    ends_at: "endsAt",
    generator_url: "generatorURL",
    status: "status",
});

/// What Alertmanager's webhook receiver posts, as far as it is used.
#[derive(Default)]
struct WireWebhook<'a> {
    alerts: Elements<WireAlert<'a>>,
    /// Of the group: `resolved` where all of it is.
    status: Loose<'a>,
}

lenient_object!(WireWebhook { alerts: "alerts", status: "status" });

/// Alertmanager's identity of a label set: FNV-1a (64 bit) over `name FF value FF` in the order
/// of the names, as 16 hexadecimal digits.
#[must_use]
pub fn fingerprint(labels: &Labels) -> String {
    /// Offset basis and prime of FNV-1a, 64 bit (Fowler, Noll, Vo).
    const BASIS: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    let mut hash = BASIS;
    let mut eat = |bytes: &[u8]| {
        for byte in bytes.iter().chain(&[0xff]) {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(PRIME);
        }
    };
    for (name, value) in labels {
        eat(name.as_bytes());
        eat(value.as_bytes());
    }
    format!("{hash:016x}")
}

/// When an alert ends, as far as its sender says.
fn end_of(said: &Loose<'_>, now: Timestamp, notes: &mut Notes) -> Option<Timestamp> {
    match text::said_instant(said, now) {
        Said::At(at) => return Some(at),
        Said::FarAhead => {
            // Without an end it would lapse within minutes, which is not what was asked for.
            notes.add(format!("endsAt `{}` is too far from now, and was brought near", text::clean(text::cut(said.text.trim(), 64))));
            return Some(after(now, text::AHEAD_MAX));
        }
        Said::Unset | Said::Unreadable | Said::LongAgo => {}
    }
    text::near_instant(said, "endsAt", now, notes)
}

/// One alert; `group` is the word of a webhook.
fn signal_of(alert: WireAlert<'_>, group: Option<&Loose<'_>>, now: Timestamp) -> Result<Signal, String> {
    let mut notes = Notes::default();
    let labels = alert.labels.into_labels("labels", &mut notes);
    if labels.is_empty() {
        return Err("at least one label pair required".to_owned());
    }
    // All labels name the condition, also those that are cut below: its repetitions are the same.
    let dedup_key = fingerprint(&labels);
    let labels = text::fitted_labels(labels, &mut notes);
    let mut annotations = text::fitted_annotations(alert.annotations.into_labels("annotations", &mut notes), &mut notes);
    let stated_end = end_of(&alert.ends_at, now, &mut notes);
    let stated_start = text::began(&alert.starts_at, "startsAt", now, &mut notes);
    let mut starts_at = stated_start.or(stated_end).unwrap_or(now).min(now);
    let (resolved, ends_at) = match group {
        Some(group) => (is_resolved(&alert.status, group, &mut notes), None),
        None => {
            if let Some(end) = stated_end.filter(|end| *end < starts_at) {
                notes.add("endsAt is before startsAt: it counts as having started when it ended");
                starts_at = end;
            }
            (stated_end.is_some_and(|end| end <= now), Some(stated_end.unwrap_or_else(|| after(now, RESOLVE_TIMEOUT))))
        }
    };
    let mut links = links_of(&annotations, &mut notes);
    let source = text::link_or_note(&alert.generator_url.text, "Source", "generatorURL", &mut notes);
    if source.is_none() && !alert.generator_url.text.trim().is_empty() {
        annotations.insert("generatorURL".to_owned(), text::clean(text::cut(&alert.generator_url.text, text::LINK_BYTES_MAX)).into_owned());
    }
    links.extend(source);
    links.dedup_by(|a, b| a.href == b.href);
    let described = annotations.get("description").or_else(|| annotations.get("message")).and_then(|d| text::description(d));
    let (title, description) = text::title_and_rest(&title_of(&labels, &annotations), described, &mut notes);
    Ok(Signal {
        action: if resolved { SignalAction::Resolve } else { SignalAction::Trigger },
        dedup_key,
        title,
        description,
        source: labels.get("instance").cloned(),
        service: None,
        severity: labels.get("severity").and_then(|word| SenderSeverity::from_word(word)),
        labels,
        annotations,
        starts_at: Some(starts_at),
        ends_at,
        links,
        notes: notes.into_list(),
    })
}

impl Inbound for Alertmanager {
    fn kind(&self) -> &'static str {
        "alertmanager"
    }

    fn set_up(&self) -> SetUp {
        SetUp {
            kind: self.kind(),
            address: "{base}/in/alertmanager/{key}",
            says: "In alertmanager.yml, where an Alertmanager is in front; name the receiver in a route. Prometheus itself can send here \
                   without one: in prometheus.yml an entry of alerting.alertmanagers with the path_prefix /prom/ and the key.",
            snippet: "receivers:\n  - name: all-clear\n    webhook_configs:\n      - url: {base}/in/alertmanager/{key}\n        send_resolved: true\n",
        }
    }

    fn routes(&self) -> &'static [Route] {
        &[
            Route { path: "/prom/{key}/api/v2/alerts", any_method: false, key: KeyIn::Path, format: &Alertmanager },
            Route { path: "/api/v2/alerts", any_method: false, key: KeyIn::Authorization, format: &Alertmanager },
        ]
    }

    fn body_bytes_max(&self) -> usize {
        text::BATCH_BYTES_MAX
    }

    fn parse(&self, body: &[u8], context: InboundContext<'_>) -> Result<Parsed, InboundRefusal> {
        let body = text::without_bom(body);
        let from_webhook = body.iter().find(|b| !b.is_ascii_whitespace()) == Some(&b'{');
        let mended = OnceCell::new();
        let read = if from_webhook {
            lenient::read::<WireWebhook<'_>>(body, &mended).map(|webhook| (webhook.alerts, Some(webhook.status)))
        } else {
            lenient::read::<Elements<WireAlert<'_>>>(body, &mended).map(|alerts| (alerts, None))
        };
        let (alerts, group) = read.map_err(|error| InboundRefusal::Malformed(format!("parsing alerts body failed: {error}")))?;
        if let Some(wrong) = alerts.wrong {
            return Err(InboundRefusal::Malformed(format!("parsing alerts body failed: {wrong} stands where the list of alerts belongs")));
        }
        text::check_count(alerts.count)?;
        let mut parsed = Parsed { signals: Vec::with_capacity(alerts.list.len()), ..Parsed::default() };
        for (at, alert) in alerts.list.into_iter().enumerate() {
            let read = match alert {
                Element::Read(alert) => signal_of(alert, group.as_ref(), context.now),
                Element::Wrong(what) => Err(format!("{what} is no alert")),
            };
            match read {
                Ok(signal) => text::keep(&mut parsed, Some(at), signal),
                Err(why) => parsed.refused.push(RefusedElement { at: Some(at), why }),
            }
        }
        text::name_mended(&mut parsed, mended.get());
        Ok(parsed)
    }

    fn accepted(&self, parsed: &Parsed) -> Answer {
        if parsed.refused.is_empty() && parsed.notes.is_empty() {
            // Exactly 200: amtool takes 202 and 204 for errors.
            return Answer { status: 200, body: String::new() };
        }
        let refused = text::first_reasons(&parsed.refused);
        if parsed.signals.is_empty() && !refused.is_empty() {
            return Answer { status: 400, body: json!(refused.join("; ")).to_string() };
        }
        Answer { status: 200, body: json!({"status": "success", "refused": refused, "notes": parsed.notes}).to_string() }
    }

    fn refused(&self, status: u16, sentences: &[String]) -> Answer {
        Answer { status, body: json!({"code": status, "message": sentences.join("; ")}).to_string() }
    }
}

#[cfg(test)]
#[path = "alertmanager_tests.rs"]
mod tests;
