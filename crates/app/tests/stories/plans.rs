//! A response plan is started in an incident and tapped through: its steps wait for each other and have their times, its roles
//! are looked for, whom it asks is paged, where it was left is listed, and nothing ends while its recovery is open.

use allclear_trial::{Database, World, org};
use serde_json::{Value, json};

use crate::copies::run;
use crate::sign_in::{get_as, post_form, sign_in_as};
use crate::{on_both, world_of};

on_both!(
    a_plan_is_tapped_through_and_says_where_it_was_left,
    a_plan_that_fits_is_proposed_and_a_rule_starts_one,
    nothing_ends_while_its_recovery_is_open_unless_somebody_says_why,
    a_plan_is_tried_without_starting_and_a_shipped_one_is_adopted,
    a_plan_of_sixty_tasks_is_one_entry_and_a_light_page,
    a_large_organisation_has_a_light_page_whose_long_forms_are_asked_for,
    a_merge_takes_what_has_to_hold_along_and_the_briefing_tells_it,
    no_alarm_is_refused_for_want_of_a_plan,
);

/// Seconds of a minute.
const MINUTE: u64 = 60;

const PLANS: &str = r#"
audiences:
  - {id: board, people: [cho]}
plans:
  - id: outage
    name: Service outage
    owner: "team:payments"
    version: 3
    review_by: 2020-01-31
    match: 'service="checkout", severity=~"sev1|sev2"'
    roles: [communications]
    involve: ["person:cho"]
    tasks:
      - {id: scope, text: Say what is affected, role: communications, within: 10m}
      - {id: failover, text: Fail over, after: [scope], within: 20m, link: "https://wiki.example.org/failover"}
      - {id: bank, text: Call the bank, person: ben, within: 30m}
      - {id: check, text: Check that it holds, after: [failover, bank], within: 5m}
    updates: [{audience: board, every: 15m}]
    recovery: [Errors are below the objective for 30 minutes, The backlog is cleared]
    links: ["https://wiki.example.org/outage"]
  - id: small
    tasks: [{id: look, text: Look at it}]
"#;

fn organisation() -> String {
    [&org::usual(), PLANS].concat()
}

/// An incident that ana has, by its reference.
async fn taken_by_ana(world: &World) -> String {
    world.fire("disk").await;
    world.press(&world.hook.to("ana")[0].ack_path()).await.ok();
    world.incident().await["ref"].as_str().unwrap().to_owned()
}

/// Keys of the tasks that are awaited, each as often as it is.
async fn awaited(world: &World, reference: &str) -> Vec<String> {
    let found = world.api(&format!("/incidents/{reference}/expectations")).await;
    let live = found["items"].as_array().unwrap().iter().filter(|one| one["rule"] == "incident.task" && one["state"] == "live");
    let mut keys: Vec<String> = live.map(|one| one["key"].as_str().unwrap().to_owned()).collect();
    keys.sort();
    keys
}

fn told(world: &World, who: &str, words: &str) -> usize {
    world.hook.told(who).iter().filter(|told| told.page()["text"].as_str().unwrap_or_default().contains(words)).count()
}

/// How the plan was left, as kind and number.
fn left(incident: &Value) -> Vec<(String, u64)> {
    let one = |one: &Value| (one["kind"].as_str().unwrap().to_owned(), one["task"].as_u64().unwrap());
    incident["deviations"].as_array().into_iter().flatten().map(one).collect()
}

