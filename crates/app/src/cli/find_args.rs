//! What `search` takes.

use allclear_domain::find::Thing;
use allclear_domain::incident::Severity;
use clap::Args;
use jiff::Timestamp;

use crate::cli::shared_args::{Form, Remote};

#[derive(Debug, Args)]
pub struct Search {
    /// Words that all have to be there; "quoted ones" word after word, or a reference as INC-142
    #[arg(required = true, value_name = "WORDS")]
    pub words: Vec<String>,
    /// Only this kind, as in note, decision, task, review, alert, person
    #[arg(long, value_parser = kind)]
    pub kind: Option<Thing>,
    /// Only of incidents that are open
    #[arg(long, conflicts_with = "state")]
    pub open: bool,
    /// Only of incidents in this state, as in declared or resolved
    #[arg(long)]
    pub state: Option<String>,
    /// Only of incidents of this severity
    #[arg(long)]
    pub severity: Option<Severity>,
    /// Only of incidents of this service
    #[arg(long, value_name = "ID")]
    pub service: Option<String>,
    /// Only what was written at this instant or later
    #[arg(long, value_name = "INSTANT")]
    pub from: Option<Timestamp>,
    /// Only what was written before this instant
    #[arg(long, value_name = "INSTANT")]
    pub to: Option<Timestamp>,
    /// Exercises and test pages as well
    #[arg(long)]
    pub exercises: bool,
    /// How many at most
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=200))]
    pub limit: u32,
    /// Where the page before ended
    #[arg(long, value_name = "NEXT")]
    pub cursor: Option<String>,
    #[command(flatten)]
    pub remote: Remote,
    #[command(flatten)]
    pub form: Form,
}

fn kind(word: &str) -> Result<Thing, String> {
    Thing::from_word(word).ok_or_else(|| format!("one of {} is", Thing::ALL.map(Thing::word).join(", ")))
}
