//! Which of its parts comes first: whoever commands an incident puts those below it in an order, and each of them says so.
//!
//! The order stands with the parent, as a list, so that places are always 1 to the last without gaps and without two at one place.
//! A part that comes is in no place until somebody gives it one; what ends or is no part any more leaves its place to the next. A
//! part is told its place in the same commit, so that both logs have it.
//!
//! Not here: who may say so, and what is told to the parts (`engine::core::ordering`).

use serde::{Deserialize, Serialize};

use crate::ask::{self, Ask, Asked, Came, Field, Kind, May, Program, REASON};
use crate::event::event_kinds;
use crate::ids::IncidentId;
use crate::incident::lifecycle::{Verb, fits};
use crate::incident::related::Relation;
use crate::incident::words;
use crate::incident::{Decision, Incident, nothing, one};
use crate::names::{Names, with_text};

event_kinds! {
    /// A fact; past tense.
    Event {
        Ordered(Ordered) = "part_ordered" [Key],
        Ranked(Ranked) = "rank_changed",
    }
}

/// Body of `part_ordered`, of the parent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ordered {
    /// The part.
    pub incident: IncidentId,
    #[serde(rename = "ref")]
    pub reference: String,
    /// Its place from 1 on; absent where it has none any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rank: Option<u32>,
    /// How many have a place then.
    pub of: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Whether it follows from the end of the part, and nobody said so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ended: bool,
}

/// Body of `rank_changed`, of the part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ranked {
    /// The parent.
    pub incident: IncidentId,
    #[serde(rename = "ref")]
    pub reference: String,
    /// Its place now; absent where it has none any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rank: Option<u32>,
    /// How many have a place then.
    pub of: u32,
    /// Its place before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub was: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// A command; imperative.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// A part gets this place, or none. `ended`: it is over, and nobody has to say so.
    Order { part: IncidentId, reference: String, rank: Option<u32>, why: Option<String>, ended: bool },
    /// Its parent says which place it has.
    Rank { parent: IncidentId, reference: String, rank: Option<u32>, of: u32, why: Option<String> },
}

impl Command {
    /// Whether people ask for it as it is: the engine holds a place against both incidents first.
    pub(in crate::incident) const fn is_asked(&self) -> bool {
        match self {
            Self::Order { .. } | Self::Rank { .. } => false,
        }
    }
}

/// Why not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("{reference} is no part of this incident: relate it as a child first, and order it then")]
    NotAPart { reference: String },
    #[error("{reference} is over, and has no place among what is open: give another part this place")]
    PartIsOver { reference: String },
    #[error("places go from 1 to {max} without gaps: give one of these")]
    OutOfRange { max: usize },
    #[error(
        "{commander} commands {reference}, and this is theirs to say: ask them; a manager of the team or an administrator says it with a reason"
    )]
    NotItsCommander { commander: String, reference: String },
}

impl Refusal {
    /// The stable code of the API.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotAPart { .. } => "not_a_part",
            Self::PartIsOver { .. } => "part_is_over",
            Self::OutOfRange { .. } => "rank_out_of_range",
            Self::NotItsCommander { .. } => "not_its_commander",
        }
    }
}

