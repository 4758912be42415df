//! The command line: which commands there are and what they take. What they do is elsewhere.
//!
//! The flags of settings are made from the table in [`config`](crate::config).

use std::path::PathBuf;

use allclear_domain::access::Scope;
use allclear_domain::incident::Severity;
use allclear_domain::time::Length;
use clap::{Args, Parser, Subcommand};
use jiff::Timestamp;

use crate::cli::coordination_args as coordination;

pub use crate::cli::shared_args::{Form, One, Remote};
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
    /// Makes a link with which somebody sets a password and signs in, once, and prints it, alone
    Invite(Invite),
    /// Makes a link for the first administrator, once, and prints it, alone: works on the server's store, and opens as long as
    /// nobody can sign in as an administrator
    SetUpLink(SetUpLink),
    /// Declares an incident
    Declare(Declare),
    /// Lists incidents, newest first: the open ones, or with --search those whose title fits
    List(List),
    /// Shows an incident: where it stands, what is due, who was paged
    Show(One),
    /// Takes an incident: its page stops
    Ack(Ack),
    /// Service is normal again
    Resolve(Resolve),
    /// The impact is reduced
    Mitigate(Resolve),
    /// It is not over
    Reopen(coordination::Why),
    /// It was none
    Cancel(coordination::Why),
    /// Nothing is left to do
    Close(One),
    /// Another incident has it
    Merge(coordination::Merge),
    /// It is worse, or not as bad
    Severity(coordination::Sev),
    /// Tells stakeholders how it stands
    Update(coordination::Update),
    /// Takes, offers or leaves a role: commander, scribe, communications, …
    Role(coordination::Role),
    /// What is to be done, by whom, until when
    Task {
        #[command(subcommand)]
        command: coordination::Task,
    },
    /// Writes a decision down
    Decide(coordination::Decision),
    /// Gives an incident a better title
    Rename(coordination::Rename),
    /// Corrects when the impact started, was detected or mitigated
    Time(coordination::Time),
    /// An open alert belongs to an incident
    Link(coordination::Link),
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
    /// Adds a note to an incident's log
    Note(Note),
    /// Shows an incident's log
    Log(Log),
    /// Pages again: by the incident's escalation policy, another one, or people by name
    Page(Page),
    /// Who is on call, and who is next
    Oncall(Oncall),
    /// Who would be paged for a payload, and why somebody was or was not
    Explain {
        #[command(subcommand)]
        command: Explain,
    },
    /// Makes a consistent copy while the server runs; the copy sends nothing until `release`
    Backup(CopyFile),
    /// Fills an empty database from a copy; it sends nothing until `release`
    Restore(CopyFile),
    /// Examines the database, the rota and the contacts, and asks a running server what impairs paging
    Doctor(Doctor),
    /// Checks every log's hash chain
    Verify(Examine),
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

#[derive(Debug, Args)]
pub struct Declare {
    /// What is wrong, in one line
    pub title: String,
    /// sev1 to sev5
    #[arg(long, default_value = "sev3")]
    pub severity: Severity,
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
    /// How many at most
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=200))]
    pub limit: u32,
    #[command(flatten)]
    pub remote: Remote,
    #[command(flatten)]
    pub form: Form,
}

#[derive(Debug, Args)]
pub struct Ack {
    #[command(flatten)]
    pub one: One,
    /// Somebody else has it: a person's id
    #[arg(long, value_name = "ID")]
    pub by: Option<String>,
}

#[derive(Debug, Args)]
pub struct Resolve {
    #[command(flatten)]
    pub one: One,
    /// What helped
    #[arg(long)]
    pub note: Option<String>,
}

#[derive(Debug, Args)]
pub struct Note {
    #[command(flatten)]
    pub one: One,
    /// The note
    pub text: String,
}

#[derive(Debug, Args)]
pub struct Log {
    #[command(flatten)]
    pub one: One,
    /// Go on as it grows, until interrupted
    #[arg(long, short)]
    pub follow: bool,
}

