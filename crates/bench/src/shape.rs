//! Requests as bytes made once, in which only digits change from one send to the next.
//!
//! The generator shares its cores with the server it measures, so a request must cost it a copy
//! and a few digits. Every number has a fixed width, so lengths never change. It deliberately
//! knows nothing of sockets.

use jiff::{SignedDuration, Timestamp};

/// Digits of an alert's number.
const NUMBER_WIDTH: usize = 10;
/// Digits of a target's number in the path.
const TARGET_WIDTH: usize = 3;
/// Stands before an alert's number in its summary, so that the sink can find it in any message.
pub const MARK: &[u8] = b"bench-no-";
/// How many integrations, services and people the organisation has; a request goes to one.
pub const TARGETS: u64 = 200;
/// Alerts in a batch request; Prometheus sends up to 64 (`-alertmanager.notification-batch`).
pub const BATCH: u64 = 64;
/// How far in the future the alerts say they end, so that none lapses during a run.
const ALERT_LIFE: SignedDuration = SignedDuration::from_hours(24);

/// What becomes of the alerts of a request, by the label `kind` that the routes match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Recorded only.
    Record,
    /// Joins one open incident.
    Join,
    /// Declares an incident and pages somebody.
    Page,
    /// Declares a worse one and pages somebody.
    Worse,
}

impl Kind {
    /// The label's value.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Record => "record",
            Self::Join => "join",
            Self::Page => "page",
            Self::Worse => "worse",
        }
    }
}

/// Where alerts are posted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Address {
    /// All Clear's path with the integration's key in it.
    AllClear,
    /// Alertmanager's own path.
    Alertmanager,
}

/// A request with holes for numbers.
#[derive(Debug, Clone)]
pub struct Shape {
    bytes: Vec<u8>,
    /// Where an alert's number stands, and which alert of the request it is.
    numbers: Vec<(usize, u64)>,
    target: Option<usize>,
    targets: u64,
    /// Alerts in one request.
    pub batch: u64,
}

impl Shape {
    /// A POST of `batch` alerts of one kind, spread over `targets` integrations.
    pub fn alerts(address: Address, kind: Kind, batch: u64, targets: u64) -> Self {
        let now = Timestamp::now();
        let ends = now.saturating_add(ALERT_LIFE).unwrap_or(now);
        let mut body = Vec::new();
        let mut numbers = Vec::new();
        for index in 0..batch {
            body.extend_from_slice(if index == 0 { b"[" } else { b"," });
            body.extend_from_slice(b"{\"labels\":{\"alertname\":\"HostHighLatency\",\"instance\":\"host-");
            hole(&mut body, &mut numbers, index);
            body.extend_from_slice(
                format!(
                    "\",\"job\":\"node\",\"severity\":\"critical\",\"group\":\"one\",\"kind\":\"{}\"}},\
                     \"annotations\":{{\"summary\":\"",
                    kind.word()
                )
                .as_bytes(),
            );
            body.extend_from_slice(MARK);
            hole(&mut body, &mut numbers, index);
            body.extend_from_slice(format!("\"}},\"startsAt\":\"{now}\",\"endsAt\":\"{ends}\"}}").as_bytes());
        }
        body.push(b']');
        let (path, in_path) = match address {
            Address::AllClear => (format!("/prom/{}/api/v2/alerts", integration_key(0)), true),
            Address::Alertmanager => ("/api/v2/alerts".to_owned(), false),
        };
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n",
            body.len()
        );
        let target = in_path.then(|| {
            // The key ends with the target's digits and a slash follows it.
            let key_start = "POST /prom/".len();
            key_start + integration_key(0).len() - TARGET_WIDTH
        });
        for (offset, _) in &mut numbers {
            *offset += head.len();
        }
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(&body);
        Self { bytes, numbers, target, targets: targets.max(1), batch }
    }

    /// The bytes to start from; every sender patches its own copy.
    pub fn copy(&self) -> Vec<u8> {
        self.bytes.clone()
    }

    /// Writes the numbers of the request whose first alert is `first` into a copy.
    pub fn patch(&self, copy: &mut [u8], first: u64) {
        for &(offset, index) in &self.numbers {
            write_digits(&mut copy[offset..offset + NUMBER_WIDTH], first + index);
        }
        if let Some(offset) = self.target {
            let target = (first / self.batch) % self.targets;
            write_digits(&mut copy[offset..offset + TARGET_WIDTH], target);
        }
    }
}

/// The key of an integration; its last three digits are its number.
pub fn integration_key(target: u64) -> String {
    format!("bench-key-{target:03}")
}

/// The alerts' numbers that a message names, each once, in the order in which they stand.
pub fn numbers_in(body: &[u8]) -> Vec<u64> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(next) = find(&body[at..], MARK) {
        let digits = at + next + MARK.len();
        let Some(text) = body.get(digits..digits + NUMBER_WIDTH) else {
            break;
        };
        if text.iter().all(u8::is_ascii_digit) {
            let number = text.iter().fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0'));
            if !found.contains(&number) {
                found.push(number);
            }
        }
        at = digits;
    }
    found
}

/// Where `needle` first stands in `hay`.
pub fn find(hay: &[u8], needle: &[u8]) -> Option<usize> {
    hay.windows(needle.len()).position(|window| window == needle)
}

fn hole(body: &mut Vec<u8>, numbers: &mut Vec<(usize, u64)>, index: u64) {
    numbers.push((body.len(), index));
    body.extend_from_slice(&[b'0'; NUMBER_WIDTH]);
}

fn write_digits(place: &mut [u8], mut value: u64) {
    for digit in place.iter_mut().rev() {
        *digit = b'0' + u8::try_from(value % 10).expect("a digit fits a byte");
        value /= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_alert_of_every_request_is_distinct_json_and_found_again() {
        let shape = Shape::alerts(Address::AllClear, Kind::Record, BATCH, TARGETS);
        let mut copy = shape.copy();
        shape.patch(&mut copy, 77 * BATCH);
        let text = String::from_utf8(copy.clone()).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("POST /prom/bench-key-077/api/v2/alerts HTTP/1.1\r\n"), "{head}");
        assert!(head.ends_with(&format!("content-length: {}", body.len())), "{head}");
        let alerts: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!(alerts[63]["labels"]["instance"], format!("host-{:010}", 77 * 64 + 63));
        let expected: Vec<u64> = (77 * 64..78 * 64).collect();
        assert_eq!(numbers_in(body.as_bytes()), expected);
    }

    #[test]
    fn a_message_that_names_an_alert_twice_counts_once() {
        let body = br#"{"title":"bench-no-0000000012","url":"x bench-no-0000000012","n":"bench-no-1"}"#;
        assert_eq!(numbers_in(body), [12]);
    }
}
