//! The command line: which commands there are ([`line`]), and one file a subject for what they do.

pub(crate) mod args;
pub(crate) mod asks;
pub(crate) mod audit;
pub(crate) mod briefing;
pub(crate) mod client;
pub(crate) mod coordination;
pub(crate) mod coordination_args;
pub(crate) mod drill;
pub(crate) mod find;
pub(crate) mod find_args;
pub(crate) mod incidents;
pub(crate) mod line;
mod obligations;
pub(crate) mod on_call;
pub(crate) mod on_call_args;
pub(crate) mod org;
mod partners;
pub(crate) mod plans;
pub(crate) mod record;
mod several;
pub mod shared_args;
pub(crate) mod store;
pub(crate) mod terminal;
