//! Every kind of change of a bundle is named; what is whole says so. With a digest in the place of Ed25519, which the engine has.

use super::super::seal::{Anchor, CHECKPOINT};
use super::*;
use crate::actor::Actor;
use crate::event::{Draft, Head, Mode, Stream, body_hash};
use crate::ids::{IncidentId, PageId};
use crate::time::to_micros;

/// In the place of Ed25519, which the engine has: a digest that only this test makes.
fn signature(key: &[u8], bytes: &[u8]) -> Vec<u8> {
    let one = body_hash(&[7; 16], &format!("{key:?}{bytes:?}"));
    [one, one].concat()
}

fn check_it(file: &[u8]) -> Checked {
    check(file, |key, bytes, found| signature(key, bytes) == found)
}

/// An incident with a page, and one text of each that was erased.
fn entries() -> Vec<Entry> {
    let (incident, page) = (IncidentId::from_bits(7), PageId::from_bits(9));
    let mut heads = [Head::EMPTY, Head::EMPTY];
    let texts = [(0, "declared"), (1, "page_started"), (0, "noted"), (1, "page_stopped"), (0, "resolved")];
    let entry = |(n, (stream, kind)): (usize, (usize, &'static str))| {
        let at = jiff::Timestamp::from_second(1_800_000_000 + i64::try_from(n).unwrap()).unwrap();
        let draft = Draft {
            stream: if stream == 0 { Stream::Incident(incident) } else { Stream::Page(page) },
            incident: Some(incident),
            kind,
            v: 1,
            at,
            actor: Actor::Person("ana".into()),
            cause: "api".into(),
            mode: Mode::Live,
            marking: (n == 2).then_some(crate::tlp::Tlp::Green),
            body: serde_json::json!({"text": "say \"é\" 👩‍🚒\n\u{1}\u{7f}"}).to_string(),
        };
        let sealed = draft.seal(&mut heads[stream], [u8::try_from(n).unwrap(); 16], at);
        let erased = n == 3;
        Entry {
            // Others write between them.
            seq: 10 + 3 * i64::try_from(n).unwrap(),
            stream: sealed.draft.stream.to_string(),
            version: sealed.version,
            incident: sealed.draft.incident.map(|id| id.to_string()),
            kind: kind.to_owned(),
            v: 1,
            at: to_micros(at),
            recorded_at: to_micros(at),
            actor: sealed.draft.actor.to_string(),
            cause: "api".into(),
            mode: "live".into(),
            marking: sealed.draft.marking.map(|marking| marking.word().to_owned()),
            body: (!erased).then(|| sealed.draft.body.clone()),
            salt: (!erased).then(|| hex(&sealed.salt)),
            body_hash: hex(&sealed.body_hash),
            hash: hex(&sealed.hash),
        }
    };
    texts.into_iter().enumerate().map(entry).collect()
}

fn bundle_of(entries: Vec<Entry>) -> String {
    let anchor = Anchor { number: 3, to_seq: 16, events: 16, at: 5, digest: hex(&[1; 32]), hash: hex(&[2; 32]) };
    let about = About { incident: IncidentId::from_bits(7).to_string(), reference: "INC-7".into(), made_at: 6, checkpoint: Some(anchor) };
    write(about, entries, |bytes| (vec![9; 32], signature(&[9; 32], bytes)))
}

fn named(file: &[u8]) -> Vec<(usize, String)> {
    check_it(file).faults.into_iter().map(|fault| (fault.line, fault.why)).collect()
}

#[test]
fn what_was_signed_is_whole_and_says_what_it_is() {
    let file = bundle_of(entries());
    let found = check_it(file.as_bytes());
    assert_eq!(found.faults, []);
    assert_eq!((found.entries.len(), found.redacted, found.key), (5, 1, Some([9; 32])));
    assert_eq!(found.entries, entries());
    let statement = found.statement.unwrap();
    assert_eq!((statement.entries, statement.heads.len(), statement.heads[0].version), (5, 2, 3));
    // Entries may come in any order: they are written in that of the log.
    let mut other = entries();
    other.reverse();
    assert_eq!(bundle_of(other), file);
}

#[test]
fn every_bit_that_is_flipped_is_named_in_its_line() {
    let file = bundle_of(entries()).into_bytes();
    let mut line = 1;
    for at in 0..file.len() {
        // The one that makes a small letter a capital, and another one of each byte.
        for bit in [5, at % 8] {
            let mut other = file.clone();
            other[at] ^= 1 << bit;
            let faults = named(&other);
            // An end of a line that is none any more, or a new one, moves what follows.
            let is_named = faults.iter().any(|(found, _)| *found == line || file[at] == b'\n' || other[at] == b'\n');
            assert!(is_named, "byte {at}, bit {bit}, of line {line}: {faults:?}");
        }
        line += usize::from(file[at] == b'\n');
    }
}

#[test]
fn a_file_that_was_cut_off_anywhere_is_named() {
    let file = bundle_of(entries()).into_bytes();
    for at in 0..file.len() {
        assert!(!named(&file[..at]).is_empty(), "cut off at {at}");
    }
}

#[test]
fn entries_that_are_dropped_doubled_or_moved_are_named() {
    let file = bundle_of(entries());
    let lines: Vec<&str> = file.lines().collect();
    let of = |lines: &[&str]| named((lines.join("\n") + "\n").as_bytes());
    for at in 2..lines.len() {
        let mut other = lines.clone();
        other.remove(at);
        let faults = of(&other);
        assert!(faults.contains(&(0, format!("entry {} of those signed is missing", at - 1))), "{faults:?}");

        let mut other = lines.clone();
        other.insert(at, lines[at]);
        assert!(of(&other).contains(&(at + 2, format!("it is entry {} once more", at - 1))));

        for to in at + 1..lines.len() {
            let mut other = lines.clone();
            other.swap(at, to);
            let why = format!("it is entry {} of those signed, and stands after entry {}", at - 1, to - 1);
            assert!(of(&other).contains(&(to + 1, why)), "{at} and {to}: {:?}", of(&other));
        }
    }
}

#[test]
fn what_is_signed_anew_still_has_to_fit_its_own_chains() {
    type Change = fn(&mut Vec<Entry>);
    let changes: [(&str, Change); 8] = [
        ("its body was changed", |all| all[2].body = Some("{}".into())),
        ("its hash is not that of what it says after the event before it", |all| all[2].actor = "person:ben".into()),
        ("its hash is not that of what it says after the event before it", |all| all[2].marking = None),
        ("its hash is not that of what it says after the event before it", |all| all[2].recorded_at += 1),
        ("only half of a redaction was carried out", |all| all[2].salt = None),
        ("the event before it in its log is missing", |all| drop(all.remove(0))),
        ("its hashes are not 32 bytes in hex", |all| all[2].hash = "00".into()),
        ("its place in the whole log is not after that of the entry before it", |all| all[2].seq = all[1].seq),
    ];
    for (why, change) in changes {
        let mut all = entries();
        change(&mut all);
        let faults = named(bundle_of(all).as_bytes());
        assert!(faults.iter().any(|(_, found)| found == why), "{why}: {faults:?}");
    }
    // A text that was taken out where the house had it.
    let file = bundle_of(entries());
    let mut erased = entries().swap_remove(2);
    (erased.body, erased.salt) = (None, None);
    let lines: Vec<String> = file.lines().enumerate().map(|(n, text)| if n == 4 { line(&erased) } else { text.to_owned() }).collect();
    let faults = named((lines.join("\n") + "\n").as_bytes());
    assert_eq!(faults, [(5, "it is not what was signed: its text may have been taken out".to_owned())]);
}

#[test]
fn another_key_and_another_seal_are_no_seal_of_this() {
    let file = bundle_of(entries());
    let other = file.replacen(&hex(&[9; 32]), &hex(&[8; 32]), 1);
    assert_eq!(named(other.as_bytes()), [(1, "the signature is not of this statement by this key".to_owned())]);
    let mut fewer = entries();
    fewer.pop();
    let other = bundle_of(fewer);
    let mixed = format!("{}\n{}", other.lines().next().unwrap(), file.split_once('\n').unwrap().1);
    assert!(
        named(mixed.as_bytes()).iter().any(|(line, why)| *line == 2 && why.contains("5 leaves, and 4 entries")),
        "{:?}",
        named(mixed.as_bytes())
    );
    assert!(!named(b"").is_empty() && !named(b"\n").is_empty() && !named(b"{}\n{}\n{}\n").is_empty());
    // A bundle of no entries is none of an incident.
    assert!(named(bundle_of(Vec::new()).as_bytes()).iter().any(|(_, why)| why == "the incident's own log is missing"));
}

#[test]
fn a_checkpoint_that_left_the_house_is_read_back_and_no_bundle_is_one() {
    let anchor = Anchor { number: 3, to_seq: 16, events: 16, at: 5, digest: hex(&[1; 32]), hash: hex(&[2; 32]) };
    let line = anchor.sealed(|bytes| (vec![9; 32], signature(&[9; 32], bytes)));
    let read = |text: &str| Anchor::read(text, |key, bytes, found| signature(key, bytes) == found);
    assert_eq!(read(&line), Ok((anchor, [9; 32])));
    let bytes = line.as_bytes();
    for at in 0..bytes.len() {
        let mut other = bytes.to_vec();
        other[at] ^= 1;
        assert!(std::str::from_utf8(&other).is_ok_and(|text| read(text).is_err()), "byte {at}");
    }
    let bundle = bundle_of(entries());
    assert!(read(bundle.lines().next().unwrap()).unwrap_err().contains(CHECKPOINT));
}
