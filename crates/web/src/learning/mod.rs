//! What is learned from incidents: reviews, corrective actions, trends.

pub(crate) mod actions;
pub(crate) mod reviews;
pub(crate) mod trends;
