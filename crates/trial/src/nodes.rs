//! Two equal nodes on one PostgreSQL and its standby, and what befalls such a house: a node is killed at a point of its own
//! code or at any instant, is suspended and goes on, loses its database, is replaced while the other works, and the
//! database's primary falls and the standby is promoted. The crowd asks any node that answers; the
//! [`ledger`](crate::ledger) counts what came of it.

use std::fmt::Write as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use allclear_store::testing::{self, Pair};
use anyhow::{Context as _, anyhow};
use tokio::task::JoinHandle;

use crate::crowd::{Crowd, Dice, ORG, STEP_S};
use crate::kill_loop::{died_by_sigkill, kill_after};
use crate::ledger::{SECOND, Verdict};
use crate::program::{Database, Program};
use crate::world::{Setup, World};

/// What befalls the house unless `ALLCLEAR_FAULTS` says how often.
pub const FAULTS_DEFAULT: u32 = 14;
/// Longest wait for the pages of a life's alerts: the claims of a node that died are given back after five seconds.
const PAGES_WITHIN: Duration = Duration::from_secs(20);
/// The clocks of both are moved in parts, so that they are never further apart.
const PART_S: u64 = 20;
/// A commit is fatal at its n-th passing, n up to this.
const PASSINGS_MAX: u64 = 80;
/// The same for sends.
const SENDS_MAX: u64 = 20;
/// What comes at any instant comes within so many milliseconds after a life began.
const INSTANT_MS_MAX: u64 = 350;
/// How long a node is suspended: shorter than a claim is good for, about as long, and longer than a node counts as alive.
const SUSPENDED_MS: [u64; 3] = [700, 2_500, 8_000];
/// How long a node's sessions are ended again and again.
const CUT_FOR: Duration = Duration::from_millis(2_500);
/// Pause between two cuts.
const CUT_EVERY: Duration = Duration::from_millis(60);

/// What befalls the house.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    BeforeCommit,
    AfterCommit,
    BeforeSend,
    AfterSend,
    AtAnyInstant,
    Suspended,
    CutOff,
    Replaced,
    Promotion,
}

