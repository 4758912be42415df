//! What regulators are owed: a rule may apply, somebody decides, its reports are awaited, each from the submission before it, and
//! nothing is closed while something is owed or undecided.

use allclear_trial::{Database, World, org};
use serde_json::{Value, json};

use crate::sign_in::{get_as, sign_in_as};
use crate::{begun, on_both, world_of};

on_both!(
    a_rule_that_may_apply_is_decided_on_warned_of_and_missed_once,
    a_submission_brings_what_follows_and_nothing_is_filed_twice,
    nothing_is_closed_while_something_is_owed_or_undecided,
    a_running_obligation_keeps_the_rule_it_began_with,
    a_merge_takes_obligations_along_and_a_cancelling_ends_them,
);

/// Seconds of an hour.
const HOUR: u64 = 3600;

const OBLIGATIONS: &str = r#"
severities: [{id: sev2, update_every: 0s, acknowledgement_lasts: never}]
calendars: [{id: madrid, time_zone: Europe/Madrid, hours: [{days: [Mon, Tue, Wed, Thu, Fri], from: "09:00", to: "17:00"}]}]
obligations:
  - {id: bank, name: Banking 36 hours, rule: us-banking, match: 'service="search"'}
  - {id: gdpr, rule: gdpr-33, calendar: madrid}
  - {id: soci, rule: au-soci-critical}
  - {id: labelled, rule: cert-in, match: 'regulated="yes"'}
"#;

fn organisation() -> String {
    [&org::usual(), OBLIGATIONS].concat()
}

fn told(world: &World, who: &str, words: &str) -> usize {
    world.hook.told(who).iter().filter(|told| told.page()["text"].as_str().unwrap_or_default().contains(words)).count()
}

async fn awaited(world: &World, reference: &str) -> Vec<String> {
    let found = world.api(&format!("/incidents/{reference}/expectations")).await;
    let live = found["items"].as_array().unwrap().iter().filter(|one| one["rule"] == "incident.obligation" && one["state"] == "live");
    let mut keys: Vec<String> = live.map(|one| one["key"].as_str().unwrap().to_owned()).collect();
    keys.sort();
    keys
}

fn of<'a>(incident: &'a Value, form: &str) -> &'a Value {
    incident["obligations"].as_array().unwrap().iter().find(|one| one["form"] == form).unwrap_or_else(|| panic!("{form}: {incident:#}"))
}

async fn code(world: &World, reference: &str, verb: &str, body: Value) -> (u16, String) {
    let answer = world.command(&format!("/incidents/{reference}/{verb}"), body).await;
    (answer.status, answer.body["code"].as_str().unwrap_or_default().to_owned())
}

