//! What is wrong with an organisation, judged as a whole.
//!
//! Errors refuse it: something a page would rely on does not exist or cannot be read. Warnings
//! let it in and say who may not be reached. Every problem names its place and what would work.
//!
//! It knows no files and no network: lines are found by the reader of the text, and whether a
//! host may be reached is judged when something is sent.

mod caused;
mod reach;
#[cfg(test)]
mod tests;
pub mod text;

pub use self::caused::{check_change, value_at};
pub use super::forms::checker::{Against, REPEAT_MAX, Spoken, WITHIN_MAX};
pub use super::forms::integration::{KEY_LEN_MAX, KEY_LEN_MIN};

use super::forms::Bundle;
use super::forms::checker::Checker;
use super::problem::{Place, Problem};

/// Everything wrong with a bundle, in the order of the file, errors and warnings mixed: what each kind finds in its own
/// forms, then whether somebody would be reached.
#[must_use]
pub fn check(bundle: &Bundle, against: Against<'_>) -> Vec<Problem> {
    let mut checker = Checker::new(bundle, against);
    bundle.check_each(&mut checker);
    checker.reachability(against.now);
    checker.problems
}

fn root(list: &str, index: usize) -> Place {
    Place::root().key(list).index(index)
}
