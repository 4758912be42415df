//! The command line: which commands there are and what they take. What they do is elsewhere.
//!
//! The flags of settings are made from the table in [`config`](crate::config), and the commands that ask something of an
//! incident from the table of what may be asked: [`line`](crate::cli::line) has the whole of it.

use std::path::PathBuf;

use allclear_domain::access::Scope;
use allclear_domain::incident::Severity;
use allclear_domain::record;
use allclear_domain::time::Length;
use clap::builder::PossibleValuesParser;
use clap::{Args, Parser, Subcommand};
use jiff::Timestamp;

use crate::cli::coordination_args as coordination;
use crate::cli::on_call_args;

use crate::cli::find_args::Search;
pub use crate::cli::shared_args::{Form, One, OneAt, Remote};
use crate::config::flags::{ForDoctor, ForInvite, ForServe, ForStore, Given};

/// A command that was used wrongly in a way that clap cannot see.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Usage(pub String);

/// Takes the first alarm in, gets the right people onto it, and keeps the record.
#[derive(Debug, Parser)]
#[command(name = "allclear", version, about, max_term_width = 100, propagate_version = true)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Runs everything: HTTP, engine, pages
    Serve(Serve),
    /// The organisation as code: who is on call, what is paged for what
    Config {
        #[command(subcommand)]
        command: Org,
    },
    /// Tokens for the API and the command line
    Token {
        #[command(subcommand)]
        command: Token,
    },
    /// The audit log: every sign-in, token, invitation and change of access, newest first
    Audit(Audit),
    /// Makes a link with which somebody sets a password and signs in, once, and prints it, alone
    Invite(Invite),
    /// Makes a link for the first administrator, once, and prints it, alone: works on the server's store, and opens as long as
    /// nobody can sign in as an administrator
    SetUpLink(SetUpLink),
    /// Declares an incident
    Declare(Declare),
    /// Lists incidents, newest first: the open ones, or with --search those whose title fits
    List(List),
    /// Searches everything that you may see: titles, notes, updates, decisions, tasks, reviews, alerts, people, services
    Search(Search),
    /// Shows an incident: where it stands, what is due, who was paged
    Show(OneAt),
    /// What is to be done, by whom, until when
    Task {
        #[command(subcommand)]
        command: coordination::Task,
    },
    /// Post-incident reviews
    Review {
        #[command(subcommand)]
        command: coordination::Review,
    },
    /// Corrective actions
    Action {
        #[command(subcommand)]
        command: coordination::Action,
    },
    /// How many incidents, and how long they took
    Trends(coordination::Trends),
    /// Shows what whoever takes a role of an incident over has to know, made from its log
    Briefing(OneAt),
    /// Response plans: starts one, tries one, adopts one that is shipped
    #[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
    Plan {
        #[command(subcommand)]
        command: coordination::Plan,
    },
    /// Shows an incident's roll call: who was asked or paged, by whom, who joined and who left
    Roll(One),
    /// Shows an incident's log
    Log(Log),
    /// Writes the whole record of an incident as a file: to read, for programs, spreadsheets or process mining, or signed
    Export(Export),
    /// Checks a bundle that `export --format bundle` made: needs no server and no database
    VerifyBundle(VerifyBundle),
    /// Who is on call, and who is next
    Oncall(Oncall),
    /// Starts a fire drill of an escalation policy over the real path, and follows it level by level
    Drill(on_call_args::Drill),
    /// Fire drills, newest first; shows one, or stops one
    Drills(on_call_args::Drills),
    /// Who would be paged for a payload, and why somebody was or was not
    Explain {
        #[command(subcommand)]
        command: Explain,
    },
    /// Brings something in that was written elsewhere, into a database on which no server runs
    Import {
        #[command(subcommand)]
        command: Import,
    },
    /// Makes a consistent copy while the server runs; the copy sends nothing until `release`
    Backup(CopyFile),
    /// Fills an empty database from a copy; it sends nothing until `release`
    Restore(CopyFile),
    /// Examines the database, the rota and the contacts, and asks a running server what impairs paging
    Doctor(Doctor),
    /// Checks every log's hash chain
    Verify(Verify),
    /// Ends the quarantine of a copy: it sends from now on
    Release(Release),
    /// Prints completions for a shell
    Completions { shell: clap_complete::Shell },
}

#[derive(Debug, Args)]
pub struct Serve {
    #[command(flatten)]
    pub settings: Given<ForServe>,
    /// A throw-away store with a small organisation and an incident that unfolds; sends nothing
    #[arg(long)]
    pub demo: bool,
    /// Show every setting and where it came from, secrets masked, and end
    #[arg(long)]
    pub print_config: bool,
    /// With --print-config: as JSON
    #[arg(long, requires = "print_config")]
    pub json: bool,
}

