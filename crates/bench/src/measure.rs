//! One measurement of one server: a run, and what it cost; and pairs of them in turn.

use std::time::{Duration, Instant};

use crate::load::{self, Pace, Plan, Run, Stop};
use crate::server::{Places, Server, Subject};
use crate::shape::{Address, Kind, Shape};
use crate::sink::Sink;

/// Connections of the throughput runs; Prometheus and proxies keep a few dozen open.
pub const CONNECTIONS: usize = 64;
/// Share of the highest rate at which latency is taken, as the targets say.
pub const LATENCY_SHARE: f64 = 0.7;

/// The product's gauge of alerts in its store, by the contract.
const STORED: &str = "allclear_alerts_stored";

/// What every scenario needs.
#[derive(Debug)]
pub struct Bench {
    /// Where things are.
    pub places: Places,
    /// Length of a run.
    pub length: Duration,
    /// Length of the run before it that is not counted.
    pub warm_up: Duration,
    /// How often ceiling and product take turns.
    pub rounds: u32,
    /// Where pages arrive.
    pub sink: Sink,
    /// Rows that a bare commit writes for a declaration; counted in the product's file where `None`.
    pub declare_rows: Option<u64>,
}

/// What is sent, and how.
#[derive(Debug, Clone, Copy)]
pub struct Traffic {
    /// What the routes do with it.
    pub kind: Kind,
    /// Alerts in a request.
    pub batch: u64,
    /// Integrations it is spread over.
    pub targets: u64,
    /// Connections it is sent over.
    pub connections: usize,
    /// Repeats of so many known alerts rather than new ones.
    pub cycle: Option<u64>,
}

impl Traffic {
    /// Distinct alerts, one a request, over all connections to one integration.
    pub const fn single(kind: Kind) -> Self {
        Self { kind, batch: 1, targets: 1, connections: CONNECTIONS, cycle: None }
    }
}

/// A run and what it cost.
#[derive(Debug, Clone)]
pub struct Figures {
    /// The run.
    pub run: Run,
    /// Cores that the server kept busy.
    pub server_cores: f64,
    /// Cores that the bench itself kept busy.
    pub load_cores: f64,
    /// Cores that everything else kept busy: the kernel's threads, a database server, neighbours.
    pub other_cores: f64,
    /// The server's memory at the end, MiB.
    pub pss_mib: Option<f64>,
    /// Bytes written to disk per accepted alert.
    pub written_per_alert: f64,
}

impl Figures {
    /// Latency and cost in words, for the notes.
    pub fn words(&self) -> String {
        let refused = if self.run.refused + self.run.failed > 0 {
            format!(
                ", {} refused, {} failed ({})",
                self.run.refused,
                self.run.failed,
                self.run.complaint.as_deref().unwrap_or("no reason kept").replace(['|', '\n'], " ")
            )
        } else {
            String::new()
        };
        format!(
            "p50 {:.2} ms, p99 {:.2} ms, server {:.2} cores, load {:.2} cores, others {:.2} cores, PSS {:.0} MiB, {:.0} B/alert written{refused}",
            self.run.ms(0.5),
            self.run.ms(0.99),
            self.server_cores,
            self.load_cores,
            self.other_cores,
            self.pss_mib.unwrap_or(f64::NAN),
            self.written_per_alert,
        )
    }
}

/// A server under load, which remembers the next alert's number.
#[derive(Debug)]
pub struct UnderLoad {
    /// The server.
    pub server: Server,
    address: Address,
    next: u64,
    accepted: u64,
}

impl UnderLoad {
    /// Starts a subject on a fresh store.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn start(bench: &Bench, subject: &Subject) -> anyhow::Result<Self> {
        Self::start_at(&bench.places, subject).await
    }

    /// The same with other places: another organisation, say.
    ///
    /// # Errors
    /// As [`UnderLoad::start`].
    pub async fn start_at(places: &Places, subject: &Subject) -> anyhow::Result<Self> {
        let server = Server::start(places, subject).await?;
        let address = match subject {
            Subject::Alertmanager { .. } => Address::Alertmanager,
            _ => Address::AllClear,
        };
        Ok(Self { server, address, next: 0, accepted: 0 })
    }

    /// One run, with what it cost.
    ///
    /// # Errors
    /// When no connection can be opened or answers never come.
    pub async fn load(&mut self, traffic: Traffic, pace: Pace, stop: Stop, stamped: bool) -> anyhow::Result<Figures> {
        let first = if traffic.cycle.is_some() { 0 } else { self.next };
        let plan = Plan {
            address: self.server.address,
            shape: Shape::alerts(self.address, traffic.kind, traffic.batch, traffic.targets),
            connections: traffic.connections,
            pace,
            stop,
            first,
            cycle: traffic.cycle,
            stamped,
        };
        let before = self.server.usage();
        let start = Instant::now();
        let run = load::run(plan).await?;
        let elapsed = start.elapsed().as_secs_f64().max(f64::EPSILON);
        let after = self.server.usage();
        if traffic.cycle.is_none() {
            self.next = run.next;
            self.accepted += run.alerts;
        }
        #[allow(clippy::cast_precision_loss)] // bytes of a run stay below 2^52
        let written_per_alert = after.written.saturating_sub(before.written) as f64 / (run.alerts.max(1)) as f64;
        let server_cores = (after.server_cpu - before.server_cpu) / elapsed;
        let load_cores = (after.load_cpu - before.load_cpu) / elapsed;
        let all_cores = (after.machine_cpu - before.machine_cpu) / elapsed;
        Ok(Figures {
            server_cores,
            load_cores,
            other_cores: (all_cores - server_cores - load_cores).max(0.0),
            pss_mib: crate::machine::pss_mib(self.server.pid()),
            written_per_alert,
            run,
        })
    }

    /// The highest rate: a run that is not counted, then one that is.
    ///
    /// # Errors
    /// As [`UnderLoad::load`].
    pub async fn highest(&mut self, bench: &Bench, traffic: Traffic) -> anyhow::Result<Figures> {
        self.load(traffic, Pace::Closed, Stop::After(bench.warm_up), false).await?;
        self.load(traffic, Pace::Closed, Stop::After(bench.length), false).await
    }

    /// Latency at a share of a rate, by open loop.
    ///
    /// # Errors
    /// As [`UnderLoad::load`].
    pub async fn latency(&mut self, bench: &Bench, traffic: Traffic, highest: &Figures) -> anyhow::Result<Figures> {
        let requests = load::per_second(highest.run.accepted, highest.run.elapsed);
        let pace = Pace::Open(requests * LATENCY_SHARE);
        self.load(traffic, pace, Stop::After(bench.length), false).await
    }
}

impl UnderLoad {
    /// Whether the product's store holds every distinct alert it accepted, by its own gauge: a
    /// rate counts only if nothing was dropped. Gives the reason where it does not.
    pub async fn shortfall(&self) -> Option<String> {
        let accepted = self.accepted;
        match self.server.metric(STORED).await {
            None => Some(format!("{STORED} is not told, so {accepted} alerts are unproven")),
            #[allow(clippy::cast_precision_loss)] // alerts of a run stay below 2^52
            Some(stored) if stored < accepted as f64 => Some(format!("accepted {accepted} distinct alerts but stores {stored}")),
            Some(_) => None,
        }
    }
}

/// The mean of the rates of several runs.
pub fn mean_rate(figures: &[Figures]) -> f64 {
    #[allow(clippy::cast_precision_loss)] // a handful of rounds
    let count = figures.len().max(1) as f64;
    figures.iter().map(|figures| figures.run.rate()).sum::<f64>() / count
}
