//! engine

pub mod orgfile;