#[derive(Debug, Subcommand)]
pub enum Org {
    /// Reads a file or folder and says everything that is wrong with it; needs no server
    Check {
        /// YAML, JSON or TOML
        file: PathBuf,
        #[command(flatten)]
        form: Form,
    },
    /// What applying would change
    Diff(OrgFile),
    /// Applies a file or folder; the same again changes nothing, and nothing is removed without --prune
    Apply(OrgFile),
    /// Prints the organisation, secrets masked
    Export {
        #[command(flatten)]
        remote: Remote,
        #[command(flatten)]
        form: Form,
    },
}

#[derive(Debug, Args)]
pub struct OrgFile {
    /// YAML, JSON or TOML
    pub file: PathBuf,
    /// Remove what a file owns and this one does not name
    #[arg(long)]
    pub prune: bool,
    #[command(flatten)]
    pub remote: Remote,
    #[command(flatten)]
    pub form: Form,
}

#[derive(Debug, Subcommand)]
pub enum Token {
    /// Makes a token and prints it, alone, on standard output; works without a running server
    Create {
        #[command(flatten)]
        store: Given<ForStore>,
        /// What it is for
        #[arg(long)]
        name: String,
        /// read, respond or admin
        #[arg(long)]
        scope: Scope,
        /// Acts as this person of the organisation
        #[arg(long, value_name = "ID")]
        person: Option<String>,
        /// How long it is good, as in 90d
        #[arg(long, value_name = "LENGTH", default_value = "365d")]
        life: Length,
        #[command(flatten)]
        form: Form,
    },
}

#[derive(Debug, Args)]
pub struct Invite {
    /// A person's id
    pub person: String,
    #[command(flatten)]
    pub remote: Remote,
    #[command(flatten)]
    pub store: Given<ForInvite>,
    #[command(flatten)]
    pub form: Form,
}

#[derive(Debug, Args)]
pub struct SetUpLink {
    #[command(flatten)]
    pub store: Given<ForInvite>,
    #[command(flatten)]
    pub form: Form,
}

/// An answer as it is written: the question's id, and what it says.
fn answer(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((id, value)) if !id.is_empty() => Ok((id.to_owned(), value.to_owned())),
        _ => Err("write it as in ward=3".to_owned()),
    }
}

#[derive(Debug, Args)]
pub struct Declare {
    /// What is wrong, in one line
    pub title: String,
    /// sev1 to sev5; without it, as impact and urgency, the type and what it may become say, else sev3
    #[arg(long, conflicts_with_all = ["impact", "urgency"])]
    pub severity: Option<Severity>,
    /// How much is hit: high, medium or low; together with --urgency
    #[arg(long, value_name = "LEVEL", requires = "urgency", value_parser = ["high", "medium", "low"])]
    pub impact: Option<String>,
    /// How soon it hurts: high, medium or low; together with --impact
    #[arg(long, value_name = "LEVEL", requires = "impact", value_parser = ["high", "medium", "low"])]
    pub urgency: Option<String>,
    /// How bad it may become, sev1 to sev5
    #[arg(long, value_name = "SEVERITY")]
    pub potential: Option<Severity>,
    /// The id of its type of incident
    #[arg(long, value_name = "ID")]
    pub r#type: Option<String>,
    /// An answer to a question of its type, as in ward=3; several may be given
    #[arg(long = "field", value_name = "ID=ANSWER", requires = "type", value_parser = answer)]
    pub fields: Vec<(String, String)>,
    /// When it began, as in 2026-12-24T18:00:00Z; now unless said
    #[arg(long, value_name = "INSTANT")]
    pub since: Option<jiff::Timestamp>,
    /// The service's id
    #[arg(long, value_name = "ID")]
    pub service: Option<String>,
    /// Declare without paging anybody
    #[arg(long)]
    pub no_page: bool,
    /// Only who is paged, holds a role or is admitted sees it
    #[arg(long)]
    pub private: bool,
    #[command(flatten)]
    pub remote: Remote,
    #[command(flatten)]
    pub form: Form,
}

#[derive(Debug, Args)]
pub struct Audit {
    /// Lines, from 1 to 200
    #[arg(long, default_value_t = 200, conflicts_with = "all")]
    pub limit: u16,
    /// All of it, for keeping it elsewhere
    #[arg(long)]
    pub all: bool,
    #[command(flatten)]
    pub remote: Remote,
    #[command(flatten)]
    pub form: Form,
}

