//! Arguments that many commands have: how data is printed, which server is asked, and about which incident.

use clap::Args;

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
    #[arg(value_name = "REF")]
    pub reference: String,
    #[command(flatten)]
    pub remote: Remote,
    #[command(flatten)]
    pub form: Form,
}