#[derive(Debug, Args)]
pub struct Page {
    #[command(flatten)]
    pub one: One,
    /// Another escalation policy's id
    #[arg(long, value_name = "ID", conflicts_with = "targets")]
    pub escalation: Option<String>,
    /// Whom to page by name, as in person:ana, team:database, schedule:primary; several may be named
    #[arg(long = "to", value_name = "TARGET")]
    pub targets: Vec<String>,
    /// Why, for the log and for who is paged
    #[arg(long)]
    pub why: String,
}

#[derive(Debug, Args)]
pub struct Oncall {
    /// At another time, as in 2026-12-24T18:00:00Z
    #[arg(long, value_name = "INSTANT")]
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
pub struct Examine {
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

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn every_command_is_well_formed_and_has_help() {
        Cli::command().debug_assert();
        for command in Cli::command().get_subcommands() {
            assert!(command.get_about().is_some(), "{}", command.get_name());
        }
    }

    #[test]
    fn what_may_be_asked_is_asked_with_the_same_fields_as_everywhere() {
        use allclear_domain::ask::{self, Arg};
        let cli = Cli::command();
        let mut tried = 0;
        for ask in ask::all() {
            let Some(program) = ask.program else { continue };
            let command = cli.find_subcommand(program).unwrap_or_else(|| panic!("there is no `allclear {program}`"));
            for field in ask.fields {
                let found = match field.arg {
                    Arg::Place => command.get_positionals().find(|arg| arg.get_id() == field.name),
                    Arg::Option { name, .. } => command.get_opts().find(|arg| arg.get_long() == Some(name)),
                    Arg::Not => continue,
                };
                let arg = found.unwrap_or_else(|| panic!("`allclear {program}` does not take `{}`", field.name));
                assert_eq!(arg.is_required_set(), field.needed, "`allclear {program}`: `{}`", field.name);
                tried += 1;
            }
        }
        assert!(tried > 20, "{tried} fields were tried");
    }

    fn parse(line: &str) -> Result<Command, clap::Error> {
        Cli::try_parse_from(line.split(' ')).map(|cli| cli.command)
    }

    #[test]
    fn the_commands_of_the_contract_are_understood() {
        for line in [
            "allclear serve --listen 127.0.0.1:0 --quarantine --no-bundle --admin-token t",
            "allclear serve --demo",
            "allclear serve --print-config --json",
            "allclear config check org.yaml --json",
            "allclear config apply org --prune --url http://x",
            "allclear token create --name n --scope respond --person ana --database sqlite:x.db",
            "allclear set-up-link --database sqlite:x.db",
            "allclear declare broken --severity sev1 --service checkout --json",
            "allclear log INC-1 --follow",
            "allclear page INC-1 --why again",
            "allclear page INC-1 --why hands --to person:ana --to team:database",
            "allclear update INC-1 fixed --to customers --next 30m",
            "allclear role INC-1 commander --person ana --do offer",
            "allclear task add INC-1 call --owner ana --within 30m",
            "allclear task done INC-1 1",
            "allclear time INC-1 impact_started --at 2026-12-24T18:00:00Z --why older",
            "allclear review edit INC-1 -",
            "allclear action add fix --owner ana --within 2w --incident INC-1",
            "allclear trends --days 30",
            "allclear explain signal - --integration prom",
            "allclear oncall --at 2026-12-24T18:00:00Z",
            "allclear backup copy.db --database postgres://x/y",
            "allclear completions bash",
        ] {
            assert!(parse(line).is_ok(), "{line}: {}", parse(line).unwrap_err());
        }
        for line in [
            "allclear",
            "allclear serve --json",
            "allclear declare x --severity sev9",
            "allclear token create --name n --scope king",
            "allclear list --limit 0",
            "allclear page INC-1",
        ] {
            assert_eq!(parse(line).unwrap_err().exit_code(), 2, "{line}");
        }
    }
}
