//! The simulator: a whole world from one seed, on one thread, with a clock that is moved.
//!
//! The real decider, core, store and rules run; people, monitors, providers, crashes, failing
//! commits, suspended machines and changes of the organisation are made up from the seed.
//! [`oracle`] knows the log and what was accepted and says what must be true; [`checks`] compares
//! the store with that. A violated promise ends the run with its invariant's name and a trace.
//!
//! Where to look: [`drive`] (from the seed to the end), [`world`] (what there is: nodes, the agenda, crashes), [`outbox`]
//! (sending, as the engine's outbox does), [`actors`] (monitors and people), [`coordination`] (what people do beside
//! paging), [`work`] (what follows from it), [`follow`] (reading the log), [`orgs`] (organisations).
//!
//! What is held stands below what happens: [`monitor`], [`node`], [`oracle`] are the parts of a [`world::World`], and
//! each subject's `impl World` is in a file that none of them names.
//!
//! Deliberately not here: PostgreSQL, sockets, the engine's own loops and the bytes of messages.
//! Those have tests of their own; here the decisions and their crash points are searched.

pub mod actors;
mod alarms;
pub mod attendance;
mod checks;
pub mod coordination;
pub mod drive;
mod follow;
mod many;
pub mod monitor;
pub mod node;
pub mod oracle;
pub mod orgs;
pub mod outbox;
pub mod partners;
pub mod ports;
pub mod resources;
mod second_thoughts;
mod several;
pub mod sometimes;
pub mod surroundings;
pub mod work;
pub mod world;

pub use drive::{run, run_twice};
pub use world::{Failure, Report};
