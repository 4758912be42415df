//! The trial bench: the real binary under test, and a world around it that remembers.
//!
//! [`world::World`] starts `allclear serve` in a throw-away folder on a free port, with sinks that
//! record every webhook and mail it sends, and a socket that moves its clock. [`ledger`] decides,
//! from what the binary accepted, who had to be told, and [`kill_loop`] kills the binary again and
//! again while the ledger counts; [`nodes`] does worse to two of them on a PostgreSQL that fails over.
//!
//! Development only. It deliberately shares no code with the product beyond the throw-away
//! PostgreSQL server of the store's tests: what it knows of formats and rules it knows from their
//! descriptions, so that a mistake in the product is not repeated in its judge.

// The bench lives outside the product: it measures by the real clock, reads its settings from the
// environment, and its tasks end with the test.
#![allow(clippy::disallowed_methods)]

pub mod control;
mod crowd;
pub mod fake;
pub mod kill_loop;
pub mod ledger;
pub mod mail_sink;
pub mod nodes;
pub mod org;
pub mod program;
pub mod push_service;
pub mod skip;
pub mod slack;
pub mod slack_socket;
pub mod sms_vendors;
pub mod telephone;
pub mod webhook_sink;
pub mod world;

pub use control::Control;
pub use program::{Database, Program};
pub use push_service::{PushService, Pushed};
pub use slack::Slack;
pub use sms_vendors::SmsVendors;
pub use telephone::Telephone;
pub use webhook_sink::{Delivery, Reply, WebhookSink};
pub use world::{Setup, World};
