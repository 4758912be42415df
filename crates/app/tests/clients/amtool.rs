//! amtool reads alerts, and adds, lists and expires silences.

use allclear_trial::org::PROM_KEY;
use serde_json::{Value, json};

use crate::{installed, run, world};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reads_alerts_and_keeps_silences() {
    let Some(program) = installed("amtool", "prometheus-alertmanager") else { return };
    let mut world = world().await;
    let url = format!("--alertmanager.url={}/prom/{PROM_KEY}", world.program.url);
    let ask = async |args: &[&str]| run(&program, &[&[url.as_str()], args].concat()).await;
    let alert =
        |name: &str| json!([{"labels": {"alertname": name, "severity": "critical", "cluster": "west"}, "annotations": {"summary": name}}]);
    world.prometheus(alert("DiskFull")).await;
    let listed: Value = serde_json::from_str(&ask(&["alert", "query", "-o", "json"]).await).unwrap();
    assert_eq!((listed.as_array().unwrap().len(), &listed[0]["labels"]["alertname"]), (1, &"DiskFull".into()), "{listed:#}");
    let matched: Value = serde_json::from_str(&ask(&["alert", "query", "-o", "json", "cluster=east"]).await).unwrap();
    assert!(matched.as_array().is_none_or(Vec::is_empty), "filters are obeyed: {matched:#}");

    let id =
        ask(&["silence", "add", "alertname=~Fan.*", "--comment=the fan is known", "--author=ana", "--duration=1h"]).await.trim().to_owned();
    assert!(!id.is_empty());
    let silences: Value = serde_json::from_str(&ask(&["silence", "query", "-o", "json"]).await).unwrap();
    let silence =
        silences.as_array().unwrap().iter().find(|silence| silence["id"] == id.as_str()).unwrap_or_else(|| panic!("{silences:#}"));
    assert_eq!(
        (&silence["comment"], &silence["createdBy"], &silence["status"]["state"]),
        (&"the fan is known".into(), &"ana".into(), &"active".into())
    );
    let before = world.hook.all().len();
    world.prometheus(alert("FanStuck")).await;
    assert_eq!(world.hook.all().len(), before, "the silence holds");
    let suppressed = ask(&["alert", "query", "--silenced", "-o", "json"]).await;
    assert!(suppressed.contains("FanStuck"), "{suppressed}");
    ask(&["silence", "expire", &id]).await;
    let left: Value = serde_json::from_str(&ask(&["silence", "query", "-o", "json"]).await).unwrap();
    assert!(!left.as_array().is_some_and(|all| all.iter().any(|silence| silence["id"] == id.as_str())), "{left:#}");
    world.advance(1).await;
    world.quiet().await;
    world.prometheus(alert("FanLoud")).await;
    assert!(world.hook.all().iter().any(|d| d.page()["incident"]["title"] == "FanLoud"), "and no longer than it is kept");
}
