//! The example reads and comes back; what is broken is told with its line and what would work.

use allclear_channels::registry::WAYS_OUT;
use allclear_domain::org::check::{Against, Spoken};
use allclear_domain::org::export::MASK;

use super::*;

/// The example of the contract, word for word. It names people and a service that it leaves out.
const CONTRACT: &str = r#"people:
  - id: ana
    name: Ana Ruiz
    email: ana@example.org
    time_zone: Europe/Madrid
    contacts:
      - {id: mail, email: ana@example.org}
      - {id: hook, webhook: "http://127.0.0.1:9099/ana"}   # also sms, voice, slack, ntfy, push, matrix …
    notify:                      # per urgency, in order
      high: [{contact: hook}, {contact: mail, after: 1m}]
      low:  [{contact: mail}]
teams:
  - {id: payments, name: Payments, members: [ana, ben], managers: [cho]}
schedules:
  - id: payments-primary
    team: payments
    time_zone: Europe/Madrid
    layers:
      - {people: [ana, ben], every: 1w, handoff: "Mon 09:00", starts: 2026-01-05}
escalations:
  - id: payments
    steps:
      - {page: ["schedule:payments-primary"], within: 5m}
      - {page: ["person:cho"], within: 10m}
    repeat: 2
services:
  - {id: checkout, name: Checkout, team: payments, escalation: payments, tier: 1, depends_on: [payments-db]}
integrations:
  - {id: prom, kind: alertmanager, key: "prom-key-0001", service: checkout}
  - {id: pd,   kind: pagerduty,    key: "0123456789abcdef0123456789abcdef", service: checkout}
routes:
  - {match: 'severity="critical"', set: {severity: sev1}, declare: true}
"#;
const EXAMPLE: &str = include_str!("../../../../../docs/examples/org.yaml");

fn read(path: &Path) -> Result<Loaded, OrgFileError> {
    super::read(path, Secrets::Nowhere)
}

const KINDS: [Spoken; 3] =
    [Spoken { kind: "alertmanager", signs: false }, Spoken { kind: "pagerduty", signs: false }, Spoken { kind: "json", signs: false }];

fn against() -> Against<'static> {
    Against { now: "2026-06-01T00:00:00Z".parse().unwrap(), kinds: &KINDS, channels: WAYS_OUT }
}

fn checked(text: &str) -> Vec<FileProblem> {
    parse(text, Format::Yaml, "org.yaml").unwrap().check(&Bundle::default(), false, against())
}

#[test]
fn the_contracts_example_reads_and_what_it_leaves_out_is_told_by_line() {
    let told: Vec<String> = checked(CONTRACT).iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "org.yaml:13: error: teams[0].members[1]: `ben` is not a person; known: ana",
            "org.yaml:13: error: teams[0].managers[0]: `cho` is not a person; known: ana",
            "org.yaml:19: error: schedules[0].layers[0].people[1]: `ben` is not a person; known: ana",
            "org.yaml:24: error: escalations[0].steps[1].page[0]: `cho` is not a person; known: ana",
            "org.yaml:27: error: services[0].depends_on[0]: `payments-db` is not a service; known: checkout",
            "org.yaml: warning: catch_all: there is no catch-all: when every round is through and nobody has a page, nobody is paged until it comes back; set `catch_all`, as in `[\"team:payments\"]`",
        ]
    );
    assert_eq!(checked(EXAMPLE), vec![], "the example that is shipped is whole");
}

#[test]
fn an_export_is_the_same_text_each_time_and_applies_again() {
    let loaded = parse(EXAMPLE, Format::Yaml, "org.yaml").unwrap();
    let text = to_yaml(&loaded.bundle, WAYS_OUT).unwrap();
    assert_eq!(text, to_yaml(&loaded.bundle, WAYS_OUT).unwrap());
    assert!(!text.contains("prom-key-0001") && text.contains(MASK), "keys do not leave");
    let again = parse(&text, Format::Yaml, "export.yaml").unwrap();
    assert_eq!(applied(&loaded.bundle, &again.bundle, true, WAYS_OUT), loaded.bundle, "a masked key keeps the stored one");
    assert_eq!(again.check(&loaded.bundle, true, against()), vec![]);
    let alone = again.check(&Bundle::default(), false, against());
    assert!(alone.iter().any(|p| p.key == "integrations[0].key" && p.message.contains("none is stored")), "{alone:?}");
}

