//! Senders and people around the program, for the loops that let it die: they try again what was cut off, send new alerts,
//! take some of what they are told by the link in the message, let some recover and leave the rest to escalate. The
//! [`ledger`](crate::ledger) hears of all of it.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use futures_util::StreamExt as _;
use serde_json::{Value, json};

use crate::ledger::{Ledger, Logged, Moment, Receipt, SECOND, Step};
use crate::org::{ADMIN_TOKEN, JSON_KEY};
use crate::webhook_sink::{Delivery, WebhookSink};
use crate::world::{items, try_send};

/// New alerts per life.
pub(crate) const ALERTS_PER_LIFE: usize = 20;
/// Requests under way at once.
const AT_ONCE: usize = 8;
/// A step's time in the organisation below, and a bit.
pub(crate) const STEP_S: u64 = 301;

/// The organisation of the loops: two steps, and whoever is left.
pub(crate) const ORG: &str = r#"
people:
  - {id: p1, name: One, contacts: [{id: hook, webhook: "{HOOK}/p1", secret: "{SECRET}"}], notify: {high: [{contact: hook}], low: [{contact: hook}]}}
  - {id: p2, name: Two, contacts: [{id: hook, webhook: "{HOOK}/p2", secret: "{SECRET}"}], notify: {high: [{contact: hook}], low: [{contact: hook}]}}
  - {id: p3, name: Three, contacts: [{id: hook, webhook: "{HOOK}/p3", secret: "{SECRET}"}], notify: {high: [{contact: hook}], low: [{contact: hook}]}}
escalations:
  - {id: main, steps: [{page: ["person:p1"], within: 5m}, {page: ["person:p2"], within: 5m}]}
services:
  - {id: shop, name: Shop, escalation: main}
integrations:
  - {id: json, kind: json, key: "json-key-0001", service: shop}
catch_all: ["person:p3"]
"#;

/// `SplitMix64`: small, and good enough to choose instants.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % below
    }
}

/// See the module.
pub(crate) struct Crowd {
    client: reqwest::Client,
    hook: WebhookSink,
    /// Whether several nodes are asked in turn.
    several: bool,
    pub(crate) ledger: Ledger,
    /// When the trial began.
    began: Instant,
    /// Counts lives: starts of the program, or what befell one of several.
    pub(crate) life: u32,
    /// When each began.
    lives: Vec<(Instant, u32)>,
    /// How far the program's clock is ahead.
    pub(crate) ahead: Duration,
    /// Deliveries that the ledger has.
    seen: usize,
    /// Link of the latest page of an alert.
    links: HashMap<String, String>,
    /// Whether an alert is ended by its link; decided when that is first asked for, so that who
    /// tries again does the same.
    by_link: HashMap<String, bool>,
    /// Answers that nobody should get, and deaths that nobody ordered.
    pub(crate) odd: Vec<String>,
    /// Requests whose answer was cut off; their senders tried again.
    pub(crate) cut_off: usize,
    next_alert: usize,
}

impl Crowd {
    pub(crate) fn new(client: reqwest::Client, hook: WebhookSink, several: bool) -> Self {
        let step = |person| Step { person, within: 300 * SECOND };
        let ledger = Ledger::new(vec![step("p1"), step("p2"), Step { person: "p3", within: 600 * SECOND }]);
        let began = Instant::now();
        Self {
            client,
            hook,
            several,
            ledger: if several { ledger.of_several_nodes() } else { ledger },
            began,
            life: 1,
            lives: vec![(began, 1)],
            ahead: Duration::ZERO,
            seen: 0,
            links: HashMap::new(),
            by_link: HashMap::new(),
            odd: Vec::new(),
            cut_off: 0,
            next_alert: 0,
        }
    }

    /// Real time since the trial began.
    pub(crate) fn took(&self) -> Duration {
        self.began.elapsed()
    }

    /// A new life begins.
    pub(crate) fn begins(&mut self) {
        self.life += 1;
        self.lives.push((Instant::now(), self.life));
        let at = self.moment();
        self.ledger.begins(at);
    }

    pub(crate) fn moment(&self) -> Moment {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default() + self.ahead;
        Moment { clock: micros(wall), real: micros(self.began.elapsed()), life: self.life }
    }

    /// In which life something began.
    fn life_at(&self, at: Instant) -> u32 {
        self.lives.iter().rev().find(|(began, _)| *began <= at).map_or(0, |(_, life)| *life)
    }

