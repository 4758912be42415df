//! Nodes that hold messages, and when each was last heard of.
//!
//! On a store that nodes share, a claim is its node's for as long as the node is heard of. A node that holds nothing
//! writes nothing here.

use allclear_domain::ids::NodeId;
use jiff::Timestamp;

use super::{instant, text};
use crate::schema::NODE;
use crate::val::Write;

/// A node says that it is there.
#[must_use]
pub fn beat(node: NodeId, now: Timestamp) -> Write {
    Write::Upsert { table: &NODE, row: vec![text(node), instant(now)] }
}

/// A node that stops has nothing left.
#[must_use]
pub fn gone(node: NodeId) -> Write {
    Write::Exec { table: &NODE, sql: "delete from node where id = ?1", args: vec![text(node)], expect: None }
}

/// Nodes that were not heard of since are forgotten; what they had is taken over long before.
#[must_use]
pub fn forget_before(before: Timestamp) -> Write {
    Write::Exec { table: &NODE, sql: "delete from node where seen_at < ?1", args: vec![instant(before)], expect: None }
}
