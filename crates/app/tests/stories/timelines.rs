//! Three published incidents played in virtual time, and twenty questions that somebody asks afterwards, answered from the
//! record alone: who led at 13:05, what was believed then, what others had been told.
//!
//! Times and facts are as their owners published them: GitHub, 2018-10-21 (github.blog, 2018-10-30); Slack, 2021-01-04 (its own
//! and its provider's accounts); Cloudflare, 2025-11-18 (blog.cloudflare.com). Who led and what was promised to whom was not
//! published: ana, ben and cho are ours, and so are the requests and the promises of the next word.

use allclear_trial::{Database, World, org};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::{on_both, world_of};

on_both!(twenty_questions_are_answered_from_the_record_alone, what_was_is_read_by_whoever_may_read_what_is);

const MORE: &str = r#"
audiences:
  - {id: customers, people: [cho], contacts: [{id: status, webhook: "{HOOK}/status", secret: "{SECRET}"}]}
severities: [{id: sev1, update_every: 0s, acknowledgement_lasts: never}, {id: sev2, update_every: 0s, acknowledgement_lasts: never}]
organisations:
  - {id: cloud, name: Cloud provider, kind: vendor, tlp: amber, contacts: [{id: hook, webhook: "{HOOK}/cloud", secret: "{SECRET}"}]}
  - {id: authority, name: The authority, kind: regulator, tlp: green, contacts: [{id: hook, webhook: "{HOOK}/authority", secret: "{SECRET}"}]}
"#;

/// An incident that is played by the clock of its timeline.
struct Played {
    world: World,
    reference: String,
    /// The instant of `00:00` of its first day.
    midnight: Timestamp,
}

/// Minutes since the midnight before it began: `25:05` is five past one of its second day.
fn minutes(clock: &str) -> i64 {
    let (hours, minutes) = clock.split_once(':').unwrap();
    hours.parse::<i64>().unwrap() * 60 + minutes.parse::<i64>().unwrap()
}

impl Played {
    /// Begins at this time of its clock, before anything is declared.
    async fn from(world: World, clock: &str) -> Self {
        let now = world.now().await;
        Self { midnight: now - SignedDuration::from_mins(minutes(clock)), world, reference: String::new() }
    }

    fn at(&self, clock: &str) -> Timestamp {
        self.midnight + SignedDuration::from_mins(minutes(clock))
    }

    /// Lets its clock go on to this time.
    async fn until(&mut self, clock: &str) {
        let left = self.at(clock).duration_since(self.world.now().await);
        if left.is_positive() {
            // The clock goes by whole seconds: a part of one more, so that the time was reached.
            self.world.advance(u64::try_from(left.as_secs()).unwrap() + 1).await;
        }
    }

    async fn declare(&mut self, clock: &str, title: &str, began: &str) {
        self.until(clock).await;
        let body = json!({"title": title, "severity": "sev1", "service": "checkout", "impact_started_at": self.at(began).to_string(), "page": false});
        self.reference = self.world.command("/incidents", body).await.ok().body["ref"].as_str().unwrap().to_owned();
    }

    async fn act(&mut self, clock: &str, verb: &str, body: Value) {
        self.until(clock).await;
        self.world.act(&self.reference, verb, body).await;
    }

    async fn leads(&mut self, clock: &str, person: &str) {
        self.act(clock, "role", json!({"role": "commander", "person": person, "do": "take", "why": "as agreed on the call"})).await;
    }

    /// The record as of a time of its clock, a minute having passed whole.
    async fn record(&self, clock: &str) -> Value {
        let at = self.at(clock) + SignedDuration::from_secs(59);
        self.world.api(&format!("/incidents/{}?at={at}", self.reference)).await
    }

    async fn briefing(&self, clock: &str) -> Value {
        let at = self.at(clock) + SignedDuration::from_secs(59);
        self.world.api(&format!("/incidents/{}/briefing?at={at}", self.reference)).await
    }