    /// Takes down what the program has sent.
    pub(crate) fn take_down(&mut self) {
        for delivery in self.hook.after(self.seen) {
            self.seen += 1;
            if !delivery.signed {
                self.odd.push(format!("message {} came without a good signature", delivery.id));
            }
            if !delivery.is_page() {
                // A question whether it is over pages nobody.
                continue;
            }
            let receipt = self.receipt(&delivery);
            self.links.insert(receipt.key.clone(), delivery.ack_path());
            self.ledger.received(receipt);
        }
    }

    fn receipt(&self, delivery: &Delivery) -> Receipt {
        let page = delivery.page();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Receipt {
            id: delivery.id.clone(),
            key: text(&page["incident"]["title"]),
            address: delivery.path.trim_start_matches('/').to_owned(),
            person: text(&page["person"]),
            step: page["step"].as_u64().and_then(|n| usize::try_from(n).ok()).unwrap_or(0),
            round: page["round"].as_u64().and_then(|n| usize::try_from(n).ok()).unwrap_or(0),
            late: page["late"].as_bool().unwrap_or(false),
            sent: delivery.timestamp * SECOND,
            began: micros(delivery.began.saturating_duration_since(self.began)),
            life: self.life_at(delivery.began),
        }
    }

    /// The alerts that are new in this life.
    pub(crate) fn new_alerts(&mut self) -> Vec<String> {
        (0..ALERTS_PER_LIFE)
            .map(|_| {
                self.next_alert += 1;
                format!("alert-{:06}", self.next_alert)
            })
            .collect()
    }

    /// What senders and people do in a life at these addresses of the program, until its clock is moved: those who got no answer ask
    /// again, new alerts come, some recover at once. The new ones.
    pub(crate) async fn send(&mut self, bases: &[String]) -> Vec<String> {
        let again = self.ledger.without_answer();
        self.alerts(&again, bases).await;
        let ends = self.ledger.ends_without_answer();
        self.end(&ends, bases).await;
        let new = self.new_alerts();
        self.alerts(&new, bases).await;
        // Some recover while their page is on its way.
        let hasty = new.iter().enumerate().filter(|(i, _)| i % 5 == 1).map(|(_, key)| key);
        // Of what nobody has taken yet another node would say truly that nothing of it is open.
        let hasty: Vec<String> = hasty.filter(|key| !self.several || self.ledger.is_accepted(key)).cloned().collect();
        self.end(&hasty, bases).await;
        new
    }

    /// Of what is told by now: some is acknowledged or recovers, some is left to escalate. Of
    /// what was left in earlier lives, half is taken in its second or third step.
    pub(crate) async fn answer(&mut self, new: &[String], bases: &[String]) {
        self.take_down();
        let mut told: Vec<String> = self.links.keys().cloned().collect();
        told.sort();
        let is_new = |key: &String| new.contains(key);
        let number = |key: &String| key.rsplit('-').next().and_then(|n| n.parse::<usize>().ok()).unwrap_or(0);
        told.retain(|key| if is_new(key) { number(key) % 5 >= 3 } else { number(key) % 2 == 0 && !self.ledger.is_ended(key) });
        self.end(&told, bases).await;
    }

    /// Those who got no answer ask again.
    pub(crate) async fn ask_again(&mut self, bases: &[String]) {
        let again = self.ledger.without_answer();
        self.alerts(&again, bases).await;
        let ends = self.ledger.ends_without_answer();
        self.end(&ends, bases).await;
    }

    /// Sends alerts; those that are answered are the program's from now on.
    pub(crate) async fn alerts(&mut self, keys: &[String], bases: &[String]) {
        let client = self.client.clone();
        for key in keys {
            let at = self.moment();
            self.ledger.asks(key, at);
        }
        let mut answers = futures_util::stream::iter(keys.to_vec())
            .enumerate()
            .map(|(n, key)| {
                // A sev3: it wakes people, and nobody is paged for updates and answers that the people here never give.
                let body = json!({"title": key, "dedup_key": key, "severity": "error"});
                let request = client.post(format!("{}/in/json/{JSON_KEY}", bases[n % bases.len()])).json(&body);
                async move { (key, try_send(request).await) }
            })
            .buffer_unordered(AT_ONCE);
        let mut taken = Vec::new();
        while let Some((key, answer)) = answers.next().await {
            match answer {
                Ok(answer) if (200..300).contains(&answer.status) => taken.push((key, self.moment())),
                // 503 is an honest no; the sender tries again.
                Ok(answer) if answer.status == 503 => {}
                Ok(answer) => self.odd.push(format!("alert {key} was answered {}: {}", answer.status, answer.text)),
                Err(_) => self.cut_off += 1,
            }
        }
        drop(answers);
        for (key, at) in taken {
            self.ledger.accepted(&key, at);
        }
    }

