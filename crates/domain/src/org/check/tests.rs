//! One organisation that is whole, and one change at a time that breaks it.

use serde_json::{Value, json};

use super::*;
use crate::org::model::Override;
use crate::org::problem::Weight;
use crate::org::snapshot::Org;

fn whole() -> Value {
    json!({
        "people": [
            {"id": "ana", "name": "Ana", "contacts": [
                {"id": "mail", "email": "ana@example.org"},
                {"id": "hook", "webhook": "https://hooks.example/ana", "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}],
             "notify": {"high": [{"contact": "hook"}, {"contact": "mail", "after": "1m"}]}},
            {"id": "ben", "name": "Ben", "contacts": [{"id": "mail", "email": "ben@example.org"}]},
        ],
        "teams": [{"id": "payments", "name": "Payments", "members": ["ana", "ben"]}],
        "schedules": [{"id": "primary", "team": "payments", "time_zone": "Europe/Madrid",
            "layers": [{"people": ["ana", "ben"], "every": "1w", "handoff": "Mon 09:00", "starts": "2026-01-05"}]}],
        "escalations": [{"id": "payments", "steps": [{"page": ["schedule:primary"], "within": "5m"}], "repeat": 2}],
        "services": [
            {"id": "checkout", "name": "Checkout", "escalation": "payments", "depends_on": ["db"]},
            {"id": "db", "name": "Database", "escalation": "payments"}],
        "integrations": [{"id": "prom", "kind": "json", "key": "prom-key-1", "service": "checkout"}],
        "routes": [{"match": "severity=\"critical\"", "set": {"severity": "sev1", "title": "{title} on {labels.host}"}}],
        "severities": [{"id": "sev1"}],
        "silences": [{"id": "night", "match": "a=\"b\"", "starts_at": "2026-07-01T00:00:00Z", "ends_at": "2026-07-02T00:00:00Z"}],
        "catch_all": ["team:payments"],
    })
}

const KINDS: [Spoken; 2] = [Spoken { kind: "json", signs: false }, Spoken { kind: "grafana", signs: true }];

fn judge(form: &Value) -> Vec<Problem> {
    judged(&serde_json::from_value(form.clone()).unwrap())
}

fn judged(bundle: &Bundle) -> Vec<Problem> {
    check(bundle, Against { now: "2026-06-01T00:00:00Z".parse().unwrap(), kinds: &KINDS, channels: crate::channel::sample::WAYS })
}

/// The organisation with the value at a JSON pointer replaced, or added where its key is new.
fn with(pointer: &str, value: Value) -> Value {
    let mut form = whole();
    let (outer, key) = pointer.rsplit_once('/').unwrap();
    let outer = form.pointer_mut(outer).unwrap();
    match outer {
        Value::Array(list) => match key.parse::<usize>() {
            Ok(index) => list[index] = value,
            Err(_) => list.push(value),
        },
        Value::Object(_) | Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => outer[key] = value,
    }
    form
}

#[test]
fn what_is_whole_has_no_problem() {
    assert_eq!(judge(&whole()), vec![]);
    assert_eq!(judge(&json!({})), vec![], "an organisation may begin empty");
}

#[test]
fn each_error_has_its_place_and_a_hint() {
    for (pointer, value, place, message, hint) in [
        (
            "/services/0/escalation",
            json!("paymnts"),
            "services[0].escalation",
            "`paymnts` is not an escalation",
            "did you mean `payments`? known: payments",
        ),
        ("/services/0/team", json!("x"), "services[0].team", "`x` is not a team", "known: payments"),
        ("/services/1/depends_on", json!(["checkout"]), "services[0].depends_on", "circle: checkout → db → checkout", ""),
        ("/services/1/depends_on", json!(["db"]), "services[1].depends_on", "circle: db → db", ""),
        ("/services/0/depends_on", json!(["bd"]), "services[0].depends_on[0]", "`bd` is not a service", "did you mean `db`?"),
        ("/services/0/tier", json!(6), "services[0].tier", "1 (most) to 5", ""),
        ("/services/0/id", json!("Check Out"), "services[0].id", "cannot be an id", "`check-out`"),
        ("/people/1/id", json!("ana"), "people[1].id", "id of another person already, at people[0]", ""),
        ("/people/0/time_zone", json!("Europe/Madird"), "people[0].time_zone", "not a time zone", "IANA"),
        ("/people/0/email", json!("ana"), "people[0].email", "not a mail address", ""),
        ("/people/0/contacts/0", json!({"id": "mail"}), "people[0].contacts[0]", "has no address", ""),
        ("/people/0/contacts/0/webhook", json!("https://x.example"), "people[0].contacts[0]", "has two addresses", ""),
        ("/people/0/contacts/1/webhook", json!("ftp://x"), "people[0].contacts[1].webhook", "does not begin with", ""),
        ("/people/0/contacts/1/secret", json!("whsec_c2hvcnQ="), "people[0].contacts[1].secret", "24 to 64 bytes", ""),
        ("/people/0/contacts/1/secret", json!("********"), "people[0].contacts[1].secret", "none is stored", ""),
        ("/people/0/contacts/0/secret", json!("x"), "people[0].contacts[0].secret", "only a webhook has a secret", "take the secret away"),
        ("/people/0/contacts/0/emial", json!("x"), "people[0].contacts[0].emial", "unknown key `emial`", "did you mean `email`?"),
        (
            "/people/0/contacts/0/zzz",
            json!("x"),
            "people[0].contacts[0].zzz",
            "unknown key",
            "keys here: email, id, secret, verified, webhook",
        ),
        ("/people/0/contacts/1/id", json!("mail"), "people[0].contacts[1].id", "already", ""),
        (
            "/people/0/notify/high/0/contact",
            json!("hok"),
            "people[0].notify.high[0].contact",
            "`hok` is not a contact of `ana`",
            "did you mean `hook`?",
        ),
        ("/people/0/notify/high/1/after", json!("8d"), "people[0].notify.high[1].after", "longer than 1w", ""),
        ("/teams/0/managers", json!(["bne"]), "teams[0].managers[0]", "`bne` is not a person", "did you mean `ben`?"),
        ("/people/0/time_zone", json!("Factory"), "people[0].time_zone", "not a time zone", "IANA"),
        ("/people/0/time_zone", json!("Etc/Unknown"), "people[0].time_zone", "not a time zone", "IANA"),
        ("/schedules/0/time_zone", json!("Factory"), "schedules[0].time_zone", "not a time zone", ""),
        ("/schedules/0/time_zone", json!("Mars"), "schedules[0].time_zone", "not a time zone", ""),
        ("/schedules/0/layers/0/handoff", json!("Mon 9am"), "schedules[0].layers[0].handoff", "not a time of day", "09:00"),
        ("/schedules/0/layers/0/people", json!(["an"]), "schedules[0].layers[0].people[0]", "`an` is not a person", "`ana`"),
        (
            "/schedules/0/layers/0/only",
            json!([{"from": "9", "to": "17:00"}]),
            "schedules[0].layers[0].only[0].from",
            "not a time of day",
            "",
        ),
        ("/schedules/0/layers/0/ends", json!("2025-01-01"), "schedules[0].layers[0].ends", "ends before", ""),
        ("/schedules/0/layers", json!([]), "schedules[0].layers", "without layers", ""),
        ("/escalations/0/steps", json!([]), "escalations[0].steps", "has no step", ""),
        ("/escalations/0/steps/0/within", json!("0s"), "escalations[0].steps[0].within", "`0s` is not", ""),
        ("/escalations/0/steps/0/within", json!("169h"), "escalations[0].steps[0].within", "not a time to acknowledge", "at most 1w"),
        ("/escalations/0/steps/0/page", json!([]), "escalations[0].steps[0].page", "pages nobody", ""),
        (
            "/escalations/0/steps/0/page/0",
            json!("primary"),
            "escalations[0].steps[0].page[0]",
            "not a target",
            "did you mean `schedule:primary`?",
        ),
        ("/escalations/0/steps/0/page/0", json!("schedule:primry"), "escalations[0].steps[0].page[0]", "not a schedule", "`primary`"),
        ("/escalations/0/steps/0/acknowledged_by", json!(0), "escalations[0].steps[0].acknowledged_by", "cannot acknowledge", "1 to 200"),
        (
            "/escalations/0/steps/0",
            json!({"page": ["schedule:primary"], "within": "5m", "one_of": "round_robin", "acknowledged_by": 2}),
            "escalations[0].steps[0].acknowledged_by",
            "the step pages one of them",
            "take `one_of` away",
        ),
        ("/escalations/0/steps/0/when", json!({"during": "ofice"}), "escalations[0].steps[0].when.during", "not a calendar", ""),
        ("/escalations/0/steps/0/when", json!({"types": ["fire"]}), "escalations[0].steps[0].when.types[0]", "not a type", ""),
        (
            "/escalations/0/steps/0/when",
            json!({"match": "team=\"x\""}),
            "escalations[0].steps[0].when.match",
            "nothing of `team`",
            "it knows",
        ),
        ("/escalations/0/steps/0/when", json!({"match": "severity~x"}), "escalations[0].steps[0].when.match", "missing after", ""),
        (
            "/escalations/0/steps/0/when",
            json!({"match": "service=\"chekout\""}),
            "escalations[0].steps[0].when.match",
            "can never hold: no service that there is here fits it",
            "",
        ),
        (
            "/escalations/0/steps/0/when",
            json!({"severity": "sev2", "match": "severity=~\"sev[345]\""}),
            "escalations[0].steps[0].when.match",
            "can never hold: no severity",
            "",
        ),
        (
            "/escalations/0/steps/0/when",
            json!({"severity": "sev3", "urgency": "low"}),
            "escalations[0].steps[0].when.urgency",
            "can never hold: no severity as bad as that notifies at this urgency",
            "",
        ),
        ("/escalations/0/repeat", json!(21), "escalations[0].repeat", "more than 20", ""),
        ("/catch_all/0", json!("person:zoe"), "catch_all[0]", "`zoe` is not a person", "known: ana, ben"),
        ("/integrations/0/kind", json!("jsn"), "integrations[0].kind", "not a kind", "did you mean `json`?"),
        ("/integrations/0/key", json!("short"), "integrations[0].key", "fewer than 8", ""),
        ("/integrations/0/key", json!("with/slash-in"), "integrations[0].key", "cannot stand in a path", ""),
        ("/integrations/+", json!({"id": "b", "kind": "json", "key": "prom-key-1"}), "integrations[1].key", "`prom` has the same key", ""),
        (
            "/integrations/0/secret",
            json!("a-good-secret"),
            "integrations[0].secret",
            "senders of `json` do not sign",
            "formats that sign: grafana",
        ),
        (
            "/integrations/+",
            json!({"id": "b", "kind": "grafana", "secret": "short"}),
            "integrations[1].secret",
            "fewer than 8",
            "nobody guesses",
        ),
        ("/integrations/+", json!({"id": "b", "kind": "grafana", "secret": ""}), "integrations[1].secret", "fewer than 8", ""),
        (
            "/integrations/+",
            json!({"id": "b", "kind": "grafana", "secret": "********"}),
            "integrations[1].secret",
            "none is stored",
            "leave it away",
        ),
        ("/integrations/0/service", json!("x"), "integrations[0].service", "not a service", ""),
        ("/routes/0/match", json!("severity~\"x\""), "routes[0].match", "at character 9", ""),
        ("/routes/0/set/service", json!("checkuot"), "routes[0].set.service", "not a service", "`checkout`"),
        ("/routes/0/set/title", json!("{titel}"), "routes[0].set.title", "cannot be filled in", "title"),
        ("/routes/0/set/plan", json!("p"), "routes[0].set.plan", "`p` is not a plan", ""),
        ("/plans", json!([{"id": "p", "name": "P"}]), "plans[0]", "the plan `p` asks for nothing", "tasks"),
        ("/plans", json!([{"id": "p", "recovery": ["x"]}, {"id": "p", "recovery": ["y"]}]), "plans[1].id", "another plan already", ""),
        ("/plans", json!([{"id": "p", "roles": ["commandr"]}]), "plans[0].roles[0]", "not a role", "`commander`"),
        ("/plans", json!([{"id": "p", "roles": ["scribe", "scribe"]}]), "plans[0].roles[1]", "named twice", ""),
        ("/plans", json!([{"id": "p", "involve": ["team:x"]}]), "plans[0].involve[0]", "not a team", ""),
        ("/plans", json!([{"id": "p", "involve": ["organisation:cert"]}]), "plans[0].involve[0]", "not an organisation", ""),
        (
            "/plans",
            json!([{"id": "p", "ask": [{"organisation": "x", "text": "y"}]}]),
            "plans[0].ask[0].organisation",
            "not an organisation",
            "",
        ),
        ("/plans", json!([{"id": "p", "obligations": ["gdpr"]}]), "plans[0].obligations[0]", "not an obligation", ""),
        ("/types", json!([{"id": "t", "name": "T", "plan": "gone"}]), "types[0].plan", "not a plan", ""),
        (
            "/types",
            json!([{"id": "t", "name": "T", "fields": [{"id": "f", "label": "F", "kind": "choice"}]}]),
            "types[0].fields[0].choices",
            "nothing to choose",
            "Change",
        ),
        (
            "/types",
            json!([{"id": "t", "name": "T", "fields": [{"id": "f", "label": "F", "kind": "text", "choices": ["a"]}]}]),
            "types[0].fields[0].choices",
            "only a `choice`",
            "take them away",
        ),
        (
            "/types",
            json!([{"id": "t", "name": "T", "fields": [{"id": "f", "label": "F", "kind": "choice", "choices": ["a", " a "]}]}]),
            "types[0].fields[0].choices[1]",
            "already",
            "",
        ),
        ("/triage", json!([{"id": "huge", "low": "sev1"}]), "triage[0].id", "not an impact", ""),
        ("/plans", json!([{"id": "p", "match": "service~\"x\"", "recovery": ["x"]}]), "plans[0].match", "at character 8", "service="),
        ("/plans", json!([{"id": "p", "recovery": ["x"], "decisions": []}]), "plans[0].decisions", "no `decisions` of its own", "question"),
        ("/plans", json!([{"id": "p", "recovery": [" "]}]), "plans[0].recovery[0]", "one line", ""),
        ("/plans", json!([{"id": "p", "owner": "ana", "recovery": ["x"]}]), "plans[0].owner", "not a target", "`person:ana`"),
        (
            "/plans",
            json!([{"id": "p", "updates": [{"audience": "x", "every": "1h"}]}]),
            "plans[0].updates[0].audience",
            "not an audience",
            "",
        ),
        (
            "/plans",
            json!([{"id": "p", "updates": [{"audience": "x", "every": "1h"}, {"audience": "x", "every": "2h"}, {"audience": "y", "every": "1h"}]}]),
            "plans[0].updates[2].audience",
            "another audience is not there yet",
            "version 0.2",
        ),
        ("/plans", json!([{"id": "p", "tasks": [{"id": "a", "text": ""}]}]), "plans[0].tasks[0].text", "one line", ""),
        (
            "/plans",
            json!([{"id": "p", "tasks": [{"id": "a", "text": "x", "do": {"webhook": "ftp://x"}}]}]),
            "plans[0].tasks[0].do.webhook",
            "does not begin with `https://`",
            "https://",
        ),
        ("/plans", json!([{"id": "p", "tasks": [{"id": "a", "text": "x", "within": "0s"}]}]), "plans[0].tasks[0].within", "keep", "30m"),
        (
            "/plans",
            json!([{"id": "p", "tasks": [{"id": "a", "text": "x", "role": "scribe", "person": "ana"}]}]),
            "plans[0].tasks[0].person",
            "a role and to a person",
            "",
        ),
        (
            "/plans",
            json!([{"id": "p", "tasks": [{"id": "a", "text": "x"}, {"id": "a", "text": "y"}]}]),
            "plans[0].tasks[1].id",
            "another task of this plan",
            "",
        ),
        (
            "/plans",
            json!([{"id": "p", "tasks": [{"id": "scope", "text": "x"}, {"id": "b", "text": "y", "after": ["scop"]}]}]),
            "plans[0].tasks[1].after[0]",
            "no task of this plan",
            "`scope`",
        ),
        (
            "/plans",
            json!([{"id": "p", "tasks": [{"id": "a", "text": "x", "after": ["b"]}, {"id": "b", "text": "y", "after": ["a"]}]}]),
            "plans[0].tasks",
            "wait for each other",
            "without",
        ),
        (
            "/severities/+",
            json!({"id": "sev2", "acknowledge_within": "5m"}),
            "severities[1].acknowledge_within",
            "is a target",
            "targets: [{id: sev2, severity: sev2, acknowledge: 5m}]",
        ),
        ("/severities/+", json!({"id": "sev2", "resolve_within": "5m"}), "severities[1].resolve_within", "is a target", "resolve: 5m"),
        ("/targets", json!([{"id": "t", "severity": "sev1"}]), "targets[0]", "sets no time", "resolve: 4h"),
        ("/targets", json!([{"id": "t", "severity": "sev1", "resolve": "0s"}]), "targets[0].resolve", "no time at all", "15m"),
        (
            "/targets",
            json!([{"id": "a", "severity": "sev1", "resolve": "1h"}, {"id": "b", "severity": "sev1", "resolve": "2h"}]),
            "targets[1].severity",
            "`a` is the target of sev1 for all services already",
            "keep one",
        ),
        (
            "/targets",
            json!([{"id": "t", "severity": "sev1", "services": ["x"], "resolve": "1h"}]),
            "targets[0].services[0]",
            "not a service",
            "",
        ),
        (
            "/targets",
            json!([{"id": "t", "severity": "sev1", "calendar": "x", "resolve": "1h"}]),
            "targets[0].calendar",
            "not a calendar",
            "",
        ),
        ("/roles", json!([{"id": "medic", "duties": [" "]}]), "roles[0].duties[0]", "one line", ""),
        ("/roles", json!([{"id": "medic", "needed_from": "sev3", "within": "0s"}]), "roles[0].within", "`0s` is not", "`5m`"),
        ("/roles", json!([{"id": "medic", "needed_from": "sev3", "from": "primary"}]), "roles[0].from", "not a target", "schedule:primary"),
        ("/roles", json!([{"id": "medic", "needed_from": "sev3", "deputy": "deputi"}]), "roles[0].deputy", "not a role", "`deputy`"),
        ("/roles", json!([{"id": "medic", "needed_from": "sev3", "deputy": "medic"}]), "roles[0].deputy", "its own deputy", ""),
        ("/roles", json!([{"id": "medic", "within": "5m"}]), "roles[0].within", "does nothing", "needed_from"),
        ("/roles", json!([{"id": "medic", "from": "person:ana"}]), "roles[0].from", "does nothing", "needed_from"),
        ("/roles", json!([{"id": "medic", "relief_after": "200h"}]), "roles[0].relief_after", "longer than", "never"),
        ("/routes/0/set/group_by", json!([]), "routes[0].set.group_by", "names no label", ""),
        ("/severities/+", json!({"id": "sev1"}), "severities[1].id", "listed twice", ""),
        ("/silences/0/ends_at", json!("2025-01-01T00:00:00Z"), "silences[0].ends_at", "ends before", ""),
        ("/silences/0/integration", json!("x"), "silences[0].integration", "not an integration", ""),
    ] {
        let problems = judge(&with(pointer, value.clone()));
        let found = problems.iter().find(|p| p.place.to_string() == place && p.message.contains(message));
        let found = found.unwrap_or_else(|| panic!("{pointer} = {value}: {place}: {message} is not among {problems:#?}"));
        assert_eq!(found.weight, Weight::Error);
        assert!(found.hint.as_deref().is_some_and(|h| h.contains(hint)), "{found}");
    }
}

#[test]
fn a_signing_secret_stays_until_it_is_taken_away_or_its_format_is_another() {
    let with = |integration: Value| -> Bundle { serde_json::from_value(json!({"integrations": [integration]})).unwrap() };
    let stored = with(json!({"id": "g", "kind": "grafana", "key": "grafana-key", "secret": "a-good-secret"}));
    for (said, kept) in [
        (json!({"id": "g", "kind": "grafana"}), Some("a-good-secret")),
        (json!({"id": "g", "kind": "grafana", "secret": "********"}), Some("a-good-secret")),
        (json!({"id": "g", "kind": "grafana", "secret": "another-secret"}), Some("another-secret")),
        (json!({"id": "g", "kind": "grafana", "secret": "none"}), None),
        (json!({"id": "g", "kind": "json"}), None),
        (json!({"id": "new", "kind": "grafana", "secret": "none"}), None),
    ] {
        let new = crate::org::export::keep_stored(&stored, with(said.clone()), crate::channel::WaysOut::NONE);
        assert_eq!(new.integrations[0].secret.as_deref(), kept, "{said}");
        assert!(judged(&new).iter().all(|p| !p.place.to_string().ends_with("secret")), "{said}");
    }
}

#[test]
fn no_message_repeats_a_secret() {
    for (pointer, secret) in [("/integrations/0/key", "hu nter2/hunter2"), ("/people/0/contacts/1/secret", "hunter2-hunter2")] {
        for problem in judge(&with(pointer, json!(secret))) {
            assert!(!problem.to_string().contains("hunter2"), "{problem}");
        }
    }
}

#[test]
fn warnings_say_who_may_not_be_reached() {
    for (pointer, value, place, message) in [
        ("/people/1/contacts", json!([]), "people[1]", "has no contact"),
        ("/people/1/contacts/0/verified", json!(false), "people[1].contacts", "is verified"),
        ("/teams/0/members", json!([]), "catch_all[0]", "has no members"),
        (
            "/schedules/0/layers/0/ends",
            json!("2026-06-10"),
            "schedules[0].layers",
            "from 2026-06-10 09:00 to 2026-06-29 02:00 (Europe/Madrid)",
        ),
        (
            "/schedules/0/layers/0/only",
            json!([{"days": ["Mon"], "from": "09:00", "to": "17:00"}]),
            "schedules[0].layers",
            "and 4 more times",
        ),
        ("/silences/0/match", json!(""), "silences[0].match", "matches every alert"),
        ("/routes", json!([{"match": ""}, {"match": "a=\"b\""}]), "routes[0]", "no later route is ever read"),
    ] {
        let problems = judge(&with(pointer, value));
        assert!(problems.iter().all(|p| p.weight == Weight::Warning), "{problems:?}");
        assert!(problems.iter().any(|p| p.place.to_string() == place && p.message.contains(message)), "{problems:#?}");
    }
    let goes_on = with("/routes", json!([{"match": "", "continue": true}, {"match": "a=\"b\""}]));
    assert_eq!(judge(&goes_on), vec![], "a route that goes on hides nothing");
    let mut form = with("/services/0/escalation", json!(null));
    form["catch_all"] = json!([]);
    assert!(judge(&form).iter().any(|p| p.message.contains("its incidents page nobody")));
    let mut form = with("/people/0/contacts", json!([]));
    form["people"][0]["notify"] = json!({});
    form["people"][1]["contacts"] = json!([]);
    assert!(judge(&form).iter().any(|p| p.place.to_string() == "escalations[0].steps[0]" && p.weight == Weight::Warning));
}

/// What is said of one organisation, and nothing more: place, and words that have to be in it.
fn says(form: &Value, expected: &[(&str, &str)]) {
    let problems = judge(form);
    let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(problems.len(), expected.len(), "{told:#?}");
    for (problem, (place, words)) in problems.iter().zip(expected) {
        assert!(problem.place.to_string() == *place && problem.message.contains(words), "{place} {words}: {told:#?}");
        assert!(problem.weight == Weight::Warning && problem.hint.is_some());
    }
}

#[test]
fn whoever_a_step_pages_and_cannot_reach_is_named() {
    let mut form = whole();
    form["people"].as_array_mut().unwrap().push(json!({"id": "boss", "name": "Boss"}));
    says(&form, &[]);
    let steps = json!([{"page": ["person:boss"], "within": "10m"}, {"page": ["schedule:primary", "person:boss"], "within": "5m"}]);
    form["escalations"][0]["steps"] = steps;
    says(
        &form,
        &[
            ("people[2]", "`boss` is paged by step 1 of escalation `payments` and has no contact"),
            ("escalations[0].steps[0]", "nobody whom step 1 of escalation `payments` pages"),
        ],
    );
    form["escalations"][0]["steps"] = whole()["escalations"][0]["steps"].clone();
    form["catch_all"] = json!(["person:boss"]);
    says(&form, &[("people[2]", "is in the catch-all")]);
}

#[test]
fn a_condition_that_no_calendar_can_meet_is_refused_and_policies_that_may_page_nobody_are_named() {
    let mut form = whole();
    form["calendars"] = json!([
        {"id": "office", "time_zone": "Europe/Madrid", "hours": [{"days": ["Mon"], "from": "09:00", "to": "17:00"}]},
        {"id": "always", "time_zone": "Europe/Madrid", "hours": [{"from": "00:00", "to": "00:00"}]},
    ]);
    let mut told = |steps: Value| {
        form["escalations"][0]["steps"] = steps;
        judge(&form).into_iter().map(|p| (p.place.to_string(), p.message, p.weight)).collect::<Vec<_>>()
    };
    let step =
        |when: Value| json!([{"page": ["schedule:primary"], "within": "5m", "when": when}, {"page": ["person:ben"], "within": "5m"}]);
    assert_eq!(told(step(json!({"during": "office", "severity": "sev2"}))), vec![]);
    assert_eq!(told(step(json!({"outside": "office"}))), vec![]);
    for (when, words) in [
        (json!({"outside": "always"}), "calendar `always` is never closed"),
        (json!({"during": "office", "outside": "office"}), "calendar `office` is not open and closed at once"),
    ] {
        let found = told(step(when));
        assert!(found.len() == 1 && found[0].1.contains(words) && found[0].2 == Weight::Error, "{found:#?}");
        assert_eq!(found[0].0, "escalations[0].steps[0].when.outside");
    }
    let found = told(json!([{"page": ["schedule:primary"], "within": "5m", "when": {"during": "office"}}]));
    assert!(found.len() == 1 && found[0].1.contains("every step of escalation `payments` has a condition"), "{found:#?}");
    let found = told(json!([{"page": ["team:payments"], "within": "5m", "acknowledged_by": 3}]));
    let (place, words, weight) = &found[0];
    assert_eq!((place.as_str(), *weight), ("escalations[0].steps[0].acknowledged_by", Weight::Warning));
    assert!(words.contains("asks 3 people to acknowledge and pages"), "{words}");
}

#[test]
fn a_way_that_comes_after_its_step_is_named() {
    let after = |text: &str| with("/people/0/notify", json!({"high": [{"contact": "hook"}, {"contact": "mail", "after": text}]}));
    says(&after("4m59s"), &[]);
    for text in ["5m", "10m"] {
        says(&after(text), &[("people[0].notify.high[1].after", "contact `mail` of `ana` has its turn after")]);
    }
    // The first way goes out at once, whatever it says; and nobody's step is whose way it is.
    says(&with("/people/0/notify", json!({"high": [{"contact": "mail", "after": "10m"}]})), &[]);
    let mut form = after("10m");
    form["escalations"][0]["steps"] = json!([{"page": ["person:ben"], "within": "5m"}]);
    says(&form, &[]);
}

#[test]
fn a_rotation_that_passes_somebody_over_names_them_and_hours_that_are_days_are_said_to_be() {
    let ids = ["a", "b", "c", "d", "e", "f", "g"];
    let mut form = whole();
    for id in ids {
        let contacts = json!([{"id": "m", "email": format!("{id}@example.org")}]);
        form["people"].as_array_mut().unwrap().push(json!({"id": id, "name": id, "contacts": contacts}));
    }
    let only = json!([{"days": ["Mon", "Tue", "Wed", "Thu", "Fri"], "from": "09:00", "to": "19:00"}]);
    form["schedules"][0]["layers"] = json!([
        {"people": ["ana"], "every": "1w", "handoff": "Mon 09:00", "starts": "2026-01-05"},
        {"people": ids, "every": "1d", "handoff": "09:00", "starts": "2026-01-05", "only": only}]);
    says(&form, &[("schedules[0].layers", "`f`, `g` of `primary` are never on call")]);
    form["schedules"][0]["layers"][1]["people"] = json!(ids[..5]);
    form["schedules"][0]["layers"][1]["every"] = json!("24h");
    says(&form, &[("schedules[0].layers[1].every", "`24h` is read as `1d`")]);
}

/// Whoever took over for a night can be removed after it, and is still who was on call then.
#[test]
fn what_is_over_may_name_what_is_gone() {
    let named = |to: &str| -> Bundle {
        let (starts_at, ends_at) = ("2026-05-31T00:00:00Z".parse().unwrap(), to.parse().unwrap());
        let over = |id: &str, schedule: &str, person: &str| Override {
            id: id.into(),
            schedule: schedule.into(),
            effect: crate::org::model::Effect::Replaces,
            person: person.into(),
            starts_at,
            ends_at,
            made: 0,
            made_by: None,
        };
        let mut form = whole();
        form["silences"] =
            json!([{"id": "s", "match": "a=\"b\"", "integration": "closed", "starts_at": "2026-05-31T00:00:00Z", "ends_at": to}]);
        let overrides = vec![over("o1", "primary", "zoe"), over("o2", "closed", "ben")];
        Bundle { overrides, ..serde_json::from_value(form).unwrap() }
    };
    let places = |bundle: &Bundle| judged(bundle).iter().map(|problem| problem.place.to_string()).collect::<Vec<_>>();
    let wrong = ["overrides[0].person", "overrides[1].schedule", "silences[0].integration"];
    assert_eq!(places(&named("2026-06-01T00:00:01Z")), wrong, "it still lasts");
    let over = named("2026-06-01T00:00:00Z");
    assert_eq!(places(&over), [""; 0]);

    let org = Org::build(1, over, crate::channel::sample::WAYS);
    let then = "2026-05-31T12:00:00Z".parse().unwrap();
    let on_call = org.schedule("primary").unwrap().on_call_at(org.overrides("primary"), then);
    assert_eq!(on_call.person.as_deref(), Some("zoe"));
    let people = org.people_for_all(&["schedule:primary".to_owned()], then);
    assert!(people.people.is_empty() && people.why_nobody.is_some(), "{people:?}");
}

#[test]
fn a_policy_that_tries_once_and_no_catch_all_are_warned_of() {
    let told = |form: &Value| judge(form).iter().map(|p| (p.place.to_string(), p.is_error())).collect::<Vec<_>>();
    assert_eq!(told(&with("/escalations/0/repeat", json!(0))), [("escalations[0].steps".to_owned(), false)]);
    assert_eq!(told(&with("/catch_all", json!([]))), [("catch_all".to_owned(), false)]);
    let two = json!([{"page": ["schedule:primary"], "within": "5m"}, {"page": ["person:ben"], "within": "5m"}]);
    let mut form = with("/escalations/0/steps", two);
    form["escalations"][0]["repeat"] = json!(0);
    assert_eq!(told(&form), [], "two steps are two tries");
}

#[test]
fn the_guide_says_of_the_catch_all_what_the_forms_say() {
    let guide = include_str!("../../../../../docs/guides/organisation.md").split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(guide.contains(crate::org::forms::catch_all::PURPOSE), "{}", crate::org::forms::catch_all::PURPOSE);
}
