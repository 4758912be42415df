//! The ledger: from what the program accepted it decides who had to be told, and holds what
//! arrived against that.
//!
//! Its model is its own and tiny: an accepted alert pages the person of step 1 at once; unless
//! somebody acknowledges or it recovers, the person of each further step after the step before has
//! had its time. A page that nobody answered comes back to the last of them, in further rounds: allowed, no sooner
//! than half an hour after the last one's time, and never to anybody else. *Lost*, *duplicate*, *late* and *after the end* are the words of the delivery
//! contract. It knows nothing of the product's state, and reads its log only to see that what
//! happened is written there.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Write as _;

/// Microseconds of a second.
pub const SECOND: i64 = 1_000_000;
/// A page that starts later than this after its time must say that it is late.
const LATE_AFTER: i64 = 60 * SECOND;
/// How long after its last step's time a page that nobody answered comes back at the earliest.
const AGAIN_AFTER: i64 = 30 * 60 * SECOND;
/// The sender's clock is told in whole seconds.
const RESOLUTION: i64 = SECOND;
/// A send that began at the sink within this real time after the end was confirmed was on its way:
/// a claim is good for two seconds before the first byte, and two processes share two cores. In
/// microseconds.
const IN_FLIGHT: i64 = 2_250_000;
/// How far apart the clocks of several nodes may be in a trial: one part by which they are moved, one after the other.
const APART: i64 = 20 * SECOND;
/// Examples kept of each kind of finding.
const EXAMPLES_MAX: usize = 5;

/// When something happened: by the program's clock, by the real one, and in which life of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Program's clock, microseconds since 1970.
    pub clock: i64,
    /// Real time since the trial began, microseconds.
    pub real: i64,
    /// Counts starts of the program.
    pub life: u32,
}

/// One step: who is paged, and how long they have.
#[derive(Debug, Clone)]
pub struct Step {
    /// A person's id.
    pub person: &'static str,
    /// Microseconds until the next step.
    pub within: i64,
}

/// A page as the sink got it.
#[derive(Debug, Clone)]
pub struct Receipt {
    /// `webhook-id`.
    pub id: String,
    /// The alert's name.
    pub key: String,
    /// Whose address it reached.
    pub address: String,
    /// Whom it names.
    pub person: String,
    /// From 1.
    pub step: usize,
    /// From 1.
    pub round: usize,
    /// Whether it says that it is late.
    pub late: bool,
    /// When its sender says this try began: microseconds since 1970.
    pub sent: i64,
    /// When its first byte was read.
    pub began: i64,
    /// In which life of the program.
    pub life: u32,
}

/// What the program's own log says at the end.
#[derive(Debug, Clone, Default)]
pub struct Logged {
    /// Messages said to be delivered.
    pub delivered: HashSet<String>,
    /// Messages said to have been in doubt, and how often.
    pub in_doubt: HashMap<String, usize>,
    /// Alerts whose incident was acknowledged or resolved.
    pub ended: HashSet<String>,
}

#[derive(Debug, Default)]
struct Alert {
    asked: Option<Moment>,
    accepted: Option<Moment>,
    end_asked: Option<Moment>,
    end_confirmed: Option<Moment>,
}

/// See the module.
#[derive(Debug)]
pub struct Ledger {
    steps: Vec<Step>,
    alerts: BTreeMap<String, Alert>,
    receipts: Vec<Receipt>,
    /// When each life began, by the program's clock.
    lives: BTreeMap<u32, i64>,
    /// Whether several nodes share the work: what befalls one leaves the others' sends on their way.
    several: bool,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Copy)]
pub enum Finding {
    /// Somebody who had to be told was not.
    Lost,
    /// The same message twice in one life, or the same page as two messages.
    Duplicate,
    /// After its time, without saying so.
    Late,
    /// Before its time.
    Early,
    /// Somebody else was told, or about nothing that was ever sent.
    WrongPerson,
    /// Begun after an acknowledgement or recovery was confirmed.
    AfterEnd,
    /// It happened and the log does not say so.
    Unlogged,
}

