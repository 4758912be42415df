//! The way in for Grafana's own alerting (its contact point *Webhook*): kind `grafana`.
//!
//! One request is a group of alerts, each a set of labels with annotations, as Alertmanager's webhook sends them, and
//! besides: `values` of the rule's expressions, and addresses of the panel, the dashboard, a picture, and of the form that
//! silences it there. `fingerprint` names the condition, its own `status` says whether it is over. Grafana repeats what
//! fires after hours at the soonest (`repeat_interval`), so that an alert lasts until it is resolved.
//!
//! Source: Grafana's documentation, *Configure webhook notifications* (version 12). It deliberately does not read the
//! bodies of the alerting before Grafana 9, which had no list of alerts: they are refused in words.

use std::cell::OnceCell;

use allclear_domain::wire::{
    Answer, Inbound, InboundContext, InboundRefusal, Labels, Parsed, RefusedElement, SenderSeverity, SetUp, Signal, SignalAction, Signature,
};
use jiff::Timestamp;
use serde_json::json;

use crate::inbound::alertmanager::fingerprint;
use crate::inbound::labelled::{LabelSet, is_resolved, links_of, title_of};
use crate::inbound::lenient;
use crate::inbound::lenient::{Element, Elements, Loose, Pairs, lenient_object};
use crate::inbound::text;
use crate::inbound::text::Notes;

/// Rules that Grafana fires in another's place, where that one has no data or cannot be evaluated; the label `rulename`
/// says which.
const STAND_INS: [&str; 2] = ["DatasourceNoData", "DatasourceError"];

/// The format.
#[derive(Debug)]
pub struct Grafana;

/// One alert as sent.
#[derive(Default)]
struct WireAlert<'a> {
    status: Loose<'a>,
    labels: LabelSet,
    annotations: LabelSet,
    starts_at: Loose<'a>,
    values: Pairs<'a>,
    generator_url: Loose<'a>,
    fingerprint: Loose<'a>,
    silence_url: Loose<'a>,
    dashboard_url: Loose<'a>,
    panel_url: Loose<'a>,
    image_url: Loose<'a>,
}

lenient_object!(WireAlert {
    status: "status",
    labels: "labels",
    annotations: "annotations",
    starts_at: "startsAt",
    values: "values",
    generator_url: "generatorURL",
    fingerprint: "fingerprint",
    silence_url: "silenceURL",
    dashboard_url: "dashboardURL",
    panel_url: "panelURL",
    image_url: "imageURL",
});

/// What is posted, as far as it is used.
#[derive(Default)]
struct WireGroup<'a> {
    alerts: Option<Elements<WireAlert<'a>>>,
    /// `resolved` where all of it is.
    status: Loose<'a>,
    /// Alerts that were left out over there, by the contact point's *Max Alerts*.
    truncated: Loose<'a>,
}

lenient_object!(WireGroup { alerts: "alerts", status: "status", truncated: "truncatedAlerts" });

/// What the expressions of the rule came to: `B = 44.2, C = 1`.
fn values_as_text(values: &Pairs<'_>) -> Option<String> {
    let said: Vec<_> = values.list.iter().filter(|(_, value)| value.filled().is_some()).collect();
    let list: Vec<String> = said.into_iter().map(|(name, value)| format!("{name} = {}", value.text.trim())).collect();
    (!list.is_empty()).then(|| list.join(", "))
}

/// What is said of the condition, and under it the values.
fn described(annotations: &Labels, values: &Pairs<'_>, notes: &mut Notes) -> Option<String> {
    let said = annotations.get("description").or_else(|| annotations.get("message")).cloned();
    let whole = [said, values_as_text(values)].into_iter().flatten().collect::<Vec<_>>().join("\n");
    text::described(&whole, "the description", notes)
}

/// Grafana names what it fires in a rule's place after the fault; people look for the rule.
fn called(labels: &Labels, annotations: &Labels) -> String {
    match (labels.get("alertname"), labels.get("rulename")) {
        (Some(fault), Some(rule)) if STAND_INS.contains(&fault.as_str()) && !annotations.contains_key("summary") => {
            format!("{rule}: {fault}")
        }
        _ => title_of(labels, annotations),
    }
}

