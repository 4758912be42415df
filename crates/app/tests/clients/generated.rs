//! The description of the control API is valid OpenAPI, and a client that is generated from it speaks with the binary.

use std::path::{Path, PathBuf};

use allclear_trial::org::ADMIN_TOKEN;

use crate::{run, world};

/// Declares, reads it back, acts, lists, and is refused in the shape that is described.
const SCRIPT: &str = r#"
import sys
sys.path.insert(0, sys.argv[3])
from all_clear_client import AuthenticatedClient
from all_clear_client.api.incidents import declare_incident, list_incidents, show_incident
from all_clear_client.models import DeclareBody, Incident, ProblemDetails

client = AuthenticatedClient(base_url=sys.argv[1], token=sys.argv[2])
made = declare_incident.sync(client=client, body=DeclareBody(title="Card payments fail", page=False), idempotency_key="one")
assert isinstance(made, Incident), made
again = declare_incident.sync(client=client, body=DeclareBody(title="Card payments fail", page=False), idempotency_key="one")
assert again.id == made.id
shown = show_incident.sync(made.ref, client=client)
assert (shown.title, shown.state.value, shown.resolved_at) == ("Card payments fail", "declared", None), shown
assert [found.ref for found in list_incidents.sync(client=client).items] == [made.ref]
missing = show_incident.sync("INC-9999", client=client)
assert isinstance(missing, ProblemDetails) and missing.code == "no_such_incident", missing
print("ok")
"#;

/// The environment, where `cargo xtask test` made it.
fn venv() -> Option<PathBuf> {
    let venv = std::env::var_os("ALLCLEAR_OPENAPI")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/openapi-venv"), PathBuf::from);
    let starts = std::process::Command::new(venv.join("bin/openapi-python-client")).arg("--version").output();
    if starts.is_ok_and(|run| run.status.success()) {
        return Some(venv);
    }
    let why = "it is not installed in target/openapi-venv; `cargo xtask test` installs it where it may";
    allclear_trial::skip::skipped("openapi-python-client", why);
    None
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_is_generated_from_the_description_speaks_with_the_binary() {
    let Some(venv) = venv() else { return };
    let world = world().await;
    let dir = world.dir.path();
    let file = |name: &str| dir.join(name).to_string_lossy().into_owned();
    let described = world.get("/api/v1/openapi.json").await.ok();
    std::fs::write(file("openapi.json"), &described.text).unwrap();
    run(&venv.join("bin/openapi-spec-validator"), &[&file("openapi.json")]).await;
    // What a linter asks of a description besides: where it is served, under which terms, and words for each answer.
    assert_eq!(
        (&described.body["servers"][0]["url"], &described.body["info"]["license"]["identifier"]),
        (&"/".into(), &"Apache-2.0".into())
    );
    std::fs::write(file("plain.yml"), "post_hooks: []\n").unwrap();
    let (from, to, how) = (file("openapi.json"), file("client"), file("plain.yml"));
    run(&venv.join("bin/openapi-python-client"), &["generate", "--path", &from, "--output-path", &to, "--config", &how, "--meta", "none"])
        .await;
    let package = dir.join("package");
    std::fs::create_dir(&package).unwrap();
    std::fs::rename(dir.join("client"), package.join("all_clear_client")).unwrap();
    let said = run(&venv.join("bin/python"), &["-c", SCRIPT, &world.at(""), ADMIN_TOKEN, &package.to_string_lossy()]).await;
    assert_eq!(said.trim(), "ok");
}