impl Fault {
    /// In the order in which they come.
    const ALL: [(Self, &'static str); 9] = [
        (Self::AtAnyInstant, "a node killed at a random instant"),
        (Self::Suspended, "a node suspended and resumed"),
        (Self::Promotion, "primary killed, standby promoted"),
        (Self::AfterCommit, "a node killed after a commit"),
        (Self::CutOff, "a node cut from the database"),
        (Self::AfterSend, "a node killed after a send"),
        (Self::Replaced, "a node stopped and replaced"),
        (Self::BeforeCommit, "a node killed before a commit"),
        (Self::BeforeSend, "a node killed before a send"),
    ];
}

/// What is to be done.
#[derive(Debug, Clone)]
pub struct Options {
    /// Faults.
    pub faults: u32,
    /// Whether each is a promotion.
    pub promotions_only: bool,
    /// Of what is random.
    pub seed: u64,
    /// The binary, as cargo names it to integration tests.
    pub binary: Option<&'static str>,
}

impl Options {
    /// As the environment says: `ALLCLEAR_FAULTS`, `ALLCLEAR_SEED`, and `ALLCLEAR_PROMOTIONS` for nothing else than those.
    #[must_use]
    pub fn from_env(binary: Option<&'static str>) -> Self {
        let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
        let faults = number("ALLCLEAR_FAULTS").and_then(|n| u32::try_from(n).ok()).unwrap_or(FAULTS_DEFAULT);
        let promotions_only = std::env::var_os("ALLCLEAR_PROMOTIONS").is_some();
        Self { faults, promotions_only, seed: number("ALLCLEAR_SEED").unwrap_or(1), binary }
    }
}

/// What came of it.
#[derive(Debug)]
pub struct Report {
    /// The balance.
    pub verdict: Verdict,
    /// How often each befell it.
    pub faults: Vec<(&'static str, u32)>,
    /// Requests whose answer was cut off; their senders tried again.
    pub cut_off: usize,
    /// Answers that nobody should get, and deaths that nobody ordered.
    pub odd: Vec<String>,
    /// From the last of a life's answers until all that was accepted was told, where a node was dead then.
    pub resumed: Vec<Duration>,
    /// How long no server took writes, of each promotion.
    pub promoted: Vec<Duration>,
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
        let total: u32 = self.faults.iter().map(|(_, count)| count).sum();
        // Writing to a String cannot fail.
        let _ = writeln!(out, "{total} faults in {:.0} s", self.took.as_secs_f64());
        for (kind, count) in &self.faults {
            let _ = writeln!(out, "  {kind:<36}  {count:>6}");
        }
        let _ = writeln!(out, "  all told, a node being dead           {}", spread(&self.resumed));
        let _ = writeln!(out, "  writes taken again after a promotion  {}", spread(&self.promoted));
        let _ = writeln!(out, "  answers cut off and asked again       {:>6}", self.cut_off);
        out.push_str(&self.verdict.table());
        for odd in &self.odd {
            let _ = writeln!(out, "  ! odd: {odd}");
        }
        out
    }
}

/// The middle, the 99th of a hundred and the longest.
fn spread(times: &[Duration]) -> String {
    let mut sorted = times.to_vec();
    sorted.sort();
    let at = |share: usize| sorted.get((sorted.len() * share / 100).min(sorted.len().saturating_sub(1))).copied().unwrap_or_default();
    format!(
        "p50 {:.1} s, p99 {:.1} s, longest {:.1} s of {}",
        at(50).as_secs_f64(),
        at(99).as_secs_f64(),
        at(100).as_secs_f64(),
        sorted.len()
    )
}

/// The second node.
struct Second {
    dir: PathBuf,
    program: Program,
}

struct House {
    pair: Pair,
    world: World,
    second: Second,
    crowd: Crowd,
    dice: Dice,
    faults: [u32; Fault::ALL.len()],
    resumed: Vec<Duration>,
    promoted: Vec<Duration>,
}

/// Runs it; why not, where no two servers can be had.
///
/// # Errors
/// When the program cannot be started or asked at the end.
pub async fn run(options: Options, pair: Pair) -> anyhow::Result<Report> {
    let setup = Setup::new(options.binary, Database::Postgres(named(&pair, 0))).org(ORG).args(&["--no-bundle"]);
    let world = World::try_start(setup).await?;
    let dir = world.dir.path().join("second");
    std::fs::create_dir(&dir)?;
    let program = Program::start(&world.launch_on(&named(&pair, 1), &dir, &[]), &world.client).await?;
    let crowd = Crowd::new(world.client.clone(), world.hook.clone(), true);
    let mut house = House {
        pair,
        world,
        second: Second { dir, program },
        crowd,
        dice: Dice(options.seed),
        faults: [0; Fault::ALL.len()],
        resumed: Vec::new(),
        promoted: Vec::new(),
    };
    for number in 0..options.faults {
        let kind = if options.promotions_only { 2 } else { number as usize % Fault::ALL.len() };
        house.live(kind, number as usize % 2).await.with_context(|| format!("fault {number}: {}", Fault::ALL[kind].1))?;
    }
    let verdict = house.balance().await?;
    if !verdict.is_clean() {
        // What was found is looked into: what the nodes said stays.
        house.world.dir.disable_cleanup(true);
        for (name, said) in [("first", house.world.log()), ("second", house.second.program.log())] {
            std::fs::write(house.world.dir.path().join(format!("{name}.log")), said)?;
        }
        house.crowd.odd.push(format!("the logs are kept in {}", house.world.dir.path().display()));
    }
    let faults = Fault::ALL.iter().zip(house.faults).map(|((_, name), count)| (*name, count)).collect();
    let (cut_off, took) = (house.crowd.cut_off, house.crowd.took());
    Ok(Report { verdict, faults, cut_off, odd: house.crowd.odd, resumed: house.resumed, promoted: house.promoted, took })
}

/// The address of both servers, under a name by which a node's sessions are found.
fn named(pair: &Pair, node: usize) -> String {
    format!("{}?application_name=node-{node}", pair.url())
}

impl House {
    fn node(&mut self, node: usize) -> &mut Program {
        if node == 0 { &mut self.world.program } else { &mut self.second.program }
    }

