//! How bad an incident is said to be: by impact and urgency, by the higher of what is known, what it may become, what may be hit
//! next, and an advice that is taken or kept and never said again.

use allclear_trial::{Database, World, org};
use serde_json::{Value, json};

use crate::sign_in::{get_as, post_form, sign_in_as};
use crate::{on_both, world_of};

on_both!(
    impact_and_urgency_make_a_severity_and_half_of_them_is_refused,
    who_is_not_sure_takes_the_higher_and_the_log_says_from_what,
    an_advice_is_taken_or_kept_and_never_said_again,
    whoever_has_it_is_asked_to_judge_again_and_nobody_is_paged_for_it,
    what_may_be_hit_next_is_drawn_and_said_with_one_tap,
);

const MINUTE: u64 = 60;

const MORE: &str = r#"
triage:
  - {id: low, low: sev5, means: one desk}
types:
  - {id: desk, name: Service desk, severity: sev4}
"#;

/// Payments hold up a shop, which holds up a search.
fn organisation() -> String {
    let services = "  - {id: search, name: Search, team: payments, escalation: payments, tier: 2}";
    let more = "  - {id: search, name: Search, team: payments, escalation: payments, tier: 2, depends_on: [checkout]}\n  \
                - {id: shop, name: Shop <front>, team: payments, escalation: payments, tier: 2, depends_on: [search]}\n  \
                - {id: ledger, name: Ledger, team: payments, escalation: payments, tier: 3}";
    [&org::usual().replace(services, more), MORE].concat()
}

async fn declare(world: &World, body: Value) -> Value {
    world.command("/incidents", body).await.ok().body
}

async fn lines(world: &World, incident: &Value) -> Vec<String> {
    world.events(incident).await.iter().map(|event| event["line"].as_str().unwrap().to_owned()).collect()
}

async fn impact_and_urgency_make_a_severity_and_half_of_them_is_refused(database: Database) {
    let world = world_of(database, organisation()).await;
    for (body, words) in [
        (json!({"title": "x", "impact": "high"}), "urgency is missing"),
        (json!({"title": "x", "urgency": "low"}), "impact is missing"),
        (json!({"title": "x", "severity": "sev1", "impact": "high", "urgency": "low"}), "not both"),
    ] {
        let no = world.command("/incidents", body).await;
        assert!(no.status == 422 && no.text.contains("\"invalid\"") && no.text.contains(words), "{} {}", no.status, no.text);
    }
    assert_eq!(world.incidents("limit=5").await.len(), 0, "what is refused is not declared");
    // Every cell, as recorded; the organisation changed one.
    let ranks = [["sev1", "sev2", "sev2"], ["sev2", "sev3", "sev4"], ["sev3", "sev4", "sev5"]];
    let levels = ["high", "medium", "low"];
    for (impact, row) in levels.iter().zip(ranks) {
        for (urgency, severity) in levels.iter().zip(row) {
            let body = json!({"title": "x", "impact": impact, "urgency": urgency, "page": false});
            assert_eq!(declare(&world, body).await["severity"], severity, "{impact} {urgency}");
        }
    }
    let ran = world.cli(&["declare", "Tills", "--impact", "high", "--urgency", "medium", "--potential", "sev1", "--no-page"]).await;
    assert!(ran.code == 0 && ran.stdout.contains(" sev2 "), "{ran:?}");
    let found = world.incidents("limit=1").await.remove(0);
    let told = lines(&world, &found).await;
    assert!(told[0].contains("SEV2 from impact high × urgency medium"), "{told:?}");
    let reference = found["ref"].as_str().unwrap();
    // Lower by the matrix only with a reason; over every door.
    let no = world.command(&format!("/incidents/{reference}/assess"), json!({"impact": "low", "urgency": "medium"})).await;
    assert!(no.text.contains("words_missing"), "{}", no.text);
    let ran = world.cli(&["assess", reference, "low", "medium", "--why", "one shop"]).await;
    assert!(ran.code == 0 && ran.stdout.contains("sev4"), "{ran:?}");
    let told = lines(&world, &found).await;
    assert!(told.iter().any(|line| line == "Severity sev2 → sev4 (SEV4 from impact low × urgency medium): one shop"), "{told:?}");
    let shown = world.cli(&["show", reference]).await;
    assert!(shown.stdout.contains("low, urgency medium") && shown.stdout.contains("may become"), "{shown:?}");

    // The page: the matrix is there, marks its cell without a script, and a cell declares.
    let ana = sign_in_as(&world, "ana").await;
    let page = get_as(&world, &ana, "/declare?impact=low&urgency=high").await.text;
    assert!(page.contains("value=\"low:high\" checked") && page.contains("one desk"), "{page}");
    assert_eq!(page.matches("name=\"severity\"").count(), 5 + 1 + 9);
    let done = post_form(&world, "/declare", Some(&ana), &[("title", "By a cell"), ("severity", "low:low")]).await;
    assert_eq!(done.status, 303, "{}", done.text);
    let found = world.incidents("limit=1").await.remove(0);
    assert_eq!((&found["title"], &found["severity"], &found["impact"]), (&json!("By a cell"), &json!("sev5"), &json!("low")));
    let half = post_form(&world, "/declare", Some(&ana), &[("title", "Half"), ("impact", "low")]).await;
    assert!(half.status == 422 && half.text.contains("urgency is missing"), "{} {}", half.status, half.text);
}