fn signal_of(alert: WireAlert<'_>, group: &Loose<'_>, now: Timestamp) -> Result<Signal, String> {
    let mut notes = Notes::default();
    let labels = alert.labels.into_labels("labels", &mut notes);
    let given = text::said_key(&alert.fingerprint, text::DEDUP_KEY_BYTES_MAX, &mut notes);
    if labels.is_empty() && given.is_none() {
        return Err("it has neither labels nor a fingerprint".to_owned());
    }
    let dedup_key = given.unwrap_or_else(|| fingerprint(&labels));
    let labels = text::fitted_labels(labels, &mut notes);
    let mut annotations = alert.annotations.into_labels("annotations", &mut notes);
    // Grafana's own, for its pages; the addresses that it makes of them come as well.
    annotations.retain(|name, _| !(name.starts_with("__") && name.ends_with("__")));
    let mut annotations = text::fitted_annotations(annotations, &mut notes);
    let mut links = links_of(&annotations, &mut notes);
    for (said, caption, field) in [
        (&alert.panel_url, "Panel", "panelURL"),
        (&alert.dashboard_url, "Dashboard", "dashboardURL"),
        (&alert.image_url, "Picture", "imageURL"),
        (&alert.generator_url, "Rule", "generatorURL"),
        (&alert.silence_url, "Silence in Grafana", "silenceURL"),
    ] {
        match text::link_or_note(&said.text, caption, field, &mut notes) {
            Some(link) if links.iter().all(|known| known.href != link.href) => links.push(link),
            Some(_) => {}
            None if said.text.trim().is_empty() => {}
            None => {
                annotations.insert(field.to_owned(), text::clean(text::cut(&said.text, text::LINK_BYTES_MAX)).into_owned());
            }
        }
    }
    let name = called(&labels, &annotations);
    let name = if text::title(&name).is_empty() { dedup_key.clone() } else { name };
    let (title, description) = text::title_and_rest(&name, described(&annotations, &alert.values, &mut notes), &mut notes);
    let action = if is_resolved(&alert.status, group, &mut notes) { SignalAction::Resolve } else { SignalAction::Trigger };
    Ok(Signal {
        action,
        dedup_key,
        title,
        description,
        source: labels.get("instance").or_else(|| labels.get("host")).cloned(),
        service: None,
        severity: labels.get("severity").and_then(|word| SenderSeverity::from_word(word)),
        labels,
        annotations,
        starts_at: text::near_instant(&alert.starts_at, "startsAt", now, &mut notes),
        ends_at: None,
        links,
        notes: notes.into_list(),
    })
}

