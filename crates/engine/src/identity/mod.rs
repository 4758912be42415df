//! Who asks and how that is known: tokens, sessions, passwords, devices, and sealed secrets.

pub mod cookies;
pub mod password;
pub mod seal;
pub mod sessions;
pub(crate) mod sign_in;
pub(crate) mod throttle;
pub mod tokens;
pub(crate) mod visitor;
pub(crate) mod ways_in;