async fn who_is_not_sure_takes_the_higher_and_the_log_says_from_what(database: Database) {
    let world = world_of(database, organisation()).await;
    let both = declare(&world, json!({"title": "x", "type": "desk", "potential": "sev2", "page": false})).await;
    assert_eq!((&both["severity"], &both["potential"]), (&json!("sev2"), &json!("sev2")));
    let told = lines(&world, &both).await;
    assert!(told[0].contains("the higher of what is known, the type Service desk (sev4) and what it may become (sev2)"), "{told:?}");
    let usual = declare(&world, json!({"title": "x", "type": "desk", "page": false})).await;
    assert_eq!(usual["severity"], "sev4");
    let nothing = declare(&world, json!({"title": "x", "page": false})).await;
    assert_eq!(nothing["severity"], "sev3");
    assert!(lines(&world, &nothing).await[0].contains("nobody said how bad it is"));
}

async fn an_advice_is_taken_or_kept_and_never_said_again(database: Database) {
    let mut world = world_of(database, organisation()).await;
    let incident = declare(&world, json!({"title": "Slow", "severity": "sev4", "service": "ledger", "page": false})).await;
    let reference = incident["ref"].as_str().unwrap();
    let ana = sign_in_as(&world, "ana").await;
    let address = format!("/incidents/{reference}");
    assert!(!get_as(&world, &ana, &address).await.text.contains("Take it:"));
    let no = world.command(&format!("{address}/keep"), json!({"why": "no"})).await;
    assert!(no.status == 409 && no.text.contains("nothing_advised"), "{}", no.text);
    let hit = world.act(reference, "affect", json!({"service": "checkout", "impact": "full"})).await;
    assert_eq!(hit["advice"]["severity"], "sev2", "{hit:#}");
    let page = get_as(&world, &ana, &address).await.text;
    assert_eq!(page.matches("Take it: raise to SEV2").count(), 1, "{page}");
    assert!(page.contains("Checkout, on which most depends, is hit: full"), "{page}");

    // Kept with a reason it is silent until the facts change; a blank reason is none.
    let blank = post_form(&world, &format!("{address}/keep"), Some(&ana), &[("why", " ")]).await;
    assert!(blank.status >= 400 && blank.text.contains("This was not done"), "{}", blank.text);
    let kept = post_form(&world, &format!("{address}/keep"), Some(&ana), &[("why", "it is a test till")]).await;
    assert_eq!(kept.status, 303, "{}", kept.text);
    world.advance(30 * MINUTE).await;
    assert_eq!(world.api(&address).await["advice"], Value::Null);
    assert!(!get_as(&world, &ana, &address).await.text.contains("Take it:"));
    let told = lines(&world, &incident).await;
    assert!(told.iter().any(|line| line == "Ana Ruiz kept sev4, though sev2 was advised: it is a test till"), "{told:?}");
    for service in ["search", "shop"] {
        world.act(reference, "affect", json!({"service": service, "impact": "partial"})).await;
    }
    let page = get_as(&world, &ana, &address).await.text;
    assert!(page.contains("3 services are hit in part or in full"), "{page}");
    // Taken by one tap, with its reason; then nothing is left to say.
    let fields = [("severity", "sev2"), ("why", "3 services are hit in part or in full")];
    let taken = post_form(&world, &format!("{address}/severity"), Some(&ana), &fields).await;
    assert_eq!(taken.status, 303, "{}", taken.text);
    let now = world.api(&address).await;
    assert_eq!((&now["severity"], &now["advice"]), (&json!("sev2"), &Value::Null), "{now:#}");

    // What it may become stands at the head only where it differs.
    world.act(reference, "potential", json!({"severity": "sev2"})).await;
    assert!(!get_as(&world, &ana, &address).await.text.contains("May become"));
    let worse = world.act(reference, "potential", json!({"severity": "sev1", "why": "one site is left"})).await;
    assert_eq!(worse["advice"]["reasons"], json!(["it may become sev1, and is not mitigated"]), "{worse:#}");
    assert!(get_as(&world, &ana, &address).await.text.contains("May become"));
}

