//! The organisation as code: checked here, compared and applied by the server.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;

use allclear_channels::registry;
use allclear_domain::channel::WaysOut;
use allclear_domain::org::check::Against;
use allclear_domain::org::model::Bundle;
use allclear_domain::org::problem::Weight;
use allclear_engine::clock::SystemClock;
use allclear_engine::org::file;
use allclear_engine::org::file::{FILE_LEN_MAX, FileProblem, Format, OrgFileError, Secrets};
use allclear_engine::ports::Clock as _;
use anyhow::Context as _;
use reqwest::Method;
use reqwest::header::ACCEPT;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::cli::args::{Form, Org, OrgFile};
use crate::cli::client::Client;
use crate::cli::terminal::{clean, out, outln, table};
use crate::config::environment;
use crate::vendors;

/// Largest file that is read for the server; it takes less.
const FILE_BYTES_MAX: u64 = 8 * 1024 * 1024;

/// `config …`.
pub async fn config(command: Org) -> anyhow::Result<()> {
    match command {
        Org::Check { file, form } => check(&file, form),
        Org::Diff(file) => send(file, "diff").await,
        Org::Apply(file) => send(file, "apply").await,
        Org::Export { remote, form } => {
            let client = Client::new(&remote)?;
            let kind = if form.json { "application/json" } else { "application/yaml" };
            let text = client.send(client.request(Method::GET, &["org"], &[]).header(ACCEPT, kind)).await?.text().await?;
            out!("{}{}", text, if text.ends_with('\n') { "" } else { "\n" });
            Ok(())
        }
    }
}

fn problem_json(problem: &FileProblem) -> Value {
    json!({
        "weight": if problem.weight == Weight::Error { "error" } else { "warning" },
        "file": problem.file, "line": problem.line, "key": problem.key, "message": problem.message, "hint": problem.hint,
    })
}

/// The channels, with the descriptions of one's own that the settings name here.
fn ways() -> anyhow::Result<WaysOut> {
    let settings = crate::config::resolve(&BTreeMap::new(), environment, None)?;
    vendors::ways(settings.text("vendors").map(Path::new))
}

/// Offline: as if it were applied to an empty store.
fn check(file: &Path, form: Form) -> anyhow::Result<()> {
    let kinds: Vec<_> = registry::kinds().collect();
    let channels = ways()?;
    let against = Against { now: SystemClock::default().now(), kinds: &kinds, channels };
    let problems = match file::read(file, Secrets::Here(environment, channels)) {
        Ok(loaded) => loaded.check(&Bundle::default(), false, against),
        Err(why) => why.problems,
    };
    let errors = problems.iter().filter(|problem| problem.weight == Weight::Error).count();
    if form.json {
        let problems: Vec<Value> = problems.iter().map(problem_json).collect();
        outln!("{:#}", json!({ "valid": errors == 0, "problems": problems }));
    } else {
        for problem in &problems {
            outln!("{}", clean(&problem.to_string()));
        }
    }
    anyhow::ensure!(errors == 0, "{} {errors} {}", file.display(), if errors == 1 { "error" } else { "errors" });
    if !form.json {
        let warnings = if problems.len() == 1 { "warning" } else { "warnings" };
        eprintln!("{} can be applied; {} {warnings}", file.display(), problems.len());
    }
    Ok(())
}

/// What the server says of a change.
#[derive(Deserialize)]
struct Answer {
    changes: Vec<Changed>,
    #[serde(default)]
    on_call: Vec<Handover>,
    #[serde(default)]
    made: Vec<Made>,
    #[serde(default)]
    problems: Vec<Problem>,
}

#[derive(Deserialize)]
struct Changed {
    kind: String,
    id: String,
    action: String,
    #[serde(default)]
    fields: Vec<String>,
}

#[derive(Deserialize)]
struct Handover {
    schedule: String,
    was: Option<String>,
    will_be: Option<String>,
}

#[derive(Deserialize)]
struct Made {
    of: String,
    secret: String,
}

#[derive(Deserialize)]
struct Problem {
    file: Option<String>,
    line: Option<u32>,
    key: String,
    message: String,
    hint: Option<String>,
}

