//! A sender signs what it posts: nothing else is taken once its integration has a secret, and the secret is told to nobody.

use std::fs;

use allclear_channels::inbound::signed::sign;
use allclear_trial::world::Answer;
use allclear_trial::{Database, World, org};
use serde_json::{Value, json};

use crate::world_of;

const SECRET: &str = "grafana-secret-0001";
const PATH: &str = "/in/grafana/grafana-key-0001";
const SIGNATURE: &str = "X-Grafana-Alerting-Signature";
const TIME: &str = "X-Grafana-Alerting-Timestamp";

fn organisation(secret: &str) -> String {
    let grafana = format!("\n  - {{id: grafana, kind: grafana, key: grafana-key-0001, service: checkout, secret: {secret}}}");
    let whole = org::usual();
    assert_eq!(whole.matches("integrations:").count(), 1, "{whole}");
    whole.replace("integrations:", &format!("integrations:{grafana}"))
}

fn firing(name: &str) -> String {
    json!({"status": "firing", "alerts": [{"status": "firing", "labels": {"alertname": name}, "fingerprint": name}]}).to_string()
}

async fn post(world: &World, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let request = world.client.post(world.at(path)).header("content-type", "application/json").body(body.to_owned());
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    let answer = world.send(request).await;
    world.quiet().await;
    answer
}

async fn alerts(world: &World) -> usize {
    world.api("/alerts").await["items"].as_array().unwrap().len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_grafana_signed_is_taken_and_nothing_else() {
    let mut world = world_of(Database::Sqlite, organisation(SECRET)).await;
    let body = firing("Full");
    let signature = sign(SECRET, None, body.as_bytes());
    let of_other = sign("another-secret", None, body.as_bytes());
    let stale = (world.now().await.as_second() - 301).to_string();
    let signed_then = sign(SECRET, Some(&stale), body.as_bytes());
    let refused: [(&[(&str, &str)], &str); 5] = [
        (&[], "it is not signed"),
        (&[(SIGNATURE, &of_other)], "is not of this body"),
        (&[(SIGNATURE, &signature[..60])], "is not of this body"),
        (&[(SIGNATURE, &signature), (TIME, &stale)], "is not of this body"),
        (&[(SIGNATURE, &signed_then), (TIME, &stale)], "more than 5 minutes"),
    ];
    for (headers, why) in refused {
        let answer = post(&world, PATH, headers, &body).await;
        assert_eq!((answer.status, &answer.body["status"]), (401, &json!("refused")), "in Grafana's shape: {}", answer.text);
        assert!(answer.body["message"].as_str().unwrap().contains(why) && !answer.text.contains(SECRET), "{}", answer.text);
    }
    assert_eq!((alerts(&world).await, world.incidents("").await.len()), (0, 0), "nothing of it was taken");
    let told = world.api("/refused").await["items"].as_array().unwrap().clone();
    let reasons: Vec<&Value> = told.iter().map(|one| &one["reason"]).collect();
    assert!(reasons.len() == 5 && reasons.iter().all(|reason| **reason == "unsigned"), "{told:#?}");
    assert!(told.iter().all(|one| one["integration"] == "grafana"), "{told:#?}");
    let metrics = world.get("/metrics").await.text;
    assert!(metrics.contains("allclear_signals_refused_total{reason=\"unsigned\"} 5"), "{metrics}");
    assert!(world.get("/docs/errors/unsigned").await.ok().text.contains("secret"), "what to do is written down");

    // Whoever has no key learns nothing of signatures, whatever they send.
    let strange = post(&world, "/in/grafana/no-such-key", &[(SIGNATURE, &signature)], &body).await;
    let plain = post(&world, "/in/grafana/no-such-key", &[], &body).await;
    assert_eq!((strange.status, &strange.text), (401, &plain.text));
    assert!(!strange.text.contains("sign"), "{}", strange.text);

    post(&world, PATH, &[(SIGNATURE, &signature)], &body).await.ok();
    assert_eq!(world.incidents("").await.len(), 1, "what is signed declares as ever");
    let body = firing("Slow");
    let time = world.now().await.as_second().to_string();
    let signed_now = sign(SECRET, Some(&time), body.as_bytes());
    post(&world, PATH, &[(SIGNATURE, &signed_now), (TIME, &time)], &body).await.ok();
    assert_eq!(alerts(&world).await, 2);
    world.advance(301).await;
    let again = post(&world, PATH, &[(SIGNATURE, &signed_now), (TIME, &time)], &body).await;
    assert_eq!(again.status, 401, "the same is refused once it is old: {}", again.text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_secret_is_masked_kept_and_taken_away_in_words() {
    let world = world_of(Database::Sqlite, organisation(SECRET)).await;
    let export = world.cli(&["config", "export"]).await.stdout;
    assert!(!export.contains(SECRET) && export.contains("secret:"), "{export}");
    let form = world.api("/org/integration/grafana").await;
    assert!(!form.to_string().contains(SECRET), "{form:#}");
    let path = world.dir.path().join("changed.yaml");
    let file = path.to_str().unwrap().to_owned();
    let apply = async |text: String| {
        fs::write(&path, org::filled(&text, &world.hook.url())).unwrap();
        world.cli(&["config", "apply", &file]).await
    };
    let body = firing("Full");
    // An export that is applied again has the mask, and changes nothing.
    assert_eq!(apply(organisation("\"********\"")).await.code, 0);
    assert_eq!(post(&world, PATH, &[], &body).await.status, 401, "the secret stayed");
    let emptied = apply(organisation("\"\"")).await;
    assert!(emptied.code == 1 && emptied.stderr.contains("fewer than 8"), "a variable that is not filled in opens no door: {emptied:?}");
    let wrong = apply(org::usual().replace("kind: json,", "kind: json, secret: a-good-secret,")).await;
    assert!(wrong.code == 1 && wrong.stderr.contains("senders of `json` do not sign"), "{wrong:?}");
    assert_eq!(apply(organisation("none")).await.code, 0);
    post(&world, PATH, &[], &body).await.ok();
    assert_eq!(alerts(&world).await, 1, "without a secret everything with the key is taken");
}