impl Finding {
    const ALL: [(Self, &'static str); 7] = [
        (Self::Lost, "lost"),
        (Self::Duplicate, "duplicate"),
        (Self::Late, "late, unsaid"),
        (Self::Early, "early"),
        (Self::WrongPerson, "wrong person"),
        (Self::AfterEnd, "after the end"),
        (Self::Unlogged, "unlogged"),
    ];
}

/// The balance.
#[derive(Debug, Clone, Default)]
pub struct Verdict {
    /// Alerts that were accepted.
    pub accepted: usize,
    /// Requests whose answer a kill cut off.
    pub unanswered: usize,
    /// Acknowledgements and recoveries that were confirmed.
    pub ended: usize,
    /// Pages that had to go out, and did.
    pub told: usize,
    /// Pages that arrived.
    pub received: usize,
    /// Pages that came back because nobody had answered: allowed.
    pub returned: usize,
    /// Messages repeated over a kill under their own id: allowed, and logged as in doubt.
    pub repeats: usize,
    /// Sends that were on their way when the end was confirmed: allowed.
    pub in_flight: usize,
    /// Pages that came after their time and said so.
    pub late_said: usize,
    counts: BTreeMap<Finding, usize>,
    examples: Vec<(Finding, String)>,
    /// What the log says of the alerts of the examples.
    stories: Vec<String>,
}

impl Verdict {
    /// How often something was found.
    #[must_use]
    pub fn count(&self, finding: Finding) -> usize {
        self.counts.get(&finding).copied().unwrap_or(0)
    }
    /// Adds what the log says of the first alerts among the examples; `tell` gives the lines of one.
    pub fn explain(&mut self, tell: impl Fn(&str) -> Option<String>) {
        let mut told: Vec<&str> = Vec::new();
        for (_, example) in &self.examples {
            let key = example.split(':').next().unwrap_or_default();
            if told.len() < EXAMPLES_MAX && !told.contains(&key) {
                told.push(key);
                self.stories.extend(tell(key).map(|lines| format!("  log of {key}:\n{lines}")));
            }
        }
    }
    /// Whether nothing was found.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.counts.is_empty()
    }
    fn found(&mut self, finding: Finding, example: impl FnOnce() -> String) {
        let count = self.counts.entry(finding).or_default();
        *count += 1;
        if *count <= EXAMPLES_MAX {
            self.examples.push((finding, example()));
        }
    }
    /// As a table for people.
    #[must_use]
    pub fn table(&self) -> String {
        let mut rows: Vec<(&str, usize)> = vec![
            ("alerts accepted", self.accepted),
            ("alerts never answered", self.unanswered),
            ("ends confirmed", self.ended),
            ("pages owed and told", self.told),
            ("pages received", self.received),
            ("came back (allowed)", self.returned),
            ("repeats over a kill (allowed)", self.repeats),
            ("in flight at the end (allowed)", self.in_flight),
            ("late and said so (allowed)", self.late_said),
        ];
        rows.extend(Finding::ALL.iter().map(|&(finding, name)| (name, self.count(finding))));
        let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        let mut out = String::new();
        for (name, count) in rows {
            // Writing to a String cannot fail.
            let _ = writeln!(out, "  {name:<width$}  {count:>7}");
        }
        for story in &self.stories {
            out.push_str(story);
        }
        for (finding, example) in &self.examples {
            let name = Finding::ALL.iter().find(|(other, _)| other == finding).map_or("", |(_, name)| name);
            let _ = writeln!(out, "  ! {name}: {example}");
        }
        out
    }
}

impl Ledger {
    /// A ledger for this escalation; the last step is whoever is left at the end.
    #[must_use]
    pub fn new(steps: Vec<Step>) -> Self {
        Self { steps, alerts: BTreeMap::new(), receipts: Vec::new(), lives: BTreeMap::new(), several: false }
    }

    /// The same of several equal nodes: a life begins when something befalls one of them.
    #[must_use]
    pub fn of_several_nodes(mut self) -> Self {
        self.several = true;
        self
    }

    /// A life of the program begins: what came due while it was dead is due now.
    pub fn begins(&mut self, at: Moment) {
        self.lives.insert(at.life, at.clock);
    }

    /// An alert is about to be sent, perhaps again: the first time counts.
    pub fn asks(&mut self, key: &str, at: Moment) {
        self.alerts.entry(key.to_owned()).or_default().asked.get_or_insert(at);
    }

