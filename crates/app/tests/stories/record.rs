//! An incident leaves the house: its record in every format, cut to what its reader may read, and as a bundle that a stranger checks.

use std::process::Stdio;

use allclear_trial::skip::skipped;
use allclear_trial::{Database, World, org};
use serde_json::json;
use tokio::io::AsyncWriteExt as _;

use crate::private::organisation;
use crate::sign_in::{get_as, sign_in_as};
use crate::{begun, on_both, world, world_of};

on_both!(
    the_whole_record_leaves_the_house_in_every_format,
    a_bundle_is_checked_by_a_stranger_and_whatever_was_done_to_it_is_named,
    a_record_has_what_its_reader_may_read_and_no_more,
);

/// Somebody's words that would like to be more than words.
const HOSTILE: &[&str] = &[
    "=cmd|' /C calc'!A0",
    "]]></string><event>",
    "a | b",
    "``` fence\n# head",
    "<script>alert(1)</script>",
    "👩‍🚒 \u{1f6a8} \u{202e}txt.exe",
    "null",
];

/// An incident with a page, words from outside, a review and an action; its reference.
async fn full(world: &World) -> String {
    let reference = begun(world, "disk =1+1 <b>full</b>").await;
    for text in HOSTILE {
        world.act(&reference, "note", json!({ "text": text })).await;
    }
    world.act(&reference, "task", json!({"text": "-2+3 | drain it", "owner": "ben"})).await;
    world.act(&reference, "decision", json!({"text": "We fail over"})).await;
    let action = json!({"text": "buy a larger one", "owner": "ana", "due_at": "2030-01-01T00:00:00Z", "incident": reference});
    world.command("/actions", action).await.ok();
    world.act(&reference, "resolve", json!({})).await;
    world.command(&format!("/incidents/{reference}/review"), json!({})).await;
    world.quiet().await;
    reference
}

async fn the_whole_record_leaves_the_house_in_every_format(database: Database) {
    let world = world_of(database, org::usual()).await;
    let reference = full(&world).await;
    let events = world.events(&world.incident().await).await;
    let path = |format: &str| format!("/api/v1/incidents/{reference}/export?format={format}");

    let json = world.get(&path("json")).await.ok();
    assert_eq!(json.header("content-disposition"), Some(format!("attachment; filename=\"{reference}.json\"").as_str()));
    assert_eq!((&json.body["format"], json.body["events"].as_array().unwrap()), (&"allclear-record-1".into(), &events));
    assert_eq!(
        (&json.body["incident"]["ref"], json.body["actions"][0]["text"].as_str()),
        (&reference.as_str().into(), Some("buy a larger one"))
    );

    let csv = world.get(&path("csv")).await.ok().text;
    assert!(csv.contains("Ana") && csv.contains("\"noted\""), "{csv}");
    let xes = world.get(&path("xes")).await.ok().text;
    assert_eq!(xes.matches("<event>").count(), events.len(), "{xes}");
    let markdown = world.get(&format!("/api/v1/incidents/{reference}/export")).await.ok();
    assert_eq!(markdown.header("content-type"), Some("text/markdown; charset=utf-8"));
    assert!(markdown.text.starts_with(&format!("# {reference}: ")) && !markdown.text.contains("\n# head"), "{}", markdown.text);
    assert!(markdown.text.contains("We fail over") && markdown.text.contains(r"\<script>"), "{}", markdown.text);

    // The same from a terminal, into a file or not.
    assert_eq!(
        world.cli(&["export", &reference, "--format", "json"]).await.stdout.lines().nth(1),
        Some("  \"format\": \"allclear-record-1\",")
    );
    let ran = world.cli(&["export", &reference, "-o", "record.md"]).await;
    assert_eq!((ran.code, ran.stdout.as_str()), (0, ""), "{}", ran.stderr);
    assert!(std::fs::read_to_string(world.dir.path().join("record.md")).unwrap().contains("## Log"));
    let refused = world.get(&path("pdf")).await;
    assert_eq!((refused.status, &refused.body["code"]), (400, &"bad_request".into()), "{}", refused.text);
    assert!(refused.text.contains("md, json, csv, xes, bundle"), "{}", refused.text);
    assert_eq!(world.cli(&["export", "INC-999999"]).await.code, 1);
}

