//! Prometheus raises an alert, sends it again every second, and says when it is over.

use std::time::SystemTime;

use allclear_trial::org::PROM_KEY;

use crate::{WITHIN, incidents, installed, start, until, world};

fn rules(name: &str, expression: &str) -> String {
    format!(
        "groups:\n- name: trial\n  interval: 1s\n  rules:\n  - alert: {name}\n    expr: {expression}\n    labels: {{severity: critical, cluster: west}}\n    annotations: {{summary: The disk is full, runbook_url: \"https://rb.example/disk\"}}\n"
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn raises_and_later_resolves() {
    let Some(program) = installed("prometheus", "prometheus") else { return };
    let world = world().await;
    let dir = tempfile::tempdir().unwrap();
    let target = world.program.url.trim_start_matches("http://");
    let config = format!(
        "global: {{evaluation_interval: 1s, scrape_interval: 1m}}\nrule_files: [rules.yml]\nalerting:\n  alertmanagers:\n  - path_prefix: /prom/{PROM_KEY}\n    api_version: v2\n    static_configs: [{{targets: [\"{target}\"]}}]\n"
    );
    std::fs::write(dir.path().join("prometheus.yml"), config).unwrap();
    std::fs::write(dir.path().join("rules.yml"), rules("DiskFull", "vector(1)")).unwrap();
    let listen = format!("--web.listen-address=127.0.0.1:{}", crate::free_port());
    let args = ["--config.file=prometheus.yml", "--storage.tsdb.path=data", "--rules.alert.resend-delay=1s", &listen];
    let client = start(&program, dir.path(), &args);
    let arrived = world.hook.wait(WITHIN, |all| !all.is_empty()).await;
    assert!(arrived, "{}", std::fs::read_to_string(dir.path().join("log")).unwrap());
    assert_eq!(world.hook.to("ana")[0].page()["incident"]["title"], "The disk is full");
    until("the alert is sent again and again", async || {
        allclear_trial::world::items(&world.api("/alerts").await)[0]["count"].as_u64() >= Some(5)
    })
    .await;
    assert_eq!((world.hook.all().len(), world.incidents("").await.len()), (1, 1), "repetitions wake nobody");
    std::fs::write(dir.path().join("rules.yml"), rules("DiskFull", "vector(1) == 2")).unwrap();
    crate::run("/bin/kill".as_ref(), &["-HUP", &client.id().unwrap().to_string()]).await;
    until("the incident resolves", async || incidents(&world, "resolved").await == 1).await;
    assert_eq!(world.hook.all().len(), 1);

    // Another, since the first would be taken for one that came back, timed: at its start Prometheus waits some seconds before it knows its targets.
    std::fs::write(dir.path().join("rules.yml"), rules("DiskFullAgain", "vector(1)")).unwrap();
    crate::run("/bin/kill".as_ref(), &["-HUP", &client.id().unwrap().to_string()]).await;
    assert!(world.hook.wait(WITHIN, |all| all.len() == 2).await);
    let told = jiff::Timestamp::try_from(SystemTime::now()).unwrap();
    let alert = &allclear_trial::world::items(&world.api("/alerts?open=true").await)[0];
    let at = |name: &str| alert[name].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    let (whole, ours) = (told.duration_since(at("starts_at")).as_millis(), told.duration_since(at("opened_at")).as_millis());
    let line = format!("\nPrometheus: rule to receiver {whole} ms, of which ours {ours} ms\n");
    let _ = std::io::Write::write_all(&mut std::io::stderr(), line.as_bytes());
    assert!(ours < 2_000, "{line}");
}
