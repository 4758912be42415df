//! What an incident needs from elsewhere is asked of whoever has it, awaited, and given back; and what an organisation may be told
//! goes to it as a file that anybody can check.

use allclear_trial::webhook_sink::path_of;
use allclear_trial::{Database, World, org};
use serde_json::{Value, json};

use crate::sign_in::{get_as, post_form, sign_in_as};
use crate::{begun, on_both, world_of};

on_both!(
    a_resource_is_asked_for_comes_late_and_is_given_back,
    whoever_sends_it_says_so_behind_its_link_and_may_decline,
    an_export_tells_what_may_be_told_and_is_signed,
);

const ORGANISATIONS: &str = r#"
severities: [{id: sev2, update_every: 0s, acknowledgement_lasts: never}]
organisations:
  - {id: thw, name: Relief Corps, kind: agency, tlp: green, contacts: [{id: hook, webhook: "{HOOK}/thw", secret: "{SECRET}"}]}
  - {id: cert, name: National CERT, kind: agency, tlp: amber, contacts: [{id: hook, webhook: "{HOOK}/cert", secret: "{SECRET}"}]}
"#;

fn organisation() -> String {
    [&org::usual(), ORGANISATIONS].concat()
}

/// What was said to somebody with these words in it.
fn told(world: &World, who: &str, words: &str) -> Vec<String> {
    let texts = world.hook.told(who).into_iter().map(|d| d.page()["text"].as_str().unwrap_or_default().to_owned());
    texts.filter(|text| text.contains(words)).collect()
}

async fn resource(world: &World, reference: &str) -> Value {
    world.api(&format!("/incidents/{reference}")).await["resources"][0].clone()
}

async fn a_resource_is_asked_for_comes_late_and_is_given_back(database: Database) {
    let mut world = world_of(database, organisation()).await;
    let reference = begun(&world, "title-secret").await;
    let refused = world.command(&format!("/incidents/{reference}/want"), json!({"what": "pump", "organisation": "thv"})).await;
    assert_eq!(refused.body["code"], "no_such_organisation", "{:#}", refused.body);
    let nothing = world.command(&format!("/incidents/{reference}/resource"), json!({"resource": 1, "state": "arrived"})).await;
    assert_eq!((nothing.status, nothing.body["code"].as_str()), (404, Some("no_such_resource")), "{:#}", nothing.body);

    let asked = world
        .cli(&[
            "want",
            &reference,
            "high-volume pump",
            "--quantity",
            "2",
            "--organisation",
            "thw",
            "--within",
            "2h",
            "--place",
            "Harbour Road 4",
        ])
        .await;
    assert_eq!(asked.code, 0, "{}", asked.stderr);
    world.quiet().await;
    let heard = told(&world, "thw", "Resource 1: 2 × high-volume pump");
    assert_eq!(heard.len(), 1, "{:?}", world.hook.told("thw"));
    assert!(heard[0].contains("To: Harbour Road 4.") && heard[0].contains("Needed by "), "{heard:?}");

    world.act(&reference, "resource", json!({"resource": 1, "state": "ordered", "within": "30m", "reference": "R-9"})).await;
    let shown = world.cli(&["show", &reference]).await.stdout;
    assert!(shown.contains("2 × high-volume pump") && shown.contains("ordered"), "{shown}");
    // It is said to come within half an hour, and does not: that is told once, and its other time is awaited still.
    world.advance(31 * 60).await;
    assert_eq!(told(&world, "ana", "Resource 1 (2 × high-volume pump) has not arrived, and was said to come at").len(), 1);
    world.restart_after(std::time::Duration::from_secs(60)).await;
    world.advance(90 * 60).await;
    assert_eq!(told(&world, "ana", "has not arrived, and was needed by").len(), 1);
    let one = resource(&world, &reference).await;
    assert_eq!(
        (one["late"].as_bool(), one["overdue"].as_bool(), one["state"].as_str()),
        (Some(true), Some(true), Some("ordered")),
        "{one:#}"
    );
    let ana = sign_in_as(&world, "ana").await;
    let page = get_as(&world, &ana, &format!("/incidents/{reference}?tab=people")).await.text;
    assert!(page.contains("2 × high-volume pump") && page.contains("their reference"), "{page}");

    // By the form, without a script.
    let form = [("resource", "1"), ("state", "arrived"), ("text", "both run")];
    assert_eq!(post_form(&world, &format!("/incidents/{reference}/resource"), Some(&ana), &form).await.status, 303);
    world.act(&reference, "resolve", json!({})).await;
    let late = world.command(&format!("/incidents/{reference}/want"), json!({"what": "crew"})).await;
    assert_eq!(late.body["code"], "already_resolved");
    world.act(&reference, "resource", json!({"resource": 1, "state": "released"})).await;
    let again = world.command(&format!("/incidents/{reference}/resource"), json!({"resource": 1, "state": "arrived"})).await;
    assert_eq!((again.status, again.body["code"].as_str()), (409, Some("resource_ended")));
    let kinds: Vec<String> =
        world.events(&world.incident().await).await.iter().map(|one| one["kind"].as_str().unwrap_or_default().to_owned()).collect();
    assert_eq!(kinds.iter().filter(|kind| *kind == "resource_missed").count(), 2, "{kinds:?}");
}