async fn a_bundle_is_checked_by_a_stranger_and_whatever_was_done_to_it_is_named(database: Database) {
    let world = world_of(database, org::usual()).await;
    let reference = full(&world).await;
    let dir = world.dir.path();
    let ran = world.cli(&["export", &reference, "--format", "bundle", "-o", "it.bundle"]).await;
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let keys = world.get("/.well-known/jwks.json").await.ok().text;
    std::fs::write(dir.join("keys.json"), &keys).unwrap();
    std::fs::write(dir.join("others.json"), keys.replace("\"x\":\"", "\"x\":\"A")).unwrap();
    let whole = world.cli(&["verify-bundle", "it.bundle", "--keys", "keys.json", "--json"]).await;
    assert_eq!(whole.code, 0, "{} {}", whole.stdout, whole.stderr);
    let told: serde_json::Value = serde_json::from_str(&whole.stdout).unwrap();
    assert_eq!((&told["whole"], &told["statement"]["ref"]), (&true.into(), &reference.as_str().into()), "{told:#}");
    // The incident, its page, its review and its action: each log from its first event on.
    let heads = told["statement"]["heads"].as_array().unwrap();
    for prefix in ["inc_", "pag_", "rev_", "act_"] {
        assert!(heads.iter().any(|head| head["stream"].as_str().unwrap().starts_with(prefix)), "{prefix}: {heads:?}");
    }
    assert_eq!(world.cli(&["verify-bundle", "it.bundle", "--keys", "others.json"]).await.code, 1, "another's key");

    let file = std::fs::read(dir.join("it.bundle")).unwrap();
    let script = {
        let page = include_str!("../../../../docs/bundle.md");
        page.split("```python\n").nth(1).and_then(|rest| rest.split("```").next()).expect("the page has its script")
    };
    assert!(script.lines().filter(|line| !line.trim().is_empty()).count() <= 60, "a script that somebody reads");
    std::fs::write(dir.join("check.py"), script).unwrap();
    let lines: Vec<&[u8]> = file.split_inclusive(|byte| *byte == b'\n').collect();
    let of = |lines: &[&[u8]]| lines.concat();
    let (mut dropped, mut moved, mut doubled) = (lines.clone(), lines.clone(), lines.clone());
    dropped.remove(4);
    moved.swap(4, 5);
    doubled.insert(4, lines[4]);
    let mut attacks =
        vec![("dropped", of(&dropped)), ("moved", of(&moved)), ("doubled", of(&doubled)), ("cut", file[..file.len() - 9].to_vec())];
    attacks.push(("no end", of(&lines[..lines.len() - 1])));
    // A bit here and there, in every part of the file.
    for part in 0..12 {
        let mut flipped = file.clone();
        let at = (file.len() - 2) * part / 11;
        flipped[at] ^= 1;
        attacks.push(("flipped", flipped));
    }
    let python = python(&world, "it.bundle").await;
    assert!(python.as_ref().is_none_or(|(good, said)| *good && said.contains("every entry is what was signed")), "{python:?}");
    for (n, (what, bytes)) in attacks.into_iter().enumerate() {
        std::fs::write(dir.join("other.bundle"), bytes).unwrap();
        let ran = world.cli(&["verify-bundle", "other.bundle", "--json"]).await;
        let told: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!((ran.code, told["faults"].as_array().map(Vec::is_empty)), (1, Some(false)), "{n} {what}: {told:#}");
        if python.is_some() {
            let (good, said) = self::python(&world, "other.bundle").await.unwrap();
            assert!(!good && (said.contains("line") || said.contains("entries where")), "{n} {what}: {said}");
        }
    }
}