async fn a_plan_is_tapped_through_and_says_where_it_was_left(database: Database) {
    let mut world = world_of(database, organisation()).await;
    let reference = taken_by_ana(&world).await;
    let unknown = world.command(&format!("/incidents/{reference}/plan"), json!({"plan": "outrage"})).await;
    assert!(unknown.text.contains("no_such_plan") && unknown.text.contains("did you mean `outage`"), "{}", unknown.text);

    let started = world.cli(&["plan", &reference, "outage"]).await;
    assert!(
        started.code == 0
            && started.stdout.contains("plan Service outage (version 3), which was to be looked through by 2020-01-31: 4 tasks"),
        "{started:?}"
    );
    assert!(
        started.stdout.contains("task 1, communications: Say what is affected") && !started.stdout.contains("Fail over"),
        "{started:?}"
    );
    world.quiet().await;
    let again = world.command(&format!("/incidents/{reference}/plan"), json!({"plan": "outage"})).await;
    assert!(again.status >= 400 && again.text.contains("plan_started"), "{}", again.text);

    // Its roles are needed, whom it asks is paged, and whose steps are theirs hears so once.
    let incident = world.incident().await;
    let needed = world.bodies(&incident, "roles_needed").await;
    assert_eq!(needed[0]["added"], json!([{"role": "communications", "within": "5m"}]), "{needed:#?}");
    let pages = world.hook.to("cho");
    assert_eq!(pages.len(), 1, "{pages:#?}");
    assert_eq!((told(&world, "ben", "Yours: 3. Call the bank"), told(&world, "ben", "Service outage")), (1, 1));
    assert_eq!(world.bodies(&incident, "plan_started").await.len(), 1);
    assert_eq!(awaited(&world, &reference).await, ["task:1", "task:3"], "the others wait");

    // One tap a step: what waits for it begins; what is skipped says why; a task that no plan has is added.
    world.advance(8 * MINUTE).await;
    world.act(&reference, "task", json!({"task": 1, "state": "done"})).await;
    assert_eq!(awaited(&world, &reference).await, ["task:2", "task:3"]);
    let no = world.command(&format!("/incidents/{reference}/task"), json!({"task": 2, "state": "dropped"})).await;
    assert!(no.status >= 400 && no.text.contains("words_missing"), "{}", no.text);
    world.act(&reference, "task", json!({"task": 4, "state": "done"})).await;
    world.act(&reference, "task", json!({"text": "Call the network people"})).await;
    world.act(&reference, "task", json!({"task": 2, "state": "dropped", "note": "the second site is down as well"})).await;
    world.advance(23 * MINUTE).await;
    let whole = world.api(&format!("/incidents/{reference}")).await;
    let kinds: std::collections::BTreeSet<String> = left(&whole).into_iter().map(|(kind, task)| format!("{kind} {task}")).collect();
    let wanted = ["added 5", "late 3", "out_of_order 4", "skipped 2"].map(str::to_owned);
    assert_eq!(kinds, wanted.into_iter().collect(), "{:#}", whole["deviations"]);
    assert_eq!(told(&world, "ben", "Task 3 is late"), 1, "once");
    let plan = &whole["plans"][0];
    assert_eq!((&plan["through"], &plan["steps"], &plan["overdue_since"]), (&json!(3), &json!(4), &json!("2020-01-31")), "{plan:#}");

    // The page, the terminal and the review say the same.
    let page = get_as(&world, &sign_in_as(&world, "ana").await, &format!("/incidents/{reference}?tab=tasks")).await.text;
    for words in ["Plan: <bdi>Service outage", "3 of 4", "Overdue", "Not as planned", "Out of order", "the second site is down as well"] {
        assert!(page.contains(words), "{words} is not on the page: {page}");
    }
    let shown = world.cli(&["show", &reference]).await;
    for words in ["Service outage, version 3: 3 of 4 steps are through", "skipped, nobody: Fail over", "task 4 out of order"] {
        assert!(shown.stdout.contains(words), "{words}: {shown:?}");
    }
    world.act(&reference, "resolve", json!({"waive": "it is only one rack"})).await;
    let review = world.cli(&["review", "show", &reference]).await;
    for words in [
        "## How the plan went",
        "Fail over (task 2, skipped): the second site is down as well",
        "Recovery waived",
        "was to be looked through by 2020-01-31",
    ] {
        assert!(review.stdout.contains(words), "{words}: {review:?}");
    }
    assert_eq!(awaited(&world, &reference).await, [""; 0], "nothing is awaited of what is over");
}