    /// Ends alerts: those of an even number by their page's link where it is known, the others by
    /// their recovery.
    pub(crate) async fn end(&mut self, keys: &[String], bases: &[String]) {
        let client = self.client.clone();
        let mut requests = Vec::new();
        for (n, key) in keys.iter().enumerate() {
            let base = &bases[n % bases.len()];
            let at = self.moment();
            self.ledger.asks_to_end(key, at);
            let link = self.links.get(key);
            let by_link = *self.by_link.entry(key.clone()).or_insert(link.is_some() && key.ends_with(['0', '2', '4', '6', '8']));
            let request = match link {
                Some(path) if by_link => client.post(format!("{base}{path}")),
                _ => client.post(format!("{base}/in/json/{JSON_KEY}")).json(&json!({"dedup_key": key, "status": "resolved"})),
            };
            requests.push((key.clone(), request));
        }
        let mut answers = futures_util::stream::iter(requests)
            .map(|(key, request)| async move { (key, try_send(request).await) })
            .buffer_unordered(AT_ONCE);
        let mut ended = Vec::new();
        while let Some((key, answer)) = answers.next().await {
            match answer {
                Ok(answer) if (200..300).contains(&answer.status) => ended.push((key, self.moment())),
                Ok(answer) if answer.status == 503 => {}
                Ok(answer) => self.odd.push(format!("ending {key} was answered {}: {}", answer.status, answer.text)),
                Err(_) => self.cut_off += 1,
            }
        }
        drop(answers);
        for (key, at) in ended {
            self.ledger.ended(&key, at);
        }
    }

    /// Waits until the accepted ones of these alerts have reached the sink; whether they have.
    pub(crate) async fn told(&self, keys: &[String], within: Duration) -> bool {
        let wanted = keys.iter().filter(|key| self.ledger.is_accepted(key) && !self.ledger.is_ended(key)).count();
        let (keys, seen) = (Arc::new(keys.to_vec()), self.seen);
        self.hook
            .wait(within, |all| {
                let told =
                    |key: &&String| all[seen.min(all.len())..].iter().any(|d| d.is_page() && d.page()["incident"]["title"] == key.as_str());
                keys.iter().filter(told).count() >= wanted
            })
            .await
    }

    /// What the log says, for the ledger; and its lines by alert, for people.
    pub(crate) async fn read_log(&self, base: &str) -> anyhow::Result<(Logged, HashMap<String, String>)> {
        let client = &self.client;
        let get = |path: String| {
            let request = client.get(format!("{base}{path}")).bearer_auth(ADMIN_TOKEN);
            async move {
                let answer = try_send(request).await?;
                anyhow::ensure!(answer.status == 200, "{path} was answered {}: {}", answer.status, answer.text);
                anyhow::Ok(answer.body)
            }
        };
        let mut incidents = Vec::new();
        let mut cursor = String::new();
        loop {
            let list = get(format!("/api/v1/incidents?limit=200{cursor}")).await?;
            incidents.extend(items(&list));
            match list["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        let mut logged = Logged::default();
        let mut lines: HashMap<String, String> = HashMap::new();
        let mut logs = futures_util::stream::iter(incidents)
            .map(|incident| {
                let reference = incident["ref"].as_str().unwrap_or_default().to_owned();
                let log = get(format!("/api/v1/incidents/{reference}/events?limit=200"));
                async move { (incident, log.await) }
            })
            .buffer_unordered(AT_ONCE);
        while let Some((incident, events)) = logs.next().await {
            let story = lines.entry(incident["title"].as_str().unwrap_or_default().to_owned()).or_default();
            for event in items(&events?) {
                let _ = writeln!(story, "    {} {} {}", event["at"].as_str().unwrap_or_default(), event["cause"], event["line"]);
                let message = || event["body"]["message"].as_str().unwrap_or_default().to_owned();
                match event["kind"].as_str().unwrap_or_default() {
                    "delivered" => drop(logged.delivered.insert(message())),
                    "send_in_doubt" => *logged.in_doubt.entry(message()).or_default() += 1,
                    "acknowledged" | "page_acknowledged" | "resolved" => {
                        logged.ended.insert(incident["title"].as_str().unwrap_or_default().to_owned());
                    }
                    _ => {}
                }
            }
        }
        Ok((logged, lines))
    }
}

pub(crate) fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}
