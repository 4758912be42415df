//! What holds of every format that comes in, asked of each one in the registry: a new one is tested by being listed.
//!
//! `golden/FORMAT/NAME.json` is a request as its vendor sends it, and `golden/FORMAT/NAME.signals.json` what it is read
//! as. With `UPDATE_GOLDEN=1` the second is written anew: read the difference before you keep it. Of a format that signs,
//! `golden/signed/FORMAT.json` has headers as its vendor sends them with one of these requests, and which are refused.

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use allclear_channels::inbound::signed;
use allclear_channels::registry;
use allclear_domain::org::check::{Against, check};
use allclear_domain::org::model::Bundle;
use allclear_domain::wire::{Answer, Inbound, InboundContext, InboundRefusal, KeyFault, KeyIn, SetUp, SignalAction};
use jiff::Timestamp;

const NOT_TAKEN: [u16; 6] = [400, 401, 408, 413, 415, 503];

fn context() -> InboundContext<'static> {
    let now: Timestamp = "2026-11-21T03:00:00Z".parse().unwrap();
    InboundContext { now, fresh_key: "made-by-us", instance: None }
}

/// Every format, those too that only one address of a kind speaks.
fn formats() -> Vec<&'static dyn Inbound> {
    let all = registry::formats().chain(registry::routes().map(|route| route.format));
    all.map(|format| (format.name(), format)).collect::<BTreeMap<_, _>>().into_values().collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The requests of one format, by name.