async fn whoever_has_it_is_asked_to_judge_again_and_nobody_is_paged_for_it(database: Database) {
    let mut world = world_of(database, organisation()).await;
    world.fire("disk").await;
    world.press(&world.hook.to("ana")[0].ack_path()).await.ok();
    let incident = world.incident().await;
    let reference = incident["ref"].as_str().unwrap().to_owned();
    let asked = async |world: &World| {
        let found = world.api(&format!("/incidents/{reference}/expectations")).await;
        let all: Vec<Value> = found["items"].as_array().unwrap().iter().filter(|one| one["rule"] == "incident.reassess").cloned().collect();
        all.iter().map(|one| one["state"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(asked(&world).await, [""; 0]);
    let told = world.hook.told("ana").len();
    for (service, impact) in [("search", "degraded"), ("shop", "degraded"), ("search", "none")] {
        world.act(&reference, "affect", json!({"service": service, "impact": impact})).await;
    }
    assert_eq!(asked(&world).await, ["live"], "once, however much changes");
    world.advance(11 * MINUTE).await;
    assert_eq!(asked(&world).await, ["missed"]);
    assert!(lines(&world, &incident).await.iter().any(|line| line == "Nobody judged again how bad it is"));
    world.act(&reference, "affect", json!({"service": "ledger", "impact": "degraded"})).await;
    assert_eq!(asked(&world).await, ["missed"], "not so soon again");
    assert_eq!(world.hook.told("ana").len(), told, "nobody is told of it");
    world.advance(20 * MINUTE).await;
    world.act(&reference, "affect", json!({"service": "ledger", "impact": "partial"})).await;
    assert!(asked(&world).await.contains(&"live".to_owned()));
    world.act(&reference, "severity", json!({"severity": "sev1", "why": "it spreads"})).await;
    assert!(!asked(&world).await.contains(&"live".to_owned()), "a judgement answers it");
}

async fn what_may_be_hit_next_is_drawn_and_said_with_one_tap(database: Database) {
    let world = world_of(database, organisation()).await;
    let hidden = declare(&world, json!({"title": "Hidden rival", "severity": "sev1", "service": "search", "page": false})).await;
    world.act(hidden["ref"].as_str().unwrap(), "restrict", json!({"why": "quiet"})).await;
    let incident = declare(&world, json!({"title": "Payments fail", "severity": "sev2", "service": "checkout", "page": false})).await;
    let reference = incident["ref"].as_str().unwrap();
    let blast = world.api(&format!("/incidents/{reference}/blast")).await;
    let stands: Vec<(&str, u64)> = blast["services"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["service"].as_str().unwrap(), one["distance"].as_u64().unwrap()))
        .collect();
    assert_eq!(stands, [("checkout", 0), ("search", 1), ("shop", 2)]);
    let ben = sign_in_as(&world, "ben").await;
    let page = get_as(&world, &ben, &format!("/incidents/{reference}?tab=more")).await.text;
    for words in ["Search depends on Checkout: may be hit next", "role=\"img\"", "Blast radius", "Search is hit", "Shop &lt;front&gt;"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert!(!page.contains("Hidden rival") && page.len() < 100_000, "{}", page.len());
    let picture = get_as(&world, &ben, &format!("/incidents/{reference}/blast.svg")).await;
    assert!(picture.header("content-type") == Some("image/svg+xml") && picture.text.starts_with("<svg"), "{}", picture.text);
    assert!(picture.text.contains("class=\"hit\"") && picture.text.contains("class=\"next\""), "{}", picture.text);
    let missing = get_as(&world, &ben, &format!("/incidents/{}/blast.svg", hidden["ref"].as_str().unwrap())).await;
    assert_eq!(missing.status, 404, "{}", missing.text);
    let tapped = post_form(
        &world,
        &format!("/incidents/{reference}/affect"),
        Some(&ben),
        &[("service", "search"), ("impact", "degraded"), ("tab", "more")],
    )
    .await;
    assert_eq!(tapped.status, 303, "{}", tapped.text);
    let shown = world.cli(&["show", reference]).await;
    assert!(shown.stdout.contains("Shop <front> depends on Search: may be hit next"), "{shown:?}");
    // What somebody said is not affected is not guessed at.
    world.act(reference, "affect", json!({"service": "shop", "impact": "none"})).await;
    let blast = world.api(&format!("/incidents/{reference}/blast")).await;
    assert_eq!(blast["services"].as_array().unwrap().len(), 2, "{blast:#}");

    // How alarms come, and what was measured.
    let alarm = json!({"title": "5xx", "dedup_key": "e", "severity": "critical", "labels": {"value": "12.4 %"}});
    world.signal(alarm).await;
    let found = world.incidents("limit=1").await.remove(0);
    let whole = world.api(&format!("/incidents/{}", found["ref"].as_str().unwrap())).await;
    assert_eq!((&whole["alarms"]["lately"], &whole["alarms"]["values"]), (&json!(1), &json!(["5xx: 12.4 %"])), "{whole:#}");
}
