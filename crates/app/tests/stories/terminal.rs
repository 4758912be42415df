//! Everything that may be asked of an incident is asked from a terminal, and the terminal says what came of it.

use allclear_trial::{Database, org};
use serde_json::json;

use crate::world_of;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_incident_is_worked_from_a_terminal() {
    let audience = "audiences: [{id: customers, contacts: [{id: status, webhook: \"{HOOK}/status\", secret: \"{SECRET}\"}]}]\n";
    let world = world_of(Database::Sqlite, org::usual() + audience).await;
    let made = world.command("/tokens", json!({"name": "ana", "scope": "respond", "person": "ana"})).await.ok().body;
    let token = made["token"].as_str().unwrap();
    let declared = world.cli_as(token, &["declare", "Checkout is slow", "--severity", "sev3", "--no-page"]).await;
    assert_eq!(declared.code, 0, "{declared:?}");
    assert!(declared.stdout.ends_with("  nobody is paged\n"), "{declared:?}");
    let one = declared.stdout.split(' ').next().unwrap().to_owned();
    world.signal(json!({"title": "slow", "dedup_key": "slow", "severity": "info"})).await;
    let alert = world.alert("slow").await["id"].as_str().unwrap().to_owned();
    for (line, said) in [
        (vec!["ack"], "sev3 investigating, ana has it: Checkout is slow"),
        (vec!["snooze", "--within", "30m"], "  ana is reminded in "),
        (vec!["severity", "SEV2", "--why", "customers notice"], " sev2 investigating"),
        (vec!["rename", "Card payments fail"], ": Card payments fail"),
        (vec!["note", "the graph fell at ten"], ": Card payments fail"),
        (vec!["decide", "fail over", "--reversible", "false"], ": Card payments fail"),
        (vec!["time", "impact_started", "--at", "2026-01-01T10:00:00Z", "--why", "the graphs"], ": Card payments fail"),
        (vec!["task add", "call the bank", "--owner", "ben", "--within", "30m"], "  task 1 open, ben, due in "),
        (vec!["task add", "tell support"], "  task 2 open, nobody has it: tell support"),
        (vec!["task assign", "2", "ana"], "  task 2 open, ana: tell support"),
        (vec!["task done", "2", "--note", "told"], "  task 2 done, ana: tell support"),
        (vec!["task drop", "1"], "  task 1 dropped, ben: call the bank"),
        (vec!["role", "scribe", "--person", "ben"], "commander ana, scribe nobody (ben was asked, no answer yet)"),
        (vec!["update", "Cards fail for some", "--to", "customers", "--next", "45m"], "  update sent to customers"),
        (vec!["update", "For us alone"], "  update sent to the log only"),
        (vec!["page", "--why", "hands", "--to", "person:ben"], ": Card payments fail"),
        (vec!["restrict", "--why", "names of customers"], "  private: only those it concerns see it"),
        (vec!["admit", "cho", "--why", "to help"], "  private: only those it concerns see it"),
        (vec!["open-up", "--why", "they are gone"], "  everybody may see it"),
        (vec!["link", alert.as_str()], ": Card payments fail"),
        (vec!["mitigate", "--note", "failed over"], " sev2 mitigated"),
        (vec!["resolve", "--note", "the bank is back"], " sev2 resolved"),
        (vec!["reopen", "--why", "not yet"], ": Card payments fail"),
    ] {
        let (words, rest) = line.split_first().unwrap();
        let line: Vec<&str> = words.split(' ').chain([one.as_str()]).chain(rest.iter().copied()).collect();
        let ran = world.cli_as(token, &line).await;
        assert!(ran.code == 0 && ran.stdout.starts_with(&one) && ran.stdout.contains(said), "{line:?}: {ran:?}");
    }
    for line in ["declare another --no-page", "resolve INC-2", "review ask INC-2", "close INC-2 --waive later --json"] {
        let ran = world.cli_as(token, &line.split(' ').collect::<Vec<_>>()).await;
        assert_eq!(ran.code, 0, "{line}: {ran:?}");
    }
    for line in [vec!["declare", "the same", "--no-page"], vec!["merge", "INC-3", "--into", &one]] {
        let ran = world.cli_as(token, &line).await;
        assert_eq!(ran.code, 0, "{line:?}: {ran:?}");
    }
    let incident = world.api(&format!("/incidents/{one}")).await;
    assert_eq!((&incident["title"], &incident["roles"][0]["person"]), (&json!("Card payments fail"), &json!("ana")), "{incident:#}");
    let decision = world.bodies(&incident, "decision_made").await;
    assert_eq!(decision[0]["reversible"], json!(false), "{decision:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn declaring_from_a_terminal_says_whom_it_paged() {
    let world = world_of(Database::Sqlite, org::usual()).await;
    let declared = world.cli(&["declare", "Checkout is slow", "--service", "checkout"]).await;
    assert!(declared.code == 0 && declared.stdout.ends_with("  paged ana, then ben\n"), "{declared:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_on_a_line_is_said_and_nothing_is_done() {
    let world = world_of(Database::Sqlite, org::usual()).await;
    let one = world.cli(&["declare", "Checkout is slow", "--no-page"]).await.stdout;
    let one = one.split(' ').next().unwrap();
    for (line, code, said) in [
        (vec!["severity", one, "sev9", "--why", "x"], 2, "possible values: sev1"),
        (vec!["reopen", one], 2, "--why"),
        (vec!["snooze", one, "--within", "soon"], 2, "soon"),
        (vec!["snooze", one, "--within", "30m", "--until", "2026-01-01T10:00:00Z"], 2, "cannot be used with"),
        (vec!["snooze", one, "--within", "30m"], 1, "this token stands for no person"),
        (vec!["ack", one, "--by", "zed"], 1, "zed"),
        (vec!["ack", "INC-999"], 1, "no such"),
        (vec!["task", one], 2, "unrecognized subcommand"),
        (vec!["oncall", "--at", "soon"], 2, "this is no instant; a day is written as in 2026-03-01"),
    ] {
        let ran = world.cli(&line).await;
        assert!(ran.code == code && ran.stderr.contains(said) && ran.stdout.is_empty(), "{line:?}: {ran:?}");
    }
    assert_eq!(world.api(&format!("/incidents/{one}")).await["version"], 1, "nothing was done");
    let action = json!({"text": "x", "owner": "ana", "due_on": "soon", "incident": one});
    let refused = world.command("/actions", action).await;
    assert!(refused.status == 400 && refused.text.contains("this is no date or time that can be read"), "{}", refused.text);
    assert!(!refused.text.contains("digit"), "no words of a library: {}", refused.text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_candidate_is_promoted_from_a_terminal() {
    let world = world_of(Database::Sqlite, org::with_routes("  - {match: 'team=\"web\"', declare: candidate}")).await;
    world.signal(json!({"title": "slow", "dedup_key": "slow", "labels": {"team": "web"}})).await.ok();
    world.quiet().await;
    let candidate = world.incident().await;
    assert_eq!(candidate["state"], "candidate", "{candidate:#}");
    let ran = world.cli(&["promote", candidate["ref"].as_str().unwrap(), "--why", "customers call"]).await;
    assert!(ran.code == 0 && ran.stdout.contains(" declared: slow"), "{ran:?}");
}