#[derive(Debug, Args)]
pub struct List {
    /// Only those whose title has these words in it, ended ones as well unless --open or --state is given
    #[arg(long, value_name = "WORDS")]
    pub search: Option<String>,
    /// Ended ones as well
    #[arg(long)]
    pub all: bool,
    /// Only open ones, as where nothing is searched for
    #[arg(long, conflicts_with_all = ["all", "state"])]
    pub open: bool,
    /// Only this state, as in declared or resolved
    #[arg(long, conflicts_with = "all")]
    pub state: Option<String>,
    /// Only this severity
    #[arg(long)]
    pub severity: Option<Severity>,
    /// Only this service
    #[arg(long, value_name = "ID")]
    pub service: Option<String>,
    /// Exercises and test pages as well
    #[arg(long)]
    pub exercises: bool,
    /// How many at most
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=200))]
    pub limit: u32,
    #[command(flatten)]
    pub remote: Remote,
    #[command(flatten)]
    pub form: Form,
}

#[derive(Debug, Args)]
pub struct Log {
    #[command(flatten)]
    pub one: One,
    /// Key events alone: declaration, roles, severities, states, decisions, updates, merges, marked notes
    #[arg(long, conflicts_with = "follow")]
    pub key: bool,
    /// Go on as it grows, until interrupted
    #[arg(long, short)]
    pub follow: bool,
}

#[derive(Debug, Args)]
pub struct Export {
    #[command(flatten)]
    pub one: One,
    /// Only what this organisation may be told, signed, as `guest export` makes it
    #[arg(value_name = "ORGANISATION", conflicts_with_all = ["format", "output"])]
    pub organisation: Option<String>,
    /// What it is written in
    #[arg(long, default_value = record::FORMATS[0].name, value_parser = PossibleValuesParser::new(record::FORMATS.iter().map(|format| format.name)))]
    pub format: String,
    /// Into this file instead of standard output
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub enum Import {
    /// An incident that is over, from a bundle: its logs as they are, under its own id and reference; nobody is paged
    Bundle {
        /// The bundle; - is standard input
        file: PathBuf,
        #[command(flatten)]
        store: Given<ForStore>,
        #[command(flatten)]
        form: Form,
    },
}

#[derive(Debug, Args)]
pub struct VerifyBundle {
    /// The bundle; - is standard input
    pub file: PathBuf,
    /// Public keys of whoever is said to have signed it, as their /.well-known/jwks.json gives them
    #[arg(long, value_name = "FILE")]
    pub keys: Option<PathBuf>,
    #[command(flatten)]
    pub form: Form,
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Oncall {
    #[command(subcommand)]
    pub command: Option<on_call_args::OnCallCommand>,
    /// At another time, as in 2026-12-24T18:00:00Z
    #[arg(long, value_name = "INSTANT", value_parser = allclear_domain::time::instant)]
    pub at: Option<Timestamp>,
    #[command(flatten)]
    pub remote: Remote,
    #[command(flatten)]
    pub form: Form,
}

#[derive(Debug, Subcommand)]
pub enum Explain {
    /// Who would be paged if this payload arrived now; nobody is
    Signal {
        /// The payload, as the sender posts it; - is standard input
        file: PathBuf,
        /// The integration it would come from
        #[arg(long, value_name = "ID")]
        integration: String,
        #[command(flatten)]
        remote: Remote,
        #[command(flatten)]
        form: Form,
    },
    /// Why somebody was, or was not, told by a page
    Page {
        /// The page's id, as `show` prints it
        id: String,
        #[command(flatten)]
        remote: Remote,
        #[command(flatten)]
        form: Form,
    },
}

#[derive(Debug, Args)]
pub struct CopyFile {
    /// The copy
    pub file: PathBuf,
    #[command(flatten)]
    pub store: Given<ForStore>,
    #[command(flatten)]
    pub form: Form,
}

#[derive(Debug, Args)]
pub struct Doctor {
    /// Only sends a test to every --operator-alarm, and says what became of it
    #[arg(long)]
    pub alarm: bool,
    #[command(flatten)]
    pub remote: Remote,
    #[command(flatten)]
    pub store: Given<ForDoctor>,
    #[command(flatten)]
    pub form: Form,
}

#[derive(Debug, Args)]
pub struct Verify {
    /// Hold this file that left the house against the log as well: signed checkpoints (--checkpoint-log), or a bundle
    #[arg(long, value_name = "FILE")]
    pub against: Option<PathBuf>,
    #[command(flatten)]
    pub store: Given<ForStore>,
    #[command(flatten)]
    pub form: Form,
}

#[derive(Debug, Args)]
pub struct Release {
    #[command(flatten)]
    pub remote: Remote,
    #[command(flatten)]
    pub store: Given<ForStore>,
}
