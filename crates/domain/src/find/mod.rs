//! What is found by words: how a text is cut into words ([`words`]), what somebody looks for ([`query`]), what a stored event
//! says in words ([`said`]), the piece of it that is shown ([`snippet`]), and what is kept
//! under a name ([`saved`]).
//!
//! One cutter for texts and for what is looked for, and for both databases: an index holds its words, and a reader's hits are
//! held against the text itself by [`Query::finds`], which is the whole rule. Deliberately not here: who may see what is found,
//! which is [`crate::access`]'s.

pub mod query;
pub mod said;
pub mod saved;
pub mod snippet;
pub mod words;

pub use query::{BadQuery, Query, Term};
pub use said::{Said, Shelf, Thing, said};
pub use snippet::{Piece, snippet};
pub use words::{Cut, Token, cut};
