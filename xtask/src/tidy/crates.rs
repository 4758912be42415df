//! Which crate may name which, and what `domain` may use, from `cargo metadata`.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};
use serde_json::Value;

use super::Finding;

/// Which crates of the workspace a crate may use. Each boundary is a reason to change: `channels`
/// cannot reach SQL, `api` and `web` are siblings so that neither becomes the other's back door.
const DIRECTION: [(&str, &[&str]); 11] = [
    ("allclear-domain", &[]),
    ("allclear-store", &["allclear-domain"]),
    ("allclear-channels", &["allclear-domain"]),
    ("allclear-engine", &["allclear-domain", "allclear-store"]),
    ("allclear-api", &["allclear-domain", "allclear-engine", "allclear-channels"]),
    ("allclear-web", &["allclear-domain", "allclear-engine"]),
    ("allclear", &["allclear-domain", "allclear-store", "allclear-channels", "allclear-engine", "allclear-api", "allclear-web"]),
    ("allclear-sim", &["allclear-domain", "allclear-store", "allclear-engine", "allclear-channels"]),
    ("allclear-trial", &["allclear-domain", "allclear-store", "allclear-channels", "allclear-engine", "allclear-api", "allclear-web"]),
    ("allclear-bench", &["allclear-domain"]),
    ("xtask", &["allclear-domain"]),
];

/// Crates that exist to try the others: nothing depends on them, nor on the binary, not even in tests.
const ON_TOP: [&str; 5] = ["allclear", "allclear-sim", "allclear-trial", "allclear-bench", "xtask"];

/// What `domain` may use beside the standard library: values and their text. No runtime, no clock,
/// no randomness, no log. `utoipa` only describes, where the API asks for that.
const DOMAIN_MAY_USE: [&str; 10] =
    ["cronexpr", "jiff", "regex", "serde", "serde_json", "sha2", "thiserror", "utoipa", "unicode-normalization", "uuid"];

/// What cargo says of the workspace of the current folder.
pub fn metadata() -> anyhow::Result<Value> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline"])
        .output()
        .context("starting cargo metadata")?;
    ensure!(output.status.success(), "cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).context("reading what cargo metadata says")
}

/// Findings about the manifests.
pub fn check(root: &Path, metadata: &Value) -> anyhow::Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for package in metadata["packages"].as_array().context("cargo metadata lists packages")? {
        let manifest = PathBuf::from(package["manifest_path"].as_str().unwrap_or_default());
        let text = std::fs::read_to_string(&manifest).with_context(|| format!("reading {}", manifest.display()))?;
        let file = manifest.strip_prefix(root).unwrap_or(&manifest).to_path_buf();
        one(package, &file, &text, &mut findings);
    }
    Ok(findings)
}

fn one(package: &Value, file: &Path, manifest: &str, findings: &mut Vec<Finding>) {
    let name = package["name"].as_str().unwrap_or_default();
    let Some((_, may)) = DIRECTION.iter().find(|(known, _)| *known == name) else {
        findings.push(Finding::new(
            file,
            1,
            format!("crate `{name}` has no place in the dependency direction: give it one in xtask/src/tidy/crates.rs"),
        ));
        return;
    };
    for dependency in package["dependencies"].as_array().into_iter().flatten() {
        let used = dependency["name"].as_str().unwrap_or_default();
        let is_ours = dependency["path"].is_string();
        let is_for_tests = dependency["kind"].as_str() == Some("dev");
        let allowed = match (is_ours, is_for_tests) {
            // Tests may open a store, or use the crate itself with other features. The binary is
            // tried by the trial bench, which knows it only from outside.
            (true, true) => used == name || !ON_TOP.contains(&used) || (name, used) == ("allclear", "allclear-trial"),
            (true, false) => may.contains(&used),
            (false, false) if name == "allclear-domain" => DOMAIN_MAY_USE.contains(&used),
            (false, _) => true,
        };
        if !allowed {
            let would = if is_ours { may.join(", ") } else { DOMAIN_MAY_USE.join(", ") };
            let would = if would.is_empty() { "none of ours".into() } else { would };
            findings.push(Finding::new(file, line_of(manifest, used), format!("`{name}` must not use `{used}`; it may use {would}")));
        }
    }
    let inherits = manifest.split("[lints]").nth(1).is_some_and(|rest| rest.trim_start().starts_with("workspace = true"));
    if !inherits {
        findings.push(Finding::new(file, 1, "a crate takes the workspace's lints: `[lints]` and `workspace = true`"));
    }
}

/// The line of the manifest that names a dependency, from 1.
fn line_of(manifest: &str, name: &str) -> usize {
    let named = |line: &str| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['.', ' ', '=']));
    manifest.lines().position(named).map_or(1, |at| at + 1)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn found(name: &str, dependencies: Value) -> Vec<String> {
        let mut findings = Vec::new();
        let manifest = "[lints]\nworkspace = true\n[dependencies]\ntokio.workspace = true\n";
        one(&json!({"name": name, "dependencies": dependencies}), Path::new("Cargo.toml"), manifest, &mut findings);
        findings.into_iter().map(|f| format!("{}: {}", f.line, f.what)).collect()
    }

    #[test]
    fn the_direction_holds_and_what_breaks_it_is_named() {
        assert!(found("allclear-engine", json!([{"name": "allclear-store", "path": "x"}, {"name": "tokio"}])).is_empty());
        assert!(found("allclear-web", json!([{"name": "allclear-store", "path": "x"}]))[0].contains("must not use `allclear-store`"));
        assert!(found("allclear-web", json!([{"name": "allclear-store", "path": "x", "kind": "dev"}])).is_empty());
        assert!(!found("allclear-web", json!([{"name": "allclear-sim", "path": "x", "kind": "dev"}])).is_empty());
        assert_eq!(found("allclear-domain", json!([{"name": "tokio"}]))[0].split(':').next(), Some("4"));
        assert!(!found("newcomer", json!([])).is_empty());
    }
}
