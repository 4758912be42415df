//! Where each value of a text stands, found in a second pass that keeps no values.
//!
//! JSON is read by the YAML scanner, of which it is a subset; where that fails, places have no
//! lines, and everything else works.

use std::collections::HashMap;

use allclear_domain::org::problem::{PathPart, Place};
use serde_saphyr::granit_parser::{Event, Parser};

/// Deepest nesting that is followed: the forms need eight, and the way to a value grows with it.
const DEPTH_MAX: usize = 32;

/// Lines and columns of the values of one file, from 1.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lines {
    at: HashMap<Place, (u32, u32)>,
}

/// A collection that is open while events are read.
pub(crate) enum Open {
    /// A list, and the index of its next entry.
    List(Place, usize),
    /// An object, and its key whose value comes next; none where a key comes next.
    Object(Place, Option<String>),
    /// Something below a key that is no text: not followed.
    Unnamed,
}

impl Lines {
    pub(crate) fn insert(&mut self, place: Place, line: u32, column: u32) {
        self.at.insert(place, (line, column));
    }

    /// The line of the value, or of what it is missing from.
    pub(crate) fn line_of(&self, place: &Place) -> Option<u32> {
        let parts = place.parts();
        (0..=parts.len()).rev().find_map(|length| {
            let outer = parts[..length].iter().fold(Place::root(), |place, part| match part {
                PathPart::Key(key) => place.key(key),
                PathPart::Index(index) => place.index(*index),
            });
            self.at.get(&outer).map(|(line, _)| *line)
        })
    }

    /// The last value that begins at or before this point on the line, innermost first.
    pub(crate) fn place_at(&self, line: u32, column: u32) -> Option<&Place> {
        self.at
            .iter()
            .filter(|(_, (l, c))| *l == line && *c <= column)
            .max_by_key(|(place, (_, c))| (*c, place.parts().len()))
            .map(|(place, _)| place)
    }

    /// Values below a place that stand on some line, in no order.
    pub(crate) fn below<'a>(&'a self, outer: &'a Place) -> impl Iterator<Item = (&'a Place, u32)> {
        self.at.iter().filter(|(place, _)| place.parts().starts_with(outer.parts())).map(|(place, (line, _))| (place, *line))
    }

    /// Of YAML or JSON; what is read until the first fault. The text was bounded and parsed
    /// before, and aliases are not followed, so this takes time in proportion to its length.
    pub(crate) fn of_yaml(text: &str) -> Self {
        let mut out = Self::default();
        let mut open: Vec<Open> = Vec::new();
        for event in Parser::new_from_str(text) {
            let Ok((event, span)) = event else { break };
            if open.len() > DEPTH_MAX {
                break;
            }
            let position = (u32::try_from(span.start.line()).unwrap_or(u32::MAX), u32::try_from(span.start.col() + 1).unwrap_or(u32::MAX));
            #[allow(clippy::wildcard_enum_match_arm)] // the reader's, not ours: whatever else it meets is no value
            match event {
                Event::SequenceEnd | Event::MappingEnd => {
                    open.pop();
                }
                Event::Scalar(value, ..) => {
                    if let Some(place) = out.value(&mut open, Some(&value), position) {
                        out.at.insert(place, position);
                    }
                }
                Event::Alias(_) => {
                    if let Some(place) = out.value(&mut open, None, position) {
                        out.at.insert(place, position);
                    }
                }
                Event::SequenceStart(..) | Event::MappingStart(..) => {
                    let is_list = matches!(event, Event::SequenceStart(..));
                    let place = out.value(&mut open, None, position);
                    if let Some(place) = &place {
                        // An object under a key is where its key stands, which was noted then.
                        out.at.entry(place.clone()).or_insert(position);
                    }
                    open.push(match place {
                        None => Open::Unnamed,
                        Some(place) if is_list => Open::List(place, 0),
                        Some(place) => Open::Object(place, None),
                    });
                }
                _ => {}
            }
        }
        out
    }

    /// The place of a value that begins now; none where it is a key.
    pub(crate) fn value(&mut self, open: &mut [Open], text: Option<&str>, position: (u32, u32)) -> Option<Place> {
        match open.last_mut() {
            None => Some(Place::root()),
            Some(Open::Unnamed) => None,
            Some(Open::List(place, next)) => {
                let at = *next;
                *next += 1;
                Some(place.index(at))
            }
            Some(Open::Object(place, key)) => match key.take() {
                Some(key) => Some(place.key(&key)),
                None => {
                    let name = text.unwrap_or("?");
                    self.at.insert(place.key(name), position);
                    *key = Some(name.to_owned());
                    None
                }
            },
        }
    }
}