async fn a_rule_that_may_apply_is_decided_on_warned_of_and_missed_once(database: Database) {
    let mut world = world_of(database, organisation()).await;
    let reference = begun(&world, "the disk of db-7").await;
    let incident = world.api(&format!("/incidents/{reference}")).await;
    assert!(incident["obligations"].is_null(), "nothing matched: {incident:#}");
    world.act(&reference, "service", json!({"service": "search"})).await;
    let incident = world.api(&format!("/incidents/{reference}")).await;
    let bank = of(&incident, "bank");
    assert_eq!(
        (bank["state"].as_str(), bank["status"].as_str(), bank["version"].as_str()),
        (Some("may_apply"), Some("in_force"), Some("2026-11"))
    );
    assert!(awaited(&world, &reference).await.is_empty(), "a clock starts by a decision");

    // The question stands among the first things on the page.
    let cookie = sign_in_as(&world, "ana").await;
    let page = get_as(&world, &cookie, &format!("/incidents/{reference}")).await.text;
    let (asked, tabs) = (page.find("Banking 36 hours</bdi></strong> may apply"), page.find("Parts of this incident"));
    assert!(asked.is_some() && asked < tabs, "{page}");

    assert_eq!(code(&world, &reference, "awareness", json!({"obligation": 1, "decision": "applies", "why": " "})).await.1, "words_missing");
    assert_eq!(
        code(&world, &reference, "awareness", json!({"obligation": 65, "decision": "applies", "why": "x"})).await,
        (404, "no_such_obligation".into())
    );
    let aware = world.cli(&["obligation", "applies", &reference, "1", "it is a notification incident 🏦"]).await;
    assert!(aware.code == 0 && aware.stdout.contains("report 1, notification"), "{} {}", aware.stdout, aware.stderr);
    let due = of(&world.api(&format!("/incidents/{reference}")).await, "bank")["reports"][0]["due_at"].clone();
    world.act(&reference, "awareness", json!({"obligation": 1, "decision": "applies", "why": "said again"})).await;
    let incident = world.act(&reference, "severity", json!({"severity": "sev2", "why": "smaller than thought"})).await;
    assert_eq!(of(&incident, "bank")["reports"][0]["due_at"], due, "neither moves it");
    assert_eq!(awaited(&world, &reference).await, ["obligation:1:1"]);
    // Whether it is as bad as it is said to be is asked first, and answered.
    world.command(&format!("/incidents/{reference}/keep"), json!({"why": "as bad as it is said to be"})).await;
    let board = get_as(&world, &cookie, "/").await.text;
    assert!(board.contains("report to a regulator"), "{board}");

    world.restart_after(std::time::Duration::from_secs(5)).await;
    world.advance(18 * HOUR).await;
    assert_eq!(told(&world, "ana", "50 % of the time for Banking 36 hours: notification is over"), 1);
    world.advance(11 * HOUR).await;
    assert_eq!(told(&world, "ana", "80 % of the time for Banking 36 hours"), 1);
    world.advance(7 * HOUR).await;
    assert_eq!(told(&world, "ana", "Not submitted in time: Banking 36 hours: notification"), 1);
    world.advance(48 * HOUR).await;
    let incident = world.incident().await;
    assert_eq!(world.bodies(&incident, "obligation_missed").await.len(), 1, "once");
    let shown = world.cli(&["show", &reference]).await.stdout;
    assert!(shown.contains("Banking 36 hours, notification, to your federal regulator") && shown.contains("(late)"), "{shown}");
    // An earlier awareness is known: a correction, kept with the breach.
    let earlier = (world.now().await - jiff::SignedDuration::from_hours(80)).to_string();
    let why = json!({"obligation": 1, "decision": "applies", "why": "the mail of that day", "aware_at": earlier});
    let corrected = world.act(&reference, "awareness", why).await;
    assert!(of(&corrected, "bank")["reports"][0]["late"] == true && of(&corrected, "bank")["reports"][0]["due_at"] != due, "{corrected:#}");
}

async fn a_submission_brings_what_follows_and_nothing_is_filed_twice(database: Database) {
    let mut world = world_of(database, organisation()).await;
    let reference = begun(&world, "the disk of db-7").await;
    assert_eq!(code(&world, &reference, "obligation", json!({"rule": "sox"})).await, (404, "obligation_not_adopted".into()));
    world.act(&reference, "obligation", json!({"rule": "soci"})).await;
    world.act(&reference, "obligation", json!({"rule": "gdpr"})).await;
    assert_eq!(code(&world, &reference, "submission", json!({"obligation": 1, "report": 1})).await, (409, "obligation_not_running".into()));
    world.act(&reference, "awareness", json!({"obligation": 1, "decision": "applies", "why": "the asset is down"})).await;
    world.act(&reference, "awareness", json!({"obligation": 2, "decision": "applies", "why": "records left the house"})).await;
    assert_eq!(awaited(&world, &reference).await, ["obligation:1:1", "obligation:2:1"], "several at once");
    world.advance(HOUR).await;
    let body = json!({"obligation": 1, "report": 1, "reference": "ASD-7", "evidence": "https://files.example.org/7", "items": "1"});
    let done = world.act(&reference, "submission", body.clone()).await;
    let again = world.act(&reference, "submission", body).await;
    assert_eq!(done["obligations"], again["obligations"], "said twice it files nothing more");
    assert_eq!(awaited(&world, &reference).await, ["obligation:1:2", "obligation:2:1"]);
    let soci = of(&done, "soci");
    assert!(soci["reports"][0]["content"][0]["said"] == true && soci["reports"][1]["submitted_at"].is_null(), "{soci:#}");
    let at = |value: &Value| value.as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    let after = at(&soci["reports"][1]["due_at"]).duration_since(at(&soci["reports"][0]["submitted_at"]));
    assert_eq!(after.as_hours(), 84, "from the submission");
    assert_eq!(code(&world, &reference, "submission", json!({"obligation": 1, "report": 1, "reference": "X"})).await.1, "report_submitted");
    assert_eq!(code(&world, &reference, "submission", json!({"obligation": 1, "report": 3})).await.1, "no_such_report");
    assert_eq!(
        code(&world, &reference, "submission", json!({"obligation": 1, "report": 2, "items": "7"})).await,
        (422, "no_such_item".into())
    );
    let early = json!({"obligation": 1, "report": 2, "submitted_at": "2001-01-01T00:00:00Z"});
    assert_eq!(code(&world, &reference, "submission", early).await.1, "out_of_order");
    let cli = world.cli(&["obligation", "submitted", &reference, "1", "2"]).await;
    assert!(cli.code == 0 && cli.stdout.contains("fulfilled"), "{} {}", cli.stdout, cli.stderr);
    let incident = world.incident().await;
    assert_eq!(world.bodies(&incident, "obligation_submitted").await.len(), 2);
}

