//! What the commands about who is on call take: fire drills, and what on-call costs.

use allclear_domain::time::Length;
use clap::{Args, Subcommand};
use jiff::Timestamp;

use crate::cli::shared_args::{Form, Remote};

#[derive(Debug, Args)]
pub struct Drill {
    /// An escalation policy's id
    pub policy: String,
    /// The longest that a level has, as in 2m; its own time where that is shorter
    #[arg(long, value_name = "LENGTH")]
    pub wait: Option<Length>,
    /// Start it, print its id, and do not follow it
    #[arg(long)]
    pub no_wait: bool,
    #[command(flatten)]
    pub remote: Remote,
    #[command(flatten)]
    pub form: Form,
}

#[derive(Debug, Args)]
pub struct Drills {
    /// Only those of this escalation policy, by its id
    pub policy: Option<String>,
    /// Stop this one before its end, by its id
    #[arg(long, value_name = "ID", conflicts_with = "policy")]
    pub stop: Option<String>,
    /// Show this one, by its id
    #[arg(long, value_name = "ID", conflicts_with_all = ["policy", "stop"])]
    pub show: Option<String>,
    #[command(flatten)]
    pub remote: Remote,
    #[command(flatten)]
    pub form: Form,
}

#[derive(Debug, Subcommand)]
pub enum OnCallCommand {
    /// What on-call cost people in a period: shifts, calls, interrupted nights
    Load(Load),
}

#[derive(Debug, Args)]
pub struct Load {
    /// Only this schedule, by its id
    #[arg(long, value_name = "ID")]
    pub schedule: Option<String>,
    /// Only schedules of this team, by its id
    #[arg(long, value_name = "ID")]
    pub team: Option<String>,
    /// From this instant on; four weeks before the end, where left out
    #[arg(long, value_name = "INSTANT", value_parser = allclear_domain::time::instant)]
    pub from: Option<Timestamp>,
    /// Until this instant; now, where left out
    #[arg(long, value_name = "INSTANT", value_parser = allclear_domain::time::instant)]
    pub to: Option<Timestamp>,
    #[command(flatten)]
    pub remote: Remote,
    #[command(flatten)]
    pub form: Form,
}
