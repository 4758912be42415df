//! The kill loop: the real binary is killed again and again while it takes in alerts, tells
//! people, and is told that they have it; the [`ledger`](crate::ledger) counts what came of it.
//!
//! A life of the program: it starts on what the last one left; senders and people whose answer was
//! cut off try again; new alerts arrive; some are acknowledged by the link in their message, some
//! recover, the others are left to escalate as the clock is moved on; then it dies, at a named
//! point of its own code or at any instant. Some deaths last ten minutes.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::os::unix::process::ExitStatusExt as _;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use futures_util::StreamExt as _;
use serde_json::{Value, json};

use crate::ledger::{Ledger, Logged, Moment, Receipt, SECOND, Step, Verdict};
use crate::org::{ADMIN_TOKEN, JSON_KEY};
use crate::program::{Database, EndedEarly};
use crate::webhook_sink::Delivery;
use crate::world::{Setup, World, items, try_send};

/// Kills per database unless `ALLCLEAR_KILLS` says otherwise.
pub const KILLS_DEFAULT: u32 = 200;
/// New alerts per life.
const ALERTS_PER_LIFE: usize = 20;
/// Requests under way at once.
const AT_ONCE: usize = 8;
/// Longest wait for the pages of a life's alerts.
const PAGES_WITHIN: Duration = Duration::from_secs(10);
/// A step's time in the organisation below, and a bit.
const STEP_S: u64 = 301;
/// The clock is moved in parts, so that a death in the middle leaves it known to within one: less
/// than what would make a page late.
const PART_S: u64 = 43;
/// Every so many lives, the program stays dead for a while.
const GAP_EVERY: u32 = 10;
/// For so long.
const GAP: Duration = Duration::from_secs(600);
/// A commit is fatal at its n-th passing, n up to this: what a life passes about so often.
const PASSINGS_MAX: u64 = 150;
/// The same for sends.
const SENDS_MAX: u64 = 40;
/// A kill at any instant comes within so many milliseconds after the start.
const INSTANT_MS_MAX: u64 = 350;

const ORG: &str = r#"
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

/// What is to be done.
#[derive(Debug, Clone)]
pub struct Options {
    /// Kills.
    pub kills: u32,
    /// Of what is random.
    pub seed: u64,
    /// Where the program keeps its data.
    pub database: Database,
    /// The binary, as cargo names it to integration tests.
    pub binary: Option<&'static str>,
}

impl Options {
    /// As the environment says: `ALLCLEAR_KILLS`, `ALLCLEAR_SEED`.
    #[must_use]
    pub fn from_env(database: Database, binary: Option<&'static str>) -> Self {
        let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
        let kills = number("ALLCLEAR_KILLS").and_then(|n| u32::try_from(n).ok()).unwrap_or(KILLS_DEFAULT);
        Self { kills, seed: number("ALLCLEAR_SEED").unwrap_or(1), database, binary }
    }
}

/// What came of it.
#[derive(Debug)]
pub struct Report {
    /// The balance.
    pub verdict: Verdict,
    /// Kills by their kind.
    pub kills: Vec<(&'static str, u32)>,
    /// Requests whose answer a kill cut off; their senders tried again.
    pub cut_off: usize,
    /// Answers that nobody should get, and deaths that nobody ordered.
    pub odd: Vec<String>,
    /// From the first start to the last look.
    pub took: Duration,
}

impl Report {
    /// Whether nothing was wrong.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.verdict.is_clean() && self.odd.is_empty()
    }
    /// As a table for people.
    #[must_use]
    pub fn table(&self) -> String {
        let mut out = String::new();
        let total: u32 = self.kills.iter().map(|(_, count)| count).sum();
        // Writing to a String cannot fail.
        let _ = writeln!(out, "{total} kills in {:.0} s", self.took.as_secs_f64());
        for (kind, count) in &self.kills {
            let _ = writeln!(out, "  killed {kind:<24}  {count:>6}");
        }
        let _ = writeln!(out, "  answers cut off and asked again  {:>5}", self.cut_off);
        out.push_str(&self.verdict.table());
        for odd in &self.odd {
            let _ = writeln!(out, "  ! odd: {odd}");
        }
        out
    }
}

/// `SplitMix64`: small, and good enough to choose instants.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % below
    }
}

const KINDS: [&str; 6] = ["before a commit", "after a commit", "before a send", "after a send", "at a random point", "at a random instant"];

struct Loop {
    world: World,
    ledger: Ledger,
    dice: Dice,
    began: Instant,
    /// Counts starts.
    life: u32,
    /// How far the program's clock is ahead.
    ahead: Duration,
    /// Deliveries that the ledger has.
    seen: usize,
    /// Link of the latest page of an alert.
    links: HashMap<String, String>,
    /// Whether an alert is ended by its link; decided when that is first asked for, so that who
    /// tries again does the same.
    by_link: HashMap<String, bool>,
    odd: Vec<String>,
    kills: [u32; KINDS.len()],
    /// Requests whose answer a kill cut off; their senders tried again.
    cut_off: usize,
    next_alert: usize,
}

