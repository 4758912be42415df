//! What whoever runs the program is told outside of it when paging itself is impaired, and when.
//!
//! A burst of troubles goes as one alarm; the same trouble is told again no sooner than [`AGAIN_AFTER`]; when what
//! was told is over, one alarm says so. All addresses are tried, each by itself. Nothing here uses outbox, decider or
//! store: they may be what stands still. Deliberately not durable: a restart finds out anew what is wrong.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::ports::OperatorAlarm;
use crate::watch::trouble::{Alarm, Present, Trouble};

/// How long more of a burst is waited for: short beside the promised minute.
pub const GATHER_FOR: Duration = Duration::from_secs(5);
/// The same trouble is told no more often than this.
pub const AGAIN_AFTER: Duration = Duration::from_secs(30 * 60);
/// A trouble is over when it has not been there for so long; what comes and goes is not told each time.
pub const OVER_AFTER: Duration = Duration::from_secs(60);
/// Troubles that one alarm names; of more it says how many.
pub const NAMED_MAX: usize = 20;
/// Pauses between the tries of one alarm to one address; after the last it is given up, and the log says so.
const PAUSES: [Duration; 3] = [Duration::from_secs(10), Duration::from_secs(60), Duration::from_secs(240)];

/// What was told when.
#[derive(Debug, Default)]
pub struct Telling {
    told: BTreeMap<Trouble, Alarmed>,
    /// Since when something waits to be told.
    gathers: Option<Duration>,
}

#[derive(Debug)]
struct Alarmed {
    at: Duration,
    what: Present,
    gone: Option<Duration>,
    over_told: bool,
}

impl Telling {
    /// What is to be told at `watched`, a time since the start by a clock that nobody sets; `at` is written in it.
    pub fn due(&mut self, present: &[Present], watched: Duration, at: Timestamp) -> Option<Alarm> {
        let mut over = Vec::new();
        self.told.retain(|trouble, told| {
            let there = present.iter().any(|p| p.trouble == *trouble);
            told.gone = if there { None } else { told.gone.or(Some(watched)) };
            if told.gone.is_some_and(|gone| watched >= gone + OVER_AFTER) && !told.over_told {
                told.over_told = true;
                over.push(told.what.clone());
            }
            // Kept until it may be told again, so that one that comes and goes is not told each time.
            there || !told.over_told || watched < told.at + AGAIN_AFTER
        });
        let fresh = |p: &&Present| self.told.get(&p.trouble).is_none_or(|told| watched >= told.at + AGAIN_AFTER);
        let wanted: Vec<&Present> = present.iter().filter(fresh).collect();
        let gathered = if wanted.is_empty() { None } else { Some(*self.gathers.get_or_insert(watched)) };
        self.gathers = gathered;
        let impaired: Vec<Present> = match gathered {
            Some(since) if watched >= since + GATHER_FOR => wanted.into_iter().cloned().collect(),
            Some(_) | None => Vec::new(),
        };
        if impaired.is_empty() && over.is_empty() {
            return None;
        }
        for what in &impaired {
            self.told.insert(what.trouble.clone(), Alarmed { at: watched, what: what.clone(), gone: None, over_told: false });
        }
        if !impaired.is_empty() {
            self.gathers = None;
        }
        let named = impaired.len().min(NAMED_MAX);
        Some(Alarm { at, more: present.len().saturating_sub(named), impaired: impaired.into_iter().take(NAMED_MAX).collect(), over })
    }
}

/// Tells all addresses, each by itself, and tries again where that fails; `count` hears of each whether it was told.
pub(crate) async fn tell(operators: Arc<dyn OperatorAlarm>, alarm: Alarm, count: impl Fn(bool)) {
    let tells = operators.addresses().into_iter().enumerate().map(|(at, address)| {
        let (operators, alarm, count) = (&operators, &alarm, &count);
        async move {
            count(tell_one(operators.as_ref(), at, &address, alarm).await);
        }
    });
    futures_util::future::join_all(tells).await;
}

