//! What happened before a newcomer looks: eight weeks of incidents, so that trends, reviews and actions
//! have something to show.
//!
//! It happened, on a clock that was set back: every entry is a command of a person that the engine decided,
//! and the log reads like any other.

use allclear_domain::access::{Actor, Principal, Scope};
use allclear_domain::ids::{ActionId, IncidentId, ReviewId};
use allclear_domain::incident::work::HypothesisState;
use allclear_domain::incident::{self, Instant, Severity, attendance, decisions, ending, hypotheses, record, roles, tasks, updates};
use allclear_domain::time::Length;
use allclear_domain::{action, review};
use allclear_engine::Engine;
use allclear_engine::clock::SystemClock;
use allclear_engine::core::{Command, Declare, Input, Reply};
use jiff::{SignedDuration, Timestamp};

/// An incident of the past: hours ago, how bad, of what, what, who took it, and after how many minutes it was
/// acknowledged, mitigated and resolved.
struct Past(i64, Severity, &'static str, &'static str, &'static str, i64, i64, i64);

const PAST: [Past; 13] = [
    Past(1330, Severity::Sev3, "identity", "Sign-in slow for single sign-on users", "cho", 4, 22, 41),
    Past(1206, Severity::Sev2, "checkout", "Card form does not load in the app", "ana", 2, 18, 35),
    Past(1100, Severity::Sev4, "ledger-db", "Nightly vacuum ran past its window", "dana", 31, 60, 95),
    Past(980, Severity::Sev3, "payments-api", "Refunds queue behind by 2 hours", "ben", 6, 47, 88),
    Past(905, Severity::Sev2, "patient-record", "Allergy list empty for new admissions", "eli", 3, 26, 52),
    Past(790, Severity::Sev3, "checkout", "Vouchers refused", "ana", 5, 30, 44),
    Past(655, Severity::Sev1, "identity", "Nobody can sign in", "dana", 1, 24, 58),
    Past(520, Severity::Sev3, "ledger-db", "Replica lag above 60 s", "cho", 9, 33, 61),
    Past(430, Severity::Sev4, "payments-api", "Webhook retries to one partner", "ben", 28, 50, 70),
    Past(340, Severity::Sev2, "payments-api", "3-D Secure challenges time out", "ana", 2, 15, 39),
    Past(262, Severity::Sev3, "patient-record", "Lab results arrive late", "fay", 7, 55, 130),
    Past(130, Severity::Sev3, "checkout", "Basket loses items on reload", "ana", 4, 21, 37),
    Past(20, Severity::Sev4, "identity", "Password mails delayed", "cho", 18, 40, 66),
];

/// The one that has a published review: hours ago.
const REVIEWED: i64 = 218;
/// The one whose review is still a draft: hours ago.
const DRAFTED: i64 = 74;

pub(super) struct History<'a> {
    engine: &'a Engine,
    clock: &'a SystemClock,
    /// What is now for whoever looks.
    now: Timestamp,
}

impl<'a> History<'a> {
    /// Of an engine whose clock can be set.
    pub(super) fn new(engine: &'a Engine, clock: &'a SystemClock) -> Self {
        Self { engine, clock, now: engine.now() }
    }
}

