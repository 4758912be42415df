//! The kill loop: the real binary is killed again and again while it takes in alerts, tells
//! people, and is told that they have it; the [`ledger`](crate::ledger) counts what came of it.
//!
//! A life of the program: it starts on what the last one left; senders and people whose answer was
//! cut off try again; new alerts arrive; some are acknowledged by the link in their message, some
//! recover, the others are left to escalate as the clock is moved on; then it dies, at a named
//! point of its own code or at any instant. Some deaths last ten minutes.

use std::fmt::Write as _;
use std::os::unix::process::ExitStatusExt as _;
use std::time::Duration;

use anyhow::Context as _;

use crate::crowd::{Crowd, Dice, ORG, STEP_S};
use crate::ledger::Verdict;
use crate::program::{Database, EndedEarly};
use crate::world::{Setup, World};

/// Kills per database unless `ALLCLEAR_KILLS` says otherwise.
pub const KILLS_DEFAULT: u32 = 120;
/// Longest wait for the pages of a life's alerts.
const PAGES_WITHIN: Duration = Duration::from_secs(10);
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

const KINDS: [&str; 6] = ["before a commit", "after a commit", "before a send", "after a send", "at a random point", "at a random instant"];

struct Loop {
    world: World,
    crowd: Crowd,
    dice: Dice,
    kills: [u32; KINDS.len()],
}

/// Runs the loop.
///
/// # Errors
/// When the program cannot be started or asked at the end.
pub async fn run(options: Options) -> anyhow::Result<Report> {
    let setup = Setup::new(options.binary, options.database).org(ORG).args(&["--no-bundle"]);
    let world = World::try_start(setup).await?;
    let crowd = Crowd::new(world.client.clone(), world.hook.clone(), false);
    let mut all = Loop { world, crowd, dice: Dice(options.seed), kills: [0; KINDS.len()] };
    // The first life only makes the store.
    all.die(None).await?;
    for number in 0..options.kills {
        all.live(number).await?;
    }
    let verdict = all.balance().await?;
    if !verdict.is_clean() {
        // What was found is looked into: the store stays.
        all.world.dir.disable_cleanup(true);
        all.crowd.odd.push(format!("the store is kept in {}", all.world.dir.path().display()));
    }
    Ok(Report {
        verdict,
        kills: KINDS.into_iter().zip(all.kills).collect(),
        cut_off: all.crowd.cut_off,
        took: all.crowd.took(),
        odd: all.crowd.odd,
    })
}

impl Loop {
    /// Where the program of this life is reached.
    fn bases(&self) -> [String; 1] {
        [self.world.program.url.clone()]
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
            self.crowd.ahead += GAP;
            self.world.skip(GAP);
        }
        self.crowd.begins();
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
            Err(error) => return Err(error.context(format!("life {} with {failpoint:?}", self.crowd.life))),
        }
        self.die(Some(kind)).await
    }

    /// Sees to it that the program is dead, and takes down what it had sent.
    async fn die(&mut self, kind: Option<usize>) -> anyhow::Result<()> {
        let by_itself = self.world.program.ended(Duration::ZERO).await?;
        if let Some(status) = by_itself
            && status.signal() != Some(9)
        {
            self.crowd.odd.push(format!("life {} ended by itself ({status}): {}", self.crowd.life, self.world.program.log()));
        }
        self.world.kill().await;
        if let Some(kind) = kind {
            self.kills[kind] += 1;
        }
        // A dead program's connections are closed; what they still held is read first.
        tokio::time::timeout(PAGES_WITHIN, self.world.hook.drained()).await.context("the sink still has connections of a dead program")?;
        self.crowd.take_down();
        Ok(())
    }

    /// What senders and people do in a life, as far as it goes.
    async fn work(&mut self) {
        let bases = self.bases();
        let new = self.crowd.send(&bases).await;
        tokio::select! {
            _ = self.crowd.told(&new, PAGES_WITHIN) => {}
            _ = self.world.program.ended(PAGES_WITHIN) => {}
        }
        self.crowd.answer(&new, &bases).await;
        for _ in 0..STEP_S.div_ceil(PART_S) {
            if !self.world.program.alive() {
                return;
            }
            // A death in the middle leaves the clock at the end of the part.
            let moved = self.world.program.control.advance(Duration::from_secs(PART_S)).await;
            self.crowd.ahead += Duration::from_secs(PART_S);
            self.world.skip(Duration::from_secs(PART_S));
            if moved.is_err() {
                return;
            }
        }
        let _ = self.world.program.control.quiet().await;
    }

    /// The last life: nobody kills it; everything that is owed comes due; then the log is read.
    async fn balance(&mut self) -> anyhow::Result<Verdict> {
        self.crowd.begins();
        self.world.try_start_again(&[], &[]).await?;
        let bases = self.bases();
        self.crowd.ask_again(&bases).await;
        self.world.quiet().await;
        for _ in 0..4 {
            self.world.advance(STEP_S).await;
            self.crowd.ahead += Duration::from_secs(STEP_S);
        }
        self.crowd.take_down();
        let (logged, lines) = self.crowd.read_log(&bases[0]).await?;
        let now = self.crowd.moment().clock;
        let mut verdict = self.crowd.ledger.judge(now, &logged);
        verdict.explain(|key| lines.get(key).cloned());
        Ok(verdict)
    }
}

pub(crate) fn died_by_sigkill(error: &anyhow::Error) -> bool {
    error.downcast_ref::<EndedEarly>().is_some_and(|ended| ended.status.signal() == Some(9))
}

pub(crate) async fn kill_after(fuse: Duration, pid: u32) {
    tokio::time::sleep(fuse).await;
    // Should it have died just before, there is nothing to kill: its number is not reused so soon.
    let _ = tokio::process::Command::new("kill").args(["-KILL", &pid.to_string()]).status().await;
}
