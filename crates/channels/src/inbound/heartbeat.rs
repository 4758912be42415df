//! Heartbeats, kind `heartbeat`: a request says that its sender is alive, and is missed where the next one does not come.
//!
//! Any method does, `GET` too, since what sends them is often one line of a script or a field of a form that asks for an address;
//! nothing is read from a body. The address may name an instance behind the key: `/heartbeat/{key}/db-1`.

use allclear_domain::wire::{
    Answer, Inbound, InboundContext, InboundRefusal, KeyIn, Labels, Parsed, Route, SetUp, Signal, SignalAction, heartbeat_key,
};
use serde_json::json;

/// Longest name of an instance, in characters: that of a host.
pub const INSTANCE_CHARS_MAX: usize = 253;
/// Largest body that is read and left aside, in bytes: the last lines of a job's output.
const BODY_BYTES_MAX: usize = 64 * 1024;

/// The format.
#[derive(Debug)]
pub struct Heartbeat;

/// Whether a text names an instance. It stands in addresses and in keys, so that few signs do.
fn is_instance(text: &str) -> bool {
    (1..=INSTANCE_CHARS_MAX).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.@".contains(&b))
}

impl Inbound for Heartbeat {
    fn kind(&self) -> &'static str {
        "heartbeat"
    }

    fn set_up(&self) -> SetUp {
        SetUp {
            kind: self.kind(),
            address: "{base}/heartbeat/{key}",
            says: "Whatever has to run on time: a backup, a timer, a monitor. Any method does. Where several send with one key, each \
                   names itself behind it: /heartbeat/KEY/db-1. An alert says so where the next one does not come in time, and the next \
                   one ends it.",
            snippet: "# at the end of the job, and only where it went well\ncurl -fsS -m 10 --retry 5 {base}/heartbeat/{key}",
        }
    }

    fn routes(&self) -> &'static [Route] {
        // What sends a heartbeat may know no other method than `GET`.
        &[
            Route { path: "/heartbeat/{key}", any_method: true, key: KeyIn::Path, format: &Heartbeat },
            Route { path: "/heartbeat/{key}/{instance}", any_method: true, key: KeyIn::Path, format: &Heartbeat },
        ]
    }

    fn body_bytes_max(&self) -> usize {
        BODY_BYTES_MAX
    }

    fn parse(&self, _body: &[u8], context: InboundContext<'_>) -> Result<Parsed, InboundRefusal> {
        let instance = context.instance.unwrap_or_default();
        if !instance.is_empty() && !is_instance(instance) {
            let why = format!("the instance behind the key is 1 to {INSTANCE_CHARS_MAX} letters, digits and `-`, `_`, `.`, `@`");
            return Err(InboundRefusal::Invalid(vec![why]));
        }
        let signal = Signal {
            action: SignalAction::Beat,
            dedup_key: heartbeat_key(instance),
            title: "Heartbeat".to_owned(),
            description: None,
            source: None,
            service: None,
            severity: None,
            labels: Labels::new(),
            annotations: Labels::new(),
            starts_at: None,
            ends_at: None,
            links: Vec::new(),
            notes: Vec::new(),
        };
        Ok(Parsed { signals: vec![signal], ..Parsed::default() })
    }

    fn accepted(&self, _parsed: &Parsed) -> Answer {
        Answer { status: 200, body: json!({"status": "heard"}).to_string() }
    }

    fn refused(&self, status: u16, sentences: &[String]) -> Answer {
        Answer { status, body: json!({"status": "refused", "errors": sentences}).to_string() }
    }
}

#[cfg(test)]
mod tests {
    use allclear_domain::wire::heartbeat_instance;

    use super::*;

    fn parse(instance: Option<&str>) -> Result<Parsed, InboundRefusal> {
        Heartbeat.parse(b"\xff{", InboundContext { now: jiff::Timestamp::UNIX_EPOCH, fresh_key: "", instance })
    }

    #[test]
    fn the_address_names_the_instance_and_no_body_is_read() {
        for (instance, key) in
            [(None, ""), (Some(""), ""), (Some("db-1.example.org"), "db-1.example.org"), (Some("heartbeat"), "heartbeat")]
        {
            let signal = parse(instance).unwrap().signals.remove(0);
            assert_eq!((signal.action, heartbeat_instance(&signal.dedup_key)), (SignalAction::Beat, key));
        }
        for wrong in ["a b", "a:b", "ä", "🚒", "a/b", &"x".repeat(INSTANCE_CHARS_MAX + 1)] {
            let refusal = parse(Some(wrong)).unwrap_err();
            assert_eq!(refusal.status(), 400, "{wrong}");
            assert!(refusal.to_string().contains("letters, digits"), "{refusal}");
        }
    }
}
