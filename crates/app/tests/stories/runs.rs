//! What a plan decides, brings in and proposes once it runs: a decision is made by a button and skips what it says, other
//! organisations take part and are asked, obligations are proposed, and what is gone is left out in words.

use allclear_trial::{Database, World, org};
use serde_json::{Value, json};

use crate::copies::run;
use crate::sign_in::{get_as, post_form, sign_in_as};
use crate::{on_both, world_of};

on_both!(
    a_decision_is_made_by_a_button_and_skips_what_it_says,
    a_decision_is_made_from_a_terminal_and_by_a_program,
    a_plan_brings_organisations_in_and_asks_them,
    a_plan_proposes_what_may_be_owed,
    what_is_gone_is_left_out_and_the_plan_goes_on,
    a_plan_that_decides_too_much_is_refused_where_it_stands,
    of_many_decisions_the_first_stand_open_on_the_page,
    a_private_incident_brings_an_organisation_in_without_a_word_of_it,
);

const PLANS: &str = r#"
severities: [{id: sev2, update_every: 0s, acknowledgement_lasts: never}]
organisations:
  - {id: cert, name: National CERT, kind: agency, contacts: [{id: hook, webhook: "{HOOK}/cert", secret: "{SECRET}"}]}
  - {id: cloud, name: Cloud & Sons, kind: vendor, contacts: [{id: hook, webhook: "{HOOK}/cloud", secret: "{SECRET}"}]}
obligations:
  - {id: gdpr, rule: gdpr-33}
plans:
  - id: outage
    name: Service outage
    involve: ["organisation:cloud"]
    ask: [{organisation: cert, text: "Please look at your side", within: 30m}]
    obligations: [gdpr]
    tasks:
      - {id: scope, text: Say what is affected, within: 10m}
      - id: way
        text: Decide on the other site
        after: [scope]
        within: 15m
        question: Fail over?
        options: [{text: Fail over, reversible: true}, {text: Wait, skips: [switch]}]
      - {id: switch, text: Move the traffic, after: [way], within: 20m}
      - {id: check, text: Check that it holds, after: [way, switch], within: 5m}
"#;

fn organisation() -> String {
    [&org::usual(), PLANS].concat()
}

/// An incident that ana has and in which the plan runs.
async fn begun(world: &World) -> String {
    world.fire("the disk of db-7").await;
    world.press(&world.hook.to("ana")[0].ack_path()).await.ok();
    world.quiet().await;
    let reference = world.incident().await["ref"].as_str().unwrap().to_owned();
    world.act(&reference, "plan", json!({"plan": "outage"})).await;
    world.quiet().await;
    reference
}

async fn awaited(world: &World, reference: &str, rule: &str) -> Vec<String> {
    let found = world.api(&format!("/incidents/{reference}/expectations")).await;
    let live = found["items"].as_array().unwrap().iter().filter(|one| one["rule"] == rule && one["state"] == "live");
    live.map(|one| one["key"].as_str().unwrap().to_owned()).collect()
}

/// Where the tasks stand, in their order.
fn states(incident: &Value) -> Vec<&str> {
    incident["tasks"].as_array().unwrap().iter().map(|task| task["state"].as_str().unwrap()).collect()
}