async fn nothing_is_closed_while_something_is_owed_or_undecided(database: Database) {
    let mut world = world_of(database, organisation()).await;
    let reference = begun(&world, "the disk of db-7").await;
    world.act(&reference, "obligation", json!({"rule": "bank"})).await;
    world.act(&reference, "obligation", json!({"rule": "soci"})).await;
    world.act(&reference, "awareness", json!({"obligation": 2, "decision": "applies", "why": "the asset is down"})).await;
    world.act(&reference, "resolve", json!({})).await;
    assert_eq!(awaited(&world, &reference).await, ["obligation:2:1"], "it is owed when it is over");
    assert_eq!(code(&world, &reference, "close", json!({})).await, (409, "obligation_open".into()));
    world.advance(13 * HOUR).await;
    assert_eq!(told(&world, "ana", "Not submitted in time: Australia SOCI, significant impact: report"), 1, "also when it is over");
    let cookie = sign_in_as(&world, "ana").await;
    for path in ["/", "/?wall"] {
        let board = get_as(&world, &cookie, path).await.text;
        let owed = board.split("Owed after the end").nth(1).unwrap_or_default();
        assert!(owed.contains(&reference) && owed.contains("Australia SOCI") && owed.contains("due late"), "{path}: {board}");
    }
    world.act(&reference, "submission", json!({"obligation": 2, "report": 1})).await;
    world.act(&reference, "submission", json!({"obligation": 2, "report": 2})).await;
    assert_eq!(code(&world, &reference, "close", json!({})).await.1, "obligation_open", "nobody decided on the other");
    assert!(!get_as(&world, &cookie, "/").await.text.contains("Owed after the end"), "nothing is awaited any more");
    let page = get_as(&world, &sign_in_as(&world, "ana").await, &format!("/incidents/{reference}")).await.text;
    assert!(page.contains("A regulator may be owed still; closing ends these clocks"), "{page}");
    let closed = world.act(&reference, "close", json!({"waive": "counsel answers for it"})).await;
    assert_eq!((closed["state"].as_str(), of(&closed, "bank")["state"].as_str()), (Some("closed"), Some("waived")));
    let lines = world.cli(&["log", &reference]).await.stdout;
    assert!(lines.contains("closed it with this open (1. Banking 36 hours): counsel answers for it"), "{lines}");
}

async fn a_running_obligation_keeps_the_rule_it_began_with(database: Database) {
    let world = world_of(database, organisation()).await;
    let reference = begun(&world, "the disk of db-7").await;
    world.act(&reference, "obligation", json!({"rule": "soci"})).await;
    world.act(&reference, "awareness", json!({"obligation": 1, "decision": "applies", "why": "the asset is down"})).await;
    let before = of(&world.api(&format!("/incidents/{reference}")).await, "soci").clone();
    // It is another rule since, in a time of its own; and one that is not law is refused unless somebody says so.
    let other = |rule: &str, more: &str| format!("obligations: [{{id: soci, rule: {rule}{more}}}]");
    let ask = async |what: &str, text: String| {
        let request = world.client.post(world.at(&format!("/api/v1/org/{what}"))).bearer_auth(org::ADMIN_TOKEN);
        world.send(request.header("content-type", "application/yaml").body(text)).await
    };
    let checked = async |rule: &str, more: &str| ask("check", other(rule, more)).await.text;
    assert!(checked("circia-incident", "").await.contains("although_not_law"));
    assert!(checked("gdpr-331", "").await.contains("is no rule that is shipped"));
    assert!(checked("us-banking", ", length: 12 hours").await.contains("does not say why"));
    assert!(checked("us-banking", ", length: soon, why: x").await.contains("is no period"));
    let fine = checked("circia-incident", ", although_not_law: true, length: 12 hours, why: ours").await;
    assert!(!fine.contains("obligations"), "{fine}");
    let applied = ask("apply", other("cert-in", ", length: 1 hour, why: ours")).await;
    assert_eq!(applied.status, 200, "{}", applied.text);
    let corrected = json!({"obligation": 1, "decision": "applies", "why": "earlier", "aware_at": (world.now().await - jiff::SignedDuration::from_mins(30)).to_string()});
    let after = world.act(&reference, "awareness", corrected).await;
    let after = of(&after, "soci");
    assert_eq!(
        (&after["rule"], &after["version"], &after["reports"][0]["within"]),
        (&before["rule"], &before["version"], &json!("12 hours"))
    );
    let now = of(&world.act(&reference, "note", json!({"text": "x"})).await, "soci")["rule"].clone();
    assert_eq!(now, before["rule"], "what is changed changes nothing that runs");
}