/// What the script of the page says of a bundle; nothing where it cannot run.
async fn python(world: &World, bundle: &str) -> Option<(bool, String)> {
    let venv = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/record-venv/bin/python");
    let program = if venv.exists() { venv.into_os_string() } else { "python3".into() };
    let can = std::process::Command::new(&program).args(["-c", "import cryptography"]).stderr(Stdio::null()).status();
    if !can.is_ok_and(|status| status.success()) {
        skipped(
            "the script of docs/bundle.md",
            "there is no Python with the package cryptography; `cargo xtask test` installs it where it may",
        );
        return None;
    }
    let dir = world.dir.path();
    let ran = tokio::process::Command::new(program).args(["check.py", bundle, "keys.json"]).current_dir(dir).output().await.unwrap();
    let said = String::from_utf8_lossy(&ran.stdout).into_owned() + &String::from_utf8_lossy(&ran.stderr);
    assert!(!said.contains("Traceback"), "{said}");
    Some((ran.status.success(), said))
}

async fn a_record_has_what_its_reader_may_read_and_no_more(database: Database) {
    let world = world_of(database, organisation()).await;
    let open = crate::private::alarm(&world, "an open matter", false).await.reference;
    world.press(&world.hook.to("ana")[0].ack_path()).await.ok();
    world.act(&open, "note", json!({"text": "red-secret", "marking": "red"})).await;
    let private = crate::private::alarm(&world, "kestrel-4471", true).await.reference;
    let formats = ["md", "json", "csv", "xes", "bundle"];
    for (person, leads) in [("ana", true), ("adm", true), ("ben", false), ("obs", false)] {
        let cookie = sign_in_as(&world, person).await;
        for format in formats {
            for path in [format!("/api/v1/incidents/{open}/export?format={format}"), format!("/incidents/{open}/record?format={format}")] {
                let file = get_as(&world, &cookie, &path).await;
                let refused = !leads && format == "bundle";
                assert_eq!(file.status, if refused { 403 } else { 200 }, "{person} {path}: {}", file.text);
                assert_eq!(file.text.contains("red-secret"), leads, "{person} {path}: {}", file.text);
                assert!(!refused || file.text.contains("json"), "what would work is said: {}", file.text);
            }
        }
        let forms = ["", "?form=ics-201", "?form=ics-209", "?form=ics-214"];
        for form in forms {
            let page = get_as(&world, &cookie, &format!("/incidents/{open}/print{form}")).await.ok().text;
            assert!(!page.contains("<script") && page.contains("an open matter"), "{page}");
            let log = form.is_empty() || form == "?form=ics-214";
            assert_eq!(page.contains("red-secret"), leads && log, "{person} {form}: {page}");
        }
    }
    for person in ["ben", "obs", "gus", "dan"] {
        let cookie = sign_in_as(&world, person).await;
        let doors = formats.map(|format| format!("/api/v1/incidents/{private}/export?format={format}"));
        let pages = ["record", "record?format=bundle", "print", "print?form=ics-201"].map(|page| format!("/incidents/{private}/{page}"));
        for door in doors.iter().chain(&pages) {
            let answer = get_as(&world, &cookie, door).await;
            assert!(answer.status == 404 && !answer.text.contains("kestrel"), "{person} {door}: {} {}", answer.status, answer.text);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bundle_comes_back_as_it_was_and_pages_nobody() {
    let mut world = world().await;
    let reference = full(&world).await;
    let burning = json!({"title": "still burning", "severity": "sev4", "page": false});
    let open = world.command("/incidents", burning).await.ok().body["ref"].as_str().unwrap().to_owned();
    for (reference, file) in [(&reference, "it.bundle"), (&open, "open.bundle")] {
        assert_eq!(world.cli(&["export", reference, "--format", "bundle", "-o", file]).await.code, 0);
    }
    let file = std::fs::read_to_string(world.dir.path().join("it.bundle")).unwrap();
    let mut broken = file.clone().into_bytes();
    let last = broken.len() - 40;
    broken[last] ^= 1;
    std::fs::write(world.dir.path().join("broken.bundle"), broken).unwrap();
    let before = world.api(&format!("/incidents/{reference}")).await;

    let held = world.cli(&["import", "bundle", "it.bundle"]).await;
    assert!(held.code == 1 && held.stderr.contains("server"), "a server runs on it: {held:?}");
    let other = format!("sqlite:{}", world.dir.path().join("other.db").display());
    let made = world.cli_on(&other, &["import", "bundle", "it.bundle"]).await;
    assert!(made.code == 0 && made.stdout.starts_with(&reference), "{made:?}");
    for (file, why) in [("it.bundle", "is here already"), ("open.bundle", "still going on"), ("broken.bundle", "is not what was signed")] {
        let refused = world.cli_on(&other, &["import", "bundle", file]).await;
        assert!(refused.code == 1 && refused.stderr.contains(why), "{file}: {refused:?}");
    }
    // With the key of the house that signed it.
    let key = std::path::Path::new(world.database().strip_prefix("sqlite:").unwrap()).with_extension("key");
    std::fs::copy(key, world.dir.path().join("other.key")).unwrap();
    let verified = world.cli_on(&other, &["verify", "--against", "it.bundle"]).await;
    assert!(
        !verified.stdout.contains("hash") && verified.stdout.contains("does not stand in the store"),
        "only its place is another: {verified:?}"
    );
    assert_eq!(world.cli_on(&other, &["verify"]).await.code, 0);

    let sent = world.hook.all().len();
    world.program.stop().await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    let launch = world.launch_on(&other, dir.path(), &[]);
    world.program = allclear_trial::Program::start(&launch, &world.client).await.unwrap();
    let after = world.api(&format!("/incidents/{reference}")).await;
    for key in [
        "id",
        "ref",
        "title",
        "state",
        "severity",
        "declared_at",
        "acknowledged_at",
        "acknowledged_by",
        "resolved_at",
        "tasks",
        "decisions",
        "review",
    ] {
        assert_eq!(after[key], before[key], "{key}");
    }
    let events = world.events(&after).await;
    let line = events.last().unwrap()["line"].as_str().unwrap();
    assert!(line.contains("Brought in from a bundle"), "{line}");
    world.cli(&["export", &reference, "--format", "bundle", "-o", "again.bundle"]).await;
    let again = std::fs::read_to_string(world.dir.path().join("again.bundle")).unwrap();
    let hashes = |text: &str| -> std::collections::BTreeSet<String> {
        text.lines()
            .skip(2)
            .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["hash"].as_str().unwrap().to_owned())
            .collect()
    };
    assert!(hashes(&file).is_subset(&hashes(&again)) && hashes(&again).len() == hashes(&file).len() + 1, "every event is the one it was");
    // A new one is called otherwise, and only that pages.
    world.advance(7_200).await;
    assert_eq!(world.hook.all().len(), sent, "nobody is paged for what came back");
    world.fire("new here").await;
    let new = world.incidents("limit=1").await.remove(0);
    assert!(new["title"] == "new here" && new["ref"] != reference.as_str(), "{new}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forms_are_filled_for_a_period_and_have_room_for_the_rest() {
    let mut world = world_of(Database::Sqlite, org::usual()).await;
    let reference = begun(&world, "disk").await;
    world.act(&reference, "note", json!({"text": "in the first hour"})).await;
    world.act(&reference, "task", json!({"text": "drain the pool", "owner": "ben"})).await;
    world.act(&reference, "want", json!({"what": "Pumps", "quantity": 3, "place": "the yard"})).await;
    let start = world.now().await;
    world.advance(3 * 3_600).await;
    world.act(&reference, "note", json!({"text": "in the fourth hour"})).await;
    let cookie = sign_in_as(&world, "ana").await;
    let text = async |query: &str| get_as(&world, &cookie, &format!("/incidents/{reference}/print{query}")).await.ok().text;
    let hour = |after: i64| {
        let at = start + jiff::SignedDuration::from_secs(after);
        let zone = jiff::tz::TimeZone::get("Europe/Madrid").unwrap();
        at.to_zoned(zone).strftime("%Y-%m-%dT%H:%M").to_string()
    };
    let first = format!("?form=ics-214&from={}&to={}", hour(-3_600), hour(3_600));
    for form in allclear_domain::record::ics::FORMS {
        let page = text(&format!("?form={}", form.id)).await;
        assert!(page.contains(form.title) && page.contains("class=\"a4\"") && !page.contains("<script"), "{}: {page}", form.number);
    }
    let page = text(&first).await;
    assert!(page.contains("in the first hour") && !page.contains("in the fourth hour"), "{page}");
    assert!(text("?form=ics-214").await.contains("in the fourth hour"));
    let briefing = text("?form=ics-201").await;
    assert!(briefing.contains("3 × Pumps") && briefing.contains("drain the pool") && briefing.contains("to be filled in"), "{briefing}");
    assert!(text("?form=ics-204").await.contains("the yard"));
    // What is no period is said, and shown nevertheless.
    assert!(text("?form=ics-214&from=x").await.contains("That is no time"));
    assert!(text(&format!("?form=ics-214&from={}&to={}", hour(60), hour(0))).await.contains("ends after it begins"));
    assert_eq!(get_as(&world, &cookie, &format!("/incidents/{reference}/print?form=ics-999")).await.status, 404);
    assert!(text("").await.contains("in the fourth hour"), "the record is whole");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_log_is_whole_and_what_was_merged_cancelled_or_a_test_has_a_record_as_well() {
    let world = world().await;
    let reference = begun(&world, "disk").await;
    // More than is read at once.
    for n in 0..1_010 {
        world.act(&reference, "note", json!({"text": format!("line {n}")})).await;
    }
    let file = world.get(&format!("/api/v1/incidents/{reference}/export?format=json")).await.ok();
    let events = file.body["events"].as_array().unwrap();
    assert!(events.len() > 1_010, "{}", events.len());
    assert!(events.windows(2).all(|two| two[0]["seq"].as_i64() < two[1]["seq"].as_i64()), "each once, in order");
    let declare = async |title: &str| {
        let body = json!({"title": title, "severity": "sev4", "page": false});
        world.command("/incidents", body).await.ok().body["ref"].as_str().unwrap().to_owned()
    };
    let (merged, cancelled) = (declare("the same").await, declare("none").await);
    world.act(&merged, "merge", json!({ "into": reference })).await;
    world.act(&cancelled, "cancel", json!({"why": "it was none"})).await;
    for (reference, state) in [(&merged, "merged"), (&cancelled, "cancelled"), (&reference, "investigating")] {
        for format in ["md", "json", "csv", "xes", "bundle"] {
            let file = world.get(&format!("/api/v1/incidents/{reference}/export?format={format}")).await.ok();
            assert!(format == "csv" || format == "bundle" || file.text.contains(state), "{state} {format}: {}", file.text);
        }
        world.cli(&["export", reference, "--format", "bundle", "-o", "one.bundle"]).await;
        let ran = world.cli(&["verify-bundle", "one.bundle"]).await;
        assert_eq!(ran.code, 0, "{state}: {} {}", ran.stdout, ran.stderr);
    }
    let mut stdin = tokio::process::Command::new(env!("CARGO_BIN_EXE_allclear"))
        .args(["verify-bundle", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    stdin.stdin.take().unwrap().write_all(b"").await.unwrap();
    assert_eq!(stdin.wait_with_output().await.unwrap().status.code(), Some(1), "nothing is no bundle");
}