async fn a_decision_is_made_by_a_button_and_skips_what_it_says(database: Database) {
    let world = world_of(database, organisation()).await;
    let reference = begun(&world).await;
    let ana = sign_in_as(&world, "ana").await;
    let tasks = format!("/incidents/{reference}?tab=tasks");
    let page = get_as(&world, &ana, &tasks).await.text;
    assert!(!page.contains("name=\"option\""), "it waits for what comes before it: {page}");
    world.act(&reference, "task", json!({"task": 1, "state": "done"})).await;
    let page = get_as(&world, &ana, &tasks).await.text;
    for words in ["Fail over?", "name=\"option\" value=\"1\">Fail over</button>", "name=\"option\" value=\"2\">Wait</button>", "skips 3"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert!(!page.contains("aria-label=\"Done: step 2\""), "it is not ticked off: {page}");

    let path = format!("/incidents/{reference}/task");
    let short = post_form(&world, &path, Some(&ana), &[("done", "2")]).await;
    assert!(short.status == 409 && short.text.contains("choose one of its options"), "{}", short.text);
    let undecided = post_form(&world, &path, Some(&ana), &[("task", "2"), ("state", "done")]).await;
    assert!(undecided.status == 409 && undecided.text.contains("choose one of its options (1. Fail over; 2. Wait)"), "{}", undecided.text);
    assert!(undecided.text.contains("name=\"option\" value=\"2\""), "the refusal stands beside what would work: {}", undecided.text);
    let chosen = post_form(&world, &path, Some(&ana), &[("task", "2"), ("option", "2"), ("note", "the vendor is near")]).await;
    assert_eq!(chosen.status, 303, "{}", chosen.text);
    world.quiet().await;

    // One commit: the decision as any other, the step done, what it skips left with the reason, and what comes after it begun.
    let whole = world.api(&format!("/incidents/{reference}")).await;
    assert_eq!(states(&whole), ["done", "done", "dropped", "open"]);
    let made = &whole["decisions"][0];
    assert_eq!((&made["text"], &made["question"], &made["by"]), (&json!("Wait: the vendor is near"), &json!("Fail over?"), &json!("ana")));
    assert_eq!(made["options"], json!(["Fail over", "Wait"]), "{made:#}");
    let deviation = &whole["deviations"][0];
    assert_eq!((&deviation["kind"], &deviation["task"], &deviation["why"]), (&json!("skipped"), &json!(3), &json!("decided: Wait")));
    assert_eq!(awaited(&world, &reference, "incident.task").await, ["task:4"]);
    let incident = world.incident().await;
    assert_eq!((world.bodies(&incident, "decision_made").await.len(), world.bodies(&incident, "task_dropped").await.len()), (1, 1));
    let again = world.command(&path, json!({"task": 2, "option": "1"})).await;
    assert_eq!((again.status, again.body["code"].as_str()), (409, Some("task_ended")), "{:#}", again.body);
    let page = get_as(&world, &ana, &tasks).await.text;
    assert!(page.contains("decided: Wait") && !page.contains("name=\"option\""), "{page}");
}

async fn a_decision_is_made_from_a_terminal_and_by_a_program(database: Database) {
    let world = world_of(database, organisation()).await;
    let reference = begun(&world).await;
    let shown = world.api(&format!("/incidents/{reference}")).await;
    let task = &shown["tasks"][1];
    assert_eq!(task["question"], "Fail over?", "{task:#}");
    assert_eq!(task["options"][0], json!({"text": "Fail over", "skips": [], "reversible": true}), "{task:#}");
    assert_eq!(task["options"][1], json!({"text": "Wait", "skips": [3], "reversible": null}), "{task:#}");
    let refused = async |body: Value| {
        let answer = world.command(&format!("/incidents/{reference}/task"), body).await;
        (answer.status, answer.body["code"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(refused(json!({"task": 2, "option": "3"})).await, (404, "no_such_option".to_owned()));
    assert_eq!(refused(json!({"task": 2, "option": "\u{1f525}"})).await, (404, "no_such_option".to_owned()));
    assert_eq!(refused(json!({"task": 1, "option": "1"})).await, (409, "no_decision".to_owned()));
    assert_eq!(refused(json!({"task": 2, "state": "done"})).await, (409, "step_undecided".to_owned()));
    assert_eq!(refused(json!({"option": "1"})).await.0, 400);
    assert_eq!(refused(json!({"task": 2, "option": "1", "state": "done"})).await.0, 400);
    // Before its turn, by its words.
    let chosen = world.cli(&["task", "choose", &reference, "2", "fail over", "--note", "it burns"]).await;
    assert!(chosen.code == 0 && chosen.stdout.contains("task 2 done"), "{chosen:?}");
    let whole = world.api(&format!("/incidents/{reference}")).await;
    assert_eq!(states(&whole), ["open", "done", "open", "open"]);
    assert_eq!((&whole["decisions"][0]["text"], &whole["decisions"][0]["reversible"]), (&json!("Fail over: it burns"), &json!(true)));
    assert_eq!(whole["deviations"][0]["kind"], "out_of_order", "{whole:#}");
    let tried = world.cli(&["plan", "try", "outage"]).await;
    for words in
        ["Fail over; Wait (skips switch)", "cert: Please look at your side, within 30m", "gdpr would be proposed", "organisation:cloud"]
    {
        assert!(tried.stdout.contains(words), "{words}: {tried:?}");
    }
}

async fn a_plan_brings_organisations_in_and_asks_them(database: Database) {
    let world = world_of(database, organisation()).await;
    let reference = begun(&world).await;
    let whole = world.api(&format!("/incidents/{reference}")).await;
    let parties: Vec<&str> = whole["parties"].as_array().unwrap().iter().map(|one| one["organisation"].as_str().unwrap()).collect();
    assert_eq!(parties, ["cert", "cloud"], "{whole:#}");
    let request = &whole["requests"][0];
    assert_eq!((&request["organisation"], &request["state"]), (&json!("cert"), &json!("asked")), "{request:#}");
    let heard = world.hook.told("cert");
    assert_eq!(heard.len(), 1, "once, over the agreed way");
    let page = heard[0].page();
    let text = page["text"].as_str().unwrap();
    assert!(text.contains("Request 1: Please look at your side") && text.contains("Please answer by "), "{text}");
    assert!(!heard[0].body.to_string().contains("db-7") && page["incident"]["severity"] == "", "no more than it may be told: {page:#}");
    assert!(world.hook.told("cloud").is_empty(), "who only takes part is asked for nothing");
    assert_eq!(awaited(&world, &reference, "incident.request").await, ["request:1"], "an answer is awaited");
    assert_eq!(whole["deviations"], Value::Null, "{whole:#}");
    let tried = world.api("/plans/outage/try").await;
    assert_eq!(tried["asks"][0]["why_nobody"], Value::Null, "{tried:#}");
    assert_eq!(world.hook.told("cert").len(), 1, "whoever tries it asks nobody");
}

async fn a_plan_proposes_what_may_be_owed(database: Database) {
    let world = world_of(database, organisation()).await;
    let reference = begun(&world).await;
    let whole = world.api(&format!("/incidents/{reference}")).await;
    let owed = &whole["obligations"][0];
    assert_eq!((&owed["form"], &owed["state"]), (&json!("gdpr"), &json!("may_apply")), "{owed:#}");
    let proposed = world.bodies(&world.incident().await, "obligation_proposed").await;
    assert_eq!((proposed.len(), &proposed[0]["because"]), (1, &json!("the plan Service outage")), "{proposed:#?}");
    assert_eq!(awaited(&world, &reference, "incident.obligation").await, [""; 0], "a clock starts by a decision");
    // What is practised is owed to nobody.
    let body = json!({"title": "Practice", "severity": "sev2", "page": false, "exercise": true});
    let practised = world.command("/incidents", body).await;
    if practised.status < 300 {
        let reference = practised.body["ref"].as_str().unwrap();
        let started = world.act(reference, "plan", json!({"plan": "outage"})).await;
        assert_eq!(started["obligations"], Value::Null, "{started:#}");
    }
}

async fn what_is_gone_is_left_out_and_the_plan_goes_on(database: Database) {
    let mut world = world_of(database.clone(), organisation()).await;
    // As a form that an older program cannot read: it is set aside.
    for (kind, id) in [("organisation", "cert"), ("obligation", "gdpr")] {
        run(&world, &database, &format!("update form set body = '{{\"of_newer\": true}}' where kind = '{kind}' and id = '{id}'")).await;
    }
    world.kill().await;
    world.start_again(&[]).await;
    let reference = begun(&world).await;
    let whole = world.api(&format!("/incidents/{reference}")).await;
    assert_eq!((whole["tasks"].as_array().unwrap().len(), &whole["requests"]), (4, &Value::Null), "{whole:#}");
    let left: Vec<(&str, &str)> =
        whole["deviations"].as_array().unwrap().iter().map(|one| (one["kind"].as_str().unwrap(), one["text"].as_str().unwrap())).collect();
    assert_eq!(left, [("left_out", "organisation:cert"), ("left_out", "obligation:gdpr")], "{whole:#}");
    assert_eq!(whole["parties"].as_array().unwrap().len(), 1, "the other takes part: {whole:#}");
    let lines = allclear_trial::world::lines(&world.events(&whole).await);
    assert!(lines.contains("The plan Service outage goes on without organisation:cert: there is no organisation `cert`"), "{lines}");
    let page = get_as(&world, &sign_in_as(&world, "ana").await, &format!("/incidents/{reference}?tab=tasks")).await.text;
    assert!(page.contains("Left out") && page.contains("obligation:gdpr"), "{page}");
    let shown = world.cli(&["show", &reference]).await;
    assert!(shown.stdout.contains("organisation:cert left out"), "{shown:?}");
}

async fn a_plan_that_decides_too_much_is_refused_where_it_stands(database: Database) {
    let world = world_of(database, organisation()).await;
    let tasks = json!([{"id": "way", "text": "Decide", "question": "Which?", "options": ["Go", {"text": "Stay", "skips": ["way"]}]}]);
    let bad = json!({"tasks": tasks, "involve": ["organisation:gone"], "obligations": ["gone"], "decisions": []});
    let put = world.client.put(world.at("/api/v1/org/plan/bad")).bearer_auth(org::ADMIN_TOKEN).header("if-none-match", "*");
    let refused = put.json(&bad).send().await.unwrap();
    assert_eq!(refused.status().as_u16(), 422);
    let told = refused.text().await.unwrap();
    for words in ["is done by choosing", "`gone` is not an organisation", "`gone` is not an obligation", "no `decisions` of its own"] {
        assert!(told.contains(words), "{words}: {told}");
    }
}

async fn of_many_decisions_the_first_stand_open_on_the_page(database: Database) {
    let options: Vec<String> = (1..=6).map(|n| format!("\"Way {n} {}\"", "x".repeat(70))).collect();
    let task = |n: usize| {
        let decides =
            if n <= 12 { format!(", question: \"Which way, and why?\", options: [{}]", options.join(", ")) } else { String::new() };
        format!("{{id: t{n}, text: \"Look at part {n} of the network and say what it does\", role: operations, within: 30m{decides}}}")
    };
    let tasks: Vec<String> = (1..=60).map(task).collect();
    let large = format!("  - id: large\n    tasks: [{}]\n", tasks.join(", "));
    let world = world_of(database, [&organisation(), large.as_str()].concat()).await;
    let reference = begun(&world).await;
    world.act(&reference, "plan", json!({"plan": "large"})).await;
    let page = get_as(&world, &sign_in_as(&world, "ana").await, &format!("/incidents/{reference}?tab=tasks")).await.text;
    assert_eq!(
        (page.matches("name=\"option\"").count(), page.matches("aria-label=\"Choose for step ").count()),
        (18, 9),
        "the rest unfold"
    );
}

async fn a_private_incident_brings_an_organisation_in_without_a_word_of_it(database: Database) {
    let world = world_of(database, organisation()).await;
    world.fire("the disk of db-7").await;
    world.press(&world.hook.to("ana")[0].ack_path()).await.ok();
    world.quiet().await;
    let reference = world.incident().await["ref"].as_str().unwrap().to_owned();
    let ana = sign_in_as(&world, "ana").await;
    let closed = post_form(&world, &format!("/incidents/{reference}/restrict"), Some(&ana), &[("why", "it is about a person")]).await;
    assert_eq!(closed.status, 303, "{}", closed.text);
    let started = post_form(&world, &format!("/incidents/{reference}/plan"), Some(&ana), &[("plan", "outage")]).await;
    assert_eq!(started.status, 303, "{}", started.text);
    world.quiet().await;
    let heard = world.hook.told("cert");
    assert_eq!(heard.len(), 1, "as by hand");
    let body = heard[0].body.to_string();
    assert!(body.contains("Please look at your side") && !body.contains("db-7") && !body.contains("about a person"), "{body}");
}