    /// The program answered that it has it.
    pub fn accepted(&mut self, key: &str, at: Moment) {
        self.alerts.entry(key.to_owned()).or_default().accepted.get_or_insert(at);
    }

    /// An acknowledgement or recovery is about to be sent.
    pub fn asks_to_end(&mut self, key: &str, at: Moment) {
        self.alerts.entry(key.to_owned()).or_default().end_asked.get_or_insert(at);
    }

    /// The program answered that it is so.
    pub fn ended(&mut self, key: &str, at: Moment) {
        self.alerts.entry(key.to_owned()).or_default().end_confirmed.get_or_insert(at);
    }

    /// A page arrived.
    pub fn received(&mut self, receipt: Receipt) {
        self.receipts.push(receipt);
    }

    /// Whether the program has it.
    #[must_use]
    pub fn is_accepted(&self, key: &str) -> bool {
        self.alerts.get(key).is_some_and(|alert| alert.accepted.is_some())
    }

    /// Whether its end was asked for.
    #[must_use]
    pub fn is_ended(&self, key: &str) -> bool {
        self.alerts.get(key).is_some_and(|alert| alert.end_asked.is_some())
    }

    /// Alerts whose answer was cut off, and which are not known to be over: their senders will send them again.
    #[must_use]
    pub fn without_answer(&self) -> Vec<String> {
        self.alerts
            .iter()
            .filter(|(_, a)| a.asked.is_some() && a.accepted.is_none() && a.end_confirmed.is_none())
            .map(|(key, _)| key.clone())
            .collect()
    }

    /// Ends that were asked for and whose answer was cut off.
    #[must_use]
    pub fn ends_without_answer(&self) -> Vec<String> {
        self.alerts.iter().filter(|(_, a)| a.end_asked.is_some() && a.end_confirmed.is_none()).map(|(key, _)| key.clone()).collect()
    }

    /// Holds what arrived against what was owed, as of `now` by the program's clock.
    #[must_use]
    pub fn judge(&self, now: i64, logged: &Logged) -> Verdict {
        let mut verdict = Verdict { received: self.receipts.len(), ..Verdict::default() };
        let mut by_alert: HashMap<&str, Vec<&Receipt>> = HashMap::new();
        for receipt in &self.receipts {
            by_alert.entry(receipt.key.as_str()).or_default().push(receipt);
        }
        for (key, alert) in &self.alerts {
            let receipts = by_alert.remove(key.as_str()).unwrap_or_default();
            verdict.accepted += usize::from(alert.accepted.is_some());
            verdict.unanswered += usize::from(alert.accepted.is_none());
            verdict.ended += usize::from(alert.end_confirmed.is_some());
            if alert.end_confirmed.is_some() && alert.accepted.is_some() && !logged.ended.contains(key) {
                verdict.found(Finding::Unlogged, || format!("{key}: its confirmed end is not in the log"));
            }
            let (first, later): (Vec<&Receipt>, Vec<&Receipt>) = receipts.iter().partition(|receipt| receipt.round <= 1);
            self.judge_steps(&mut verdict, key, alert, &first, now);
            self.judge_returns(&mut verdict, key, alert, &later);
            judge_repeats(&mut verdict, key, &receipts, logged, self.several);
            judge_after_end(&mut verdict, key, alert, &receipts, self.several);
        }
        for receipt in by_alert.into_values().flatten() {
            verdict.found(Finding::WrongPerson, || format!("{} was told of {:?}, which nobody sent", receipt.person, receipt.key));
        }
        for receipt in &self.receipts {
            if !logged.delivered.contains(&receipt.id) && !logged.in_doubt.contains_key(&receipt.id) {
                verdict.found(Finding::Unlogged, || {
                    format!("{}: message {} to {} is not in the log", receipt.key, receipt.id, receipt.person)
                });
            }
        }
        verdict
    }

    /// How exactly it is known when something was sent, by the clock that the ledger has.
    fn resolution(&self) -> i64 {
        if self.several { RESOLUTION + APART } else { RESOLUTION }
    }

