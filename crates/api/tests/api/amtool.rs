//! The real `amtool`, where it is installed: the one client whose reading of Alertmanager's API
//! everybody else's scripts rest on.

use std::process::{Command, Output};

use crate::world::{PROM_KEY, World};

fn amtool(url: &str, words: &[&str]) -> std::io::Result<Output> {
    Command::new("amtool").arg(format!("--alertmanager.url={url}")).args(words).output()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn amtool_adds_queries_and_silences() {
    if Command::new("amtool").arg("--version").output().is_err() {
        println!("skipped: amtool is not installed (Debian's package prometheus-alertmanager has it)");
        return;
    }
    let w = World::new().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/prom/{PROM_KEY}", listener.local_addr().unwrap());
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(std::future::IntoFuture::into_future(axum::serve(listener, w.router.clone())));
    tokio::task::spawn_blocking(move || {
        let says = |words: &[&str]| -> String {
            let out = amtool(&url, words).unwrap();
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            assert!(out.status.success(), "{words:?}: {} {}", text(&out.stdout), text(&out.stderr));
            text(&out.stdout)
        };
        says(&["alert", "add", "alertname=HighLoad", "instance=a:1", "severity=critical", "--annotation=summary=It is high"]);
        assert!(says(&["alert", "query", "alertname=HighLoad"]).contains("It is high"));
        assert!(!says(&["alert", "query", "alertname=Other"]).contains("It is high"));
        let id = says(&["silence", "add", "alertname=Other", "-c", "work", "-a", "ana", "-d", "1h"]).trim().to_owned();
        assert!(says(&["silence", "query", "-q"]).contains(&id));
        says(&["alert", "add", "alertname=Other", "instance=b:1"]);
        assert!(says(&["alert", "query", "--silenced"]).contains("Other"), "what is silenced is shown as that");
        says(&["silence", "expire", &id]);
        assert!(!says(&["silence", "query", "-q"]).contains(&id));
        assert!(says(&["silence", "query", "-q", "--expired", "--within=1h"]).contains(&id));
        assert!(says(&["config", "show"]).contains("receiver: allclear"));
        assert!(amtool(&url, &["silence", "expire", "00000000-0000-4000-8000-000000000000"]).is_ok_and(|out| !out.status.success()));
    })
    .await
    .unwrap();
    tasks.abort_all();
}
