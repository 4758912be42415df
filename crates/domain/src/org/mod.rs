//! The organisation: forms as written, checked as a whole, and the snapshot that decisions walk.

pub mod model;
