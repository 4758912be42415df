//! The table of what may be asked: the rows that stand beside the parts of an incident.

use super::Ask;
use crate::incident::lifecycle::Verb;
use crate::incident::{
    access, affected, answers, assessment, attendance, clocks, decisions, declaration, ending, hypotheses, links, moves, obligations,
    ordering, parties, plans, record, recovery, relations, reports, resources, responders, roles, sharing, tasks, transfers, updates,
};

/// The rows of all parts.
const PARTS: [&[Ask]; 27] = [
    declaration::ASKS,
    affected::ASKS,
    answers::ASKS,
    assessment::ASKS,
    attendance::ASKS,
    ending::ASKS,
    roles::ASKS,
    tasks::ASKS,
    plans::ASKS,
    recovery::ASKS,
    reports::ASKS,
    updates::ASKS,
    record::ASKS,
    decisions::ASKS,
    hypotheses::ASKS,
    links::ASKS,
    relations::ASKS,
    ordering::ASKS,
    moves::ASKS,
    transfers::ASKS,
    clocks::ASKS,
    parties::ASKS,
    obligations::ASKS,
    resources::ASKS,
    responders::ASKS,
    sharing::ASKS,
    access::ASKS,
];

/// Every row, in the order of the parts.
pub fn all() -> impl Iterator<Item = &'static Ask> {
    PARTS.into_iter().flatten()
}

/// The row of a verb; none where nobody asks for it.
#[must_use]
pub fn of(verb: Verb) -> Option<&'static Ask> {
    all().find(|ask| ask.verb == verb)
}

/// The row of the verb with this word.
#[must_use]
pub fn named(word: &str) -> Option<&'static Ask> {
    all().find(|ask| ask.verb.word() == word)
}

/// All of it in one sentence, for the API's description.
#[must_use]
pub fn in_short() -> String {
    all().map(|ask| format!("{} {}", ask.verb.word(), ask.fields_in_short())).collect::<Vec<_>>().join(" · ")
}