    /// An instant as its clock shows it.
    fn clock(&self, at: &Value) -> String {
        let Some(at) = at.as_str() else { return "not known".to_owned() };
        let minutes = at.parse::<Timestamp>().unwrap().duration_since(self.midnight).as_mins();
        format!("{:02}:{:02}", minutes / 60, minutes % 60)
    }
}

/// Who has a role, as a record says.
fn holder(record: &Value, role: &str) -> String {
    let roles = record["roles"].as_array().unwrap();
    let found = roles.iter().find(|one| one["role"] == role).and_then(|one| one["person"].as_str());
    found.unwrap_or("nobody").to_owned()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or("nothing").to_owned()
}

fn causes(record: &Value, state: &str) -> String {
    let of = |one: &&Value| one["state"] == state;
    let found: Vec<String> = record["hypotheses"].as_array().into_iter().flatten().filter(of).map(|one| text(&one["text"])).collect();
    if found.is_empty() { "nothing".to_owned() } else { found.join(", ") }
}

async fn cloudflare(world: World) -> Played {
    let mut one = Played::from(world, "11:20").await;
    one.declare("11:35", "Errors of the network", "11:28").await;
    let detected = one.at("11:31").to_string();
    one.act("11:35", "time", json!({"instant": "detected", "at": detected, "why": "the automatic test"})).await;
    one.leads("11:36", "ana").await;
    one.act("11:40", "hypothesis", json!({"text": "an attack"})).await;
    one.act("11:41", "hypothesis", json!({"text": "Workers KV is degraded"})).await;
    let told = json!({"audiences": ["customers"], "text": "We look into errors", "next_within": "30m"});
    one.act("11:48", "update", told).await;
    one.act("12:10", "request", json!({"organisation": "authority", "text": "Early word: our service is disturbed", "within": "4h"})).await;
    one.act("12:17", "update", json!({"audiences": ["customers"], "text": "Some services recover", "next_within": "1h"})).await;
    let decided = json!({"text": "Bypass the proxy for Workers KV and Access", "question": "Bypass, or wait?", "decided_by": "ana"});
    one.act("13:00", "decision", decided).await;
    let of = |number: u32, state: &str, why: &str| json!({"hypothesis": number, "state": state, "why": why});
    one.act("13:05", "hypothesis", of(2, "rejected", "the bypass lowers the impact, the errors stay")).await;
    one.leads("13:20", "ben").await;
    one.act("13:37", "task", json!({"text": "Go back to the last good file", "owner": "cho", "within": "40m"})).await;
    one.act("13:38", "hypothesis", json!({"text": "the bot-management file is too large"})).await;
    one.act("13:50", "hypothesis", of(1, "rejected", "the status page failed by coincidence")).await;
    one.act("14:24", "task", json!({"task": 1, "state": "done", "note": "the good file is tested"})).await;
    one.act("14:25", "hypothesis", of(3, "confirmed", "with the old file the errors end")).await;
    one.act("14:30", "mitigate", json!({})).await;
    one.act("15:00", "answer", json!({"request": 1, "state": "answered", "text": "Noted; a report by Friday", "reference": "A-77"})).await;
    one.act("17:06", "resolve", json!({})).await;
    one
}

async fn github(world: World) -> Played {
    let mut one = Played::from(world, "22:50").await;
    one.declare("23:09", "Two coasts took writes", "22:52").await;
    one.leads("23:11", "ben").await;
    one.act("23:11", "role", json!({"role": "scribe", "person": "cho", "do": "take", "why": "as agreed on the call"})).await;
    one.act("23:19", "decision", json!({"text": "Pause webhooks and Pages builds", "decided_by": "ben", "reversible": true})).await;
    one.act("24:05", "note", json!({"text": "The plan: restore from backup, let replicas catch up, then resume"})).await;
    let told = json!({"audiences": ["customers"], "text": "We expect all to be consistent in two hours", "next_within": "2h"});
    one.act("30:51", "update", told).await;
    one.leads("31:30", "ana").await;
    let corrected =
        json!({"audiences": ["customers"], "text": "It takes longer than we said: replicas lag behind the writes", "next_within": "4h"});
    one.act("37:15", "update", corrected).await;
    one.act("40:24", "mitigate", json!({})).await;
    one.act("47:03", "resolve", json!({})).await;
    one
}