fn golden(format: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = root().join("crates/channels/golden").join(format);
    let files = fs::read_dir(&folder).unwrap_or_else(|why| panic!("{} holds requests of {format}: {why}", folder.display()));
    let paths = files.map(|file| file.unwrap().path());
    let requests = paths.filter(|path| !path.to_string_lossy().ends_with(".signals.json"));
    requests.map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

fn is_json_or_nothing(answer: &Answer) -> bool {
    answer.body.is_empty() || serde_json::from_str::<serde_json::Value>(&answer.body).is_ok()
}

#[test]
fn requests_as_vendors_send_them_are_read_as_written_down() {
    for format in formats() {
        let requests = golden(format.name());
        assert!(!requests.is_empty(), "{} has no request", format.name());
        let (mut actions, mut keeps) = (BTreeSet::new(), false);
        for (path, body) in requests {
            let parsed = format.parse(&body, context()).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
            assert!(parsed.refused.is_empty() && parsed.notes.is_empty(), "{}: {parsed:?}", path.display());
            let answer = format.accepted(&parsed);
            assert!((200..300).contains(&answer.status) && is_json_or_nothing(&answer), "{}: {answer:?}", path.display());
            keeps |= parsed.keep_only;
            actions.extend(parsed.signals.iter().map(|signal| format!("{:?}", signal.action)));
            let read = serde_json::to_string_pretty(&parsed.signals).unwrap() + "\n";
            let beside = path.with_extension("signals.json");
            if std::env::var_os("UPDATE_GOLDEN").is_some() {
                fs::write(&beside, &read).unwrap();
            }
            let written = fs::read_to_string(&beside).unwrap_or_else(|why| panic!("{}: {why}", beside.display()));
            assert_eq!(read, written, "{}", path.display());
        }
        let both = [SignalAction::Trigger, SignalAction::Resolve].map(|action| format!("{action:?}"));
        let beats = actions.contains(&format!("{:?}", SignalAction::Beat));
        assert!(
            keeps || beats || both.iter().all(|action| actions.contains(action)),
            "{}: something begins and something ends",
            format.name()
        );
    }
}

#[test]
fn a_condition_that_ends_is_the_one_that_began() {
    for format in registry::formats() {
        let mut begun = BTreeSet::new();
        let mut ended = BTreeSet::new();
        for (_, body) in golden(format.name()) {
            for signal in format.parse(&body, context()).unwrap().signals {
                match signal.action {
                    SignalAction::Trigger => begun.insert(signal.dedup_key),
                    SignalAction::Resolve => ended.insert(signal.dedup_key),
                    SignalAction::Acknowledge | SignalAction::Beat => continue,
                };
            }
        }
        assert!(ended.iter().all(|key| begun.contains(key)), "{}: {begun:?}, {ended:?}", format.name());
    }
}

/// Whatever comes, nothing panics, and what is said of it is JSON in the format's own shape.
#[test]
fn whatever_comes_is_answered() {
    let deep = format!("{}1{}", r#"{"a":["#.repeat(5_000), "]}".repeat(5_000));
    let odd: [&[u8]; 14] = [
        b"",
        b" ",
        b"null",
        b"[]",
        b"{}",
        b"[null]",
        b"{",
        b"7",
        b"\"x\"",
        b"\xff\xfe\x00",
        b"[[],{},7,null,\"x\"]",
        b"{\"alerts\":null}",
        b"\xef\xbb\xbf[]",
        deep.as_bytes(),
    ];
    for format in formats() {
        let mut bodies: Vec<Vec<u8>> = odd.iter().map(|body| body.to_vec()).collect();
        for (_, body) in golden(format.name()) {
            // Cut anywhere; every text a null, a number, or far too long; every list within a list.
            bodies.extend((0..body.len()).step_by(body.len() / 40 + 1).map(|end| body[..end].to_vec()));
            let value: serde_json::Value = serde_json::from_slice(&body).unwrap();
            for way in 0..4 {
                bodies.push(serde_json::to_vec(&spoilt(&value, way)).unwrap());
            }
        }
        for body in bodies {
            let start = String::from_utf8_lossy(&body[..body.len().min(80)]).into_owned();
            let (answer, taken) = match format.parse(&body, context()) {
                Ok(parsed) => {
                    let fine = parsed.signals.iter().all(|signal| !signal.dedup_key.is_empty() && !signal.title.is_empty());
                    assert!(fine, "{}: {start}: {:?}", format.name(), parsed.signals);
                    (format.accepted(&parsed), parsed.refused.is_empty())
                }
                Err(refusal) => (format.refusal(&refusal), false),
            };
            assert!(is_json_or_nothing(&answer), "{}: {start}: {answer:?}", format.name());
            let status = answer.status;
            assert!((200..300).contains(&status) || (!taken && NOT_TAKEN.contains(&status)), "{}: {start}: {answer:?}", format.name());
        }
    }
}

/// The same JSON with every value of a kind replaced.
fn spoilt(value: &serde_json::Value, way: u8) -> serde_json::Value {
    use serde_json::Value;
    match value {
        Value::String(_) if way == 0 => Value::Null,
        Value::String(_) if way == 1 => Value::from(7),
        Value::String(text) if way == 2 => Value::from(format!("{text}{}", "é🔥\u{202e}".repeat(3_000))),
        Value::Array(list) if way == 3 => Value::from(vec![Value::Array(list.clone())]),
        Value::Array(list) => list.iter().map(|value| spoilt(value, way)).collect(),
        Value::Object(map) => map.iter().map(|(name, value)| (name.clone(), spoilt(value, way))).collect(),
        other => other.clone(),
    }
}

#[test]
fn every_refusal_has_a_shape_and_says_why() {
    for format in formats() {
        let name = format.name();
        for status in NOT_TAKEN {
            let answer = format.refused(status, &["the reason".to_owned(), "another".to_owned()]);
            assert_eq!(answer.status, status, "{name}");
            assert!(
                answer.body.contains("the reason") && answer.body.contains("another") && is_json_or_nothing(&answer),
                "{name}: {answer:?}"
            );
        }
        let refusal = InboundRefusal::TooMany("too many alerts".to_owned());
        assert_eq!(format.refusal(&refusal).status, 413, "{name}");
        for fault in [KeyFault::Missing, KeyFault::Unknown, KeyFault::OtherKind("of another kind")] {
            let Some(answer) = format.key_refused(fault) else { continue };
            assert!(
                (400..500).contains(&answer.status) && is_json_or_nothing(&answer) && answer.body.contains("key")
                    || answer.body.contains("of another kind"),
                "{name}: {answer:?}"
            );
        }
        assert!(format.body_bytes_max() > 0, "{name}");
    }
}

/// What a vendor signs is taken, and nothing else, whatever is sent.
#[test]
fn a_format_that_signs_takes_what_is_signed_and_nothing_else() {
    let folder = root().join("crates/channels/golden");
    for format in formats() {
        let Some(signature) = format.signature() else { continue };
        let name = format.name();
        assert!([signature.header, signature.time_header].iter().all(|header| *header == header.to_lowercase()), "{name}");
        let path = folder.join(format!("signed/{name}.json"));
        let told: serde_json::Value =
            serde_json::from_slice(&fs::read(&path).unwrap_or_else(|why| panic!("{}: {why}", path.display()))).unwrap();
        let body = fs::read(folder.join(told["request"].as_str().unwrap())).unwrap();
        let secret = told["secret"].as_str().unwrap();
        let now = [told["now"].as_str().unwrap().parse::<Timestamp>().unwrap()];
        let (mut taken, mut refused) = (0, BTreeSet::new());
        for case in told["cases"].as_array().unwrap() {
            let says = format!("{name}: {}", case["says"]);
            let headers: BTreeMap<String, &str> =
                case["headers"].as_object().unwrap().iter().map(|(name, value)| (name.to_lowercase(), value.as_str().unwrap())).collect();
            let of = |headers: &BTreeMap<String, &str>, body: &[u8]| {
                signed::check(signature, |name| headers.get(name).map(|value| value.as_bytes()), body, secret, &now)
            };
            match (of(&headers, &body), case["refused"].as_str()) {
                (Ok(()), None) => taken += 1,
                (Err(why), Some(words)) => {
                    assert!(why.to_string().contains(words), "{says}: {why}");
                    let answer = format.refused(401, &[why.to_string()]);
                    assert!(answer.status == 401 && is_json_or_nothing(&answer) && !answer.body.contains(secret), "{says}: {answer:?}");
                    refused.insert(words.to_owned());
                    continue;
                }
                (found, wanted) => panic!("{says}: {found:?}, not {wanted:?}"),
            }
            // Cut, of another body, with another digit, and with the time away or changed: none of it is taken.
            let whole = headers[signature.header];
            for end in [0, 1, 32, 63] {
                let cut = [headers.clone(), BTreeMap::from([(signature.header.to_owned(), &whole[..end])])];
                assert!(of(&cut.into_iter().flatten().collect(), &body).is_err(), "{says}: cut after {end}");
            }
            let other = format!("{}{}", &whole[..63], if whole.ends_with('0') { '1' } else { '0' });
            let changed = [headers.clone(), BTreeMap::from([(signature.header.to_owned(), other.as_str())])];
            assert!(of(&changed.into_iter().flatten().collect(), &body).is_err(), "{says}: the last digit");
            assert!(of(&headers, &body[..body.len() - 1]).is_err() && of(&headers, b"").is_err(), "{says}: another body");
            let mut later = headers.clone();
            let had = later.insert(signature.time_header.to_owned(), "1795230001").is_some();
            assert!(of(&later, &body).is_err(), "{says}: another time");
            later.remove(signature.time_header);
            assert_eq!(of(&later, &body).is_err(), had, "{says}: without a time");
        }
        assert!(taken >= 2 && refused.len() >= 4, "{name}: {taken} are taken, and refused because {refused:?}");
    }
    assert!(formats().iter().any(|format| format.signature().is_some()));
}

/// A secret that nothing checks would be a promise that is not kept.
#[test]
fn only_integrations_of_formats_that_sign_have_a_secret() {
    let kinds: Vec<_> = registry::kinds().collect();
    for format in registry::formats() {
        let integration = serde_json::json!({"id": "x", "kind": format.kind(), "key": "some-key-0001", "secret": "a-good-secret"});
        let bundle: Bundle = serde_json::from_value(serde_json::json!({"integrations": [integration]})).unwrap();
        let problems = check(&bundle, Against { now: Timestamp::UNIX_EPOCH, kinds: &kinds, channels: registry::WAYS_OUT });
        let of_secret = problems.iter().find(|problem| problem.place.to_string() == "integrations[0].secret");
        assert_eq!(of_secret.is_none(), format.signature().is_some(), "{}: {problems:?}", format.kind());
        if let Some(problem) = of_secret {
            assert!(problem.message.contains("do not sign") && problem.hint.as_deref().is_some_and(|hint| hint.contains("grafana")));
        }
        // The addresses of a kind read bodies of several shapes; a sender signs all of them or none.
        assert!(format.routes().iter().all(|route| route.format.signature() == format.signature()), "{}", format.kind());
    }
}

#[test]
fn kinds_and_addresses_are_each_one_s_own_and_documented() {
    let read = |path: &str| fs::read_to_string(root().join(path)).unwrap();
    let (api, organisation) = (read("docs/api.md"), read("docs/guides/organisation.md"));
    let mut seen = BTreeSet::new();
    for format in registry::formats() {
        let kind = format.kind();
        assert!(seen.insert(kind.to_owned()), "two formats are `{kind}`");
        assert!(kind.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'), "`{kind}` stands in an address");
        assert_eq!(registry::format(kind).map(Inbound::name), Some(kind), "an integration's own format is named as its kind");
        assert!(api.contains(&format!("`{kind}`")), "docs/api.md names `{kind}` among the formats of /in");
        assert!(organisation.contains(&format!("`{kind}`")), "docs/guides/organisation.md names the kind `{kind}`");
        for route in format.routes() {
            assert!(seen.insert(route.path.to_owned()), "two formats are at {}", route.path);
            assert!(api.contains(&format!("POST {}`", route.path)), "docs/api.md has {}", route.path);
            assert_eq!(route.path.contains("{key}"), route.key == KeyIn::Path, "{}", route.path);
            assert_eq!(route.format.kind(), kind, "{}", route.path);
        }
    }
    assert!(registry::format("carrier-pigeon").is_none());
}

/// Where a sender is told to send is an address of its format, and what it is to copy says so.
#[test]
fn each_format_says_how_its_senders_are_pointed_here() {
    for format in registry::formats() {
        let set_up = format.set_up();
        let kind = format.kind();
        assert_eq!(set_up.kind, kind);
        let path = set_up.address.strip_prefix("{base}").unwrap_or_else(|| panic!("{kind}: {}", set_up.address));
        let own = format.routes().iter().any(|route| route.path == path && route.format.kind() == kind);
        assert!(own || path == format!("/in/{kind}/{{key}}"), "{kind} has no address {path}");
        let (base, key) = ("https://allclear.example.org", "key-of-a-sender");
        let filled = SetUp::filled(set_up.snippet, base, key);
        assert!(filled.contains(&SetUp::filled(set_up.address, base, key)) && filled.contains(key), "{kind}: {filled}");
        assert!(!filled.contains("{base}") && !filled.contains("{key}"), "{kind}: {filled}");
        assert!(!set_up.says.trim().is_empty() && !set_up.says.contains('\n'), "{kind}");
    }
}