async fn tell_one(operators: &dyn OperatorAlarm, at: usize, address: &str, alarm: &Alarm) -> bool {
    for pause in PAUSES.into_iter().map(Some).chain([None]) {
        match operators.tell(at, alarm).await {
            Ok(()) => return true,
            Err(why) => match pause {
                Some(pause) => {
                    tracing::warn!(address, %why, "an alarm to operators did not arrive; it is tried again");
                    tokio::time::sleep(pause).await;
                }
                None => tracing::error!(address, %why, "an alarm to operators did not arrive and is given up"),
            },
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watch::trouble::Stage;

    fn at(second: u64) -> Duration {
        Duration::from_secs(second)
    }
    fn present(trouble: Trouble) -> Present {
        Present { trouble, detail: "why".into(), since: Timestamp::UNIX_EPOCH }
    }
    /// What is told at each of these seconds: what is impaired, how much more is, and what is over.
    type Said = (u64, Vec<Trouble>, usize, Vec<Trouble>);
    fn said(telling: &mut Telling, seconds: std::ops::Range<u64>, there: impl Fn(u64) -> Vec<Trouble>) -> Vec<Said> {
        let names = |all: Vec<Present>| all.into_iter().map(|p| p.trouble).collect::<Vec<_>>();
        seconds
            .step_by(5)
            .filter_map(|second| {
                let there: Vec<Present> = there(second).into_iter().map(present).collect();
                let alarm = telling.due(&there, at(second), Timestamp::UNIX_EPOCH)?;
                Some((second, names(alarm.impaired), alarm.more, names(alarm.over)))
            })
            .collect()
    }
    const LATE: Trouble = Trouble::LooksLate;
    const STILL: Trouble = Trouble::StageStill(Stage::Send);

    #[test]
    fn a_burst_is_one_alarm_and_its_end_is_one() {
        let there = |second| match second {
            0..5 => vec![],
            5..10 => vec![LATE],
            10..300 => vec![STILL, LATE],
            _ => vec![],
        };
        let all = said(&mut Telling::default(), 0..7_200, there);
        assert_eq!(all, [(10, vec![STILL, LATE], 0, vec![]), (360, vec![], 0, vec![STILL, LATE])]);
    }

    #[test]
    fn what_stays_is_told_every_half_hour_and_what_comes_and_goes_no_more_often() {
        let stays = said(&mut Telling::default(), 0..4_000, |_| vec![LATE]);
        assert_eq!(stays.iter().map(|s| s.0).collect::<Vec<_>>(), [5, 1_810, 3_615]);
        let flaps = said(&mut Telling::default(), 0..3_600, |second| if second % 200 < 100 { vec![LATE] } else { vec![] });
        let told: Vec<u64> = flaps.iter().filter(|s| !s.1.is_empty()).map(|s| s.0).collect();
        assert!(told.len() <= 2 && told.windows(2).all(|w| w[1] - w[0] >= 1_800), "{told:?}");
        let over = flaps.iter().filter(|s| !s.3.is_empty()).count();
        assert_eq!(over, told.len(), "one end for each: {flaps:?}");
    }

    #[test]
    fn a_second_trouble_is_told_without_repeating_the_first() {
        let all = said(&mut Telling::default(), 0..100, |second| if second < 50 { vec![LATE] } else { vec![LATE, STILL] });
        assert_eq!(all, [(5, vec![LATE], 0, vec![]), (55, vec![STILL], 1, vec![])]);
    }

    #[test]
    fn a_thousand_exhausted_pages_are_one_alarm_that_says_how_many() {
        let there: Vec<Trouble> = (0..1_000).map(|n| Trouble::PageExhausted(format!("INC-{n:04}"))).collect();
        let all = said(&mut Telling::default(), 0..100, |_| there.clone());
        assert_eq!((all.len(), all[0].1.len(), all[0].2), (1, NAMED_MAX, 980));
    }
}