    fn judge_steps(&self, verdict: &mut Verdict, key: &str, alert: &Alert, receipts: &[&Receipt], now: i64) {
        let mut earliest = alert.asked.map_or(i64::MAX, |at| at.clock);
        // The latest instant at which the step may be reached; unknown where no answer came.
        let mut due = alert.accepted.map(|at| at.clock);
        // Whether the step before was seen. Where its message never came (its program died again and
        // again until the alert ended), nobody here knows when it was reached: the next step's
        // lateness cannot be judged, and that of the step before was.
        let mut follows = true;
        for (index, step) in self.steps.iter().enumerate() {
            let number = index + 1;
            let told: Vec<&&Receipt> = receipts.iter().filter(|r| r.step == number).collect();
            let first = told.iter().min_by_key(|r| r.sent);
            // Nobody is owed a step of what ended before its time, or before a program that was
            // dead at its time could catch up.
            let ended = alert.end_asked.is_some_and(|at| {
                let up_since = self.lives.get(&at.life).copied();
                due.max(up_since).is_some_and(|due| at.clock <= due + LATE_AFTER)
            });
            let owed = !ended && due.is_some_and(|due| due + LATE_AFTER < now);
            if owed && told.is_empty() {
                verdict.found(Finding::Lost, || format!("{key}: {} was never told (step {number})", step.person));
            }
            verdict.told += usize::from(owed && !told.is_empty());
            for receipt in &told {
                if receipt.person != step.person || receipt.address != step.person {
                    verdict.found(Finding::WrongPerson, || {
                        format!("{key}: step {number} told {} at {}, not {}", receipt.person, receipt.address, step.person)
                    });
                }
                if receipt.sent + self.resolution() <= earliest {
                    let by = (earliest - receipt.sent) / SECOND;
                    verdict.found(Finding::Early, || format!("{key}: step {number} came {by} s early"));
                }
            }
            if let (Some(first), Some(due)) = (first, due)
                && follows
                && first.sent > due + LATE_AFTER
            {
                let by = (first.sent - due) / SECOND;
                if first.late {
                    verdict.late_said += 1;
                } else {
                    verdict
                        .found(Finding::Late, || format!("{key}: step {number} came {by} s late (life {}) and did not say so", first.life));
                }
            }
            follows = first.is_some();
            earliest = earliest.saturating_add(step.within);
            due = first.map(|r| r.sent + RESOLUTION).max(due).map(|at| at + step.within);
        }
        for receipt in receipts.iter().filter(|r| r.step == 0 || r.step > self.steps.len()) {
            verdict
                .found(Finding::WrongPerson, || format!("{key}: {} was told in step {}, which there is not", receipt.person, receipt.step));
        }
    }
}

impl Ledger {
    /// What came back: to whoever is left at the end, and not before its time.
    fn judge_returns(&self, verdict: &mut Verdict, key: &str, alert: &Alert, returns: &[&Receipt]) {
        let whole: i64 = self.steps.iter().map(|step| step.within).sum();
        let earliest = alert.asked.map_or(i64::MAX, |at| at.clock).saturating_add(whole).saturating_add(AGAIN_AFTER);
        let left = self.steps.last().map_or("", |step| step.person);
        for receipt in returns {
            verdict.returned += 1;
            if receipt.person != left || receipt.address != left || receipt.step != 1 {
                let (round, step, person) = (receipt.round, receipt.step, &receipt.person);
                verdict.found(Finding::WrongPerson, || format!("{key}: round {round}, step {step} told {person}, not {left}"));
            }
            if receipt.sent + self.resolution() <= earliest {
                let by = (earliest - receipt.sent) / SECOND;
                verdict.found(Finding::Early, || format!("{key}: it came back {by} s early"));
            }
        }
    }
}

