//! `search`: over everything that the token's person may see.

use allclear_domain::view::{FoundPageView, FoundView};
use jiff::Timestamp;
use serde_json::Value;

use crate::cli::client::Client;
use crate::cli::find_args::Search;
use crate::cli::incidents::{now, print};
use crate::cli::terminal::{clean, distance};

/// `search`.
pub async fn search(args: Search) -> anyhow::Result<()> {
    let client = Client::new(&args.remote)?;
    // A word that the shell was given in quotation marks is a phrase, as it looks.
    let words: Vec<String> = args
        .words
        .iter()
        .map(|word| if args.words.len() > 1 && word.contains(' ') { format!("\"{word}\"") } else { word.clone() })
        .collect();
    let mut query = vec![("q", words.join(" ")), ("limit", args.limit.to_string())];
    query.extend(args.kind.map(|kind| ("kind", kind.word().to_owned())));
    query.extend(args.open.then(|| ("open", "true".to_owned())));
    query.extend(args.state.map(|state| ("state", state)));
    query.extend(args.severity.map(|severity| ("severity", severity.word().to_owned())));
    query.extend(args.service.map(|service| ("service", service)));
    query.extend(args.from.map(|from| ("from", from.to_string())));
    query.extend(args.to.map(|to| ("to", to.to_string())));
    query.extend(args.exercises.then(|| ("exercises", "true".to_owned())));
    query.extend(args.cursor.map(|cursor| ("cursor", cursor)));
    let query: Vec<(&str, &str)> = query.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let found: Value = client.get(&["search"], &query).await?;
    print(args.form, found, |found: FoundPageView| {
        let now = now();
        let mut out: String = found.items.iter().map(|one| lines(one, now)).collect();
        if found.items.is_empty() {
            out.push_str("nothing that you may see has all of these words\n");
        }
        if let Some(next) = &found.next {
            out.push_str(&clean(&format!("there is more: --cursor {next}")));
            out.push('\n');
        }
        if found.read_percent < 100 {
            out.push_str(&format!("{} % of the log is read for searches so far; the newest is read last\n", found.read_percent));
        }
        if !found.all_words {
            out.push_str("very many words begin so; only the most used were looked for\n");
        }
        out
    })
}

/// A hit: what it is, and below it the piece with the words, which stand between asterisks.
fn lines(one: &FoundView, now: Timestamp) -> String {
    let what = one.incident.as_deref().unwrap_or(&one.id);
    let at = one.at.map(|at| format!(", {}", distance(now, at))).unwrap_or_default();
    let by = one.by.as_deref().map(|by| format!(", {by}")).unwrap_or_default();
    let exercise = if one.exercise { " (exercise)" } else { "" };
    let piece: String = one.snippet.iter().map(|p| if p.found { format!("*{}*", p.text) } else { p.text.clone() }).collect();
    format!("{}\n  {}\n", clean(&format!("{what} {}{at}{by}{exercise}: {}", one.kind.word(), one.title)), clean(&piece))
}