#[test]
fn the_three_formats_say_the_same() {
    let yaml = parse(EXAMPLE, Format::Yaml, "org.yaml").unwrap();
    let json = serde_json::to_string_pretty(&yaml.bundle).unwrap();
    assert_eq!(parse(&json, Format::Json, "org.json").unwrap().bundle, yaml.bundle);
    let toml = r#"
catch_all = ["person:ana"]
[[people]]
id = "ana"
name = "Ana"
contacts = [{ id = "mail", email = "ana@example.org" }]
[[schedules]]
id = "s"
time_zone = "Etc/UTC"
[[schedules.layers]]
people = ["ana"]
every = "1d"
handoff = "09:00"
starts = 2026-01-05
[[silences]]
id = "x"
match = 'a="b"'
starts_at = 2026-01-05T09:00:00Z
ends_at = 2026-01-05T10:00:00Z
"#;
    let bundle = parse(toml, Format::Toml, "org.toml").unwrap().bundle;
    assert_eq!(bundle.schedules[0].layers[0].starts.to_string(), "2026-01-05");
    assert_eq!(bundle.silences[0].ends_at.to_string(), "2026-01-05T10:00:00Z");
}

#[test]
fn broken_texts_are_told_with_line_and_hint() {
    let bomb = format!(
        "people: &a [{{id: ana, name: A}}]\nx1: &b [{0}]\nx2: &c [{1}]\nx3: [{2}]\n",
        ["*a"; 90].join(","),
        ["*b"; 90].join(","),
        ["*c"; 90].join(",")
    );
    for (text, format, line, key, message, hint) in [
        ("people:\n  - id: ana\n    name: Ana\n    contcts: []\n", Format::Yaml, 4, "contcts", "unknown key", "`contacts`"),
        ("people:\n  - id: ben\n    name: B\n  - id: ana\n", Format::Yaml, 4, "people[1]", "`name` is missing", "add"),
        ("people:\n  - id: ana\n    id: b\n    name: x\n", Format::Yaml, 3, "id", "said twice", "keep one"),
        ("people:\n  - {id: ana, name: Ana\nteams: []\n", Format::Yaml, 2, "", "unclosed", "close it"),
        (
            "escalations:\n  - id: e\n    steps:\n      - page: []\n        within: 5 parsecs\n",
            Format::Yaml,
            5,
            "escalations[0].steps[0].within",
            "not a length",
            "write a number",
        ),
        (
            "schedules:\n  - id: e\n    time_zone: Etc/UTC\n    layers:\n      - people: [a]\n        every: 1w\n        handoff: x\n        starts: 2026-13-01\n",
            Format::Yaml,
            8,
            "schedules[0].layers[0].starts",
            "no date or time",
            "2026-03-01",
        ),
        ("severities:\n  - id: sev9\n", Format::Yaml, 2, "severities[0].id", "`sev9` is not known", "`sev1`"),
        ("teams: []\npeople: ana\n", Format::Yaml, 2, "people", "a list is wanted", "`- `"),
        ("teams: []\noverrides: []\n", Format::Yaml, 2, "overrides", "unknown key", "over the API"),
        ("teams: []\nstatus_pages: []\n", Format::Yaml, 2, "status_pages", "is not there yet", "comes with version"),
        ("people:\n\t- id: ana\n", Format::Yaml, 2, "", "tabs", "spaces"),
        ("{\"people\": [\n{\"id\": \"ana\",\n\"nme\": \"Ana\"}]}", Format::Json, 3, "nme", "unknown key", "`name`"),
        ("{\"people\": [\n{\"id\": \"ana\",\n\"name\": \"Ana\",}]}", Format::Json, 3, "", "trailing comma", "last comma"),
        ("[[people]]\nid = 'ana'\nname = 'Ana'\ncontcts = []\n", Format::Toml, 4, "contcts", "unknown key", "`contacts`"),
        ("[[people]]\nid = 'ana'\n\n[[severities]]\nid='sev9'\n", Format::Toml, 1, "people[0]", "`name` is missing", "add"),
        (bomb.as_str(), Format::Yaml, 2, "x1", "unknown key", ""),
    ] {
        let error = parse(text, format, "org").unwrap_err();
        let first = &error.problems[0];
        assert_eq!(first.line, Some(line), "{error}");
        assert_eq!(first.key, key, "{error}");
        assert!(first.to_string().contains(message), "{error}");
        assert!(first.to_string().contains(hint), "{error}");
        assert_eq!(first.file.as_deref(), Some("org"));
    }
    // Every faulty entry of a TOML file is told, not the first alone.
    let both = parse("[[people]]\nid = 'ana'\n\n[[severities]]\nid='sev9'\n", Format::Toml, "org").unwrap_err();
    assert_eq!(both.problems.len(), 2);
}