/// What people may ask.
pub(crate) const ASKS: &[Ask] = &[Ask {
    verb: Verb::Order,
    label: "Set the order of its parts",
    says: "Says which of its parts comes first: a child of it and its place",
    press: "Set it",
    body: "OrderBody",
    programs: &[
        Program::of("order").says("Gives a part of it a place, from 1 on").places(&["part", "rank"]),
        Program::of("unorder").says("A part of it has no place any more").places(&["part"]).gives(&[("state", "unordered")]),
    ],
    may: May::Responder,
    fields: &[
        Field::needed("part", "the part", "The part", Kind::Incident).hint("Which child of it: INC-142, or the id"),
        Field::may("rank", "its place", "Its place", Kind::Number { of: "a place" })
            .hint("1 comes first; those from there on move down by one"),
        Field::may("state", "that it has no place", "It has no place any more", Kind::Choice { name: "OrderEnd", of: &["unordered"] })
            .hint("`unordered` where it has no place any more"),
        REASON.or_not().hint("Why; managers and administrators who do not command it give one"),
    ],
    ways: &[&["part", "rank", "why"], &["part", "state", "why"]],
    make: |given, _| {
        let (part, why) = (given.must("part"), given.text("why"));
        match (given.number("rank"), given.has("state")) {
            (Some(rank), false) => Ok(Asked::Order { part, rank: Some(rank), why }),
            (None, true) => Ok(Asked::Order { part, rank: None, why }),
            _ => Err(ask::Refusal::Together("give `rank`, its place from 1 on, or `state`: `unordered` where it has none".into())),
        }
    },
    came: Came::Itself,
}];

/// The place of a part, where it has one.
#[must_use]
pub fn rank_of(parent: &Incident, part: IncidentId) -> Option<u32> {
    place(parent.work.order.iter().position(|one| *one == part)?)
}

/// How many parts have a place.
#[must_use]
pub fn ranked(parent: &Incident) -> u32 {
    u32::try_from(parent.work.order.len()).unwrap_or(u32::MAX)
}

/// As people count.
fn place(index: usize) -> Option<u32> {
    u32::try_from(index).ok()?.checked_add(1)
}

pub(in crate::incident) fn decide(incident: &Incident, command: Command) -> Decision {
    match command {
        Command::Order { part, reference, rank, why, ended } => {
            if !ended {
                fits(incident, Verb::Order)?;
            }
            let why = words::kept(why)?;
            if !incident.work.relations.iter().any(|one| one.incident == part && one.is == Relation::Child) {
                return Err(Refusal::NotAPart { reference }.into());
            }
            let others = incident.work.order.iter().filter(|one| **one != part).count();
            let is_place = |rank: u32| usize::try_from(rank).is_ok_and(|rank| (1..=others + 1).contains(&rank));
            if rank.is_some_and(|rank| !is_place(rank)) {
                return Err(Refusal::OutOfRange { max: others + 1 }.into());
            }
            if rank_of(incident, part) == rank {
                return nothing();
            }
            let of = u32::try_from(others + usize::from(rank.is_some())).unwrap_or(u32::MAX);
            one(Event::Ordered(Ordered { incident: part, reference, rank, of, why, ended }))
        }
        Command::Rank { parent, reference, rank, of, why } => {
            let Some(known) = incident.work.parent().filter(|known| known.incident == parent) else { return nothing() };
            // What is over has no place, and its log says nothing more of it.
            if known.rank == rank || !incident.state.is_open() {
                return nothing();
            }
            one(Event::Ranked(Ranked { incident: parent, reference, rank, of, was: known.rank, why }))
        }
    }
}

pub(in crate::incident) fn evolve(incident: &mut Incident, event: &Event) {
    match event {
        Event::Ordered(body) => {
            let order = &mut incident.work.order;
            order.retain(|one| *one != body.incident);
            if let Some(rank) = body.rank {
                let index = usize::try_from(rank.saturating_sub(1)).unwrap_or(usize::MAX).min(order.len());
                order.insert(index, body.incident);
            }
        }
        Event::Ranked(body) => {
            for parent in incident.work.relations.iter_mut().filter(|one| one.incident == body.incident && one.is == Relation::Parent) {
                parent.rank = body.rank;
            }
        }
    }
}

/// What is over orders nothing, and has no place.
pub(in crate::incident) fn end(incident: &mut Incident) {
    incident.work.order.clear();
    for one in &mut incident.work.relations {
        one.rank = None;
    }
}