async fn a_plan_that_fits_is_proposed_and_a_rule_starts_one(database: Database) {
    let routes = "routes:\n  - {id: ask, match: 'labels.kind=\"ask\"', set: {plan: small}, declare: candidate}\n  - {id: all, match: '', set: {plan: small}}\n";
    let world = world_of(database, [&organisation(), routes].concat()).await;
    world.fire("disk").await;
    let incident = world.incident().await;
    let reference = incident["ref"].as_str().unwrap().to_owned();
    let started = world.bodies(&incident, "plan_started").await;
    assert_eq!((started.len(), &started[0]["plan"], &started[0]["because"]), (1, &json!("small"), &json!("all")), "{started:#?}");
    assert_eq!(world.hook.to("ana").len(), 1, "whom the policy names is paged as ever");
    let whole = world.api(&format!("/incidents/{reference}")).await;
    assert_eq!(whole["proposed"], json!([{"plan": "outage", "name": "Service outage", "overdue_since": "2020-01-31"}]), "{whole:#}");

    // One line with a button; it works without a script, and is gone when it was pressed.
    let ana = sign_in_as(&world, "ana").await;
    let page = get_as(&world, &ana, &format!("/incidents/{reference}")).await.text;
    assert!(page.contains("aria-label=\"Start the plan Service outage\""), "{page}");
    let done = post_form(&world, &format!("/incidents/{reference}/plan"), Some(&ana), &[("plan", "outage")]).await;
    assert_eq!(done.status, 303, "{}", done.text);
    world.quiet().await;
    let page = get_as(&world, &ana, &format!("/incidents/{reference}")).await.text;
    assert!(!page.contains("aria-label=\"Start the plan Service outage\""), "{page}");
    let whole = world.api(&format!("/incidents/{reference}")).await;
    let plans: Vec<&str> = whole["plans"].as_array().unwrap().iter().map(|plan| plan["plan"].as_str().unwrap()).collect();
    assert_eq!((plans, &whole["proposed"]), (vec!["small", "outage"], &Value::Null), "a second one joins");

    // What is only a candidate pages nobody for a plan; once it is declared the plan starts.
    world.signal(json!({"title": "Asked about", "dedup_key": "asked", "severity": "critical", "labels": {"kind": "ask"}})).await;
    let all = world.api("/incidents?state=candidate").await;
    let candidate = all["items"][0].clone();
    assert_eq!(world.bodies(&candidate, "plan_intended").await, [json!({"plan": "small", "because": "ask"})]);
    assert_eq!(world.bodies(&candidate, "plan_started").await.len(), 0);
    let declared = world.act(candidate["ref"].as_str().unwrap(), "declare", json!({})).await;
    assert_eq!(declared["plans"][0]["because"], "ask", "{declared:#}");
}

async fn nothing_ends_while_its_recovery_is_open_unless_somebody_says_why(database: Database) {
    let world = world_of(database, organisation()).await;
    let reference = taken_by_ana(&world).await;
    world.act(&reference, "plan", json!({"plan": "outage"})).await;
    let no = world.command(&format!("/incidents/{reference}/resolve"), json!({"note": "rolled back"})).await;
    assert_eq!(no.status, 409, "{}", no.text);
    for words in ["recovery_open", "1. Errors are below the objective for 30 minutes; 2. The backlog is cleared"] {
        assert!(no.text.contains(words), "{words}: {}", no.text);
    }
    // The form shows which, keeps what was typed, and asks why they may stay open.
    let ana = sign_in_as(&world, "ana").await;
    let refused = post_form(&world, &format!("/incidents/{reference}/resolve"), Some(&ana), &[("note", "rolled back it was")]).await;
    assert!(refused.text.contains("rolled back it was") && refused.text.contains("name=\"waive\""), "{}", refused.text);
    assert!(refused.text.contains("Not yet said to hold"), "{}", refused.text);

    let held = post_form(&world, &format!("/incidents/{reference}/recovery"), Some(&ana), &[("item", "1"), ("state", "done")]).await;
    assert_eq!(held.status, 303, "{}", held.text);
    let waived = world.cli(&["recovery", "waive", &reference, "2", "--why", "it drains by itself"]).await;
    assert!(waived.code == 0 && waived.stdout.contains("nothing of its recovery is open"), "{waived:?}");
    let over = world.act(&reference, "resolve", json!({"note": "rolled back"})).await;
    assert_eq!(
        (&over["state"], &over["recovery"][0]["by"], &over["recovery"][1]["state"]),
        (&json!("resolved"), &json!("ana"), &json!("waived"))
    );
    assert_eq!(over["recovery"][1]["note"], "it drains by itself");

    // It is not over: what held may hold no more. What is waived at the end is one line of the log.
    let back = world.act(&reference, "reopen", json!({"why": "it is back"})).await;
    assert_eq!(back["recovery"][0]["state"], "open", "{back:#}");
    world.act(&reference, "resolve", json!({"waive": "seen on the graphs"})).await;
    let incident = world.incident().await;
    let waived = world.bodies(&incident, "recovery_waived").await;
    assert_eq!((waived.len(), waived[1]["items"].as_array().unwrap().len()), (2, 2), "{waived:#?}");
    world.act(&reference, "close", json!({"waive": "its review comes later"})).await;
}

