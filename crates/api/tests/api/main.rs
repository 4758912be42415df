//! The API as its clients meet it, in-process.

#![allow(clippy::unwrap_used)] // a test that panics has failed

mod amtool;
mod batches;
mod control;
mod intake;
mod spec;
mod world;
