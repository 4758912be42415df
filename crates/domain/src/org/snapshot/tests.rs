//! What is found, whom a target names, and how people are reached.

use serde_json::json;

use super::*;

fn org() -> Org {
    let mut bundle: Bundle = serde_json::from_value(json!({
        "people": [
            {"id": "ana", "name": "Ana", "contacts": [
                {"id": "mail", "email": "a@x.example"}, {"id": "hook", "webhook": "https://x.example"}, {"id": "old", "email": "b@x.example", "verified": false}],
             "notify": {"high": [{"contact": "mail", "after": "1m"}, {"contact": "hook"}, {"contact": "old"}]}},
            {"id": "ben", "name": "Ben", "contacts": [{"id": "mail", "email": "b@x.example"}]}],
        "teams": [{"id": "t", "name": "T", "members": ["ben", "ana", "ben", "ghost"]}, {"id": "none", "name": "N"}],
        "schedules": [
            {"id": "s", "time_zone": "Etc/UTC", "layers": [{"people": ["ana", "ben"], "every": "1d", "handoff": "09:00", "starts": "2026-01-05"}]},
            {"id": "broken", "time_zone": "Nowhere", "layers": []}],
        "escalations": [{"id": "e", "steps": [{"page": ["schedule:s"], "within": "5m"}]}],
        "services": [{"id": "web", "name": "Web", "escalation": "e"}],
        "integrations": [{"id": "i", "kind": "json", "key": "key-12345"}],
        "routes": [{"match": "a=\"b\""}, {"match": "broken~"}, {"id": "named"}],
        "severities": [{"id": "sev4", "notify": "high"}],
    }))
    .unwrap();
    bundle.overrides = vec![Override {
        id: "o1".into(),
        schedule: "s".into(),
        effect: crate::org::model::Effect::Replaces,
        person: "ben".into(),
        starts_at: at("2026-01-05T12:00:00Z"),
        ends_at: at("2026-01-05T13:00:00Z"),
        made: 0,
        made_by: None,
    }];
    Org::build(7, bundle, crate::channel::sample::WAYS)
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[test]
fn everything_is_found_by_its_id() {
    let org = org();
    assert_eq!(org.version, 7);
    assert_eq!(org.person("ben").unwrap().name, "Ben");
    assert_eq!(org.integration_by_key("key-12345").unwrap().id, "i");
    assert!(org.integration_by_key("key-1234").is_none());
    assert_eq!(org.escalation_of("web").unwrap().id, "e");
    assert_eq!(org.severity(Severity::Sev4).notify, NotifyUrgency::High);
    assert_eq!(org.severity(Severity::Sev5).notify, NotifyUrgency::Low);
    assert_eq!(org.severity(Severity::Sev3).notify, NotifyUrgency::High);
    let names: Vec<&str> = org.routes().iter().map(|r| r.name.as_str()).collect();
    assert_eq!(names, ["route 1", "named"], "what cannot be read is left out");
    let places: Vec<String> = org.unusable().iter().map(|p| p.place.to_string()).collect();
    assert_eq!(places, ["schedules[1].time_zone", "schedules[1].layers", "routes[1].match"]);
}

#[test]
fn a_target_names_people_and_says_how_or_why_nobody() {
    let org = org();
    let noon = at("2026-01-05T12:00:00Z");
    let one = |target: &str, when: &str| {
        let resolved = org.people_for(target, at(when));
        resolved.people.into_iter().map(|(who, via)| format!("{who}: {via}")).chain(resolved.why_nobody).collect::<Vec<_>>()
    };
    assert_eq!(one("schedule:s", "2026-01-05T11:00:00Z"), ["ana: on call in s (layer 1)"]);
    assert_eq!(one("schedule:s", "2026-01-05T12:00:00Z"), ["ben: on call in s (override o1)"]);
    assert_eq!(one("schedule:s", "2026-01-01T00:00:00Z"), ["nobody is on call in `s`"]);
    assert_eq!(one("schedule:broken", "2026-01-05T12:00:00Z"), ["schedule `broken` cannot be read"]);
    assert_eq!(one("team:t", "2026-01-05T12:00:00Z"), ["ben: member of team t", "ana: member of team t"]);
    assert_eq!(one("team:none", "2026-01-05T12:00:00Z"), ["team `none` has no members"]);
    assert_eq!(one("person:zoe", "2026-01-05T12:00:00Z"), ["there is no person `zoe`"]);
    assert_eq!(one("ana", "2026-01-05T12:00:00Z"), ["`ana` names neither a schedule, a person, a team nor an audience"]);
    let targets = ["schedule:s".to_owned(), "team:t".to_owned(), "person:zoe".to_owned()];
    let all = org.people_for_all(&targets, noon);
    assert_eq!(all.people.len(), 2);
    assert_eq!(all.people[0].1, "on call in s (override o1)", "the first target that names somebody counts");
    assert_eq!(all.why_nobody, None);
}

#[test]
fn people_are_reached_by_verified_contacts_soonest_first() {
    let org = org();
    let reach =
        |person: &str, urgency| org.reach(person, urgency).iter().map(|r| format!("{} {}", r.contact.id, r.after)).collect::<Vec<_>>();
    assert_eq!(reach("ana", NotifyUrgency::High), ["hook 0s", "mail 1m"]);
    assert_eq!(reach("ana", NotifyUrgency::Low), ["hook 0s", "mail 1m"], "without rules for low, those for high");
    assert_eq!(reach("ben", NotifyUrgency::High), ["mail 0s"], "without any rule, every contact");
    assert!(reach("zoe", NotifyUrgency::High).is_empty());
}

/// Whoever set no order is reached by the default rules; nobody is reached less because a rule is missing.
#[test]
fn whoever_has_no_rule_is_reached_by_the_default_ones() {
    let by = |defaults: serde_json::Value| {
        let mut bundle = org().bundle().clone();
        bundle.notify_defaults = serde_json::from_value(defaults).unwrap();
        bundle.people[1].contacts.push(serde_json::from_value(json!({"id": "hook", "webhook": "https://x.example"})).unwrap());
        let org = Org::build(8, bundle, crate::channel::sample::WAYS);
        let reach =
            |person: &str, urgency| org.reach(person, urgency).iter().map(|r| format!("{} {}", r.contact.id, r.after)).collect::<Vec<_>>();
        assert_eq!(reach("ana", NotifyUrgency::Low), ["hook 0s", "mail 1m"], "her own rules hold");
        [reach("ben", NotifyUrgency::High), reach("ben", NotifyUrgency::Low)]
    };
    let both = || vec!["mail 0s".to_owned(), "hook 0s".to_owned()];
    assert_eq!(by(json!([])), [both(), both()]);
    let rules = json!([{"id": "webhook", "high": "2m"}, {"id": "email", "high": "0s", "low": "10m"}]);
    assert_eq!(by(rules), [vec!["mail 0s", "hook 2m"], vec!["mail 10m"]]);
    assert_eq!(
        by(json!([{"id": "email", "high": "5m", "low": "5m"}])),
        [["hook 0s", "mail 5m"], ["hook 0s", "mail 5m"]],
        "unnamed is at once"
    );
    let none_for_low = json!([{"id": "webhook", "high": "2m"}, {"id": "email", "high": "0s"}]);
    assert_eq!(by(none_for_low), [vec!["mail 0s".to_owned(), "hook 2m".to_owned()], both()], "nothing is left, so all are used");
}