async fn whoever_sends_it_says_so_behind_its_link_and_may_decline(database: Database) {
    let world = world_of(database, organisation()).await;
    let reference = begun(&world, "title-secret").await;
    world.act(&reference, "want", json!({"what": "boat", "organisation": "thw", "within": "1h"})).await;
    world.act(&reference, "want", json!({"what": "secret-boat", "organisation": "cert"})).await;
    let made = world.act(&reference, "guest", json!({"organisation": "thw"})).await;
    let path = path_of(made["guest_url"].as_str().unwrap());
    let page = world.get(&path).await.ok().text;
    assert!(page.contains("boat") && page.contains("Say where it is") && !page.contains("secret-boat"), "{page}");
    let say = |fields: Vec<(&'static str, &'static str)>| {
        let (world, path) = (&world, format!("{path}/resource"));
        async move { post_form(world, &path, None, &fields).await }
    };
    assert_eq!(say(vec![("resource", "1"), ("state", "on_the_way"), ("within", "20m")]).await.status, 303);
    world.quiet().await;
    assert_eq!(told(&world, "ana", "Resource 1 (boat) is on the way, comes at").len(), 1);
    let bad = say(vec![("resource", "1"), ("state", "ordered"), ("within", "soon")]).await;
    assert!(bad.status == 422 && bad.text.contains("such as 40m"), "{} {}", bad.status, bad.text);
    // What another sends, and what only whoever asked may say, is not theirs.
    for fields in [vec![("resource", "2"), ("state", "arrived")], vec![("resource", "1"), ("state", "withdrawn")], vec![("resource", "1")]]
    {
        assert!(say(fields).await.status >= 400);
    }
    assert_eq!(say(vec![("resource", "1"), ("state", "declined"), ("text", "the engine broke")]).await.status, 303);
    world.quiet().await;
    assert_eq!(told(&world, "ana", "Resource 1 (boat) was declined, and is wanted still: the engine broke").len(), 1);
    let one = resource(&world, &reference).await;
    assert!(one["state"] == "wanted" && one["organisation"].is_null(), "{one:#}");
    assert!(!world.get(&path).await.ok().text.contains("Say where it is"), "it is theirs no more");
    assert!(say(vec![("resource", "1"), ("state", "arrived")]).await.status >= 400);
    assert_eq!(resource(&world, &reference).await["state"], "wanted");
}