async fn a_merge_takes_obligations_along_and_a_cancelling_ends_them(database: Database) {
    let world = world_of(database, organisation()).await;
    let reference = begun(&world, "the disk of db-7").await;
    world.act(&reference, "obligation", json!({"rule": "soci"})).await;
    world.act(&reference, "awareness", json!({"obligation": 1, "decision": "applies", "why": "the asset is down"})).await;
    let other = world.command("/incidents", json!({"title": "another", "page": false, "service": "search"})).await.ok().body;
    let into = other["ref"].as_str().unwrap();
    assert_eq!(of(&world.api(&format!("/incidents/{into}")).await, "bank")["state"], "may_apply", "found as it was declared");
    world.act(&reference, "merge", json!({"into": into})).await;
    assert_eq!((awaited(&world, &reference).await.len(), awaited(&world, into).await), (0, vec!["obligation:2:1".to_owned()]));
    world.act(into, "submission", json!({"obligation": 2, "report": 1})).await;
    let apart = world.act(&reference, "take_apart", json!({})).await;
    assert!(of(&apart, "soci")["reports"][0]["submitted_at"].is_string(), "{apart:#}");
    assert_eq!((awaited(&world, &reference).await, awaited(&world, into).await.len()), (vec!["obligation:1:2".to_owned()], 0));
    let cancelled = world.act(&reference, "cancel", json!({"why": "a drill"})).await;
    assert_eq!((of(&cancelled, "soci")["state"].as_str(), awaited(&world, &reference).await.len()), (Some("ended"), 0));
    let lines = world.cli(&["log", &reference]).await.stdout;
    assert!(lines.contains("Obligations end with the incident, which was none: 1. Australia SOCI"), "{lines}");
    assert_eq!(code(&world, &reference, "submission", json!({"obligation": 1, "report": 2})).await.1, "already_cancelled");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_label_of_an_alarm_says_that_a_rule_may_apply_and_a_private_incident_shows_nothing() {
    let people = "  - {id: dee, name: Dee Far}\nteams:\n";
    let routes = "routes:\n  - {match: 'severity=\"warning\"', declare: candidate}\n";
    let world = world_of(Database::Sqlite, organisation().replacen("teams:\n", people, 1) + routes).await;
    let now = world.now().await.to_string();
    world.prometheus(json!([{"labels": {"alertname": "Leak", "severity": "critical", "regulated": "yes"}, "startsAt": now}])).await;
    world.quiet().await;
    let incident = world.incident().await;
    assert_eq!(of(&incident, "labelled")["because"], "its matchers");
    // What an alarm says that makes a candidate is known when that becomes an incident, and nobody decides on it before.
    world.prometheus(json!([{"labels": {"alertname": "Trickle", "severity": "warning", "regulated": "yes"}, "startsAt": now}])).await;
    world.quiet().await;
    let trickle = world.incidents("").await.into_iter().find(|one| one["title"] == "Trickle").unwrap();
    let candidate = trickle["ref"].as_str().unwrap();
    assert_eq!((&trickle["state"], of(&trickle, "labelled")["state"].as_str()), (&json!("candidate"), Some("may_apply")), "{trickle:#}");
    let decision = json!({"obligation": 1, "decision": "applies", "why": "x"});
    assert_eq!(code(&world, candidate, "awareness", decision.clone()).await.1, "not_declared");
    world.act(candidate, "declare", json!({})).await;
    assert_eq!(of(&world.act(candidate, "awareness", decision).await, "labelled")["state"], "applies");
    let reference = incident["ref"].as_str().unwrap();
    world.press(&world.hook.to("ana")[0].ack_path()).await.ok();
    world.act(reference, "restrict", json!({"why": "a leak"})).await;
    let cookie = sign_in_as(&world, "dee").await;
    let page = get_as(&world, &cookie, &format!("/incidents/{reference}")).await;
    assert!(page.status == 404 && !page.text.contains("CERT-In"), "{}", page.text);
    assert!(!get_as(&world, &cookie, "/").await.text.contains("report to a regulator"));
}
