//! Whose turn it is, where a step pages one of many: who had no turn for the longest time. So everybody has one before
//! anybody has two, whoever comes, leaves or is away meanwhile.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::event::Event;

/// People of one step who are remembered: as many as a step pages. Who had their turn before so many others is as good as
/// somebody who had none.
pub const TURNS_KEPT_MAX: usize = 200;

/// Who had their turns in the steps of one policy: by the step, from 1, whoever had theirs last at the end.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Turns(BTreeMap<u32, Vec<String>>);

/// Nobody had a turn yet.
pub static NO_TURNS: Turns = Turns(BTreeMap::new());

impl Turns {
    /// Somebody has their turn in a step.
    pub fn take(&mut self, step: u32, person: &str) {
        let had = self.0.entry(step).or_default();
        had.retain(|other| other != person);
        had.push(person.to_owned());
        let many = had.len();
        had.drain(..many.saturating_sub(TURNS_KEPT_MAX));
    }

    /// The same, as an event of a page says it; nothing where it says nothing of turns.
    pub fn taken(&mut self, event: &Event) {
        if let Event::StepReached(body) = event
            && let (Some(step), Some(one)) = (body.turn, body.people.first())
        {
            self.take(step, &one.person);
        }
    }

    /// Who had the last turn in a step.
    #[must_use]
    pub fn last(&self, step: u32) -> Option<&str> {
        self.0.get(&step)?.last().map(String::as_str)
    }

    /// How long ago somebody had a turn in a step: the least of whoever had none, and of the others of who had it first.
    #[must_use]
    pub fn place(&self, step: u32, person: &str) -> usize {
        self.0.get(&step).and_then(|had| had.iter().position(|other| other == person)).map_or(0, |at| at + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The next of these, as a step chooses it.
    fn next<'a>(turns: &mut Turns, people: &[&'a str]) -> &'a str {
        let who = *people.iter().min_by_key(|who| turns.place(1, who)).unwrap();
        turns.take(1, who);
        who
    }

    #[test]
    fn everybody_has_a_turn_before_anybody_has_two() {
        let mut turns = Turns::default();
        let all = ["ana", "ben", "cho"];
        let first: Vec<&str> = (0..6).map(|_| next(&mut turns, &all)).collect();
        assert_eq!(first, ["ana", "ben", "cho", "ana", "ben", "cho"]);
        // Ben is away for a while, and has the next turn when he is back.
        let without: Vec<&str> = (0..3).map(|_| next(&mut turns, &["ana", "cho"])).collect();
        assert_eq!(without, ["ana", "cho", "ana"]);
        assert_eq!((next(&mut turns, &all), next(&mut turns, &all)), ("ben", "cho"));
        // Who is new has had none.
        assert_eq!(next(&mut turns, &["ana", "ben", "cho", "dan"]), "dan");
        assert_eq!(turns.last(1), Some("dan"));
        assert_eq!(turns.last(2), None);
        // The only one who is left.
        assert_eq!(next(&mut turns, &["dan"]), "dan");
    }

    #[test]
    fn what_is_remembered_is_bounded_and_reads_back() {
        let mut turns = Turns::default();
        for n in 0..TURNS_KEPT_MAX + 5 {
            turns.take(3, &format!("p{n}"));
        }
        assert_eq!((turns.place(3, "p0"), turns.place(3, "p5"), turns.place(3, "p204")), (0, 1, TURNS_KEPT_MAX));
        let text = serde_json::to_string(&turns).unwrap();
        assert_eq!(serde_json::from_str::<Turns>(&text).unwrap(), turns);
    }
}