async fn a_plan_is_tried_without_starting_and_a_shipped_one_is_adopted(database: Database) {
    let world = world_of(database, organisation()).await;
    let tried = world.api("/plans/outage/try?service=checkout&severity=sev1").await;
    let steps: Vec<&str> = tried["tasks"].as_array().unwrap().iter().map(|task| task["step"].as_str().unwrap()).collect();
    assert_eq!((steps, &tried["fits"]), (vec!["scope", "failover", "bank", "check"], &json!(true)), "{tried:#}");
    let at = |task: usize, key: &str| tried["tasks"][task][key].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    assert_eq!(at(3, "due_at").duration_since(at(0, "begins_at")).as_mins(), 35, "the slower way, then five minutes");
    assert_eq!(tried["asks"][0]["people"][0]["contacts"], json!(["webhook hook at once"]), "{tried:#}");
    let printed = world.cli(&["plan", "try", "outage", "--service", "search"]).await;
    assert!(printed.code == 0 && printed.stdout.contains("person:cho: cho (webhook hook at once)"), "{printed:?}");
    assert!(!printed.stdout.contains("would be proposed"), "of another service: {printed:?}");
    assert!(world.incidents("").await.is_empty() && world.hook.all().is_empty(), "nothing was started, and nobody told");

    // Nine are shipped; one that is adopted is the organisation's, without whom it has not.
    let shipped = world.api("/plans/shipped").await;
    assert_eq!(shipped["items"].as_array().unwrap().len(), 9);
    let adopted = world.cli(&["plan", "adopt", "ransomware"]).await;
    assert!(adopted.code == 0 && adopted.stdout.contains("there is no audience management"), "{adopted:?}");
    let again = world.cli(&["plan", "adopt", "ransomware"]).await;
    assert!(again.code == 1 && again.stderr.contains("already"), "{again:?}");
    let form = world.api("/org/plan/ransomware").await;
    assert_eq!(form["body"]["updates"], Value::Null, "{form:#}");
    let declared = world.command("/incidents", json!({"title": "Files are encrypted", "severity": "sev1", "page": false})).await.ok();
    let reference = declared.body["ref"].as_str().unwrap();
    let started = world.act(reference, "plan", json!({"plan": "ransomware"})).await;
    assert_eq!(started["tasks"].as_array().unwrap().len(), 19);
    for shipped in shipped["items"].as_array().unwrap().iter().filter(|one| one["plan"] != "ransomware") {
        let id = shipped["plan"].as_str().unwrap();
        assert_eq!(world.command(&format!("/plans/shipped/{id}/adopt"), json!({})).await.status, 201, "{id}");
    }
}

async fn a_plan_of_sixty_tasks_is_one_entry_and_a_light_page(database: Database) {
    let tasks: Vec<String> = (1..=60)
        .map(|n| format!("{{id: t{n}, text: \"Look at part {n} of the network and say what it does\", role: operations, within: 30m}}"))
        .collect();
    let large = format!("  - id: large\n    involve: [\"team:payments\", \"person:cho\"]\n    tasks: [{}]\n", tasks.join(", "));
    let world = world_of(database, [&organisation(), large.as_str()].concat()).await;
    let reference = taken_by_ana(&world).await;
    world.act(&reference, "plan", json!({"plan": "large"})).await;
    let incident = world.incident().await;
    assert_eq!(world.bodies(&incident, "plan_started").await.len(), 1);
    assert_eq!(awaited(&world, &reference).await.len(), 60, "each is awaited once");
    let page = get_as(&world, &sign_in_as(&world, "ana").await, &format!("/incidents/{reference}?tab=tasks")).await.text;
    assert!(page.len() < 100_000, "the page has {} bytes", page.len());
    let tasks = page.matches("aria-label=\"Done: step ").count();
    assert_eq!(tasks, 60, "each is done by one tap");
}