fn judge_repeats(verdict: &mut Verdict, key: &str, receipts: &[&Receipt], logged: &Logged, several: bool) {
    let mut by_id: BTreeMap<&str, Vec<&Receipt>> = BTreeMap::new();
    let mut by_page: BTreeMap<(usize, usize, &str), HashSet<&str>> = BTreeMap::new();
    for receipt in receipts {
        by_id.entry(&receipt.id).or_default().push(receipt);
        by_page.entry((receipt.round, receipt.step, &receipt.person)).or_default().insert(&receipt.id);
    }
    for (id, copies) in by_id {
        let lives: HashSet<u32> = copies.iter().map(|r| r.life).collect();
        // Another node goes on with what one had under way: within a life, too.
        let once = if several { copies.len() } else { lives.len() };
        for _ in once..copies.len() {
            verdict.found(Finding::Duplicate, || format!("{key}: message {id} came more than once in one life"));
        }
        verdict.repeats += once - 1;
        let in_doubt = logged.in_doubt.get(id).copied().unwrap_or(0);
        if once - 1 > in_doubt {
            verdict.found(Finding::Unlogged, || {
                format!("{key}: message {id} was repeated {} times, and the log calls it in doubt {in_doubt} times", once - 1)
            });
        }
    }
    for ((_, step, person), ids) in by_page {
        for _ in 1..ids.len() {
            verdict.found(Finding::Duplicate, || format!("{key}: step {step} told {person} by {} messages: {ids:?}", ids.len()));
        }
    }
}

