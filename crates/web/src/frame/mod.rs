//! What every page stands in: the document, the frame around pages, small pieces, times, and what is shown where there
//! is no page.

pub(crate) mod alarm_words;
pub(crate) mod assets;
pub(crate) mod document;
pub(crate) mod markdown;
pub(crate) mod packing;
pub(crate) mod pieces;
pub(crate) mod push;
pub(crate) mod refused;
pub(crate) mod shell;
pub(crate) mod shifts_chart;
pub(crate) mod strips;
pub(crate) mod time_text;