impl Inbound for Grafana {
    fn kind(&self) -> &'static str {
        "grafana"
    }

    fn set_up(&self) -> SetUp {
        SetUp {
            kind: self.kind(),
            address: "{base}/in/grafana/{key}",
            says: "In Grafana: Alerting, Contact points, New contact point, of the type Webhook with this URL. Leave the custom payload alone. \
                   As a file in Grafana's folder provisioning/alerting:",
            snippet: "apiVersion: 1\ncontactPoints:\n  - name: All Clear\n    receivers:\n      - uid: all-clear\n        type: webhook\n        \
                      settings: {url: \"{base}/in/grafana/{key}\"}\n",
        }
    }

    fn body_bytes_max(&self) -> usize {
        text::BATCH_BYTES_MAX
    }

    /// Since version 12; the names are those of the contact point's settings, where both can be changed.
    fn signature(&self) -> Option<Signature> {
        Some(Signature { header: "x-grafana-alerting-signature", time_header: "x-grafana-alerting-timestamp" })
    }

    fn parse(&self, body: &[u8], context: InboundContext<'_>) -> Result<Parsed, InboundRefusal> {
        let mended = OnceCell::new();
        let malformed = |why: String| InboundRefusal::Malformed(format!("the body is not what Grafana's webhook posts: {why}"));
        let group: WireGroup<'_> = lenient::read(text::without_bom(body), &mended).map_err(|why| malformed(why.to_string()))?;
        let Some(alerts) = group.alerts else {
            return Err(malformed("it has no list `alerts` (the alerting before Grafana 9 is not read)".to_owned()));
        };
        if let Some(wrong) = alerts.wrong {
            return Err(malformed(format!("{wrong} stands where the list of alerts belongs")));
        }
        text::check_count(alerts.count)?;
        let mut parsed = Parsed { signals: Vec::with_capacity(alerts.list.len()), ..Parsed::default() };
        for (at, alert) in alerts.list.into_iter().enumerate() {
            let read = match alert {
                Element::Read(alert) => signal_of(alert, &group.status, context.now),
                Element::Wrong(what) => Err(format!("{what} is no alert")),
            };
            match read {
                Ok(signal) => text::keep(&mut parsed, Some(at), signal),
                Err(why) => parsed.refused.push(RefusedElement { at: Some(at), why }),
            }
        }
        if parsed.signals.is_empty() && !parsed.refused.is_empty() {
            return Err(InboundRefusal::Invalid(text::first_reasons(&parsed.refused)));
        }
        if let Some(count) = group.truncated.filled().filter(|count| *count != "0") {
            let note = format!("Grafana left out {} alerts: raise `Max Alerts` of its contact point", text::cut(count, 20));
            parsed.signals.iter_mut().for_each(|signal| signal.notes.push(note.clone()));
            parsed.notes.push(note);
        }
        text::name_mended(&mut parsed, mended.get());
        Ok(parsed)
    }

    fn accepted(&self, parsed: &Parsed) -> Answer {
        let mut body = json!({"status": "accepted", "alerts": parsed.signals.len()});
        if !parsed.refused.is_empty() {
            body["refused"] = json!(text::first_reasons(&parsed.refused));
        }
        if !parsed.notes.is_empty() {
            body["notes"] = json!(parsed.notes);
        }
        Answer { status: 200, body: body.to_string() }
    }

    fn refused(&self, status: u16, sentences: &[String]) -> Answer {
        // Grafana shows the answer's body beside the contact point that failed.
        Answer { status, body: json!({"status": "refused", "message": sentences.join("; ")}).to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(body: &str) -> Result<Parsed, InboundRefusal> {
        let now = "2026-11-21T03:00:00Z".parse().unwrap();
        Grafana.parse(body.as_bytes(), InboundContext { now, fresh_key: "unused", instance: None })
    }

    #[test]
    fn what_fires_in_a_rule_s_place_is_called_after_the_rule() {
        let body = r#"{"status":"firing","alerts":[{"status":"firing","labels":{"alertname":"DatasourceNoData","rulename":"Orders per minute"},"fingerprint":"f1"}]}"#;
        assert_eq!(parse(body).unwrap().signals[0].title, "Orders per minute: DatasourceNoData");
        let named = body.replace(r#""fingerprint""#, r#""annotations":{"summary":"No orders"},"fingerprint""#);
        assert_eq!(parse(&named).unwrap().signals[0].title, "No orders");
    }

    #[test]
    fn its_own_word_decides_and_its_values_are_told() {
        let body = r#"{"status":"firing","alerts":[
            {"status":"resolved","labels":{"alertname":"A"},"endsAt":"0001-01-01T00:00:00Z","fingerprint":"1"},
            {"labels":{"alertname":"B","host":"web1"},"fingerprint":"2","values":{"B":44.2,"C":null,"D":1}},
            {"status":"firing","labels":{"alertname":"C"}}]}"#;
        let parsed = parse(body).unwrap();
        let actions: Vec<_> = parsed.signals.iter().map(|signal| signal.action).collect();
        assert_eq!(actions, [SignalAction::Resolve, SignalAction::Trigger, SignalAction::Trigger]);
        assert_eq!(parsed.signals[1].description.as_deref(), Some("B = 44.2, D = 1"));
        assert_eq!(parsed.signals[1].source.as_deref(), Some("web1"));
        assert_eq!(parsed.signals[2].dedup_key, fingerprint(&parsed.signals[2].labels), "as Grafana itself would name it");
        assert!(parsed.signals.iter().all(|signal| signal.ends_at.is_none()), "nothing lapses by itself");
    }

    #[test]
    fn what_was_left_out_over_there_is_named() {
        let parsed = parse(r#"{"truncatedAlerts":3,"status":"firing","alerts":[{"status":"firing","labels":{"alertname":"A"}}]}"#).unwrap();
        assert!(parsed.signals[0].notes[0].starts_with("Grafana left out 3 alerts"), "{parsed:?}");
        assert!(Grafana.accepted(&parsed).body.contains("Max Alerts"));
    }

    #[test]
    fn what_is_no_group_of_alerts_is_refused_in_words() {
        let old = r#"{"ruleId":1,"ruleName":"CPU","state":"alerting","title":"[Alerting] CPU","evalMatches":[]}"#;
        assert!(matches!(parse(old), Err(InboundRefusal::Malformed(why)) if why.contains("before Grafana 9")));
        for body in [r#"{"alerts":7}"#, "{", "[]", r#"{"alerts":[7]}"#, r#"{"alerts":[{}]}"#] {
            assert!(parse(body).is_err(), "{body}");
        }
        let mixed = parse(r#"{"status":"firing","alerts":[{"labels":{"alertname":"A"}},{}]}"#).unwrap();
        assert_eq!((mixed.signals.len(), mixed.refused.len()), (1, 1));
    }

    #[test]
    fn addresses_become_links_once_and_what_leads_nowhere_stays_text() {
        let body = r#"{"status":"firing","alerts":[{"status":"firing","labels":{"alertname":"A"},
            "annotations":{"dashboard_url":"https://g.example/d/1","__dashboardUid__":"abc"},"dashboardURL":"https://g.example/d/1",
            "panelURL":"","silenceURL":"localhost:3000/silence","imageURL":"https://g.example/p.png"}]}"#;
        let signal = parse(body).unwrap().signals.remove(0);
        let links: Vec<_> = signal.links.iter().map(|link| link.text.as_str()).collect();
        assert_eq!(links, ["Dashboard", "Picture"]);
        assert_eq!(signal.annotations.keys().collect::<Vec<_>>(), ["dashboard_url", "silenceURL"]);
        assert_eq!(signal.notes.len(), 1, "{signal:?}");
    }
}