async fn slack(world: World) -> Played {
    let mut one = Played::from(world, "06:00").await;
    one.declare("07:00", "The web tier is saturated", "06:00").await;
    one.leads("07:01", "cho").await;
    one.act("07:05", "affect", json!({"service": "search", "impact": "degraded"})).await;
    one.act("07:20", "party", json!({"organisation": "cloud", "reference": "CASE-9"})).await;
    one.act("07:25", "request", json!({"organisation": "cloud", "text": "Is the gateway saturated?", "within": "30m"})).await;
    one.act("07:40", "answer", json!({"request": 1, "state": "acknowledged"})).await;
    one.act("08:15", "task", json!({"text": "Repair provisioning", "owner": "ana", "state": "done"})).await;
    one.act("09:15", "note", json!({"text": "Degraded, but up"})).await;
    one.act("10:40", "answer", json!({"request": 1, "state": "answered", "text": "Capacity of the gateway is raised"})).await;
    one.act("10:41", "resolve", json!({})).await;
    one
}

async fn twenty_questions_are_answered_from_the_record_alone(database: Database) {
    let world = world_of(database, format!("{}{MORE}", org::usual())).await;
    let mut answers: Vec<(&str, String, &str)> = Vec::new();
    let mut ask = |question: &'static str, answer: String, is: &'static str| answers.push((question, answer, is));

    let played = cloudflare(world).await;
    let late = played.record("12:30").await;
    ask("1 Cloudflare: who led at 13:05?", holder(&played.record("13:05").await, "commander"), "ana");
    ask("2 and at 13:25?", holder(&played.record("13:25").await, "commander"), "ben");
    ask("3 When did customers first see it?", played.clock(&late["impact_started_at"]), "11:28");
    ask(
        "4 When was it detected, and when declared?",
        format!("{}, {}", played.clock(&late["detected_at"]), played.clock(&late["declared_at"])),
        "11:31, 11:35",
    );
    ask("5 What was believed at 12:30?", causes(&late, "open"), "an attack, Workers KV is degraded");
    let given_up = played.record("13:30").await;
    ask(
        "6 What had been given up by 13:30, and why?",
        format!("{}: {}", causes(&given_up, "rejected"), text(&given_up["hypotheses"][1]["why"])),
        "Workers KV is degraded: the bypass lowers the impact, the errors stay",
    );
    ask("7 Was the cause known at 13:45?", causes(&played.record("13:45").await, "confirmed"), "nothing");
    ask("8 and at 14:30?", causes(&played.record("14:30").await, "confirmed"), "the bot-management file is too large");
    let noon = played.briefing("12:05").await;
    ask("9 What did customers know at 12:05?", text(&noon["last_update"]["text"]), "We look into errors");
    ask("10 When were they to hear next, as of 12:05?", played.clock(&noon["last_update"]["next_by"]), "12:18");
    let decided = played.briefing("13:04").await;
    ask(
        "11 What was decided by 13:04?",
        played.record("13:04").await["decisions"][0]["text"].as_str().unwrap_or("nothing").to_owned(),
        "Bypass the proxy for Workers KV and Access",
    );
    assert_eq!(decided["decisions"].as_array().map(Vec::len), Some(1), "{decided:#}");
    let asked = |record: &Value| format!("{} ({})", text(&record["requests"][0]["text"]), text(&record["requests"][0]["state"]));
    ask(
        "12 What had the authority been told at 14:00?",
        asked(&played.record("14:00").await),
        "Early word: our service is disturbed (asked)",
    );
    ask(
        "13 and what had it answered by 18:00?",
        {
            let known = played.record("16:00").await;
            format!("{}, {}", text(&known["requests"][0]["answer"]), text(&known["requests"][0]["reference"]))
        },
        "Noted; a report by Friday, A-77",
    );
    ask(
        "14 What was cho doing at 14:00, until when?",
        {
            let known = played.record("14:00").await;
            format!("{} until {}", text(&known["tasks"][0]["text"]), played.clock(&known["tasks"][0]["due_at"]))
        },
        "Go back to the last good file until 14:17",
    );
    ask("15 How did it stand at 16:00?", text(&played.record("16:00").await["state"]), "mitigated");

    let played = github(played.world).await;
    ask(
        "16 GitHub: who led, who wrote at 05:00 of the second day?",
        {
            let known = played.record("29:00").await;
            format!("{}, {}", holder(&known, "commander"), holder(&known, "scribe"))
        },
        "ben, cho",
    );
    ask(
        "17 What had been promised in public by 08:00?",
        text(&played.briefing("32:00").await["last_update"]["text"]),
        "We expect all to be consistent in two hours",
    );
    ask(
        "18 and what was said of it at 14:00?",
        text(&played.briefing("38:00").await["last_update"]["text"]),
        "It takes longer than we said: replicas lag behind the writes",
    );

    let played = slack(played.world).await;
    let then = played.record("08:00").await;
    ask(
        "19 Slack: what was the provider asked by 08:00, was it late?",
        format!("{}, late: {}", asked(&then), then["requests"][0]["late"]),
        "Is the gateway saturated? (acknowledged), late: true",
    );
    ask(
        "20 Which services were hit at 07:30?",
        {
            let known = played.record("07:30").await;
            let others = known["affected"].as_array().unwrap().iter().map(|one| &one["service"]);
            std::iter::once(&known["service"]).chain(others).map(text).collect::<Vec<_>>().join(", ")
        },
        "checkout, search",
    );

    for (question, answer, _) in &answers {
        println!("{question}\n  {answer}");
    }
    assert_eq!(answers.len(), 20);
    let wrong: Vec<_> = answers.iter().filter(|(_, answer, is)| answer != is).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The gate holds for what was as for what is: an incident that is private now was never read by anybody else.
async fn what_was_is_read_by_whoever_may_read_what_is(database: Database) {
    let world = world_of(database, org::usual()).await;
    let mut played = Played::from(world, "10:00").await;
    played.declare("10:00", "Somebody reads our mail", "10:00").await;
    played.act("10:05", "note", json!({"text": "nothing to see"})).await;
    let before = played.midnight + SignedDuration::from_mins(minutes("09:00"));
    let refused = played.world.get(&format!("/api/v1/incidents/{}?at={before}", played.reference)).await;
    assert_eq!(refused.status, 422, "{}", refused.text);
    assert!(refused.text.contains("had not begun"), "{}", refused.text);
    let to_come = played.at("30:00");
    let refused = played.world.get(&format!("/api/v1/incidents/{}/briefing?at={to_come}", played.reference)).await;
    assert!(refused.status == 422 && refused.text.contains("still to come"), "{}", refused.text);
    let shown = played.world.cli(&["show", &played.reference, "--at", &played.at("10:02").to_string()]).await;
    assert!(shown.code == 0 && shown.stdout.contains("Somebody reads our mail"), "{shown:?}");
    let told = played.world.cli(&["briefing", &played.reference, "--at", &played.at("10:02").to_string()]).await;
    assert!(told.code == 0 && told.stdout.contains("What happened"), "{told:?}");
    let ben = crate::sign_in::sign_in_as(&played.world, "ben").await;
    let address = format!("/incidents/{}/briefing", played.reference);
    let page = crate::sign_in::get_as(&played.world, &ben, &format!("{address}?at=2001-01-01T00:00")).await;
    assert!(page.status == 200 && page.text.contains("had not begun"), "{}", page.text);
    let page = crate::sign_in::get_as(&played.world, &ben, &address).await;
    assert!(page.status == 200 && page.text.contains("as of"), "{}", page.text);
    played.act("10:10", "restrict", json!({"why": "it names people"})).await;
    assert_eq!(crate::sign_in::get_as(&played.world, &ben, &address).await.status, 404, "private now: never read by others");
}
