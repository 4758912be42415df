//! Each layer by itself over a range, whatever stands above it: the picture beneath the answer.
//!
//! It is never the answer: who is on call is the resolver's to say, and a turn that is drawn here may be covered by a layer above, by
//! an override or by a temporary schedule.

use jiff::Timestamp;

use super::CompiledSchedule;
use super::feed::FeedLayer;
use super::layer::CompiledLayer;
use super::shifts::EDGES_MAX;
use crate::org::model::Slug;

/// A layer over a range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lane {
    /// Its position, from 0; the last stands above all others.
    pub index: usize,
    /// Its name, where it has one.
    pub name: Option<String>,
    /// Its turns in the range, cut to it, in order. Neighbouring ones of one person are one.
    pub turns: Vec<Turn>,
    /// Until when it was looked at: the end of the range, or where there were more turns than asked for.
    pub until: Timestamp,
}

/// Somebody has the turn of a layer from `starts_at` until just before `ends_at`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// Whose.
    pub person: Slug,
    /// From, inclusive.
    pub starts_at: Timestamp,
    /// To, exclusive; later than `starts_at`.
    pub ends_at: Timestamp,
}

impl CompiledSchedule {
    /// Every layer by itself between two instants, the lowest first; of each at most so many turns.
    #[must_use]
    pub fn lanes(&self, from: Timestamp, to: Timestamp, turns_max: usize) -> Vec<Lane> {
        let layers = self.layers.iter().enumerate().map(|(index, layer)| self.lane(index, layer, from, to, turns_max));
        let feeds = self.feeds.iter().enumerate().map(|(at, feed)| lane_of(feed, self.layers.len() + at, from, to, turns_max));
        layers.chain(feeds).collect()
    }

    fn lane(&self, index: usize, layer: &CompiledLayer, from: Timestamp, to: Timestamp, turns_max: usize) -> Lane {
        let mut turns: Vec<Turn> = Vec::new();
        let mut at = from;
        for _ in 0..EDGES_MAX {
            if at >= to {
                break;
            }
            let next = layer.next_edge(&self.zone, at).filter(|edge| *edge > at).map_or(to, |edge| edge.min(to));
            if let Some(person) = layer.person_at(&self.zone, at) {
                let is_full = turns.len() >= turns_max;
                match turns.last_mut().filter(|last| last.ends_at == at && last.person == *person) {
                    Some(last) => last.ends_at = next,
                    None if is_full => break,
                    None => turns.push(Turn { person: person.clone(), starts_at: at, ends_at: next }),
                }
            }
            at = next;
        }
        Lane { index, name: layer.name.clone(), turns, until: at.min(to).max(from) }
    }
}

/// A calendar that others keep, as a lane above the layers: of several who are on at once each has a turn.
fn lane_of(feed: &FeedLayer, index: usize, from: Timestamp, to: Timestamp, turns_max: usize) -> Lane {
    let mut turns: Vec<Turn> = Vec::new();
    let mut at = from;
    for _ in 0..EDGES_MAX {
        if at >= to {
            break;
        }
        let next = feed.next_edge(at).filter(|edge| *edge > at).map_or(to, |edge| edge.min(to));
        let people = feed.people_at(at);
        if turns.len() + people.len() > turns_max {
            break;
        }
        for person in people {
            match turns.iter_mut().rev().find(|turn| turn.ends_at == at && turn.person == person) {
                Some(turn) => turn.ends_at = next,
                None => turns.push(Turn { person, starts_at: at, ends_at: next }),
            }
        }
        at = next;
    }
    Lane { index, name: Some(feed.name.clone()), turns, until: at.min(to).max(from) }
}
