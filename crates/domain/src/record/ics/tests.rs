//! Every form has each of its blocks, and a block has what the record says and nothing else.

use super::super::tests::with_record;
use super::*;

fn filled<T>(then: impl Fn(&Filing<'_>) -> T) -> T {
    with_record(|record| {
        let from = Timestamp::from_second(1_800_000_000 - 3_600).unwrap();
        let to = Timestamp::from_second(1_800_000_000 + 3_600).unwrap();
        then(&Filing { record, from, to, zone: &TimeZone::UTC, by: Some("ana") })
    })
}

fn numbers(number: &str) -> Vec<u32> {
    let mut out = Vec::new();
    for part in number.split(", ") {
        match part.split_once('–') {
            Some((from, to)) => out.extend(from.parse::<u32>().unwrap()..=to.parse().unwrap()),
            None => out.push(part.parse().unwrap()),
        }
    }
    out
}

#[test]
fn every_form_has_each_of_its_blocks_once() {
    // The last block of each form, as the forms are printed.
    let last = [10, 8, 9, 9, 6, 8, 4, 5, 53, 17, 10, 8, 14, 10];
    assert_eq!(FORMS.len(), last.len());
    for (form, last) in FORMS.iter().zip(last) {
        for sheet in filled(|filing| form.fill(filing)) {
            let mut found: Vec<u32> = sheet.iter().flat_map(|block| numbers(block.number)).collect();
            found.sort_unstable();
            assert_eq!(found, (1..=last).collect::<Vec<_>>(), "{}", form.number);
            for block in &sheet {
                if let Content::Table { head, rows, .. } = &block.content {
                    assert!(rows.iter().all(|row| row.len() == head.len()), "{} {}: {rows:?}", form.number, block.number);
                }
            }
        }
        assert!(std::ptr::eq(super::form(form.id).unwrap(), form));
    }
}

fn block(id: &str, number: &str) -> Content {
    let form = form(id).unwrap();
    filled(|filing| form.fill(filing)[0].iter().find(|block| block.number == number).unwrap().content.clone())
}

#[test]
fn blocks_have_what_the_record_says_and_room_where_it_says_nothing() {
    let first_row = |content: Content| match content {
        Content::Table { rows, .. } => rows[0].clone(),
        other @ (Content::Words(_) | Content::Room(_)) => panic!("{other:?} is no table"),
    };
    assert_eq!(block("ics-201", "2"), Content::Words(vec!["INC-7".into()]));
    assert_eq!(block("ics-201", "4"), Content::Room(12));
    assert_eq!(first_row(block("ics-203", "3")), ["Incident commander", "Ana =Ruiz"]);
    assert_eq!(first_row(block("ics-203", "8")), ["Section chief", ""], "nobody has it, so that it is written in");
    assert_eq!(first_row(block("ics-201", "10"))[..2], ["2 × pump", ""]);
    assert_eq!(first_row(block("ics-215", "6, 9–10"))[..4], ["pump", "2", "2", "0"]);
    assert_eq!(first_row(block("ics-201", "6"))[..3], ["Ana =Ruiz", "Commander", ""], "nobody signs for her");
    assert_eq!(block("ics-208", "3"), Content::Room(20));
    assert_eq!(block("ics-213", "3"), Content::Words(vec!["Ana =Ruiz".into()]));
}

#[test]
fn only_what_happened_in_the_period_is_in_its_log() {
    with_record(|record| {
        let at = |second: i64| Timestamp::from_second(1_800_000_000 + second).unwrap();
        let filing = Filing { record, from: at(120), to: at(240), zone: &TimeZone::UTC, by: None };
        let log = filing.activities();
        assert_eq!(log.len(), 2, "its end is not in it: {log:?}");
        // More than a form holds: the newest are told, and how many are not.
        let mut long = record.clone();
        long.events = std::iter::repeat_n(&record.events[0], LINES_MAX + 5).cloned().collect();
        let filing = Filing { record: &long, from: at(0), to: at(240), zone: &TimeZone::UTC, by: None };
        let log = filing.activities();
        assert_eq!((log.len(), log[0].1.split(' ').next()), (LINES_MAX + 1, Some("5")));
    });
}