pub(in crate::incident) fn line(event: &Event, names: &Names<'_>) -> String {
    match event {
        Event::Ordered(body) => {
            let line = match (body.rank, body.ended) {
                (Some(rank), _) => format!("{}: {} comes at place {rank} of {}", names.who(), body.reference, body.of),
                (None, true) => format!("{} has no place among the parts any more", body.reference),
                (None, false) => format!("{}: {} has no place among the parts any more", names.who(), body.reference),
            };
            with_text(line, body.why.as_deref())
        }
        Event::Ranked(body) => {
            let was = body.was.map_or_else(String::new, |was| format!(" (it was {was})"));
            let line = match body.rank {
                Some(rank) => format!("This is {rank} of {} under {}{was}", body.of, body.reference),
                None => format!("This has no place under {} any more{was}", body.reference),
            };
            with_text(line, body.why.as_deref())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::Sample;
    use super::*;
    use crate::incident::{ending, relations};

    fn part(n: u128) -> IncidentId {
        IncidentId::from_bits(n)
    }

    fn tied(n: u128, is: Relation) -> relations::Command {
        let moved = relations::Moved::default();
        relations::Command::Tie(relations::Tied {
            incident: part(n),
            reference: format!("INC-{n}"),
            is,
            followed: false,
            agreed: false,
            agreed_by: None,
            why: None,
            moved,
        })
    }

    fn order(n: u128, rank: Option<u32>) -> Command {
        Command::Order { part: part(n), reference: format!("INC-{n}"), rank, why: None, ended: false }
    }

    fn ranks(sample: &Sample) -> Vec<Option<u32>> {
        (2..=5).map(|n| rank_of(&sample.incident, part(n))).collect()
    }

    #[test]
    fn places_have_no_gaps_and_nobody_shares_one() {
        let mut sample = Sample::declared();
        for n in 2..=5 {
            sample.run(tied(n, Relation::Child)).unwrap();
        }
        assert_eq!(sample.refusal(order(9, Some(1))), "not_a_part");
        assert_eq!(sample.refusal(order(2, Some(0))), "rank_out_of_range");
        assert_eq!(sample.refusal(order(2, Some(2))), "rank_out_of_range", "nobody is first yet");
        for (n, rank) in [(2, 1), (3, 1), (4, 2)] {
            sample.run(order(n, Some(rank))).unwrap();
        }
        assert_eq!(ranks(&sample), [Some(3), Some(1), Some(2), None], "who comes between moves the others down");
        assert_eq!(sample.run(order(4, Some(2))).unwrap().events, [], "it is there");
        assert_eq!(sample.refusal(order(4, Some(4))), "rank_out_of_range", "itself is not counted twice");
        sample.run(order(3, None)).unwrap();
        assert_eq!(ranks(&sample), [Some(2), None, Some(1), None]);
        assert_eq!(sample.run(order(3, None)).unwrap().events, []);
        sample.run(relations::Command::Untie { from: part(4), why: None }).unwrap();
        assert_eq!(ranks(&sample), [Some(1), None, None, None], "what is no part has no place");
        let sample = sample.after(ending::Command::Resolve { note: None, waive: None });
        assert_eq!(ranks(&sample), [None; 4], "what is over orders nothing");
    }

    #[test]
    fn a_part_knows_its_place_while_it_is_open() {
        let rank = |rank| Command::Rank { parent: part(7), reference: "INC-7".into(), rank, of: 3, why: None };
        let mut sample = Sample::declared();
        assert_eq!(sample.run(rank(Some(1))).unwrap().events, [], "that is no parent of it");
        sample.run(tied(7, Relation::Parent)).unwrap();
        assert_eq!(sample.run(rank(Some(2))).unwrap().kinds(), ["rank_changed"]);
        assert_eq!(sample.run(rank(Some(2))).unwrap().events, [], "it is said");
        assert_eq!(sample.incident.work.parent().unwrap().rank, Some(2));
        let mut sample = sample.after(ending::Command::Resolve { note: None, waive: None });
        assert_eq!(sample.incident.work.parent().unwrap().rank, None);
        assert_eq!(sample.run(rank(Some(1))).unwrap().events, [], "it is over");
    }
}
