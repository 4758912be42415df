//! What runs: the decider and its loop, the loop over due expectations, requests in portions, and other nodes.

pub(crate) mod decide_loop;
pub mod decider;
pub(crate) mod due_loop;
pub mod due_round;
pub(crate) mod peers;
pub mod portions;
pub(crate) mod space;