    /// Where the nodes that run are reached.
    fn bases(&mut self) -> Vec<String> {
        let mut bases = Vec::new();
        for node in 0..2 {
            let program = self.node(node);
            if program.alive() {
                bases.push(program.url.clone());
            }
        }
        if bases.is_empty() { vec![self.world.program.url.clone()] } else { bases }
    }

    /// Starts a node on what is there.
    async fn start(&mut self, node: usize, env: &[(&str, &str)]) -> anyhow::Result<()> {
        if node == 0 {
            return self.world.try_start_again(&[], env).await;
        }
        self.second.program.kill().await?;
        let mut launch = self.world.launch_on(&named(&self.pair, 1), &self.second.dir, &[]);
        launch.env.extend(env.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())));
        self.second.program = Program::start(&launch, &self.world.client).await?;
        Ok(())
    }

    /// One life of the house: something befalls one node, or the database, while the crowd works.
    async fn live(&mut self, kind: usize, victim: usize) -> anyhow::Result<()> {
        let fault = Fault::ALL[kind].0;
        self.faults[kind] += 1;
        self.crowd.begins();
        let fuse = Duration::from_millis(self.dice.roll(INSTANT_MS_MAX));
        let nth = 1 + self.dice.roll(PASSINGS_MAX);
        let point = match fault {
            Fault::BeforeCommit => Some(format!("before_commit:{nth}")),
            Fault::AfterCommit => Some(format!("after_commit:{nth}")),
            Fault::BeforeSend => Some(format!("before_send:{}", 1 + nth % SENDS_MAX)),
            Fault::AfterSend => Some(format!("after_send:{}", 1 + nth % SENDS_MAX)),
            _ => None,
        };
        if let Some(point) = &point {
            self.node(victim).stop().await?;
            match self.start(victim, &[("ALLCLEAR_FAILPOINT", point)]).await {
                Ok(()) => {}
                Err(error) if died_by_sigkill(&error) => {}
                Err(error) => return Err(error),
            }
        }
        let pid = self.node(victim).pid();
        let under_way: Option<JoinHandle<anyhow::Result<()>>> = match (fault, pid) {
            (Fault::AtAnyInstant, Some(pid)) => Some(tokio::spawn(async move {
                kill_after(fuse, pid).await;
                Ok(())
            })),
            (Fault::Suspended, Some(pid)) => {
                let long = SUSPENDED_MS[usize::try_from(self.dice.roll(SUSPENDED_MS.len() as u64)).unwrap_or(0)];
                Some(tokio::spawn(suspend(pid, fuse, Duration::from_millis(long))))
            }
            (Fault::CutOff, _) => Some(tokio::spawn(cut_off(self.pair.primary(), victim, fuse))),
            _ => None,
        };
        match fault {
            Fault::Promotion => {
                let bases = self.bases();
                let (promoted, new) = tokio::join!(
                    async {
                        tokio::time::sleep(fuse).await;
                        let began = Instant::now();
                        self.pair.fail_over().await.map(|()| began.elapsed())
                    },
                    self.crowd.send(&bases)
                );
                self.promoted.push(promoted.map_err(|why| anyhow!(why))?);
                self.goes_on(&new).await?;
                self.pair.bring_back().await.map_err(|why| anyhow!(why))?;
            }
            Fault::Replaced => {
                let bases = [self.node(1 - victim).url.clone()];
                let (stopped, new) = if victim == 0 {
                    tokio::join!(self.world.program.stop(), self.crowd.send(&bases))
                } else {
                    tokio::join!(self.second.program.stop(), self.crowd.send(&bases))
                };
                let status = stopped?;
                if !status.success() {
                    self.crowd.odd.push(format!("a node that was stopped ended so: {status}"));
                }
                self.goes_on(&new).await?;
            }
            _ => {
                let bases = self.bases();
                let new = self.crowd.send(&bases).await;
                self.goes_on(&new).await?;
            }
        }
        if let Some(under_way) = under_way {
            under_way.await??;
        }
        // A point that was not reached would be in a later life.
        if point.is_some() {
            self.node(victim).kill().await?;
        }
        self.heal(fault, victim).await
    }

    /// What was sent is told, some is answered, and the clocks move on.
    async fn goes_on(&mut self, new: &[String]) -> anyhow::Result<()> {
        let asked = Instant::now();
        if !self.crowd.told(new, PAGES_WITHIN).await {
            // The ledger judges what became of it; that it took so long is said here.
            self.crowd.odd.push(format!("life {}: not all was told within {PAGES_WITHIN:?}", self.crowd.life));
        }
        let both = self.node(0).alive() && self.node(1).alive();
        if !both {
            self.resumed.push(asked.elapsed());
        }
        let bases = self.bases();
        self.crowd.answer(new, &bases).await;
        for _ in 0..STEP_S.div_ceil(PART_S) {
            let part = Duration::from_secs(PART_S);
            let (one, two) = (self.world.program.control.clone(), self.second.program.control.clone());
            // One that is dead, or dies now, starts with its clock where the other's is.
            let _ = tokio::join!(one.advance(part), two.advance(part));
            self.crowd.ahead += part;
            self.world.skip(part);
        }
        // One that could not move its clock, because the database was away, goes on from where the other is.
        for node in 0..2 {
            let control = self.node(node).control.clone();
            if let Ok(now) = control.now().await {
                let behind = (self.crowd.moment().clock - now) / SECOND;
                if behind > 1 {
                    // Should it die just now, it starts where the other is.
                    let _ = control.jump(behind).await;
                }
            }
        }
        Ok(())
    }

    /// Both nodes run again, and nobody died of anything else.
    async fn heal(&mut self, fault: Fault, victim: usize) -> anyhow::Result<()> {
        for node in 0..2 {
            let ended = self.node(node).ended(Duration::ZERO).await?;
            let Some(status) = ended else { continue };
            let ordered = node == victim && (fault == Fault::Replaced || status.signal() == Some(9));
            if !ordered {
                let said = self.node(node).log();
                self.crowd.odd.push(format!("node {node} ended by itself ({status}): {said}"));
            }
            self.start(node, &[]).await?;
        }
        self.crowd.take_down();
        Ok(())
    }

    /// Nothing befalls it any more; everything that is owed comes due; then the log is read.
    async fn balance(&mut self) -> anyhow::Result<Verdict> {
        self.crowd.begins();
        // One that waits for its failpoint still would die of it now.
        for node in 0..2 {
            self.node(node).stop().await?;
            self.start(node, &[]).await?;
        }
        let bases = self.bases();
        self.crowd.ask_again(&bases).await;
        for _ in 0..4 {
            self.goes_on(&[]).await?;
        }
        self.world.quiet().await;
        self.second.program.control.quiet().await?;
        self.crowd.take_down();
        let (logged, lines) = self.crowd.read_log(&bases[0]).await?;
        let now = self.crowd.moment().clock;
        let mut verdict = self.crowd.ledger.judge(now, &logged);
        verdict.explain(|key| lines.get(key).cloned());
        Ok(verdict)
    }
}

/// Suspends a process for a while.
async fn suspend(pid: u32, fuse: Duration, long: Duration) -> anyhow::Result<()> {
    tokio::time::sleep(fuse).await;
    let signal = async |name: &str| tokio::process::Command::new("kill").args([name, &pid.to_string()]).status().await;
    signal("-STOP").await?;
    tokio::time::sleep(long).await;
    signal("-CONT").await?;
    Ok(())
}

/// Ends a node's sessions again and again.
async fn cut_off(primary: String, node: usize, fuse: Duration) -> anyhow::Result<()> {
    tokio::time::sleep(fuse).await;
    let began = Instant::now();
    let end = format!("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'node-{node}'");
    while began.elapsed() < CUT_FOR {
        testing::run(&primary, &end).await.map_err(|why| anyhow!(why))?;
        tokio::time::sleep(CUT_EVERY).await;
    }
    Ok(())
}
