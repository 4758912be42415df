//! Arguments that many commands have: how data is printed, which server is asked, and about which incident.

use clap::Args;
use jiff::Timestamp;

/// How data is printed.
#[derive(Debug, Clone, Copy, Args)]
pub struct Form {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Which server is asked.
#[derive(Debug, Clone, Args)]
pub struct Remote {
    /// The server [default: http://127.0.0.1:8080] [env: ALLCLEAR_URL]; its token is in ALLCLEAR_TOKEN
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
}

/// One incident, on a server.
#[derive(Debug, Args)]
pub struct One {
    /// INC-142, or the id
    // Its id is no name that a field of a command has: some have a `reference` of their own.
    #[arg(id = "REF", value_name = "REF", value_parser = reference)]
    pub reference: String,
    #[command(flatten)]
    pub remote: Remote,
    #[command(flatten)]
    pub form: Form,
}

/// One incident, as it is or as it was.
#[derive(Debug, Args)]
pub struct OneAt {
    #[command(flatten)]
    pub one: One,
    /// As it stood at this instant, from what was recorded by then
    #[arg(long, value_name = "INSTANT", value_parser = allclear_domain::time::instant)]
    pub at: Option<Timestamp>,
}

impl OneAt {
    /// What is asked along with the incident.
    pub fn asked(&self) -> Option<(&'static str, String)> {
        self.at.map(|at| ("at", at.to_string()))
    }
}

/// As it is typed: an address drops tabs and ends of lines, and would name another incident.
fn reference(text: &str) -> Result<String, String> {
    if text.chars().any(char::is_control) {
        return Err("a reference is INC-142, or an id, on one line".to_owned());
    }
    Ok(text.to_owned())
}
