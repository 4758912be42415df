//! The record of an incident as a file, and the check of a bundle, which is a file alone.

use std::io::{Read as _, Write as _};
use std::path::Path;

use allclear_domain::ask::{self, Given};
use allclear_domain::incident::lifecycle::Verb;
use allclear_domain::record::bundle::{Checked, check};
use allclear_domain::time::from_micros;
use allclear_engine::message_link::exports::{is_signed, key_id, keys_of};
use anyhow::Context as _;
use serde_json::{Value, json};

use crate::cli::args::{Export, VerifyBundle};
use crate::cli::asks::Asked;
use crate::cli::client::Client;
use crate::cli::terminal::{clean, instant, outln};

/// `export`.
pub async fn export(args: Export) -> anyhow::Result<()> {
    if let Some(organisation) = args.organisation {
        let ask = ask::of(Verb::Export).context("exports for organisations are not asked for")?;
        let mut given = Given::default();
        given.put("organisation", organisation);
        return super::asks::ask(Asked { one: args.one, ask, given }).await;
    }
    let client = Client::new(&args.one.remote)?;
    let file = client.file(&["incidents", &args.one.reference, "export"], &[("format", &args.format)]).await?;
    match args.output {
        Some(path) => {
            std::fs::write(&path, &file).with_context(|| format!("{} cannot be written", path.display()))?;
            eprintln!("{}: {} bytes", path.display(), file.len());
        }
        None => std::io::stdout().write_all(&file)?,
    }
    Ok(())
}

/// `verify-bundle`.
pub fn verify_bundle(args: &VerifyBundle) -> anyhow::Result<()> {
    let file = read(&args.file)?;
    let found = check(&file, is_signed);
    let signer = found.key.map(|key| key_id(&key));
    let known = args.keys.as_deref().map(keys).transpose()?.map(|keys| found.key.is_some_and(|key| keys.iter().any(|one| *one == key)));
    if args.form.json {
        outln!(
            "{:#}",
            json!({
                "whole": found.faults.is_empty() && known != Some(false), "entries": found.entries.len(), "redacted": found.redacted,
                "statement": found.statement, "signed_by": signer, "key_known": known, "faults": found.faults,
            })
        );
    } else {
        told(&found, signer.as_deref());
    }
    let faults = found.faults.len();
    anyhow::ensure!(faults == 0, "{faults} things are not what was signed");
    anyhow::ensure!(
        known != Some(false),
        "it fits together, and was signed by a key that is not among those of {}",
        shown(args.keys.as_deref())
    );
    match known {
        Some(_) => eprintln!("every entry is what was signed, by a key that you know"),
        None => {
            eprintln!("every entry is what was signed; whether the key is theirs, their /.well-known/jwks.json says: give it as --keys")
        }
    }
    Ok(())
}

/// A file, or standard input for `-`.
pub(super) fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    if path.as_os_str() == "-" {
        let mut bytes = Vec::new();
        std::io::stdin().read_to_end(&mut bytes).context("standard input cannot be read")?;
        return Ok(bytes);
    }
    std::fs::read(path).with_context(|| format!("{} cannot be read", path.display()))
}

fn shown(path: Option<&Path>) -> String {
    path.map(|path| path.display().to_string()).unwrap_or_default()
}

fn keys(path: &Path) -> anyhow::Result<Vec<Vec<u8>>> {
    let set: Value = serde_json::from_slice(&read(path)?).ok().unwrap_or_default();
    keys_of(&set).with_context(|| format!("{} is no set of keys as /.well-known/jwks.json gives it", path.display()))
}

fn told(found: &Checked, signer: Option<&str>) {
    if let Some(statement) = &found.statement {
        outln!(
            "{}",
            clean(&format!("{} ({}), as it stood at {}", statement.reference, statement.incident, instant(from_micros(statement.made_at))))
        );
        if let Some(anchor) = &statement.checkpoint {
            outln!(
                "  checkpoint {} of {}, up to event {}: {}",
                anchor.number,
                instant(from_micros(anchor.at)),
                anchor.to_seq,
                clean(&anchor.hash)
            );
        }
    }
    outln!("  {} entries, the text of {} was erased before", found.entries.len(), found.redacted);
    outln!("  signed by key {}", signer.unwrap_or("that does not read"));
    for fault in &found.faults {
        let place = if fault.line == 0 { "file".to_owned() } else { format!("line {}", fault.line) };
        let entry = fault.entry.as_deref().map_or_else(String::new, |entry| format!(" ({entry})"));
        outln!("{}", clean(&format!("{place}{entry}: {}", fault.why)));
    }
}
