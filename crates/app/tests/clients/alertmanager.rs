//! Alertmanager keeps its place and posts to us: its webhook receiver and its PagerDuty receiver.

use allclear_trial::org::{PD_KEY, PROM_KEY};
use serde_json::json;

use crate::{WITHIN, free_port, incidents, installed, start, until, world};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn its_webhook_and_pagerduty_receivers_raise_and_resolve() {
    let Some(program) = installed("prometheus-alertmanager", "prometheus-alertmanager") else { return };
    let world = world().await;
    let dir = tempfile::tempdir().unwrap();
    let url = &world.program.url;
    let config = format!(
        "route: {{receiver: both, group_wait: 0s, group_interval: 1s, group_by: [alertname]}}\nreceivers:\n- name: both\n  webhook_configs: [{{url: \"{url}/in/alertmanager/{PROM_KEY}\"}}]\n  pagerduty_configs: [{{url: \"{url}/v2/enqueue\", routing_key: \"{PD_KEY}\", severity: critical}}]\n"
    );
    std::fs::write(dir.path().join("alertmanager.yml"), config).unwrap();
    let address = format!("127.0.0.1:{}", free_port());
    let listen = format!("--web.listen-address={address}");
    let args = ["--config.file=alertmanager.yml", "--storage.path=data", "--cluster.listen-address=", &listen];
    let _client = start(&program, dir.path(), &args);
    let post = async |ends_at: Option<jiff::Timestamp>| {
        let mut alert =
            json!({"labels": {"alertname": "DiskFull", "severity": "critical"}, "annotations": {"summary": "The disk is full"}});
        if let Some(at) = ends_at {
            alert["endsAt"] = json!(at.to_string());
        }
        let sent = world.client.post(format!("http://{address}/api/v2/alerts")).json(&json!([alert])).send().await;
        sent.is_ok_and(|answer| answer.status().is_success())
    };
    until("Alertmanager takes an alert", async || post(None).await).await;
    let both = world.hook.wait(WITHIN, |all| all.len() == 2).await;
    assert!(both, "{:#?}\n{}", world.hook.all(), std::fs::read_to_string(dir.path().join("log")).unwrap());
    let integrations: std::collections::BTreeSet<String> =
        allclear_trial::world::items(&world.api("/alerts").await).iter().map(|a| a["integration"].as_str().unwrap().to_owned()).collect();
    assert_eq!(integrations, ["pd", "prom"].map(String::from).into());
    assert!(post(Some(world.now().await)).await);
    until("both incidents resolve", async || incidents(&world, "resolved").await == 2).await;
    assert_eq!(world.hook.all().len(), 2, "nobody is told twice");
    let log = std::fs::read_to_string(dir.path().join("log")).unwrap();
    assert!(!log.contains("Notify for alerts failed") && !log.contains("level=error"), "{log}");
}
