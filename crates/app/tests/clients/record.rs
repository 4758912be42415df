//! The log of an incident as XES, read by pm4py of PyPI: traces, events, who did what and when.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{run, world};

/// Prints what a process miner makes of a log.
const SCRIPT: &str = r#"
import json, sys, warnings
warnings.simplefilter("ignore")
import pm4py
log = pm4py.read_xes(sys.argv[1], variant="iterparse")
traces = sorted(set(log["case:concept:name"]))
net, begin, end = pm4py.discover_petri_net_inductive(log)
print(json.dumps({"traces": traces, "events": len(log), "names": list(log["concept:name"]), "who": sorted(set(log["org:resource"])),
    "times": [at.isoformat() for at in log["time:timestamp"]], "transitions": len(net.transitions), "titles": sorted(set(log["case:title"])),
    "lines": list(log["line"])}))
"#;

fn python() -> Option<PathBuf> {
    let venv = std::env::var_os("ALLCLEAR_RECORD_VENV")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/record-venv"), PathBuf::from);
    let python = venv.join("bin/python");
    if python.exists() {
        return Some(python);
    }
    allclear_trial::skip::skipped("pm4py", "it is not installed in target/record-venv; `cargo xtask test` installs it where it may");
    None
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_miner_reads_the_log_as_it_is() {
    let Some(python) = python() else { return };
    let world = world().await;
    world.fire("disk <&> \"full\" ]]>").await;
    world.press(&world.hook.to("ana")[0].ack_path()).await.ok();
    let reference = world.incident().await["ref"].as_str().unwrap().to_owned();
    for text in ["</string><event>", "\u{1f6a8} = é", "two\nlines\tand a tab"] {
        world.act(&reference, "note", json!({ "text": text })).await;
    }
    // What is written down later about earlier stands where it happened.
    world.act(&reference, "note", json!({"text": "it began here", "happened_at": "2026-01-01T00:00:00Z"})).await;
    world.act(&reference, "resolve", json!({})).await;
    world.quiet().await;
    let incident = world.incident().await;
    let mut events = world.events(&incident).await;
    events.sort_by_key(|event| event["at"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap());
    let dir = world.dir.path();
    let ran = world.cli(&["export", &reference, "--format", "xes", "-o", "log.xes"]).await;
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    std::fs::write(dir.join("mine.py"), SCRIPT).unwrap();
    let said = run(&python, &[dir.join("mine.py").to_str().unwrap(), dir.join("log.xes").to_str().unwrap()]).await;
    // It greets on standard output.
    let told: Value = serde_json::from_str(said.lines().last().unwrap()).unwrap();
    assert_eq!((&told["traces"], &told["titles"]), (&json!([reference]), &json!([incident["title"]])), "{told:#}");
    let named = |key: &str| events.iter().map(|event| event[key].clone()).collect::<Vec<_>>();
    assert_eq!((&told["names"], &told["lines"]), (&json!(named("kind")), &json!(named("line"))));
    let times: Vec<jiff::Timestamp> = told["times"].as_array().unwrap().iter().map(|at| at.as_str().unwrap().parse().unwrap()).collect();
    let ours: Vec<jiff::Timestamp> = events.iter().map(|event| event["at"].as_str().unwrap().parse().unwrap()).collect();
    assert_eq!(times, ours);
    assert!(told["who"].as_array().unwrap().contains(&json!("Ana Ruiz")) && told["transitions"].as_u64() > Some(0), "{told:#}");
}
