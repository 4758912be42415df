//! The counters of the contract, in Prometheus' text form. Gauges that count rows are read from
//! the store when they are asked for, so that they cannot drift.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use allclear_domain::channel::WaysOut;
use jiff::Timestamp;
use prometheus_client::encoding::{EncodeLabelSet, text::encode};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::watch::trouble::{Present, Stage, Trouble};

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Label {
    integration: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Reason {
    reason: String,
}
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ResultLabel {
    result: String,
}
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct StateLabel {
    state: String,
}
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct SeverityLabel {
    severity: String,
}
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ChannelLabel {
    channel: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct StageLabel {
    stage: &'static str,
}
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct KindLabel {
    kind: &'static str,
}

/// Seconds; from half a millisecond to ten minutes.
const SECONDS: [f64; 16] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0, 120.0, 600.0];

/// All counters.
pub struct Metrics {
    registry: Registry,
    accepted: Family<Label, Counter>,
    refused: Family<Reason, Counter>,
    pages: Family<ResultLabel, Counter>,
    page_latency: Histogram,
    lateness: Histogram,
    alerts_opened: Counter,
    alerts_ended: Counter,
    ingest_ok: Counter,
    ingest_failed: Counter,
    told_in_time: Counter,
    told_late: Counter,
    alerts: Family<StateLabel, Gauge>,
    alerts_stored: Gauge,
    incidents_open: Family<SeverityLabel, Gauge>,
    expectations_live: Gauge,
    outbox_waiting: Family<ChannelLabel, Gauge>,
    search_behind: Gauge,
    no_progress: Counter,
    troubles: Family<KindLabel, Gauge>,
    stage_still: Family<StageLabel, Gauge>,
    clock_difference: Gauge<f64, AtomicU64>,
    operator_alarms: Family<ResultLabel, Counter>,
    canary_arrived_at: Gauge<f64, AtomicU64>,
    canary_took: Gauge<f64, AtomicU64>,
}

/// What is read from the store for the gauges.
#[derive(Debug, Default)]
pub struct Gauges {
    pub alerts_open: i64,
    pub alerts_ended: i64,
    pub incidents_open: Vec<(String, i64)>,
    pub expectations_live: i64,
    pub outbox_waiting: Vec<(String, i64)>,
    pub search_behind: i64,
}

/// A page is told in time when its provider has it within this many seconds of the decision.
const TIMELY_S: f64 = 60.0;

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// All at zero.
    #[must_use]
    pub fn new() -> Self {
        let mut r = Registry::with_prefix("allclear");
        let m = Self {
            accepted: Family::default(),
            refused: Family::default(),
            pages: Family::default(),
            page_latency: Histogram::new(SECONDS),
            lateness: Histogram::new(SECONDS),
            alerts_opened: Counter::default(),
            alerts_ended: Counter::default(),
            ingest_ok: Counter::default(),
            ingest_failed: Counter::default(),
            told_in_time: Counter::default(),
            told_late: Counter::default(),
            alerts: Family::default(),
            alerts_stored: Gauge::default(),
            incidents_open: Family::default(),
            expectations_live: Gauge::default(),
            outbox_waiting: Family::default(),
            search_behind: Gauge::default(),
            no_progress: Counter::default(),
            troubles: Family::default(),
            stage_still: Family::default(),
            clock_difference: Gauge::default(),
            operator_alarms: Family::default(),
            canary_arrived_at: Gauge::default(),
            canary_took: Gauge::default(),
            registry: Registry::default(),
        };
        r.register("signals_accepted", "Signals accepted durably", m.accepted.clone());
        r.register("signals_refused", "Requests of senders that were refused", m.refused.clone());
        r.register("alerts", "Alerts by state, read from the store", m.alerts.clone());
        r.register("alerts_stored", "Alerts in the store", m.alerts_stored.clone());
        r.register("alerts_opened", "Alerts opened by this node", m.alerts_opened.clone());
        r.register("alerts_ended", "Alerts ended by this node", m.alerts_ended.clone());
        r.register("incidents_open", "Open incidents, read from the store", m.incidents_open.clone());
        r.register("pages", "What became of pages and their messages", m.pages.clone());
        r.register("page_latency_seconds", "From the accepted signal to the provider's answer", m.page_latency.clone());
        r.register("expectations_live", "Live expectations, read from the store", m.expectations_live.clone());
        r.register("expectation_lateness_seconds", "How long after its time an expectation was looked at", m.lateness.clone());
        r.register("outbox_waiting", "Messages waiting or in flight, read from the store", m.outbox_waiting.clone());
        r.register("search_behind", "Events that the index of words has not read yet", m.search_behind.clone());
        r.register("sli_ingest_good", "Intake requests answered as their sender expects", m.ingest_ok.clone());
        r.register("sli_ingest_bad", "Intake requests answered with 5xx", m.ingest_failed.clone());
        r.register("sli_notification_good", "Messages delivered within a minute of their decision", m.told_in_time.clone());
        r.register("sli_notification_bad", "Messages delivered later, or never", m.told_late.clone());
        r.register("no_progress", "Commands given up since deciding them again brought nothing new", m.no_progress.clone());
        r.register("troubles", "What impairs paging on this node, by kind", m.troubles.clone());
        r.register("stage_still", "1 while a stage of this node has work and stands still", m.stage_still.clone());
        r.register("clock_difference_seconds", "The wall clock minus the clock of deadlines", m.clock_difference.clone());
        r.register("operator_alarms", "Alarms to operators by what became of them", m.operator_alarms.clone());
        r.register(
            "canary_arrived_timestamp_seconds",
            "When the last canary of this node arrived; 0 before the first",
            m.canary_arrived_at.clone(),
        );
        r.register("canary_seconds", "How long that one took through every stage", m.canary_took.clone());
        m.troubles(&[]);
        Self { registry: r, ..m }
    }

    /// Signals of an integration became durable.
    pub fn accepted(&self, integration: &str, signals: u64) {
        // The common case finds its counter without an allocation.
        self.accepted.get_or_create(&Label { integration: integration.to_owned() }).inc_by(signals);
        self.ingest_ok.inc();
    }

    /// A sender's request was refused; `ours` where the fault was.
    pub fn refused(&self, reason: &str, ours: bool) {
        self.refused.get_or_create(&Reason { reason: reason.to_owned() }).inc();
        if ours {
            self.ingest_failed.inc()
        } else {
            self.ingest_ok.inc()
        };
    }

    /// What became of a page or a message.
    pub fn page_result(&self, result: &str) {
        self.pages.get_or_create(&ResultLabel { result: result.to_owned() }).inc();
        if result == "failed" {
            self.told_late.inc();
        }
    }

    /// A message was delivered.
    pub fn latency(&self, seconds: f64) {
        self.page_latency.observe(seconds);
        if seconds <= TIMELY_S {
            self.told_in_time.inc()
        } else {
            self.told_late.inc()
        };
    }

    /// An expectation was looked at.
    pub fn lateness(&self, seconds: f64) {
        self.lateness.observe(seconds.max(0.0));
    }

    /// Alerts opened and ended.
    pub fn alerts(&self, opened: u64, ended: u64) {
        self.alerts_opened.inc_by(opened);
        self.alerts_ended.inc_by(ended);
    }

    /// A command was given up since deciding it again brought nothing new.
    pub fn no_progress(&self) {
        self.no_progress.inc();
    }

    /// What impairs paging now.
    pub fn troubles(&self, present: &[Present]) {
        for kind in Trouble::KINDS {
            let count = present.iter().filter(|p| p.trouble.kind() == *kind).count();
            self.troubles.get_or_create(&KindLabel { kind }).set(i64::try_from(count).unwrap_or(i64::MAX));
        }
        for stage in Stage::ALL {
            let still = present.iter().any(|p| p.trouble == Trouble::StageStill(stage));
            self.stage_still.get_or_create(&StageLabel { stage: stage.name() }).set(i64::from(still));
        }
    }

    /// By how much the wall clock is ahead of the clock of deadlines.
    pub fn clock_difference(&self, seconds: f64) {
        self.clock_difference.set(seconds);
    }

    /// A canary arrived.
    pub(crate) fn canary_arrived(&self, at: Timestamp, took: Duration) {
        self.canary_arrived_at.set(at.as_duration().as_secs_f64());
        self.canary_took.set(took.as_secs_f64());
    }

    /// An alarm to operators was told to one address, or was given up.
    pub fn operator_alarm(&self, told: bool) {
        let result = if told { "told" } else { "failed" };
        self.operator_alarms.get_or_create(&ResultLabel { result: result.to_owned() }).inc();
    }

    /// Prometheus' text.
    #[must_use]
    pub fn text(&self, gauges: &Gauges, channels: WaysOut) -> String {
        let state = |state: &str| StateLabel { state: state.to_owned() };
        self.alerts.get_or_create(&state("open")).set(gauges.alerts_open);
        self.alerts.get_or_create(&state("ended")).set(gauges.alerts_ended);
        self.alerts_stored.set(gauges.alerts_open + gauges.alerts_ended);
        for severity in allclear_domain::incident::Severity::ALL {
            let open = gauges.incidents_open.iter().find(|(word, _)| word == severity.word()).map_or(0, |(_, n)| *n);
            self.incidents_open.get_or_create(&SeverityLabel { severity: severity.word().to_owned() }).set(open);
        }
        self.expectations_live.set(gauges.expectations_live);
        self.search_behind.set(gauges.search_behind);
        self.outbox_waiting.clear();
        for channel in channels.iter() {
            let waiting = gauges.outbox_waiting.iter().find(|(name, _)| name == channel.name).map_or(0, |(_, n)| *n);
            self.outbox_waiting.get_or_create(&ChannelLabel { channel: channel.name.to_owned() }).set(waiting);
        }
        let mut out = String::new();
        // Writing into a string does not fail.
        let _ = encode(&mut out, &self.registry);
        out
    }
}
