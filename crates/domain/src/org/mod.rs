//! The organisation: forms as written, checked as a whole, and the snapshot that decisions walk.
//!
//! [`forms`] are its kinds, one file each ([`model`] has their names), [`check`] says what is wrong with it, [`diff`] what applying it
//! would change, [`export`] how it is written out again, and [`snapshot`] is the immutable,
//! indexed form of it that every decision reads. Reading text is the engine's business.

pub mod away;
pub mod check;
pub mod cost;
pub mod cover;
pub mod diff;
pub mod export;
pub mod feed;
pub mod forms;
pub mod handover;
pub mod load;
pub mod matrix;
pub mod model;
pub mod next_step;
pub mod preview;
pub mod problem;
pub mod readiness;
pub mod roles;
pub mod shift_notices;
pub mod shipped;
pub mod snapshot;
pub mod suggest;
pub mod timetable;
pub mod words;