/// Runs the loop.
///
/// # Errors
/// When the program cannot be started or asked at the end.
pub async fn run(options: Options) -> anyhow::Result<Report> {
    let began = Instant::now();
    let setup = Setup::new(options.binary, options.database).org(ORG).args(&["--no-bundle"]);
    let world = World::try_start(setup).await?;
    let step = |person| Step { person, within: 300 * SECOND };
    let mut all = Loop {
        world,
        ledger: Ledger::new(vec![step("p1"), step("p2"), Step { person: "p3", within: 600 * SECOND }]),
        dice: Dice(options.seed),
        began,
        life: 1,
        ahead: Duration::ZERO,
        seen: 0,
        links: HashMap::new(),
        by_link: HashMap::new(),
        odd: Vec::new(),
        kills: [0; KINDS.len()],
        cut_off: 0,
        next_alert: 0,
    };
    // The first life only makes the store.
    all.die(None).await?;
    for number in 0..options.kills {
        all.live(number).await?;
    }
    let verdict = all.balance().await?;
    if !verdict.is_clean() {
        // What was found is looked into: the store stays.
        all.world.dir.disable_cleanup(true);
        all.odd.push(format!("the store is kept in {}", all.world.dir.path().display()));
    }
    Ok(Report { verdict, kills: KINDS.into_iter().zip(all.kills).collect(), cut_off: all.cut_off, odd: all.odd, took: began.elapsed() })
}

impl Loop {
    fn moment(&self) -> Moment {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default() + self.ahead;
        Moment { clock: micros(wall), real: micros(self.began.elapsed()), life: self.life }
    }

    /// One life, from start to death.
    async fn live(&mut self, number: u32) -> anyhow::Result<()> {
        let kind = number as usize % KINDS.len();
        let nth = 1 + self.dice.roll(PASSINGS_MAX);
        let failpoint = match kind {
            0 => Some(format!("before_commit:{nth}")),
            1 => Some(format!("after_commit:{nth}")),
            2 => Some(format!("before_send:{}", 1 + nth % SENDS_MAX)),
            3 => Some(format!("after_send:{}", 1 + nth % SENDS_MAX)),
            4 => Some(format!("random:{}:0.01", self.dice.roll(u64::MAX))),
            _ => None,
        };
        if number % GAP_EVERY == GAP_EVERY - 1 {
            self.ahead += GAP;
            self.world.skip(GAP);
        }
        self.life += 1;
        let at = self.moment();
        self.ledger.begins(at);
        let env: Vec<(&str, &str)> = failpoint.iter().map(|point| ("ALLCLEAR_FAILPOINT", point.as_str())).collect();
        match self.world.try_start_again(&[], &env).await {
            Ok(()) => {
                let pid = self.world.program.pid();
                let fuse = (kind == KINDS.len() - 1).then(|| Duration::from_millis(self.dice.roll(INSTANT_MS_MAX)));
                let killer = fuse.and_then(|fuse| Some(tokio::spawn(kill_after(fuse, pid?))));
                self.work().await;
                if let Some(killer) = killer {
                    killer.abort();
                }
            }
            Err(error) if died_by_sigkill(&error) => {}
            Err(error) => return Err(error.context(format!("life {} with {failpoint:?}", self.life))),
        }
        self.die(Some(kind)).await
    }

    /// Sees to it that the program is dead, and takes down what it had sent.
    async fn die(&mut self, kind: Option<usize>) -> anyhow::Result<()> {
        let by_itself = self.world.program.ended(Duration::ZERO).await?;
        if let Some(status) = by_itself
            && status.signal() != Some(9)
        {
            self.odd.push(format!("life {} ended by itself ({status}): {}", self.life, self.world.program.log()));
        }
        self.world.kill().await;
        if let Some(kind) = kind {
            self.kills[kind] += 1;
        }
        // A dead program's connections are closed; what they still held is read first.
        tokio::time::timeout(PAGES_WITHIN, self.world.hook.drained()).await.context("the sink still has connections of a dead program")?;
        self.take_down();
        Ok(())
    }

    fn take_down(&mut self) {
        for delivery in self.world.hook.after(self.seen) {
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
            life: self.life,
        }
    }

