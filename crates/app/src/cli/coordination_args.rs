//! The arguments of the commands of coordination and learning, beside those that ask something of an incident: these are
//! made from the table of what may be asked ([`asks`](crate::cli::asks)).

use std::path::PathBuf;

use allclear_domain::severity::Severity;
use allclear_domain::time::Length;
use clap::{Args, Subcommand};

use crate::cli::shared_args::{Form, One, Remote};

#[derive(Debug, Subcommand)]
pub enum Task {
    /// Those of an incident
    List(One),
}

#[derive(Debug, Subcommand)]
pub enum Plan {
    /// What a plan would do now, without starting it
    Try {
        /// A plan's id
        plan: String,
        /// In an incident of this service
        #[arg(long, value_name = "ID")]
        service: Option<String>,
        /// And this severity [default: sev2]
        #[arg(long)]
        severity: Option<Severity>,
        #[command(flatten)]
        remote: Remote,
        #[command(flatten)]
        form: Form,
    },
    /// Plans that are shipped
    Shipped {
        #[command(flatten)]
        remote: Remote,
        #[command(flatten)]
        form: Form,
    },
    /// Makes a shipped plan one of the organisation
    Adopt {
        /// Its id
        plan: String,
        #[command(flatten)]
        remote: Remote,
        #[command(flatten)]
        form: Form,
    },
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

/// Until when something is to be done.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
pub struct Until {
    /// The last day for it, as in 2026-12-24, to its end where the owner is
    #[arg(long, value_name = "DATE", value_parser = allclear_domain::time::day)]
    pub on: Option<jiff::civil::Date>,
    /// From now, as in 2w
    #[arg(long, value_name = "LENGTH")]
    pub within: Option<Length>,
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
        #[command(flatten)]
        until: Until,
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
        #[command(flatten)]
        until: Until,
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