impl History<'_> {
    /// Lets what is past happen.
    ///
    /// # Errors
    /// When the store or a rule refuses something, which a test excludes.
    pub(super) async fn everything(&self) -> anyhow::Result<()> {
        let mut due: Vec<(i64, Option<&Past>)> = PAST.iter().map(|past| (past.0, Some(past))).collect();
        due.extend([(REVIEWED, None), (DRAFTED, None)]);
        due.sort_by_key(|(hours, _)| -hours);
        for (hours, past) in due {
            match past {
                Some(past) => self.small(past).await?,
                None if hours == REVIEWED => self.reviewed().await?,
                None => self.drafted().await?,
            }
        }
        Ok(())
    }

    /// Moves the clock to `minutes` after `hours` ago, and lets what is due then happen.
    pub(super) async fn go_to(&self, hours: i64, minutes: i64) {
        let at = self.now - SignedDuration::from_mins(hours * 60 - minutes);
        let real = self.engine.now().as_microsecond() - self.clock.offset_micros();
        self.clock.set_offset_micros(at.as_microsecond() - real);
        self.engine.wake();
        self.engine.quiet().await;
    }

    async fn submit(&self, person: &str, command: Command) -> anyhow::Result<Reply> {
        let input =
            Input { who: Principal::new(Actor::Person(person.to_owned()), Scope::Respond), cause: "demo".into(), once: None, command };
        Ok(self.engine.submit(input).await?)
    }

    pub(super) async fn act(&self, person: &str, id: IncidentId, command: impl Into<incident::Command>) -> anyhow::Result<()> {
        self.submit(person, Command::incident(id, command)).await.map(|_| ())
    }

    pub(super) async fn declare(&self, person: &str, severity: Severity, service: &str, title: &str) -> anyhow::Result<IncidentId> {
        let declare = Declare {
            title: title.into(),
            severity: Some(severity),
            known: Default::default(),
            service: Some(service.into()),
            impact_started_at: None,
            page: true,
            private: false,
            report: false,
        };
        match self.submit(person, Command::Declare(declare)).await? {
            Reply::Incident { id, .. } => Ok(id),
            _ => anyhow::bail!("a declaration of the demo gave no incident"),
        }
    }

    async fn small(&self, past: &Past) -> anyhow::Result<()> {
        let Past(hours, severity, service, title, who, acknowledged, mitigated, resolved) = *past;
        self.go_to(hours, 0).await;
        let id = self.declare("fay", severity, service, title).await?;
        self.go_to(hours, acknowledged).await;
        self.act(who, id, attendance::Command::Acknowledge { by: Some(who.into()), via: "link".into() }).await?;
        self.go_to(hours, mitigated).await;
        self.act(who, id, ending::Command::Mitigate { note: None }).await?;
        self.go_to(hours, resolved).await;
        self.act(who, id, ending::Command::Resolve { note: None, waive: None }).await?;
        let review = self.engine_review(id).await;
        if let Some(review) = review {
            // Weeks old: written, and out of the way.
            self.go_to(hours - 20, 0).await;
            let text = format!("# {title}\n\nWritten and discussed with the team.\n");
            self.submit(who, Command::Review { id: review, command: review::Command::Publish { text } }).await?;
        }
        if hours > 48 {
            self.act(who, id, ending::Command::Close { waive: None }).await?;
        }
        Ok(())
    }

    async fn engine_review(&self, id: IncidentId) -> Option<ReviewId> {
        let everybody = allclear_domain::access::Principal::new(Actor::Administrator, allclear_domain::access::Scope::Admin);
        let view = self.engine.queries(&everybody).incident(id).await.ok()?;
        view.review?.parse().ok()
    }

    /// Commanded in full, told to customers, with a published review and actions.
    async fn reviewed(&self) -> anyhow::Result<()> {
        let h = REVIEWED;
        self.go_to(h, 0).await;
        let id = self.declare("ben", Severity::Sev1, "payments-api", "Card payments fail in Europe").await?;
        self.go_to(h, 2).await;
        self.act("ana", id, attendance::Command::Acknowledge { by: Some("ana".into()), via: "link".into() }).await?;
        self.go_to(h, 4).await;
        self.act("ana", id, roles::Command::Offer { role: "commander".into(), to: "dana".into(), by: Some("ana".into()), why: None })
            .await?;
        self.go_to(h, 5).await;
        self.act("dana", id, roles::Command::Take { role: "commander".into(), person: "dana".into(), why: None }).await?;
        self.act("dana", id, roles::Command::Take { role: "communications".into(), person: "ben".into(), why: None }).await?;
        for text in ["The card network has an outage of its own", "Release 4.18 of payments-api breaks the retry"] {
            self.act("ana", id, hypotheses::Command::Raise { text: text.into() }).await?;
        }
        self.act("dana", id, task("Roll back payments-api to 4.17", "ana", self.engine.now(), 15)).await?;
        self.act("dana", id, task("Ask the card network for its status", "cho", self.engine.now(), 10)).await?;
        self.go_to(h, 9).await;
        let first = "Card payments in Europe fail for about one in six customers since 10:02. We are rolling back a change.";
        self.act("ben", id, update(first)).await?;
        self.go_to(h, 14).await;
        self.act("cho", id, tasks::Command::Finish { task: 2, note: Some("their side is healthy".into()) }).await?;
        self.act(
            "cho",
            id,
            hypotheses::Command::Judge { hypothesis: 1, state: HypothesisState::Rejected, why: "their side is healthy".into() },
        )
        .await?;
        self.act(
            "dana",
            id,
            decisions::Command::Decide(decisions::Decide {
                question: Some("Roll back, or look for the cause first?".into()),
                options: vec![
                    "roll back payments-api to 4.17".into(),
                    "look for the cause first".into(),
                    "switch to the second acquirer".into(),
                ],
                text: "Roll back now, look for the cause afterwards".into(),
                reversible: Some(true),
                ..decisions::Decide::default()
            }),
        )
        .await?;
        self.go_to(h, 21).await;
        self.act("ana", id, tasks::Command::Finish { task: 1, note: None }).await?;
        self.act("ana", id, ending::Command::Mitigate { note: Some("errors are back to 0.3 %".into()) }).await?;
        self.act(
            "dana",
            id,
            record::Command::CorrectTime {
                instant: Instant::ImpactStarted,
                at: Some(self.now - SignedDuration::from_mins(h * 60 + 11)),
                why: "the first failed payment is older than the alarm".into(),
            },
        )
        .await?;
        self.go_to(h, 38).await;
        self.act("ben", id, update("Payments work again for everybody. No payment was taken twice.")).await?;
        self.go_to(h, 46).await;
        self.act(
            "dana",
            id,
            ending::Command::Resolve { note: Some("rolled back; the connection pool of 4.18 was too small".into()), waive: None },
        )
        .await?;
        let Some(review) = self.engine_review(id).await else { return Ok(()) };
        self.go_to(h - 26, 0).await;
        let everybody = allclear_domain::access::Principal::new(Actor::Administrator, allclear_domain::access::Scope::Admin);
        let draft = self.engine.queries(&everybody).review(review).await?.text.unwrap_or_default();
        let text = draft
            .replace(
                "_What happened, in three sentences that somebody outside the team understands._",
                "Version 4.18 of the payments API opened fewer connections to the ledger than the evening needs. One in six card \
                 payments in Europe failed for 32 minutes. Rolling back ended it.",
            )
            .replace("- Who was affected, and how: _fill in_", "- 1,240 attempts to pay, 174 of which failed; none was charged twice")
            .replace(
                "_Fill in: no blame, what made sense at the time._",
                "The rollback was one command. The pool's size was changed together with six other settings, and load tests run at noon.",
            )
            .replace(
                "_Fill in: contributing conditions rather than one root._",
                "A default that was right for the old driver; a load test that never sees the evening; an alarm on errors but none on \
                 waiting connections.",
            );
        self.submit("ana", Command::Review { id: review, command: review::Command::Edit { text: text.clone() } }).await?;
        self.go_to(h - 30, 0).await;
        self.submit("dana", Command::Review { id: review, command: review::Command::Publish { text } }).await?;
        let first = self.add_action(id, "Alarm on connections that wait longer than 1 s", "ana", 5).await?;
        self.add_action(id, "Run the load test with yesterday evening's traffic", "ben", 6).await?;
        self.add_action(id, "Change pool settings one at a time", "dana", 21).await?;
        self.go_to(h - 80, 0).await;
        self.submit("ana", Command::Action { id: first, command: action::Command::Finish { note: Some("live since Tuesday".into()) } })
            .await?;
        self.act("dana", id, ending::Command::Close { waive: None }).await
    }

    async fn add_action(&self, incident: IncidentId, text: &str, owner: &str, days: i64) -> anyhow::Result<ActionId> {
        let day = (self.engine.now() + SignedDuration::from_hours(24 * days)).to_zoned(jiff::tz::TimeZone::UTC).date();
        let command = Command::AddAction { incident, text: text.into(), owner: owner.into(), due: action::Until::Day(day) };
        match self.submit("dana", command).await? {
            Reply::Action { id } => Ok(id),
            _ => anyhow::bail!("an action of the demo was not added"),
        }
    }

    /// Resolved three days ago; its review is a draft with the clock running.
    async fn drafted(&self) -> anyhow::Result<()> {
        let h = DRAFTED;
        self.go_to(h, 0).await;
        let id = self.declare("eli", Severity::Sev2, "patient-record", "Charts open slowly on every ward").await?;
        self.go_to(h, 3).await;
        self.act("eli", id, attendance::Command::Acknowledge { by: Some("eli".into()), via: "link".into() }).await?;
        self.act("eli", id, task("Hand out downtime forms on wards 1 to 6", "fay", self.engine.now(), 20)).await?;
        self.go_to(h, 12).await;
        self.act(
            "eli",
            id,
            record::Command::Note { text: "Started after the directory was patched at 13:30".into(), happened_at: None, marking: None },
        )
        .await?;
        self.go_to(h, 27).await;
        self.act("fay", id, tasks::Command::Finish { task: 1, note: None }).await?;
        self.go_to(h, 44).await;
        self.act("eli", id, ending::Command::Mitigate { note: Some("the directory patch is backed out".into()) }).await?;
        self.go_to(h, 71).await;
        self.act("eli", id, ending::Command::Resolve { note: None, waive: None }).await
    }
}

fn task(text: &str, owner: &str, now: Timestamp, minutes: i64) -> tasks::Command {
    tasks::Command::Add { text: text.into(), owner: Some(owner.into()), due_at: Some(now + SignedDuration::from_mins(minutes)) }
}

pub(super) fn update(text: &str) -> updates::Command {
    updates::Command::Post {
        audiences: vec!["customers".into(), "management".into()],
        text: text.into(),
        next_within: Some(Length::from_mins(30)),
        marking: None,
    }
}