/// `diff` and `apply`.
async fn send(args: OrgFile, what: &str) -> anyhow::Result<()> {
    let client = Client::new(&args.remote)?;
    let (kind, body) = body(&args.file)?;
    let name = args.file.display().to_string();
    let prune = args.prune.to_string();
    let found: Value = client.post_bytes(&["org", what], &[("prune", &prune), ("file", &name)], kind, body).await?;
    if args.form.json {
        outln!("{found:#}");
        return Ok(());
    }
    let Answer { changes, on_call, made, problems } = serde_json::from_value(found)?;
    for Problem { file, line, key, message, hint } in problems {
        let line = line.map(|line| format!(":{line}")).unwrap_or_default();
        let hint = hint.map(|hint| format!("; {hint}")).unwrap_or_default();
        eprintln!("{}", clean(&format!("{}{line}: warning: {key}: {message}{hint}", file.as_deref().unwrap_or("(stored)"))));
    }
    if changes.is_empty() {
        outln!("nothing changes");
    } else {
        let row = |c: &Changed| vec![c.action.replace('_', " "), c.kind.clone(), c.id.clone(), c.fields.join(", ")];
        out!("{}", table(&["ACTION", "KIND", "ID", "FIELDS"], &changes.iter().map(row).collect::<Vec<_>>()));
    }
    if !on_call.is_empty() {
        let nobody = |person: &Option<String>| person.clone().unwrap_or_else(|| "NOBODY".to_owned());
        let row = |h: &Handover| vec![h.schedule.clone(), nobody(&h.was), nobody(&h.will_be)];
        let rows: Vec<_> = on_call.iter().map(row).collect();
        outln!("{}", if what == "diff" { "who is on call changes at once:" } else { "who is on call has changed:" });
        out!("{}", table(&["SCHEDULE", "WAS", "NOW"], &rows));
    }
    for Made { of, secret } in made {
        outln!("made a secret for {}, shown this once: {}", clean(&of), clean(&secret));
    }
    Ok(())
}

/// The bytes to send and their type. A folder is read here and sent as one.
fn body(file: &Path) -> anyhow::Result<(&'static str, Vec<u8>)> {
    if file.is_dir() {
        let loaded = file::read(file, Secrets::Here(environment, ways()?)).map_err(|why| unread(file, &why))?;
        return Ok(("application/json", serde_json::to_vec(&loaded.bundle)?));
    }
    let kind = match Format::of(file) {
        Some(Format::Json) => "application/json",
        Some(Format::Toml) => "application/toml",
        _ => "application/yaml",
    };
    let bytes = read(file)?;
    anyhow::ensure!(
        bytes.len() as u64 <= FILE_LEN_MAX,
        "{} is larger than {FILE_LEN_MAX} bytes; split it, and give the folder",
        file.display()
    );
    // What the file names with `!env` and `!file` is here, and not where it is sent.
    match std::str::from_utf8(&bytes) {
        Ok(text) => {
            let text = file::with_secrets(text, file, Secrets::Here(environment, ways()?)).map_err(|why| unread(file, &why))?;
            Ok((kind, text.into_bytes()))
        }
        // The server says where it is not UTF-8.
        Err(_) => Ok((kind, bytes)),
    }
}

/// Tells everything that is wrong, and that this is why nothing was sent.
fn unread(file: &Path, why: &OrgFileError) -> anyhow::Error {
    eprintln!("{}", why.problems.iter().map(|problem| clean(&problem.to_string())).collect::<Vec<_>>().join("\n"));
    anyhow::anyhow!("the organisation {} cannot be read", file.display())
}

/// A file, or standard input for `-`.
pub fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if file.as_os_str() == "-" {
        std::io::stdin().take(FILE_BYTES_MAX).read_to_end(&mut bytes).context("standard input cannot be read")?;
    } else {
        let opened = std::fs::File::open(file).with_context(|| format!("{} cannot be read", file.display()))?;
        opened.take(FILE_BYTES_MAX).read_to_end(&mut bytes).with_context(|| format!("{} cannot be read", file.display()))?;
    }
    Ok(bytes)
}
