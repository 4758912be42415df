//! The API as its clients meet it, in-process.

mod control;
mod intake;
mod spec;
mod world;
