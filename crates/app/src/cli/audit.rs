//! `allclear audit`: the audit log, for administrators.

use allclear_domain::view::AuditView;
use serde_json::{Value, json};

use crate::cli::args::Audit;
use crate::cli::client::{Client, Items};
use crate::cli::incidents::print;
use crate::cli::terminal::{instant, table};

/// Lines of one request.
const AT_ONCE: i64 = allclear_engine::read::LIST_MAX;

/// Newest first; all of it where that is asked for.
pub async fn audit(args: Audit) -> anyhow::Result<()> {
    let client = Client::new(&args.remote)?;
    let mut all: Vec<Value> = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let limit = if args.all { AT_ONCE.to_string() } else { args.limit.to_string() };
        let mut query = vec![("limit", limit.as_str())];
        query.extend(cursor.as_ref().map(|cursor| ("cursor", cursor.as_str())));
        let mut found: Items<Value> = client.get(&["audit"], &query).await?;
        all.append(&mut found.items);
        cursor = found.next.filter(|_| args.all);
        if cursor.is_none() {
            break;
        }
    }
    print(args.form, json!({ "items": all }), |found: Items<AuditView>| {
        let row = |entry: &AuditView| vec![instant(entry.at), entry.address.clone().unwrap_or_else(|| "-".to_owned()), entry.line.clone()];
        table(&["AT", "FROM", "WHAT"], &found.items.iter().map(row).collect::<Vec<_>>())
    })
}