async fn a_large_organisation_has_a_light_page_whose_long_forms_are_asked_for(database: Database) {
    let many = |line: &dyn Fn(usize) -> String| (0..200).map(|n| line(n) + "\n").collect::<String>();
    let people = many(&|n| format!("  - {{id: p{n}, name: Ignacio Fernández {n}, contacts: [{{id: mail, email: p{n}@example.org}}]}}"));
    let services = many(&|n| format!("  - {{id: s{n}, name: Settlement of accounts {n}, team: payments, escalation: payments}}"));
    let tasks: Vec<String> = (1..=60).map(|n| format!("{{id: t{n}, text: Look at part {n} of the network, within: 30m}}")).collect();
    let large = format!("  - id: large\n    tasks: [{}]\n", tasks.join(", "));
    let all = [&organisation(), large.as_str()].concat();
    let all = all.replacen("people:\n", &format!("people:\n{people}"), 1).replacen("services:\n", &format!("services:\n{services}"), 1);
    let world = world_of(database, all).await;
    let reference = taken_by_ana(&world).await;
    world.act(&reference, "role", json!({"role": "commander", "person": "ana", "do": "take", "why": "she leads"})).await;
    world.act(&reference, "plan", json!({"plan": "large"})).await;
    world.act(&reference, "decision", json!({"text": "We fail over"})).await;
    for n in 0..120 {
        let text = format!("{n}: replicas follow again, the queue shrinks by some two thousand an hour, and nobody has complained since.");
        world.act(&reference, "note", json!({"text": text})).await;
    }
    let cookie = sign_in_as(&world, "ana").await;
    let address = format!("/incidents/{reference}");
    for tab in ["", "?tab=people", "?tab=tasks", "?tab=more"] {
        let page = get_as(&world, &cookie, &format!("{address}{tab}")).await.text;
        assert!(page.len() < 100_000, "{tab}: {} bytes", page.len());
    }
    let page = get_as(&world, &cookie, &address).await.text;
    assert!(!page.contains("accounts 199") && !page.contains("Fernández 199"), "nothing lists everybody or everything");
    for (verb, tab) in
        [("escalate", ""), ("service", ""), ("affect", ""), ("restored", ""), ("role", "tab=people&amp;"), ("task", "tab=tasks&amp;")]
    {
        assert!(page.contains(&format!("href=\"{address}?{tab}do={verb}\"")), "{verb} is asked for");
        let asked = get_as(&world, &cookie, &format!("{address}?{}do={verb}", tab.replace("&amp;", "&"))).await.text;
        let form = asked.split(&format!("data-verb=\"{verb}\"")).nth(1).expect(verb).split("</form>").next().unwrap();
        let (id, name) = if matches!(verb, "escalate" | "role" | "task") { ("p199", "Fernández 199") } else { ("s199", "accounts 199") };
        assert!(form.contains(id) && form.contains(name), "{verb}: {}", &form[..form.len().min(600)]);
        // With everybody and everything that can be chosen.
        assert!(asked.len() < 110_000, "{verb}: {} bytes", asked.len());
    }
    let sent = post_form(&world, &format!("{address}/task"), Some(&cookie), &[("text", "Ring the hall"), ("owner", "p199")]).await;
    assert_eq!(sent.status, 303, "{}", sent.text);
    assert_eq!(world.incident().await["tasks"].as_array().unwrap().last().unwrap()["owner"], "p199");
}