async fn an_export_tells_what_may_be_told_and_is_signed(database: Database) {
    let world = world_of(database, organisation()).await;
    let reference = begun(&world, "title-secret").await;
    let early = world.command(&format!("/incidents/{reference}/export"), json!({"organisation": "cert"})).await;
    assert_eq!((early.status, early.body["code"].as_str()), (409, Some("not_a_party")), "{:#}", early.body);
    world.act(&reference, "party", json!({"organisation": "cert", "reference": "C-1"})).await;
    world.act(&reference, "marking", json!({"marking": "amber", "why": "they help"})).await;
    for (text, marking) in [("green-words", "green"), ("amber-words", "amber"), ("strict-secret", "amber+strict"), ("red-secret", "red")] {
        world.act(&reference, "note", json!({"text": text, "marking": marking})).await;
    }
    let made = world.cli(&["export", &reference, "cert"]).await;
    assert_eq!(made.code, 0, "{}", made.stderr);
    let export: Value = serde_json::from_str(&made.stdout).unwrap_or_else(|why| panic!("{why}: {}", made.stdout));
    let keys: Value = world.client.get(world.at("/.well-known/jwks.json")).send().await.unwrap().json().await.unwrap();
    let payload = checked(&export, &keys).unwrap();
    let text = payload.to_string();
    for words in ["title-secret", "green-words", "amber-words", "National CERT", "C-1"] {
        assert!(text.contains(words), "{words}: {payload:#}");
    }
    for secret in ["strict-secret", "red-secret"] {
        assert!(!text.contains(secret), "{secret}: {payload:#}");
    }
    assert_eq!(payload["format"], "allclear-export-1");
    let mut forged = export.clone();
    forged["payload"] = json!(base64(text.replace("green", "grown").as_bytes()));
    assert!(checked(&forged, &keys).is_none(), "a word that was changed is found");

    // What one of another level gets; and the log says who got what.
    world.act(&reference, "party", json!({"organisation": "thw"})).await;
    let other = world.act(&reference, "export", json!({"organisation": "thw"})).await;
    let other = checked(&other["export"], &keys).unwrap().to_string();
    assert!(other.contains("green-words") && !other.contains("amber-words") && !other.contains("title-secret"), "{other}");
    assert!(world.api(&format!("/incidents/{reference}")).await["export"].is_null(), "nobody else is shown it");
    let lines: Vec<String> =
        world.events(&world.incident().await).await.iter().map(|event| event["line"].as_str().unwrap_or_default().to_owned()).collect();
    assert_eq!(lines.iter().filter(|line| line.contains("made a signed export for")).count(), 2, "{lines:#?}");
    // By the form it is a file to keep.
    let ana = sign_in_as(&world, "ana").await;
    let file = post_form(&world, &format!("/incidents/{reference}/export"), Some(&ana), &[("organisation", "cert")]).await;
    assert!(file.status == 200 && checked(&serde_json::from_str(&file.text).unwrap(), &keys).is_some(), "{} {}", file.status, file.text);
    // A private one tells no more than what it was asked.
    world.act(&reference, "restrict", json!({"why": "it concerns a person"})).await;
    let private = world.cli(&["export", &reference, "cert"]).await;
    if private.code == 0 {
        let private = checked(&serde_json::from_str(&private.stdout).unwrap(), &keys).unwrap().to_string();
        assert!(!private.contains("title-secret") && !private.contains("green-words"), "{private}");
    }
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}

fn plain(text: &Value) -> Vec<u8> {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text.as_str().unwrap()).unwrap()
}

/// What an export says, where its signature is one of these keys; by a library that knows nothing of us.
fn checked(export: &Value, keys: &Value) -> Option<Value> {
    let header: Value = serde_json::from_slice(&plain(&export["protected"])).unwrap();
    assert_eq!(header["alg"], "EdDSA");
    let key = keys["keys"].as_array().unwrap().iter().find(|key| key["kid"] == header["kid"])?;
    let said = format!("{}.{}", export["protected"].as_str().unwrap(), export["payload"].as_str().unwrap());
    let public = ring::signature::UnparsedPublicKey::new(&ring::signature::ED25519, plain(&key["x"]));
    public.verify(said.as_bytes(), &plain(&export["signature"])).ok()?;
    serde_json::from_slice(&plain(&export["payload"])).ok()
}
