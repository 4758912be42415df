//! The arguments of the commands of coordination and learning.

use std::path::PathBuf;

use allclear_domain::incident::Severity;
use allclear_domain::time::Length;
use clap::{Args, Subcommand, ValueEnum};
use jiff::Timestamp;

use crate::cli::shared_args::{Form, One, Remote};

#[derive(Debug, Args)]
pub struct Update {
    #[command(flatten)]
    pub one: One,
    /// What stakeholders are told; - is standard input
    pub text: String,
    /// An audience's id; several may be named
    #[arg(long = "to", value_name = "AUDIENCE")]
    pub audiences: Vec<String>,
    /// When the next one is promised, as in 30m; the severity's cadence unless said
    #[arg(long, value_name = "LENGTH")]
    pub next: Option<Length>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum RoleDeed {
    Take,
    Offer,
    Leave,
}

#[derive(Debug, Args)]
pub struct Role {
    #[command(flatten)]
    pub one: One,
    /// commander, deputy, scribe, communications, liaison, operations, or one of the organisation's
    pub role: String,
    /// A person's id; you, unless said
    #[arg(long, value_name = "ID")]
    pub person: Option<String>,
    /// You take it, and others are offered it, unless said
    #[arg(long = "do", value_name = "WHAT")]
    pub deed: Option<RoleDeed>,
}

#[derive(Debug, Subcommand)]
pub enum Task {
    /// Add one
    Add {
        #[command(flatten)]
        one: One,
        /// What is to be done
        text: String,
        /// A person's id
        #[arg(long, value_name = "ID")]
        owner: Option<String>,
        /// Until when, from now, as in 30m
        #[arg(long, value_name = "LENGTH")]
        within: Option<Length>,
    },
    /// Give one to somebody
    Assign {
        #[command(flatten)]
        one: One,
        task: u32,
        /// A person's id
        owner: String,
    },
    /// It is done
    Done {
        #[command(flatten)]
        one: One,
        task: u32,
        #[arg(long)]
        note: Option<String>,
    },
    /// It is not to be done any more
    Drop {
        #[command(flatten)]
        one: One,
        task: u32,
        #[arg(long)]
        note: Option<String>,
    },
    /// Those of an incident
    List(One),
}

#[derive(Debug, Args)]
pub struct Sev {
    #[command(flatten)]
    pub one: One,
    /// sev1 to sev5
    pub severity: Severity,
    /// The reason
    #[arg(long)]
    pub why: String,
}

#[derive(Debug, Args)]
pub struct Why {
    #[command(flatten)]
    pub one: One,
    /// The reason
    #[arg(long)]
    pub why: String,
}

#[derive(Debug, Args)]
pub struct Decision {
    #[command(flatten)]
    pub one: One,
    /// What was decided
    pub text: String,
    /// Whether it can be undone
    #[arg(long)]
    pub reversible: Option<bool>,
}

#[derive(Debug, Args)]
pub struct Merge {
    #[command(flatten)]
    pub one: One,
    /// Into which: INC-142, or the id
    #[arg(long, value_name = "REF")]
    pub into: String,
}

#[derive(Debug, Args)]
pub struct Rename {
    #[command(flatten)]
    pub one: One,
    pub title: String,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum Instant {
    ImpactStarted,
    Detected,
    Mitigated,
}

#[derive(Debug, Args)]
pub struct Time {
    #[command(flatten)]
    pub one: One,
    pub instant: Instant,
    /// As in 2026-12-24T18:00:00Z; without it, it is not known
    #[arg(long)]
    pub at: Option<Timestamp>,
    /// The reason
    #[arg(long)]
    pub why: String,
}

#[derive(Debug, Args)]
pub struct Link {
    #[command(flatten)]
    pub one: One,
    /// An open alert's id
    pub alert: String,
}

#[derive(Debug, Subcommand)]
pub enum Review {
    /// Those there are, newest first
    List {
        /// draft or published
        #[arg(long)]
        state: Option<String>,
        #[command(flatten)]
        remote: Remote,
        #[command(flatten)]
        form: Form,
    },
    /// Ask for one where the severity asks for none
    Ask(One),
    /// The review of an incident, in Markdown
    Show(One),
    /// Keep another text
    Edit {
        #[command(flatten)]
        one: One,
        /// Markdown; - is standard input
        file: PathBuf,
    },
    /// Publish it as it is
    Publish(One),
    /// Give it to somebody to write
    Assign {
        #[command(flatten)]
        one: One,
        /// A person's id
        owner: String,
    },
}

#[derive(Debug, Subcommand)]
pub enum Action {
    /// Open ones, newest first
    List {
        /// Ended ones as well
        #[arg(long)]
        all: bool,
        /// Only this person's
        #[arg(long, value_name = "ID")]
        owner: Option<String>,
        /// Only this incident's
        #[arg(long, value_name = "REF")]
        incident: Option<String>,
        #[command(flatten)]
        remote: Remote,
        #[command(flatten)]
        form: Form,
    },
    /// Add one
    Add {
        /// What will be done
        text: String,
        /// A person's id
        #[arg(long, value_name = "ID")]
        owner: String,
        /// Until when, from now, as in 2w
        #[arg(long, value_name = "LENGTH")]
        within: Length,
        /// The incident that taught it: INC-142, or the id
        #[arg(long, value_name = "REF")]
        incident: String,
        #[command(flatten)]
        remote: Remote,
        #[command(flatten)]
        form: Form,
    },
    /// It is done
    Done {
        id: String,
        #[arg(long)]
        note: Option<String>,
        #[command(flatten)]
        remote: Remote,
        #[command(flatten)]
        form: Form,
    },
    /// It will not be done
    Drop {
        id: String,
        /// The reason
        #[arg(long)]
        why: String,
        #[command(flatten)]
        remote: Remote,
        #[command(flatten)]
        form: Form,
    },
    /// Give it to somebody
    Assign {
        id: String,
        /// A person's id
        owner: String,
        #[command(flatten)]
        remote: Remote,
        #[command(flatten)]
        form: Form,
    },
    /// Another date
    Due {
        id: String,
        /// From now, as in 2w
        #[arg(long, value_name = "LENGTH")]
        within: Length,
        /// The reason
        #[arg(long)]
        why: String,
        #[command(flatten)]
        remote: Remote,
        #[command(flatten)]
        form: Form,
    },
}

#[derive(Debug, Args)]
pub struct Trends {
    /// How many days back
    #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=800))]
    pub days: u32,
    #[command(flatten)]
    pub remote: Remote,
    #[command(flatten)]
    pub form: Form,
}