async fn a_merge_takes_what_has_to_hold_along_and_the_briefing_tells_it(database: Database) {
    let partner = "organisations:\n  - {id: cert, name: National CERT, kind: agency, contacts: [{id: hook, webhook: \"{HOOK}/cert\", secret: \"{SECRET}\"}]}\n";
    let world = world_of(database, [&organisation(), partner].concat()).await;
    let from = taken_by_ana(&world).await;
    world.act(&from, "plan", json!({"plan": "outage"})).await;
    world.act(&from, "role", json!({"role": "communications", "person": "ana", "do": "take", "why": "she is here"})).await;
    world.act(&from, "recovery", json!({"item": 2, "state": "done"})).await;
    world.act(&from, "party", json!({"organisation": "cert"})).await;
    world.act(&from, "request", json!({"organisation": "cert", "text": "Please block it", "within": "30m"})).await;
    for text in ["Fail over", "Tell nobody"] {
        world.act(&from, "decision", json!({"text": text, "review_within": "1h"})).await;
    }
    world.act(&from, "revisit", json!({"decision": 2, "outcome": "withdrawn", "note": "they know"})).await;
    world.act(&from, "hypothesis", json!({"text": "A full disk"})).await;
    world.act(&from, "hypothesis", json!({"hypothesis": 1, "tried": "df", "result": "12 % used"})).await;

    // Whoever takes over hears what stands, whose a step is, and what is open.
    let told = world.api(&format!("/incidents/{from}/briefing")).await;
    let decided = told["decisions"].as_array().unwrap();
    assert!(decided.len() == 1 && decided[0]["line"].as_str().unwrap().contains("Fail over"), "{decided:#?}");
    assert!(!told["risks"].to_string().contains("Task 1 is nobody"), "whoever has communications does it: {:#}", told["risks"]);
    let printed = world.cli(&["briefing", &from]).await.stdout;
    let page = get_as(&world, &sign_in_as(&world, "ana").await, &format!("/incidents/{from}?tab=people")).await.text;
    let page = page.split("data-key=\"briefing\"").nth(1).expect("she has a role").split("</details>").next().unwrap();
    for words in
        ["May be the cause", "A full disk", "12 % used", "Asked of others", "Please block it", "Before it is over", "Errors are below"]
    {
        assert!(printed.contains(words) && page.contains(words), "{words}: {printed}\n{page}");
    }
    assert!(printed.contains("ana: Say what is affected"), "{printed}");

    let declared = world.command("/incidents", json!({"title": "Payments fail", "severity": "sev2", "page": false})).await.ok().body;
    let into = declared["ref"].as_str().unwrap().to_owned();
    world.act(&from, "merge", json!({"into": into})).await;
    let refused = world.command(&format!("/incidents/{into}/resolve"), json!({})).await;
    assert!(refused.text.contains("recovery_open") && refused.text.contains("1. Errors are below"), "{}", refused.text);
    let there = world.api(&format!("/incidents/{into}")).await;
    let due = there["tasks"].as_array().unwrap().iter().all(|task| task["due_at"].is_string());
    assert!(due, "what waited has its time from the merge: {:#}", there["tasks"]);
    let page = get_as(&world, &sign_in_as(&world, "ana").await, &format!("/incidents/{into}")).await.text;
    assert!(page.contains("Errors are below the objective"), "its page lists what came, without a plan of its own: {page}");
    let ended = "not awaited any more: request 1 to National CERT, whether decision 1 stands. Ask again";
    let lines = allclear_trial::world::lines(&world.events(&world.api(&format!("/incidents/{from}")).await).await);
    assert!(lines.contains("; with item 1 of recovery") && lines.contains(&format!("{ended} in {into}")), "{lines}");
    let lines = allclear_trial::world::lines(&world.events(&there).await);
    assert!(lines.contains(&format!("not awaited any more of {from}: request 1 to National CERT")), "{lines}");
    assert_eq!(world.hook.told("cert").len(), 1, "and the party hears nothing of it");

    world.act(&from, "take_apart", json!({})).await;
    world.act(&into, "resolve", json!({})).await;
    let lines = allclear_trial::world::lines(&world.events(&there).await);
    assert!(lines.contains("; item 1 of recovery went with it"), "{lines}");
    let back = world.api(&format!("/incidents/{from}")).await;
    assert_eq!((&back["recovery"][0]["state"], &back["tasks"][1]["due_at"]), (&json!("open"), &Value::Null), "{back:#}");
    let found = world.api(&format!("/incidents/{from}/expectations")).await;
    let live = |rule: &str| found["items"].as_array().unwrap().iter().filter(|one| one["rule"] == rule && one["state"] == "live").count();
    assert_eq!(live("incident.request"), 1, "it is awaited again: {found:#}");
}

/// A plan that does not read, as one of a newer version may not, is set aside; the rule that starts it stays.
async fn no_alarm_is_refused_for_want_of_a_plan(database: Database) {
    let routes =
        "routes:\n  - {match: 'severity=\"warning\"', set: {plan: small}, declare: candidate}\n  - {match: '', set: {plan: small}}\n";
    let mut world = world_of(database.clone(), [&organisation(), routes].concat()).await;
    run(&world, &database, "update form set body = '{\"of_newer\": true}' where kind = 'plan' and id = 'small'").await;
    world.kill().await;
    world.start_again(&[]).await;
    assert_eq!(world.fire("disk").await.status, 202, "the alarm counts without its plan");
    assert_eq!(world.hook.to("ana").len(), 1);
    assert_eq!(world.bodies(&world.incident().await, "plan_started").await.len(), 0);
}
