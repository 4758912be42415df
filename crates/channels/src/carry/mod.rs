//! The only I/O of the ways out: HTTP, SMTP, and connections that stay open (WebSocket), behind the guard against private addresses.

pub mod deadlines;
mod fetch;
pub mod guard;
pub mod http;
pub mod ranges;
pub mod smtp;
pub mod socket;