#[test]
fn aliases_do_not_grow_without_bound() {
    // Each level nests ten of the one before: ten million values from seven short lines.
    let mut text = String::from("plans:\n  - id: p\n    l0: &l0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..7 {
        let inner = vec![format!("*l{}", level - 1); 10].join(", ");
        text.push_str(&format!("    l{level}: &l{level} [{inner}]\n"));
    }
    let error = parse(&text, Format::Yaml, "org").unwrap_err();
    assert!(error.problems[0].line.is_some(), "{error}");
    for deep in ["[".repeat(200_000), "- ".repeat(200_000), "{\"a\":".repeat(100_000)] {
        assert!(parse(&deep, Format::Yaml, "org").is_err());
        assert!(parse(&deep, Format::Json, "org").is_err());
        assert!(parse(&format!("a = {deep}"), Format::Toml, "org").is_err());
    }
    // And a modest anchor is welcome.
    let modest = "people:\n  - id: a\n    name: A\n    contacts: &c [{id: mail, email: a@x.example}]\n  - {id: b, name: B, contacts: *c}\n";
    assert_eq!(parse(modest, Format::Yaml, "org").unwrap().bundle.people[1].contacts.len(), 1);
}

#[test]
fn faults_of_meaning_have_the_line_of_the_value() {
    let text = "\
people:
  - id: ana
    name: Ana
    contacts:
      - id: mail
        email: nobody
services:
  - id: checkout
    name: Checkout
    escalation: paymnts
escalations:
  - id: payments
    steps:
      - page: [\"person:ana\"]
        within: 0s
routes:
  - match: 'severity=\"critical\" team=\"x\"'
";
    let told: Vec<(u32, String)> = checked(text)
        .into_iter()
        .filter(|p| p.weight == Weight::Error)
        .map(|p| (p.line.unwrap(), format!("{}: {}", p.message, p.hint.unwrap_or_default())))
        .collect();
    let lines: Vec<u32> = told.iter().map(|(line, _)| *line).collect();
    assert_eq!(lines, [6, 15, 10, 17], "{told:?}");
    assert!(told[2].1.starts_with("`paymnts` is not an escalation: did you mean `payments`?"), "{told:?}");
    assert!(told[3].1.contains("at character 21"), "{told:?}");
}

#[test]
fn a_folder_is_one_organisation() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    assert!(read(folder.path()).unwrap_err().to_string().contains("no organisation in it"));
    write("10-people.yaml", "people:\n  - {id: ana, name: Ana}\n");
    write("20-more.json", "{\"people\": [\n  {\"id\": \"ben\", \"name\": \"Ben\",\n   \"email\": \"nope\"}]}");
    write("notes.txt", "not read");
    write(".hidden.yaml", "nonsense: [");
    let loaded = read(folder.path()).unwrap();
    let ids: Vec<&str> = loaded.bundle.people.iter().map(|p| p.id.as_str()).collect();
    assert_eq!(ids, ["ana", "ben"]);
    assert_eq!(loaded.sources.len(), 2);
    let problem = loaded.check(&Bundle::default(), false, against()).remove(0);
    assert!(problem.file.unwrap().ends_with("20-more.json"));
    assert_eq!((problem.line, problem.key.as_str()), (Some(3), "people[1].email"));

    let digest = loaded.digest.clone();
    write("notes.txt", "still not read");
    assert_eq!(read(folder.path()).unwrap().digest, digest);
    write("10-people.yaml", "people:\n  - {id: ana, name: Ana R}\n");
    assert_ne!(read(folder.path()).unwrap().digest, digest);

    write("30-again.toml", "[[people]]\nname = 'Ben'\nid = 'ben'\n");
    let error = read(folder.path()).unwrap_err();
    let told = error.to_string();
    assert!(told.contains("30-again.toml:3") && told.contains("20-more.json:2"), "{told}");
}

#[test]
fn what_cannot_be_text_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("org.yaml");
    assert!(read(&file).unwrap_err().to_string().contains("cannot be read"));
    std::fs::write(&file, b"people: []\nteams: []\n# \xff\n").unwrap();
    assert_eq!(read(&file).unwrap_err().problems[0].line, Some(3));
    std::fs::write(&file, vec![b'#'; usize::try_from(FILE_LEN_MAX).unwrap() + 1]).unwrap();
    assert!(read(&file).unwrap_err().to_string().contains("larger than"));
    std::fs::write(&file, "").unwrap();
    let empty = read(&file).unwrap();
    assert_eq!(empty.bundle, Bundle::default());
    assert_eq!(empty.digest, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}