fn judge_after_end(verdict: &mut Verdict, key: &str, alert: &Alert, receipts: &[&Receipt], several: bool) {
    let Some(end) = alert.end_confirmed else { return };
    for receipt in receipts {
        let after = receipt.began - end.real;
        if (receipt.life > end.life && !several) || after > IN_FLIGHT {
            verdict.found(Finding::AfterEnd, || {
                format!(
                    "{key}: {} was told (step {}, message {}, life {}) {} ms after its end was confirmed (life {})",
                    receipt.person,
                    receipt.step,
                    receipt.id,
                    receipt.life,
                    after / 1_000,
                    end.life
                )
            });
        } else if after > 0 {
            verdict.in_flight += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60 * SECOND;
    /// The trial's first instant.
    const T0: i64 = 1_795_230_000 * SECOND;

    fn at(s: i64, life: u32) -> Moment {
        Moment { clock: T0 + s * SECOND, real: s * SECOND, life }
    }

    fn page(id: &str, step: usize, s: i64, life: u32) -> Receipt {
        let person = ["p1", "p2", "p3"][step - 1];
        Receipt {
            id: id.into(),
            key: "a".into(),
            address: person.into(),
            person: person.into(),
            step,
            round: 1,
            late: false,
            sent: T0 + s * SECOND,
            began: s * SECOND,
            life,
        }
    }

    fn ledger() -> Ledger {
        let step = |person| Step { person, within: 5 * MINUTE };
        let mut ledger = Ledger::new(vec![step("p1"), step("p2"), step("p3")]);
        ledger.asks("a", at(0, 1));
        ledger.accepted("a", at(0, 1));
        ledger
    }

    fn logged() -> Logged {
        let ids = || ["m1", "m2", "m3"].map(String::from).into();
        Logged { delivered: ids(), in_doubt: HashMap::new(), ended: ["a".to_owned()].into() }
    }

    fn only(verdict: &Verdict, finding: Finding) {
        let found: Vec<_> = Finding::ALL.iter().filter(|(f, _)| verdict.count(*f) > 0).map(|(f, _)| *f).collect();
        assert_eq!(found, [finding], "{}", verdict.table());
        assert!(!verdict.is_clean());
    }

    #[test]
    fn a_page_that_runs_to_its_end_is_clean() {
        let mut ledger = ledger();
        for (id, step, s) in [("m1", 1, 0), ("m2", 2, 300), ("m3", 3, 601)] {
            ledger.received(page(id, step, s, 1));
        }
        let verdict = ledger.judge(T0 + 20 * MINUTE, &logged());
        assert!(verdict.is_clean(), "{}", verdict.table());
        assert_eq!((verdict.accepted, verdict.told, verdict.received), (1, 3, 3));
    }

    #[test]
    fn lost_is_seen_at_every_step_and_not_before_its_time() {
        let silent = ledger();
        assert!(silent.judge(T0 + 30 * SECOND, &logged()).is_clean(), "it is not due yet");
        assert_eq!(silent.judge(T0 + 20 * MINUTE, &logged()).count(Finding::Lost), 3);
        let mut halted = ledger();
        halted.received(page("m1", 1, 0, 1));
        halted.received(page("m2", 2, 300, 1));
        only(&halted.judge(T0 + 20 * MINUTE, &logged()), Finding::Lost);
    }

    #[test]
    fn what_ended_right_after_a_gap_owes_nothing_and_what_ended_long_after_it_does() {
        for (ended, clean) in [(920, true), (1_000, false)] {
            let mut ledger = ledger();
            ledger.received(page("m1", 1, 0, 1));
            ledger.begins(at(900, 2));
            ledger.asks_to_end("a", at(ended, 2));
            ledger.ended("a", at(ended, 2));
            let verdict = ledger.judge(T0 + 20 * MINUTE, &logged());
            assert_eq!(verdict.is_clean(), clean, "{}", verdict.table());
            assert_eq!(verdict.count(Finding::Lost) > 0, !clean);
        }
    }

    #[test]
    fn an_answer_that_was_cut_off_owes_nothing_and_allows_everything() {
        let mut ledger = Ledger::new(vec![Step { person: "p1", within: 5 * MINUTE }]);
        ledger.asks("a", at(0, 1));
        assert!(ledger.judge(T0 + 20 * MINUTE, &logged()).is_clean());
        assert_eq!(ledger.without_answer(), ["a"]);
        ledger.received(page("m1", 1, 0, 1));
        assert!(ledger.judge(T0 + 20 * MINUTE, &logged()).is_clean());
    }

    #[test]
    fn what_comes_back_comes_late_enough_and_to_whoever_is_left() {
        let back = |person: &str, s: i64| {
            let mut ledger = ledger();
            for (id, step, s) in [("m1", 1, 0), ("m2", 2, 300), ("m3", 3, 601)] {
                ledger.received(page(id, step, s, 1));
            }
            ledger.received(Receipt { round: 2, person: person.into(), address: person.into(), ..page("m1", 1, s, 2) });
            let mut logged = logged();
            logged.in_doubt.insert("m1".into(), 1);
            ledger.judge(T0 + 60 * MINUTE, &logged)
        };
        let fine = back("p3", 45 * 60);
        assert!(fine.is_clean(), "{}", fine.table());
        assert_eq!(fine.returned, 1);
        only(&back("p3", 44 * 60), Finding::Early);
        only(&back("p1", 45 * 60), Finding::WrongPerson);
    }

    #[test]
    fn duplicates_of_both_kinds() {
        let mut twice = ledger();
        twice.received(page("m1", 1, 0, 1));
        twice.received(page("m1", 1, 1, 1));
        only(&twice.judge(T0 + MINUTE, &logged()), Finding::Duplicate);
        let mut two_messages = ledger();
        two_messages.received(page("m1", 1, 0, 1));
        two_messages.received(page("m2", 1, 1, 2));
        only(&two_messages.judge(T0 + MINUTE, &logged()), Finding::Duplicate);
    }

    #[test]
    fn a_repeat_over_a_kill_is_allowed_if_the_log_calls_it_in_doubt() {
        let mut ledger = ledger();
        ledger.received(page("m1", 1, 0, 1));
        ledger.received(page("m1", 1, 2, 2));
        only(&ledger.judge(T0 + MINUTE, &logged()), Finding::Unlogged);
        let mut logged = logged();
        logged.in_doubt.insert("m1".into(), 1);
        let verdict = ledger.judge(T0 + MINUTE, &logged);
        assert!(verdict.is_clean(), "{}", verdict.table());
        assert_eq!(verdict.repeats, 1);
    }

    #[test]
    fn of_several_nodes_one_goes_on_with_what_another_had_under_way() {
        let house = |in_doubt: usize| {
            let mut ledger = ledger().of_several_nodes();
            ledger.received(page("m1", 1, 0, 1));
            ledger.received(page("m1", 1, 5, 1));
            let mut logged = logged();
            logged.in_doubt.insert("m1".into(), in_doubt);
            ledger.judge(T0 + MINUTE, &logged)
        };
        only(&house(0), Finding::Unlogged);
        assert!(house(1).is_clean(), "{}", house(1).table());
        let mut on_its_way = ledger().of_several_nodes();
        on_its_way.received(page("m1", 1, 0, 1));
        on_its_way.asks_to_end("a", at(10, 1));
        on_its_way.ended("a", at(11, 1));
        on_its_way.received(Receipt { began: 11 * SECOND + 1_000, sent: T0 + 300 * SECOND, ..page("m2", 2, 300, 2) });
        let verdict = on_its_way.judge(T0 + 20 * MINUTE, &logged());
        assert!(verdict.is_clean(), "what befell one node stops nothing that another has begun: {}", verdict.table());
        on_its_way.received(Receipt { began: 14 * SECOND, sent: T0 + 600 * SECOND, ..page("m3", 3, 600, 2) });
        only(&on_its_way.judge(T0 + 20 * MINUTE, &logged()), Finding::AfterEnd);
    }

    #[test]
    fn early_and_late() {
        let mut early = ledger();
        early.received(page("m1", 1, 0, 1));
        early.received(page("m2", 2, 297, 1));
        only(&early.judge(T0 + 5 * MINUTE, &logged()), Finding::Early);
        let mut late = ledger();
        late.received(page("m1", 1, 0, 1));
        late.received(page("m2", 2, 900, 2));
        only(&late.judge(T0 + 15 * MINUTE, &logged()), Finding::Late);
        let mut said = ledger();
        said.received(page("m1", 1, 0, 1));
        said.received(Receipt { late: true, ..page("m2", 2, 900, 2) });
        let verdict = said.judge(T0 + 15 * MINUTE, &logged());
        assert!(verdict.is_clean(), "{}", verdict.table());
        assert_eq!(verdict.late_said, 1);
    }

    #[test]
    fn the_wrong_person_and_the_unheard_of_alert() {
        let mut wrong = ledger();
        wrong.received(Receipt { person: "p2".into(), address: "p2".into(), ..page("m1", 1, 0, 1) });
        only(&wrong.judge(T0 + MINUTE, &logged()), Finding::WrongPerson);
        let mut stray = ledger();
        stray.received(Receipt { address: "p2".into(), ..page("m1", 1, 0, 1) });
        only(&stray.judge(T0 + MINUTE, &logged()), Finding::WrongPerson);
        let mut ghost = ledger();
        ghost.received(page("m1", 1, 0, 1));
        ghost.received(Receipt { key: "nobody sent this".into(), ..page("m2", 1, 0, 1) });
        only(&ghost.judge(T0 + MINUTE, &logged()), Finding::WrongPerson);
    }

    #[test]
    fn zombies_are_told_from_what_was_on_its_way() {
        let ended = || {
            let mut ledger = ledger();
            ledger.received(page("m1", 1, 0, 1));
            ledger.asks_to_end("a", at(10, 1));
            ledger.ended("a", at(11, 1));
            ledger
        };
        let quiet = ended().judge(T0 + 20 * MINUTE, &logged());
        assert!(quiet.is_clean(), "an ended alert owes no further step: {}", quiet.table());
        let mut zombie = ended();
        zombie.received(page("m2", 2, 300, 1));
        only(&zombie.judge(T0 + 20 * MINUTE, &logged()), Finding::AfterEnd);
        let mut reborn = ended();
        reborn.received(Receipt { began: 11 * SECOND + 1_000, life: 2, sent: T0 + 300 * SECOND, ..page("m2", 2, 300, 2) });
        only(&reborn.judge(T0 + 20 * MINUTE, &logged()), Finding::AfterEnd);
        let mut on_its_way = ended();
        on_its_way.received(Receipt { began: 11 * SECOND + 1_000, sent: T0 + 300 * SECOND, ..page("m2", 2, 300, 1) });
        let verdict = on_its_way.judge(T0 + 20 * MINUTE, &logged());
        assert!(verdict.is_clean(), "{}", verdict.table());
        assert_eq!(verdict.in_flight, 1);
    }

    #[test]
    fn what_is_not_in_the_log_is_found() {
        let mut ledger = ledger();
        ledger.received(page("m1", 1, 0, 1));
        let silent = Logged { ended: logged().ended, ..Logged::default() };
        only(&ledger.judge(T0 + MINUTE, &silent), Finding::Unlogged);
        ledger.asks_to_end("a", at(2, 1));
        ledger.ended("a", at(2, 1));
        let forgetful = Logged { ended: HashSet::new(), ..logged() };
        only(&ledger.judge(T0 + MINUTE, &forgetful), Finding::Unlogged);
        assert!(ledger.judge(T0 + MINUTE, &logged()).is_clean());
    }
}