    /// What senders and people do in a life, as far as it goes.
    async fn work(&mut self) {
        let again = self.ledger.without_answer();
        self.alerts(&again).await;
        let ends = self.ledger.ends_without_answer();
        self.end(&ends).await;
        let new: Vec<String> = (0..ALERTS_PER_LIFE)
            .map(|_| {
                self.next_alert += 1;
                format!("alert-{:06}", self.next_alert)
            })
            .collect();
        self.alerts(&new).await;
        // Some recover while their page is on its way.
        let hasty: Vec<String> = new.iter().enumerate().filter(|(i, _)| i % 5 == 1).map(|(_, key)| key.clone()).collect();
        self.end(&hasty).await;
        self.await_pages(&new).await;
        self.take_down();
        // Of what is told by now: some is acknowledged or recovers, some is left to escalate. Of
        // what was left in earlier lives, half is taken in its second or third step.
        let mut told: Vec<String> = self.links.keys().cloned().collect();
        told.sort();
        let is_new = |key: &String| new.contains(key);
        let number = |key: &String| key.rsplit('-').next().and_then(|n| n.parse::<usize>().ok()).unwrap_or(0);
        told.retain(|key| if is_new(key) { number(key) % 5 >= 3 } else { number(key) % 2 == 0 && !self.is_ended(key) });
        self.end(&told).await;
        for _ in 0..STEP_S.div_ceil(PART_S) {
            if !self.world.program.alive() {
                return;
            }
            // A death in the middle leaves the clock at the end of the part.
            let moved = self.world.program.control.advance(Duration::from_secs(PART_S)).await;
            self.ahead += Duration::from_secs(PART_S);
            self.world.skip(Duration::from_secs(PART_S));
            if moved.is_err() {
                return;
            }
        }
        let _ = self.world.program.control.quiet().await;
    }

    fn is_ended(&self, key: &str) -> bool {
        self.ledger.is_ended(key)
    }

    /// Sends alerts; those that are answered are the program's from now on.
    async fn alerts(&mut self, keys: &[String]) {
        let url = self.world.at(&format!("/in/json/{JSON_KEY}"));
        let client = self.world.client.clone();
        for key in keys {
            let at = self.moment();
            self.ledger.asks(key, at);
        }
        let mut answers = futures_util::stream::iter(keys.to_vec())
            .map(|key| {
                // A sev3: it wakes people, and nobody is paged for updates and answers that the people here never give.
                let body = json!({"title": key, "dedup_key": key, "severity": "error"});
                let request = client.post(&url).json(&body);
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
    async fn end(&mut self, keys: &[String]) {
        let client = self.world.client.clone();
        let mut requests = Vec::new();
        for key in keys {
            let at = self.moment();
            self.ledger.asks_to_end(key, at);
            let link = self.links.get(key);
            let by_link = *self.by_link.entry(key.clone()).or_insert(link.is_some() && key.ends_with(['0', '2', '4', '6', '8']));
            let request = match link {
                Some(path) if by_link => client.post(self.world.at(path)),
                _ => client.post(self.world.at(&format!("/in/json/{JSON_KEY}"))).json(&json!({"dedup_key": key, "status": "resolved"})),
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

    /// Waits until the accepted ones of these alerts have reached the sink, or the program is dead.
    async fn await_pages(&mut self, keys: &[String]) {
        let wanted = keys.iter().filter(|key| self.ledger.is_accepted(key) && !self.ledger.is_ended(key)).count();
        let (keys, seen) = (Arc::new(keys.to_vec()), self.seen);
        let arrived = self.world.hook.wait(PAGES_WITHIN, |all| {
            let told =
                |key: &&String| all[seen.min(all.len())..].iter().any(|d| d.is_page() && d.page()["incident"]["title"] == key.as_str());
            keys.iter().filter(told).count() >= wanted
        });
        tokio::select! {
            _ = arrived => {}
            _ = self.world.program.ended(PAGES_WITHIN) => {}
        }
    }

    /// The last life: nobody kills it; everything that is owed comes due; then the log is read.
    async fn balance(&mut self) -> anyhow::Result<Verdict> {
        self.life += 1;
        let at = self.moment();
        self.ledger.begins(at);
        self.world.try_start_again(&[], &[]).await?;
        let again = self.ledger.without_answer();
        self.alerts(&again).await;
        let ends = self.ledger.ends_without_answer();
        self.end(&ends).await;
        self.world.quiet().await;
        for _ in 0..4 {
            self.world.advance(STEP_S).await;
            self.ahead += Duration::from_secs(STEP_S);
        }
        self.take_down();
        let (logged, lines) = self.read_log().await?;
        let now = self.moment().clock;
        let mut verdict = self.ledger.judge(now, &logged);
        verdict.explain(|key| lines.get(key).cloned());
        Ok(verdict)
    }

    /// What the log says, for the ledger; and its lines by alert, for people.
    async fn read_log(&self) -> anyhow::Result<(Logged, HashMap<String, String>)> {
        let client = &self.world.client;
        let get = |path: String| {
            let request = client.get(self.world.at(&path)).bearer_auth(ADMIN_TOKEN);
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
                    "send_in_doubt" => drop(logged.in_doubt.insert(message())),
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

fn died_by_sigkill(error: &anyhow::Error) -> bool {
    error.downcast_ref::<EndedEarly>().is_some_and(|ended| ended.status.signal() == Some(9))
}

async fn kill_after(fuse: Duration, pid: u32) {
    tokio::time::sleep(fuse).await;
    // Should it have died just before, there is nothing to kill: its number is not reused so soon.
    let _ = tokio::process::Command::new("kill").args(["-KILL", &pid.to_string()]).status().await;
}

fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}
